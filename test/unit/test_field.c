/*
 * test_field.c: what field tables do, shown with a noun that has a field of every type.
 */
#include "model/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct part {
    char *key;
    struct ja_strv words;
    int64_t size;
};

struct inner {
    int64_t cores;
    bool loud;
};

struct thing {
    char *name;
    char *uuid;
    char *secret;
    bool flag;
    int64_t count, size, rate, time;
    int choice;
    struct ja_strv words, command, commands;
    struct ja_map map;
    struct inner inner;
    struct ja_list parts;
};

static int check_short(const char *value, struct ja_error *err)
{
    if (strlen(value) <= 20)
        return 0;
    return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" is long; allowed are 20 bytes", JA_SHOW(value));
}

static int check_part(const void *object, struct ja_error *err)
{
    const struct part *part = object;
    return part->size == 13 ? ja_error_set(err, JA_E_INVALID, "size", "13 brings bad luck") : 0;
}

static const struct ja_field part_fields[] = {
    {.name = "key",
     .type = JA_T_STRING,
     .offset = JA_FIELD(part, key),
     .check = check_short,
     .when = JA_WHEN_CREATE,
     .flags = JA_F_REQUIRED,
     .doc = "the key",
     .metavar = "KEY"},
    {.name = "word",
     .type = JA_T_STRINGS,
     .offset = JA_FIELD(part, words),
     .check = check_short,
     .def = "none",
     .when = JA_WHEN_LIVE,
     .flags = JA_F_ADMIN,
     .doc = "some words"},
    {.name = "size",
     .type = JA_T_SIZE,
     .offset = JA_FIELD(part, size),
     .when = JA_WHEN_RESTART,
     .flags = JA_F_OWN,
     .doc = "a size"},
};
static const struct ja_noun part_noun = JA_NOUN("part", "parts", part, part_fields, check_part, "A part.");

static const struct ja_field inner_fields[] = {
    {.name = "cores", .type = JA_T_CORES, .offset = JA_FIELD(inner, cores), .when = JA_WHEN_LIVE, .doc = "cores"},
    {.name = "loud", .type = JA_T_BOOL, .offset = JA_FIELD(inner, loud), .when = JA_WHEN_LIVE, .doc = "noise"},
};
static const struct ja_noun inner_noun = JA_NOUN("inner", "inner", inner, inner_fields, NULL, "Inner things.");

static const char *const choices[] = {"red", "green", NULL};
static const struct ja_field thing_fields[] = {
    {.name = "name",
     .type = JA_T_STRING,
     .offset = JA_FIELD(thing, name),
     .check = check_short,
     .when = JA_WHEN_CREATE,
     .flags = JA_F_REQUIRED | JA_F_OWN,
     .doc = "the name"},
    {.name = "uuid",
     .type = JA_T_STRING,
     .offset = JA_FIELD(thing, uuid),
     .when = JA_WHEN_CREATE,
     .flags = JA_F_STATE,
     .doc = "identity"},
    {.name = "secret", .type = JA_T_STRING, .offset = JA_FIELD(thing, secret), .flags = JA_F_SECRET, .doc = "secret"},
    {.name = "flag", .type = JA_T_BOOL, .offset = JA_FIELD(thing, flag), .def = "yes", .doc = "a flag"},
    {.name = "count",
     .type = JA_T_INT,
     .offset = JA_FIELD(thing, count),
     .def = "-1",
     .least = 10,
     .most = 20,
     .doc = "a number"},
    {.name = "size", .type = JA_T_SIZE, .offset = JA_FIELD(thing, size), .doc = "a size"},
    {.name = "rate", .type = JA_T_RATE, .offset = JA_FIELD(thing, rate), .doc = "a rate"},
    {.name = "time",
     .type = JA_T_DURATION,
     .offset = JA_FIELD(thing, time),
     .def = "30s",
     .most = 3600000,
     .when = JA_WHEN_RESTART,
     .doc = "a time"},
    {.name = "choice",
     .type = JA_T_ENUM,
     .offset = JA_FIELD(thing, choice),
     .def = "green",
     .values = choices,
     .flags = JA_F_LINUX,
     .doc = "a choice"},
    {.name = "words", .type = JA_T_STRINGS, .offset = JA_FIELD(thing, words), .check = check_short, .doc = "words"},
    {.name = "command", .type = JA_T_COMMAND, .offset = JA_FIELD(thing, command), .doc = "a command"},
    {.name = "commands", .type = JA_T_COMMANDS, .offset = JA_FIELD(thing, commands), .doc = "commands"},
    {.name = "map", .type = JA_T_MAP, .offset = JA_FIELD(thing, map), .check = check_short, .doc = "a map"},
    {.name = "inner", .type = JA_T_OBJECT, .offset = JA_FIELD(thing, inner), .noun = &inner_noun, .doc = "inner"},
    {.name = "parts",
     .type = JA_T_LIST,
     .offset = JA_FIELD(thing, parts),
     .noun = &part_noun,
     .when = JA_WHEN_RESTART,
     .doc = "parts"},
};
static const struct ja_noun noun = JA_NOUN("thing", "things", thing, thing_fields, NULL, "A thing.");

