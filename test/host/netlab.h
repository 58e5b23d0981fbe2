/*
 * netlab.h: a network of its own for a test: private network and mount namespaces, in which plans of networks
 * and jails run for real; processes that listen, connect and send frames from within. Nothing of the
 * machine's own network is touched. Needs root; a test program that includes it begins with lab_enter().
 */
#ifndef TEST_NETLAB_H
#define TEST_NETLAB_H

#include "base/clock.h"
#include "base/file.h"
#include "host/host.h"
#include "host/linux/linux.h"
#include "run/machine.h"
#include "run/spawn.h"
#include "../unit/scratch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define LAB_SELF "/usr/sbin/jailadmin"
enum { LAB_SKIP = 77 }; /* meson's word for a skipped test */

static struct ja_site lab_site = {.os = JA_OS_LINUX,
                                  .tag = "zz",
                                  .uuid = "11111111-2222-4333-8444-555555555555",
                                  .self = LAB_SELF,
                                  .slots = 100,
                                  .idmap = true,
                                  .uid_base = 0x70000000};
static struct ja_real_machine lab_machine;

/* ---- running things ---- */

/* Runs a program of the system; its exit status. */
JA_UNUSED static int lab_program(const char *input, struct ja_str *output, ...)
{
    struct ja_error err = JA_ERROR_INIT;
    ja_autostrv struct ja_strv argv = {0};
    struct ja_spawn_result result;
    va_list args;
    va_start(args, output);
    for (const char *word; (word = va_arg(args, const char *)) != NULL;)
        assert_int_equal(ja_strv_add(&argv, word), 0);
    va_end(args);
    struct ja_spawn spawn = {.argv = argv.items, .input = input, .timeout_ms = 10000};
    if (ja_spawn_run(&spawn, &result, &err) < 0)
        fail_msg("%s: %s", argv.items[0], err.what);
    if (output && result.output.text)
        ja_str_add(output, result.output.text);
    else if (result.status && result.output.text)
        print_message("%s", result.output.text);
    ja_str_fini(&result.output);
    return result.status;
}

#define lab_ip(batch) assert_int_equal(lab_program(batch, NULL, "/usr/sbin/ip", "-batch", "-", NULL), 0)

typedef void lab_planner(struct ja_planning *p, const void *object);

/* Plans, reading facts as often as the planner asks for more. Facts may hold some beforehand. */
JA_UNUSED static void lab_plan(lab_planner *planner, const void *object, struct ja_facts *facts, struct ja_plan *plan)
{
    struct ja_error err = JA_ERROR_INIT;
    for (int round = 0;; round++) {
        assert_true(round < 20);
        assert_int_equal(ja_plan_init(plan, "test", "network", "lab"), 0);
        struct ja_planning p = {.plan = plan, .facts = facts, .site = &lab_site, .host = &ja_host_linux};
        planner(&p, object);
        if (!facts->missing)
            return;
        ja_plan_fini(plan);
        if (lab_machine.machine.facts.read(lab_machine.machine.facts.context, facts, &err) < 0)
            fail_msg("%s", err.what);
    }
}

JA_UNUSED static int lab_run_cmd(const struct ja_cmd *cmd, struct ja_error *err)
{
    return lab_machine.machine.run(&lab_machine.machine, cmd, 10000, "test:1", NULL, err);
}

