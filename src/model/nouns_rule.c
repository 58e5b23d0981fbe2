/*
 * nouns_rule.c: the table of a network's rules: what may begin to talk to whom beyond the default policy.
 */
#include "model/checks.h"

#include "net/addr.h"

#include <string.h>

static const char *const action_words[] = {"allow", "deny", NULL};
static const char *const direction_words[] = {"out", "in", NULL};
static const char *const protocol_words[] = {"any", "tcp", "udp", "icmp", NULL};

bool ja_peer_read(const char *text, struct ja_peer *ret_peer)
{
    static const struct {
        const char *word;
        enum ja_peer_kind kind;
    } words[] = {{"any", JA_PEER_ANY}, {"host", JA_PEER_HOST}, {"world", JA_PEER_WORLD}};
    static const struct {
        const char *prefix;
        enum ja_peer_kind kind;
    } named[] = {{"network:", JA_PEER_NETWORK}, {"jail:", JA_PEER_JAIL}};
    struct ja_addr addr;
    for (size_t i = 0; i < JA_COUNT(words); i++)
        if (!text || strcmp(text, words[i].word) == 0) {
            *ret_peer = (struct ja_peer){.kind = words[i].kind};
            return true;
        }
    for (size_t i = 0; i < JA_COUNT(named); i++)
        if (ja_str_starts(text, named[i].prefix)) {
            *ret_peer = (struct ja_peer){.kind = named[i].kind, .name = text + strlen(named[i].prefix)};
            return ja_check_name(ret_peer->name, NULL) == 0;
        }
    *ret_peer = (struct ja_peer){.kind = JA_PEER_ADDRESS, .address = text};
    return ja_addr_parse(text, &addr, NULL) == 0;
}

static int check_peer(const char *value, struct ja_error *err)
{
    struct ja_peer peer;
    struct ja_addr addr, network;
    char text[JA_ADDR_TEXT];
    if (!ja_peer_read(value, &peer))
        return ja_error_set(
            err, JA_E_INVALID, NULL,
            "\"%s\" is nobody that a rule knows; allowed are any, host, world, network:NAME, jail:NAME, "
            "and such as 192.0.2.5, 192.0.2.0/24 or fd00::/64",
            JA_SHOW(value));
    if (peer.kind != JA_PEER_ADDRESS || ja_addr_parse(value, &addr, NULL) < 0 || addr.prefix < 0)
        return 0;
    ja_addr_network(&addr, &network);
    if (ja_addr_compare(&addr, &network) == 0)
        return 0;
    ja_addr_format(&network, true, text);
    ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" has bits after the length of its prefix", JA_SHOW(value));
    return ja_error_hint(err, "did you mean \"%s\"?", text);
}

static int check_rule(const void *object, struct ja_error *err)
{
    const struct ja_rule *rule = object;
    struct ja_peer peer;
    if (rule->port && rule->protocol != JA_PROTOCOL_TCP && rule->protocol != JA_PROTOCOL_UDP)
        return ja_error_set(err, JA_E_INVALID, "port", "only protocol=tcp and protocol=udp have ports");
    if (rule->direction == JA_DIRECTION_IN && ja_peer_read(rule->peer, &peer) && peer.kind == JA_PEER_HOST)
        return ja_error_set(err, JA_E_INVALID, "peer",
                            "the host always reaches its jails: no rule with direction=in is asked");
    return 0;
}

