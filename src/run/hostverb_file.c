/*
 * hostverb_file.c: the portable host verbs: files and directories, settings of the kernel, the registry.
 *
 * Paths without --root are absolute and trusted up to their last component. Paths with --root stay beneath
 * it, whatever links are there.
 */
#include "base/file.h"
#include "model/field.h"
#include "run/hostverbs.h"
#include "run/option.h"
#include "run/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the command line of a verb says. */
struct arguments {
    const char *root;             /* NULL: none */
    const char *mode, *uid, *gid; /* NULL: not given */
    bool new, sync, flush;
    char *const *words; /* what is no option */
};

/* Reads the options that `options` allows and exactly `count` words. JA_E_USAGE. */
static int read_arguments(int argc, char *const *argv, const struct ja_opt *options, int count,
                          struct arguments *arguments, struct ja_error *err)
{
    static const struct ja_opt none[] = {{0}};
    int first;
    int r = ja_opt_read(argc, argv, options ? options : none, &first, err);
    if (r == 0 && argc - first != count)
        r = ja_opt_usage(argv[0], err);
    if (r == 0)
        arguments->words = argv + first;
    return r;
}

/* An owner's number; without one -1: nobody's change. */
static int read_id(const char *name, const char *text, uint32_t *ret_id, struct ja_error *err)
{
    int64_t id = -1;
    int r = text ? ja_opt_number(name, text, 0, UINT32_MAX - 1, &id, err) : 0;
    if (r == 0)
        *ret_id = (uint32_t)id;
    return r;
}

/* The number of components of an absolute path that is spelt plainly: no "//", ".", "..", nor a slash at its
 * end. -1 when it is not. */
static int count_components(const char *path)
{
    int count = 0;
    while (*path) {
        if (*path++ != '/')
            return -1;
        size_t length = strcspn(path, "/");
        if (length == 0 || strncmp(path, ".", length) == 0 || strncmp(path, "..", length) == 0)
            return -1;
        path += length;
        count++;
    }
    return count;
}

static int check_path(const char *path, int least, struct ja_error *err)
{
    int count = count_components(path);
    if (count < 0)
        return ja_error_set(err, JA_E_USAGE, path, "the path must be absolute, without \"//\", \".\", \"..\"");
    if (count < least)
        return ja_error_set(err, JA_E_DENIED, path, "refused for a path of fewer than %d components", least);
    return 0;
}

/* A path as the ja_beneath functions take it. Without --root its own directory is the root, so that the last
 * component is treated with the same care. */
struct place {
    char *root; /* owned */
    const char *path;
};

static void place_fini(struct place *place)
{
    ja_free(place->root);
}

static int find_place(const struct arguments *arguments, struct place *ret_place, struct ja_error *err)
{
    const char *path = arguments->words[0];
    const char *slash = strrchr(path, '/');
    int r = check_path(arguments->root ? arguments->root : path, 1, err);
    if (r < 0)
        return r;
    char *root =
        arguments->root ? ja_strdup(arguments->root) : ja_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!root)
        return ja_error_nomem(err);
    *ret_place = (struct place){root, arguments->root ? path : slash + 1};
    return 0;
}

/* Arguments of a verb on one path that may be beneath a root. */
static int read_place(int argc, char *const *argv, const struct ja_opt *options, struct arguments *arguments,
                      struct place *ret_place, struct ja_error *err)
{
    int r = read_arguments(argc, argv, options, 1, arguments, err);
    return r < 0 ? r : find_place(arguments, ret_place, err);
}

/* Whether the file is what it was to become: then it does not matter that it cannot be written now. So a full disk does not keep the
 * undo of a change that it prevented from succeeding. */
