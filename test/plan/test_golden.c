/*
 * test_golden.c: the printed dry run of each verb, for a fixed site, fixed specs and a fixed host, is the stored text. A planner's
 * change is thus a change of these texts, which a reviewer sees as the commands that they are.
 *
 *     test_golden DIR             compares
 *     test_golden --update DIR    writes the texts anew
 *
 * DIR holds specs.json, and a directory for each kind of host: site.json, perhaps a specs.json of its own, facts files (what they do
 * not mention is absent), and the texts, CASE.sh. A further kind of host is a further directory: its operating system and storage
 * are those of its site.json.
 */
#include "base/file.h"
#include "engine/internal.h"
#include "host/host.h"
#include "plan/plan.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 32, TEXT_MOST = 1 << 20 };

static const char *top;
static struct ja_network *networks[2];
static struct ja_template *template;
static struct ja_jail *jails[2];
static struct ja_subject subjects[2];
static const struct ja_network *nets[2][2];

static void die(const struct ja_error *err, const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", what, err->object, err->what);
    exit(1);
}

static json_t *load(const char *dir, const char *name)
{
    char path[512];
    json_error_t where;
    snprintf(path, sizeof path, "%s%s%s/%s", top, *dir ? "/" : "", dir, name);
    json_t *json = json_load_file(path, 0, &where);
    if (!json) {
        fprintf(stderr, "%s: line %d: %s\n", path, where.line, where.text);
        exit(1);
    }
    return json;
}

/* ---- the cases ---- */

static void plan_init(struct ja_planning *p)
{
    ja_plan_init_instance(p, (int64_t)8 << 30, networks[0]);
}

static void plan_network_create(struct ja_planning *p)
{
    ja_plan_network_create(p, networks[1]);
}

static void plan_network_delete(struct ja_planning *p)
{
    ja_plan_network_delete(p, networks[0]);
}

static struct ja_network *changed_network(const struct ja_network *network, const char *const *assignments)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_network *to = ja_object_copy(&ja_noun_network, network);
    for (size_t i = 0; to && assignments[i]; i++)
        if (ja_object_set(&ja_noun_network, to, assignments[i], false, &err) < 0)
            die(&err, assignments[i]);
    if (!to)
        die(&err, "a changed network");
    return to;
}

/* While a jail runs on it. */
static void set_network(struct ja_planning *p, const char *const *assignments, const struct ja_subject *running)
{
    struct ja_network *to = changed_network(networks[0], assignments);
    const struct ja_network *changed_nets[] = {to};
    struct ja_subject after = *running;
    after.networks = changed_nets;
    struct ja_networkset set = {networks[0], to, running, &after, 1};
    ja_plan_network_set(p, &set);
    ja_object_free(&ja_noun_network, to);
}

/* Another uplink, and its jails do not see each other any more. */
static void plan_network_set(struct ja_planning *p)
{
    set_network(p, (const char *const[]){"isolate=yes", "nat=em1", "address=10.66.0.254/16", NULL}, &subjects[0]);
}

/* Rules of each kind; what they name was resolved before. */
static void plan_network_set_rules(struct ja_planning *p)
{
    struct ja_network *to = changed_network(
        networks[0],
        (const char *const[]){"rules+=db,action=allow,peer=network:lan,protocol=tcp,port=5432",
                              "rules+=late,action=deny,peer=any,order=9000",
                              "rules+=one,action=deny,jail=web1,peer=jail:web2,protocol=udp,port=5000-5010",
                              "rules+=icmp,action=deny,peer=world,protocol=icmp",
                              "rules+=ssh,action=allow,peer=host,protocol=tcp,port=22,jail=web1,order=1",
                              "rules+=web,action=allow,direction=in,peer=203.0.113.0/24,protocol=tcp,port=80",
                              "rules+=rest,action=deny,direction=in,order=200", NULL});
    struct ja_rule *db = ja_list_get(&to->rules, "db"), *one = ja_list_get(&to->rules, "one"),
                   *ssh = ja_list_get(&to->rules, "ssh");
    db->peer_slot = 1;
    if (ja_strv_add_all(&one->jail_addresses, "10.66.0.2", "fe80::1:2", NULL) < 0 ||
        ja_strv_add_all(&one->peer_addresses, "192.168.2.2", "fd00:2::2", NULL) < 0 ||
        ja_strv_add_all(&ssh->jail_addresses, "10.66.0.2", "10.66.0.99", NULL) < 0)
        abort();
    struct ja_networkset set = {networks[0], to, NULL, NULL, 0};
    ja_plan_network_set(p, &set);
    ja_object_free(&ja_noun_network, to);
}

static void plan_template_create(struct ja_planning *p)
{
    struct ja_template_build build = {
        .template = template, .version = template->versions.items[0], .from = template->source};
    ja_plan_template_create(p, &build);
}

/* Packages, a command and a script, in a temporary jail. */
static void plan_template_build(struct ja_planning *p)
{
    static const struct ja_build_command commands[] = {
        {.text = "sysrc sshd_enable=YES"}, {.text = "#!/bin/sh\necho built >/etc/motd\n", .script = "motd"}};
    ja_autostrv struct ja_strv packages = {0};
    struct ja_jail *builder = ja_object_copy(&ja_noun_jail, jails[0]);
    if (!builder || ja_strv_add(&packages, "nginx") < 0)
        abort();
    builder->volumes.count = 0; /* those of web1 are not its own */
    free(builder->name);
    builder->name = ja_strdup("_build-base");
    const struct ja_subject subject = {.jail = builder, .networks = nets[0]};
    struct ja_template_build build = {.template = template,
                                      .version = template->versions.items[0],
                                      .from = "tar:/srv/tree.tar",
                                      .builder = &subject,
                                      .packages = &packages,
                                      .commands = commands,
                                      .command_count = JA_COUNT(commands)};
    ja_plan_template_create(p, &build);
    builder->volumes.count = jails[0]->volumes.count;
    ja_object_free(&ja_noun_jail, builder);
}

