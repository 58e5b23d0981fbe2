#!/bin/sh
# Sixteen processes do random verbs on the same twenty jails. Whatever is refused is refused for one of the reasons that the others'
# verbs can give it; in the end everything is in a clear state, nothing waits to be cleaned up, and nothing is left. The seed
# is printed; $JAILADMIN_TEST_SEED repeats one, which repeats the verbs but not their timing. concurrency.sh JAILADMIN
set -u
program=$1
. "$(dirname "$0")/kit.sh"
workers=${JAILADMIN_TEST_WORKERS:-16}
seconds=${JAILADMIN_TEST_SECONDS:-${JAILADMIN_TEST_LONG:+240}}
seconds=${seconds:-12}
kit_begin concurrency
kit_init --storage file:1G --network "$network.1/24"
# Without an init of its own a jail stops at once (busybox's takes three seconds), and nobody may have to wait long for another.
want "a template" ja template create base --from busybox --network none --run 'rm /sbin/init'
seed=${JAILADMIN_TEST_SEED:-$$}
echo "seed $seed"

# Awk's random numbers as verbs, one a line. Half of them are about the jails' lives, so that there are always some.
verbs() {
    awk -v seed="$1" -v network="$network" -v dir="$dir" 'BEGIN {
        srand(seed)
        n = split("create X --template base;create X --template base --start;create X Y --template base --start;create X Y Z --template base --start" \
            ";create X Y Z --template base --start;create X Y Z --template base --start" \
            ";start X;start X;start X Y Z;stop X;stop --force X;stop --force X;stop --force X Y;restart --force X;restart --force X;restart --force X Y" \
            ";delete --force -y X;delete -y X Y;clone X Y;clone X Y --start;clone X@sS Y;rename X Y;rename X Y", life, ";")
        m = split("exec X -- true;exec X -- cat /etc/passwd;exec -t X -- true;set X limits.memory=N0M labels.n=N" \
            ";set X nics.eth0.address=" network ".1N;set X nics.eth1.network=more;set X nics.eth1=;set X Y boot=yes;set X boot=last priority=N" \
            ";set X mounts./mnt.type=tmpfs;set X depends+=Y;set X depends=;set X forwards.web.port=80N;set X forwards.web.port=80N forwards.web.protocol=udp forwards.web.to=53" \
            ";set X forwards.web=;shape X eth0 in.rate=NMbit out.rate=NMbit;shape X eth0 out.rate=NMbit;shape X --clear;shape X;limit X processes=1N" \
            ";limit X cpu=N0%;limit X;limit --all;snapshot create X@sS;snapshot create X Y -m N;snapshot list;snapshot list X" \
            ";snapshot rollback -y --restart X@sS;snapshot delete -y X@sS;snapshot diff X@sS;set X keep.hourly=1;tick;be create X bS" \
            ";be activate X bS;be activate X bS --restart;be delete -y X bS;be list X;upgrade X --be uS -- true;upgrade X -- false" \
            ";list;list --long;list state=running;show X;show X Y;events X;events;logs X;cp /etc/hostname X:/etc/x;cp X:/etc/passwd -;cp X:/etc Y:/tmp" \
            ";gc;gc --dry-run;boot;repair;doctor;start -n X;stop -n X;delete -n --force X;create -n X --template base;set -n X limits.memory=NM" \
            ";network list;network show default;network set default isolate=yes;network set default isolate=;network set more dns=no" \
            ";network set more dns=;network set more rules.r.action=deny rules.r.peer=jail:X rules.r.protocol=tcp rules.r.port=N;network set more rules.r=;network create more --address 10.2.N.1/24" \
            ";network delete -y more;template create base --from busybox;template list;template delete -y base@N;backup " dir "/backup.S" \
            ";restart X;start --all;restart --force --all;stop --force X Y Z;set X nics.eth0.mtu=14N", rest, ";")
        for (;;) {
            v = rand() < 0.5 ? life[int(rand() * n) + 1] : rest[int(rand() * m) + 1]
            x = int(rand() * 20) + 1
            y = (x + int(rand() * 19)) % 20 + 1
            z = (y + int(rand() * 18)) % 20 + 1
            if (z == x) z = z % 20 + 1
            gsub(/X/, "j" x, v); gsub(/Y/, "j" y, v); gsub(/Z/, "j" z, v)
            gsub(/N/, int(rand() * 90) + 10, v); gsub(/S/, int(rand() * 3) + 1, v)
            print v
        }
    }'
}
# One worker: its verbs in $dir/did.N, those that were refused in $dir/refused.N, with the error as the program words it.
worker() {
    verbs "$(($1 + seed * 100))" | while read -r verb && [ ! -e "$dir/stop" ]; do
        # shellcheck disable=SC2086
        "$program" --state "$state" -q --json $verb >"$dir/out.$1" 2>"$dir/said.$1" </dev/null
        status=$?
        echo "$status $verb" >&3
        [ $status -eq 0 ] || sed "s|^|$verb: $status: |" "$dir/said.$1"
    done 3>"$dir/did.$1" >"$dir/refused.$1"
    : >"$dir/ended.$1"
}

