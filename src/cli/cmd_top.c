/*
 * cmd_top.c: top: what running jails use, on a whole terminal again and again, or as tables.
 */
#include "base/clock.h"
#include "cli/usage.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FIRST_MS 500 /* so long is measured for the first table */
#define DELAY_MS 2000
#define DELAY_LEAST_MS 100
#define HEAD_LINES 3 /* title, header of the table, and the last line, where the cursor stands */

#define SCREEN_BEGIN "\033[?1049h\033[?25l"
#define SCREEN_END "\033[?25h\033[?1049l"

enum order { BY_NAME, BY_CPU, BY_MEMORY, BY_PROCESSES, BY_DISK, BY_IO, BY_NETWORK, ORDERS };
static const struct {
    const char *word;
    char key;
} orders[ORDERS] = {{"name", 'n'}, {"cpu", 'c'}, {"memory", 'm'}, {"processes", 'p'},
                    {"disk", 'd'}, {"io", 'i'},  {"network", 't'}};

struct top {
    struct ja_cli *cli;
    struct ja_engine *engine;
    const struct ja_args *args;
    enum order order;
    int64_t count; /* 0: until somebody leaves */
    int64_t delay_ms;
    struct ja_gathered before, now;
};

static volatile sig_atomic_t ended;

static void on_end(int number)
{
    ended = number;
}

/* ---- looking ---- */

static int64_t sum(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 ? a : a + b;
}

static int64_t key_of(const struct ja_usage *usage, enum order order)
{
    switch (order) {
    case BY_CPU:
        return usage->cpu;
    case BY_MEMORY:
        return usage->memory;
    case BY_PROCESSES:
        return usage->processes;
    case BY_DISK:
        return usage->disk;
    case BY_IO:
        return sum(usage->read_rate, usage->write_rate);
    case BY_NETWORK:
        return sum(usage->receive_rate, usage->send_rate);
    case BY_NAME:
    case ORDERS:
        break;
    }
    return 0;
}

/* Only those that run. */
static int keep_running(struct ja_gathered *all)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->jails[i].pid)
            all->jails[kept++] = all->jails[i];
        else
            ja_object_free(&ja_noun_jail, all->jails[i].jail);
    all->count = kept;
    return 0;
}

/* What was counted for the same start of a jail; NULL: it was not there. */
static const struct ja_usage *earlier(const struct ja_gathered *before, const struct ja_listed *jail)
{
    for (size_t i = 0; i < before->count; i++)
        if (before->jails[i].pid == jail->pid && strcmp(before->jails[i].jail->uuid, jail->jail->uuid) == 0)
            return &before->usage[i];
    return NULL;
}

static int look(struct top *top, struct ja_error *err)
{
    ja_gathered_fini(&top->before);
    top->before = top->now;
    top->now = (struct ja_gathered){0};
    int rc = ja_gather(top->engine, top->args, &top->now, err);
    if (rc == 0)
        rc = keep_running(&top->now);
    if (rc == 0 && !(top->now.usage = ja_calloc(top->now.count + 1, sizeof *top->now.usage)))
        rc = ja_error_nomem(err);
    if (rc == 0)
        rc = ja_engine_usage(top->engine, top->now.jails, top->now.count, top->now.usage, err);
    for (size_t i = 0; rc == 0 && i < top->now.count; i++) {
        const struct ja_usage *before = earlier(&top->before, &top->now.jails[i]);
        if (before)
            ja_usage_compare(&top->now.usage[i], before);
    }
    return rc;
}

/* Places in top->now, sorted; those that are equal stay sorted by name. The caller's. */
static size_t *sorted(const struct top *top)
{
    size_t count = top->now.count, *places = ja_calloc(count + 1, sizeof *places);
    for (size_t i = 0; places && i < count; i++) {
        size_t at = i;
        int64_t key = key_of(&top->now.usage[i], top->order);
        for (; at > 0 && key_of(&top->now.usage[places[at - 1]], top->order) < key; at--)
            places[at] = places[at - 1];
        places[at] = i;
    }
    return places;
}

/* ---- showing ---- */

static void rates_cell(struct ja_table *table, int64_t in, int64_t out)
{
    char texts[2][JA_USAGE_TEXT];
    ja_size_text(in, texts[0]);
    ja_size_text(out, texts[1]);
    ja_table_cellf(table, "%s/%s", texts[0], texts[1]);
}

