/*
 * jail_check.c: what must hold between the fields of a jail and of its parts. Single fields have been checked
 * before.
 */
#include "model/checks.h"

#include "net/addr.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Where a route leads, as a prefix with its length. */
static int parse_destination(const struct ja_route *route, struct ja_addr *ret_prefix, struct ja_error *err)
{
    const char *text = route->destination;
    const char *prefix = strcmp(text, "default") == 0 ? "0.0.0.0/0" : strcmp(text, "default6") == 0 ? "::/0" : text;
    int rc = ja_addr_parse(prefix, ret_prefix, err);
    if (rc == 0 && ret_prefix->prefix < 0)
        ret_prefix->prefix = ret_prefix->v6 ? 128 : 32;
    return rc;
}

int ja_route_check(const void *object, struct ja_error *err)
{
    const struct ja_route *route = object;
    struct ja_addr via, destination;
    int rc = ja_addr_parse(route->via, &via, err);
    if (rc == 0)
        rc = parse_destination(route, &destination, err);
    if (rc == 0 && via.v6 != destination.v6)
        return ja_error_set(err, JA_E_INVALID, "via", "\"%s\" is %s, the destination \"%s\" is not", route->via,
                            via.v6 ? "IPv6" : "IPv4", route->destination);
    return rc;
}

int ja_mount_check(const void *object, struct ja_error *err)
{
    const struct ja_mount *mount = object;
    bool bind = mount->type == JA_MOUNT_BIND;
    if (bind && !mount->source)
        return ja_error_set(err, JA_E_INVALID, "source", "it must be given for a bind mount: a path on the host");
    if (!bind && mount->source)
        return ja_error_set(err, JA_E_INVALID, "source", "it is for bind mounts only");
    if (mount->size && mount->type != JA_MOUNT_TMPFS)
        return ja_error_set(err, JA_E_INVALID, "size", "it is for tmpfs only");
    return 0;
}

int ja_forward_check(const void *object, struct ja_error *err)
{
    const struct ja_forward *forward = object;
    int first, last, to_first, to_last;
    if (!forward->to || ja_ports_parse(forward->port, &first, &last) < 0 ||
        ja_ports_parse(forward->to, &to_first, &to_last) < 0 || last - first == to_last - to_first)
        return 0;
    return ja_error_set(err, JA_E_INVALID, "to", "\"%s\" has %d ports, \"%s\" of the host has %d; allowed are as many",
                        forward->to, to_last - to_first + 1, forward->port, last - first + 1);
}

/* ---- shaping ---- */

bool ja_flow_is_set(const struct ja_flow *flow)
{
    return flow->rate || flow->delay || flow->loss;
}

bool ja_shape_is_set(const struct ja_shape *shape)
{
    return ja_flow_is_set(&shape->in) || ja_flow_is_set(&shape->out);
}

bool ja_jail_enforces_shape(const struct ja_jail *jail)
{
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        if (nic->shape.enforce && ja_shape_is_set(&nic->shape))
            return true;
    }
    return false;
}

/* Losses in a row need packets in between that are not lost: of 100 packets that come in bursts of 2, 66 at most. */
int ja_flow_check(const void *object, struct ja_error *err)
{
    const struct ja_flow *flow = object;
    const int64_t all = 1000000;
    if (!flow->rate && (flow->burst || flow->queue))
        return ja_error_set(err, JA_E_INVALID, flow->burst ? "burst" : "queue", "it means nothing without a rate");
    if (flow->jitter > flow->delay)
        return ja_error_set(err, JA_E_INVALID, "jitter", "it is %lldms, the delay %lldms; allowed is at most the delay",
                            (long long)flow->jitter, (long long)flow->delay);
    if (flow->loss_burst && !flow->loss)
        return ja_error_set(err, JA_E_INVALID, "loss-burst", "it means nothing without a loss");
    if (flow->loss_burst && flow->loss > flow->loss_burst * (all - flow->loss))
        return ja_error_set(err, JA_E_INVALID, "loss-burst",
                            "losses of %lld packets in a row come to at most %.4g%% of all, since a packet must arrive "
                            "between them",
                            (long long)flow->loss_burst,
                            100.0 * (double)flow->loss_burst / (double)(flow->loss_burst + 1));
    return 0;
}

