/*
 * sim_freebsd_net.c: ifconfig(8) and route(8): pairs, bridges, names, addresses and routes, in the host's network stack and in
 * those of jails. Errors are those that a real host printed.
 */
#include "sim_freebsd.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const attributes[] = {"link",   "type", "up",   "mtu",     "ether",
                                         "master", "span", "pair", "private", "made"};

static bool is_there(const struct ja_sim *sim, const char *stack, const char *name)
{
    return sim_get(sim, "link %s%s", stack, name) != NULL;
}

static void add_link(struct ja_sim *sim, const char *stack, const char *name, const char *type)
{
    sim_put(sim, "", "link %s%s", stack, name);
    sim_put(sim, type, "type %s%s", stack, name);
}

/* Its members are free, and it is no member any more. */
static void leave_bridges(struct ja_sim *sim, const char *stack, const char *name)
{
    static const char *const kinds[] = {"master", "span"};
    char key[SIM_NAME * 2], prefix[SIM_NAME];
    for (size_t k = 0; k < JA_COUNT(kinds); k++) {
        sim_drop(sim, "%s %s%s", kinds[k], stack, name);
        snprintf(prefix, sizeof prefix, "%s %s", kinds[k], stack);
        for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix);) {
            snprintf(key, sizeof key, "%s", sim->entries[i].key);
            if (strcmp(sim->entries[i].value, name) == 0 && strchr(key + strlen(prefix), '#') == NULL)
                sim_drop(sim, "%s", key);
            else
                i++;
        }
    }
}

/* What leads by an interface: its kind of entry has the interface as its last word. */
static void drop_by(struct ja_sim *sim, const char *kind, const char *stack, const char *name)
{
    char prefix[SIM_NAME], end[SIM_NAME];
    snprintf(prefix, sizeof prefix, "%s %s", kind, stack);
    snprintf(end, sizeof end, " %s", name);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix);) {
        char key[SIM_NAME * 2];
        snprintf(key, sizeof key, "%s", sim->entries[i].key);
        const char *value = strrchr(sim->entries[i].value, ' ');
        if (value && strcmp(value, end) == 0 && strchr(key + strlen(prefix), '#') == NULL)
            sim_drop(sim, "%s", key);
        else
            i++;
    }
}

static void drop_addresses(struct ja_sim *sim, const char *stack, const char *name)
{
    sim_drop_all(sim, "addr %s%s ", stack, name);
    drop_by(sim, "route", stack, name);
    drop_by(sim, "neigh", stack, name);
}

static void drop_one(struct ja_sim *sim, const char *stack, const char *name)
{
    leave_bridges(sim, stack, name);
    drop_addresses(sim, stack, name);
    for (size_t k = 0; k < JA_COUNT(attributes); k++)
        sim_drop(sim, "%s %s%s", attributes[k], stack, name);
}

/* "3#epair1b" is epair1b in the stack "3#". */
static void split(const char *text, char stack[SIM_NAME], char name[SIM_NAME])
{
    const char *hash = strchr(text, '#');
    snprintf(stack, SIM_NAME, "%.*s", hash ? (int)(hash + 1 - text) : 0, text);
    snprintf(name, SIM_NAME, "%s", hash ? hash + 1 : text);
}

void sim_drop_link(struct ja_sim *sim, const char *stack, const char *name)
{
    char pair[SIM_NAME], other_stack[SIM_NAME], other[SIM_NAME];
    const char *end = sim_get(sim, "pair %s%s", stack, name);
    snprintf(pair, sizeof pair, "%s", end ? end : "");
    drop_one(sim, stack, name);
    if (!pair[0])
        return;
    pair[strlen(pair) - 1] ^= 'a' ^ 'b';
    for (size_t i = sim_from(sim, "pair "); sim_starts(sim, i, "pair "); i++)
        if (strcmp(sim->entries[i].value, pair) == 0) {
            split(sim->entries[i].key + strlen("pair "), other_stack, other);
            drop_one(sim, other_stack, other);
            return;
        }
}

