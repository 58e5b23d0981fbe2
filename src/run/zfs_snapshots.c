/*
 * zfs_snapshots.c: facts about snapshots and clones, however many datasets are asked for by one process, and however many
 * snapshots the rest of the pool has: only the trees that are asked for are looked through.
 */
#include "run/zfs.h"

#include <stdio.h>
#include <string.h>

#define NAMES_AT_ONCE 200 /* of 256 bytes at most: far below the limit of a command line */

enum property { USED, CREATED, TXG, MARK, RECORD, PROPERTIES };
/* zfs-fuse has no `zfs list -p`. createtxg is a property of all, though no manual names it before OpenZFS 0.8. */
static const char *const properties[] = {"used", "creation", "createtxg", JA_ZFS_MARK, JA_ZFS_RECORD};

/* A dataset that is asked for, and what there is to answer. */
struct asked {
    const char *name;
    struct ja_str lines;
    bool seen;
};

/* One snapshot, as its lines come. */
struct row {
    const char *name;
    const char *values[PROPERTIES];
};

static void add_row(struct asked *asked, const struct row *row)
{
    const char *const *v = row->values;
    for (size_t i = 0; i < PROPERTIES; i++)
        if (!v[i])
            return;
    ja_str_addf(&asked->lines, "%s\t%s\t%s\t%s\t%s\t%s\n", row->name + strlen(asked->name) + 1, v[TXG], v[CREATED],
                v[USED], v[MARK], v[RECORD]);
}

/* Which of those asked for it is or lies in; NULL: none. Lines of one follow each other. */
static struct asked *owner(struct asked *asked, size_t count, struct asked *last, const char *name)
{
    for (size_t i = 0; i <= count; i++) {
        struct asked *one = i == 0 ? last : &asked[i - 1];
        size_t length = one ? strlen(one->name) : 0;
        if (one && strncmp(name, one->name, length) == 0 && (name[length] == '\0' || strchr("/@", name[length])))
            return one;
    }
    return NULL;
}

static void take_lines(char *text, struct asked *asked, size_t count)
{
    struct row row = {0};
    struct asked *current = NULL;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *more = line, *name = strsep(&more, "\t"), *property = strsep(&more, "\t"), *value = strsep(&more, "\t"),
             *source = strsep(&more, "\t");
        struct asked *one = source ? owner(asked, count, current, name) : NULL;
        if (!one)
            continue;
        one->seen = true;
        current = one;
        /* Of the trees' snapshots only: "root/default@x". */
        const char *below = name + strlen(one->name);
        if (*below != '/' || !strchr(below, '@'))
            continue;
        if (!row.name || strcmp(row.name, name) != 0)
            row = (struct row){.name = name};
        for (size_t i = 0; i < PROPERTIES; i++)
            if (strcmp(property, properties[i]) == 0)
                row.values[i] = i < MARK || strcmp(source, "local") == 0 ? value : "-";
        bool whole = true;
        for (size_t i = 0; i < PROPERTIES; i++)
            whole = whole && row.values[i];
        if (whole) {
            add_row(one, &row);
            row = (struct row){0};
        }
    }
}

int ja_zfs_snapshots_parse(const char *text, struct ja_facts *facts, const struct ja_strv *names, struct ja_error *err)
{
    ja_autofree char *copy = ja_strdup(text);
    struct asked *asked = ja_calloc(names->count + 1, sizeof *asked);
    int rc = copy && asked ? 0 : ja_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < names->count; i++)
        asked[i].name = names->items[i];
    if (rc == 0)
        take_lines(copy, asked, names->count);
    for (size_t i = 0; rc == 0 && i < names->count; i++) {
        const struct ja_str *lines = &asked[i].lines;
        ja_autofree char *absent = ja_printf("cannot open '%s': dataset does not exist", asked[i].name);
        if (!absent || lines->failed)
            rc = ja_error_nomem(err);
        else if (!asked[i].seen && !strstr(text, absent))
            rc = ja_error_set(err, JA_E_FAILED, asked[i].name, "zfs tells nothing of its snapshots");
        else if (ja_facts_set(facts, JA_FACT_SNAPSHOTS, asked[i].name,
                              asked[i].seen ? (lines->text ? lines->text : "") : NULL) < 0)
            rc = ja_error_nomem(err);
    }
    for (size_t i = 0; asked && i < names->count; i++)
        ja_str_fini(&asked[i].lines);
    free(asked);
    return rc;
}

