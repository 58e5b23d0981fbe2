/*
 * names.c: the names that a jail knows: its own in /etc/hosts, and who resolves others for it, in /etc/resolv.conf. Both are written
 * beneath its tree before it starts.
 */
#include "host/host.h"
#include "net/addr.h"
#include "plan/planning.h"

#include <stdio.h>
#include <string.h>

bool ja_network_gateway(const struct ja_network *network, bool v6, struct ja_addr *ret_gateway)
{
    for (size_t i = 0; i < network->addresses.count; i++) {
        struct ja_addr addr;
        if (ja_addr_parse(network->addresses.items[i], &addr, NULL) == 0 && addr.v6 == v6) {
            *ret_gateway = addr;
            return true;
        }
    }
    return false;
}

void ja_network_domain(const struct ja_network *network, char domain[JA_DOMAIN_TEXT])
{
    if (network->domain && network->domain[0])
        snprintf(domain, JA_DOMAIN_TEXT, "%s", network->domain);
    else
        snprintf(domain, JA_DOMAIN_TEXT, "%s.internal", network->name);
}

/* ---- files ---- */

/* Writes what a jail that builds a template is to find in a file: into its runtime directory, from where Linux mounts it. FreeBSD before
 * 14 mounts no files: there it is written into the tree, out of which it is taken when the template is cleaned. Nothing is known
 * of that tree yet, which the same plan fills: it may have no /etc, and is not given one. */
static void build_file(struct ja_planning *p, const struct ja_jail *jail, const char *path, const char *text,
                       const char *why)
{
    if (p->site->os == JA_OS_FREEBSD) {
        struct ja_step *step = ja_plan_host_step(p, "write", "%s", why);
        ja_step_run(p->plan, step, "--root", p->build_tree, "--mode", "0644", "--uid", "0", "--gid", "0", path, NULL);
        ja_step_input(p->plan, step, "%s", text);
        step->flags |= JA_STEP_IGNORE | JA_STEP_PERSISTENT;
        return;
    }
    ja_autofree char *run = ja_path_run(p, jail);
    const char *slash = strrchr(path, '/');
    if (!run)
        return;
    struct ja_step *step = ja_plan_host_step(p, "write", "%s", why);
    ja_step_run(p->plan, step, "--mode", "0644", NULL);
    ja_step_runf(p->plan, step, "%s/%s", run, slash ? slash + 1 : path);
    ja_step_input(p->plan, step, "%s", text);
    const char *file = step->run.argv.count ? step->run.argv.items[step->run.argv.count - 1] : "";
    ja_step_undo_host(p, step, "remove", file, NULL);
}

/* Writes a file beneath the jail's tree if it says something else now; the undo puts the old text back. After a power cut it need not:
 * the next start writes what is right then, so that no start waits for the disk because of it. */
static void tree_file(struct ja_planning *p, const struct ja_jail *jail, const char *path, const char *text,
                      const char *why)
{
    if (p->build == jail) {
        build_file(p, jail, path, text, why);
        return;
    }
    ja_autofree char *tree = ja_path_root(p, jail), *seen = ja_path_seen(p, jail);
    if (!tree || !seen)
        return;
    const char *old = ja_factf(p->facts, JA_FACT_TREEFILE, "%s\t%s", seen, path);
    if (old && strcmp(old, text) == 0)
        return;
    /* A tree without /etc is not given one. */
    if (!ja_factf(p->facts, JA_FACT_TREEFILE, "%s\tetc/.", seen))
        return;
    char owner[24];
    snprintf(owner, sizeof owner, "%lld", (long long)ja_site_tree_id(p->site, jail->privileged));
    struct ja_step *step = ja_plan_host_step(p, "write", "%s", why);
    ja_step_run(p->plan, step, "--root", tree, "--mode", "0644", "--uid", owner, "--gid", owner, path, NULL);
    ja_step_input(p->plan, step, "%s", text);
    if (old) {
        ja_step_undo_host(p, step, "write", "--root", tree, "--mode", "0644", "--uid", owner, "--gid", owner, path,
                          NULL);
        ja_step_undo_input(p->plan, step, "%s", old);
    } else {
        ja_step_undo_host(p, step, "remove", "--root", tree, path, NULL);
    }
}

/* ---- who resolves ---- */

static bool answers(struct ja_planning *p, const struct ja_network *network)
{
    return p->host->dns_answers && p->host->dns_answers(p, network);
}

