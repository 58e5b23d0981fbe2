#### jailadmin be mount web1 next
# make the directory for mounted trees, for root only
/usr/sbin/jailadmin host mkdir --mode 0700 /run/jailadmin-00/mnt
# make a directory for this one
/usr/sbin/jailadmin host mkdir --mode 0700 /run/jailadmin-00/mnt/web1.next
# mount its tree there, with nothing in it trusted by the host
/usr/sbin/jailadmin host tree-mount /var/db/jailadmin/pool/jails/web1/root/next /run/jailadmin-00/mnt/web1.next

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/mnt/web1.next   if there is the path /run/jailadmin-00/mnt/web1.next
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/mnt   if there is the path /run/jailadmin-00/mnt

#### jailadmin be mount web1 default /mnt --read-only, which runs
# mount its tree there, read-only, with nothing in it trusted by the host
/usr/sbin/jailadmin host tree-mount --read-only /var/db/jailadmin/pool/jails/web1/root/default /mnt
# warning: web1 runs on this tree: its root can put symbolic links in the way of what the host does there

# a failure before the commit is undone by:

#### jailadmin be mount web1 next, which is mounted
# refused: the boot environment next of web1 is mounted at /run/jailadmin-00/mnt/web1.next already

#### jailadmin be mount web1 next /etc
# refused: the boot environment next of web1 is mounted at /run/jailadmin-00/mnt/web1.next already

#### jailadmin be mount web1 next /link
# refused: /link is a symbolic link, which is not followed

#### jailadmin be mount web1 next into another tree
# refused: /var/db/jailadmin/pool/jails/web1/root/default/mnt is in /var/db/jailadmin, which belongs to jailadmin

#### jailadmin be unmount web1 next
# unmount its tree there
/usr/sbin/jailadmin host tree-unmount /var/db/jailadmin/pool/jails/web1/root/next /run/jailadmin-00/mnt/web1.next
# remove the directory that was made for it
/usr/sbin/jailadmin host rmdir /run/jailadmin-00/mnt/web1.next
/usr/sbin/jailadmin host rmdir /run/jailadmin-00/mnt

# a failure before the commit is undone by:

#### jailadmin be unmount web1 next, which is not mounted
# refused: the boot environment next of web1 is not mounted

#### jailadmin be delete web1 next
# refused: the boot environment next of web1 is mounted at /run/jailadmin-00/mnt/web1.next

#### jailadmin delete web1
# refused: the boot environment next of web1 is mounted at /run/jailadmin-00/mnt/web1.next

#### jailadmin delete --force web1
# unmount its tree there
/usr/sbin/jailadmin host tree-unmount /var/db/jailadmin/pool/jails/web1/root/next /run/jailadmin-00/mnt/web1.next
# move the jail's trees out of the way
/usr/sbin/jailadmin host rename /var/db/jailadmin/pool/jails/web1 /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001
# have that on the disk before it counts
/usr/sbin/jailadmin host sync /var/db/jailadmin/pool
# forget the jail
/usr/sbin/jailadmin host store-delete --state /var/db/jailadmin jail web1
# destroy the jail's trees
/usr/sbin/jailadmin host tree-delete /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001
# remove the directory that was made for it
/usr/sbin/jailadmin host rmdir /run/jailadmin-00/mnt/web1.next
/usr/sbin/jailadmin host rmdir /run/jailadmin-00/mnt

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host rename /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001 /var/db/jailadmin/pool/jails/web1   if there is the path /var/db/jailadmin/pool/deleted/cccccccc-0000-4000-8000-000000000001
#   /usr/sbin/jailadmin host tree-mount /var/db/jailadmin/pool/jails/web1/root/next /run/jailadmin-00/mnt/web1.next
