/*
 * services.c: commands in a running jail: its services, started after its init in their order and ended before it in the
 * opposite one, and the command that ends it in good order.
 *
 * No process of ours stays with a jail, so a service that is to be started again when it ends runs below a shell of the jail
 * with a constant script; the command's words are the script's arguments.
 */
#include "host/host.h"
#include "plan/planning.h"

#include <stdio.h>
#include <string.h>

enum { SERVICES_MOST = 1024 };

/* $1: what is done after a good end. A service that ends at once is not started again more than once a second. */
static const char restart_script[] = "wanted=$1; shift\n"
                                     "while :; do\n"
                                     "    \"$@\" & child=$!\n"
                                     "    trap 'kill -TERM \"$child\"; wait \"$child\"; exit 143' TERM\n"
                                     "    wait \"$child\"\n"
                                     "    status=$?\n"
                                     "    [ \"$wanted\" = always ] || [ \"$status\" -ne 0 ] || exit 0\n"
                                     "    sleep 1\n"
                                     "done";

static int compare_services(const void *a, const void *b)
{
    const struct ja_service *x = *(const struct ja_service *const *)a, *y = *(const struct ja_service *const *)b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* In the order in which they start. */
static size_t sorted_services(const struct ja_jail *jail, const struct ja_service *services[SERVICES_MOST])
{
    size_t count = 0;
    for (; count < jail->services.count && count < SERVICES_MOST; count++)
        services[count] = jail->services.items[count];
    if (count > 1)
        qsort(services, count, sizeof *services, compare_services);
    return count;
}

static void command_words(struct ja_planning *p, struct ja_step *step, const struct ja_strv *command)
{
    for (size_t i = 0; i < command->count; i++)
        ja_step_run(p->plan, step, command->items[i], NULL);
}

/* As whom a service runs: ids of a user of the jail. */
static void find_user(struct ja_planning *p, const struct ja_jail *jail, const struct ja_service *service,
                      struct ja_within *inside)
{
    unsigned uid = 0, gid = 0;
    ja_autofree char *tree = ja_path_seen(p, jail);
    if (!service->user || !tree)
        return;
    if (service->user[strspn(service->user, "0123456789")] == '\0') {
        snprintf(inside->ids, sizeof inside->ids, "%s", service->user);
        return;
    }
    size_t missing = p->facts->missing;
    const char *answer = ja_factf(p->facts, JA_FACT_USERFILE, "%s\t%s", tree, service->user);
    if (answer && sscanf(answer, "%u %u %511s", &uid, &gid, inside->home) >= 2) {
        snprintf(inside->ids, sizeof inside->ids, "%u:%u", uid, gid);
    } else if (p->facts->missing == missing) {
        char object[160];
        snprintf(object, sizeof object, "field services.%s.user", service->name);
        ja_plan_fail(p->plan, JA_E_NOTFOUND, object, "the jail has no user \"%s\"", JA_SHOW(service->user));
    }
}

static void pid_path(const char *run, const struct ja_service *service, char path[640])
{
    snprintf(path, 640, "%s/service-%s.pid", run, service->name);
}

void ja_plan_services_start(struct ja_planning *p, const struct ja_jail *jail, const char *run)
{
    static const char *const words[] = {
        [JA_RESTART_NO] = "no", [JA_RESTART_FAILURE] = "failure", [JA_RESTART_ALWAYS] = "always"};
    const struct ja_service *services[SERVICES_MOST];
    size_t count = sorted_services(jail, services);
    for (size_t i = 0; i < count; i++) {
        const struct ja_service *service = services[i];
        char pid[640], why[160];
        struct ja_within inside = {.pid = pid};
        pid_path(run, service, pid);
        snprintf(why, sizeof why, "start its service %s", service->name);
        find_user(p, jail, service, &inside);
        struct ja_step *step = p->host->jail_run(p, jail, &inside, why);
        if (service->restart != JA_RESTART_NO)
            ja_step_run(p->plan, step, "/bin/sh", "-c", restart_script, "sh", words[service->restart], NULL);
        command_words(p, step, &service->command);
        /* The jail runs, with or without it: the user is told. */
        step->flags |= JA_STEP_IGNORE | JA_STEP_ONCE;
    }
}

static void ask_services(struct ja_planning *p, const struct ja_jail *jail, const char *run)
{
    const struct ja_service *services[SERVICES_MOST];
    size_t count = sorted_services(jail, services);
    if (!count)
        return;
    struct ja_step *step = p->host->jail_ask(p, jail, "SIGTERM", "ask its services to end, the last one first");
    for (size_t i = count; i-- > 0;) {
        char pid[640];
        pid_path(run, services[i], pid);
        ja_step_run(p->plan, step, pid, NULL);
    }
    step->flags |= JA_STEP_ONCE;
}

void ja_plan_services_stop(struct ja_planning *p, const struct ja_jail *jail, const char *run)
{
    const struct ja_within inside = {.ids = ""};
    ask_services(p, jail, run);
    if (jail->stop_command.count == 0)
        return;
    struct ja_step *step = p->host->jail_run(p, jail, &inside, "run the command that ends it in good order");
    command_words(p, step, &jail->stop_command);
    step->timeout_ms = jail->stop_timeout;
    step->flags |= JA_STEP_IGNORE | JA_STEP_ONCE;
}
