/*
 * usage.c: what jails use, asked of the host for all of them at once.
 */
#include "base/clock.h"
#include "engine/internal.h"
#include "host/host.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *key; /* in the text of the fact */
    size_t offset;
} numbers[] = {
    {"cpu-us", offsetof(struct ja_usage, cpu_us)},       {"cpu", offsetof(struct ja_usage, cpu)},
    {"memory", offsetof(struct ja_usage, memory)},       {"swap", offsetof(struct ja_usage, swap)},
    {"processes", offsetof(struct ja_usage, processes)}, {"files", offsetof(struct ja_usage, files)},
    {"read", offsetof(struct ja_usage, read)},           {"written", offsetof(struct ja_usage, written)},
    {"read-rate", offsetof(struct ja_usage, read_rate)}, {"write-rate", offsetof(struct ja_usage, write_rate)},
    {"oom-kills", offsetof(struct ja_usage, oom_kills)},
};

static int64_t *number_at(struct ja_usage *usage, size_t offset)
{
    return (int64_t *)(void *)((char *)usage + offset);
}

void ja_usage_clear(struct ja_usage *usage)
{
    memset(usage, 0xff, sizeof *usage); /* -1 in all of its numbers */
}

/* "cpu-us=N memory=BYTES" */
static void take(const char *text, struct ja_usage *usage)
{
    while (text && *text) {
        size_t length = strcspn(text, "=");
        for (size_t i = 0; i < JA_COUNT(numbers); i++)
            if (strlen(numbers[i].key) == length && strncmp(numbers[i].key, text, length) == 0 && text[length])
                *number_at(usage, numbers[i].offset) = strtoll(text + length + 1, NULL, 10);
        text += strcspn(text, " ");
        text += *text == ' ';
    }
}

/* What the host's ends of its nics have received it has sent. Nics that share the host's have none. */
static void take_traffic(struct ja_planning *p, const struct ja_jail *jail, struct ja_usage *usage)
{
    for (size_t i = 0; i < jail->nics.count && jail->vnet == JA_VNET_YES; i++) {
        char link[16];
        long long received, sent;
        ja_site_nic_name(p->site, jail->slot, i, link);
        const char *text = ja_fact(p->facts, JA_FACT_TRAFFIC, link);
        if (!text || sscanf(text, "%lld %lld", &received, &sent) != 2)
            continue;
        usage->sent = (usage->sent < 0 ? 0 : usage->sent) + received;
        usage->received = (usage->received < 0 ? 0 : usage->received) + sent;
    }
}

static int64_t used(struct ja_planning *p, const struct ja_jail *jail, const struct ja_volume *volume)
{
    const char *text = p->storage->jail_used ? p->storage->jail_used(p, jail, volume) : NULL;
    return text ? strtoll(text, NULL, 10) : -1;
}

struct asking {
    const struct ja_listed *jails;
    size_t count;
    struct ja_usage *usage;
};

static void ask(void *work, struct ja_planning *p)
{
    struct asking *asking = work;
    for (size_t i = 0; i < asking->count; i++) {
        const struct ja_listed *listed = &asking->jails[i];
        struct ja_usage *usage = &asking->usage[i];
        ja_usage_clear(usage);
        if (listed->jail->state == JA_ROW_CREATING)
            continue;
        usage->disk = used(p, listed->jail, NULL);
        if (!listed->pid)
            continue;
        take(p->host->jail_usage ? p->host->jail_usage(p, listed->jail) : NULL, usage);
        take_traffic(p, listed->jail, usage);
    }
}

int ja_engine_usage(struct ja_engine *engine, const struct ja_listed *jails, size_t count, struct ja_usage *ret_usage,
                    struct ja_error *err)
{
    struct asking asking = {jails, count, ret_usage};
    int rc = ja_engine_ask(engine, ask, &asking, err);
    int64_t now = ja_clock_monotonic_us();
    for (size_t i = 0; i < count; i++)
        ret_usage[i].at_us = now;
    return rc;
}

static int64_t rate(int64_t before, int64_t now, int64_t us)
{
    return before < 0 || now < before || us <= 0 ? -1 : (int64_t)((double)(now - before) * 1000000 / (double)us);
}

void ja_usage_compare(struct ja_usage *now, const struct ja_usage *before)
{
    int64_t us = now->at_us - before->at_us;
    bool counted = now->cpu < 0;
    if (counted)
        now->cpu = rate(before->cpu_us, now->cpu_us, us);
    if (now->cpu > 0 && counted)
        now->cpu /= 1000;
    if (now->read_rate < 0)
        now->read_rate = rate(before->read, now->read, us);
    if (now->write_rate < 0)
        now->write_rate = rate(before->written, now->written, us);
    now->receive_rate = rate(before->received, now->received, us);
    now->send_rate = rate(before->sent, now->sent, us);
}

/* ---- volumes ---- */

struct volumes {
    const struct ja_jail *jail;
    int64_t *bytes;
};

static void ask_volumes(void *work, struct ja_planning *p)
{
    struct volumes *volumes = work;
    for (size_t i = 0; i < volumes->jail->volumes.count; i++)
        volumes->bytes[i] = used(p, volumes->jail, volumes->jail->volumes.items[i]);
}

int ja_engine_volumes_used(struct ja_engine *engine, const struct ja_jail *jail, int64_t *ret_bytes,
                           struct ja_error *err)
{
    struct volumes volumes = {jail, ret_bytes};
    return ja_engine_ask(engine, ask_volumes, &volumes, err);
}
