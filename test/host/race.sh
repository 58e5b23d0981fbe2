#!/bin/sh
# Several processes do random verbs on the same few jails for some seconds. Each may be refused with a reason; in the end
# everything is in a clear state, and nothing is left. The seed is printed; $JAILADMIN_TEST_SEED repeats one, which
# repeats the verbs but not their timing. race.sh JAILADMIN
set -u
program=$1
. "$(dirname "$0")/kit.sh"
kit_begin race
kit_init --storage file:512M --network "$network.1/24"
want "a template" ja template create base --from busybox
seed=${JAILADMIN_TEST_SEED:-$$}
echo "seed $seed"
seconds=${JAILADMIN_TEST_LONG:+60}
end=$(($(date +%s) + ${seconds:-8}))

# Words for awk's random numbers: one verb a line, until the time is over.
verbs() {
    awk -v seed="$1" -v network="$network" 'BEGIN {
        srand(seed); split("a b c d", j); split("a b c d e", k)
        for (i = 0; i < 10000; i++) {
            x = j[int(rand() * 4) + 1]; y = k[int(rand() * 5) + 1]; n = int(rand() * 100)
            split("start " x ",start " x ",stop --force " x ",restart --force " x ",set " x " limits.memory=" (n + 16) "M labels.n=" n \
                ",set " x " nics.eth0.address=" network "." (n + 100) ",rename " x " " y ",clone " x " " y ",delete --force -y " y \
                ",cp /etc/hostname " x ":/etc/x,exec " x " true,create " x " --template base,create " x " --template base,create " x \
                " --template base --start,cp " x ":/etc/hosts -,show " x, v, ",")
            print v[int(rand() * 16) + 1]
        }
    }'
}
worker() {
    verbs "$(($1 + seed * 10))" | while read -r verb && [ "$(date +%s)" -lt "$end" ]; do
        # shellcheck disable=SC2086
        ja -q $verb >"$dir/said.$1" 2>&1 || echo "$verb: $(grep -v '^hint' "$dir/said.$1" | head -n 1)"
        echo "$verb" >>"$dir/done.$1"
    done >"$dir/failures.$1"
}
for n in 1 2 3 4; do
    worker $n &
done
wait
echo "$(cat "$dir"/done.* | wc -l) verbs, $(cat "$dir"/failures.* | wc -l) refused"
want "enough was done" test "$(cat "$dir"/done.* | wc -l)" -gt 50
# Whatever else somebody else's verb makes impossible: the jail is not there, there already, runs, runs no more, or its address
# is taken; or it went away in the middle.
cat "$dir"/failures.* | grep -v -e "no such jail" -e "exists already" -e "it is running" -e "that is its name already" \
    -e "is not running" -e "is taken by jail" -e "still being created" -e "init has ended" -e "No such file" -e "has ended too early" \
    -e "in use already" -e "jail has ended" -e "cannot enter" >"$dir/out"
want "what was refused had a reason" test ! -s "$dir/out"
cat "$dir"/failures.* | grep -v -e "no such jail" -e "exists already" -e "it is running" -e "its name already" -e "is not running" | head -5
want "no plan is open" test -z "$(ls "$state/journal")"
want "no jail is broken or half made" not sh -c "'$program' --state '$state' list | grep -e broken -e creating -e starting -e stopping"
want "gc has nothing to do" ja gc
ja create z --template base >/dev/null 2>&1
want "all can be started" ja start --all
want "and answer" sh -c "for j in \$('$program' --state '$state' --json list | grep -o '\"name\":\"[a-z]\"' | cut -d'\"' -f4); do '$program' --state '$state' exec \$j -- true </dev/null || exit 1; done"
kit_end
