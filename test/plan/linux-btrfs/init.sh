# register the instance, with numbers of its own
/usr/sbin/jailadmin host instance-register 00 <<'END'
{
 "os": "linux",
 "storage": "btrfs",
 "loop": true,
 "idmap": true,
 "slots": 4096,
 "uid_base": 1879048192,
 "shared_base": 0,
 "unit_base": 10000,
 "rule_base": 20000,
 "set": 1,
 "nat_base": 20000,
 "ruleset_base": 1000,
 "tag": "00",
 "uuid": "dddddddd-0000-4000-8000-000000000001",
 "epoch": "",
 "run": "/run/jailadmin-00",
 "pool": "/var/db/jailadmin/pool",
 "source": "/var/db/jailadmin/pool.img",
 "state": "/var/db/jailadmin"
}
END
# make the state directory and the store
/usr/sbin/jailadmin host store-create --state /var/db/jailadmin <<'END'
{
 "os": "linux",
 "storage": "btrfs",
 "loop": true,
 "idmap": true,
 "slots": 4096,
 "uid_base": 1879048192,
 "shared_base": 0,
 "unit_base": 10000,
 "rule_base": 20000,
 "set": 1,
 "nat_base": 20000,
 "ruleset_base": 1000,
 "tag": "00",
 "uuid": "dddddddd-0000-4000-8000-000000000001",
 "epoch": "",
 "run": "/run/jailadmin-00",
 "pool": "/var/db/jailadmin/pool",
 "source": "/var/db/jailadmin/pool.img"
}
END
# make the runtime directories
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00/jails
/usr/sbin/jailadmin host mkdir --mode 0711 /run/jailadmin-00/dns
/usr/sbin/jailadmin host mkdir --mode 0700 /run/jailadmin-00/crun
# make the pool's file, 8192 MiB, sparse
/usr/sbin/jailadmin host truncate 8589934592 /var/db/jailadmin/pool.img
# make a btrfs file system in it
/usr/sbin/mkfs.btrfs -q -L jailadmin-00 /var/db/jailadmin/pool.img
# make the pool's mount point
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool
# mount the pool, with nothing in it trusted by the host
/usr/bin/mount -t btrfs -o loop,nosuid,nodev,noatime,user_subvol_rm_allowed /var/db/jailadmin/pool.img /var/db/jailadmin/pool
# make the pool's directories
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/templates
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/jails
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/deleted
# make the directory of what `adopt` needs
/usr/sbin/jailadmin host mkdir --mode 0700 /var/db/jailadmin/pool/instance
# note which instance the pool belongs to
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/instance/site.json <<'END'
{
 "os": "linux",
 "storage": "btrfs",
 "loop": true,
 "idmap": true,
 "slots": 4096,
 "uid_base": 1879048192,
 "shared_base": 0,
 "unit_base": 10000,
 "rule_base": 20000,
 "set": 1,
 "nat_base": 20000,
 "ruleset_base": 1000,
 "tag": "00",
 "uuid": "dddddddd-0000-4000-8000-000000000001",
 "epoch": "",
 "run": "/run/jailadmin-00",
 "pool": "/var/db/jailadmin/pool",
 "source": "/var/db/jailadmin/pool.img"
}
END
# convert the seccomp profile of jails
/usr/sbin/jailadmin host seccomp-convert /usr/share/containers/seccomp.json /var/db/jailadmin/seccomp.json
# compile it once for all jails
/usr/sbin/jailadmin host seccomp-compile /var/db/jailadmin/seccomp.json /var/db/jailadmin/seccomp.bpf
# let the host forward IPv4
/usr/sbin/jailadmin host setting acquire 00 net.ipv4.ip_forward 1
# make the rules that keep networks apart
/usr/sbin/nft -f - <<'END'
create table inet ja00
table inet ja00 {
	# bridges; bridges by how they reach the world (by any interface that is no bridge of ours with NAT, by one
	# of them with NAT, without NAT); pairs of a bridge and itself, where jails may reach each other
	set nets { type ifname; }
	set auto { type ifname; }
	set via { type ifname . ifname; }
	set routed { type ifname; }
	set own { type ifname . ifname; }
	# a bridge and its gateway address
	set gateway4 { type ifname . ipv4_addr; }
	set gateway6 { type ifname . ipv6_addr; }
	# bridges whose gateway gives out addresses
	set dhcp { type ifname; }
	# pairs of a bridge and itself, where jails may not reach each other
	set alone { type ifname . ifname; }
	# bridges with rules of their own: what their jails begin that is routed, what they begin to the host, what
	# others begin to them
	map rules_out { type ifname : verdict; }
	map rules_host { type ifname : verdict; }
	map rules_in { type ifname : verdict; }
	# ports of the host that lead to jails: of all its addresses, of one
	map forward4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
	map forward6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
	map forward4at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
	map forward6at { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }

	# at once, not after a time; a reset is never left out for there being too many
	chain deny {
		meta l4proto tcp reject with tcp reset
		reject with icmpx type admin-prohibited
	}
	chain metadata {
		# what clouds tell a machine about itself is not for its jails, whatever rules say
		ip daddr 169.254.169.254 goto deny
		ip6 daddr fd00:ec2::254 goto deny
	}
	# by the rules of one network; those of the other may still deny it
	chain allowed {
		oifname vmap @rules_in
		accept
	}
	chain to_gateway {
		icmp type echo-request accept
		icmpv6 type echo-request accept
		meta l4proto { tcp, udp } th dport 53 accept
	}
	chain input {
		type filter hook input priority filter; policy accept;
		iifname != @nets accept
		ct state established,related accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld2-listener-report } accept
		iifname @dhcp udp dport 67 accept
		iifname @dhcp icmpv6 type nd-router-solicit accept
		jump metadata
		iifname vmap @rules_host
		iifname . ip daddr @gateway4 jump to_gateway
		iifname . ip6 daddr @gateway6 jump to_gateway
		goto deny
	}
	chain from_jail {
		oifname != @nets iifname @auto accept
		oifname != @nets iifname @routed accept
		iifname . oifname @via accept
		goto deny
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname != @nets oifname != @nets accept
		# bridged frames come by here when br_netfilter is loaded
		iifname . oifname @own accept
		ct state vmap { established : accept, related : accept, invalid : drop }
		iifname . oifname @alone goto deny
		iifname @nets jump metadata
		iifname vmap @rules_out
		oifname vmap @rules_in
		# somebody's port forward, ours or the administrator's
		ct status dnat accept
		iifname @nets goto from_jail
		oifname @routed accept
		drop
	}
	chain forwards {
		# the host's loopback addresses are its own affair: a jail could not answer them
		ip daddr 127.0.0.0/8 return
		ip6 daddr ::1 return
		dnat ip to ip daddr . meta l4proto . th dport map @forward4at
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @forward6at
		fib daddr type != local return
		dnat ip to meta l4proto . th dport map @forward4
		dnat ip6 to meta l4proto . th dport map @forward6
	}
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		meta l4proto { tcp, udp } jump forwards
	}
	chain output {
		type nat hook output priority -100; policy accept;
		meta l4proto { tcp, udp } jump forwards
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		# forwarded back into the network that it came from: the answer must come by here too
		iifname . oifname @own ct status dnat masquerade
		meta nfproto ipv4 oifname != @nets iifname @auto masquerade
		meta nfproto ipv4 iifname . oifname @via masquerade
		ip6 saddr fc00::/7 oifname != @nets iifname @auto masquerade
		ip6 saddr fc00::/7 iifname . oifname @via masquerade
	}
}
add element inet ja00 nets { "ja00br0" }
add element inet ja00 auto { "ja00br0" }
add element inet ja00 own { "ja00br0" . "ja00br0" }
add element inet ja00 gateway4 { "ja00br0" . 10.66.0.1 }
create table bridge ja00
table bridge ja00 {
	# nics with their MAC; with the addresses that they may use, and for IPv6 also announce; nics that ask
	# our gateway for theirs; nics whose addresses others give out; nics that do not see each other; gateways, which nobody may pose as
	set nics { type ifname . ether_addr; }
	set source4 { type ifname . ipv4_addr; }
	set source6 { type ifname . ipv6_addr; }
	set target6 { typeof iifname . @th,64,128; }
	set dhcp { type ifname; }
	set any4 { type ifname; }
	set any6 { type ifname; }
	set isolated { type ifname; }
	set gateway4 { type ipv4_addr; }
	set gateway6 { type ipv6_addr; }
	set gateway_target6 { typeof @th,64,128; }

	chain from_arp {
		arp htype != 1 drop
		arp ptype != ip drop
		arp hlen != 6 drop
		arp plen != 4 drop
		iifname . arp saddr ether != @nics drop
		arp saddr ip 0.0.0.0 accept
		iifname . arp saddr ip @source4 accept
		arp saddr ip @gateway4 drop
		iifname @any4 accept
		drop
	}
	chain from_ip4 {
		# no jail gives out addresses
		udp sport 67 drop
		iifname @dhcp ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept
		iifname . ip saddr @source4 accept
		ip saddr @gateway4 drop
		iifname @any4 accept
		drop
	}
	chain from_ip6 {
		# nor routes, nor answers for the addresses of others (the target is at byte 8 of the message)
		icmpv6 type { nd-router-advert, nd-redirect } drop
		udp sport 547 drop
		ip6 saddr @gateway6 drop
		icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @target6 iifname != @any6 drop
		icmpv6 type nd-neighbor-advert @th,64,128 @gateway_target6 drop
		iifname . ip6 saddr @source6 accept
		ip6 saddr :: icmpv6 type nd-neighbor-solicit iifname . @th,64,128 @target6 accept
		ip6 saddr :: icmpv6 type { nd-router-solicit, mld-listener-report, mld2-listener-report } accept
		iifname @any6 accept
		drop
	}
	chain prerouting {
		type filter hook prerouting priority filter; policy accept;
		iifname != "ja00*" accept
		# physical members' VLANs
		iifname "ja00v*" accept
		iifname . ether saddr != @nics drop
		# all else, tagged frames too, is dropped
		ether type vmap { arp : goto from_arp, ip : goto from_ip4, ip6 : goto from_ip6 }
		drop
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname @isolated oifname @isolated drop
	}
}
add element bridge ja00 gateway4 { 10.66.0.1 }
END
# make the bridge ja00br0 of network default
/usr/sbin/ip -batch - <<'END'
link add name ja00br0 address 26:ab:25:76:9a:44 type bridge stp_state 0 forward_delay 0
link set dev ja00br0 alias "jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000001" up
addr add 10.66.0.1/16 dev ja00br0
END
# make the directory of its jails' names
/usr/sbin/jailadmin host mkdir --mode 0755 /run/jailadmin-00/dns/default.d
# set up the resolver of network default
/usr/sbin/jailadmin host write --mode 0644 /run/jailadmin-00/dns/default.conf <<'END'
# names of network default; written by jailadmin, do not edit
user=nobody
bind-interfaces
listen-address=10.66.0.1
no-hosts
hostsdir=/run/jailadmin-00/dns/default.d
domain=default.internal
local=/default.internal/
domain-needed
rev-server=10.66.0.0/16
END
# start the resolver of network default
/usr/sbin/dnsmasq --conf-file=/run/jailadmin-00/dns/default.conf --pid-file=/run/jailadmin-00/dns/default.pid
# keep the spec in the pool, for `adopt`
/usr/sbin/jailadmin host write --mode 0600 --sync /var/db/jailadmin/pool/instance/default.network.json <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "state": "ready",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.1/16"
 ]
}
END
# record the network
/usr/sbin/jailadmin host store-put --state /var/db/jailadmin network default <<'END'
{
 "name": "default",
 "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
 "state": "ready",
 "slot": 0,
 "created": "2026-01-01T00:00:00.000Z",
 "address": [
  "10.66.0.1/16"
 ]
}
END
# the instance is complete
/usr/sbin/jailadmin host store-setting --state /var/db/jailadmin ready yes

