/*
 * progress.c: one line on the terminal that says how far the work on many objects is, or what one long step does.
 */
#include "base/clock.h"
#include "cli/cli.h"

#include <string.h>

#define REDRAW_MS 50
#define BAR 24 /* characters */

static bool smart_terminal(const struct ja_cli *cli)
{
    const char *term = getenv("TERM");
    return cli->errors_terminal && term && strcmp(term, "dumb") != 0;
}

void ja_progress_begin(struct ja_progress *progress, struct ja_cli *cli, const char *doing, size_t total)
{
    *progress = (struct ja_progress){.cli = cli, .doing = doing, .total = total};
    cli->progress = progress->active =
        total > 1 && !cli->quiet && !cli->verbose && !cli->json && !cli->dry_run && smart_terminal(cli);
}

void ja_progress_step(struct ja_progress *progress, size_t done, const char *name)
{
    progress->done = done;
    if (!progress->active)
        return;
    /* Often enough to look alive, seldom enough to cost nothing with a thousand jails. */
    int64_t now = ja_clock_monotonic_ms();
    if (progress->visible && now - progress->drawn_ms < REDRAW_MS)
        return;
    char bar[BAR + 1], line[160], shown[80];
    size_t full = progress->total ? BAR * done / progress->total : BAR;
    memset(bar, '.', BAR);
    memset(bar, '#', full < BAR ? full : BAR);
    bar[BAR] = '\0';
    snprintf(line, sizeof line, "%s [%s] %zu/%zu  %s", progress->doing, bar, done, progress->total,
             ja_str_show(shown, sizeof shown, name));
    fprintf(progress->cli->errors, "\r%.*s\033[K", (int)progress->cli->width - 1, line);
    fflush(progress->cli->errors);
    progress->drawn_ms = now;
    progress->visible = true;
}

void ja_progress_clear(struct ja_progress *progress)
{
    if (!progress->visible)
        return;
    fputs("\r\033[K", progress->cli->errors);
    fflush(progress->cli->errors);
    progress->visible = false;
}

void ja_lively_begin(struct ja_cli *cli)
{
    cli->lively = !cli->quiet && !cli->json && !cli->dry_run && !cli->verbose && smart_terminal(cli);
}

/* The last line of some output that is not blank. */
static const char *last_line(const char *text, size_t length, size_t *ret_length)
{
    while (length && strchr("\r\n\t ", text[length - 1]))
        length--;
    size_t start = length;
    while (start && text[start - 1] != '\n' && text[start - 1] != '\r')
        start--;
    *ret_length = length - start;
    return text + start;
}

void ja_lively_draw(struct ja_cli *cli, const char *doing, const char *printed, size_t length)
{
    size_t count;
    const char *line = last_line(printed, length, &count);
    if (!cli->lively || (length && !count))
        return;
    ja_autostr struct ja_str shown = {0};
    ja_str_add_shown(&shown, doing, strlen(doing), false);
    if (count) {
        ja_str_add(&shown, ": ");
        ja_str_add_shown(&shown, line, count, false);
    }
    fprintf(cli->errors, "\r%.*s\033[K", (int)cli->width - 1, shown.text ? shown.text : "");
    fflush(cli->errors);
    cli->line = true;
}

void ja_lively_clear(struct ja_cli *cli)
{
    if (!cli->line)
        return;
    fputs("\r\033[K", cli->errors);
    fflush(cli->errors);
    cli->line = false;
}

void ja_progress_end(struct ja_progress *progress)
{
    ja_progress_clear(progress);
    progress->cli->progress = false;
}
