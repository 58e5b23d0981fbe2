/*
 * parse_kernel.c: sysctl(8), kldstat(8) and rctl(8).
 */
#include "host/freebsd/parse.h"

#include <stdio.h>
#include <string.h>

static int unreadable(const char *command, const char *line, struct ja_error *err)
{
    return ja_error_set(err, JA_E_FAILED, NULL, "%s printed a line that cannot be read: %s", command, JA_SHOW(line));
}

static int put(struct ja_map *map, const char *key, const char *value, struct ja_error *err)
{
    return ja_map_set(map, key, value) < 0 ? ja_error_nomem(err) : 0;
}

/* ---- sysctl ---- */

/* The name of those asked for whose value begins in this line, "NAME=VALUE". */
static const char *begins(const char *line, const struct ja_strv *names)
{
    for (size_t i = 0; i < names->count; i++) {
        size_t length = strlen(names->items[i]);
        if (strncmp(line, names->items[i], length) == 0 && line[length] == '=')
            return names->items[i];
    }
    return NULL;
}

int ja_freebsd_parse_sysctl(char *text, const struct ja_strv *names, struct ja_map *values, struct ja_error *err)
{
    const char *current = NULL;
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        const char *name = begins(line, names);
        if (name) {
            current = name;
            rc = put(values, name, line + strlen(name) + 1, err);
        } else if (ja_str_starts(line, "sysctl: ")) {
            current = NULL;
            if (!strstr(line, "unknown oid"))
                rc = unreadable("sysctl", line, err);
        } else if (current && *line) { /* kern.version has several lines */
            ja_autofree char *more = ja_printf("%s\n%s", ja_map_get(values, current), line);
            rc = more ? put(values, current, more, err) : ja_error_nomem(err);
        } else if (*line) {
            rc = unreadable("sysctl", line, err);
        }
    }
    return rc;
}

int ja_freebsd_parse_features(char *text, struct ja_map *modules, struct ja_error *err)
{
    static const char prefix[] = "kern.features.";
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        char *equals = strchr(line, '=');
        if (!*line || ja_str_starts(line, "sysctl: unknown oid"))
            continue;
        if (!ja_str_starts(line, prefix) || !equals)
            return unreadable("sysctl", line, err);
        *equals = '\0';
        if (strcmp(equals + 1, "0") != 0)
            rc = put(modules, line + strlen(prefix), "", err);
    }
    return rc;
}

/* ---- kldstat ---- */

/*
 * Id Refs Address                Size Name
 *  1   13 0xffffffff80200000   bd8788 kernel (/boot/kernel/kernel)
 *         Contains modules:
 *                  Id Name
 *                 463 if_bridge
 */
int ja_freebsd_parse_kldstat(char *text, struct ja_map *modules, struct ja_error *err)
{
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        char name[128];
        unsigned id, refs;
        if (!*line || ja_str_starts(line, "Id Refs") || strcmp(line, "\tContains modules:") == 0 ||
            strcmp(line, "\t\t Id Name") == 0)
            continue;
        if (sscanf(line, " %u %u 0x%*x %*x %127s", &id, &refs, name) == 3) {
            char *suffix = strrchr(name, '.');
            if (suffix && strcmp(suffix, ".ko") == 0)
                *suffix = '\0';
        } else if (*line != '\t' || sscanf(line, " %u %127s", &id, name) != 2) {
            return unreadable("kldstat", line, err);
        }
        rc = put(modules, name, "", err);
    }
    return rc;
}

/* ---- rctl ---- */

/* "jail:web1" of "jail:web1:maxproc:deny=8". 0: another subject. */
static size_t subject_length(const char *rule)
{
    if (!ja_str_starts(rule, "jail:"))
        return 0;
    size_t length = strlen("jail:") + strcspn(rule + strlen("jail:"), ":");
    return rule[length] == ':' ? length : 0;
}

int ja_freebsd_parse_rctl(char *text, struct ja_map *rules, struct ja_error *err)
{
    ja_autostrv struct ja_strv lines = {0};
    int rc = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        const char *colon = strchr(line, ':');
        if (!*line)
            continue;
        if (!colon || !strchr(colon, '='))
            return unreadable("rctl", line, err);
        if (subject_length(line) && ja_strv_add(&lines, line) < 0)
            return ja_error_nomem(err);
    }
    ja_strv_sort(&lines);
    for (size_t i = 0; rc == 0 && i < lines.count; i++) {
        const char *line = lines.items[i], *before;
        ja_autofree char *key = ja_strndup(line, subject_length(line));
        before = key ? ja_map_get(rules, key) : NULL;
        ja_autofree char *value = ja_printf("%s%s%s", before ? before : "", before ? "\n" : "", line);
        rc = key && value ? put(rules, key, value, err) : ja_error_nomem(err);
        if (rc == 0)
            rc = put(rules, line, "", err);
    }
    return rc;
}

int ja_freebsd_parse_usage(char *text, const struct ja_strv *names, struct ja_map *usage, struct ja_error *err)
{
    /* pcpu is percent of a core, cputime whole seconds. */
    static const struct {
        const char *resource, *key;
        int64_t factor;
    } known[] = {{"cputime", "cpu-us", 1000000}, {"pcpu", "cpu", 10},       {"memoryuse", "memory", 1},
                 {"nthr", "processes", 1},       {"openfiles", "files", 1}, {"readbps", "read-rate", 1},
                 {"writebps", "write-rate", 1}};
    size_t block = 0;
    ja_autostr struct ja_str value = {0};
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *equals = strchr(line, '=');
        if (!*line)
            continue;
        if (!equals || !equals[1] || equals[1 + strspn(equals + 1, "0123456789")])
            return unreadable("rctl", line, err);
        *equals = '\0';
        /* The first one of each jail. */
        if (strcmp(line, "cputime") == 0) {
            if (block > names->count || (block && put(usage, names->items[block - 1], value.text, err) < 0))
                return block > names->count ? unreadable("rctl", line, err) : JA_E_NOMEM;
            ja_str_fini(&value);
            block++;
        }
        for (size_t i = 0; i < JA_COUNT(known); i++)
            if (strcmp(known[i].resource, line) == 0) {
                int64_t amount = strtoll(equals + 1, NULL, 10), most = INT64_MAX / known[i].factor;
                ja_str_addf(&value, "%s%s=%lld", value.length ? " " : "", known[i].key,
                            (long long)((amount < most ? amount : most) * known[i].factor));
            }
        if (value.failed)
            return ja_error_nomem(err);
    }
    if (block != names->count)
        return ja_error_set(err, JA_E_FAILED, NULL, "rctl told of %zu jails instead of %zu", block, names->count);
    return block && value.text ? put(usage, names->items[block - 1], value.text, err) : 0;
}

/* "  512 /usr/local/sbin/dnsmasq --conf-file=...". */
int ja_freebsd_parse_ps(char *text, struct ja_map *processes, struct ja_error *err)
{
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        char *pid = line + strspn(line, " "), *end = pid + strspn(pid, "0123456789");
        if (!*line)
            continue;
        if (end == pid || *end != ' ')
            return ja_error_set(err, JA_E_FAILED, NULL, "ps printed a line that cannot be read: %s", JA_SHOW(line));
        *end = '\0';
        rc = ja_map_set(processes, pid, end + 1) < 0 ? ja_error_nomem(err) : 0;
    }
    return rc;
}
