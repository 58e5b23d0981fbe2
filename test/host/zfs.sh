#!/bin/sh
# Jails on ZFS, by zfs-fuse with a pool in a file: the whole life, origins of clones, what is busy, what is not ours, and a
# machine that goes down, ending with "nothing is left". The daemon has one socket for the whole machine: a lock file keeps
# two runs of this test apart, and where a daemon of somebody else runs it is skipped.
# zfs.sh JAILADMIN [SWEEP CUTOFF]
set -u
program=$(realpath "$1") || exit 1
sweep=${2:+$(realpath "$2")}
cutoff=${3:+$(realpath "$3")}
. "$(dirname "$0")/kit.sh"
. "$(dirname "$0")/snapkit.sh"
. "$(dirname "$0")/bekit.sh"
command -v zfs-fuse >/dev/null || { echo "skipped: needs zfs-fuse"; exit 77; }
exec 9>/run/lock/jailadmin-zfs-fuse.lock
flock -w 300 9 || { echo "skipped: another test uses zfs-fuse"; exit 77; }
if [ -S /run/zfs/zfs_socket ] && timeout 5 zpool list >/dev/null 2>&1; then
    echo "skipped: a zfs-fuse daemon of somebody else runs"
    exit 77
fi
kit_begin zfs
tank=jatest$$

# A daemon that hangs must not hang the test.
ja() { timeout -k 5 100 "$program" --state "$state" "$@" </dev/null; }
z() { timeout -k 5 30 zfs "$@" </dev/null; }
daemon_up() {
    rm -rf "$dir/pid" /run/zfs /run/lock/zfs
    timeout 20 zfs-fuse -p "$dir/pid" --no-kstat-mount -m 32 </dev/null >/dev/null 2>&1 9>&-
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        timeout 5 zpool list >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    echo "FAILED: the daemon does not answer"
    return 1
}
daemon_down() { # as a power cut: what was mounted is gone
    kill -9 "$(cat "$dir/pid")" 2>/dev/null
    sleep 0.2
    sed -n "s|.* \($dir/[^ ]*\) .*|\1|p" /proc/self/mountinfo | sort -r | while read -r path; do
        umount -l "$path" 2>/dev/null
    done
    rm -rf /run/zfs /run/lock/zfs
}
clean_up() {
    [ ! -e "$state" ] || ja -q teardown --force --yes
    daemon_down
    rm -rf "$dir"
}
trap clean_up EXIT
has() { z list "$1" >/dev/null 2>&1; }
hasnt() { ! has "$1"; }
waiting() { z list -H -r -d 1 -o name "$tank/ja/deleted" | grep -c '/deleted/'; }
datasets() { z list -H -r -t all -o name; }

daemon_up || exit 1
truncate -s 512M "$dir/disk"
timeout 30 zpool create -m none -o cachefile=none "$tank" "$dir/disk" || { echo "FAILED: zpool create"; exit 1; }

refuse "a pool that does not exist" "no dataset" ja init --storage zfs:nosuch$$/ja --slots 16 --network none
refuse "a name that is none" "not the name of a dataset" ja init --storage 'zfs:a b' --slots 16 --network none
z create "$tank/full" && z create "$tank/full/inner"
refuse "a dataset with others in it" "is not empty: it holds $tank/full/inner" ja init --storage "zfs:$tank/full" --slots 16 --network none
want "an instance in an empty dataset" ja init --storage "zfs:$tank/full/inner" --slots 16 --network none
want "which got a dataset of its own in it" has "$tank/full/inner/jailadmin"
refuse "a second instance there" "belongs to an instance" ja --state "$dir/second" init --storage "zfs:$tank/full/inner/jailadmin" --slots 16 --network none
want "its teardown" ja -y teardown
want "which leaves the given dataset" has "$tank/full/inner"
z destroy -r "$tank/full"
datasets >"$dir/before"

