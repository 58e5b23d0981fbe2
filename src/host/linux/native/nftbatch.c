/*
 * nftbatch.c: `nft -f -` for what happens at every start and stop of a jail: elements of sets and maps
 * (nftelement.c). As a process it reads the whole ruleset first; the kernel needs one message. Anything else is
 * declined.
 */
#include "host/linux/native/native.h"
#include "host/linux/native/nftelement.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's headers, which then leave out what it defines */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

static void put_border(struct ja_nl *nl, unsigned type)
{
    struct nfgenmsg header = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
    ja_nl_message(nl, type, 0, &header, sizeof header);
}

/* All lines as one transaction. 0, JA_E_UNSUPPORTED when a line is not ours to do, JA_E_NOMEM. */
static int encode(const char *input, struct ja_nl *nl, struct ja_error *err)
{
    ja_autofree char *copy = ja_strdup(input);
    if (!copy)
        return ja_error_nomem(err);
    struct ja_nft_element element, next;
    bool pending = false;
    char *rest = copy;
    put_border(nl, NFNL_MSG_BATCH_BEGIN);
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        int read = ja_nft_read_line(line, &next);
        if (read < 0)
            return JA_E_UNSUPPORTED;
        if (read == 0)
            continue;
        if (pending)
            ja_nft_put_element(nl, &element, false);
        element = next;
        pending = true;
    }
    if (!pending)
        return JA_E_UNSUPPORTED;
    ja_nft_put_element(nl, &element, true);
    put_border(nl, NFNL_MSG_BATCH_END);
    return nl->failed ? ja_error_nomem(err) : 0;
}

int ja_native_nft(int argc, char *const *argv, struct ja_hostverb_io *io, struct ja_error *err)
{
    struct ja_nl nl = {0};
    char words[256];
    if (argc != 3 || strcmp(argv[1], "-f") != 0 || strcmp(argv[2], "-") != 0)
        return JA_E_UNSUPPORTED;
    int rc = encode(io->input, &nl, err);
    int fd = rc == 0 ? ja_nl_host(NETLINK_NETFILTER) : -1;
    if (rc == 0 && fd < 0)
        rc = JA_E_UNSUPPORTED; /* let the program say what is wrong */
    if (rc == 0) {
        ja_nl_send_room(fd, nl.length);
        int failed = ja_nl_request(fd, &nl, NULL, NULL, words, sizeof words);
        const char *hint = failed == -ENOENT ? " (no such table, set or element)" : "";
        if (failed == -EMSGSIZE)
            rc = JA_E_UNSUPPORTED; /* nothing was sent */
        else if (failed < 0)
            rc = ja_error_sys(err, -failed, NULL, "cannot change the rules%s%s%s", words[0] ? ": " : "", words, hint);
    }
    ja_nl_fini(&nl);
    return rc;
}
