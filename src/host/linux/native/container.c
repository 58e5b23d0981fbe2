/*
 * container.c: starts a jail's init without crun, with the same result: the same namespaces, mounts, rights, limits and filter,
 * and the same state beside it, so that `crun list`, `crun exec` and all that works with crun's jails work with these. crun
 * is a process that loads its libraries and starts three more of itself; this takes two.
 *
 * We stay outside. `between` is born in the jail's cgroups, joins its user and network namespaces and makes the others; its
 * child is process 1 of the jail: it mounts what the jail sees, gives up its rights, waits until we know it, and becomes
 * the init. Whatever ends us before that ends it.
 *
 * A start that is begun before its tree is there (see ja_container_bring) gets what lies on the storage later, through the channel;
 * until then the init makes what needs no tree.
 */
#include "base/clock.h"
#include "base/file.h"
#include "host/linux/native/container.h"
#include "model/field.h"
#include "run/log.h"
#include "run/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A bind mount's source on a dead network file system must not hold us for ever. */
#define ANSWER_MS 60000
#define CANCEL_MS 10000
#define STATUS_NO_CGROUP 201
#define BROUGHT_MOST 250 /* descriptors in one message; the kernel takes 253 */
#define INIT_HEAD (64 << 10)
#define INIT_TAIL (128 << 10)
#define JA_SECCOMP_SPEC_ALLOW 4ul /* crun's choice too: no mitigation that programs of other jails do not have */

enum says { SAYS_PID = 1, SAYS_RUNNING, SAYS_FAILED };

struct message {
    enum says says;
    pid_t pid;
    struct ja_container_failure failure;
};

/* All that is opened before anything is done. */
struct ja_container_start {
    const struct ja_container_call *call;
    struct ja_container container;
    struct sock_fprog filter; /* compiled; len 0: none */
    struct ja_cgroup place;
    int tree, user_ns, net_ns, log;
    int log_tree; /* the mount of the log: whoever closes it last waits for all processors, which is not to be the init */
    int ours, theirs; /* ends of the channel to the init */
    int init;         /* its pidfd */
    pid_t between;    /* until it is reaped */
    int *kept;        /* descriptors that the init needs, sorted */
    size_t kept_count;
    bool late; /* what lies on the storage is still to be brought */
    bool has_state, has_pid_file;
};

static void start_free(struct ja_container_start *start)
{
    int *fds[] = {&start->tree,     &start->user_ns, &start->net_ns, &start->log,
                  &start->log_tree, &start->ours,    &start->theirs, &start->init};

    for (size_t i = 0; i < JA_COUNT(fds); i++)
        if (*fds[i] >= 0)
            close(*fds[i]);
    ja_free(start->kept);
    ja_free(start->filter.filter);
    ja_cgroup_close(&start->place);
    ja_container_fini(&start->container);
    ja_free(start);
}

/* ---- in the jail: system calls only ---- */

static void say(int fd, const struct message *message)
{
    ssize_t ignored JA_UNUSED = send(fd, message, sizeof(*message), MSG_NOSIGNAL);
}

static void give_up(int fd, struct ja_container_failure *failure, const char *what, const char *path)
{
    ja_container_fail(failure, what, path);
    const struct message message = {.says = SAYS_FAILED, .failure = *failure};
    say(fd, &message);
    _exit(1);
}

static int take_streams(int log)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), out = log >= 0 ? log : null_fd;

    return null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ? -1 : 0;
}

static int take_rights(const struct ja_container_start *start)
{
    const struct ja_container *container = &start->container;
    const struct rlimit files = {.rlim_cur = (rlim_t)container->files, .rlim_max = (rlim_t)container->files};

    if (container->files > 0 && setrlimit(RLIMIT_NOFILE, &files) < 0)
        return -1;
    if (ja_sys_bound_capabilities(container->capabilities) < 0 ||
        (container->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0))
        return -1;
    if (start->filter.len > 0 &&
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, JA_SECCOMP_SPEC_ALLOW, &start->filter) < 0)
        return -1;
    return ja_sys_have_capabilities(container->capabilities);
}

/* Where each descriptor of what lies on the storage is kept, in the order in which they go through the channel. */
static size_t brought(struct ja_container_start *start, int *places[BROUGHT_MOST])
{
    size_t count = 0;

    places[count++] = &start->tree;
    if (start->call->log != NULL)
        places[count++] = &start->log;
    for (size_t i = 0; i < start->container.mount_count && count < BROUGHT_MOST; i++)
        if (start->container.mounts[i].type == NULL)
            places[count++] = &start->container.mounts[i].fd;
    return count;
}

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(BROUGHT_MOST * sizeof(int))];
};

