/*
 * dns.c: the names of jails, and the addresses that they ask for. Each network that wants either has a dnsmasq on its
 * bridge, which reads one file per jail from a directory and notices by itself when one comes or changes. Names outside go
 * to the resolvers of the host.
 */
#include "host/common.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

struct paths {
    char config[320], names[320], hosts[320], leases[320], pid[320];
};

static struct paths paths_of(const struct ja_planning *p, const struct ja_network *network)
{
    struct paths paths;
    snprintf(paths.config, sizeof paths.config, "%s/dns/%s.conf", p->site->run, network->name);
    snprintf(paths.names, sizeof paths.names, "%s/dns/%s.d", p->site->run, network->name);
    snprintf(paths.hosts, sizeof paths.hosts, "%s/dns/%s.dhcp", p->site->run, network->name);
    snprintf(paths.leases, sizeof paths.leases, "%s/dns/%s.leases", p->site->run, network->name);
    snprintf(paths.pid, sizeof paths.pid, "%s/dns/%s.pid", p->site->run, network->name);
    return paths;
}

static bool is_wanted(const struct ja_network *network)
{
    struct ja_addr gateway;
    return (network->dns || network->dhcp) &&
           (ja_network_gateway(network, false, &gateway) || ja_network_gateway(network, true, &gateway));
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

/* Who on the host already listens where ours would; NULL: nobody. */
static const char *taken_by(struct ja_planning *p, const struct ja_network *network)
{
    static const char *const protocols[] = {"udp", "tcp"};
    const char *who = NULL;
    for (int v6 = 0; network->dns && v6 < 2; v6++) {
        struct ja_addr gateway;
        char text[JA_ADDR_TEXT];
        if (!ja_network_gateway(network, v6, &gateway))
            continue;
        ja_addr_format(&gateway, false, text);
        for (size_t i = 0; i < JA_COUNT(protocols); i++) {
            const char *found = ja_factf(p->facts, JA_FACT_LISTEN, "%s %s 53", protocols[i], text);
            who = who ? who : found;
        }
    }
    return who;
}

bool ja_dns_answers(struct ja_planning *p, const struct ja_network *network)
{
    struct paths paths = paths_of(p, network);
    if (!network->dns)
        return false;
    /* Who else listens there is asked only when ours is known not to: it means looking at every process. */
    size_t missing = p->facts->missing;
    bool alive = is_alive(p, &paths), unknown = p->facts->missing > missing;
    return is_possible(p, network) && (alive || unknown || !taken_by(p, network));
}

/* Which addresses are given out: reserved ones only. */
static void dhcp_text(const struct paths *paths, const struct ja_network *network, struct ja_str *text)
{
    struct ja_addr gateway, net;
    char address[JA_ADDR_TEXT];
    /* Answers are broadcast: before a unicast one dnsmasq would replace our permanent neighbour entry. */
    ja_str_addf(text, "dhcp-authoritative\ndhcp-broadcast\ndhcp-leasefile=%s\ndhcp-hostsdir=%s\n", paths->leases,
                paths->hosts);
    if (ja_network_gateway(network, false, &gateway)) {
        ja_addr_network(&gateway, &net);
        ja_addr_format(&net, false, address);
        ja_str_addf(text, "dhcp-range=%s,static,12h\n", address);
    }
    if (ja_network_gateway(network, true, &gateway) && gateway.prefix == 64) {
        ja_addr_network(&gateway, &net);
        ja_addr_format(&net, false, address);
        ja_str_addf(text, "enable-ra\ndhcp-range=%s,ra-only,64\n", address);
    }
}

static void config_text(const struct ja_planning *p, const struct ja_network *network, struct ja_str *text)
{
    struct paths paths = paths_of(p, network);
    char domain[JA_DOMAIN_TEXT], bridge[16], address[JA_ADDR_TEXT];
    ja_network_domain(network, domain);
    ja_site_bridge_name(p->site, network->slot, bridge);
    ja_str_addf(text, "# names of network %s; written by jailadmin, do not edit\n", network->name);
    ja_str_add(text, "user=nobody\nbind-interfaces\n");
    /* DHCP is asked for without an address: it takes the interface. Names alone are asked for at the gateway's. */
    if (network->dhcp)
        ja_str_addf(text, "except-interface=lo\ninterface=%s\n", bridge);
    for (int v6 = 0; !network->dhcp && v6 < 2; v6++) {
        struct ja_addr gateway;
        if (!ja_network_gateway(network, v6, &gateway))
            continue;
        ja_addr_format(&gateway, false, address);
        ja_str_addf(text, "listen-address=%s\n", address);
    }
    if (!network->dns)
        ja_str_add(text, "port=0\n");
    /* The host's own /etc/hosts is not for jails; names of the network and names without dots are not for the
     * world, nor are its addresses. */
    ja_str_addf(text, "no-hosts\nhostsdir=%s\ndomain=%s\nlocal=/%s/\ndomain-needed\n", paths.names, domain, domain);
    for (int v6 = 0; v6 < 2; v6++) {
        struct ja_addr gateway, net;
        if (!ja_network_gateway(network, v6, &gateway))
            continue;
        ja_addr_network(&gateway, &net);
        ja_addr_format(&net, true, address);
        ja_str_addf(text, "rev-server=%s\n", address);
    }
    if (network->dhcp)
        dhcp_text(&paths, network, text);
}

bool ja_dns_is_up(struct ja_planning *p, const struct ja_network *network)
{
    if (!is_wanted(network))
        return true;
    /* All is asked at once, whether dnsmasq is installed or not: facts that are asked later cost another round of planning. */
    struct paths paths = paths_of(p, network);
    const char *config = ja_fact(p->facts, JA_FACT_FILE, paths.config);
    const char *names = ja_fact(p->facts, JA_FACT_PATH, paths.names);
    const char *hosts = network->dhcp ? ja_fact(p->facts, JA_FACT_PATH, paths.hosts) : "";
    bool alive = is_alive(p, &paths);
    if (!is_possible(p, network))
        return true;
    ja_autostr struct ja_str text = {0};
    config_text(p, network, &text);
    return alive && names && hosts && config && text.text && strcmp(config, text.text) == 0;
}

static void stop(struct ja_planning *p, const char *pid, const char *why)
{
    struct ja_step *step = ja_plan_host_step(p, "daemon-stop", "%s", why);
    ja_step_run(p->plan, step, pid, "dnsmasq", NULL);
}

static void write_config(struct ja_planning *p, const struct ja_network *network, const struct paths *paths)
{
    ja_autostr struct ja_str text = {0};
    config_text(p, network, &text);
    const char *old = ja_fact(p->facts, JA_FACT_FILE, paths->config);
    struct ja_step *step = ja_plan_host_step(p, "write", "set up the resolver of network %s", network->name);
    ja_step_run(p->plan, step, "--mode", "0644", paths->config, NULL);
    ja_step_input(p->plan, step, "%s", text.text ? text.text : "");
    if (text.failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    if (old) {
        ja_step_undo_host(p, step, "write", "--mode", "0644", paths->config, NULL);
        ja_step_undo_input(p->plan, step, "%s", old);
    } else {
        ja_step_undo_host(p, step, "remove", paths->config, NULL);
    }
}

static void start(struct ja_planning *p, const struct ja_network *network, const struct paths *paths)
{
    write_config(p, network, paths);
    struct ja_step *step = ja_plan_step(p->plan, "start the resolver of network %s", network->name);
    ja_step_run(p->plan, step, TOOL("dnsmasq"), NULL);
    ja_step_runf(p->plan, step, "--conf-file=%s", paths->config);
    ja_step_runf(p->plan, step, "--pid-file=%s", paths->pid);
    ja_step_undo_host(p, step, "daemon-stop", paths->pid, "dnsmasq", NULL);
    if (p->host->daemon_started)
        p->host->daemon_started(p, paths->pid, "dnsmasq");
}

/* Directories that it reads. */
static void make_directories(struct ja_planning *p, const struct ja_network *network, const struct paths *paths)
{
    if (!ja_fact(p->facts, JA_FACT_PATH, paths->names))
        ja_plan_mkdir(p, paths->names, "0755", false, "make the directory of its jails' names");
    if (network->dhcp && !ja_fact(p->facts, JA_FACT_PATH, paths->hosts))
        ja_plan_mkdir(p, paths->hosts, "0755", false, "make the directory of its jails' addresses");
}

/* False, with a note, when it cannot be started now. */
static bool can_start(struct ja_planning *p, const struct ja_network *network)
{
    if (is_wanted(network) && !is_possible(p, network))
        ja_plan_note(
            p->plan,
            "dnsmasq is not installed: names of jails in network %s are not resolved, and no addresses given out",
            network->name);
    if (!is_possible(p, network))
        return false;
    const char *who = taken_by(p, network);
    if (who)
        ja_plan_note(p->plan,
                     "%s already listens on port 53 of the host: names of jails in network %s are not resolved", who,
                     network->name);
    return !who;
}

void ja_dns_up(struct ja_planning *p, const struct ja_network *network)
{
    struct paths paths = paths_of(p, network);
    if (is_possible(p, network) && ja_dns_is_up(p, network))
        return;
    bool alive = is_wanted(network) && is_alive(p, &paths);
    /* Jails write their names there, also when nobody can read them now. */
    if (is_possible(p, network))
        make_directories(p, network, &paths);
    if (!alive && !can_start(p, network))
        return;
    if (alive)
        stop(p, paths.pid, "end the resolver, whose settings are old");
    start(p, network, &paths);
}

/* What is left of a resolver that has ended. */
static void remove_files(struct ja_planning *p, const struct paths *paths)
{
    struct ja_step *step = ja_plan_host_step(p, "remove", "remove the resolver's settings");
    ja_step_run(p->plan, step, paths->config, NULL);
    step = ja_plan_host_step(p, "remove-tree", "remove the directory of its jails' names");
    ja_step_run(p->plan, step, paths->names, NULL);
    if (!ja_fact(p->facts, JA_FACT_PATH, paths->hosts))
        return;
    step = ja_plan_host_step(p, "remove-tree", "remove the directory of its jails' addresses");
    ja_step_run(p->plan, step, paths->hosts, NULL);
    step = ja_plan_host_step(p, "remove", "remove the list of addresses that were given out");
    ja_step_run(p->plan, step, paths->leases, NULL);
}

void ja_dns_down(struct ja_planning *p, const struct ja_network *network)
{
    struct paths paths = paths_of(p, network);
    if (!ja_fact(p->facts, JA_FACT_PATH, paths.config) && !ja_fact(p->facts, JA_FACT_PATH, paths.names))
        return;
    stop(p, paths.pid, "end the resolver");
    remove_files(p, &paths);
}

void ja_dns_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                   const struct ja_subject *to_jails, size_t count)
{
    struct paths paths = paths_of(p, to);
    ja_autostr struct ja_str before = {0}, after = {0};
    config_text(p, from, &before);
    config_text(p, to, &after);
    bool same = is_wanted(from) == is_wanted(to) && ja_str_equal(before.text, after.text);
    bool alive = is_alive(p, &paths);
    if (same || (!is_wanted(from) && !is_wanted(to)))
        return;
    if (alive) {
        struct ja_step *step = ja_plan_host_step(p, "daemon-stop", "end the resolver of network %s", to->name);
        ja_step_run(p->plan, step, paths.pid, "dnsmasq", NULL);
        ja_step_undo_host(p, step, "daemon-start", paths.pid, "dnsmasq", "--", TOOL("dnsmasq"), NULL);
        ja_step_undof(p->plan, step, "--conf-file=%s", paths.config);
        ja_step_undof(p->plan, step, "--pid-file=%s", paths.pid);
    }
    if (!is_wanted(to) || (!alive && !can_start(p, to)))
        return;
    make_directories(p, to, &paths);
    for (size_t i = 0; i < count; i++)
        ja_dns_names_add(p, &to_jails[i]);
    start(p, to, &paths);
}

void ja_dns_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to)
{
    struct paths paths = paths_of(p, to);
    if (is_wanted(from) && !is_wanted(to))
        remove_files(p, &paths);
}