# a failure before the commit is undone by:
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/default.network.json
#   /usr/sbin/jailadmin host daemon-stop /run/jailadmin-00/dns/default.pid dnsmasq
#   /usr/sbin/jailadmin host remove /run/jailadmin-00/dns/default.conf
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/dns/default.d   if there is the path /run/jailadmin-00/dns/default.d
#   /usr/sbin/jailadmin host link-remove ja00br0 'jailadmin dddddddd-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000001'   if there is the link ja00br0
#   /usr/sbin/nft -f -   if there is the nft inet ja00
#   /usr/sbin/jailadmin host setting release 00 net.ipv4.ip_forward
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/seccomp.bpf
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/seccomp.json
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool/instance/site.json
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/instance   if there is the path /var/db/jailadmin/pool/instance
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/deleted   if there is the path /var/db/jailadmin/pool/deleted
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/jails   if there is the path /var/db/jailadmin/pool/jails
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool/templates   if there is the path /var/db/jailadmin/pool/templates
#   /usr/bin/umount /var/db/jailadmin/pool   if there is the mount /var/db/jailadmin/pool
#   /usr/sbin/jailadmin host rmdir /var/db/jailadmin/pool   if there is the path /var/db/jailadmin/pool
#   /usr/sbin/jailadmin host remove /var/db/jailadmin/pool.img   if there is the path /var/db/jailadmin/pool.img
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/crun   if there is the path /run/jailadmin-00/crun
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/dns   if there is the path /run/jailadmin-00/dns
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00/jails   if there is the path /run/jailadmin-00/jails
#   /usr/sbin/jailadmin host rmdir /run/jailadmin-00   if there is the path /run/jailadmin-00
