/*
 * fuzz_json.c: JSON, of users and of our own files: specs, rows of the store, records of snapshots, the site, instances, plans, facts, journals.
 */
#include "fuzz.h"

#include "base/file.h"
#include "model/model.h"
#include "model/site.h"
#include "plan/plan.h"
#include "run/journal.h"
#include "run/registry.h"

static json_t *parsed(const char *text)
{
    json_t *json = NULL;
    struct ja_error err = JA_ERROR_INIT;
    if (!fuzz_accepted(ja_json_read(text, "input", &json, &err), &err)) {
        must(!json);
        must(err.code == JA_E_CORRUPT);
    }
    return json;
}

/* As a user's spec: accepted, it passes all checks, and is the same when it is written and read again. */
static void as_spec(const struct ja_noun *noun, const json_t *json)
{
    struct ja_error err = JA_ERROR_INIT;
    void *object = NULL, *again = NULL;
    if (!fuzz_accepted(ja_object_from_json(noun, json, false, &object, &err), &err)) {
        must(!object);
        must(ja_str_starts(err.object, "field ") || !json_is_object(json));
        return;
    }
    must(ja_object_check(noun, object, &err) == 0);
    json_t *written = ja_object_to_json(noun, object, false);
    char *text = written ? ja_json_text(written, JSON_COMPACT) : NULL;
    must(text);
    json_decref(written);
    written = parsed(text);
    must(written && ja_object_from_json(noun, written, false, &again, &err) == 0);
    must(ja_object_equal(noun, object, again));
    json_decref(written);
    free(text);
    ja_object_free(noun, object);
    ja_object_free(noun, again);
}

/* As a row of our store, in which there may be anything after a damage. */
static void as_row(const struct ja_noun *noun, const json_t *json)
{
    struct ja_error err = JA_ERROR_INIT;
    void *object = NULL, *again = NULL;
    if (!fuzz_accepted(ja_object_from_json(noun, json, true, &object, &err), &err)) {
        must(!object);
        return;
    }
    json_t *written = ja_object_to_json(noun, object, true);
    must(written && ja_object_from_json(noun, written, true, &again, &err) == 0);
    must(ja_object_equal(noun, object, again));
    fuzz_accepted(ja_object_check(noun, object, &err), &err);
    json_decref(written);
    ja_object_free(noun, object);
    ja_object_free(noun, again);
}

static void both(const struct ja_noun *noun, const char *text)
{
    json_t *json = parsed(text);
    if (json) {
        as_spec(noun, json);
        as_row(noun, json);
    }
    json_decref(json);
}

static void jail(char *text, JA_UNUSED size_t length)
{
    both(&ja_noun_jail, text);
}

static void network(char *text, JA_UNUSED size_t length)
{
    both(&ja_noun_network, text);
}

static void template(char *text, JA_UNUSED size_t length)
{
    both(&ja_noun_template, text);
}

static void snapshot(char *text, JA_UNUSED size_t length)
{
    both(&ja_noun_snapshot, text);
    both(&ja_noun_be, text);
}

static void site(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_site site, again;
    json_t *json = parsed(text);
    fuzz_fill(site);
    if (json && fuzz_accepted(ja_site_from_json(json, &site, &err), &err)) {
        json_t *written = ja_site_to_json(&site);
        must(written && ja_site_from_json(written, &again, &err) == 0);
        must(site.os == again.os && site.slots == again.slots && strcmp(site.pool, again.pool) == 0);
        must(fuzz_printable(site.tag) && fuzz_printable(site.uuid) && fuzz_printable(site.run));
        json_decref(written);
    } else if (json) {
        must(fuzz_untouched(&site, sizeof site));
    }
    json_decref(json);
}

static void instance(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_instance instance, again;
    json_t *json = parsed(text);
    fuzz_fill(instance);
    if (json && fuzz_accepted(ja_instance_from_json(json, "input", &instance, &err), &err)) {
        json_t *written = ja_instance_to_json(&instance);
        must(written && ja_instance_from_json(written, "input", &again, &err) == 0);
        must(ja_tag_valid(instance.tag) && strcmp(instance.state, again.state) == 0);
        must(instance.slots > 0 && instance.slots == again.slots && instance.uid_base == again.uid_base);
        json_decref(written);
    } else if (json) {
        must(fuzz_untouched(&instance, sizeof instance));
    }
    json_decref(json);
}

static void plan(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_plan plan = {0}, again = {0};
    json_t *json = parsed(text);
    if (json && fuzz_accepted(ja_plan_from_json(json, &plan, &err), &err)) {
        ja_autostr struct ja_str script = {0};
        json_t *written = ja_plan_to_json(&plan);
        must(written && ja_plan_from_json(written, &again, &err) == 0);
        must(ja_plan_equal(&plan, &again));
        fuzz_accepted(ja_plan_check(&plan, &err), &err);
        ja_plan_print(&plan, &script);
        must(!script.failed);
        json_decref(written);
        ja_plan_fini(&again);
    }
    ja_plan_fini(&plan);
    json_decref(json);
}

static void facts(char *text, JA_UNUSED size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_facts facts = {0}, again = {0};
    json_t *json = parsed(text);
    if (json && fuzz_accepted(ja_facts_from_json(&facts, json, &err), &err)) {
        json_t *written = ja_facts_to_json(&facts);
        must(written && ja_facts_from_json(&again, written, &err) == 0);
        must(facts.count == again.count && facts.missing == 0);
        json_decref(written);
    }
    ja_facts_fini(&facts);
    ja_facts_fini(&again);
    json_decref(json);
}

