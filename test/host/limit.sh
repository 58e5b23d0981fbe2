#!/bin/sh
# Limits of jails on this machine's kernel, at the start, changed and taken away while they run: that each of them counts, is shown
# with what is used of it, and says so where it does not count.
# limit.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
. "$(dirname "$0")/kit.sh"
kit_begin limit

of() { # of JAIL RESOURCE: what `limit` says: USED LIMIT
    ja limit "$1" | awk -v name="$2" '$2 == name { print $3, $4 }'
}
says() { # says JAIL RESOURCE PATTERN
    of "$1" "$2" | grep -qxE -e "$3" || { of "$1" "$2"; return 1; }
}
status() { # status N COMMAND...
    want=$1
    shift
    "$@"
    [ $? -eq "$want" ]
}
full() { # full JAIL FILE: 40 MB do not fit
    not ja exec "$1" -- dd if=/dev/zero of="$2" bs=1M count=40
}
fits() { ja exec "$1" -- sh -c "dd if=/dev/zero of=$2 bs=1M count=40 && rm $2"; }
forks() { # forks JAIL N: so many processes at once
    ja exec "$1" -- sh -c 'i=0; while [ $i -lt '"$2"' ]; do sleep 1 & i=$((i+1)); done; wait' 2>&1 | tee "$dir/forks"
    ! grep -q fork "$dir/forks"
}
few() { [ "$(cgroup_file "$1" pids pids.current pids.current)" -le 3 ]; } # processes, that a limit of them leaves room for others
cached() { ja exec a -- sh -c 'dd if=/dev/urandom of=/data/f bs=1M count=6 conv=fsync'; }
ms() { # ms COMMAND...: how long it takes
    begun=$(date +%s%N)
    "$@" >/dev/null 2>&1
    echo $((($(date +%s%N) - begun) / 1000000))
}
slower() { # slower LEAST-MS COMMAND...: a throttle is never exceeded, so there is a least time, and no most
    least=$1
    shift
    sync
    echo 3 >/proc/sys/vm/drop_caches
    took=$(ms "$@")
    [ "$took" -ge "$least" ] || { echo "$took ms"; return 1; }
}
busy() { # busy JAIL: how many thousandths of a second a loop of 3 s gets of the processor in each second
    ja exec "$1" -- timeout 3 sh -c 'while :; do :; done'
    ja --json show "$1" | jq '.usage["cpu-time"]'
}
share() { # share MOST: the loop gets less, in percent of a core
    before=$(ja --json show a | jq '.usage["cpu-time"]')
    after=$(busy a)
    echo "$before $after" | awk -v most="$1" '{ share = ($2 - $1) * 100 / 3; print share; exit !(share < most) }'
}

kit_init --storage file:1G --network none
want "a template" ja template create base --from busybox
want "jails with limits" ja create a b --template base --limit memory=64M --limit processes=20 --limit cpu=0.3 \
    --limit cpuset=0 --limit disk=20M --volume data,target=/data --start

# At the start.
want "limit shows what is used and allowed of memory" says a memory '[0-9.]+[KM] 64M'
want "of processes" says a processes '1 20'
want "of the disk" says a disk '[0-9.]+[KM] 20M'
want "which processors it has" says a cpuset '- 0'
want "a limit that there is not" says a read-rate '.* -'
want "one line for each resource of each jail" sh -c "'$program' --state '$state' limit --all | awk 'NR > 1 { print \$1 }' | uniq -c | awk '\$1 != 10 { exit 1 }'"
want "a pattern for jails" prints '^b  *memory' ja limit '[b-z]*'
want "who takes more memory is ended" status 137 ja exec a -- sh -c 'x=$(yes | head -c 90000000)'
want "which is counted" prints 'oom-kills: 1' ja show a
want "too many processes are refused" not forks a 25
want "and those that began have ended" eventually few a
want "the processor is shared out" share 45
want "it sees one processor" prints '^1$' ja exec a -- nproc
want "a full disk is full" full a /f
want "nothing of that goes on" eventually few a
want "which does not concern a volume" fits a /data/f
want "what is full is shown" prints '20M/20M' ja list -l a

