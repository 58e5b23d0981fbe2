/*
 * simwhole.h: what is done to a whole instance on a simulated host: init, teardown, adoption after its store was lost.
 */
#ifndef JA_SIMWHOLE_H
#define JA_SIMWHOLE_H

#include "simlab.h"

static char copy_path[96]; /* of the store, which backup writes */

static inline int do_backup(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_backup(engine, copy_path, err);
}

/* An instance with a template, on a host of this program's own. */
static inline int whole_set_up(void **unused)
{
    lab_set_up(unused);
    snprintf(copy_path, sizeof copy_path, "%s/copy", lab_dir);
    lab_init("10.233.0.1/24");
    lab_do(do_base);
    return 0;
}

static inline struct ja_engine_options whole_options(void)
{
    struct ja_engine_options options = lab_options();
    options.incomplete = true;
    return options;
}

static inline int whole_init(const struct ja_engine_options *options, struct ja_error *err)
{
    struct ja_init_request request = {.storage = lab_system->storage, .network = "10.233.0.1/24"};
    return ja_engine_init(options, &request, err);
}

static inline int whole_teardown(const struct ja_engine_options *options, struct ja_error *err)
{
    struct ja_engine *engine = NULL;
    int rc = ja_engine_open(options, &engine, err);
    if (rc == 0)
        rc = ja_engine_recover(engine, true, err);
    if (rc == 0)
        rc = ja_engine_teardown(engine, true, 1, err);
    ja_engine_close(engine);
    return rc;
}

static inline void whole_ignore(void *context, const char *kind, const char *name, int rc, const struct ja_error *err)
{
    (void)context, (void)kind, (void)name, (void)rc, (void)err;
}

/* The store is made anew around the pool. Less than 0, or how many objects failed. */
static inline int whole_adopt(const struct ja_engine_options *options, struct ja_error *err)
{
    struct ja_init_request request = {.adopt = true};
    struct ja_engine *engine = NULL;
    int rc = ja_engine_init(options, &request, err);
    if (rc == JA_E_EXISTS)
        rc = 0;
    if (rc == 0)
        rc = ja_engine_open(options, &engine, err);
    if (rc == 0)
        rc = ja_engine_recover(engine, true, err);
    if (rc == 0)
        rc = ja_engine_adopt(engine, NULL, whole_ignore, NULL, err);
    ja_engine_close(engine);
    return rc;
}

static inline void lose_store(void)
{
    static const char *const files[] = {"store.db", "store.db-wal", "store.db-shm"};
    for (size_t i = 0; i < JA_COUNT(files); i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", lab_state, files[i]);
        unlink(path);
    }
}

/* Rules that name what is adopted before and after their network. */
static inline int do_lan_rules(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv list = {0};
    return ja_strv_add_all(&list, "rules+=all,action=allow,peer=network:default", "rules+=one,action=deny,peer=jail:j",
                           NULL) < 0
               ? ja_error_nomem(err)
               : ja_engine_network_set(engine, "lan", &list, err);
}

/* The host without what a teardown leaves. */
static inline char *bare_host(void)
{
    struct ja_str text = {0};
    lab_forget(&lab_sim);
    ja_sim_print(&lab_sim, &text);
    return ja_str_take(&text);
}

#endif
