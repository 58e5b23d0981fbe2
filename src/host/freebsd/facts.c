/*
 * facts.c: the fact reader of a FreeBSD host. Every group of kinds has one command; it runs when one of its facts is asked
 * for, once, and answers all of them. A command that fails, is cut off or prints what is not understood is an error: what
 * is unknown must not pass for absent. What the system does not have (ipfw, racct) is absent.
 */
#include "host/freebsd/facts.h"

#include "host/facts_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
    const struct ja_freebsd_source *source;
    struct ja_facts *facts;
    struct ja_error *err;
};

/* ---- asking ---- */

static bool asked(const struct ja_fact *fact, enum ja_fact_kind kind)
{
    return !fact->known && fact->kind == kind;
}

/* Whether something of a kind is missing, whose name begins so; NULL: any. */
static bool wants(const struct reading *reading, enum ja_fact_kind kind, const char *prefix)
{
    for (size_t i = 0; i < reading->facts->count; i++)
        if (asked(&reading->facts->items[i], kind) && (!prefix || ja_str_starts(reading->facts->items[i].name, prefix)))
            return true;
    return false;
}

static int set(struct reading *reading, const struct ja_fact *fact, const char *value)
{
    return ja_facts_set(reading->facts, fact->kind, fact->name, value) < 0 ? ja_error_nomem(reading->err) : 0;
}

/* Answers all of a kind from a map; what is not in it is absent. */
static int set_all(struct reading *reading, enum ja_fact_kind kind, const struct ja_map *answers)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        if (asked(fact, kind))
            rc = set(reading, fact, ja_map_get(answers, fact->name));
    }
    return rc;
}

/* ---- running ---- */

static void describe(char *const *argv, char *text, size_t size)
{
    ja_autostr struct ja_str line = {0};
    for (size_t i = 0; argv[i]; i++) {
        ja_str_add(&line, i ? " " : "");
        ja_str_add_quoted(&line, argv[i]);
    }
    snprintf(text, size, "%s", line.text ? line.text : "");
}

static int failed(struct reading *reading, char *const *argv, const struct ja_str *output, int status)
{
    const char *text = output->text ? output->text : "";
    size_t length = strlen(text), keep = sizeof reading->err->output / 2;
    ja_autostr struct ja_str shown = {0};
    ja_error_set(reading->err, JA_E_FAILED, NULL, "%s ended with status %d", argv[0], status);
    describe(argv, reading->err->command, sizeof reading->err->command);
    ja_str_add_shown(&shown, length > keep ? text + length - keep : text, length > keep ? keep : length, true);
    snprintf(reading->err->output, sizeof reading->err->output, "%s", shown.text ? shown.text : "");
    return JA_E_FAILED;
}

/* What a failed command may say when the system has no such thing. */
static bool says(const struct ja_str *output, const char *const *texts)
{
    for (; output->text && *texts; texts++)
        if (strstr(output->text, *texts))
            return true;
    return false;
}

/*
 * Runs a command. 1: it has printed *output (never without text); 0: the system has no such thing, which is a missing program
 * or one that says one of `absent` (may be NULL); else a negative code.
 */
static int run(struct reading *reading, char *const *argv, const char *const *absent, struct ja_str *output)
{
    int status = 0;
    int rc = reading->source->run(reading->source->context, argv, output, &status, reading->err);
    if (rc == JA_E_NOTFOUND && absent) {
        ja_error_clear(reading->err);
        return 0;
    }
    if (rc < 0)
        return rc;
    if (status != 0)
        return absent && says(output, absent) ? 0 : failed(reading, argv, output, status);
    ja_str_add(output, "");
    return output->failed || !output->text ? ja_error_nomem(reading->err) : 1;
}

#define WORDS(...) ((char *const[]){__VA_ARGS__, NULL})
#define WORD(text) ((char[]){text})

/* ---- jails ---- */