/* Everything set, nothing as by default. */
static const char full_json[] = "{'name': 'web', 'secret': 'x', 'flag': false, 'count': 12, 'size': '512M', "
                                "'rate': '10Mbit', 'time': 1.5,"
                                " 'choice': 'red', 'words': ['a', 'b'], 'command': ['sh', '-c', 'a b'], "
                                "'commands': ['true', 'echo \\\\'a b\\\\''],"
                                " 'map': {'k': 'v w', 'l': '\\n'}, 'inner': {'cores': 0.25, 'loud': true},"
                                " 'parts': {'/a.b': {'word': ['x', 'y'], 'size': 14}, 'p': null}}";

/* JSON with ' for ", \\' for '. */
static json_t *json_of(const char *text)
{
    ja_autofree char *quoted = strdup(text);
    char *to = quoted;
    for (const char *c = text; *c; c++) {
        bool kept = c[0] == '\\' && c[1] == '\\' && c[2] == '\'';
        c += kept ? 2 : 0;
        *to++ = *c == '\'' && !kept ? '"' : *c;
    }
    *to = '\0';
    json_error_t error;
    json_t *json = json_loads(quoted, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!json)
        fail_msg("%s: %s", quoted, error.text);
    return json;
}

static struct thing *thing_of(const char *text)
{
    json_t *json = json_of(text);
    struct ja_error err = JA_ERROR_INIT;
    void *thing = NULL;
    if (ja_object_from_json(&noun, json, false, &thing, &err) < 0)
        fail_msg("%s: %s: %s", text, err.object, err.what);
    json_decref(json);
    return thing;
}

static void assert_json_refused(const char *text, const char *object, const char *part_of_what)
{
    json_t *json = json_of(text);
    struct ja_error err = JA_ERROR_INIT;
    void *thing = NULL;
    int rc = ja_object_from_json(&noun, json, false, &thing, &err);
    json_decref(json);
    assert_null(thing);
    assert_int_equal(rc, JA_E_INVALID);
    assert_int_equal(err.code, JA_E_INVALID);
    if (strcmp(err.object, object) != 0 || !strstr(err.what, part_of_what))
        fail_msg("%s gave \"%s\": \"%s\"", text, err.object, err.what);
}

