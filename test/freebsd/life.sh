#!/bin/sh
# A FreeBSD host, as an administrator uses it: a template, ten clones on two networks, IPv4 and IPv6, NAT, forwards, stops, a
# process that is killed midway; and what the host had before is what it has afterwards.
# life.sh JAILADMIN
# Needs root and ZFS: a pool in a file is made, unless ZPOOL names one. JAILADMIN_TEST_TREE: a base system for the template; else
# this host's own files.
set -u
program=$(realpath "$1") || exit 1
here=$(dirname "$0")
. "$here/../host/kit.sh"
. "$here/../host/snapkit.sh"
. "$here/../host/bekit.sh"
kit_begin freebsd
own=

# timeout(1) of FreeBSD takes in what its command leaves behind, and waits for it: here that is the jails.
ja() { "$program" --state "$state" "$@" </dev/null; }
kldload -n zfs if_bridge if_epair 2>/dev/null
# All that could be left over, without what changes by itself.
facts() {
    echo "== interfaces"; ifconfig -l | tr ' ' '\n' | sort
    echo "== addresses"; ifconfig | grep -E 'inet6? ' | grep -v 'fe80:' | sort
    echo "== jails"; jls -d -q name path dying 2>/dev/null || jls -q name path
    echo "== mounts"; mount -p | awk '{ print $1, $2, $3 }' | sort
    echo "== datasets"; zfs list -H -t all -o name | grep -v "^${pool}\$" | sort
    echo "== settings"; sysctl net.inet.ip.forwarding net.inet6.ip6.forwarding net.link.bridge.pfil_member net.link.bridge.pfil_bridge \
        net.link.bridge.pfil_onlyip net.link.bridge.ipfw net.link.ether.ipfw net.inet.ip.fw.one_pass 2>/dev/null | sort
    echo "== rules"; ipfw list 2>/dev/null | grep -v 'orphaned dynamic'
    echo "== tables"; ipfw table all list 2>/dev/null
    echo "== nat"; ipfw nat show config 2>/dev/null
    echo "== neighbours"; arp -an | grep permanent | sort; ndp -an | grep permanent | grep -v '^fe80:' | sort
    echo "== limits"; rctl 2>/dev/null
    echo "== rulesets"; devfs rule showsets | sort -n
    echo "== listeners"; sockstat -46lq | awk '{ print $2, $5, $6 }' | sort
    echo "== instances"; ls /var/db/jailadmin.instances /var/run 2>/dev/null | grep -v -e '\.pid$' -e '\.lock$'
}
kit_left() {
    ifconfig -l | tr ' ' '\n' | grep "^ja$1"
    jls name path | grep -F "$dir"
    mount -p | grep -F "$dir/state"
    ls -d "/var/run/jailadmin-$1" 2>/dev/null
    pgrep -fl "$state" | grep -v -e pgrep -e "$0"
}
kit_clean() {
    [ ! -e "$state" ] || "$program" --state "$state" -q teardown --force --yes </dev/null || true
    [ -z "$own" ] || zpool destroy -f "$own"
    rm -rf "$dir"
}

pool=${ZPOOL:-}
if [ -z "$pool" ]; then
    own=jatest$$
    pool=$own
    truncate -s 3G "$dir/pool.img"
    zpool create -O mountpoint=none -o cachefile=none "$own" "$dir/pool.img" || exit 1
fi
# Modules stay; what they bring with them is no leftover.
kldload -n ipfw_nat 2>/dev/null || true
facts >"$dir/before"