/* The talk's template: what make(1) has built, and a port, built in it with the host's ports tree. */
static void plan_demo_template(struct ja_planning *p)
{
    static const struct ja_build_command commands[] = {
        {.text = "make -C /usr/ports/www/nginx install clean BATCH=yes"}};
    static const struct ja_strv packages;
    struct ja_error err = JA_ERROR_INIT;
    struct ja_jail *builder = ja_object_new(&ja_noun_jail);
    if (!builder || ja_object_set(&ja_noun_jail, builder, "name=build", true, &err) < 0 ||
        ja_object_set_entry(&ja_noun_jail, builder, "nics", "eth0,network=default", &err) < 0 ||
        ja_object_set_entry(&ja_noun_jail, builder, "mounts", "/usr/ports,source=/usr/ports", &err) < 0)
        die(&err, "builder");
    struct ja_nic *nic = builder->nics.items[0];
    nic->unit = 10000;
    builder->slot = 0;
    builder->uuid = ja_strdup(template->uuid);
    if (ja_strv_add(&nic->assigned, "10.66.0.2/16") < 0 || !builder->uuid)
        abort();
    const struct ja_subject subject = {.jail = builder, .networks = nets[0]};
    struct ja_template_build build = {.template = template,
                                      .version = template->versions.items[0],
                                      .from = template->source,
                                      .builder = &subject,
                                      .packages = &packages,
                                      .commands = commands,
                                      .command_count = JA_COUNT(commands)};
    ja_plan_template_create(p, &build);
    ja_object_free(&ja_noun_jail, builder);
}

/* A release whose checksum nobody has installed here. */
static void plan_template_freebsd(struct ja_planning *p)
{
    static const struct ja_freebsd_release release = {
        .version = "14.1-RELEASE",
        .archive = "https://download.freebsd.org/releases/amd64/amd64/14.1-RELEASE/base.txz",
        .manifest = "https://download.freebsd.org/releases/amd64/amd64/14.1-RELEASE/MANIFEST"};
    struct ja_template_build build = {.template = template,
                                      .version = template->versions.items[0],
                                      .from = "freebsd:14.1-RELEASE",
                                      .release = &release};
    ja_plan_template_create(p, &build);
}

/* The packages of the base system, from the project's own servers, into a system in which nothing else is done. */
static void plan_template_pkgbase(struct ja_planning *p)
{
    static const struct ja_strv none;
    struct ja_jail *builder = ja_object_copy(&ja_noun_jail, jails[0]);
    struct ja_error err = JA_ERROR_INIT;
    if (!builder || ja_object_set(&ja_noun_jail, builder, "hostname=build", true, &err) < 0)
        die(&err, "a jail for building");
    free(builder->name);
    builder->name = ja_strdup("_build-base");
    struct ja_subject subject = {.jail = builder, .template = template, .networks = nets[0]};
    struct ja_template_build build = {.template = template,
                                      .version = template->versions.items[0],
                                      .from = "pkgbase:15.1-RELEASE/minimal-jail",
                                      .builder = &subject,
                                      .packages = &none};
    ja_plan_template_create(p, &build);
    ja_object_free(&ja_noun_jail, builder);
}

static void plan_template_dir(struct ja_planning *p)
{
    struct ja_template_build build = {
        .template = template, .version = template->versions.items[0], .from = "dir:/srv/tree"};
    ja_plan_template_create(p, &build);
}

static void plan_template_delete(struct ja_planning *p)
{
    ja_plan_template_delete(p, template);
}

static void plan_create(struct ja_planning *p)
{
    ja_plan_jail_create(p, &subjects[0], false);
}

static void plan_create_started(struct ja_planning *p)
{
    ja_plan_jail_create(p, &subjects[0], true);
}

static void plan_clone(struct ja_planning *p)
{
    ja_plan_jail_clone(p, jails[0], NULL, &subjects[1]);
}

static void plan_start(struct ja_planning *p)
{
    ja_plan_jail_start(p, &subjects[0]);
}

/* Its second nic only watches. */
static void plan_start_span(struct ja_planning *p)
{
    struct ja_nic *nic = jails[1]->nics.items[1];
    struct ja_strv assigned = nic->assigned;
    nic->span = true;
    nic->assigned = (struct ja_strv){0};
    ja_plan_jail_start(p, &subjects[1]);
    nic->assigned = assigned;
    nic->span = false;
}

static void plan_start_two(struct ja_planning *p)
{
    ja_plan_jail_start(p, &subjects[1]);
}

static void plan_stop(struct ja_planning *p)
{
    ja_plan_jail_stop(p, &subjects[0], JA_STOP_GRACEFUL);
}

static void plan_kill(struct ja_planning *p)
{
    ja_plan_jail_stop(p, &subjects[0], JA_STOP_FORCE);
}

/* web1 with some fields changed. */
static struct ja_subject changed(const char *const *assignments)
{
    struct ja_error err = JA_ERROR_INIT;
    struct ja_jail *jail = ja_object_copy(&ja_noun_jail, jails[0]);
    for (size_t i = 0; jail && assignments[i]; i++)
        if (ja_object_set(&ja_noun_jail, jail, assignments[i], true, &err) < 0)
            die(&err, assignments[i]);
    if (!jail || ja_object_check(&ja_noun_jail, jail, &err) < 0)
        die(&err, "a changed jail");
    return (struct ja_subject){.jail = jail, .template = template, .networks = nets[0]};
}