/* "NAME PATH" in the file that stands for a jail's first process; the kernel's jail of that name must have that path. */
static int find_process(struct reading *reading, const char *file, const struct ja_map *jails, struct ja_str *value)
{
    ja_autostr struct ja_str text = {0};
    struct stat info;
    int rc = ja_fact_from_file(JA_FACT_FILE, file, &text, reading->err);
    if (rc <= 0 || !text.text)
        return rc;
    text.text[strcspn(text.text, "\n")] = '\0';
    char *path = strchr(text.text, ' ');
    if (!path)
        return 0;
    *path++ = '\0';
    const char *fact = ja_map_get(jails, text.text);
    size_t length = strlen(path);
    if (!fact || strncmp(fact, path, length) != 0 || fact[length] != ' ' || stat(file, &info) < 0)
        return 0;
    const char *jid = fact + length + 1, *state = strchr(jid, ' ');
    if (!state || strcmp(state + 1, "active") != 0)
        return 0;
    ja_str_addf(value, "%.*s %lld", (int)(state - jid), jid,
                (long long)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000);
    return value->failed ? ja_error_nomem(reading->err) : 1;
}

static int answer_jails(struct reading *reading, const struct ja_map *jails)
{
    int rc = set_all(reading, JA_FACT_JAIL, jails);
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        ja_autostr struct ja_str value = {0};
        if (!asked(fact, JA_FACT_PROCESS))
            continue;
        rc = find_process(reading, fact->name, jails, &value);
        if (rc >= 0)
            rc = set(reading, fact, rc > 0 ? value.text : NULL);
    }
    return rc;
}

static int read_jails(struct reading *reading)
{
    ja_autostr struct ja_str output = {0};
    struct ja_map jails = {0};
    if (!wants(reading, JA_FACT_JAIL, NULL) && !wants(reading, JA_FACT_PROCESS, NULL))
        return 0;
    int rc = run(reading,
                 WORDS(WORD("jls"), WORD("-d"), WORD("--libxo"), WORD("json"), WORD("-n"), WORD("jid"), WORD("name"),
                       WORD("path"), WORD("dying")),
                 NULL, &output);
    if (rc > 0)
        rc = ja_freebsd_parse_jls(output.text, &jails, reading->err);
    if (rc == 0)
        rc = answer_jails(reading, &jails);
    ja_map_fini(&jails);
    return rc;
}

/* ---- interfaces ---- */

static int get_links(struct reading *reading, struct ja_freebsd_links *links)
{
    ja_autostr struct ja_str output = {0};
    if (reading->source->links)
        return reading->source->links(links, reading->err);
    int rc = run(reading, WORDS(WORD("ifconfig"), WORD("-a")), NULL, &output);
    return rc > 0 ? ja_freebsd_parse_ifconfig(output.text, links, reading->err) : rc;
}

/* However an address is written, it is the same. */
static int answer_addresses(struct reading *reading, const struct ja_map *addresses)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        struct ja_addr addr;
        char text[JA_ADDR_TEXT];
        if (!asked(fact, JA_FACT_HOSTADDR))
            continue;
        if (ja_addr_parse(fact->name, &addr, NULL) < 0) {
            rc = set(reading, fact, NULL);
            continue;
        }
        ja_addr_format(&addr, false, text);
        rc = set(reading, fact, ja_map_get(addresses, text));
    }
    return rc;
}

/* Names of interfaces by their beginning. */
static int answer_names(struct reading *reading, const struct ja_map *links)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        ja_autostr struct ja_str names = {0};
        if (!asked(fact, JA_FACT_LINKS))
            continue;
        for (size_t n = 0; n < links->count; n++)
            if (ja_str_starts(links->pairs[n].key, fact->name))
                ja_str_addf(&names, "%s\n", links->pairs[n].key);
        rc = names.failed ? ja_error_nomem(reading->err) : set(reading, fact, names.text);
    }
    return rc;
}

static int read_links(struct reading *reading)
{
    struct ja_freebsd_links links = {0};
    if (!wants(reading, JA_FACT_LINK, NULL) && !wants(reading, JA_FACT_PORTS, NULL) &&
        !wants(reading, JA_FACT_HOSTADDR, NULL) && !wants(reading, JA_FACT_HOSTNETS, NULL) &&
        !wants(reading, JA_FACT_MEMBER, NULL) && !wants(reading, JA_FACT_LINKS, NULL) &&
        !wants(reading, JA_FACT_TRAFFIC, NULL))
        return 0;
    int rc = get_links(reading, &links);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_LINK, &links.descriptions);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_PORTS, &links.ports);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_MEMBER, &links.members);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_TRAFFIC, &links.traffic);
    if (rc == 0)
        rc = answer_names(reading, &links.descriptions);
    if (rc == 0)
        rc = answer_addresses(reading, &links.addresses);
    if (rc == 0 && wants(reading, JA_FACT_HOSTNETS, NULL) &&
        ja_facts_set(reading->facts, JA_FACT_HOSTNETS, "", links.nets.text ? links.nets.text : "") < 0)
        rc = ja_error_nomem(reading->err);
    ja_freebsd_links_fini(&links);
    return rc;
}

