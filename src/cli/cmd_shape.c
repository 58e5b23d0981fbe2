/*
 * cmd_shape.c: how the traffic of a jail's nics is shaped: shown, changed, measured.
 */
#include "cli/cmd.h"
#include "run/measure.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { TIME_LEAST_MS = 1000, TIME_MOST_MS = 600 * 1000, TIME_MS = 4000 };

/* ---- shown ---- */

static const char *const directions[] = {"in", "out"};

static const struct ja_flow *flow_of(const struct ja_nic *nic, int out)
{
    return out ? &nic->shape.out : &nic->shape.in;
}

/* The text of a flow's field, NULL when it says nothing; the caller's. */
static char *flow_text(const struct ja_flow *flow, const char *field)
{
    char *text = NULL;
    if (ja_object_get(&ja_noun_flow, flow, field, &text, NULL) == 0 && strcmp(text, "0") != 0)
        return text;
    ja_free(text);
    return NULL;
}

static void add_row(struct ja_table *table, const struct ja_nic *nic, int out, const char *applied)
{
    const struct ja_flow *flow = flow_of(nic, out);
    ja_table_cell(table, nic->label);
    ja_table_cell(table, directions[out]);
    for (size_t i = 0; i < ja_noun_flow.field_count; i++) {
        ja_autofree char *text = flow_text(flow, ja_noun_flow.fields[i].name);
        ja_table_cell(table, text);
    }
    ja_table_cell(table, applied);
}

static json_t *row_json(const char *jail, const struct ja_nic *nic, int out, const struct ja_nic *running)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:o}", "jail", jail, "nic", nic->label, "direction", directions[out],
                     "asked", ja_object_to_json(&ja_noun_flow, flow_of(nic, out), true), "enforce", nic->shape.enforce,
                     "applied", running ? ja_object_to_json(&ja_noun_flow, flow_of(running, out), true) : json_null());
}

static int show(struct ja_cli *cli, const struct ja_jail *jail, const struct ja_jail *applied, const char *only,
                struct ja_error *err)
{
    ja_autotable struct ja_table table;
    json_t *rows = json_array();
    int rc = 0;
    ja_table_init(&table, "NIC", "DIRECTION", ">RATE", ">BURST", ">QUEUE", ">DELAY", ">JITTER", ">LOSS", ">LOSS-BURST",
                  "APPLIED", NULL);
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i], *running = NULL;
        if (only && strcmp(only, nic->label) != 0)
            continue;
        if (applied)
            running = ja_list_get(&applied->nics, nic->label);
        for (int out = 0; out < 2; out++) {
            bool same = running && ja_object_equal(&ja_noun_flow, flow_of(running, out), flow_of(nic, out));
            add_row(&table, nic, out, !applied ? NULL : same ? "yes" : "at the next start");
            if (json_array_append_new(rows, row_json(jail->name, nic, out, running)) < 0)
                rc = ja_error_nomem(err);
        }
    }
    if (rc == 0)
        rc = cli->json ? ja_print_json(cli, json_incref(rows), err) : ja_table_print(cli, &table, err);
    json_decref(rows);
    return rc;
}

/* ---- measured ---- */

struct measuring {
    struct ja_cli *cli;
    const char *jail;
    struct ja_table table;
    json_t *rows;
};

static void rate_text(double bits, char text[32])
{
    static const char *const units[] = {"bit", "kbit", "Mbit", "Gbit"};
    size_t unit = 0;
    for (; bits >= 999.5 && unit + 1 < JA_COUNT(units); unit++)
        bits /= 1000;
    snprintf(text, 32, "%.3g%s", bits, units[unit]);
}

static void add_measured(struct measuring *measuring, const struct ja_nic *nic, int out, const char *field,
                         const char *measured)
{
    ja_autofree char *asked = flow_text(flow_of(nic, out), field);
    ja_table_cell(&measuring->table, nic->label);
    ja_table_cell(&measuring->table, directions[out]);
    ja_table_cell(&measuring->table, field);
    ja_table_cell(&measuring->table, asked);
    ja_table_cell(&measuring->table, measured);
}

