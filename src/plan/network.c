/*
 * network.c: the plans of networks. The kernel's part is made when the network is created, and again by the first start after
 * a boot.
 */
#include "host/host.h"
#include "plan/planning.h"

bool ja_network_is_up(struct ja_planning *p, const struct ja_network *network)
{
    return p->host->network_is_up(p, network);
}

void ja_plan_network_create(struct ja_planning *p, const struct ja_network *network)
{
    p->host->network_up(p, network);
    struct ja_network ready = *network; /* shallow: only for writing it as JSON */
    ready.state = JA_ROW_READY;
    ja_plan_keep_spec(p, &ja_noun_network, &ready);
    struct ja_step *step = ja_plan_store_put(p, &ja_noun_network, &ready, "record the network");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
}

void ja_plan_network_up(struct ja_planning *p, const struct ja_network *network)
{
    size_t before = p->plan->count;
    p->host->network_up(p, network);
    if (p->plan->count > before)
        ja_plan_commit_last(p);
}

void ja_plan_network_delete(struct ja_planning *p, const struct ja_network *network)
{
    struct ja_step *step = ja_plan_store_delete(p, "network", network->name, "forget the network");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    p->host->network_down(p, network);
    ja_plan_drop_spec(p, &ja_noun_network, network->name);
}

void ja_plan_network_set(struct ja_planning *p, const struct ja_networkset *set)
{
    if (!p->host->network_needs_stop(set->from, set->to))
        p->host->network_change(p, set->from, set->to, set->from_jails, set->to_jails, set->count);
    ja_plan_keep_spec(p, &ja_noun_network, set->to);
    struct ja_step *step = ja_plan_store_put(p, &ja_noun_network, set->to, "record the network");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    p->host->network_changed(p, set->from, set->to);
}

/* All of a repair is repeatable, so it is committed by its first step: what fails keeps nothing else from being repaired. */
static void commit_first(struct ja_plan *plan)
{
    if (plan->count)
        plan->steps[0]->flags |= JA_STEP_COMMIT;
    for (size_t i = 0; i < plan->count; i++) {
        struct ja_step *step = plan->steps[i];
        ja_strv_fini(&step->undo.argv);
        ja_free(step->undo.input);
        step->undo.input = NULL;
    }
}

void ja_plan_instance_repair(struct ja_planning *p)
{
    if (p->host->instance_repair)
        p->host->instance_repair(p);
    if (ja_plan_site_lost(p))
        ja_plan_keep_site(p);
    commit_first(p->plan);
}

void ja_plan_jail_repair(struct ja_planning *p, const struct ja_subject *s)
{
    if (p->host->jail_repair)
        p->host->jail_repair(p, s);
    commit_first(p->plan);
}

void ja_plan_spec_repair(struct ja_planning *p, const struct ja_noun *noun, const void *object)
{
    if (ja_plan_spec_lost(p, noun, object))
        ja_plan_keep_spec(p, noun, object);
    commit_first(p->plan);
}
