#!/bin/sh
# Jails on a host with systemd: what it does and what is done to it leaves them and their limits alone; a reboot stops them in
# order and brings them back. Runs by kernel.sh --systemd.
set -u
# shellcheck source=kit.sh
. "$(dirname "$0")/kit.sh"
ja() { "$program" "$@"; } # the default instance, which the unit is for
prints() { # prints TEXT COMMAND...
    text=$1
    shift
    "$@" >/var/tmp/printed 2>&1
    cat /var/tmp/printed
    grep -q -e "$text" /var/tmp/printed
}
eventually() {
    for _ in $(seq 60); do
        ! "$@" || return 0
        sleep 0.5
    done
    return 1
}
init_of() { readlink "/run/jailadmin-$tag/jails/$1/pid" | cut -d' ' -f1; }
file_of() { # file_of V1-CONTROLLER V1-FILE V2-FILE: of the first jail
    if [ -e "$cgroups/$1/$unit/ja${tag}0" ]; then cat "$cgroups/$1/$unit/ja${tag}0/$2"; else cat "$cgroups/$unit/ja${tag}0/$3"; fi
}
limited() { # the jail that was started first is still that one, and limited
    [ "$(init_of 0)" = "$init" ] && kill -0 "$init" &&
        case "$(file_of memory memory.limit_in_bytes memory.max) $(file_of pids pids.max pids.max)" in
        "67108864 40") ;;
        *) false ;;
        esac &&
        case "$(file_of cpu cpu.cfs_quota_us cpu.max)" in "50000" | "50000 100000") ;;
        *) false ;;
        esac
}
holder() { systemctl show -p MainPID --value "$unit"; }
held() { [ "$(holder)" -gt 1 ] && systemctl -q is-active "$unit"; }
units=/etc/systemd/system
cgroups=/sys/fs/cgroup
tag=00
unit=jailadmin-$tag.service

if [ -e /var/tmp/second ]; then
    echo "after the reboot"
    check "the jails were stopped in order before it" prints "^stopped b" cat /var/tmp/shutdown
    check "the unit is up" eventually systemctl -q is-active jailadmin.service
    check "what was to be started with the host runs" prints running ja list a
    check "what was not does not" prints stopped ja list b
    check "it is below the unit" prints "$unit/ja${tag}0" cat "/proc/$(init_of 0)/cgroup"
    check "its process keeps it" held
check "teardown" ja teardown --force -y
    check "the unit is gone" eventually not systemctl -q is-active "$unit"
    check "nothing is left" sh -c "! find $cgroups -name 'jailadmin-*' | grep . && ! ls -d /run/jailadmin* 2>/dev/null"
    exit $bad
fi

# The unit as it is installed, but with this program, and keeping what a stop says.
sed "s|/[^ ]*/jailadmin shutdown|$program shutdown >/var/tmp/shutdown 2>\&1|; s|/[^ ]*/jailadmin boot|$program boot|" "$2" >$units/jailadmin.service
check "systemd understands the unit" not prints . systemd-analyze --man=no verify $units/jailadmin.service
check "init" ja init --storage file:512M --network 10.79.0.1/24
check "template" ja template create base --from busybox
check "create" ja create a b --template base --limit memory=64M --limit processes=40 --limit cpu=0.5
check "a start from a session of somebody" systemd-run -q --wait -p PAMName=login -p User=root "$program" start a
[ $bad -eq 0 ] || { journalctl -b --no-pager -u $unit | tail -n 20; exit 1; }
init=$(init_of 0)
check "the jail is below a unit of its own" prints "/$unit/ja${tag}0" cat "/proc/$init/cgroup"
check "the session is over, and the jail lives, limited" limited
check "another jail starts" ja start b
check "the resolver is below the unit too" prints "/$unit/hold" sh -c "cat /proc/\$(cat /run/jailadmin-$tag/dns/*.pid)/cgroup"
check "systemd lists the unit" prints "Control groups of jails" systemctl status $unit
check "a reload of systemd" systemctl daemon-reload
check "leaves jail and limits alone" limited
check "other units come and go" systemd-run -q --wait -p CPUQuota=10% -p MemoryMax=50M true
check "which leaves jail and limits alone" limited
check "systemd starts itself anew" systemctl daemon-reexec
check "which leaves jail and limits alone" limited
check "the unit cannot be stopped by mistake" not systemctl stop $unit
check "it is still there" held
kill -9 "$(holder)"
check "its process is killed, and it ends" eventually not held
systemctl daemon-reload
check "other units come and go" systemd-run -q --wait -p CPUQuota=10% -p MemoryMax=50M true
check "jails and limits are there" limited
check "jails start and stop" ja restart b
check "with their limits" prints 67108864 sh -c "cat $cgroups/$unit/ja${tag}1/memory.max $cgroups/memory/$unit/ja${tag}1/memory.limit_in_bytes"
check "and leave the other jail alone" limited
check "all jails stop" ja stop a b
check "and start" ja start a b
init=$(init_of 0)
check "with the limits" limited
check "a jail that is out of memory" not ja exec b -- dd if=/dev/zero of=/dev/null bs=200M count=1
check "does not concern the others" limited
check "names are still resolved" prints "Address.*10.79.0" ja exec b -- nslookup a
check "the service starts jails" systemctl start jailadmin.service
check "those that run are left alone" limited
check "a restart of the service" systemctl restart jailadmin.service
check "leaves jail and limits alone" limited
check "the jail is to be started with the host" ja set a boot=yes
check "the other is not" ja set b boot=no
systemctl -q enable jailadmin.service
[ $bad -eq 0 ] || exit 1
touch /var/tmp/second
exit 100
