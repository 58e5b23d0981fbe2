/*
 * fuzz_linux.c: what a Linux host says: netlink messages, files of /proc, /sys and cgroups; and texts that our natives take in the
 * place of programs: batches of ip(8) and nft(8), config.json, seccomp profiles. The linker puts what is below between the readers
 * and the kernel (--wrap), so that nothing of this host is asked or changed.
 */
#include "fuzz.h"

#include "base/file.h"
#include "host/host.h"
#include "host/linux/native/container.h"
#include "host/linux/native/native.h"
#include "host/linux/native/netlink.h"
#include "plan/facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- in the place of the kernel ---- */

/* What is read; NULL: the host itself. */
static const char *said;
static size_t said_length;
static bool acknowledge; /* instead of answering with it */
static uint32_t last_sent;

int __real_ja_file_read(const char *path, size_t limit, char **ret_text, size_t *ret_length, struct ja_error *err);
int __wrap_ja_file_read(const char *path, size_t limit, char **ret_text, size_t *ret_length, struct ja_error *err);
int __wrap_ja_file_write(const char *path, const char *bytes, size_t length, mode_t mode, bool durable,
                         struct ja_error *err);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_ja_sys_socket_in(const char *netns, int domain, int type, int protocol);
ssize_t __wrap_sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t size);
ssize_t __wrap_recvfrom(int fd, void *bytes, size_t size, int flags, struct sockaddr *from, socklen_t *from_size);
char *__wrap_if_indextoname(unsigned index, char *name);
unsigned __wrap_if_nametoindex(const char *name);

int __wrap_ja_file_read(const char *path, size_t limit, char **ret_text, size_t *ret_length, struct ja_error *err)
{
    if (!said)
        return __real_ja_file_read(path, limit, ret_text, ret_length, err);
    if (said_length > limit)
        return ja_error_set(err, JA_E_LIMIT, NULL, "too large");
    char *text = malloc(said_length + 1);
    must(text);
    memcpy(text, said, said_length);
    text[said_length] = '\0';
    *ret_text = text;
    if (ret_length)
        *ret_length = said_length;
    return 0;
}

int __wrap_ja_file_write(JA_UNUSED const char *path, const char *bytes, size_t length, JA_UNUSED mode_t mode,
                         JA_UNUSED bool durable, JA_UNUSED struct ja_error *err)
{
    json_t *json = json_loadb(bytes, length, 0, NULL);
    must(json || length % 8 == 0); /* JSON, or a filter */
    json_decref(json);
    return 0;
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (!said)
        return __real_fopen(path, mode);
    return said_length ? fmemopen((void *)(uintptr_t)said, said_length, "r") : NULL;
}

/* What glibc calls it with large files. */
FILE *__wrap_fopen64(const char *path, const char *mode)
{
    return __wrap_fopen(path, mode);
}

DIR *__wrap_opendir(const char *path)
{
    errno = ENOENT;
    return said ? NULL : __real_opendir(path);
}

int __wrap_socket(JA_UNUSED int domain, JA_UNUSED int type, JA_UNUSED int protocol)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int __wrap_ja_sys_socket_in(JA_UNUSED const char *netns, JA_UNUSED int domain, JA_UNUSED int type,
                            JA_UNUSED int protocol)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* What is sent is well formed. */
ssize_t __wrap_sendto(JA_UNUSED int fd, const void *bytes, size_t length, JA_UNUSED int flags,
                      JA_UNUSED const struct sockaddr *to, JA_UNUSED socklen_t size)
{
    const unsigned char *at = bytes;
    for (size_t left = length; left > 0;) {
        struct nlmsghdr head;
        must(left >= sizeof head);
        memcpy(&head, at, sizeof head);
        must(head.nlmsg_len >= sizeof head && head.nlmsg_len <= left && head.nlmsg_flags & NLM_F_REQUEST);
        if (head.nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP))
            last_sent = head.nlmsg_seq;
        size_t step = NLMSG_ALIGN(head.nlmsg_len) < left ? NLMSG_ALIGN(head.nlmsg_len) : left;
        at += step;
        left -= step;
    }
    return (ssize_t)length;
}

