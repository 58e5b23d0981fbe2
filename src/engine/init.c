/*
 * init.c: making an instance, and taking it away.
 */
#include "base/clock.h"
#include "base/file.h"
#include "engine/internal.h"
#include "storage/storage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS_DEFAULT = 4096 };

#define DEFAULT_STORAGE "file:8G"
#define DEFAULT_NETWORK "10.66.0.1/16"

/* Names below it get up to 160 characters more, of the 255 that ZFS allows. */
enum { DATASET_MOST = 90 };

/* The name of a dataset, in the letters of ZFS. */
static int check_dataset(const char *name, struct ja_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:";
    bool good = *name != '\0';
    for (const char *part = name; good; part += strcspn(part, "/") + 1) {
        size_t length = strcspn(part, "/");
        good = length && strspn(part, allowed) == length &&
               strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                      "0123456789",
                      part[0]);
        if (!part[length])
            break;
    }
    if (!good)
        return ja_error_set(err, JA_E_INVALID, "field storage",
                            "\"%s\" is not the name of a dataset: POOL/NAME, of letters, digits and \"_-.:\"",
                            JA_SHOW(name));
    if (strlen(name) > DATASET_MOST)
        return ja_error_set(err, JA_E_INVALID, "field storage", "the dataset's name is too long: at most %d characters",
                            DATASET_MOST);
    return 0;
}

/* What `--storage` says. */
static int read_storage(const char *text, struct ja_site *site, int64_t *ret_size, struct ja_error *err)
{
    const char *colon = strchr(text, ':'), *rest = colon ? colon + 1 : "";
    *ret_size = 0;
    if (site->os == JA_OS_FREEBSD && !ja_str_starts(text, "zfs:")) {
        ja_error_set(err, JA_E_INVALID, "field storage", "jails live on ZFS on FreeBSD");
        return ja_error_hint(err, "--storage zfs:DATASET with a dataset that is to be made, such as zroot/jailadmin");
    }
    if (ja_str_starts(text, "file:")) {
        int rc = ja_value_parse(JA_T_SIZE, rest, ret_size, err);
        if (rc < 0)
            return rc;
        if (*ret_size < (int64_t)256 << 20)
            return ja_error_set(err, JA_E_INVALID, "field storage", "%s is too small: at least 256M", rest);
        site->loop = true;
        snprintf(site->source, sizeof site->source, "%s/pool.img", site->state);
        return 0;
    }
    if (ja_str_starts(text, "btrfs:")) {
        snprintf(site->source, sizeof site->source, "%s", rest);
        return ja_check_path(rest, err);
    }
    if (ja_str_starts(text, "zfs:")) {
        site->storage = JA_STORAGE_ZFS;
        snprintf(site->source, sizeof site->source, "%s", rest);
        return check_dataset(rest, err);
    }
    ja_error_set(err, JA_E_INVALID, "field storage", "\"%s\" is not a storage", JA_SHOW(text));
    return ja_error_hint(err, "file:SIZE, btrfs:DIRECTORY on a btrfs file system, or zfs:DATASET");
}

void ja_site_take(struct ja_site *site, const struct ja_instance *instance)
{
    snprintf(site->tag, sizeof site->tag, "%s", instance->tag);
    snprintf(site->uuid, sizeof site->uuid, "%s", instance->uuid);
    snprintf(site->run, sizeof site->run, "%s/jailadmin-%s", site->os == JA_OS_FREEBSD ? "/var/run" : "/run",
             instance->tag);
    snprintf(site->pool, sizeof site->pool, "%s/pool", site->state);
    site->slots = instance->slots;
    site->uid_base = instance->uid_base;
    site->shared_base = instance->shared_base;
    site->unit_base = instance->unit_base;
    site->rule_base = instance->rule_base;
    site->set = instance->set;
    site->nat_base = instance->nat_base;
    site->ruleset_base = instance->ruleset_base;
    site->idmap = true;
}

void ja_site_give(const struct ja_site *site, const char *state, struct ja_instance *ret_instance)
{
    *ret_instance = (struct ja_instance){.slots = site->slots,
                                         .uid_base = site->uid_base,
                                         .shared_base = site->shared_base,
                                         .unit_base = site->unit_base,
                                         .rule_base = site->rule_base,
                                         .set = site->set,
                                         .nat_base = site->nat_base,
                                         .ruleset_base = site->ruleset_base};
    snprintf(ret_instance->tag, sizeof ret_instance->tag, "%s", site->tag);
    snprintf(ret_instance->uuid, sizeof ret_instance->uuid, "%s", site->uuid);
    snprintf(ret_instance->state, sizeof ret_instance->state, "%s", state);
}

