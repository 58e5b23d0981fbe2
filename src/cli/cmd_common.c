/*
 * cmd_common.c: an engine for a command line, dry runs, and one verb for many names.
 */
#include "cli/cmd.h"

#include <string.h>

static int show_plan(void *context, const struct ja_plan *plan, struct ja_error *err)
{
    struct ja_cli *cli = context;
    if (cli->json)
        return ja_print_json(cli, ja_plan_to_json(plan), err);
    ja_autostr struct ja_str text = {0};
    ja_plan_print(plan, &text);
    if (text.failed)
        return ja_error_nomem(err);
    fputs(text.text ? text.text : "", cli->out);
    return 0;
}

static void on_event(void *context, const struct ja_event *event)
{
    struct ja_cli *cli = context;
    if (event->kind == JA_EVENT_WARNING && event->err)
        ja_warn(cli, "%s%s%s", event->err->object, event->err->object[0] ? ": " : "", event->err->what);
    else if (event->kind == JA_EVENT_STEP && cli->verbose)
        fprintf(cli->errors, "%s\n", event->plan->steps[event->step]->why);
    else if (event->kind == JA_EVENT_UNDO && cli->verbose)
        fprintf(cli->errors, "undo: %s\n", event->plan->steps[event->step]->why);
}

void ja_cmd_options(struct ja_cli *cli, bool read_only, struct ja_engine_options *ret_options)
{
    *ret_options = (struct ja_engine_options){.state = cli->state,
                                              .self = cli->self,
                                              .os = cli->os_given ? (int)cli->os : -1,
                                              .facts_file = cli->facts,
                                              .dry_run = cli->dry_run,
                                              .keep = cli->keep,
                                              .no_natives = !cli->native,
                                              .read_only = read_only,
                                              .interrupted = cli->interrupted,
                                              .show = show_plan,
                                              .event = on_event,
                                              .context = cli};
}

int ja_cmd_open(struct ja_cli *cli, bool read_only, struct ja_engine **ret_engine, struct ja_error *err)
{
    struct ja_engine_options options;
    ja_cmd_options(cli, read_only, &options);
    int rc = ja_engine_open(&options, ret_engine, err);
    if (rc == 0 && !read_only && !cli->dry_run)
        rc = ja_engine_recover(*ret_engine, false, err);
    return rc;
}

void ja_cmd_close(struct ja_engine **engine)
{
    ja_engine_close(*engine);
    *engine = NULL;
}

static int add_name(void *context, const struct ja_row *row, struct ja_error *err)
{
    return ja_strv_add(context, row->name) < 0 ? ja_error_nomem(err) : 0;
}

int ja_cmd_names(struct ja_engine *engine, const struct ja_args *args, struct ja_strv *ret_names, struct ja_error *err)
{
    if ((args->verb->flags & JA_VERB_ALL) && ja_args_has(args, "all"))
        return ja_store_each(engine->store, "jail", NULL, add_name, ret_names, err);
    for (size_t i = 0; i < args->word_count; i++)
        if (!ja_strv_has(ret_names, args->words[i]) && ja_strv_add(ret_names, args->words[i]) < 0)
            return ja_error_nomem(err);
    return 0;
}

static void report(void *context, const char *name, int rc, const struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    work->done++;
    if (rc < 0) {
        struct ja_error named = *err;
        if (!named.object[0])
            ja_object_named(&named, name);
        ja_progress_clear(&work->progress);
        ja_show_error(work->cli, &named);
    }
    ja_progress_step(&work->progress, work->done, name);
}

void ja_object_named(struct ja_error *err, const char *name)
{
    snprintf(err->object, sizeof err->object, "jail %s", name);
}

int ja_cmd_each(struct ja_cli *cli, struct ja_engine *engine, const struct ja_strv *names, const char *doing,
                int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                void *context)
{
    struct ja_cmd_work work = {.cli = cli, .work = context, .total = names->count};
    ja_progress_begin(&work.progress, cli, doing, names->count);
    int failed = ja_engine_each(engine, names, cli->jobs, one, report, &work);
    ja_progress_clear(&work.progress);
    if (failed == 0)
        return 0;
    return names->count == 1 || failed == (int)names->count ? 1 : 3;
}
