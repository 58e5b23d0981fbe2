/*
 * outside.h: the half of entering a jail that stays outside of it, and the words in which the processes inside tell it how far
 * they came; the same on every system. Only src/host/<os>/native includes it.
 */
#ifndef JA_HOST_OUTSIDE_H
#define JA_HOST_OUTSIDE_H

#include "host/host.h"
#include "run/relay.h"

enum { JA_STATUS_CANNOT = 126, JA_STATUS_NOT_FOUND = 127 };

/* What the processes inside tell us, one message each. */
struct ja_outside_message {
    enum { JA_SAYS_FAILED, JA_SAYS_PID, JA_SAYS_MASTER } kind;
    int stage; /* where it failed: an enum of the system's enter.c */
    int value; /* errno, or the pid */
};

struct ja_outside {
    struct ja_relay relay;
    int theirs[3]; /* the command's ends of pipes */
    pid_t pid;     /* of the command; 0: not known */
    bool failed;
    struct ja_outside_message failure;
};
void ja_outside_init(struct ja_outside *outside, const struct ja_entry *entry);

/* ---- in the processes inside: system calls only ---- */

/* Sends a message, with a descriptor unless it is -1. A failure ends the process. */
void ja_outside_say(int fd, struct ja_outside_message message, int pass_fd);
/* Says that it failed there, by errno, and ends the process. */
void ja_outside_fail(int fd, int stage) __attribute__((noreturn));
void ja_outside_use_pipes(const struct ja_outside *outside);
/* execvp(3) by the PATH that the command will have, `path` when it has none. Returns errno: ENOENT when there is no such file
 * anywhere. */
int ja_outside_run(const struct ja_entry *entry, char *const *argv, const char *path);
/* The value of a variable in a command's environment; NULL: it has none of that name. */
const char *ja_outside_env(char *const *env, const char *name);

/* ---- outside ---- */

/* Closed standard streams would be taken by the next descriptor that is opened. */
void ja_outside_open_streams(void);
/* The words of the command as the program is told them. The caller frees the array; NULL when memory is out. */
char **ja_outside_words(const struct ja_entry *entry);
/* Streams that are terminals of ours are not handed over: what stays behind in the jail could read what is typed later. */
int ja_outside_make_pipes(struct ja_outside *outside, struct ja_error *err);
void ja_outside_close_theirs(const struct ja_outside *outside);
/* Reads what the processes inside have to say, until they are silent: the command runs, or has failed. */
void ja_outside_listen(int fd, struct ja_outside *outside);
/* The end of a child as a shell tells it: its exit status, 128 + n for a signal. */
int ja_outside_wait(pid_t pid);
/* Relays until the command ends, or the user has left and it was ended. `ended`: becomes readable when it does, the command
 * being our child and not reaped. Returns its exit status, 0 when the user has left. */
int ja_outside_attend(struct ja_outside *outside, int ended);
/* What is told when the command could not be run. Returns the code of the error. */
int ja_outside_not_run(const struct ja_entry *entry, int sys, int *ret_status, struct ja_error *err);

#endif
