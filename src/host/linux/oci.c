/*
 * oci.c: writes a jail's configuration for crun. No I/O. Lists are built front to back in the order in which crun applies
 * them: /dev is a tmpfs before something is bound into it, /proc and /sys come before the jail's own mounts.
 */
#include "host/linux/oci.h"

#include <stdio.h>
#include <string.h>

/*
 * containers-common's default set, and what makes a network stack of one's own useful. All of them count only inside the
 * jail's user namespace. CAP_SYS_ADMIN is not among them.
 */
const char *const ja_oci_default_capabilities[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",     "CAP_DAC_OVERRIDE",     "CAP_FOWNER",  "CAP_FSETID",  "CAP_KILL",
    "CAP_MKNOD",       "CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID",
    "CAP_SETPCAP",     "CAP_SETUID",    "CAP_SYS_CHROOT",       NULL};

/* By their numbers; linux/capability.h has them, which FreeBSD has not. */
static const char *const capability_names[] = {"CHOWN",
                                               "DAC_OVERRIDE",
                                               "DAC_READ_SEARCH",
                                               "FOWNER",
                                               "FSETID",
                                               "KILL",
                                               "SETGID",
                                               "SETUID",
                                               "SETPCAP",
                                               "LINUX_IMMUTABLE",
                                               "NET_BIND_SERVICE",
                                               "NET_BROADCAST",
                                               "NET_ADMIN",
                                               "NET_RAW",
                                               "IPC_LOCK",
                                               "IPC_OWNER",
                                               "SYS_MODULE",
                                               "SYS_RAWIO",
                                               "SYS_CHROOT",
                                               "SYS_PTRACE",
                                               "SYS_PACCT",
                                               "SYS_ADMIN",
                                               "SYS_BOOT",
                                               "SYS_NICE",
                                               "SYS_RESOURCE",
                                               "SYS_TIME",
                                               "SYS_TTY_CONFIG",
                                               "MKNOD",
                                               "LEASE",
                                               "AUDIT_WRITE",
                                               "AUDIT_CONTROL",
                                               "SETFCAP",
                                               "MAC_OVERRIDE",
                                               "MAC_ADMIN",
                                               "SYSLOG",
                                               "WAKE_ALARM",
                                               "BLOCK_SUSPEND",
                                               "AUDIT_READ",
                                               "PERFMON",
                                               "BPF",
                                               "CHECKPOINT_RESTORE"};

