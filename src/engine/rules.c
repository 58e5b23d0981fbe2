/*
 * rules.c: what the rules of networks name: jails and networks. A name is resolved when its rule is set, and what it came to cannot
 * change as long as the rule is there: such a jail or network is not deleted or renamed, nor does the jail's address change. So
 * planners, which are pure, find all that they need in the network's own spec.
 */
#include "engine/internal.h"
#include "net/addr.h"

#include <stdio.h>
#include <string.h>

/* "field rules.db.peer" */
static const char *place(char buffer[128], const struct ja_rule *rule, const char *field)
{
    snprintf(buffer, 128, "field rules.%s.%s", rule->name, field);
    return buffer;
}
#define PLACE(rule, field) place((char[128]){0}, rule, field)

/* ---- addresses of jails ---- */

static int add_address(struct ja_strv *list, const struct ja_addr *addr, struct ja_error *err)
{
    char text[JA_ADDR_TEXT];
    ja_addr_format(addr, false, text);
    return ja_strv_add(list, text) < 0 ? ja_error_nomem(err) : 0;
}

/* What a nic may send with: its addresses, and (`link`) that which the kernel makes of its MAC. */
static int nic_addresses(const struct ja_jail *jail, const struct ja_nic *nic, bool link, struct ja_strv *list,
                         struct ja_error *err)
{
    struct ja_addr addr;
    char made[JA_MAC_TEXT];
    uint8_t mac[6];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < nic->assigned.count; i++)
        if (ja_addr_parse(nic->assigned.items[i], &addr, NULL) == 0)
            rc = add_address(list, &addr, err);
    ja_mac_from(jail->uuid, nic->label, made);
    if (rc < 0 || !link || ja_mac_parse(nic->mac ? nic->mac : made, mac) < 0)
        return rc;
    ja_addr_link_local(mac, &addr);
    return add_address(list, &addr, err);
}

/* The addresses of a jail on the network (`on`), or on all others. */
static int jail_addresses(const struct ja_jail *jail, const char *network, bool on, const char *object,
                          struct ja_strv *ret_list, struct ja_error *err)
{
    ja_autostrv struct ja_strv list = {0};
    size_t nics = 0;
    int rc = 0;
    if (jail->vnet != JA_VNET_YES) {
        ja_error_set(err, JA_E_INVALID, object, "the jail %s has the host's addresses", jail->name);
        return ja_error_hint(err, "a rule can name jails with vnet=yes; the host itself is peer=host");
    }
    for (size_t i = 0; rc == 0 && i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        if (nic->span || (strcmp(nic->network, network) == 0) != on)
            continue;
        nics++;
        /* Somebody beyond the network's members gives it out, so that nobody here knows it. */
        if (nic->assigned.count < nic->addresses.count)
            rc = ja_error_set(err, JA_E_INVALID, object, "the jail %s has an address on %s that others give out",
                              jail->name, nic->network);
        else
            rc = nic_addresses(jail, nic, on, &list, err);
    }
    if (rc == 0 && nics == 0)
        rc =
            on ? ja_error_set(err, JA_E_INVALID, object, "the jail %s is not on the network %s", jail->name, network)
               : ja_error_set(err, JA_E_INVALID, object,
                              "the jail %s is on no network but %s, within which isolate decides", jail->name, network);
    if (rc < 0)
        return rc;
    struct ja_strv old = *ret_list;
    *ret_list = list;
    list = old;
    return 0;
}

/* Until a jail stops it may still have addresses that it is to lose: a rule would miss them now, or be about others then. */
static int check_settled(struct ja_engine *engine, const struct ja_jail *jail, const char *object, struct ja_error *err)
{
    ja_autostrv struct ja_strv held = {0}, wanted = {0};
    int rc = ja_store_reserved(engine->store, "address", "", jail->uuid, &held, err);
    if (rc == 0)
        rc = ja_address_keys(jail, &wanted, err);
    for (size_t i = 0; rc == 0 && i < held.count; i++)
        if (!ja_strv_has(&wanted, held.items[i])) {
            rc = ja_error_set(err, JA_E_BUSY, object, "the address of the jail %s changes at its next start",
                              jail->name);
            ja_error_hint(err, "`jailadmin restart %s` first", jail->name);
        }
    return rc;
}

/* ---- resolving ---- */

static int get_named(struct ja_engine *engine, const struct ja_noun *noun, const char *name, const char *object,
                     void **ret_object, struct ja_error *err)
{
    char hint[sizeof err->hint] = "";
    int rc = ja_engine_get(engine, noun, name, ret_object, NULL, err);
    if (rc != JA_E_NOTFOUND)
        return rc;
    if (err)
        snprintf(hint, sizeof hint, "%s", err->hint);
    ja_error_set(err, rc, object, "there is no %s %s", noun->name, name);
    if (hint[0])
        return ja_error_hint(err, "%s", hint);
    return ja_error_hint(err, noun == &ja_noun_jail ? "`jailadmin list` shows the jails there are"
                                                    : "`jailadmin network list` shows the networks there are");
}

