/*
 * fuzz_values.c: what is written in one word or line: addresses, MACs, sizes, rates, durations, ports, names, times, words as sh(1)
 * splits them, text that is shown, sources of templates, options of host verbs.
 */
#include "fuzz.h"

#include "base/clock.h"
#include "base/sha256.h"
#include "host/freebsd/rules.h"
#include "model/model.h"
#include "net/addr.h"
#include "plan/source.h"
#include "run/option.h"
#include "run/registry.h"

static void address(char *text, JA_UNUSED size_t length)
{
    struct ja_addr addr, again, network, broadcast;
    struct ja_error err = JA_ERROR_INIT;
    char shown[JA_ADDR_TEXT];
    fuzz_fill(addr);
    if (!fuzz_accepted(ja_addr_parse(text, &addr, &err), &err)) {
        must(fuzz_untouched(&addr, sizeof addr));
        return;
    }
    must(addr.prefix >= -1 && addr.prefix <= (addr.v6 ? 128 : 32));
    ja_addr_format(&addr, true, shown);
    must(ja_addr_parse(shown, &again, &err) == 0);
    must(ja_addr_compare(&addr, &again) == 0 && addr.prefix == again.prefix && addr.v6 == again.v6);
    if (addr.prefix < 0)
        return;
    ja_addr_network(&addr, &network);
    must(ja_addr_in(&addr, &network) && ja_addr_in(&network, &addr) && ja_addr_overlap(&addr, &network));
    if (!addr.v6) {
        ja_addr_broadcast(&addr, &broadcast);
        must(ja_addr_in(&addr, &broadcast));
    }
    fuzz_fill(again);
    if (!fuzz_accepted(ja_addr_allocate(&addr, NULL, 0, &again, &err), &err))
        must(fuzz_untouched(&again, sizeof again));
    else
        must(ja_addr_in(&addr, &again) && ja_addr_usable(&addr, &again) && ja_addr_compare(&again, &addr) != 0);
}

static void mac(char *text, JA_UNUSED size_t length)
{
    uint8_t bytes[6], again[6];
    struct ja_error err = JA_ERROR_INIT;
    char shown[32];
    fuzz_fill(bytes);
    if (ja_mac_parse(text, bytes) < 0) {
        must(fuzz_untouched(bytes, sizeof bytes));
        must(!fuzz_accepted(ja_check_mac(text, &err), &err));
        return;
    }
    snprintf(shown, sizeof shown, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
             bytes[5]);
    must(ja_mac_parse(shown, again) == 0 && memcmp(bytes, again, 6) == 0);
    fuzz_accepted(ja_check_mac(text, &err), &err);
}

/* The first letter is the type. */
static void number(char *text, size_t length)
{
    static const enum ja_type types[] = {JA_T_BOOL,     JA_T_INT,   JA_T_SIZE,   JA_T_RATE,
                                         JA_T_DURATION, JA_T_CORES, JA_T_PERCENT};
    struct ja_error err = JA_ERROR_INIT;
    int64_t value, again;
    char shown[64];
    if (!length)
        return;
    enum ja_type type = types[(unsigned char)text[0] % JA_COUNT(types)];
    fuzz_fill(value);
    if (type == JA_T_BOOL)
        return;
    if (!fuzz_accepted(ja_value_parse(type, text + 1, &value, &err), &err)) {
        must(fuzz_untouched(&value, sizeof value));
        return;
    }
    ja_value_format(type, value, shown, sizeof shown);
    must(strlen(shown) < sizeof shown - 1);
    must(ja_value_parse(type, shown, &again, &err) == 0);
    must(again == value);
}

static void ports(char *text, JA_UNUSED size_t length)
{
    int first, last;
    fuzz_fill(first);
    fuzz_fill(last);
    if (ja_ports_parse(text, &first, &last) == 0)
        must(first >= 1 && first <= last && last <= 65535);
    else
        must(fuzz_untouched(&first, sizeof first) && fuzz_untouched(&last, sizeof last));
}

static void peer(char *text, JA_UNUSED size_t length)
{
    struct ja_peer peer;
    if (ja_peer_read(text, &peer) && (peer.kind == JA_PEER_NETWORK || peer.kind == JA_PEER_JAIL))
        must(ja_check_name(peer.name, NULL) == 0);
}

static void identity(char *text, JA_UNUSED size_t length)
{
    int64_t ms;
    char shown[JA_TIME_TEXT];
    fuzz_fill(ms);
    if (ja_clock_parse(text, &ms) == 0) {
        ja_clock_format(ms, shown);
        must(strcmp(text, shown) == 0);
    } else {
        must(fuzz_untouched(&ms, sizeof ms));
    }
    if (ja_uuid_valid(text))
        must(strlen(text) == JA_UUID_TEXT - 1 && fuzz_printable(text));
    if (ja_tag_valid(text))
        must(strlen(text) == 2);
    if (ja_sha256_valid(text))
        must(strlen(text) == JA_SHA256_TEXT - 1);
}

