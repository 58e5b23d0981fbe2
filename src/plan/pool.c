/*
 * pool.c: bringing the storage back after a boot.
 */
#include "plan/planning.h"
#include "storage/storage.h"

void ja_plan_pool_mount(struct ja_planning *p)
{
    if (p->storage->pool_mounted(p))
        return;
    p->storage->pool_mount(p);
    if (p->plan->count)
        p->plan->steps[p->plan->count - 1]->flags |= JA_STEP_COMMIT;
}
