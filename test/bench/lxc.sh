#!/usr/bin/env bash
# The same operations with jailadmin and with LXC, by turns in the same run, on the same kind of storage (btrfs in a
# file), with the same small system (busybox) and a network stack of their own on a bridge. Prints a table of medians and
# ratios, beside the ratios that we want.
#
#   lxc.sh [--quick] [--rounds N] [--jails N] [--csv FILE] [--check] [JAILADMIN]
#   --quick   few rounds and few jails: shows that it works; its figures mean little
#   --csv     writes them to a file too: what, jailadmin, LXC, target, LXC privileged; times in microseconds
#   --check   exit status 1 when a ratio is above its target
#
# Needs root and the packages lxc and btrfs-progs. All that it makes is below one temporary directory, and goes at the
# end. LXC is measured twice: with a user namespace, an idmapped tree and a seccomp filter, which is what a jail has too
# (targets are about this one), and privileged, without any of them, which is the fastest that it has.
set -u

here=$(cd "$(dirname "$0")" && pwd)
. "$here/kit.sh"
bench_run_in_memory "$0" "$@"
rounds=20 jails=200 check=no csv='' program=$here/../../build/src/jailadmin
while [ $# -gt 0 ]; do
    case $1 in
    --quick) rounds=3 jails=4 ;;
    --rounds) rounds=${2:?} && shift ;;
    --jails) jails=${2:?} && shift ;;
    --csv) csv=${2:?} && shift ;;
    --check) check=yes ;;
    -*)
        sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    *) program=$1 ;;
    esac
    shift
done
bench_needs lxc-create lxc-copy lxc-start lxc-attach lxc-destroy lxc-ls mkfs.btrfs ip
program=$(realpath "$program") || exit 1
bench_begin

prepare_jailadmin() {
    quietly ja init --storage file:2G --network 10.228.0.1/16
    quietly ja template create base --from busybox
}

# measure SERIES COMMAND...: adds the microseconds that it took to the series. All is on the disk before, and the kernel has had time
# to clear away network stacks and trees that the one before has left to it: nobody pays for what another did.
measure() {
    local series=$1 begin end
    shift
    sync
    sleep 0.15
    begin=${EPOCHREALTIME/./}
    "$@" >"$out" 2>&1 || die "failed: $*"
    end=${EPOCHREALTIME/./}
    echo $((end - begin)) >>"$dir/t.$series"
}

lxc_copy_start() { lxc_copy "$1" "$2" && lxc start "$1" -d; }

# A series of one container or jail each, from nothing to nothing.
round() {
    local i=$1 k
    measure ja.start ja create "r$i" --template base --start
    measure lxc.start lxc_copy_start "u$i" unprivileged
    quietly ping -c1 -W2 -q "$address"
    measure priv.start lxc_copy_start "p$i" privileged
    quietly ping -c1 -W2 -q "$address"
    for ((k = 0; k < 3; k++)); do
        measure ja.exec ja exec "r$i" -- true
        measure lxc.exec lxc attach "u$i" -- /bin/true
        measure priv.exec lxc attach "p$i" -- /bin/true
    done
    measure ja.delete ja delete --force --yes "r$i"
    measure lxc.delete lxc destroy "u$i" -f
    measure priv.delete lxc destroy "p$i" -f
}

many() {
    local names=() name i
    for ((i = 1; i <= jails; i++)); do names+=("m$i"); done
    quietly ja create "${names[@]}" --template base
    for name in "${names[@]}"; do quietly lxc_copy "$name" unprivileged; done
    for name in "${names[@]}"; do measure ja.many ja start "$name"; done
    for name in "${names[@]}"; do measure lxc.many lxc start "$name" -d; done
    for ((i = 0; i < 5; i++)); do
        measure ja.list ja list
        measure lxc.list lxc-ls -P "$dir/lxc" -f
    done
    ja list | grep -c ' running ' | grep -qx "$jails" || die "not all $jails jails run"
}

