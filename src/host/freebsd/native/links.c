/*
 * links.c: the host's interfaces, as its kernel knows them.
 */
#include "host/freebsd/native/native.h"

#include <errno.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_bridgevar.h>
#include <net/if_types.h>
#include <netinet/in.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sockio.h>
#include <unistd.h>

enum { DESCRIPTION_FIRST = 256, MEMBERS_FIRST = 64, TRIES = 20 };

/* The description, which is the caller's; "" when there is none. NULL: no memory, or the interface has gone (then errno is
 * ENXIO). */
static char *description(int fd, const char *interface)
{
    struct ifreq request = {0};
    size_t size = DESCRIPTION_FIRST;
    for (int i = 0; i < TRIES; i++) {
        char *text = ja_calloc(1, size + 1);
        if (!text) {
            errno = ENOMEM;
            return NULL;
        }
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
        request.ifr_buffer.buffer = text;
        request.ifr_buffer.length = size;
        if (ioctl(fd, SIOCGIFDESCR, &request) < 0) {
            int sys = errno;
            text[0] = '\0';
            if (sys == ENOMSG) /* it has none */
                return text;
            ja_free(text);
            errno = sys;
            return NULL;
        }
        if (request.ifr_buffer.buffer == text)
            return text;
        ja_free(text); /* it did not fit, and the kernel says how long it is */
        size = request.ifr_buffer.length;
    }
    errno = ENXIO;
    return NULL;
}

/* The members of a bridge, span ports among them. */
static int note_members(const char *bridge, const struct ifbifconf *list, struct ja_freebsd_links *links)
{
    for (size_t i = 0; i < list->ifbic_len / sizeof(struct ifbreq); i++) {
        char key[2 * IFNAMSIZ + 2];
        struct ifbreq member;
        memcpy(&member, list->ifbic_buf + i * sizeof member, sizeof member);
        snprintf(key, sizeof key, "%s %.*s", bridge, IFNAMSIZ - 1, member.ifbr_ifsname);
        if (ja_map_set(&links->members, key,
                       member.ifbr_ifsflags & IFBIF_SPAN      ? "span"
                       : member.ifbr_ifsflags & IFBIF_PRIVATE ? "private"
                                                              : "") < 0) {
            errno = ENOMEM;
            return -1;
        }
    }
    return 0;
}

static int count_members(int fd, const char *bridge, struct ja_freebsd_links *links, unsigned *ret_count)
{
    struct ifdrv request = {.ifd_cmd = BRDGGIFS};
    struct ifbifconf list = {0};
    size_t room = MEMBERS_FIRST * sizeof(struct ifbreq);
    snprintf(request.ifd_name, sizeof request.ifd_name, "%s", bridge);
    request.ifd_len = sizeof list;
    request.ifd_data = &list;
    for (;;) {
        char *buffer = ja_malloc(room);
        if (!buffer) {
            errno = ENOMEM;
            return -1;
        }
        list.ifbic_len = (uint32_t)room;
        list.ifbic_buf = buffer;
        int rc = ioctl(fd, SIOCGDRVSPEC, &request);
        /* A full buffer may have been too small. */
        bool whole = rc == 0 && list.ifbic_len + sizeof(struct ifbreq) < room;
        if (whole) {
            *ret_count = list.ifbic_len / (unsigned)sizeof(struct ifbreq);
            rc = note_members(bridge, &list, links);
        }
        int sys = errno;
        ja_free(buffer);
        errno = sys;
        if (rc < 0 || whole)
            return rc;
        room *= 2;
    }
}

