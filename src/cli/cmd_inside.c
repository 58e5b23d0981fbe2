/*
 * cmd_inside.c: exec, console and logs: no plans, no locks, no writes to the store.
 */
#include "cli/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* "KEY=VALUE" as the environment takes it. */
static int check_env(const char *text, struct ja_error *err)
{
    const char *equal = strchr(text, '=');
    ja_autofree char *name = ja_strndup(text, equal ? (size_t)(equal - text) : 0);
    if (!name)
        return ja_error_nomem(err);
    if (!equal)
        return ja_error_set(err, JA_E_USAGE, "option --env", "%s is no KEY=VALUE", JA_SHOW(text));
    int rc = ja_check_env_name(name, err);
    if (rc < 0)
        snprintf(err->object, sizeof err->object, "option --env");
    return rc;
}

static int inside_options(struct ja_cli *cli, const struct ja_args *args, struct ja_inside *inside,
                          struct ja_error *err)
{
    const char *value;
    size_t at = 0;
    bool terminals = cli->in_terminal && cli->out_terminal;
    if (ja_args_has(args, "tty") && ja_args_has(args, "no-tty"))
        return ja_error_set(err, JA_E_USAGE, "exec", "give --tty or --no-tty, not both");
    inside->tty = ja_args_has(args, "tty") || (terminals && !ja_args_has(args, "no-tty"));
    inside->user = ja_args_get(args, "user");
    inside->dir = ja_args_get(args, "workdir");
    inside->command = args->command;
    if (inside->dir && ja_check_path(inside->dir, err) < 0) {
        snprintf(err->object, sizeof err->object, "option --workdir");
        return err->code;
    }
    if (args->command[0][0] == '\0')
        return ja_error_set(err, JA_E_USAGE, "exec", "the command is empty");
    while ((value = ja_args_next(args, "env", &at))) {
        if (check_env(value, err) < 0)
            return err->code;
        if (ja_strv_add(&inside->env, value) < 0)
            return ja_error_nomem(err);
    }
    return 0;
}

/* The exit status of a command is ours, also when it could not be run. */
static int run_inside(struct ja_cli *cli, const char *name, struct ja_inside *inside, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int status = -1;
    inside->terminal_type = getenv("TERM");
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = ja_engine_enter(engine, name, inside, &status, err);
    if (rc < 0 && status > 0) {
        ja_show_error(cli, err);
        return status;
    }
    return rc < 0 ? rc : status;
}

int ja_cmd_exec(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    struct ja_inside inside = {0};
    int rc = inside_options(cli, args, &inside, err);
    if (rc == 0)
        rc = run_inside(cli, args->words[0], &inside, err);
    ja_strv_fini(&inside.env);
    return rc;
}

int ja_cmd_console(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    struct ja_inside inside = {.user = ja_args_get(args, "user"), .tty = true, .escape = true};
    if (cli->in_terminal && !cli->quiet)
        fprintf(cli->errors, "Press Ctrl-] three times within a second to leave.\n");
    return run_inside(cli, args->words[0], &inside, err);
}

/* ---- logs ---- */

/* A log is in the jail's hands, which may have cut it or made it look enormous: no more than this from its end. */
#define LOG_MOST (1 << 20)
#define FOLLOW_MS 200

struct log {
    struct ja_cli *cli;
    char path[1024];
    int fd;
    off_t at;           /* read up to here */
    struct ja_str rest; /* the beginning of a character whose end is not there yet */
};

/* How many bytes at the end belong to a UTF-8 character that is not complete. */
static size_t incomplete(const char *text, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char c = (unsigned char)text[length - back];
        size_t needs = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        if ((c & 0xc0) == 0x80)
            continue;
        return needs > back ? back : 0;
    }
    return 0;
}

/* Prints text of the jail: nothing of it acts on the terminal. A line may end as terminals want it. */
static int show_text(struct log *log, const char *text, size_t length, struct ja_error *err)
{
    ja_autostr struct ja_str whole = {0}, shown = {0};
    ja_str_addn(&whole, log->rest.text ? log->rest.text : "", log->rest.length);
    for (size_t i = 0; i < length; i++)
        if (text[i] != '\r' || i + 1 == length || text[i + 1] != '\n')
            ja_str_addn(&whole, text + i, 1);
    ja_str_fini(&log->rest);
    if (whole.failed)
        return ja_error_nomem(err);
    size_t keep = incomplete(whole.text ? whole.text : "", whole.length);
    if (keep)
        ja_str_addn(&log->rest, whole.text + whole.length - keep, keep);
    if (whole.length > keep)
        ja_str_add_shown(&shown, whole.text, whole.length - keep, true);
    if (shown.failed || log->rest.failed)
        return ja_error_nomem(err);
    if (shown.text)
        fputs(shown.text, log->cli->out);
    return 0;
}

