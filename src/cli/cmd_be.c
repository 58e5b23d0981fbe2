/*
 * cmd_be.c: be create, list, activate, delete, mount, unmount; upgrade.
 */
#include "base/clock.h"
#include "cli/cmd.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- create, activate, delete ---- */

int ja_cmd_be_create(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_be_create(engine, args->words[0], args->words[1], ja_args_get(args, "from"), err);
    if (rc < 0)
        ja_object_named(err, args->words[0]);
    else if (!cli->dry_run)
        ja_say(cli, "created the boot environment %s of %s", args->words[1], args->words[0]);
    return rc;
}

int ja_cmd_be_activate(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    const char *jail = args->words[0], *name = args->words[1];
    bool running = false, restart = ja_args_has(args, "restart");
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_be_activate(engine, jail, name, &running, err);
    if (rc == 0 && running && restart)
        rc = ja_engine_stop(engine, jail, JA_STOP_AGAIN, NULL, err);
    if (rc == 0 && running && restart)
        rc = cli->dry_run ? ja_cmd_show_start(cli, jail, err) : ja_engine_start(engine, jail, NULL, err);
    if (rc < 0)
        ja_object_named(err, jail);
    else if (!cli->dry_run)
        ja_say(cli, "activated the boot environment %s of %s%s", name, jail,
               !running  ? ""
               : restart ? ", which was started again on it"
                         : "; it waits for the next start");
    return rc;
}

int ja_cmd_be_delete(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    int rc = 0;
    for (size_t i = 1; rc == 0 && i < args->word_count; i++)
        if (!ja_strv_has(&names, args->words[i]) && ja_strv_add(&names, args->words[i]) < 0)
            rc = ja_error_nomem(err);
    if (rc == 0 && cli->in_terminal)
        rc = ja_confirm(cli, err, "Delete the boot environment %s of %s%s?", JA_SHOW(args->words[1]),
                        JA_SHOW(args->words[0]), args->word_count > 2 ? ", and the others" : "");
    if (rc == 0)
        rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_be_delete(engine, args->words[0], &names, err);
    if (rc < 0)
        ja_object_named(err, args->words[0]);
    for (size_t i = 0; rc == 0 && !cli->dry_run && i < names.count; i++)
        ja_say(cli, "deleted the boot environment %s of %s", names.items[i], args->words[0]);
    return rc;
}

/* ---- mount, unmount ---- */

/* As mount(8) has it: absolute, without the slashes that change nothing. NULL: no memory, or the directory we are in has no name. */
static char *absolute_dir(const char *dir)
{
    char here[1024] = "";
    if (dir[0] != '/' && !getcwd(here, sizeof here))
        return NULL;
    char *path = ja_printf("%s%s%s", here, dir[0] == '/' || strcmp(here, "/") == 0 ? "" : "/", dir);
    for (size_t length = path ? strlen(path) : 0; length > 1 && path[length - 1] == '/'; length--)
        path[length - 1] = '\0';
    return path;
}

int ja_cmd_be_mount(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autofree char *dir = NULL, *where = NULL;
    bool read_only = ja_args_has(args, "read-only");
    if (args->word_count > 2 && (dir = absolute_dir(args->words[2])) == NULL)
        return ja_error_set(err, JA_E_FAILED, NULL, "cannot tell where %s is: give an absolute path",
                            JA_SHOW(args->words[2]));
    if (dir && !ja_str_printable(dir, strlen(dir), false))
        return ja_error_set(err, JA_E_INVALID, NULL, "%s is no directory's name that could be shown", JA_SHOW(dir));
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_be_mount(engine, args->words[0], args->words[1], dir, read_only, &where, err);
    if (rc < 0)
        ja_object_named(err, args->words[0]);
    else if (!cli->dry_run)
        ja_say(cli, "mounted the boot environment %s of %s at %s%s", args->words[1], args->words[0], where,
               read_only ? ", read-only" : "");
    return rc;
}

int ja_cmd_be_unmount(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autofree char *where = NULL;
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_be_unmount(engine, args->words[0], args->words[1], &where, err);
    if (rc < 0)
        ja_object_named(err, args->words[0]);
    else if (!cli->dry_run)
        ja_say(cli, "unmounted the boot environment %s of %s from %s", args->words[1], args->words[0], where);
    return rc;
}

/* ---- list ---- */

struct listing {
    struct ja_table table;
    json_t *array; /* NULL: a table */
};

