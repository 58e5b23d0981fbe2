/*
 * network.h: the parts of a network on Linux, one file each: bridge and host settings (network.c), rules (rules.c, in tables
 * whose text is ruleset.c); its resolver is host/dns.c. Only src/host/linux includes it.
 */
#ifndef JA_LINUX_NETWORK_H
#define JA_LINUX_NETWORK_H

#include "host/linux/linux.h"

/* Lines for `nft -f -`, as a step's command or as its undo. A removal adds an element before it deletes it, in one
 * transaction, so that it succeeds whether or not the element was there. */
enum ja_linux_way { JA_LINUX_ADD, JA_LINUX_REMOVE, JA_LINUX_ASK };
struct ja_linux_script {
    struct ja_planning *p;
    struct ja_step *step;
    bool undo;
    enum ja_linux_way way;
    bool *missing; /* JA_LINUX_ASK: writes nothing, and sets this when an element is not there */
};
/* One element of a set or map of the instance's table `family`. */
void ja_linux_element(const struct ja_linux_script *script, const char *family, const char *set, const char *format,
                      ...) JA_PRINTF(4, 5);

/* network.c, for netchange.c: host settings that are missing; one member, if it is not there. */
void ja_linux_network_settings(struct ja_planning *p, const struct ja_network *network);
void ja_linux_check_nat_by(struct ja_planning *p, const struct ja_network *network); /* pf is refused */
void ja_linux_check_uplink(struct ja_planning *p, const struct ja_network *network); /* a note when it is missing */
void ja_linux_add_member(struct ja_planning *p, const struct ja_network *network, size_t number, const char *bridge,
                         const char *mark);

/* rules.c. up emits what facts say is missing; down is repeatable. */
bool ja_linux_tables_are_there(struct ja_planning *p);
bool ja_linux_rules_are_up(struct ja_planning *p, const struct ja_network *network);
void ja_linux_rules_up(struct ja_planning *p, const struct ja_network *network);
void ja_linux_rules_down(struct ja_planning *p, const struct ja_network *network);
/* Removes both tables of the instance, if they are there. */
void ja_linux_rules_remove_all(struct ja_planning *p);
void ja_linux_nic_rules_add(struct ja_planning *p, const struct ja_subject *s);
void ja_linux_nic_rules_remove(struct ja_planning *p, const struct ja_subject *s);

/* forwards.c: the elements of a jail's port forwards. */
void ja_linux_forward_elements(const struct ja_linux_script *script, const struct ja_subject *s);

/* netrules.c: the rules that a network has beyond the default: its chains and what leads to them. ADD and ASK are of what it should
 * have, and REMOVE of that. change: from one to the other. A table of an older program must have been made whole. */
#define JA_LINUX_NETCHAIN "net" /* what the names of such chains begin with, and no other's: "net3_out" */
void ja_linux_netrules(const struct ja_linux_script *script, const struct ja_network *network);
void ja_linux_netrules_change(const struct ja_linux_script *script, const struct ja_network *from,
                              const struct ja_network *to);

/* The rules of a network and of its running jails, from one to the other, undoably; nothing when they are the same. */
void ja_linux_rules_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to,
                           const struct ja_subject *from_jails, const struct ja_subject *to_jails, size_t count);
/* Repair: the rules of tables that are there; the elements of a running jail. */
void ja_linux_rules_restore(struct ja_planning *p);
void ja_linux_nic_rules_repair(struct ja_planning *p, const struct ja_subject *s);

/* ruleset.c: `nft -f -` text that makes the instance's table of a family ("inet", "bridge"); `again`: puts the rules back
 * in one that is there, without touching its sets and the chains of networks. And how many rules that are. */
void ja_linux_ruleset(const char *family, const char *tag, bool again, struct ja_str *text);
unsigned ja_linux_ruleset_rules(const char *family);

#endif
