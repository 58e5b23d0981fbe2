# shape what it is sent by eth0 anew
/usr/sbin/tc -batch - <<'END'
qdisc replace dev ja000n0 root handle 1: tbf rate 1000000000bit burst 1048576b limit 6249000b
qdisc replace dev ja000n0 parent 1:1 handle 10: pfifo limit 4166
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
     "rate": 1000000000,
     "burst": 1048576
    }
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
     "rate": 1000000000,
     "burst": 1048576
    }
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
     "rate": 1000000000,
     "burst": 1048576
    }
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
# shape what it sends by eth0 no more
/usr/sbin/tc -batch - <<'END'
qdisc replace dev ja000n0 ingress
qdisc delete dev ja000n0 ingress
END
# remove ja000s0
/usr/sbin/jailadmin host link-remove ja000s0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
#   /usr/sbin/jailadmin host write --mode 0600 /run/jailadmin-00/jails/0/applied.json   if there is the path /run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/tc -batch -   if there is the link ja000n0