int ja_engine_make_state(struct ja_engine *engine, struct ja_error *err)
{
    int rc = ja_dir_make(engine->options.state, 0700, err);
    if (rc == 0)
        rc = ja_dir_make(engine->locks, 0700, err);
    if (rc == 0)
        rc = ja_dir_make(engine->journal, 0700, err);
    if (rc == 0)
        rc = ja_store_open(engine->options.state, true, false, &engine->store, err);
    if (rc == 0)
        rc = ja_new_uuid(engine->site.epoch, err);
    if (rc < 0)
        return rc;
    json_t *json = ja_site_to_json(&engine->site);
    char *text = json ? ja_json_text(json, JSON_COMPACT) : NULL;
    json_decref(json);
    rc = text ? ja_store_setting_put(engine->store, "site", text, err) : ja_error_nomem(err);
    free(text);
    return rc;
}

int ja_engine_is_registered(const struct ja_engine *engine, struct ja_error *err)
{
    struct ja_instance there;
    if (!engine->site.tag[0])
        return 0;
    int rc = ja_registry_get(engine->site.tag, &there, err);
    if (rc == 0)
        return strcmp(there.uuid, engine->site.uuid) == 0;
    if (rc != JA_E_NOTFOUND && rc != JA_E_CORRUPT)
        return rc;
    ja_error_clear(err);
    return rc == JA_E_CORRUPT;
}

static int remove_files(const struct ja_engine *engine, const char *const *names, size_t count, struct ja_error *err)
{
    for (size_t i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", engine->options.state, names[i]);
        if (unlink(path) < 0 && errno != ENOENT)
            return ja_error_sys(err, errno, NULL, "cannot remove %s", path);
    }
    return 0;
}

/* The store goes last, since nobody could come back to the rest without it; the registration before it, since nobody could tell whose it
 * is. A teardown that finds a store without either knows that all else was done. */
int ja_engine_remove_state(struct ja_engine *engine, bool keep_registered, struct ja_error *err)
{
    static const char *const made[] = {"seccomp.json", "seccomp.bpf"};
    static const char *const store[] = {"store.db", "store.db-wal", "store.db-shm"};
    ja_store_close(engine->store);
    engine->store = NULL;
    int rc = ja_tree_remove(engine->journal, err);
    if (rc == 0)
        rc = ja_tree_remove(engine->locks, err);
    if (rc == 0)
        rc = remove_files(engine, made, JA_COUNT(made), err);
    if (rc == 0 && !keep_registered) {
        rc = ja_engine_is_registered(engine, err);
        rc = rc > 0 ? ja_registry_remove(engine->site.tag, err) : rc;
    }
    if (rc == 0)
        rc = remove_files(engine, store, JA_COUNT(store), err);
    if (rc == 0 && rmdir(engine->options.state) < 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST &&
        errno != EBUSY) /* a file system of its own is mounted there */
        rc = ja_error_sys(err, errno, NULL, "cannot remove %s", engine->options.state);
    return rc;
}

/* OpenZFS has idmapped mounts from 2.2 on, where the kernel has them (5.12); zfs-fuse, which has no module, never. */
static int find_zfs_idmap(struct ja_engine *engine, struct ja_error *err)
{
    ja_autofree char *version = NULL, *release = NULL;
    int zfs[2] = {0}, system[2] = {0};
    int rc = ja_machine_fact(engine->machine, JA_FACT_FILE, "/sys/module/zfs/version", &version, err);
    if (rc == 0)
        rc = ja_machine_fact(engine->machine, JA_FACT_SYSCTL, "kernel.osrelease", &release, err);
    if (rc < 0)
        return rc;
    bool known = version && release && sscanf(version, "%d.%d", &zfs[0], &zfs[1]) == 2 &&
                 sscanf(release, "%d.%d", &system[0], &system[1]) == 2;
    engine->site.idmap =
        known && (zfs[0] > 2 || (zfs[0] == 2 && zfs[1] >= 2)) && (system[0] > 5 || (system[0] == 5 && system[1] >= 12));
    return 0;
}

