/*
 * cmd_common.c: an engine for a command line, dry runs, and one verb for many names.
 */
#include "cli/cmd.h"

#include <string.h>

int ja_cmd_show_plan(void *context, const struct ja_plan *plan, struct ja_error *err)
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

/* With the first line of what a failed command printed. */
static void warn(struct ja_cli *cli, const struct ja_error *err)
{
    size_t length = strcspn(err->output, "\n");
    ja_warn(cli, "%s%s%s%s%.*s", err->object, err->object[0] ? ": " : "", err->what, length ? ": " : "", (int)length,
            err->output);
}

/* What a command prints: all of it with -vv, else its last line on a lively terminal. */
static void hear(struct ja_cli *cli, const struct ja_event *event)
{
    if (cli->verbose > 1) {
        ja_autostr struct ja_str shown = {0};
        ja_str_add_shown(&shown, event->text, event->length, true);
        fputs(shown.text ? shown.text : "", cli->errors);
    } else {
        ja_lively_draw(cli, event->plan->steps[event->step]->why, event->text, event->length);
    }
}

static void on_event(void *context, const struct ja_event *event)
{
    struct ja_cli *cli = context;
    if (event->kind == JA_EVENT_OUTPUT) {
        hear(cli, event);
        return;
    }
    ja_lively_clear(cli);
    if (event->kind == JA_EVENT_STEP)
        ja_lively_draw(cli, event->plan->steps[event->step]->why, "", 0);
    if (event->kind == JA_EVENT_WARNING && event->err)
        warn(cli, event->err);
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
                                              .show = ja_cmd_show_plan,
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

int ja_cmd_matches(const struct ja_listed *listed, const char *filter, bool *ret_matches, struct ja_error *err)
{
    const char *equal = strchr(filter, '=');
    ja_autofree char *path = ja_strndup(filter, (size_t)(equal - filter)), *value = NULL;
    if (!path)
        return ja_error_nomem(err);
    if (strcmp(path, "state") == 0) {
        bool known = false;
        for (int state = JA_STATE_STOPPED; state <= JA_STATE_BROKEN; state++)
            known = known || strcmp(ja_state_name((enum ja_state)state), equal + 1) == 0;
        if (!known) {
            ja_error_set(err, JA_E_INVALID, "filter state", "\"%s\" is no state", JA_SHOW(equal + 1));
            return ja_error_hint(err, "running, stopped, creating, starting, stopping, dying or broken");
        }
        *ret_matches = strcmp(ja_state_name(listed->state), equal + 1) == 0;
        return 0;
    }
    const char *field = ja_str_starts(path, "label.") ? path + strlen("label.") : NULL;
    if (field) {
        *ret_matches = ja_str_equal(ja_map_get(&listed->jail->labels, field), equal + 1);
        return 0;
    }
    int rc = ja_object_get(&ja_noun_jail, listed->jail, path, &value, err);
    if (rc == 0)
        *ret_matches = ja_str_equal(value, equal + 1);
    return rc;
}

int ja_cmd_matches_all(const struct ja_args *args, const struct ja_listed *listed, bool *ret_matches,
                       struct ja_error *err)
{
    bool matches = true;
    for (size_t i = 0; matches && i < args->word_count; i++) {
        int rc = strchr(args->words[i], '=') ? ja_cmd_matches(listed, args->words[i], &matches, err) : 0;
        if (rc < 0)
            return rc;
    }
    *ret_matches = matches;
    return 0;
}

/* True when the filters look at nothing of a jail that a brief list has not. */
static bool brief_will_do(const struct ja_args *args)
{
    for (size_t i = 0; i < args->word_count; i++)
        if (strchr(args->words[i], '=') && !ja_str_starts(args->words[i], "state=") &&
            !ja_str_starts(args->words[i], "label."))
            return false;
    return true;
}

int ja_cmd_list_words(struct ja_engine *engine, const struct ja_args *args, bool brief,
                      int (*each)(void *context, const struct ja_listed *listed, struct ja_error *err), void *context,
                      struct ja_error *err)
{
    bool named = false;
    int rc = 0;
    brief = brief && brief_will_do(args);
    for (size_t i = 0; rc == 0 && i < args->word_count; i++) {
        if (strchr(args->words[i], '='))
            continue;
        named = true;
        rc = ja_engine_list(engine, args->words[i], brief, each, context, err);
    }
    return rc == 0 && !named ? ja_engine_list(engine, NULL, brief, each, context, err) : rc;
}

int ja_cmd_check_filters(const struct ja_args *args, struct ja_error *err)
{
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    struct ja_listed listed = {.jail = jail};
    bool matches;
    int rc = jail ? 0 : ja_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < args->word_count; i++)
        if (strchr(args->words[i], '='))
            rc = ja_cmd_matches(&listed, args->words[i], &matches, err);
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}

static int add_name(void *context, const struct ja_row *row, struct ja_error *err)
{
    return ja_strv_add(context, row->name) < 0 ? ja_error_nomem(err) : 0;
}

