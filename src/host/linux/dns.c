/*
 * dns.c: the names of jails. Each network has a dnsmasq on its gateway address, which reads one file per jail
 * from a directory and notices by itself when one comes, changes or goes. Names outside go to the resolvers
 * of the host.
 */
#include "host/linux/network.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

struct paths {
    char config[320], names[320], pid[320];
};

static struct paths paths_of(const struct ja_planning *p, const struct ja_network *network)
{
    struct paths paths;
    snprintf(paths.config, sizeof paths.config, "%s/dns/%s.conf", p->site->run, network->name);
    snprintf(paths.names, sizeof paths.names, "%s/dns/%s.d", p->site->run, network->name);
    snprintf(paths.pid, sizeof paths.pid, "%s/dns/%s.pid", p->site->run, network->name);
    return paths;
}

static bool is_wanted(const struct ja_network *network)
{
    struct ja_addr gateway;
    return network->dns && (ja_linux_gateway(network, false, &gateway) || ja_linux_gateway(network, true, &gateway));
}

/* Wanted, and dnsmasq is installed. */
static bool is_possible(struct ja_planning *p, const struct ja_network *network)
{
    return is_wanted(network) && ja_fact(p->facts, JA_FACT_TOOL, "dnsmasq");
}

static bool is_alive(struct ja_planning *p, const struct paths *paths)
{
    return ja_factf(p->facts, JA_FACT_DAEMON, "%s\tdnsmasq", paths->pid) != NULL;
}

/* Somebody else's resolver on the host that already listens where ours would. */
static bool is_taken(struct ja_planning *p, const struct ja_network *network)
{
    bool taken = false;
    for (int v6 = 0; v6 < 2; v6++) {
        struct ja_addr gateway;
        char text[JA_ADDR_TEXT];
        if (!ja_linux_gateway(network, v6, &gateway))
            continue;
        ja_addr_format(&gateway, false, text);
        taken = ja_factf(p->facts, JA_FACT_LISTEN, "udp %s 53", text) || taken;
        taken = ja_factf(p->facts, JA_FACT_LISTEN, "tcp %s 53", text) || taken;
    }
    return taken;
}

static void config_text(const struct ja_planning *p, const struct ja_network *network, struct ja_str *text)
{
    struct paths paths = paths_of(p, network);
    char domain[JA_LINUX_DOMAIN], address[JA_ADDR_TEXT];
    struct ja_addr gateway;
    ja_linux_domain(network, domain);
    ja_str_addf(text, "# names of network %s; written by jailadmin, do not edit\n", network->name);
    ja_str_add(text, "user=nobody\nbind-interfaces\n");
    for (int v6 = 0; v6 < 2; v6++) {
        if (!ja_linux_gateway(network, v6, &gateway))
            continue;
        ja_addr_format(&gateway, false, address);
        ja_str_addf(text, "listen-address=%s\n", address);
    }
    /* The host's own /etc/hosts is not for jails; names of the network and names without dots are not for the
     * world. */
    ja_str_addf(text, "no-hosts\nhostsdir=%s\ndomain=%s\nlocal=/%s/\ndomain-needed\n", paths.names, domain, domain);
}

bool ja_linux_dns_is_up(struct ja_planning *p, const struct ja_network *network)
{
    if (!is_possible(p, network))
        return true;
    struct paths paths = paths_of(p, network);
    ja_autostr struct ja_str text = {0};
    config_text(p, network, &text);
    const char *config = ja_fact(p->facts, JA_FACT_FILE, paths.config);
    const char *names = ja_fact(p->facts, JA_FACT_PATH, paths.names);
    return is_alive(p, &paths) && names && config && text.text && strcmp(config, text.text) == 0;
}

static void stop(struct ja_planning *p, const char *pid, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "daemon-stop", "%s", why);
    ja_step_run(p->plan, step, pid, "dnsmasq", NULL);
}

