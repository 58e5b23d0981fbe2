/*
 * copies.c: copies of plans, kept in the pool that they change. See copies.h.
 */
#include "run/copies.h"
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PREFIX "trusted.jailadmin."

enum {
    COPY_MOST = 15 << 10 /* in a node of 16 KiB, btrfs's least common size */,
    LIST_MOST = 64 << 10 /* the kernel's */
};

struct name {
    char text[sizeof PREFIX + JA_UUID_TEXT];
};

static struct name name_of(const char *id)
{
    struct name name;
    snprintf(name.text, sizeof name.text, PREFIX "%s", id);
    return name;
}

static bool is_absent(int sys)
{
    return sys == ENODATA || sys == EOPNOTSUPP || sys == ENOENT;
}

bool ja_copies_possible(const char *pool)
{
    struct statfs info;
    char jails[512];
    if (statfs(pool, &info) != 0 || (unsigned long)info.f_type != BTRFS_SUPER_MAGIC)
        return false;
    /* The directory that it is mounted on may be of a btrfs too: the one that the state is on. */
    int length = snprintf(jails, sizeof jails, "%s/jails", pool);
    return length > 0 && (size_t)length < sizeof jails && access(jails, F_OK) == 0;
}

bool ja_copy_put(const char *pool, const char *id, const char *text, size_t length)
{
    struct name name = name_of(id);
    return length <= COPY_MOST && ja_copies_possible(pool) &&
           setxattr(pool, name.text, text, length, XATTR_CREATE) == 0;
}

int ja_copy_get(const char *pool, const char *id, char **ret_text, size_t *ret_length, struct ja_error *err)
{
    struct name name = name_of(id);
    ja_autofree char *text = ja_malloc(COPY_MOST + 1);
    if (!text)
        return ja_error_nomem(err);
    ssize_t length = getxattr(pool, name.text, text, COPY_MOST);
    if (length < 0 && is_absent(errno))
        return 0;
    if (length < 0)
        return ja_error_sys(err, errno, NULL, "cannot read the copy of the plan %s in %s", id, pool);
    text[length] = '\0';
    *ret_length = (size_t)length;
    *ret_text = text;
    text = NULL;
    return 1;
}

bool ja_copy_may_be(const char *pool, const char *id)
{
    struct name name = name_of(id);
    return getxattr(pool, name.text, NULL, 0) >= 0 || !is_absent(errno);
}

void ja_copy_remove(const char *pool, const char *id)
{
    struct name name = name_of(id);
    (void)removexattr(pool, name.text);
}

int ja_copies_list(const char *pool, struct ja_strv *ret_ids, struct ja_error *err)
{
    ssize_t length = listxattr(pool, NULL, 0);
    if (length <= 0 || !ja_copies_possible(pool))
        return 0;
    ja_autofree char *names = ja_malloc(LIST_MOST);
    if (!names)
        return ja_error_nomem(err);
    length = listxattr(pool, names, LIST_MOST);
    if (length < 0)
        return ja_error_sys(err, errno, NULL, "cannot list the copies of plans in %s", pool);
    for (const char *name = names; name < names + length; name += strlen(name) + 1)
        if (ja_str_starts(name, PREFIX) && ja_uuid_valid(name + strlen(PREFIX)) &&
            ja_strv_add(ret_ids, name + strlen(PREFIX)) < 0)
            return ja_error_nomem(err);
    return 0;
}
#else
bool ja_copies_possible(JA_UNUSED const char *pool)
{
    return false;
}

bool ja_copy_put(JA_UNUSED const char *pool, JA_UNUSED const char *id, JA_UNUSED const char *text,
                 JA_UNUSED size_t length)
{
    return false;
}

int ja_copy_get(JA_UNUSED const char *pool, JA_UNUSED const char *id, JA_UNUSED char **ret_text,
                JA_UNUSED size_t *ret_length, JA_UNUSED struct ja_error *err)
{
    return 0;
}

bool ja_copy_may_be(JA_UNUSED const char *pool, JA_UNUSED const char *id)
{
    return false;
}

void ja_copy_remove(JA_UNUSED const char *pool, JA_UNUSED const char *id)
{
}

int ja_copies_list(JA_UNUSED const char *pool, JA_UNUSED struct ja_strv *ret_ids, JA_UNUSED struct ja_error *err)
{
    return 0;
}
#endif
