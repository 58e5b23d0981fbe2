/*
 * template.c: making a template, or a new version of one: what it needs of the store, the temporary jail in which it is
 * built, and its plan.
 */
#include "engine/internal.h"
#include "plan/source.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A making from its request to its plan. */
struct making {
    const struct ja_template_request *request;
    enum ja_source source;
    const char *rest; /* of the source */
    char checksum[JA_SHA256_TEXT];
    struct ja_freebsd_release release;
    char network[80]; /* of the temporary jail, "": none */
    struct ja_template *template;
    struct ja_template_version *version; /* in the template */
    char *jail_name;                     /* of jail:NAME[@SNAPSHOT] */
    const char *snapshot;                /* NULL: none */
    void *jail;
    struct ja_loaded builder;
    struct ja_template_build build;
};

static void making_fini(struct making *making)
{
    ja_loaded_fini(&making->builder);
    ja_object_free(&ja_noun_jail, making->jail);
    free(making->jail_name);
    ja_object_free(&ja_noun_template, making->template);
}

static bool is_built(const struct ja_template_request *request)
{
    return (request->packages && request->packages->count) || request->command_count;
}

/* Packages of the base system are installed in the temporary jail, too. */
static bool needs_builder(const struct making *making)
{
    return is_built(making->request) || making->source == JA_SOURCE_PKGBASE;
}

/* ---- what is asked for ---- */

/* Package names are arguments of a package manager: none may pass for an option. */
static int check_packages(const struct ja_strv *packages, struct ja_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._:=~/*@";
    for (size_t i = 0; packages && i < packages->count; i++) {
        const char *name = packages->items[i];
        if (!*name || *name == '-' || strspn(name, allowed) != strlen(name))
            return ja_error_set(err, JA_E_INVALID, "option --pkg", "\"%s\" is not the name of a package",
                                JA_SHOW(name));
    }
    return 0;
}

static int check_mirror(const struct making *making, struct ja_error *err)
{
    const char *mirror = making->request->mirror;
    bool pkgbase = making->source == JA_SOURCE_PKGBASE, freebsd = making->source == JA_SOURCE_FREEBSD || pkgbase;
    if (!mirror)
        return 0;
    if (making->source != JA_SOURCE_DEBIAN && !freebsd)
        return ja_error_set(err, JA_E_INVALID, "option --mirror",
                            "it is for --from debian:SUITE, freebsd:VERSION and pkgbase:VERSION only");
    /* It becomes a quoted text in a file of pkg. */
    if (pkgbase && strpbrk(mirror, "\"\\$"))
        return ja_error_set(err, JA_E_INVALID, "option --mirror",
                            "\"%s\" has a character that pkg would not take as it is", JA_SHOW(mirror));
    if (freebsd && mirror[0] == '/')
        return ja_check_path(mirror, err);
    if ((ja_str_starts(mirror, "http://") || ja_str_starts(mirror, "https://") || ja_str_starts(mirror, "file:///")) &&
        !strpbrk(mirror, " \t\r\n[]") && strlen(mirror) < 500)
        return 0;
    ja_error_set(err, JA_E_INVALID, "option --mirror", "\"%s\" is not the address of a mirror", JA_SHOW(mirror));
    return ja_error_hint(err, freebsd ? "it begins with http://, https:// or file:///, or is a path of this host"
                                      : "it begins with http://, https:// or file:///");
}

static int check_sha256(const struct making *making, struct ja_error *err)
{
    const char *sum = making->request->sha256;
    if (!sum)
        return 0;
    if (making->source != JA_SOURCE_TAR && making->source != JA_SOURCE_FREEBSD)
        return ja_error_set(err, JA_E_INVALID, "option --sha256",
                            "it is for --from tar:FILE and --from freebsd:VERSION only");
    if (strlen(sum) == JA_SHA256_TEXT - 1 && strspn(sum, "0123456789abcdefABCDEF") == strlen(sum))
        return 0;
    return ja_error_set(err, JA_E_INVALID, "option --sha256", "\"%s\" is not a SHA-256: 64 hexadecimal digits",
                        JA_SHOW(sum));
}

