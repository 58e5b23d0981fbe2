/*
 * relay.c: one poll loop for terminals and pipes. The command's terminal is its own; ours is only made raw, so that every
 * key, Ctrl-C too, goes to the command's.
 */
#include "run/relay.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE_KEY 0x1d /* Ctrl-] */
#define ESCAPE_TIMES 3
#define ESCAPE_MS 1000
/* How long it is waited for the last output of a command that has ended, when others still hold its terminal. */
#define DRAIN_MS 100
#define DRAIN_MOST_MS 5000 /* even when they go on writing */

static const int caught[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH};

static int wake[2] = {-1, -1}; /* the handler writes signal numbers, the loop reads them */

static void on_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t ignored JA_UNUSED = write(wake[1], &byte, 1);
    errno = saved;
}

void ja_relay_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (wake[0] < 0 && pipe(wake) == 0)
        for (int i = 0; i < 2; i++) {
            fcntl(wake[i], F_SETFD, FD_CLOEXEC);
            fcntl(wake[i], F_SETFL, O_NONBLOCK);
        }
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < JA_COUNT(caught); i++)
        sigaction(caught[i], &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    /* Without it a background job would be stopped for reading the terminal that the command may never read. */
    sigaction(SIGTTIN, &action, NULL);
    sigaction(SIGTTOU, &action, NULL);
}

void ja_relay_default_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigemptyset(&none);
    sigemptyset(&action.sa_mask);
    for (int number = 1; number < 32; number++)
        sigaction(number, &action, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- our terminal ---- */

struct raw {
    bool on;
    struct termios saved;
};

static void raw_begin(struct raw *raw)
{
    struct termios mode;
    if (tcgetattr(STDIN_FILENO, &raw->saved) < 0)
        return;
    mode = raw->saved;
    mode.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    mode.c_cflag = (mode.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    raw->on = tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) == 0;
}

static void raw_end(struct raw *raw)
{
    if (raw->on)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw->saved);
    raw->on = false;
}

static void copy_size(int master)
{
    struct winsize size;
    if (master < 0)
        return;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        ioctl(master, TIOCSWINSZ, &size);
}

/* ---- copying ---- */

/* One direction. Input is read from us and waits in `text` until the command takes it, so that a command that reads nothing
 * holds nobody up. */
struct channel {
    int from, to; /* -1: ended */
    bool input;
    char text[16384];
    size_t length, sent;
};

struct loop {
    struct ja_relay *relay;
    struct channel channels[3];
    size_t channel_count;
    int escapes;
    int64_t escape_ms;
};

static void add_channel(struct loop *loop, int from, int to, bool input)
{
    struct channel *channel = &loop->channels[loop->channel_count++];
    channel->from = from;
    channel->to = to;
    channel->input = input;
    channel->length = channel->sent = 0;
}

/* The end of input: a pipe is closed, a terminal gets its own end of file. */
static void end_input(struct loop *loop, struct channel *channel)
{
    if (loop->relay->master >= 0) {
        struct termios mode;
        unsigned char end = 4;
        if (tcgetattr(loop->relay->master, &mode) == 0 && (mode.c_lflag & ICANON))
            end = (unsigned char)mode.c_cc[VEOF];
        ssize_t ignored JA_UNUSED = write(loop->relay->master, &end, 1);
    } else if (channel->to >= 0) {
        close(channel->to);
    }
    channel->from = channel->to = -1;
}

/* Whether the user wants to leave: the same key several times in a row, quickly. */
static bool escaped(struct loop *loop, const char *text, size_t length)
{
    int64_t now = ja_clock_monotonic_ms();
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ESCAPE_KEY) {
            loop->escapes = 0;
            continue;
        }
        if (loop->escapes == 0 || now - loop->escape_ms > ESCAPE_MS) {
            loop->escapes = 0;
            loop->escape_ms = now;
        }
        if (++loop->escapes == ESCAPE_TIMES)
            return true;
    }
    return false;
}

static void take_input(struct loop *loop, struct channel *channel)
{
    ssize_t n = read(channel->from, channel->text, sizeof channel->text);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n < 0 && errno == EIO && loop->relay->master < 0) {
        channel->from = -1; /* a terminal that we are in the background of: whatever is typed is not for us */
        return;
    }
    if (n <= 0) {
        end_input(loop, channel);
        return;
    }
    channel->length = (size_t)n;
    channel->sent = 0;
    if (loop->relay->escape && escaped(loop, channel->text, channel->length))
        loop->relay->left = true;
}

static void send_input(struct channel *channel)
{
    ssize_t n = write(channel->to, channel->text + channel->sent, channel->length - channel->sent);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n < 0) { /* nobody reads any more */
        channel->from = -1;
        channel->length = 0;
        return;
    }
    channel->sent += (size_t)n;
    if (channel->sent == channel->length)
        channel->length = 0;
}

