/*
 * sim_freebsd_print.c: what the commands print that the fact reader of FreeBSD runs, in the form in which 13.2 printed it. The
 * real reader and its parsers are thus at work in every test on a simulated FreeBSD.
 */
#include "sim_freebsd.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The rest of a key of the host's own network stack; NULL: a jail's. */
static const char *of_host(const struct ja_sim *sim, size_t i, const char *kind)
{
    const char *rest = sim->entries[i].key + strlen(kind);
    return strchr(rest, '#') ? NULL : rest;
}

static int print_jails(struct ja_sim *sim, struct ja_str *output)
{
    struct sim_jail jail;
    bool first = true;
    ja_str_add(output, "{\"__version\": \"2\", \"jail-information\": {\"jail\": [");
    for (size_t i = sim_from(sim, "jail "); sim_starts(sim, i, "jail "); i++) {
        sim_jail_at(sim, i, &jail);
        ja_str_addf(output, "%s{\"jid\":\"%u\",\"name\":\"%s\",\"path\":\"%s\",\"dying\":%s}", first ? "" : ", ",
                    jail.jid, jail.name, jail.path, jail.dying ? "true" : "false");
        first = false;
    }
    ja_str_add(output, "]}}\n");
    return 0;
}

static void print_addresses(struct ja_sim *sim, const char *link, struct ja_str *output)
{
    char prefix[SIM_NAME], text[JA_ADDR_TEXT];
    snprintf(prefix, sizeof prefix, "addr %s ", link);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++) {
        struct ja_addr addr;
        if (ja_addr_parse(sim->entries[i].key + strlen(prefix), &addr, NULL) < 0)
            abort();
        ja_addr_format(&addr, false, text);
        if (addr.v6)
            ja_str_addf(output, "\tinet6 %s prefixlen %d\n", text, addr.prefix);
        else
            ja_str_addf(output, "\tinet %s netmask 0x%08x\n", text,
                        addr.prefix ? 0xffffffffu << (32 - addr.prefix) : 0u);
    }
}

static void print_bridge(struct ja_sim *sim, const char *bridge, struct ja_str *output)
{
    ja_str_add(output, "\tid 00:00:00:00:00:00 priority 32768 hellotime 2 fwddelay 15\n");
    for (size_t i = sim_from(sim, "master "); sim_starts(sim, i, "master "); i++)
        if (of_host(sim, i, "master ") && strcmp(sim->entries[i].value, bridge) == 0)
            ja_str_addf(output, "\tmember: %s flags=%s>\n", of_host(sim, i, "master "),
                        sim_get(sim, "private %s", of_host(sim, i, "master "))
                            ? "943<LEARNING,DISCOVER,PRIVATE,AUTOEDGE,AUTOPTP"
                            : "143<LEARNING,DISCOVER,AUTOEDGE,AUTOPTP");
    for (size_t i = sim_from(sim, "span "); sim_starts(sim, i, "span "); i++)
        if (of_host(sim, i, "span ") && strcmp(sim->entries[i].value, bridge) == 0)
            ja_str_addf(output, "\tmember: %s flags=8<SPAN>\n", of_host(sim, i, "span "));
    ja_str_add(output, "\tgroups: bridge\n");
}

static int print_links(struct ja_sim *sim, struct ja_str *output)
{
    for (size_t i = sim_from(sim, "link "); sim_starts(sim, i, "link "); i++) {
        const char *link = of_host(sim, i, "link "), *mtu = link ? sim_get(sim, "mtu %s", link) : NULL;
        if (!link)
            continue;
        bool up = sim_get(sim, "up %s", link) != NULL;
        ja_str_addf(output, "%s: flags=%s metric 0 mtu %s\n", link,
                    up ? "8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST>" : "8842<BROADCAST,RUNNING,SIMPLEX,MULTICAST>",
                    mtu ? mtu : "1500");
        if (*sim->entries[i].value)
            ja_str_addf(output, "\tdescription: %s\n", sim->entries[i].value);
        print_addresses(sim, link, output);
        if (ja_str_equal(sim_get(sim, "type %s", link), "bridge"))
            print_bridge(sim, link, output);
    }
    return 0;
}

