/*
 * sysctl.h: one setting of the kernel, read and written as text.
 */
#ifndef JA_SYSCTL_H
#define JA_SYSCTL_H

#include "base/base.h"

#define JA_SYSCTL_NAME 256
#define JA_SYSCTL_TEXT 256

/* The one spelling of a name, which may come with dots or slashes ("net.ipv4.ip_forward"; with slashes where
 * a part has a dot: "net/ipv4/conf/eth0.7/forwarding"). JA_E_INVALID. */
int ja_sysctl_canonical(const char *name, char ret_name[JA_SYSCTL_NAME], struct ja_error *err);
/* Both take canonical names. The value comes with single blanks between its words. JA_E_NOTFOUND: this kernel
 * has no such setting. On Linux below $JAILADMIN_SYSCTL_ROOT, in tests, instead of /proc/sys. */
int ja_sysctl_get(const char *name, char ret_value[JA_SYSCTL_TEXT], struct ja_error *err);
int ja_sysctl_set(const char *name, const char *value, struct ja_error *err);

#endif