static void assert_get(const struct thing *thing, const char *path, const char *expected)
{
    char *text = NULL;
    struct ja_error err = JA_ERROR_INIT;
    if (ja_object_get(&noun, thing, path, &text, &err) < 0)
        fail_msg("%s: %s", path, err.what);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_set(struct thing *thing, const char *assignment)
{
    struct ja_error err = JA_ERROR_INIT;
    if (ja_object_set(&noun, thing, assignment, true, &err) < 0)
        fail_msg("%s: %s: %s", assignment, err.object, err.what);
}

static void assert_set_refused(struct thing *thing, const char *assignment, const char *object,
                               const char *part_of_what)
{
    struct ja_error err = JA_ERROR_INIT;
    struct thing *before = ja_object_copy(&noun, thing);
    assert_true(ja_object_set(&noun, thing, assignment, true, &err) < 0);
    if (strcmp(err.object, object) != 0 || !strstr(err.what, part_of_what))
        fail_msg("%s gave \"%s\": \"%s\"", assignment, err.object, err.what);
    assert_true(ja_object_equal(&noun, thing, before));
    ja_object_free(&noun, before);
}

static void values_are_written_and_read_with_units(void **state)
{
    static const struct {
        enum ja_type type;
        const char *text;
        int64_t value;
        const char *back; /* NULL: the same */
    } cases[] = {
        {JA_T_SIZE, "512M", 536870912, NULL},
        {JA_T_SIZE, "0", 0, NULL},
        {JA_T_SIZE, "1.5G", 1610612736, "1536M"},
        {JA_T_SIZE, "1025", 1025, NULL},
        {JA_T_SIZE, "1024", 1024, "1K"},
        {JA_T_SIZE, "2GiB", 2147483648, "2G"},
        {JA_T_SIZE, "2g", 2147483648, "2G"},
        {JA_T_SIZE, "7B", 7, "7"},
        {JA_T_SIZE, "8388607T", 8388607LL << 40, NULL},
        {JA_T_RATE, "10Mbit", 10000000, NULL},
        {JA_T_RATE, "1gbit", 1000000000, "1Gbit"},
        {JA_T_RATE, "1234", 1234, "1234bit"},
        {JA_T_RATE, "2.5Mbit", 2500000, "2500kbit"},
        {JA_T_DURATION, "30s", 30000, NULL},
        {JA_T_DURATION, "30", 30000, "30s"},
        {JA_T_DURATION, "2m", 120000, NULL},
        {JA_T_DURATION, "100ms", 100, NULL},
        {JA_T_DURATION, "1.5s", 1500, "1500ms"},
        {JA_T_DURATION, "1d", 86400000, "24h"},
        {JA_T_CORES, "1.5", 1500, NULL},
        {JA_T_CORES, "150%", 1500, "1.5"},
        {JA_T_CORES, "0.001", 1, NULL},
        {JA_T_CORES, "16", 16000, NULL},
        {JA_T_INT, "-5", -5, NULL},
        {JA_T_INT, "9223372036854775807", INT64_MAX, NULL},
        {JA_T_BOOL, "yes", 1, NULL},
        {JA_T_BOOL, "false", 0, "no"},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        int64_t value = 0;
        char back[32];
        if (ja_value_parse(cases[i].type, cases[i].text, &value, NULL) < 0 || value != cases[i].value)
            fail_msg("%s became %lld", cases[i].text, (long long)value);
        ja_value_format(cases[i].type, value, back, sizeof back);
        assert_string_equal(back, cases[i].back ? cases[i].back : cases[i].text);
    }
}

static void values_that_are_not_clear_are_refused(void **state)
{
    static const struct {
        enum ja_type type;
        const char *text;
    } cases[] = {
        {JA_T_SIZE, ""},         {JA_T_SIZE, "M"},
        {JA_T_SIZE, "-1M"},      {JA_T_SIZE, "1MB"},
        {JA_T_SIZE, "1 M"},      {JA_T_SIZE, "1.M"},
        {JA_T_SIZE, ".5M"},      {JA_T_SIZE, "1.5"},
        {JA_T_SIZE, "1e3"},      {JA_T_SIZE, "0x10"},
        {JA_T_SIZE, "8388608T"}, {JA_T_SIZE, "99999999999999999999"},
        {JA_T_SIZE, "1.5.5M"},   {JA_T_SIZE, "nan"},
        {JA_T_RATE, "10M"},      {JA_T_RATE, "10MB"},
        {JA_T_DURATION, "1w"},   {JA_T_DURATION, "1.5ms"},
        {JA_T_CORES, "0.0001"},  {JA_T_CORES, "-1"},
        {JA_T_CORES, "1.5x"},    {JA_T_INT, "1.0"},
        {JA_T_INT, "--1"},       {JA_T_INT, "-"},
        {JA_T_INT, "+1"},        {JA_T_INT, "9223372036854775808"},
        {JA_T_BOOL, "1"},        {JA_T_BOOL, "YES"},
        {JA_T_BOOL, ""},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        int64_t value;
        struct ja_error err = JA_ERROR_INIT;
        if (ja_value_parse(cases[i].type, cases[i].text, &value, &err) != JA_E_INVALID)
            fail_msg("\"%s\" was accepted", cases[i].text);
        assert_non_null(strstr(err.what, "allowed"));
    }
}

static void a_new_object_has_the_defaults_of_its_table(void **state)
{
    struct thing *thing = ja_object_new(&noun);
    (void)state;
    assert_null(thing->name);
    assert_true(thing->flag);
    assert_int_equal(thing->count, -1);
    assert_int_equal(thing->time, 30000);
    assert_int_equal(thing->choice, 1);
    json_t *json = ja_object_to_json(&noun, thing, false);
    assert_int_equal(json_object_size(json), 0);
    json_decref(json);
    ja_object_free(&noun, thing);
    ja_object_free(&noun, NULL);
}

static void an_object_survives_its_json(void **state)
{
    (void)state;
    for (int all = 0; all < 2; all++) {
        struct thing *thing = thing_of(full_json);
        json_t *json = ja_object_to_json(&noun, thing, all);
        char *text = json_dumps(json, 0);
        json_t *read = json_loads(text, 0, NULL);
        void *back = NULL;
        assert_int_equal(ja_object_from_json(&noun, read, true, &back, NULL), 0);
        assert_true(ja_object_equal(&noun, thing, back));
        ja_object_free(&noun, thing);
        ja_object_free(&noun, back);
        json_decref(json);
        json_decref(read);
        free(text);
    }
}

static void json_holds_plain_numbers(void **state)
{
    struct thing *thing = thing_of(full_json);
    (void)state;
    json_t *json = ja_object_to_json(&noun, thing, false), *inner = json_object_get(json, "inner");
    assert_int_equal(json_integer_value(json_object_get(json, "size")), 536870912);
    assert_int_equal(json_integer_value(json_object_get(json, "rate")), 10000000);
    assert_true(json_real_value(json_object_get(json, "time")) == 1.5);
    assert_true(json_real_value(json_object_get(inner, "cores")) == 0.25);
    assert_true(json_is_array(json_object_get(json, "parts")));
    json_decref(json);
    ja_object_free(&noun, thing);
}

static void hostile_json_is_refused_with_its_place(void **state)
{
    static const char *const cases[][3] = {
        {"[]", "", "a list was given; allowed is an object"},
        {"null", "", "null was given"},
        {"{}", "field name", "must be given"},
        {"{'name':'a','sise':1}", "field sise", "no field \"sise\""},
        {"{'name':'a','uuid':'x'}", "field uuid", "sets it itself"},
        {"{'name':7}", "field name", "a number was given"},
        {"{'name':'a\\u0000b'}", "field name", "zero bytes"},
        {"{'name':'a\\u001b[1m'}", "field name", "\\x1b[1m"},
        {"{'name':'a\\nb'}", "field name", "control"},
        {"{'name':'aaaaaaaaaaaaaaaaaaaaaaaaaaaa'}", "field name", "allowed are 20"},
        {"{'name':'a','flag':1}", "field flag", "true or false"},
        {"{'name':'a','flag':'1'}", "field flag", "yes and no"},
        {"{'name':'a','count':1.5}", "field count", "not a whole number"},
        {"{'name':'a','count':9}", "field count", "allowed are 10 to 20"},
        {"{'name':'a','count':-9}", "field count", "allowed are 10 to 20"},
        {"{'name':'a','count':true}", "field count", "a number"},
        {"{'name':'a','size':1e300}", "field size", "not a size"},
        {"{'name':'a','size':-1}", "field size", "not a size"},
        {"{'name':'a','size':9223372036854775807}", "", ""},
        {"{'name':'a','size':{'a':1}}", "field size", "an object was given"},
        {"{'name':'a','time':'2h'}", "field time", "allowed are 0 to 1h"},
        {"{'name':'a','choice':'blue'}", "field choice", "allowed are red, green"},
        {"{'name':'a','choice':0}", "field choice", "a number was given"},
        {"{'name':'a','words':['a',1]}", "field words", "a number was given"},
        {"{'name':'a','words':['']}", "field words", "empty"},
        {"{'name':'a','words':{'a':1}}", "field words", "list of texts"},
        {"{'name':'a','command':['','x']}", "field command", "empty"},
        {"{'name':'a','command':'sh \\\\'x'}", "field command", "quotes"},
        {"{'name':'a','commands':['sh \\\\'x']}", "field commands", "quotes"},
        {"{'name':'a','commands':['  ']}", "field commands", "no words"},
        {"{'name':'a','map':['a']}", "field map", "object of"},
        {"{'name':'a','map':{'k':1}}", "field map.k", "a number was given"},
        {"{'name':'a','map':{'k':'\\u0001'}}", "field map.k", "\\x01"},
        {"{'name':'a','map':{'':'v'}}", "field map.", "empty"},
        {"{'name':'a','inner':[]}", "field inner", "a list was given"},
        {"{'name':'a','inner':{'cores':'x'}}", "field inner.cores", "processor cores"},
        {"{'name':'a','inner':{'lod':true}}", "field inner.lod", "inner has no"},
        {"{'name':'a','parts':3}", "field parts", "a number was given"},
        {"{'name':'a','parts':[1]}", "field parts", "entry 1 has no text \"key\""},
        {"{'name':'a','parts':[{'key':'a'},{'key':'a'}]}", "field parts.a", "twice"},
        {"{'name':'a','parts':{'a':{'key':'b'}}}", "field parts.a.key", "differs"},
        {"{'name':'a','parts':{'a':[]}}", "field parts.a", "a list was given"},
        {"{'name':'a','parts':{'':{}}}", "field parts..key", "differs"},
        {"{'name':'a','parts':{'a':{'size':13}}}", "field parts.a.size", "bad luck"},
        {"{'name':'a','parts':{'a\\u001b':{'size':1}}}", "field parts.a\\x1b.key", "control"},
    };
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        if (*cases[i][2])
            assert_json_refused(cases[i][0], cases[i][1], cases[i][2]);
        else
            ja_object_free(&noun, thing_of(cases[i][0]));
    }
}

