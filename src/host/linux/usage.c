/*
 * usage.c: what a running jail uses, from the files of its cgroup, in cgroup v2 and v1 (also on hybrid hosts). Files that a
 * kernel does not have are left out: nothing is better than a guess.
 */
#include "host/linux/usage.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define STAT_MOST 65536

struct usage {
    const char *cgroup; /* "/jailadmin-00/ja003" */
    bool v2;
    struct ja_str *value;
};

/* The text of a file of the cgroup, the caller's; NULL: it is not there, or cannot be read. */
static char *text_of(const struct usage *usage, const char *controller, const char *file)
{
    char path[512], *text = NULL;
    if (usage->v2)
        snprintf(path, sizeof path, CGROUP_ROOT "%s/%s", usage->cgroup, file);
    else
        snprintf(path, sizeof path, CGROUP_ROOT "/%s%s/%s", controller, usage->cgroup, file);
    return ja_file_read(path, STAT_MOST, &text, NULL, NULL) < 0 ? NULL : text;
}

/* -1: not there. */
static int64_t number_of(const struct usage *usage, const char *controller, const char *file)
{
    ja_autofree char *text = text_of(usage, controller, file);
    return text && text[0] >= '0' && text[0] <= '9' ? strtoll(text, NULL, 10) : -1;
}

/* The number behind "KEY " at the beginning of a line. */
static int64_t keyed(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line;) {
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoll(line + length + 1, NULL, 10);
        const char *end = strchr(line, '\n');
        line = end ? end + 1 : NULL;
    }
    return -1;
}

/* All numbers behind a word, "rbytes=" in v2, " Read " in v1, of all disks; -1: no such file. */
static int64_t sum_of(const char *text, const char *word)
{
    uint64_t sum = 0;
    if (!text)
        return -1;
    for (const char *at = strstr(text, word); at; at = strstr(at, word)) {
        at += strlen(word);
        sum += strtoull(at, NULL, 10);
    }
    return sum <= INT64_MAX ? (int64_t)sum : INT64_MAX;
}

static void say(const struct usage *usage, const char *key, int64_t number)
{
    if (number >= 0)
        ja_str_addf(usage->value, "%s%s=%lld", usage->value->length ? " " : "", key, (long long)number);
}

/* Without files that are cached and were not used lately: the kernel takes that memory back before a limit hurts. */
static void say_memory(const struct usage *usage)
{
    ja_autofree char *stat = text_of(usage, "memory", "memory.stat");
    int64_t used = number_of(usage, "memory", usage->v2 ? "memory.current" : "memory.usage_in_bytes");
    int64_t cached = stat ? keyed(stat, usage->v2 ? "inactive_file" : "total_inactive_file") : 0;
    int64_t swap = number_of(usage, "memory", usage->v2 ? "memory.swap.current" : "memory.memsw.usage_in_bytes");
    if (!usage->v2 && swap >= 0)
        swap = swap > used ? swap - used : 0;
    say(usage, "memory", used > 0 && cached > 0 ? (used > cached ? used - cached : 0) : used);
    say(usage, "swap", swap);
    ja_autofree char *events = text_of(usage, "memory", usage->v2 ? "memory.events" : "memory.oom_control");
    say(usage, "oom-kills", events ? keyed(events, "oom_kill") : -1);
}

static void say_disk(const struct usage *usage)
{
    ja_autofree char *text = text_of(usage, "blkio", usage->v2 ? "io.stat" : "blkio.throttle.io_service_bytes");
    say(usage, "read", sum_of(text, usage->v2 ? " rbytes=" : " Read "));
    say(usage, "written", sum_of(text, usage->v2 ? " wbytes=" : " Write "));
}

int ja_linux_usage(const char *cgroup, struct ja_str *value)
{
    struct usage usage = {.cgroup = cgroup, .v2 = access(CGROUP_ROOT "/cgroup.controllers", F_OK) == 0, .value = value};
    if (cgroup[0] != '/' || strstr(cgroup, "/.") || strlen(cgroup) > 200)
        return 0;
    if (usage.v2) {
        ja_autofree char *stat = text_of(&usage, NULL, "cpu.stat");
        say(&usage, "cpu-us", stat ? keyed(stat, "usage_usec") : -1);
    } else {
        int64_t ns = number_of(&usage, "cpuacct", "cpuacct.usage");
        say(&usage, "cpu-us", ns < 0 ? -1 : ns / 1000);
    }
    say_memory(&usage);
    say(&usage, "processes", number_of(&usage, "pids", "pids.current"));
    say_disk(&usage);
    return value->length > 0;
}

int ja_linux_traffic(const char *interface, struct ja_str *value)
{
    static const char *const files[] = {"rx_bytes", "tx_bytes"};
    if (!*interface || strlen(interface) > 15 || strchr(interface, '/') || interface[0] == '.')
        return 0;
    for (size_t i = 0; i < JA_COUNT(files); i++) {
        char path[128];
        ja_autofree char *text = NULL;
        snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", interface, files[i]);
        if (ja_file_read(path, 64, &text, NULL, NULL) < 0)
            return 0;
        ja_str_addf(value, "%s%lld", i ? " " : "", strtoll(text, NULL, 10));
    }
    return 1;
}
