/*
 * facts.c: the fact reader of a Linux host: what is asked for, and nothing else, read from /proc, /sys and
 * the file system.
 */
#include "host/linux/facts.h"
#include "base/clock.h"
#include "base/file.h"
#include "host/facts_file.h"
#include "host/linux/usage.h"
#include "model/field.h"
#include "net/addr.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SMALL_FILE 65536
#define INIT_SCAN                                                                                                      \
    (4 << 20) /* so much of an init is searched for its name: busybox and systemd are smaller, or name it    \
                 early */

/* A question being answered. */
struct query {
    const struct ja_linux_probes *probes;
    enum ja_fact_kind kind;
    const char *name;
    struct ja_str value;
    struct ja_error *err;
};

/* 1: the answer is in query->value; 0: absent; else a negative code. */
typedef int reader_fn(struct query *query);

static int answer(struct query *query, const char *text)
{
    ja_str_add(&query->value, text);
    return 1;
}

/* Absent when the path is not there; all else is an error, since an unknown fact must not pass for an absent
 * one. */
static int absent_or_error(struct query *query, int sys, const char *path)
{
    return sys == ENOENT || sys == ENOTDIR ? 0 : ja_file_error(query->err, sys, path, "read it");
}

/* A small file's text. 1, 0 or negative as a reader. */
static int read_text(struct query *query, const char *path, char **ret_text)
{
    int code = ja_file_read(path, SMALL_FILE, ret_text, NULL, query->err);
    if (code == JA_E_NOTFOUND) {
        ja_error_clear(query->err);
        return 0;
    }
    return code < 0 ? code : 1;
}