static int unknown_names(const struct ja_facts *facts, enum ja_fact_kind kind, size_t most, struct ja_strv *names,
                         struct ja_error *err)
{
    for (size_t i = 0; i < facts->count && names->count < most; i++)
        if (facts->items[i].kind == kind && !facts->items[i].known && ja_strv_add(names, facts->items[i].name) < 0)
            return ja_error_nomem(err);
    return 0;
}

static int read_snapshots(struct ja_facts *facts, const struct ja_strv *names, struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    ja_autostr struct ja_str output = {0}, wanted = {0};
    for (size_t i = 0; i < PROPERTIES; i++)
        ja_str_addf(&wanted, "%s%s", i ? "," : "", properties[i]);
    if (wanted.failed || ja_strv_add_all(&words, "get", "-Hp", "-r", "-d", "3", "-o", "name,property,value,source",
                                         wanted.text, NULL) < 0)
        return ja_error_nomem(err);
    for (size_t i = 0; i < names->count; i++)
        if (ja_strv_add(&words, names->items[i]) < 0)
            return ja_error_nomem(err);
    int rc = ja_zfs_ask(&words, &output, err);
    return rc < 0 ? rc : ja_zfs_snapshots_parse(output.text ? output.text : "", facts, names, err);
}

int ja_zfs_clones_parse(char *text, struct ja_facts *facts, const struct ja_strv *names, struct ja_error *err)
{
    struct ja_str *found = ja_calloc(names->count + 1, sizeof *found);
    int rc = found ? 0 : ja_error_nomem(err);
    for (char *rest = text, *line; rc == 0 && rest && (line = strsep(&rest, "\n")) != NULL;) {
        char *more = line, *name = strsep(&more, "\t"), *origin = strsep(&more, "\t");
        for (size_t i = 0; origin && i < names->count; i++)
            if (strcmp(origin, names->items[i]) == 0)
                ja_str_addf(&found[i], "%s\n", name);
    }
    for (size_t i = 0; rc == 0 && i < names->count; i++)
        if (found[i].failed || ja_facts_set(facts, JA_FACT_CLONES, names->items[i], found[i].text) < 0)
            rc = ja_error_nomem(err);
    for (size_t i = 0; found && i < names->count; i++)
        ja_str_fini(&found[i]);
    free(found);
    return rc;
}

/* All of the pool: an administrator may have made clones anywhere. Those of one pool are asked for together. */
static int read_clones(struct ja_facts *facts, const struct ja_strv *names, struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    ja_autostr struct ja_str output = {0};
    ja_autofree char *pool = ja_strndup(names->items[0], strcspn(names->items[0], "/@"));
    if (!pool ||
        ja_strv_add_all(&words, "list", "-H", "-r", "-t", "filesystem,volume", "-o", "name,origin", pool, NULL) < 0)
        return ja_error_nomem(err);
    int rc = ja_zfs_run(&words, &output, err);
    return rc < 0 ? rc : ja_zfs_clones_parse(output.text, facts, names, err);
}

int ja_zfs_snapshot_facts_read(struct ja_facts *facts, struct ja_error *err)
{
    for (;;) {
        ja_autostrv struct ja_strv names = {0};
        int rc = unknown_names(facts, JA_FACT_SNAPSHOTS, NAMES_AT_ONCE, &names, err);
        if (rc == 0 && names.count)
            rc = read_snapshots(facts, &names, err);
        if (rc < 0)
            return rc;
        if (names.count == 0)
            break;
    }
    ja_autostrv struct ja_strv names = {0};
    int rc = unknown_names(facts, JA_FACT_CLONES, SIZE_MAX, &names, err);
    return rc < 0 || names.count == 0 ? rc : read_clones(facts, &names, err);
}
