/*
 * sim_freebsd.c: a simulated FreeBSD 13.2: what it has when it boots and loses when it is shut down, and its facts, which are
 * what the real reader makes of what the simulated commands print.
 */
#include "sim_freebsd.h"

#include "host/freebsd/facts.h"
#include "model/site.h"

#include <stdio.h>
#include <string.h>

/* ---- facts ---- */

static struct ja_sim *asked; /* the reader of datasets takes no context */

static int run_program(void *context, char *const *argv, struct ja_str *output, int *ret_status, struct ja_error *err)
{
    struct ja_sim *sim = context;
    struct ja_str printed = {0};
    long left = ja_alloc_fail_after(-1);
    int status = sim_freebsd_print(sim, argv, &printed);
    ja_alloc_fail_after(left);
    if (printed.text)
        ja_str_add(output, printed.text);
    ja_str_fini(&printed);
    *ret_status = status;
    if (status < 0)
        sim_trouble(sim, "the model does not know what %s prints", argv[0]);
    return output->failed ? ja_error_nomem(err) : status < 0 ? sim_fail(err, "%s", sim->trouble) : 0;
}

static int read_zfs(struct ja_facts *facts, struct ja_error *err)
{
    return sim_zfs_facts(asked, facts, err);
}

static int read_facts(struct ja_sim *sim, struct ja_facts *facts, struct ja_error *err)
{
    struct ja_freebsd_source source = {.run = run_program, .context = sim, .zfs = read_zfs};
    asked = sim;
    return ja_freebsd_facts_read(&source, facts, err);
}

/* "NAME PATH" in the file that stands for a jail. */
static const char *process(struct ja_sim *sim, const char *file)
{
    const char *text = sim_get(sim, "text %s", file);
    char name[SIM_NAME], path[SIM_PATH];
    struct sim_jail jail;
    if (!text || sscanf(text, "%127s %1023s", name, path) != 2 || !sim_find_jail(sim, name, &jail))
        return NULL;
    return !jail.dying && strcmp(jail.path, path) == 0 ? sim_say(sim, "%u 1000000000000", jail.jid) : NULL;
}

static bool fact(struct ja_sim *sim, enum ja_fact_kind kind, const char *name, const char **ret_value)
{
    static const enum ja_fact_kind read[] = {
        JA_FACT_JAIL,      JA_FACT_LINK,   JA_FACT_PORTS,     JA_FACT_HOSTADDR, JA_FACT_HOSTNETS, JA_FACT_MOUNT,
        JA_FACT_ROUTE,     JA_FACT_MEMBER, JA_FACT_LINKS,     JA_FACT_IPFW,     JA_FACT_MODULE,   JA_FACT_SYSCTL,
        JA_FACT_RCTL,      JA_FACT_LISTEN, JA_FACT_DATASET,   JA_FACT_CONTENTS, JA_FACT_DEVFS,    JA_FACT_PF,
        JA_FACT_SNAPSHOTS, JA_FACT_CLONES, JA_FACT_NEIGHBOUR, JA_FACT_BINDS,
    };
    for (size_t i = 0; i < JA_COUNT(read); i++)
        if (kind == read[i])
            return false;
    *ret_value = NULL;
    if (kind == JA_FACT_PROCESS)
        *ret_value = process(sim, name);
    else if (kind == JA_FACT_INIT)
        *ret_value = sim_get(sim, "path %s/etc/rc", name) ? "rc" : NULL;
    else if (!sim_common_fact(sim, kind, name, ret_value))
        *ret_value = NULL;
    return true;
}

/* ---- the host ---- */

/* A world to make templates of, and an empty pool of ZFS. */
static void make_files(struct ja_sim *sim)
{
    static const char *const dirs[] = {"/srv",           "/srv/world",      "/srv/world/bin", "/srv/world/dev",
                                       "/srv/world/etc", "/srv/world/sbin", "/srv/world/usr", "/srv/world/usr/sbin"};
    static const char *const files[] = {"bin/sh",        "etc/rc",      "etc/rc.shutdown", "sbin/dhclient",
                                        "sbin/ifconfig", "sbin/sysctl", "sbin/route",      "sbin/rtsol",
                                        "usr/sbin/arp",  "usr/sbin/ndp"};
    static const char *const own[] = {"/bin",
                                      "/sbin",
                                      "/lib",
                                      "/libexec",
                                      "/usr",
                                      "/usr/bin",
                                      "/usr/sbin",
                                      "/usr/lib",
                                      "/usr/libexec",
                                      "/usr/share",
                                      "/usr/share/keys",
                                      "/usr/share/keys/pkgbase-13",
                                      "/usr/share/keys/pkgbase-13/trusted"};
    for (size_t i = 0; i < JA_COUNT(dirs); i++)
        sim_make(sim, dirs[i], "dir");
    for (size_t i = 0; i < JA_COUNT(files); i++)
        sim_put(sim, "file", "path /srv/world/%s", files[i]);
    /* What a jail that installs packages of the base system has of it. */
    for (size_t i = 0; i < JA_COUNT(own); i++)
        sim_make(sim, own[i], "dir");
    sim_make(sim, "/bin/sh", "file");
    sim_put(sim, "filesystem", "zfs tank");
    sim_put(sim, "/tank", "prop tank mountpoint");
    sim_make(sim, "@tank", "dir");
}

