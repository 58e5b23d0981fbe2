# snapkit.sh: what is stated about snapshots on any storage; to be read with `.` after kit.sh, with a template "base" in the
# instance. Leaves nothing but the template. $later is "lost" or "kept": what a rollback does to later snapshots.
# shellcheck shell=sh
inside() { ja exec s -- sh -c "$1"; }
names() { ja --json snapshot list s | grep -o '"name":"[^"]*"' | sed 's/.*:"//; s/"//' | tr '\n' ' '; }
named() { [ "$(names)" = "$1" ] || { names; return 1; }; }
yes_ja() { ja --yes "$@"; }
listed() { # listed COUNT TEXT: so many lines of the list hold it
    count=$(ja snapshot list s | grep -c -e "$2")
    [ "$count" -eq "$1" ] || { ja snapshot list s; return 1; }
}
pasted() { # a dry run, as a script
    ja --dry-run "$@" >"$dir/script" && sh -e "$dir/script"
}
at_once() { # two at the same time
    ja "$@" &
    ja "$@"
    code=$?
    wait $! && [ $code -eq 0 ]
}

snap_states() {
    want "a jail with two volumes" ja create s --template base --volume data,target=/data --volume log,target=/log --start
    want "which writes" inside 'echo one >/etc/state; echo one >/data/state; echo one >/log/state'
    want "a snapshot while it runs" prints "took s@first" ja snapshot create s@first -m 'the first, "of two"'
    want "is listed with what it holds, and who took it" prints '^s *first *20[^ ]*Z .*tree,data,log .*the first, "of two"' ja snapshot list s
    want "in JSON too" prints '"comment":"the first, \\"of two\\"".*"schedules":\[\].*"volumes":\["data","log"\]' ja --json snapshot list
    refuse "the same name again" "has a snapshot first already" ja snapshot create s@first
    refuse "a name that is none" "not a name of a snapshot" ja snapshot create s@../x
    refuse "a name of the storage's own" "not a name of a snapshot" ja snapshot create s@clone-x
    refuse "a comment that is none" "comment" ja snapshot create s@x -m "$(printf 'a\nb')"
    refuse "a jail that is none" "no such jail" ja snapshot create nosuch
    want "which left nothing" named "first "
    want "it goes on" inside 'echo two >/etc/state; echo two >/data/state; echo two >/log/state; rm /etc/group; mkdir /etc/new'
    want "a snapshot without a name" prints "took s@20[0-9-]*-[0-9]*$" ja snapshot create s
    want "twice in a minute" ja snapshot create s
    want "which makes three" listed 3 '^s'
    refuse "a rollback while it runs" "it is running" yes_ja snapshot rollback s@first
    refuse "a rollback without a yes" "needs a yes.*What has changed in its tree since then is lost" ja snapshot rollback s@first
    refuse "a rollback to what is not there" "has no snapshot nosuch" yes_ja snapshot rollback s@nosuch
    refuse "with a volume that is not there" "no volume nosuch" yes_ja snapshot rollback s@first --volume nosuch
    want "stop" ja stop --force s
    # A jail of the snapshot, whatever happens to the original.
    want "a clone of the snapshot" ja clone s@first sc --start
    want "has what was then" prints "^one one one$" ja exec sc -- sh -c 'echo $(cat /etc/state /data/state /log/state)'
    want "a template of it" ja template create snapped --from jail:s@first
    want "and a jail of that" ja create st --template snapped --start
    want "has it too" prints "^one$" ja exec st -- cat /etc/state
    refuse "a template of none" "no snapshot nosuch" ja template create nosuch --from jail:s@nosuch
    want "both go" ja delete --force --yes sc st
    want "and the template" ja template delete snapped
    want "a rollback" yes_ja snapshot rollback s@first
    want "start" ja start s
    want "its tree is what it was, the volumes are not" prints "^one two two$" inside 'test -s /etc/group; echo $(cat /etc/state /data/state /log/state)'
    want "what came later is not there" inside 'test ! -e /etc/new'
    if [ "$later" = lost ]; then
        want "the later snapshots hold volumes only" listed 2 " data,log "
    else
        want "the later snapshots are there" listed 3 " tree,data,log "
    fi
    want "it goes on" inside 'echo three >/etc/state; echo three >/log/state'
    want "a rollback of a running jail, with a volume" prints "was started again" yes_ja snapshot rollback s@first --volume data --restart
    want "the tree and that volume are what they were" prints "^one one three$" inside 'echo $(cat /etc/state /data/state /log/state)'
    want "with all volumes" yes_ja snapshot rollback s@first --volumes --restart
    want "all is what it was" prints "^one one one$" inside 'echo $(cat /etc/state /data/state /log/state)'
    want "a dry run of a snapshot, pasted" pasted snapshot create s@pasted
    want "is listed" prints "^s *pasted .*tree,data,log" ja snapshot list s
    want "it goes on" inside 'echo four >/etc/state'
    want "stop" ja stop --force s
    want "a dry run of a rollback, pasted" pasted snapshot rollback s@pasted
    want "start" ja start s
    want "is one" prints "^one$" inside 'cat /etc/state'
    want "a dry run of a deletion, pasted" pasted snapshot delete s@pasted
    want "is one" not prints pasted ja snapshot list s
    want "stop" ja stop --force s
    want "another name of the jail" ja rename s s2
    want "keeps its snapshots" prints "^s2 *first .*the first" ja snapshot list s2
    want "the old name" ja rename s2 s
    want "a clone of a snapshot" ja clone s@first sc
    want "a snapshot goes while its clone stays" yes_ja snapshot delete s@first
    want "and is not listed" not prints first ja snapshot list s
    want "nor in the clone's way" ja start sc
    want "which has its files" prints "^one$" ja exec sc -- cat /etc/state
    want "and goes" ja delete --force --yes sc
    refuse "deleting it again" "has no snapshot first" yes_ja snapshot delete s@first
    refuse "deleting without a name" "names no snapshot" yes_ja snapshot delete s
    want "two more" ja snapshot create s@last1
    want "two more" ja snapshot create s@last2
    # shellcheck disable=SC2046
    want "the others go" yes_ja snapshot delete $(names | sed 's/[^ ]* /s@&/g')
    want "none is left" named ""
    # Schedules.
    want "without a schedule nothing is due" ja tick
    want "so nothing was taken" named ""
    want "schedules" ja set s keep.hourly=2 keep.daily=1
    want "a snapshot by hand" ja snapshot create s@mine
    want "what is due is taken" prints "took s@20.*-daily" ja tick
    want "once" not prints took ja tick
    want "also by two at the same time" at_once tick
    want "for both schedules" prints "hourly,daily" ja snapshot list s
    want "one in all" listed 1 hourly
    want "that by hand stays" prints " mine " ja snapshot list s
    want "the jail goes with its snapshots" ja delete --force --yes s
}
