# the instance is going
/usr/sbin/jailadmin host store-setting --state /var/db/jailadmin ready ''
# end the resolvers
/usr/sbin/jailadmin host daemon-stop /var/run/jailadmin-00/dns/default.pid dnsmasq
# remove the instance's rules
/sbin/ipfw -q delete set 1
# remove its address translation
/sbin/ipfw -q nat 20000 delete
# remove the tables of the rules
/sbin/ipfw table ja00nat0 destroy
/sbin/ipfw table ja00nics destroy
/sbin/ipfw table ja00src destroy
/sbin/ipfw table ja00any destroy
/sbin/ipfw table ja00dhcp destroy
/sbin/ipfw table ja00nets destroy
/sbin/ipfw table ja00gw destroy
/sbin/ipfw table ja00natted destroy
/sbin/ipfw table ja00members destroy
/sbin/ipfw table ja00rules destroy
# put the host's settings back if nobody else needs them
/usr/sbin/jailadmin host setting release 00 net.link.bridge.pfil_member
/usr/sbin/jailadmin host setting release 00 net.link.bridge.pfil_local_phys
/usr/sbin/jailadmin host setting release 00 net.link.bridge.pfil_bridge
/usr/sbin/jailadmin host setting release 00 net.inet.ip.fw.one_pass
/usr/sbin/jailadmin host setting release 00 net.inet.ip.forwarding
/usr/sbin/jailadmin host setting release 00 net.inet6.ip6.forwarding
# remove what `adopt` would need
/usr/sbin/jailadmin host remove-tree /var/db/jailadmin/pool/instance
# destroy the pool's datasets
/usr/sbin/jailadmin host zfs-destroy --empty tank/jailadmin/jails 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'
/usr/sbin/jailadmin host zfs-destroy --empty tank/jailadmin/templates 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'
/usr/sbin/jailadmin host zfs-destroy --empty tank/jailadmin/deleted 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'
/usr/sbin/jailadmin host zfs-destroy --empty tank/jailadmin 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'
# remove the pool's mount point
/usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool
# remove the runtime directories
/usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails
/usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/dns
/usr/sbin/jailadmin host rmdir /var/run/jailadmin-00
# remove the store and the state directory
/usr/sbin/jailadmin host store-remove --state /var/db/jailadmin
# forget the instance, and let its kernel settings go
/usr/sbin/jailadmin host registry-remove 00

# a failure before the commit is undone by:
