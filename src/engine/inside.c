/*
 * inside.c: commands in running jails: who runs them, with what environment.
 */
#include "engine/internal.h"

#include "host/host.h"
#include "run/users.h"

#include <stdio.h>
#include <string.h>

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Puts KEY=VALUE in place of another value of the key. */
static int put_env(struct ja_strv *env, const char *assignment)
{
    size_t length = strcspn(assignment, "=") + 1;
    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->items[i], assignment, length) != 0)
            continue;
        char *copy = ja_strdup(assignment);
        if (!copy)
            return -1;
        ja_free(env->items[i]);
        env->items[i] = copy;
        return 0;
    }
    return ja_strv_add(env, assignment);
}

static int put_envf(struct ja_strv *env, const char *key, const char *value)
{
    ja_autofree char *text = ja_printf("%s=%s", key, value);
    return text ? put_env(env, text) : -1;
}

/* What the terminal is called reaches the jail: a plain word only. */
static bool plain_word(const char *text)
{
    size_t length = strlen(text);
    return length && length <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") == length;
}

static int environment(const struct ja_jail *jail, const struct ja_user *user, const struct ja_inside *inside,
                       struct ja_strv *env, struct ja_error *err)
{
    const char *type = inside->terminal_type && plain_word(inside->terminal_type) ? inside->terminal_type : "xterm";
    bool failed = put_envf(env, "PATH", PATH_DEFAULT) < 0 || put_envf(env, "HOME", user->home) < 0 ||
                  put_envf(env, "container", "jailadmin") < 0;
    if (inside->tty)
        failed = failed || put_envf(env, "TERM", type) < 0;
    if (user->name[0])
        failed = failed || put_envf(env, "USER", user->name) < 0 || put_envf(env, "LOGNAME", user->name) < 0;
    if (!inside->command)
        failed = failed || put_envf(env, "SHELL", user->shell) < 0;
    for (size_t i = 0; i < jail->env.count && !failed; i++)
        failed = put_envf(env, jail->env.pairs[i].key, jail->env.pairs[i].value) < 0;
    for (size_t i = 0; i < inside->env.count && !failed; i++)
        failed = put_env(env, inside->env.items[i]) < 0;
    return failed ? ja_error_nomem(err) : 0;
}

static int find_user(const struct ja_engine *engine, const struct ja_jail *jail, const struct ja_inside *inside,
                     struct ja_user *ret_user, struct ja_error *err)
{
    char tree[512];
    /* The usual case needs no look into the jail. */
    if (!inside->user && inside->command) {
        *ret_user = (struct ja_user){.name = "root", .home = "/root", .shell = "/bin/sh"};
        return 0;
    }
    snprintf(tree, sizeof tree, "%s/jails/%s/root/%s", engine->site.pool, jail->name, jail->be);
    return ja_user_find(tree, inside->user ? inside->user : "0", ret_user, err);
}

static int enter(const struct ja_engine *engine, const struct ja_jail *jail, const struct ja_inside *inside,
                 int *ret_status, struct ja_error *err)
{
    char pid_file[512], filter[512], argv0[260];
    ja_autostrv struct ja_strv env = {0};
    struct ja_user user;
    int rc = find_user(engine, jail, inside, &user, err);
    if (rc == 0)
        rc = environment(jail, &user, inside, &env, err);
    if (rc < 0)
        return rc;
    char *const login[] = {user.shell, NULL};
    snprintf(pid_file, sizeof pid_file, "%s/jails/%lld/pid", engine->site.run, (long long)jail->slot);
    snprintf(filter, sizeof filter, "%s/crun/ja%s%lld/seccomp.bpf", engine->site.run, engine->site.tag,
             (long long)jail->slot);
    const char *slash = strrchr(user.shell, '/');
    snprintf(argv0, sizeof argv0, "-%s", slash ? slash + 1 : user.shell);
    struct ja_entry entry = {.pid_file = pid_file,
                             .filter = filter,
                             .argv = inside->command ? inside->command : login,
                             .argv0 = inside->command ? NULL : argv0,
                             .env = env.items,
                             .dir = inside->dir       ? inside->dir
                                    : inside->command ? "/"
                                                      : user.home,
                             .uid = user.uid,
                             .gid = user.gid,
                             .groups = user.groups,
                             .group_count = user.group_count,
                             .tty = inside->tty,
                             .escape = inside->escape};
    rc = ja_native_enter(&entry, ret_status, err);
    /* A home that is not there keeps nobody out. */
    if (rc < 0 && *ret_status < 0 && !inside->dir && !inside->command && strcmp(err->object, "option --workdir") == 0) {
        entry.dir = "/";
        rc = ja_native_enter(&entry, ret_status, err);
    }
    return rc;
}

int ja_engine_enter(struct ja_engine *engine, const char *name, const struct ja_inside *inside, int *ret_status,
                    struct ja_error *err)
{
    struct ja_listed listed;
    void *jail = NULL;
    *ret_status = -1;
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, name, &jail, NULL, err);
    if (rc == 0)
        rc = ja_engine_state(engine, jail, &listed, err);
    if (rc == 0 && !listed.pid) {
        rc = ja_error_set(err, JA_E_FAILED, JA_LABEL("jail", name), "it is not running");
        ja_error_hint(err, "start it with `jailadmin start %s`", name);
    }
    /* Users are those of the tree that it runs on. */
    struct ja_jail *applied = NULL;
    if (rc == 0 && (inside->user || !inside->command))
        rc = ja_engine_applied(engine, jail, &applied, err);
    if (rc == 0 && applied) {
        ja_object_free(&ja_noun_jail, jail);
        jail = applied;
    }
    if (rc == 0)
        rc = enter(engine, jail, inside, ret_status, err);
    if (rc < 0 && !err->object[0])
        snprintf(err->object, sizeof err->object, "%s", JA_LABEL("jail", name));
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}
