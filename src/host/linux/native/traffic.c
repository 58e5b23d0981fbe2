/*
 * traffic.c: what this kernel can do to traffic, and the queues that an interface has.
 *
 * No file says which kinds of queues a kernel has when they are built in, so they are asked for by using them, in a network
 * namespace that nobody else sees and that is gone with the socket. What is a module gets loaded by that, as it would by its use.
 */
#include "host/linux/native/native.h"
#include "host/linux/native/netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* Of every network namespace. */
enum { LOOPBACK = 1 };
#define DUMP_TRIES 20 /* of a list that others change meanwhile */

/* One request; the errno of the kernel's answer, 0 when it did it. What is missing in it makes a kind that is there say EINVAL. */
static int ask(int fd, struct ja_nl *nl)
{
    int rc = ja_nl_request(fd, nl, NULL, NULL, NULL, 0);
    ja_nl_reset(nl);
    return -rc;
}

static int ask_qdisc(int fd, struct ja_nl *nl, const char *kind, uint32_t parent, uint32_t handle)
{
    struct tcmsg header = {
        .tcm_family = AF_UNSPEC, .tcm_ifindex = LOOPBACK, .tcm_parent = parent, .tcm_handle = handle};
    ja_nl_message(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, &header, sizeof header);
    ja_nl_text(nl, TCA_KIND, kind);
    return ask(fd, nl);
}

static int ask_ifb(int fd, struct ja_nl *nl)
{
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    ja_nl_message(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_ACK, &header, sizeof header);
    ja_nl_text(nl, IFLA_IFNAME, "probe");
    size_t info = ja_nl_nest(nl, IFLA_LINKINFO);
    ja_nl_text(nl, IFLA_INFO_KIND, "ifb");
    ja_nl_nest_end(nl, info);
    return ask(fd, nl);
}

static int ask_filter(int fd, struct ja_nl *nl)
{
    /* Every protocol (ETH_P_ALL, in network order), priority 1. */
    struct tcmsg header = {.tcm_family = AF_UNSPEC,
                           .tcm_ifindex = LOOPBACK,
                           .tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0),
                           .tcm_info = TC_H_MAKE(1u << 16, 0x0300)};
    ja_nl_message(nl, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &header, sizeof header);
    ja_nl_text(nl, TCA_KIND, "u32");
    return ask(fd, nl);
}

static int ask_action(int fd, struct ja_nl *nl)
{
    struct tcamsg header = {.tca_family = AF_UNSPEC};
    ja_nl_message(nl, RTM_NEWACTION, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &header, sizeof header);
    size_t actions = ja_nl_nest(nl, TCA_ACT_TAB), first = ja_nl_nest(nl, 1);
    ja_nl_text(nl, TCA_ACT_KIND, "mirred");
    ja_nl_nest_end(nl, first);
    ja_nl_nest_end(nl, actions);
    return ask(fd, nl);
}

static int probe_shaping(struct ja_str *words, struct ja_error *err)
{
    ja_autoclose int fd = ja_nl_open_in(NULL, NETLINK_ROUTE);
    struct ja_nl nl = {0};
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a network namespace");
    const int results[] = {ask_qdisc(fd, &nl, "tbf", TC_H_ROOT, 1u << 16),
                           ask_qdisc(fd, &nl, "netem", TC_H_ROOT, 2u << 16),
                           ask_ifb(fd, &nl),
                           ask_qdisc(fd, &nl, "ingress", TC_H_INGRESS, TC_H_MAKE(TC_H_INGRESS, 0)),
                           ask_filter(fd, &nl),
                           ask_action(fd, &nl)};
    bool there[JA_COUNT(results)];
    bool failed = nl.failed;
    ja_nl_fini(&nl);
    for (size_t i = 0; i < JA_COUNT(results); i++)
        there[i] = results[i] == 0 || results[i] == EINVAL;
    const struct {
        bool can;
        const char *word;
    } all[] = {
        {there[0], "tbf"}, {there[1], "netem"}, {there[2], "ifb"}, {there[3] && there[4] && there[5], "redirect"}};
    for (size_t i = 0; i < JA_COUNT(all); i++)
        if (all[i].can)
            ja_str_addf(words, "%s%s", words->length ? " " : "", all[i].word);
    return failed ? ja_error_nomem(err) : 1;
}

/* A command that shapes many jails asks once: a network namespace costs more than all else of it, and kernels lose no kinds. */
int ja_linux_probe_shaping(struct ja_str *words, struct ja_error *err)
{
    static char known[64];
    if (known[0] != '\0') {
        ja_str_add(words, known);
        return 1;
    }
    int code = probe_shaping(words, err);
    if (code > 0 && words->length > 0 && words->length < sizeof known)
        memcpy(known, words->text, words->length + 1);
    return code;
}

/* ---- queues ---- */

struct found_queues {
    int index;
    struct ja_str *words;
};

/* Those without a handle are the kernel's own. */
static int take_queue(void *context, const struct nlmsghdr *message)
{
    struct found_queues *found = context;
    const void *attrs;
    size_t length, size;
    const struct tcmsg *header = ja_nl_reply(message, RTM_NEWQDISC, sizeof *header, &attrs, &length);
    if (!header || header->tcm_ifindex != found->index || !header->tcm_handle)
        return 0;
    const char *kind = ja_nl_find(attrs, length, TCA_KIND, &size);
    if (kind && size && !kind[size - 1])
        ja_str_addf(found->words, "%s%s", found->words->length ? " " : "", kind);
    return 0;
}

int ja_linux_probe_qdisc(const char *interface, struct ja_str *words, struct ja_error *err)
{
    struct found_queues found = {.index = (int)if_nametoindex(interface), .words = words};
    struct tcmsg header = {.tcm_family = AF_UNSPEC, .tcm_ifindex = found.index};
    struct ja_nl nl = {0};
    if (!found.index)
        return 0;
    int fd = ja_nl_host(NETLINK_ROUTE);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot open a netlink socket");
    int rc = -EINTR;
    for (int tries = 0; rc == -EINTR && tries < DUMP_TRIES; tries++) {
        ja_str_fini(words);
        ja_nl_reset(&nl);
        ja_nl_message(&nl, RTM_GETQDISC, NLM_F_DUMP, &header, sizeof header);
        rc = ja_nl_request(fd, &nl, take_queue, &found, NULL, 0);
    }
    ja_nl_fini(&nl);
    return rc < 0 ? ja_error_sys(err, -rc, NULL, "cannot ask for the queues of %s", interface) : 1;
}
