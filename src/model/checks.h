/*
 * checks.h: what only the tables of the nouns use: checks of single values (those that others use too are in
 * model.h), checks of whole objects, shared words.
 */
#ifndef JA_CHECKS_H
#define JA_CHECKS_H

#include "model/model.h"

int ja_check_label(const char *value, struct ja_error *err);   /* of a nic */
int ja_check_version(const char *value, struct ja_error *err); /* of a template */
int ja_check_comment(const char *value, struct ja_error *err); /* of a snapshot */
int ja_check_key(const char *value, struct ja_error *err);     /* of a label */
int ja_check_user(const char *value, struct ja_error *err);    /* login name or number */
int ja_check_allow(const char *value, struct ja_error *err);   /* a permission of a jail */
int ja_check_uplink(const char *value, struct ja_error *err);  /* auto, none, an interface */
int ja_check_device(const char *value, struct ja_error *err);  /* a path below /dev */
int ja_check_domain(const char *value, struct ja_error *err);
int ja_check_address(const char *value, struct ja_error *err);     /* without prefix length */
int ja_check_nic_address(const char *value, struct ja_error *err); /* auto, auto6, dhcp, slaac, ADDRESS[/LEN] */
int ja_check_gateway(const char *value, struct ja_error *err);     /* ADDRESS/LEN of a network */
int ja_check_destination(const char *value, struct ja_error *err); /* of a route */
int ja_check_ports(const char *value, struct ja_error *err);       /* PORT or FIRST-LAST */
int ja_check_os(const char *value, struct ja_error *err);
int ja_check_cpuset(const char *value, struct ja_error *err); /* "0-3,5" */

int ja_jail_check(const void *jail, struct ja_error *err);
int ja_route_check(const void *route, struct ja_error *err);
int ja_mount_check(const void *mount, struct ja_error *err);
int ja_flow_check(const void *object, struct ja_error *err);
int ja_forward_check(const void *forward, struct ja_error *err);
int ja_flow_check(const void *flow, struct ja_error *err);

extern const char *const ja_state_words[]; /* by enum ja_row_state */

#endif
