/*
 * fuzz_fields.c: assignments and entries, as `set` and options of `create` give them. What is refused changes nothing and names its
 * field; what is accepted can be asked for, written and read back.
 */
#include "fuzz.h"

#include "model/model.h"

/* All that is in an object, written and read: the same again. */
static void check_round(const struct ja_noun *noun, const void *object)
{
    struct ja_error err = JA_ERROR_INIT;
    for (int all = 0; all < 2; all++) {
        void *again = NULL;
        json_t *json = ja_object_to_json(noun, object, all);
        must(json);
        must(ja_object_from_json(noun, json, true, &again, &err) == 0);
        must(ja_object_equal(noun, object, again));
        ja_object_free(noun, again);
        json_decref(json);
    }
}

/* Accepted as a whole: then also as a spec of a user's, but for what only jailadmin sets. */
static void check_spec(const struct ja_noun *noun, const void *object)
{
    struct ja_error err = JA_ERROR_INIT;
    void *spec = ja_object_copy(noun, object), *again = NULL;
    must(spec && ja_object_reset(noun, spec, JA_F_STATE) == 0);
    json_t *json = ja_object_to_json(noun, spec, false);
    must(json);
    if (fuzz_accepted(ja_object_check(noun, spec, &err), &err)) {
        must(ja_object_from_json(noun, json, false, &again, &err) == 0);
        must(ja_object_equal(noun, spec, again));
        ja_object_free(noun, again);
    }
    json_decref(json);
    ja_object_free(noun, spec);
}

/* What changed between two objects is named, each by a path that can be asked for or is gone. */
static void check_diff(const struct ja_noun *noun, const void *from, const void *to)
{
    ja_autostrv struct ja_strv changed = {0};
    int when = ja_object_diff(noun, from, to, &changed);
    must((when >= 0) == (changed.count > 0));
    must((when >= 0) == !ja_object_equal(noun, from, to));
    for (size_t i = 0; i < changed.count; i++) {
        ja_autofree char *text = NULL;
        struct ja_error err = JA_ERROR_INIT;
        must(fuzz_printable(changed.items[i]));
        if (fuzz_accepted(ja_object_get(noun, to, changed.items[i], &text, &err), &err))
            must(fuzz_printable(text));
        must(ja_noun_field_at(noun, changed.items[i]));
    }
    void *live = ja_object_copy(noun, from);
    must(live && ja_object_take_live(noun, live, to) == 0);
    if (when == JA_WHEN_LIVE && changed.count == 1 && !strchr(changed.items[0], '.'))
        must(ja_object_diff(noun, live, to, NULL) != JA_WHEN_LIVE);
    ja_object_free(noun, live);
}

static void apply(const struct ja_noun *noun, void *object, char *line, bool creating)
{
    struct ja_error err = JA_ERROR_INIT;
    void *before = ja_object_copy(noun, object);
    char *tab = strchr(line, '\t');
    must(before);
    int code;
    if (tab) { /* LIST<tab>ENTRY */
        *tab = '\0';
        const struct ja_field *field = ja_noun_field(noun, line);
        code = field && field->type == JA_T_LIST ? ja_object_set_entry(noun, object, line, tab + 1, &err) : 0;
    } else {
        code = ja_object_set(noun, object, line, creating, &err);
    }
    if (!fuzz_accepted(code, &err)) {
        must(ja_object_equal(noun, before, object));
        must(code == JA_E_USAGE || ja_str_starts(err.object, "field "));
    }
    ja_object_free(noun, before);
}

static void lines(const struct ja_noun *noun, char *text, size_t length)
{
    void *object = ja_object_new(noun), *first = ja_object_new(noun);
    must(object && first);
    bool creating = length && text[0] == '+';
    char *rest = text + creating, *line;
    for (size_t count = 0; count < 12 && (line = fuzz_line(&rest)) != NULL; count++)
        apply(noun, object, line, creating);
    check_round(noun, object);
    check_spec(noun, object);
    check_diff(noun, first, object);
    check_diff(noun, object, first);
    ja_object_free(noun, object);
    ja_object_free(noun, first);
}

static void jail(char *text, size_t length)
{
    lines(&ja_noun_jail, text, length);
}

static void network(char *text, size_t length)
{
    lines(&ja_noun_network, text, length);
}

static void template(char *text, size_t length)
{
    lines(&ja_noun_template, text, length);
}

