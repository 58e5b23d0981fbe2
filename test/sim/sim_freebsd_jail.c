/*
 * sim_freebsd_jail.c: jail(8), jexec(8), what is mounted for jails, their limits and devices, and modules of the kernel.
 */
#include "sim_freebsd.h"

#include <stdio.h>
#include <string.h>

/* ---- jails ---- */

bool sim_jail_at(const struct ja_sim *sim, size_t i, struct sim_jail *ret_jail)
{
    char state[16];
    int at = -1;
    if (!sim_starts(sim, i, "jail "))
        return false;
    if (sscanf(sim->entries[i].value, "%u %15s %n", &ret_jail->jid, state, &at) != 2 || at < 0)
        abort();
    snprintf(ret_jail->name, sizeof ret_jail->name, "%s", sim->entries[i].key + strlen("jail "));
    snprintf(ret_jail->path, sizeof ret_jail->path, "%s", sim->entries[i].value + at);
    ret_jail->dying = strcmp(state, "dying") == 0;
    return true;
}

bool sim_find_jail(const struct ja_sim *sim, const char *name, struct sim_jail *ret_jail)
{
    char key[SIM_NAME + 8];
    snprintf(key, sizeof key, "jail %s", name);
    return sim_get(sim, "%s", key) && sim_jail_at(sim, sim_from(sim, key), ret_jail);
}

/* The smallest that is free: real ones are not used again so soon, and nothing may depend on them. */
static unsigned new_jid(const struct ja_sim *sim)
{
    struct sim_jail jail;
    for (unsigned jid = 1;; jid++) {
        bool taken = false;
        for (size_t i = sim_from(sim, "jail "); sim_jail_at(sim, i, &jail); i++)
            taken = taken || jail.jid == jid;
        if (!taken)
            return jid;
    }
}

static bool lies_in(const char *path, const char *top)
{
    size_t length = strlen(top);
    return strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

const char *sim_freebsd_holder(const struct ja_sim *sim, const char *path)
{
    struct sim_jail jail;
    for (size_t i = sim_from(sim, "jail "); sim_jail_at(sim, i, &jail); i++)
        if (lies_in(jail.path, path) || (lies_in(path, jail.path) && !jail.dying))
            return sim->entries[i].key + strlen("jail ");
    return NULL;
}

/* Of a jail; of one file of it. */
static void end_processes(struct ja_sim *sim, const char *jail, const char *file)
{
    for (size_t i = sim_from(sim, "process "); sim_starts(sim, i, "process ");) {
        char key[SIM_PATH];
        snprintf(key, sizeof key, "%s", sim->entries[i].key);
        if (strcmp(sim->entries[i].value, jail) == 0 && (!file || strcmp(key + strlen("process "), file) == 0))
            sim_drop(sim, "%s", key);
        else
            i++;
    }
}

/* All that the kernel takes away; mounts, limits and aliases of the host stay. */
static void drop_jail(struct ja_sim *sim, const struct sim_jail *jail)
{
    char stack[32];
    snprintf(stack, sizeof stack, "%u#", jail->jid);
    if (sim_drop(sim, "stack %u", jail->jid))
        sim_stack_end(sim, stack);
    sim_drop_all(sim, "param %s ", jail->name);
    sim_drop(sim, "cpuset %s", jail->name);
    sim_drop(sim, "jail %s", jail->name);
    end_processes(sim, jail->name, NULL);
}

void sim_freebsd_end_jail(struct ja_sim *sim, const char *name)
{
    struct sim_jail jail;
    if (sim_find_jail(sim, name, &jail))
        drop_jail(sim, &jail);
}

static const char *value_of(char *const *argv, int argc, const char *parameter)
{
    size_t length = strlen(parameter);
    for (int i = 2; i < argc; i++)
        if (strncmp(argv[i], parameter, length) == 0 && (argv[i][length] == '=' || argv[i][length] == '\0'))
            return argv[i][length] ? argv[i] + length + 1 : "";
    return NULL;
}

static bool is_parameter(const char *word)
{
    static const char *const known[] = {"name",
                                        "path",
                                        "persist",
                                        "nopersist",
                                        "vnet",
                                        "vnet.interface",
                                        "host.hostname",
                                        "host.hostuuid",
                                        "host.domainname",
                                        "enforce_statfs",
                                        "devfs_ruleset",
                                        "securelevel",
                                        "children.max",
                                        "ip4",
                                        "ip6",
                                        "ip4.addr",
                                        "ip6.addr",
                                        "mount.devfs",
                                        "mount.fdescfs",
                                        "mount.procfs",
                                        "sysvmsg",
                                        "sysvsem",
                                        "sysvshm",
                                        "exec.clean",
                                        "exec.start",
                                        "exec.stop",
                                        "exec.consolelog",
                                        "allow.set_hostname",
                                        "allow.sysvipc",
                                        "allow.raw_sockets",
                                        "allow.chflags",
                                        "allow.mount",
                                        "allow.mount.devfs",
                                        "allow.mount.fdescfs",
                                        "allow.mount.nullfs",
                                        "allow.mount.procfs",
                                        "allow.mount.tmpfs",
                                        "allow.mount.zfs",
                                        "allow.quotas",
                                        "allow.socket_af",
                                        "allow.mlock",
                                        "allow.read_msgbuf",
                                        "allow.reserved_ports",
                                        "allow.unprivileged_proc_debug",
                                        "allow.suser"};
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < JA_COUNT(known); i++)
        if (strlen(known[i]) == length && strncmp(word, known[i], length) == 0)
            return true;
    return false;
}

static int check_parameters(const struct ja_sim *sim, char *const *argv, int argc, struct ja_error *err)
{
    const char *name = value_of(argv, argc, "name"), *path = value_of(argv, argc, "path");
    struct sim_jail there;
    for (int i = 2; i < argc; i++)
        if (!is_parameter(argv[i]))
            return sim_fail(err, "jail: unknown parameter: %.*s", (int)strcspn(argv[i], "="), argv[i]);
    if (!name || !path || strspn(name, "0123456789") == strlen(name) || strchr(name, '.'))
        return sim_fail(err, "jail: \"%s\" is no name for a jail", name ? name : "");
    if (sim_find_jail(sim, name, &there) && !there.dying)
        return sim_fail(err, "jail: \"%s\" already exists", name);
    if (!sim_is_dir(sim, path))
        return sim_fail(err, "jail: path %s: No such file or directory", path);
    return 0;
}

/* IF|ADDRESS/LEN becomes an alias of the host's, a mere ADDRESS must be there. */
static int add_addresses(struct ja_sim *sim, const char *list, struct ja_error *err)
{
    char *copy = list ? strdup(list) : NULL, *rest = copy;
    int rc = 0;
    for (char *one; rc == 0 && rest && (one = strsep(&rest, ",")) != NULL;) {
        char *bar = strchr(one, '|');
        if (!bar)
            continue;
        *bar = '\0';
        rc = sim_get(sim, "link %s", one) ? sim_add_alias(sim, "", one, bar + 1, err)
                                          : sim_fail(err, "ifconfig: interface %s does not exist", one);
    }
    free(copy);
    return rc;
}

static int mount_special(struct ja_sim *sim, const char *type, const char *source, const char *path,
                         struct ja_error *err)
{
    char name[SIM_PATH + 16], place[SIM_PATH + 32];
    snprintf(name, sizeof name, "%s:%s", type, path);
    snprintf(place, sizeof place, "@%s", name);
    /* A real one would be mounted over the other, and one of them forgotten. */
    if (sim_get(sim, "mount %s", path))
        sim_trouble(sim, "something is mounted at %s already", path);
    sim_make(sim, place, "dir");
    if (strcmp(type, "devfs") == 0)
        sim_put(sim, "dir", "path %s/fd", place);
    /* As it is now; what is written into it later is not the source's, but goes with the mount. */
    if (strcmp(type, "nullfs") == 0) {
        sim_copy_tree(sim, source, place);
        sim_make(sim, place, "dir");
    }
    int rc = sim_mount(sim, name, path, type, err);
    if (rc < 0)
        sim_remove_tree(sim, place);
    else
        sim_put(sim, source, "from %s", path);
    return rc;
}

