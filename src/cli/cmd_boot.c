/*
 * cmd_boot.c: what the host's start and stop scripts call.
 */
#include "cli/cmd.h"

static int start_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    bool already = false;
    int rc = ja_engine_start(engine, name, &already, err);
    if (rc == 0 && !work->cli->dry_run)
        ja_say(work->cli, "%s %s", already ? "already running:" : "started", name);
    return rc;
}

int ja_cmd_boot(struct ja_cli *cli, JA_UNUSED const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_boot(engine, &names, err);
    return rc < 0 ? rc
                  : ja_cmd_ordered(cli, engine, &names, "starting", JA_ORDER_START, JA_PACE_BUSY, start_one, NULL, err);
}

static int stop_one(struct ja_engine *engine, const char *name, void *context, struct ja_error *err)
{
    struct ja_cmd_work *work = context;
    int rc = ja_engine_stop(engine, name, JA_STOP_SHUTDOWN, NULL, err);
    if (rc == 0 && !work->cli->dry_run)
        ja_say(work->cli, "stopped %s", name);
    return rc;
}

int ja_cmd_shutdown(struct ja_cli *cli, JA_UNUSED const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv names = {0};
    int rc = ja_cmd_open(cli, false, &engine, err);
    if (rc == 0)
        rc = ja_engine_running(engine, &names, err);
    return rc < 0 ? rc
                  : ja_cmd_ordered(cli, engine, &names, "stopping", JA_ORDER_STOP, JA_PACE_GENTLE, stop_one, NULL, err);
}
