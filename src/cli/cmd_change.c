/*
 * cmd_change.c: set and rename: changes to jails that exist.
 */
#include "cli/cmd.h"

#include <string.h>

struct setting {
    const struct ja_strv *assignments;
    bool destroy;
};

int ja_cmd_say_changed(struct ja_cli *cli, const char *name, const struct ja_setdone *done, struct ja_error *err)
{
    if (cli->dry_run)
        return 0;
    if (done->unchanged && done->pending.count == 0) {
        ja_say(cli, "already so: %s", name);
        return 0;
    }
    ja_autostr struct ja_str text = {0};
    for (size_t i = 0; i < done->pending.count; i++)
        ja_str_addf(&text, "%s%s", i ? ", " : "", done->pending.items[i]);
    if (text.failed)
        return ja_error_nomem(err);
    const char *what = done->unchanged ? "already so:" : "changed";
    if (done->pending.count)
        ja_say(cli, "%s %s; waiting for its next start: %s", what, name, text.text);
    else
        ja_say(cli, "%s %s", what, name);
    return 0;
}

static int set_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    const struct setting *setting = work->work;
    struct ja_setdone done = {0};
    int rc = ja_engine_set(engine, name, setting->assignments, setting->destroy, &done, err);
    if (rc == 0)
        rc = ja_cmd_say_changed(work->cli, name, &done, err);
    ja_strv_fini(&done.pending);
    return rc;
}

int ja_cmd_split(const struct ja_args *args, struct ja_strv *ret_names, struct ja_strv *ret_assignments,
                 struct ja_error *err)
{
    for (size_t i = 0; i < args->word_count; i++) {
        const char *word = args->words[i];
        bool assignment = strchr(word, '=') != NULL;
        if (!assignment && ret_assignments->count)
            return ja_error_set(err, JA_E_USAGE, NULL, "\"%s\" is not KEY=VALUE; names of jails come first",
                                JA_SHOW(word));
        if (!assignment && ja_strv_has(ret_names, word))
            continue;
        if (ja_strv_add(assignment ? ret_assignments : ret_names, word) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

int ja_cmd_change(struct ja_cli *cli, struct ja_engine *engine, const struct ja_strv *names,
                  const struct ja_strv *assignments)
{
    struct setting setting = {.assignments = assignments, .destroy = cli->yes};
    return ja_cmd_each(cli, engine, names, "changing", set_one, &setting);
}

int ja_cmd_set(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0}, assignments = {0};
    int rc = ja_cmd_split(args, &names, &assignments, err);
    if (rc == 0 && names.count == 0)
        rc = ja_error_set(err, JA_E_USAGE, NULL, "no jail is named");
    if (rc == 0 && assignments.count == 0)
        rc = ja_error_set(err, JA_E_USAGE, NULL, "there is nothing to set: give KEY=VALUE");
    if (rc == 0)
        rc = ja_cmd_open(cli, false, &engine, err);
    return rc < 0 ? rc : ja_cmd_change(cli, engine, &names, &assignments);
}

int ja_cmd_rename(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_rename(engine, args->words[0], args->words[1], err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "%s is %s from now on", args->words[0], args->words[1]);
    return rc;
}
