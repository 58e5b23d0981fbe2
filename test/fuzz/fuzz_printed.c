/*
 * fuzz_printed.c: what commands of FreeBSD and ZFS print. Whatever they say: each question is answered or an error, and answers can be
 * told from each other.
 */
#include "fuzz.h"

#include "host/freebsd/facts.h"
#include "run/zfs.h"

static void check_map(const struct ja_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        must(map->pairs[i].key && map->pairs[i].value);
        must(i == 0 || strcmp(map->pairs[i - 1].key, map->pairs[i].key) < 0);
    }
}

/* Runs one reader that fills a map. */
#define READ(name, call)                                                                                               \
    static void name(JA_UNUSED char *text, JA_UNUSED size_t length)                                                    \
    {                                                                                                                  \
        struct ja_map map = {0};                                                                                       \
        struct ja_error err = JA_ERROR_INIT;                                                                           \
        fuzz_accepted(call, &err);                                                                                     \
        check_map(&map);                                                                                               \
        ja_map_fini(&map);                                                                                             \
    }

static char *const asked_items[] = {(char *)"net.inet.ip.forwarding", (char *)"security.jail.param.name", NULL};
static const struct ja_strv asked = {.items = (char **)(uintptr_t)asked_items, .count = 2};
static char *const jail_items[] = {(char *)"web1", (char *)"web2", NULL};
static const struct ja_strv jails = {.items = (char **)(uintptr_t)jail_items, .count = 2};

READ(jls, ja_freebsd_parse_jls(text, &map, &err))
READ(netstat, ja_freebsd_parse_netstat(text, &map, &err))
READ(arp, ja_freebsd_parse_arp(text, &map, &err))
READ(ndp, ja_freebsd_parse_ndp(text, &map, &err))
READ(sysctls, ja_freebsd_parse_sysctl(text, &asked, &map, &err))
READ(kldstat, ja_freebsd_parse_kldstat(text, &map, &err))
READ(features, ja_freebsd_parse_features(text, &map, &err))
READ(rctl, ja_freebsd_parse_rctl(text, &map, &err))
READ(usage, ja_freebsd_parse_usage(text, &jails, &map, &err))
READ(ipfw_rules, ja_freebsd_parse_ipfw_rules(text, &map, &err))
READ(ipfw_tables, ja_freebsd_parse_ipfw_tables(text, &map, &err))
READ(ipfw_entries, ja_freebsd_parse_ipfw_entries(text, &map, &err))
READ(ipfw_nats, ja_freebsd_parse_ipfw_nats(text, &map, &err))
READ(pf_info, ja_freebsd_parse_pf_info(text, &map, &err))
READ(pf_main, ja_freebsd_parse_pf_main(text, &map, &err))
READ(pf_anchors, ja_freebsd_parse_pf_anchors(text, &map, &err))
READ(ps, ja_freebsd_parse_ps(text, &map, &err))

static void mounts(char *text, JA_UNUSED size_t length)
{
    struct ja_map points = {0}, nullfs = {0};
    struct ja_error err = JA_ERROR_INIT;
    fuzz_accepted(ja_freebsd_parse_mount(text, &points, &nullfs, &err), &err);
    check_map(&points);
    check_map(&nullfs);
    ja_map_fini(&points);
    ja_map_fini(&nullfs);
}

static void pf_rules(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    ja_autostr struct ja_str rules = {0};
    fuzz_accepted(ja_freebsd_parse_pf_rules(text, &rules, &err), &err);
}

static void ifconfig(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_freebsd_links links = {0};
    fuzz_accepted(ja_freebsd_parse_ifconfig(text, &links, &err), &err);
    check_map(&links.descriptions);
    check_map(&links.ports);
    check_map(&links.members);
    check_map(&links.addresses);
    ja_freebsd_links_fini(&links);
}

static void sockstat(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_freebsd_listeners listeners = {0};
    fuzz_accepted(ja_freebsd_parse_sockstat(text, &listeners, &err), &err);
    for (size_t i = 0; i < listeners.count; i++) {
        const struct ja_freebsd_listener *one = &listeners.items[i];
        must(one->port <= 65535 && fuzz_printable(one->who));
        char question[128], address[JA_ADDR_TEXT] = "*";
        if (!one->any)
            ja_addr_format(&one->address, false, address);
        snprintf(question, sizeof question, "%s %s %u", one->tcp ? "tcp" : "udp", address, one->port);
        const char *who = ja_freebsd_find_listener(&listeners, question);
        must(who || one->port == 0 || one->any || (!one->any && one->address.bytes[0] == 127) || one->address.v6);
    }
    ja_freebsd_listeners_fini(&listeners);
}

static void question(char *text, JA_UNUSED size_t length)
{
    static struct ja_freebsd_listener one = {
        .tcp = true, .v4 = true, .v6 = true, .any = true, .port = 80, .who = (char *)"nginx"};
    static const struct ja_freebsd_listeners listeners = {.items = &one, .count = 1};
    ja_freebsd_find_listener(&listeners, text);
}

