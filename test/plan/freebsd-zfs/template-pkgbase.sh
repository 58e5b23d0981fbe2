# make an empty dataset for the template
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011' tank/jailadmin/templates/base/1
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/templates/base/1
# make a place to install from
/usr/sbin/jailadmin host mkdir --mode 0755 /var/db/jailadmin/pool/templates/base/1.stage
/usr/sbin/jailadmin host mkdir --mode 0755 /var/db/jailadmin/pool/templates/base/1.stage/etc
# say where the packages come from
/usr/sbin/jailadmin host mkdir --mode 0755 /var/db/jailadmin/pool/templates/base/1.stage/fetch
/usr/sbin/jailadmin host write --mode 0644 /var/db/jailadmin/pool/templates/base/1.stage/fetch/FreeBSD-base.conf <<'END'
FreeBSD-base: {
  url: "pkg+https://pkg.FreeBSD.org/FreeBSD:15:amd64/base_release_1",
  mirror_type: "srv",
  signature_type: "fingerprints",
  fingerprints: "/usr/share/keys/pkgbase-15",
  enabled: yes
}
END
# say where they are in the jail
/usr/sbin/jailadmin host mkdir --mode 0755 /var/db/jailadmin/pool/templates/base/1.stage/install
/usr/sbin/jailadmin host write --mode 0644 /var/db/jailadmin/pool/templates/base/1.stage/install/FreeBSD-base.conf <<'END'
FreeBSD-base: {
  url: "file:///packages",
  mirror_type: "none",
  signature_type: "none",
  enabled: yes
}
END
# fetch the packages of the base system, signatures verified
/usr/local/sbin/pkg-static -R /var/db/jailadmin/pool/templates/base/1.stage/fetch -o ABI=FreeBSD:15:amd64 -o OSVERSION=1501000 -o IGNORE_OSVERSION=yes -o PKG_DBDIR=/var/db/jailadmin/pool/templates/base/1.stage/db -o PKG_CACHEDIR=/var/db/jailadmin/pool/templates/base/1.stage/cache fetch -y -d -r FreeBSD-base -o /var/db/jailadmin/pool/templates/base/1.stage/packages FreeBSD-set-minimal-jail
# copy pkg, and the names of users and groups
/bin/cp /usr/local/sbin/pkg-static /etc/pwd.db /etc/group /var/db/jailadmin/pool/templates/base/1.stage/etc
# make its runtime directory
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/jails/0
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /dev
# give it its devices
/sbin/mount -t devfs -o ruleset=4 devfs /var/db/jailadmin/pool/templates/base/1.stage/dev
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /tmp
# give it a /tmp that is no part of the tree
/sbin/mount -t tmpfs -o mode=1777 tmpfs /var/db/jailadmin/pool/templates/base/1.stage/tmp
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /bin
# mount what it asks for
/sbin/mount -t nullfs -o ro /bin /var/db/jailadmin/pool/templates/base/1.stage/bin
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /sbin
# mount what it asks for
/sbin/mount -t nullfs -o ro /sbin /var/db/jailadmin/pool/templates/base/1.stage/sbin
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /lib
# mount what it asks for
/sbin/mount -t nullfs -o ro /lib /var/db/jailadmin/pool/templates/base/1.stage/lib
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /libexec
# mount what it asks for
/sbin/mount -t nullfs -o ro /libexec /var/db/jailadmin/pool/templates/base/1.stage/libexec
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /usr/bin
# mount what it asks for
/sbin/mount -t nullfs -o ro /usr/bin /var/db/jailadmin/pool/templates/base/1.stage/usr/bin
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /usr/sbin
# mount what it asks for
/sbin/mount -t nullfs -o ro /usr/sbin /var/db/jailadmin/pool/templates/base/1.stage/usr/sbin
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /usr/lib
# mount what it asks for
/sbin/mount -t nullfs -o ro /usr/lib /var/db/jailadmin/pool/templates/base/1.stage/usr/lib
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /usr/libexec
# mount what it asks for
/sbin/mount -t nullfs -o ro /usr/libexec /var/db/jailadmin/pool/templates/base/1.stage/usr/libexec
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /usr/share
# mount what it asks for
/sbin/mount -t nullfs -o ro /usr/share /var/db/jailadmin/pool/templates/base/1.stage/usr/share
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /mnt
# mount what it asks for
/sbin/mount -t nullfs /var/db/jailadmin/pool/templates/base/1 /var/db/jailadmin/pool/templates/base/1.stage/mnt
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1.stage /data
# mount what it asks for
/sbin/mount -t nullfs /var/db/jailadmin/pool/jails/_build-base/vol/data /var/db/jailadmin/pool/templates/base/1.stage/data
# limit it
/usr/bin/rctl -a jail:_build-base:memoryuse:sigkill=268435456 jail:_build-base:nthr:deny=100
# make the jail
/usr/sbin/jail -c name=_build-base path=/var/db/jailadmin/pool/templates/base/1.stage host.hostname=build host.hostuuid=cccccccc-0000-4000-8000-000000000001 persist enforce_statfs=2 devfs_ruleset=4 children.max=0 ip4=disable ip6=disable allow.chflags
# note which jail of the kernel it is
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/jails/0/pid <<'END'
_build-base /var/db/jailadmin/pool/templates/base/1.stage
END
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /var/run/jailadmin-00/jails/0/applied.json <<'END'
{
 "name": "_build-base",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "hostname": "build",
 "vnet": "shared",
 "mounts": [
  {
   "target": "/bin",
   "source": "/bin",
   "readonly": true
  },
  {
   "target": "/sbin",
   "source": "/sbin",
   "readonly": true
  },
  {
   "target": "/lib",
   "source": "/lib",
   "readonly": true
  },
  {
   "target": "/libexec",
   "source": "/libexec",
   "readonly": true
  },
  {
   "target": "/usr/bin",
   "source": "/usr/bin",
   "readonly": true
  },
  {
   "target": "/usr/sbin",
   "source": "/usr/sbin",
   "readonly": true
  },
  {
   "target": "/usr/lib",
   "source": "/usr/lib",
   "readonly": true
  },
  {
   "target": "/usr/libexec",
   "source": "/usr/libexec",
   "readonly": true
  },
  {
   "target": "/usr/share",
   "source": "/usr/share",
   "readonly": true
  },
  {
   "target": "/mnt",
   "source": "/var/db/jailadmin/pool/templates/base/1"
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
 },
 "allow": [
  "chflags"
 ]
}
END
# list the packages
/usr/sbin/jexec _build-base /etc/pkg-static -R /install -o ABI=FreeBSD:15:amd64 -o OSVERSION=1501000 -o IGNORE_OSVERSION=yes repo /packages
# install them into the tree, with the jail's root as theirs
/usr/sbin/jexec _build-base /etc/pkg-static -r /mnt -R /install -o ABI=FreeBSD:15:amd64 -o OSVERSION=1501000 -o IGNORE_OSVERSION=yes install -y -r FreeBSD-base FreeBSD-set-minimal-jail
# let its files be changed, and take away what was only for the installation
/usr/sbin/jexec _build-base /bin/sh -c 'set -e
chflags -R noschg,nosunlnk /mnt
rm -rf /mnt/var/db/pkg/repos /mnt/var/cache/pkg
if [ -z "$1" ]; then
    mkdir -p /mnt/usr/local/etc/pkg/repos
    echo '\''FreeBSD-base: { enabled: yes }'\'' >/mnt/usr/local/etc/pkg/repos/FreeBSD-base.conf
fi
' sh ''
# end it, with all of its processes
/usr/sbin/jailadmin host jail-remove _build-base /var/db/jailadmin/pool/templates/base/1.stage
# wait until the kernel has let go of it
/usr/sbin/jailadmin host jail-wait _build-base /var/db/jailadmin/pool/templates/base/1.stage
# undo what is mounted in it, which the kernel leaves
/usr/sbin/jailadmin host unmount --below /var/db/jailadmin/pool/templates/base/1.stage
# remove its runtime directory
/usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0
# remove what it was installed from
/usr/sbin/jailadmin host remove-tree /var/db/jailadmin/pool/templates/base/1.stage
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
# warning: FreeBSD 15.1-RELEASE/minimal-jail is newer than the kernel of this host, 13.2-RELEASE: its programs may not run here

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/templates/base/spec.json
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base/1@sealed 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'   if there is the dataset tank/jailadmin/templates/base/1@sealed
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/pid
#   /usr/sbin/jailadmin host jail-remove _build-base /var/db/jailadmin/pool/templates/base/1.stage   if there is the jail _build-base
#   /usr/bin/rctl -r jail:_build-base   if there is the rctl jail:_build-base
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/data   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/data
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/mnt   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/mnt
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/usr/share   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/usr/share
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/usr/libexec   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/usr/libexec
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/usr/lib   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/usr/lib
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/usr/sbin   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/usr/sbin
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/usr/bin   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/usr/bin
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/libexec   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/libexec
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/lib   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/lib
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/sbin   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/sbin
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/bin   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/bin
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/tmp   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/tmp
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1.stage/dev   if there is the mount /var/db/jailadmin/pool/templates/base/1.stage/dev
#   /usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0   if there is the path /var/run/jailadmin-00/jails/0
#   /usr/sbin/jailadmin host remove-tree /var/db/jailadmin/pool/templates/base/1.stage   if there is the path /var/db/jailadmin/pool/templates/base/1.stage
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base/1 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'   if there is the dataset tank/jailadmin/templates/base/1
