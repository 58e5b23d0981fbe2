/*
 * cmd_show.c: list and show.
 */
#include "cli/usage.h"

#include <dirent.h>
#include <string.h>

/* The addresses of a jail without their prefix lengths. */
static int bare_addresses(const struct ja_jail *jail, struct ja_strv *ret_addresses)
{
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        for (size_t a = 0; a < nic->assigned.count; a++)
            if (ja_strv_addn(ret_addresses, nic->assigned.items[a], strcspn(nic->assigned.items[a], "/")) < 0)
                return -1;
    }
    return 0;
}

static json_t *strings(const struct ja_strv *strv)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < strv->count; i++)
        json_array_append_new(array, json_string(strv->items[i]));
    return array;
}

static json_t *listed_json(const struct ja_listed *listed)
{
    const struct ja_jail *jail = listed->jail, *now = listed->applied ? listed->applied : jail;
    ja_autostrv struct ja_strv addresses = {0};
    json_t *networks = json_array(), *labels = json_object();
    bare_addresses(now, &addresses);
    for (size_t i = 0; i < now->nics.count; i++)
        json_array_append_new(networks, json_string(((const struct ja_nic *)now->nics.items[i])->network));
    for (size_t i = 0; i < jail->labels.count; i++)
        json_object_set_new(labels, jail->labels.pairs[i].key, json_string(jail->labels.pairs[i].value));
    return json_pack("{s:s, s:s, s:I, s:s, s:o, s:s?, s:s?, s:o, s:s?, s:o}", "name", jail->name, "uuid", jail->uuid,
                     "slot", (json_int_t)jail->slot, "state", ja_state_name(listed->state), "addresses",
                     strings(&addresses), "template", jail->template, "version", jail->version, "networks", networks,
                     "started", listed->started[0] ? listed->started : NULL, "labels", labels);
}

struct listing {
    const struct ja_args *args;
    struct ja_table table;
    json_t *array;
};

/* Name, state and addresses, with which all tables of jails begin. */
static void add_first_cells(struct ja_table *table, const struct ja_listed *listed)
{
    const struct ja_jail *jail = listed->applied ? listed->applied : listed->jail;
    bool first = true;
    ja_table_cell(table, listed->jail->name);
    ja_table_cell(table, ja_state_name(listed->state));
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_strv *addresses = &((const struct ja_nic *)jail->nics.items[i])->assigned;
        for (size_t a = 0; a < addresses->count; a++, first = false) {
            ja_table_part(table, ",", first ? 0 : 1);
            ja_table_part(table, addresses->items[a], strcspn(addresses->items[a], "/"));
        }
    }
    ja_table_end(table);
}

/* What it was made of, "base@1". */
static void add_template_cell(struct ja_table *table, const struct ja_jail *jail)
{
    if (jail->template)
        ja_table_part(table, jail->template, strlen(jail->template));
    if (jail->version) {
        ja_table_part(table, "@", 1);
        ja_table_part(table, jail->version, strlen(jail->version));
    }
    ja_table_end(table);
}

static int add_listed(void *context, const struct ja_listed *listed, struct ja_error *err)
{
    struct listing *listing = context;
    bool wanted;
    int rc = ja_cmd_matches_all(listing->args, listed, &wanted, err);
    if (rc < 0 || !wanted)
        return rc;
    if (listing->array)
        return json_array_append_new(listing->array, listed_json(listed)) < 0 ? ja_error_nomem(err) : 0;
    add_first_cells(&listing->table, listed);
    add_template_cell(&listing->table, listed->jail);
    ja_table_cell(&listing->table, listed->started);
    return 0;
}

/* With what they use, against their limits. */
static int list_long(struct ja_cli *cli, struct ja_engine *engine, const struct ja_args *args, struct ja_error *err)
{
    static const enum ja_resource columns[] = {JA_RESOURCE_CPU, JA_RESOURCE_MEMORY, JA_RESOURCE_PROCESSES,
                                               JA_RESOURCE_DISK};
    ja_autogathered struct ja_gathered all = {0};
    ja_autotable struct ja_table table;
    json_t *array = cli->json ? json_array() : NULL;
    ja_table_init(&table, "NAME", "STATE", "ADDRESS", ">CPU", ">MEMORY", ">PROCESSES", ">DISK", "TEMPLATE", NULL);
    int rc = ja_gather(engine, args, &all, err);
    if (rc == 0)
        rc = ja_gather_usage(engine, &all, err);
    for (size_t i = 0; rc == 0 && i < all.count; i++) {
        const struct ja_jail *jail = all.jails[i].jail;
        json_t *json = array ? listed_json(&all.jails[i]) : NULL;
        if (array) {
            bool failed =
                json_object_set_new(json, "usage", ja_usage_json(&all.usage[i])) < 0 ||
                json_object_set_new(json, "limits", ja_object_to_json(&ja_noun_limits, &jail->limits, true)) < 0;
            rc = json_array_append_new(array, json) < 0 || failed ? ja_error_nomem(err) : 0;
            continue;
        }
        add_first_cells(&table, &all.jails[i]);
        for (size_t c = 0; c < JA_COUNT(columns); c++)
            ja_usage_cell(&table, jail, &all.usage[i], columns[c]);
        add_template_cell(&table, jail);
    }
    return ja_gathered_print(cli, engine, &all, array, &table, rc, err);
}

