/*
 * ns.c: a jail's user and network namespaces. The user namespace comes first and the network namespace is made inside
 * it, so that the jail's root owns its stack. Both have a name only while the jail starts: afterwards its init alone keeps them, and
 * when that dies everything in them goes with it. The name is a bind mount; or, in a process that foresaw the start, a symbolic link
 * to what a child of it holds, since unmounting waits for all processors.
 */
#include "host/linux/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NSFS_MAGIC_NUMBER 0x6e736673
#define NETNS_DIR "/run/netns"

/* What the child in the new namespaces reports: 0, or the line of the list below at which it failed, and errno. */
struct reply {
    int step;
    int sys;
};
enum { STEP_NET = 1, STEP_SOCKET, STEP_LO };
static const char *const STEP_TEXT[] = {"", "make a network stack", "make a socket", "bring up lo"};

/*
 * A procfs of our own: in the host's, settings of the same name are one list for all network stacks that ever looked, and finding
 * ours among those of a thousand jails takes milliseconds. On kernels and hosts that allow none it is the host's.
 */
static int open_procfs(void)
{
    int fd = ja_sys_new_mount("proc", "proc", NULL, 0);

    return fd >= 0 ? fd : open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void write_sysctl(int proc, const char *path, const char *value)
{
    int fd = openat(proc, path, O_WRONLY | O_CLOEXEC);

    /* Best effort: a kernel without IPv6 or with another sysctl layout still makes a good jail. */
    if (fd >= 0) {
        ssize_t ignored JA_UNUSED = write(fd, value, strlen(value));
        close(fd);
    }
}

/* What a new network stack is told once its ids are mapped. */
struct order {
    bool link_local;
    char ping_range[32];
};

static void make_stack(int proc, struct reply *reply)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = -1;

    if (unshare(CLONE_NEWNET) < 0) {
        *reply = (struct reply){STEP_NET, errno};
    } else if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0) {
        *reply = (struct reply){STEP_SOCKET, errno};
    } else if (ioctl(fd, SIOCGIFFLAGS, &request) < 0 ||
               (request.ifr_flags = (short)(request.ifr_flags | IFF_UP), ioctl(fd, SIOCSIFFLAGS, &request) < 0)) {
        *reply = (struct reply){STEP_LO, errno};
    }
    if (reply->step == 0) {
        /* A new stack copies the host's forwarding. A jail with nics in two networks must not join them unasked. */
        write_sysctl(proc, "sys/net/ipv4/ip_forward", "0");
        /* What a jail was given counts, not what somebody on its network advertises; ns-setting allows it. */
        write_sysctl(proc, "sys/net/ipv6/conf/default/accept_ra", "0");
    }
    if (fd >= 0) {
        close(fd);
    }
}

/*
 * Runs in the new user namespace, if there is one, and makes the network namespace; only system calls, since it may have been
 * forked from anything. /proc/sys/net shows the network namespace of the process that opens it, and its owner may write there.
 */
static void child_main(int sync, int proc)
{
    const int kept[] = {sync < proc ? sync : proc, sync < proc ? proc : sync};
    bool net = proc >= 0;
    struct reply reply = {0};
    struct order order;

    /* The locks of whoever forked us are not to be held any longer than it lives. */
    if (ja_sys_close_but(net ? kept : &sync, net ? 2 : 1) < 0) {
        _exit(1);
    }
    if (net) {
        make_stack(proc, &reply);
    }
    if (read(sync, &order, sizeof(order)) != (ssize_t)sizeof(order)) {
        _exit(1);
    }
    if (net && reply.step == 0) {
        /* ping without privileges for all ids of the jail; the default range is empty. */
        write_sysctl(proc, "sys/net/ipv4/ping_group_range", order.ping_range);
        if (!order.link_local) {
            write_sysctl(proc, "sys/net/ipv6/conf/default/addr_gen_mode", "1");
        }
    }
    if (write(sync, &reply, sizeof(reply)) != (ssize_t)sizeof(reply)) {
        _exit(1);
    }
    /* Stays until it is ended, or the other end is closed: it is what holds the namespaces meanwhile. */
    while (read(sync, &order, 1) > 0) {
    }
    _exit(0);
}

/* A process in new namespaces, with our end of the channel to it. */
struct keeper {
    pid_t pid; /* 0: none */
    int pidfd, sync;
};

/* The one that ja_userns_foresee made; the one that holds named namespaces; and the last one that was let go, which has ended by the
 * time it is waited for. */
static struct keeper foreseen = {.pidfd = -1, .sync = -1}, holder = {.pidfd = -1, .sync = -1};
static int ending = -1;

