/*
 * each.c: one verb for many names: forked workers, each with a store handle of its own. The parent hands out names one at a
 * time and reports what comes back, so that a slow jail holds nobody up.
 */
#include "base/file.h"
#include "engine/internal.h"
#include "run/spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct worker {
    pid_t pid;
    int fd;      /* our end; -1: it has ended */
    size_t item; /* what it works on */
    bool busy;
};

struct reply {
    int rc;
    struct ja_error err;
};

/* In the worker: takes numbers of names from the parent until it closes. */
static void work(struct ja_engine *engine, const struct ja_strv *names, int fd,
                 int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                 void *context)
{
    size_t item;
    struct ja_error open_err = JA_ERROR_INIT;
    int opened = ja_engine_after_fork(engine, &open_err);
    for (ssize_t n; (n = read(fd, &item, sizeof item)) == (ssize_t)sizeof item || (n < 0 && errno == EINTR);) {
        if (n < 0)
            continue;
        struct reply reply = {0};
        if (opened < 0) {
            reply.rc = opened;
            reply.err = open_err;
        } else {
            reply.rc = one(engine, names->items[item], context, &reply.err);
        }
        if (ja_fd_write(fd, &reply, sizeof reply) < 0)
            break;
    }
    ja_store_close(engine->store);
    fflush(NULL);
    _exit(0);
}

static void give(struct worker *worker, size_t item)
{
    worker->item = item;
    worker->busy = ja_fd_write(worker->fd, &item, sizeof item) == 0;
}

/* One worker's answer; a worker that died is an answer too. */
static void take(struct worker *worker, struct reply *reply)
{
    size_t have = 0;
    while (have < sizeof *reply) {
        ssize_t n = read(worker->fd, (char *)reply + have, sizeof *reply - have);
        if (n > 0)
            have += (size_t)n;
        else if (n == 0 || errno != EINTR)
            break;
    }
    worker->busy = false;
    if (have < sizeof *reply) {
        reply->rc = ja_error_set(&reply->err, JA_E_FAILED, NULL, "the worker process ended before it was done");
        close(worker->fd);
        worker->fd = -1;
    }
}

static int start_workers(struct ja_engine *engine, const struct ja_strv *names, struct worker *workers, int jobs,
                         int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                         void *context)
{
    int started = 0;
    for (; started < jobs; started++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
            break;
        fflush(NULL);
        pid_t parent = getpid(), pid = fork();
        if (pid == 0) {
            ja_spawn_die_with_parent(parent);
            close(pair[0]);
            for (int i = 0; i < started; i++)
                close(workers[i].fd);
            work(engine, names, pair[1], one, context);
        }
        close(pair[1]);
        if (pid < 0) {
            close(pair[0]);
            break;
        }
        workers[started] = (struct worker){.pid = pid, .fd = pair[0]};
    }
    return started;
}

static bool interrupted(const struct ja_engine *engine)
{
    return engine->options.interrupted && *engine->options.interrupted;
}

/* Whoever sent the signal may have sent it to us alone. What a worker does is undone then, or carried through. */
static void interrupt_workers(const struct worker *workers, int count)
{
    for (int i = 0; i < count; i++)
        if (workers[i].busy)
            kill(workers[i].pid, SIGINT);
}

/* All in this process, in order. */
static int inline_each(struct ja_engine *engine, const struct ja_strv *names, size_t first,
                       int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                       void (*report)(void *context, const char *name, int rc, const struct ja_error *err),
                       void *context)
{
    int failed = 0;
    for (size_t i = first; i < names->count; i++) {
        if (interrupted(engine))
            return failed + (int)(names->count - i);
        struct ja_error err = JA_ERROR_INIT;
        int rc = one(engine, names->items[i], context, &err);
        report(context, names->items[i], rc, &err);
        failed += rc < 0;
    }
    return failed;
}

int ja_engine_each(struct ja_engine *engine, const struct ja_strv *names, int jobs,
                   int (*one)(struct ja_engine *engine, const char *name, void *context, struct ja_error *err),
                   void (*report)(void *context, const char *name, int rc, const struct ja_error *err), void *context)
{
    struct worker workers[JA_JOBS_MOST];
    size_t next = 0;
    int failed = 0, alive = 0;
    if (jobs > JA_JOBS_MOST)
        jobs = JA_JOBS_MOST;
    if (jobs > (int)names->count)
        jobs = (int)names->count;
    if (jobs > 1 && !engine->options.dry_run)
        alive = start_workers(engine, names, workers, jobs, one, context);
    if (alive == 0)
        return inline_each(engine, names, 0, one, report, context);
    int started = alive;
    for (int i = 0; i < started && next < names->count; i++)
        give(&workers[i], next++);
    bool told = false;
    for (int busy = started; busy > 0;) {
        if (interrupted(engine) && !told) {
            failed += (int)(names->count - next);
            next = names->count;
            interrupt_workers(workers, started);
            told = true;
        }
        struct pollfd fds[JA_JOBS_MOST];
        for (int i = 0; i < started; i++)
            fds[i] = (struct pollfd){.fd = workers[i].busy ? workers[i].fd : -1, .events = POLLIN};
        if (poll(fds, (nfds_t)started, -1) < 0 && errno != EINTR)
            break;
        busy = 0;
        for (int i = 0; i < started; i++) {
            if (workers[i].busy && fds[i].revents) {
                struct reply reply = {0};
                take(&workers[i], &reply);
                report(context, names->items[workers[i].item], reply.rc, &reply.err);
                failed += reply.rc < 0;
                if (workers[i].fd >= 0 && next < names->count)
                    give(&workers[i], next++);
            }
            busy += workers[i].busy;
        }
    }
    for (int i = 0; i < started; i++) {
        if (workers[i].fd >= 0)
            close(workers[i].fd);
        waitpid(workers[i].pid, NULL, 0);
    }
    /* All workers died: the rest is done here. */
    return failed + (next < names->count ? inline_each(engine, names, next, one, report, context) : 0);
}
