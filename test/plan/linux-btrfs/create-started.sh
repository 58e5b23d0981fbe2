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
# make its log
/usr/sbin/jailadmin host write --mode 0600 /var/db/jailadmin/pool/jails/web1/console.log
# make the jail's volumes
/usr/bin/btrfs subvolume create /var/db/jailadmin/pool/jails/web1/vol/data
# clone the template base@1
/usr/bin/btrfs subvolume snapshot /var/db/jailadmin/pool/templates/base/1 /var/db/jailadmin/pool/jails/web1/root/default
# make its runtime directory
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00/jails/0
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
   "/sbin/init"
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
   "destination": "/data",
   "type": "bind",
   "source": "/var/db/jailadmin/pool/jails/web1/vol/data",
   "options": [
    "rbind",
    "rw"
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
 "hostname": "web1"
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
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/dns/default.d/web1 <<'END'
10.66.0.2 web1.default.internal web1
END
# name it and its addresses
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web1/root/default --mode 0644 --uid 0 --gid 0 etc/hosts <<'END'
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
10.66.0.2 web1.default.internal web1
END
# name its resolver
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web1/root/default --mode 0644 --uid 0 --gid 0 etc/resolv.conf <<'END'
nameserver 10.66.0.1
search default.internal
END
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /run/jailadmin-00/jails/0/applied.json <<'END'
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
# start it
/usr/sbin/jailadmin host crun --cgroup /jailadmin-00/ja000 --filtered --tree /var/db/jailadmin/pool/jails/web1/root/default --root /run/jailadmin-00/jails/0/root --idmap /var/db/jailadmin/pool/jails/web1/vol/data --userns /run/jailadmin-00/jails/0/ns/user --log /var/db/jailadmin/pool/jails/web1/console.log --log-limit 1048576 --pid-file /run/jailadmin-00/jails/0/pid -- /usr/bin/crun --cgroup-manager disabled --root /run/jailadmin-00/crun run -d --pid-file /run/jailadmin-00/jails/0/pid -b /run/jailadmin-00/jails/0/bundle ja000
# record the jail
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin jail web1 <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "state": "ready",
 "wanted": "running",
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
# name its network namespace for `ip netns`
/usr/sbin/jailadmin host netns-link ja00-web1 /run/jailadmin-00/jails/0/pid
# let go of its namespaces: its init keeps them
/usr/sbin/jailadmin host ns-release /run/jailadmin-00/jails/0/ns

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host crun-clean --root /run/jailadmin-00/crun --cgroup /jailadmin-00/ja000 ja000
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web1/root/default etc/resolv.conf
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web1/root/default etc/hosts
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/dns/default.d/web1
#   /usr/sbin/nft -f -   if there is the nft bridge ja00
#   /usr/sbin/ip -batch -
#   /usr/sbin/jailadmin host link-remove ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the link ja000n0
#   /usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/0/bundle   if there is the path /run/jailadmin-00/jails/0/bundle
#   /usr/sbin/jailadmin host cgroup-remove /jailadmin-00/ja000
#   /usr/sbin/jailadmin host ns-release /run/jailadmin-00/jails/0/ns   if there is the path /run/jailadmin-00/jails/0/ns
#   /usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/0   if there is the path /run/jailadmin-00/jails/0
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/root/default   if there is the subvolume /var/db/jailadmin/pool/jails/web1/root/default
#   /usr/bin/btrfs subvolume delete /var/db/jailadmin/pool/jails/web1/vol/data   if there is the subvolume /var/db/jailadmin/pool/jails/web1/vol/data
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/console.log
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web1/vol   if there is the path /var/db/jailadmin/pool/jails/web1/vol
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web1/root   if there is the path /var/db/jailadmin/pool/jails/web1/root
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails/web1   if there is the path /var/db/jailadmin/pool/jails/web1