static const struct ja_field rule_fields[] = {
    {.name = "name",
     .type = JA_T_STRING,
     .offset = JA_FIELD(ja_rule, name),
     .check = ja_check_name,
     .when = JA_WHEN_CREATE,
     .flags = JA_F_REQUIRED,
     .doc = "name of the rule"},
    {.name = "action",
     .type = JA_T_STRING,
     .offset = JA_FIELD(ja_rule, action),
     .when = JA_WHEN_LIVE,
     .flags = JA_F_REQUIRED,
     .values = action_words,
     .doc = "whether such connections may begin; those that exist go on, and answers always pass"},
    {.name = "direction",
     .type = JA_T_ENUM,
     .offset = JA_FIELD(ja_rule, direction),
     .def = "out",
     .when = JA_WHEN_LIVE,
     .values = direction_words,
     .doc =
         "what jails of the network begin (out), or what others begin to jails of it (in); a deny of either network wins"},
    {.name = "jail",
     .type = JA_T_STRING,
     .offset = JA_FIELD(ja_rule, jail),
     .check = ja_check_name,
     .when = JA_WHEN_LIVE,
     .metavar = "JAIL",
     .doc = "a jail of the network that it is about; without it all of them"},
    {.name = "peer",
     .type = JA_T_STRING,
     .offset = JA_FIELD(ja_rule, peer),
     .def = "any",
     .check = check_peer,
     .when = JA_WHEN_LIVE,
     .metavar = "any|host|world|network:NAME|jail:NAME|ADDRESS[/LEN]",
     .doc =
         "the other side: any (the host too), host (all its addresses), world (no network of jails), a name, or addresses"},
    {.name = "protocol",
     .type = JA_T_ENUM,
     .offset = JA_FIELD(ja_rule, protocol),
     .def = "any",
     .when = JA_WHEN_LIVE,
     .values = protocol_words,
     .doc = "what it is about; icmp is that of IPv6 too"},
    {.name = "port",
     .type = JA_T_STRING,
     .offset = JA_FIELD(ja_rule, port),
     .check = ja_check_ports,
     .when = JA_WHEN_LIVE,
     .metavar = "PORT",
     .doc = "port that is connected to, or FIRST-LAST; of a forward the jail's; without it all of them"},
    {.name = "order",
     .type = JA_T_INT,
     .offset = JA_FIELD(ja_rule, order),
     .def = "100",
     .when = JA_WHEN_LIVE,
     .least = 0,
     .most = 9999,
     .doc =
         "rules with a smaller number are asked earlier, those with the same by name; the first that matches decides"},
    {.name = "jail-addresses",
     .type = JA_T_STRINGS,
     .offset = JA_FIELD(ja_rule, jail_addresses),
     .when = JA_WHEN_LIVE,
     .flags = JA_F_STATE,
     .doc = "addresses of the jail"},
    {.name = "peer-addresses",
     .type = JA_T_STRINGS,
     .offset = JA_FIELD(ja_rule, peer_addresses),
     .when = JA_WHEN_LIVE,
     .flags = JA_F_STATE,
     .doc = "addresses of the jail on the other side"},
    {.name = "peer-slot",
     .type = JA_T_INT,
     .offset = JA_FIELD(ja_rule, peer_slot),
     .def = "-1",
     .when = JA_WHEN_LIVE,
     .flags = JA_F_STATE,
     .doc = "the number of the network on the other side; -1 for none"},
};

const struct ja_noun ja_noun_rule = JA_NOUN(
    "rule", "rules", ja_rule, rule_fields, check_rule,
    "A rule of a network, beyond the default policy, for new connections that are routed: to and from other networks, "
    "the world, the host.");

static int compare_rules(const void *a, const void *b)
{
    const struct ja_rule *one = *(const struct ja_rule *const *)a, *other = *(const struct ja_rule *const *)b;
    if (one->order != other->order)
        return one->order < other->order ? -1 : 1;
    return strcmp(one->name, other->name);
}

const struct ja_rule **ja_network_rules(const struct ja_network *network)
{
    const struct ja_rule **rules = ja_calloc(network->rules.count + 1, sizeof *rules);
    for (size_t i = 0; rules && i < network->rules.count; i++)
        rules[i] = network->rules.items[i];
    if (rules)
        qsort(rules, network->rules.count, sizeof *rules, compare_rules);
    return rules;
}
