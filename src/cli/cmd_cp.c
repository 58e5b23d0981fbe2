/*
 * cmd_cp.c: cp: a file or directory into a jail, out of it, or from one to another. Each end is a process of its own, with
 * a pipe between them: that of the host, and for a jail the host verb copy-in or copy-out.
 */
#include "cli/cmd.h"
#include "base/file.h"
#include "run/copy.h"
#include "run/hostverb.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED_SHOWN = 20 };

/* One end: a path of the host, "-", or a path in a jail. */
struct end {
    char jail[64]; /* "": the host */
    const char *path;
    struct ja_strv argv; /* of the host verb */
};

/* What an end tells when it is done; after it come `skipped` bytes of text. */
struct report {
    int rc;
    struct ja_error err;
    size_t skipped;
};

struct process {
    pid_t pid;
    int fd; /* where its report comes from */
};

static volatile int stopped;

static void on_stop(int number)
{
    stopped = number;
}

/* "web1:/etc/motd" is of a jail; "./web1:x" and "/a:b" are not. */
static void read_end(const char *text, struct end *end)
{
    const char *colon = strchr(text, ':');
    *end = (struct end){.path = text};
    if (!colon || (size_t)(colon - text) >= sizeof end->jail)
        return;
    snprintf(end->jail, sizeof end->jail, "%.*s", (int)(colon - text), text);
    if (ja_check_name(end->jail, NULL) < 0)
        end->jail[0] = '\0';
    else
        end->path = colon[1] ? colon + 1 : "/";
}

/* The tree of a jail that does not run, with its volumes. */
static int tree_words(struct ja_engine *engine, const struct ja_jail *jail, struct ja_strv *argv, struct ja_error *err)
{
    const struct ja_site *site = &engine->site;
    int rc = ja_strv_add(argv, "--tree");
    if (rc == 0)
        rc = ja_strv_addf(argv, "%s/jails/%s/root/%s", site->pool, jail->name, jail->be);
    int64_t shift = ja_site_tree_id(site, jail->privileged);
    if (rc == 0 && shift) {
        rc = ja_strv_add(argv, "--id-shift");
        if (rc == 0)
            rc = ja_strv_addf(argv, "%lld", (long long)shift);
    }
    for (size_t i = 0; rc == 0 && i < jail->volumes.count; i++) {
        const struct ja_volume *volume = jail->volumes.items[i];
        rc = ja_strv_add(argv, "--volume");
        if (rc == 0)
            rc = ja_strv_addf(argv, "%s/jails/%s/vol/%s=%s", site->pool, jail->name, volume->name, volume->target);
    }
    return rc < 0 ? ja_error_nomem(err) : 0;
}

/* The trees of a jail that does not run need not be mounted. That changes something, and is a plan. */
static int mount_trees(struct ja_cli *cli, const char *name, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    int rc = ja_cmd_open(cli, false, &engine, err);
    return rc < 0 ? rc : ja_engine_trees_ensure(engine, name, err);
}

static int jail_words(struct ja_cli *cli, struct ja_engine *engine, struct end *end, const char *verb, bool preserve,
                      struct ja_error *err)
{
    void *jail = NULL;
    struct ja_listed listed = {0};
    int rc = ja_engine_get(engine, &ja_noun_jail, end->jail, &jail, NULL, err);
    if (rc == 0)
        rc = ja_engine_state(engine, jail, &listed, err);
    if (rc == 0 && ja_strv_add(&end->argv, verb) < 0)
        rc = ja_error_nomem(err);
    if (rc == 0 && preserve && ja_strv_add(&end->argv, "--preserve") < 0)
        rc = ja_error_nomem(err);
    if (rc == 0 && listed.pid) {
        if (ja_strv_add(&end->argv, "--pid-file") < 0 ||
            ja_strv_addf(&end->argv, "%s/jails/%lld/pid", engine->site.run, (long long)listed.jail->slot) < 0)
            rc = ja_error_nomem(err);
    } else if (rc == 0) {
        rc = mount_trees(cli, end->jail, err);
        if (rc == 0)
            rc = tree_words(engine, jail, &end->argv, err);
    }
    if (rc == 0 && ja_strv_add_all(&end->argv, "--", end->path, NULL) < 0)
        rc = ja_error_nomem(err);
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}

static void add_skipped(void *context, const char *path, const char *why)
{
    ja_str_addf(context, "%s: %s\n", path, why);
}

static int run_end(const struct end *end, bool receives, bool preserve, bool from_jail, struct ja_str *skipped,
                   struct ja_error *err)
{
    if (end->jail[0]) {
        const struct ja_hostverb *verb = ja_hostverb_find(end->argv.items[0]);
        struct ja_hostverb_io io = {.input = "", .output = skipped};
        return verb ? verb->run((int)end->argv.count, end->argv.items, &io, err)
                    : ja_error_set(err, JA_E_UNSUPPORTED, NULL, "this system cannot enter jails yet");
    }
    struct ja_copy copy = {.preserve = preserve,
                           .drop_privilege = from_jail,
                           .interrupted = &stopped,
                           .skipped = add_skipped,
                           .context = skipped};
    if (!receives)
        return ja_copy_send(&copy, end->path, STDOUT_FILENO, err);
    return ja_copy_receive(&copy, end->path, STDIN_FILENO, err);
}

