/*
 * usage.c: what jails use, gathered and written. See usage.h.
 */
#include "cli/usage.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* So long use is measured where it is a difference: some of the 100 ms for which the kernel gives out processor time, of which a
 * jail may take its part at once. */
#define MEASURE_MS 250

/* ---- gathering ---- */

static bool has_jail(const struct ja_gathered *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->jails[i].jail->name, name) == 0)
            return true;
    return false;
}

/* Those that it has, for those that it is to have. */
static int take_nics(struct ja_jail *jail, const struct ja_jail *applied)
{
    struct ja_jail *copy = ja_object_copy(&ja_noun_jail, applied);
    if (!copy)
        return -1;
    struct ja_list nics = jail->nics;
    jail->nics = copy->nics;
    copy->nics = nics;
    ja_object_free(&ja_noun_jail, copy);
    return 0;
}

static int keep(void *context, const struct ja_listed *listed, struct ja_error *err)
{
    struct ja_gathered *all = context;
    if (all->count == all->size) {
        size_t size = all->size ? all->size * 2 : 64;
        struct ja_listed *jails = ja_realloc(all->jails, size * sizeof *jails);
        if (!jails)
            return ja_error_nomem(err);
        all->jails = jails;
        all->size = size;
    }
    struct ja_listed copy = *listed;
    copy.jail = ja_object_copy(&ja_noun_jail, listed->jail);
    if (!copy.jail || (listed->applied && take_nics(copy.jail, listed->applied) < 0)) {
        ja_object_free(&ja_noun_jail, copy.jail);
        return ja_error_nomem(err);
    }
    copy.applied = NULL;
    all->jails[all->count++] = copy;
    return 0;
}

struct gathering {
    const struct ja_args *args; /* NULL: no filters */
    struct ja_gathered *all;
    bool once; /* several patterns may mean the same jail */
};

static int keep_wanted(void *context, const struct ja_listed *listed, struct ja_error *err)
{
    struct gathering *gathering = context;
    bool wanted = !gathering->once || !has_jail(gathering->all, listed->jail->name);
    int rc = wanted && gathering->args ? ja_cmd_matches_all(gathering->args, listed, &wanted, err) : 0;
    return rc == 0 && wanted ? keep(gathering->all, listed, err) : rc;
}

int ja_gather(struct ja_engine *engine, const struct ja_args *args, struct ja_gathered *ret_all, struct ja_error *err)
{
    struct gathering gathering = {.args = args, .all = ret_all, .once = args->word_count > 1};
    return ja_cmd_list_words(engine, args, false, keep_wanted, &gathering, err);
}

int ja_gather_names(struct ja_engine *engine, const struct ja_strv *names, struct ja_gathered *ret_all,
                    struct ja_error *err)
{
    struct gathering gathering = {.all = ret_all, .once = true};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < names->count; i++) {
        bool pattern = strpbrk(names->items[i], "*?[") != NULL;
        size_t before = ret_all->count;
        rc = pattern ? 0 : ja_check_name(names->items[i], err);
        if (rc == 0)
            rc = ja_engine_list(engine, names->items[i], false, keep_wanted, &gathering, err);
        if (rc == 0 && !pattern && ret_all->count == before && !has_jail(ret_all, names->items[i])) {
            rc = ja_error_set(err, JA_E_NOTFOUND, NULL, "there is no jail %s", names->items[i]);
            ja_error_hint(err, "`jailadmin list` shows the jails there are");
        }
    }
    if (rc == 0 && names->count && ret_all->count == 0)
        rc = ja_error_set(err, JA_E_NOTFOUND, NULL, "no jail matches");
    return rc;
}

