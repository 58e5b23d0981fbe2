/*
 * measure.c: how the traffic of a running jail is shaped, seen by traffic between the host and the jail.
 *
 * The host sends first, from its own address in the nic's network, since the rules of every instance let jails answer what the
 * host began, and nothing else. The jail's end is a socket of ours in the jail's network stack: no program of the jail takes part.
 */
#include "engine/internal.h"
#include "host/host.h"
#include "host/shape.h"
#include "net/addr.h"
#include "run/measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is counted beside the payload: of IP and UDP, and on Linux Ethernet's too. */
enum { HEADER4 = 28, HEADER6 = 48, ETHERNET = 14 };
enum { MTU = 1500, BURSTS = 6, RATE_MOST_MS = 30000 };

struct ends {
    int host, jail; /* -1: none */
    struct ja_addr host_addr, jail_addr;
};

/* The first address of the nic that the host has a gateway's address for. */
static bool find_addresses(const struct ja_nic *nic, const struct ja_network *network, struct ends *ends)
{
    for (size_t i = 0; i < nic->assigned.count; i++)
        if (ja_addr_parse(nic->assigned.items[i], &ends->jail_addr, NULL) == 0 &&
            ja_network_gateway(network, ends->jail_addr.v6, &ends->host_addr))
            return true;
    return false;
}

static socklen_t socket_address(const struct ja_addr *addr, in_port_t port, struct sockaddr_storage *ret_name)
{
    memset(ret_name, 0, sizeof *ret_name);
    if (addr->v6) {
        struct sockaddr_in6 *name = (struct sockaddr_in6 *)ret_name;
        name->sin6_family = AF_INET6;
        name->sin6_port = port;
        memcpy(&name->sin6_addr, addr->bytes, 16);
        return sizeof *name;
    }
    struct sockaddr_in *name = (struct sockaddr_in *)ret_name;
    name->sin_family = AF_INET;
    name->sin_port = port;
    memcpy(&name->sin_addr, addr->bytes, 4);
    return sizeof *name;
}

/* Any free port of the address. */
static int take_port(int fd, const struct ja_addr *addr, in_port_t *ret_port, struct ja_error *err)
{
    struct sockaddr_storage name;
    char text[JA_ADDR_TEXT];
    socklen_t size = socket_address(addr, 0, &name);
    if (bind(fd, (const struct sockaddr *)&name, size) < 0 || getsockname(fd, (struct sockaddr *)&name, &size) < 0) {
        ja_addr_format(addr, false, text);
        return ja_error_sys(err, errno, NULL, "cannot use the address %s", text);
    }
    *ret_port = addr->v6 ? ((struct sockaddr_in6 *)&name)->sin6_port : ((struct sockaddr_in *)&name)->sin_port;
    ja_measure_room(fd);
    return 0;
}

static int connect_to(int fd, const struct ja_addr *addr, in_port_t port, struct ja_error *err)
{
    struct sockaddr_storage name;
    socklen_t size = socket_address(addr, port, &name);
    return connect(fd, (const struct sockaddr *)&name, size) < 0 ? ja_error_sys(err, errno, NULL, "cannot connect") : 0;
}

