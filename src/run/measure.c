/*
 * measure.c: see measure.h.
 */
#include "run/measure.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Small packets take at most a quarter of the rate, and not more than a thousand are sent a second. */
enum { SMALL = 32, SHARE = 4, SETTLE_MS = 500, BEGIN_MS = 3000, BEGIN_EACH_MS = 20 };
/* Sent for a rate: so much more than it lets pass, in packets of which so many pass at least, if they need not be smaller. */
enum { LARGE = 1400, PASS = 100, BATCH = 64 };
#define OVERLOAD 1.5
#define ROOM (64 << 20)

struct packet {
    uint32_t magic, number;
    int64_t sent_ns;
    char rest[SMALL - 16];
};
#define MAGIC 0x6a61736du

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Sleeps until then, or until one of the sockets has something to read. */
static void wait_until(int64_t ns, const struct ja_measure *flows, size_t count)
{
    struct pollfd fds[2];
    int64_t left = ns - now_ns();
    if (left <= 0)
        return;
    if (left < 1000000) {
        nanosleep(&(struct timespec){.tv_nsec = left}, NULL);
        return;
    }
    for (size_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = flows[i].to, .events = POLLIN};
    poll(fds, (nfds_t)count, (int)(left / 1000000));
}

void ja_measure_room(int fd)
{
    int room = ROOM;
#ifdef SO_SNDBUFFORCE
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) == 0)
        return;
#endif
    /* Where so much is not allowed, as much as is. */
    while (room > 65536 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0)
        room /= 2;
}

