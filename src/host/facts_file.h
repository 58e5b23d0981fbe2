/*
 * facts_file.h: facts that are files, read alike on every system: tools, paths, texts, sums, and what lies beneath a tree.
 */
#ifndef JA_FACTS_FILE_H
#define JA_FACTS_FILE_H

#include "plan/facts.h"

/* Answers one question of the kinds tool, path, file, directory, sha256, space, treefile and userfile: 1 with the answer
 * added to *value, 0 for absent (all other kinds are), or a negative ja_code. */
int ja_fact_from_file(enum ja_fact_kind kind, const char *name, struct ja_str *value, struct ja_error *err);

/* Opens what is beneath a tree for reading. 1, 0 (absent, or for the jail it is) or negative. */
int ja_fact_open_beneath(const char *tree, const char *path, int *ret_fd, struct ja_error *err);
/* Up to `limit` bytes of a regular file. 1: the text is the caller's, zero-terminated; 0: no regular file; or negative. */
int ja_fact_read_fd(int fd, size_t limit, char **ret_text, size_t *ret_length, struct ja_error *err);

#endif