want "init makes the dataset" ja init --storage "zfs:$tank/ja" --slots 64 --network 10.235.0.1/24
tag=$(tag)
[ -n "$tag" ] || exit 1
want "nothing of it is trusted by the host" grep -q " $state/pool [^ ]*nosuid,nodev" /proc/self/mountinfo
want "a template" ja template create base --from busybox
want "is sealed" has "$tank/ja/templates/base/1@sealed"
want "with a copy that has the ids of jails" sh -c "zfs list $tank/ja/templates/base/1/shifted@sealed"
want "whose template has those of the host" test "$(stat -c %u "$state/pool/templates/base/1/bin")" = 0
refuse "a write to it" "Read-only" touch "$state/pool/templates/base/1/x"
want "two jails" ja create a b --template base
want "create warns of the weaker separation" prints "cannot map ids" ja create w --template base
want "whose warned-of jail goes" ja -y delete w
want "a jail's files are not root's" test "$(stat -c %u "$state/pool/jails/a/root/default/etc")" -gt 1800000000
want "start" ja start a
want "exec" prints "uid=0(root)" ja exec a -- id
want "the jail's root owns its tree" prints "^0 0 644" ja exec a -- stat -c '%u %g %a' /etc/hosts
want "and writes in it" ja exec a -- sh -c 'echo x >/root/x && chmod 600 /root/x'
want "a clone of the running jail" ja clone a c --start
want "with its files" prints x ja exec c -- cat /root/x
want "it has an origin" prints "jails/a/root/default@clone-" zfs get -Hp -o value origin "$tank/ja/jails/c/root/default"
want "the two stop" ja stop --force a c
# As every start of a jail has one for a moment: a mount namespace with copies of all mounts.
unshare -m --propagation slave sleep 60 9>&- &
holder=$!
sleep 0.3
want "the original goes" ja -y delete a
kill $holder
want "and waits for its clone" test "$(waiting)" -eq 1
want "the clone starts" ja start c
want "a template without jails goes at once" sh -c "'$program' --state '$state' template create t2 --from busybox && '$program' --state '$state' -y template delete t2 && ! zfs list $tank/ja/templates/t2"
want "its volume" ja create v --template base --volume data,target=/data,size=64M --start
want "is the jail's, with its limit" prints "67108864" zfs get -Hp -o value refquota "$tank/ja/jails/v/vol/data"
want "and can be written" ja exec v -- sh -c 'echo y >/data/y'
want "which is deleted" ja -y delete --force v

want "a privileged clone of it" ja clone c p --set privileged=yes
want "has the ids of the host" test "$(stat -c %u "$state/pool/jails/p/root/default/root/x")" = 0
want "which goes" ja -y delete p
want "a template of a jail" ja template create fromc --from jail:c
want "has the ids of templates" test "$(stat -c %u "$state/pool/templates/fromc/1/etc")" = 0
want "and its files" grep -q x "$state/pool/templates/fromc/1/root/x"
want "a jail of it" ja create g --template fromc --start
want "has them too" prints x ja exec g -- cat /root/x
want "a template with a command run in it" ja template create built --from busybox --run 'echo built >/etc/built; chmod 4711 /bin/busybox'
want "has the ids of templates, what it wrote too" test "$(stat -c '%u %a' "$state/pool/templates/built/1/etc/built" "$state/pool/templates/built/1/bin/busybox" | tr '\n' ' ')" = "0 644 0 4711 "
want "its jail" ja create h --template built --start
want "is root's own in all of it" prints "^0 4711" ja exec h -- stat -c '%u %a' /bin/busybox
want "is stopped" ja stop --force h
want "gets another name" ja rename h hh
want "and a file while it is stopped" sh -c "echo copied >'$dir/file' && timeout 60 '$program' --state '$state' cp '$dir/file' hh:/root/file"
refuse "it cannot become privileged, its tree is not" "privileged" ja set hh privileged=yes
want "it starts" ja start hh
want "with its file, which is its root's" prints "^0" ja exec hh -- stat -c %u /root/file
want "its disk is limited while it runs" ja set hh limits.disk=64M
want "by zfs" prints "67108864" zfs get -Hp -o value refquota "$tank/ja/jails/hh/root/default"
want "both go" ja -y delete --force g hh
want "with their templates" sh -c "for t in fromc built; do timeout 60 '$program' --state '$state' -y template delete \$t || exit 1; done"

