/*
 * natconfig.c: the configuration of a NAT instance of ipfw, which is always replaced as a whole: what is to stay in it must be
 * said again. Pure text; the host verb nat-config does it under a lock.
 */
#include "host/freebsd/rules.h"

#include <string.h>

static const char redirect[] = "redirect_port";

/* One redirection has two or three words after its protocol: where it leads to, the port, and for whom. */
static bool is_option(const char *word)
{
    static const char *const options[] = {"redirect_port", "redirect_addr", "redirect_proto"};
    for (size_t i = 0; i < JA_COUNT(options); i++)
        if (strcmp(word, options[i]) == 0)
            return true;
    return false;
}

/* Splits a configuration: what comes before redirections, and each of these without its first word when it is one of ports. 0, -1: no
 * memory, -2: that is no configuration. */
static int split(const char *config, struct ja_strv *options, struct ja_strv *redirections)
{
    ja_autostrv struct ja_strv words = {0};
    int rc = ja_str_split_words(config, &words);
    if (rc < 0)
        return rc;
    size_t i = 0;
    for (; i < words.count && !is_option(words.items[i]); i++)
        if (ja_strv_add(options, words.items[i]) < 0)
            return -1;
    while (i < words.count) {
        ja_autostr struct ja_str one = {0};
        if (strcmp(words.items[i], redirect) != 0)
            ja_str_add(&one, words.items[i]);
        for (i++; i < words.count && !is_option(words.items[i]); i++) {
            ja_str_add(&one, one.length ? " " : "");
            ja_str_add_quoted(&one, words.items[i]);
        }
        if (!one.length && !one.failed)
            return -2;
        if (one.failed || ja_strv_add(redirections, one.text) < 0)
            return -1;
    }
    return 0;
}

int ja_freebsd_nat_has(const char *config, const char *redirection)
{
    ja_autostrv struct ja_strv options = {0}, redirections = {0};
    int rc = split(config, &options, &redirections);
    return rc == -1 ? JA_E_NOMEM : rc == 0 && ja_strv_has(&redirections, redirection);
}

static int add_redirection(struct ja_strv *words, const char *redirection)
{
    ja_autostrv struct ja_strv parts = {0};
    if (ja_str_split_words(redirection, &parts) < 0)
        return -1;
    if (parts.count && !is_option(parts.items[0]) && ja_strv_add(words, redirect) < 0)
        return -1;
    for (size_t i = 0; i < parts.count; i++)
        if (ja_strv_add(words, parts.items[i]) < 0)
            return -1;
    return 0;
}

static int build(const char *config, const char *interface, bool reverse, const struct ja_strv *add,
                 const struct ja_strv *remove, struct ja_strv *words)
{
    ja_autostrv struct ja_strv redirections = {0};
    int rc = config ? split(config, words, &redirections)
                    : ja_strv_add_all(words, "if", interface, "same_ports", "reset", reverse ? "reverse" : NULL, NULL);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < remove->count; i++)
        ja_strv_remove(&redirections, remove->items[i]);
    for (size_t i = 0; i < add->count; i++)
        if (!ja_strv_has(&redirections, add->items[i]) && ja_strv_add(&redirections, add->items[i]) < 0)
            return -1;
    for (size_t i = 0; i < redirections.count; i++)
        if (add_redirection(words, redirections.items[i]) < 0)
            return -1;
    return 0;
}

int ja_freebsd_nat_words(const char *config, const char *interface, bool reverse, const struct ja_strv *add,
                         const struct ja_strv *remove, struct ja_strv *ret_words, struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    int rc = build(config, interface, reverse, add, remove, &words);
    if (rc == -2)
        return ja_error_set(err, JA_E_FAILED, NULL, "ipfw printed a configuration of NAT that cannot be read: %s",
                            JA_SHOW(config));
    if (rc < 0)
        return ja_error_nomem(err);
    *ret_words = words;
    words = (struct ja_strv){0};
    return 0;
}
