/*
 * simnet.h: verbs of networks for the simulated host: a network that gives out addresses, a jail with several nics and a
 * forward on it, changes of the network while it runs, and repair of what somebody has removed.
 */
#ifndef JA_SIMNET_H
#define JA_SIMNET_H

#include "simlab.h"

static inline int do_dyn(struct ja_engine *engine, struct ja_error *err)
{
    struct ja_network *network = ja_object_new(&ja_noun_network);
    if (!network)
        return ja_error_nomem(err);
    network->name = ja_strdup("dyn");
    network->dhcp = true;
    int rc = network->name ? 0 : ja_error_nomem(err);
    if (rc == 0 && ja_strv_add_all(&network->addresses, "10.235.0.1/24", "fd00:235::1/64", NULL) < 0)
        rc = ja_error_nomem(err);
    if (rc == 0)
        rc = ja_engine_network_create(engine, network, err);
    ja_object_free(&ja_noun_network, network);
    return rc;
}

static inline int do_dyn_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_network_delete(engine, "dyn", err);
}

static inline int do_guest(struct ja_engine *engine, struct ja_error *err)
{
    static const struct {
        const char *list, *entry;
    } parts[] = {
        {"nics", "eth0,network=dyn,address=auto,address=auto6,mac=02:00:00:00:00:07"},
        {"nics", "eth1,network=default,address=auto,address=10.233.0.77,gateway=no"},
        {"nics", "eth2,network=dyn,address=dhcp,address=slaac,mac=02:00:00:00:00:08,gateway=no"},
        {"routes", "192.0.2.0/24,via=10.235.0.9"},
        {"forwards", "web,port=8080,to=80"},
        {"forwards", "dns,protocol=udp,port=5000-5002,to=53-55,address=203.0.113.5"},
    };
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    if (!jail)
        return ja_error_nomem(err);
    jail->name = ja_strdup("g");
    jail->template = ja_strdup("base");
    int rc = jail->name && jail->template ? 0 : ja_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < JA_COUNT(parts); i++)
        rc = ja_object_set_entry(&ja_noun_jail, jail, parts[i].list, parts[i].entry, err);
    if (rc == 0)
        rc = ja_engine_create(engine, jail, false, err);
    ja_object_free(&ja_noun_jail, jail);
    return rc;
}

static inline int do_guest_delete(struct ja_engine *engine, struct ja_error *err)
{
    int rc = ja_engine_delete(engine, "g", true, err);
    /* Also after a power cut, which takes it away. */
    return rc < 0 ? rc : ja_engine_network_ensure(engine, "dyn", err);
}

static inline int do_guest_start(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_start(engine, "g", NULL, err);
}

static inline int do_guest_stop(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_stop(engine, "g", JA_STOP_FORCE, NULL, err);
}

static inline int simnet_set(struct ja_engine *engine, const char *const *assignments, struct ja_error *err)
{
    ja_autostrv struct ja_strv list = {0};
    for (size_t i = 0; assignments[i]; i++)
        if (ja_strv_add(&list, assignments[i]) < 0)
            return ja_error_nomem(err);
    return ja_engine_network_set(engine, "dyn", &list, err);
}

/* All that can change while its jails run: an MTU only on Linux, since a bridge of FreeBSD has that of all of its members. */
static inline int do_dyn_set(struct ja_engine *engine, struct ja_error *err)
{
    char members[64];
    const char *mtu = lab_system->os == JA_OS_LINUX ? "mtu=1400" : NULL;
    snprintf(members, sizeof members, "members=%s", lab_system->uplink);
    return simnet_set(
        engine,
        (const char *const[]){"nat=none", "isolate=yes", "domain=example.org", "labels.a=b", members, mtu, NULL}, err);
}

/* By pf in place of ipfw (FreeBSD), with the running jail's forwards, and back. */
static inline int do_pf_set(struct ja_engine *engine, struct ja_error *err)
{
    return simnet_set(engine, (const char *const[]){"nat-by=pf", NULL}, err);
}

static inline int do_pf_unset(struct ja_engine *engine, struct ja_error *err)
{
    return simnet_set(engine, (const char *const[]){"nat-by=ipfw", NULL}, err);
}

/* The same, and to the running jail, also after a power cut. */
static inline int do_pf_set_anew(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_guest_stop(engine, err);
    if (rc == 0)
        rc = do_pf_set(engine, err);
    return rc < 0 ? rc : do_guest_start(engine, err);
}

static inline int do_pf_unset_anew(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_guest_stop(engine, err);
    if (rc == 0)
        rc = do_pf_unset(engine, err);
    return rc < 0 ? rc : do_guest_start(engine, err);
}

/* Back, and to the running jail, also after a power cut. */
static inline int do_dyn_unset(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_guest_stop(engine, err);
    if (rc == 0)
        rc = simnet_set(
            engine, (const char *const[]){"nat=", "isolate=", "domain=", "mtu=", "members=", "labels.a=", NULL}, err);
    return rc < 0 ? rc : do_guest_start(engine, err);
}

/* The same gateway in a larger range, and one in another, while nobody has an address of it. */
static inline int do_gateway(struct ja_engine *engine, struct ja_error *err)
{
    return simnet_set(engine, (const char *const[]){"address=10.235.0.1/16,fd00:236::1/64", NULL}, err);
}

