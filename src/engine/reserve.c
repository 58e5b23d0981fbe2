/*
 * reserve.c: what an object needs for itself alone: slot, addresses, ports. All within the store's open transaction.
 */
#include "engine/internal.h"
#include "net/addr.h"
#include "run/registry.h"

#include <stdio.h>
#include <string.h>

/* ---- addresses ---- */

static int compare_addresses(const void *a, const void *b)
{
    return ja_addr_compare(a, b);
}

/* All addresses that are taken on a network, sorted. */
static int taken_addresses(struct ja_engine *engine, const char *network, struct ja_addr **ret_taken, size_t *ret_count,
                           struct ja_error *err)
{
    char prefix[96];
    ja_autostrv struct ja_strv keys = {0};
    size_t skip = (size_t)snprintf(prefix, sizeof prefix, "%s ", network), count = 0;
    int rc = ja_store_reserved(engine->store, "address", prefix, NULL, &keys, err);
    if (rc < 0)
        return rc;
    struct ja_addr *taken = ja_calloc(keys.count + 1, sizeof *taken);
    if (!taken)
        return ja_error_nomem(err);
    for (size_t i = 0; i < keys.count; i++)
        if (ja_addr_parse(keys.items[i] + skip, &taken[count], NULL) == 0)
            count++;
    qsort(taken, count, sizeof *taken, compare_addresses);
    *ret_taken = taken;
    *ret_count = count;
    return 0;
}

/* The network's own address of a family, with its prefix. */
static bool network_address(const struct ja_network *network, bool v6, struct ja_addr *ret_addr)
{
    for (size_t i = 0; i < network->addresses.count; i++)
        if (ja_addr_parse(network->addresses.items[i], ret_addr, NULL) == 0 && ret_addr->v6 == v6)
            return true;
    return false;
}

static int reserve_address(struct ja_engine *engine, const char *network, const struct ja_addr *addr, const char *uuid,
                           struct ja_error *err)
{
    char key[192], text[JA_ADDR_TEXT];
    ja_addr_format(addr, false, text);
    snprintf(key, sizeof key, "%s %s", network, text);
    return ja_store_reserve(engine->store, "address", key, uuid, err);
}

/* Whether the host has an address itself: on an interface that is part of the network, or one that came later. Not
 * counted is what it has on the network's bridge, for jails that share its stack. */
static int host_has(struct ja_engine *engine, const struct ja_network *network, const struct ja_addr *addr,
                    char ret_interface[16], struct ja_error *err)
{
    char text[JA_ADDR_TEXT], bridge[16];
    ja_autofree char *interface = NULL;
    ja_addr_format(addr, false, text);
    ja_site_bridge_name(&engine->site, network->slot, bridge);
    int rc = ja_machine_fact(engine->machine, JA_FACT_HOSTADDR, text, &interface, err);
    ret_interface[0] = '\0';
    if (rc == 0 && interface && strcmp(interface, bridge) != 0)
        snprintf(ret_interface, 16, "%s", interface);
    return rc;
}

static int next_free(struct ja_engine *engine, const struct ja_network *network, bool v6, struct ja_addr *ret_addr,
                     struct ja_error *err)
{
    struct ja_addr own, addr, *taken = NULL;
    size_t count = 0;
    char interface[16] = "?";
    if (!network_address(network, v6, &own))
        return ja_error_set(err, JA_E_INVALID, JA_LABEL("network", network->name),
                            "it has no IPv%d address, so none can be given to a jail", v6 ? 6 : 4);
    int rc = taken_addresses(engine, network->name, &taken, &count, err);
    while (rc == 0 && interface[0]) {
        rc = ja_addr_allocate(&own, taken, count, &addr, err);
        if (rc == 0)
            rc = host_has(engine, network, &addr, interface, err);
        if (rc < 0 || !interface[0])
            break;
        struct ja_addr *more = ja_realloc(taken, (count + 2) * sizeof *more);
        if (!more) {
            rc = ja_error_nomem(err);
            break;
        }
        taken = more;
        taken[count++] = addr;
        qsort(taken, count, sizeof *taken, compare_addresses);
    }
    if (rc == JA_E_LIMIT) {
        ja_error_set(err, JA_E_LIMIT, JA_LABEL("network", network->name), "no free address is left");
        ja_error_hint(err, "make another network, or delete jails that are not needed");
    }
    free(taken);
    if (rc < 0)
        return rc;
    *ret_addr = addr;
    ret_addr->prefix = own.prefix;
    return 0;
}

/* A given address: inside its network, usable, not the gateway's. */
static int check_given(struct ja_engine *engine, const struct ja_network *network, const char *text,
                       struct ja_addr *ret_addr, struct ja_error *err)
{
    struct ja_addr own;
    char interface[16];
    int rc = ja_addr_parse(text, ret_addr, err);
    if (rc < 0)
        return rc;
    if (!network_address(network, ret_addr->v6, &own))
        return ja_error_set(err, JA_E_INVALID, "field nics.address", "%s: the network %s has no IPv%d addresses", text,
                            network->name, ret_addr->v6 ? 6 : 4);
    char range[JA_ADDR_TEXT];
    struct ja_addr net;
    ja_addr_network(&own, &net);
    ja_addr_format(&net, true, range);
    if (!ja_addr_in(&own, ret_addr) || !ja_addr_usable(&own, ret_addr))
        return ja_error_set(err, JA_E_INVALID, "field nics.address",
                            "%s is not a usable address of the network %s, which is "
                            "%s",
                            text, network->name, range);
    if (ja_addr_compare(&own, ret_addr) == 0)
        return ja_error_set(err, JA_E_CONFLICT, "field nics.address", "%s is the gateway of the network %s", text,
                            network->name);
    rc = host_has(engine, network, ret_addr, interface, err);
    if (rc < 0)
        return rc;
    if (interface[0])
        return ja_error_set(err, JA_E_CONFLICT, "field nics.address", "%s is the host's own, on %s", text, interface);
    ret_addr->prefix = own.prefix;
    return 0;
}

/* What "slaac" comes to: the kernel makes it of the network's prefix and the MAC. */
static int slaac_address(const struct ja_network *network, const struct ja_jail *jail, const struct ja_nic *nic,
                         struct ja_addr *ret_addr, struct ja_error *err)
{
    struct ja_addr own, addr;
    char made[JA_MAC_TEXT];
    uint8_t mac[6];
    if (!network_address(network, true, &own) || own.prefix != 64)
        return ja_error_set(err, JA_E_INVALID, "field nics.address",
                            "slaac needs an IPv6 address with /64 on the network %s", network->name);
    ja_mac_from(jail->uuid, nic->label, made);
    if (ja_mac_parse(nic->mac ? nic->mac : made, mac) < 0)
        return ja_error_set(err, JA_E_INVALID, "field nics.mac", "it is no MAC");
    ja_addr_link_local(mac, &addr);
    memcpy(addr.bytes, own.bytes, 8);
    *ret_addr = addr;
    return 0;
}

/* True when the nic has an address already, or asks for it in so many words. */
static bool has_address(const struct ja_nic *nic, const struct ja_addr *addr)
{
    const struct ja_strv *const lists[] = {&nic->assigned, &nic->addresses};
    struct ja_addr other;
    for (size_t l = 0; l < JA_COUNT(lists); l++)
        for (size_t i = 0; i < lists[l]->count; i++)
            if (ja_addr_parse(lists[l]->items[i], &other, NULL) == 0 && ja_addr_compare(&other, addr) == 0)
                return true;
    return false;
}

/* "auto", "auto6", or "dhcp" answered by the gateway: what the nic once got, as long as it stays on its network, or the
 * next free one. */
static int choose_address(struct ja_engine *engine, const struct ja_network *network, const struct ja_nic *nic, bool v6,
                          const struct ja_strv *old, struct ja_addr *ret_addr, struct ja_error *err)
{
    struct ja_addr own, addr;
    for (size_t o = 0; o < old->count && network_address(network, v6, &own); o++) {
        if (ja_addr_parse(old->items[o], &addr, NULL) < 0 || addr.v6 != v6 || !ja_addr_in(&own, &addr) ||
            ja_addr_compare(&own, &addr) == 0 || has_address(nic, &addr))
            continue;
        addr.prefix = own.prefix;
        *ret_addr = addr;
        return 0;
    }
    return next_free(engine, network, v6, ret_addr, err);
}

/* Who answers "dhcp" and "slaac": the gateway (*ret_ours), or somebody beyond the network's members. */
static int check_dynamic(const struct ja_network *network, const char *word, bool *ret_ours, struct ja_error *err)
{
    struct ja_addr own;
    *ret_ours = network->dhcp && network_address(network, strcmp(word, "slaac") == 0, &own);
    if (*ret_ours || network->members.count)
        return 0;
    ja_error_set(err, JA_E_INVALID, "field nics.address", "%s: nobody gives out addresses on the network %s", word,
                 network->name);
    return ja_error_hint(err, "`jailadmin network set %s dhcp=yes` lets its gateway do it", network->name);
}

/* One word of nic->addresses as an address; *ret_found is false when somebody else gives it out. */
static int resolve_address(struct ja_engine *engine, const struct ja_network *network, const struct ja_jail *jail,
                           const struct ja_nic *nic, const char *wanted, const struct ja_strv *old,
                           struct ja_addr *ret_addr, bool *ret_found, struct ja_error *err)
{
    bool slaac = strcmp(wanted, "slaac") == 0, dhcp = strcmp(wanted, "dhcp") == 0, v6 = strcmp(wanted, "auto6") == 0;
    *ret_found = true;
    if (slaac || dhcp) {
        int rc = check_dynamic(network, wanted, ret_found, err);
        if (rc < 0 || !*ret_found)
            return rc;
    }
    if (slaac)
        return slaac_address(network, jail, nic, ret_addr, err);
    if (dhcp || v6 || strcmp(wanted, "auto") == 0)
        return choose_address(engine, network, nic, v6, old, ret_addr, err);
    return check_given(engine, network, wanted, ret_addr, err);
}

void ja_network_unknown(const char *name, struct ja_error *err)
{
    ja_error_set(err, JA_E_NOTFOUND, "field nics.network", "there is no network %s", name);
    ja_error_hint(err, "`jailadmin network list` shows the networks there are");
}

static int assign_nic(struct ja_engine *engine, const struct ja_jail *jail, struct ja_nic *nic, struct ja_error *err)
{
    void *object = NULL;
    int rc = ja_engine_get(engine, &ja_noun_network, nic->network, &object, NULL, err);
    if (rc == JA_E_NOTFOUND)
        ja_network_unknown(nic->network, err);
    if (rc < 0)
        return rc;
    const struct ja_network *network = object;
    struct ja_strv old = nic->assigned;
    nic->assigned = (struct ja_strv){0};
    /* One that only watches has none. */
    for (size_t i = 0; rc == 0 && !nic->span && i < nic->addresses.count; i++) {
        struct ja_addr addr;
        char text[JA_ADDR_TEXT];
        bool found;
        rc = resolve_address(engine, network, jail, nic, nic->addresses.items[i], &old, &addr, &found, err);
        if (rc < 0 || !found)
            continue;
        rc = reserve_address(engine, network->name, &addr, jail->uuid, err);
        ja_addr_format(&addr, true, text);
        if (rc == 0 && ja_strv_add(&nic->assigned, text) < 0)
            rc = ja_error_nomem(err);
    }
    ja_strv_fini(&old);
    ja_object_free(&ja_noun_network, object);
    return rc;
}

/* FreeBSD's interfaces have numbers for the whole host: a nic has one of the instance's block. */
static int assign_unit(struct ja_engine *engine, const struct ja_jail *jail, struct ja_nic *nic, struct ja_error *err)
{
    if (engine->site.os != JA_OS_FREEBSD || nic->unit)
        return 0;
    int rc = ja_store_reserve_number(engine->store, "unit", engine->site.unit_base, JA_UNITS_PER_INSTANCE, jail->uuid,
                                     &nic->unit, err);
    if (rc == JA_E_LIMIT) {
        ja_error_set(err, rc, NULL, "all %d interfaces that an instance can have are in use", JA_UNITS_PER_INSTANCE);
        ja_error_hint(err, "make a second instance, with a state directory of its own");
    }
    return rc;
}

int ja_assign_addresses(struct ja_engine *engine, struct ja_jail *jail, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < jail->nics.count; i++) {
        rc = assign_nic(engine, jail, jail->nics.items[i], err);
        if (rc == 0)
            rc = assign_unit(engine, jail, jail->nics.items[i], err);
    }
    return rc;
}

/* ---- everything ---- */

