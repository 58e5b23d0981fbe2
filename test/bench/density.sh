#!/usr/bin/env bash
# Many jails on one machine, each with a network stack of its own, spread over several networks (a bridge takes 1,024 ports), and as
# many containers of LXC, or as many as it reaches: created, started side by side, all reached, listed, shaped, snapshotted, run in,
# stopped, deleted, nothing left (LXC has no shaping, and snapshots of what does not run only). How long each phase takes, what one jail
# costs beside one, a quarter, half and all of the others, and how much memory.
#
#   density.sh [--quick] [--jails N] [--networks N] [--lxc N] [--lxc-seconds N] [--csv FILE] [--check] [JAILADMIN]
#   --quick        40 jails, 20 containers
#   --lxc          at most so many containers; 0: without LXC
#   --lxc-seconds  when so long has passed, or one does not start, LXC makes and starts no more
#   --csv          writes the figures to a file too
#   --check        for the tests: only that everything works, without LXC
#
# Needs root, btrfs-progs, and LXC unless --lxc 0. All that it makes goes at the end.
set -u

here=$(cd "$(dirname "$0")" && pwd)
. "$here/kit.sh"
bench_run_in_memory "$0" "$@"
jails=1000 networks=4 most=1000 seconds=600 csv='' probes='1 2 3 4 5' program=$here/../../build/src/jailadmin
while [ $# -gt 0 ]; do
    case $1 in
    --quick) jails=40 networks=2 most=20 seconds=60 ;;
    --check) most=0 probes=1 ;;
    --jails) jails=${2:?} && shift ;;
    --networks) networks=${2:?} && shift ;;
    --lxc) most=${2:?} && shift ;;
    --lxc-seconds) seconds=${2:?} && shift ;;
    --csv) csv=${2:?} && shift ;;
    -*)
        sed -n '2,16s/^# \{0,1\}//p' "$0" >&2
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
# The numbers of running jails at which it is measured what one costs.
points() { printf '%s\n' 1 $((($1 + 3) / 4)) $((($1 + 1) / 2)) "$1" | sort -nu; }
say() { printf '%(%H:%M:%S)T  %s\n' -1 "$*"; }

# ---- jailadmin ----

