#!/bin/sh
# Changes to jails that exist: set, rename, addresses, limits that are really met. jail.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
. "$(dirname "$0")/kit.sh"
kit_begin jail
kit_init --storage file:512M --network $network.1/24
want "a template" ja template create base --from busybox
want "two jails" ja create a b --template base --start

# ---- set ----
want "several changes at once" ja set a limits.memory=64M limits.processes=30 limits.cpu=0.5 labels.team=x boot=last
want "memory is limited at once" test "$(cgroup_file a memory memory.limit_in_bytes memory.max)" = 67108864
want "and processes" test "$(cgroup_file a pids pids.max pids.max)" = 30
want "and the processor" prints 50000 cgroup_file a cpu cpu.cfs_quota_us cpu.max
want "show tells the new values" prints "limits.memory: 64M$" ja show a
want "a label finds it" prints "^a " ja list label.team=x
want "what must wait is stored" prints "waiting for its next start: limits.files" ja set a limits.files=100
want "show tells what waits" prints "limits.files: 100 (running with 0; applies at the next start)" ja show a
want "JSON too" prints '"pending":{"limits.files":"0"}' ja --json show a
want "a limit can go again" ja set a limits.processes=
want "at once" test "$(cgroup_file a pids pids.max pids.max)" = max
want "saying it again changes nothing" prints "already so" ja set a labels.team=x
refuse "a field that is fixed at creation" "can only be given when the jail is created" ja set a template=base
refuse "an unknown field" "no field" ja set a limits.memroy=1G
refuse "with those there are" "allowed are rate, burst" ja set a nics.eth0.shape.in.speed=3
refuse "what a start would refuse" "no capability of Linux" ja set a allow=mlock
refuse "a bad value" "field limits.memory" ja set a limits.memory=lots
refuse "half of several changes" "field limits.cpu" ja set a labels.half=yes limits.cpu=x
want "nothing of them is made" prints "already so" ja set a labels.half=
want "several jails at once" ja set a b labels.both=yes
want "both have it" test "$(ja list label.both=yes | wc -l)" -eq 3
want "a dry run changes nothing" sh -c "'$program' --state '$state' -n set a limits.memory=32M && [ \"\$('$program' --state '$state' list limits.memory=64M | wc -l)\" -eq 2 ]"
ja -n set a limits.memory=96M labels.pasted=yes >"$dir/script" 2>/dev/null
want "a dry run is a script" sh -e "$dir/script"
want "that applies the change" test "$(cgroup_file a memory memory.limit_in_bytes memory.max)" = 100663296
want "and stores it" prints "^a " ja list label.pasted=yes

# ---- addresses ----
old=$(ja --json list a | sed 's/.*"addresses":\["\([^"]*\)".*/\1/')
want "an address changes at the next start" ja set a nics.eth0.address=$network.77
want "until then it has the old one" ja exec b -- ping -c1 -W2 "$old"
want "as list says" prints "^a  *running  *$old " ja list
want "and list -l" prints "^a  *running  *$old " ja list -l
want "another one is added" ja set a nics.eth0.address+=$network.78
want "which list does not show either" prints "^a  *running  *$old " ja list a
want "it is taken away again" ja set a nics.eth0.address-=$network.78
refuse "which nobody else gets" "taken by jail a" ja create c --template base --nic "eth0,network=default,address=$old"
refuse "nor the new one" "taken by jail a" ja set b nics.eth0.address=$network.77
want "a restart applies what waits" ja restart --force a
want "it has the new address" ja exec b -- ping -c1 -W2 $network.77
want "nothing waits any more" not prints "next start" ja show a
want "list shows the new one" prints "^a  *running  *$network.77 " ja list
want "its old address is free" ja create c --template base --nic "eth0,network=default,address=$old"
want "files are limited now" prints 100 ja exec a -- sh -c 'ulimit -n'

# ---- rename ----
refuse "a rename of a running jail" "it is running" ja rename a z
want "jails can depend on others" ja set c depends=a
refuse "but not in a circle" "circle" ja set a depends=c
refuse "and not on what is not there" "no jail nosuch" ja set a depends=nosuch
want "stop" ja stop --force a
refuse "a name that is taken" "exists already" ja rename a b
want "rename" ja rename a z
want "the old name is free" not ja show a
want "who depended on it still does" prints "depends: z" ja show c
want "it starts under its new name" ja start z
want "which is its host name" prints "^z$" ja exec z -- hostname
want "and resolves" eventually ja exec b -- ping -c1 -W2 z
want "address and label stay" prints "$network.77" ja list label.team=x

# ---- limits that are met ----
want "a small jail" ja create small --template base --limit memory=24M --limit swap=1M --limit processes=20 --limit cpu=0.2 --start
want "memory beyond the limit is not had" not ja exec small -- sh -c 'x=$(yes | head -c 60000000); echo ${#x}'
want "the jail lives on" prints "^small *running" ja list small
want "no more processes than allowed" sh -c "n=\$('$program' --state '$state' exec small -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do sleep 5 & done; wait' 2>&1 | grep -c -i 'fork'); [ \"\$n\" -ge 1 ]"
refuse "less memory than it uses" "limits.memory" ja set small limits.memory=8K
want "which leaves the old limit" test "$(cgroup_file small memory memory.limit_in_bytes memory.max)" = 25165824

# ---- protect ----
want "protect" ja set z protect=yes
refuse "delete then" "protected" ja delete -y --force z
want "no longer" ja set z protect=no
want "delete" ja delete -y --force z
kit_end
