/*
 * registry_file.h: the files of the registry, for registry.c and setting.c only.
 */
#ifndef JA_REGISTRY_FILE_H
#define JA_REGISTRY_FILE_H

#include "run/lock.h"
#include "run/registry.h"

#include <jansson.h>

#define ja_autolock JA_CLEANUP(ja_registry_unlock)

/* Takes the registry's lock. `make`: makes the directory if it is missing, which is JA_E_NOTFOUND otherwise.
 */
int ja_registry_lock(bool make, struct ja_lock *ret_lock, struct ja_error *err);
/* Lets go; a directory in which nothing is registered goes too. */
void ja_registry_unlock(struct ja_lock *lock);

/* A file of the registry by name, as an object that the caller owns. JA_E_NOTFOUND, JA_E_CORRUPT. */
int ja_registry_load(const char *name, json_t **ret_json, struct ja_error *err);
/* Replaces the file. NULL removes it; missing is success then. */
int ja_registry_save(const char *name, const json_t *json, struct ja_error *err);

/* The error for what is no tag. */
int ja_tag_invalid(const char *tag, struct ja_error *err);

/* Lets go of all settings of an instance. The lock is held. */
int ja_setting_release_all(const char *tag, struct ja_error *err);

void ja_cleanup_json(json_t **json);
#define ja_autojson JA_CLEANUP(ja_cleanup_json)

#endif
