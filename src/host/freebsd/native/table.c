/*
 * table.c: host verbs and natives of FreeBSD.
 */
#include "run/hostverb.h"

static const struct ja_hostverb VERBS[] = {
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