static int print_mounts(struct ja_sim *sim, struct ja_str *output)
{
    ja_str_add(output, "{\"mount\": {\"fstab\": [{\"device\":\"/dev/vtbd0p2\",\"mntpoint\":\"/\",\"fstype\":\"ufs\","
                       "\"opts\":\"rw,noatime\",\"dump\":1,\"pass\":1}");
    for (size_t i = sim_from(sim, "mount "); sim_starts(sim, i, "mount "); i++) {
        const char *path = sim->entries[i].key + strlen("mount "), *from = sim_get(sim, "from %s", path);
        ja_str_addf(output,
                    ", {\"device\":\"%s\",\"mntpoint\":\"%s\",\"fstype\":\"%s\",\"opts\":\"rw\",\"dump\":0,\"pass\":0}",
                    from ? from : sim_get(sim, "source %s", path), path, sim->entries[i].value);
    }
    for (size_t i = sim_from(sim, "bind "); sim_starts(sim, i, "bind "); i++)
        ja_str_addf(
            output,
            ", {\"device\":\"%s\",\"mntpoint\":\"%s\",\"fstype\":\"nullfs\",\"opts\":\"%s\",\"dump\":0,\"pass\":0}",
            sim->entries[i].value, sim->entries[i].key + strlen("bind "),
            sim_get(sim, "ro-%s", sim->entries[i].key) ? "ro,nosuid" : "rw");
    ja_str_add(output, "]}}\n");
    return 0;
}

static int print_routes(struct ja_sim *sim, struct ja_str *output)
{
    ja_str_add(output, "{\"statistics\": {\"route-information\": {\"route-table\": {\"rt-family\": [");
    for (int v6 = 0; v6 < 2; v6++) {
        bool first = true;
        ja_str_addf(output, "%s{\"address-family\":\"Internet%s\",\"rt-entry\": [", v6 ? ", " : "", v6 ? "6" : "");
        for (size_t i = sim_from(sim, "route "); sim_starts(sim, i, "route "); i++) {
            const char *to = of_host(sim, i, "route "), *at = strchr(sim->entries[i].value, ' ');
            bool of_v6 = to && (strchr(to, ':') || strcmp(to, "default6") == 0);
            if (!to || of_v6 != (v6 == 1))
                continue;
            ja_str_addf(output,
                        "%s{\"destination\":\"%s\",\"gateway\":\"%.*s\",\"flags\":\"UGS\",\"interface-name\":\"%s\"}",
                        first ? "" : ", ", ja_str_starts(to, "default") ? "default" : to,
                        (int)(at - sim->entries[i].value), sim->entries[i].value, at + 1);
            first = false;
        }
        ja_str_add(output, "]}");
    }
    ja_str_add(output, "]}}}}\n");
    return 0;
}

/* Permanent ones; the host's own addresses are among them. */
static int print_neighbours(struct ja_sim *sim, bool v6, struct ja_str *output)
{
    bool first = true;
    ja_str_add(output, v6 ? "Neighbor                             Linklayer Address  Netif Expire    1s 5s\n"
                          : "{\"__version\": \"1\", \"arp\": {\"arp-cache\": [");
    for (size_t i = sim_from(sim, "neigh "); sim_starts(sim, i, "neigh "); i++) {
        const char *address = of_host(sim, i, "neigh "), *value = sim->entries[i].value, *at = strchr(value, ' ');
        if (!address || (strchr(address, ':') != NULL) != v6)
            continue;
        if (v6)
            ja_str_addf(output, "%-36s %.*s %s permanent R \n", address, (int)(at - value), value, at + 1);
        else
            ja_str_addf(output,
                        "%s{\"hostname\":\"?\",\"ip-address\":\"%s\",\"mac-address\":\"%.*s\",\"interface\":\"%s\","
                        "\"permanent\":true,\"type\":\"bridge\"}",
                        first ? "" : ", ", address, (int)(at - value), value, at + 1);
        first = false;
    }
    ja_str_add(output, v6 ? "" : "]}}\n");
    return 0;
}

static int print_modules(struct ja_sim *sim, struct ja_str *output)
{
    ja_str_add(output, "Id Refs Address                Size Name\n"
                       " 1   13 0xffffffff80200000   bd8788 kernel (/boot/kernel/kernel)\n"
                       "\tContains modules:\n\t\t Id Name\n\t\t463 pci/vtnet\n");
    unsigned id = 2;
    for (size_t i = sim_from(sim, "module "); sim_starts(sim, i, "module "); i++) {
        const char *name = sim->entries[i].key + strlen("module ");
        ja_str_addf(output, "%2u    1 0xffffffff80e07000   595a50 %s.ko (/boot/kernel/%s.ko)\n", id, name, name);
        ja_str_addf(output, "\tContains modules:\n\t\t Id Name\n\t\t%3u %s\n", 500 + id, name);
        id++;
    }
    return 0;
}

/* sysctl -e kern.features, sysctl -ie NAME... */
static int print_settings(struct ja_sim *sim, char *const *argv, struct ja_str *output)
{
    if (strcmp(argv[1], "-e") == 0) {
        ja_str_add(output, "kern.features.vimage=1\nkern.features.racct=1\nkern.features.rctl=1\n");
        return 0;
    }
    for (int i = 2; argv[i]; i++) {
        const char *value = sim_get(sim, "sysctl %s", argv[i]);
        if (value)
            ja_str_addf(output, "%s=%s\n", argv[i], value);
    }
    return 0;
}

