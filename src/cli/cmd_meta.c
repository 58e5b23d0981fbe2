/*
 * cmd_meta.c: verbs about the command line itself: help, version, completion, and host, which runs one step
 * of a plan.
 */
#include "cli/cmd.h"
#include "run/hostverb.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifndef JA_VERSION
#define JA_VERSION "unknown"
#endif

#define INPUT_LIMIT (16 * 1024 * 1024)

int ja_cmd_version(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    (void)args;
    if (cli->json)
        return ja_print_json(cli, json_pack("{s:s}", "version", JA_VERSION), err);
    fprintf(cli->out, "jailadmin %s\n", JA_VERSION);
    return 0;
}

/* The verbs of a group, "template". */
static void help_group(const char *group, struct ja_str *str)
{
    size_t length = strlen(group);
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++)
        if (strncmp(verb->name, group, length) == 0 && verb->name[length] == ' ' && !(verb->flags & JA_VERB_HIDDEN))
            ja_str_addf(str, "  %-20s%s\n", verb->name, verb->doc);
}

/* Adds the documentation of fields, wrapped. */
static void add_doc(struct ja_str *doc, unsigned width, struct ja_str *str)
{
    str->failed = str->failed || doc->failed;
    for (char *line = doc->text; line && *line;) {
        size_t indent = strspn(line, " "), length = strcspn(line, "\n");
        char *next = line + length + (line[length] == '\n');
        line[length] = '\0';
        ja_str_addf(str, "%*s", (int)indent, "");
        ja_wrap(str, line + indent, (unsigned)indent, (unsigned)indent, width);
        line = next;
    }
}

static void help_noun(const struct ja_noun *noun, unsigned width, struct ja_str *str)
{
    ja_autostr struct ja_str doc = {0};
    ja_noun_doc(noun, false, &doc);
    ja_str_addf(str, "%sFields of %s:\n", str->length ? "\n" : "", noun->name);
    add_doc(&doc, width, str);
}

/* "limits.memory" of a jail, or just "memory": wherever there is a field of that name. */
static void help_field(const char *path, unsigned width, struct ja_str *str)
{
    for (const struct ja_noun *const *noun = ja_help_nouns; *noun; noun++) {
        ja_autostr struct ja_str doc = {0};
        const struct ja_field *field = ja_noun_field_at(*noun, path);
        if (!field)
            continue;
        ja_field_doc(field, path, &doc);
        if (!doc.length)
            continue;
        ja_str_addf(str, "%sField of %s:\n", str->length ? "\n" : "", (*noun)->name);
        add_doc(&doc, width, str);
    }
}

/* What was probably meant: a verb, the first word of several, or a noun. */
static int help_unknown(const char *first, const char *second, struct ja_error *err)
{
    struct ja_nearest nearest = {.given = first};
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++) {
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(verb->name, " "), verb->name);
        if (!(verb->flags & JA_VERB_HIDDEN))
            ja_nearest_try(&nearest, word);
    }
    for (const struct ja_noun *const *noun = ja_help_nouns; *noun; noun++)
        ja_nearest_try(&nearest, (*noun)->name);
    ja_error_set(err, JA_E_USAGE, "help", "there is no verb, noun or field \"%s%s%s\"", JA_SHOW(first),
                 second ? " " : "", second ? JA_SHOW(second) : "");
    if (nearest.word[0] && !second)
        return ja_error_hint(err, "did you mean \"%s\"?", nearest.word);
    return ja_error_hint(err, "\"jailadmin help\" lists the verbs");
}

int ja_cmd_help(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    const char *first = args->words ? args->words[0] : NULL;
    const char *second = first ? args->words[1] : NULL;
    ja_autostr struct ja_str text = {0};
    size_t words = 0;
    const struct ja_verb *verb = first ? ja_verb_find(first, second, &words) : NULL;
    if (!first)
        ja_help_all(cli->width, &text);
    else if (verb && words == args->word_count)
        ja_help_verb(verb, cli->width, &text);
    else if (!second) {
        help_group(first, &text);
        for (const struct ja_noun *const *noun = ja_help_nouns; *noun; noun++)
            if (strcmp((*noun)->name, first) == 0 || ja_str_equal((*noun)->plural, first))
                help_noun(*noun, cli->width, &text);
        if (!text.length)
            help_field(first, cli->width, &text);
    }
    if (text.failed)
        return ja_error_nomem(err);
    if (text.length) {
        fputs(text.text, cli->out);
        return 0;
    }
    return help_unknown(first, second, err);
}