static int keeper_new(bool user, bool net, struct keeper *ret_keeper, struct ja_error *err)
{
    struct keeper keeper = {.pidfd = -1};
    ja_autoclose int proc = net ? open_procfs() : -1; /* closed by the keeper last, for which nobody waits */
    int sync[2];

    if (net && proc < 0) {
        return ja_error_sys(err, errno, NULL, "cannot open /proc");
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sync) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot make a socket pair");
    }
    keeper.sync = sync[0];
    keeper.pid = ja_sys_fork(user ? CLONE_NEWUSER : 0, &keeper.pidfd);
    if (keeper.pid == 0) {
        close(sync[0]);
        child_main(sync[1], proc);
    }
    close(sync[1]);
    if (keeper.pid < 0) {
        int code = ja_error_sys(err, errno, NULL, "cannot make namespaces");
        ja_error_hint(err, "see user.max_user_namespaces of sysctl(8)");
        close(sync[0]);
        return code;
    }
    *ret_keeper = keeper;
    return 0;
}

static void keeper_end(struct keeper *keeper)
{
    if (ending >= 0) {
        ja_sys_reap(ending);
        close(ending);
    }
    close(keeper->sync);
    ja_sys_pidfd_signal(keeper->pidfd, SIGKILL);
    ending = keeper->pidfd;
    *keeper = (struct keeper){.pidfd = -1, .sync = -1};
}

void ja_userns_foresee(void)
{
    if (foreseen.pid == 0) {
        keeper_new(true, true, &foreseen, NULL);
    }
}

static int write_map(pid_t pid, const char *name, int64_t base, int64_t count, struct ja_error *err)
{
    char path[64], map[64];
    ja_autoclose int fd = -1;
    int length = snprintf(map, sizeof(map), "0 %lld %lld\n", (long long)base, (long long)count);

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, map, (size_t)length) != length) {
        return ja_error_sys(err, errno, NULL, "cannot map %lld ids from %lld (%s)", (long long)count, (long long)base,
                            name);
    }
    return 0;
}

static int open_ns(pid_t pid, const char *name, int *ret_fd, struct ja_error *err)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot open the new %s namespace", name);
    }
    *ret_fd = fd;
    return 0;
}

static int tell_keeper(const struct keeper *keeper, int64_t count, bool link_local, struct ja_error *err)
{
    struct order order = {.link_local = link_local};
    struct reply reply;

    snprintf(order.ping_range, sizeof(order.ping_range), "0 %lld", count > 0 ? (long long)count - 1 : INT32_MAX);
    if (send(keeper->sync, &order, sizeof(order), MSG_NOSIGNAL) != (ssize_t)sizeof(order) ||
        read(keeper->sync, &reply, sizeof(reply)) != (ssize_t)sizeof(reply)) {
        return ja_error_set(err, JA_E_FAILED, NULL, "the process in the new namespaces died");
    }
    if (reply.step != 0) {
        int code = ja_error_sys(err, reply.sys, NULL, "cannot %s in the new namespaces", STEP_TEXT[reply.step]);
        return reply.step == STEP_NET ? ja_error_hint(err, "see user.max_net_namespaces of sysctl(8)") : code;
    }
    return 0;
}

static int open_kept(const struct keeper *keeper, int64_t base, int64_t count, bool net, bool link_local,
                     int *ret_user_fd, int *ret_net_fd, struct ja_error *err)
{
    int code = 0;

    if (count > 0 && (code = write_map(keeper->pid, "uid_map", base, count, err)) == 0 &&
        (code = write_map(keeper->pid, "gid_map", base, count, err)) == 0) {
        code = open_ns(keeper->pid, "user", ret_user_fd, err);
    }
    if (code == 0 && net && (code = tell_keeper(keeper, count, link_local, err)) == 0) {
        code = open_ns(keeper->pid, "net", ret_net_fd, err);
    }
    return code;
}

int ja_userns_new(int64_t base, int64_t count, bool link_local, int *ret_user_fd, int *ret_net_fd, struct ja_error *err)
{
    ja_autoclose int user_fd = -1, net_fd = -1;
    bool user = count > 0, net = ret_net_fd != NULL;
    struct keeper keeper;
    int code = keeper_new(user, net, &keeper, err);

    if (code < 0) {
        return code;
    }
    code = open_kept(&keeper, base, count, net, link_local, &user_fd, &net_fd, err);
    keeper_end(&keeper);
    if (code < 0) {
        return code;
    }
    *ret_user_fd = user_fd;
    user_fd = -1;
    if (net) {
        *ret_net_fd = net_fd;
        net_fd = -1;
    }
    return 0;
}