static void trim_end(char *text)
{
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

/* An interface's name is a single component below /sys/class/net. */
static bool interface_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length < 16 && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int link_alias(struct query *query)
{
    char path[128];
    ja_autofree char *text = NULL;
    if (!interface_name(query->name))
        return 0;
    snprintf(path, sizeof path, "/sys/class/net/%s/ifalias", query->name);
    int code = read_text(query, path, &text);
    if (code <= 0)
        return code;
    trim_end(text);
    return answer(query, text);
}

static int ports(struct query *query)
{
    char path[128];
    unsigned count = 0;
    if (!interface_name(query->name))
        return 0;
    snprintf(path, sizeof path, "/sys/class/net/%s/brif", query->name);
    DIR *dir = opendir(path);
    if (!dir)
        return absent_or_error(query, errno, path);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    ja_str_addf(&query->value, "%u", count);
    return 1;
}

static int hostaddr(struct query *query)
{
    char name[16];
    int code = query->probes->hostaddr ? query->probes->hostaddr(query->name, name, query->err) : 0;
    return code > 0 ? answer(query, name) : code;
}

static int neighbour(struct query *query)
{
    char mac[18];
    int code = query->probes->neighbour ? query->probes->neighbour(query->name, mac, query->err) : 0;
    return code > 0 ? answer(query, mac) : code;
}

static int nft_rules(struct query *query)
{
    unsigned count;
    int code = query->probes->nftrules ? query->probes->nftrules(query->name, &count, query->err) : 0;
    if (code > 0)
        ja_str_addf(&query->value, "%u", count);
    return code;
}

static int nft_chain(struct query *query)
{
    return query->probes->nftchain ? query->probes->nftchain(query->name, &query->value, query->err) : 0;
}

static int firewall(struct query *query)
{
    return query->probes->firewall ? query->probes->firewall(query->name, &query->value, query->err) : 0;
}

static int hostnets(struct query *query)
{
    return query->probes->hostnets ? query->probes->hostnets(&query->value, query->err) : 0;
}

static int shaping(struct query *query)
{
    return query->probes->shaping ? query->probes->shaping(&query->value, query->err) : 0;
}

static int qdisc(struct query *query)
{
    return query->probes->qdisc ? query->probes->qdisc(query->name, &query->value, query->err) : 0;
}

static int binds(struct query *query)
{
    int code = query->probes->binds ? query->probes->binds(query->name, &query->value, query->err) : 0;
    return code < 0 ? code : query->value.length > 0;
}

static int mount_type(struct query *query)
{
    char type[64];
    int code = query->probes->mount ? query->probes->mount(query->name, type, query->err) : 0;
    return code > 0 ? answer(query, type) : code;
}

static int fs_type(struct query *query)
{
    char type[64];
    int code = query->probes->fstype ? query->probes->fstype(query->name, type, query->err) : 0;
    return code > 0 ? answer(query, type) : code;
}

static int subvolume(struct query *query)
{
    char uuid[37];
    int code = query->probes->subvolume ? query->probes->subvolume(query->name, uuid, query->err) : 0;
    return code > 0 ? answer(query, uuid) : code;
}

static int nft(struct query *query)
{
    ja_autostrv struct ja_strv words = {0};
    if (ja_str_split_words(query->name, &words) == -1)
        return ja_error_nomem(query->err);
    if (words.count < 2 || words.count % 2)
        return ja_error_set(query->err, JA_E_INVALID, "fact nft", "\"%s\" is not FAMILY TABLE [SET PART [. PART]...]",
                            JA_SHOW(query->name));
    return query->probes->nft ? query->probes->nft(&words, query->err) : 0;
}

static int idmap(struct query *query)
{
    int code = query->probes->idmap ? query->probes->idmap(query->name, query->err) : 0;
    return code > 0 ? answer(query, "yes") : code;
}

static int device(struct query *query)
{
    char numbers[48];
    int code = query->probes->device ? query->probes->device(query->name, numbers, query->err) : 0;
    return code > 0 ? answer(query, numbers) : code;
}

static int quota(struct query *query)
{
    int code = query->probes->quota ? query->probes->quota(query->name, query->err) : 0;
    return code > 0 ? answer(query, "") : code;
}

static int disks(struct query *query)
{
    return query->probes->disks ? query->probes->disks(query->name, &query->value, query->err) : 0;
}

static int usage(struct query *query)
{
    return ja_linux_usage(query->name, &query->value);
}

static int traffic(struct query *query)
{
    return ja_linux_traffic(query->name, &query->value);
}

static int used(struct query *query)
{
    int64_t bytes;
    int code = query->probes->used ? query->probes->used(query->name, &bytes, query->err) : 0;
    if (code > 0)
        ja_str_addf(&query->value, "%lld", (long long)bytes);
    return code;
}

/* "net.ipv4.ip_forward" or "net/ipv6/conf/eth0.5/accept_ra": the first separator decides, as for sysctl(8).
 */
static int sysctl_value(struct query *query)
{
    const char *root = getenv("JAILADMIN_SYSCTL_ROOT");
    char path[512];
    ja_autofree char *text = NULL;
    bool v6 = strcmp(query->name, "net.ipv6.conf.all.forwarding") == 0, on;
    /* What every start asks for: as a file it takes the longer the more network stacks there are. */
    if (!root && query->probes->forwards && (v6 || strcmp(query->name, "net.ipv4.ip_forward") == 0) &&
        query->probes->forwards(v6, &on, NULL) > 0)
        return answer(query, on ? "1" : "0");
    int n = snprintf(path, sizeof path, "%s/", root ? root : "/proc/sys");
    size_t first = strcspn(query->name, "./");
    bool dots = query->name[first] == '.';
    if (strstr(query->name, "..") || (size_t)n + strlen(query->name) >= sizeof path)
        return 0;
    for (const char *c = query->name; *c; c++)
        path[n++] = dots && *c == '.' ? '/' : dots && *c == '/' ? '.' : *c;
    path[n] = '\0';
    int code = read_text(query, path, &text);
    if (code <= 0)
        return code;
    trim_end(text);
    return answer(query, text);
}

static int cgroups(struct query *query)
{
    if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
        return answer(query, "v2");
    if (access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0)
        return answer(query, "hybrid");
    return access("/sys/fs/cgroup", F_OK) == 0 ? answer(query, "v1") : 0;
}

/* Where a link of /proc leads; "" when it cannot be read. */
static void proc_link(pid_t pid, const char *name, char *target, size_t size)
{
    char path[64];
    if (pid)
        snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    else
        snprintf(path, sizeof path, "/proc/self/%s", name);
    ssize_t n = readlink(path, target, size - 1);
    target[n > 0 ? n : 0] = '\0';
}

/* True when one of a process's arguments is `word` or ends in "=word". */
static bool has_argument(pid_t pid, const char *word)
{
    char path[64];
    ja_autofree char *text = NULL;
    size_t length;
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    if (ja_file_read(path, SMALL_FILE, &text, &length, NULL) < 0)
        return false;
    for (const char *arg = text; arg < text + length; arg += strlen(arg) + 1) {
        const char *equals = strchr(arg, '=');
        if (strcmp(arg, word) == 0 || (equals && strcmp(equals + 1, word) == 0))
            return true;
    }
    return false;
}

/* Whether that process is the daemon. */
static bool is_daemon(pid_t pid, const char *pidfile, const char *program)
{
    char exe[512], theirs[64], ours[64];
    /* A process of a jail could have the number and any arguments, but not our pid namespace. */
    proc_link(0, "ns/pid", ours, sizeof ours);
    proc_link(pid, "ns/pid", theirs, sizeof theirs);
    if (strcmp(ours, theirs) != 0)
        return false;
    proc_link(pid, "exe", exe, sizeof exe);
    /* After an upgrade of its package the running program's file is gone. */
    size_t length = strlen(exe), cut = strlen(" (deleted)");
    if (length > cut && strcmp(exe + length - cut, " (deleted)") == 0)
        exe[length - cut] = '\0';
    const char *slash = strrchr(exe, '/');
    return slash && strcmp(slash + 1, program) == 0 && has_argument(pid, pidfile);
}

/* Somebody may have removed its file, and it goes on. */
static pid_t find_daemon(const char *pidfile, const char *program)
{
    DIR *proc = opendir("/proc");
    pid_t found = 0;
    for (struct dirent *entry; proc && !found && (entry = readdir(proc)) != NULL;) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid > 1 && is_daemon(pid, pidfile, program))
            found = pid;
    }
    if (proc)
        closedir(proc);
    return found;
}