/* `known` (may be NULL) stands for the jail of its name in the store. */
static int resolve_jail(struct ja_engine *engine, const char *name, const struct ja_jail *known, const char *network,
                        bool on, const char *object, struct ja_strv *ret_list, struct ja_error *err)
{
    void *stored = NULL;
    if (known && strcmp(known->name, name) == 0)
        return jail_addresses(known, network, on, object, ret_list, err);
    int rc = get_named(engine, &ja_noun_jail, name, object, &stored, err);
    if (rc == 0)
        rc = jail_addresses(stored, network, on, object, ret_list, err);
    if (rc == 0)
        rc = check_settled(engine, stored, object, err);
    ja_object_free(&ja_noun_jail, stored);
    return rc;
}

static int resolve_network(struct ja_engine *engine, const struct ja_network *network, const char *name,
                           const char *object, int64_t *ret_slot, struct ja_error *err)
{
    void *other = NULL;
    if (strcmp(name, network->name) == 0)
        return ja_error_set(err, JA_E_INVALID, object, "within a network no rule is asked: its isolate decides");
    int rc = get_named(engine, &ja_noun_network, name, object, &other, err);
    if (rc == 0)
        *ret_slot = ((const struct ja_network *)other)->slot;
    ja_object_free(&ja_noun_network, other);
    return rc;
}

static int resolve(struct ja_engine *engine, const struct ja_network *network, struct ja_rule *rule,
                   const struct ja_jail *known, struct ja_error *err)
{
    struct ja_peer peer;
    int rc = 0;
    ja_strv_fini(&rule->jail_addresses);
    ja_strv_fini(&rule->peer_addresses);
    rule->peer_slot = -1;
    if (rule->jail)
        rc = resolve_jail(engine, rule->jail, known, network->name, true, PLACE(rule, "jail"), &rule->jail_addresses,
                          err);
    if (rc < 0 || !ja_peer_read(rule->peer, &peer))
        return rc;
    if (peer.kind == JA_PEER_JAIL)
        return resolve_jail(engine, peer.name, known, network->name, false, PLACE(rule, "peer"), &rule->peer_addresses,
                            err);
    if (peer.kind == JA_PEER_NETWORK)
        return resolve_network(engine, network, peer.name, PLACE(rule, "peer"), &rule->peer_slot, err);
    return 0;
}

int ja_rules_resolve(struct ja_engine *engine, struct ja_network *network, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < network->rules.count; i++)
        rc = resolve(engine, network, network->rules.items[i], NULL, err);
    return rc;
}

/* ---- who is named ---- */

static bool names(const struct ja_rule *rule, const char *kind, const char *name)
{
    struct ja_peer peer;
    bool jail = strcmp(kind, "jail") == 0;
    if (jail && ja_str_equal(rule->jail, name))
        return true;
    return ja_peer_read(rule->peer, &peer) && peer.kind == (jail ? JA_PEER_JAIL : JA_PEER_NETWORK) &&
           strcmp(peer.name, name) == 0;
}

struct naming {
    struct ja_engine *engine;
    const char *kind, *name;
    const struct ja_jail *jail; /* as it will be; NULL: it goes */
};

static int refuse_change(const struct naming *naming, const struct ja_network *network, const struct ja_rule *rule,
                         const char *what, struct ja_error *err)
{
    ja_error_set(err, JA_E_BUSY, JA_LABEL(naming->kind, naming->name), "%sthe rule %s of the network %s names it", what,
                 rule->name, network->name);
    return ja_error_hint(err, "`jailadmin network set %s rules.%s=` removes that rule", network->name, rule->name);
}

/* Whether the rule would still mean the same. */
static int check_same(const struct naming *naming, const struct ja_network *network, const struct ja_rule *rule,
                      struct ja_error *err)
{
    struct ja_rule *then = ja_object_copy(&ja_noun_rule, rule);
    struct ja_error why = JA_ERROR_INIT;
    int rc = then ? resolve(naming->engine, network, then, naming->jail, &why) : ja_error_nomem(&why);
    bool same = rc == 0 && ja_object_equal(&ja_noun_rule, rule, then);
    ja_object_free(&ja_noun_rule, then);
    if (rc == JA_E_NOMEM)
        return ja_error_nomem(err);
    return same ? 0 : refuse_change(naming, network, rule, "its addresses cannot change: ", err);
}