static void add_measures(struct measuring *measuring, const struct ja_nic *nic, int out, const struct ja_measure *seen)
{
    const struct ja_flow *flow = flow_of(nic, out);
    char text[128], offered[32];
    if (flow->rate) {
        rate_text(seen->bits, text);
        rate_text(seen->offered, offered);
        if (seen->offered < (double)flow->rate * 1.05)
            snprintf(text + strlen(text), sizeof text - strlen(text), " (no more than %s could be sent)", offered);
        add_measured(measuring, nic, out, "rate", text);
    }
    snprintf(text, sizeof text, "%.1fms, at least %.1fms", (double)seen->delay_us / 1000,
             (double)seen->least_us / 1000);
    add_measured(measuring, nic, out, "delay", seen->received ? text : NULL);
    snprintf(text, sizeof text, "%.1fms", (double)seen->jitter_us / 1000);
    add_measured(measuring, nic, out, "jitter", seen->received ? text : NULL);
    snprintf(text, sizeof text, "%.3g%% of %lld packets", seen->lost * 100, (long long)seen->sent);
    add_measured(measuring, nic, out, "loss", text);
    if (!flow->loss_burst)
        return;
    snprintf(text, sizeof text, "%.1f", seen->lost_in_row);
    add_measured(measuring, nic, out, "loss-burst", text);
}

static int take_measured(void *context, const struct ja_nic *nic, const struct ja_measure *both, struct ja_error *err)
{
    struct measuring *measuring = context;
    for (int out = 0; out < 2; out++) {
        const struct ja_measure *seen = &both[out];
        const struct ja_flow *flow = flow_of(nic, out);
        json_t *measured =
            json_pack("{s:o, s:f, s:f, s:f, s:f, s:f, s:I}", "rate", flow->rate ? json_real(seen->bits) : json_null(),
                      "delay", (double)seen->delay_us / 1e6, "least-delay", (double)seen->least_us / 1e6, "jitter",
                      (double)seen->jitter_us / 1e6, "loss", seen->lost * 100, "loss-burst", seen->lost_in_row,
                      "packets", (json_int_t)seen->sent);
        json_t *row =
            json_pack("{s:s, s:s, s:s, s:o, s:o}", "jail", measuring->jail, "nic", nic->label, "direction",
                      directions[out], "asked", ja_object_to_json(&ja_noun_flow, flow, true), "measured", measured);
        if (json_array_append_new(measuring->rows, row) < 0)
            return ja_error_nomem(err);
        add_measures(measuring, nic, out, seen);
    }
    return 0;
}

static int time_option(const struct ja_args *args, int64_t *ret_ms, struct ja_error *err)
{
    const char *text = ja_args_get(args, "time");
    *ret_ms = TIME_MS;
    if (!text)
        return 0;
    if (!ja_args_has(args, "measure"))
        return ja_error_set(err, JA_E_USAGE, "option --time", "it is for --measure");
    if (ja_value_parse(JA_T_DURATION, text, ret_ms, err) < 0)
        snprintf(err->object, sizeof err->object, "option --time");
    else if (*ret_ms < TIME_LEAST_MS || *ret_ms > TIME_MOST_MS)
        ja_error_set(err, JA_E_INVALID, "option --time", "%s is out of range; allowed are 1s to 10m", JA_SHOW(text));
    else
        return 0;
    err->code = JA_E_USAGE;
    return err->code;
}

static int measure(struct ja_cli *cli, struct ja_engine *engine, const char *name, const char *nic, int64_t ms,
                   struct ja_error *err)
{
    struct measuring measuring = {.cli = cli, .jail = name, .rows = json_array()};
    /* Nothing is to be undone. */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    ja_table_init(&measuring.table, "NIC", "DIRECTION", "WHAT", ">ASKED", "MEASURED", NULL);
    int rc = ja_engine_measure(engine, name, nic, ms, take_measured, &measuring, err);
    if (rc == 0)
        rc = cli->json ? ja_print_json(cli, json_incref(measuring.rows), err)
                       : ja_table_print(cli, &measuring.table, err);
    json_decref(measuring.rows);
    ja_table_fini(&measuring.table);
    return rc;
}

