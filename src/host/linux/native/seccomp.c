/*
 * seccomp.c: the system call filter of jails. containers-common ships a profile for all architectures, kernels and sets
 * of capabilities, with conditions; crun wants what is left of it for this machine. That is worked out once
 * (seccomp-convert) and put into each jail's config.json (bundle).
 */
#include "model/field.h"
#include "base/file.h"
#include "host/linux/native/container.h"
#include "host/linux/oci.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define PROFILE_MAX (4 * 1024 * 1024)

/* This machine as uname(2), the profile's conditions (Go) and libseccomp name it. */
static const struct arch {
    const char *machine, *go, *scmp;
} ARCHES[] = {
    {"x86_64", "amd64", "SCMP_ARCH_X86_64"},     {"aarch64", "arm64", "SCMP_ARCH_AARCH64"},
    {"armv7l", "arm", "SCMP_ARCH_ARM"},          {"i686", "x86", "SCMP_ARCH_X86"},
    {"riscv64", "riscv64", "SCMP_ARCH_RISCV64"}, {"ppc64le", "ppc64le", "SCMP_ARCH_PPC64LE"},
    {"s390x", "s390x", "SCMP_ARCH_S390X"},
};

struct machine {
    const struct arch *arch;
    int kernel_major, kernel_minor;
};

