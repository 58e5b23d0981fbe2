/*
 * source.c: reads what --from says.
 */
#include "plan/source.h"
#include "base/str.h"
#include "model/model.h"
#include "model/site.h"

#include <string.h>

/* "bookworm", "trixie-backports": never an option of the program that gets it. */
static int check_suite(const char *value, struct ja_error *err)
{
    size_t length = strlen(value);
    if (length > 0 && length < 64 && value[0] >= 'a' && value[0] <= 'z' &&
        strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") == length)
        return 0;
    return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" is not a suite; one is a name such as bookworm or stable",
                        JA_SHOW(value));
}

/* "14.1-RELEASE": part of addresses and of names of files. */
static int check_release(const char *value, struct ja_error *err)
{
    static const char digits[] = "0123456789", upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t major = strspn(value, digits), minor = value[major] == '.' ? strspn(value + major + 1, digits) : 0,
           kind = major + 1 + minor;
    if (major > 0 && major < 4 && minor > 0 && minor < 4 && value[kind] == '-' && value[kind + 1] >= 'A' &&
        value[kind + 1] <= 'Z' && strspn(value + kind + 1, upper) == strlen(value + kind + 1) &&
        strlen(value + kind) < 20)
        return 0;
    return ja_error_set(err, JA_E_INVALID, NULL,
                        "\"%s\" is not a version of FreeBSD; one is such as 14.1-RELEASE or 15.0-BETA2",
                        JA_SHOW(value));
}

static const struct {
    const char *prefix;
    int (*check)(const char *value, struct ja_error *err);
    bool path;
} sources[] = {
    [JA_SOURCE_BUSYBOX] = {"busybox", NULL, false},     [JA_SOURCE_DIR] = {"dir:", ja_check_path, true},
    [JA_SOURCE_TAR] = {"tar:", ja_check_path, true},    [JA_SOURCE_DEBIAN] = {"debian:", check_suite, false},
    [JA_SOURCE_JAIL] = {"jail:", ja_check_name, false}, [JA_SOURCE_FREEBSD] = {"freebsd:", check_release, false},
    [JA_SOURCE_SRC] = {"src:", ja_check_path, true},
};

int ja_source_parse(const char *text, enum ja_source *ret_source, const char **ret_rest, struct ja_error *err)
{
    for (size_t i = 0; i < JA_COUNT(sources); i++) {
        const char *rest = text + strlen(sources[i].prefix);
        if (!ja_str_starts(text, sources[i].prefix) || (!sources[i].check && *rest))
            continue;
        int rc = sources[i].check ? sources[i].check(rest, err) : 0;
        if (rc < 0) {
            ja_error_wrap(err, "--from %s", JA_SHOW(text));
            return rc;
        }
        *ret_source = (enum ja_source)i;
        *ret_rest = rest;
        return 0;
    }
    if (ja_str_starts(text, "pkgbase:")) {
        ja_error_set(err, JA_E_UNSUPPORTED, "field source",
                     "packages of the base system set themselves up by scripts that run as root of this host");
        return ja_error_hint(err, "freebsd:VERSION needs none; what pkg(8) has installed in a directory is dir:PATH");
    }
    ja_error_set(err, JA_E_INVALID, "field source", "\"%s\" is no source of a template", JA_SHOW(text));
    return ja_error_hint(err, "it is one of %s", JA_SOURCES);
}

bool ja_source_for(enum ja_source source, int os)
{
    if (source == JA_SOURCE_DEBIAN)
        return os == JA_OS_LINUX;
    return (source != JA_SOURCE_FREEBSD && source != JA_SOURCE_SRC) || os == JA_OS_FREEBSD;
}

bool ja_source_is_path(enum ja_source source)
{
    return sources[source].path;
}
