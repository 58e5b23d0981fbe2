/*
 * examine.c: doctor's view of a FreeBSD host: kernel, modules, programs, and what other rules do to those of jails.
 */
#include "host/freebsd/rules.h"
#include "plan/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(struct ja_planning *p, const char *name)
{
    return ja_fact(p->facts, JA_FACT_SYSCTL, name);
}

static bool setting_is(struct ja_planning *p, const char *name, const char *value)
{
    const char *now = setting(p, name);
    return now && strcmp(now, value) == 0;
}

/* ---- the kernel ---- */

static void examine_kernel(struct ja_planning *p, struct ja_findings *findings)
{
    const char *release = setting(p, "kern.osrelease"), *level = setting(p, "kern.securelevel");
    int major = 0;
    if (!release || sscanf(release, "%d.", &major) != 1)
        ja_find(findings, JA_LEVEL_WARN, "kernel", "see that sysctl(8) works", "its version cannot be read");
    else if (major < 13)
        ja_find(findings, JA_LEVEL_BAD, "kernel", "use FreeBSD 13 or newer", "FreeBSD %s is too old", release);
    else
        ja_find(findings, JA_LEVEL_OK, "kernel", NULL, "FreeBSD %s", release);
    if (!ja_fact(p->facts, JA_FACT_MODULE, "vimage"))
        ja_find(findings, JA_LEVEL_BAD, "kernel", "use GENERIC, or a kernel with `options VIMAGE`",
                "it has no network stacks for jails: only vnet=shared and vnet=inherit work");
    if (level && atoi(level) >= 3)
        ja_find(findings, JA_LEVEL_BAD, "kernel", "set kern_securelevel below 3 in /etc/rc.conf, and boot again",
                "kern.securelevel is %s: rules of ipfw cannot change", level);
}

static void examine_limits(struct ja_planning *p, struct ja_findings *findings)
{
    if (setting_is(p, "kern.racct.enable", "1"))
        ja_find(findings, JA_LEVEL_OK, "limits", NULL, "the kernel counts what jails use");
    else if (setting(p, "kern.racct.enable"))
        ja_find(findings, JA_LEVEL_WARN, "limits", "write kern.racct.enable=1 into /boot/loader.conf, and boot again",
                "the kernel does not count what jails use: jails with limits do not start");
    else
        ja_find(findings, JA_LEVEL_WARN, "limits", "use GENERIC, or a kernel with `options RACCT` and `options RCTL`",
                "the kernel cannot count what jails use: jails with limits do not start");
}

/* Loaded, built in, or a file from which it is loaded when it is needed. */
static void examine_module(struct ja_planning *p, struct ja_findings *findings, const char *module, const char *what)
{
    static const char *const directories[] = {"/boot/kernel", "/boot/modules"};
    bool there = ja_fact(p->facts, JA_FACT_MODULE, module) != NULL;
    for (size_t i = 0; i < JA_COUNT(directories); i++)
        there = ja_factf(p->facts, JA_FACT_PATH, "%s/%s.ko", directories[i], module) || there;
    if (!there)
        ja_find(findings, JA_LEVEL_BAD, module, "install the kernel's modules, or a kernel that has it",
                "there is no such kernel module: %s", what);
}

static void examine_modules(struct ja_planning *p, struct ja_findings *findings)
{
    static const struct {
        const char *module, *what;
    } modules[] = {
        {"if_bridge", "no network can be made"},
        {"if_epair", "no jail gets an interface"},
        {"ipfw", "jails cannot be kept apart"},
        {"ipfw_nat", "addresses cannot be translated"},
    };
    for (size_t i = 0; i < JA_COUNT(modules); i++)
        examine_module(p, findings, modules[i].module, modules[i].what);
    if (p->site->storage == JA_STORAGE_ZFS)
        examine_module(p, findings, "zfs", "there is no pool without it");
}

/* What only some jails need. */
static void examine_shaping(struct ja_planning *p, struct ja_findings *findings)
{
    const char *hz = setting(p, "kern.hz");
    if (!ja_fact(p->facts, JA_FACT_MODULE, "dummynet") &&
        !ja_fact(p->facts, JA_FACT_PATH, "/boot/kernel/dummynet.ko") &&
        !ja_fact(p->facts, JA_FACT_PATH, "/boot/modules/dummynet.ko"))
        ja_find(findings, JA_LEVEL_WARN, "shaping", "install the kernel's modules, if jails are to be shaped",
                "there is no kernel module dummynet: jails whose traffic is shaped do not start");
    else if (hz && atoi(hz) > 0 && atoi(hz) < 1000)
        ja_find(findings, JA_LEVEL_OK, "shaping", NULL, "rates, delays and losses, in steps of %d ms (kern.hz=%s)",
                1000 / atoi(hz), hz);
    else
        ja_find(findings, JA_LEVEL_OK, "shaping", NULL, "rates, delays and losses");
}

/* ---- programs ---- */

static void examine_programs(struct ja_planning *p, struct ja_findings *findings)
{
    static const char *const programs[] = {"jail", "jexec", "ifconfig", "ipfw", "devfs",
                                           "zfs",  "zpool", "mount",    "rctl"};
    const char *dnsmasq = ja_fact(p->facts, JA_FACT_TOOL, "dnsmasq");
    for (size_t i = 0; i < JA_COUNT(programs); i++)
        if (!ja_fact(p->facts, JA_FACT_TOOL, programs[i]))
            ja_find(findings, JA_LEVEL_BAD, programs[i], "install the whole base system",
                    "this program of the base system is missing");
    if (dnsmasq)
        ja_find(findings, JA_LEVEL_OK, "dnsmasq", NULL, "%s", dnsmasq);
    else
        ja_find(findings, JA_LEVEL_WARN, "dnsmasq", "pkg install dnsmasq; its service need not be turned on",
                "it is not installed: names of jails are not resolved");
}

/* ---- packets ---- */

/* What networks of this host need is theirs to turn on: one that lacks it is not up. */
static void examine_forwarding(struct ja_planning *p, struct ja_findings *findings)
{
    bool v4 = setting_is(p, "net.inet.ip.forwarding", "1"), v6 = setting_is(p, "net.inet6.ip6.forwarding", "1");
    ja_find(findings, JA_LEVEL_OK, "forwarding", NULL, "IPv4 %s, IPv6 %s%s", v4 ? "on" : "off", v6 ? "on" : "off",
            v4 && v6 ? "" : "; a network turns on what it needs");
}

void ja_freebsd_examine(struct ja_planning *p, struct ja_findings *findings)
{
    examine_kernel(p, findings);
    examine_limits(p, findings);
    examine_modules(p, findings);
    examine_programs(p, findings);
    examine_shaping(p, findings);
    examine_forwarding(p, findings);
    ja_freebsd_rules_examine(p, findings);
    ja_freebsd_pf_examine(p, findings);
}
