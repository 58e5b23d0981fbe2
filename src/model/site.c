/*
 * site.c: names and numbers that follow from an instance's tag and blocks.
 */
#include "model/site.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

void ja_site_nic_name(const struct ja_site *site, int64_t slot, size_t nic, char name[16])
{
    snprintf(name, 16, "ja%s%lldn%zu", site->tag, (long long)slot, nic);
}

void ja_site_ifb_name(const struct ja_site *site, int64_t slot, size_t nic, char name[16])
{
    snprintf(name, 16, "ja%s%llds%zu", site->tag, (long long)slot, nic);
}

void ja_site_bridge_name(const struct ja_site *site, int64_t slot, char name[16])
{
    snprintf(name, 16, "ja%sbr%lld", site->tag, (long long)slot);
}

void ja_site_mark(const struct ja_site *site, const char *uuid, char mark[128])
{
    snprintf(mark, 128, "jailadmin %s %s", site->uuid, uuid);
}

int64_t ja_site_uid(const struct ja_site *site, int64_t slot)
{
    return ja_site_shifts(site) ? site->shared_base : site->uid_base + slot * JA_UIDS_PER_SLOT;
}

bool ja_site_shifts(const struct ja_site *site)
{
    return site->os == JA_OS_LINUX && !site->idmap;
}

int64_t ja_site_tree_id(const struct ja_site *site, bool privileged)
{
    return ja_site_shifts(site) && !privileged ? site->shared_base : 0;
}

/* ---- as JSON ---- */

/* The numbers of a site by name, for reading and writing alike. */
static const struct {
    const char *name;
    size_t offset;
} site_numbers[] = {
    {"slots", offsetof(struct ja_site, slots)},
    {"uid_base", offsetof(struct ja_site, uid_base)},
    {"shared_base", offsetof(struct ja_site, shared_base)},
    {"unit_base", offsetof(struct ja_site, unit_base)},
    {"rule_base", offsetof(struct ja_site, rule_base)},
    {"set", offsetof(struct ja_site, set)},
    {"nat_base", offsetof(struct ja_site, nat_base)},
    {"ruleset_base", offsetof(struct ja_site, ruleset_base)},
};

static const struct {
    const char *name;
    size_t offset, size;
} site_texts[] = {
#define TEXT(member)                                                                                                   \
    {                                                                                                                  \
#member, offsetof(struct ja_site, member), sizeof(((struct ja_site *)0)->member)                               \
    }
    TEXT(tag), TEXT(uuid), TEXT(epoch), TEXT(run), TEXT(pool), TEXT(source),
#undef TEXT
};

json_t *ja_site_to_json(const struct ja_site *site)
{
    json_t *json =
        json_pack("{s:s, s:s, s:b, s:b}", "os", site->os == JA_OS_FREEBSD ? "freebsd" : "linux", "storage",
                  site->storage == JA_STORAGE_ZFS ? "zfs" : "btrfs", "loop", site->loop, "idmap", site->idmap);
    const char *base = (const char *)site;
    int rc = json ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < JA_COUNT(site_numbers); i++)
        rc = json_object_set_new(json, site_numbers[i].name,
                                 json_integer(*(const int64_t *)(const void *)(base + site_numbers[i].offset)));
    for (size_t i = 0; rc == 0 && i < JA_COUNT(site_texts); i++)
        rc = json_object_set_new(json, site_texts[i].name, json_string(base + site_texts[i].offset));
    if (rc < 0)
        json_decref(json);
    return rc < 0 ? NULL : json;
}

bool ja_tag_valid(const char *tag)
{
    return strspn(tag, "0123456789abcdefghijklmnopqrstuvwxyz") == 2 && tag[2] == '\0';
}

/* A damaged store, or a copy of one that somebody made: names of files and interfaces come from it, and sums of its numbers. */
static const char *what_is_wrong(const struct ja_site *site)
{
    const char *base = (const char *)site;
    for (size_t i = 0; i < JA_COUNT(site_numbers); i++) {
        int64_t number = *(const int64_t *)(const void *)(base + site_numbers[i].offset);
        if (number < 0 || number > UINT32_MAX)
            return site_numbers[i].name;
    }
    for (size_t i = 0; i < JA_COUNT(site_texts); i++)
        if (!ja_str_printable(base + site_texts[i].offset, strlen(base + site_texts[i].offset), false))
            return site_texts[i].name;
    if (!ja_tag_valid(site->tag))
        return "tag";
    if (!ja_uuid_valid(site->uuid))
        return "uuid";
    return site->run[0] != '/' ? "run" : site->pool[0] != '/' ? "pool" : NULL;
}

int ja_site_from_json(const json_t *json, struct ja_site *ret_site, struct ja_error *err)
{
    struct ja_site site = {0};
    char *base = (char *)&site;
    for (size_t i = 0; i < JA_COUNT(site_numbers); i++)
        *(int64_t *)(void *)(base + site_numbers[i].offset) =
            json_integer_value(json_object_get(json, site_numbers[i].name));
    for (size_t i = 0; i < JA_COUNT(site_texts); i++) {
        const char *text = json_string_value(json_object_get(json, site_texts[i].name));
        if (!text && strcmp(site_texts[i].name, "epoch") == 0)
            text = ""; /* written before there was one */
        if (!text || strlen(text) >= site_texts[i].size)
            return ja_error_set(err, JA_E_CORRUPT, "store", "the instance's setting %s is damaged", site_texts[i].name);
        memcpy(base + site_texts[i].offset, text, strlen(text) + 1);
    }
    site.os = ja_str_equal(json_string_value(json_object_get(json, "os")), "freebsd") ? JA_OS_FREEBSD : JA_OS_LINUX;
    site.storage =
        ja_str_equal(json_string_value(json_object_get(json, "storage")), "zfs") ? JA_STORAGE_ZFS : JA_STORAGE_BTRFS;
    site.loop = json_is_true(json_object_get(json, "loop"));
    site.idmap = json_is_true(json_object_get(json, "idmap"));
    const char *wrong = what_is_wrong(&site);
    if (wrong)
        return ja_error_set(err, JA_E_CORRUPT, "store", "the instance's setting %s is damaged", wrong);
    *ret_site = site;
    return 0;
}
