/*
 * forwards.c: ports of the host that lead to jails: elements of maps, one for each port, so that no rule is added however
 * many there are. What connects from the same network comes back by masquerading; what connects to the host's loopback
 * addresses is left alone.
 */
#include "host/linux/network.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

static void port_elements(const struct ja_linux_script *script, const struct ja_forward_ports *ports,
                          const struct ja_addr *to)
{
    char from[JA_ADDR_TEXT] = "", inner[JA_ADDR_TEXT];
    ja_addr_format(to, false, inner);
    if (ports->has_address)
        ja_addr_format(&ports->address, false, from);
    for (int port = ports->first; port <= ports->last && port - ports->first < JA_FORWARD_PORTS; port++) {
        int inner_port = ports->to + (port - ports->first);
        if (ports->has_address)
            ja_linux_element(script, "inet", to->v6 ? "forward6at" : "forward4at", "%s . %s . %d : %s . %d", from,
                             ports->protocol, port, inner, inner_port);
        else
            ja_linux_element(script, "inet", to->v6 ? "forward6" : "forward4", "%s . %d : %s . %d", ports->protocol,
                             port, inner, inner_port);
    }
}

void ja_linux_forward_elements(const struct ja_linux_script *script, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->forwards.count; i++) {
        struct ja_forward_ports ports;
        if (!ja_forward_read(s->jail->forwards.items[i], &ports))
            continue;
        for (int v6 = 0; v6 < 2; v6++) {
            struct ja_addr to;
            if (ja_forward_target(s, v6, &to, NULL) && (!ports.has_address || ports.address.v6 == v6))
                port_elements(script, &ports, &to);
        }
    }
}

void ja_linux_forwards_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to)
{
    char guard[32];
    if (!from->jail->forwards.count && !to->jail->forwards.count)
        return;
    ja_forwards_check(p, to, from);
    struct ja_step *step = ja_plan_step(p->plan, "forward its ports");
    /* In one transaction: a forward that stays is not interrupted. */
    struct ja_linux_script lines[] = {{.p = p, .step = step, .way = JA_LINUX_REMOVE},
                                      {.p = p, .step = step, .way = JA_LINUX_ADD},
                                      {.p = p, .step = step, .undo = true, .way = JA_LINUX_REMOVE},
                                      {.p = p, .step = step, .undo = true, .way = JA_LINUX_ADD}};
    ja_step_run(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    ja_linux_forward_elements(&lines[0], from);
    ja_linux_forward_elements(&lines[1], to);
    ja_step_undo(p->plan, step, TOOL("nft"), "-f", "-", NULL);
    ja_linux_forward_elements(&lines[2], to);
    ja_linux_forward_elements(&lines[3], from);
    snprintf(guard, sizeof guard, "inet ja%s", p->site->tag);
    ja_step_guard(p->plan, step, JA_FACT_NFT, guard, NULL);
}
