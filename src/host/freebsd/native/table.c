/*
 * table.c: host verbs and natives of FreeBSD.
 */
#include "host/freebsd/native/verbs.h"

/* None yet: every step starts its command. */
static const struct ja_native NATIVES[] = {
    {{NULL}, NULL, 0},
};

const struct ja_hostverb *ja_hostverb_native(void)
{
    return ja_freebsd_verbs;
}

const struct ja_ahead ja_native_ahead = {0};

const struct ja_native *ja_native_table(void)
{
    return NATIVES;
}