static int add_json(json_t *array, const struct ja_be_listed *listed, struct ja_error *err)
{
    json_t *json = ja_object_to_json(&ja_noun_be, listed->be, true);
    if (!json || json_object_set_new(json, "jail", json_string(listed->jail->name)) < 0 ||
        json_object_set_new(json, "active", json_boolean(listed->active)) < 0 ||
        json_object_set_new(json, "running", json_boolean(listed->running)) < 0 ||
        json_object_set_new(json, "trial", json_boolean(listed->be->trial)) < 0 ||
        json_object_set_new(json, "used", listed->used < 0 ? json_null() : json_integer(listed->used)) < 0 ||
        json_object_set_new(json, "path", json_string(listed->path)) < 0 ||
        json_object_set_new(json, "mounted", listed->mounted ? json_string(listed->mounted) : json_null()) < 0) {
        json_decref(json);
        return ja_error_nomem(err);
    }
    return json_array_append_new(array, json) < 0 ? ja_error_nomem(err) : 0;
}

static int add_be(void *context, const struct ja_be_listed *listed, struct ja_error *err)
{
    struct listing *listing = context;
    struct ja_table *table = &listing->table;
    if (listing->array)
        return add_json(listing->array, listed, err);
    ja_table_cell(table, listed->jail->name);
    ja_table_cell(table, listed->be->name);
    ja_table_cellf(table, "%s%s%s", listed->active ? "active" : "", listed->active && listed->running ? "," : "",
                   listed->be->trial ? "upgrading"
                   : listed->running ? "running"
                                     : "");
    ja_table_cell(table, listed->be->created);
    ja_cmd_size_cell(table, listed->used);
    ja_table_cell(table, listed->be->origin);
    ja_table_cell(table, listed->be->by);
    ja_table_cell(table, listed->mounted);
    return 0;
}

int ja_cmd_be_list(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    struct listing listing = {.array = cli->json ? json_array() : NULL};
    ja_table_init(&listing.table, "JAIL", "NAME", "STATE", "CREATED", ">USED", "ORIGIN", "BY", "=MOUNTED", NULL);
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = ja_cmd_names_or_all(engine, args, &names, err);
    if (rc == 0)
        rc = ja_engine_environments(engine, &names, add_be, &listing, err);
    if (rc == 0)
        rc = cli->json ? ja_print_json(cli, json_incref(listing.array), err) : ja_table_print(cli, &listing.table, err);
    json_decref(listing.array);
    ja_table_fini(&listing.table);
    return rc;
}

/* ---- upgrade ---- */

struct upgrading {
    struct ja_cli *cli;
    struct ja_engine *engine;
    const char *jail, *health;
    char *const *command;
};

static void say_step(void *context, const char *what)
{
    const struct upgrading *upgrading = context;
    if (!upgrading->cli->quiet && !upgrading->cli->json && !upgrading->cli->dry_run)
        fprintf(upgrading->cli->errors, "%s: %s\n", upgrading->jail, what);
}

/* While a command runs, signals are passed on to it; afterwards they are ours again. */
enum { SIGNALS = 32 };
static void keep_signals(struct sigaction kept[SIGNALS], bool restore)
{
    for (int number = 1; number < SIGNALS; number++)
        sigaction(number, restore ? &kept[number] : NULL, restore ? NULL : &kept[number]);
}

/* Its streams are ours, as with exec. */
static int run_command(void *context, struct ja_error *err)
{
    const struct upgrading *upgrading = context;
    const struct ja_cli *cli = upgrading->cli;
    struct ja_inside inside = {
        .command = upgrading->command, .tty = cli->in_terminal && cli->out_terminal, .terminal_type = getenv("TERM")};
    struct sigaction kept[SIGNALS];
    int status = -1;
    fflush(cli->out);
    keep_signals(kept, false);
    int rc = ja_engine_enter(upgrading->engine, upgrading->jail, &inside, &status, err);
    keep_signals(kept, true);
    if (rc == 0 && status != 0)
        rc = ja_error_set(err, JA_E_FAILED, NULL, "the command ended with status %d", status);
    return rc;
}

/* In a process of its own, which can be ended when it takes too long. */
static int run_health(void *context, int64_t timeout_ms, struct ja_error *err)
{
    const struct upgrading *upgrading = context;
    struct ja_machine *machine = upgrading->engine->machine;
    struct ja_cmd cmd = {0};
    int rc = ja_strv_add_all(&cmd.argv, upgrading->cli->self, "--state", upgrading->cli->state, "exec", "--no-tty",
                             upgrading->jail, "--", "/bin/sh", "-c", upgrading->health, NULL) < 0
                 ? ja_error_nomem(err)
                 : machine->run(machine, &cmd, timeout_ms, NULL, NULL, err);
    ja_strv_fini(&cmd.argv);
    if (rc < 0 && rc != JA_E_NOMEM)
        ja_error_wrap(err, "health");
    return rc;
}

