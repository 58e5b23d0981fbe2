/*
 * The compiled seccomp filter: applied to a process of our own, what the profile denies is denied, what it allows works; and what
 * makes it smaller changes no answer, of filters of libseccomp and of any others. Needs no root.
 */
#include "base/file.h"
#include "host/linux/native/native.h"
#include "run/hostverb.h"
#include "scratch.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
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

/* In the place of the C library's: what libseccomp wrote last stays readable. */
static int kept = -1;
int memfd_create(const char *name, unsigned flags)
{
    int fd = (int)syscall(SYS_memfd_create, name, flags);
    if (kept >= 0)
        close(kept);
    kept = dup(fd);
    return fd;
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

/* ---- smaller filters ---- */

struct program {
    struct sock_filter *at;
    size_t count;
};

/* Numbers by chance, the same ones in each run. */
static uint64_t chance_state = 0x9e3779b97f4a7c15;
static uint32_t chance(uint32_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (uint32_t)(chance_state >> 32) % below;
}

/* The file that a filter was exported to, exactly in memory of its size. */
static struct program exported(void)
{
    struct stat st;
    assert_int_equal(fstat(kept, &st), 0);
    struct program program = {malloc((size_t)st.st_size), (size_t)st.st_size / sizeof(struct sock_filter)};
    assert_non_null(program.at);
    assert_int_equal(pread(kept, program.at, (size_t)st.st_size, 0), st.st_size);
    return program;
}

static struct program compacted(const struct program *old)
{
    struct ja_error err = JA_ERROR_INIT;
    struct program made = {malloc(old->count * sizeof *old->at + 1), old->count};
    assert_non_null(made.at);
    memcpy(made.at, old->at, old->count * sizeof *old->at);
    assert_int_equal(ja_filter_compact(made.at, &made.count, &err), 0);
    assert_true(made.count <= old->count);
    made.at = realloc(made.at, made.count * sizeof *made.at + 1); /* so that reading beyond its end is noticed */
    return made;
}

static bool is_same(const struct program *a, const struct program *b)
{
    return a->count == b->count && memcmp(a->at, b->at, a->count * sizeof *a->at) == 0;
}

/* Constants that were applied to arguments. */
static uint32_t seen[64];
static size_t seen_count;
static void see(uint32_t k)
{
    for (size_t i = 0; i < seen_count; i++)
        if (seen[i] == k)
            return;
    if (seen_count < JA_COUNT(seen))
        seen[seen_count++] = k;
}

/* What a program answers to a call. */
static uint32_t answer(const struct program *program, const struct seccomp_data *call)
{
    uint32_t a = 0;
    bool argument = false;
    for (size_t i = 0;; i++) {
        assert_true(i < program->count);
        const struct sock_filter *in = &program->at[i];
        bool yes = false;
        if (argument && in->code != (BPF_LD | BPF_W | BPF_ABS))
            see(in->k);
        switch (in->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(in->k % 4 == 0 && in->k < sizeof *call);
            memcpy(&a, (const char *)call + in->k, 4);
            argument = in->k >= offsetof(struct seccomp_data, instruction_pointer);
            continue;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= in->k;
            continue;
        case BPF_RET | BPF_K:
            return in->k;
        case BPF_JMP | BPF_JA:
            i += in->k;
            continue;
        case BPF_JMP | BPF_JEQ | BPF_K:
            yes = a == in->k;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            yes = a > in->k;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            yes = a >= in->k;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            yes = (a & in->k) != 0;
            break;
        default:
            fail_msg("instruction %zu has the code 0x%x", i, in->code);
        }
        i += yes ? in->jt : in->jf;
    }
}

static void assert_answer(const struct program *a, const struct program *b, const struct seccomp_data *call)
{
    uint32_t one = answer(a, call), two = answer(b, call);
    if (one != two)
        fail_msg("call 0x%x of 0x%x: 0x%x became 0x%x", (unsigned)call->nr, call->arch, one, two);
}

/* A number that a constant tells from others. */
static uint32_t near_seen(size_t i)
{
    static const uint32_t ends[] = {0, UINT32_MAX};
    return i < 2 ? ends[i] : i % 4 == 3 ? ~seen[(i - 2) / 4] : seen[(i - 2) / 4] + i % 4 - 1;
}

/* Whether both answer the same to one number, with arguments by chance, and with each argument of all that matters. */
static void assert_number(const struct program *a, const struct program *b, uint32_t arch, uint32_t number,
                          unsigned tries, bool all)
{
    struct seccomp_data call = {.nr = (int)number, .arch = arch};
    uint32_t words[14];
    seen_count = 0;
    assert_answer(a, b, &call);
    for (unsigned i = 0; seen_count > 0 && i < tries; i++) {
        for (size_t k = 0; k < JA_COUNT(words); k++)
            words[k] = near_seen(chance(2 + 4 * (uint32_t)seen_count));
        memcpy(&call.instruction_pointer, words, sizeof words);
        assert_answer(a, b, &call);
    }
    for (size_t i = 0; all && seen_count > 0 && i < 6; i++) {
        memset(call.args, 0, sizeof call.args);
        for (size_t low = 0; low < 2 + 4 * seen_count; low++) {
            for (size_t high = 0; high < 2 + 4 * seen_count; high++) {
                call.args[i] = near_seen(low) | (uint64_t)near_seen(high) << 32;
                assert_answer(a, b, &call);
            }
        }
    }
}

static const uint32_t arches[] = {
    AUDIT_ARCH_X86_64,
    AUDIT_ARCH_I386,
    AUDIT_ARCH_AARCH64,
    AUDIT_ARCH_ARM,
    AUDIT_ARCH_X86_64 + 1,
    AUDIT_ARCH_X86_64 - 1,
    AUDIT_ARCH_I386 - 1,
    AUDIT_ARCH_I386 + 1,
    0,
    UINT32_MAX,
    AUDIT_ARCH_AARCH64 + 1,
    AUDIT_ARCH_S390X,
    AUDIT_ARCH_AARCH64 - 1,
    0x12345678,
};

static void assert_equivalent(const struct program *a, const struct program *b, uint32_t numbers, unsigned tries,
                              bool all)
{
    static const uint32_t more[] = {0x3fffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    for (size_t i = 0; i < JA_COUNT(arches); i++) {
        for (uint32_t number = 0; number <= numbers; number++) {
            assert_number(a, b, arches[i], number, tries, all);
            assert_number(a, b, arches[i], number | 0x40000000, tries, all);
        }
        for (size_t k = 0; k < JA_COUNT(more); k++)
            assert_number(a, b, arches[i], more[k], tries, all);
    }
}

/* Bits of what came out otherwise than Debian's profile says. */
static int tried_debian(const struct program *made)
{
    struct sock_fprog program = {.len = (unsigned short)made->count, .filter = made->at};
    int wrong = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return 64;
    wrong |= syscall(SYS_getpid) > 0 ? 0 : 1;
    wrong |= syscall(SYS_kexec_load, 0, 0, NULL, -1) < 0 && errno == EPERM ? 0 : 2;
    wrong |= syscall(SYS_personality, 0xffffffff) >= 0 ? 0 : 4;
    wrong |= syscall(SYS_personality, 5) < 0 && errno == ENOSYS ? 0 : 8;
    wrong |= syscall(5000) < 0 && errno == ENOSYS ? 0 : 16;
    return wrong;
}

static void test_debians_profile_is_a_third_with_the_same_answers(void **state JA_UNUSED)
{
    struct ja_error err = JA_ERROR_INIT;
    ja_autofree char *text = NULL;
    size_t length;
    if (!exists("/usr/share/containers/seccomp.json"))
        skip();
    assert_int_equal(ja_file_read("/usr/share/containers/seccomp.json", 1 << 22, &text, &length, &err), 0);
    struct program made = {0};
    made.at = compiled(text, &made.count, &err);
    assert_non_null(made.at);
    struct program old = exported();
    assert_true(made.count * 3 < old.count);
    assert_equivalent(&old, &made, 1200, 100, true);
    pid_t pid = fork();
    if (pid == 0)
        syscall(SYS_exit_group, tried_debian(&made));
    assert_int_equal(child_status(pid), 0);
    /* What is small stays as it is, or becomes smaller again, but no other. */
    struct program again = compacted(&made);
    assert_equivalent(&old, &again, 1200, 10, false);
    free(old.at);
    free(made.at);
    free(again.at);
}

/* Exports a filter of rules by chance, with conditions on arguments and further architectures; of `kinds` actions. */
static void export_rules(int fd, uint32_t kinds)
{
    static const uint32_t actions[] = {SCMP_ACT_ALLOW, SCMP_ACT_LOG,      SCMP_ACT_TRAP,
                                       SCMP_ACT_KILL,  SCMP_ACT_ERRNO(1), SCMP_ACT_ERRNO(38)};
    static const uint32_t others[] = {SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, SCMP_ARCH_ARM};
    static const scmp_datum_t values[] = {0, 1, 2, 8, 0x20000, 0xffffffff, 0x100000000, 0x8000000000000001, UINT64_MAX};
    static const enum scmp_compare operators[] = {SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,       SCMP_CMP_EQ,
                                                  SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ};
    scmp_filter_ctx filter = seccomp_init(actions[kinds - 1]);
    if (!filter)
        _exit(1);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 1 + chance(2));
    for (size_t i = 0; i < JA_COUNT(others); i++)
        if (chance(3) == 0)
            seccomp_arch_add(filter, others[i]);
    /* One rule a number, or some that are alternatives: others make libseccomp search without an end. */
    for (unsigned rules = chance(150), first = chance(400); rules > 0; rules--) {
        struct scmp_arg_cmp conditions[3];
        unsigned count = chance(3) == 0 ? chance(4) : 0;
        uint32_t action = actions[chance(3) ? 0 : chance(kinds)];
        for (unsigned i = 0; i < count; i++)
            conditions[i] = (struct scmp_arg_cmp){.arg = 2 * i + chance(2),
                                                  .op = operators[chance(JA_COUNT(operators))],
                                                  .datum_a = values[chance(JA_COUNT(values))],
                                                  .datum_b = values[chance(JA_COUNT(values))]};
        if (chance(6) == 0)
            continue;
        /* Refused when it has no effect, or no meaning on one of the architectures. */
        (void)seccomp_rule_add_array(filter, action, (int)(first + rules), count, conditions);
        for (unsigned i = 0; count == 1 && conditions[0].op == SCMP_CMP_EQ && i < 3; i++) {
            conditions[0].datum_a = values[i];
            (void)seccomp_rule_add_array(filter, action, (int)(first + rules), 1, conditions);
        }
    }
    if (seccomp_export_bpf(filter, fd) < 0)
        _exit(1);
}

/* By a process of its own: libseccomp loses memory when it refuses a rule. */
static struct program by_libseccomp(uint32_t kinds)
{
    int fd = memfd_create("rules", MFD_CLOEXEC);
    chance_state += 0x632be59bd9b4e019;
    pid_t pid = fork();
    if (pid == 0) {
        export_rules(fd, kinds);
        _exit(0);
    }
    close(fd);
    assert_int_equal(child_status(pid), 0);
    return exported();
}

static void test_filters_of_libseccomp_keep_their_answers(void **state JA_UNUSED)
{
    size_t smaller = 0;
    for (unsigned i = 0; i < 60; i++) {
        struct program old = by_libseccomp(2 + i % 5), made = compacted(&old);
        smaller += made.count < old.count;
        assert_equivalent(&old, &made, 520, 20, false);
        free(old.at);
        free(made.at);
    }
    assert_true(smaller > 40);
}

/* An instruction that is understood, with constants that are often met, and jumps that are short or not, rarely beyond the end. */
static struct sock_filter instruction(size_t left)
{
    static const uint16_t conditions[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    uint32_t most = left > 256 ? 256
                    : left > 0 ? (uint32_t)left
                               : 1,
             k = chance(4) ? chance(12) : arches[chance(4)] - chance(2);
    if (chance(500) == 0)
        most += 2;
    switch (left == 0 ? 0 : chance(12)) {
    case 0:
        return (struct sock_filter){.code = BPF_RET | BPF_K, .k = chance(4)};
    case 1:
        return (struct sock_filter){.code = BPF_JMP | BPF_JA, .k = chance(most)};
    case 2:
        return (struct sock_filter){.code = BPF_LD | BPF_W | BPF_ABS, .k = 4 * (chance(2) ? chance(2) : chance(16))};
    case 3:
        return chance(4) ? (struct sock_filter){.code = BPF_LD | BPF_W | BPF_ABS, .k = chance(2) * 4}
                         : (struct sock_filter){.code = BPF_ALU | BPF_AND | BPF_K, .k = chance(12)};
    default:
        if (chance(4))
            most = most > 8 ? 8 : most;
        return (struct sock_filter){.code = BPF_JMP | BPF_K | conditions[chance(chance(8) ? 6 : 7)],
                                    .jt = (uint8_t)chance(most),
                                    .jf = (uint8_t)chance(most),
                                    .k = k};
    }
}

static void test_any_programs_keep_their_answers(void **state JA_UNUSED)
{
    size_t smaller = 0;
    for (unsigned i = 0; i < 20000; i++) {
        size_t count = 1 + chance(chance(20) ? 40 : 900);
        struct program old = {malloc(count * sizeof *old.at), count};
        for (size_t k = 0; k < count; k++)
            old.at[k] = instruction(count - 1 - k);
        if (chance(4))
            old.at[0] = (struct sock_filter){.code = BPF_LD | BPF_W | BPF_ABS, .k = chance(2) * 4};
        struct program made = compacted(&old);
        smaller += made.count < old.count;
        for (unsigned k = 0; !is_same(&old, &made) && k < 18; k++)
            for (size_t n = 0; n < 6; n++)
                assert_number(&old, &made, n < 4 ? arches[n] - (k & 1) : chance(14),
                              k < 14 ? k : arches[k - 14] - chance(2), 10, false);
        free(old.at);
        free(made.at);
    }
    assert_true(smaller > 5000);
}

/* As many numbers with answers of their own that no condition reaches from one end of them to the other. */
static void test_long_ways_are_jumped(void **state JA_UNUSED)
{
    struct program old = {malloc(4001 * sizeof *old.at), 0};
    old.at[old.count++] = (struct sock_filter){.code = BPF_LD | BPF_W | BPF_ABS, .k = 0};
    for (uint32_t i = 0; i < 1300; i++) {
        old.at[old.count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, i, 1, 0);
        old.at[old.count++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
        old.at[old.count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, i % 3 ? i % 600 : 7);
    }
    old.at[old.count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 7);
    struct program made = compacted(&old);
    assert_true(made.count < old.count);
    assert_equivalent(&old, &made, 1310, 0, false);
    free(old.at);
    free(made.at);
}

static void test_what_is_damaged_stays_as_it_is(void **state JA_UNUSED)
{
    struct program whole = by_libseccomp(2);
    for (unsigned i = 0; i < 20000; i++) {
        size_t count = 1 + chance(60);
        struct program old = {malloc(count * sizeof *old.at), count};
        for (size_t k = 0; k < count * sizeof *old.at; k++)
            ((unsigned char *)old.at)[k] = (unsigned char)chance(256);
        /* Cut off, or with a byte of it another. */
        if (i % 4 == 0)
            memcpy(old.at, whole.at, sizeof *old.at * (count < whole.count ? count : whole.count));
        struct program made = compacted(&old);
        assert_true(is_same(&old, &made));
        free(old.at);
        free(made.at);
    }
    for (unsigned i = 0; i < 2000; i++) {
        unsigned char *byte = (unsigned char *)whole.at + chance((uint32_t)(whole.count * sizeof *whole.at)),
                      was = *byte;
        *byte = (unsigned char)chance(256);
        struct program made = compacted(&whole);
        for (uint32_t n = 0; !is_same(&whole, &made) && n < 500; n += 1 + chance(20))
            assert_number(&whole, &made, arches[n % 5], n, 5, false);
        *byte = was;
        free(made.at);
    }
    free(whole.at);
}

static void test_bad_instructions_stay_as_they_are(void **state JA_UNUSED)
{
    static const struct sock_filter bad[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),         /* not a word of a call */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64),        /* behind its end */
        BPF_STMT(BPF_JMP | BPF_JA, 2),                 /* beyond the program */
        BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX),        /* backwards */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 2, 0),  /* beyond the program */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 2),  /* the same */
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 0), /* a bit of a number */
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 1),        /* arithmetic on it */
        BPF_STMT(BPF_ST, 0),                           /* memory */
        BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),        /* the other register */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 0),  /* the same */
        BPF_STMT(BPF_RET | BPF_A, 0),                  /* no constant */
    };
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        struct sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                                       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0), bad[i],
                                       BPF_STMT(BPF_RET | BPF_K, 1), BPF_STMT(BPF_RET | BPF_K, 1)};
        struct program old = {filter, JA_COUNT(filter)}, made = compacted(&old);
        assert_true(is_same(&old, &made));
        free(made.at);
    }
}

