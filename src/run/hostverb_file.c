/*
 * hostverb_file.c: the portable host verbs: files and directories, settings of the kernel, the registry.
 *
 * Paths without --root are absolute and trusted up to their last component. Paths with --root stay beneath
 * it, whatever links are there.
 */
#include "base/file.h"
#include "run/hostverbs.h"
#include "run/registry.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    WITH_ROOT = 1 << 0,
    WITH_MODE = 1 << 1,
    WITH_OWNER = 1 << 2,
    WITH_NEW = 1 << 3,
};

/* What the command line of a verb says. */
struct arguments {
    const char *root; /* NULL: none */
    int64_t mode;     /* -1: not given, as uid and gid */
    int64_t uid, gid;
    bool new;
    char *const *words; /* what is no option */
    int count;
};

static int usage(const char *verb, struct ja_error *err)
{
    const struct ja_hostverb *known = ja_hostverb_find(verb);
    ja_error_set(err, JA_E_USAGE, NULL, "wrong arguments of %s", verb);
    ja_error_hint(err, "usage: jailadmin host %s %s", verb, known ? known->usage : "");
    return JA_E_USAGE;
}

/* An option that takes a number. */
struct number_option {
    const char *name;
    unsigned needs;
    int base;
    int64_t most;
    const char *wanted;
    int64_t *number;
};

static int read_number(const struct number_option *option, const char *text, struct ja_error *err)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, option->base);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number > option->most)
        return ja_error_set(err, JA_E_USAGE, NULL, "%s wants %s, not '%s'", option->name, option->wanted, text);
    *option->number = number;
    return 0;
}

/* One option and its value at argv[at]. The number of words that it takes, 0 when it is unknown, or a
 * negative code. */
static int read_option(char *const *argv, int left, unsigned with, struct arguments *arguments, struct ja_error *err)
{
    static const char ids[] = "a number up to 4294967294";
    const struct number_option numbers[] = {
        {"--mode", WITH_MODE, 8, 07777, "an octal number up to 7777", &arguments->mode},
        {"--uid", WITH_OWNER, 10, UINT32_MAX - 1, ids, &arguments->uid},
        {"--gid", WITH_OWNER, 10, UINT32_MAX - 1, ids, &arguments->gid},
    };
    if (strcmp(argv[0], "--new") == 0 && (with & WITH_NEW)) {
        arguments->new = true;
        return 1;
    }
    if (left < 2)
        return 0;
    if (strcmp(argv[0], "--root") == 0 && (with & WITH_ROOT)) {
        arguments->root = argv[1];
        return 2;
    }
    for (size_t i = 0; i < JA_COUNT(numbers); i++) {
        if (strcmp(argv[0], numbers[i].name) == 0 && (with & numbers[i].needs)) {
            int r = read_number(&numbers[i], argv[1], err);
            return r < 0 ? r : 2;
        }
    }
    return 0;
}

/* Reads the options that `with` allows and exactly `count` words. JA_E_USAGE. */
static int read_arguments(int argc, char *const *argv, unsigned with, int count, struct arguments *ret_arguments,
                          struct ja_error *err)
{
    struct arguments arguments = {.mode = -1, .uid = -1, .gid = -1};
    int i = 1;
    while (i < argc && argv[i][0] == '-') {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        int n = read_option(argv + i, argc - i, with, &arguments, err);
        if (n < 0)
            return n;
        if (n == 0)
            return usage(argv[0], err);
        i += n;
    }
    arguments.words = argv + i;
    arguments.count = argc - i;
    if (arguments.count != count)
        return usage(argv[0], err);
    *ret_arguments = arguments;
    return 0;
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
static int read_place(int argc, char *const *argv, unsigned with, struct arguments *ret_arguments,
                      struct place *ret_place, struct ja_error *err)
{
    int r = read_arguments(argc, argv, with | WITH_ROOT, 1, ret_arguments, err);
    return r < 0 ? r : find_place(ret_arguments, ret_place, err);
}

int ja_verb_write(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    JA_CLEANUP(place_fini) struct place place = {0};
    struct arguments arguments;
    int r = read_place(argc, argv, WITH_MODE | WITH_OWNER | WITH_NEW, &arguments, &place, err);
    if (r < 0)
        return r;
    mode_t mode = arguments.mode < 0 ? 0644 : (mode_t)arguments.mode;
    uid_t uid = (uid_t)arguments.uid;
    gid_t gid = (gid_t)arguments.gid;
    if (arguments.new)
        return ja_beneath_create(place.root, place.path, io->input, io->input_length, mode, uid, gid, err);
    return ja_beneath_write(place.root, place.path, io->input, io->input_length, mode, uid, gid, err);
}

int ja_verb_remove(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    JA_CLEANUP(place_fini) struct place place = {0};
    struct arguments arguments;
    int r = read_place(argc, argv, 0, &arguments, &place, err);
    if (r < 0)
        return r;
    return ja_beneath_remove(place.root, place.path, err);
}

int ja_verb_mkdir(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    JA_CLEANUP(place_fini) struct place place = {0};
    struct arguments arguments;
    int r = read_place(argc, argv, WITH_MODE, &arguments, &place, err);
    if (r < 0)
        return r;
    mode_t mode = arguments.mode < 0 ? 0755 : (mode_t)arguments.mode;
    return ja_beneath_mkdir_new(place.root, place.path, mode, err);
}

int ja_verb_rmdir(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments;
    int r = read_arguments(argc, argv, 0, 1, &arguments, err);
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
    struct arguments arguments;
    int r = read_arguments(argc, argv, 0, 1, &arguments, err);
    /* A mistake in a plan must not remove /, /var or /var/db. */
    if (r == 0)
        r = check_path(arguments.words[0], 3, err);
    return r < 0 ? r : ja_tree_remove(arguments.words[0], err);
}

int ja_verb_rename(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments;
    int r = read_arguments(argc, argv, 0, 2, &arguments, err);
    for (int i = 0; i < 2 && r == 0; i++)
        r = check_path(arguments.words[i], 1, err);
    return r < 0 ? r : ja_file_rename(arguments.words[0], arguments.words[1], err);
}

int ja_verb_symlink(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments;
    int r = read_arguments(argc, argv, 0, 2, &arguments, err);
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
    return usage(argv[0], err);
}

int ja_verb_registry_remove(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    struct arguments arguments;
    int r = read_arguments(argc, argv, 0, 1, &arguments, err);
    return r < 0 ? r : ja_registry_remove(arguments.words[0], err);
}
