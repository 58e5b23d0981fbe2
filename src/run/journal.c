/*
 * journal.c: the files of open plans. See journal.h.
 */
#include "run/journal.h"
#include "model/field.h"
#include "base/clock.h"
#include "base/file.h"
#include "run/copies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".plan"

enum { FILE_LIMIT = 64 << 20, ORPHAN_EVERY_MS = 10, ORPHAN_MS = 3000 };

/* The line with its end and its sum; the caller's. */
static char *first_lines(json_t *json)
{
    char *line = ja_json_text(json, JSON_COMPACT);
    char *lines =
        line ? ja_printf("%s\ns %016llx\n", line, (unsigned long long)ja_hash(JA_HASH_START, line, strlen(line)))
             : NULL;
    free(line);
    return lines;
}

/* A new file, locked. Whoever looks for dead plans may lock it before us: what it finds is empty, so that it removes it. */
static int make_file(const char *dir, struct ja_journal *journal, struct ja_error *err)
{
    struct stat st = {0};
    for (bool made = false; st.st_nlink == 0;) {
        ja_journal_abandon(journal);
        journal->fd = open(journal->path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
        if (journal->fd < 0 && errno == ENOENT && !made) { /* somebody has tidied up */
            int rc = ja_dir_make(dir, 0700, err);
            if (rc < 0)
                return rc;
            made = true;
            continue;
        }
        if (journal->fd < 0)
            return ja_error_sys(err, errno, NULL, "cannot make the journal file %s", journal->path);
        int locked;
        while ((locked = flock(journal->fd, LOCK_EX)) < 0 && errno == EINTR)
            ;
        if (locked < 0 || fstat(journal->fd, &st) < 0) {
            int rc = ja_error_sys(err, errno, NULL, "cannot lock the journal file %s", journal->path);
            ja_journal_close(journal);
            return rc;
        }
    }
    return 0;
}

int ja_journal_create(const char *dir, const char *id, const char *boot_id, const struct ja_plan *plan,
                      struct ja_journal *ret_journal, struct ja_error *err)
{
    struct ja_journal journal = {.fd = -1};
    snprintf(journal.id, sizeof journal.id, "%s", id);
    if (snprintf(journal.path, sizeof journal.path, "%s/%s" SUFFIX, dir, id) >= (int)sizeof journal.path)
        return ja_error_set(err, JA_E_INVALID, NULL, "the state directory's path is too long");
    json_t *json = ja_plan_to_json(plan);
    if (!json || json_object_set_new(json, "boot", json_string(boot_id)) < 0 ||
        json_object_set_new(json, "process", json_integer(getpid())) < 0) {
        json_decref(json);
        return ja_error_nomem(err);
    }
    char *lines = first_lines(json);
    json_decref(json);
    if (!lines)
        return ja_error_nomem(err);
    int rc = make_file(dir, &journal, err);
    if (rc == 0 && ja_fd_write(journal.fd, lines, strlen(lines)) < 0) {
        rc = ja_error_sys(err, errno, NULL, "cannot write the journal file %s", journal.path);
        ja_journal_close(&journal);
    }
    free(lines);
    if (rc == 0)
        *ret_journal = journal;
    return rc;
}

int ja_journal_note(struct ja_journal *journal, char what, size_t step, struct ja_error *err)
{
    char line[32];
    int n = what == 'c' ? snprintf(line, sizeof line, "c\n") : snprintf(line, sizeof line, "%c %zu\n", what, step);
    if (ja_fd_write(journal->fd, line, (size_t)n) < 0)
        return ja_error_sys(err, errno, NULL, "cannot write the journal file %s", journal->path);
    return 0;
}

int ja_journal_sync(struct ja_journal *journal, struct ja_error *err)
{
    return ja_sync_named(journal->fd) == 0
               ? 0
               : ja_error_sys(err, errno, NULL, "cannot sync the journal file %s", journal->path);
}

/* The plan with those of its steps that outlive a reboot. */
static json_t *lasting_json(const struct ja_plan *plan)
{
    struct ja_plan lasting = *plan;
    lasting.count = 0;
    lasting.steps = ja_calloc(plan->count, sizeof *lasting.steps);
    for (size_t k = 0; lasting.steps && k < plan->count; k++)
        if (plan->steps[k]->flags & (JA_STEP_PERSISTENT | JA_STEP_COMMIT))
            lasting.steps[lasting.count++] = plan->steps[k];
    json_t *json = lasting.steps ? ja_plan_to_json(&lasting) : NULL;
    free(lasting.steps);
    return json;
}

bool ja_journal_copy(struct ja_journal *journal, const struct ja_plan *plan, const char *boot_id, const char *epoch)
{
    json_t *json = lasting_json(plan);
    bool whole = json && json_object_set_new(json, "boot", json_string(boot_id)) == 0 &&
                 json_object_set_new(json, "epoch", json_string(epoch)) == 0;
    ja_autofree char *lines = whole ? first_lines(json) : NULL;
    json_decref(json);
    journal->copied = lines && ja_copy_put(journal->pool, journal->id, lines, strlen(lines));
    return journal->copied;
}

void ja_journal_uncopy(struct ja_journal *journal)
{
    if (journal->pool)
        ja_copy_remove(journal->pool, journal->id);
    journal->pool = NULL;
}

/* The copy first: one without a file is of a plan whose file the power took. */
void ja_journal_close(struct ja_journal *journal)
{
    if (journal->fd < 0)
        return;
    ja_journal_uncopy(journal);
    unlink(journal->path);
    ja_journal_abandon(journal);
}

int ja_journal_put_aside(struct ja_journal *journal, const char *why, char ret_path[528], struct ja_error *err)
{
    snprintf(ret_path, 528, "%s.%s", journal->path, why);
    if (rename(journal->path, ret_path) < 0)
        return ja_error_sys(err, errno, NULL, "cannot rename the journal file %s", journal->path);
    ja_journal_uncopy(journal);
    return 0;
}

void ja_journal_remove(struct ja_journal *journal)
{
    const char *slash = strrchr(journal->path, '/');
    char dir[sizeof journal->path];
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - journal->path) : 0, journal->path);
    ja_journal_close(journal);
    ja_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}