/* Copies what is there. */
static void pass_output(struct loop *loop, struct channel *channel)
{
    ssize_t n = read(channel->from, channel->text, sizeof channel->text);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0 && ja_fd_write(channel->to, channel->text, (size_t)n) == 0)
        return;
    close(channel->from);
    if (loop->relay->master == channel->from) {
        loop->relay->master = -1;
        loop->channels[0].from = -1;
        loop->channels[0].length = 0;
    }
    channel->from = -1;
}

static void pass_signals(const struct ja_relay *relay)
{
    unsigned char number;
    while (read(wake[0], &number, 1) == 1) {
        if (number == SIGWINCH && relay->master >= 0)
            copy_size(relay->master); /* the kernel tells the command */
        else if (number == SIGINT || number == SIGQUIT || number == SIGHUP)
            kill(-relay->group, number);
        else
            kill(relay->group, number);
    }
}

/* One round: waits and moves what can be moved. Returns true when the command has ended. */
static bool turn(struct loop *loop, int timeout_ms, bool *ret_idle)
{
    struct pollfd fds[5] = {{.fd = loop->relay->done, .events = POLLIN}, {.fd = wake[0], .events = POLLIN}};
    for (size_t i = 0; i < loop->channel_count; i++) {
        const struct channel *channel = &loop->channels[i];
        bool sending = channel->input && channel->length;
        fds[2 + i] = (struct pollfd){.fd = sending ? channel->to : channel->from, .events = sending ? POLLOUT : POLLIN};
    }
    int ready = poll(fds, (nfds_t)(2 + loop->channel_count), timeout_ms);
    *ret_idle = ready == 0;
    if (ready <= 0)
        return false;
    if (fds[1].revents)
        pass_signals(loop->relay);
    for (size_t i = 0; i < loop->channel_count; i++) {
        struct channel *channel = &loop->channels[i];
        if (!fds[2 + i].revents)
            continue;
        if (!channel->input)
            pass_output(loop, channel);
        else if (channel->length)
            send_input(channel);
        else
            take_input(loop, channel);
    }
    return fds[0].revents != 0;
}

/* After the end: what is still in the pipes, but not for ever, since a process that the command left behind may hold them. */
static void drain(struct loop *loop)
{
    int64_t end = ja_clock_monotonic_ms() + DRAIN_MS;
    bool idle = false;
    for (size_t i = 0; i < loop->channel_count; i++) {
        struct channel *channel = &loop->channels[i];
        if (channel->input)
            channel->from = -1, channel->length = 0;
        else if (channel->from >= 0)
            fcntl(channel->from, F_SETFL, O_NONBLOCK);
    }
    int done = loop->relay->done;
    loop->relay->done = -1;
    /* What was written to a pipe is there; what was written to a terminal arrives when the kernel finds time for it. */
    bool terminal = loop->relay->master >= 0;
    for (int64_t now = 0; now < end + DRAIN_MOST_MS && !(idle && (!terminal || now >= end));
         now = ja_clock_monotonic_ms()) {
        bool open = false;
        for (size_t i = 0; i < loop->channel_count; i++)
            open = open || loop->channels[i].from >= 0;
        if (!open)
            break;
        turn(loop, terminal ? DRAIN_MS / 10 : 0, &idle);
    }
    loop->relay->done = done;
}

void ja_relay_run(struct ja_relay *relay)
{
    struct loop loop = {.relay = relay};
    struct raw raw = {0};
    bool ended = false, idle;
    ja_relay_catch_signals();
    if (relay->master >= 0) {
        copy_size(relay->master);
        raw_begin(&raw);
        fcntl(relay->master, F_SETFL, O_NONBLOCK);
        add_channel(&loop, STDIN_FILENO, relay->master, true);
        add_channel(&loop, relay->master, STDOUT_FILENO, false);
    } else {
        for (int i = 0; i < 3; i++) {
            if (relay->streams[i] < 0)
                continue;
            if (i == 0)
                fcntl(relay->streams[i], F_SETFL, O_NONBLOCK);
            add_channel(&loop, i == 0 ? i : relay->streams[i], i == 0 ? relay->streams[i] : i, i == 0);
        }
    }
    while (!ended && !relay->left)
        ended = turn(&loop, -1, &idle);
    if (ended)
        drain(&loop);
    raw_end(&raw);
    if (relay->left)
        ja_fd_write(STDOUT_FILENO, "\n", 1); /* what comes next does not stand behind what the command has printed */
    for (size_t i = 0; i < loop.channel_count; i++)
        if (!loop.channels[i].input && loop.channels[i].from >= 0)
            close(loop.channels[i].from);
}
