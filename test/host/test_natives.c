/*
 * test_natives.c: a native function has the effect of its command. Each batch is run as a program in one
 * network namespace and as a function in another, made alike; then both must show the same interfaces,
 * addresses, neighbours, routes, rules and queues. `test_natives --measure` says how long both take, `--shaping` compares
 * queues only, on a kernel that may have more kinds of them (test/vm/netem.sh).
 */
#include "netlab.h"

#include "host/linux/network.h"
#include "run/hostverb.h"

static char ns[2][320];    /* the namespaces: [0] for the program, [1] for the function */
static char inner[2][320]; /* in each a second one, as a jail's */

static int enter_ns(int which)
{
    ja_autoclose int fd = open(ns[which], O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(setns(fd, CLONE_NEWNET), 0);
    return 0;
}

/* Runs a command in the present namespace, as a program or by its native. The machine decides, as for a plan.
 */
static int run(bool native, const char *input, struct ja_error *err, const char *program, ...)
{
    struct ja_cmd cmd = {.input = ja_strdup(input)};
    va_list args;
    va_start(args, program);
    for (const char *word = program; word; word = va_arg(args, const char *))
        assert_int_equal(ja_strv_add(&cmd.argv, word), 0);
    va_end(args);
    lab_machine.natives = native;
    *err = (struct ja_error)JA_ERROR_INIT;
    int rc = lab_machine.machine.run(&lab_machine.machine, &cmd, 10000, "test:1", NULL, err);
    ja_strv_fini(&cmd.argv);
    free(cmd.input);
    return rc;
}

static int ip(bool native, const char *batch, struct ja_error *err)
{
    return run(native, batch, err, "/usr/sbin/ip", "-batch", "-", NULL);
}

static int ip_inside(bool native, const char *batch, struct ja_error *err)
{
    char net[340];
    snprintf(net, sizeof net, "--net=%s", inner[native]);
    return run(native, batch, err, "/usr/bin/nsenter", net, "/usr/sbin/ip", "-batch", "-", NULL);
}

static int nft(bool native, const char *batch, struct ja_error *err)
{
    return run(native, batch, err, "/usr/sbin/nft", "-f", "-", NULL);
}

/* True when the native took it: nothing else would have been run. */
static bool takes(ja_hostverb_fn *fn, const char *input, ...)
{
    char *argv[8];
    int argc = 0;
    va_list args;
    va_start(args, input);
    while ((argv[argc] = va_arg(args, char *)) != NULL)
        argc++;
    va_end(args);
    ja_autostr struct ja_str output = {0};
    struct ja_hostverb_io io = {.input = input, .input_length = strlen(input), .output = &output};
    return fn(argc, argv, &io, NULL) != JA_E_UNSUPPORTED;
}

static ja_hostverb_fn *native_of(const char *program)
{
    for (const struct ja_native *native = ja_native_table(); native->words[0]; native++)
        if (strcmp(native->words[0], program) == 0)
            return native->run;
    return NULL;
}

static void pin(char path[320], const char *name)
{
    snprintf(path, 320, "%s", at(name));
    put_text(path, "");
    pid_t pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNET) < 0 || mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) < 0)
            _exit(1);
        /* Addresses are there at once, in both. */
        lab_setting("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
        _exit(0);
    }
    assert_int_equal(child_status(pid), 0);
}

static int setup(void **state)
{
    (void)state;
    pin(ns[0], "ns0");
    pin(ns[1], "ns1");
    pin(inner[0], "inner0");
    pin(inner[1], "inner1");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        umount2(ns[i], MNT_DETACH);
        umount2(inner[i], MNT_DETACH);
    }
    return 0;
}

/* Without what differs by nature: numbers, timers, counters. */
static void strip(json_t *json)
{
    static const char *const volatile_keys[] = {"ifindex",  "link_index",    "link_netnsid",    "stats64",
                                                "used",     "handle",        "valid_life_time", "preferred_life_time",
                                                "gc_timer", "hello_timer",   "tcn_timer",       "topology_change_timer",
                                                "timer",    "root_path_cost"};
    size_t i;
    json_t *item;
    const char *key;
    for (size_t k = 0; json_is_object(json) && k < JA_COUNT(volatile_keys); k++)
        json_object_del(json, volatile_keys[k]);
    json_array_foreach(json, i, item) strip(item);
    json_object_foreach(json, key, item) strip(item);
}

