/*
 * hostverb_place.c: portable host verbs around a jail: places for mounts in its tree, commands whose output is its log.
 */
#include "base/file.h"
#include "run/hostverbs.h"
#include "run/option.h"
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One component below `at`: a directory, made if it is missing, never a link. A descriptor, or -1 and errno. */
static int enter(int at, const char *name)
{
    if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
        return -1;
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * mount(8) follows links, so the place of a mount is walked and made here first, and a link on the way is refused. The jail
 * does not run yet: nobody can put one there afterwards.
 */
int ja_verb_mount_point(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    if (argc != 3 || argv[1][0] != '/' || argv[2][0] != '/')
        return ja_opt_usage(argv[0], err);
    ja_autofree char *path = ja_strdup(argv[2] + 1);
    ja_autoclose int at = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!path)
        return ja_error_nomem(err);
    if (at < 0)
        return ja_file_error(err, errno, argv[1], "open the tree");
    for (char *rest = path, *name; (name = strsep(&rest, "/")) != NULL;) {
        if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            return ja_error_set(err, JA_E_USAGE, NULL, "%s is not a plain path", JA_SHOW(argv[2]));
        int next = enter(at, name);
        if (next < 0 && (errno == ELOOP || errno == EMLINK || errno == ENOTDIR))
            return ja_error_set(err, JA_E_DENIED, NULL,
                                "%s in the jail's tree is no directory: nothing is mounted there", JA_SHOW(argv[2]));
        if (next < 0)
            return ja_file_error(err, errno, argv[2], "make the place of the mount");
        close(at);
        at = next;
    }
    return 0;
}

struct logging {
    int fd;
    bool failed;
};

static void to_log(void *context, const char *bytes, size_t count)
{
    struct logging *logging = context;
    if (ja_fd_write(logging->fd, bytes, count) < 0)
        logging->failed = true;
}

/* Runs a command; what it prints is appended to a log, which is emptied first when it is larger than the limit. */
int ja_verb_logged(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    (void)io;
    const char *log = NULL, *limit_text = NULL;
    const struct ja_opt options[] = {
        {.name = "--log", .value = &log}, {.name = "--log-limit", .value = &limit_text}, {0}};
    int64_t limit = 0;
    int first;
    int rc = ja_opt_read(argc, argv, options, &first, err);
    if (rc == 0 && (!log || !limit_text || first >= argc || argv[first][0] != '/'))
        rc = ja_opt_usage(argv[0], err);
    if (rc == 0)
        rc = ja_opt_number("--log-limit", limit_text, 4096, INT64_MAX / 2, &limit, err);
    if (rc < 0)
        return rc;
    struct stat st;
    ja_autoclose int fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &st) < 0 || (st.st_size > limit && ftruncate(fd, 0) < 0))
        return ja_file_error(err, errno, log, "write the log");
    struct logging logging = {.fd = fd};
    struct ja_spawn spawn = {.argv = argv + first, .heard = to_log, .context = &logging};
    struct ja_spawn_result result;
    rc = ja_spawn_run(&spawn, &result, err);
    if (rc < 0)
        return rc;
    ja_str_fini(&result.output);
    if (logging.failed)
        return ja_error_set(err, JA_E_FAILED, NULL, "cannot write what the command prints to %s", log);
    if (result.status != 0)
        return ja_error_set(err, JA_E_FAILED, NULL, "%s ended with status %d; %s holds what it printed", argv[first],
                            result.status, log);
    return 0;
}
