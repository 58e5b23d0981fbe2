/*
 * zfs.c: running the zfs command and reading what it prints. See zfs.h.
 */
#include "run/zfs.h"
#include "base/clock.h"
#include "run/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#define COMMAND_MS (60 * 1000)
#define BUSY_MS 8000 /* so long something busy is tried again */
#define BUSY_PAUSE_MS 200
#define OUTPUT_LIMIT (32 << 20)
#define NAMES_AT_ONCE 200 /* of 256 bytes at most: far below the limit of a command line */

/* ---- the command ---- */

static const char *program(void)
{
    static const char *const paths[] = {"/usr/local/sbin/zfs", "/usr/sbin/zfs", "/sbin/zfs", "/usr/bin/zfs"};
    for (size_t i = 0; i < JA_COUNT(paths); i++)
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    return NULL;
}

int ja_zfs_code(const char *printed)
{
    static const struct {
        const char *text;
        int code;
    } meanings[] = {
        {"dataset does not exist", JA_E_NOTFOUND},
        {"no such pool", JA_E_NOTFOUND},
        {"could not find any snapshots", JA_E_NOTFOUND},
        {"dependent clones", JA_E_CONFLICT},
        {"has children", JA_E_CONFLICT},
        {"already exists", JA_E_EXISTS},
        {"is busy", JA_E_BUSY}, /* "pool or dataset", "dataset", umount's "target" */
        {"umount failed", JA_E_BUSY},
    };
    for (size_t i = 0; i < JA_COUNT(meanings); i++)
        if (strstr(printed, meanings[i].text))
            return meanings[i].code;
    return JA_E_FAILED;
}

static void fill_error(struct ja_error *err, const struct ja_strv *words, const char *printed, int code, int status)
{
    ja_autostr struct ja_str command = {0}, shown = {0};
    if (code == JA_E_TIMEOUT)
        ja_error_set(err, code, NULL, "zfs did not end within %d s", COMMAND_MS / 1000);
    else if (code == JA_E_LIMIT)
        ja_error_set(err, code, NULL, "zfs printed more than %d bytes", OUTPUT_LIMIT);
    else
        ja_error_set(err, code, NULL, "zfs ended with status %d", status);
    ja_str_add(&command, "zfs");
    for (size_t i = 0; i < words->count; i++) {
        ja_str_add(&command, " ");
        ja_str_add_quoted(&command, words->items[i]);
    }
    size_t length = strlen(printed);
    while (length && printed[length - 1] == '\n')
        length--;
    ja_str_add_shown(&shown, printed, length, true);
    if (err) {
        snprintf(err->command, sizeof err->command, "%s", command.text ? command.text : "");
        snprintf(err->output, sizeof err->output, "%s", shown.text ? shown.text : "");
    }
}

/* `lenient`: a failure is no error, what was printed tells. */
static int run(const struct ja_strv *words, bool lenient, struct ja_str *output, struct ja_error *err)
{
    const char *path = program();
    if (!path) {
        ja_error_set(err, JA_E_UNSUPPORTED, NULL, "the program zfs was not found");
        return ja_error_hint(err, "install the package zfsutils-linux");
    }
    ja_autostrv struct ja_strv argv = {0};
    if (ja_strv_add(&argv, path) < 0)
        return ja_error_nomem(err);
    for (size_t i = 0; i < words->count; i++)
        if (ja_strv_add(&argv, words->items[i]) < 0)
            return ja_error_nomem(err);
    struct ja_spawn spawn = {.argv = argv.items, .timeout_ms = COMMAND_MS, .output_limit = OUTPUT_LIMIT};
    struct ja_spawn_result result;
    int rc = ja_spawn_run(&spawn, &result, err);
    if (rc < 0)
        return rc;
    const char *printed = result.output.text ? result.output.text : "";
    if (result.output.failed)
        rc = ja_error_nomem(err);
    else if (result.timed_out || result.cut)
        fill_error(err, words, printed, rc = result.timed_out ? JA_E_TIMEOUT : JA_E_LIMIT, result.status);
    else if (result.status != 0 && !(lenient && result.status == 1))
        fill_error(err, words, printed, rc = ja_zfs_code(printed), result.status);
    if (rc == 0 && output)
        ja_str_add(output, printed);
    ja_str_fini(&result.output);
    return rc == 0 && output && output->failed ? ja_error_nomem(err) : rc;
}

