/*
 * cmd_jail.c: create, clone, start, stop, restart, delete.
 */
#include "cli/cmd.h"

#include <stdio.h>
#include <string.h>

struct action {
    struct ja_jail *spec;       /* create */
    const char *from;           /* clone */
    const struct ja_args *args; /* its options */
    bool start, force;
};

static void say_done(struct ja_cmd_work *work, const char *what, const char *name)
{
    if (!work->cli->dry_run)
        ja_say(work->cli, "%s %s", what, name);
}

static int start_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    bool already = false;
    int rc = ja_engine_start(engine, name, &already, err);
    if (rc == 0)
        say_done(work, already ? "already running:" : "started", name);
    return rc;
}

static int stop_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    const struct action *action = work->work;
    bool already = false;
    int rc = ja_engine_stop(engine, name, action->force ? JA_STOP_FORCE : JA_STOP_GRACEFUL, &already, err);
    if (rc == 0)
        say_done(work, already ? "already stopped:" : "stopped", name);
    return rc;
}

static int restart_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    const struct ja_cmd_work *work = context;
    const struct action *action = work->work;
    /* It stays wanted all the while: a power cut in between does not make of it one that somebody has stopped. */
    int rc = ja_engine_stop(engine, name, action->force ? JA_STOP_AGAIN_FORCE : JA_STOP_AGAIN, NULL, err);
    return rc < 0 ? rc : start_one(engine, name, context, err);
}

static int delete_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    const struct action *action = work->work;
    int rc = ja_engine_delete(engine, name, action->force, err);
    if (rc == 0)
        say_done(work, "deleted", name);
    return rc;
}

static int adjust_clone(void *context, struct ja_jail *jail, struct ja_error *err)
{
    return ja_args_apply(context, &ja_noun_jail, jail, true, err);
}

/* The start of a jail that is not there yet is planned when it is: in a script it is a command of ours. */
int ja_cmd_show_start(struct ja_cli *cli, const char *name, struct ja_error *err)
{
    struct ja_plan plan;
    int rc = ja_plan_init(&plan, "start", "jail", name);
    if (rc < 0)
        return ja_error_nomem(err);
    struct ja_step *step = ja_plan_step(&plan, "start it: what that takes depends on what is there by then");
    ja_step_run(&plan, step, cli->self, "--state", cli->state, "start", name, NULL);
    step->flags |= JA_STEP_COMMIT;
    rc = ja_plan_check(&plan, err);
    if (rc == 0)
        rc = ja_cmd_show_plan(cli, &plan, err);
    ja_plan_fini(&plan);
    return rc;
}

static int create_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    const struct action *action = work->work;
    int rc;
    if (action->from) {
        rc = ja_engine_clone(engine, action->from, name, adjust_clone, (void *)action->args, err);
    } else {
        struct ja_jail *jail = ja_object_copy(&ja_noun_jail, action->spec);
        char *copy = ja_strdup(name);
        if (!jail || !copy) {
            free(copy);
            ja_object_free(&ja_noun_jail, jail);
            return ja_error_nomem(err);
        }
        free(jail->name);
        jail->name = copy;
        rc = ja_engine_create(engine, jail, action->start, err);
        ja_object_free(&ja_noun_jail, jail);
        if (rc < 0 && action->start && err->command[0] && !err->hint[0])
            ja_error_hint(err, "nothing of it is left; a jail that is made without --start stays, to be looked at");
    }
    if (rc == 0)
        say_done(work, "created", name);
    if (rc == 0 && action->start && !action->from)
        say_done(work, "started", name);
    else if (rc == 0 && action->start)
        rc = work->cli->dry_run ? ja_cmd_show_start(work->cli, name, err) : start_one(engine, name, context, err);
    return rc;
}

static int run_action(struct ja_cli *cli, const struct ja_args *args, const char *doing,
                      int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                      struct action *action, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_cmd_names(engine, args, &names, err);
    return rc < 0 ? rc : ja_cmd_each(cli, engine, &names, doing, one, action);
}

/* By priority and dependencies. */
static int run_ordered(struct ja_cli *cli, const struct ja_args *args, const char *doing, enum ja_ordering ordering,
                       int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                       struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    bool start = ordering == JA_ORDER_START;
    struct action action = {.force = !start && ja_args_has(args, "force")};
    enum ja_pace pace = start ? JA_PACE_BUSY : action.force ? JA_PACE_WAIT : JA_PACE_GENTLE;
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_cmd_names(engine, args, &names, err);
    return rc < 0 ? rc : ja_cmd_ordered(cli, engine, &names, doing, ordering, pace, one, &action, err);
}

int ja_cmd_start(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    return run_ordered(cli, args, "starting", JA_ORDER_START, start_one, err);
}

int ja_cmd_stop(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    return run_ordered(cli, args, "stopping", JA_ORDER_STOP, stop_one, err);
}

int ja_cmd_restart(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    return run_ordered(cli, args, "restarting", JA_ORDER_PLAIN, restart_one, err);
}

int ja_cmd_delete(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    struct action action = {.force = ja_args_has(args, "force")};
    if (cli->in_terminal || ja_args_has(args, "all")) {
        int rc = ja_args_has(args, "all") ? ja_confirm(cli, err, "Delete all jails with their data?")
                                          : ja_confirm(cli, err, "Delete %s%s with all data?", args->words[0],
                                                       args->word_count > 1 ? " and the others" : "");
        if (rc < 0)
            return rc;
    }
    return run_action(cli, args, "deleting", delete_one, &action, err);
}

/* "web@3": the template and its version. */
static int set_template(struct ja_jail *jail, const char *text, struct ja_error *err)
{
    const char *at = strchr(text, '@');
    free(jail->template);
    jail->template = ja_strndup(text, at ? (size_t)(at - text) : strlen(text));
    if (!jail->template)
        return ja_error_nomem(err);
    if (at && !(jail->version = ja_strdup(at + 1)))
        return ja_error_nomem(err);
    return ja_check_name(jail->template, err);
}

int ja_cmd_create(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    struct action action = {.start = ja_args_has(args, "start"), .spec = ja_object_new(&ja_noun_jail)};
    const char *template = ja_args_get(args, "template");
    int rc = action.spec ? 0 : ja_error_nomem(err);
    if (rc == 0 && !template) {
        rc = ja_error_set(err, JA_E_USAGE, NULL, "--template is needed");
        ja_error_hint(err, "`jailadmin template list` shows the templates there are");
    }
    if (rc == 0)
        rc = set_template(action.spec, template, err);
    if (rc == 0)
        rc = ja_args_apply(args, &ja_noun_jail, action.spec, true, err);
    if (rc == 0)
        rc = run_action(cli, args, "creating", create_one, &action, err);
    ja_object_free(&ja_noun_jail, action.spec);
    return rc;
}

int ja_cmd_clone(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    struct action action = {.from = args->words[0], .args = args, .start = ja_args_has(args, "start")};
    int rc = ja_cmd_open(cli, false, &engine, err);
    for (size_t i = 1; rc == 0 && i < args->word_count; i++)
        if (ja_strv_add(&names, args->words[i]) < 0)
            rc = ja_error_nomem(err);
    return rc < 0 ? rc : ja_cmd_each(cli, engine, &names, "cloning", create_one, &action);
}
