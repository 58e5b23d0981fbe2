/*
 * common.h: what the emitters of all systems share: what follows from a network or a nic alone, resolvers, port forwards as they
 * are asked for. Only src/host includes it.
 */
#ifndef JA_HOST_COMMON_H
#define JA_HOST_COMMON_H

#include "host/host.h"
#include "net/addr.h"

/* common.c */

/* A nic's MAC: its own, or from the jail's uuid. */
void ja_nic_mac(const struct ja_jail *jail, const struct ja_nic *nic, char mac[JA_MAC_TEXT]);
/* "db 0123456789ab": a rule's name and a digest of its text, for a comment that tells whether it is the one that it should be. At most
 * 76 bytes: ipfw keeps 80. */
void ja_rule_mark(const struct ja_rule *rule, const char *text, struct ja_str *mark);
/* Calls `each` for every line of a fact's text that is not empty. */
void ja_each_line(const char *text, void (*each)(void *context, const char *line), void *context);
/* A failure of the plan when the host has one of the network's ranges elsewhere than on `bridge`; a note when a member
 * carries an address. `command` shows which are in use. */
void ja_network_refuse_conflicts(struct ja_planning *p, const struct ja_network *network, const char *bridge,
                                 const char *command);

/* dns.c. A network has a resolver when it wants one, has a gateway address, and dnsmasq is installed. answers: its jails
 * can ask the gateway for names. change: undoably from one to the other, with the names of the running jails; changed:
 * what remains to be removed after the commit. */
bool ja_dns_answers(struct ja_planning *p, const struct ja_network *network);
void ja_dns_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                   const struct ja_subject *to_jails, size_t count);
void ja_dns_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);
bool ja_dns_is_up(struct ja_planning *p, const struct ja_network *network);
void ja_dns_up(struct ja_planning *p, const struct ja_network *network);
void ja_dns_down(struct ja_planning *p, const struct ja_network *network);
/* Ends the resolvers that are left. */
void ja_dns_remove_all(struct ja_planning *p);
/* A jail's names and the addresses that it asks for: added undoably, removed repeatably. */
void ja_dns_names_add(struct ja_planning *p, const struct ja_subject *s);
void ja_dns_names_remove(struct ja_planning *p, const struct ja_subject *s);

/* forward.c: a port forward as numbers. */
struct ja_forward_ports {
    const char *protocol;
    int first, last, to;
    bool has_address;
    struct ja_addr address; /* of the host */
};
/* One forward has at most so many ports. */
enum { JA_FORWARD_PORTS = 4096 };
/* False when it says nothing useful, which the field tables have refused before. */
bool ja_forward_read(const struct ja_forward *forward, struct ja_forward_ports *ret_ports);
/* The address of a family that a jail's forwards lead to: of the nic that has the default route, since the answers leave by
 * it; else of the first nic that has one. *ret_nic (may be NULL) is that nic's number. */
bool ja_forward_target(const struct ja_subject *s, bool v6, struct ja_addr *ret_addr, size_t *ret_nic);
/* Refuses forwards whose ports are in use on the host, `except` those that this subject forwards already (NULL: none). */
void ja_forwards_check(struct ja_planning *p, const struct ja_subject *s, const struct ja_subject *except);

#endif
