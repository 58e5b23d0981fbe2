# the instance is going
/usr/sbin/jailadmin host store-setting --state /var/db/jailadmin ready ''
# end the resolvers
/usr/sbin/jailadmin host daemon-stop /run/jailadmin-00/dns/default.pid dnsmasq
# remove ja00br0
/usr/sbin/jailadmin host link-remove ja00br0 'jailadmin dddddddd-0000-4000-8000-000000000001 *'
# remove the rules
/usr/sbin/nft -f - <<'END'
add table inet ja00
delete table inet ja00
add table bridge ja00
delete table bridge ja00
END
# put the host's settings back if nobody else needs them
/usr/sbin/jailadmin host setting release 00 net.ipv4.ip_forward
/usr/sbin/jailadmin host setting release 00 net.ipv6.conf.all.forwarding
# end systemd's unit for the cgroups of jails
/usr/sbin/jailadmin host cgroup-unit-end /run/jailadmin-00/cgroups.pid jailadmin-00.service
# remove the cgroup of the instance
/usr/sbin/jailadmin host cgroup-remove /jailadmin-00.service
# remove what `adopt` would need
/usr/sbin/jailadmin host remove-tree /var/db/jailadmin/pool/instance
# remove the pool's directories
/usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/templates
/usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails
/usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/deleted
# unmount the pool
/usr/bin/umount /var/db/jailadmin/pool
# remove the pool's mount point
/usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool
# remove the pool's file
/usr/sbin/jailadmin host remove /var/db/jailadmin/pool.img
# remove the runtime directories
/usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails
/usr/sbin/jailadmin host remove-tree /run/jailadmin-00/dns
/usr/sbin/jailadmin host remove-tree /run/jailadmin-00/crun
/usr/sbin/jailadmin host rmdir /run/jailadmin-00
# remove the store and the state directory
/usr/sbin/jailadmin host store-remove --state /var/db/jailadmin
# forget the instance, and let its kernel settings go
/usr/sbin/jailadmin host registry-remove 00

# a failure before the commit is undone by:
