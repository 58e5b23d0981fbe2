# forget the network
/usr/sbin/jailadmin host store-delete --state /var/db/jailadmin network default
# end the resolver
/usr/sbin/jailadmin host daemon-stop /var/run/jailadmin-00/dns/default.pid dnsmasq
# remove the resolver's settings
/usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.conf
# remove the directory of its jails' names
/usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/dns/default.d
# remove the network's bridge
/usr/sbin/jailadmin host link-remove ja00br0 'jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000001'
# let the rules forget it
/sbin/ipfw -q table ja00nets delete 10.66.0.0/16
/sbin/ipfw -q table ja00gw delete 10.66.0.1/32
/sbin/ipfw -q table ja00natted delete 10.66.0.0/16
/sbin/ipfw -q table ja00nat0 delete 10.66.0.0/16
# no network uses the uplink vtnet0 any more
/sbin/ipfw -q delete 20100 20101
# remove its address translation
/sbin/ipfw -q nat 20000 delete
# remove the tables of the rules
/sbin/ipfw table ja00nat0 destroy
# remove the spec that was kept for `adopt`
/usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/default.network.json

# a failure before the commit is undone by:
