/*
 * rules.c: the elements of networks and nics in the instance's tables.
 */
#include "host/linux/network.h"

bool ja_linux_rules_are_up(struct ja_planning *p, const struct ja_network *network)
{
    (void)p;
    (void)network;
    return true;
}
void ja_linux_rules_up(struct ja_planning *p, const struct ja_network *network)
{
    (void)p;
    (void)network;
}
void ja_linux_rules_down(struct ja_planning *p, const struct ja_network *network)
{
    (void)p;
    (void)network;
}
void ja_linux_rules_remove_all(struct ja_planning *p)
{
    (void)p;
}
void ja_linux_nic_rules_add(struct ja_planning *p, const struct ja_subject *s)
{
    (void)p;
    (void)s;
}
void ja_linux_nic_rules_remove(struct ja_planning *p, const struct ja_subject *s)
{
    (void)p;
    (void)s;
}
