/*
 * freebsd.h: what the files of the FreeBSD emitters share. Only src/host/freebsd includes it. What commands print and refuse
 * was seen on 13.2 and 15.1.
 */
#ifndef JA_HOST_FREEBSD_H
#define JA_HOST_FREEBSD_H

#include "host/host.h"
#include "net/addr.h"

#define JA_FREEBSD_IFNAME 16

/* One nic of a jail with everything known of it. */
struct ja_freebsd_nic {
    const struct ja_nic *nic;
    const struct ja_network *network;
    size_t number;
    char link[JA_FREEBSD_IFNAME];   /* the host's end: "ja7f3n0" */
    char inner[JA_FREEBSD_IFNAME];  /* the jail's end: "epair10003b", a name that nothing else on the host has */
    char bridge[JA_FREEBSD_IFNAME]; /* of its network */
    char mac[JA_MAC_TEXT];
};
void ja_freebsd_nic_fill(const struct ja_planning *p, const struct ja_subject *s, size_t number,
                         struct ja_freebsd_nic *nic);

/*
 * The kernel's name of a jail: its own, or with the tag before it while another jail of the host has that. Facts decide, so
 * that the same name comes out as long as the jail runs.
 */
#define JA_FREEBSD_JAILNAME 80
void ja_freebsd_jail_name(struct ja_planning *p, const struct ja_jail *jail, char name[JA_FREEBSD_JAILNAME]);
/* Its fact if it is there and ours (by its path), "PATH JID active|dying"; NULL: not there. */
const char *ja_freebsd_jail_fact(struct ja_planning *p, const struct ja_jail *jail);

/* Loads a kernel module that is missing. */
void ja_freebsd_module(struct ja_planning *p, const char *module, const char *why);

/* mounts.c: devices, mounts and volumes, made undoably before the jail is; all that is mounted in a tree undone, repeatably. */
int64_t ja_freebsd_ruleset(const struct ja_planning *p, const struct ja_jail *jail);
void ja_freebsd_ruleset_remove(struct ja_planning *p, const struct ja_jail *jail);
void ja_freebsd_mounts_make(struct ja_planning *p, const struct ja_jail *jail, const char *tree);
void ja_freebsd_mounts_undo(struct ja_planning *p, const char *tree);

/* inside.c: see host.h: jail_run and jail_ask; and with them the jail's init or start script, and its end in good order. */
struct ja_step *ja_freebsd_jail_run(struct ja_planning *p, const struct ja_jail *jail, const struct ja_within *inside,
                                    const char *why);
struct ja_step *ja_freebsd_jail_ask(struct ja_planning *p, const struct ja_jail *jail, const char *sig,
                                    const char *why);
void ja_freebsd_init_start(struct ja_planning *p, const struct ja_jail *jail, const char *run, const char *tree);
void ja_freebsd_init_stop(struct ja_planning *p, const struct ja_jail *jail, const char *run, const char *tree);

/* network.c */
void ja_freebsd_network_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_network_down(struct ja_planning *p, const struct ja_network *network);
bool ja_freebsd_network_is_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_instance_down(struct ja_planning *p);
/* Pairs and bridge members of a jail's nics: made undoably, removed repeatably; what is done inside the running jail. */
void ja_freebsd_nics_add(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_nics_configure(struct ja_planning *p, const struct ja_subject *s, const char *name);
void ja_freebsd_nics_remove(struct ja_planning *p, const struct ja_subject *s);
bool ja_freebsd_nics_left(struct ja_planning *p, const struct ja_subject *s);

/* rules.c: ipfw. Rules in our own numbers and set, NAT by an instance for each uplink, networks in tables. */
bool ja_freebsd_rules_are_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_rules_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_rules_down(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_rules_remove_all(struct ja_planning *p);
/* True when a new vnet denies everything until it is told otherwise. */
bool ja_freebsd_vnet_denies(struct ja_planning *p);

#endif
