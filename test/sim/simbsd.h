/*
 * simbsd.h: verbs for the simulated FreeBSD: a jail with all that this system has and no other, jails that share the host's
 * network stack, and one that the kernel does not let go.
 */
#ifndef JA_SIMBSD_H
#define JA_SIMBSD_H

#include "simlab.h"

static inline int simbsd_create(struct ja_engine *engine, const char *name, const char *const (*entries)[2],
                                const char *const *settings, struct ja_error *err)
{
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    if (!jail)
        return ja_error_nomem(err);
    jail->name = ja_strdup(name);
    jail->template = ja_strdup("base");
    int rc = jail->name && jail->template ? 0 : ja_error_nomem(err);
    for (; rc == 0 && (*entries)[0]; entries++)
        rc = ja_object_set_entry(&ja_noun_jail, jail, (*entries)[0], (*entries)[1], err);
    for (; rc == 0 && *settings; settings++)
        rc = ja_object_set(&ja_noun_jail, jail, *settings, true, err);
    if (rc == 0)
        rc = ja_engine_create(engine, jail, false, err);
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}

/* Everything that is mounted, limited, allowed and run. */
static inline int do_full(struct ja_engine *engine, struct ja_error *err)
{
    static const char *const entries[][2] = {{"nics", "eth0,network=default"},
                                             {"nics", "watch,network=default,span=yes"},
                                             {"mounts", "/usr/src,source=/srv/world,readonly=yes"},
                                             {"mounts", "/scratch,type=tmpfs,size=16M"},
                                             {"mounts", "/proc,type=procfs"},
                                             {"mounts", "/dev/fd,type=fdescfs"},
                                             {"volumes", "data,target=/data"},
                                             {"services", "one,command=sleep 9"},
                                             {"services", "two,command=sleep 9,restart=always,order=2"},
                                             {NULL, NULL}};
    static const char *const settings[] = {
        "devices=/dev/fuse",   "allow=chflags",     "children=3",     "securelevel=2", "limits.memory=64M",
        "limits.read-rate=1M", "limits.cpu=1.5",    "env.A=b",        "sysvipc=new",   "stop-command=true",
        "enforce-statfs=1",    "limits.cpuset=0-2", "limits.swap=1G", "init=/bin/sh",  NULL};
    return simbsd_create(engine, "full", entries, settings, err);
}

static inline int do_full_start(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_start(engine, "full", NULL, err);
}

static inline int do_full_stop(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_stop(engine, "full", JA_STOP_GRACEFUL, NULL, err);
}

static inline int do_full_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_delete(engine, "full", true, err);
}

/* With addresses of the host's own, on its networks' bridges. */
static inline int do_shared(struct ja_engine *engine, struct ja_error *err)
{
    static const char *const entries[][2] = {{"nics", "eth0,network=default,address=auto,address=10.233.0.99"},
                                             {NULL, NULL}};
    static const char *const settings[] = {"vnet=shared", NULL};
    return simbsd_create(engine, "shared", entries, settings, err);
}

static inline int do_shared_start(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_start(engine, "shared", NULL, err);
}

static inline int do_shared_stop(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_stop(engine, "shared", JA_STOP_GRACEFUL, NULL, err);
}

static inline int simbsd_set(struct ja_engine *engine, const char *name, const char *const *assignments,
                             struct ja_error *err)
{
    ja_autostrv struct ja_strv all = {0};
    for (; *assignments; assignments++)
        if (ja_strv_add(&all, *assignments) < 0)
            return ja_error_nomem(err);
    return ja_engine_set(engine, name, &all, true, NULL, err);
}

/* By the host, since it has no network stack of its own. */
static inline int do_shared_shape(struct ja_engine *engine, struct ja_error *err)
{
    return simbsd_set(engine, "shared",
                      (const char *const[]){"nics.eth0.shape.in.rate=10Mbit", "nics.eth0.shape.out.rate=1Mbit", NULL},
                      err);
}

/* More of one direction, less of the other. */
static inline int do_shared_reshape(struct ja_engine *engine, struct ja_error *err)
{
    return simbsd_set(engine, "shared",
                      (const char *const[]){"nics.eth0.shape.in.rate=10Mbit", "nics.eth0.shape.in.delay=20ms",
                                            "nics.eth0.shape.out=", NULL},
                      err);
}

static inline int do_shared_unshape(struct ja_engine *engine, struct ja_error *err)
{
    return simbsd_set(engine, "shared", (const char *const[]){"nics.eth0.shape=", NULL}, err);
}

static inline int do_shared_shape_all(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_shared_unshape(engine, err);
    return rc < 0 ? rc : do_shared_shape(engine, err);
}

/* The same for one that a power cut has ended. */
static inline int simbsd_anew(struct ja_engine *engine, lab_verb *verb, struct ja_error *err)
{
    struct ja_error none = JA_ERROR_INIT;
    ja_engine_stop(engine, "shared", JA_STOP_FORCE, NULL, &none);
    sim_put(&lab_sim, "", "module dummynet");
    int rc = verb(engine, err);
    return rc < 0 ? rc : do_shared_start(engine, err);
}

static inline int do_shared_shape_anew(struct ja_engine *engine, struct ja_error *err)
{
    return simbsd_anew(engine, do_shared_shape_all, err);
}

static inline int do_shared_unshape_anew(struct ja_engine *engine, struct ja_error *err)
{
    return simbsd_anew(engine, do_shared_unshape, err);
}

static inline int do_shared_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_delete(engine, "shared", true, err);
}

static inline int do_inherit(struct ja_engine *engine, struct ja_error *err)
{
    static const char *const entries[][2] = {{NULL, NULL}}, *const settings[] = {"vnet=inherit", NULL};
    return simbsd_create(engine, "inherit", entries, settings, err);
}

static inline int do_inherit_start(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_start(engine, "inherit", NULL, err);
}

static inline int do_inherit_stop(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_stop(engine, "inherit", JA_STOP_FORCE, NULL, err);
}

static inline int do_inherit_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_delete(engine, "inherit", true, err);
}

#endif
