/*
 * test_freebsd_facts.c: a FreeBSD host's facts, from what real ones printed (test/data/freebsd), and from output that is cut off,
 * strange or hostile: nothing of it is guessed, and nothing of it passes for absent.
 */
#include "host/freebsd/facts.h"

#include "base/base.h"
#include "scratch.h"

static const char *data; /* test/data/freebsd */

static char *load(const char *version, const char *name)
{
    char path[1024], *text = NULL;
    snprintf(path, sizeof path, "%s/%s/%s", data, version, name);
    FILE *file = fopen(path, "r");
    size_t size = 0;
    if (!file)
        fail_msg("no test data %s", path);
    ssize_t n = getdelim(&text, &size, '\0', file);
    fclose(file);
    assert_true(n >= 0);
    return text;
}

/* ---- a host that prints what it is told to ---- */

struct said {
    const char *command; /* words before the first blank of the question, "ifconfig -a" */
    const char *version, *file;
    const char *text; /* in place of a file */
    int status, code;
};

struct host {
    const struct said *said;
    size_t runs;
    char commands[2048];
};

static int run(void *context, char *const *argv, struct ja_str *output, int *ret_status, struct ja_error *err)
{
    struct host *host = context;
    char line[512] = "";
    for (size_t i = 0; argv[i]; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s", i ? " " : "", argv[i]);
    snprintf(host->commands + strlen(host->commands), sizeof host->commands - strlen(host->commands), "%s\n", line);
    host->runs++;
    for (const struct said *said = host->said; said->command; said++) {
        if (strncmp(line, said->command, strlen(said->command)) != 0)
            continue;
        if (said->code)
            return ja_error_set(err, said->code, NULL, "it cannot be run");
        if (said->file) {
            char *text = load(said->version, said->file);
            ja_str_add(output, text);
            free(text);
        } else {
            ja_str_add(output, said->text);
        }
        *ret_status = said->status;
        return 0;
    }
    return ja_error_set(err, JA_E_NOTFOUND, NULL, "there is no program %s", argv[0]);
}

static struct host host;
static struct ja_error err;

static int read_all(struct ja_facts *facts, const struct said *said)
{
    struct ja_freebsd_source source = {.run = run, .context = &host};
    host = (struct host){.said = said};
    ja_error_clear(&err);
    return ja_freebsd_facts_read(&source, facts, &err);
}

static void is(struct ja_facts *facts, enum ja_fact_kind kind, const char *name, const char *value)
{
    const char *found = ja_fact(facts, kind, name);
    if (!value)
        assert_null(found);
    else if (!found)
        fail_msg("%s is absent", name);
    else
        assert_string_equal(found, value);
}

/* ---- jails ---- */

static void jails_have_path_number_and_state(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "jls -d", .version = versions[i], .file = "jls-n-json"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_JAIL, "web1");
        ja_fact(&facts, JA_FACT_JAIL, "web2");
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 1);
        is(&facts, JA_FACT_JAIL, "web1", "/jails/web1 1 active");
        is(&facts, JA_FACT_JAIL, "web2", NULL);
        assert_int_equal(facts.missing, 0);
        ja_facts_fini(&facts);
    }
}

static struct ja_map parse_jls(const char *text, int expected)
{
    struct ja_map map = {0};
    ja_error_clear(&err);
    assert_int_equal(ja_freebsd_parse_jls(text, &map, &err), expected);
    return map;
}

#define JLS(items) "{\"__version\": \"2\", \"jail-information\": {\"jail\": [" items "]}}"

static void an_active_jail_hides_a_dying_one(void **state)
{
    (void)state;
    struct ja_map map = parse_jls(JLS("{\"jid\":\"3\",\"name\":\"a\",\"path\":\"/j/a b\",\"dying\":true},"
                                      "{\"jid\":\"4\",\"name\":\"a\",\"path\":\"/j/a b\",\"dying\":false},"
                                      "{\"jid\":\"5\",\"name\":\"a\",\"path\":\"/j/a\",\"dying\":true},"
                                      "{\"jid\":6,\"name\":\"d\",\"path\":\"/j/d\",\"dying\":true}"),
                                  0);
    assert_string_equal(ja_map_get(&map, "a"), "/j/a b 4 active");
    assert_string_equal(ja_map_get(&map, "d"), "/j/d 6 dying");
    ja_map_fini(&map);
    map = parse_jls(JLS(""), 0);
    assert_int_equal(map.count, 0);
    ja_map_fini(&map);
}

static void strange_lists_of_jails_are_errors(void **state)
{
    static const char *const bad[] = {
        "",
        "jls: unknown parameter: dying\n",
        "{\"jail-information\": {\"jail\": [{\"jid\":\"3\",\"name\":\"a\",\"path\":\"/j",
        "{\"jail-information\": {}}",
        "[]",
        JLS("{\"jid\":\"3\",\"name\":\"a\",\"dying\":false}"),
        JLS("{\"jid\":\"-3\",\"name\":\"a\",\"path\":\"/\",\"dying\":false}"),
        JLS("{\"jid\":\"\",\"name\":\"a\",\"path\":\"/\",\"dying\":false}"),
        JLS("{\"jid\":\"3\",\"name\":\"a\",\"path\":\"/\",\"dying\":\"perhaps\"}"),
        JLS("{\"jid\":\"3\",\"name\":\"a\",\"path\":\"/\"}"),
        JLS("7"),
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        struct ja_map map = parse_jls(bad[i], JA_E_FAILED);
        ja_map_fini(&map);
    }
}

static void names_that_are_no_text_hide_no_other(void **state)
{
    (void)state;
    struct ja_map map = parse_jls(JLS("{\"jid\":\"3\",\"name\":\"a.\xff\xfe\",\"path\":\"/\xff\",\"dying\":false},"
                                      "{\"jid\":\"4\",\"name\":\"b\",\"path\":\"/j/b\",\"dying\":false}"),
                                  0);
    assert_string_equal(ja_map_get(&map, "b"), "/j/b 4 active");
    ja_map_fini(&map);
}

