/*
 * option.c: reading the options of host verbs.
 */
#include "run/option.h"
#include "run/hostverb.h"

#include <errno.h>
#include <string.h>

int ja_opt_usage(const char *verb, struct ja_error *err)
{
    const struct ja_hostverb *known = ja_hostverb_find(verb);
    ja_error_set(err, JA_E_USAGE, NULL, "wrong arguments of %s", verb);
    if (known)
        ja_error_hint(err, "usage: jailadmin host %s %s", known->name, known->usage ? known->usage : "");
    return JA_E_USAGE;
}

static const struct ja_opt *find(const struct ja_opt *options, const char *name)
{
    while (options->name && strcmp(options->name, name) != 0)
        options++;
    return options->name ? options : NULL;
}

int ja_opt_read(int argc, char *const *argv, const struct ja_opt *options, int *ret_first, struct ja_error *err)
{
    int i = 1;
    while (i < argc && argv[i][0] == '-') {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        const struct ja_opt *option = find(options, argv[i++]);
        if (!option || (!option->flag && i == argc))
            return ja_opt_usage(argv[0], err);
        if (option->flag)
            *option->flag = true;
        else if (!option->list)
            *option->value = argv[i++];
        else if (ja_strv_add(option->values, argv[i++]) < 0)
            return ja_error_nomem(err);
    }
    *ret_first = i;
    return 0;
}

/* strtoll without signs, blanks and rests. False when text is no number. */
static bool read_number(const char *text, int base, int64_t *ret)
{
    char *end = NULL;
    errno = 0;
    long long value = text ? strtoll(text, &end, base) : 0;
    if (!text || text[0] < '0' || text[0] > '9' || *end || errno)
        return false;
    *ret = value;
    return true;
}

int ja_opt_number(const char *name, const char *text, int64_t low, int64_t high, int64_t *ret, struct ja_error *err)
{
    int64_t value;
    if (!read_number(text, 10, &value) || value < low || value > high)
        return ja_error_set(err, JA_E_USAGE, NULL, "%s wants a number from %lld to %lld, not '%s'", name,
                            (long long)low, (long long)high, text ? text : "");
    *ret = value;
    return 0;
}

int ja_opt_mode(const char *name, const char *text, mode_t *ret_mode, struct ja_error *err)
{
    int64_t value;
    if (!read_number(text, 8, &value) || value > 07777)
        return ja_error_set(err, JA_E_USAGE, NULL, "%s wants an octal number up to 7777, not '%s'", name,
                            text ? text : "");
    *ret_mode = (mode_t)value;
    return 0;
}

bool ja_opt_plain_name(const char *name)
{
    return name && name[0] && strlen(name) <= 128 && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}
