# kit.sh: what the host tests written in sh share: an instance of its own, a few words to state what is expected, and the
# proof that nothing is left. To be read with `.`, after $program is set; the test calls kit_begin NAME and kit_end.
# shellcheck shell=sh
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }

kit_begin() {
    dir=$(mktemp -d "/var/tmp/jailadmin-$1.XXXXXX")
    state=$dir/state
    bad=0
    # A range of its own: the same test may run for somebody else at the same time.
    network=10.$((100 + $$ % 100)).$(($$ / 100 % 250))
    trap 'kit_clean' EXIT
}
ja() { timeout "${JAILADMIN_TEST_TIMEOUT:-100}" "$program" --state "$state" "$@" </dev/null; }
passed() { echo "ok: $1"; }
failed() {
    echo "FAILED: $1"
    [ ! -s "$dir/out" ] || cat "$dir/out"
    bad=1
}
# want WHAT COMMAND...: the command succeeds.
want() {
    what=$1
    shift
    if "$@" >"$dir/out" 2>&1; then passed "$what"; else failed "$what ($*)"; fi
}
# refuse WHAT TEXT COMMAND...: the command fails and says TEXT.
refuse() {
    what=$1 text=$2
    shift 2
    if "$@" >"$dir/out" 2>&1; then
        failed "$what was not refused ($*)"
    elif grep -q -e "$text" "$dir/out"; then
        passed "$what"
    else
        failed "$what is refused with other words than \"$text\" ($*)"
    fi
}
# prints TEXT COMMAND...: the command succeeds and prints TEXT.
prints() {
    text=$1
    shift
    "$@" >"$dir/printed" 2>&1 || { cat "$dir/printed"; return 1; }
    grep -q -e "$text" "$dir/printed" || { cat "$dir/printed"; return 1; }
}
not() { ! "$@"; }
# kit_init OPTION...: the instance; without it there is nothing to test.
kit_init() {
    want "an instance" ja init "$@"
    mine=$(tag)
    [ -n "$mine" ] || exit 1
}
# eventually COMMAND...: within $patience seconds it succeeds.
patience=6
eventually() {
    for _ in $(seq $((patience * 10 / 3))); do
        "$@" >"$dir/last" 2>&1 && return 0
        sleep 0.3
    done
    cat "$dir/last"
    return 1
}
tag() { # of this instance
    basename "$(grep -l "\"$state\"" /var/db/jailadmin.instances/*.json)" .json
}
slot() { ja --json list "$1" | sed 's/.*"slot":\([0-9]*\).*/\1/'; }
cgroup_file() { # cgroup_file JAIL V1-CONTROLLER V1-FILE V2-FILE: where a value of its cgroup is
    t=$(tag)
    for path in "/sys/fs/cgroup/$2/jailadmin-$t/ja$t$(slot "$1")/$3" "/sys/fs/cgroup/jailadmin-$t/ja$t$(slot "$1")/$4"; do
        [ ! -e "$path" ] || { cat "$path"; return 0; }
    done
    return 1
}
kit_left() { # what the host has of an instance with this tag
    ip -o link show | grep -o " ja$1[n0-9a-z]*" || true
    nft list tables | grep " ja$1" || true
    grep -e "$dir" -e "/run/jailadmin-$1" /proc/self/mountinfo || true
    losetup -a | grep "$dir" || true
    ls -d "/run/jailadmin-$1" 2>/dev/null || true
    ls -d /sys/fs/cgroup/*/jailadmin-"$1" "/sys/fs/cgroup/jailadmin-$1" 2>/dev/null || true
    ls /run/netns 2>/dev/null | grep "^ja$1" || true
    pgrep -af "$dir" | grep -v -e pgrep -e "$0" || true
}
kit_clean() {
    [ ! -e "$state" ] || "$program" --state "$state" -q teardown --force --yes </dev/null || true
    rm -rf "$dir"
}
# Everything away, and the proof.
kit_end() {
    want "teardown" ja teardown --force --yes
    kit_left "$mine" >"$dir/left"
    if [ ! -s "$dir/left" ] && [ ! -e "$state" ]; then
        passed "nothing is left"
    else
        cp "$dir/left" "$dir/out"
        failed "something is left"
    fi
    exit "$bad"
}
