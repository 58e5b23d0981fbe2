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
        p->plan->steps[p->plan->count - 1]->flags |= JA_STEP_COMMIT;
}

void ja_plan_network_delete(struct ja_planning *p, const struct ja_network *network)
{
    struct ja_step *step = ja_plan_store_delete(p, "network", network->name, "forget the network");
    step->flags |= JA_STEP_COMMIT | JA_STEP_PERSISTENT;
    p->host->network_down(p, network);
    ja_plan_drop_spec(p, &ja_noun_network, network->name);
}