static void checks(char *text, JA_UNUSED size_t length)
{
    static int (*const all[])(const char *value, struct ja_error *err) = {
        ja_check_name, ja_check_path,     ja_check_hostname, ja_check_ifname,
        ja_check_mac,  ja_check_env_name, ja_check_snapshot,
    };
    for (size_t i = 0; i < JA_COUNT(all); i++) {
        struct ja_error err = JA_ERROR_INIT;
        if (fuzz_accepted(all[i](text, &err), &err))
            must(fuzz_printable(text));
    }
    if (ja_opt_plain_name(text))
        must(!strchr(text, '/') && strlen(text) <= 128);
}

static void words(char *text, JA_UNUSED size_t length)
{
    ja_autostrv struct ja_strv split = {0}, again = {0};
    ja_autostr struct ja_str line = {0};
    int code = ja_str_split_words(text, &split);
    must(code == 0 || code == -2);
    for (size_t i = 0; code == 0 && i < split.count; i++) {
        ja_str_add(&line, i ? " " : "");
        ja_str_add_quoted(&line, split.items[i]);
    }
    if (code == 0) {
        must(ja_str_split_words(line.text ? line.text : "", &again) == 0);
        must(ja_strv_equal(&split, &again));
    }
    ja_str_fini(&line);
    ja_strv_fini(&again);
    ja_str_add_quoted(&line, text);
    must(ja_str_split_words(line.text, &again) == 0);
    must(again.count == 1 && strcmp(again.items[0], text) == 0);
}

static void shown(char *text, size_t length)
{
    ja_autostr struct ja_str once = {0}, lines = {0};
    ja_str_add_shown(&once, text, length, false);
    ja_str_add_shown(&lines, text, length, true);
    must(fuzz_printable(once.text));
    must(!lines.text || ja_str_printable(lines.text, lines.length, true));
    must(ja_str_printable(text, length, false) ==
         (once.length == length && (!length || !memcmp(once.text, text, length))));
    must(fuzz_printable(JA_SHOW(text)));
    for (size_t size = 1; size < 12; size++) {
        char small[12];
        must(strlen(ja_str_show(small, size, text)) < size);
        must(fuzz_printable(small));
    }
}

static void source(char *text, JA_UNUSED size_t length)
{
    enum ja_source kind;
    const char *rest;
    struct ja_error err = JA_ERROR_INIT;
    fuzz_fill(kind);
    fuzz_fill(rest);
    if (fuzz_accepted(ja_source_parse(text, &kind, &rest, &err), &err))
        must(rest >= text && fuzz_printable(rest) && (!ja_source_is_path(kind) || rest[0] == '/'));
    else
        must(fuzz_untouched(&kind, sizeof kind) && fuzz_untouched(&rest, sizeof rest));
    struct ja_pkgbase_version version;
    if (ja_source_pkgbase(text, &version))
        must(version.major >= 0 && version.minor >= 0 && *version.set && fuzz_printable(version.set));
}

static void manifest(char *text, JA_UNUSED size_t length)
{
    char sum[JA_SHA256_TEXT];
    fuzz_fill(sum);
    if (ja_sha256_in_manifest(text, "base.txz", sum))
        must(ja_sha256_valid(sum));
    else
        must(fuzz_untouched(sum, sizeof sum));
}

/* Words of a host verb, a line each. */
static void options(char *text, JA_UNUSED size_t length)
{
    static char program[] = "verb";
    const char *value = NULL;
    ja_autostrv struct ja_strv list = {0};
    bool flag = false;
    const struct ja_opt table[] = {{.name = "--value", .value = &value},
                                   {.name = "--list", .list = true, .values = &list},
                                   {.name = "--flag", .flag = &flag},
                                   {.name = NULL}};
    char *argv[16] = {program};
    int argc = 1, first;
    struct ja_error err = JA_ERROR_INIT;
    for (char *rest = text, *word; argc < 15 && (word = fuzz_line(&rest)) != NULL;)
        argv[argc++] = word;
    fuzz_fill(first);
    if (!fuzz_accepted(ja_opt_read(argc, argv, table, &first, &err), &err))
        return;
    must(first >= 1 && first <= argc);
    int64_t got;
    mode_t mode;
    fuzz_fill(got);
    fuzz_fill(mode);
    if (value && fuzz_accepted(ja_opt_number("--value", value, -5, 1000000, &got, &err), &err))
        must(got >= -5 && got <= 1000000);
    else
        must(fuzz_untouched(&got, sizeof got));
    if (value && fuzz_accepted(ja_opt_mode("--value", value, &mode, &err), &err))
        must(mode <= 07777);
    else
        must(fuzz_untouched(&mode, sizeof mode));
}

