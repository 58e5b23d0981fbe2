# write the rules of network default
/sbin/ipfw -q /dev/stdin <<'END'
add 20062 set 1 return tag 39999 tcp from 10.66.0.2,10.66.0.99 to me 22 // ssh 3d3a4d84a7df
add 20062 set 1 return tag 39999 tcp from 10.66.0.0/16 to table(ja00nets,40001) 5432 not dst-ip me // db 100629e479e2
add 20062 set 1 deny icmp from 10.66.0.0/16 to not table(ja00nets) not dst-ip me // icmp 0123de66741a
add 20062 set 1 deny udp from 10.66.0.2 to 192.168.2.2 5000-5010 // one 4a46a55535a9
add 20062 set 1 return tag 39999 tcp from 203.0.113.0/24 to 10.66.0.0/16 80 not dst-ip me // web a032fb54f180
add 20062 set 1 deny tcp from any to 10.66.0.0/16 setup not dst-ip me // rest 8d4595baad2d
add 20062 set 1 deny ip4 from any to 10.66.0.0/16 not proto tcp not dst-ip me // rest a1cf27d1910e
add 20062 set 1 deny tcp from 10.66.0.0/16 to any setup // late b09819843457
add 20062 set 1 deny ip4 from 10.66.0.0/16 to any not proto tcp // late 9d491f0a2c7d
add 20062 set 1 return ip from any to any
END
# ask the network's rules
/sbin/ipfw -q table ja00rules add 10.66.0.0/16 20062
# let the rules know it
/sbin/ipfw -q table ja00natted add 10.66.0.0/16 0
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
#   /sbin/ipfw -q table ja00natted delete 10.66.0.0/16   if there is the ipfw table ja00natted 10.66.0.0/16
#   /sbin/ipfw -q table ja00rules delete 10.66.0.0/16   if there is the ipfw table ja00rules 10.66.0.0/16
#   /sbin/ipfw -q delete 20062   if there is the ipfw rule 20062
