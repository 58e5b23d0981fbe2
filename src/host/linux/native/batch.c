/*
 * batch.c: lines of commands to the kernel's networking, as batch.h says.
 */
#include "host/linux/native/batch.h"
#include "host/linux/native/native.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *ja_line_peek(const struct ja_line *line)
{
    return line->next < line->count ? line->words[line->next] : "";
}

bool ja_line_take(struct ja_line *line, const char *word)
{
    if (line->next < line->count && strcmp(line->words[line->next], word) == 0) {
        line->next++;
        return true;
    }
    return false;
}

bool ja_line_take_two(struct ja_line *line, const char *first, const char *second)
{
    size_t start = line->next;
    if (ja_line_take(line, first) && ja_line_take(line, second))
        return true;
    line->next = start;
    return false;
}

bool ja_line_take_text(struct ja_line *line, char *text, size_t size)
{
    const char *word = ja_line_peek(line);
    if (!*word || strlen(word) >= size)
        return false;
    memcpy(text, word, strlen(word) + 1);
    line->next++;
    return true;
}

bool ja_line_take_number(struct ja_line *line, uint32_t most, uint32_t *ret)
{
    int64_t number;
    if (ja_opt_number("", ja_line_peek(line), 0, most, &number, NULL) < 0)
        return false;
    *ret = (uint32_t)number;
    line->next++;
    return true;
}

bool ja_line_at_end(const struct ja_line *line)
{
    return line->next == line->count;
}

struct ops {
    unsigned char *bytes;
    unsigned *lines; /* for errors, from 1 */
    size_t count;
};

static void ops_fini(struct ops *ops)
{
    ja_free(ops->bytes);
    ja_free(ops->lines);
}

static int read_all(const struct ja_batch *batch, const char *input, struct ops *ops, struct ja_error *err)
{
    size_t lines = 1;
    for (const char *c = input; *c; c++)
        lines += *c == '\n';
    ops->bytes = ja_calloc(lines, batch->size);
    ops->lines = ja_calloc(lines, sizeof *ops->lines);
    ja_autofree char *copy = ja_strdup(input);
    int rc = ops->bytes && ops->lines && copy ? 0 : ja_error_nomem(err);
    char *rest = copy;
    unsigned number = 0;
    for (char *text; rc == 0 && (text = strsep(&rest, "\n")) != NULL;) {
        ja_autostrv struct ja_strv words = {0};
        number++;
        int split = ja_str_split_words(text, &words);
        struct ja_line line = {.words = words.items, .count = words.count};
        if (split == -1)
            rc = ja_error_nomem(err);
        else if (split < 0 || (words.count && !batch->read(&line, ops->bytes + ops->count * batch->size)))
            rc = JA_E_UNSUPPORTED;
        else if (words.count)
            ops->lines[ops->count++] = number;
    }
    return rc;
}

/* One line of the input, for errors. */
static const char *nth_line(const char *input, unsigned number, char *text, size_t size)
{
    while (--number)
        input = strchr(input, '\n') + 1;
    snprintf(text, size, "%.*s", (int)strcspn(input, "\n"), input);
    return text;
}

bool ja_batch_is(int argc, char *const *argv, int first)
{
    return argc == first + 2 && strcmp(argv[first], "-batch") == 0 && strcmp(argv[first + 1], "-") == 0;
}

int ja_batch_run(const struct ja_batch *batch, const char *netns, const char *input, struct ja_error *err)
{
    JA_CLEANUP(ops_fini) struct ops ops = {0};
    char words[256], text[256];
    int rc = read_all(batch, input, &ops, err);
    if (rc < 0)
        return rc;
    ja_autoclose int there = netns ? ja_nl_open_in(netns, NETLINK_ROUTE) : -1;
    int fd = netns ? there : ja_nl_host(NETLINK_ROUTE);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot open a netlink socket%s%s", netns ? " in " : "",
                            netns ? netns : "");
    struct ja_nl nl = {0};
    for (size_t i = 0; rc == 0 && i < ops.count; i++) {
        words[0] = '\0';
        int failed = batch->run(fd, &nl, ops.bytes + i * batch->size, words, sizeof words);
        if (failed < 0)
            rc = ja_error_sys(err, -failed, NULL, "line %u, \"%s\"%s%s", ops.lines[i],
                              JA_SHOW(nth_line(input, ops.lines[i], text, sizeof text)), words[0] ? ": " : "", words);
    }
    ja_nl_fini(&nl);
    return rc;
}
