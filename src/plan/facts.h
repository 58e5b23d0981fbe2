/*
 * facts.h: what is there. A fact is a question to the host, by kind and name, with its answer as text.
 *
 * A planner asks with ja_fact(). If the answer is not known yet, the question is noted as missing and the planner goes on
 * with "absent"; its caller sees that something is missing, lets the host read just that, throws the plan away and plans
 * again. Planners are pure, so planning twice does no harm, and a planner never has to list beforehand what it will need.
 * The same facts are what an undo proves ownership with (struct ja_guard), what the simulated hosts answer, and what
 * `doctor --facts` writes to a file.
 */
#ifndef JA_FACTS_H
#define JA_FACTS_H

#include "base/str.h"

#include <jansson.h>

enum ja_fact_kind {
    JA_FACT_TOOL,      /* program name -> absolute path */
    JA_FACT_LINK,      /* network interface -> its alias (Linux) or description (FreeBSD), "" when it has none */
    JA_FACT_PORTS,     /* bridge -> number of its ports, decimal */
    JA_FACT_HOSTADDR,  /* address without prefix -> interface of the host that has it */
    JA_FACT_PATH,      /* absolute host path -> "dir", "file", "link", "other" */
    JA_FACT_MOUNT,     /* absolute host path -> file system type of what is mounted there */
    JA_FACT_SUBVOLUME, /* btrfs: absolute path -> subvolume uuid */
    JA_FACT_DATASET,   /* ZFS: dataset or snapshot -> our mark "INSTANCE OBJECT", "" when it has none */
    JA_FACT_SYSCTL,    /* kernel setting -> value */
    JA_FACT_CGROUPS,   /* "" -> "v2", "hybrid" or "v1" */
    /* Pid file -> "PID MS": when that very process lives; MS since 1970 when it began. FreeBSD: the file of ours says "NAME
     * PATH", "JID MS": that kernel jail is active and has that path; MS is when the file was written. */
    JA_FACT_PROCESS,
    /* Linux: crun id -> "running PID". FreeBSD: kernel jail name -> "PATH JID active|dying": a guard "PATH *" proves whose. */
    JA_FACT_JAIL,
    JA_FACT_INIT,     /* tree -> "busybox", "openrc", "sysvinit", "systemd", "rc" (FreeBSD), or absent: none */
    JA_FACT_USERFILE, /* "TREE\tUSER" -> "UID GID HOME SHELL" from its etc/passwd */
    JA_FACT_NFT,      /* nftables "FAMILY TABLE" -> "" ; "FAMILY TABLE SET PART [. PART]..." -> "" */
    JA_FACT_LISTEN,   /* "tcp|udp ADDRESS PORT[-LAST]" -> who, when something on the host listens there; ADDRESS "*": at
                          any but the loopback ones */
    JA_FACT_IDMAP,    /* path -> "yes" when mounts of its file system can be idmapped */
    JA_FACT_MODULE,   /* kernel module or feature -> "" */
    JA_FACT_FILE,     /* absolute host path of a small file of ours -> its text */
    JA_FACT_NETNS,    /* path or name of a pinned network namespace -> "" */
    JA_FACT_CGROUP,   /* cgroup path below the hierarchy, of ours -> "" */
    JA_FACT_TREEFILE, /* "TREE\tPATH": a small file beneath a jail's tree -> its text, links resolved inside */
    JA_FACT_DIRECTORY, /* absolute host path -> names in it, sorted, one a line */
    JA_FACT_HOSTNETS,  /* "" -> the addresses of the host's interfaces, one "ADDRESS/LEN INTERFACE" a line */
    JA_FACT_DAEMON,    /* "PIDFILE\tPROGRAM" -> pid, when that process is this program, started with that pid file */
    JA_FACT_QUOTA,     /* btrfs: absolute path -> "" when its file system counts the space of subvolumes */
    JA_FACT_APT, /* "" -> where apt gets packages: "source URI RELEASE COMPONENT", "Acquire::http::Proxy URL" lines */
    JA_FACT_SHA256,    /* absolute host path of a file -> its SHA-256, in small hexadecimal digits */
    JA_FACT_NEIGHBOUR, /* "ADDRESS INTERFACE" -> MAC of the host's permanent neighbour entry */
    JA_FACT_FIREWALL, /* prefix of our bridges' names -> foreign rules that drop what is forwarded, one "KIND NAME" a line */
    JA_FACT_NFTRULES, /* "FAMILY TABLE" -> how many rules it has, without those in chains of networks */
    JA_FACT_NFTCHAIN, /* "FAMILY TABLE CHAIN" -> the comments of its rules, a line each, "-" for none; absent: no rules */
    JA_FACT_FSTYPE,   /* absolute host path -> type of the file system that it lies on: "btrfs", "zfs", "other" */
    JA_FACT_CONTENTS, /* ZFS: dataset -> names of datasets and snapshots in it, and of a file, one a line */
    JA_FACT_DEVICE,   /* absolute host path of a device node -> "c 10 229": type, major and minor number */
    /* ipfw (FreeBSD): "rule N" -> "set S RULE", a line each when there are several, "several sets" when those are of more than
     * one; "table NAME" -> its type; "table NAME ENTRY" -> the entry's value; "entries NAME" -> all of a table, one a line;
     * "nat N" -> its configuration, "if vtnet0 ...". */
    JA_FACT_IPFW, /* "rules" -> all of them, "N set S RULE" a line */
    /* pf (FreeBSD): "status" -> "Enabled", "Disabled"; "main nat-anchor", "main rdr-anchor", "main anchor" -> "" when the main ruleset
     * asks the anchors below jailadmin/; "anchors" -> the names of these, one a line; "anchor NAME" -> translations and rules of one. */
    JA_FACT_PF,
    JA_FACT_RCTL, /* "jail:NAME" (FreeBSD) -> its rules as rctl(8) prints them, sorted, one a line; one of those -> "" */
    JA_FACT_ROUTE,   /* "default", "default6" (FreeBSD) -> the interface of the default route */
    JA_FACT_DEVFS,   /* number of a devfs ruleset (FreeBSD) -> its rules, one a line; absent: it has none */
    JA_FACT_VERSION, /* absolute path of a program -> the first line of what it says about its version */
    JA_FACT_SPACE,   /* absolute host path -> "FREE TOTAL" of its file system, bytes */
    JA_FACT_HEALTH,  /* absolute path of a pool -> errors that its devices had, one a line; "" for none */
    JA_FACT_MEMBER,  /* "BRIDGE INTERFACE" (FreeBSD) -> "", "span" for a port that only watches, "private" */
    JA_FACT_LINKS,   /* beginning of a name (FreeBSD) -> names of the interfaces that begin so, one a line */
    JA_FACT_DISKS, /* btrfs: absolute path -> "7:0 8:16", the disks that its file system lies on, as cgroups name them */
    /* What a running jail uses, "cpu-us=N memory=BYTES ..." (struct ja_usage): Linux: cgroup path -> ; FreeBSD: kernel jail name -> */
    JA_FACT_USAGE,
    /* Bytes of a tree, as its limit counts them: btrfs: absolute path, absent where nothing counts; ZFS: dataset. */
    JA_FACT_USED,
    JA_FACT_TRAFFIC, /* interface of the host -> "RECEIVED SENT", bytes */
    /* ZFS: dataset -> the snapshots of the trees of a jail, which are two levels below it, one a line: "TREE@NAME TXG CREATED USED
     * MARK RECORD", tabs between; TREE is "root/default", TXG the order in which they were taken, CREATED in seconds, USED in bytes;
     * MARK and RECORD are jailadmin:mark and jailadmin:snapshot where they are its own, else "-". */
    JA_FACT_SNAPSHOTS,
    JA_FACT_CLONES,  /* ZFS: snapshot -> the datasets that are clones of it, one a line */
    JA_FACT_SHAPING, /* "" (Linux) -> what the kernel can do to traffic: "tbf netem ifb redirect", or some of them */
    JA_FACT_QDISC,   /* interface (Linux) -> the kinds of queues that somebody gave it: "tbf pfifo ingress" */
    /* Absolute host path of a directory -> what of it is mounted elsewhere on the host: "NAME\tMODE\tDIRECTORY" a line, NAME the path
     * below it, MODE "ro" or "rw". What is mounted in itself does not count. */
    JA_FACT_BINDS,
    JA_FACT_KINDS
};

