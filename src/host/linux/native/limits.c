/*
 * limits.c: `jailadmin host cgroup-limit`: the limits of a jail's cgroup, before its start and while it runs, in cgroup v2 and
 * v1 (also on hybrid hosts, where the controllers are v1).
 */
#include "base/file.h"
#include "host/linux/native/native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CPU_PERIOD_US 100000

struct limiter {
    bool v2;
    const char *cgroup; /* "/jailadmin-00/ja003" */
    struct ja_error *err;
};

static void path_of(const struct limiter *limiter, const char *controller, const char *file, char path[512])
{
    if (limiter->v2)
        snprintf(path, 512, CGROUP_ROOT "%s/%s", limiter->cgroup, file);
    else
        snprintf(path, 512, CGROUP_ROOT "/%s%s/%s", controller, limiter->cgroup, file);
}

/* Writes one file of the cgroup. `optional`: a kernel without that file (swap accounting) is success. */
static int put(const struct limiter *limiter, const char *controller, const char *file, const char *value,
               bool optional)
{
    char path[512];
    path_of(limiter, controller, file, path);
    ja_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT && optional)
        return 0;
    if (fd < 0 && errno == ENOENT)
        return ja_error_set(limiter->err, JA_E_UNSUPPORTED, NULL, "the host's cgroups have no %s for jails", file);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        return ja_error_sys(limiter->err, errno, NULL, "cannot write %s to %s", value, path);
    return 0;
}

static int put_number(const struct limiter *limiter, const char *controller, const char *file, int64_t number,
                      bool optional)
{
    char text[32];
    if (number == 0)
        snprintf(text, sizeof text, "%s", limiter->v2 ? "max" : "-1");
    else
        snprintf(text, sizeof text, "%lld", (long long)number);
    return put(limiter, controller, file, text, optional);
}

/* A number in a file of the cgroup; INT64_MAX for "max" and for what is not there. */
static int64_t get_number(const struct limiter *limiter, const char *controller, const char *file)
{
    char path[512];
    ja_autofree char *text = NULL;
    path_of(limiter, controller, file, path);
    if (ja_file_read(path, 64, &text, NULL, NULL) < 0 || text[0] < '0' || text[0] > '9')
        return INT64_MAX;
    return strtoll(text, NULL, 10);
}

static int set_cpu(const struct limiter *limiter, int64_t millicores)
{
    char text[64];
    int64_t quota = millicores * CPU_PERIOD_US / 1000;
    if (!limiter->v2)
        return put_number(limiter, "cpu", "cpu.cfs_quota_us", quota, false);
    if (quota)
        snprintf(text, sizeof text, "%lld %d", (long long)quota, CPU_PERIOD_US);
    else
        snprintf(text, sizeof text, "max %d", CPU_PERIOD_US);
    return put(limiter, "cpu", "cpu.max", text, false);
}

/*
 * Lowering memory.max below what is in use kills processes in cgroup v2; v1 refuses it. So v2 is asked to give memory back
 * first (memory.reclaim, Linux 5.19), and it is refused here as well.
 */
static int make_room(const struct limiter *limiter, int64_t memory)
{
    char text[32];
    int64_t used = get_number(limiter, "memory", "memory.current");
    if (!limiter->v2 || memory == 0 || used == INT64_MAX || used <= memory)
        return 0;
    snprintf(text, sizeof text, "%lld", (long long)(used - memory));
    char path[512];
    path_of(limiter, "memory", "memory.reclaim", path);
    ja_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t ignored JA_UNUSED = fd < 0 ? 0 : write(fd, text, strlen(text));
    used = get_number(limiter, "memory", "memory.current");
    return used > memory ? JA_E_BUSY : 0;
}

static int refuse_memory(const struct limiter *limiter, int64_t memory)
{
    int64_t used = get_number(limiter, "memory", limiter->v2 ? "memory.current" : "memory.usage_in_bytes");
    ja_error_set(limiter->err, JA_E_BUSY, "field limits.memory", "the jail uses %lld bytes, more than %lld",
                 (long long)used, (long long)memory);
    return ja_error_hint(limiter->err, "let it use less first, or stop it, set the limit and start it again");
}