/* To another stack or another name. Attributes go with it. */
static void move_link(struct ja_sim *sim, const char *stack, const char *name, const char *to_stack, const char *to)
{
    char value[512];
    for (size_t k = 0; k < JA_COUNT(attributes); k++) {
        const char *now = sim_get(sim, "%s %s%s", attributes[k], stack, name);
        if (!now)
            continue;
        snprintf(value, sizeof value, "%s", now);
        sim_drop(sim, "%s %s%s", attributes[k], stack, name);
        sim_put(sim, value, "%s %s%s", attributes[k], to_stack, to);
    }
}

/* What moves to another stack is down there, without addresses, and no member of anything. */
static void hand_over(struct ja_sim *sim, const char *stack, const char *name, const char *to)
{
    leave_bridges(sim, stack, name);
    drop_addresses(sim, stack, name);
    sim_drop(sim, "up %s%s", stack, name);
    if (is_there(sim, to, name))
        sim_trouble(sim, "two interfaces are called %s, and nobody can tell them apart", name);
    move_link(sim, stack, name, to, name);
}

void sim_stack_begin(struct ja_sim *sim, const char *stack)
{
    add_link(sim, stack, "lo0", "lo");
    sim_put(sim, "", "addr %slo0 ::1/128", stack);
    sim_ipfw_begin(sim, stack);
}

void sim_stack_end(struct ja_sim *sim, const char *stack)
{
    char prefix[SIM_NAME], own_stack[SIM_NAME], name[SIM_NAME];
    snprintf(prefix, sizeof prefix, "link %s", stack);
    for (size_t i; (i = sim_from(sim, prefix)), sim_starts(sim, i, prefix);) {
        split(sim->entries[i].key + strlen("link "), own_stack, name);
        const char *type = sim_get(sim, "type %s%s", stack, name);
        if (type && (strcmp(type, "epair") == 0 || strcmp(type, "ether") == 0))
            hand_over(sim, stack, name, "");
        else
            sim_drop_link(sim, stack, name);
    }
    sim_drop_all(sim, "route %s", stack);
    sim_drop_all(sim, "neigh %s", stack);
    sim_ipfw_end(sim, stack);
}

/* ---- addresses ---- */

static bool parse(const char *text, bool v6, struct ja_addr *ret_addr)
{
    if (ja_addr_parse(text, ret_addr, NULL) < 0 || ret_addr->v6 != v6)
        return false;
    if (ret_addr->prefix < 0)
        ret_addr->prefix = v6 ? 128 : 32;
    return true;
}

/* Whoever has the address in a stack; NULL: nobody. */
static const char *owner_of(const struct ja_sim *sim, const char *stack, const char *plain, char owner[SIM_NAME])
{
    char prefix[SIM_NAME], end[SIM_NAME];
    snprintf(prefix, sizeof prefix, "addr %s", stack);
    snprintf(end, sizeof end, " %s/", plain);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++) {
        const char *name = sim->entries[i].key + strlen(prefix), *at = strchr(name, ' ');
        if (at && ja_str_starts(at, end) && !memchr(name, '#', (size_t)(at - name))) {
            snprintf(owner, SIM_NAME, "%.*s", (int)(at - name), name);
            return owner;
        }
    }
    return NULL;
}

int sim_add_alias(struct ja_sim *sim, const char *stack, const char *name, const char *address, struct ja_error *err)
{
    struct ja_addr addr;
    char text[JA_ADDR_TEXT], plain[JA_ADDR_TEXT], owner[SIM_NAME];
    if (!parse(address, strchr(address, ':') != NULL, &addr))
        return sim_fail(err, "ifconfig: %s: bad value", address);
    ja_addr_format(&addr, true, text);
    ja_addr_format(&addr, false, plain);
    if (owner_of(sim, stack, plain, owner) && strcmp(owner, name) != 0)
        return sim_fail(err, "ifconfig: ioctl (SIOCAIFADDR): File exists");
    sim_drop_all(sim, "addr %s%s %s/", stack, name, plain);
    sim_put(sim, "", "addr %s%s %s", stack, name, text);
    return 0;
}