static int receive_brought(struct ja_container_start *start)
{
    union control control = {0};
    char byte;
    struct iovec io = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    int *places[BROUGHT_MOST];
    size_t count = brought(start, places);

    if (recvmsg(start->theirs, &message, MSG_CMSG_CLOEXEC) != 1)
        return -1;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(count * sizeof(int))) {
        errno = EBADMSG;
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(places[i], CMSG_DATA(header) + i * sizeof(int), sizeof(int));
    return 0;
}

static void be_init(struct ja_container_start *start)
{
    struct ja_container *container = &start->container;
    struct ja_container_failure failure = {0};
    const struct message running = {.says = SAYS_RUNNING};
    int fd = start->theirs;
    char go;

    /* The host's session keyring stays outside. */
    if (setsid() < 0 || (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS))
        give_up(fd, &failure, "begin a session", "");
    if (sethostname(container->hostname, strlen(container->hostname)) < 0)
        give_up(fd, &failure, "set the hostname", "");
    if (start->late) {
        ja_container_mounts_ahead(container);
        if (receive_brought(start) < 0)
            _exit(1);
    }
    if (ja_container_mounts(container, start->tree, start->call->root, &failure) < 0)
        give_up(fd, &failure, "", "");
    ja_relay_default_signals();
    umask(022);
    if (take_streams(start->log) < 0)
        give_up(fd, &failure, "open", "/dev/null");
    if (chdir(container->cwd) < 0)
        give_up(fd, &failure, "enter", container->cwd);
    if (dup2(fd, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) < 0 || ja_sys_close_from(4) < 0)
        give_up(fd, &failure, "close what is the host's", "");
    if (take_rights(start) < 0)
        give_up(3, &failure, "give up rights", "");
    if (read(3, &go, 1) != 1)
        _exit(1);
    say(3, &running);
    execve(container->argv[0], (char *const *)(uintptr_t)container->argv, (char *const *)(uintptr_t)container->env);
    give_up(3, &failure, "run", container->argv[0]);
}

static void be_between(struct ja_container_start *start, pid_t parent)
{
    struct ja_container_failure failure = {0};
    struct message message = {.says = SAYS_PID};
    int fd = start->theirs;

    /* The locks and the journal of our plan would be held by the jail for as long as it needs to notice that we have died. */
    if (ja_sys_close_but(start->kept, start->kept_count) < 0)
        give_up(fd, &failure, "close what is the host's", "");
    if (setns(start->net_ns, CLONE_NEWNET) < 0 || setns(start->user_ns, CLONE_NEWUSER) < 0 || setgroups(0, NULL) < 0 ||
        setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        give_up(fd, &failure, "enter its namespaces", "");
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWCGROUP) < 0)
        give_up(fd, &failure, "make its namespaces", "");
    /* A change of ids clears this, so it comes after them. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    message.pid = fork();
    if (message.pid == 0)
        be_init(start);
    if (message.pid < 0)
        give_up(fd, &failure, "fork", "");
    say(fd, &message);
    _exit(0);
}

/* ---- outside ---- */

static int open_ns(const char *path, int *ret_fd, struct ja_error *err)
{
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? ja_error_sys(err, errno, NULL, "cannot open %s", path) : 0;
}

/* The jail's volumes have its ids; what else it binds is the host's. */
static int open_binds(struct ja_container_start *start, int mapped, struct ja_error *err)
{
    for (size_t i = 0; i < start->container.mount_count; i++) {
        struct ja_container_mount *mount = &start->container.mounts[i];
        int code;

        if (mount->type != NULL)
            continue;
        if (ja_strv_has(start->call->volumes, mount->source)) {
            if ((code = ja_tree_clone(mount->source, mapped, false, &mount->fd, err)) < 0)
                return code;
            continue;
        }
        ja_autoclose int source = open(mount->source, O_PATH | O_CLOEXEC);
        if (source < 0 || (mount->fd = ja_sys_clone_tree(source, mount->recursive)) < 0)
            return ja_error_sys(err, errno, NULL, "cannot mount %s in the jail", mount->source);
    }
    return 0;
}

/* On a mount of its own, so that /proc/1/fd does not tell the jail where the host keeps it. */
static int open_log(struct ja_container_start *start, struct ja_error *err)
{
    const struct ja_container_call *call = start->call;
    ja_autoclose int file = ja_log_open(call->log, call->log_limit, err);
    char path[64];

    if (file < 0)
        return file;
    start->log_tree = ja_sys_clone_tree(file, false);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", start->log_tree);
    start->log = start->log_tree < 0 ? -1 : open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    /* It owns its log, or its programs could not open /dev/stdout. */
    if (start->log < 0 || fchown(start->log, (uid_t)start->container.root_uid, (gid_t)start->container.root_uid) < 0)
        return ja_error_sys(err, errno, NULL, "cannot open the log %s", call->log);
    return 0;
}

