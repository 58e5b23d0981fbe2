#!/bin/sh
# cp: files and directories into jails and out of them, running or not, while the jail's tree is hostile. copy.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
. "$(dirname "$0")/kit.sh"
kit_begin copy
kit_init --storage file:1G --network none
want "a template" ja template create base --from busybox
want "a jail" ja create a --template base --volume data,target=/srv/data
want "another one" ja create b --template base --start
mkdir -p "$dir/tree/sub/empty"
echo one >"$dir/tree/one"
echo two >"$dir/tree/sub/two"
ln -s ../one "$dir/tree/sub/link"
chmod 750 "$dir/tree/sub"
chown 1000:1000 "$dir/tree/sub/two"
touch -d '2020-01-02 03:04:05' "$dir/tree/one"
mkfifo "$dir/tree/fifo"
head -c 3000000 /dev/urandom >"$dir/tree/big"
truncate -s 200M "$dir/tree/sparse"

inside() { # inside JAIL COMMAND...: in a running jail by exec, else in its tree
    name=$1
    shift
    ja exec "$name" -- "$@"
}

round() { # round JAIL
    want "a file into $1" ja cp "$dir/tree/one" "$1:/etc/one"
    want "under its name into a directory" ja cp "$dir/tree/one" "$1:/etc/"
    want "and out again" ja cp "$1:/etc/one" "$dir/back"
    want "it is the same" cmp "$dir/tree/one" "$dir/back"
    rm -f "$dir/back"
    want "a directory into $1" prints "left out: fifo" ja cp "$dir/tree" "$1:/srv"
    want "and out" ja cp "$1:/srv/tree" "$dir/back"
    want "with all that is in it" sh -c "rm '$dir/tree/fifo'; diff -r --no-dereference '$dir/tree' '$dir/back'; rc=\$?; mkfifo '$dir/tree/fifo'; exit \$rc"
    want "links as links" test "$(readlink "$dir/back/sub/link")" = ../one
    want "permissions" test "$(stat -c %a "$dir/back/sub")" = 750
    want "holes as holes" test "$(stat -c %b "$dir/back/sparse")" -lt 1000
    rm -rf "$dir/back"
    want "from standard input" sh -c "echo streamed | '$program' --state '$state' cp - '$1:/etc/streamed'"
    want "to standard output" sh -c "[ \"\$('$program' --state '$state' cp '$1:/etc/streamed' - </dev/null)\" = streamed ]"
    refuse "a directory to standard output" "standard output" ja cp "$1:/etc" -
    refuse "what is not there" "No such file" ja cp "$1:/nosuch" "$dir/back"
    refuse "a target in no directory" "No such file" ja cp "$dir/tree/one" "$1:/nosuch/x/y"
    refuse "a file into what is no directory" "Not a directory\|No such file" ja cp "$dir/tree/one" "$1:/etc/one/"
}
want "a place for it" inside b mkdir /srv
round b
want "files in the jail belong to its root" prints "^0 0$" inside b stat -c '%u %g' /srv/tree/sub/two
want "with -p to their owner" sh -c "'$program' --state '$state' cp -p '$dir/tree' b:/root && '$program' --state '$state' exec b -- stat -c '%u %Y' /root/tree/sub/two | grep -q '^1000 '"
want "with their times" prints "$(stat -c %Y "$dir/tree/one")" inside b stat -c %Y /root/tree/one
chown 4000000:0 "$dir/tree/sub/two"
refuse "an owner that the jail cannot have" "owner" ja cp -p "$dir/tree" b:/root
chown 0:0 "$dir/tree/sub/two"
round a
tree=$state/pool/jails/a/root/default
want "in a stopped jail they belong to its root too" test "$(stat -c %u "$tree/srv/tree/sub/two")" = 0
want "a volume of a stopped jail is where it belongs" ja cp "$dir/tree/one" a:/srv/data/one
want "in the volume" cmp "$dir/tree/one" "$state/pool/jails/a/vol/data/one"
want "and not below it" test ! -e "$tree/srv/data/one"
want "start" ja start a
want "the jail has it" prints one inside a cat /srv/data/one
want "from jail to jail" ja cp a:/srv/data b:/srv
want "it is there" prints one inside b cat /srv/data/one

# ---- a hostile tree ----
secret=$dir/secret
echo secret >"$secret"
mkdir -p "$dir/taken"
for jail in a b; do
    [ $jail = a ] && want "stop" ja stop --force a
    root=$state/pool/jails/$jail/root/default
    ln -sfn "$secret" "$root/srv/absolute"
    ln -sfn "../../../../../../../../../../../..$secret" "$root/srv/relative"
    ln -sfn "$dir" "$root/srv/directory"
    ln -sfn / "$root/srv/slash"
    mkfifo "$root/srv/fifo"
    for link in absolute relative directory/secret slash/"$secret"; do
        want "a link of $jail does not reach the host: $link" not ja cp "$jail:/srv/$link" "$dir/stolen"
        want "no file of the host is written through it: $link" sh -c "'$program' --state '$state' cp '$dir/tree/one' '$jail:/srv/$link'; grep -q secret '$secret'"
    done
    want "nothing was stolen" test ! -e "$dir/stolen"
    ln -sfn "$secret" "$root/srv/absolute"
    want "a pipe blocks nobody" not timeout 20 "$program" --state "$state" cp "$jail:/srv/fifo" "$dir/stolen"
    want "a directory with such links is copied" ja cp "$jail:/srv" "$dir/taken"
    want "as links" test -L "$dir/taken/srv/absolute"
    want "the copy again" ja cp "$jail:/srv" "$dir/taken"
    rm -rf "$dir/taken/srv"
    cp /bin/busybox "$root/srv/setuid"
    chmod 4755 "$root/srv/setuid"
    want "set-uid does not come out" ja cp -p "$jail:/srv/setuid" "$dir/taken/setuid"
    want "even with -p" test ! -u "$dir/taken/setuid"
    rm -f "$dir/taken/setuid"
done
# A directory that was copied out became a link in the jail: the second copy must not go through what the first one left.
mkdir -p "$dir/victim"
inside b sh -c "mkdir -p /x && ln -sfn '$dir/victim' /x/way"
want "a link comes out" ja cp b:/x "$dir/taken"
inside b sh -c 'rm /x/way; mkdir /x/way; echo owned >/x/way/file'
refuse "it is not followed by the next copy" "cannot write into way" ja cp b:/x "$dir/taken"
want "the victim is as it was" test -z "$(ls "$dir/victim")"
want "what the kernel makes up is left out" prints "left out: .*the kernel makes it up" ja cp b:/ "$dir/all"
want "one file of it can be had" sh -c "'$program' --state '$state' cp b:/proc/self/status - </dev/null >/dev/null 2>&1; '$program' --state '$state' cp b:/proc/uptime - </dev/null | grep -q '[0-9]'"
refuse "two paths of the host" "neither of the two" ja cp "$dir/tree/one" "$dir/x"
refuse "a jail that is not there" "no such jail" ja cp nosuch:/etc/passwd "$dir/x"
want "no half file is left" sh -c "! find '$state/pool/jails' '$dir/taken' -name '.ja-copy*' | grep ."
kit_end
