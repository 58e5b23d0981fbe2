/*
 * sim_disk.c: a power cut takes what was not synced. Of a pool on btrfs that is what was done since the last snapshot or sync of its
 * file system, but for files that were synced by themselves. One host at a time is watched.
 */
#include "sim.h"

#include <stdio.h>
#include <string.h>

static struct ja_sim disk; /* the watched host as its disks have it */
static bool watched;

static const char *const kinds[] = {"path", "text", "ro"};

void sim_synced(const struct ja_sim *sim)
{
    if (!watched)
        return;
    ja_sim_fini(&disk);
    ja_sim_copy(&disk, sim);
}

/* With the directories that lead to it. */
void sim_synced_file(const struct ja_sim *sim, const char *path)
{
    char part[1024];
    if (!watched)
        return;
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        const char *type = sim_get(sim, "path %s", part);
        if (type && !sim_get(&disk, "path %s", part))
            sim_put(&disk, type, "path %s", part);
    }
    sim_put(&disk, "file", "path %s", path);
    sim_put(&disk, sim_get(sim, "text %s", path), "text %s", path);
}

void ja_sim_watch(const struct ja_sim *sim)
{
    watched = true;
    memset(&disk, 0, sizeof disk);
    ja_sim_copy(&disk, sim);
}

void ja_sim_lose(struct ja_sim *sim, const char *pool)
{
    bool zfs = strncmp(sim->system->storage, "zfs", 3) == 0; /* whose commands end when all is on the disk */
    for (size_t k = 0; k < JA_COUNT(kinds) && watched && !zfs; k++) {
        char prefix[1024];
        snprintf(prefix, sizeof prefix, "%s %s/", kinds[k], pool);
        sim_drop_all(sim, "%s", prefix);
        for (size_t i = sim_from(&disk, prefix); sim_starts(&disk, i, prefix); i++)
            sim_put(sim, disk.entries[i].value, "%s", disk.entries[i].key);
    }
}
