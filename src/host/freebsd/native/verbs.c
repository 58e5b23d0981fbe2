/*
 * verbs.c: repeatable ends of what the system's commands begin: those fail when a thing is gone already, and cannot be told
 * whose thing they may take.
 */
#include "host/freebsd/native/verbs.h"

#include "base/file.h"
#include "host/freebsd/native/native.h"
#include "plan/facts.h"
#include "run/option.h"
#include "run/place.h"

#include <sys/param.h>
#include <sys/ioctl.h>
#include <sys/jail.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 10000, PAUSE_MS = 50, DESCRIPTION_MOST = 256 };

static void pause_ms(long ms)
{
    const struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

/* ---- interfaces ---- */

/* Its description, "" when it has none. 0, or -1 and errno. */
static int read_description(int fd, const char *name, char description[DESCRIPTION_MOST])
{
    struct ifreq request = {0};
    strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    request.ifr_buffer.buffer = description;
    request.ifr_buffer.length = DESCRIPTION_MOST;
    description[0] = '\0';
    if (ioctl(fd, SIOCGIFDESCR, &request) < 0)
        return errno == ENOMSG ? 0 : -1;
    /* One that does not fit is not ours. */
    if (request.ifr_buffer.buffer == NULL && request.ifr_buffer.length > 0)
        strlcpy(description, "?", DESCRIPTION_MOST);
    return 0;
}

/* One interface, if it is there and ours. `fresh`: only if it has no description. */
static int remove_one(int fd, const char *name, const char *mark, bool fresh, struct ja_error *err)
{
    char description[DESCRIPTION_MOST];
    if (read_description(fd, name, description) < 0)
        return errno == ENXIO ? 0 : ja_error_sys(err, errno, NULL, "cannot look at the interface %s", name);
    if (fresh && *description)
        return 0;
    /* A start that was cut off has not described it yet: then the name must be one that only jailadmin gives. */
    if (!fresh && !*description && strncmp(name, "ja", 2) != 0)
        return ja_error_set(err, JA_E_CONFLICT, NULL, "the interface %s is not ours: it has no description", name);
    if (*description && !ja_guard_match(mark, description))
        return ja_error_set(err, JA_E_CONFLICT, NULL, "the interface %s is not ours: it is described as \"%s\"", name,
                            JA_SHOW(description));
    struct ifreq request = {0};
    strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    if (ioctl(fd, SIOCIFDESTROY, &request) < 0 && errno != ENXIO)
        return ja_error_sys(err, errno, NULL, "cannot remove the interface %s", name);
    return 0;
}

static int link_remove(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    const char *made_as = NULL;
    const struct ja_opt options[] = {{.name = "--made-as", .value = &made_as}, {0}};
    int first, rc = ja_opt_read(argc, argv, options, &first, err);
    if (rc == 0 && (first != argc - 2 || strlen(argv[first]) >= IFNAMSIZ || (made_as && strlen(made_as) >= IFNAMSIZ)))
        rc = ja_opt_usage(argv[0], err);
    if (rc < 0)
        return rc;
    ja_autoclose int fd = socket(AF_LOCAL, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a socket");
    rc = remove_one(fd, argv[first], argv[first + 1], false, err);
    return rc == 0 && made_as ? remove_one(fd, made_as, "", true, err) : rc;
}

/* ---- jails ---- */

/* The jid and the path of a jail, dying ones too with JAIL_DYING. -1 and errno. */
static int find_jail(char *name, int flags, char path[MAXPATHLEN])
{
    char name_key[] = "name", path_key[] = "path";
    struct iovec words[] = {
        {name_key, sizeof name_key},
        {name, strlen(name) + 1},
        {path_key, sizeof path_key},
        {path, MAXPATHLEN},
    };
    return jail_get(words, 4, flags);
}

static int jail_end(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    char path[MAXPATHLEN];
    if (argc != 3 || argv[1][0] == '\0')
        return ja_opt_usage(argv[0], err);
    int jid = find_jail(argv[1], 0, path);
    if (jid < 0 && errno != ENOENT)
        return ja_error_sys(err, errno, NULL, "cannot look at the jail %s", argv[1]);
    if (jid > 0 && strcmp(path, argv[2]) != 0)
        return ja_error_set(err, JA_E_CONFLICT, NULL, "the jail %s is not ours: its tree is %s", argv[1],
                            JA_SHOW(path));
    if (jid > 0)
        ja_freebsd_empty_jail(jid);
    if (jid > 0 && jail_remove(jid) < 0 && errno != EINVAL && errno != ENOENT)
        return ja_error_sys(err, errno, NULL, "cannot end the jail %s", argv[1]);
    return 0;
}

/* A jail is dying while the kernel keeps something of it, mostly connections of its processes. */
static int jail_wait(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    char path[MAXPATHLEN];
    int jid = -1;
    if (argc != 3 || argv[1][0] == '\0')
        return ja_opt_usage(argv[0], err);
    for (int waited = 0; waited < WAIT_MS; waited += PAUSE_MS) {
        jid = find_jail(argv[1], JAIL_DYING, path);
        if (jid < 0 || strcmp(path, argv[2]) != 0)
            return 0;
        pause_ms(PAUSE_MS);
    }
    ja_error_set(err, JA_E_TIMEOUT, NULL,
                 "the jail %s (jid %d) has ended, and the kernel still keeps it: connections of its processes have not "
                 "timed out, or something of it is in use",
                 argv[1], jid);
    return ja_error_hint(err, "`jls -d` shows it, `netstat -n` on the host its connections; it may be started again");
}

/* ---- mounts ---- */

/*
 * What is mounted is found by the place that the kernel noted when it was mounted, and unmounted by its number: a jail may have
 * renamed directories on the way meanwhile, or put a link to a mount of the host there, which unmount(2) by path would follow.
 */
static int read_mounts(struct statfs **ret_mounts, int *ret_count, struct ja_error *err)
{
    int count = getfsstat(NULL, 0, MNT_NOWAIT);
    size_t room = count < 0 ? 0 : (size_t)count + 64;
    struct statfs *mounts = room ? ja_calloc(room, sizeof *mounts) : NULL;
    if (room && !mounts)
        return ja_error_nomem(err);
    if (room)
        count = getfsstat(mounts, (long)(room * sizeof *mounts), MNT_NOWAIT);
    if (count < 0) {
        int sys = errno;
        ja_free(mounts);
        return ja_error_sys(err, sys, NULL, "cannot list what is mounted");
    }
    *ret_mounts = mounts;
    *ret_count = count;
    return 0;
}

static int end_mount(const struct statfs *mount, struct ja_error *err)
{
    char id[64];
    snprintf(id, sizeof id, "FSID:%d:%d", mount->f_fsid.val[0], mount->f_fsid.val[1]);
    for (int waited = 0;; waited += PAUSE_MS) {
        /* ENOENT, EINVAL: it has gone meanwhile. */
        if (unmount(id, MNT_BYFSID) == 0 || errno == EINVAL || errno == ENOENT)
            return 0;
        if (errno != EBUSY || waited >= WAIT_MS)
            break;
        pause_ms(PAUSE_MS);
    }
    ja_error_sys(err, errno, NULL, "cannot unmount %s", mount->f_mntonname);
    return ja_error_hint(err, "`fstat -f %s` shows who uses it", mount->f_mntonname);
}

static int end_mounts(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    bool below = false;
    const struct ja_opt options[] = {{.name = "--below", .flag = &below}, {0}};
    struct statfs *mounts = NULL;
    int first, count = 0, rc = ja_opt_read(argc, argv, options, &first, err);
    if (rc == 0 && (first != argc - 1 || argv[first][0] != '/' || argv[first][1] == '\0'))
        rc = ja_opt_usage(argv[0], err);
    if (rc == 0)
        rc = read_mounts(&mounts, &count, err);
    const char *path = rc == 0 ? argv[first] : "";
    size_t length = strlen(path);
    /* The last one first: it may lie on one before it. */
    for (int i = count - 1; rc == 0 && i >= 0; i--) {
        const char *at = mounts[i].f_mntonname;
        bool wanted = below ? strncmp(at, path, length) == 0 && at[length] == '/' : strcmp(at, path) == 0;
        if (wanted)
            rc = end_mount(&mounts[i], err);
    }
    ja_free(mounts);
    return rc;
}

/* ---- trees that are mounted in a second place, for root to work in ---- */

static bool shows(const struct statfs *mount, const char *tree, const char *dir)
{
    return strcmp(mount->f_fstypename, "nullfs") == 0 && strcmp(mount->f_mntonname, dir) == 0 &&
           strcmp(mount->f_mntfromname, tree) == 0;
}

static int mount_nullfs(const char *tree, const char *dir, bool read_only, struct ja_error *err)
{
    char message[256] = "";
    const char *const words[] = {"fstype", "nullfs", "fspath", dir, "target", tree};
    struct iovec iov[JA_COUNT(words) + 2];
    for (size_t i = 0; i < JA_COUNT(words); i++)
        iov[i] = (struct iovec){(void *)(uintptr_t)words[i], strlen(words[i]) + 1};
    char key[] = "errmsg";
    iov[JA_COUNT(words)] = (struct iovec){key, sizeof key};
    iov[JA_COUNT(words) + 1] = (struct iovec){message, sizeof message};
    if (nmount(iov, JA_COUNT(iov), MNT_NOSUID | (read_only ? MNT_RDONLY : 0)) == 0)
        return 0;
    int sys = errno;
    ja_error_sys(err, sys, NULL, "cannot mount %s at %s", tree, dir);
    return sys == ENODEV ? ja_error_hint(err, "`kldload nullfs` loads what it needs") : err->code;
}

/* The way to the directory is root's alone, so that the path leads where it led when it was looked at. */
static int tree_mount(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    bool read_only = false, there = false;
    const struct ja_opt options[] = {{.name = "--read-only", .flag = &read_only}, {0}};
    struct statfs *mounts = NULL;
    ja_autoclose int place = -1;
    int first, count = 0, rc = ja_opt_read(argc, argv, options, &first, err);
    if (rc == 0 && first != argc - 2)
        rc = ja_opt_usage(argv[0], err);
    if (rc < 0)
        return rc;
    const char *tree = argv[first], *dir = argv[first + 1];
    rc = ja_place_open(dir, &place, err);
    if (rc == 0)
        rc = read_mounts(&mounts, &count, err);
    for (int i = 0; i < count; i++)
        there = there || shows(&mounts[i], tree, dir);
    ja_free(mounts);
    if (rc < 0 || there)
        return rc;
    rc = ja_place_check_empty(place, dir, err);
    return rc < 0 ? rc : mount_nullfs(tree, dir, read_only, err);
}

static int tree_unmount(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    struct statfs *mounts = NULL;
    int count = 0;
    if (argc != 3)
        return ja_opt_usage(argv[0], err);
    int rc = read_mounts(&mounts, &count, err);
    for (int i = count - 1; rc == 0 && i >= 0; i--)
        if (shows(&mounts[i], argv[1], argv[2]))
            rc = end_mount(&mounts[i], err);
    ja_free(mounts);
    return rc;
}

const struct ja_hostverb ja_freebsd_verbs[] = {
    {"copy-in", "(--pid-file FILE | --tree TREE) [--preserve] PATH",
     "receive files from standard input, as copy-out sends them, in a jail", ja_verb_copy_in, JA_HOSTVERB_FORK},
    {"copy-out", "(--pid-file FILE | --tree TREE) [--preserve] PATH",
     "send a file or directory of a jail to standard output", ja_verb_copy_out, JA_HOSTVERB_FORK},
    {"daemon-signal", "PIDFILE PROGRAM SIGHUP", "signal the daemon PROGRAM that was started with PIDFILE and wrote it",
     ja_verb_daemon_signal, 0},
    {"daemon-start", "PIDFILE PROGRAM -- COMMAND [ARGUMENT]...", "start a daemon, unless it runs already",
     ja_verb_daemon_start, 0},
    {"daemon-stop", "PIDFILE PROGRAM", "end the daemon PROGRAM that was started with PIDFILE and wrote it",
     ja_verb_daemon_stop, 0},
    {"jail-wait", "NAME PATH", "wait until a jail that has ended is gone; explain why when it stays", jail_wait, 0},
    {"nat-config", "[--back] RUN NUMBER INTERFACE [add REDIRECTION | remove REDIRECTION]...",
     "make a NAT instance of ipfw for an interface (--back: one for what the host itself sends), and change its port "
     "redirections, \"tcp ADDRESS:PORT PORT\"; changes of those that share RUN wait for each other",
     ja_verb_nat_config, 0},
    {"link-remove", "[--made-as FIRST] NAME MARK",
     "remove a network interface whose description is MARK, and what has the name FIRST and no description: what a creation "
     "that was cut off left; none is success",
     link_remove, 0},
    {"jail-remove", "NAME PATH", "end the jail whose tree is PATH, and wait until it is gone; none is success",
     jail_end, 0},
    {"unmount", "[--below] PATH",
     "unmount what is mounted at PATH, with --below all that is mounted beneath it; nothing is success", end_mounts, 0},
    {"tree-mount", "[--read-only] TREE DIR",
     "mount a tree at an empty directory that only root can have put there, without programs that change who one is; it is mounted "
     "there: success",
     tree_mount, 0},
    {"tree-unmount", "TREE DIR", "unmount that tree there; it is not mounted there: success", tree_unmount, 0},
    {"jail-run",
     "--jail FILE [--user UID[:GID]] [--home DIR] [--env NAME=VALUE]... --log FILE --log-limit N [--pid-file FILE] -- COMMAND "
     "[ARGUMENT]...",
     "run a command in the jail that FILE names, what it prints appended to a log; with --pid-file it goes on when this ends, and "
     "is not started again while it runs",
     ja_verb_jail_run, JA_HOSTVERB_PROCESS},
    {"stop-init", "--jail FILE --signal SIGTERM --timeout MS PIDFILE...",
     "signal processes of a jail one after the other, and wait for their end", ja_verb_stop_init, JA_HOSTVERB_FORK},
    {"jail-rescue", "JAIL PROGRAM [ARGUMENT]...",
     "run the host's /rescue/PROGRAM in a jail of the kernel, or, where the host has none, the jail's /sbin/PROGRAM",
     ja_verb_jail_rescue, JA_HOSTVERB_PROCESS},
    {"vnet-accept", "FILE", "let ipfw accept the packets of the own network stack of the jail that FILE names",
     ja_verb_vnet_accept, JA_HOSTVERB_FORK},
    {NULL, NULL, NULL, NULL, 0},
};
