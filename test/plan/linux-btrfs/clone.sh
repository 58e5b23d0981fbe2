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
# clone the jail's tree as it is now
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/jails/web1/root/default /var/db/jailadmin/pool/jails/web2/root/default
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
