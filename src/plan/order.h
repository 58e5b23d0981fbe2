/*
 * order.h: in which order several jails start, by priority and dependencies; the opposite is the order in which they stop.
 */
#ifndef JA_ORDER_H
#define JA_ORDER_H

#include "model/model.h"

/* Jails by waves: those of one wave may start at the same time, after all of the waves before it. */
struct ja_order {
    size_t *items; /* indices of jails, in order; by name within a wave */
    size_t *waves; /* of items[i]: 0, 1, ... */
    size_t count;
};

/*
 * A jail comes after those that it depends on; otherwise one with a smaller priority comes first, and what a jail depends
 * on counts as at least as urgent as the jail itself. Dependencies on jails that are not given are passed over. Pure.
 * JA_E_INVALID names the circle when jails depend on each other; JA_E_NOMEM. Emptied by ja_order_fini.
 */
int ja_order_jails(const struct ja_jail *const *jails, size_t count, struct ja_order *ret_order, struct ja_error *err);
void ja_order_fini(struct ja_order *order);

#endif
