/*
 * sysctl.c: settings of the kernel: files of /proc/sys on Linux, sysctl(3) on FreeBSD.
 */
#include "run/sysctl.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __FreeBSD__
#include <sys/sysctl.h>
#define SEPARATOR '.'
#else
#define SEPARATOR '/'
#endif

int ja_sysctl_canonical(const char *name, char ret_name[JA_SYSCTL_NAME], struct ja_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./@:%";
    size_t length = strlen(name);
    bool plain = length > 0 && length < JA_SYSCTL_NAME && strspn(name, allowed) == length && !strstr(name, "..");
    if (!plain || strchr("./", name[0]) || strchr("./", name[length - 1]) || strstr(name, "/./"))
        return ja_error_set(err, JA_E_INVALID, name, "this is no name of a kernel setting");
    /* The first separator says which one is meant; a dot after a slash is part of a name. */
    char given = name[strcspn(name, "./")];
    char canonical[JA_SYSCTL_NAME];
    for (size_t i = 0; i <= length; i++)
        canonical[i] = name[i] == given && given ? SEPARATOR : name[i];
    memcpy(ret_name, canonical, length + 1);
    return 0;
}

/* Words with one blank between them. */
static int tidy(const char *name, const char *text, char ret_value[JA_SYSCTL_TEXT], struct ja_error *err)
{
    char value[JA_SYSCTL_TEXT];
    size_t length = 0;
    for (const char *word = text + strspn(text, " \t\n"); *word;) {
        size_t n = strcspn(word, " \t\n");
        if (length + n + 2 > sizeof value)
            return ja_error_set(err, JA_E_UNSUPPORTED, name, "the value of this kernel setting is too long");
        if (length > 0)
            value[length++] = ' ';
        memcpy(value + length, word, n);
        length += n;
        word += n;
        word += strspn(word, " \t\n");
    }
    value[length] = '\0';
    memcpy(ret_value, value, length + 1);
    return 0;
}

#ifdef __FreeBSD__

/* Numbers are read and written as their type wants it; `text` becomes `*ret_number`. */
static int number_type(const char *name, size_t *ret_size)
{
    int mib[CTL_MAXNAME], query[CTL_MAXNAME + 2] = {0, 4}; /* sysctl(3), "oidfmt": kind and format of a node */
    size_t parts = JA_COUNT(mib);
    unsigned char format[128];
    size_t length = sizeof format;
    if (sysctlnametomib(name, mib, &parts) != 0)
        return -1;
    memcpy(query + 2, mib, parts * sizeof mib[0]);
    if (sysctl(query, (unsigned)parts + 2, format, &length, NULL, 0) != 0)
        return -1;
    unsigned kind;
    memcpy(&kind, format, sizeof kind);
    kind &= CTLTYPE;
    bool wide = kind == CTLTYPE_S64 || kind == CTLTYPE_U64 || kind == CTLTYPE_LONG || kind == CTLTYPE_ULONG;
    *ret_size = kind == CTLTYPE_STRING ? 0 : wide ? sizeof(int64_t) : sizeof(int);
    return 0;
}

int ja_sysctl_get(const char *name, char ret_value[JA_SYSCTL_TEXT], struct ja_error *err)
{
    size_t size;
    char text[JA_SYSCTL_TEXT] = "";
    int64_t wide = 0;
    int narrow = 0;
    if (number_type(name, &size) != 0)
        return ja_file_error(err, errno, name, "find the kernel setting");
    size_t length = size == 0 ? sizeof text - 1 : size;
    void *where = size == 0 ? (void *)text : size == sizeof wide ? (void *)&wide : (void *)&narrow;
    if (sysctlbyname(name, where, &length, NULL, 0) != 0)
        return ja_file_error(err, errno, name, "read the kernel setting");
    if (size != 0)
        snprintf(text, sizeof text, "%lld", size == sizeof wide ? (long long)wide : (long long)narrow);
    return tidy(name, text, ret_value, err);
}

int ja_sysctl_set(const char *name, const char *value, struct ja_error *err)
{
    size_t size;
    if (number_type(name, &size) != 0)
        return ja_file_error(err, errno, name, "find the kernel setting");
    char *end = NULL;
    int64_t wide = strtoll(value, &end, 10);
    int narrow = (int)wide;
    if (size != 0 && (!*value || *end))
        return ja_error_set(err, JA_E_INVALID, name, "the kernel setting wants a number, not '%s'", value);
    const void *what = size == 0 ? (const void *)value : size == sizeof wide ? (void *)&wide : (void *)&narrow;
    if (sysctlbyname(name, NULL, NULL, what, size == 0 ? strlen(value) : size) != 0)
        return ja_file_error(err, errno, name, "write the kernel setting");
    return 0;
}

#else

static char *path_of(const char *name)
{
    const char *root = getenv("JAILADMIN_SYSCTL_ROOT");
    return ja_printf("%s/%s", root ? root : "/proc/sys", name);
}

int ja_sysctl_get(const char *name, char ret_value[JA_SYSCTL_TEXT], struct ja_error *err)
{
    ja_autofree char *path = path_of(name);
    if (!path)
        return ja_error_nomem(err);
    ja_autofree char *text = NULL;
    int r = ja_file_read(path, 4096, &text, NULL, err);
    return r < 0 ? r : tidy(name, text, ret_value, err);
}

int ja_sysctl_set(const char *name, const char *value, struct ja_error *err)
{
    ja_autofree char *path = path_of(name);
    if (!path)
        return ja_error_nomem(err);
    ja_autoclose int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0 || ja_fd_write(fd, value, strlen(value)) != 0)
        return ja_file_error(err, errno, path, "write the kernel setting");
    return 0;
}

#endif