int ja_cmd_completion(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    const char *script = ja_completion_script(args->words[0]);
    if (script) {
        fputs(script, cli->out);
        return 0;
    }
    ja_error_set(err, JA_E_USAGE, "completion", "there is none for %s", JA_SHOW(args->words[0]));
    return ja_error_hint(err, "it is one of: bash, zsh, fish");
}

int ja_cmd_complete(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autostrv struct ja_strv found = {0};
    if (args->command && ja_complete(cli, args->command, (size_t)args->command_count, &found) < 0)
        return ja_error_nomem(err);
    for (size_t i = 0; i < found.count; i++)
        fprintf(cli->out, "%s\n", found.items[i]);
    return 0;
}

static int read_input(struct ja_str *input, struct ja_error *err)
{
    char buffer[16384];
    for (;;) {
        ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
        if (got == 0)
            return input->failed ? ja_error_nomem(err) : 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EBADF) /* closed: the same as empty */
            return 0;
        if (got < 0)
            return ja_error_sys(err, errno, NULL, "cannot read standard input");
        if (input->length + (size_t)got > INPUT_LIMIT)
            return ja_error_set(err, JA_E_LIMIT, NULL, "standard input is longer than %d bytes", INPUT_LIMIT);
        ja_str_addn(input, buffer, (size_t)got);
    }
}

static int list_host_verbs(struct ja_cli *cli)
{
    const struct ja_hostverb *tables[] = {ja_hostverb_portable(), ja_hostverb_native()};
    fputs("usage: jailadmin host HOST-VERB [ARGUMENT]...\n", cli->out);
    for (size_t t = 0; t < JA_COUNT(tables); t++)
        for (const struct ja_hostverb *verb = tables[t]; verb && verb->name; verb++)
            fprintf(cli->out, "\n  %s %s\n      %s\n", verb->name, verb->usage ? verb->usage : "", verb->doc);
    return 0;
}

/* What the store learns, `host store-put --state DIR KIND NAME`: a plan's own --state counts. */
static int host_store(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    ja_autostr struct ja_str input = {0};
    struct ja_engine_options options;
    ja_cmd_options(cli, false, &options);
    if (args->command_count < 3 || strcmp(args->command[1], "--state") != 0)
        return ja_error_set(err, JA_E_USAGE, NULL, "usage: jailadmin host %s --state DIR KIND NAME ...",
                            args->command[0]);
    options.state = args->command[2];
    options.incomplete = true; /* a script of init comes here before its end */
    bool creates = strcmp(args->command[0], "store-create") == 0;
    int rc = creates ? ja_engine_open_new(&options, &engine, err) : ja_engine_open(&options, &engine, err);
    if (rc == 0 && (creates || strcmp(args->command[0], "store-put") == 0))
        rc = read_input(&input, err);
    if (rc == 0)
        rc = ja_store_verb(engine, args->command_count, args->command, input.text, NULL, err);
    return rc;
}

int ja_cmd_host(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    if (!args->command || strcmp(args->command[0], "--help") == 0)
        return list_host_verbs(cli);
    if (ja_str_starts(args->command[0], "store-"))
        return host_store(cli, args, err);
    const struct ja_hostverb *verb = ja_hostverb_find(args->command[0]);
    if (!verb) {
        ja_error_set(err, JA_E_USAGE, "host", "there is no host verb %s", JA_SHOW(args->command[0]));
        return ja_error_hint(err, "\"jailadmin host\" lists them");
    }
    ja_autostr struct ja_str input = {0};
    ja_autostr struct ja_str output = {0};
    if ((verb->flags & JA_HOSTVERB_INPUT) && !cli->in_terminal && read_input(&input, err) < 0)
        return err->code;
    struct ja_hostverb_io io = {.input = input.text ? input.text : "", .input_length = input.length, .output = &output};
    int code = verb->run(args->command_count, args->command, &io, err);
    if (output.text)
        fwrite(output.text, 1, output.length, cli->out);
    if (code == JA_E_USAGE)
        ja_error_hint(err, "usage: jailadmin host %s %s", verb->name, verb->usage ? verb->usage : "");
    return code;
}
