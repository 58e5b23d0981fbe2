/*
 * zfs_snapshot.c: snapshots of jails on ZFS. One that a user or a schedule took is a snapshot of the same name of the jail's tree
 * and of each volume, taken by one command at one moment. It has a mark of its own (jailadmin:mark, with the snapshot's uuid) and
 * its record in jailadmin:snapshot, so that what an administrator took is never taken for ours.
 *
 * Deleting renames it to @clone-UUID first, a name that is in no list and that goes with its last clone; see hostverb_zfs.c.
 */
#include "storage/zfs_parts.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)
#define RECORD "jailadmin:snapshot"

/* ---- what there is ---- */

/* One line of the fact. Texts are parts of that line. */
struct line {
    char *tree; /* "root/default", "vol/data" */
    char *name;
    char *mark;   /* "-": none of its own */
    char *record; /* "-" */
    int64_t txg, created, used;
};

/* The facts' text, to be cut up by next_line; the caller's. */
static char *lines_of(struct ja_planning *p, const struct ja_jail *jail)
{
    struct ja_dataset top = ja_dataset(p, "jails/%s", jail->name);
    const char *text = ja_fact(p->facts, JA_FACT_SNAPSHOTS, top.name);
    char *copy = ja_strdup(text ? text : "");
    if (!copy)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return copy;
}

static bool next_line(char **rest, struct line *line)
{
    for (char *text; *rest && (text = strsep(rest, "\n")) != NULL;) {
        char *at = strchr(text, '@'), *field[6];
        size_t n = 0;
        for (char *more = text; n < JA_COUNT(field) && more;)
            field[n++] = strsep(&more, "\t");
        if (!at || n < JA_COUNT(field))
            continue;
        *at = '\0';
        *line = (struct line){.tree = text,
                              .name = at + 1,
                              .txg = strtoll(field[1], NULL, 10),
                              .created = strtoll(field[2], NULL, 10),
                              .used = strtoll(field[3], NULL, 10),
                              .mark = field[4],
                              .record = field[5]};
        return true;
    }
    return false;
}

/* "INSTANCE UUID" of ours gives the uuid; NULL: another's. */
static const char *own_uuid(const struct ja_planning *p, const char *mark)
{
    size_t length = strlen(p->site->uuid);
    return strncmp(mark, p->site->uuid, length) == 0 && mark[length] == ' ' ? mark + length + 1 : NULL;
}

static int set_text(char **field, const char *text)
{
    char *copy = ja_strdup(text);
    free(*field);
    *field = copy;
    return copy ? 0 : -1;
}

/* A new entry from the first line of a snapshot. NULL: no memory. */
static struct ja_snapshot *from_line(struct ja_planning *p, const struct line *line, const char *uuid)
{
    struct ja_snapshot *taken =
        ja_plan_read_record(p, &ja_noun_snapshot, uuid ? line->record : NULL, NULL, line->name, NULL);
    char created[JA_TIME_TEXT];
    ja_clock_format(line->created * 1000, created);
    if (!taken || (uuid && set_text(&taken->uuid, uuid) < 0) ||
        (!taken->created && set_text(&taken->created, created) < 0)) {
        ja_object_free(&ja_noun_snapshot, taken);
        return NULL;
    }
    taken->foreign = !uuid;
    return taken;
}

static int add_tree(struct ja_snapshot *taken, const struct line *line)
{
    taken->used += line->used;
    if (line->txg > taken->order)
        taken->order = line->txg;
    if (ja_str_starts(line->tree, "root/"))
        return set_text(&taken->be, line->tree + strlen("root/"));
    return ja_str_starts(line->tree, "vol/") ? ja_strv_add(&taken->volumes, line->tree + strlen("vol/")) : 0;
}

static int by_order(const void *a, const void *b)
{
    const struct ja_snapshot *one = *(struct ja_snapshot *const *)a, *other = *(struct ja_snapshot *const *)b;
    return one->order != other->order ? (one->order > other->order) - (one->order < other->order)
                                      : strcmp(one->name, other->name);
}

