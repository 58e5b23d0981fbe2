/*
 * sim_freebsd.h: what the files of the simulated FreeBSD share.
 *
 * Interfaces, addresses, routes and ipfw belong to a network stack. Its prefix is in the names of what it holds: "" for the
 * host's, "JID:" for a jail's own.
 *
 *     link STACK+NAME = DESCRIPTION     type, up, mtu, ether, master (the bridge), span, private, pair (UNIT and end), made (its first name)
 *                                       STACK+NAME
 *     addr STACK+NAME ADDRESS/LEN       route STACK+DESTINATION = GATEWAY INTERFACE      neigh STACK+ADDRESS = MAC INTERFACE
 *     jail NAME = JID STATE PATH        param NAME PARAMETER; stack JID = NAME: it has one of its own
 *     linger NAME                       the next end of this jail leaves it dying
 *     module NAME; kenv NAME; rctl RULE; devfs RULESET NUMBER = RULE
 *     rule STACK+NUMBER = "set S RULE"; table STACK+NAME = TYPE; entry STACK+TABLE ENTRY; nat STACK+NUMBER = CONFIG
 *     pipe STACK+NUMBER = CONFIG; onepass STACK = 0
 *     pf status; pf MAIN-RULE; anchor NAME = RULES
 */
#ifndef JA_SIM_FREEBSD_H
#define JA_SIM_FREEBSD_H

#include "net/addr.h"
#include "sim.h"

enum { SIM_NAME = 128, SIM_PATH = 1024 };

typedef int sim_stack_command(struct ja_sim *sim, const char *stack, char *const *words, int count,
                              struct ja_error *err);
/* words[0] is what follows the program's name. */
sim_stack_command sim_ifconfig, sim_route, sim_ipfw, sim_arp, sim_ndp, sim_stack_sysctl;
extern const struct ja_sim_command sim_freebsd_net_commands[], sim_freebsd_jail_commands[], sim_freebsd_ipfw_commands[],
    sim_freebsd_pf_commands[];

/* A stack begins, or ends: its own interfaces go, others fall back to the host. */
void sim_stack_begin(struct ja_sim *sim, const char *stack);
void sim_stack_end(struct ja_sim *sim, const char *stack);
/* An interface goes; both, if it is an end of a pair. */
void sim_drop_link(struct ja_sim *sim, const char *stack, const char *name);
int sim_add_alias(struct ja_sim *sim, const char *stack, const char *name, const char *address, struct ja_error *err);

void sim_ipfw_load(struct ja_sim *sim);
void sim_ipfw_begin(struct ja_sim *sim, const char *stack);
void sim_ipfw_end(struct ja_sim *sim, const char *stack);
/* Every pipe that a rule leads through is there. */
void sim_ipfw_check(struct ja_sim *sim);
/* Whether the jail of this stack has a securelevel at which its ipfw does not change. */
bool sim_jail_is_secure(const struct ja_sim *sim, const char *stack);
/* Whether its own packets pass in a stack. */
bool sim_ipfw_accepts(const struct ja_sim *sim, const char *stack);

/* A pf that is enabled, and whose main ruleset asks the anchors of jails; what pfctl prints. */
void sim_pf_boot(struct ja_sim *sim);
int sim_pf_print(struct ja_sim *sim, char *const *argv, struct ja_str *output);

/* The parts of "jail NAME". */
struct sim_jail {
    char name[SIM_NAME], path[SIM_PATH];
    unsigned jid;
    bool dying;
};
bool sim_find_jail(const struct ja_sim *sim, const char *name, struct sim_jail *ret_jail);
/* The i-th entry of the table, if it is one of a jail. */
bool sim_jail_at(const struct ja_sim *sim, size_t i, struct sim_jail *ret_jail);
/* A jail that keeps what is mounted at a path busy: it lies in the jail's tree, or the tree in it. NULL: none. */
const char *sim_freebsd_holder(const struct ja_sim *sim, const char *path);
int sim_load_module(struct ja_sim *sim, const char *name, struct ja_error *err);

/* What a command of the host prints; its exit status. -1: no such command is known. */
int sim_freebsd_print(struct ja_sim *sim, char *const *argv, struct ja_str *output);

#endif