/* What lies on the storage. */
static int open_trees(struct ja_container_start *start, struct ja_error *err)
{
    const struct ja_container_call *call = start->call;
    int mapped = call->mapped ? start->user_ns : -1, code;

    if ((code = ja_tree_clone(call->tree, mapped, false, &start->tree, err)) < 0 ||
        (code = open_binds(start, mapped, err)) < 0)
        return code;
    return call->log != NULL ? open_log(start, err) : 0;
}

static int open_all(struct ja_container_start *start, struct ja_error *err)
{
    const struct ja_container_call *call = start->call;
    int pair[2], code;

    if ((code = open_ns(start->container.user_ns, &start->user_ns, err)) < 0 ||
        (code = open_ns(start->container.net_ns, &start->net_ns, err)) < 0)
        return code;
    if (start->late && start->container.mount_count + 3 > BROUGHT_MOST)
        return JA_E_UNSUPPORTED;
    if ((!start->late && (code = open_trees(start, err)) < 0) ||
        (code = ja_cgroup_open(call->cgroup, &start->place, err)) < 0)
        return code;
    if (mkdir(call->root, 0700) < 0 && errno != EEXIST)
        return ja_error_sys(err, errno, NULL, "cannot make %s", call->root);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a socket pair");
    start->ours = pair[0];
    start->theirs = pair[1];
    return 0;
}

static bool put_file(const char *dir, const char *name, const void *bytes, size_t length)
{
    char path[512];
    ja_autoclose int fd = -1;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700);
    return fd >= 0 && ja_fd_write(fd, bytes, length) == 0;
}

/* Another name for a file of the bundle: neither is ever changed. */
static bool share_file(const char *bundle, const char *dir, const char *name)
{
    char from[512], to[512];

    snprintf(from, sizeof(from), "%s/%s", bundle, name);
    snprintf(to, sizeof(to), "%s/%s", dir, name);
    return link(from, to) == 0;
}

/* What crun writes about a container in its directory, with which it knows it later. */
static json_t *crun_status(const struct ja_container_call *call, pid_t pid, uint64_t born)
{
    char created[JA_TIME_TEXT], streams[1100];

    ja_clock_format(ja_clock_wall_ms(), created);
    const char *log = call->log != NULL ? call->log : "/dev/null";
    snprintf(streams, sizeof(streams), "[\"/dev/null\",\"%s\",\"%s\"]", log, log);
    return json_pack("{s:i, s:I, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:b, s:s}", "pid", (int)pid, "process-start-time",
                     (json_int_t)born, "cgroup-path", "", "scope", "", "rootfs", call->root, "systemd-cgroup", 0,
                     "bundle", call->bundle, "created", created, "owner", "root", "detached", 1, "external_descriptors",
                     streams);
}

static int write_state(struct ja_container_start *start, pid_t pid, uint64_t born, struct ja_error *err)
{
    const char *dir = start->call->state;
    json_t *status = crun_status(start->call, pid, born);
    ja_autofree char *text = status != NULL ? ja_json_text(status, JSON_COMPACT) : NULL;

    json_decref(status);
    if (text == NULL)
        return ja_error_nomem(err);
    if (mkdir(dir, 0700) < 0)
        return ja_error_sys(err, errno, NULL, "cannot make %s", dir);
    start->has_state = true;
    if (!share_file(start->call->bundle, dir, "config.json") ||
        (start->filter.len > 0 && !share_file(start->call->bundle, dir, "seccomp.bpf")) ||
        !put_file(dir, "status", text, strlen(text)))
        return ja_error_sys(err, errno, NULL, "cannot write the state in %s", dir);
    return 0;
}

/*
 * The init that `between` told of, or -1 with errno, ESRCH when it has ended. It waits for our word; had it failed before, its number could be another's by now, but then there would
 * be a word of its own, or the end of the channel.
 */
