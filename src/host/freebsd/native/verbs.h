/*
 * verbs.h: the host verbs that only FreeBSD has. Only src/host/freebsd/native includes it.
 */
#ifndef JA_FREEBSD_VERBS_H
#define JA_FREEBSD_VERBS_H

#include "run/hostverb.h"

/* Ends with a NULL name. */
extern const struct ja_hostverb ja_freebsd_verbs[];

#endif
