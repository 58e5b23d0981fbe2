/*
 * crun.c: runs crun in a private mount namespace. There the jail's tree is mounted with its ids mapped, and a hybrid
 * host's empty cgroup2, which crun refuses, is hidden. Nothing of it reaches the host's mount table, so that a start
 * does not grow with the number of jails, and nothing has to be unmounted afterwards.
 */
#include "base/file.h"
#include "host/linux/native/container.h"
#include "run/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIFIED "/sys/fs/cgroup/unified"
#define MESSAGES_MAX 1500
/* None of crun's. */
#define STATUS_NO_CGROUP 201

struct crun_call {
    const char *cgroup, *tree, *root, *userns, *uid_base, *uid_count, *log, *log_limit, *pid_file, *files, *unless;
    bool filtered;
    struct ja_strv idmap;
};

static void call_fini(struct crun_call *call)
{
    ja_strv_fini(&call->idmap);
}

/* crun 1.8 refuses a host whose cgroup2 has no controllers beside v1 ones ("hybrid"), and works when it sees v1 only. */
static bool is_hybrid(void)
{
    struct statfs fs;

    return statfs(UNIFIED, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

static int private_mounts(bool hybrid, struct ja_error *err)
{
    if (unshare(CLONE_NEWNS) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot make a mount namespace");
    }
    /* Slave: nothing spreads to the host, but what the host unmounts meanwhile goes here too and is not kept busy. */
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot make the mount namespace private");
    }
    if (hybrid && umount2(UNIFIED, MNT_DETACH) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot hide " UNIFIED);
    }
    return 0;
}

int ja_tree_clone(const char *from, int userns_fd, bool devices, int *ret_fd, struct ja_error *err)
{
    ja_autoclose int fd = ja_sys_open_tree(from, true);
    struct ja_mount_attr attr = {.attr_clr = JA_MOUNT_ATTR_NOSUID | JA_MOUNT_ATTR_NOEXEC, .propagation = MS_PRIVATE};

    if (fd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot clone the mount at %s", from);
    }
    if (userns_fd >= 0) {
        attr.attr_set |= JA_MOUNT_ATTR_IDMAP;
        attr.userns_fd = (__u64)userns_fd;
    }
    if (devices) {
        attr.attr_clr |= JA_MOUNT_ATTR_NODEV;
    } else {
        attr.attr_set |= JA_MOUNT_ATTR_NODEV;
    }
    if (ja_sys_mount_setattr(fd, &attr) < 0) {
        int sys = errno;

        ja_error_sys(err, sys, NULL, "cannot %s the mount of %s", userns_fd >= 0 ? "map the ids of" : "change", from);
        return sys == EINVAL && userns_fd >= 0
                   ? ja_error_hint(err, "its file system has no idmapped mounts: see jailadmin host idmap-test %s",
                                   from)
                   : JA_E_FAILED;
    }
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* A clone of the mount at `from` appears at `to`, in this mount namespace only. */
static int mount_clone(const char *from, const char *to, int userns_fd, bool devices, struct ja_error *err)
{
    ja_autoclose int fd = -1;
    int code = ja_tree_clone(from, userns_fd, devices, &fd, err);

    if (code < 0) {
        return code;
    }
    return ja_sys_move_mount(fd, to) < 0 ? ja_error_sys(err, errno, NULL, "cannot mount %s at %s", from, to) : 0;
}

static int mount_trees(const struct crun_call *call, struct ja_error *err)
{
    ja_autoclose int userns_fd = -1;
    int64_t base = 0, count = -1;
    int code;

    if (call->userns != NULL) {
        userns_fd = open(call->userns, O_RDONLY | O_CLOEXEC);
        if (userns_fd < 0) {
            return ja_error_sys(err, errno, NULL, "cannot open %s", call->userns);
        }
    } else if (call->uid_count != NULL) {
        if ((code = ja_opt_number("--uid-count", call->uid_count, 0, UINT32_MAX, &count, err)) < 0) {
            return code;
        }
        if (count > 0 && ((code = ja_opt_number("--uid-base", call->uid_base, 1, UINT32_MAX - count, &base, err)) < 0 ||
                          (code = ja_userns_new(base, count, true, &userns_fd, NULL, err)) < 0)) {
            return code;
        }
    }
    if (call->tree != NULL) {
        if (mkdir(call->root, 0700) < 0 && errno != EEXIST) {
            return ja_error_sys(err, errno, NULL, "cannot make %s", call->root);
        }
        if ((code = mount_clone(call->tree, call->root, userns_fd, count == 0, err)) < 0) {
            return code;
        }
    }
    for (size_t i = 0; i < call->idmap.count; i++) {
        if ((code = mount_clone(call->idmap.items[i], call->idmap.items[i], userns_fd, count == 0, err)) < 0) {
            return code;
        }
    }
    return 0;
}

/*
 * crun's own messages go to a memory file, since its standard error becomes that of the jail's init. Returns crun's argv with
 * --log; the caller frees the vector.
 */
static int add_log_option(int argc, char *const *argv, int fd, struct ja_strv *ret_words, struct ja_error *err)
{
    if (ja_strv_add(ret_words, argv[0]) < 0 || ja_strv_addf(ret_words, "--log=file:/proc/self/fd/%d", fd) < 0) {
        return ja_error_nomem(err);
    }
    for (int i = 1; i < argc; i++) {
        if (ja_strv_add(ret_words, argv[i]) < 0) {
            return ja_error_nomem(err);
        }
    }
    return 0;
}

/*
 * crun gives the jail's init its standard streams with fchown(2), also when that is the host's own /dev/null: then the
 * jail's root could close it for the whole host. On a read-only mount of it the chown fails, which crun accepts, and
 * reading and writing a device works all the same.
 */
static int open_read_only(const char *file, int flags)
{
    ja_autoclose int tree = ja_sys_open_tree(file, true);
    const struct ja_mount_attr attr = {.attr_set = JA_MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
    char path[64];

    if (tree < 0 || ja_sys_mount_setattr(tree, &attr) < 0) {
        return -1;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", tree);
    return open(path, flags | O_CLOEXEC);
}

/* `program_fd`: crun's file on a read-only mount, from where it need not make a copy of itself to protect the host's; -1: none. */
static void exec_crun(char *const *words, int program_fd, int null_fd, int out_fd, pid_t parent)
{
    if (dup2(null_fd, 0) < 0 || dup2(out_fd >= 0 ? out_fd : null_fd, 1) < 0 ||
        dup2(out_fd >= 0 ? out_fd : null_fd, 2) < 0) {
        _exit(126);
    }
    /* crun dies with the runner; the jail's init does not, since fork clears this. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) {
        _exit(126);
    }
    if (program_fd >= 0) {
        fexecve(program_fd, words, environ);
    }
    execv(words[0], words);
    _exit(127);
}

/* `place`: the cgroup in which crun and all that it starts is born; NULL: ours. */
static int run_crun(int argc, char *const *argv, const struct ja_cgroup *place, int out_fd, struct ja_str *output,
                    struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    ja_autoclose int messages_fd = memfd_create("crun", 0); /* inherited by crun, which closes it for the jail */
    ja_autoclose int null_fd = open_read_only("/dev/null", O_RDWR), program_fd = open_read_only(argv[0], O_PATH);
    char messages[MESSAGES_MAX + 1];
    ssize_t length;
    int status = 0, code;
    pid_t pid, parent = getpid();

    if (messages_fd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot make a memory file");
    }
    if (null_fd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot open /dev/null read-only");
    }
    if ((code = add_log_option(argc, argv, messages_fd, &words, err)) < 0) {
        return code;
    }
    pid = place != NULL ? ja_cgroup_fork(place, STATUS_NO_CGROUP) : fork();
    if (pid == 0) {
        exec_crun(words.items, program_fd, null_fd, out_fd, parent);
    }
    if (pid < 0) {
        return ja_error_sys(err, errno, NULL, "cannot fork");
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return ja_error_sys(err, errno, NULL, "cannot wait for crun");
        }
    }
    length = pread(messages_fd, messages, MESSAGES_MAX, 0);
    messages[length > 0 ? length : 0] = '\0';
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        ja_str_add(output, messages);
        return 0;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NO_CGROUP) {
        ja_error_set(err, JA_E_FAILED, NULL, "cannot join the cgroup %s", place ? place->path : "");
    } else if (WIFEXITED(status)) {
        ja_error_set(err, JA_E_FAILED, NULL, "%s exited with status %d", argv[0], WEXITSTATUS(status));
    } else {
        ja_error_set(err, JA_E_FAILED, NULL, "%s was ended by signal %d", argv[0], WTERMSIG(status));
    }
    if (err != NULL) {
        snprintf(err->output, sizeof(err->output), "%s", messages);
    }
    return JA_E_FAILED;
}

/* Whether the jail's init really has a seccomp filter: a crun that does not know our annotation would start it without. */
static bool has_filter(pid_t pid)
{
    char path[64], text[4096];
    const char *line;
    ssize_t length;
    ja_autoclose int fd = -1;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (length = read(fd, text, sizeof(text) - 1)) <= 0) {
        return false;
    }
    text[length] = '\0';
    line = strstr(text, "\nSeccomp:");
    return line != NULL && strtol(line + strlen("\nSeccomp:"), NULL, 10) == 2;
}

/* crun writes the pid alone, which says nothing once the number is used again: the start time makes it an identity. */
static int complete_pid_file(const char *path, bool filtered, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    int64_t pid = 0;
    uint64_t start;
    char state;
    int code;

    if ((code = ja_file_read(path, 64, &text, NULL, err)) < 0) {
        return code;
    }
    text[strcspn(text, "\n")] = '\0';
    if ((code = ja_opt_number("--pid-file", text, 1, INT32_MAX, &pid, err)) < 0) {
        return code;
    }
    /* Cannot be another process: its parent, crun, has ended, so it is our child until we end (PR_SET_CHILD_SUBREAPER). */
    if (ja_init_start_time((pid_t)pid, &start, &state) < 0) {
        return ja_error_set(err, JA_E_FAILED, NULL, "the jail's init ended at once");
    }
    if (filtered && !has_filter((pid_t)pid)) {
        ja_error_set(err, JA_E_FAILED, NULL, "this crun does not apply the compiled seccomp filter");
        return ja_error_hint(err, "remove seccomp.bpf in the state directory: crun compiles the profile then, slowly");
    }
    return ja_init_write(path, (pid_t)pid, start, err);
}

/* `run`, `create`: the jail outlives crun. */
static int run_detached(const struct crun_call *call, const struct ja_cgroup *place, int argc, char *const *argv,
                        struct ja_str *output, struct ja_error *err)
{
    ja_autoclose int out_fd = -1;
    int64_t limit = 0;
    int code;

    if (call->log != NULL) {
        if ((code = ja_opt_number("--log-limit", call->log_limit, 4096, INT64_MAX / 2, &limit, err)) < 0) {
            return code;
        }
        if ((out_fd = ja_log_open(call->log, limit, err)) < 0) {
            return out_fd;
        }
    }
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot become a subreaper");
    }
    if ((code = run_crun(argc, argv, place, out_fd, output, err)) < 0) {
        return code;
    }
    code = call->pid_file != NULL ? complete_pid_file(call->pid_file, call->filtered, err) : 0;
    /* crun's helpers have become our children: not left for the host's init, which the jail would see as zombies. */
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    return code;
}

/* `crun exec` knows nothing of the limits that a container's init was given; what it starts inherits this one. */
static int limit_files(const char *text, struct ja_error *err)
{
    int64_t most = 0;
    int code = ja_opt_number("--files", text, 1, INT32_MAX, &most, err);
    struct rlimit limit = {.rlim_cur = (rlim_t)most, .rlim_max = (rlim_t)most};

    if (code < 0) {
        return code;
    }
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? ja_error_sys(err, errno, NULL, "cannot limit open files to %s", text)
                                                : 0;
}

/* Reads the options up to crun's own words, which begin at *ret_first. Free *call in any case. */
static int read_call(int argc, char *const *argv, struct crun_call *call, int *ret_first, struct ja_error *err)
{
    const struct ja_opt options[] = {{.name = "--cgroup", .value = &call->cgroup},
                                     {.name = "--tree", .value = &call->tree},
                                     {.name = "--root", .value = &call->root},
                                     {.name = "--userns", .value = &call->userns},
                                     {.name = "--uid-base", .value = &call->uid_base},
                                     {.name = "--uid-count", .value = &call->uid_count},
                                     {.name = "--log", .value = &call->log},
                                     {.name = "--log-limit", .value = &call->log_limit},
                                     {.name = "--pid-file", .value = &call->pid_file},
                                     {.name = "--files", .value = &call->files},
                                     {.name = "--unless", .value = &call->unless},
                                     {.name = "--filtered", .flag = &call->filtered},
                                     {.name = "--idmap", .list = true, .values = &call->idmap},
                                     {0}};
    int code = ja_opt_read(argc, argv, options, ret_first, err);

    if (code < 0) {
        return code;
    }
    if (*ret_first >= argc || argv[*ret_first][0] != '/' || (call->tree != NULL) != (call->root != NULL) ||
        (call->log != NULL) != (call->log_limit != NULL) || (call->cgroup != NULL && !ja_cgroup_valid(call->cgroup))) {
        return ja_opt_usage(argv[0], err);
    }
    return 0;
}

/* The words that start a jail: "CRUN --cgroup-manager NAME --root DIR run -d --pid-file FILE -b DIR ID". */
static bool is_start(int argc, char *const *argv)
{
    static const char *const words[] = {NULL, "--cgroup-manager", NULL, "--root", NULL, "run",
                                        "-d", "--pid-file",       NULL, "-b",     NULL, NULL};

    for (size_t i = 0; argc == (int)JA_COUNT(words) && i < JA_COUNT(words); i++) {
        if (words[i] != NULL && strcmp(words[i], argv[i]) != 0) {
            return false;
        }
    }
    return argc == (int)JA_COUNT(words) && ja_opt_plain_name(argv[argc - 1]);
}

/* A start that is done without crun. */
struct native_start {
    struct crun_call words;
    char *state;
    struct ja_container_call call;
    struct ja_container_start *begun;
};

static void native_fini(struct native_start *start)
{
    call_fini(&start->words);
    ja_free(start->state);
    *start = (struct native_start){0};
}

static int native_begin(int argc, char *const *argv, bool late, struct native_start *start, struct ja_error *err)
{
    struct crun_call *call = &start->words;
    int first, code = read_call(argc, argv, call, &first, err);

    if (code < 0) {
        return code;
    }
    if (!is_start(argc - first, argv + first) || call->cgroup == NULL || call->tree == NULL || call->pid_file == NULL ||
        call->uid_count != NULL || call->unless != NULL || call->files != NULL) {
        return JA_E_UNSUPPORTED;
    }
    start->state = ja_printf("%s/%s", argv[first + 4], argv[argc - 1]);
    if (start->state == NULL) {
        return ja_error_nomem(err);
    }
    start->call = (struct ja_container_call){.bundle = argv[argc - 2],
                                             .state = start->state,
                                             .filtered = call->filtered,
                                             .cgroup = call->cgroup,
                                             .tree = call->tree,
                                             .root = call->root,
                                             .mapped = call->userns != NULL,
                                             .volumes = &call->idmap,
                                             .log = call->log,
                                             .pid_file = call->pid_file};
    if (call->log != NULL &&
        (code = ja_opt_number("--log-limit", call->log_limit, 4096, INT64_MAX / 2, &start->call.log_limit, err)) < 0) {
        return code;
    }
    return ja_container_begin(&start->call, late, &start->begun, err);
}

/* What ja_crun_ahead has begun; `begun` NULL: nothing. */
static struct native_start ahead;

void ja_crun_ahead(int argc, char *const *argv, bool late)
{
    ja_crun_ahead_end();
    if (native_begin(argc, argv, late, &ahead, NULL) < 0) {
        native_fini(&ahead);
    }
}

void ja_crun_ahead_bring(void)
{
    if (ahead.begun != NULL && ja_container_bring(ahead.begun, NULL) < 0) {
        ja_crun_ahead_end(); /* the step itself tries again, and says why */
    }
}

void ja_crun_ahead_end(void)
{
    if (ahead.begun != NULL) {
        ja_container_cancel(ahead.begun);
    }
    native_fini(&ahead);
}

int ja_native_crun(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    JA_CLEANUP(native_fini) struct native_start start = {0};

    /* The same words, not only equal ones: it was begun for this very step. */
    if (ahead.begun != NULL && argc > 2 && ahead.call.bundle == argv[argc - 2]) {
        int code = ja_container_finish(ahead.begun, err);

        native_fini(&ahead);
        return code;
    }
    int code = native_begin(argc, argv, false, &start, err);
    return code < 0 ? code : ja_container_finish(start.begun, err);
}

int ja_verb_crun(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    JA_CLEANUP(call_fini) struct crun_call call = {0};
    JA_CLEANUP(ja_cgroup_close) struct ja_cgroup place = {.v2 = -1};
    bool hybrid = is_hybrid(), trees;
    int first, code;

    if ((code = read_call(argc, argv, &call, &first, err)) < 0) {
        return code;
    }
    if (call.unless != NULL && ja_init_alive(call.unless)) {
        return 0;
    }
    if (call.files != NULL && (code = limit_files(call.files, err)) < 0) {
        return code;
    }
    /* While the hierarchies can all be seen. */
    if (call.cgroup != NULL && (code = ja_cgroup_open(call.cgroup, &place, err)) < 0) {
        return code;
    }
    trees = call.tree != NULL || call.idmap.count > 0;
    if ((trees || hybrid) && (code = private_mounts(hybrid, err)) < 0) {
        return code;
    }
    if (trees && (code = mount_trees(&call, err)) < 0) {
        return code;
    }
    if (call.filtered &&
        (!is_start(argc - first, argv + first) || (code = ja_bundle_add_filter(argv[argc - 2], err)) < 0)) {
        return code < 0 ? code : ja_opt_usage(argv[0], err);
    }
    if (trees || call.log != NULL || call.pid_file != NULL) {
        return run_detached(&call, call.cgroup != NULL ? &place : NULL, argc - first, argv + first, io->output, err);
    }
    if (call.cgroup != NULL && ja_cgroup_join(&place) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot join the cgroup %s", call.cgroup);
    }
    /* exec, ps, update: crun takes this process's place, with its terminal, signals and exit status. */
    execv(argv[first], argv + first);
    return ja_error_sys(err, errno, NULL, "cannot run %s", argv[first]);
}

int ja_verb_idmap_test(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    ja_autoclose int userns_fd = -1, fd = -1;
    struct ja_mount_attr attr = {.attr_set = JA_MOUNT_ATTR_IDMAP};
    int code;

    if (argc != 2) {
        return ja_opt_usage(argv[0], err);
    }
    if ((code = ja_userns_new(0x70000000, 1, true, &userns_fd, NULL, err)) < 0) {
        return code;
    }
    fd = ja_sys_open_tree(argv[1], true);
    if (fd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot clone the mount at %s", argv[1]);
    }
    attr.userns_fd = (__u64)userns_fd;
    if (ja_sys_mount_setattr(fd, &attr) == 0) {
        ja_str_add(io->output, "yes\n");
    } else if (errno == EINVAL || errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) {
        ja_str_add(io->output, "no\n");
    } else {
        return ja_error_sys(err, errno, NULL, "cannot map the ids of %s", argv[1]);
    }
    return io->output->failed ? ja_error_nomem(err) : 0;
}
