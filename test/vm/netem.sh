#!/bin/sh
# Traffic shaping on a kernel with netem: rates, delays, jitter, losses by chance and in a row, together and alone, live and at the
# start of a jail. Runs by kernel.sh.
set -u
# shellcheck source=kit.sh
. "$(dirname "$0")/kit.sh"
# shellcheck source=../host/shapekit.sh
. "$(dirname "$0")/../host/shapekit.sh"
# The shortest time of a packet is the delay, in seconds, within 5 ms; what an emulated machine adds to others is its own.
delay() { near "$(awk -v s="$3" 'BEGIN { print s - 0.005 }')" "$(awk -v s="$3" 'BEGIN { print s + 0.005 }')" measured "$1" "$2" least-delay; }
# loss JAIL DIRECTION PERCENT SPREAD: within what chance makes of so many packets, three times the standard deviation.
loss() { near "$(awk -v p="$3" -v d="$4" 'BEGIN { print p - d }')" "$(awk -v p="$3" -v d="$4" 'BEGIN { print p + d }')" measured "$1" "$2" loss 8s; }

not_queued() { ! queues "$(ip -o link | sed -n "s/.*: \(ja[0-9a-z]*n0\)@.*/\1/p")"; }
check "doctor knows that all can be shaped" sh -c "'$program' --state $state doctor | grep -q 'shaping .*rates, delays and losses'"
check "init" ja init --storage file:512M --network 10.239.7.1/24
check "template" ja template create base --from busybox
check "a jail with a delay and a rate in both directions" ja create a --template base --start \
    --nic eth0,network=default,shape.in.rate=10Mbit,shape.in.delay=20ms,shape.out.rate=2Mbit,shape.out.delay=50ms
check "what it is sent is late" delay a in 0.020
check "what it sends is late" delay a out 0.050
check "and it is sent no more than its rate" within_rate a in 10000000
check "and sends no more" within_rate a out 2000000
check "another delay, and no rate, while it runs" ja shape a in.delay=200ms in.rate=0 out.delay=0 out.rate=0
check "have effect" delay a in 0.200
check "in one direction only" delay a out 0
check "a loss" ja shape a in.delay=0 in.loss=5%
check "is of as many packets as was asked for" loss a in 5 1
check "and of none of those it sends" loss a out 0 0.2
check "a loss in rows" ja shape a in.loss=0 out.loss=10% out.loss-burst=5
check "is of as many packets" loss a out 10 3.5
check "in rows of that length" near 3.8 6.2 measured a out loss-burst 12s
check "a loss with a rate" ja shape a out.loss-burst=0 out.loss=20% out.rate=4Mbit
check "keeps the rate" within_rate a out 4000000
check "and loses as much" loss a out 20 3
check "jitter" ja shape a --clear
check "varies the delay" ja shape a in.delay=100ms in.jitter=50ms
check "from its difference on" delay a in 0.050
check "around its middle" near 0.090 0.115 measured a in delay
check "no more" ja shape a --clear
check "no queue is left" not_queued
check "stop" ja stop a
check "teardown" ja teardown --force -y
check "nothing is left" sh -c '! ip link | grep " ja"'
exit $bad
