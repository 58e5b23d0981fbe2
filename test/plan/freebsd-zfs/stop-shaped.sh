# it is wanted stopped from now on
/usr/sbin/jailadmin host store-set --state /var/db/jailadmin jail web1 wanted=stopped
# end it, with all of its processes
/usr/sbin/jailadmin host jail-remove web1 /var/db/jailadmin/pool/jails/web1/root/default
# let network default forget its name
/usr/sbin/jailadmin host remove /var/run/jailadmin-00/dns/default.d/web1
# remove its interfaces
/usr/sbin/jailadmin host link-remove ja000n0 'jailadmin dddddddd-0000-4000-8000-000000000001 cccccccc-0000-4000-8000-000000000001'
# let the rules forget it
/sbin/ipfw -q table ja00nics delete ja000n0
/sbin/ipfw -q table ja00src delete 10.66.0.2/32 fe80::86c:5aff:fe7b:df17/128
# wait until the kernel has let go of it
/usr/sbin/jailadmin host jail-wait web1 /var/db/jailadmin/pool/jails/web1/root/default
# undo what is mounted in it, which the kernel leaves
/usr/sbin/jailadmin host unmount --below /var/db/jailadmin/pool/jails/web1/root/default
# forget its limits, which outlive it
/usr/bin/rctl -r jail:web1
# remove its runtime directory
/usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0

# a failure before the commit is undone by:
