/*
 * parse_net.c: ifconfig(8) and sockstat(1), which print text.
 *
 * ifconfig escapes nothing, and the name and description of an interface that a jail gave back are the jail's. So a line
 * that begins an interface must look like one from its first to its last character, which no name of 15 bytes can bring about;
 * what follows a line that does not is nobody's. A description may still hold whole lines: the native reader (native/links.c)
 * asks the kernel instead, and this is for hosts seen through their output.
 */
#include "host/freebsd/parse.h"

#include <stdio.h>
#include <string.h>

/* ---- ifconfig ---- */

void ja_freebsd_links_fini(struct ja_freebsd_links *links)
{
    ja_map_fini(&links->descriptions);
    ja_map_fini(&links->ports);
    ja_map_fini(&links->members);
    ja_map_fini(&links->addresses);
    ja_map_fini(&links->traffic);
    ja_str_fini(&links->nets);
}

static bool all_of(const char *text, size_t length, const char *allowed)
{
    for (size_t i = 0; i < length; i++)
        if (!text[i] || !strchr(allowed, text[i]))
            return false;
    return length > 0;
}

/* "NAME: flags=8843<UP,...> metric 0 mtu 1500". */
static bool is_header(const char *line, char ret_name[16])
{
    static const char flags[] = ": flags=";
    const char *at = strstr(line, flags);
    size_t length = at ? (size_t)(at - line) : 0;
    unsigned metric, mtu;
    int end = -1;
    if (length == 0 || length > 15 || strcspn(line, " \t:") != length)
        return false;
    at += strlen(flags);
    size_t digits = strspn(at, "0123456789abcdef"), words = strcspn(at, ">");
    if (digits == 0 || at[digits] != '<' || at[words] != '>')
        return false;
    if (words > digits + 1 && !all_of(at + digits + 1, words - digits - 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_,"))
        return false;
    if (sscanf(at + words, "> metric %u mtu %u%n", &metric, &mtu, &end) != 2 || end < 0 || at[words + (size_t)end])
        return false;
    memcpy(ret_name, line, length);
    ret_name[length] = '\0';
    return true;
}

/* "0xffff0000", as 13.2 and 15.1 print it, or with IFCONFIG_FORMAT's dots. -1: no netmask. */
static int mask_length(const char *text)
{
    unsigned bits[4], mask;
    char rest;
    int length = 0;
    if (sscanf(text, "0x%8x%c", &mask, &rest) != 1) {
        if (sscanf(text, "%3u.%3u.%3u.%3u%c", &bits[0], &bits[1], &bits[2], &bits[3], &rest) != 4)
            return -1;
        mask = bits[0] << 24 | bits[1] << 16 | bits[2] << 8 | bits[3];
    }
    while (length < 32 && (mask & 0x80000000u >> length))
        length++;
    return length == 32 || (mask << length) == 0 ? length : -1;
}

/* "inet 10.0.0.1 netmask 0xff000000 ...", "inet6 fe80::1%lo0 prefixlen 64 ...", "inet 10.0.0.1/8 ...". */
static int add_address(char *line, const char *interface, struct ja_freebsd_links *links, struct ja_error *err)
{
    char *rest = line, *word = strsep(&rest, " "), *address = strsep(&rest, " ");
    struct ja_addr addr;
    bool v6 = strcmp(word, "inet6") == 0;
    int length = -1;
    char *zone = address ? strchr(address, '%') : NULL;
    if (zone) {
        char *slash = strchr(zone, '/');
        memmove(zone, slash ? slash : "", slash ? strlen(slash) + 1 : 1);
    }
    bool good = address && ja_addr_parse(address, &addr, NULL) == 0 && addr.v6 == v6;
    if (good)
        length = addr.prefix;
    while (good && length < 0 && (word = strsep(&rest, " ")) != NULL) {
        const char *value = strcmp(word, "netmask") == 0 || strcmp(word, "prefixlen") == 0 ? strsep(&rest, " ") : NULL;
        char end;
        if (value && v6 && sscanf(value, "%3d%c", &length, &end) != 1)
            break;
        if (value && !v6)
            length = mask_length(value);
    }
    if (!good || length < 0 || length > (v6 ? 128 : 32))
        return ja_error_set(err, JA_E_FAILED, NULL, "ifconfig printed an address of %s that cannot be read: %s",
                            JA_SHOW(interface), JA_SHOW(address ? address : ""));
    char text[JA_ADDR_TEXT];
    addr.prefix = length;
    ja_addr_format(&addr, false, text);
    if (!ja_map_get(&links->addresses, text) && ja_map_set(&links->addresses, text, interface) < 0)
        return ja_error_nomem(err);
    ja_addr_format(&addr, true, text);
    ja_str_addf(&links->nets, "%s %s\n", text, interface);
    return 0;
}

static int set_ports(struct ja_freebsd_links *links, const char *bridge, bool more, struct ja_error *err)
{
    const char *now = ja_map_get(&links->ports, bridge);
    char count[16];
    snprintf(count, sizeof count, "%lu", (now ? strtoul(now, NULL, 10) : 0) + (more ? 1 : 0));
    return ja_map_set(&links->ports, bridge, count) < 0 ? ja_error_nomem(err) : 0;
}

/* "member: ja1n0 flags=143<LEARNING,DISCOVER,AUTOEDGE,AUTOPTP>". */
static int add_member(const char *line, const char *bridge, struct ja_freebsd_links *links, struct ja_error *err)
{
    char member[16], flags[256] = "", key[40];
    if (sscanf(line, "member: %15s flags=%*[0-9a-f]<%255[^>]>", member, flags) < 1)
        return set_ports(links, bridge, true, err);
    snprintf(key, sizeof key, "%s %s", bridge, member);
    if (ja_map_set(&links->members, key,
                   strstr(flags, "SPAN")      ? "span"
                   : strstr(flags, "PRIVATE") ? "private"
                                              : "") < 0)
        return ja_error_nomem(err);
    return set_ports(links, bridge, true, err);
}

/* One line of what belongs to an interface, without its tab. What we do not know is not for us. */
static int add_property(char *line, const char *interface, struct ja_freebsd_links *links, struct ja_error *err)
{
    static const char description[] = "description: ";
    if (ja_str_starts(line, description))
        return ja_map_set(&links->descriptions, interface, line + strlen(description)) < 0 ? ja_error_nomem(err) : 0;
    if (ja_str_starts(line, "inet ") || ja_str_starts(line, "inet6 "))
        return add_address(line, interface, links, err);
    /* Only a bridge has this line. */
    if (ja_str_starts(line, "id ") && strstr(line, " hellotime "))
        return set_ports(links, interface, false, err);
    if (ja_str_starts(line, "member: ") && strstr(line, " flags="))
        return add_member(line, interface, links, err);
    return 0;
}

/* All text ends with a whole line; what was cut off would be taken for absent. */
static int whole(const char *text, const char *command, struct ja_error *err)
{
    size_t length = strlen(text);
    if (length == 0 || text[length - 1] == '\n')
        return 0;
    return ja_error_set(err, JA_E_FAILED, NULL, "what %s printed ends in the middle of a line", command);
}

int ja_freebsd_parse_ifconfig(char *text, struct ja_freebsd_links *links, struct ja_error *err)
{
    char interface[16] = "";
    int rc = whole(text, "ifconfig", err);
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        if (is_header(line, interface)) {
            /* Two of one name: after jails went whose interfaces were called alike. Nobody can tell them apart. */
            bool twice = ja_map_get(&links->descriptions, interface) != NULL;
            if (ja_map_set(&links->descriptions, interface, "") < 0)
                rc = ja_error_nomem(err);
            if (twice)
                interface[0] = '\0';
        } else if (*line != '\t' || strstr(line, "> metric ")) {
            interface[0] = '\0';
        } else if (interface[0]) {
            rc = add_property(line + 1, interface, links, err);
        }
    }
    return rc == 0 && links->nets.failed ? ja_error_nomem(err) : rc;
}

/* ---- ndp ---- */

/* "fd00:222::1   58:9c:fc:10:ff:8d ja00br1 permanent R", after a line of titles; links have theirs as "fe80::1%em0". */
int ja_freebsd_parse_ndp(char *text, struct ja_map *neighbours, struct ja_error *err)
{
    int rc = 0;
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        char address[80], mac[32], interface[16], expire[32];
        struct ja_addr addr;
        if (!*line || ja_str_starts(line, "Neighbor "))
            continue;
        if (sscanf(line, "%79s %31s %15s %31s", address, mac, interface, expire) != 4)
            return ja_error_set(err, JA_E_FAILED, NULL, "ndp printed what cannot be read: %s", JA_SHOW(line));
        if (strcmp(expire, "permanent") != 0 || ja_addr_parse(address, &addr, NULL) < 0)
            continue;
        ja_addr_format(&addr, false, address);
        ja_autofree char *key = ja_printf("%s %s", address, interface);
        rc = key && ja_map_set(neighbours, key, mac) == 0 ? 0 : ja_error_nomem(err);
    }
    return rc;
}

/* ---- sockstat ---- */

void ja_freebsd_listeners_fini(struct ja_freebsd_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        ja_free(listeners->items[i].who);
    ja_free(listeners->items);
    *listeners = (struct ja_freebsd_listeners){0};
}

/* "*:80", "10.0.0.1:80", "fe80::1%lo0:80", which is "[fe80::1%lo0]:80" in 15. 0: nothing that anybody can listen at, "*:*". */
static int local_address(char *text, struct ja_freebsd_listener *listener)
{
    char *colon = strrchr(text, ':'), *zone = strchr(text, '%'), *end;
    if (!colon)
        return -1;
    *colon = '\0';
    if (strcmp(colon + 1, "*") == 0)
        return 0;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (!colon[1] || *end || port == 0 || port > 65535)
        return -1;
    if (*text == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        text++;
    }
    listener->port = (unsigned)port;
    listener->any = strcmp(text, "*") == 0;
    if (zone)
        *zone = '\0';
    return listener->any || ja_addr_parse(text, &listener->address, NULL) == 0 ? 1 : -1;
}

/* "USER COMMAND PID FD PROTO LOCAL FOREIGN", read from the right: a command may hold blanks. */
static int read_row(char *line, struct ja_freebsd_listener *listener, struct ja_error *err)
{
    enum { FOREIGN, LOCAL, PROTO, FD, PID, FIELDS };
    char *field[FIELDS];
    for (int i = 0; i < FIELDS; i++) {
        size_t length = strlen(line);
        while (length && line[length - 1] == ' ')
            line[--length] = '\0';
        while (length && line[length - 1] != ' ')
            length--;
        field[i] = line + length;
        if (length)
            line[length - 1] = '\0';
        else
            line = field[i] + strlen(field[i]);
    }
    bool tcp = ja_str_starts(field[PROTO], "tcp"), udp = ja_str_starts(field[PROTO], "udp");
    if (!tcp && !udp)
        return -1;
    const char *family = field[PROTO] + 3;
    listener->tcp = tcp;
    listener->v4 = strchr(family, '4') != NULL;
    listener->v6 = strchr(family, '6') != NULL;
    int rc = local_address(field[LOCAL], listener);
    if (rc > 0 && !listener->v4 && !listener->v6)
        return -1;
    if (rc <= 0)
        return rc;
    char *command = line + strcspn(line, " ");
    command += strspn(command, " ");
    ja_autostr struct ja_str who = {0};
    if (!*command || *command == '?') {
        ja_str_add(&who, "the kernel, or a process that is not seen from here");
    } else if (!*field[PID] || field[PID][strspn(field[PID], "0123456789")]) {
        return -1;
    } else {
        size_t length = strlen(command);
        while (length && command[length - 1] == ' ')
            length--;
        ja_str_add_shown(&who, command, length, false);
        ja_str_addf(&who, " (process %s)", field[PID]);
    }
    listener->who = ja_str_take(&who);
    if (listener->who)
        return 1;
    ja_error_nomem(err);
    return JA_E_NOMEM;
}

int ja_freebsd_parse_sockstat(char *text, struct ja_freebsd_listeners *listeners, struct ja_error *err)
{
    int rc = whole(text, "sockstat", err);
    for (char *rest = text, *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        struct ja_freebsd_listener listener = {0};
        if (!*line || ja_str_starts(line, "USER "))
            continue;
        int found = read_row(line, &listener, err);
        if (found == JA_E_NOMEM)
            return found;
        if (found < 0)
            return ja_error_set(err, JA_E_FAILED, NULL, "sockstat printed a line that cannot be read: %s",
                                JA_SHOW(line));
        struct ja_freebsd_listener *items =
            found ? ja_realloc(listeners->items, (listeners->count + 1) * sizeof *items) : NULL;
        if (items) {
            listeners->items = items;
            items[listeners->count++] = listener;
        } else if (found) {
            ja_free(listener.who);
            rc = ja_error_nomem(err);
        }
    }
    return rc;
}

static bool is_loopback(const struct ja_addr *addr)
{
    static const uint8_t one[16] = {[15] = 1};
    return addr->v6 ? memcmp(addr->bytes, one, sizeof one) == 0 : addr->bytes[0] == 127;
}

const char *ja_freebsd_find_listener(const struct ja_freebsd_listeners *listeners, const char *question)
{
    char protocol[8], address[64];
    unsigned first, last;
    struct ja_addr addr = {0};
    int fields = sscanf(question, "%7s %63s %u-%u", protocol, address, &first, &last);
    bool any = fields >= 3 && strcmp(address, "*") == 0;
    if (fields < 3 || (!any && ja_addr_parse(address, &addr, NULL) < 0))
        return NULL;
    if (fields == 3)
        last = first;
    bool tcp = strcmp(protocol, "tcp") == 0;
    for (size_t i = 0; i < listeners->count; i++) {
        const struct ja_freebsd_listener *one = &listeners->items[i];
        if (one->tcp != tcp || one->port < first || one->port > last)
            continue;
        if (any ? one->any || !is_loopback(&one->address)
                : (one->any && (addr.v6 ? one->v6 : one->v4)) ||
                      (!one->any && ja_addr_compare(&one->address, &addr) == 0))
            return one->who;
    }
    return NULL;
}