/* One interface. Some go while we look: they are absent. */
static int add_interface(int fd, const struct ifaddrs *item, struct ja_freebsd_links *links, struct ja_error *err)
{
    const struct if_data *more = item->ifa_data;
    bool twice = ja_map_get(&links->descriptions, item->ifa_name) != NULL;
    ja_autofree char *text = description(fd, item->ifa_name);
    unsigned count;
    char number[16];
    if (!text && errno == ENXIO)
        return 0;
    if (!text)
        return errno == ENOMEM
                   ? ja_error_nomem(err)
                   : ja_error_sys(err, errno, NULL, "cannot read the description of %s", JA_SHOW(item->ifa_name));
    /* Two of one name: nobody can tell them apart, so neither is ours. */
    if (ja_map_set(&links->descriptions, item->ifa_name, twice ? "" : text) < 0)
        return ja_error_nomem(err);
    if (more) {
        char traffic[48];
        snprintf(traffic, sizeof traffic, "%llu %llu", (unsigned long long)more->ifi_ibytes,
                 (unsigned long long)more->ifi_obytes);
        if (ja_map_set(&links->traffic, item->ifa_name, traffic) < 0)
            return ja_error_nomem(err);
    }
    if (!more || more->ifi_type != IFT_BRIDGE)
        return 0;
    if (count_members(fd, item->ifa_name, links, &count) < 0)
        return errno == ENXIO ? 0
               : errno == ENOMEM
                   ? ja_error_nomem(err)
                   : ja_error_sys(err, errno, NULL, "cannot list the members of %s", JA_SHOW(item->ifa_name));
    snprintf(number, sizeof number, "%u", count);
    return ja_map_set(&links->ports, item->ifa_name, number) < 0 ? ja_error_nomem(err) : 0;
}

static int prefix_of(const uint8_t *mask, size_t size)
{
    int length = 0;
    for (size_t i = 0; i < size * 8 && (mask[i / 8] & (0x80 >> i % 8)); i++)
        length++;
    return length;
}

/* The kernel leaves zeros at the end of a netmask out. */
static void take(void *to, size_t size, const struct sockaddr *from)
{
    memset(to, 0, size);
    memcpy(to, from, from->sa_len < size ? from->sa_len : size);
}

static int add_address(const struct ifaddrs *item, struct ja_freebsd_links *links, struct ja_error *err)
{
    struct ja_addr addr = {.v6 = item->ifa_addr->sa_family == AF_INET6};
    char text[JA_ADDR_TEXT];
    if (addr.v6) {
        struct sockaddr_in6 own, mask;
        take(&own, sizeof own, item->ifa_addr);
        take(&mask, sizeof mask, item->ifa_netmask);
        memcpy(addr.bytes, &own.sin6_addr, 16);
        addr.prefix = prefix_of((const uint8_t *)&mask.sin6_addr, 16);
        /* Inside the kernel the interface's number stands here. */
        if (addr.bytes[0] == 0xfe && (addr.bytes[1] & 0xc0) == 0x80)
            addr.bytes[2] = addr.bytes[3] = 0;
    } else {
        struct sockaddr_in own, mask;
        take(&own, sizeof own, item->ifa_addr);
        take(&mask, sizeof mask, item->ifa_netmask);
        memcpy(addr.bytes, &own.sin_addr, 4);
        addr.prefix = prefix_of((const uint8_t *)&mask.sin_addr, 4);
    }
    ja_addr_format(&addr, false, text);
    if (!ja_map_get(&links->addresses, text) && ja_map_set(&links->addresses, text, item->ifa_name) < 0)
        return ja_error_nomem(err);
    ja_addr_format(&addr, true, text);
    ja_str_addf(&links->nets, "%s %s\n", text, item->ifa_name);
    return 0;
}

/* A name with a blank or a line's end in it would pass for two in a list. */
static bool plain_name(const char *name)
{
    return name[0] && strcspn(name, " \t\r\n") == strlen(name);
}

int ja_freebsd_read_links(struct ja_freebsd_links *links, struct ja_error *err)
{
    struct ifaddrs *list = NULL;
    ja_autoclose int fd = socket(AF_LOCAL, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || getifaddrs(&list) < 0)
        return ja_error_sys(err, errno, NULL, "cannot list the host's interfaces");
    int rc = 0;
    for (const struct ifaddrs *item = list; rc == 0 && item; item = item->ifa_next) {
        if (!item->ifa_addr || !plain_name(item->ifa_name))
            continue;
        int family = item->ifa_addr->sa_family;
        if (family == AF_LINK)
            rc = add_interface(fd, item, links, err);
        else if ((family == AF_INET || family == AF_INET6) && item->ifa_netmask)
            rc = add_address(item, links, err);
    }
    freeifaddrs(list);
    return rc == 0 && links->nets.failed ? ja_error_nomem(err) : rc;
}
