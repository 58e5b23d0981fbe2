/*
 * sha256.h: SHA-256 (FIPS 180-4), for the checksums of archives. Not for secrets: it takes as long as its input says.
 */
#ifndef JA_SHA256_H
#define JA_SHA256_H

#include "base/base.h"

#define JA_SHA256_TEXT 65 /* 64 small hexadecimal digits and a zero */

struct ja_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
};

void ja_sha256_init(struct ja_sha256 *sha);
void ja_sha256_add(struct ja_sha256 *sha, const void *bytes, size_t count);
void ja_sha256_text(struct ja_sha256 *sha, char ret_text[JA_SHA256_TEXT]);
/* Of all that can be read from a descriptor, from where it stands. 0, or -1 with errno. */
int ja_sha256_fd(int fd, char ret_text[JA_SHA256_TEXT]);
/* 64 hexadecimal digits; small ones, so that one checksum has one spelling. */
bool ja_sha256_valid(const char *text);

/* The SHA-256 that a MANIFEST of FreeBSD's releases names for a file: a line for each, "base.txz<TAB>SUM<TAB>...". False: none, or
 * none that is a checksum. */
bool ja_sha256_in_manifest(const char *manifest, const char *file, char ret_text[JA_SHA256_TEXT]);

#endif