int ja_zfs_run(const struct ja_strv *words, struct ja_str *output, struct ja_error *err)
{
    return run(words, false, output, err);
}

int ja_zfs_ask(const struct ja_strv *words, struct ja_str *output, struct ja_error *err)
{
    return run(words, true, output, err);
}

static int collect(struct ja_strv *words, va_list args)
{
    for (const char *word; (word = va_arg(args, const char *)) != NULL;)
        if (ja_strv_add(words, word) < 0)
            return -1;
    return 0;
}

int ja_zfs(struct ja_error *err, ...)
{
    ja_autostrv struct ja_strv words = {0};
    va_list args;
    va_start(args, err);
    int rc = collect(&words, args);
    va_end(args);
    return rc < 0 ? ja_error_nomem(err) : ja_zfs_run(&words, NULL, err);
}

/* ---- lists ---- */

void ja_zfs_list_fini(struct ja_zfs_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].mountpoint);
        free(list->items[i].origin);
    }
    free(list->items);
    *list = (struct ja_zfs_list){0};
}

/* Takes the item over. */
static int add_dataset(struct ja_zfs_list *list, struct ja_zfs_dataset item, struct ja_error *err)
{
    bool good = item.name && item.mountpoint && item.origin;
    if (good && (list->count & (list->count - 1)) == 0) { /* a power of two: full */
        size_t room = list->count ? 2 * list->count : 1;
        struct ja_zfs_dataset *items = ja_realloc(list->items, room * sizeof *items);
        if (items)
            list->items = items;
        good = items != NULL;
    }
    if (!good) {
        free(item.name);
        free(item.mountpoint);
        free(item.origin);
        return ja_error_nomem(err);
    }
    list->items[list->count++] = item;
    return 0;
}

int ja_zfs_list_add(struct ja_zfs_list *list, const struct ja_zfs_dataset *item, struct ja_error *err)
{
    struct ja_zfs_dataset copy = *item;
    copy.name = ja_strdup(item->name);
    copy.mountpoint = ja_strdup(item->mountpoint);
    copy.origin = ja_strdup(item->origin);
    return add_dataset(list, copy, err);
}

int ja_zfs_list_parse(char *text, struct ja_zfs_list *ret_list, struct ja_error *err)
{
    struct ja_zfs_list list = {0};
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        char *field[5];
        size_t n = 0;
        if (!*line)
            continue;
        for (char *more = line; n < JA_COUNT(field) && more;)
            field[n++] = strsep(&more, "\t");
        if (n < JA_COUNT(field))
            rc = ja_error_set(err, JA_E_FAILED, NULL, "zfs list printed a line that cannot be read: %s", JA_SHOW(line));
        else
            rc = add_dataset(&list,
                             (struct ja_zfs_dataset){.name = ja_strdup(field[0]),
                                                     .mounted = strcmp(field[1], "yes") == 0,
                                                     .mountpoint = ja_strdup(field[2]),
                                                     .noauto = strcmp(field[3], "noauto") == 0,
                                                     .origin = ja_strdup(field[4])},
                             err);
    }
    if (rc < 0)
        ja_zfs_list_fini(&list);
    else
        *ret_list = list;
    return rc;
}

