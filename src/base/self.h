/*
 * self.h: where the running program is.
 */
#ifndef JA_SELF_H
#define JA_SELF_H

#include "base/base.h"

/* The absolute path of the file that this process runs: plans hold commands of our own. JA_E_FAILED when it
 * has no name any more (replaced or deleted), JA_E_LIMIT when it does not fit. */
int ja_self_path(char *ret_path, size_t size, struct ja_error *err);

/* Which system we are on. */
bool ja_self_on_freebsd(void);

#endif
