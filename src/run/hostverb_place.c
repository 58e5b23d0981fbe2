/*
 * hostverb_place.c: `jailadmin host mount-point`: places for mounts in a jail's tree.
 */
#include "base/file.h"
#include "run/hostverbs.h"
#include "run/option.h"

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
