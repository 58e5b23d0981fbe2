/*
 * tcbatch.c: `tc -batch -` for the lines that our plans write: tbf, netem, pfifo, and the redirection to an ifb. The program asks the
 * kernel for all interfaces of the host first, so that it takes longer the more jails run.
 */
#include "host/linux/native/batch.h"
#include "host/linux/native/native.h"

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum tc_kind { TC_TBF, TC_NETEM, TC_PFIFO, TC_INGRESS, TC_REDIRECT, TC_NONE };

struct tc_op {
    enum tc_kind kind;
    unsigned type, flags; /* RTM_*, NLM_F_* */
    char device[16], to[16];
    uint32_t parent, handle;
    uint64_t rate;         /* tbf; bytes a second */
    uint32_t burst, limit; /* bytes, or packets */
    int64_t delay, jitter; /* netem; ns */
    uint32_t loss;         /* of 2^32 - 1; begin and end of losses in a row with `burst_loss` */
    uint32_t begin, end;
    bool burst_loss;
};

/* ---- reading ---- */

/* A number and its unit, as tc(8) takes them without a space. */
static bool take_unit(struct ja_line *line, const char *unit, uint64_t most, uint64_t *ret)
{
    const char *word = ja_line_peek(line);
    size_t digits = strspn(word, "0123456789");
    char text[20];
    int64_t number;
    if (digits == 0 || digits >= sizeof text || strcmp(word + digits, unit) != 0)
        return false;
    memcpy(text, word, digits);
    text[digits] = '\0';
    if (ja_opt_number("", text, 0, (int64_t)most, &number, NULL) < 0)
        return false;
    *ret = (uint64_t)number;
    line->next++;
    return true;
}

static bool take_unit32(struct ja_line *line, const char *unit, uint32_t *ret)
{
    uint64_t number;
    if (!take_unit(line, unit, UINT32_MAX, &number))
        return false;
    *ret = (uint32_t)number;
    return true;
}

/* "1.5%" as a part of 2^32 - 1, by the same arithmetic as tc(8). */
static bool take_percent(struct ja_line *line, uint32_t *ret)
{
    const char *word = ja_line_peek(line);
    size_t whole = strspn(word, "0123456789"), part = word[whole] == '.' ? strspn(word + whole + 1, "0123456789") : 0;
    size_t length = whole + (part ? part + 1 : 0);
    if (whole == 0 || length > 16 || strcmp(word + length, "%") != 0)
        return false;
    double share = strtod(word, NULL) / 100;
    if (share > 1)
        return false;
    *ret = (uint32_t)rint(share * UINT32_MAX);
    line->next++;
    return true;
}

static bool read_tbf(struct ja_line *line, struct tc_op *op)
{
    uint64_t bits;
    if (!ja_line_take(line, "rate") || !take_unit(line, "bit", INT64_MAX, &bits) || !ja_line_take(line, "burst") ||
        !take_unit32(line, "b", &op->burst) || !ja_line_take(line, "limit") || !take_unit32(line, "b", &op->limit))
        return false;
    op->kind = TC_TBF;
    op->rate = bits / 8;
    return op->rate > 0 && op->burst > 0;
}

static bool read_netem(struct ja_line *line, struct tc_op *op)
{
    op->kind = TC_NETEM;
    if (!ja_line_take(line, "limit") || !take_unit32(line, "", &op->limit))
        return false;
    if (ja_line_take(line, "delay")) {
        uint64_t ms, jitter = 0;
        if (!take_unit(line, "ms", UINT32_MAX, &ms))
            return false;
        take_unit(line, "ms", UINT32_MAX, &jitter);
        op->delay = (int64_t)ms * 1000000;
        op->jitter = (int64_t)jitter * 1000000;
    }
    if (!ja_line_take(line, "loss"))
        return true;
    op->burst_loss = ja_line_take(line, "gemodel");
    return op->burst_loss ? take_percent(line, &op->begin) && take_percent(line, &op->end)
                          : ja_line_take(line, "random") && take_percent(line, &op->loss);
}

static bool read_pfifo(struct ja_line *line, struct tc_op *op)
{
    op->kind = TC_PFIFO;
    return ja_line_take(line, "limit") && take_unit32(line, "", &op->limit);
}

