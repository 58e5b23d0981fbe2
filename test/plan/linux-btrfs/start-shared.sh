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
   "type": "none",
   "source": "/sys",
   "options": [
    "rbind",
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
# give its address to the host, which it shares
/usr/sbin/ip address add 10.66.0.2/32 dev ja00br0
# name it and its addresses
/usr/sbin/jailadmin host write --root /var/db/jailadmin/pool/jails/web1/root/default --mode 0644 --uid 0 --gid 0 etc/hosts <<'END'
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
10.66.0.2 web1.default.internal web1
END
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /run/jailadmin-00/jails/0/applied.json <<'END'
{
 "name": "web1",
 "uuid": "cccccccc-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "template": "base",
 "version": "1",
 "vnet": "shared",
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
# it is wanted running from now on
/usr/sbin/jailadmin host store-set --state /var/db/jailadmin jail web1 wanted=running
# let go of its namespaces: its init keeps them
/usr/sbin/jailadmin host ns-release /run/jailadmin-00/jails/0/ns
# warning: web1 has the host's network: it cannot listen on ports below 1024
# warning: web1 shares its addresses with the host: jails of its networks do not reach them, as they do not reach the host
# warning: web1 has the host's network: it sees the host's abstract sockets and local services

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host crun-clean --root /run/jailadmin-00/crun --cgroup /jailadmin-00/ja000 ja000
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host remove --root /var/db/jailadmin/pool/jails/web1/root/default etc/hosts
#   /usr/sbin/ip address flush dev ja00br0 to 10.66.0.2/32   if there is the hostaddr 10.66.0.2
#   /usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/0/bundle   if there is the path /run/jailadmin-00/jails/0/bundle
#   /usr/sbin/jailadmin host cgroup-remove /jailadmin-00/ja000
#   /usr/sbin/jailadmin host ns-release /run/jailadmin-00/jails/0/ns   if there is the path /run/jailadmin-00/jails/0/ns
#   /usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/0   if there is the path /run/jailadmin-00/jails/0