/* Reserves the keys of one kind and releases the owner's others. */
static int reserve_exactly(struct ja_engine *engine, const char *kind, const struct ja_strv *keys, const char *owner,
                           struct ja_error *err)
{
    ja_autostrv struct ja_strv held = {0};
    int rc = ja_store_reserved(engine->store, kind, "", owner, &held, err);
    for (size_t i = 0; rc == 0 && i < held.count; i++)
        if (!ja_strv_has(keys, held.items[i]))
            rc = ja_store_release(engine->store, kind, held.items[i], owner, err);
    for (size_t i = 0; rc == 0 && i < keys->count; i++)
        if (!ja_strv_has(&held, keys->items[i]))
            rc = ja_store_reserve(engine->store, kind, keys->items[i], owner, err);
    return rc;
}

int ja_address_keys(const struct ja_jail *jail, struct ja_strv *keys, struct ja_error *err)
{
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        for (size_t a = 0; a < nic->assigned.count; a++) {
            struct ja_addr addr;
            char text[JA_ADDR_TEXT];
            if (ja_addr_parse(nic->assigned.items[a], &addr, NULL) < 0)
                continue;
            ja_addr_format(&addr, false, text);
            if (ja_strv_addf(keys, "%s %s", nic->network, text) < 0)
                return ja_error_nomem(err);
        }
    }
    return 0;
}

/* ---- ports of the host ---- */

struct port_key {
    char protocol[8], address[64];
    int first, last;
};

/* "tcp 203.0.113.1 80" or "udp * 8000-8010"; "*": all addresses of the host. */
static bool read_port_key(const char *text, struct port_key *ret_key)
{
    char ports[16];
    struct port_key key;
    if (sscanf(text, "%7s %63s %15s", key.protocol, key.address, ports) != 3 ||
        ja_ports_parse(ports, &key.first, &key.last) < 0)
        return false;
    *ret_key = key;
    return true;
}

static bool share_port(const struct port_key *a, const struct port_key *b)
{
    bool here = strcmp(a->address, "*") == 0 || strcmp(b->address, "*") == 0 || strcmp(a->address, b->address) == 0;
    return here && strcmp(a->protocol, b->protocol) == 0 && a->first <= b->last && b->first <= a->last;
}