static int open_ends(const char *pid_file, struct ends *ends, struct ja_error *err)
{
    int family = ends->jail_addr.v6 ? AF_INET6 : AF_INET;
    in_port_t host_port = 0, jail_port = 0;
    ends->host = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (ends->host < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a socket");
    int rc = ja_native_socket(pid_file, family, &ends->jail, err);
    if (rc == 0)
        rc = take_port(ends->host, &ends->host_addr, &host_port, err);
    if (rc == 0)
        rc = take_port(ends->jail, &ends->jail_addr, &jail_port, err);
    if (rc == 0)
        rc = connect_to(ends->host, &ends->jail_addr, jail_port, err);
    return rc < 0 ? rc : connect_to(ends->jail, &ends->host_addr, host_port, err);
}

static void expect(struct ja_measure *measure, const struct ja_flow *flow, int from, int to, int header)
{
    *measure = (struct ja_measure){.from = from,
                                   .to = to,
                                   .rate = flow->rate,
                                   .burst = flow->rate ? ja_flow_burst(flow, MTU) : 0,
                                   .delay_ms = flow->delay + flow->jitter,
                                   .loss = (double)flow->loss / 1e6,
                                   .header = header};
}

/* Long enough that what passes at once does not matter. */
static int64_t rate_time(const struct ja_measure *one, int64_t ms)
{
    int64_t least = one->burst * 8 * BURSTS * 1000 / one->rate;
    return least < ms ? ms : least > RATE_MOST_MS ? RATE_MOST_MS : least;
}

static int measure_nic(struct ja_engine *engine, const struct ja_jail *jail, const struct ja_nic *nic,
                       const struct ja_network *network, int64_t ms, struct ja_measure *both, struct ja_error *err)
{
    struct ends ends = {.host = -1, .jail = -1};
    char pid_file[512];
    if (!find_addresses(nic, network, &ends)) {
        ja_error_set(err, JA_E_UNSUPPORTED, NULL,
                     "nic %s has no address in a network in which the host has one: nothing can be sent to it",
                     nic->label);
        return err->code;
    }
    snprintf(pid_file, sizeof pid_file, "%s/jails/%lld/pid", engine->site.run, (long long)jail->slot);
    int rc = open_ends(pid_file, &ends, err);
    int header = (ends.jail_addr.v6 ? HEADER6 : HEADER4) + (engine->site.os == JA_OS_LINUX ? ETHERNET : 0);
    expect(&both[0], &nic->shape.in, ends.host, ends.jail, header);
    expect(&both[1], &nic->shape.out, ends.jail, ends.host, header);
    int rates = (both[0].rate > 0) + (both[1].rate > 0);
    if (rc == 0)
        rc = ja_measure_begin(both, err);
    if (rc == 0)
        rc = ja_measure_packets(both, rates ? ms / 2 : ms, err);
    for (int i = 0; rc == 0 && i < 2; i++)
        if (both[i].rate)
            rc = ja_measure_rate(&both[i], rate_time(&both[i], ms / 2 / rates), err);
    if (ends.host >= 0)
        close(ends.host);
    if (ends.jail >= 0)
        close(ends.jail);
    return rc;
}

static int check_jail(const struct ja_engine *engine, const struct ja_jail *applied, const char *name, const char *nic,
                      struct ja_error *err)
{
    if (!applied) {
        ja_error_set(err, JA_E_FAILED, JA_LABEL("jail", name), "it is not running");
        return ja_error_hint(err, "start it with `jailadmin start %s`", name);
    }
    bool shared = applied->vnet == JA_VNET_SHARED && engine->site.os == JA_OS_FREEBSD;
    if (applied->vnet != JA_VNET_YES && !shared)
        return ja_error_set(err, JA_E_UNSUPPORTED, JA_LABEL("jail", name), "only jails with vnet=yes are shaped");
    if (nic && !ja_list_get(&applied->nics, nic))
        return ja_error_set(err, JA_E_NOTFOUND, JA_LABEL("jail", name), "it runs without a nic %s", JA_SHOW(nic));
    return 0;
}

int ja_engine_measure(struct ja_engine *engine, const char *name, const char *nic, int64_t ms,
                      int (*each)(void *context, const struct ja_nic *nic, const struct ja_measure *both,
                                  struct ja_error *err),
                      void *context, struct ja_error *err)
{
    struct ja_jail *applied = NULL;
    struct ja_loaded loaded = {0};
    void *jail = NULL;
    int rc = ja_check_name(name, err);
    if (rc == 0)
        rc = ja_engine_get(engine, &ja_noun_jail, name, &jail, NULL, err);
    if (rc == 0)
        rc = ja_engine_applied(engine, jail, &applied, err);
    ja_object_free(&ja_noun_jail, jail);
    if (rc == 0)
        rc = check_jail(engine, applied, name, nic, err);
    if (rc < 0) {
        ja_object_free(&ja_noun_jail, applied);
        return rc;
    }
    rc = ja_load_subject(engine, applied, &loaded, err);
    for (size_t i = 0; rc == 0 && i < applied->nics.count; i++) {
        const struct ja_nic *one = applied->nics.items[i];
        struct ja_measure both[2];
        if (nic && strcmp(nic, one->label) != 0)
            continue;
        rc = measure_nic(engine, applied, one, loaded.subject.networks[i], ms, both, err);
        if (rc == 0)
            rc = each(context, one, both, err);
    }
    if (rc < 0 && !err->object[0])
        snprintf(err->object, sizeof err->object, "%s", JA_LABEL("jail", name));
    ja_loaded_fini(&loaded);
    return rc;
}
