/*
 * release.c: where the base system of a FreeBSD release comes from, and which checksum it must have. A MANIFEST that lies beside the
 * archive says only that it came here whole: what is trusted is the user's --sha256, or a manifest that was installed by itself.
 */
#include "engine/internal.h"

#include "base/sha256.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SERVER "https://download.freebsd.org"
#define MANIFESTS "/usr/local/share/freebsd/MANIFESTS" /* of the port misc/freebsd-release-manifests */
#define INSTALLED "/usr/freebsd-dist/MANIFEST"         /* of the installer */
#define ARCHIVE "base.txz"

struct searching {
    struct ja_engine *engine;
    const char *version;
    char machine[64], arch[64]; /* "arm64", "aarch64" */
};

static int get_setting(struct ja_engine *engine, const char *name, char text[64], struct ja_error *err)
{
    ja_autofree char *value = NULL;
    int rc = ja_machine_fact(engine->machine, JA_FACT_SYSCTL, name, &value, err);
    if (rc < 0)
        return rc;
    if (!value || !*value || strchr(value, '/'))
        return ja_error_set(err, JA_E_FAILED, NULL, "the host does not say its %s", name);
    snprintf(text, 64, "%s", value);
    return 0;
}

/* 1: *sum is what the manifest names; 0: there is none, or it does not name the archive. */
static int sum_of(struct ja_engine *engine, const char *manifest, char sum[JA_SHA256_TEXT], struct ja_error *err)
{
    ja_autofree char *text = NULL;
    int rc = ja_machine_fact(engine->machine, JA_FACT_FILE, manifest, &text, err);
    return rc < 0 ? rc : text && ja_sha256_in_manifest(text, ARCHIVE, sum);
}

/* What was installed on its own way. The installer's manifest does not say of which release it is: of that which the host is. */
static int installed_sum(const struct searching *searching, char sum[JA_SHA256_TEXT], struct ja_error *err)
{
    char path[256], release[64];
    snprintf(path, sizeof path, MANIFESTS "/%s-%s-%s", searching->machine, searching->arch, searching->version);
    int rc = sum_of(searching->engine, path, sum, err);
    if (rc != 0)
        return rc;
    if ((rc = get_setting(searching->engine, "kern.osrelease", release, err)) < 0)
        return rc;
    char *patch = strstr(release, "-p");
    if (patch && isdigit((unsigned char)patch[2]))
        *patch = '\0';
    return strcmp(release, searching->version) == 0 ? sum_of(searching->engine, INSTALLED, sum, err) : 0;
}

/* Where an archive of the host is; a directory holds it under its usual name, and perhaps its manifest. */
static int find_local(struct ja_engine *engine, const char *place, struct ja_freebsd_release *release,
                      char sum[JA_SHA256_TEXT], int *known, struct ja_error *err)
{
    ja_autofree char *kind = NULL;
    char manifest[1100];
    ja_autofree char *inside = ja_printf("%s/.", place);
    if (!inside)
        return ja_error_nomem(err);
    int rc = ja_machine_fact(engine->machine, JA_FACT_PATH, inside, &kind, err);
    if (rc < 0)
        return rc;
    release->local = true;
    snprintf(release->archive, sizeof release->archive, kind ? "%s/" ARCHIVE : "%s", place);
    if (!kind || *known)
        return 0;
    snprintf(manifest, sizeof manifest, "%s/MANIFEST", place);
    rc = sum_of(engine, manifest, sum, err);
    *known = rc > 0;
    return rc < 0 ? rc : 0;
}

static void find_remote(const struct searching *searching, const char *mirror, bool known,
                        struct ja_freebsd_release *release)
{
    const char *kind = strchr(searching->version, '-');
    bool snapshot = strcmp(kind, "-CURRENT") == 0 || strcmp(kind, "-STABLE") == 0 || strcmp(kind, "-PRERELEASE") == 0;
    size_t length = strlen(mirror);
    while (length && mirror[length - 1] == '/')
        length--;
    char base[1100];
    snprintf(base, sizeof base, "%.*s/%s/%s/%s/%s", (int)length, mirror, snapshot ? "snapshots" : "releases",
             searching->machine, searching->arch, searching->version);
    snprintf(release->archive, sizeof release->archive, "%s/" ARCHIVE, base);
    if (!known)
        snprintf(release->manifest, sizeof release->manifest, "%s/MANIFEST", base);
}

int ja_release_find(struct ja_engine *engine, const char *version, const char *mirror, const char *sha256,
                    struct ja_freebsd_release *ret_release, char checksum[JA_SHA256_TEXT], struct ja_error *err)
{
    struct searching searching = {.engine = engine, .version = version};
    int known = sha256 != NULL;
    checksum[0] = '\0';
    if (engine->site.os != JA_OS_FREEBSD)
        return ja_error_set(err, JA_E_UNSUPPORTED, "option --from", "a FreeBSD system does not run in jails of Linux");
    int rc = get_setting(engine, "hw.machine", searching.machine, err);
    if (rc == 0)
        rc = get_setting(engine, "hw.machine_arch", searching.arch, err);
    if (rc == 0 && !sha256)
        rc = known = installed_sum(&searching, checksum, err);
    else if (rc == 0)
        for (size_t i = 0; i < JA_SHA256_TEXT; i++)
            checksum[i] = (char)tolower((unsigned char)sha256[i]);
    if (rc < 0)
        return rc;
    *ret_release = (struct ja_freebsd_release){.version = version, .trusted = known > 0};
    if (mirror && mirror[0] == '/')
        return find_local(engine, mirror, ret_release, checksum, &known, err);
    find_remote(&searching, mirror ? mirror : SERVER, known > 0, ret_release);
    return 0;
}
