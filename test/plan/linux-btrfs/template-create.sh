# make an empty subvolume for the template
/usr/bin/btrfs subvolume create /var/db/jailadmin/pool/templates/base/1
# fill it with busybox
/usr/sbin/jailadmin host template-busybox /usr/bin/busybox /var/db/jailadmin/pool/templates/base/1
# seal the version: read-only from now on
/usr/bin/btrfs property set -ts /var/db/jailadmin/pool/templates/base/1 ro true
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/templates/base/spec.json <<'END'
{
 "name": "base",
 "uuid": "bbbbbbbb-0000-4000-8000-000000000001",
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "source": "busybox",
 "current": "1",
 "versions": [
  {
   "version": "1",
   "uuid": "bbbbbbbb-0000-4000-8000-000000000011",
   "created": "2026-01-01T00:00:00.000Z"
  }
 ]
}
END
# record the template
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin template base <<'END'
{
 "name": "base",
 "uuid": "bbbbbbbb-0000-4000-8000-000000000001",
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "source": "busybox",
 "current": "1",
 "versions": [
  {
   "version": "1",
   "uuid": "bbbbbbbb-0000-4000-8000-000000000011",
   "created": "2026-01-01T00:00:00.000Z"
  }
 ]
}
END

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/spec.json
#   /usr/bin/btrfs property set -ts /var/db/jailadmin/pool/templates/base/1 ro false   if there is the subvolume /var/db/jailadmin/pool/templates/base/1
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/templates/base/1   if there is the subvolume /var/db/jailadmin/pool/templates/base/1
