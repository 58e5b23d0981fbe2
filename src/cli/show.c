/*
 * show.c: what people and scripts are told: messages, errors, JSON. Text from jails, commands and users is
 * made harmless before it reaches a terminal.
 */
#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

#define RED_BOLD "\033[1;31m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

#define CLEAR_LINE "\r\033[K"

/* Workers print while their parent draws progress: the line goes, and comes back with the next step. */
static void make_room(const struct ja_cli *cli, FILE *file)
{
    if (cli->progress && (file == cli->errors ? cli->errors_terminal : cli->out_terminal))
        fputs(CLEAR_LINE, file);
}

JA_PRINTF(2, 0) static void print_shown(FILE *file, const char *format, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    ja_autostr struct ja_str shown = {0};
    ja_str_add_shown(&shown, text, strlen(text), true);
    fprintf(file, "%s\n", shown.failed || !shown.text ? "out of memory" : shown.text);
}

void ja_say(struct ja_cli *cli, const char *format, ...)
{
    if (cli->quiet || cli->json)
        return;
    va_list args;
    va_start(args, format);
    make_room(cli, cli->out);
    print_shown(cli->out, format, args);
    va_end(args);
}

void ja_say_more(struct ja_cli *cli, const char *format, ...)
{
    if (!cli->verbose || cli->quiet || cli->json)
        return;
    va_list args;
    va_start(args, format);
    make_room(cli, cli->out);
    print_shown(cli->out, format, args);
    va_end(args);
}

void ja_warn(struct ja_cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    make_room(cli, cli->errors);
    fputs("jailadmin: warning: ", cli->errors);
    print_shown(cli->errors, format, args);
    va_end(args);
}

int ja_print_json(struct ja_cli *cli, json_t *json, struct ja_error *err)
{
    char *text =
        json ? ja_json_text(json, (cli->out_terminal ? JSON_INDENT(2) : JSON_COMPACT) | JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    if (!text)
        return ja_error_nomem(err);
    fprintf(cli->out, "%s\n", text);
    ja_free(text);
    return 0;
}

/* JSON text must be valid UTF-8, and what a command printed need not be. */
static void put_member(json_t *object, const char *key, const char *text)
{
    if (!text[0])
        return;
    ja_autostr struct ja_str shown = {0};
    ja_str_add_shown(&shown, text, strlen(text), true);
    if (shown.text && !shown.failed)
        json_object_set_new(object, key, json_string(shown.text));
}

static void show_json(struct ja_cli *cli, const struct ja_error *err)
{
    json_t *inner = json_object(), *outer = json_object();
    put_member(inner, "code", ja_code_name(err->code));
    put_member(inner, "object", err->object);
    put_member(inner, "what", err->what);
    put_member(inner, "command", err->command);
    put_member(inner, "output", err->output);
    put_member(inner, "hint", err->hint);
    json_object_set_new(outer, "error", inner);
    char *text = ja_json_text(outer, cli->errors_terminal ? JSON_INDENT(2) : JSON_COMPACT);
    fprintf(cli->errors, "%s\n", text ? text : "{\"error\":{\"code\":\"nomem\"}}");
    ja_free(text);
    json_decref(outer);
}

/* Without memory there is still something to say: the plain fields of the error, cut. */
static void show_text(FILE *file, const char *before, const char *text, const char *after)
{
    char shown[1024];
    fprintf(file, "%s%s%s", before, ja_str_show(shown, sizeof shown, text), after);
}

static void show_lines(FILE *file, const char *indent, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        char line[256];
        snprintf(line, sizeof line, "%.*s", (int)(length < 255 ? length : 255), text);
        show_text(file, indent, line, "\n");
        text += length + (text[length] == '\n');
    }
}

void ja_show_error(struct ja_cli *cli, const struct ja_error *err)
{
    if (cli->json) {
        show_json(cli, err);
        return;
    }
    FILE *file = cli->errors;
    const char *on = cli->errors_colour ? RED_BOLD : "", *bold = cli->errors_colour ? BOLD : "";
    const char *off = cli->errors_colour ? PLAIN : "";
    fprintf(file, "%sjailadmin:%s ", on, off);
    if (err->object[0])
        show_text(file, "", err->object, ": ");
    show_text(file, "", err->what, "\n");
    if (err->command[0])
        show_text(file, "  command: ", err->command, "\n");
    show_lines(file, "    ", err->output);
    if (err->code == JA_E_USAGE && cli->verb) {
        ja_autostr struct ja_str usage = {0};
        ja_help_usage(cli->verb, &usage);
        fprintf(file, "%s\n", usage.failed ? "" : usage.text);
    }
    if (err->hint[0]) {
        fprintf(file, "%shint:%s ", bold, off);
        show_text(file, "", err->hint, "\n");
    }
}
