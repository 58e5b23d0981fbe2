/*
 * pool.c: what an instance needs before anything of it can run, and what a boot takes away: its runtime directories and the
 * pool's mount.
 */
#include "plan/planning.h"
#include "storage/storage.h"

#include <stdio.h>

static void runtime_dir(struct ja_planning *p, const char *path, const char *mode)
{
    if (!ja_fact(p->facts, JA_FACT_PATH, path))
        ja_plan_mkdir(p, path, mode, false, "make the runtime directories");
}

void ja_plan_runtime_dirs(struct ja_planning *p)
{
    static const char *const parts[] = {"", "/jails", "/dns", "/crun"}, *const modes[] = {"0711", "0711", "0711",
                                                                                          "0700"};
    char path[512];
    /* The last one, crun's, is for Linux. */
    size_t count = p->site->os == JA_OS_LINUX ? JA_COUNT(parts) : JA_COUNT(parts) - 1;
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s%s", p->site->run, parts[i]);
        runtime_dir(p, path, modes[i]);
    }
}

/* What runs has its runtime directory void after a boot. Where nobody else empties it, as on FreeBSD, which keeps at least
 * directories in /var/run, that is done before the pool is mounted: nothing of the instance runs until then. Elsewhere it is in
 * memory, and what is in it is of this boot: resolvers run on when somebody unmounts the pool. */
static void forget_last_boot(struct ja_planning *p)
{
    static const char *const parts[] = {"jails", "dns"};
    for (size_t i = 0; i < JA_COUNT(parts); i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", p->site->run, parts[i]);
        const char *names = ja_fact(p->facts, JA_FACT_DIRECTORY, path);
        if (!names || !*names)
            continue;
        struct ja_step *step =
            ja_plan_host_step(p, "remove-tree", "remove what was running before the host was booted");
        ja_step_run(p->plan, step, path, NULL);
        ja_plan_mkdir(p, path, "0711", false, "make the runtime directories");
    }
    ja_plan_drop_own_dirs(p);
}

void ja_plan_pool_mount(struct ja_planning *p)
{
    bool mounted = p->storage->pool_mounted(p);
    if (!mounted && p->site->os == JA_OS_FREEBSD)
        forget_last_boot(p);
    ja_plan_runtime_dirs(p);
    if (!mounted)
        p->storage->pool_mount(p);
    ja_plan_commit_last(p);
}
