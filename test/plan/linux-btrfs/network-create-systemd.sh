# let the host forward IPv4
/usr/sbin/jailadmin host setting acquire 00 net.ipv4.ip_forward 1
# let eth0 keep its router advertisements while the host forwards
/usr/sbin/jailadmin host setting acquire 00 net/ipv6/conf/eth0/accept_ra 2
# let the host forward IPv6
/usr/sbin/jailadmin host setting acquire 00 net.ipv6.conf.all.forwarding 1
# let the rules know the network
/usr/sbin/nft -f - <<'END'
add element inet ja00 nets { "ja00br1" }
add element inet ja00 auto { "ja00br1" }
add element inet ja00 alone { "ja00br1" . "ja00br1" }
add element inet ja00 gateway4 { "ja00br1" . 192.168.2.1 }
add element inet ja00 gateway6 { "ja00br1" . fd00:2::1 }
add element bridge ja00 gateway4 { 192.168.2.1 }
add element bridge ja00 gateway6 { fd00:2::1 }
add element bridge ja00 gateway_target6 { 0xfd000002000000000000000000000001 }
END
# make the bridge ja00br1 of network lan
/usr/sbin/ip -batch - <<'END'
link add name ja00br1 address 32:9e:87:56:1c:e2 type bridge stp_state 0 forward_delay 0
link set dev ja00br1 alias "jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000002" up
addr add 192.168.2.1/24 dev ja00br1
addr add fd00:2::1/64 dev ja00br1 nodad
END
# make the directory of its jails' names
/usr/sbin/jailadmin host mkdir --mode 0755 /run/jailadmin-00/dns/lan.d
# set up the resolver of network lan
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/dns/lan.conf <<'END'
# names of network lan; written by jailadmin, do not edit
user=nobody
bind-interfaces
listen-address=192.168.2.1
listen-address=fd00:2::1
no-hosts
hostsdir=/run/jailadmin-00/dns/lan.d
domain=lan.internal
local=/lan.internal/
domain-needed
rev-server=192.168.2.0/24
rev-server=fd00:2::/64
END
# start the resolver of network lan
/usr/sbin/dnsmasq --conf-file=/run/jailadmin-00/dns/lan.conf --pid-file=/run/jailadmin-00/dns/lan.pid
# make systemd's unit for the cgroups of jails
/usr/sbin/jailadmin host cgroup-unit /run/jailadmin-00/cgroups.pid /usr/bin/catatonit jailadmin-00.service
# keep it when the session or service ends that starts it
/usr/sbin/jailadmin host cgroup-adopt /run/jailadmin-00/dns/lan.pid dnsmasq jailadmin-00.service
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/instance/lan.network.json <<'END'
{
 "name": "lan",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000002",
 "state": "ready",
 "slot": 1,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "192.168.2.1/24",
  "fd00:2::1/64"
 ],
 "isolate": true
}
END
# record the network
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin network lan <<'END'
{
 "name": "lan",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000002",
 "state": "ready",
 "slot": 1,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "192.168.2.1/24",
  "fd00:2::1/64"
 ],
 "isolate": true
}
END

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/lan.network.json
#   /usr/sbin/jailadmin host daemon-stop /run/jailadmin-00/dns/lan.pid dnsmasq
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/dns/lan.conf
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/dns/lan.d   if there is the path /run/jailadmin-00/dns/lan.d
#   /usr/sbin/jailadmin host link-remove ja00br1 'jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000002'   if there is the link ja00br1
#   /usr/sbin/nft -f -   if there is the nft inet ja00
#   /usr/sbin/jailadmin host setting release 00 net.ipv6.conf.all.forwarding
#   /usr/sbin/jailadmin host setting release 00 net/ipv6/conf/eth0/accept_ra
