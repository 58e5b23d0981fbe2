#!/usr/bin/env bash
# Many jails on one machine, each with a network stack of its own, spread over several networks (a bridge takes 1,024 ports), and as
# many containers of LXC as it reaches in its time: created, started side by side, all reached, listed, shaped, snapshotted, run in,
# stopped, deleted, nothing left. How long each phase takes, what one jail costs the more there are, and how much memory.
#
#   density.sh [--quick] [--jails N] [--networks N] [--lxc N] [--lxc-seconds N] [--csv FILE] [--check] [JAILADMIN]
#   --quick        40 jails, 20 containers
#   --lxc          at most so many containers; 0: without LXC
#   --lxc-seconds  when so long has passed, LXC makes and starts no more
#   --csv          writes the figures to a file too
#   --check        for the tests: only that everything works, without LXC
#
# Needs root, btrfs-progs, and LXC unless --lxc 0. All that it makes goes at the end.
set -u

here=$(cd "$(dirname "$0")" && pwd)
. "$here/kit.sh"
bench_run_in_memory "$0" "$@"
jails=1000 networks=4 most=1000 seconds=300 csv='' tenths=10 probes='1 2 3' program=$here/../../build/src/jailadmin
while [ $# -gt 0 ]; do
    case $1 in
    --quick) jails=40 networks=2 most=20 seconds=60 ;;
    --check) most=0 tenths=2 probes=1 ;;
    --jails) jails=${2:?} && shift ;;
    --networks) networks=${2:?} && shift ;;
    --lxc) most=${2:?} && shift ;;
    --lxc-seconds) seconds=${2:?} && shift ;;
    --csv) csv=${2:?} && shift ;;
    -*)
        sed -n '2,15s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    *) program=$1 ;;
    esac
    shift
done
bench_needs mkfs.btrfs ip ping xargs
[ "$most" -eq 0 ] || bench_needs lxc-create lxc-copy lxc-start lxc-attach lxc-destroy lxc-ls
program=$(realpath "$program") || exit 1
bench_begin
results=${csv:-$dir/results}
: >"$results" || exit 1

# ---- measuring ----

now() { echo "${EPOCHREALTIME/./}"; }
free_kb() { awk '/^MemAvailable/ { print $2 }' /proc/meminfo; }
# timed VARIABLE COMMAND...: the microseconds that it took.
timed() {
    local -n took=$1
    local begin
    shift
    begin=$(now)
    quietly "$@"
    # shellcheck disable=SC2034
    took=$(($(now) - begin))
}
# phase WHO WHAT COUNT MICROSECONDS
phase() {
    echo "phase,$1,$2,$3,$4" >>"$results"
    awk -v who="$1" -v what="$2" -v n="$3" -v us="$4" 'BEGIN {
        printf "%-11s%-26s%6d%10.2f s%10.2f ms each%10.1f a second\n", who, what, n, us / 1e6, us / 1e3 / n, n * 1e6 / us }'
}
# growth WHO WHAT AT MICROSECONDS: what one costs when there are so many.
growth() { echo "growth,$1,$2,$3,$4" >>"$results"; }
names() { seq -f "$1%.0f" "$2" "$3"; } # names PREFIX FIRST LAST

# ---- jailadmin ----