/* ---- changed ---- */

static int change(struct ja_cli *cli, struct ja_engine *engine, const char *name, const struct ja_strv *assignments,
                  struct ja_error *err)
{
    struct ja_setdone done = {0};
    int rc = ja_engine_set(engine, name, assignments, false, &done, err);
    if (rc == 0)
        rc = ja_cmd_say_changed(cli, name, &done, err);
    ja_strv_fini(&done.pending);
    return rc;
}

/* KEY=VALUE of a shape as assignments of a jail; with --clear of each of its nics, or the one. */
static int assignments_of(const struct ja_jail *jail, const struct ja_args *args, size_t first, const char *nic,
                          struct ja_strv *assignments, struct ja_error *err)
{
    bool clear = ja_args_has(args, "clear"), failed = false;
    for (size_t i = 0; clear && i < jail->nics.count; i++) {
        const struct ja_nic *one = jail->nics.items[i];
        if (!nic || strcmp(nic, one->label) == 0)
            failed = failed || ja_strv_addf(assignments, "nics.%s.shape=", one->label) < 0;
    }
    if (first < args->word_count && !nic) {
        if (jail->nics.count != 1) {
            ja_error_set(err, JA_E_USAGE, NULL, "%s has %zu nics: say which one", jail->name, jail->nics.count);
            return ja_error_hint(err, "jailadmin shape %s NIC %s", jail->name, args->words[first]);
        }
        nic = ((const struct ja_nic *)jail->nics.items[0])->label;
    }
    for (size_t i = first; i < args->word_count; i++) {
        if (!strchr(args->words[i], '='))
            return ja_error_set(err, JA_E_USAGE, NULL, "\"%s\" is not KEY=VALUE", JA_SHOW(args->words[i]));
        failed = failed || ja_strv_addf(assignments, "nics.%s.shape.%s", nic, args->words[i]) < 0;
    }
    return failed ? ja_error_nomem(err) : 0;
}

static int run(struct ja_cli *cli, const struct ja_args *args, struct ja_engine *engine, const struct ja_jail *jail,
               struct ja_error *err)
{
    ja_autostrv struct ja_strv assignments = {0};
    struct ja_jail *applied = NULL;
    bool named = args->word_count > 1 && !strchr(args->words[1], '=');
    const char *nic = named ? args->words[1] : NULL;
    int64_t ms;
    int rc = time_option(args, &ms, err);
    if (rc == 0 && nic && !ja_list_get(&jail->nics, nic)) {
        rc = ja_error_set(err, JA_E_NOTFOUND, NULL, "%s has no nic %s", jail->name, JA_SHOW(nic));
        ja_error_hint(err, "`jailadmin shape %s` shows those it has", jail->name);
    }
    if (rc == 0)
        rc = assignments_of(jail, args, named ? 2 : 1, nic, &assignments, err);
    if (rc == 0 && assignments.count)
        rc = change(cli, engine, jail->name, &assignments, err);
    if (rc == 0 && ja_args_has(args, "measure") && !cli->dry_run)
        return measure(cli, engine, jail->name, nic, ms, err);
    if (rc < 0 || assignments.count)
        return rc;
    rc = ja_engine_applied(engine, jail, &applied, err);
    if (rc == 0)
        rc = show(cli, jail, applied, nic, err);
    ja_object_free(&ja_noun_jail, applied);
    return rc;
}

int ja_cmd_shape(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    bool changes = ja_args_has(args, "clear");
    void *jail = NULL;
    for (size_t i = 1; i < args->word_count; i++)
        changes = changes || strchr(args->words[i], '=');
    int rc = ja_check_name(args->words[0], err);
    if (rc == 0)
        rc = ja_cmd_open(cli, !changes, &engine, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, args->words[0], &jail, NULL, err);
    if (rc == 0)
        rc = run(cli, args, engine, jail, err);
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}