static void deep_and_wide_json_is_refused(void **state)
{
    (void)state;
    json_t *deep = json_array();
    for (int i = 0; i < 100000 / 64; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, deep);
        deep = outer;
    }
    json_t *wide = json_array();
    for (int i = 0; i < 2000; i++)
        json_array_append_new(wide, json_sprintf("w%d", i));
    static const char *const fields[] = {"name", "words", "map", "inner", "parts", "size", "command"};
    for (size_t i = 0; i < JA_COUNT(fields); i++) {
        json_t *one = json_pack("{s:O}", fields[i], deep), *other = json_pack("{s:O}", fields[i], wide);
        void *thing;
        assert_int_equal(ja_object_from_json(&noun, one, false, &thing, NULL), JA_E_INVALID);
        assert_int_equal(ja_object_from_json(&noun, other, false, &thing, NULL), JA_E_INVALID);
        json_decref(one);
        json_decref(other);
    }
    json_decref(deep);
    json_decref(wide);
}

static void our_own_newer_rows_are_read(void **state)
{
    json_t *json = json_of("{'name':'a','uuid':'u','future':{'x':1},'inner':{'more':2}}");
    void *object = NULL;
    (void)state;
    assert_int_equal(ja_object_from_json(&noun, json, true, &object, NULL), 0);
    assert_string_equal(((struct thing *)object)->uuid, "u");
    ja_object_free(&noun, object);
    json_decref(json);
}