static void a_jail_runs_when_its_kernel_jail_has_its_path(void **state)
{
    const struct said said[] = {{.command = "jls", .version = "13.2", .file = "jls-n-json"}, {0}};
    struct ja_facts facts = {0};
    (void)state;
    put_text(at("right"), "web1 /jails/web1\n");
    put_text(at("elsewhere"), "web1 /jails/web\n");
    put_text(at("gone"), "web2 /jails/web1\n");
    put_text(at("odd"), "web1");
    char right[512], elsewhere[512], gone[512], odd[512], none[512];
    snprintf(right, sizeof right, "%s", at("right"));
    snprintf(elsewhere, sizeof elsewhere, "%s", at("elsewhere"));
    snprintf(gone, sizeof gone, "%s", at("gone"));
    snprintf(odd, sizeof odd, "%s", at("odd"));
    snprintf(none, sizeof none, "%s", at("none"));
    ja_fact(&facts, JA_FACT_PROCESS, right);
    ja_fact(&facts, JA_FACT_PROCESS, elsewhere);
    ja_fact(&facts, JA_FACT_PROCESS, gone);
    ja_fact(&facts, JA_FACT_PROCESS, odd);
    ja_fact(&facts, JA_FACT_PROCESS, none);
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 1);
    const char *value = ja_fact(&facts, JA_FACT_PROCESS, right);
    assert_non_null(value);
    assert_int_equal(strncmp(value, "1 1", 3), 0);
    is(&facts, JA_FACT_PROCESS, elsewhere, NULL);
    is(&facts, JA_FACT_PROCESS, gone, NULL);
    is(&facts, JA_FACT_PROCESS, odd, NULL);
    is(&facts, JA_FACT_PROCESS, none, NULL);
    ja_facts_fini(&facts);
}

/* ---- interfaces ---- */

static void one_ifconfig_answers_for_all_interfaces(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "ifconfig -a", .version = versions[i], .file = "ifconfig"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_LINK, "jabr1");
        ja_fact(&facts, JA_FACT_LINK, "ja17n0");
        ja_fact(&facts, JA_FACT_LINK, "epair17b");
        ja_fact(&facts, JA_FACT_LINK, "javx42");
        ja_fact(&facts, JA_FACT_LINK, "epair17a");
        ja_fact(&facts, JA_FACT_PORTS, "jabr1");
        ja_fact(&facts, JA_FACT_PORTS, "ja17n0");
        ja_fact(&facts, JA_FACT_HOSTADDR, "10.66.0.1");
        ja_fact(&facts, JA_FACT_HOSTADDR, "fd66:0::1");
        ja_fact(&facts, JA_FACT_HOSTADDR, "10.66.0.2");
        ja_fact(&facts, JA_FACT_HOSTADDR, "no address");
        ja_fact(&facts, JA_FACT_HOSTNETS, "");
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 1);
        is(&facts, JA_FACT_LINK, "jabr1", "jailadmin network lan");
        is(&facts, JA_FACT_LINK, "ja17n0", "jailadmin web1 on lan");
        is(&facts, JA_FACT_LINK, "epair17b", "");
        is(&facts, JA_FACT_LINK, "javx42", "");
        is(&facts, JA_FACT_LINK, "epair17a", NULL);
        is(&facts, JA_FACT_PORTS, "jabr1", "1");
        is(&facts, JA_FACT_PORTS, "ja17n0", NULL);
        is(&facts, JA_FACT_HOSTADDR, "10.66.0.1", "jabr1");
        is(&facts, JA_FACT_HOSTADDR, "fd66:0::1", "jabr1");
        is(&facts, JA_FACT_HOSTADDR, "10.66.0.2", NULL);
        is(&facts, JA_FACT_HOSTADDR, "no address", NULL);
        const char *nets = ja_fact(&facts, JA_FACT_HOSTNETS, "");
        assert_non_null(strstr(nets, "10.66.0.1/16 jabr1\n"));
        assert_non_null(strstr(nets, "fd66::1/64 jabr1\n"));
        assert_non_null(strstr(nets, "127.0.0.1/8 lo0\n"));
        assert_non_null(strstr(nets, "10.66.0.18/32 vnet0\n"));
        ja_facts_fini(&facts);
    }
}

static int parse_ifconfig(const char *text, struct ja_freebsd_links *links)
{
    char *copy = ja_strdup(text);
    *links = (struct ja_freebsd_links){0};
    ja_error_clear(&err);
    int rc = ja_freebsd_parse_ifconfig(copy, links, &err);
    ja_free(copy);
    return rc;
}

#define HEAD(name) name ": flags=8863<UP,BROADCAST> metric 0 mtu 1500\n"

static void span_ports_count(void **state)
{
    struct ja_freebsd_links links;
    (void)state;
    char *text = load("15.1", "ifconfig-span");
    assert_int_equal(parse_ifconfig(text, &links), 0);
    assert_string_equal(ja_map_get(&links.ports, "jabr1"), "2");
    ja_freebsd_links_fini(&links);
    free(text);
    assert_int_equal(parse_ifconfig(HEAD("br0") "\tid 0 priority 1 hellotime 2 fwddelay 15\n", &links), 0);
    assert_string_equal(ja_map_get(&links.ports, "br0"), "0");
    ja_freebsd_links_fini(&links);
    assert_int_equal(parse_ifconfig("", &links), 0);
}

static void addresses_are_read_in_all_their_forms(void **state)
{
    struct ja_freebsd_links links;
    (void)state;
    assert_int_equal(parse_ifconfig(HEAD("a0") "\tinet 10.0.0.1 --> 10.0.0.2 netmask 0xffffffff\n"
                                               "\tinet 10.1.0.1 netmask 255.255.240.0 broadcast 10.1.15.255\n"
                                               "\tinet 10.2.0.1/23 broadcast 10.2.1.255\n"
                                               "\tinet 10.3.0.1 netmask 0x0 vhid 3\n"
                                               "\tinet6 fe80::1%a0/64 scopeid 0x1\n"
                                               "\tinet6 2001:db8::1 prefixlen 128 deprecated\n",
                                    &links),
                     0);
    assert_string_equal(links.nets.text, "10.0.0.1/32 a0\n10.1.0.1/20 a0\n10.2.0.1/23 a0\n10.3.0.1/0 a0\n"
                                         "fe80::1/64 a0\n2001:db8::1/128 a0\n");
    ja_freebsd_links_fini(&links);
}

static void unreadable_addresses_and_cut_text_are_errors(void **state)
{
    static const char *const bad[] = {
        HEAD("a0") "\tinet 10.0.0.1\n",
        HEAD("a0") "\tinet 10.0.0.1 netmask 0xff00ff00\n",
        HEAD("a0") "\tinet 10.0.0.1 netmask\n",
        HEAD("a0") "\tinet 10.0.0.300 netmask 0xff000000\n",
        HEAD("a0") "\tinet6 10.0.0.1 prefixlen 64\n",
        HEAD("a0") "\tinet6 fd00::1 prefixlen 200\n",
        HEAD("a0") "\tinet6 fd00::1 prefixlen x\n",
        HEAD("a0") "\tinet \n",
        HEAD("a0") "\tinet 10.0.0.1 netm",
        "a0: flags=88",
    };
    struct ja_freebsd_links links;
    (void)state;
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        assert_int_equal(parse_ifconfig(bad[i], &links), JA_E_FAILED);
        ja_freebsd_links_fini(&links);
    }
}

