#### jailadmin be create web1 new
# copy the tree as it is now
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/jails/web1/root/default /var/db/jailadmin/pool/jails/web1/root/new
# keep its record
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/be/new.json <<'END'
{
 "name": "new",
 "uuid": "eeeeeeee-0000-4000-8000-000000000007",
 "created": "2026-11-26T15:00:00.000Z",
 "by": "root",
 "origin": "default"
}
END

# a failure before the commit is undone by:
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/root/new   if there is the subvolume /var/db/jailadmin/pool/jails/web1/root/new

#### jailadmin be create web1 new --from next, with limits.disk=1G
# copy the tree as it is now
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/jails/web1/root/next /var/db/jailadmin/pool/jails/web1/root/new
# switch on the quotas of the pool
/usr/bin/btrfs quota enable /var/db/jailadmin/pool
# limit its disk space
/usr/bin/btrfs qgroup limit 1073741824 /var/db/jailadmin/pool/jails/web1/root/new
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# keep its record
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/be/new.json <<'END'
{
 "name": "new",
 "uuid": "eeeeeeee-0000-4000-8000-000000000007",
 "created": "2026-11-26T15:00:00.000Z",
 "by": "root",
 "origin": "next"
}
END

# a failure before the commit is undone by:
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/root/new   if there is the subvolume /var/db/jailadmin/pool/jails/web1/root/new

#### jailadmin be create web1 new --from @before
# copy the jail's tree as it was
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/jails/web1/snap/before/root /var/db/jailadmin/pool/jails/web1/root/new
# keep its record
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/be/new.json <<'END'
{
 "name": "new",
 "uuid": "eeeeeeee-0000-4000-8000-000000000007",
 "created": "2026-11-26T15:00:00.000Z",
 "by": "root",
 "origin": "@before"
}
END

# a failure before the commit is undone by:
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/root/new   if there is the subvolume /var/db/jailadmin/pool/jails/web1/root/new

#### jailadmin be create web1 next
# refused: web1 has a boot environment next already

#### jailadmin be activate web1 next
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/spec.json <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "be": "next",
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
# make it the active one
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin jail web1 <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "be": "next",
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

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json

#### jailadmin be activate web1 other
# refused: web1 has no boot environment other

#### jailadmin be activate web1 tried, while an upgrade tries it
# refused: an upgrade is trying the boot environment tried

#### jailadmin be delete web1 next
# move the boot environment out of the way
/usr/sbin/jailadmin host rename /var/db/jailadmin/pool/jails/web1/root/next /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# remove its record
/usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/be/next.json
# destroy it
/usr/sbin/jailadmin host tree-delete /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host rename /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008 /var/db/jailadmin/pool/jails/web1/root/next   if there is the path /var/db/jailadmin/pool/deleted/eeeeeeee-0000-4000-8000-000000000008

#### jailadmin be delete web1 default
# refused: the boot environment default of web1 is the active one

#### jailadmin be delete web1 next, while it runs
# refused: web1 runs on the boot environment next
