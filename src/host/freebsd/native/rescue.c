/*
 * rescue.c: `jailadmin host jail-rescue`: a program of the host in a jail. The jail's own may be older than the kernel, which then does not
 * understand it (15 takes nothing of what ipfw(8) of 14 and before sends), or be anything that its root has put there. What is in /rescue
 * needs no file of the jail.
 */
#include "base/file.h"
#include "base/str.h"
#include "host/freebsd/native/native.h"
#include "run/option.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <sys/jail.h>
#include <sys/procctl.h>
#include <sys/uio.h>
#include <unistd.h>

extern char **environ;

/* In a process of its own, which becomes the program. */
int ja_verb_jail_rescue(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    char path[64];
    if (argc < 3 || !ja_opt_plain_name(argv[2]))
        return ja_opt_usage(argv[0], err);
    char name_key[] = "name";
    struct iovec parts[] = {{name_key, sizeof name_key}, {argv[1], strlen(argv[1]) + 1}};
    int jid = jail_get(parts, JA_COUNT(parts), 0), trace = PROC_TRACE_CTL_DISABLE_EXEC;
    if (jid <= 0)
        return ja_freebsd_not_running(err);
    snprintf(path, sizeof path, "/rescue/%s", argv[2]);
    ja_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (ja_freebsd_attach(jid) < 0)
        return ja_error_sys(err, errno, NULL, "cannot enter the jail");
    /* Its root is not to look into a process of the host's. */
    if (procctl(P_PID, 0, PROC_TRACE_CTL, &trace) < 0)
        return ja_error_sys(err, errno, NULL, "cannot protect the program");
    if (fd >= 0)
        fexecve(fd, argv + 2, environ);
    snprintf(path, sizeof path, "/sbin/%s", argv[2]);
    execv(path, argv + 2);
    return ja_error_sys(err, errno, NULL, "cannot run %s, of the host's /rescue or of the jail's /sbin", argv[2]);
}
