# load what shapes traffic
/sbin/kldload -n dummynet
# lower its securelevel, which forbids the change
/usr/sbin/jail -m name=web1 securelevel=-1
# shape what it is sent by eth0 anew
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60001 config bw 1000000000bit/s queue 1000Kbytes burst 1048576
# lead what it is sent by eth0 through it
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 1 pipe 60001 ip from any to any in recv epair10000b
# remember what is applied to it
/usr/sbin/jailadmin host write --mode 0600 /var/run/jailadmin-00/jails/0/applied.json <<'END'
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
   "unit": 10000,
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
   "unit": 10000,
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
   "unit": 10000,
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
# shape what it is sent by eth0 by the new rule alone
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q delete 98
# remove a delay of what it is sent by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61001 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61002 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61003 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61004 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61005 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61006 delete
# shape what it sends by eth0 no more
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q delete 99
# remove a delay of what it sends by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61007 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61008 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61009 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61010 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61011 delete
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61012 delete
# remove the pipe of what it sends by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60002 delete

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
#   /usr/sbin/jailadmin host write --mode 0600 /var/run/jailadmin-00/jails/0/applied.json   if there is the path /var/run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q delete 1
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60001 config bw 10000000bit/s queue 50
#   /usr/sbin/jail -m name=web1 securelevel=3