static int drop_alias(struct ja_sim *sim, const char *stack, const char *name, const char *address,
                      struct ja_error *err)
{
    char prefix[SIM_NAME * 2], plain[SIM_NAME];
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(address, "/"), address);
    snprintf(prefix, sizeof prefix, "addr %s%s %s/", stack, name, plain);
    size_t at = sim_from(sim, prefix);
    if (!sim_starts(sim, at, prefix))
        return sim_fail(err, "ifconfig: ioctl (SIOCDIFADDR): Can't assign requested address");
    /* Neighbours of its range go with it. */
    struct ja_addr range, neighbour;
    if (ja_addr_parse(strrchr(sim->entries[at].key, ' ') + 1, &range, NULL) < 0)
        abort();
    sim_drop_all(sim, "%s", prefix);
    snprintf(prefix, sizeof prefix, "neigh %s", stack);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix);) {
        char key[SIM_NAME * 2];
        snprintf(key, sizeof key, "%s", sim->entries[i].key);
        bool of_link = strcmp(strrchr(sim->entries[i].value, ' ') + 1, name) == 0;
        if (of_link && ja_addr_parse(key + strlen(prefix), &neighbour, NULL) == 0 && ja_addr_in(&range, &neighbour))
            sim_drop(sim, "%s", key);
        else
            i++;
    }
    return 0;
}

/* ---- bridges ---- */

static bool has_members(const struct ja_sim *sim, const char *stack, const char *bridge)
{
    char prefix[SIM_NAME];
    snprintf(prefix, sizeof prefix, "master %s", stack);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++)
        if (strcmp(sim->entries[i].value, bridge) == 0 && !strchr(sim->entries[i].key + strlen(prefix), '#'))
            return true;
    return false;
}

static int add_member(struct ja_sim *sim, const char *stack, const char *bridge, const char *member,
                      struct ja_error *err)
{
    const char *master = sim_get(sim, "master %s%s", stack, member);
    const char *mtu = sim_get(sim, "mtu %s%s", stack, member), *of_bridge = sim_get(sim, "mtu %s%s", stack, bridge);
    if (!is_there(sim, stack, member))
        return sim_fail(err, "ifconfig: BRDGADD %s: No such file or directory", member);
    if (master || sim_get(sim, "span %s%s", stack, member))
        return sim_fail(err, "ifconfig: BRDGADD %s: %s", member,
                        master && strcmp(master, bridge) == 0 ? "File exists" : "Device busy");
    if (!has_members(sim, stack, bridge)) { /* it takes over the MTU of its first one */
        if (mtu)
            sim_put(sim, mtu, "mtu %s%s", stack, bridge);
        else
            sim_drop(sim, "mtu %s%s", stack, bridge);
    } else if (!ja_str_equal(mtu ? mtu : "1500", of_bridge ? of_bridge : "1500")) {
        return sim_fail(err, "ifconfig: BRDGADD %s: Invalid argument", member);
    }
    sim_put(sim, bridge, "master %s%s", stack, member);
    return 0;
}

static int add_span(struct ja_sim *sim, const char *stack, const char *bridge, const char *port, struct ja_error *err)
{
    if (!is_there(sim, stack, port))
        return sim_fail(err, "ifconfig: BRDGADDS %s: No such file or directory", port);
    if (sim_get(sim, "master %s%s", stack, port) || sim_get(sim, "span %s%s", stack, port))
        return sim_fail(err, "ifconfig: BRDGADDS %s: Device busy", port);
    sim_put(sim, bridge, "span %s%s", stack, port);
    return 0;
}

