/*
 * measure.h: what happens to packets between two sockets of this machine: how long they take, how many are lost, how fast they
 * pass. Both ends are in this process, so that one clock tells the time of both.
 */
#ifndef JA_MEASURE_H
#define JA_MEASURE_H

#include "base/base.h"

/* One direction. `from` and `to`: datagram sockets, connected to each other, which do not block. */
struct ja_measure {
    int from, to;
    /* What is expected: bits a second (0: nothing is known), bytes at once, ms for the way, a part of 1. It decides how much is sent,
     * and how long the last packets are waited for. */
    int64_t rate, burst, delay_ms;
    double loss;
    int header; /* bytes that are counted for each packet beside ours */
    /* Results. Times in microseconds. */
    int64_t sent, received;   /* packets that came one by one */
    int64_t delay_us;         /* the middle one of all */
    int64_t least_us;         /* the shortest, in which the machine's own business has the smallest part */
    int64_t jitter_us;        /* half of the range in which an even distribution would lie */
    double lost, lost_in_row; /* a part of 1; packets in the mean, 0: none was lost */
    double bits;              /* a second, with headers; 0: not measured */
    double offered;           /* what was sent for that */
};

/* Sends from the first one's end until something arrives: a firewall between the two may let only answers to that pass the other
 * way. JA_E_TIMEOUT: nothing does. */
int ja_measure_begin(struct ja_measure *both, struct ja_error *err);
/* Small packets one by one, in both directions at the same time: delays and losses. */
int ja_measure_packets(struct ja_measure *both, int64_t ms, struct ja_error *err);
/* More packets than the expected rate lets pass: the rate. */
int ja_measure_rate(struct ja_measure *one, int64_t ms, struct ja_error *err);
/* Gives a socket room for all that may be under way. */
void ja_measure_room(int fd);

#endif
