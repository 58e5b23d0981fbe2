# move the jail's trees out of the way
/usr/sbin/jailadmin host rename /var/db/jailadmin/pool/jails/web1 /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# forget the jail
/usr/sbin/jailadmin host store-delete --state /var/db/jailadmin jail web1
# destroy the jail's trees
/usr/sbin/jailadmin host tree-delete /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host rename /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001 /var/db/jailadmin/pool/jails/web1   if there is the path /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001
