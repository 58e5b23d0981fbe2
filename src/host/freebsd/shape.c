/*
 * shape.c: traffic shaping by dummynet, in the jail's own network stack, where each packet passes once: a pipe for each direction
 * of a nic, and a rule that leads through it. Rules on the bridge would see packets not at all, or twice.
 *
 * A jail that shares the host's stack has its pipes there; its addresses are entries of the tables `shout` and `shin`, with the number
 * of the pipe, which constant rules look into (rules.c): what it sends, before its address is translated, and what it is sent,
 * afterwards. Its root cannot reach them.
 *
 * A delay that varies is several pipes of different delays, of which chance chooses one for each packet; then comes the pipe of the rate, as
 * for any other. A tag keeps a packet that has been in one from the others.
 *
 * The rules come before all others of the jail, and what has passed a pipe goes on through these (one_pass 0), so that the jail's own
 * firewall stays one. With shape.enforce the jail has a securelevel of 3, at which its root changes neither rules nor pipes; we
 * lower it for as long as a change takes. Its rules then know the nic by its addresses too: an interface can be given another name,
 * but the host takes no other addresses from it.
 */
#include "host/freebsd/rules.h"
#include "host/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOL(name) ja_plan_tool(p->plan, p->facts, name)

/* Numbers in the jail's own ipfw: rules before those of /etc/rc.firewall, which begin at 100; pipes at the end of the 65535 that
 * there may be. The direction out has the next number, and rules that are enforced have others than those that are not. */
enum { RULE_FIRST = 1, PIPE_FIRST = 60001 };
/* A direction whose delay varies has other rules than one whose does not, counted downwards, so that either can take the other's place; pipes
 * for so many delays (with an even number the mean deviation is that of all delays between); and its pipe's number as a tag. */
enum { VARIED_LAST = 96, NICS_VARIED = 24, DELAYS = 6, DELAY_FIRST = 61001 };
enum { MTU_DEFAULT = 1500, SECURELEVEL = 3, HZ = 1000, ROWS_SINCE = 1500000 };
/* What dummynet takes where nobody has set net.inet.ip.dummynet.pipe_slot_limit and pipe_byte_limit otherwise; and the largest
 * rate, which it keeps in 32 bits. */
#define SLOTS_MOST 100
#define KBYTES_MOST 1000
#define RATE_MOST 4294967295

struct line {
    struct ja_freebsd_nic nic;
    const struct ja_flow *flow;
    bool out;
    unsigned rule, pipe;
};

static void fill(const struct ja_planning *p, const struct ja_subject *s, size_t number, bool out, struct line *line)
{
    *line = (struct line){.out = out};
    ja_freebsd_nic_fill(p, s, number, &line->nic);
    line->flow = out ? &line->nic.nic->shape.out : &line->nic.nic->shape.in;
    line->rule = line->flow->jitter ? VARIED_LAST - 4 * (unsigned)number : RULE_FIRST + 4 * (unsigned)number;
    line->rule += (line->nic.nic->shape.enforce ? 2U : 0U) + out;
    line->pipe = PIPE_FIRST + 2 * (unsigned)number + out;
    /* On the host, by the number that no other nic of any instance has: less than 32,768. */
    if (s->jail->vnet != JA_VNET_YES)
        line->pipe = 2 * (unsigned)line->nic.nic->unit + out;
}

static bool is_set(const struct line *line)
{
    return ja_flow_is_set(line->flow);
}

/* ---- whether this host can ---- */

static int64_t slots_most(struct ja_planning *p)
{
    const char *limit = ja_fact(p->facts, JA_FACT_SYSCTL, "net.inet.ip.dummynet.pipe_slot_limit");
    return limit ? atoll(limit) : SLOTS_MOST;
}

/* The two states of Gilbert and Elliott came with 15. */
static bool knows_rows(struct ja_planning *p)
{
    size_t missing = p->facts->missing;
    const char *date = ja_fact(p->facts, JA_FACT_SYSCTL, "kern.osreldate");
    return p->facts->missing != missing || (date && atoll(date) >= ROWS_SINCE);
}

struct checking {
    struct ja_planning *p;
    const struct ja_jail *jail;
};

static void check_jitter(const struct checking *checking, const struct ja_nic *nic, bool out)
{
    size_t number = 0;
    while (checking->jail->nics.items[number] != nic)
        number++;
    if (checking->jail->vnet != JA_VNET_YES)
        ja_flow_refuse(checking->p->plan, nic, out, "jitter",
                       "the host delays all packets of a jail with vnet=shared alike");
    else if (checking->jail->nics.count + number >= NICS_VARIED)
        ja_flow_refuse(checking->p->plan, nic, out, "jitter",
                       "there are not enough numbers of rules for a delay that varies with so many nics");
}

