/*
 * doctor.c: looking for what is wrong with a host and an instance. Most of it is pure: from facts, as plans are. The rest reads the
 * store.
 */
#include "base/clock.h"
#include "base/file.h"
#include "engine/internal.h"
#include "host/host.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

/* A change that is open for longer is worth a word, ms. */
enum { LONG_MS = 60 * 1000, FACTS_ROUNDS = 32 };

struct objects {
    struct ja_loaded *jails;
    size_t jail_count;
    struct ja_list networks, templates;
};

struct doctor {
    struct ja_engine *engine;
    struct ja_findings found;
    struct objects objects;
    struct ja_known known;
    struct ja_initial *init; /* where there is no instance: the one that init would make, for its facts */
};

static void objects_fini(struct objects *objects)
{
    for (size_t i = 0; i < objects->jail_count; i++)
        ja_loaded_fini(&objects->jails[i]);
    free(objects->jails);
    ja_list_fini(&ja_noun_network, &objects->networks);
    ja_list_fini(&ja_noun_template, &objects->templates);
}

/* ---- what the store says ---- */

static int load_jail(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct doctor *d = context;
    struct ja_loaded *jails = ja_realloc(d->objects.jails, (d->objects.jail_count + 1) * sizeof *jails);
    struct ja_error why = JA_ERROR_INIT;
    char subject[96];
    if (!jails)
        return ja_error_nomem(err);
    d->objects.jails = jails;
    int rc = ja_load_jail(d->engine, row->name, &jails[d->objects.jail_count], &why);
    if (rc == 0)
        d->objects.jail_count++;
    else
        ja_find(&d->found, JA_LEVEL_BAD, JA_LABEL("jail", row->name),
                why.hint[0] ? why.hint : "`jailadmin restore` a backup, or delete it", "%s", why.what);
    if (ja_row_is_broken(row)) {
        snprintf(subject, sizeof subject, "jail %s", row->name);
        ja_find(&d->found, JA_LEVEL_BAD, subject, "`jailadmin gc` tries again; `jailadmin events` tells what happened",
                "it is broken: a change failed and could not be undone");
    }
    return 0;
}

static int load_other(void *context, const struct ja_row *row, struct ja_error *err)
{
    struct doctor *d = context;
    const struct ja_noun *noun = ja_noun_of_kind(row->kind);
    struct ja_list *list = noun == &ja_noun_network ? &d->objects.networks : &d->objects.templates;
    struct ja_error why = JA_ERROR_INIT;
    void *object = NULL;
    if (ja_row_is_broken(row))
        ja_find(&d->found, JA_LEVEL_BAD, JA_LABEL(row->kind, row->name), "`jailadmin gc` tries again",
                "it is broken: a change failed and could not be undone");
    if (ja_object_from_json(noun, row->spec, true, &object, &why) < 0) {
        ja_find(&d->found, JA_LEVEL_BAD, JA_LABEL(row->kind, row->name), "`jailadmin restore` a backup", "%s",
                why.what);
        return 0;
    }
    return ja_list_add(noun, list, object) < 0 ? ja_error_nomem(err) : 0;
}

static int note_open(void *context, const struct ja_plan_row *row, struct ja_error *err)
{
    struct doctor *d = context;
    char since[JA_TIME_TEXT];
    (void)err;
    ja_clock_format(row->started_ms, since);
    if (strcmp(row->result, "broken") != 0 && strcmp(row->result, "kept") != 0 &&
        ja_clock_wall_ms() - row->started_ms < LONG_MS)
        return 0;
    ja_find(&d->found, JA_LEVEL_WARN, JA_LABEL(row->kind, row->name),
            "if nobody works on it any more, `jailadmin gc` finishes or undoes it", "%s, begun %s by %s, has not ended",
            row->verb, since, row->who);
    return 0;
}