/* The pool's dataset is always one that init makes: the one that was named, or, if that exists and is empty, one in it. */
static int find_zfs_place(struct ja_engine *engine, struct ja_error *err)
{
    struct ja_site *site = &engine->site;
    ja_autofree char *mark = NULL, *contents = NULL;
    int rc = ja_machine_fact(engine->machine, JA_FACT_DATASET, site->source, &mark, err);
    if (rc < 0 || !mark)
        return rc;
    if (*mark)
        return ja_error_set(err, JA_E_EXISTS, "field storage", "the dataset %s belongs to an instance of jailadmin",
                            site->source);
    rc = ja_machine_fact(engine->machine, JA_FACT_CONTENTS, site->source, &contents, err);
    if (rc == 0 && contents && *contents) {
        contents[strcspn(contents, "\n")] = '\0';
        rc = ja_error_set(err, JA_E_INVALID, "field storage", "the dataset %s is not empty: it holds %s", site->source,
                          JA_SHOW(contents));
        ja_error_hint(err, "name one that does not exist yet, such as zfs:%s/jailadmin", site->source);
    } else if (rc == 0) {
        ja_autofree char *inner = ja_printf("%s/jailadmin", site->source);
        if (!inner)
            return ja_error_nomem(err);
        snprintf(site->source, sizeof site->source, "%s", inner);
    }
    return rc;
}

static int find_zfs(struct ja_engine *engine, bool adopt, struct ja_error *err)
{
    int rc = engine->site.storage == JA_STORAGE_ZFS && !adopt ? find_zfs_place(engine, err) : 0;
    if (rc == 0 && engine->site.storage == JA_STORAGE_ZFS && engine->site.os == JA_OS_LINUX)
        rc = find_zfs_idmap(engine, err);
    return rc;
}

struct initial {
    int64_t loop_size;
    struct ja_network *network;
};

static void plan_init(void *work, struct ja_planning *p)
{
    struct initial *initial = work;
    ja_plan_init_instance(p, initial->loop_size, initial->network);
}

static int default_network(const char *address, struct ja_network **ret_network, struct ja_error *err)
{
    if (strcmp(address, "none") == 0) {
        *ret_network = NULL;
        return 0;
    }
    struct ja_network *network = ja_object_new(&ja_noun_network);
    ja_autofree char *assignment = ja_printf("address=%s", address);
    int rc = network && assignment ? 0 : ja_error_nomem(err);
    if (rc == 0)
        rc = ja_object_set(&ja_noun_network, network, "name=default", true, err);
    if (rc == 0)
        rc = ja_object_set(&ja_noun_network, network, assignment, true, err);
    if (rc == 0)
        rc = ja_new_identity(&network->uuid, &network->created, err);
    if (rc == 0)
        network->slot = 0;
    if (rc == 0)
        rc = ja_object_check(&ja_noun_network, network, err);
    if (rc < 0)
        ja_object_free(&ja_noun_network, network);
    else
        *ret_network = network;
    return rc;
}

/* A pool in the state directory that no store knows: an init beside it would fail, after it had given the numbers of jails that may still
 * run to others. */
static int check_no_pool(const struct ja_engine *engine, struct ja_error *err)
{
    static const char *const signs[] = {"pool.img", "pool/instance/site.json"};
    for (size_t i = 0; i < JA_COUNT(signs); i++) {
        ja_autofree char *path = ja_printf("%s/%s", engine->options.state, signs[i]);
        ja_autofree char *there = NULL;
        int rc = path ? ja_machine_fact(engine->machine, JA_FACT_PATH, path, &there, err) : ja_error_nomem(err);
        if (rc < 0)
            return rc;
        if (there) {
            ja_error_set(err, JA_E_EXISTS, "instance",
                         "%s is there: the pool of an instance whose store is gone or damaged", path);
            return ja_error_hint(
                err,
                "`jailadmin init --adopt`, then `jailadmin adopt --all` takes its jails back; or use restore with a "
                "backup; if nothing of it is wanted, remove it");
        }
    }
    return 0;
}

