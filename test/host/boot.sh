#!/bin/sh
# Starting and stopping many jails: order, dependencies, filters, what boot and shutdown do, and two commands on one jail at
# the same time. boot.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
. "$(dirname "$0")/kit.sh"
kit_begin boot
kit_init --storage file:512M --network $network.1/24
want "a template" ja template create base --from busybox
want "jails" ja create db app web other --template base --set stop-timeout=0
want "that depend on each other" ja set app depends=db
want "in a chain" ja set web depends=app
log=$dir/order
for jail in db app web other; do
    want "a hook on the host tells when $jail starts" ja set $jail "hooks.before-start=/bin/sh -c 'echo start \$JAILADMIN_JAIL >>$log'" \
        "hooks.after-stop=/bin/sh -c 'echo stop \$JAILADMIN_JAIL >>$log'"
done
order() { grep -v other "$log" | tr '\n' ' '; }

want "all start" ja start --all
want "in the order of their dependencies" test "$(order)" = "start db start app start web "
: >"$log"
want "all stop" ja stop --all
want "in the opposite order" test "$(order)" = "stop web stop app stop db "
: >"$log"
want "one starts with what it depends on" ja start web
want "before it" test "$(order)" = "start db start app start web "
want "the other does not" prints "^other *stopped" ja list other
want "a pattern stops several" ja stop 'a*' 'd*' web
want "a filter starts what has a label" sh -c "'$program' --state '$state' set other labels.team=x && '$program' --state '$state' start label.team=x"
want "and nothing else" test "$(ja list state=running | wc -l)" -eq 2
refuse "a pattern that no jail matches" "no jail matches" ja start 'nosuch*'
refuse "a jail that is not there" "no such jail" ja start nosuch
want "restart by filter" ja restart state=running
want "a hook that fails keeps a jail from starting" ja set db "hooks.before-start=/bin/false"
refuse "and those that depend on it" "depends on db, which did not start" ja start app
want "nothing of them is left" test "$(ja list state=running | wc -l)" -eq 2
want "exit status 3 says that some failed" sh -c "'$program' --state '$state' start db other >/dev/null 2>&1; [ \$? -eq 3 ]"
want "a good hook again" ja set db hooks.before-start=

# ---- two commands on one jail ----
want "stop all" ja stop --all
for i in 1 2 3; do
    for verb in "start other" "start other" "stop --force other" "start other" "restart --force other" "stop --force other"; do
        # shellcheck disable=SC2086
        ja $verb >>"$dir/race" 2>&1 || echo "failed: $verb" >>"$dir/race" &
    done
    wait
done
want "starts and stops of one jail at the same time all succeed" not grep -i -e failed -e "jailadmin:" "$dir/race"
want "it is in a clear state" sh -c "'$program' --state '$state' list other | grep -q -e ' running ' -e ' stopped '"
want "and can be started" ja start other
want "and works" ja exec other -- true

# ---- boot and shutdown ----
want "jails that start with the host" ja set db boot=yes
want "or when they ran before it" ja set web other boot=last
want "one of these was stopped by hand" ja stop other
want "web and what it needs run" ja start web
want "app does not start by itself" ja set app boot=no
want "shutdown stops all" ja shutdown
want "none runs" test "$(ja list state=running | wc -l)" -eq 1
# What a reboot takes away.
t=$(tag)
pkill -F "$(find "/run/jailadmin-$t/dns" -name '*.pid' | head -1)" 2>/dev/null
ip link delete "ja${t}br0"
nft delete table inet "ja$t"
nft delete table bridge "ja$t"
umount "$state/pool"
rm -rf "/run/jailadmin-$t"
: >"$log"
want "boot brings the network and the pool back" ja boot
want "with what is wanted: db, web, and app, which web needs" test "$(ja list state=running | wc -l)" -eq 4
want "in order" test "$(order)" = "start app start web "
want "not what was stopped by hand" prints "^other *stopped" ja list other
want "they reach each other" eventually ja exec web -- ping -c1 -W2 db
want "boot again changes nothing" prints "already running: web" ja boot
kit_end
