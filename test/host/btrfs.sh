#!/bin/sh
# A pool in a directory of a btrfs file system that is there already (init --storage btrfs:DIR): the life of jails, what is
# refused, what was not there before goes again and what was there stays.
# btrfs.sh JAILADMIN [CUTOFF]
set -u
program=$(realpath "$1") || exit 1
cutoff=${2:+$(realpath "$2")}
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/kit.sh"
kit_begin btrfs
disk=$dir/disk
clean_up() {
    [ ! -e "$state" ] || ja -q teardown --force --yes
    umount "$disk" 2>/dev/null
    rm -rf "$dir"
}
trap clean_up EXIT
truncate -s 512M "$dir/image"
mkdir "$disk" "$dir/plain"
mkfs.btrfs -q "$dir/image" >/dev/null 2>&1 && mount -o loop "$dir/image" "$disk" || { echo "FAILED: no btrfs to test on"; exit 1; }
init() { ja init --storage "btrfs:$1" --slots 64 --network "10.236.$(($$ % 250)).1/24"; }

touch "$dir/plain/file"
refuse "a directory that is not empty" "is not empty" init "$dir/plain"
refuse "a file" "is not a directory" init "$dir/image"
refuse "a relative path" "absolute" init "pool"
refuse "a directory of another file system" "not on a btrfs" init "$dir/elsewhere"
mkdir "$dir/empty"
refuse "an empty directory of another" "not on a btrfs" init "$dir/empty"
want "which left nothing" test ! -e "$dir/elsewhere" -a ! -e "$state"

refuse "a directory in none" "no directory" init "$disk/no/pool"
want "an empty directory of btrfs will do" sh -c "mkdir '$disk/given' && '$program' --state '$state' init --storage 'btrfs:$disk/given' --slots 64 --network none"
want "its teardown" ja -y teardown
want "leaves it, empty" rmdir "$disk/given"

[ -z "$cutoff" ] || want "cut-off inits and teardowns leave nothing" timeout 200 "$cutoff" "$program" "btrfs:$disk/cutoff"

want "init makes a subvolume" init "$disk/pool"
tag=$(tag)
[ -n "$tag" ] || exit 1
want "which is one" btrfs subvolume show "$disk/pool"
want "nothing of it is trusted by the host" grep -q " $state/pool [^ ]*nosuid,nodev" /proc/self/mountinfo
refuse "the same directory for another instance" "is not empty" ja --state "$dir/second" init --storage "btrfs:$disk/pool" --slots 16 --network none
want "a template" ja template create base --from busybox
want "jails" ja create a b --template base --volume data,target=/data --start
want "run" prints "uid=0" ja exec a -- id
want "a clone" ja clone a c --start
want "its volume" ja exec c -- touch /data/x
want "jails are subvolumes" btrfs subvolume show "$disk/pool/jails/c/root/default"
want "stop" ja stop --force --all
umount "$state/pool"
want "start mounts the pool again, as after a boot" ja start a
want "and it works" prints "uid=0" ja exec a -- id
want "delete" ja delete --force -y a
want "it is gone" test ! -e "$disk/pool/jails/a"
mine=$tag
want "teardown with all in it" ja teardown --force --yes
want "nothing of it is left in the file system" test -z "$(ls -A "$disk")"
umount "$disk"
# A start of somebody else's jail may have a copy of the mount for a moment; a guest of test/vm, and an mmdebstrap of another test, for as
# long as they run.
gone() { kit_left "$mine" >"$dir/left" && [ ! -s "$dir/left" ]; }
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do ! eventually gone || break; done
cp "$dir/left" "$dir/out"
if [ ! -s "$dir/left" ] && [ ! -e "$state" ]; then passed "nothing is left"; else failed "something is left"; fi
exit "$bad"
