#### jailadmin snapshot rollback web1@before
# make a copy of the tree as it was
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/jails/web1/snap/before/root /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new
# put it in the place of the present one, which is put aside
/usr/sbin/jailadmin host swap /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new /var/db/jailadmin/pool/jails/web1/root/default /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# decide: from here on it only goes forward
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin jail web1 <<'END'
{
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
END
# destroy what was put aside
/usr/sbin/jailadmin host tree-delete /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host swap /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root /var/db/jailadmin/pool/jails/web1/root/default /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new   if there is the path /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new   if there is the subvolume /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new

#### jailadmin snapshot rollback web1@before --volumes
# make a copy of the tree as it was
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/jails/web1/snap/before/root /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new
# put it in the place of the present one, which is put aside
/usr/sbin/jailadmin host swap /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new /var/db/jailadmin/pool/jails/web1/root/default /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# make a copy of the volume as it was
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/jails/web1/snap/before/vol/data /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-vol-data-new
# put it in the place of the present one, which is put aside
/usr/sbin/jailadmin host swap /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-vol-data-new /var/db/jailadmin/pool/jails/web1/vol/data /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-vol-data
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# decide: from here on it only goes forward
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin jail web1 <<'END'
{
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
END
# destroy what was put aside
/usr/sbin/jailadmin host tree-delete /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root
/usr/sbin/jailadmin host tree-delete /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-vol-data

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host swap /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-vol-data /var/db/jailadmin/pool/jails/web1/vol/data /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-vol-data-new   if there is the path /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-vol-data
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-vol-data-new   if there is the subvolume /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-vol-data-new
#   /usr/sbin/jailadmin host swap /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root /var/db/jailadmin/pool/jails/web1/root/default /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new   if there is the path /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new   if there is the subvolume /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008-root-new