struct choice {
    const struct ja_args *args;
    struct ja_strv *names;
};

/* A jail is meant when it has all of the values. */
static int add_chosen(void *context, const struct ja_listed *listed, struct ja_error *err)
{
    const struct choice *choice = context;
    bool wanted = !ja_strv_has(choice->names, listed->jail->name);
    int rc = wanted ? ja_cmd_matches_all(choice->args, listed, &wanted, err) : 0;
    if (rc < 0)
        return rc;
    return wanted && ja_strv_add(choice->names, listed->jail->name) < 0 ? ja_error_nomem(err) : 0;
}

/* Patterns and values among the words, as `list` takes them. */
static int choose(struct ja_engine *engine, const struct ja_args *args, struct ja_strv *names, struct ja_error *err)
{
    struct choice choice = {args, names};
    int rc = ja_cmd_list_words(engine, args, true, add_chosen, &choice, err);
    if (rc == 0 && names->count == 0)
        rc = ja_error_set(err, JA_E_NOTFOUND, NULL, "no jail matches");
    return rc;
}

int ja_cmd_names(struct ja_engine *engine, const struct ja_args *args, struct ja_strv *ret_names, struct ja_error *err)
{
    bool patterns = false, jails = args->verb->rest == JA_WORD_JAIL;
    if ((args->verb->flags & JA_VERB_ALL) && ja_args_has(args, "all"))
        return ja_store_each(engine->store, "jail", NULL, add_name, ret_names, err);
    for (size_t i = 0; i < args->word_count; i++)
        patterns = patterns || (jails && strpbrk(args->words[i], "*?[="));
    if (patterns)
        return choose(engine, args, ret_names, err);
    for (size_t i = 0; i < args->word_count; i++)
        if (!ja_strv_has(ret_names, args->words[i]) && ja_strv_add(ret_names, args->words[i]) < 0)
            return ja_error_nomem(err);
    return 0;
}

int ja_cmd_names_or_all(struct ja_engine *engine, const struct ja_args *args, struct ja_strv *ret_names,
                        struct ja_error *err)
{
    return args->word_count ? ja_cmd_names(engine, args, ret_names, err)
                            : ja_store_each(engine->store, "jail", NULL, add_name, ret_names, err);
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
    work->progress.total = work->total;
    ja_progress_step(&work->progress, work->done, name);
}

void ja_object_named(struct ja_error *err, const char *name)
{
    snprintf(err->object, sizeof err->object, "jail %s", name);
}

/* Those that were begun have said for themselves how they ended. */
static void end_work(struct ja_cmd_work *work)
{
    ja_progress_end(&work->progress);
    if (work->cli->interrupted && *work->cli->interrupted && work->done < work->total)
        ja_warn(work->cli, "interrupted: %zu of %zu were not begun", work->total - work->done, work->total);
}

int ja_cmd_jobs(const struct ja_cli *cli, const struct ja_engine *engine, enum ja_pace pace)
{
    int each = 1;
    /* With ZFS, and so on FreeBSD, steps are processes, and nobody has measured it. */
    if (pace == JA_PACE_WAIT && engine->site.storage == JA_STORAGE_BTRFS)
        each = 4;
    /* Busybox's init takes three seconds to do nothing. Others have a lot to do, and half a minute until they are killed. */
    if (pace == JA_PACE_GENTLE)
        each = 8;
    return cli->jobs ? cli->jobs : cli->processors * each;
}

int ja_cmd_each(struct ja_cli *cli, struct ja_engine *engine, const struct ja_strv *names, const char *doing,
                int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                void *context)
{
    struct ja_cmd_work work = {.cli = cli, .work = context, .total = names->count};
    ja_progress_begin(&work.progress, cli, doing, names->count);
    int failed = ja_engine_each(engine, names, ja_cmd_jobs(cli, engine, JA_PACE_WAIT), one, report, &work);
    end_work(&work);
    if (failed == 0)
        return 0;
    return names->count == 1 || failed == (int)names->count ? 1 : 3;
}

int ja_cmd_ordered(struct ja_cli *cli, struct ja_engine *engine, const struct ja_strv *names, const char *doing,
                   enum ja_ordering ordering, enum ja_pace pace,
                   int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                   void *context, struct ja_error *err)
{
    struct ja_cmd_work work = {.cli = cli, .work = context, .total = names->count};
    ja_progress_begin(&work.progress, cli, doing, names->count);
    int failed = ja_engine_ordered(engine, names, ja_cmd_jobs(cli, engine, pace), ordering, &work.total, one, report,
                                   &work, err);
    end_work(&work);
    if (failed <= 0)
        return failed;
    return failed == (int)work.total ? 1 : 3;
}

void ja_cmd_size_cell(struct ja_table *table, int64_t bytes)
{
    static const char units[] = "BKMGTPE";
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && units[unit + 1]) {
        value /= 1024;
        unit++;
    }
    if (bytes < 0)
        ja_table_cell(table, "");
    else
        ja_table_cellf(table, value < 10 && unit ? "%.1f%c" : "%.0f%c", value, units[unit]);
}