static void check_registration(struct doctor *d)
{
    struct ja_instance instance;
    struct ja_error why = JA_ERROR_INIT;
    const struct ja_site *site = &d->engine->site;
    int rc = ja_registry_find(d->engine->options.state, &instance, &why);
    if (rc < 0)
        ja_find(&d->found, JA_LEVEL_BAD, "instance", "`jailadmin repair` registers it again",
                "it is not registered on this machine: its numbers could be given away (%s)", why.what);
    else if (strcmp(instance.uuid, site->uuid) != 0 || strcmp(instance.tag, site->tag) != 0)
        ja_find(&d->found, JA_LEVEL_BAD, "instance", "name the right state directory with --state",
                "%s is registered as another instance, %s", d->engine->options.state, instance.tag);
    else
        ja_find(&d->found, JA_LEVEL_OK, "instance", NULL, "%s, tag %s, %lld slots", site->uuid, site->tag,
                (long long)site->slots);
}

static int check_store(struct doctor *d, struct ja_error *err)
{
    struct ja_engine *engine = d->engine;
    struct ja_error why = JA_ERROR_INIT;
    ja_autofree char *ready = NULL;
    check_registration(d);
    if (ja_store_verify(engine->store, &why) < 0)
        ja_find(&d->found, JA_LEVEL_BAD, "store", why.hint, "%s", why.what);
    else
        ja_find(&d->found, JA_LEVEL_OK, "store", NULL, "it is whole");
    if (ja_store_setting(engine->store, "ready", &ready, NULL) < 0 || strcmp(ready, "yes") != 0)
        ja_find(&d->found, JA_LEVEL_BAD, "instance",
                "`jailadmin teardown` removes what was left, `jailadmin init` begins anew",
                "its init or teardown was cut off before its end");
    int rc = ja_store_each(engine->store, "network", NULL, load_other, d, err);
    if (rc == 0)
        rc = ja_store_each(engine->store, "template", NULL, load_other, d, err);
    if (rc == 0)
        rc = ja_store_each(engine->store, "jail", NULL, load_jail, d, err);
    if (rc == 0)
        rc = ja_store_plans(engine->store, NULL, true, 0, note_open, d, err);
    return rc == 0 ? ja_engine_known(engine, &d->known, err) : rc;
}

/* ---- what facts say: pure ---- */

/* Lets a planner plan for the facts that it asks, or for the reasons of its steps. */
static void ask(struct ja_planning *p, struct ja_plan *plan, void (*planner)(void *work, struct ja_planning *p),
                void *work)
{
    struct ja_planning q = *p;
    q.plan = plan;
    ja_plan_init(plan, "look", "host", "");
    planner(work, &q);
}

static void examine_jail(struct ja_planning *p, const struct ja_subject *s, struct ja_findings *findings)
{
    const struct ja_jail *jail = s->jail;
    bool runs = p->host->jail_running(p, jail);
    ja_autofree char *tree = ja_path_root(p, jail);
    if (p->storage->pool_mounted(p) && tree && jail->state == JA_ROW_READY && !ja_fact(p->facts, JA_FACT_PATH, tree))
        ja_find(findings, JA_LEVEL_BAD, JA_LABEL("jail", jail->name), "bring it back from a copy, or delete the jail",
                "its tree is gone: %s", tree);
    if (jail->wanted == JA_WANTED_RUNNING && !runs && jail->state == JA_ROW_READY)
        ja_find(findings, JA_LEVEL_WARN, JA_LABEL("jail", jail->name),
                "`jailadmin start`, or `jailadmin stop` if it is well so",
                "it is wanted running, and does not run: its init has ended, or the host was booted since");
}

static void examine_network(struct ja_planning *p, const struct ja_network *network, struct ja_findings *findings)
{
    if (!p->host->network_is_up(p, network))
        ja_find(findings, JA_LEVEL_WARN, JA_LABEL("network", network->name),
                "`jailadmin repair` makes it; so does the next start of a jail", "it is not up as it should be");
}

static void plan_host_repair(JA_UNUSED void *work, struct ja_planning *p)
{
    ja_plan_instance_repair(p);
}

static void plan_jail_repair(void *work, struct ja_planning *p)
{
    ja_plan_jail_repair(p, work);
}