static void forget(struct ja_subject *subject)
{
    ja_object_free(&ja_noun_jail, (struct ja_jail *)subject->jail);
}

static const char *const tuned[] = {"limits.memory=512M",          "limits.processes=",    "labels.team=a",
                                    "volumes.log.target=/var/log", "limits.disk=2G",       "limits.swap=128M",
                                    "limits.cpuset=0-1,3",         "limits.read-rate=10M", NULL};

static void plan_set(struct ja_planning *p)
{
    struct ja_subject new = changed(tuned);
    struct ja_jailset set = {.old = jails[0], .new = &new};
    ja_plan_jail_set(p, &set);
    forget(&new);
}

static void plan_set_running(struct ja_planning *p)
{
    struct ja_subject new = changed(tuned), live = changed((const char *const[]){NULL});
    ja_object_take_live(&ja_noun_jail, (struct ja_jail *)live.jail, new.jail);
    struct ja_jailset set = {.old = jails[0], .new = &new, .applied = &subjects[0], .live = &live};
    ja_plan_jail_set(p, &set);
    forget(&live);
    forget(&new);
}

/* Commands of the user, in the jail and on the host. */
static const char *const served[] = {"services.http.command=httpd -f",
                                     "services.http.order=2",
                                     "services.http.user=nobody",
                                     "services.work.command=sh -c 'exec worker \"$0\"'",
                                     "services.work.restart=failure",
                                     "hooks.before-start=/usr/local/sbin/attach --for 'a jail'",
                                     "hooks.after-stop=/usr/local/sbin/detach",
                                     "stop-command=/etc/rc.stop",
                                     "env.TZ=UTC",
                                     NULL};

static void plan_start_services(struct ja_planning *p)
{
    struct ja_subject subject = changed(served);
    ja_plan_jail_start(p, &subject);
    forget(&subject);
}

static void plan_stop_services(struct ja_planning *p)
{
    struct ja_subject subject = changed(served);
    ja_plan_jail_stop(p, &subject, JA_STOP_GRACEFUL);
    forget(&subject);
}

/* A jail of FreeBSD with all that is mounted, limited and allowed. */
static const char *const fitted[] = {"mounts./usr/ports.source=/usr/ports",
                                     "mounts./usr/ports.readonly=yes",
                                     "mounts./tmp.type=tmpfs",
                                     "mounts./tmp.size=64M",
                                     "mounts./proc.type=procfs",
                                     "mounts./dev/fd.type=fdescfs",
                                     "devices=/dev/fuse",
                                     "limits.cpu=0.5",
                                     "limits.read-rate=1M",
                                     "limits.cpuset=2-3",
                                     "allow=raw_sockets,chflags",
                                     "children=2",
                                     "securelevel=3",
                                     "sysvipc=new",
                                     "enforce-statfs=1",
                                     NULL};

static void plan_start_fitted(struct ja_planning *p)
{
    struct ja_subject subject = changed(fitted);
    ja_plan_jail_start(p, &subject);
    forget(&subject);
}

static void plan_stop_fitted(struct ja_planning *p)
{
    struct ja_subject subject = changed(fitted);
    ja_plan_jail_stop(p, &subject, JA_STOP_GRACEFUL);
    forget(&subject);
}

static void plan_start_forwards(struct ja_planning *p)
{
    struct ja_subject subject = changed((const char *const[]){"forwards.web.port=8080", "forwards.web.to=80", NULL});
    ja_plan_jail_start(p, &subject);
    forget(&subject);
}

static const char *const forwarded[] = {"forwards.web.port=8080",      "forwards.web.to=80",
                                        "forwards.dns.port=5000-5002", "forwards.dns.protocol=udp",
                                        "forwards.dns.to=53-55",       NULL};

/* All that both systems can do to packets, and on Linux the rest. */
static const char *const shaped[] = {"nics.eth0.shape.in.rate=10Mbit",
                                     "nics.eth0.shape.in.delay=20ms",
                                     "nics.eth0.shape.in.loss=0.5%",
                                     "nics.eth0.shape.out.rate=1Mbit",
                                     "nics.eth0.shape.out.queue=80",
                                     "nics.eth0.shape.enforce=yes",
                                     NULL};
static const char *const reshaped[] = {"nics.eth0.shape.in.rate=1Gbit", "nics.eth0.shape.in.burst=1M", NULL};
static const char *const shaped_more[] = {"nics.eth0.shape.out.delay=100ms", "nics.eth0.shape.out.jitter=10ms",
                                          "nics.eth0.shape.out.loss=1%", "nics.eth0.shape.out.loss-burst=4", NULL};
/* Delays that vary: of one that is kept from changing, and of one that has no rate. */
static const char *const varied[] = {"nics.eth0.shape.in.rate=10Mbit",
                                     "nics.eth0.shape.in.delay=100ms",
                                     "nics.eth0.shape.in.jitter=40ms",
                                     "nics.eth0.shape.out.delay=5ms",
                                     "nics.eth0.shape.out.jitter=2ms",
                                     "nics.eth0.shape.enforce=yes",
                                     NULL};

static void start_changed(struct ja_planning *p, const char *const *assignments)
{
    struct ja_subject subject = changed(assignments);
    ja_plan_jail_start(p, &subject);
    forget(&subject);
}

