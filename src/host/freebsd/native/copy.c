/*
 * copy.c: `jailadmin host copy-out` and `copy-in`: the jail's end of a copy. For a running jail it is a process that has gone into
 * the jail, so that every path means what it means there. One that does not run is reached beneath its tree, where a link to
 * an absolute path is an error.
 */
#include "run/copy.h"
#include "host/freebsd/native/native.h"
#include "run/option.h"

#include <errno.h>
#include <unistd.h>

static void report_skipped(void *context, const char *path, const char *why)
{
    struct ja_str *output = context;
    ja_str_addf(output, "%s: %s\n", path, why);
}

static int enter_running(const char *pid_file, struct ja_error *err)
{
    int jid, code = ja_freebsd_find_jail(pid_file, &jid, err);
    if (code < 0)
        return code;
    return ja_freebsd_attach(jid) < 0 ? ja_error_sys(err, errno, NULL, "cannot enter the jail") : 0;
}

static int copy(int argc, char *const *argv, bool in, struct ja_hostverb_io *io, struct ja_error *err)
{
    ja_autostrv struct ja_strv volumes = {0};
    const char *pid_file = NULL, *tree = NULL;
    struct ja_copy copying = {.skipped = report_skipped, .context = io->output};
    const struct ja_opt options[] = {{.name = "--pid-file", .value = &pid_file},
                                     {.name = "--tree", .value = &tree},
                                     {.name = "--volume", .list = true, .values = &volumes},
                                     {.name = "--preserve", .flag = &copying.preserve},
                                     {0}};
    int first, code = ja_opt_read(argc, argv, options, &first, err);
    if (code < 0)
        return code;
    if (first != argc - 1 || (pid_file != NULL) == (tree != NULL))
        return ja_opt_usage(argv[0], err);
    if (volumes.count) {
        ja_error_set(err, JA_E_UNSUPPORTED, NULL, "the volumes of a jail that does not run are not mounted");
        return ja_error_hint(err, "start the jail first");
    }
    code = pid_file ? enter_running(pid_file, err) : 0;
    if (code < 0)
        return code;
    /* In the jail, paths are what they are; and "-" is a file there. */
    ja_autofree char *path = ja_printf("/%s", argv[first]);
    if (!path)
        return ja_error_nomem(err);
    copying.root = tree;
    code = in ? ja_copy_receive(&copying, path, STDIN_FILENO, err) : ja_copy_send(&copying, path, STDOUT_FILENO, err);
    return code == 0 && io->output->failed ? ja_error_nomem(err) : code;
}

int ja_verb_copy_in(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    return copy(argc, argv, true, io, err);
}

int ja_verb_copy_out(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    return copy(argc, argv, false, io, err);
}
