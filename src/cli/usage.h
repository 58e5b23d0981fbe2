/*
 * usage.h: what jails use, for people and scripts: list -l, show, limit and top.
 */
#ifndef JA_CLI_USAGE_H
#define JA_CLI_USAGE_H

#include "cli/cmd.h"

/* Jails with what they use. Jails are copies of its own. */
struct ja_gathered {
    struct ja_listed *jails;
    struct ja_usage *usage;
    size_t count, size;
};
/* The jails that the words name as `list` takes them (none: all), each once. */
int ja_gather(struct ja_engine *engine, const struct ja_args *args, struct ja_gathered *ret_all, struct ja_error *err);
/* The same of names and patterns; a name that no jail has is an error. */
int ja_gather_names(struct ja_engine *engine, const struct ja_strv *names, struct ja_gathered *ret_all,
                    struct ja_error *err);
/* Asks what they use; where the host only counts, twice within a moment, since use is a difference. */
int ja_gather_usage(struct ja_engine *engine, struct ja_gathered *all, struct ja_error *err);
void ja_gathered_fini(struct ja_gathered *all);
#define ja_autogathered JA_CLEANUP(ja_gathered_fini)

#define JA_USAGE_TEXT 32
/* "812K", "1.5G"; "-" for what is not known (below 0). */
void ja_size_text(int64_t bytes, char text[JA_USAGE_TEXT]);
/* "12%" of a core. */
void ja_cores_text(int64_t thousandths, char text[JA_USAGE_TEXT]);

/* What has a limit: its field of limits, what is used, what is allowed (0: no limit), and how both are written. */
enum ja_resource {
    JA_RESOURCE_CPU,
    JA_RESOURCE_MEMORY,
    JA_RESOURCE_SWAP,
    JA_RESOURCE_PROCESSES,
    JA_RESOURCE_FILES,
    JA_RESOURCE_DISK,
    JA_RESOURCE_READ,
    JA_RESOURCE_WRITE,
    JA_RESOURCES
};
struct ja_against {
    const char *name; /* "memory" */
    int64_t used, limit;
    char used_text[JA_USAGE_TEXT], limit_text[JA_USAGE_TEXT];
};
void ja_usage_against(const struct ja_jail *jail, const struct ja_usage *usage, enum ja_resource resource,
                      struct ja_against *ret_against);
/* A cell "12M/512M", or "12M" without a limit. */
void ja_usage_cell(struct ja_table *table, const struct ja_jail *jail, const struct ja_usage *usage,
                   enum ja_resource resource);

/* All of it as JSON: bytes, cores, seconds; null for what is not known. NULL: out of memory. */
json_t *ja_usage_json(const struct ja_usage *usage);
/* For one jail, as lines "usage.memory: 12M of 512M" of what is known. */
void ja_usage_print(struct ja_cli *cli, const struct ja_jail *jail, const struct ja_usage *usage);
/* Prints the array, which it takes, or without one the table; with the warning below. `rc`: a failure until then, which is
 * returned. */
int ja_gathered_print(struct ja_cli *cli, const struct ja_engine *engine, const struct ja_gathered *all, json_t *array,
                      struct ja_table *table, int rc, struct ja_error *err);
/* Warns once when jails run and nothing counts what they use. */
void ja_usage_warn(struct ja_cli *cli, const struct ja_engine *engine, const struct ja_gathered *all);

#endif
