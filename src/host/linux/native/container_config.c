/*
 * container_config.c: reads the configuration that oci.c wrote for crun. It is declined as a whole when it has anything in it
 * that container.c does not do, so that crun does it: nothing is left out silently.
 */
#include "base/file.h"
#include "host/linux/native/container.h"
#include "host/linux/oci.h"
#include "model/field.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG_MOST = 4 << 20 };

/* Whether an object has no other keys than these. */
static bool has_only(const json_t *object, ...)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return false;
    json_object_foreach((json_t *)object, key, value)
    {
        va_list names;
        bool found = false;

        va_start(names, object);
        for (const char *name; !found && (name = va_arg(names, const char *)) != NULL;)
            found = strcmp(name, key) == 0;
        va_end(names);
        if (!found)
            return false;
    }
    return true;
}

/* The strings of an array, borrowed, ending with NULL; the caller frees the vector. NULL: no memory, or not all are strings. */
static const char **strings_of(const json_t *array)
{
    size_t count = json_array_size(array), i;
    const char **strings = ja_calloc(count + 1, sizeof(*strings));

    for (i = 0; strings != NULL && i < count; i++)
        if ((strings[i] = json_string_value(json_array_get(array, i))) == NULL) {
            ja_free(strings);
            return NULL;
        }
    return strings;
}

static bool read_capabilities(const json_t *capabilities, uint64_t *ret_set)
{
    static const char *const sets[] = {"bounding", "effective", "permitted"};
    uint64_t found[JA_COUNT(sets)] = {0};
    const json_t *item;
    size_t k;

    if (!has_only(capabilities, "bounding", "effective", "permitted", NULL))
        return false;
    for (size_t i = 0; i < JA_COUNT(sets); i++)
        json_array_foreach(json_object_get(capabilities, sets[i]), k, item)
        {
            const char *name = json_string_value(item);
            int number = name != NULL ? ja_oci_capability(name) : -1;

            if (number < 0)
                return false;
            found[i] |= (uint64_t)1 << number;
        }
    *ret_set = found[0];
    return found[0] == found[1] && found[0] == found[2];
}

static bool read_process(const json_t *process, struct ja_container *container)
{
    const json_t *user = json_object_get(process, "user"), *limits = json_object_get(process, "rlimits");

    if (!has_only(process, "terminal", "user", "cwd", "noNewPrivileges", "args", "env", "capabilities", "rlimits",
                  NULL) ||
        json_is_true(json_object_get(process, "terminal")) || json_integer_value(json_object_get(user, "uid")) != 0 ||
        json_integer_value(json_object_get(user, "gid")) != 0 ||
        !read_capabilities(json_object_get(process, "capabilities"), &container->capabilities))
        return false;
    container->argv = strings_of(json_object_get(process, "args"));
    container->env = strings_of(json_object_get(process, "env"));
    container->cwd = json_string_value(json_object_get(process, "cwd"));
    container->no_new_privileges = json_is_true(json_object_get(process, "noNewPrivileges"));
    if (json_array_size(limits) > 0) {
        const json_t *limit = json_array_get(limits, 0);

        container->files = (int64_t)json_integer_value(json_object_get(limit, "hard"));
        if (json_array_size(limits) != 1 || container->files <= 0 ||
            json_integer_value(json_object_get(limit, "soft")) != container->files ||
            !ja_str_equal(json_string_value(json_object_get(limit, "type")), "RLIMIT_NOFILE"))
            return false;
    }
    return container->argv != NULL && container->env != NULL && container->cwd != NULL && container->argv[0] != NULL &&
           container->argv[0][0] == '/';
}

static bool read_option(const char *word, struct ja_container_mount *mount, size_t *at)
{
    static const struct {
        const char *word;
        __u64 attribute;
    } attributes[] = {{"nosuid", JA_MOUNT_ATTR_NOSUID},
                      {"nodev", JA_MOUNT_ATTR_NODEV},
                      {"noexec", JA_MOUNT_ATTR_NOEXEC},
                      {"strictatime", JA_MOUNT_ATTR_STRICTATIME},
                      {"rw", 0}};

    for (size_t i = 0; i < JA_COUNT(attributes); i++)
        if (strcmp(word, attributes[i].word) == 0) {
            mount->attributes |= attributes[i].attribute;
            return true;
        }
    if (strcmp(word, "ro") == 0)
        mount->read_only = true;
    else if (mount->type == NULL && strcmp(word, "rbind") == 0)
        mount->recursive = true;
    else if (mount->type == NULL && strcmp(word, "bind") == 0)
        mount->recursive = false;
    else if (mount->type != NULL && (strchr(word, '=') != NULL || strcmp(word, "newinstance") == 0))
        ((const char **)(uintptr_t)mount->options)[(*at)++] = word;
    else
        return false;
    return true;
}

