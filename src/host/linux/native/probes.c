/*
 * probes.c: facts that only the kernel's own interfaces tell: addresses and rules by netlink, mounts by
 * statx, subvolumes by ioctl. Each is one question to the kernel, however many jails there are (hostnets
 * apart).
 */
#include "host/linux/facts.h"
#include "base/file.h"
#include "host/host.h"
#include "host/linux/native/native.h"
#include "host/linux/native/netlink.h"
#include "host/linux/native/nftelement.h"
#include "net/addr.h"
#include "run/zfs.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h> /* before the kernel's headers, which then leaves out what it defines */
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DUMP_TRIES 20       /* of a list that others change meanwhile */
#define SUBVOLUME_INODE 256 /* BTRFS_FIRST_FREE_OBJECTID: the root of every subvolume */

/* ---- addresses ---- */

/* Takes the interface of a local route, or of an address. */
static int take_interface(void *context, const struct nlmsghdr *message)
{
    uint32_t *interface = context;
    const void *attrs;
    size_t length, size;
    const struct ifaddrmsg *header = ja_nl_reply(message, RTM_NEWADDR, sizeof *header, NULL, NULL);
    const struct rtmsg *route = ja_nl_reply(message, RTM_NEWROUTE, sizeof *route, &attrs, &length);
    if (header) {
        *interface = header->ifa_index;
    } else if (route) {
        const void *oif = ja_nl_find(attrs, length, RTA_OIF, &size);
        if (route->rtm_type == RTN_LOCAL && oif && size == 4)
            memcpy(interface, oif, 4);
    }
    return 0;
}

/* The kernel is asked for one address, not for all. IPv6 has a question for that. IPv4 has not: there the
 * routing table entry that delivers the address locally names its interface. (That of IPv6 comes a moment
 * after the address.) */
static int probe_hostaddr(const char *address, char ret_interface[16], struct ja_error *err)
{
    struct ja_addr addr;
    uint32_t interface = 0;
    char name[IF_NAMESIZE];
    if (ja_addr_parse(address, &addr, NULL) < 0)
        return 0;
    int fd = ja_nl_host(NETLINK_ROUTE);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot open a netlink socket");
    struct ja_nl nl = {0};
    if (addr.v6) {
        struct ifaddrmsg header = {.ifa_family = AF_INET6, .ifa_prefixlen = 128};
        ja_nl_message(&nl, RTM_GETADDR, NLM_F_ACK, &header, sizeof header);
        ja_nl_attr(&nl, IFA_ADDRESS, addr.bytes, 16);
    } else {
        struct rtmsg header = {.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_flags = RTM_F_FIB_MATCH};
        ja_nl_message(&nl, RTM_GETROUTE, NLM_F_ACK, &header, sizeof header);
        ja_nl_attr(&nl, RTA_DST, addr.bytes, 4);
    }
    int rc = ja_nl_request(fd, &nl, take_interface, &interface, NULL, 0);
    ja_nl_fini(&nl);
    if (rc == -ENOMEM || rc == -EPERM || rc == -EACCES)
        return ja_error_sys(err, -rc, NULL, "cannot ask for the address %s", address);
    /* Any other errno means that there is no such address, or no route at all. */
    if (rc < 0 || !interface || !if_indextoname(interface, name))
        return 0;
    snprintf(ret_interface, 16, "%s", name);
    return 1;
}

static int take_address(void *context, const struct nlmsghdr *message)
{
    struct ja_str *lines = context;
    const void *attrs;
    char name[IF_NAMESIZE], text[JA_ADDR_TEXT];
    size_t length, size;
    const struct ifaddrmsg *header = ja_nl_reply(message, RTM_NEWADDR, sizeof *header, &attrs, &length);
    if (!header || (header->ifa_family != AF_INET && header->ifa_family != AF_INET6))
        return 0;
    /* On a link between two, IFA_ADDRESS is the other end. */
    const void *bytes = ja_nl_find(attrs, length, IFA_LOCAL, &size);
    if (!bytes)
        bytes = ja_nl_find(attrs, length, IFA_ADDRESS, &size);
    struct ja_addr addr = {.v6 = header->ifa_family == AF_INET6, .prefix = header->ifa_prefixlen};
    if (!bytes || size != (addr.v6 ? 16 : 4) || !if_indextoname(header->ifa_index, name))
        return 0;
    memcpy(addr.bytes, bytes, size);
    ja_addr_format(&addr, true, text);
    ja_str_addf(lines, "%s %s\n", text, name);
    return 0;
}

