/*
 * verbs.c: the table of all verbs. What is written here is what help, the manual page and completion say.
 */
#include "cli/commands.h"
#include "model/model.h"

static const char *const systems[] = {"linux", "freebsd", NULL};
static const char *const shells[] = {"bash", "zsh", "fish", NULL};

const struct ja_option ja_global_options[] = {
    {"state", .metavar = "DIR", .word = JA_WORD_DIR,
     .doc = "The state directory of the instance to work with; " JA_STATE_DEFAULT " unless given"},
    {"os", .metavar = "SYSTEM", .word = JA_WORD_CHOICE, .choices = systems,
     .doc = "Plan for linux or freebsd; the other system than this one only with --dry-run"},
    {"facts", .metavar = "FILE", .word = JA_WORD_FILE,
     .doc = "Plan for the host that this file describes, not for this one; implies --dry-run"},
    {"dry-run", 'n', .doc = "Print the commands as a shell script and change nothing"},
    {"json", .doc = "Print JSON, errors too"},
    {"jobs", 'j', .metavar = "N",
     .doc =
         "Work on up to N jails at the same time. Unless given, for each processor: one to start or boot, eight to stop gently, "
         "else four on btrfs, one on ZFS"},
    {"yes", 'y', .doc = "Do not ask; the answer is yes"},
    {"quiet", 'q', .doc = "Print nothing on success but what was asked for"},
    {"verbose", 'v', .doc = "Say what is done, step by step; twice: also what commands print"},
    {"keep", .doc = "When a step fails, leave what was done until then, for debugging"},
    {"no-native", .doc = "Start a process for every step, also where a system call would do"},
    {"help", 'h', .doc = "Print help, of a verb when one is given"},
    {"version", 'V', .doc = "Print the version"},
    {0},
};

const char *ja_verb_group_title(enum ja_verb_group group)
{
    static const char *const titles[JA_GROUP_COUNT] = {
        [JA_GROUP_INSTANCE] = "The instance", [JA_GROUP_TEMPLATE] = "Templates",
        [JA_GROUP_NETWORK] = "Networks",      [JA_GROUP_JAIL] = "Jails",
        [JA_GROUP_SNAPSHOT] = "Snapshots",    [JA_GROUP_BE] = "Boot environments and upgrades",
        [JA_GROUP_INSIDE] = "Inside jails",   [JA_GROUP_UPKEEP] = "Upkeep",
        [JA_GROUP_OTHER] = "Other",
    };
    return titles[group];
}

/* clang-format off: it takes these for blocks. */
/* Options that several verbs share. */
#define OPTION_ALL                                                                                                     \
    {                                                                                                                  \
        "all", 'a', .doc = "All jails"                                                                                 \
    }
#define OPTION_START(how)                                                                                              \
    {                                                                                                                  \
        "start", .doc = how                                                                                            \
    }
#define OPTION_SET(table, what)                                                                                        \
    {                                                                                                                  \
        "set", .metavar = "KEY=VALUE", .repeatable = true, .word = JA_WORD_FIELD, .noun = &(table),                    \
               .doc = "Set any field of the " what                                                                     \
    }
#define OPTION_LABEL(table)                                                                                            \
    {                                                                                                                  \
        "label", 'l', .metavar = "KEY=VALUE", .repeatable = true, .noun = &(table), .field = "labels",                 \
                      .doc = "Give it a label, to find it by"                                                          \
    }
/* An option for each part of a jail. */
#define OPTION_PART(option, letter, what, list, text)                                                                  \
    {                                                                                                                  \
        option, letter, .metavar = what, .repeatable = true, .word = JA_WORD_FIELD, .noun = &ja_noun_jail,             \
                        .field = list, .doc = text                                                                     \
    }
#define OPTIONS_JAIL                                                                                                   \
    OPTION_PART("nic", 0, "NAME,KEY=VALUE,...", "nics", "Give it a network interface"),                                \
        OPTION_PART("route", 0, "DESTINATION,via=ADDRESS", "routes", "Give it a route"),                               \
        OPTION_PART("forward", 0, "NAME,KEY=VALUE,...", "forwards", "Forward a port of the host to it"),               \
        OPTION_PART("mount", 0, "TARGET,KEY=VALUE,...", "mounts", "Mount something in it"),                            \
        OPTION_PART("volume", 0, "NAME,KEY=VALUE,...", "volumes", "Give it a volume, which outlives a rollback"),      \
        OPTION_PART("service", 0, "NAME,KEY=VALUE,...", "services", "Run a command as its service"),                   \
        OPTION_PART("limit", 0, "KEY=VALUE", "limits", "Set a limit"),                                                 \
        OPTION_PART("env", 'e', "KEY=VALUE", "env", "Set an environment variable"), OPTION_LABEL(ja_noun_jail),        \
        OPTION_SET(ja_noun_jail, "jail")
/* clang-format on */

