/*
 * native.h: what only FreeBSD's own calls tell or do. Built on FreeBSD only.
 */
#ifndef JA_FREEBSD_NATIVE_H
#define JA_FREEBSD_NATIVE_H

#include "host/freebsd/facts.h"
#include "run/hostverb.h"

/* links.c: the host's interfaces, by getifaddrs(3) and ioctls: what a jail writes into names and descriptions cannot pass for
 * another interface here, as it could in the text of ifconfig. */
int ja_freebsd_read_links(struct ja_freebsd_links *links, struct ja_error *err);

/* jail.c */
/* The kernel's jail that a file of ours names, "NAME PATH": a jail of that name at another path is somebody else's. JA_E_FAILED
 * when it does not run. */
int ja_freebsd_find_jail(const char *file, int *ret_jid, struct ja_error *err);
int ja_freebsd_not_running(struct ja_error *err);
/* This process goes into the jail, for good, to its root directory. Nobody there can trace it until it executes a program.
 * System calls only. 0 or -1 with errno. */
int ja_freebsd_attach(int jid);

/* facts.c: runs a program of the base system, argv[0] by its name; what it printed is added to *output. As struct
 * ja_freebsd_source's run. */
int ja_freebsd_run(char *const *argv, struct ja_str *output, int *ret_status, struct ja_error *err);

/* accept.c, copy.c, daemon.c, nat.c, rescue.c, run.c: host verbs */
ja_hostverb_fn ja_verb_copy_in, ja_verb_copy_out, ja_verb_daemon_signal, ja_verb_daemon_start, ja_verb_daemon_stop,
    ja_verb_jail_rescue, ja_verb_jail_run, ja_verb_nat_config, ja_verb_stop_init, ja_verb_vnet_accept;

/* drop.c: ends the processes of a jail, and drops the connections of its own network stack. What fails of it is left to its
 * removal. */
void ja_freebsd_empty_jail(int jid);

#endif
