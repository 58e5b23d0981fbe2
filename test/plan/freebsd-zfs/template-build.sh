# make an empty dataset for the template
/sbin/zfs create -o canmount=noauto -o 'jailadmin:mark=dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011' tank/jailadmin/templates/base/1
# mount it
/usr/sbin/jailadmin host zfs-mount tank/jailadmin/templates/base/1
# unpack the archive into it
/usr/sbin/jailadmin host template-tar /srv/tree.tar /var/db/jailadmin/pool/templates/base/1
# name its resolver
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/templates/base/1 --mode 0644 --uid 0 --gid 0 etc/resolv.conf <<'END'
nameserver 10.66.0.1
search default.internal
END
# make its runtime directory
/usr/sbin/jailadmin host mkdir --mode 0711 /var/run/jailadmin-00/jails/0
# let the rules know it
/sbin/ipfw -q table ja00nics add ja000n0 10000
/sbin/ipfw -q table ja00src add 10.66.0.2/32 10000 fe80::86c:5aff:fe7b:df17/128 10000
# make the pair ja000n0 and epair10000b, one end in the bridge ja00br0
/sbin/ifconfig epair10000 create name ja000n0
# say whose it is, and use it
/sbin/ifconfig ja000n0 description 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001' up
# set the jail's MAC, before the interface moves
/sbin/ifconfig epair10000b ether 0a:6c:5a:7b:df:17
# put the host's end into the bridge, for this MAC alone
/sbin/ifconfig ja00br0 addm ja000n0 static ja000n0 0a:6c:5a:7b:df:17 ifmaxaddr ja000n0 1
# tell the host where its addresses are
/usr/sbin/arp -s 10.66.0.2 0a:6c:5a:7b:df:17
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1 /dev
# give it its devices
/sbin/mount -t devfs -o ruleset=4 devfs /var/db/jailadmin/pool/templates/base/1/dev
# make the place of a mount, beneath its tree without links
/usr/sbin/jailadmin host mount-point /var/db/jailadmin/pool/templates/base/1 /tmp
# give it a /tmp that is no part of the tree
/sbin/mount -t tmpfs -o mode=1777 tmpfs /var/db/jailadmin/pool/templates/base/1/tmp
# limit it
/usr/bin/rctl -a jail:_build-base:memoryuse:sigkill=268435456 jail:_build-base:nthr:deny=100
# make the jail
/usr/sbin/jail -c name=_build-base path=/var/db/jailadmin/pool/templates/base/1 host.hostname=_build-base host.hostuuid=cccccccc-0000-4000-8000-000000000001 persist enforce_statfs=2 devfs_ruleset=4 children.max=0 vnet vnet.interface=epair10000b allow.raw_sockets
# note which jail of the kernel it is
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/jails/0/pid <<'END'
_build-base /var/db/jailadmin/pool/templates/base/1
END
# give its loopback interface an address
/usr/sbin/jexec _build-base /sbin/ifconfig lo0 inet 127.0.0.1/8 up
# give its interfaces their addresses
/usr/sbin/jexec _build-base /sbin/ifconfig epair10000b inet 10.66.0.2/16 alias up
# tell it where its gateway is
/usr/sbin/jexec _build-base /usr/sbin/arp -s 10.66.0.1 26:ab:25:76:9a:44
# tell it the ways to elsewhere
/usr/sbin/jexec _build-base /sbin/route -n add default 10.66.0.1
# tell network default its name
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/dns/default.d/_build-base <<'END'
10.66.0.2 _build-base.default.internal _build-base
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
 "limits": {
  "memory": 268435456,
  "processes": 100
 }
}
END
# keep packages from starting services
/usr/sbin/jexec _build-base /bin/sh -c 'if command -v dpkg >/dev/null && [ -d /usr/sbin ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '\''#!/bin/sh\n# jailadmin\nexit 101\n'\'' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
fi
'
# install packages in it
/usr/sbin/jexec _build-base /bin/sh -c 'set -e
if command -v apt-get >/dev/null; then
    apt-get -q update
    apt-get -q -y --no-install-recommends install -- "$@"
elif command -v apk >/dev/null; then
    apk add --no-cache -- "$@"
elif command -v dnf >/dev/null; then
    dnf -y install -- "$@"
elif command -v pkg >/dev/null; then
    ASSUME_ALWAYS_YES=yes pkg install -y -- "$@"
else
    echo '\''the template has no package manager: none of apt-get, apk, dnf and pkg'\'' >&2
    exit 1
fi
' sh nginx
# run in it: sysrc sshd_enable=YES
/usr/sbin/jexec _build-base /bin/sh -c 'sysrc sshd_enable=YES'
# run the script motd in it
/usr/sbin/jexec _build-base /bin/sh -c 'umask 077; rm -f "$1"; cat >"$1" && chmod 700 "$1" && exec "$1"' sh /tmp/.jailadmin-script <<'END'
#!/bin/sh
echo built >/etc/motd
END
# take away what is only for the installation
/usr/sbin/jexec _build-base /bin/sh -c 'if [ "$(sed -n 2p /usr/sbin/policy-rc.d 2>/dev/null)" = '\''# jailadmin'\'' ]; then rm /usr/sbin/policy-rc.d; fi
if command -v apt-get >/dev/null; then apt-get clean; rm -rf /var/lib/apt/lists/*; fi
if command -v dnf >/dev/null; then dnf -q clean all; fi
if [ -x /usr/local/sbin/pkg ]; then pkg clean -aqy; rm -rf /var/db/pkg/repos /var/db/pkg/repo-*; fi
'
# end it, with all of its processes
/usr/sbin/jailadmin host jail-remove _build-base /var/db/jailadmin/pool/templates/base/1
# let network default forget its name
/usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.d/_build-base
# remove its interfaces
/usr/sbin/jailadmin host link-remove ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'
# let the host forget where its addresses were
/usr/sbin/arp -d 10.66.0.2
# let the rules forget it
/sbin/ipfw -q table ja00nics delete ja000n0
/sbin/ipfw -q table ja00src delete 10.66.0.2/32 fe80::86c:5aff:fe7b:df17/128
# wait until the kernel has let go of it
/usr/sbin/jailadmin host jail-wait _build-base /var/db/jailadmin/pool/templates/base/1
# undo what is mounted in it, which the kernel leaves
/usr/sbin/jailadmin host unmount --below /var/db/jailadmin/pool/templates/base/1
# remove its runtime directory
/usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0
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
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.d/_build-base
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/jails/0/pid
#   /usr/sbin/jailadmin host jail-remove _build-base /var/db/jailadmin/pool/templates/base/1   if there is the jail _build-base
#   /usr/bin/rctl -r jail:_build-base   if there is the rctl jail:_build-base
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1/tmp   if there is the mount /var/db/jailadmin/pool/templates/base/1/tmp
#   /usr/sbin/jailadmin host unmount /var/db/jailadmin/pool/templates/base/1/dev   if there is the mount /var/db/jailadmin/pool/templates/base/1/dev
#   /usr/sbin/arp -d 10.66.0.2   if there is the neighbour 10.66.0.2 ja00br0
#   /usr/sbin/jailadmin host link-remove --made-as epair10000a ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'
#   /sbin/ipfw -q table ja00src delete 10.66.0.2/32 fe80::86c:5aff:fe7b:df17/128   if there is the ipfw table ja00src 10.66.0.2/32
#   /sbin/ipfw -q table ja00nics delete ja000n0   if there is the ipfw table ja00nics ja000n0
#   /usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0   if there is the path /var/run/jailadmin-00/jails/0
#   /usr/sbin/jailadmin host zfs-destroy tank/jailadmin/templates/base/1 'dddddddd-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000011'   if there is the dataset tank/jailadmin/templates/base/1