int ja_cmd_list(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct listing listing = {.args = args, .array = cli->json ? json_array() : NULL};
    int rc = ja_cmd_check_filters(args, err);
    if (rc == 0)
        rc = ja_cmd_open(cli, true, &engine, err);
    ja_table_init(&listing.table, "NAME", "STATE", "ADDRESS", "TEMPLATE", "STARTED", NULL);
    bool with_usage = ja_args_has(args, "long");
    if (rc == 0)
        rc = with_usage ? list_long(cli, engine, args, err)
                        : ja_cmd_list_words(engine, args, true, add_listed, &listing, err);
    if (rc == 0 && !with_usage)
        rc = cli->json ? ja_print_json(cli, json_incref(listing.array), err) : ja_table_print(cli, &listing.table, err);
    json_decref(listing.array);
    ja_table_fini(&listing.table);
    return rc;
}

/* What of a jail waits for its next start: paths, and the spec that it runs with. */
struct pending {
    const struct ja_jail *wanted, *applied;
    struct ja_strv paths;
};

/* " (running with 256M; applies at the next start)" behind a value that waits. */
static void add_pending(const struct pending *pending, const char *path, struct ja_str *text)
{
    ja_autofree char *running = NULL;
    if (!pending || !ja_strv_has(&pending->paths, path))
        return;
    if (ja_object_get(&ja_noun_jail, pending->applied, path, &running, NULL) < 0 || !running || !*running)
        ja_str_add(text, " (running without; applies at the next start)");
    else
        ja_str_addf(text, " (running with %s; applies at the next start)", running);
}

