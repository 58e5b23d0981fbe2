#!/bin/bash
# Completion as the shells do it: bash by its completion function, zsh on a terminal of its own, fish by `complete -C`.
# completion.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
dir=$(mktemp -d /var/tmp/jailadmin-complete.XXXXXX)
state=$dir/state
bad=0
finish() {
    [ ! -e "$state" ] || "$program" -q --state "$state" teardown --force --yes </dev/null
    cd / && rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP PIPE
export HOME=$dir LC_ALL=C TERM=xterm
export PATH=$dir/bin:$PATH
mkdir "$dir/bin"
ln -s "$program" "$dir/bin/jailadmin"
cd "$dir" || exit 1
touch "$dir/file one" "$dir/file2"
mkdir "$dir/filedir"

# A store with names in it; what is not there to be read gives none. Real trees are not needed to complete their names.
instance=no
if [ "$(id -u)" -eq 0 ] && jailadmin --state "$state" init --storage file:256M --network 10.178.0.1/24 >"$dir/out" 2>&1; then
    instance=yes
    jailadmin -q --state "$state" template create base --from busybox
    jailadmin -q --state "$state" create web1 web2 db --template base
    jailadmin -q --state "$state" snapshot create web1@before web1@after web2@other
    jailadmin -q --state "$state" be create web1 next
fi

# want SHELL LINE EXPECTED...: the candidates of the line are those, in any order; "+ EXPECTED...": these are among them.
want() {
    local shell=$1 line=$2 some=no got wanted
    shift 2
    [ "${1:-}" != + ] || { some=yes; shift; }
    got=$("words_of_$shell" "$line" 2>&1 | sort -u)
    wanted=$(printf '%s\n' "$@" | sort -u)
    if [ "$got" = "$wanted" ] || { [ $some = yes ] && [ -z "$(comm -13 <(echo "$got") <(echo "$wanted"))" ]; }; then
        echo "ok: $shell: $line"
    else
        printf 'FAILED: %s: %s\n  got:    %s\n  wanted: %s\n' "$shell" "$line" "${got//$'\n'/ }" "${wanted//$'\n'/ }"
        bad=1
    fi
}

words_of_program() { # all but the words of the line's last one, without descriptions
    local words
    read -ra words <<<"$1"
    [[ $1 == *' ' ]] && words+=('')
    jailadmin complete -- "${words[@]:1}" </dev/null | cut -f1
}

words_of_bash() {
    COMP_LINE=$1 bash --norc -c '
        source <(jailadmin completion bash)
        COMP_WORDBREAKS=$'"' \\t\\n\"\\'><=;|&(:'"'
        COMP_POINT=${#COMP_LINE}
        _jailadmin
        printf "%s\n" "${COMPREPLY[@]}"' </dev/null
}

words_of_fish() { fish --no-config -c 'source (jailadmin completion fish | psub); complete -C $argv[1]' -- "$1" </dev/null | cut -f1; }

# Types the line and a tab into a zsh of its own, and prints what it offered.
words_of_zsh() {
    : >"$dir/hits"
    timeout 30 zsh -f -c '
        zmodload zsh/zpty
        zpty z "env PS1= zsh -f -i"
        zpty -w z "autoload -U compinit; compinit -u -D; source <(jailadmin completion zsh)"
        zpty -w z "compadd() { local -a hits; builtin compadd -A hits \"\$@\"; (( \$#hits )) && print -rl -- \$hits >>$HOME/hits; builtin compadd \"\$@\" }"
        zpty -w z "done-with() { touch $HOME/seen }; zle -N done-with; bindkey \"^Xd\" done-with; bindkey \"^I\" complete-word; touch $HOME/ready"
        until [[ -e $HOME/ready ]] { sleep 0.05 }
        zpty -w -n z "$1"$'"'\\t\\x18d'"'
        until [[ -e $HOME/seen ]] { zpty -r -t z junk; sleep 0.05 }
        zpty -d z' zsh "$1" </dev/null >/dev/null 2>&1
    rm -f "$dir/ready" "$dir/seen"
    cat "$dir/hits"
}

shells=program
for shell in bash zsh fish; do
    if command -v $shell >/dev/null; then shells="$shells $shell"; else echo "skipped: there is no $shell"; fi
done

for shell in $shells; do
    want "$shell" "jailadmin sto" stop
    want "$shell" "jailadmin template " + create list show delete
    want "$shell" "jailadmin events --l" --limit
    want "$shell" "jailadmin completion " bash zsh fish
    want "$shell" "jailadmin --os " linux freebsd
    want "$shell" "jailadmin nosuch " ""
    want "$shell" "jailadmin exec web1 -- ls /" ""
    want "$shell" "jailadmin --state /nonexistent start " ""
    [ $instance = yes ] || continue
    want "$shell" "jailadmin --state $state start w" web1 web2
    want "$shell" "jailadmin --state $state start web1 " web2 db
    want "$shell" "jailadmin --state=$state create x --template " base
    want "$shell" "jailadmin --state $state network show " default
    want "$shell" "jailadmin --state $state exec d" db
    want "$shell" "jailadmin --state $state help net" network
    want "$shell" "jailadmin --state $state be activate web1 " default next
    want "$shell" "jailadmin --state $state be delete web1 default n" next
    want "$shell" "jailadmin --state $state be create web1 new --from n" next
    [ "$shell" = bash ] || want "$shell" "jailadmin --state $state snapshot delete web1@be" web1@before
    [ "$shell" = bash ] || want "$shell" "jailadmin --state $state be create web1 new --from @a" @after
done
for shell in $shells; do
    case $shell in
    bash) # it cuts words at = and :
        want bash "jailadmin create x --set boot=" no yes last
        want bash "jailadmin create x --nic eth0,network=lan,gat" "lan,gateway="
        want bash "jailadmin shape web1 eth0 in.ra" in.rate=
        ;;
    *)
        want "$shell" "jailadmin create x --set boot=" boot=no boot=yes boot=last
        want "$shell" "jailadmin create x --set limits.mem" limits.memory=
        want "$shell" "jailadmin create x --nic eth0,network=lan,gat" eth0,network=lan,gateway=
        want "$shell" "jailadmin create x --nic eth0,shape.in.ra" eth0,shape.in.rate=
        want "$shell" "jailadmin shape web1 eth0 out.lo" out.loss= out.loss-burst=
        ;;
    esac
done
want bash "jailadmin --facts fi" "file one" file2 filedir
want bash "jailadmin --state fi" filedir

# It neither waits nor fails nor writes where it can do nothing.
for where in /nonexistent /dev/null "$dir/file2" "$dir/filedir" ''; do
    if out=$(timeout 5 jailadmin complete -- --state "$where" start '' </dev/null 2>&1) && [ -z "$out" ]; then
        echo "ok: nothing is said about '$where'"
    else
        echo "FAILED: '$where': $out"
        bad=1
    fi
done
[ -z "$(ls "$dir/filedir")" ] || { echo "FAILED: something was written"; bad=1; }
if [ $instance = yes ]; then
    jailadmin --state "$state" teardown --force --yes >"$dir/out" 2>&1 || { cat "$dir/out"; bad=1; }
    [ ! -e "$state" ] || { echo "FAILED: something is left"; bad=1; }
fi
exit $bad
