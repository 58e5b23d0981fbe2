#### jailadmin init --storage zfs:tank/jailadmin
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

#### jailadmin template create base --from src:/usr/src --mount /usr/ports,source=/usr/ports --run 'make -C /usr/ports/www/nginx install clean BATCH=yes'
# make the template's directory
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/templates/base
# make the dataset that holds its versions
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001' tank/jailadmin/templates/base
# make an empty dataset for the template
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011' tank/jailadmin/templates/base/1
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/templates/base/1
# install what was built into it
/usr/bin/make -C /usr/src installworld DB_FROM_SRC=yes NO_FSCHG=yes DESTDIR=/var/db/jailadmin/pool/templates/base/1
# install the files of /etc
/usr/bin/make -C /usr/src distribution DB_FROM_SRC=yes NO_FSCHG=yes DESTDIR=/var/db/jailadmin/pool/templates/base/1
# name its resolver
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/templates/base/1 --mode 0644 --uid 0 --gid 0 etc/resolv.conf <<'END'
nameserver 10.66.0.1
search default.internal
END
# make its runtime directory
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/jails/0
# let the rules know it
/sbin/ipfw -q table ja00nics add ja000n0 10000
/sbin/ipfw -q table ja00src add 10.66.0.2/32 10000 fe80::a4c4:aaff:fee9:a03b/128 10000
# make the pair ja000n0 and epair10000b, one end in the bridge ja00br0
/sbin/ifconfig epair10000 create name ja000n0
# say whose it is, and use it
/sbin/ifconfig ja000n0 description 'jailadmin dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000001' up
# set the jail's MAC, before the interface moves
/sbin/ifconfig epair10000b ether a6:c4:aa:e9:a0:3b
# put the host's end into the bridge, for this MAC alone
/sbin/ifconfig ja00br0 addm ja000n0 static ja000n0 a6:c4:aa:e9:a0:3b ifmaxaddr ja000n0 1
# tell the host where its addresses are
/usr/sbin/arp -s 10.66.0.2 a6:c4:aa:e9:a0:3b
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1 /dev
# give it its devices
/sbin/mount -t devfs -o ruleset=4 devfs /var/db/jailadmin/pool/templates/base/1/dev
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1 /tmp
# give it a /tmp that is no part of the tree
/sbin/mount -t tmpfs -o mode=1777 tmpfs /var/db/jailadmin/pool/templates/base/1/tmp
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1 /usr/ports
# mount what it asks for
/sbin/mount -t nullfs /usr/ports /var/db/jailadmin/pool/templates/base/1/usr/ports
# make the jail
/usr/sbin/jail -c name=build path=/var/db/jailadmin/pool/templates/base/1 host.hostname=build host.hostuuid=bbbbbbbb-0000-4000-8000-000000000001 persist enforce_statfs=2 devfs_ruleset=4 children.max=0 vnet vnet.interface=epair10000b allow.raw_sockets
# note which jail of the kernel it is
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/jails/0/pid <<'END'
build /var/db/jailadmin/pool/templates/base/1
END
# give its loopback interface an address
/usr/sbin/jexec build /sbin/ifconfig lo0 inet 127.0.0.1/8 up
# give its interfaces their addresses
/usr/sbin/jexec build /sbin/ifconfig epair10000b inet 10.66.0.2/16 alias up
# tell it where its gateway is
/usr/sbin/jexec build /usr/sbin/arp -s 10.66.0.1 26:ab:25:76:9a:44
# tell it the ways to elsewhere
/usr/sbin/jexec build /sbin/route -n add default 10.66.0.1
# tell network default its name
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/dns/default.d/build <<'END'
10.66.0.2 build.default.internal build
END
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /var/run/jailadmin-00/jails/0/applied.json <<'END'
{
 "name": "build",
 "uuid": "bbbbbbbb-0000-4000-8000-000000000001",
 "slot": 0,
 "nics": [
  {
   "label": "eth0",
   "network": "default",
   "assigned": [
    "10.66.0.2/16"
   ],
   "unit": 10000
  }
 ],
 "mounts": [
  {
   "target": "/usr/ports",
   "source": "/usr/ports"
  }
 ]
}
END
# keep packages from starting services
/usr/sbin/jexec build /bin/sh -c 'if command -v dpkg >/dev/null && [ -d /usr/sbin ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '\''#!/bin/sh\n# jailadmin\nexit 101\n'\'' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
fi
'
# run in it: make -C /usr/ports/www/nginx install clean BATCH=yes
/usr/sbin/jexec build /bin/sh -c 'make -C /usr/ports/www/nginx install clean BATCH=yes'
# take away what is only for the installation
/usr/sbin/jexec build /bin/sh -c 'if [ "$(sed -n 2p /usr/sbin/policy-rc.d 2>/dev/null)" = '\''# jailadmin'\'' ]; then rm /usr/sbin/policy-rc.d; fi
if command -v apt-get >/dev/null; then apt-get clean; rm -rf /var/lib/apt/lists/*; fi
if command -v dnf >/dev/null; then dnf -q clean all; fi
if [ -x /usr/local/sbin/pkg ]; then pkg clean -aqy; rm -rf /var/db/pkg/repos /var/db/pkg/repo-*; fi
'
# end it, with all of its processes
/usr/sbin/jailadmin host jail-remove build /var/db/jailadmin/pool/templates/base/1
# let network default forget its name
/usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.d/build
# remove its interfaces
/usr/sbin/jailadmin host link-remove ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000001'
# let the host forget where its addresses were
/usr/sbin/arp -d 10.66.0.2
# let the rules forget it
/sbin/ipfw -q table ja00nics delete ja000n0
/sbin/ipfw -q table ja00src delete 10.66.0.2/32 fe80::a4c4:aaff:fee9:a03b/128
# wait until the kernel has let go of it
/usr/sbin/jailadmin host jail-wait build /var/db/jailadmin/pool/templates/base/1
# undo what is mounted in it, which the kernel leaves
/usr/sbin/jailadmin host unmount --below /var/db/jailadmin/pool/templates/base/1
# remove its runtime directory
/usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0
# take out what must be one jail's own
/usr/sbin/jailadmin host template-clean /var/db/jailadmin/pool/templates/base/1
# seal the version: read-only from now on
/usr/sbin/jailadmin host zfs-unmount tank/jailadmin/templates/base/1
/sbin/zfs snapshot tank/jailadmin/templates/base/1@sealed
/sbin/zfs set readonly=on tank/jailadmin/templates/base/1
# mount it again
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/templates/base/1
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/templates/base/spec.json <<'END'
{
 "name": "base",
 "uuid": "bbbbbbbb-0000-4000-8000-000000000001",
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "source": "src:/usr/src",
 "current": "1",
 "versions": [
  {
   "version": "1",
   "uuid": "bbbbbbbb-0000-4000-8000-000000000011",
   "created": "2026-01-01T00:00:00.000Z"
  }
 ]
}
END
# record the template
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin template base <<'END'
{
 "name": "base",
 "uuid": "bbbbbbbb-0000-4000-8000-000000000001",
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "source": "src:/usr/src",
 "current": "1",
 "versions": [
  {
   "version": "1",
   "uuid": "bbbbbbbb-0000-4000-8000-000000000011",
   "created": "2026-01-01T00:00:00.000Z"
  }
 ]
}
END

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/spec.json
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base/1@sealed 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'   if there is the dataset tank/jailadmin/templates/base/1@sealed
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.d/build
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/pid
#   /usr/sbin/jailadmin host jail-remove build /var/db/jailadmin/pool/templates/base/1   if there is the jail build
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1/usr/ports   if there is the mount /var/db/jailadmin/pool/templates/base/1/usr/ports
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1/tmp   if there is the mount /var/db/jailadmin/pool/templates/base/1/tmp
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1/dev   if there is the mount /var/db/jailadmin/pool/templates/base/1/dev
#   /usr/sbin/arp -d 10.66.0.2   if there is the neighbour 10.66.0.2 ja00br0
#   /usr/sbin/jailadmin host link-remove --made-as epair10000a ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000001'
#   /sbin/ipfw -q table ja00src delete 10.66.0.2/32 fe80::a4c4:aaff:fee9:a03b/128   if there is the ipfw table ja00src 10.66.0.2/32
#   /sbin/ipfw -q table ja00nics delete ja000n0   if there is the ipfw table ja00nics ja000n0
#   /usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0   if there is the path /var/run/jailadmin-00/jails/0
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base/1 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'   if there is the dataset tank/jailadmin/templates/base/1
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/templates/base
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/templates/base   if there is the path /var/db/jailadmin/pool/templates/base

#### jailadmin create web1 --template base
# make the jail's dataset, for its spec and log
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/jails/web1
# make the datasets that hold its trees
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1/root
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1/vol
# clone the template base@1
/sbin/zfs clone -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/templates/base/1@sealed tank/jailadmin/jails/web1/root/default
# make the jail's volumes
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1/vol/data
# mount the jail's trees
/usr/sbin/jailadmin host zfs-mount --below tank/jailadmin/jails/web1
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/spec.json <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "nics": [
  {
   "label": "eth0",
   "network": "default",
   "assigned": [
    "10.66.0.2/16"
   ],
   "unit": 10000
  }
 ],
 "volumes": [
  {
   "name": "data",
   "target": "/data"
  }
 ],
 "limits": {
  "memory": 268435456,
  "processes": 100
 }
}
END
# record the jail
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin jail web1 <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "nics": [
  {
   "label": "eth0",
   "network": "default",
   "assigned": [
    "10.66.0.2/16"
   ],
   "unit": 10000
  }
 ],
 "volumes": [
  {
   "name": "data",
   "target": "/data"
  }
 ],
 "limits": {
  "memory": 268435456,
  "processes": 100
 }
}
END

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/vol/data 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/vol/data
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root/default 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root/default
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/vol 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/vol
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1

#### jailadmin start web1
# name it and its addresses
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web1/root/default --mode 0644 --uid 0 --gid 0 etc/hosts <<'END'
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
10.66.0.2 web1.default.internal web1
END
# name its resolver
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web1/root/default --mode 0644 --uid 0 --gid 0 etc/resolv.conf <<'END'
nameserver 10.66.0.1
search default.internal
END
# make its runtime directory
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/jails/0
# let the rules know it
/sbin/ipfw -q table ja00nics add ja000n0 10000
/sbin/ipfw -q table ja00src add 10.66.0.2/32 10000 fe80::86c:5aff:fe7b:df17/128 10000
# make the pair ja000n0 and epair10000b, one end in the bridge ja00br0
/sbin/ifconfig epair10000 create name ja000n0
# say whose it is, and use it
/sbin/ifconfig ja000n0 description 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' up
# set the jail's MAC, before the interface moves
/sbin/ifconfig epair10000b ether 0a:6c:5a:7b:df:17
# put the host's end into the bridge, for this MAC alone
/sbin/ifconfig ja00br0 addm ja000n0 static ja000n0 0a:6c:5a:7b:df:17 ifmaxaddr ja000n0 1
# tell the host where its addresses are
/usr/sbin/arp -s 10.66.0.2 0a:6c:5a:7b:df:17
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/jails/web1/root/default /dev
# give it its devices
/sbin/mount -t devfs -o ruleset=4 devfs /var/db/jailadmin/pool/jails/web1/root/default/dev
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/jails/web1/root/default /data
# mount what it asks for
/sbin/mount -t nullfs /var/db/jailadmin/pool/jails/web1/vol/data /var/db/jailadmin/pool/jails/web1/root/default/data
# limit it
/usr/bin/rctl -a jail:web1:memoryuse:sigkill=268435456 jail:web1:nthr:deny=100
# make the jail
/usr/sbin/jail -c name=web1 path=/var/db/jailadmin/pool/jails/web1/root/default host.hostname=web1 host.hostuuid=cccccccc-0000-4000-8000-000000000001 persist enforce_statfs=2 devfs_ruleset=4 children.max=0 vnet vnet.interface=epair10000b allow.raw_sockets
# note which jail of the kernel it is
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/jails/0/pid <<'END'
web1 /var/db/jailadmin/pool/jails/web1/root/default
END
# give its loopback interface an address
/usr/sbin/jexec web1 /sbin/ifconfig lo0 inet 127.0.0.1/8 up
# give its interfaces their addresses
/usr/sbin/jexec web1 /sbin/ifconfig epair10000b inet 10.66.0.2/16 alias up
# tell it where its gateway is
/usr/sbin/jexec web1 /usr/sbin/arp -s 10.66.0.1 26:ab:25:76:9a:44
# tell it the ways to elsewhere
/usr/sbin/jexec web1 /sbin/route -n add default 10.66.0.1
# tell network default its name
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/dns/default.d/web1 <<'END'
10.66.0.2 web1.default.internal web1
END
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /var/run/jailadmin-00/jails/0/applied.json <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "nics": [
  {
   "label": "eth0",
   "network": "default",
   "assigned": [
    "10.66.0.2/16"
   ],
   "unit": 10000
  }
 ],
 "volumes": [
  {
   "name": "data",
   "target": "/data"
  }
 ],
 "limits": {
  "memory": 268435456,
  "processes": 100
 }
}
END
# run its start script
/usr/sbin/jailadmin host jail-run --jail /var/run/jailadmin-00/jails/0/pid --log /var/db/jailadmin/pool/jails/web1/console.log --log-limit 1048576 -- /bin/sh /etc/rc
# it is wanted running from now on
/usr/sbin/jailadmin host store-set --state /var/db/jailadmin jail web1 wanted=running

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.d/web1
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/pid
#   /usr/sbin/jailadmin host jail-remove web1 /var/db/jailadmin/pool/jails/web1/root/default   if there is the jail web1
#   /usr/bin/rctl -r jail:web1   if there is the rctl jail:web1
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/jails/web1/root/default/data   if there is the mount /var/db/jailadmin/pool/jails/web1/root/default/data
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/jails/web1/root/default/dev   if there is the mount /var/db/jailadmin/pool/jails/web1/root/default/dev
#   /usr/sbin/arp -d 10.66.0.2   if there is the neighbour 10.66.0.2 ja00br0
#   /usr/sbin/jailadmin host link-remove --made-as epair10000a ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'
#   /sbin/ipfw -q table ja00src delete 10.66.0.2/32 fe80::86c:5aff:fe7b:df17/128   if there is the ipfw table ja00src 10.66.0.2/32
#   /sbin/ipfw -q table ja00nics delete ja000n0   if there is the ipfw table ja00nics ja000n0
#   /usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0   if there is the path /var/run/jailadmin-00/jails/0
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web1/root/default etc/resolv.conf
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web1/root/default etc/hosts
