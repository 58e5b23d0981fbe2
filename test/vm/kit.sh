# kit.sh: what the scripts that run on another kernel share. They source it with the program as their first argument, say "ok: ..." or
# "FAILED: ..." line by line, and end with `exit $bad`.
# shellcheck shell=sh disable=SC2034
program=$1
state=/var/tmp/state
bad=0

ja() { "$program" --state $state "$@"; }
check() { # check WHAT COMMAND...
    what=$1
    shift
    if "$@" >/var/tmp/out 2>&1; then
        echo "ok: $what"
    else
        echo "FAILED: $what ($*)"
        cat /var/tmp/out
        bad=1
    fi
}
not() { ! "$@"; }
is() { # is FILE TEXT
    [ "$(cat "$1")" = "$2" ] || { cat "$1"; return 1; }
}
status() { # status N COMMAND...
    want=$1
    shift
    "$@"
    [ $? -eq "$want" ]
}
