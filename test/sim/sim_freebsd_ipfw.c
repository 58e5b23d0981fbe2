/*
 * sim_freebsd_ipfw.c: ipfw(8): rules in sets, tables and NAT, one of each for every network stack. It is no transaction, and it
 * deletes what is not there with a message and the status 0, as a real one did.
 */
#include "sim_freebsd.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { RULE_MOST = 1024 };

static bool is_loaded(const struct ja_sim *sim)
{
    return sim_get(sim, "module ipfw") != NULL;
}

static void add_last(struct ja_sim *sim, const char *stack)
{
    const char *kenv = sim_get(sim, "kenv net.inet.ip.fw.default_to_accept");
    bool accept = sim_get(sim, "ipfw accepts") || (kenv && strcmp(kenv, "1") == 0);
    sim_put(sim, accept ? "set 31 allow ip from any to any" : "set 31 deny ip from any to any", "rule %s65535", stack);
}

bool sim_ipfw_accepts(const struct ja_sim *sim, const char *stack)
{
    char prefix[SIM_NAME];
    const char *last = sim_get(sim, "rule %s65535", stack);
    snprintf(prefix, sizeof prefix, "rule %s", stack);
    if (!is_loaded(sim) || (last && strstr(last, " allow ")))
        return true;
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++)
        if (isdigit((unsigned char)sim->entries[i].key[strlen(prefix)]) &&
            !strchr(sim->entries[i].key + strlen(prefix), '#') &&
            strstr(sim->entries[i].value, " allow ip from any to any"))
            return true;
    return false;
}

/* In the stacks that there are, with whatever the default is now. */
void sim_ipfw_load(struct ja_sim *sim)
{
    if (is_loaded(sim))
        return;
    sim_put(sim, "", "module ipfw");
    if (ja_str_equal(sim_get(sim, "kenv net.inet.ip.fw.default_to_accept"), "1"))
        sim_put(sim, "", "ipfw accepts"); /* read once */
    add_last(sim, "");
    for (size_t i = 0; i < sim->count; i++) {
        char stack[32];
        unsigned jid;
        if (sscanf(sim->entries[i].key, "stack %u", &jid) == 1) {
            snprintf(stack, sizeof stack, "%u#", jid);
            if (!sim_get(sim, "rule %s65535", stack))
                add_last(sim, stack);
        }
    }
    if (!sim_ipfw_accepts(sim, ""))
        sim_trouble(sim, "ipfw was loaded so that it denies everything: the host is cut off");
}

void sim_ipfw_begin(struct ja_sim *sim, const char *stack)
{
    if (is_loaded(sim))
        add_last(sim, stack);
}

void sim_ipfw_end(struct ja_sim *sim, const char *stack)
{
    static const char *const kinds[] = {"rule", "table", "entry", "nat"};
    for (size_t k = 0; k < JA_COUNT(kinds); k++)
        sim_drop_all(sim, "%s %s", kinds[k], stack);
}

static void join(char *const *words, int count, char text[RULE_MOST])
{
    int n = 0;
    text[0] = '\0';
    for (int i = 0; i < count && n < RULE_MOST; i++)
        n += snprintf(text + n, RULE_MOST - (size_t)n, "%s%s", i ? " " : "", words[i]);
}

/* ---- rules ---- */

/* Every table that a rule names is there; real ones are made by that, of a type that nobody chose. */
static bool tables_are_there(const struct ja_sim *sim, const char *stack, const char *rule)
{
    for (const char *at = rule; (at = strstr(at, "table(")) != NULL; at++) {
        char table[SIM_NAME];
        snprintf(table, sizeof table, "%.*s", (int)strcspn(at + strlen("table("), ")"), at + strlen("table("));
        if (!sim_get(sim, "table %s%s", stack, table))
            return false;
    }
    return true;
}

/* add NUMBER [set N] ACTION ... */
static int add_rule(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    static const char *const actions[] = {"allow", "deny", "check-state", "nat", "count", "pipe", "skipto", "reset"};
    char text[RULE_MOST], value[RULE_MOST * 2 + 32];
    unsigned long set = 0;
    bool known = false;
    int at = 2;
    if (count > 3 && strcmp(words[2], "set") == 0) {
        set = strtoul(words[3], NULL, 10);
        at = 4;
    }
    for (size_t i = 0; at < count && i < JA_COUNT(actions); i++)
        known = known || strcmp(actions[i], words[at]) == 0;
    if (!known || set > 30)
        return sim_fail(err, "ipfw: invalid action %s", at < count ? words[at] : "");
    join(words + at, count - at, text);
    if (!tables_are_there(sim, stack, text))
        sim_trouble(sim, "a rule of ipfw names a table that is not there: %s", text);
    if (sim->tearing)
        return 0;
    const char *before = sim_get(sim, "rule %s%05lu", stack, strtoul(words[1], NULL, 10));
    snprintf(value, sizeof value, "%s%sset %lu %s", before ? before : "", before ? "\n" : "", set, text);
    sim_put(sim, value, "rule %s%05lu", stack, strtoul(words[1], NULL, 10));
    return 0;
}