old_zfs=yes
# Minutes here; be.sh and the simulations do it always.
[ -z "${JAILADMIN_TEST_LONG:-}" ] || be_states
# Snapshots.
later=lost
snap_states
want "a jail with a volume" ja create s --template base --volume data,target=/data --limit disk=100M
want "a snapshot" ja snapshot create s@one -m one
want "has a mark of its own" prints "local" zfs get -H -o source jailadmin:mark "$tank/ja/jails/s/root/default@one"
z snapshot "$tank/ja/jails/s/root/default@admin"
want "another" ja snapshot create s@two
want "the administrator's are not listed" not prints admin ja snapshot list s
refuse "nor deleted" "was not made by jailadmin" ja --yes snapshot delete s@admin
refuse "but named when they would be lost" "with the later snapshots admin, two;" ja snapshot rollback s@one
want "a clone of the later one" ja clone s@two sc
refuse "is in the way of a rollback" "the jail sc is a clone of its later snapshot two" ja --yes snapshot rollback s@one
want "also when that is deleted" ja --yes snapshot delete s@two
refuse "and out of sight" "the jail sc is a clone of a later state of it" ja --yes snapshot rollback s@one
want "the clone goes" ja --yes delete sc
want "and with it what was out of sight" sh -c "! zfs list -H -t snapshot -o name -r $tank/ja/jails/s | grep clone-"
want "a rollback" ja --yes snapshot rollback s@one --volumes
want "takes the administrator's with it" sh -c "! zfs list $tank/ja/jails/s/root/default@admin"
want "the limit is what it was" prints "104857600" zfs get -Hp -o value refquota "$tank/ja/jails/s/root/default"
refuse "what has changed is not known here" "cannot tell what has changed" ja snapshot diff s@one
want "a clone of what is then deleted" ja clone s@one sc
want "the jail goes" ja --yes delete s
want "its trees wait for the clone" test "$(waiting)" -eq 2
want "which starts" ja start sc
want "and goes" ja --yes delete --force sc
want "only what waited before waits" test "$(waiting)" -eq 1

# What is busy.
(cd "$state/pool/jails/b/root/default" && exec sleep 100) 9>&- &
holder=$!
sleep 0.3
refuse "deleting a jail somebody works in" "process $holder (sleep) works in it" ja -y delete b
want "leaves it as it was" sh -c "'$program' --state '$state' list | grep -q '^b .*stopped' && grep -q ' $state/pool/jails/b/root/default ' /proc/self/mountinfo"
(sleep 1; kill $holder) &
want "waits for somebody who goes away" ja -y delete b

# What is not ours.
want "another jail" ja create d --template base
z create "$tank/ja/jails/d/mine"
refuse "a dataset of the administrator's is not destroyed" "was not made by jailadmin" ja -y delete d
z destroy "$(z list -H -r -o name "$tank/ja/deleted" | grep '/mine$')"
want "without it, gc or the next try ends the deletion" sh -c "'$program' --state '$state' -y delete c --force; ! zfs list -H -r -o name $tank/ja/deleted | grep /mine"

# The machine goes down while a jail runs.
want "a jail that runs" ja create e --template base --start
kill -9 "$(readlink "/run/jailadmin-$tag/jails/"*/pid | cut -d' ' -f1 | head -n 1)"
daemon_down
daemon_up || exit 1
timeout 30 zpool import -d "$dir" -o cachefile=none "$tank" || bad=1
want "after it the pool is mounted again, and the jail starts" ja start e
want "and works" prints "uid=0(root)" ja exec e -- id
want "stop" ja stop --force e
z unmount "$tank/ja/jails/e/root/default"
want "a tree that was unmounted by hand is mounted by start" ja start e
want "and is there" grep -q " $state/pool/jails/e/root/default " /proc/self/mountinfo
want "stop again" ja stop --force e