static void test_no_memory_leaves_it_as_it_is(void **state JA_UNUSED)
{
    struct program old = by_libseccomp(2), made = compacted(&old);
    assert_true(made.count < old.count);
    for (long k = 0;; k++) {
        struct ja_error err = JA_ERROR_INIT;
        struct program tried_one = {malloc(old.count * sizeof *old.at), old.count};
        memcpy(tried_one.at, old.at, old.count * sizeof *old.at);
        ja_alloc_fail_after(k);
        int rc = ja_filter_compact(tried_one.at, &tried_one.count, &err);
        bool failed = ja_alloc_fail_after(-1) < 0;
        assert_true(is_same(&tried_one, failed ? &old : &made));
        assert_int_equal(rc, failed ? JA_E_NOMEM : 0);
        free(tried_one.at);
        if (!failed)
            break;
    }
    free(old.at);
    free(made.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter_does_what_the_profile_says),
        cmocka_unit_test(test_unknown_parts_are_refused),
        cmocka_unit_test(test_debians_profile_is_a_third_with_the_same_answers),
        cmocka_unit_test(test_filters_of_libseccomp_keep_their_answers),
        cmocka_unit_test(test_any_programs_keep_their_answers),
        cmocka_unit_test(test_long_ways_are_jumped),
        cmocka_unit_test(test_what_is_damaged_stays_as_it_is),
        cmocka_unit_test(test_bad_instructions_stay_as_they_are),
        cmocka_unit_test(test_no_memory_leaves_it_as_it_is),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
