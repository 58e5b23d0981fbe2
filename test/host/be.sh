#!/bin/sh
# Boot environments on btrfs: what is stated about them on any storage (bekit.sh), limits of space, and a store that is lost.
# be.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/kit.sh"
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/bekit.sh"
kit_begin be
kit_init --storage file:1G --slots 64 --network "$network.1/24"
want "a template" ja template create base --from busybox
be_states

want "a jail" ja create bj --template base --limit disk=50M --set stop-timeout=0
want "two more boot environments" ja be create bj new
want "two more boot environments" ja be create bj other
limited() { [ "$(btrfs qgroup show -re --sync "$state/pool" | grep -c " $1 .*jails/bj/root/")" -eq "$2" ]; }
want "have the limit too" limited 50.00MiB 3
want "another limit" ja limit bj disk=60M
want "is one of each" limited 60.00MiB 3
want "what each holds is listed" prints "^bj *new .*Z  *[0-9.]*[KM]  *default" ja be list bj
want "the other is active" ja be activate bj new
want "start" ja start bj
refuse "each is full by itself" "Disk quota exceeded\|No space\|ended with status" ja exec bj -- dd if=/dev/zero of=/root/x bs=1M count=80
want "stop" ja stop --force bj
want "nothing waits in the pool" test -z "$(ls -A "$state/pool/deleted")"
# The store is lost.
rm -f "$state"/store.db*
want "an instance around the pool" ja init --adopt
want "takes its jails" ja adopt --all
want "with the active boot environment" prints "^bj *new *active " ja be list bj
want "and the others" be_named "default new other "
want "gc finds nothing" not prints deleted ja gc
kit_end
