/*
 * facts.h: reading facts of a Linux host. facts.c reads what the kernel shows as files, and compiles everywhere; what needs
 * the kernel's own headers is a probe of native/probes.c.
 */
#ifndef JA_LINUX_FACTS_H
#define JA_LINUX_FACTS_H

#include "plan/facts.h"

/* Each returns 1 with its answer, 0 for absent, or a negative ja_code. A missing probe answers absent. */
struct ja_linux_probes {
    int (*hostaddr)(const char *address, char ret_interface[16], struct ja_error *err);
    int (*hostnets)(struct ja_str *lines, struct ja_error *err);
    int (*neighbour)(const char *name, char ret_mac[18], struct ja_error *err); /* "ADDRESS INTERFACE" */
    int (*forwards)(bool v6, bool *ret_on, struct ja_error *err);               /* whether the host forwards */
    int (*firewall)(const char *bridges, struct ja_str *lines, struct ja_error *err);
    int (*mount)(const char *path, char ret_type[64], struct ja_error *err);
    int (*fstype)(const char *path, char ret_type[64], struct ja_error *err);
    int (*subvolume)(const char *path, char ret_uuid[37], struct ja_error *err);
    /* words: family, table, and perhaps set and element. */
    int (*nft)(const struct ja_strv *words, struct ja_error *err);
    int (*device)(const char *path, char ret_numbers[48], struct ja_error *err);
    int (*quota)(const char *path, struct ja_error *err);
    int (*disks)(const char *path, struct ja_str *numbers, struct ja_error *err);
    int (*used)(const char *path, int64_t *ret_bytes, struct ja_error *err);
    int (*nftrules)(const char *name, unsigned *ret_count, struct ja_error *err);  /* "FAMILY TABLE" */
    int (*nftchain)(const char *name, struct ja_str *lines, struct ja_error *err); /* "FAMILY TABLE CHAIN" */
    int (*idmap)(const char *path, struct ja_error *err);
    int (*apt)(struct ja_str *lines, struct ja_error *err);
    /* Answers all missing facts of processes, which a list asks for by the thousand. */
    int (*processes)(struct ja_facts *facts, struct ja_error *err);
    /* Answers all missing facts of ZFS: one process for many datasets. */
    int (*zfs)(struct ja_facts *facts, struct ja_error *err);
    int (*version)(const char *program, struct ja_str *line, struct ja_error *err);
    int (*health)(const char *path, struct ja_str *lines, struct ja_error *err);
    int (*shaping)(struct ja_str *words, struct ja_error *err);
    int (*qdisc)(const char *interface, struct ja_str *words, struct ja_error *err);
    int (*binds)(const char *path, struct ja_str *lines, struct ja_error *err);
};

/* Answers all missing facts; for struct ja_fact_reader. `context` is a const struct ja_linux_probes *. Starts no process,
 * but for the probes of apt, zfs, versions and health. */
int ja_linux_facts_read(void *context, struct ja_facts *facts, struct ja_error *err);

/* Who listens at "tcp|udp ADDRESS PORT[-LAST]" (ADDRESS "*": any but the loopback ones), added to *who: 1; 0: nobody. */
int ja_linux_listener(const char *name, struct ja_str *who);

/* The pid of the daemon PROGRAM (a base name) that was started with PIDFILE among its arguments and wrote it; 0: none. A
 * number in a file proves nothing: program, arguments and pid namespace are compared. Without the file it is looked for. */
pid_t ja_linux_daemon_pid(const char *pidfile, const char *program);

#endif