/* What the kernel has in a namespace, as a program shows it. */
static json_t *state_of(const char *net, const char *const words[])
{
    char option[340];
    ja_autostr struct ja_str text = {0};
    snprintf(option, sizeof option, "--net=%s", net);
    assert_int_equal(lab_program(NULL, &text, "/usr/bin/nsenter", option, words[0], words[1], words[2], words[3],
                                 words[4], words[5], NULL),
                     0);
    json_t *json = json_loads(text.text && text.text[0] ? text.text : "[]", 0, NULL);
    assert_non_null(json);
    strip(json);
    return json;
}

static void assert_same(const char *const nets[2], const char *const words[])
{
    json_t *program = state_of(nets[0], words), *function = state_of(nets[1], words);
    if (!json_equal(program, function)) {
        char *texts[2] = {json_dumps(program, JSON_INDENT(1)), json_dumps(function, JSON_INDENT(1))};
        size_t same = 0;
        while (texts[0][same] && texts[0][same] == texts[1][same])
            same++;
        print_message("%s %s %s\nprogram:\n%.300s\nfunction:\n%.300s\n", words[0], words[1], words[2],
                      texts[0] + (same > 150 ? same - 150 : 0), texts[1] + (same > 150 ? same - 150 : 0));
        free(texts[0]);
        free(texts[1]);
        fail();
    }
    json_decref(program);
    json_decref(function);
}

static void assert_same_state(void)
{
    static const char *const views[][6] = {
        {"/usr/sbin/ip", "-j", "-d", "link", NULL},  {"/usr/sbin/ip", "-j", "addr", NULL},
        {"/usr/sbin/ip", "-j", "-4", "route", NULL}, {"/usr/sbin/ip", "-j", "neigh", NULL},
        {"/usr/sbin/ip", "-j", "-4", "neigh", NULL},
    };
    const char *outer[2] = {ns[0], ns[1]}, *inside[2] = {inner[0], inner[1]};
    for (size_t i = 0; i < JA_COUNT(views); i++) {
        assert_same(outer, views[i]);
        assert_same(inside, views[i]);
    }
    static const char *const routes[] = {"/usr/sbin/ip", "-j", "-6", "route", "show", NULL};
    assert_same(inside, routes);
    static const char *const rules[] = {"/usr/sbin/nft", "-j", "list", "ruleset", NULL, NULL};
    assert_same(outer, rules);
}

/* The lines of a plan, in its order. `%s` in the first is the inner namespace. */
static const char bridge_batch[] =
    "link add name jazzbr0 address 02:11:22:33:44:55 type bridge stp_state 0 forward_delay 0\n"
    "link set dev jazzbr0 alias \"jailadmin 1111 2222\" mtu 1400 up\n"
    "addr add 10.77.0.1/24 dev jazzbr0\n"
    "addr add fd77::1/64 dev jazzbr0 nodad\n";
static const char pair_batch[] =
    "link add jazz1n0 numtxqueues 1 numrxqueues 1 type veth peer name eth0 numtxqueues 1 numrxqueues 1 address 02:11:22:33:44:66 netns %s\n"
    "link set dev jazz1n0 addrgenmode none\n"
    "link set dev jazz1n0 alias \"jailadmin 1111 3333\" mtu 1400 master jazzbr0 up\n";
static const char neighbour_batch[] = "neigh replace 10.77.0.2 lladdr 02:11:22:33:44:66 dev jazzbr0 nud permanent\n"
                                      "neigh replace fd77::2 lladdr 02:11:22:33:44:66 dev jazzbr0 nud permanent\n"
                                      "neigh replace fd77::2 lladdr 02:11:22:33:44:66 dev jazzbr0 nud permanent\n";
