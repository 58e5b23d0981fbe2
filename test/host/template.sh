#!/bin/sh
# Templates from every source, what is built in them, versions and names. template.sh JAILADMIN
# The part about Debian needs the archive that this host's apt is set to, and is left out without it.
set -u
program=$(realpath "$1") || exit 1
. "$(dirname "$0")/kit.sh"
kit_begin template
kit_init --storage file:3G --network $network.1/24
want "a template of busybox" prints "base@1 is ready" ja template create base --from busybox
leftovers() { # what a build could leave: jails, trees, journals
    ls "$state/journal" "$state/pool/jails" "$state/pool/deleted" "$state/pool/templates/"* "/run/jailadmin-$mine/jails" "/run/jailadmin-$mine/dns/default.d"
    ip -o link show type veth | grep -o "ja$mine[0-9n]*" || true
    grep -c "jailadmin-$mine" /proc/self/mountinfo || true
    nft list table bridge "ja$mine" | grep -o "ja$mine[0-9]*n[0-9]*" || true
}

# ---- archives and directories ----
cp -a "$state/pool/templates/base/1" "$dir/tree"
mkdir -p "$dir/tree/etc/ssh" "$dir/tree/var/lib/systemd"
echo 0123456789abcdef0123456789abcdef >"$dir/tree/etc/machine-id"
echo secret >"$dir/tree/etc/ssh/ssh_host_rsa_key"
echo public >"$dir/tree/etc/ssh/ssh_host_rsa_key.pub"
echo seed >"$dir/tree/var/lib/systemd/random-seed"
echo kept >"$dir/tree/etc/ssh/ssh_config"
tar -C "$dir/tree" -czf "$dir/tree.tar.gz" .
sum=$(sha256sum "$dir/tree.tar.gz" | cut -d' ' -f1)
leftovers >"$dir/before"
refuse "another checksum" "nothing was unpacked" ja template create t --from "tar:$dir/tree.tar.gz" --sha256 "$(printf %064d 0)"
refuse "an archive that is not there" "there is no file" ja template create t --from "tar:$dir/nosuch.tar"
refuse "a directory that is not there" "is not a directory" ja template create t --from "dir:$dir/nosuch"
refuse "an unknown source" "no source of a template" ja template create t --from ftp:x
refuse "a checksum of a directory" "tar:FILE and --from freebsd:VERSION only" ja template create t --from "dir:$dir/tree" --sha256 "$sum"
tar -C "$dir" -cf "$dir/evil.tar" --transform 's,^before$,../../evil,' -P before
refuse "an archive that leads out" 'has ".." in its name' ja template create t --from "tar:$dir/evil.tar"
want "nothing of it is outside" test ! -e "$state/pool/templates/evil"
leftovers >"$dir/after"
want "refused templates leave nothing" cmp "$dir/before" "$dir/after"
want "a template of an archive" ja template create t --from "tar:$dir/tree.tar.gz" --sha256 "$sum"
want "whose checksum is noted" prints "$sum" ja template show t
want "a new version of a directory, named from here" prints "t@2 is ready" sh -c "cd '$dir' && '$program' --state '$state' template create t --from dir:./tree"
for version in 1 2; do
    tree=$state/pool/templates/t/$version
    want "no identity is in version $version" test ! -s "$tree/etc/machine-id"
    want "nor keys of a host, nor a seed" test ! -e "$tree/etc/ssh/ssh_host_rsa_key" -a ! -e "$tree/etc/ssh/ssh_host_rsa_key.pub" -a ! -e "$tree/var/lib/systemd/random-seed"
    want "the rest is kept" test -s "$tree/etc/ssh/ssh_config" -a -x "$tree/bin/busybox"
done
want "a version is sealed" not touch "$state/pool/templates/t/1/file"
want "list has a line for each version" sh -c "[ \$('$program' --state '$state' template list t | wc -l) -eq 3 ]"
want "and tells the newest" prints "^t *2 (current) *dir:$dir/tree" ja template list 't*'

