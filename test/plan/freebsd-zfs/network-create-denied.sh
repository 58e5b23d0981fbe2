# filter what passes through bridges; counted, and put back by the last
/usr/sbin/jailadmin host setting acquire 00 net.link.bridge.pfil_member 1
/usr/sbin/jailadmin host setting acquire 00 net.link.bridge.pfil_local_phys 1
/usr/sbin/jailadmin host setting acquire 00 net.link.bridge.pfil_bridge 0
/usr/sbin/jailadmin host setting acquire 00 net.inet.ip.fw.one_pass 0
# make the tables that the rules look into
/sbin/ipfw table ja00alone create type addr
/sbin/ipfw table ja00tcp create type number
/sbin/ipfw table ja00udp create type number
/sbin/ipfw table ja00shin create type addr
/sbin/ipfw table ja00shout create type addr
# say what jails may reach, and what they may send
/sbin/ipfw -q /dev/stdin <<'END'
add 20449 set 1 deny ip4 from any to me in recv ja00*
add 20448 set 1 allow ip4 from any to me in recv ja00* tagged 39999
delete 20000
add 20000 set 1 count untag tablearg ip from any to table(ja00shout) via lo0
add 20000 set 1 count tag tablearg ip from table(ja00shout) to any via lo0
add 20000 set 1 skipto 20058 ip from any to table(ja00shout) via lo0 tagged tablearg
add 20000 set 1 pipe tablearg ip from table(ja00shout) to any out not xmit ja00[0-9]*
add 20000 set 1 skipto 20058 ip from any to any not via ja00* not recv ja00*
add 20016 set 1 skipto 20100 ip4 from me to me out xmit ja00br*
add 20017 set 1 deny ip4 from any to table(ja00alone) out recv ja00* xmit ja00br* tagged tablearg
add 20018 set 1 skipto 20100 ip4 from any to any out recv ja00* xmit ja00br* tagged 41000-41015
delete 20033
add 20033 set 1 allow udp from any 68 to 255.255.255.255 67 in recv table(ja00dhcp)
add 20033 set 1 allow ip6 from any to me in recv ja00* tagged 39999
add 20033 set 1 skipto 20100 ip6 from me to me in recv ja00br*
add 20034 set 1 fwd 127.0.0.1 ip4 from me to me in recv ja00* tagged 41100
add 20035 set 1 allow ip4 from any to table(ja00nets) in recv ja00* tagged 41000-41015
add 20036 set 1 skipto 20100 ip4 from any to me in recv ja00*
delete 20060
add 20060 set 1 skipto 20100 ipv6-icmp from any to table(ja00natted) in not recv ja00* icmp6types 1,2,3,4
add 20060 set 1 deny ip from any to table(ja00natted) in not recv ja00* not recv lo0
add 20499 set 1 skipto 20500 ip from table(ja00shout) to table(ja00shout) in tagged tablearg
add 20499 set 1 pipe tablearg ip from any to table(ja00shin) in not recv ja00[0-9]*
END
# let the rules know it
/sbin/ipfw -q table ja00nets add 192.168.2.0/24 40001 fd00:2::/64 40001
/sbin/ipfw -q table ja00gw add 192.168.2.1/32 40001 fd00:2::1/128 40001
/sbin/ipfw -q table ja00natted add 192.168.2.0/24 0 fd00:2::/64 0
/sbin/ipfw -q table ja00alone add 192.168.2.0/24 40001 fd00:2::/64 40001
/sbin/ipfw -q table ja00nat0 add 192.168.2.0/24 0
# let the host itself reach what is forwarded from vtnet0
/usr/sbin/jailadmin host nat-config --back /var/run/jailadmin-00 20016 vtnet0
# translate what jails send, and what is for them
/sbin/ipfw -q /dev/stdin <<'END'
add 20102 set 1 nat 20000 ip4 from any to me in recv ja00*
add 20102 set 1 call tablearg ip4 from any to table(ja00rules) in recv ja00*
add 20103 set 1 allow tag 41000 ip4 from any to table(ja00nets) not dst-ip me in recv ja00*
add 20104 set 1 nat 20000 ip4 from any to any out recv ja00* xmit ja00br* tagged 41000
add 20105 set 1 allow ip4 from any to any out recv ja00* xmit ja00br* tagged 41000
add 20106 set 1 nat 20016 tcp from me to me not dst-ip 127.0.0.0/8 lookup dst-port ja00tcp out
add 20107 set 1 nat 20016 udp from me to me not dst-ip 127.0.0.0/8 lookup dst-port ja00udp out
add 20108 set 1 skipto 20451 ip4 from me to table(ja00nets) not dst-ip me out keep-state :ja00
add 20451 set 1 allow ip4 from me to table(ja00nets) not dst-ip me out
add 20452 set 1 nat 20016 ip4 from table(ja00nets) to me in recv ja00*
add 20453 set 1 allow tag 41100 ip4 from me to me in recv ja00*
END
# make the bridge ja00br1 of network lan
/sbin/ifconfig bridge10001 create name ja00br1
# give it the MAC by which jails know their gateway
/sbin/ifconfig ja00br1 ether 32:9e:87:56:1c:e2
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
# warning: ipfw of this host denies by default: its own rules must let forwarded packets of jails pass

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/lan.network.json
#   /usr/sbin/jailadmin host daemon-stop /var/run/jailadmin-00/dns/lan.pid dnsmasq
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/lan.conf
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00/dns/lan.d   if there is the path /var/run/jailadmin-00/dns/lan.d
#   /usr/sbin/jailadmin host setting release 00 net.inet6.ip6.forwarding
#   /usr/sbin/jailadmin host link-remove --made-as bridge10001 ja00br1 'jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000002'
#   /sbin/ipfw -q delete 20102 20103 20104 20105 20106 20107 20108 20451 20452 20453   if there is the ipfw rule 20102
#   /sbin/ipfw -q nat 20016 delete   if there is the ipfw nat 20016
#   /sbin/ipfw -q table ja00nat0 delete 192.168.2.0/24   if there is the ipfw table ja00nat0 192.168.2.0/24
#   /sbin/ipfw -q table ja00alone delete 192.168.2.0/24 fd00:2::/64   if there is the ipfw table ja00alone 192.168.2.0/24
#   /sbin/ipfw -q table ja00natted delete 192.168.2.0/24 fd00:2::/64   if there is the ipfw table ja00natted 192.168.2.0/24
#   /sbin/ipfw -q table ja00gw delete 192.168.2.1/32 fd00:2::1/128   if there is the ipfw table ja00gw 192.168.2.1/32
#   /sbin/ipfw -q table ja00nets delete 192.168.2.0/24 fd00:2::/64   if there is the ipfw table ja00nets 192.168.2.0/24
#   /sbin/ipfw -q delete 20449 20448 20016 20017 20018 20034 20035 20036 20499   if there is the ipfw rule 20449
#   /sbin/ipfw table ja00shout destroy   if there is the ipfw table ja00shout
#   /sbin/ipfw table ja00shin destroy   if there is the ipfw table ja00shin
#   /sbin/ipfw table ja00udp destroy   if there is the ipfw table ja00udp
#   /sbin/ipfw table ja00tcp destroy   if there is the ipfw table ja00tcp
#   /sbin/ipfw table ja00alone destroy   if there is the ipfw table ja00alone
