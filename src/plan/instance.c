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

/* The site as JSON on a step's standard input, with the state directory when the step does not name it. */
static void site_input(struct ja_planning *p, struct ja_step *step, bool with_state)
{
    json_t *json = ja_site_to_json(p->site);
    if (json && with_state && json_object_set_new(json, "state", json_string(p->site->state)) < 0) {
        json_decref(json);
        json = NULL;
    }
    ja_autofree char *text = json ? ja_json_text(json, JSON_INDENT(1)) : NULL;
    json_decref(json);
    if (text)
        ja_step_input(p->plan, step, "%s\n", text);
    else
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

/* Both are done before the plan runs, since its own journal and lock lie in the state directory, and undone after it; as
 * steps they find their work done. In a script they do it. */
static void state_steps(struct ja_planning *p)
{
    struct ja_step *step = ja_plan_host_step(p, "instance-register", "register the instance, with numbers of its own");
    ja_step_run(p->plan, step, p->site->tag, NULL);
    site_input(p, step, true);
    step = ja_plan_host_step(p, "store-create", "make the state directory and the store");
    ja_step_run(p->plan, step, "--state", p->site->state, NULL);
    site_input(p, step, false);
    step->flags |= JA_STEP_STORE | JA_STEP_PERSISTENT;
}

void ja_plan_adopt_instance(struct ja_planning *p)
{
    state_steps(p);
    ja_plan_runtime_dirs(p);
    if (!p->storage->pool_mounted(p)) {
        if (!ja_fact(p->facts, JA_FACT_PATH, p->site->pool))
            ja_plan_mkdir(p, p->site->pool, "0700", true, "make the pool's mount point");
        p->storage->pool_mount(p);
    }
    if (p->host->instance_up)
        p->host->instance_up(p);
    struct ja_step *step = setting_step(p, "ready", "yes", "the instance is complete");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
}

void ja_plan_init_instance(struct ja_planning *p, int64_t loop_size, const struct ja_network *network)
{
    state_steps(p);
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
    size_t count = p->site->os == JA_OS_LINUX ? JA_COUNT(parts) : JA_COUNT(parts) - 1; /* the last one is crun's */
    for (size_t i = 0; i < count; i++) {
        step = ja_plan_host_step(p, "remove-tree", "remove the runtime directories");
        ja_step_runf(p->plan, step, "%s%s", p->site->run, parts[i]);
    }
    ja_plan_drop_own_dirs(p);
    step = ja_plan_host_step(p, "rmdir", "remove the runtime directories");
    ja_step_run(p->plan, step, p->site->run, NULL);
    /* The last two are left to whoever runs the plan: its journal is in the state directory until it ends. */
    step = ja_plan_host_step(p, "store-remove", "remove the store and the state directory");
    ja_step_run(p->plan, step, "--state", p->site->state, NULL);
    step->flags |= JA_STEP_STORE | JA_STEP_PERSISTENT;
    step = ja_plan_host_step(p, "registry-remove", "forget the instance, and let its kernel settings go");
    ja_step_run(p->plan, step, p->site->tag, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}
