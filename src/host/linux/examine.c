/*
 * examine.c: doctor's view of a Linux host: the kernel, cgroups, programs, ids, and what other firewalls do.
 */
#include "host/linux/linux.h"
#include "plan/finding.h"

#include <stdio.h>
#include <string.h>

static void examine_kernel(struct ja_planning *p, struct ja_findings *findings)
{
    const char *release = ja_fact(p->facts, JA_FACT_SYSCTL, "kernel.osrelease");
    const char *most = ja_fact(p->facts, JA_FACT_SYSCTL, "user.max_user_namespaces");
    int major = 0, minor = 0;
    if (!release || sscanf(release, "%d.%d", &major, &minor) != 2)
        ja_find(findings, JA_LEVEL_WARN, "kernel", "see that /proc is mounted", "its version cannot be read");
    else if (major < 5 || (major == 5 && minor < 15))
        ja_find(findings, JA_LEVEL_BAD, "kernel", "use a kernel from 5.15 on, as Debian 12 has it",
                "Linux %d.%d cannot map the ids of btrfs mounts", major, minor);
    else
        ja_find(findings, JA_LEVEL_OK, "kernel", NULL, "Linux %s", release);
    if (most && strcmp(most, "0") == 0)
        ja_find(findings, JA_LEVEL_BAD, "kernel", "sysctl -w user.max_user_namespaces=65536, and in /etc/sysctl.d",
                "user namespaces are turned off");
    if (!ja_fact(p->facts, JA_FACT_SYSCTL, "net.ipv4.ip_forward"))
        ja_find(findings, JA_LEVEL_BAD, "kernel", "use a kernel with networking", "it has no IPv4");
}

/* v2 lists its controllers; v1 has a directory for each. */
static bool has_controller(struct ja_planning *p, bool v2, const char *name)
{
    if (!v2)
        return ja_factf(p->facts, JA_FACT_PATH, "/sys/fs/cgroup/%s", name) != NULL;
    const char *list = ja_fact(p->facts, JA_FACT_FILE, "/sys/fs/cgroup/cgroup.controllers");
    size_t length = strlen(name);
    for (const char *at = list; at && *at;) {
        size_t n = strcspn(at, " \n");
        if (n == length && strncmp(at, name, n) == 0)
            return true;
        at += n + strspn(at + n, " \n");
    }
    return false;
}

static void examine_cgroups(struct ja_planning *p, struct ja_findings *findings)
{
    static const struct {
        const char *name, *what;
    } controllers[] = {{"memory", "limits of memory"}, {"cpu", "limits of cpu"}, {"pids", "limits of processes"}};
    const char *kind = ja_fact(p->facts, JA_FACT_CGROUPS, "");
    if (!kind) {
        ja_find(findings, JA_LEVEL_BAD, "cgroups", "mount -t cgroup2 none /sys/fs/cgroup",
                "none are mounted at /sys/fs/cgroup");
        return;
    }
    ja_find(findings, JA_LEVEL_OK, "cgroups", NULL, "%s", kind);
    for (size_t i = 0; i < JA_COUNT(controllers); i++)
        if (!has_controller(p, strcmp(kind, "v2") == 0, controllers[i].name))
            ja_find(findings, JA_LEVEL_WARN, "cgroups", "boot with this controller turned on",
                    "there is no controller %s: %s are not kept", controllers[i].name, controllers[i].what);
}

static void examine_program(struct ja_planning *p, struct ja_findings *findings, const char *program,
                            const char *package, const char *why)
{
    const char *path = ja_fact(p->facts, JA_FACT_TOOL, program);
    const char *version = path ? ja_fact(p->facts, JA_FACT_VERSION, path) : NULL;
    char remedy[100];
    snprintf(remedy, sizeof remedy, "install the package %s", package);
    if (path)
        ja_find(findings, JA_LEVEL_OK, program, NULL, "%s%s%s%s", path, version ? " (" : "", version ? version : "",
                version ? ")" : "");
    else
        ja_find(findings, why ? JA_LEVEL_WARN : JA_LEVEL_BAD, program, remedy, "it is not installed%s%s",
                why ? ": " : "", why ? why : "");
}

