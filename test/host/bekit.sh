# bekit.sh: what is stated about boot environments and upgrades on any storage; to be read with `.` after kit.sh, with a template
# "base" in the instance. Leaves nothing but the template. $old_zfs is not empty where ZFS is older than OpenZFS 2.0.
# shellcheck shell=sh
be_in() { ja exec bj -- sh -c "$1"; }
be_json() { ja --json be list bj; }
be_named() { # be_named "default new ": those that there are
    found=$(be_json | grep -o '"name":"[^"]*"' | sed 's/.*:"//; s/"//' | tr '\n' ' ')
    [ "$found" = "$1" ] || { be_json; return 1; }
}
be_pasted() { # a dry run, as a script
    ja --dry-run "$@" >"$dir/script" && sh -e "$dir/script"
}
be_upgrade() { ja upgrade bj --timeout "${be_timeout:-3s}" "$@"; }
be_killed() { # an upgrade whose process is killed while its command runs
    "$program" --state "$state" upgrade bj --be killed -- sh -c 'echo killed >/etc/state; touch /etc/reached; sleep 100' </dev/null >"$dir/killed" 2>&1 &
    pid=$!
    reached=0
    while [ $reached -lt 200 ] && ! ja exec bj -- test -e /etc/reached 2>/dev/null; do
        reached=$((reached + 1))
        sleep 0.3
    done
    kill -9 $pid
    wait $pid
    [ $? -eq 137 ]
}

be_interrupted() { # an upgrade that gets SIGTERM while its health command runs
    "$program" --state "$state" upgrade bj --timeout 60s --health 'touch /etc/reached; sleep 50' -- true </dev/null >"$dir/interrupted" 2>&1 &
    pid=$!
    reached=0
    while [ $reached -lt 200 ] && ! ja exec bj -- test -e /etc/reached 2>/dev/null; do
        reached=$((reached + 1))
        sleep 0.3
    done
    ja delete --force --yes bj >"$dir/deleted" 2>&1
    kill -TERM $pid
    wait $pid
    code=$?
    cat "$dir/interrupted"
    [ $code -eq 1 ]
}

# Trees that are mounted where the host works in them.
be_mounted() { be_json | grep -o '"mounted":"[^"]*"' | sed 's/.*:"//; s/"//'; }
be_elsewhere() { # be_elsewhere NAME rw|ro DIR: mounted there, in the system's own words
    if [ "$(uname)" = FreeBSD ]; then
        mount -p | awk -v dir="$3" -v how="$2" '$2 == dir && $4 ~ "^" how && $4 ~ /,nosuid/ { found = 1 } END { exit !found }'
    else
        grep " $3 $2[^ ]*nosuid,nodev" /proc/self/mountinfo >/dev/null
    fi
}
be_mounts() {
    want "one to be mounted" ja be create bj next
    want "is mounted, and it says where" prints "mounted the boot environment next of bj at /.*/mnt/bj.next" ja be mount bj next
    where=$(be_mounted)
    want "the list says it too" prints "^bj *next .* $where\$" ja be list bj
    want "only root enters there" sh -c "[ \"\$(ls -ld '$(dirname "$where")' | cut -c1-10)\" = drwx------ ]"
    want "with nothing in it trusted" be_elsewhere next rw "$where"
    want "what is written there" sh -c "echo mounted >'$where/etc/state'"
    refuse "a second place" "mounted at $where already" ja be mount bj next
    refuse "deleting it" "is mounted at $where" ja be delete bj next
    want "it is activated all the same" ja be activate bj next --restart
    want "the jail has what was written" prints "^mounted$" be_in 'cat /etc/state'
    want "and it what the jail writes" sh -c "'$program' --state '$state' exec bj -- sh -c 'echo more >/etc/state' </dev/null && grep -q more '$where/etc/state'"
    want "back" ja be activate bj default --restart
    want "it is unmounted" prints "unmounted the boot environment next of bj from $where" ja be unmount bj next
    refuse "once" "is not mounted" ja be unmount bj next
    want "nothing is left there" [ ! -e "$where" ]
    mkdir -m 0700 "$dir/own" "$dir/own/there" "$dir/own/full" "$dir/own/open" "$dir/own/open/there"
    touch "$dir/own/full/file"
    ln -s own "$dir/via"
    ln -s there "$dir/own/short"
    chmod 0777 "$dir/own/open"
    refuse "a place that is full" "is not empty" ja be mount bj next "$dir/own/full"
    refuse "one that is not there" "there is no directory" ja be mount bj next "$dir/own/none"
    refuse "a link" "symbolic link" ja be mount bj next "$dir/own/short"
    refuse "a link on the way" "symbolic link" ja be mount bj next "$dir/via/there"
    refuse "one in a directory that others can change" "others than root" ja be mount bj next "$dir/own/open/there"
    refuse "one of jailadmin's own" "belongs to jailadmin" ja be mount bj next "$state/locks"
    refuse "a jail's own tree" "belongs to jailadmin" ja be mount bj next "$state/pool/jails/bj/root/default/mnt"
    want "a dry run, pasted" be_pasted be mount bj next "$dir/own/there" --read-only
    want "mounts it there" [ "$(be_mounted)" = "$dir/own/there" ]
    want "read-only" be_elsewhere next ro "$dir/own/there"
    want "where nothing is written" not touch "$dir/own/there/etc/x"
    want "a dry run of the way back, pasted" be_pasted be unmount bj next
    want "unmounts it, and the directory stays" sh -c "[ -d '$dir/own/there' ] && [ -z \"\$(ls '$dir/own/there')\" ]"
    want "the running one is mounted with a warning" prints "symbolic links in the way" sh -c "'$program' --state '$state' be mount bj default '$dir/own/there/' </dev/null 2>&1"
    (cd "$dir/own/there/etc" && exec sleep 1000) &
    busy=$!
    sleep 0.5
    refuse "it is not unmounted while somebody works in it" "cannot unmount $dir/own/there" ja be unmount bj default
    want "and stays" [ "$(be_mounted)" = "$dir/own/there" ]
    kill $busy
    wait $busy 2>/dev/null
    want "then it is" ja be unmount bj default
    want "somebody else unmounts" ja be mount bj next
    umount "$(be_mounted)"
    want "the list knows" not prints '"mounted":"' be_json
    want "gc removes its directory" ja gc
    want "with the one that it was in" [ ! -e "$(dirname "$where")" ]
    want "it goes" ja be delete bj next
    want "a jail with one that is mounted" ja create bjm --template base --set stop-timeout=0
    want "is not deleted" ja be mount bjm default
    refuse "without force" "is mounted at" ja delete --yes bjm
    refuse "nor renamed" "is mounted at" ja rename bjm bjn
    want "but with it" ja delete --yes --force bjm
    want "and nothing is left" [ ! -e "$(dirname "$where")/bjm.default" ]
    rm -rf "$dir/own" "$dir/via"
}

