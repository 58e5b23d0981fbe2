/*
 * netjails.h: jails and networks for a lab (netlab.h) without containers: their interfaces, rules and names are real; and a
 * world at the end of the host's uplink up0 (203.0.113.1, fd99::1), with 203.0.113.2, fd99::2 and 169.254.169.254.
 */
#ifndef TEST_NETJAILS_H
#define TEST_NETJAILS_H

#include "netlab.h"

enum { HTTP = 80, SSH = 22 };

struct lab_jail {
    struct ja_jail jail;
    struct ja_nic nic;
    void *nics[1];
    const struct ja_network *networks[1];
    struct ja_subject subject;
    char ns[320];
    char mac[JA_MAC_TEXT];
};

#define NETWORK(name_, slot_, uuid_, addresses_, nat_)                                                                 \
    {                                                                                                                  \
        .name = (char *)(name_), .uuid = (char *)(uuid_), .slot = (slot_),                                             \
        .addresses = {addresses_, JA_COUNT(addresses_) - 1}, .nat = (char *)(nat_), .dns = true                        \
    }

#define JAIL(name_, slot_, uuid_, network_, addresses_)                                                                \
    {                                                                                                                  \
        .jail = {.name = (char *)(name_), .uuid = (char *)(uuid_), .slot = (slot_), .be = (char *)"default"},          \
        .nic = {.label = (char *)"eth0",                                                                               \
                .network = (char *)"x",                                                                                \
                .assigned = {addresses_, JA_COUNT(addresses_) - 1},                                                    \
                .gateway = true},                                                                                      \
        .networks = {                                                                                                  \
            network_                                                                                                   \
        }                                                                                                              \
    }

static char world[320];
static pid_t servers[16];
static size_t server_count;

JA_UNUSED static void jail_init(struct lab_jail *jail)
{
    jail->nics[0] = &jail->nic;
    jail->jail.nics = (struct ja_list){.items = jail->nics, .count = 1};
    jail->subject = (struct ja_subject){.jail = &jail->jail, .networks = jail->networks};
    snprintf(jail->ns, sizeof jail->ns, "%s/jails/%d/ns/net", lab_site.run, (int)jail->jail.slot);
    ja_mac_from(jail->jail.uuid, "eth0", jail->mac);
}

JA_UNUSED static void serve(const char *ns, int port)
{
    static int ports[JA_COUNT(servers)];
    assert_true(server_count < JA_COUNT(servers));
    ports[server_count] = port;
    servers[server_count] = lab_child(ns, lab_serve, &ports[server_count]);
    server_count++;
}

/* The world: another namespace at the end of the host's uplink. Its addresses: one like any, and the one
 * where clouds keep what is not for jails. */
JA_UNUSED static void make_world(void)
{
    /* An address that is looked for elsewhere first would keep IPv6 waiting for two seconds. */
    static const char no_dad[] = "/proc/sys/net/ipv6/conf/default/accept_dad";
    snprintf(world, sizeof world, "%s", at("world"));
    put_text(world, "");
    put_text(no_dad, "0");
    pid_t pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNET) < 0 || mount("/proc/self/ns/net", world, NULL, MS_BIND, NULL) < 0)
            _exit(1);
        put_text(no_dad, "0");
        _exit(0);
    }
    assert_int_equal(child_status(pid), 0);
    char batch[512];
    snprintf(batch, sizeof batch,
             "link add up0 type veth peer name eth0 netns %s\n"
             "addr add 203.0.113.1/24 dev up0\n"
             "addr add fd99::1/64 dev up0 nodad\n"
             "link set dev up0 up\n"
             "route add 169.254.169.254 via 203.0.113.2\n",
             world);
    lab_ip(batch);
    char net[340];
    snprintf(net, sizeof net, "--net=%s", world);
    static const char inside[] = "link set dev lo up\n"
                                 "addr add 203.0.113.2/24 dev eth0\n"
                                 "addr add 169.254.169.254/32 dev eth0\n"
                                 "addr add fd99::2/64 dev eth0 nodad\n"
                                 "link set dev eth0 up\n"
                                 "route add 10.77.0.0/24 via 203.0.113.1\n"
                                 "route add 10.80.0.0/24 via 203.0.113.1\n"
                                 "route add fd77::/64 via fd99::1\n";
    assert_int_equal(lab_program(inside, NULL, "/usr/bin/nsenter", net, "/usr/sbin/ip", "-batch", "-", NULL), 0);
}

JA_UNUSED static int reach(const char *ns, const char *address, int port)
{
    return lab_in(ns, lab_connect, &(struct lab_target){.address = address, .port = port});
}

/* Neighbours are found, and servers listen, a moment after their interfaces are up. */
JA_UNUSED static void await(const char *ns, const char *address, int port)
{
    int64_t deadline = ja_clock_monotonic_ms() + 5000;
    while (reach(ns, address, port) != 0) {
        assert_true(ja_clock_monotonic_ms() < deadline);
        usleep(20000);
    }
}

JA_UNUSED static int unbuild(void **state)
{
    (void)state;
    for (size_t i = 0; i < server_count; i++) {
        kill(servers[i], SIGKILL);
        waitpid(servers[i], NULL, 0);
    }
    umount2(world, MNT_DETACH);
    return 0;
}

JA_UNUSED static int reach_as(const char *ns, const char *source, const char *address, int port, const char *seen_as)
{
    return lab_in(ns, lab_connect,
                  &(struct lab_target){.source = source, .address = address, .port = port, .seen_as = seen_as});
}

#define REACHES(ns, address, port) await(ns, address, port)
#define DENIED(ns, address, port) assert_int_not_equal(reach(ns, address, port), 0)

#endif
