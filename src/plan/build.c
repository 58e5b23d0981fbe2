/*
 * build.c: what is done in a template's tree before it is sealed: packages, commands and scripts, in a temporary jail whose tree
 * it is. The jail's steps come before the commit step and are undone like any others; it is gone when the version is sealed.
 */
#include "host/host.h"
#include "plan/planning.h"

#include <stdio.h>
#include <string.h>

#define STEP_TIMEOUT_MS (3600 * 1000)

/*
 * Scripts that run in the jail, never on the host. Nothing is put into their text: packages are their arguments.
 */

/* Debian's packages start their services when they are installed, unless a file says no. */
static const char prepare_script[] =
    "if command -v dpkg >/dev/null && [ -d /usr/sbin ] && [ ! -e /usr/sbin/policy-rc.d ]; then\n"
    "    printf '#!/bin/sh\\n# jailadmin\\nexit 101\\n' >/usr/sbin/policy-rc.d\n"
    "    chmod 755 /usr/sbin/policy-rc.d\n"
    "fi\n";

static const char package_script[] =
    "set -e\n"
    "if command -v apt-get >/dev/null; then\n"
    "    apt-get -q update\n"
    "    apt-get -q -y --no-install-recommends install -- \"$@\"\n"
    "elif command -v apk >/dev/null; then\n"
    "    apk add --no-cache -- \"$@\"\n"
    "elif command -v dnf >/dev/null; then\n"
    "    dnf -y install -- \"$@\"\n"
    "elif command -v pkg >/dev/null; then\n"
    "    ASSUME_ALWAYS_YES=yes pkg install -y -- \"$@\"\n"
    "else\n"
    "    echo 'the template has no package manager: none of apt-get, apk, dnf and pkg' >&2\n"
    "    exit 1\n"
    "fi\n";

static const char tidy_script[] =
    "if [ \"$(sed -n 2p /usr/sbin/policy-rc.d 2>/dev/null)\" = '# jailadmin' ]; then rm /usr/sbin/policy-rc.d; fi\n"
    "if command -v apt-get >/dev/null; then apt-get clean; rm -rf /var/lib/apt/lists/*; fi\n"
    "if command -v dnf >/dev/null; then dnf -q clean all; fi\n"
    "if [ -x /usr/local/sbin/pkg ]; then pkg clean -aqy; rm -rf /var/db/pkg/repos /var/db/pkg/repo-*; fi\n";

/* A script of the host comes on standard input and gets a place that is no part of the tree, $1. */
static const char run_script[] = "umask 077; rm -f \"$1\"; cat >\"$1\" && chmod 700 \"$1\" && exec \"$1\"";

/* Without an #! line a script is one for sh(1). */
static const char run_sh[] = "umask 077; cat >\"$1\" && exec /bin/sh \"$1\"";

/* /dev of a Linux jail is a file system of its own in memory; where FreeBSD has devfs, /tmp is one while a template is built. */
static const char *script_place(const struct ja_planning *p)
{
    return p->site->os == JA_OS_FREEBSD ? "/tmp/.jailadmin-script" : "/dev/.jailadmin-script";
}

static struct ja_step *in_jail(struct ja_planning *p, const struct ja_jail *jail, const char *script, const char *why)
{
    struct ja_step *step = ja_plan_step(p->plan, "%s", why);
    p->host->jail_exec(p, step, jail);
    ja_step_run(p->plan, step, "/bin/sh", "-c", script, NULL);
    step->timeout_ms = STEP_TIMEOUT_MS;
    return step;
}

static void install(struct ja_planning *p, const struct ja_jail *jail, const struct ja_strv *packages)
{
    struct ja_step *step = in_jail(p, jail, package_script, "install packages in it");
    ja_step_run(p->plan, step, "sh", NULL);
    for (size_t i = 0; i < packages->count; i++)
        ja_step_run(p->plan, step, packages->items[i], NULL);
}

static void run_command(struct ja_planning *p, const struct ja_jail *jail, const struct ja_build_command *command)
{
    char shown[96], why[160];
    if (!command->script) {
        snprintf(why, sizeof why, "run in it: %s", ja_str_show(shown, sizeof shown, command->text));
        in_jail(p, jail, command->text, why);
        return;
    }
    snprintf(why, sizeof why, "run the script %s in it", ja_str_show(shown, sizeof shown, command->script));
    struct ja_step *step = in_jail(p, jail, ja_str_starts(command->text, "#!") ? run_script : run_sh, why);
    ja_step_run(p->plan, step, "sh", script_place(p), NULL);
    ja_step_input(p->plan, step, "%s", command->text);
}

void ja_plan_template_build(struct ja_planning *p, const struct ja_template_build *build, const char *tree)
{
    const struct ja_subject *builder = build->builder;
    p->build = builder->jail;
    p->build_tree = tree;
    ja_plan_shift_ids(p, tree, true, "give it the ids of jails while it is built");
    p->host->jail_start(p, builder);
    in_jail(p, builder->jail, prepare_script, "keep packages from starting services");
    if (build->packages->count)
        install(p, builder->jail, build->packages);
    for (size_t i = 0; i < build->command_count; i++)
        run_command(p, builder->jail, &build->commands[i]);
    in_jail(p, builder->jail, tidy_script, "take away what is only for the installation");
    p->host->jail_stop(p, builder, true);
    ja_plan_shift_ids(p, tree, false, "give it the ids of a template again");
    p->build = NULL;
    p->build_tree = NULL;
}
