# shape what it is sent by eth0
/usr/sbin/tc -batch - <<'END'
qdisc replace dev ja000n0 root handle 1: tbf rate 10000000bit burst 12500b limit 75000b
qdisc replace dev ja000n0 parent 1:1 handle 20: netem limit 98 delay 20ms loss random 0.5000%
END
# make ja000s0, through which goes what it sends by eth0
/usr/sbin/ip -batch - <<'END'
link add ja000s0 type ifb
link set dev ja000s0 alias "jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001" addrgenmode none up
END
# shape what it sends by eth0
/usr/sbin/tc -batch - <<'END'
qdisc replace dev ja000s0 root handle 1: tbf rate 1000000bit burst 3036b limit 120000b
qdisc replace dev ja000s0 parent 1:1 handle 10: pfifo limit 80
qdisc add dev ja000n0 ingress
filter add dev ja000n0 parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev ja000s0
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
 "nics": [
  {
   "label": "eth0",
   "network": "default",
   "assigned": [
    "10.66.0.2/16"
   ],
   "shape": {
    "in": {
     "rate": 10000000,
     "delay": 0.02,
     "loss": 0.5
    },
    "out": {
     "rate": 1000000,
     "queue": 80
    },
    "enforce": true
   }
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
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/jails/web1/spec.json <<'END'
{
 "name": "web1",
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
   "shape": {
    "in": {
     "rate": 10000000,
     "delay": 0.02,
     "loss": 0.5
    },
    "out": {
     "rate": 1000000,
     "queue": 80
    },
    "enforce": true
   }
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
# record the jail
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin jail web1 <<'END'
{
 "name": "web1",
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
   "shape": {
    "in": {
     "rate": 10000000,
     "delay": 0.02,
     "loss": 0.5
    },
    "out": {
     "rate": 1000000,
     "queue": 80
    },
    "enforce": true
   }
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

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
#   /usr/sbin/jailadmin host write --mode 0600 /run/jailadmin-00/jails/0/applied.json   if there is the path /run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/tc -batch -   if there is the link ja000n0
#   /usr/sbin/jailadmin host link-remove ja000s0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'   if there is the link ja000s0
#   /usr/sbin/tc -batch -   if there is the link ja000n0
