/*
 * nat.c: the host verb nat-config: reads, changes and writes a NAT instance's configuration, which ipfw replaces as a whole. Whoever
 * does it holds a lock on the instance's runtime directory, so that two jails that start at once keep both their forwards.
 */
#include "base/file.h"
#include "host/freebsd/native/native.h"
#include "host/freebsd/parse.h"
#include "host/freebsd/rules.h"
#include "run/option.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Lists the instances; the answer of this one is *ret_config, or NULL. The map is the caller's. */
static int read_config(const char *number, struct ja_map *answers, const char **ret_config, struct ja_error *err)
{
    ja_autostr struct ja_str output = {0};
    char name[32], program[] = "ipfw", nat[] = "nat", show[] = "show", config[] = "config";
    char *argv[] = {program, nat, show, config, NULL};
    int status, rc = ja_freebsd_run(argv, &output, &status, err);
    if (rc == 0 && status != 0)
        rc = ja_error_set(err, JA_E_FAILED, NULL, "ipfw cannot list its NAT instances: %s",
                          JA_SHOW(output.text ? output.text : ""));
    ja_str_add(&output, "");
    if (rc == 0 && output.failed)
        rc = ja_error_nomem(err);
    if (rc == 0)
        rc = ja_freebsd_parse_ipfw_nats(output.text, answers, err);
    if (rc < 0)
        return rc;
    snprintf(name, sizeof name, "nat %s", number);
    *ret_config = ja_map_get(answers, name);
    return 0;
}

static int write_config(const char *number, const struct ja_strv *words, struct ja_error *err)
{
    ja_autostrv struct ja_strv argv = {0};
    ja_autostr struct ja_str output = {0};
    int status;
    if (ja_strv_add_all(&argv, "ipfw", "-q", "nat", number, "config", NULL) < 0)
        return ja_error_nomem(err);
    for (size_t i = 0; i < words->count; i++)
        if (ja_strv_add(&argv, words->items[i]) < 0)
            return ja_error_nomem(err);
    int rc = ja_freebsd_run(argv.items, &output, &status, err);
    if (rc == 0 && status != 0)
        rc = ja_error_set(err, JA_E_FAILED, NULL, "ipfw does not take the NAT instance %s: %s", number,
                          JA_SHOW(output.text ? output.text : ""));
    return rc;
}

/* "vtnet0" of "if vtnet0 ...": an instance of another interface is not the one that was meant. */
static int check_interface(const char *config, const char *number, const char *interface, struct ja_error *err)
{
    char text[64];
    snprintf(text, sizeof text, "if %s", interface);
    size_t length = strlen(text);
    if (!config || (strncmp(config, text, length) == 0 && (config[length] == ' ' || !config[length])))
        return 0;
    return ja_error_set(err, JA_E_CONFLICT, NULL, "the NAT instance %s is not that of %s: %s", number, interface,
                        JA_SHOW(config));
}

static int change(const char *number, const char *interface, bool reverse, const struct ja_strv *add,
                  const struct ja_strv *remove, struct ja_error *err)
{
    ja_autostrv struct ja_strv words = {0};
    struct ja_map answers = {0};
    const char *config = NULL;
    int rc = read_config(number, &answers, &config, err);
    if (rc == 0)
        rc = check_interface(config, number, interface, err);
    /* Nothing is made only to take something out of it. */
    bool needed = config || add->count || !remove->count;
    if (rc == 0 && needed)
        rc = ja_freebsd_nat_words(config, interface, reverse, add, remove, &words, err);
    if (rc == 0 && needed)
        rc = write_config(number, &words, err);
    ja_map_fini(&answers);
    return rc;
}

int ja_verb_nat_config(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    ja_autostrv struct ja_strv add = {0}, remove = {0};
    const char *verb = argv[0];
    bool reverse = argc > 1 && strcmp(argv[1], "--back") == 0;
    argc -= reverse;
    argv += reverse;
    if (argc < 4 || argc % 2 != 0 || argv[1][0] != '/' || !argv[2][0] ||
        strspn(argv[2], "0123456789") != strlen(argv[2]) || !ja_opt_plain_name(argv[3]))
        return ja_opt_usage(verb, err);
    for (int i = 4; i < argc; i += 2) {
        bool is_add = strcmp(argv[i], "add") == 0;
        if (!is_add && strcmp(argv[i], "remove") != 0)
            return ja_opt_usage(verb, err);
        if (ja_strv_add(is_add ? &add : &remove, argv[i + 1]) < 0)
            return ja_error_nomem(err);
    }
    ja_autoclose int lock = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (lock >= 0 && flock(lock, LOCK_EX) < 0)
        if (errno != EINTR)
            return ja_file_error(err, errno, argv[1], "lock it");
    if (lock < 0)
        return ja_file_error(err, errno, argv[1], "open it");
    return change(argv[2], argv[3], reverse, &add, &remove, err);
}