static int show_table(struct top *top, struct ja_cli *cli, size_t most, struct ja_error *err)
{
    static const enum ja_resource columns[] = {JA_RESOURCE_CPU, JA_RESOURCE_MEMORY, JA_RESOURCE_PROCESSES,
                                               JA_RESOURCE_DISK};
    ja_autofree size_t *places = sorted(top);
    ja_autotable struct ja_table table;
    ja_table_init(&table, "NAME", ">CPU", ">MEMORY", ">PROCESSES", ">DISK", ">READ/WRITE", ">IN/OUT", NULL);
    if (!places)
        return ja_error_nomem(err);
    for (size_t i = 0; i < top->now.count && i < most; i++) {
        const struct ja_jail *jail = top->now.jails[places[i]].jail;
        const struct ja_usage *usage = &top->now.usage[places[i]];
        ja_table_cell(&table, jail->name);
        for (size_t c = 0; c < JA_COUNT(columns); c++)
            ja_usage_cell(&table, jail, usage, columns[c]);
        rates_cell(&table, usage->read_rate, usage->write_rate);
        rates_cell(&table, usage->receive_rate, usage->send_rate);
    }
    return ja_table_print(cli, &table, err);
}

static int show_json(struct top *top, struct ja_error *err)
{
    ja_autofree size_t *places = sorted(top);
    json_t *array = json_array();
    bool failed = !places || !array;
    for (size_t i = 0; !failed && i < top->now.count; i++) {
        const struct ja_jail *jail = top->now.jails[places[i]].jail;
        failed = json_array_append_new(array, json_pack("{s:s, s:o, s:o}", "name", jail->name, "usage",
                                                        ja_usage_json(&top->now.usage[places[i]]), "limits",
                                                        ja_object_to_json(&ja_noun_limits, &jail->limits, true))) < 0;
    }
    if (failed) {
        json_decref(array);
        return ja_error_nomem(err);
    }
    return ja_print_json(top->cli, array, err);
}

static void pause_ms(int64_t ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static int batch(struct top *top, struct ja_error *err)
{
    int64_t count = top->count ? top->count : 1;
    int rc = look(top, err);
    for (int64_t i = 0; rc == 0 && i < count; i++) {
        pause_ms(i || top->delay_ms < FIRST_MS ? top->delay_ms : FIRST_MS);
        rc = look(top, err);
        if (rc == 0 && i && !top->cli->json)
            fputs("\n", top->cli->out);
        if (rc == 0)
            rc = top->cli->json ? show_json(top, err) : show_table(top, top->cli, SIZE_MAX, err);
        if (rc == 0 && fflush(top->cli->out) != 0)
            break; /* nobody reads any more */
        if (rc == 0 && i == 0)
            ja_usage_warn(top->cli, top->engine, &top->now);
    }
    return rc;
}

/* ---- the terminal ---- */

static void title(const struct top *top, FILE *out)
{
    int64_t cpu = -1, memory = -1;
    char texts[2][JA_USAGE_TEXT];
    for (size_t i = 0; i < top->now.count; i++) {
        cpu = sum(cpu, top->now.usage[i].cpu);
        memory = sum(memory, top->now.usage[i].memory);
    }
    ja_cores_text(cpu, texts[0]);
    ja_size_text(memory, texts[1]);
    fprintf(out, "%zu running, cpu %s, memory %s, by %s   q leaves; sort: ", top->now.count, texts[0], texts[1],
            orders[top->order].word);
    for (int i = 0; i < ORDERS; i++)
        fprintf(out, "%s%c %s", i ? ", " : "", orders[i].key, orders[i].word);
    fputs("\n", out);
}

/* The text in place of what stood there; no line is wider than the terminal, none is left of what was there before. */
static void put_screen(FILE *out, const char *text, unsigned width)
{
    fputs("\033[H", out);
    unsigned column = 0;
    for (bool escape = false; *text; text++) {
        escape = escape ? !isalpha((unsigned char)text[-1]) || text[-1] == '\033' : *text == '\033';
        bool more = ((unsigned char)*text & 0xc0) == 0x80;
        if (*text == '\n')
            fputs("\033[K\n", out);
        else if (escape || more || column < width)
            fputc(*text, out);
        column = *text == '\n' ? 0 : column + (!escape && !more);
    }
    fputs("\033[J", out);
    fflush(out);
}

static int draw(struct top *top, struct ja_error *err)
{
    struct winsize size = {0};
    char *text = NULL;
    size_t length;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    FILE *memory = open_memstream(&text, &length);
    if (!memory)
        return ja_error_nomem(err);
    struct ja_cli cli = *top->cli;
    cli.out = memory;
    cli.width = size.ws_col;
    title(top, memory);
    int rc = show_table(top, &cli, size.ws_row > HEAD_LINES ? size.ws_row - HEAD_LINES : 1, err);
    if (fclose(memory) != 0 && rc == 0)
        rc = ja_error_nomem(err);
    if (rc == 0)
        put_screen(top->cli->out, text, size.ws_col);
    free(text);
    return rc;
}

/* Waits for keys. True: leave. A resized terminal is drawn anew. */
static bool wait_keys(struct top *top, int64_t ms)
{
    int64_t end = ja_clock_monotonic_ms() + ms;
    for (int64_t left = ms; left > 0 && !ended; left = end - ja_clock_monotonic_ms()) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        char key;
        int found = poll(&in, 1, (int)left);
        if (found < 0)
            return errno != EINTR || ended;
        if (found == 0)
            return false;
        if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 3)
            return true;
        for (int i = 0; i < ORDERS; i++)
            if (orders[i].key == key)
                top->order = (enum order)i;
        struct ja_error ignored = JA_ERROR_INIT;
        draw(top, &ignored);
    }
    return ended;
}

