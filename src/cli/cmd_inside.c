/*
 * cmd_inside.c: exec, console and logs: no plans, no locks, no writes to the store.
 */
#include "cli/cmd.h"
#include "run/hostverb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A running jail of that name. */
static int running_jail(struct ja_engine *engine, const char *name, void **ret_jail, struct ja_error *err)
{
    struct ja_listed listed;
    void *jail = NULL;
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, name, &jail, NULL, err);
    if (rc == 0)
        rc = ja_engine_state(engine, jail, &listed, err);
    if (rc == 0 && !listed.pid) {
        char object[96];
        snprintf(object, sizeof object, "jail %s", name);
        rc = ja_error_set(err, JA_E_FAILED, object, "it is not running");
        ja_error_hint(err, "start it with `jailadmin start %s`", name);
    }
    if (rc < 0)
        ja_object_free(&ja_noun_jail, jail);
    else
        *ret_jail = jail;
    return rc;
}

/* "www-data", "33" or "33:33" as UID:GID of the jail. */
static int user_ids(struct ja_engine *engine, const struct ja_jail *jail, const char *user, struct ja_strv *argv,
                    struct ja_error *err)
{
    char question[1024];
    ja_autofree char *answer = NULL;
    unsigned uid, gid;
    if (user[strspn(user, "0123456789:")] == '\0')
        return ja_strv_add_all(argv, "--user", user, NULL) < 0 ? ja_error_nomem(err) : 0;
    snprintf(question, sizeof question, "%s/jails/%s/root/%s\t%s", engine->site.pool, jail->name, jail->be, user);
    int rc = ja_machine_fact(engine->machine, JA_FACT_USERFILE, question, &answer, err);
    if (rc < 0)
        return rc;
    if (!answer || sscanf(answer, "%u %u", &uid, &gid) != 2)
        return ja_error_set(err, JA_E_NOTFOUND, "option --user", "the jail has no user \"%s\"", JA_SHOW(user));
    return ja_strv_add(argv, "--user") < 0 || ja_strv_addf(argv, "%u:%u", uid, gid) < 0 ? ja_error_nomem(err) : 0;
}

static int exec_argv(struct ja_engine *engine, const struct ja_jail *jail, const struct ja_args *args, bool tty,
                     struct ja_strv *argv, struct ja_error *err)
{
    ja_autofree char *crun = NULL;
    const char *user = NULL, *dir = NULL, *value;
    size_t at = 0;
    bool full = strcmp(args->verb->name, "exec") == 0;
    int rc = ja_machine_fact(engine->machine, JA_FACT_TOOL, "crun", &crun, err);
    if (rc < 0)
        return rc;
    if (!crun)
        return ja_error_set(err, JA_E_UNSUPPORTED, NULL, "the program crun was not found");
    if (ja_strv_add(argv, "crun") < 0 ||
        (jail->limits.files &&
         (ja_strv_add(argv, "--files") < 0 || ja_strv_addf(argv, "%lld", (long long)jail->limits.files) < 0)) ||
        (!jail->privileged &&
         (ja_strv_add(argv, "--cgroup") < 0 || ja_strv_addf(argv, "/jailadmin-%s/ja%s%lld", engine->site.tag,
                                                            engine->site.tag, (long long)jail->slot) < 0)) ||
        ja_strv_add_all(argv, "--", crun, "--cgroup-manager", "cgroupfs", "--root", NULL) < 0 ||
        ja_strv_addf(argv, "%s/crun", engine->site.run) < 0 || ja_strv_add(argv, "exec") < 0)
        return ja_error_nomem(err);
    if (full) {
        user = ja_args_get(args, "user");
        dir = ja_args_get(args, "workdir");
        while ((value = ja_args_next(args, "env", &at)))
            if (ja_strv_add_all(argv, "--env", value, NULL) < 0)
                return ja_error_nomem(err);
    }
    if (tty && ja_strv_add(argv, "--tty") < 0)
        return ja_error_nomem(err);
    if (dir && ja_strv_add_all(argv, "--cwd", dir, NULL) < 0)
        return ja_error_nomem(err);
    if (user)
        rc = user_ids(engine, jail, user, argv, err);
    if (rc == 0 && ja_strv_addf(argv, "ja%s%lld", engine->site.tag, (long long)jail->slot) < 0)
        rc = ja_error_nomem(err);
    return rc;
}

/* Replaces this process by the command in the jail; returns only on failure. */
static int enter(struct ja_strv *argv, struct ja_error *err)
{
    struct ja_str output = {0};
    struct ja_hostverb_io io = {.input = "", .output = &output};
    const struct ja_hostverb *verb = ja_hostverb_find("crun");
    fflush(NULL);
    int rc = verb ? verb->run((int)argv->count, argv->items, &io, err)
                  : ja_error_set(err, JA_E_UNSUPPORTED, NULL, "this system cannot enter jails yet");
    ja_str_fini(&output);
    return rc;
}

int ja_cmd_exec(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv argv = {0};
    void *jail = NULL;
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = running_jail(engine, args->words[0], &jail, err);
    if (rc == 0)
        rc = exec_argv(engine, jail, args, ja_args_has(args, "tty"), &argv, err);
    for (int i = 0; rc == 0 && i < args->command_count; i++)
        if (ja_strv_add(&argv, args->command[i]) < 0)
            rc = ja_error_nomem(err);
    ja_object_free(&ja_noun_jail, jail);
    return rc < 0 ? rc : enter(&argv, err);
}

int ja_cmd_console(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv argv = {0};
    void *jail = NULL;
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = running_jail(engine, args->words[0], &jail, err);
    if (rc == 0)
        rc = exec_argv(engine, jail, args, true, &argv, err);
    if (rc == 0 && ja_strv_add_all(&argv, "/bin/sh", "-l", NULL) < 0)
        rc = ja_error_nomem(err);
    ja_object_free(&ja_noun_jail, jail);
    return rc < 0 ? rc : enter(&argv, err);
}

/* Shows what is there from the offset on; the new offset. Nothing a jail prints acts on the terminal. */
static int show_from(struct ja_cli *cli, int fd, struct ja_error *err)
{
    char buffer[16384];
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) != 0;) {
        if (n < 0)
            return ja_error_sys(err, errno, NULL, "cannot read the log");
        ja_autostr struct ja_str text = {0};
        ja_str_add_shown(&text, buffer, (size_t)n, true);
        if (text.failed)
            return ja_error_nomem(err);
        fputs(text.text, cli->out);
    }
    fflush(cli->out);
    return 0;
}

int ja_cmd_logs(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    void *jail = NULL;
    char path[1024];
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, args->words[0], &jail, NULL, err);
    ja_object_free(&ja_noun_jail, jail);
    if (rc < 0)
        return rc;
    snprintf(path, sizeof path, "%s/jails/%s/console.log", engine->site.pool, args->words[0]);
    ja_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : ja_error_sys(err, errno, NULL, "cannot open %s", path);
    rc = show_from(cli, fd, err);
    while (rc == 0 && ja_args_has(args, "follow") && !(cli->interrupted && *cli->interrupted)) {
        usleep(200000);
        rc = show_from(cli, fd, err);
    }
    return rc;
}
