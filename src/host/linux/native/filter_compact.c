/*
 * filter_compact.c: makes the filter that libseccomp compiled smaller. The kernel checks, converts and compiles all of it at every start
 * of a jail, which takes as long as it has instructions; and it compares a call's number with each number of the profile, although most
 * have the answer of their neighbours.
 *
 * Up to its first load of anything else, what a filter does hangs on the architecture and the number of a call alone, and on these only
 * through the constants that it compares them with: they cut the numbers into intervals, of which one number speaks for all. Neighbours
 * with the same answer become a range, the ranges of an architecture a binary tree of comparisons. What looks at arguments is taken over
 * as it is. The result is compared with the original in the same way, and not taken if it differs anywhere.
 */
#include "host/linux/native/native.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define MASK (BPF_ALU | BPF_AND | BPF_K)
#define JUMP (BPF_JMP | BPF_JA)
#define EQUAL (BPF_JMP | BPF_JEQ | BPF_K)
#define GREATER (BPF_JMP | BPF_JGT | BPF_K)
#define AT_LEAST (BPF_JMP | BPF_JGE | BPF_K)
#define ANY_BIT (BPF_JMP | BPF_JSET | BPF_K)
#define RETURN (BPF_RET | BPF_K)

/* Pairs of an architecture and a number that are tried at the most: Debian's profile has 7,000. */
#define PAIRS_MOST (1 << 16)
/* Numbers in a row of ranges that are compared one by one, where all others of it have one answer. */
#define ODD_MOST 4
#define GROUP_MOST (2 * ODD_MOST + 1) /* ranges: the odd ones and those between and around them */

struct program {
    const struct sock_filter *at;
    size_t count;
};

/* The first numbers of intervals, in order. */
struct cuts {
    uint32_t *at;
    size_t count;
};

/* What all of a program that is looked at may compare with an architecture and with a number. */
struct classes {
    struct cuts arches, numbers;
};

/* Of numbers with one answer, which is at a place of the new program. */
struct range {
    uint32_t first, last;
    size_t target;
};

/* The best way to have the ranges up to one in groups: where the last group begins, and instructions for all. */
struct group {
    size_t begin, cost;
};

/* The new program, which is written from its end, since jumps only go forward. Places are counted from the end. */
struct code {
    struct sock_filter *at;
    size_t *near; /* of each instruction, where it was last copied to or a jump to it was put; at first itself */
    size_t count, room;
    bool full; /* it would be no smaller */
};

struct work {
    struct program old;
    struct classes classes;
    struct code code;
    uint8_t *flags; /* of each instruction: what the accumulator may hold there; whether it is to be copied */
    size_t *stops; /* of each architecture, of each number: the place where the old program ends or loads an argument */
    size_t *places; /* of each old instruction, in the new program; when they are compared, plus 1 */
    struct range *by_arch, *by_number;
    struct group *groups;
    size_t *begins;
};

/* ---- understanding a program ---- */

static bool is_condition(const struct sock_filter *in)
{
    return in->code == EQUAL || in->code == GREATER || in->code == AT_LEAST || in->code == ANY_BIT;
}

/* No more than what libseccomp writes, and nothing that goes beyond the end. */
static bool understood(const struct program *program)
{
    for (size_t i = 0; i < program->count; i++) {
        const struct sock_filter *in = &program->at[i];
        size_t left = program->count - 1 - i; /* instructions behind it */
        bool plain = in->jt == 0 && in->jf == 0, ok = in->code == RETURN;
        if (in->code == LOAD)
            ok = plain && left > 0 && in->k % 4 == 0 && in->k < sizeof(struct seccomp_data);
        else if (in->code == MASK)
            ok = plain && left > 0;
        else if (in->code == JUMP)
            ok = plain && in->k < left;
        else if (is_condition(in))
            ok = in->jt < left && in->jf < left;
        if (!ok)
            return false;
    }
    return true;
}

enum { ARCH = 1, NUMBER = 2, OTHER = 4, UNSET = 8 };