static void an_interface_with_a_hostile_name_is_nobody(void **state)
{
    struct ja_freebsd_links links;
    (void)state;
    /* Names of 15 bytes, as a jail may leave them: "\nlo9: flags=1<", "\tinet 10.9.9.9", "\tmember: xyzzy", "x ja7f3n0". */
    assert_int_equal(
        parse_ifconfig(
            HEAD("ja7f3n0") "\tdescription: ours\n" HEAD("\nlo9: flags=1<") "\tinet 10.9.9.1 netmask 0xff000000\n" HEAD("\tinet 10.9.9.9") "\tdescription: 1\n" HEAD("br0") "\tid 0 priority 1 hellotime 2\n" HEAD(
                "\tmember: xyzzy") "\tdescription: 2\n" HEAD("x ja7f3n9") "\tdescription: 3\n" HEAD("\n") "\tdescription: 4\n" HEAD("name.of.sixteen1") "\tdescription: 5\n" HEAD("z0") "\tdescription: z\n",
            &links),
        0);
    assert_string_equal(ja_map_get(&links.descriptions, "ja7f3n0"), "ours");
    assert_string_equal(ja_map_get(&links.descriptions, "br0"), "");
    assert_string_equal(ja_map_get(&links.descriptions, "z0"), "z");
    assert_int_equal(links.descriptions.count, 3);
    assert_string_equal(ja_map_get(&links.ports, "br0"), "0");
    assert_int_equal(links.addresses.count, 0);
    ja_freebsd_links_fini(&links);
}

static void two_interfaces_of_one_name_are_not_ours(void **state)
{
    struct ja_freebsd_links links;
    (void)state;
    assert_int_equal(parse_ifconfig(HEAD("vnet0") "\tdescription: one\n" HEAD("vnet0") "\tdescription: two\n", &links),
                     0);
    assert_string_equal(ja_map_get(&links.descriptions, "vnet0"), "");
    ja_freebsd_links_fini(&links);
}

/* ---- mounts, routes ---- */

static void mounts_have_types(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "mount -p", .version = versions[i], .file = "mount-json"}, {0}};
        const struct said cut[] = {{.command = "mount -p", .version = versions[i], .file = "mount-json-cut"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_MOUNT, "/jails/web1/dev");
        ja_fact(&facts, JA_FACT_MOUNT, "/jails/web1");
        assert_int_equal(read_all(&facts, cut), JA_E_FAILED);
        assert_int_equal(facts.missing, 2);
        assert_int_equal(read_all(&facts, said), 0);
        is(&facts, JA_FACT_MOUNT, "/jails/web1/dev", "devfs");
        is(&facts, JA_FACT_MOUNT, "/jails/web1", NULL);
        /* What lies where; only what is there. */
        ja_fact(&facts, JA_FACT_FSTYPE, "/usr");
        ja_fact(&facts, JA_FACT_FSTYPE, "/jails/web1/nothing");
        assert_int_equal(read_all(&facts, said), 0);
        is(&facts, JA_FACT_FSTYPE, "/usr", "other");
        is(&facts, JA_FACT_FSTYPE, "/jails/web1/nothing", NULL);
        ja_facts_fini(&facts);
    }
    struct ja_map map = {0};
    assert_int_equal(ja_freebsd_parse_mount("{\"mount\": {\"fstab\": [{\"mntpoint\":\"/a\\n/b\",\"fstype\":\"ufs\"},"
                                            "{\"mntpoint\":\"/a\",\"fstype\":\"ufs\"},"
                                            "{\"mntpoint\":\"/a\",\"fstype\":\"tmpfs\"}]}}",
                                            &map, &err),
                     0);
    assert_string_equal(ja_map_get(&map, "/a"), "tmpfs");
    assert_null(ja_map_get(&map, "/b"));
    ja_map_fini(&map);
}

static void default_routes_have_interfaces(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "netstat -rn", .version = versions[i], .file = "netstat-json"}, {0}};
        const struct said cut[] = {{.command = "netstat -rn", .version = versions[i], .file = "netstat-json-cut"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_ROUTE, "default");
        ja_fact(&facts, JA_FACT_ROUTE, "default6");
        assert_int_equal(read_all(&facts, cut), JA_E_FAILED);
        assert_int_equal(read_all(&facts, said), 0);
        is(&facts, JA_FACT_ROUTE, "default", NULL); /* that jail has none */
        is(&facts, JA_FACT_ROUTE, "default6", "vnet0");
        ja_facts_fini(&facts);
    }
}

/* ---- the kernel ---- */

static void settings_are_read_by_one_process(void **state)
{
    const struct said said[] = {{.command = "sysctl -ie", .version = "15.1", .file = "sysctl"}, {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_SYSCTL, "net.inet.ip.forwarding");
    ja_fact(&facts, JA_FACT_SYSCTL, "net.inet.ip.fw.one_pass");
    ja_fact(&facts, JA_FACT_SYSCTL, "kern.racct.enable");
    ja_fact(&facts, JA_FACT_SYSCTL, "-a");
    ja_fact(&facts, JA_FACT_SYSCTL, "net.inet.ip.forwarding=1");
    /* Only what was asked for begins a value: all else would be a further line of it, if sysctl printed that. */
    for (size_t i = 0; i < 2; i++) {
        static const char *const others[] = {"net.inet6.ip6.forwarding", "net.link.bridge.pfil_member"};
        ja_fact(&facts, JA_FACT_SYSCTL, others[i]);
    }
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 1);
    assert_null(strstr(host.commands, "-a"));
    assert_null(strstr(host.commands, "forwarding=1"));
    is(&facts, JA_FACT_SYSCTL, "net.inet.ip.forwarding", "1");
    is(&facts, JA_FACT_SYSCTL, "kern.racct.enable", NULL);
    is(&facts, JA_FACT_SYSCTL, "-a", NULL);
    ja_facts_fini(&facts);
}

static void values_have_lines_and_errors_are_errors(void **state)
{
    struct ja_strv names = {0};
    struct ja_map map = {0};
    (void)state;
    ja_strv_add_all(&names, "kern.version", "kern.x", "kern.xy", NULL);
    char good[] = "kern.version=FreeBSD 13.2\n    root@vm:/usr/obj\n\nsysctl: unknown oid 'kern.x'\nkern.xy=a=b\n";
    assert_int_equal(ja_freebsd_parse_sysctl(good, &names, &map, &err), 0);
    assert_string_equal(ja_map_get(&map, "kern.version"), "FreeBSD 13.2\n    root@vm:/usr/obj");
    assert_null(ja_map_get(&map, "kern.x"));
    assert_string_equal(ja_map_get(&map, "kern.xy"), "a=b");
    char refused[] = "kern.version=1\nsysctl: kern.x: Operation not permitted\n";
    assert_int_equal(ja_freebsd_parse_sysctl(refused, &names, &map, &err), JA_E_FAILED);
    char strange[] = "what is this\n";
    assert_int_equal(ja_freebsd_parse_sysctl(strange, &names, &map, &err), JA_E_FAILED);
    ja_map_fini(&map);
    ja_strv_fini(&names);
}

