/*
 * link.c: removing what the host has of a network: an interface that carries our mark, a daemon that is
 * proved to be ours.
 */
#include "base/clock.h"
#include "base/file.h"
#include "host/linux/facts.h"
#include "host/linux/native/native.h"
#include "host/linux/native/netlink.h"
#include "plan/facts.h"
#include "run/spawn.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DAEMON_WAIT_MS 5000

struct found_link {
    uint32_t index;
    char alias[256];
};

static int take_link(void *context, const struct nlmsghdr *message)
{
    struct found_link *found = context;
    const void *attrs;
    size_t length, size;
    const struct ifinfomsg *header = ja_nl_reply(message, RTM_NEWLINK, sizeof *header, &attrs, &length);
    if (!header)
        return 0;
    const char *alias = ja_nl_find(attrs, length, IFLA_IFALIAS, &size);
    found->index = (uint32_t)header->ifi_index;
    snprintf(found->alias, sizeof found->alias, "%.*s", alias ? (int)size : 0, alias ? alias : "");
    return 0;
}

/* True when the alias is the mark; or when there is none yet, on a name of ours: a batch was cut off before
 * it. */
static bool is_ours(const char *name, const char *alias, const char *mark)
{
    return ja_guard_match(mark, alias) || (alias[0] == '\0' && strncmp(name, "ja", 2) == 0);
}

/* link-remove NAME MARK: removes the interface, if there is one, and only when it is ours. */
int ja_verb_link_remove(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    struct found_link found = {0};
    struct ja_nl nl = {0};
    char words[256];
    if (argc != 3 || !ja_opt_plain_name(argv[1]) || strlen(argv[1]) >= IF_NAMESIZE || argv[2][0] == '\0')
        return ja_opt_usage(argv[0], err);
    int fd = ja_nl_host(NETLINK_ROUTE);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot open a netlink socket");
    ja_nl_message(&nl, RTM_GETLINK, NLM_F_ACK, &header, sizeof header);
    ja_nl_text(&nl, IFLA_IFNAME, argv[1]);
    int rc = ja_nl_request(fd, &nl, take_link, &found, words, sizeof words);
    if (rc == 0 && found.index && !is_ours(argv[1], found.alias, argv[2])) {
        ja_nl_fini(&nl);
        return ja_error_set(err, JA_E_CONFLICT, NULL, "the interface %s is not ours: its alias is \"%s\"", argv[1],
                            JA_SHOW(found.alias));
    }
    if (rc == 0 && found.index) {
        /* By its number: the name could be another interface's by now. */
        header.ifi_index = (int)found.index;
        ja_nl_reset(&nl);
        ja_nl_message(&nl, RTM_DELLINK, NLM_F_ACK, &header, sizeof header);
        rc = ja_nl_request(fd, &nl, NULL, NULL, words, sizeof words);
    }
    ja_nl_fini(&nl);
    if (rc < 0 && rc != -ENODEV)
        return ja_error_sys(err, -rc, NULL, "cannot remove the interface %s%s%s", argv[1], words[0] ? ": " : "", words);
    return 0;
}

/* Waits for the end of a process that is not our child. */
static bool wait_end(int pidfd, int timeout_ms)
{
    struct pollfd fds = {.fd = pidfd, .events = POLLIN};
    int64_t deadline = ja_clock_monotonic_ms() + timeout_ms, left;
    while ((left = deadline - ja_clock_monotonic_ms()) >= 0) {
        int ready = poll(&fds, 1, (int)left);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
    return false;
}

/* daemon-stop PIDFILE PROGRAM: ends the daemon that wrote PIDFILE and has it among its arguments; none is
 * success. */
int ja_verb_daemon_stop(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    if (argc != 3 || argv[1][0] != '/' || !ja_opt_plain_name(argv[2]))
        return ja_opt_usage(argv[0], err);
    pid_t pid = ja_linux_daemon_pid(argv[1], argv[2]);
    if (pid) {
        ja_autoclose int pidfd = ja_sys_pidfd_open(pid);
        if (pidfd < 0 && errno != ESRCH && errno != EINVAL)
            return ja_error_sys(err, errno, NULL, "cannot open process %d", (int)pid);
        /* Looked at again now that the number cannot pass to another process unseen. */
        if (pidfd >= 0 && ja_linux_daemon_pid(argv[1], argv[2]) == pid) {
            if (ja_sys_pidfd_signal(pidfd, SIGTERM) < 0 && errno != ESRCH)
                return ja_error_sys(err, errno, NULL, "cannot signal process %d", (int)pid);
            if (!wait_end(pidfd, DAEMON_WAIT_MS)) {
                ja_sys_pidfd_signal(pidfd, SIGKILL);
                if (!wait_end(pidfd, DAEMON_WAIT_MS))
                    return ja_error_set(err, JA_E_TIMEOUT, NULL, "%s (process %d) does not end", argv[2], (int)pid);
            }
        }
    }
    /* A daemon that was killed leaves its file. */
    if (unlink(argv[1]) < 0 && errno != ENOENT)
        return ja_file_error(err, errno, argv[1], "remove it");
    return 0;
}

/* daemon-signal PIDFILE PROGRAM SIGHUP: as daemon-stop finds it; none is success. */
int ja_verb_daemon_signal(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    if (argc != 4 || argv[1][0] != '/' || !ja_opt_plain_name(argv[2]) || strcmp(argv[3], "SIGHUP") != 0)
        return ja_opt_usage(argv[0], err);
    pid_t pid = ja_linux_daemon_pid(argv[1], argv[2]);
    ja_autoclose int pidfd = pid ? ja_sys_pidfd_open(pid) : -1;
    /* Looked at again now that the number cannot pass to another process unseen. */
    if (pidfd >= 0 && ja_linux_daemon_pid(argv[1], argv[2]) == pid && ja_sys_pidfd_signal(pidfd, SIGHUP) < 0 &&
        errno != ESRCH)
        return ja_error_sys(err, errno, NULL, "cannot signal process %d", (int)pid);
    return 0;
}

/* daemon-start PIDFILE PROGRAM -- COMMAND...: starts it unless it runs already: the undo of its stop. */
int ja_verb_daemon_start(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    if (argc < 5 || argv[1][0] != '/' || !ja_opt_plain_name(argv[2]) || strcmp(argv[3], "--") != 0 || argv[4][0] != '/')
        return ja_opt_usage(argv[0], err);
    if (ja_linux_daemon_pid(argv[1], argv[2]))
        return 0;
    return ja_spawn_daemon(argv + 4, argv[2], DAEMON_WAIT_MS, io->output, err);
}