static void check_flow(void *context, const struct ja_nic *nic, const struct ja_flow *flow, bool out)
{
    const struct checking *checking = context;
    struct ja_planning *p = checking->p;
    char why[128];
    if (flow->jitter)
        check_jitter(checking, nic, out);
    if (flow->loss_burst && !knows_rows(p))
        ja_flow_refuse(p->plan, nic, out, "loss-burst",
                       "dummynet of this kernel loses each packet by itself; that of 15.0 knows rows");
    if (flow->rate > RATE_MOST)
        ja_flow_refuse(p->plan, nic, out, "rate", "dummynet keeps no rate above 4294967295bit");
    if (flow->queue > slots_most(p)) {
        snprintf(why, sizeof why, "%lld packets were given; net.inet.ip.dummynet.pipe_slot_limit allows %lld",
                 (long long)flow->queue, (long long)slots_most(p));
        ja_flow_refuse(p->plan, nic, out, "queue", why);
    }
}

/* Virtual machines have 100 unless they are told otherwise. */
static void note_steps(struct ja_planning *p)
{
    const char *hz = ja_fact(p->facts, JA_FACT_SYSCTL, "kern.hz");
    if (hz && atoi(hz) > 0 && atoi(hz) < HZ)
        ja_plan_note(
            p->plan,
            "this host has kern.hz=%s: packets are shaped in steps of %d ms; kern.hz=1000 in /boot/loader.conf "
            "makes them finer",
            hz, 1000 / atoi(hz));
}

void ja_freebsd_shape_check(struct ja_planning *p, const struct ja_jail *jail)
{
    /* One that inherits the host's network has no nics. */
    struct checking checking = {p, jail};
    if (ja_flow_each(jail, check_flow, &checking))
        note_steps(p);
    if (jail->vnet == JA_VNET_SHARED && ja_jail_enforces_shape(jail))
        ja_plan_note(p->plan, "%s: shape.enforce has no effect with vnet=shared: the host shapes it", jail->name);
}

/* ---- commands in the jail ---- */

typedef void add_words(struct ja_plan *plan, struct ja_step *step, ...);

static void jexec_words(struct ja_planning *p, struct ja_step *step, add_words *add, const char *name,
                        const char *program)
{
    add(p->plan, step, TOOL("jexec"), name, program, NULL);
}

/* The host's ipfw, which the kernel understands and the jail's root has not touched. `name` NULL: on the host. */
static void ipfw_words(struct ja_planning *p, struct ja_step *step, add_words *add, const char *name)
{
    if (!name)
        add(p->plan, step, TOOL("ipfw"), NULL);
    else
        add(p->plan, step, p->site->self, "host", "jail-rescue", name, "ipfw", NULL);
}

static void number(char text[24], int64_t value)
{
    snprintf(text, 24, "%lld", (long long)value);
}

/* All of a pipe's configuration: what is not said is as it is by default. */
static void pipe_words(struct ja_planning *p, struct ja_step *step, add_words *add, const char *name,
                       const struct line *line)
{
    const struct ja_flow *flow = line->flow;
    char text[48];
    ipfw_words(p, step, add, name);
    number(text, line->pipe);
    add(p->plan, step, "-q", "pipe", text, "config", NULL);
    if (flow->rate) {
        int64_t mtu = line->nic.nic->mtu       ? line->nic.nic->mtu
                      : line->nic.network->mtu ? line->nic.network->mtu
                                               : MTU_DEFAULT;
        int64_t queue = ja_flow_queue(flow, mtu), kbytes = (queue * mtu + 1023) / 1024;
        snprintf(text, sizeof text, "%lldbit/s", (long long)flow->rate);
        add(p->plan, step, "bw", text, NULL);
        /* Where it is ours to choose, more than its slots hold is counted in bytes. */
        if (queue > SLOTS_MOST && !flow->queue)
            snprintf(text, sizeof text, "%lldKbytes", (long long)(kbytes < KBYTES_MOST ? kbytes : KBYTES_MOST));
        else
            number(text, queue);
        add(p->plan, step, "queue", text, NULL);
    }
    if (flow->burst) {
        number(text, flow->burst);
        add(p->plan, step, "burst", text, NULL);
    }
    /* One that varies is in pipes of its own. */
    if (flow->delay && !flow->jitter) {
        number(text, flow->delay);
        add(p->plan, step, "delay", text, NULL);
    }
    if (flow->loss && flow->loss_burst) {
        double begin, end;
        ja_flow_gilbert(flow, &begin, &end);
        snprintf(text, sizeof text, "0,%.9f,1,%.9f", begin, end);
        add(p->plan, step, "plr", text, NULL);
    } else if (flow->loss) {
        snprintf(text, sizeof text, "%lld.%06lld", (long long)flow->loss / 1000000, (long long)flow->loss % 1000000);
        add(p->plan, step, "plr", text, NULL);
    }
}

static void delete_words(struct ja_planning *p, struct ja_step *step, add_words *add, const char *name, unsigned pipe)
{
    char text[24];
    ipfw_words(p, step, add, name);
    number(text, pipe);
    add(p->plan, step, "-q", "pipe", text, "delete", NULL);
}

static void no_pipe_words(struct ja_planning *p, struct ja_step *step, add_words *add, const char *name,
                          const struct line *line)
{
    delete_words(p, step, add, name, line->pipe);
}

static unsigned delay_pipe(const struct line *line, int which)
{
    return DELAY_FIRST + (line->pipe - PIPE_FIRST) * DELAYS + (unsigned)which;
}

/* The middle of each of equal parts of what is between delay - jitter and delay + jitter, in whole milliseconds, the same to both sides. */
static void delay_words(struct ja_planning *p, struct ja_step *step, add_words *add, const char *name,
                        const struct line *line, int which)
{
    const struct ja_flow *flow = line->flow;
    int64_t parts = 2 * which + 1 - DELAYS, away = ((parts < 0 ? -parts : parts) * flow->jitter + DELAYS / 2) / DELAYS;
    char text[24];
    ipfw_words(p, step, add, name);
    number(text, delay_pipe(line, which));
    add(p->plan, step, "-q", "pipe", text, "config", "delay", NULL);
    number(text, parts < 0 ? flow->delay - away : flow->delay + away);
    add(p->plan, step, text, NULL);
}

/* "{ recv epair7b or dst-ip 10.66.0.2 } not src-ip 10.66.0.2": by name or address, but not what it sends to itself. */
static void enforced_words(struct ja_planning *p, struct ja_step *step, const struct line *line)
{
    const struct ja_strv *assigned = &line->nic.nic->assigned;
    ja_step_run(p->plan, step, "{", line->out ? "xmit" : "recv", line->nic.inner, NULL);
    for (int own = 0; own < 2; own++) {
        for (size_t i = 0; i < assigned->count; i++) {
            struct ja_addr addr;
            char text[JA_ADDR_TEXT];
            if (ja_addr_parse(assigned->items[i], &addr, NULL) < 0)
                continue;
            ja_addr_format(&addr, false, text);
            ja_step_run(p->plan, step, own ? "not" : "or", NULL);
            ja_step_runf(p->plan, step, "%s-ip%s", line->out != own ? "src" : "dst", addr.v6 ? "6" : "");
            ja_step_run(p->plan, step, text, NULL);
        }
        if (!own)
            ja_step_run(p->plan, step, "}", NULL);
    }
}

/* Which packets: those of its nic and direction. */
static void packet_words(struct ja_planning *p, struct ja_step *step, const struct line *line)
{
    ja_step_run(p->plan, step, "ip", "from", "any", "to", "any", line->out ? "out" : "in", NULL);
    if (line->nic.nic->shape.enforce)
        enforced_words(p, step, line);
    else
        ja_step_run(p->plan, step, line->out ? "xmit" : "recv", line->nic.inner, NULL);
}

static void add_rule_words(struct ja_planning *p, struct ja_step *step, const char *name, const struct line *line)
{
    char rule[24];
    ipfw_words(p, step, ja_step_run, name);
    number(rule, line->rule);
    ja_step_run(p->plan, step, "-q", "add", rule, NULL);
}

static void pipe_rule_words(struct ja_planning *p, struct ja_step *step, const char *name, const struct line *line)
{
    char pipe[24];
    number(pipe, line->pipe);
    add_rule_words(p, step, name, line);
    ja_step_run(p->plan, step, "pipe", pipe, NULL);
    if (line->flow->jitter)
        ja_step_run(p->plan, step, "untag", pipe, NULL);
    packet_words(p, step, line);
}

/* "add 96 prob 0.166667 pipe 61001 tag 60001 ... not tagged 60001": each of those that are left is as probable as the others. */
static void choice_words(struct ja_planning *p, struct ja_step *step, const char *name, const struct line *line,
                         int which)
{
    char pipe[24], tag[24];
    number(pipe, delay_pipe(line, which));
    number(tag, line->pipe);
    add_rule_words(p, step, name, line);
    if (which < DELAYS - 1) {
        ja_step_run(p->plan, step, "prob", NULL);
        ja_step_runf(p->plan, step, "%.6f", 1.0 / (DELAYS - which));
    }
    ja_step_run(p->plan, step, "pipe", pipe, "tag", tag, NULL);
    packet_words(p, step, line);
    ja_step_run(p->plan, step, "not", "tagged", tag, NULL);
}

static void no_rule_words(struct ja_planning *p, struct ja_step *step, add_words *add, const char *name,
                          const struct line *line)
{
    char text[24];
    ipfw_words(p, step, add, name);
    number(text, line->rule);
    add(p->plan, step, "-q", "delete", text, NULL);
}

static struct ja_step *begin(struct ja_planning *p, const struct line *line, const char *verb, const char *how)
{
    return ja_plan_step(p->plan, "%s what it %s by %s%s", verb, line->out ? "sends" : "is sent", line->nic.nic->label,
                        how);
}

#define ONE_PASS "net.inet.ip.fw.one_pass="

/* What has passed a pipe goes on through the jail's own rules. */
static struct ja_step *pass_on(struct ja_planning *p, const char *name)
{
    struct ja_step *step = ja_plan_step(p->plan, "let what has been shaped go on through its own rules");
    jexec_words(p, step, ja_step_run, name, "/sbin/sysctl");
    ja_step_run(p->plan, step, ONE_PASS "0", NULL);
    return step;
}

/* `fresh`, here and below: the jail was made by this plan, and takes all away again. The rules of a direction have one number, and go with
 * the first of them. */
static void add_rules(struct ja_planning *p, const char *name, const struct line *line, bool fresh)
{
    bool varies = line->flow->jitter;
    struct ja_step *step = varies ? begin(p, line, "take a mark from", "") : begin(p, line, "lead", " through it");
    if (!fresh)
        no_rule_words(p, step, ja_step_undo, name, line);
    if (varies) {
        add_rule_words(p, step, name, line);
        ja_step_run(p->plan, step, "count", "untag", NULL);
        ja_step_runf(p->plan, step, "%u", line->pipe);
        packet_words(p, step, line);
        for (int i = 0; i < DELAYS; i++) {
            step = begin(p, line, "lead", " through one of the delays");
            choice_words(p, step, name, line, i);
        }
        step = begin(p, line, "lead", " through the rest");
    }
    pipe_rule_words(p, step, name, line);
}

/* `old`: what the direction's pipes were, NULL: there were none. */
static void add_pipes(struct ja_planning *p, const char *name, const struct line *line, const struct line *old,
                      bool fresh)
{
    struct ja_step *step;
    for (int i = 0; line->flow->jitter && i < DELAYS; i++) {
        step = begin(p, line, "delay some of", "");
        delay_words(p, step, ja_step_run, name, line, i);
        if (old && old->flow->jitter)
            delay_words(p, step, ja_step_undo, name, old, i);
        else if (!fresh)
            delete_words(p, step, ja_step_undo, name, delay_pipe(line, i));
    }
    step = begin(p, line, "shape", old ? " anew" : "");
    pipe_words(p, step, ja_step_run, name, line);
    if (old)
        pipe_words(p, step, ja_step_undo, name, old);
    else if (!fresh)
        no_pipe_words(p, step, ja_step_undo, name, line);
}

static void add_line(struct ja_planning *p, const char *name, const struct line *line, bool fresh)
{
    add_pipes(p, name, line, NULL, fresh);
    add_rules(p, name, line, fresh);
}

void ja_freebsd_shape_module(struct ja_planning *p, const struct ja_jail *jail)
{
    if (ja_flow_each(jail, NULL, NULL))
        ja_freebsd_module(p, "dummynet", "load what shapes traffic");
}

void ja_freebsd_shape_add(struct ja_planning *p, const struct ja_subject *s, const char *name)
{
    if (!ja_flow_each(s->jail, NULL, NULL))
        return;
    pass_on(p, name);
    for (size_t i = 0; i < s->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line line;
            fill(p, s, i, out, &line);
            if (is_set(&line))
                add_line(p, name, &line, true);
        }
}