struct ja_fact {
    enum ja_fact_kind kind;
    bool known; /* false: asked for, not answered yet */
    char *name;
    char *value; /* NULL: absent */
};

struct ja_facts {
    struct ja_fact *items; /* sorted by kind and name */
    size_t count;
    size_t size;    /* for how many there is room */
    size_t missing; /* how many are not known yet */
    bool failed;    /* memory ran out */
    /* More of the kind will be asked for at once, until a reading without this: what answers may keep what it has read, and look ahead. */
    bool more;
};

/* Those that the zfs command answers. */
bool ja_fact_is_zfs(enum ja_fact_kind kind);
const char *ja_fact_kind_name(enum ja_fact_kind kind);
/* The answer, or NULL: absent, or not known yet (then it is now missing). */
const char *ja_fact(struct ja_facts *facts, enum ja_fact_kind kind, const char *name);
const char *ja_factf(struct ja_facts *facts, enum ja_fact_kind kind, const char *format, ...) JA_PRINTF(3, 4);
/* Answers a question; value NULL: absent. */
int ja_facts_set(struct ja_facts *facts, enum ja_fact_kind kind, const char *name, const char *value);
/* The same for the question at a place; nothing moves. */
int ja_facts_answer(struct ja_facts *facts, size_t place, const char *value);
void ja_facts_fini(struct ja_facts *facts);
/* A facts file: {"link": {"eth0": ""}, "tool": {"ip": "/usr/sbin/ip", "dnsmasq": null}}. New reference, NULL: no memory. */
json_t *ja_facts_to_json(const struct ja_facts *facts);
int ja_facts_from_json(struct ja_facts *facts, const json_t *json, struct ja_error *err);
int ja_fact_kind_parse(const char *name); /* -1: no such kind */

/* True when a fact's value carries the mark: equal, or beginning with it when it ends in "*"; NULL matches all. */
bool ja_guard_match(const char *mark, const char *value);

/* Whoever can answer: a real host, a simulated one, a facts file. Answers everything that is missing in *facts. */
struct ja_fact_reader {
    int (*read)(void *context, struct ja_facts *facts, struct ja_error *err);
    void *context;
};

#endif
