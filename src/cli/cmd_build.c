/*
 * cmd_build.c: template create: what is given on the command line as a request to the engine.
 */
#include "base/file.h"
#include "cli/cmd.h"
#include "plan/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A script becomes part of a plan, which is to be read. */
enum { SCRIPT_MOST = 1 << 20 };

struct request {
    struct ja_template *spec;
    struct ja_jail *builder;          /* only its mounts are used */
    struct ja_strv packages, scripts; /* texts of the scripts */
    struct ja_map env;
    char *mirror; /* NULL: none */
    struct ja_build_command *commands;
    size_t command_count;
};

static void request_fini(struct request *request)
{
    ja_object_free(&ja_noun_template, request->spec);
    ja_object_free(&ja_noun_jail, request->builder);
    ja_strv_fini(&request->packages);
    ja_strv_fini(&request->scripts);
    ja_map_fini(&request->env);
    ja_free(request->mirror);
    ja_free(request->commands);
}

/* A path is meant from where the user is; plans know absolute ones only. `kind`: what stands before it. */
static char *absolute(const char *kind, const char *path, struct ja_error *err)
{
    char here[4096], *text;
    if (*path != '/' && *path && !getcwd(here, sizeof here)) {
        ja_error_sys(err, errno, NULL, "cannot find out where this is");
        return NULL;
    }
    bool relative = *path != '/' && *path;
    while (relative && ja_str_starts(path, "./"))
        path += 2;
    text = relative ? ja_printf("%s%s/%s", kind, here, path) : ja_printf("%s%s", kind, path);
    if (!text)
        ja_error_nomem(err);
    return text;
}

static char *absolute_source(const char *from, struct ja_error *err)
{
    static const char *const kinds[] = {"dir:", "tar:", "src:"};
    for (size_t i = 0; i < JA_COUNT(kinds); i++)
        if (ja_str_starts(from, kinds[i]))
            return absolute(kinds[i], from + strlen(kinds[i]), err);
    char *text = ja_strdup(from);
    if (!text)
        ja_error_nomem(err);
    return text;
}

static int read_script(struct request *request, const char *path, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    size_t length = 0;
    int rc = ja_file_read(path, SCRIPT_MOST, &text, &length, err);
    if (rc < 0)
        return rc;
    json_t *json = strlen(text) == length ? json_string(text) : NULL;
    if (!json)
        return ja_error_set(err, JA_E_INVALID, "option --script", "%s is not a text in UTF-8", JA_SHOW(path));
    json_decref(json);
    return ja_strv_add(&request->scripts, text) < 0 ? ja_error_nomem(err) : 0;
}

/* Commands and scripts in the order in which they were given. The texts of scripts are put in afterwards: the vector moves. */
static int add_commands(struct request *request, const struct ja_args *args, struct ja_error *err)
{
    size_t script = 0;
    int rc = 0;
    request->commands = ja_calloc(args->given_count + 1, sizeof *request->commands);
    if (!request->commands)
        return ja_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < args->given_count; i++) {
        const struct ja_given *given = &args->given[i];
        bool is_script = strcmp(given->option->name, "script") == 0;
        if (is_script)
            rc = read_script(request, given->value, err);
        if (is_script || strcmp(given->option->name, "run") == 0)
            request->commands[request->command_count++] =
                (struct ja_build_command){.text = given->value, .script = is_script ? given->value : NULL};
    }
    for (size_t i = 0; rc == 0 && i < request->command_count; i++)
        if (request->commands[i].script)
            request->commands[i].text = request->scripts.items[script++];
    return rc;
}

static int add_env(struct request *request, const char *assignment, struct ja_error *err)
{
    const char *equal = strchr(assignment, '=');
    ja_autofree char *name = ja_strndup(assignment, equal ? (size_t)(equal - assignment) : 0);
    if (!name)
        return ja_error_nomem(err);
    if (!equal)
        return ja_error_set(err, JA_E_USAGE, "option --env", "\"%s\" is not KEY=VALUE", JA_SHOW(assignment));
    int rc = ja_check_env_name(name, err);
    if (rc == 0 && !ja_str_printable(equal + 1, strlen(equal + 1), false))
        rc = ja_error_set(err, JA_E_INVALID, "option --env", "the value of %s has control characters", name);
    return rc < 0 ? rc : ja_map_set(&request->env, name, equal + 1) < 0 ? ja_error_nomem(err) : 0;
}

static int fill_request(struct request *request, const struct ja_args *args, struct ja_error *err)
{
    const char *from = ja_args_get(args, "from"), *value;
    size_t at = 0;
    int rc = 0;
    if (!from) {
        ja_error_set(err, JA_E_USAGE, NULL, "--from is needed");
        return ja_error_hint(err, "it is one of " JA_SOURCES);
    }
    request->spec = ja_object_new(&ja_noun_template);
    request->builder = ja_object_new(&ja_noun_jail);
    if (!request->spec || !request->builder)
        return ja_error_nomem(err);
    request->spec->name = ja_strdup(args->words[0]);
    request->spec->source = absolute_source(from, err);
    if (!request->spec->name || !request->spec->source)
        return err->code ? err->code : ja_error_nomem(err);
    const char *mirror = ja_args_get(args, "mirror");
    if (mirror && !(request->mirror = strstr(mirror, "://") ? ja_strdup(mirror) : absolute("", mirror, err)))
        return err->code ? err->code : ja_error_nomem(err);
    while (rc == 0 && (value = ja_args_next(args, "pkg", &at)))
        rc = ja_strv_add(&request->packages, value) < 0 ? ja_error_nomem(err) : 0;
    at = 0;
    while (rc == 0 && (value = ja_args_next(args, "env", &at)))
        rc = add_env(request, value, err);
    if (rc == 0)
        rc = add_commands(request, args, err);
    if (rc == 0)
        rc = ja_args_apply(args, &ja_noun_jail, request->builder, true, err);
    return rc < 0 ? rc : ja_args_apply(args, &ja_noun_template, request->spec, true, err);
}

int ja_cmd_template_create(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    JA_CLEANUP(request_fini) struct request request = {0};
    ja_autoengine struct ja_engine *engine = NULL;
    char version[24];
    int rc = fill_request(&request, args, err);
    if (rc == 0)
        rc = ja_cmd_open(cli, false, &engine, err);
    const struct ja_template_request wanted = {.spec = request.spec,
                                               .sha256 = ja_args_get(args, "sha256"),
                                               .mirror = request.mirror,
                                               .network = ja_args_get(args, "network"),
                                               .packages = &request.packages,
                                               .env = &request.env,
                                               .mounts = request.builder ? &request.builder->mounts : NULL,
                                               .commands = request.commands,
                                               .command_count = request.command_count};
    ja_lively_begin(cli);
    if (rc == 0)
        rc = ja_engine_template_build(engine, &wanted, version, err);
    ja_lively_clear(cli);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "template %s@%s is ready", args->words[0], version);
    return rc;
}
