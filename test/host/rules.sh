#!/bin/sh
# Rules of networks: who may begin to talk to whom, by name, port and direction, on the real kernel: jails on two networks, the host
# and a world beyond it; while they run, after restarts, and after somebody has flushed rules. Port forwards, which such rules can
# restrict by source. Only what carries this instance's tag is touched.
# rules.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
. "$(dirname "$0")/kit.sh"
command -v perl >/dev/null || { echo "skipped: needs perl"; exit 77; }
kit_begin rules

n=$(($$ % 200)) m=$(($$ / 200 % 250))
lan=10.$((20 + n)).$m data=10.$((20 + n)).$(((m + 1) % 250))
own6=fd5a:$(printf %x $(($$ % 65536)))
lan6=$own6:1: data6=$own6:2:
uplink=jw$$ world=jw$$
world4=198.18.$m world6=$own6:9:
port=$((20000 + $$ % 10000))

# Answers at ports, by both protocols and families; connects and wants its answer; does so again on one connection, when told to.
cat >"$dir/talk.pl" <<'EOF'
use strict; use warnings; use Socket qw(:all); use IO::Select;
my ($verb, @rest) = @ARGV;
$SIG{ALRM} = sub { exit 9 };
sub name_of { my ($proto, $host, $port, $passive) = @_;
    my ($err, @found) = getaddrinfo($host, $port, {socktype => $proto eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM,
        flags => AI_NUMERICHOST | AI_NUMERICSERV | ($passive ? AI_PASSIVE : 0)});
    die "$err\n" if $err; return $found[0] }
sub open_at { my ($at) = @_;
    socket(my $s, $at->{family}, $at->{socktype}, 0) or die "socket: $!\n";
    setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
    setsockopt($s, IPPROTO_IPV6, IPV6_V6ONLY, 1) if $at->{family} == AF_INET6; return $s }
if ($verb eq 'serve') {
    my (%listens, %datagrams); my $select = IO::Select->new;
    for my $port (@rest) { for my $proto ('tcp', 'udp') { for my $any ('0.0.0.0', '::') {
        my $at = name_of($proto, $any, $port, 1); my $s = open_at($at);
        bind($s, $at->{addr}) or die "bind $port: $!\n";
        if ($proto eq 'tcp') { listen($s, 16); $listens{fileno $s} = 1 } else { $datagrams{fileno $s} = 1 }
        $select->add($s) } } }
    print "ready\n"; close STDOUT;
    while (1) { for my $s ($select->can_read) {
        if ($listens{fileno $s}) { my $c; accept($c, $s) and $select->add($c); next }
        if ($datagrams{fileno $s}) { my $from = recv($s, my $text, 64, 0); send($s, "pong", 0, $from) if defined $from; next }
        if (sysread($s, my $text, 64)) { syswrite($s, 'pong') } else { $select->remove($s); close $s } } }
}
# reach PROTO ADDRESS PORT [SOURCE]; hold ADDRESS PORT FILE: talks once, waits for FILE, talks again
my ($proto, $host, $port, $source) = $verb eq 'hold' ? ('tcp', @rest[0, 1]) : @rest;
alarm($verb eq 'hold' ? 60 : 2);
my $at = name_of($proto, $host, $port); my $s = open_at($at);
if ($source) { bind($s, name_of($proto, $source, 0)->{addr}) or die "bind: $!\n" }
connect($s, $at->{addr}) or exit 9;
sub talk { my $text = ''; syswrite($s, 'ping') && sysread($s, $text, 64) && $text eq 'pong' or exit 9 }
talk();
if ($verb eq 'hold') {
    open(my $f, '>', "$rest[2].held"); close $f;
    select(undef, undef, undef, 0.1) until -e $rest[2];
    talk();
}
exit 0;
EOF
talkers= go=
inside() { # inside WHO COMMAND...: in the network stack of a jail, of the world, of the host
    who=$1
    shift
    case $who in
    host) $go "$@" ;;
    world) $go ip netns exec "$world" "$@" ;;
    *) $go ip netns exec "ja$mine-$who" "$@" ;;
    esac
}
serve() { # serve WHO PORT...
    who=$1
    rm -f "$dir/ready"
    shift
    (go=exec; inside "$who" perl "$dir/talk.pl" serve "$@" >"$dir/ready" 2>"$dir/serve-$who") &
    talkers="$talkers $!"
    eventually grep -q ready "$dir/ready" || { cat "$dir/serve-$who"; failed "a listener in $who"; }
}
talk() { inside "$1" perl "$dir/talk.pl" reach "$2" "$3" "$4" "${5:-}"; }
reaches() { want "$1 reaches $3 $2 $4${5:+ as $5}" talk "$@"; }
silent() { # it was tried, and did not work
    talk "$@"
    [ $? -eq 9 ]
}
denied() { want "$1 does not reach $3 $2 $4${5:+ as $5}" silent "$@"; }
rule() { # rule NETWORK NAME KEY=VALUE...: in place of the one of that name
    on=$1 name=$2
    shift 2
    want "rule $name of $on: $*" ja network set "$on" "rules.$name=" "rules+=$name$(printf ',%s' "$@")"
}
norule() { want "rule $2 of $1 goes" ja network set "$1" "rules.$2="; }
rules_end() {
    for pid in $talkers; do kill "$pid" 2>/dev/null; done
    ip netns del "$world" 2>/dev/null
    ip link del "$uplink" 2>/dev/null
    kit_clean
}
trap 'rules_end' EXIT

