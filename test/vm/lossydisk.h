/*
 * lossydisk.h: disks with a write cache that a power cut empties, for the guests of user-mode Linux and qemu (vhost-user-blk).
 * What the guest has written and not yet flushed is kept apart; at the cut any part of it may be on the disk, and any part lost,
 * in units of a sector (4096 bytes), which is never torn itself. All of the disks lose their power at the same moment.
 */
#ifndef LOSSYDISK_H
#define LOSSYDISK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOSSY_SECTOR = 4096, LOSSY_DISKS = 2, LOSSY_POLLFDS = 3 };

/* What of the unflushed writes is there after a cut. */
enum lossy_loss {
    LOSSY_ALL,    /* lost: nothing but what was flushed */
    LOSSY_NONE,   /* nothing is lost */
    LOSSY_TAIL,   /* those before some moment are there, those after it are not */
    LOSSY_SOME,   /* each with its own luck, in any order */
    LOSSY_SECTORS /* each sector of each with its own luck */
};

struct lossy_write {
    uint64_t offset;
    size_t size;
    unsigned char *old; /* what was there before, and after `size` bytes what was written */
};

struct lossy_queue {
    unsigned size, last;
    uint64_t desc, avail, used; /* addresses of the guest's user; 0: not set */
    int kick, call;
};

struct lossy_disk {
    char socket[108];
    int image, listener, peer, back;
    uint64_t size; /* bytes */
    unsigned char *data;
    struct lossy_write *writes;
    size_t count, room;
    struct lossy_queue queue;
    struct {
        uint64_t guest, user, size, map_size;
        unsigned char *map, *data;
    } regions[8];
    size_t region_count;
    struct lossy_power *power;
};

struct lossy_power {
    struct lossy_disk disks[LOSSY_DISKS];
    size_t count;
    uint64_t requests; /* writes and flushes since the counter was set to 0 */
    uint64_t cut_at;   /* the power goes when that many have come, the last one not done; 0: never */
    uint64_t flushes, pending_max;
    bool off; /* no disk does anything any more */
};

/* Adds a disk of `size` bytes whose content is the file `path` (which is made), and which a guest reaches by a socket beside it. */
int lossy_add(struct lossy_power *power, const char *path, uint64_t size);
/* The descriptors to wait for: up to LOSSY_POLLFDS for each disk. Returns how many. */
size_t lossy_pollfds(const struct lossy_power *power, struct pollfd *fds);
/* Does what the guests have asked for. */
void lossy_serve(struct lossy_power *power);
/* The power goes: loses what `loss` says, by `seed`, and forgets the guest. Returns how many writes were not flushed. */
size_t lossy_cut(struct lossy_power *power, enum lossy_loss loss, uint64_t seed);
/* The power comes back, and a new guest may connect. */
void lossy_restore(struct lossy_power *power);
void lossy_close(struct lossy_power *power);
/* A pseudorandom number, and the next state of *state. */
uint64_t lossy_random(uint64_t *state);

#endif
