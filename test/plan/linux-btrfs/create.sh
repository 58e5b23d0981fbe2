# make the jail's directories
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails/web1
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails/web1/root
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails/web1/vol
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --flush /var/db/jailadmin/pool/jails/web1/spec.json <<'END'
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
# make the jail's volumes
/usr/bin/btrfs subvolume create /var/db/jailadmin/pool/jails/web1/vol/data
# clone the template base@1
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/templates/base/1 /var/db/jailadmin/pool/jails/web1/root/default
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
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/root/default   if there is the subvolume /var/db/jailadmin/pool/jails/web1/root/default
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/vol/data   if there is the subvolume /var/db/jailadmin/pool/jails/web1/vol/data
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web1/vol   if there is the path /var/db/jailadmin/pool/jails/web1/vol
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web1/root   if there is the path /var/db/jailadmin/pool/jails/web1/root
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web1   if there is the path /var/db/jailadmin/pool/jails/web1