/* What somebody has removed of rules, or of a running jail's network. */
static void examine_damage(struct ja_planning *p, const char *subject,
                           void (*planner)(void *work, struct ja_planning *p), const void *work,
                           struct ja_findings *findings)
{
    struct ja_plan plan = {0};
    if (!p->host->repairs_exactly)
        return;
    ask(p, &plan, planner, (void *)(uintptr_t)work);
    if (plan.err.code)
        ja_find(findings, JA_LEVEL_WARN, subject, plan.err.hint[0] ? plan.err.hint : "restart it",
                "something of it is missing, and `jailadmin repair` cannot make it: %s", plan.err.what);
    for (size_t i = 0; i < plan.notes.count; i++)
        ja_find(findings, JA_LEVEL_WARN, subject, "restart it", "%s", plan.notes.items[i]);
    for (size_t i = 0; i < plan.count; i++)
        ja_find(findings, JA_LEVEL_WARN, subject, "`jailadmin repair` does it",
                "somebody has removed something; to do: %s", plan.steps[i]->why);
    ja_plan_fini(&plan);
}

static void examine_kept(struct ja_planning *p, const struct ja_noun *noun, const void *object,
                         struct ja_findings *findings)
{
    if (ja_plan_spec_lost(p, noun, object))
        ja_find(findings, JA_LEVEL_WARN, JA_LABEL(noun->name, *(char *const *)object),
                "`jailadmin repair` writes it again",
                "its spec in the pool, which `adopt` would need, is missing or damaged");
}

static void examine_leftovers(struct doctor *d, struct ja_planning *p)
{
    struct ja_plan plan = {0};
    ask(p, &plan, ja_plan_leftovers, &d->known);
    for (size_t i = 0; i < plan.count; i++)
        if (i == 0 || strcmp(plan.steps[i]->why, plan.steps[i - 1]->why) != 0)
            ja_find(&d->found, JA_LEVEL_WARN, "leftovers", "`jailadmin gc` does it", "to do: %s", plan.steps[i]->why);
    ja_plan_fini(&plan);
}

static void examine_loaded(struct ja_planning *p, const struct ja_loaded *loaded, struct ja_findings *findings)
{
    const struct ja_subject *runs_with = loaded->last ? &loaded->last->subject : &loaded->subject;
    examine_jail(p, &loaded->subject, findings);
    if (loaded->jail->state == JA_ROW_READY)
        examine_kept(p, &ja_noun_jail, loaded->jail, findings);
    if (p->host->jail_running(p, loaded->jail))
        examine_damage(p, JA_LABEL("jail", loaded->jail->name), plan_jail_repair, runs_with, findings);
}

static void examine(void *work, struct ja_planning *p)
{
    struct doctor *d = work;
    ja_findings_fini(&d->found);
    if (p->host->examine)
        p->host->examine(p, &d->found);
    if (!p->site->tag[0])
        return;
    ja_examine_pool(p, &d->found);
    examine_damage(p, "rules", plan_host_repair, NULL, &d->found);
    for (size_t i = 0; i < d->objects.networks.count; i++)
        examine_network(p, d->objects.networks.items[i], &d->found);
    for (size_t i = 0; i < d->objects.networks.count; i++)
        examine_kept(p, &ja_noun_network, d->objects.networks.items[i], &d->found);
    for (size_t i = 0; i < d->objects.templates.count; i++)
        if (((struct ja_template *)d->objects.templates.items[i])->state == JA_ROW_READY)
            examine_kept(p, &ja_noun_template, d->objects.templates.items[i], &d->found);
    for (size_t i = 0; i < d->objects.jail_count; i++)
        examine_loaded(p, &d->objects.jails[i], &d->found);
    examine_leftovers(d, p);
}

/* ---- facts for planning elsewhere ---- */

static void plan_start(void *work, struct ja_planning *p)
{
    const struct ja_subject *s = work;
    ja_autofree char *run = ja_path_run(p, s->jail);
    /* What the engine asks before it plans: whether it runs, and whether its trees are mounted. */
    if (run)
        ja_factf(p->facts, JA_FACT_PROCESS, "%s/pid", run);
    if (p->storage->jail_mounted && !p->storage->jail_mounted(p, s->jail))
        p->storage->jail_mount(p, s->jail);
    p->host->jail_running(p, s->jail);
    ja_plan_jail_start(p, s);
}

static void plan_stop(void *work, struct ja_planning *p)
{
    ja_plan_jail_stop(p, work, false);
}

static void plan_delete(void *work, struct ja_planning *p)
{
    ja_plan_jail_delete(p, work, true);
}

static void plan_network(void *work, struct ja_planning *p)
{
    ja_plan_network_up(p, work);
    p->host->network_down(p, work);
    ja_plan_keep_spec(p, &ja_noun_network, work);
}

static void plan_create(void *work, struct ja_planning *p)
{
    ja_plan_jail_create(p, work, true);
}

static void plan_pool(JA_UNUSED void *work, struct ja_planning *p)
{
    ja_plan_pool_mount(p);
}

/* A jail that somebody may make of a template, on the first network; NULL: no memory. Its name and uuid are nobody's. */
static struct ja_jail *imagine_jail(const struct ja_template *template, const struct ja_network *network)
{
    ja_autofree char *of = ja_printf("template=%s", template->name);
    ja_autofree char *nic = network ? ja_printf("eth0,network=%s", network->name) : NULL;
    struct ja_jail *jail = ja_object_new(&ja_noun_jail);
    bool made = jail && of && ja_object_set(&ja_noun_jail, jail, "name=new", true, NULL) == 0 &&
                ja_object_set(&ja_noun_jail, jail, of, true, NULL) == 0 &&
                (!network || (nic && ja_object_set_entry(&ja_noun_jail, jail, "nics", nic, NULL) == 0)) &&
                (jail->uuid = ja_strdup(template->uuid)) && (jail->version = ja_strdup(template->current));
    if (made)
        return jail;
    ja_object_free(&ja_noun_jail, jail);
    return NULL;
}

static void ask_new_jail(struct doctor *d, struct ja_planning *p, const struct ja_template *template)
{
    const struct ja_network *network = d->objects.networks.count ? d->objects.networks.items[0] : NULL;
    struct ja_jail *jail = template->current ? imagine_jail(template, network) : NULL;
    struct ja_subject subject = {.jail = jail, .template = template, .networks = &network};
    struct ja_plan plan = {0};
    if (!jail)
        return;
    ask(p, &plan, plan_create, &subject);
    ja_plan_fini(&plan);
    ask(p, &plan, plan_start, &subject);
    ja_plan_fini(&plan);
    ja_object_free(&ja_noun_jail, jail);
}

/* What the init of an instance would ask, that is not there yet. */
static void ask_init(struct doctor *d, struct ja_planning *p)
{
    struct ja_plan plan = {0};
    struct ja_planning q = *p;
    if (!d->init)
        return;
    q.site = ja_initial_site(d->init);
    q.storage = ja_storage_of(q.site->storage);
    ask(&q, &plan, ja_initial_ask, d->init);
    ja_plan_fini(&plan);
}

/* What the plans for the objects that there are would ask. Their steps are thrown away. */
static void ask_all(void *work, struct ja_planning *p)
{
    struct doctor *d = work;
    void (*const planners[])(void *, struct ja_planning *) = {plan_start, plan_stop, plan_delete};
    struct ja_plan plan = {0};
    examine(work, p);
    if (!p->site->tag[0]) {
        ask_init(d, p);
        return;
    }
    ask(p, &plan, plan_pool, NULL);
    ja_plan_fini(&plan);
    for (size_t i = 0; i < d->objects.networks.count; i++) {
        ask(p, &plan, plan_network, d->objects.networks.items[i]);
        ja_plan_fini(&plan);
    }
    for (size_t i = 0; i < d->objects.templates.count; i++)
        ask_new_jail(d, p, d->objects.templates.items[i]);
    for (size_t i = 0; i < d->objects.jail_count; i++)
        for (size_t k = 0; k < JA_COUNT(planners); k++) {
            ask(p, &plan, planners[k], &d->objects.jails[i].subject);
            ja_plan_fini(&plan);
        }
}

