/*
 * facts_file.c: facts that are files. What is absent must be known to be: everything but "there is none" is an error.
 */
#include "host/facts_file.h"

#include "base/file.h"
#include "base/sha256.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SMALL_FILE = 65536, PASSWD_MOST = 1 << 20 };

static int answer(struct ja_str *value, const char *text)
{
    ja_str_add(value, text);
    return 1;
}

static int absent_or_error(int sys, const char *path, struct ja_error *err)
{
    return sys == ENOENT || sys == ENOTDIR ? 0 : ja_file_error(err, sys, path, "read it");
}

static int tool(const char *name, struct ja_str *value)
{
    static const char *const directories[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                              "/usr/bin",        "/sbin",          "/bin"};
    if (strchr(name, '/'))
        return 0;
    for (size_t i = 0; i < JA_COUNT(directories); i++) {
        char path[512];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", directories[i], name);
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0)
            return answer(value, path);
    }
    return 0;
}

static int path_type(const char *path, struct ja_str *value, struct ja_error *err)
{
    struct stat info;
    if (lstat(path, &info) < 0)
        return absent_or_error(errno, path, err);
    return answer(value, S_ISDIR(info.st_mode)   ? "dir"
                         : S_ISREG(info.st_mode) ? "file"
                         : S_ISLNK(info.st_mode) ? "link"
                                                 : "other");
}

static int file_text(const char *path, struct ja_str *value, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    int code = ja_file_read(path, SMALL_FILE, &text, NULL, err);
    if (code == JA_E_NOTFOUND) {
        ja_error_clear(err);
        return 0;
    }
    return code < 0 ? code : answer(value, text);
}

static int directory(const char *path, struct ja_str *value, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    DIR *dir = opendir(path);
    if (!dir)
        return absent_or_error(errno, path, err);
    int code = 1;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (ja_strv_add(&names, entry->d_name) < 0) {
            code = ja_error_nomem(err);
            break;
        }
    }
    if (code == 1 && errno)
        code = ja_file_error(err, errno, path, "list it");
    closedir(dir);
    ja_strv_sort(&names);
    for (size_t i = 0; code > 0 && i < names.count; i++)
        if (!strchr(names.items[i], '\n')) /* it could pass for two names */
            ja_str_addf(value, "%s\n", names.items[i]);
    return code;
}

static int sha256(const char *path, struct ja_str *value, struct ja_error *err)
{
    char sum[JA_SHA256_TEXT];
    struct stat info;
    ja_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return absent_or_error(errno, path, err);
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return 0;
    return ja_sha256_fd(fd, sum) < 0 ? ja_file_error(err, errno, path, "read it") : answer(value, sum);
}

static int space(const char *path, struct ja_str *value, struct ja_error *err)
{
    struct statvfs fs;
    if (statvfs(path, &fs) < 0)
        return absent_or_error(errno, path, err);
    ja_str_addf(value, "%llu %llu", (unsigned long long)fs.f_bavail * fs.f_frsize,
                (unsigned long long)fs.f_blocks * fs.f_frsize);
    return 1;
}

/* ---- beneath a tree ---- */

/* Splits "TREE\tREST". 1: *ret_tree is the caller's; 0: there is no tab; negative: no memory. */
static int split_tree(const char *name, char **ret_tree, const char **ret_rest, struct ja_error *err)
{
    const char *tab = strchr(name, '\t');
    if (!tab)
        return 0;
    char *tree = ja_strndup(name, (size_t)(tab - name));
    if (!tree)
        return ja_error_nomem(err);
    *ret_tree = tree;
    *ret_rest = tab + 1;
    return 1;
}

int ja_fact_open_beneath(const char *tree, const char *path, int *ret_fd, struct ja_error *err)
{
    int fd = ja_beneath_open(tree, path, O_RDONLY, 0, err);
    if (fd == JA_E_NOTFOUND || fd == JA_E_DENIED) {
        /* A link that leads out, or round in circles: for the jail there is no such file. */
        ja_error_clear(err);
        return 0;
    }
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 1;
}

int ja_fact_read_fd(int fd, size_t limit, char **ret_text, size_t *ret_length, struct ja_error *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return 0;
    size_t size = info.st_size < (off_t)limit ? (size_t)info.st_size : limit, length = 0;
    char *text = ja_malloc(size + 1);
    if (!text)
        return ja_error_nomem(err);
    while (length < size) {
        ssize_t n = read(fd, text + length, size - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    text[length] = '\0';
    *ret_text = text;
    *ret_length = length;
    return 1;
}

static int tree_file(const char *name, struct ja_str *value, struct ja_error *err)
{
    const char *path = NULL;
    ja_autoclose int fd = -1;
    ja_autofree char *tree = NULL, *text = NULL;
    struct stat info;
    size_t length;
    int code = split_tree(name, &tree, &path, err);
    if (code > 0)
        code = ja_fact_open_beneath(tree, path, &fd, err);
    if (code <= 0)
        return code;
    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
        return answer(value, "dir");
    /* A larger file is cut: it differs from whatever we would write there. */
    code = ja_fact_read_fd(fd, SMALL_FILE, &text, &length, err);
    return code > 0 ? answer(value, text) : code;
}

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

static int user_entry(const char *name, struct ja_str *value, struct ja_error *err)
{
    const char *user = NULL;
    ja_autoclose int fd = -1;
    ja_autofree char *tree = NULL, *text = NULL;
    size_t length;
    int code = split_tree(name, &tree, &user, err);
    if (code > 0)
        code = ja_fact_open_beneath(tree, "etc/passwd", &fd, err);
    if (code > 0)
        code = ja_fact_read_fd(fd, PASSWD_MOST, &text, &length, err);
    if (code <= 0)
        return code;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *field[7];
        size_t n = 0;
        for (char *more = line; n < JA_COUNT(field) && more;)
            field[n++] = strsep(&more, ":");
        if (n == JA_COUNT(field) && strcmp(field[0], user) == 0 && is_number(field[2]) && is_number(field[3])) {
            ja_str_addf(value, "%s %s %s %s", field[2], field[3], field[5][0] ? field[5] : "/",
                        field[6][0] ? field[6] : "/bin/sh");
            return 1;
        }
    }
    return 0;
}

int ja_fact_from_file(enum ja_fact_kind kind, const char *name, struct ja_str *value, struct ja_error *err)
{
    switch (kind) {
    case JA_FACT_TOOL:
        return tool(name, value);
    case JA_FACT_PATH:
        return path_type(name, value, err);
    case JA_FACT_FILE:
        return file_text(name, value, err);
    case JA_FACT_DIRECTORY:
        return directory(name, value, err);
    case JA_FACT_SHA256:
        return sha256(name, value, err);
    case JA_FACT_TREEFILE:
        return tree_file(name, value, err);
    case JA_FACT_USERFILE:
        return user_entry(name, value, err);
    case JA_FACT_SPACE:
        return space(name, value, err);
    default:
        return 0;
    }
}