static void modules_are_files_modules_and_features(void **state)
{
    const struct said said[] = {{.command = "kldstat -v", .version = ".", .file = "kldstat-v"},
                                {.command = "sysctl -e kern.features", .version = "13.2", .file = "sysctl-features"},
                                {0}};
    struct ja_facts facts = {0};
    struct ja_map map = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_MODULE, "if_bridge");
    ja_fact(&facts, JA_FACT_MODULE, "ipfw");
    ja_fact(&facts, JA_FACT_MODULE, "ipfw_nat");
    ja_fact(&facts, JA_FACT_MODULE, "zfs");
    ja_fact(&facts, JA_FACT_MODULE, "vimage");
    ja_fact(&facts, JA_FACT_MODULE, "pf");
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 2);
    is(&facts, JA_FACT_MODULE, "if_bridge", "");
    is(&facts, JA_FACT_MODULE, "ipfw", "");
    is(&facts, JA_FACT_MODULE, "ipfw_nat", NULL);
    is(&facts, JA_FACT_MODULE, "zfs", "");
    is(&facts, JA_FACT_MODULE, "vimage", "");
    is(&facts, JA_FACT_MODULE, "pf", NULL);
    ja_facts_fini(&facts);
    char *seen = load("15.1", "kldstat");
    assert_int_equal(ja_freebsd_parse_kldstat(seen, &map, &err), 0);
    assert_non_null(ja_map_get(&map, "xdr"));
    free(seen);
    char strange[] = "Id Refs Address\nkernel\n";
    assert_int_equal(ja_freebsd_parse_kldstat(strange, &map, &err), JA_E_FAILED);
    char off[] = "kern.features.racct=0\n";
    assert_int_equal(ja_freebsd_parse_features(off, &map, &err), 0);
    assert_null(ja_map_get(&map, "racct"));
    ja_map_fini(&map);
}

static void limits_belong_to_jails(void **state)
{
    const struct said said[] = {{.command = "rctl", .version = "13.2", .file = "rctl"}, {0}};
    const struct said disabled[] = {
        {.command = "rctl",
         .text = "rctl: RACCT/RCTL present, but disabled; enable using kern.racct.enable=1 tunable\n",
         .status = 1},
        {0}};
    const struct said refused[] = {{.command = "rctl", .text = "rctl: Operation not permitted\n", .status = 1}, {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_RCTL, "jail:j1");
    ja_fact(&facts, JA_FACT_RCTL, "jail:j");
    ja_fact(&facts, JA_FACT_RCTL, "user:nobody");
    assert_int_equal(read_all(&facts, refused), JA_E_FAILED);
    assert_non_null(strstr(err.output, "not permitted"));
    assert_string_equal(err.command, "rctl");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_RCTL, "jail:j1",
       "jail:j1:maxproc:deny=8\njail:j1:memoryuse:deny=67108864\njail:j1:pcpu:deny=20\n"
       "jail:j1:readbps:throttle=1048576\njail:j1:vmemoryuse:deny=536870912");
    is(&facts, JA_FACT_RCTL, "jail:j", NULL);
    is(&facts, JA_FACT_RCTL, "user:nobody", NULL);
    ja_facts_fini(&facts);
    ja_fact(&facts, JA_FACT_RCTL, "jail:j1");
    assert_int_equal(read_all(&facts, disabled), 0);
    is(&facts, JA_FACT_RCTL, "jail:j1", NULL);
    ja_facts_fini(&facts);
}

/* ---- ipfw ---- */

static void ask_ipfw(struct ja_facts *facts)
{
    ja_fact(facts, JA_FACT_IPFW, "rule 100");
    ja_fact(facts, JA_FACT_IPFW, "rule 20010");
    ja_fact(facts, JA_FACT_IPFW, "rule 65535");
    ja_fact(facts, JA_FACT_IPFW, "rule 20030");
    ja_fact(facts, JA_FACT_IPFW, "table janat");
    ja_fact(facts, JA_FACT_IPFW, "table other");
    ja_fact(facts, JA_FACT_IPFW, "table janat 10.66.0.0/16");
    ja_fact(facts, JA_FACT_IPFW, "table janat 10.67.0.0/16");
    ja_fact(facts, JA_FACT_IPFW, "nat 17");
    ja_fact(facts, JA_FACT_IPFW, "nat 18");
}

static void ipfw_tells_rules_tables_and_nat(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {
            {.command = "ipfw -S list", .version = versions[i], .file = "ipfw-S-list"},
            {.command = "ipfw table all info", .version = versions[i], .file = "ipfw-table-info"},
            {.command = "ipfw table all list", .version = versions[i], .file = "ipfw-table-list"},
            {.command = "ipfw nat show", .version = versions[i], .file = "ipfw-nat-config"},
            {0}};
        struct ja_facts facts = {0};
        ask_ipfw(&facts);
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 4);
        is(&facts, JA_FACT_IPFW, "rule 100", "set 17 count ip from any to any");
        is(&facts, JA_FACT_IPFW, "rule 20010", "set 17 nat 17 ip from table(janat) to any out xmit vtnet0");
        is(&facts, JA_FACT_IPFW, "rule 65535", "set 31 allow ip from any to any");
        is(&facts, JA_FACT_IPFW, "rule 20030", NULL);
        is(&facts, JA_FACT_IPFW, "table janat", "addr");
        is(&facts, JA_FACT_IPFW, "table other", NULL);
        is(&facts, JA_FACT_IPFW, "table janat 10.66.0.0/16", "0");
        is(&facts, JA_FACT_IPFW, "table janat 10.67.0.0/16", NULL);
        is(&facts, JA_FACT_IPFW, "nat 17",
           "if vtnet0 same_ports unreg_only reset redirect_port udp 10.66.0.21:53 5353 redirect_port tcp 10.66.0.21:80 8080");
        is(&facts, JA_FACT_IPFW, "nat 18", NULL);
        ja_facts_fini(&facts);
    }
}

static void without_ipfw_nothing_is_there(void **state)
{
    const struct said off[] = {
        {.command = "ipfw", .text = "ipfw: retrieving config failed: Protocol not available\n", .status = 71}, {0}};
    const struct said none[] = {{.command = "ipfw", .code = JA_E_NOTFOUND}, {0}};
    const struct said denied[] = {{.command = "ipfw", .text = "ipfw: socket: Operation not permitted\n", .status = 69},
                                  {0}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ja_facts facts = {0};
        ask_ipfw(&facts);
        assert_int_equal(read_all(&facts, denied), JA_E_FAILED);
        assert_true(facts.missing > 0);
        assert_int_equal(read_all(&facts, i ? off : none), 0);
        is(&facts, JA_FACT_IPFW, "rule 100", NULL);
        is(&facts, JA_FACT_IPFW, "nat 17", NULL);
        ja_facts_fini(&facts);
    }
}

