# make the jail's dataset, for its spec and log
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002' tank/jailadmin/jails/web2
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/jails/web2
# make the datasets that hold its trees
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002' tank/jailadmin/jails/web2/root
# clone the jail's tree as it is now
/sbin/zfs snapshot tank/jailadmin/jails/web1/root/default@clone-cccccccc-0000-4000-8000-000000000002
/sbin/zfs clone -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002' tank/jailadmin/jails/web1/root/default@clone-cccccccc-0000-4000-8000-000000000002 tank/jailadmin/jails/web2/root/default
# mount the jail's trees
/usr/sbin/jailadmin host zfs-mount --below tank/jailadmin/jails/web2
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web2/spec.json <<'END'
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
   ],
   "unit": 10001
  },
  {
   "label": "eth1",
   "network": "lan",
   "assigned": [
    "192.168.2.2/24",
    "fd00:2::2/64"
   ],
   "unit": 10002
  }
 ]
}
END
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
   ],
   "unit": 10001
  },
  {
   "label": "eth1",
   "network": "lan",
   "assigned": [
    "192.168.2.2/24",
    "fd00:2::2/64"
   ],
   "unit": 10002
  }
 ]
}
END

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web2/spec.json
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web2/root/default 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002'   if there is the dataset tank/jailadmin/jails/web2/root/default
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web1/root/default@clone-cccccccc-0000-4000-8000-000000000002 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the dataset tank/jailadmin/jails/web1/root/default@clone-cccccccc-0000-4000-8000-000000000002
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web2/root 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002'   if there is the dataset tank/jailadmin/jails/web2/root
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web2 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002'   if there is the dataset tank/jailadmin/jails/web2