/* ---- securelevels ---- */

int64_t ja_freebsd_securelevel(const struct ja_jail *jail)
{
    return jail->vnet == JA_VNET_YES && ja_jail_enforces_shape(jail) ? SECURELEVEL : jail->securelevel;
}

/* A jail's is not below the host's. */
static int64_t lowest(struct ja_planning *p, int64_t level)
{
    const char *host = ja_fact(p->facts, JA_FACT_SYSCTL, "kern.securelevel");
    return host && atoll(host) > level ? atoll(host) : level;
}

static void level_words(struct ja_planning *p, struct ja_step *step, add_words *add, const char *name, int64_t level)
{
    char jail[JA_FREEBSD_JAILNAME + 8], text[32];
    snprintf(jail, sizeof jail, "name=%s", name);
    snprintf(text, sizeof text, "securelevel=%lld", (long long)level);
    add(p->plan, step, TOOL("jail"), "-m", jail, text, NULL);
}

static void set_level(struct ja_planning *p, const char *name, int64_t to, int64_t from, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    level_words(p, step, ja_step_run, name, to);
    level_words(p, step, ja_step_undo, name, from);
}

/* ---- while it runs ---- */

/* What of a running jail's shapes differs: is to be set or changed, is to be removed. */
static void differences(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to,
                        bool *ret_set, bool *ret_removed)
{
    *ret_set = *ret_removed = false;
    for (size_t i = 0; i < to->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line old, new;
            fill(p, from, i, out, &old);
            fill(p, to, i, out, &new);
            bool differ = old.rule != new.rule || !ja_object_equal(&ja_noun_flow, old.flow, new.flow);
            *ret_set = *ret_set || (differ && is_set(&new));
            *ret_removed = *ret_removed || (is_set(&old) && (!is_set(&new) || old.rule != new.rule));
        }
}

static void change_line(struct ja_planning *p, const char *name, const struct line *old, const struct line *new)
{
    if (!is_set(new))
        return;
    if (!is_set(old)) {
        add_line(p, name, new, false);
        return;
    }
    if (!ja_object_equal(&ja_noun_flow, old->flow, new->flow))
        add_pipes(p, name, new, old, false);
    /* The old rules go after the commit. */
    if (old->rule != new->rule)
        add_rules(p, name, new, false);
}

void ja_freebsd_shape_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to,
                             const char *name)
{
    bool set, removed;
    int64_t old = ja_freebsd_securelevel(from->jail), new = ja_freebsd_securelevel(to->jail), level = old;
    differences(p, from, to, &set, &removed);
    if (set)
        ja_freebsd_shape_module(p, to->jail);
    if (old >= SECURELEVEL && (set || removed || new < old)) {
        level = lowest(p, -1);
        set_level(p, name, level, old, "lower its securelevel, which forbids the change");
    }
    if (set && !ja_flow_each(from->jail, NULL, NULL)) {
        struct ja_step *step = pass_on(p, name);
        jexec_words(p, step, ja_step_undo, name, "/sbin/sysctl");
        ja_step_undo(p->plan, step, ONE_PASS "1", NULL);
    }
    for (size_t i = 0; i < to->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line was, is;
            fill(p, from, i, out, &was);
            fill(p, to, i, out, &is);
            change_line(p, name, &was, &is);
        }
    /* What is removed is so after the commit, and before this. */
    if (!removed && new > level)
        set_level(p, name, new, level, "raise its securelevel");
}

void ja_freebsd_shape_changed(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to,
                              const char *name)
{
    bool set, removed;
    differences(p, from, to, &set, &removed);
    for (size_t i = 0; i < to->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line was, is;
            fill(p, from, i, out, &was);
            fill(p, to, i, out, &is);
            if (!is_set(&was) || (is_set(&is) && was.rule == is.rule))
                continue;
            struct ja_step *step = begin(p, &was, "shape", is_set(&is) ? " by the new rule alone" : " no more");
            no_rule_words(p, step, ja_step_run, name, &was);
            step->flags |= JA_STEP_IGNORE;
            for (int k = 0; was.flow->jitter && !is.flow->jitter && k < DELAYS; k++) {
                step = begin(p, &was, "remove a delay of", "");
                delete_words(p, step, ja_step_run, name, delay_pipe(&was, k));
                step->flags |= JA_STEP_IGNORE;
            }
            if (is_set(&is))
                continue;
            step = begin(p, &was, "remove the pipe of", "");
            no_pipe_words(p, step, ja_step_run, name, &was);
            step->flags |= JA_STEP_IGNORE;
        }
    struct ja_step *step;
    if (removed && !ja_flow_each(to->jail, NULL, NULL)) {
        step = ja_plan_step(p->plan, "let its pipes end the way through its rules again");
        jexec_words(p, step, ja_step_run, name, "/sbin/sysctl");
        ja_step_run(p->plan, step, ONE_PASS "1", NULL);
        step->flags |= JA_STEP_IGNORE;
    }
    if (!removed || ja_freebsd_securelevel(to->jail) < SECURELEVEL)
        return;
    step = ja_plan_step(p->plan, "raise its securelevel");
    level_words(p, step, ja_step_run, name, ja_freebsd_securelevel(to->jail));
    step->flags |= JA_STEP_IGNORE;
}

