/*
 * registry.c: the instances of this machine, one JSON file each, with the tag and the blocks of numbers that
 * are theirs.
 */
#include "run/registry.h"

#include "model/field.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "run/registry_file.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOCK_WAIT_MS 30000
#define LOCK_TRIES 16
#define FILE_LIMIT 65536
#define SETTINGS "settings.json"

/* First numbers, block sizes and ends. */
#define UID_FIRST INT64_C(0x70000000)
#define SHARED_FIRST INT64_C(0x6f000000) /* up to UID_FIRST */
#define UID_END INT64_C(0xffff0000)      /* (uid_t)-1 means nobody */
#define UIDS_PER_SLOT 65536
#define UNIT_FIRST 10000
#define UNIT_END 32768 /* FreeBSD: IF_MAXUNIT is 0x7fff */
#define RULESET_FIRST 1000
#define RULESET_END 65536
#define RULE_FIRST 20000
#define RULES_PER_INSTANCE 500
#define NAT_FIRST 20000
#define NATS_PER_INSTANCE 100
#define SETS 30 /* ipfw(8): 0 to 31; 0 is the default, 31 is special */
#define TAGS (36 * 36)

const char *ja_registry_dir(void)
{
    const char *dir = getenv("JAILADMIN_REGISTRY");
    return dir ? dir : "/var/db/jailadmin.instances";
}

void ja_cleanup_json(json_t **json)
{
    json_decref(*json);
}

/*
 * Files.
 */
static char *path_of(const char *name)
{
    return ja_printf("%s/%s", ja_registry_dir(), name);
}

int ja_registry_lock(bool make, struct ja_lock *ret_lock, struct ja_error *err)
{
    ja_autofree char *path = path_of("lock");
    if (!path)
        return ja_error_nomem(err);
    for (int tries = 1;; tries++) {
        int r = make ? ja_dir_make(ja_registry_dir(), 0755, err) : 0;
        if (r < 0)
            return r;
        r = ja_lock_take(path, false, LOCK_WAIT_MS, "jailadmin", ret_lock, err);
        /* The last instance may have removed the directory since we made it; not for ever, though. */
        if (r != JA_E_NOTFOUND || !make || tries == LOCK_TRIES)
            return r;
    }
}

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

/* "0a.json" */
static bool is_instance_file(const char *name)
{
    return strspn(name, digits) == 2 && strcmp(name + 2, ".json") == 0;
}

static int select_instance_file(const struct dirent *entry)
{
    return is_instance_file(entry->d_name);
}

static int select_any_file(const struct dirent *entry)
{
    return is_instance_file(entry->d_name) || strcmp(entry->d_name, SETTINGS) == 0;
}

