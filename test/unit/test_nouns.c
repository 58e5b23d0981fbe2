/*
 * test_nouns.c: the tables of the product's own nouns: well made, strict, and helpful when they refuse.
 */
#include "model/field_impl.h"
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct ja_noun *const nouns[] = {&ja_noun_jail,     &ja_noun_nic,
                                              &ja_noun_route,    &ja_noun_mount,
                                              &ja_noun_service,  &ja_noun_volume,
                                              &ja_noun_forward,  &ja_noun_limits,
                                              &ja_noun_dns,      &ja_noun_hooks,
                                              &ja_noun_network,  &ja_noun_rule,
                                              &ja_noun_template, &ja_noun_template_version,
                                              &ja_noun_shape,    &ja_noun_flow};

static bool overlap(const struct ja_field *a, const struct ja_field *b)
{
    return a->offset < b->offset + ja_field_size(b) && b->offset < a->offset + ja_field_size(a);
}

static void every_row_is_complete_and_has_its_own_place(void **state)
{
    (void)state;
    for (size_t n = 0; n < JA_COUNT(nouns); n++) {
        const struct ja_noun *noun = nouns[n];
        for (size_t i = 0; i < noun->field_count; i++) {
            const struct ja_field *field = &noun->fields[i];
            size_t length = strlen(field->doc);
            bool noun_fits = !field->noun == (field->type != JA_T_OBJECT && field->type != JA_T_LIST);
            /* A word that must be given has no default, and so is a text. */
            bool words_fit = field->type == JA_T_ENUM || !field->values ||
                             (field->type == JA_T_STRING && (field->flags & JA_F_REQUIRED));
            words_fit = words_fit && (field->values || field->type != JA_T_ENUM);
            bool doc_fits = length > 5 && length < 150 && field->doc[length - 1] != '.' && !strchr(field->doc, '\n');
            if (!noun_fits || !words_fit || !doc_fits || field->offset + ja_field_size(field) > noun->size)
                fail_msg("%s.%s", noun->name, field->name);
            if (field->name[strspn(field->name, "abcdefghijklmnopqrstuvwxyz-")])
                fail_msg("%s.%s has another character in its name", noun->name, field->name);
            for (size_t j = 0; j < i; j++)
                if (overlap(field, &noun->fields[j]) || strcmp(field->name, noun->fields[j].name) == 0)
                    fail_msg("%s.%s and %s", noun->name, field->name, noun->fields[j].name);
        }
    }
}

/* Bytes that no field describes would be lost in the store. */
static void every_member_of_a_structure_has_a_row(void **state)
{
    (void)state;
    for (size_t n = 0; n < JA_COUNT(nouns); n++) {
        size_t described = 0;
        for (size_t i = 0; i < nouns[n]->field_count; i++)
            described += ja_field_size(&nouns[n]->fields[i]);
        /* Only padding is left: less than one pointer for each small field. */
        size_t small = 0;
        for (size_t i = 0; i < nouns[n]->field_count; i++)
            small += ja_field_size(&nouns[n]->fields[i]) < sizeof(void *);
        assert_true(described <= nouns[n]->size);
        if (nouns[n]->size - described >= (small ? small * sizeof(void *) : 1))
            fail_msg("%s: %zu of %zu bytes", nouns[n]->name, described, nouns[n]->size);
    }
}

static void what_gives_power_over_the_host_is_for_admins(void **state)
{
    static const char *const paths[] = {"mounts./x.source",  "hooks.before-start",
                                        "hooks.after-start", "hooks.before-stop",
                                        "hooks.after-stop",  "devices",
                                        "privileged",        "allow"};
    static const char *const free_paths[] = {"mounts./x.readonly", "labels", "limits.memory", "nics.eth0.address"};
    (void)state;
    for (size_t i = 0; i < JA_COUNT(paths); i++)
        assert_true(ja_noun_field_at(&ja_noun_jail, paths[i])->flags & JA_F_ADMIN);
    for (size_t i = 0; i < JA_COUNT(free_paths); i++)
        assert_false(ja_noun_field_at(&ja_noun_jail, free_paths[i])->flags & JA_F_ADMIN);
}

