/*
 * machine.c: this machine as a place to run steps: natives and host verbs as function calls, all else as processes.
 */
#include "run/machine.h"
#include "base/clock.h"
#include "base/file.h"
#include "run/hostverb.h"
#include "run/spawn.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct call {
    ja_hostverb_fn *fn;
    int argc;
    char *const *argv;
    const char *input;
};

static int call_fn(void *context, struct ja_str *output, struct ja_error *err)
{
    const struct call *call = context;
    struct ja_hostverb_io io = {.input = call->input, .input_length = strlen(call->input), .output = output};
    return call->fn(call->argc, call->argv, &io, err);
}

static const struct ja_native *find_native(const struct ja_strv *argv)
{
    const char *slash = strrchr(argv->items[0], '/');
    const char *program = slash ? slash + 1 : argv->items[0];
    for (const struct ja_native *native = ja_native_table(); native->words[0]; native++) {
        bool same = strcmp(native->words[0], program) == 0;
        for (size_t i = 1; same && i < JA_COUNT(native->words) && native->words[i]; i++)
            same = i < argv->count && strcmp(argv->items[i], native->words[i]) == 0;
        if (same)
            return native;
    }
    return NULL;
}

/* The command as one line, for errors. */
static void describe(const struct ja_cmd *cmd, char *text, size_t size)
{
    ja_autostr struct ja_str str = {0};
    for (size_t i = 0; i < cmd->argv.count; i++) {
        if (i)
            ja_str_add(&str, " ");
        ja_str_add_quoted(&str, cmd->argv.items[i]);
    }
    snprintf(text, size, "%s", str.text ? str.text : "");
}

static int call_function(const struct ja_machine *machine, ja_hostverb_fn *fn, unsigned flags, size_t skip,
                         const struct ja_cmd *cmd, int64_t timeout_ms, struct ja_str *output, struct ja_error *err)
{
    struct call call = {.fn = fn,
                        .argc = (int)(cmd->argv.count - skip),
                        .argv = cmd->argv.items + skip,
                        .input = cmd->input ? cmd->input : ""};
    ja_autostr struct ja_str thrown = {0};
    struct ja_str *out = output ? output : &thrown;
    if (flags & JA_HOSTVERB_FORK)
        return ja_spawn_call(call_fn, &call, timeout_ms, machine->interrupted, out, err);
    return call_fn(&call, out, err);
}

void ja_machine_printed(const char *printed, size_t length, struct ja_error *err)
{
    if (!err)
        return;
    size_t keep = sizeof err->output / 2;
    if (length > keep) {
        printed += length - keep;
        length = keep;
    }
    while (length && (printed[length - 1] == '\n' || printed[length - 1] == ' '))
        length--;
    ja_autostr struct ja_str shown = {0};
    ja_str_add_shown(&shown, printed, length, true);
    snprintf(err->output, sizeof err->output, "%s", shown.text ? shown.text : "");
}

static int run_process(struct ja_machine *machine, const struct ja_cmd *cmd, int64_t timeout_ms, const char *mark,
                       struct ja_str *output, struct ja_error *err)
{
    struct ja_spawn spawn = {.argv = cmd->argv.items,
                             .input = cmd->input,
                             .timeout_ms = timeout_ms,
                             .mark = mark,
                             .interrupted = machine->interrupted,
                             .heard = machine->heard,
                             .context = machine->heard_context};
    struct ja_spawn_result result;
    int rc = ja_spawn_run(&spawn, &result, err);
    if (rc < 0)
        return rc;
    if (result.output.failed) {
        rc = ja_error_nomem(err);
    } else if (result.interrupted) {
        rc = ja_error_set(err, JA_E_INTERRUPTED, NULL, "interrupted");
    } else if (result.timed_out) {
        rc = ja_error_set(err, JA_E_TIMEOUT, NULL, "the command did not end within %lld s%s",
                          (long long)(timeout_ms / 1000), result.stuck ? ", nor when it was killed" : "");
    } else if (result.status != 0) {
        rc = ja_error_set(err, JA_E_FAILED, NULL, "the command ended with status %d", result.status);
    }
    if (rc < 0)
        ja_machine_printed(result.output.text ? result.output.text : "", result.output.length, err);
    if (output && result.output.length)
        ja_str_addn(output, result.output.text, result.output.length);
    ja_str_fini(&result.output);
    return rc;
}

static int real_run(struct ja_machine *machine, const struct ja_cmd *cmd, int64_t timeout_ms, const char *mark,
                    struct ja_str *output, struct ja_error *err)
{
    const struct ja_real_machine *real = (const struct ja_real_machine *)machine;
    int rc = JA_E_UNSUPPORTED;
    const struct ja_strv *argv = &cmd->argv;
    if (argv->count > 2 && strcmp(argv->items[0], real->self) == 0 && strcmp(argv->items[1], "host") == 0) {
        const struct ja_hostverb *verb = ja_hostverb_find(argv->items[2]);
        if (!verb)
            return ja_error_set(err, JA_E_UNSUPPORTED, NULL, "no such host verb: %s", argv->items[2]);
        if (verb->native && real->natives)
            rc = call_function(machine, verb->native, 0, 2, cmd, timeout_ms, output, err);
        if (rc == JA_E_UNSUPPORTED)
            rc = verb->flags & JA_HOSTVERB_PROCESS
                     ? run_process(machine, cmd, timeout_ms, mark, output, err)
                     : call_function(machine, verb->run, verb->flags, 2, cmd, timeout_ms, output, err);
    } else {
        const struct ja_native *native = real->natives ? find_native(argv) : NULL;
        if (native)
            rc = call_function(machine, native->run, native->flags, 0, cmd, timeout_ms, output, err);
        if (!native || rc == JA_E_UNSUPPORTED)
            rc = run_process(machine, cmd, timeout_ms, mark, output, err);
    }
    if (rc < 0 && err)
        describe(cmd, err->command, sizeof err->command);
    return rc;
}

static void real_kill_marked(JA_UNUSED struct ja_machine *machine, const char *mark)
{
    ja_spawn_kill_marked(mark);
}

/* A pool that is not mounted, or a disk that fails, is somebody else's to report. */
static void real_sync(struct ja_machine *machine, const char *dir)
{
    (void)machine;
    ja_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        ja_sync_filesystem(fd);
}

int ja_real_machine_init(struct ja_real_machine *real, const char *self, bool natives, struct ja_fact_reader facts,
                         struct ja_error *err)
{
    *real = (struct ja_real_machine){.machine = {.run = real_run,
                                                 .facts = facts,
                                                 .kill_marked = real_kill_marked,
                                                 .sync = real_sync,
                                                 .copies = true},
                                     .natives = natives,
                                     .self = self};
    if (natives)
        real->machine.ahead = ja_native_ahead;
    return ja_boot_id(real->machine.boot_id, sizeof real->machine.boot_id, err);
}

int ja_machine_fact(struct ja_machine *machine, enum ja_fact_kind kind, const char *name, char **ret_value,
                    struct ja_error *err)
{
    struct ja_facts facts = {0};
    ja_fact(&facts, kind, name);
    int rc = facts.failed ? ja_error_nomem(err) : machine->facts.read(machine->facts.context, &facts, err);
    if (rc == 0) {
        const char *value = ja_fact(&facts, kind, name);
        *ret_value = value ? ja_strdup(value) : NULL;
        if (value && !*ret_value)
            rc = ja_error_nomem(err);
    }
    ja_facts_fini(&facts);
    return rc;
}
