/*
 * fuzz_plans.c: what is written for other programs from what users and jails may call things: plans of both systems. Every word and
 * every line is text; plans read back as the same; files of resolvers have the lines that they are to have and no other.
 *
 * An input is a letter for the host and one for the verb, then assignments, a line each: to the jail web1 of the golden plans, and with "@" before them to
 * its network.
 */
#include "fuzz.h"

#include "engine/internal.h"
#include "host/host.h"
#include "net/addr.h"
#include "plan/plan.h"

enum { ROUNDS = 16, LINES_MOST = 16, KNOWN_MOST = 2000 };

static const struct host {
    const char *dir, *facts;
} hosts[] = {
    {"linux-btrfs", "ready"},   {"linux-btrfs", "running"}, {"freebsd-zfs", "ready"},
    {"freebsd-zfs", "running"}, {"linux-btrfs", "fresh"},   {"freebsd-zfs", "pf"},
};

/* What is the same for all inputs. */
static struct world {
    struct ja_site site;
    struct ja_facts facts; /* as described */
    struct ja_facts known; /* what was asked until now, with its answer */
    struct ja_jail *jail;
    struct ja_network *network;
    struct ja_template *template;
} worlds[JA_COUNT(hosts)];

static json_t *load(const char *dir, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, FUZZ_TEST "/plan/%s/%s.json", dir, name);
    json_t *json = json_load_file(path, 0, NULL);
    must(json);
    return json;
}

static void *first(const struct ja_noun *noun, const json_t *specs)
{
    void *object = NULL;
    must(ja_object_from_json(noun, json_array_get(json_object_get(specs, noun->plural), 0), true, &object, NULL) == 0);
    return object;
}

static struct world *world_of(size_t number)
{
    struct world *world = &worlds[number];
    if (world->jail)
        return world;
    json_t *site = load(hosts[number].dir, "site"), *facts = load(hosts[number].dir, hosts[number].facts),
           *specs = load(".", "specs");
    must(ja_site_from_json(site, &world->site, NULL) == 0);
    must(ja_facts_from_json(&world->facts, facts, NULL) == 0);
    snprintf(world->site.state, sizeof world->site.state, "/var/db/jailadmin");
    snprintf(world->site.self, sizeof world->site.self, "/usr/sbin/jailadmin");
    world->jail = first(&ja_noun_jail, specs);
    world->network = first(&ja_noun_network, specs);
    world->template = first(&ja_noun_template, specs);
    json_decref(site);
    json_decref(facts);
    json_decref(specs);
    return world;
}

/* ---- what a planner is given ---- */

struct input {
    struct world *world;
    struct ja_jail *jail;
    struct ja_network *network;
    const struct ja_network *networks[LINES_MOST + 8];
};

static void add_address(struct ja_nic *nic, const char *text, unsigned number)
{
    char address[JA_ADDR_TEXT];
    struct ja_addr addr;
    bool v6 = strcmp(text, "auto6") == 0 || strcmp(text, "slaac") == 0;
    if (ja_addr_parse(text, &addr, NULL) == 0) {
        addr.prefix = addr.prefix < 0 ? (addr.v6 ? 64 : 16) : addr.prefix;
        ja_addr_format(&addr, true, address);
    } else {
        snprintf(address, sizeof address, v6 ? "fd00::%u/64" : "10.66.0.%u/16", 10 + number % 200);
    }
    must(ja_strv_add(&nic->assigned, address) == 0);
}

/* What the store gives to a new jail: addresses, a unit for each nic. */
static bool complete(struct input *input)
{
    unsigned number = 0;
    if (input->jail->nics.count > JA_COUNT(input->networks))
        return false;
    for (size_t i = 0; i < input->jail->nics.count; i++) {
        struct ja_nic *nic = input->jail->nics.items[i];
        input->networks[i] = input->network;
        nic->unit = nic->unit ? nic->unit : 10010 + (int64_t)i;
        ja_strv_fini(&nic->assigned);
        for (size_t k = 0; !nic->span && k < nic->addresses.count; k++)
            add_address(nic, nic->addresses.items[k], number++);
    }
    return true;
}

static bool assign(struct input *input, char *text)
{
    char *line;
    for (size_t count = 0; count < LINES_MOST && (line = fuzz_line(&text)) != NULL; count++) {
        bool network = line[0] == '@';
        if (network)
            ja_object_set(&ja_noun_network, input->network, line + 1, true, NULL);
        else
            ja_object_set(&ja_noun_jail, input->jail, line, true, NULL);
    }
    return ja_object_check(&ja_noun_jail, input->jail, NULL) == 0 &&
           ja_object_check(&ja_noun_network, input->network, NULL) == 0 && complete(input);
}

/* ---- what is looked at ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_word(const char *text)
{
    return *text && !strpbrk(text, " \t");
}

/* "key" or "key=value without blanks", or a comment. */
static void check_config(char *line)
{
    size_t key = strspn(line, "abcdefghijklmnopqrstuvwxyz-");
    if (line[0] != '#')
        must(key > 0 && (line[key] == '\0' || (line[key] == '=' && is_word(line + key + 1))));
}