/* v1 counts memory and swap together, and never takes a sum below the part. */
static int set_memory_v1(const struct limiter *limiter, int64_t memory, int64_t swap)
{
    int64_t sum = memory && swap ? memory + swap : 0;
    int64_t sum_now = get_number(limiter, "memory", "memory.memsw.limit_in_bytes");
    bool sum_first = sum == 0 || (sum_now != INT64_MAX && sum > sum_now);
    int rc = 0;
    if (sum_first)
        rc = put_number(limiter, "memory", "memory.memsw.limit_in_bytes", sum, true);
    if (rc == 0)
        rc = put_number(limiter, "memory", "memory.limit_in_bytes", memory, false);
    if (rc < 0 && limiter->err && limiter->err->sys == EBUSY)
        return refuse_memory(limiter, memory);
    if (rc == 0 && !sum_first)
        rc = put_number(limiter, "memory", "memory.memsw.limit_in_bytes", sum, true);
    return rc;
}

static int set_memory(const struct limiter *limiter, int64_t memory, int64_t swap)
{
    if (!limiter->v2)
        return set_memory_v1(limiter, memory, swap);
    if (make_room(limiter, memory) < 0)
        return refuse_memory(limiter, memory);
    int rc = put_number(limiter, "memory", "memory.max", memory, false);
    return rc < 0 ? rc : put_number(limiter, "memory", "memory.swap.max", memory ? swap : 0, true);
}

/* One disk. A line sets what it names: v2 has one file with both rates, v1 one for each, where 0 is no limit. */
static int set_rates(const struct limiter *limiter, const char *device, int64_t read_rate, int64_t write_rate)
{
    char text[128], words[2][32];
    const int64_t rates[] = {read_rate, write_rate};
    for (size_t i = 0; i < 2; i++)
        if (rates[i])
            snprintf(words[i], sizeof words[i], "%lld", (long long)rates[i]);
        else
            snprintf(words[i], sizeof words[i], "%s", limiter->v2 ? "max" : "0");
    if (limiter->v2) {
        snprintf(text, sizeof text, "%s rbps=%s wbps=%s", device, words[0], words[1]);
        return put(limiter, "blkio", "io.max", text, false);
    }
    snprintf(text, sizeof text, "%s %s", device, words[0]);
    int rc = put(limiter, "blkio", "blkio.throttle.read_bps_device", text, false);
    snprintf(text, sizeof text, "%s %s", device, words[1]);
    return rc < 0 ? rc : put(limiter, "blkio", "blkio.throttle.write_bps_device", text, false);
}

/* The processors of a list, or those of the group above: v1 knows no word for them. A host whose cgroups do not know processors
 * gives all of them anyway. */
static int set_cpuset(const struct limiter *limiter, const char *list)
{
    ja_autofree char *above = NULL;
    char path[512];
    bool all = strcmp(list, "all") == 0;
    if (all && !limiter->v2) {
        path_of(limiter, "cpuset", "../cpuset.cpus", path);
        int code = ja_file_read(path, 4096, &above, NULL, limiter->err);
        if (code == JA_E_NOTFOUND)
            ja_error_clear(limiter->err);
        if (code < 0)
            return code == JA_E_NOTFOUND ? 0 : code;
    }
    int rc = put(limiter, "cpuset", "cpuset.cpus", above ? above : all ? "\n" : list, all);
    if (rc == 0 || !limiter->err ||
        (limiter->err->sys != EINVAL && limiter->err->sys != EACCES && limiter->err->sys != ERANGE))
        return rc;
    ja_autofree char *there = NULL;
    ja_error_set(limiter->err, JA_E_INVALID, "field limits.cpuset", "the host does not have all processors of %s",
                 list);
    if (ja_file_read("/sys/devices/system/cpu/online", 4096, &there, NULL, NULL) == 0)
        ja_error_hint(limiter->err, "its processors have the numbers %.*s", (int)strcspn(there, "\n"), there);
    return JA_E_INVALID;
}

