/*
 * jail.c: which jail of the kernel is meant, and going into it.
 */
#include "base/file.h"
#include "base/str.h"
#include "host/freebsd/native/native.h"

#include <errno.h>
#include <string.h>
#include <sys/param.h>
#include <sys/jail.h>
#include <sys/procctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

int ja_freebsd_not_running(struct ja_error *err)
{
    return ja_error_set(err, JA_E_FAILED, NULL, "the jail is not running any more");
}

int ja_freebsd_find_jail(const char *file, int *ret_jid, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    char path[MAXPATHLEN] = "", message[256] = "";
    char name_key[] = "name", path_key[] = "path", message_key[] = "errmsg";
    int code = ja_file_read(file, MAXPATHLEN + 256, &text, NULL, err);
    if (code == JA_E_NOTFOUND)
        return ja_freebsd_not_running(err);
    if (code < 0)
        return code;
    text[strcspn(text, "\n")] = '\0';
    char *wanted = strchr(text, ' ');
    if (!wanted)
        return ja_error_set(err, JA_E_CORRUPT, NULL, "%s names no jail", file);
    *wanted++ = '\0';
    struct iovec parts[] = {{name_key, sizeof name_key}, {text, strlen(text) + 1},          {path_key, sizeof path_key},
                            {path, sizeof path},         {message_key, sizeof message_key}, {message, sizeof message}};
    int jid = jail_get(parts, JA_COUNT(parts), 0); /* not the dying ones */
    if (jid < 0 && errno != ENOENT)
        return ja_error_sys(err, errno, NULL, "cannot ask for the jail %s", JA_SHOW(text));
    if (jid <= 0 || strcmp(path, wanted) != 0)
        return ja_freebsd_not_running(err);
    *ret_jid = jid;
    return 0;
}

int ja_freebsd_attach(int jid)
{
    int trace = PROC_TRACE_CTL_DISABLE;
    if (procctl(P_PID, 0, PROC_TRACE_CTL, &trace) < 0 || jail_attach(jid) < 0)
        return -1;
    return chdir("/");
}