static const char inner_batch[] = "addr add 10.77.0.2/24 dev eth0\n"
                                  "addr add 10.77.0.3/24 dev eth0\n"
                                  "addr add fd77::2/64 dev eth0 nodad\n"
                                  "link set dev lo up\n"
                                  "link set dev eth0 addrgenmode none\n"
                                  "link set dev eth0 mtu 1400 up\n"
                                  "neigh replace 10.77.0.1 lladdr 02:11:22:33:44:55 dev eth0 nud permanent\n"
                                  "route add default via 10.77.0.1 dev eth0\n"
                                  "route add default via fd77::1 dev eth0\n"
                                  "route add 192.0.2.0/24 via 10.77.0.1\n"
                                  "route add 2001:db8::/32 via fd77::1\n";
static const char flush_batch[] = "neigh flush to 10.77.0.2 dev jazzbr0 nud permanent\n"
                                  "neigh flush to fd77::2 dev jazzbr0 nud permanent\n"
                                  "neigh flush to 10.77.0.99 dev jazzbr0 nud permanent\n";
static const char add_batch[] = "# a nic\n"
                                "add element bridge jazz nics { \"jazz1n0\" . 02:11:22:33:44:66 }\n"
                                "add element bridge jazz source4 { \"jazz1n0\" . 10.77.0.2 }\n"
                                "add element bridge jazz source6 { \"jazz1n0\" . fd77::2 }\n"
                                "add element bridge jazz target6 { \"jazz1n0\" . 0xfd770000000000000000000000000002 }\n"
                                "add element bridge jazz isolated { \"jazz1n0\" }\n"
                                "add element inet jazz via { \"jazzbr0\" . \"eth0\" }\n"
                                "add element inet jazz gateway4 { \"jazzbr0\" . 10.77.0.1 }\n"
                                "add element bridge jazz gateway4 { 10.77.0.1 }\n"
                                "add element bridge jazz gateway6 { fd77::1 }\n"
                                "add element inet jazz forward4 { tcp . 8080 : 10.77.0.2 . 80 }\n"
                                "add element inet jazz forward4 { tcp . 8081 : 10.77.0.2 . 81 }\n"
                                "add element inet jazz forward6 { udp . 53 : fd77::2 . 5353 }\n"
                                "add element inet jazz forward4at { 203.0.113.1 . tcp . 65535 : 10.77.0.2 . 1 }\n";
static const char remove_batch[] = "add element bridge jazz source4 { \"jazz1n0\" . 10.77.0.2 }\n"
                                   "delete element bridge jazz source4 { \"jazz1n0\" . 10.77.0.2 }\n"
                                   "add element bridge jazz source6 { \"jazz1n0\" . fd77::99 }\n"
                                   "delete element bridge jazz source6 { \"jazz1n0\" . fd77::99 }\n"
                                   "add element inet jazz forward4 { tcp . 8081 : 10.77.0.2 . 81 }\n"
                                   "delete element inet jazz forward4 { tcp . 8081 : 10.77.0.2 . 81 }\n";

static void make_tables(void)
{
    ja_autostr struct ja_str text = {0};
    ja_linux_ruleset("inet", "zz", false, &text);
    ja_linux_ruleset("bridge", "zz", false, &text);
    assert_int_equal(lab_program(text.text, NULL, "/usr/sbin/nft", "-f", "-", NULL), 0);
}

/* Builds the same in both namespaces, by the program in one and by the function in the other. */
static void build_one(int native)
{
    struct ja_error err;
    char pairs[1024];
    enter_ns(native);
    snprintf(pairs, sizeof pairs, pair_batch, inner[native]);
    if (ip(native, bridge_batch, &err) < 0 || ip(native, pairs, &err) < 0 || ip(native, neighbour_batch, &err) < 0 ||
        ip_inside(native, inner_batch, &err) < 0)
        fail_msg("%s: %s", err.what, err.output);
    /* The MAC of the host's end is the kernel's choice. */
    lab_ip("link set dev jazz1n0 address 02:00:00:00:00:01\n");
    make_tables();
    if (nft(native, add_batch, &err) < 0)
        fail_msg("%s: %s", err.what, err.output);
}

