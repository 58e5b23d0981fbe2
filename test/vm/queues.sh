#!/bin/sh
# What tc(8) and the native in its place make of the same lines, on a kernel with netem: queues.sh TEST_NATIVES. Runs by boot.sh.
set -u
for module in net/sched/sch_netem net/sched/sch_tbf net/sched/sch_ingress net/sched/cls_u32 net/sched/act_mirred drivers/net/ifb \
    drivers/net/veth; do
    insmod "/usr/lib/uml/modules/$(uname -r)/kernel/$module.ko" 2>/dev/null # or it is built in
done
if unshare -n tc qdisc add dev lo root netem delay 5ms && TMPDIR=/run "$1" --shaping 2>&1; then
    echo "ok: queues are the same"
else
    echo "FAILED: queues are the same"
fi
