/*
 * checks.c: what single values may be: names, paths, interfaces, MACs and so on. Every refusal says what was
 * given and what is allowed.
 */
#include "model/checks.h"

#include "net/addr.h"

#include <stdio.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Texts that are 1 to `most` characters, the first out of one set and the others out of another. */
static bool made_of(const char *value, const char *first, const char *others, size_t most)
{
    size_t length = strnlen(value, most + 1);
    return length >= 1 && length <= most && strchr(first, value[0]) && strspn(value, others) == length;
}

static int refuse(const char *value, const char *what, const char *allowed, struct ja_error *err)
{
    return ja_error_set(err, JA_E_INVALID, NULL, "\"%s\" is not %s; allowed are %s", JA_SHOW(value), what, allowed);
}

int ja_check_name(const char *value, struct ja_error *err)
{
    if (made_of(value, LOWER, LOWER DIGITS "-", 63) && value[strlen(value) - 1] != '-')
        return 0;
    return refuse(value, "a name", "a letter, then at most 62 of a-z, 0-9 and \"-\", not at the end", err);
}

int ja_check_label(const char *value, struct ja_error *err)
{
    if (made_of(value, LOWER, LOWER DIGITS "-", 15) && value[strlen(value) - 1] != '-')
        return 0;
    return refuse(value, "a name of an interface in a jail", "a letter, then at most 14 of a-z, 0-9 and \"-\"", err);
}

int ja_check_version(const char *value, struct ja_error *err)
{
    if (made_of(value, LOWER DIGITS, LOWER DIGITS "-_.", 63))
        return 0;
    return refuse(value, "a version", "1 to 63 of a-z, 0-9, \"-\", \"_\" and \".\", first a letter or digit", err);
}

/* "clone-" and "sealed" begin names that snapshots of ZFS have by themselves. */
int ja_check_snapshot(const char *value, struct ja_error *err)
{
    if (made_of(value, LOWER UPPER DIGITS, LOWER UPPER DIGITS "-_.", 63) && !ja_str_starts(value, "clone-") &&
        strcmp(value, "sealed") != 0)
        return 0;
    return refuse(
        value, "a name of a snapshot",
        "1 to 63 letters, digits, \"-\", \"_\" and \".\", first a letter or digit, but not \"sealed\" or what "
        "begins with \"clone-\"",
        err);
}

int ja_check_comment(const char *value, struct ja_error *err)
{
    enum { COMMENT_MOST = 200 };
    size_t length = strnlen(value, COMMENT_MOST + 1);
    if (length <= COMMENT_MOST && ja_str_printable(value, length, false))
        return 0;
    return refuse(value, "a comment", "up to 200 bytes without control characters", err);
}

int ja_check_key(const char *value, struct ja_error *err)
{
    if (made_of(value, LOWER UPPER DIGITS, LOWER UPPER DIGITS "-_./", 63))
        return 0;
    return refuse(value, "a key", "1 to 63 letters, digits, \"-\", \"_\", \".\" and \"/\", first a letter or digit",
                  err);
}

int ja_check_user(const char *value, struct ja_error *err)
{
    if (made_of(value, LOWER "_", LOWER UPPER DIGITS "-_.", 32) || made_of(value, DIGITS, DIGITS, 9))
        return 0;
    return refuse(value, "a user", "a login name or a number", err);
}

int ja_check_env_name(const char *value, struct ja_error *err)
{
    if (made_of(value, LOWER UPPER "_", LOWER UPPER DIGITS "_", 255))
        return 0;
    return refuse(value, "a name of an environment variable", "letters, digits and \"_\", first no digit", err);
}

int ja_check_allow(const char *value, struct ja_error *err)
{
    if (made_of(value, LOWER, LOWER UPPER DIGITS "._", 63))
        return 0;
    return refuse(value, "a permission", "names such as raw_sockets, mount.zfs or sys_time", err);
}

