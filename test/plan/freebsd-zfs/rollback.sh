#### jailadmin snapshot rollback web1@before
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
# make the tree what it was; later snapshots of it go
/sbin/zfs rollback -r tank/jailadmin/jails/web1/root/default@before

# a failure before the commit is undone by:

#### jailadmin snapshot rollback web1@before --volumes
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
# make the tree what it was; later snapshots of it go
/sbin/zfs rollback -r tank/jailadmin/jails/web1/root/default@before
# make the volume what it was; later snapshots of it go
/sbin/zfs rollback -r tank/jailadmin/jails/web1/vol/data@before

# a failure before the commit is undone by:
