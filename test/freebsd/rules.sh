#!/bin/sh
# Rules of networks on a FreeBSD host: who may begin to talk to whom, by name, port and direction, while jails run, after somebody has
# deleted rules, and that nothing is left of them. The world is a jail of this test's own, beyond an interface of the host.
# rules.sh JAILADMIN
# Needs root and ZFS: a pool in a file is made, unless ZPOOL names one. JAILADMIN_TEST_TREE: a base system for the template.
set -u
program=$(realpath "$1") || exit 1
here=$(dirname "$0")
. "$here/../host/kit.sh"
. "$here/../host/shapekit.sh"
tree=${JAILADMIN_TEST_TREE:-}
[ -n "$tree" ] || { echo "skipped: JAILADMIN_TEST_TREE names no base system"; exit 77; }
kit_begin rules
own='' talkers=''
# timeout(1) of FreeBSD takes in what its command leaves behind, and waits for it: here that is the jails.
ja() { "$program" --state "$state" "$@" </dev/null; }
kldload -n zfs if_bridge if_epair 2>/dev/null
left_of() { # what ipfw and the host have of an instance
    ipfw list 2>/dev/null | awk -v first="$2" '$1 >= first && $1 < first + 500'
    ipfw table all list 2>/dev/null | grep "(ja$1"
    ifconfig -l | tr ' ' '\n' | grep "^ja$1"
    jls name path | grep -F "$dir"
    mount -p | grep -F "$dir/state"
    ls -d "/var/run/jailadmin-$1" 2>/dev/null
}
kit_clean() {
    for pid in $talkers; do kill "$pid" 2>/dev/null; done
    [ ! -e "$state" ] || "$program" --state "$state" -q teardown --force --yes </dev/null || true
    jail -r "world$$" 2>/dev/null
    [ -z "${uplink:-}" ] || ifconfig "$uplink" destroy 2>/dev/null
    [ -z "$own" ] || zpool destroy -f "$own"
    rm -rf "$dir"
}
pool=${ZPOOL:-}
if [ -z "$pool" ]; then
    own=jatest$$
    pool=$own
    truncate -s 2G "$dir/pool.img"
    zpool create -O mountpoint=none -o cachefile=none "$own" "$dir/pool.img" || exit 1
fi

# ---- a world ----
kldstat -q -n ipfw || kenv net.inet.ip.fw.default_to_accept=1 >/dev/null
kldload -n ipfw_nat
uplink=$(ifconfig epair create)
world=world$$ world4=198.18.7 world6=fd5a:99
far=${uplink%a}b
want "a world" sh -c "ifconfig $uplink inet $world4.1/24 up && ifconfig $uplink inet6 $world6::1/64 no_dad &&
    jail -c name=$world path=/ vnet persist vnet.interface=$far &&
    jexec $world ifconfig lo0 127.0.0.1/8 up && jexec $world ifconfig $far inet $world4.2/24 up &&
    jexec $world ifconfig $far inet $world4.3/32 alias && jexec $world ifconfig $far inet6 $world6::2/64 no_dad &&
    jexec $world route -q add default $world4.1 && jexec $world route -q -6 add default $world6::1"
jexec "$world" ipfw -q add 1 allow ip from any to any 2>/dev/null

# ---- two networks ----
want "an instance" ja init --storage "zfs:$pool/jailadmin-test" --network none
mine=$(tag)
[ -n "$mine" ] || { cat "$dir/out"; exit 1; }
base=$(sed -n 's/.*"rule_base": *\([0-9]*\).*/\1/p' "/var/db/jailadmin.instances/$mine.json")
want "a template" ja template create base --from "dir:$tree"
lan=10.231.0 data=10.232.0 lan6=fd31 data6=fd32
want "a network" ja network create lan --address $lan.1/24 --address $lan6::1/64 --nat "$uplink"
want "another one" ja network create data --address $data.1/24 --address $data6::1/64 --nat none
want "two jails on one" ja create a a2 --template base --nic eth0,network=lan,address=auto,address=auto6 --start
want "two on the other" ja create b b2 --template base --nic eth0,network=data,address=auto,address=auto6 --start
a4=$(ja --json list a | grep -o "$lan\.[0-9]*" | head -1) b4=$(ja --json list b | grep -o "$data\.[0-9]*" | head -1)
b24=$(ja --json list b2 | grep -o "$data\.[0-9]*" | head -1)
a6=$(ja --json list a | grep -o "$lan6::[0-9a-f]*" | head -1) b6=$(ja --json list b | grep -o "$data6::[0-9a-f]*" | head -1)

inside() { # inside WHO COMMAND...
    who=$1
    shift
    case $who in
    host) "$@" ;;
    world) jexec "$world" "$@" ;;
    *) jexec "$(kernel_name "$who")" "$@" ;;
    esac
}
kernel_name() { jls name path | awk -v tail="/jails/$1/" 'index($2 "/", tail) { print $1 }' | head -1; }
serve() { # serve WHO PORT...: TCP in both families; datagrams are written down
    who=$1
    shift
    for p in "$@"; do
        inside "$who" nc -4 -k -l "$p" >/dev/null 2>&1 </dev/null &
        talkers="$talkers $!"
        inside "$who" nc -6 -k -l "$p" >/dev/null 2>&1 </dev/null &
        talkers="$talkers $!"
        inside "$who" nc -4 -u -k -l "$p" >"$dir/heard-$who-4-$p" 2>&1 </dev/null &
        talkers="$talkers $!"
        inside "$who" nc -6 -u -k -l "$p" >"$dir/heard-$who-6-$p" 2>&1 </dev/null &
        talkers="$talkers $!"
    done
    sleep 1
}
talks() { inside "$1" nc -z -w 2 ${4:+-s $4} "$2" "$3" >/dev/null 2>&1 </dev/null; } # FROM ADDRESS PORT [SOURCE]
reaches() { want "$1 reaches $2 $3${4:+ as $4}" talks "$@"; }
denied() { want "$1 does not reach $2 $3${4:+ as $4}" not talks "$@"; }
says() { # says FROM WHO ADDRESS PORT: a datagram arrives
    family=4 word=w$(date +%s)$4$1
    case $3 in *:*) family=6 ;; esac
    echo "$word" | inside "$1" nc -u -w 1 "$3" "$4" >/dev/null 2>&1
    grep -q "$word" "$dir/heard-$2-$family-$4"
}
rule() {
    on=$1 name=$2
    shift 2
    want "rule $name of $on: $*" ja network set "$on" "rules.$name=" "rules+=$name$(printf ',%s' "$@")"
}
norule() { want "rule $2 of $1 goes" ja network set "$1" "rules.$2="; }
serve a 5432
serve b 5000 5001 5002 5003 5432 5433
serve b2 5432
serve world 5432 5433
serve host 5432 5433

# ---- by default ----
denied a "$b4" 5432
denied a "$b6" 5432
denied a $lan.1 5432
reaches a $world4.2 5432
reaches host "$b4" 5432
reaches host $lan6::1 5432
denied world "$a4" 5432
want "the world's refusal is heard" not ja exec a -- nc -z -u -w 2 $world4.2 5439
want "by IPv6 too" not ja exec a -- nc -z -u -w 2 $world6::2 5439

# ---- between networks ----
rule lan db action=allow peer=network:data protocol=tcp port=5432
reaches a "$b4" 5432
reaches a "$b6" 5432
denied a "$b4" 5433
denied a "$b6" 5433
want "nor by UDP" not says a b "$b4" 5432
denied b "$a4" 5432
rule data no action=deny direction=in peer=network:lan protocol=tcp port=5432
denied a "$b4" 5432
denied a "$b6" 5432
norule lan db
rule data no action=allow direction=in peer=network:lan protocol=tcp port=5432
reaches a "$b4" 5432
reaches a "$b6" 5432
denied a "$b4" 5433
rule lan no action=deny peer=network:data
denied a "$b4" 5432
denied a "$b6" 5432
norule lan no
norule data no
denied a "$b4" 5432
rule lan u action=allow peer=network:data protocol=udp port=5432
want "UDP passes by a rule" says a b "$b4" 5432
want "and by IPv6" says a b "$b6" 5432
want "not at another port" not says a b "$b4" 5433
denied a "$b4" 5432
(inside b sh -c 'kill $(sockstat -4l -P udp -p 5433 -q | awk "{ print \$3 }") 2>/dev/null; (sleep 3; echo pong) | nc -4 -u -l -w 6 5433' >/dev/null 2>&1 </dev/null) &
rule lan u action=allow peer=network:data protocol=udp port=5433
sleep 1
want "and its answer comes back" sh -c "(echo ping; sleep 5) | jexec $(kernel_name a) nc -u -w 6 $b4 5433 | grep -q pong"
norule lan u
rule lan range action=allow peer=network:data protocol=tcp port=5000-5002
denied a "$b4" 5003
for p in 5000 5001 5002; do reaches a "$b4" $p; done
rule lan first action=deny peer=network:data protocol=tcp port=5001 order=50
denied a "$b4" 5001
reaches a "$b4" 5002
norule lan first
norule lan range
rule lan one action=allow jail=a peer=jail:b protocol=tcp
reaches a "$b4" 5432
reaches a "$b6" 5432
denied a "$b24" 5432
denied a2 "$b4" 5432
rule lan one action=allow peer=$b24
reaches a "$b24" 5432
denied a "$b4" 5432
norule lan one
rule lan ping action=allow peer=network:data protocol=icmp
want "a ping passes by a rule" ja exec a -- ping -c 1 -t 2 "$b4"
want "and by IPv6" ja exec a -- ping6 -c 1 "$b6"
norule lan ping
sleep 8 # what had begun goes on: net.inet.ip.fw.dyn_short_lifetime, 5 s
want "and not without" not ja exec a -- ping -c 1 -t 2 "$b4"

# ---- the world and the host ----
rule lan web action=deny peer=world protocol=tcp port=5432
denied a $world4.2 5432
reaches a $world4.2 5433
rule lan web action=deny peer=$world4.3
denied a $world4.3 5432
reaches a $world4.2 5432
norule lan web
reaches world "$b4" 5432
rule data in action=deny direction=in peer=world protocol=tcp port=5432
denied world "$b4" 5432
denied world "$b6" 5432
reaches world "$b4" 5433
reaches b $world4.2 5432
norule data in
rule lan in action=allow direction=in peer=world protocol=tcp port=5432
reaches world "$a4" 5432
reaches world "$a6" 5432
norule lan in
denied world "$a4" 5432
rule lan host action=allow peer=host protocol=tcp port=5432
reaches a $lan.1 5432
reaches a $lan6::1 5432
reaches a $world4.1 5432
denied a $lan.1 5433
denied b $data.1 5432
norule lan host
denied a $lan.1 5432
want "the gateway answers a ping" ja exec a -- ping -c 1 -t 2 $lan.1
rule lan quiet action=deny peer=host protocol=icmp
# Not the same jail: what has just begun goes on.
want "not by a rule" not ja exec a2 -- ping -c 1 -t 2 $lan.1
norule lan quiet
rule lan all action=deny
rule lan allin action=deny direction=in
want "a jail that may nothing reaches its own network" ja exec a -- ping -c 1 -t 2 "$(ja --json list a2 | grep -o "$lan\.[0-9]*" | head -1)"
denied a $world4.2 5432
want "and the host reaches it" ping -c 1 -t 2 "$a4"
norule lan all
norule lan allin

# ---- while connections exist ----
rule lan db action=allow peer=network:data protocol=tcp port=5003
(while [ ! -e "$dir/again" ]; do sleep 0.2; done; echo late; sleep 1) | inside a nc -N "$b4" 5003 >/dev/null 2>&1 &
held=$!
seen() { jexec "$(kernel_name b)" netstat -n -p tcp | grep -q "\.5003 .*ESTABLISHED"; }
want "a connection" eventually seen
rule lan db action=deny
denied a "$b4" 5003
sleep 1
want "is there still" seen
touch "$dir/again"
want "and ends in good order" wait $held
norule lan db

