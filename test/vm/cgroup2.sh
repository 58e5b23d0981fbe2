#!/bin/sh
# Jails on a host with cgroup v2 alone: limits, what a command in a jail is counted for, the end. Runs by boot.sh.
set -u
# shellcheck source=kit.sh
. "$(dirname "$0")/kit.sh"

check "this kernel has no other cgroups than v2" test -e /sys/fs/cgroup/cgroup.controllers
check "init" ja init --storage file:512M --network none
check "template" ja template create base --from busybox
check "create with limits" ja create a --template base --limit memory=64M --limit swap=16M --limit processes=30 --limit cpu=0.5
check "start" ja start a
cgroup=$(echo /sys/fs/cgroup/jailadmin-*/ja*)
check "memory is limited" is "$cgroup/memory.max" 67108864
check "processes are limited" is "$cgroup/pids.max" 30
check "processor time is limited" is "$cgroup/cpu.max" "50000 100000"
check "the jail sees its own cgroup as the root" sh -c "'$program' --state $state exec a -- cat /proc/self/cgroup | grep -qx 0::/"
check "a command in it is counted, and ended for its memory" status 137 ja exec a -- sh -c 'x=$(yes | head -c 90000000)'
check "a limit changes in the running jail" ja set a limits.memory=32M
check "and counts" is "$cgroup/memory.max" 33554432
check "the jail lives on" ja exec a -- true
check "stop by force, with processes in it" sh -c "'$program' --state $state exec a -- sh -c 'sleep 100 & sleep 100 & true' && '$program' --state $state stop --force a"
check "its cgroup is gone" test ! -e "$cgroup"
check "start again" ja start a
check "teardown" ja teardown --force -y
check "nothing is left" sh -c '! ls -d /sys/fs/cgroup/jailadmin* /run/jailadmin* 2>/dev/null && ! losetup -a | grep -q state'
exit $bad