static void plan_start_shaped(struct ja_planning *p)
{
    start_changed(p, shaped);
}

static void plan_start_shaped_rows(struct ja_planning *p)
{
    start_changed(p, (const char *const[]){"nics.eth0.shape.out.loss=1%", "nics.eth0.shape.out.loss-burst=4",
                                           "nics.eth0.shape.in.loss=5%", NULL});
}

static void plan_start_shaped_more(struct ja_planning *p)
{
    start_changed(p, shaped_more);
}

static void plan_start_varied(struct ja_planning *p)
{
    start_changed(p, varied);
}

static void plan_stop_shaped(struct ja_planning *p)
{
    struct ja_subject subject = changed(shaped);
    ja_plan_jail_stop(p, &subject, JA_STOP_FORCE);
    forget(&subject);
}

/* While it runs. */
static void reshape(struct ja_planning *p, const char *const *from, const char *const *to)
{
    struct ja_subject old = changed(from), new = changed(to);
    struct ja_jailset set = {.old = old.jail, .new = &new, .applied = &old, .live = &new};
    ja_plan_jail_set(p, &set);
    forget(&old);
    forget(&new);
}

static void plan_shape(struct ja_planning *p)
{
    reshape(p, (const char *const[]){NULL}, shaped);
}

static void plan_reshape(struct ja_planning *p)
{
    reshape(p, shaped, reshaped);
}

/* To delays that vary, and back. */
static void plan_vary(struct ja_planning *p)
{
    reshape(p, reshaped, varied);
}

static void plan_vary_no_more(struct ja_planning *p)
{
    reshape(p, varied, reshaped);
}

/* pf in place of ipfw, while a jail with forwards runs. */
static void plan_network_set_pf(struct ja_planning *p)
{
    struct ja_subject subject = changed(forwarded);
    set_network(p, (const char *const[]){"nat-by=pf", NULL}, &subject);
    forget(&subject);
}

static void plan_network_create_pf(struct ja_planning *p)
{
    struct ja_network *network = changed_network(networks[1], (const char *const[]){"nat-by=pf", NULL});
    ja_plan_network_create(p, network);
    ja_object_free(&ja_noun_network, network);
}

/* What pf makes of two rules is said of the one that it takes the sense from. */
static void plan_network_rules_pf(struct ja_planning *p)
{
    static const char *const rules[] = {"nat-by=pf",
                                        "rules+=web,action=allow,direction=in,peer=world,protocol=tcp,port=80",
                                        "rules+=none,action=deny,direction=in,peer=world", NULL};
    struct ja_network *network = changed_network(networks[1], rules);
    ja_plan_network_create(p, network);
    ja_object_free(&ja_noun_network, network);
}

static void plan_start_forwards_pf(struct ja_planning *p)
{
    struct ja_network *network = changed_network(networks[0], (const char *const[]){"nat-by=pf", NULL});
    const struct ja_network *by_pf[] = {network};
    struct ja_subject subject = changed(forwarded);
    subject.networks = by_pf;
    ja_plan_jail_start(p, &subject);
    forget(&subject);
    ja_object_free(&ja_noun_network, network);
}

static void plan_start_inherit(struct ja_planning *p)
{
    struct ja_subject subject = changed((const char *const[]){"vnet=inherit", "nics.eth0=", NULL});
    ja_plan_jail_start(p, &subject);
    forget(&subject);
}

static void plan_stop_shared(struct ja_planning *p)
{
    struct ja_subject subject = changed((const char *const[]){"vnet=shared", NULL});
    ja_plan_jail_stop(p, &subject, JA_STOP_FORCE);
    forget(&subject);
}

static void plan_start_shared(struct ja_planning *p)
{
    struct ja_subject subject = changed((const char *const[]){"vnet=shared", NULL});
    ja_plan_jail_start(p, &subject);
    forget(&subject);
}

static const char *const shared_shape[] = {"vnet=shared", "nics.eth0.shape.in.rate=10Mbit",
                                           "nics.eth0.shape.out.rate=1Mbit", "nics.eth0.shape.out.delay=20ms", NULL};

static void plan_start_shared_shaped(struct ja_planning *p)
{
    struct ja_subject subject = changed(shared_shape);
    ja_plan_jail_start(p, &subject);
    forget(&subject);
}

static void plan_stop_shared_shaped(struct ja_planning *p)
{
    struct ja_subject subject = changed(shared_shape);
    ja_plan_jail_stop(p, &subject, JA_STOP_FORCE);
    forget(&subject);
}

static void plan_start_privileged(struct ja_planning *p)
{
    struct ja_subject subject = changed((const char *const[]){"privileged=yes", "allow=sys_time", NULL});
    ja_plan_jail_start(p, &subject);
    forget(&subject);
}

static void plan_shutdown(struct ja_planning *p)
{
    ja_plan_jail_stop(p, &subjects[0], JA_STOP_SHUTDOWN);
}

static void plan_rename(struct ja_planning *p)
{
    ja_plan_jail_rename(p, &subjects[0], "www");
}

static void plan_delete(struct ja_planning *p)
{
    ja_plan_jail_delete(p, &subjects[0], false);
}

static void plan_delete_force(struct ja_planning *p)
{
    ja_plan_jail_delete(p, &subjects[0], true);
}

static void plan_snapshot(struct ja_planning *p)
{
    struct ja_snapshot snapshot = {.name = (char *)"now",
                                   .uuid = (char *)"eeeeeeee-0000-4000-8000-000000000009",
                                   .created = (char *)"2026-11-26T15:00:00.000Z",
                                   .comment = (char *)"it's \"quoted\"",
                                   .by = (char *)"root"};
    ja_plan_snapshot_create(p, jails[0], &snapshot);
}

