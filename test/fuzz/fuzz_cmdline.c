/*
 * fuzz_cmdline.c: command lines, a word a line: parsing, fields that options set, filters, completion, help. No verb is run.
 */
#include "fuzz.h"

#include "cli/cli.h"
#include "cli/cmd.h"
#include "model/model.h"

enum { WORDS_MOST = 32 };

static int words_of(char *text, char *argv[WORDS_MOST + 2])
{
    static char program[] = "jailadmin";
    int argc = 1;
    argv[0] = program;
    for (char *rest = text, *word; argc <= WORDS_MOST && (word = fuzz_line(&rest)) != NULL;)
        argv[argc++] = word;
    argv[argc] = NULL;
    return argc;
}

static void apply(const struct ja_args *args, const struct ja_noun *noun)
{
    struct ja_error err = JA_ERROR_INIT;
    void *object = ja_object_new(noun), *again = NULL;
    must(object);
    if (fuzz_accepted(ja_args_apply(args, noun, object, true, &err), &err)) {
        json_t *json = ja_object_to_json(noun, object, false);
        must(json && ja_object_from_json(noun, json, true, &again, &err) == 0);
        must(ja_object_equal(noun, object, again));
        ja_object_free(noun, again);
        json_decref(json);
    }
    ja_object_free(noun, object);
}

static void filter(const struct ja_args *args)
{
    static struct ja_jail *jail;
    struct ja_error err = JA_ERROR_INIT;
    if (!jail) {
        jail = ja_object_new(&ja_noun_jail);
        must(jail && ja_object_set(&ja_noun_jail, jail, "labels.team=a", true, NULL) == 0);
    }
    struct ja_listed listed = {.jail = jail, .state = JA_STATE_RUNNING};
    fuzz_accepted(ja_cmd_check_filters(args, &err), &err);
    bool matches = false;
    fuzz_accepted(ja_cmd_matches_all(args, &listed, &matches, &err), &err);
}

static void parse(char *text, JA_UNUSED size_t length)
{
    char *argv[WORDS_MOST + 2];
    int argc = words_of(text, argv);
    struct ja_cli cli;
    struct ja_args args;
    struct ja_error err = JA_ERROR_INIT;
    must(ja_cli_init(&cli, &err) == 0);
    if (fuzz_accepted(ja_args_parse(&cli, argc, argv, &args, &err), &err)) {
        must(args.verb || args.help || args.version);
        must(cli.state[0] == '/' && cli.jobs >= 0 && cli.jobs <= JA_JOBS_MOST);
        if (args.verb && !args.help && !args.version) {
            ja_autostr struct ja_str usage = {0};
            must((int)args.word_count >= args.verb->least);
            must(args.verb->most < 0 || (int)args.word_count <= args.verb->most);
            apply(&args, &ja_noun_jail);
            apply(&args, &ja_noun_network);
            filter(&args);
            ja_help_usage(args.verb, &usage);
        }
    } else {
        must(err.code == JA_E_USAGE || err.code == JA_E_INVALID);
    }
    ja_args_fini(&args);
}

/* The store is looked for where the words say; here there is none. */
static void complete(char *text, JA_UNUSED size_t length)
{
    char *argv[WORDS_MOST + 2];
    int argc = words_of(text, argv);
    struct ja_cli cli;
    ja_autostrv struct ja_strv found = {0};
    for (int i = 1; i < argc; i++)
        if (strstr(argv[i], "/") && ja_str_starts(argv[i], "-"))
            return;
    must(ja_cli_init(&cli, NULL) == 0);
    snprintf(cli.state, sizeof cli.state, "/nonexistent");
    must(ja_complete(&cli, argv + 1, (size_t)argc - 1, &found) == 0);
    /* But for the prefix that ":file" repeats, nothing that was typed acts on a terminal. */
    for (size_t i = 0; i < found.count; i++)
        must(found.items[i][0] == ':' || ja_str_printable(found.items[i], strlen(found.items[i]), true));
}

/* A width, and text that is wrapped. */
static void wrap(char *text, size_t length)
{
    ja_autostr struct ja_str str = {0};
    if (length > 3)
        ja_wrap(&str, text + 3, (unsigned char)text[0], (unsigned char)text[1] % 64, 20 + (unsigned char)text[2]);
    must(!str.failed);
}

const struct fuzz_parser fuzz_parsers[] = {{"parse", parse}, {"complete", complete}, {"wrap", wrap}, {NULL, NULL}};

static void words_of_options(const struct ja_option *options)
{
    for (size_t i = 0; options && options[i].name; i++) {
        char word[128];
        snprintf(word, sizeof word, "--%s", options[i].name);
        fuzz_word(word);
        for (size_t k = 0; options[i].choices && options[i].choices[k]; k++)
            fuzz_word(options[i].choices[k]);
    }
}

void fuzz_seeds(void)
{
    static const char *const lines[] = {
        "create\nweb1\nweb2\n--template\nbase@1\n--nic\neth0,network=lan,address=192.168.2.10\n--limit\nmemory=512M\n--start",
        "-n\n--json\n--state=/tmp/x\n-j4\nlist\nstate=running\nlabel.team=a\nweb*",
        "exec\n-t\n-u\nnobody\n-e\nA=b\nweb1\n--\nsh\n-c\n--help",
        "network\ncreate\nlan\n--address\n192.168.2.1/24\n--nat=none",
        "template\ncreate\nbase\n--from\ndebian:bookworm\n--pkg\nnginx\n--run\nmake\n--script\nx",
        "set\nweb1\nlimits.memory=1G\nnics.eth0.address+=192.168.2.11\nboot=yes",
        "cp\n-r\nFILE\nweb1:/path",
        "snapshot\nrollback\nweb1@now\n--yes",
        "upgrade\nweb1\n--health\ntrue\n--\napt-get\nupgrade",
        "shape\nweb1\n--in\nrate=10Mbit",
        "help\nnetwork\ncreate",
        "--version",
    };
    for (size_t i = 0; i < JA_COUNT(lines); i++) {
        fuzz_seed("parse", lines[i]);
        fuzz_seed("complete", lines[i]);
    }
    for (const struct ja_verb *verb = ja_verbs; verb->name; verb++) {
        char line[128];
        snprintf(line, sizeof line, "%s", verb->name);
        if (strchr(line, ' '))
            *strchr(line, ' ') = '\n';
        fuzz_seed("parse", line);
        fuzz_word(line);
        words_of_options(verb->options);
    }
    words_of_options(ja_global_options);
    fuzz_seed("wrap", "\x01\x08\x30"
                      "A paragraph of whole sentences; plain text, the manual page escapes it.");
    fuzz_words(&ja_noun_jail);
    fuzz_word("\n--\n");
}
