#!/bin/sh
# What runs in jails and around them: services, hooks, stop commands, volumes and mounts, privileged jails and jails with the
# host's network. inside.sh JAILADMIN
set -u
program=$(realpath "$1") || exit 1
. "$(dirname "$0")/kit.sh"
kit_begin inside
kit_init --storage file:1G --network $network.1/24
want "a template" ja template create base --from busybox

# ---- services ----
want "a jail with services" ja create web --template base --start \
    --service 'http,command=httpd -f -p 80 -h /var,order=1' \
    --service 'again,command=sh -c "echo once more; exit 3",restart=failure,order=2' \
    --service 'done,command=sh -c "echo just once",restart=failure,order=3' \
    --service 'user,command=sh -c "id -un >/tmp/who; sleep 1000",user=nobody,order=4' \
    --service 'polite,command=sh -c "trap \"echo asked >>/srv/end; exit\" TERM; while :; do sleep 0.1; done",order=5'
want "one answers" eventually ja exec web -- sh -c 'mkdir -p /srv; wget -q -O - http://127.0.0.1/ 2>&1 | grep -q 404'
want "one runs as its user" eventually prints nobody ja exec web -- cat /tmp/who
want "with the jail's filter of system calls" sh -c "pid=\$(readlink /run/jailadmin-$(tag)/jails/*/service-http.pid | sed 's/ .*//'); grep -q 'Seccomp:.2' /proc/\$pid/status"
want "one that fails is started again" eventually sh -c "[ \$('$program' --state '$state' logs web | grep -c 'once more') -ge 2 ]"
want "one that ends well is not" test "$(ja logs web | grep -c 'just once')" -eq 1
want "a graceful stop" ja stop web
want "asks them to end" grep -q asked "$state/pool/jails/web/root/default/srv/end"
want "a service that cannot start" ja set web 'services.bad.command=/nosuch'
want "is a warning" prints "warning: jail web: start its service bad" ja start web
want "and the jail runs without it" prints "^web *running" ja list web
want "with the others" eventually ja exec web -- sh -c 'wget -q -O - http://127.0.0.1/ 2>&1 | grep -q 404'
refuse "a user that the jail does not have" "no user" sh -c "'$program' --state '$state' set web services.user.user=nosuch >/dev/null && '$program' --state '$state' restart --force web"
want "delete" ja delete -y --force web

# ---- init and stop command ----
want "an init of one's own and a stop command" ja create own --template base --start --set 'init=/bin/sh -c "trap exit USR1; while :; do sleep 0.1; done"' \
    --set 'stop-command=/bin/sh -c "echo stopping >/stopped; kill -USR1 1"'
want "stop" ja stop own
want "the command ran" grep -q stopping "$state/pool/jails/own/root/default/stopped"
want "an init that does not listen" ja set own 'init=/bin/sh -c "trap : TERM; while :; do sleep 0.1; done"' stop-command= stop-timeout=1s
want "starts" ja start own
want "and is ended after its time" prints "did not end" ja stop own
want "it is stopped" prints "^own *stopped" ja list own
want "the template's init again, and a service" ja set own init= 'services.s.command=sleep 1000' 'stop-command=/bin/false'
want "poweroff from inside" sh -c "'$program' --state '$state' start own && '$program' --state '$state' exec own -- poweroff"
want "stops it" eventually prints "^own *stopped" ja list own
want "reboot from inside" sh -c "'$program' --state '$state' start own && '$program' --state '$state' exec own -- reboot"
want "stops it too" eventually prints "^own *stopped" ja list own
want "stopping what has stopped asks nobody" not prints warning ja stop own
want "then it starts again" ja start own
want "delete" ja delete -y --force own

# ---- hooks ----
want "a jail with hooks" ja create hooked --template base \
    --set "hooks.before-start=/bin/sh -c 'env | grep ^JAILADMIN_ | sort >$dir/env'" --set "hooks.after-start=touch $dir/after-start" \
    --set "hooks.before-stop=touch $dir/before-stop" --set "hooks.after-stop=touch $dir/after-stop"
want "start" ja start hooked
want "the environment names it" grep -q "JAILADMIN_JAIL=hooked" "$dir/env"
want "and its address" grep -q "JAILADMIN_ADDRESSES=$network" "$dir/env"
want "after the start" test -e "$dir/after-start"
want "stop" ja stop --force hooked
want "before and after the stop" test -e "$dir/before-stop" -a -e "$dir/after-stop"
rm -f "$dir/after-stop"
want "it ends by itself" sh -c "'$program' --state '$state' start hooked && '$program' --state '$state' exec hooked -- poweroff"
want "and has ended" eventually prints "^hooked *stopped" ja list hooked
want "the next start first runs what belongs after the stop" sh -c "'$program' --state '$state' start hooked && [ -e '$dir/after-stop' ]"
want "stop" ja stop --force hooked
want "no shell reads a hook" ja set hooked "hooks.before-start=echo x;touch $dir/shell"
want "its words are words" sh -c "'$program' --state '$state' start hooked; [ ! -e '$dir/shell' ]"
want "delete" ja delete -y --force hooked

