/*
 * sim_freebsd_ipfw.c: ipfw(8): rules in sets, tables and NAT, one of each for every network stack. It is no transaction, and it
 * deletes what is not there with a message and the status 0, as a real one did.
 */
#include "sim_freebsd.h"

#include "host/freebsd/rules.h"

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
    sim_put(sim, "1", "sysctl net.inet.ip.fw.one_pass");
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
    static const char *const kinds[] = {"rule", "table", "entry", "nat", "pipe", "onepass"};
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

/* The next table that a rule names, from `at` on; NULL: none. */
static const char *next_table(const char *at, char table[SIM_NAME])
{
    static const char *const words[] = {"table(", "lookup dst-port "};
    const char *found = NULL;
    for (size_t i = 0; i < JA_COUNT(words); i++) {
        const char *word = strstr(at, words[i]);
        if (word && (!found || word < found)) {
            found = word;
            word += strlen(words[i]);
            snprintf(table, SIM_NAME, "%.*s", (int)strcspn(word, "), "), word);
        }
    }
    return found ? found + 1 : NULL;
}

/* Every table that a rule names is there; real ones are made by that, of a type that nobody chose. */
static bool tables_are_there(const struct ja_sim *sim, const char *stack, const char *rule)
{
    char table[SIM_NAME];
    for (const char *at = rule; (at = next_table(at, table)) != NULL;)
        if (!sim_get(sim, "table %s%s", stack, table))
            return false;
    return true;
}

/* add NUMBER [set N] [prob P] ACTION ... */
static int add_rule(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    static const char *const actions[] = {"allow",  "deny",  "check-state", "nat",    "count", "pipe",
                                          "skipto", "reset", "call",        "return", "fwd"};
    char text[RULE_MOST], value[RULE_MOST * 2 + 32];
    unsigned long set = 0;
    bool known = false;
    int at = 2;
    if (count > 3 && strcmp(words[2], "set") == 0) {
        set = strtoul(words[3], NULL, 10);
        at = 4;
    }
    int first = at;
    if (count > at + 1 && strcmp(words[at], "prob") == 0)
        at += 2;
    for (size_t i = 0; at < count && i < JA_COUNT(actions); i++)
        known = known || strcmp(actions[i], words[at]) == 0;
    if (!known || set > 30)
        return sim_fail(err, "ipfw: invalid action %s", at < count ? words[at] : "");
    join(words + first, count - first, text);
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
    char prefix[SIM_NAME], found[SIM_NAME];
    snprintf(prefix, sizeof prefix, "rule %s", stack);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++)
        for (const char *at = sim->entries[i].value; (at = next_table(at, found)) != NULL;)
            if (strcmp(found, table) == 0)
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
    /* add KEY [VALUE KEY VALUE ...], delete KEY...: not one transaction. */
    bool add = strcmp(verb, "add") == 0;
    for (int i = 3; i < count; i += add ? 2 : 1) {
        entry_of(words[i], entry);
        bool there = sim_get(sim, "entry %s%s %s", stack, table, entry) != NULL;
        if (add && there && !quiet)
            return sim_fail(err, "ipfw: Adding record failed: record already exists");
        if (add)
            sim_put(sim, i + 1 < count ? words[i + 1] : "0", "entry %s%s %s", stack, table, entry);
        else if (!sim_drop(sim, "entry %s%s %s", stack, table, entry) && !quiet)
            return sim_fail(err, "ipfw: Deleting record failed: record not found");
        if (sim->tearing)
            break;
    }
    return 0;
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

/* ---- pipes ---- */

/* pipe N config ..., which says all of it; pipe N delete, which is never a failure */
static int do_pipe(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    char text[RULE_MOST];
    if (!sim_get(sim, "module dummynet"))
        return sim_fail(err, "ipfw: setsockopt(IP_DUMMYNET_CONFIGURE): Protocol not available");
    if (strcmp(words[2], "delete") == 0) {
        sim_drop(sim, "pipe %s%s", stack, words[1]);
        return 0;
    }
    if (strcmp(words[2], "config") != 0) {
        sim_trouble(sim, "the model knows no ipfw pipe %s", words[2]);
        return sim_fail(err, "ipfw: bad command");
    }
    join(words + 3, count - 3, text);
    if (!sim->tearing)
        sim_put(sim, text, "pipe %s%s", stack, words[1]);
    return 0;
}

/* sysctl NAME=VALUE in a stack */
int sim_stack_sysctl(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    if (count != 1 || !ja_str_starts(words[0], "net.inet.ip.fw.one_pass=") || !is_loaded(sim)) {
        sim_trouble(sim, "the model knows no sysctl %s", words[0]);
        return sim_fail(err, "sysctl: unknown oid '%s'", words[0]);
    }
    if (sim_jail_is_secure(sim, stack))
        return sim_fail(err, "sysctl: net.inet.ip.fw.one_pass=0: Operation not permitted");
    if (strchr(words[0], '=')[1] == '1')
        sim_drop(sim, "onepass %s", stack);
    else
        sim_put(sim, "0", "onepass %s", stack);
    return 0;
}