static bool has_capability(const char *name)
{
    for (size_t i = 0; ja_oci_default_capabilities[i] != NULL; i++) {
        if (strcmp(ja_oci_default_capabilities[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool kernel_at_least(const struct machine *machine, const char *version)
{
    int major = 0, minor = 0;

    return sscanf(version, "%d.%d", &major, &minor) == 2 &&
           (machine->kernel_major > major || (machine->kernel_major == major && machine->kernel_minor >= minor));
}

/* How many of the conditions hold. A condition list is an "and" for includes, an "or" for excludes. */
static void count_conditions(const json_t *conditions, const struct machine *machine, int *ret_true, int *ret_false)
{
    const char *kernel = json_string_value(json_object_get(conditions, "minKernel"));
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(conditions, "caps"), i, item)
    {
        *(has_capability(json_string_value(item)) ? ret_true : ret_false) += 1;
    }
    if (json_array_size(json_object_get(conditions, "arches")) > 0) {
        bool found = false;

        json_array_foreach(json_object_get(conditions, "arches"), i, item)
        {
            found |= ja_str_equal(json_string_value(item), machine->arch->go);
        }
        *(found ? ret_true : ret_false) += 1;
    }
    if (kernel != NULL) {
        *(kernel_at_least(machine, kernel) ? ret_true : ret_false) += 1;
    }
}

static bool applies(const json_t *rule, const struct machine *machine)
{
    int holds = 0, fails = 0, excluded = 0, ignored = 0;

    count_conditions(json_object_get(rule, "includes"), machine, &holds, &fails);
    count_conditions(json_object_get(rule, "excludes"), machine, &excluded, &ignored);
    return fails == 0 && excluded == 0;
}

/* A rule without its conditions and comments. */
static json_t *convert_rule(const json_t *rule)
{
    static const char *const keys[] = {"names", "action", "errnoRet"};
    json_t *result = json_object();
    json_t *args = json_object_get(rule, "args");
    bool ok = result != NULL;

    for (size_t i = 0; ok && i < JA_COUNT(keys); i++) {
        json_t *value = json_object_get(rule, keys[i]);

        ok = value == NULL || json_is_null(value) || json_object_set(result, keys[i], value) == 0;
    }
    if (ok && json_array_size(args) > 0) {
        ok = json_object_set(result, "args", args) == 0;
    }
    if (!ok) {
        json_decref(result);
        return NULL;
    }
    return result;
}

static json_t *architectures_of(const json_t *profile, const struct machine *machine)
{
    json_t *result = json_pack("[s]", machine->arch->scmp);
    const json_t *entry, *sub;
    size_t i, k;

    json_array_foreach(json_object_get(profile, "archMap"), i, entry)
    {
        if (!ja_str_equal(json_string_value(json_object_get(entry, "architecture")), machine->arch->scmp)) {
            continue;
        }
        json_array_foreach(json_object_get(entry, "subArchitectures"), k, sub)
        {
            if (result == NULL || json_array_append_new(result, json_deep_copy(sub)) < 0) {
                json_decref(result);
                return NULL;
            }
        }
    }
    return result;
}

static json_t *convert(const json_t *profile, const struct machine *machine)
{
    json_t *result = json_object(), *rules = json_array();
    json_t *action = json_object_get(profile, "defaultAction"), *number = json_object_get(profile, "defaultErrnoRet");
    json_t *rule;
    size_t i;
    bool ok = result != NULL && rules != NULL && json_object_set(result, "defaultAction", action) == 0 &&
              (number == NULL || json_object_set(result, "defaultErrnoRet", number) == 0) &&
              json_object_set_new(result, "architectures", architectures_of(profile, machine)) == 0;

    json_array_foreach(json_object_get(profile, "syscalls"), i, rule)
    {
        ok = ok && (!applies(rule, machine) || json_array_append_new(rules, convert_rule(rule)) == 0);
    }
    ok = ok && json_object_set(result, "syscalls", rules) == 0;
    json_decref(rules);
    if (!ok) {
        json_decref(result);
        return NULL;
    }
    return result;
}

static int this_machine(struct machine *ret_machine, struct ja_error *err)
{
    struct utsname name;

    uname(&name);
    for (size_t i = 0; i < JA_COUNT(ARCHES); i++) {
        if (strcmp(ARCHES[i].machine, name.machine) == 0) {
            ret_machine->arch = &ARCHES[i];
            sscanf(name.release, "%d.%d", &ret_machine->kernel_major, &ret_machine->kernel_minor);
            return 0;
        }
    }
    return ja_error_set(err, JA_E_UNSUPPORTED, NULL, "no seccomp profile for %s machines", name.machine);
}

static int write_json(const char *path, const json_t *json, bool durable, struct ja_error *err)
{
    char *text = ja_json_text(json, JSON_COMPACT);
    int code;

    if (text == NULL) {
        return ja_error_nomem(err);
    }
    code = ja_file_write(path, text, strlen(text), 0600, durable, err);
    free(text);
    return code;
}

static int read_json(const char *path, json_t **ret_json, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    json_error_t where;
    size_t length;
    bool nomem;
    int code;

    if ((code = ja_file_read(path, PROFILE_MAX, &text, &length, err)) < 0) {
        return code;
    }
    *ret_json = ja_json_load(text, length, 0, &where, &nomem);
    return *ret_json != NULL ? 0
           : nomem           ? ja_error_nomem(err)
                             : ja_error_set(err, JA_E_CORRUPT, NULL, "%s line %d: %s", path, where.line, where.text);
}

int ja_verb_seccomp_convert(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    struct machine machine = {0};
    json_t *profile = NULL, *result;
    int code;

    if (argc != 3) {
        return ja_opt_usage(argv[0], err);
    }
    if ((code = this_machine(&machine, err)) < 0 || (code = read_json(argv[1], &profile, err)) < 0) {
        return code;
    }
    if (!json_is_array(json_object_get(profile, "syscalls")) ||
        !json_is_string(json_object_get(profile, "defaultAction"))) {
        code = ja_error_set(err, JA_E_CORRUPT, NULL, "%s is not a seccomp profile", argv[1]);
    } else {
        result = convert(profile, &machine);
        code = result == NULL ? ja_error_nomem(err) : write_json(argv[2], result, true, err);
        json_decref(result);
    }
    json_decref(profile);
    return code;
}

static int add_seccomp(json_t *config, const char *file, struct ja_error *err)
{
    json_t *section = json_object_get(config, "linux"), *seccomp = NULL;
    int code;

    if (!json_is_object(section)) {
        return ja_error_set(err, JA_E_INVALID, NULL, "the config.json has no section \"linux\"");
    }
    if ((code = read_json(file, &seccomp, err)) < 0) {
        return code;
    }
    return json_object_set_new(section, "seccomp", seccomp) < 0 ? ja_error_nomem(err) : 0;
}

/* RFC 4648, section 4. The caller frees it; NULL when memory is out. */
static char *base64(const unsigned char *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = ja_malloc((length + 2) / 3 * 4 + 1), *out = text;

    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < length; i += 3) {
        unsigned three = (unsigned)bytes[i] << 16;

        three |= i + 1 < length ? (unsigned)bytes[i + 1] << 8 : 0;
        three |= i + 2 < length ? bytes[i + 2] : 0;
        *out++ = digits[three >> 18];
        *out++ = digits[three >> 12 & 63];
        *out++ = i + 1 < length ? digits[three >> 6 & 63] : '=';
        *out++ = i + 2 < length ? digits[three & 63] : '=';
    }
    *out = '\0';
    return text;
}

/* crun takes the filter from an annotation, in text, instead of compiling a profile. */
static int add_filter(json_t *config, const char *file, struct ja_error *err)
{
    ja_autofree char *bytes = NULL, *text = NULL;
    json_t *annotations;
    size_t length;
    int code;

    if ((code = ja_file_read(file, JA_FILTER_MOST, &bytes, &length, err)) < 0) {
        return code;
    }
    text = base64((const unsigned char *)bytes, length);
    annotations = text != NULL ? json_pack("{s:s}", "run.oci.seccomp_bpf_data", text) : NULL;
    return annotations == NULL || json_object_set_new(config, "annotations", annotations) < 0 ? ja_error_nomem(err) : 0;
}

int ja_filter_read(const char *path, struct sock_fprog *ret_filter, struct ja_error *err)
{
    char *bytes = NULL;
    size_t length = 0;
    int code = ja_file_read(path, JA_FILTER_MOST, &bytes, &length, err);

    if (code < 0) {
        return code;
    }
    if (length == 0 || length % sizeof(struct sock_filter) != 0 || length / sizeof(struct sock_filter) > BPF_MAXINSNS) {
        ja_free(bytes);
        return ja_error_set(err, JA_E_CORRUPT, NULL, "%s is no seccomp filter", path);
    }
    ret_filter->filter = (struct sock_filter *)(void *)bytes;
    ret_filter->len = (unsigned short)(length / sizeof(struct sock_filter));
    return 0;
}

int ja_bundle_add_filter(const char *bundle, struct ja_error *err)
{
    ja_autofree char *path = ja_printf("%s/config.json", bundle), *filter = ja_printf("%s/seccomp.bpf", bundle);
    json_t *config = NULL;
    int code;

    if (path == NULL || filter == NULL) {
        return ja_error_nomem(err);
    }
    if ((code = read_json(path, &config, err)) == 0 && (code = add_filter(config, filter, err)) == 0) {
        code = write_json(path, config, false, err);
    }
    json_decref(config);
    return code;
}

/* A copy of its own, which `exec` uses as long as the jail runs. */
static int copy_filter(const char *from, const char *dir, struct ja_error *err)
{
    ja_autofree char *bytes = NULL, *to = ja_printf("%s/seccomp.bpf", dir);
    size_t length;
    int code = to == NULL ? ja_error_nomem(err) : ja_file_read(from, JA_FILTER_MOST, &bytes, &length, err);

    return code < 0 ? code : ja_file_write(to, bytes, length, 0600, false, err);
}

int ja_verb_bundle(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    const char *seccomp = NULL, *filter = NULL;
    ja_autofree char *path = NULL;
    json_error_t where;
    bool nomem;
    json_t *config;
    int first, code;
    const struct ja_opt options[] = {
        {.name = "--seccomp", .value = &seccomp}, {.name = "--filter", .value = &filter}, {0}};

    if ((code = ja_opt_read(argc, argv, options, &first, err)) < 0) {
        return code;
    }
    if (first != argc - 1) {
        return ja_opt_usage(argv[0], err);
    }
    config = ja_json_load(io->input, io->input_length, 0, &where, &nomem);
    if (nomem) {
        return ja_error_nomem(err);
    }
    if (config == NULL) {
        return ja_error_set(err, JA_E_INVALID, NULL, "config.json on standard input, line %d: %s", where.line,
                            where.text);
    }
    path = ja_printf("%s/config.json", argv[first]);
    if (path == NULL) {
        code = ja_error_nomem(err);
    } else if (seccomp != NULL && (code = add_seccomp(config, seccomp, err)) < 0) {
        ;
    } else if (mkdir(argv[first], 0700) < 0 && errno != EEXIST) {
        code = ja_error_sys(err, errno, NULL, "cannot make %s", argv[first]);
    } else if ((code = write_json(path, config, false, err)) == 0 && filter != NULL) {
        code = copy_filter(filter, argv[first], err);
    }
    json_decref(config);
    return code;
}