static void typing_errors_are_answered_with_the_field_that_was_meant(void **state)
{
    struct thing *thing = thing_of("{'name':'a'}");
    struct ja_error err = JA_ERROR_INIT;
    (void)state;
    assert_int_equal(ja_object_set(&noun, thing, "comand=x", true, &err), JA_E_INVALID);
    assert_string_equal(err.hint, "did you mean \"command\"?");
    assert_int_equal(ja_object_set(&noun, thing, "wholly-other=x", true, &err), JA_E_INVALID);
    assert_string_equal(err.hint, "");
    ja_object_free(&noun, thing);
}

static void paths_reach_every_value(void **state)
{
    static const char *const steps[][3] = {
        {"size=1G", "size", "1G"},
        {"size=", "size", "0"},
        {"flag=no", "flag", "no"},
        {"time=2m", "time", "2m"},
        {"time=", "time", "30s"},
        {"choice=red", "choice", "red"},
        {"words=a,b,a", "words", "a,b"},
        {"words+=c,b", "words", "a,b,c"},
        {"words-=a,x", "words", "b,c"},
        {"command=sh -c 'a b'", "command", "sh -c 'a b'"},
        {"command+=x y", "command", "sh -c 'a b' x y"},
        {"commands=echo a, b", "commands", "echo a, b"},
        {"commands+=true", "commands", "echo a, b; true"},
        {"commands-=true", "commands", "echo a, b"},
        {"map.team=a=b", "map.team", "a=b"},
        {"map.x.y=1", "map", "team=a=b,x.y=1"},
        {"map.team=", "map", "x.y=1"},
        {"map-=x.y,z", "map", ""},
        {"inner.cores=150%", "inner.cores", "1.5"},
        {"inner.loud=yes", "inner", "cores=1.5,loud=yes"},
        {"inner=", "inner", ""},
        {"parts.a.size=1M", "parts.a.size", "1M"},
        {"parts./x/a.b.word=one", "parts./x/a.b.word", "one"},
        {"parts./x/a.b.word+=two", "parts./x/a.b", "key=/x/a.b,word=one,two"},
        {"parts.10.0.0.0/8.size=5", "parts", "a,/x/a.b,10.0.0.0/8"},
        {"parts.10.0.0.0/8=", "parts", "a,/x/a.b"},
        {"parts-=a,zz", "parts", "/x/a.b"},
        {"parts+=c,word=x,word=y,size=1K", "parts.c", "key=c,word=x,y,size=1K"},
        {"parts=", "parts", ""},
        {"secret=open", "secret", "***"},
    };
    struct thing *thing = thing_of("{'name':'a'}");
    (void)state;
    for (size_t i = 0; i < JA_COUNT(steps); i++) {
        assert_set(thing, steps[i][0]);
        assert_get(thing, steps[i][1], steps[i][2]);
    }
    ja_object_free(&noun, thing);
}

