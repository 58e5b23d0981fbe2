#!/bin/sh
# Boots Debian's kernel under qemu, without KVM, on this machine's own file system, and runs a script there as root:
#   kernel.sh [--long] [--systemd] SCRIPT [ARGUMENT]...
# The guest sees this machine's files; what it writes goes to a disk of its own and is thrown away. It has cgroup v2 alone and all
# modules of the kernel, so netem, 8021q, vlan filtering, nftables with inet, ifb and so on. The script says "ok: ..." or
# "FAILED: ..." line by line.
#   --long     only when JAILADMIN_TEST_LONG is set
#   --systemd  systemd is the guest's init, and the script a service of it. A script that ends with status 100 is run again after
#              an orderly reboot; the files that it wrote are still there.
# JAILADMIN_VM is where the kernel is kept (build/vm), JAILADMIN_VM_TIME how many seconds each boot of it may take (580),
# JAILADMIN_VM_APPEND what is added to the kernel's command line.
set -u
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
if [ "${1:-}" = --long ]; then
    [ -n "${JAILADMIN_TEST_LONG:-}" ] || { echo "skipped: only in script/test --long"; exit 77; }
    shift
fi
init=
[ "${1:-}" != --systemd ] || { init=/lib/systemd/systemd; shift; }
[ $# -gt 0 ] || { echo "usage: kernel.sh [--long] [--systemd] SCRIPT [ARGUMENT]..." >&2; exit 2; }
for file in /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd; do [ ! -x $file ] || virtiofsd=$file; done
[ -n "${virtiofsd:-}" ] && command -v qemu-system-x86_64 >/dev/null || {
    echo "skipped: needs qemu-system-x86_64 and virtiofsd"
    exit 77
}
[ -z "$init" ] || [ -x $init ] || { echo "skipped: needs systemd"; exit 77; }
busybox=$(command -v busybox) || { echo "skipped: needs busybox"; exit 77; }
vm=${JAILADMIN_VM:-$(realpath "$(dirname "$0")/../..")/build/vm}
limit=${JAILADMIN_VM_TIME:-580}

# ---- the kernel, once: unpacked, not installed ----
package() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}
download() {
    name=$(package)
    [ -n "$name" ] && (cd "$new" && apt-get download "$name") >>"$new/log" 2>&1
}
fetch() { # in a new directory, which gets its name when it is whole
    new=$(mktemp -d "$vm.XXXXXX") || return 1
    download || { apt-get update -q >>"$new/log" 2>&1; download; }
    if dpkg -x "$new"/*.deb "$new" >>"$new/log" 2>&1 && mv "$new"/boot/vmlinuz-* "$new/kernel" &&
        basename "$new"/lib/modules/* >"$new/version" && depmod -b "$new" "$(cat "$new/version")"; then
        rm -rf "$new"/*.deb "$new/boot" "$new/usr"
        mv -T "$new" "$vm" 2>/dev/null || rm -rf "$new" # somebody else was faster
    else
        tail -n 3 "$new/log"
        rm -rf "$new"
        return 1
    fi
}
mkdir -p "$(dirname "$vm")"
[ -e "$vm/version" ] || fetch || { echo "skipped: there is no package linux-image-cloud-amd64 to be had"; exit 77; }
version=$(cat "$vm/version")

# ---- what boots ----
dir=$(mktemp -d /var/tmp/jailadmin-vm.XXXXXX)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$dir/initrd/bin" "$dir/initrd/modules" "$dir/view"
cp "$busybox" "$dir/initrd/bin/busybox"
for module in virtio_pci virtio_blk virtiofs overlay; do
    modprobe -d "$vm" -S "$version" --show-depends $module
done | while read -r _ file; do
    ! grep -qs "/$(basename "$file")$" "$dir/initrd/order" || continue
    cp "$file" "$dir/initrd/modules/"
    echo "/modules/$(basename "$file")" >>"$dir/initrd/order"
done

# The script with its arguments; relative names are meant where we are.
{
    echo 'exec </dev/null >/dev/ttyS1 2>&1'
    printf 'cd /; sh'
    for word in "$@"; do
        [ ! -e "$word" ] || word=$(realpath "$word")
        printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")"
    done
    cat <<'END'

status=$?
if [ -d /run/systemd/system ]; then
    [ $status -ne 100 ] || { echo reboot && exec systemctl --no-block reboot; }
    echo "status: $status"
    exec systemctl --no-block poweroff
fi
echo "status: $status"
sync
echo o >/proc/sysrq-trigger
sleep 100
END
} >"$dir/initrd/run-test"
cat >"$dir/initrd/guest-test.service" <<'END'
[Unit]
Description=The test
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /run-test
END
# The init of a guest without systemd.
cat >"$dir/initrd/plain-init" <<'END'
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
modprobe -a loop
exec sh /run-test
END
cat >"$dir/initrd/init" <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /low /disk /new
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod \$module; done </order
mount -t virtiofs -o ro host /low && mount -t ext4 -o noatime /dev/vda /disk || poweroff -f
mkdir -p /disk/upper /disk/work /disk/tmp
mount -t overlay -o lowerdir=/low,upperdir=/disk/upper,workdir=/disk/work root /new
units=/new/etc/systemd/system
if [ ! -e /new/run-test ]; then
    # Nothing of what this machine runs, nor of its jails.
    rm -rf \$units/*.wants /new/var/db /new/var/log/journal
    mkdir -p /new/var/db \$units/multi-user.target.wants /new/lib/modules/$version
    cp /guest-test.service \$units/
    ln -s ../guest-test.service \$units/multi-user.target.wants/
    cp /run-test /plain-init /new/
    chmod +x /new/plain-init
    # systemd gives up waiting for a slow disk, which it does not know to be mounted either.
    mkdir -p /new/usr/lib/systemd/system-shutdown
    printf '#!/bin/sh\\nsync\\n' >/new/usr/lib/systemd/system-shutdown/sync
    chmod +x /new/usr/lib/systemd/system-shutdown/sync
    : >/new/etc/fstab
    : >/new/etc/tmpfiles.d/tmp.conf # which would empty /tmp
fi
mount -o bind /disk/tmp /new/var/tmp
mount -o bind "/low$vm/lib/modules/$version" /new/lib/modules/$version
stty -F /dev/ttyS1 raw -echo
umount /proc /sys
mount --move /dev /new/dev
exec switch_root /new ${init:-/plain-init}
END
chmod +x "$dir/initrd/init"
(cd "$dir/initrd" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$dir/initrd.gz"
truncate -s 4G "$dir/disk"
mkfs.ext4 -q -F -O ^has_journal "$dir/disk"

# This machine's files, which are read-only already on this side, in a mount namespace of its own.
# shellcheck disable=SC2016
serve() {
    unshare -m --propagation private sh -c '
        mount --rbind / "$1/view" || exit 1
        for place in $(awk -v view="$1/view" "index(\$5, view) == 1 { print \$5 }" /proc/self/mountinfo); do
            mount -o remount,bind,ro "$place" || exit 1
        done
        exec "$2" --socket-path="$1/socket" -o source="$1/view" -o cache=always -f' sh "$dir" "$virtiofsd" >"$dir/server" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        [ ! -S "$dir/socket" ] || return 0
        sleep 0.1
    done
    cat "$dir/server"
    return 1
}
# One boot; a server ends with its guest.
boot() {
    rm -f "$dir/socket"
    serve || return 1
    # shellcheck disable=SC2086
    timeout "$limit" qemu-system-x86_64 -accel tcg -m 1024 -nodefaults -no-user-config -display none -no-reboot \
        -object memory-backend-memfd,id=memory,size=1024M,share=on -numa node,memdev=memory \
        -kernel "$vm/kernel" -initrd "$dir/initrd.gz" -append "console=ttyS0 quiet panic=-1 no_timer_check ${JAILADMIN_VM_APPEND:-}" \
        -serial "file:$dir/console" -chardev "file,id=out,path=$dir/out,append=on" -serial chardev:out \
        -drive "file=$dir/disk,if=virtio,format=raw,cache=unsafe" \
        -chardev "socket,id=files,path=$dir/socket" -device vhost-user-fs-pci,chardev=files,tag=host \
        </dev/null >"$dir/qemu" 2>&1
    wait $server
    server=
}

: >"$dir/out"
sh -c 'tail -n +1 -f --pid=$1 -s 0.2 "$2"' sh $$ "$dir/out" &
boots=0
while boot; [ $((boots += 1)) -lt 5 ] && [ "$(grep -c '^reboot$' "$dir/out")" -eq $boots ]; do :; done
sleep 0.5
grep -q '^status: ' "$dir/out" || {
    echo "FAILED: the guest ended without a result"
    cat "$dir/server" "$dir/qemu"
    tail -n 60 "$dir/console"
    exit 1
}
grep -q '^status: 0' "$dir/out" && ! grep -q '^FAILED' "$dir/out"