/* A member ("master"), or a port that watches ("span"). */
static int drop_port(struct ja_sim *sim, const char *stack, const char *bridge, const char *kind, const char *port,
                     struct ja_error *err)
{
    if (!ja_str_equal(sim_get(sim, "%s %s%s", kind, stack, port), bridge))
        return sim_fail(err, "ifconfig: %s %s: No such file or directory", *kind == 's' ? "BRDGDELS" : "BRDGDEL", port);
    sim_drop(sim, "%s %s%s", kind, stack, port);
    return 0;
}

/* ---- making and removing ---- */

/* What was made as `name`, however it is called now. */
static bool is_made(const struct ja_sim *sim, const char *stack, const char *name)
{
    char prefix[SIM_NAME];
    snprintf(prefix, sizeof prefix, "made %s", stack);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++)
        if (strcmp(sim->entries[i].value, name) == 0)
            return true;
    return is_there(sim, stack, name);
}

static bool unit_is_taken(const struct ja_sim *sim, const char *unit)
{
    for (size_t i = sim_from(sim, "pair "); sim_starts(sim, i, "pair "); i++)
        if (strncmp(sim->entries[i].value, unit, strlen(unit)) == 0 &&
            strlen(sim->entries[i].value) == strlen(unit) + 1)
            return true;
    return false;
}

/* "epair", "epair17", "bridge3", "vlan": made under its first name, which is told. */
static int create(struct ja_sim *sim, const char *stack, const char *what, char name[SIM_NAME], struct ja_error *err)
{
    static const char *const types[] = {"epair", "bridge", "lo", "vlan", "tap"};
    size_t letters = 0;
    char type[SIM_NAME], unit[SIM_NAME];
    while (isalpha((unsigned char)what[letters]))
        letters++;
    snprintf(type, sizeof type, "%.*s", (int)letters, what);
    snprintf(unit, sizeof unit, "%s", what + letters);
    bool known = false;
    for (size_t i = 0; i < JA_COUNT(types); i++)
        known = known || strcmp(types[i], type) == 0;
    if (!known)
        return sim_fail(err, "ifconfig: SIOCIFCREATE2 (%s): Invalid argument", what);
    bool pair = strcmp(type, "epair") == 0;
    for (unsigned n = 0; !unit[0] || (n > 0 && (pair ? unit_is_taken(sim, unit) : is_made(sim, stack, name))); n++) {
        snprintf(unit, sizeof unit, "%u", n);
        snprintf(name, SIM_NAME, "%.100s%u", type, n);
    }
    snprintf(name, SIM_NAME, "%.60s%.60s", type, unit);
    if (strtoul(unit, NULL, 10) > 32767)
        return sim_fail(err, "ifconfig: SIOCIFCREATE2 (%s): No space left on device", what);
    if (pair ? unit_is_taken(sim, unit) : is_made(sim, stack, name))
        return sim_fail(err, "ifconfig: interface %s already exists", name);
    if (pair) {
        char other[SIM_NAME + 1], end[SIM_NAME + 1];
        snprintf(other, sizeof other, "%sb", name);
        strcat(name, "a");
        add_link(sim, stack, name, "epair");
        add_link(sim, stack, other, "epair");
        snprintf(end, sizeof end, "%sa", unit);
        sim_put(sim, end, "pair %s%s", stack, name);
        snprintf(end, sizeof end, "%sb", unit);
        sim_put(sim, end, "pair %s%s", stack, other);
    } else {
        add_link(sim, stack, name, type);
        sim_put(sim, name, "made %s%s", stack, name);
    }
    return 0;
}

static int rename_link(struct ja_sim *sim, const char *stack, char name[SIM_NAME], const char *to, struct ja_error *err)
{
    if (strlen(to) > 15 || is_there(sim, stack, to))
        return sim_fail(err, "ifconfig: ioctl SIOCSIFNAME (set name): %s",
                        strlen(to) > 15 ? "Invalid argument" : "File exists");
    move_link(sim, stack, name, stack, to);
    for (size_t i = sim_from(sim, "master "); sim_starts(sim, i, "master "); i++)
        if (strcmp(sim->entries[i].value, name) == 0)
            sim_trouble(sim, "the bridge %s is renamed with members", name);
    snprintf(name, SIM_NAME, "%s", to);
    return 0;
}

