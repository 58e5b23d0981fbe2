# load what shapes traffic
/sbin/kldload -n dummynet
# delay some of what it is sent by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61001 config delay 67
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61002 config delay 80
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61003 config delay 93
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61004 config delay 107
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61005 config delay 120
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61006 config delay 133
# shape what it is sent by eth0 anew
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60001 config bw 10000000bit/s queue 50
# take a mark from what it is sent by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 98 count untag 60001 ip from any to any in '{' recv epair10000b or dst-ip 10.66.0.2 '}' not src-ip 10.66.0.2
# lead what it is sent by eth0 through one of the delays
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 98 prob 0.166667 pipe 61001 tag 60001 ip from any to any in '{' recv epair10000b or dst-ip 10.66.0.2 '}' not src-ip 10.66.0.2 not tagged 60001
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 98 prob 0.200000 pipe 61002 tag 60001 ip from any to any in '{' recv epair10000b or dst-ip 10.66.0.2 '}' not src-ip 10.66.0.2 not tagged 60001
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 98 prob 0.250000 pipe 61003 tag 60001 ip from any to any in '{' recv epair10000b or dst-ip 10.66.0.2 '}' not src-ip 10.66.0.2 not tagged 60001
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 98 prob 0.333333 pipe 61004 tag 60001 ip from any to any in '{' recv epair10000b or dst-ip 10.66.0.2 '}' not src-ip 10.66.0.2 not tagged 60001
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 98 prob 0.500000 pipe 61005 tag 60001 ip from any to any in '{' recv epair10000b or dst-ip 10.66.0.2 '}' not src-ip 10.66.0.2 not tagged 60001
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 98 pipe 61006 tag 60001 ip from any to any in '{' recv epair10000b or dst-ip 10.66.0.2 '}' not src-ip 10.66.0.2 not tagged 60001
# lead what it is sent by eth0 through the rest
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 98 pipe 60001 untag 60001 ip from any to any in '{' recv epair10000b or dst-ip 10.66.0.2 '}' not src-ip 10.66.0.2
# delay some of what it sends by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61007 config delay 3
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61008 config delay 4
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61009 config delay 5
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61010 config delay 5
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61011 config delay 6
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61012 config delay 7
# shape what it sends by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60002 config
# take a mark from what it sends by eth0
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 99 count untag 60002 ip from any to any out '{' xmit epair10000b or src-ip 10.66.0.2 '}' not dst-ip 10.66.0.2
# lead what it sends by eth0 through one of the delays
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 99 prob 0.166667 pipe 61007 tag 60002 ip from any to any out '{' xmit epair10000b or src-ip 10.66.0.2 '}' not dst-ip 10.66.0.2 not tagged 60002
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 99 prob 0.200000 pipe 61008 tag 60002 ip from any to any out '{' xmit epair10000b or src-ip 10.66.0.2 '}' not dst-ip 10.66.0.2 not tagged 60002
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 99 prob 0.250000 pipe 61009 tag 60002 ip from any to any out '{' xmit epair10000b or src-ip 10.66.0.2 '}' not dst-ip 10.66.0.2 not tagged 60002
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 99 prob 0.333333 pipe 61010 tag 60002 ip from any to any out '{' xmit epair10000b or src-ip 10.66.0.2 '}' not dst-ip 10.66.0.2 not tagged 60002
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 99 prob 0.500000 pipe 61011 tag 60002 ip from any to any out '{' xmit epair10000b or src-ip 10.66.0.2 '}' not dst-ip 10.66.0.2 not tagged 60002
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 99 pipe 61012 tag 60002 ip from any to any out '{' xmit epair10000b or src-ip 10.66.0.2 '}' not dst-ip 10.66.0.2 not tagged 60002
# lead what it sends by eth0 through the rest
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q add 99 pipe 60002 untag 60002 ip from any to any out '{' xmit epair10000b or src-ip 10.66.0.2 '}' not dst-ip 10.66.0.2
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
     "delay": 0.10000000000000001,
     "jitter": 0.040000000000000001
    },
    "out": {
     "delay": 0.0050000000000000001,
     "jitter": 0.002
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
     "delay": 0.10000000000000001,
     "jitter": 0.040000000000000001
    },
    "out": {
     "delay": 0.0050000000000000001,
     "jitter": 0.002
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
     "delay": 0.10000000000000001,
     "jitter": 0.040000000000000001
    },
    "out": {
     "delay": 0.0050000000000000001,
     "jitter": 0.002
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
# shape what it is sent by eth0 by the new rule alone
/usr/sbin/jailadmin host jail-rescue web1 ipfw -q delete 1
# raise its securelevel
/usr/sbin/jail -m name=web1 securelevel=3

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/jails/web1/spec.json
#   /usr/sbin/jailadmin host write --mode 0600 /var/run/jailadmin-00/jails/0/applied.json   if there is the path /var/run/jailadmin-00/jails/0/applied.json
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q delete 99
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60002 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61012 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61011 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61010 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61009 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61008 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61007 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q delete 98
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 60001 config bw 1000000000bit/s queue 1000Kbytes burst 1048576
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61006 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61005 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61004 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61003 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61002 delete
#   /usr/sbin/jailadmin host jail-rescue web1 ipfw -q pipe 61001 delete
