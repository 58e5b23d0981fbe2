# make an empty dataset for the template
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011' tank/jailadmin/templates/base/1
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/templates/base/1
# fetch the checksums of the release
/usr/bin/fetch -T 60 -o /var/db/jailadmin/pool/templates/base/1.manifest https://download.freebsd.org/releases/amd64/amd64/14.1-RELEASE/MANIFEST
# fetch the base system
/usr/bin/fetch -T 60 -o /var/db/jailadmin/pool/templates/base/1.txz https://download.freebsd.org/releases/amd64/amd64/14.1-RELEASE/base.txz
# unpack the base system into it
/usr/sbin/jailadmin host template-tar --manifest /var/db/jailadmin/pool/templates/base/1.manifest /var/db/jailadmin/pool/templates/base/1.txz /var/db/jailadmin/pool/templates/base/1
# remove what was fetched
/usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/1.txz
/usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/1.manifest
# take out what must be one jail's own
/usr/sbin/jailadmin host template-clean /var/db/jailadmin/pool/templates/base/1
# seal the version: read-only from now on
/usr/sbin/jailadmin host zfs-unmount tank/jailadmin/templates/base/1
/sbin/zfs snapshot tank/jailadmin/templates/base/1@sealed
/sbin/zfs set readonly=on tank/jailadmin/templates/base/1
# mount it again
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/templates/base/1
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/templates/base/spec.json <<'END'
{
 "name": "base",
 "uuid": "bbbbbbbb-0000-4000-8000-000000000001",
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "source": "src:/usr/src",
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
 "source": "src:/usr/src",
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
# warning: FreeBSD 14.1-RELEASE is newer than the kernel of this host, 13.2-RELEASE: its programs may not run here
# warning: no trusted checksum of FreeBSD 14.1-RELEASE is known: the archive is compared with the MANIFEST of the same server only; --sha256, or the package freebsd-release-manifests, gives one

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/spec.json
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base/1@sealed 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'   if there is the dataset tank/jailadmin/templates/base/1@sealed
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/1.txz
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/1.manifest
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base/1 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'   if there is the dataset tank/jailadmin/templates/base/1
