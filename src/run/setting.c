/*
 * setting.c: settings of the host that instances need, counted, and put back when nobody needs them any more.
 *
 * settings.json: { "net/ipv4/ip_forward": { "old": "0", "set": "1", "users": ["00", "0a"] } }
 * The file is written before a setting is changed and after it was put back, so that whoever is killed
 * between the two leaves something that the next release understands: a value that is not "set" is left
 * alone.
 */
#include "base/str.h"
#include "run/registry_file.h"
#include "run/sysctl.h"

#include <stdio.h>
#include <string.h>

#define FILE_NAME "settings.json"

/* All entries; none yet is an empty object. */
static int load_settings(json_t **ret_settings, struct ja_error *err)
{
    int r = ja_registry_load(FILE_NAME, ret_settings, err);
    if (r != JA_E_NOTFOUND)
        return r;
    json_t *empty = json_object();
    if (!empty)
        return ja_error_nomem(err);
    *ret_settings = empty;
    return 0;
}

static int save_settings(const json_t *settings, struct ja_error *err)
{
    return ja_registry_save(FILE_NAME, json_object_size(settings) > 0 ? settings : NULL, err);
}

static const char *text_in(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text ? text : "";
}

/* Where `tag` is among the users, or their number. */
static size_t find_user(const json_t *users, const char *tag)
{
    size_t i = 0;
    while (i < json_array_size(users) && !ja_str_equal(json_string_value(json_array_get(users, i)), tag))
        i++;
    return i;
}

/* A user that is not `tag`, or NULL. */
static const char *other_user(const json_t *users, const char *tag)
{
    return json_string_value(json_array_get(users, find_user(users, tag) == 0 ? 1 : 0));
}

/* The entry of a setting, made if it is missing; belongs to `settings`. NULL: no memory. */
static json_t *entry_of(json_t *settings, const char *name)
{
    json_t *entry = json_object_get(settings, name);
    if (entry)
        return entry;
    entry = json_pack("{s:s, s:s, s:[]}", "old", "", "set", "", "users");
    return json_object_set_new(settings, name, entry) == 0 ? entry : NULL;
}

/* The entry with one more user. `current` is what the kernel has now. */
static int add_user(json_t *settings, const char *tag, const char *name, const char *current, const char *value,
                    struct ja_error *err)
{
    json_t *entry = entry_of(settings, name);
    if (!entry)
        return ja_error_nomem(err);
    json_t *users = json_object_get(entry, "users");
    const char *other = other_user(users, tag);
    if (other && strcmp(text_in(entry, "set"), value) != 0)
        return ja_error_set(err, JA_E_CONFLICT, name, "instance %s needs it to be %s, not %s", other,
                            text_in(entry, "set"), value);
    int failed = 0;
    if (find_user(users, tag) == json_array_size(users))
        failed |= json_array_append_new(users, json_string(tag));
    /* What is there now is what we shall put back: it is the first value, or one that somebody has set since.
     */
    if (strcmp(current, text_in(entry, "set")) != 0)
        failed |= json_object_set_new(entry, "old", json_string(current));
    failed |= json_object_set_new(entry, "set", json_string(value));
    return failed ? ja_error_nomem(err) : 0;
}

int ja_setting_acquire(const char *tag, const char *name, const char *value, struct ja_error *err)
{
    char canonical[JA_SYSCTL_NAME], current[JA_SYSCTL_TEXT];
    ja_autojson json_t *settings = NULL;
    ja_autolock struct ja_lock lock = JA_LOCK_INIT;
    if (!ja_tag_valid(tag))
        return ja_tag_invalid(tag, err);
    int r = ja_sysctl_canonical(name, canonical, err);
    if (r == 0)
        r = ja_registry_lock(true, &lock, err);
    if (r == 0)
        r = ja_sysctl_get(canonical, current, err);
    if (r == 0)
        r = load_settings(&settings, err);
    if (r == 0)
        r = add_user(settings, tag, canonical, current, value, err);
    if (r == 0)
        r = save_settings(settings, err);
    if (r == 0 && strcmp(current, value) != 0)
        r = ja_sysctl_set(canonical, value, err);
    return r;
}

/* Puts the old value back unless somebody else has changed the setting. One that the kernel has no more is
 * done with. */
static int put_back(const char *name, const json_t *entry, struct ja_error *err)
{
    char current[JA_SYSCTL_TEXT];
    int r = ja_sysctl_get(name, current, err);
    if (r < 0)
        return r == JA_E_NOTFOUND ? 0 : r;
    if (strcmp(current, text_in(entry, "set")) != 0 || strcmp(current, text_in(entry, "old")) == 0)
        return 0;
    return ja_sysctl_set(name, text_in(entry, "old"), err);
}

/* The settings without this user. `name` is an entry's key. */
static int remove_user(json_t *settings, const char *tag, const char *name, struct ja_error *err)
{
    const json_t *entry = json_object_get(settings, name);
    json_t *users = json_object_get(entry, "users");
    size_t place = find_user(users, tag);
    if (place == json_array_size(users))
        return 0;
    json_array_remove(users, place);
    if (json_array_size(users) > 0)
        return 0;
    int r = put_back(name, entry, err);
    if (r == 0)
        json_object_del(settings, name);
    return r;
}

int ja_setting_release(const char *tag, const char *name, struct ja_error *err)
{
    char canonical[JA_SYSCTL_NAME];
    ja_autojson json_t *settings = NULL;
    ja_autolock struct ja_lock lock = JA_LOCK_INIT;
    int r = ja_sysctl_canonical(name, canonical, err);
    if (r < 0)
        return r;
    r = ja_registry_lock(false, &lock, err);
    if (r < 0)
        return r == JA_E_NOTFOUND ? 0 : r;
    r = load_settings(&settings, err);
    if (r == 0)
        r = remove_user(settings, tag, canonical, err);
    return r == 0 ? save_settings(settings, err) : r;
}

int ja_setting_release_all(const char *tag, struct ja_error *err)
{
    ja_autojson json_t *settings = NULL;
    int r = load_settings(&settings, err);
    if (r < 0)
        return r;
    const char *name;
    json_t *entry;
    void *next;
    json_object_foreach_safe(settings, next, name, entry)
    {
        char copy[JA_SYSCTL_NAME];
        /* The key goes with its entry. */
        snprintf(copy, sizeof copy, "%s", name);
        r = remove_user(settings, tag, copy, err);
        if (r < 0)
            return r;
    }
    return save_settings(settings, err);
}
