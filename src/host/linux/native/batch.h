/*
 * batch.h: programs that read lines of commands to the kernel's networking (`ip -batch -`, `tc -batch -`), done without them. All
 * lines are read first; one that is not known here declines the whole, and the program is run. A batch ends at its first
 * failure with the lines before it done, as with the programs.
 */
#ifndef JA_LINUX_BATCH_H
#define JA_LINUX_BATCH_H

#include "host/linux/native/netlink.h"

/* A line being read: its words from `next` on. */
struct ja_line {
    char *const *words;
    size_t count, next;
};

/* The next word; "" at the end. */
const char *ja_line_peek(const struct ja_line *line);
/* Each takes what comes next if it is that, else it takes nothing and is false. */
bool ja_line_take(struct ja_line *line, const char *word);
bool ja_line_take_two(struct ja_line *line, const char *first, const char *second);
bool ja_line_take_text(struct ja_line *line, char *text, size_t size); /* any word, copied with its zero */
bool ja_line_take_number(struct ja_line *line, uint32_t most, uint32_t *ret);
bool ja_line_at_end(const struct ja_line *line);

/* A program: how one of its lines becomes an operation of `size` bytes, zeroed before, and how that is done. */
struct ja_batch {
    size_t size;
    bool (*read)(struct ja_line *line, void *op); /* false: not known */
    /* Through a NETLINK_ROUTE socket of any namespace; `nl` is a buffer to use. 0 or -errno with the kernel's words. */
    int (*run)(int fd, struct ja_nl *nl, const void *op, char *words, size_t size);
};

/* argv[first] on is "-batch -". */
bool ja_batch_is(int argc, char *const *argv, int first);
/* `netns`: the file of the network namespace; NULL: ours. 0, JA_E_UNSUPPORTED, or a code with the line that failed. */
int ja_batch_run(const struct ja_batch *batch, const char *netns, const char *input, struct ja_error *err);

#endif
