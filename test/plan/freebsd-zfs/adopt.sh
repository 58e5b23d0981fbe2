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
# mount the pool and all trees in it
/usr/sbin/jailadmin host zfs-mount --below tank/jailadmin
# the instance is complete
/usr/sbin/jailadmin host store-setting --state /var/db/jailadmin ready yes

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host zfs-unmount tank/jailadmin   if there is the mount /var/db/jailadmin/pool
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool   if there is the path /var/db/jailadmin/pool
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00/dns   if there is the path /var/run/jailadmin-00/dns
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00/jails   if there is the path /var/run/jailadmin-00/jails
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00   if there is the path /var/run/jailadmin-00
