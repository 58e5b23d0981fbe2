/*
 * inits.c: what the pid files of an instance's jails say, once more in one file: RUN/jails/.inits holds a line for each slot. A list of a
 * thousand jails reads it at once, where as many links would take it a third of its time.
 *
 * It is a help to memory, not a truth: nobody removes a line when a jail stops. One counts only as long as the process that it tells
 * of proves to be that init by its mark; of every other one the pid file is asked.
 */
#include "base/file.h"
#include "host/linux/native/native.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE 64
#define SLOT_MAX (1 << 16) /* a file of 4 MiB at most */

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

/* Nothing is there that was read before, unless the file is still the same. */
static bool is_same(const struct ja_inits *inits, const struct stat *info)
{
    return inits->text != NULL && inits->device == info->st_dev && inits->inode == info->st_ino &&
           inits->changed.tv_sec == info->st_mtim.tv_sec && inits->changed.tv_nsec == info->st_mtim.tv_nsec;
}

static void load(struct ja_inits *inits, const char *pidfile, size_t length)
{
    struct stat info;
    ja_autofree char *path = ja_printf("%.*s/.inits", (int)length, pidfile);

    if (path != NULL && lstat(path, &info) == 0 && is_same(inits, &info)) {
        inits->checked = true;
        return;
    }
    ja_inits_fini(inits);
    if (path == NULL || (inits->directory = ja_strndup(pidfile, length)) == NULL) {
        return;
    }
    inits->checked = true;
    ja_autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > (off_t)SLOT_MAX * LINE ||
        (inits->text = ja_malloc((size_t)info.st_size + 1)) == NULL) {
        return;
    }
    inits->device = info.st_dev;
    inits->inode = info.st_ino;
    inits->changed = info.st_mtim;
    ssize_t got = read(fd, inits->text, (size_t)info.st_size);
    inits->count = got > 0 ? (size_t)got / LINE : 0;
}

const char *ja_inits_find(struct ja_inits *inits, const char *pidfile)
{
    size_t length;
    long slot;

    if (!split(pidfile, &length, &slot)) {
        return NULL;
    }
    if (!inits->checked || inits->directory == NULL || strncmp(inits->directory, pidfile, length) != 0 ||
        inits->directory[length] != '\0') {
        load(inits, pidfile, length);
    }
    if ((size_t)slot >= inits->count) {
        return NULL;
    }
    char *line = inits->text + (size_t)slot * LINE;
    line[LINE - 1] = '\0';
    return line;
}

void ja_inits_fini(struct ja_inits *inits)
{
    ja_free(inits->directory);
    ja_free(inits->text);
    *inits = (struct ja_inits){0};
}
