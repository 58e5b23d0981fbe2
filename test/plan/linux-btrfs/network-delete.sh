# forget the network
/usr/sbin/jailadmin host store-delete --state /var/db/jailadmin network default
# end the resolver
/usr/sbin/jailadmin host daemon-stop /run/jailadmin-00/dns/default.pid dnsmasq
# remove the resolver's settings
/usr/sbin/jailadmin host remove /run/jailadmin-00/dns/default.conf
# remove the directory of its jails' names
/usr/sbin/jailadmin host remove-tree /run/jailadmin-00/dns/default.d
# remove the bridge ja00br0 of network default
/usr/sbin/jailadmin host link-remove ja00br0 'jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000001'
# let the rules forget the network
/usr/sbin/nft -f - <<'END'
add element inet ja00 nets { "ja00br0" }
delete element inet ja00 nets { "ja00br0" }
add element inet ja00 auto { "ja00br0" }
delete element inet ja00 auto { "ja00br0" }
add element inet ja00 own { "ja00br0" . "ja00br0" }
delete element inet ja00 own { "ja00br0" . "ja00br0" }
add element inet ja00 gateway4 { "ja00br0" . 10.66.0.1 }
delete element inet ja00 gateway4 { "ja00br0" . 10.66.0.1 }
add element bridge ja00 gateway4 { 10.66.0.1 }
delete element bridge ja00 gateway4 { 10.66.0.1 }
END
# remove the spec that was kept for `adopt`
/usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/default.network.json

# a failure before the commit is undone by:
