# make an empty subvolume for the template
/usr/bin/btrfs subvolume create /var/db/jailadmin/pool/templates/base/1
# unpack the archive into it
/usr/sbin/jailadmin host template-tar /srv/tree.tar /var/db/jailadmin/pool/templates/base/1
# make its runtime directory
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00/jails/0
# name it and its addresses
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/jails/0/hosts <<'END'
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
10.66.0.2 _build-base.default.internal _build-base
END
# name its resolver
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/jails/0/resolv.conf <<'END'
nameserver 10.66.0.1
search default.internal
END
# make its user and network namespaces, pinned while it starts
/usr/sbin/jailadmin host ns-create --uid-base 1879048192 --uid-count 65536 --no-link-local /run/jailadmin-00/jails/0/ns
# make its cgroup
/usr/sbin/jailadmin host cgroup-create /jailadmin-00/ja000
# limit it
/usr/sbin/jailadmin host cgroup-limit --memory 268435456 --swap 0 --processes 100 /jailadmin-00/ja000
# write its container configuration
/usr/sbin/jailadmin host bundle --filter /var/db/jailadmin/seccomp.bpf /run/jailadmin-00/jails/0/bundle <<'END'
{
 "ociVersion": "1.0.0",
 "root": {
  "path": "/run/jailadmin-00/jails/0/root",
  "readonly": false
 },
 "process": {
  "terminal": false,
  "user": {
   "uid": 0,
   "gid": 0
  },
  "cwd": "/",
  "noNewPrivileges": false,
  "args": [
   "/dev/.jailadmin-init",
   "-P"
  ],
  "env": [
   "HOME=/root",
   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
   "TERM=xterm",
   "container=jailadmin"
  ],
  "capabilities": {
   "bounding": [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_ADMIN",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT"
   ],
   "effective": [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_ADMIN",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT"
   ],
   "permitted": [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_ADMIN",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT"
   ]
  }
 },
 "mounts": [
  {
   "destination": "/proc",
   "type": "proc",
   "source": "proc",
   "options": [
    "nosuid",
    "noexec",
    "nodev"
   ]
  },
  {
   "destination": "/dev",
   "type": "tmpfs",
   "source": "tmpfs",
   "options": [
    "nosuid",
    "strictatime",
    "mode=0755",
    "size=65536k"
   ]
  },
  {
   "destination": "/dev/pts",
   "type": "devpts",
   "source": "devpts",
   "options": [
    "nosuid",
    "noexec",
    "newinstance",
    "ptmxmode=0666",
    "mode=0620",
    "gid=5"
   ]
  },
  {
   "destination": "/dev/shm",
   "type": "tmpfs",
   "source": "shm",
   "options": [
    "nosuid",
    "noexec",
    "nodev",
    "mode=1777",
    "size=65536k"
   ]
  },
  {
   "destination": "/dev/mqueue",
   "type": "mqueue",
   "source": "mqueue",
   "options": [
    "nosuid",
    "noexec",
    "nodev"
   ]
  },
  {
   "destination": "/sys",
   "type": "sysfs",
   "source": "sysfs",
   "options": [
    "nosuid",
    "noexec",
    "nodev",
    "ro"
   ]
  },
  {
   "destination": "/dev/.jailadmin-init",
   "type": "bind",
   "source": "/usr/bin/catatonit",
   "options": [
    "bind",
    "ro",
    "nosuid",
    "nodev"
   ]
  },
  {
   "destination": "/etc/hosts",
   "type": "bind",
   "source": "/run/jailadmin-00/jails/0/hosts",
   "options": [
    "rbind",
    "ro",
    "nosuid",
    "nodev"
   ]
  },
  {
   "destination": "/etc/resolv.conf",
   "type": "bind",
   "source": "/run/jailadmin-00/jails/0/resolv.conf",
   "options": [
    "rbind",
    "ro",
    "nosuid",
    "nodev"
   ]
  }
 ],
 "linux": {
  "namespaces": [
   {
    "type": "user",
    "path": "/run/jailadmin-00/jails/0/ns/user"
   },
   {
    "type": "mount"
   },
   {
    "type": "pid"
   },
   {
    "type": "ipc"
   },
   {
    "type": "uts"
   },
   {
    "type": "cgroup"
   },
   {
    "type": "network",
    "path": "/run/jailadmin-00/jails/0/ns/net"
   }
  ],
  "resources": {},
  "maskedPaths": [
   "/proc/acpi",
   "/proc/interrupts",
   "/proc/kcore",
   "/proc/keys",
   "/proc/latency_stats",
   "/proc/sched_debug",
   "/proc/scsi",
   "/proc/timer_list",
   "/proc/timer_stats",
   "/sys/devices/virtual/powercap",
   "/sys/firmware",
   "/sys/fs/selinux"
  ],
  "readonlyPaths": [
   "/proc/asound",
   "/proc/bus",
   "/proc/fs",
   "/proc/irq",
   "/proc/sys",
   "/proc/sysrq-trigger"
  ],
  "uidMappings": [
   {
    "containerID": 0,
    "hostID": 1879048192,
    "size": 65536
   }
  ],
  "gidMappings": [
   {
    "containerID": 0,
    "hostID": 1879048192,
    "size": 65536
   }
  ]
 },
 "hostname": "_build-base"
}
END
# make the pair ja000n0 and eth0, one end in the bridge ja00br0
/usr/sbin/ip -batch - <<'END'
link add ja000n0 numtxqueues 1 numrxqueues 1 type veth peer name eth0 numtxqueues 1 numrxqueues 1 address 0a:6c:5a:7b:df:17 netns /run/jailadmin-00/jails/0/ns/net
link set dev ja000n0 alias "jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001" addrgenmode none master ja00br0 up
END
# tell the host where its addresses are
/usr/sbin/ip -batch - <<'END'
neigh replace 10.66.0.2 lladdr 0a:6c:5a:7b:df:17 dev ja00br0 nud permanent
END
# configure its interfaces and routes from within
/usr/bin/nsenter --net=/run/jailadmin-00/jails/0/ns/net /usr/sbin/ip -batch - <<'END'
addr add 10.66.0.2/16 dev eth0
link set dev eth0 up
neigh replace 10.66.0.1 lladdr 26:ab:25:76:9a:44 dev eth0 nud permanent
route add default via 10.66.0.1 dev eth0
END
# let its interfaces send with their own addresses, and no others
/usr/sbin/nft -f - <<'END'
add element bridge ja00 nics { "ja000n0" . 0a:6c:5a:7b:df:17 }
add element bridge ja00 source4 { "ja000n0" . 10.66.0.2 }
add element bridge ja00 source6 { "ja000n0" . fe80::86c:5aff:fe7b:df17 }
add element bridge ja00 target6 { "ja000n0" . 0xfe80000000000000086c5afffe7bdf17 }
END
# tell network default its name
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/dns/default.d/_build-base <<'END'
10.66.0.2 _build-base.default.internal _build-base
END
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /run/jailadmin-00/jails/0/applied.json <<'END'
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
   ]
  }
 ],
 "limits": {
  "memory": 268435456,
  "processes": 100
 }
}
END
# start it
/usr/sbin/jailadmin host crun --cgroup /jailadmin-00/ja000 --filtered --tree /var/db/jailadmin/pool/templates/base/1 --root /run/jailadmin-00/jails/0/root --userns /run/jailadmin-00/jails/0/ns/user --log /run/jailadmin-00/jails/0/console.log --log-limit 1048576 --pid-file /run/jailadmin-00/jails/0/pid -- /usr/bin/crun --cgroup-manager disabled --root /run/jailadmin-00/crun run -d --pid-file /run/jailadmin-00/jails/0/pid -b /run/jailadmin-00/jails/0/bundle ja000
# keep packages from starting services
/usr/sbin/jailadmin host jail-exec --cgroup /jailadmin-00/ja000 -- /usr/bin/crun --cgroup-manager cgroupfs --root /run/jailadmin-00/crun exec ja000 /bin/sh -c 'if command -v dpkg >/dev/null && [ -d /usr/sbin ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '\''#!/bin/sh\n# jailadmin\nexit 101\n'\'' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
fi
'
# install packages in it
/usr/sbin/jailadmin host jail-exec --cgroup /jailadmin-00/ja000 -- /usr/bin/crun --cgroup-manager cgroupfs --root /run/jailadmin-00/crun exec ja000 /bin/sh -c 'set -e
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
/usr/sbin/jailadmin host jail-exec --cgroup /jailadmin-00/ja000 -- /usr/bin/crun --cgroup-manager cgroupfs --root /run/jailadmin-00/crun exec ja000 /bin/sh -c 'sysrc sshd_enable=YES'
# run the script motd in it
/usr/sbin/jailadmin host jail-exec --cgroup /jailadmin-00/ja000 -- /usr/bin/crun --cgroup-manager cgroupfs --root /run/jailadmin-00/crun exec ja000 /bin/sh -c 'umask 077; rm -f "$1"; cat >"$1" && chmod 700 "$1" && exec "$1"' sh /dev/.jailadmin-script <<'END'
#!/bin/sh
echo built >/etc/motd
END
# take away what is only for the installation
/usr/sbin/jailadmin host jail-exec --cgroup /jailadmin-00/ja000 -- /usr/bin/crun --cgroup-manager cgroupfs --root /run/jailadmin-00/crun exec ja000 /bin/sh -c 'if [ "$(sed -n 2p /usr/sbin/policy-rc.d 2>/dev/null)" = '\''# jailadmin'\'' ]; then rm /usr/sbin/policy-rc.d; fi
if command -v apt-get >/dev/null; then apt-get clean; rm -rf /var/lib/apt/lists/*; fi
if command -v dnf >/dev/null; then dnf -q clean all; fi
if [ -x /usr/local/sbin/pkg ]; then pkg clean -aqy; rm -rf /var/db/pkg/repos /var/db/pkg/repo-*; fi
'
# end it, with all of its processes
/usr/sbin/jailadmin host kill-init /run/jailadmin-00/jails/0/pid
# forget the name of its network namespace
/usr/sbin/jailadmin host netns-unlink ja00-_build-base
# forget where its addresses were
/usr/sbin/ip -batch - <<'END'
neigh flush to 10.66.0.2 dev ja00br0 nud permanent
END
# let network default forget its name
/usr/sbin/jailadmin host remove /run/jailadmin-00/dns/default.d/_build-base
# let the rules forget its interfaces
/usr/sbin/nft -f - <<'END'
add element bridge ja00 nics { "ja000n0" . 0a:6c:5a:7b:df:17 }
delete element bridge ja00 nics { "ja000n0" . 0a:6c:5a:7b:df:17 }
add element bridge ja00 source4 { "ja000n0" . 10.66.0.2 }
delete element bridge ja00 source4 { "ja000n0" . 10.66.0.2 }
add element bridge ja00 source6 { "ja000n0" . fe80::86c:5aff:fe7b:df17 }
delete element bridge ja00 source6 { "ja000n0" . fe80::86c:5aff:fe7b:df17 }
add element bridge ja00 target6 { "ja000n0" . 0xfe80000000000000086c5afffe7bdf17 }
delete element bridge ja00 target6 { "ja000n0" . 0xfe80000000000000086c5afffe7bdf17 }
END
# remove what crun and the kernel keep of it
/usr/sbin/jailadmin host crun-clean --root /run/jailadmin-00/crun --cgroup /jailadmin-00/ja000 ja000
# let go of its namespaces: its init keeps them
/usr/sbin/jailadmin host ns-release /run/jailadmin-00/jails/0/ns
# remove its runtime directory
/usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/0
# remove the pair ja000n0
/usr/sbin/jailadmin host link-remove ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'
# take out what must be one jail's own
/usr/sbin/jailadmin host template-clean /var/db/jailadmin/pool/templates/base/1
# seal the version: read-only from now on
/usr/bin/btrfs property set -ts /var/db/jailadmin/pool/templates/base/1 ro true
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/templates/base/spec.json <<'END'
{
 "name": "base",
 "uuid": "bbbbbbbb-0000-4000-8000-000000000001",
 "state": "ready",
 "created": "2026-01-01T00:00:00.000Z",
 "source": "busybox",
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
 "source": "busybox",
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
#   /usr/bin/btrfs property set -ts /var/db/jailadmin/pool/templates/base/1 ro false   if there is the subvolume /var/db/jailadmin/pool/templates/base/1
#   /usr/sbin/jailadmin host crun-clean --root /run/jailadmin-00/crun --cgroup /jailadmin-00/ja000 ja000
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/dns/default.d/_build-base
#   /usr/sbin/nft -f -   if there is the nft bridge ja00
#   /usr/sbin/ip -batch -
#   /usr/sbin/jailadmin host link-remove ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the link ja000n0
#   /usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/0/bundle   if there is the path /run/jailadmin-00/jails/0/bundle
#   /usr/sbin/jailadmin host cgroup-remove /jailadmin-00/ja000
#   /usr/sbin/jailadmin host ns-release /run/jailadmin-00/jails/0/ns   if there is the path /run/jailadmin-00/jails/0/ns
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/jails/0/resolv.conf
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/jails/0/hosts
#   /usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/0   if there is the path /run/jailadmin-00/jails/0
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/templates/base/1   if there is the subvolume /var/db/jailadmin/pool/templates/base/1
