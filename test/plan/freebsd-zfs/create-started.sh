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
# make its log
/usr/sbin/jailadmin host write --mode 0600 /var/db/jailadmin/pool/jails/web1/console.log
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
# run its start script
/usr/sbin/jailadmin host jail-run --jail /var/run/jailadmin-00/jails/0/pid --log /var/db/jailadmin/pool/jails/web1/console.log --log-limit 1048576 -- /bin/sh /etc/rc
# record the jail
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin jail web1 <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "state": "ready",
 "wanted": "running",
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
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/console.log
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/vol/data 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/vol/data
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root/default 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root/default
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/vol 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/vol
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1