/* An init that was cut off: undone, so that this one can begin anew. JA_E_EXISTS for a complete instance. */
static int clear_cut_off(const struct ja_engine_options *options, bool adopt, struct ja_error *err)
{
    struct ja_engine engine = {.options = *options};
    ja_autofree char *ready = NULL, *site = NULL;
    ja_engine_paths(&engine);
    int rc = ja_store_open(options->state, false, options->dry_run, &engine.store, err);
    if (rc == JA_E_NOTFOUND) {
        ja_error_clear(err);
        return 0;
    }
    if (rc < 0)
        return rc;
    rc = ja_store_setting(engine.store, "ready", &ready, err);
    bool complete = rc == 0 && strcmp(ready, "yes") == 0;
    if (rc == 0 || rc == JA_E_NOTFOUND)
        rc = ja_store_setting(engine.store, "site", &site, err);
    if (rc < 0 && rc != JA_E_NOTFOUND && rc != JA_E_CORRUPT) { /* whether it is one is not known */
        ja_store_close(engine.store);
        return rc;
    }
    rc = 0;
    if (complete) {
        ja_store_close(engine.store);
        ja_error_set(err, JA_E_EXISTS, "instance", "%s holds an instance already", options->state);
        return ja_error_hint(err, "choose another directory with --state, or take it away with `jailadmin teardown`");
    }
    if (!options->dry_run && site) {
        json_t *json = NULL;
        rc = ja_json_read(site, "store", &json, err);
        if (rc == 0)
            rc = ja_site_from_json(json, &engine.site, err);
        else if (rc == JA_E_CORRUPT)
            rc = 0; /* it had not come far */
        json_decref(json);
        ja_site_place(&engine.site, options);
        if (rc == 0)
            rc = ja_engine_machine(&engine, err);
        if (rc == 0)
            rc = ja_engine_recover(&engine, true, err);
    }
    /* It may also be a store that is damaged. */
    if (rc == 0 && !options->dry_run && !adopt && engine.machine)
        rc = ja_check_forgotten(&engine, err);
    if (rc == 0 && !options->dry_run)
        return ja_engine_remove_state(&engine, adopt, err);
    ja_store_close(engine.store);
    return rc;
}

/* What is to be adopted: the pool that --storage names, or the one that is mounted or lies where init puts it. */
static int find_pool(struct ja_engine *engine, const char *storage, struct ja_error *err)
{
    struct ja_site *site = &engine->site, was;
    ja_autofree char *noted = ja_printf("%s/pool/instance/site.json", site->state), *text = NULL, *there = NULL;
    int64_t size;
    if (!noted)
        return ja_error_nomem(err);
    if (storage && ja_str_starts(storage, "file:")) {
        site->loop = true;
        snprintf(site->source, sizeof site->source, "%s", storage + strlen("file:"));
        return ja_check_path(site->source, err);
    }
    if (storage)
        return read_storage(storage, site, &size, err);
    int rc = ja_engine_machine(engine, err);
    if (rc == 0)
        rc = ja_machine_fact(engine->machine, JA_FACT_FILE, noted, &text, err);
    json_t *json = NULL;
    if (rc == 0 && text && ja_json_read(text, NULL, &json, err) == JA_E_NOMEM)
        return JA_E_NOMEM;
    bool known = json && ja_site_from_json(json, &was, NULL) == 0;
    json_decref(json);
    if (known) {
        site->storage = was.storage;
        site->loop = was.loop;
        snprintf(site->source, sizeof site->source, "%s", was.source);
        return 0;
    }
    site->loop = true;
    snprintf(site->source, sizeof site->source, "%s/pool.img", site->state);
    if (rc == 0)
        rc = ja_machine_fact(engine->machine, JA_FACT_PATH, site->source, &there, err);
    if (rc < 0 || there)
        return rc;
    ja_error_set(err, JA_E_NOTFOUND, "field storage", "there is no pool in %s to adopt", site->state);
    return ja_error_hint(err, "name it: --storage file:PATH, btrfs:DIRECTORY or zfs:DATASET");
}

/* The numbers of the instance that the pool was part of, if they are known and nobody else has them; those of an init that was cut off
 * before there was a store; else new ones. */
static int take_registration(const struct ja_engine_options *options, const struct ja_init_request *request,
                             struct ja_instance *ret_instance, bool *ret_found, struct ja_error *err)
{
    int64_t slots = request->slots ? request->slots : SLOTS_DEFAULT;
    int rc = ja_registry_find(options->state, ret_instance, err);
    *ret_found = rc == 0;
    if (rc == 0 && (request->adopt || ret_instance->slots == slots))
        return 0;
    if (rc < 0 && rc != JA_E_NOTFOUND)
        return rc;
    ja_error_clear(err);
    return options->dry_run ? ja_registry_propose(options->state, slots, ret_instance, err)
                            : ja_registry_add(options->state, slots, ret_instance, err);
}

static void plan_adopt(JA_UNUSED void *work, struct ja_planning *p)
{
    ja_plan_adopt_instance(p);
}