# Changed while it runs.
want "several limits of several jails at once" ja limit a b memory=100M processes=40 disk=60M
want "they count for the other one too" says b memory '[0-9.]+[KM] 100M'
want "there is room" ja exec a -- rm -f /f
want "now it fits" fits a /f
want "more processes" forks a 25
want "more memory" ja exec a -- sh -c 'x=$(yes | head -c 30000000)'
want "the size of a volume" ja limit a volumes.data.size=20M
want "is one" full a /data/f
want "shown too" says a volumes.data '20M 20M'
want "and is taken away" ja limit a volumes.data.size=
want "so that it fits again" fits a /data/f
want "open files" ja limit a files=50
want "wait for the next start" prints 'files: 50 (running with' ja show a

# Rates of the disk.
want "a file that is not in memory" cached
want "a rate of reading" ja limit a read-rate=2M
want "is kept" slower 1800 ja exec a -- dd if=/data/f of=/dev/null bs=1M
want "a rate of writing" ja limit a read-rate= write-rate=2M
want "is kept" slower 1800 ja exec a -- dd if=/dev/zero of=/data/g bs=1M count=6 conv=fsync

# Taken away while it runs.
want "all limits go" ja limit a memory= processes= disk= cpu= cpuset= write-rate= files=
want "nothing of them is left" sh -c "'$program' --state '$state' --json show a | jq -e '.limits | del(.cpuset) | add == 0'"
want "memory" ja exec a -- sh -c 'x=$(yes | head -c 90000000)'
want "processes" forks a 50
want "disk" fits a /f
want "all processors" prints "^$(nproc)\$" ja exec a -- nproc

# After the next start.
want "limits for the next start" ja limit b files=50 write-rate=3M
want "restart" ja restart b
want "files are limited" prints '^50$' ja exec b -- sh -c 'ulimit -n'
want "stop" ja stop a
want "a stopped jail uses its disk only" says a memory '- -'
want "and that is known" says a disk '[0-9.]+[KM] -'

# What is wrong.
refuse "less memory than in use" "the jail uses" ja limit b memory=1K
want "then nothing has changed" says b memory '[0-9.]+[KM] 100M'
refuse "processors that there are not" "does not have all processors" ja limit b memory=99M cpuset=0-4095
want "then nothing has changed either" says b memory '[0-9.]+[KM] 100M'
refuse "a list that is none" "is not a list of processors" ja limit b cpuset=1-
refuse "an unknown limit" "no field" ja limit b colour=1
refuse "another field" "is no limit" ja limit b nics.eth0.address=10.0.0.1
refuse "an unknown jail" "no jail c" ja limit c
refuse "no jail" "no jail is named" ja limit memory=1G
want "a dry run" prints 'cgroup-limit --memory 209715200' ja -n limit b memory=200M
want "changes nothing" says b memory '[0-9.]+[KM] 100M'

# top.
want "top in a pipe: one table of those that run" sh -c "[ \"\$('$program' --state '$state' top | wc -l)\" = 2 ]"
want "twice" sh -c "[ \"\$('$program' --state '$state' top -n 2 -d 0.2 | grep -c '^b ')\" = 2 ]"
want "as JSON" sh -c "'$program' --state '$state' --json top | jq -e '.[0].name == \"b\" and .[0].usage.processes == 1'"
want "on a terminal the whole screen, left by q, which stays as it was" sh -c \
    "(sleep 1; printf mq) | timeout 20 script -qec \"stty -a | md5sum; '$program' --state '$state' top; stty -a | md5sum\" '$dir/screen' >/dev/null
     grep -q '1049h' '$dir/screen' && grep -q '1049l' '$dir/screen' && grep -q 'by memory' '$dir/screen' &&
     [ \$(grep -o '^[0-9a-f]\{32\}' '$dir/screen' | sort -u | wc -l) = 1 ]"
kit_end