/* jail -c PARAMETER... */
static int do_jail(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *name = value_of(argv, argc, "name"), *path = value_of(argv, argc, "path");
    const char *interface = value_of(argv, argc, "vnet.interface");
    struct sim_jail old;
    char value[SIM_PATH + 32], stack[32], devices[SIM_PATH + 8];
    (void)cmd;
    int rc = check_parameters(sim, argv, argc, err);
    if (rc == 0 && value_of(argv, argc, "mount.devfs")) {
        snprintf(devices, sizeof devices, "%s/dev", path);
        rc = sim_is_dir(sim, devices)
                 ? mount_special(sim, "devfs", "devfs", devices, err)
                 : sim_fail(err, "jail: %s: mount.devfs: %s: No such file or directory", name, devices);
        if (sim->tearing)
            return rc;
    }
    if (rc < 0)
        return rc;
    if (!value_of(argv, argc, "persist"))
        sim_trouble(sim, "the jail %s ends at once: it is not to persist", name);
    if (sim_find_jail(sim, name, &old)) /* a dying one gives its name away */
        drop_jail(sim, &old);
    unsigned jid = new_jid(sim);
    snprintf(value, sizeof value, "%u active %s", jid, path);
    sim_put(sim, value, "jail %s", name);
    for (int i = 2; i < argc; i++)
        sim_put(sim, "", "param %s %s", name, argv[i]);
    snprintf(stack, sizeof stack, "%u#", jid);
    if (value_of(argv, argc, "vnet")) {
        sim_put(sim, name, "stack %u", jid);
        sim_stack_begin(sim, stack);
    }
    if (sim->tearing)
        return 0;
    rc = add_addresses(sim, value_of(argv, argc, "ip4.addr"), err);
    if (rc == 0)
        rc = add_addresses(sim, value_of(argv, argc, "ip6.addr"), err);
    if (rc == 0 && interface) {
        char *const words[] = {(char *)interface, (char[]){"vnet"}, (char *)name};
        rc = sim_ifconfig(sim, "", words, 3, err);
    }
    if (rc < 0 && sim_find_jail(sim, name, &old))
        drop_jail(sim, &old);
    return rc;
}

/* jail -m name=NAME PARAMETER... */
static int do_jail_modify(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    const char *name = value_of(argv, argc, "name");
    struct sim_jail jail;
    (void)cmd;
    if (!name || !sim_find_jail(sim, name, &jail) || jail.dying)
        return sim_fail(err, "jail: \"%s\" not found", name ? name : "");
    for (int i = 2; i < argc && !sim->tearing; i++)
        if (!is_parameter(argv[i]))
            return sim_fail(err, "jail: unknown parameter: %s", argv[i]);
        else {
            sim_drop_all(sim, "param %s %.*s=", name, (int)strcspn(argv[i], "="), argv[i]);
            if (strcmp(argv[i], "securelevel=-1") != 0) /* as it is by itself */
                sim_put(sim, "", "param %s %s", name, argv[i]);
        }
    return 0;
}

/* It goes; or its connections linger, longer than anybody waits. */
static void end_jail(struct ja_sim *sim, const struct sim_jail *jail)
{
    char value[SIM_PATH + 32];
    if (!sim_get(sim, "linger %s", jail->name)) {
        drop_jail(sim, jail);
        return;
    }
    snprintf(value, sizeof value, "%u dying %s", jail->jid, jail->path);
    sim_put(sim, value, "jail %s", jail->name);
}

bool sim_jail_is_secure(const struct ja_sim *sim, const char *stack)
{
    char jid[16];
    snprintf(jid, sizeof jid, "%.*s", (int)strcspn(stack, "#"), stack);
    const char *name = *jid ? sim_get(sim, "stack %s", jid) : NULL;
    return name && sim_get(sim, "param %s securelevel=3", name);
}

/* host jail-remove NAME PATH */
static int do_jail_remove(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    struct sim_jail jail;
    (void)cmd, (void)argc;
    if (!sim_find_jail(sim, argv[2], &jail))
        return 0;
    if (strcmp(jail.path, argv[3]) != 0)
        return jail.dying ? 0 : sim_fail(err, "the jail %s is not ours: its tree is %s", argv[2], jail.path);
    end_jail(sim, &jail);
    return 0;
}

/* host jail-wait NAME PATH */
static int do_jail_wait(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    struct sim_jail jail;
    (void)cmd, (void)argc;
    if (!sim_find_jail(sim, argv[2], &jail) || strcmp(jail.path, argv[3]) != 0)
        return 0;
    return sim_fail(err, "the jail %s has ended, and the kernel still keeps it", argv[2]);
}

/* ---- commands in a jail ---- */

