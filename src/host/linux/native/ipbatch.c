/*
 * ipbatch.c: `ip -batch -`, here or in another network namespace, for the lines that our plans write. All
 * lines are read first; one that is not known here declines the whole, and the program is run.
 */
#include "host/linux/native/ipbatch.h"
#include "host/linux/native/native.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A line being read: its words from `next` on. */
struct line {
    char *const *words;
    size_t count, next;
};

static const char *peek(const struct line *line)
{
    return line->next < line->count ? line->words[line->next] : "";
}

/* Takes the word if it is the next one. */
static bool take(struct line *line, const char *word)
{
    if (line->next < line->count && strcmp(line->words[line->next], word) == 0) {
        line->next++;
        return true;
    }
    return false;
}

static bool take_all(struct line *line, const char *first, const char *second)
{
    size_t start = line->next;
    if (take(line, first) && take(line, second))
        return true;
    line->next = start;
    return false;
}

/* Takes any word, copied with its zero. */
static bool take_text(struct line *line, char *text, size_t size)
{
    const char *word = peek(line);
    if (!*word || strlen(word) >= size)
        return false;
    memcpy(text, word, strlen(word) + 1);
    line->next++;
    return true;
}

static bool take_number(struct line *line, uint32_t most, uint32_t *ret)
{
    int64_t number;
    if (ja_opt_number("", peek(line), 0, most, &number, NULL) < 0)
        return false;
    *ret = (uint32_t)number;
    line->next++;
    return true;
}

static bool take_mac(struct line *line, uint8_t mac[6])
{
    if (ja_mac_parse(peek(line), mac) < 0)
        return false;
    line->next++;
    return true;
}

static bool take_address(struct line *line, struct ja_addr *addr)
{
    if (ja_addr_parse(peek(line), addr, NULL) < 0)
        return false;
    line->next++;
    return true;
}

static bool at_end(const struct line *line)
{
    return line->next == line->count;
}

static bool take_one_queue(struct line *line)
{
    return take_all(line, "numtxqueues", "1") && take_all(line, "numrxqueues", "1");
}

/* link add NAME numtxqueues 1 numrxqueues 1 type veth peer name PEER numtxqueues 1 numrxqueues 1 address MAC netns PATH */
static bool read_veth(struct line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_ADD_VETH;
    return take_text(line, op->name, sizeof op->name) && take_one_queue(line) && take_all(line, "type", "veth") &&
           take_all(line, "peer", "name") && take_text(line, op->other, sizeof op->other) && take_one_queue(line) &&
           take(line, "address") && take_mac(line, op->mac) && take(line, "netns") &&
           take_text(line, op->text, sizeof op->text) && op->text[0] == '/' && at_end(line);
}

/* link add name NAME address MAC type bridge stp_state 0 forward_delay 0 */
static bool read_bridge(struct line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_ADD_BRIDGE;
    return take(line, "name") && take_text(line, op->name, sizeof op->name) && take(line, "address") &&
           take_mac(line, op->mac) && take_all(line, "type", "bridge") && take_all(line, "stp_state", "0") &&
           take_all(line, "forward_delay", "0") && at_end(line);
}

/* link set dev NAME [alias TEXT] [mtu N] [master NAME] [nomaster] [addrgenmode none] [up] */
static bool read_set(struct line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_SET_LINK;
    if (!take(line, "dev") || !take_text(line, op->name, sizeof op->name) || at_end(line))
        return false;
    while (!at_end(line)) {
        bool known = false;
        if (take(line, "alias"))
            known = op->has_alias = take_text(line, op->text, sizeof op->text);
        else if (take(line, "mtu"))
            known = take_number(line, 65535, &op->mtu) && op->mtu > 0;
        else if (take(line, "master"))
            known = take_text(line, op->other, sizeof op->other);
        else if (take(line, "nomaster"))
            known = op->no_master = true;
        else if (take_all(line, "addrgenmode", "none"))
            known = op->no_address = true;
        else if (take(line, "up"))
            known = op->up = true;
        if (!known)
            return false;
    }
    return true;
}

/* addr add ADDRESS/LEN dev NAME [nodad] */
static bool read_address(struct line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_ADD_ADDRESS;
    if (!take_address(line, &op->addr) || !take(line, "dev") || !take_text(line, op->name, sizeof op->name))
        return false;
    op->no_dad = take(line, "nodad");
    return at_end(line);
}

/* neigh replace ADDRESS lladdr MAC dev NAME nud permanent */
static bool read_neighbour(struct line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_SET_NEIGHBOUR;
    return take_address(line, &op->addr) && op->addr.prefix < 0 && take(line, "lladdr") && take_mac(line, op->mac) &&
           take(line, "dev") && take_text(line, op->name, sizeof op->name) && take_all(line, "nud", "permanent") &&
           at_end(line);
}