# ---- commands ----
printf '#!/bin/awk -f\nBEGIN { print "by awk" >"/etc/script" }\n' >"$dir/script"
printf 'echo "by sh, $SHADE" >>/etc/script\n' >"$dir/plain"
want "commands and scripts run in it" ja template create built --from busybox --env SHADE=blue --run 'id -u >/etc/who; hostname >>/etc/who' \
    --script "$dir/script" --script "$dir/plain" --run 'echo last >>/etc/script'
want "as its root, in a jail" sh -c "[ \"\$(tr '\n' ' ' <'$state/pool/templates/built/1/etc/who')\" = '0 build ' ]"
want "in their order" sh -c "[ \"\$(tr '\n' '.' <'$state/pool/templates/built/1/etc/script')\" = 'by awk.by sh, blue.last.' ]"
want "what belongs to a jail is its root's on disk" sh -c "[ \$(stat -c %u '$state/pool/templates/built/1/etc/who') -eq 0 ]"
want "the template tells what was done" prints 'run echo last' ja template show built
want "a network is there" ja template create built --from busybox --run "ping -c1 -W2 $network.1"
want "unless none is wanted" ja template create built --from busybox --network none --run '! ip addr show eth0'
want "a directory of the host is there while it is built" ja template create built --from busybox --mount "/mnt,source=$dir/tree" \
    --run 'test -s /mnt/etc/ssh/ssh_config'
want "and not afterwards" sh -c "[ ! -e '$state/pool/templates/built/1/mnt/etc' ]"
refuse "a mount that nobody uses" "--pkg, --run and --script only" ja template create new --from busybox --mount "/mnt,source=$dir/tree"
refuse "packages of FreeBSD's base system" "is not for jails of Linux" ja template create new --from pkgbase:15.1-RELEASE
refuse "a version that is none" "15.1-RELEASE/minimal-jail" ja template create new --from pkgbase:base
refuse "a system of FreeBSD" "does not run in jails of Linux" ja template create new --from freebsd:14.1-RELEASE
refuse "a network that is not there" "no such network" ja template create built --from busybox --network nosuch --run true
leftovers >"$dir/before"
refuse "a command that fails" "out of patience" ja template create built --from busybox --run 'sleep 1000 & echo out of patience >&2; exit 3'
refuse "a package without a package manager" "has no package manager" ja template create new --from busybox --pkg nginx
refuse "an option as a package" "not the name of a package" ja template create new --from busybox --pkg=--yes
refuse "a script that is no text" "not a text" ja template create new --from busybox --script "$dir/tree.tar.gz"
leftovers >"$dir/after"
want "failed builds leave nothing" cmp "$dir/before" "$dir/after"
ja template create new --from busybox --run 'sleep 60' >"$dir/out" 2>&1 &
eventually test -L "/run/jailadmin-$mine/jails/0/pid"
sleep 0.5
pkill -9 -f "^$program --state $state template create new"
wait
want "a build that was killed is undone by the next command" ja gc
leftovers >"$dir/after"
want "and leaves nothing" cmp "$dir/before" "$dir/after"
refuse "an interrupted build" "interrupted" timeout -s INT 2 "$program" --state "$state" template create new --from busybox --run 'sleep 60'
leftovers >"$dir/after"
want "leaves nothing either" cmp "$dir/before" "$dir/after"
# apt of this host as if it had a proxy.
with_proxy() { # with_proxy URL
    unshare -m sh -c 'mount -t tmpfs none /etc/apt/apt.conf.d && echo "Acquire::http::Proxy \"$1\";" >/etc/apt/apt.conf.d/proxy &&
        exec "$2" --state "$3" -n template create new --from busybox --pkg x' sh "$1" "$program" "$state"
}
if [ -d /etc/apt/apt.conf.d ]; then
    want "a proxy of the host's apt is that of the packages" prints 'http_proxy=http://192.0.2.77:3142' with_proxy http://192.0.2.77:3142
    want "unless no jail could reach it" prints 'closed to jails' with_proxy http://127.0.0.1:3142
    want "also by an address of the host" prints 'closed to jails' with_proxy "http://$network.1:3142"