# ---- a host, its world, two networks ----
kit_init --storage file:512M --network none
want "a world" sh -c "ip netns add $world && ip link add $uplink type veth peer name w0 netns $world &&
    ip addr add $world4.1/24 dev $uplink && ip addr add ${world6}:1/64 dev $uplink nodad && ip link set $uplink up &&
    ip -n $world addr add $world4.2/24 dev w0 && ip -n $world addr add $world4.3/24 dev w0 &&
    ip -n $world addr add ${world6}:2/64 dev w0 nodad && ip -n $world link set w0 up && ip -n $world link set lo up &&
    ip -n $world route add default via $world4.1 && ip -n $world -6 route add default via ${world6}:1"
want "a template" ja template create base --from busybox
want "a network" ja network create lan --address $lan.1/24 --address ${lan6}:1/64
want "another one" ja network create data --address $data.1/24 --address ${data6}:1/64
refuse "a rule that names nobody" "there is no network nosuch" ja network create bad --address 10.19.0.1/24 --rule r,action=allow,peer=network:nosuch
refuse "a network that is not made then" "no such network" ja network show bad
for jail in a a2; do want "jail $jail" ja create $jail --template base --nic eth0,network=lan,address=auto,address=auto6 --start; done
for jail in b b2; do want "jail $jail" ja create $jail --template base --nic eth0,network=data,address=auto,address=auto6 --start; done
ports="53 5000 5001 5002 5003 5432 5433"
serve a $ports
serve b $ports
serve b2 $ports
serve world $ports
# The host's own port 53 may be somebody's.
serve host 5000 5001 5002 5003 5432 5433
a4=$lan.2 a6=${lan6}:2 b4=$data.2 b6=${data6}:2 b24=$data.3

# ---- by default ----
for protocol in tcp udp; do
    denied a $protocol $b4 5432
    denied a $protocol $b6 5432
    denied a $protocol $lan.1 5432
    denied a $protocol ${lan6}:1 5432
    reaches a $protocol $world4.2 5432
    reaches a $protocol ${world6}:2 5432
    reaches host $protocol $b4 5432
    denied world $protocol $a4 5432
done

# ---- allow and deny, both directions, protocols and families ----
for protocol in tcp udp; do
    other=tcp
    [ $protocol = udp ] || other=udp
    rule lan db action=allow peer=network:data protocol=$protocol port=5432
    reaches a $protocol $b4 5432
    reaches a $protocol $b6 5432
    denied a $protocol $b4 5433
    denied a $protocol $b6 5433
    denied a $other $b4 5432
    denied b $protocol $a4 5432
    rule data no action=deny direction=in peer=network:lan protocol=$protocol port=5432
    denied a $protocol $b4 5432
    denied a $protocol $b6 5432
    norule lan db
    rule data no action=allow direction=in peer=network:lan protocol=$protocol port=5432
    reaches a $protocol $b4 5432
    reaches a $protocol $b6 5432
    denied a $protocol $b4 5433
    denied a $other $b4 5432
    rule lan no action=deny peer=network:data protocol=$protocol
    denied a $protocol $b4 5432
    denied a $protocol $b6 5432
    norule lan no
    norule data no
    denied a $protocol $b4 5432