static void refused_assignments_change_nothing_and_say_why(void **state)
{
    static const char *const cases[][3] = {
        {"size", "", "not FIELD=VALUE"},
        {"=x", "", "not FIELD=VALUE"},
        {"-=x", "", "not FIELD=VALUE"},
        {"+=", "", "not FIELD=VALUE"},
        {"sizes=1", "field sizes", "thing has no field"},
        {"size=x", "field size", "not a size"},
        {"size+=1", "field size", "holds one value"},
        {"size-=1", "field size", "holds one value"},
        {"size.x=1", "field size.x", "no parts"},
        {"uuid=x", "field uuid", "sets it itself"},
        {"name=", "field name", "must be given"},
        {"count=5", "field count", "allowed are 10 to 20"},
        {"words=a,,b", "field words", "empty"},
        {"words=\xff", "field words", "UTF-8"},
        {"command='x", "field command", "quotes"},
        {"map=a", "field map", "map.NAME="},
        {"map+=a", "field map", "holds one value"},
        {"map.a+=b", "field map.a", "only ="},
        {"map.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=b", "field map.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "long"},
        {"map.k=\x01", "field map.k", "control"},
        {"inner=x", "field inner", "inner.FIELD="},
        {"inner.core=1", "field inner.core", "has no field \"core\""},
        {"parts=x", "field parts", "parts.NAME="},
        {"parts.old=x", "field parts.old", "name one of its fields"},
        {"parts.old.sise=1", "field parts.old.sise", "has no field \"sise\""},
        {"parts.old.key=new", "field parts.old.key", "cannot be changed"},
        {"parts.aaaaaaaaaaaaaaaaaaaaaaaaaa.size=1", "field parts.aaaaaaaaaaaaaaaaaaaaaaaaaa.size", "long"},
        {"parts+=n,size=1,size=2", "field parts.n.size", "twice"},
        {"parts+=n,size", "field parts.n.size", "no value"},
        {"parts+=n,key=m", "field parts.n.key", "twice"},
        {"parts+=n,word=a,sise=b", "field parts.n.sise", "no field"},
        {"", "", "not FIELD=VALUE"},
    };
    struct thing *thing = thing_of("{'name':'a','parts':{'old':{}}}");
    (void)state;
    for (size_t i = 0; i < JA_COUNT(cases); i++)
        assert_set_refused(thing, cases[i][0], cases[i][1], cases[i][2]);
    ja_object_free(&noun, thing);
}

static void what_is_given_at_creation_stays(void **state)
{
    struct thing *thing = thing_of("{'name':'a'}");
    struct ja_error err = JA_ERROR_INIT;
    (void)state;
    assert_int_equal(ja_object_set(&noun, thing, "name=b", false, &err), JA_E_INVALID);
    assert_non_null(strstr(err.what, "when the thing is created"));
    assert_int_equal(ja_object_set(&noun, thing, "name=b", true, &err), 0);
    assert_int_equal(ja_object_set(&noun, thing, "parts.x.size=1", false, &err), 0);
    ja_object_free(&noun, thing);
}

static void one_option_describes_an_entry(void **state)
{
    struct thing *thing = thing_of("{'name':'a'}");
    struct ja_error err = JA_ERROR_INIT;
    (void)state;
    assert_int_equal(ja_object_set_entry(&noun, thing, "parts", "p,word=a,b,size=1K", &err), 0);
    assert_get(thing, "parts.p", "key=p,word=a,b,size=1K");
    assert_int_equal(ja_object_set_entry(&noun, thing, "parts", "p,word=c", &err), 0);
    assert_get(thing, "parts.p", "key=p,word=c,size=1K");
    assert_int_equal(ja_object_set_entry(&noun, thing, "parts", "q", &err), 0);
    assert_get(thing, "parts", "p,q");
    assert_int_equal(ja_object_set_entry(&noun, thing, "parts", "", &err), JA_E_INVALID);
    assert_int_equal(ja_object_set_entry(&noun, thing, "words", "p", &err), JA_E_INVALID);
    assert_int_equal(ja_object_set_entry(&noun, thing, "none", "p", &err), JA_E_INVALID);
    assert_int_equal(ja_object_set_entry(&noun, thing, "parts", "r,size=x", &err), JA_E_INVALID);
    assert_get(thing, "parts", "p,q");
    ja_object_free(&noun, thing);
}

static void missing_fields_and_entries_are_not_found(void **state)
{
    static const char *const paths[] = {"none",   "map.none", "parts.none", "parts.none.size", "inner.none",
                                        "size.x", ""};
    struct thing *thing = thing_of("{'name':'a'}");
    (void)state;
    for (size_t i = 0; i < JA_COUNT(paths); i++) {
        struct ja_error err = JA_ERROR_INIT;
        char *text = NULL;
        assert_int_equal(ja_object_get(&noun, thing, paths[i], &text, &err), JA_E_NOTFOUND);
        assert_int_equal(err.code, JA_E_NOTFOUND);
        assert_null(text);
    }
    assert_ptr_equal(ja_noun_field_at(&noun, "parts.x.size"), &part_fields[2]);
    assert_ptr_equal(ja_noun_field_at(&noun, "parts.x"), ja_noun_field(&noun, "parts"));
    assert_ptr_equal(ja_noun_field_at(&noun, "map.a.b"), ja_noun_field(&noun, "map"));
    assert_ptr_equal(ja_noun_field_at(&noun, "inner.loud"), &inner_fields[1]);
    assert_null(ja_noun_field_at(&noun, "inner.none"));
    ja_object_free(&noun, thing);
}

static void assert_diff(const char *assignment, int when, const char *paths)
{
    struct thing *from = thing_of("{'name':'a','parts':[{'key':'a'},{'key':'b','size':1}]}");
    struct thing *to = ja_object_copy(&noun, from);
    ja_autostrv struct ja_strv changed = {0};
    ja_autostr struct ja_str joined = {0};
    if (*assignment)
        assert_set(to, assignment);
    assert_int_equal(ja_object_diff(&noun, from, to, &changed), when);
    assert_int_equal(ja_object_diff(&noun, from, to, NULL), when);
    for (size_t i = 0; i < changed.count; i++)
        ja_str_addf(&joined, "%s%s", i ? " " : "", changed.items[i]);
    assert_string_equal(joined.text ? joined.text : "", paths);
    ja_object_free(&noun, from);
    ja_object_free(&noun, to);
}

static void differences_say_when_they_apply(void **state)
{
    (void)state;
    assert_diff("", -1, "");
    assert_diff("size=1", JA_WHEN_LIVE, "size");
    assert_diff("time=1", JA_WHEN_RESTART, "time");
    assert_diff("name=b", JA_WHEN_CREATE, "name");
    assert_diff("map.x=1", JA_WHEN_LIVE, "map");
    assert_diff("inner.cores=1", JA_WHEN_LIVE, "inner.cores");
    assert_diff("parts.b.size=2", JA_WHEN_RESTART, "parts.b.size");
    assert_diff("parts.a.word=x", JA_WHEN_LIVE, "parts.a.word");
    assert_diff("parts.a=", JA_WHEN_RESTART, "parts.a");
    assert_diff("parts+=c,word=x", JA_WHEN_RESTART, "parts.c parts.c.word"); /* the admins' field is seen */
}

static void a_new_order_is_a_difference(void **state)
{
    struct thing *from = thing_of("{'name':'a','parts':[{'key':'a'},{'key':'b'}]}");
    struct thing *to = thing_of("{'name':'a','parts':[{'key':'b'},{'key':'a'}]}");
    ja_autostrv struct ja_strv changed = {0};
    (void)state;
    assert_int_equal(ja_object_diff(&noun, from, to, &changed), JA_WHEN_RESTART);
    assert_int_equal(changed.count, 1);
    assert_string_equal(changed.items[0], "parts");
    ja_object_free(&noun, from);
    ja_object_free(&noun, to);
}

static void a_clone_leaves_behind_what_is_its_originals_alone(void **state)
{
    struct thing *thing = thing_of(full_json);
    (void)state;
    assert_int_equal(ja_object_reset(&noun, thing, JA_F_OWN | JA_F_SECRET), 0);
    assert_null(thing->name);
    assert_null(thing->secret);
    assert_get(thing, "parts./a.b", "key=/a.b,word=x,y");
    assert_get(thing, "size", "512M");
    ja_object_free(&noun, thing);
}

static void documentation_names_every_field(void **state)
{
    ja_autostr struct ja_str text = {0}, mdoc = {0};
    (void)state;
    ja_noun_doc(&noun, false, &text);
    ja_noun_doc(&noun, true, &mdoc);
    assert_non_null(strstr(text.text, "  time=TIME\n      a time (default 30s; at the next start)\n"));
    assert_non_null(strstr(text.text, "  choice=red|green\n      a choice (default green; Linux only)\n"));
    assert_non_null(strstr(text.text, "  uuid=TEXT\n      identity (read only)\n"));
    assert_non_null(strstr(text.text, "  parts.KEY.word=TEXT[,...]\n      some words (default none; admins only)\n"));
    assert_non_null(strstr(text.text, "  map.NAME=TEXT\n"));
    assert_non_null(strstr(mdoc.text, ".It Cm inner.cores Ns = Ns Ar CORES\nCores.\n"));
}

/* Reads, writes, copies, changes, looks: all that allocates. */
static int use_everything(const json_t *json)
{
    void *thing = NULL;
    struct ja_error err = JA_ERROR_INIT;
    int rc = ja_object_from_json(&noun, json, false, &thing, &err);
    if (rc < 0)
        return rc;
    static const char *const sets[] = {
        "words+=c", "parts+=n,word=a,word=b", "parts./a.b.size=", "map.k=", "command=a 'b'", "map.z=1", "parts.p=",
        "words="};
    for (size_t i = 0; rc == 0 && i < JA_COUNT(sets); i++)
        rc = ja_object_set(&noun, thing, sets[i], true, &err);
    if (rc == 0)
        rc = ja_object_set_entry(&noun, thing, "parts", "m,word=x", &err);
    char *text = NULL;
    if (rc == 0)
        rc = ja_object_get(&noun, thing, "parts.m", &text, &err);
    free(text);
    void *fresh = rc == 0 ? ja_object_new(&noun) : NULL;
    ja_autostrv struct ja_strv changed = {0};
    if (rc == 0 && (!fresh || ja_object_diff(&noun, fresh, thing, &changed) == JA_E_NOMEM))
        rc = JA_E_NOMEM;
    json_t *written = rc == 0 ? ja_object_to_json(&noun, thing, true) : NULL;
    if (rc == 0 && !written)
        rc = JA_E_NOMEM;
    json_decref(written);
    if (rc == 0)
        rc = ja_object_reset(&noun, thing, JA_F_OWN);
    ja_object_free(&noun, thing);
    ja_object_free(&noun, fresh);
    if (rc < 0 && err.code)
        assert_int_equal(err.code, rc);
    return rc;
}

static void running_out_of_memory_is_an_error_and_leaks_nothing(void **state)
{
    json_t *json = json_of(full_json);
    long k = 0;
    int rc;
    (void)state;
    do {
        ja_alloc_fail_after(k);
        rc = use_everything(json);
        ja_alloc_fail_after(-1);
        if (rc != 0 && rc != JA_E_NOMEM)
            fail_msg("allocation %ld: %d", k, rc);
    } while (rc < 0 && k++ < 100000);
    assert_in_range(k, 200, 99999);
    json_decref(json);
}

static void a_failed_assignment_for_want_of_memory_changes_nothing(void **state)
{
    struct thing *thing = thing_of(full_json), *before = ja_object_copy(&noun, thing);
    int rc;
    long k = 0;
    (void)state;
    do {
        ja_alloc_fail_after(k++);
        rc = ja_object_set(&noun, thing, "parts.q.word=a,b", true, NULL);
        ja_alloc_fail_after(-1);
        assert_int_equal(ja_object_equal(&noun, thing, before), rc < 0);
    } while (rc < 0);
    ja_object_free(&noun, thing);
    ja_object_free(&noun, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_and_read_with_units),
        cmocka_unit_test(values_that_are_not_clear_are_refused),
        cmocka_unit_test(a_new_object_has_the_defaults_of_its_table),
        cmocka_unit_test(an_object_survives_its_json),
        cmocka_unit_test(json_holds_plain_numbers),
        cmocka_unit_test(hostile_json_is_refused_with_its_place),
        cmocka_unit_test(deep_and_wide_json_is_refused),
        cmocka_unit_test(our_own_newer_rows_are_read),
        cmocka_unit_test(typing_errors_are_answered_with_the_field_that_was_meant),
        cmocka_unit_test(paths_reach_every_value),
        cmocka_unit_test(refused_assignments_change_nothing_and_say_why),
        cmocka_unit_test(what_is_given_at_creation_stays),
        cmocka_unit_test(one_option_describes_an_entry),
        cmocka_unit_test(missing_fields_and_entries_are_not_found),
        cmocka_unit_test(differences_say_when_they_apply),
        cmocka_unit_test(a_new_order_is_a_difference),
        cmocka_unit_test(a_clone_leaves_behind_what_is_its_originals_alone),
        cmocka_unit_test(documentation_names_every_field),
        cmocka_unit_test(running_out_of_memory_is_an_error_and_leaks_nothing),
        cmocka_unit_test(a_failed_assignment_for_want_of_memory_changes_nothing),
    };
    ja_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
