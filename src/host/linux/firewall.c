/*
 * firewall.c: other people's firewalls that drop what jails send through the host: what to say, and what to do about it. The
 * fact finds them; our own rules cannot overrule them, since every table must accept.
 */
#include "host/linux/linux.h"

#include <stdio.h>
#include <string.h>

static void bridges_prefix(const struct ja_planning *p, char prefix[16])
{
    snprintf(prefix, 16, "ja%sbr", p->site->tag);
}

/* One line of the fact in words. */
static void describe(const char *kind, const char *rest, const char *bridges, struct ja_str *what,
                     struct ja_str *remedy)
{
    const char *separator = what->length ? ", and " : "", *then = remedy->length ? "; " : "";
    if (strcmp(kind, "docker") == 0) {
        ja_str_addf(what, "%sDocker's firewall", separator);
        ja_str_addf(remedy, "%siptables -I DOCKER-USER -i %s+ -j ACCEPT; iptables -I DOCKER-USER -o %s+ -j ACCEPT",
                    then, bridges, bridges);
    } else if (strcmp(kind, "ufw") == 0) {
        ja_str_addf(what, "%sufw", separator);
        ja_str_addf(remedy, "%sfor each bridge: ufw route allow in on %s0; ufw route allow out on %s0", then, bridges,
                    bridges);
    } else if (strcmp(kind, "firewalld") == 0) {
        ja_str_addf(what, "%sfirewalld", separator);
        ja_str_addf(
            remedy,
            "%sfor each bridge: firewall-cmd --permanent --zone=trusted --add-interface=%s0; firewall-cmd --reload",
            then, bridges);
    } else if (strcmp(kind, "iptables") == 0) {
        ja_str_addf(what, "%sthe FORWARD chain of iptables (%.*s)", separator, (int)strcspn(rest, " "), rest);
        ja_str_addf(remedy, "%siptables -I FORWARD -i %s+ -j ACCEPT; iptables -I FORWARD -o %s+ -j ACCEPT", then,
                    bridges, bridges);
    } else {
        ja_str_addf(what, "%sthe nftables chain %s", separator, rest);
        ja_str_addf(remedy, "%snft insert rule %s iifname \"%s*\" accept; nft insert rule %s oifname \"%s*\" accept",
                    then, rest, bridges, rest, bridges);
    }
}

bool ja_linux_foreign_firewall(struct ja_planning *p, struct ja_str *what, struct ja_str *remedy)
{
    char prefix[16];
    bridges_prefix(p, prefix);
    const char *lines = ja_fact(p->facts, JA_FACT_FIREWALL, prefix);
    for (const char *line = lines; line && *line;) {
        char text[256], kind[32];
        size_t length = strcspn(line, "\n"), word = strcspn(line, " ");
        if (length < sizeof text && word < sizeof kind) {
            snprintf(text, sizeof text, "%.*s", (int)length, line);
            snprintf(kind, sizeof kind, "%.*s", (int)word, line);
            describe(kind, text + word + (text[word] == ' '), prefix, what, remedy);
        }
        line += length + (line[length] == '\n');
    }
    return what->length > 0;
}

void ja_linux_firewall_note(struct ja_planning *p)
{
    ja_autostr struct ja_str what = {0}, remedy = {0};
    if (ja_linux_foreign_firewall(p, &what, &remedy) && !what.failed && !remedy.failed)
        ja_plan_note(p->plan, "%s drops forwarded packets, so jails may not reach the world; to let them: %s",
                     what.text, remedy.text);
}
