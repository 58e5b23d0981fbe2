/*
 * fuzz_hostverbs.c: the arguments and the standard input of `jailadmin host VERB`. Nothing happens: the linker puts what is below between
 * the verbs and the system (--wrap), where whatever would look at something or change it fails, in one of several ways. So verbs come
 * as far as they do when nothing is there, or nothing is allowed. Readers of what is there are other targets'.
 */
#include "fuzz.h"

#include "base/file.h"
#include "run/hostverb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* What the system says while a verb runs; 0: none does. */
static int refusal;

/* Functions of these parameters and results: the real one when no verb runs, else -1, or NULL. */
#define REFUSE(type, failed, name, parameters, arguments)                                                              \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        if (!refusal)                                                                                                  \
            return __real_##name arguments;                                                                            \
        errno = refusal;                                                                                               \
        return failed;                                                                                                 \
    }

REFUSE(int, -1, access, (const char *a, int b), (a, b))
REFUSE(int, -1, bind, (int a, const struct sockaddr *b, socklen_t c), (a, b, c))
REFUSE(int, -1, chdir, (const char *a), (a))
REFUSE(int, -1, chmod, (const char *a, mode_t b), (a, b))
REFUSE(int, -1, close_range, (unsigned a, unsigned b, int c), (a, b, c))
REFUSE(int, -1, connect, (int a, const struct sockaddr *b, socklen_t c), (a, b, c))
REFUSE(int, -1, dup, (int a), (a))
REFUSE(int, -1, dup2, (int a, int b), (a, b))
REFUSE(int, -1, execv, (const char *a, char *const *b), (a, b))
REFUSE(int, -1, execve, (const char *a, char *const *b, char *const *c), (a, b, c))
REFUSE(int, -1, faccessat, (int a, const char *b, int c, int d), (a, b, c, d))
REFUSE(int, -1, fchdir, (int a), (a))
REFUSE(int, -1, fchmod, (int a, mode_t b), (a, b))
REFUSE(int, -1, fchmodat, (int a, const char *b, mode_t c, int d), (a, b, c, d))
REFUSE(int, -1, fchown, (int a, uid_t b, gid_t c), (a, b, c))
REFUSE(int, -1, fchownat, (int a, const char *b, uid_t c, gid_t d, int e), (a, b, c, d, e))
REFUSE(int, -1, fexecve, (int a, char *const *b, char *const *c), (a, b, c))
REFUSE(int, -1, flock, (int a, int b), (a, b))
REFUSE(FILE *, NULL, fopen64, (const char *a, const char *b), (a, b))
REFUSE(FILE *, NULL, fopen, (const char *a, const char *b), (a, b))
REFUSE(pid_t, -1, fork, (void), ())
REFUSE(int, -1, fsetxattr, (int a, const char *b, const void *c, size_t d, int e), (a, b, c, d, e))
REFUSE(int, -1, fstatat64, (int a, const char *b, struct stat64 *c, int d), (a, b, c, d))
REFUSE(int, -1, ftruncate64, (int a, off64_t b), (a, b))
REFUSE(int, -1, kill, (pid_t a, int b), (a, b))
REFUSE(int, -1, link, (const char *a, const char *b), (a, b))
REFUSE(int, -1, linkat, (int a, const char *b, int c, const char *d, int e), (a, b, c, d, e))
REFUSE(int, -1, lstat64, (const char *a, struct stat64 *b), (a, b))
REFUSE(int, -1, mkdir, (const char *a, mode_t b), (a, b))
REFUSE(int, -1, mkdirat, (int a, const char *b, mode_t c), (a, b, c))
REFUSE(int, -1, mkfifoat, (int a, const char *b, mode_t c), (a, b, c))
REFUSE(int, -1, mount, (const char *a, const char *b, const char *c, unsigned long d, const void *e), (a, b, c, d, e))
REFUSE(DIR *, NULL, opendir, (const char *a), (a))
REFUSE(int, -1, pipe, (int *a), (a))
REFUSE(int, -1, pipe2, (int *a, int b), (a, b))
REFUSE(int, -1, poll, (struct pollfd * a, nfds_t b, int c), (a, b, c))
REFUSE(ssize_t, -1, readlink, (const char *a, char *b, size_t c), (a, b, c))
REFUSE(ssize_t, -1, readlinkat, (int a, const char *b, char *c, size_t d), (a, b, c, d))
REFUSE(char *, NULL, realpath, (const char *a, char *b), (a, b))
REFUSE(int, -1, rename, (const char *a, const char *b), (a, b))
REFUSE(int, -1, renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))
REFUSE(int, -1, rmdir, (const char *a), (a))
REFUSE(int, -1, setgroups, (size_t a, const gid_t *b), (a, b))
REFUSE(int, -1, sethostname, (const char *a, size_t b), (a, b))
REFUSE(int, -1, setns, (int a, int b), (a, b))
REFUSE(int, -1, setpgid, (pid_t a, pid_t b), (a, b))
REFUSE(int, -1, setresgid, (gid_t a, gid_t b, gid_t c), (a, b, c))
REFUSE(int, -1, setresuid, (uid_t a, uid_t b, uid_t c), (a, b, c))
REFUSE(int, -1, setrlimit64, (int a, const struct rlimit64 *b), (a, b))
REFUSE(pid_t, -1, setsid, (void), ())
REFUSE(int, -1, setxattr, (const char *a, const char *b, const void *c, size_t d, int e), (a, b, c, d, e))
REFUSE(int, -1, socket, (int a, int b, int c), (a, b, c))
REFUSE(int, -1, socketpair, (int a, int b, int c, int *d), (a, b, c, d))
REFUSE(int, -1, stat64, (const char *a, struct stat64 *b), (a, b))
REFUSE(int, -1, statfs64, (const char *a, struct statfs64 *b), (a, b))
REFUSE(int, -1, statvfs64, (const char *a, struct statvfs64 *b), (a, b))
REFUSE(int, -1, symlink, (const char *a, const char *b), (a, b))
REFUSE(int, -1, symlinkat, (const char *a, int b, const char *c), (a, b, c))
REFUSE(int, -1, umount2, (const char *a, int b), (a, b))
REFUSE(int, -1, unlink, (const char *a), (a))
REFUSE(int, -1, unlinkat, (int a, const char *b, int c), (a, b, c))
REFUSE(int, -1, unshare, (int a), (a))
REFUSE(int, -1, utimensat, (int a, const char *b, const struct timespec *c, int d), (a, b, c, d))
REFUSE(int, -1, waitid, (idtype_t a, id_t b, siginfo_t *c, int d), (a, b, c, d))
REFUSE(pid_t, -1, waitpid, (pid_t a, int *b, int c), (a, b, c))