static void rules_that_share_a_number_share_their_proof(void **state)
{
    struct ja_map map = {0};
    (void)state;
    char text[] = "00100 set 17 count ip from any to any\n00100 set 17 allow ip from any to any\n"
                  "# DISABLED 00200 set 5 deny ip from any to any \n00300 set 17 count ip from any to any\n"
                  "00300 set 1 count ip from any to any // set 17\n00300 set 17 count ip from me to any\n";
    assert_int_equal(ja_freebsd_parse_ipfw_rules(text, &map, &err), 0);
    assert_string_equal(ja_map_get(&map, "rule 100"),
                        "set 17 count ip from any to any\nset 17 allow ip from any to any");
    assert_string_equal(ja_map_get(&map, "rule 200"), "set 5 deny ip from any to any");
    assert_string_equal(ja_map_get(&map, "rule 300"), "several sets");
    ja_map_fini(&map);
}

static void strange_lists_of_ipfw_are_errors(void **state)
{
    struct ja_map map = {0};
    (void)state;
    char rule[] = "00100 count ip from any to any\n", entry[] = "10.0.0.0/8 0\n", table[] = "--- table(a) ---\n";
    char nat[] = "nat 17 config\n", word[] = "--- table(a), set(0) ---\nx\n";
    assert_int_equal(ja_freebsd_parse_ipfw_rules(rule, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_ipfw_entries(entry, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_ipfw_entries(word, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_ipfw_tables(table, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_ipfw_nats(nat, &map, &err), JA_E_FAILED);
    char good[] = "--- table(a), set(0) ---\nFD00:0::/64 7 \nem0 2\n--- table(b), set(0) ---\n10.0.0.5/32 0\n";
    assert_int_equal(ja_freebsd_parse_ipfw_entries(good, &map, &err), 0);
    assert_string_equal(ja_map_get(&map, "table a fd00::/64"), "7");
    assert_string_equal(ja_map_get(&map, "table a em0"), "2");
    assert_null(ja_map_get(&map, "table a 10.0.0.5/32"));
    ja_map_fini(&map);
}

static void an_entry_is_found_without_its_length(void **state)
{
    const struct said said[] = {
        {.command = "ipfw table all info", .text = "--- table(b), set(0) ---\n kindex: 1, type: addr\n"},
        {.command = "ipfw table all list", .text = "--- table(b), set(0) ---\n10.0.0.5/32 0\n"},
        {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_IPFW, "table b 10.0.0.5");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_IPFW, "table b 10.0.0.5", "0");
    ja_facts_fini(&facts);
}

static void all_rules_are_told_in_one(void **state)
{
    const struct said said[] = {{.command = "ipfw -S list",
                                 .text = "00100 set 17 count ip from any to any\n00100 set 0 deny ip from any to me\n"
                                         "65535 count ip from any to any not // orphaned dynamic states counter\n"
                                         "65535 set 31 allow ip from any to any \n"},
                                {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_IPFW, "rules");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_IPFW, "rules",
       "100 set 17 count ip from any to any\n100 set 0 deny ip from any to me\n65535 set 31 allow ip from any to any\n");
    ja_facts_fini(&facts);
}

/* ---- members of bridges, names of interfaces ---- */

static void bridges_have_members(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {{.command = "ifconfig -a", .version = versions[i], .file = "ifconfig-span"}, {0}};
        struct ja_facts facts = {0};
        ja_fact(&facts, JA_FACT_MEMBER, "jabr1 ja1n0");
        ja_fact(&facts, JA_FACT_MEMBER, "jabr1 epair2a");
        ja_fact(&facts, JA_FACT_MEMBER, "jabr1 epair3a");
        ja_fact(&facts, JA_FACT_LINKS, "jab");
        ja_fact(&facts, JA_FACT_LINKS, "nosuch");
        assert_int_equal(read_all(&facts, said), 0);
        is(&facts, JA_FACT_MEMBER, "jabr1 ja1n0", "");
        is(&facts, JA_FACT_MEMBER, "jabr1 epair2a", "span");
        is(&facts, JA_FACT_MEMBER, "jabr1 epair3a", NULL);
        is(&facts, JA_FACT_LINKS, "jab", "jabr1\n");
        is(&facts, JA_FACT_LINKS, "nosuch", NULL);
        ja_facts_fini(&facts);
    }
}

static void isolated_members_are_private(void **state)
{
    const struct said said[] = {{.command = "ifconfig -a", .version = "13.2", .file = "ifconfig-private"}, {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_MEMBER, "ja00br1 ja003n0");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_MEMBER, "ja00br1 ja003n0", "private");
    ja_facts_fini(&facts);
}

/* ---- tables with values, of interfaces and of addresses ---- */

static void entries_of_all_tables_have_values(void **state)
{
    const struct said said[] = {
        {.command = "ipfw table all info", .text = "--- table(ja00nics), set(0) ---\n kindex: 1, type: iface\n"},
        {.command = "ipfw table all list", .version = "13.2", .file = "ipfw-table-list-ours"},
        {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_IPFW, "table ja00nics");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00nics ja002n0");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00src fd00:2::3/128");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00src 10.66.0.2");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00gw 192.168.2.1/32");
    ja_fact(&facts, JA_FACT_IPFW, "table ja00any ja002n0");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_IPFW, "table ja00nics", "iface");
    is(&facts, JA_FACT_IPFW, "table ja00nics ja002n0", "10002");
    is(&facts, JA_FACT_IPFW, "table ja00src fd00:2::3/128", "10003");
    is(&facts, JA_FACT_IPFW, "table ja00src 10.66.0.2", "10000");
    is(&facts, JA_FACT_IPFW, "table ja00gw 192.168.2.1/32", "40001");
    is(&facts, JA_FACT_IPFW, "table ja00any ja002n0", NULL);
    ja_facts_fini(&facts);
}

/* ---- daemons ---- */

static void a_daemon_is_its_program_with_its_file(void **state)
{
    char file[512], other[512], question[600], wrong[600], gone[600];
    (void)state;
    put_text(at("dns.pid"), "712\n");
    put_text(at("old.pid"), "713\n");
    snprintf(file, sizeof file, "%s/dns.pid", scratch);
    snprintf(other, sizeof other, "%s/old.pid", scratch);
    char text[2048];
    snprintf(text, sizeof text,
             "    1 /sbin/init\n  712 /usr/local/sbin/dnsmasq --conf-file=/x.conf --pid-file=%s\n  713 vi %s\n"
             "  714 it's \"odd\n",
             file, other);
    const struct said said[] = {{.command = "ps -xww -J 0", .text = text}, {0}};
    struct ja_facts facts = {0};
    snprintf(question, sizeof question, "%s\tdnsmasq", file);
    snprintf(wrong, sizeof wrong, "%s\tdnsmasq", other);
    snprintf(gone, sizeof gone, "%s/none.pid\tdnsmasq", scratch);
    ja_fact(&facts, JA_FACT_DAEMON, question);
    ja_fact(&facts, JA_FACT_DAEMON, wrong);
    ja_fact(&facts, JA_FACT_DAEMON, gone);
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 1);
    is(&facts, JA_FACT_DAEMON, question, "712");
    is(&facts, JA_FACT_DAEMON, wrong, NULL);
    is(&facts, JA_FACT_DAEMON, gone, NULL);
    ja_facts_fini(&facts);
}