static int in_stack(struct ja_sim *sim, const struct sim_jail *jail, sim_stack_command *command, char *const *argv,
                    int argc, struct ja_error *err)
{
    char stack[32];
    snprintf(stack, sizeof stack, "%u#", jail->jid);
    if (!sim_get(sim, "stack %u", jail->jid))
        return sim_fail(err, "%s: Operation not permitted", argv[0]); /* it is the host's */
    return command(sim, stack, argv, argc, err);
}

/* ---- pkg(8) ---- */

/* pkg-static -R DIRECTORY ... fetch ... -o DIRECTORY SET */
static int do_pkg(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *from = sim_option(argv, argc, "-R"), *to = argv[argc - 2];
    char path[SIM_PATH];
    (void)cmd;
    if (!from || !sim_get(sim, "path %s/FreeBSD-base.conf", from))
        return sim_fail(err, "pkg: No active remote repositories configured");
    if (strcmp(argv[argc - 3], "-o") != 0 || !sim_parent_is_dir(sim, to))
        return sim_fail(err, "pkg: %s: No such file or directory", to);
    sim_make(sim, to, "dir");
    snprintf(path, sizeof path, "%s/%s.pkg", to, argv[argc - 1]);
    if (!sim->tearing)
        sim_make(sim, path, "file");
    return 0;
}

/* The same in a jail, without a network: `repo /packages`, and `-r /mnt ... install ... SET` of a world into what is mounted at /mnt. */
static int pkg_in_jail(struct ja_sim *sim, const struct sim_jail *jail, char *const *argv, int argc,
                       struct ja_error *err)
{
    const char *root = sim_option(argv, argc, "-r"), *tree = root ? sim_get(sim, "from %s%s", jail->path, root) : NULL;
    char path[SIM_PATH];
    if (strcmp(argv[argc - 2], "repo") == 0) {
        snprintf(path, sizeof path, "%s%s/packagesite.pkg", jail->path, argv[argc - 1]);
        if (!sim_parent_is_dir(sim, path))
            return sim_fail(err, "pkg: %s: No such file or directory", argv[argc - 1]);
        sim_make(sim, path, "file");
        return 0;
    }
    if (!sim_get(sim, "path %s/install/FreeBSD-base.conf", jail->path) ||
        !sim_get(sim, "path %s/packages/packagesite.pkg", jail->path))
        return sim_fail(err, "pkg: No active remote repositories configured");
    if (!sim_get(sim, "path %s/packages/%s.pkg", jail->path, argv[argc - 1]))
        return sim_fail(err, "pkg: No packages available to install matching '%s'", argv[argc - 1]);
    if (!tree || !sim_is_dir(sim, tree))
        return sim_fail(err, "pkg: Unable to open %s", root ? root : "/");
    if (sim->tearing)
        return 0;
    snprintf(path, sizeof path, "%s", sim_get(sim, "path %s", tree));
    snprintf(path + SIM_PATH / 2, SIM_PATH / 2, "%s", tree);
    sim_copy_tree(sim, "/srv/world", path + SIM_PATH / 2);
    sim_make(sim, path + SIM_PATH / 2, path);
    return 0;
}

/* jexec NAME PROGRAM... */
static int do_jexec(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    static const struct {
        const char *program;
        sim_stack_command *command;
    } known[] = {{"/sbin/ifconfig", sim_ifconfig},
                 {"/sbin/route", sim_route},
                 {"/sbin/sysctl", sim_stack_sysctl},
                 {"/usr/sbin/arp", sim_arp},
                 {"/usr/sbin/ndp", sim_ndp}};
    struct sim_jail jail;
    (void)cmd;
    if (argc < 3 || !sim_find_jail(sim, argv[1], &jail) || jail.dying)
        return sim_fail(err, "jexec: jail \"%s\" not found", argc > 1 ? argv[1] : "");
    if (!sim_get(sim, "path %s%s", jail.path, argv[2]))
        return sim_fail(err, "jexec: execvp: %s: No such file or directory", argv[2]);
    for (size_t i = 0; i < JA_COUNT(known); i++)
        if (strcmp(known[i].program, argv[2]) == 0)
            return argc > 3 ? in_stack(sim, &jail, known[i].command, argv + 3, argc - 3, err) : 0;
    if (strcmp(argv[2], "/etc/pkg-static") == 0)
        return pkg_in_jail(sim, &jail, argv + 2, argc - 2, err);
    /* Anything else: in vain. */
    return 0;
}