# What is said of a running jail that somebody else stops or deletes at that moment.
reasons='is not running|init has ended|has ended too early|jail has ended|depends on|the command ended with status'
# unexpected: the refusals for which nobody else's verb is the reason.
unexpected() {
    grep -v -E -e 'jailadmin: warning: ' -e '"code":"(notfound|exists|conflict)"' -e '"code":"busy"' -e '"code":"invalid".*depend on each other' -e "\"code\":\"failed\".*($reasons)" "$dir/refused"
    # Busy is a jail that runs, or is still being made; never a lock or a store for which somebody waited too long.
    grep -E '"code":"busy".*(did not become free|locked for too long)' "$dir/refused"
}
clear() { # no jail or network is between two states
    ja list >"$dir/list" && ja network list >>"$dir/list" && not grep -e broken -e creating -e starting -e stopping "$dir/list"
}
answers() { # every jail that runs does so, under the addresses that are listed, and no two have the same
    ja --json list state=running | tr '{' '\n' | sed -n 's/.*"name":"\([^"]*\)".*"addresses":\[\([^]]*\)\].*/\1 \2/p' | tr -d '"' >"$dir/running"
    while read -r jail addresses; do
        ja exec "$jail" -- true || return 1
        for address in $(echo "$addresses" | tr ',' ' '); do
            ping -c 1 -W 5 -q "$address" || return 1
            echo "$address" >>"$dir/addresses"
        done
    done <"$dir/running"
    test "$(sort "$dir/addresses" | uniq -d | wc -l)" -eq 0
}

ja doctor | grep -v ' pool ' >"$dir/before"
for n in $(seq "$workers"); do
    worker "$n" &
done
sleep "$seconds"
: >"$dir/stop"
# A deadlock lasts for ever. A verb may take long: `restart --all` of twenty jails, each of which somebody else is stopping gently,
# beside fifteen other processes and whatever else this machine does.
ended() {
    test "$(ls "$dir"/ended.* | wc -l)" -eq "$workers" || { pgrep -af "^$program" && false; }
}
patience=90
want "all processes end" eventually ended
wait
cat "$dir"/did.* >"$dir/did"
cat "$dir"/refused.* >"$dir/refused"
echo "$(wc -l <"$dir/did") verbs, $(grep -vc '^0 ' "$dir/did") refused:" \
    "$(sed -n 's/.*"code":"\([a-z]*\)".*/\1/p' "$dir/refused" | sort | uniq -c | sort -rn | tr -s ' \n' ' ')"
[ -z "${JAILADMIN_TEST_KEEP:-}" ] || cp "$dir/did" "$dir/refused" "$JAILADMIN_TEST_KEEP"
want "enough was done" test "$(grep -c '^0 ' "$dir/did")" -gt 50
want "what was refused had a reason" test -z "$(unexpected | tee "$dir/out")"
want "no plan is open" test -z "$(ls "$state/journal")"
want "every jail is in a clear state" clear
want "nothing waits to be removed" test -z "$(ja gc --dry-run | grep -v '^#' | tee "$dir/out")"
want "doctor finds what it found before" sh -c "'$program' --state '$state' doctor | grep -v ' pool ' | diff '$dir/before' -"
# A new address counts from the next start on.
ja -q restart --force --all >/dev/null 2>&1
want "every running jail answers" answers
want "nothing is missing" prints "nothing is missing" ja repair
ja -q network set more rules.r= 2>/dev/null || true
want "all jails can go" ja delete --all --force --yes
want "and are gone" test "$(ja --json list)" = "[]"
want "also from the pool" test -z "$(ls "$state/pool/jails" "$state/pool/deleted" 2>/dev/null | grep -v :)"
kit_end