/* ---- listeners ---- */

static void who_listens_is_found(void **state)
{
    static const char *const questions[][2] = {
        {"tcp 10.66.0.1 22", "sshd (process 812)"},
        {"tcp fd00::1 22", "sshd (process 812)"},
        {"tcp 10.66.0.1 80", "nginx: wor (process 4711)"},
        {"tcp 10.66.0.2 80", NULL},
        {"udp 10.66.0.1 80", NULL},
        {"tcp * 75-85", "nginx: wor (process 4711)"},
        {"udp * 53", NULL}, /* only on the loopback interface */
        {"udp 127.0.0.1 53", "named (process 900)"},
        {"tcp * 953", NULL},
        {"tcp 10.0.0.1 8080", "java (process 77)"},
        {"tcp fd00::1 8080", "java (process 77)"},
        {"tcp fe80::1 9", "a b (process 78)"},
        {"tcp * 4000", "ntpd (process 90)"},
        {"udp * 123", "the kernel, or a process that is not seen from here"},
        {"udp fd00::1 123", NULL},
        {"tcp * ", NULL},
        {"nonsense", NULL},
    };
    static const char *const files[] = {"sockstat", "sockstat-15"};
    (void)state;
    for (size_t f = 0; f < JA_COUNT(files); f++) {
        const struct said said[] = {{.command = "sockstat -46lw", .version = ".", .file = files[f]}, {0}};
        struct ja_facts facts = {0};
        for (size_t i = 0; i < JA_COUNT(questions); i++)
            ja_fact(&facts, JA_FACT_LISTEN, questions[i][0]);
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 1);
        for (size_t i = 0; i < JA_COUNT(questions); i++)
            is(&facts, JA_FACT_LISTEN, questions[i][0], questions[i][1]);
        ja_facts_fini(&facts);
    }
}

static void strange_lists_of_sockets_are_errors(void **state)
{
    static const char *const bad[] = {"root sshd 812 4 tcp4 *:22",
                                      "root\n",
                                      "\n \n",
                                      "root sshd 812 4 sctp4 *:22 *:*\n",
                                      "root sshd 812 4 tcp4 *:x *:*\n",
                                      "root sshd 812 4 tcp4 *:99999 *:*\n",
                                      "root sshd 812 4 tcp4 10.0.0.256:22 *:*\n",
                                      "root sshd 812 4 tcp6 []:22 *:*\n",
                                      "root sshd 812 4 tcp6 [:22 *:*\n",
                                      "root sshd 812 4 tcp6 [::1:22 *:*\n"};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(bad); i++) {
        struct ja_freebsd_listeners listeners = {0};
        char *copy = ja_strdup(bad[i]);
        assert_int_equal(ja_freebsd_parse_sockstat(copy, &listeners, &err), JA_E_FAILED);
        ja_freebsd_listeners_fini(&listeners);
        ja_free(copy);
    }
    /* What a process calls itself reaches no terminal as it is. */
    struct ja_freebsd_listeners listeners = {0};
    char text[] = "root \033[31m 1 3 tcp4 *:80 *:*\n";
    assert_int_equal(ja_freebsd_parse_sockstat(text, &listeners, &err), 0);
    assert_null(strchr(listeners.items[0].who, '\033'));
    ja_freebsd_listeners_fini(&listeners);
}

/* ---- files ---- */

static void trees_begin_with_rc(void **state)
{
    const struct said said[] = {{0}};
    struct ja_facts facts = {0};
    char tree[512], none[512], link[512], user[600];
    (void)state;
    snprintf(tree, sizeof tree, "%s", at("tree"));
    snprintf(none, sizeof none, "%s", at("empty"));
    snprintf(link, sizeof link, "%s", at("hostile"));
    snprintf(user, sizeof user, "%s\twww", tree);
    assert_false(mkdir(tree, 0755) || mkdir(none, 0755) || mkdir(link, 0755));
    assert_false(mkdir(at("tree/etc"), 0755) || mkdir(at("hostile/etc"), 0755) || mkdir(at("hostile/etc/rc"), 0755));
    put_text(at("tree/etc/rc"), "#!/bin/sh\n");
    put_text(at("tree/etc/passwd"), "root:*:0:0::/root:/bin/sh\nwww:*:80:80::/nonexistent:/usr/sbin/nologin\n");
    ja_fact(&facts, JA_FACT_INIT, tree);
    ja_fact(&facts, JA_FACT_INIT, none);
    ja_fact(&facts, JA_FACT_INIT, link);
    ja_fact(&facts, JA_FACT_USERFILE, user);
    ja_fact(&facts, JA_FACT_PATH, tree);
    ja_fact(&facts, JA_FACT_TOOL, "sh");
    ja_fact(&facts, JA_FACT_CGROUPS, "");
    assert_int_equal(read_all(&facts, said), 0);
    assert_int_equal(host.runs, 0);
    is(&facts, JA_FACT_INIT, tree, "rc");
    is(&facts, JA_FACT_INIT, none, NULL);
    is(&facts, JA_FACT_INIT, link, NULL);
    is(&facts, JA_FACT_USERFILE, user, "80 80 /nonexistent /usr/sbin/nologin");
    is(&facts, JA_FACT_PATH, tree, "dir");
    assert_non_null(ja_fact(&facts, JA_FACT_TOOL, "sh"));
    is(&facts, JA_FACT_CGROUPS, "", NULL);
    assert_int_equal(facts.missing, 0);
    ja_facts_fini(&facts);
}

/* ---- everything cut off everywhere ---- */

/* Every beginning of every real output: an error, or what a shorter list says; never a crash. Under a sanitizer this finds
 * reads beyond the end. */
