/*
 * forward.c: port forwards as they are asked for: ports of the host that lead to a jail, and whether they are free.
 */
#include "host/common.h"

#include <stdio.h>
#include <string.h>

bool ja_forward_read(const struct ja_forward *forward, struct ja_forward_ports *ret_ports)
{
    struct ja_forward_ports ports = {.protocol = forward->protocol == 0 ? "tcp" : "udp"};
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

bool ja_forward_target(const struct ja_subject *s, bool v6, struct ja_addr *ret_addr, size_t *ret_nic)
{
    bool found = false;
    for (int gateway = 1; gateway >= 0 && !found; gateway--)
        for (size_t i = 0; i < s->jail->nics.count && !found; i++) {
            const struct ja_nic *nic = s->jail->nics.items[i];
            for (size_t a = 0; a < nic->assigned.count && !found && nic->gateway == (gateway == 1); a++)
                found = ja_addr_parse(nic->assigned.items[a], ret_addr, NULL) == 0 && ret_addr->v6 == v6;
            if (found && ret_nic)
                *ret_nic = i;
        }
    return found;
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
    struct ja_forward_ports ports;
    struct ja_addr to;
    char object[160];
    if (!ja_forward_read(forward, &ports))
        return;
    snprintf(object, sizeof object, "field forwards.%s.port", forward->name);
    if (ports.last - ports.first >= JA_FORWARD_PORTS)
        ja_plan_fail(p->plan, JA_E_LIMIT, object, "%s are %d ports; one forward has at most %d", forward->port,
                     ports.last - ports.first + 1, JA_FORWARD_PORTS);
    if (!(ports.has_address ? ja_forward_target(s, ports.address.v6, &to, NULL)
                            : ja_forward_target(s, false, &to, NULL) || ja_forward_target(s, true, &to, NULL)))
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

void ja_forwards_check(struct ja_planning *p, const struct ja_subject *s, const struct ja_subject *except)
{
    for (size_t i = 0; i < s->jail->forwards.count; i++)
        if (!has_same(except, s->jail->forwards.items[i]))
            check_forward(p, s, s->jail->forwards.items[i]);
}
