/*
 * source.h: what a template is made from, as --from says it.
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
    JA_SOURCE_FREEBSD, /* the base system of a release */
    JA_SOURCE_SRC,     /* FreeBSD, from its built sources */
    JA_SOURCE_PKGBASE, /* FreeBSD, from the packages of the base system */
};

/* For hints. */
#define JA_SOURCES                                                                                                     \
    "busybox, debian:SUITE, freebsd:VERSION, pkgbase:VERSION, src:DIR, dir:PATH, tar:FILE and jail:NAME[@SNAPSHOT]"

/* The kind, and what follows the colon ("" for busybox), which is checked: an absolute path, a suite, a version, a jail's
 * name, perhaps with "@" and that of a snapshot of it.
 * JA_E_INVALID says what is allowed. */
int ja_source_parse(const char *text, enum ja_source *ret_source, const char **ret_rest, struct ja_error *err);
/* Whether hosts of that operating system (JA_OS_*) have it. */
bool ja_source_for(enum ja_source source, int os);
/* True for kinds whose rest is a path of the host. */
bool ja_source_is_path(enum ja_source source);

/* What "15.1-RELEASE", or "15.1-RELEASE/minimal-jail", is. */
struct ja_pkgbase_version {
    int major, minor;
    bool branch;     /* -STABLE, -CURRENT and -PRERELEASE: not, or not yet, a release */
    const char *set; /* of packages, without "FreeBSD-set-"; in the text, or a constant */
};
/* False when the text is no such version. */
bool ja_source_pkgbase(const char *text, struct ja_pkgbase_version *ret_version);

#endif
