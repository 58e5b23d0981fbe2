/*
 * ruleset.c: the text of the instance's two nftables tables. The rules are constant: networks and nics are
 * elements of sets, so that a packet meets as many rules with one jail as with a thousand. rules.c adds the
 * elements.
 *
 * "accept" ends only our own chain: tables of others are still asked. Nothing here touches traffic that is
 * not of our bridges.
 *
 * Networks with rules of their own have chains of their own, named net<slot>_<kind> (netrules.c); maps lead there. What they allow or
 * deny is new connections: what exists has passed before.
 */
#include "host/linux/network.h"

#include <string.h>

/* Routed traffic. @TAG@ is the instance's tag. */
static const char inet_table[] =
    "table inet ja@TAG@ {\n"
    "\t# bridges; bridges by how they reach the world (by any interface that is no bridge of ours with NAT, "
    "by one\n"
    "\t# of them with NAT, without NAT); pairs of a bridge and itself, where jails may reach each other\n"
    "\tset nets { type ifname; }\n"
    "\tset auto { type ifname; }\n"
    "\tset via { type ifname . ifname; }\n"
    "\tset routed { type ifname; }\n"
    "\tset own { type ifname . ifname; }\n"
    "\t# a bridge and its gateway address\n"
    "\tset gateway4 { type ifname . ipv4_addr; }\n"
    "\tset gateway6 { type ifname . ipv6_addr; }\n"
    "\t# bridges whose gateway gives out addresses\n"
    "\tset dhcp { type ifname; }\n"
    "\t# pairs of a bridge and itself, where jails may not reach each other\n"
    "\tset alone { type ifname . ifname; }\n"
    "\t# bridges with rules of their own: what their jails begin that is routed, what they begin to the host, what\n"
    "\t# others begin to them\n"
    "\tmap rules_out { type ifname : verdict; }\n"
    "\tmap rules_host { type ifname : verdict; }\n"
    "\tmap rules_in { type ifname : verdict; }\n"
    "\t# ports of the host that lead to jails: of all its addresses, of one\n"
    "\tmap forward4 { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
    "\tmap forward6 { type inet_proto . inet_service : ipv6_addr . inet_service; }\n"
    "\tmap forward4at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n"
    "\tmap forward6at { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }\n"
    "\n"
    "\t# at once, not after a time; a reset is never left out for there being too many\n"
    "\tchain deny {\n"
    "\t\tmeta l4proto tcp reject with tcp reset\n"
    "\t\treject with icmpx type admin-prohibited\n"
    "\t}\n"
    "\tchain metadata {\n"
    "\t\t# what clouds tell a machine about itself is not for its jails, whatever rules say\n"
    "\t\tip daddr 169.254.169.254 goto deny\n"
    "\t\tip6 daddr fd00:ec2::254 goto deny\n"
    "\t}\n"
    "\t# by the rules of one network; those of the other may still deny it\n"
    "\tchain allowed {\n"
    "\t\toifname vmap @rules_in\n"
    "\t\taccept\n"
    "\t}\n"
    "\tchain to_gateway {\n"
    "\t\ticmp type echo-request accept\n"
    "\t\ticmpv6 type echo-request accept\n"
    "\t\tmeta l4proto { tcp, udp } th dport 53 accept\n"
    "\t}\n"
    "\tchain input {\n"
    "\t\ttype filter hook input priority filter; policy accept;\n"
    "\t\tiifname != @nets accept\n"
    "\t\tct state established,related accept\n"
    "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld2-listener-report } "
    "accept\n"
    "\t\tiifname @dhcp udp dport 67 accept\n"
    "\t\tiifname @dhcp icmpv6 type nd-router-solicit accept\n"
    "\t\tjump metadata\n"
    "\t\tiifname vmap @rules_host\n"
    "\t\tiifname . ip daddr @gateway4 jump to_gateway\n"
    "\t\tiifname . ip6 daddr @gateway6 jump to_gateway\n"
    "\t\tgoto deny\n"
    "\t}\n"
    "\tchain from_jail {\n"
    "\t\toifname != @nets iifname @auto accept\n"
    "\t\toifname != @nets iifname @routed accept\n"
    "\t\tiifname . oifname @via accept\n"
    "\t\tgoto deny\n"
    "\t}\n"
    "\tchain forward {\n"
    "\t\ttype filter hook forward priority filter; policy accept;\n"
    "\t\tiifname != @nets oifname != @nets accept\n"
    "\t\t# bridged frames come by here when br_netfilter is loaded\n"
    "\t\tiifname . oifname @own accept\n"
    "\t\tct state vmap { established : accept, related : accept, invalid : drop }\n"
    "\t\tiifname . oifname @alone goto deny\n"
    "\t\tiifname @nets jump metadata\n"
    "\t\tiifname vmap @rules_out\n"
    "\t\toifname vmap @rules_in\n"
    "\t\t# somebody's port forward, ours or the administrator's\n"
    "\t\tct status dnat accept\n"
    "\t\tiifname @nets goto from_jail\n"
    "\t\toifname @routed accept\n"
    "\t\tdrop\n"
    "\t}\n"
    "\tchain forwards {\n"
    "\t\t# the host's loopback addresses are its own affair: a jail could not answer them\n"
    "\t\tip daddr 127.0.0.0/8 return\n"
    "\t\tip6 daddr ::1 return\n"
    "\t\tdnat ip to ip daddr . meta l4proto . th dport map @forward4at\n"
    "\t\tdnat ip6 to ip6 daddr . meta l4proto . th dport map @forward6at\n"
    "\t\tfib daddr type != local return\n"
    "\t\tdnat ip to meta l4proto . th dport map @forward4\n"
    "\t\tdnat ip6 to meta l4proto . th dport map @forward6\n"
    "\t}\n"
    "\tchain prerouting {\n"
    "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
    "\t\tmeta l4proto { tcp, udp } jump forwards\n"
    "\t}\n"
    "\tchain output {\n"
    "\t\ttype nat hook output priority -100; policy accept;\n"
    "\t\tmeta l4proto { tcp, udp } jump forwards\n"
    "\t}\n"
    "\tchain postrouting {\n"
    "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
    "\t\t# forwarded back into the network that it came from: the answer must come by here too\n"
    "\t\tiifname . oifname @own ct status dnat masquerade\n"
    "\t\tmeta nfproto ipv4 oifname != @nets iifname @auto masquerade\n"
    "\t\tmeta nfproto ipv4 iifname . oifname @via masquerade\n"
    "\t\tip6 saddr fc00::/7 oifname != @nets iifname @auto masquerade\n"
    "\t\tip6 saddr fc00::/7 iifname . oifname @via masquerade\n"
    "\t}\n"
    "}\n";