static int open_init(const struct ja_container_start *start, pid_t pid)
{
    int fd = ja_sys_pidfd_open(pid);
    char byte;

    if (fd >= 0 && (recv(start->ours, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN)) {
        close(fd);
        errno = ESRCH;
        return -1;
    }
    return fd;
}

/* JA_E_BUSY: it has ended, and its own message says why. */
static int let_go(struct ja_container_start *start, pid_t pid, struct ja_error *err)
{
    uint64_t born;
    char state;
    int code;

    start->init = open_init(start, pid);
    if (start->init < 0)
        return errno == ESRCH ? JA_E_BUSY : ja_error_sys(err, errno, NULL, "cannot watch the jail's init");
    if (ja_init_start_time(pid, &born, &state) < 0)
        return ja_error_set(err, JA_E_FAILED, NULL, "the jail's init ended at once");
    if ((code = write_state(start, pid, born, err)) < 0 ||
        (code = ja_init_write(start->call->pid_file, pid, born, err)) < 0)
        return code;
    start->has_pid_file = true;
    return send(start->ours, "g", 1, MSG_NOSIGNAL) == 1 ? 0 : JA_E_BUSY;
}

static int failure_of(const struct ja_container_failure *failure, struct ja_error *err)
{
    /* A kernel that lacks one of these calls: crun has other ways. */
    if (failure->sys == ENOSYS)
        return JA_E_UNSUPPORTED;
    return ja_error_sys(err, failure->sys, NULL, "cannot %s%s%s in the jail", failure->what,
                        failure->path[0] != '\0' ? " " : "", failure->path);
}

static int listen_to(struct ja_container_start *start, struct ja_error *err)
{
    int64_t deadline = ja_clock_monotonic_ms() + ANSWER_MS;
    bool running = false;

    for (;;) {
        struct pollfd fds = {.fd = start->ours, .events = POLLIN};
        int64_t left = deadline - ja_clock_monotonic_ms();
        struct message message;
        int ready = left > 0 ? poll(&fds, 1, (int)left) : 0, code;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return ja_error_set(err, JA_E_TIMEOUT, NULL, "the jail's init did not start within %d s", ANSWER_MS / 1000);
        ssize_t length = recv(start->ours, &message, sizeof(message), 0);
        if (length == 0 && running)
            return 0;
        if (length != (ssize_t)sizeof(message))
            return ja_error_set(err, JA_E_FAILED, NULL, "the jail's init ended without a word");
        message.failure.what[sizeof(message.failure.what) - 1] = '\0';
        message.failure.path[sizeof(message.failure.path) - 1] = '\0';
        if (message.says == SAYS_FAILED)
            return failure_of(&message.failure, err);
        if (message.says == SAYS_RUNNING)
            running = true;
        else if ((code = let_go(start, message.pid, err)) < 0 && code != JA_E_BUSY)
            return code;
    }
}

static void take_back(struct ja_container_start *start)
{
    if (start->init >= 0)
        ja_sys_pidfd_signal(start->init, SIGKILL);
    if (start->has_state)
        ja_tree_remove(start->call->state, NULL);
    if (start->has_pid_file)
        unlink(start->call->pid_file);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int list_kept(struct ja_container_start *start, struct ja_error *err)
{
    const struct ja_container *container = &start->container;
    const int fds[] = {start->theirs, start->tree, start->user_ns, start->net_ns, start->log};

    start->kept = ja_calloc(JA_COUNT(fds) + container->mount_count, sizeof(*start->kept));
    if (start->kept == NULL)
        return ja_error_nomem(err);
    for (size_t i = 0; i < JA_COUNT(fds); i++)
        if (fds[i] >= 0)
            start->kept[start->kept_count++] = fds[i];
    for (size_t i = 0; i < container->mount_count; i++)
        if (container->mounts[i].fd >= 0)
            start->kept[start->kept_count++] = container->mounts[i].fd;
    qsort(start->kept, start->kept_count, sizeof(*start->kept), by_number);
    return 0;
}

static void close_log_tree(struct ja_container_start *start)
{
    if (start->log_tree >= 0)
        close(start->log_tree);
    start->log_tree = -1;
}

/*
 * A fresh clone's init lies on the disk: what execve(2) touches of it, its header and its data at the end, is read while the jail mounts
 * what it sees. With the first page that is missing the kernel would read as much as btrfs asks for, 4 MiB, and execve(2) would wait for
 * that. Whatever is there, nothing depends on it.
 */
static void read_ahead(const struct ja_container_start *start)
{
    ja_autoclose int place = ja_sys_open_in_root(start->tree, start->container.argv[0], O_PATH), fd = -1;
    char path[64];
    struct stat info;

    /* To open a device may do something. */
    if (place < 0 || fstat(place, &info) < 0 || !S_ISREG(info.st_mode))
        return;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return;
    (void)posix_fadvise(fd, 0, INIT_HEAD, POSIX_FADV_WILLNEED);
    if (info.st_size > INIT_HEAD + INIT_TAIL)
        (void)posix_fadvise(fd, info.st_size - INIT_TAIL, INIT_TAIL, POSIX_FADV_WILLNEED);
}

static int begin(struct ja_container_start *start, struct ja_error *err)
{
    pid_t ours = getpid();

    start->between = ja_cgroup_fork(&start->place, STATUS_NO_CGROUP);
    if (start->between == 0)
        be_between(start, ours);
    if (start->between < 0)
        return ja_error_sys(err, errno, NULL, "cannot fork");
    close(start->theirs);
    start->theirs = -1;
    close_log_tree(start);
    if (!start->late)
        read_ahead(start);
    return 0;
}

static int reap_between(struct ja_container_start *start)
{
    int status = 0;

    while (waitpid(start->between, &status, 0) < 0 && errno == EINTR) {
    }
    start->between = 0;
    return status;
}

static int end_between(struct ja_container_start *start)
{
    kill(start->between, SIGKILL);
    return reap_between(start);
}

static int finish(struct ja_container_start *start, struct ja_error *err)
{
    int code = listen_to(start, err), status;

    status = code < 0 ? end_between(start) : reap_between(start);
    if (code < 0 && WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NO_CGROUP)
        code = ja_error_set(err, JA_E_FAILED, NULL, "cannot join the cgroup %s", start->place.path);
    if (code < 0)
        take_back(start);
    return code;
}

static int read_filter(struct ja_container_start *start, struct ja_error *err)
{
    ja_autofree char *path = ja_printf("%s/seccomp.bpf", start->call->bundle);

    return path == NULL ? ja_error_nomem(err) : ja_filter_read(path, &start->filter, err);
}

int ja_container_begin(const struct ja_container_call *call, bool late, struct ja_container_start **ret_start,
                       struct ja_error *err)
{
    struct ja_container_start *start = ja_calloc(1, sizeof(*start));
    int code;

    if (start == NULL)
        return ja_error_nomem(err);
    *start = (struct ja_container_start){.call = call,
                                         .late = late,
                                         .place = {.v2 = -1},
                                         .tree = -1,
                                         .user_ns = -1,
                                         .net_ns = -1,
                                         .log = -1,
                                         .log_tree = -1,
                                         .ours = -1,
                                         .theirs = -1,
                                         .init = -1};
    if ((code = ja_container_read(call->bundle, &start->container, err)) < 0 ||
        (call->filtered && (code = read_filter(start, err)) < 0) || (code = open_all(start, err)) < 0 ||
        (code = list_kept(start, err)) < 0 || (code = begin(start, err)) < 0) {
        start_free(start);
        return code;
    }
    *ret_start = start;
    return 0;
}

static int send_brought(struct ja_container_start *start, struct ja_error *err)
{
    union control control = {0};
    struct iovec io = {.iov_base = (char[]){'t'}, .iov_len = 1};
    int *places[BROUGHT_MOST];
    size_t count = brought(start, places);
    struct msghdr message = {.msg_iov = &io,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (size_t i = 0; i < count; i++)
        memcpy(CMSG_DATA(header) + i * sizeof(int), places[i], sizeof(int));
    /* When the init has failed its own message says why. */
    return sendmsg(start->ours, &message, MSG_NOSIGNAL) == 1 || errno == EPIPE
               ? 0
               : ja_error_sys(err, errno, NULL, "cannot hand the tree to the jail's init");
}

int ja_container_bring(struct ja_container_start *start, struct ja_error *err)
{
    int code;

    if (!start->late)
        return 0;
    if ((code = open_trees(start, err)) < 0 || (code = send_brought(start, err)) < 0)
        return code;
    start->late = false;
    close_log_tree(start);
    read_ahead(start);
    return 0;
}

void ja_container_cancel(struct ja_container_start *start)
{
    struct pollfd fds = {.fd = start->ours, .events = POLLIN};
    struct message message;
    ja_autoclose int init = -1;

    /* `between` tells us of the init before it ends, unless it failed. */
    if (poll(&fds, 1, CANCEL_MS) > 0 && recv(start->ours, &message, sizeof(message), 0) == (ssize_t)sizeof(message) &&
        message.says == SAYS_PID)
        init = open_init(start, message.pid);
    end_between(start);
    if (init >= 0) {
        fds = (struct pollfd){.fd = init, .events = POLLIN};
        ja_sys_pidfd_signal(init, SIGKILL);
        poll(&fds, 1, CANCEL_MS); /* until it has ended, and its cgroup is empty */
    }
    start_free(start);
}

int ja_container_finish(struct ja_container_start *start, struct ja_error *err)
{
    int code = ja_container_bring(start, err);

    if (code < 0) {
        ja_container_cancel(start);
        return code;
    }
    code = finish(start, err);
    start_free(start);
    return code;
}
