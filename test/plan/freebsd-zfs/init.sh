# register the instance, with numbers of its own
/usr/sbin/jailadmin host instance-register 00 <<'END'
{
 "os": "freebsd",
 "storage": "zfs",
 "loop": false,
 "idmap": true,
 "slots": 4096,
 "uid_base": 1879048192,
 "shared_base": 0,
 "unit_base": 10000,
 "rule_base": 20000,
 "set": 1,
 "nat_base": 20000,
 "ruleset_base": 1000,
 "tag": "00",
 "uuid": "dddddddd-0000-4000-8000-000000000001",
 "epoch": "",
 "run": "/var/run/jailadmin-00",
 "pool": "/var/db/jailadmin/pool",
 "source": "tank/jailadmin",
 "state": "/var/db/jailadmin"
}
END
# make the state directory and the store
/usr/sbin/jailadmin host store-create --state /var/db/jailadmin <<'END'
{
 "os": "freebsd",
 "storage": "zfs",
 "loop": false,
 "idmap": true,
 "slots": 4096,
 "uid_base": 1879048192,
 "shared_base": 0,
 "unit_base": 10000,
 "rule_base": 20000,
 "set": 1,
 "nat_base": 20000,
 "ruleset_base": 1000,
 "tag": "00",
 "uuid": "dddddddd-0000-4000-8000-000000000001",
 "epoch": "",
 "run": "/var/run/jailadmin-00",
 "pool": "/var/db/jailadmin/pool",
 "source": "tank/jailadmin"
}
END
# make the runtime directories
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/jails
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/dns
# make the pool's mount point
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool
# make the dataset of the pool
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001' -o mountpoint=/var/db/jailadmin/pool -o atime=off tank/jailadmin
# make the datasets that hold templates, jails, and what is deleted
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001' tank/jailadmin/templates
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001' tank/jailadmin/jails
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001' -o mountpoint=none tank/jailadmin/deleted
# mount the pool and all trees in it
/usr/sbin/jailadmin host zfs-mount --below tank/jailadmin
# make the pool's directories
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/templates
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails
# make the directory of what `adopt` needs
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/instance
# note which instance the pool belongs to
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/instance/site.json <<'END'
{
 "os": "freebsd",
 "storage": "zfs",
 "loop": false,
 "idmap": true,
 "slots": 4096,
 "uid_base": 1879048192,
 "shared_base": 0,
 "unit_base": 10000,
 "rule_base": 20000,
 "set": 1,
 "nat_base": 20000,
 "ruleset_base": 1000,
 "tag": "00",
 "uuid": "dddddddd-0000-4000-8000-000000000001",
 "epoch": "",
 "run": "/var/run/jailadmin-00",
 "pool": "/var/db/jailadmin/pool",
 "source": "tank/jailadmin"
}
END
# load what bridges need
/sbin/kldload -n if_bridge
# load what pairs need
/sbin/kldload -n if_epair
# let ipfw accept by default, before it is loaded
/bin/kenv net.inet.ip.fw.default_to_accept=1
# load ipfw
/sbin/kldload -n ipfw
# load its address translation
/sbin/kldload -n ipfw_nat
# filter what passes through bridges; counted, and put back by the last
/usr/sbin/jailadmin host setting acquire 00 net.link.bridge.pfil_member 1
/usr/sbin/jailadmin host setting acquire 00 net.link.bridge.pfil_local_phys 1
/usr/sbin/jailadmin host setting acquire 00 net.link.bridge.pfil_bridge 0
/usr/sbin/jailadmin host setting acquire 00 net.inet.ip.fw.one_pass 0
# make the tables that the rules look into
/sbin/ipfw table ja00nics create type iface
/sbin/ipfw table ja00src create type addr
/sbin/ipfw table ja00any create type iface
/sbin/ipfw table ja00dhcp create type iface
/sbin/ipfw table ja00nets create type addr
/sbin/ipfw table ja00gw create type addr
/sbin/ipfw table ja00natted create type addr
/sbin/ipfw table ja00members create type iface
/sbin/ipfw table ja00alone create type addr
/sbin/ipfw table ja00tcp create type number
/sbin/ipfw table ja00udp create type number
/sbin/ipfw table ja00rules create type addr
/sbin/ipfw table ja00shin create type addr
/sbin/ipfw table ja00shout create type addr
# say what jails may reach, and what they may send
/sbin/ipfw -q /dev/stdin <<'END'
add 20449 set 1 deny ip4 from any to me in recv ja00*
add 20448 set 1 allow ip4 from any to me in recv ja00* tagged 39999
add 20000 set 1 count untag tablearg ip from any to table(ja00shout) via lo0
add 20000 set 1 count tag tablearg ip from table(ja00shout) to any via lo0
add 20000 set 1 skipto 20058 ip from any to table(ja00shout) via lo0 tagged tablearg
add 20000 set 1 pipe tablearg ip from table(ja00shout) to any out not xmit ja00[0-9]*
add 20000 set 1 skipto 20058 ip from any to any not via ja00* not recv ja00*
add 20001 set 1 allow ip from any to any out recv ja00* xmit ja00[0-9]*
add 20002 set 1 skipto 20016 ip from any to any not recv ja00[0-9]*
add 20003 set 1 skipto 20016 ip from any to any out
add 20004 set 1 deny udp from any 67,547 to any
add 20005 set 1 deny ipv6-icmp from any to any icmp6types 134,137
add 20006 set 1 count tag tablearg ip from any to any recv table(ja00nics)
add 20007 set 1 skipto 20016 ip from table(ja00src) to any tagged tablearg
add 20008 set 1 skipto 20016 ipv6-icmp from :: to any icmp6types 131,132,133,135,143
add 20009 set 1 skipto 20016 udp from 0.0.0.0 68 to 255.255.255.255 67 recv table(ja00dhcp)
add 20010 set 1 deny ip from me to any
add 20011 set 1 skipto 20016 ip from any to any recv table(ja00any)
add 20012 set 1 deny ip from any to any
add 20016 set 1 skipto 20100 ip4 from me to me out xmit ja00br*
add 20017 set 1 deny ip4 from any to table(ja00alone) out recv ja00* xmit ja00br* tagged tablearg
add 20018 set 1 skipto 20100 ip4 from any to any out recv ja00* xmit ja00br* tagged 41000-41015
add 20020 set 1 check-state :ja00
add 20021 set 1 allow ip from me to any out xmit ja00br* keep-state :ja00
add 20022 set 1 deny ip from any to 169.254.169.254 in recv ja00*
add 20023 set 1 deny ip6 from any to fd00:ec2::254 in recv ja00*
add 20024 set 1 count tag tablearg ip from table(ja00nets) to any in recv ja00*
add 20024 set 1 skipto 20025 icmp from any to any in recv ja00* icmptypes 3,11,12
add 20024 set 1 skipto 20025 ipv6-icmp from any to any in recv ja00* icmp6types 1,2,3,4,131,132,133,135,136,143
add 20024 set 1 skipto 20025 udp from any 68 to any 67 in recv table(ja00dhcp)
add 20024 set 1 skipto 20025 ip from any to table(ja00nets) in recv ja00* tagged tablearg not dst-ip me
add 20024 set 1 call tablearg ip from table(ja00rules) to any in recv ja00*
add 20025 set 1 allow udp from any to table(ja00gw) 53 in recv ja00* tagged tablearg
add 20026 set 1 allow tcp from any to table(ja00gw) 53 in recv ja00* tagged tablearg
add 20027 set 1 allow icmp from any to table(ja00gw) in recv ja00* icmptypes 8 tagged tablearg
add 20028 set 1 allow ipv6-icmp from any to table(ja00gw) in recv ja00* icmp6types 128 tagged tablearg
add 20029 set 1 allow icmp from any to me in recv ja00* icmptypes 3,11,12
add 20030 set 1 allow ipv6-icmp from any to me in recv ja00* icmp6types 1,2,3,4,135,136
add 20031 set 1 allow ipv6-icmp from any to ff02::/16 in recv ja00* icmp6types 131,132,133,135,136,143
add 20032 set 1 allow udp from any 68 to me 67 in recv table(ja00dhcp)
add 20033 set 1 allow udp from any 68 to 255.255.255.255 67 in recv table(ja00dhcp)
add 20033 set 1 allow ip6 from any to me in recv ja00* tagged 39999
add 20033 set 1 skipto 20100 ip6 from me to me in recv ja00br*
add 20034 set 1 fwd 127.0.0.1 ip4 from me to me in recv ja00* tagged 41100
add 20035 set 1 allow ip4 from any to table(ja00nets) in recv ja00* tagged 41000-41015
add 20036 set 1 skipto 20100 ip4 from any to me in recv ja00*
add 20037 set 1 deny ip from any to me in recv ja00*
add 20038 set 1 allow ip from any to table(ja00nets) in recv ja00[0-9]* tagged tablearg
add 20038 set 1 skipto 20039 ip from any to table(ja00nets) in recv ja00* tagged tablearg
add 20038 set 1 call tablearg ip from any to table(ja00rules) in recv ja00*
add 20039 set 1 allow ip from any to table(ja00nets) in recv ja00* tagged 39999 keep-state :ja00
add 20039 set 1 deny ip from any to table(ja00nets) in recv ja00*
add 20040 set 1 deny ip from any to any out recv ja00* xmit ja00br*
add 20041 set 1 deny ip4 from any to 224.0.0.0/4,255.255.255.255 in recv ja00br*
add 20042 set 1 deny ip6 from any to ff00::/8 in recv ja00br*
add 20043 set 1 allow ip4 from any to 224.0.0.0/4,255.255.255.255 in recv ja00[0-9]*
add 20044 set 1 allow ip6 from any to ff00::/8 in recv ja00[0-9]*
add 20045 set 1 allow ip6 from any to fe80::/10 in recv ja00[0-9]*
add 20046 set 1 allow ip6 from table(ja00natted) to any out recv ja00* keep-state :ja00
add 20047 set 1 skipto 20100 ip from table(ja00rules) to any in recv ja00* keep-state :ja00
add 20048 set 1 skipto 20100 icmp from any to any out not recv ja00* xmit ja00br* icmptypes 3,11,12
add 20048 set 1 skipto 20100 ipv6-icmp from any to any out not recv ja00* xmit ja00br* icmp6types 1,2,3,4
add 20048 set 1 call tablearg ip from any to table(ja00rules) out not recv ja00* xmit ja00br*
add 20049 set 1 skipto 20100 ip from any to table(ja00rules) out not recv ja00* xmit ja00br* keep-state :ja00
add 20058 set 1 check-state :ja00
add 20058 set 1 skipto 20100 ip from any to any recv table(ja00members)
add 20058 set 1 call tablearg ip from any to table(ja00rules) in not recv ja00* not recv lo0
add 20059 set 1 skipto 20100 ip from any to any recv table(ja00members)
add 20059 set 1 skipto 20499 ip from any to table(ja00rules) in not recv ja00* tagged 39999 keep-state :ja00
add 20060 set 1 skipto 20100 ipv6-icmp from any to table(ja00natted) in not recv ja00* icmp6types 1,2,3,4
add 20060 set 1 deny ip from any to table(ja00natted) in not recv ja00* not recv lo0
add 20061 set 1 skipto 20100 ip from any to any
add 20098 set 1 return ip from any to any
add 20450 set 1 deny ip4 from table(ja00natted) to not table(ja00nets) out not xmit ja00* not xmit lo0
add 20499 set 1 skipto 20500 ip from table(ja00shout) to table(ja00shout) in tagged tablearg
add 20499 set 1 pipe tablearg ip from any to table(ja00shin) in not recv ja00[0-9]*
END
# let the rules know it
/sbin/ipfw -q table ja00nets add 10.66.0.0/16 40000
/sbin/ipfw -q table ja00gw add 10.66.0.1/32 40000
/sbin/ipfw -q table ja00natted add 10.66.0.0/16 0
# make the tables that the rules look into
/sbin/ipfw table ja00nat0 create type addr
# let the rules know it
/sbin/ipfw -q table ja00nat0 add 10.66.0.0/16 0
# translate addresses to those of vtnet0
/usr/sbin/jailadmin host nat-config /var/run/jailadmin-00 20000 vtnet0
# let the host itself reach what is forwarded from vtnet0
/usr/sbin/jailadmin host nat-config --back /var/run/jailadmin-00 20016 vtnet0
# translate what jails send, and what is for them
/sbin/ipfw -q /dev/stdin <<'END'
add 20100 set 1 nat 20000 ip4 from table(ja00nat0) to not table(ja00nets) out xmit vtnet0
add 20101 set 1 nat 20000 ip4 from any to me in recv vtnet0
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
# make the bridge ja00br0 of network default
/sbin/ifconfig bridge10000 create name ja00br0
# give it the MAC by which jails know their gateway
/sbin/ifconfig ja00br0 ether 26:ab:25:76:9a:44
# say whose it is, and use it
/sbin/ifconfig ja00br0 description 'jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000001' up
# give it the gateway's address
/sbin/ifconfig ja00br0 inet 10.66.0.1/16 alias
# let the host forward; counted, and put back by the last
/usr/sbin/jailadmin host setting acquire 00 net.inet.ip.forwarding 1
# make the directory of its jails' names
/usr/sbin/jailadmin host mkdir --mode 0755 /var/run/jailadmin-00/dns/default.d
# set up the resolver of network default
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/dns/default.conf <<'END'
# names of network default; written by jailadmin, do not edit
user=nobody
bind-interfaces
listen-address=10.66.0.1
no-hosts
hostsdir=/var/run/jailadmin-00/dns/default.d
domain=default.internal
local=/default.internal/
domain-needed
rev-server=10.66.0.0/16
END
# start the resolver of network default
/usr/local/sbin/dnsmasq --conf-file=/var/run/jailadmin-00/dns/default.conf --pid-file=/var/run/jailadmin-00/dns/default.pid
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/instance/default.network.json <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "state": "ready",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.1/16"
 ]
}
END
# record the network
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin network default <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "state": "ready",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.1/16"
 ]
}
END
# the instance is complete
/usr/sbin/jailadmin host store-setting --state /var/db/jailadmin ready yes

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/default.network.json
#   /usr/sbin/jailadmin host daemon-stop /var/run/jailadmin-00/dns/default.pid dnsmasq
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.conf
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00/dns/default.d   if there is the path /var/run/jailadmin-00/dns/default.d
#   /usr/sbin/jailadmin host setting release 00 net.inet.ip.forwarding
#   /usr/sbin/jailadmin host link-remove --made-as bridge10000 ja00br0 'jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000001'
#   /sbin/ipfw -q delete 20100 20101 20102 20103 20104 20105 20106 20107 20108 20451 20452 20453   if there is the ipfw rule 20100
#   /sbin/ipfw -q nat 20016 delete   if there is the ipfw nat 20016
#   /sbin/ipfw -q nat 20000 delete   if there is the ipfw nat 20000
#   /sbin/ipfw -q table ja00nat0 delete 10.66.0.0/16   if there is the ipfw table ja00nat0 10.66.0.0/16
#   /sbin/ipfw table ja00nat0 destroy   if there is the ipfw table ja00nat0
#   /sbin/ipfw -q table ja00natted delete 10.66.0.0/16   if there is the ipfw table ja00natted 10.66.0.0/16
#   /sbin/ipfw -q table ja00gw delete 10.66.0.1/32   if there is the ipfw table ja00gw 10.66.0.1/32
#   /sbin/ipfw -q table ja00nets delete 10.66.0.0/16   if there is the ipfw table ja00nets 10.66.0.0/16
#   /sbin/ipfw -q delete 20449 20448 20000 20001 20002 20003 20004 20005 20006 20007 20008 20009 20010 20011 20012 20016 20017 20018 20020 20021 20022 20023 20024 20025 20026 20027 20028 20029 20030 20031 20032 20033 20034 20035 20036 20037 20038 20039 20040 20041 20042 20043 20044 20045 20046 20047 20048 20049 20058 20059 20060 20061 20098 20450 20499   if there is the ipfw rule 20449
#   /sbin/ipfw table ja00shout destroy   if there is the ipfw table ja00shout
#   /sbin/ipfw table ja00shin destroy   if there is the ipfw table ja00shin
#   /sbin/ipfw table ja00rules destroy   if there is the ipfw table ja00rules
#   /sbin/ipfw table ja00udp destroy   if there is the ipfw table ja00udp
#   /sbin/ipfw table ja00tcp destroy   if there is the ipfw table ja00tcp
#   /sbin/ipfw table ja00alone destroy   if there is the ipfw table ja00alone
#   /sbin/ipfw table ja00members destroy   if there is the ipfw table ja00members
#   /sbin/ipfw table ja00natted destroy   if there is the ipfw table ja00natted
#   /sbin/ipfw table ja00gw destroy   if there is the ipfw table ja00gw
#   /sbin/ipfw table ja00nets destroy   if there is the ipfw table ja00nets
#   /sbin/ipfw table ja00dhcp destroy   if there is the ipfw table ja00dhcp
#   /sbin/ipfw table ja00any destroy   if there is the ipfw table ja00any
#   /sbin/ipfw table ja00src destroy   if there is the ipfw table ja00src
#   /sbin/ipfw table ja00nics destroy   if there is the ipfw table ja00nics
#   /usr/sbin/jailadmin host setting release 00 net.inet.ip.fw.one_pass
#   /usr/sbin/jailadmin host setting release 00 net.link.bridge.pfil_bridge
#   /usr/sbin/jailadmin host setting release 00 net.link.bridge.pfil_local_phys
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/site.json
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/instance   if there is the path /var/db/jailadmin/pool/instance
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails   if there is the path /var/db/jailadmin/pool/jails
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/templates   if there is the path /var/db/jailadmin/pool/templates
#   /usr/sbin/jailadmin host zfs-unmount tank/jailadmin   if there is the mount /var/db/jailadmin/pool
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/deleted 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/deleted
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/templates
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool   if there is the path /var/db/jailadmin/pool
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00/dns   if there is the path /var/run/jailadmin-00/dns
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00/jails   if there is the path /var/run/jailadmin-00/jails
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00   if there is the path /var/run/jailadmin-00