/* Frames between jails do not meet the rules above. What a nic may send is decided here, where it enters the
 * bridge. */
static const char bridge_table[] =
    "table bridge ja@TAG@ {\n"
    "\t# nics with their MAC; with the addresses that they may use, and for IPv6 also announce; nics "
    "that ask\n"
    "\t# our gateway for theirs; nics whose addresses others give out; nics that do not see each other; gateways, which nobody may pose as\n"
    "\tset nics { type ifname . ether_addr; }\n"
    "\tset source4 { type ifname . ipv4_addr; }\n"
    "\tset source6 { type ifname . ipv6_addr; }\n"
    "\tset target6 { typeof iifname . @th,64,128; }\n"
    "\tset dhcp { type ifname; }\n"
    "\tset any4 { type ifname; }\n"
    "\tset any6 { type ifname; }\n"
    "\tset isolated { type ifname; }\n"
    "\tset gateway4 { type ipv4_addr; }\n"
    "\tset gateway6 { type ipv6_addr; }\n"
    "\tset gateway_target6 { typeof @th,64,128; }\n"
    "\n"
    "\tchain from_arp {\n"
    "\t\tarp htype != 1 drop\n"
    "\t\tarp ptype != ip drop\n"
    "\t\tarp hlen != 6 drop\n"
    "\t\tarp plen != 4 drop\n"
    "\t\tiifname . arp saddr ether != @nics drop\n"
    "\t\tarp saddr ip 0.0.0.0 accept\n"
    "\t\tiifname . arp saddr ip @source4 accept\n"
    "\t\tarp saddr ip @gateway4 drop\n"
    "\t\tiifname @any4 accept\n"
    "\t\tdrop\n"
    "\t}\n"
    "\tchain from_ip4 {\n"
    "\t\t# no jail gives out addresses\n"
    "\t\tudp sport 67 drop\n"
    "\t\tiifname @dhcp ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept\n"
    "\t\tiifname . ip saddr @source4 accept\n"
    "\t\tip saddr @gateway4 drop\n"
    "\t\tiifname @any4 accept\n"
    "\t\tdrop\n"
    "\t}\n"
    "\tchain from_ip6 {\n"
    "\t\t# nor routes, nor answers for the addresses of others (the target is at byte 8 of the message)\n"
    "\t\ticmpv6 type { nd-router-advert, nd-redirect } drop\n"
    "\t\tudp sport 547 drop\n"
    "\t\tip6 saddr @gateway6 drop\n"
    "\t\ticmpv6 type nd-neighbor-advert iifname . @th,64,128 != @target6 iifname != @any6 drop\n"
    "\t\ticmpv6 type nd-neighbor-advert @th,64,128 @gateway_target6 drop\n"
    "\t\tiifname . ip6 saddr @source6 accept\n"
    "\t\tip6 saddr :: icmpv6 type nd-neighbor-solicit iifname . @th,64,128 @target6 accept\n"
    "\t\tip6 saddr :: icmpv6 type { nd-router-solicit, mld-listener-report, mld2-listener-report } accept\n"
    "\t\tiifname @any6 accept\n"
    "\t\tdrop\n"
    "\t}\n"
    "\tchain prerouting {\n"
    "\t\ttype filter hook prerouting priority filter; policy accept;\n"
    "\t\tiifname != \"ja@TAG@*\" accept\n"
    "\t\t# physical members' VLANs\n"
    "\t\tiifname \"ja@TAG@v*\" accept\n"
    "\t\tiifname . ether saddr != @nics drop\n"
    "\t\t# all else, tagged frames too, is dropped\n"
    "\t\tether type vmap { arp : goto from_arp, ip : goto from_ip4, ip6 : goto from_ip6 }\n"
    "\t\tdrop\n"
    "\t}\n"
    "\tchain forward {\n"
    "\t\ttype filter hook forward priority filter; policy accept;\n"
    "\t\tiifname @isolated oifname @isolated drop\n"
    "\t}\n"
    "}\n";

