# load what shapes traffic
/sbin/kldload -n dummynet
# let what has been shaped go on through its own rules
/usr/sbin/jexec web1 /sbin/sysctl net.inet.ip.fw.one_pass=0
# shape what it is sent by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60001 config bw 10000000bit/s queue 50 delay 20 plr 0.005000
# lead what it is sent by eth0 through it
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 3 pipe 60001 ip from any to any in '{' recv epair10000b or dst-ip 10.66.0.2 '}' not src-ip 10.66.0.2
# shape what it sends by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60002 config bw 1000000bit/s queue 80
# lead what it sends by eth0 through it
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 4 pipe 60002 ip from any to any out '{' xmit epair10000b or src-ip 10.66.0.2 '}' not dst-ip 10.66.0.2
# raise its securelevel
/usr/sbin/jail -m name=web1 securelevel=3
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
   "unit": 10000,
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
   "unit": 10000,
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
#   /usr/sbin/jailadmin host write --mode 0600 /var/run/jailadmin-00/jails/0/applied.json   if there is the path /var/run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jail -m name=web1 securelevel=-1
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q delete 4
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60002 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q delete 3
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60001 delete
#   /usr/sbin/jexec web1 /sbin/sysctl net.inet.ip.fw.one_pass=1