static int check_mounts(const struct ja_template_request *request, struct ja_error *err)
{
    int rc = 0;
    if (request->mounts && request->mounts->count && !is_built(request))
        return ja_error_set(err, JA_E_INVALID, "option --mount", "it is for --pkg, --run and --script only");
    for (size_t i = 0; rc == 0 && request->mounts && i < request->mounts->count; i++)
        rc = ja_object_check(&ja_noun_mount, request->mounts->items[i], err);
    return rc < 0 ? ja_error_wrap(err, "--mount") : 0;
}

static int check_request(struct making *making, struct ja_error *err)
{
    const struct ja_template_request *request = making->request;
    int rc = ja_check_name(request->spec->name, err);
    if (rc == 0 && !request->spec->source)
        rc = ja_error_set(err, JA_E_INVALID, "field source", "it is needed: what is the template made from?");
    if (rc == 0)
        rc = ja_source_parse(request->spec->source, &making->source, &making->rest, err);
    if (rc == 0 && making->source == JA_SOURCE_JAIL)
        rc = ja_snapshot_split(making->rest, &making->jail_name, &making->snapshot, err);
    if (rc == 0)
        rc = check_packages(request->packages, err);
    if (rc == 0)
        rc = check_mirror(making, err);
    if (rc == 0)
        rc = check_sha256(making, err);
    return rc < 0 ? rc : check_mounts(request, err);
}

/* The archive's checksum is part of the plan, which says which archive is meant, and of the version's description. `wanted`: what it
 * must be, "" for any. */
static int take_checksum(struct ja_engine *engine, struct making *making, const char *archive, const char *wanted,
                         struct ja_error *err)
{
    ja_autofree char *sum = NULL;
    int rc = ja_machine_fact(engine->machine, JA_FACT_SHA256, archive, &sum, err);
    if (rc < 0)
        return rc;
    if (!sum)
        return ja_error_set(err, JA_E_NOTFOUND, making->release.local ? "option --mirror" : "option --from",
                            "there is no file %s", JA_SHOW(archive));
    if (*wanted && strcasecmp(wanted, sum) != 0) {
        ja_error_set(err, JA_E_INVALID, making->request->sha256 ? "option --sha256" : "option --mirror",
                     "the SHA-256 of %s is %s, not %s", JA_SHOW(archive), sum, JA_SHOW(wanted));
        return ja_error_hint(err, "the archive is damaged, or it is not the one that is meant; nothing was unpacked");
    }
    snprintf(making->checksum, sizeof making->checksum, "%s", sum);
    return 0;
}

static int find_checksum(struct ja_engine *engine, struct making *making, struct ja_error *err)
{
    const struct ja_template_request *request = making->request;
    if (making->source == JA_SOURCE_TAR)
        return take_checksum(engine, making, making->rest, request->sha256 ? request->sha256 : "", err);
    if (making->source != JA_SOURCE_FREEBSD)
        return 0;
    char wanted[JA_SHA256_TEXT];
    int rc = ja_release_find(engine, making->rest, request->mirror, request->sha256, &making->release, wanted, err);
    if (rc == 0 && making->release.local)
        return take_checksum(engine, making, making->release.archive, wanted, err);
    if (rc == 0)
        snprintf(making->checksum, sizeof making->checksum, "%s", wanted);
    return rc;
}

/* Which network the temporary jail is on, brought up. */
static int ensure_network(struct ja_engine *engine, struct making *making, struct ja_error *err)
{
    const char *wanted = making->request->network, *name = wanted ? wanted : "default";
    struct ja_row row;
    if (!is_built(making->request) || strcmp(name, "none") == 0)
        return 0;
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_store_get(engine->store, "network", name, &row, err);
    if (rc == JA_E_NOTFOUND && !wanted) {
        ja_error_clear(err);
        return 0;
    }
    if (rc < 0)
        return rc;
    ja_row_fini(&row);
    snprintf(making->network, sizeof making->network, "%s", name);
    return ja_engine_network_ensure(engine, name, err);
}

/* ---- the template's row and its new version ---- */

/* The next version number: one more than the highest. */
static void next_version(const struct ja_template *template, char version[24])
{
    int64_t highest = 0;
    for (size_t i = 0; i < template->versions.count; i++) {
        const struct ja_template_version *old = template->versions.items[i];
        int64_t number = strtoll(old->version, NULL, 10);
        highest = number > highest ? number : highest;
    }
    snprintf(version, 24, "%lld", (long long)highest + 1);
}

static int set_text(char **field, const char *text, struct ja_error *err)
{
    char *copy = ja_strdup(text);
    if (!copy)
        return ja_error_nomem(err);
    free(*field);
    *field = copy;
    return 0;
}