/* ---- mounts, routes ---- */

/* What lies on the file system whose mount point is the longest beginning of its path. */
static const char *type_at(const struct ja_map *mounts, const char *path)
{
    const char *type = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < mounts->count; i++) {
        const char *point = mounts->pairs[i].key;
        size_t length = strlen(point);
        bool below = strncmp(path, point, length) == 0 &&
                     (strcmp(point, "/") == 0 || path[length] == '/' || path[length] == '\0');
        if (below && length > longest) {
            longest = length;
            type = mounts->pairs[i].value;
        }
    }
    return type;
}

static int answer_mounts(struct reading *reading, const struct ja_map *mounts)
{
    int rc = set_all(reading, JA_FACT_MOUNT, mounts);
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        if (!asked(fact, JA_FACT_FSTYPE))
            continue;
        const char *type = access(fact->name, F_OK) == 0 ? type_at(mounts, fact->name) : NULL;
        rc = set(reading, fact, !type ? NULL : strcmp(type, "zfs") == 0 ? "zfs" : "other");
    }
    return rc;
}

static bool is_below(const char *path, const char *dir)
{
    size_t length = strlen(dir);
    return strncmp(path, dir, length) == 0 && path[length] == '/';
}

static int answer_binds(struct reading *reading, const struct ja_map *nullfs)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        ja_autostr struct ja_str lines = {0};
        if (!asked(fact, JA_FACT_BINDS))
            continue;
        for (size_t m = 0; m < nullfs->count; m++) {
            const char *mode = nullfs->pairs[m].value, *shown = strchr(mode, '\t') + 1, *point = nullfs->pairs[m].key;
            if (is_below(shown, fact->name) && !is_below(point, fact->name))
                ja_str_addf(&lines, "%s\t%.2s\t%s\n", shown + strlen(fact->name) + 1, mode, point);
        }
        rc = lines.failed ? ja_error_nomem(reading->err) : set(reading, fact, lines.text);
    }
    return rc;
}

static int read_mounts(struct reading *reading)
{
    ja_autostr struct ja_str output = {0};
    struct ja_map mounts = {0};
    struct ja_map nullfs = {0};
    if (!wants(reading, JA_FACT_MOUNT, NULL) && !wants(reading, JA_FACT_FSTYPE, NULL) &&
        !wants(reading, JA_FACT_BINDS, NULL))
        return 0;
    int rc = run(reading, WORDS(WORD("mount"), WORD("-p"), WORD("--libxo"), WORD("json")), NULL, &output);
    if (rc > 0)
        rc = ja_freebsd_parse_mount(output.text, &mounts, &nullfs, reading->err);
    if (rc == 0)
        rc = answer_mounts(reading, &mounts);
    if (rc == 0)
        rc = answer_binds(reading, &nullfs);
    ja_map_fini(&mounts);
    ja_map_fini(&nullfs);
    return rc;
}

static int read_routes(struct reading *reading)
{
    ja_autostr struct ja_str output = {0};
    struct ja_map routes = {0};
    if (!wants(reading, JA_FACT_ROUTE, NULL))
        return 0;
    int rc = run(reading, WORDS(WORD("netstat"), WORD("-rn"), WORD("--libxo"), WORD("json")), NULL, &output);
    if (rc > 0)
        rc = ja_freebsd_parse_netstat(output.text, &routes, reading->err);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_ROUTE, &routes);
    ja_map_fini(&routes);
    return rc;
}

/* ---- neighbours ---- */