/* ---- ZFS ---- */

static void zfs_list(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_zfs_list list = {0};
    must(ja_zfs_code(text) < 0);
    if (fuzz_accepted(ja_zfs_list_parse(text, &list, &err), &err))
        for (size_t i = 0; i < list.count; i++)
            must(list.items[i].name && list.items[i].mountpoint && list.items[i].origin);
    ja_zfs_list_fini(&list);
}

static void ask_zfs(struct ja_facts *facts, enum ja_fact_kind kind)
{
    ja_fact(facts, kind, "pool/x");
    ja_fact(facts, kind, "pool/x/jails/web1");
    ja_fact(facts, kind, "pool/x@s");
}

static void zfs_facts(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_facts facts = {0};
    ask_zfs(&facts, JA_FACT_DATASET);
    fuzz_accepted(ja_zfs_facts_parse(text, &facts, &err), &err);
    ja_facts_fini(&facts);
}

static void zfs_used(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_facts facts = {0};
    ask_zfs(&facts, JA_FACT_USED);
    fuzz_accepted(ja_zfs_used_parse(text, &facts, &err), &err);
    ja_facts_fini(&facts);
}

static char *const dataset_items[] = {(char *)"pool/x/jails/web1", (char *)"pool/x/jails/web10", NULL};
static const struct ja_strv datasets = {.items = (char **)(uintptr_t)dataset_items, .count = 2};

static void zfs_snapshots(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_facts facts = {0};
    if (fuzz_accepted(ja_zfs_snapshots_parse(text, &facts, &datasets, &err), &err))
        must(facts.count == 2 && facts.missing == 0);
    ja_facts_fini(&facts);
}

static void zfs_clones(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_facts facts = {0};
    if (fuzz_accepted(ja_zfs_clones_parse(text, &facts, &datasets, &err), &err))
        must(facts.count == 2 && facts.missing == 0);
    ja_facts_fini(&facts);
}

/* ---- the whole reader ---- */

struct host {
    const char *text;
    int status;
};

static int run(void *context, JA_UNUSED char *const *argv, struct ja_str *output, int *ret_status,
               JA_UNUSED struct ja_error *err)
{
    const struct host *host = context;
    ja_str_add(output, host->text);
    *ret_status = host->status;
    return 0;
}

/* The first letter is the exit status and the kind of the question; every command prints the rest. */
static void facts(char *text, size_t length)
{
    static const struct {
        enum ja_fact_kind kind;
        const char *name;
    } questions[] = {
        {JA_FACT_JAIL, "web1"},
        {JA_FACT_MOUNT, "/jails/web1/dev"},
        {JA_FACT_ROUTE, "default"},
        {JA_FACT_NEIGHBOUR, "10.66.0.2 bridge10000"},
        {JA_FACT_SYSCTL, "net.inet.ip.forwarding"},
        {JA_FACT_MODULE, "ipfw"},
        {JA_FACT_RCTL, "jail:web1"},
        {JA_FACT_USAGE, "web1"},
        {JA_FACT_IPFW, "rule 100"},
        {JA_FACT_IPFW, "table janat 10.66.0.0/16"},
        {JA_FACT_IPFW, "nat 17"},
        {JA_FACT_PF, "status"},
        {JA_FACT_PF, "main anchor"},
        {JA_FACT_PF, "anchor lan"},
        {JA_FACT_LINK, "bridge10000"},
        {JA_FACT_LINKS, "epair"},
        {JA_FACT_HOSTNETS, ""},
        {JA_FACT_LISTEN, "tcp * 80-90"},
        {JA_FACT_DEVFS, "1000"},
        {JA_FACT_DAEMON, "/run/x.pid\tdnsmasq"},
        {JA_FACT_VERSION, "/usr/sbin/zfs"},
        {JA_FACT_HEALTH, "/pool"},
    };
    struct ja_error err = JA_ERROR_INIT;
    struct ja_facts facts = {0};
    if (!length)
        return;
    unsigned char first = (unsigned char)text[0];
    struct host host = {.text = text + 1, .status = first / JA_COUNT(questions) % 2};
    const struct ja_freebsd_source source = {.run = run, .context = &host};
    ja_fact(&facts, questions[first % JA_COUNT(questions)].kind, questions[first % JA_COUNT(questions)].name);
    if (fuzz_accepted(ja_freebsd_facts_read((void *)(uintptr_t)&source, &facts, &err), &err))
        must(facts.missing == 0);
    ja_facts_fini(&facts);
}