/* Whose sequence number is not zero answers what was asked last. */
ssize_t __wrap_recvfrom(JA_UNUSED int fd, void *bytes, size_t size, JA_UNUSED int flags,
                        JA_UNUSED struct sockaddr *from, JA_UNUSED socklen_t *from_size)
{
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
    } ack = {.head = {.nlmsg_len = sizeof ack, .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = last_sent}};
    unsigned char *out = bytes;
    if (acknowledge || !said) {
        memcpy(bytes, &ack, sizeof ack);
        return (ssize_t)sizeof ack;
    }
    size_t length = said_length < size ? said_length : size;
    memcpy(bytes, said, length);
    for (size_t at = 0; at + sizeof ack.head <= length;) {
        memcpy(&ack.head, out + at, sizeof ack.head);
        if (ack.head.nlmsg_seq) {
            ack.head.nlmsg_seq = last_sent;
            memcpy(out + at, &ack.head, sizeof ack.head);
        }
        if (ack.head.nlmsg_len < sizeof ack.head || ack.head.nlmsg_len > length - at)
            break;
        at += NLMSG_ALIGN(ack.head.nlmsg_len);
    }
    said_length = 0; /* a second datagram is empty: the answer has ended */
    if (!length)
        errno = ECONNRESET;
    return length ? (ssize_t)length : -1;
}

char *__wrap_if_indextoname(unsigned index, char *name)
{
    snprintf(name, 16, "eth%u", index % 100);
    return index ? name : NULL;
}

unsigned __wrap_if_nametoindex(const char *name)
{
    return *name ? 7 : 0;
}

static void say(const char *text, size_t length, bool acknowledged)
{
    said = text;
    said_length = length;
    acknowledge = acknowledged;
}

static void be_silent(void)
{
    said = NULL;
}

/* ---- facts ---- */

struct question {
    enum ja_fact_kind kind;
    const char *name;
};

static void ask(const struct question *questions, size_t count, char *text, size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_facts facts = {0};
    if (!length)
        return;
    const struct question *question = &questions[(unsigned char)text[0] % count];
    ja_fact(&facts, question->kind, question->name);
    struct ja_fact_reader reader = ja_native_fact_reader();
    say(text + 1, length - 1, false);
    bool accepted = fuzz_accepted(reader.read(reader.context, &facts, &err), &err);
    be_silent();
    if (accepted)
        must(facts.missing == 0);
    ja_facts_fini(&facts);
}

static const struct question by_netlink[] = {
    {JA_FACT_HOSTADDR, "10.0.0.1"},  {JA_FACT_HOSTADDR, "fd00::1"},
    {JA_FACT_HOSTNETS, ""},          {JA_FACT_NEIGHBOUR, "10.0.0.1 eth0"},
    {JA_FACT_NFT, "inet ja00"},      {JA_FACT_NFT, "inet ja00 set 10.0.0.1 . tcp . 80"},
    {JA_FACT_NFTRULES, "inet ja00"}, {JA_FACT_NFTCHAIN, "inet ja00 net3_out"},
    {JA_FACT_FIREWALL, "ja00br"},    {JA_FACT_QDISC, "eth0"},
    {JA_FACT_SHAPING, ""},
};

static void netlink(char *text, size_t length)
{
    ask(by_netlink, JA_COUNT(by_netlink), text, length);
}