/* What our plans call them. */
static bool take_handle(struct ja_line *line, uint32_t *ret)
{
    static const struct {
        const char *word;
        uint32_t number;
    } handles[] = {{"1:", 0x10000}, {"2:", 0x20000}, {"3:", 0x30000}, {"10:", 0x100000}, {"20:", 0x200000}};
    for (size_t i = 0; i < JA_COUNT(handles); i++)
        if (ja_line_take(line, handles[i].word)) {
            *ret = handles[i].number;
            return true;
        }
    return false;
}

/* qdisc add|replace|delete dev NAME ingress | root | (root|parent 1:1) handle N: KIND ... */
static bool read_qdisc(struct ja_line *line, struct tc_op *op)
{
    bool delete = ja_line_take(line, "delete");
    op->type = delete ? RTM_DELQDISC : RTM_NEWQDISC;
    if (delete)
        op->flags = 0;
    else if (ja_line_take(line, "replace"))
        op->flags = NLM_F_CREATE | NLM_F_REPLACE;
    else if (ja_line_take(line, "add"))
        op->flags = NLM_F_CREATE | NLM_F_EXCL;
    else
        return false;
    if (!ja_line_take(line, "dev") || !ja_line_take_text(line, op->device, sizeof op->device))
        return false;
    if (ja_line_take(line, "ingress")) {
        op->kind = TC_INGRESS;
        op->parent = TC_H_INGRESS;
        op->handle = TC_H_MAKE(TC_H_INGRESS, 0);
        return true;
    }
    if (ja_line_take(line, "root"))
        op->parent = TC_H_ROOT;
    else if (ja_line_take_two(line, "parent", "1:1"))
        op->parent = 0x10001;
    else
        return false;
    op->kind = TC_NONE;
    if (delete)
        return op->parent == TC_H_ROOT;
    if (!ja_line_take(line, "handle") || !take_handle(line, &op->handle))
        return false;
    return ja_line_take(line, "tbf")     ? read_tbf(line, op)
           : ja_line_take(line, "netem") ? read_netem(line, op)
           : ja_line_take(line, "pfifo") ? read_pfifo(line, op)
                                         : false;
}

/* filter add dev NAME parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev NAME */
static bool read_filter(struct ja_line *line, struct tc_op *op)
{
    static const char *const between[] = {"parent", "ffff:",  "protocol", "all", "prio", "1",
                                          "u32",    "match",  "u32",      "0",   "0",    "action",
                                          "mirred", "egress", "redirect", "dev"};
    *op = (struct tc_op){.kind = TC_REDIRECT,
                         .type = RTM_NEWTFILTER,
                         .flags = NLM_F_CREATE | NLM_F_EXCL,
                         .parent = TC_H_MAKE(TC_H_INGRESS, 0)};
    bool same = ja_line_take_two(line, "add", "dev") && ja_line_take_text(line, op->device, sizeof op->device);
    for (size_t i = 0; i < JA_COUNT(between); i++)
        same = same && ja_line_take(line, between[i]);
    return same && ja_line_take_text(line, op->to, sizeof op->to);
}

static bool read_line(struct ja_line *line, void *into)
{
    bool known = ja_line_take(line, "qdisc")    ? read_qdisc(line, into)
                 : ja_line_take(line, "filter") ? read_filter(line, into)
                                                : false;
    return known && ja_line_at_end(line);
}

/* ---- doing ---- */