/* The child: `pipe_fd` becomes its standard input or output, but "-" keeps the one that is the user's. */
static void be_end(const struct end *end, bool receives, int pipe_fd, bool preserve, bool from_jail, int report_fd)
{
    struct report report = {0};
    struct ja_str skipped = {0};
    if (dup2(pipe_fd, receives ? STDIN_FILENO : STDOUT_FILENO) < 0)
        report.rc = ja_error_sys(&report.err, errno, NULL, "cannot use the pipe");
    close(pipe_fd);
    if (report.rc == 0)
        report.rc = run_end(end, receives, preserve, from_jail, &skipped, &report.err);
    /* So that the other end sees the end. */
    close(receives ? STDIN_FILENO : STDOUT_FILENO);
    report.skipped = skipped.failed ? 0 : skipped.length;
    if (ja_fd_write(report_fd, &report, sizeof report) < 0 ||
        (report.skipped && ja_fd_write(report_fd, skipped.text, skipped.length) < 0))
        _exit(1);
    _exit(0);
}

static int start_end(const struct end *end, bool receives, const int pipe_fds[2], bool preserve, bool from_jail,
                     struct process *ret_process, struct ja_error *err)
{
    int report[2];
    if (pipe(report) < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(report[0]);
        close(pipe_fds[receives ? 1 : 0]);
        be_end(end, receives, pipe_fds[receives ? 0 : 1], preserve, from_jail, report[1]);
    }
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return ja_error_sys(err, errno, NULL, "cannot make a process");
    }
    *ret_process = (struct process){pid, report[0]};
    return 0;
}

static int read_all(int fd, void *bytes, size_t length)
{
    size_t have = 0;
    while (have < length) {
        ssize_t n = read(fd, (char *)bytes + have, length - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        have += (size_t)n;
    }
    return 0;
}

/* What was left out, some of it by name: the names are the jail's. */
static void show_skipped(struct ja_cli *cli, char *text)
{
    size_t count = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (count++ < SKIPPED_SHOWN)
            ja_warn(cli, "left out: %s", line);
    if (count > SKIPPED_SHOWN)
        ja_warn(cli, "and %zu more were left out", count - SKIPPED_SHOWN);
}

static int finish_end(struct ja_cli *cli, struct process *process, struct ja_error *err)
{
    enum { TEXT_MOST = 16 << 20 };
    struct report report;
    int status;
    bool told = read_all(process->fd, &report, sizeof report) == 0;
    if (told && report.skipped && report.skipped < TEXT_MOST) {
        ja_autofree char *text = ja_calloc(report.skipped + 1, 1);
        if (text && read_all(process->fd, text, report.skipped) == 0)
            show_skipped(cli, text);
    }
    close(process->fd);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!told)
        return ja_error_set(err, JA_E_FAILED, NULL, "one end of the copy has died");
    *err = report.err;
    return report.rc;
}

/* Which end an error is about, if it does not say so itself. */
static void place_error(const struct end *end, struct ja_error *err)
{
    if (end->jail[0] && !err->object[0])
        ja_object_named(err, end->jail);
}

static int run_copy(struct ja_cli *cli, const struct end *from, const struct end *to, bool preserve,
                    struct ja_error *err)
{
    int fds[2];
    struct process sender, receiver;
    struct ja_error sent = JA_ERROR_INIT, received = JA_ERROR_INIT;
    if (pipe(fds) < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a pipe");
    int rc = start_end(from, false, fds, preserve, false, &sender, err);
    if (rc < 0) {
        close(fds[0]);
        close(fds[1]);
        return rc;
    }
    rc = start_end(to, true, fds, preserve, from->jail[0] != '\0', &receiver, err);
    close(fds[0]);
    close(fds[1]);
    int send_rc = finish_end(cli, &sender, &sent);
    if (rc < 0)
        return rc;
    rc = finish_end(cli, &receiver, &received);
    place_error(from, &sent);
    place_error(to, &received);
    /* Of two failures that with a reason of its own counts, not that the other end went away. */
    bool sender_knows = send_rc < 0 && sent.sys != EPIPE;
    if (rc < 0 && !(sender_knows && received.sys == EPIPE)) {
        *err = received;
        return rc;
    }
    if (send_rc < 0)
        *err = sent;
    return send_rc;
}

int ja_cmd_cp(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct end from, to;
    bool preserve = ja_args_has(args, "preserve");
    read_end(args->words[0], &from);
    read_end(args->words[1], &to);
    if (!from.jail[0] && !to.jail[0]) {
        ja_error_set(err, JA_E_USAGE, NULL, "neither of the two is in a jail");
        return ja_error_hint(err, "write JAIL:PATH for what is in a jail, such as web1:/etc/motd");
    }
    int rc = ja_cmd_open(cli, true, &engine, err);
    if (rc == 0 && from.jail[0])
        rc = jail_words(cli, engine, &from, "copy-out", preserve, err);
    if (rc == 0 && to.jail[0])
        rc = jail_words(cli, engine, &to, "copy-in", preserve, err);
    struct sigaction action = {.sa_handler = on_stop};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    if (rc == 0)
        rc = run_copy(cli, &from, &to, preserve, err);
    ja_strv_fini(&from.argv);
    ja_strv_fini(&to.argv);
    return rc;
}
