# let the rules know it
/sbin/ipfw -q table ja00gw add 10.66.0.254/32 40000
/sbin/ipfw -q table ja00natted add 10.66.0.0/16 0
/sbin/ipfw -q table ja00alone add 10.66.0.0/16 40000
# make the tables that the rules look into
/sbin/ipfw table ja00nat1 create type addr
# let the rules know it
/sbin/ipfw -q table ja00nat1 add 10.66.0.0/16 0
# translate addresses to those of em1
/usr/sbin/jailadmin host nat-config /var/run/jailadmin-00 20001 em1
# let the host itself reach what is forwarded from em1
/usr/sbin/jailadmin host nat-config --back /var/run/jailadmin-00 20017 em1
# translate what jails send, and what is for them
/sbin/ipfw -q /dev/stdin <<'END'
add 20120 set 1 nat 20001 ip4 from table(ja00nat1) to not table(ja00nets) out xmit em1
add 20121 set 1 nat 20001 ip4 from any to me in recv em1
add 20122 set 1 nat 20001 ip4 from any to me in recv ja00*
add 20122 set 1 call tablearg ip4 from any to table(ja00rules) in recv ja00*
add 20123 set 1 allow tag 41001 ip4 from any to table(ja00nets) not dst-ip me in recv ja00*
add 20124 set 1 nat 20001 ip4 from any to any out recv ja00* xmit ja00br* tagged 41001
add 20125 set 1 allow ip4 from any to any out recv ja00* xmit ja00br* tagged 41001
add 20126 set 1 nat 20017 tcp from me to me not dst-ip 127.0.0.0/8 lookup dst-port ja00tcp out
add 20127 set 1 nat 20017 udp from me to me not dst-ip 127.0.0.0/8 lookup dst-port ja00udp out
add 20128 set 1 skipto 20454 ip4 from me to table(ja00nets) not dst-ip me out keep-state :ja00
add 20454 set 1 allow ip4 from me to table(ja00nets) not dst-ip me out
add 20455 set 1 nat 20017 ip4 from table(ja00nets) to me in recv ja00*
add 20456 set 1 allow tag 41100 ip4 from me to me in recv ja00*
END
# take the gateway's old address away
/sbin/ifconfig ja00br0 inet 10.66.0.1 -alias
# give it the gateway's address
/sbin/ifconfig ja00br0 inet 10.66.0.254/16 alias
# let the host forward; counted, and put back by the last
/usr/sbin/jailadmin host setting acquire 00 net.inet.ip.forwarding 1
# tell the host where its addresses are
/usr/sbin/arp -s 10.66.0.2 0a:6c:5a:7b:df:17
# let web1 not see its neighbours
/sbin/ifconfig ja00br0 private ja000n0
# end the resolver of network default
/usr/sbin/jailadmin host daemon-stop /var/run/jailadmin-00/dns/default.pid dnsmasq
# tell network default its name
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/dns/default.d/web1 <<'END'
10.66.0.2 web1.default.internal web1
END
# set up the resolver of network default
/usr/sbin/jailadmin host write --mode 0644 /var/run/jailadmin-00/dns/default.conf <<'END'
# names of network default; written by jailadmin, do not edit
user=nobody
bind-interfaces
listen-address=10.66.0.254
no-hosts
hostsdir=/var/run/jailadmin-00/dns/default.d
domain=default.internal
local=/default.internal/
domain-needed
rev-server=10.66.0.0/16
END
# start the resolver of network default
/usr/local/sbin/dnsmasq --conf-file=/var/run/jailadmin-00/dns/default.conf --pid-file=/var/run/jailadmin-00/dns/default.pid
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/instance/default.network.json <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.254/16"
 ],
 "nat": "em1",
 "isolate": true
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
  "10.66.0.254/16"
 ],
 "nat": "em1",
 "isolate": true
}
END
# let the rules forget it
/sbin/ipfw -q table ja00gw delete 10.66.0.1/32
/sbin/ipfw -q table ja00nat0 delete 10.66.0.0/16
# no network uses the uplink vtnet0 any more
/sbin/ipfw -q delete 20100 20101
# remove its address translation
/sbin/ipfw -q nat 20000 delete
# remove the tables of the rules
/sbin/ipfw table ja00nat0 destroy
# warning: the host has no interface em1 now, by which network default is to reach the world

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/default.network.json
#   /usr/sbin/jailadmin host daemon-stop /var/run/jailadmin-00/dns/default.pid dnsmasq
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.conf
#   /usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.d/web1
#   /usr/sbin/jailadmin host daemon-start /var/run/jailadmin-00/dns/default.pid dnsmasq -- /usr/local/sbin/dnsmasq --conf-file=/var/run/jailadmin-00/dns/default.conf --pid-file=/var/run/jailadmin-00/dns/default.pid
#   /sbin/ifconfig ja00br0 -private ja000n0   if there is the member ja00br0 ja000n0
#   /usr/sbin/arp -d 10.66.0.2   if there is the neighbour 10.66.0.2 ja00br0
#   /sbin/ifconfig ja00br0 inet 10.66.0.254 -alias   if there is the hostaddr 10.66.0.254
#   /sbin/ifconfig ja00br0 inet 10.66.0.1/16 alias
#   /sbin/ipfw -q delete 20120 20121 20122 20123 20124 20125 20126 20127 20128 20454 20455 20456   if there is the ipfw rule 20120
#   /sbin/ipfw -q nat 20017 delete   if there is the ipfw nat 20017
#   /sbin/ipfw -q nat 20001 delete   if there is the ipfw nat 20001
#   /sbin/ipfw -q table ja00nat1 delete 10.66.0.0/16   if there is the ipfw table ja00nat1 10.66.0.0/16
#   /sbin/ipfw table ja00nat1 destroy   if there is the ipfw table ja00nat1
#   /sbin/ipfw -q table ja00alone delete 10.66.0.0/16   if there is the ipfw table ja00alone 10.66.0.0/16
#   /sbin/ipfw -q table ja00natted delete 10.66.0.0/16   if there is the ipfw table ja00natted 10.66.0.0/16
#   /sbin/ipfw -q table ja00gw delete 10.66.0.254/32   if there is the ipfw table ja00gw 10.66.0.254/32
