/*
 * commands.h: the handlers of all verbs, as verbs.c names them. Each is in cmd_*.c.
 */
#ifndef JA_COMMANDS_H
#define JA_COMMANDS_H

#include "cli/cli.h"

ja_verb_fn ja_cmd_init, ja_cmd_teardown, ja_cmd_boot, ja_cmd_shutdown;
ja_verb_fn ja_cmd_template_create, ja_cmd_template_list, ja_cmd_template_show, ja_cmd_template_rename,
    ja_cmd_template_delete;
ja_verb_fn ja_cmd_network_create, ja_cmd_network_list, ja_cmd_network_show, ja_cmd_network_set, ja_cmd_network_delete;
ja_verb_fn ja_cmd_create, ja_cmd_clone, ja_cmd_rename, ja_cmd_start, ja_cmd_stop, ja_cmd_restart, ja_cmd_delete,
    ja_cmd_list, ja_cmd_show, ja_cmd_set, ja_cmd_limit, ja_cmd_top, ja_cmd_shape;
ja_verb_fn ja_cmd_snapshot_create, ja_cmd_snapshot_list, ja_cmd_snapshot_rollback, ja_cmd_snapshot_delete,
    ja_cmd_snapshot_diff, ja_cmd_tick;
ja_verb_fn ja_cmd_be_create, ja_cmd_be_list, ja_cmd_be_activate, ja_cmd_be_delete, ja_cmd_upgrade;
ja_verb_fn ja_cmd_be_mount, ja_cmd_be_unmount;
ja_verb_fn ja_cmd_exec, ja_cmd_console, ja_cmd_logs, ja_cmd_cp;
ja_verb_fn ja_cmd_gc, ja_cmd_repair, ja_cmd_doctor, ja_cmd_events, ja_cmd_adopt, ja_cmd_backup, ja_cmd_restore;
ja_verb_fn ja_cmd_completion, ja_cmd_complete, ja_cmd_help, ja_cmd_version, ja_cmd_host;

/* For completion: adds the names of a kind ("jail", "template", "network") that the store knows. Reads only,
 * never waits for a lock, never recovers; a store that cannot be read has no names. Negative: out of memory.
 */
/* Snapshots and boot environments of a jail, as its directories in the pool show them; nothing where they do not. */
int ja_complete_snapshots(struct ja_cli *cli, const char *jail, struct ja_strv *ret_names);
int ja_complete_environments(struct ja_cli *cli, const char *jail, struct ja_strv *ret_names);
int ja_complete_names(struct ja_cli *cli, const char *kind, struct ja_strv *ret_names);

#endif
