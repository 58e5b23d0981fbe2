#!/usr/bin/env bash
# The same operations with jailadmin and with LXC, by turns in the same run, on the same kind of storage (btrfs in a
# file), with the same small system (busybox) and a network stack of their own on a bridge. Prints a table of medians and
# ratios, beside the ratios that we want.
#
#   lxc.sh [--quick] [--rounds N] [--jails N] [--check] [JAILADMIN]
#   --quick   few rounds and few jails: shows that it works; its figures mean little
#   --check   exit status 1 when a ratio is above its target
#
# Needs root and the packages lxc and btrfs-progs. All that it makes is below one temporary directory, and goes at the
# end. LXC is measured twice: with a user namespace, an idmapped tree and a seccomp filter, which is what a jail has too
# (targets are about this one), and privileged, without any of them, which is the fastest that it has.
set -u
export LC_ALL=C

# /run is in memory wherever systemd runs; on a machine without it this run gets one of its own, for both.
if [ "$(stat -f -c %T /run)" != tmpfs ]; then
    exec unshare -m --propagation private sh -c 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$0" "$@"' "$0" "$@"
fi

here=$(cd "$(dirname "$0")" && pwd)
rounds=20 jails=200 check=no program=$here/../../build/src/jailadmin
while [ $# -gt 0 ]; do
    case $1 in
    --quick) rounds=3 jails=4 ;;
    --rounds) rounds=${2:?} && shift ;;
    --jails) jails=${2:?} && shift ;;
    --check) check=yes ;;
    -*)
        sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    *) program=$1 ;;
    esac
    shift
done
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
for tool in lxc-create lxc-copy lxc-start lxc-attach lxc-destroy lxc-ls mkfs.btrfs ip; do
    command -v $tool >/dev/null || { echo "skipped: needs $tool"; exit 77; }
done
program=$(realpath "$program") || exit 1

dir=$(mktemp -d /var/tmp/jailadmin-bench.XXXXXX)
bridge=bench$((RANDOM % 10000))
ja() { "$program" -q --state "$dir/state" "$@" </dev/null; }
# Without newuidmap, which would want ranges in /etc/subuid and a process more for each: LXC writes the maps itself then.
mkdir "$dir/bin"
for tool in /usr/bin/* /usr/sbin/*; do
    case $tool in */newuidmap | */newgidmap) ;; *) ln -sf "$tool" "$dir/bin/" ;; esac
done
lxc() { # lxc VERB NAME [ARGUMENT]...
    local verb=$1 name=$2
    shift 2
    PATH=$dir/bin "lxc-$verb" -P "$dir/lxc" -n "$name" "$@" </dev/null
}