/* "LIST.KEY.FIELD", where a mistake between entries is. */
static int refuse_entry(const char *list, const void *entry, const char *field, const char *text, struct ja_error *err)
{
    const char *key = *(char *const *)entry;
    ja_error_set(err, JA_E_INVALID, NULL, "%s", text);
    if (err)
        snprintf(err->object, sizeof err->object, "%s.%s.%s", list, JA_SHOW(key), field);
    return JA_E_INVALID;
}

/* What only a network stack of the jail's own can have. */
static int check_without_vnet(const struct ja_jail *jail, struct ja_error *err)
{
    if (jail->vnet == JA_VNET_INHERIT && jail->nics.count)
        return ja_error_set(err, JA_E_INVALID, "nics", "with vnet=inherit the jail uses the host's interfaces");
    if (jail->vnet == JA_VNET_INHERIT && jail->forwards.count)
        return ja_error_set(err, JA_E_INVALID, "forwards", "with vnet=inherit the jail has the host's ports already");
    if (jail->routes.count)
        return ja_error_set(err, JA_E_INVALID, "routes", "only jails with vnet=yes have routes of their own");
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        const char *field = nic->mac ? "mac" : nic->mtu ? "mtu" : nic->vlan ? "vlan" : nic->span ? "span" : NULL;
        if (field)
            return refuse_entry("nics", nic, field, "only jails with vnet=yes can have it", err);
        if (ja_strv_has(&nic->addresses, "dhcp") || ja_strv_has(&nic->addresses, "slaac"))
            return refuse_entry("nics", nic, "address", "dhcp and slaac need vnet=yes", err);
    }
    return 0;
}

/* The same address (the prefix length aside) for two nics, words aside. */
static bool share_address(const struct ja_nic *a, const struct ja_nic *b)
{
    struct ja_addr one, other;
    for (size_t i = 0; i < a->addresses.count; i++) {
        if (ja_addr_parse(a->addresses.items[i], &one, NULL) < 0)
            continue;
        for (size_t j = 0; j < b->addresses.count; j++)
            if (ja_addr_parse(b->addresses.items[j], &other, NULL) == 0 && ja_addr_compare(&one, &other) == 0)
                return true;
    }
    return false;
}

bool ja_nic_is_dynamic(const struct ja_nic *nic, size_t assigned)
{
    struct ja_addr addr, other;
    if (ja_addr_parse(nic->assigned.items[assigned], &addr, NULL) < 0)
        return false;
    /* The assigned ones of a family are in the order of the words that they came from. "dhcp" and "slaac" came to nothing
     * where others give out the addresses: then there is one less. */
    size_t words = 0, have = 0, place = 0, dynamic = SIZE_MAX;
    for (size_t i = 0; i < nic->addresses.count; i++) {
        const char *word = nic->addresses.items[i];
        bool is_dynamic = strcmp(word, addr.v6 ? "slaac" : "dhcp") == 0;
        if (is_dynamic)
            dynamic = words;
        words += is_dynamic || strcmp(word, addr.v6 ? "auto6" : "auto") == 0 ||
                 (ja_addr_parse(word, &other, NULL) == 0 && other.v6 == addr.v6);
    }
    for (size_t i = 0; i < nic->assigned.count; i++) {
        if (ja_addr_parse(nic->assigned.items[i], &other, NULL) < 0 || other.v6 != addr.v6)
            continue;
        place += i < assigned;
        have++;
    }
    return have == words && place == dynamic;
}

static int check_nic_pair(const void *earlier, const void *later, struct ja_error *err)
{
    const struct ja_nic *a = earlier, *b = later;
    if (a->mac && b->mac && strcasecmp(a->mac, b->mac) == 0)
        return refuse_entry("nics", b, "mac", "another nic of the jail has it", err);
    if (share_address(a, b))
        return refuse_entry("nics", b, "address", "another nic of the jail has one of them", err);
    return 0;
}

