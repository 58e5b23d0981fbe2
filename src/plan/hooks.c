/*
 * hooks.c: commands of the administrator on the host, around the starts and stops of a jail. They run without a shell unless
 * they name one; the jail is described in their environment.
 */
#include "host/host.h"
#include "plan/planning.h"

#include <string.h>

static void variable(struct ja_planning *p, struct ja_step *step, const char *name, const char *value)
{
    ja_step_runf(p->plan, step, "JAILADMIN_%s=%s", name, value ? value : "");
}

static void addresses_variable(struct ja_planning *p, struct ja_step *step, const struct ja_jail *jail)
{
    ja_autostr struct ja_str text = {0};
    for (size_t i = 0; i < jail->nics.count; i++) {
        const struct ja_nic *nic = jail->nics.items[i];
        for (size_t a = 0; a < nic->assigned.count; a++)
            ja_str_addf(&text, "%s%.*s", text.length ? " " : "", (int)strcspn(nic->assigned.items[a], "/"),
                        nic->assigned.items[a]);
    }
    if (text.failed)
        ja_plan_fail(p->plan, JA_E_NOMEM, NULL, "out of memory");
    variable(p, step, "ADDRESSES", text.text);
}

void ja_plan_hooks(struct ja_planning *p, const struct ja_jail *jail, const char *hook, const struct ja_strv *commands,
                   bool may_fail)
{
    for (size_t i = 0; i < commands->count; i++) {
        ja_autostrv struct ja_strv words = {0};
        int rc = ja_str_split_words(commands->items[i], &words);
        if (rc < 0 || words.count == 0) {
            ja_plan_fail(p->plan, rc == -1 ? JA_E_NOMEM : JA_E_INVALID, "field hooks", "\"%s\" is not a command",
                         JA_SHOW(commands->items[i]));
            continue;
        }
        ja_autofree char *root = ja_path_root(p, jail);
        struct ja_step *step = ja_plan_step(p->plan, "run the hook %s", hook);
        ja_step_run(p->plan, step, ja_plan_tool(p->plan, p->facts, "env"), NULL);
        variable(p, step, "HOOK", hook);
        variable(p, step, "JAIL", jail->name);
        variable(p, step, "UUID", jail->uuid);
        variable(p, step, "HOSTNAME", jail->hostname ? jail->hostname : jail->name);
        addresses_variable(p, step, jail);
        variable(p, step, "ROOT", root);
        variable(p, step, "STATE", p->site->state);
        for (size_t w = 0; w < words.count; w++)
            ja_step_run(p->plan, step, words.items[w], NULL);
        if (may_fail)
            step->flags |= JA_STEP_IGNORE | JA_STEP_ONCE;
    }
}
