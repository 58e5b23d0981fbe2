/*
 * rules.h: the parts of ipfw's rules for jails: the policy and the tables that it looks into (rules.c), address translation and port
 * forwards (nat.c, and pf.c, the other way to do these). Only src/host/freebsd includes it.
 *
 * Numbers within the instance's block:
 *
 *     +0 ... +61      the default policy: what jails may reach of the host and of each other's networks
 *     +62 + 2 k       rules of the network in slot k, under this number or the next; called by the policy
 *     +98             what leads back from there
 *     +100 + 20 k     NAT and forwards by the k-th uplink, after the policy, which sees addresses as jails use them
 *     +448, +449      what jails send to the host and no forward took
 *     +450            what should have been translated and was not
 *     +451 + 3 k      the host's own connections by a forward of the k-th uplink, found by their state
 *     +499            what is sent to jails that share the host's stack, which is shaped (shape.c)
 *
 * Tags of packets: 41000 + k, sent by a jail and forwarded by the k-th uplink's NAT; 41100, an answer of a forward to the host.
 */
#ifndef JA_FREEBSD_RULES_H
#define JA_FREEBSD_RULES_H

#include "host/freebsd/freebsd.h"

enum {
    JA_RULES_NAT = 100,
    JA_RULES_PER_UPLINK = 20,
    JA_UPLINKS = 16,
    JA_RULE_UNTAKEN = 449,
    JA_RULE_LAST = 450,
    JA_RULES_HOST = 451,
    JA_RULES_HOST_EACH = 3,
    JA_RULE_SHAPED = 499,
    JA_FORWARD_TAG = 41000,
    JA_FORWARD_TAG_HOST = 41100,
};
enum { JA_RULES_NETWORKS = 62, JA_RULED_NETWORKS = 18 };

/* Tags of packets: numbers of pairs, which are below 32,768 (see registry.c); what a network's rules allow; from JA_NETWORK_TAG on
 * networks, which have these numbers in the tables as well. */
enum { JA_ALLOWED_TAG = 39999, JA_NETWORK_TAG = 40000 };

/* Rules that are missing, in one command; those of one number, which follow each other, are made together: texts in which "@" stands for the tag and "+N" at the beginning of a word for the N-th
 * number of ours. A number that somebody else has is a failure of the plan. */
struct ja_freebsd_rule {
    int at; /* its number within the block */
    const char *text;
};
bool ja_freebsd_rules_there(struct ja_planning *p, const struct ja_freebsd_rule *rules, size_t count);
void ja_freebsd_rules_add(struct ja_planning *p, const struct ja_freebsd_rule *rules, size_t count, const char *why);

/* "ja<tag><what>" */
#define JA_FREEBSD_TABLE 32
void ja_freebsd_table(const struct ja_site *site, const char *what, char name[JA_FREEBSD_TABLE]);
void ja_freebsd_table_add(struct ja_planning *p, const char *what, const char *type);
void ja_freebsd_table_remove(struct ja_planning *p, const char *what);

/* Entries of a table, with the same value. ASK: whether all of them are there. ADD: those that are missing, undoably. REMOVE: all
 * of them, repeatably. TAKE: those with this very value, undoably. */
enum ja_freebsd_way { JA_FREEBSD_ASK, JA_FREEBSD_ADD, JA_FREEBSD_REMOVE, JA_FREEBSD_TAKE };
bool ja_freebsd_entries(struct ja_planning *p, enum ja_freebsd_way way, const char *what, const struct ja_strv *keys,
                        int64_t value);
/* A network's range, and an address, in the form in which ipfw prints them; "" when they are none. */
void ja_freebsd_entry_net(const char *address, char entry[JA_ADDR_TEXT]);
void ja_freebsd_entry_host(const char *address, char entry[JA_ADDR_TEXT]);

/* Rules of others: calls `each` for every one, "set S RULE", with its number. */
void ja_freebsd_foreign_rules(struct ja_planning *p, void (*each)(void *context, int number, const char *rule),
                              void *context);

/* The interface by which the network's jails reach the world; NULL: none is known. */
const char *ja_freebsd_uplink(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_note_no_uplink(struct ja_planning *p, const struct ja_network *network);

/* nat.c: by ipfw */
bool ja_freebsd_wants_nat(const struct ja_network *network);
bool ja_freebsd_nat_is_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_nat_up(struct ja_planning *p, const struct ja_network *network);
/* What a network has there, but for what it has as `to` (NULL: it goes); and what of an uplink no network uses then. */
void ja_freebsd_nat_down(struct ja_planning *p, const struct ja_network *network, const struct ja_network *to);
void ja_freebsd_nat_remove_unused(struct ja_planning *p);
void ja_freebsd_nat_remove_all(struct ja_planning *p);

/* netrules.c: the rules that a network has beyond the policy. change and changed: see freebsd.h. */
bool ja_freebsd_netrules_are_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_netrules_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_netrules_down(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_netrules_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);
void ja_freebsd_netrules_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);

/* pf.c: by pf. change and changed: see freebsd.h; what the main ruleset must have is demanded where something is to be loaded. */
bool ja_freebsd_wants_pf(const struct ja_network *network);
bool ja_freebsd_pf_is_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_pf_up(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_pf_down(struct ja_planning *p, const struct ja_network *network);
void ja_freebsd_pf_change(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);
void ja_freebsd_pf_changed(struct ja_planning *p, const struct ja_network *from, const struct ja_network *to);
void ja_freebsd_pf_remove_all(struct ja_planning *p);
/* Empties the anchor jailadmin/NAME. */
void ja_freebsd_pf_flush(struct ja_planning *p, const char *name, const char *why);
/* Whether forwards to a jail's address of that family are pf's affair. */
bool ja_freebsd_pf_forwards(const struct ja_subject *s, bool v6);
void ja_freebsd_pf_forwards_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to);
void ja_freebsd_pf_forwards_remove(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_pf_forwards_repair(struct ja_planning *p, const struct ja_subject *s);
void ja_freebsd_pf_examine(struct ja_planning *p, struct ja_findings *findings);

/* natconfig.c: the words of `ipfw nat N config` for an interface, "if vtnet0 same_ports reset redirect_port tcp ...": those of
 * `config`, as ipfw prints them (NULL: there is none yet; then a `reverse` one is made, or not), with the redirections of `add`
 * ("tcp 10.66.0.2:80 8080") and without those of `remove`. What is there already, or is not, is left so. */
int ja_freebsd_nat_words(const char *config, const char *interface, bool reverse, const struct ja_strv *add,
                         const struct ja_strv *remove, struct ja_strv *ret_words, struct ja_error *err);
/* 1 when a configuration has that redirection, 0 when not; JA_E_NOMEM. */
int ja_freebsd_nat_has(const char *config, const char *redirection);

#endif