static void every_beginning_of_real_output_is_harmless(void **state)
{
    static const char *const names[] = {"ifconfig",   "ipfw-S-list", "ipfw-table-info", "ipfw-nat-config", "kldstat",
                                        "mount-json", "jls-n-json",  "netstat-json",    "sysctl-features"};
    (void)state;
    for (size_t n = 0; n < JA_COUNT(names); n++) {
        char *text = load("15.1", names[n]);
        for (size_t length = strlen(text); length-- > 0;) {
            struct ja_map map = {0};
            struct ja_freebsd_links links = {0};
            struct ja_freebsd_listeners listeners = {0};
            char *copy;
            int rc = 0;
            for (int parser = 0; parser < 9; parser++) {
                copy = ja_strndup(text, length);
                rc = parser == 0   ? ja_freebsd_parse_ifconfig(copy, &links, &err)
                     : parser == 1 ? ja_freebsd_parse_ipfw_rules(copy, &map, &err)
                     : parser == 2 ? ja_freebsd_parse_ipfw_tables(copy, &map, &err)
                     : parser == 3 ? ja_freebsd_parse_ipfw_entries(copy, &map, &err)
                     : parser == 4 ? ja_freebsd_parse_ipfw_nats(copy, &map, &err)
                     : parser == 5 ? ja_freebsd_parse_kldstat(copy, &map, &err)
                     : parser == 6 ? ja_freebsd_parse_sockstat(copy, &listeners, &err)
                     : parser == 7 ? ja_freebsd_parse_rctl(copy, &map, &err)
                                   : ja_freebsd_parse_jls(copy, &map, &err);
                assert_true(rc == 0 || rc == JA_E_FAILED);
                ja_free(copy);
            }
            ja_map_fini(&map);
            ja_freebsd_links_fini(&links);
            ja_freebsd_listeners_fini(&listeners);
        }
        free(text);
    }
}

/* ---- pf ---- */

static void ask_pf(struct ja_facts *facts)
{
    static const char *const names[] = {"status",  "main nat-anchor", "main rdr-anchor", "main anchor",
                                        "anchors", "anchor lan",      "anchor la"};
    for (size_t i = 0; i < JA_COUNT(names); i++)
        ja_fact(facts, JA_FACT_PF, names[i]);
}

/* A jail's anchor and a network's; what has the same beginning is another one. */
static void pf_tells_its_state_and_our_anchors(void **state)
{
    static const char *const versions[] = {"13.2", "15.1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct said said[] = {
            {.command = "pfctl -s info", .version = versions[i], .file = "pfctl-info"},
            {.command = "pfctl -s nat", .version = "13.2", .file = "pfctl-main-nat"},
            {.command = "pfctl -s rules", .version = "13.2", .file = "pfctl-main-rules"},
            {.command = "pfctl -a jailadmin -s Anchors", .version = versions[i], .file = "pfctl-anchors"},
            {.command = "pfctl -a jailadmin/lan -P -s nat", .version = versions[i], .file = "pfctl-anchor-nat"},
            {.command = "pfctl -a jailadmin/lan -P -s rules", .text = ""},
            {0}};
        struct ja_facts facts = {0};
        ask_pf(&facts);
        assert_int_equal(read_all(&facts, said), 0);
        assert_int_equal(host.runs, 6);
        is(&facts, JA_FACT_PF, "status", "Disabled");
        is(&facts, JA_FACT_PF, "main nat-anchor", "");
        is(&facts, JA_FACT_PF, "main rdr-anchor", "");
        is(&facts, JA_FACT_PF, "main anchor", "");
        is(&facts, JA_FACT_PF, "anchors", "lan\n");
        is(&facts, JA_FACT_PF, "anchor la", NULL);
        is(&facts, JA_FACT_PF, "anchor lan",
           "nat on vtnet0 inet from <ja> to any -> (vtnet0)\n"
           "rdr pass on vtnet0 inet proto tcp from any to (vtnet0) port = http-alt -> 10.66.0.21 port 80\n");
        ja_facts_fini(&facts);
    }
}

static void all_of_an_anchor_is_told_in_one(void **state)
{
    const struct said said[] = {
        {.command = "pfctl -a jailadmin -s Anchors", .text = "  jailadmin/ja7f3\n  jailadmin/ja7fbr0\n"},
        {.command = "pfctl -a jailadmin/ja7fbr0 -P -s nat", .version = "13.2", .file = "pfctl-network-nat"},
        {.command = "pfctl -a jailadmin/ja7fbr0 -P -s rules", .version = "13.2", .file = "pfctl-network-rules"},
        {0}};
    struct ja_facts facts = {0};
    (void)state;
    ja_fact(&facts, JA_FACT_PF, "anchor ja7fbr0");
    assert_int_equal(read_all(&facts, said), 0);
    is(&facts, JA_FACT_PF, "anchor ja7fbr0",
       "nat on epair5a inet from 10.77.0.0/24 to any -> (epair5a:0)\n"
       "nat on epair5a inet6 from fd77::/64 to any -> (epair5a:0)\n"
       "block drop in quick on epair5a inet from any to 10.77.0.0/24\n"
       "block drop in quick on ! lo0 inet from ! 10.77.0.0/24 to 10.77.0.0/24\n");
    ja_facts_fini(&facts);
}

/* Not loaded, no such program, nobody has made an anchor; and what is no answer. */
static void without_pf_nothing_is_there(void **state)
{
    const struct said off[] = {{.command = "pfctl", .text = "pfctl: /dev/pf: No such file or directory\n", .status = 1},
                               {0}};
    const struct said none[] = {{.command = "pfctl", .code = JA_E_NOTFOUND}, {0}};
    const struct said bare[] = {
        {.command = "pfctl -s info", .text = "Status: Enabled for 0 days 00:00:02           Debug: Urgent\n"},
        {.command = "pfctl -s", .text = "No ALTQ support in kernel\nALTQ related functions disabled\n"},
        {.command = "pfctl -a jailadmin -s",
         .text = "pfctl: DIOCGETRULESETS: No such file or directory\n",
         .status = 1},
        {0}};
    const struct said bare15[] = {
        {.command = "pfctl -s info", .text = "Status: Enabled for 0 days 00:00:02           Debug: Urgent\n"},
        {.command = "pfctl -s", .text = ""},
        {.command = "pfctl -a jailadmin -s", .text = "pfctl: Anchor does not exist.\n", .status = 1},
        {0}};
    const struct said denied[] = {{.command = "pfctl", .text = "pfctl: /dev/pf: Permission denied\n", .status = 1},
                                  {0}};
    const struct said *all[] = {off, none, bare, bare15, denied};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(all); i++) {
        struct ja_facts facts = {0};
        ask_pf(&facts);
        assert_int_equal(read_all(&facts, all[i]), i == 4 ? JA_E_FAILED : 0);
        if (i < 4) {
            is(&facts, JA_FACT_PF, "status", i >= 2 ? "Enabled" : NULL);
            is(&facts, JA_FACT_PF, "main anchor", NULL);
            is(&facts, JA_FACT_PF, "anchors", NULL);
            is(&facts, JA_FACT_PF, "anchor lan", NULL);
        }
        ja_facts_fini(&facts);
    }
}

