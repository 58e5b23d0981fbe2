# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/spec.json <<'END'
{
 "name": "www",
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
# rename the jail's directory
/usr/sbin/jailadmin host rename /var/db/jailadmin/pool/jails/web1 /var/db/jailadmin/pool/jails/www
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# record its new name
/usr/sbin/jailadmin host store-rename --state /var/db/jailadmin jail web1 www

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host rename /var/db/jailadmin/pool/jails/www /var/db/jailadmin/pool/jails/web1   if there is the path /var/db/jailadmin/pool/jails/www
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
