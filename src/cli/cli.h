/*
 * cli.h: what all verbs share: the global options, the terminal, and the few ways in which a verb talks to
 * people and scripts. Verbs print through these, so that --json, --quiet, pipes and hostile text are right
 * everywhere.
 */
#ifndef JA_CLI_H
#define JA_CLI_H

#include "cli/verb.h"
#include "model/site.h"

#include <jansson.h>
#include <stdio.h>

#define JA_STATE_DEFAULT "/var/db/jailadmin"

struct ja_cli {
    /* Global options. */
    char state[256]; /* absolute */
    enum ja_os os;   /* --os, or the system we run on */
    bool os_given;
    const char *facts; /* --facts; NULL: the facts of this host */
    bool dry_run, json, yes, quiet, keep;
    bool native; /* false with --no-native: every step is run as its command */
    int verbose; /* how often -v was given */
    int jobs;    /* -j; 0: not given */
    int processors;

    char self[256]; /* the absolute path of this program */
    FILE *out, *errors;
    bool in_terminal, out_terminal, errors_terminal;
    bool out_colour, errors_colour; /* a terminal that may get attributes: no NO_COLOR, TERM is not dumb */
    unsigned width;                 /* columns of the terminal; 80 when there is none */
    bool lively;                    /* one plan that takes long: the terminal shows the step and what it prints */
    bool line;                      /* such a line stands on the terminal */
    bool progress; /* a progress line may stand on the terminal, drawn by another process of ours too */
    const volatile int *interrupted; /* Ctrl-C and its like were seen (mutating verbs) */
    const struct ja_verb *verb;
};

/* Fills the defaults and looks at the terminal. */
int ja_cli_init(struct ja_cli *cli, struct ja_error *err);
/* The whole command: parses, checks, runs the verb, shows its error. Returns the exit status. */
int ja_cli_main(int argc, char **argv);

/* "started web1", one line on standard output; nothing with --quiet or --json. */
void ja_say(struct ja_cli *cli, const char *format, ...) JA_PRINTF(2, 3);
/* The same only with -v. */
void ja_say_more(struct ja_cli *cli, const char *format, ...) JA_PRINTF(2, 3);
/* "jailadmin: warning: ..." on standard error; also with --quiet. */
void ja_warn(struct ja_cli *cli, const char *format, ...) JA_PRINTF(2, 3);
/* An error on standard error: "jailadmin: WHAT: WHY", the hint, the command that failed and what it printed;
 * with --json an object. For verbs that go on after a failure; others return it. */
void ja_show_error(struct ja_cli *cli, const struct ja_error *err);

/* Prints one JSON value and takes it (NULL: out of memory): indented on a terminal, one line otherwise. */
int ja_print_json(struct ja_cli *cli, json_t *json, struct ja_error *err);

/* A table. Headers end with NULL; one that begins with ">" is aligned to the right, one with "=" never cut to fit a terminal. A failed allocation
 * sticks until ja_table_print. Nothing of a cell is trusted. */
struct ja_table {
    struct ja_strv headers;
    struct ja_str cells; /* one after the other, each with a NUL behind it */
    size_t count;        /* of cells */
    size_t start;        /* where the next one begins */
    bool failed;
};
void ja_table_init(struct ja_table *table, ...) __attribute__((sentinel));
void ja_table_cell(struct ja_table *table, const char *text); /* NULL or "": shown as "-" */
void ja_table_cellf(struct ja_table *table, const char *format, ...) JA_PRINTF(2, 3);
/* A cell of several parts, and its end. */
void ja_table_part(struct ja_table *table, const char *text, size_t length);
void ja_table_end(struct ja_table *table);
/* All strings of a vector in one cell, with commas. */
void ja_table_cells_joined(struct ja_table *table, const struct ja_strv *strv);
/* Prints the header and the full rows, and empties the table. */
int ja_table_print(struct ja_cli *cli, struct ja_table *table, struct ja_error *err);
void ja_table_fini(struct ja_table *table);
#define ja_autotable JA_CLEANUP(ja_table_fini)

/* Asks a yes-or-no question. 0: yes, or --yes, or a dry run. JA_E_DENIED: no, or nobody to ask. */
int ja_confirm(struct ja_cli *cli, struct ja_error *err, const char *question, ...) JA_PRINTF(3, 4);

/* The line that tells what a long step does and last printed; only where cli->lively is set. ja_lively_clear takes it away,
 * before something else is printed. */
void ja_lively_begin(struct ja_cli *cli);
void ja_lively_draw(struct ja_cli *cli, const char *doing, const char *printed, size_t length);
void ja_lively_clear(struct ja_cli *cli);

/* One line about the work on many objects, redrawn on the terminal's standard error; nothing for a single
 * object, elsewhere, with --quiet or --json. */
struct ja_progress {
    struct ja_cli *cli;
    const char *doing; /* "starting" */
    size_t done, total;
    int64_t drawn_ms;
    bool active, visible;
};
void ja_progress_begin(struct ja_progress *progress, struct ja_cli *cli, const char *doing, size_t total);
void ja_progress_step(struct ja_progress *progress, size_t done, const char *name);
/* Takes the line away, before something else is printed; the next step draws it again. */
void ja_progress_clear(struct ja_progress *progress);
void ja_progress_end(struct ja_progress *progress);

#endif