static uint8_t loaded(const struct sock_filter *load)
{
    if (load->k == offsetof(struct seccomp_data, arch))
        return ARCH;
    return load->k == offsetof(struct seccomp_data, nr) ? NUMBER : OTHER;
}

static void cut(struct cuts *cuts, const struct sock_filter *in)
{
    if (in->code != GREATER)
        cuts->at[cuts->count++] = in->k;
    if (in->code != AT_LEAST && in->k < UINT32_MAX)
        cuts->at[cuts->count++] = in->k + 1;
}

/* Adds the program's cuts, two an instruction at the most. False if it does more to an architecture or a number than to compare it. */
static bool add_cuts(const struct program *program, uint8_t *holds, struct classes *classes)
{
    memset(holds, 0, program->count);
    holds[0] = UNSET;
    for (size_t i = 0; i < program->count; i++) {
        const struct sock_filter *in = &program->at[i];
        if (!holds[i] || in->code == RETURN)
            continue;
        if ((holds[i] & UNSET && in->code != LOAD && in->code != JUMP) ||
            (holds[i] != OTHER && (in->code == MASK || in->code == ANY_BIT)))
            return false;
        if (in->code == LOAD) {
            holds[i + 1] |= loaded(in);
        } else if (in->code == MASK) {
            holds[i + 1] |= OTHER;
        } else if (in->code == JUMP) {
            holds[i + 1 + in->k] |= holds[i];
        } else {
            if (holds[i] & ARCH)
                cut(&classes->arches, in);
            if (holds[i] & NUMBER)
                cut(&classes->numbers, in);
            holds[i + 1 + in->jt] |= holds[i];
            holds[i + 1 + in->jf] |= holds[i];
        }
    }
    return true;
}

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void cuts_begin(struct cuts *cuts)
{
    cuts->at[0] = 0;
    cuts->count = 1;
}

static void cuts_sort(struct cuts *cuts)
{
    size_t count = 1;
    qsort(cuts->at, cuts->count, sizeof cuts->at[0], by_size);
    for (size_t i = 1; i < cuts->count; i++) {
        if (cuts->at[i] != cuts->at[count - 1])
            cuts->at[count++] = cuts->at[i];
    }
    cuts->count = count;
}

/* Intervals by the constants of one or two programs. False if one is not understood, or they are too many. */
static bool classify(struct work *w, const struct program *one, const struct program *two)
{
    struct classes *classes = &w->classes;
    cuts_begin(&classes->arches);
    cuts_begin(&classes->numbers);
    if (!add_cuts(one, w->flags, classes) || (two && !add_cuts(two, w->flags, classes)))
        return false;
    cuts_sort(&classes->arches);
    cuts_sort(&classes->numbers);
    return classes->arches.count <= PAIRS_MOST / classes->numbers.count;
}

/* Where a program returns, or first loads something else. It was understood and classified. */
static size_t stop_of(const struct program *program, uint32_t arch, uint32_t number)
{
    uint32_t a = 0;
    for (size_t i = 0;;) {
        const struct sock_filter *in = &program->at[i];
        if (in->code == RETURN || (in->code == LOAD && loaded(in) == OTHER))
            return i;
        if (in->code == LOAD) {
            a = loaded(in) == ARCH ? arch : number;
            i += 1;
        } else if (in->code == JUMP) {
            i += 1 + in->k;
        } else {
            bool holds = in->code == EQUAL ? a == in->k : in->code == GREATER ? a > in->k : a >= in->k;
            i += 1 + (holds ? in->jt : in->jf);
        }
    }
}

/* ---- writing a program ---- */

static struct sock_filter *place(const struct code *c, size_t from_end)
{
    return &c->at[c->room - 1 - from_end];
}

/* The place of what was written. In a full program, which is not used, any. */
static size_t put(struct code *c, uint16_t code, size_t yes, size_t no, uint32_t k)
{
    if (c->count == c->room) {
        c->full = true;
        return 0;
    }
    *place(c, c->count) = (struct sock_filter){.code = code, .jt = (uint8_t)yes, .jf = (uint8_t)no, .k = k};
    c->near[c->count] = c->count;
    return c->count++;
}

