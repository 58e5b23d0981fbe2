/*
 * cmd_todo.c: verbs that are in the table, hidden, and have no handler yet.
 */
#include "cli/commands.h"

static int not_built(const struct ja_args *args, struct ja_error *err)
{
    return ja_error_set(err, JA_E_UNSUPPORTED, NULL, "the verb %s is not built yet", args->verb->name);
}

#define TODO(handler)                                                                                                  \
    int handler(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)                                  \
    {                                                                                                                  \
        (void)cli;                                                                                                     \
        return not_built(args, err);                                                                                   \
    }

TODO(ja_cmd_doctor)