static const char *text_of(const char *family)
{
    return strcmp(family, "bridge") == 0 ? bridge_table : inet_table;
}

/* Each chain of the text is there, and empty: not the table, since networks' chains are in it as well. */
static void empty_chains(const char *family, const char *tag, struct ja_str *text)
{
    static const char begin[] = "\n\tchain ", hook[] = " {\n\t\ttype ";
    for (const char *at = text_of(family); (at = strstr(at, begin)) != NULL;) {
        at += strlen(begin);
        int length = (int)strcspn(at, " ");
        ja_str_addf(text, "add chain %s ja%s %.*s", family, tag, length, at);
        if (ja_str_starts(at + length, hook)) {
            const char *type = at + length + strlen(hook);
            ja_str_addf(text, " { type %.*s }", (int)strcspn(type, "\n"), type);
        }
        ja_str_addf(text, "\nflush chain %s ja%s %.*s\n", family, tag, length, at);
    }
}

void ja_linux_ruleset(const char *family, const char *tag, bool again, struct ja_str *text)
{
    static const char placeholder[] = "@TAG@";
    const char *rest = text_of(family);
    if (again)
        empty_chains(family, tag, text);
    else
        ja_str_addf(text, "create table %s ja%s\n", family, tag);
    for (const char *at; (at = strstr(rest, placeholder)) != NULL; rest = at + strlen(placeholder)) {
        ja_str_addn(text, rest, (size_t)(at - rest));
        ja_str_add(text, tag);
    }
    ja_str_add(text, rest);
}

unsigned ja_linux_ruleset_rules(const char *family)
{
    unsigned count = 0;
    /* What stands two deep is a rule, a comment or a chain's hook. */
    for (const char *line = text_of(family); (line = strstr(line, "\n\t\t")) != NULL;) {
        line += 3;
        count += *line != '#' && !ja_str_starts(line, "type ");
    }
    return count;
}