static inline int do_gateway_back(struct ja_engine *engine, struct ja_error *err)
{
    int rc = simnet_set(engine, (const char *const[]){"address=10.235.0.1/24,fd00:235::1/64", NULL}, err);
    return rc < 0 ? rc : ja_engine_network_ensure(engine, "dyn", err); /* after a power cut */
}

/* What none of its jails may be running for. */
static inline int do_vlan(struct ja_engine *engine, struct ja_error *err)
{
    char members[64];
    snprintf(members, sizeof members, "members=%s", lab_system->uplink);
    return simnet_set(engine, (const char *const[]){members, "vlan=7", NULL}, err);
}

static inline int do_no_vlan(struct ja_engine *engine, struct ja_error *err)
{
    int rc = simnet_set(engine, (const char *const[]){"vlan=", "members=", NULL}, err);
    return rc < 0 ? rc : ja_engine_network_ensure(engine, "dyn", err);
}

static inline int do_dns_off(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv list = {0};
    return ja_strv_add(&list, "dns=no") < 0 ? ja_error_nomem(err)
                                            : ja_engine_network_set(engine, "default", &list, err);
}

static inline int do_dns_on(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv list = {0};
    int rc = do_guest_stop(engine, err);
    if (rc == 0 && ja_strv_add(&list, "dns=yes") < 0)
        rc = ja_error_nomem(err);
    if (rc == 0)
        rc = ja_engine_network_set(engine, "default", &list, err);
    return rc < 0 ? rc : do_guest_start(engine, err);
}

/* Rules of each kind: towards the world, a network, the host; from elsewhere; of one jail. */
static inline int do_rules(struct ja_engine *engine, struct ja_error *err)
{
    return simnet_set(
        engine,
        (const char *const[]){"rules+=db,action=allow,peer=network:default,protocol=tcp,port=5432",
                              "rules+=one,action=deny,jail=g,peer=192.0.2.0/24,protocol=udp,port=5000-5010",
                              "rules+=host,action=allow,peer=host,protocol=icmp,order=5",
                              "rules+=in,action=deny,direction=in,peer=world", NULL},
        err);
}

static inline int do_rules_off(struct ja_engine *engine, struct ja_error *err)
{
    int rc = simnet_set(engine, (const char *const[]){"rules-=db,one,host,in", NULL}, err);
    return rc < 0 ? rc : ja_engine_network_ensure(engine, "dyn", err); /* after a power cut */
}

static inline int do_rules_change(struct ja_engine *engine, struct ja_error *err)
{
    return simnet_set(engine, (const char *const[]){"rules.db.port=5433", "rules.host=", "rules.in.action=allow", NULL},
                      err);
}

/* And to the running jail, also after a power cut. */
static inline int do_rules_back(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_guest_stop(engine, err);
    if (rc == 0)
        rc = simnet_set(engine, (const char *const[]){"rules-=db,one,host,in", NULL}, err);
    if (rc == 0)
        rc = do_rules(engine, err);
    return rc < 0 ? rc : do_guest_start(engine, err);
}

static inline int do_guest_readdress(struct ja_engine *engine, struct ja_error *err)
{
    ja_autostrv struct ja_strv list = {0};
    return ja_strv_add(&list, "nics.eth0.address=10.235.0.99") < 0
               ? ja_error_nomem(err)
               : ja_engine_set(engine, "g", &list, false, NULL, err);
}

static inline int do_default_delete(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_network_delete(engine, "default", err);
}

/* A rule that names nobody, which goes with its network. */
static inline int do_rules_alone(struct ja_engine *engine, struct ja_error *err)
{
    return simnet_set(engine, (const char *const[]){"rules+=x,action=deny,protocol=tcp", NULL}, err);
}

static inline int do_dyn_ruled(struct ja_engine *engine, struct ja_error *err)
{
    int rc = do_dyn(engine, err);
    return rc < 0 ? rc : do_rules_alone(engine, err);
}

static inline void simnet_ignore(void *context, const char *object, const char *what, const struct ja_error *err)
{
    (void)context, (void)object, (void)what, (void)err;
}

static inline int do_repair(struct ja_engine *engine, struct ja_error *err)
{
    return ja_engine_repair(engine, simnet_ignore, NULL, err);
}

/* Somebody flushes the rules and the neighbours, takes an interface out of its bridge and removes names. */
static inline int do_damage(struct ja_engine *engine, struct ja_error *err)
{
    static const char *const lost[] = {"nft ", "nftchain ", "neigh ", "netns ", "entry ", "master ja", "daemon "};
    int rc = do_guest_start(engine, err);
    if (rc == 0)
        rc = do_repair(engine, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < JA_COUNT(lost); i++)
        sim_drop_all(&lab_sim, "%s", lost[i]);
    for (size_t i = sim_from(&lab_sim, "rule 2"); sim_starts(&lab_sim, i, "rule 2");) /* ours begin at 20000 */
        sim_drop(&lab_sim, "%s", lab_sim.entries[i].key);
    sim_drop(&lab_sim, "path %s/jailadmin-00/dns/dyn.d/g", lab_system->run);
    sim_drop(&lab_sim, "text %s/jailadmin-00/dns/dyn.d/g", lab_system->run);
    return 0;
}

#endif
