/*
 * source.c: reads what --from says.
 */
#include "plan/source.h"
#include "base/str.h"
#include "model/model.h"
#include "model/site.h"

#include <stdio.h>
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

/* The length of the version of FreeBSD that begins a text; 0: none does. */
static size_t release_length(const char *value)
{
    static const char digits[] = "0123456789", upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t major = strspn(value, digits), minor = value[major] == '.' ? strspn(value + major + 1, digits) : 0,
           kind = major + 1 + minor;
    if (major == 0 || major > 3 || minor == 0 || minor > 3 || value[kind] != '-' || value[kind + 1] < 'A' ||
        value[kind + 1] > 'Z')
        return 0;
    size_t length = 1 + strspn(value + kind + 1, upper);
    return length < 20 ? kind + length : 0;
}

/* "14.1-RELEASE": part of addresses and of names of files. */
static int check_release(const char *value, struct ja_error *err)
{
    size_t length = release_length(value);
    if (length && value[length] == '\0')
        return 0;
    return ja_error_set(err, JA_E_INVALID, NULL,
                        "\"%s\" is not a version of FreeBSD; one is such as 14.1-RELEASE or 15.0-BETA2",
                        JA_SHOW(value));
}

bool ja_source_pkgbase(const char *text, struct ja_pkgbase_version *ret_version)
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t length = release_length(text);
    const char *kind = strchr(text, '-'), *set = "base-jail";
    int major, minor;
    if (!length || sscanf(text, "%d.%d", &major, &minor) != 2)
        return false;
    if (text[length]) {
        set = text + length + 1;
        if (text[length] != '/' || !*set || *set == '-' || strspn(set, lower) != strlen(set) || strlen(set) > 60)
            return false;
    }
    *ret_version =
        (struct ja_pkgbase_version){.major = major,
                                    .minor = minor,
                                    .branch = ja_str_starts(kind, "-STABLE") || ja_str_starts(kind, "-CURRENT") ||
                                              ja_str_starts(kind, "-PRERELEASE"),
                                    .set = set};
    return true;
}

static int check_pkgbase(const char *value, struct ja_error *err)
{
    struct ja_pkgbase_version version;
    if (ja_source_pkgbase(value, &version))
        return 0;
    return ja_error_set(err, JA_E_INVALID, NULL,
                        "\"%s\" is not a version of FreeBSD, with or without a set of its packages; one is such as "
                        "15.1-RELEASE or 15.1-RELEASE/minimal-jail",
                        JA_SHOW(value));
}

/* "web1", "web1@2026-11-26-1432". */
static int check_jail(const char *value, struct ja_error *err)
{
    const char *at = strchr(value, '@');
    ja_autofree char *jail = ja_strndup(value, at ? (size_t)(at - value) : strlen(value));
    int rc = jail ? ja_check_name(jail, err) : ja_error_nomem(err);
    return rc == 0 && at ? ja_check_snapshot(at + 1, err) : rc;
}

static const struct {
    const char *prefix;
    int (*check)(const char *value, struct ja_error *err);
    bool path;
} sources[] = {
    [JA_SOURCE_BUSYBOX] = {"busybox", NULL, false},  [JA_SOURCE_DIR] = {"dir:", ja_check_path, true},
    [JA_SOURCE_TAR] = {"tar:", ja_check_path, true}, [JA_SOURCE_DEBIAN] = {"debian:", check_suite, false},
    [JA_SOURCE_JAIL] = {"jail:", check_jail, false}, [JA_SOURCE_FREEBSD] = {"freebsd:", check_release, false},
    [JA_SOURCE_SRC] = {"src:", ja_check_path, true}, [JA_SOURCE_PKGBASE] = {"pkgbase:", check_pkgbase, false},
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
    ja_error_set(err, JA_E_INVALID, "field source", "\"%s\" is no source of a template", JA_SHOW(text));
    return ja_error_hint(err, "it is one of %s", JA_SOURCES);
}

bool ja_source_for(enum ja_source source, int os)
{
    if (source == JA_SOURCE_DEBIAN)
        return os == JA_OS_LINUX;
    bool freebsd = source == JA_SOURCE_FREEBSD || source == JA_SOURCE_SRC || source == JA_SOURCE_PKGBASE;
    return !freebsd || os == JA_OS_FREEBSD;
}

bool ja_source_is_path(enum ja_source source)
{
    return sources[source].path;
}
