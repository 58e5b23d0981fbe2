# make the runtime directories
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00/jails
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00/dns
/usr/sbin/jailadmin host mkdir --mode 0700 /run/jailadmin-00/crun
# mount the pool, with nothing in it trusted by the host
/usr/bin/mount -t btrfs -o loop,nosuid,nodev,noatime,user_subvol_rm_allowed /var/db/jailadmin/pool.img /var/db/jailadmin/pool

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/crun   if there is the path /run/jailadmin-00/crun
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/dns   if there is the path /run/jailadmin-00/dns
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/jails   if there is the path /run/jailadmin-00/jails
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00   if there is the path /run/jailadmin-00