static int probe_hostnets(struct ja_str *lines, struct ja_error *err)
{
    int fd = ja_nl_host(NETLINK_ROUTE);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot open a netlink socket");
    struct ifaddrmsg header = {.ifa_family = AF_UNSPEC};
    struct ja_nl nl = {0};
    int rc;
    for (int tries = 0;; tries++) {
        ja_nl_reset(&nl);
        ja_nl_message(&nl, RTM_GETADDR, NLM_F_DUMP, &header, sizeof header);
        rc = ja_nl_request(fd, &nl, take_address, lines, NULL, 0);
        if (rc != -EINTR || tries == DUMP_TRIES)
            break;
        ja_str_fini(lines);
    }
    ja_nl_fini(&nl);
    return rc < 0 ? ja_error_sys(err, -rc, NULL, "cannot list the host's addresses") : 1;
}

static int take_forwarding(void *context, const struct nlmsghdr *message)
{
    const void *attrs;
    size_t length, size;
    if (!ja_nl_reply(message, RTM_NEWNETCONF, sizeof(struct netconfmsg), &attrs, &length))
        return 0;
    const void *value = ja_nl_find(attrs, length, NETCONFA_FORWARDING, &size);
    if (value && size == sizeof(int))
        memcpy(context, value, size);
    return 0;
}