/* With the site's numbers chosen: state and plan. A dry run touches nothing, not even the state directory. */
static int run_init(struct ja_engine *engine, bool adopt, bool registered, struct initial *initial,
                    struct ja_error *err)
{
    void (*plan)(void *, struct ja_planning *) = adopt ? plan_adopt : plan_init;
    struct ja_change change = {0};
    struct ja_plan shown = {0};
    int rc = ja_engine_machine(engine, err);
    if (rc == 0)
        rc = find_zfs(engine, adopt, err);
    if (rc == 0 && engine->options.dry_run) {
        rc = ja_engine_plan(engine, "init", "host", "instance", plan, initial, &shown, err);
        if (rc == 0 && engine->options.show)
            rc = engine->options.show(engine->options.context, &shown, err);
        ja_plan_fini(&shown);
        return rc;
    }
    if (rc == 0)
        rc = ja_engine_leave_dead(engine, false, err);
    if (rc == 0)
        rc = ja_engine_make_state(engine, err);
    if (rc == 0)
        rc = ja_change_begin(&change, engine, "init", "host", "instance", err);
    if (rc == 0)
        rc = ja_change_apply(&change, plan, initial, err);
    ja_change_end(&change);
    if (rc < 0 && !engine->options.keep)
        ja_engine_remove_state(engine, registered, NULL);
    return rc;
}

int ja_engine_init(const struct ja_engine_options *options, const struct ja_init_request *request, struct ja_error *err)
{
    struct ja_engine engine = {.options = *options};
    struct initial initial = {0};
    struct ja_instance instance;
    bool registered = false;
    int rc = ja_check_path(options->state, err);
    if (rc == 0)
        rc = clear_cut_off(options, request->adopt, err);
    if (rc < 0)
        return rc;
    ja_engine_paths(&engine);
    ja_site_place(&engine.site, options);
    engine.site.os = ja_options_os(options);
    if (request->adopt)
        rc = find_pool(&engine, request->storage, err);
    else
        rc = read_storage(request->storage ? request->storage : DEFAULT_STORAGE, &engine.site, &initial.loop_size, err);
    if (rc == 0 && !request->adopt)
        rc = default_network(request->network ? request->network : DEFAULT_NETWORK, &initial.network, err);
    if (rc == 0 && !request->adopt && (rc = ja_engine_machine(&engine, err)) == 0)
        rc = check_no_pool(&engine, err);
    if (rc == 0)
        rc = take_registration(options, request, &instance, &registered, err);
    if (rc == 0) {
        ja_site_take(&engine.site, &instance);
        rc = run_init(&engine, request->adopt, registered || request->adopt, &initial, err);
    }
    ja_store_close(engine.store);
    ja_strv_fini(&engine.told);
    ja_object_free(&ja_noun_network, initial.network);
    return rc;
}

/* ---- facts for an init elsewhere ---- */

struct ja_initial {
    struct ja_site site;
    struct initial initial;
};

int ja_initial_make(const struct ja_engine_options *options, const char *storage, struct ja_initial **ret_initial,
                    struct ja_error *err)
{
    struct ja_initial *made = ja_calloc(1, sizeof *made);
    struct ja_instance instance;
    if (!made)
        return ja_error_nomem(err);
    ja_site_place(&made->site, options);
    made->site.os = ja_options_os(options);
    int rc = read_storage(storage, &made->site, &made->initial.loop_size, err);
    if (rc == 0)
        rc = default_network(DEFAULT_NETWORK, &made->initial.network, err);
    if (rc == 0)
        rc = ja_registry_propose(options->state, SLOTS_DEFAULT, &instance, err);
    if (rc < 0) {
        ja_initial_free(made);
        return rc;
    }
    ja_site_take(&made->site, &instance);
    *ret_initial = made;
    return 0;
}

const struct ja_site *ja_initial_site(const struct ja_initial *made)
{
    return &made->site;
}

/* A dataset that is there and empty takes the pool in another one, whose name is asked for then. */
void ja_initial_ask(void *work, struct ja_planning *p)
{
    struct ja_initial *made = work;
    if (made->site.storage == JA_STORAGE_ZFS && ja_fact(p->facts, JA_FACT_DATASET, made->site.source)) {
        struct ja_planning inner = *p;
        struct ja_site site = made->site;
        ja_fact(p->facts, JA_FACT_CONTENTS, made->site.source);
        snprintf(site.source, sizeof site.source, "%s/jailadmin", made->site.source);
        inner.site = &site;
        plan_init(&made->initial, &inner);
    } else {
        plan_init(&made->initial, p);
    }
}

void ja_initial_free(struct ja_initial *made)
{
    if (made)
        ja_object_free(&ja_noun_network, made->initial.network);
    free(made);
}