/* What of a jail's plan this lab runs: all but its files and its container. */
JA_UNUSED static bool lab_takes(const struct ja_step *step)
{
    const struct ja_strv *argv = &step->run.argv;
    static const char *const programs[] = {"/ip", "/nft", "/nsenter", "/dnsmasq"};
    static const char *const verbs[] = {"ns-create",    "mkdir",       "write",       "remove",
                                        "setting",      "link-remove", "daemon-stop", "daemon-signal",
                                        "daemon-start", "ns-setting",  "remove-tree", "ns-release"};
    for (size_t i = 0; i < JA_COUNT(programs); i++) {
        size_t length = strlen(argv->items[0]), tail = strlen(programs[i]);
        if (length > tail && strcmp(argv->items[0] + length - tail, programs[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < JA_COUNT(verbs); i++)
        if (strcmp(argv->items[0], LAB_SELF) == 0 && strcmp(argv->items[2], verbs[i]) == 0)
            return true;
    return false;
}

JA_UNUSED static void lab_show(const struct ja_plan *plan)
{
    ja_autostr struct ja_str text = {0};
    ja_plan_print(plan, &text);
    print_message("%s", text.text ? text.text : "");
}

/* Plans and runs; with `undo` also undoes all of it, last step first. Returns the number of steps. */
JA_UNUSED static size_t lab_apply(lab_planner *planner, const void *object, bool undo)
{
    struct ja_facts facts = {0};
    struct ja_plan plan;
    struct ja_error err = JA_ERROR_INIT;
    ja_facts_set(&facts, JA_FACT_TOOL, "crun", "/usr/bin/crun");
    ja_facts_set(&facts, JA_FACT_TOOL, "catatonit", "/usr/bin/catatonit");
    lab_plan(planner, object, &facts, &plan);
    if (plan.err.code)
        fail_msg("%s: %s", plan.err.object, plan.err.what);
    for (size_t i = 0; i < plan.count; i++) {
        if (lab_takes(plan.steps[i]) && lab_run_cmd(&plan.steps[i]->run, &err) < 0)
            fail_msg("%s: %s\n%s\n%s", plan.steps[i]->why, err.what, err.command, err.output);
    }
    for (size_t i = plan.count; undo && i-- > 0;) {
        if (lab_takes(plan.steps[i]) && plan.steps[i]->undo.argv.count && lab_run_cmd(&plan.steps[i]->undo, &err) < 0)
            fail_msg("undo of %s: %s\n%s\n%s", plan.steps[i]->why, err.what, err.command, err.output);
    }
    size_t count = plan.count;
    ja_plan_fini(&plan);
    ja_facts_fini(&facts);
    return count;
}

JA_UNUSED static void lab_network_up(struct ja_planning *p, const void *object)
{
    ja_linux_network_up(p, object);
}

JA_UNUSED static void lab_network_down(struct ja_planning *p, const void *object)
{
    ja_linux_network_down(p, object);
}

JA_UNUSED static void lab_instance_down(struct ja_planning *p, JA_UNUSED const void *object)
{
    ja_linux_instance_down(p);
}

JA_UNUSED static void lab_jail_start(struct ja_planning *p, const void *object)
{
    ja_host_linux.jail_start(p, object);
}

JA_UNUSED static void lab_jail_clean(struct ja_planning *p, const void *object)
{
    ja_host_linux.jail_clean(p, object);
}

/* ---- the lab ---- */

/* Of the kernel, if it has it: that of user-mode Linux knows no IPv6. */
JA_UNUSED static void lab_setting(const char *path, const char *value)
{
    if (access(path, F_OK) == 0)
        put_text(path, value);
}

/* Leaves the machine's network and mounts behind. Returns false without root. */
JA_UNUSED static bool lab_enter(void)
{
    struct ja_error err = JA_ERROR_INIT;
    if (geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
        return false;
    /* /sys shows the interfaces of the namespace that mounted it. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("sysfs", "/sys", "sysfs", 0, NULL) < 0 ||
        scratch_setup(NULL) < 0)
        return false;
    /* dnsmasq reads names as nobody. */
    chmod(scratch, 0711);
    snprintf(lab_site.run, sizeof lab_site.run, "%s/run", scratch);
    snprintf(lab_site.state, sizeof lab_site.state, "%s/state", scratch);
    snprintf(lab_site.pool, sizeof lab_site.pool, "%s/state/pool", scratch);
    mkdir(lab_site.run, 0711);
    mkdir(at("run/jails"), 0700);
    mkdir(at("run/dns"), 0711);
    setenv("JAILADMIN_REGISTRY", at("registry"), 1);
    /* A new namespace begins with the settings of the machine. */
    put_text("/proc/sys/net/ipv4/ip_forward", "0");
    lab_setting("/proc/sys/net/ipv6/conf/all/forwarding", "0");
    return ja_real_machine_init(&lab_machine, LAB_SELF, true, ja_native_fact_reader(), &err) == 0 &&
           lab_program(NULL, NULL, "/usr/sbin/ip", "link", "set", "lo", "up", NULL) == 0;
}

/* ---- from within ---- */

/* Calls fn in a child that has entered the network namespace `ns` (a path; NULL: the lab's own). The child
 * ends with fn's result, or by an alarm. */
JA_UNUSED static pid_t lab_child(const char *ns, int (*fn)(const void *context), const void *context)
{
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(99);
    int fd = ns ? open(ns, O_RDONLY | O_CLOEXEC) : -1;
    if (ns && (fd < 0 || setns(fd, CLONE_NEWNET) < 0))
        _exit(98);
    _exit(fn(context));
}

JA_UNUSED static int lab_in(const char *ns, int (*fn)(const void *context), const void *context)
{
    return child_status(lab_child(ns, fn, context));
}

struct lab_target {
    const char *source; /* NULL: the kernel's choice */
    const char *address;
    int port;
    const char *seen_as; /* the address under which the server must have seen us; NULL: any */
};

JA_UNUSED static socklen_t lab_address(const char *text, int port, struct sockaddr_storage *ret)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
    struct sockaddr_in *four = (struct sockaddr_in *)ret;
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        return sizeof *four;
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
        _exit(97);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)port);
    return sizeof *six;
}

/* 0: connected and greeted; 1: refused or rejected; 2: no answer; 3: seen under another address. */
JA_UNUSED static int lab_connect(const void *context)
{
    const struct lab_target *target = context;
    struct sockaddr_storage to, from;
    socklen_t length = lab_address(target->address, target->port, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
    if (target->source && bind(fd, (struct sockaddr *)&from, lab_address(target->source, 0, &from)) < 0)
        return 96;
    if (connect(fd, (struct sockaddr *)&to, length) < 0 && errno != EINPROGRESS)
        return 1;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    if (poll(&ready, 1, 1000) <= 0)
        return 2;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        return 1;
    char greeting[64] = "";
    ready.events = POLLIN;
    if (poll(&ready, 1, 1000) <= 0 || read(fd, greeting, sizeof greeting - 1) <= 0)
        return 2;
    return !target->seen_as || strcmp(greeting, target->seen_as) == 0 ? 0 : 3;
}

/* A server on a port of all addresses that tells who connects the address that it sees. */
JA_UNUSED static int lab_serve(const void *context)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) * (const int *)context)};
    int on = 1, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 16) < 0)
        _exit(95);
    for (;;) {
        struct sockaddr_in6 peer;
        socklen_t size = sizeof peer;
        char text[INET6_ADDRSTRLEN];
        int client = accept(fd, (struct sockaddr *)&peer, &size);
        if (client < 0)
            continue;
        inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof text);
        const char *shown = strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text;
        if (write(client, shown, strlen(shown)) < 0)
            _exit(94);
        close(client);
    }
}

