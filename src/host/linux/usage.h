/*
 * usage.h: what running jails use on Linux, for the fact reader. Reads a handful of small files for each jail.
 */
#ifndef JA_LINUX_USAGE_H
#define JA_LINUX_USAGE_H

#include "base/str.h"

/* "cpu-us=N memory=BYTES ..." (plan/facts.h) of a cgroup, added to *value: 1; 0: there is no such cgroup. */
int ja_linux_usage(const char *cgroup, struct ja_str *value);
/* "RECEIVED SENT" of an interface of the host: 1; 0: there is none. */
int ja_linux_traffic(const char *interface, struct ja_str *value);

#endif