static int check_route_pair(const void *earlier, const void *later, struct ja_error *err)
{
    struct ja_addr one, other;
    if (parse_destination(earlier, &one, NULL) == 0 && parse_destination(later, &other, NULL) == 0 &&
        one.prefix == other.prefix && ja_addr_compare(&one, &other) == 0)
        return refuse_entry("routes", later, "destination", "another route of the jail leads there", err);
    return 0;
}

static int check_volume_pair(const void *earlier, const void *later, struct ja_error *err)
{
    const struct ja_volume *a = earlier, *b = later;
    if (ja_str_equal(a->target, b->target))
        return refuse_entry("volumes", b, "target", "another volume of the jail is there", err);
    return 0;
}

static int check_forward_pair(const void *earlier, const void *later, struct ja_error *err)
{
    const struct ja_forward *a = earlier, *b = later;
    struct ja_addr one, other;
    int first[2], last[2];
    /* Without an address it is all of them. */
    bool apart = a->protocol != b->protocol ||
                 (a->address && b->address && ja_addr_parse(a->address, &one, NULL) == 0 &&
                  ja_addr_parse(b->address, &other, NULL) == 0 && ja_addr_compare(&one, &other) != 0);
    if (apart || ja_ports_parse(a->port, &first[0], &last[0]) < 0 || ja_ports_parse(b->port, &first[1], &last[1]) < 0)
        return 0;
    if (first[0] <= last[1] && first[1] <= last[0])
        return refuse_entry("forwards", b, "port", "another forward of the jail has it", err);
    return 0;
}

static int check_pairs(const struct ja_list *list,
                       int (*check)(const void *earlier, const void *later, struct ja_error *err), struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; rc == 0 && j < i; j++)
            rc = check(list->items[j], list->items[i], err);
    return rc;
}

static int check_targets(const struct ja_jail *jail, struct ja_error *err)
{
    for (size_t i = 0; i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        if (ja_list_get(&jail->mounts, volume->target))
            return refuse_entry("volumes", volume, "target", "a mount of the jail is there", err);
    }
    return check_pairs(&jail->volumes, check_volume_pair, err);
}

/* Who only watches sends nothing, and so has no address: the default, auto, comes to none. */
static int check_spans(const struct ja_jail *jail, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        for (size_t a = 0; rc == 0 && nic->span && a < nic->addresses.count; a++)
            if (strcmp(nic->addresses.items[a], "auto") != 0)
                rc = refuse_entry("nics", nic, "address", "a nic with span=yes only watches, and has no address", err);
    }
    return rc;
}

/* What keeps its root from changing its shapes is a securelevel of 3. */
static int check_shapes(const struct ja_jail *jail, struct ja_error *err)
{
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        if (nic->span && ja_shape_is_set(&nic->shape))
            return refuse_entry("nics", nic, "shape", "a nic with span=yes only watches: nothing is to be shaped", err);
    }
    if (ja_jail_enforces_shape(jail) && jail->securelevel >= 0 && jail->securelevel < 3)
        return ja_error_set(
            err, JA_E_INVALID, "securelevel",
            "it is %lld, and shape.enforce of a nic needs 3; allowed are 3 and -1, which leaves it to that",
            (long long)jail->securelevel);
    return 0;
}

int ja_jail_check(const void *object, struct ja_error *err)
{
    const struct ja_jail *jail = object;
    int rc = jail->vnet == JA_VNET_YES ? 0 : check_without_vnet(jail, err);
    if (rc == 0 && ja_strv_has(&jail->depends, jail->name))
        rc = ja_error_set(err, JA_E_INVALID, "depends", "the jail cannot depend on itself");
    if (rc == 0 && jail->ruleset && jail->devices.count)
        rc = ja_error_set(err, JA_E_INVALID, "ruleset", "a jail with devices of its own has a ruleset of its own");
    if (rc == 0)
        rc = check_spans(jail, err);
    if (rc == 0)
        rc = check_shapes(jail, err);
    if (rc == 0)
        rc = check_pairs(&jail->nics, check_nic_pair, err);
    if (rc == 0)
        rc = check_pairs(&jail->routes, check_route_pair, err);
    if (rc == 0)
        rc = check_targets(jail, err);
    return rc < 0 ? rc : check_pairs(&jail->forwards, check_forward_pair, err);
}
