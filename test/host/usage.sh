#!/bin/bash
# Bad command lines: each gives one clear error that names what is wrong, exit status 1 or 2, nothing on standard output, and
# changes nothing. Then good ones: --json of every verb that prints is JSON, plain output has the same columns in a pipe.
# usage.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
dir=$(mktemp -d /var/tmp/jailadmin-usage.XXXXXX)
state=$dir/state
bad=0
export LC_ALL=C
ja() { timeout 60 "$program" --state "$state" "$@" </dev/null; }
finish() {
    for left in "$state" "$dir/other"; do
        [ ! -e "$left" ] || "$program" -q --state "$left" teardown --force --yes </dev/null
    done
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP PIPE
failed() {
    printf 'FAILED: %s\n' "$1"
    sed 's/^/    /' "$dir/out" "$dir/errors"
    bad=1
}
# refuse STATUS PATTERN ARGUMENT...: the error holds the pattern. STATUS any: 1 or 2.
refuse() {
    local status=$1 pattern=$2 got
    shift 2
    ja "$@" >"$dir/out" 2>"$dir/errors"
    got=$?
    [ "$status" != any ] || [ $got -ne 1 ] || status=1
    [ "$status" != any ] || status=2
    if [ $got -ne "$status" ]; then
        failed "status $got, not $status: $(printf '%q ' "${@:0:9}")"
    elif [ -s "$dir/out" ]; then
        failed "printed on standard output: $(printf '%q ' "${@:0:9}")"
    elif ! head -1 "$dir/errors" | grep -q '^jailadmin: '; then
        failed "no error: $(printf '%q ' "${@:0:9}")"
    elif ! grep -q -- "$pattern" "$dir/errors"; then
        failed "the error does not say \"$pattern\": $(printf '%q ' "${@:0:9}")"
    elif [ "$(grep -c '^jailadmin: ' "$dir/errors")" -ne 1 ] || [ "$(wc -c <"$dir/errors")" -gt 1500 ]; then
        failed "more than one error, or a long one: $(printf '%q ' "${@:0:9}")"
    elif LC_ALL=C grep -q '[^ -~]' "$dir/errors"; then
        failed "control characters or worse: $(printf '%q ' "${@:0:9}")"
    fi
}
json() { # json ARGUMENT...: standard output is one JSON value
    if ! ja --json "$@" >"$dir/out" 2>"$dir/errors" || ! jq -e . "$dir/out" >/dev/null 2>&1 || [ ! -s "$dir/out" ]; then
        failed "not JSON: $*"
    fi
}

ja init --storage file:512M --network 10.179.0.1/24 >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
ja -q template create base --from busybox
ja -q create web1 web2 --template base --label team=a
facts() {
    ja --json list
    ja --json show web1 web2
    ja --json network list
    ja --json template list
    find "$state/pool/jails" "$state/pool/templates" "$state/journal" | sort
}
facts >"$dir/before"

long=$(head -c 100000 /dev/zero | tr '\0' x)
name64=$(head -c 64 /dev/zero | tr '\0' x)
escape=$'\e[31mred\a' newline=$'two\nlines' bytes=$'\xff\xfe' overlong=$'\xc0\xaf' del=$'\x7f'

# The command line itself.
refuse 2 'a verb is missing'
refuse 2 'no such verb' ''
refuse 2 'no such verb' "$long"
refuse 2 'no such verb' "$escape"
refuse 2 'no such verb' "$bytes"
refuse 2 'did you mean "start"' strat web1
refuse 2 'did you mean "template create"' template craete x
refuse 2 'no option --nosuch' list --nosuch
refuse 2 'did you mean --all' start --al
refuse 2 'no option' list "--$escape"
refuse 2 'no option' list "--$long"
refuse 2 'no option -Z' list -Z
refuse 2 'no option' list -$'\xff'
refuse 2 'takes no value' list --json=yes
refuse 2 'needs a value' list --jobs
refuse 2 'option --jobs' list --jobs ''
refuse 2 'option --jobs' list --jobs -1
refuse 2 'option --jobs' list --jobs 0
refuse 2 'option --jobs' list --jobs 1025
refuse 2 'option --jobs' list --jobs 99999999999999999999
refuse 2 'option --jobs' list --jobs 1e3
refuse 2 'option --jobs' list --jobs '1 '
refuse 2 'option --os' list --os plan9
refuse 2 '--state needs' --state '' list
refuse 2 'too long' --state "/$long" list
refuse 2 'given twice' create x --template base --template base
refuse 2 'given twice' logs -n 1 -n 2 web1
refuse 2 'takes no --dry-run' list --dry-run
refuse 2 'no arguments' version now
refuse 2 'too few arguments' show
refuse 2 'too few arguments' show --
refuse 2 'one argument too many' logs web1 web2
refuse 2 'at least one name' start
refuse 2 'not both' start --all web1
refuse 2 'none for csh' completion csh
refuse 2 'no verb, noun or field' help "$escape"
refuse 1 'web3' show -- web3
refuse 1 '' show -- --json
refuse 1 '' start -- -f

# Names.
for name in '' . .. / a/b ../x ../../etc Web web_1 1web -web web- "we b" "$name64" "$long" "$escape" "$newline" "$bytes" \
    "$overlong" "$del" 'web1;id' '$(id)' '`id`' '%s%n' "web'1" 'web"1' 'jail*' $'web1\t' ' web1'; do
    refuse 1 '' create --template base -- "$name"
    refuse 1 '' clone web1 -- "$name"
    refuse 1 '' template create --from busybox -- "$name"
    refuse 1 '' network create --address 10.180.0.1/24 -- "$name"
    refuse 1 '' show -- "$name"
    refuse 1 '' logs -- "$name"
    refuse 125 '' exec -- "$name" true
    refuse 125 '' console -- "$name"
    refuse 1 '' create --template "$name" -- x
done
refuse 1 'web1' create web1 --template base
refuse 1 'did you mean "web1"' show web
refuse 1 'did you mean "default"' network show defalt
refuse 1 'template' create x --template base@9
refuse 1 'template' create x --template base@../..

# Fields, of every type.
field() { # field PATTERN ASSIGNMENT: refused when making a jail and when changing one
    refuse 1 "$1" create x --template base --set "$2"
    [ "${3:-}" = create ] || refuse 1 "$1" set web1 "$2"
}
field_usage() { # the same, and it may be a wrong command line
    refuse any "$1" create x --template base --set "$2"
    refuse any "$1" set web1 "$2"
}
field 'has no field "nosuch"' nosuch=1
field 'did you mean "memory"' limits.memroy=1G
field 'limits.memory' limits.memory=-1
field 'limits.memory' limits.memory=1.5.5G
field 'limits.memory' limits.memory=99999999999999999999
field 'limits.memory' limits.memory=9999999T
field 'limits.memory' limits.memory=1GG
field 'limits.memory' 'limits.memory= 1G'
field 'limits.memory' limits.memory=nan
field 'limits.memory' limits.memory=0x10
field 'limits.memory' "limits.memory=$escape"
field 'limits.memory' "limits.memory=$long"
field 'limits.memory' limits.memory.x=1
field 'limits.processes' limits.processes=-5
field 'limits.processes' limits.processes=99999999999999999999
field 'limits.processes' limits.processes=1.5
field 'limits.cpu' limits.cpu=-1
field 'stop-timeout' stop-timeout=soon
field 'boot' boot=perhaps
field 'protect' protect=2
field 'privileged' privileged=Yes!
field 'hostname' "hostname=$escape"
field 'hostname' hostname=a..b
field 'hostname' hostname=-x
field 'nics' nics.eth0.address=10.179.0.999
field 'nics' nics.eth0.address=10.179.0.5/33
field 'nics' nics.eth0.address=fe80::1::2
field 'nics' nics.eth0.mac=zz:zz
field 'nics' nics.eth0.mac=ff:ff:ff:ff:ff:ff
field 'nics' nics.eth0.mtu=-1
field 'nics' nics.eth0.vlan=4096
field 'nics' nics.../../x.mtu=1400
field 'shape.in.rate' nics.eth0.shape.in.rate=10M
field 'shape.in.loss' nics.eth0.shape.in.loss=101%
field 'flow has no field "speed"' nics.eth0.shape.in.speed=1
refuse 1 'means nothing without a rate' shape web1 out.burst=1M
refuse 1 'no nic eth7' shape web1 eth7
refuse 2 'is not KEY=VALUE' shape web1 eth0 in.rate=1Mbit nonsense
refuse 1 'web3' shape web3
refuse 2 'option --time' shape web1 --time 4s
refuse 2 'option --time' shape web1 --measure --time soon
refuse 2 'option --time' shape web1 --measure --time 0
refuse 1 'not running' shape web2 --measure
field 'nics' "nics.$escape.mtu=1400"
field 'nics' nics.averyveryverylonginterface.network=default
field 'nics' nics.eth9.network=nosuch
field 'mounts' mounts./x.type=ext4
field 'mounts' mounts.relative.type=tmpfs
field 'mounts' mounts./a/../../etc.type=tmpfs
field 'env' 'env.A B=1'
field 'env' 'env.1A=1'
field 'labels' 'labels.=x'
field 'uuid' uuid=0
field 'slot' slot=1
field 'forwards' forwards.www.port=0
field 'forwards' forwards.www.port=70000
field 'forwards' forwards.www.port=90-80
field_usage '' =1
field_usage '' ''
field_usage '' boot
field_usage '' .boot=yes
field_usage '' boot.=yes
field '' limits..memory=1
field '' "$bytes=1"
refuse 1 'name' set web1 name=x
refuse 2 '' set web1
refuse 1 'address' network create x --address nonsense
refuse 1 'address' network create x --address 10.0.0.0/8 --address 10.1.0.1/8
refuse 1 '' network create x --address 10.179.0.1/24
refuse 1 'nat' network create x --address 10.180.0.1/24 --nat 'a b'
refuse 1 '' template create x --from nosuch:thing
refuse 1 '' template create x --from dir:relative
refuse 1 '' template create x --from dir:/nonexistent
refuse 1 'nosuch' list nosuch=1
refuse 1 'nosuch' list -l nosuch=1
refuse 2 'no jail is named' limit
refuse 2 'no jail is named' limit memory=1G
refuse 1 'nosuch' limit nosuch memory=1G
refuse 1 'limits.memory' limit web1 memory=lots
refuse 2 'is no limit' limit web1 labels.a=b
refuse 2 'count' top -n 0
refuse 2 'delay' top -d x
refuse 2 'sort' top --sort colour
refuse 1 'nosuch' top nosuch=1
refuse 1 'snapshot' snapshot create web1@../x
refuse 1 '' snapshot create "web1@$escape"
refuse 1 'snapshot' snapshot create web1@
refuse 1 'comment' snapshot create web1 -m "$escape"
refuse 1 'comment' snapshot create web1 -m "$long"
refuse 2 'names no snapshot' snapshot rollback web1
refuse 2 'names no snapshot' snapshot delete web1@x web1
refuse 2 'names no snapshot' snapshot diff "@$escape"
refuse 1 'has no snapshot x' -y snapshot delete web1@x
refuse 1 'has no snapshot x' clone web1@x web9
refuse 1 'has no snapshot x' snapshot diff web1@x
refuse 1 'has no snapshot x' template create x --from jail:web1@x
refuse 1 'snapshot' template create x --from jail:web1@a@b
field 'keep.hourly' keep.hourly=-1
field 'keep.daily' keep.daily=1000000
refuse 2 'lines' logs -n x web1
refuse 2 'limit' events --limit x
refuse 2 'limit' events --limit -1
refuse 1 '' init
refuse 1 'storage' --state "$dir/other" init --storage floppy:A
refuse 1 '' --state "$dir/other" init --storage file:1
refuse 1 '' --state "$dir/other" init --storage file:-1G
refuse 2 'slots' --state "$dir/other" init --slots 0
refuse 2 'slots' --state "$dir/other" init --slots 99999999
refuse 1 'network' --state "$dir/other" init --network 10.0.0.0
refuse 1 'init' --state "$dir/other" list
refuse 1 '' --state "$dir/out" list
facts >"$dir/after"
cmp -s "$dir/before" "$dir/after" || { diff "$dir/before" "$dir/after" >"$dir/out"; failed "something was changed"; }
[ ! -e "$dir/other" ] || failed "a refused init left something"

# A value may begin with a dash, and hold what the shell would act on.
ja -q set web1 'labels.note=-x $(id) "q"' && [ "$(ja --json list 'label.note=-x $(id) "q"' | jq -r '.[].name')" = web1 ] || failed "a label"

if command -v jq >/dev/null; then
    ja -q start web1
    ja -q snapshot create web1@s
    for words in list 'list -l' 'limit web1' 'limit --all' top '--dry-run limit web1 memory=1G' 'snapshot list' 'snapshot list web1' 'snapshot diff web1@s' '--dry-run snapshot create web1' \
        '--dry-run snapshot delete web1@s' 'list web1' 'list state=stopped' 'show web1' 'shape web1' 'shape web2 eth0' 'template list' 'template show base' 'network list' \
        'network show default' doctor adopt gc repair events 'events web1' version '--dry-run start web2' '--dry-run delete web2' \
        '--dry-run create web9 --template base' '--dry-run network create lan --address 10.180.0.1/24'; do
        # shellcheck disable=SC2086
        json $words
    done
    ja --json show nosuch >"$dir/out" 2>"$dir/errors"
    jq -e '.error.code == "notfound" and (.error.what | length) > 0' "$dir/errors" >/dev/null || failed "errors are JSON too"
    ja --json nosuch >"$dir/out" 2>"$dir/errors"
    jq -e '.error.code == "usage"' "$dir/errors" >/dev/null || failed "usage errors are JSON too"
    [ "$(ja --json show web1 web2 | jq -s length)" = 2 ] || failed "a value for each name"
    wanted='name uuid slot state addresses template version networks started labels'
    for key in $wanted; do
        ja --json list | jq -e "all(has(\"$key\"))" >/dev/null || failed "list has no $key"
    done
    ja --json list | jq -e '.[0] | (.addresses == ["10.179.0.2"] or .addresses == ["10.179.0.3"]) and .state == "running"
        and (.started | test("^[0-9T:.-]+Z$")) and .labels.team == "a"' >/dev/null || failed "the values of list"
fi
ja list | awk 'NR == 1 { n = NF } NF != n { exit 1 }' || failed "every line has as many columns as the header"
for words in 'list -l' 'limit --all' top; do
    # shellcheck disable=SC2086
    ja $words | awk 'NR == 1 { n = NF } NF != n { exit 1 }' || failed "every line of $words has as many columns as the header"
done
[ "$(ja -q stop --force web1 | wc -c)" -eq 0 ] || failed "-q says something"
[ "$(ja list | grep -c "$(printf '\033')")" -eq 0 ] || failed "colour in a pipe"
script -qec "stty cols 50; '$program' --state '$state' list" "$dir/typescript" </dev/null >"$dir/out" 2>&1
tr -d '\r' <"$dir/out" | sed 's/\x1b\[[0-9;]*[mK]//g' | awk 'length > 50 { exit 1 }' || failed "a table is wider than the terminal"
NO_COLOR=1 script -qec "'$program' --state '$state' list" "$dir/typescript" </dev/null >"$dir/out" 2>&1
! grep -q "$(printf '\033\\[1')" "$dir/out" || failed "NO_COLOR is not respected"
for words in help 'help start' 'help jail' 'help nic' 'help template' 'help template create' '--help' 'start --help' '--version' 'help limits' 'help limits.memory' 'help nics.eth0.mtu' 'help nics.eth0.shape.in.rate' 'help shape' 'help mtu'; do
    # shellcheck disable=SC2086
    ja $words >"$dir/out" 2>"$dir/errors" && [ -s "$dir/out" ] || failed "$words"
done
"$program" help >/dev/full 2>"$dir/errors" && failed "a full disk behind standard output is not told"

ja teardown --force --yes >"$dir/out" 2>"$dir/errors" || failed teardown
[ ! -e "$state" ] || failed "something is left"
[ $bad -ne 0 ] || echo "ok: all bad command lines are refused with one clear error"
exit $bad
