/*
 * socket.c: a socket of ours in a running jail's network. Only it is there: no process of ours enters the jail.
 */
#include "host/linux/native/native.h"

#include "host/host.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int ja_native_socket(const char *pid_file, int family, int *ret_fd, struct ja_error *err)
{
    char netns[64], state;
    uint64_t start, now;
    pid_t pid;
    int code = ja_init_read(pid_file, &pid, &start, err);
    if (code < 0)
        return code;
    snprintf(netns, sizeof netns, "/proc/%d/ns/net", (int)pid);
    int fd = ja_sys_socket_in(netns, family, SOCK_DGRAM, 0), sys = errno;
    /* Another process could have the number by now. */
    if (ja_init_start_time(pid, &now, &state) < 0 || now != start) {
        if (fd >= 0)
            close(fd);
        return ja_error_set(err, JA_E_FAILED, NULL, "the jail is not running any more");
    }
    if (fd < 0)
        return ja_error_sys(err, sys, NULL, "cannot make a socket in the jail's network");
    *ret_fd = fd;
    return 0;
}