pid_t ja_linux_daemon_pid(const char *pidfile, const char *program)
{
    ja_autofree char *text = NULL;
    int pid, code = ja_file_read(pidfile, 64, &text, NULL, NULL);
    if (code == JA_E_NOTFOUND)
        return find_daemon(pidfile, program);
    return code == 0 && sscanf(text, "%d", &pid) == 1 && pid > 1 && is_daemon(pid, pidfile, program) ? pid : 0;
}

static int daemon_pid(struct query *query)
{
    const char *tab = strchr(query->name, '\t');
    ja_autofree char *pidfile = tab ? ja_strndup(query->name, (size_t)(tab - query->name)) : NULL;
    if (!pidfile)
        return tab ? ja_error_nomem(query->err) : 0;
    pid_t pid = ja_linux_daemon_pid(pidfile, tab + 1);
    if (pid)
        ja_str_addf(&query->value, "%d", (int)pid);
    return pid ? 1 : 0;
}

/* "CRUNROOT/ID": crun keeps what it knows of a container in ID/status. */
static int container(struct query *query)
{
    ja_autofree char *text = NULL, *path = ja_printf("%s/status", query->name);
    if (!path)
        return ja_error_nomem(query->err);
    int code = read_text(query, path, &text);
    if (code <= 0)
        return code;
    bool nomem;
    json_t *json = ja_json_load(text, strlen(text), 0, NULL, &nomem);
    if (nomem)
        return ja_error_nomem(query->err);
    pid_t pid = (pid_t)json_integer_value(json_object_get(json, "pid"));
    uint64_t began = (uint64_t)json_integer_value(json_object_get(json, "process-start-time"));
    json_decref(json);
    if (pid <= 1 || !ja_process_lives(pid, began)) {
        ja_error_clear(query->err);
        return 0;
    }
    ja_str_addf(&query->value, "running %d", (int)pid);
    return 1;
}

static int netns(struct query *query)
{
    char path[512];
    struct stat info, own;
    snprintf(path, sizeof path, "%s%s", strchr(query->name, '/') ? "" : "/run/netns/", query->name);
    /* All namespaces are files of one file system: a plain file where nothing is mounted any more is none. */
    return stat(path, &info) == 0 && stat("/proc/self/ns/net", &own) == 0 && info.st_dev == own.st_dev
               ? answer(query, "")
               : 0;
}

