#!/usr/bin/env bash
# All benchmarks, and doc/benchmarks.md with its plots from what they measured.
#
#   all.sh [--quick] [--out DIR] [--results DIR] [JAILADMIN]
#   --quick    a few jails: shows that it works
#   --out      where benchmarks.md and the plots go; doc of this source unless given
#   --results  where the figures are kept; what is there already (lxc.csv, density.csv) is not measured again
#
# Takes about a quarter of an hour. Nothing else should run on the machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../../doc results='' quick='' program=$here/../../build/src/jailadmin
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=--quick ;;
    --out) out=${2:?} && shift ;;
    --results) results=${2:?} && shift ;;
    -*)
        sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    *) program=$1 ;;
    esac
    shift
done
[ -n "$results" ] || { results=$(mktemp -d) && trap 'rm -rf "$results"' EXIT; }
# A run that fails leaves no figures.
for bench in lxc density; do
    [ -e "$results/$bench.csv" ] || { "$here/$bench.sh" $quick --csv "$results/$bench.new" "$program" && mv "$results/$bench.new" "$results/$bench.csv"; }
done

csv=$results/density.csv
# series WHAT NAME: one line of a plot, in ms.
series() { awk -F, -v who="$1" -v what="$2" -v name="$3" '$1 == "growth" && $2 == who && $3 == what { printf "%s\t%s\t%.3f\n", name, $4, $5 / 1000 }' "$csv"; }
plot() { awk -v title="$2" -v xlabel="jails that run" -v ylabel="milliseconds for one" -f "$here/plot.awk" >"$out/$1"; }
{ series jailadmin start jailadmin; series LXC start LXC; } | plot bench-start.svg "Create and start one, the more run"
{ series jailadmin delete jailadmin; series LXC delete LXC; } | plot bench-delete.svg "Stop and delete one, the more run"
{ series jailadmin exec jailadmin; series LXC exec LXC; } | plot bench-exec.svg "Run a command in one, the more run"
{ series jailadmin list jailadmin; series LXC list LXC; } | plot bench-list.svg "List all, the more run"
{ series jailadmin create-many "jailadmin create"; series jailadmin start-many "jailadmin start"
    series LXC create-many "LXC create"; series LXC start-many "LXC start"; } | plot bench-many.svg "A tenth of all at once: create, start"

# table WHO: the phases of density.sh.
table() {
    echo "| phase | how many | seconds | ms each | a second |"
    echo "|---|---|---|---|---|"
    awk -F, -v who="$1" '$1 == "phase" && $2 == who {
        printf "| %s | %d | %.3f | %.2f | %.0f |\n", $3, $4, $5 / 1e6, $5 / 1e3 / $4, $4 * 1e6 / $5 }' "$csv"
}
memory() { awk -F, -v who="$1" '$1 == "memory" && $2 == who { printf "%.2f MiB (%d of them)", $4 / $3 / 1024, $3 }' "$csv"; }
# flat WHAT: the first and the last of a series, and their ratio.
flat() {
    awk -F, -v what="$1" '$1 == "growth" && $3 == what { if (!($2 in first)) { first[$2] = $5; who[++n] = $2 } last[$2] = $5; at[$2] = $4 }
        END { for (i = 1; i <= n; i++) { w = who[i]; printf "| %s | %s | %.1f | %.1f | %d | %.2f |\n", what, w, first[w] / 1e3, last[w] / 1e3, at[w], last[w] / first[w] } }' "$csv"
}
{
    cat <<END
# Benchmarks

Written by \`test/bench/all.sh\`, which repeats all of it (as root, on a machine that does nothing else, in about a quarter of an hour;
\`--quick\` shows in a minute or two that it works). It needs the packages lxc and btrfs-progs.

Measured on $(date -u +%Y-%m-%d) with $(git -C "$here" log -1 --format='commit %h' 2>/dev/null || echo 'an unknown version'): Linux $(uname -r), $(nproc) processors ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)),
$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo) of memory, LXC $(lxc-ls --version), $("$program" version | head -n 1).

## Method

jailadmin and LXC run by turns, or one after the other in the same run, on the same kind of storage (btrfs in a file), with the same small
system (busybox and an init that does nothing), each jail with a network stack of its own on a bridge. LXC's containers have what a jail has: a
user namespace, an idmapped tree, a seccomp filter. Its privileged ones, without any of these, are the fastest that it has. Times are
those of the whole command as a user types it; the disk is synced before each of the first table. Times depend on the machine, ratios less so.

## One jail

Medians, in milliseconds, while few others run.

| operation | jailadmin | LXC | ratio | wanted | LXC privileged | ratio |
|---|---|---|---|---|---|---|
END
    awk -F, '$1 !~ /crun/ { printf "| %s | %.2f | %.2f | %.2f | %s | %s | %s |\n", $1, $2 / 1e3, $3 / 1e3, $2 / $3, $4, $5 ? sprintf("%.2f", $5 / 1e3) : "", $5 ? sprintf("%.2f", $2 / $5) : "" }' "$results/lxc.csv"
    awk -F, '$1 ~ /crun/ { printf "\nThe least that any tool must do is a snapshot by btrfs(8) and `crun run` of it, without ids, filter or network: %.2f ms. Create and start\ntake %.2f times that (wanted: %s).\n", $3 / 1e3, $2 / $3, $4 }' "$results/lxc.csv"
    cat <<END

## Many jails

Several networks spread them, since a bridge takes 1,024 ports. Jails are created and started by one command for each tenth of them, with as many
workers as there are processors (LXC: as many lxc-start at once); all other phases are one command for all, but for exec, which is one
command each. LXC makes and starts containers until it has as many or 300 seconds have passed. A stop is a forced one. In the end it is proved
that nothing is left.

jailadmin:

$(table jailadmin)

LXC:

$(table LXC)

Memory of the machine for one jail, its init, network stack and tree included: $(memory jailadmin); for one container of LXC, which keeps a monitor for
each: $(memory LXC).

## What one costs, the more run

Three times at each number of running jails one more is created and started, a command is run in it, all are listed, and it is stopped and
deleted; medians. "Growth" is the last divided by the first.

| operation | | ms, first | ms, last | at | growth |
|---|---|---|---|---|---|
$(for what in start exec list delete create-many start-many; do flat "$what"; done)

![create and start](bench-start.svg)

![stop and delete](bench-delete.svg)

![exec](bench-exec.svg)

![list](bench-list.svg)

![many at once](bench-many.svg)
END
} >"$out/benchmarks.md"
echo "wrote $out/benchmarks.md"
