/*
 * cmd_doctor.c: doctor: each finding with its remedy.
 */
#include "cli/cmd.h"

struct examination {
    struct ja_cli *cli;
    json_t *array; /* NULL: print lines */
    size_t counts[3];
};

static int show_finding(void *context, const struct ja_finding *finding, struct ja_error *err)
{
    struct examination *examination = context;
    struct ja_cli *cli = examination->cli;
    examination->counts[finding->level]++;
    if (examination->array) {
        json_t *json =
            json_pack("{s:s, s:s, s:s, s:s?}", "level", ja_level_name(finding->level), "subject", finding->subject,
                      "finding", finding->what, "remedy", finding->remedy[0] ? finding->remedy : NULL);
        return !json || json_array_append_new(examination->array, json) < 0 ? ja_error_nomem(err) : 0;
    }
    if (cli->quiet && finding->level == JA_LEVEL_OK)
        return 0;
    char what[500], remedy[500];
    fprintf(cli->out, "%-5s %-12s %s\n", ja_level_name(finding->level), finding->subject,
            ja_str_show(what, sizeof what, finding->what));
    if (finding->remedy[0])
        fprintf(cli->out, "%-5s %-12s -> %s\n", "", "", ja_str_show(remedy, sizeof remedy, finding->remedy));
    return 0;
}

int ja_cmd_doctor(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    struct ja_engine_options options;
    struct examination examination = {.cli = cli, .array = cli->json ? json_array() : NULL};
    const char *facts = ja_args_get(args, "save-facts"), *storage = ja_args_get(args, "storage");
    if (cli->json && !examination.array)
        return ja_error_nomem(err);
    if (storage && !facts) {
        json_decref(examination.array);
        return ja_error_set(err, JA_E_USAGE, NULL, "--storage says what --save-facts is to be for");
    }
    ja_cmd_options(cli, true, &options);
    int rc = ja_engine_doctor(&options, facts, storage, show_finding, &examination, err);
    size_t bad = examination.counts[JA_LEVEL_BAD];
    if (rc == 0 && cli->json)
        rc = ja_print_json(cli, json_incref(examination.array), err);
    else if (rc == 0)
        ja_say(cli, "%zu bad, %zu to look at, %zu well", bad, examination.counts[JA_LEVEL_WARN],
               examination.counts[JA_LEVEL_OK]);
    json_decref(examination.array);
    return rc == 0 && bad ? 1 : rc;
}
