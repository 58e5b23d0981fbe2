/*
 * lossydisk.c: a vhost-user-blk server in its caller's loop. See lossydisk.h. One queue, no indirect descriptors, no events: what both
 * guests need and no more. Requests are done one after the other, so that a flush covers all that came before it.
 * The protocol: qemu's docs/interop/vhost-user.rst; the queue and the requests: virtio 1.1, 2.6 and 5.2.
 */
#include "lossydisk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    GET_FEATURES = 1,
    SET_FEATURES = 2,
    SET_OWNER = 3,
    SET_MEM_TABLE = 5,
    SET_VRING_NUM = 8,
    SET_VRING_ADDR = 9,
    SET_VRING_BASE = 10,
    GET_VRING_BASE = 11,
    SET_VRING_KICK = 12,
    SET_VRING_CALL = 13,
    SET_VRING_ERR = 14,
    GET_PROTOCOL_FEATURES = 15,
    SET_PROTOCOL_FEATURES = 16,
    GET_QUEUE_NUM = 17,
    SET_VRING_ENABLE = 18,
    SET_SLAVE_REQ_FD = 21,
    GET_CONFIG = 24,
};
enum { VERSION = 1, REPLY = 4, NO_FD = 0x100 };
#define F_PROTOCOL_FEATURES (1ULL << 30)
#define F_VERSION_1 (1ULL << 32)
#define PROTOCOL_MQ (1ULL << 0)
#define PROTOCOL_SLAVE_REQ (1ULL << 5) /* not used, but user-mode Linux has interrupts only with it */
#define PROTOCOL_CONFIG (1ULL << 9)

struct message {
    uint32_t request, flags, size;
    union {
        uint64_t u64;
        struct {
            uint32_t index, num;
        } state;
        struct {
            uint32_t index, flags;
            uint64_t desc, used, avail, log;
        } addr;
        struct {
            uint32_t count, padding;
            struct {
                uint64_t guest, size, user, offset;
            } regions[8];
        } memory;
        struct {
            uint32_t offset, size, flags;
            unsigned char data[256];
        } config;
    } u;
} __attribute__((packed));
#define HEADER offsetof(struct message, u)

uint64_t lossy_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static void *need(void *memory)
{
    if (!memory) {
        fprintf(stderr, "lossydisk: out of memory\n");
        exit(1);
    }
    return memory;
}

static int listen_at(struct lossy_disk *disk)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", disk->socket);
    unlink(disk->socket);
    disk->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return disk->listener >= 0 && bind(disk->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(disk->listener, 1) == 0
               ? 0
               : -1;
}

int lossy_add(struct lossy_power *power, const char *path, uint64_t size)
{
    if (power->count == LOSSY_DISKS)
        return -1;
    struct lossy_disk *disk = &power->disks[power->count];
    *disk = (struct lossy_disk){
        .peer = -1, .back = -1, .listener = -1, .size = size, .power = power, .queue = {.kick = -1, .call = -1}};
    if (snprintf(disk->socket, sizeof disk->socket, "%s.socket", path) >= (int)sizeof disk->socket)
        return -1;
    disk->image = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (disk->image < 0 || ftruncate(disk->image, (off_t)size) < 0)
        return -1;
    disk->data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, disk->image, 0);
    if (disk->data == MAP_FAILED || listen_at(disk) < 0)
        return -1;
    power->count++;
    return 0;
}

/* ---- what is written and not flushed ---- */

static void forget_writes(struct lossy_disk *disk)
{
    for (size_t i = 0; i < disk->count; i++)
        free(disk->writes[i].old);
    disk->count = 0;
}

static void write_disk(struct lossy_disk *disk, uint64_t offset, const unsigned char *bytes, size_t size)
{
    if (disk->count == disk->room) {
        disk->room = disk->room ? 2 * disk->room : 256;
        disk->writes = need(realloc(disk->writes, disk->room * sizeof *disk->writes));
    }
    struct lossy_write *write = &disk->writes[disk->count++];
    *write = (struct lossy_write){offset, size, need(malloc(2 * size + 1))};
    memcpy(write->old, disk->data + offset, size);
    memcpy(write->old + size, bytes, size);
    memcpy(disk->data + offset, bytes, size);
    if (disk->count > disk->power->pending_max)
        disk->power->pending_max = disk->count;
}