static int look_at_dead(JA_UNUSED void *context, struct ja_dead_plan *dead, JA_UNUSED struct ja_error *err)
{
    for (size_t i = 0; i < dead->plan.count; i++)
        must(dead->progress[i] <= JA_STEP_ENDED);
    return 0;
}

/* The file of a plan whose process is dead, whole or torn. */
static void journal(char *text, size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    char path[256];
    const char *dir = fuzz_directory();
    if (!dir)
        return;
    snprintf(path, sizeof path, "%s/dddddddd-0000-4000-8000-000000000001.plan", dir);
    must(ja_file_write(path, text, length, 0600, false, &err) == 0);
    fuzz_accepted(ja_journal_dead(dir, NULL, look_at_dead, NULL, &err), &err);
}

const struct fuzz_parser fuzz_parsers[] = {
    {"jail", jail},         {"network", network}, {"template", template}, {"snapshot", snapshot}, {"site", site},
    {"instance", instance}, {"plan", plan},       {"facts", facts},       {"journal", journal},   {NULL, NULL}};

/* Objects of the specs that the golden plans are made of. */
static void seed_specs(void)
{
    static const struct {
        const char *list, *parser;
    } lists[] = {{"jails", "jail"}, {"networks", "network"}, {"templates", "template"}};
    json_t *specs = json_load_file(FUZZ_TEST "/plan/specs.json", 0, NULL), *item;
    size_t k;
    must(specs);
    for (size_t i = 0; i < JA_COUNT(lists); i++)
        json_array_foreach(json_object_get(specs, lists[i].list), k, item)
        {
            char *text = ja_json_text(item, JSON_COMPACT);
            must(text);
            fuzz_seed(lists[i].parser, text);
            free(text);
        }
    json_decref(specs);
}

void fuzz_seeds(void)
{
    static const char steps[] =
        "{\"verb\":\"start\",\"kind\":\"jail\",\"name\":\"web1\",\"steps\":[{\"why\":\"make it\",\"run\":{\"argv\":[\"/bin/mkdir\","
        "\"/a\"],\"input\":\"x\\nEND\\n\"},\"undo\":{\"argv\":[\"/bin/rmdir\",\"/a\"]},\"guard\":{\"kind\":\"path\",\"name\":\"/a\","
        "\"mark\":\"dir\"},\"persistent\":true,\"timeout_ms\":1000},{\"why\":\"done\",\"run\":{\"argv\":[\"/bin/true\"]},"
        "\"commit\":true}],\"notes\":[\"a\"],\"boot\":\"b\"}";
    char text[2048];
    seed_specs();
    fuzz_seed("jail",
              "{\"name\":\"web1\",\"template\":\"base\",\"nics\":{\"eth0\":{\"network\":\"lan\",\"address\":[\"auto\"],"
              "\"shape\":{\"in\":{\"rate\":\"10Mbit\",\"loss\":0.5}}}},\"limits\":{\"memory\":\"1G\",\"cpu\":1.5},"
              "\"labels\":{\"team\":\"a\"},\"hooks\":{\"before-start\":[\"/bin/true\"]},\"stop-timeout\":30,"
              "\"services\":[{\"name\":\"http\",\"command\":[\"httpd\",\"-f\"]}],\"boot\":true,\"protect\":false}");
    fuzz_seed("network",
              "{\"name\":\"lan\",\"address\":[\"10.0.0.1/24\",\"fd00::1/64\"],\"nat\":\"none\",\"rules\":{\"db\":"
              "{\"action\":\"allow\",\"peer\":\"network:lan\",\"protocol\":\"tcp\",\"port\":\"5432\"}}}");
    fuzz_seed("snapshot", "{\"name\":\"before\",\"uuid\":\"dddddddd-0000-4000-8000-000000000001\",\"created\":"
                          "\"2026-11-26T15:00:00.000Z\",\"comment\":\"x\",\"by\":\"root\",\"schedules\":[\"hourly\"],"
                          "\"volumes\":[\"data\"],\"be\":\"default\"}");
    fuzz_seed_file("site", "plan/linux-btrfs/site.json");
    fuzz_seed_file("site", "plan/freebsd-zfs/site.json");
    fuzz_seed("instance",
              "{\"tag\":\"00\",\"uuid\":\"dddddddd-0000-4000-8000-000000000001\",\"state\":\"/var/db/x\",\"slots\":"
              "4096,\"uid_base\":1879048192,\"shared_base\":1000000000,\"unit_base\":10000,\"rule_base\":20000,"
              "\"set\":1,\"nat_base\":20000,\"ruleset_base\":1000}");
    fuzz_seed("plan", steps);
    fuzz_seed_file("facts", "plan/linux-btrfs/running.json");
    fuzz_seed_file("facts", "plan/freebsd-zfs/ready.json");
    snprintf(text, sizeof text, "%s\nb 0\ne 0\nc\nf 1\nb 99999999999999999999\nb", steps);
    fuzz_seed("journal", text);
    fuzz_words(&ja_noun_jail);
    fuzz_words(&ja_noun_network);
    fuzz_words(&ja_noun_template);
    fuzz_words(&ja_noun_snapshot);
    static const char *const words[] = {"\"auto\"", "null",  "true",    "false",   "{}",       "[]",
                                        "1e309",    "-1",    "\\u0000", "\\ud800", "uid_base", "steps",
                                        "undo",     "guard", "flags",   "\nb 0\n", "\nc\n"};
    for (size_t i = 0; i < JA_COUNT(words); i++)
        fuzz_word(words[i]);
}
