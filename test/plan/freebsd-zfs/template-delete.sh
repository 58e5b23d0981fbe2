# move the version out of the way
/usr/sbin/jailadmin host zfs-rename tank/jailadmin/templates/base/1 tank/jailadmin/deleted/bbbbbbbb-0000-4000-8000-000000000011 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'
# forget the template
/usr/sbin/jailadmin host store-delete --state /var/db/jailadmin template base
# destroy it, or let it wait for its last clone
/usr/sbin/jailadmin host zfs-destroy --deleted tank/jailadmin/deleted tank/jailadmin/deleted/bbbbbbbb-0000-4000-8000-000000000011 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'
# destroy the dataset that held its versions
/usr/sbin/jailadmin host zfs-destroy --empty tank/jailadmin/templates/base 'dddddddd-0000-4000-8000-000000000001 dddddddd-0000-4000-8000-000000000001'
# remove the spec that was kept for `adopt`
/usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/spec.json
# remove the template's directory
/usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/templates/base

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host zfs-rename --mount-if-mounted /var/db/jailadmin/pool tank/jailadmin/deleted/bbbbbbbb-0000-4000-8000-000000000011 tank/jailadmin/templates/base/1 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'
