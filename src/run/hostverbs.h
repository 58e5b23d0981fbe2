/*
 * hostverbs.h: the portable host verbs, one file each group. Only src/run includes it.
 */
#ifndef JA_HOSTVERBS_H
#define JA_HOSTVERBS_H

#include "run/hostverb.h"

ja_hostverb_fn ja_verb_template_busybox, ja_verb_truncate; /* hostverb_busybox.c */

#endif