static void await_settled(void)
{
    usleep(1200000); /* carriers are noticed, and addresses appear, within a second */
}

static void natives_do_what_their_commands_do(void **state)
{
    (void)state;
    build_one(0);
    build_one(1);
    await_settled();
    assert_same_state();
    for (int native = 0; native < 2; native++) {
        struct ja_error err;
        enter_ns(native);
        if (ip(native, flush_batch, &err) < 0 || nft(native, remove_batch, &err) < 0)
            fail_msg("%s: %s", err.what, err.output);
        assert_int_equal(ip(native, "link set dev jazz1n0 nomaster\n", &err), 0);
    }
    await_settled();
    assert_same_state();
}

static void the_lines_of_plans_are_taken(void **state)
{
    (void)state;
    ja_hostverb_fn *const fn = native_of("ip"), *const rules = native_of("nft");
    enter_ns(1);
    /* What they add exists by now: but it is the function that fails, or has nothing to do. */
    assert_true(takes(fn, bridge_batch, "ip", "-batch", "-", NULL));
    assert_true(takes(fn, "neigh replace 10.77.0.1 lladdr 02:11:22:33:44:66 dev nothing0 nud permanent\n", "ip",
                      "-batch", "-", NULL));
    assert_true(takes(rules, remove_batch, "nft", "-f", "-", NULL));
}

static void what_is_not_known_is_declined_before_anything_is_done(void **state)
{
    (void)state;
    static const char *const batches[] = {
        "link add x1 type dummy\n",
        "addr add 10.9.0.1/24 dev lo\nlink add x1 type dummy\n",
        "addr add 10.9.0.1/24 dev lo label lo:1\n",
        "addr add 10.9.0.1/24\n",
        "route add default via 10.77.0.1 metric 5\n",
        "link set dev lo\n",
        "link set dev lo mtu 1e9 up\n",
        "link set dev an-interface-with-a-long-name up\n",
        "neigh replace 10.77.0.2 lladdr 02:11:22:33:44:66 dev lo nud reachable\n",
        "addr add \"10.9.0.1/24 dev lo\n",
    };
    static const char *const rules[] = {
        "",
        "flush ruleset\n",
        "add table inet x\n",
        "add element bridge jazz nics { \"jazz9n0\" . 02:11:22:33:44:66, \"jazz8n0\" . 02:11:22:33:44:66 }\n",
        "add element bridge jazz nics { \"jazz*\" . 02:11:22:33:44:66 }\n",
        "add element bridge jazz nics { jazz9n0 . 02:11:22:33:44:66 }\n",
        "add element bridge jazz nics { \"jazz9n0\" 02:11:22:33:44:66 }\n",
        "add element bridge jazz source4 { \"jazz9n0\" . 10.0.0.0/8 }\n",
        "add element ip jazz source4 { 10.0.0.1 }\n",
        "add element bridge jazz isolated { \"jazz9n0\" }\nadd rule bridge jazz forward drop\n",
        "add element bridge jazz isolated { \"jazz9n0\" timeout 5s }\n",
        "add element inet jazz forward4 { tcp . 8080 : 10.77.0.2 : 80 }\n",
        "add element inet jazz forward4 { tcp . 70000 : 10.77.0.2 . 80 }\n",
        "add element inet jazz forward4 { sctp . 80 : 10.77.0.2 . 80 }\n",
        "add element inet jazz forward4 { tcp . 8080 : }\n",
    };
    enter_ns(1);
    ja_autostr struct ja_str before = {0}, after = {0};
    lab_program(NULL, &before, "/usr/sbin/ip", "addr", NULL);
    lab_program(NULL, &before, "/usr/sbin/nft", "list", "ruleset", NULL);
    for (size_t i = 0; i < JA_COUNT(batches); i++)
        if (takes(native_of("ip"), batches[i], "ip", "-batch", "-", NULL))
            fail_msg("taken: %s", batches[i]);
    for (size_t i = 0; i < JA_COUNT(rules); i++)
        if (takes(native_of("nft"), rules[i], "nft", "-f", "-", NULL))
            fail_msg("taken: %s", rules[i]);
    assert_false(takes(native_of("ip"), "link set dev lo up\n", "ip", "-batch", "/some/file", NULL));
    assert_false(takes(native_of("nsenter"), "link set dev lo up\n", "nsenter", "-t", "1", "ip", "-batch", "-", NULL));
    assert_false(takes(native_of("nsenter"), "", "nsenter", "--net=/proc/1/ns/net", "/bin/sh", "-batch", "-", NULL));
    lab_program(NULL, &after, "/usr/sbin/ip", "addr", NULL);
    lab_program(NULL, &after, "/usr/sbin/nft", "list", "ruleset", NULL);
    assert_string_equal(before.text, after.text);
}

