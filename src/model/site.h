/*
 * site.h: the instance that plans are made for, as plain data: where its things are and which numbers are its own.
 */
#ifndef JA_SITE_H
#define JA_SITE_H

#include "base/base.h"

#include <jansson.h>

enum ja_os { JA_OS_LINUX, JA_OS_FREEBSD };
enum ja_storage_kind { JA_STORAGE_BTRFS, JA_STORAGE_ZFS };

/* Uids and gids of one slot. */
#define JA_UIDS_PER_SLOT 65536

struct ja_site {
    enum ja_os os;
    enum ja_storage_kind storage;
    char tag[3];
    char uuid[37];
    char epoch[37];   /* a random UUID that each restore makes anew; "": a store that has none yet */
    char self[256];   /* the jailadmin program, absolute */
    char state[256];  /* state directory: store.db, journal/, lock/, pool/ */
    char run[256];    /* runtime directory: /run/jailadmin/<tag> */
    char pool[256];   /* <state>/pool: where templates/, jails/ and deleted/ are mounted; 0700 */
    char source[256]; /* btrfs: the directory or loop file behind the pool; zfs: the dataset */
    bool loop;        /* btrfs: source is a file */
    bool idmap;       /* jails' trees are mounted with shifted ids; false: trees are stored shifted */
    int64_t slots, uid_base, shared_base, unit_base, rule_base, set, nat_base, ruleset_base;
};

/* "ja<tag><slot>n<k>": the host's end of a nic. 16 bytes are enough for any slot below 100,000. */
void ja_site_nic_name(const struct ja_site *site, int64_t slot, size_t nic, char name[16]);
/* "ja<tag><slot>s<k>": the device through which goes what a nic's jail sends, when that is shaped (Linux). */
void ja_site_ifb_name(const struct ja_site *site, int64_t slot, size_t nic, char name[16]);
/* "ja<tag>br<slot of the network>" */
void ja_site_bridge_name(const struct ja_site *site, int64_t slot, char name[16]);
/* What we write into an interface's alias (Linux) or description (FreeBSD): "jailadmin INSTANCE-UUID OBJECT-UUID". */
void ja_site_mark(const struct ja_site *site, const char *uuid, char mark[128]);
/* The first id of a jail's users on the host; the same for all jails where trees are stored shifted. */
int64_t ja_site_uid(const struct ja_site *site, int64_t slot);
/* Trees are stored with the ids of jails on the host, since mounts of this storage cannot have their ids mapped. */
bool ja_site_shifts(const struct ja_site *site);
/* The id that owns, in a stored tree, what belongs to the jail's root. */
int64_t ja_site_tree_id(const struct ja_site *site, bool privileged);

/* Two digits or small letters. */
bool ja_tag_valid(const char *tag);

/* A site as JSON without what depends on the call (state directory, program); NULL: no memory. from_json: JA_E_CORRUPT. */
json_t *ja_site_to_json(const struct ja_site *site);
int ja_site_from_json(const json_t *json, struct ja_site *ret_site, struct ja_error *err);

#endif