want "an instance on a dataset" ja init --storage "zfs:$pool/jailadmin-test" --network "$network.1/24"
mine=$(tag)
[ -n "$mine" ] || { cat "$dir/out"; exit 1; }
want "a second network, with IPv6" ja network create two --address 10.222.0.1/24 --address fd00:222::1/64
want "the networks are listed" prints "two" ja network list
tree=${JAILADMIN_TEST_TREE:-}
if [ -z "$tree" ]; then
    tree=$dir/tree
    mkdir "$tree"
    tar -c -f - --exclude '*clang*' --exclude '*lld*' --exclude '*.a' -C / bin etc lib libexec root sbin usr/bin usr/lib usr/libexec usr/sbin \
        usr/share/misc | tar -x -p --no-fflags -f - -C "$tree"
    for part in dev mnt proc tmp var/db var/empty var/log var/run var/tmp; do mkdir -p "$tree/$part"; done
    printf 'cron_enable="NO"\nsendmail_enable="NONE"\nsyslogd_enable="NO"\n' >"$tree/etc/rc.conf"
    : >"$tree/etc/fstab"
fi
want "a template, with a command run in it" ja template create base --from "dir:$tree" --run 'echo made >/etc/made'
want "ten jails on two networks" sh -c "
    '$program' --state '$state' create a1 a2 a3 a4 a5 --template base </dev/null &&
    '$program' --state '$state' create b1 b2 b3 b4 b5 --template base --nic eth0,network=two,address=auto,address=auto6 </dev/null"
want "a dry run of a start changes nothing" sh -c "'$program' --state '$state' -n start a1 </dev/null | grep -q 'jail -c'"
want "all start" ja start --all
want "all run" sh -c "[ \$('$program' --state '$state' list state=running | grep -c ' running ') -eq 10 ]"
address() { ja --json list "$1" | sed 's/.*"addresses":\["\([^"]*\)".*/\1/'; }
address6() { ja --json list "$1" | sed 's/.*"addresses":\[\([^]]*\)\].*/\1/' | tr ',' '\n' | tr -d '"' | grep ':' | head -1; }
want "commands run in them" prints made ja exec a1 -- cat /etc/made
want "and their statuses are known" sh -c "'$program' --state '$state' exec a1 -- sh -c 'exit 7' </dev/null; [ \$? -eq 7 ]"
want "each has its own name" prints '^a2$' ja exec a2 -- hostname
want "a network stack of its own" prints 'lo0' ja exec a1 -- ifconfig -l
want "its loopback works" ja exec a1 -- ping -c 1 -t 3 127.0.0.1
want "the host reaches a jail" ping -c 1 -t 3 "$(address a1)"
# An ipfw that denies by default keeps the host even from its loopback; that is the administrator's to allow.
if ping -c 1 -t 3 127.0.0.1 >/dev/null 2>&1; then
    want "and its own address as their gateway" ping -c 1 -t 3 "$network.1"
fi
want "a jail reaches its gateway's network" ja exec a1 -- ping -c 1 -t 3 "$(address a2)"
want "by IPv6 too" ja exec b1 -- ping6 -c 1 "$(address6 b2)"
permanent() { # permanent ADDRESS COMMAND...: that address has a permanent entry, as the command lists them
    found=$1
    shift
    "$@" | grep -e "($found) .* permanent" -e "^$found  *.* permanent" >/dev/null
}
want "the host knows for good where a jail is" permanent "$(address a1)" arp -an
want "by IPv6 too" permanent "$(address6 b2)" ndp -an
want "and the jail its gateway" permanent "$network.1" ja exec a1 -- arp -an
want "by IPv6 too" permanent fd00:222::1 ja exec b1 -- ndp -an
mac_of() { arp -an | grep -F "($1)" | awk '{ print $4 }'; }
ja exec a1 -- sh -c "ifconfig \$(ifconfig -l | tr ' ' '\n' | grep epair) inet $(address a2)/24 alias"
sleep 0.5
want "which no other jail can take from it" [ "$(mac_of "$(address a2)")" != "$(mac_of "$(address a1)")" ]
ja exec a1 -- sh -c "ifconfig \$(ifconfig -l | tr ' ' '\n' | grep epair) inet $(address a2) -alias"
arp -d "$(address a1)" >/dev/null
want "repair tells the host again" prints "where its addresses are" ja repair
want "not the other network" not ja exec a1 -- ping -c 1 -t 2 "$(address b1)"
want "not the host's ports" sh -c "
    nc -l 10.222.0.1 8123 >/dev/null </dev/null & listener=\$!; sleep 0.5
    '$program' --state '$state' exec b1 -- nc -z -w 2 10.222.0.1 8123 </dev/null && code=1 || code=0
    kill \$listener 2>/dev/null; exit \$code"