int ja_check_ifname(const char *value, struct ja_error *err)
{
    if (made_of(value, LOWER UPPER, LOWER UPPER DIGITS "-_.", 15))
        return 0;
    return refuse(value, "an interface", "a letter, then at most 14 letters, digits, \"-\", \"_\" and \".\"", err);
}

int ja_check_uplink(const char *value, struct ja_error *err)
{
    if (ja_check_ifname(value, NULL) == 0)
        return 0;
    return refuse(value, "an uplink", "auto, none and the name of an interface of the host", err);
}

/* The normal form only, so that one place has one path: paths are keys of mounts. 1024 is the smaller
 * PATH_MAX of the two systems (FreeBSD's; sys/syslimits.h). */
int ja_check_path(const char *value, struct ja_error *err)
{
    enum { PATH_MOST = 1024 };
    bool good =
        value[0] == '/' && strnlen(value, PATH_MOST) < PATH_MOST && ja_str_printable(value, strlen(value), false);
    const char *part = value;
    while (good && *part) {
        size_t length = strcspn(++part, "/");
        bool dots = (length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.');
        good = length >= 1 && length <= 255 && !dots;
        part += length;
    }
    if (good)
        return 0;
    return refuse(value, "a path", "absolute paths below 1024 bytes without \"..\", \".\", \"//\" and \"/\" at the end",
                  err);
}

int ja_check_device(const char *value, struct ja_error *err)
{
    if (ja_str_starts(value, "/dev/") && ja_check_path(value, NULL) == 0)
        return 0;
    return refuse(value, "a device", "paths below /dev, such as /dev/fuse", err);
}

static bool is_hostname(const char *value, size_t most)
{
    if (strnlen(value, most + 1) > most)
        return false;
    for (const char *part = value;;) {
        size_t length = strcspn(part, ".");
        if (length < 1 || length > 63 || strspn(part, LOWER UPPER DIGITS "-") != length || part[0] == '-' ||
            part[length - 1] == '-')
            return false;
        part += length;
        if (!*part++)
            return true;
    }
}

/* 64: what Linux can hold (HOST_NAME_MAX). */
int ja_check_hostname(const char *value, struct ja_error *err)
{
    if (is_hostname(value, 64))
        return 0;
    return refuse(value, "a host name",
                  "at most 64 letters, digits and \"-\", in parts of at most 63 with dots between", err);
}

/* 253: the longest name that DNS can carry (RFC 1035). */
int ja_check_domain(const char *value, struct ja_error *err)
{
    if (is_hostname(value, 253))
        return 0;
    return refuse(value, "a domain", "letters, digits and \"-\", in parts of at most 63 with dots between", err);
}

int ja_check_mac(const char *value, struct ja_error *err)
{
    static const uint8_t none[6] = {0};
    uint8_t mac[6];
    if (ja_mac_parse(value, mac) == 0 && !(mac[0] & 1) && memcmp(mac, none, sizeof mac) != 0)
        return 0;
    return refuse(value, "a MAC", "addresses of one interface (not multicast, not zero), such as 02:00:5e:10:00:01",
                  err);
}

int ja_check_address(const char *value, struct ja_error *err)
{
    struct ja_addr addr;
    int rc = ja_addr_parse(value, &addr, err);
    if (rc == 0 && addr.prefix >= 0)
        return refuse(value, "an address alone", "addresses without prefix length", err);
    return rc;
}

static int refuse_host(const char *value, struct ja_error *err)
{
    return refuse(value, "an address that a host can have",
                  "all but the network's own, the broadcast, multicast and loopback address", err);
}

int ja_check_nic_address(const char *value, struct ja_error *err)
{
    static const char *const words[] = {"auto", "auto6", "dhcp", "slaac"};
    struct ja_addr addr;
    for (size_t i = 0; i < JA_COUNT(words); i++)
        if (strcmp(value, words[i]) == 0)
            return 0;
    if (ja_addr_parse(value, &addr, NULL) < 0)
        return refuse(value, "an address", "auto, auto6, dhcp, slaac, and such as 10.0.0.5, 10.0.0.5/24 or fd00::5/64",
                      err);
    return ja_addr_usable(&addr, &addr) ? 0 : refuse_host(value, err);
}

int ja_check_gateway(const char *value, struct ja_error *err)
{
    struct ja_addr addr;
    int rc = ja_addr_parse(value, &addr, err);
    if (rc < 0)
        return rc;
    /* A network that has room for a jail beside its gateway, and is not half of the world. */
    int most = addr.v6 ? 127 : 31, least = addr.v6 ? 16 : 8;
    if (addr.prefix < least || addr.prefix > most)
        return ja_error_set(
            err, JA_E_INVALID, NULL,
            "\"%s\" is not a gateway with its network; allowed are prefix lengths of /%d to /%d, such as "
            "192.168.2.1/24 or fd00::1/64",
            JA_SHOW(value), least, most);
    return ja_addr_usable(&addr, &addr) ? 0 : refuse_host(value, err);
}

int ja_check_destination(const char *value, struct ja_error *err)
{
    struct ja_addr addr, network;
    if (strcmp(value, "default") == 0 || strcmp(value, "default6") == 0)
        return 0;
    if (ja_addr_parse(value, &addr, NULL) < 0)
        return refuse(value, "a destination", "default, default6, and such as 10.1.0.0/16, 10.1.0.5 or fd01::/64", err);
    ja_addr_network(&addr, &network);
    if (ja_addr_compare(&addr, &network) == 0)
        return 0;
    char text[JA_ADDR_TEXT];
    ja_addr_format(&network, true, text);
    refuse(value, "a network", "prefixes without bits after their length", err);
    return ja_error_hint(err, "did you mean \"%s\"?", text);
}

/* A port without sign or leading zeros; *ret_end is behind it. */
static bool parse_port(const char *text, int *ret_port, const char **ret_end)
{
    size_t digits = strspn(text, DIGITS);
    if (digits < 1 || digits > 5 || text[0] == '0')
        return false;
    *ret_port = atoi(text);
    *ret_end = text + digits;
    return *ret_port <= 65535;
}

int ja_ports_parse(const char *text, int *ret_first, int *ret_last)
{
    const char *end;
    int first, last;
    if (!parse_port(text, &first, &end))
        return JA_E_INVALID;
    last = first;
    if (*end == '-' && !parse_port(end + 1, &last, &end))
        return JA_E_INVALID;
    if (*end || last < first)
        return JA_E_INVALID;
    *ret_first = first;
    *ret_last = last;
    return 0;
}

int ja_check_ports(const char *value, struct ja_error *err)
{
    int first, last;
    if (ja_ports_parse(value, &first, &last) == 0)
        return 0;
    return refuse(value, "a port", "1 to 65535 and ranges such as 8000-8010", err);
}

int ja_check_os(const char *value, struct ja_error *err)
{
    if (strcmp(value, "linux") == 0 || strcmp(value, "freebsd") == 0)
        return 0;
    return refuse(value, "an operating system", "linux and freebsd", err);
}

int ja_check_cpuset(const char *value, struct ja_error *err)
{
    const char *c = value;
    do {
        int64_t first = 0, last = 0;
        size_t length = strspn(c, DIGITS);
        bool ok = length >= 1 && length <= 4;
        first = last = ok ? strtoll(c, NULL, 10) : 0;
        c += length;
        if (ok && *c == '-') {
            length = strspn(++c, DIGITS);
            ok = length >= 1 && length <= 4;
            last = ok ? strtoll(c, NULL, 10) : 0;
            c += length;
        }
        if (!ok || last < first || (*c && *c != ','))
            return refuse(value, "a list of processors", "numbers and ranges such as 0-3,5", err);
    } while (*c++ == ',');
    return 0;
}