/* Of a rule that finds its pipe in a table. */
static void check_entries(struct ja_sim *sim, const char *stack, const char *rule)
{
    char table[SIM_NAME], prefix[SIM_NAME * 2];
    while (*rule && *rule != '\n' && (rule = next_table(rule, table)) != NULL) {
        snprintf(prefix, sizeof prefix, "entry %s%s ", stack, table);
        for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++)
            if (!sim_get(sim, "pipe %s%s", stack, sim->entries[i].value))
                sim_trouble(sim, "%s leads through a pipe that is not there", sim->entries[i].key);
    }
}

/* A pipe that is not there takes all packets. */
void sim_ipfw_check(struct ja_sim *sim)
{
    for (size_t i = sim_from(sim, "rule "); sim_starts(sim, i, "rule "); i++) {
        char stack[32] = "", pipe[16];
        const char *hash = strchr(sim->entries[i].key, '#');
        if (hash)
            snprintf(stack, sizeof stack, "%.*s", (int)(hash + 1 - sim->entries[i].key - 5), sim->entries[i].key + 5);
        for (const char *at = sim->entries[i].value; (at = strstr(at, " pipe ")) != NULL; at++) {
            if (sscanf(at, " pipe %15s", pipe) != 1)
                continue;
            if (strcmp(pipe, "tablearg") == 0)
                check_entries(sim, stack, at);
            else if (!sim_get(sim, "pipe %s%s", stack, pipe))
                sim_trouble(sim, "%s leads through a pipe that is not there", sim->entries[i].key);
        }
    }
}

/* ---- the command ---- */

int sim_ipfw(struct ja_sim *sim, const char *stack, char *const *words, int count, struct ja_error *err)
{
    bool quiet = count > 0 && strcmp(words[0], "-q") == 0;
    if (quiet)
        words++, count--;
    if (!is_loaded(sim))
        return sim_fail(err, "ipfw: setsockopt(IP_FW_XADD): Protocol not available");
    if (sim_jail_is_secure(sim, stack))
        return sim_fail(err, "ipfw: setsockopt(IP_FW_XADD): Operation not permitted");
    if (count > 2 && strcmp(words[0], "pipe") == 0)
        return do_pipe(sim, stack, words, count, err);
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

/* Lines, up to the first that it does not take: those before it stay. */
static int do_lines(struct ja_sim *sim, const char *input, struct ja_error *err)
{
    int rc = 0;
    while (rc == 0 && input && *input) {
        ja_autostrv struct ja_strv words = {0};
        ja_autofree char *line = ja_strndup(input, strcspn(input, "\n"));
        if (!line || ja_str_split_words(line, &words) < 0)
            return ja_error_nomem(err);
        if (words.count)
            rc = sim_ipfw(sim, "", words.items, (int)words.count, err);
        if (sim->tearing)
            break;
        input += strcspn(input, "\n");
        input += *input == '\n';
    }
    return rc;
}

static int do_ipfw(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    if (strcmp(argv[argc - 1], "/dev/stdin") == 0)
        return do_lines(sim, cmd->input, err);
    return sim_ipfw(sim, "", argv + 1, argc - 1, err);
}

/* host nat-config [--back] RUN NUMBER INTERFACE [add|remove REDIRECTION]... */
static int do_nat_config(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                         struct ja_error *err)
{
    ja_autostrv struct ja_strv add = {0}, remove = {0}, words = {0};
    ja_autostr struct ja_str text = {0};
    bool reverse = strcmp(argv[2], "--back") == 0;
    argv += reverse;
    argc -= reverse;
    const char *config = sim_get(sim, "nat %s", argv[3]);
    (void)cmd;
    if (!sim_get(sim, "module ipfw_nat"))
        return sim_fail(err, "ipfw: setsockopt(IP_FW_NAT44_XCONFIG): Invalid argument");
    for (int i = 5; i + 1 < argc; i += 2)
        if (ja_strv_add(strcmp(argv[i], "add") == 0 ? &add : &remove, argv[i + 1]) < 0)
            return ja_error_nomem(err);
    if (!config && remove.count && !add.count)
        return 0;
    int rc = ja_freebsd_nat_words(config, argv[4], reverse, &add, &remove, &words, err);
    for (size_t i = 0; rc == 0 && i < words.count; i++)
        ja_str_addf(&text, "%s%s", i ? " " : "", words.items[i]);
    if (rc == 0 && !sim->tearing)
        sim_put(sim, text.text, "nat %s", argv[3]);
    return rc;
}

const struct ja_sim_command sim_freebsd_ipfw_commands[] = {
    {{"ipfw"}, do_ipfw},
    {{"host", "nat-config"}, do_nat_config},
    {{NULL}, NULL},
};