static int describe_build(const struct ja_template_request *request, struct ja_strv *build, struct ja_error *err)
{
    bool failed = false;
    for (size_t i = 0; request->packages && i < request->packages->count; i++)
        failed = failed || ja_strv_addf(build, "pkg %s", request->packages->items[i]) < 0;
    for (size_t i = 0; i < request->command_count; i++) {
        const struct ja_build_command *command = &request->commands[i];
        failed = failed || ja_strv_addf(build, command->script ? "script %s" : "run %s",
                                        command->script ? command->script : command->text) < 0;
    }
    return failed ? ja_error_nomem(err) : 0;
}

static int add_version(struct making *making, struct ja_error *err)
{
    const struct ja_template_request *request = making->request;
    struct ja_template *template = making->template;
    struct ja_template_version *entry = ja_object_new(&ja_noun_template_version);
    char version[24];
    if (!entry)
        return ja_error_nomem(err);
    next_version(template, version);
    int rc = ja_new_identity(&entry->uuid, &entry->created, err);
    if (rc == 0)
        rc = set_text(&entry->version, version, err);
    if (rc == 0)
        rc = set_text(&entry->source, request->spec->source, err);
    if (rc == 0 && making->checksum[0])
        rc = set_text(&entry->checksum, making->checksum, err);
    if (rc == 0)
        rc = describe_build(request, &entry->build, err);
    if (rc < 0) {
        ja_object_free(&ja_noun_template_version, entry);
        return rc;
    }
    if (ja_list_add(&ja_noun_template_version, &template->versions, entry) < 0)
        return ja_error_nomem(err);
    making->version = entry;
    rc = set_text(&template->current, version, err);
    return rc < 0 ? rc : set_text(&template->source, request->spec->source, err);
}

/* What else a template that exists takes over from a request for a new version. */
static int merge_spec(struct ja_template *template, const struct ja_template *spec, struct ja_error *err)
{
    for (size_t i = 0; i < spec->labels.count; i++)
        if (ja_map_set(&template->labels, spec->labels.pairs[i].key, spec->labels.pairs[i].value) < 0)
            return ja_error_nomem(err);
    return 0;
}

/* A row of its own that is `creating`. */
static int new_template(struct ja_change *change, const struct ja_template *spec, struct ja_template **ret_template,
                        struct ja_error *err)
{
    struct ja_template *template = ja_object_copy(&ja_noun_template, spec);
    if (!template)
        return ja_error_nomem(err);
    int rc = ja_new_identity(&template->uuid, &template->created, err);
    template->state = JA_ROW_CREATING;
    if (rc == 0 && !template->os)
        rc = set_text(&template->os, change->engine->site.os == JA_OS_FREEBSD ? "freebsd" : "linux", err);
    if (rc == 0)
        rc = ja_engine_put(change->engine, &ja_noun_template, template, 0, err);
    if (rc < 0)
        ja_object_free(&ja_noun_template, template);
    else
        *ret_template = template;
    return rc;
}

/* The template to which the version is added. */
static int open_template(struct ja_change *change, struct making *making, struct ja_error *err)
{
    const struct ja_template *spec = making->request->spec;
    void *object = NULL;
    int rc = ja_engine_get(change->engine, &ja_noun_template, spec->name, &object, NULL, err);
    if (rc == 0) {
        making->template = object;
        rc = merge_spec(making->template, spec, err);
    } else if (rc == JA_E_NOTFOUND) {
        ja_error_clear(err);
        rc = new_template(change, spec, &making->template, err);
    }
    if (rc == 0)
        snprintf(change->uuid, sizeof change->uuid, "%s", making->template->uuid);
    return rc < 0 ? rc : add_version(making, err);
}

/* ---- the temporary jail ---- */

/* The host part of a proxy's address: "http://user@[fd00::1]:3142/" is "fd00::1". */
static void proxy_host(const char *proxy, char host[256])
{
    const char *from = strstr(proxy, "://"), *at;
    from = from ? from + 3 : proxy;
    size_t length = strcspn(from, "/");
    if ((at = memchr(from, '@', length)) != NULL) {
        length -= (size_t)(at + 1 - from);
        from = at + 1;
    }
    if (*from == '[')
        snprintf(host, 256, "%.*s", (int)strcspn(from + 1, "]"), from + 1);
    else
        snprintf(host, 256, "%.*s", (int)(strcspn(from, ":") < length ? strcspn(from, ":") : length), from);
}

