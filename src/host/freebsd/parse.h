/*
 * parse.h: reading what FreeBSD's commands print: pure functions of text, which compile and are tested everywhere. The formats
 * are those of 13.2 and 15.1 (test/data/freebsd). Each takes the whole output of one command, which it changes, and adds
 * what it found. What cannot be understood is JA_E_FAILED, never a guess; JA_E_NOMEM. Only src/host/freebsd includes it.
 *
 * Some of the text is a jail's: names and descriptions of interfaces that fall back to the host, names of child jails, of
 * processes and of mount points. A jail may make itself unreadable, but nothing else.
 */
#ifndef JA_FREEBSD_PARSE_H
#define JA_FREEBSD_PARSE_H

#include "base/str.h"
#include "net/addr.h"

/* `jls -d --libxo json -n jid name path dying`: name -> "PATH JID active|dying". An active jail hides a dying one. */
int ja_freebsd_parse_jls(const char *text, struct ja_map *jails, struct ja_error *err);

/* What is known of the host's interfaces. */
struct ja_freebsd_links {
    struct ja_map descriptions; /* interface -> its description, "" */
    struct ja_map ports;        /* bridge -> number of its members, span ports among them */
    struct ja_map members;      /* "BRIDGE INTERFACE" -> "", "span", "private" */
    struct ja_map addresses;    /* address -> interface */
    struct ja_map traffic;      /* interface -> "RECEIVED SENT", bytes; not in what ifconfig prints */
    struct ja_str nets;         /* "ADDRESS/LEN INTERFACE" lines */
};
void ja_freebsd_links_fini(struct ja_freebsd_links *links);
/* `ifconfig -a`. An interface whose name is none is passed over, with all that is its own. */
int ja_freebsd_parse_ifconfig(char *text, struct ja_freebsd_links *links, struct ja_error *err);

/* `mount -p --libxo json`: mount point -> type of the file system that is on top there; *nullfs (may be NULL): mount point of a nullfs
 * -> "MODE\tDIRECTORY", what is seen there, "ro" or "rw". */
int ja_freebsd_parse_mount(const char *text, struct ja_map *mounts, struct ja_map *nullfs, struct ja_error *err);
/* `netstat -rn --libxo json`: "default", "default6" -> interface. */
int ja_freebsd_parse_netstat(const char *text, struct ja_map *routes, struct ja_error *err);

/* `arp --libxo json -an`, `ndp -an`: "ADDRESS INTERFACE" -> MAC of a permanent entry, the host's own addresses among them. */
int ja_freebsd_parse_arp(const char *text, struct ja_map *neighbours, struct ja_error *err);
int ja_freebsd_parse_ndp(char *text, struct ja_map *neighbours, struct ja_error *err);

/* `sysctl -ie NAME...`: name -> value. Only the names that were asked for begin a value. */
int ja_freebsd_parse_sysctl(char *text, const struct ja_strv *names, struct ja_map *values, struct ja_error *err);
/* `kldstat -v`: what is loaded, and what the kernel has in itself; by the names of files without ".ko", and of modules. */
int ja_freebsd_parse_kldstat(char *text, struct ja_map *modules, struct ja_error *err);
/* `sysctl -e kern.features`: those that are 1. */
int ja_freebsd_parse_features(char *text, struct ja_map *modules, struct ja_error *err);
/* `rctl`: "jail:NAME" -> its rules, sorted, one a line; and each rule -> "". Rules of other subjects are passed over. */
int ja_freebsd_parse_rctl(char *text, struct ja_map *rules, struct ja_error *err);
/* `rctl -u jail:NAME...` for these names, in their order: name -> "cpu-us=N memory=BYTES ..." (plan/facts.h). */
int ja_freebsd_parse_usage(char *text, const struct ja_strv *names, struct ja_map *usage, struct ja_error *err);

/* `ipfw -S list`: "rule N" and "rules" -> see JA_FACT_IPFW. */
int ja_freebsd_parse_ipfw_rules(char *text, struct ja_map *answers, struct ja_error *err);
/* `ipfw table all info`: "table NAME" -> its type. */
int ja_freebsd_parse_ipfw_tables(char *text, struct ja_map *answers, struct ja_error *err);
/* `ipfw table all list`: "table NAME ENTRY" -> its value; an address always with its prefix length. "entries NAME" -> all of them,
 * one a line. */
int ja_freebsd_parse_ipfw_entries(char *text, struct ja_map *answers, struct ja_error *err);
/* `ipfw nat show config`: "nat N" -> its configuration. */
int ja_freebsd_parse_ipfw_nats(char *text, struct ja_map *answers, struct ja_error *err);

/* `pfctl -s info`: "status". */
int ja_freebsd_parse_pf_info(char *text, struct ja_map *answers, struct ja_error *err);
/* `pfctl -s nat`, `pfctl -s rules`: "main nat-anchor", "main rdr-anchor", "main anchor". */
int ja_freebsd_parse_pf_main(char *text, struct ja_map *answers, struct ja_error *err);
/* `pfctl -a jailadmin -s Anchors`: "anchors" -> names without "jailadmin/". */
int ja_freebsd_parse_pf_anchors(char *text, struct ja_map *answers, struct ja_error *err);
/* `pfctl -a jailadmin/NAME -P -s nat`, or `rules`: its lines are added to `rules`. */
int ja_freebsd_parse_pf_rules(char *text, struct ja_str *rules, struct ja_error *err);

/* `ps -xww -J 0 -o pid= -o command=`: pid -> command line, of the host's own processes. */
int ja_freebsd_parse_ps(char *text, struct ja_map *processes, struct ja_error *err);

/* Somebody who listens. */
struct ja_freebsd_listener {
    bool tcp, v4, v6; /* v4 and v6: a socket for both */
    bool any;         /* at every address */
    struct ja_addr address;
    unsigned port;
    char *who; /* "nginx (process 4711)" */
};
struct ja_freebsd_listeners {
    struct ja_freebsd_listener *items;
    size_t count;
};
void ja_freebsd_listeners_fini(struct ja_freebsd_listeners *listeners);
/* `sockstat -46lw -P tcp,udp` */
int ja_freebsd_parse_sockstat(char *text, struct ja_freebsd_listeners *listeners, struct ja_error *err);
/* The answer to a fact's question "tcp|udp ADDRESS|* PORT[-LAST]"; NULL: nobody, or that is no such question. */
const char *ja_freebsd_find_listener(const struct ja_freebsd_listeners *listeners, const char *question);

#endif
