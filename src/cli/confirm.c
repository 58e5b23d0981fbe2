/*
 * confirm.c: asks before something is lost.
 */
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* Reads one line from the terminal, without buffering: what follows it belongs to whoever reads next. -1: no
 * answer. */
static int read_answer(char *answer, size_t size)
{
    size_t length = 0;
    for (;;) {
        char c;
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR)
            return -1; /* Ctrl-C is an answer too */
        if (got <= 0)
            return -1;
        if (c == '\n')
            break;
        if (length + 1 < size)
            answer[length++] = (char)tolower((unsigned char)c);
    }
    answer[length] = '\0';
    return 0;
}

int ja_confirm(struct ja_cli *cli, struct ja_error *err, const char *question, ...)
{
    if (cli->yes || cli->dry_run)
        return 0;
    char text[512], shown[512], answer[16];
    va_list args;
    va_start(args, question);
    vsnprintf(text, sizeof text, question, args);
    va_end(args);
    if (!cli->in_terminal || !cli->errors_terminal || cli->json) {
        ja_error_set(err, JA_E_DENIED, NULL, "this needs a yes, and there is nobody to ask: %s", JA_SHOW(text));
        return ja_error_hint(err, "give --yes if you are sure");
    }
    fprintf(cli->errors, "%s [y/N] ", ja_str_show(shown, sizeof shown, text));
    fflush(cli->errors);
    bool answered = read_answer(answer, sizeof answer) == 0;
    if (!answered)
        fputs("\n", cli->errors);
    if (answered && (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0))
        return 0;
    return ja_error_set(err, JA_E_DENIED, NULL, "not confirmed, nothing was changed");
}
