#!/bin/sh
# Networks as a user has them: several nics, forwards, changes while jails run, repair of what is missing, addresses that are
# asked for, refusals that name the holder. Only what carries this instance's tag is touched.
# net.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
dir=$(mktemp -d /var/tmp/jailadmin-net.XXXXXX)
state=$dir/state
bad=0
# A port of this run's own.
port=$((20000 + $$ % 10000))

ja() { timeout 60 "$program" --state "$state" "$@" </dev/null; }
want() { # want WHAT COMMAND...: the command succeeds
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
refuse() { # refuse WHAT TEXT COMMAND...: it fails, and says TEXT
    what=$1
    text=$2
    shift 2
    if "$@" >"$dir/out" 2>&1 || ! grep -q -- "$text" "$dir/out"; then
        echo "FAILED: $what ($*)"
        cat "$dir/out"
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
soon() { # soon COMMAND...: within a few seconds
    for i in 1 2 3 4 5 6 7 8 9 10; do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.3
    done
    return 1
}
pings() { ja exec "$1" -- ping -c1 -W1 "$2"; }
page() { printf 'GET / HTTP/1.0\r\n\r\n' | timeout 3 busybox nc "$1" "$2"  2>/dev/null | grep -q HTTP; }
page_inside() { ja exec "$1" -- sh -c "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 3 nc $2 $3 | grep -q HTTP"; }
left() {
    ip -o link show | grep -o "ja$1[bn0-9][^:@ ]*"
    nft list tables | grep "ja$1"
    ls -d /run/jailadmin-$1 /sys/fs/cgroup/*/jailadmin-$1 /sys/fs/cgroup/jailadmin-$1 /var/db/jailadmin.instances/$1.json 2>/dev/null
    ls /run/netns 2>/dev/null | grep "^ja$1"
    grep "$dir" /proc/self/mountinfo
    losetup -a | grep "$dir"
    pgrep -af "/jailadmin-$1/"
}

want "init" ja init --storage file:512M --network 10.237.0.1/24
tag=$(grep -l "\"$state\"" /var/db/jailadmin.instances/*.json | sed 's,.*/\(..\)\.json,\1,')
[ -n "$tag" ] || { echo "FAILED: the instance has no tag"; exit 1; }
want "a template" ja template create base --from busybox
want "a network with both families that gives out addresses" ja network create lan --address 10.238.0.1/24 --address fd38::1/64 --dhcp
want "a jail with two nics, several addresses and a forward" ja create a --template base \
    --nic eth0,network=lan,address=auto,address=10.238.0.77,address=auto6 --nic back0,network=default,gateway=no \
    --forward "web,port=$port,to=80" --start
want "another one" ja create b --template base --nic eth0,network=lan,address=auto,address=auto6 --start
want "one that asks for its addresses" ja create c --template base --nic eth0,network=lan,address=dhcp,address=slaac --start
want "a web server in it" ja exec a -- httpd -p 80 -h /etc

want "jails reach each other by name" soon pings b a
want "by every address" pings b 10.238.0.77
want "over IPv6" soon ja exec b -- ping -6 -c1 -W1 fd38::2
refuse "not from another network" "" pings b 10.237.0.2
want "a jail gets the address that is reserved for it" prints 'lease of 10.238.0.4 obtained' ja exec c -- udhcpc -i eth0 -n -q -s /bin/true
want "the host reaches the forward" soon page 10.238.0.1 "$port"
want "a jail of the network does" page_inside b 10.238.0.1 "$port"
refuse "a port that another jail has" "jail a" ja create x --template base --forward "w,port=$port"
refuse "an address that another jail has" "jail a" ja create x --template base --nic eth0,network=lan,address=10.238.0.77
refuse "an address that nobody gives out" "dhcp=yes" ja create x --template base --nic eth0,network=default,address=dhcp
refuse "a network of the host's" "overlaps" ja network create bad --address 10.238.0.129/25

want "network show names its jails" prints 'jails: a, b, c' ja network show lan
want "isolate" ja network set lan isolate=yes
refuse "then they do not reach each other" "" pings b 10.238.0.77
want "no more" ja network set lan isolate=no
want "and they do" pings b 10.238.0.77
want "a domain" ja network set lan domain=example.test
want "is in force" soon pings b a.example.test
want "without names" ja network set lan dns=no dhcp=yes
want "and with them" ja network set lan dns=yes domain=
want "again" soon pings b a
refuse "an address that jails depend on" "jail a" ja network set lan address=10.239.0.1/24,fd38::1/64
refuse "no addresses while a jail asks for them" "jail c" ja network set lan dhcp=no
want "a dry run of a change" prints 'change the rules' ja --dry-run network set lan nat=none
want "changes nothing" prints 'nat: auto' ja network show lan

want "repair finds nothing" prints 'nothing is missing' ja repair
nft delete table inet "ja$tag"
nft delete table bridge "ja$tag"
ip link del "ja${tag}br1"
ip neigh flush dev "ja${tag}br0" nud permanent
rm -f "/run/netns/ja$tag-a" "/run/jailadmin-$tag/dns/lan.d/a"
ip link del "ja${tag}0n1"
want "repair makes what was removed" prints "jail a: make the pair ja${tag}0n1" ja repair
want "and then finds nothing" prints 'nothing is missing' ja repair
want "names work again" soon pings b a
want "the forward too" soon page 10.238.0.1 "$port"
want "so does the second network" soon ping -c1 -W1 10.237.0.2
want "its namespace has its name" ip netns exec "ja$tag-a" true

want "a forward moves while the jail runs" ja set a "forwards.web.port=$((port + 1))"
want "it is there" soon page 10.238.0.1 $((port + 1))
if page 10.238.0.1 "$port"; then
    echo "FAILED: the old forward still works"
    bad=1
fi
# With the last process of a network stack the kernel removes its interfaces; somebody may hold that for longer.
ip netns exec "ja$tag-a" sleep 60 &
holder=$!
holds() { test "$(readlink "/proc/$holder/ns/net")" != "$(readlink /proc/self/ns/net)"; }
want "somebody holds its network stack" soon holds
want "it stops all the same" ja stop --force a
want "its interfaces are gone" sh -c "! ip link show ja${tag}0n0 && ! ip link show ja${tag}0n1"
want "and it starts again" ja start a
kill "$holder"

want "teardown" ja teardown --force -y
left "$tag" >"$dir/after"
if [ -s "$dir/after" ] || [ -e "$state" ]; then
    echo "FAILED: something is left"
    cat "$dir/after"
    bad=1
else
    echo "ok: nothing is left"
fi
rm -rf "$dir"
exit $bad