/* ---- jails that share the host's network stack ---- */

static const char *const host_tables[] = {"shin", "shout"};

static void address_keys(struct ja_planning *p, const struct line *line, struct ja_strv *keys)
{
    const struct ja_strv *assigned = &line->nic.nic->assigned;
    char entry[JA_ADDR_TEXT];
    for (size_t i = 0; i < assigned->count; i++) {
        ja_freebsd_entry_host(assigned->items[i], entry);
        if (entry[0] && ja_strv_add(keys, entry) < 0)
            ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    }
}

static bool entries(struct ja_planning *p, enum ja_freebsd_way way, const struct line *line)
{
    ja_autostrv struct ja_strv keys = {0};
    address_keys(p, line, &keys);
    return ja_freebsd_entries(p, way, host_tables[line->out], &keys, line->pipe);
}

/* pf sees what jails send before ipfw, or after it, as the two were loaded. */
static void check_translation(struct ja_planning *p, const struct line *line)
{
    if (!ja_freebsd_wants_pf(line->nic.network))
        return;
    ja_flow_refuse(p->plan, line->nic.nic, line->out, "",
                   "with vnet=shared the host knows the packets by their address, which pf translates before or after "
                   "it looks at them");
    ja_plan_hint(p->plan, "`jailadmin network set %s nat-by=ipfw`, or vnet=yes", line->nic.network->name);
}

static void host_pipe(struct ja_planning *p, const struct line *line, const struct line *old)
{
    struct ja_step *step = begin(p, line, "shape", old ? " anew" : "");
    check_translation(p, line);
    pipe_words(p, step, ja_step_run, NULL, line);
    if (old)
        pipe_words(p, step, ja_step_undo, NULL, old);
    else
        no_pipe_words(p, step, ja_step_undo, NULL, line);
}

void ja_freebsd_shape_host_add(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line line;
            fill(p, s, i, out, &line);
            if (!is_set(&line) || (entries(p, JA_FREEBSD_ASK, &line) && !p->build))
                continue;
            host_pipe(p, &line, NULL);
            entries(p, JA_FREEBSD_ADD, &line);
        }
}

static void remove_pipe(struct ja_planning *p, const struct line *line)
{
    entries(p, JA_FREEBSD_REMOVE, line);
    struct ja_step *step = begin(p, line, "remove the pipe of", "");
    no_pipe_words(p, step, ja_step_run, NULL, line);
    step->flags |= JA_STEP_IGNORE;
}

void ja_freebsd_shape_host_remove(struct ja_planning *p, const struct ja_subject *s)
{
    for (size_t i = 0; i < s->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line line;
            fill(p, s, i, out, &line);
            if (is_set(&line))
                remove_pipe(p, &line);
        }
}

void ja_freebsd_shape_host_change(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to)
{
    bool module = false;
    for (size_t i = 0; i < to->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line was, is;
            fill(p, from, i, out, &was);
            fill(p, to, i, out, &is);
            if (!is_set(&is) || ja_object_equal(&ja_noun_flow, was.flow, is.flow))
                continue;
            if (!module)
                ja_freebsd_shape_module(p, to->jail);
            module = true;
            host_pipe(p, &is, is_set(&was) ? &was : NULL);
            entries(p, JA_FREEBSD_ADD, &is);
        }
}

void ja_freebsd_shape_host_changed(struct ja_planning *p, const struct ja_subject *from, const struct ja_subject *to)
{
    for (size_t i = 0; i < to->jail->nics.count; i++)
        for (int out = 0; out < 2; out++) {
            struct line was, is;
            fill(p, from, i, out, &was);
            fill(p, to, i, out, &is);
            if (is_set(&was) && !is_set(&is))
                remove_pipe(p, &was);
        }
}