/* A copy of the return at `target`, or a jump to it, at the place before all others. */
static size_t put_way(struct code *c, size_t target)
{
    const struct sock_filter *in = place(c, target);
    bool returns = in->code == RETURN;
    c->near[target] = put(c, returns ? RETURN : JUMP, 0, 0, returns ? in->k : (uint32_t)(c->count - 1 - target));
    return c->near[target];
}

/* `target`, or the way to it, so that a condition written next, or next but one, reaches it. */
static size_t within_reach(struct code *c, size_t target)
{
    return c->count - c->near[target] <= UINT8_MAX ? c->near[target] : put_way(c, target);
}

static size_t put_condition(struct code *c, uint16_t code, uint32_t k, size_t yes, size_t no)
{
    yes = within_reach(c, yes);
    no = within_reach(c, no);
    return put(c, code, c->count - 1 - yes, c->count - 1 - no, k);
}

/* An instruction that goes on with `next`. */
static size_t put_before(struct code *c, uint16_t code, uint32_t k, size_t next)
{
    if (next + 1 != c->count)
        put_way(c, next);
    return put(c, code, 0, 0, k);
}

static size_t put_return(struct code *c, uint32_t k)
{
    for (size_t i = 0; i < c->count; i++) {
        if (place(c, i)->code == RETURN && place(c, i)->k == k)
            return i;
    }
    return put(c, RETURN, 0, 0, k);
}

/* All of the old program that may run from the stops on. */
static void copy_rest(struct work *w)
{
    const struct sock_filter *old = w->old.at;
    size_t *to = w->places;
    uint8_t *used = w->flags;
    memset(used, 0, w->old.count);
    for (size_t i = 0; i < w->classes.arches.count * w->classes.numbers.count; i++)
        used[w->stops[i]] = 1;
    for (size_t i = 0; i < w->old.count; i++) {
        if (!used[i] || old[i].code == RETURN)
            continue;
        used[i + 1 + (old[i].code == JUMP ? old[i].k : old[i].jt)] = 1; /* 0 in what is no jump */
        if (is_condition(&old[i]))
            used[i + 1 + old[i].jf] = 1;
    }
    for (size_t i = w->old.count; i-- > 0;) {
        if (!used[i])
            continue;
        if (old[i].code == RETURN)
            to[i] = put_return(&w->code, old[i].k);
        else if (old[i].code == JUMP)
            to[i] = to[i + 1 + old[i].k];
        else if (is_condition(&old[i]))
            to[i] = put_condition(&w->code, old[i].code, old[i].k, to[i + 1 + old[i].jt], to[i + 1 + old[i].jf]);
        else
            to[i] = put_before(&w->code, old[i].code, old[i].k, to[i + 1]);
    }
}

/* ---- ranges as comparisons ---- */

/* How many numbers do not have the answer of the widest range. */
static uint64_t odd_numbers(const struct range *ranges, size_t count, size_t *ret_target)
{
    uint64_t odd = 0;
    size_t widest = 0;
    for (size_t i = 1; i < count; i++) {
        if (ranges[i].last - ranges[i].first > ranges[widest].last - ranges[widest].first)
            widest = i;
    }
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].target != ranges[widest].target)
            odd += (uint64_t)ranges[i].last - ranges[i].first + 1;
    }
    *ret_target = ranges[widest].target;
    return odd;
}

/* Where groups begin, and the end of the last, so that all have few odd numbers and the instructions are the fewest. */
static size_t form_groups(struct work *w, const struct range *ranges, size_t count)
{
    size_t target, groups = 0;
    struct group *best = w->groups;
    best[0] = (struct group){0};
    for (size_t end = 1; end <= count; end++) {
        best[end] = (struct group){.begin = end - 1, .cost = best[end - 1].cost + 1};
        for (size_t n = 2; n <= GROUP_MOST && n <= end; n++) {
            uint64_t odd = odd_numbers(ranges + end - n, n, &target);
            if (odd <= ODD_MOST && best[end - n].cost + odd + 1 < best[end].cost)
                best[end] = (struct group){.begin = end - n, .cost = best[end - n].cost + (size_t)odd + 1};
        }
    }
    for (size_t end = count; end > 0; end = best[end].begin)
        groups++;
    w->begins[groups] = count;
    for (size_t end = count, i = groups; i > 0; end = best[end].begin)
        w->begins[--i] = best[end].begin;
    return groups;
}

/* The numbers of one group, the odd ones by one comparison each. */
static size_t put_group(struct code *c, const struct range *ranges, size_t count)
{
    size_t other;
    odd_numbers(ranges, count, &other);
    size_t usual = other;
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].target == usual)
            continue;
        for (uint32_t k = 0; k <= ranges[i].last - ranges[i].first; k++)
            other = put_condition(c, EQUAL, ranges[i].first + k, ranges[i].target, other);
    }
    return other;
}

static size_t put_tree(struct code *c, const struct range *ranges, const size_t *begins, size_t groups)
{
    if (groups == 1)
        return put_group(c, ranges + begins[0], begins[1] - begins[0]);
    size_t half = groups / 2;
    size_t high = put_tree(c, ranges, begins + half, groups - half);
    size_t low = put_tree(c, ranges, begins, half);
    return put_condition(c, AT_LEAST, ranges[begins[half]].first, high, low);
}

/* The answers by the word at `offset` of a call. */
static size_t put_ranges(struct work *w, uint32_t offset, const struct range *ranges, size_t count)
{
    if (count == 1)
        return ranges[0].target;
    size_t groups = form_groups(w, ranges, count);
    return put_before(&w->code, LOAD, offset, put_tree(&w->code, ranges, w->begins, groups));
}

/* One more interval, the next. The range before it goes up to it; the last one up to the end. */
static size_t add_range(struct range *ranges, size_t count, uint32_t first, size_t target)
{
    if (count > 0 && ranges[count - 1].target == target)
        return count;
    if (count > 0)
        ranges[count - 1].last = first - 1;
    ranges[count] = (struct range){.first = first, .last = UINT32_MAX, .target = target};
    return count + 1;
}

static void write_program(struct work *w)
{
    const struct cuts *arches = &w->classes.arches, *numbers = &w->classes.numbers;
    size_t arch_ranges = 0;
    for (size_t i = 0; i < arches->count; i++) {
        for (size_t k = 0; k < numbers->count; k++)
            w->stops[i * numbers->count + k] = stop_of(&w->old, arches->at[i], numbers->at[k]);
    }
    copy_rest(w);
    for (size_t i = 0; i < arches->count && !w->code.full; i++) {
        size_t ranges = 0;
        for (size_t k = 0; k < numbers->count; k++) {
            size_t target = w->places[w->stops[i * numbers->count + k]];
            ranges = add_range(w->by_number, ranges, numbers->at[k], target);
        }
        size_t tree = put_ranges(w, offsetof(struct seccomp_data, nr), w->by_number, ranges);
        arch_ranges = add_range(w->by_arch, arch_ranges, arches->at[i], tree);
    }
    if (w->code.full)
        return;
    size_t first = put_ranges(w, offsetof(struct seccomp_data, arch), w->by_arch, arch_ranges);
    if (first + 1 != w->code.count)
        put_way(&w->code, first);
}

/* ---- comparing programs ---- */

static size_t behind_jumps(const struct program *program, size_t at)
{
    while (program->at[at].code == JUMP)
        at += 1 + program->at[at].k;
    return at;
}

/* Whether the programs may go on from these places: with the same return, or with one place of `b` for that of `a`, which is noted. */
static bool meet(const struct program *a, const struct program *b, size_t in_a, size_t in_b, size_t *places)
{
    in_a = behind_jumps(a, in_a);
    in_b = behind_jumps(b, in_b);
    const struct sock_filter *one = &a->at[in_a], *two = &b->at[in_b];
    if (one->code != two->code || one->k != two->k || (places[in_a] != 0 && places[in_a] != in_b + 1))
        return false;
    if (one->code != RETURN)
        places[in_a] = in_b + 1;
    return true;
}

/*
 * Whether two programs return the same for every call: for each interval by the constants of both they stop at the same, and from there on
 * go the same ways step by step. Nothing else than the accumulator is carried over, and the first step loads it.
 */
static bool same(struct work *w, const struct program *b)
{
    const struct program *a = &w->old;
    if (!understood(b) || !classify(w, a, b))
        return false;
    const struct cuts *arches = &w->classes.arches, *numbers = &w->classes.numbers;
    memset(w->places, 0, a->count * sizeof *w->places);
    for (size_t i = 0; i < arches->count; i++) {
        for (size_t k = 0; k < numbers->count; k++) {
            uint32_t arch = arches->at[i], number = numbers->at[k];
            if (!meet(a, b, stop_of(a, arch, number), stop_of(b, arch, number), w->places))
                return false;
        }
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct sock_filter *one = &a->at[i];
        if (w->places[i] == 0)
            continue;
        size_t k = w->places[i] - 1;
        if (!meet(a, b, i + 1 + one->jt, k + 1 + b->at[k].jt, w->places) ||
            !meet(a, b, i + 1 + one->jf, k + 1 + b->at[k].jf, w->places))
            return false;
    }
    return true;
}

/* ---- all of it ---- */

static void work_fini(struct work *w)
{
    void *const owned[] = {
        w->classes.arches.at, w->classes.numbers.at, w->code.at, w->code.near, w->flags, w->stops, w->places,
        w->by_arch,           w->by_number,          w->groups,  w->begins};
    for (size_t i = 0; i < JA_COUNT(owned); i++)
        ja_free(owned[i]);
}

static bool work_init(struct work *w, const struct sock_filter *filter, size_t count)
{
    size_t intervals = 4 * count + 1; /* of two programs */
    *w = (struct work){
        .old = {.at = filter, .count = count},
        .classes = {.arches = {.at = ja_calloc(intervals, sizeof *w->classes.arches.at)},
                    .numbers = {.at = ja_calloc(intervals, sizeof *w->classes.numbers.at)}},
        .code = {.at = ja_calloc(count, sizeof *w->code.at),
                 .near = ja_calloc(count, sizeof *w->code.near),
                 .room = count - 1},
        .flags = ja_calloc(count, sizeof *w->flags),
        .stops = ja_calloc(PAIRS_MOST, sizeof *w->stops),
        .places = ja_calloc(count, sizeof *w->places),
        .by_arch = ja_calloc(intervals, sizeof *w->by_arch),
        .by_number = ja_calloc(intervals, sizeof *w->by_number),
        .groups = ja_calloc(intervals + 1, sizeof *w->groups),
        .begins = ja_calloc(intervals + 1, sizeof *w->begins),
    };
    return w->classes.arches.at && w->classes.numbers.at && w->code.at && w->code.near && w->flags && w->stops &&
           w->places && w->by_arch && w->by_number && w->groups && w->begins;
}

int ja_filter_compact(struct sock_filter *filter, size_t *count, struct ja_error *err)
{
    const struct program old = {.at = filter, .count = *count};
    struct work w;
    if (*count < 2 || *count > BPF_MAXINSNS || !understood(&old))
        return 0;
    if (!work_init(&w, filter, *count)) {
        work_fini(&w);
        return ja_error_nomem(err);
    }
    if (classify(&w, &old, NULL)) {
        write_program(&w);
        struct program made = {.at = w.code.at + w.code.room - w.code.count, .count = w.code.count};
        if (!w.code.full && same(&w, &made)) {
            memcpy(filter, made.at, made.count * sizeof *filter);
            *count = made.count;
        }
    }
    work_fini(&w);
    return 0;
}