static const struct question in_files[] = {
    {JA_FACT_PROCESS, "/run/x.pid"},
    {JA_FACT_JAIL, "/run/crun/ja000"},
    {JA_FACT_DAEMON, "/run/x.pid\tdnsmasq"},
    {JA_FACT_USAGE, "/jailadmin-00/ja000"},
    {JA_FACT_TRAFFIC, "ja000n0"},
    {JA_FACT_SYSCTL, "net.ipv4.ip_forward"},
    {JA_FACT_LINK, "ja000n0"},
    {JA_FACT_MODULE, "nosuchmodule"},
    {JA_FACT_LISTEN, "tcp 10.0.0.1 80"},
    {JA_FACT_LISTEN, "udp * 1-65535"},
    {JA_FACT_LISTEN, "tcp fd00::1 80"},
    {JA_FACT_MOUNT, "/proc"},
    {JA_FACT_FILE, "/run/x"},
};

static void files(char *text, size_t length)
{
    ask(in_files, JA_COUNT(in_files), text, length);
}

/* The name of a fact, which planners make: whatever is in it. */
static void names(char *text, size_t length)
{
    static const enum ja_fact_kind kinds[] = {JA_FACT_LISTEN,   JA_FACT_NEIGHBOUR, JA_FACT_NFT,    JA_FACT_NFTRULES,
                                              JA_FACT_NFTCHAIN, JA_FACT_HOSTADDR,  JA_FACT_SYSCTL, JA_FACT_LINK,
                                              JA_FACT_PORTS,    JA_FACT_MODULE,    JA_FACT_CGROUP, JA_FACT_NETNS,
                                              JA_FACT_TRAFFIC,  JA_FACT_USAGE,     JA_FACT_DAEMON, JA_FACT_TOOL};
    struct ja_error err = JA_ERROR_INIT;
    struct ja_facts facts = {0};
    if (!length)
        return;
    ja_fact(&facts, kinds[(unsigned char)text[0] % JA_COUNT(kinds)], text + 1);
    struct ja_fact_reader reader = ja_native_fact_reader();
    say("", 0, true);
    fuzz_accepted(reader.read(reader.context, &facts, &err), &err);
    be_silent();
    ja_facts_fini(&facts);
}

/* ---- natives and verbs that take a text ---- */

static int call(ja_hostverb_fn *verb, const char *const *words, const char *input, size_t length, struct ja_error *err)
{
    ja_autostr struct ja_str output = {0};
    struct ja_hostverb_io io = {.input = input, .input_length = length, .output = &output};
    int argc = 0;
    while (words[argc])
        argc++;
    return verb(argc, (char *const *)(uintptr_t)words, &io, err);
}

static void batch(ja_hostverb_fn *native, const char *const *words, char *text, size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    say(text, length, true);
    int rc = call(native, words, text, length, &err);
    be_silent();
    if (rc != JA_E_UNSUPPORTED) /* declined: nothing is said */
        fuzz_accepted(rc, &err);
}

static void ip_batch(char *text, size_t length)
{
    static const char *const words[] = {"/sbin/ip", "-batch", "-", NULL};
    batch(ja_native_ip, words, text, length);
}

static void tc_batch(char *text, size_t length)
{
    static const char *const words[] = {"/sbin/tc", "-batch", "-", NULL};
    batch(ja_native_tc, words, text, length);
}

static void nft_batch(char *text, size_t length)
{
    static const char *const words[] = {"/usr/sbin/nft", "-f", "-", NULL};
    batch(ja_native_nft, words, text, length);
}

static void config(char *text, size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_container container;
    say(text, length, false);
    int rc = ja_container_read("/bundle", &container, &err);
    be_silent();
    must(rc == 0 || rc == JA_E_UNSUPPORTED || rc == JA_E_LIMIT);
    if (rc == 0) {
        must(container.argv && container.argv[0] && container.env && container.cwd && container.hostname);
        must(container.user_ns && container.net_ns && container.masked && container.read_only &&
             container.root_uid > 0);
        for (size_t i = 0; i < container.mount_count; i++)
            must(container.mounts[i].source && container.mounts[i].target && container.mounts[i].options);
    }
    ja_container_fini(&container);
}

