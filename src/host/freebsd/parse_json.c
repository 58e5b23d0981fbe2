/*
 * parse_json.c: the commands of FreeBSD that print JSON by libxo(3): jls, mount, netstat.
 */
#include "host/freebsd/parse.h"
#include "model/field.h"

#include <jansson.h>

#include <stdio.h>
#include <string.h>

/* libxo passes over bytes that are no UTF-8, but not everything that it prints went through it: names that jails chose must
 * not make all others unreadable. Whatever is not ASCII counts as "?", which is in no name of ours. */
static json_t *load(const char *text, const char *command, struct ja_error *err)
{
    bool nomem;
    json_t *json = ja_json_load(text, strlen(text), JSON_ALLOW_NUL, NULL, &nomem);
    if (!json && *text && !nomem) {
        ja_autofree char *plain = ja_strdup(text);
        if (!plain) {
            ja_error_nomem(err);
            return NULL;
        }
        for (char *c = plain; *c; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
        json = ja_json_load(plain, strlen(plain), JSON_ALLOW_NUL, NULL, &nomem);
    }
    if (nomem)
        ja_error_nomem(err);
    else if (!json)
        ja_error_set(err, JA_E_FAILED, NULL, "%s printed what is no JSON: %s", command,
                     *text ? JA_SHOW(text) : "nothing at all");
    return json;
}

/* The array at the end of a path of objects; NULL with an error. */
static const json_t *array_at(const json_t *json, const char *const *path, const char *command, struct ja_error *err)
{
    for (; *path && json; path++)
        json = json_object_get(json, *path);
    if (!json_is_array(json)) {
        ja_error_set(err, JA_E_FAILED, NULL, "%s printed JSON of an unknown form", command);
        return NULL;
    }
    return json;
}

static int unknown_item(const char *command, struct ja_error *err)
{
    return ja_error_set(err, JA_E_FAILED, NULL, "%s printed an item that cannot be read", command);
}

static int put(struct ja_map *map, const char *key, const char *value, struct ja_error *err)
{
    return ja_map_set(map, key, value) < 0 ? ja_error_nomem(err) : 0;
}

/* ---- jls ---- */

/* Numbers are texts with -n, and numbers without. */
static bool number_of(const json_t *json, char text[16])
{
    const char *given = json_string_value(json);
    long long number = json_is_integer(json) ? json_integer_value(json) : 0;
    if (given) {
        size_t length = strlen(given);
        if (length == 0 || length > 10 || strspn(given, "0123456789") != length)
            return false;
        number = strtoll(given, NULL, 10);
    }
    snprintf(text, 16, "%lld", number);
    return number > 0 && number <= INT32_MAX;
}

static int dying_of(const json_t *json)
{
    const char *text = json_string_value(json);
    if (json_is_boolean(json))
        return json_is_true(json);
    if (text)
        return strcmp(text, "true") == 0 || strcmp(text, "1") == 0    ? 1
               : strcmp(text, "false") == 0 || strcmp(text, "0") == 0 ? 0
                                                                      : -1;
    return json_is_integer(json) ? json_integer_value(json) != 0 : -1;
}

static int add_jail(const json_t *item, struct ja_map *jails, struct ja_error *err)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *path = json_string_value(json_object_get(item, "path"));
    int dying = dying_of(json_object_get(item, "dying"));
    char jid[16];
    if (!name || !path || dying < 0 || !number_of(json_object_get(item, "jid"), jid))
        return unknown_item("jls", err);
    if (dying && ja_map_get(jails, name))
        return 0;
    ja_autofree char *value = ja_printf("%s %s %s", path, jid, dying ? "dying" : "active");
    return value ? put(jails, name, value, err) : ja_error_nomem(err);
}

int ja_freebsd_parse_jls(const char *text, struct ja_map *jails, struct ja_error *err)
{
    static const char *const path[] = {"jail-information", "jail", NULL};
    json_t *json = load(text, "jls", err);
    const json_t *items = json ? array_at(json, path, "jls", err) : NULL;
    int rc = items ? 0 : err->code;
    for (size_t i = 0; rc == 0 && i < json_array_size(items); i++)
        rc = add_jail(json_array_get(items, i), jails, err);
    json_decref(json);
    return rc;
}