static void plan_snapshot_again(struct ja_planning *p)
{
    struct ja_snapshot snapshot = {.name = (char *)"before", .uuid = (char *)"eeeeeeee-0000-4000-8000-000000000009"};
    ja_plan_snapshot_create(p, jails[0], &snapshot);
}

static void delete_snapshot(struct ja_planning *p, const char *name)
{
    ja_autostrv struct ja_strv names = {0};
    if (ja_strv_add(&names, name) < 0)
        abort();
    ja_plan_snapshot_delete(p, jails[0], &names);
}

static void plan_snapshot_delete(struct ja_planning *p)
{
    delete_snapshot(p, "before");
}

static void plan_snapshot_delete_other(struct ja_planning *p)
{
    delete_snapshot(p, "admin");
}

static void roll_back(struct ja_planning *p, bool all_volumes)
{
    static const struct ja_strv none;
    struct ja_rollback rollback = {.subject = &subjects[0],
                                   .name = "before",
                                   .volumes = &none,
                                   .all_volumes = all_volumes,
                                   .uuid = "eeeeeeee-0000-4000-8000-000000000008"};
    ja_plan_snapshot_rollback(p, &rollback);
}

static void plan_rollback(struct ja_planning *p)
{
    roll_back(p, false);
}

static void plan_rollback_all(struct ja_planning *p)
{
    roll_back(p, true);
}

static void plan_clone_snapshot(struct ja_planning *p)
{
    ja_plan_jail_clone(p, jails[0], "before", &subjects[1]);
}

static void plan_template_snapshot(struct ja_planning *p)
{
    struct ja_template_build build = {.template = template,
                                      .version = template->versions.items[0],
                                      .from = "jail:web1@before",
                                      .jail = jails[0],
                                      .snapshot = "before"};
    ja_plan_template_create(p, &build);
}

static void make_be(struct ja_planning *p, const char *name, const char *from, bool trial)
{
    struct ja_be be = {.name = (char *)name,
                       .uuid = (char *)"eeeeeeee-0000-4000-8000-000000000007",
                       .created = (char *)"2026-11-26T15:00:00.000Z",
                       .by = (char *)"root",
                       .trial = trial};
    ja_plan_be_create(p, jails[0], &be, from);
}

static void plan_be_create(struct ja_planning *p)
{
    make_be(p, "new", NULL, false);
}

static void plan_be_create_limited(struct ja_planning *p)
{
    int64_t limit = jails[0]->limits.disk;
    jails[0]->limits.disk = 1 << 30;
    make_be(p, "new", "next", false);
    jails[0]->limits.disk = limit;
}

static void plan_be_create_snapshot(struct ja_planning *p)
{
    make_be(p, "new", "@before", false);
}

static void plan_be_create_again(struct ja_planning *p)
{
    make_be(p, "next", NULL, false);
}

static void plan_be_activate(struct ja_planning *p)
{
    ja_plan_be_activate(p, jails[0], "next", false);
}

static void plan_be_activate_none(struct ja_planning *p)
{
    ja_plan_be_activate(p, jails[0], "other", false);
}

static void plan_be_activate_tried(struct ja_planning *p)
{
    ja_plan_be_activate(p, jails[0], "tried", false);
}

static void delete_be(struct ja_planning *p, const char *name, const char *running, bool trial)
{
    ja_autostrv struct ja_strv names = {0}, uuids = {0};
    if (ja_strv_add(&names, name) < 0 || ja_strv_add(&uuids, "eeeeeeee-0000-4000-8000-000000000008") < 0)
        abort();
    ja_plan_be_delete(p, &subjects[0], running, &names, &uuids, trial);
}

static void plan_be_delete(struct ja_planning *p)
{
    delete_be(p, "next", NULL, false);
}

static void plan_be_delete_active(struct ja_planning *p)
{
    delete_be(p, "default", NULL, false);
}

static void plan_be_delete_running(struct ja_planning *p)
{
    delete_be(p, "next", "next", false);
}

static void mount_be(struct ja_planning *p, const char *name, const char *dir, const char *running, bool read_only)
{
    char *where = NULL;
    const struct ja_be_mounting mounting = {.name = name, .dir = dir, .running = running, .read_only = read_only};
    ja_plan_be_mount(p, jails[0], &mounting, &where);
    free(where);
}

static void plan_be_mount(struct ja_planning *p)
{
    mount_be(p, "next", NULL, NULL, false);
}

static void plan_be_mount_there(struct ja_planning *p)
{
    mount_be(p, "default", "/mnt", "default", true);
}

static void plan_be_mount_full(struct ja_planning *p)
{
    mount_be(p, "next", "/etc", NULL, false);
}

static void plan_be_mount_inside(struct ja_planning *p)
{
    ja_autofree char *dir = ja_printf("%s/jails/web1/root/default/mnt", p->site->pool);
    mount_be(p, "next", dir, NULL, false);
}

static void plan_be_mount_link(struct ja_planning *p)
{
    mount_be(p, "next", "/link", NULL, false);
}

static void plan_be_unmount(struct ja_planning *p)
{
    char *where = NULL;
    ja_plan_be_unmount(p, jails[0], "next", &where);
    free(where);
}

static void plan_upgrade_copy(struct ja_planning *p)
{
    make_be(p, "new", NULL, true);
}