/* Those with as many parameters as the caller likes. No verb runs when somebody else calls them, who then has all of them. */
#define REFUSE_ANY(type, name, first, words)                                                                           \
    type __real_##name first;                                                                                          \
    type __wrap_##name first;                                                                                          \
    type __wrap_##name first                                                                                           \
    {                                                                                                                  \
        long rest[5];                                                                                                  \
        va_list list;                                                                                                  \
        va_start(list, a);                                                                                             \
        for (int i = 0; i < 5; i++)                                                                                    \
            rest[i] = va_arg(list, long);                                                                              \
        va_end(list);                                                                                                  \
        if (!refusal)                                                                                                  \
            return __real_##name words;                                                                                \
        errno = refusal;                                                                                               \
        return -1;                                                                                                     \
    }
REFUSE_ANY(long, syscall, (long a, ...), (a, rest[0], rest[1], rest[2], rest[3], rest[4]))
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    errno = refusal;
    return refusal ? -1 : __real_open64(path, flags, mode);
}
int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    errno = refusal;
    return refusal ? -1 : __real_openat64(dir, path, flags, mode);
}
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(JA_UNUSED int fd, JA_UNUSED unsigned long request, ...)
{
    errno = refusal ? refusal : ENOTTY;
    return -1;
}
int __wrap_prctl(int option, ...);
int __wrap_prctl(JA_UNUSED int option, ...)
{
    errno = refusal ? refusal : EINVAL;
    return -1;
}
/* A child would return from this function. */
pid_t __wrap_vfork(void);
pid_t __wrap_vfork(void)
{
    errno = refusal ? refusal : EAGAIN;
    return -1;
}
/* Nobody waits here, but the time passes. */
static time_t waited;
int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    int rc = __real_clock_gettime(clock, time);
    time->tv_sec += refusal ? waited : 0;
    return rc;
}
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);
int __wrap_nanosleep(JA_UNUSED const struct timespec *time, JA_UNUSED struct timespec *rest)
{
    waited++;
    return 0;
}
int __wrap_usleep(useconds_t time);
int __wrap_usleep(JA_UNUSED useconds_t time)
{
    waited++;
    return 0;
}
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status)
{
    if (refusal)
        fuzz_fail(__FILE__, __LINE__, "a verb ends its process");
    __real__exit(status);
}