/* IPv6 may be missing: then its file is, too. */
static int probe_forwards(bool v6, bool *ret_on, struct ja_error *err)
{
    struct netconfmsg header = {.ncm_family = v6 ? AF_INET6 : AF_INET};
    int value = -1, fd = ja_nl_host(NETLINK_ROUTE);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot open a netlink socket");
    struct ja_nl nl = {0};
    ja_nl_message(&nl, RTM_GETNETCONF, NLM_F_ACK, &header, sizeof header);
    ja_nl_u32(&nl, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
    int rc = ja_nl_request(fd, &nl, take_forwarding, &value, NULL, 0);
    ja_nl_fini(&nl);
    if (rc == -ENOMEM)
        return ja_error_nomem(err);
    *ret_on = value > 0;
    return rc == 0 && value >= 0;
}

struct found_neighbour {
    bool permanent;
    uint8_t mac[6];
};

static int take_neighbour(void *context, const struct nlmsghdr *message)
{
    struct found_neighbour *found = context;
    const void *attrs;
    size_t length, size;
    const struct ndmsg *header = ja_nl_reply(message, RTM_NEWNEIGH, sizeof *header, &attrs, &length);
    if (!header)
        return 0;
    const void *mac = ja_nl_find(attrs, length, NDA_LLADDR, &size);
    found->permanent = header->ndm_state == NUD_PERMANENT && mac && size == sizeof found->mac;
    if (found->permanent)
        memcpy(found->mac, mac, size);
    return 0;
}

static int probe_neighbour(const char *name, char ret_mac[18], struct ja_error *err)
{
    struct ja_addr addr;
    struct found_neighbour found = {0};
    char address[JA_ADDR_TEXT], interface[IF_NAMESIZE];
    if (sscanf(name, "%63s %15s", address, interface) != 2 || ja_addr_parse(address, &addr, NULL) < 0)
        return 0;
    struct ndmsg header = {.ndm_family = addr.v6 ? AF_INET6 : AF_INET, .ndm_ifindex = (int)if_nametoindex(interface)};
    if (!header.ndm_ifindex)
        return 0;
    int fd = ja_nl_host(NETLINK_ROUTE);
    if (fd < 0)
        return ja_error_sys(err, errno, NULL, "cannot open a netlink socket");
    struct ja_nl nl = {0};
    ja_nl_message(&nl, RTM_GETNEIGH, NLM_F_ACK, &header, sizeof header);
    ja_nl_attr(&nl, NDA_DST, addr.bytes, addr.v6 ? 16 : 4);
    int rc = ja_nl_request(fd, &nl, take_neighbour, &found, NULL, 0);
    ja_nl_fini(&nl);
    if (rc == -ENOMEM)
        return ja_error_nomem(err);
    if (rc < 0 || !found.permanent)
        return 0;
    snprintf(ret_mac, 18, "%02x:%02x:%02x:%02x:%02x:%02x", found.mac[0], found.mac[1], found.mac[2], found.mac[3],
             found.mac[4], found.mac[5]);
    return 1;
}

/* ---- rules ---- */

/* A table; or an element of a set or map: FAMILY TABLE SET PART [. PART]... What is nothing else is an interface's name. */
static int probe_nft(const struct ja_strv *words, struct ja_error *err)
{
    struct ja_nft_element element = {0};
    struct nfgenmsg header = {.version = NFNETLINK_V0};
    int family = ja_nft_family(words->items[0]);
    if (family < 0 || strlen(words->items[1]) >= sizeof element.table)
        return 0;
    header.nfgen_family = element.family = (uint8_t)family;
    snprintf(element.table, sizeof element.table, "%s", words->items[1]);
    bool asks_element = words->count > 2;
    if (asks_element)
        snprintf(element.set, sizeof element.set, "%s", words->items[2]);
    for (size_t i = 3; i < words->count; i += 2)
        if (!ja_nft_add_part(&element.key, words->items[i], false) &&
            !ja_nft_add_part(&element.key, words->items[i], true))
            return 0;
    int fd = ja_nl_host(NETLINK_NETFILTER);
    if (fd < 0)
        return errno == EPROTONOSUPPORT ? 0 : ja_error_sys(err, errno, NULL, "cannot open a netlink socket");
    struct ja_nl nl = {0};
    if (asks_element) {
        ja_nft_ask_element(&nl, &element);
    } else {
        ja_nl_message(&nl, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_ACK, &header, sizeof header);
        ja_nl_text(&nl, NFTA_TABLE_NAME, element.table);
    }
    int rc = ja_nl_request(fd, &nl, NULL, NULL, NULL, 0);
    ja_nl_fini(&nl);
    /* EINVAL and EOPNOTSUPP: a kernel without this family, or without nftables. */
    if (rc == -ENOENT || rc == -EINVAL || rc == -EOPNOTSUPP || rc == -EAFNOSUPPORT || rc == -EPROTONOSUPPORT)
        return 0;
    return rc < 0 ? ja_error_sys(err, -rc, NULL, "cannot ask for nftables") : 1;
}

static int probe_nftrules(const char *name, unsigned *ret_count, struct ja_error *err)
{
    char family[8], table[64];
    if (sscanf(name, "%7s %63s", family, table) != 2 || ja_nft_family(family) < 0)
        return 0;
    int rc = ja_linux_probe_rules((uint8_t)ja_nft_family(family), table, ret_count, err);
    return rc < 0 ? rc : 1;
}

static int probe_nftchain(const char *name, struct ja_str *lines, struct ja_error *err)
{
    char family[8], table[64], chain[64];
    if (sscanf(name, "%7s %63s %63s", family, table, chain) != 3 || ja_nft_family(family) < 0)
        return 0;
    return ja_linux_probe_chain((uint8_t)ja_nft_family(family), table, chain, lines, err);
}

/* ---- file systems ---- */

static const struct {
    unsigned long magic;
    const char *type;
} fs_types[] = {
    {0x9123683EUL, "btrfs"},   {0x01021994UL, "tmpfs"}, {0x58465342UL, "xfs"},
    {0x794C7630UL, "overlay"}, {0x2FC12FC1UL, "zfs"},
};

static const char *fs_type(unsigned long magic)
{
    for (size_t i = 0; i < JA_COUNT(fs_types); i++)
        if (magic == fs_types[i].magic)
            return fs_types[i].type;
    return NULL;
}

static int probe_fstype(const char *path, char ret_type[64], struct ja_error *err)
{
    struct statfs fs;
    if (statfs(path, &fs) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : ja_file_error(err, errno, path, "read it");
    const char *type = fs_type((unsigned long)fs.f_type);
    snprintf(ret_type, 64, "%s", type ? type : "other");
    return 1;
}

static int type_from_mountinfo(const char *path, char ret_type[64], struct ja_error *err)
{
    ja_autofree char *wanted = realpath(path, NULL);
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return ja_error_sys(err, errno, NULL, "cannot read the mount table");
    char *line = NULL;
    size_t size = 0;
    int found = 0;
    while (wanted && getline(&line, &size, file) >= 0) {
        char point[4096], type[64];
        char *dash = strstr(line, " - ");
        if (!dash || sscanf(line, "%*u %*u %*s %*s %4095s", point) != 1 || sscanf(dash + 3, "%63s", type) != 1)
            continue;
        /* The last one that matches is on top. Spaces in paths are octal there; ours have none. */
        if (strcmp(point, wanted) == 0) {
            snprintf(ret_type, 64, "%s", type);
            found = 1;
        }
    }
    free(line);
    fclose(file);
    return found;
}

/* The kernel says by itself whether a path is the root of a mount, so that the long table is rarely read. */
static int probe_mount(const char *path, char ret_type[64], struct ja_error *err)
{
    struct statx info;
    struct statfs fs;
    const char *type;
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : ja_file_error(err, errno, path, "read it");
    if ((info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) && !(info.stx_attributes & STATX_ATTR_MOUNT_ROOT))
        return 0;
    if ((info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) && statfs(path, &fs) == 0 &&
        (type = fs_type((unsigned long)fs.f_type)) != NULL) {
        snprintf(ret_type, 64, "%s", type);
        return 1;
    }
    return type_from_mountinfo(path, ret_type, err);
}

static int probe_subvolume(const char *path, char ret_uuid[37], struct ja_error *err)
{
    struct btrfs_ioctl_get_subvol_info_args info;
    struct stat st;
    ja_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : ja_file_error(err, errno, path, "open it");
    if (fstat(fd, &st) < 0 || st.st_ino != SUBVOLUME_INODE)
        return 0;
    if (ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0)
        return errno == ENOTTY || errno == EINVAL ? 0 : ja_file_error(err, errno, path, "ask for its subvolume");
    char *at = ret_uuid;
    for (size_t i = 0; i < 16; i++)
        at += snprintf(at, 4, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", info.uuid[i]);
    return 1;
}

static int probe_device(const char *path, char ret_numbers[48], struct ja_error *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : ja_file_error(err, errno, path, "look at it");
    if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        return 0;
    snprintf(ret_numbers, 48, "%c %u %u", S_ISCHR(st.st_mode) ? 'c' : 'b', major(st.st_rdev), minor(st.st_rdev));
    return 1;
}

/* "/sys/fs/btrfs/UUID" of the file system that a path lies on. 1, 0: it is another one or not there, or a negative code. */
static int btrfs_dir(const char *path, char dir[128], struct ja_error *err)
{
    struct btrfs_ioctl_fs_info_args info = {0};
    char *at = dir + snprintf(dir, 128, "/sys/fs/btrfs/");
    ja_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : ja_file_error(err, errno, path, "open it");
    if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0)
        return errno == ENOTTY || errno == EINVAL ? 0 : ja_file_error(err, errno, path, "ask for its file system");
    for (size_t i = 0; i < 16; i++)
        at += snprintf(at, 4, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", info.fsid[i]);
    return 1;
}

/* Only a file system that counts has this directory (Linux 5.9 and later). */
static int probe_quota(const char *path, struct ja_error *err)
{
    char dir[128], qgroups[144];
    int rc = btrfs_dir(path, dir, err);
    snprintf(qgroups, sizeof qgroups, "%s/qgroups", rc > 0 ? dir : "");
    return rc > 0 ? access(qgroups, F_OK) == 0 : rc;
}

/* The disks below it. Rates are for whole disks: of a partition it is the one that it is a part of. */
static int probe_disks(const char *path, struct ja_str *numbers, struct ja_error *err)
{
    char dir[128], devices[144];
    int rc = btrfs_dir(path, dir, err);
    if (rc <= 0)
        return rc;
    snprintf(devices, sizeof devices, "%s/devices", dir);
    DIR *list = opendir(devices);
    for (const struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
        char file[512];
        ja_autofree char *text = NULL;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s/partition", devices, entry->d_name);
        bool part = access(file, F_OK) == 0;
        snprintf(file, sizeof file, "%s/%s/%sdev", devices, entry->d_name, part ? "../" : "");
        if (ja_file_read(file, 64, &text, NULL, NULL) < 0)
            continue;
        text[strcspn(text, "\n")] = '\0';
        if (!numbers->text || !strstr(numbers->text, text))
            ja_str_addf(numbers, "%s%s", numbers->length ? " " : "", text);
    }
    if (list)
        closedir(list);
    return numbers->length > 0;
}

/* What a subvolume refers to, shared or not, as its limit counts it: an item of the tree of quotas, where there is one. */
static int probe_used(const char *path, int64_t *ret_bytes, struct ja_error *err)
{
    struct btrfs_ioctl_get_subvol_info_args info;
    struct btrfs_ioctl_search_args search = {.key = {.tree_id = BTRFS_QUOTA_TREE_OBJECTID,
                                                     .min_type = BTRFS_QGROUP_INFO_KEY,
                                                     .max_type = BTRFS_QGROUP_INFO_KEY,
                                                     .max_transid = UINT64_MAX,
                                                     .nr_items = 1}};
    ja_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EACCES
                   ? 0
                   : ja_file_error(err, errno, path, "open it");
    if (ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0)
        return 0;
    search.key.min_offset = search.key.max_offset = info.treeid;
    /* Without quotas there is no such tree. */
    if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &search) < 0 || search.key.nr_items == 0)
        return 0;
    const struct btrfs_qgroup_info_item *item = (const void *)(search.buf + sizeof(struct btrfs_ioctl_search_header));
    uint64_t bytes;
    memcpy(&bytes, &item->rfer, sizeof bytes);
    *ret_bytes = (int64_t)le64toh(bytes);
    return 1;
}

static int probe_idmap(const char *path, struct ja_error *err)
{
    ja_autostr struct ja_str said = {0};
    struct ja_hostverb_io io = {.input = "", .output = &said};
    char *argv[] = {(char[]){"idmap-test"}, ja_strdup(path), NULL};
    if (!argv[1])
        return ja_error_nomem(err);
    int rc = ja_verb_idmap_test(2, argv, &io, err);
    ja_free(argv[1]);
    return rc < 0 ? rc : ja_str_starts(said.text ? said.text : "", "yes");
}

static struct ja_linux_probes probes = {
    .processes = ja_linux_probe_processes,
    .hostaddr = probe_hostaddr,
    .hostnets = probe_hostnets,
    .neighbour = probe_neighbour,
    .forwards = probe_forwards,
    .firewall = ja_linux_probe_firewall,
    .mount = probe_mount,
    .fstype = probe_fstype,
    .subvolume = probe_subvolume,
    .nft = probe_nft,
    .nftrules = probe_nftrules,
    .nftchain = probe_nftchain,
    .device = probe_device,
    .quota = probe_quota,
    .disks = probe_disks,
    .used = probe_used,
    .idmap = probe_idmap,
    .apt = ja_linux_probe_apt,
    .zfs = ja_zfs_facts_read,
    .version = ja_linux_probe_version,
    .health = ja_linux_probe_health,
    .shaping = ja_linux_probe_shaping,
    .qdisc = ja_linux_probe_qdisc,
    .binds = ja_linux_probe_binds,
};

struct ja_fact_reader ja_native_fact_reader(void)
{
    return (struct ja_fact_reader){.read = ja_linux_facts_read, .context = &probes};
}
