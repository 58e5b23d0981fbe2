# register the instance, with numbers of its own
/usr/sbin/jailadmin host instance-register 00 <<'END'
{
 "os": "linux",
 "storage": "btrfs",
 "loop": true,
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
 "run": "/run/jailadmin-00",
 "pool": "/var/db/jailadmin/pool",
 "source": "/var/db/jailadmin/pool.img",
 "state": "/var/db/jailadmin"
}
END
# make the state directory and the store
/usr/sbin/jailadmin host store-create --state /var/db/jailadmin <<'END'
{
 "os": "linux",
 "storage": "btrfs",
 "loop": true,
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
 "run": "/run/jailadmin-00",
 "pool": "/var/db/jailadmin/pool",
 "source": "/var/db/jailadmin/pool.img"
}
END
# make the runtime directories
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00/jails
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00/dns
/usr/sbin/jailadmin host mkdir --mode 0700 /run/jailadmin-00/crun
# make the pool's mount point
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool
# mount the pool, with nothing in it trusted by the host
/usr/bin/mount -t btrfs -o loop,nosuid,nodev,noatime,user_subvol_rm_allowed /var/db/jailadmin/pool.img /var/db/jailadmin/pool
# convert the seccomp profile of jails
/usr/sbin/jailadmin host seccomp-convert /usr/share/containers/seccomp.json /var/db/jailadmin/seccomp.json
# compile it once for all jails
/usr/sbin/jailadmin host seccomp-compile /var/db/jailadmin/seccomp.json /var/db/jailadmin/seccomp.bpf
# the instance is complete
/usr/sbin/jailadmin host store-setting --state /var/db/jailadmin ready yes

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/seccomp.bpf
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/seccomp.json
#   /usr/bin/umount /var/db/jailadmin/pool   if there is the mount /var/db/jailadmin/pool
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool   if there is the path /var/db/jailadmin/pool
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/crun   if there is the path /run/jailadmin-00/crun
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/dns   if there is the path /run/jailadmin-00/dns
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/jails   if there is the path /run/jailadmin-00/jails
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00   if there is the path /run/jailadmin-00