want "a forward" ja set a3 forwards.web.port=8080 forwards.web.to=80
uplink=$(route -n get default 2>/dev/null | awk '/interface:/ { print $2 }')
outer=$(ifconfig "${uplink:-lo0}" | awk '$1 == "inet" { print $2; exit }')
serve() { # serve JAIL: it answers whoever connects, until the next one, or the end
    ja exec "$1" -- sh -c '(while :; do echo hello from a3 | nc -N -l 80 >/dev/null; done) >/dev/null 2>&1 </dev/null &
        echo $! >/tmp/server'
    sleep 0.5
}
asks() { eventually sh -c "'$program' --state '$state' exec $1 -- nc -w 3 $outer 8080 </dev/null | grep -q 'hello from a3'"; }
if [ -n "$uplink" ]; then
    serve a3
    want "the forward leads there from a jail of the same network" asks a1
    want "and of another one" asks b1
    want "and from itself" asks a3
    want "no other port of the host does" not ja exec a1 -- nc -z -w 2 "$outer" 8081
    if ! ipfw list 00100 2>/dev/null | grep -q 'via lo0'; then
        want "and from the host" eventually sh -c "nc -w 3 $outer 8080 </dev/null | grep -q 'hello from a3'"
    fi
    want "networks are isolated" ja network set default isolate=yes
    want "and the forward does not lead round that" not ja exec a1 -- nc -w 2 "$outer" 8080
    want "nor out of reach of other networks" asks b1
    want "and no more" ja network set default isolate=no
    ja exec a3 -- sh -c 'kill $(cat /tmp/server); pkill nc'
    want "one of IPv6 needs pf" sh -c "! '$program' --state '$state' set b2 forwards.six.port=8066 forwards.six.address=fd00:222::1 \
        </dev/null 2>'$dir/out' && grep -q 'nat-by=pf' '$dir/out'"
fi
want "the forward is there once" sh -c "[ \$(ipfw nat show config | grep -v reverse | grep -o 'redirect_port tcp' | wc -l) -eq 1 ]"
for _ in 1 2 3; do ja -q restart a3; done
want "and once after restarts" sh -c "[ \$(ipfw nat show config | grep -v reverse | grep -o 'redirect_port tcp' | wc -l) -eq 1 ]"
refuse "a port that is taken" "8080" ja set a4 forwards.web.port=8080 forwards.web.to=80
# Limits: at once in a running jail, kept, shown, and taken away.
of() { # of JAIL RESOURCE: what `limit` says: USED LIMIT
    ja limit "$1" | awk -v name="$2" '$2 == name { print $3, $4 }'
}
says() { of "$1" "$2" | grep -qxE -e "$3" || { of "$1" "$2"; return 1; }; }
status() { [ "$1" -eq "$(shift; "$@" >/dev/null 2>&1; echo $?)" ]; }
seconds() { # seconds LEAST COMMAND...: a throttle is never exceeded
    begun=$(date +%s) least=$1
    shift
    "$@"
    [ $(($(date +%s) - begun)) -ge "$least" ]
}
eat='x=$(yes | head -c 60000000); sleep 4'
want "limits of several jails" ja limit a4 a5 processes=20 memory=40M disk=600M write-rate=1M cpu=50% cpuset=0
want "rctl knows them" sh -c "[ \$(rctl | grep -c -e ':nthr:deny=20' -e ':memoryuse:sigkill=41943040' -e ':pcpu:deny=50') -eq 6 ]"
want "limit shows memory" says a4 memory '[0-9.]+[KM]? 40M'
want "processes" says a5 processes '[0-9]+ 20'
want "disk space, and what is used of it" says a4 disk '[0-9.]+M 600M'
want "who takes more memory is killed" status 137 ja exec a4 -- sh -c "$eat"
want "the jail lives on" ja exec a4 -- true
want "writing is slowed down" seconds 3 ja exec a4 -- dd if=/dev/zero of=/root/f bs=128k count=40
want "with swap, memory beyond both is refused" ja limit a4 memory=20M swap=20M
want "which is no kill" prints 'Cannot\|memory' ja exec a4 -- sh -c "$eat"
want "list -l has all of it" prints '^a4 .*/50% .*/20M .*/20 .*/600M' ja list -l a4
want "show" prints 'usage.processes: [0-9]* of 20' ja show a4
want "top" prints '^a5 .*/40M' ja top
want "top as JSON" sh -c "'$program' --state '$state' --json top </dev/null | grep -q '\"memory\":[0-9]'"
# With all of the processor: a slow host would need longer than the sleep.
want "fewer processes" ja limit a4 processes=8 cpu=
refuse "more are refused" 'Cannot fork' ja exec a4 -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 20 & done; wait'

