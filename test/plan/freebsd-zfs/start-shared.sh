# name it and its addresses
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web1/root/default --mode 0644 --uid 0 --gid 0 etc/hosts <<'END'
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
10.66.0.2 web1.default.internal web1
END
# make its runtime directory
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/jails/0
# give the host the address that it shares with the jail
/sbin/ifconfig ja00br0 inet 10.66.0.2/32 alias
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
/usr/sbin/jail -c name=web1 path=/var/db/jailadmin/pool/jails/web1/root/default host.hostname=web1 host.hostuuid=cccccccc-0000-4000-8000-000000000001 persist enforce_statfs=2 devfs_ruleset=4 children.max=0 ip4.addr=10.66.0.2 ip6=disable
# note which jail of the kernel it is
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/jails/0/pid <<'END'
web1 /var/db/jailadmin/pool/jails/web1/root/default
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
 "vnet": "shared",
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
# warning: web1 shares its addresses with the host: jails of its networks do not reach them, as they do not reach the host; what listens at localhost in it listens at its first address

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/pid
#   /usr/sbin/jailadmin host jail-remove web1 /var/db/jailadmin/pool/jails/web1/root/default   if there is the jail web1
#   /usr/bin/rctl -r jail:web1   if there is the rctl jail:web1
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/jails/web1/root/default/data   if there is the mount /var/db/jailadmin/pool/jails/web1/root/default/data
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/jails/web1/root/default/dev   if there is the mount /var/db/jailadmin/pool/jails/web1/root/default/dev
#   /sbin/ifconfig ja00br0 inet 10.66.0.2 -alias   if there is the hostaddr 10.66.0.2
#   /usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0   if there is the path /var/run/jailadmin-00/jails/0
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web1/root/default etc/hosts
