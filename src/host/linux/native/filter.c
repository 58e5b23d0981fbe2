/*
 * filter.c: compiles the seccomp profile of jails to the kernel's own form, once for all of them. crun would do it at every
 * start, which takes longer than all the rest of a start. libseccomp is what crun itself uses for it; asked for a binary
 * tree, it also makes a filter that costs each system call less. What it writes is made smaller by filter_compact.c.
 */
#include "base/file.h"
#include "host/linux/native/native.h"
#include "model/field.h"

#include <errno.h>
#include <jansson.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROFILE_MAX (4 * 1024 * 1024)
#define ARGUMENTS 6

/* The action of a rule or of all that no rule names; false for one that we do not know. */
static bool action_of(const char *name, const json_t *number, uint32_t *ret_action)
{
    static const struct {
        const char *name;
        uint32_t action;
    } actions[] = {
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
        {"SCMP_ACT_KILL", SCMP_ACT_KILL},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
    };
    if (ja_str_equal(name, "SCMP_ACT_ERRNO")) {
        *ret_action = SCMP_ACT_ERRNO(json_is_integer(number) ? (uint16_t)json_integer_value(number) : EPERM);
        return true;
    }
    for (size_t i = 0; i < JA_COUNT(actions); i++) {
        if (ja_str_equal(name, actions[i].name)) {
            *ret_action = actions[i].action;
            return true;
        }
    }
    return false;
}

static bool comparison_of(const json_t *argument, struct scmp_arg_cmp *ret_comparison)
{
    static const struct {
        const char *name;
        enum scmp_compare op;
    } operators[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE},
        {"SCMP_CMP_LT", SCMP_CMP_LT},
        {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ},
        {"SCMP_CMP_GE", SCMP_CMP_GE},
        {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    };
    const char *name = json_string_value(json_object_get(argument, "op"));
    json_int_t index = json_integer_value(json_object_get(argument, "index"));
    for (size_t i = 0; i < JA_COUNT(operators); i++) {
        if (ja_str_equal(name, operators[i].name) && index >= 0 && index < ARGUMENTS) {
            *ret_comparison = (struct scmp_arg_cmp){
                .arg = (unsigned)index,
                .op = operators[i].op,
                .datum_a = (scmp_datum_t)json_integer_value(json_object_get(argument, "value")),
                .datum_b = (scmp_datum_t)json_integer_value(json_object_get(argument, "valueTwo")),
            };
            return true;
        }
    }
    return false;
}

/* One system call of a rule. Comparisons of the same argument are alternatives, which libseccomp wants one by one. */
static int add_call(scmp_filter_ctx filter, uint32_t action, int number, const struct scmp_arg_cmp *comparisons,
                    unsigned count)
{
    bool again = false;
    int rc = 0;
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < i; k++)
            again |= comparisons[i].arg == comparisons[k].arg;
    if (!again)
        return seccomp_rule_add_array(filter, action, number, count, comparisons);
    for (unsigned i = 0; rc == 0 && i < count; i++)
        rc = seccomp_rule_add_array(filter, action, number, 1, &comparisons[i]);
    return rc;
}

static int add_rule(scmp_filter_ctx filter, uint32_t otherwise, const json_t *rule, struct ja_error *err)
{
    const char *name = json_string_value(json_object_get(rule, "action"));
    struct scmp_arg_cmp comparisons[ARGUMENTS];
    const json_t *item;
    uint32_t action;
    unsigned count = 0;
    size_t i;

    if (!action_of(name, json_object_get(rule, "errnoRet"), &action))
        return ja_error_set(err, JA_E_CORRUPT, NULL, "the seccomp profile has an unknown action %s",
                            JA_SHOW(name ? name : ""));
    if (action == otherwise)
        return 0;
    json_array_foreach(json_object_get(rule, "args"), i, item)
    {
        if (count == ARGUMENTS || !comparison_of(item, &comparisons[count++]))
            return ja_error_set(err, JA_E_CORRUPT, NULL, "the seccomp profile has a condition that is not understood");
    }
    json_array_foreach(json_object_get(rule, "names"), i, item)
    {
        /* A profile names calls of all kernels; those that this libseccomp does not know stay denied. */
        int number = seccomp_syscall_resolve_name(json_string_value(item));
        int rc = number == __NR_SCMP_ERROR ? 0 : add_call(filter, action, number, comparisons, count);
        if (rc < 0)
            return ja_error_sys(err, -rc, NULL, "cannot add %s to the seccomp filter",
                                JA_SHOW(json_string_value(item)));
    }
    return 0;
}