fi
ja -n template create pasted --from busybox --run 'echo pasted >/etc/pasted' >"$dir/script"
want "a dry run is a script" sh -e "$dir/script"
want "that does the same" prints "^pasted *1 (current)" ja template list pasted

# ---- jails ----
want "a jail of a named version" ja create a --template t@1 --start
want "it runs" ja exec a sh -c 'echo changed >/etc/changed; echo 0123456789abcdef0123456789abcdef >/etc/machine-id; echo web >/var/www/index.html'
want "a template of a running jail" ja template create golden --from jail:a
refuse "one of a jail that is not there" "no such jail" ja template create golden --from jail:nosuch
want "the jail runs on" prints '^a *running' ja list a
want "commands on top of it" prints "golden@2 is ready" ja template create golden --from jail:a --run 'echo more >/etc/more'
want "jails of it" ja create b --template golden --start
want "have what it had, and more" ja exec b sh -c 'cat /etc/changed /etc/more'
want "but not its identity" ja exec b sh -c '[ ! -s /etc/machine-id ]'
want "a page is served" sh -c "'$program' --state '$state' exec b -- httpd -p 80 -h /var/www && curl -sS --noproxy '*' --max-time 5 http://\$('$program' --state '$state' --json list b | sed 's/.*\"addresses\":\[\"\([^\"]*\)\".*/\1/')/ | grep web"

# ---- versions and names ----
want "delete a version that a jail is made from" ja template delete t@1
want "the other one is left" prints '^t *2 (current)' ja template list t
want "the jail goes on" ja restart --force a
refuse "a version that is gone" "no version" ja create c --template t@1
refuse "twice" 'no version "1"' ja template delete t@1
want "delete the newest version" ja template delete golden@2
want "the one before is the newest then" prints '^golden *1 (current)' ja template list golden
want "rename" ja template rename golden gold
refuse "the old name" "golden" ja create c --template golden
want "the new name" ja create c --template gold --start
refuse "a name that is taken" "exists already" ja template rename gold t
want "with the last version the template goes" ja template delete gold@1
refuse "all of it" "gold" ja template show gold
want "its jails go on" ja exec c cat /etc/changed
want "the next version has the next number" prints "t@3 is ready" ja template create t --from busybox

# ---- Debian ----
# shellcheck disable=SC2016
archive=$(apt-get indextargets --format '$(REPO_URI)dists/$(RELEASE)/InRelease' 'Created-By: Packages' 2>/dev/null | grep '/debian/dists/bookworm/' | head -n 1)
if [ -n "$archive" ] && curl -fsS --max-time 10 -o /dev/null "$archive" 2>/dev/null && command -v mmdebstrap >/dev/null; then
    refuse "a mirror that is none" "not the address of a mirror" ja template create debian --from debian:bookworm --mirror 'x y'
    JAILADMIN_TEST_TIMEOUT=180 want "a Debian template with a package" ja template create debian --from debian:bookworm --pkg busybox --run 'test ! -e /etc/policy && command -v busybox'
    want "it is small and clean" sh -c "cd '$state/pool/templates/debian/1' && [ ! -e usr/sbin/policy-rc.d ] && [ ! -e etc/hostname ] && [ -z \"\$(ls var/lib/apt/lists)\" ]"
    want "its sources are signed" grep -q 'signed-by=.*debian-archive-keyring' "$state/pool/templates/debian/1/etc/apt/sources.list"
    want "a jail of it starts without an init of its own" ja create d --template debian --start
    want "and runs commands" prints "Debian" ja exec d cat /etc/os-release
    want "and serves" sh -c "'$program' --state '$state' exec d -- sh -c 'mkdir /srv/www; echo debian >/srv/www/index.html; busybox httpd -p 80 -h /srv/www' && '$program' --state '$state' exec c -- wget -q -O - http://\$('$program' --state '$state' --json list d | sed 's/.*\"addresses\":\[\"\([^\"]*\)\".*/\1/')/ | grep debian"
else
    echo "skipped: Debian, since this host reaches no archive of it"
fi
kit_end