/* delete NUMBER..., delete set N */
static int delete_rules(struct ja_sim *sim, const char *stack, char *const *words, int count)
{
    char prefix[SIM_NAME], set[32];
    if (strcmp(words[1], "set") != 0) {
        for (int i = 1; i < count && !(sim->tearing && i * 2 > count); i++)
            sim_drop(sim, "rule %s%05lu", stack, strtoul(words[i], NULL, 10));
        return 0;
    }
    snprintf(prefix, sizeof prefix, "rule %s", stack);
    snprintf(set, sizeof set, "set %s ", words[2]);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix);) {
        char key[SIM_NAME];
        snprintf(key, sizeof key, "%s", sim->entries[i].key);
        if (!strchr(key + strlen(prefix), '#') && ja_str_starts(sim->entries[i].value, set))
            sim_drop(sim, "%s", key);
        else
            i++;
    }
    return 0;
}

/* ---- tables ---- */

static bool is_used(const struct ja_sim *sim, const char *stack, const char *table)
{
    char prefix[SIM_NAME], word[SIM_NAME + 8];
    snprintf(prefix, sizeof prefix, "rule %s", stack);
    snprintf(word, sizeof word, "table(%s)", table);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++)
        if (strstr(sim->entries[i].value, word))
            return true;
    return false;
}

/* An address as ipfw keeps it: of its network, with a length. Other entries are as they are. */
static void entry_of(const char *text, char entry[SIM_NAME])
{
    struct ja_addr addr, network;
    snprintf(entry, SIM_NAME, "%s", text);
    if (ja_addr_parse(text, &addr, NULL) < 0)
        return;
    if (addr.prefix < 0)
        addr.prefix = addr.v6 ? 128 : 32;
    ja_addr_network(&addr, &network);
    ja_addr_format(&network, true, entry);
}

/* table NAME create|destroy|add|delete */
static int do_table(struct ja_sim *sim, const char *stack, char *const *words, int count, bool quiet,
                    struct ja_error *err)
{
    const char *table = words[1], *verb = count > 2 ? words[2] : "";
    char entry[SIM_NAME];
    const char *type = sim_get(sim, "table %s%s", stack, table);
    if (strcmp(verb, "create") == 0) {
        const char *wanted = count > 4 && strcmp(words[3], "type") == 0 ? words[4] : "addr";
        if (type)
            return sim_fail(err, "ipfw: Table creation failed: File exists");
        if (!sim->tearing)
            sim_put(sim, wanted, "table %s%s", stack, table);
        return 0;
    }
    if (!type)
        return sim_fail(err, "ipfw: failed to %s table %s: No such process", verb, table);
    if (strcmp(verb, "destroy") == 0) {
        if (is_used(sim, stack, table))
            return sim_fail(err, "ipfw: failed to destroy table %s: Device busy", table);
        sim_drop_all(sim, "entry %s%s ", stack, table);
        sim_drop(sim, "table %s%s", stack, table);
        return 0;
    }
    if (count < 4 || (strcmp(verb, "add") != 0 && strcmp(verb, "delete") != 0)) {
        sim_trouble(sim, "the model knows no ipfw table %s", verb);
        return sim_fail(err, "ipfw: unknown command %s", verb);
    }
    entry_of(words[3], entry);
    bool there = sim_get(sim, "entry %s%s %s", stack, table, entry) != NULL;
    if (strcmp(verb, "add") == 0) {
        if (there && !quiet)
            return sim_fail(err, "ipfw: Adding record failed: record already exists");
        sim_put(sim, count > 4 ? words[4] : "0", "entry %s%s %s", stack, table, entry);
        return 0;
    }
    return sim_drop(sim, "entry %s%s %s", stack, table, entry)
               ? 0
               : sim_fail(err, "ipfw: Deleting record failed: record not found");
}

/* ---- NAT ---- */

static int do_nat(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    char text[RULE_MOST];
    if (!sim_get(sim, "module ipfw_nat"))
        return sim_fail(err, "ipfw: setsockopt(IP_FW_NAT44_XCONFIG): Invalid argument");
    if (count > 2 && strcmp(words[2], "delete") == 0) {
        sim_drop(sim, "nat %s%s", stack, words[1]);
        return 0;
    }
    if (count < 4 || strcmp(words[2], "config") != 0) {
        sim_trouble(sim, "the model knows no ipfw nat %s", count > 2 ? words[2] : "");
        return sim_fail(err, "ipfw: Please specify action. Available: config,log");
    }
    join(words + 3, count - 3, text);
    if (!sim->tearing)
        sim_put(sim, text, "nat %s%s", stack, words[1]);
    return 0;
}

/* ---- the command ---- */

int sim_ipfw(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    bool quiet = count > 0 && strcmp(words[0], "-q") == 0;
    if (quiet)
        words++, count--;
    if (!is_loaded(sim))
        return sim_fail(err, "ipfw: setsockopt(IP_FW_XADD): Protocol not available");
    if (count > 3 && strcmp(words[0], "add") == 0)
        return add_rule(sim, stack, words, count, err);
    if (count > 1 && strcmp(words[0], "delete") == 0)
        return delete_rules(sim, stack, words, count);
    if (count > 2 && strcmp(words[0], "table") == 0)
        return do_table(sim, stack, words, count, quiet, err);
    if (count > 2 && strcmp(words[0], "nat") == 0)
        return do_nat(sim, stack, words, count, err);
    sim_trouble(sim, "the model knows no ipfw %s", count > 0 ? words[0] : "");
    return sim_fail(err, "ipfw: bad command");
}

static int do_ipfw(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return sim_ipfw(sim, "", argv + 1, argc - 1, err);
}

const struct ja_sim_command sim_freebsd_ipfw_commands[] = {
    {{"ipfw"}, do_ipfw},
    {{NULL}, NULL},
};
