/*
 * linux.h: what the files of the Linux emitters share. Only src/host/linux includes it.
 */
#ifndef JA_HOST_LINUX_H
#define JA_HOST_LINUX_H

#include "host/common.h"

/* One nic of a jail with everything known of it. */
struct ja_linux_nic {
    const struct ja_nic *nic;
    const struct ja_network *network;
    size_t number;
    char link[16]; /* the host's end: "ja7f3n0" */
    char bridge[16];
    char mac[JA_MAC_TEXT];
};
void ja_linux_nic_fill(const struct ja_planning *p, const struct ja_subject *s, size_t number,
                       struct ja_linux_nic *nic);
/* The MAC of a network's bridge; fixed, so that jails can hold a permanent neighbour entry for their gateway. */
void ja_linux_bridge_mac(const struct ja_network *network, char mac[JA_MAC_TEXT]);
/* network.c: bridge, rules, resolver. */
void ja_linux_network_up(struct ja_planning *p, const struct ja_network *network);
void ja_linux_network_down(struct ja_planning *p, const struct ja_network *network);
bool ja_linux_link_is_up(struct ja_planning *p, const char *link); /* an interface of the host */
bool ja_linux_network_is_up(struct ja_planning *p, const struct ja_network *network);
void ja_linux_instance_down(struct ja_planning *p);
/* netchange.c: see host.h. */
bool ja_linux_network_needs_stop(const struct ja_network *from, const struct ja_network *to);
void ja_linux_network_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                             const struct ja_subject *from_jails, const struct ja_subject *to_jails, size_t count);
void ja_linux_network_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);
/* Rules and names for one jail's nics: added undoably, removed repeatably. */
void ja_linux_jail_rules_add(struct ja_planning *p, const struct ja_subject *s);
void ja_linux_jail_rules_remove(struct ja_planning *p, const struct ja_subject *s);

/* nics.c: pairs, neighbours and what is configured within the network namespace at `netns`; undoably added, repeatably
 * removed: the neighbours by forget, the pairs by remove. repair emits what a running jail lacks of it, repeatably. */
void ja_linux_nics_add(struct ja_planning *p, const struct ja_subject *s, const char *netns);
void ja_linux_nics_forget(struct ja_planning *p, const struct ja_subject *s);
void ja_linux_nics_remove(struct ja_planning *p, const struct ja_subject *s);
void ja_linux_nics_repair(struct ja_planning *p, const struct ja_subject *s, const char *netns);
/* The addresses of a jail with the host's network, on its networks' bridges. */
void ja_linux_addresses_share(struct ja_planning *p, const struct ja_subject *s);
void ja_linux_addresses_unshare(struct ja_planning *p, const struct ja_subject *s);

/* shape.c: queues of a jail's nics. check fails the plan when this host cannot, or has no effect; add and change are undoable,
 * changed (after the commit) and remove repeatable; repair emits what is missing. */
void ja_linux_shape_check(struct ja_planning *p, const struct ja_jail *jail);
void ja_linux_shape_add(struct ja_planning *p, const struct ja_subject *s);
void ja_linux_shape_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to);
void ja_linux_shape_changed(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to);
void ja_linux_shape_remove(struct ja_planning *p, const struct ja_subject *s);
void ja_linux_shape_repair(struct ja_planning *p, const struct ja_subject *s);
struct ja_findings;
void ja_linux_shape_examine(struct ja_planning *p, struct ja_findings *findings);

/* firewall.c: true when rules of others drop what is forwarded: who, and what to do (for doctor; start says it in a note). */
bool ja_linux_foreign_firewall(struct ja_planning *p, struct ja_str *what, struct ja_str *remedy);
void ja_linux_firewall_note(struct ja_planning *p);

/* forwards.c: the port forwards of a running jail as `to` has them, instead of those of `from`. */
void ja_linux_forwards_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to);

/* container.c: the bundle, crun, init; for the whole instance the seccomp profile. */
void ja_linux_instance_up(struct ja_planning *p);
/* The instance's seccomp filter, made again if it is not there. */
void ja_linux_filter_repair(struct ja_planning *p);
/* What is made before the network: cgroup and bundle, so that the container can be begun while the network is made; and its start. */
void ja_linux_container_prepare(struct ja_planning *p, const struct ja_subject *s, const char *run);
void ja_linux_container_start(struct ja_planning *p, const struct ja_subject *s, const char *run);
/* Changes what a running container can change: its limits, and the spec that counts as applied. */
void ja_linux_container_update(struct ja_planning *p, const struct ja_jail *applied, const struct ja_jail *live);
/* Refuses what is no capability, before a start would. */
void ja_linux_check_allow(struct ja_planning *p, const struct ja_jail *jail);
/* Limits that are set and have no effect here. */
void ja_linux_limits_note(struct ja_planning *p, const struct ja_jail *jail);
void ja_linux_container_clean(struct ja_planning *p, const struct ja_jail *jail, const char *run);
/* The cgroup above those of the jails: it comes with the first start and goes at teardown. */
void ja_linux_cgroup_remove(struct ja_planning *p);
/* examine.c: see host.h. */
struct ja_findings;
void ja_linux_examine(struct ja_planning *p, struct ja_findings *findings);
/* left.c: what carries the instance's tag and belongs to nobody; see host.h. */
void ja_linux_leftovers(struct ja_planning *p, const struct ja_strv *slots, const struct ja_strv *bridges,
                        const struct ja_strv *names);
/* Its cgroup, below every controller: "/jailadmin-<tag>/ja<tag><slot>", under systemd "/jailadmin-<tag>.service/...". */
void ja_linux_cgroup_path(struct ja_planning *p, const struct ja_jail *jail, char path[64]);
/* Under systemd, the unit that holds the cgroups of the instance, unless it is there. It ends at teardown. */
void ja_linux_unit_up(struct ja_planning *p);
/* Moves a daemon there that the plan has started. */
void ja_linux_daemon_started(struct ja_planning *p, const char *pidfile, const char *program);
/* The words that run a command in a running jail. */
void ja_linux_container_exec(struct ja_planning *p, struct ja_step *step, const struct ja_jail *jail);
/* See host.h: jail_run and jail_ask. */
struct ja_step *ja_linux_container_run(struct ja_planning *p, const struct ja_jail *jail,
                                       const struct ja_within *inside, const char *why);
struct ja_step *ja_linux_container_ask(struct ja_planning *p, const struct ja_jail *jail, const char *sig,
                                       const char *why);
/* crun's name for a jail: "ja<tag><slot>". */
void ja_linux_container_id(const struct ja_site *site, const struct ja_jail *jail, char id[32]);

#endif
