/*
 * binds.c: trees that are mounted in a second place, for root to work in: the kernel's table of what is mounted is the only note of it.
 */
#include "host/linux/native/native.h"

#include "base/file.h"
#include "run/option.h"
#include "run/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is mounted where ---- */

/* A line of mountinfo(5): which directory of which file system is seen at `point`. */
struct mounted {
    unsigned major, minor;
    bool read_only;
    char *root, *point;
};
struct table {
    struct mounted *items;
    size_t count;
};

static void table_fini(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        ja_free(table->items[i].root);
        ja_free(table->items[i].point);
    }
    ja_free(table->items);
}

/* Spaces and the like are octal there. */
static void decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        unsigned byte;
        if (from[0] == '\\' && sscanf(from + 1, "%3o", &byte) == 1 && strlen(from) >= 4) {
            *to = (char)byte;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

static int add_line(struct table *table, const char *line)
{
    struct mounted mounted;
    char mode[3];
    ja_autofree char *root = ja_strdup(line), *point = ja_strdup(line);
    if (!root || !point)
        return -1;
    /* Both have room for the whole line. */
    // cppcheck-suppress invalidscanf
    if (sscanf(line, "%*u %*u %u:%u %s %s %2s", &mounted.major, &mounted.minor, root, point, mode) != 5)
        return 0;
    decode(root);
    decode(point);
    struct mounted *items = ja_realloc(table->items, (table->count + 1) * sizeof *items);
    if (!items)
        return -1;
    mounted.read_only = strcmp(mode, "ro") == 0;
    mounted.root = root;
    mounted.point = point;
    root = NULL;
    point = NULL;
    items[table->count++] = mounted;
    table->items = items;
    return 0;
}

static int read_table(struct table *table, struct ja_error *err)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return ja_error_sys(err, errno, NULL, "cannot read the mount table");
    char *line = NULL;
    size_t size = 0;
    int rc = 0;
    while (rc == 0 && getline(&line, &size, file) >= 0)
        if (add_line(table, line) < 0)
            rc = ja_error_nomem(err);
    free(line);
    fclose(file);
    return rc;
}

/* What follows `dir` in a path at or below it, "" or "/x"; NULL: it is elsewhere. */
static const char *rest_of(const char *path, const char *dir)
{
    size_t length = strcmp(dir, "/") == 0 ? 0 : strlen(dir);
    return strncmp(path, dir, length) == 0 && (path[length] == '/' || path[length] == '\0') ? path + length : NULL;
}

/* The mount that a path lies in: the last one of the longest. */
static const struct mounted *mount_of(const struct table *table, const char *path)
{
    const struct mounted *best = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct mounted *one = &table->items[i];
        if (rest_of(path, one->point) && (!best || strlen(one->point) >= strlen(best->point)))
            best = one;
    }
    return best;
}

/* Where below `path`, which is seen through `through`, one finds what `other` shows; NULL: not there, or it is all of it. */
static char *name_below(const struct mounted *through, const struct mounted *other, const char *path)
{
    if (through->major != other->major || through->minor != other->minor)
        return NULL;
    const char *rest = rest_of(other->root, through->root);
    ja_autofree char *seen =
        rest ? ja_printf("%s%s", strcmp(through->point, "/") == 0 ? "" : through->point, rest) : NULL;
    const char *below = seen ? rest_of(seen, path) : NULL;
    return below && below[0] == '/' && below[1] ? ja_strdup(below + 1) : NULL;
}

int ja_linux_probe_binds(const char *path, struct ja_str *lines, struct ja_error *err)
{
    struct table table = {0};
    ja_autofree char *real = realpath(path, NULL);
    if (!real)
        return errno == ENOMEM ? ja_error_nomem(err) : 0;
    int rc = read_table(&table, err);
    const struct mounted *over = rc == 0 ? mount_of(&table, real) : NULL;
    for (size_t i = 0; over && i < table.count; i++) {
        const struct mounted *other = &table.items[i];
        char *name = rest_of(other->point, real) ? NULL : name_below(over, other, real);
        /* With ZFS each tree is a mount of its own. */
        for (size_t m = 0; !name && m < table.count && !rest_of(other->point, real); m++)
            if (rest_of(table.items[m].point, real))
                name = name_below(&table.items[m], other, real);
        if (name)
            ja_str_addf(lines, "%s\t%s\t%s\n", name, other->read_only ? "ro" : "rw", other->point);
        ja_free(name);
    }
    table_fini(&table);
    return rc < 0 ? rc : 1;
}

/* ---- host verbs ---- */

static int look(const char *path, struct stat *ret_info, struct ja_error *err)
{
    return lstat(path, ret_info) < 0 ? ja_file_error(err, errno, path, "look at it") : 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int mount_on(const char *tree, int place, bool read_only, struct ja_error *err)
{
    const struct ja_mount_attr attributes = {.attr_set = JA_MOUNT_ATTR_NOSUID | JA_MOUNT_ATTR_NODEV |
                                                         (read_only ? JA_MOUNT_ATTR_RDONLY : 0)};
    ja_autoclose int fd = ja_sys_open_tree(tree, true);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot take the tree %s", tree);
    /* Before it can be seen. */
    if (ja_sys_mount_setattr(fd, &attributes) < 0)
        return ja_error_sys(err, errno, NULL, "cannot take rights from the mount");
    if (ja_sys_move_mount_on(fd, place) < 0)
        return ja_error_sys(err, errno, NULL, "cannot mount the tree %s", tree);
    return 0;
}

int ja_verb_tree_mount(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    bool read_only = false;
    const struct ja_opt options[] = {{.name = "--read-only", .flag = &read_only}, {0}};
    struct stat tree, there;
    ja_autoclose int place = -1;
    int first, rc = ja_opt_read(argc, argv, options, &first, err);
    if (rc == 0 && first != argc - 2)
        rc = ja_opt_usage(argv[0], err);
    if (rc < 0)
        return rc;
    const char *from = argv[first], *dir = argv[first + 1];
    rc = look(from, &tree, err);
    if (rc == 0)
        rc = ja_place_open(dir, &place, err);
    if (rc == 0 && fstat(place, &there) < 0)
        rc = ja_file_error(err, errno, dir, "look at it");
    if (rc < 0 || is_same(&tree, &there))
        return rc;
    rc = ja_place_check_empty(place, dir, err);
    return rc < 0 ? rc : mount_on(from, place, read_only, err);
}

int ja_verb_tree_unmount(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    struct stat tree, there;
    if (argc != 3)
        return ja_opt_usage(argv[0], err);
    if (lstat(argv[1], &tree) < 0 || lstat(argv[2], &there) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : ja_file_error(err, errno, argv[2], "look at it");
    if (!is_same(&tree, &there) || strcmp(argv[1], argv[2]) == 0 || umount2(argv[2], UMOUNT_NOFOLLOW) == 0)
        return 0;
    int sys = errno;
    ja_error_sys(err, sys, NULL, "cannot unmount %s", argv[2]);
    if (sys == EBUSY)
        ja_error_hint(err, "`fuser -vm %s` shows who uses it", argv[2]);
    return err->code;
}
