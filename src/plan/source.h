/*
 * source.h: what a template is made from, as --from says it: "busybox", "dir:PATH", "tar:FILE", "debian:SUITE", "jail:NAME".
 */
#ifndef JA_SOURCE_H
#define JA_SOURCE_H

#include "base/base.h"

enum ja_source {
    JA_SOURCE_BUSYBOX,
    JA_SOURCE_DIR,
    JA_SOURCE_TAR,
    JA_SOURCE_DEBIAN,
    JA_SOURCE_JAIL,
};

/* The kind, and what follows the colon ("" for busybox), which is checked: an absolute path, a suite, a jail's name.
 * JA_E_INVALID says what is allowed. */
int ja_source_parse(const char *text, enum ja_source *ret_source, const char **ret_rest, struct ja_error *err);
/* True for kinds whose rest is a path of the host. */
bool ja_source_is_path(enum ja_source source);

#endif