/* The part of a write that lies in one sector. */
static size_t part(const struct lossy_write *write, size_t done)
{
    size_t in_sector = LOSSY_SECTOR - (size_t)((write->offset + done) % LOSSY_SECTOR);
    return in_sector < write->size - done ? in_sector : write->size - done;
}

static size_t lose(struct lossy_disk *disk, enum lossy_loss loss, uint64_t *random)
{
    size_t count = disk->count;
    for (size_t i = count; i-- > 0;)
        memcpy(disk->data + disk->writes[i].offset, disk->writes[i].old, disk->writes[i].size);
    size_t tail = loss == LOSSY_TAIL && count ? (size_t)(lossy_random(random) % (count + 1)) : count;
    /* Half of them, or nearly all, or nearly none. */
    static const unsigned chances[] = {50, 90, 10};
    unsigned chance = chances[lossy_random(random) % 3];
    for (size_t i = 0; i < tail && loss != LOSSY_ALL; i++) {
        const struct lossy_write *write = &disk->writes[i];
        bool kept = loss != LOSSY_SOME || lossy_random(random) % 100 < chance;
        for (size_t done = 0, n; kept && done < write->size; done += n) {
            n = part(write, done);
            if (loss != LOSSY_SECTORS || lossy_random(random) % 100 < chance)
                memcpy(disk->data + write->offset + done, write->old + write->size + done, n);
        }
    }
    forget_writes(disk);
    return count;
}

/* ---- requests ---- */

static unsigned char *at(struct lossy_disk *disk, uint64_t address, uint64_t size, bool user)
{
    for (size_t i = 0; i < disk->region_count; i++) {
        uint64_t start = user ? disk->regions[i].user : disk->regions[i].guest;
        if (address >= start && address - start < disk->regions[i].size &&
            size <= disk->regions[i].size - (address - start))
            return disk->regions[i].data + (address - start);
    }
    fprintf(stderr, "lossydisk: the guest names memory that it has not\n");
    exit(1);
}

/* One request, a chain of descriptors. Returns the bytes that were put into the guest's memory, -1 when the power went. */
static long do_request(struct lossy_disk *disk, const struct vring_desc *table, unsigned head)
{
    struct {
        unsigned char *data;
        size_t size;
        bool in;
    } pieces[256];
    size_t count = 0;
    for (unsigned i = head;; i = table[i].next) {
        if (count == 256 || i >= disk->queue.size) {
            fprintf(stderr, "lossydisk: a damaged queue\n");
            exit(1);
        }
        pieces[count].data = at(disk, table[i].addr, table[i].len, false);
        pieces[count].size = table[i].len;
        pieces[count++].in = table[i].flags & VRING_DESC_F_WRITE;
        if (!(table[i].flags & VRING_DESC_F_NEXT))
            break;
    }
    struct virtio_blk_outhdr header;
    if (count < 2 || pieces[0].size < sizeof header || !pieces[count - 1].in)
        return 0;
    memcpy(&header, pieces[0].data, sizeof header);
    struct lossy_power *power = disk->power;
    bool changes = header.type == VIRTIO_BLK_T_OUT || header.type == VIRTIO_BLK_T_FLUSH;
    bool cut = changes && ++power->requests == power->cut_at && power->cut_at;
    unsigned char status = VIRTIO_BLK_S_OK;
    uint64_t offset = header.sector * 512;
    long in = 1;
    if (header.type == VIRTIO_BLK_T_FLUSH) {
        power->flushes++;
        if (!cut)
            forget_writes(disk);
    } else if (header.type == VIRTIO_BLK_T_GET_ID) {
        snprintf((char *)pieces[1].data, pieces[1].size, "lossy%d", (int)(disk - power->disks));
    } else if (header.type == VIRTIO_BLK_T_IN || header.type == VIRTIO_BLK_T_OUT) {
        size_t total = 0;
        for (size_t i = 1; i + 1 < count; i++)
            total += pieces[i].size;
        if (offset > disk->size || total > disk->size - offset)
            status = VIRTIO_BLK_S_IOERR;
        unsigned char *joined = header.type == VIRTIO_BLK_T_OUT ? need(malloc(total + 1)) : NULL;
        for (size_t i = 1, done = 0; i + 1 < count && status == VIRTIO_BLK_S_OK; done += pieces[i++].size) {
            if (joined)
                memcpy(joined + done, pieces[i].data, pieces[i].size);
            else
                memcpy(pieces[i].data, disk->data + offset + done, pieces[i].size);
        }
        if (joined && status == VIRTIO_BLK_S_OK)
            write_disk(disk, offset, joined, total);
        free(joined);
        in += header.type == VIRTIO_BLK_T_IN ? (long)total : 0;
    } else {
        status = VIRTIO_BLK_S_UNSUPP;
    }
    if (cut) {
        power->off = true;
        return -1;
    }
    pieces[count - 1].data[0] = status;
    return in;
}