static void strange_lists_of_pf_are_errors(void **state)
{
    char info[] = "pf is well\n", anchors[] = "jailadmin/lan\n", rules[] = "pfctl: DIOCGETRULE: Device busy\n";
    struct ja_map map = {0};
    struct ja_str text = {0};
    (void)state;
    ja_error_clear(&err);
    assert_int_equal(ja_freebsd_parse_pf_info(info, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_pf_anchors(anchors, &map, &err), JA_E_FAILED);
    assert_int_equal(ja_freebsd_parse_pf_rules(rules, &text, &err), JA_E_FAILED);
    assert_int_equal(map.count, 0);
    ja_map_fini(&map);
    ja_str_fini(&text);
}

/* ---- memory runs out ---- */

static void ask_everything(struct ja_facts *facts)
{
    static const char *const names[] = {"if_bridge", "vimage"};
    ask_ipfw(facts);
    ask_pf(facts);
    ja_fact(facts, JA_FACT_JAIL, "web1");
    ja_fact(facts, JA_FACT_LINK, "jabr1");
    ja_fact(facts, JA_FACT_HOSTADDR, "10.66.0.1");
    ja_fact(facts, JA_FACT_HOSTNETS, "");
    ja_fact(facts, JA_FACT_MOUNT, "/jails/web1/dev");
    ja_fact(facts, JA_FACT_ROUTE, "default6");
    ja_fact(facts, JA_FACT_MODULE, names[0]);
    ja_fact(facts, JA_FACT_MODULE, names[1]);
    ja_fact(facts, JA_FACT_RCTL, "jail:j1");
    ja_fact(facts, JA_FACT_LISTEN, "tcp * 80");
    ja_fact(facts, JA_FACT_SYSCTL, "net.inet.ip.forwarding");
    ja_fact(facts, JA_FACT_TOOL, "sh");
    ja_fact(facts, JA_FACT_PATH, "/");
}

static void running_out_of_memory_is_an_error(void **state)
{
    const struct said said[] = {{.command = "jls", .version = "15.1", .file = "jls-n-json"},
                                {.command = "ifconfig", .version = "15.1", .file = "ifconfig"},
                                {.command = "mount", .version = "15.1", .file = "mount-json"},
                                {.command = "netstat", .version = "15.1", .file = "netstat-json"},
                                {.command = "kldstat", .version = ".", .file = "kldstat-v"},
                                {.command = "sysctl -e kern", .version = "15.1", .file = "sysctl-features"},
                                {.command = "sysctl", .text = "net.inet.ip.forwarding=1\n"},
                                {.command = "ipfw -S list", .version = "15.1", .file = "ipfw-S-list"},
                                {.command = "ipfw table all info", .version = "15.1", .file = "ipfw-table-info"},
                                {.command = "ipfw table all list", .version = "15.1", .file = "ipfw-table-list"},
                                {.command = "ipfw nat", .version = "15.1", .file = "ipfw-nat-config"},
                                {.command = "pfctl -s info", .version = "15.1", .file = "pfctl-info"},
                                {.command = "pfctl -s", .version = "13.2", .file = "pfctl-main-nat"},
                                {.command = "pfctl -a jailadmin -s", .version = "15.1", .file = "pfctl-anchors"},
                                {.command = "pfctl -a jailadmin/lan", .version = "15.1", .file = "pfctl-anchor-nat"},
                                {.command = "rctl", .version = "13.2", .file = "rctl"},
                                {.command = "sockstat", .version = ".", .file = "sockstat"},
                                {0}};
    bool failed = true;
    (void)state;
    for (long k = 0; failed; k++) {
        struct ja_facts facts = {0};
        ask_everything(&facts);
        ja_alloc_fail_after(k);
        int rc = read_all(&facts, said);
        failed = ja_alloc_fail_after(-1) < 0;
        if (failed && rc == 0)
            fail_msg("allocation %ld failed, and nobody noticed", k);
        if (rc != 0)
            assert_int_equal(rc, JA_E_NOMEM);
        if (!failed) {
            assert_int_equal(rc, 0);
            assert_int_equal(facts.missing, 0);
        }
        ja_facts_fini(&facts);
        assert_true(k < 20000);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jails_have_path_number_and_state),
        cmocka_unit_test(an_active_jail_hides_a_dying_one),
        cmocka_unit_test(strange_lists_of_jails_are_errors),
        cmocka_unit_test(names_that_are_no_text_hide_no_other),
        cmocka_unit_test_setup_teardown(a_jail_runs_when_its_kernel_jail_has_its_path, scratch_setup, scratch_teardown),
        cmocka_unit_test(one_ifconfig_answers_for_all_interfaces),
        cmocka_unit_test(span_ports_count),
        cmocka_unit_test(addresses_are_read_in_all_their_forms),
        cmocka_unit_test(unreadable_addresses_and_cut_text_are_errors),
        cmocka_unit_test(an_interface_with_a_hostile_name_is_nobody),
        cmocka_unit_test(two_interfaces_of_one_name_are_not_ours),
        cmocka_unit_test(mounts_have_types),
        cmocka_unit_test(default_routes_have_interfaces),
        cmocka_unit_test(settings_are_read_by_one_process),
        cmocka_unit_test(values_have_lines_and_errors_are_errors),
        cmocka_unit_test(modules_are_files_modules_and_features),
        cmocka_unit_test(limits_belong_to_jails),
        cmocka_unit_test(ipfw_tells_rules_tables_and_nat),
        cmocka_unit_test(without_ipfw_nothing_is_there),
        cmocka_unit_test(rules_that_share_a_number_share_their_proof),
        cmocka_unit_test(strange_lists_of_ipfw_are_errors),
        cmocka_unit_test(an_entry_is_found_without_its_length),
        cmocka_unit_test(all_rules_are_told_in_one),
        cmocka_unit_test(pf_tells_its_state_and_our_anchors),
        cmocka_unit_test(all_of_an_anchor_is_told_in_one),
        cmocka_unit_test(without_pf_nothing_is_there),
        cmocka_unit_test(strange_lists_of_pf_are_errors),
        cmocka_unit_test(bridges_have_members),
        cmocka_unit_test(isolated_members_are_private),
        cmocka_unit_test(entries_of_all_tables_have_values),
        cmocka_unit_test_setup_teardown(a_daemon_is_its_program_with_its_file, scratch_setup, scratch_teardown),
        cmocka_unit_test(who_listens_is_found),
        cmocka_unit_test(strange_lists_of_sockets_are_errors),
        cmocka_unit_test_setup_teardown(trees_begin_with_rc, scratch_setup, scratch_teardown),
        cmocka_unit_test(every_beginning_of_real_output_is_harmless),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    if (argc != 2)
        return 2;
    data = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