static int read_neighbours(struct reading *reading)
{
    ja_autostr struct ja_str v4 = {0}, v6 = {0};
    struct ja_map neighbours = {0};
    bool ask[2] = {false, false};
    int rc = 0;
    for (size_t i = 0; i < reading->facts->count; i++)
        if (asked(&reading->facts->items[i], JA_FACT_NEIGHBOUR))
            ask[strchr(reading->facts->items[i].name, ':') != NULL] = true;
    if (ask[0])
        rc = run(reading, WORDS(WORD("arp"), WORD("--libxo"), WORD("json"), WORD("-an")), NULL, &v4);
    if (rc > 0)
        rc = ja_freebsd_parse_arp(v4.text, &neighbours, reading->err);
    if (rc == 0 && ask[1])
        rc = run(reading, WORDS(WORD("ndp"), WORD("-an")), NULL, &v6);
    if (rc > 0)
        rc = ja_freebsd_parse_ndp(v6.text, &neighbours, reading->err);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_NEIGHBOUR, &neighbours);
    ja_map_fini(&neighbours);
    return rc;
}

/* ---- modules, limits ---- */

typedef int parser(char *text, struct ja_map *answers, struct ja_error *err);

/* Runs and adds to a map; nothing when the system has no such thing. */
static int collect(struct reading *reading, char *const *argv, const char *const *absent, parser *parse,
                   struct ja_map *answers)
{
    ja_autostr struct ja_str output = {0};
    int rc = run(reading, argv, absent, &output);
    return rc > 0 ? parse(output.text, answers, reading->err) : rc;
}

static int read_modules(struct reading *reading)
{
    struct ja_map modules = {0};
    if (!wants(reading, JA_FACT_MODULE, NULL))
        return 0;
    int rc = collect(reading, WORDS(WORD("kldstat"), WORD("-v")), NULL, ja_freebsd_parse_kldstat, &modules);
    if (rc == 0)
        rc = collect(reading, WORDS(WORD("sysctl"), WORD("-e"), WORD("kern.features")), NULL, ja_freebsd_parse_features,
                     &modules);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_MODULE, &modules);
    ja_map_fini(&modules);
    return rc;
}

static const char *const no_racct[] = {"RACCT/RCTL support not present", "RACCT/RCTL present, but disabled", NULL};

static int read_rctl(struct reading *reading)
{
    struct ja_map rules = {0};
    if (!wants(reading, JA_FACT_RCTL, NULL))
        return 0;
    int rc = collect(reading, WORDS(WORD("rctl")), no_racct, ja_freebsd_parse_rctl, &rules);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_RCTL, &rules);
    ja_map_fini(&rules);
    return rc;
}

/* One process for all jails. Without racct nothing is counted. */
static int read_usage(struct reading *reading)
{
    ja_autostrv struct ja_strv words = {0}, names = {0};
    struct ja_map usage = {0};
    if (!wants(reading, JA_FACT_USAGE, NULL))
        return 0;
    bool nomem = ja_strv_add_all(&words, "rctl", "-u", NULL) < 0;
    for (size_t i = 0; i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        ja_autofree char *subject = ja_printf("jail:%s", fact->name);
        if (asked(fact, JA_FACT_USAGE) && *fact->name && !strchr(fact->name, ':'))
            nomem = !subject || ja_strv_add(&words, subject) < 0 || ja_strv_add(&names, fact->name) < 0 || nomem;
    }
    ja_autostr struct ja_str output = {0};
    int rc = nomem ? ja_error_nomem(reading->err) : names.count ? run(reading, words.items, no_racct, &output) : 0;
    if (rc > 0)
        rc = ja_freebsd_parse_usage(output.text, &names, &usage, reading->err);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_USAGE, &usage);
    ja_map_fini(&usage);
    return rc;
}

/* ---- rulesets of devfs ---- */

/* One that does not exist prints nothing, as one without rules. */
static int read_rulesets(struct reading *reading)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        ja_autostr struct ja_str output = {0};
        if (!asked(fact, JA_FACT_DEVFS))
            continue;
        if (!*fact->name || fact->name[strspn(fact->name, "0123456789")])
            return ja_error_set(reading->err, JA_E_INVALID, NULL, "%s is no ruleset", JA_SHOW(fact->name));
        rc = run(reading, WORDS(WORD("devfs"), WORD("rule"), WORD("-s"), fact->name, WORD("show")), NULL, &output);
        if (rc > 0)
            rc = set(reading, fact, output.length ? output.text : NULL);
    }
    return rc;
}

/* ---- settings ---- */

/* A name, and nothing that sysctl(8) would take for an option or for a change. */
static bool is_setting(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.%";
    return name[0] && name[0] != '-' && name[0] != '.' && strspn(name, allowed) == strlen(name);
}