/* The running jail that a file of ours names. */
static bool jail_of_file(const struct ja_sim *sim, const char *file, struct sim_jail *ret_jail)
{
    const char *text = file ? sim_get(sim, "text %s", file) : NULL;
    char name[SIM_NAME], path[SIM_PATH];
    return text && sscanf(text, "%127s %1023s", name, path) == 2 && sim_find_jail(sim, name, ret_jail) &&
           !ret_jail->dying && strcmp(ret_jail->path, path) == 0;
}

/* host jail-rescue JAIL ipfw ... */
static int do_jail_rescue(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    struct sim_jail jail;
    (void)cmd;
    if (argc < 4 || !sim_find_jail(sim, argv[2], &jail) || jail.dying)
        return sim_fail(err, "the jail is not running any more");
    if (strcmp(argv[3], "ipfw") != 0)
        return sim_fail(err, "nobody runs %s so", argv[3]);
    return in_stack(sim, &jail, sim_ipfw, argv + 4, argc - 4, err);
}

/* host vnet-accept FILE */
static int do_vnet_accept(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    ja_autostrv struct ja_strv rule = {0};
    struct sim_jail jail;
    (void)cmd;
    if (ja_str_split_words("add 65000 allow ip from any to any", &rule) < 0)
        return ja_error_nomem(err);
    if (!jail_of_file(sim, argc == 3 ? argv[2] : NULL, &jail))
        return sim_fail(err, "the jail is not running any more");
    return in_stack(sim, &jail, sim_ipfw, rule.items, (int)rule.count, err);
}

/* host jail-run --jail FILE ... [--pid-file FILE] -- COMMAND... */
static int do_jail_run(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *pid = sim_option(argv, argc, "--pid-file"), *log = sim_option(argv, argc, "--log");
    struct sim_jail jail;
    (void)cmd;
    if (!jail_of_file(sim, sim_option(argv, argc, "--jail"), &jail))
        return sim_fail(err, "the jail is not running any more");
    if (!log || !sim_parent_is_dir(sim, log))
        return sim_fail(err, "cannot write %s", log ? log : "the log");
    sim_make(sim, log, "file");
    if (!pid || sim->tearing)
        return 0;
    sim_make(sim, pid, "file");
    sim_put(sim, jail.name, "process %s", pid);
    return 0;
}

/* host stop-init --jail FILE --signal NAME --timeout MS PIDFILE... */
static int do_stop_init(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    struct sim_jail jail;
    (void)cmd, (void)err;
    if (!jail_of_file(sim, sim_option(argv, argc, "--jail"), &jail))
        return 0;
    for (int i = 8; i < argc && !(sim->tearing && i > 8); i++)
        end_processes(sim, jail.name, argv[i]);
    /* One that need not persist goes with its last process. */
    bool lives = !sim_get(sim, "param %s nopersist", jail.name);
    for (size_t i = sim_from(sim, "process "); !lives && sim_starts(sim, i, "process "); i++)
        lives = strcmp(sim->entries[i].value, jail.name) == 0;
    if (!lives)
        end_jail(sim, &jail);
    return 0;
}

/* env NAME=VALUE... COMMAND... */
static int do_env(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    int first = 1;
    while (first < argc && strchr(argv[first], '='))
        first++;
    return first < argc && strstr(argv[first], "/jexec") ? do_jexec(sim, cmd, argv + first, argc - first, err) : 0;
}

/* ---- mounts ---- */

/* mount -t TYPE [-o OPTIONS] SOURCE PATH */
static int do_mount(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    static const char *const types[] = {"devfs", "nullfs", "tmpfs", "procfs", "fdescfs"};
    const char *type = sim_option(argv, argc, "-t"), *source = argv[argc - 2], *path = argv[argc - 1];
    bool known = false;
    (void)cmd;
    for (size_t i = 0; type && i < JA_COUNT(types); i++)
        known = known || strcmp(types[i], type) == 0;
    if (!known) {
        sim_trouble(sim, "the model knows no mount -t %s", type ? type : "");
        return sim_fail(err, "mount: %s: Operation not supported by device", source);
    }
    if (strcmp(type, "nullfs") == 0 && !sim_is_dir(sim, source))
        return sim_fail(err, "mount_nullfs: %s: No such file or directory", source);
    if (!sim_is_dir(sim, path))
        return sim_fail(err, "mount: %s: No such file or directory", path);
    return sim->tearing ? 0 : mount_special(sim, type, source, path, err);
}