int ja_gather_usage(struct ja_engine *engine, struct ja_gathered *all, struct ja_error *err)
{
    bool counted = false;
    ja_free(all->usage);
    all->usage = ja_calloc(all->count + 1, sizeof *all->usage);
    if (!all->usage)
        return ja_error_nomem(err);
    int rc = ja_engine_usage(engine, all->jails, all->count, all->usage, err);
    for (size_t i = 0; rc == 0 && i < all->count; i++)
        counted = counted || (all->usage[i].cpu < 0 && all->usage[i].cpu_us >= 0);
    if (rc < 0 || !counted)
        return rc;
    ja_autofree struct ja_usage *before = all->usage;
    all->usage = ja_calloc(all->count, sizeof *all->usage);
    if (!all->usage)
        return ja_error_nomem(err);
    nanosleep(&(struct timespec){.tv_nsec = MEASURE_MS * 1000000L}, NULL);
    rc = ja_engine_usage(engine, all->jails, all->count, all->usage, err);
    for (size_t i = 0; rc == 0 && i < all->count; i++)
        ja_usage_compare(&all->usage[i], &before[i]);
    return rc;
}

void ja_gathered_fini(struct ja_gathered *all)
{
    for (size_t i = 0; i < all->count; i++)
        ja_object_free(&ja_noun_jail, all->jails[i].jail);
    ja_free(all->jails);
    ja_free(all->usage);
    *all = (struct ja_gathered){0};
}

/* ---- writing ---- */

void ja_size_text(int64_t bytes, char text[JA_USAGE_TEXT])
{
    static const char units[] = "BKMGTPE";
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 2 < sizeof units; unit++)
        value /= 1024;
    if (bytes < 0)
        snprintf(text, JA_USAGE_TEXT, "-");
    else if (unit == 0)
        snprintf(text, JA_USAGE_TEXT, "%lld", (long long)bytes);
    else
        snprintf(text, JA_USAGE_TEXT, value < 9.95 && value - (double)(int)value >= 0.05 ? "%.1f%c" : "%.0f%c", value,
                 units[unit]);
}

void ja_cores_text(int64_t thousandths, char text[JA_USAGE_TEXT])
{
    if (thousandths < 0)
        snprintf(text, JA_USAGE_TEXT, "-");
    else if (thousandths && thousandths < 100)
        snprintf(text, JA_USAGE_TEXT, "%lld.%lld%%", (long long)thousandths / 10, (long long)thousandths % 10);
    else
        snprintf(text, JA_USAGE_TEXT, "%lld%%", (long long)(thousandths + 5) / 10);
}

static void number_text(int64_t number, char text[JA_USAGE_TEXT])
{
    if (number < 0)
        snprintf(text, JA_USAGE_TEXT, "-");
    else
        snprintf(text, JA_USAGE_TEXT, "%lld", (long long)number);
}

static void rate_text(int64_t rate, char text[JA_USAGE_TEXT])
{
    ja_size_text(rate, text);
    if (rate >= 0)
        snprintf(text + strlen(text), JA_USAGE_TEXT - strlen(text), "/s");
}

void ja_usage_against(const struct ja_jail *jail, const struct ja_usage *usage, enum ja_resource resource,
                      struct ja_against *ret_against)
{
    const struct ja_limits *limits = &jail->limits;
    const struct {
        const char *name;
        int64_t used, limit;
        void (*write)(int64_t value, char text[JA_USAGE_TEXT]);
    } all[JA_RESOURCES] = {
        [JA_RESOURCE_CPU] = {"cpu", usage->cpu, limits->cpu, ja_cores_text},
        [JA_RESOURCE_MEMORY] = {"memory", usage->memory, limits->memory, ja_size_text},
        [JA_RESOURCE_SWAP] = {"swap", usage->swap, limits->swap, ja_size_text},
        [JA_RESOURCE_PROCESSES] = {"processes", usage->processes, limits->processes, number_text},
        [JA_RESOURCE_FILES] = {"files", usage->files, limits->files, number_text},
        [JA_RESOURCE_DISK] = {"disk", usage->disk, limits->disk, ja_size_text},
        [JA_RESOURCE_READ] = {"read-rate", usage->read_rate, limits->read_rate, rate_text},
        [JA_RESOURCE_WRITE] = {"write-rate", usage->write_rate, limits->write_rate, rate_text},
    };
    *ret_against =
        (struct ja_against){.name = all[resource].name, .used = all[resource].used, .limit = all[resource].limit};
    all[resource].write(ret_against->used, ret_against->used_text);
    all[resource].write(ret_against->limit ? ret_against->limit : -1, ret_against->limit_text);
}