/* ---- a verb ---- */

enum { WORDS_MOST = 48 };

/* "e VERB", an argument a line up to an empty one, and the standard input. e chooses how the system refuses. */
static void verb(char *text, size_t length)
{
    static const int refusals[] = {ENOENT, EPERM, EEXIST, EINVAL, ENOSPC, ENOTDIR};
    char *argv[WORDS_MOST + 1], *rest = text, *word = fuzz_line(&rest);
    struct ja_error err = JA_ERROR_INIT;
    int argc = 0;
    if (!word || strlen(word) < 3)
        return;
    const struct ja_hostverb *found = ja_hostverb_find(word + 2);
    if (!found)
        return;
    argv[argc++] = word + 2;
    while (argc < WORDS_MOST && (word = fuzz_line(&rest)) != NULL && *word)
        argv[argc++] = word;
    argv[argc] = NULL;
    ja_autostr struct ja_str output = {0};
    struct ja_hostverb_io io = {.input = rest ? rest : "", .output = &output};
    io.input_length = rest ? length - (size_t)(rest - text) : 0;
    refusal = refusals[(unsigned char)(text[0] - 'a') % JA_COUNT(refusals)];
    int code = found->run(argc, argv, &io, &err);
    refusal = 0;
    if (code == JA_E_UNSUPPORTED && !err.what[0])
        return; /* a native declines */
    fuzz_accepted(code > 0 ? 0 : code, &err);
}

const struct fuzz_parser fuzz_parsers[] = {{"verb", verb}, {NULL, NULL}};

/* ---- seeds: what plans call ---- */

/* A few of each verb will do. */
static bool has_enough(const char *verb)
{
    static struct {
        const char *name;
        unsigned count;
    } seen[128];
    const struct ja_hostverb *found = ja_hostverb_find(verb);
    size_t i = 0;
    while (found && i < JA_COUNT(seen) - 1 && seen[i].name && seen[i].name != found->name)
        i++;
    seen[i].name = found ? found->name : NULL;
    return !found || seen[i].count++ >= 4;
}

static void seed_line(const char *line, const char *input, size_t input_length)
{
    ja_autostrv struct ja_strv words = {0};
    ja_autostr struct ja_str text = {0};
    static unsigned number;
    if (ja_str_split_words(line, &words) < 0 || words.count < 3 || has_enough(words.items[2]))
        return;
    ja_str_addf(&text, "%c ", (char)('a' + number++ % 6));
    for (size_t i = 2; i < words.count && strcmp(words.items[i], "<<END") != 0; i++)
        ja_str_addf(&text, "%s\n", words.items[i]);
    ja_str_add(&text, "\n");
    ja_str_addn(&text, input, input_length);
    if (text.length < 4096)
        fuzz_seed_bytes("verb", text.text, text.length);
}

static void seed_plan(const char *path)
{
    ja_autofree char *text = NULL;
    must(ja_file_read(path, 1 << 20, &text, NULL, NULL) == 0);
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n'), *next = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        const char *host = strstr(line, "jailadmin host "), *input = next ? next : "";
        if (host && line[0] == '/') {
            bool fed = strstr(line, "<<'END'") != NULL;
            const char *stop = fed ? strstr(input, "\nEND\n") : NULL;
            seed_line(line, input, stop ? (size_t)(stop - input) + 1 : 0);
        }
        line = next;
    }
}

void fuzz_seeds(void)
{
    static const char *const places[] = {"plan/linux-btrfs", "plan/freebsd-zfs"};
    const struct ja_hostverb *const tables[] = {ja_hostverb_portable(), ja_hostverb_native()};
    for (size_t i = 0; i < JA_COUNT(places); i++) {
        char path[1024];
        snprintf(path, sizeof path, FUZZ_TEST "/%s", places[i]);
        DIR *dir = opendir(path);
        for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
            if (strstr(entry->d_name, ".sh")) {
                char file[2048];
                snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
                seed_plan(file);
            }
        if (dir)
            closedir(dir);
    }
    for (size_t t = 0; t < JA_COUNT(tables); t++)
        for (const struct ja_hostverb *known = tables[t]; known->name; known++) {
            ja_autostr struct ja_str line = {0};
            ja_str_addf(&line, "/x/jailadmin host %s %s", known->name, known->usage ? known->usage : "");
            for (char *c = line.text; *c; c++)
                if (strchr("[]()|'", *c))
                    *c = ' ';
            seed_line(line.text, "", 0);
            fuzz_word(known->name);
        }
    fuzz_word("\n\n");
}
