# let the host forward IPv4
/usr/sbin/jailadmin host setting acquire 00 net.ipv4.ip_forward 1
# take the old gateway's address from network default
/usr/sbin/ip -batch - <<'END'
addr del 10.66.0.1/16 dev ja00br0
END
# give the new gateway's address to network default
/usr/sbin/ip -batch - <<'END'
addr add 10.66.0.254/16 dev ja00br0
END
# change the rules of network default
/usr/sbin/nft -f - <<'END'
add element inet ja00 nets { "ja00br0" }
delete element inet ja00 nets { "ja00br0" }
add element inet ja00 auto { "ja00br0" }
delete element inet ja00 auto { "ja00br0" }
add element inet ja00 own { "ja00br0" . "ja00br0" }
delete element inet ja00 own { "ja00br0" . "ja00br0" }
add element inet ja00 gateway4 { "ja00br0" . 10.66.0.1 }
delete element inet ja00 gateway4 { "ja00br0" . 10.66.0.1 }
add element bridge ja00 gateway4 { 10.66.0.1 }
delete element bridge ja00 gateway4 { 10.66.0.1 }
add element inet ja00 nets { "ja00br0" }
add element inet ja00 via { "ja00br0" . "em1" }
add element inet ja00 alone { "ja00br0" . "ja00br0" }
add element inet ja00 gateway4 { "ja00br0" . 10.66.0.254 }
add element bridge ja00 gateway4 { 10.66.0.254 }
add element bridge ja00 nics { "ja000n0" . 0a:6c:5a:7b:df:17 }
delete element bridge ja00 nics { "ja000n0" . 0a:6c:5a:7b:df:17 }
add element bridge ja00 source4 { "ja000n0" . 10.66.0.2 }
delete element bridge ja00 source4 { "ja000n0" . 10.66.0.2 }
add element bridge ja00 source6 { "ja000n0" . fe80::86c:5aff:fe7b:df17 }
delete element bridge ja00 source6 { "ja000n0" . fe80::86c:5aff:fe7b:df17 }
add element bridge ja00 target6 { "ja000n0" . 0xfe80000000000000086c5afffe7bdf17 }
delete element bridge ja00 target6 { "ja000n0" . 0xfe80000000000000086c5afffe7bdf17 }
add element bridge ja00 nics { "ja000n0" . 0a:6c:5a:7b:df:17 }
add element bridge ja00 source4 { "ja000n0" . 10.66.0.2 }
add element bridge ja00 source6 { "ja000n0" . fe80::86c:5aff:fe7b:df17 }
add element bridge ja00 target6 { "ja000n0" . 0xfe80000000000000086c5afffe7bdf17 }
add element bridge ja00 isolated { "ja000n0" }
END
# tell network default its name
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/dns/default.d/web1 <<'END'
10.66.0.2 web1.default.internal web1
END
# set up the resolver of network default
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/dns/default.conf <<'END'
# names of network default; written by jailadmin, do not edit
user=nobody
bind-interfaces
listen-address=10.66.0.254
no-hosts
hostsdir=/run/jailadmin-00/dns/default.d
domain=default.internal
local=/default.internal/
domain-needed
rev-server=10.66.0.0/16
END
# start the resolver of network default
/usr/sbin/dnsmasq --conf-file=/run/jailadmin-00/dns/default.conf --pid-file=/run/jailadmin-00/dns/default.pid
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/instance/default.network.json <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.254/16"
 ],
 "nat": "em1",
 "isolate": true
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
  "10.66.0.254/16"
 ],
 "nat": "em1",
 "isolate": true
}
END
# warning: the host has no interface em1 now, by which network default is to reach the world

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/default.network.json
#   /usr/sbin/jailadmin host daemon-stop /run/jailadmin-00/dns/default.pid dnsmasq
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/dns/default.conf
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/dns/default.d/web1
#   /usr/sbin/nft -f -   if there is the nft inet ja00
#   /usr/sbin/ip -batch -   if there is the hostaddr 10.66.0.254
#   /usr/sbin/ip -batch -   if there is the link ja00br0
