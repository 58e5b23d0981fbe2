/*
 * table.c: the host verbs and natives of Linux.
 */
#include "host/linux/native/native.h"

#include <string.h>

static const struct ja_hostverb VERBS[] = {
    {"ns-create", "[--uid-base N --uid-count N] [--no-link-local] DIR",
     "make a user namespace and a network namespace in it, pinned as DIR/user and DIR/net; without ids only the latter",
     ja_verb_ns_create, 0},
    {"ns-release", "DIR", "unpin the namespaces in DIR and remove it", ja_verb_ns_release, 0},
    {"ns-setting", "NETNS net/NAME=VALUE...", "change kernel settings of a network namespace", ja_verb_ns_setting,
     JA_HOSTVERB_FORK},
    {"netns-link", "NAME PIDFILE", "name the network namespace of a jail's init for ip(8)", ja_verb_netns_link, 0},
    {"netns-unlink", "NAME", "remove that name", ja_verb_netns_unlink, 0},
    {"crun",
     "[--cgroup PATH] [--filtered] [--tree TREE --root MNT] [--idmap PATH]... [--userns FILE | --uid-base N --uid-count N] "
     "[--log FILE --log-limit N] [--pid-file FILE] [--files N] [--unless PIDFILE] -- CRUN [ARGUMENT]...",
     "run crun in a private mount namespace, with the jail's tree mounted in it", ja_verb_crun, JA_HOSTVERB_FORK,
     ja_native_crun},
    {"copy-in", "(--pid-file FILE | --tree TREE [--id-shift N] [--volume DIR=TARGET]...) [--preserve] PATH",
     "receive files from standard input, as copy-out sends them, in a jail", ja_verb_copy_in, JA_HOSTVERB_FORK},
    {"copy-out", "(--pid-file FILE | --tree TREE [--id-shift N] [--volume DIR=TARGET]...) [--preserve] PATH",
     "send a file or directory of a jail to standard output", ja_verb_copy_out, JA_HOSTVERB_FORK},
    {"jail-exec", "[--cgroup PATH] -- CRUN [ARGUMENT]...", "run crun exec, which takes its place", ja_verb_crun,
     JA_HOSTVERB_PROCESS},
    {"contain", "[--tree TREE] -- COMMAND [ARGUMENT]...",
     "run a command in a mount and process namespace of its own, which leaves no mount and no process", ja_verb_contain,
     JA_HOSTVERB_PROCESS},
    {"idmap-test", "PATH", "say yes or no: can mounts of this file system have their ids mapped", ja_verb_idmap_test,
     0},
    {"bundle", "[--seccomp FILE | --filter FILE] DIR",
     "make a bundle of the config.json on standard input, and a seccomp profile or a compiled one", ja_verb_bundle,
     JA_HOSTVERB_INPUT},
    {"seccomp-convert", "FROM TO", "convert a profile of containers-common for this machine's crun",
     ja_verb_seccomp_convert, 0},
    {"seccomp-compile", "FROM TO", "compile a converted profile to a filter for this kernel", ja_verb_seccomp_compile,
     0},
    {"stop-init", "--signal SIGNAL --timeout MS PIDFILE...",
     "signal a jail's init, or other processes of it one after the other, and wait for their end", ja_verb_stop_init,
     0},
    {"kill-init", "PIDFILE", "kill a jail's init and wait for its end", ja_verb_kill_init, 0},
    {"crun-clean", "--root CRUNROOT --cgroup PATH ID", "remove what crun and the kernel keep of an ended jail",
     ja_verb_crun_clean, 0},
    {"cgroup-create", "[--owner UID] PATH", "make a jail's cgroup in every hierarchy; an owner may divide it further",
     ja_verb_cgroup_create, 0},
    {"cgroup-remove", "PATH", "remove an empty cgroup of jailadmin from every hierarchy, if it is there",
     ja_verb_cgroup_remove, 0},
    {"cgroup-unit", "PIDFILE CATATONIT UNIT",
     "make a unit of systemd whose cgroup is ours, and which catatonit keeps; it is there: success",
     ja_verb_cgroup_unit, 0},
    {"cgroup-hold", "PIDFILE CATATONIT UNIT", "be the process that keeps it", ja_verb_cgroup_hold, JA_HOSTVERB_PROCESS},
    {"cgroup-adopt", "PIDFILE PROGRAM UNIT", "move the daemon PROGRAM, which wrote PIDFILE, to such a unit",
     ja_verb_cgroup_adopt, 0},
    {"cgroup-unit-end", "PIDFILE UNIT", "end such a unit; none is success", ja_verb_cgroup_unit_end, 0},
    {"cgroup-limit",
     "[--memory BYTES --swap BYTES] [--cpu THOUSANDTHS] [--processes N] [--cpuset LIST|all] "
     "[--read-rate BYTES --write-rate BYTES --device MAJOR:MINOR...] CGROUP",
     "change the limits of a jail that runs; 0 is no limit", ja_verb_cgroup_limit, 0},
    {"tree-delete", "PATH", "delete a directory with the subvolumes in it, if it is there", ja_verb_tree_delete, 0},
    {"tree-mount", "[--read-only] TREE DIR",
     "mount a tree at an empty directory that only root can have put there, without programs that change who one is and without "
     "devices; it is mounted there: success",
     ja_verb_tree_mount, 0},
    {"tree-unmount", "TREE DIR", "unmount that tree there; it is not mounted there: success", ja_verb_tree_unmount, 0},
    {"shift-ids", "--from N --to N --count N TREE",
     "give a tree's files to another range of ids, for storage whose mounts cannot have their ids mapped",
     ja_verb_shift_ids, 0},
    {"link-remove", "NAME MARK", "remove a network interface whose alias is MARK; none is success", ja_verb_link_remove,
     0},
    {"daemon-signal", "PIDFILE PROGRAM SIGHUP", "signal the daemon PROGRAM that was started with PIDFILE and wrote it",
     ja_verb_daemon_signal, 0},
    {"daemon-start", "PIDFILE PROGRAM -- COMMAND [ARGUMENT]...", "start a daemon, unless it runs already",
     ja_verb_daemon_start, 0},
    {"daemon-stop", "PIDFILE PROGRAM", "end the daemon PROGRAM that was started with PIDFILE and wrote it",
     ja_verb_daemon_stop, 0},
    {NULL, NULL, NULL, NULL, 0},
};