struct lab_frame {
    const char *interface;
    unsigned char bytes[256];
    size_t length;
};

JA_UNUSED static int lab_send_frame(const void *context)
{
    const struct lab_frame *frame = context;
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(frame->interface), .sll_halen = 6};
    memcpy(to.sll_addr, frame->bytes, 6);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    return sendto(fd, frame->bytes, frame->length, 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)frame->length ? 0
                                                                                                                   : 1;
}

/* Opens a socket in a namespace that sees all frames there. */
JA_UNUSED static int lab_sniffer(const char *ns)
{
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = open(ns, O_RDONLY | O_CLOEXEC);
    assert_true(own >= 0 && there >= 0);
    assert_int_equal(setns(there, CLONE_NEWNET), 0);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(0x0003));
    assert_int_equal(setns(own, CLONE_NEWNET), 0);
    close(own);
    close(there);
    assert_true(fd >= 0);
    return fd;
}

/* The number of the frame of `frames` that was received; -1: none of them, or nothing within the time. Frames are known by
 * their last 8 bytes, which are their own. */
JA_UNUSED static int lab_sniff(int fd, const struct lab_frame *const *frames, int count, int wait_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    unsigned char bytes[2048];
    if (poll(&ready, 1, wait_ms) <= 0)
        return -1;
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    for (int i = 0; i < count; i++)
        if (n >= 8 && memmem(bytes, (size_t)n, frames[i]->bytes + frames[i]->length - 8, 8))
            return i;
    return -1;
}

/* Sends a frame from `from`, and after it another one that is known to pass, until that one is seen in `to`: then the first
 * one has come too, or never will. No time is measured. True when it came. */
JA_UNUSED static bool lab_passes(const char *from, const char *to, const struct lab_frame *frame,
                                 const struct lab_frame *passes)
{
    const struct lab_frame *const frames[] = {frame, passes};
    int64_t deadline = ja_clock_monotonic_ms() + 10000;
    int fd = lab_sniffer(to);
    bool came = false, done = false;
    while (!done) {
        assert_true(ja_clock_monotonic_ms() < deadline);
        assert_int_equal(lab_in(from, lab_send_frame, frame), 0);
        assert_int_equal(lab_in(from, lab_send_frame, passes), 0);
        int64_t again = ja_clock_monotonic_ms() + 300, left;
        while (!done && (left = again - ja_clock_monotonic_ms()) > 0) {
            int which = lab_sniff(fd, frames, 2, (int)left);
            came = came || which == 0;
            done = which == 1;
        }
    }
    while (!came && lab_sniff(fd, frames, 2, 20) == 0) /* overtaken on another processor */
        came = true;
    close(fd);
    return came;
}

#endif