int ja_zfs_list(const char *top, bool below, struct ja_zfs_list *ret_list, struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    ja_autostr struct ja_str output = {0};
    if (ja_strv_add_all(&words, "list", "-H", "-t", "filesystem,volume", "-o",
                        "name,mounted,mountpoint,canmount,origin", NULL) < 0 ||
        (below && ja_strv_add(&words, "-r") < 0) || ja_strv_add(&words, top) < 0)
        return ja_error_nomem(err);
    int rc = ja_zfs_run(&words, &output, err);
    if (rc < 0)
        return rc;
    return output.text ? ja_zfs_list_parse(output.text, ret_list, err)
                       : ja_error_set(err, JA_E_NOTFOUND, top, "no dataset");
}

/* ---- facts ---- */

/* A snapshot has the mark of its own dataset. */
static bool is_of(const char *name, const char *source)
{
    static const char inherited[] = "inherited from ";
    const char *at = strchr(name, '@');
    size_t length = strlen(inherited);
    if (strcmp(source, "local") == 0)
        return true;
    return at && strncmp(source, inherited, length) == 0 && strlen(source + length) == (size_t)(at - name) &&
           strncmp(source + length, name, (size_t)(at - name)) == 0;
}

/* "cannot open 'tank/x': dataset does not exist", in whatever words. The name, cut out of the line; NULL: another line. */
static char *unknown_name(char *line)
{
    char *name = strchr(line, '\''), *end = name ? strchr(name + 1, '\'') : NULL;
    if (!ja_str_starts(line, "cannot open ") || !end || ja_zfs_code(end) != JA_E_NOTFOUND)
        return NULL;
    *end = '\0';
    return name + 1;
}

int ja_zfs_facts_parse(char *text, struct ja_facts *facts, struct ja_error *err)
{
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *more = line, *name = unknown_name(line);
        const char *value = NULL, *source = NULL;
        if (!name) {
            name = strsep(&more, "\t");
            value = strsep(&more, "\t");
            source = strsep(&more, "\t");
            if (!source)
                continue;
            if (!is_of(name, source))
                value = "";
        }
        if (ja_facts_set(facts, JA_FACT_DATASET, name, value) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

/* Names of asked and still unknown datasets. */
static int unknown_datasets(const struct ja_facts *facts, enum ja_fact_kind kind, struct ja_strv *names)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->items[i].kind == kind && !facts->items[i].known && ja_strv_add(names, facts->items[i].name) < 0)
            return -1;
    return 0;
}