static const struct ja_option init_options[] = {
    {"storage", .metavar = "KIND:WHERE",
     .doc = "Where trees live: file:SIZE (btrfs in a file), btrfs:DIR or zfs:DATASET; file:8G unless given"},
    {"network", .metavar = "ADDRESS/LENGTH",
     .doc = "The gateway address of the network named default, or none for no network; 10.66.0.1/16 unless given"},
    {"adopt", .doc = "Make the instance around a pool that is there; --storage file:PATH or btrfs:DIR names it"},
    {"slots", .metavar = "N", .doc = "How many jails there can be at most; 4096 unless given"},
    {0},
};
static const struct ja_option teardown_options[] = {
    {"force", 'f', .doc = "Also when there are jails: they are stopped and destroyed with their data"},
    {0},
};
static const struct ja_option template_create_options[] = {
    {"from", .metavar = "SOURCE",
     .doc = "What it is made from: busybox, debian:SUITE, freebsd:VERSION, pkgbase:VERSION, src:DIR, dir:PATH, "
            "tar:FILE or jail:NAME[@SNAPSHOT]"},
    {"pkg", .metavar = "PACKAGE", .repeatable = true,
     .doc = "Install a package in it, with apt-get, apk, dnf or pkg, whichever it has"},
    {"run", .metavar = "COMMAND", .repeatable = true, .doc = "Run a shell command in it"},
    {"script", .metavar = "FILE", .repeatable = true, .word = JA_WORD_FILE, .doc = "Run a script of the host in it"},
    {"network", .metavar = "NETWORK", .word = JA_WORD_NETWORK,
     .doc = "The network that packages and commands have, or none; the one named default unless given"},
    {"env", 'e', .metavar = "KEY=VALUE", .repeatable = true,
     .doc = "Set an environment variable for packages and commands"},
    OPTION_PART("mount", 0, "TARGET,KEY=VALUE,...", "mounts", "Mount something in it for packages and commands"),
    {"mirror", .metavar = "URL",
     .doc =
         "Fetch Debian or FreeBSD from there; unless given, from where this host's apt does, from "
         "https://download.freebsd.org or https://pkg.freebsd.org. For FreeBSD also a directory that holds base.txz, or "
         "that file; or one that is a repository of packages of the base system"},
    {"sha256", .metavar = "SUM",
     .doc = "The SHA-256 that the archive must have; it is verified before anything is unpacked"},
    OPTION_LABEL(ja_noun_template),
    {0},
};
static const struct ja_option network_create_options[] = {
    {"address", .metavar = "ADDRESS/LENGTH", .repeatable = true, .noun = &ja_noun_network, .field = "address",
     .doc = "The gateway's address in it, IPv4 or IPv6"},
    {"nat", .metavar = "auto|none|IFACE", .noun = &ja_noun_network, .field = "nat",
     .doc = "Translate addresses to those of this uplink"},
    {"member", .metavar = "IFACE", .repeatable = true, .noun = &ja_noun_network, .field = "members",
     .doc = "Make an interface of the host part of it"},
    {"vlan", .metavar = "N", .noun = &ja_noun_network, .field = "vlan",
     .doc = "Tag its packets on these interfaces with that VLAN, 1 to 4094"},
    {"isolate", .noun = &ja_noun_network, .field = "isolate", .doc = "Its jails do not reach each other"},
    {"rule", .metavar = "NAME,KEY=VALUE,...", .repeatable = true, .word = JA_WORD_FIELD, .noun = &ja_noun_network,
     .field = "rules", .doc = "Let its jails connect, or be connected to, beyond the default, or less"},
    {"dhcp", .noun = &ja_noun_network, .field = "dhcp", .doc = "Its gateway gives out addresses to jails that ask"},
    OPTION_LABEL(ja_noun_network),
    OPTION_SET(ja_noun_network, "network"),
    {0},
};
static const struct ja_option create_options[] = {
    {"template", 't', .metavar = "TEMPLATE[@VERSION]", .word = JA_WORD_TEMPLATE,
     .doc = "The template it is cloned from"},
    OPTION_START("Start the jail too: one that does not start is not made"),
    OPTIONS_JAIL,
    {0},
};
static const struct ja_option clone_options[] = {OPTION_START("Start the jail afterwards"), OPTIONS_JAIL, {0}};
static const struct ja_option all_options[] = {OPTION_ALL, {0}};
static const struct ja_option stop_options[] = {
    OPTION_ALL,
    {"force", 'f', .doc = "Do not wait for a graceful end"},
    {0},
};
static const char *const sort_words[] = {"name", "cpu", "memory", "processes", "disk", "io", "network", NULL};
static const struct ja_option list_options[] = {
    {"long", 'l', .doc = "With processor, memory, processes and disk space that they use, against their limits"},
    {0},
};
static const struct ja_option top_options[] = {
    {"batch", 'b', .doc = "Print a table and end, as where standard output is no terminal"},
    {"count", 'n', .metavar = "N", .doc = "Print N times, or end after N times"},
    {"delay", 'd', .metavar = "SECONDS", .doc = "Look again after so long; 2 unless given"},
    {"sort", .metavar = "COLUMN", .word = JA_WORD_CHOICE, .choices = sort_words,
     .doc = "The first ones are those with the most of this, or by name; cpu unless given"},
    {0},
};
static const struct ja_option delete_options[] = {
    OPTION_ALL,
    {"force", 'f', .doc = "Also when it runs: it is stopped first"},
    {0},
};
static const struct ja_option snapshot_create_options[] = {
    OPTION_ALL,
    {"comment", 'm', .metavar = "TEXT", .noun = &ja_noun_snapshot, .field = "comment", .doc = "Say what it is for"},
    {0},
};
static const struct ja_option rollback_options[] = {
    {"volume", .metavar = "VOLUME", .repeatable = true, .doc = "Roll this volume back too"},
    {"volumes", .doc = "Roll back all volumes that the snapshot holds"},
    {"restart", .doc = "Stop the jail when it runs, and start it again afterwards"},
    {0},
};
static const struct ja_option be_create_options[] = {
    {"from", .metavar = "BE|@SNAPSHOT", .word = JA_WORD_BE_FROM,
     .doc = "What it is a copy of; the active boot environment unless given"},
    {0},
};
static const struct ja_option be_activate_options[] = {
    {"restart", .doc = "When the jail runs on another one, stop it and start it again"},
    {0},
};
static const struct ja_option be_mount_options[] = {
    {"read-only", 'r', .doc = "Nothing in it can be changed there"},
    {0},
};
static const struct ja_option upgrade_options[] = {
    {"health", .metavar = "COMMAND",
     .doc = "Afterwards this shell command in the jail must succeed; it is tried every second until --timeout"},
    {"timeout", .metavar = "TIME", .doc = "How long the health command may go on failing; 60s unless given"},
    {"be", .metavar = "NAME", .doc = "The name of the new boot environment; upgrade- and the time in UTC unless given"},
    {"keep-failed", .doc = "When it fails, keep the new boot environment, to look into it"},
    {0},
};
static const struct ja_option shape_options[] = {
    {"clear", .doc = "Shape it no more: the nic that is named, or all of them"},
    {"measure", .doc = "Send packets between the host and the jail, and print what is asked for and what was seen"},
    {"time", .metavar = "TIME", .doc = "How long --measure takes for each nic; 4s unless given"},
    {0},
};
static const struct ja_option exec_options[] = {
    {"tty", 't', .doc = "Give the command a terminal of its own, also when ours is none"},
    {"no-tty", 'T', .doc = "Give it none, even when standard input and output are a terminal"},
    {"user", 'u', .metavar = "USER", .doc = "Run it as this user of the jail, a name or UID[:GID]"},
    {"workdir", 'w', .metavar = "DIR", .doc = "Run it in this directory of the jail"},
    {"env", 'e', .metavar = "KEY=VALUE", .repeatable = true, .doc = "Set an environment variable for it"},
    {0},
};
static const struct ja_option console_options[] = {
    {"user", 'u', .metavar = "USER", .doc = "Log in as this user of the jail, a name or UID[:GID]; root unless given"},
    {0},
};
static const struct ja_option logs_options[] = {
    {"follow", 'f', .doc = "Go on printing what is added, until Ctrl-C"},
    {"lines", 'n', .metavar = "N", .doc = "Begin with the last N lines only"},
    {0},
};
static const struct ja_option cp_options[] = {
    {"preserve", 'p', .doc = "Keep owners, permissions and times"},
    {0},
};
static const struct ja_option events_options[] = {
    {"limit", .metavar = "N", .doc = "Only the newest N; 0 for all"},
    {0},
};
static const struct ja_option doctor_options[] = {
    {"save-facts", .metavar = "FILE", .word = JA_WORD_FILE,
     .doc = "Also write what plans for this host ask, for --facts on another machine"},
    {"storage", .metavar = "STORAGE",
     .doc = "With --save-facts, where there is no instance yet: also what init with this storage asks"},
    {0},
};
static const struct ja_option adopt_options[] = {{"all", 'a', .doc = "All jails that are found"}, {0}};
static const struct ja_option restore_options[] = {
    {"force", 'f', .doc = "Replace a store that has jails"},
    {0},
};