static void both_fail_alike(void **state)
{
    (void)state;
    static const char *const batches[] = {
        "addr add 10.77.0.1/24 dev jazzbr0\n",
        "addr add 10.78.0.1/24 dev nothing0\n",
        "link add name jazzbr0 address 02:11:22:33:44:55 type bridge stp_state 0 forward_delay 0\n",
        "link set dev jazzbr0 master nothing0\n",
        "link set dev nothing0 up\n",
        "neigh replace 10.1.1.1 lladdr 02:11:22:33:44:66 dev nothing0 nud permanent\n",
        "neigh flush to 10.1.1.1 dev nothing0 nud permanent\n",
        "route add 10.99.0.0/24 via 198.51.100.1\n",
        "link add jazz1n0 numtxqueues 1 numrxqueues 1 type veth peer name eth9 numtxqueues 1 numrxqueues 1 address 02:11:22:33:44:66 netns /nowhere\n",
        "link add jazz1n0 numtxqueues 1 numrxqueues 1 type veth peer name eth9 numtxqueues 1 numrxqueues 1 address 02:11:22:33:44:66 netns /proc/self/ns/net\n",
    };
    static const char *const rules[] = {
        "delete element bridge jazz source4 { \"jazz1n0\" . 10.77.0.200 }\n",
        "add element inet jazz forward4 { tcp . 8080 : 10.77.0.9 . 80 }\n",
        "delete element inet jazz forward4 { tcp . 8082 }\n",
        "add element bridge nothing source4 { \"jazz1n0\" . 10.77.0.2 }\n",
        "add element bridge jazz nothing { \"jazz1n0\" . 10.77.0.2 }\n",
        "add element bridge jazz source4 { \"jazz1n0\" . fd77::2 }\n",
        ("add element bridge jazz isolated { \"jazz9n0\" }\ndelete element bridge jazz isolated { \"jazz8n0\" "
         "}\n"),
    };
    struct ja_error err[2];
    for (int native = 0; native < 2; native++)
        enter_ns(native), lab_ip("addr add 10.77.0.250/24 dev jazzbr0\n");
    for (size_t i = 0; i < JA_COUNT(batches) + JA_COUNT(rules); i++) {
        bool is_ip = i < JA_COUNT(batches);
        const char *batch = is_ip ? batches[i] : rules[i - JA_COUNT(batches)];
        for (int native = 0; native < 2; native++) {
            enter_ns(native);
            int rc = is_ip ? ip(native, batch, &err[native]) : nft(native, batch, &err[native]);
            if (rc == 0)
                fail_msg("%s did not fail: %s", native ? "the function" : "the program", batch);
            assert_int_not_equal(rc, JA_E_UNSUPPORTED);
        }
        assert_int_not_equal(err[1].sys, 0);
    }
    assert_same_state();
}

/* ---- traffic shaping ---- */

static int tc(bool native, const char *batch, struct ja_error *err)
{
    return run(native, batch, err, "/usr/sbin/tc", "-batch", "-", NULL);
}

/* Queues and filters as a program shows them, with their numbers. */
static char *queues_of(int which)
{
    char option[340];
    ja_autostr struct ja_str text = {0};
    snprintf(option, sizeof option, "--net=%s", ns[which]);
    assert_int_equal(lab_program(NULL, &text, "/usr/bin/nsenter", option, "/bin/sh", "-c",
                                 "tc -d qdisc; tc -d filter show dev jazz7n0 ingress", NULL),
                     0);
    return ja_str_take(&text);
}