static int add_architectures(scmp_filter_ctx filter, const json_t *profile, struct ja_error *err)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(profile, "architectures"), i, item)
    {
        const char *name = json_string_value(item);
        char lower[32] = "";
        for (size_t k = 0; name && strlen(name) > 10 && k + 1 < sizeof lower && name[10 + k]; k++)
            lower[k] = (char)(name[10 + k] | (name[10 + k] >= 'A' && name[10 + k] <= 'Z' ? 0x20 : 0));
        uint32_t arch = seccomp_arch_resolve_name(lower); /* SCMP_ARCH_X86_64 is "x86_64" there */
        int rc = arch ? seccomp_arch_add(filter, arch) : -EINVAL;
        if (rc < 0 && rc != -EEXIST)
            return ja_error_sys(err, -rc, NULL, "no seccomp filter for the architecture %s", JA_SHOW(name ? name : ""));
    }
    return 0;
}

/* libseccomp writes to a descriptor; the file appears whole, or not at all. */
static int write_filter(scmp_filter_ctx filter, const char *path, struct ja_error *err)
{
    ja_autoclose int fd = memfd_create("seccomp", MFD_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot make room for the seccomp filter");
    int rc = seccomp_export_bpf(filter, fd);
    if (rc < 0 || fstat(fd, &st) < 0)
        return ja_error_sys(err, rc < 0 ? -rc : errno, NULL, "cannot compile the seccomp filter");
    struct sock_filter *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return ja_error_sys(err, errno, NULL, "cannot read the seccomp filter back");
    size_t count = (size_t)st.st_size / sizeof *bytes;
    rc = ja_filter_compact(bytes, &count, err);
    if (rc == 0)
        rc = ja_file_write(path, (const char *)bytes, count * sizeof *bytes, 0600, true, err);
    munmap(bytes, (size_t)st.st_size);
    return rc;
}

static int compile(const json_t *profile, const char *path, struct ja_error *err)
{
    uint32_t otherwise;
    const json_t *rule;
    size_t i;
    int rc;

    if (!action_of(json_string_value(json_object_get(profile, "defaultAction")),
                   json_object_get(profile, "defaultErrnoRet"), &otherwise))
        return ja_error_set(err, JA_E_CORRUPT, NULL, "the seccomp profile has no default action that is known");
    scmp_filter_ctx filter = seccomp_init(otherwise);
    if (!filter)
        return ja_error_nomem(err);
    /* 2: a binary tree. An older library refuses it and makes a longer way through the same rules. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    rc = add_architectures(filter, profile, err);
    json_array_foreach(json_object_get(profile, "syscalls"), i, rule)
    {
        if (rc == 0)
            rc = add_rule(filter, otherwise, rule, err);
    }
    if (rc == 0)
        rc = write_filter(filter, path, err);
    seccomp_release(filter);
    return rc;
}

int ja_verb_seccomp_compile(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    json_error_t where;
    size_t length;

    if (argc != 3)
        return ja_opt_usage(argv[0], err);
    int rc = ja_file_read(argv[1], PROFILE_MAX, &text, &length, err);
    if (rc < 0)
        return rc;
    bool nomem;
    json_t *profile = ja_json_load(text, length, 0, &where, &nomem);
    if (nomem)
        return ja_error_nomem(err);
    if (!profile)
        return ja_error_set(err, JA_E_CORRUPT, NULL, "%s line %d: %s", argv[1], where.line, where.text);
    rc = compile(profile, argv[2], err);
    json_decref(profile);
    return rc;
}
