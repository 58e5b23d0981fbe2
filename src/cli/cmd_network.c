/*
 * cmd_network.c: show and set of networks, and repair.
 */
#include "cli/cmd.h"

#include <string.h>

static int show_one(struct ja_cli *cli, struct ja_engine *engine, const char *name, json_t *array, struct ja_error *err)
{
    void *object = NULL;
    ja_autostrv struct ja_strv jails = {0};
    int rc = ja_engine_get(engine, &ja_noun_network, name, &object, NULL, err);
    if (rc == 0)
        rc = ja_engine_network_jails(engine, name, &jails, err);
    json_t *json = rc == 0 ? ja_object_to_json(&ja_noun_network, object, true) : NULL, *list = json_array();
    for (size_t i = 0; i < jails.count; i++)
        json_array_append_new(list, json_string(jails.items[i]));
    if (rc == 0 && (!json || json_object_set(json, "jails", list) < 0))
        rc = ja_error_nomem(err);
    json_decref(list);
    ja_object_free(&ja_noun_network, object);
    if (rc < 0) {
        json_decref(json);
        return rc;
    }
    if (array)
        return json_array_append_new(array, json) < 0 ? ja_error_nomem(err) : 0;
    return ja_cmd_print_object(cli, json, err);
}

int ja_cmd_network_show(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    /* One is an object, several are an array of them. */
    json_t *array = cli->json && args->word_count > 1 ? json_array() : NULL;
    int rc = ja_cmd_open(cli, true, &engine, err);
    for (size_t i = 0; rc == 0 && i < args->word_count; i++)
        rc = show_one(cli, engine, args->words[i], array, err);
    if (rc == 0 && array)
        rc = ja_print_json(cli, json_incref(array), err);
    json_decref(array);
    return rc;
}

int ja_cmd_network_set(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostrv struct ja_strv assignments = {0};
    int rc = ja_cmd_open(cli, false, &engine, err);
    for (size_t i = 1; rc == 0 && i < args->word_count; i++)
        if (ja_strv_add(&assignments, args->words[i]) < 0)
            rc = ja_error_nomem(err);
    if (rc == 0)
        rc = ja_engine_network_set(engine, args->words[0], &assignments, err);
    if (rc == 0 && !cli->dry_run)
        ja_say(cli, "network %s is changed", args->words[0]);
    return rc;
}

struct repaired {
    struct ja_cli *cli;
    json_t *array;
    size_t done;
};

static void report(void *context, const char *object, const char *what, const struct ja_error *err)
{
    struct repaired *repaired = context;
    if (err) {
        struct ja_error named = *err;
        ja_error_wrap(&named, "%s", object);
        ja_show_error(repaired->cli, &named);
        return;
    }
    repaired->done++;
    if (repaired->array)
        json_array_append_new(repaired->array, json_pack("{s:s, s:s}", "object", object, "repaired", what));
    else if (!repaired->cli->dry_run)
        ja_say(repaired->cli, "%s: %s", object, what);
}

int ja_cmd_repair(struct ja_cli *cli, JA_UNUSED const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct repaired repaired = {.cli = cli, .array = cli->json && !cli->dry_run ? json_array() : NULL};
    int rc = ja_cmd_open(cli, false, &engine, err);
    bool opened = rc == 0;
    if (rc == 0)
        rc = ja_engine_repair(engine, report, &repaired, err);
    if (opened && repaired.array)
        ja_print_json(cli, json_incref(repaired.array), NULL);
    else if (rc == 0 && !repaired.done && !cli->dry_run)
        ja_say(cli, "nothing is missing");
    json_decref(repaired.array);
    /* Each failure has been shown already. */
    return opened && rc < 0 ? 1 : rc;
}