static void on_size(int number)
{
    (void)number;
}

static int on_terminal(struct top *top, struct ja_error *err)
{
    struct termios old, raw;
    struct sigaction action = {.sa_handler = on_end};
    static const int ends[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
    if (tcgetattr(STDIN_FILENO, &old) < 0)
        return ja_error_sys(err, errno, NULL, "cannot use the terminal");
    for (size_t i = 0; i < JA_COUNT(ends); i++)
        sigaction(ends[i], &action, NULL);
    action.sa_handler = on_size;
    sigaction(SIGWINCH, &action, NULL);
    raw = old;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    fputs(SCREEN_BEGIN, top->cli->out);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    int rc = look(top, err);
    if (rc == 0)
        rc = draw(top, err);
    bool leave = rc == 0 && wait_keys(top, top->delay_ms < FIRST_MS ? top->delay_ms : FIRST_MS);
    for (int64_t i = 0; rc == 0 && !leave; i++) {
        rc = look(top, err);
        if (rc == 0)
            rc = draw(top, err);
        leave = rc == 0 && ((top->count && i + 1 >= top->count) || wait_keys(top, top->delay_ms));
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &old);
    fputs(SCREEN_END, top->cli->out);
    fflush(top->cli->out);
    return rc;
}

/* ---- the verb ---- */

static int read_options(struct top *top, struct ja_error *err)
{
    const char *count = ja_args_get(top->args, "count"), *delay = ja_args_get(top->args, "delay");
    const char *sort = ja_args_get(top->args, "sort");
    if (count && (ja_value_parse(JA_T_INT, count, &top->count, err) < 0 || top->count < 1))
        return ja_error_set(err, JA_E_USAGE, "option --count", "%s is no number of times", JA_SHOW(count));
    if (delay && (ja_value_parse(JA_T_DURATION, delay, &top->delay_ms, err) < 0 || top->delay_ms < DELAY_LEAST_MS ||
                  top->delay_ms > 86400000))
        return ja_error_set(err, JA_E_USAGE, "option --delay", "%s is not from 0.1 to 86400 seconds", JA_SHOW(delay));
    for (int i = 0; sort && i < ORDERS; i++)
        if (strcmp(sort, orders[i].word) == 0)
            top->order = (enum order)i;
    return 0;
}

int ja_cmd_top(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    ja_autoengine struct ja_engine *engine = NULL;
    struct top top = {.cli = cli, .args = args, .order = BY_CPU, .delay_ms = DELAY_MS};
    int rc = read_options(&top, err);
    if (rc == 0)
        rc = ja_cmd_check_filters(args, err);
    if (rc == 0)
        rc = ja_cmd_open(cli, true, &engine, err);
    top.engine = engine;
    bool screen = cli->out_terminal && cli->in_terminal && !cli->json && !ja_args_has(args, "batch");
    if (rc == 0)
        rc = screen ? on_terminal(&top, err) : batch(&top, err);
    ja_gathered_fini(&top.before);
    ja_gathered_fini(&top.now);
    return rc;
}