static int to_vnet(struct ja_sim *sim, const char *stack, const char *name, const char *jail, struct ja_error *err)
{
    struct sim_jail found;
    char to[32];
    if (!sim_find_jail(sim, jail, &found) || found.dying)
        return sim_fail(err, "ifconfig: jail \"%s\" not found", jail);
    if (!sim_get(sim, "stack %u", found.jid))
        return sim_fail(err, "ifconfig: SIOCSIFVNET (%s): Operation not supported", name);
    snprintf(to, sizeof to, "%u#", found.jid);
    if (is_there(sim, to, name))
        return sim_fail(err, "ifconfig: SIOCSIFVNET (%s): File exists", name);
    hand_over(sim, stack, name, to);
    return 0;
}

/* ---- the command ---- */

/* A setting that takes a word. 1: it took it, 0: it is none of them. */
static int set_one(struct ja_sim *sim, const char *stack, char name[SIM_NAME], const char *word, const char *value,
                   struct ja_error *err)
{
    int rc = 0;
    if (strcmp(word, "name") == 0)
        rc = rename_link(sim, stack, name, value, err);
    else if (strcmp(word, "description") == 0)
        sim_put(sim, value, "link %s%s", stack, name);
    else if (strcmp(word, "mtu") == 0 && strcmp(value, "1500") == 0) /* as it is by itself */
        sim_drop(sim, "mtu %s%s", stack, name);
    else if (strcmp(word, "mtu") == 0)
        sim_put(sim, value, "mtu %s%s", stack, name);
    else if (strcmp(word, "ether") == 0)
        sim_put(sim, value, "ether %s%s", stack, name);
    else if (strcmp(word, "addm") == 0)
        rc = add_member(sim, stack, name, value, err);
    else if (strcmp(word, "span") == 0)
        rc = add_span(sim, stack, name, value, err);
    else if (strcmp(word, "deletem") == 0 || strcmp(word, "-span") == 0)
        rc = drop_port(sim, stack, name, *word == 'd' ? "master" : "span", value, err);
    else if (strcmp(word, "-alias") == 0)
        rc = drop_alias(sim, stack, name, value, err);
    else if (strcmp(word, "private") == 0)
        sim_put(sim, "", "private %s%s", stack, value);
    else if (strcmp(word, "-private") == 0)
        sim_drop(sim, "private %s%s", stack, value);
    else if (strcmp(word, "vnet") == 0)
        rc = to_vnet(sim, stack, name, value, err);
    else
        return 0;
    return rc < 0 ? rc : 1;
}

/* The settings after "inet ADDRESS", "inet6 ADDRESS" or "inet6 accept_rtadv". */
static int set_address(struct ja_sim *sim, const char *stack, const char *name, char *const *words, int count,
                       struct ja_error *err)
{
    static const char *const known[] = {"alias", "up", "no_dad", "-ifdisabled", "-alias", "accept_rtadv"};
    bool up = false, drop = false, plain = strcmp(words[0], "inet6") == 0 && strcmp(words[1], "accept_rtadv") == 0;
    for (int i = 2; i < count; i++) {
        bool good = false;
        for (size_t k = 0; k < JA_COUNT(known); k++)
            good = good || strcmp(known[k], words[i]) == 0;
        if (!good)
            return sim_fail(err, "ifconfig: %s: bad value", words[i]); /* before anything is done */
        up = up || strcmp(words[i], "up") == 0;
        drop = drop || strcmp(words[i], "-alias") == 0;
    }
    int rc = plain  ? 0
             : drop ? drop_alias(sim, stack, name, words[1], err)
                    : sim_add_alias(sim, stack, name, words[1], err);
    if (rc == 0 && up && !sim->tearing)
        sim_put(sim, "yes", "up %s%s", stack, name);
    return rc;
}

