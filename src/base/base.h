/*
 * base.h: the ground under everything else: compiler attributes, allocation, errors.
 * Nothing in src/base knows about jails.
 *
 * Conventions of the whole tree:
 *  - a function that can fail returns 0 or a negative enum ja_code, and fills its last parameter, `struct ja_error *err`;
 *  - parameters named `ret_*` receive results and are untouched on failure;
 *  - a destructor takes NULL; an `X_init`ed object is emptied by `X_fini`, an `X_new`ed one is freed by `X_free`.
 */
#ifndef JA_BASE_H
#define JA_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#define JA_PRINTF(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))
#define JA_CLEANUP(function) __attribute__((cleanup(function)))
#define JA_UNUSED __attribute__((unused))
#define JA_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Allocation. All of the tree allocates through these, so that a test can make the k-th allocation fail. */
void *ja_malloc(size_t size);
void *ja_calloc(size_t count, size_t size);
void *ja_realloc(void *memory, size_t size);
char *ja_strdup(const char *text);
char *ja_strndup(const char *text, size_t length);
/* A printf into new memory, which the caller frees; NULL when memory is out. */
char *ja_printf(const char *format, ...) JA_PRINTF(1, 2);
void ja_free(void *memory);
/* Makes the allocation after `count` more ones fail, once; negative: never. Returns what was left of the last count, negative
 * when that allocation has failed or none was to. For tests. */
long ja_alloc_fail_after(long count);
/* How many have failed so far: for what a library does not tell. */
unsigned long ja_alloc_failures(void);

/* Cleanup attributes for locals. */
void ja_cleanup_free(void *pointer_to_pointer);
void ja_cleanup_close(int *fd);
#define ja_autofree JA_CLEANUP(ja_cleanup_free)
#define ja_autoclose JA_CLEANUP(ja_cleanup_close)

/* What kind of failure it was. The values are part of the JSON output (as names, ja_code_name). */
enum ja_code {
    JA_OK = 0,
    JA_E_FAILED = -1,       /* a command or a system call failed */
    JA_E_USAGE = -2,        /* wrong command line */
    JA_E_INVALID = -3,      /* a value was refused by the field tables or a planner */
    JA_E_NOMEM = -4,        /* out of memory */
    JA_E_NOTFOUND = -5,     /* no such object */
    JA_E_EXISTS = -6,       /* the object exists already */
    JA_E_CONFLICT = -7,     /* somebody else has it, or changed it meanwhile */
    JA_E_BUSY = -8,         /* a lock or a resource did not become free in time */
    JA_E_TIMEOUT = -9,      /* a command ran out of its time limit */
    JA_E_DENIED = -10,      /* not allowed: permissions, protect */
    JA_E_UNSUPPORTED = -11, /* this host cannot do it */
    JA_E_INTERRUPTED = -12, /* the user pressed Ctrl-C */
    JA_E_CORRUPT = -13,     /* a file or the store is damaged */
    JA_E_LIMIT = -14,       /* a limit is used up: slots, addresses, bridge ports */
};
const char *ja_code_name(int code);

/*
 * One error, said once, where it happened. Fixed buffers: reporting an error never allocates, so that out of memory
 * is an error like any other. Text that does not fit is cut; object, what and hint are printable, whatever they quote.
 */
struct ja_error {
    int code;          /* enum ja_code */
    int sys;           /* errno, or 0 */
    char object[160];  /* what it is about: "jail web1", "field limits.memory" */
    char what[640];    /* what went wrong, one sentence without a full stop */
    char command[640]; /* the command that failed, if one did */
    char output[1600]; /* what that command printed, bounded */
    char hint[320];    /* what to do next */
};

#define JA_ERROR_INIT                                                                                                  \
    {                                                                                                                  \
        0                                                                                                              \
    }

/* Fills *err (which may be NULL) and returns `code`. `object` may be NULL. Clears command, output and hint. */
int ja_error_set(struct ja_error *err, int code, const char *object, const char *format, ...) JA_PRINTF(4, 5);
/* The same with ": strerror(sys)" appended; code is JA_E_FAILED (JA_E_NOMEM for ENOMEM). A full or read-only disk and limits that are
 * reached have a hint. */
int ja_error_sys(struct ja_error *err, int sys, const char *object, const char *format, ...) JA_PRINTF(4, 5);
int ja_error_nomem(struct ja_error *err);
/* Adds the next thing to do. Returns err->code, so that it can end a return statement. */
int ja_error_hint(struct ja_error *err, const char *format, ...) JA_PRINTF(2, 3);
/* Puts context before what is there: "CONTEXT: what". Returns err->code. */
int ja_error_wrap(struct ja_error *err, const char *format, ...) JA_PRINTF(2, 3);
void ja_error_clear(struct ja_error *err);

#endif