static int port_keys(const struct ja_jail *jail, struct ja_strv *keys, struct ja_error *err)
{
    static const char *const protocols[] = {"tcp", "udp"};
    for (size_t i = 0; i < jail->forwards.count; i++) {
        const struct ja_forward *forward = jail->forwards.items[i];
        struct ja_addr addr;
        char address[JA_ADDR_TEXT] = "*";
        if (forward->address && forward->address[0] && ja_addr_parse(forward->address, &addr, NULL) == 0)
            ja_addr_format(&addr, false, address);
        if (forward->port && ja_strv_addf(keys, "%s %s %s", protocols[forward->protocol], address, forward->port) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

/* Refuses a port that another jail's forward has: a unique key alone does not know that ranges and addresses overlap. */
static int check_ports(struct ja_engine *engine, const struct ja_strv *keys, const char *owner, struct ja_error *err)
{
    ja_autostrv struct ja_strv all = {0}, own = {0};
    struct port_key wanted, taken;
    int rc = keys->count ? ja_store_reserved(engine->store, "port", "", NULL, &all, err) : 0;
    if (rc == 0 && all.count)
        rc = ja_store_reserved(engine->store, "port", "", owner, &own, err);
    for (size_t i = 0; rc == 0 && i < all.count; i++) {
        if (ja_strv_has(&own, all.items[i]) || !read_port_key(all.items[i], &taken))
            continue;
        for (size_t k = 0; rc == 0 && k < keys->count; k++) {
            ja_autofree char *holder = NULL;
            if (!read_port_key(keys->items[k], &wanted) || !share_port(&wanted, &taken))
                continue;
            rc = ja_store_holder(engine->store, "port", all.items[i], &holder, err);
            if (rc == 0)
                rc = ja_error_set(err, JA_E_CONFLICT, "field forwards", "\"%s\" is forwarded to %s already (\"%s\")",
                                  keys->items[k], holder, all.items[i]);
        }
    }
    return rc;
}

int ja_reserve_ports(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err)
{
    ja_autostrv struct ja_strv ports = {0};
    int rc = port_keys(jail, &ports, err);
    if (rc == 0)
        rc = check_ports(engine, &ports, jail->uuid, err);
    for (size_t i = 0; rc == 0 && i < ports.count; i++)
        rc = ja_store_reserve(engine->store, "port", ports.items[i], jail->uuid, err);
    return rc;
}

/* A running jail has its old addresses until it stops: nobody else may get them before, and a list shows them: its uuid is reserved
 * for that as `ret_pending`. */
static int applied_keys(struct ja_engine *engine, const struct ja_jail *jail, struct ja_strv *keys,
                        struct ja_strv *ret_pending, struct ja_error *err)
{
    struct ja_jail *applied = NULL;
    ja_autostrv struct ja_strv now = {0};
    int rc = ja_engine_applied(engine, jail, &applied, err);
    if (rc == 0 && applied)
        rc = ja_address_keys(applied, &now, err);
    if (rc == 0 && applied && !ja_strv_equal(&now, keys) && ja_strv_add(ret_pending, jail->uuid) < 0)
        rc = ja_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < now.count; i++)
        if (ja_strv_add(keys, now.items[i]) < 0)
            rc = ja_error_nomem(err);
    ja_object_free(&ja_noun_jail, applied);
    return rc;
}

static int reserve_jail(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err)
{
    ja_autostrv struct ja_strv slot = {0}, addresses = {0}, ports = {0}, units = {0}, pending = {0};
    if (ja_strv_addf(&slot, "%lld", (long long)jail->slot) < 0)
        return ja_error_nomem(err);
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        if (nic->unit && ja_strv_addf(&units, "%lld", (long long)nic->unit) < 0)
            return ja_error_nomem(err);
    }
    int rc = ja_address_keys(jail, &addresses, err);
    if (rc == 0)
        rc = port_keys(jail, &ports, err);
    if (rc == 0)
        rc = check_ports(engine, &ports, jail->uuid, err);
    if (rc == 0)
        rc = applied_keys(engine, jail, &addresses, &pending, err);
    if (rc == 0)
        rc = reserve_exactly(engine, "slot", &slot, jail->uuid, err);
    if (rc == 0)
        rc = reserve_exactly(engine, "address", &addresses, jail->uuid, err);
    if (rc == 0)
        rc = reserve_exactly(engine, "port", &ports, jail->uuid, err);
    if (rc == 0)
        rc = reserve_exactly(engine, "unit", &units, jail->uuid, err);
    if (rc == 0)
        rc = reserve_exactly(engine, JA_PENDING, &pending, jail->uuid, err);
    return rc;
}

static int reserve_network(struct ja_engine *engine, const struct ja_network *network, struct ja_error *err)
{
    ja_autostrv struct ja_strv slot = {0}, addresses = {0};
    if (ja_strv_addf(&slot, "%lld", (long long)network->slot) < 0)
        return ja_error_nomem(err);
    for (size_t i = 0; i < network->addresses.count; i++) {
        struct ja_addr addr;
        char text[JA_ADDR_TEXT];
        if (ja_addr_parse(network->addresses.items[i], &addr, NULL) < 0)
            continue;
        ja_addr_format(&addr, false, text);
        if (ja_strv_addf(&addresses, "%s %s", network->name, text) < 0)
            return ja_error_nomem(err);
    }
    int rc = reserve_exactly(engine, "netslot", &slot, network->uuid, err);
    if (rc == 0)
        rc = reserve_exactly(engine, "address", &addresses, network->uuid, err);
    return rc;
}

/* A template needs nothing for itself; the jail that built it had a slot, an address and, on FreeBSD, a unit in its name. */
static int release_builder(struct ja_engine *engine, const struct ja_template *template, struct ja_error *err)
{
    static const char *const kinds[] = {"slot", "address", "unit"};
    const struct ja_strv none = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && template->uuid && i < JA_COUNT(kinds); i++)
        rc = reserve_exactly(engine, kinds[i], &none, template->uuid, err);
    return rc;
}

int ja_reserve_all(struct ja_engine *engine, const char *kind, const void *object, struct ja_error *err)
{
    if (strcmp(kind, "jail") == 0)
        return reserve_jail(engine, object, err);
    if (strcmp(kind, "network") == 0)
        return reserve_network(engine, object, err);
    if (strcmp(kind, "template") == 0)
        return release_builder(engine, object, err);
    return 0;
}
