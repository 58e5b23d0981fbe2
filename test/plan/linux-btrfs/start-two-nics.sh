# make its runtime directory
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00/jails/1
# make its user and network namespaces, pinned while it starts
/usr/sbin/jailadmin host ns-create --uid-base 1879113728 --uid-count 65536 /run/jailadmin-00/jails/1/ns
# make its cgroup
/usr/sbin/jailadmin host cgroup-create /jailadmin-00/ja001
# write its container configuration
/usr/sbin/jailadmin host bundle --filter /var/db/jailadmin/seccomp.bpf /run/jailadmin-00/jails/1/bundle <<'END'
{
 "ociVersion": "1.0.0",
 "root": {
  "path": "/run/jailadmin-00/jails/1/root",
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
  }
 ],
 "linux": {
  "namespaces": [
   {
    "type": "user",
    "path": "/run/jailadmin-00/jails/1/ns/user"
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
    "path": "/run/jailadmin-00/jails/1/ns/net"
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
    "hostID": 1879113728,
    "size": 65536
   }
  ],
  "gidMappings": [
   {
    "containerID": 0,
    "hostID": 1879113728,
    "size": 65536
   }
  ]
 },
 "hostname": "web2"
}
END
# make the pair ja001n0 and eth0, one end in the bridge ja00br0
/usr/sbin/ip -batch - <<'END'
link add ja001n0 numtxqueues 1 numrxqueues 1 type veth peer name eth0 numtxqueues 1 numrxqueues 1 address e6:bb:3c:08:0c:ce netns /run/jailadmin-00/jails/1/ns/net
link set dev ja001n0 alias "jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002" addrgenmode none master ja00br0 up
END
# make the pair ja001n1 and eth1, one end in the bridge ja00br1
/usr/sbin/ip -batch - <<'END'
link add ja001n1 numtxqueues 1 numrxqueues 1 type veth peer name eth1 numtxqueues 1 numrxqueues 1 address b6:5c:2f:96:57:4c netns /run/jailadmin-00/jails/1/ns/net
link set dev ja001n1 alias "jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002" addrgenmode none master ja00br1 up
END
# tell the host where its addresses are
/usr/sbin/ip -batch - <<'END'
neigh replace 10.66.0.3 lladdr e6:bb:3c:08:0c:ce dev ja00br0 nud permanent
neigh replace 192.168.2.2 lladdr b6:5c:2f:96:57:4c dev ja00br1 nud permanent
neigh replace fd00:2::2 lladdr b6:5c:2f:96:57:4c dev ja00br1 nud permanent
END
# configure its interfaces and routes from within
/usr/bin/nsenter --net=/run/jailadmin-00/jails/1/ns/net /usr/sbin/ip -batch - <<'END'
addr add 10.66.0.3/16 dev eth0
link set dev eth0 up
neigh replace 10.66.0.1 lladdr 26:ab:25:76:9a:44 dev eth0 nud permanent
route add default via 10.66.0.1 dev eth0
addr add 192.168.2.2/24 dev eth1
addr add fd00:2::2/64 dev eth1 nodad
link set dev eth1 up
neigh replace 192.168.2.1 lladdr 32:9e:87:56:1c:e2 dev eth1 nud permanent
neigh replace fd00:2::1 lladdr 32:9e:87:56:1c:e2 dev eth1 nud permanent
route add default via fd00:2::1 dev eth1
END
# let its interfaces send with their own addresses, and no others
/usr/sbin/nft -f - <<'END'
add element bridge ja00 nics { "ja001n0" . e6:bb:3c:08:0c:ce }
add element bridge ja00 source4 { "ja001n0" . 10.66.0.3 }
add element bridge ja00 source6 { "ja001n0" . fe80::e4bb:3cff:fe08:cce }
add element bridge ja00 target6 { "ja001n0" . 0xfe80000000000000e4bb3cfffe080cce }
add element bridge ja00 nics { "ja001n1" . b6:5c:2f:96:57:4c }
add element bridge ja00 source4 { "ja001n1" . 192.168.2.2 }
add element bridge ja00 source6 { "ja001n1" . fd00:2::2 }
add element bridge ja00 target6 { "ja001n1" . 0xfd000002000000000000000000000002 }
add element bridge ja00 source6 { "ja001n1" . fe80::b45c:2fff:fe96:574c }
add element bridge ja00 target6 { "ja001n1" . 0xfe80000000000000b45c2ffffe96574c }
add element bridge ja00 isolated { "ja001n1" }
END
# tell network default its name
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/dns/default.d/web2 <<'END'
10.66.0.3 web2.default.internal web2
END
# tell network lan its name
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/dns/lan.d/web2 <<'END'
192.168.2.2 web2.lan.internal web2
fd00:2::2 web2.lan.internal web2
END
# name it and its addresses
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web2/root/default --mode 0644 --uid 0 --gid 0 etc/hosts <<'END'
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
10.66.0.3 web2.default.internal web2
192.168.2.2 web2.lan.internal web2
fd00:2::2 web2.lan.internal web2
END
# name its resolver
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web2/root/default --mode 0644 --uid 0 --gid 0 etc/resolv.conf <<'END'
nameserver 10.66.0.1
nameserver 192.168.2.1
search default.internal lan.internal
END
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /run/jailadmin-00/jails/1/applied.json <<'END'
{
 "name": "web2",
 "uuid": "cccccccc-0000-4000-8000-000000000002",
 "slot": 1,
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
# start it
/usr/sbin/jailadmin host crun --cgroup /jailadmin-00/ja001 --filtered --tree /var/db/jailadmin/pool/jails/web2/root/default --root /run/jailadmin-00/jails/1/root --userns /run/jailadmin-00/jails/1/ns/user --log /var/db/jailadmin/pool/jails/web2/console.log --log-limit 1048576 --pid-file /run/jailadmin-00/jails/1/pid -- /usr/bin/crun --cgroup-manager disabled --root /run/jailadmin-00/crun run -d --pid-file /run/jailadmin-00/jails/1/pid -b /run/jailadmin-00/jails/1/bundle ja001
# it is wanted running from now on
/usr/sbin/jailadmin host store-set --state /var/db/jailadmin jail web2 wanted=running
# name its network namespace for `ip netns`
/usr/sbin/jailadmin host netns-link ja00-web2 /run/jailadmin-00/jails/1/pid
# let go of its namespaces: its init keeps them
/usr/sbin/jailadmin host ns-release /run/jailadmin-00/jails/1/ns

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host crun-clean --root /run/jailadmin-00/crun --cgroup /jailadmin-00/ja001 ja001
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/jails/1/applied.json
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web2/root/default etc/resolv.conf
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web2/root/default etc/hosts
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/dns/lan.d/web2
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/dns/default.d/web2
#   /usr/sbin/nft -f -   if there is the nft bridge ja00
#   /usr/sbin/ip -batch -
#   /usr/sbin/jailadmin host link-remove ja001n1 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002'   if there is the link ja001n1
#   /usr/sbin/jailadmin host link-remove ja001n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000002'   if there is the link ja001n0
#   /usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/1/bundle   if there is the path /run/jailadmin-00/jails/1/bundle
#   /usr/sbin/jailadmin host cgroup-remove /jailadmin-00/ja001
#   /usr/sbin/jailadmin host ns-release /run/jailadmin-00/jails/1/ns   if there is the path /run/jailadmin-00/jails/1/ns
#   /usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/1   if there is the path /run/jailadmin-00/jails/1