/* neigh flush to ADDRESS dev NAME nud permanent */
static bool read_flush(struct line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_FLUSH_NEIGHBOUR;
    return take(line, "to") && take_address(line, &op->addr) && op->addr.prefix < 0 && take(line, "dev") &&
           take_text(line, op->name, sizeof op->name) && take_all(line, "nud", "permanent") && at_end(line);
}

/* route add default|PREFIX via GATEWAY [dev NAME] */
static bool read_route(struct line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_ADD_ROUTE;
    op->is_default = take(line, "default");
    if (!op->is_default && !take_address(line, &op->addr))
        return false;
    if (!take(line, "via") || !take_address(line, &op->gateway) || op->gateway.prefix >= 0)
        return false;
    if (!op->is_default && op->addr.v6 != op->gateway.v6)
        return false;
    if (!at_end(line) && !(take(line, "dev") && take_text(line, op->name, sizeof op->name)))
        return false;
    return at_end(line);
}

static bool read_line(struct line *line, struct ja_ip_op *op)
{
    if (take_all(line, "link", "add"))
        return strcmp(peek(line), "name") == 0 ? read_bridge(line, op) : read_veth(line, op);
    if (take_all(line, "link", "set"))
        return read_set(line, op);
    if (take_all(line, "addr", "add"))
        return read_address(line, op);
    if (take_all(line, "neigh", "replace"))
        return read_neighbour(line, op);
    if (take_all(line, "neigh", "flush"))
        return read_flush(line, op);
    return take_all(line, "route", "add") && read_route(line, op);
}

/* Reads all lines into *ret_ops (the caller's). 0, JA_E_UNSUPPORTED or JA_E_NOMEM. */
static int read_batch(const char *input, struct ja_ip_op **ret_ops, size_t *ret_count, struct ja_error *err)
{
    size_t lines = 1, count = 0;
    for (const char *c = input; *c; c++)
        lines += *c == '\n';
    struct ja_ip_op *ops = ja_calloc(lines, sizeof *ops);
    ja_autofree char *copy = ja_strdup(input);
    int rc = ops && copy ? 0 : ja_error_nomem(err);
    char *rest = copy;
    unsigned number = 0;
    for (char *text; rc == 0 && (text = strsep(&rest, "\n")) != NULL;) {
        ja_autostrv struct ja_strv words = {0};
        number++;
        int split = ja_str_split_words(text, &words);
        struct line line = {.words = words.items, .count = words.count};
        if (split == -1)
            rc = ja_error_nomem(err);
        else if (split < 0 || (words.count && !read_line(&line, &ops[count])))
            rc = JA_E_UNSUPPORTED;
        else if (words.count)
            ops[count++].line = number;
    }
    if (rc < 0) {
        ja_free(ops);
        return rc;
    }
    *ret_ops = ops;
    *ret_count = count;
    return 0;
}

/* One line of the input, for errors. */
static const char *nth_line(const char *input, unsigned number, char *text, size_t size)
{
    while (--number)
        input = strchr(input, '\n') + 1;
    snprintf(text, size, "%.*s", (int)strcspn(input, "\n"), input);
    return text;
}

static int run_batch(const char *netns, const char *input, struct ja_error *err)
{
    struct ja_ip_op *ops;
    size_t count;
    char words[256], text[256];
    int rc = read_batch(input, &ops, &count, err);
    if (rc < 0)
        return rc;
    ja_autoclose int there = netns ? ja_nl_open_in(netns, NETLINK_ROUTE) : -1;
    int fd = netns ? there : ja_nl_host(NETLINK_ROUTE);
    if (fd < 0)
        rc =
            ja_error_sys(err, errno, NULL, "cannot open a netlink socket%s%s", netns ? " in " : "", netns ? netns : "");
    struct ja_nl nl = {0};
    for (size_t i = 0; rc == 0 && i < count; i++) {
        int failed = ja_ip_run(fd, &nl, &ops[i], words, sizeof words);
        if (failed < 0)
            rc = ja_error_sys(err, -failed, NULL, "line %u, \"%s\"%s%s", ops[i].line,
                              JA_SHOW(nth_line(input, ops[i].line, text, sizeof text)), words[0] ? ": " : "", words);
    }
    ja_nl_fini(&nl);
    ja_free(ops);
    return rc;
}

static bool is_batch(int argc, char *const *argv, int first)
{
    return argc == first + 2 && strcmp(argv[first], "-batch") == 0 && strcmp(argv[first + 1], "-") == 0;
}

int ja_native_ip(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    return is_batch(argc, argv, 1) ? run_batch(NULL, io->input, err) : JA_E_UNSUPPORTED;
}

/* nsenter --net=PATH .../ip -batch - */
int ja_native_nsenter(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    if (!is_batch(argc, argv, 3) || !ja_str_starts(argv[1], "--net=/"))
        return JA_E_UNSUPPORTED;
    const char *slash = strrchr(argv[2], '/');
    if (!slash || strcmp(slash, "/ip") != 0)
        return JA_E_UNSUPPORTED;
    return run_batch(argv[1] + strlen("--net="), io->input, err);
}