/* ---- mount ---- */

/* "ro,nosuid": the mode is the first word. */
static int put_nullfs(struct ja_map *nullfs, const char *point, const char *device, const char *options,
                      struct ja_error *err)
{
    bool read_only = options && strcspn(options, ",") == 2 && strncmp(options, "ro", 2) == 0;
    ja_autofree char *shown = ja_printf("%s\t%s", read_only ? "ro" : "rw", device);
    return shown ? put(nullfs, point, shown, err) : ja_error_nomem(err);
}

int ja_freebsd_parse_mount(const char *text, struct ja_map *mounts, struct ja_map *nullfs, struct ja_error *err)
{
    static const char *const path[] = {"mount", "fstab", NULL};
    json_t *json = load(text, "mount", err);
    const json_t *items = json ? array_at(json, path, "mount", err) : NULL;
    int rc = items ? 0 : err->code;
    for (size_t i = 0; rc == 0 && i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char *point = json_string_value(json_object_get(item, "mntpoint"));
        const char *type = json_string_value(json_object_get(item, "fstype"));
        /* The list is in the order of mounting: the last one is on top. */
        rc = point && type ? put(mounts, point, type, err) : unknown_item("mount", err);
        const char *device = json_string_value(json_object_get(item, "device"));
        if (rc == 0 && nullfs && device && strcmp(type, "nullfs") == 0)
            rc = put_nullfs(nullfs, point, device, json_string_value(json_object_get(item, "opts")), err);
    }
    json_decref(json);
    return rc;
}

/* ---- netstat ---- */

/* The default route among those of one family. */
static int add_default(const json_t *family, struct ja_map *routes, struct ja_error *err)
{
    const char *name = json_string_value(json_object_get(family, "address-family"));
    const json_t *entries = json_object_get(family, "rt-entry");
    if (!name)
        return unknown_item("netstat", err);
    const char *key = strcmp(name, "Internet") == 0 ? "default" : strcmp(name, "Internet6") == 0 ? "default6" : NULL;
    for (size_t i = 0; key && i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *destination = json_string_value(json_object_get(entry, "destination"));
        const char *interface = json_string_value(json_object_get(entry, "interface-name"));
        if (!destination || strcmp(destination, "default") != 0)
            continue;
        return interface ? put(routes, key, interface, err) : unknown_item("netstat", err);
    }
    return 0;
}

int ja_freebsd_parse_netstat(const char *text, struct ja_map *routes, struct ja_error *err)
{
    static const char *const path[] = {"statistics", "route-information", "route-table", "rt-family", NULL};
    json_t *json = load(text, "netstat", err);
    const json_t *items = json ? array_at(json, path, "netstat", err) : NULL;
    int rc = items ? 0 : err->code;
    for (size_t i = 0; rc == 0 && i < json_array_size(items); i++)
        rc = add_default(json_array_get(items, i), routes, err);
    json_decref(json);
    return rc;
}

/* ---- arp ---- */

int ja_freebsd_parse_arp(const char *text, struct ja_map *neighbours, struct ja_error *err)
{
    static const char *const path[] = {"arp", "arp-cache", NULL};
    json_t *json = load(text, "arp", err);
    const json_t *items = json ? array_at(json, path, "arp", err) : NULL;
    int rc = items ? 0 : err->code;
    for (size_t i = 0; rc == 0 && i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char *address = json_string_value(json_object_get(item, "ip-address"));
        const char *interface = json_string_value(json_object_get(item, "interface"));
        const char *mac = json_string_value(json_object_get(item, "mac-address"));
        if (!address || !interface) {
            rc = unknown_item("arp", err);
        } else if (mac && json_is_true(json_object_get(item, "permanent"))) {
            ja_autofree char *key = ja_printf("%s %s", address, interface);
            rc = key ? put(neighbours, key, mac, err) : ja_error_nomem(err);
        }
    }
    json_decref(json);
    return rc;
}
