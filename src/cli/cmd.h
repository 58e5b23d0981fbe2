/*
 * cmd.h: what the handlers share: an engine for this command line.
 */
#ifndef JA_CMD_H
#define JA_CMD_H

#include "cli/commands.h"
#include "engine/engine.h"

/* The options of an engine from the global options. */
void ja_cmd_options(struct ja_cli *cli, bool read_only, struct ja_engine_options *ret_options);
/* Prints a plan as a script, or as JSON; `context` is the command line. */
int ja_cmd_show_plan(void *context, const struct ja_plan *plan, struct ja_error *err);
/* Shows the start of a jail that cannot be planned yet, as a command of ours. */
int ja_cmd_show_start(struct ja_cli *cli, const char *name, struct ja_error *err);
/* Opens the instance. Verbs that change something first finish what dead plans have left. */
int ja_cmd_open(struct ja_cli *cli, bool read_only, struct ja_engine **ret_engine, struct ja_error *err);
void ja_cmd_close(struct ja_engine **engine);
#define ja_autoengine JA_CLEANUP(ja_cmd_close)

/* The names that a verb is for: its words, with --all all jails. Where words are names of jails, they may also be patterns
 * and filters, as `list` takes them; JA_E_NOTFOUND when no jail matches. */
int ja_cmd_names(struct ja_engine *engine, const struct ja_args *args, struct ja_strv *ret_names, struct ja_error *err);
/* The same, and all jails where no word is given. */
int ja_cmd_names_or_all(struct ja_engine *engine, const struct ja_args *args, struct ja_strv *ret_names,
                        struct ja_error *err);

/* A filter word that holds "=" is a field's value; state is the one that no field holds, label.KEY is short for labels.KEY. */
int ja_cmd_matches(const struct ja_listed *listed, const char *filter, bool *ret_matches, struct ja_error *err);

/* Whether a jail has all of the values among the words. */
int ja_cmd_matches_all(const struct ja_args *args, const struct ja_listed *listed, bool *ret_matches,
                       struct ja_error *err);
/* The jails of the patterns among the words, of all words that are none: the caller looks at these. Values that no jail has are
 * refused before (ja_cmd_check_filters). `brief` as in ja_engine_list; a filter that looks at more gets more. */
int ja_cmd_list_words(struct ja_engine *engine, const struct ja_args *args, bool brief,
                      int (*each)(void *context, const struct ja_listed *listed, struct ja_error *err), void *context,
                      struct ja_error *err);
int ja_cmd_check_filters(const struct ja_args *args, struct ja_error *err);

/* Words that are names, and behind them KEY=VALUE. */
int ja_cmd_split(const struct ja_args *args, struct ja_strv *ret_names, struct ja_strv *ret_assignments,
                 struct ja_error *err);
/* Changes fields of jails, and says so. The exit status. */
int ja_cmd_change(struct ja_cli *cli, struct ja_engine *engine, const struct ja_strv *names,
                  const struct ja_strv *assignments);

/* Prints an object's JSON and takes it: as it is with --json, else one line for each value. NULL: out of memory. */
int ja_cmd_print_object(struct ja_cli *cli, json_t *json, struct ja_error *err);

/* A cell "1.5M", in units of 1024; below 0: not known. */
void ja_cmd_size_cell(struct ja_table *table, int64_t bytes);

/* "changed web1; waiting for its next start: nics.eth0.address, limits.files" */
int ja_cmd_say_changed(struct ja_cli *cli, const char *name, const struct ja_setdone *done, struct ja_error *err);

/* What it is that work on one jail mostly takes. */
enum ja_pace {
    JA_PACE_BUSY,   /* a processor: a start */
    JA_PACE_WAIT,   /* waiting for the disk, or for the kernel to let go of a network */
    JA_PACE_GENTLE, /* waiting for an init to shut its jail down */
};
/* How many jails are worked on side by side: what -j says, else what suits. */
int ja_cmd_jobs(const struct ja_cli *cli, const struct ja_engine *engine, enum ja_pace pace);
/* Runs one action for many names with progress and reports. `doing` is "starting", `done` is "started". Returns the exit
 * status: 0, 1 when the only one failed, 3 when some of several failed. */
int ja_cmd_each(struct ja_cli *cli, struct ja_engine *engine, const struct ja_strv *names, const char *doing,
                int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                void *work);
/* The same in the order of priorities and dependencies; also a negative code. */
int ja_cmd_ordered(struct ja_cli *cli, struct ja_engine *engine, const struct ja_strv *names, const char *doing,
                   enum ja_ordering ordering, enum ja_pace pace,
                   int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                   void *context, struct ja_error *err);
/* Given to `one` as its context. */
/* Says which jail an error is about. */
void ja_object_named(struct ja_error *err, const char *name);
struct ja_cmd_work {
    struct ja_cli *cli;
    void *work;
    struct ja_progress progress;
    size_t done, total;
};

#endif
