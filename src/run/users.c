/*
 * users.c: reads a jail's passwd and group files. Lines that are not what they should be are passed over, as the C library
 * does it.
 */
#include "run/users.h"

#include "base/file.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = 1 << 20, ID_MOST = 65535, FIELDS_MOST = 7 };

/* The text of a file beneath the tree; NULL with 0: there is none. */
static int read_beneath(const char *root, const char *path, char **ret_text, struct ja_error *err)
{
    struct stat info;
    int fd = ja_beneath_open(root, path, O_RDONLY, 0, err);
    if (fd == JA_E_NOTFOUND) {
        ja_error_clear(err);
        return 0;
    }
    if (fd < 0)
        return fd;
    ja_autoclose int guard JA_UNUSED = fd;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return ja_error_set(err, JA_E_INVALID, NULL, "%s of the jail is no file", path);
    if (info.st_size > FILE_MOST)
        return ja_error_set(err, JA_E_LIMIT, NULL, "%s of the jail is longer than %d bytes", path, FILE_MOST);
    size_t size = (size_t)info.st_size, length = 0;
    char *text = ja_malloc(size + 1);
    if (!text)
        return ja_error_nomem(err);
    while (length < size) {
        ssize_t n = read(fd, text + length, size - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int sys = errno;
            ja_free(text);
            return ja_error_sys(err, sys, NULL, "cannot read %s of the jail", path);
        }
        if (n == 0)
            break;
        length += (size_t)n;
    }
    text[length] = '\0';
    *ret_text = text;
    return 0;
}

/* Cuts the next line off *rest, and it into fields. Returns how many; -1 at the end. */
static int next_line(char **rest, char *fields[FIELDS_MOST])
{
    char *line = *rest;
    int count = 0;
    if (!line || !*line)
        return -1;
    char *end = strchr(line, '\n');
    *rest = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    while (line && count < FIELDS_MOST) {
        fields[count++] = line;
        char *colon = strchr(line, ':');
        if (colon)
            *colon++ = '\0';
        line = colon;
    }
    return count;
}

static bool parse_id(const char *text, unsigned *ret_id)
{
    unsigned id = 0;
    if (!*text || strlen(text) > 5)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        id = id * 10 + (unsigned)(*text - '0');
    }
    if (id > ID_MOST)
        return false;
    *ret_id = id;
    return true;
}

/* An absolute path without control characters, else the one that stands for none. */
static void take_path(char *ret_path, size_t size, const char *path, const char *none)
{
    bool good = path[0] == '/' && strlen(path) < size && ja_str_printable(path, strlen(path), false);
    snprintf(ret_path, size, "%s", good ? path : none);
}

/* The first line of that name, or with name NULL of that number. */
static bool find_passwd(char *text, const char *name, uid_t uid, struct ja_user *user)
{
    char *fields[FIELDS_MOST];
    int count;
    while ((count = next_line(&text, fields)) >= 0) {
        unsigned line_uid, line_gid;
        if (count != FIELDS_MOST || !parse_id(fields[2], &line_uid) || !parse_id(fields[3], &line_gid))
            continue;
        if (name ? strcmp(fields[0], name) != 0 : line_uid != uid)
            continue;
        snprintf(user->name, sizeof user->name, "%s",
                 ja_str_printable(fields[0], strlen(fields[0]), false) ? fields[0] : "");
        user->uid = (uid_t)line_uid;
        user->gid = (gid_t)line_gid;
        take_path(user->home, sizeof user->home, fields[5], "/");
        take_path(user->shell, sizeof user->shell, fields[6], "/bin/sh");
        return true;
    }
    return false;
}

static bool is_member(const char *members, const char *name)
{
    size_t length = strlen(name);
    while (members && *members) {
        size_t this_length = strcspn(members, ",");
        if (this_length == length && memcmp(members, name, length) == 0)
            return true;
        members += this_length + (members[this_length] == ',');
    }
    return false;
}

static void find_groups(char *text, struct ja_user *user)
{
    char *fields[FIELDS_MOST];
    int count;
    while (user->group_count < JA_GROUPS_MOST && (count = next_line(&text, fields)) >= 0) {
        unsigned gid;
        if (count == 4 && parse_id(fields[2], &gid) && (gid_t)gid != user->gid && is_member(fields[3], user->name))
            user->groups[user->group_count++] = (gid_t)gid;
    }
}

int ja_user_find(const char *root, const char *text, struct ja_user *ret_user, struct ja_error *err)
{
    struct ja_user user = {.home = "/", .shell = "/bin/sh"};
    ja_autofree char *passwd = NULL, *group = NULL, *first = NULL;
    unsigned uid = 0, gid = 0;
    const char *colon = strchr(text, ':');
    first = ja_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
    if (!first)
        return ja_error_nomem(err);
    bool number = parse_id(first, &uid);
    bool bad = !*first || (!number && (first[strspn(first, "0123456789")] == '\0' || colon));
    if (bad || (colon && !parse_id(colon + 1, &gid)))
        return ja_error_set(err, JA_E_INVALID, "option --user",
                            "%s is neither a name nor UID or UID:GID with numbers up to %d", JA_SHOW(text), ID_MOST);
    int rc = read_beneath(root, "etc/passwd", &passwd, err);
    if (rc < 0)
        return rc;
    bool found = passwd && find_passwd(passwd, number ? NULL : first, (uid_t)uid, &user);
    if (!found && !number)
        return ja_error_set(err, JA_E_NOTFOUND, "option --user", "the jail has no user \"%s\"", JA_SHOW(text));
    if (!found) {
        user.uid = (uid_t)uid;
        user.gid = (gid_t)uid;
    }
    if (colon) { /* these two and no more */
        user.gid = (gid_t)gid;
    } else if (user.name[0]) {
        if ((rc = read_beneath(root, "etc/group", &group, err)) < 0)
            return rc;
        if (group)
            find_groups(group, &user);
    }
    *ret_user = user;
    return 0;
}
