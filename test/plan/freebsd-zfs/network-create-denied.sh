# filter what passes through bridges; counted, and put back by the last
/usr/sbin/jailadmin host setting acquire 00 net.link.bridge.pfil_member 1
/usr/sbin/jailadmin host setting acquire 00 net.link.bridge.pfil_local_phys 1
/usr/sbin/jailadmin host setting acquire 00 net.link.bridge.pfil_bridge 0
/usr/sbin/jailadmin host setting acquire 00 net.inet.ip.fw.one_pass 0
# let the rules know it
/sbin/ipfw -q table ja00nets add 192.168.2.0/24 40001 fd00:2::/64 40001
/sbin/ipfw -q table ja00gw add 192.168.2.1/32 40001 fd00:2::1/128 40001
/sbin/ipfw -q table ja00natted add 192.168.2.0/24 0 fd00:2::/64 0
/sbin/ipfw -q table ja00nat0 add 192.168.2.0/24 0
# make the bridge ja00br1 of network lan
/sbin/ifconfig bridge10001 create name ja00br1
# say whose it is, and use it
/sbin/ifconfig ja00br1 description 'jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000002' up
# give it the gateway's address
/sbin/ifconfig ja00br1 inet 192.168.2.1/24 alias
/sbin/ifconfig ja00br1 inet6 fd00:2::1/64 no_dad -ifdisabled
# let the host forward; counted, and put back by the last
/usr/sbin/jailadmin host setting acquire 00 net.inet.ip.forwarding 1
/usr/sbin/jailadmin host setting acquire 00 net.inet6.ip6.forwarding 1
# make the directory of its jails' names
/usr/sbin/jailadmin host mkdir --mode 0755 /var/run/jailadmin-00/dns/lan.d
# set up the resolver of network lan
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/dns/lan.conf <<'END'
# names of network lan; written by jailadmin, do not edit
user=nobody
bind-interfaces
listen-address=192.168.2.1
listen-address=fd00:2::1
no-hosts
hostsdir=/var/run/jailadmin-00/dns/lan.d
domain=lan.internal
local=/lan.internal/
domain-needed
rev-server=192.168.2.0/24
rev-server=fd00:2::/64
END
# start the resolver of network lan
/usr/local/sbin/dnsmasq --conf-file=/var/run/jailadmin-00/dns/lan.conf --pid-file=/var/run/jailadmin-00/dns/lan.pid
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
#   /usr/sbin/jailadmin host daemon-stop /var/run/jailadmin-00/dns/lan.pid dnsmasq
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/lan.conf
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00/dns/lan.d   if there is the path /var/run/jailadmin-00/dns/lan.d
#   /usr/sbin/jailadmin host setting release 00 net.inet6.ip6.forwarding
#   /usr/sbin/jailadmin host link-remove --made-as bridge10001 ja00br1 'jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000002'
#   /sbin/ipfw -q table ja00nat0 delete 192.168.2.0/24   if there is the ipfw table ja00nat0 192.168.2.0/24
#   /sbin/ipfw -q table ja00natted delete 192.168.2.0/24 fd00:2::/64   if there is the ipfw table ja00natted 192.168.2.0/24
#   /sbin/ipfw -q table ja00gw delete 192.168.2.1/32 fd00:2::1/128   if there is the ipfw table ja00gw 192.168.2.1/32
#   /sbin/ipfw -q table ja00nets delete 192.168.2.0/24 fd00:2::/64   if there is the ipfw table ja00nets 192.168.2.0/24
