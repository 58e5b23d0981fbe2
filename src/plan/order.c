/*
 * order.c: jails in waves, by priority and dependencies.
 */
#include "plan/order.h"

#include <stdio.h>
#include <string.h>

enum mark { UNSEEN, OPEN, DONE };

struct node {
    const struct ja_jail *jail;
    size_t number; /* in the caller's array */
    enum mark mark;
    int64_t priority;   /* at most that of all who depend on it */
    size_t depth;       /* the longest chain of dependencies of the same priority below it */
    struct node *after; /* on the way of the search: who led here */
};

struct search {
    struct node *nodes;  /* by name */
    struct node **order; /* dependencies first */
    size_t count, ordered;
    struct ja_error *err;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->jail->name, ((const struct node *)b)->jail->name);
}

static int compare_name(const void *name, const void *node)
{
    return strcmp(name, ((const struct node *)node)->jail->name);
}

static struct node *find(const struct search *search, const char *name)
{
    return bsearch(name, search->nodes, search->count, sizeof *search->nodes, compare_name);
}

/* From the jail that is met again, back along the way that led to it. */
static int refuse_circle(const struct search *search, const struct node *from, const struct node *again)
{
    ja_autostr struct ja_str text = {0};
    ja_autostrv struct ja_strv names = {0};
    for (const struct node *node = from; node != again; node = node->after)
        if (ja_strv_add(&names, node->jail->name) < 0)
            return ja_error_nomem(search->err);
    ja_str_add(&text, again->jail->name);
    for (size_t i = names.count; i-- > 0;)
        ja_str_addf(&text, " on %s", names.items[i]);
    ja_str_addf(&text, " on %s", again->jail->name);
    if (text.failed)
        return ja_error_nomem(search->err);
    ja_error_set(search->err, JA_E_INVALID, "field depends", "jails depend on each other in a circle: %s", text.text);
    return ja_error_hint(search->err, "take one of them away: `jailadmin set %s depends-=%s`", from->jail->name,
                         again->jail->name);
}

static int visit(struct search *search, struct node *node)
{
    node->mark = OPEN;
    for (size_t i = 0; i < node->jail->depends.count; i++) {
        struct node *other = find(search, node->jail->depends.items[i]);
        if (!other || other->mark == DONE)
            continue;
        if (other->mark == OPEN)
            return refuse_circle(search, node, other);
        other->after = node;
        int rc = visit(search, other);
        if (rc < 0)
            return rc;
    }
    node->mark = DONE;
    search->order[search->ordered++] = node;
    return 0;
}

/* Urgency flows from a jail to what it depends on; then depth from those to it. */
static void weigh(struct search *search)
{
    for (size_t i = search->count; i-- > 0;) {
        const struct node *node = search->order[i];
        for (size_t d = 0; d < node->jail->depends.count; d++) {
            struct node *other = find(search, node->jail->depends.items[d]);
            if (other && other->priority > node->priority)
                other->priority = node->priority;
        }
    }
    for (size_t i = 0; i < search->count; i++) {
        struct node *node = search->order[i];
        for (size_t d = 0; d < node->jail->depends.count; d++) {
            const struct node *other = find(search, node->jail->depends.items[d]);
            if (other && other->priority == node->priority && other->depth >= node->depth)
                node->depth = other->depth + 1;
        }
    }
}

static int compare_weights(const void *a, const void *b)
{
    const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
    return strcmp(x->jail->name, y->jail->name);
}

static void fill(struct search *search, struct ja_order *order)
{
    size_t wave = 0;
    qsort(search->order, search->count, sizeof(struct node *), compare_weights);
    for (size_t i = 0; i < search->count; i++) {
        const struct node *node = search->order[i], *before = i ? search->order[i - 1] : node;
        wave += before->priority != node->priority || before->depth != node->depth;
        order->items[i] = node->number;
        order->waves[i] = wave;
    }
    order->count = search->count;
}

int ja_order_jails(const struct ja_jail *const *jails, size_t count, struct ja_order *ret_order, struct ja_error *err)
{
    struct search search = {.nodes = ja_calloc(count + 1, sizeof(struct node)),
                            .order = ja_calloc(count + 1, sizeof(struct node *)),
                            .count = count,
                            .err = err};
    struct ja_order order = {.items = ja_calloc(count + 1, sizeof(size_t)),
                             .waves = ja_calloc(count + 1, sizeof(size_t))};
    int rc = search.nodes && search.order && order.items && order.waves ? 0 : ja_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        search.nodes[i] = (struct node){.jail = jails[i], .number = i, .priority = jails[i]->priority};
    if (rc == 0 && count)
        qsort(search.nodes, count, sizeof *search.nodes, compare_names);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (search.nodes[i].mark == UNSEEN)
            rc = visit(&search, &search.nodes[i]);
    if (rc == 0) {
        weigh(&search);
        fill(&search, &order);
        *ret_order = order;
    } else {
        ja_order_fini(&order);
    }
    free(search.nodes);
    free(search.order);
    return rc;
}

void ja_order_fini(struct ja_order *order)
{
    free(order->items);
    free(order->waves);
    *order = (struct ja_order){0};
}