/* "upgrade-2026-11-26-143205" */
static void name_by_time(char name[64])
{
    char now[JA_TIME_TEXT];
    ja_clock_format(ja_clock_wall_ms(), now);
    snprintf(name, 64, "upgrade-%.10s-%.2s%.2s%.2s", now, now + 11, now + 14, now + 17);
}

static void own_step(struct ja_plan *plan, struct ja_cli *cli, const char *why, const char *verb, const char *jail,
                     const char *word)
{
    struct ja_step *step = ja_plan_step(plan, "%s", why);
    ja_step_run(plan, step, cli->self, "--state", cli->state, verb, NULL);
    if (strcmp(verb, "be") == 0)
        ja_step_run(plan, step, "activate", NULL);
    ja_step_run(plan, step, jail, NULL);
    if (word)
        ja_step_run(plan, step, word, NULL);
}

/* What follows the copy depends on what is there by then: commands of ours, that come to the same when nothing fails. */
static int show_rest(const struct upgrading *upgrading, const char *be, bool ran, struct ja_error *err)
{
    struct ja_cli *cli = upgrading->cli;
    const char *jail = upgrading->jail;
    struct ja_plan plan;
    int rc = ja_plan_init(&plan, "upgrade", "jail", jail);
    if (rc < 0)
        return ja_error_nomem(err);
    if (ran)
        own_step(&plan, cli, "stop it", "stop", jail, NULL);
    own_step(&plan, cli,
             "start it on the copy; the upgrade itself makes that active last, and goes back when anything fails", "be",
             jail, be);
    own_step(&plan, cli, "start it on the copy", "start", jail, NULL);
    struct ja_step *step = ja_plan_step(&plan, "run the command in it");
    ja_step_run(&plan, step, cli->self, "--state", cli->state, "exec", jail, "--", NULL);
    for (size_t i = 0; upgrading->command[i]; i++)
        ja_step_run(&plan, step, upgrading->command[i], NULL);
    if (upgrading->health) {
        step = ja_plan_step(&plan, "check its health, again and again until --timeout");
        ja_step_run(&plan, step, cli->self, "--state", cli->state, "exec", jail, "--", "/bin/sh", "-c",
                    upgrading->health, NULL);
    }
    if (!ran)
        own_step(&plan, cli, "stop it, as it was before", "stop", jail, NULL);
    if (plan.count)
        plan.steps[plan.count - 1]->flags |= JA_STEP_COMMIT;
    rc = ja_plan_check(&plan, err);
    if (rc == 0)
        rc = ja_cmd_show_plan(cli, &plan, err);
    ja_plan_fini(&plan);
    return rc;
}

static int read_timeout(const struct ja_args *args, int64_t *ret_ms, struct ja_error *err)
{
    const char *text = ja_args_get(args, "timeout");
    *ret_ms = 60 * 1000;
    if (!text || (ja_value_parse(JA_T_DURATION, text, ret_ms, err) == 0 && *ret_ms > 0))
        return 0;
    return ja_error_set(err, JA_E_USAGE, "option --timeout", "%s is no time: give 30s, 5m or 1h", JA_SHOW(text));
}

int ja_cmd_upgrade(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    char fresh[64];
    const char *jail = args->words[0], *be = ja_args_get(args, "be");
    struct upgrading upgrading = {
        .cli = cli, .jail = jail, .health = ja_args_get(args, "health"), .command = args->command};
    bool ran = false;
    struct ja_upgrade_request request = {.keep_failed = ja_args_has(args, "keep-failed"),
                                         .say = say_step,
                                         .command = run_command,
                                         .health = upgrading.health ? run_health : NULL,
                                         .context = &upgrading};
    name_by_time(fresh);
    request.be = be ? be : fresh;
    int rc = read_timeout(args, &request.timeout_ms, err);
    if (rc == 0 && (args->command[0][0] == '\0' || (upgrading.health && !*upgrading.health)))
        rc = ja_error_set(err, JA_E_USAGE, "upgrade", "the %scommand is empty", *args->command[0] ? "health " : "");
    if (rc == 0)
        rc = ja_cmd_open(cli, false, &engine, err);
    upgrading.engine = engine;
    if (rc == 0)
        rc = ja_engine_upgrade(engine, jail, &request, &ran, err);
    if (rc < 0)
        ja_object_named(err, jail);
    else if (cli->dry_run)
        rc = show_rest(&upgrading, request.be, ran, err);
    else
        ja_say(cli, "upgraded %s: its boot environment is %s", jail, request.be);
    return rc;
}
