/*
 * facts.c: the fact reader of this FreeBSD host: the commands of the base system, with a time limit and a bound.
 */
#include "host/freebsd/native/native.h"

#include "host/facts_file.h"
#include "host/host.h"
#include "run/spawn.h"
#include "run/zfs.h"

#include <string.h>

enum { COMMAND_TIMEOUT_MS = 30 * 1000, OUTPUT_MOST = 64 << 20 };

static int spawn(char *const *argv, struct ja_str *output, int *ret_status, struct ja_error *err)
{
    struct ja_spawn what = {.argv = argv, .timeout_ms = COMMAND_TIMEOUT_MS, .output_limit = OUTPUT_MOST};
    struct ja_spawn_result result;
    int rc = ja_spawn_run(&what, &result, err);
    if (rc < 0)
        return rc;
    if (result.timed_out)
        rc = ja_error_set(err, JA_E_TIMEOUT, NULL, "%s did not end within %d s", argv[0], COMMAND_TIMEOUT_MS / 1000);
    else if (result.cut)
        rc = ja_error_set(err, JA_E_LIMIT, NULL, "%s printed more than %d MB", argv[0], OUTPUT_MOST >> 20);
    else if (result.output.failed)
        rc = ja_error_nomem(err);
    else if (result.output.text)
        ja_str_addn(output, result.output.text, result.output.length);
    *ret_status = result.status;
    ja_str_fini(&result.output);
    return rc;
}

int ja_freebsd_run(char *const *argv, struct ja_str *output, int *ret_status, struct ja_error *err)
{
    ja_autostr struct ja_str path = {0};
    ja_autostrv struct ja_strv words = {0};
    int rc = ja_fact_from_file(JA_FACT_TOOL, argv[0], &path, err);
    if (rc == 0)
        return ja_error_set(err, JA_E_NOTFOUND, NULL, "the host has no program %s", argv[0]);
    if (rc < 0)
        return rc;
    if (path.failed || ja_strv_add(&words, path.text) < 0)
        return ja_error_nomem(err);
    for (size_t i = 1; argv[i]; i++)
        if (ja_strv_add(&words, argv[i]) < 0)
            return ja_error_nomem(err);
    return spawn(words.items, output, ret_status, err);
}

static int run_program(JA_UNUSED void *context, char *const *argv, struct ja_str *output, int *ret_status,
                       struct ja_error *err)
{
    return ja_freebsd_run(argv, output, ret_status, err);
}

struct ja_fact_reader ja_native_fact_reader(void)
{
    static struct ja_freebsd_source source = {
        .run = run_program, .links = ja_freebsd_read_links, .zfs = ja_zfs_facts_read};
    return (struct ja_fact_reader){.read = ja_freebsd_facts_read, .context = &source};
}
