/*
 * powerguest.c: see powerguest.h. One loop serves the disks and the console, so that the power goes between two requests.
 */
#include "powerguest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <linux/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t guest_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Processes of user-mode Linux are traced by its kernel. One whose tracer is killed goes on by itself, and what was a system call of the guest
 * is then one of this machine, as root. So the guest has a process namespace, whose first process is not of it: when that is killed, the
 * kernel of this machine kills all at the same moment, before any of them is let go. And it has a mount namespace, to be on the safe side.
 */
static pid_t begin_namespace(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void run_kernel(const struct guest *guest, int console);

/* The first process of the namespace. It ends with the guest, and with the test, whatever ends that. */
static void guard(const struct guest *guest, int console)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        _exit(127);
    pid_t pid = fork();
    if (pid == 0)
        run_kernel(guest, console);
    close(console);
    for (pid_t ended; pid > 0 && (ended = wait(NULL)) != pid;)
        if (ended < 0 && errno != EINTR)
            break;
    _exit(0);
}

static void run_kernel(const struct guest *guest, int console)
{
    char words[LOSSY_DISKS + 7][512], *argv[32];
    size_t count = 0, word = 0;
    static const char *const fixed[] = {"linux.uml", "mem=512M", "rootfstype=hostfs", "rootflags=/",
                                        "ro",        "con=null", "con0=fd:0,fd:1",    "quiet"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        argv[count++] = (char *)fixed[i];
    snprintf(words[word], sizeof words[0], "init=%s", guest->script);
    argv[count++] = words[word++];
    /* What it notes about itself, which one that is killed leaves behind, otherwise in the user's home. */
    snprintf(words[word], sizeof words[0], "uml_dir=%s/uml/", guest->dir);
    argv[count++] = words[word++];
    snprintf(words[word], sizeof words[0], "PROGRAM=%s", guest->program);
    argv[count++] = words[word++];
    snprintf(words[word], sizeof words[0], "DISKS=%s", guest->places);
    argv[count++] = words[word++];
    snprintf(words[word], sizeof words[0], "POOL=%s", guest->pool);
    argv[count++] = words[word++];
    snprintf(words[word], sizeof words[0], "SELF=%s", guest->self);
    argv[count++] = words[word++];
    unsigned char chance[16];
    if (getentropy(chance, sizeof chance) < 0)
        _exit(127);
    snprintf(words[word], sizeof words[0], "ENTROPY=");
    for (size_t i = 0; i < sizeof chance; i++)
        snprintf(words[word] + 8 + 2 * i, 3, "%02x", chance[i]);
    argv[count++] = words[word++];
    for (size_t i = 0; i < guest->power.count; i++) {
        snprintf(words[word], sizeof words[0], "virtio_uml.device=%s:2:%zu", guest->power.disks[i].socket, i);
        argv[count++] = words[word++];
    }
    argv[count] = NULL;
    char messages[512];
    snprintf(messages, sizeof messages, "%s/messages", guest->dir);
    int log = open(messages, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (dup2(console, 0) < 0 || dup2(console, 1) < 0 || dup2(log, 2) < 0)
        _exit(127);
    setenv("LD_PRELOAD", UML_XSTATE, 1);
    execvp(argv[0], argv);
    _exit(127);
}

int guest_give_entropy(void)
{
    const char *text = getenv("ENTROPY");
    _Alignas(struct rand_pool_info) char space[sizeof(struct rand_pool_info) + 64] = "";
    struct rand_pool_info *pool = (struct rand_pool_info *)(void *)space;
    pool->entropy_count = 256;
    int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
    if (!text || fd < 0)
        return 1;
    pool->buf_size = snprintf(space + sizeof *pool, 64, "%s", text);
    int rc = ioctl(fd, RNDADDENTROPY, pool);
    close(fd);
    return rc < 0;
}

int guest_boot(struct guest *guest)
{
    int ends[2], status = 0;
    lossy_restore(&guest->power);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    if (guest->console > 0)
        close(guest->console);
    guest->console = ends[0];
    guest->number = 0;
    guest->length = 0;
    fflush(NULL);
    guest->pid = begin_namespace();
    if (guest->pid < 0)
        return -1;
    if (guest->pid == 0)
        guard(guest, ends[1]);
    close(ends[1]);
    char *output = NULL;
    int rc = guest_ask(guest, NULL, 120000, &status, &output);
    if (rc == GUEST_ANSWERED && output && *output) {
        printf("the guest says:\n%s", output);
        rc = GUEST_DEAD;
    } else if (rc != GUEST_ANSWERED) {
        printf("      it does not boot: %s\n%s\n", rc == GUEST_LATE ? "it takes too long" : "it died",
               guest->text && guest->length ? guest->text : "");
    }
    free(output);
    return rc == GUEST_ANSWERED ? 0 : -1;
}

/* Takes what came from the console. False at its end. */
static bool hear(struct guest *guest)
{
    char bytes[8192];
    ssize_t n = recv(guest->console, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    char *more = realloc(guest->text, guest->length + (size_t)n + 1);
    if (!more)
        exit(1);
    guest->text = more;
    memcpy(guest->text + guest->length, bytes, (size_t)n);
    guest->length += (size_t)n;
    guest->text[guest->length] = '\0';
    return true;
}

/* Whether the answer is there as a whole; takes it. */
static bool answered(struct guest *guest, int *ret_status, char **ret_output)
{
    unsigned number;
    size_t size = 0;
    for (char *line = guest->text, *end; line && guest->length && (end = strchr(line, '\n')); line = end + 1) {
        int status;
        if (*line != '=' || sscanf(line, "=%u %d", &number, &status) != 2 || number != guest->number)
            continue;
        char *output = malloc((size_t)(line - guest->text) + 1), *from = guest->text;
        if (!output)
            exit(1);
        for (char *stop; from < line; from = stop + 1) {
            stop = strchr(from, '\n');
            if (*from == '|') { /* the kernel may speak in between */
                memcpy(output + size, from + 1, (size_t)(stop - from));
                size += (size_t)(stop - from);
            }
        }
        output[size] = '\0';
        guest->length -= (size_t)(end + 1 - guest->text);
        memmove(guest->text, end + 1, guest->length + 1);
        *ret_status = status;
        *ret_output = output;
        return true;
    }
    return false;
}

int guest_ask(struct guest *guest, const char *command, int64_t timeout_ms, int *ret_status, char **ret_output)
{
    int64_t start = guest_clock_ms(), cut_after = guest->cut_after_ms;
    *ret_output = NULL;
    guest->cut_after_ms = 0;
    if (command && dprintf(guest->console, "%u %s\n", ++guest->number, command) < 0)
        return GUEST_DEAD;
    for (;;) {
        struct pollfd fds[LOSSY_DISKS * LOSSY_POLLFDS + 1];
        size_t count = lossy_pollfds(&guest->power, fds);
        fds[count++] = (struct pollfd){.fd = guest->console, .events = POLLIN};
        int64_t now = guest_clock_ms();
        int64_t wait = cut_after ? start + cut_after - now : 200;
        poll(fds, (nfds_t)count, wait < 0 ? 0 : wait > 200 ? 200 : (int)wait);
        lossy_serve(&guest->power);
        if (cut_after && guest_clock_ms() >= start + cut_after)
            guest->power.off = true;
        bool alive = true;
        if (guest->power.off) {
            /* What was reported until now was reported, and stays so. */
            guest_kill(guest);
            while ((alive = hear(guest)) && guest->length &&
                   recv(guest->console, &(char){0}, 1, MSG_DONTWAIT | MSG_PEEK) > 0)
                ;
        } else if (fds[count - 1].revents) {
            alive = hear(guest);
        }
        if (answered(guest, ret_status, ret_output))
            return GUEST_ANSWERED;
        if (guest->power.off)
            return GUEST_CUT;
        if (!alive)
            return GUEST_DEAD;
        if (guest_clock_ms() > start + timeout_ms)
            return GUEST_LATE;
    }
}

bool guest_was_stopped(struct guest *guest)
{
    char path[512], line[512];
    bool stopped = false;
    snprintf(path, sizeof path, "%s/messages", guest->dir);
    FILE *file = fopen(path, "re");
    if (!file || fseek(file, guest->heard, SEEK_SET) < 0)
        return false;
    while (fgets(line, sizeof line, file))
        stopped = stopped || strstr(line, "stopped with signal") || strstr(line, "wait for SIGTRAP") ||
                  strstr(line, "Stub registers");
    guest->heard = ftell(file);
    fclose(file);
    if (guest->text && guest->length &&
        (strstr(guest->text, "stopped with signal") || strstr(guest->text, "Stub registers")))
        stopped = true;
    if (stopped)
        printf("      (its processes were stopped by somebody, and that ended it)\n");
    return stopped;
}

void guest_kill(struct guest *guest)
{
    if (guest->pid <= 0)
        return;
    kill(guest->pid, SIGKILL); /* and so all of its namespace; it is gone when all of them are */
    waitpid(guest->pid, NULL, 0);
    guest->pid = 0;
}
