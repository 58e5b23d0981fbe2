#!/bin/sh
# A jail that jailadmin starts by itself and one that crun starts are alike: what they see, may do, and are known by.
# container.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
. "$(dirname "$0")/kit.sh"
kit_begin container

mkdir "$dir/shared"
echo shared >"$dir/shared/file"
truncate -s 0 "$dir/one"
kit_init --storage file:512M --network "$network.1/24"
want "a template" ja template create base --from busybox

# What is in a jail, with what differs by nature taken out: numbers, times, names of the jail.
look() {
    ja exec "$1" -- sh -c '
        echo "== devices"; ls -lnR /dev | sed "s/ [A-Z][a-z][a-z] *[0-9]* *[0-9:]* / /; s/^total.*//"
        echo "== mounts"; cut -d" " -f4- /proc/1/mountinfo | sort
        echo "== init"; sed -n "/^Uid\|^Gid\|^Groups\|^Cap\|^NoNew\|^Secc\|^Specul\|^Umask\|^Sig[BI]\|^NS/p" /proc/1/status
        echo "== limits"; grep -v "^Max file locks" /proc/1/limits # a number by chance: the mark of its init
        echo "== environment"; tr "\0" "\n" </proc/1/environ
        echo "== words"; tr "\0" " " </proc/1/cmdline
        echo "== cgroup"; cat /proc/1/cgroup
        echo "== open"; for fd in /proc/1/fd/*; do echo "${fd##*/}"; done
        echo "== settings"; cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ping_group_range
        echo "== keys"; cat /proc/keys
        echo "== session"; cut -d" " -f4-8 /proc/1/stat
        echo "== refused"; mount -t tmpfs none /mnt 2>&1; mknod /tmp/node b 7 0 2>&1; echo 1 2>&1 >/proc/sys/kernel/sysrq
        cat /proc/kcore 2>&1 | head -c 0; echo x 2>&1 >/sys/class/net/eth0/mtu; hostname other 2>&1
        echo "== names"; hostname; id
    ' >"$dir/look.$1" 2>&1
    # The id range is the slot; crun forgets flags of what it makes read-only; a jail has a name.
    sed -i "s/ [0-9]*:[0-9]* / /; s/[ug]id=[0-9]\{6,\}/id/g; s/subvolid=[0-9]*/id/; s,/jails/$1/,/jails/NAME/,g; s/^$1\$/NAME/
        /^[^ ]* \/proc\//s/ro,nosuid,nodev,noexec/ro/; s/ r[wo],nosuid,nodev,relatime - ext/ r?,relatime - ext/; s/ r[wo],relatime - ext/ r?,relatime - ext/" "$dir/look.$1"
}
alike() {
    look c
    look n
    diff "$dir/look.c" "$dir/look.n"
}
both() { # both WHAT FIELD=VALUE...: a jail by crun, one by jailadmin, and they are alike
    case=$1
    shift
    want "$case: two jails" ja create c n --template base
    [ $# -eq 0 ] || want "$case: with fields" ja set c n "$@"
    want "$case: one by crun" ja --no-native start c
    want "$case: one without crun" ja start n
    want "$case: they are alike" alike
    want "$case: crun knows both" sh -c "[ \$(crun --root '/run/jailadmin-$mine/crun' list | grep -c ' running ') -eq 2 ]"
    want "$case: both stop" ja stop --force c n
    want "$case: and go" ja delete --force --yes c n
}
both "plain"
both "limits" limits.files=512 limits.processes=20 limits.memory=64M env.A=b
both "mounts" mounts./data.source="$dir/shared" mounts./only.source="$dir/shared" mounts./only.readonly=yes \
    mounts./deep/er/file.source="$dir/one" mounts./scratch.type=tmpfs mounts./scratch.size=1M volumes.db.target=/var/db
both "rights" devices=/dev/fuse allow=sys_nice
both "its own init" 'init=/bin/sh -c "while :; do sleep 1; done"'

# Whatever goes wrong, nothing of it is left, and the error says what.
kit_none() {
    ! ls -A "/run/jailadmin-$mine/crun" "/run/jailadmin-$mine/jails" | grep -v "^[.]inits$" | grep "^[^/]" &&
        ! ip -o link show | grep "ja${mine}[0-9]" && ! ls -d /sys/fs/cgroup/*/jailadmin-"$mine"/ja* 2>/dev/null
}
ja -q create bad --template base
ja -q set bad init=/no/such
refuse "an init that is not there" "cannot run /no/such in the jail: No such file" ja start bad
want "nothing is left of it" kit_none
ja -q set bad init= mounts./x.source="$dir/gone"
refuse "a mount whose source is not there" "$dir/gone" ja start bad
want "nothing is left of that" kit_none
ja -q delete --yes bad
# A hostile tree: links in place of what is mounted on lead nowhere but into the tree.
ja -q create link --template base
tree=$state/pool/jails/link/root/default
rm -rf "$tree/proc" "$tree/dev" "$tree/sys"
ln -s /etc "$tree/proc"
ln -s "$dir/shared" "$tree/dev"
ln -s ../../../../../../../.. "$tree/sys"
ja start link >"$dir/out" 2>&1
want "links in place of /dev reach nothing of the host" sh -c "[ \"\$(ls '$dir/shared')\" = file ] && ! grep -q '$dir/shared' /proc/self/mountinfo"
ja -q delete --force --yes link
kit_end