static int cgroup(struct query *query)
{
    static const char *const hierarchies[] = {"", "pids/", "memory/", "cpu/", "unified/"};
    const char *name = query->name + strspn(query->name, "/");
    for (size_t i = 0; i < JA_COUNT(hierarchies); i++) {
        char path[1024];
        snprintf(path, sizeof path, "/sys/fs/cgroup/%s%s/cgroup.procs", hierarchies[i], name);
        if (access(path, F_OK) == 0)
            return answer(query, "");
    }
    return 0;
}

/* True when a file of modules lists NAME.ko, perhaps compressed. */
static bool modules_list(const char *release, const char *list, const char *name)
{
    char path[512], line[1024], wanted[128];
    snprintf(path, sizeof path, "/lib/modules/%s/%s", release, list);
    snprintf(wanted, sizeof wanted, "/%s.ko", name);
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, ":\n")] = '\0';
        found = strstr(line, wanted) != NULL;
    }
    if (file)
        fclose(file);
    return found;
}

/* A module that is loaded, built in or can be loaded; or a file system type. */
static int module(struct query *query)
{
    char path[256];
    struct utsname system;
    if (strchr(query->name, '/') || strlen(query->name) > 64)
        return 0;
    snprintf(path, sizeof path, "/sys/module/%s", query->name);
    if (access(path, F_OK) == 0)
        return answer(query, "");
    /* Built in without parameters it has no directory, but this file. */
    if (strcmp(query->name, "8021q") == 0 && access("/proc/net/vlan/config", F_OK) == 0)
        return answer(query, "");
    ja_autofree char *types = NULL;
    if (ja_file_read("/proc/filesystems", SMALL_FILE, &types, NULL, NULL) == 0) {
        snprintf(path, sizeof path, "\t%s\n", query->name);
        if (strstr(types, path))
            return answer(query, "");
    }
    if (uname(&system) == 0 && (modules_list(system.release, "modules.builtin", query->name) ||
                                modules_list(system.release, "modules.dep", query->name)))
        return answer(query, "");
    return 0;
}

/* What a tree's /sbin/init is: by the name of the file it leads to, else by what that file says of itself. */
static int init_kind(struct query *query)
{
    static const struct {
        const char *file, *text, *kind;
    } kinds[] = {
        {"busybox", "BusyBox v", "busybox"},
        {"openrc-init", "OpenRC init", "openrc"},
        {"systemd", "/usr/lib/systemd", "systemd"},
        {NULL, "INIT_VERSION=sysvinit", "sysvinit"},
        {NULL, "sysvinit", "sysvinit"},
    };
    ja_autoclose int fd = -1;
    ja_autofree char *text = NULL;
    char self[64], target[1024];
    struct stat info;
    size_t length;
    int code = ja_fact_open_beneath(query->name, "sbin/init", &fd, query->err);
    if (code <= 0)
        return code;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || !(info.st_mode & 0111))
        return 0;
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(self, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(target, '/');
    for (size_t i = 0; slash && i < JA_COUNT(kinds); i++)
        if (kinds[i].file && strcmp(slash + 1, kinds[i].file) == 0)
            return answer(query, kinds[i].kind);
    code = ja_fact_read_fd(fd, INIT_SCAN, &text, &length, query->err);
    if (code <= 0)
        return code;
    for (size_t i = 0; i < JA_COUNT(kinds); i++)
        if (memmem(text, length, kinds[i].text, strlen(kinds[i].text)))
            return answer(query, kinds[i].kind);
    return answer(query, "other");
}

static int listener(struct query *query)
{
    return ja_linux_listener(query->name, &query->value);
}

static int apt(struct query *query)
{
    return query->probes->apt ? query->probes->apt(&query->value, query->err) : 0;
}

static int version(struct query *query)
{
    return query->probes->version ? query->probes->version(query->name, &query->value, query->err) : 0;
}

static int health(struct query *query)
{
    return query->probes->health ? query->probes->health(query->name, &query->value, query->err) : 0;
}