void ja_usage_cell(struct ja_table *table, const struct ja_jail *jail, const struct ja_usage *usage,
                   enum ja_resource resource)
{
    struct ja_against against;
    ja_usage_against(jail, usage, resource, &against);
    if (against.limit)
        ja_table_cellf(table, "%s/%s", against.used_text, against.limit_text);
    else
        ja_table_cell(table, against.used_text);
}

static json_t *number(int64_t value, int64_t divisor)
{
    if (value < 0)
        return json_null();
    return divisor == 1 ? json_integer(value) : json_real((double)value / (double)divisor);
}

json_t *ja_usage_json(const struct ja_usage *usage)
{
    const struct {
        const char *key;
        int64_t value, divisor;
    } all[] = {
        {"cpu", usage->cpu, 1000},
        {"cpu-time", usage->cpu_us, 1000000},
        {"memory", usage->memory, 1},
        {"swap", usage->swap, 1},
        {"processes", usage->processes, 1},
        {"files", usage->files, 1},
        {"disk", usage->disk, 1},
        {"read", usage->read, 1},
        {"written", usage->written, 1},
        {"read-rate", usage->read_rate, 1},
        {"write-rate", usage->write_rate, 1},
        {"received", usage->received, 1},
        {"sent", usage->sent, 1},
        {"receive-rate", usage->receive_rate, 1},
        {"send-rate", usage->send_rate, 1},
        {"oom-kills", usage->oom_kills, 1},
    };
    json_t *json = json_object();
    for (size_t i = 0; json && i < JA_COUNT(all); i++)
        if (json_object_set_new(json, all[i].key, number(all[i].value, all[i].divisor)) < 0) {
            json_decref(json);
            return NULL;
        }
    return json;
}

void ja_usage_print(struct ja_cli *cli, const struct ja_jail *jail, const struct ja_usage *usage)
{
    const struct {
        const char *name;
        int64_t value;
    } sizes[] = {
        {"read", usage->read}, {"written", usage->written}, {"received", usage->received}, {"sent", usage->sent}};
    if (usage->cpu_us >= 0)
        fprintf(cli->out, "usage.cpu-time: %.3f s\n", (double)usage->cpu_us / 1000000);
    for (int i = 0; i < JA_RESOURCES; i++) {
        struct ja_against against;
        ja_usage_against(jail, usage, (enum ja_resource)i, &against);
        if (against.used >= 0)
            fprintf(cli->out, "usage.%s: %s%s%s\n", against.name, against.used_text, against.limit ? " of " : "",
                    against.limit ? against.limit_text : "");
    }
    for (size_t i = 0; i < JA_COUNT(sizes); i++) {
        char text[JA_USAGE_TEXT];
        ja_size_text(sizes[i].value, text);
        if (sizes[i].value >= 0)
            fprintf(cli->out, "usage.%s: %s\n", sizes[i].name, text);
    }
    if (usage->oom_kills > 0)
        fprintf(cli->out, "usage.oom-kills: %lld\n", (long long)usage->oom_kills);
}

void ja_usage_warn(struct ja_cli *cli, const struct ja_engine *engine, const struct ja_gathered *all)
{
    bool runs = false;
    for (size_t i = 0; i < all->count; i++) {
        if (all->usage[i].memory >= 0)
            return;
        runs = runs || all->jails[i].pid;
    }
    if (runs && engine->site.os == JA_OS_FREEBSD)
        ja_warn(cli, "this kernel does not count what jails use; write kern.racct.enable=1 into /boot/loader.conf and "
                     "boot again");
}

int ja_gathered_print(struct ja_cli *cli, const struct ja_engine *engine, const struct ja_gathered *all, json_t *array,
                      struct ja_table *table, int rc, struct ja_error *err)
{
    if (rc == 0)
        rc = array ? ja_print_json(cli, json_incref(array), err) : ja_table_print(cli, table, err);
    if (rc == 0)
        ja_usage_warn(cli, engine, all);
    json_decref(array);
    return rc;
}
