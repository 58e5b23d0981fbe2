# make the jail's volumes
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' tank/jailadmin/jails/web1/vol/log
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/jails/web1/vol/log
# limit its disk space
/sbin/zfs set refquota=2147483648 tank/jailadmin/jails/web1/root/default
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/spec.json <<'END'
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
   ],
   "unit": 10000
  }
 ],
 "volumes": [
  {
   "name": "data",
   "target": "/data"
  },
  {
   "name": "log",
   "target": "/var/log"
  }
 ],
 "limits": {
  "cpuset": "0-1,3",
  "memory": 536870912,
  "swap": 134217728,
  "disk": 2147483648,
  "read-rate": 10485760
 },
 "labels": {
  "team": "a"
 }
}
END
# record the jail
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
   ],
   "unit": 10000
  }
 ],
 "volumes": [
  {
   "name": "data",
   "target": "/data"
  },
  {
   "name": "log",
   "target": "/var/log"
  }
 ],
 "limits": {
  "cpuset": "0-1,3",
  "memory": 536870912,
  "swap": 134217728,
  "disk": 2147483648,
  "read-rate": 10485760
 },
 "labels": {
  "team": "a"
 }
}
END

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
#   /sbin/zfs set refquota=none tank/jailadmin/jails/web1/root/default   if there is the dataset tank/jailadmin/jails/web1/root/default
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/vol/log 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/vol/log
