/*
 * simloss.h: a power cut takes what was not synced: of the journals and the store's log, which are real files here, and of the pool
 * (sim_disk.c). fsync(2), fdatasync(2) and unlink(2) take the place of the C library's in the program that includes this; nothing here
 * needs to be synced really.
 */
#ifndef JA_SIMLOSS_H
#define JA_SIMLOSS_H

#include "simlab.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

static struct {
    ino_t inode;
    off_t size;
} synced[256];
static size_t synced_count;
static bool watches_syncs, unlinks_are_lost;
static unsigned lost_count; /* of journals of dead plans that were removed since a directory was synced */
static char dead_plans[1024];

static void note_synced(const struct stat *st)
{
    size_t i = 0;
    while (i < synced_count && synced[i].inode != st->st_ino)
        i++;
    if (i == synced_count && ++synced_count > JA_COUNT(synced))
        abort();
    synced[i].inode = st->st_ino;
    synced[i].size = st->st_size;
}

/* -1: never synced. */
static off_t synced_size(const struct stat *st)
{
    for (size_t i = 0; i < synced_count; i++)
        if (synced[i].inode == st->st_ino)
            return synced[i].size;
    return -1;
}

int fsync(int fd)
{
    struct stat st;
    if (!watches_syncs)
        return 0;
    if (fstat(fd, &st) < 0)
        return -1;
    if (S_ISDIR(st.st_mode))
        lost_count = 0;
    else
        note_synced(&st);
    return 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

int unlink(const char *path)
{
    size_t n = strlen(path);
    bool journal = n > 5 && strcmp(path + n - 5, ".plan") == 0;
    lost_count += journal && strstr(dead_plans, strrchr(path, '/') + 1);
    if (unlinks_are_lost && journal)
        return 0;
    return unlinkat(AT_FDCWD, path, 0);
}

/* Those that are there now are of dead plans. */
static JA_UNUSED void note_dead_plans(void)
{
    char dir[160];
    snprintf(dir, sizeof dir, "%s/journal", lab_state);
    DIR *handle = opendir(dir);
    dead_plans[0] = '\0';
    lost_count = 0;
    synced_count = 0;
    for (struct dirent *entry; handle && (entry = readdir(handle)) != NULL;)
        if (entry->d_name[0] != '.') {
            size_t n = strlen(dead_plans);
            snprintf(dead_plans + n, sizeof dead_plans - n, "%s ", entry->d_name);
        }
    if (handle)
        closedir(handle);
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
        off_t size = synced_size(&st);
        if (size < 0 ? unlinkat(AT_FDCWD, path, 0) < 0 : truncate(path, size) < 0)
            abort();
    }
    if (handle)
        closedir(handle);
}

/* The last transactions go from the store's log. */
static void lose_transactions(void)
{
    char log[160], index[160];
    struct stat st;
    snprintf(log, sizeof log, "%s/store.db-wal", lab_state);
    snprintf(index, sizeof index, "%s/store.db-shm", lab_state);
    if (stat(log, &st) == 0 && truncate(log, synced_size(&st) > 0 ? synced_size(&st) : 0) < 0)
        abort();
    unlinkat(AT_FDCWD, index, 0);
}

/* In a process that is to die: all that is there by now is on the disks. */
static void lose_begin(void)
{
    char store[160];
    sqlite3 *db = NULL;
    snprintf(store, sizeof store, "%s/store.db", lab_state);
    /* The log begins anew, so that what comes is behind what was synced. */
    if (sqlite3_open(store, &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) != SQLITE_OK)
        abort();
    sqlite3_close(db);
    watches_syncs = true;
    ja_sim_watch(&lab_sim);
}

/* It leaves what is on the disks. */
static void lose(void)
{
    char pool[160];
    snprintf(pool, sizeof pool, "%s/pool", lab_state);
    lose_journals();
    lose_transactions();
    ja_sim_lose(&lab_sim, pool);
}

#endif