static int file(struct query *query)
{
    return ja_fact_from_file(query->kind, query->name, &query->value, query->err);
}

static reader_fn *const readers[JA_FACT_KINDS] = {
    [JA_FACT_VERSION] = version,
    [JA_FACT_SPACE] = file,
    [JA_FACT_HEALTH] = health,
    [JA_FACT_TOOL] = file,
    [JA_FACT_LINK] = link_alias,
    [JA_FACT_PORTS] = ports,
    [JA_FACT_HOSTADDR] = hostaddr,
    [JA_FACT_PATH] = file,
    [JA_FACT_MOUNT] = mount_type,
    [JA_FACT_SUBVOLUME] = subvolume,
    [JA_FACT_FSTYPE] = fs_type,
    [JA_FACT_SYSCTL] = sysctl_value,
    [JA_FACT_CGROUPS] = cgroups,
    [JA_FACT_JAIL] = container,
    [JA_FACT_INIT] = init_kind,
    [JA_FACT_USERFILE] = file,
    [JA_FACT_NFT] = nft,
    [JA_FACT_LISTEN] = listener,
    [JA_FACT_IDMAP] = idmap,
    [JA_FACT_MODULE] = module,
    [JA_FACT_FILE] = file,
    [JA_FACT_NETNS] = netns,
    [JA_FACT_CGROUP] = cgroup,
    [JA_FACT_TREEFILE] = file,
    [JA_FACT_DIRECTORY] = file,
    [JA_FACT_HOSTNETS] = hostnets,
    [JA_FACT_DAEMON] = daemon_pid,
    [JA_FACT_QUOTA] = quota,
    [JA_FACT_DISKS] = disks,
    [JA_FACT_USAGE] = usage,
    [JA_FACT_USED] = used,
    [JA_FACT_TRAFFIC] = traffic,
    [JA_FACT_DEVICE] = device,
    [JA_FACT_APT] = apt,
    [JA_FACT_SHA256] = file,
    [JA_FACT_NEIGHBOUR] = neighbour,
    [JA_FACT_NFTRULES] = nft_rules,
    [JA_FACT_NFTCHAIN] = nft_chain,
    [JA_FACT_FIREWALL] = firewall,
    [JA_FACT_SHAPING] = shaping,
    [JA_FACT_QDISC] = qdisc,
    [JA_FACT_BINDS] = binds,
};

static bool asks_zfs(const struct ja_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct ja_fact *fact = &facts->items[i];
        if (!fact->known && (ja_fact_is_zfs(fact->kind) || (fact->kind == JA_FACT_USED && fact->name[0] != '/')))
            return true;
    }
    return false;
}

int ja_linux_facts_read(void *context, struct ja_facts *facts, struct ja_error *err)
{
    static const struct ja_linux_probes no_probes;
    const struct ja_linux_probes *probes = context ? context : &no_probes;
    struct ja_error local = JA_ERROR_INIT;
    if (!err)
        err = &local;
    if (probes->zfs && asks_zfs(facts)) {
        int code = probes->zfs(facts, err);
        if (code < 0)
            return ja_error_wrap(err, "cannot find out about datasets");
    }
    int asked = probes->processes ? probes->processes(facts, err) : 0;
    if (asked < 0)
        return ja_error_wrap(err, "cannot find out what runs");
    for (size_t i = 0; i < facts->count && facts->missing; i++) {
        struct ja_fact *fact = &facts->items[i];
        if (fact->known)
            continue;
        struct query query = {.probes = probes, .kind = fact->kind, .name = fact->name, .err = err};
        int code = readers[fact->kind] ? readers[fact->kind](&query) : 0;
        if (code > 0 && query.value.failed)
            code = ja_error_nomem(err);
        if (code >= 0 && ja_facts_set(facts, fact->kind, fact->name,
                                      code > 0 ? (query.value.text ? query.value.text : "") : NULL) < 0)
            code = ja_error_nomem(err);
        ja_str_fini(&query.value);
        if (code < 0)
            return ja_error_wrap(err, "cannot find out about %s %s", ja_fact_kind_name(fact->kind),
                                 JA_SHOW(fact->name));
    }
    return 0;
}