static void plan_upgrade_start(struct ja_planning *p)
{
    char *be = jails[0]->be;
    jails[0]->be = (char *)"new";
    ja_plan_jail_try(p, &subjects[0]);
    jails[0]->be = be;
}

static void plan_upgrade_end(struct ja_planning *p)
{
    ja_plan_be_activate(p, jails[0], "tried", true);
}

static void plan_upgrade_failed(struct ja_planning *p)
{
    delete_be(p, "tried", NULL, true);
}

static void plan_upgrade_kept(struct ja_planning *p)
{
    ja_plan_be_keep(p, jails[0]);
}

static const struct golden {
    const char *name, *facts;
    void (*plan)(struct ja_planning *p);
    const char *only;  /* on this system; NULL: on all */
    const char *title; /* it is a part of a text; those of one name follow each other */
} cases[] = {
    {"init", "fresh", plan_init, NULL, NULL},
    {"adopt", "fresh", ja_plan_adopt_instance, NULL, NULL},
    {"boot", "fresh", ja_plan_pool_mount, NULL, NULL},
    {"teardown", "ready", ja_plan_teardown, NULL, NULL},
    {"network-create", "ready", plan_network_create, NULL, NULL},
    {"network-delete", "ready", plan_network_delete, NULL, NULL},
    {"network-set", "running", plan_network_set, NULL, NULL},
    {"network-set-rules", "running", plan_network_set_rules, NULL, NULL},
    {"template-create", "ready", plan_template_create, NULL, NULL},
    {"template-build", "ready", plan_template_build, NULL, NULL},
    {"template-freebsd", "ready", plan_template_freebsd, NULL, NULL},
    {"template-pkgbase", "ready", plan_template_pkgbase, "freebsd", NULL},
    {"template-dir", "ready", plan_template_dir, NULL, NULL},
    {"template-delete", "ready", plan_template_delete, NULL, NULL},
    {"create", "ready", plan_create, NULL, NULL},
    {"create-started", "ready", plan_create_started, NULL, NULL},
    {"clone", "stopped", plan_clone, NULL, NULL},
    {"start", "stopped", plan_start, NULL, NULL},
    {"start-two-nics", "stopped", plan_start_two, NULL, NULL},
    {"start-span", "stopped", plan_start_span, NULL, NULL},
    {"stop", "running", plan_stop, NULL, NULL},
    {"stop-force", "running", plan_kill, NULL, NULL},
    {"start-services", "stopped", plan_start_services, NULL, NULL},
    {"start-shared", "stopped", plan_start_shared, NULL, NULL},
    {"start-privileged", "stopped", plan_start_privileged, "linux", NULL},
    {"start-systemd", "systemd", plan_start, "linux", NULL},
    {"teardown-systemd", "systemd", ja_plan_teardown, "linux", NULL},
    {"network-create-systemd", "systemd", plan_network_create, "linux", NULL},
    {"start-inherit", "stopped", plan_start_inherit, "freebsd", NULL},
    {"start-fitted", "stopped", plan_start_fitted, "freebsd", NULL},
    {"start-forwards", "stopped", plan_start_forwards, "freebsd", NULL},
    {"start-forwards-pf", "pf", plan_start_forwards_pf, "freebsd", NULL},
    {"network-create-pf", "pf", plan_network_create_pf, "freebsd", NULL},
    {"network-rules-pf", "pf", plan_network_rules_pf, "freebsd", NULL},
    {"network-set-pf", "running-pf", plan_network_set_pf, "freebsd", NULL},
    {"start-shaped", "shaping", plan_start_shaped, NULL, NULL},
    {"start-shaped-rows", "shaping-15", plan_start_shaped_rows, "freebsd", NULL},
    {"start-shaped-more", "shaping", plan_start_shaped_more, NULL, NULL},
    {"start-varied", "shaping", plan_start_varied, "freebsd", NULL},
    {"vary", "shaping-running", plan_vary, "freebsd", NULL},
    {"vary-no-more", "shaping-running", plan_vary_no_more, "freebsd", NULL},
    {"start-shaped-poor", "shaping-poor", plan_start_shaped, "linux", NULL},
    {"stop-shaped", "running", plan_stop_shaped, NULL, NULL},
    {"shape", "shaping-running", plan_shape, NULL, NULL},
    {"reshape", "shaping-running", plan_reshape, NULL, NULL},
    {"start-denied", "denied", plan_start, "freebsd", NULL},
    {"network-create-denied", "denied", plan_network_create, "freebsd", NULL},
    /* The talk's demo: a template from scratch, a clone of it with its own network stack, NAT. */
    {"demo", "fresh", plan_init, "freebsd", "jailadmin init --storage zfs:tank/jailadmin"},
    {"demo", "empty", plan_demo_template, "freebsd",
     "jailadmin template create base --from src:/usr/src --mount /usr/ports,source=/usr/ports --run 'make -C /usr/ports/www/nginx "
     "install clean BATCH=yes'"},
    {"demo", "ready", plan_create, "freebsd", "jailadmin create web1 --template base"},
    {"demo", "stopped", plan_start, "freebsd", "jailadmin start web1"},
    {"stop-fitted", "fitted", plan_stop_fitted, "freebsd", NULL},
    {"stop-shared", "shared", plan_stop_shared, "freebsd", NULL},
    {"start-shared-shaped", "shaping", plan_start_shared_shaped, NULL, NULL},
    {"stop-shared-shaped", "shared", plan_stop_shared_shaped, "freebsd", NULL},
    {"stop-services", "running", plan_stop_services, NULL, NULL},
    {"shutdown", "running", plan_shutdown, NULL, NULL},
    {"set", "stopped", plan_set, NULL, NULL},
    {"set-running", "running", plan_set_running, NULL, NULL},
    {"rename", "stopped", plan_rename, NULL, NULL},
    {"delete", "stopped", plan_delete, NULL, NULL},
    {"snapshot", "kept", plan_snapshot, NULL, "jailadmin snapshot create web1@now -m 'it'\\''s \"quoted\"'"},
    {"snapshot", "kept", plan_snapshot_again, NULL, "jailadmin snapshot create web1@before"},
    {"snapshot", "kept", plan_snapshot_delete, NULL, "jailadmin snapshot delete web1@before"},
    {"snapshot", "kept", plan_snapshot_delete_other, NULL, "jailadmin snapshot delete web1@admin"},
    {"snapshot", "kept", plan_clone_snapshot, NULL, "jailadmin clone web1@before web2"},
    {"snapshot", "kept", plan_template_snapshot, NULL, "jailadmin template create base --from jail:web1@before"},
    {"be", "kept", plan_be_create, NULL, "jailadmin be create web1 new"},
    {"be", "kept", plan_be_create_limited, NULL, "jailadmin be create web1 new --from next, with limits.disk=1G"},
    {"be", "kept", plan_be_create_snapshot, NULL, "jailadmin be create web1 new --from @before"},
    {"be", "kept", plan_be_create_again, NULL, "jailadmin be create web1 next"},
    {"be", "kept", plan_be_activate, NULL, "jailadmin be activate web1 next"},
    {"be", "kept", plan_be_activate_none, NULL, "jailadmin be activate web1 other"},
    {"be", "kept", plan_be_activate_tried, NULL, "jailadmin be activate web1 tried, while an upgrade tries it"},
    {"be", "kept", plan_be_delete, NULL, "jailadmin be delete web1 next"},
    {"be", "kept", plan_be_delete_active, NULL, "jailadmin be delete web1 default"},
    {"be", "kept", plan_be_delete_running, NULL, "jailadmin be delete web1 next, while it runs"},
    {"be-mount", "kept", plan_be_mount, NULL, "jailadmin be mount web1 next"},
    {"be-mount", "mounted", plan_be_mount_there, NULL, "jailadmin be mount web1 default /mnt --read-only, which runs"},
    {"be-mount", "mounted", plan_be_mount, NULL, "jailadmin be mount web1 next, which is mounted"},
    {"be-mount", "mounted", plan_be_mount_full, NULL, "jailadmin be mount web1 next /etc"},
    {"be-mount", "kept", plan_be_mount_link, NULL, "jailadmin be mount web1 next /link"},
    {"be-mount", "kept", plan_be_mount_inside, NULL, "jailadmin be mount web1 next into another tree"},
    {"be-mount", "mounted", plan_be_unmount, NULL, "jailadmin be unmount web1 next"},
    {"be-mount", "kept", plan_be_unmount, NULL, "jailadmin be unmount web1 next, which is not mounted"},
    {"be-mount", "mounted", plan_be_delete, NULL, "jailadmin be delete web1 next"},
    {"be-mount", "mounted", plan_delete, NULL, "jailadmin delete web1"},
    {"be-mount", "mounted", plan_delete_force, NULL, "jailadmin delete --force web1"},
    {"upgrade", "kept", plan_upgrade_copy, NULL, "jailadmin upgrade web1 --be new -- COMMAND: the copy"},
    {"upgrade", "stopped", plan_upgrade_start, NULL, "its start, before the command"},
    {"upgrade", "kept", plan_upgrade_end, NULL, "after the command"},
    {"upgrade", "kept", plan_upgrade_failed, NULL, "or when it failed"},
    {"upgrade", "kept", plan_upgrade_kept, NULL, "or with --keep-failed"},
    {"rollback", "kept", plan_rollback, NULL, "jailadmin snapshot rollback web1@before"},
    {"rollback", "kept", plan_rollback_all, NULL, "jailadmin snapshot rollback web1@before --volumes"},
};

