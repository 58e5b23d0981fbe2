# it is wanted stopped from now on
/usr/sbin/jailadmin host store-set --state /var/db/jailadmin jail web1 wanted=stopped
# end it, with all of its processes
/usr/sbin/jailadmin host kill-init /run/jailadmin-00/jails/0/pid
# forget the name of its network namespace
/usr/sbin/jailadmin host netns-unlink ja00-web1
# forget where its addresses were
/usr/sbin/ip -batch - <<'END'
neigh flush to 10.66.0.2 dev ja00br0 nud permanent
END
# let network default forget its name
/usr/sbin/jailadmin host remove /run/jailadmin-00/dns/default.d/web1
# let the rules forget its interfaces
/usr/sbin/nft -f - <<'END'
add element bridge ja00 nics { "ja000n0" . 0a:6c:5a:7b:df:17 }
delete element bridge ja00 nics { "ja000n0" . 0a:6c:5a:7b:df:17 }
add element bridge ja00 source4 { "ja000n0" . 10.66.0.2 }
delete element bridge ja00 source4 { "ja000n0" . 10.66.0.2 }
add element bridge ja00 source6 { "ja000n0" . fe80::86c:5aff:fe7b:df17 }
delete element bridge ja00 source6 { "ja000n0" . fe80::86c:5aff:fe7b:df17 }
add element bridge ja00 target6 { "ja000n0" . 0xfe80000000000000086c5afffe7bdf17 }
delete element bridge ja00 target6 { "ja000n0" . 0xfe80000000000000086c5afffe7bdf17 }
END
# remove what crun and the kernel keep of it
/usr/sbin/jailadmin host crun-clean --root /run/jailadmin-00/crun --cgroup /jailadmin-00/ja000 ja000
# let go of its namespaces: its init keeps them
/usr/sbin/jailadmin host ns-release /run/jailadmin-00/jails/0/ns
# remove its runtime directory
/usr/sbin/jailadmin host remove-tree /run/jailadmin-00/jails/0
# remove the pair ja000n0
/usr/sbin/jailadmin host link-remove ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'

# a failure before the commit is undone by:
