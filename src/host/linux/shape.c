/*
 * shape.c: traffic shaping. What a jail is sent waits at the host's end of its pair, what it sends at an intermediate device (ifb)
 * to which the host's end hands it: both belong to the host, and the jail's root sees neither. The pair's queues go with the pair;
 * the ifb is an interface of its own, and stays until it is removed.
 *
 * A rate is tbf, with pfifo in it. Delays and losses are netem; with a rate as well, netem is the queue in tbf, and not the other
 * way round: kernels before 6.13 lose count of the large segments that a queue in netem divides, until netem takes no more. Each
 * kind has a handle of its own, so that `replace` leads from any to any other.
 */
#include "host/linux/linux.h"
#include "host/shape.h"
#include "plan/finding.h"

#include <stdio.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* What a bridge and a pair have when nobody asks for more: Ethernet's. */
#define MTU_DEFAULT 1500

typedef void add_input(struct ja_plan *plan, struct ja_step *step, const char *format, ...) JA_PRINTF(3, 4);

/* One direction of one nic. */
struct line {
    const struct ja_nic *nic;
    const struct ja_flow *flow;
    bool out;
    char link[16], ifb[16];
    int64_t mtu;
};

static void fill(const struct ja_planning *p, const struct ja_subject *s, size_t number, bool out, struct line *line)
{
    struct ja_linux_nic nic;
    ja_linux_nic_fill(p, s, number, &nic);
    int64_t mtu = nic.nic->mtu ? nic.nic->mtu : nic.network->mtu;
    *line = (struct line){.nic = nic.nic, .out = out, .mtu = mtu ? mtu : MTU_DEFAULT};
    line->flow = out ? &nic.nic->shape.out : &nic.nic->shape.in;
    memcpy(line->link, nic.link, sizeof line->link);
    ja_site_ifb_name(p->site, s->jail->slot, number, line->ifb);
}

static const char *device_of(const struct line *line)
{
    return line->out ? line->ifb : line->link;
}

static bool is_set(const struct line *line)
{
    return ja_flow_is_set(line->flow);
}

/* ---- whether this kernel can ---- */

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; at && (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static bool needs_netem(const struct ja_flow *flow)
{
    return flow->delay || flow->loss;
}

static void check_flow(void *context, const struct ja_nic *nic, const struct ja_flow *flow, bool out)
{
    struct ja_planning *p = context;
    const char *can = ja_fact(p->facts, JA_FACT_SHAPING, "");
    bool netem = !needs_netem(flow) || has_word(can, "netem"), tbf = !flow->rate || has_word(can, "tbf");
    bool ifb = !out || (has_word(can, "ifb") && has_word(can, "redirect"));
    if (netem && tbf && ifb)
        return;
    if (!netem)
        ja_flow_refuse(p->plan, nic, out, flow->delay ? "delay" : "loss",
                       "this kernel has no netem, which delays and loses packets (CONFIG_NET_SCH_NETEM)");
    else if (!tbf)
        ja_flow_refuse(p->plan, nic, out, "rate", "this kernel has no tbf, which keeps a rate (CONFIG_NET_SCH_TBF)");
    else
        ja_flow_refuse(p->plan, nic, out, "",
                       "this kernel cannot shape what a jail sends: it lacks ifb, or u32 and mirred (CONFIG_IFB, "
                       "CONFIG_NET_CLS_U32, CONFIG_NET_ACT_MIRRED)");
    ja_plan_hint(p->plan, "install all modules of the kernel: some systems have these in a package of their own%s",
                 netem ? "" : "; a rate alone does without netem");
}

void ja_linux_shape_check(struct ja_planning *p, const struct ja_jail *jail)
{
    if (jail->vnet == JA_VNET_YES) {
        ja_flow_each(jail, check_flow, p);
    } else if (ja_flow_each(jail, NULL, NULL)) {
        ja_plan_fail(p->plan, JA_E_UNSUPPORTED, "field nics.shape", "on Linux only jails with vnet=yes are shaped");
        ja_plan_hint(p->plan, "the packets of others are the host's own");
    }
}

void ja_linux_shape_examine(struct ja_planning *p, struct ja_findings *findings)
{
    const char *can = ja_fact(p->facts, JA_FACT_SHAPING, "");
    bool in = has_word(can, "tbf"), out = has_word(can, "ifb") && has_word(can, "redirect");
    const char *lacks = !in    ? "tbf: jails with a rate do not start"
                        : !out ? "ifb, or u32 and mirred: what jails send cannot be shaped"
                               : "netem: jails with a delay or a loss do not start";
    if (in && out && has_word(can, "netem"))
        ja_find(findings, JA_LEVEL_OK, "shaping", NULL, "rates, delays and losses");
    else
        ja_find(findings, JA_LEVEL_WARN, "shaping", "install all modules of the kernel, if jails are to be shaped",
                "the kernel has no %s", lacks);
}

/* ---- queues ---- */

static void add_loss(const struct ja_flow *flow, char text[96])
{
    double begin, end;
    text[0] = '\0';
    if (flow->loss && flow->loss_burst) {
        ja_flow_gilbert(flow, &begin, &end);
        snprintf(text, 96, " loss gemodel %.6f%% %.6f%%", begin * 100, end * 100);
    } else if (flow->loss) {
        snprintf(text, 96, " loss random %lld.%04lld%%", (long long)flow->loss / 10000, (long long)flow->loss % 10000);
    }
}

static void add_delay(const struct ja_flow *flow, char text[64])
{
    int n = flow->delay ? snprintf(text, 64, " delay %lldms", (long long)flow->delay) : 0;
    text[n] = '\0';
    if (flow->jitter)
        snprintf(text + n, (size_t)(64 - n), " %lldms", (long long)flow->jitter);
}

/* Lines for tc(8) that put this queue in the place of whatever is there. */
static void queue_lines(struct ja_plan *plan, struct ja_step *step, add_input *add, const struct line *line)
{
    const struct ja_flow *flow = line->flow;
    const char *device = device_of(line), *parent = flow->rate ? "parent 1:1 handle 20:" : "root handle 2:";
    char loss[96], delay[64];
    if (flow->rate)
        add(plan, step, "qdisc replace dev %s root handle 1: tbf rate %lldbit burst %lldb limit %lldb\n", device,
            (long long)flow->rate, (long long)ja_flow_burst(flow, line->mtu),
            (long long)(ja_flow_queue(flow, line->mtu) * line->mtu));
    add_loss(flow, loss);
    add_delay(flow, delay);
    if (needs_netem(flow))
        add(plan, step, "qdisc replace dev %s %s netem limit %lld%s%s\n", device, parent,
            (long long)ja_flow_line(flow, line->mtu), delay, loss);
    else
        add(plan, step, "qdisc replace dev %s parent 1:1 handle 10: pfifo limit %lld\n", device,
            (long long)ja_flow_queue(flow, line->mtu));
}

/* The removal of a queue, which may be gone already: one is put there first, since tc(8) fails where there is none. */
static void no_queue_lines(struct ja_plan *plan, struct ja_step *step, add_input *add, const char *device)
{
    add(plan, step, "qdisc replace dev %s root handle 3: pfifo limit 1000\nqdisc delete dev %s root\n", device, device);
}

static void redirect_lines(struct ja_plan *plan, struct ja_step *step, add_input *add, const struct line *line)
{
    add(plan, step,
        "qdisc add dev %s ingress\n"
        "filter add dev %s parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev %s\n",
        line->link, line->link, line->ifb);
}

static void no_redirect_lines(struct ja_plan *plan, struct ja_step *step, add_input *add, const struct line *line)
{
    add(plan, step, "qdisc replace dev %s ingress\nqdisc delete dev %s ingress\n", line->link, line->link);
}

static struct ja_step *tc_step(struct ja_planning *p, const struct line *line, const char *how)
{
    struct ja_step *step =
        ja_plan_step(p->plan, "shape what it %s by %s%s", line->out ? "sends" : "is sent", line->nic->label, how);
    ja_step_run(p->plan, step, TOOL("tc"), "-batch", "-", NULL);
    return step;
}

static void undo_tc(struct ja_planning *p, struct ja_step *step, const char *device)
{
    ja_step_undo(p->plan, step, TOOL("tc"), "-batch", "-", NULL);
    ja_step_guard(p->plan, step, JA_FACT_LINK, device, NULL);
}

static void mark_of(const struct ja_planning *p, const struct ja_subject *s, char mark[128])
{
    ja_site_mark(p->site, s->jail->uuid, mark);
}

static void make_ifb(struct ja_planning *p, const struct ja_subject *s, const struct line *line)
{
    char mark[128];
    mark_of(p, s, mark);
    struct ja_step *step =
        ja_plan_step(p->plan, "make %s, through which goes what it sends by %s", line->ifb, line->nic->label);
    ja_step_run(p->plan, step, TOOL("ip"), "-batch", "-", NULL);
    ja_step_input(p->plan, step, "link add %s type ifb\n", line->ifb);
    ja_step_input(p->plan, step, "link set dev %s alias \"%s\"", line->ifb, mark);
    if (line->mtu != MTU_DEFAULT)
        ja_step_input(p->plan, step, " mtu %lld", (long long)line->mtu);
    ja_step_input(p->plan, step, " addrgenmode none up\n");
    ja_step_undo_host(p, step, "link-remove", line->ifb, mark, NULL);
    ja_step_guard(p->plan, step, JA_FACT_LINK, line->ifb, NULL);
}

/* A direction that was not shaped until now. `fresh`: its pair was made by this plan, and takes all away again. */
static void add_line(struct ja_planning *p, const struct ja_subject *s, const struct line *line, bool fresh)
{
    if (line->out)
        make_ifb(p, s, line);
    struct ja_step *step = tc_step(p, line, "");
    queue_lines(p->plan, step, ja_step_input, line);
    if (!line->out && !fresh) {
        undo_tc(p, step, line->link);
        no_queue_lines(p->plan, step, ja_step_undo_input, line->link);
    }
    if (!line->out)
        return;
    /* The ifb's queue goes with it. */
    redirect_lines(p->plan, step, ja_step_input, line);
    if (!fresh) {
        undo_tc(p, step, line->link);
        no_redirect_lines(p->plan, step, ja_step_undo_input, line);
    }
}

static void remove_ifb(struct ja_planning *p, const struct ja_subject *s, const struct line *line)
{
    char mark[128];
    mark_of(p, s, mark);
    struct ja_step *step = ja_plan_host_step(p, "link-remove", "remove %s", line->ifb);
    ja_step_run(p->plan, step, line->ifb, mark, NULL);
}

/* Of a run whose init died: only the pair went with it. */
static void check_ifb(struct ja_planning *p, const struct ja_subject *s, const struct line *line)
{
    char mark[128];
    const char *alias = ja_fact(p->facts, JA_FACT_LINK, line->ifb);
    mark_of(p, s, mark);
    if (alias && strcmp(alias, mark) == 0)
        remove_ifb(p, s, line);
    else if (alias)
        ja_plan_fail(p->plan, JA_E_CONFLICT, NULL, "an interface %s exists already", line->ifb);
}

void ja_linux_shape_add(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line line;
            fill(p, s, i, out, &line);
            if (!is_set(&line))
                continue;
            if (out)
                check_ifb(p, s, &line);
            add_line(p, s, &line, true);
        }
}

/* ---- while it runs ---- */

void ja_linux_shape_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to)
{
    for (size_t i = 0; i < to->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line old, new;
            fill(p, from, i, out, &old);
            fill(p, to, i, out, &new);
            if (!is_set(&new) || ja_object_equal(&ja_noun_flow, old.flow, new.flow))
                continue;
            if (!is_set(&old)) {
                add_line(p, to, &new, false);
                continue;
            }
            struct ja_step *step = tc_step(p, &new, " anew");
            queue_lines(p->plan, step, ja_step_input, &new);
            undo_tc(p, step, device_of(&old));
            queue_lines(p->plan, step, ja_step_undo_input, &old);
        }
}

/* An end that is gone is no failure: the jail may have ended meanwhile. */
static void remove_line(struct ja_planning *p, const struct ja_subject *s, const struct line *line)
{
    struct ja_step *step = tc_step(p, line, " no more");
    step->flags |= JA_STEP_IGNORE;
    if (!line->out) {
        no_queue_lines(p->plan, step, ja_step_input, line->link);
        return;
    }
    no_redirect_lines(p->plan, step, ja_step_input, line);
    remove_ifb(p, s, line);
}

void ja_linux_shape_changed(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to)
{
    for (size_t i = 0; i < to->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line old, new;
            fill(p, from, i, out, &old);
            fill(p, to, i, out, &new);
            if (is_set(&old) && !is_set(&new))
                remove_line(p, to, &old);
        }
}

void ja_linux_shape_remove(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++) {
        struct line line;
        fill(p, s, i, true, &line);
        if (is_set(&line))
            remove_ifb(p, s, &line);
    }
}

/* ---- repair ---- */

static bool queue_is_there(struct ja_planning *p, const struct line *line)
{
    const char *kinds = ja_fact(p->facts, JA_FACT_QDISC, device_of(line));
    const struct ja_flow *flow = line->flow;
    bool netem = needs_netem(flow);
    return (!flow->rate || has_word(kinds, "tbf")) && (netem ? has_word(kinds, "netem") : has_word(kinds, "pfifo"));
}

static void repair_line(struct ja_planning *p, const struct ja_subject *s, const struct line *line)
{
    bool link = ja_fact(p->facts, JA_FACT_LINK, line->link), ifb = ja_fact(p->facts, JA_FACT_LINK, line->ifb);
    bool queue = queue_is_there(p, line);
    bool redirect = has_word(ja_fact(p->facts, JA_FACT_QDISC, line->link), "ingress");
    if (line->out && !ifb)
        make_ifb(p, s, line);
    if (link && queue && (!line->out || (ifb && redirect)))
        return;
    struct ja_step *step = tc_step(p, line, " again");
    queue_lines(p->plan, step, ja_step_input, line);
    if (!line->out)
        return;
    no_redirect_lines(p->plan, step, ja_step_input, line);
    redirect_lines(p->plan, step, ja_step_input, line);
}

void ja_linux_shape_repair(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line line;
            fill(p, s, i, out, &line);
            if (is_set(&line))
                repair_line(p, s, &line);
        }
}
