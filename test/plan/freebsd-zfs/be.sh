#### jailadmin be create web1 new
# copy the tree as it is now
/sbin/zfs snapshot tank/jailadmin/jails/web1/root/default@clone-eeeeeeee-0000-4000-8000-000000000007
/sbin/zfs clone -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1/root/default@clone-eeeeeeee-0000-4000-8000-000000000007 tank/jailadmin/jails/web1/root/new
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/jails/web1/root/new
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
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root/new 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root/new
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root/default@clone-eeeeeeee-0000-4000-8000-000000000007 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root/default@clone-eeeeeeee-0000-4000-8000-000000000007

#### jailadmin be create web1 new --from next, with limits.disk=1G
# copy the tree as it is now
/sbin/zfs snapshot tank/jailadmin/jails/web1/root/next@clone-eeeeeeee-0000-4000-8000-000000000007
/sbin/zfs clone -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' -o refquota=1073741824 tank/jailadmin/jails/web1/root/next@clone-eeeeeeee-0000-4000-8000-000000000007 tank/jailadmin/jails/web1/root/new
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/jails/web1/root/new
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
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root/new 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root/new
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root/next@clone-eeeeeeee-0000-4000-8000-000000000007 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root/next@clone-eeeeeeee-0000-4000-8000-000000000007

#### jailadmin be create web1 new --from @before
# copy the jail's tree as it was
/sbin/zfs clone -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1/root/default@before tank/jailadmin/jails/web1/root/new
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/jails/web1/root/new
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
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root/new 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root/new

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
   ],
   "unit": 10000
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
   ],
   "unit": 10000
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
/usr/sbin/jailadmin host zfs-rename tank/jailadmin/jails/web1/root/next tank/jailadmin/deleted/eeeeeeee-0000-4000-8000-000000000008 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'
# remove its record
/usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/be/next.json
# destroy it, or let it wait for its last clone
/usr/sbin/jailadmin host zfs-destroy --deleted tank/jailadmin/deleted tank/jailadmin/deleted/eeeeeeee-0000-4000-8000-000000000008 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'

# a failure before the commit is undone by:

#### jailadmin be delete web1 default
# refused: the boot environment default of web1 is the active one

#### jailadmin be delete web1 next, while it runs
# refused: web1 runs on the boot environment next
