/*
 * inside.c: commands in a running jail on FreeBSD: its init or start script, what ends it in good order, and what services need. They
 * have a clean environment with the jail's own; what they print goes to the jail's log.
 */
#include "host/freebsd/freebsd.h"

#include <stdio.h>
#include <string.h>

enum { RC_TIMEOUT_MS = 300 * 1000 };

static void jail_file(const char *run, char path[512])
{
    snprintf(path, 512, "%s/pid", run);
}

struct ja_step *ja_freebsd_jail_run(struct ja_planning *p, const struct ja_jail *jail, const struct ja_within *inside,
                                    const char *why)
{
    ja_autofree char *run = ja_path_run(p, jail), *dir = ja_path_jail(p, jail->name);
    char file[512];
    jail_file(run ? run : "", file);
    struct ja_step *step = ja_plan_host_step(p, "jail-run", "%s", why);
    ja_step_run(p->plan, step, "--jail", file, NULL);
    if (inside->ids[0])
        ja_step_run(p->plan, step, "--user", inside->ids, NULL);
    if (inside->home[0])
        ja_step_run(p->plan, step, "--home", inside->home, NULL);
    for (size_t i = 0; i < jail->env.count; i++) {
        ja_step_run(p->plan, step, "--env", NULL);
        ja_step_runf(p->plan, step, "%s=%s", jail->env.pairs[i].key, jail->env.pairs[i].value);
    }
    ja_step_run(p->plan, step, "--log", NULL);
    ja_step_runf(p->plan, step, "%s/console.log", dir ? dir : "");
    ja_step_run(p->plan, step, "--log-limit", NULL);
    ja_step_runf(p->plan, step, "%d", JA_LOG_LIMIT);
    if (inside->pid)
        ja_step_run(p->plan, step, "--pid-file", inside->pid, NULL);
    ja_step_run(p->plan, step, "--", NULL);
    return step;
}

struct ja_step *ja_freebsd_jail_ask(struct ja_planning *p, const struct ja_jail *jail, const char *sig, const char *why)
{
    ja_autofree char *run = ja_path_run(p, jail);
    char file[512];
    jail_file(run ? run : "", file);
    struct ja_step *step = ja_plan_host_step(p, "stop-init", "%s", why);
    ja_step_run(p->plan, step, "--jail", file, "--signal", sig, "--timeout", NULL);
    ja_step_runf(p->plan, step, "%lld", (long long)jail->stop_timeout);
    step->timeout_ms = jail->stop_timeout + 10000;
    step->flags |= JA_STEP_IGNORE;
    return step;
}

static void init_file(const char *run, char path[640])
{
    snprintf(path, 640, "%s/init.pid", run);
}

/* A process of the jail's own choice may stay, and the jail ends with its last process; /etc/rc starts others and ends. */
void ja_freebsd_init_start(struct ja_planning *p, const struct ja_jail *jail, const char *run)
{
    ja_autofree char *seen = ja_path_seen(p, jail);
    char pid[640], name[JA_FREEBSD_JAILNAME];
    struct ja_within inside = {.ids = ""};
    if (jail->init.count) {
        init_file(run, pid);
        inside.pid = pid;
        struct ja_step *step = ja_freebsd_jail_run(p, jail, &inside, "start its init");
        for (size_t i = 0; i < jail->init.count; i++)
            ja_step_run(p->plan, step, jail->init.items[i], NULL);
        ja_freebsd_jail_name(p, jail, name);
        step = ja_plan_step(p->plan, "let the jail end when its last process does");
        ja_step_run(p->plan, step, ja_plan_tool(p->plan, p->facts, "jail"), "-m", NULL);
        ja_step_runf(p->plan, step, "name=%s", name);
        ja_step_run(p->plan, step, "nopersist", NULL);
    } else if (seen && ja_fact(p->facts, JA_FACT_INIT, seen)) {
        struct ja_step *step = ja_freebsd_jail_run(p, jail, &inside, "run its start script");
        ja_step_run(p->plan, step, "/bin/sh", "/etc/rc", NULL);
        step->timeout_ms = RC_TIMEOUT_MS;
        step->flags |= JA_STEP_IGNORE; /* a service that does not start is no reason to take the jail away */
    }
}

void ja_freebsd_init_stop(struct ja_planning *p, const struct ja_jail *jail, const char *run, const char *tree)
{
    char pid[640], why[80];
    const struct ja_within inside = {.ids = ""};
    snprintf(why, sizeof why, "ask it to shut down, for at most %lld s",
             (long long)((jail->stop_timeout + 999) / 1000));
    if (jail->init.count) {
        init_file(run, pid);
        struct ja_step *step = ja_freebsd_jail_ask(p, jail, "SIGTERM", why);
        ja_step_run(p->plan, step, pid, NULL);
    } else if (jail->stop_command.count == 0 && ja_fact(p->facts, JA_FACT_INIT, tree)) {
        struct ja_step *step = ja_freebsd_jail_run(p, jail, &inside, why);
        ja_step_run(p->plan, step, "/bin/sh", "/etc/rc.shutdown", "jail", NULL);
        step->timeout_ms = jail->stop_timeout;
        step->flags |= JA_STEP_IGNORE;
    }
}