/* A namespace is an inode that lives as long as something refers to it; a bind mount gives it a name. */
static int pin(int ns_fd, const char *dir, const char *name, struct ja_error *err)
{
    char from[64];
    ja_autofree char *to = ja_printf("%s/%s", dir, name);
    ja_autoclose int fd = -1;

    if (to == NULL) {
        return ja_error_nomem(err);
    }
    fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return ja_error_sys(err, errno, NULL, "cannot make %s", to);
    }
    snprintf(from, sizeof(from), "/proc/self/fd/%d", ns_fd);
    if (mount(from, to, NULL, MS_BIND, NULL) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot pin the namespace at %s", to);
    }
    return 0;
}

static int name_kept(const struct keeper *keeper, const char *dir, const char *name)
{
    char target[64];
    ja_autofree char *path = ja_printf("%s/%s", dir, name);

    snprintf(target, sizeof(target), "/proc/%d/ns/%s", (int)keeper->pid, name);
    return path != NULL && symlink(target, path) == 0 ? 0 : JA_E_FAILED;
}

/* Negative: there is none that was foreseen, or somebody has ended it. */
static int name_foreseen(const char *dir, int64_t base, int64_t count, bool link_local)
{
    ja_autoclose int user_fd = -1, net_fd = -1;
    int code = JA_E_NOTFOUND;

    if (count > 0 && foreseen.pid != 0) {
        code = open_kept(&foreseen, base, count, true, link_local, &user_fd, &net_fd, NULL);
        if (code == 0 && (code = name_kept(&foreseen, dir, "user")) == 0 &&
            (code = name_kept(&foreseen, dir, "net")) < 0) {
            ja_autofree char *path = ja_printf("%s/user", dir);

            unlink(path != NULL ? path : "");
        }
        if (code < 0) {
            keeper_end(&foreseen);
        }
    }
    if (code == 0) {
        if (holder.pid != 0) {
            keeper_end(&holder);
        }
        holder = foreseen;
        foreseen = (struct keeper){.pidfd = -1, .sync = -1};
    }
    return code;
}

/* A link: whoever holds what it leads to is let go, or is not ours, or has ended. True when it was one. */
static bool unname(int dir_fd, const char *name)
{
    char target[64], own[64];
    ssize_t length = readlinkat(dir_fd, name, target, sizeof(target) - 1);

    if (length < 0) {
        return false;
    }
    target[length] = '\0';
    snprintf(own, sizeof(own), "/proc/%d/ns/%s", (int)holder.pid, name);
    if (unlinkat(dir_fd, name, 0) == 0 && holder.pid != 0 && strcmp(target, own) == 0 && strcmp(name, "user") == 0) {
        keeper_end(&holder);
    }
    return true;
}

static int unpin(int dir_fd, const char *dir, const char *name, struct ja_error *err)
{
    ja_autofree char *path = ja_printf("%s/%s", dir, name);
    struct statfs fs;

    if (path == NULL) {
        return ja_error_nomem(err);
    }
    if (unname(dir_fd, name)) {
        return 0;
    }
    /* Only namespaces are unmounted: whatever else somebody mounted there is not ours. */
    while (statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC_NUMBER) {
        if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
            return ja_error_sys(err, errno, NULL, "cannot unmount %s", path);
        }
    }
    if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT) {
        return ja_error_sys(err, errno, NULL, "cannot remove %s", path);
    }
    return 0;
}

static int release(const char *dir, struct ja_error *err)
{
    int code;
    ja_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT ? 0 : ja_error_sys(err, errno, NULL, "cannot open %s", dir);
    }
    if ((code = unpin(fd, dir, "net", err)) < 0 || (code = unpin(fd, dir, "user", err)) < 0) {
        return code;
    }
    if (rmdir(dir) < 0 && errno != ENOENT) {
        return ja_error_sys(err, errno, NULL, "cannot remove %s", dir);
    }
    return 0;
}

int ja_verb_ns_create(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    const char *base_text = NULL, *count_text = NULL, *dir;
    bool no_link_local = false;
    int64_t base = 0, count = 0;
    ja_autoclose int user_fd = -1, net_fd = -1;
    int first, code;
    const struct ja_opt options[] = {{.name = "--uid-base", .value = &base_text},
                                     {.name = "--uid-count", .value = &count_text},
                                     {.name = "--no-link-local", .flag = &no_link_local},
                                     {0}};

    if ((code = ja_opt_read(argc, argv, options, &first, err)) < 0 ||
        (base_text != NULL && (code = ja_opt_number("--uid-base", base_text, 1, UINT32_MAX - 1, &base, err)) < 0) ||
        (base_text != NULL &&
         (code = ja_opt_number("--uid-count", count_text, 1, UINT32_MAX - base, &count, err)) < 0)) {
        return code;
    }
    if (first != argc - 1 || (base_text == NULL) != (count_text == NULL)) {
        return ja_opt_usage(argv[0], err);
    }
    dir = argv[first];
    if (mkdir(dir, 0700) < 0) {
        return errno == EEXIST ? ja_error_set(err, JA_E_EXISTS, NULL, "%s exists already", dir)
                               : ja_error_sys(err, errno, NULL, "cannot make %s", dir);
    }
    if (name_foreseen(dir, base, count, !no_link_local) == 0) {
        return 0;
    }
    if ((code = ja_userns_new(base, count, !no_link_local, &user_fd, &net_fd, err)) < 0 ||
        (user_fd >= 0 && (code = pin(user_fd, dir, "user", err)) < 0) || (code = pin(net_fd, dir, "net", err)) < 0) {
        release(dir, NULL);
        return code;
    }
    return 0;
}