/* The sorted names of files, in a vector that the caller empties. */
static int list_files(int (*select)(const struct dirent *), struct ja_strv *ret_names, struct ja_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(ja_registry_dir(), &entries, select, alphasort);
    if (count < 0 && errno != ENOENT)
        return ja_file_error(err, errno, ja_registry_dir(), "list the registry");
    struct ja_strv names = {0};
    int failed = 0;
    for (int i = 0; i < count; i++) {
        failed |= ja_strv_add(&names, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (failed) {
        ja_strv_fini(&names);
        return ja_error_nomem(err);
    }
    *ret_names = names;
    return 0;
}

void ja_registry_unlock(struct ja_lock *lock)
{
    if (lock->fd < 0)
        return;
    ja_autostrv struct ja_strv names = {0};
    bool empty = list_files(select_any_file, &names, NULL) == 0 && names.count == 0;
    ja_lock_release(lock, empty);
    /* Fails when somebody has come meanwhile, as it should. */
    if (empty)
        rmdir(ja_registry_dir());
}

int ja_registry_load(const char *name, json_t **ret_json, struct ja_error *err)
{
    ja_autofree char *path = path_of(name);
    ja_autofree char *text = NULL;
    if (!path)
        return ja_error_nomem(err);
    int r = ja_file_read(path, FILE_LIMIT, &text, NULL, err);
    if (r < 0)
        return r;
    json_error_t problem;
    bool nomem;
    json_t *json = ja_json_load(text, strlen(text), 0, &problem, &nomem);
    if (nomem)
        return ja_error_nomem(err);
    if (!json_is_object(json)) {
        json_decref(json);
        ja_error_set(err, JA_E_CORRUPT, path, "the file is damaged: %s", json ? "not an object" : problem.text);
        ja_error_hint(err, "remove it if no instance with this tag is in use");
        return JA_E_CORRUPT;
    }
    *ret_json = json;
    return 0;
}

int ja_registry_save(const char *name, const json_t *json, struct ja_error *err)
{
    ja_autofree char *path = path_of(name);
    if (!path)
        return ja_error_nomem(err);
    if (!json)
        return unlink(path) == 0 || errno == ENOENT ? 0 : ja_file_error(err, errno, path, "remove");
    ja_autofree char *text = ja_json_text(json, JSON_INDENT(2));
    if (!text)
        return ja_error_nomem(err);
    return ja_file_write(path, text, strlen(text), 0644, true, err);
}

/*
 * Instances as JSON.
 */
#define TEXT(member)                                                                                                   \
    {                                                                                                                  \
#member, offsetof(struct ja_instance, member), sizeof(((struct ja_instance *)0)->member)                       \
    }
static const struct {
    const char *name;
    size_t offset, size;
} texts[] = {TEXT(tag), TEXT(uuid), TEXT(state)};
#undef TEXT

#define NUMBER(member)                                                                                                 \
    {                                                                                                                  \
#member, offsetof(struct ja_instance, member)                                                                  \
    }
static const struct {
    const char *name;
    size_t offset;
} numbers[] = {
    NUMBER(slots), NUMBER(uid_base), NUMBER(unit_base),    NUMBER(rule_base),
    NUMBER(set),   NUMBER(nat_base), NUMBER(ruleset_base),
};
#undef NUMBER

static char *text_of(const struct ja_instance *instance, size_t i)
{
    return (char *)(uintptr_t)instance + texts[i].offset;
}

static int64_t *number_of(const struct ja_instance *instance, size_t i)
{
    return (int64_t *)(void *)((char *)(uintptr_t)instance + numbers[i].offset);
}

json_t *ja_instance_to_json(const struct ja_instance *instance)
{
    json_t *json = json_object();
    int failed = json ? 0 : -1;
    for (size_t i = 0; i < JA_COUNT(texts); i++)
        failed |= json_object_set_new(json, texts[i].name, json_string(text_of(instance, i)));
    for (size_t i = 0; i < JA_COUNT(numbers); i++)
        failed |= json_object_set_new(json, numbers[i].name, json_integer(*number_of(instance, i)));
    failed |= json_object_set_new(json, "shared_base", json_integer(instance->shared_base));
    if (!failed)
        return json;
    json_decref(json);
    return NULL;
}

static int save_instance(const struct ja_instance *instance, struct ja_error *err)
{
    ja_autojson json_t *json = ja_instance_to_json(instance);
    if (!json)
        return ja_error_nomem(err);
    char name[16];
    snprintf(name, sizeof name, "%s.json", instance->tag);
    return ja_registry_save(name, json, err);
}

static bool is_possible(const struct ja_instance *instance)
{
    return ja_tag_valid(instance->tag) && ja_uuid_valid(instance->uuid) && instance->state[0] == '/' &&
           instance->slots >= 1 && instance->slots <= UINT16_MAX && instance->shared_base >= 0 &&
           instance->shared_base <= UINT32_MAX;
}

int ja_instance_from_json(const json_t *json, const char *where, struct ja_instance *ret_instance, struct ja_error *err)
{
    struct ja_instance instance = {0};
    for (size_t i = 0; i < JA_COUNT(texts); i++) {
        const char *text = json_string_value(json_object_get(json, texts[i].name));
        if (!text || strlen(text) >= texts[i].size)
            return ja_error_set(err, JA_E_CORRUPT, where, "an instance's record has no proper \"%s\"", texts[i].name);
        memcpy(text_of(&instance, i), text, strlen(text) + 1);
    }
    for (size_t i = 0; i < JA_COUNT(numbers); i++) {
        const json_t *number = json_object_get(json, numbers[i].name);
        if (!json_is_integer(number))
            return ja_error_set(err, JA_E_CORRUPT, where, "an instance's record has no proper \"%s\"", numbers[i].name);
        *number_of(&instance, i) = json_integer_value(number);
        if (*number_of(&instance, i) < 0 || *number_of(&instance, i) > UINT32_MAX)
            return ja_error_set(err, JA_E_CORRUPT, where, "an instance's record has no proper \"%s\"", numbers[i].name);
    }
    /* Early versions had none, and storage that needs it neither. */
    instance.shared_base = json_integer_value(json_object_get(json, "shared_base"));
    if (!is_possible(&instance))
        return ja_error_set(err, JA_E_CORRUPT, where,
                            "the tag, uuid, directory or number of slots in an instance's record is not valid");
    *ret_instance = instance;
    return 0;
}

static int load_instance(const char *file, struct ja_instance *ret_instance, struct ja_error *err)
{
    ja_autojson json_t *json = NULL;
    int r = ja_registry_load(file, &json, err);
    return r < 0 ? r : ja_instance_from_json(json, file, ret_instance, err);
}

int ja_registry_each(int (*each)(void *context, const struct ja_instance *instance, struct ja_error *err),
                     void *context, struct ja_error *err)
{
    ja_autostrv struct ja_strv names = {0};
    int r = list_files(select_instance_file, &names, err);
    for (size_t i = 0; i < names.count && r >= 0; i++) {
        struct ja_instance instance;
        r = load_instance(names.items[i], &instance, err);
        if (r == 0)
            r = each(context, &instance, err);
        else if (r == JA_E_NOTFOUND)
            r = 0; /* removed since the directory was read */
    }
    return r < 0 ? r : 0;
}

static int no_such_instance(const char *tag, struct ja_error *err)
{
    return ja_error_set(err, JA_E_NOTFOUND, tag, "no instance with this tag is registered on this machine");
}

/* The name of an instance's file. False for what is no tag: tags come from command lines. */
static bool tag_file(const char *tag, char ret_name[16])
{
    snprintf(ret_name, 16, "%.2s.json", tag);
    return ja_tag_valid(tag);
}

int ja_registry_get(const char *tag, struct ja_instance *ret_instance, struct ja_error *err)
{
    char name[16];
    if (!tag_file(tag, name))
        return no_such_instance(tag, err);
    int r = load_instance(name, ret_instance, err);
    return r == JA_E_NOTFOUND ? no_such_instance(tag, err) : r;
}

struct search {
    const char *state;
    struct ja_instance *found;
    bool done;
};

static int compare_state(void *context, const struct ja_instance *instance, struct ja_error *err)
{
    struct search *search = context;
    (void)err;
    if (strcmp(instance->state, search->state) == 0) {
        *search->found = *instance;
        search->done = true;
    }
    return 0;
}

int ja_registry_find(const char *state, struct ja_instance *ret_instance, struct ja_error *err)
{
    struct ja_instance instance;
    struct search search = {.state = state, .found = &instance};
    int r = ja_registry_each(compare_state, &search, err);
    if (r < 0)
        return r;
    if (!search.done)
        return ja_error_set(err, JA_E_NOTFOUND, state, "no instance with this directory is registered");
    *ret_instance = instance;
    return 0;
}

/*
 * Finding what is free.
 */
struct range {
    int64_t first, end;
};
struct ranges {
    struct range *items;
    size_t count;
    bool failed; /* memory ran out */
};

static void ranges_fini(struct ranges *ranges)
{
    ja_free(ranges->items);
}

static void ranges_add(struct ranges *ranges, int64_t first, int64_t count)
{
    struct range *items = ja_realloc(ranges->items, (ranges->count + 1) * sizeof *items);
    if (!items) {
        ranges->failed = true;
        return;
    }
    items[ranges->count++] = (struct range){first, first + count};
    ranges->items = items;
}

static bool is_free(const struct ranges *taken, int64_t first, int64_t end)
{
    for (size_t i = 0; i < taken->count; i++) {
        if (taken->items[i].first < end && first < taken->items[i].end)
            return false;
    }
    return true;
}

/* The smallest multiple of `step` from `least` where `count` numbers before `limit` are free: it is the least
 * one, or the first behind something taken. -1 when there is none. */
static int64_t first_fit(const struct ranges *taken, int64_t least, int64_t limit, int64_t count, int64_t step)
{
    int64_t best = is_free(taken, least, least + count) ? least : -1;
    for (size_t i = 0; i < taken->count && best != least; i++) {
        int64_t first = (taken->items[i].end + step - 1) / step * step;
        bool better = first > least && (best < 0 || first < best);
        if (better && is_free(taken, first, first + count))
            best = first;
    }
    return best >= 0 && best + count <= limit ? best : -1;
}

/* What others have: by instance, and what /etc/subuid and /etc/subgid give to users. */
struct taken {
    struct ranges tags, sets, uids, units, rulesets;
};

static void taken_fini(struct taken *taken)
{
    ranges_fini(&taken->tags);
    ranges_fini(&taken->sets);
    ranges_fini(&taken->uids);
    ranges_fini(&taken->units);
    ranges_fini(&taken->rulesets);
}

static int add_instance(void *context, const struct ja_instance *instance, struct ja_error *err)
{
    struct taken *taken = context;
    ranges_add(&taken->tags, strtol(instance->tag, NULL, 36), 1);
    ranges_add(&taken->sets, instance->set, 1);
    ranges_add(&taken->uids, instance->uid_base, instance->slots * UIDS_PER_SLOT);
    ranges_add(&taken->uids, instance->shared_base, UIDS_PER_SLOT);
    ranges_add(&taken->units, instance->unit_base, JA_UNITS_PER_INSTANCE);
    ranges_add(&taken->rulesets, instance->ruleset_base, instance->slots);
    bool failed =
        taken->tags.failed || taken->sets.failed || taken->uids.failed || taken->units.failed || taken->rulesets.failed;
    return failed ? ja_error_nomem(err) : 0;
}

/* Lines of subuid(5): "user:first:count". What is no such line gives nobody anything. */
static int add_subids(struct taken *taken, const char *name, struct ja_error *err)
{
    const char *etc = getenv("JAILADMIN_ETC");
    ja_autofree char *path = ja_printf("%s/%s", etc ? etc : "/etc", name);
    ja_autofree char *text = NULL;
    if (!path)
        return ja_error_nomem(err);
    int r = ja_file_read(path, 1 << 20, &text, NULL, err);
    if (r < 0)
        return r == JA_E_NOTFOUND ? 0 : r;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        long long first, count;
        if (sscanf(line, "%*[^:]:%lld:%lld", &first, &count) == 2 && first >= 0 && count > 0 && count <= UINT32_MAX)
            ranges_add(&taken->uids, first, count);
    }
    return taken->uids.failed ? ja_error_nomem(err) : 0;
}

/* Bridges "ja01br0" of an instance whose registration was lost: its tag is not for another one. They are the machine's, so that a
 * registry elsewhere, for tests, does not count them. */
static int add_bridges(struct taken *taken, struct ja_error *err)
{
    struct if_nameindex *all = getenv("JAILADMIN_REGISTRY") ? NULL : if_nameindex();
    for (const struct if_nameindex *one = all; one && one->if_index; one++) {
        char tag[3] = "", rest;
        int slot;
        if (sscanf(one->if_name, "ja%2[0-9a-z]br%d%c", tag, &slot, &rest) == 2 && ja_tag_valid(tag))
            ranges_add(&taken->tags, strtol(tag, NULL, 36), 1);
    }
    if (all)
        if_freenameindex(all);
    return taken->tags.failed ? ja_error_nomem(err) : 0;
}

static int no_block(const char *what, struct ja_error *err)
{
    ja_error_set(err, JA_E_LIMIT, what, "no block of them is free for another instance");
    ja_error_hint(err, "give it fewer slots, or tear down an instance that is not needed");
    return JA_E_LIMIT;
}

/* The tag and all blocks, in *instance, whose `slots` is set. */
static int choose(const struct taken *taken, struct ja_instance *instance, struct ja_error *err)
{
    int64_t tag = first_fit(&taken->tags, 0, TAGS, 1, 1);
    instance->set = first_fit(&taken->sets, 1, SETS + 1, 1, 1);
    instance->shared_base = first_fit(&taken->uids, SHARED_FIRST, UID_FIRST, UIDS_PER_SLOT, UIDS_PER_SLOT);
    instance->uid_base = first_fit(&taken->uids, UID_FIRST, UID_END, instance->slots * UIDS_PER_SLOT, UIDS_PER_SLOT);
    instance->unit_base = first_fit(&taken->units, UNIT_FIRST, UNIT_END, JA_UNITS_PER_INSTANCE, 1);
    instance->ruleset_base = first_fit(&taken->rulesets, RULESET_FIRST, RULESET_END, instance->slots, 1);
    if (tag < 0 || instance->set < 0)
        return no_block("tags and sets", err);
    if (instance->uid_base < 0 || instance->shared_base < 0)
        return no_block("uids", err);
    if (instance->unit_base < 0)
        return no_block("interface units", err);
    if (instance->ruleset_base < 0)
        return no_block("devfs rulesets", err);
    instance->tag[0] = digits[tag / 36];
    instance->tag[1] = digits[tag % 36];
    instance->rule_base = RULE_FIRST + (instance->set - 1) * RULES_PER_INSTANCE;
    instance->nat_base = NAT_FIRST + (instance->set - 1) * NATS_PER_INSTANCE;
    return 0;
}

static int taken_by_others(struct taken *taken, struct ja_error *err)
{
    int r = ja_registry_each(add_instance, taken, err);
    if (r == 0)
        r = add_bridges(taken, err);
    if (r == 0)
        r = add_subids(taken, "subuid", err);
    return r == 0 ? add_subids(taken, "subgid", err) : r;
}

/* Fills the instance, whose state and slots are set, with what is free. */
static int choose_free(struct ja_instance *instance, struct ja_error *err)
{
    struct ja_instance other;
    int r = ja_registry_find(instance->state, &other, err);
    if (r == 0)
        return ja_error_set(err, JA_E_EXISTS, instance->state, "the directory is that of instance %s already",
                            other.tag);
    JA_CLEANUP(taken_fini) struct taken taken = {0};
    if (r == JA_E_NOTFOUND)
        r = taken_by_others(&taken, err);
    return r == 0 ? choose(&taken, instance, err) : r;
}

static int begin_instance(const char *state, int64_t slots, struct ja_instance *ret_instance, struct ja_error *err)
{
    struct ja_instance instance = {.slots = slots};
    if (slots < 1 || slots > UINT16_MAX)
        return ja_error_set(err, JA_E_INVALID, "slots", "an instance has 1 to %d slots, not %lld", UINT16_MAX,
                            (long long)slots);
    if (state[0] != '/' ||
        (size_t)snprintf(instance.state, sizeof instance.state, "%s", state) >= sizeof instance.state)
        return ja_error_set(err, JA_E_INVALID, state,
                            "the state directory must be an absolute path of at most %zu bytes",
                            sizeof instance.state - 1);
    if (ja_uuid_new(instance.uuid) != 0)
        return ja_error_set(err, JA_E_FAILED, state, "the kernel gives no random numbers");
    *ret_instance = instance;
    return 0;
}

int ja_registry_add(const char *state, int64_t slots, struct ja_instance *ret_instance, struct ja_error *err)
{
    struct ja_instance instance;
    int r = begin_instance(state, slots, &instance, err);
    if (r < 0)
        return r;
    ja_autolock struct ja_lock lock = JA_LOCK_INIT;
    r = ja_registry_lock(true, &lock, err);
    if (r == 0)
        r = choose_free(&instance, err);
    if (r == 0)
        r = save_instance(&instance, err);
    if (r == 0)
        *ret_instance = instance;
    return r;
}

int ja_registry_propose(const char *state, int64_t slots, struct ja_instance *ret_instance, struct ja_error *err)
{
    struct ja_instance instance;
    int r = begin_instance(state, slots, &instance, err);
    if (r == 0)
        r = choose_free(&instance, err);
    if (r == 0)
        *ret_instance = instance;
    return r;
}

static bool ranges_overlap(int64_t a, int64_t b, int64_t count)
{
    return a < b + count && b < a + count;
}

/* Refuses what another instance has. Ids of users count too, but not for an instance that has them already. */
static int compare_blocks(void *context, const struct ja_instance *other, struct ja_error *err)
{
    const struct ja_instance *mine = context;
    if (strcmp(other->uuid, mine->uuid) == 0)
        return 0;
    const char *what = strcmp(other->state, mine->state) == 0 ? "directory"
                       : strcmp(other->tag, mine->tag) == 0   ? "tag"
                       : other->set == mine->set              ? "ipfw set"
                       : other->uid_base < mine->uid_base + mine->slots * UIDS_PER_SLOT &&
                               mine->uid_base < other->uid_base + other->slots * UIDS_PER_SLOT
                           ? "block of uids"
                       : ranges_overlap(other->unit_base, mine->unit_base, JA_UNITS_PER_INSTANCE) ? "block of units"
                                                                                                  : NULL;
    if (!what)
        return 0;
    ja_error_set(err, JA_E_CONFLICT, mine->state, "its %s is that of instance %s in %s", what, other->tag,
                 other->state);
    return JA_E_CONFLICT;
}

int ja_registry_put(const struct ja_instance *instance, struct ja_error *err)
{
    struct ja_instance there;
    if (!ja_tag_valid(instance->tag))
        return ja_tag_invalid(instance->tag, err);
    if (!is_possible(instance))
        return ja_error_set(err, JA_E_INVALID, "instance", "its directory, uuid or number of slots is not valid");
    ja_autolock struct ja_lock lock = JA_LOCK_INIT;
    int r = ja_registry_lock(true, &lock, err);
    if (r < 0)
        return r;
    r = ja_registry_get(instance->tag, &there, err);
    if (r == JA_E_CORRUPT) {
        /* Its own file says nothing any more. */
        char name[16];
        r = tag_file(instance->tag, name) ? ja_registry_save(name, NULL, err) : r;
        r = r == 0 ? JA_E_NOTFOUND : r;
    }
    if (r == 0 && strcmp(there.uuid, instance->uuid) == 0 && strcmp(there.state, instance->state) == 0)
        return 0;
    if (r == 0 || r == JA_E_NOTFOUND)
        r = ja_registry_each(compare_blocks, (void *)(uintptr_t)instance, err);
    return r == 0 ? save_instance(instance, err) : r;
}

int ja_tag_invalid(const char *tag, struct ja_error *err)
{
    return ja_error_set(err, JA_E_INVALID, tag, "a tag is two digits or small letters");
}

int ja_registry_remove(const char *tag, struct ja_error *err)
{
    char name[16];
    if (!tag_file(tag, name))
        return ja_tag_invalid(tag, err);
    ja_autolock struct ja_lock lock = JA_LOCK_INIT;
    int r = ja_registry_lock(false, &lock, err);
    if (r < 0)
        return r == JA_E_NOTFOUND ? 0 : r;
    r = ja_setting_release_all(tag, err);
    return r == 0 ? ja_registry_save(name, NULL, err) : r;
}