/* One batch after the other: each kind of queue, and from each to each. What this kernel has not fails both ways. */
static void queues_are_the_same(void **state)
{
    (void)state;
    static const char *const batches[] = {
        "qdisc replace dev jazz7n0 root handle 1: tbf rate 100000000bit burst 64000b limit 150000b\n"
        "qdisc replace dev jazz7n0 parent 1:1 handle 10: pfifo limit 100\n",
        "qdisc replace dev jazz7n0 root handle 1: tbf rate 9999bit burst 1600b limit 1500b\n",
        "qdisc replace dev jazz7n0 root handle 1: tbf rate 40000000000bit burst 20000000b limit 4000000000b\n",
        "qdisc replace dev jazz7n0 parent 1:1 handle 20: netem limit 1000 delay 20ms loss random 0.5000%\n",
        "qdisc replace dev jazz7n0 parent 1:1 handle 20: netem limit 77 loss gemodel 1.234567% 25.000000%\n",
        "qdisc replace dev jazz7n0 root handle 2: netem limit 5000 delay 100ms 50ms\n",
        "qdisc replace dev jazz7n0 root handle 2: netem limit 5000 delay 10000ms loss random 100.0000%\n",
        "qdisc replace dev jazz7n0 root handle 2: netem limit 5000 loss random 0.0001%\n",
        "qdisc replace dev jazz7n0 root handle 3: pfifo limit 1000\nqdisc delete dev jazz7n0 root\n",
        "qdisc add dev jazz7n0 ingress\n"
        "filter add dev jazz7n0 parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev "
        "jazz7s0\n",
        "qdisc replace dev jazz7s0 root handle 1: tbf rate 2000000bit burst 10000b limit 15000b\n"
        "qdisc replace dev jazz7s0 parent 1:1 handle 10: pfifo limit 10\n",
        "qdisc replace dev jazz7n0 ingress\n",
        /* Fails. */
        "filter add dev jazz7n0 parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev "
        "nothing0\n",
        "qdisc add dev jazz7n0 ingress\n",
        "qdisc replace dev nothing0 root handle 3: pfifo limit 1000\n",
        "qdisc replace dev jazz7n0 ingress\nqdisc delete dev jazz7n0 ingress\n",
        "qdisc delete dev jazz7n0 ingress\n",
        "qdisc delete dev jazz7n0 root\n",
    };
    for (int native = 0; native < 2; native++) {
        enter_ns(native);
        lab_ip("link add jazz7n0 type veth peer name jazz7p0\nlink set jazz7n0 up\nlink set jazz7p0 up\n"
               "link add jazz7s0 type ifb\nlink set jazz7s0 up\n");
    }
    await_settled();
    for (size_t i = 0; i < JA_COUNT(batches); i++) {
        struct ja_error err[2];
        int rc[2];
        for (int native = 0; native < 2; native++) {
            enter_ns(native);
            rc[native] = tc(native, batches[i], &err[native]);
        }
        if ((rc[0] < 0) != (rc[1] < 0) || rc[1] == JA_E_UNSUPPORTED)
            fail_msg("%s: the program: %s, the function: %s", batches[i], rc[0] < 0 ? err[0].output : "done",
                     rc[1] < 0 ? err[1].what : "done");
        ja_autofree char *program = queues_of(0), *function = queues_of(1);
        if (strcmp(program, function) != 0)
            fail_msg("%s\nthe program:\n%s\nthe function:\n%s", batches[i], program, function);
    }
}