int ja_oci_capability(const char *name)
{
    for (size_t i = 0; ja_str_starts(name, "CAP_") && i < JA_COUNT(capability_names); i++) {
        if (strcmp(name + 4, capability_names[i]) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* What says too much about the host, or lets root change it; from containers-common. */
const char *const ja_oci_default_masked[] = {"/proc/acpi",
                                             "/proc/interrupts",
                                             "/proc/kcore",
                                             "/proc/keys",
                                             "/proc/latency_stats",
                                             "/proc/sched_debug",
                                             "/proc/scsi",
                                             "/proc/timer_list",
                                             "/proc/timer_stats",
                                             "/sys/devices/virtual/powercap",
                                             "/sys/firmware",
                                             "/sys/fs/selinux",
                                             NULL};

const char *const ja_oci_default_read_only[] = {"/proc/asound", "/proc/bus",           "/proc/fs", "/proc/irq",
                                                "/proc/sys",    "/proc/sysrq-trigger", NULL};

/* CPU time is given in slices of this length; crun's and systemd's default. */
#define CPU_PERIOD_US 100000

static json_t *strings(const char *const *texts)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && texts != NULL && texts[i] != NULL; i++) {
        if (json_array_append_new(array, json_string(texts[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* A given vector, or the defaults. */
static json_t *strings_or(const struct ja_strv *strv, const char *const *defaults)
{
    return strings(strv == NULL ? defaults : (const char *const *)strv->items);
}

static json_t *map_object(const struct ja_map *map)
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && i < map->count; i++) {
        if (json_object_set_new(object, map->pairs[i].key, json_string(map->pairs[i].value)) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* Adds `value` (NULL: no memory) to the array. True when that went well, so that calls chain with &&. */
static bool append(json_t *array, json_t *value)
{
    return json_array_append_new(array, value) == 0;
}

static bool set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static bool add_mount(json_t *mounts, const char *target, const char *type, const char *source, const char *options)
{
    json_t *words = json_array(), *mount = NULL;
    bool ok = words != NULL;

    while (ok && *options != '\0') {
        size_t length = strcspn(options, ",");

        ok = append(words, json_stringn(options, length));
        options += length + (options[length] == ',');
    }
    if (ok) {
        mount =
            json_pack("{s:s, s:s, s:s, s:O}", "destination", target, "type", type, "source", source, "options", words);
    }
    json_decref(words);
    return ok && append(mounts, mount);
}

static bool add_default_mounts(json_t *mounts, const struct ja_oci *spec)
{
    bool ok =
        add_mount(mounts, "/proc", "proc", "proc", "nosuid,noexec,nodev") &&
        add_mount(mounts, "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=0755,size=65536k") &&
        add_mount(mounts, "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5") &&
        add_mount(mounts, "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k") &&
        add_mount(mounts, "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev");

    /* A new sysfs shows one network namespace and only its owner may mount it: with the host's, the host's is bound. */
    if (ok && spec->user_ns != NULL && spec->host_net) {
        ok = add_mount(mounts, "/sys", "none", "/sys", "rbind,nosuid,noexec,nodev,ro");
    } else if (ok) {
        ok = add_mount(mounts, "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro");
    }
    if (ok && (spec->cgroup_mount || spec->systemd)) {
        ok = add_mount(mounts, "/sys/fs/cgroup", "cgroup", "cgroup",
                       spec->systemd ? "nosuid,noexec,nodev,relatime,rw" : "nosuid,noexec,nodev,relatime,ro");
    }
    /* Other inits find /run as the tree has it. systemd wants it empty at each start. */
    if (ok && spec->systemd) {
        ok = add_mount(mounts, "/run", "tmpfs", "tmpfs", "nosuid,nodev,mode=0755") &&
             add_mount(mounts, "/run/lock", "tmpfs", "tmpfs", "nosuid,nodev,noexec,mode=1777,size=5120k") &&
             add_mount(mounts, "/tmp", "tmpfs", "tmpfs", "nosuid,nodev,mode=1777");
    }
    /* In /dev, so that the jail's tree stays as it is. */
    return ok && (spec->pause == NULL || add_mount(mounts, JA_OCI_PAUSE, "bind", spec->pause, "bind,ro,nosuid,nodev"));
}

static bool add_own_mount(json_t *mounts, const struct ja_oci_mount *mount)
{
    char options[160];

    if (mount->source != NULL) {
        snprintf(options, sizeof(options), "rbind,%s%s", mount->read_only ? "ro" : "rw",
                 mount->exec_ok ? "" : ",nosuid,nodev");
        return add_mount(mounts, mount->target, "bind", mount->source, options);
    }
    snprintf(options, sizeof(options), "nosuid,nodev,%s,mode=%04llo", mount->read_only ? "ro" : "rw",
             (unsigned long long)(mount->mode == 0 ? 0755 : mount->mode));
    if (mount->size > 0) {
        size_t length = strlen(options);

        snprintf(options + length, sizeof(options) - length, ",size=%lld", (long long)mount->size);
    }
    return add_mount(mounts, mount->target, "tmpfs", "tmpfs", options);
}

static json_t *mounts_of(const struct ja_oci *spec)
{
    json_t *mounts = json_array();
    bool ok = mounts != NULL && add_default_mounts(mounts, spec);

    for (size_t i = 0; ok && i < spec->mount_count; i++) {
        ok = add_own_mount(mounts, &spec->mounts[i]);
    }
    if (!ok) {
        json_decref(mounts);
        return NULL;
    }
    return mounts;
}

static json_t *env_of(const struct ja_oci *spec)
{
    static const struct ja_pair defaults[] = {
        {(char *)(uintptr_t) "HOME", (char *)(uintptr_t) "/root"},
        {(char *)(uintptr_t) "PATH",
         (char *)(uintptr_t) "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {(char *)(uintptr_t) "TERM", (char *)(uintptr_t) "xterm"},
        {(char *)(uintptr_t) "container", (char *)(uintptr_t) "jailadmin"}, /* systemd and others ask for this */
    };
    json_t *env = json_array();
    bool ok = env != NULL;

    for (size_t i = 0; ok && i < JA_COUNT(defaults); i++) {
        if (ja_map_get(&spec->env, defaults[i].key) == NULL) {
            ok = append(env, json_sprintf("%s=%s", defaults[i].key, defaults[i].value));
        }
    }
    for (size_t i = 0; ok && i < spec->env.count; i++) {
        ok = append(env, json_sprintf("%s=%s", spec->env.pairs[i].key, spec->env.pairs[i].value));
    }
    if (!ok) {
        json_decref(env);
        return NULL;
    }
    return env;
}

static json_t *process_of(const struct ja_oci *spec)
{
    static const char *const pause_argv[] = {JA_OCI_PAUSE, "-P", NULL};
    json_t *process = json_pack("{s:b, s:{s:i, s:i}, s:s, s:b}", "terminal", spec->terminal, "user", "uid", 0, "gid", 0,
                                "cwd", spec->cwd != NULL ? spec->cwd : "/", "noNewPrivileges", spec->no_new_privileges);
    bool ok = process != NULL;

    ok = ok &&
         set(process, "args", strings(spec->pause != NULL ? pause_argv : (const char *const *)spec->argv.items)) &&
         set(process, "env", env_of(spec));
    if (ok) {
        json_t *capabilities = strings_or(spec->capabilities, ja_oci_default_capabilities);

        /* Not inheritable and not ambient: a program of another user must not gain them. */
        ok = capabilities != NULL && set(process, "capabilities",
                                         json_pack("{s:O, s:O, s:O}", "bounding", capabilities, "effective",
                                                   capabilities, "permitted", capabilities));
        json_decref(capabilities);
    }
    if (ok && spec->files > 0) {
        ok = set(process, "rlimits",
                 json_pack("[{s:s, s:I, s:I}]", "type", "RLIMIT_NOFILE", "soft", (json_int_t)spec->files, "hard",
                           (json_int_t)spec->files));
    }
    if (!ok) {
        json_decref(process);
        return NULL;
    }
    return process;
}

static bool add_namespace(json_t *namespaces, const char *type, const char *path)
{
    return append(namespaces, path != NULL ? json_pack("{s:s, s:s}", "type", type, "path", path)
                                           : json_pack("{s:s}", "type", type));
}

static json_t *namespaces_of(const struct ja_oci *spec)
{
    json_t *namespaces = json_array();
    bool ok = namespaces != NULL && (spec->user_ns == NULL || add_namespace(namespaces, "user", spec->user_ns)) &&
              add_namespace(namespaces, "mount", NULL) && add_namespace(namespaces, "pid", NULL) &&
              add_namespace(namespaces, "ipc", NULL) && add_namespace(namespaces, "uts", NULL) &&
              add_namespace(namespaces, "cgroup", NULL) &&
              (spec->host_net || add_namespace(namespaces, "network", spec->net_ns));

    if (!ok) {
        json_decref(namespaces);
        return NULL;
    }
    return namespaces;
}

static bool add_id_maps(json_t *section, const struct ja_oci *spec)
{
    json_t *map = json_pack("[{s:i, s:I, s:I}]", "containerID", 0, "hostID", (json_int_t)spec->uid_base, "size",
                            (json_int_t)spec->uid_count);
    bool ok = map != NULL && json_object_set(section, "uidMappings", map) == 0 &&
              json_object_set(section, "gidMappings", map) == 0;

    json_decref(map);
    return ok;
}

/*
 * Device rules are for jails without a user namespace: only there can root make device nodes. Elsewhere mknod(2) is
 * refused and the jail's tree is nodev, and rules would cost a dozen writes (v1) or a BPF program (v2) each start.
 */
static json_t *device_rules_of(const struct ja_oci *spec)
{
    json_t *rules = json_pack("[{s:b, s:s}]", "allow", 0, "access", "rwm");
    bool ok = rules != NULL;

    for (size_t i = 0; ok && i < spec->device_count; i++) {
        const struct ja_oci_device *device = &spec->devices[i];

        ok = append(rules, json_pack("{s:b, s:s#, s:I, s:I, s:s}", "allow", 1, "type", &device->type, 1, "major",
                                     (json_int_t)device->major, "minor", (json_int_t)device->minor, "access", "rwm"));
    }
    if (!ok) {
        json_decref(rules);
        return NULL;
    }
    return rules;
}

static bool add_memory(json_t *resources, const struct ja_oci *spec)
{
    json_t *memory = json_pack("{s:I}", "limit", (json_int_t)spec->memory);
    bool ok = memory != NULL;

    /* OCI counts memory and swap together. */
    if (ok && spec->swap != 0) {
        ok = set(memory, "swap", json_integer(spec->memory + (spec->swap > 0 ? spec->swap : 0)));
    }
    if (!ok) {
        json_decref(memory);
        return false;
    }
    return set(resources, "memory", memory);
}

static json_t *resources_of(const struct ja_oci *spec)
{
    json_t *resources = json_object();
    bool ok = resources != NULL;

    if (ok && spec->cpu_millicores > 0) {
        ok = set(resources, "cpu",
                 json_pack("{s:I, s:I}", "quota", (json_int_t)(spec->cpu_millicores * CPU_PERIOD_US / 1000), "period",
                           (json_int_t)CPU_PERIOD_US));
    }
    if (ok && spec->memory > 0) {
        ok = add_memory(resources, spec);
    }
    if (ok && spec->processes > 0) {
        ok = set(resources, "pids", json_pack("{s:I}", "limit", (json_int_t)spec->processes));
    }
    if (ok && spec->user_ns == NULL) {
        ok = set(resources, "devices", device_rules_of(spec));
    }
    if (!ok) {
        json_decref(resources);
        return NULL;
    }
    return resources;
}

/* Without a mode crun makes nodes that nobody but the jail's root may open. */
static json_t *devices_of(const struct ja_oci *spec)
{
    json_t *devices = json_array();
    bool ok = devices != NULL;

    for (size_t i = 0; ok && i < spec->device_count; i++) {
        const struct ja_oci_device *device = &spec->devices[i];

        ok = append(devices,
                    json_pack("{s:s, s:s#, s:I, s:I, s:i}", "path", device->path, "type", &device->type, 1, "major",
                              (json_int_t)device->major, "minor", (json_int_t)device->minor, "fileMode", 0666));
    }
    if (!ok) {
        json_decref(devices);
        return NULL;
    }
    return devices;
}

static json_t *linux_of(const struct ja_oci *spec)
{
    json_t *section = json_object();
    bool ok = section != NULL && set(section, "namespaces", namespaces_of(spec)) &&
              set(section, "resources", resources_of(spec)) &&
              set(section, "maskedPaths", strings_or(spec->masked, ja_oci_default_masked)) &&
              set(section, "readonlyPaths", strings_or(spec->read_only, ja_oci_default_read_only));

    if (ok && spec->cgroup != NULL) {
        ok = set(section, "cgroupsPath", json_string(spec->cgroup));
    }
    if (ok && spec->user_ns != NULL && spec->uid_count > 0) {
        ok = add_id_maps(section, spec);
    }
    if (ok && spec->device_count > 0) {
        ok = set(section, "devices", devices_of(spec));
    }
    if (ok && spec->sysctl != NULL && spec->sysctl->count > 0) {
        ok = set(section, "sysctl", map_object(spec->sysctl));
    }
    if (!ok) {
        json_decref(section);
        return NULL;
    }
    return section;
}

json_t *ja_oci_config(const struct ja_oci *spec)
{
    json_t *config = json_pack("{s:s, s:{s:s, s:b}}", "ociVersion", "1.0.0", "root", "path", spec->rootfs, "readonly",
                               spec->rootfs_read_only);
    bool ok = config != NULL && set(config, "process", process_of(spec)) && set(config, "mounts", mounts_of(spec)) &&
              set(config, "linux", linux_of(spec));

    if (ok && spec->hostname != NULL) {
        ok = set(config, "hostname", json_string(spec->hostname));
    }
    if (ok && spec->annotations != NULL && spec->annotations->count > 0) {
        ok = set(config, "annotations", map_object(spec->annotations));
    }
    if (!ok) {
        json_decref(config);
        return NULL;
    }
    return config;
}
