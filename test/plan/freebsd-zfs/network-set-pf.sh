# translate addresses to those of the uplink, by pf
/sbin/pfctl -q -a jailadmin/ja00br0 -o none -f - <<'END'
nat on vtnet0 inet from 10.66.0.0/16 to any -> (vtnet0:0)
block drop in quick on vtnet0 inet from any to 10.66.0.0/16
block drop in quick on ! lo0 inet from ! 10.66.0.0/16 to 10.66.0.0/16
END
# forward its ports, by pf
/sbin/pfctl -q -a jailadmin/ja000 -o none -f - <<'END'
rdr pass on vtnet0 inet proto tcp from any to (vtnet0) port = 8080 -> 10.66.0.2 port 80
rdr pass on vtnet0 inet proto udp from any to (vtnet0) port 5000:5002 -> 10.66.0.2 port 53:55
END
# forward its ports
/usr/sbin/jailadmin host nat-config /var/run/jailadmin-00 20000 vtnet0 remove 'tcp 10.66.0.2:80 8080' remove 'udp 10.66.0.2:53-55 5000-5002'
# also for the host itself
/usr/sbin/jailadmin host nat-config --back /var/run/jailadmin-00 20016 vtnet0 remove 'tcp 10.66.0.2:80 8080' remove 'udp 10.66.0.2:53-55 5000-5002'
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/instance/default.network.json <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.1/16"
 ],
 "nat-by": "pf"
}
END
# record the network
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin network default <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.1/16"
 ],
 "nat-by": "pf"
}
END
# let the rules forget it
/sbin/ipfw -q table ja00natted delete 10.66.0.0/16
/sbin/ipfw -q table ja00nat0 delete 10.66.0.0/16
# no network uses the uplink vtnet0 any more
/sbin/ipfw -q delete 20100 20101
# remove its address translation
/sbin/ipfw -q nat 20000 delete
# remove the tables of the rules
/sbin/ipfw table ja00nat0 destroy

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/default.network.json
#   /usr/sbin/jailadmin host nat-config --back /var/run/jailadmin-00 20016 vtnet0 add 'tcp 10.66.0.2:80 8080' add 'udp 10.66.0.2:53-55 5000-5002'   if there is the ipfw nat 20016
#   /usr/sbin/jailadmin host nat-config /var/run/jailadmin-00 20000 vtnet0 add 'tcp 10.66.0.2:80 8080' add 'udp 10.66.0.2:53-55 5000-5002'   if there is the ipfw nat 20000
#   /sbin/pfctl -q -a jailadmin/ja000 -f /dev/null   if there is the pf anchor ja000
#   /sbin/pfctl -q -a jailadmin/ja00br0 -f /dev/null   if there is the pf anchor ja00br0
