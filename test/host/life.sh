#!/bin/sh
# The life of jails on this machine's kernel, as a user would type it, ending with "nothing is left".
# life.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
dir=$(mktemp -d /var/tmp/jailadmin-life.XXXXXX)
state=$dir/state
bad=0

ja() { "$program" --state "$state" "$@"; }
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
        echo "ok: $what"
    fi
}
prints() { # prints TEXT COMMAND...
    text=$1
    shift
    "$@" 2>&1 | grep -q -- "$text"
}
# What the host has of the instance with this tag; other instances may come and go meanwhile.
# Somebody else's instance may have been given the tag as soon as ours had gone: what carries it is not ours to judge, then.
taken() { [ -e "/var/db/jailadmin.instances/$1.json" ] && ! grep -q "$dir" "/var/db/jailadmin.instances/$1.json"; }
left() {
    taken "$1" || tagged "$1"
    grep "$dir" /proc/self/mountinfo
    losetup -a | grep "$dir"
    pgrep -af "state $dir"
}
tagged() {
    ip -o link show | grep -o "ja$1[bn0-9][^:@ ]*"
    nft list tables | grep "ja$1"
    ls -d /run/jailadmin-$1 /sys/fs/cgroup/*/jailadmin-$1 /sys/fs/cgroup/jailadmin-$1 /var/db/jailadmin.instances/$1.json 2>/dev/null
    ls /run/netns 2>/dev/null | grep "^ja$1"
    grep "\"$1\"" /var/db/jailadmin.instances/settings.json 2>/dev/null
    pgrep -af "/jailadmin-$1/"
}
tag_of() { # of the instance with this state directory
    grep -l "\"$1\"" /var/db/jailadmin.instances/*.json | sed 's,.*/\(..\)\.json,\1,'
}
mounts() { grep -c -e "$dir" -e "/run/jailadmin-$tag" /proc/self/mountinfo; }

forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
want "init makes an instance" ja init --storage file:512M --network 10.231.0.1/24
tag=$(tag_of "$state")
want "it has a tag" test -n "$tag"
refuse "a second init in the same place" ja init --storage file:512M
want "a template of busybox" ja template create base --from busybox
before=$(mounts)
want "four jails at once" ja create a b c d --template base --start
[ "$(mounts)" -eq "$before" ] && echo "ok: nothing of a jail is in the host's mount table" || { echo "FAILED: mounts"; bad=1; }
# A jail that does not start is not made: neither by what runs beside the start, nor by what was done when it failed.
unmade() {
    ! ja list | grep -q "^$1 " && [ ! -e "$state/pool/jails/$1" ] && [ -z "$(ls "$state/journal")" ] && [ "$(ls "/run/jailadmin-$tag/jails" | wc -l)" -eq 4 ]
}
refuse "a jail whose hook fails" ja create x --template base --start --set hooks.before-start=/bin/false
want "is not made" unmade x
refuse "one whose init is missing" ja create x --template base --start --set init=/nowhere
want "neither" unmade x
chattr +i "$state/pool/jails"
want "one whose tree cannot be made" prints "jails/x: cannot make the directory" ja create x --template base --start
chattr -i "$state/pool/jails"
want "neither, though its start had begun" unmade x
want "its dry run tells all of it" prints "start it" ja create x --template base --start --dry-run
want "list shows them running" prints 'd *running *10.231.0.[2-5]' ja list
want "JSON holds their addresses" prints '10.231.0.2' ja --json list
want "a command in a jail" prints 'uid=0' ja exec a -- id
want "its status comes back" sh -c "'$program' --state '$state' exec a -- sh -c 'exit 7'; [ \$? -eq 7 ]"
want "a jail reaches another by name" sh -c "for i in 1 2 3 4 5; do '$program' --state '$state' exec a -- ping -c1 -W1 b && exit 0; sleep 0.3; done; exit 1"
want "a jail binds port 80" sh -c "'$program' --state '$state' exec b -- httpd -p 80 -h /var/www && '$program' --state '$state' exec a -- sh -c 'wget -q -O - http://b/ 2>&1 | grep -q 404'"
refuse "a jail reaches the host's ports" ja exec a -- nc -w 1 10.231.0.1 22
want "the jail's root is not the host's" sh -c "[ \"\$(stat -c %u /proc/\$('$program' --state '$state' --json show a | sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/'))\" -ge 1879048192 ]"
want "a setuid file of a jail's tree is out of reach" sh -c "cp /usr/bin/id '$state/pool/jails/a/root/default/id' && chmod 4755 '$state/pool/jails/a/root/default/id' && ! setpriv --reuid=65534 --regid=65534 --clear-groups sh -c \"exec '$state/pool/jails/a/root/default/id'\""
want "starting a running jail is success" prints 'already running' ja start a
refuse "deleting a running jail" ja delete a -y
refuse "a bad name" ja create 'A b' --template base
refuse "an address of another network" ja create x --template base --nic eth0,network=default,address=10.9.9.9
refuse "an address that is taken" ja create x --template base --nic eth0,network=default,address=10.231.0.2
refuse "the gateway's address" ja create x --template base --nic eth0,network=default,address=10.231.0.1
refuse "an unknown template" ja create x --template nosuch
want "refused jails left no row" sh -c "! '$program' --state '$state' show x"
want "a clone of a running jail" ja clone a e --start
want "stop" ja stop --force --all
want "all are stopped" sh -c "[ \$('$program' --state '$state' list state=stopped | wc -l) -eq 6 ]"
want "a command step by step, without natives" ja --no-native start a
want "and its stop" ja --no-native stop --force a
ja --dry-run start b >"$dir/script"
want "a dry run is a shell script" sh -e "$dir/script"
want "and does the same" prints 'b *running' ja list
want "a second instance beside it" "$program" --state "$dir/second" init --storage file:512M --network 10.232.0.1/24
want "its teardown" "$program" --state "$dir/second" teardown
refuse "teardown while jails exist" ja teardown
want "delete" ja delete --force --all -y
want "teardown" ja teardown
left "$tag" >"$dir/left"
if [ ! -s "$dir/left" ] && [ ! -e "$state" ]; then
    echo "ok: nothing is left"
else
    echo "FAILED: something is left"
    cat "$dir/left"
    ls -la "$dir"
    bad=1
fi
if [ "$forwarding" = 1 ] || [ -s /var/db/jailadmin.instances/settings.json ] || [ "$(cat /proc/sys/net/ipv4/ip_forward)" = "$forwarding" ]; then
    echo "ok: forwarding is as it was, or others need it"
else
    echo "FAILED: forwarding was left switched on"
    bad=1
fi
rm -rf "$dir"
exit $bad