static int look_at_network(void *context, const struct ja_row *row, struct ja_error *err)
{
    const struct naming *naming = context;
    void *object = NULL;
    bool itself = strcmp(naming->kind, "network") == 0 && strcmp(naming->name, row->name) == 0;
    /* Most networks have no rules: that costs no more than a look. */
    if (itself || json_array_size(json_object_get(row->spec, "rules")) == 0)
        return 0;
    int rc = ja_object_from_json(&ja_noun_network, row->spec, true, &object, err);
    if (rc < 0)
        return rc;
    const struct ja_network *network = object;
    for (size_t i = 0; rc == 0 && i < network->rules.count; i++) {
        const struct ja_rule *rule = network->rules.items[i];
        if (!names(rule, naming->kind, naming->name))
            continue;
        rc = naming->jail ? check_same(naming, network, rule, err) : refuse_change(naming, network, rule, "", err);
    }
    ja_object_free(&ja_noun_network, object);
    return rc;
}

int ja_rules_check_unnamed(struct ja_engine *engine, const char *kind, const char *name, struct ja_error *err)
{
    struct naming naming = {engine, kind, name, NULL};
    return engine->tearing ? 0 : ja_store_each(engine->store, "network", NULL, look_at_network, &naming, err);
}

int ja_rules_check_jail(struct ja_engine *engine, const struct ja_jail *jail, struct ja_error *err)
{
    struct naming naming = {engine, "jail", jail->name, jail};
    return ja_store_each(engine->store, "network", NULL, look_at_network, &naming, err);
}

/* ---- locks ---- */

static int add_name(struct ja_strv *list, const char *name, struct ja_error *err)
{
    return ja_strv_has(list, name) || ja_strv_add(list, name) == 0 ? 0 : ja_error_nomem(err);
}

/* What the rules of `to` name that the same rules of `from` do not. */
static int newly_named(const struct ja_network *from, const struct ja_network *to, struct ja_strv *networks,
                       struct ja_strv *jails, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < to->rules.count; i++) {
        const struct ja_rule *rule = to->rules.items[i], *old = from ? ja_list_get(&from->rules, rule->name) : NULL;
        struct ja_peer peer;
        if (old && ja_str_equal(old->jail, rule->jail) && ja_str_equal(old->peer, rule->peer))
            continue;
        if (rule->jail)
            rc = add_name(jails, rule->jail, err);
        if (rc == 0 && ja_peer_read(rule->peer, &peer) && (peer.kind == JA_PEER_JAIL || peer.kind == JA_PEER_NETWORK))
            rc = add_name(peer.kind == JA_PEER_JAIL ? jails : networks, peer.name, err);
    }
    return rc;
}

/* In one order for everybody. */
static int lock_all(struct ja_change *change, const char *kind, struct ja_strv *list, const char *own,
                    struct ja_error *err)
{
    int rc = 0;
    ja_strv_sort(list);
    for (size_t i = 0; rc == 0 && i < list->count; i++)
        rc = ja_change_lock(change, kind, list->items[i], !ja_str_equal(list->items[i], own), err);
    return rc;
}

int ja_rules_begin(struct ja_change *change, struct ja_engine *engine, const char *verb, const struct ja_network *from,
                   const struct ja_network *to, struct ja_error *err)
{
    ja_autostrv struct ja_strv networks = {0}, jails = {0};
    int rc = ja_change_prepare(change, engine, verb, "network", to->name, err);
    if (rc == 0)
        rc = newly_named(from, to, &networks, &jails, err);
    if (rc == 0)
        rc = add_name(&networks, to->name, err);
    if (rc == 0 && networks.count + jails.count > JA_COUNT(change->locks)) {
        ja_error_set(err, JA_E_LIMIT, "field rules", "these rules name %zu jails and networks; one change can name %zu",
                     networks.count + jails.count - 1, JA_COUNT(change->locks) - 1);
        rc = ja_error_hint(err, "set them in several steps");
    }
    if (rc == 0)
        rc = lock_all(change, "network", &networks, to->name, err);
    if (rc == 0)
        rc = lock_all(change, "jail", &jails, NULL, err);
    return rc < 0 ? rc : ja_change_open(change, err);
}

int ja_rules_check_locked(const struct ja_change *change, const struct ja_network *from, const struct ja_network *to,
                          struct ja_error *err)
{
    ja_autostrv struct ja_strv networks = {0}, jails = {0};
    int rc = newly_named(from, to, &networks, &jails, err);
    bool held = true;
    for (size_t i = 0; i < networks.count; i++)
        held = held && ja_change_holds(change, "network", networks.items[i]);
    for (size_t i = 0; i < jails.count; i++)
        held = held && ja_change_holds(change, "jail", jails.items[i]);
    if (rc == 0 && !held)
        rc = ja_error_set(err, JA_E_CONFLICT, JA_LABEL("network", to->name),
                          "somebody has changed its rules meanwhile; try again");
    return rc;
}