int sim_ifconfig(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    char name[SIM_NAME];
    int i = 1, rc = 0;
    snprintf(name, sizeof name, "%s", words[0]);
    if (count > 1 && strcmp(words[1], "create") == 0) {
        rc = create(sim, stack, words[0], name, err);
        i = 2;
        if (sim->tearing)
            return rc;
    } else if (!is_there(sim, stack, name)) {
        return sim_fail(err, "ifconfig: interface %s does not exist", name);
    }
    bool created = i == 2, renamed = false;
    for (; rc == 0 && i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : NULL;
        int took = value ? set_one(sim, stack, name, words[i], value, err) : 0;
        if (took < 0)
            return took;
        renamed = renamed || (took && strcmp(words[i], "name") == 0);
        if (took) {
            i++;
        } else if (strcmp(words[i], "destroy") == 0) {
            sim_drop_link(sim, stack, name);
        } else if (strcmp(words[i], "up") == 0) {
            sim_put(sim, "yes", "up %s%s", stack, name);
        } else if (strcmp(words[i], "down") == 0) {
            sim_drop(sim, "up %s%s", stack, name);
        } else if (i + 2 < count && (strcmp(words[i], "static") == 0 || strcmp(words[i], "ifmaxaddr") == 0)) {
            if (!ja_str_equal(sim_get(sim, "master %s%s", stack, words[i + 1]), name))
                return sim_fail(err, "ifconfig: %s: %s: No such file or directory", words[i], words[i + 1]);
            i += 2;
        } else if (strcmp(words[i], "vlandev") == 0 || strcmp(words[i], "vlan") == 0) {
            i++;
        } else if (value && (strcmp(words[i], "inet") == 0 || strcmp(words[i], "inet6") == 0)) {
            /* A rename of what exists stands alone. */
            return renamed && !created ? sim_fail(err, "ifconfig: %s: bad value", words[i])
                                       : set_address(sim, stack, name, words + i, count - i, err);
        } else {
            sim_trouble(sim, "the model knows no ifconfig %s", words[i]);
            return sim_fail(err, "ifconfig: %s: bad value", words[i]);
        }
        if (sim->tearing)
            break;
    }
    return rc;
}

/* ---- routes ---- */

/* The interface by which a gateway is reached directly; NULL: by none. */
static const char *way_to(const struct ja_sim *sim, const char *stack, const struct ja_addr *gateway,
                          char name[SIM_NAME])
{
    char prefix[SIM_NAME];
    snprintf(prefix, sizeof prefix, "addr %s", stack);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++) {
        const char *link = sim->entries[i].key + strlen(prefix), *at = strchr(link, ' ');
        struct ja_addr own;
        if (!at || memchr(link, '#', (size_t)(at - link)) || ja_addr_parse(at + 1, &own, NULL) < 0)
            continue;
        snprintf(name, SIM_NAME, "%.*s", (int)(at - link), link);
        if (own.v6 == gateway->v6 && ja_addr_in(&own, gateway) && sim_get(sim, "up %s%s", stack, name))
            return name;
    }
    return NULL;
}