/* "ADDRESS NAME NAME..." */
static void check_names(char *line)
{
    struct ja_addr addr;
    if (line[0] == '#' || !line[0])
        return;
    line[strcspn(line, " \t")] = '\0';
    must(ja_addr_parse(line, &addr, NULL) == 0);
}

static void check_resolver(char *line)
{
    must(line[0] == '#' || !line[0] || ja_str_starts(line, "nameserver ") || ja_str_starts(line, "search ") ||
         ja_str_starts(line, "options ") || ja_str_starts(line, "domain "));
}

static void check_lease(char *line)
{
    uint8_t mac[6];
    char *comma = strchr(line, ',');
    struct ja_addr addr;
    must(comma);
    *comma = '\0';
    must(ja_mac_parse(line, mac) == 0 && ja_addr_parse(comma + 1, &addr, NULL) == 0);
}

static void each_line(const char *text, void (*check)(char *line))
{
    char *copy = ja_strdup(text), *rest = copy, *line;
    must(copy);
    while ((line = fuzz_line(&rest)) != NULL)
        if (rest || *line)
            check(line);
    free(copy);
}

static void check_input(const struct ja_cmd *cmd)
{
    const char *last = cmd->argv.items[cmd->argv.count - 1];
    bool jailadmin = ends_with(cmd->argv.items[0], "/jailadmin");
    must(ja_str_printable(cmd->input, strlen(cmd->input), true));
    if (jailadmin && strstr(last, "/dns/") && ends_with(last, ".conf"))
        each_line(cmd->input, check_config);
    else if (jailadmin && strstr(last, "/dns/") && strstr(last, ".d/"))
        each_line(cmd->input, check_names);
    else if (jailadmin && strstr(last, "/dns/") && strstr(last, ".dhcp/"))
        each_line(cmd->input, check_lease);
    else if (jailadmin && ends_with(last, "etc/hosts"))
        each_line(cmd->input, check_names);
    else if (jailadmin && ends_with(last, "etc/resolv.conf"))
        each_line(cmd->input, check_resolver);
    else if (cmd->argv.count > 2 && jailadmin && strcmp(cmd->argv.items[2], "bundle") == 0) {
        json_t *json = json_loads(cmd->input, 0, NULL);
        must(json);
        json_decref(json);
    }
}

static void check_command(const struct ja_cmd *cmd, bool may_be_empty)
{
    must(may_be_empty || (cmd->argv.count > 0 && cmd->argv.items[0][0] == '/'));
    for (size_t i = 0; i < cmd->argv.count; i++)
        must(ja_str_printable(cmd->argv.items[i], strlen(cmd->argv.items[i]), true));
    if (cmd->input)
        check_input(cmd);
}

static void check_plan(const struct ja_plan *plan)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_plan again = {0};
    for (size_t i = 0; i < plan->notes.count; i++)
        must(fuzz_printable(plan->notes.items[i]));
    if (plan->count == 0 || !fuzz_accepted(ja_plan_check(plan, &err), &err))
        return;
    for (size_t i = 0; i < plan->count; i++) {
        must(fuzz_printable(plan->steps[i]->why));
        check_command(&plan->steps[i]->run, false);
        check_command(&plan->steps[i]->undo, true);
    }
    json_t *json = ja_plan_to_json(plan);
    must(json && ja_plan_from_json(json, &again, &err) == 0 && ja_plan_equal(plan, &again));
    json_decref(json);
    ja_plan_fini(&again);
    ja_autostr struct ja_str script = {0};
    ja_plan_print(plan, &script);
    must(!script.failed && ja_str_printable(script.text, script.length, true));
}

/* ---- the verbs ---- */

typedef void verb_fn(struct ja_planning *p, const struct input *input, const struct ja_subject *subject);

static void create(struct ja_planning *p, JA_UNUSED const struct input *input, const struct ja_subject *subject)
{
    ja_plan_jail_create(p, subject, false);
}

static void create_started(struct ja_planning *p, JA_UNUSED const struct input *input, const struct ja_subject *subject)
{
    ja_plan_jail_create(p, subject, true);
}

static void start(struct ja_planning *p, JA_UNUSED const struct input *input, const struct ja_subject *subject)
{
    ja_plan_jail_start(p, subject);
}

static void stop(struct ja_planning *p, JA_UNUSED const struct input *input, const struct ja_subject *subject)
{
    ja_plan_jail_stop(p, subject, JA_STOP_GRACEFUL);
}

static void delete (struct ja_planning *p, JA_UNUSED const struct input *input, const struct ja_subject *subject)
{
    ja_plan_jail_delete(p, subject, false);
}

static void set(struct ja_planning *p, const struct input *input, const struct ja_subject *subject)
{
    struct ja_jailset set = {.old = input->world->jail, .new = subject};
    ja_plan_jail_set(p, &set);
}

static void network_up(struct ja_planning *p, const struct input *input, JA_UNUSED const struct ja_subject *subject)
{
    ja_plan_network_create(p, input->network);
}

