#### jailadmin snapshot create web1@now -m 'it'\''s "quoted"'
# make the snapshot's directories
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails/web1/snap/now
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails/web1/snap/now/vol
# keep the jail's tree as it is now
/usr/bin/btrfs subvolume snapshot -r /var/db/jailadmin/pool/jails/web1/root/default /var/db/jailadmin/pool/jails/web1/snap/now/root
# keep its volumes, one after the other
/usr/bin/btrfs subvolume snapshot -r /var/db/jailadmin/pool/jails/web1/vol/data /var/db/jailadmin/pool/jails/web1/snap/now/vol/data
# keep its record, with the spec that the jail has now
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/snap/now/spec.json <<'END'
{
 "snapshot": {
  "name": "now",
  "uuid": "eeeeeeee-0000-4000-8000-000000000009",
  "created": "2026-11-26T15:00:00.000Z",
  "comment": "it's \"quoted\"",
  "by": "root",
  "be": "default",
  "volumes": [
   "data"
  ]
 },
 "jail": {
  "name": "web1",
  "uuid": "cccccccc-0000-4000-8000-000000000001",
  "slot": 0,
  "created": "2026-01-01T00:00:00.000Z",
  "template": "base",
  "version": "1",
  "nics": [
   {
    "label": "eth0",
    "network": "default",
    "assigned": [
     "10.66.0.2/16"
    ]
   }
  ],
  "volumes": [
   {
    "name": "data",
    "target": "/data"
   }
  ],
  "limits": {
   "memory": 268435456,
   "processes": 100
  }
 }
}
END

# a failure before the commit is undone by:
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/snap/now/vol/data   if there is the subvolume /var/db/jailadmin/pool/jails/web1/snap/now/vol/data
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/snap/now/root   if there is the subvolume /var/db/jailadmin/pool/jails/web1/snap/now/root
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web1/snap/now/vol   if there is the path /var/db/jailadmin/pool/jails/web1/snap/now/vol
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web1/snap/now   if there is the path /var/db/jailadmin/pool/jails/web1/snap/now

#### jailadmin snapshot create web1@before
# refused: web1 has a snapshot before already

#### jailadmin snapshot delete web1@before
# move the snapshot out of the way
/usr/sbin/jailadmin host rename /var/db/jailadmin/pool/jails/web1/snap/before /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001-snap-before
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# destroy the snapshot
/usr/sbin/jailadmin host tree-delete /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001-snap-before

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host rename /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001-snap-before /var/db/jailadmin/pool/jails/web1/snap/before   if there is the path /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001-snap-before

#### jailadmin snapshot delete web1@admin
# refused: web1 has no snapshot admin

#### jailadmin clone web1@before web2
# make the jail's directories
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails/web2
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails/web2/root
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --flush /var/db/jailadmin/pool/jails/web2/spec.json <<'END'
{
 "name": "web2",
 "uuid": "cccccccc-0000-4000-8000-000000000002",
 "slot": 1,
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "nics": [
  {
   "label": "eth0",
   "network": "default",
   "assigned": [
    "10.66.0.3/16"
   ]
  },
  {
   "label": "eth1",
   "network": "lan",
   "assigned": [
    "192.168.2.2/24",
    "fd00:2::2/64"
   ]
  }
 ]
}
END
# clone the jail's tree as it was
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/jails/web1/snap/before/root /var/db/jailadmin/pool/jails/web2/root/default
# record the jail
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin jail web2 <<'END'
{
 "name": "web2",
 "uuid": "cccccccc-0000-4000-8000-000000000002",
 "slot": 1,
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "nics": [
  {
   "label": "eth0",
   "network": "default",
   "assigned": [
    "10.66.0.3/16"
   ]
  },
  {
   "label": "eth1",
   "network": "lan",
   "assigned": [
    "192.168.2.2/24",
    "fd00:2::2/64"
   ]
  }
 ]
}
END

# a failure before the commit is undone by:
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web2/root/default   if there is the subvolume /var/db/jailadmin/pool/jails/web2/root/default
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web2/spec.json
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web2/root   if there is the path /var/db/jailadmin/pool/jails/web2/root
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web2   if there is the path /var/db/jailadmin/pool/jails/web2

#### jailadmin template create base --from jail:web1@before
# take the jail's tree as it was
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/jails/web1/snap/before/root /var/db/jailadmin/pool/templates/base/1
# take out what must be one jail's own
/usr/sbin/jailadmin host template-clean /var/db/jailadmin/pool/templates/base/1
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