/* route -n add [-inet6] DESTINATION GATEWAY */
int sim_route(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    char name[SIM_NAME], value[SIM_NAME * 2];
    const char *plain[3] = {"", "", ""};
    struct ja_addr gateway;
    int n = 0;
    bool v6 = false;
    for (int i = 0; i < count; i++) {
        v6 = v6 || strcmp(words[i], "-inet6") == 0;
        if (words[i][0] != '-' && n < 3)
            plain[n++] = words[i];
    }
    if (strcmp(plain[0], "add") != 0 || ja_addr_parse(plain[2], &gateway, NULL) < 0 || gateway.v6 != v6) {
        sim_trouble(sim, "the model knows no route %s %s %s", plain[0], plain[1], plain[2]);
        return sim_fail(err, "route: bad address: %s", plain[2]);
    }
    if (!way_to(sim, stack, &gateway, name))
        return sim_fail(err, "add net %s: gateway %s fib 0: Network is unreachable", plain[1], plain[2]);
    if (sim_get(sim, "route %s%s%s", stack, plain[1], v6 && strcmp(plain[1], "default") == 0 ? "6" : ""))
        return sim_fail(err, "add net %s: gateway %s fib 0: route already in table", plain[1], plain[2]);
    snprintf(value, sizeof value, "%s %s", plain[2], name);
    sim_put(sim, value, "route %s%s%s", stack, plain[1], v6 && strcmp(plain[1], "default") == 0 ? "6" : "");
    return 0;
}

/* ---- neighbours ---- */

/* -s ADDRESS MAC, -d ADDRESS. An entry that is there is replaced. */
static int neighbour(struct ja_sim *sim, const char *stack, char *const *words, int count, bool v6,
                     struct ja_error *err)
{
    char name[SIM_NAME], value[SIM_NAME * 2];
    const char *program = v6 ? "ndp" : "arp";
    struct ja_addr addr;
    if (count < 2 || ja_addr_parse(words[1], &addr, NULL) < 0 || addr.v6 != v6)
        return sim_fail(err, "%s: %s: bad value", program, count > 1 ? words[1] : "");
    if (strcmp(words[0], "-d") == 0)
        return sim_drop(sim, "neigh %s%s", stack, words[1])
                   ? 0
                   : sim_fail(err, "%s: writing to routing socket: No such file or directory", program);
    if (strcmp(words[0], "-s") != 0 || count != 3) {
        sim_trouble(sim, "the model knows no %s %s", program, words[0]);
        return sim_fail(err, "usage: %s", program);
    }
    if (!way_to(sim, stack, &addr, name))
        return sim_fail(err, "%s: cannot intuit interface index and type for %s", program, words[1]);
    snprintf(value, sizeof value, "%s %s", words[2], name);
    sim_put(sim, value, "neigh %s%s", stack, words[1]);
    return 0;
}

int sim_arp(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    return neighbour(sim, stack, words, count, false, err);
}

int sim_ndp(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    return neighbour(sim, stack, words, count, true, err);
}

static int do_arp(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return sim_arp(sim, "", argv + 1, argc - 1, err);
}

static int do_ndp(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return sim_ndp(sim, "", argv + 1, argc - 1, err);
}

static int do_ifconfig(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return argc > 1 ? sim_ifconfig(sim, "", argv + 1, argc - 1, err) : 0;
}

static int do_route(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return sim_route(sim, "", argv + 1, argc - 1, err);
}

/* host link-remove [--made-as FIRST] NAME MARK */
static int do_link_remove(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    const char *made_as = sim_option(argv, argc, "--made-as"), *name = argv[argc - 2], *mark = argv[argc - 1];
    const char *description = sim_get(sim, "link %s", name), *fresh = made_as ? sim_get(sim, "link %s", made_as) : NULL;
    (void)cmd;
    if (description && !*description && strncmp(name, "ja", 2) != 0)
        return sim_fail(err, "the interface %s is not ours: it has no description", name);
    if (description && *description && strcmp(description, mark) != 0)
        return sim_fail(err, "the interface %s is not ours", name);
    if (description)
        sim_drop_link(sim, "", name);
    if (fresh && !*fresh)
        sim_drop_link(sim, "", made_as);
    return 0;
}

const struct ja_sim_command sim_freebsd_net_commands[] = {
    {{"ifconfig"}, do_ifconfig},
    {{"route"}, do_route},
    {{"arp"}, do_arp},
    {{"ndp"}, do_ndp},
    {{"host", "link-remove"}, do_link_remove},
    {{NULL}, NULL},
};