static int unmount_one(struct ja_sim *sim, const char *path, struct ja_error *err)
{
    const char *source = sim_get(sim, "source %s", path), *holder = sim_freebsd_holder(sim, path);
    char place[SIM_PATH + 32];
    if (!sim_get(sim, "from %s", path)) {
        sim_trouble(sim, "unmount takes %s away, which is a dataset", path);
        return 0;
    }
    if (holder)
        return sim_fail(err, "cannot unmount %s: Device busy (jail %s)", path, holder);
    snprintf(place, sizeof place, "@%s", source);
    int rc = sim_umount(sim, path, err);
    if (rc == 0) {
        sim_remove_tree(sim, place);
        sim_drop(sim, "from %s", path);
    }
    return rc;
}

/* host unmount [--below] PATH */
static int do_unmount(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *path = argv[argc - 1];
    char below[SIM_PATH], end[SIM_PATH];
    int rc = 0;
    (void)cmd;
    if (argc == 3)
        return sim_get(sim, "mount %s", path) ? unmount_one(sim, path, err) : 0;
    snprintf(below, sizeof below, "mount %s/", path);
    snprintf(end, sizeof end, "mount %s0", path); /* "0" comes after "/" */
    for (size_t i; rc == 0 && (i = sim_from(sim, end)) > 0 && sim_starts(sim, i - 1, below);) {
        char one[SIM_PATH];
        snprintf(one, sizeof one, "%s", sim->entries[i - 1].key + strlen("mount "));
        rc = unmount_one(sim, one, err);
        if (sim->tearing || sim->trouble[0])
            break;
    }
    return rc;
}

/* ---- limits ---- */

/* Those that a filter matches, "jail:web1", "jail:web1:maxproc" or a whole rule. False: none. */
static bool remove_limits(struct ja_sim *sim, const char *filter)
{
    size_t length = strlen(filter);
    bool any = false;
    if (strcmp(filter, ":") == 0 || strcmp(filter, "jail:") == 0)
        sim_trouble(sim, "rctl -r %s removes the limits of the whole host", filter);
    for (size_t i = sim_from(sim, "rctl "); sim_starts(sim, i, "rctl ");) {
        char rule[SIM_NAME * 3];
        snprintf(rule, sizeof rule, "%s", sim->entries[i].key + strlen("rctl "));
        if (strncmp(rule, filter, length) == 0 && strchr(":=", rule[length]))
            any = sim_drop(sim, "rctl %s", rule);
        else
            i++;
    }
    return any;
}

/* rctl -a SUBJECT:ID:RESOURCE:ACTION=AMOUNT..., rctl -r SUBJECT:ID */
static int do_rctl(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    static const char *const resources[] = {"pcpu",      "memoryuse", "vmemoryuse", "swapuse",  "nthr",
                                            "openfiles", "readbps",   "writebps",   "readiops", "writeiops"};
    (void)cmd;
    if (!ja_str_equal(sim_get(sim, "sysctl kern.racct.enable"), "1"))
        return sim_fail(err, "rctl: RACCT/RCTL present, but disabled; enable using kern.racct.enable=1 tunable");
    if (argc > 2 && strcmp(argv[1], "-r") == 0) {
        int rc = 0;
        for (int i = 2; i < argc && !(sim->tearing && i > 2); i++)
            if (!remove_limits(sim, argv[i])) /* the others are removed all the same */
                rc = sim_fail(err, "rctl: failed to remove rule '%s': No such process", argv[i]);
        return rc;
    }
    for (int i = 2; i < argc && strcmp(argv[1], "-a") == 0; i++) {
        char subject[16], name[SIM_NAME], resource[32];
        bool known = false;
        if (sscanf(argv[i], "%15[^:]:%127[^:]:%31[^:]:", subject, name, resource) == 3 && strchr(argv[i], '='))
            for (size_t k = 0; k < JA_COUNT(resources); k++)
                known = known || strcmp(resources[k], resource) == 0;
        if (!known)
            return sim_fail(err, "rctl: failed to add rule '%s': Invalid argument", argv[i]);
        /* One that denies takes the place of that of another amount (rctl_rule_add); others stand beside it. */
        if (strstr(argv[i], ":deny="))
            sim_drop_all(sim, "rctl %.*s=", (int)strcspn(argv[i], "="), argv[i]);
        sim_put(sim, "", "rctl %s", argv[i]);
        if (sim->tearing)
            return 0;
    }
    return 0;
}

