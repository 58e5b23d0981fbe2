/*
 * parse_ipfw.c: lists of ipfw(8): rules with their sets, tables, and NAT instances.
 */
#include "host/freebsd/parse.h"

#include <stdio.h>
#include <string.h>

static int unreadable(const char *line, struct ja_error *err)
{
    return ja_error_set(err, JA_E_FAILED, NULL, "ipfw printed a line that cannot be read: %s", JA_SHOW(line));
}

static void trim_end(char *text)
{
    size_t length = strlen(text);
    while (length && text[length - 1] == ' ')
        text[--length] = '\0';
}

static int putf(struct ja_map *map, const char *value, struct ja_error *err, const char *kind, const char *name,
                const char *more)
{
    ja_autofree char *key = ja_printf("%s %s%s%s", kind, name, more ? " " : "", more ? more : "");
    return key && ja_map_set(map, key, value) == 0 ? 0 : ja_error_nomem(err);
}

/* ---- rules ---- */

/* Rules of one number are deleted together: what proves one of them ours must hold for all. */
static int add_rule(struct ja_map *answers, unsigned number, const char *text, struct ja_error *err)
{
    char name[16];
    snprintf(name, sizeof name, "%u", number);
    ja_autofree char *key = ja_printf("rule %s", name);
    const char *before = key ? ja_map_get(answers, key) : NULL;
    if (!key)
        return ja_error_nomem(err);
    if (!before)
        return putf(answers, text, err, "rule", name, NULL);
    size_t set = strlen("set ") + strspn(text + strlen("set "), "0123456789") + 1;
    ja_autofree char *both =
        strncmp(before, text, set) == 0 ? ja_printf("%s\n%s", before, text) : ja_strdup("several sets");
    return both ? putf(answers, both, err, "rule", name, NULL) : ja_error_nomem(err);
}

/* "20010 set 17 nat 17 ip from ...", "# DISABLED 20010 set 17 ..." when its set is. */
int ja_freebsd_parse_ipfw_rules(char *text, struct ja_map *answers, struct ja_error *err)
{
    static const char disabled[] = "# DISABLED ";
    ja_autostr struct ja_str all = {0};
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        unsigned number, set;
        int at = -1;
        if (!*line)
            continue;
        if (ja_str_starts(line, disabled))
            line += strlen(disabled);
        /* 15.1 has it in every list; it is no rule. */
        if (strstr(line, "// orphaned dynamic states counter"))
            continue;
        if (sscanf(line, "%u %nset %u ", &number, &at, &set) != 2 || at < 0)
            return unreadable(line, err);
        trim_end(line);
        rc = add_rule(answers, number, line + at, err);
        ja_str_addf(&all, "%u %s\n", number, line + at);
    }
    if (rc == 0 && (all.failed || ja_map_set(answers, "rules", all.text ? all.text : "") < 0))
        rc = ja_error_nomem(err);
    return rc;
}

/* ---- tables ---- */

/* "--- table(janat), set(0) ---". */
static bool is_table(const char *line, char ret_name[64])
{
    unsigned set;
    int end = -1;
    return sscanf(line, "--- table(%63[^)]), set(%u) ---%n", ret_name, &set, &end) == 2 && end > 0;
}

int ja_freebsd_parse_ipfw_tables(char *text, struct ja_map *answers, struct ja_error *err)
{
    char table[64] = "", type[64];
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        if (!*line || is_table(line, table))
            continue;
        if (*line != ' ' || !table[0])
            return unreadable(line, err);
        const char *at = strstr(line, "type: ");
        if (ja_str_starts(line, " kindex: ") && at && sscanf(at, "type: %63[^, ]", type) == 1)
            rc = putf(answers, type, err, "table", table, NULL);
    }
    return rc;
}

/* All entries of a table that has ended; "" before the first one. */
static int end_table(struct ja_map *answers, const char *table, struct ja_str *keys, struct ja_error *err)
{
    if (!table[0])
        return 0;
    ja_str_add(keys, "");
    int rc = keys->failed ? ja_error_nomem(err) : putf(answers, keys->text, err, "entries", table, NULL);
    ja_str_fini(keys);
    return rc;
}

int ja_freebsd_parse_ipfw_entries(char *text, struct ja_map *answers, struct ja_error *err)
{
    char table[64] = "", next[64], plain[JA_ADDR_TEXT];
    ja_autostr struct ja_str keys = {0};
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        struct ja_addr addr;
        if (!*line)
            continue;
        if (is_table(line, next)) {
            rc = end_table(answers, table, &keys, err);
            snprintf(table, sizeof table, "%s", next);
            continue;
        }
        char *value = strchr(line, ' ');
        if (!table[0] || !value)
            return unreadable(line, err);
        *value++ = '\0';
        const char *entry = line;
        if (ja_addr_parse(line, &addr, NULL) == 0 && addr.prefix >= 0) {
            ja_addr_format(&addr, true, plain);
            entry = plain;
        }
        trim_end(value);
        ja_str_addf(&keys, "%s\n", entry);
        rc = putf(answers, value, err, "table", table, entry);
    }
    return rc == 0 ? end_table(answers, table, &keys, err) : rc;
}

/* ---- NAT ---- */

/* "ipfw nat 17 config if vtnet0 same_ports reset". */
int ja_freebsd_parse_ipfw_nats(char *text, struct ja_map *answers, struct ja_error *err)
{
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        char name[64];
        int at = -1;
        if (!*line)
            continue;
        if (sscanf(line, "ipfw nat %63s config%n", name, &at) != 1 || at < 0)
            return unreadable(line, err);
        trim_end(line);
        const char *config = line + at;
        rc = putf(answers, config + strspn(config, " "), err, "nat", name, NULL);
    }
    return rc;
}
