/*
 * The compiled seccomp filter: applied to a process of our own, what the profile denies is denied, what it allows works. Needs
 * no root.
 */
#include "base/file.h"
#include "run/hostverb.h"
#include "scratch.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const char profile[] =
    "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38,"
    " \"archMap\": [{\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [\"SCMP_ARCH_X86\"]}],"
    " \"syscalls\": ["
    "  {\"names\": [\"getpid\", \"exit_group\", \"exit\", \"no_such_call_ever\"], \"action\": \"SCMP_ACT_ALLOW\"},"
    "  {\"names\": [\"getppid\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 13},"
    "  {\"names\": [\"getuid\"], \"action\": \"SCMP_ACT_ALLOW\", \"excludes\": {\"caps\": [\"CAP_CHOWN\"]}},"
    "  {\"names\": [\"personality\"], \"action\": \"SCMP_ACT_ALLOW\","
    "   \"args\": [{\"index\": 0, \"value\": 8, \"op\": \"SCMP_CMP_EQ\"},"
    "              {\"index\": 0, \"value\": 4294967295, \"op\": \"SCMP_CMP_EQ\"}]}]}";

/* In the place of the C library's: how often. */
static unsigned syncs;
int fsync(int fd)
{
    (void)fd;
    syncs++;
    return 0;
}

static int verb(const char *name, const char *from, const char *to, struct ja_error *err)
{
    char *argv[] = {(char *)name, (char *)from, (char *)to, NULL};
    struct ja_hostverb_io io = {.input = ""};
    return ja_hostverb_find(name)->run(3, argv, &io, err);
}

/* The compiled filter of the profile `text`; the caller frees it. */
static struct sock_filter *compiled(const char *text, size_t *ret_count, struct ja_error *err)
{
    char from[300], json[300], bpf[300];
    struct sock_filter *filter = NULL;
    snprintf(from, sizeof from, "%s/profile", scratch);
    snprintf(json, sizeof json, "%s/json", scratch);
    snprintf(bpf, sizeof bpf, "%s/bpf", scratch);
    assert_int_equal(ja_file_write(from, text, strlen(text), 0600, false, err), 0);
    if (verb("seccomp-convert", from, json, err) == 0 && verb("seccomp-compile", json, bpf, err) == 0) {
        char *bytes;
        size_t length;
        assert_int_equal(ja_file_read(bpf, 1 << 20, &bytes, &length, err), 0);
        assert_int_equal(length % sizeof *filter, 0);
        *ret_count = length / sizeof *filter;
        filter = (struct sock_filter *)(void *)bytes;
    }
    return filter;
}

/* Bits of what came out otherwise than the profile says; the process has the filter then. */
static int tried(struct sock_filter *filter, size_t count)
{
    struct sock_fprog program = {.len = (unsigned short)count, .filter = filter};
    int wrong = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return 64;
    wrong |= syscall(SYS_getpid) > 0 ? 0 : 1;
    wrong |= syscall(SYS_getppid) < 0 && errno == EACCES ? 0 : 2;
    wrong |= syscall(SYS_getuid) < 0 && errno == ENOSYS ? 0 : 4;
    wrong |= syscall(SYS_unshare, CLONE_NEWUSER) < 0 && errno == ENOSYS ? 0 : 8;
    wrong |= syscall(SYS_personality, 0xffffffff) >= 0 ? 0 : 16;
    wrong |= syscall(SYS_personality, 5) < 0 && errno == ENOSYS ? 0 : 32;
    return wrong;
}

static void test_filter_does_what_the_profile_says(void **state JA_UNUSED)
{
    struct ja_error err = JA_ERROR_INIT;
    size_t count = 0;
    int status;
    struct sock_filter *filter = compiled(profile, &count, &err);
    /* Without them no jail starts: both files are on the disk before their instance is. */
    assert_int_equal(syncs, 2);
    assert_string_equal(err.what, "");
    assert_non_null(filter);
    pid_t pid = fork();
    if (pid == 0)
        syscall(SYS_exit_group, tried(filter, count));
    free(filter);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_unknown_parts_are_refused(void **state JA_UNUSED)
{
    static const char *const bad[] = {
        "{\"defaultAction\": \"SCMP_ACT_MAYBE\", \"syscalls\": []}",
        "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"NO\"}]}",
        ("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\","
         " \"args\": [{\"index\": 9, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}]}"),
    };
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        struct ja_error err = JA_ERROR_INIT;
        size_t count;
        assert_null(compiled(bad[i], &count, &err));
        assert_int_equal(err.code, JA_E_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter_does_what_the_profile_says),
        cmocka_unit_test(test_unknown_parts_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
