# change the rules of network default
/usr/sbin/nft -f - <<'END'
add chain inet ja00 net0_out
flush chain inet ja00 net0_out
add rule inet ja00 net0_out oifname "ja00br1" tcp dport 5432 goto allowed comment "db 65d6b28774b4"
add rule inet ja00 net0_out oifname != @nets meta l4proto { icmp, icmpv6 } goto deny comment "icmp ba365d5ff555"
add rule inet ja00 net0_out ip saddr 10.66.0.2 ip daddr 192.168.2.2 udp dport 5000-5010 goto deny comment "one 2fe07840d778"
add rule inet ja00 net0_out ip6 saddr fe80::1:2 ip6 daddr fd00:2::2 udp dport 5000-5010 goto deny comment "one ca74653d5e07"
add rule inet ja00 net0_out goto deny comment "late 03f08608f78f"
add element inet ja00 rules_out { "ja00br0" : jump net0_out }
add chain inet ja00 net0_host
flush chain inet ja00 net0_host
add rule inet ja00 net0_host ip saddr { 10.66.0.2, 10.66.0.99 } tcp dport 22 accept comment "ssh 9c53cffb2cb4"
add rule inet ja00 net0_host goto deny comment "late 03f08608f78f"
add element inet ja00 rules_host { "ja00br0" : jump net0_host }
add chain inet ja00 net0_in
flush chain inet ja00 net0_in
add rule inet ja00 net0_in ip saddr 203.0.113.0/24 tcp dport 80 accept comment "web 659e2e05a882"
add rule inet ja00 net0_in goto deny comment "rest 03f08608f78f"
add element inet ja00 rules_in { "ja00br0" : jump net0_in }
END
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/instance/default.network.json <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.1/16"
 ],
 "rules": [
  {
   "name": "db",
   "action": "allow",
   "peer": "network:lan",
   "protocol": "tcp",
   "port": "5432",
   "peer-slot": 1
  },
  {
   "name": "late",
   "action": "deny",
   "order": 9000
  },
  {
   "name": "one",
   "action": "deny",
   "jail": "web1",
   "peer": "jail:web2",
   "protocol": "udp",
   "port": "5000-5010",
   "jail-addresses": [
    "10.66.0.2",
    "fe80::1:2"
   ],
   "peer-addresses": [
    "192.168.2.2",
    "fd00:2::2"
   ]
  },
  {
   "name": "icmp",
   "action": "deny",
   "peer": "world",
   "protocol": "icmp"
  },
  {
   "name": "ssh",
   "action": "allow",
   "jail": "web1",
   "peer": "host",
   "protocol": "tcp",
   "port": "22",
   "order": 1,
   "jail-addresses": [
    "10.66.0.2",
    "10.66.0.99"
   ]
  },
  {
   "name": "web",
   "action": "allow",
   "direction": "in",
   "peer": "203.0.113.0/24",
   "protocol": "tcp",
   "port": "80"
  },
  {
   "name": "rest",
   "action": "deny",
   "direction": "in",
   "order": 200
  }
 ]
}
END
# record the network
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin network default <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.1/16"
 ],
 "rules": [
  {
   "name": "db",
   "action": "allow",
   "peer": "network:lan",
   "protocol": "tcp",
   "port": "5432",
   "peer-slot": 1
  },
  {
   "name": "late",
   "action": "deny",
   "order": 9000
  },
  {
   "name": "one",
   "action": "deny",
   "jail": "web1",
   "peer": "jail:web2",
   "protocol": "udp",
   "port": "5000-5010",
   "jail-addresses": [
    "10.66.0.2",
    "fe80::1:2"
   ],
   "peer-addresses": [
    "192.168.2.2",
    "fd00:2::2"
   ]
  },
  {
   "name": "icmp",
   "action": "deny",
   "peer": "world",
   "protocol": "icmp"
  },
  {
   "name": "ssh",
   "action": "allow",
   "jail": "web1",
   "peer": "host",
   "protocol": "tcp",
   "port": "22",
   "order": 1,
   "jail-addresses": [
    "10.66.0.2",
    "10.66.0.99"
   ]
  },
  {
   "name": "web",
   "action": "allow",
   "direction": "in",
   "peer": "203.0.113.0/24",
   "protocol": "tcp",
   "port": "80"
  },
  {
   "name": "rest",
   "action": "deny",
   "direction": "in",
   "order": 200
  }
 ]
}
END

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/default.network.json
#   /usr/sbin/nft -f -   if there is the nft inet ja00
