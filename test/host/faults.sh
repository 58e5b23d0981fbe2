#!/bin/sh
# What a host can do to jailadmin: full and read-only disks, no descriptors, no processes, commands that are missing, hang or lie,
# damaged files, and somebody who removes things behind its back. Each time: one clear error, nothing lost, and what is there
# afterwards is what was there before, or what was wanted. All of it happens in a mount namespace of its own.
# faults.sh JAILADMIN [CASE...]
set -u
[ -n "${JAILADMIN_FAULTS_INSIDE:-}" ] || exec env JAILADMIN_FAULTS_INSIDE=1 unshare -m --propagation private "$0" "$@"
program=$(realpath "$1") || exit 1
shift
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/kit.sh"
kit_begin faults
mine=none
spoiled=
long=${JAILADMIN_TEST_LONG:-}
# What is left to chance can be repeated.
seed=${JAILADMIN_TEST_SEED:-$(od -An -N2 -tu2 /dev/urandom)}
seed=$((seed + 0))
echo "seed $seed"
next_random() {
    seed=$((seed + 1))
    awk -v seed="$seed" 'BEGIN { srand(seed); for (i = 0; i < 2000; i++) printf "%c", 1 + int(rand() * 126) }' >"$dir/random"
}
# The state directory, the runtime directory and the place where programs are looked for first are small file systems.
tools=/usr/local/sbin
mkdir "$state" "$dir/pool"
mount -t tmpfs -o size=8M,mode=700 state "$state"
mount -t tmpfs tools "$tools"
clean_up() {
    heal
    umount "$tools"
    ja -q teardown --force --yes
    umount "$dir/pool" "$state"
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# ---- what there is

# Without what differs each time: processes, times, counters. Gc has gone before.
facts() {
    ja --json list | tr '{' '\n' | sed 's/"\(uuid\|created\|started\|mac\|slot\)":[^,]*,*//g'
    ja network list
    ja template list | awk '{ print $1, $2, $3 }'
    ja --json snapshot list 2>&1 | tr '{' '\n' | sed 's/"\(uuid\|created\|order\)":[^,]*,*//g'
    ls "$state/journal" 2>/dev/null
    ls "$dir/pool/p" "$dir/pool/p/jails" "$dir/pool/p/templates" "$dir/pool/p/deleted" 2>&1
    ls -d "$dir"/pool/p/jails/*/* "$dir"/pool/p/jails/*/snap/* "$dir"/pool/p/templates/*/* 2>/dev/null
    ip -o link 2>/dev/null | grep -o " ja$mine[n0-9a-z]*" | sort
    nft list tables 2>/dev/null | grep " ja$mine"
    nft list table inet "ja$mine" 2>/dev/null | sed 's/counter packets.*bytes [0-9]*//' | tr ' ' '\n' | sort
    nft list table bridge "ja$mine" 2>/dev/null | tr ' ' '\n' | sort
    find "/run/jailadmin-$mine" ! -name crun | sort
    ls -d /sys/fs/cgroup/*/"jailadmin-$mine"/ja* /sys/fs/cgroup/"jailadmin-$mine"/ja* 2>/dev/null
    ls /run/netns | grep "^ja$mine"
    find "$tools" "$state" -maxdepth 1 -name '*.new' -o -name '.ja-*'
}
# One error, and what to do: no more than warnings before it, no word of a program of ours that crashed.
is_clear() {
    [ "$(grep -c '^jailadmin: ' "$1")" -ge 1 ] && ! grep -q -i -e 'assert' -e 'segm' -e 'unknown error' -e 'jailadmin: *$' "$1" &&
        [ "$(grep '^jailadmin: ' "$1" | grep -c -v '^jailadmin: warning')" -eq 1 ]
}
# broken_by NAME "VERB" "BACK": the verb was done under a fault, with status $rc and words in said; the fault is over. What there is
# is now what was ($dir/before), or what is wanted ($dir/wanted).
settled() {
    cases=$((cases + 1))
    ja -q gc >"$dir/gc" 2>&1 || { cp "$dir/gc" "$dir/out"; failed "$1: gc after it"; }
    facts >"$dir/now" 2>&1
    # What may be missing is told as a warning, and repair makes it up.
    if [ "$rc" -eq 0 ] && ! cmp -s "$dir/now" "$dir/wanted" && ja -q repair >/dev/null 2>&1; then facts >"$dir/now" 2>&1; fi
    if cmp -s "$dir/now" "$dir/wanted"; then
        # shellcheck disable=SC2086
        ja -q $3 >"$dir/out" 2>&1 || failed "$1: the way back ($3)"
    elif ! cmp -s "$dir/now" "$dir/before"; then
        { echo "status $rc"; cat "$dir/said"; diff "$dir/before" "$dir/now"; } >"$dir/out"
        failed "$1: something else is there than before"
        # shellcheck disable=SC2086
        ja -q $3 >/dev/null 2>&1
    elif [ "$rc" -eq 0 ]; then
        { cat "$dir/said"; diff "$dir/wanted" "$dir/now"; } >"$dir/out"
        failed "$1: it says that it was done"
    fi
    if [ "$rc" -ne 0 ] && ! is_clear "$dir/said"; then
        { echo "status $rc"; cat "$dir/said"; } >"$dir/out"
        failed "$1: that is no clear error"
    fi
    [ "$rc" -lt 124 ] || { cp "$dir/said" "$dir/out"; failed "$1: it ended with status $rc"; }
    [ "$rc" -eq 0 ] || grep -e '^jailadmin' "$dir/said" >>"$dir/words"
}
# sweep NAME "VERB" "BACK" FAULT LEVEL...: for each level `FAULT LEVEL` runs before the verb, `heal` after it.
sweep() {
    name=$1 verb=$2 back=$3 fault=$4
    shift 4
    cases=0
    # shellcheck disable=SC2086
    ja -q $verb >"$dir/out" 2>&1 || failed "$name: $verb without any fault"
    facts >"$dir/wanted" 2>&1
    # shellcheck disable=SC2086
    ja -q $back >"$dir/out" 2>&1 || failed "$name: $back without any fault"
    facts >"$dir/before" 2>&1
    for level; do
        $fault "$level"
        # shellcheck disable=SC2086
        hurt "$level" $verb >"$dir/said" 2>&1
        rc=$?
        heal
        settled "$name, level $level, $verb" "$verb" "$back"
    done
    passed "$name: $verb ($cases cases)"
}
# How a verb runs under the fault; a case may have another way. Its first argument is the level.
hurt() { shift; ja -q "$@"; }
# Takes away whatever fault there is.
heal() {
    rm -f "$state/filler" "/run/jailadmin-$mine/filler" "$dir/pool"/filler* "$tools"/*
    for file in $spoiled; do umount "$file"; done
    spoiled=
    mount -o remount,rw "$state" 2>/dev/null
}
# some NUMBER WORD...: so many of them by chance, all in the long run.
some() {
    number=$1
    shift
    if [ "$long" ]; then printf '%s\n' "$@"; else printf '%s\n' "$@" | shuf -n "$number" --random-source="$dir/random"; fi
}
# The verbs that all faults meet, with their ways back; in the normal run some of them. They begin with a stopped, b running, d there.
verbs="create e --template base --volume data,target=/data:delete --force -y e
start a:stop --force a
stop --force b:start b
set b limits.memory=64M:set b limits.memory=0
snapshot create a@x:snapshot delete -y a@x
rename a c:rename c a
delete --force -y d:create d --template base
network create lan --address $network.129/25:network delete lan
template create t --from busybox:template delete -y t"
all_verbs() { # all_verbs COUNT NAME FAULT LEVEL...
    count=$1 what=$2
    shift 2
    next_random
    printf '%s\n' "$verbs" | if [ "$long" ]; then cat; else shuf -n "$count" --random-source="$dir/random"; fi >"$dir/chosen"
    while read -r line <&3; do
        sweep "$what" "${line%%:*}" "${line#*:}" "$@"
    done 3<"$dir/chosen"
}

# ---- disk full

fill() { # fill FILE FREE: all of its file system but so many KiB
    dd if=/dev/zero of="$1" bs=64k 2>/dev/null
    dd if=/dev/zero of="$1" bs=4k oflag=append conv=notrunc 2>/dev/null
    truncate -s "-$2K" "$1" 2>/dev/null || [ "$2" -eq 0 ] || truncate -s 0 "$1"
}
fill_state() { fill "$state/filler" "$1"; }
case_state_full() {
    all_verbs 3 "state directory full" fill_state ${long:+0 4 8 12 16 20 24 28 32 36 40 48 56 64 80 96} ${long:-0 8 16 24 40}
}

fill_run() { fill "/run/jailadmin-$mine/filler" "$1"; }
case_run_full() {
    ja -q stop --force --all
    cp -a "/run/jailadmin-$mine" "$dir/run"
    mount -t tmpfs -o size=512K,mode=711 run "/run/jailadmin-$mine"
    cp -a "$dir/run/." "/run/jailadmin-$mine/"
    for verb in "start a:stop --force a" "network create lan --address $network.129/25:network delete lan"; do
        # shellcheck disable=SC2086
        sweep "runtime directory full" "${verb%:*}" "${verb#*:}" fill_run ${long:+0 4 8 12 16 20 24 28} ${long:-0 4 8 16}
    done
    ja -q start a
    sweep "runtime directory full" "stop --force a" "start a" fill_run 0 4 8
    ja -q stop --force --all
    mv "/run/jailadmin-$mine"/* "$dir/run/" 2>/dev/null
    cp -a "/run/jailadmin-$mine/." "$dir/run/"
    umount "/run/jailadmin-$mine" && cp -a "$dir/run/." "/run/jailadmin-$mine/" && rm -rf "$dir/run"
    ja -q start b
}

# ---- disk read-only

only_read() { mount -o remount,ro "$state"; }
case_state_read_only() { all_verbs 3 "state directory read-only" only_read -; }

# ---- no descriptors, no processes

hurt_files() { # whatever is open already counts too
    level=$1
    shift
    timeout 100 prlimit --nofile="$level:$level" "$program" --state "$state" -q "$@" </dev/null
}
nothing() { :; }
case_no_files() {
    hurt() { hurt_files "$@"; }
    # With four the system cannot load a program that has libraries.
    # shellcheck disable=SC2046
    all_verbs 3 "few descriptors" nothing $(next_random; some 4 $(seq 5 40))
    hurt() { shift; ja -q "$@"; }
}
hurt_processes() {
    mkdir -p "/sys/fs/cgroup/pids/faults-$mine"
    echo "$1" >"/sys/fs/cgroup/pids/faults-$mine/pids.max"
    shift
    # shellcheck disable=SC2016
    timeout 100 sh -c 'echo 0 >"$1/cgroup.procs"; shift; exec "$@"' sh "/sys/fs/cgroup/pids/faults-$mine" "$program" --state "$state" -q "$@" </dev/null
}
case_no_processes() {
    [ -d /sys/fs/cgroup/pids ] || return 0
    hurt() { hurt_processes "$@"; }
    all_verbs 4 "few processes" nothing 1 2 ${long:+3 4 5}
    hurt() { hurt_processes "$1" --no-native "$@"; }
    hurt() { shift; ja -q "$@"; }
    rmdir "/sys/fs/cgroup/pids/faults-$mine"
}

fill_pool() {
    dd if=/dev/zero of="$dir/pool/filler" bs=1M 2>/dev/null
    sync -f "$dir/pool"
    dd if=/dev/zero of="$dir/pool/filler.2" bs=4k 2>/dev/null
    sync -f "$dir/pool"
    [ "$1" -eq 0 ] || rm "$dir/pool/filler.2"
    [ "$1" -lt 2 ] || truncate -s "-$1M" "$dir/pool/filler"
    sync -f "$dir/pool"
}
case_pool_full() { all_verbs 3 "pool full" fill_pool 0 ${long:+1 2 4}; }

# ---- commands: missing, failing before or after their work, printing without end, cut off, lying

# A program that is found before the real one and runs `$2` around it.
wrap() {
    real=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$1")
    printf '#!/bin/sh\nreal=%s\n%s\n' "$real" "$2" >"$tools/$1"
    chmod 755 "$tools/$1"
}
each_tool() { for tool in ip nft btrfs crun dnsmasq busybox nsenter; do wrap "$tool" "$1"; done; }
# shellcheck disable=SC2016
spoil() {
    case $1 in
    *missing-*) real=$(command -v "${1#*-}"); mount --bind /dev/null "$real"; spoiled="$spoiled $real" ;;
    *fails) each_tool 'echo "some reason" >&2; exit 1' ;;
    *fails-later) each_tool '"$real" "$@"; echo "some reason" >&2; exit 1' ;;
    *dies) each_tool 'kill -9 $$' ;;
    *prints) each_tool 'yes | head -c 100000000; exec "$real" "$@"' ;;
    *lies) each_tool 'exit 0' ;;
    *no-program) each_tool 'exec "$real" "$@"'; sed -i 's,^#!.*,#!/no/such/shell,' "$tools"/* ;;
    *garbage) for tool in ip nft btrfs crun dnsmasq busybox; do head -c 3000 /dev/urandom >"$tools/$tool"; chmod 755 "$tools/$tool"; done ;;
    esac
}
case_commands() {
    hurt() { [ "${1#n}" = "$1" ] || { level=$1; shift; set -- "$level" --no-native "$@"; }; shift; ja -q "$@"; }
    next_random
    # shellcheck disable=SC2046
    all_verbs 3 "commands" spoil $(some 3 nfails nfails-later fails fails-later dies ndies no-program nno-program garbage ngarbage prints nprints)
    next_random
    for level in $(some 2 missing-ip missing-nft missing-btrfs missing-crun missing-dnsmasq missing-busybox missing-nsenter missing-catatonit missing-mount); do
        all_verbs 2 "a command" spoil "$level" "n$level"
    done
    hurt() { shift; ja -q "$@"; }
}

# ---- somebody removes things

# What doctor says without what is well, and what this host lacks.
doctor() { ja doctor 2>&1 | grep -e '^warn' -e '^bad' | grep -v -e shaping -e '^warn *pool'; }
# removed WHAT TEXT COMMAND...: doctor says TEXT of it; repair, gc and a start bring everything back.
removed() {
    what=$1 text=$2 again=start
    shift 2
    [ "$1" != -r ] || { again=restart; shift; }
    ja -q start a
    facts >"$dir/before" 2>&1
    "$@"
    doctor >"$dir/said"
    [ -z "$text" ] || grep -q -e "$text" "$dir/said" || { cp "$dir/said" "$dir/out"; failed "$what: doctor does not say \"$text\""; }
    ja list >"$dir/out" 2>&1 || failed "$what: list"
    ja -q repair >"$dir/out" 2>&1 || failed "$what: repair"
    ja -q gc >"$dir/out" 2>&1 || failed "$what: gc"
    ja -q "$again" a >"$dir/out" 2>&1 || failed "$what: start"
    ja exec a -- ping -c1 -W2 "$network.1" >"$dir/out" 2>&1 || failed "$what: its network"
    facts >"$dir/now" 2>&1
    diff "$dir/before" "$dir/now" >"$dir/out" || failed "$what: something else is there than before"
    doctor >"$dir/out"
    [ ! -s "$dir/out" ] || failed "$what: doctor is not content"
    passed "$what: doctor, repair, gc and a start"
}
case_removed() {
    run=/run/jailadmin-$mine
    ja -q stop --force b
    ja -q start a
    s=$(slot a)
    removed "the bridge" "network default" ip link del "ja${mine}br0"
    removed "the bridge's address" "network default" ip addr flush dev "ja${mine}br0"
    removed "a pair" "jail a .*pair" ip link del "ja$mine${s}n0"
    removed "a pair's place" "jail a" ip link set "ja$mine${s}n0" nomaster
    removed "a table" "network default" nft delete table bridge "ja$mine"
    removed "both tables" "network default" nft delete table inet "ja$mine" ';' delete table bridge "ja$mine"
    removed "all rules of a table" "rules .*inet" nft flush table inet "ja$mine"
    removed "one rule" "rules .*bridge" nft flush chain bridge "ja$mine" from_ip4
    removed "an element" "jail a .*rules" nft flush set bridge "ja$mine" nics
    removed "the network's elements" "network default" nft flush set inet "ja$mine" nets
    removed "the name of a namespace" "jail a .*name" rm "/run/netns/ja$mine-a"
    removed "the resolver" "network default" kill -9 "$(cat "$run/dns/default.pid")"
    removed "the resolver's files" "network default" rm -r "$run/dns"
    removed "the init" "jail a .*does not run" kill -9 "$(readlink "$run/jails/$s/pid" | cut -d' ' -f1)"
    removed "a jail's runtime directory" "jail a .*does not run" rm -r "$run/jails/$s"
    removed "the runtime directory" "jail a .*does not run" rm -r "$run"
    removed "what crun knows" "jail a .*restart" -r rm -r "$run/crun/ja$mine$s"
    removed "the seccomp filter" "seccomp\|rules" rm "$state/seccomp.json" "$state/seccomp.bpf"
    removed "the compiled filter" "" rm "$state/seccomp.bpf"
    removed "the locks" "" rm -r "$state/lock"
    removed "the journal" ""  rm -r "$state/journal"
    removed "the registration" "not registered" rm "/var/db/jailadmin.instances/$mine.json"
    removed "the mount of the pool" "" umount -l "$state/pool"
    removed "spec files" "jail a .*its spec" rm "$dir/pool/p/jails/a/spec.json" "$dir/pool/p/templates/base/spec.json" "$dir/pool/p/instance/site.json"
    ja -q stop --force a
    removed "the cgroups" "" sh -c "rmdir /sys/fs/cgroup/*/jailadmin-$mine 2>/dev/null; true"
    ja -q stop --force a
    # What cannot come back is named, and loses nothing else.
    btrfs -q subvolume delete "$dir/pool/p/jails/b/root/default" >/dev/null
    want "a tree that is gone: doctor" prints "jail b .*its tree is gone" doctor
    refuse "a tree that is gone: start" "tree" ja start b
    want "a tree that is gone: gc" ja gc
    want "a tree that is gone: delete" ja delete -y b
    mv "$dir/pool/p/templates/base" "$dir/pool/p/templates/.away"
    refuse "a template that is gone: create" "template" ja create b --template base
    want "a template that is gone: doctor" prints "template" doctor
    want "a template that is gone: its jail" ja start a
    mv "$dir/pool/p/templates/.away" "$dir/pool/p/templates/base"
    want "a template that is back" ja create b --template base
    want "a directory of nobody" mkdir -p "$dir/pool/p/jails/z/root"
    want "gc" ja gc
    want "leaves it" test -d "$dir/pool/p/jails/z/root"
    rm -r "$dir/pool/p/jails/z"
    ja -q start b
    ja -q stop --force a
}

# ---- damaged files

# damage FILE HOW: by chance, with the next seed.
damage() {
    seed=$((seed + 1))
    # shellcheck disable=SC2016
    perl -e 'my ($file, $how, $seed) = @ARGV; srand $seed; my $n = -s $file || 1; my ($m) = $how =~ /(\d+)/;
        if ($how =~ /^flip/) { open my $f, "+<", $file or exit; for (1 .. $m) { seek $f, int rand $n, 0; print $f chr int rand 256 } }
        elsif ($how eq "cut") { truncate $file, int rand $n } elsif ($how eq "empty") { truncate $file, 0 }
        elsif ($how eq "noise") { open my $f, ">", $file or exit; print $f map { chr int rand 256 } 1 .. $n }
        elsif ($how eq "gone") { unlink $file } elsif ($how eq "zeros") { open my $f, ">", $file or exit; print $f "\0" x $n }' \
        "$1" "$2" "$seed"
}
# Every verb either works or gives a clear error; no tree is touched.
verbs_with() {
    for tried in list "show a" doctor "start a" "exec a -- true" "stop --force a" repair gc events "network list" "snapshot list" \
        "set a labels.x=y" "create e --template base" "delete --force -y e" "list"; do
        # shellcheck disable=SC2086
        ja -q $tried >/dev/null 2>"$dir/said"
        rc=$?
        cases=$((cases + 1))
        [ "$rc" -lt 124 ] || [ "${tried%% *}" = exec ] || { { echo "status $rc"; cat "$dir/said"; } >"$dir/out"; failed "$1: $tried"; }
        [ "$rc" -eq 0 ] || [ "${tried%% *}" = doctor ] || is_clear "$dir/said" || { cp "$dir/said" "$dir/out"; failed "$1: $tried: no clear error"; }
        grep -e '^jailadmin' "$dir/said" >>"$dir/words"
    done
    [ -e "$dir/pool/p/jails/a/root/default/bin/sh" ] || { : >"$dir/out"; failed "$1: a tree is gone"; }
}
case_corrupt() {
    cases=0
    ja -q stop --force --all
    ja -q gc
    facts >"$dir/before" 2>&1
    mkdir "$dir/saved"
    cp -a "$state"/store.db* "$dir/saved"
    for how in flip20 cut ${long:+flip1 noise flip1 flip2 flip3 flip20 flip500 cut cut empty noise zeros gone}; do
        for file in store.db store.db-wal ${long:+store.db-shm}; do
            damage "$state/$file" "$how"
            verbs_with "$file $how (seed $seed)"
            rm -rf "$state"/store.db*
            cp -a "$dir/saved"/* "$state"
            # What was made meanwhile is an orphan now, which gc lists and leaves.
            ja -q gc >"$dir/out" 2>&1 || failed "gc after $file $how"
            [ ! -e "$dir/pool/p/jails/e" ] || ja -q gc -y jails/e >"$dir/out" 2>&1 || failed "the orphan after $file $how"
            ja -q repair >/dev/null 2>&1
            facts >"$dir/now" 2>&1
            diff "$dir/before" "$dir/now" >"$dir/out" || failed "$file $how (seed $seed): something else is there than before"
        done
    done
    rm -r "$dir/saved"
    passed "damaged stores ($cases verbs)"

    # A journal of a start that died half way, and of a create.
    cases=0
    for verb in "start a" "create e --template base --volume data,target=/data"; do
        for how in none flip3 cut ${long:+flip1 flip2 flip3 flip4 flip5 cut cut cut cut empty noise zeros}; do
            # shellcheck disable=SC2016
            for tool in ip btrfs; do wrap $tool '[ "$1$2" != subvolumesnapshot ] || "$real" "$@"; kill -9 $PPID'; done
            # shellcheck disable=SC2086
            ja -q --no-native $verb >/dev/null 2>&1
            rm "$tools"/*
            file=$(ls "$state"/journal/*.plan) || { : >"$dir/out"; failed "no journal of $verb"; continue; }
            [ "$how" = none ] || damage "$file" "$how"
            verbs_with "the journal of $verb, $how (seed $seed)"
            rm -f "$state"/journal/*.damaged
            ja -q set a labels= >"$dir/out" 2>&1 || failed "the label"
            ja -q gc >"$dir/out" 2>&1 || failed "gc after $verb, $how"
            [ ! -e "$dir/pool/p/jails/e" ] || ja -q gc -y jails/e >"$dir/out" 2>&1 || failed "the orphan after $verb, $how"
            facts >"$dir/now" 2>&1
            diff "$dir/before" "$dir/now" >"$dir/out" || failed "the journal of $verb, $how (seed $seed): something else is there than before"
        done
    done
    passed "damaged journals ($cases verbs)"

    for how in flip3 cut noise empty; do
        for file in jails/a/spec.json templates/base/spec.json instance/site.json instance/default.network.json; do
            damage "$dir/pool/p/$file" "$how"
            ja adopt >"$dir/out" 2>&1 || failed "$file $how: adopt"
            ja -q repair >"$dir/out" 2>&1 || failed "$file $how: repair"
        done
    done
    doctor >"$dir/out"
    [ ! -s "$dir/out" ] || failed "damaged specs: doctor is not content"
    facts >"$dir/now" 2>&1
    diff "$dir/before" "$dir/now" >"$dir/out" || failed "damaged specs: something else is there than before"
    passed "damaged specs"
    ja -q start b
}

# A store that has forgotten its jails, also that there is an instance: nobody is led to destroy them.
case_forgotten() {
    command -v sqlite3 >/dev/null || return 0
    ja -q start a
    facts >"$dir/before" 2>&1
    sqlite3 "$state/store.db" "DELETE FROM setting WHERE name = 'ready'; DELETE FROM object; DELETE FROM reservation"
    refuse "no list" "init --adopt" ja list
    refuse "no teardown" "init --adopt" ja -y teardown
    refuse "no init" "init --adopt" ja init --storage "btrfs:$dir/pool/p" --slots 64 --network "$network.1/25"
    want "init --adopt" ja init --adopt
    want "adopt --all" ja adopt --all
    facts >"$dir/now" 2>&1
    diff "$dir/before" "$dir/now" >"$dir/out" || failed "something else is there than before"
    # A store of a newer program is left alone, and said to be one.
    sqlite3 "$state/store.db" "PRAGMA user_version = 1000" >/dev/null
    for verb in list "start a" gc doctor teardown "init --adopt" "create e --template base"; do
        # shellcheck disable=SC2086
        refuse "a newer store: $verb" "version 1000" ja $verb
    done
    sqlite3 "$state/store.db" "PRAGMA user_version = 1" >/dev/null
    want "which is as it was" ja start a
    ja -q stop --force a
}

# ---- commands that hang

# Ctrl-C ends a command that does not end by itself; in the long run the time limit does.
case_hanging() {
    facts >"$dir/before" 2>&1
    for line in "ip start a" "crun start a" ${long:+"btrfs create e --template base" "nft start a" "dnsmasq network create lan --address $network.129/25"}; do
        # Only once: its undo has a hanging command's whole time limit, too.
        wrap "${line%% *}" '[ ! -e "$0.once" ] || exec "$real" "$@"; : >"$0.once"; trap "" TERM INT; sleep 1000; exit 1'
        # shellcheck disable=SC2086
        timeout -s INT -k 100 1 "$program" --state "$state" --no-native ${line#* } </dev/null >"$dir/said" 2>&1
        rc=$?
        rm "$tools"/*
        [ "$rc" -ne 0 ] && grep -q -i interrupt "$dir/said" || { cp "$dir/said" "$dir/out"; failed "$line: it is interrupted, and says so (status $rc)"; }
        ja -q gc >"$dir/out" 2>&1 || failed "$line: gc"
        facts >"$dir/now" 2>&1
        diff "$dir/before" "$dir/now" >"$dir/out" || failed "$line: something else is there than before"
        passed "${line%% *} hangs, and is interrupted"
    done
    [ "$long" ] || return 0
    for line in "btrfs create e --template base" "ip start a" "nft start a"; do
        wrap "${line%% *}" 'trap "" TERM INT; sleep 1000; exit 1'
        # shellcheck disable=SC2086
        timeout 300 "$program" --state "$state" --no-native ${line#* } </dev/null >"$dir/said" 2>&1
        rc=$?
        rm "$tools"/*
        [ "$rc" -eq 1 ] && grep -q "did not end within" "$dir/said" || { cp "$dir/said" "$dir/out"; failed "$line: it runs out of time, and says so (status $rc)"; }
        ja -q gc >"$dir/out" 2>&1 || failed "$line: gc"
        facts >"$dir/now" 2>&1
        diff "$dir/before" "$dir/now" >"$dir/out" || failed "$line: something else is there than before"
        passed "${line%% *} hangs, and runs out of its time"
    done
}

# ---- the cases
cases_all="state_full run_full pool_full state_read_only no_files no_processes commands hanging removed forgotten corrupt"

image=$dir/image
truncate -s 256M "$image"
mkfs.btrfs -q --mixed -n 4096 "$image" >/dev/null 2>&1 && mount -o loop "$image" "$dir/pool" || { echo "FAILED: no btrfs to test on"; exit 1; }
kit_init --storage "btrfs:$dir/pool/p" --slots 64 --network "$network.1/25"
want "a template" ja template create base --from busybox
want "a jail" ja create a --template base --start
want "which has run" ja stop --force a
want "more jails" ja create b d --template base
want "one of which runs" ja start b
for case in ${*:-$cases_all}; do
    begun=$(date +%s)
    "case_$case"
    echo "   $case: $(($(date +%s) - begun)) s"
done
[ ! -s "$dir/words" ] || { echo "what was said:"; sed "s/$(basename "$dir")/DIR/; s/[0-9a-f-]\{36\}/UUID/" "$dir/words" | sort | uniq -c | sort -rn | head -n "${WORDS:-40}"; }
want "all can be stopped" ja stop --force --all
umount "$tools"
want "teardown" ja teardown --force --yes
kit_left "$mine" | grep -v -e "$image" -e "grep -v" -e " $dir/pool " -e " $state " >"$dir/left"
cat "$dir/left"
want "nothing is left" test ! -s "$dir/left" -a ! -e "$state/store.db" -a -z "$(ls -A "$dir/pool")"
trap 'rm -rf "$dir"' EXIT
umount "$dir/pool" "$state"
exit "$bad"