be_states() {
    # Its init would take seconds to shut down, at each of many stops.
    want "a jail with a volume" ja create bj --template base --volume data,target=/data --set stop-timeout=0 --start
    want "which writes" be_in 'echo one >/etc/state; echo one >/data/state'
    want "has one boot environment" prints "^bj *default *active,running *20[^ ]*Z .* base@" ja be list bj
    want "another one, while it runs" prints "created the boot environment new of bj" ja be create bj new
    want "is a copy of the first" prints "^bj *new *- .* default " ja be list bj
    want "in JSON too" prints '"name":"new".*"origin":"default".*"active":false,"running":false,"trial":false' ja --json be list bj
    refuse "the same name again" "has a boot environment new already" ja be create bj new
    refuse "a name that is none" "name" ja be create bj ../x
    refuse "a copy of none" "has no boot environment nosuch" ja be create bj x --from nosuch
    refuse "a copy of no snapshot" "has no snapshot nosuch" ja be create bj x --from @nosuch
    refuse "a jail that is none" "no such jail" ja be create nosuch x
    refuse "the field, of none" "has no boot environment nosuch" ja set bj be=nosuch
    refuse "which tells those that there are" "it has default, new" ja set bj be=nosuch
    refuse "deleting the active one" "is the active one" ja be delete bj default
    refuse "deleting none" "has no boot environment nosuch" ja be delete bj new nosuch
    want "all of which left" be_named "default new "
    want "it goes on" be_in 'echo two >/etc/state; echo two >/data/state'
    want "the other one for the next start" prints "waits for the next start" ja be activate bj new
    want "the list tells both" prints "^bj *default *running " ja be list bj
    want "and which one is next" prints "^bj *new *active " ja be list bj
    refuse "deleting the one that it runs on" "bj runs on the boot environment default" ja be delete bj default
    want "a user of the one that it runs on" prints root ja exec -u root bj -- id
    want "gc leaves it alone" ja gc
    want "it still runs" prints "^two$" be_in 'cat /etc/state'
    want "a restart" ja restart bj
    want "takes the tree of then, and the volume of now" prints "^one two$" be_in 'echo $(cat /etc/state /data/state)'
    want "back, at once" prints "started again" ja be activate bj default --restart
    want "the first tree is what it was" prints "^two$" be_in 'cat /etc/state'
    want "a snapshot" ja snapshot create bj@s
    want "one of the snapshot" ja be create bj old --from @s
    want "is listed as that" prints "^bj *old .* @s " ja be list bj
    want "the snapshot goes" ja snapshot delete bj@s
    want "and the copy stays" ja be activate bj old --restart
    want "with what was then" prints "^two$" be_in 'cat /etc/state'
    want "a clone of the jail" ja clone bj bjc
    want "has the active one alone" prints "^bjc *old *active " ja be list bjc
    want "and no other" not prints "bjc *default " ja be list bjc
    want "and goes" ja delete --yes bjc
    want "stop" ja stop --force bj
    want "another name of the jail" ja rename bj be-bj
    want "with all of them" prints "^be-bj *old *active " ja be list be-bj
    want "the first name" ja rename be-bj bj
    want "the first one again" ja be activate bj default
    want "two at once" ja be delete bj new old
    want "are gone" be_named "default "
    want "a dry run, pasted" be_pasted be create bj pasted
    want "is one" be_named "default pasted "
    want "a dry run of an activation, pasted" be_pasted be activate bj pasted
    want "a dry run of a deletion, pasted" be_pasted be delete bj default
    want "is one" be_named "pasted "
    want "start" ja start bj
    want "which has the tree" prints "^two$" be_in 'cat /etc/state'
    want "a second one under the first name" ja be create bj default
    want "is active" ja be activate bj default --restart
    [ -z "${old_zfs:-}" ] || want "stop: this ZFS moves nothing that has a mounted clone" ja stop --force bj
    want "the other goes while its copy stays" ja be delete bj pasted
    want "start" ja start bj
    want "nothing of which is in the list" be_named "default "
    be_mounts
    # Upgrades.
    want "an upgrade" prints "upgraded bj: its boot environment is up1" be_upgrade --be up1 --health 'grep -q three /etc/state' -- sh -c 'echo three >/etc/state; echo it prints'
    want "is what it runs on" prints "^bj *up1 *active,running " ja be list bj
    want "with the change" prints "^three$" be_in 'cat /etc/state'
    want "prints what the command prints" prints "it prints" be_upgrade --be up2 -- sh -c 'echo it prints'
    want "one without a name" prints "its boot environment is upgrade-20" be_upgrade -- true
    want "back to the first change" ja be activate bj up1 --restart
    # shellcheck disable=SC2046
    want "the others go" ja be delete bj up2 $(be_json | grep -o 'upgrade-[-0-9]*' | sort -u)
    refuse "one whose command fails" "the command ended with status 7" be_upgrade -- sh -c 'echo four >/etc/state; exit 7'
    want "is undone" be_named "default up1 "
    refuse "and it says so" "it runs on up1 again" be_upgrade -- false
    want "the jail runs as before" prints "^three$" be_in 'cat /etc/state'
    refuse "one whose command is not there" "nosuch" be_upgrade -- /bin/nosuch
    refuse "one whose health fails" "health: the command ended with status 1.*" be_upgrade --health 'echo sick; exit 1' -- sh -c 'echo four >/etc/state'
    refuse "with what that printed" "sick" be_upgrade --health 'echo sick; exit 1' -- true
    refuse "one whose health never answers" "health: .*did not end" be_upgrade --health 'sleep 50' -- true
    # A jail of FreeBSD goes on without processes.
    [ "$(uname)" = FreeBSD ] || refuse "one that stops the jail" "bj: " be_upgrade --health true -- sh -c 'kill -9 -1; kill -TERM 1; sleep 30'
    want "the jail runs as before" prints "^three$" be_in 'cat /etc/state'
    want "a health command that succeeds in the end" ja upgrade bj --be up3 --timeout 20s --health 'test -e /root/twice || { touch /root/twice; false; }' -- true
    want "back" ja be activate bj up1 --restart
    want "and that one away" ja be delete bj up3
    refuse "a command without dashes" "true: the command is what follows --" ja upgrade bj true
    refuse "a time that is none" "no time" ja upgrade bj --timeout soon -- true
    refuse "a name that is taken" "has a boot environment default already" be_upgrade --be default -- true
    want "nothing else is there" be_named "default up1 "
    refuse "one that fails, kept" "status 1" be_upgrade --be failed --keep-failed -- sh -c 'echo four >/etc/state; exit 1'
    want "stays as one among others" be_named "default failed up1 "
    want "the jail runs as before" prints "^bj *up1 *active,running " ja be list bj
    want "with it one can start" ja be activate bj failed --restart
    want "and look" prints "^four$" be_in 'cat /etc/state'
    want "back" ja be activate bj up1 --restart
    want "and away" ja be delete bj failed
    want "an upgrade that is interrupted goes back" prints "it runs on up1 again" be_interrupted
    want "nobody could delete the jail meanwhile" grep -q "an upgrade of it is going on" "$dir/deleted"
    want "to what it was" be_named "default up1 "
    want "an upgrade that is killed" be_killed
    want "the jail runs on what was tried, and the list says so" prints "^bj *killed *upgrading " ja be list bj
    want "the next command goes back" prints "an upgrade of it was cut off" ja start bj
    want "to what it was" prints "^three$" be_in 'cat /etc/state'
    want "without what was tried" be_named "default up1 "
    want "another one that is killed" be_killed
    want "and the jail with it" ja stop --force bj
    want "gc removes it" prints "cut off" ja gc
    want "and nothing else" be_named "default up1 "
    want "of a stopped jail" be_upgrade --be up4 -- sh -c 'echo five >/etc/state'
    want "which is stopped again" prints "^bj *up4 *active  *20" ja be list bj
    refuse "one that fails" "status 3" be_upgrade -- sh -c 'exit 3'
    want "leaves it stopped" prints "^bj .*stopped" ja list bj
    want "as it was" be_named "default up1 up4 "
    want "a dry run, pasted" be_pasted upgrade bj --be up5 --health 'test -e /etc/six' -- sh -c 'touch /etc/six'
    want "comes to the same" prints "^bj *up5 *active  *20" ja be list bj
    want "the jail goes with all of them" ja delete --yes bj
}
