# name it and its addresses
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web2/root/default --mode 0644 --uid 0 --gid 0 etc/hosts <<'END'
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
10.66.0.3 web2.default.internal web2
192.168.2.2 web2.lan.internal web2
fd00:2::2 web2.lan.internal web2
END
# name its resolver
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web2/root/default --mode 0644 --uid 0 --gid 0 etc/resolv.conf <<'END'
nameserver 10.66.0.1
nameserver 192.168.2.1
search default.internal lan.internal
END
# make its runtime directory
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/jails/1
# let the rules know it
/sbin/ipfw -q table ja00nics add ja001n0 10001
/sbin/ipfw -q table ja00src add 10.66.0.3/32 10001 fe80::e4bb:3cff:fe08:cce/128 10001
/sbin/ipfw -q table ja00nics add ja001n1 10002
/sbin/ipfw -q table ja00src add 192.168.2.2/32 10002 fd00:2::2/128 10002 fe80::b45c:2fff:fe96:574c/128 10002
# make the pair ja001n0 and epair10001b, one end in the bridge ja00br0
/sbin/ifconfig epair10001 create name ja001n0
# say whose it is, and use it
/sbin/ifconfig ja001n0 description 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002' up
# set the jail's MAC, before the interface moves
/sbin/ifconfig epair10001b ether e6:bb:3c:08:0c:ce
# put the host's end into the bridge, for this MAC alone
/sbin/ifconfig ja00br0 addm ja001n0 static ja001n0 e6:bb:3c:08:0c:ce ifmaxaddr ja001n0 1
# make the pair ja001n1 and epair10002b, one end in the bridge ja00br1
/sbin/ifconfig epair10002 create name ja001n1
# say whose it is, and use it
/sbin/ifconfig ja001n1 description 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002' up
# set the jail's MAC, before the interface moves
/sbin/ifconfig epair10002b ether b6:5c:2f:96:57:4c
# put the host's end into the bridge, for this MAC alone
/sbin/ifconfig ja00br1 addm ja001n1 static ja001n1 b6:5c:2f:96:57:4c ifmaxaddr ja001n1 1 private ja001n1
# tell the host where its addresses are
/usr/sbin/arp -s 10.66.0.3 e6:bb:3c:08:0c:ce
/usr/sbin/arp -s 192.168.2.2 b6:5c:2f:96:57:4c
/usr/sbin/ndp -s fd00:2::2 b6:5c:2f:96:57:4c
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/jails/web2/root/default /dev
# give it its devices
/sbin/mount -t devfs -o ruleset=4 devfs /var/db/jailadmin/pool/jails/web2/root/default/dev
# make the jail
/usr/sbin/jail -c name=web2 path=/var/db/jailadmin/pool/jails/web2/root/default host.hostname=web2 host.hostuuid=cccccccc-0000-4000-8000-000000000002 persist enforce_statfs=2 devfs_ruleset=4 children.max=0 vnet vnet.interface=epair10001b allow.raw_sockets
# note which jail of the kernel it is
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/jails/1/pid <<'END'
web2 /var/db/jailadmin/pool/jails/web2/root/default
END
# hand it its further interfaces
/sbin/ifconfig epair10002b vnet web2
# give its loopback interface an address
/usr/sbin/jexec web2 /sbin/ifconfig lo0 inet 127.0.0.1/8 up
# give its interfaces their addresses
/usr/sbin/jexec web2 /sbin/ifconfig epair10001b inet 10.66.0.3/16 alias up
# tell it where its gateway is
/usr/sbin/jexec web2 /usr/sbin/arp -s 10.66.0.1 26:ab:25:76:9a:44
# give its interfaces their addresses
/usr/sbin/jexec web2 /sbin/ifconfig epair10002b inet 192.168.2.2/24 alias up
/usr/sbin/jexec web2 /sbin/ifconfig epair10002b inet6 fd00:2::2/64 no_dad -ifdisabled up
# tell it where its gateway is
/usr/sbin/jexec web2 /usr/sbin/arp -s 192.168.2.1 32:9e:87:56:1c:e2
/usr/sbin/jexec web2 /usr/sbin/ndp -s fd00:2::1 32:9e:87:56:1c:e2
# tell it the ways to elsewhere
/usr/sbin/jexec web2 /sbin/route -n add default 10.66.0.1
/usr/sbin/jexec web2 /sbin/route -n add -inet6 default fd00:2::1
# tell network default its name
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/dns/default.d/web2 <<'END'
10.66.0.3 web2.default.internal web2
END
# tell network lan its name
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/dns/lan.d/web2 <<'END'
192.168.2.2 web2.lan.internal web2
fd00:2::2 web2.lan.internal web2
END
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /var/run/jailadmin-00/jails/1/applied.json <<'END'
{
 "name": "web2",
 "uuid": "cccccccc-0000-4000-8000-000000000002",
 "slot": 1,
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "nics": [
  {
   "label": "eth0",
   "network": "default",
   "assigned": [
    "10.66.0.3/16"
   ],
   "unit": 10001
  },
  {
   "label": "eth1",
   "network": "lan",
   "assigned": [
    "192.168.2.2/24",
    "fd00:2::2/64"
   ],
   "unit": 10002
  }
 ]
}
END
# run its start script
/usr/sbin/jailadmin host jail-run --jail /var/run/jailadmin-00/jails/1/pid --log /var/db/jailadmin/pool/jails/web2/console.log --log-limit 1048576 -- /bin/sh /etc/rc
# it is wanted running from now on
/usr/sbin/jailadmin host store-set --state /var/db/jailadmin jail web2 wanted=running

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/1/applied.json
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/lan.d/web2
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.d/web2
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/1/pid
#   /usr/sbin/jailadmin host jail-remove web2 /var/db/jailadmin/pool/jails/web2/root/default   if there is the jail web2
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/jails/web2/root/default/dev   if there is the mount /var/db/jailadmin/pool/jails/web2/root/default/dev
#   /usr/sbin/ndp -d fd00:2::2   if there is the neighbour fd00:2::2 ja00br1
#   /usr/sbin/arp -d 192.168.2.2   if there is the neighbour 192.168.2.2 ja00br1
#   /usr/sbin/arp -d 10.66.0.3   if there is the neighbour 10.66.0.3 ja00br0
#   /usr/sbin/jailadmin host link-remove --made-as epair10002a ja001n1 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002'
#   /usr/sbin/jailadmin host link-remove --made-as epair10001a ja001n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002'
#   /sbin/ipfw -q table ja00src delete 192.168.2.2/32 fd00:2::2/128 fe80::b45c:2fff:fe96:574c/128   if there is the ipfw table ja00src 192.168.2.2/32
#   /sbin/ipfw -q table ja00nics delete ja001n1   if there is the ipfw table ja00nics ja001n1
#   /sbin/ipfw -q table ja00src delete 10.66.0.3/32 fe80::e4bb:3cff:fe08:cce/128   if there is the ipfw table ja00src 10.66.0.3/32
#   /sbin/ipfw -q table ja00nics delete ja001n0   if there is the ipfw table ja00nics ja001n0
#   /usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/1   if there is the path /var/run/jailadmin-00/jails/1
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web2/root/default etc/resolv.conf
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web2/root/default etc/hosts