/* "8:16" */
static bool is_device(const char *text)
{
    size_t major = strspn(text, "0123456789");
    size_t minor = text[major] == ':' ? strspn(text + major + 1, "0123456789") : 0;
    return major && minor && major < 8 && minor < 8 && !text[major + 1 + minor];
}

static int set_all_rates(const struct limiter *limiter, const struct ja_strv *devices, const char *read_text,
                         const char *write_text)
{
    int64_t read_rate = 0, write_rate = 0;
    int rc = ja_opt_number("--read-rate", read_text, 0, INT64_MAX, &read_rate, limiter->err);
    if (rc == 0)
        rc = ja_opt_number("--write-rate", write_text, 0, INT64_MAX, &write_rate, limiter->err);
    for (size_t i = 0; rc == 0 && i < devices->count; i++)
        rc = is_device(devices->items[i]) ? set_rates(limiter, devices->items[i], read_rate, write_rate)
                                          : ja_error_set(limiter->err, JA_E_USAGE, NULL,
                                                         "--device %s is not MAJOR:MINOR", JA_SHOW(devices->items[i]));
    return rc;
}

int ja_verb_cgroup_limit(int argc, char *const *argv, struct ja_hostverb_io *io JA_UNUSED, struct ja_error *err)
{
    const char *memory_text = NULL, *swap_text = NULL, *cpu_text = NULL, *processes_text = NULL;
    const char *read_text = NULL, *write_text = NULL, *cpuset = NULL;
    ja_autostrv struct ja_strv devices = {0};
    int64_t memory = 0, swap = 0, cpu = 0, processes = 0;
    int first, code;
    struct statfs fs;
    const struct ja_opt options[] = {{.name = "--memory", .value = &memory_text},
                                     {.name = "--swap", .value = &swap_text},
                                     {.name = "--cpu", .value = &cpu_text},
                                     {.name = "--processes", .value = &processes_text},
                                     {.name = "--read-rate", .value = &read_text},
                                     {.name = "--write-rate", .value = &write_text},
                                     {.name = "--device", .list = true, .values = &devices},
                                     {.name = "--cpuset", .value = &cpuset},
                                     {0}};

    if ((code = ja_opt_read(argc, argv, options, &first, err)) < 0)
        return code;
    if (first != argc - 1 || argv[first][0] != '/' || strstr(argv[first], "/.") || !memory_text != !swap_text ||
        !read_text != !write_text || !read_text != !devices.count)
        return ja_opt_usage(argv[0], err);
    if ((memory_text && ((code = ja_opt_number("--memory", memory_text, 0, INT64_MAX / 4, &memory, err)) < 0 ||
                         (code = ja_opt_number("--swap", swap_text, 0, INT64_MAX / 4, &swap, err)) < 0)) ||
        (cpu_text && (code = ja_opt_number("--cpu", cpu_text, 0, 1000000000, &cpu, err)) < 0) ||
        (processes_text && (code = ja_opt_number("--processes", processes_text, 0, INT32_MAX, &processes, err)) < 0))
        return code;
    if (statfs(CGROUP_ROOT, &fs) < 0)
        return ja_error_sys(err, errno, NULL, "cannot look at " CGROUP_ROOT);
    struct ja_error local = JA_ERROR_INIT;
    struct limiter limiter = {.v2 = fs.f_type == CGROUP2_SUPER_MAGIC, .cgroup = argv[first], .err = err ? err : &local};
    if (memory_text && (code = set_memory(&limiter, memory, swap)) < 0)
        return code;
    if (cpu_text && (code = set_cpu(&limiter, cpu)) < 0)
        return code;
    if (read_text && (code = set_all_rates(&limiter, &devices, read_text, write_text)) < 0)
        return code;
    if (cpuset && (code = set_cpuset(&limiter, cpuset)) < 0)
        return code;
    if (!processes_text)
        return 0;
    /* This one says "max" in v1, too. */
    return processes ? put_number(&limiter, "pids", "pids.max", processes, false)
                     : put(&limiter, "pids", "pids.max", "max", false);
}