static void network_set(struct ja_planning *p, const struct input *input, const struct ja_subject *subject)
{
    struct ja_networkset set = {input->world->network, input->network, subject, subject, 1};
    ja_plan_network_set(p, &set);
}

/* Without noting the question, as ja_fact does. */
static const char *answer(const struct ja_facts *facts, const struct ja_fact *question)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->items[i].kind == question->kind && strcmp(facts->items[i].name, question->name) == 0)
            return facts->items[i].value;
    return NULL;
}

static void plan_verb(const struct input *input, verb_fn *verb)
{
    struct world *world = input->world;
    struct ja_facts *facts = &world->known;
    const struct ja_subject subject = {.jail = input->jail, .template = world->template, .networks = input->networks};
    if (facts->count > KNOWN_MOST)
        ja_facts_fini(facts);
    for (int round = 0; round < ROUNDS; round++) {
        struct ja_plan plan = {0};
        struct ja_planning p = {.plan = &plan,
                                .facts = facts,
                                .site = &world->site,
                                .host = ja_host_of(world->site.os),
                                .storage = ja_storage_of(world->site.storage)};
        must(ja_plan_init(&plan, "fuzz", "jail", "web1") == 0);
        verb(&p, input, &subject);
        bool done = facts->missing == 0;
        if (done)
            check_plan(&plan);
        ja_plan_fini(&plan);
        if (done)
            break;
        for (size_t i = 0; i < facts->count; i++)
            if (!facts->items[i].known)
                must(ja_facts_set(facts, facts->items[i].kind, facts->items[i].name,
                                  answer(&world->facts, &facts->items[i])) == 0);
    }
}

static void plans(char *text, size_t length)
{
    static verb_fn *const verbs[] = {create, start, stop, delete, set, network_up, network_set, create_started};
    if (length < 2)
        return;
    size_t which = (unsigned char)(text[0] - 'a');
    verb_fn *verb = verbs[(unsigned char)(text[1] - 'a') % JA_COUNT(verbs)];
    struct world *world = world_of(which % JA_COUNT(hosts));
    struct input input = {.world = world,
                          .jail = ja_object_copy(&ja_noun_jail, world->jail),
                          .network = ja_object_copy(&ja_noun_network, world->network)};
    must(input.jail && input.network);
    if (assign(&input, text + 2))
        plan_verb(&input, verb);
    ja_object_free(&ja_noun_jail, input.jail);
    ja_object_free(&ja_noun_network, input.network);
}

const struct fuzz_parser fuzz_parsers[] = {{"plans", plans}, {NULL, NULL}};

void fuzz_seeds(void)
{
    static const char *const texts[] = {
        "",
        "hostname=www.example.org\nnics.eth0.address=auto,auto6\ndns.servers=9.9.9.9\ndns.search=example.org\nlabels.a=b",
        "services.http.command=httpd -f 'a b'\nservices.http.user=nobody\nhooks.before-start=/bin/x --for 'a\nenv.TZ=UTC",
        "mounts./usr/ports.source=/usr/ports\nmounts./tmp.type=tmpfs\nmounts./tmp.size=64M\nvolumes.log.target=/var/log",
        "limits.memory=1G\nlimits.cpu=1.5\nlimits.cpuset=0-1\nlimits.disk=2G\nlimits.read-rate=10M\nprivileged=yes",
        "nics.eth0.shape.in.rate=10Mbit\nnics.eth0.shape.out.delay=20ms\nnics.eth0.shape.out.loss=1%",
        "forwards.web.port=8000-8010\nforwards.web.to=80-90\nforwards.dns.protocol=udp\nforwards.dns.port=53\n@nat=em1",
        "@dhcp=yes\n@domain=example.org\n@address+=fd00::1/64\nnics.eth0.address=dhcp,slaac\nroutes.10.1.0.0/16.via=10.66.0.1",
        "@rules+=db,action=allow,peer=203.0.113.0/24,protocol=tcp,port=5432\n@rules+=no,action=deny,peer=any,direction=in\n"
        "@isolate=yes\n@mtu=1400\n@vlan=5\n@members=em1\n@nat-by=pf",
        "vnet=shared\nallow=raw_sockets\ndevices=/dev/fuse\nsecurelevel=3\nchildren=2\nsysvipc=new\nstop-command=/etc/rc.stop\n"
        "init=/sbin/init -x",
    };
    for (size_t i = 0; i < JA_COUNT(texts); i++)
        for (int k = 0; k < 42; k += 5) { /* each host and each verb, but not all pairs */
            char text[1024];
            snprintf(text, sizeof text, "%c%c%s", 'a' + k % 6, 'a' + k % 7, texts[i]);
            fuzz_seed("plans", text);
        }
    fuzz_words(&ja_noun_jail);
    fuzz_words(&ja_noun_network);
    static const char *const words[] = {
        "\n@", "nics.eth0.", "limits.", "mounts./a.", "@rules.r.", "+=", "auto6", "$(id)", "`",
        "'",   "\"",         "\\",      ";",          "%s",        "--", "../",   "END"};
    for (size_t i = 0; i < JA_COUNT(words); i++)
        fuzz_word(words[i]);
}
