/*
 * bsdfacts.h: a FreeBSD host that prints what it is told to: what real ones printed (test/data/freebsd), or a text.
 */
#ifndef BSDFACTS_H
#define BSDFACTS_H

#include "host/freebsd/facts.h"

#include "base/base.h"
#include "scratch.h"

static const char *data; /* test/data/freebsd */

static inline char *load(const char *version, const char *name)
{
    char path[1024], *text = NULL;
    snprintf(path, sizeof path, "%s/%s/%s", data, version, name);
    FILE *file = fopen(path, "r");
    size_t size = 0;
    if (!file)
        fail_msg("no test data %s", path);
    ssize_t n = getdelim(&text, &size, '\0', file);
    fclose(file);
    assert_true(n >= 0);
    return text;
}

/* ---- a host that prints what it is told to ---- */

struct said {
    const char *command; /* words before the first blank of the question, "ifconfig -a" */
    const char *version, *file;
    const char *text; /* in place of a file */
    int status, code;
};

struct host {
    const struct said *said;
    size_t runs;
    char commands[2048];
};

static inline int run(void *context, char *const *argv, struct ja_str *output, int *ret_status, struct ja_error *err)
{
    struct host *host = context;
    char line[512] = "";
    for (size_t i = 0; argv[i]; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s", i ? " " : "", argv[i]);
    snprintf(host->commands + strlen(host->commands), sizeof host->commands - strlen(host->commands), "%s\n", line);
    host->runs++;
    for (const struct said *said = host->said; said->command; said++) {
        if (strncmp(line, said->command, strlen(said->command)) != 0)
            continue;
        if (said->code)
            return ja_error_set(err, said->code, NULL, "it cannot be run");
        if (said->file) {
            char *text = load(said->version, said->file);
            ja_str_add(output, text);
            free(text);
        } else {
            ja_str_add(output, said->text);
        }
        *ret_status = said->status;
        return 0;
    }
    return ja_error_set(err, JA_E_NOTFOUND, NULL, "there is no program %s", argv[0]);
}

static struct host host;
static struct ja_error err;

static inline int read_all(struct ja_facts *facts, const struct said *said)
{
    struct ja_freebsd_source source = {.run = run, .context = &host};
    host = (struct host){.said = said};
    ja_error_clear(&err);
    return ja_freebsd_facts_read(&source, facts, &err);
}

static inline void is(struct ja_facts *facts, enum ja_fact_kind kind, const char *name, const char *value)
{
    const char *found = ja_fact(facts, kind, name);
    if (!value)
        assert_null(found);
    else if (!found)
        fail_msg("%s is absent", name);
    else
        assert_string_equal(found, value);
}

static inline void ask_ipfw(struct ja_facts *facts)
{
    ja_fact(facts, JA_FACT_IPFW, "rule 100");
    ja_fact(facts, JA_FACT_IPFW, "rule 20010");
    ja_fact(facts, JA_FACT_IPFW, "rule 65535");
    ja_fact(facts, JA_FACT_IPFW, "rule 20030");
    ja_fact(facts, JA_FACT_IPFW, "table janat");
    ja_fact(facts, JA_FACT_IPFW, "table other");
    ja_fact(facts, JA_FACT_IPFW, "table janat 10.66.0.0/16");
    ja_fact(facts, JA_FACT_IPFW, "table janat 10.67.0.0/16");
    ja_fact(facts, JA_FACT_IPFW, "nat 17");
    ja_fact(facts, JA_FACT_IPFW, "nat 18");
}

static inline void ask_pf(struct ja_facts *facts)
{
    static const char *const names[] = {"status",  "main nat-anchor", "main rdr-anchor", "main anchor",
                                        "anchors", "anchor lan",      "anchor la"};
    for (size_t i = 0; i < JA_COUNT(names); i++)
        ja_fact(facts, JA_FACT_PF, names[i]);
}

#endif