static bool read_mount(const json_t *from, struct ja_container_mount *mount)
{
    static const char *const types[] = {"proc", "tmpfs", "devpts", "mqueue", "sysfs"};
    const json_t *options = json_object_get(from, "options"), *item;
    const char *type = json_string_value(json_object_get(from, "type"));
    bool known = ja_str_equal(type, "bind");
    size_t at = 0, i;

    for (i = 0; i < JA_COUNT(types); i++)
        known = known || ja_str_equal(type, types[i]);
    *mount = (struct ja_container_mount){.type = ja_str_equal(type, "bind") ? NULL : type,
                                         .source = json_string_value(json_object_get(from, "source")),
                                         .target = json_string_value(json_object_get(from, "destination")),
                                         .options = ja_calloc(json_array_size(options) + 1, sizeof(char *)),
                                         .fd = -1};
    if (!has_only(from, "destination", "type", "source", "options", NULL) || !known || mount->options == NULL ||
        mount->source == NULL || mount->target == NULL || mount->target[0] != '/')
        return false;
    json_array_foreach(options, i, item)
    {
        if (!json_is_string(item) || !read_option(json_string_value(item), mount, &at))
            return false;
    }
    return true;
}

static bool read_mounts(const json_t *mounts, struct ja_container *container)
{
    const json_t *mount;
    size_t i;

    container->mounts = ja_calloc(json_array_size(mounts) + 1, sizeof(*container->mounts));
    if (container->mounts == NULL)
        return false;
    json_array_foreach(mounts, i, mount)
    {
        if (!read_mount(mount, &container->mounts[container->mount_count++]))
            return false;
    }
    return true;
}

static bool read_namespaces(const json_t *namespaces, struct ja_container *container)
{
    static const char *const always[] = {"mount", "pid", "ipc", "uts", "cgroup"};
    const json_t *namespace;
    unsigned seen = 0;
    size_t i;

    json_array_foreach(namespaces, i, namespace)
    {
        const char *type = json_string_value(json_object_get(namespace, "type")),
                   *path = json_string_value(json_object_get(namespace, "path"));

        for (size_t k = 0; k < JA_COUNT(always); k++)
            if (ja_str_equal(type, always[k]) && path == NULL)
                seen |= 1u << k;
        if (ja_str_equal(type, "user"))
            container->user_ns = path;
        if (ja_str_equal(type, "network"))
            container->net_ns = path;
    }
    return seen == (1u << JA_COUNT(always)) - 1 && container->user_ns != NULL && container->net_ns != NULL &&
           json_array_size(namespaces) == JA_COUNT(always) + 2;
}

/* Devices of the host are crun's to make: nodes that the jail's root owns are made by the host's root. */
static bool read_linux(const json_t *section, struct ja_container *container)
{
    const json_t *map = json_array_get(json_object_get(section, "uidMappings"), 0);

    container->root_uid = (int64_t)json_integer_value(json_object_get(map, "hostID"));
    container->masked = strings_of(json_object_get(section, "maskedPaths"));
    container->read_only = strings_of(json_object_get(section, "readonlyPaths"));
    return has_only(section, "namespaces", "resources", "maskedPaths", "readonlyPaths", "uidMappings", "gidMappings",
                    NULL) &&
           json_object_size(json_object_get(section, "resources")) == 0 && container->root_uid > 0 &&
           json_integer_value(json_object_get(map, "containerID")) == 0 && container->masked != NULL &&
           container->read_only != NULL && read_namespaces(json_object_get(section, "namespaces"), container);
}

static bool read_config(struct ja_container *container)
{
    const json_t *config = container->config, *root = json_object_get(config, "root");

    container->hostname = json_string_value(json_object_get(config, "hostname"));
    return has_only(config, "ociVersion", "root", "process", "mounts", "linux", "hostname", NULL) &&
           has_only(root, "path", "readonly", NULL) && !json_is_true(json_object_get(root, "readonly")) &&
           container->hostname != NULL && read_process(json_object_get(config, "process"), container) &&
           read_mounts(json_object_get(config, "mounts"), container) &&
           read_linux(json_object_get(config, "linux"), container);
}

int ja_container_read(const char *bundle, struct ja_container *container, struct ja_error *err)
{
    ja_autofree char *path = ja_printf("%s/config.json", bundle), *text = NULL;
    size_t length;
    bool nomem;
    int code;

    *container = (struct ja_container){0};
    if (path == NULL)
        return ja_error_nomem(err);
    if ((code = ja_file_read(path, CONFIG_MOST, &text, &length, err)) < 0)
        return code;
    container->config = ja_json_load(text, length, 0, NULL, &nomem);
    return container->config != NULL && read_config(container) ? 0 : JA_E_UNSUPPORTED;
}

void ja_container_fini(struct ja_container *container)
{
    for (size_t i = 0; i < container->mount_count; i++) {
        if (container->mounts[i].fd >= 0)
            close(container->mounts[i].fd);
        ja_free((void *)(uintptr_t)container->mounts[i].options);
    }
    ja_free(container->mounts);
    ja_free(container->argv);
    ja_free(container->env);
    ja_free(container->masked);
    ja_free(container->read_only);
    json_decref(container->config);
    *container = (struct ja_container){0};
}