static void boot(struct ja_sim *sim)
{
    static const char *const allowed[] = {"raw_sockets", "mount", "mount.devfs", "mount.nullfs", "chflags", "mlock"};
    sim_holder = sim_freebsd_holder;
    if (!sim_get(sim, "zfs tank"))
        make_files(sim);
    sim_put(sim, "", "link vtnet0");
    sim_put(sim, "ether", "type vtnet0");
    sim_put(sim, "yes", "up vtnet0");
    sim_put(sim, "", "addr vtnet0 203.0.113.5/24");
    sim_put(sim, "", "link lo0");
    sim_put(sim, "lo", "type lo0");
    sim_put(sim, "yes", "up lo0");
    sim_put(sim, "", "addr lo0 127.0.0.1/8");
    sim_put(sim, "", "addr lo0 ::1/128");
    sim_put(sim, "203.0.113.1 vtnet0", "route default");
    sim_put(sim, "0", "sysctl net.inet.ip.forwarding");
    sim_put(sim, "0", "sysctl net.inet6.ip6.forwarding");
    sim_put(sim, "1", "sysctl kern.racct.enable");
    sim_put(sim, "amd64", "sysctl hw.machine_arch");
    sim_put(sim, "13.2-RELEASE", "sysctl kern.osrelease");
    sim_put(sim, "4", "sysctl hw.ncpu");
    sim_put(sim, "", "module zfs");
    sim_pf_boot(sim);
    /* /etc/rc.d/devfs */
    for (int i = 1; i <= 5; i++)
        sim_put(sim, "path null unhide", "devfs %d 100", i);
    for (size_t i = 0; i < JA_COUNT(allowed); i++)
        sim_put(sim, "0", "sysctl security.jail.param.allow.%s", allowed[i]);
}

/* By /etc/rc.conf: firewall_enable, and a type that accepts. */
static void boot_denying(struct ja_sim *sim)
{
    boot(sim);
    sim_put(sim, "set 0 allow ip from any to any", "rule 00100");
    sim_ipfw_load(sim);
}

/* Files stay, those below /var/run among them: nothing promises that it is emptied. */
static void shut(struct ja_sim *sim)
{
    static const char *const kinds[] = {
        "link ",        "type ",         "up ",          "mtu ",          "ether ",        "master ",  "span ",
        "pair ",        "addr ",         "route ",       "neigh ",        "jail ",         "process ", "daemon ",
        "private ",     "made ",         "param ",       "stack ",        "linger ",       "rule ",    "table ",
        "entry ",       "nat ",          "pf ",          "anchor ",       "rctl ",         "cpuset ",  "devfs ",
        "kenv ",        "module ",       "sysctl ",      "ipfw ",         "pipe ",         "onepass ", "from ",
        "path @devfs:", "path @nullfs:", "path @tmpfs:", "path @procfs:", "path @fdescfs:"};
    for (size_t i = 0; i < JA_COUNT(kinds); i++)
        sim_drop_all(sim, "%s", kinds[i]);
}

/* When no verb is under way, packets of the host and of every jail pass, and no jail's interfaces are on the host. */
static void check(struct ja_sim *sim)
{
    char stack[32];
    unsigned jid;
    sim_ipfw_check(sim);
    if (!sim_ipfw_accepts(sim, ""))
        sim_trouble(sim, "ipfw denies all packets of the host");
    for (size_t i = sim_from(sim, "stack "); sim_starts(sim, i, "stack "); i++) {
        if (sscanf(sim->entries[i].key, "stack %u", &jid) != 1)
            abort();
        snprintf(stack, sizeof stack, "%u#", jid);
        if (!sim_ipfw_accepts(sim, stack))
            sim_trouble(sim, "ipfw denies all packets of the jail %s", sim->entries[i].value);
        if (!sim_get(sim, "addr %slo0 127.0.0.1/8", stack))
            sim_trouble(sim, "the jail %s has no 127.0.0.1", sim->entries[i].value);
    }
}

static const char *const stays[] = {
    "module ", "kenv ", "ipfw ", "rule 65535", "sysctl net.link.bridge.", "sysctl net.inet.ip.fw.", NULL};

static const char *const tools[] = {"zfs",        "ifconfig", "route",   "jail", "jexec",    "jls",     "ipfw",
                                    "devfs",      "mount",    "umount",  "rctl", "kldload",  "kenv",    "sysctl",
                                    "cp",         "env",      "netstat", "tar",  "sockstat", "dnsmasq", "pfctl",
                                    "pkg-static", "cpuset",   "arp",     "ndp",  NULL};

static const struct ja_sim_command *const tables[] = {sim_freebsd_net_commands,
                                                      sim_freebsd_jail_commands,
                                                      sim_freebsd_ipfw_commands,
                                                      sim_freebsd_pf_commands,
                                                      sim_zfs_commands,
                                                      sim_file_commands,
                                                      NULL};

#define FREEBSD                                                                                                        \
    .os = JA_OS_FREEBSD, .storage = "zfs:tank/ja", .source = "dir:/srv/world", .run = "/var/run", .uplink = "vtnet0",  \
    .commands = tables, .tools = tools, .stays = stays, .fact = fact, .read = read_facts, .shut = shut, .check = check

const struct ja_sim_system ja_sim_freebsd = {FREEBSD, .name = "freebsd", .boot = boot};
const struct ja_sim_system ja_sim_freebsd_deny = {FREEBSD, .name = "freebsd-deny", .boot = boot_denying};