/* In the unit of the kernel's packet schedulers, 64 ns on all kernels since 2.6.31. */
static uint32_t ticks_to_send(uint64_t rate, uint32_t bytes)
{
    double ticks = ceil((double)bytes / (double)rate * 1000000 * 15.625);
    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

static void add_tbf(struct ja_nl *nl, const struct tc_op *op)
{
    struct tc_tbf_qopt options = {.limit = op->limit, .buffer = ticks_to_send(op->rate, op->burst)};
    /* The table of times that tc(8) sends as well is for kernels before 3.8, and those that are not told the kind of link. */
    options.rate.rate = op->rate < UINT32_MAX ? (uint32_t)op->rate : UINT32_MAX;
    options.rate.linklayer = TC_LINKLAYER_ETHERNET;
    options.rate.cell_log = 3; /* frames of 2047 bytes in 256 steps */
    options.rate.cell_align = -1;
    size_t nest = ja_nl_nest(nl, TCA_OPTIONS);
    ja_nl_attr(nl, TCA_TBF_PARMS, &options, sizeof options);
    ja_nl_u32(nl, TCA_TBF_BURST, op->burst);
    if (op->rate > UINT32_MAX)
        ja_nl_attr(nl, TCA_TBF_RATE64, &op->rate, sizeof op->rate);
    ja_nl_nest_end(nl, nest);
}

/* Its options are a structure, with attributes behind it. */
static void add_netem(struct ja_nl *nl, const struct tc_op *op)
{
    struct tc_netem_qopt options = {.limit = op->limit, .loss = op->loss};
    size_t all = nl->length;
    ja_nl_attr(nl, TCA_OPTIONS, &options, sizeof options);
    if (op->delay)
        ja_nl_attr(nl, TCA_NETEM_LATENCY64, &op->delay, sizeof op->delay);
    if (op->jitter)
        ja_nl_attr(nl, TCA_NETEM_JITTER64, &op->jitter, sizeof op->jitter);
    if (op->burst_loss) {
        struct tc_netem_gemodel model = {.p = op->begin, .r = op->end};
        size_t loss = ja_nl_nest(nl, TCA_NETEM_LOSS);
        ja_nl_attr(nl, NETEM_LOSS_GE, &model, sizeof model);
        ja_nl_nest_end(nl, loss);
    }
    ja_nl_nest_end(nl, all);
}

static void add_redirect(struct ja_nl *nl, uint32_t to)
{
    const struct tc_u32_sel sel = {.flags = TC_U32_TERMINAL, .nkeys = 1};
    unsigned char all[sizeof sel + sizeof(struct tc_u32_key)] = {
        0}; /* its only key, which fits everything, follows it */
    struct tc_mirred redirect = {.action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = to};
    size_t options = ja_nl_nest(nl, TCA_OPTIONS), actions = ja_nl_nest(nl, TCA_U32_ACT), first = ja_nl_nest(nl, 1);
    ja_nl_text(nl, TCA_ACT_KIND, "mirred");
    size_t how = ja_nl_nest(nl, TCA_ACT_OPTIONS);
    ja_nl_attr(nl, TCA_MIRRED_PARMS, &redirect, sizeof redirect);
    ja_nl_nest_end(nl, how);
    ja_nl_nest_end(nl, first);
    ja_nl_nest_end(nl, actions);
    memcpy(all, &sel, sizeof sel);
    ja_nl_attr(nl, TCA_U32_SEL, all, sizeof all);
    ja_nl_nest_end(nl, options);
}

static uint32_t index_of(const char *name, char *words, size_t size)
{
    uint32_t index = if_nametoindex(name);
    if (!index)
        snprintf(words, size, "no interface %s", name);
    return index;
}

static int run_line(int fd, struct ja_nl *nl, const void *what, char *words, size_t size)
{
    static const char *const kinds[] = {
        [TC_TBF] = "tbf", [TC_NETEM] = "netem", [TC_PFIFO] = "pfifo", [TC_INGRESS] = "ingress", [TC_REDIRECT] = "u32"};
    const struct tc_op *op = what;
    struct tc_fifo_qopt fifo = {.limit = op->limit};
    struct tcmsg header = {.tcm_family = AF_UNSPEC, .tcm_parent = op->parent, .tcm_handle = op->handle};
    uint32_t device = index_of(op->device, words, size), to = *op->to ? index_of(op->to, words, size) : 1;
    if (!device || !to)
        return -ENODEV;
    header.tcm_ifindex = (int)device;
    if (op->kind == TC_REDIRECT)
        header.tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_ALL)); /* priority 1 */
    ja_nl_reset(nl);
    ja_nl_message(nl, op->type, op->flags | NLM_F_ACK, &header, sizeof header);
    if (op->kind != TC_NONE)
        ja_nl_text(nl, TCA_KIND, kinds[op->kind]);
    switch (op->kind) {
    case TC_TBF:
        add_tbf(nl, op);
        break;
    case TC_NETEM:
        add_netem(nl, op);
        break;
    case TC_PFIFO:
        ja_nl_attr(nl, TCA_OPTIONS, &fifo, sizeof fifo);
        break;
    case TC_REDIRECT:
        add_redirect(nl, to);
        break;
    case TC_INGRESS:
    case TC_NONE:
        break;
    }
    return ja_nl_request(fd, nl, NULL, NULL, words, size);
}

static const struct ja_batch tc_batch = {.size = sizeof(struct tc_op), .read = read_line, .run = run_line};

int ja_native_tc(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    return ja_batch_is(argc, argv, 1) ? ja_batch_run(&tc_batch, NULL, io->input, err) : JA_E_UNSUPPORTED;
}