/* "net/ipv6/conf/eth0/accept_ra=1": below net/, nothing that leads elsewhere. */
static int set_setting(const char *assignment, struct ja_error *err)
{
    const char *equal = strchr(assignment, '=');
    ja_autofree char *path = ja_printf("/proc/sys/%.*s", equal ? (int)(equal - assignment) : 0, assignment);
    ja_autoclose int fd = -1;

    if (path == NULL) {
        return ja_error_nomem(err);
    }
    if (equal == NULL || strncmp(assignment, "net/", 4) != 0 || strstr(path, "..") != NULL) {
        return ja_error_set(err, JA_E_USAGE, NULL, "\"%s\" is not net/NAME=VALUE", assignment);
    }
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, equal + 1, strlen(equal + 1)) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot set %s", assignment);
    }
    return 0;
}

/* The runner calls it in a child: /proc/sys/net is that of the process that opens it. */
int ja_verb_ns_setting(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    ja_autoclose int fd = -1;
    int code = 0;

    if (argc < 3 || argv[1][0] != '/') {
        return ja_opt_usage(argv[0], err);
    }
    fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot enter the network namespace %s", argv[1]);
    }
    for (int i = 2; i < argc && code == 0; i++) {
        code = set_setting(argv[i], err);
    }
    return code;
}

int ja_verb_ns_release(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    return argc == 2 ? release(argv[1], err) : ja_opt_usage(argv[0], err);
}

/* True when `path` is a symbolic link that we made: to a process's network namespace. */
static bool is_our_link(const char *path)
{
    char target[64];
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    int pid = 0, end = 0;

    if (length <= 0) {
        return false;
    }
    target[length] = '\0';
    return sscanf(target, "/proc/%d/ns/net%n", &pid, &end) == 1 && pid > 0 && end == length;
}

int ja_verb_netns_link(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    ja_autofree char *path = NULL, *target = NULL;
    uint64_t start, now_start;
    char state;
    pid_t pid;
    int code;

    if (argc != 3 || !ja_opt_plain_name(argv[1])) {
        return ja_opt_usage(argv[0], err);
    }
    if ((code = ja_init_read(argv[2], &pid, &start, err)) < 0) {
        return code;
    }
    if (ja_init_start_time(pid, &now_start, &state) < 0 || now_start != start) {
        return ja_error_set(err, JA_E_NOTFOUND, NULL, "process %d of %s has ended", (int)pid, argv[2]);
    }
    path = ja_printf(NETNS_DIR "/%s", argv[1]);
    target = ja_printf("/proc/%d/ns/net", (int)pid);
    if (path == NULL || target == NULL) {
        return ja_error_nomem(err);
    }
    if (mkdir(NETNS_DIR, 0755) < 0 && errno != EEXIST) {
        return ja_error_sys(err, errno, NULL, "cannot make " NETNS_DIR);
    }
    if (symlink(target, path) == 0) {
        return 0;
    }
    if (errno != EEXIST) {
        return ja_error_sys(err, errno, NULL, "cannot make %s", path);
    }
    if (!is_our_link(path)) {
        return ja_error_set(err, JA_E_CONFLICT, NULL, "%s exists and is not ours", path);
    }
    /* A link that an earlier run of this jail left. */
    if (unlink(path) < 0 || symlink(target, path) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot replace %s", path);
    }
    return 0;
}

int ja_verb_netns_unlink(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    ja_autofree char *path = NULL;
    struct stat info;

    if (argc != 2 || !ja_opt_plain_name(argv[1])) {
        return ja_opt_usage(argv[0], err);
    }
    path = ja_printf(NETNS_DIR "/%s", argv[1]);
    if (path == NULL) {
        return ja_error_nomem(err);
    }
    if (lstat(path, &info) < 0 && errno == ENOENT) {
        return 0;
    }
    if (!is_our_link(path)) {
        return ja_error_set(err, JA_E_CONFLICT, NULL, "%s is not ours", path);
    }
    return unlink(path) < 0 && errno != ENOENT ? ja_error_sys(err, errno, NULL, "cannot remove %s", path) : 0;
}
