/*
 * scratch.h: a directory for one test, made before it and removed after it, and short ways to put things
 * there.
 */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[256];

JA_UNUSED static int scratch_setup(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "%s/jatest.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(scratch) ? 0 : -1;
}

JA_UNUSED static int scratch_teardown(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    return system(command);
}

/* SCRATCH/name; the eight newest results stay valid. */
JA_UNUSED static const char *at(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

JA_UNUSED static void put_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The first 4 KB of a file, "" when there is none. Valid until the next call. */
JA_UNUSED static const char *get_text(const char *path)
{
    static char text[4096];
    memset(text, 0, sizeof text);
    int fd = open(path, O_RDONLY);
    if (fd >= 0) {
        assert_true(read(fd, text, sizeof text - 1) >= 0);
        close(fd);
    }
    return text;
}

JA_UNUSED static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* Waits for a child and gives its exit status, or 1000 and the signal that ended it. */
JA_UNUSED static int child_status(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#endif