static struct ja_snapshot *same(const struct ja_list *list, const char *name, const char *uuid)
{
    for (size_t i = list->count; i-- > 0;) {
        struct ja_snapshot *taken = list->items[i];
        if (strcmp(taken->name, name) == 0 && ja_str_equal(taken->uuid, uuid))
            return taken;
    }
    return NULL;
}

void ja_zfs_snapshots(struct ja_planning *p, const struct ja_jail *jail, struct ja_list *list)
{
    ja_autofree char *text = lines_of(p, jail);
    struct line line;
    for (char *rest = text; next_line(&rest, &line);) {
        const char *uuid = own_uuid(p, line.mark);
        /* Of clones, or deleted and waiting for its last clone. */
        if (ja_str_starts(line.name, "clone-"))
            continue;
        struct ja_snapshot *taken = same(list, line.name, uuid);
        if (!taken) {
            taken = from_line(p, &line, uuid);
            if (!taken || ja_list_add(&ja_noun_snapshot, list, taken) < 0) {
                ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
                return;
            }
        }
        if (add_tree(taken, &line) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, by_order);
}

/* ---- taking one ---- */

/* A snapshot of one of the trees that it holds: number 0 is the jail's, those after it its volumes. False: no more. */
static bool tree_of(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken, size_t number,
                    const char *name, struct ja_dataset *ret_snapshot)
{
    size_t volume = number - (taken->be != NULL);
    if (number == 0 && taken->be)
        *ret_snapshot = ja_dataset(p, "jails/%s/root/%s@%s", jail->name, taken->be, name);
    else if (volume < taken->volumes.count)
        *ret_snapshot = ja_dataset(p, "jails/%s/vol/%s@%s", jail->name, taken->volumes.items[volume], name);
    else
        return false;
    return true;
}

/* On one line; what the dataset and the mark tell is left out. ZFS of before 2009 allows 1023 bytes, and so does zfs-fuse. */
static char *record_of(struct ja_planning *p, const struct ja_snapshot *taken)
{
    struct ja_snapshot left = *taken; /* shallow: only for writing it as JSON */
    left.name = left.uuid = left.be = NULL;
    left.volumes = (struct ja_strv){0};
    json_t *json = ja_object_to_json(&ja_noun_snapshot, &left, false);
    char *text = json ? ja_json_text(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (!text)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    return text;
}

/* zfs-fuse, which has no module, takes one at a time. */
static bool all_at_once(struct ja_planning *p)
{
    return p->site->os != JA_OS_LINUX || ja_fact(p->facts, JA_FACT_MODULE, "zfs");
}

static struct ja_step *begin_snapshot(struct ja_planning *p, const char *mark, const char *record, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("zfs"), "snapshot", "-o", NULL);
    ja_step_runf(p->plan, step, JA_DATASET_MARK "=%s", mark);
    ja_step_run(p->plan, step, "-o", NULL);
    ja_step_runf(p->plan, step, RECORD "=%s", record);
    step->flags |= JA_STEP_PERSISTENT;
    return step;
}

/* The trees from `first` to before `end` as one step. The undo destroys the last one first, and so ends with that which its guard asks
 * for. */
static void take_trees(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken, size_t first,
                       size_t end, const char *record)
{
    char mark[JA_MARK_SIZE];
    struct ja_dataset one;
    ja_dataset_mark(p, taken->uuid, mark);
    struct ja_step *step = begin_snapshot(p, mark, record, "keep the jail's tree and volumes as they are now");
    ja_step_undo_host(p, step, "zfs-destroy", NULL);
    for (size_t i = first; i < end && tree_of(p, jail, taken, i, taken->name, &one); i++)
        ja_step_run(p->plan, step, one.name, NULL);
    for (size_t i = end; i-- > first;)
        if (tree_of(p, jail, taken, i, taken->name, &one))
            ja_step_undo(p->plan, step, one.name, NULL);
    ja_step_undo(p->plan, step, mark, NULL);
    if (tree_of(p, jail, taken, first, taken->name, &one))
        ja_step_guard(p->plan, step, JA_FACT_DATASET, one.name, mark);
}

void ja_zfs_snapshot_create(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken)
{
    ja_autofree char *record = record_of(p, taken);
    size_t count = 1 + taken->volumes.count, each = all_at_once(p) ? count : 1;
    for (size_t i = 0; record && i < count; i += each)
        take_trees(p, jail, taken, i, i + each, record);
}

/* ---- deleting one ---- */

void ja_zfs_snapshot_retire(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken)
{
    char mark[JA_MARK_SIZE], hidden[64];
    struct ja_dataset from, to;
    ja_dataset_mark(p, taken->uuid, mark);
    snprintf(hidden, sizeof hidden, "clone-%s", taken->uuid);
    for (size_t i = 0; tree_of(p, jail, taken, i, taken->name, &from) && tree_of(p, jail, taken, i, hidden, &to); i++) {
        struct ja_step *step = ja_plan_step(p->plan, "take the snapshot out of the list");
        ja_step_run(p->plan, step, TOOL("zfs"), "rename", from.name, to.name, NULL);
        ja_step_undo(p->plan, step, TOOL("zfs"), "rename", to.name, from.name, NULL);
        ja_step_guard(p->plan, step, JA_FACT_DATASET, to.name, mark);
        step->flags |= JA_STEP_PERSISTENT;
    }
}

void ja_zfs_snapshot_destroy(struct ja_planning *p, const struct ja_jail *jail, const struct ja_snapshot *taken)
{
    char mark[JA_MARK_SIZE], hidden[64];
    struct ja_dataset deleted = ja_dataset(p, "deleted"), one;
    ja_dataset_mark(p, taken->uuid, mark);
    snprintf(hidden, sizeof hidden, "clone-%s", taken->uuid);
    for (size_t i = 0; tree_of(p, jail, taken, i, hidden, &one); i++) {
        struct ja_step *step = ja_plan_host_step(p, "zfs-destroy", "destroy it, or let it wait for its last clone");
        ja_step_run(p->plan, step, "--deleted", deleted.name, one.name, mark, NULL);
        step->flags |= JA_STEP_PERSISTENT;
    }
}

/* ---- rolling back ---- */

static bool goes_back(const struct ja_rollback *rollback, const char *tree)
{
    const char *be = rollback->snapshot->be;
    if (ja_str_starts(tree, "root/"))
        return rollback->root && be && strcmp(tree + strlen("root/"), be) == 0;
    return ja_str_starts(tree, "vol/") && ja_strv_has(&rollback->trees, tree + strlen("vol/"));
}

/* When the snapshot of that tree was taken; 0: it has none of it. */
static int64_t taken_at(struct ja_planning *p, const struct ja_rollback *rollback, const char *tree)
{
    ja_autofree char *text = lines_of(p, rollback->subject->jail);
    struct line line;
    for (char *rest = text; next_line(&rest, &line);) {
        const char *uuid = own_uuid(p, line.mark);
        if (strcmp(line.tree, tree) == 0 && uuid && ja_str_equal(uuid, rollback->snapshot->uuid))
            return line.txg;
    }
    return 0;
}

/* Calls `each` for every later snapshot of a tree that goes back. */
static void each_later(struct ja_planning *p, const struct ja_rollback *rollback,
                       void (*each)(struct ja_planning *p, const struct ja_rollback *rollback, const struct line *line,
                                    struct ja_strv *names),
                       struct ja_strv *names)
{
    ja_autofree char *text = lines_of(p, rollback->subject->jail), *tree = NULL;
    struct line line;
    int64_t since = 0;
    for (char *rest = text; next_line(&rest, &line);) {
        if (!goes_back(rollback, line.tree))
            continue;
        if (!ja_str_equal(tree, line.tree)) {
            free(tree);
            tree = ja_strdup(line.tree);
            since = taken_at(p, rollback, line.tree);
        }
        if (line.txg > since)
            each(p, rollback, &line, names);
    }
}

static void add_lost(struct ja_planning *p, JA_UNUSED const struct ja_rollback *rollback, const struct line *line,
                     struct ja_strv *names)
{
    if (!ja_str_starts(line->name, "clone-") && !ja_strv_has(names, line->name) && ja_strv_add(names, line->name) < 0)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
}

void ja_zfs_rollback_lost(struct ja_planning *p, const struct ja_rollback *rollback, struct ja_strv *ret_names)
{
    each_later(p, rollback, add_lost, ret_names);
}

/* "boot environment new" of that jail, "jail web9", "template base@2", or the dataset itself. */
static void owner_of(const struct ja_planning *p, const struct ja_jail *jail, const char *dataset,
                     char owner[JA_DATASET_SIZE + 16])
{
    size_t length = strlen(p->site->source);
    char one[JA_DATASET_SIZE] = "", two[JA_DATASET_SIZE] = "";
    const char *below = strncmp(dataset, p->site->source, length) == 0 ? dataset + length : "";
    if (sscanf(below, "/jails/%255[^/\n]/root/%255[^/\n]", one, two) == 2 && strcmp(one, jail->name) == 0)
        snprintf(owner, JA_DATASET_SIZE + 16, "boot environment %.120s", two);
    else if (sscanf(below, "/jails/%255[^/\n]", one) == 1)
        snprintf(owner, JA_DATASET_SIZE + 16, "jail %s", one);
    else if (sscanf(below, "/templates/%255[^/\n]/%255[^/\n]", one, two) == 2)
        snprintf(owner, JA_DATASET_SIZE + 16, "template %.120s@%.120s", one, two);
    else
        snprintf(owner, JA_DATASET_SIZE + 16, "dataset %.*s", (int)strcspn(dataset, "\n"), dataset);
}

static void refuse_clones(struct ja_planning *p, const struct ja_rollback *rollback, const struct line *line,
                          JA_UNUSED struct ja_strv *names)
{
    const struct ja_jail *jail = rollback->subject->jail;
    struct ja_dataset one = ja_dataset(p, "jails/%s/%s@%s", jail->name, line->tree, line->name);
    const char *clones = ja_fact(p->facts, JA_FACT_CLONES, one.name);
    char owner[JA_DATASET_SIZE + 16];
    if (!clones)
        return;
    owner_of(p, jail, clones, owner);
    bool hidden = ja_str_starts(line->name, "clone-");
    ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "the %s is a clone of %s%s, which would go with the rollback", owner,
                 hidden ? "a later state of it" : "its later snapshot ", hidden ? "" : line->name);
    ja_plan_hint(p->plan, "delete that first, or make a new jail of the snapshot: jailadmin clone %s@%s NEW",
                 jail->name, rollback->snapshot->name);
}

void ja_zfs_rollback_prepare(struct ja_planning *p, const struct ja_rollback *rollback)
{
    each_later(p, rollback, refuse_clones, NULL);
}

static void roll_back(struct ja_planning *p, const struct ja_dataset *snapshot, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    ja_step_run(p->plan, step, TOOL("zfs"), "rollback", "-r", snapshot->name, NULL);
    step->flags |= JA_STEP_PERSISTENT;
}

void ja_zfs_rollback_finish(struct ja_planning *p, const struct ja_rollback *rollback)
{
    const struct ja_jail *jail = rollback->subject->jail;
    const struct ja_snapshot *taken = rollback->snapshot;
    if (rollback->root) {
        struct ja_dataset one = ja_dataset(p, "jails/%s/root/%s@%s", jail->name, taken->be, taken->name);
        roll_back(p, &one, "make the tree what it was; later snapshots of it go");
    }
    for (size_t i = 0; i < rollback->trees.count; i++) {
        struct ja_dataset one = ja_dataset(p, "jails/%s/vol/%s@%s", jail->name, rollback->trees.items[i], taken->name);
        roll_back(p, &one, "make the volume what it was; later snapshots of it go");
    }
}