void ja_journal_abandon(struct ja_journal *journal)
{
    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
}

void ja_dead_plan_fini(struct ja_dead_plan *dead)
{
    ja_plan_fini(&dead->plan);
    free(dead->progress);
    dead->progress = NULL;
    ja_journal_abandon(&dead->journal);
}

/* Applies one record to what is known of the plan. False: it is none. */
static bool read_record(struct ja_dead_plan *dead, const char *line)
{
    char what;
    size_t step = 0;
    int end = 0;
    if (strcmp(line, "c") == 0) {
        dead->committed = true;
        return true;
    }
    if (sscanf(line, "%c %zu%n", &what, &step, &end) != 2 || line[end] || !strchr("bef", what) ||
        step >= dead->plan.count)
        return false;
    dead->progress[step] = what == 'e' ? JA_STEP_ENDED : what == 'f' ? JA_STEP_FAILED : JA_STEP_BEGUN;
    return true;
}

/* What cannot have been: all may have been begun then, and guards decide. */
static void doubt(struct ja_dead_plan *dead)
{
    for (size_t k = 0; k < dead->plan.count; k++)
        if (dead->progress[k] == JA_STEP_UNTOUCHED)
            dead->progress[k] = JA_STEP_BEGUN;
}

/* The plan of the first line. JA_E_CORRUPT: it is not what was written. */
static int read_plan(struct ja_dead_plan *dead, const char *line, size_t length, const char *next, struct ja_error *err)
{
    json_t *json = NULL;
    unsigned long long sum;
    char text[17];
    if (sscanf(next, "s %16[0-9a-f]", text) == 1 &&
        (sum = strtoull(text, NULL, 16)) != ja_hash(JA_HASH_START, line, length))
        return ja_error_set(err, JA_E_CORRUPT, NULL, "the journal file %s is damaged", dead->journal.path);
    ja_autofree char *copy = ja_strndup(line, length);
    int rc = copy ? ja_json_read(copy, dead->journal.path, &json, err) : ja_error_nomem(err);
    if (rc < 0)
        return rc;
    const char *boot = json_string_value(json_object_get(json, "boot"));
    const char *epoch = json_string_value(json_object_get(json, "epoch"));
    snprintf(dead->boot_id, sizeof dead->boot_id, "%s", boot ? boot : "");
    snprintf(dead->epoch, sizeof dead->epoch, "%s", epoch ? epoch : "");
    rc = ja_plan_from_json(json, &dead->plan, err);
    json_decref(json);
    if (rc == 0 && !(dead->progress = ja_calloc(dead->plan.count, sizeof *dead->progress)))
        rc = ja_error_nomem(err);
    return rc;
}

