# it is wanted stopped from now on
/usr/sbin/jailadmin host store-set --state /var/db/jailadmin jail web1 wanted=stopped
# end it, with all of its processes
/usr/sbin/jailadmin host jail-remove web1 /var/db/jailadmin/pool/jails/web1/root/default
# remove the pipe of what it is sent by eth0
/sbin/ipfw -q pipe 20000 delete
# remove the pipe of what it sends by eth0
/sbin/ipfw -q pipe 20001 delete
# take the address away that it shared
/sbin/ifconfig ja00br0 inet 10.66.0.2 -alias
# wait until the kernel has let go of it
/usr/sbin/jailadmin host jail-wait web1 /var/db/jailadmin/pool/jails/web1/root/default
# undo what is mounted in it, which the kernel leaves
/usr/sbin/jailadmin host unmount --below /var/db/jailadmin/pool/jails/web1/root/default
# forget its limits, which outlive it
/usr/bin/rctl -r jail:web1
# remove its runtime directory
/usr/sbin/jailadmin host remove-tree /var/run/jailadmin-00/jails/0

# a failure before the commit is undone by:
