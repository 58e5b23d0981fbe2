# bekit.sh: what is stated about boot environments and upgrades on any storage; to be read with `.` after kit.sh, with a template
# "base" in the instance. Leaves nothing but the template. $old_zfs is not empty where ZFS is older than OpenZFS 2.0.
# shellcheck shell=sh
be_in() { ja exec b -- sh -c "$1"; }
be_json() { ja --json be list b; }
be_named() { # be_named "default new ": those that there are
    found=$(be_json | grep -o '"name":"[^"]*"' | sed 's/.*:"//; s/"//' | tr '\n' ' ')
    [ "$found" = "$1" ] || { be_json; return 1; }
}
be_pasted() { # a dry run, as a script
    ja --dry-run "$@" >"$dir/script" && sh -e "$dir/script"
}
be_upgrade() { ja upgrade b --timeout "${be_timeout:-3s}" "$@"; }
be_killed() { # an upgrade whose process is killed while its command runs
    "$program" --state "$state" upgrade b --be killed -- sh -c 'echo killed >/etc/state; touch /etc/reached; sleep 100' </dev/null >"$dir/killed" 2>&1 &
    pid=$!
    reached=0
    while [ $reached -lt 200 ] && ! ja exec b -- test -e /etc/reached 2>/dev/null; do
        reached=$((reached + 1))
        sleep 0.3
    done
    kill -9 $pid
    wait $pid
    [ $? -eq 137 ]
}

be_interrupted() { # an upgrade that gets SIGTERM while its health command runs
    "$program" --state "$state" upgrade b --timeout 60s --health 'touch /etc/reached; sleep 50' -- true </dev/null >"$dir/interrupted" 2>&1 &
    pid=$!
    reached=0
    while [ $reached -lt 200 ] && ! ja exec b -- test -e /etc/reached 2>/dev/null; do
        reached=$((reached + 1))
        sleep 0.3
    done
    kill -TERM $pid
    wait $pid
    code=$?
    cat "$dir/interrupted"
    [ $code -eq 1 ]
}

be_states() {
    want "a jail with a volume" ja create b --template base --volume data,target=/data --start
    want "which writes" be_in 'echo one >/etc/state; echo one >/data/state'
    want "has one boot environment" prints "^b *default *active,running *20[^ ]*Z .* base@" ja be list b
    want "another one, while it runs" prints "created the boot environment new of b" ja be create b new
    want "is a copy of the first" prints "^b *new *- .* default " ja be list b
    want "in JSON too" prints '"name":"new".*"origin":"default".*"active":false,"running":false,"trial":false' ja --json be list b
    refuse "the same name again" "has a boot environment new already" ja be create b new
    refuse "a name that is none" "name" ja be create b ../x
    refuse "a copy of none" "has no boot environment nosuch" ja be create b x --from nosuch
    refuse "a copy of no snapshot" "has no snapshot nosuch" ja be create b x --from @nosuch
    refuse "a jail that is none" "no such jail" ja be create nosuch x
    refuse "the field, of none" "has no boot environment nosuch" ja set b be=nosuch
    refuse "which tells those that there are" "it has default, new" ja set b be=nosuch
    refuse "deleting the active one" "is the active one" ja be delete b default
    refuse "deleting none" "has no boot environment nosuch" ja be delete b new nosuch
    want "all of which left" be_named "default new "
    want "it goes on" be_in 'echo two >/etc/state; echo two >/data/state'
    want "the other one for the next start" prints "waits for the next start" ja be activate b new
    want "the list tells both" prints "^b *default *running " ja be list b
    want "and which one is next" prints "^b *new *active " ja be list b
    refuse "deleting the one that it runs on" "b runs on the boot environment default" ja be delete b default
    want "a user of the one that it runs on" prints root ja exec -u root b -- id
    want "gc leaves it alone" ja gc
    want "it still runs" prints "^two$" be_in 'cat /etc/state'
    want "a restart" ja restart b
    want "takes the tree of then, and the volume of now" prints "^one two$" be_in 'echo $(cat /etc/state /data/state)'
    want "back, at once" prints "started again" ja be activate b default --restart
    want "the first tree is what it was" prints "^two$" be_in 'cat /etc/state'
    want "a snapshot" ja snapshot create b@s
    want "one of the snapshot" ja be create b old --from @s
    want "is listed as that" prints "^b *old .* @s " ja be list b
    want "the snapshot goes" ja snapshot delete b@s
    want "and the copy stays" ja be activate b old --restart
    want "with what was then" prints "^two$" be_in 'cat /etc/state'
    want "a clone of the jail" ja clone b bc
    want "has the active one alone" prints "^bc *old *active " ja be list bc
    want "and no other" not prints "bc *default " ja be list bc
    want "and goes" ja delete --yes bc
    want "stop" ja stop --force b
    want "another name of the jail" ja rename b be-b
    want "with all of them" prints "^be-b *old *active " ja be list be-b
    want "the first name" ja rename be-b b
    want "the first one again" ja be activate b default
    want "two at once" ja be delete b new old
    want "are gone" be_named "default "
    want "a dry run, pasted" be_pasted be create b pasted
    want "is one" be_named "default pasted "
    want "a dry run of an activation, pasted" be_pasted be activate b pasted
    want "a dry run of a deletion, pasted" be_pasted be delete b default
    want "is one" be_named "pasted "
    want "start" ja start b
    want "which has the tree" prints "^two$" be_in 'cat /etc/state'
    want "a second one under the first name" ja be create b default
    want "is active" ja be activate b default --restart
    [ -z "${old_zfs:-}" ] || want "stop: this ZFS moves nothing that has a mounted clone" ja stop --force b
    want "the other goes while its copy stays" ja be delete b pasted
    want "start" ja start b
    want "nothing of which is in the list" be_named "default "
    # Upgrades.
    want "an upgrade" prints "upgraded b: its boot environment is up1" be_upgrade --be up1 --health 'grep -q three /etc/state' -- sh -c 'echo three >/etc/state; echo it prints'
    want "is what it runs on" prints "^b *up1 *active,running " ja be list b
    want "with the change" prints "^three$" be_in 'cat /etc/state'
    want "prints what the command prints" prints "it prints" be_upgrade --be up2 -- sh -c 'echo it prints'
    want "one without a name" prints "its boot environment is upgrade-20" be_upgrade -- true
    want "back to the first change" ja be activate b up1 --restart
    # shellcheck disable=SC2046
    want "the others go" ja be delete b up2 $(be_json | grep -o 'upgrade-[-0-9]*' | sort -u)
    refuse "one whose command fails" "the command ended with status 7" be_upgrade -- sh -c 'echo four >/etc/state; exit 7'
    want "is undone" be_named "default up1 "
    refuse "and it says so" "it runs on up1 again" be_upgrade -- false
    want "the jail runs as before" prints "^three$" be_in 'cat /etc/state'
    refuse "one whose command is not there" "nosuch" be_upgrade -- /bin/nosuch
    refuse "one whose health fails" "health: the command ended with status 1.*" be_upgrade --health 'echo sick; exit 1' -- sh -c 'echo four >/etc/state'
    refuse "with what that printed" "sick" be_upgrade --health 'echo sick; exit 1' -- true
    refuse "one whose health never answers" "health: .*did not end" be_upgrade --health 'sleep 50' -- true
    # A jail of FreeBSD goes on without processes.
    [ "$(uname)" = FreeBSD ] || refuse "one that stops the jail" "b: " be_upgrade --health true -- sh -c 'kill -9 -1; kill -TERM 1; sleep 30'
    want "the jail runs as before" prints "^three$" be_in 'cat /etc/state'
    want "a health command that succeeds in the end" ja upgrade b --be up3 --timeout 20s --health 'test -e /root/twice || { touch /root/twice; false; }' -- true
    want "back" ja be activate b up1 --restart
    want "and that one away" ja be delete b up3
    refuse "a command without dashes" "true: the command is what follows --" ja upgrade b true
    refuse "a time that is none" "no time" ja upgrade b --timeout soon -- true
    refuse "a name that is taken" "has a boot environment default already" be_upgrade --be default -- true
    want "nothing else is there" be_named "default up1 "
    refuse "one that fails, kept" "status 1" be_upgrade --be failed --keep-failed -- sh -c 'echo four >/etc/state; exit 1'
    want "stays as one among others" be_named "default failed up1 "
    want "the jail runs as before" prints "^b *up1 *active,running " ja be list b
    want "with it one can start" ja be activate b failed --restart
    want "and look" prints "^four$" be_in 'cat /etc/state'
    want "back" ja be activate b up1 --restart
    want "and away" ja be delete b failed
    want "an upgrade that is interrupted goes back" prints "it runs on up1 again" be_interrupted
    want "to what it was" be_named "default up1 "
    want "an upgrade that is killed" be_killed
    want "the jail runs on what was tried, and the list says so" prints "^b *killed *upgrading " ja be list b
    want "the next command goes back" prints "an upgrade of it was cut off" ja start b
    want "to what it was" prints "^three$" be_in 'cat /etc/state'
    want "without what was tried" be_named "default up1 "
    want "another one that is killed" be_killed
    want "and the jail with it" ja stop --force b
    want "gc removes it" prints "cut off" ja gc
    want "and nothing else" be_named "default up1 "
    want "of a stopped jail" be_upgrade --be up4 -- sh -c 'echo five >/etc/state'
    want "which is stopped again" prints "^b *up4 *active  *20" ja be list b
    refuse "one that fails" "status 3" be_upgrade -- sh -c 'exit 3'
    want "leaves it stopped" prints "^b .*stopped" ja list b
    want "as it was" be_named "default up1 up4 "
    want "a dry run, pasted" be_pasted upgrade b --be up5 --health 'test -e /etc/six' -- sh -c 'touch /etc/six'
    want "comes to the same" prints "^b *up5 *active  *20" ja be list b
    want "the jail goes with all of them" ja delete --yes b
}