# Changes of a jail.
want "a volume is added" ja set e volumes.data.target=/data volumes.data.size=20M limits.disk=200M
want "rename" ja rename e g
z unmount "$tank/ja/jails/g/root/default"
want "a file is copied into a tree that is not mounted" ja cp /etc/hostname g:/etc/copied
want "and into the volume" ja cp /etc/hostname g:/data/copied
want "start" ja start g
want "they belong to the jail's root" prints "^0 0$" sh -c "'$program' --state '$state' exec g -- stat -c %u /etc/copied /data/copied | tr '\\n' ' ' | sed 's/ $//'"
want "a file comes out of it" ja cp g:/data/copied "$dir/copied"
want "as it was" cmp /etc/hostname "$dir/copied"
want "the volume has its size" not ja exec g -- sh -c 'head -c 40000000 /dev/urandom >/data/big'
want "stop" ja stop --force g
want "the volume goes, with a yes" ja set g volumes.data= --yes
want "and its dataset" hasnt "$tank/ja/jails/g/vol/data"
want "the old name again" ja rename g e

# Templates that something is done in: their files get the ids of jails for that, and their own again. (zfs-fuse itself
# lets no jail give files away.)
want "a command runs in a template" ja template create built --from busybox --network none --run 'echo built >/etc/built'
want "jails of it" ja create bj --template built --start
want "have its files, as root's" prints '^built 0$' ja exec bj sh -c 'echo $(cat /etc/built; stat -c %u /etc/built)'
want "a template of the running jail, and a command on top" ja template create gold --from jail:bj --network none --run 'cat /etc/built && echo gold >/etc/gold'
want "jails of that have both" sh -c "'$program' --state '$state' create gj --template gold --start && '$program' --state '$state' exec gj cat /etc/built /etc/gold"
refuse "a command that fails" "status 3" ja template create built --from busybox --network none --run 'exit 3'
want "leaves no dataset" sh -c "! zfs list -H -r -o name '$tank/ja/templates/built' | grep '/built/2'"
want "its jail goes" ja delete --force -y bj gj
want "a new name" ja template rename built made
want "a new version of it" prints "made@2" ja template create made --from busybox
want "without the old one" ja template delete made@1
want "all of both go" ja template delete made gold

want "a plan as a script" sh -c "'$program' --state '$state' --dry-run create f --template base >'$dir/script' && sh -e '$dir/script' && '$program' --state '$state' start f"
if [ -n "$sweep" ]; then
    want "failures and kills" timeout -k 5 500 "$sweep" "$program" "zfs:$tank/sweep"
    grep -e cases -e seed "$dir/out"
fi
[ -z "$cutoff" ] || want "cut-off inits and teardowns leave nothing" timeout -k 5 200 "$cutoff" "$program" "zfs:$tank/cutoff"
mine=$tag
want "a snapshot" ja snapshot create e@kept -m 'kept here'
# The store is lost: all is taken back from the pool, which stayed where it was.
rm -f "$state"/store.db*
want "an instance around the pool" ja init --adopt
want "takes its jails" ja adopt --all
want "with their snapshots" prints "^e *kept .*kept here" ja snapshot list e
want "which start" ja start e
want "and are on their datasets" prints "$tank/ja/jails/e/root/default" zfs list -H -o name "$tank/ja/jails/e/root/default"
want "and stop" ja stop --force e
want "doctor finds nothing bad" ja doctor

want "teardown with all in it" ja -y teardown --force
datasets >"$dir/after"
want "no dataset is left" cmp "$dir/before" "$dir/after"
kit_left "$mine" | grep -v "zfs-fuse -p" >"$dir/left"
cp "$dir/left" "$dir/out"
if [ ! -s "$dir/left" ] && [ ! -e "$state" ]; then passed "nothing is left"; else failed "something is left"; fi
exit $bad
