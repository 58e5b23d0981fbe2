/*
 * cli.c: one command from its arguments to its exit status: looks at the terminal, parses, checks, runs the
 * verb, shows the error.
 */
#include "cli/commands.h"
#include "base/self.h"
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#define WIDTH_WITHOUT_TERMINAL 80
#define WIDTH_LEAST 40

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_OWN_FAILURE = 125 };

static volatile int interrupted;

static void on_interrupt(int signal_number)
{
    interrupted = signal_number;
}

/* A plan must not die halfway because somebody pressed Ctrl-C, closed the terminal or the pipe: it is undone
 * then. */
static void note_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL); /* a write beyond the limit is an error then */
}

/* Whoever started us may have closed standard streams, and the next files opened, such as a journal, would become them: what we print
 * would be written there. They become streams that fail, as closed ones do. Ended children are to be waited for. */
static void tidy_inheritance(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", flags) < 0)
            _exit(EXIT_OWN_FAILURE);
    }
    signal(SIGCHLD, SIG_DFL);
}

static bool may_colour(bool terminal)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static unsigned terminal_width(void)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
            return WIDTH_WITHOUT_TERMINAL;
    return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

static int processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 1)
        return 1;
    return count > JA_JOBS_MOST ? JA_JOBS_MOST : (int)count;
}

int ja_cli_init(struct ja_cli *cli, struct ja_error *err)
{
    struct utsname system;
    *cli = (struct ja_cli){.state = JA_STATE_DEFAULT, .native = true, .out = stdout, .errors = stderr};
    cli->os = uname(&system) >= 0 && strcmp(system.sysname, "FreeBSD") == 0 ? JA_OS_FREEBSD : JA_OS_LINUX;
    cli->processors = processors();
    cli->in_terminal = isatty(STDIN_FILENO);
    cli->out_terminal = isatty(STDOUT_FILENO);
    cli->errors_terminal = isatty(STDERR_FILENO);
    cli->out_colour = may_colour(cli->out_terminal);
    cli->errors_colour = may_colour(cli->errors_terminal);
    cli->width = terminal_width();
    cli->interrupted = &interrupted;
    return ja_self_path(cli->self, sizeof cli->self, err);
}

static int check_root(const struct ja_cli *cli, const struct ja_verb *verb, struct ja_error *err)
{
    if (!(verb->flags & JA_VERB_ROOT) || cli->dry_run || geteuid() == 0)
        return 0;
    ja_error_set(err, JA_E_DENIED, verb->name, "only root may do that");
    return ja_error_hint(err, "run it as root, for example with sudo or doas");
}

static int check_os(const struct ja_cli *cli, enum ja_os here, struct ja_error *err)
{
    if (!cli->os_given || cli->os == here || cli->dry_run)
        return 0;
    ja_error_set(err, JA_E_USAGE, "option --os", "this system is another one");
    return ja_error_hint(err, "for another system plans can only be shown: add --dry-run");
}

/* A full disk or a closed descriptor behind standard output is a failure too; a reader that has left is not.
 */
static int flush_output(const struct ja_cli *cli, struct ja_error *err)
{
    if (fflush(cli->out) == 0 && !ferror(cli->out))
        return 0;
    return errno == EPIPE ? 0 : ja_error_sys(err, errno, NULL, "cannot write to standard output");
}

static int run_verb(struct ja_cli *cli, const struct ja_args *args, enum ja_os here, struct ja_error *err)
{
    const struct ja_verb *verb = args->verb;
    if (check_os(cli, here, err) < 0 || check_root(cli, verb, err) < 0)
        return err->code;
    if (verb->flags & JA_VERB_MUTATES)
        note_interrupts();
    int status = verb->run(cli, args, err);
    if (status < 0)
        return status;
    int code = flush_output(cli, err);
    return code < 0 ? code : status;
}

static int show_help(struct ja_cli *cli, const struct ja_args *args, struct ja_error *err)
{
    if (args->version)
        return ja_cmd_version(cli, args, err);
    ja_autostr struct ja_str text = {0};
    if (args->verb)
        ja_help_verb(args->verb, cli->width, &text);
    else
        ja_help_all(cli->width, &text);
    if (text.failed)
        return ja_error_nomem(err);
    fputs(text.text, cli->out);
    return flush_output(cli, err);
}

/* Whether JSON was asked for on a command line that could not be parsed to its end. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static int exit_status(struct ja_cli *cli, int code, const struct ja_error *err)
{
    if (code >= 0)
        return code;
    fflush(cli->out); /* what was printed before the error stands before it */
    ja_show_error(cli, err);
    if (cli->verb && (cli->verb->flags & JA_VERB_STATUS))
        return EXIT_OWN_FAILURE;
    return code == JA_E_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

int ja_cli_main(int argc, char **argv)
{
    struct ja_cli cli;
    struct ja_args args = {0};
    struct ja_error err = JA_ERROR_INIT;
    tidy_inheritance();
    ja_json_init();
    int code = ja_cli_init(&cli, &err);
    enum ja_os here = cli.os;
    if (code == 0) {
        code = ja_args_parse(&cli, argc, argv, &args, &err);
        cli.verb = args.verb;
        if (code < 0)
            cli.json = cli.json || wants_json(argc, argv);
        else if (args.help || args.version)
            code = show_help(&cli, &args, &err);
        else
            code = run_verb(&cli, &args, here, &err);
    }
    int status = exit_status(&cli, code, &err);
    ja_args_fini(&args);
    return status;
}
