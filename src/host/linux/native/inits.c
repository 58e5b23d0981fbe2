/*
 * inits.c: what the pid files of an instance's jails say, once more in one file: RUN/jails/.inits holds a line for each slot. A list of a
 * thousand jails reads it at once, where as many links would take it a third of its time.
 *
 * It is a help to memory, not a truth: nobody removes a line when a jail stops. One counts only as long as the process that it tells
 * of proves to be that init by its mark; of every other one the pid file is asked.
 *
 * The kernel takes most of a list's time for these proofs, since what it looks at is in no processor's cache: so a list of many has a
 * helper, a thread that proves lines meanwhile on another processor. It begins when the list has asked for the first of them, and so has
 * read the store's state, and ends with the list: its proofs are no older than those that the list itself has made. Whoever enters
 * namespaces must be alone in its process.
 */
#include "base/file.h"
#include "host/linux/native/native.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE 64
#define SLOT_MAX (1 << 16) /* a file of 4 MiB at most */
#define HELP_LEAST 200     /* a helper costs as much as some fifty proofs */
#define HELPER_STACK (64 << 10)

/* Of a line while there is a helper. Who takes one proves it; of what the other has taken and not proved yet nothing is known. */
enum { UNSEEN, TAKEN, PROVEN };

/* RUN/jails/SLOT/pid: the length of RUN/jails, and the slot. False: another file. */
static bool split(const char *pidfile, size_t *ret_length, long *ret_slot)
{
    const char *file = strrchr(pidfile, '/'), *slot = file;

    if (file == NULL || strcmp(file, "/pid") != 0) {
        return false;
    }
    while (slot > pidfile && slot[-1] >= '0' && slot[-1] <= '9') {
        slot--;
    }
    if (slot == file || slot < pidfile + 2 || slot[-1] != '/') {
        return false;
    }
    *ret_length = (size_t)(slot - 1 - pidfile);
    *ret_slot = strtol(slot, NULL, 10);
    return *ret_slot < SLOT_MAX;
}

void ja_inits_note(const char *pidfile, const char *text)
{
    char line[LINE];
    size_t length, said = strlen(text);
    long slot;

    if (!split(pidfile, &length, &slot) || said >= LINE) {
        return;
    }
    ja_autofree char *path = ja_printf("%.*s/.inits", (int)length, pidfile);
    ja_autoclose int fd =
        path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    memset(line, ' ', sizeof(line));
    memcpy(line, text, said);
    line[LINE - 1] = '\n';
    /* Half a line would be one that no process proves. */
    ssize_t ignored JA_UNUSED = fd < 0 ? -1 : pwrite(fd, line, sizeof(line), (off_t)slot * LINE);
}

static void *help(void *context)
{
    struct ja_inits *inits = context;

    /* Of a thread that has ended the call that places it would mean us. */
    while (!atomic_load(&inits->placed)) {
        sched_yield();
    }
    for (size_t slot = 0; slot < inits->count && !atomic_load(&inits->enough); slot++) {
        unsigned char state = UNSEEN;
        if (atomic_compare_exchange_strong(&inits->states[slot], &state, TAKEN) &&
            ja_init_is_marked(inits->text + slot * LINE)) {
            atomic_store(&inits->states[slot], PROVEN);
        }
    }
    return NULL;
}

/* A helper takes no memory and no locks, so that we may do what we like meanwhile. Without one all is the same. */
static void get_help(struct ja_inits *inits)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    cpu_set_t processors;
    int here = sched_getcpu();

    if (inits->count < HELP_LEAST || sched_getaffinity(0, sizeof(processors), &processors) < 0 ||
        CPU_COUNT(&processors) < 2 || (inits->states = ja_calloc(inits->count, 1)) == NULL) {
        return;
    }
    if (here >= 0 && here < CPU_SETSIZE) {
        CPU_CLR((size_t)here, &processors);
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_attr_init(&attributes) == 0) {
        pthread_attr_setstacksize(&attributes, HELPER_STACK);
        inits->helped = pthread_create(&inits->helper, &attributes, help, inits) == 0;
        pthread_attr_destroy(&attributes);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    /* Some kernels let a new thread wait behind ours, though another processor is idle. */
    if (inits->helped) {
        pthread_setaffinity_np(inits->helper, sizeof(processors), &processors);
    }
    atomic_store(&inits->placed, true);
}

static void load(struct ja_inits *inits, const char *pidfile, size_t length)
{
    struct stat info;
    bool many = inits->many;

    ja_inits_fini(inits);
    inits->many = many;
    if ((inits->directory = ja_strndup(pidfile, length)) == NULL) {
        return;
    }
    ja_autofree char *path = ja_printf("%s/.inits", inits->directory);
    ja_autoclose int fd = path == NULL ? -1 : open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > (off_t)SLOT_MAX * LINE ||
        (inits->text = ja_malloc((size_t)info.st_size + 1)) == NULL) {
        return;
    }
    ssize_t got = read(fd, inits->text, (size_t)info.st_size);
    inits->count = got > 0 ? (size_t)got / LINE : 0;
    for (size_t slot = 0; slot < inits->count; slot++) {
        inits->text[slot * LINE + LINE - 1] = '\0';
    }
}

const char *ja_inits_find(struct ja_inits *inits, const char *pidfile, bool *ret_proven)
{
    unsigned char state = UNSEEN;
    size_t length;
    long slot;

    *ret_proven = false;
    if (!split(pidfile, &length, &slot)) {
        return NULL;
    }
    if (inits->directory == NULL || strncmp(inits->directory, pidfile, length) != 0 ||
        inits->directory[length] != '\0') {
        load(inits, pidfile, length);
        if (inits->many) {
            get_help(inits);
        }
    }
    if ((size_t)slot >= inits->count) {
        return NULL;
    }
    if (inits->states != NULL && !atomic_compare_exchange_strong(&inits->states[slot], &state, TAKEN)) {
        *ret_proven = state == PROVEN;
    }
    return inits->text + (size_t)slot * LINE;
}

void ja_inits_fini(struct ja_inits *inits)
{
    if (inits->helped) {
        atomic_store(&inits->enough, true);
        pthread_join(inits->helper, NULL);
    }
    ja_free(inits->directory);
    ja_free(inits->text);
    ja_free(inits->states);
    *inits = (struct ja_inits){0};
}
