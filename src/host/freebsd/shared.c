/*
 * shared.c: the addresses of a jail without a network stack of its own: further ones of the host, on the bridges of its networks.
 *
 * jail(8) would add them too (ip4.addr=IF|ADDRESS/LEN), but does not take them away again when a jail ends that no jail.conf
 * describes, and the kernel does not either. So they are steps of their own.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* Calls `each` with every address, "10.66.0.5/32", and the bridge that has it. */
static void each_address(struct ja_planning *p, const struct ja_subject *s, void *context,
                         void (*each)(struct ja_planning *p, void *context, const char *bridge,
                                      const struct ja_addr *addr))
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct ja_freebsd_nic nic;
        ja_freebsd_nic_fill(p, s, i, &nic);
        for (size_t a = 0; a < nic.nic->assigned.count; a++) {
            struct ja_addr addr;
            if (ja_addr_parse(nic.nic->assigned.items[a], &addr, NULL) < 0)
                continue;
            addr.prefix = addr.v6 ? 128 : 32;
            each(p, context, nic.bridge, &addr);
        }
    }
}

static void add_one(struct ja_planning *p, JA_UNUSED void *context, const char *bridge, const struct ja_addr *addr)
{
    char text[JA_ADDR_TEXT], plain[JA_ADDR_TEXT];
    ja_addr_format(addr, true, text);
    ja_addr_format(addr, false, plain);
    const char *owner = ja_fact(p->facts, JA_FACT_HOSTADDR, plain);
    if (owner && strcmp(owner, bridge) != 0) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, "field nics", "the host's interface %s has the address %s already", owner,
                     plain);
        return;
    }
    struct ja_step *step = ja_plan_step(p->plan, "give the host the address that it shares with the jail");
    ja_freebsd_address_words(p, step, bridge, text, false);
    ja_freebsd_removal_words(p, step, bridge, text, true);
    ja_step_guard(p->plan, step, JA_FACT_HOSTADDR, plain, bridge);
}

void ja_freebsd_shared_add(struct ja_planning *p, const struct ja_subject *s)
{
    each_address(p, s, NULL, add_one);
}

static void remove_one(struct ja_planning *p, JA_UNUSED void *context, const char *bridge, const struct ja_addr *addr)
{
    char text[JA_ADDR_TEXT], plain[JA_ADDR_TEXT];
    ja_addr_format(addr, true, text);
    ja_addr_format(addr, false, plain);
    const char *owner = ja_fact(p->facts, JA_FACT_HOSTADDR, plain);
    if (!owner || strcmp(owner, bridge) != 0)
        return;
    struct ja_step *step = ja_plan_step(p->plan, "take the address away that it shared");
    ja_freebsd_removal_words(p, step, bridge, text, false);
    step->flags |= JA_STEP_IGNORE;
}

void ja_freebsd_shared_remove(struct ja_planning *p, const struct ja_subject *s)
{
    each_address(p, s, NULL, remove_one);
}

static void add_word(JA_UNUSED struct ja_planning *p, void *context, JA_UNUSED const char *bridge,
                     const struct ja_addr *addr)
{
    struct ja_str *lists = context;
    char plain[JA_ADDR_TEXT];
    ja_addr_format(addr, false, plain);
    ja_str_addf(&lists[addr->v6], "%s%s", lists[addr->v6].length ? "," : "", plain);
}

void ja_freebsd_shared_words(struct ja_planning *p, const struct ja_subject *s, struct ja_step *step)
{
    struct ja_str lists[2] = {{0}, {0}};
    each_address(p, s, lists, add_word);
    for (int v6 = 0; v6 < 2; v6++) {
        if (lists[v6].failed)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        else if (lists[v6].length)
            ja_step_runf(p->plan, step, "ip%c.addr=%s", v6 ? '6' : '4', lists[v6].text);
        else
            ja_step_runf(p->plan, step, "ip%c=disable", v6 ? '6' : '4');
        ja_str_fini(&lists[v6]);
    }
}