/* The end of a file, at most LOG_MOST bytes. A file that is not there is empty. */
static int read_end(const char *path, struct ja_str *text, int *ret_fd, off_t *ret_at, struct ja_error *err)
{
    struct stat info;
    char buffer[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : ja_error_sys(err, errno, NULL, "cannot open %s", path);
    off_t at = fstat(fd, &info) == 0 && info.st_size > LOG_MOST ? info.st_size - LOG_MOST : 0;
    ssize_t n;
    for (size_t sum = 0; sum < LOG_MOST && (n = pread(fd, buffer, sizeof buffer, at)) > 0; sum += (size_t)n, at += n)
        ja_str_addn(text, buffer, (size_t)n);
    *ret_at = at;
    if (ret_fd)
        *ret_fd = fd;
    else
        close(fd);
    return text->failed ? ja_error_nomem(err) : 0;
}

/* Where the last `lines` lines begin. */
static size_t last_lines(const struct ja_str *text, int64_t lines)
{
    size_t at = text->length;
    if (at && text->text[at - 1] == '\n')
        at--;
    for (; at > 0; at--)
        if (text->text[at - 1] == '\n' && --lines <= 0)
            break;
    return at;
}

static int show_first(struct log *log, int64_t lines, struct ja_error *err)
{
    ja_autostr struct ja_str text = {0};
    ja_autofree char *older = ja_printf("%s.1", log->path);
    off_t ignored;
    int rc = older ? read_end(older, &text, NULL, &ignored, err) : ja_error_nomem(err);
    if (rc == 0)
        rc = read_end(log->path, &text, &log->fd, &log->at, err);
    if (rc < 0 || !text.length)
        return rc;
    size_t from = lines < 0 ? 0 : lines == 0 ? text.length : last_lines(&text, lines);
    return show_text(log, text.text + from, text.length - from, err);
}

/* What was added since. The file is emptied in place when it is rotated, and is another one after a jail was made anew. */
static int show_added(struct log *log, struct ja_error *err)
{
    struct stat ours = {0}, now;
    char buffer[16384];
    if (stat(log->path, &now) < 0)
        return 0;
    if (log->fd < 0 || fstat(log->fd, &ours) < 0 || ours.st_ino != now.st_ino || ours.st_dev != now.st_dev) {
        if (log->fd >= 0)
            close(log->fd);
        log->fd = open(log->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        log->at = 0;
        if (log->fd < 0)
            return errno == ENOENT ? 0 : ja_error_sys(err, errno, NULL, "cannot open %s", log->path);
    }
    if (now.st_size < log->at)
        log->at = 0;
    if (now.st_size - log->at > LOG_MOST)
        log->at = now.st_size - LOG_MOST;
    for (ssize_t n; (n = pread(log->fd, buffer, sizeof buffer, log->at)) != 0; log->at += n) {
        if (n < 0)
            return ja_error_sys(err, errno, NULL, "cannot read %s", log->path);
        int rc = show_text(log, buffer, (size_t)n, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int lines_option(const struct ja_args *args, int64_t *ret_lines, struct ja_error *err)
{
    const char *text = ja_args_get(args, "lines");
    if (!text)
        return 0;
    if (ja_value_parse(JA_T_INT, text, ret_lines, err) == 0 && *ret_lines >= 0)
        return 0;
    return ja_error_set(err, JA_E_USAGE, "option --lines", "%s is no number of lines", JA_SHOW(text));
}

int ja_cmd_logs(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct log log = {.cli = cli, .fd = -1};
    void *jail = NULL;
    int64_t lines = -1;
    int rc = lines_option(args, &lines, err);
    if (rc == 0)
        rc = ja_check_name(args->words[0], err);
    if (rc == 0)
        rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, args->words[0], &jail, NULL, err);
    ja_object_free(&ja_noun_jail, jail);
    if (rc < 0)
        return rc;
    snprintf(log.path, sizeof log.path, "%s/jails/%s/console.log", engine->site.pool, args->words[0]);
    rc = show_first(&log, lines, err);
    while (rc == 0 && ja_args_has(args, "follow") && fflush(cli->out) == 0) {
        nanosleep(&(struct timespec){.tv_nsec = FOLLOW_MS * 1000000L}, NULL);
        rc = show_added(&log, err);
    }
    if (log.fd >= 0)
        close(log.fd);
    ja_str_fini(&log.rest);
    return rc;
}
