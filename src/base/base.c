/*
 * base.c: allocation with fault injection, cleanup helpers, errors.
 */
#include "base/base.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static long fail_after = -1;
static unsigned long failures;

long ja_alloc_fail_after(long count)
{
    long left = fail_after;
    fail_after = count;
    return left;
}

/* True when this allocation is the one that a test wants to fail. */
static bool must_fail(void)
{
    if (fail_after < 0)
        return false;
    return fail_after-- == 0;
}

unsigned long ja_alloc_failures(void)
{
    return failures;
}

static void *counted(void *memory)
{
    failures += memory == NULL;
    return memory;
}

void *ja_malloc(size_t size)
{
    return counted(must_fail() ? NULL : malloc(size ? size : 1));
}

void *ja_calloc(size_t count, size_t size)
{
    return counted(must_fail() ? NULL : calloc(count ? count : 1, size ? size : 1));
}

void *ja_realloc(void *memory, size_t size)
{
    return counted(must_fail() ? NULL : realloc(memory, size ? size : 1));
}

char *ja_strndup(const char *text, size_t length)
{
    size_t n = strnlen(text, length);
    char *copy = ja_malloc(n + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

char *ja_strdup(const char *text)
{
    return ja_strndup(text, strlen(text));
}

char *ja_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return NULL;
    char *text = ja_malloc((size_t)n + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

void ja_free(void *memory)
{
    free(memory);
}

void ja_cleanup_free(void *pointer_to_pointer)
{
    void *memory;
    memcpy(&memory, pointer_to_pointer, sizeof memory);
    free(memory);
}

void ja_cleanup_close(int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
    }
}

const char *ja_code_name(int code)
{
    switch (code) {
    case JA_OK:
        return "ok";
    case JA_E_USAGE:
        return "usage";
    case JA_E_INVALID:
        return "invalid";
    case JA_E_NOMEM:
        return "nomem";
    case JA_E_NOTFOUND:
        return "notfound";
    case JA_E_EXISTS:
        return "exists";
    case JA_E_CONFLICT:
        return "conflict";
    case JA_E_BUSY:
        return "busy";
    case JA_E_TIMEOUT:
        return "timeout";
    case JA_E_DENIED:
        return "denied";
    case JA_E_UNSUPPORTED:
        return "unsupported";
    case JA_E_INTERRUPTED:
        return "interrupted";
    case JA_E_CORRUPT:
        return "corrupt";
    case JA_E_LIMIT:
        return "limit";
    default:
        return "failed";
    }
}

void ja_error_clear(struct ja_error *err)
{
    if (err)
        memset(err, 0, sizeof *err);
}

/* Errors quote names of files, words of users and what libraries say; they are told and kept as one line of plain text. */
static void make_plain(char *text, size_t size)
{
    char copy[sizeof((struct ja_error *)0)->what];
    size_t length = strlen(text);
    if (ja_str_printable(text, length, false))
        return;
    memcpy(copy, text, length + 1);
    ja_str_show(text, size, copy);
}

static void fill(struct ja_error *err, int code, int sys, const char *object)
{
    ja_error_clear(err);
    err->code = code;
    err->sys = sys;
    if (object)
        snprintf(err->object, sizeof err->object, "%s", object);
}

int ja_error_set(struct ja_error *err, int code, const char *object, const char *format, ...)
{
    if (!err)
        return code;
    /* The arguments may point into *err itself. */
    char what[sizeof err->what];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    char named[sizeof err->object];
    snprintf(named, sizeof named, "%s", object ? object : "");
    fill(err, code, 0, named);
    memcpy(err->what, what, strlen(what) + 1);
    make_plain(err->object, sizeof err->object);
    make_plain(err->what, sizeof err->what);
    return code;
}

/* What helps against failures that have one cause wherever they occur. */
static const char *remedy(int sys)
{
    switch (sys) {
    case ENOSPC:
    case EDQUOT:
        return "free some space there and try again";
    case EROFS:
        return "a file system that is mounted read-only, by choice or after an error of its disk: see dmesg";
    case EMFILE:
        return "the limit of open files is too low (ulimit -n): it takes some hundred";
    case ENFILE:
        return "the system's limit of open files is reached: end what has many of them";
    case EFBIG:
        return "a limit of the size of files is set (ulimit -f), or the file system has one";
    default:
        return "";
    }
}

int ja_error_sys(struct ja_error *err, int sys, const char *object, const char *format, ...)
{
    int code = sys == ENOMEM ? JA_E_NOMEM : JA_E_FAILED;
    if (!err)
        return code;
    char what[sizeof err->what];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof what)
        snprintf(what + n, sizeof what - (size_t)n, ": %s", strerror(sys));
    fill(err, code, sys, object);
    memcpy(err->what, what, strlen(what) + 1);
    snprintf(err->hint, sizeof err->hint, "%s", remedy(sys));
    make_plain(err->object, sizeof err->object);
    make_plain(err->what, sizeof err->what);
    return code;
}

int ja_error_nomem(struct ja_error *err)
{
    return ja_error_set(err, JA_E_NOMEM, NULL, "out of memory");
}

int ja_error_hint(struct ja_error *err, const char *format, ...)
{
    if (!err)
        return JA_E_FAILED;
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    make_plain(err->hint, sizeof err->hint);
    return err->code;
}

int ja_error_wrap(struct ja_error *err, const char *format, ...)
{
    if (!err)
        return JA_E_FAILED;
    char old[sizeof err->what];
    memcpy(old, err->what, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->what, sizeof err->what, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->what)
        snprintf(err->what + n, sizeof err->what - (size_t)n, ": %s", old);
    make_plain(err->what, sizeof err->what);
    return err->code;
}