/* A NAT's configuration, as ipfw(8) prints it. */
static void nat(char *text, JA_UNUSED size_t length)
{
    static char one[] = "tcp 10.66.0.2:80 8080";
    char *const items[] = {one, NULL};
    const struct ja_strv add = {.items = (char **)(uintptr_t)items, .count = 1}, none = {0};
    ja_autostrv struct ja_strv more = {0}, less = {0};
    struct ja_error err = JA_ERROR_INIT;
    int rc = ja_freebsd_nat_words(text, "vtnet0", false, &add, &none, &more, &err);
    if (rc < 0) {
        must(!fuzz_accepted(rc, &err) && err.code != JA_E_NOMEM);
        return;
    }
    ja_autostr struct ja_str config = {0};
    for (size_t i = 0; i < more.count; i++) {
        ja_str_add(&config, i ? " " : "");
        ja_str_add_quoted(&config, more.items[i]);
    }
    must(ja_freebsd_nat_has(config.text, one));
    must(ja_freebsd_nat_words(config.text, "vtnet0", false, &none, &add, &less, &err) == 0);
    must(less.count <= more.count - 1);
}

const struct fuzz_parser fuzz_parsers[] = {
    {"address", address},   {"mac", mac},         {"number", number}, {"ports", ports}, {"peer", peer},
    {"identity", identity}, {"checks", checks},   {"words", words},   {"shown", shown}, {"source", source},
    {"manifest", manifest}, {"options", options}, {"nat", nat},       {NULL, NULL},
};

void fuzz_seeds(void)
{
    static const char *const addresses[] = {
        "10.0.0.1", "10.66.0.1/16",    "0.0.0.0/0",   "255.255.255.255/32", "::/0", "fd00:2::1/64", "::1",
        "fe80::1",  "::ffff:10.0.0.1", "10.0.0.1/31", "1:2:3:4:5:6:7:8/127"};
    static const char *const numbers[] = {
        "512M", "1G", "10Mbit", "1.5", "150%", "0.5%", "30s", "100ms", "1h", "2m", "9223372036854775807",
        "-1",   "1T", "7d"};
    for (size_t i = 0; i < JA_COUNT(addresses); i++)
        fuzz_seed("address", addresses[i]);
    for (size_t i = 0; i < JA_COUNT(numbers); i++)
        for (char type = 'a'; type <= 'g'; type++) {
            char text[64];
            snprintf(text, sizeof text, "%c%s", type, numbers[i]);
            fuzz_seed("number", text);
        }
    fuzz_seed("mac", "02:00:5e:10:00:ff");
    fuzz_seed("ports", "8000-8010");
    fuzz_seed("peer", "network:lan");
    fuzz_seed("peer", "jail:web1");
    fuzz_seed("peer", "203.0.113.0/24");
    fuzz_seed("identity", "2026-11-23T23:48:24.123Z");
    fuzz_seed("identity", "dddddddd-0000-4000-8000-000000000001");
    fuzz_seed("identity", "a0");
    fuzz_seed("checks", "web-1.example.org");
    fuzz_seed("checks", "/srv/data/../x");
    fuzz_seed("words", "sh -c 'exec worker \"$0\"' \\a \"b c\"");
    fuzz_seed("shown", "\033[2J\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc0\xaf\t\nx\x7f\xc2\x85");
    static const char *const sources[] = {
        "busybox",      "debian:bookworm", "freebsd:14.1-RELEASE", "pkgbase:15.1-RELEASE/minimal-jail",
        "src:/usr/src", "dir:/srv/tree",   "tar:/srv/tree.tar",    "jail:web1@before"};
    for (size_t i = 0; i < JA_COUNT(sources); i++) {
        fuzz_seed("source", sources[i]);
        fuzz_word(sources[i]);
    }
    fuzz_seed("source", "15.1-STABLE/base-jail");
    fuzz_seed("manifest", "base-dbg.txz\t0\nbase.txz\t"
                          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\t1\tbase\t\"x\"\ton\n");
    fuzz_seed("options", "--value\n10\n--list\na\n--flag\n--list\nb\n--\nrest");
    fuzz_seed_file("nat", "data/freebsd/13.2/ipfw-nat-config");
    fuzz_seed_file("nat", "data/freebsd/15.1/ipfw-nat-config");
    fuzz_seed("nat", "if em1 same_ports reset redirect_port udp 10.0.0.1:53 53 redirect_addr 10.0.0.1 1.2.3.4");
    fuzz_word("redirect_port");
    fuzz_word("base.txz\t");
    fuzz_word("--value");
}
