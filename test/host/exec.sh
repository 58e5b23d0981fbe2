#!/bin/sh
# exec, console and logs on this machine's kernel: statuses, users, streams, terminals, signals, hostile jails.
# exec.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
dir=$(mktemp -d /var/tmp/jailadmin-exec.XXXXXX)
state=$dir/state
log=$state/pool/jails/a/console.log
tree=$state/pool/jails/a/root/default
bad=0
finish() {
    [ ! -e "$state" ] || "$program" -q --state "$state" teardown --force --yes </dev/null
    cd / && rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP PIPE
export TERM=xterm

ja() { timeout 60 "$program" --state "$state" "$@"; }
fine() { echo "ok: $1"; }
failed() {
    echo "FAILED: $1"
    sed 's/^/    /' "$dir/out" "$dir/errors"
    bad=1
}
# status N WHAT ARGUMENT...: jailadmin exits with N.
status() {
    wanted=$1 what=$2
    shift 2
    ja "$@" >"$dir/out" 2>"$dir/errors" </dev/null
    got=$?
    if [ $got -eq "$wanted" ]; then fine "$what"; else failed "$what: status $got, not $wanted"; fi
}
# prints TEXT WHAT ARGUMENT...: the output is that, and nothing else.
prints() {
    wanted=$1 what=$2
    shift 2
    ja "$@" >"$dir/out" 2>"$dir/errors" </dev/null
    if [ "$(cat "$dir/out")" = "$wanted" ]; then fine "$what"; else failed "$what"; fi
}
# shows TEXT WHAT ARGUMENT...: output or errors hold that.
shows() {
    wanted=$1 what=$2
    shift 2
    ja "$@" >"$dir/out" 2>"$dir/errors" </dev/null
    if cat "$dir/out" "$dir/errors" | grep -q -- "$wanted"; then fine "$what"; else failed "$what"; fi
}
that() { # that WHAT COMMAND...
    what=$1
    shift
    : >"$dir/errors"
    if "$@" >"$dir/out" 2>&1; then fine "$what"; else failed "$what"; fi
}
# terminal WORDS...: runs a shell line on a terminal of 90 columns and 33 lines, typing what comes on standard input.
export SHELL=/bin/bash # what script(1) uses: dash treats signals otherwise
terminal() { timeout 60 script -qec "stty cols 90 rows 33; $*" "$dir/typescript" 2>&1; }
ours="'$program' --state '$state'"

ja init --storage file:512M --network 10.177.0.1/24 >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
ja template create base --from busybox >"$dir/out" 2>&1
ja create a --template base --start --env COLOUR=red --env PATH=/bin:/usr/bin:/sbin >"$dir/out" 2>&1 || cat "$dir/out"

# Statuses.
status 0 "a command that succeeds" exec a -- true
status 7 "its status is ours" exec a -- sh -c 'exit 7'
status 137 "ended by a signal" exec a -- sh -c 'kill -9 $$'
status 127 "no such command" exec a -- nosuch
shows 'there is no command nosuch' "and that is said" exec a -- nosuch
status 127 "no such path" exec a -- /bin/nosuch
status 126 "not executable" exec a -- /etc/passwd
status 126 "a directory" exec a -- /etc
status 125 "no such jail" exec b -- true
status 125 "no such option" exec --nosuch a -- true
status 125 "no such directory" exec -w /nosuch a -- true
status 125 "no such user" exec -u nosuch a -- true
status 125 "a bad variable" exec -e '1=x' a -- true
status 125 "a variable without value" exec -e X a -- true
status 125 "a relative directory" exec -w tmp a -- true

# Users, environment, directory.
printf 'web:x:1000:1000:Web:/srv:/bin/ash\nbroken:x:abc:1::/:\nbig:x:4294967295:1::/:\n' >>"$tree/etc/passwd"
printf 'web:x:1000:\nwheel:x:10:root,web\nother:x:11:webber\n' >>"$tree/etc/group"
prints 'uid=1000(web) gid=1000(web) groups=10(wheel)' "a user by name, with groups" exec -u web a -- id
prints '/srv' "has a home" exec -u web a -- sh -c 'echo $HOME'
prints 'uid=1000(web) gid=1000(web) groups=10(wheel)' "by number" exec -u 1000 a -- id
prints 'uid=33 gid=33' "a number without a name" exec -u 33 a -- sh -c 'id | cut -d" " -f1-2'
prints 'uid=33 gid=44' "user and group" exec -u 33:44 a -- sh -c 'id | cut -d" " -f1-2'
status 125 "a user whose number is none" exec -u broken a -- id
status 125 "a user beyond the jail's range" exec -u 70000 a -- id
status 125 "the number that means nobody to the kernel" exec -u big a -- id
prints 'CapEff:	0000000000000000' "a user has no rights of root" exec -u web a -- grep CapEff /proc/self/status
prints 'red' "the jail's environment" exec a -- sh -c 'echo $COLOUR'
prints 'blue green' "its own environment" exec -e COLOUR=blue -e 'X=green' a -- sh -c 'echo $COLOUR $X'
prints '/tmp' "a directory" exec -w /tmp a -- pwd

# Confinement.
prints 'Seccomp:	2' "the seccomp filter" exec a -- grep Seccomp: /proc/self/status
for line in CapBnd NoNewPrivs; do
    prints "$(ja exec a -- grep $line /proc/1/status)" "$line is the init's" exec a -- grep $line /proc/self/status
done
that "it is in the jail's cgroups" sh -c "$ours exec a -- sleep 30 & pid=\$!; sleep 0.7; ours=\$(pgrep -P \$pid sleep); \
    cut -d: -f3 /proc/\$ours/cgroup | grep -q jailadmin- && ! cut -d: -f3 /proc/\$ours/cgroup | grep -vq -e jailadmin- -e '^/$'; rc=\$?; kill \$pid; exit \$rc"
filter=$(ls /run/jailadmin-*/crun/*/seccomp.bpf | while read -r f; do
    grep -q "$state/" "$(dirname "$f")/config.json" "$(dirname "$f")/status" 2>/dev/null && echo "$f"; done | head -1)
if [ -n "$filter" ]; then
    mv "$filter" "$filter.away"
    status 125 "nothing runs unfiltered when the filter is gone" exec a -- true
    mv "$filter.away" "$filter"
fi
exec 9<"$dir"
prints '0 1 2 3' "no descriptor of ours is left in it" exec a -- sh -c 'echo $(ls /proc/self/fd)'
exec 9<&-
status 125 "no way out by a descriptor" exec -w /proc/self/fd/9 a -- true
ln -sf /etc/passwd "$tree/etc/passwd.host"
mv "$tree/etc/passwd" "$tree/etc/passwd.own"
ln -s "$dir/passwd" "$tree/etc/passwd"
echo 'evil:x:0:0::/:/bin/sh' >"$dir/passwd"
status 125 "a passwd that is a link to the host" exec -u evil a -- true
rm "$tree/etc/passwd"
mkfifo "$tree/etc/passwd"
status 125 "a passwd that is a pipe" exec -u web a -- true
rm "$tree/etc/passwd"
status 125 "no passwd" exec -u web a -- true
mv "$tree/etc/passwd.own" "$tree/etc/passwd"

# Streams.
head -c 5000000 /dev/urandom >"$dir/bytes"
that "megabytes go in and come out as they are" sh -c "$ours exec a -- cat <'$dir/bytes' | cmp - '$dir/bytes'"
that "a reader that leaves" sh -c "$ours exec a -- cat /dev/zero </dev/null | head -c 10 | wc -c | grep -qx 10"
that "standard error is apart" sh -c "[ \"\$($ours exec a -- sh -c 'echo out; echo err >&2' 2>/dev/null </dev/null)\" = out ]"
that "/dev/stderr can be opened" sh -c "$ours exec -u web a -- sh -c 'echo hello >/dev/stderr' 2>&1 </dev/null | grep -qx hello"
that "closed streams" sh -c "$ours exec a -- true <&- >&- 2>&-"
echo text >"$dir/owned"
that "a file of the host stays ours" sh -c "$ours exec a -- cat <'$dir/owned' >/dev/null && [ \$(stat -c %u '$dir/owned') -eq 0 ]"

# A jail that is full.
ja exec a -- sh -c 'for i in 1 2 3 4 5 6; do sleep 100 & done' >/dev/null 2>&1 </dev/null
ja set a limits.processes=5 >"$dir/out" 2>&1
shows 'raise limits.processes' "a jail that is full of processes" exec a -- true
status 125 "which is our failure" exec a -- true
ja set a limits.processes= >"$dir/out" 2>&1
status 0 "and is open again with another limit" exec a -- killall sleep

# Signals.
that "a signal goes to the command" sh -c "$ours exec a -- sh -c 'trap \"exit 9\" TERM; while :; do sleep 0.1; done' </dev/null & \
    pid=\$!; sleep 0.7; kill -TERM \$pid; wait \$pid; [ \$? -eq 9 ]"
that "an interrupted command" sh -c "timeout -s INT 0.7 $ours exec a -- sleep 30 </dev/null; rc=\$?; [ \$rc -eq 124 ] || [ \$rc -eq 130 ]"
that "nothing of it is left when we are killed" sh -c "$ours exec a -- sleep 4567 </dev/null & pid=\$!; sleep 0.7; \
    kill -9 \$pid; wait \$pid; for i in 1 2 3 4 5 6 7 8 9 10; do $ours exec a -- ps | grep -q '[s]leep 4567' || exit 0; sleep 0.1; done; exit 1" 2>/dev/null

# Terminals.
terminal "$ours exec a -- tty" </dev/null >"$dir/typed" 2>&1
that "a terminal of its own where we have one" grep -q '/dev/pts/' "$dir/typed"
terminal "$ours exec -T a -- tty" </dev/null >"$dir/typed" 2>&1
that "none with -T" grep -q 'not a tty' "$dir/typed"
shows '^/dev/pts/' "one with -t where we have none" exec -t a -- tty
terminal "$ours exec a -- stty size" </dev/null >"$dir/typed" 2>&1
that "of the size of ours" grep -q '33 90' "$dir/typed"
terminal "stty -g; $ours exec a -- sh -c 'exit 3'; echo status \$?; stty -g" </dev/null >"$dir/typed" 2>&1
that "our terminal is as before" sh -c "grep -q 'status 3' '$dir/typed' && [ \$(tr -d '\r' <'$dir/typed' | grep : | sort -u | wc -l) -eq 1 ]"
(sleep 1; printf '\003'; sleep 1) | terminal "$ours exec a -- sh -c 'trap \"echo caught; exit 5\" INT; while :; do sleep 0.1; done'; echo status \$?" >"$dir/typed" 2>&1
that "Ctrl-C goes to the command" sh -c "grep -q caught '$dir/typed' && grep -q 'status 5' '$dir/typed'"
(sleep 1; printf 'echo $((6*7)) $0; exit 4\n'; sleep 1) | terminal "$ours console a; echo status \$?" >"$dir/typed" 2>&1
that "a console is a login shell" sh -c "grep -q '42 -sh' '$dir/typed' && grep -q 'status 4' '$dir/typed'"
(sleep 1; printf 'id; pwd; exit\n'; sleep 1) | terminal "$ours console -u web a" >"$dir/typed" 2>&1
that "of a user" grep -q 'uid=1000(web)' "$dir/typed"
(sleep 1; printf 'sleep 300\n'; sleep 0.5; printf '\035\035\035'; sleep 1) | terminal "$ours console a; echo status \$?" >"$dir/typed" 2>&1
that "three times Ctrl-] leaves it" grep -q 'status 0' "$dir/typed"

# Logs.
printf 'first\nred \033[31m bell \007 \r\nlast\n' >>"$log"
that "control characters are shown, not sent" sh -c "$ours logs a | grep -qF 'red \\x1b[31m bell \\x07 ' && ! $ours logs a | grep -q \"\$(printf '[\033\007\r]')\""
prints "last" "the last line" logs -n 1 a
prints "" "no line" logs -n 0 a
status 2 "a bad number of lines" logs -n -1 a
timeout 5 "$program" --state "$state" logs -n 1 -f a >"$dir/follow" 2>&1 &
follower=$!
sleep 0.6
echo added >>"$log"
sleep 0.6
cp "$log" "$log.1"
: >"$log"
sleep 0.6
echo rotated >>"$log"
sleep 0.8
kill -INT $follower
wait $follower
cp "$dir/follow" "$dir/out"
that "what is added is followed, also after a rotation" sh -c "[ \"\$(tr '\n' ' ' <'$dir/follow')\" = 'last added rotated ' ]"
truncate -s 1T "$log"
that "a log that claims to be enormous" sh -c "timeout 20 $ours logs a | head -c 5000000 | wc -c | grep -q ."

ja stop --force a >"$dir/out" 2>&1
status 125 "a stopped jail" exec a -- true
shows 'jailadmin start a' "and what to do" exec a -- true
ja teardown --force --yes >"$dir/out" 2>&1 || { failed teardown; }
if [ ! -e "$state" ] && ! pgrep -f "$dir/state" >/dev/null && ! losetup -a | grep -q "$dir"; then
    echo "ok: nothing is left"
else
    failed "something is left"
fi
exit $bad
