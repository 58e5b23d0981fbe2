#!/usr/bin/env bash
# All benchmarks, and doc/benchmarks.md with its plots from what they measured.
#
#   all.sh [--quick] [--out DIR] [--results DIR] [JAILADMIN]
#   --quick    a few jails: shows that it works
#   --out      where benchmarks.md and the plots go; doc of this source unless given
#   --results  where the figures are kept; what is there already (lxc.csv, density.csv) is not measured again
#
# Takes about a quarter of an hour, and says what it does meanwhile. Nothing else should run on the machine.
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
    [ ! -e "$results/$bench.csv" ] || continue
    echo "== $bench.sh"
    "$here/$bench.sh" $quick --csv "$results/$bench.new" "$program"
    mv "$results/$bench.new" "$results/$bench.csv"
done

csv=$results/density.csv
# series WHAT NAME: one line of a plot, in ms.
series() { awk -F, -v who="$1" -v what="$2" -v name="$3" '$1 == "growth" && $2 == who && $3 == what { printf "%s\t%s\t%.3f\n", name, $4, $5 / 1000 }' "$csv"; }
plot() { # plot FILE TITLE [LOGARITHMIC] <SERIES
    awk -v title="$2" -v xlabel="jails or containers that run" -v ylabel="milliseconds" -v logarithmic="${3:-}" -f "$here/plot.awk" >"$out/$1"
}
{ series jailadmin start jailadmin; series LXC start LXC; } | plot bench-start.svg "Create and start one, the more run"
{ series jailadmin delete jailadmin; series LXC delete LXC; } | plot bench-delete.svg "Stop and delete one, the more run"
{ series jailadmin exec jailadmin; series LXC exec LXC; } | plot bench-exec.svg "Run a command in one, the more run"
{ series jailadmin list jailadmin; series LXC list LXC; } | plot bench-list.svg "List all, the more run (each line is ten times the one below)" 1
{ series jailadmin create-many "jailadmin create"; series jailadmin start-many "jailadmin start"
    series LXC create-many "LXC create"; series LXC start-many "LXC start"; } | plot bench-many.svg "Many by one command: create one, start one"

# table WHO: the phases of density.sh.
table() {
    echo "| phase | how many | seconds | ms each | a second |"
    echo "|---|---|---|---|---|"
    awk -F, -v who="$1" '$1 == "phase" && $2 == who {
        printf "| %s | %d | %.3f | %.2f | %.0f |\n", $3, $4, $5 / 1e6, $5 / 1e3 / $4, $4 * 1e6 / $5 }' "$csv"
}
memory() { awk -F, -v who="$1" '$1 == "memory" && $2 == who { printf "%.2f MiB (%d of them)", $4 / $3 / 1024, $3 }' "$csv"; }
# The costs of one beside others, a column for each number of them.
costs() {
    awk -F, '$1 == "growth" { k = $3 "," $2; if (!(k in seen)) { seen[k]; order[++n] = k } if (!($4 in known)) { known[$4]; at[++m] = $4 }
            cost[k, $4] = $5; if (!(k in first)) first[k] = $5; last[k] = $5 }
        END { for (i = 2; i <= m; i++) { v = at[i]; for (j = i - 1; j > 0 && at[j] + 0 > v + 0; j--) at[j + 1] = at[j]; at[j + 1] = v }
            printf "| ms of one, beside | "; for (j = 1; j <= m; j++) printf "| %d ", at[j]; print "| growth |"
            printf "|---|---"; for (j = 1; j <= m; j++) printf "|---"; print "|---|"
            split("start exec list delete create-many start-many", whats, " ")
            for (w = 1; w in whats; w++) for (i = 1; i <= n; i++) { split(order[i], part, ","); if (part[1] != whats[w]) continue
                printf "| %s | %s ", part[1], part[2]
                for (j = 1; j <= m; j++) printf (order[i], at[j]) in cost ? sprintf("| %.1f ", cost[order[i], at[j]] / 1000) : "| "
                printf "| %.2f |\n", last[order[i]] / first[order[i]] } }' "$csv"
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

Several networks spread them, since a bridge takes 1,024 ports. Jails are created by one command for each network, and started by another, up to a
quarter of them, up to half, and all; LXC has a command for each container, of which as many run at once as there are processors. All other phases are one
command for all jails, but for exec, which is one command each. LXC makes and starts containers until it has as many, until one does not start, or
for ten minutes; it shapes nothing, and snapshots only what is stopped. A stop is a forced one. In the end it is proved that nothing is left.

jailadmin:

$(table jailadmin)

LXC:

$(table LXC)

Memory of the machine for one jail, its init, network stack and tree included: $(memory jailadmin); for one container of LXC, which keeps a monitor for
each: $(memory LXC).

## What one costs, the more run

Five times at each number of running jails one more is created and started, a command is run in it, all are listed, and it is stopped and
deleted; medians. "create-many" and "start-many" are what one costs of those that one command makes up to that number. "Growth" is the last divided by
the first.

$(costs)

![create and start](bench-start.svg)

![stop and delete](bench-delete.svg)

![exec](bench-exec.svg)

![list](bench-list.svg)

![many at once](bench-many.svg)

What grows is the kernel's work, found with perf(1): a commit of btrfs, for which a start and a deletion wait once each, searches its maps of free
space longer the more trees have been made and deleted; a bridge asks all of its ports when another one joins; and sysfs, which a container mounts,
looks through the mounts of it that there are. The removal of a pair is the kernel's, when the init has ended; a deletion waits for it only while the
kernel is still busy with an earlier network stack, as right after the start of another jail here. LXC waits for the first when it clones, and syncs
nothing when it deletes.

What snapshots of others in the pool cost is in [benchmarks-snapshots.md](benchmarks-snapshots.md).
END
} >"$out/benchmarks.md"
echo "wrote $out/benchmarks.md"