int ja_zfs_used_parse(char *text, struct ja_facts *facts, struct ja_error *err)
{
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *more = line, *name = unknown_name(line);
        const char *value = NULL;
        if (!name) {
            name = strsep(&more, "\t");
            value = strsep(&more, "\t");
            if (!value || !*value || value[strspn(value, "0123456789")])
                continue;
        }
        if (ja_facts_set(facts, JA_FACT_USED, name, value) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

/* What one kind of fact is asked of `zfs get` by, and who takes the answer. */
struct property {
    enum ja_fact_kind kind;
    const char *columns, *name;
    int (*parse)(char *text, struct ja_facts *facts, struct ja_error *err);
};

/* One process for up to NAMES_AT_ONCE datasets. One that was neither shown nor said to be missing is an error: what is
 * unknown must not pass for absent. */
static int read_property(const struct property *property, const struct ja_strv *names, struct ja_facts *facts,
                         struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    ja_autostr struct ja_str output = {0};
    size_t before = facts->missing, count = names->count < NAMES_AT_ONCE ? names->count : NAMES_AT_ONCE;
    bool nomem = ja_strv_add_all(&words, "get", "-Hp", "-o", property->columns, property->name, NULL) < 0;
    for (size_t i = 0; i < count; i++)
        nomem = ja_strv_add(&words, names->items[i]) < 0 || nomem;
    int rc = nomem ? ja_error_nomem(err) : run(&words, true, &output, err);
    ja_autofree char *copy = rc == 0 ? ja_strdup(output.text ? output.text : "") : NULL;
    if (rc == 0)
        rc = copy ? property->parse(copy, facts, err) : ja_error_nomem(err);
    if (rc == 0 && before - facts->missing < count)
        fill_error(err, &words, output.text ? output.text : "", rc = JA_E_FAILED, 1);
    return rc;
}

/* The first file in a directory, for a name in an error. 1, 0: it is empty, or a negative code. */
static int first_file(const char *path, struct ja_str *ret_name, struct ja_error *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int found = 0;
    if (!dir)
        return ja_error_sys(err, errno, NULL, "cannot read %s", path);
    while (!found && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            ja_str_addf(ret_name, "%s/%s\n", path, entry->d_name);
            found = 1;
        }
    closedir(dir);
    return found;
}

/* What is in a dataset: datasets and snapshots below it, and a file if it is mounted and has any. */
static int read_contents(const char *name, struct ja_str *ret_value, struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    ja_autostr struct ja_str output = {0};
    struct ja_zfs_list list = {0};
    if (ja_strv_add_all(&words, "list", "-H", "-r", "-d", "1", "-t", "all", "-o", "name", name, NULL) < 0)
        return ja_error_nomem(err);
    int rc = ja_zfs_list(name, false, &list, err);
    if (rc == 0)
        rc = ja_zfs_run(&words, &output, err);
    char *rest = output.text;
    for (char *line; rc == 0 && rest && (line = strsep(&rest, "\n")) != NULL;)
        if (*line && strcmp(line, name) != 0)
            ja_str_addf(ret_value, "%s\n", line);
    if (rc == 0 && list.count == 1 && list.items[0].mounted && list.items[0].mountpoint[0] == '/')
        rc = first_file(list.items[0].mountpoint, ret_value, err);
    ja_zfs_list_fini(&list);
    return rc < 0 ? rc : 0;
}

int ja_zfs_facts_read(struct ja_facts *facts, struct ja_error *err)
{
    static const struct property lists[] = {
        {JA_FACT_DATASET, "name,value,source", JA_ZFS_MARK, ja_zfs_facts_parse},
        {JA_FACT_USED, "name,value", "referenced", ja_zfs_used_parse},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < JA_COUNT(lists);) {
        ja_autostrv struct ja_strv names = {0};
        if (unknown_datasets(facts, lists[i].kind, &names) < 0)
            return ja_error_nomem(err);
        if (names.count)
            rc = read_property(&lists[i], &names, facts, err);
        else
            i++;
    }
    ja_autostrv struct ja_strv names = {0};
    if (rc == 0 && unknown_datasets(facts, JA_FACT_CONTENTS, &names) < 0)
        return ja_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        ja_autostr struct ja_str value = {0};
        rc = read_contents(names.items[i], &value, err);
        bool absent = rc == JA_E_NOTFOUND;
        if (absent) {
            ja_error_clear(err);
            rc = 0;
        }
        const char *text = absent ? NULL : value.text ? value.text : "";
        if (rc == 0 && (value.failed || ja_facts_set(facts, JA_FACT_CONTENTS, names.items[i], text) < 0))
            rc = ja_error_nomem(err);
    }
    return rc < 0 ? rc : ja_zfs_snapshot_facts_read(facts, err);
}

int ja_zfs_mark(const char *name, char **ret_mark, struct ja_error *err)
{
    struct ja_facts facts = {0};
    ja_fact(&facts, JA_FACT_DATASET, name);
    int rc = facts.failed ? ja_error_nomem(err) : ja_zfs_facts_read(&facts, err);
    const char *value = rc == 0 ? ja_fact(&facts, JA_FACT_DATASET, name) : NULL;
    char *copy = value && *value ? ja_strdup(value) : NULL;
    if (rc == 0 && !value)
        rc = ja_error_set(err, JA_E_NOTFOUND, name, "there is no such dataset");
    else if (rc == 0 && *value && !copy)
        rc = ja_error_nomem(err);
    if (rc == 0)
        *ret_mark = copy;
    ja_facts_fini(&facts);
    return rc;
}

/* ---- what is busy ---- */

int ja_zfs_patiently(const struct ja_strv *words, const char *dataset, const char *dir, struct ja_error *err)
{
    const struct timespec pause = {.tv_nsec = BUSY_PAUSE_MS * 1000000L};
    int64_t deadline = ja_clock_monotonic_ms() + BUSY_MS;
    int rc = ja_zfs_run(words, NULL, err);
    while (rc == JA_E_BUSY && ja_clock_monotonic_ms() < deadline) {
        nanosleep(&pause, NULL);
        rc = ja_zfs_run(words, NULL, err);
    }
    if (rc == JA_E_BUSY && err) {
        char who[sizeof err->what / 2] = "";
        if (dir)
            ja_holders(dir, dataset, who, sizeof who);
        snprintf(err->what, sizeof err->what, "the dataset %s is in use%s%s", dataset, *who ? ": " : "", who);
        ja_error_hint(err, "%s",
                      *who ? "end what uses it, then try again"
                           : "somebody works in it, or it has a hold "
                             "(zfs holds): end that, then try again");
    }
    return rc;
}

/* ---- mounts ---- */

int ja_zfs_unmount_all(const struct ja_zfs_list *list, struct ja_error *err)
{
    for (size_t i = list->count; i-- > 0;) {
        const struct ja_zfs_dataset *item = &list->items[i];
        if (item->mounted) {
            ja_autostrv struct ja_strv words = {0};
            if (ja_strv_add_all(&words, "unmount", item->name, NULL) < 0)
                return ja_error_nomem(err);
            int rc = ja_zfs_patiently(&words, item->name, item->mountpoint, err);
            if (rc < 0 && rc != JA_E_NOTFOUND && !(err && strstr(err->output, "not currently mounted")))
                return rc;
            ja_error_clear(err);
        }
        /* The directory would otherwise stay behind; one that holds something is somebody else's. */
        if (item->noauto && item->mountpoint[0] == '/')
            rmdir(item->mountpoint);
    }
    return 0;
}

/*
 * zfs-fuse passes setuid=off and devices=off over. And every start of a jail, every build of a template has a copy of all
 * mounts of the host in a mount namespace of its own: from mounts that are shared, what is unmounted here goes there too,
 * and is not kept busy.
 */
static int distrust(const char *path, struct ja_error *err)
{
#ifdef __linux__
    struct statvfs fs;
    if (statvfs(path, &fs) < 0)
        return ja_error_sys(err, errno, NULL, "cannot look at the mount of %s", path);
    mount(NULL, path, NULL, MS_SHARED, NULL); /* without it, only patience is needed */
    if ((fs.f_flag & ST_NOSUID) && (fs.f_flag & ST_NODEV))
        return 0;
    unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | (fs.f_flag & ST_RDONLY ? MS_RDONLY : 0) |
                          (fs.f_flag & ST_NOEXEC ? MS_NOEXEC : 0) | (fs.f_flag & ST_NOATIME ? MS_NOATIME : 0) |
                          (fs.f_flag & ST_RELATIME ? MS_RELATIME : 0);
    if (mount(NULL, path, NULL, flags, NULL) < 0)
        return ja_error_sys(err, errno, NULL, "cannot switch off set-user-id programs and devices in %s", path);
#else
    (void)path;
    (void)err;
#endif
    return 0;
}

int ja_zfs_mount_all(const struct ja_zfs_list *list, struct ja_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct ja_zfs_dataset *item = &list->items[i];
        if (!item->noauto || item->mountpoint[0] != '/')
            continue;
        int rc = item->mounted ? 0 : ja_zfs(err, "mount", item->name, NULL);
        if (rc < 0 && !(err && strstr(err->output, "already mounted")))
            return rc;
        ja_error_clear(err);
        if ((rc = distrust(item->mountpoint, err)) < 0)
            return rc;
    }
    return 0;
}