static void a_new_jail_is_as_the_guide_says(void **state)
{
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    (void)state;
    assert_int_equal(jail->vnet, JA_VNET_YES);
    assert_int_equal(jail->boot, JA_BOOT_NO);
    assert_int_equal(jail->stop_timeout, 30000);
    assert_int_equal(jail->slot, -1);
    assert_int_equal(jail->state, JA_ROW_CREATING);
    assert_int_equal(jail->wanted, JA_WANTED_STOPPED);
    assert_string_equal(jail->be, "default");
    assert_null(jail->hostname);
    assert_int_equal(ja_object_set_entry(&ja_noun_jail, jail, "nics", "eth0,network=lan", NULL), 0);
    const struct ja_nic *nic = ja_list_get(&jail->nics, "eth0");
    assert_true(nic->gateway);
    assert_string_equal(nic->addresses.items[0], "auto");
    ja_object_free(&ja_noun_jail, jail);

    struct ja_network *network = ja_object_new(&ja_noun_network);
    assert_string_equal(network->nat, "auto");
    assert_true(network->dns);
    assert_false(network->isolate);
    ja_object_free(&ja_noun_network, network);
}

/* The words of the tables stand in the order of the enumerations. */
static void words_mean_what_the_enumerations_say(void **state)
{
    static const struct {
        const char *path, *word;
        int value;
    } cases[] = {
        {"vnet", "yes", JA_VNET_YES},
        {"vnet", "shared", JA_VNET_SHARED},
        {"vnet", "inherit", JA_VNET_INHERIT},
        {"boot", "no", JA_BOOT_NO},
        {"boot", "yes", JA_BOOT_YES},
        {"boot", "last", JA_BOOT_LAST},
        {"wanted", "running", JA_WANTED_RUNNING},
        {"state", "ready", JA_ROW_READY},
        {"state", "broken", JA_ROW_BROKEN},
        {"mounts./x.type", "tmpfs", JA_MOUNT_TMPFS},
        {"mounts./x.type", "procfs", JA_MOUNT_PROCFS},
        {"mounts./x.type", "fdescfs", JA_MOUNT_FDESCFS},
        {"services.x.restart", "failure", JA_RESTART_FAILURE},
        {"services.x.restart", "always", JA_RESTART_ALWAYS},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++)
        assert_string_equal(ja_noun_field_at(&ja_noun_jail, cases[i].path)->values[cases[i].value], cases[i].word);
}

static struct ja_jail *new_jail(void)
{
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    assert_int_equal(ja_object_set(&ja_noun_jail, jail, "name=web1", true, NULL), 0);
    assert_int_equal(ja_object_set(&ja_noun_jail, jail, "template=base", true, NULL), 0);
    return jail;
}

/* Applies assignments, then checks the whole, as the front ends do. Up to a NULL. */
static int apply(const struct ja_noun *noun, void *object, const char *const *assignments, struct ja_error *err)
{
    int rc = 0;
    for (; rc == 0 && *assignments; assignments++)
        rc = ja_object_set(noun, object, *assignments, true, err);
    return rc < 0 ? rc : ja_object_check(noun, object, err);
}

static void good_jails_are_accepted(void **state)
{
    static const char *const cases[][8] = {
        {"nics.eth0.network=lan"},
        {"nics.eth0.network=lan", "nics.eth0.address=192.168.2.10,192.168.2.11/24,fd00:2::5/64,auto6",
         "nics.eth0.mac=02:00:5e:10:00:01", "nics.eth0.mtu=1400", "nics.eth0.vlan=7", "nics.eth1.network=lan",
         "nics.eth1.address=dhcp"},
        {"vnet=shared", "nics.eth0.network=lan", "nics.eth0.address=10.0.0.9"},
        {"vnet=inherit"},
        {"mounts./data.source=/srv/data", "mounts./data.readonly=yes", "mounts./tmp.type=tmpfs",
         "mounts./tmp.size=64M"},
        {"mounts./proc.type=procfs", "mounts./dev/fd.type=fdescfs"},
        {"routes.10.1.0.0/16.via=10.66.0.9", "routes.default6.via=fd00::9", "routes.fd01::/64.via=fd00::9"},
        {"forwards.web.port=8080", "forwards.web.to=80", "forwards.many.port=9000-9010", "forwards.many.to=1-11",
         "forwards.many.address=192.0.2.1"},
        {"forwards.a.port=53", "forwards.b.port=53", "forwards.b.protocol=udp"},
        {"forwards.a.port=80", "forwards.a.address=192.0.2.1", "forwards.b.port=80", "forwards.b.address=192.0.2.2"},
        {"services.web.command=/usr/bin/httpd -f -p 80", "services.web.user=www", "services.web.restart=always"},
        {"limits.cpuset=0-3,5,7-7"},
        {"limits.cpu=150%", "limits.memory=512M", "limits.processes=100", "limits.read-rate=10M"},
        {"hooks.before-start=/usr/local/bin/hook web1", "devices=/dev/fuse,/dev/dri/card0",
         "allow=raw_sockets,mount.zfs"},
        {"env.PATH=/bin:/usr/bin", "env._x1=", "labels.team=a", "labels.example.org/tier=gold"},
        {"dns.servers=9.9.9.9,fd00::53", "dns.search=example.org", "hostname=Web-1.example.org"},
        {"volumes.db.target=/var/db", "volumes.db.size=10G", "depends=db1,db2", "priority=-5", "owner=alice"},
        {"stop-timeout=0", "stop-command=/sbin/poweroff", "boot=last", "protect=yes", "privileged=yes"},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        struct ja_jail *jail = new_jail();
        struct ja_error err = JA_ERROR_INIT;
        if (apply(&ja_noun_jail, jail, cases[i], &err) < 0)
            fail_msg("%s ...: %s: %s", cases[i][0], err.object, err.what);
        ja_object_free(&ja_noun_jail, jail);
    }
}