/* A full queue is no failure: the packet counts as one that was lost there, or is tried again. */
static int send_packet(int fd, const void *packet, size_t size, bool *ret_full, struct ja_error *err)
{
    *ret_full = false;
    if (send(fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return 0;
    *ret_full = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
    /* An earlier packet was refused (ECONNREFUSED): that is not about this one. */
    return *ret_full || errno == ECONNREFUSED || errno == EINTR ? 0 : ja_error_sys(err, errno, NULL, "cannot send");
}

static bool receive_packet(int fd, void *packet, size_t size, ssize_t *ret_size)
{
    *ret_size = recv(fd, packet, size, MSG_DONTWAIT);
    return *ret_size >= 0;
}

static void drain(int fd)
{
    char buffer[2048];
    ssize_t n;
    while (receive_packet(fd, buffer, sizeof buffer, &n))
        ;
}

int ja_measure_begin(struct ja_measure *both, struct ja_error *err)
{
    const struct packet packet = {.magic = MAGIC};
    char buffer[2048];
    bool full;
    ssize_t n;
    int64_t end = now_ns() + (BEGIN_MS + both[0].delay_ms * 2) * 1000000;
    for (int64_t next = 0; now_ns() < end;) {
        if (now_ns() >= next) {
            if (send_packet(both[0].from, &packet, sizeof packet, &full, err) < 0)
                return err ? err->code : JA_E_FAILED;
            next = now_ns() + BEGIN_EACH_MS * 1000000;
        }
        wait_until(next, both, 1);
        if (receive_packet(both[0].to, buffer, sizeof buffer, &n))
            return 0;
    }
    ja_error_set(err, JA_E_TIMEOUT, NULL, "no packet of the host has arrived there");
    return ja_error_hint(err, "a firewall in the jail may refuse them, or the address is not set up there");
}

/* ---- one by one ---- */

struct probing {
    int64_t interval_ns, most;
    int64_t *delays; /* ns, by number; -1: not arrived */
};

static int compare(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return one < other ? -1 : one > other;
}

static void collect(struct ja_measure *flow, struct probing *probing)
{
    union {
        struct packet packet;
        char bytes[2048];
    } buffer;
    ssize_t n;
    while (receive_packet(flow->to, &buffer, sizeof buffer, &n)) {
        const struct packet *packet = &buffer.packet;
        if ((size_t)n != sizeof *packet || packet->magic != MAGIC || packet->number == 0 ||
            packet->number > flow->sent || probing->delays[packet->number - 1] >= 0)
            continue;
        probing->delays[packet->number - 1] = now_ns() - packet->sent_ns;
        flow->received++;
    }
}

static void evaluate(struct ja_measure *flow, struct probing *probing)
{
    int64_t lost = 0, rows = 0, count = 0;
    double sum = 0, spread = 0;
    for (int64_t i = 0; i < flow->sent; i++) {
        bool gone = probing->delays[i] < 0;
        lost += gone;
        rows += gone && (i == 0 || probing->delays[i - 1] >= 0);
    }
    flow->lost = flow->sent ? (double)lost / (double)flow->sent : 0;
    flow->lost_in_row = rows ? (double)lost / (double)rows : 0;
    for (int64_t i = 0; i < flow->sent; i++)
        if (probing->delays[i] >= 0)
            probing->delays[count++] = probing->delays[i];
    flow->delay_us = flow->least_us = flow->jitter_us = 0;
    if (!count)
        return;
    qsort(probing->delays, (size_t)count, sizeof *probing->delays, compare);
    for (int64_t i = 0; i < count; i++)
        sum += (double)probing->delays[i];
    for (int64_t i = 0; i < count; i++) {
        double away = (double)probing->delays[i] - sum / (double)count;
        spread += away < 0 ? -away : away;
    }
    flow->delay_us = probing->delays[count / 2] / 1000;
    flow->least_us = probing->delays[0] / 1000;
    /* In the mean an even distribution is half of its half range away from its middle. */
    flow->jitter_us = (int64_t)(2 * spread / (double)count / 1000);
}

static int probe(struct ja_measure *both, struct probing *probing, int64_t ms, struct ja_error *err)
{
    int64_t begin = now_ns(), longest = both[0].delay_ms > both[1].delay_ms ? both[0].delay_ms : both[1].delay_ms;
    int64_t end = begin + ms * 1000000, last = end + (2 * longest + SETTLE_MS) * 1000000;
    for (int64_t now = begin; now < last; now = now_ns()) {
        int64_t next = last;
        for (int i = 0; i < 2; i++) {
            int64_t due = begin + both[i].sent * probing[i].interval_ns;
            if (now < end && both[i].sent < probing[i].most && now >= due) {
                struct packet packet = {.magic = MAGIC, .number = (uint32_t)++both[i].sent, .sent_ns = now_ns()};
                bool full;
                int rc = send_packet(both[i].from, &packet, sizeof packet, &full, err);
                if (rc < 0)
                    return rc;
                due += probing[i].interval_ns;
            }
            if (now < end && both[i].sent < probing[i].most && due < next)
                next = due;
            collect(&both[i], &probing[i]);
        }
        if (now >= end && both[0].received == both[0].sent && both[1].received == both[1].sent)
            break;
        wait_until(next, both, 2);
    }
    return 0;
}

int ja_measure_packets(struct ja_measure *both, int64_t ms, struct ja_error *err)
{
    struct probing probing[2] = {0};
    int rc = 0;
    drain(both[0].to);
    drain(both[1].to);
    for (int i = 0; rc == 0 && i < 2; i++) {
        int64_t bits = (SMALL + both[i].header) * 8 * SHARE;
        probing[i].interval_ns = both[i].rate ? bits * 1000000000 / both[i].rate : 0;
        if (probing[i].interval_ns < 1000000)
            probing[i].interval_ns = 1000000;
        probing[i].most = ms * 1000000 / probing[i].interval_ns + 1;
        both[i].sent = both[i].received = 0;
        probing[i].delays = ja_calloc((size_t)probing[i].most, sizeof *probing[i].delays);
        if (!probing[i].delays)
            rc = ja_error_nomem(err);
        for (int64_t n = 0; rc == 0 && n < probing[i].most; n++)
            probing[i].delays[n] = -1;
    }
    if (rc == 0)
        rc = probe(both, probing, ms, err);
    for (int i = 0; i < 2; i++) {
        if (rc == 0)
            evaluate(&both[i], &probing[i]);
        ja_free(probing[i].delays);
    }
    return rc;
}

/* ---- as many as pass ---- */

/* All that has arrived; adds to *bits, and notes when the last one did. */
static void count_arrivals(const struct ja_measure *flow, double *bits, int64_t *ret_last)
{
    char buffer[2048];
    ssize_t n;
    while (receive_packet(flow->to, buffer, sizeof buffer, &n)) {
        *bits += (double)(n + flow->header) * 8;
        *ret_last = now_ns();
    }
}

int ja_measure_rate(struct ja_measure *one, int64_t ms, struct ja_error *err)
{
    char packet[LARGE] = "";
    int64_t fits = one->rate / 8 * ms / 1000 / PASS - one->header, size = fits < SMALL   ? SMALL
                                                                          : fits > LARGE ? LARGE
                                                                                         : fits;
    double each = (double)(size + one->header) * 8, bits = 0, before = 0;
    double wanted = (double)one->rate * OVERLOAD / (1 - (one->loss > 0.9 ? 0.9 : one->loss));
    int64_t begin = now_ns(), length = (ms + one->delay_ms) * 1000000, sent = 0, first = 0, last = 0;
    /* Not from the beginning: what passes at once has been used up then. */
    double settle = 0.3 * (double)length, used = (double)one->burst * 8e9 / ((OVERLOAD - 1) * (double)one->rate);
    settle = used > settle ? (used < 0.7 * (double)length ? used : 0.7 * (double)length) : settle;
    settle += (double)one->delay_ms * 1e6;
    bool full = false, ever_full = false;
    drain(one->to);
    for (int64_t now = begin; now - begin < length; now = now_ns()) {
        int64_t due = (int64_t)((double)(now - begin) / 1e9 * wanted / each) + 1;
        for (int i = 0; i < BATCH && sent < due; i++) {
            int rc = send_packet(one->from, packet, (size_t)size, &full, err);
            if (rc < 0)
                return rc;
            ever_full = ever_full || full;
            if (full)
                break;
            sent++;
        }
        count_arrivals(one, &bits, &last);
        if (!first && last && (double)(now - begin) >= settle) {
            first = last;
            before = bits;
        }
        if (sent >= due || full)
            wait_until(now + 500000, one, 1);
    }
    one->bits = first && last > first ? (bits - before) * 1e9 / (double)(last - first) : 0;
    one->offered = ever_full ? wanted : (double)sent * each * 1e9 / (double)length;
    return 0;
}
