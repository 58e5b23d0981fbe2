/*
 * accept.c: `jailadmin host vnet-accept`: the rule that lets the packets of a new network stack pass where ipfw denies by default. The
 * jail's own ipfw(8) may be older than the kernel, which then does not understand it (15 has none of what 14 and before send), may
 * be missing, or anything else. The host's cannot run there. So its one call is made here.
 */
#include "host/freebsd/native/native.h"
#include "run/option.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_fw.h>
#include <unistd.h>

/* "65000 allow ip from any to any", as ipfw(8) sends it. The rule ends on eight bytes. */
struct request {
    ip_fw3_opheader head;
    ipfw_obj_ctlv list;
    struct ip_fw_rule rule;
    uint32_t end;
};

enum { RULE_NUMBER = 65000, NEWEST_VERSION = 1 };

static int add_rule(int fd, uint16_t version)
{
    struct request request;
    socklen_t length = sizeof request;
    memset(&request, 0, sizeof request);
    request.head.opcode = IP_FW_XADD;
    request.head.version = version;
    request.list.head.type = IPFW_TLV_RULE_LIST;
    request.list.head.length = (uint32_t)(sizeof request - offsetof(struct request, list));
    request.list.count = 1;
    request.rule.rulenum = RULE_NUMBER;
    request.rule.cmd_len = 1;
    request.rule.cmd[0].opcode = O_ACCEPT;
    request.rule.cmd[0].len = 1;
    return getsockopt(fd, IPPROTO_IP, IP_FW3, &request, &length);
}

/* In a process of its own. 15 has version 1 of the call, 14 and before have 0; for this rule they are the same. */
int ja_verb_vnet_accept(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    int jid;
    if (argc != 2)
        return ja_opt_usage(argv[0], err);
    int rc = ja_freebsd_find_jail(argv[1], &jid, err);
    if (rc < 0)
        return rc;
    if (ja_freebsd_attach(jid) < 0)
        return ja_error_sys(err, errno, NULL, "cannot enter the jail");
    ja_autoclose int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot make a socket in the jail");
    for (uint16_t version = NEWEST_VERSION; add_rule(fd, version) < 0; version--)
        if (version == 0)
            return ja_error_sys(err, errno, NULL, "ipfw does not let the jail's packets pass");
    return 0;
}