#define CHANGES (JA_VERB_MUTATES | JA_VERB_ROOT)

const struct ja_verb ja_verbs[] = {
    {"init", JA_GROUP_INSTANCE, "", "Prepare this machine for jails",
     "Makes the state directory, the store and the place where trees live, and registers the instance with numbers of its "
     "own, so that several instances can live on one machine. Nothing else of the host is changed. A dataset of ZFS is "
     "made in a pool that exists; one that is there already must be empty, and gets a dataset named jailadmin in it.",
     "jailadmin init --storage file:20G", "Jails live in a file of 20 GB, which is mounted again after a reboot.",
     init_options, CHANGES, 0, 0, .run = ja_cmd_init},
    {"teardown", JA_GROUP_INSTANCE, "", "Undo init",
     "Removes the instance: networks, storage, store, and the settings of the host that it had changed. It refuses while "
     "there are jails.",
     "jailadmin teardown --force", "Destroys all jails and templates too, with their data.", teardown_options, CHANGES,
     0, 0, .run = ja_cmd_teardown},
    {"boot", JA_GROUP_INSTANCE, "", "Bring everything up after a reboot",
     "Mounts the storage, makes the networks and starts the jails whose boot field is yes, or last when they were running, "
     "by priority and dependencies. Plans that a crash had interrupted are finished or undone first. Run again, it changes "
     "nothing.",
     "jailadmin boot", "What the start script of the system calls.", NULL, CHANGES, 0, 0, .run = ja_cmd_boot},
    {"shutdown", JA_GROUP_INSTANCE, "", "Stop all jails before the machine goes down",
     "Stops the running jails in the opposite order of boot. They still count as wanted: those whose boot field is last "
     "come back at the next boot.",
     "jailadmin shutdown", "What the stop script of the system calls.", NULL, CHANGES, 0, 0, .run = ja_cmd_shutdown},

    {"template create", JA_GROUP_TEMPLATE, "TEMPLATE", "Make a template, or a new version of it",
     "A template is a tree that jails are cloned from. It is made from busybox, a directory, a tar archive, the packages of "
     "a Debian suite, the base system of a FreeBSD release, as one archive or as packages, built sources of FreeBSD, or the tree of a jail as it is now, "
     "without its volumes. A release is fetched over https with the server's certificate verified; its archive is compared "
     "with --sha256, or with the checksum of the package freebsd-release-manifests or of this host's installation, else a "
     "warning is given. pkgbase:VERSION, or pkgbase:VERSION/SET, installs the packages FreeBSD-set-base-jail or FreeBSD-set-SET: the "
     "host's pkg fetches them and verifies their signature by the keys in /usr/share/keys, and their scripts run in a temporary "
     "jail without a network, never on the host; a jail in which pkg is to upgrade them needs allow=chflags. src:DIR runs make "
     "in that directory, on the host. Packages, commands and scripts run in the new "
     "tree, in a temporary jail and as its root, packages first, the others in the order in which they are given; services "
     "are not started. Packages come from where the host's apt gets them, through its proxy if it has one that a jail can "
     "reach; --env http_proxy=URL names another. What must be one jail's own is taken out: machine-id, host name, resolver, "
     "SSH host keys (ssh-keygen -A makes new ones in a jail) and random seed. Device nodes of an archive are left out. A name "
     "that is in use gets a new version. When anything fails, nothing is left.",
     "jailadmin template create web --from debian:bookworm --pkg nginx-light", "A Debian system with a web server.",
     template_create_options, CHANGES, 1, 1, .run = ja_cmd_template_create},
    {"template list", JA_GROUP_TEMPLATE, "[PATTERN]...", "List templates and their versions",
     "Prints one line for each version. A pattern is a name in which * and ? stand for other characters.",
     "jailadmin template list", "All of them.", NULL, 0, 0, -1, JA_WORD_TEMPLATE, JA_WORD_TEMPLATE,
     .run = ja_cmd_template_list},
    {"template show", JA_GROUP_TEMPLATE, "TEMPLATE...", "Show all of a template",
     "Prints every field and the versions.", "jailadmin template show web", "Where it came from, and when.", NULL, 0, 1,
     -1, JA_WORD_TEMPLATE, JA_WORD_TEMPLATE, .run = ja_cmd_template_show},
    {"template rename", JA_GROUP_TEMPLATE, "TEMPLATE NEW", "Give a template another name",
     "Jails that were made from it stay what they are, and go on naming it as it was called then.",
     "jailadmin template rename web www", "web is www from now on.", NULL, CHANGES, 2, 2, JA_WORD_TEMPLATE,
     JA_WORD_NONE, .run = ja_cmd_template_rename},
    {"template delete", JA_GROUP_TEMPLATE, "TEMPLATE[@VERSION]...", "Delete templates, or versions of them",
     "Jails that were made from it go on. A tree that jails share blocks with is kept out of sight until the last of them "
     "is gone.",
     "jailadmin template delete web@1", "Deletes one version.", NULL, CHANGES, 1, -1, JA_WORD_TEMPLATE,
     JA_WORD_TEMPLATE, .run = ja_cmd_template_delete},

    {"network create", JA_GROUP_NETWORK, "NETWORK", "Make a network for jails",
     "A network is a bridge with a gateway address. Jails get addresses from its range, names that its gateway resolves, "
     "and by nat a way to the world.",
     "jailadmin network create lan --address 192.168.2.1/24 --nat auto", "A private network behind NAT.",
     network_create_options, CHANGES, 1, 1, .run = ja_cmd_network_create},
    {"network list", JA_GROUP_NETWORK, "[PATTERN]...", "List networks", "Prints one line for each network.",
     "jailadmin network list", "All of them.", NULL, 0, 0, -1, JA_WORD_NETWORK, JA_WORD_NETWORK,
     .run = ja_cmd_network_list},
    {"network show", JA_GROUP_NETWORK, "NETWORK...", "Show all of a network",
     "Prints every field, and which jails are on it.", "jailadmin network show lan", "Addresses, nat, jails.", NULL, 0,
     1, -1, JA_WORD_NETWORK, JA_WORD_NETWORK, .run = ja_cmd_network_show},
    {"network set", JA_GROUP_NETWORK, "NETWORK KEY=VALUE...", "Change fields of a network",
     "KEY=VALUE replaces a value, KEY+=VALUE adds to a list, KEY-=VALUE takes from it, and KEY= restores the default. "
     "nat, rules, isolate, dns, dhcp, domain and members change at once, also for running jails; the MTU at once for the bridge, "
     "and for jails at their next start. An address is refused while jails have one of its range, a VLAN while jails run.",
     "jailadmin network set lan nat=none", "Its jails no longer reach the world.", NULL, CHANGES, 2, -1,
     JA_WORD_NETWORK, JA_WORD_FIELD, &ja_noun_network, .run = ja_cmd_network_set},
    {"network delete", JA_GROUP_NETWORK, "NETWORK...", "Delete networks", "It refuses while jails are on it.",
     "jailadmin network delete lan", "Removes its bridge, rules and resolver.", NULL, CHANGES, 1, -1, JA_WORD_NETWORK,
     JA_WORD_NETWORK, .run = ja_cmd_network_delete},

    {"create", JA_GROUP_JAIL, "JAIL...", "Make jails from a template",
     "Each jail gets a clone of the template's tree, which takes an instant and no space, and with it a name, a slot, and "
     "addresses. Options that name a part of a jail may be given several times.",
     "jailadmin create web1 web2 --template web --limit memory=512M --start",
     "Two jails with at most 512 MB of memory each, running.", create_options, CHANGES, 1, -1, .run = ja_cmd_create},
    {"clone", JA_GROUP_JAIL, "JAIL[@SNAPSHOT] NEW...", "Make jails from another jail",
     "The new jails have a clone of its tree and volumes as they are now, whether it runs or not, or as they were in a "
     "snapshot, the jail's present fields, and names, addresses and MACs of their own. Options change what is taken over.",
     "jailadmin clone web1 web9 --start", "web9 is like web1.", clone_options, CHANGES, 2, -1, JA_WORD_JAIL,
     JA_WORD_NONE, .run = ja_cmd_clone},
    {"rename", JA_GROUP_JAIL, "JAIL NEW", "Give a jail another name",
     "The jail must be stopped. Its uuid, addresses and MACs stay; its host name follows, unless it has one of its own, and "
     "so do the jails that depend on it.",
     "jailadmin rename web1 www", "web1 is www from now on.", NULL, CHANGES, 2, 2, JA_WORD_JAIL, JA_WORD_NONE,
     .run = ja_cmd_rename},
    {"start", JA_GROUP_JAIL, "JAIL... | FILTER... | --all", "Start jails",
     "A jail that runs already stays as it is, and that is success. When a step fails, what was done for that jail is "
     "undone. Jails that it depends on are started before it, others by their priority; without either all start at the "
     "same time. Filters are those of list.",
     "jailadmin start web1 web2", "Starts both at the same time.", all_options, CHANGES | JA_VERB_ALL, 0, -1,
     JA_WORD_JAIL, JA_WORD_JAIL, .run = ja_cmd_start},
    {"stop", JA_GROUP_JAIL, "JAIL... | FILTER... | --all", "Stop jails",
     "First its services are asked to end, then the stop-command field is run, then its init is asked by its own signal; "
     "after stop-timeout what is left is killed. Several jails stop in the opposite order of their start.",
     "jailadmin stop --force web1", "Stops it at once.", stop_options, CHANGES | JA_VERB_ALL, 0, -1, JA_WORD_JAIL,
     JA_WORD_JAIL, .run = ja_cmd_stop},
    {"restart", JA_GROUP_JAIL, "JAIL... | FILTER... | --all", "Stop jails and start them again",
     "Changes that wait for the next start come into force.", "jailadmin restart web1", "Stops and starts it.",
     stop_options, CHANGES | JA_VERB_ALL, 0, -1, JA_WORD_JAIL, JA_WORD_JAIL, .run = ja_cmd_restart},
    {"delete", JA_GROUP_JAIL, "JAIL... | FILTER... | --all", "Delete jails with their data",
     "Destroys the tree and the volumes. It asks on a terminal. A running or protected jail is refused.",
     "jailadmin delete --force web9", "Stops it first when it runs.", delete_options, CHANGES | JA_VERB_ALL, 0, -1,
     JA_WORD_JAIL, JA_WORD_JAIL, .run = ja_cmd_delete},
    {"list", JA_GROUP_JAIL, "[FILTER]...", "List jails",
     "Without filters all jails are listed. A filter is a pattern of names, in which * and ? stand for other characters, or "
     "KEY=VALUE such as state=running or label.team=a. A jail is listed when it matches one of the names and all of the "
     "values.",
     "jailadmin list 'web*' state=running", "Those that run of those whose names begin with web.", list_options, 0, 0,
     -1, JA_WORD_FILTER, JA_WORD_FILTER, .run = ja_cmd_list},
    {"show", JA_GROUP_JAIL, "JAIL...", "Show all of a jail",
     "Prints every field, what runs, the changes that wait for the next start, and what the jail uses.",
     "jailadmin show web1", "Everything about web1.", NULL, 0, 1, -1, JA_WORD_JAIL, JA_WORD_JAIL, .run = ja_cmd_show},
    {"set", JA_GROUP_JAIL, "JAIL... KEY=VALUE...", "Change fields of jails",
     "KEY=VALUE replaces a value, KEY+=VALUE adds to a list, KEY-=VALUE takes from it, and KEY= restores the default or "
     "removes an entry. All changes are made together, or none. What can change in a running jail does so at once, the "
     "rest at its next start: show tells what waits. Taking a volume away destroys its data and needs --yes.",
     "jailadmin set web1 limits.memory=1G nics.eth0.address=192.168.2.11 boot=yes",
     "Three changes, made together; the address counts from the next start on.", NULL, CHANGES, 2, -1, JA_WORD_JAIL,
     JA_WORD_FIELD, &ja_noun_jail, .run = ja_cmd_set},
    {"shape", JA_GROUP_JAIL, "JAIL [NIC] [KEY=VALUE]...", "Show, change or measure how a jail's traffic is shaped",
     "Each nic has two directions: in is what the jail is sent, out is what it sends. KEY=VALUE changes a field of the nic's "
     "shape, as `set JAIL nics.NIC.shape.KEY=VALUE` does; a jail that runs has it at once, with all of its packets, IPv4 and "
     "IPv6. The nic need not be named when there is one only. Without KEY=VALUE it prints what is asked for, and whether the "
     "running jail has it. Rates count what passes the wire: on Linux whole frames, on FreeBSD IP packets. With a rate and a "
     "delay, packets wait for the rate and for the delay at the same time. --measure sends UDP packets to a socket in the "
     "jail's network and back, which takes a share of what is allowed meanwhile, for the rate all of it. On Linux a delay or "
     "a loss needs netem, which some kernels lack, and rates need only tbf; segments that the sender's kernel has not cut "
     "yet count as one packet for a loss where no rate cuts them. On FreeBSD, dummynet shapes in the jail's own network "
     "stack, where its root could change that unless enforce=yes gives the jail a securelevel of 3; one with vnet=shared is shaped by "
     "the host, but for what jails of its networks answer it.",
     "jailadmin shape web1 in.rate=10Mbit out.rate=2Mbit in.delay=20ms --measure",
     "Makes it a slow line, and shows what that comes to.", shape_options, CHANGES, 1, -1, JA_WORD_JAIL, JA_WORD_FIELD,
     &ja_noun_shape, .run = ja_cmd_shape},
    {"limit", JA_GROUP_JAIL, "JAIL... | --all [KEY=VALUE]...",
     "Show what jails use and may use, or change what they may use",
     "Without KEY=VALUE it prints each resource with what is used of it and its limit; - stands for what nothing counts and for "
     "no limit. With them it changes the limits, as set does for limits.KEY: at once in a running jail where the system "
     "allows it. KEY= takes a limit away, volumes.NAME.size= that of a volume. Names may be patterns.",
     "jailadmin limit web1 web2 memory=1G cpu=150% processes=200", "Three limits for each of two jails.", all_options,
     CHANGES, 0, -1, JA_WORD_JAIL, JA_WORD_FIELD, &ja_noun_limits, .run = ja_cmd_limit},
    {"top", JA_GROUP_JAIL, "[FILTER]...", "Watch what running jails use",
     "On a terminal the whole screen, renewed every two seconds; q leaves it, and n, c, m, p, d, i and t sort by name, cpu, memory, "
     "processes, disk, io and network. Elsewhere, or with --batch, it measures for a moment, prints a table and ends. Filters "
     "are those of list.",
     "jailadmin top --sort memory", "Those that use the most memory come first.", top_options, 0, 0, -1, JA_WORD_FILTER,
     JA_WORD_FILTER, .run = ja_cmd_top},

    {"snapshot create", JA_GROUP_SNAPSHOT, "JAIL[@NAME]... | FILTER... | --all", "Keep jails as they are now",
     "A snapshot holds the jail's tree and its volumes, takes an instant and no space, and can be taken while the jail runs. "
     "On ZFS all of it is of one moment; on btrfs each tree is of one moment, one after the other. It is what a crash would "
     "have left: a database recovers from it as from a power cut. Without a name it is called by the time in UTC.",
     "jailadmin snapshot create web1@before-update -m 'nginx 1.26'", "Keeps web1 as it is.", snapshot_create_options,
     CHANGES | JA_VERB_ALL, 0, -1, JA_WORD_JAIL, JA_WORD_JAIL, .run = ja_cmd_snapshot_create},
    {"snapshot list", JA_GROUP_SNAPSHOT, "[JAIL | FILTER]...", "List snapshots",
     "Prints one line for each snapshot, oldest first: what it holds, who or which schedule took it, and the space that it "
     "alone takes, which btrfs does not tell. Only those of jailadmin are listed.",
     "jailadmin snapshot list web1", "Those of web1.", NULL, JA_VERB_ROOT, 0, -1, JA_WORD_JAIL, JA_WORD_JAIL,
     .run = ja_cmd_snapshot_list},
    {"snapshot rollback", JA_GROUP_SNAPSHOT, "JAIL@NAME", "Make a jail what it was",
     "The jail's tree becomes what it was in the snapshot; its fields and its volumes stay as they are, but for volumes that "
     "are named. It says what is lost and asks, or wants --yes. The jail must be stopped. On ZFS later snapshots of what goes "
     "back are lost; it refuses while a jail or a template is a clone of one of them. On btrfs they stay.",
     "jailadmin snapshot rollback web1@before-update --volume data --restart",
     "The tree and the volume data; web1 is stopped and started again.", rollback_options, CHANGES, 1, 1,
     JA_WORD_SNAPSHOT, .run = ja_cmd_snapshot_rollback},
    {"snapshot delete", JA_GROUP_SNAPSHOT, "JAIL@NAME...", "Delete snapshots",
     "It asks on a terminal. Jails and templates that were made from it go on: what they share with it is kept out of sight "
     "until the last of them is gone.",
     "jailadmin snapshot delete web1@before-update", "Deletes one.", NULL, CHANGES, 1, -1, JA_WORD_SNAPSHOT,
     JA_WORD_SNAPSHOT, .run = ja_cmd_snapshot_delete},
    {"snapshot diff", JA_GROUP_SNAPSHOT, "JAIL@NAME", "List what has changed since a snapshot",
     "Prints one line for each path that is new (+), gone (-) or changed (M) since, of the tree and of volumes. Control "
     "characters are shown as \\xNN.",
     "jailadmin snapshot diff web1@before-update", "What the update did.", NULL, JA_VERB_ROOT, 1, 1, JA_WORD_SNAPSHOT,
     .run = ja_cmd_snapshot_diff},
    {"tick", JA_GROUP_SNAPSHOT, "", "Take the snapshots that are due, and delete old ones",
     "For every jail with a keep field: when it has no snapshot of this hour, day, week or month, one is taken, and those "
     "that the schedules had made beyond the number that is kept are deleted. Snapshots that were taken by hand are never "
     "deleted. Meant to be run by a timer or cron, every hour or more often; late, twice, or at the same time does no harm, "
     "nor does a clock that jumps.",
     "jailadmin tick", "After `jailadmin set web1 keep.hourly=24 keep.daily=7`.", NULL, CHANGES, 0, 0,
     .run = ja_cmd_tick},

    {"be create", JA_GROUP_BE, "JAIL NAME", "Make a boot environment",
     "A boot environment is a tree that a jail can have as its root; its volumes and fields are the same with each. The new one is a "
     "copy of the active one, or of another or of a snapshot, takes an instant and no space, and can be made while the jail runs. "
     "limits.disk counts for each of them by itself.",
     "jailadmin be create web1 next --from @before-update", "A copy of what that snapshot of web1 holds.",
     be_create_options, CHANGES, 2, 2, JA_WORD_JAIL, .run = ja_cmd_be_create},
    {"be list", JA_GROUP_BE, "[JAIL | FILTER]...", "List boot environments",
     "Prints one line for each: whether it is the active one, which the next start takes, and whether the jail runs on it; what it "
     "refers to, which on btrfs only quotas count; what it is a copy of, who made it, and where be mount has mounted it. With --json "
     "also where its tree is in the pool.",
     "jailadmin be list web1", "Those of web1.", NULL, JA_VERB_ROOT, 0, -1, JA_WORD_JAIL, JA_WORD_JAIL,
     .run = ja_cmd_be_list},
    {"be activate", JA_GROUP_BE, "JAIL NAME", "Choose the boot environment of the next start",
     "It is the jail's field be. A running jail goes on with the one that it was started on until it is started again.",
     "jailadmin be activate web1 default --restart", "Back to the first one, at once.", be_activate_options, CHANGES, 2,
     2, JA_WORD_JAIL, JA_WORD_BE, .run = ja_cmd_be_activate},
    {"be delete", JA_GROUP_BE, "JAIL NAME...", "Delete boot environments",
     "It asks on a terminal. Neither the active one nor the one that the jail runs on is deleted. Copies of it go on; on ZFS its "
     "space is free when the last of them is gone, and its snapshots go with it.",
     "jailadmin be delete web1 next", "Deletes one.", NULL, CHANGES, 2, -1, JA_WORD_JAIL, JA_WORD_BE,
     .run = ja_cmd_be_delete},
    {"be mount", JA_GROUP_BE, "JAIL NAME [DIR]", "Mount a boot environment where the host can work in it",
     "DIR is an empty directory of root's, to which no symbolic link and nobody else's directory leads; unless it is named one is made "
     "that only root can enter, and printed. Nothing in it is trusted: programs there give no rights, devices do nothing. "
     "Files have the ids that they have in the jail, so that root there is root of the jail; where the storage keeps trees shifted, on ZFS "
     "on Linux, they have those of the host, and it says from which on. Of the tree that a jail runs on remember that its root can "
     "put symbolic links in your way: look at it with cp and exec rather. It may be activated and started meanwhile, but neither "
     "deleted nor rolled back, and its jail not renamed; delete --force and teardown unmount it. It does not survive a reboot.",
     "jailadmin be mount web1 next", "Mounts it, and prints where.", be_mount_options, CHANGES, 2, 3, JA_WORD_JAIL,
     JA_WORD_BE, .run = ja_cmd_be_mount},
    {"be unmount", JA_GROUP_BE, "JAIL NAME", "Unmount a boot environment",
     "The directory that was made for it goes too.", "jailadmin be unmount web1 next", "It can be deleted again.", NULL,
     CHANGES, 2, 2, JA_WORD_JAIL, JA_WORD_BE, .run = ja_cmd_be_unmount},
    {"upgrade", JA_GROUP_BE, "JAIL -- COMMAND [ARGUMENT]...", "Change a jail, and go back by itself when that fails",
     "Copies the active boot environment, starts the jail on the copy, and runs the command in it; its input and output are those of "
     "jailadmin. When that and the health command have succeeded the copy is made the active one, and the old one stays, to be "
     "deleted with be delete. When anything fails, or this process or the host dies, the jail goes back to the old one, and the "
     "copy is deleted; after a crash that is done by the next start, boot or gc. A jail that did not run is stopped "
     "again. Volumes do not go back. The exit status is 0 or 1.",
     "jailadmin upgrade web1 --health 'curl -fsS localhost' -- sh -c 'apt-get update && apt-get -y dist-upgrade'",
     "Upgrades web1, and makes sure that it answers.", upgrade_options,
     CHANGES | JA_VERB_COMMAND | JA_VERB_NEED_COMMAND | JA_VERB_DASHES, 1, 1, JA_WORD_JAIL, .run = ja_cmd_upgrade},

    {"exec", JA_GROUP_INSIDE, "JAIL [--] COMMAND [ARGUMENT]...", "Run a command in a running jail",
     "Standard input, output and error are those of jailadmin. When input and output are a terminal, the command gets a "
     "terminal of its own in the jail. Signals such as those of Ctrl-C or kill are passed on to it. The exit status is the "
     "command's, or 128 and the number of the signal that ended it, 127 when there is no such command, 126 when it cannot "
     "be run, and 125 when jailadmin itself failed. Options for jailadmin stand before the jail's name; what follows it is "
     "the command and is not looked at.",
     "jailadmin exec -u www-data web1 -- ls -l /srv", "Runs ls as the user www-data of the jail.", exec_options,
     JA_VERB_ROOT | JA_VERB_COMMAND | JA_VERB_NEED_COMMAND | JA_VERB_STATUS, 1, 1, JA_WORD_JAIL, .run = ja_cmd_exec},
    {"console", JA_GROUP_INSIDE, "JAIL", "Log in to a running jail",
     "Opens the user's login shell on a terminal of its own, without a password. Ctrl-] pressed three times within a second "
     "leaves it, whatever runs there. The exit status is the shell's.",
     "jailadmin console web1", "A root shell in web1; leave it with exit.", console_options,
     JA_VERB_ROOT | JA_VERB_STATUS, 1, 1, JA_WORD_JAIL, .run = ja_cmd_console},
    {"logs", JA_GROUP_INSIDE, "JAIL", "Print what a jail's init has printed",
     "The log is bounded: of a long one the newest part is kept. Control characters are shown as \\xNN, so that no jail can "
     "act on your terminal.",
     "jailadmin logs -n 20 -f web1", "The last 20 lines, and what is added from now on.", logs_options, JA_VERB_ROOT, 1,
     1, JA_WORD_JAIL, .run = ja_cmd_logs},
    {"cp", JA_GROUP_INSIDE, "FROM TO", "Copy files and directories into a jail or out of it",
     "At least one of the two is JAIL:PATH, the other a path of the host, JAIL:PATH too, or - for standard input or output. "
     "Directories are copied with all that is in them, into TO when that is a directory. What comes into a jail belongs to "
     "its root, what comes out to you; --preserve keeps owners and times. Paths in a jail never lead out of it, whatever "
     "links it holds; devices and pipes are left out, and set-uid bits do not come out. The jail may run or not.",
     "jailadmin cp -p ./site web1:/var/www", "Copies a directory into web1.", cp_options, JA_VERB_ROOT, 2, 2,
     JA_WORD_COPY, JA_WORD_COPY, .run = ja_cmd_cp},

    {"doctor", JA_GROUP_UPKEEP, "", "Look for what is wrong, and say how to put it right",
     "Looks at the kernel, tools and their versions, storage, networks, foreign firewalls and leftovers, and at the host alone where there is no instance. Takes no lock and changes nothing. "
     "The exit status is 1 when something was found that keeps jails from working.",
     "jailadmin doctor", "Each finding with its remedy.", doctor_options, JA_VERB_ROOT, 0, 0, .run = ja_cmd_doctor},
    {"repair", JA_GROUP_UPKEEP, "", "Make the host what it should be",
     "Rebuilds what jailadmin had made and somebody has removed: bridges, firewall rules after a flush, interfaces of running "
     "jails, resolvers, names. It says what it did; what is there is not touched, and connections go on.",
     "jailadmin repair", "After nft flush ruleset.", NULL, CHANGES, 0, 0, .run = ja_cmd_repair},
    {"gc", JA_GROUP_UPKEEP, "[ORPHAN]...", "Remove what is no longer needed",
     "Finishes or undoes interrupted plans and removes what stopped jails and deleted templates have left. Trees that the "
     "store does not know are only listed; one is destroyed when its name is given.",
     "jailadmin gc", "Cleans up and lists orphans.", NULL, CHANGES, 0, -1, .run = ja_cmd_gc},
    {"events", JA_GROUP_UPKEEP, "[JAIL]", "List what was done, by whom, and how it ended",
     "Prints one line for each plan, newest last.", "jailadmin events web1 --limit 10", "The last ten plans of web1.",
     events_options, 0, 0, 1, JA_WORD_JAIL, .run = ja_cmd_events},
    {"adopt", JA_GROUP_UPKEEP, "[JAIL]... [--all]", "Take jails over whose rows the store has lost",
     "Every tree carries its jail's fields. Without names what could be taken over is listed.", "jailadmin adopt --all",
     "After the store was lost.", adopt_options, CHANGES, 0, -1, .run = ja_cmd_adopt},
    {"backup", JA_GROUP_UPKEEP, "FILE", "Write a copy of the store",
     "The copy is consistent, also while others work. It holds what is wanted, not the trees of jails.",
     "jailadmin backup /root/jailadmin.backup", "Keep it off this machine.", NULL, JA_VERB_ROOT, 1, 1, JA_WORD_FILE,
     .run = ja_cmd_backup},
    {"restore", JA_GROUP_UPKEEP, "FILE", "Replace the store by a copy of it",
     "Jails whose trees are gone are reported. Nothing of a tree is changed.",
     "jailadmin restore /root/jailadmin.backup", "Undoes what happened to the store since.", restore_options, CHANGES,
     1, 1, JA_WORD_FILE, .run = ja_cmd_restore},

    {"completion", JA_GROUP_OTHER, "bash|zsh|fish", "Print a shell's completion script",
     "The script asks jailadmin for the words, so it never needs to be renewed.",
     "jailadmin completion bash > /etc/bash_completion.d/jailadmin", "Completion for all users of bash.", NULL, 0, 1, 1,
     JA_WORD_CHOICE, .choices = shells, .run = ja_cmd_completion},
    {"help", JA_GROUP_OTHER, "[VERB | NOUN | FIELD]", "Print help",
     "Of a verb, of a noun such as jail, nic or network all fields, or of one field such as limits.memory.",
     "jailadmin help nic", "Every field of a network interface.", NULL, 0, 0, 2, JA_WORD_VERB, JA_WORD_VERB,
     .run = ja_cmd_help},
    {"version", JA_GROUP_OTHER, "", "Print the version", "Prints the version of jailadmin.", NULL, NULL, NULL, 0, 0, 0,
     .run = ja_cmd_version},
    {"host", JA_GROUP_OTHER, "[HOST-VERB [ARGUMENT]...]", "Run one step of a plan that no system command does",
     "For plans and for scripts that a dry run printed. Everything comes from the arguments and from standard input. "
     "Without a name it lists the host verbs.",
     "jailadmin host", "Lists them with what they take.", NULL, JA_VERB_COMMAND, 0, 0, .run = ja_cmd_host},
    {"complete", JA_GROUP_OTHER, "[--] WORD...", "Print how the last word could go on", "For completion scripts.", NULL,
     NULL, NULL, JA_VERB_COMMAND | JA_VERB_HIDDEN, 0, 0, .run = ja_cmd_complete},
    {0},
};