prepare() {
    local n
    quietly ja init --storage "file:$((jails * 3 + 512))M" --network none
    for ((n = 0; n < networks; n++)); do quietly ja network create "n$n" --address "10.230.$((n * 16)).1/20"; done
    quietly ja template create base --from busybox
}
# One jail, from nothing to nothing, while `at` others run.
probe() { # probe AT
    local at=$1 k us
    for k in $probes; do
        timed us ja create probe --template base --nic eth0,network=n0 --start && echo "$us" >>"$dir/t.start"
        timed us ja exec probe -- true && echo "$us" >>"$dir/t.exec"
        timed us ja list && echo "$us" >>"$dir/t.list"
        timed us ja delete --force --yes probe && echo "$us" >>"$dir/t.delete"
    done
    for k in start exec list delete; do
        growth jailadmin "$k" "$at" "$(median "$dir/t.$k")"
        rm "$dir/t.$k"
    done
}
all_answer() { # all_answer ADDRESSES
    xargs -P 8 -n 1 ping -c 1 -W 5 -q <"$1" >"$dir/pings"
    test "$(grep -c ' 1 received' "$dir/pings")" -eq "$(wc -l <"$1")"
}
any_answer() { all_answer "$1" || test "$(grep -c ' 1 received' "$dir/pings")" -gt 0; }
exec_in_each() {
    local name
    while read -r name; do ja exec "$name" -- true || return 1; done <"$dir/names"
}
# Jails of the same network reach each other: every fiftieth pings the one behind it.
jails_answer() {
    ja --json list | tr '{' '\n' | sed -n 's/.*"name":"\([^"]*\)".*"addresses":\["\([^"]*\)"\].*"networks":\["\([^"]*\)"\].*/\3 \1 \2/p' |
        sort | awk 'n == $1 && !(i++ % 50) { print jail, $3 } { n = $1; jail = $2 }' >"$dir/pairs"
    local jail address
    while read -r jail address; do ja exec "$jail" -- ping -c 1 -W 5 -q "$address" || return 1; done <"$dir/pairs"
    test -s "$dir/pairs"
}
measure_jailadmin() {
    local step=$(((jails + tenths - 1) / tenths)) from to us create=0 start=0 before
    before=$(free_kb)
    probe 0
    for ((from = 1; from <= jails; from += step)); do
        to=$((from + step - 1 < jails ? from + step - 1 : jails))
        # shellcheck disable=SC2046
        timed us ja create $(names j $from $to) --template base --nic "eth0,network=n$((from * networks / (jails + 1)))"
        growth jailadmin create-many "$to" $((us / (to - from + 1)))
        create=$((create + us))
        # shellcheck disable=SC2046
        timed us ja start $(names j $from $to)
        growth jailadmin start-many "$to" $((us / (to - from + 1)))
        start=$((start + us))
        probe "$to"
    done
    phase jailadmin "create" "$jails" $create
    phase jailadmin "start" "$jails" $start
    echo "memory,jailadmin,$jails,$((before - $(free_kb)))" >>"$results"
    test "$(ja list state=running | grep -c ' running ')" -eq "$jails" || die "not all $jails jails run"

    names j 1 "$jails" >"$dir/names"
    ja --json list | grep -o '"addresses":\["[^"]*' | cut -d'"' -f4 >"$dir/addresses"
    timed us all_answer "$dir/addresses" && phase jailadmin "ping from the host" "$jails" "$us"
    timed us jails_answer && phase jailadmin "ping from jail to jail" "$(wc -l <"$dir/pairs")" "$us"
    many_times list ja list
    many_times "list --json" ja --json list
    # shellcheck disable=SC2046
    timed us ja set $(cat "$dir/names") nics.eth0.shape.in.rate=100Mbit && phase jailadmin "shape" "$jails" "$us"
    timed us ja snapshot create --all && phase jailadmin "snapshot" "$jails" "$us"
    timed us exec_in_each && phase jailadmin "exec one by one" "$jails" "$us"
    timed us ja stop --force --all && phase jailadmin "stop" "$jails" "$us"
    timed us ja delete --yes --all && phase jailadmin "delete" "$jails" "$us"
    nothing_left
}
# The median of five.
many_times() { # many_times WHAT COMMAND...
    local what=$1 us k
    shift
    for k in 1 2 3 4 5; do timed us "$@" && echo "$us" >>"$dir/t.many"; done
    phase jailadmin "$what" "$jails" "$(median "$dir/t.many")"
    rm "$dir/t.many"
}
nothing_left() {
    local tag
    tag=$(basename "$(grep -l "\"$dir/state\"" /var/db/jailadmin.instances/*.json)" .json)
    test "$(ja --json list)" = "[]" || die "jails are left"
    ja gc --dry-run | grep -v '^#' | grep . && die "something waits to be removed"
    ip -o link show | grep " ja${tag}[0-9]" && die "interfaces are left"
    quietly ja teardown --force --yes
    { ip -o link show | grep " ja$tag" || nft list tables | grep "ja$tag" || grep -e "$dir/state" -e "/run/jailadmin-$tag" /proc/self/mountinfo ||
        ls -d /sys/fs/cgroup/*/jailadmin-"$tag" "/run/jailadmin-$tag" 2>/dev/null; } && die "something is left"
    echo "nothing is left"
}