# ---- a forward, by source ----
want "a forward" ja set a forwards.web.port=8432 forwards.web.to=5432
reaches world $world4.1 8432 $world4.2
reaches world $world4.1 8432 $world4.3
want "for one source" ja network set lan "rules+=some,action=allow,direction=in,peer=$world4.2,protocol=tcp,port=5432" \
    "rules+=rest,action=deny,direction=in,protocol=tcp,port=5432,order=200"
reaches world $world4.1 8432 $world4.2
denied world $world4.1 8432 $world4.3
want "without rules" ja network set lan rules.some= rules.rest=
reaches world $world4.1 8432 $world4.3

# ---- names that rules hold; what others remove ----
want "a rule for one jail to another" ja network set lan "rules+=db,action=allow,jail=a,peer=jail:b,protocol=tcp,port=5432"
refuse "such a jail does not go" "the rule db of the network lan names it" ja delete --force --yes b
reaches a "$b4" 5432
want "repair finds nothing" prints "nothing is missing" ja repair
number=$(ipfw table "ja${mine}rules" list | awk 'NR == 1 || /^10/ { print $2 }' | tail -1)
want "somebody deletes the rules" ipfw -q delete "$number"
denied a "$b4" 5432
want "repair puts them back" ja repair
reaches a "$b4" 5432
denied a "$b4" 5433
want "somebody adds one" ipfw -q add "$(ipfw table "ja${mine}rules" list | awk '/^10/ { print $2 }')" set 5 allow ip from any to any
want "somebody flushes the table" ipfw -q table "ja${mine}rules" flush
want "a start brings it back" ja restart --force a2
reaches a "$b4" 5432
want "a policy as older programs made it" ipfw -q delete $((base + 39)) $((base + 47)) $((base + 61))
want "is made whole" ja repair
reaches a "$b4" 5432
denied a "$b4" 5433
denied a2 "$b4" 5432
want "and nothing is missing" prints "nothing is missing" ja repair
want "the rules go" ja network set lan rules.db=
denied a "$b4" 5432
want "with all that led there" sh -c "[ -z \"\$(ipfw table ja${mine}rules list | grep '^[0-9a-f]')\" ]"

# ---- the end ----
for pid in $talkers; do kill "$pid" 2>/dev/null; done
# ---- a jail without a network stack of its own is shaped by the host ----
kldload -n dummynet
want "one without a network stack" ja create s --template base --set vnet=shared --set allow=raw_sockets --nic eth0,network=lan,address=auto,address=auto6
want "with rates" ja set s nics.eth0.shape.in.rate=4Mbit nics.eth0.shape.out.rate=2Mbit
want "starts" ja start s
s4=$(ja --json list s | grep -o "$lan\.[0-9]*" | head -1) s6=$(ja --json list s | grep -o "$lan6::[0-9a-f]*" | head -1)
pipes() { [ "$(ipfw pipe show | grep -c 'bit/s')" -eq "$1" ]; }
want "with a pipe for each direction" pipes 2
want "what it sends passes at its rate" within_rate s out 2000000
want "and what it is sent" within_rate s in 4000000
stream() { # what the world gets by a connection from it, from its first packet on, in bits per second with headers
    (inside world nc -4 -l 5440 </dev/null | (dd bs=1448 count=1 of=/dev/null; LC_ALL=C dd of=/dev/null bs=4k) 2>&1) 2>/dev/null >"$dir/got" &
    sink=$!
    sleep 1
    dd if=/dev/zero bs=64k count=24 2>/dev/null | inside s nc -4 -N "$world4.2" 5440 >/dev/null 2>&1
    wait $sink
    awk '/bytes transferred/ { print int($1 * 8 / $5 * 1500 / 1448) }' "$dir/got" | tail -1
}
want "a connection too" near 1800000 2200000 stream
through() { ipfw -a list | awk -v rule="$1" '$1 == rule && $4 == "pipe" { print $2 }'; }
passes() { # passes PACKETS COMMAND...: so many go through each of its pipes meanwhile
    out=$(through $base) in=$(through $((base + 499))) wanted=$1
    shift
    "$@"
    echo "out $(($(through $base) - out)), in $(($(through $((base + 499))) - in))"
    [ $(($(through $base) - out)) -eq "$wanted" ] && [ $(($(through $((base + 499))) - in)) -eq "$wanted" ]
}
want "each packet to and from the world once, though its address is translated" passes 3 ja exec s -- ping -c 3 -i 0.3 -q "$world4.2"
want "and to the host" passes 3 ja exec s -- ping -c 3 -i 0.3 -q "$lan.1"
want "and by IPv6" passes 3 ja exec s -- ping6 -c 3 -i 0.3 -q "$lan6::1"
want "what it sends to itself not at all" passes 0 ja exec s -- ping -c 3 -i 0.3 -q "$s4"
want "and by IPv6" passes 0 ja exec s -- ping6 -c 3 -i 0.3 -q "$s6"
serve s 5434
# A ping of 127.0.0.1 is the host's to answer, unlike all else that is sent there.
want "by localhost neither" passes 0 ja exec s -- nc -z -w 2 127.0.0.1 5434
want "and by IPv6" passes 0 ja exec s -- nc -z -w 2 ::1 5434
want "nor what others send" passes 0 ja exec a2 -- ping -c 3 -i 0.3 -q "$lan.1"
want "less of one direction, and nothing of the other, while it runs" ja set s nics.eth0.shape.out.rate=1Mbit nics.eth0.shape.in=
want "leaves one pipe" pipes 1
want "with the new rate" within_rate s out 1000000
want "a delay" ja set s nics.eth0.shape.out.delay=100ms
want "is there" near 0.09 0.4 measured s out delay
refuse "one that varies" "vnet=shared alike" ja set s nics.eth0.shape.out.jitter=10ms
if [ "$(sysctl -n kern.osreldate)" -lt 1500000 ]; then
    refuse "losses in rows" "of 15.0 knows rows" ja set s nics.eth0.shape.out.loss=10% nics.eth0.shape.out.loss-burst=4