static int read_sysctls(struct reading *reading)
{
    ja_autostrv struct ja_strv words = {0}, names = {0};
    ja_autostr struct ja_str output = {0};
    struct ja_map values = {0};
    bool nomem = ja_strv_add_all(&words, "sysctl", "-ie", NULL) < 0;
    for (size_t i = 0; i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        if (asked(fact, JA_FACT_SYSCTL) && is_setting(fact->name))
            nomem = nomem || ja_strv_add(&words, fact->name) < 0 || ja_strv_add(&names, fact->name) < 0;
    }
    int rc = nomem ? ja_error_nomem(reading->err) : 0;
    if (rc == 0 && names.count)
        rc = run(reading, words.items, NULL, &output);
    if (rc > 0)
        rc = ja_freebsd_parse_sysctl(output.text, &names, &values, reading->err);
    if (rc == 0)
        rc = set_all(reading, JA_FACT_SYSCTL, &values);
    ja_map_fini(&values);
    return rc;
}

/* ---- ipfw ---- */

/* "table NAME 10.0.0.1" asks for "table NAME 10.0.0.1/32". */
static int answer_ipfw(struct reading *reading, const struct ja_map *answers)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        char table[64], entry[JA_ADDR_TEXT], name[160];
        struct ja_addr addr;
        if (!asked(fact, JA_FACT_IPFW))
            continue;
        const char *value = ja_map_get(answers, fact->name);
        if (!value && sscanf(fact->name, "table %63s %63s", table, entry) == 2 &&
            ja_addr_parse(entry, &addr, NULL) == 0) {
            addr.prefix = addr.prefix < 0 ? (addr.v6 ? 128 : 32) : addr.prefix;
            ja_addr_format(&addr, true, entry);
            snprintf(name, sizeof name, "table %s %s", table, entry);
            value = ja_map_get(answers, name);
        }
        rc = set(reading, fact, value);
    }
    return rc;
}

static int read_ipfw(struct reading *reading)
{
    /* What the kernel answers without ipfw. */
    static const char *const absent[] = {"Protocol not available", NULL};
    struct ja_map answers = {0};
    int rc = 0;
    if (!wants(reading, JA_FACT_IPFW, NULL))
        return 0;
    if (wants(reading, JA_FACT_IPFW, "rule"))
        rc = collect(reading, WORDS(WORD("ipfw"), WORD("-S"), WORD("list")), absent, ja_freebsd_parse_ipfw_rules,
                     &answers);
    if (rc == 0 && (wants(reading, JA_FACT_IPFW, "table ") || wants(reading, JA_FACT_IPFW, "entries "))) {
        rc = collect(reading, WORDS(WORD("ipfw"), WORD("table"), WORD("all"), WORD("info")), absent,
                     ja_freebsd_parse_ipfw_tables, &answers);
        if (rc == 0)
            rc = collect(reading, WORDS(WORD("ipfw"), WORD("table"), WORD("all"), WORD("list")), absent,
                         ja_freebsd_parse_ipfw_entries, &answers);
    }
    if (rc == 0 && wants(reading, JA_FACT_IPFW, "nat "))
        rc = collect(reading, WORDS(WORD("ipfw"), WORD("nat"), WORD("show"), WORD("config")), absent,
                     ja_freebsd_parse_ipfw_nats, &answers);
    if (rc == 0)
        rc = answer_ipfw(reading, &answers);
    ja_map_fini(&answers);
    return rc;
}

/* ---- pf ---- */

/* The lines of the whole list; absent when the host has no such anchor, or nothing in it. */
static int read_anchor(struct reading *reading, const struct ja_fact *fact, const struct ja_map *answers)
{
    static const char *const lists[] = {"nat", "rules"};
    const char *names = ja_map_get(answers, "anchors"), *name = fact->name + strlen("anchor ");
    ja_autofree char *line = ja_printf("%s\n", name), *path = ja_printf("jailadmin/%s", name);
    ja_autostr struct ja_str rules = {0};
    int rc = line && path ? 0 : ja_error_nomem(reading->err);
    const char *found = rc == 0 && names ? strstr(names, line) : NULL;
    bool there = found && (found == names || found[-1] == '\n');
    for (size_t i = 0; rc == 0 && there && i < JA_COUNT(lists); i++) {
        ja_autostr struct ja_str output = {0};
        ja_autofree char *list = ja_strdup(lists[i]);
        if (!list)
            return ja_error_nomem(reading->err);
        rc = run(reading, WORDS(WORD("pfctl"), WORD("-a"), path, WORD("-P"), WORD("-s"), list), NULL, &output);
        if (rc > 0)
            rc = ja_freebsd_parse_pf_rules(output.text, &rules, reading->err);
    }
    return rc < 0 ? rc : set(reading, fact, rules.text);
}

