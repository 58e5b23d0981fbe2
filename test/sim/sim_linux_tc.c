/*
 * sim_linux_tc.c: queues of interfaces, and what leads packets to another one.
 *
 *     qdisc INTERFACE HANDLE = PARENT KIND ...     "root", "parent 1:1" or "ingress"
 *     filter INTERFACE = the interface to which all that arrives is handed
 */
#include "sim_linux.h"

#include <stdio.h>
#include <string.h>

#define INGRESS "ffff:"

/* What is in the place of a parent: its handle, copied; false: nothing. */
static bool find_at(const struct ja_sim *sim, const char *device, const char *parent, char handle[16])
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "qdisc %s ", device);
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++)
        if (ja_str_starts(sim->entries[i].value, parent) && sim->entries[i].value[strlen(parent)] == ' ') {
            snprintf(handle, 16, "%s", sim->entries[i].key + strlen(prefix));
            return true;
        }
    return false;
}

/* A queue goes with those in it. */
static void drop_queue(struct ja_sim *sim, const char *device, const char *handle)
{
    char parent[48], child[16];
    snprintf(parent, sizeof parent, "parent %s1", handle);
    if (find_at(sim, device, parent, child))
        sim_drop(sim, "qdisc %s %s", device, child);
    sim_drop(sim, "qdisc %s %s", device, handle);
}

static const char *kind_of(const char *value, char kind[32])
{
    const char *at = strstr(value, "root ") == value ? value + strlen("root ") : value;
    kind[0] = '\0';
    if (at == value)
        sscanf(value, "parent %*s %31s", kind);
    else
        sscanf(at, "%31s", kind);
    return kind;
}

/* add|replace dev D root|parent P handle H KIND ... */
static int put_queue(struct ja_sim *sim, char *const *words, int count, struct ja_error *err)
{
    const char *device = sim_word_after(words, count, "dev"), *handle = sim_word_after(words, count, "handle");
    const char *up = sim_word_after(words, count, "parent");
    char parent[48] = "root", old[16], above[16], text[512], kind[32], new_kind[32];
    if (up)
        snprintf(parent, sizeof parent, "parent %s", up);
    if (!handle)
        return sim_fail(err, "the model wants a handle");
    if (up) {
        snprintf(above, sizeof above, "%.*s", (int)strcspn(up, ":") + 1, up);
        if (!sim_get(sim, "qdisc %s %s", device, above))
            return sim_fail(err, "Error: Specified class not found.");
    }
    int n = snprintf(text, sizeof text, "%s", parent);
    for (int i = 0, from = count; i < count; i++) {
        if (i > 0 && strcmp(words[i - 1], "handle") == 0)
            from = i + 1;
        if (i >= from)
            n += snprintf(text + n, sizeof text - (size_t)n, " %s", words[i]);
    }
    const char *same = sim_get(sim, "qdisc %s %s", device, handle);
    if (same && strcmp(kind_of(same, kind), kind_of(text, new_kind)) != 0)
        return sim_fail(err, "Error: Invalid qdisc name.");
    if (find_at(sim, device, parent, old)) {
        if (strcmp(words[1], "add") == 0)
            return sim_fail(err, "Error: Exclusivity flag on, cannot modify.");
        if (strcmp(old, handle) != 0)
            drop_queue(sim, device, old);
    }
    sim_put(sim, text, "qdisc %s %s", device, handle);
    return 0;
}

static int ingress(struct ja_sim *sim, const char *verb, const char *device, struct ja_error *err)
{
    bool there = sim_get(sim, "qdisc %s " INGRESS, device) != NULL;
    if (strcmp(verb, "delete") == 0) {
        sim_drop(sim, "filter %s", device);
        return sim_drop(sim, "qdisc %s " INGRESS, device) ? 0 : sim_fail(err, "Error: Invalid handle.");
    }
    if (there && strcmp(verb, "add") == 0)
        return sim_fail(err, "Error: Exclusivity flag on, cannot modify.");
    sim_put(sim, "ingress", "qdisc %s " INGRESS, device);
    return 0;
}

static int tc_line(struct ja_sim *sim, void *context, const char *line, char *const *words, int count,
                   struct ja_error *err)
{
    const char *device = sim_word_after(words, count, "dev");
    char handle[16];
    (void)context;
    if (!device || !sim_get(sim, "link %s", device))
        return sim_fail(err, "Cannot find device \"%s\"", device ? device : "");
    if (strcmp(words[0], "filter") == 0 && count > 4 && strcmp(words[1], "add") == 0) {
        const char *to = words[count - 1];
        if (!sim_get(sim, "qdisc %s " INGRESS, device) || sim_get(sim, "filter %s", device) ||
            !sim_get(sim, "link %s", to))
            return sim_fail(err, "no ingress, a filter, or no %s", to);
        sim_put(sim, to, "filter %s", device);
        return 0;
    }
    if (strcmp(words[0], "qdisc") != 0) {
        sim_trouble(sim, "the model knows no tc %s", line);
        return sim_fail(err, "no tc %s", line);
    }
    if (strcmp(words[count - 1], "ingress") == 0)
        return ingress(sim, words[1], device, err);
    if (strcmp(words[1], "delete") != 0)
        return put_queue(sim, words, count, err);
    if (!find_at(sim, device, "root", handle))
        return sim_fail(err, "Error: Cannot delete qdisc with handle of zero.");
    drop_queue(sim, device, handle);
    return 0;
}

static int do_tc(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)argv, (void)argc;
    return sim_each_line(sim, cmd->input, NULL, tc_line, err);
}

const char *sim_tc_queues(struct ja_sim *sim, const char *interface)
{
    char prefix[64], kind[32], text[256] = "";
    snprintf(prefix, sizeof prefix, "qdisc %s ", interface);
    if (!sim_get(sim, "link %s", interface))
        return NULL;
    for (size_t i = sim_from(sim, prefix); sim_starts(sim, i, prefix); i++) {
        const char *value = sim->entries[i].value;
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s", length ? " " : "",
                 strcmp(value, "ingress") == 0 ? value : kind_of(value, kind));
    }
    return sim_say(sim, "%s", text);
}

void sim_tc_check(struct ja_sim *sim)
{
    for (size_t i = sim_from(sim, "filter "); sim_starts(sim, i, "filter "); i++)
        if (!sim_get(sim, "link %s", sim->entries[i].value))
            sim_trouble(sim, "what %s receives is handed to %s, which is not there", sim->entries[i].key,
                        sim->entries[i].value);
}

const struct ja_sim_command sim_tc_commands[] = {{{"tc", "-batch", "-"}, do_tc}, {{NULL}, NULL}};