/* One line for every value, "nics.eth0.address: 10.66.0.2". Entries of lists begin with their key. */
static void print_value(struct ja_cli *cli, const char *path, const json_t *value, const struct pending *pending)
{
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, member)
        {
            ja_autofree char *inner = ja_printf("%s%s%s", path, *path ? "." : "", key);
            if (inner)
                print_value(cli, inner, member, pending);
        }
        return;
    }
    if (json_is_object(json_array_get(value, 0))) {
        json_array_foreach(value, i, member)
        {
            const char *name = json_string_value(json_object_iter_value(json_object_iter(member)));
            ja_autofree char *inner = ja_printf("%s.%s", path, name ? name : "");
            if (inner)
                print_value(cli, inner, member, pending);
        }
        return;
    }
    ja_autostr struct ja_str text = {0};
    ja_autofree char *with_unit = NULL;
    if (json_is_array(value)) {
        json_array_foreach(value, i, member)
        {
            const char *item = json_string_value(member);
            ja_str_add(&text, i ? ", " : "");
            ja_str_add_shown(&text, item ? item : "", item ? strlen(item) : 0, false);
        }
    } else if (json_is_string(value)) {
        ja_str_add_shown(&text, json_string_value(value), json_string_length(value), false);
    } else if (pending && json_is_number(value) &&
               ja_object_get(&ja_noun_jail, pending->wanted, path, &with_unit, NULL) == 0) {
        ja_str_add(&text, with_unit);
    } else if (json_is_integer(value)) {
        ja_str_addf(&text, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        ja_str_addf(&text, "%g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        ja_str_add(&text, json_is_true(value) ? "yes" : "no");
    }
    add_pending(pending, path, &text);
    /* What an entry of a list does not say is no line. */
    const char *dot = strchr(path, '.');
    if (!text.length && dot && strchr(dot + 1, '.'))
        return;
    fprintf(cli->out, "%s: %s\n", path, text.text ? text.text : "");
}

int ja_cmd_print_object(struct ja_cli *cli, json_t *json, struct ja_error *err)
{
    if (!json)
        return ja_error_nomem(err);
    if (cli->json)
        return ja_print_json(cli, json, err);
    print_value(cli, "", json, NULL);
    json_decref(json);
    return 0;
}

/* An entry that is wanted no more, and that the running jail still has, is in no line of the object. */
static void print_going(struct ja_cli *cli, const struct ja_jail *wanted, const struct pending *pending)
{
    for (size_t i = 0; i < pending->paths.count; i++) {
        ja_autofree char *now = NULL;
        if (ja_object_get(&ja_noun_jail, wanted, pending->paths.items[i], &now, NULL) < 0)
            fprintf(cli->out, "%s: removed (the running jail still has it; applies at the next start)\n",
                    JA_SHOW(pending->paths.items[i]));
    }
}

/* "pending": {"limits.files": "1024"}: what waits, with what the running jail has instead. */
static json_t *pending_json(const struct pending *pending)
{
    json_t *json = json_object();
    for (size_t i = 0; json && i < pending->paths.count; i++) {
        ja_autofree char *running = NULL;
        if (ja_object_get(&ja_noun_jail, pending->applied, pending->paths.items[i], &running, NULL) < 0)
            running = NULL;
        if (json_object_set_new(json, pending->paths.items[i], running ? json_string(running) : json_null()) < 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static int show_jail(struct ja_cli *cli, const struct ja_jail *jail, const struct ja_listed *listed,
                     const struct pending *pending, const struct ja_usage *usage, struct ja_error *err)
{
    json_t *json = ja_object_to_json(&ja_noun_jail, jail, true);
    int rc = 0;
    if (!json || json_object_set_new(json, "state", json_string(ja_state_name(listed->state))) < 0 ||
        json_object_set_new(json, "pid", json_integer(listed->pid)) < 0 ||
        json_object_set_new(json, "started", listed->started[0] ? json_string(listed->started) : json_null()) < 0)
        rc = ja_error_nomem(err);
    if (rc == 0 && cli->json) {
        if (json_object_set_new(json, "pending", pending_json(pending)) < 0 ||
            json_object_set_new(json, "usage", ja_usage_json(usage)) < 0)
            rc = ja_error_nomem(err);
        return rc < 0 ? (json_decref(json), rc) : ja_print_json(cli, json, err);
    }
    if (rc == 0) {
        if (!listed->started[0])
            json_object_del(json, "started");
        print_value(cli, "", json, pending);
        print_going(cli, jail, pending);
        ja_usage_print(cli, jail, usage);
    }
    json_decref(json);
    return rc;
}

static int show_one(struct ja_cli *cli, struct ja_engine *engine, const char *name, struct ja_error *err)
{
    void *jail = NULL;
    struct ja_jail *applied = NULL;
    struct ja_listed listed;
    struct pending pending = {0};
    struct ja_usage usage = {0};
    int rc = ja_engine_get(engine, &ja_noun_jail, name, &jail, NULL, err);
    if (rc == 0)
        rc = ja_engine_state(engine, jail, &listed, err);
    if (rc == 0)
        rc = ja_engine_applied(engine, jail, &applied, err);
    pending.wanted = jail;
    pending.applied = applied;
    if (rc == 0 && applied)
        rc = ja_engine_pending(applied, jail, &pending.paths, err);
    if (rc == 0)
        rc = ja_engine_usage(engine, &listed, 1, &usage, err);
    if (rc == 0)
        rc = show_jail(cli, jail, &listed, &pending, &usage, err);
    ja_strv_fini(&pending.paths);
    ja_object_free(&ja_noun_jail, applied);
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}

int ja_cmd_show(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, true, &engine, err);
    for (size_t i = 0; rc == 0 && i < args->word_count; i++) {
        if (i && !cli->json)
            fputs("\n", cli->out);
        rc = show_one(cli, engine, args->words[i], err);
    }
    return rc;
}

static int add_complete_name(void *context, const struct ja_row *row, struct ja_error *err)
{
    return ja_strv_add(context, row->name) < 0 ? ja_error_nomem(err) : 0;
}

int ja_complete_names(struct ja_cli *cli, const char *kind, struct ja_strv *ret_names)
{
    struct ja_store *store = NULL;
    struct ja_error err = JA_ERROR_INIT;
    if (ja_store_open(cli->state, false, true, &store, NULL) < 0)
        return 0;
    int rc = ja_store_each(store, kind, NULL, add_complete_name, ret_names, &err);
    ja_store_close(store);
    return rc == JA_E_NOMEM ? rc : 0;
}

static void read_names(const char *path, int (*check)(const char *value, struct ja_error *err), struct ja_strv *names,
                       bool *failed)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
        if (check(entry->d_name, NULL) == 0 && !ja_strv_has(names, entry->d_name) &&
            ja_strv_add(names, entry->d_name) < 0)
            *failed = true;
    if (dir)
        closedir(dir);
}

int ja_complete_environments(struct ja_cli *cli, const char *jail, struct ja_strv *ret_names)
{
    ja_autofree char *path = ja_printf("%s/pool/jails/%s/root", cli->state, jail);
    bool failed = path == NULL;
    if (path && ja_check_name(jail, NULL) == 0)
        read_names(path, ja_check_name, ret_names, &failed);
    return failed ? JA_E_NOMEM : 0;
}

/* btrfs has a directory of them, ZFS shows them in each of the jail's trees. */
int ja_complete_snapshots(struct ja_cli *cli, const char *jail, struct ja_strv *ret_names)
{
    ja_autostrv struct ja_strv trees = {0};
    ja_autofree char *path = ja_printf("%s/pool/jails/%s/snap", cli->state, jail);
    bool failed = path == NULL;
    if (ja_check_name(jail, NULL) < 0)
        return 0;
    if (path)
        read_names(path, ja_check_snapshot, ret_names, &failed);
    if (ja_complete_environments(cli, jail, &trees) < 0)
        failed = true;
    for (size_t i = 0; i < trees.count; i++) {
        ja_autofree char *shown = ja_printf("%s/pool/jails/%s/root/%s/.zfs/snapshot", cli->state, jail, trees.items[i]);
        failed = failed || !shown;
        if (shown)
            read_names(shown, ja_check_snapshot, ret_names, &failed);
    }
    return failed ? JA_E_NOMEM : 0;
}