static int read_pf(struct reading *reading)
{
    /* What it says when pf is not loaded, and when nobody has made an anchor below jailadmin/. */
    static const char *const absent[] = {"/dev/pf: No such file or directory",
                                         "DIOCGETRULESETS: No such file or directory", /* 13.2 */
                                         "pfctl: Anchor does not exist.",              /* 15.1 */
                                         NULL};
    struct ja_map answers = {0};
    int rc = 0;
    if (!wants(reading, JA_FACT_PF, NULL))
        return 0;
    if (wants(reading, JA_FACT_PF, "status"))
        rc = collect(reading, WORDS(WORD("pfctl"), WORD("-s"), WORD("info")), absent, ja_freebsd_parse_pf_info,
                     &answers);
    if (rc == 0 && wants(reading, JA_FACT_PF, "main ")) {
        rc =
            collect(reading, WORDS(WORD("pfctl"), WORD("-s"), WORD("nat")), absent, ja_freebsd_parse_pf_main, &answers);
        if (rc == 0)
            rc = collect(reading, WORDS(WORD("pfctl"), WORD("-s"), WORD("rules")), absent, ja_freebsd_parse_pf_main,
                         &answers);
    }
    if (rc == 0 && wants(reading, JA_FACT_PF, "anchor"))
        rc = collect(reading, WORDS(WORD("pfctl"), WORD("-a"), WORD("jailadmin"), WORD("-s"), WORD("Anchors")), absent,
                     ja_freebsd_parse_pf_anchors, &answers);
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        if (asked(fact, JA_FACT_PF) && ja_str_starts(fact->name, "anchor "))
            rc = read_anchor(reading, fact, &answers);
    }
    if (rc == 0)
        rc = set_all(reading, JA_FACT_PF, &answers);
    ja_map_fini(&answers);
    return rc;
}

/* ---- daemons ---- */

/* Whether a command line is of that program, started with that pid file. */
static bool is_daemon(const char *command, const char *file, const char *program)
{
    ja_autostrv struct ja_strv words = {0};
    if (ja_str_split_words(command, &words) < 0 || !words.count)
        return false;
    const char *slash = strrchr(words.items[0], '/');
    bool same = strcmp(slash ? slash + 1 : words.items[0], program) == 0, with_file = false;
    for (size_t i = 1; i < words.count; i++)
        with_file = with_file || strstr(words.items[i], file) != NULL;
    return same && with_file;
}

/* "PIDFILE\tPROGRAM". */
static int find_daemon(struct reading *reading, const struct ja_fact *fact, const struct ja_map *processes)
{
    ja_autostr struct ja_str text = {0};
    ja_autofree char *file = ja_strndup(fact->name, strcspn(fact->name, "\t"));
    const char *tab = strchr(fact->name, '\t');
    if (!file)
        return ja_error_nomem(reading->err);
    int rc = tab ? ja_fact_from_file(JA_FACT_FILE, file, &text, reading->err) : 0;
    if (rc < 0)
        return rc;
    if (rc > 0 && text.text)
        text.text[strspn(text.text, "0123456789")] = '\0';
    const char *command = rc > 0 && text.text ? ja_map_get(processes, text.text) : NULL;
    return set(reading, fact, command && is_daemon(command, file, tab + 1) ? text.text : NULL);
}

static int read_daemons(struct reading *reading)
{
    ja_autostr struct ja_str output = {0};
    struct ja_map processes = {0};
    if (!wants(reading, JA_FACT_DAEMON, NULL))
        return 0;
    /* No -a: with it 15 lists the processes of jails too, which may call themselves anything. */
    int rc = run(
        reading,
        WORDS(WORD("ps"), WORD("-xww"), WORD("-J"), WORD("0"), WORD("-o"), WORD("pid="), WORD("-o"), WORD("command=")),
        NULL, &output);
    if (rc > 0)
        rc = ja_freebsd_parse_ps(output.text, &processes, reading->err);
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++)
        if (asked(&reading->facts->items[i], JA_FACT_DAEMON))
            rc = find_daemon(reading, &reading->facts->items[i], &processes);
    ja_map_fini(&processes);
    return rc;
}