# ---- LXC ----

probe_lxc() { # probe_lxc AT
    local at=$1 k us
    for k in $probes; do
        timed us lxc_copy_start "probe$k" && echo "$us" >>"$dir/t.start"
        timed us lxc attach "probe$k" -- /bin/true && echo "$us" >>"$dir/t.exec"
        timed us lxc destroy "probe$k" -f && echo "$us" >>"$dir/t.delete"
    done
    timed us lxc-ls -P "$dir/lxc" -f && echo "$us" >>"$dir/t.list"
    for k in start exec list delete; do
        growth LXC "$k" "$at" "$(median "$dir/t.$k")"
        rm "$dir/t.$k"
    done
}
lxc_copy_start() { lxc_copy "$1" unprivileged && lxc start "$1" -d; }
copy_all() {
    local name
    for name in "$@"; do
        lxc_copy "$name" unprivileged || return 1
        echo "$address" >>"$dir/lxc-addresses"
    done
}
each_lxc() { # each_lxc VERB OPTION... <NAMES: two at a time, as jailadmin does on two processors
    PATH=$dir/bin xargs -P "$(nproc)" -I NAME "lxc-$1" -P "$dir/lxc" "${@:2}" -n NAME
}
start_all() { names c "$1" "$2" | each_lxc start -d; }
attach_all() {
    local name
    for name in $(names c 1 "$1"); do lxc attach "$name" -- /bin/true || return 1; done
}
measure_lxc() {
    local step=$(((most + tenths - 1) / tenths)) from to us create=0 start=0 begin before count=0 attached
    prepare_lxc "$((most * 3 + 512))M"
    begin=$(now) before=$(free_kb)
    probe_lxc 0
    for ((from = 1; from <= most && $(now) - begin < seconds * 1000000; from += step)); do
        to=$((from + step - 1 < most ? from + step - 1 : most))
        # shellcheck disable=SC2046
        timed us copy_all $(names c $from $to)
        growth LXC create-many "$to" $((us / (to - from + 1)))
        create=$((create + us))
        timed us start_all $from $to
        growth LXC start-many "$to" $((us / (to - from + 1)))
        start=$((start + us)) count=$to
        probe_lxc "$to"
    done
    phase LXC "create" $count $create
    phase LXC "start" $count $start
    echo "memory,LXC,$count,$((before - $(free_kb)))" >>"$results"
    # Not all of them always answer; that is LXC's affair.
    timed us any_answer "$dir/lxc-addresses" && phase LXC "ping from the host" "$(grep -c ' 1 received' "$dir/pings")" "$us"
    timed us lxc-ls -P "$dir/lxc" -f && phase LXC "list" $count "$us"
    attached=$((count < 100 ? count : 100))
    timed us attach_all $attached && phase LXC "exec one by one" $attached "$us"
    timed us stop_all $count && phase LXC "stop" $count "$us"
    timed us destroy_all $count && phase LXC "delete" $count "$us"
}
stop_all() { names c 1 "$1" | each_lxc stop -k; }
destroy_all() { names c 1 "$1" | each_lxc destroy; }

load=$(cut -d' ' -f1 /proc/loadavg)
prepare
measure_jailadmin
[ "$most" -eq 0 ] || measure_lxc
awk -F, '$1 == "memory" { printf "%-11s%-26s%6d%10.0f KiB each\n", $2, "memory", $3, $4 / $3 }' "$results"
printf '\nwhat one costs, in ms, when so many run\n%-24s' ""
cut -d, -f4 <(grep ^growth,jailadmin,start, "$results") | while read -r at; do printf '%7d' "$at"; done
echo
awk -F, '$1 == "growth" { k = $2 " " $3; if (!(k in line)) { order[++n] = k } line[k] = line[k] sprintf("%7.1f", $5 / 1000) ; c[k]++ }
    END { for (i = 1; i <= n; i++) printf "%-24s%s\n", order[i], (order[i] ~ /many/ ? "       " : "") line[order[i]] }' "$results"
printf '\n%s processors; load %s before and %s after\n' "$(nproc)" "$load" "$(cut -d' ' -f1 /proc/loadavg)"
bench_finish