/* Paths alone, of an object in which there is something. */
static void path(char *text, JA_UNUSED size_t length)
{
    static struct ja_jail *sample;
    struct ja_error err = JA_ERROR_INIT;
    ja_autofree char *value = NULL;
    ja_autostr struct ja_str doc = {0};
    if (!sample) {
        sample = ja_object_new(&ja_noun_jail);
        must(sample && ja_object_set(&ja_noun_jail, sample, "nics.eth0.network=lan", true, &err) == 0);
        must(ja_object_set(&ja_noun_jail, sample, "mounts./srv/a.b.source=/x", true, &err) == 0);
        must(ja_object_set(&ja_noun_jail, sample, "labels.team=a", true, &err) == 0);
    }
    if (fuzz_accepted(ja_object_get(&ja_noun_jail, sample, text, &value, &err), &err))
        must(value && fuzz_printable(value));
    else
        must(!value);
    const struct ja_field *field = ja_noun_field_at(&ja_noun_jail, text);
    if (field && field->type != JA_T_OBJECT && field->type != JA_T_LIST)
        ja_field_doc(field, "path", &doc);
}

const struct fuzz_parser fuzz_parsers[] = {
    {"jail", jail}, {"network", network}, {"template", template}, {"path", path}, {NULL, NULL}};

void fuzz_seeds(void)
{
    static const struct {
        const char *parser, *text;
    } seeds[] = {
        {"jail",
         "+name=web1\ntemplate=base\nnics\teth0,network=lan,address=192.168.2.10,address=auto6\nlimits.memory=1G\n"
         "limits.cpu=150%\nboot=yes\nprotect=no\nlabels.team=a"},
        {"jail", "services.http.command=httpd -f\nservices.http.user=nobody\nservices.http.restart=always\n"
                 "hooks.before-start=/usr/local/sbin/attach --for 'a jail'\nstop-command=/etc/rc.stop\nenv.TZ=UTC"},
        {"jail",
         "mounts./usr/ports.source=/usr/ports\nmounts./tmp.type=tmpfs\nmounts./tmp.size=64M\nvolumes.data.target=/data\n"
         "volumes.data.size=1G\ndevices=/dev/fuse\nallow=raw_sockets,chflags\nallow-=chflags\nsecurelevel=3"},
        {"jail", "nics+=eth1,network=lan\nnics.eth1.shape.in.rate=10Mbit\nnics.eth1.shape.out.delay=20ms\n"
                 "nics.eth1.shape.out.loss=0.5%\nnics.eth1.mac=02:00:00:00:00:01\nnics-=eth1\nnics=eth2,network=lan"},
        {"jail",
         "forwards.web.port=8000-8010\nforwards.web.to=80-90\nforwards.web.protocol=udp\nkeep.hourly=24\nkeep.daily=7\n"
         "routes.10.1.0.0/16.via=10.0.0.1\ndns.servers=9.9.9.9,149.112.112.112\ndns.search+=example.org"},
        {"network",
         "+name=lan\naddress=192.168.2.1/24\naddress+=fd00:2::1/64\nnat=none\nmtu=1400\nvlan=5\ndomain=example.org\n"
         "members=eth1\nisolate=yes\ndhcp=yes"},
        {"network",
         "rules+=db,action=allow,peer=network:lan,protocol=tcp,port=5432\nrules.db.order=3\nrules.db.direction=in\n"
         "rules\tlate,action=deny,peer=any"},
        {"template", "+name=base\nsource=debian:bookworm\nos=linux\ninit=/sbin/init\nlabels.a=b"},
        {"path", "nics.eth0.network"},
        {"path", "mounts./srv/a.b.source"},
        {"path", "labels.team"},
    };
    for (size_t i = 0; i < JA_COUNT(seeds); i++)
        fuzz_seed(seeds[i].parser, seeds[i].text);
    fuzz_words(&ja_noun_jail);
    fuzz_words(&ja_noun_network);
    fuzz_words(&ja_noun_template);
    static const char *const words[] = {"nics.eth0.", "limits.", "mounts./a.", "rules.r.", "+=", "-=", "auto", "10Mbit",
                                        "30s",        "1.5",     "512M",       "yes",      "no", "\n", ","};
    for (size_t i = 0; i < JA_COUNT(words); i++)
        fuzz_word(words[i]);
}
