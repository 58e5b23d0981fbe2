/*
 * model.h: the nouns of jailadmin as C structures. Their tables are in src/model/nouns.c, which is where each field's
 * default, checks and documentation are.
 *
 * Every structure that can stand in a list begins with its key.
 */
#ifndef JA_MODEL_H
#define JA_MODEL_H

#include "model/field.h"

enum ja_vnet { JA_VNET_YES, JA_VNET_SHARED, JA_VNET_INHERIT };
enum ja_boot { JA_BOOT_NO, JA_BOOT_YES, JA_BOOT_LAST };
enum ja_wanted { JA_WANTED_STOPPED, JA_WANTED_RUNNING };
enum ja_row_state { JA_ROW_CREATING, JA_ROW_READY, JA_ROW_BROKEN };
enum ja_mount_type { JA_MOUNT_BIND, JA_MOUNT_TMPFS, JA_MOUNT_PROCFS, JA_MOUNT_FDESCFS };
enum ja_sysvipc { JA_SYSVIPC_DISABLE, JA_SYSVIPC_NEW, JA_SYSVIPC_INHERIT };
enum ja_restart { JA_RESTART_NO, JA_RESTART_FAILURE, JA_RESTART_ALWAYS };

/* What happens to the packets of one direction; 0: nothing. Percents are millionths. */
struct ja_flow {
    int64_t rate;       /* bits a second */
    int64_t burst;      /* bytes that may pass at once; 0: see host/shape.h */
    int64_t queue;      /* packets that wait for the rate; 0: see there */
    int64_t delay;      /* ms */
    int64_t jitter;     /* ms, at most the delay */
    int64_t loss;       /* of all packets */
    int64_t loss_burst; /* packets lost in a row, in the mean; 0: each for itself */
};

struct ja_shape {
    struct ja_flow in, out; /* towards the jail; what it sends */
    bool enforce;           /* FreeBSD: the jail's root cannot change it */
};

struct ja_nic {
    char *label; /* the inner interface's name on Linux: "eth0" */
    char *network;
    struct ja_strv addresses; /* "auto", "auto6", "dhcp", "slaac", or ADDRESS[/LEN]; the first of a family is primary */
    struct ja_strv assigned;  /* the addresses that these came to, with prefix length; reserved in the store */
    char *mac;                /* NULL: from the jail's uuid */
    int64_t mtu;              /* 0: the network's */
    int64_t unit;             /* FreeBSD: of its epair; reserved in the store. 0: none yet */
    int64_t vlan;             /* 0: untagged */
    bool span;                /* only watches: a copy of every frame of its network, no address */
    bool gateway;             /* its network's gateway becomes the default route (the first nic that has it wins) */
    struct ja_shape shape;
};

struct ja_route {
    char *destination; /* prefix, or "default", "default6" */
    char *via;
};

struct ja_mount {
    char *target; /* absolute, inside the jail */
    int type;     /* enum ja_mount_type */
    char *source; /* absolute host path for bind */
    bool readonly;
    int64_t size; /* tmpfs, bytes */
};

struct ja_service {
    char *name;
    struct ja_strv command;
    char *user;
    int64_t order;
    int restart; /* enum ja_restart */
};

struct ja_volume {
    char *name;
    char *target; /* absolute, inside the jail */
    int64_t size; /* bytes, 0: no quota */
};

struct ja_forward {
    char *name;
    int protocol; /* index into tcp, udp */
    char *address;
    char *port; /* PORT or FIRST-LAST on the host */
    char *to;   /* PORT or FIRST-LAST in the jail */
};

struct ja_limits {
    int64_t cpu;    /* thousandths of a core */
    char *cpuset;   /* "0-3,5"; NULL: all processors */
    int64_t memory; /* bytes */
    int64_t swap;
    int64_t processes;
    int64_t files;
    int64_t disk;                  /* bytes */
    int64_t read_rate, write_rate; /* bytes a second */
};