/* ---- listeners ---- */

static int read_listeners(struct reading *reading)
{
    ja_autostr struct ja_str output = {0};
    struct ja_freebsd_listeners listeners = {0};
    if (!wants(reading, JA_FACT_LISTEN, NULL))
        return 0;
    /* -w: without it 15 cuts long addresses off, and their ports with them. */
    int rc = run(reading, WORDS(WORD("sockstat"), WORD("-46lw"), WORD("-P"), WORD("tcp,udp")), NULL, &output);
    if (rc > 0)
        rc = ja_freebsd_parse_sockstat(output.text, &listeners, reading->err);
    for (size_t i = 0; rc == 0 && i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        if (asked(fact, JA_FACT_LISTEN))
            rc = set(reading, fact, ja_freebsd_find_listener(&listeners, fact->name));
    }
    ja_freebsd_listeners_fini(&listeners);
    return rc;
}

/* ---- ZFS, files, and the rest ---- */

static int read_zfs(struct reading *reading)
{
    bool any = wants(reading, JA_FACT_USED, NULL);
    for (enum ja_fact_kind kind = 0; kind < JA_FACT_KINDS; kind++)
        any = any || (ja_fact_is_zfs(kind) && wants(reading, kind, NULL));
    return any && reading->source->zfs ? reading->source->zfs(reading->facts, reading->err) : 0;
}

/* A tree that FreeBSD's own start script would start. */
static int init_kind(const char *tree, struct ja_str *value, struct ja_error *err)
{
    ja_autoclose int fd = -1;
    struct stat info;
    int code = ja_fact_open_beneath(tree, "etc/rc", &fd, err);
    if (code <= 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return code < 0 ? code : 0;
    ja_str_add(value, "rc");
    return 1;
}

static int read_files(struct reading *reading)
{
    for (size_t i = 0; i < reading->facts->count; i++) {
        const struct ja_fact *fact = &reading->facts->items[i];
        ja_autostr struct ja_str value = {0};
        if (fact->known)
            continue;
        int rc = fact->kind == JA_FACT_INIT ? init_kind(fact->name, &value, reading->err)
                                            : ja_fact_from_file(fact->kind, fact->name, &value, reading->err);
        if (rc > 0 && value.failed)
            rc = ja_error_nomem(reading->err);
        if (rc >= 0)
            rc = set(reading, fact, rc == 0 ? NULL : value.text ? value.text : "");
        if (rc < 0)
            return ja_error_wrap(reading->err, "cannot find out about %s %s", ja_fact_kind_name(fact->kind),
                                 JA_SHOW(fact->name));
    }
    return 0;
}

int ja_freebsd_facts_read(void *context, struct ja_facts *facts, struct ja_error *err)
{
    static const struct {
        int (*read)(struct reading *reading);
        const char *what;
    } groups[] = {{read_jails, "jails"},
                  {read_links, "interfaces"},
                  {read_mounts, "mounts"},
                  {read_routes, "routes"},
                  {read_neighbours, "neighbours"},
                  {read_modules, "modules"},
                  {read_sysctls, "kernel settings"},
                  {read_ipfw, "rules of ipfw"},
                  {read_rctl, "limits"},
                  {read_usage, "what jails use"},
                  {read_listeners, "who listens"},
                  {read_daemons, "processes"},
                  {read_zfs, "datasets"},
                  {read_pf, "rules of pf"},
                  {read_rulesets, "rulesets of devfs"}};
    struct ja_error local = JA_ERROR_INIT;
    struct reading reading = {.source = context, .facts = facts, .err = err ? err : &local};
    for (size_t i = 0; i < JA_COUNT(groups) && facts->missing; i++) {
        int rc = groups[i].read(&reading);
        if (rc < 0)
            return ja_error_wrap(reading.err, "cannot find out about %s", groups[i].what);
    }
    return facts->missing ? read_files(&reading) : 0;
}