# shellcheck disable=SC2317
finish() {
    trap - EXIT
    [ ! -e "$dir/state" ] || ja teardown --force --yes
    local config
    for config in "$dir"/lxc/*/config; do
        [ ! -e "$config" ] || lxc destroy "$(basename "${config%/config}")" -f >/dev/null 2>&1
    done
    ! mountpoint -q "$dir/lxc" || umount "$dir/lxc"
    ! ip link show "$bridge" >/dev/null 2>&1 || ip link del "$bridge"
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
die() {
    echo "lxc.sh: $*" >&2
    cat "$dir/out" >&2
    exit 1
}
quietly() { "$@" >"$dir/out" 2>&1 || die "failed: $*"; }

prepare_jailadmin() {
    quietly ja init --storage file:2G --network 10.228.0.1/16
    quietly ja template create base --from busybox
}

# The base container, with the system that jailadmin makes of busybox: an init that does nothing.
prepare_lxc() {
    mkdir "$dir/lxc"
    chmod 711 "$dir" # the container's root passes through it
    truncate -s 2G "$dir/lxc.img"
    quietly mkfs.btrfs -q -f "$dir/lxc.img"
    quietly mount -o loop,noatime "$dir/lxc.img" "$dir/lxc"
    quietly ip link add "$bridge" type bridge
    quietly ip addr add 10.229.0.1/16 dev "$bridge"
    quietly ip link set "$bridge" up
    cat >"$dir/lxc.conf" <<END
lxc.net.0.type = veth
lxc.net.0.link = $bridge
lxc.net.0.flags = up
lxc.net.0.ipv4.gateway = 10.229.0.1
END
    quietly lxc create base -B btrfs -f "$dir/lxc.conf" -t busybox
    local root=$dir/lxc/base/rootfs
    printf '#!/bin/sh\n' >"$root/etc/init.d/rcS"
    printf '::sysinit:/etc/init.d/rcS\n' >"$root/etc/inittab"
    sed -i '/^lxc.mount.entry = \/.*lib/d' "$dir/lxc/base/config" # the host's libraries: busybox is static
}

# measure SERIES COMMAND...: adds the microseconds that it took to the series. All is on the disk before: jailadmin syncs what it
# promises, and would pay for what the other has written.
measure() {
    local series=$1 begin end
    shift
    sync
    begin=${EPOCHREALTIME/./}
    "$@" >"$dir/out" 2>&1 || die "failed: $*"
    end=${EPOCHREALTIME/./}
    echo $((end - begin)) >>"$dir/t.$series"
}

number=1 # of a container's address
lxc_copy() { # lxc_copy NAME KIND
    lxc copy base -N "$1" -B btrfs -s || return
    number=$((number + 1))
    address=10.229.$((number / 250)).$((number % 250 + 2))
    echo "lxc.net.0.ipv4.address = $address/16" >>"$dir/lxc/$1/config"
    [ "$2" != unprivileged ] || cat >>"$dir/lxc/$1/config" <<END
lxc.rootfs.path = dir:$dir/lxc/$1/rootfs
lxc.rootfs.options = idmap=container
lxc.idmap = u 0 1000000 65536
lxc.idmap = g 0 1000000 65536
lxc.seccomp.profile = /usr/share/lxc/config/common.seccomp
END
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

# median SERIES [FIRST LAST]: of its lines, in microseconds.
median() {
    sed -n "${2:-1},${3:-\$}p" "$dir/t.$1" | sort -n |
        awk '{ t[NR] = $1 } END { printf "%d", (t[int((NR + 1) / 2)] + t[int(NR / 2) + 1]) / 2 }'
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
        done' bare "$dir" "$rounds" >"$dir/out" 2>&1 || die "crun run of a snapshot failed"
}

missed=0
# row TITLE OURS THEIRS TARGET [PRIVILEGED]: microseconds.
row() {
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

prepare_jailadmin
prepare_lxc
load=$(cut -d' ' -f1 /proc/loadavg)
round 0 # warms up
rm -f "$dir"/t.*
for ((n = 1; n <= rounds; n++)); do round "$n"; done
bare
many
window=$((jails < 20 ? (jails + 1) / 2 : 10))
last=$((jails - window + 1))

printf '%-26s%11s%9s%7s%8s%22s%7s\n' "median of $rounds, in ms" jailadmin LXC ratio target "LXC privileged" ratio
row "create and start" "$(median ja.start)" "$(median lxc.start)" 0.40 "$(median priv.start)"
row "exec" "$(median ja.exec)" "$(median lxc.exec)" 0.65 "$(median priv.exec)"
row "stop and delete" "$(median ja.delete)" "$(median lxc.delete)" 0.40 "$(median priv.delete)"
row "list of $jails" "$(median ja.list)" "$(median lxc.list)" 0.10
if [ -e "$dir/t.bare" ]; then
    printf '\n%-26s%11s%9s%7s%8s\n' "" jailadmin bare ratio target
    row "create and start" "$(median ja.start)" "$(median bare)" 1.40
fi
printf '\n%-26s%11s%9s%7s%8s\n' "start no. 1 to $jails, in ms" "first $window" "last $window" ratio target
grown jailadmin "$(median ja.many 1 $window)" "$(median ja.many $last "$jails")" 1.15
grown LXC "$(median lxc.many 1 $window)" "$(median lxc.many $last "$jails")"
printf '\n%s processors; load %s before and %s after: other work moves the times, the ratios less\n' "$(nproc)" "$load" \
    "$(cut -d' ' -f1 /proc/loadavg)"
finish
[ "$check" = no ] || exit $missed