static void seccomp(char *text, size_t length)
{
    static const char *const words[] = {"seccomp-convert", "/in", "/out", NULL};
    struct ja_error err = JA_ERROR_INIT;
    say(text, length, false);
    fuzz_accepted(call(ja_verb_seccomp_convert, words, "", 0, &err), &err);
    be_silent();
}

static void compile(char *text, size_t length)
{
    static const char *const words[] = {"seccomp-compile", "/in", "/out", NULL};
    struct ja_error err = JA_ERROR_INIT;
    say(text, length, false);
    int rc = call(ja_verb_seccomp_compile, words, "", 0, &err);
    be_silent();
    fuzz_accepted(rc, &err);
}

static void bundle(char *text, size_t length)
{
    const char *dir = fuzz_directory();
    const char *const words[] = {"bundle", dir, NULL};
    struct ja_error err = JA_ERROR_INIT;
    if (dir)
        fuzz_accepted(call(ja_verb_bundle, words, text, length, &err), &err);
}

static void init(char *text, size_t length)
{
    struct ja_error err = JA_ERROR_INIT;
    pid_t pid;
    uint64_t start;
    fuzz_fill(pid);
    fuzz_fill(start);
    say(text, length, false);
    int rc = ja_init_read("/run/x.pid", &pid, &start, &err);
    be_silent();
    if (fuzz_accepted(rc, &err))
        must(pid > 1);
    else
        must(fuzz_untouched(&pid, sizeof pid) && fuzz_untouched(&start, sizeof start));
}

const struct fuzz_parser fuzz_parsers[] = {
    {"netlink", netlink}, {"files", files},   {"names", names},     {"ip", ip_batch},
    {"nft", nft_batch},   {"config", config}, {"seccomp", seccomp}, {"compile", compile},
    {"bundle", bundle},   {"init", init},     {"tc", tc_batch},     {NULL, NULL},
};

/* ---- seeds ---- */

static void seed_messages(const struct ja_nl *nl)
{
    for (size_t i = 0; i < JA_COUNT(by_netlink); i++) {
        unsigned char bytes[2048] = {(unsigned char)i};
        struct nlmsghdr done = {.nlmsg_len = sizeof done, .nlmsg_type = NLMSG_DONE, .nlmsg_seq = 1};
        must(1 + nl->length + sizeof done <= sizeof bytes);
        memcpy(bytes + 1, nl->bytes, nl->length);
        memcpy(bytes + 1 + nl->length, &done, sizeof done);
        for (size_t at = 0; at < nl->length;) { /* answers of the kernel are numbered */
            struct nlmsghdr head;
            memcpy(&head, bytes + 1 + at, sizeof head);
            head.nlmsg_seq = 1;
            memcpy(bytes + 1 + at, &head, sizeof head);
            at += NLMSG_ALIGN(head.nlmsg_len);
        }
        fuzz_seed_bytes("netlink", bytes, 1 + nl->length + sizeof done);
    }
}