/* True for addresses at which only the host itself finds a resolver. */
static bool is_hosts_own(const char *address)
{
    struct ja_addr addr, loopback6 = {.v6 = true, .bytes = {[15] = 1}};
    if (ja_addr_parse(address, &addr, NULL) < 0)
        return true; /* an interface's address of its link, or nonsense */
    return addr.v6 ? ja_addr_compare(&addr, &loopback6) == 0 : addr.bytes[0] == 127;
}

/* The resolvers of one of the host's files that jails can ask too. */
static bool take_servers(const char *file, struct ja_str *text)
{
    bool found = false;
    while (file && *file) {
        char address[JA_ADDR_TEXT];
        if (sscanf(file, "nameserver %63s", address) == 1 && !is_hosts_own(address)) {
            ja_str_addf(text, "nameserver %s\n", address);
            found = true;
        }
        file += strcspn(file, "\n");
        file += *file == '\n';
    }
    return found;
}

/* Where a local resolver stands before the real ones, its program tells these in a file of its own. */
static void hosts_servers(struct ja_planning *p, const struct ja_jail *jail, struct ja_str *text)
{
    static const char *const files[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf",
                                        "/run/NetworkManager/no-stub-resolv.conf"};
    for (size_t i = 0; i < JA_COUNT(files); i++)
        if (take_servers(ja_fact(p->facts, JA_FACT_FILE, files[i]), text))
            return;
    ja_plan_note(p->plan, "%s: no resolver is known that it could ask; set its field dns.servers", jail->name);
    ja_str_add(text, "# no resolver of the host can be asked from here\n");
}

static void resolver(struct ja_planning *p, const struct ja_subject *s)
{
    const struct ja_dns *dns = &s->jail->dns;
    ja_autostr struct ja_str text = {0};
    ja_autostrv struct ja_strv search = {0};
    if (s->jail->vnet != JA_VNET_YES && dns->servers.count == 0) {
        /* With the host's network its resolver is right, also one that listens on a loopback address. */
        const char *host = ja_fact(p->facts, JA_FACT_FILE, "/etc/resolv.conf");
        if (host)
            tree_file(p, s->jail, "etc/resolv.conf", host, "name its resolver");
        return;
    }
    for (size_t i = 0; i < dns->servers.count; i++)
        ja_str_addf(&text, "nameserver %s\n", dns->servers.items[i]);
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        const struct ja_network *network = s->networks[i];
        struct ja_addr gateway;
        char address[JA_ADDR_TEXT], domain[JA_DOMAIN_TEXT];
        if (!answers(p, network))
            continue;
        ja_network_domain(network, domain);
        if (!ja_strv_has(&search, domain) && ja_strv_add(&search, domain) < 0)
            text.failed = true;
        if (dns->servers.count ||
            !(ja_network_gateway(network, false, &gateway) || ja_network_gateway(network, true, &gateway)))
            continue;
        ja_addr_format(&gateway, false, address);
        ja_str_addf(&text, "nameserver %s\n", address);
    }
    /* Without a network of its own it has the host's. */
    if (text.length == 0 && s->jail->nics.count && s->jail->vnet == JA_VNET_YES)
        hosts_servers(p, s->jail, &text);
    if (text.length == 0 && !text.failed)
        return;
    const struct ja_strv *domains = dns->search.count ? &dns->search : &search;
    for (size_t i = 0; i < domains->count; i++)
        ja_str_addf(&text, "%s%s%s", i ? " " : "search ", domains->items[i], i + 1 == domains->count ? "\n" : "");
    if (text.failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    else
        tree_file(p, s->jail, "etc/resolv.conf", text.text, "name its resolver");
}

static void hosts_file(struct ja_planning *p, const struct ja_subject *s)
{
    const struct ja_jail *jail = s->jail;
    const char *hostname = jail->hostname ? jail->hostname : jail->name;
    ja_autostr struct ja_str text = {0};
    ja_str_add(&text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        char domain[JA_DOMAIN_TEXT];
        ja_network_domain(s->networks[i], domain);
        for (size_t a = 0; a < nic->assigned.count; a++) {
            struct ja_addr addr;
            char address[JA_ADDR_TEXT];
            if (ja_addr_parse(nic->assigned.items[a], &addr, NULL) < 0)
                continue;
            ja_addr_format(&addr, false, address);
            ja_str_addf(&text, "%s %s.%s %s\n", address, hostname, domain, hostname);
        }
    }
    if (text.failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    else
        tree_file(p, jail, "etc/hosts", text.text, "name it and its addresses");
}

void ja_plan_names(struct ja_planning *p, const struct ja_subject *s)
{
    /* A template's own /etc/hosts is not ours to change. */
    if (p->build != s->jail || p->site->os == JA_OS_LINUX)
        hosts_file(p, s);
    resolver(p, s);
}