/* ---- planning ---- */

/* Those of the kind of host, or those of all. */
static void load_specs(const char *dir)
{
    struct ja_error err = JA_ERROR_INIT;
    char own[512];
    snprintf(own, sizeof own, "%s/%s/specs.json", top, dir);
    json_t *specs = load(access(own, F_OK) == 0 ? dir : "", "specs.json");
    void *object;
    for (size_t i = 0; i < 2; i++) {
        if (ja_object_from_json(&ja_noun_network, json_array_get(json_object_get(specs, "networks"), i), true, &object,
                                &err) < 0)
            die(&err, "network");
        networks[i] = object;
        if (ja_object_from_json(&ja_noun_jail, json_array_get(json_object_get(specs, "jails"), i), true, &object,
                                &err) < 0)
            die(&err, "jail");
        jails[i] = object;
        nets[i][0] = networks[0];
    }
    nets[1][1] = networks[1];
    if (ja_object_from_json(&ja_noun_template, json_array_get(json_object_get(specs, "templates"), 0), true, &object,
                            &err) < 0)
        die(&err, "template");
    template = object;
    for (size_t i = 0; i < 2; i++)
        subjects[i] = (struct ja_subject){.jail = jails[i], .template = template, .networks = nets[i]};
    json_decref(specs);
}

static void forget_specs(void)
{
    for (size_t i = 0; i < 2; i++) {
        ja_object_free(&ja_noun_network, networks[i]);
        ja_object_free(&ja_noun_jail, jails[i]);
    }
    ja_object_free(&ja_noun_template, template);
}

