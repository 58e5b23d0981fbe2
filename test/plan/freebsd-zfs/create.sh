# make the jail's dataset, for its spec and log
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/jails/web1
# make the datasets that hold its trees
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1/root
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1/vol
# clone the template base@1
/sbin/zfs clone -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/templates/base/1@sealed tank/jailadmin/jails/web1/root/default
# make the jail's volumes
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1/vol/data
# mount the jail's trees
/usr/sbin/jailadmin host zfs-mount --below tank/jailadmin/jails/web1
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/spec.json <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
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
# record the jail
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin jail web1 <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
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
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/vol/data 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/vol/data
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root/default 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root/default
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/vol 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/vol
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1