done
rule lan range action=allow peer=network:data protocol=tcp port=5000-5002
denied a tcp $b4 5003
for p in 5000 5001 5002; do reaches a tcp $b4 $p; done
rule lan first action=deny peer=network:data protocol=tcp port=5001 order=50
denied a tcp $b4 5001
reaches a tcp $b4 5002
rule lan first action=deny peer=network:data protocol=tcp port=5001 order=150
reaches a tcp $b4 5001
norule lan first
norule lan range

# ---- by name and by address ----
rule lan one action=allow jail=a peer=jail:b protocol=tcp
reaches a tcp $b4 5432
reaches a tcp $b6 5432
denied a tcp $b24 5432
denied a2 tcp $b4 5432
rule data one action=deny direction=in jail=b peer=jail:a
denied a tcp $b4 5432
denied a tcp $b6 5432
norule data one
rule lan one action=allow peer=$b24 protocol=tcp
reaches a tcp $b24 5432
denied a tcp $b4 5432
rule lan one action=allow peer=${data6}:/64
reaches a udp $b6 5432
denied a udp $b4 5432
rule lan one action=allow peer=0.0.0.0/0 protocol=udp
reaches a udp $b4 5432
denied a udp $b6 5432
norule lan one
want "icmp" not ja exec a -- ping -c1 -W1 $b4
rule lan ping action=allow peer=network:data protocol=icmp
want "passes by a rule" ja exec a -- ping -c1 -W1 $b4
want "and that of IPv6" ja exec a -- ping -6 -c1 -W1 $b6
denied a tcp $b4 5432
norule lan ping

# ---- the world ----
rule lan web action=deny peer=world protocol=tcp port=5432
denied a tcp $world4.2 5432
denied a tcp ${world6}:2 5432
reaches a tcp $world4.2 5433
reaches a udp $world4.2 5432
rule lan web action=deny peer=$world4.3
denied a tcp $world4.3 5432
reaches a tcp $world4.2 5432
norule lan web
rule lan in action=allow direction=in peer=world protocol=tcp port=5432
reaches world tcp $a4 5432
reaches world tcp $a6 5432
denied world tcp $a4 5433
norule lan in

# ---- the host ----
for protocol in tcp udp; do
    rule lan host action=allow peer=host protocol=$protocol port=5432
    reaches a $protocol $lan.1 5432
    reaches a $protocol ${lan6}:1 5432
    denied a $protocol $lan.1 5433
    denied b $protocol $data.1 5432
    rule lan host action=allow peer=host protocol=$protocol jail=a
    reaches a $protocol $lan.1 5433
    denied a2 $protocol $lan.1 5433
done
rule lan host action=allow peer=host protocol=tcp port=5432
reaches a tcp $world4.1 5432
reaches a tcp $data.1 5432
norule lan host
want "the gateway resolves names" eventually ja exec a -- nslookup a2 $lan.1
rule lan names action=deny peer=host protocol=udp port=53
want "not by a rule" not ja exec a -- nslookup a2 $lan.1
norule lan names
refuse "a rule against the host" "the host always reaches its jails" ja network set lan rules+=x,action=deny,direction=in,peer=host

# ---- while connections exist ----
rule lan db action=allow peer=network:data
(go=exec; inside a perl "$dir/talk.pl" hold $b4 5432 "$dir/again") &
held=$!
want "a connection" eventually test -e "$dir/again.held"
rule lan db action=deny
touch "$dir/again"
want "goes on after a deny" wait $held
denied a tcp $b4 5432
denied a tcp $world4.2 5432
norule lan db

# ---- a forward, by source ----
want "a forward" ja set a "forwards.web.port=$port" forwards.web.to=5432
reaches world tcp $world4.1 $port $world4.2
reaches world tcp $world4.1 $port $world4.3
reaches world tcp ${world6}:1 $port
reaches b tcp $world4.1 $port
want "for one source" ja network set lan "rules+=some,action=allow,direction=in,peer=$world4.2,protocol=tcp,port=5432" \
    "rules+=rest,action=deny,direction=in,protocol=tcp,port=5432,order=200"