/* cpuset -l LIST -j NAME, "all" for what the host has */
static int do_cpuset(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    struct sim_jail jail;
    (void)cmd;
    if (argc != 5 || !sim_find_jail(sim, argv[4], &jail) || jail.dying)
        return sim_fail(err, "cpuset: setaffinity: No such process");
    if (strcmp(argv[2], "all") == 0)
        sim_drop(sim, "cpuset %s", argv[4]);
    else
        sim_put(sim, argv[2], "cpuset %s", argv[4]);
    return 0;
}

/* ---- devices ---- */

/* devfs rule -s N add RULE..., devfs rule -s N delset */
static int do_devfs(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    char prefix[64], rule[256] = "";
    unsigned count = 0;
    (void)cmd, (void)err;
    snprintf(prefix, sizeof prefix, "devfs %s ", argv[3]);
    if (strcmp(argv[4], "delset") == 0) {
        sim_drop_all(sim, "%s", prefix);
        return 0;
    }
    for (int i = 5; i < argc; i++) {
        size_t length = strlen(rule);
        snprintf(rule + length, sizeof rule - length, "%s%s", length ? " " : "", argv[i]);
    }
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++)
        count++;
    if (!sim->tearing)
        sim_put(sim, rule, "%s%03u", prefix, (count + 1) * 100);
    return 0;
}

/* ---- the kernel ---- */

int sim_load_module(struct ja_sim *sim, const char *name, struct ja_error *err)
{
    static const char *const known[] = {"if_bridge", "if_epair", "if_vlan", "ipfw_nat", "libalias", "dummynet", "pf"};
    if (strcmp(name, "ipfw") == 0) {
        sim_ipfw_load(sim);
        return 0;
    }
    bool there = false;
    for (size_t i = 0; i < JA_COUNT(known); i++)
        there = there || strcmp(known[i], name) == 0;
    if (!there)
        return sim_fail(err, "kldload: can't load %s: No such file or directory", name);
    if (strcmp(name, "ipfw_nat") == 0) { /* what it depends on comes with it */
        sim_ipfw_load(sim);
        sim_put(sim, "", "module libalias");
    }
    if (strcmp(name, "if_bridge") == 0 && !sim_get(sim, "module if_bridge")) {
        sim_put(sim, "1", "sysctl net.link.bridge.pfil_member");
        sim_put(sim, "1", "sysctl net.link.bridge.pfil_bridge");
        sim_put(sim, "0", "sysctl net.link.bridge.pfil_local_phys");
    }
    sim_put(sim, "", "module %s", name);
    return 0;
}

static int do_kldload(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return sim->tearing ? 0 : sim_load_module(sim, argv[argc - 1], err);
}

static int do_kenv(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *equals = strchr(argv[argc - 1], '=');
    (void)cmd;
    if (!equals)
        return sim_fail(err, "kenv: unable to get %s", argv[argc - 1]);
    sim_put(sim, equals + 1, "kenv %.*s", (int)(equals - argv[argc - 1]), argv[argc - 1]);
    return 0;
}

const struct ja_sim_command sim_freebsd_jail_commands[] = {
    {{"jail", "-c"}, do_jail},
    {{"jail", "-m"}, do_jail_modify},
    {{"jexec"}, do_jexec},
    {{"pkg-static"}, do_pkg},
    {{"mount", "-t"}, do_mount},
    {{"rctl"}, do_rctl},
    {{"cpuset", "-l"}, do_cpuset},
    {{"devfs", "rule", "-s"}, do_devfs},
    {{"kldload"}, do_kldload},
    {{"kenv"}, do_kenv},
    {{"env"}, do_env},
    {{"host", "jail-remove"}, do_jail_remove},
    {{"host", "jail-wait"}, do_jail_wait},
    {{"host", "jail-rescue"}, do_jail_rescue},
    {{"host", "vnet-accept"}, do_vnet_accept},
    {{"host", "unmount"}, do_unmount},
    {{"host", "jail-run"}, do_jail_run},
    {{"host", "stop-init"}, do_stop_init},
    {{NULL}, NULL},
};