refuse "processors that there are not" "has no processor 4095" ja limit a4 cpuset=4095
want "they are taken away" ja limit a4 a5 processes= memory= swap= disk= write-rate= cpu= cpuset=
want "no rule is left" sh -c "! rctl | grep -e ':nthr:' -e memoryuse -e swapuse -e pcpu -e bps"
want "memory may be used again" ja exec a4 -- sh -c "$eat"
want "limits that come with a start" sh -c "'$program' --state '$state' limit a4 memory=512M cpuset=0 </dev/null && '$program' --state '$state' restart a4 </dev/null"
want "are there" prints 'mask: 0' cpuset -g -j "$(jls name | grep -x -e a4 -e '.*-a4')"
want "a file goes in" ja cp "$dir/before" a5:/root/before
want "and comes out" sh -c "'$program' --state '$state' cp a5:/root/before '$dir/back' </dev/null && cmp '$dir/before' '$dir/back'"
want "a clone of a running jail" ja clone a5 c1
want "which starts" ja start c1
want "with what was there" ja exec c1 -- test -s /root/before
want "and stops" ja stop c1
want "rename" ja rename c1 c2
want "a jail with a nic that watches" ja create w1 --template base --nic eth0,network=default --nic watch,network=default,span=yes --start
watching() { ja exec w1 -- netstat -ibn | awk '/epair.*Link/ { frames = $(NF - 7) } END { print frames }'; }
seen=$(watching)
ja exec a1 -- ping -q -c 5 -i 0.1 "$(address a2)" >/dev/null
want "it gets the frames of others" [ "$(watching)" -ge $((seen + 10)) ]
want "and has no address" sh -c "[ \$('$program' --state '$state' --json list w1 </dev/null | grep -o '10\.[0-9.]*' | wc -l) -eq 1 ]"
want "it goes" ja delete --force w1 --yes
want "a jail whose init fails" sh -c "
    '$program' --state '$state' create f1 --template base </dev/null && '$program' --state '$state' set f1 init=/usr/bin/false </dev/null"
refuse "a start with an init that fails" "ended with status 1" ja start f1
want "and does not run" sh -c "! jls -j f1 2>/dev/null"
ja delete --force f1 --yes >/dev/null 2>&1
want "a jail with its own init" ja create i1 --template base --set "init=/bin/sleep 4" --start
want "runs" prints " running " ja list i1
want "and is stopped when that has ended" eventually prints " stopped " ja list i1
want "it starts again" ja start i1
want "and can be ended" ja stop i1
want "and goes" ja delete i1 --yes
want "a jail with addresses of the host" ja create s1 --template base --set vnet=shared --start
nc -k -l 127.0.0.1 8124 >/dev/null </dev/null & listener=$!
sleep 0.5
if nc -z -w 2 127.0.0.1 8124; then want "its localhost is not the host's" not ja exec s1 -- nc -z -w 2 127.0.0.1 8124; fi
kill $listener 2>/dev/null
want "it goes" ja delete --force s1 --yes
want "facts for planning elsewhere" ja doctor --save-facts "$dir/facts.json"
want "which plan the same" sh -c "
    '$program' --state '$state' -n stop a1 </dev/null >'$dir/here' &&
    '$program' --state '$state' --os freebsd --facts '$dir/facts.json' -n stop a1 </dev/null | diff '$dir/here' -"