/* ---- ipfw ---- */

static void print_rules(struct ja_sim *sim, struct ja_str *output)
{
    for (size_t i = sim_from(sim, "rule "); sim_starts(sim, i, "rule "); i++) {
        const char *number = of_host(sim, i, "rule "), *text = sim->entries[i].value;
        for (size_t n; number && *text; text += n + (text[n] == '\n')) {
            n = strcspn(text, "\n");
            ja_str_addf(output, "%s %.*s\n", number, (int)n, text);
        }
    }
}

static void print_tables(struct ja_sim *sim, bool info, struct ja_str *output)
{
    char prefix[SIM_NAME * 2];
    unsigned index = 1;
    for (size_t i = sim_from(sim, "table "); sim_starts(sim, i, "table "); i++) {
        const char *table = of_host(sim, i, "table ");
        if (!table)
            continue;
        ja_str_addf(output, "--- table(%s), set(0) ---\n", table);
        if (info)
            ja_str_addf(output,
                        " kindex: %u, type: %s\n references: 0, valtype: legacy\n algorithm: addr:radix\n"
                        " items: 0, size: 296\n",
                        index++, sim->entries[i].value);
        snprintf(prefix, sizeof prefix, "entry %s ", table);
        for (size_t k = sim_from(sim, prefix); !info && sim_starts(sim, k, prefix); k++)
            ja_str_addf(output, "%s %s\n", sim->entries[k].key + strlen(prefix), sim->entries[k].value);
    }
}

static int print_ipfw(struct ja_sim *sim, char *const *argv, struct ja_str *output)
{
    if (!sim_get(sim, "module ipfw")) {
        ja_str_add(output, "ipfw: retrieving config failed: Protocol not available\n");
        return 69;
    }
    if (strcmp(argv[1], "-S") == 0)
        print_rules(sim, output);
    else if (strcmp(argv[1], "table") == 0)
        print_tables(sim, strcmp(argv[3], "info") == 0, output);
    else
        for (size_t i = sim_from(sim, "nat "); sim_starts(sim, i, "nat "); i++)
            if (of_host(sim, i, "nat "))
                ja_str_addf(output, "ipfw nat %s config %s\n", of_host(sim, i, "nat "), sim->entries[i].value);
    return 0;
}

static int print_limits(struct ja_sim *sim, struct ja_str *output)
{
    if (!ja_str_equal(sim_get(sim, "sysctl kern.racct.enable"), "1")) {
        ja_str_add(output, "rctl: RACCT/RCTL present, but disabled; enable using kern.racct.enable=1 tunable\n");
        return 1;
    }
    for (size_t i = sim_from(sim, "rctl "); sim_starts(sim, i, "rctl "); i++)
        ja_str_addf(output, "%s\n", sim->entries[i].key + strlen("rctl "));
    return 0;
}

/* devfs rule -s N show */
static int print_ruleset(struct ja_sim *sim, const char *number, struct ja_str *output)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "devfs %s ", number);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++)
        ja_str_addf(output, "%s %s\n", sim->entries[i].key + strlen(prefix), sim->entries[i].value);
    return 0;
}

int sim_freebsd_print(struct ja_sim *sim, char *const *argv, struct ja_str *output)
{
    if (strcmp(argv[0], "jls") == 0)
        return print_jails(sim, output);
    if (strcmp(argv[0], "ifconfig") == 0)
        return print_links(sim, output);
    if (strcmp(argv[0], "mount") == 0)
        return print_mounts(sim, output);
    if (strcmp(argv[0], "netstat") == 0)
        return print_routes(sim, output);
    if (strcmp(argv[0], "arp") == 0 || strcmp(argv[0], "ndp") == 0)
        return print_neighbours(sim, argv[0][0] == 'n', output);
    if (strcmp(argv[0], "kldstat") == 0)
        return print_modules(sim, output);
    if (strcmp(argv[0], "sysctl") == 0)
        return print_settings(sim, argv, output);
    if (strcmp(argv[0], "ipfw") == 0)
        return print_ipfw(sim, argv, output);
    if (strcmp(argv[0], "pfctl") == 0)
        return sim_pf_print(sim, argv, output);
    if (strcmp(argv[0], "devfs") == 0)
        return print_ruleset(sim, argv[3], output);
    if (strcmp(argv[0], "rctl") == 0)
        return print_limits(sim, output);
    if (strcmp(argv[0], "sockstat") == 0) {
        ja_str_add(output, "USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS      \n");
        return 0;
    }
    return -1;
}
