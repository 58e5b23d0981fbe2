/*
 * simshape.h: verbs about traffic shaping for the simulated hosts.
 */
#ifndef JA_SIMSHAPE_H
#define JA_SIMSHAPE_H

#include "simlab.h"

#define SIMSHAPE(field) "nics.eth0.shape." field

/* Both directions, by a rate; on FreeBSD so that its root cannot change it. */
static inline int do_shape(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(
        engine,
        (const char *const[]){SIMSHAPE("in.rate=10Mbit"), SIMSHAPE("out.rate=1Mbit"), SIMSHAPE("enforce=yes"), NULL},
        err);
}

/* More of one direction, less of the other, and its root may change it. */
static inline int do_reshape(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(engine,
                   (const char *const[]){SIMSHAPE("in.delay=20ms"), SIMSHAPE("in.jitter=5ms"), SIMSHAPE("in.loss=1%"),
                                         SIMSHAPE("out="), SIMSHAPE("enforce="), NULL},
                   err);
}

static inline int do_unshape(struct ja_engine *engine, struct ja_error *err)
{
    return lab_set(engine, (const char *const[]){"nics.eth0.shape=", NULL}, err);
}

/* The same for a jail that is started with it, also after a power cut. */
static inline int do_anew(struct ja_engine *engine, lab_verb *verb, struct ja_error *err)
{
    int rc = do_kill(engine, err);
    /* It stays where it was loaded once, but for a power cut. */
    if (lab_system->os == JA_OS_FREEBSD)
        sim_put(&lab_sim, "", "module dummynet");
    if (rc == 0)
        rc = verb(engine, err);
    return rc < 0 ? rc : do_start(engine, err);
}

/* As do_shape leaves it. */
static inline int do_shape_all(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_unshape(engine, err);
    return rc < 0 ? rc : do_shape(engine, err);
}

static inline int do_shape_anew(struct ja_engine *engine, struct ja_error *err)
{
    return do_anew(engine, do_shape_all, err);
}

static inline int do_unshape_anew(struct ja_engine *engine, struct ja_error *err)
{
    return do_anew(engine, do_unshape, err);
}

#endif