void ja_linux_dns_up(struct ja_planning *p, const struct ja_network *network)
{
    if (is_wanted(network) && !is_possible(p, network))
        ja_plan_note(p->plan, "dnsmasq is not installed: names of jails in network %s are not resolved", network->name);
    if (!is_possible(p, network) || ja_linux_dns_is_up(p, network))
        return;
    struct paths paths = paths_of(p, network);
    if (!ja_fact(p->facts, JA_FACT_PATH, paths.names))
        ja_plan_mkdir(p, paths.names, "0755", false, "make the directory of its jails' names");
    if (is_alive(p, &paths)) {
        stop(p, paths.pid, "end the resolver, whose settings are old");
    } else if (is_taken(p, network)) {
        ja_plan_note(p->plan,
                     "another program of the host listens on port 53: names of jails in network %s are not resolved",
                     network->name);
        return;
    }
    ja_autostr struct ja_str text = {0};
    config_text(p, network, &text);
    if (text.failed) {
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        return;
    }
    struct ja_step *step = ja_plan_host_step(p, "write", "set up the resolver of network %s", network->name);
    ja_step_run(p->plan, step, "--mode", "0644", paths.config, NULL);
    ja_step_input(p->plan, step, "%s", text.text);
    ja_step_undo_host(p, step, "remove", paths.config, NULL);
    step = ja_plan_step(p->plan, "start the resolver of network %s", network->name);
    ja_step_run(p->plan, step, TOOL("dnsmasq"), NULL);
    ja_step_runf(p->plan, step, "--conf-file=%s", paths.config);
    ja_step_runf(p->plan, step, "--pid-file=%s", paths.pid);
    ja_step_undo_host(p, step, "daemon-stop", paths.pid, "dnsmasq", NULL);
}

void ja_linux_dns_down(struct ja_planning *p, const struct ja_network *network)
{
    struct paths paths = paths_of(p, network);
    if (!ja_fact(p->facts, JA_FACT_PATH, paths.config) && !ja_fact(p->facts, JA_FACT_PATH, paths.names))
        return;
    stop(p, paths.pid, "end the resolver");
    struct ja_step *step = ja_plan_host_step(p, "remove", "remove the resolver's settings");
    ja_step_run(p->plan, step, paths.config, NULL);
    step = ja_plan_host_step(p, "remove-tree", "remove the directory of its jails' names");
    ja_step_run(p->plan, step, paths.names, NULL);
}

void ja_linux_dns_remove_all(struct ja_planning *p)
{
    const char *files = ja_factf(p->facts, JA_FACT_DIRECTORY, "%s/dns", p->site->run);
    while (files && *files) {
        char name[128], pid[512];
        size_t length = strcspn(files, "\n");
        if (length < sizeof name && length > 4 && memcmp(files + length - 4, ".pid", 4) == 0) {
            snprintf(name, sizeof name, "%.*s", (int)length, files);
            snprintf(pid, sizeof pid, "%s/dns/%s", p->site->run, name);
            stop(p, pid, "end the resolvers");
        }
        files += length + (files[length] == '\n');
    }
}

/* ---- names ---- */

/* The first nic of a jail in each network that has a resolver stands for all of them there. */
static bool is_first(const struct ja_subject *s, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (s->networks[i] == s->networks[number] || strcmp(s->networks[i]->name, s->networks[number]->name) == 0)
            return false;
    return is_wanted(s->networks[number]);
}

static void names_text(const struct ja_subject *s, const struct ja_network *network, struct ja_str *text)
{
    const struct ja_jail *jail = s->jail;
    char domain[JA_LINUX_DOMAIN], address[JA_ADDR_TEXT];
    ja_linux_domain(network, domain);
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        if (strcmp(s->networks[i]->name, network->name) != 0)
            continue;
        for (size_t a = 0; a < nic->assigned.count; a++) {
            struct ja_addr addr;
            if (ja_addr_parse(nic->assigned.items[a], &addr, NULL) < 0)
                continue;
            ja_addr_format(&addr, false, address);
            /* The first is what the address is resolved to. Its hostname is no name here: a jail that calls
             * itself www.example.org must not be that for its neighbours. */
            ja_str_addf(text, "%s %s.%s %s\n", address, jail->name, domain, jail->name);
        }
    }
}

void ja_linux_names_add(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        if (!is_first(s, i) || !is_possible(p, s->networks[i]))
            continue;
        ja_autostr struct ja_str text = {0};
        names_text(s, s->networks[i], &text);
        if (text.failed)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
        if (!text.length)
            continue;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", paths_of(p, s->networks[i]).names, s->jail->name);
        struct ja_step *step = ja_plan_host_step(p, "write", "tell network %s its name", s->networks[i]->name);
        ja_step_run(p->plan, step, "--mode", "0644", path, NULL);
        ja_step_input(p->plan, step, "%s", text.text);
        ja_step_undo_host(p, step, "remove", path, NULL);
    }
}

void ja_linux_names_remove(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        if (!is_first(s, i))
            continue;
        struct ja_step *step = ja_plan_host_step(p, "remove", "let network %s forget its name", s->networks[i]->name);
        ja_step_runf(p->plan, step, "%s/%s", paths_of(p, s->networks[i]).names, s->jail->name);
    }
}