want "a restart keeps the address" sh -c "
    before=\$('$program' --state '$state' --json list a2 </dev/null | sed 's/.*\"addresses\"//;s/\].*//')
    '$program' --state '$state' restart a2 </dev/null || exit 1
    [ \"\$before\" = \"\$('$program' --state '$state' --json list a2 </dev/null | sed 's/.*\"addresses\"//;s/\].*//')\" ]"
# Killed midway: the next command puts it right.
for delay in 0.2 0.5 1 1.5 2; do
    "$program" --state "$state" start c2 </dev/null >/dev/null 2>&1 &
    victim=$!
    sleep $delay
    kill -9 $victim 2>/dev/null
    wait $victim 2>/dev/null
    want "a start that was killed after $delay s is put right" sh -c "'$program' --state '$state' start c2 </dev/null && '$program' --state '$state' exec c2 -- true </dev/null"
    want "and the jail stops" ja stop --force c2
done
later=lost
snap_states
want "a jail" ja create s --template base --volume data,target=/data
want "its snapshot" ja snapshot create s@one
touch "$state/pool/jails/s/root/default/root/a b" "$state/pool/jails/s/vol/data/new"
want "what has changed since" prints '^+ /root/a b$' ja snapshot diff s@one
want "in its volumes too" prints '^+ /data/new$' ja snapshot diff s@one
want "a later one" ja snapshot create s@two
want "a clone of that" ja clone s@two sc
refuse "is in the way of a rollback" "the jail sc is a clone of its later snapshot two" ja --yes snapshot rollback s@one
want "it is deleted while its clone stays" ja snapshot delete s@two
want "the clone goes" ja delete sc --yes
want "and with it what was out of sight" sh -c "! zfs list -H -t snapshot -o name -r '$pool/jailadmin-test/jails/s' | grep clone-"
want "a rollback" ja --yes snapshot rollback s@one --volumes
want "nothing has changed then" not prints '^[-+]' ja snapshot diff s@one
want "it goes" ja delete s --yes
be_timeout=20s
be_states
want "a jail" ja create b --template base
want "a snapshot" ja snapshot create b@early
want "a boot environment" ja be create b new
refuse "is in the way of a rollback" "the boot environment new is a clone of a later state" ja --yes snapshot rollback b@early
want "it goes" ja be delete b new
want "and with it what was out of sight" sh -c "! zfs list -H -t snapshot -o name -r '$pool/jailadmin-test/jails/b' | grep clone-"
want "the rollback" ja --yes snapshot rollback b@early
want "it goes" ja delete b --yes
want "doctor finds no fault" ja doctor
want "repair finds nothing to do" ja repair
want "no network is translated" sh -c "
    '$program' --state '$state' network set default nat=none </dev/null && '$program' --state '$state' network set two nat=none </dev/null"
want "and nothing of NAT is left" sh -c "[ -z \"\$(ipfw nat show config)\" ] && ! ipfw list | grep -q ' nat '"
want "one is again" ja network set default nat=auto
want "all stop" ja stop --all
want "nothing of them runs" sh -c "! jls name path | grep -F '$dir'"
want "all go" ja delete --force --all --yes
want "teardown" ja teardown
facts >"$dir/after"
want "the host is as it was" diff "$dir/before" "$dir/after"
kit_left "$mine" >"$dir/left" 2>&1
if [ ! -s "$dir/left" ] && [ ! -e "$state" ]; then passed "nothing is left"; else cp "$dir/left" "$dir/out"; failed "something is left"; fi
exit "$bad"