/* Whether a proxy is on the host itself, whose ports are closed to jails. 1, 0 or a negative code. */
static int is_own_proxy(struct ja_engine *engine, const char *proxy, struct ja_error *err)
{
    char host[256];
    ja_autofree char *interface = NULL;
    proxy_host(proxy, host);
    if (strcmp(host, "localhost") == 0 || ja_str_starts(host, "127.") || strcmp(host, "::1") == 0)
        return 1;
    int rc = ja_machine_fact(engine->machine, JA_FACT_HOSTADDR, host, &interface, err);
    return rc < 0 ? rc : interface != NULL;
}

static void warn_of_proxy(struct ja_engine *engine, const char *proxy)
{
    struct ja_error warning = JA_ERROR_INIT;
    struct ja_event event = {.kind = JA_EVENT_WARNING, .err = &warning};
    ja_error_set(
        &warning, JA_OK, NULL,
        "the proxy of this host's apt, %s, is on the host itself, whose ports are closed to jails: packages are "
        "fetched without it; --env http_proxy=URL names one that jails can reach",
        JA_SHOW(proxy));
    ja_engine_event(engine, &event);
}

/* The proxy of the host's apt is that of the packages in the template, too, unless another one is given. */
static int add_proxy(struct ja_engine *engine, struct ja_map *env, struct ja_error *err)
{
    ja_autofree char *apt = NULL;
    char proxy[512];
    if (ja_map_get(env, "http_proxy"))
        return 0;
    int rc = ja_machine_fact(engine->machine, JA_FACT_APT, "", &apt, err);
    if (rc < 0)
        return rc;
    ja_debian_proxy(apt ? apt : "", proxy);
    rc = proxy[0] ? is_own_proxy(engine, proxy, err) : 0;
    if (rc > 0)
        warn_of_proxy(engine, proxy);
    if (rc != 0 || !proxy[0])
        return rc < 0 ? rc : 0;
    return ja_map_set(env, "http_proxy", proxy) < 0 ? ja_error_nomem(err) : 0;
}

