/*
 * shape.c: what a shape comes to in numbers, for every system.
 */
#include "host/shape.h"

#include <stdio.h>

/* Bits of a second that wait, or pass at once, where nobody says how many. */
#define QUEUE_MS 50
#define BURST_MS 10
enum { QUEUE_LEAST = 50, FRAME = 18 /* Ethernet's header, and a tag */ };
/* Bytes of a packet that is under way, in the mean: a guess between small ones, of which more fit into the delay, and large ones, which
 * would wait longer than they were meant to in a longer line. */
enum { UNDERWAY = 512 };

static int64_t bytes_of(int64_t rate, int64_t ms)
{
    return rate / 8 * ms / 1000;
}

int64_t ja_flow_queue(const struct ja_flow *flow, int64_t mtu)
{
    int64_t packets = bytes_of(flow->rate, QUEUE_MS) / mtu;
    return flow->queue ? flow->queue : packets < QUEUE_LEAST ? QUEUE_LEAST : packets;
}

int64_t ja_flow_burst(const struct ja_flow *flow, int64_t mtu)
{
    int64_t burst = flow->burst ? flow->burst : bytes_of(flow->rate, BURST_MS), least = flow->burst ? 1 : 2;
    return burst < least * (mtu + FRAME) ? least * (mtu + FRAME) : burst;
}

int64_t ja_flow_line(const struct ja_flow *flow, int64_t mtu)
{
    /* Without a rate: for a hundred thousand packets a second. */
    int64_t ms = flow->delay + flow->jitter;
    if (flow->rate)
        return ja_flow_queue(flow, mtu) + bytes_of(flow->rate, ms) / UNDERWAY;
    return ms < 10 ? 1000 : ms * 100;
}

void ja_flow_gilbert(const struct ja_flow *flow, double *ret_begin, double *ret_end)
{
    double loss = (double)flow->loss / 1e6;
    *ret_end = 1.0 / (double)flow->loss_burst;
    *ret_begin = loss * *ret_end / (1.0 - loss);
}

bool ja_flow_each(const struct ja_jail *jail, ja_flow_fn *each, void *context)
{
    bool any = false;
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        for (int out = 0; out < 2; out++) {
            const struct ja_flow *flow = out ? &nic->shape.out : &nic->shape.in;
            if (!ja_flow_is_set(flow))
                continue;
            any = true;
            if (each)
                each(context, nic, flow, out);
        }
    }
    return any;
}

int ja_flow_refuse(struct ja_plan *plan, const struct ja_nic *nic, bool out, const char *field, const char *why)
{
    char object[128];
    snprintf(object, sizeof object, "field nics.%s.shape.%s%s%s", nic->label, out ? "out" : "in", *field ? "." : "",
             field);
    return ja_plan_fail(plan, JA_E_UNSUPPORTED, object, "%s", why);
}
