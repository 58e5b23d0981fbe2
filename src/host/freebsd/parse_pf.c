/*
 * parse_pf.c: what pfctl(8) shows: whether pf works, what the main ruleset asks, and what is in anchors of ours.
 */
#include "host/freebsd/parse.h"

#include <string.h>

static int unreadable(const char *line, struct ja_error *err)
{
    return ja_error_set(err, JA_E_FAILED, NULL, "pfctl printed a line that cannot be read: %s", JA_SHOW(line));
}

static int put(struct ja_map *answers, const char *name, const char *value, struct ja_error *err)
{
    return ja_map_set(answers, name, value) < 0 ? ja_error_nomem(err) : 0;
}

/* What it may say besides: a kernel without ALTQ, an anchor that is gone by now. */
static bool is_remark(const char *line)
{
    static const char *const remarks[] = {"No ALTQ support in kernel", "ALTQ related functions disabled",
                                          "pfctl: DIOCGETRULES: Invalid argument",
                                          "pfctl: Anchor or Ruleset does not exist.", "pfctl: Anchor does not exist."};
    for (size_t i = 0; i < JA_COUNT(remarks); i++)
        if (strcmp(line, remarks[i]) == 0)
            return true;
    return false;
}

/* "Status: Enabled for 0 days 00:00:02           Debug: Urgent" */
int ja_freebsd_parse_pf_info(char *text, struct ja_map *answers, struct ja_error *err)
{
    static const char status[] = "Status: ";
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (!ja_str_starts(line, status))
            continue;
        line += strlen(status);
        line[strcspn(line, " ")] = '\0';
        return put(answers, "status", line, err);
    }
    return ja_error_set(err, JA_E_FAILED, NULL, "pfctl does not say whether pf is enabled");
}

/* "nat-anchor "jailadmin/..." all" */
int ja_freebsd_parse_pf_main(char *text, struct ja_map *answers, struct ja_error *err)
{
    static const struct {
        const char *rule, *name;
    } anchors[] = {{"nat-anchor \"jailadmin/*\"", "main nat-anchor"},
                   {"rdr-anchor \"jailadmin/*\"", "main rdr-anchor"},
                   {"anchor \"jailadmin/*\"", "main anchor"}};
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        if (ja_str_starts(line, "pfctl: ") && !is_remark(line))
            return unreadable(line, err);
        for (size_t i = 0; rc == 0 && i < JA_COUNT(anchors); i++)
            if (ja_str_starts(line, anchors[i].rule))
                rc = put(answers, anchors[i].name, "", err);
    }
    return rc;
}

/* "  jailadmin/ja00br0" */
int ja_freebsd_parse_pf_anchors(char *text, struct ja_map *answers, struct ja_error *err)
{
    static const char prefix[] = "  jailadmin/";
    ja_autostr struct ja_str names = {0};
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (!*line || is_remark(line))
            continue;
        if (!ja_str_starts(line, prefix))
            return unreadable(line, err);
        ja_str_addf(&names, "%s\n", line + strlen(prefix));
    }
    if (names.failed)
        return ja_error_nomem(err);
    return names.text ? put(answers, "anchors", names.text, err) : 0;
}

/* "nat on vtnet0 inet from 10.66.0.0/16 to any -> (vtnet0:0) round-robin": what it adds when an interface has several addresses. */
static void drop_method(char *line)
{
    static const char method[] = " round-robin";
    size_t length = strlen(line), tail = strlen(method);
    if (ja_str_starts(line, "nat ") && length > tail && strcmp(line + length - tail, method) == 0)
        line[length - tail] = '\0';
}

int ja_freebsd_parse_pf_rules(char *text, struct ja_str *rules, struct ja_error *err)
{
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (!*line || is_remark(line))
            continue;
        if (ja_str_starts(line, "pfctl: "))
            return unreadable(line, err);
        drop_method(line);
        ja_str_addf(rules, "%s\n", line);
    }
    return rules->failed ? ja_error_nomem(err) : 0;
}
