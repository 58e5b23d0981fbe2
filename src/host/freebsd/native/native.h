/*
 * native.h: what only FreeBSD's own calls tell or do. Built on FreeBSD only.
 */
#ifndef JA_FREEBSD_NATIVE_H
#define JA_FREEBSD_NATIVE_H

#include "host/freebsd/facts.h"

/* links.c: the host's interfaces, by getifaddrs(3) and ioctls: what a jail writes into names and descriptions cannot pass for
 * another interface here, as it could in the text of ifconfig. */
int ja_freebsd_read_links(struct ja_freebsd_links *links, struct ja_error *err);

#endif