static bool is_written(const struct place *place, const struct ja_hostverb_io *io, mode_t mode, uint32_t uid,
                       uint32_t gid)
{
    struct stat st;
    ja_autoclose int fd = ja_beneath_open(place->root, place->path, O_RDONLY | O_NOFOLLOW, 0, NULL);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 07777) != mode || st.st_uid != uid ||
        st.st_gid != gid || st.st_size != (off_t)io->input_length)
        return false;
    for (size_t at = 0; at < io->input_length;) {
        char bytes[4096];
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n <= 0 || (size_t)n > io->input_length - at || memcmp(bytes, io->input + at, (size_t)n) != 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

int ja_verb_write(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    JA_CLEANUP(place_fini) struct place place = {0};
    struct arguments arguments = {0};
    const struct ja_opt options[] = {
        {.name = "--root", .value = &arguments.root},  {.name = "--mode", .value = &arguments.mode},
        {.name = "--uid", .value = &arguments.uid},    {.name = "--gid", .value = &arguments.gid},
        {.name = "--new", .flag = &arguments.new},     {.name = "--sync", .flag = &arguments.sync},
        {.name = "--flush", .flag = &arguments.flush}, {0}};
    mode_t mode = 0644;
    uint32_t uid = 0, gid = 0;
    int r = read_place(argc, argv, options, &arguments, &place, err);
    if (r == 0 && arguments.mode)
        r = ja_opt_mode("--mode", arguments.mode, &mode, err);
    if (r == 0)
        r = read_id("--uid", arguments.uid, &uid, err);
    if (r == 0)
        r = read_id("--gid", arguments.gid, &gid, err);
    if (r < 0)
        return r;
    unsigned how = (arguments.new ? JA_BENEATH_NEW : 0u) | (arguments.sync ? JA_BENEATH_SYNC : 0u) |
                   (arguments.flush ? JA_BENEATH_FLUSH : 0u);
    r = ja_beneath_put(place.root, place.path, io->input, io->input_length, mode, uid, gid, how, err);
    if (r < 0 && !arguments.new &&is_written(&place, io, mode, uid, gid)) {
        ja_error_clear(err);
        return 0;
    }
    return r;
}

int ja_verb_remove(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    JA_CLEANUP(place_fini) struct place place = {0};
    struct arguments arguments = {0};
    const struct ja_opt options[] = {{.name = "--root", .value = &arguments.root}, {0}};
    int r = read_place(argc, argv, options, &arguments, &place, err);
    return r < 0 ? r : ja_beneath_remove(place.root, place.path, err);
}

int ja_verb_mkdir(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    JA_CLEANUP(place_fini) struct place place = {0};
    struct arguments arguments = {0};
    const struct ja_opt options[] = {
        {.name = "--root", .value = &arguments.root}, {.name = "--mode", .value = &arguments.mode}, {0}};
    mode_t mode = 0755;
    int r = read_place(argc, argv, options, &arguments, &place, err);
    if (r == 0 && arguments.mode)
        r = ja_opt_mode("--mode", arguments.mode, &mode, err);
    return r < 0 ? r : ja_beneath_mkdir_new(place.root, place.path, mode, err);
}

int ja_verb_rmdir(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments = {0};
    int r = read_arguments(argc, argv, NULL, 1, &arguments, err);
    if (r == 0)
        r = check_path(arguments.words[0], 1, err);
    if (r < 0)
        return r;
    if (rmdir(arguments.words[0]) == 0 || errno == ENOENT)
        return 0;
    return ja_file_error(err, errno, arguments.words[0], "remove the directory");
}

int ja_verb_remove_tree(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments = {0};
    int r = read_arguments(argc, argv, NULL, 1, &arguments, err);
    /* A mistake in a plan must not remove /, /var or /var/db. */
    if (r == 0)
        r = check_path(arguments.words[0], 3, err);
    return r < 0 ? r : ja_tree_remove(arguments.words[0], err);
}

int ja_verb_rename(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments = {0};
    int r = read_arguments(argc, argv, NULL, 2, &arguments, err);
    for (int i = 0; i < 2 && r == 0; i++)
        r = check_path(arguments.words[i], 1, err);
    return r < 0 ? r : ja_file_rename(arguments.words[0], arguments.words[1], err);
}

/* What is at ASIDE already was at PLACE when a first try was cut off. */
int ja_verb_swap(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments = {0};
    struct stat info;
    int r = read_arguments(argc, argv, NULL, 3, &arguments, err);
    for (int i = 0; i < 3 && r == 0; i++)
        r = check_path(arguments.words[i], 1, err);
    if (r < 0)
        return r;
    const char *from = arguments.words[0], *place = arguments.words[1], *aside = arguments.words[2];
    if (lstat(from, &info) < 0)
        return ja_file_error(err, errno, from, "find it");
    if (lstat(place, &info) == 0)
        r = ja_file_rename(place, aside, err);
    else if (lstat(aside, &info) < 0)
        r = ja_file_error(err, errno, place, "find it");
    return r < 0 ? r : ja_file_rename(from, place, err);
}

int ja_verb_sync(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments = {0};
    int r = read_arguments(argc, argv, NULL, 1, &arguments, err);
    if (r == 0)
        r = check_path(arguments.words[0], 1, err);
    if (r < 0)
        return r;
    ja_autoclose int fd = open(arguments.words[0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return ja_file_error(err, errno, arguments.words[0], "open the directory");
    return ja_sync_filesystem(fd) == 0 ? 0 : ja_file_error(err, errno, arguments.words[0], "sync the file system of");
}

int ja_verb_symlink(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments = {0};
    int r = read_arguments(argc, argv, NULL, 2, &arguments, err);
    if (r == 0)
        r = check_path(arguments.words[1], 1, err);
    if (r < 0 || symlink(arguments.words[0], arguments.words[1]) == 0)
        return r;
    return ja_file_error(err, errno, arguments.words[1], "make the link");
}

int ja_verb_setting(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    if (argc == 5 && strcmp(argv[1], "acquire") == 0)
        return ja_setting_acquire(argv[2], argv[3], argv[4], err);
    if (argc == 4 && strcmp(argv[1], "release") == 0)
        return ja_setting_release(argv[2], argv[3], err);
    return ja_opt_usage(argv[0], err);
}

int ja_verb_registry_remove(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments = {0};
    int r = read_arguments(argc, argv, NULL, 1, &arguments, err);
    return r < 0 ? r : ja_registry_remove(arguments.words[0], err);
}

int ja_verb_instance_register(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    struct ja_instance instance;
    json_error_t where;
    struct arguments arguments = {0};
    int r = read_arguments(argc, argv, NULL, 1, &arguments, err);
    if (r < 0)
        return r;
    bool nomem;
    json_t *json = ja_json_load(io->input, strlen(io->input), 0, &where, &nomem);
    if (nomem)
        return ja_error_nomem(err);
    if (!json)
        return ja_error_set(err, JA_E_INVALID, NULL, "standard input is not JSON: line %d: %s", where.line, where.text);
    r = ja_instance_from_json(json, "standard input", &instance, err);
    json_decref(json);
    if (r == 0 && strcmp(instance.tag, arguments.words[0]) != 0)
        r = ja_error_set(err, JA_E_INVALID, NULL, "standard input describes the instance %s, not %s", instance.tag,
                         JA_SHOW(arguments.words[0]));
    return r < 0 ? r : ja_registry_put(&instance, err);
}