struct ja_dns {
    struct ja_strv servers; /* empty: the network's resolver */
    struct ja_strv search;
};

struct ja_hooks {
    struct ja_strv before_start, after_start, before_stop, after_stop;
};

/* How many of the snapshots that `jailadmin tick` takes are kept; 0: none are taken. */
struct ja_keep {
    int64_t hourly, daily, weekly, monthly;
};

struct ja_jail {
    char *name;
    char *uuid;
    int64_t slot;
    int state;     /* enum ja_row_state */
    int wanted;    /* enum ja_wanted */
    char *created; /* RFC 3339 */
    char *template;
    char *version;
    char *be; /* the active boot environment */
    char *hostname;
    int vnet; /* enum ja_vnet */
    struct ja_list nics, routes, mounts, services, volumes, forwards;
    struct ja_dns dns;
    struct ja_strv init;         /* empty: the template's own, or a pause process */
    struct ja_strv stop_command; /* empty: the init's own signal */
    int64_t stop_timeout;        /* ms */
    struct ja_hooks hooks;
    struct ja_limits limits;
    struct ja_keep keep;
    struct ja_strv allow, devices, depends;
    struct ja_map env, labels;
    char *owner;
    int boot; /* enum ja_boot */
    int64_t priority;
    bool protect, privileged;
    /* FreeBSD */
    int64_t children, securelevel, enforce_statfs;
    int sysvipc;     /* enum ja_sysvipc */
    int64_t ruleset; /* of devfs; 0: see devices */
};

enum ja_nat_by { JA_NAT_IPFW, JA_NAT_PF };
enum ja_direction { JA_DIRECTION_OUT, JA_DIRECTION_IN };
enum ja_rule_protocol { JA_PROTOCOL_ANY, JA_PROTOCOL_TCP, JA_PROTOCOL_UDP, JA_PROTOCOL_ICMP };

struct ja_rule {
    char *name;
    char *action;  /* "allow", "deny" */
    int direction; /* enum ja_direction */
    char *jail;    /* NULL: all of the network */
    char *peer;    /* see ja_peer_read; NULL: any */
    int protocol;  /* enum ja_rule_protocol */
    char *port;    /* PORT or FIRST-LAST of the destination; NULL: all */
    int64_t order;
    /* What the names came to. It cannot change as long as the rule names them. */
    struct ja_strv jail_addresses; /* of `jail` on this network, that of its link too; without prefix length */
    struct ja_strv peer_addresses; /* of a jail elsewhere */
    int64_t peer_slot;             /* of a network; -1 */
};

/* Who a rule is about on the other side. */
enum ja_peer_kind { JA_PEER_ANY, JA_PEER_HOST, JA_PEER_WORLD, JA_PEER_NETWORK, JA_PEER_JAIL, JA_PEER_ADDRESS };
struct ja_peer {
    enum ja_peer_kind kind;
    const char *name;    /* of a network or jail; within the text */
    const char *address; /* the text itself: ADDRESS or ADDRESS/LEN */
};

struct ja_network {
    char *name;
    char *uuid;
    int state;
    int64_t slot; /* the number in its bridge's name */
    char *created;
    struct ja_strv addresses; /* the gateway's, with prefix length; at most one v4 and one v6 for allocation */
    char *nat;                /* "auto", "none" or an interface of the host */
    int nat_by;               /* FreeBSD: enum ja_nat_by */
    struct ja_strv members;   /* physical interfaces */
    int64_t vlan;
    int64_t mtu;
    bool dns;  /* names of jails are resolved by the gateway */
    bool dhcp; /* the gateway answers DHCP and sends IPv6 router advertisements */
    char *domain;
    bool isolate;         /* jails of the network do not see each other */
    struct ja_list rules; /* struct ja_rule */
    struct ja_map labels;
};