void ja_dns_remove_all(struct ja_planning *p)
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
    char domain[JA_DOMAIN_TEXT], address[JA_ADDR_TEXT];
    ja_network_domain(network, domain);
    for (size_t i = 0; network->dns && i < jail->nics.count; i++) {
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

/* "MAC,ADDRESS" of each nic that asks for its IPv4 address. IPv6 makes its own of what the gateway advertises. */
static void hosts_text(const struct ja_subject *s, const struct ja_network *network, struct ja_str *text)
{
    for (size_t i = 0; network->dhcp && i < s->jail->nics.count; i++) {
        const struct ja_nic *nic = s->jail->nics.items[i];
        char mac[JA_MAC_TEXT];
        if (strcmp(s->networks[i]->name, network->name) != 0)
            continue;
        ja_nic_mac(s->jail, nic, mac);
        for (size_t a = 0; a < nic->assigned.count; a++) {
            struct ja_addr addr;
            char address[JA_ADDR_TEXT];
            if (!ja_nic_is_dynamic(nic, a) || ja_addr_parse(nic->assigned.items[a], &addr, NULL) < 0 || addr.v6)
                continue;
            ja_addr_format(&addr, false, address);
            ja_str_addf(text, "%s,%s\n", mac, address);
        }
    }
}

typedef void each_file(struct ja_planning *p, const struct ja_subject *s, const struct ja_network *network,
                       const char *path, const struct ja_str *text, bool is_hosts);

/* Calls `each` for every file of a jail in its networks' directories that has something to say. */
static void for_each_file(struct ja_planning *p, const struct ja_subject *s, each_file *each)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        const struct ja_network *network = s->networks[i];
        if (!is_first(s, i))
            continue;
        struct paths paths = paths_of(p, network);
        for (int is_hosts = 0; is_hosts < 2; is_hosts++) {
            ja_autostr struct ja_str text = {0};
            char path[512];
            if (is_hosts)
                hosts_text(s, network, &text);
            else
                names_text(s, network, &text);
            snprintf(path, sizeof path, "%s/%s", is_hosts ? paths.hosts : paths.names, s->jail->name);
            if (text.failed)
                ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
            if (text.length)
                each(p, s, network, path, &text, is_hosts);
        }
    }
}

