#!/bin/sh
# Snapshots on btrfs: what is stated about them on any storage (snapkit.sh), what has changed since one, with hostile names, and
# what is there when the store is lost.
# snapshot.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/kit.sh"
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/snapkit.sh"
kit_begin snapshot
kit_init --storage file:1G --slots 64 --network "$network.1/24"
want "a template" ja template create base --from busybox
later=kept
snap_states

want "a jail" ja create s --template base --volume data,target=/data --limit disk=100M --start
want "a snapshot" ja snapshot create s@one
want "nothing has changed since" sh -c "! timeout 60 '$program' --state '$state' snapshot diff s@one | grep -v -e ' /etc' -e ' /run' -e ' /dev' -e ' /tmp' -e ' /$'"
want "changes of all kinds" inside 'echo x >/root/new; mkdir /root/d; echo y >/root/d/y; chmod 600 /etc/passwd; rm /etc/group; ln -s /etc/shadow /root/link; echo z >/data/z; printf x >"/root/$(printf "a\033[31m\nb")"'
want "a new file" prints "^+ /root/new$" ja snapshot diff s@one
want "and one in a new directory" prints "^+ /root/d/y$" ja snapshot diff s@one
want "one that is gone" prints "^- /etc/group$" ja snapshot diff s@one
want "one with another mode" prints "^M /etc/passwd$" ja snapshot diff s@one
want "one of a volume, by its path in the jail" prints "^+ /data/z$" ja snapshot diff s@one
want "a name that no terminal acts on" prints '^+ /root/a\\x1b\[31m\\x0ab$' ja snapshot diff s@one
want "in JSON" prints '"path":"/root/new"' ja --json snapshot diff s@one
refuse "since what is not there" "no snapshot nosuch" ja snapshot diff s@nosuch
want "the snapshot is read-only" prints "ro=true" btrfs property get -ts "$state/pool/jails/s/snap/one/root"
want "a rollback" ja --yes snapshot rollback s@one --volumes --restart
want "its tree has the limit that the old one had" prints " 100.00MiB.*root/default" btrfs qgroup show -re --sync "$state/pool"
want "nothing waits in the pool" test -z "$(ls -A "$state/pool/deleted")"

# The store is lost.
want "stop" ja stop --force s
rm -f "$state"/store.db*
want "an instance around the pool" ja init --adopt
want "takes its jails" ja adopt --all
want "with their snapshots" prints "^s *one " ja snapshot list
want "to which they can go back" ja --yes snapshot rollback s@one
want "a snapshot whose record is damaged" sh -c "echo '{' >'$state/pool/jails/s/snap/one/spec.json'"
want "is listed" prints "^s *one " ja snapshot list
refuse "is left alone by a rollback" "record of the snapshot one of s cannot be read" ja --yes snapshot rollback s@one
want "and can be deleted" ja snapshot delete s@one
want "gc finds nothing" not prints deleted ja gc
kit_end
