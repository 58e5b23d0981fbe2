/*
 * cmd_instance.c: init and teardown: verbs about the whole instance.
 */
#include "cli/cmd.h"

#include <string.h>

int ja_cmd_init(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    struct ja_engine_options options;
    struct ja_init_request request = {.storage = ja_args_get(args, "storage"),
                                      .network = ja_args_get(args, "network"),
                                      .adopt = ja_args_has(args, "adopt")};
    const char *slots = ja_args_get(args, "slots");
    int rc = slots ? ja_value_parse(JA_T_INT, slots, &request.slots, err) : 0;
    if (slots && (rc < 0 || request.slots < 1 || request.slots > 32768))
        rc = ja_error_set(err, JA_E_USAGE, "option --slots", "%s is no number from 1 to 32768", JA_SHOW(slots));
    if (rc == 0 && request.adopt && request.network)
        rc = ja_error_set(err, JA_E_USAGE, NULL, "--network has no meaning with --adopt: networks are adopted too");
    ja_cmd_options(cli, false, &options);
    if (rc == 0)
        rc = ja_engine_init(&options, &request, err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "the instance in %s is ready%s", cli->state,
               request.adopt ? "; `jailadmin adopt --all` takes its jails back" : "");
    return rc;
}

int ja_cmd_teardown(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct ja_engine_options options;
    bool force = ja_args_has(args, "force");
    ja_cmd_options(cli, false, &options);
    options.incomplete = true;
    int rc = ja_engine_open(&options, &engine, err);
    if (rc == 0 && !cli->dry_run)
        rc = ja_engine_recover(engine, true, err);
    if (rc == 0 && force)
        rc = ja_confirm(cli, err, "Destroy the instance in %s with all of its jails and trees?", cli->state);
    if (rc == 0)
        rc = ja_engine_teardown(engine, force, ja_cmd_jobs(cli, engine, JA_PACE_WAIT), err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "the instance in %s is gone", cli->state);
    return rc;
}
