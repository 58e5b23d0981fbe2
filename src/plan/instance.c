/*
 * instance.c: the plans of a whole instance: init and teardown.
 */
#include "host/host.h"
#include "plan/planning.h"
#include "storage/storage.h"

#include <stdio.h>

static struct ja_step *setting_step(struct ja_planning *p, const char *name, const char *value, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "store-setting", "%s", why);
    ja_step_run(p->plan, step, "--state", p->site->state, name, value, NULL);
    step->flags |= JA_STEP_STORE;
    return step;
}

void ja_plan_init_instance(struct ja_planning *p, int64_t loop_size, const struct ja_network *network)
{
    ja_plan_runtime_dirs(p);
    p->storage->pool_create(p, loop_size);
    ja_plan_keep_site(p);
    if (p->host->instance_up)
        p->host->instance_up(p);
    if (network) {
        p->host->network_up(p, network);
        struct ja_network ready = *network; /* shallow: only for writing it as JSON */
        ready.state = JA_ROW_READY;
        ja_plan_keep_spec(p, &ja_noun_network, &ready);
        ja_plan_store_put(p, &ja_noun_network, &ready, "record the network");
    }
    struct ja_step *step = setting_step(p, "ready", "yes", "the instance is complete");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
}

void ja_plan_teardown(struct ja_planning *p)
{
    static const char *const parts[] = {"/jails", "/dns", "/crun"};
    struct ja_step *step = setting_step(p, "ready", "", "the instance is going");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    p->host->instance_down(p);
    ja_plan_drop_site(p);
    p->storage->pool_destroy(p);
    for (size_t i = 0; i < JA_COUNT(parts); i++) {
        step = ja_plan_host_step(p, "remove-tree", "remove the runtime directories");
        ja_step_runf(p->plan, step, "%s%s", p->site->run, parts[i]);
    }
    step = ja_plan_host_step(p, "rmdir", "remove the runtime directories");
    ja_step_run(p->plan, step, p->site->run, NULL);
}
