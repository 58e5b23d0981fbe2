/*
 * freebsd.h: what the files of the FreeBSD emitters share. Only src/host/freebsd includes it. What commands print and refuse
 * was seen on 13.2 and 15.1.
 */
#ifndef JA_HOST_FREEBSD_H
#define JA_HOST_FREEBSD_H

#include "host/common.h"

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

/* Loads a kernel module that is missing (network.c). */
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
void ja_freebsd_init_start(struct ja_planning *p, const struct ja_jail *jail, const char *run);
void ja_freebsd_init_stop(struct ja_planning *p, const struct ja_jail *jail, const char *run, const char *tree);

/* network.c */
void ja_freebsd_network_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_network_down(struct ja_planning *p, const struct ja_network *network);
bool ja_freebsd_network_is_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_instance_down(struct ja_planning *p);
bool ja_freebsd_is_member(struct ja_planning *p, const char *bridge, const char *interface);
/* The undo of an interface's creation under a first name with a unit of ours, and its rename, by one command that may be cut off
 * between them. It has no guard: the verb looks whose it is; one without a description is ours, since nobody else gives such names.
 * remove is repeatable; with a pair both ends go, wherever the other one is. */
void ja_freebsd_undo_link(struct ja_planning *p, struct ja_step *step, const char *made_as, const char *link,
                          const char *mark);
void ja_freebsd_remove_link(struct ja_planning *p, const char *link, const char *mark, const char *why);
/* One gateway's address, and one member, if it is not there; the removal of an address that is there, undoably. */
void ja_freebsd_address_add(struct ja_planning *p, const char *bridge, const char *text, bool undoable);
void ja_freebsd_address_remove(struct ja_planning *p, const char *bridge, const char *text);
void ja_freebsd_member_add(struct ja_planning *p, const struct ja_network *network, size_t number, const char *bridge,
                           const char *mark);
/* Words that give an interface an address, "inet6 fd66::1/64 no_dad -ifdisabled", "inet 10.66.0.1/16 alias", or take it away. */
void ja_freebsd_address_words(struct ja_planning *p, struct ja_step *step, const char *interface, const char *text,
                              bool undo);
void ja_freebsd_removal_words(struct ja_planning *p, struct ja_step *step, const char *interface, const char *text,
                              bool undo);
/* Lets the host forward. `first`: the instance is to be counted also where the host does it already. */
void ja_freebsd_forwarding(struct ja_planning *p, const struct ja_network *network, bool first);

/* netchange.c: see host.h. */
bool ja_freebsd_network_needs_stop(const struct ja_network *from, const struct ja_network *to);
void ja_freebsd_network_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                               const struct ja_subject *from_jails, const struct ja_subject *to_jails, size_t count);
void ja_freebsd_network_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);

/* shared.c: the addresses of a jail that shares the host's network stack: given to the bridges of its networks undoably, taken from
 * them repeatably; the parameters of jail(8) that let it use them. */
void ja_freebsd_shared_add(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_shared_remove(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_shared_words(struct ja_planning *p, const struct ja_subject *s, struct ja_step *step);

/* nics.c: pairs and bridge members of a jail's nics: made undoably, removed repeatably; what is done inside the running jail;
 * what a running jail lacks of them. */
void ja_freebsd_nics_add(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_nics_configure(struct ja_planning *p, const struct ja_subject *s, const char *name);
void ja_freebsd_nics_remove(struct ja_planning *p, const struct ja_subject *s);
bool ja_freebsd_nics_left(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_nics_repair(struct ja_planning *p, const struct ja_subject *s, const char *name);
/* Whether jails of a network see each other; undoably, for those that run. */
void ja_freebsd_nics_isolate(struct ja_planning *p, const struct ja_subject *s, const struct ja_network *network);
/* A nic that is to ask for its address, or to watch its network, needs /dev/bpf for that. */
bool ja_freebsd_needs_bpf(const struct ja_jail *jail);

/* neighbours.c: permanent entries of the host for a jail's addresses: added undoably (repair: those that are missing), removed
 * repeatably; and the gateway's within the running jail, and the MAC that its bridge gets. */
void ja_freebsd_neighbours_add(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_neighbours_repair(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_neighbours_remove(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_neighbours_inside(struct ja_planning *p, const char *name, const struct ja_freebsd_nic *nic);
void ja_freebsd_bridge_mac(const struct ja_network *network, char mac[JA_MAC_TEXT]);

/* rules.c, nat.c: ipfw. Rules in our own numbers and set, NAT by an instance for each uplink, networks and nics in tables. */
bool ja_freebsd_rules_are_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_rules_up(struct ja_planning *p, const struct ja_network *network, bool first);
void ja_freebsd_rules_down(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_rules_remove_all(struct ja_planning *p);
/* From one to the other while it is up, undoably; the removal of what is not needed any more comes after the commit. */
void ja_freebsd_rules_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);
void ja_freebsd_rules_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);
/* What a jail's nics may send with, and that they are our jails': added undoably (what is missing), removed repeatably. */
void ja_freebsd_nic_rules_add(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_nic_rules_remove(struct ja_planning *p, const struct ja_subject *s);
/* Port forwards. change: see host.h. */
void ja_freebsd_forwards_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to);
void ja_freebsd_forwards_add(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_forwards_remove(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_forwards_repair(struct ja_planning *p, const struct ja_subject *s);
/* True when a new vnet denies everything until it is told otherwise. */
bool ja_freebsd_vnet_denies(struct ja_planning *p);

/* For doctor: what of ipfw and of others' rules keeps ours from working. */
void ja_freebsd_rules_examine(struct ja_planning *p, struct ja_findings *findings);

/* limits.c: rctl's rules of a jail: added undoably, changed undoably while it runs, removed repeatably. */
void ja_freebsd_limits_add(struct ja_planning *p, const struct ja_jail *jail, const char *name);
void ja_freebsd_limits_change(struct ja_planning *p, const struct ja_jail *from, const struct ja_jail *to,
                              const char *name);
void ja_freebsd_limits_remove(struct ja_planning *p, const char *name);
/* The processors that a jail of the kernel runs on; NULL: all. Undoable, nothing when they are the same. */
void ja_freebsd_cpuset(struct ja_planning *p, const char *from, const char *to, const char *name, const char *tree);

/* shape.c: pipes of dummynet in a jail's own network stack: added before its securelevel is raised; changed undoably while it runs,
 * with what is removed after the commit. check fails the plan when dummynet cannot; module loads it, as others are. */
void ja_freebsd_shape_check(struct ja_planning *p, const struct ja_jail *jail);
void ja_freebsd_shape_module(struct ja_planning *p, const struct ja_jail *jail);
void ja_freebsd_shape_add(struct ja_planning *p, const struct ja_subject *s, const char *name);
void ja_freebsd_shape_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to,
                             const char *name);
void ja_freebsd_shape_changed(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to,
                              const char *name);
/* The same on the host, for a jail that shares its network stack; add: what is missing; remove: repeatably. */
void ja_freebsd_shape_host_add(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_shape_host_remove(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_shape_host_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to);
void ja_freebsd_shape_host_changed(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to);
/* The securelevel that a jail has when it runs; -1: the host's. */
int64_t ja_freebsd_securelevel(const struct ja_jail *jail);

/* examine.c, left.c: see host.h. */
void ja_freebsd_examine(struct ja_planning *p, struct ja_findings *findings);
void ja_freebsd_leftovers(struct ja_planning *p, const struct ja_strv *slots, const struct ja_strv *bridges,
                          const struct ja_strv *names);

#endif
