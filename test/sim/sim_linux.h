/*
 * sim_linux.h: what the files of the simulated Linux share.
 */
#ifndef JA_SIM_LINUX_H
#define JA_SIM_LINUX_H

#include "sim.h"

/* The word after another one; NULL: not there. */
const char *sim_word_after(char *const *words, int count, const char *word);
/* Calls `each` with the words of every line; half of them when the command is cut off. */
int sim_each_line(struct ja_sim *sim, const char *input, void *context,
                  int (*each)(struct ja_sim *sim, void *context, const char *line, char *const *words, int count,
                              struct ja_error *err),
                  struct ja_error *err);

/* tc(8): see sim_linux_tc.c. */
extern const struct ja_sim_command sim_tc_commands[];
const char *sim_tc_queues(struct ja_sim *sim, const char *interface);
void sim_tc_check(struct ja_sim *sim);

#endif
