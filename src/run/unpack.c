/*
 * unpack.c: hands `jailadmin host template-tar` over to the program that has libarchive. See unpack.h.
 */
#include "run/unpack.h"

#include "base/self.h"
#include "run/hostverbs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

ja_hostverb_fn *ja_unpack_here;

/* Beside this program, as in the directory that it was built in, or where it is installed. */
static int find_program(char path[PATH_MAX], struct ja_error *err)
{
    static const char installed[] = JA_LIBEXEC "/" JA_UNPACK_PROGRAM;
    char self[PATH_MAX] = "";
    int rc = ja_self_path(self, sizeof self, err);
    char *slash = strrchr(self, '/');
    if (rc < 0 || !slash)
        return rc < 0 ? rc : JA_E_FAILED;
    int n = snprintf(path, PATH_MAX, "%.*s/" JA_UNPACK_PROGRAM, (int)(slash - self), self);
    if (n < PATH_MAX && access(path, X_OK) == 0)
        return 0;
    memcpy(path, installed, sizeof installed);
    if (access(path, X_OK) == 0)
        return 0;
    ja_error_sys(err, errno, NULL, "cannot run %s", path);
    return ja_error_hint(err, "it belongs to jailadmin; another place is beside the program itself");
}

int ja_verb_template_tar(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    char path[PATH_MAX];
    ja_autofree char **words = NULL;
    if (ja_unpack_here)
        return ja_unpack_here(argc, argv, io, err);
    int rc = find_program(path, err);
    if (rc < 0)
        return rc;
    words = ja_calloc((size_t)argc + 3, sizeof *words);
    if (!words)
        return ja_error_nomem(err);
    words[0] = path;
    words[1] = (char *)"host";
    memcpy(words + 2, argv, (size_t)argc * sizeof *words);
    execv(path, words);
    return ja_error_sys(err, errno, NULL, "cannot run %s", path);
}
