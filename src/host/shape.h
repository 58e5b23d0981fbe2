/*
 * shape.h: what the shape of a nic comes to: numbers that nobody gave, and the same on every system.
 */
#ifndef JA_HOST_SHAPE_H
#define JA_HOST_SHAPE_H

#include "plan/planning.h"

/* Packets that wait for the rate, and bytes that pass at once: as given, else so much that the rate is reached; never less than
 * a packet of this MTU needs. */
int64_t ja_flow_queue(const struct ja_flow *flow, int64_t mtu);
int64_t ja_flow_burst(const struct ja_flow *flow, int64_t mtu);
/* How many packets wait where those that are delayed and those that wait for the rate stand in one line: the queue, and as many
 * as the delay holds at that rate. */
int64_t ja_flow_line(const struct ja_flow *flow, int64_t mtu);
/*
 * Losses in a row: the chain of Gilbert, with a state in which every packet is lost. It is entered with the probability *ret_begin
 * for each packet, and left with *ret_end, so that a stay is 1 / end = loss-burst packets long in the mean, and
 * begin / (begin + end) = loss of all packets are lost in it.
 */
void ja_flow_gilbert(const struct ja_flow *flow, double *ret_begin, double *ret_end);

/* Calls `each` (may be NULL) for every direction of every nic that is shaped. True: there are some. */
typedef void ja_flow_fn(void *context, const struct ja_nic *nic, const struct ja_flow *flow, bool out);
bool ja_flow_each(const struct ja_jail *jail, ja_flow_fn *each, void *context);
/* Fails the plan: this system cannot. `field` "": the direction as a whole. Returns the code. */
int ja_flow_refuse(struct ja_plan *plan, const struct ja_nic *nic, bool out, const char *field, const char *why);

#endif
