#!/bin/bash
# Ctrl-C while many jails are made and started: each jail is there, or not; none is half there, and nothing is left over.
# interrupt.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
dir=$(mktemp -d /var/tmp/jailadmin-interrupt.XXXXXX)
state=$dir/state
bad=0
export LC_ALL=C TERM=xterm
ja() { timeout 120 "$program" --state "$state" "$@" </dev/null; }
finish() {
    [ ! -e "$state" ] || ja -q teardown --force --yes
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP PIPE
failed() {
    echo "FAILED: $1"
    sed 's/^/    /' "$dir/out"
    bad=1
}

ja init --storage file:512M --network 10.176.0.1/24 >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
ja -q template create base --from busybox
names=$(seq -s' ' -f 'm%g' 1 12)

# Nothing of a jail that does not run, and no plan, is left.
whole() {
    running=$(ja list | grep -c ' running ')
    [ "$(ja list | awk 'NR > 1 && $2 != "running" && $2 != "stopped"' | wc -l)" -eq 0 ] || failed "$1: a jail is half there"
    [ -z "$(ls "$state/journal")" ] || failed "$1: a journal is left"
    ja list >"$dir/out"
    [ "$(find "$state/pool/jails" -mindepth 1 -maxdepth 1 | wc -l)" -eq "$(ja list | awk 'NR > 1' | wc -l)" ] || failed "$1: a tree without a jail"
    [ "$(pgrep -f -- "--state $state " | wc -l)" -eq 0 ] || failed "$1: a process is left"
}

for delay in 0.02 0.05 0.1 0.15 0.2 0.3; do
    # The signal to one process of ours only, and as a terminal does it, to all.
    for how in alone group; do
        # shellcheck disable=SC2086
        setsid "$program" --state "$state" create $names --template base --start </dev/null >"$dir/out" 2>&1 &
        sleep $delay
        pid=$(pgrep -o -f -- "--state $state create")
        if [ -n "$pid" ]; then
            if [ $how = alone ]; then kill -INT "$pid"; else kill -INT -- "-$pid"; fi
        fi
        wait
        grep -q 'worker process ended' "$dir/out" && failed "$delay $how: a worker died"
        whole "$delay $how"
        ja -q delete --force --yes --all >"$dir/out" 2>&1
    done
done
# script(1) runs it with $SHELL, and dash would not wait for an interrupted program.
export SHELL=/bin/bash
terminal() { timeout 60 script -qec "stty cols 90 rows 40; $*" "$dir/typescript" 2>&1; }
# shellcheck disable=SC2086
(sleep 0.2; printf '\003'; sleep 2) | terminal "'$program' --state '$state' create "$names" --template base --start; echo status \$?" >"$dir/out"
grep -q 'status [0123]' "$dir/out" || failed "Ctrl-C on a terminal"
whole "a terminal"
# Ctrl-C at a question is no, and changes nothing.
before=$(ja list)
(sleep 0.5; printf '\003'; sleep 0.5) | terminal "'$program' --state '$state' delete --all; echo status \$?" >"$dir/out"
after=$(ja list)
[ "$after" = "$before" ] || { printf "%s\n" "$before" "$after"; failed "Ctrl-C at a question deleted something"; }
ja teardown --force --yes >"$dir/out" 2>&1 || failed teardown
[ ! -e "$state" ] || failed "something is left"
[ $bad -ne 0 ] || echo "ok: after Ctrl-C every jail is there or not"
exit $bad
