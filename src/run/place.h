/*
 * place.h: a directory of the host on which a tree is mounted. It is root's decision what lies there, so nobody else may be able to
 * change where its path leads.
 */
#ifndef JA_RUN_PLACE_H
#define JA_RUN_PLACE_H

#include "base/base.h"

/* Opens a directory by its absolute path, component by component: no symbolic link, nothing that belongs to another than root, and
 * no directory in which others could rename it. The caller's descriptor, close-on-exec; or JA_E_NOTFOUND, JA_E_DENIED, JA_E_FAILED. */
int ja_place_open(const char *path, int *ret_fd, struct ja_error *err);
/* JA_E_BUSY unless the directory is empty. */
int ja_place_check_empty(int fd, const char *path, struct ja_error *err);

#endif