/* Reads the text of a journal. A torn first line leaves plan.count 0. */
static int read_text(struct ja_dead_plan *dead, char *text, size_t length, struct ja_error *err)
{
    char *end = strchr(text, '\n');
    bool whole = strlen(text) == length, summed;
    if (!end && whole)
        return 0;
    if (!end)
        return ja_error_set(err, JA_E_CORRUPT, NULL, "the journal file %s is damaged", dead->journal.path);
    int rc = read_plan(dead, text, (size_t)(end - text), end + 1, err);
    if (rc < 0)
        return rc;
    summed = strncmp(end + 1, "s ", 2) == 0;
    for (char *line = end + 1; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (!summed)
            whole = read_record(dead, line) && whole;
        summed = false;
    }
    if (!whole)
        doubt(dead);
    return 0;
}

/* Whether the process that wrote a journal ended since the last boot: only children of it hold the lock then, which are about to end too. */
static bool is_orphaned(const char *path)
{
    ja_autofree char *text = NULL;
    char now[80] = "";
    if (ja_file_read(path, FILE_LIMIT, &text, NULL, NULL) < 0)
        return false;
    bool nomem;
    json_t *json = ja_json_load(text, strcspn(text, "\n"), 0, NULL, &nomem);
    json_int_t pid = json_integer_value(json_object_get(json, "process"));
    const char *boot = json_string_value(json_object_get(json, "boot"));
    bool same = boot && ja_boot_id(now, sizeof now, NULL) == 0 && strcmp(boot, now) == 0;
    json_decref(json);
    return same && pid > 0 && pid <= INT32_MAX && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

/* How many recoveries this process is in: a plan that is being recovered may need another one's work, and meets itself then. */
static int depth;

static bool lock_dead(const char *path, int fd)
{
    bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    bool wait = !locked && errno == EWOULDBLOCK && depth == 1 && is_orphaned(path);
    for (int i = 0; wait && !locked && i < ORPHAN_MS / ORPHAN_EVERY_MS; i++) {
        usleep(ORPHAN_EVERY_MS * 1000);
        locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    }
    return locked;
}

/* What was read is not what was written; else it could not be read, and may be whole. */
static bool is_damage(int rc)
{
    return rc < 0 && rc != JA_E_NOMEM && rc != JA_E_FAILED;
}

/* What the file does not tell, the copy in the pool may. `rc` is what reading the file came to. */
static int read_copy(struct ja_dead_plan *dead, int rc, struct ja_error *err)
{
    size_t length = 0;
    ja_autofree char *copy = NULL;
    struct ja_error why = JA_ERROR_INIT;
    int found = dead->journal.pool ? ja_copy_get(dead->journal.pool, dead->journal.id, &copy, &length, &why) : 0;
    if (found < 0 && err)
        *err = why;
    if (found < 0) /* no damage */
        return found == JA_E_NOMEM ? found : JA_E_FAILED;
    if (found == 0)
        return rc;
    ja_plan_fini(&dead->plan);
    free(dead->progress);
    dead->progress = NULL;
    ja_error_clear(err);
    rc = read_text(dead, copy, length, err);
    if (rc == 0 && dead->plan.count) {
        dead->copied = true;
        doubt(dead);
    }
    return rc;
}

/* Opens and locks a journal. 1: it is ours; 0: its plan lives, or it is gone by now. */
static int open_dead(const char *dir, const char *name, struct ja_dead_plan *dead, struct ja_error *err)
{
    snprintf(dead->journal.id, sizeof dead->journal.id, "%.*s", (int)(strlen(name) - strlen(SUFFIX)), name);
    snprintf(dead->journal.path, sizeof dead->journal.path, "%s/%s", dir, name);
    dead->journal.fd = open(dead->journal.path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (dead->journal.fd < 0)
        return errno == ENOENT ? 0 : ja_error_sys(err, errno, NULL, "cannot open %s", dead->journal.path);
    struct stat st;
    if (!lock_dead(dead->journal.path, dead->journal.fd) || fstat(dead->journal.fd, &st) < 0 || st.st_nlink == 0) {
        ja_journal_abandon(&dead->journal);
        return 0;
    }
    ja_autofree char *text = NULL;
    size_t length;
    int rc = ja_file_read(dead->journal.path, FILE_LIMIT, &text, &length, err);
    if (rc == 0)
        rc = read_text(dead, text, length, err);
    if ((rc == 0 && dead->plan.count == 0) || is_damage(rc))
        rc = read_copy(dead, rc, err);
    if (is_damage(rc)) {
        ja_plan_fini(&dead->plan);
        dead->damaged = true;
        return 1;
    }
    if (rc < 0)
        ja_dead_plan_fini(dead);
    return rc < 0 ? rc : 1;
}

static bool is_journal(const char *name)
{
    size_t n = strlen(name);
    return n > strlen(SUFFIX) && n < 40 + strlen(SUFFIX) && strcmp(name + n - strlen(SUFFIX), SUFFIX) == 0;
}

struct entry {
    int64_t seconds, nanoseconds;
    char *name;
};

static int by_age(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return (x->nanoseconds > y->nanoseconds) - (x->nanoseconds < y->nanoseconds);
}

/* The journal files of a directory, oldest first. */
static int list_files(const char *dir, struct entry **ret_entries, size_t *ret_count, struct ja_error *err)
{
    struct entry *entries = NULL;
    size_t count = 0;
    DIR *handle = opendir(dir);
    if (!handle)
        return errno == ENOENT ? 0 : ja_error_sys(err, errno, NULL, "cannot read %s", dir);
    int rc = 0;
    for (struct dirent *entry; rc == 0 && (entry = readdir(handle)) != NULL;) {
        struct stat st;
        if (!is_journal(entry->d_name) || fstatat(dirfd(handle), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        struct entry *more = ja_realloc(entries, (count + 1) * sizeof *more);
        char *name = ja_strdup(entry->d_name);
        if (more)
            entries = more;
        if (more && name)
            entries[count++] = (struct entry){st.st_ctim.tv_sec, st.st_ctim.tv_nsec, name};
        else {
            free(name);
            rc = ja_error_nomem(err);
        }
    }
    closedir(handle);
    if (count)
        qsort(entries, count, sizeof *entries, by_age);
    *ret_entries = entries;
    *ret_count = count;
    return rc;
}

/*
 * A copy whose file the power took gets an empty one. A plan that lives removes its copy before its file, and makes its file
 * before its copy: a copy that is still there once its file is not is of none that lives.
 */
static int bring_back(const char *dir, const char *pool, struct ja_error *err)
{
    ja_autostrv struct ja_strv ids = {0};
    int rc = ja_copies_list(pool, &ids, err);
    for (size_t i = 0; rc == 0 && i < ids.count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s" SUFFIX, dir, ids.items[i]);
        if (access(path, F_OK) == 0 || !ja_copy_may_be(pool, ids.items[i]))
            continue;
        ja_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            rc = ja_error_sys(err, errno, NULL, "cannot make the journal file %s", path);
    }
    return rc;
}

int ja_journal_dead(const char *dir, const char *pool,
                    int (*each)(void *context, struct ja_dead_plan *dead, struct ja_error *err), void *context,
                    struct ja_error *err)
{
    struct entry *entries = NULL;
    size_t count = 0;
    int rc = pool ? bring_back(dir, pool, err) : 0;
    if (rc == 0)
        rc = list_files(dir, &entries, &count, err);
    depth++;
    for (size_t i = 0; i < count; i++) {
        struct ja_dead_plan dead = {.journal = {.fd = -1, .pool = pool}};
        int found = rc == 0 ? open_dead(dir, entries[i].name, &dead, err) : 0;
        if (found > 0) {
            rc = each(context, &dead, err);
            ja_dead_plan_fini(&dead);
        } else if (found < 0) {
            rc = found;
        }
        free(entries[i].name);
    }
    depth--;
    free(entries);
    return rc;
}

bool ja_journal_any(const char *dir, const char *pool)
{
    DIR *handle = opendir(dir);
    ja_autostrv struct ja_strv copies = {0};
    if (!handle)
        return false;
    bool any = pool && (ja_copies_list(pool, &copies, NULL) < 0 || copies.count);
    for (struct dirent *entry; !any && (entry = readdir(handle)) != NULL;)
        any = is_journal(entry->d_name);
    closedir(handle);
    return any;
}
