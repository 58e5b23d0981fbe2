#!/bin/sh
# Losing the store and finding everything again, on this machine's kernel: dry run of init, backup, restore, adopt, gc, doctor,
# events; ending with "nothing is left".
# state.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
dir=$(mktemp -d /var/tmp/jailadmin-state.XXXXXX)
state=$dir/state
tag=none
bad=0

ja() { "$program" --state "$state" "$@" </dev/null; }
# want WHAT COMMAND...: the command succeeds.
want() {
    what=$1
    shift
    if "$@" >"$dir/out" 2>&1; then
        echo "ok: $what"
    else
        echo "FAILED: $what ($*)"
        cat "$dir/out"
        bad=1
    fi
}
refuse() {
    what=$1
    shift
    if "$@" >"$dir/out" 2>&1; then
        echo "FAILED: $what was not refused ($*)"
        bad=1
    else
        echo "ok: refused: $what"
    fi
}
prints() { # prints TEXT COMMAND...
    text=$1
    shift
    "$@" 2>&1 | grep -q -e "$text"
}
silent() { # silent TEXT COMMAND...: it succeeds and does not print that
    text=$1
    shift
    "$@" >"$dir/said" 2>&1 && ! grep -q -e "$text" "$dir/said"
}
left() { # what of our tag the host has
    ls /sys/class/net | grep "^ja$tag"
    nft list tables | grep " ja$tag\$"
    grep "$dir" /proc/self/mountinfo
    losetup -a | grep "$dir"
    ls -d "/run/jailadmin-$tag" /run/netns/ja"$tag"-* 2>/dev/null
    ls -d /sys/fs/cgroup/*/jailadmin-"$tag" /sys/fs/cgroup/jailadmin-"$tag" 2>/dev/null
    grep -l "$dir" /var/db/jailadmin.instances/*.json 2>/dev/null
    pgrep -af "$dir/state"
}
lose() { # the store, as after a damaged disk
    rm -f "$state"/store.db*
}
pid_of() { ja --json show "$1" | sed 's/.*"pid": *\([0-9]*\).*/\1/'; }

# ---- a dry run of init is a script of it, store and registration included
want "a dry run of init" ja --dry-run init --storage file:512M --network 10.238.0.1/24
cp "$dir/out" "$dir/init.sh"
[ ! -e "$state" ] && echo "ok: it touched nothing" || { echo "FAILED: a dry run made $state"; bad=1; }
run_script() { # another test's instance may have taken the tag meanwhile: then it is refused, and planned again
    for _ in 1 2 3 4 5; do
        sh -e "$dir/init.sh" >"$dir/script" 2>&1 && break
        grep -q 'its tag is that of instance' "$dir/script" || break
        rm -rf "$state"
        ja --dry-run init --storage file:512M --network 10.238.0.1/24 >"$dir/init.sh"
    done
    cat "$dir/script"
    [ -e "$state/store.db" ]
}
want "which runs as a script" run_script
want "and makes the same instance" prints '10.238.0.1/24' ja network list
tag=$(sed -n 's/^ "tag": "\(..\)".*/\1/p' "$state/pool/instance/site.json")
want "with its registration" grep -q "$state" "/var/db/jailadmin.instances/$tag.json"

want "a template" ja template create base --from busybox
want "a second network" ja network create lan --address 10.239.0.1/24
want "a jail that runs" ja create a --template base --limit memory=64M --start
want "another, in two networks" ja create b --template base --nic eth0,network=default --nic eth1,network=lan --start
want "one that does not" ja create c --template base --label team=blue

# ---- doctor
want "doctor finds nothing bad" ja doctor
want "doctor speaks JSON" prints '"level"' ja --json doctor
want "doctor works without an instance" "$program" --state "$dir/nowhere" doctor
[ ! -e "$dir/nowhere" ] && echo "ok: and makes none" || { echo "FAILED: doctor made a directory"; bad=1; }
want "doctor writes facts" ja doctor --save-facts "$dir/facts.json"
want "by which plans can be made elsewhere" prints 'crun' ja --facts "$dir/facts.json" start c

# ---- backup and restore
want "a backup" ja backup "$dir/backup"
[ "$(stat -c %a "$dir/backup")" = 600 ] && echo "ok: for root only" || { echo "FAILED: mode of the backup"; bad=1; }
refuse "a backup over an existing file" ja backup "$dir/backup"
want "a jail made after it" ja create late --template base
refuse "restoring what does not know it" ja restore "$dir/backup"
want "which is said" prints 'jail late' ja restore "$dir/backup"
want "forced, it is restored" ja --yes restore --force "$dir/backup"
want "without the late one" silent late ja list
want "whose tree is an orphan now" prints 'jails/late.*can be adopted' ja gc
want "and which is adopted" ja adopt late
want "with its addresses" prints '10.238.0' ja --json show late
want "events tell of it" prints 'restore host' ja events
want "events speak JSON" prints '"verb"' ja --json events --limit 3
refuse "a backup that is none" ja restore /etc/passwd
printf 'garbage' >"$dir/garbage"
refuse "another one" ja restore "$dir/garbage"

# ---- the store is gone, the jails run on
before=$(pid_of a)
lose
refuse "working without a store" ja list
want "init around what is there" ja init --adopt
want "adopt lists what it could take" prints 'jail *a *can be adopted' ja adopt
want "adopt takes all" ja adopt --all
want "a runs as it did" prints '^a *running' ja list
[ "$(pid_of a)" = "$before" ] && echo "ok: as the same process" || { echo "FAILED: a has another init"; bad=1; }
want "b runs too" prints '^b *running' ja list
want "c does not" prints '^c *stopped' ja list
want "its label is there" prints 'team' ja --json list c
want "the networks are there" prints '10.239.0.1/24' ja network list
want "the template is there" prints 'base' ja template list
want "commands run in an adopted jail" prints 'uid=0' ja exec b -- id
want "adopted jails stop" ja stop --force a
want "and start" ja start a
want "and reach each other" sh -c "for i in 1 2 3 4 5; do '$program' --state '$state' exec a -- ping -c1 -W1 b && exit 0; sleep 0.3; done; exit 1"
want "an address that is in use is not given again" sh -c "'$program' --state '$state' create d --template base && ! '$program' --state '$state' --json list d | grep -q '\"10.238.0.[23]\"'"

# ---- the store is gone, and a backup is there
want "another backup" ja backup "$dir/backup2"
lose
want "it is restored where there is no store" ja restore "$dir/backup2"
want "all is there" prints '^b *running' ja list
want "nothing is an orphan" silent 'WITHOUT OWNER' ja gc
printf 'this is no store' >"$state/store.db"
rm -f "$state/store.db-wal" "$state/store.db-shm"
refuse "a damaged store" ja list
refuse "restoring over it unasked" ja restore "$dir/backup2"
want "with force it is put aside" ja --yes restore --force "$dir/backup2"
want "and all is there" prints '^b *running' ja list
rm -f "$state"/store.db*.damaged-*

# ---- gc
want "a tree that nobody owns" mkdir -p "$state/pool/jails/orphan/root"
want "gc lists it" prints 'jails/orphan' ja gc
[ -d "$state/pool/jails/orphan" ] && echo "ok: and leaves it alone" || { echo "FAILED: gc destroyed a tree"; bad=1; }
want "doctor names it" prints 'orphan' ja doctor
refuse "teardown while it is there" ja teardown
refuse "destroying what belongs to a jail" ja --yes gc jails/a
refuse "destroying without a yes" ja gc jails/orphan
want "by its name it goes" ja --yes gc jails/orphan
[ ! -e "$state/pool/jails/orphan" ] && echo "ok: it is gone" || { echo "FAILED: it is still there"; bad=1; }
ip link add "ja${tag}77n0" type bridge && ip link set "ja${tag}77n0" alias "jailadmin $(sed -n 's/^ "uuid": "\(.*\)",/\1/p' "$state/pool/instance/site.json") x"
want "doctor names an interface that nobody owns" prints "ja${tag}77n0" ja doctor
want "gc removes it" ja gc
[ ! -e "/sys/class/net/ja${tag}77n0" ] && echo "ok: it is gone" || { echo "FAILED: it is still there"; bad=1; ip link del "ja${tag}77n0"; }

# ---- the pool moves to another state directory
mkdir -p "$state/pool/jails/orphan/root"
want "jails stop" ja stop --force --all
umount "$state/pool"
cp --sparse=always "$state/pool.img" "$dir/moved.img"
want "teardown, with the orphan" ja --yes teardown --force
left >"$dir/after"
[ -s "$dir/after" ] && { echo "FAILED: something is left"; cat "$dir/after"; bad=1; }
[ ! -e "$state" ] || { echo "FAILED: the state directory is left"; bad=1; }
state=$dir/moved
want "an instance around the moved file" ja init --adopt --storage "file:$dir/moved.img"
want "takes its jails" ja adopt --all
tag=$(sed -n 's/^ "tag": "\(..\)".*/\1/p' "$state/pool/instance/site.json")
want "all of them" prints '^c *stopped' ja list
want "which start there" ja start c
refuse "teardown while there are jails" ja teardown
want "they go" ja delete --force --all --yes
want "an instance whose pool was taken away" sh -c "umount '$state/pool' && mv '$dir/moved.img' '$dir/away.img'"
refuse "is not torn down unasked" ja teardown
want "doctor says why" prints 'is gone' ja doctor
want "teardown without its pool" ja --yes teardown --force
left >"$dir/after"
[ -s "$dir/after" ] && { echo "FAILED: something is left"; cat "$dir/after"; bad=1; }
[ ! -e "$state" ] || { echo "FAILED: the state directory is left"; ls -la "$state"; bad=1; }
[ "$bad" -eq 0 ] && { rm -rf "$dir"; echo "nothing is left"; }
exit "$bad"
