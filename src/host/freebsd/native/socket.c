/*
 * socket.c: a socket of ours in a running jail's network. A process goes into the jail, makes it, hands it out and ends: nobody in
 * the jail can trace it, and it holds nothing of the host but the way out.
 */
#include "host/freebsd/native/native.h"

#include "host/outside.h"
#include "run/spawn.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum stage { AT_CLOSE, AT_ATTACH, AT_SOCKET };

static void make_inside(int jid, int family, int fd, pid_t parent)
{
    ja_spawn_die_with_parent(parent);
    if (dup2(fd, 3) < 0)
        ja_outside_fail(fd, AT_CLOSE);
    fd = 3;
    closefrom(4);
    for (int i = 0; i < 3; i++)
        close(i);
    if (ja_freebsd_attach(jid) < 0)
        ja_outside_fail(fd, AT_ATTACH);
    int made = socket(family, SOCK_DGRAM, 0);
    if (made < 0)
        ja_outside_fail(fd, AT_SOCKET);
    ja_outside_say(fd, (struct ja_outside_message){.kind = JA_SAYS_MASTER}, made);
    _exit(0);
}

int ja_native_socket(const char *pid_file, int family, int *ret_fd, struct ja_error *err)
{
    const struct ja_entry none = {0};
    struct ja_outside outside;
    pid_t parent = getpid();
    int jid, pair[2], code = ja_freebsd_find_jail(pid_file, &jid, err);
    if (code < 0)
        return code;
    ja_outside_open_streams();
    ja_outside_init(&outside, &none);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a socket pair");
    pid_t pid = fork();
    if (pid == 0)
        make_inside(jid, family, pair[1], parent);
    int sys = errno;
    close(pair[1]);
    if (pid > 0)
        ja_outside_listen(pair[0], &outside);
    close(pair[0]);
    if (pid < 0)
        return ja_error_sys(err, sys, NULL, "cannot fork");
    ja_outside_wait(pid);
    if (outside.failed && outside.failure.stage == AT_ATTACH && outside.failure.value == EINVAL)
        return ja_freebsd_not_running(err);
    if (outside.relay.master < 0)
        return ja_error_sys(err, outside.failed ? outside.failure.value : EPIPE, NULL,
                            "cannot make a socket in the jail's network");
    *ret_fd = outside.relay.master;
    return 0;
}
