#!/bin/sh
# Networks whose jails are in a VLAN of a physical interface: another host at its other end sees tagged frames, jails of one VLAN
# do not see another, and nothing stays on the interface. Runs by kernel.sh: needs 8021q.
set -u
# shellcheck source=kit.sh
. "$(dirname "$0")/kit.sh"
refuse() { # refuse TEXT COMMAND...
    text=$1
    shift
    ! "$@" >/var/tmp/refused 2>&1 && grep -e "$text" /var/tmp/refused || { cat /var/tmp/refused; return 1; }
}
sees() { ja exec "$1" -- ping -c2 -W3 "$2"; }

# The other host: three VLANs on one cable, and what comes without a tag.
ip netns add far
ip link add cable type veth peer name plug netns far
ip link set cable up
ip -n far link set plug up
for id in 30 31 32; do
    ip -n far link add link plug name plug.$id type vlan id $id
    ip -n far addr add 10.78.$id.200/24 dev plug.$id
    ip -n far link set plug.$id up
done
ip -n far addr add 10.78.1.200/24 dev plug
before=$(ip -o -d link show cable | sed 's/.*cable/cable/')

check "init" ja init --storage file:512M --network none
check "template" ja template create base --from busybox
check "a network in VLAN 30 of the cable" ja network create red --address 10.78.30.1/24 --nat none --member cable --set vlan=30
check "a network in VLAN 31 of it" ja network create blue --address 10.78.31.1/24 --nat none --member cable --set vlan=31
check "jails in both" sh -c "'$program' --state $state create a --template base --nic eth0,network=red,address=10.78.30.10 --start &&
    '$program' --state $state create b --template base --nic eth0,network=blue,address=10.78.31.10 --start"
check "a jail reaches the other host in its VLAN" sees a 10.78.30.200
check "and so does one in another VLAN" sees b 10.78.31.200
check "the other host gets the frames with their tag" ip netns exec far sh -c '[ $(cat /sys/class/net/plug.30/statistics/rx_packets) -gt 1 ] && [ $(cat /sys/class/net/plug.31/statistics/rx_packets) -gt 1 ]'
check "the other host reaches a jail" ip netns exec far ping -c2 -W3 10.78.30.10
check "no jail answers without a tag" not ip netns exec far ping -c1 -W2 -I plug 10.78.30.10
check "nor in the VLAN of another" not ip netns exec far ping -c1 -W2 -I plug.31 10.78.30.10
check "the tag of a network with running jails stays" refuse "stop" ja network set red vlan=32
check "a nic has no VLAN of its own here" refuse "VLAN" ja create c --template base --nic eth0,network=red,vlan=33
check "stop" ja stop a
check "with its jails stopped it changes" ja network set red vlan=32
check "start" ja start a
check "and the frames carry the new one" not sees a 10.78.30.200
ip -n far addr del 10.78.30.200/24 dev plug.30
ip -n far addr add 10.78.30.201/24 dev plug.32
check "where the other host has an address" sees a 10.78.30.201
check "teardown" ja teardown --force -y
check "the cable is as it was" test "$(ip -o -d link show cable | sed 's/.*cable/cable/')" = "$before"
check "nothing is left" sh -c '! ip -o link show | grep " ja" && ! ls -d /sys/fs/cgroup/jailadmin* /run/jailadmin* 2>/dev/null && ! nft list tables | grep ja'
exit $bad