struct ja_template {
    char *name;
    char *uuid;
    int state;
    char *created;
    char *os;                /* "linux" or "freebsd" */
    char *source;            /* as given to --from */
    char *current;           /* the newest version */
    struct ja_list versions; /* struct ja_template_version */
    struct ja_strv init;     /* taken over by its jails */
    struct ja_map labels;
};

struct ja_template_version {
    char *version;
    char *uuid;
    char *created;
    char *source;
    char *checksum;
    struct ja_strv build; /* "pkg nginx", "run COMMAND", "script NAME": what was done in it, in order */
};

/* A state of a jail's trees that is kept. What a plan makes of it is read from the pool, never from the store. */
struct ja_snapshot {
    char *name;
    char *uuid;
    char *created; /* RFC 3339 */
    char *comment;
    char *by;                 /* who took it */
    struct ja_strv schedules; /* of tick: "hourly" and so on; empty: taken by hand */
    char *be;                 /* the boot environment that it is of; NULL: it holds volumes only */
    struct ja_strv volumes;
    /* Not part of its record: */
    int64_t used;  /* bytes that only it holds; -1: the storage does not count them */
    int64_t order; /* of snapshots of one tree: the later one has the greater number */
    bool foreign;  /* not made by jailadmin */
};

/* A boot environment: one of the trees that a jail can have as its root. */
struct ja_be {
    char *name;
    char *uuid;    /* of its making, in names of what that made */
    char *created; /* RFC 3339 */
    char *by;      /* who made it */
    char *origin;  /* the boot environment, "@SNAPSHOT" or TEMPLATE@VERSION that it is a copy of */
    /* Not part of its record: */
    bool trial; /* an upgrade runs the jail on it, and has not decided yet */
};

extern const struct ja_noun ja_noun_keep, ja_noun_snapshot, ja_noun_be;
extern const struct ja_noun ja_noun_jail, ja_noun_nic, ja_noun_shape, ja_noun_flow, ja_noun_route, ja_noun_mount,
    ja_noun_service, ja_noun_volume, ja_noun_forward, ja_noun_limits, ja_noun_dns, ja_noun_hooks, ja_noun_network,
    ja_noun_rule, ja_noun_template, ja_noun_template_version;

/* Checks that other parts use too. Each says in *err what was given and what is allowed. */
int ja_check_name(const char *value, struct ja_error *err); /* [a-z][a-z0-9-]{0,62}, no "-" at the end */
int ja_check_path(const char *value,
                  struct ja_error *err); /* absolute, no "..", no control characters, below PATH_MAX */
int ja_check_hostname(const char *value, struct ja_error *err);
int ja_check_ifname(const char *value, struct ja_error *err);
int ja_check_mac(const char *value, struct ja_error *err);
int ja_check_env_name(const char *value, struct ja_error *err);
int ja_check_snapshot(const char *value, struct ja_error *err); /* the name of a snapshot */

/* True when the jail is to ask for this one of nic->assigned by itself ("dhcp", "slaac"); others are configured for it. */
bool ja_nic_is_dynamic(const struct ja_nic *nic, size_t assigned);

/* Reads a rule's peer; NULL is any. False when it is none. The texts are the given one's. */
bool ja_peer_read(const char *text, struct ja_peer *ret_peer);
/* The rules in the order in which they are asked: a new array, NULL at its end; the rules stay the network's. NULL: no memory. */
const struct ja_rule **ja_network_rules(const struct ja_network *network);
/* Whether anything happens to packets there. */
bool ja_flow_is_set(const struct ja_flow *flow);
bool ja_shape_is_set(const struct ja_shape *shape);
/* Whether the jail's root is to be kept from changing how one of its nics is shaped. */
bool ja_jail_enforces_shape(const struct ja_jail *jail);

/* "80" or "8000-8010", as the forwards' fields hold them. 0 or JA_E_INVALID. */
int ja_ports_parse(const char *text, int *ret_first, int *ret_last);

#endif
