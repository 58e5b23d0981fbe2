# open the version's seal
/usr/bin/btrfs property set -ts /var/db/jailadmin/pool/templates/base/1 ro false
# move the version out of the way
/usr/sbin/jailadmin host rename /var/db/jailadmin/pool/templates/base/1 /var/db/jailadmin/pool/deleted/bbbbbbbb-0000-4000-8000-000000000011
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# forget the template
/usr/sbin/jailadmin host store-delete --state /var/db/jailadmin template base
# destroy it
/usr/sbin/jailadmin host tree-delete /var/db/jailadmin/pool/deleted/bbbbbbbb-0000-4000-8000-000000000011
# remove the spec that was kept for `adopt`
/usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/spec.json
# remove the template's directory
/usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/templates/base

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host rename /var/db/jailadmin/pool/deleted/bbbbbbbb-0000-4000-8000-000000000011 /var/db/jailadmin/pool/templates/base/1   if there is the path /var/db/jailadmin/pool/deleted/bbbbbbbb-0000-4000-8000-000000000011
#   /usr/bin/btrfs property set -ts /var/db/jailadmin/pool/templates/base/1 ro true   if there is the subvolume /var/db/jailadmin/pool/templates/base/1