reaches world tcp $world4.1 $port $world4.2
denied world tcp $world4.1 $port $world4.3
denied world tcp ${world6}:1 $port
denied b tcp $world4.1 $port
reaches host tcp $world4.1 $port
want "without rules" ja network set lan rules.some= rules.rest=
reaches world tcp $world4.1 $port $world4.3
forwards() { nft list map inet "ja$mine" forward4 | grep -o -E "(tcp|udp) \. [0-9]+ : " | wc -l; }
once() { [ "$(forwards)" -eq "$1" ] && [ "$(nft list map inet "ja$mine" forward6 | grep -o -E "(tcp|udp) \. [0-9]+ : " | wc -l)" -eq "$1" ]; }
want "is there once, in both families" once 1
for _ in 1 2 3 4 5 6 7 8 9 10; do
    ja -q set a forwards.web= || failed "a forward is taken"
    once 0 || failed "it is gone"
    ja -q set a "forwards.web.port=$port" forwards.web.to=5432 || failed "it is added"
    once 1 || failed "it is there once"
done
want "and after ten times more" once 1
serve a2 5432
for _ in 1 2 3 4 5 6 7 8 9 10; do ja -q restart --force a || failed "a restart"; done
want "and after ten restarts" once 1
serve a $ports
reaches world tcp $world4.1 $port
want "a range by udp" ja set a "forwards.many.port=$((port + 10))-$((port + 12))" forwards.many.to=5000-5002 forwards.many.protocol=udp
for p in 0 1 2; do reaches world udp $world4.1 $((port + 10 + p)); done
reaches world udp ${world6}:1 $((port + 11))
denied world udp $world4.1 $((port + 13))
denied world tcp $world4.1 $((port + 11))
want "is three elements more" once 4
refuse "another jail's port within it" "jail a" ja set b "forwards.x.port=$((port + 12))" forwards.x.protocol=udp
want "but not of the other protocol" ja set b "forwards.x.port=$((port + 12))" forwards.x.to=5433
reaches world tcp $world4.1 $((port + 12))
want "which goes" ja set b forwards.x=
serve host $((port + 30))
refuse "a port at which the host listens" "in use by" ja set b "forwards.x.port=$((port + 30))" forwards.x.to=5433
refuse "or a range around it" "in use by" ja set b "forwards.x.port=$((port + 28))-$((port + 31))" forwards.x.to=5430-5433
want "forwards go" ja set a forwards.web= forwards.many=
want "with all of their elements" once 0
refuse "the host's own address for a jail" "is the host's own\|is the gateway" ja create h --template base --nic eth0,network=lan,address=$lan.1
want "an address of the network on the host" ip addr add $lan.77/32 dev lo
refuse "is not a jail's either" "the host's own" ja create h --template base --nic eth0,network=lan,address=$lan.77
want "it goes" ip addr del $lan.77/32 dev lo

# ---- isolate ----
reaches a2 tcp $a4 5432
want "isolate" ja network set lan isolate=yes
denied a2 tcp $a4 5432
rule lan own action=allow
denied a2 tcp $a4 5432
norule lan own
want "no more" ja network set lan isolate=no
reaches a2 tcp $a4 5432

