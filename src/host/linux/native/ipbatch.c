/*
 * ipbatch.c: `ip -batch -`, here or in another network namespace, for the lines that our plans write.
 */
#include "host/linux/native/ipbatch.h"
#include "host/linux/native/native.h"

#include <string.h>

static bool take_mac(struct ja_line *line, uint8_t mac[6])
{
    if (ja_mac_parse(ja_line_peek(line), mac) < 0)
        return false;
    line->next++;
    return true;
}

static bool take_address(struct ja_line *line, struct ja_addr *addr)
{
    if (ja_addr_parse(ja_line_peek(line), addr, NULL) < 0)
        return false;
    line->next++;
    return true;
}

static bool take_one_queue(struct ja_line *line)
{
    return ja_line_take_two(line, "numtxqueues", "1") && ja_line_take_two(line, "numrxqueues", "1");
}

/* link add NAME numtxqueues 1 numrxqueues 1 type veth peer name PEER numtxqueues 1 numrxqueues 1 address MAC netns PATH */
static bool read_veth(struct ja_line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_ADD_VETH;
    return ja_line_take_text(line, op->name, sizeof op->name) && take_one_queue(line) &&
           ja_line_take_two(line, "type", "veth") && ja_line_take_two(line, "peer", "name") &&
           ja_line_take_text(line, op->other, sizeof op->other) && take_one_queue(line) &&
           ja_line_take(line, "address") && take_mac(line, op->mac) && ja_line_take(line, "netns") &&
           ja_line_take_text(line, op->text, sizeof op->text) && op->text[0] == '/' && ja_line_at_end(line);
}

/* link add name NAME address MAC type bridge stp_state 0 forward_delay 0 */
static bool read_bridge(struct ja_line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_ADD_BRIDGE;
    return ja_line_take(line, "name") && ja_line_take_text(line, op->name, sizeof op->name) &&
           ja_line_take(line, "address") && take_mac(line, op->mac) && ja_line_take_two(line, "type", "bridge") &&
           ja_line_take_two(line, "stp_state", "0") && ja_line_take_two(line, "forward_delay", "0") &&
           ja_line_at_end(line);
}

/* link set dev NAME [alias TEXT] [mtu N] [master NAME] [nomaster] [addrgenmode none] [up] */
static bool read_set(struct ja_line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_SET_LINK;
    if (!ja_line_take(line, "dev") || !ja_line_take_text(line, op->name, sizeof op->name) || ja_line_at_end(line))
        return false;
    while (!ja_line_at_end(line)) {
        bool known = false;
        if (ja_line_take(line, "alias"))
            known = op->has_alias = ja_line_take_text(line, op->text, sizeof op->text);
        else if (ja_line_take(line, "mtu"))
            known = ja_line_take_number(line, 65535, &op->mtu) && op->mtu > 0;
        else if (ja_line_take(line, "master"))
            known = ja_line_take_text(line, op->other, sizeof op->other);
        else if (ja_line_take(line, "nomaster"))
            known = op->no_master = true;
        else if (ja_line_take_two(line, "addrgenmode", "none"))
            known = op->no_address = true;
        else if (ja_line_take(line, "up"))
            known = op->up = true;
        if (!known)
            return false;
    }
    return true;
}

/* addr add ADDRESS/LEN dev NAME [nodad] */
static bool read_address(struct ja_line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_ADD_ADDRESS;
    if (!take_address(line, &op->addr) || !ja_line_take(line, "dev") ||
        !ja_line_take_text(line, op->name, sizeof op->name))
        return false;
    op->no_dad = ja_line_take(line, "nodad");
    return ja_line_at_end(line);
}

/* neigh replace ADDRESS lladdr MAC dev NAME nud permanent */
static bool read_neighbour(struct ja_line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_SET_NEIGHBOUR;
    return take_address(line, &op->addr) && op->addr.prefix < 0 && ja_line_take(line, "lladdr") &&
           take_mac(line, op->mac) && ja_line_take(line, "dev") && ja_line_take_text(line, op->name, sizeof op->name) &&
           ja_line_take_two(line, "nud", "permanent") && ja_line_at_end(line);
}

/* neigh flush to ADDRESS dev NAME nud permanent */
static bool read_flush(struct ja_line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_FLUSH_NEIGHBOUR;
    return ja_line_take(line, "to") && take_address(line, &op->addr) && op->addr.prefix < 0 &&
           ja_line_take(line, "dev") && ja_line_take_text(line, op->name, sizeof op->name) &&
           ja_line_take_two(line, "nud", "permanent") && ja_line_at_end(line);
}

/* route add default|PREFIX via GATEWAY [dev NAME] */
static bool read_route(struct ja_line *line, struct ja_ip_op *op)
{
    op->kind = JA_IP_ADD_ROUTE;
    op->is_default = ja_line_take(line, "default");
    if (!op->is_default && !take_address(line, &op->addr))
        return false;
    if (!ja_line_take(line, "via") || !take_address(line, &op->gateway) || op->gateway.prefix >= 0)
        return false;
    if (!op->is_default && op->addr.v6 != op->gateway.v6)
        return false;
    if (!ja_line_at_end(line) && !(ja_line_take(line, "dev") && ja_line_take_text(line, op->name, sizeof op->name)))
        return false;
    return ja_line_at_end(line);
}

static bool read_line(struct ja_line *line, void *into)
{
    struct ja_ip_op *op = into;
    if (ja_line_take_two(line, "link", "add"))
        return strcmp(ja_line_peek(line), "name") == 0 ? read_bridge(line, op) : read_veth(line, op);
    if (ja_line_take_two(line, "link", "set"))
        return read_set(line, op);
    if (ja_line_take_two(line, "addr", "add"))
        return read_address(line, op);
    if (ja_line_take_two(line, "neigh", "replace"))
        return read_neighbour(line, op);
    if (ja_line_take_two(line, "neigh", "flush"))
        return read_flush(line, op);
    return ja_line_take_two(line, "route", "add") && read_route(line, op);
}

static int run_line(int fd, struct ja_nl *nl, const void *op, char *words, size_t size)
{
    return ja_ip_run(fd, nl, op, words, size);
}

static const struct ja_batch ip_batch = {.size = sizeof(struct ja_ip_op), .read = read_line, .run = run_line};

int ja_native_ip(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    return ja_batch_is(argc, argv, 1) ? ja_batch_run(&ip_batch, NULL, io->input, err) : JA_E_UNSUPPORTED;
}

/* nsenter --net=PATH .../ip -batch - */
int ja_native_nsenter(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    if (!ja_batch_is(argc, argv, 3) || !ja_str_starts(argv[1], "--net=/"))
        return JA_E_UNSUPPORTED;
    const char *slash = strrchr(argv[2], '/');
    if (!slash || strcmp(slash, "/ip") != 0)
        return JA_E_UNSUPPORTED;
    return ja_batch_run(&ip_batch, argv[1] + strlen("--net="), io->input, err);
}