static void examine_programs(struct ja_planning *p, struct ja_findings *findings)
{
    static const struct {
        const char *program, *package, *why; /* why NULL: nothing works without it */
    } programs[] = {
        {"crun", "crun", NULL},
        {"ip", "iproute2", NULL},
        {"tc", "iproute2", "nothing can be shaped"},
        {"nft", "nftables", NULL},
        {"nsenter", "util-linux", NULL},
        {"mount", "mount", NULL},
        {"dnsmasq", "dnsmasq-base", "names of jails are not resolved"},
        {"catatonit", "catatonit", "templates without an init cannot be started"},
        {"busybox", "busybox-static", "templates from busybox cannot be made"},
    };
    for (size_t i = 0; i < JA_COUNT(programs); i++)
        examine_program(p, findings, programs[i].program, programs[i].package, programs[i].why);
    if (p->site->storage == JA_STORAGE_ZFS) {
        examine_program(p, findings, "zfs", "zfsutils-linux", NULL);
        examine_program(p, findings, "zpool", "zfsutils-linux", NULL);
    } else {
        examine_program(p, findings, "btrfs", "btrfs-progs", NULL);
        examine_program(p, findings, "mkfs.btrfs", "btrfs-progs", "pools in files cannot be made");
    }
}

static void examine_seccomp(struct ja_planning *p, struct ja_findings *findings)
{
    static const char profile[] = "/usr/share/containers/seccomp.json";
    bool instance = p->site->tag[0] != '\0';
    bool there = instance ? ja_factf(p->facts, JA_FACT_PATH, "%s/seccomp.json", p->site->state) ||
                                ja_factf(p->facts, JA_FACT_PATH, "%s/seccomp.bpf", p->site->state)
                          : ja_fact(p->facts, JA_FACT_PATH, profile) != NULL;
    if (there)
        ja_find(findings, JA_LEVEL_OK, "seccomp", NULL, "jails run with a filter of system calls");
    else
        ja_find(findings, JA_LEVEL_WARN, "seccomp",
                instance ? "install golang-github-containers-common, then run `jailadmin repair`"
                         : "install golang-github-containers-common",
                "jails run without a filter of system calls: %s",
                instance ? "it is missing in the state directory" : "no profile");
}

/* Ids of our jails that a user's containers have too: their processes could signal each other. */
static void examine_ids(struct ja_planning *p, struct ja_findings *findings)
{
    static const char *const files[] = {"/etc/subuid", "/etc/subgid"};
    long long end = p->site->uid_base + p->site->slots * JA_UIDS_PER_SLOT;
    if (!p->site->tag[0])
        return;
    for (size_t i = 0; i < JA_COUNT(files); i++) {
        const char *line = ja_fact(p->facts, JA_FACT_FILE, files[i]);
        while (line && *line) {
            char user[64];
            long long first, count;
            if (sscanf(line, "%63[^:\n]:%lld:%lld", user, &first, &count) == 3 && first < end &&
                p->site->uid_base < first + count)
                ja_find(findings, JA_LEVEL_BAD, "ids", "give that user another range there",
                        "%s gives %s ids from %lld on, which are those of jails", files[i], JA_SHOW(user), first);
            line += strcspn(line, "\n");
            line += *line == '\n';
        }
    }
}

void ja_linux_examine(struct ja_planning *p, struct ja_findings *findings)
{
    ja_autostr struct ja_str what = {0}, remedy = {0};
    examine_kernel(p, findings);
    examine_cgroups(p, findings);
    examine_programs(p, findings);
    ja_linux_shape_examine(p, findings);
    examine_seccomp(p, findings);
    examine_ids(p, findings);
    if (p->site->tag[0] && ja_linux_foreign_firewall(p, &what, &remedy))
        ja_find(findings, JA_LEVEL_WARN, "firewall", remedy.text, "%s drops what jails send to the world",
                what.text ? what.text : "a rule of somebody else");
    findings->failed = findings->failed || what.failed || remedy.failed;
}
