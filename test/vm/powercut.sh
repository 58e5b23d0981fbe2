#!/bin/sh
# The init of a guest of test_powercut: what it needs, then what the host outside says, a command a line: NUMBER COMMAND. It answers
# with what the command has printed, each line after "|", and then with "=NUMBER STATUS", on its console, which no power cut takes
# back. PROGRAM, SELF and DISKS (the places of the disks in their order) come from the kernel's command line.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
for place in /run /var/tmp; do mount -t tmpfs tmpfs $place; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup
modules=/usr/lib/uml/modules/$(uname -r)/kernel
[ ! -d "$modules" ] || for module in drivers/block/loop drivers/block/virtio_blk lib/crc-ccitt net/ipv6/ipv6 net/llc/llc net/802/stp net/bridge/bridge drivers/net/veth; do
    [ ! -e "$modules/$module.ko" ] || insmod "$modules/$module.ko"
done
# This kernel has no tables of the family inet. What nft would do is gone with the power anyway; it takes all rules and keeps none.
printf '#!/bin/sh\nexec cat >/dev/null\n' >/run/nft
chmod +x /run/nft
mount --bind /run/nft /usr/sbin/nft
ip link set lo up
"$SELF" --entropy
stty raw -echo
letter=a
for place in $(echo "$DISKS" | tr , ' '); do
    mkdir -p "$place"
    # A lost write may be one that the superblock of btrfs would have pointed at: then the mount says so, and that is a failure.
    mount /dev/vd$letter "$place" || echo "|cannot mount $place"
    letter=b
done
ja() { timeout 60 "$PROGRAM" "$@"; }
state=/var/db/jailadmin
# What there is: a line for each thing, its kind first.
look() {
    echo "list $(ja --json list)"
    echo "snapshots $(ja --json snapshot list)"
    echo "bes $(ja --json be list)"
    echo "templates $(ja --json template list)"
    set --
    for jail in "$POOL"/jails/*; do
        [ ! -d "$jail" ] || set -- "$@" "${jail##*/}"
    done
    [ $# -eq 0 ] || ja --json show "$@" | sed 's/^/show /'
    for network in lan dmz; do
        echo "network $network $(ja --json network show $network 2>/dev/null)"
    done
    for spec in "$POOL"/instance/*.network.json; do
        [ ! -e "$spec" ] || echo "netspec $(basename "$spec" .network.json) $(tr -d '\n' <"$spec")"
    done
    for tree in "$POOL"/templates/*/* "$POOL"/jails/*/root/* "$POOL"/jails/*/vol/* "$POOL"/jails/*/snap/*/root "$POOL"/jails/*/snap/*/vol/*; do
        [ -d "$tree" ] || continue
        mark=0
        [ ! -e "$tree/mark" ] || read -r mark <"$tree/mark"
        echo "mark ${tree#"$POOL/"} ${mark:-empty}"
    done
    btrfs subvolume list "$POOL" | grep -v ' path pool$' | sed 's/.* path \(pool\/\)*/subvolume /'
}
# What must not be there after a recovery, nor be said.
leftovers() {
    ja gc -q
    ls -A $state/journal "$POOL/deleted" 2>/dev/null | grep -v ':$' | grep .
    ls -A $state | grep -vx -e lock -e journal -e pool -e pool.img -e seccomp.bpf -e seccomp.json -e store.db -e store.db-shm -e store.db-wal
    ls -A "$POOL" | grep -vx -e instance -e jails -e templates -e deleted
    find "$POOL" -maxdepth 4 -name '*.new*'
    ja gc --dry-run
    ja --json doctor | grep '"bad"'
    ja events | grep -v -e ' done ' -e ' undone ' -e ' failed ' -e '^STARTED'
    # Of the copies of its superblock btrfs flushes the first alone, so that a cut may leave an older one. The next commit writes all of them.
    touch "$POOL" && sync -f "$POOL"
    btrfs scrub start -B "$POOL" 2>&1 | grep -v WARNING | grep -v -e '^scrub done' -e '^Scrub started' -e '^Status' -e '^Duration' -e '^Total' -e '^Rate' -e 'no errors found'
    true
}
echo "=0 0"
while read -r number command; do
    (eval "$command") </dev/null >/var/tmp/answer 2>&1
    status=$?
    sed 's/^/|/' /var/tmp/answer
    echo "=$number $status"
done