static void other_queues_are_declined(void **state)
{
    (void)state;
    static const char *const batches[] = {
        "qdisc replace dev lo root handle 1: tbf rate 1mbit burst 10000b limit 15000b\n",
        "qdisc replace dev lo root handle 1: tbf rate 0bit burst 10000b limit 15000b\n",
        "qdisc replace dev lo root handle 1: tbf rate 1000000bit burst 10000b limit 15000b peakrate 2000000bit\n",
        "qdisc replace dev lo root handle 1: tbf rate 1000000bit burst 5000000000b limit 15000b\n",
        "qdisc replace dev lo root tbf rate 1000000bit burst 10000b limit 15000b\n",
        "qdisc replace dev lo root handle 7: pfifo limit 10\n",
        "qdisc replace dev lo root handle 3: pfifo limit -1\n",
        "qdisc replace dev lo root handle 3: pfifo limit 1k\n",
        "qdisc replace dev lo root handle 2: netem limit 10 loss random 101%\n",
        "qdisc replace dev lo root handle 2: netem limit 10 loss random 1e1%\n",
        "qdisc replace dev lo root handle 2: netem limit 10 loss random 1.5\n",
        "qdisc replace dev lo root handle 2: netem limit 10 loss gemodel 1%\n",
        "qdisc replace dev lo root handle 2: netem limit 10 delay 10us\n",
        "qdisc replace dev lo root handle 2: netem limit 10 delay 10ms 1ms 1ms\n",
        "qdisc replace dev lo root handle 2: netem limit 10 delay 10ms duplicate 1%\n",
        "qdisc replace dev lo parent 1:2 handle 10: pfifo limit 10\n",
        "qdisc delete dev lo parent 1:1\n",
        "qdisc delete dev lo root pfifo\n",
        "qdisc show\n",
        "filter add dev lo parent ffff: protocol ip prio 1 u32 match u32 0 0 action mirred egress redirect dev lo\n",
        "filter add dev lo parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress mirror dev lo\n",
        "filter delete dev lo parent ffff:\n",
        "class add dev lo root\n",
    };
    enter_ns(1);
    for (size_t i = 0; i < JA_COUNT(batches); i++)
        if (takes(native_of("tc"), batches[i], "tc", "-batch", "-", NULL))
            fail_msg("taken: %s", batches[i]);
    assert_false(takes(native_of("tc"), "qdisc delete dev nothing0 root\n", "tc", "-force", "-batch", "-", NULL));
    assert_true(takes(native_of("tc"), "\nqdisc delete dev nothing0 root\n", "tc", "-batch", "-", NULL));
}

/* More than a socket sends by itself, and in one transaction nevertheless. */
static void a_large_transaction_is_one(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct ja_error err;
    ja_autostr struct ja_str add = {0}, remove = {0}, listed = {0};
    for (int i = 0; i < MANY; i++) {
        ja_str_addf(&add, "add element bridge jazz source4 { \"jazz%dn7\" . 10.%d.%d.7 }\n", i % 1000, i / 250,
                    i % 250);
        ja_str_addf(&remove, "delete element bridge jazz source4 { \"jazz%dn7\" . 10.%d.%d.7 }\n", i % 1000, i / 250,
                    i % 250);
    }
    enter_ns(1);
    assert_true(takes(native_of("nft"), "add element bridge jazz isolated { \"jazz7n7\" }\n", "nft", "-f", "-", NULL));
    assert_int_equal(nft(true, add.text, &err), 0);
    assert_int_equal(lab_program(NULL, &listed, "/bin/sh", "-c",
                                 "nft list set bridge jazz source4 | grep -o 'n7\" . 10' | wc -l", NULL),
                     0);
    assert_int_equal(atoi(listed.text), MANY);
    /* The last line fails: nothing of it is done. */
    ja_str_add(&remove, "delete element bridge jazz source4 { \"jazz9n9\" . 192.0.2.1 }\n");
    assert_true(nft(true, remove.text, &err) < 0);
    ja_str_fini(&listed);
    assert_int_equal(lab_program(NULL, &listed, "/bin/sh", "-c",
                                 "nft list set bridge jazz source4 | grep -o 'n7\" . 10' | wc -l", NULL),
                     0);
    assert_int_equal(atoi(listed.text), MANY);
}