static void seed_netlink(void)
{
    struct ja_nl nl = {0};
    struct ifaddrmsg addr = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 3};
    ja_nl_message(&nl, RTM_NEWADDR, 0, &addr, sizeof addr);
    ja_nl_attr(&nl, IFA_ADDRESS, "\x0a\0\0\1", 4);
    ja_nl_attr(&nl, IFA_LOCAL, "\x0a\0\0\1", 4);
    struct rtmsg route = {.rtm_family = AF_INET, .rtm_type = RTN_LOCAL};
    ja_nl_message(&nl, RTM_NEWROUTE, 0, &route, sizeof route);
    ja_nl_u32(&nl, RTA_OIF, 3);
    struct ndmsg neighbour = {.ndm_family = AF_INET, .ndm_state = NUD_PERMANENT, .ndm_ifindex = 7};
    ja_nl_message(&nl, RTM_NEWNEIGH, 0, &neighbour, sizeof neighbour);
    ja_nl_attr(&nl, NDA_LLADDR, "\2\0\0\0\0\1", 6);
    seed_messages(&nl);
    ja_nl_reset(&nl);
    struct tcmsg queue = {.tcm_ifindex = 7, .tcm_handle = 0x10000};
    ja_nl_message(&nl, RTM_NEWQDISC, 0, &queue, sizeof queue);
    ja_nl_text(&nl, TCA_KIND, "tbf");
    struct nfgenmsg family = {.nfgen_family = 2, .version = NFNETLINK_V0};
    ja_nl_message(&nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, 0, &family, sizeof family);
    ja_nl_text(&nl, NFTA_CHAIN_TABLE, "filter");
    ja_nl_text(&nl, NFTA_CHAIN_NAME, "FORWARD");
    size_t hook = ja_nl_nest(&nl, NFTA_CHAIN_HOOK);
    ja_nl_be32(&nl, NFTA_HOOK_HOOKNUM, 2);
    ja_nl_nest_end(&nl, hook);
    ja_nl_be32(&nl, NFTA_CHAIN_POLICY, 0);
    ja_nl_message(&nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, 0, &family, sizeof family);
    ja_nl_text(&nl, NFTA_RULE_TABLE, "filter");
    ja_nl_text(&nl, NFTA_RULE_CHAIN, "net3_out");
    ja_nl_attr(&nl, NFTA_RULE_USERDATA, "\0\3db\0", 5);
    seed_messages(&nl);
    ja_nl_reset(&nl);
    struct nlmsgerr error = {.error = -22};
    ja_nl_message(&nl, NLMSG_ERROR, NLM_F_ACK_TLVS, &error, sizeof error);
    ja_nl_text(&nl, NLMSGERR_ATTR_MSG, "no such thing");
    seed_messages(&nl);
    ja_nl_fini(&nl);
}

static void seed_files(void)
{
    static const char *const texts[] = {
        "4711 123456\n",
        "{\"pid\": 4711, \"process-start-time\": 123456}",
        "usage_usec 5\ninactive_file 4096\noom_kill 1\n8:0 rbytes=1 wbytes=2 rios=3\n8:0 Read 4096\n8:0 Write 1\n",
        "nodev\tproc\n\tbtrfs\n",
        "4711 (a b) c) S 1 4711 4711 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 1 1 1\n",
        "  sl  local_address rem_address   st\n   0: 0100000A:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0"
        "        0 12345 1 0000000000000000 100 0 0 10 0\n   1: 00000000000000000000000001000000:0035 "
        "00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 999 2\n",
        "22 28 0:21 / /proc rw,nosuid shared:13 - proc proc rw\n",
    };
    for (size_t i = 0; i < JA_COUNT(texts); i++)
        for (size_t k = 0; k < JA_COUNT(in_files); k++) {
            char text[1024] = {(char)k};
            snprintf(text + 1, sizeof text - 1, "%s", texts[i]);
            fuzz_seed_bytes("files", text, strlen(text + 1) + 1);
        }
}

