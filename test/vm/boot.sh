#!/bin/sh
# Boots another kernel, user-mode Linux, on this machine's own file system (read-only), with fresh places to write to and cgroup
# v2 alone, and runs a script there: boot.sh SCRIPT [ARGUMENT]... The script says "ok: ..." or "FAILED: ..." line by line.
# $JAILADMIN_UML_XSTATE is a library that its kernel is loaded with (xstate.c).
set -u
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
command -v linux.uml >/dev/null || { echo "skipped: needs user-mode-linux"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
{
    cat <<'END'
#!/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
for place in /run /var/tmp /var/db; do mount -t tmpfs tmpfs $place; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for module in drivers/block/loop.ko; do
    insmod "/usr/lib/uml/modules/$(uname -r)/kernel/$module"
done
ip link set lo up
exec </dev/null
END
    printf 'sh'
    for word in "$@"; do
        printf " '%s'" "$(realpath "$word" 2>/dev/null || echo "$word")"
    done
    cat <<'END'

echo "status: $?"
echo o >/proc/sysrq-trigger
sleep 10
END
} >"$dir/init"
chmod +x "$dir/init"

# A process of the guest whose kernel is killed would go on as one of this machine; in a namespace whose first process is killed with it,
# all of them end at once.
# shellcheck disable=SC2016
timeout -s KILL 300 unshare --mount --pid --fork --kill-child sh -c 'LD_PRELOAD=${JAILADMIN_UML_XSTATE:-} linux.uml "$@"; exit' sh mem=1024M rootfstype=hostfs rootflags=/ ro init="$dir/init" con=null con0=fd:0,fd:1 quiet "uml_dir=$dir/uml/" \
    </dev/null >"$dir/out" 2>"$dir/messages"
cat "$dir/out"
grep -q '^status: 0' "$dir/out" && ! grep -q '^FAILED' "$dir/out"
