/*
 * log.h: the log of a jail, a file of bounded size.
 */
#ifndef JA_LOG_H
#define JA_LOG_H

#include "base/base.h"

/* Opens a log for what a jail prints: created 0600, trimmed when it is above the limit. A descriptor that can only append, or a
 * code. */
int ja_log_open(const char *path, int64_t limit, struct ja_error *err);

#endif
