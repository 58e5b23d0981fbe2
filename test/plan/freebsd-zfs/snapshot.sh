#### jailadmin snapshot create web1@now -m 'it'\''s "quoted"'
# keep the jail's tree and volumes as they are now
/sbin/zfs snapshot -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 eeeeeeee-0000-4000-8000-000000000009' -o 'jailadmin:snapshot={"created":"2026-11-26T15:00:00.000Z","comment":"it'\''s \"quoted\"","by":"root"}' tank/jailadmin/jails/web1/root/default@now tank/jailadmin/jails/web1/vol/data@now

# a failure before the commit is undone by:

#### jailadmin snapshot create web1@before
# refused: web1 has a snapshot before already

#### jailadmin snapshot delete web1@before
# take the snapshot out of the list
/sbin/zfs rename tank/jailadmin/jails/web1/root/default@before tank/jailadmin/jails/web1/root/default@clone-eeeeeeee-0000-4000-8000-000000000001
/sbin/zfs rename tank/jailadmin/jails/web1/vol/data@before tank/jailadmin/jails/web1/vol/data@clone-eeeeeeee-0000-4000-8000-000000000001
# destroy it, or let it wait for its last clone
/usr/sbin/jailadmin host zfs-destroy --deleted tank/jailadmin/deleted tank/jailadmin/jails/web1/root/default@clone-eeeeeeee-0000-4000-8000-000000000001 'dddddddd-0000-4000-8000-000000000001 eeeeeeee-0000-4000-8000-000000000001'
/usr/sbin/jailadmin host zfs-destroy --deleted tank/jailadmin/deleted tank/jailadmin/jails/web1/vol/data@clone-eeeeeeee-0000-4000-8000-000000000001 'dddddddd-0000-4000-8000-000000000001 eeeeeeee-0000-4000-8000-000000000001'

# a failure before the commit is undone by:
#   /sbin/zfs rename tank/jailadmin/jails/web1/root/default@clone-eeeeeeee-0000-4000-8000-000000000001 tank/jailadmin/jails/web1/root/default@before   if there is the dataset tank/jailadmin/jails/web1/root/default@clone-eeeeeeee-0000-4000-8000-000000000001

#### jailadmin snapshot delete web1@admin
# refused: the snapshot admin of web1 was not made by jailadmin

#### jailadmin clone web1@before web2
# make the jail's dataset, for its spec and log
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002' tank/jailadmin/jails/web2
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/jails/web2
# make the datasets that hold its trees
/sbin/zfs create -o canmount=off -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002' tank/jailadmin/jails/web2/root
# clone the jail's tree as it was
/sbin/zfs clone -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002' tank/jailadmin/jails/web1/root/default@before tank/jailadmin/jails/web2/root/default
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
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web2/root 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002'   if there is the dataset tank/jailadmin/jails/web2/root
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/jails/web2 'dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002'   if there is the dataset tank/jailadmin/jails/web2

#### jailadmin template create base --from jail:web1@before
# take the jail's tree as it was
/sbin/zfs clone -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011' tank/jailadmin/jails/web1/root/default@before tank/jailadmin/templates/base/1
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/templates/base/1
# take out what must be one jail's own
/usr/sbin/jailadmin host template-clean /var/db/jailadmin/pool/templates/base/1
# seal the version: read-only from now on
/usr/sbin/jailadmin host zfs-unmount tank/jailadmin/templates/base/1
/sbin/zfs snapshot tank/jailadmin/templates/base/1@sealed
/sbin/zfs set readonly=on tank/jailadmin/templates/base/1
# mount it again
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/templates/base/1
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/templates/base/spec.json <<'END'
{
 "name": "base",
 "uuid": "bbbbbbbb-0000-4000-8000-000000000001",
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "source": "src:/usr/src",
 "current": "1",
 "versions": [
  {
   "version": "1",
   "uuid": "bbbbbbbb-0000-4000-8000-000000000011",
   "created": "2026-01-01T00:00:00.000Z"
  }
 ]
}
END
# record the template
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin template base <<'END'
{
 "name": "base",
 "uuid": "bbbbbbbb-0000-4000-8000-000000000001",
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "source": "src:/usr/src",
 "current": "1",
 "versions": [
  {
   "version": "1",
   "uuid": "bbbbbbbb-0000-4000-8000-000000000011",
   "created": "2026-01-01T00:00:00.000Z"
  }
 ]
}
END

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/spec.json
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base/1@sealed 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'   if there is the dataset tank/jailadmin/templates/base/1@sealed
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base/1 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'   if there is the dataset tank/jailadmin/templates/base/1
