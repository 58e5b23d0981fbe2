/*
 * holders.c: who keeps a file system busy: found in /proc on Linux, asked of fstat(1) on FreeBSD.
 */
#include "base/file.h"
#include "base/str.h"
#include "run/spawn.h"
#include "run/zfs.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HOLDERS_SHOWN = 4 };

/* The sentence so far. */
struct answer {
    char *text;
    size_t size;
    unsigned found;
};

static void add_holder(struct answer *answer, const char *pid, const char *name, const char *how)
{
    size_t used = strlen(answer->text);
    if (++answer->found > HOLDERS_SHOWN)
        return;
    snprintf(answer->text + used, answer->size - used, "%sprocess %s (%s) %s", used ? ", " : "", pid, JA_SHOW(name),
             how);
}

static void finish(struct answer *answer)
{
    size_t used = strlen(answer->text);
    if (answer->found > HOLDERS_SHOWN)
        snprintf(answer->text + used, answer->size - used, " and %u more", answer->found - HOLDERS_SHOWN);
}

#ifdef __linux__

static bool is_below(const char *path, const char *dir)
{
    size_t length = strlen(dir);
    return strncmp(path, dir, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool link_leads_below(const char *pid, const char *name, const char *dir)
{
    char path[320], target[4096];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    return is_below(target, dir);
}

static bool has_open(const char *pid, const char *dir)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *fds = opendir(path);
    bool found = false;
    for (struct dirent *entry; fds && !found && (entry = readdir(fds)) != NULL;) {
        char name[300];
        snprintf(name, sizeof name, "fd/%s", entry->d_name);
        found = link_leads_below(pid, name, dir);
    }
    if (fds)
        closedir(fds);
    return found;
}

static bool maps_from(const char *line, const char *dir)
{
    const char *slash = strchr(line, '/');
    return slash && is_below(slash, dir);
}

/* What is unmounted here is unmounted from a mount with a master too: that holds nothing. */
static bool mounts(const char *line, const char *dataset)
{
    const char *dash = strstr(line, " - "), *master = strstr(line, " master:");
    char source[300];
    return dash && !(master && master < dash) && sscanf(dash + 3, "%*s %299s", source) == 1 &&
           is_below(source, dataset);
}

/* Whether a line of a table of a process says that. */
static bool table_says(const char *pid, const char *table, bool (*says)(const char *line, const char *what),
                       const char *what)
{
    char path[64], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "/proc/%s/%s", pid, table);
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file && !found && getline(&line, &size, file) >= 0)
        found = says(line, what);
    free(line);
    if (file)
        fclose(file);
    return found;
}

/* A mount namespace that is not ours. */
static bool is_elsewhere(const char *pid)
{
    char path[64], ours[64] = "", theirs[64] = "";
    snprintf(path, sizeof path, "/proc/%s/ns/mnt", pid);
    return readlink("/proc/self/ns/mnt", ours, sizeof ours - 1) > 0 && readlink(path, theirs, sizeof theirs - 1) > 0 &&
           strcmp(ours, theirs) != 0;
}

static const char *how_held(const char *pid, const char *dir, const char *dataset)
{
    if (link_leads_below(pid, "cwd", dir))
        return "works in it";
    if (link_leads_below(pid, "root", dir))
        return "has its root there";
    if (link_leads_below(pid, "exe", dir) || table_says(pid, "maps", maps_from, dir))
        return "runs a program from it";
    if (has_open(pid, dir))
        return "has a file of it open";
    if (dataset && is_elsewhere(pid) && table_says(pid, "mountinfo", mounts, dataset))
        return "has it in its own mount namespace";
    return NULL;
}

void ja_holders(const char *dir, const char *dataset, char *text, size_t size)
{
    struct answer answer = {.text = text, .size = size};
    DIR *proc = opendir("/proc");
    text[0] = '\0';
    for (struct dirent *entry; proc && (entry = readdir(proc)) != NULL;) {
        const char *pid = entry->d_name;
        const char *how = isdigit((unsigned char)pid[0]) ? how_held(pid, dir, dataset) : NULL;
        if (!how)
            continue;
        char path[320];
        ja_autofree char *name = NULL;
        snprintf(path, sizeof path, "/proc/%s/comm", pid);
        if (ja_file_read(path, 64, &name, NULL, NULL) == 0)
            name[strcspn(name, "\n")] = '\0';
        add_holder(&answer, pid, name ? name : "?", how);
    }
    if (proc)
        closedir(proc);
    finish(&answer);
}

#else

/* fstat -f DIR: "USER CMD PID FD MOUNT INUM MODE SZ|DV R/W", one line for each open file of that file system; FD may be
 * "wd", "root", "jail", "text". */
void ja_holders(const char *dir, const char *dataset, char *text, size_t size)
{
    (void)dataset;
    struct answer answer = {.text = text, .size = size};
    char *const argv[] = {(char[]){"/usr/bin/fstat"}, (char[]){"-f"}, (char *)dir, NULL};
    struct ja_spawn spawn = {.argv = argv, .timeout_ms = 10000};
    struct ja_spawn_result result;
    char last[16] = "";
    text[0] = '\0';
    if (ja_spawn_run(&spawn, &result, NULL) < 0)
        return;
    for (char *rest = result.output.text, *line; rest && (line = strsep(&rest, "\n")) != NULL;) {
        char name[64], pid[16], fd[16];
        if (sscanf(line, "%*s %63s %15s %15s", name, pid, fd) != 3 || !isdigit((unsigned char)pid[0]) ||
            strcmp(pid, last) == 0)
            continue;
        snprintf(last, sizeof last, "%s", pid);
        add_holder(&answer, pid, name,
                   strcmp(fd, "wd") == 0                                ? "works in it"
                   : strcmp(fd, "text") == 0                            ? "runs a program from it"
                   : strcmp(fd, "root") == 0 || strcmp(fd, "jail") == 0 ? "has its root there"
                                                                        : "has a file of it open");
    }
    ja_str_fini(&result.output);
    finish(&answer);
}

#endif