/* What was tried (up to four assignments), whom the error blames, and words of what it says. */
struct refusal {
    const char *assignments[5];
    const char *object, *words;
};

static void assert_refused(const struct ja_noun *noun, void *object, const struct refusal *refusal)
{
    struct ja_error err = JA_ERROR_INIT;
    int rc = apply(noun, object, refusal->assignments, &err);
    if (rc != JA_E_INVALID || strcmp(err.object, refusal->object) != 0 || !strstr(err.what, refusal->words))
        fail_msg("%s ... (%s) gave %d, \"%s\": \"%s\"", refusal->assignments[0], refusal->object, rc, err.object,
                 err.what);
    ja_object_free(noun, object);
}

static void bad_values_are_refused_by_name(void **state)
{
    static const struct refusal cases[] = {
        {{"name=Web"}, "field name", "\"Web\" is not a name"},
        {{"name=web-"}, "field name", "not at the end"},
        {{"name=1web"}, "field name", "a letter, then"},
        {{"name=a.b"}, "field name", "not a name"},
        {{"name=../x"}, "field name", "not a name"},
        {{"name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "field name", "at most 62"},
        {{"name=\x1b[2J"}, "field name", "\"\\x1b[2J\""},
        {{"template="}, "field template", "must be given"},
        {{"version=-1"}, "field version", "not a version"},
        {{"uuid=x"}, "field uuid", "itself"},
        {{"slot=3"}, "field slot", "itself"},
        {{"state=ready"}, "field state", "itself"},
        {{"hostname=-a"}, "field hostname", "host name"},
        {{"hostname=a..b"}, "field hostname", "host name"},
        {{"hostname=a_b"}, "field hostname", "host name"},
        {{"vnet=no"}, "field vnet", "allowed are yes, shared, inherit"},
        {{"nics.eth0.address=10.0.0.5"}, "field nics.eth0.network", "must be given"},
        {{"nics.eth0.network="}, "field nics.eth0.network", "must be given"},
        {{"nics.Eth0.network=lan"}, "field nics.Eth0.network", "\"Eth0\""},
        {{"nics.averyveryverylong.network=lan"}, "field nics.averyveryverylong.network", "at most 14"},
        {{"nics.eth0.adress=10.0.0.5"}, "field nics.eth0.adress", "nic has no field \"adress\""},
        {{"nics.eth0.address=10.0.0.256"}, "field nics.eth0.address", "\"10.0.0.256\" is not an address"},
        {{"nics.eth0.address=10.0.0.0/24"}, "field nics.eth0.address", "a host can have"},
        {{"nics.eth0.address=10.0.0.255/24"}, "field nics.eth0.address", "a host can have"},
        {{"nics.eth0.address=127.0.0.1"}, "field nics.eth0.address", "a host can have"},
        {{"nics.eth0.address=ff02::1"}, "field nics.eth0.address", "a host can have"},
        {{"nics.eth0.mac=01:00:5e:00:00:01"}, "field nics.eth0.mac", "not multicast"},
        {{"nics.eth0.mac=00:00:00:00:00:00"}, "field nics.eth0.mac", "not zero"},
        {{"nics+=eth5,network=lan,unit=7"}, "field nics.eth5.unit", "itself"},
        {{"nics.eth0.mtu=100"}, "field nics.eth0.mtu", "allowed are 576 to 65535"},
        {{"nics.eth0.vlan=4095"}, "field nics.eth0.vlan", "allowed are 1 to 4094"},
        {{"routes.10.1.0.1/16.via=10.0.0.1"}, "field routes.10.1.0.1/16.via", "not a network"},
        {{"routes.default.via=10.0.0.1/24"}, "field routes.default.via", "without prefix"},
        {{"routes.x.via=10.0.0.1"}, "field routes.x.via", "not a destination"},
        {{"mounts.data.source=/x"}, "field mounts.data.source", "absolute"},
        {{"mounts./.source=/x"}, "field mounts./.source", "not a path"},
        {{"mounts./a/../b.source=/x"}, "field mounts./a/../b.source", "without \"..\""},
        {{"mounts./a/.source=/x"}, "field mounts./a/.source", "not a path"},
        {{"mounts./a.source=/x//y"}, "field mounts./a.source", "not a path"},
        {{"mounts./a.type=nfs"}, "field mounts./a.type", "allowed are bind, tmpfs, procfs, fdescfs"},
        {{"forwards.a.port=0"}, "field forwards.a.port", "1 to 65535"},
        {{"forwards.a.port=65536"}, "field forwards.a.port", "1 to 65535"},
        {{"forwards.a.port=90-80"}, "field forwards.a.port", "ranges"},
        {{"forwards.a.port=80-"}, "field forwards.a.port", "ranges"},
        {{"forwards.a.protocol=tcp"}, "field forwards.a.port", "must be given"},
        {{"services.a.user=x"}, "field services.a.command", "must be given"},
        {{"limits.memory=lots"}, "field limits.memory", "\"lots\" is not a size"},
        {{"limits.memory=-1"}, "field limits.memory", "not a size"},
        {{"limits.procs=5"}, "field limits.procs", "no field"},
        {{"limits.cpuset=1-"}, "field limits.cpuset", "is not a list of processors"},
        {{"limits.cpuset=3-1"}, "field limits.cpuset", "such as 0-3,5"},
        {{"limits.cpuset=1,,2"}, "field limits.cpuset", "such as 0-3,5"},
        {{"limits.cpuset=all"}, "field limits.cpuset", "such as 0-3,5"},
        {{"limits.cpuset=99999"}, "field limits.cpuset", "such as 0-3,5"},
        {{"stop-timeout=2d"}, "field stop-timeout", "allowed are 0 to 24h"},
        {{"devices=/etc/shadow"}, "field devices", "below /dev"},
        {{"devices=/dev/../etc/shadow"}, "field devices", "below /dev"},
        {{"allow=a;b"}, "field allow", "not a permission"},
        {{"env.1X=a"}, "field env.1X", "first no digit"},
        {{"labels.a b=x"}, "field labels.a b", "not a key"},
        {{"owner=a:b"}, "field owner", "not a user"},
        {{"priority=5000"}, "field priority", "-1000 to 1000"},
        {{"dns.servers=dns.example.org"}, "field dns.servers", "not an address"},
        {{"depends=Other"}, "field depends", "not a name"},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++)
        assert_refused(&ja_noun_jail, new_jail(), &cases[i]);
}

static void fields_that_contradict_each_other_are_refused(void **state)
{
    static const struct refusal cases[] = {
        {{"mounts./a.readonly=yes"}, "field mounts./a.source", "for a bind mount"},
        {{"mounts./a.type=tmpfs", "mounts./a.source=/x"}, "field mounts./a.source", "bind mounts only"},
        {{"mounts./a.source=/x", "mounts./a.size=1M"}, "field mounts./a.size", "tmpfs only"},
        {{"routes.default.via=fd00::1"}, "field routes.default.via", "IPv6"},
        {{"routes.fd01::/64.via=10.0.0.1"}, "field routes.fd01::/64.via", "IPv4"},
        {{"routes.fd01::/64.via=fd00::1", "routes.FD01:0::/64.via=fd00::2"},
         "field routes.FD01:0::/64.destination",
         "another route"},
        {{"routes.0.0.0.0/0.via=10.0.0.1", "routes.default.via=10.0.0.2"},
         "field routes.default.destination",
         "another route"},
        {{"routes.10.1.0.5.via=10.0.0.1", "routes.10.1.0.5/32.via=10.0.0.2"},
         "field routes.10.1.0.5/32.destination",
         "another route"},
        {{"forwards.a.port=80-89", "forwards.a.to=80-88"}, "field forwards.a.to", "9 ports"},
        {{"forwards.a.port=80-89", "forwards.b.port=85"}, "field forwards.b.port", "another forward"},
        {{"vnet=shared", "nics.e.network=lan", "nics.e.mac=02:00:00:00:00:01"}, "field nics.e.mac", "vnet=yes"},
        {{"vnet=shared", "nics.e.network=lan", "nics.e.mtu=1400"}, "field nics.e.mtu", "vnet=yes"},
        {{"vnet=shared", "nics.e.network=lan", "nics.e.vlan=4"}, "field nics.e.vlan", "vnet=yes"},
        {{"vnet=shared", "nics.e.network=lan", "nics.e.address=dhcp"}, "field nics.e.address", "vnet=yes"},
        {{"vnet=shared", "routes.default.via=10.0.0.1"}, "field routes", "vnet=yes"},
        {{"vnet=inherit", "nics.e.network=lan"}, "field nics", "host's interfaces"},
        {{"vnet=inherit", "forwards.a.port=80"}, "field forwards", "host's ports"},
        {{"nics.a.network=lan", "nics.a.address=10.0.0.5/24", "nics.b.network=lan", "nics.b.address=10.0.0.5"},
         "field nics.b.address",
         "another nic"},
        {{"nics+=a,network=lan,mac=02:00:00:00:00:0a", "nics+=b,network=lan,mac=02:00:00:00:00:0A"},
         "field nics.b.mac",
         "another nic"},
        {{"volumes.a.target=/x", "volumes.b.target=/x"}, "field volumes.b.target", "another volume"},
        {{"volumes.a.target=/x", "mounts./x.type=tmpfs"}, "field volumes.a.target", "a mount"},
        {{"depends=db,web1"}, "field depends", "itself"},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++)
        assert_refused(&ja_noun_jail, new_jail(), &cases[i]);
}

static void networks_are_checked(void **state)
{
    static const char *const good[] = {"name=lan",
                                       "address=192.168.2.1/24,fd00:2::1/64",
                                       "members=eth1",
                                       "vlan=12",
                                       "nat=eth0.5",
                                       "domain=lan.example.org",
                                       NULL};
    static const struct refusal cases[] = {
        {{"name=lan", "address=192.168.2.1"}, "field address", "prefix length"},
        {{"name=lan", "address=192.168.2.0/24"}, "field address", "a host can have"},
        {{"name=lan", "address=192.168.2.1/32"}, "field address", "/8 to /31"},
        {{"name=lan", "address=10.0.0.1/24,10.0.1.1/24"}, "field address", "second of its family"},
        {{"name=lan", "nat=a b"}, "field nat", "auto, none"},
        {{"name=lan", "members=eth/0"}, "field members", "not an interface"},
        {{"name=lan", "vlan=5"}, "field vlan", "the network has none"},
        {{"address=10.0.0.1/24"}, "field name", "must be given"},
    };
    struct ja_network *network = ja_object_new(&ja_noun_network);
    (void)state;
    assert_int_equal(apply(&ja_noun_network, network, good, NULL), 0);
    ja_object_free(&ja_noun_network, network);
    for (size_t i = 0; i < JA_COUNT(cases); i++)
        assert_refused(&ja_noun_network, ja_object_new(&ja_noun_network), &cases[i]);
}

static void rules_are_checked(void **state)
{
    static const char *const good[] = {
        "name=lan",
        "rules+=db,action=allow,peer=network:data,protocol=tcp,port=5432",
        "rules+=web,action=deny,direction=in,jail=web1,peer=fd00:2::/64,protocol=udp,port=8000-8010,order=0",
        "rules+=host,action=allow,peer=host,protocol=icmp,order=9999",
        "rules+=one,action=allow,peer=jail:db",
        "rules+=world,action=deny,peer=world",
        "rules+=all,action=deny,peer=0.0.0.0/0",
        "rules+=address,action=deny,peer=192.0.2.5",
        NULL};
    static const struct refusal cases[] = {
        {{"name=lan", "rules+=a,peer=host"}, "field rules.a.action", "must be given"},
        {{"name=lan", "rules+=a,action=drop"},
         "field rules.a.action",
         "\"drop\" is not known here; allowed are allow, deny"},
        {{"name=lan", "rules+=A,action=deny"}, "field rules.A", "not a name"},
        {{"name=lan", "rules+=a,action=deny,direction=both"}, "field rules.a.direction", "allowed are out, in"},
        {{"name=lan", "rules+=a,action=deny,direction=in,peer=host"}, "field rules.a.peer", "always reaches its jails"},
        {{"name=lan", "rules+=a,action=deny,peer=net:x"}, "field rules.a.peer", "network:NAME, jail:NAME"},
        {{"name=lan", "rules+=a,action=deny,peer=jail:"}, "field rules.a.peer", "nobody that a rule knows"},
        {{"name=lan", "rules+=a,action=deny,peer=network:A b"}, "field rules.a.peer", "nobody that a rule knows"},
        {{"name=lan", "rules+=a,action=deny,peer=10.0.0.1/8"}, "field rules.a.peer", "bits after"},
        {{"name=lan", "rules+=a,action=deny,protocol=sctp"}, "field rules.a.protocol", "any, tcp, udp, icmp"},
        {{"name=lan", "rules+=a,action=deny,port=80"}, "field rules.a.port", "only protocol=tcp and protocol=udp"},
        {{"name=lan", "rules+=a,action=deny,protocol=icmp,port=8"}, "field rules.a.port", "have ports"},
        {{"name=lan", "rules+=a,action=deny,protocol=tcp,port=0"}, "field rules.a.port", "1 to 65535"},
        {{"name=lan", "rules+=a,action=deny,order=10000"}, "field rules.a.order", "allowed are 0 to 9999"},
        {{"name=lan", "rules+=a,action=deny,peer-slot=3"}, "field rules.a.peer-slot", "itself"},
    };
    static const char *const asked[] = {"web", "address", "all", "db", "one", "world", "host"};
    struct ja_network *network = ja_object_new(&ja_noun_network);
    (void)state;
    assert_int_equal(apply(&ja_noun_network, network, good, NULL), 0);
    /* By number, then by name. */
    const struct ja_rule **rules = ja_network_rules(network);
    for (size_t i = 0; i < JA_COUNT(asked); i++)
        assert_string_equal(rules[i]->name, asked[i]);
    assert_null(rules[JA_COUNT(asked)]);
    ja_free(rules);
    ja_object_free(&ja_noun_network, network);
    for (size_t i = 0; i < JA_COUNT(cases); i++)
        assert_refused(&ja_noun_network, ja_object_new(&ja_noun_network), &cases[i]);
}

static void templates_keep_their_versions_to_themselves(void **state)
{
    static const struct refusal cases[] = {
        {{"name=base", "versions.v1.checksum=x"}, "field versions.v1.checksum", "itself"},
        {{"name=base", "versions+=v1"}, "field versions", "itself"},
        {{"name=base", "os=plan9"}, "field os", "linux and freebsd"},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++)
        assert_refused(&ja_noun_template, ja_object_new(&ja_noun_template), &cases[i]);
    json_t *json = json_pack("{s:s, s:[{s:s, s:s}], s:s}", "name", "base", "versions", "version", "v1", "checksum", "c",
                             "current", "v1");
    void *template = NULL;
    assert_int_equal(ja_object_from_json(&ja_noun_template, json, false, &template, NULL), JA_E_INVALID);
    assert_int_equal(ja_object_from_json(&ja_noun_template, json, true, &template, NULL), 0);
    json_t *back = ja_object_to_json(&ja_noun_template, template, false);
    assert_true(json_equal(json, back));
    json_decref(json);
    json_decref(back);
    ja_object_free(&ja_noun_template, template);
}

static void the_longest_paths_end_below_the_limit_of_both_systems(void **state)
{
    char path[2048] = "";
    (void)state;
    while (strlen(path) < 1023)
        strcat(path, "/ab");
    assert_int_equal(ja_check_path(path, NULL), 0);
    strcat(path, "/ab");
    assert_int_equal(ja_check_path(path, NULL), JA_E_INVALID);
}

static void a_clone_takes_no_address_from_its_original(void **state)
{
    static const char *const set[] = {"nics.eth0.network=lan",
                                      "nics.eth0.address=10.0.0.5",
                                      "limits.memory=1G",
                                      "nics.eth0.mac=02:00:00:00:00:01",
                                      "forwards.web.port=80",
                                      "hostname=web",
                                      NULL};
    struct ja_jail *jail = new_jail();
    (void)state;
    assert_int_equal(apply(&ja_noun_jail, jail, set, NULL), 0);
    jail->slot = 4;
    assert_int_equal(ja_object_reset(&ja_noun_jail, jail, JA_F_OWN | JA_F_STATE), 0);
    const struct ja_nic *nic = ja_list_get(&jail->nics, "eth0");
    assert_string_equal(nic->addresses.items[0], "auto");
    assert_string_equal(nic->network, "lan");
    assert_null(nic->mac);
    assert_null(jail->name);
    assert_null(jail->hostname);
    assert_int_equal(jail->slot, -1);
    assert_int_equal(jail->forwards.count, 0);
    assert_int_equal(jail->limits.memory, 1LL << 30);
    assert_string_equal(jail->template, "base");
    ja_object_free(&ja_noun_jail, jail);
}

static void every_noun_can_be_documented(void **state)
{
    (void)state;
    for (size_t n = 0; n < JA_COUNT(nouns); n++) {
        ja_autostr struct ja_str text = {0};
        ja_noun_doc(nouns[n], true, &text);
        assert_true(text.length > 50);
        assert_null(strstr(text.text, "(null)"));
        assert_true(strlen(nouns[n]->doc) > 5 && nouns[n]->doc[strlen(nouns[n]->doc) - 1] == '.');
    }
}

static const char full_jail[] =
    "{\"name\":\"web1\",\"template\":\"base\",\"nics\":{\"eth0\":{\"network\":\"lan\",\"address\":[\"10.0.0."
    "5\"]}},"
    "\"mounts\":[{\"target\":\"/data\",\"source\":\"/srv\"}],\"forwards\":{\"web\":{\"port\":\"80\"}},"
    "\"limits\":{\"cpu\":1.5,\"memory\":\"512M\"},\"routes\":{\"10.1.0.0/16\":{\"via\":\"10.0.0.1\"}},"
    "\"hooks\":{\"before-start\":[\"true\"]},\"env\":{\"A\":\"b\"},\"allow\":\"raw_sockets\"}";

static void a_jail_survives_running_out_of_memory(void **state)
{
    json_t *json = json_loads(full_jail, 0, NULL);
    long k = 0;
    int rc;
    (void)state;
    do {
        void *jail = NULL, *copy = NULL;
        ja_alloc_fail_after(k);
        rc = ja_object_from_json(&ja_noun_jail, json, false, &jail, NULL);
        json_t *back = jail ? ja_object_to_json(&ja_noun_jail, jail, false) : NULL;
        copy = back ? ja_object_copy(&ja_noun_jail, jail) : NULL;
        ja_alloc_fail_after(-1);
        assert_true(rc == 0 || rc == JA_E_NOMEM);
        rc = copy ? 0 : JA_E_NOMEM;
        json_decref(back);
        ja_object_free(&ja_noun_jail, jail);
        ja_object_free(&ja_noun_jail, copy);
    } while (rc < 0 && k++ < 100000);
    assert_in_range(k, 100, 99999);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete_and_has_its_own_place),
        cmocka_unit_test(every_member_of_a_structure_has_a_row),
        cmocka_unit_test(what_gives_power_over_the_host_is_for_admins),
        cmocka_unit_test(a_new_jail_is_as_the_guide_says),
        cmocka_unit_test(words_mean_what_the_enumerations_say),
        cmocka_unit_test(good_jails_are_accepted),
        cmocka_unit_test(bad_values_are_refused_by_name),
        cmocka_unit_test(fields_that_contradict_each_other_are_refused),
        cmocka_unit_test(networks_are_checked),
        cmocka_unit_test(rules_are_checked),
        cmocka_unit_test(templates_keep_their_versions_to_themselves),
        cmocka_unit_test(the_longest_paths_end_below_the_limit_of_both_systems),
        cmocka_unit_test(a_clone_takes_no_address_from_its_original),
        cmocka_unit_test(every_noun_can_be_documented),
        cmocka_unit_test(a_jail_survives_running_out_of_memory),
    };
    ja_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
