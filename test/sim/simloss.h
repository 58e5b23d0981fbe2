/*
 * simloss.h: a power cut takes what was not synced: of the journals, which are real files here, and of the pool (sim_disk.c). fsync(2) and
 * unlink(2) take the place of the C library's in the program that includes this; nothing here needs to be synced really.
 */
#ifndef JA_SIMLOSS_H
#define JA_SIMLOSS_H

#include "simlab.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static struct {
    ino_t inode;
    off_t size;
} synced[256];
static size_t synced_count;
static bool watches_syncs, unlinks_are_lost;

int fsync(int fd)
{
    struct stat st;
    if (!watches_syncs)
        return 0;
    if (fstat(fd, &st) < 0)
        return -1;
    size_t i = 0;
    while (i < synced_count && synced[i].inode != st.st_ino)
        i++;
    if (i == synced_count && ++synced_count > JA_COUNT(synced))
        abort();
    synced[i].inode = st.st_ino;
    synced[i].size = st.st_size;
    return 0;
}

int unlink(const char *path)
{
    size_t n = strlen(path);
    if (unlinks_are_lost && n > 5 && strcmp(path + n - 5, ".plan") == 0)
        return 0;
    return unlinkat(AT_FDCWD, path, 0);
}

/* Journals become what was synced of them. */
static void lose_journals(void)
{
    char dir[160], path[512];
    snprintf(dir, sizeof dir, "%s/journal", lab_state);
    DIR *handle = opendir(dir);
    struct stat st;
    for (struct dirent *entry; handle && (entry = readdir(handle)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &st) < 0)
            continue;
        off_t size = -1;
        for (size_t i = 0; i < synced_count; i++)
            size = synced[i].inode == st.st_ino ? synced[i].size : size;
        if (size < 0 ? unlinkat(AT_FDCWD, path, 0) < 0 : truncate(path, size) < 0)
            abort();
    }
    if (handle)
        closedir(handle);
}

/* In the process that is to die: it leaves what is on the disks. */
static void lose(void)
{
    char pool[160];
    snprintf(pool, sizeof pool, "%s/pool", lab_state);
    lose_journals();
    ja_sim_lose(&lab_sim, pool);
}

#endif