void fuzz_seeds(void)
{
    seed_netlink();
    seed_files();
    fuzz_seed("names", "atcp 10.0.0.1 80-90");
    fuzz_seed("names", "binet ja00 set \"eth0\" . 10.0.0.1");
    fuzz_seed(
        "ip",
        "link add ja000n0 numtxqueues 1 numrxqueues 1 type veth peer name eth0 numtxqueues 1 numrxqueues 1 address 02:00:00:00:00:01 netns /run/netns/x\n"
        "link set dev ja000n0 alias 'a b' mtu 1500 master ja00br0 up\n"
        "link add name ja00br0 address 02:00:00:00:00:01 type bridge stp_state 0 forward_delay 0\n"
        "addr add 10.66.0.2/16 dev eth0\naddr add fd00::2/64 dev eth0 nodad\n"
        "neigh replace 10.66.0.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent\n"
        "neigh flush dev eth0 to 10.66.0.1 nud permanent\nroute add default via 10.66.0.1\n");
    fuzz_seed("tc",
              "qdisc replace dev lo root handle 1: tbf rate 100000000bit burst 64000b limit 150000b\n"
              "qdisc replace dev lo parent 1:1 handle 20: netem limit 77 delay 20ms 5ms loss gemodel 1.5% 25.000000%\n"
              "qdisc replace dev lo root handle 2: netem limit 5000 delay 100ms loss random 0.5%\n"
              "qdisc replace dev lo root handle 3: pfifo limit 1000\nqdisc delete dev lo root\n"
              "qdisc add dev lo ingress\nfilter add dev lo parent ffff: protocol all prio 1 u32 match u32 0 0 action "
              "mirred egress redirect dev lo\n");
    fuzz_seed("nft", "add element bridge ja00 source4 { \"ja000n0\" . 10.66.0.2 }\n"
                     "add element inet ja00 map { tcp . 10.0.0.1 . 80 : 10.66.0.2 . 80 }\n"
                     "delete element inet ja00 macs { 02:00:00:00:00:01 . 0x000102030405060708090a0b0c0d0e0f }\n# x\n");
    fuzz_seed(
        "config",
        "{\"ociVersion\":\"1.0\",\"root\":{\"path\":\"/r\"},\"hostname\":\"h\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},"
        "\"cwd\":\"/\",\"args\":[\"/sbin/init\"],\"env\":[\"A=b\"],\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],"
        "\"effective\":[\"CAP_CHOWN\"],\"permitted\":[\"CAP_CHOWN\"]},\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":9,"
        "\"soft\":9}]},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\"]},"
        "{\"destination\":\"/d\",\"type\":\"bind\",\"source\":\"/s\",\"options\":[\"rbind\",\"ro\"]}],\"linux\":{\"namespaces\":["
        "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"cgroup\"},{\"type\":\"user\","
        "\"path\":\"/u\"},{\"type\":\"network\",\"path\":\"/n\"}],\"resources\":{},\"maskedPaths\":[\"/proc/kcore\"],"
        "\"readonlyPaths\":[\"/proc/bus\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":1879048192,\"size\":65536}]}}");
    fuzz_seed("bundle", "{\"linux\":{}}");
    fuzz_seed(
        "seccomp",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"archMap\":[{\"architecture\":"
        "\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]}],\"syscalls\":[{\"names\":[\"read\"],"
        "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":8,\"valueTwo\":0,\"op\":\"SCMP_CMP_EQ\"}],"
        "\"includes\":{\"caps\":[\"CAP_CHOWN\"],\"arches\":[\"amd64\"],\"minKernel\":\"4.8\"},\"excludes\":{}}]}");
    fuzz_seed(
        "compile",
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"architectures\":[\"SCMP_ARCH_X86_64\"],"
        "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":8,"
        "\"valueTwo\":0,\"op\":\"SCMP_CMP_EQ\"}]},{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1}]}");
    fuzz_seed("init", "4711 123456\n");
    static const char *const words[] = {"link set dev ",
                                        " numtxqueues 1 numrxqueues 1 type veth peer name ",
                                        " netns /",
                                        " alias ",
                                        " master ",
                                        "nomaster",
                                        "addrgenmode none",
                                        "neigh ",
                                        "route add ",
                                        " dev eth0",
                                        "add element inet ja00 ",
                                        "delete element bridge ja00 ",
                                        " . ",
                                        " : ",
                                        "usage_usec ",
                                        " rbytes=",
                                        "process-start-time",
                                        "SCMP_ACT_ALLOW",
                                        "SCMP_CMP_MASKED_EQ",
                                        "includes",
                                        "excludes",
                                        "errnoRet"};
    for (size_t i = 0; i < JA_COUNT(words); i++)
        fuzz_word(words[i]);
}
