# make the jail's directories
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails/web1/vol
# make the jail's volumes
/usr/bin/btrfs subvolume create /var/db/jailadmin/pool/jails/web1/vol/log
# switch on the quotas of the pool
/usr/bin/btrfs quota enable /var/db/jailadmin/pool
# limit its disk space
/usr/bin/btrfs qgroup limit 2147483648 /var/db/jailadmin/pool/jails/web1/root/default
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# change the limits of the running jail
/usr/sbin/jailadmin host cgroup-limit --memory 536870912 --swap 134217728 --processes 0 --read-rate 10485760 --write-rate 0 --device 8:0 --device 8:16 --cpuset 0-1,3 /jailadmin-00/ja000
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /run/jailadmin-00/jails/0/applied.json <<'END'
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
   ]
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
   ]
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
#   /usr/sbin/jailadmin host write --mode 0600 /run/jailadmin-00/jails/0/applied.json   if there is the path /run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host cgroup-limit --memory 268435456 --swap 0 --processes 100 --read-rate 0 --write-rate 0 --device 8:0 --device 8:16 --cpuset all /jailadmin-00/ja000   if there is the cgroup /jailadmin-00/ja000
#   /usr/bin/btrfs qgroup limit none /var/db/jailadmin/pool/jails/web1/root/default   if there is the subvolume /var/db/jailadmin/pool/jails/web1/root/default
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/vol/log   if there is the subvolume /var/db/jailadmin/pool/jails/web1/vol/log
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web1/vol   if there is the path /var/db/jailadmin/pool/jails/web1/vol