static int copy_mounts(const struct ja_list *mounts, struct ja_jail *jail, struct ja_error *err)
{
    for (size_t i = 0; mounts && i < mounts->count; i++) {
        void *mount = ja_object_copy(&ja_noun_mount, mounts->items[i]);
        if (!mount || ja_list_add(&ja_noun_mount, &jail->mounts, mount) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

static int fill_builder(struct ja_engine *engine, const struct making *making, struct ja_jail *jail,
                        struct ja_error *err)
{
    const struct ja_template_request *request = making->request;
    /* No jail of a user begins with "_". */
    ja_autofree char *name = ja_printf("_build-%s", request->spec->name),
                     *nic = ja_printf("eth0,network=%s", making->network);
    int rc = name && nic ? set_text(&jail->name, name, err) : ja_error_nomem(err);
    if (rc == 0)
        rc = set_text(&jail->hostname, "build", err);
    if (rc == 0)
        rc = set_text(&jail->uuid, making->template->uuid, err);
    for (size_t i = 0; rc == 0 && request->env && i < request->env->count; i++)
        if (ja_map_set(&jail->env, request->env->pairs[i].key, request->env->pairs[i].value) < 0)
            rc = ja_error_nomem(err);
    if (rc == 0 && !ja_map_get(&jail->env, "DEBIAN_FRONTEND") &&
        ja_map_set(&jail->env, "DEBIAN_FRONTEND", "noninteractive") < 0)
        rc = ja_error_nomem(err);
    if (rc == 0 && request->packages && request->packages->count)
        rc = add_proxy(engine, &jail->env, err);
    if (rc == 0 && making->network[0])
        rc = ja_object_set_entry(&ja_noun_jail, jail, "nics", nic, err);
    return rc < 0 ? rc : copy_mounts(request->mounts, jail, err);
}

/* A jail of the template's own, which has its slot and address in the template's name: the end of the change releases
 * both, however it ends. */
static int reserve_builder(struct ja_change *change, struct making *making, struct ja_error *err)
{
    struct ja_engine *engine = change->engine;
    if (!needs_builder(making))
        return 0;
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    int rc = jail ? fill_builder(engine, making, jail, err) : ja_error_nomem(err);
    if (rc == 0)
        rc = ja_store_reserve_number(engine->store, "slot", 0, engine->site.slots, jail->uuid, &jail->slot, err);
    if (rc == JA_E_LIMIT)
        ja_error_set(err, rc, NULL, "all %lld slots of this instance are in use, and a template is built in a jail",
                     (long long)engine->site.slots);
    if (rc == 0)
        rc = ja_assign_addresses(engine, jail, err);
    if (rc < 0) {
        ja_object_free(&ja_noun_jail, jail);
        return rc;
    }
    rc = ja_load_subject(engine, jail, &making->builder, err);
    if (rc == 0)
        making->build.builder = &making->builder.subject;
    return rc;
}

/* ---- all of it ---- */

/* All locks, in their order, before the store's transaction. */
static int begin_making(struct ja_change *change, struct ja_engine *engine, const struct making *making,
                        struct ja_error *err)
{
    const char *name = making->request->spec->name;
    int rc = ja_change_prepare(change, engine, "create", "template", name, err);
    if (rc == 0 && is_built(making->request) && making->network[0])
        rc = ja_change_lock(change, "network", making->network, true, err);
    if (rc == 0)
        rc = ja_change_lock(change, "template", name, false, err);
    if (rc == 0 && making->source == JA_SOURCE_JAIL)
        rc = ja_change_lock(change, "jail", making->jail_name, true, err);
    return rc < 0 ? rc : ja_change_open(change, err);
}

/* The jail of jail:NAME. */
static int open_jail(struct ja_change *change, struct making *making, struct ja_error *err)
{
    if (making->source != JA_SOURCE_JAIL)
        return 0;
    int rc = ja_engine_get(change->engine, &ja_noun_jail, making->jail_name, &making->jail, NULL, err);
    const struct ja_jail *jail = making->jail;
    if (rc == 0 && jail->state != JA_ROW_READY)
        rc = ja_error_set(err, JA_E_BUSY, JA_LABEL("jail", jail->name), "it is not complete");
    if (rc == 0 && jail->init.count && making->template->init.count == 0 &&
        ja_strv_copy(&making->template->init, &jail->init) < 0)
        rc = ja_error_nomem(err);
    return rc;
}

static void plan_build(void *work, struct ja_planning *p)
{
    const struct making *making = work;
    ja_plan_template_create(p, &making->build);
}

static int make_version(struct ja_change *change, struct making *making, struct ja_error *err)
{
    static const struct ja_strv none;
    const struct ja_template_request *request = making->request;
    int rc = open_template(change, making, err);
    if (rc == 0)
        rc = open_jail(change, making, err);
    if (rc == 0)
        rc = reserve_builder(change, making, err);
    if (rc < 0)
        return rc;
    making->build.template = making->template;
    making->build.version = making->version;
    making->build.from = request->spec->source;
    making->build.jail = making->jail;
    making->build.snapshot = making->snapshot;
    making->build.mirror = request->mirror;
    making->build.release = making->source == JA_SOURCE_FREEBSD ? &making->release : NULL;
    making->build.env = request->env;
    making->build.packages = request->packages ? request->packages : &none;
    making->build.commands = request->commands;
    making->build.command_count = request->command_count;
    return ja_change_apply(change, plan_build, making, err);
}

int ja_engine_template_build(struct ja_engine *engine, const struct ja_template_request *request, char *ret_version,
                             struct ja_error *err)
{
    struct ja_change change;
    struct making making = {.request = request};
    int rc = check_request(&making, err);
    if (rc == 0)
        rc = ja_engine_pool_ensure(engine, err);
    if (rc == 0)
        rc = find_checksum(engine, &making, err);
    if (rc == 0)
        rc = ensure_network(engine, &making, err);
    if (rc < 0) {
        making_fini(&making);
        return rc;
    }
    rc = begin_making(&change, engine, &making, err);
    if (rc == 0)
        rc = make_version(&change, &making, err);
    ja_change_end(&change);
    if (rc == 0 && ret_version)
        snprintf(ret_version, 24, "%s", making.version->version);
    making_fini(&making);
    return rc;
}

int ja_engine_template_create(struct ja_engine *engine, const struct ja_template *spec, struct ja_error *err)
{
    const struct ja_template_request request = {.spec = spec};
    return ja_engine_template_build(engine, &request, NULL, err);
}