# ---- volumes and mounts ----
mkdir -p "$dir/share"
echo shared >"$dir/share/file"
want "a jail with a volume, a mount and a tmpfs" ja create data --template base --start --volume db,target=/var/lib/db \
    --mount "/mnt/share,source=$dir/share" --mount "/mnt/ro,source=$dir/share,readonly=yes" --mount "/mnt/tmp,type=tmpfs,size=1M"
want "the volume belongs to the jail's root" prints "^0 0$" ja exec data -- stat -c '%u %g' /var/lib/db
want "and is written" ja exec data -- sh -c 'echo precious >/var/lib/db/file'
want "the host's directory is there" prints shared ja exec data -- cat /mnt/share/file
want "read-only where it is so" not ja exec data -- touch /mnt/ro/x
want "a tmpfs has its size" not ja exec data -- sh -c 'head -c 2000000 /dev/zero >/mnt/tmp/x'
want "a clone" ja clone data copy --start
want "has the volume's data" prints precious ja exec copy -- cat /var/lib/db/file
want "of its own" sh -c "'$program' --state '$state' exec copy -- sh -c 'echo other >/var/lib/db/file' && '$program' --state '$state' exec data -- cat /var/lib/db/file | grep -q precious"
want "a volume is added to a jail" ja set data volumes.log.target=/var/log/db volumes.log.size=8M
want "and there after a restart" sh -c "'$program' --state '$state' restart --force data && '$program' --state '$state' exec data -- touch /var/log/db/x"
want "its size is a limit" not ja exec data -- sh -c 'head -c 20000000 /dev/urandom >/var/log/db/big && sync'
want "that can change while it runs" ja set data volumes.log.size=64M
want "at once" ja exec data -- sh -c 'head -c 20000000 /dev/urandom >/var/log/db/big && sync'
want "disk space of the tree is limited" ja set data limits.disk=16M
want "at once too" not ja exec data -- sh -c 'head -c 40000000 /dev/urandom >/big && sync'
refuse "taking a volume from a running jail" "in use" ja set data volumes.db= --yes
want "stop" ja stop --force data
refuse "taking it without a yes" "destroyed with its data" ja set data volumes.db=
want "the data is there still" grep -q precious "$state/pool/jails/data/vol/db/file"
want "with a yes it goes" ja set data volumes.db= --yes
want "with its data" test ! -e "$state/pool/jails/data/vol/db"
want "delete" ja delete -y --force data copy

# ---- permissions and devices ----
want "a jail with more permissions, and a device" ja create more --template base --set allow=sys_nice,ipc_lock --set devices=/dev/full --start
caps=$(ja exec more -- sh -c 'grep CapBnd /proc/self/status' | cut -f2)
want "it has them" test $((0x$caps >> 23 & 1)) -eq 1 -a $((0x$caps >> 14 & 1)) -eq 1
want "and no others" test $((0x$caps >> 21 & 1)) -eq 0
want "the device is there" ja exec more -- test -c /dev/full
refuse "what is no permission of Linux" "no capability of Linux" ja set more allow=raw_sockets
want "it stops" ja stop --force more
want "the same with a device that is not there" ja set more allow= devices=/dev/nosuch
refuse "is refused" "no device /dev/nosuch" ja start more
want "what has no effect is said" prints "warning: more: limits.swap has no effect" ja set more devices= limits.swap=1M
want "a clone takes options" ja clone more less --set limits.swap= --label made=clone --start
want "that count" prints "^less " ja list label.made=clone
want "delete" ja delete -y --force more less

# ---- the host's network, privileges ----
want "vnet=inherit warns of ports" prints "ports below" ja create inherit --template base --set vnet=inherit --start
want "and of abstract sockets" grep -q "abstract sockets" "$dir/printed"
want "it sees the host's interfaces" prints "ja$(tag)br0" ja exec inherit -- ip link
want "its root is not the host's" prints "65536$" ja exec inherit -- cat /proc/self/uid_map
want "and cannot change the host's network" not ja exec inherit -- ip link add dummy0 type dummy
want "vnet=shared" ja create shared --template base --set vnet=shared --nic eth0,network=default --start
address=$(ja --json list shared | sed 's/.*"addresses":\["\([^"]*\)".*/\1/')
want "its address is the host's" sh -c "ip -4 addr show | grep -q ' $address/32 '"
want "where it listens" ja exec shared -- httpd -p "$address:8080" -h /var
want "and is reached" eventually sh -c "curl -s --noproxy '*' --max-time 3 -o /dev/null http://$address:8080/"
want "stop" ja stop --force shared inherit
refuse "forwards of a jail without a network of its own" "only jails with vnet=yes" ja set shared forwards.web.port=8088
want "the address is gone" sh -c "! ip -4 addr show | grep -q ' $address/'"
want "privileged warns" prints "its root is the host's root" ja create root --template base --set privileged=yes --start
want "and is so" prints "4294967295$" ja exec root -- cat /proc/self/uid_map
want "with a network of its own" ja exec root -- ping -c1 -W2 $network.1
kit_end
