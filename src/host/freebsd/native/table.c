/*
 * table.c: host verbs and natives of FreeBSD.
 */
#include "host/freebsd/native/native.h"

static const struct ja_hostverb VERBS[] = {
    {"copy-in", "(--pid-file FILE | --tree TREE) [--preserve] PATH",
     "receive files from standard input, as copy-out sends them, in a jail", ja_verb_copy_in, JA_HOSTVERB_FORK},
    {"copy-out", "(--pid-file FILE | --tree TREE) [--preserve] PATH",
     "send a file or directory of a jail to standard output", ja_verb_copy_out, JA_HOSTVERB_FORK},
    {NULL, NULL, NULL, NULL, 0},
};

/* None yet: every step starts its command. */
static const struct ja_native NATIVES[] = {
    {{NULL}, NULL, 0},
};

const struct ja_hostverb *ja_hostverb_native(void)
{
    return VERBS;
}

const struct ja_native *ja_native_table(void)
{
    return NATIVES;
}
