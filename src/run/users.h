/*
 * users.h: who a user of a jail is, from the jail's own /etc/passwd and /etc/group, which are hostile text in a hostile tree.
 */
#ifndef JA_USERS_H
#define JA_USERS_H

#include "base/base.h"

enum { JA_GROUPS_MOST = 64 };

struct ja_user {
    char name[64]; /* "": a number that the jail has no name for */
    uid_t uid;
    gid_t gid;
    gid_t groups[JA_GROUPS_MOST]; /* further ones; more than these are left out */
    size_t group_count;
    char home[256];  /* absolute; "/" when there is none */
    char shell[256]; /* absolute; "/bin/sh" when there is none */
};

/* The user `text` of the tree at `root`: a name, UID or UID:GID. A name that is not there is JA_E_NOTFOUND; a number that is
 * not there has the group of the same number. Numbers go up to 65,535, as those of jails do. */
int ja_user_find(const char *root, const char *text, struct ja_user *ret_user, struct ja_error *err);

#endif
