# make the runtime directories
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/jails
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/dns
# mount the pool and all trees in it
/usr/sbin/jailadmin host zfs-mount --below tank/jailadmin

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00/dns   if there is the path /var/run/jailadmin-00/dns
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00/jails   if there is the path /var/run/jailadmin-00/jails
#   /usr/sbin/jailadmin host rmdir /var/run/jailadmin-00   if there is the path /var/run/jailadmin-00
