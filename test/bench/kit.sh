# kit.sh: what the benchmarks share, to be read with `.`, after $program is set: a directory of their own, an instance of jailadmin and a
# directory of LXC's containers on the same kind of storage, and an end that takes everything away.
# shellcheck shell=bash
export LC_ALL=C

# /run is in memory wherever systemd runs; on a machine without it a benchmark gets one of its own, for both.
bench_run_in_memory() { # bench_run_in_memory SCRIPT ARGUMENT...
    [ "$(stat -f -c %T /run)" = tmpfs ] ||
        exec unshare -m --propagation private sh -c 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$0" "$@"' "$@"
}
bench_needs() {
    local tool
    [ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "skipped: needs $tool"; exit 77; }
    done
}

bench_begin() {
    dir=$(mktemp -d /var/tmp/jailadmin-bench.XXXXXX)
    out=$(mktemp /run/jailadmin-bench.XXXXXX) # what is measured does not wait for the disk when it prints
    bridge=bench$((RANDOM % 10000))
    # Without newuidmap, which would want ranges in /etc/subuid and a process more for each: LXC writes the maps itself then.
    mkdir "$dir/bin"
    local tool
    for tool in /usr/bin/* /usr/sbin/*; do
        case $tool in */newuidmap | */newgidmap) ;; *) ln -sf "$tool" "$dir/bin/" ;; esac
    done
    trap bench_finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}
ja() { "$program" -q --state "$dir/state" "$@" </dev/null; }
lxc() { # lxc VERB NAME [ARGUMENT]...
    local verb=$1 name=$2
    shift 2
    PATH=$dir/bin "lxc-$verb" -P "$dir/lxc" -n "$name" "$@" </dev/null
}
lxc_destroy_all() {
    local config
    for config in "$dir"/lxc/*/config; do
        [ -e "$config" ] && basename "${config%/config}"
    done | PATH=$dir/bin xargs -r -P 2 -I NAME lxc-destroy -P "$dir/lxc" -f -n NAME >/dev/null 2>&1
}
# shellcheck disable=SC2317
bench_finish() {
    trap - EXIT
    [ ! -e "$dir/state" ] || ja teardown --force --yes
    lxc_destroy_all
    ! mountpoint -q "$dir/lxc" || umount "$dir/lxc"
    ! ip link show "$bridge" >/dev/null 2>&1 || ip link del "$bridge"
    rm -rf "$dir" "$out"
}
die() {
    echo "$(basename "$0"): $*" >&2
    [ ! -e "$out" ] || tail -n 20 "$out" >&2
    exit 1
}
quietly() { "$@" >"$out" 2>&1 || die "failed: $(printf '%s ' "$@" | cut -c 1-200)"; }
# median FILE [FIRST LAST]: of its lines.
median() {
    sed -n "${2:-1},${3:-\$}p" "$1" | sort -n |
        awk '{ t[NR] = $1 } END { printf "%d", (t[int((NR + 1) / 2)] + t[int(NR / 2) + 1]) / 2 }'
}

# The base container, with the system that jailadmin makes of busybox: an init that does nothing.
prepare_lxc() { # prepare_lxc SIZE
    mkdir "$dir/lxc"
    chmod 711 "$dir" # the container's root passes through it
    truncate -s "$1" "$dir/lxc.img"
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
    # Without the host's libraries, since busybox is static, and without terminals, which end at some 500 containers (kernel.pty.max).
    sed -i '/^lxc.mount.entry = \/.*lib/d; /^lxc.tty.max/d' "$dir/lxc/base/config"
    echo "lxc.tty.max = 0" >>"$dir/lxc/base/config"
}
number=1 # of a container's address
# shellcheck disable=SC2034
lxc_copy() { # lxc_copy NAME KIND; KIND is unprivileged (user namespace, idmapped tree, seccomp filter, as a jail) or privileged
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