const struct fuzz_parser fuzz_parsers[] = {
    {"jls", jls},
    {"mount", mounts},
    {"netstat", netstat},
    {"arp", arp},
    {"ndp", ndp},
    {"sysctl", sysctls},
    {"kldstat", kldstat},
    {"features", features},
    {"rctl", rctl},
    {"usage", usage},
    {"ipfw-rules", ipfw_rules},
    {"ipfw-tables", ipfw_tables},
    {"ipfw-entries", ipfw_entries},
    {"ipfw-nats", ipfw_nats},
    {"pf-info", pf_info},
    {"pf-main", pf_main},
    {"pf-anchors", pf_anchors},
    {"pf-rules", pf_rules},
    {"ps", ps},
    {"ifconfig", ifconfig},
    {"sockstat", sockstat},
    {"question", question},
    {"zfs-list", zfs_list},
    {"zfs-facts", zfs_facts},
    {"zfs-used", zfs_used},
    {"zfs-snapshots", zfs_snapshots},
    {"zfs-clones", zfs_clones},
    {"facts", facts},
    {NULL, NULL},
};

void fuzz_seeds(void)
{
    static const struct {
        const char *parser, *file;
    } files[] = {
        {"jls", "jls-n-json"},
        {"mount", "mount-json"},
        {"netstat", "netstat-json"},
        {"arp", "arp-json"},
        {"ndp", "ndp"},
        {"sysctl", "sysctl"},
        {"kldstat", "kldstat"},
        {"features", "sysctl-features"},
        {"rctl", "rctl"},
        {"usage", "rctl-u"},
        {"ipfw-rules", "ipfw-S-list"},
        {"ipfw-tables", "ipfw-table-info"},
        {"ipfw-entries", "ipfw-table-list"},
        {"ipfw-nats", "ipfw-nat-config"},
        {"pf-info", "pfctl-info"},
        {"pf-main", "pfctl-main-nat"},
        {"pf-main", "pfctl-main-rules"},
        {"pf-anchors", "pfctl-anchors"},
        {"pf-rules", "pfctl-network-nat"},
        {"pf-rules", "pfctl-network-rules"},
        {"ifconfig", "ifconfig"},
        {"ifconfig", "ifconfig-span"},
    };
    for (size_t i = 0; i < JA_COUNT(files); i++) {
        char path[256];
        snprintf(path, sizeof path, "data/freebsd/13.2/%s", files[i].file);
        fuzz_seed_file(files[i].parser, path);
    }
    fuzz_seed_file("jls", "data/freebsd/15.1/jls-n-json");
    fuzz_seed_file("ifconfig", "data/freebsd/15.1/ifconfig");
    fuzz_seed_file("sockstat", "data/freebsd/sockstat");
    fuzz_seed_file("sockstat", "data/freebsd/sockstat-15");
    fuzz_seed_file("kldstat", "data/freebsd/kldstat-v");
    fuzz_seed("ps", "    1 /sbin/init\n 4711 /usr/local/sbin/dnsmasq --conf-file=/run/x.conf --pid-file=/run/x.pid\n");
    fuzz_seed("question", "tcp 10.0.0.1 80-90");
    fuzz_seed("zfs-list", "pool/x\tyes\t/pool/x\tnoauto\t-\npool/x/jails/web1\tno\tlegacy\ton\tpool/x/templates/b@1\n");
    fuzz_seed("zfs-facts", "pool/x\tdddddddd-0000-4000-8000-000000000001 -\tlocal\npool/x@s\t-\t-\n"
                           "cannot open 'pool/x/jails/web1': dataset does not exist\n");
    fuzz_seed("zfs-used", "pool/x\t123456\ncannot open 'pool/x/jails/web1': dataset does not exist\n");
    fuzz_seed(
        "zfs-snapshots",
        "pool/x/jails/web1\tused\t1\t-\npool/x/jails/web1/root/default@now\tused\t4096\t-\n"
        "pool/x/jails/web1/root/default@now\tcreation\t1700000000\t-\npool/x/jails/web1/root/default@now\tcreatetxg\t7\t-\n"
        "pool/x/jails/web1/root/default@now\tjailadmin:mark\ta b\tlocal\n"
        "pool/x/jails/web1/root/default@now\tjailadmin:snapshot\t{}\tlocal\n"
        "cannot open 'pool/x/jails/web10': dataset does not exist\n");
    fuzz_seed("zfs-clones", "pool/y\tpool/x/jails/web1\npool/z\t-\n");
    for (char first = 0; first < 44; first++) {
        char text[64] = {first};
        snprintf(text + 1, sizeof text - 1, "{\"__version\": \"2\"}\n1 2 3\n");
        fuzz_seed_bytes("facts", text, strlen(text + 1) + 1);
    }
    static const char *const words[] = {"\"jid\":\"3\"",
                                        "\"dying\":true",
                                        "cannot open '",
                                        "dataset does not exist",
                                        "local",
                                        "jailadmin:mark",
                                        "flags=8843<UP,BROADCAST>",
                                        "\tinet6 fe80::1%lo0 prefixlen 64",
                                        "\tmember: ",
                                        "table(",
                                        "--- table",
                                        "set 1",
                                        "jail:web1:",
                                        "redirect_port"};
    for (size_t i = 0; i < JA_COUNT(words); i++)
        fuzz_word(words[i]);
}