/* What the facts file does not mention is absent. */
static void answer(struct ja_facts *facts, struct ja_facts *described)
{
    for (size_t i = 0; i < facts->count; i++) {
        struct ja_fact *fact = &facts->items[i];
        if (!fact->known)
            ja_facts_set(facts, fact->kind, fact->name, ja_fact(described, fact->kind, fact->name));
    }
}

/* The plan as a script, its flags as comments; or why there is none. */
static void print(const struct ja_plan *plan, struct ja_str *text)
{
    struct ja_error err = JA_ERROR_INIT;
    if (ja_plan_check(plan, &err) < 0) {
        ja_str_addf(text, "# refused: %s%s%s\n", err.object, err.object[0] ? ": " : "", err.what);
        return;
    }
    ja_plan_print(plan, text);
    for (size_t i = 0; i < plan->notes.count; i++)
        ja_str_addf(text, "# warning: %s\n", plan->notes.items[i]);
    size_t k = 0;
    while (k < plan->count && !(plan->steps[k]->flags & JA_STEP_COMMIT))
        k++;
    ja_str_add(text, "\n# a failure before the commit is undone by:\n");
    while (k-- > 0) {
        const struct ja_step *step = plan->steps[k];
        if (step->undo.argv.count == 0)
            continue;
        ja_str_add(text, "#  ");
        for (size_t w = 0; w < step->undo.argv.count; w++) {
            ja_str_add(text, " ");
            ja_str_add_quoted(text, step->undo.argv.items[w]);
        }
        if (step->guard.set)
            ja_str_addf(text, "   if there is the %s %s", ja_fact_kind_name(step->guard.kind), step->guard.name);
        ja_str_add(text, "\n");
    }
}

static void make(const struct ja_site *site, const char *dir, const struct golden *golden, struct ja_str *text)
{
    struct ja_facts facts = {0}, described = {0};
    struct ja_error err = JA_ERROR_INIT;
    char name[64];
    snprintf(name, sizeof name, "%s.json", golden->facts);
    json_t *json = load(dir, name);
    if (ja_facts_from_json(&described, json, &err) < 0)
        die(&err, name);
    json_decref(json);
    if (golden->title)
        ja_str_addf(text, "%s#### %s\n", text->length ? "\n" : "", golden->title);
    for (int round = 0; round < ROUNDS; round++) {
        struct ja_plan plan = {0};
        struct ja_planning p = {.plan = &plan,
                                .facts = &facts,
                                .site = site,
                                .host = ja_host_of(site->os),
                                .storage = ja_storage_of(site->storage)};
        ja_plan_init(&plan, "golden", "host", "");
        golden->plan(&p);
        bool done = facts.missing == 0;
        if (done)
            print(&plan, text);
        ja_plan_fini(&plan);
        if (done)
            break;
        answer(&facts, &described);
    }
    ja_facts_fini(&facts);
    ja_facts_fini(&described);
}

static int compare(const char *path, const char *made)
{
    char *stored = NULL;
    if (ja_file_read(path, TEXT_MOST, &stored, NULL, NULL) == 0 && strcmp(stored, made) == 0) {
        free(stored);
        return 0;
    }
    const char *was = stored ? stored : "";
    while (*was && *was == *made)
        was++, made++;
    printf("%s is not what is planned now: it goes on with\n  %.*s\ninstead of\n  %.*s\n", path, 200, made, 200, was);
    free(stored);
    return 1;
}

static int check_host(const char *dir, bool update)
{
    struct ja_site site;
    struct ja_error err = JA_ERROR_INIT;
    int bad = 0;
    size_t count = 0;
    json_t *json = load(dir, "site.json");
    if (ja_site_from_json(json, &site, &err) < 0)
        die(&err, dir);
    json_decref(json);
    snprintf(site.state, sizeof site.state, "/var/db/jailadmin");
    snprintf(site.self, sizeof site.self, "/usr/sbin/jailadmin");
    load_specs(dir);
    for (size_t i = 0; i < JA_COUNT(cases); i++) {
        char path[512];
        struct ja_str made = {0};
        if (cases[i].only && strcmp(cases[i].only, ja_host_of(site.os)->name) != 0)
            continue;
        count++;
        make(&site, dir, &cases[i], &made);
        while (i + 1 < JA_COUNT(cases) && strcmp(cases[i].name, cases[i + 1].name) == 0)
            make(&site, dir, &cases[++i], &made);
        snprintf(path, sizeof path, "%s/%s/%s.sh", top, dir, cases[i].name);
        if (update && ja_file_write(path, made.text, made.length, 0644, false, &err) < 0)
            die(&err, path);
        if (!update)
            bad += compare(path, made.text);
        ja_str_fini(&made);
    }
    forget_specs();
    printf("%s: %zu plans, %d differ\n", dir, count, bad);
    return bad;
}

static int is_host(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strchr(entry->d_name, '-') != NULL;
}

int main(int argc, char **argv)
{
    bool update = argc > 2 && strcmp(argv[1], "--update") == 0;
    struct dirent **entries;
    int bad = 0;
    top = argv[argc - 1];
    int count = argc > 1 ? scandir(top, &entries, is_host, alphasort) : -1;
    if (count < 0) {
        fprintf(stderr, "usage: test_golden [--update] DIR\n");
        return 2;
    }
    for (int i = 0; i < count; i++) {
        bad += check_host(entries[i]->d_name, update);
        free(entries[i]);
    }
    free(entries);
    if (bad)
        printf("if that is as it should be: %s --update %s, and look at the difference\n", argv[0], top);
    return bad ? 1 : 0;
}