static void serve_queue(struct lossy_disk *disk)
{
    struct lossy_queue *queue = &disk->queue;
    if (!queue->size || !queue->desc)
        return;
    const struct vring_desc *table = (const void *)at(disk, queue->desc, queue->size * sizeof *table, true);
    struct vring_avail *avail = (void *)at(disk, queue->avail, sizeof *avail + 2 * queue->size, true);
    struct vring_used *used = (void *)at(disk, queue->used, sizeof *used + queue->size * sizeof used->ring[0], true);
    bool any = false;
    while ((uint16_t)queue->last != __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE) && !disk->power->off) {
        unsigned head = avail->ring[queue->last % queue->size];
        long n = do_request(disk, table, head);
        if (n < 0)
            break;
        uint16_t next = used->idx;
        used->ring[next % queue->size].id = head;
        used->ring[next % queue->size].len = (uint32_t)n;
        __atomic_store_n(&used->idx, (uint16_t)(next + 1), __ATOMIC_SEQ_CST);
        queue->last++;
        any = true;
    }
    uint64_t one = 1;
    if (any && queue->call >= 0 && !(avail->flags & VRING_AVAIL_F_NO_INTERRUPT) &&
        write(queue->call, &one, sizeof one) < 0 && errno != EAGAIN)
        fprintf(stderr, "lossydisk: cannot call the guest: %s\n", strerror(errno));
}

/* ---- the protocol ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void unmap(struct lossy_disk *disk)
{
    for (size_t i = 0; i < disk->region_count; i++)
        munmap(disk->regions[i].map, disk->regions[i].map_size);
    disk->region_count = 0;
}

static void disconnect(struct lossy_disk *disk)
{
    unmap(disk);
    close_fd(&disk->peer);
    close_fd(&disk->back);
    close_fd(&disk->queue.kick);
    close_fd(&disk->queue.call);
    disk->queue = (struct lossy_queue){.kick = -1, .call = -1};
}

static void set_memory(struct lossy_disk *disk, const struct message *m, int *fds, size_t count)
{
    unmap(disk);
    for (size_t i = 0; i < m->u.memory.count && i < count && i < 8; i++) {
        uint64_t offset = m->u.memory.regions[i].offset;
        disk->regions[i].guest = m->u.memory.regions[i].guest;
        disk->regions[i].user = m->u.memory.regions[i].user;
        disk->regions[i].size = m->u.memory.regions[i].size;
        disk->regions[i].map_size = disk->regions[i].size + offset;
        disk->regions[i].map = mmap(NULL, disk->regions[i].map_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
        if (disk->regions[i].map == MAP_FAILED)
            need(NULL);
        disk->regions[i].data = disk->regions[i].map + offset;
        disk->region_count++;
    }
}

static void reply(struct lossy_disk *disk, struct message *m, uint32_t size)
{
    m->flags = VERSION | REPLY;
    m->size = size;
    if (send(disk->peer, m, HEADER + size, MSG_NOSIGNAL) < 0)
        disconnect(disk);
}

static void reply_number(struct lossy_disk *disk, struct message *m, uint64_t number)
{
    m->u.u64 = number;
    reply(disk, m, sizeof number);
}

static void take_fd(int *fd, int *given)
{
    close_fd(fd);
    *fd = *given;
    *given = -1;
}

static void obey(struct lossy_disk *disk, struct message *m, int *fds, size_t count)
{
    struct lossy_queue *queue = &disk->queue;
    switch (m->request) {
    case GET_FEATURES:
        reply_number(disk, m,
                     F_VERSION_1 | F_PROTOCOL_FEATURES | 1ULL << VIRTIO_BLK_F_FLUSH | 1ULL << VIRTIO_BLK_F_SEG_MAX);
        break;
    case GET_PROTOCOL_FEATURES:
        reply_number(disk, m, PROTOCOL_CONFIG | PROTOCOL_MQ | PROTOCOL_SLAVE_REQ);
        break;
    case GET_QUEUE_NUM:
        reply_number(disk, m, 1);
        break;
    case GET_CONFIG: {
        struct virtio_blk_config config = {.capacity = disk->size / 512, .seg_max = 126, .num_queues = 1};
        size_t offset = m->u.config.offset, size = m->u.config.size;
        if (size <= sizeof m->u.config.data) {
            memset(m->u.config.data, 0, sizeof m->u.config.data);
            if (offset < sizeof config)
                memcpy(m->u.config.data, (char *)&config + offset,
                       size < sizeof config - offset ? size : sizeof config - offset);
        }
        reply(disk, m, m->size);
        break;
    }
    case SET_MEM_TABLE:
        set_memory(disk, m, fds, count);
        break;
    case SET_VRING_NUM:
        queue->size = m->u.state.num;
        break;
    case SET_VRING_ADDR:
        queue->desc = m->u.addr.desc;
        queue->avail = m->u.addr.avail;
        queue->used = m->u.addr.used;
        break;
    case SET_VRING_BASE:
        queue->last = m->u.state.num;
        break;
    case GET_VRING_BASE: /* the queue stops */
        m->u.state.num = (uint16_t)queue->last;
        queue->desc = 0;
        close_fd(&queue->kick);
        reply(disk, m, sizeof m->u.state);
        break;
    case SET_VRING_KICK:
        if (!(m->u.u64 & NO_FD) && count)
            take_fd(&queue->kick, &fds[0]);
        break;
    case SET_VRING_CALL:
        if (!(m->u.u64 & NO_FD) && count)
            take_fd(&queue->call, &fds[0]);
        break;
    case SET_SLAVE_REQ_FD:
        if (count)
            take_fd(&disk->back, &fds[0]);
        break;
    default: /* SET_OWNER and others that ask for nothing here */
        break;
    }
}