prepare() {
    local n
    quietly ja init --storage "file:$((jails * 3 + 512))M" --network none
    for ((n = 0; n < networks; n++)); do quietly ja network create "n$n" --address "10.230.$((n * 16)).1/20"; done
    quietly ja template create base --from busybox
}
# One jail, from nothing to nothing, while `at` others run. What their starts have left to be written is not its affair.
probe() { # probe AT
    local at=$1 k us
    for k in $probes; do
        sync
        timed us ja create probe --template base --nic eth0,network=n0 --start && echo "$us" >>"$dir/t.start"
        timed us ja exec probe -- true && echo "$us" >>"$dir/t.exec"
        timed us ja list && echo "$us" >>"$dir/t.list"
        sync
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
create_on_networks() { # create_on_networks FIRST LAST: a command for each network that they are on
    local first=$1 last network
    for ((; first <= $2; first = last + 1)); do
        network=$(((first - 1) * networks / jails))
        last=$((((network + 1) * jails + networks - 1) / networks))
        [ "$last" -le "$2" ] || last=$2
        # shellcheck disable=SC2046
        ja create $(names j "$first" "$last") --template base --nic "eth0,network=n$network" || return 1
    done
}
measure_jailadmin() {
    local from=1 to us create=0 start=0 before
    before=$(free_kb)
    for to in $(points "$jails"); do
        say "jailadmin: $to jails"
        timed us create_on_networks $from "$to"
        growth jailadmin create-many "$to" $((us / (to - from + 1)))
        create=$((create + us))
        # shellcheck disable=SC2046
        timed us ja start $(names j $from "$to")
        growth jailadmin start-many "$to" $((us / (to - from + 1)))
        start=$((start + us))
        probe "$to"
        from=$((to + 1))
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
        sync
        timed us lxc_copy_start "probe$k" && echo "$us" >>"$dir/t.start"
        timed us lxc attach "probe$k" -- /bin/true && echo "$us" >>"$dir/t.exec"
        sync
        timed us lxc destroy "probe$k" -f && echo "$us" >>"$dir/t.delete"
    done
    timed us lxc-ls -P "$dir/lxc" -f && echo "$us" >>"$dir/t.list"
    for k in start exec list delete; do
        growth LXC "$k" "$at" "$(median "$dir/t.$k")"
        rm "$dir/t.$k"
    done
}
lxc_copy_start() { lxc_copy "$1" unprivileged && lxc start "$1" -d; }
# Two at a time, as jailadmin does on two processors. Says which were begun: in a container, or as a network, something may have an end.
each_lxc() { # each_lxc VERB OPTION... <NAMES
    # shellcheck disable=SC2016
    PATH=$dir/bin xargs -P "$(nproc)" -I NAME sh -c '"$@" >>"$0" 2>&1 && echo "${*##* }"' "$out" "lxc-$1" -P "$dir/lxc" "${@:2}" -n NAME
}
copy_all() { # copy_all FIRST LAST
    local name
    for name in $(names c "$1" "$2"); do
        lxc_copy "$name" unprivileged >>"$out" 2>&1 || return 1
        echo "$name $address" >>"$dir/lxc-copied"
    done
}
# What it says of one that does not start is in a file, the reason first.
start_all() { names c "$1" "$2" | each_lxc start -d -l ERROR -o "$dir/lxc-errors" >>"$dir/lxc-started" || true; }
attach_all() {
    local name
    for name in $(head -n 100 "$dir/lxc-started"); do lxc attach "$name" -- /bin/true || return 1; done
}
stop_all() { each_lxc stop -k <"$dir/lxc-started" >/dev/null; }
destroy_all() { cut -d' ' -f1 "$dir/lxc-copied" | each_lxc destroy >/dev/null; }
# In portions, so that it can be seen early that it reaches no more.
measure_lxc() {
    local first=1 last to us made create=0 start=0 begin before count=0
    prepare_lxc "$((most * 3 + 512))M"
    : >"$dir/lxc-started"
    begin=$(now) before=$(free_kb)
    for to in $(points "$most"); do
        say "LXC: $to containers"
        local from=$first part_create=0 part_start=0
        for (( ; first <= to; first = last + 1)); do
            last=$((first + 24 < to ? first + 24 : to))
            timed us copy_all $first $last
            part_create=$((part_create + us))
            timed us start_all $first $last
            part_start=$((part_start + us))
            count=$(wc -l <"$dir/lxc-started")
            if [ "$count" -lt "$last" ] || [ $(($(now) - begin)) -gt $((seconds * 1000000)) ]; then break 2; fi
        done
        made=$((to - from + 1))
        growth LXC create-many "$to" $((part_create / made))
        growth LXC start-many "$to" $((part_start / made))
        create=$((create + part_create)) start=$((start + part_start)) part_create=0 part_start=0
        probe_lxc "$to"
    done
    create=$((create + part_create)) start=$((start + part_start))
    [ "$count" -eq "$most" ] || say "LXC ends at $count: $(grep -m 1 ERROR "$dir/lxc-errors" | sed 's/.*ERROR *//' | cut -c 1-150)"
    phase LXC "create" "$(wc -l <"$dir/lxc-copied")" $create
    phase LXC "start" "$count" $start
    echo "memory,LXC,$count,$((before - $(free_kb)))" >>"$results"
    # Not all of them always answer; that is LXC's affair.
    grep -wFf "$dir/lxc-started" "$dir/lxc-copied" | cut -d' ' -f2 >"$dir/lxc-addresses"
    timed us any_answer "$dir/lxc-addresses" && phase LXC "ping from the host" "$(grep -c ' 1 received' "$dir/pings")" "$us"
    timed us lxc-ls -P "$dir/lxc" -f && phase LXC "list" "$count" "$us"
    timed us attach_all && phase LXC "exec one by one" $((count < 100 ? count : 100)) "$us"
    timed us stop_all && phase LXC "stop" "$count" "$us"
    timed us destroy_all && phase LXC "delete" "$(wc -l <"$dir/lxc-copied")" "$us"
    [ -z "$(find "$dir/lxc" -mindepth 1 -maxdepth 1 ! -name base)" ] || say "LXC leaves $(find "$dir/lxc" -mindepth 1 -maxdepth 1 ! -name base | wc -l)"
}

load=$(cut -d' ' -f1 /proc/loadavg)
say "a template, and $networks networks"
prepare
measure_jailadmin
[ "$most" -eq 0 ] || measure_lxc
awk -F, '$1 == "memory" { printf "%-11s%-26s%6d%10.0f KiB each\n", $2, "memory", $3, $4 / $3 }' "$results"
printf '\nwhat one costs, in ms, when so many run\n'
awk -F, '$1 == "growth" { k = $2 " " $3; if (!(k in seen)) { seen[k]; order[++n] = k } if (!($4 in known)) { known[$4]; at[++m] = $4 } cost[k, $4] = $5 }
    END { for (i = 2; i <= m; i++) { v = at[i]; for (j = i - 1; j > 0 && at[j] + 0 > v + 0; j--) at[j + 1] = at[j]; at[j + 1] = v }
        printf "%-24s", ""; for (j = 1; j <= m; j++) printf "%9d", at[j]
        for (i = 1; i <= n; i++) { printf "\n%-24s", order[i]; for (j = 1; j <= m; j++) printf (order[i], at[j]) in cost ? sprintf("%9.1f", cost[order[i], at[j]] / 1000) : "         " }
        print "" }' "$results"
printf '\n%s processors; load %s before and %s after\n' "$(nproc)" "$load" "$(cut -d' ' -f1 /proc/loadavg)"
bench_finish