static const struct ja_native NATIVES[] = {
    {{"btrfs", "subvolume", "snapshot", NULL}, ja_native_btrfs_snapshot, 0},
    {{"btrfs", "subvolume", "create", NULL}, ja_native_btrfs_create, 0},
    {{"btrfs", "subvolume", "delete", NULL}, ja_native_btrfs_delete, 0},
    {{"btrfs", "property", "set", NULL}, ja_native_btrfs_property, 0},
    {{"ip", "-batch", "-", NULL}, ja_native_ip, 0},
    {{"nsenter", NULL}, ja_native_nsenter, 0},
    {{"nft", "-f", "-", NULL}, ja_native_nft, 0},
    {{"tc", "-batch", "-", NULL}, ja_native_tc, 0},
    {{NULL}, NULL, 0},
};

const struct ja_hostverb *ja_hostverb_native(void)
{
    return VERBS;
}

/* When its configuration has been written a container can be begun, beside the steps that make its network. */
static void begin_container(const struct ja_plan *plan, size_t next, bool whole)
{
    const struct ja_strv *done = &plan->steps[next - 1]->run.argv;

    if (done->count < 3 || strcmp(done->items[1], "host") != 0 || strcmp(done->items[2], "bundle") != 0) {
        return;
    }
    for (size_t k = next; k < plan->count; k++) {
        const struct ja_strv *argv = &plan->steps[k]->run.argv;

        if (argv->count > 3 && strcmp(argv->items[0], done->items[0]) == 0 && strcmp(argv->items[1], "host") == 0 &&
            strcmp(argv->items[2], "crun") == 0) {
            ja_crun_ahead((int)argv->count - 2, argv->items + 2, !whole);
            return;
        }
    }
}

static void ahead(const struct ja_plan *plan, size_t next, bool whole)
{
    begin_container(plan, next, whole);
    if (whole) {
        ja_crun_ahead_bring();
    }
}

const struct ja_ahead ja_native_ahead = {.start = ja_userns_foresee, .step = ahead, .end = ja_crun_ahead_end};

const struct ja_native *ja_native_table(void)
{
    return NATIVES;
}