static int save_facts(const struct ja_facts *facts, const char *path, struct ja_error *err)
{
    json_t *json = ja_facts_to_json(facts);
    ja_autofree char *text = json ? ja_json_text(json, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    json_decref(json);
    return text ? ja_file_write(path, text, strlen(text), 0600, false, err) : ja_error_nomem(err);
}

/* Reads facts until nothing is missing, as planning does, and keeps them. */
static int examine_facts(struct doctor *d, const char *path, struct ja_error *err)
{
    struct ja_engine *engine = d->engine;
    struct ja_facts facts = {0};
    int rc = 0;
    for (int round = 0; rc == 0 && round < FACTS_ROUNDS; round++) {
        struct ja_plan plan = {0};
        struct ja_planning p = {
            .plan = &plan, .facts = &facts, .site = &engine->site, .host = engine->host, .storage = engine->storage};
        ja_plan_init(&plan, "doctor", "host", "instance");
        (path ? ask_all : examine)(d, &p);
        ja_plan_fini(&plan);
        if (facts.failed || d->found.failed)
            rc = ja_error_nomem(err);
        else if (facts.missing == 0)
            break;
        else
            rc = engine->machine->facts.read(engine->machine->facts.context, &facts, err);
    }
    if (rc == 0 && path)
        rc = save_facts(&facts, path, err);
    ja_facts_fini(&facts);
    return rc;
}

/* ---- all of it ---- */

static int note_orphan(void *context, const struct ja_found *found, struct ja_error *err)
{
    struct doctor *d = context;
    char remedy[200];
    (void)err;
    if (found->status == JA_FOUND_KNOWN)
        return 0;
    snprintf(remedy, sizeof remedy,
             found->status == JA_FOUND_FREE ? "`jailadmin adopt`" : "`jailadmin gc %s` destroys it", found->label);
    ja_find(&d->found, JA_LEVEL_WARN, "orphan", remedy, "%s belongs to nobody%s%s", found->label,
            found->problem[0] ? ": " : "", found->problem);
    return 0;
}

/* The store that is there, for reading; a damaged one is a finding, and so is none. */
static int open_instance(const struct ja_engine_options *options, struct doctor *d, struct ja_error *err)
{
    struct ja_engine_options reading = *options;
    struct ja_error why = JA_ERROR_INIT;
    reading.read_only = true;
    reading.incomplete = true;
    int rc = ja_engine_open(&reading, &d->engine, &why);
    if (rc == 0)
        return 0;
    d->engine = ja_calloc(1, sizeof *d->engine);
    if (!d->engine)
        return ja_error_nomem(err);
    d->engine->options = reading;
    d->engine->site.os = ja_options_os(options);
    d->engine->site.storage = d->engine->site.os == JA_OS_FREEBSD ? JA_STORAGE_ZFS : JA_STORAGE_BTRFS;
    ja_site_place(&d->engine->site, options);
    if (rc == JA_E_NOTFOUND)
        ja_find(&d->found, JA_LEVEL_WARN, "instance", "`jailadmin init` makes one; what it needs is examined here",
                "there is none in %s", options->state);
    else
        ja_find(&d->found, JA_LEVEL_BAD, "store", why.hint[0] ? why.hint : "`jailadmin restore` a backup", "%s",
                why.what);
    return ja_engine_machine(d->engine, err);
}

/* Findings of the store come before those of the host, which `examine` begins anew each time. */
static int tell(const struct ja_findings *findings,
                int (*each)(void *context, const struct ja_finding *finding, struct ja_error *err), void *context,
                struct ja_error *err)
{
    int rc = findings->failed ? ja_error_nomem(err) : 0;
    for (size_t i = 0; rc == 0 && i < findings->count; i++)
        rc = each(context, &findings->items[i], err);
    return rc;
}

int ja_engine_doctor(const struct ja_engine_options *options, const char *facts_path, const char *storage,
                     int (*each)(void *context, const struct ja_finding *finding, struct ja_error *err), void *context,
                     struct ja_error *err)
{
    struct doctor d = {0};
    int rc = open_instance(options, &d, err);
    if (rc == 0 && d.engine->store)
        rc = check_store(&d, err);
    if (rc == 0 && d.engine->store)
        rc = ja_engine_scan(d.engine, note_orphan, &d, err);
    if (rc == 0)
        rc = tell(&d.found, each, context, err);
    if (rc == 0 && storage && !d.engine->site.tag[0])
        rc = ja_initial_make(options, storage, &d.init, err);
    if (rc == 0)
        rc = examine_facts(&d, facts_path, err);
    if (rc == 0)
        rc = tell(&d.found, each, context, err);
    ja_findings_fini(&d.found);
    ja_known_fini(&d.known);
    objects_fini(&d.objects);
    ja_initial_free(d.init);
    ja_engine_close(d.engine);
    return rc;
}