# ---- names that rules hold ----
want "a rule for one jail to another" ja network set lan "rules+=db,action=allow,jail=a,peer=jail:b,protocol=tcp,port=5432"
want "one for a network" ja network set data "rules+=back,action=allow,peer=network:lan,protocol=tcp,port=5433"
want "network show shows it" prints "rules.db.peer: jail:b" ja network show lan
refuse "such a jail does not go" "the rule db of the network lan names it" ja delete --force -y b
refuse "nor does the other" "the rule db of the network lan names it" ja delete --force -y a
refuse "nor gets it another address" "its addresses cannot change: the rule db of the network lan names it" ja set b nics.eth0.address=$data.99
refuse "or one more" "the rule db of the network lan" ja set a nics.eth0.address+=$lan.99
refuse "or another MAC" "the rule db of the network lan" ja set a nics.eth0.mac=02:00:00:00:00:77
want "but all else" ja set a labels.x=y
want "stop" ja stop --force b
refuse "nor is it renamed" "the rule db of the network lan names it" ja rename b c
want "start" ja start b
want "a network without jails" ja network create spare --address 10.$((20 + n)).$(((m + 2) % 250)).1/24
want "that a rule names" ja network set data "rules+=spare,action=deny,direction=in,peer=network:spare"
refuse "does not go either" "the rule spare of the network data names it" ja network delete spare
want "until the rule has gone" ja network set data rules.spare=
want "then it does" ja network delete spare
refuse "a jail of another network" "the jail b is not on the network lan" ja network set lan rules.db.jail=b
refuse "a jail of the same one" "on no network but lan" ja network set lan rules.db.peer=jail:a2
refuse "its own network" "isolate decides" ja network set lan rules.db.peer=network:lan
refuse "a port without a protocol" "only protocol=tcp and protocol=udp" ja network set lan rules.db.protocol=any
refuse "an action that is none" "allowed are allow, deny" ja network set lan rules.db.action=drop
refuse "no action" "rules.y.action: it must be given" ja network set lan rules+=y,peer=host
refuse "a peer that is none" "network:NAME, jail:NAME" ja network set lan rules.db.peer=net:data
serve b $ports
reaches a tcp $b4 5432
reaches b tcp $a4 5433
denied a tcp $b4 5433

# ---- what others remove ----
want "nothing is missing" prints "nothing is missing" ja repair
chain() { nft -a list chain inet "ja$mine" "$1"; }
handle=$(chain net0_out | sed -n 's/.*# handle \([0-9]*\)$/\1/p' | tail -1)
want "somebody deletes a rule" nft delete rule inet "ja$mine" net0_out handle "$handle"
want "repair puts it back" prints "network lan: let the rules know the network" ja repair
reaches a tcp $b4 5432
want "somebody adds one" nft add rule inet "ja$mine" net0_out accept
want "which repair takes away" prints "network lan" ja repair
denied a tcp $b4 5433
want "somebody takes away what leads to the rules" nft delete element inet "ja$mine" rules_out "{ \"ja${mine}br0\" }"
denied a tcp $b4 5432
want "the next start puts it back" ja restart --force a2
reaches a tcp $b4 5432
want "somebody flushes the table" nft flush table inet "ja$mine"
want "repair" ja repair
want "and again nothing is missing" prints "nothing is missing" ja repair
reaches a tcp $b4 5432
denied a tcp $b4 5433
want "the tables go" sh -c "nft delete table inet ja$mine; nft delete table bridge ja$mine"
want "a start brings the rules" ja restart --force a2
want "for its network" sh -c "nft list chain inet ja$mine net0_out | grep -q 5432"
want "and repair the rest" ja repair
reaches a tcp $b4 5432
reaches b tcp $a4 5433
want "a table as older programs made it" sh -c "for kind in out host in; do nft flush map inet ja$mine rules_\$kind; done
    nft flush table inet ja$mine; for chain in net0_out net1_out allowed; do nft delete chain inet ja$mine \$chain; done
    for kind in out host in; do nft delete map inet ja$mine rules_\$kind; done"
want "is made a new one" ja repair
reaches a tcp $b4 5432
want "with all that it had" prints "nothing is missing" ja repair

# ---- the end ----
want "a dry run of a change" prints "add rule inet ja$mine net0_out" ja -n network set lan rules.db.port=5433
denied a tcp $b4 5433
want "pasted" sh -c "'$program' --state '$state' -n network set lan rules.db.port=5433 </dev/null >'$dir/script' && sh -e '$dir/script'"
reaches a tcp $b4 5433
denied a tcp $b4 5432
want "the rules go" ja network set lan rules.db=
want "and the last one" ja network set data rules.back=
want "with their chains" sh -c "! nft list table inet ja$mine | grep net[0-9]"
denied a tcp $b4 5433
for pid in $talkers; do kill "$pid" 2>/dev/null; done
want "the jails go" ja delete --force -y --all
want "a rule stays" ja network set lan rules.x.action=deny
want "with its network gone" ja network delete lan
want "its chains are gone" sh -c "! nft list table inet ja$mine | grep net[0-9]"
ip netns del "$world"
kit_end
