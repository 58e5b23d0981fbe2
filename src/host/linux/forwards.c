/*
 * forwards.c: ports of the host that lead to jails: elements of maps, one for each port, so that no rule is added however
 * many there are. What connects from the same network comes back by masquerading; what connects to the host's loopback
 * addresses is left alone.
 */
#include "host/linux/network.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* One forward has at most so many ports: each is an element. */
enum { PORTS_MOST = 4096 };

struct ports {
    const char *protocol;
    int first, last, to;
    bool has_address;
    struct ja_addr address; /* of the host */
};

/* What a forward says; false when it says nothing useful, which the field tables have refused before. */
static bool read_forward(const struct ja_forward *forward, struct ports *ret_ports)
{
    struct ports ports = {.protocol = forward->protocol == 0 ? "tcp" : "udp"};
    int to_last;
    if (!forward->port || ja_ports_parse(forward->port, &ports.first, &ports.last) < 0)
        return false;
    if (ja_ports_parse(forward->to ? forward->to : forward->port, &ports.to, &to_last) < 0)
        return false;
    ports.has_address = forward->address && forward->address[0];
    if (ports.has_address && ja_addr_parse(forward->address, &ports.address, NULL) < 0)
        return false;
    *ret_ports = ports;
    return true;
}

/* The address of a family that a forward leads to: of the nic that has the default route, since the answers leave by
 * it; else of the first nic that has one. */
static bool target(const struct ja_subject *s, bool v6, struct ja_addr *ret_addr)
{
    bool found = false;
    for (int gateway = 1; gateway >= 0 && !found; gateway--)
        for (size_t i = 0; i < s->jail->nics.count && !found; i++) {
            const struct ja_nic *nic = s->jail->nics.items[i];
            for (size_t a = 0; a < nic->assigned.count && !found && nic->gateway == (gateway == 1); a++)
                found = ja_addr_parse(nic->assigned.items[a], ret_addr, NULL) == 0 && ret_addr->v6 == v6;
        }
    return found;
}

static void port_elements(const struct ja_linux_script *script, const struct ports *ports, const struct ja_addr *to)
{
    char from[JA_ADDR_TEXT] = "", inner[JA_ADDR_TEXT];
    ja_addr_format(to, false, inner);
    if (ports->has_address)
        ja_addr_format(&ports->address, false, from);
    for (int port = ports->first; port <= ports->last && port - ports->first < PORTS_MOST; port++) {
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
        struct ports ports;
        if (!read_forward(s->jail->forwards.items[i], &ports))
            continue;
        for (int v6 = 0; v6 < 2; v6++) {
            struct ja_addr to;
            if (target(s, v6, &to) && (!ports.has_address || ports.address.v6 == v6))
                port_elements(script, &ports, &to);
        }
    }
}

/* True when a forward of `s` has the same ports already: what listens there gets nothing of them anyway. */
static bool has_same(const struct ja_subject *s, const struct ja_forward *forward)
{
    for (size_t i = 0; s && i < s->jail->forwards.count; i++) {
        const struct ja_forward *other = s->jail->forwards.items[i];
        if (other->protocol == forward->protocol && ja_str_equal(other->port, forward->port) &&
            ja_str_equal(other->address, forward->address))
            return true;
    }
    return false;
}

static void check_forward(struct ja_planning *p, const struct ja_subject *s, const struct ja_forward *forward)
{
    struct ports ports;
    struct ja_addr to;
    char object[160];
    if (!read_forward(forward, &ports))
        return;
    snprintf(object, sizeof object, "field forwards.%s.port", forward->name);
    if (ports.last - ports.first >= PORTS_MOST)
        ja_plan_fail(p->plan, JA_E_LIMIT, object, "%s are %d ports; one forward has at most %d", forward->port,
                     ports.last - ports.first + 1, PORTS_MOST);
    if (!(ports.has_address ? target(s, ports.address.v6, &to) : target(s, false, &to) || target(s, true, &to)))
        ja_plan_fail(p->plan, JA_E_INVALID, object, "the jail has no address that it could lead to");
    const char *who = ja_factf(p->facts, JA_FACT_LISTEN, "%s %s %s", ports.protocol,
                               ports.has_address ? forward->address : "*", forward->port);
    if (who) {
        ja_plan_fail(p->plan, JA_E_CONFLICT, object, "%s port %s of the host is in use by %s", ports.protocol,
                     forward->port, who);
        ja_plan_hint(p->plan, "choose another port, give the forward an address of its own, or end that program");
    }
    if (ports.has_address && !ja_fact(p->facts, JA_FACT_HOSTADDR, forward->address))
        ja_plan_note(p->plan, "%s: the host has no address %s now, to which %s is forwarded", s->jail->name,
                     forward->address, forward->name);
}

void ja_linux_forwards_check(struct ja_planning *p, const struct ja_subject *s, const struct ja_subject *except)
{
    for (size_t i = 0; i < s->jail->forwards.count; i++)
        if (!has_same(except, s->jail->forwards.items[i]))
            check_forward(p, s, s->jail->forwards.items[i]);
}

void ja_linux_forwards_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to)
{
    char guard[32];
    if (!from->jail->forwards.count && !to->jail->forwards.count)
        return;
    ja_linux_forwards_check(p, to, from);
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