static void the_process_stays_in_its_namespace(void **state)
{
    (void)state;
    struct stat before, after;
    struct ja_error err;
    enter_ns(1);
    assert_int_equal(stat("/proc/self/ns/net", &before), 0);
    assert_int_equal(ip_inside(true, "link set dev lo up\n", &err), 0);
    assert_true(ip_inside(true, "link set dev nothing0 up\n", &err) < 0);
    assert_int_equal(stat("/proc/self/ns/net", &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_true(run(true, "link set dev lo up\n", &err, "/usr/bin/nsenter", "--net=/dev/null", "/usr/sbin/ip", "-batch",
                    "-", NULL) < 0);
    assert_int_equal(stat("/proc/self/ns/net", &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

/* ---- how long ---- */

static double measure(int native, int what, int rounds)
{
    struct ja_error err;
    char batch[1024];
    int64_t spent = 0;
    for (int i = 0; i < rounds; i++) {
        if (what == 0)
            snprintf(
                batch, sizeof batch,
                "link add jazz%dn0 numtxqueues 1 numrxqueues 1 type veth peer name e%d numtxqueues 1 numrxqueues 1 address 02:11:22:33:44:66 netns %s\n"
                "link set dev jazz%dn0 alias \"jailadmin\" master jazzbr0 up\n",
                100 + i, i, inner[native], 100 + i);
        else if (what == 1)
            snprintf(batch, sizeof batch,
                     "addr add 10.88.%d.2/24 dev e%d\nlink set dev e%d up\n"
                     "neigh replace 10.88.%d.1 lladdr 02:11:22:33:44:55 dev e%d nud permanent\n",
                     i, i, i, i, i);
        else
            snprintf(batch, sizeof batch,
                     "add element bridge jazz nics { \"jazz%dn0\" . 02:11:22:33:44:66 }\n"
                     "add element bridge jazz source4 { \"jazz%dn0\" . 10.88.%d.2 }\n",
                     100 + i, 100 + i, i);
        int64_t start = ja_clock_monotonic_us();
        int rc = what == 0   ? ip(native, batch, &err)
                 : what == 1 ? ip_inside(native, batch, &err)
                             : nft(native, batch, &err);
        spent += ja_clock_monotonic_us() - start;
        if (rc < 0)
            fail_msg("%s", err.what);
    }
    return (double)spent / rounds / 1000;
}

static void show_times(void **state)
{
    (void)state;
    static const char *const names[] = {"ip -batch: a pair", "nsenter ip -batch: configured", "nft -f: two elements",
                                        "the same beside 1,000 nics"};
    for (int what = 0; what < 4; what++) {
        double ms[2];
        for (int native = 0; native < 2; native++) {
            enter_ns(native);
            if (what == 3) {
                ja_autostr struct ja_str many = {0};
                for (int i = 0; i < 1000; i++)
                    ja_str_addf(&many, "add element bridge jazz source4 { \"jazz%dn0\" . 10.%d.%d.9 }\n", i, i / 250,
                                i % 250);
                struct ja_error err;
                assert_int_equal(nft(1, many.text, &err), 0);
            }
            ms[native] = measure(native, what > 2 ? 2 : what, 40);
        }
        print_message("%-32s program %6.2f ms, function %6.2f ms\n", names[what], ms[0], ms[1]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(natives_do_what_their_commands_do),
        cmocka_unit_test(the_lines_of_plans_are_taken),
        cmocka_unit_test(what_is_not_known_is_declined_before_anything_is_done),
        cmocka_unit_test(both_fail_alike),
        cmocka_unit_test(the_process_stays_in_its_namespace),
        cmocka_unit_test(a_large_transaction_is_one),
        cmocka_unit_test(queues_are_the_same),
        cmocka_unit_test(other_queues_are_declined),
    };
    const struct CMUnitTest shaping[] = {cmocka_unit_test(queues_are_the_same)};
    const struct CMUnitTest measurements[] = {
        cmocka_unit_test(natives_do_what_their_commands_do),
        cmocka_unit_test(show_times),
    };
    if (!lab_enter())
        return LAB_SKIP;
    const char *which = argc > 1 ? argv[1] : "";
    int failed = strcmp(which, "--measure") == 0   ? cmocka_run_group_tests(measurements, setup, teardown)
                 : strcmp(which, "--shaping") == 0 ? cmocka_run_group_tests(shaping, setup, teardown)
                                                   : cmocka_run_group_tests(tests, setup, teardown);
    scratch_teardown(NULL);
    return failed;
}