static void add_file(struct ja_planning *p, JA_UNUSED const struct ja_subject *s, const struct ja_network *network,
                     const char *path, const struct ja_str *text, bool is_hosts)
{
    /* What a run left that ended by itself is removed by an earlier step of the next start. */
    const char *old = ja_plan_makes(p->plan, path) ? NULL : ja_fact(p->facts, JA_FACT_FILE, path);
    if (!is_possible(p, network))
        return;
    if (old && strcmp(old, text->text) == 0)
        return;
    struct ja_step *step = is_hosts ? ja_plan_host_step(p, "write", "let network %s give it its address", network->name)
                                    : ja_plan_host_step(p, "write", "tell network %s its name", network->name);
    ja_step_run(p->plan, step, "--mode", "0644", path, NULL);
    ja_step_input(p->plan, step, "%s", text->text);
    if (old) {
        ja_step_undo_host(p, step, "write", "--mode", "0644", path, NULL);
        ja_step_undo_input(p->plan, step, "%s", old);
    } else {
        ja_step_undo_host(p, step, "remove", path, NULL);
    }
}

static void remove_file(struct ja_planning *p, JA_UNUSED const struct ja_subject *s, const struct ja_network *network,
                        const char *path, JA_UNUSED const struct ja_str *text, bool is_hosts)
{
    struct ja_step *step =
        ja_plan_host_step(p, "remove", "let network %s forget its %s", network->name, is_hosts ? "address" : "name");
    ja_step_run(p->plan, step, path, NULL);
    if (!is_hosts)
        return;
    /* It reads by itself what comes and what changes there, but not what goes. */
    struct paths paths = paths_of(p, network);
    step = ja_plan_host_step(p, "daemon-signal", "make the resolver of network %s read its files again", network->name);
    ja_step_run(p->plan, step, paths.pid, "dnsmasq", "SIGHUP", NULL);
}

void ja_dns_names_add(struct ja_planning *p, const struct ja_subject *s)
{
    for_each_file(p, s, add_file);
}

void ja_dns_names_remove(struct ja_planning *p, const struct ja_subject *s)
{
    for_each_file(p, s, remove_file);
}
