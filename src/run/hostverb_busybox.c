/*
 * hostverb_busybox.c: `jailadmin host template-busybox PROGRAM TREE`: a small system made of one static busybox.
 */
#include "base/file.h"
#include "run/hostverb.h"
#include "run/hostverbs.h"
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRAM_LIMIT = 64 << 20 };

static const char *const dirs[] = {"bin",  "dev",     "etc",      "etc/init.d", "home",    "mnt",
                                   "proc", "root",    "run",      "sbin",       "sys",     "tmp",
                                   "usr",  "usr/bin", "usr/sbin", "var",        "var/log", "var/www"};

static const struct {
    const char *path, *text;
    mode_t mode;
} files[] = {
    {"etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n", 0644},
    {"etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n", 0644},
    {"etc/shadow", "root:*:19000:0:99999:7:::\n", 0600},
    {"etc/profile", "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n", 0644},
    {"etc/inittab", "::sysinit:/etc/init.d/rcS\n::ctrlaltdel:/bin/true\n::shutdown:/bin/true\n", 0644},
    {"etc/init.d/rcS", "#!/bin/sh\n# Runs once when the jail starts.\n", 0755},
};

/* busybox puts these into /sbin by custom; a system's init is looked for there. */
static const char *const sbin[] = {"init", "halt", "poweroff", "reboot", "ifconfig", "ip", "route", "syslogd", "mdev"};

static int make_files(const char *tree, struct ja_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < JA_COUNT(dirs); i++)
        rc = ja_beneath_mkdir(tree, dirs[i], 0755, 0, 0, err);
    for (size_t i = 0; rc == 0 && i < JA_COUNT(files); i++)
        rc = ja_beneath_write(tree, files[i].path, files[i].text, strlen(files[i].text), files[i].mode, 0, 0, err);
    if (rc == 0) {
        ja_autoclose int fd = ja_beneath_open(tree, "tmp", O_RDONLY | O_DIRECTORY, 0, err);
        if (fd < 0)
            return fd;
        if (fchmod(fd, 01777) < 0)
            rc = ja_error_sys(err, errno, NULL, "cannot set the mode of tmp");
    }
    return rc;
}

static bool in_sbin(const char *applet)
{
    for (size_t i = 0; i < JA_COUNT(sbin); i++)
        if (strcmp(sbin[i], applet) == 0)
            return true;
    return false;
}

/* One link for each applet that the program lists. The tree is new and ours alone: nothing hostile is in it yet. */
static int make_links(const char *program, const char *tree, struct ja_error *err)
{
    char *const argv[] = {(char *)program, (char *)"--list", NULL};
    struct ja_spawn spawn = {.argv = argv, .timeout_ms = 10000};
    struct ja_spawn_result result;
    ja_autoclose int fd = ja_beneath_open(tree, "/", O_RDONLY | O_DIRECTORY, 0, err);
    if (fd < 0)
        return fd;
    int rc = ja_spawn_run(&spawn, &result, err);
    if (rc < 0)
        return rc;
    if (result.status != 0 || result.output.failed)
        rc = ja_error_set(err, JA_E_FAILED, NULL, "%s --list ended with status %d", program, result.status);
    char *save = NULL;
    for (char *applet = rc < 0 ? NULL : strtok_r(result.output.text, "\n", &save); applet;
         applet = strtok_r(NULL, "\n", &save)) {
        char path[128];
        if (strchr(applet, '/') || strcmp(applet, "busybox") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", in_sbin(applet) ? "sbin" : "bin", applet);
        if (symlinkat("/bin/busybox", fd, path) < 0 && errno != EEXIST)
            rc = ja_error_sys(err, errno, NULL, "cannot link %s", path);
    }
    ja_str_fini(&result.output);
    return rc;
}

int ja_verb_template_busybox(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    char *program = NULL;
    size_t length = 0;
    if (argc != 3 || argv[1][0] != '/' || argv[2][0] != '/')
        return ja_error_set(err, JA_E_USAGE, NULL, "usage: jailadmin host template-busybox PROGRAM TREE");
    int rc = make_files(argv[2], err);
    if (rc == 0)
        rc = ja_file_read(argv[1], PROGRAM_LIMIT, &program, &length, err);
    if (rc == 0)
        rc = ja_beneath_write(argv[2], "bin/busybox", program, length, 0755, 0, 0, err);
    if (rc == 0)
        rc = make_links(argv[1], argv[2], err);
    free(program);
    return rc;
}

int ja_verb_truncate(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    char *end = NULL;
    long long size = argc == 3 ? strtoll(argv[1], &end, 10) : -1;
    if (size <= 0 || *end || argv[2][0] != '/')
        return ja_error_set(err, JA_E_USAGE, NULL, "usage: jailadmin host truncate SIZE FILE");
    ja_autoclose int fd = open(argv[2], O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot make %s", argv[2]);
    if (ftruncate(fd, (off_t)size) < 0) {
        int sys = errno;
        unlink(argv[2]);
        return ja_error_sys(err, sys, NULL, "cannot make %s as large as %lld bytes", argv[2], size);
    }
    return 0;
}
