#!/bin/sh
# Limits on a host with cgroup v2 alone: set, changed and taken away while the jail runs, kept, and shown. Runs by boot.sh.
set -u
# shellcheck source=kit.sh
. "$(dirname "$0")/kit.sh"

check "init" ja init --storage file:512M --network none
check "template" ja template create base --from busybox
check "create with limits" ja create a --template base --limit memory=32M --limit swap=16M --limit processes=30 --limit cpu=0.5 --limit write-rate=3M
check "start" ja start a
cgroup=$(echo /sys/fs/cgroup/jailadmin-*/ja*)
check "a rate from the start" sh -c "grep -q 'rbps=max wbps=3145728' '$cgroup/io.max'"
check "who takes more memory is ended" status 137 ja exec a -- sh -c 'x=$(yes | head -c 40000000)'
check "its file tree is limited" ja limit a disk=8M read-rate=2M write-rate=2M memory=200M
check "and that counts" sh -c "! '$program' --state $state exec a -- dd if=/dev/zero of=/f bs=1M count=12 2>/dev/null"
check "rates are those of the disk below the pool" sh -c "grep -q '^7:[0-9]* rbps=2097152 wbps=2097152' '$cgroup/io.max'"
check "processors cannot be chosen here, and that is said" sh -c "'$program' --state $state limit a memory=100M cpuset=0 2>&1 | grep -q 'no cpuset.cpus'"
check "nothing else was changed then" is "$cgroup/memory.max" 209715200
ja -q limit a disk=
ja exec a -- dd if=/dev/zero of=/f bs=1M count=6 conv=fsync 2>/dev/null
check "what is used is shown against its limit" sh -c "'$program' --state $state limit a | grep -q 'memory  *[0-9.]*[KM]  *200M'"
check "with what was read and written" sh -c "'$program' --state $state show a | grep -q 'usage.written: [1-9]'"
check "and who was ended for its memory" sh -c "'$program' --state $state show a | grep -qx 'usage.oom-kills: [1-9]'"
check "top" sh -c "'$program' --state $state top | grep -q '^a  *[0-9.]*%/50%'"
echo 3 >/proc/sys/vm/drop_caches
begun=$(date +%s%N)
ja exec a -- dd if=/f of=/dev/null bs=1M 2>/dev/null
check "the rate of reading is kept" test $((($(date +%s%N) - begun) / 1000000)) -ge 1800
begun=$(date +%s%N)
ja exec a -- dd if=/dev/zero of=/f bs=1M count=6 conv=fsync 2>/dev/null
check "the rate of writing is kept" test $((($(date +%s%N) - begun) / 1000000)) -ge 1800
check "limits are taken away" ja limit a memory= swap= processes= cpu= cpuset= read-rate= write-rate=
check "memory" is "$cgroup/memory.max" max
check "swap" is "$cgroup/memory.swap.max" max
check "processes" is "$cgroup/pids.max" max
check "processor time" is "$cgroup/cpu.max" "max 100000"
check "rates" is "$cgroup/io.max" ""
check "teardown" ja teardown --force -y
exit $bad
