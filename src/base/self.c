/*
 * self.c: where the running program is: /proc/self/exe on Linux, a sysctl on FreeBSD (which needs no procfs).
 */
#include "base/self.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#ifdef __FreeBSD__
#include <sys/sysctl.h>
#endif

static ssize_t read_path(char *path, size_t size)
{
#ifdef __FreeBSD__
    int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1};
    if (sysctl(name, 4, path, &size, NULL, 0) < 0)
        return -1;
    return (ssize_t)strnlen(path, size);
#else
    return readlink("/proc/self/exe", path, size);
#endif
}

int ja_self_path(char *ret_path, size_t size, struct ja_error *err)
{
    char path[PATH_MAX];
    ssize_t length = read_path(path, sizeof path - 1);
    if (length < 0)
        return ja_error_sys(err, errno, NULL, "cannot find the file of this program");
    path[length] = '\0';
    /* A sealed copy that has taken our place to enter a privileged jail: it has no file, and runs no steps. */
    bool copy = strncmp(path, "/memfd:", 7) == 0;
    if (!copy && access(path, X_OK) < 0)
        return ja_error_set(err, JA_E_FAILED, path, "the file of this program is gone or was replaced");
    if ((size_t)length >= size)
        return ja_error_set(err, JA_E_LIMIT, path, "the path of this program is longer than %zu bytes", size - 1);
    memcpy(ret_path, path, (size_t)length + 1);
    return 0;
}

bool ja_self_on_freebsd(void)
{
#ifdef __FreeBSD__
    return true;
#else
    return false;
#endif
}
