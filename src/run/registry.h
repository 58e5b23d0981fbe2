/*
 * registry.h: the instances of this machine. Each has a tag (two base-36 characters) and blocks of numbers of its own, so that
 * several live side by side (tests beside production). Also counts who needs which host setting (forwarding), and puts the
 * old value back when the last one lets go, if nobody else has changed it since.
 *
 * Files: <dir>/lock, <dir>/<tag>.json, <dir>/settings.json; dir is /var/db/jailadmin.instances, or $JAILADMIN_REGISTRY in tests.
 * The last instance that leaves removes the directory.
 */
#ifndef JA_REGISTRY_H
#define JA_REGISTRY_H

#include "model/site.h"

/* Units of epairs, and of bridges, that an instance has. FreeBSD's numbers end at 32767, so they are no multiple of slots:
 * a nic reserves one in the store. */
#define JA_UNITS_PER_INSTANCE 2048

struct ja_instance {
    char tag[3];
    char uuid[37];
    char state[256];      /* its state directory, absolute */
    int64_t slots;        /* how many slots it has */
    int64_t uid_base;     /* first uid and gid of slot 0; slot n begins at uid_base + n * 65536 */
    int64_t shared_base;  /* first of 65536 ids that all its jails share where storage cannot map ids; below 2^31, since
                          * zfs-fuse knows no others */
    int64_t unit_base;    /* first epair and bridge unit, from 10000; JA_UNITS_PER_INSTANCE of each */
    int64_t rule_base;    /* ipfw: first rule number, from 20000, 500 an instance */
    int64_t set;          /* ipfw set, 1 to 30 */
    int64_t nat_base;     /* ipfw nat instances, from 20000, 100 an instance */
    int64_t ruleset_base; /* devfs rulesets, from 1000, one a slot */
};

const char *ja_registry_dir(void);
/* Registers a new instance for `state`: the smallest free tag and blocks; the uid block does not touch a range of
 * /etc/subuid or /etc/subgid, nor any block of others. JA_E_EXISTS when that directory is registered; JA_E_LIMIT when no block is free. In tests
 * $JAILADMIN_ETC stands for /etc. */
int ja_registry_add(const char *state, int64_t slots, struct ja_instance *ret_instance, struct ja_error *err);
/* What add would register, without registering it: for dry runs. */
int ja_registry_propose(const char *state, int64_t slots, struct ja_instance *ret_instance, struct ja_error *err);
/* Registers exactly this one, whose numbers were chosen before. One that is registered already is success. JA_E_CONFLICT when
 * its directory, tag or a block is another instance's. */
int ja_registry_put(const struct ja_instance *instance, struct ja_error *err);
/* An instance as the registry's files have it. New reference, NULL: no memory. from_json: JA_E_CORRUPT names what is wrong. */
json_t *ja_instance_to_json(const struct ja_instance *instance);
int ja_instance_from_json(const json_t *json, const char *where, struct ja_instance *ret_instance,
                          struct ja_error *err);
int ja_registry_get(const char *tag, struct ja_instance *ret_instance, struct ja_error *err);
/* Finds by state directory. JA_E_NOTFOUND. */
int ja_registry_find(const char *state, struct ja_instance *ret_instance, struct ja_error *err);
/* Removes it; missing is success. Host settings that it still holds are let go first. */
int ja_registry_remove(const char *tag, struct ja_error *err);
int ja_registry_each(int (*each)(void *context, const struct ja_instance *instance, struct ja_error *err),
                     void *context, struct ja_error *err);

/* Host settings, for `jailadmin host setting acquire|release`: writes `value` to the sysctl `name` (dots or slashes) if it
 * differs, remembers the old one, counts the instance. release puts the old value back with the last user, if the
 * value is still what we set. Both are idempotent per instance. JA_E_CONFLICT when another instance needs another value. */
int ja_setting_acquire(const char *tag, const char *name, const char *value, struct ja_error *err);
int ja_setting_release(const char *tag, const char *name, struct ja_error *err);

#endif
