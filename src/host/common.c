/*
 * common.c: what follows from a network or a nic alone, and what every system's emitters do in the same way.
 */
#include "base/sha256.h"
#include "host/common.h"

#include <stdio.h>
#include <string.h>

void ja_nic_mac(const struct ja_jail *jail, const struct ja_nic *nic, char mac[JA_MAC_TEXT])
{
    if (nic->mac)
        snprintf(mac, JA_MAC_TEXT, "%s", nic->mac);
    else
        ja_mac_from(jail->uuid, nic->label, mac);
}

void ja_rule_mark(const struct ja_rule *rule, const char *text, struct ja_str *mark)
{
    struct ja_sha256 sha;
    char digest[JA_SHA256_TEXT];
    ja_sha256_init(&sha);
    ja_sha256_add(&sha, text, strlen(text));
    ja_sha256_text(&sha, digest);
    ja_str_addf(mark, "%s %.12s", rule->name, digest);
}

void ja_each_line(const char *text, void (*each)(void *context, const char *line), void *context)
{
    char line[512];
    while (text && *text) {
        size_t length = strcspn(text, "\n");
        if (length < sizeof line) {
            memcpy(line, text, length);
            line[length] = '\0';
            if (length)
                each(context, line);
        }
        text += length + (text[length] == '\n');
    }
}

/* ---- ranges ---- */

struct overlap_check {
    struct ja_planning *p;
    const struct ja_network *network;
    const char *bridge, *command;
};

/* One "ADDRESS/LEN INTERFACE" of the host against the network's prefixes. */
static void check_overlap(void *context, const char *line)
{
    struct overlap_check *check = context;
    struct ja_planning *p = check->p;
    char text[JA_ADDR_TEXT], interface[32];
    struct ja_addr addr;
    if (sscanf(line, "%63s %31s", text, interface) != 2 || ja_addr_parse(text, &addr, NULL) < 0 ||
        strcmp(interface, check->bridge) == 0)
        return;
    bool member = ja_strv_has(&check->network->members, interface);
    if (member && !(addr.v6 && addr.bytes[0] == 0xfe && (addr.bytes[1] & 0xc0) == 0x80))
        ja_plan_note(p->plan,
                     "%s carries the address %s: the host does not use it any more once it is in the bridge %s",
                     interface, text, check->bridge);
    for (size_t i = 0; i < check->network->addresses.count; i++) {
        struct ja_addr ours;
        if (ja_addr_parse(check->network->addresses.items[i], &ours, NULL) < 0 || !ja_addr_overlap(&ours, &addr))
            continue;
        /* The host and its bridge may well share the network that a member is part of. */
        if (member && ja_addr_compare(&ours, &addr) != 0)
            continue;
        ja_plan_fail(p->plan, JA_E_CONFLICT, "field address", "%s overlaps %s, which the host has on %s",
                     check->network->addresses.items[i], text, interface);
        ja_plan_hint(p->plan, "choose a range that is not in use: %s shows what is", check->command);
    }
}

void ja_network_refuse_conflicts(struct ja_planning *p, const struct ja_network *network, const char *bridge,
                                 const char *command)
{
    struct overlap_check check = {p, network, bridge, command};
    if (network->addresses.count || network->members.count)
        ja_each_line(ja_fact(p->facts, JA_FACT_HOSTNETS, ""), check_overlap, &check);
}