else
    want "losses in rows" ja set s nics.eth0.shape.out.loss=10% nics.eth0.shape.out.loss-burst=4
fi
ipfw -q table "ja${mine}shout" flush
want "repair puts back what somebody has flushed" ja repair
want "so that it passes its pipe" sh -c "ipfw table ja${mine}shout list | grep -q '$s4'"
for pid in $talkers; do kill "$pid" 2>/dev/null; done
want "it ends" ja stop --force s
want "and leaves no pipe" pipes 0
want "and no address" sh -c "! ipfw table ja${mine}shout list | grep '^[0-9a-f]'"

# ---- delays that vary ----
want "a jail's delay varies" ja set a nics.eth0.shape.in.rate=2Mbit nics.eth0.shape.in.delay=100ms nics.eth0.shape.in.jitter=40ms
want "as much as was asked" near 0.034 0.048 measured a in jitter
want "around what was asked" near 0.08 0.13 measured a in delay
want "and the rate is kept" within_rate a in 2000000
# The jail's own ipfw may be older than the kernel.
its_ipfw() { "$program" host jail-rescue "$(kernel_name a)" ipfw "$@" </dev/null; }
one_each() { its_ipfw -a list 96 | awk '/count/ { all = $2 } / tag / { delayed += $2 } END { exit !(all > 100 && delayed == all) }'; }
want "each packet has one delay" one_each
want "less, and its root cannot change it" ja set a nics.eth0.shape.in.jitter=20ms nics.eth0.shape.enforce=yes
want "so it is" near 0.014 0.028 measured a in jitter
want "no more" ja shape a --clear
nothing() { [ "$(its_ipfw list | grep -c pipe)" -eq 0 ] && [ "$(its_ipfw pipe show | grep -c ms)" -eq 0 ]; }
want "leaves no rule, and no pipe" nothing

want "a rule stays" ja network set lan rules.x.action=deny
want "all go" ja delete --force --all --yes
want "teardown" ja teardown
left_of "$mine" "$base" >"$dir/left" 2>&1
if [ ! -s "$dir/left" ] && [ ! -e "$state" ]; then passed "nothing is left"; else cp "$dir/left" "$dir/out"; failed "something is left"; fi
exit "$bad"