# What no tool can do without: a snapshot by btrfs(8), and `crun run` of it with what `crun spec` writes (namespaces and a network
# stack with lo; no ids mapped, no filter, no network). Debian's crun refuses a host that has cgroups of both versions, so it sees
# none of version 2.
bare() {
    command -v crun >/dev/null || return 0
    mkdir "$dir/bare"
    (cd "$dir/bare" && crun spec) || die "crun spec failed"
    sed -i -e 's/"terminal": true/"terminal": false/' -e 's/"sh"$/"\/sbin\/init"/' -e 's/"readonly": true/"readonly": false/' \
        -e "s|\"path\": \"rootfs\"|\"path\": \"$dir/lxc/bare\"|" "$dir/bare/config.json"
    # shellcheck disable=SC2016
    unshare -m --propagation private bash -c '
        dir=$1 rounds=$2
        ! mountpoint -q /sys/fs/cgroup/unified || umount -l /sys/fs/cgroup/unified
        for ((n = 0; n <= rounds; n++)); do
            sync
            begin=${EPOCHREALTIME/./}
            btrfs subvolume snapshot "$dir/lxc/base/rootfs" "$dir/lxc/bare" &&
                crun run -d --bundle "$dir/bare" "bare$$" </dev/null || exit
            end=${EPOCHREALTIME/./}
            [ "$n" = 0 ] || echo $((end - begin)) >>"$dir/t.bare"
            crun delete -f "bare$$" && btrfs subvolume delete "$dir/lxc/bare" || exit
        done' bare "$dir" "$rounds" >"$out" 2>&1 || die "crun run of a snapshot failed"
}

missed=0
# row TITLE OURS THEIRS TARGET [PRIVILEGED]: microseconds.
row() {
    [ -z "$csv" ] || echo "$1,$2,$3,$4,${5:-}" >>"$csv"
    awk -v title="$1" -v ours="$2" -v theirs="$3" -v target="$4" -v privileged="${5:-0}" 'BEGIN {
        printf "%-26s%11.2f%9.2f%7.2f%8s  %s", title, ours / 1000, theirs / 1000, ours / theirs, target,
            ours / theirs <= target ? "reached" : "missed "
        if (privileged) printf "%13.2f%7.2f", privileged / 1000, ours / privileged
        printf "\n"
        exit ours / theirs > target }' || missed=1
}
# grown TITLE FIRST LAST [TARGET]: microseconds.
grown() {
    awk -v title="$1" -v first="$2" -v last="$3" -v target="${4:-}" 'BEGIN {
        printf "%-26s%11.2f%9.2f%7.2f", title, first / 1000, last / 1000, last / first
        if (target) printf "%8s  %s", target, last / first <= target ? "reached" : "missed"
        printf "\n"
        exit target && last / first > target }' || missed=1
}

[ -z "$csv" ] || : >"$csv"
prepare_jailadmin
prepare_lxc 2G
load=$(cut -d' ' -f1 /proc/loadavg)
round 0 # warms up
rm -f "$dir"/t.*
for ((n = 1; n <= rounds; n++)); do round "$n"; done
bare
many
window=$((jails < 20 ? (jails + 1) / 2 : 10))
last=$((jails - window + 1))

printf '%-26s%11s%9s%7s%8s%22s%7s\n' "median of $rounds, in ms" jailadmin LXC ratio target "LXC privileged" ratio
row "create and start" "$(median "$dir/t.ja.start")" "$(median "$dir/t.lxc.start")" 0.40 "$(median "$dir/t.priv.start")"
row "exec" "$(median "$dir/t.ja.exec")" "$(median "$dir/t.lxc.exec")" 0.65 "$(median "$dir/t.priv.exec")"
row "stop and delete" "$(median "$dir/t.ja.delete")" "$(median "$dir/t.lxc.delete")" 0.40 "$(median "$dir/t.priv.delete")"
row "list of $jails" "$(median "$dir/t.ja.list")" "$(median "$dir/t.lxc.list")" 0.10
if [ -e "$dir/t.bare" ]; then
    printf '\n%-26s%11s%9s%7s%8s\n' "" jailadmin bare ratio target
    row "snapshot and crun run" "$(median "$dir/t.ja.start")" "$(median "$dir/t.bare")" 1.40
fi
printf '\n%-26s%11s%9s%7s%8s\n' "start no. 1 to $jails, in ms" "first $window" "last $window" ratio target
grown jailadmin "$(median "$dir/t.ja.many" 1 $window)" "$(median "$dir/t.ja.many" $last "$jails")" 1.15
grown LXC "$(median "$dir/t.lxc.many" 1 $window)" "$(median "$dir/t.lxc.many" $last "$jails")"
printf '\n%s processors; load %s before and %s after: other work moves the times, the ratios less\n' "$(nproc)" "$load" \
    "$(cut -d' ' -f1 /proc/loadavg)"
bench_finish
[ "$check" = no ] || exit $missed
