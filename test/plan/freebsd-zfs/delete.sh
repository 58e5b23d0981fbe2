# move the jail's trees out of the way
/usr/sbin/jailadmin host zfs-rename tank/jailadmin/jails/web1 tank/jailadmin/deleted/cccccccc-0000-4000-8000-000000000001 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'
# forget the jail
/usr/sbin/jailadmin host store-delete --state /var/db/jailadmin jail web1
# destroy the jail's trees, or let them wait for their last clone
/usr/sbin/jailadmin host zfs-destroy --deleted tank/jailadmin/deleted tank/jailadmin/deleted/cccccccc-0000-4000-8000-000000000001 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host zfs-rename --mount-if-mounted /var/db/jailadmin/pool tank/jailadmin/deleted/cccccccc-0000-4000-8000-000000000001 tank/jailadmin/jails/web1 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'
