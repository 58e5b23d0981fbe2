/*
 * drop.c: empties a jail before it is removed. A connection that its programs have closed lingers for a minute (TIME_WAIT), and with
 * it the jail, which is then dying, and the tree that it keeps busy. The jail's own tcpdrop(8) is not to be trusted, so its
 * system calls are made here.
 */
#include "host/freebsd/native/native.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/sysctl.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/in_pcb.h>
#include <netinet/tcp_fsm.h>
#include <netinet/tcp_var.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { END_MS = 3000, PAUSE_MS = 20, LIST_MOST = 4 << 20 };

/* The kernel takes the foreign address first, then the local one. */
static void drop(const struct in_conninfo *connection)
{
    struct sockaddr_storage pair[2];
    memset(pair, 0, sizeof pair);
    for (int local = 0; local < 2; local++) {
        if (connection->inc_flags & INC_ISIPV6) {
            struct sockaddr_in6 *address = (struct sockaddr_in6 *)&pair[local];
            address->sin6_len = sizeof *address;
            address->sin6_family = AF_INET6;
            address->sin6_port = local ? connection->inc_lport : connection->inc_fport;
            address->sin6_addr = local ? connection->inc6_laddr : connection->inc6_faddr;
        } else {
            struct sockaddr_in *address = (struct sockaddr_in *)&pair[local];
            address->sin_len = sizeof *address;
            address->sin_family = AF_INET;
            address->sin_port = local ? connection->inc_lport : connection->inc_fport;
            address->sin_addr = local ? connection->inc_laddr : connection->inc_faddr;
        }
    }
    (void)sysctlbyname("net.inet.tcp.drop", NULL, NULL, pair, sizeof pair);
}

/* All TCP connections of the network stack that we are in. What cannot be listed is left to time out. */
static void drop_all(void)
{
    size_t size = LIST_MOST;
    char *list = ja_malloc(size);
    if (!list || sysctlbyname("net.inet.tcp.pcblist", list, &size, NULL, 0) < 0)
        return;
    struct xinpgen head;
    if (size < sizeof head)
        return;
    memcpy(&head, list, sizeof head);
    for (size_t at = head.xig_len; at + sizeof(struct xtcpcb) <= size;) {
        struct xtcpcb one;
        memcpy(&one, list + at, sizeof one);
        if (one.xt_len <= sizeof head)
            break;
        if (one.t_state != TCPS_LISTEN && one.t_state != TCPS_CLOSED)
            drop(&one.xt_inp.inp_inc);
        at += one.xt_len;
    }
}

static void empty_from_inside(int jid)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    int64_t end = ja_clock_monotonic_ms() + END_MS;
    if (ja_freebsd_attach(jid) < 0)
        return;
    kill(-1, SIGKILL); /* all of the jail but us */
    while (kill(-1, 0) == 0 && ja_clock_monotonic_ms() < end)
        nanosleep(&pause, NULL);
    drop_all();
}

void ja_freebsd_empty_jail(int jid)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        empty_from_inside(jid);
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
}
