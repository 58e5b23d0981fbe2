/*
 * sim_freebsd_pf.c: pfctl(8) for anchors below jailadmin/, as 13.2 was seen to do it: a load is a transaction, and emptying what is
 * not there says so with the status 0. The main ruleset is the administrator's: nobody else may load it, or turn pf on.
 */
#include "sim_freebsd.h"

#include <stdio.h>
#include <string.h>

static const char *const main_rules[][2] = {{"nat", "nat-anchor"}, {"nat", "rdr-anchor"}, {"rules", "anchor"}};

void sim_pf_boot(struct ja_sim *sim)
{
    sim_put(sim, "Enabled", "pf status");
    for (size_t i = 0; i < JA_COUNT(main_rules); i++)
        sim_put(sim, "", "pf %s", main_rules[i][1]);
}

static bool is_translation(const char *line)
{
    return ja_str_starts(line, "nat on ") || ja_str_starts(line, "rdr pass on ");
}

/* Translations before rules. */
static bool is_ruleset(const char *text)
{
    int stage = 0;
    for (; *text; text += strcspn(text, "\n") + 1) {
        int kind = is_translation(text) ? 1 : 2;
        bool known = kind == 1 || ja_str_starts(text, "block drop in quick on ") || ja_str_starts(text, "pass out on ");
        if (!known || kind < stage || !text[strcspn(text, "\n")])
            return false;
        stage = kind;
    }
    return true;
}

/* pfctl -q -a jailadmin/NAME -o none -f - | -f /dev/null */
static int do_pfctl(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    static const char prefix[] = "jailadmin/";
    if (!sim_get(sim, "pf status"))
        return sim_fail(err, "pfctl: /dev/pf: No such file or directory");
    bool load = argc == 8 && strcmp(argv[4], "-o") == 0 && strcmp(argv[5], "none") == 0;
    if ((argc != 6 && !load) || strcmp(argv[1], "-q") != 0 || strcmp(argv[2], "-a") != 0 ||
        !ja_str_starts(argv[3], prefix)) {
        sim_trouble(sim, "pfctl is to do something outside our anchors");
        return sim_fail(err, "pfctl: usage");
    }
    const char *name = argv[3] + strlen(prefix), *verb = argv[argc - 2], *what = argv[argc - 1];
    if (strcmp(verb, "-f") == 0 && strcmp(what, "/dev/null") == 0) {
        sim_drop(sim, "anchor %s", name);
        return 0;
    }
    if (!load || strcmp(verb, "-f") != 0 || strcmp(what, "-") != 0 || !cmd->input || !is_ruleset(cmd->input)) {
        sim_trouble(sim, "pfctl is to load what the model does not know: %s", cmd->input ? cmd->input : "");
        return sim_fail(err, "stdin:1: syntax error");
    }
    if (!sim->tearing)
        sim_put(sim, cmd->input, "anchor %s", name);
    return 0;
}

const struct ja_sim_command sim_freebsd_pf_commands[] = {{{"pfctl"}, do_pfctl}, {{NULL}, NULL}};

/* ---- what it prints ---- */

static void print_main(struct ja_sim *sim, const char *list, struct ja_str *output)
{
    for (size_t i = 0; i < JA_COUNT(main_rules); i++)
        if (strcmp(main_rules[i][0], list) == 0 && sim_get(sim, "pf %s", main_rules[i][1]))
            ja_str_addf(output, "%s \"jailadmin/*\" all\n", main_rules[i][1]);
}

static int print_anchors(struct ja_sim *sim, struct ja_str *output)
{
    size_t i = sim_from(sim, "anchor ");
    if (!sim_starts(sim, i, "anchor ")) {
        ja_str_add(output, "pfctl: Anchor or Ruleset does not exist.\n");
        return 0;
    }
    for (; sim_starts(sim, i, "anchor "); i++)
        ja_str_addf(output, "  jailadmin/%s\n", sim->entries[i].key + strlen("anchor "));
    return 0;
}

static int print_anchor(struct ja_sim *sim, const char *name, const char *list, struct ja_str *output)
{
    const char *text = sim_get(sim, "anchor %s", name);
    if (!text) {
        ja_str_add(output, "pfctl: DIOCGETRULES: Invalid argument\n");
        return 0;
    }
    for (size_t length; *text; text += length + 1) {
        length = strcspn(text, "\n");
        if (is_translation(text) == (strcmp(list, "nat") == 0))
            ja_str_addf(output, "%.*s\n", (int)length, text);
    }
    return 0;
}

int sim_pf_print(struct ja_sim *sim, char *const *argv, struct ja_str *output)
{
    const char *status = sim_get(sim, "pf status");
    if (!status) {
        ja_str_add(output, "pfctl: /dev/pf: No such file or directory\n");
        return 1;
    }
    if (strcmp(argv[1], "-s") == 0 && strcmp(argv[2], "info") == 0)
        ja_str_addf(output, "Status: %s for 0 days 00:00:02           Debug: Urgent\n\n", status);
    else if (strcmp(argv[1], "-s") == 0)
        print_main(sim, argv[2], output);
    else if (strcmp(argv[2], "jailadmin") == 0)
        return print_anchors(sim, output);
    else
        return print_anchor(sim, argv[2] + strlen("jailadmin/"), argv[5], output);
    return 0;
}
