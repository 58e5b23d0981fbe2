#!/bin/sh
# Traffic shaping on this machine's kernel: rates, both directions, IPv4 and IPv6, while jails run and with their starts; what the
# kernel cannot do is refused; nothing is left. Delays and losses, which need netem, are for test/vm/netem.sh.
# shaping.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
. "$(dirname "$0")/kit.sh"
. "$(dirname "$0")/shapekit.sh"

kit_begin shape
kit_init --storage file:512M --network "$network.1/24"
ja doctor | grep -q "no tbf\|no ifb" && { echo "skipped: this kernel cannot shape"; exit 77; }
six=fd00:$(printf %x $(($$ % 65536))):5e
want "a network with IPv6" ja network create six --address "10.97.$(($$ % 250)).1/24" --address "$six::1/64"
want "a template" ja template create base --from busybox
want "a jail whose start shapes it" ja create a --template base --start \
    --nic eth0,network=default,shape.in.rate=20Mbit,shape.out.rate=5Mbit
want "it is shown" prints "eth0  *in  *20Mbit .*yes" ja shape a
want "what it is sent has the rate" within_rate a in 20000000
want "what it sends has the rate" within_rate a out 5000000
want "a rate changes while it runs" ja shape a eth0 out.rate=40Mbit
want "and has effect" within_rate a out 40000000
want "an unshaped jail beside it" ja create b --template base --start --nic eth0,network=six,address=auto6
want "has no device of its own" not ip link show "ja$mine$(slot b)s0"
want "which is shaped while it runs" ja set b nics.eth0.shape.out.rate=3Mbit nics.eth0.shape.in.rate=8Mbit
want "by IPv6 too, what it sends" within_rate b out 3000000
want "and what it is sent" within_rate b in 8000000
want "no more" ja shape b --clear
want "its device is gone" not ip link show "ja$mine$(slot b)s0"
want "and its queues" not queues "ja$mine$(slot b)n0"
want "shaped again" ja shape b in.rate=1Mbit out.rate=1Mbit
want "a jail that dies" kill -9 "$(ja --json show b | sed 's/.*"pid":\([0-9]*\).*/\1/')"
want "is stopped" eventually prints '"state":"stopped"' ja --json show b
want "and leaves its device, which the next start takes" ja start b
want "with the same rate" within_rate b out 1000000
want "somebody takes its queues away" tc qdisc del dev "ja$mine$(slot b)s0" root
want "and they are repaired" prints "shape what it sends by eth0 again" ja repair
want "so that it has its rate" within_rate b out 1000000
want "nothing else is repaired" prints "^$\|nothing" ja repair
want "a stop" ja stop a b
want "leaves no device" not ip link show "ja$mine$(slot a)s0"
# shellcheck disable=SC2016
want "a dry run is a script that does it" sh -c '"$1" --state "$2" -n shape a in.rate=7Mbit | sh && "$1" --state "$2" shape a | grep -q 7Mbit' \
    sh "$program" "$state"
refuse "a jail that does not run is not measured" "it is not running" ja shape a --measure
refuse "what shares the host's network" "vnet=yes" ja create c --template base --set vnet=shared \
    --nic eth0,network=default,shape.in.rate=1Mbit
ja doctor | grep -q "no netem" &&
    refuse "delays without netem" "has no netem" ja shape a in.delay=20ms
kit_end
