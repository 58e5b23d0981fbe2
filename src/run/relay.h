/*
 * relay.h: between a command elsewhere and our standard streams: copies bytes, keeps a terminal's size, passes signals on, and
 * puts our terminal back as it was on every way out.
 */
#ifndef JA_RELAY_H
#define JA_RELAY_H

#include "base/base.h"

struct ja_relay {
    int master;     /* the command's terminal, which stands for all of its streams; -1: none */
    int streams[3]; /* our ends of pipes for single streams; -1: the command has that stream itself */
    int done;       /* becomes readable when the command has ended */
    pid_t group;    /* its process group */
    bool escape;    /* Ctrl-] three times within a second leaves */
    bool left;      /* set: that happened */
};

/* Works until the command has ended and what it printed is passed on, or until the user leaves. Takes over all of the
 * descriptors but `done`. Signals that would end us go to the command instead: those that a terminal sends to its process group,
 * others to its first process. */
void ja_relay_run(struct ja_relay *relay);

/* Before the command is started: notes signals from now on, so that none is lost. The command itself must have them back
 * at their defaults. */
void ja_relay_catch_signals(void);
/* What a started command has to begin with: no signal caught, ignored or blocked. */
void ja_relay_default_signals(void);

#endif
