/*
 * unit.c: under systemd, the unit below which the cgroups of jails are. systemd owns the hierarchy and may at any time take
 * controllers away from what it does not know; what is below a delegated unit it leaves alone. The unit is a transient
 * service at the root, with one process that does nothing: as long as it runs, the cgroup is there. Nobody stops it by
 * mistake. When it ends all the same, jails run on with their limits, and others start beside them: the kernel lets nobody
 * take away a controller that is in use below, and systemd remembers the unit. It is made anew once nothing is left in it:
 * before, systemd could not put its process there, and would take the controllers away in trying.
 */
#include "base/clock.h"
#include "base/file.h"
#include "host/linux/facts.h"
#include "host/linux/native/native.h"
#include "run/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SYSTEMD_RUN "/usr/bin/systemd-run"

enum { RUN_MS = 30000, APPEAR_MS = 30000, AGAIN_MS = 10000, END_MS = 10000 };

static bool is_unit(const char *name)
{
    size_t length = strlen(name), end = strlen(".service");

    return ja_str_starts(name, "jailadmin-") && ja_opt_plain_name(name) && length > end && length < 64 &&
           strcmp(name + length - end, ".service") == 0;
}

static bool wait_alive(const char *pidfile, int64_t timeout_ms)
{
    int64_t deadline = ja_clock_monotonic_ms() + timeout_ms;

    while (!ja_init_alive(pidfile)) {
        struct timespec pause = {.tv_nsec = 20000000};

        if (ja_clock_monotonic_ms() >= deadline) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    return true;
}

/* Words of "cgroup-unit|cgroup-hold PIDFILE CATATONIT UNIT". */
static bool is_call(int argc, char *const *argv)
{
    return argc == 4 && argv[1][0] == '/' && argv[2][0] == '/' && is_unit(argv[3]);
}

/* Asks systemd for the unit. *ret_done: it has made it. */
static int ask(int argc, char *const *argv, bool *ret_done, struct ja_str *said, struct ja_error *err)
{
    static const char *const properties[] = {
        "--slice=-.slice",
        /* Its stop leaves the jails alone. */
        "--property=Delegate=yes", "--property=KillMode=process", "--property=RefuseManualStop=yes",
        "--property=OOMScoreAdjust=-900",
        /* A jail that runs out of memory is no matter of the others', and each has a limit of its own. */
        "--property=OOMPolicy=continue", "--property=TasksMax=infinity",
        /* At shutdown it ends after the jails have been stopped. */
        "--property=Before=jailadmin.service"};
    ja_autostrv struct ja_strv words = {0};
    ja_autofree char *unit = ja_printf("--unit=%s", argv[3]);
    struct ja_spawn spawn = {.timeout_ms = RUN_MS};
    struct ja_spawn_result result;
    char path[512];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    bool failed;
    int code;

    if (length < 0) {
        return ja_error_sys(err, errno, NULL, "cannot find this program");
    }
    path[length] = '\0';
    failed = unit == NULL || ja_strv_add(&words, SYSTEMD_RUN) < 0 || ja_strv_add(&words, "--quiet") < 0 ||
             ja_strv_add(&words, "--collect") < 0 || ja_strv_add(&words, unit) < 0 ||
             ja_strv_add(&words, "--description=Control groups of jails") < 0;
    for (size_t i = 0; i < JA_COUNT(properties); i++) {
        failed = failed || ja_strv_add(&words, properties[i]) < 0;
    }
    failed = failed || ja_strv_add(&words, "--") < 0 || ja_strv_add(&words, path) < 0 ||
             ja_strv_add(&words, "host") < 0 || ja_strv_add(&words, "cgroup-hold") < 0;
    for (int i = 1; i < argc; i++) {
        failed = failed || ja_strv_add(&words, argv[i]) < 0;
    }
    if (failed) {
        return ja_error_nomem(err);
    }
    spawn.argv = words.items;
    if ((code = ja_spawn_run(&spawn, &result, err)) < 0) {
        return code;
    }
    *ret_done = result.status == 0;
    ja_str_fini(said);
    *said = (struct ja_str){0};
    ja_str_addn(said, result.output.text != NULL ? result.output.text : "", result.output.length);
    ja_str_fini(&result.output);
    return 0;
}

struct look {
    const char *unit;
    bool used;
};

/* Finds processes in it (v2 only). */
static int look(const char *root, bool v2, void *context, struct ja_error *err)
{
    struct look *found = context;
    ja_autofree char *path = ja_printf("%s/%s/cgroup.events", root, found->unit), *text = NULL;

    if (path == NULL) {
        return ja_error_nomem(err);
    }
    if (v2 && ja_file_read(path, 256, &text, NULL, NULL) == 0 && strstr(text, "populated 1") != NULL) {
        found->used = true;
    }
    return 0;
}

int ja_verb_cgroup_unit(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    int64_t deadline = ja_clock_monotonic_ms() + AGAIN_MS;
    struct look found = {0};
    ja_autostr struct ja_str said = {0};
    int code;

    if (!is_call(argc, argv)) {
        return ja_opt_usage(argv[0], err);
    }
    found.unit = argv[3];
    if (!ja_init_alive(argv[1]) && (code = ja_cgroup_each(look, &found, err)) < 0) {
        return code;
    }
    /* Another start may make it at the same time, or one that has ended may still be known: then it is asked again. */
    while (!found.used && !ja_init_alive(argv[1])) {
        bool done = false;

        if ((code = ask(argc, argv, &done, &said, err)) < 0) {
            return code;
        }
        if (!wait_alive(argv[1], done ? APPEAR_MS : 200) && (done || ja_clock_monotonic_ms() >= deadline)) {
            return ja_error_set(err, JA_E_FAILED, NULL, "systemd does not start the unit %s: %s", argv[3],
                                said.length != 0 ? JA_SHOW(said.text) : "its process does not appear");
        }
    }
    return 0;
}

int ja_verb_cgroup_hold(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    JA_CLEANUP(ja_cgroup_close) struct ja_cgroup place = {.v2 = -1};
    ja_autofree char *cgroup = NULL;
    uint64_t start;
    char state;
    int code;

    if (!is_call(argc, argv)) {
        return ja_opt_usage(argv[0], err);
    }
    /* A cgroup that hands controllers down has no processes of its own. */
    cgroup = ja_printf("/%s/hold", argv[3]);
    if (cgroup == NULL) {
        return ja_error_nomem(err);
    }
    if ((code = ja_cgroup_make(cgroup, err)) < 0 || (code = ja_cgroup_open(cgroup, &place, err)) < 0) {
        return code;
    }
    if (ja_cgroup_join(&place) < 0) {
        return ja_error_sys(err, errno, NULL, "cannot join the cgroup %s", cgroup);
    }
    if (ja_init_start_time(getpid(), &start, &state) < 0) {
        return ja_error_set(err, JA_E_FAILED, NULL, "cannot read when this process began");
    }
    if ((code = ja_init_write(argv[1], getpid(), start, err)) < 0) {
        return code;
    }
    execv(argv[2], (char *[]){argv[2], (char[]){"-P"}, NULL});
    return ja_error_sys(err, errno, NULL, "cannot run %s", argv[2]);
}

int ja_verb_cgroup_adopt(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    JA_CLEANUP(ja_cgroup_close) struct ja_cgroup place = {.v2 = -1};
    ja_autofree char *cgroup = NULL;
    pid_t pid;
    int code;

    if (argc != 4 || argv[1][0] != '/' || !ja_opt_plain_name(argv[2]) || !is_unit(argv[3])) {
        return ja_opt_usage(argv[0], err);
    }
    if ((pid = ja_linux_daemon_pid(argv[1], argv[2])) == 0) {
        return ja_error_set(err, JA_E_NOTFOUND, NULL, "%s does not run", argv[2]);
    }
    cgroup = ja_printf("/%s/hold", argv[3]);
    if (cgroup == NULL) {
        return ja_error_nomem(err);
    }
    if ((code = ja_cgroup_make(cgroup, err)) < 0 || (code = ja_cgroup_open(cgroup, &place, err)) < 0) {
        return code;
    }
    return ja_cgroup_move(&place, pid) == 0
               ? 0
               : ja_error_sys(err, errno, NULL, "cannot move %s to the cgroup %s", argv[2], cgroup);
}

int ja_verb_cgroup_unit_end(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    ja_autofree char *cgroup = NULL;
    int code;

    if (argc != 3 || argv[1][0] != '/' || !is_unit(argv[2])) {
        return ja_opt_usage(argv[0], err);
    }
    /* It ends well by SIGTERM, as systemd sees it. */
    if ((code = ja_init_end(argv[1], SIGTERM, END_MS, err)) < 0) {
        return code;
    }
    if (unlink(argv[1]) < 0 && errno != ENOENT) {
        return ja_file_error(err, errno, argv[1], "remove it");
    }
    cgroup = ja_printf("/%s/hold", argv[2]);
    return cgroup == NULL ? ja_error_nomem(err) : ja_cgroup_remove(cgroup, err);
}