static void read_message(struct lossy_disk *disk)
{
    struct message m = {0};
    int fds[8];
    size_t count = 0;
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof fds)];
    } control;
    struct iovec iov = {&m, HEADER};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(disk->peer, &msg, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    if (n != (ssize_t)HEADER || m.size > sizeof m.u ||
        (m.size && recv(disk->peer, &m.u, m.size, MSG_WAITALL) != (ssize_t)m.size)) {
        disconnect(disk);
        return;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(fds, CMSG_DATA(c), count * sizeof(int));
        }
    obey(disk, &m, fds, count);
    for (size_t i = 0; i < count; i++)
        close_fd(&fds[i]);
}

/* ---- for the caller's loop ---- */

size_t lossy_pollfds(const struct lossy_power *power, struct pollfd *fds)
{
    size_t count = 0;
    for (size_t i = 0; i < power->count && !power->off; i++) {
        const struct lossy_disk *disk = &power->disks[i];
        const int all[] = {disk->peer < 0 ? disk->listener : -1, disk->peer, disk->queue.kick};
        for (size_t k = 0; k < 3; k++)
            if (all[k] >= 0)
                fds[count++] = (struct pollfd){.fd = all[k], .events = POLLIN};
    }
    return count;
}

static bool readable(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&one, 1, 0) > 0;
}

void lossy_serve(struct lossy_power *power)
{
    for (size_t i = 0; i < power->count && !power->off; i++) {
        struct lossy_disk *disk = &power->disks[i];
        uint64_t kicks;
        if (disk->peer < 0 && readable(disk->listener))
            disk->peer = accept4(disk->listener, NULL, NULL, SOCK_CLOEXEC);
        while (readable(disk->peer))
            read_message(disk);
        if (readable(disk->queue.kick) && read(disk->queue.kick, &kicks, sizeof kicks) > 0)
            serve_queue(disk);
    }
}

size_t lossy_cut(struct lossy_power *power, enum lossy_loss loss, uint64_t seed)
{
    size_t count = 0;
    power->off = true;
    for (size_t i = 0; i < power->count; i++) {
        count += lose(&power->disks[i], loss, &seed);
        disconnect(&power->disks[i]);
    }
    return count;
}

void lossy_restore(struct lossy_power *power)
{
    for (size_t i = 0; i < power->count; i++)
        disconnect(&power->disks[i]);
    power->off = false;
    power->requests = power->cut_at = 0;
}

void lossy_close(struct lossy_power *power)
{
    for (size_t i = 0; i < power->count; i++) {
        struct lossy_disk *disk = &power->disks[i];
        disconnect(disk);
        forget_writes(disk);
        free(disk->writes);
        close_fd(&disk->listener);
        unlink(disk->socket);
        munmap(disk->data, disk->size);
        close_fd(&disk->image);
    }
    power->count = 0;
}
