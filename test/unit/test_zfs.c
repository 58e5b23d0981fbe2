/*
 * test_zfs.c: ZFS without ZFS: what a FreeBSD 13.2 and a 15.1 printed is read right, and the planner's commands have the
 * forms that worked there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "run/zfs.h"
#include "storage/storage.h"

#include <string.h>

#define INSTANCE "31a8e0ca-6f9d-4472-97b0-eff48857c3c1"
#define OBJECT "ed5c38ca-3327-4948-a4ff-e4c1d5822843"
#define VERSION "522e962c-0199-48da-9ed4-e379bd4a2900"

/* ---- what zfs prints ---- */

static void errors_are_told_apart(void **unused)
{
    (void)unused;
    /* Output of 13.2, 15.1, and of umount on Linux. */
    assert_int_equal(ja_zfs_code("cannot open 'tank/jails/nosuch': dataset does not exist\n"), JA_E_NOTFOUND);
    assert_int_equal(ja_zfs_code("cannot create 'tank/jails/web1': dataset already exists\n"), JA_E_EXISTS);
    assert_int_equal(ja_zfs_code("cannot unmount '/jails/web1': pool or dataset is busy\n"), JA_E_BUSY);
    assert_int_equal(ja_zfs_code("umount: /jails/web1: target is busy.\n"), JA_E_BUSY);
    assert_int_equal(ja_zfs_code("cannot destroy snapshot tank/jails/web1@a: dataset is busy\n"), JA_E_BUSY);
    assert_int_equal(ja_zfs_code("cannot destroy snapshot tank/jails/web1@a: it's being held. Run 'zfs holds -r "
                                 "tank/jails/web1@a' to see holders.\n"),
                     JA_E_FAILED);
    assert_int_equal(ja_zfs_code("cannot destroy 'tank/a': filesystem has children\nuse '-r' to destroy the following "
                                 "datasets:\ntank/a/b\n"),
                     JA_E_CONFLICT);
    assert_int_equal(ja_zfs_code("cannot destroy 'tank/jails/template': filesystem has dependent clones\nuse '-R' to "
                                 "destroy the following datasets:\ntank/jails/j1\n"),
                     JA_E_CONFLICT);
    assert_int_equal(ja_zfs_code("cannot create 'tank/a/b': parent does not exist\n"), JA_E_FAILED);
}

static void a_mark_counts_where_it_is_local(void **unused)
{
    (void)unused;
    static const char *const names[] = {"tank/ours",   "tank/ours/theirs", "tank/ours@seal",  "tank/ours/theirs@seal",
                                        "tank/nobody", "tank/nosuch",      "tank/ours@nosuch"};
    char text[] = "cannot open 'tank/nosuch': dataset does not exist\n"
                  "cannot open 'tank/ours@nosuch': dataset does not exist\n"
                  "tank/ours\ta b\tlocal\n"
                  "tank/ours/theirs\ta b\tinherited from tank/ours\n"
                  "tank/ours@seal\ta b\tinherited from tank/ours\n"
                  "tank/ours/theirs@seal\ta b\tinherited from tank/ours\n"
                  "tank/nobody\t-\t-\n";
    struct ja_facts facts = {0};
    for (size_t i = 0; i < JA_COUNT(names); i++)
        ja_fact(&facts, JA_FACT_DATASET, names[i]);
    assert_int_equal(ja_zfs_facts_parse(text, &facts, NULL), 0);
    assert_int_equal(facts.missing, 0);
    assert_string_equal(ja_fact(&facts, JA_FACT_DATASET, "tank/ours"), "a b");
    assert_string_equal(ja_fact(&facts, JA_FACT_DATASET, "tank/ours/theirs"), "");
    assert_string_equal(ja_fact(&facts, JA_FACT_DATASET, "tank/ours@seal"), "a b");
    assert_string_equal(ja_fact(&facts, JA_FACT_DATASET, "tank/ours/theirs@seal"), "");
    assert_string_equal(ja_fact(&facts, JA_FACT_DATASET, "tank/nobody"), "");
    assert_null(ja_fact(&facts, JA_FACT_DATASET, "tank/nosuch"));
    assert_null(ja_fact(&facts, JA_FACT_DATASET, "tank/ours@nosuch"));
    ja_facts_fini(&facts);
}

static void used_space_is_read(void **unused)
{
    (void)unused;
    char text[] = "tank/a\t2359296\ntank/b\t-\ncannot open 'tank/nosuch': dataset does not exist\n";
    struct ja_facts facts = {0};
    ja_fact(&facts, JA_FACT_USED, "tank/a");
    ja_fact(&facts, JA_FACT_USED, "tank/b");
    ja_fact(&facts, JA_FACT_USED, "tank/nosuch");
    assert_int_equal(ja_zfs_used_parse(text, &facts, NULL), 0);
    assert_string_equal(ja_fact(&facts, JA_FACT_USED, "tank/a"), "2359296");
    assert_null(ja_fact(&facts, JA_FACT_USED, "tank/nosuch"));
    assert_int_equal(facts.missing, 1);
    ja_facts_fini(&facts);
}

static void lists_are_read(void **unused)
{
    (void)unused;
    char text[] = "tank/jails\tyes\t/jails\tnoauto\t-\n"
                  "tank/jails/web1\tno\tnone\toff\ttank/jails/template@1\n";
    struct ja_zfs_list list = {0};
    assert_int_equal(ja_zfs_list_parse(text, &list, NULL), 0);
    assert_int_equal(list.count, 2);
    assert_true(list.items[0].mounted && list.items[0].noauto);
    assert_string_equal(list.items[0].mountpoint, "/jails");
    assert_false(list.items[1].mounted || list.items[1].noauto);
    assert_string_equal(list.items[1].origin, "tank/jails/template@1");
    ja_zfs_list_fini(&list);
    char bad[] = "tank/jails yes\n";
    assert_int_equal(ja_zfs_list_parse(bad, &list, NULL), JA_E_FAILED);
}

/* ---- what the planner says on FreeBSD ---- */

static struct ja_site site = {.os = JA_OS_FREEBSD,
                              .storage = JA_STORAGE_ZFS,
                              .tag = "00",
                              .uuid = INSTANCE,
                              .self = "/usr/local/bin/jailadmin",
                              .state = "/var/db/jailadmin",
                              .pool = "/var/db/jailadmin/pool",
                              .source = "tank/ja",
                              .idmap = true};

/* Plans with facts in which only zfs, the pool tank and what `there` names exist; the script is the caller's. */
static char *script_of(void (*plan)(struct ja_planning *p), const char *there, int *ret_code)
{
    struct ja_facts facts = {0};
    struct ja_plan made = {0};
    struct ja_planning p = {.plan = &made, .facts = &facts, .site = &site, .storage = &ja_storage_zfs};
    struct ja_str text = {0};
    ja_facts_set(&facts, JA_FACT_TOOL, "zfs", "/sbin/zfs");
    ja_facts_set(&facts, JA_FACT_DATASET, "tank", "");
    if (there)
        ja_facts_set(&facts, JA_FACT_DATASET, there, INSTANCE " " OBJECT);
    for (;;) {
        ja_plan_init(&made, "test", "jail", "web1");
        plan(&p);
        if (facts.missing == 0)
            break;
        ja_plan_fini(&made);
        for (size_t i = 0; i < facts.count; i++)
            if (!facts.items[i].known)
                ja_facts_set(&facts, facts.items[i].kind, facts.items[i].name, NULL);
    }
    ja_plan_print(&made, &text);
    *ret_code = made.err.code;
    ja_plan_fini(&made);
    ja_facts_fini(&facts);
    return ja_str_take(&text);
}

static void check(void (*plan)(struct ja_planning *p), const char *there, const char *wanted)
{
    int code;
    ja_autofree char *script = script_of(plan, there, &code);
    assert_int_equal(code, 0);
    assert_string_equal(script, wanted);
}

static struct ja_jail web1 = {.name = (char *)"web1",
                              .uuid = (char *)OBJECT,
                              .template = (char *)"base",
                              .version = (char *)"1",
                              .be = (char *)"default",
                              .limits = {.disk = 64 << 20}};

static void plan_pool(struct ja_planning *p)
{
    p->storage->pool_create(p, 0);
}

static void plan_template(struct ja_planning *p)
{
    p->storage->template_create(p, "base", "1", VERSION);
    p->storage->template_seal(p, "base", "1", VERSION);
}

static void plan_create(struct ja_planning *p)
{
    p->storage->jail_create(p, &web1);
}

static void plan_clone(struct ja_planning *p)
{
    struct ja_jail from = web1;
    from.name = (char *)"old";
    from.uuid = (char *)VERSION;
    p->storage->jail_clone(p, &from, NULL, &web1);
}

static void plan_delete(struct ja_planning *p)
{
    p->storage->jail_retire(p, &web1);
    p->storage->jail_destroy(p, &web1);
}

#define MARKED(object) "'jailadmin:mark=" INSTANCE " " object "'"
#define HOST "/usr/local/bin/jailadmin host "

static void a_pool_is_made_of_datasets(void **unused)
{
    (void)unused;
    check(
        plan_pool, NULL,
        "# make the pool's mount point\n" HOST "mkdir --mode 0700 /var/db/jailadmin/pool\n"
        "# make the dataset of the pool\n"
        "/sbin/zfs create -o canmount=noauto -o " MARKED(
            INSTANCE) " -o mountpoint=/var/db/jailadmin/pool -o atime=off tank/ja\n"
                      "# make the datasets that hold templates, jails, and what is deleted\n"
                      "/sbin/zfs create -o canmount=off -o " MARKED(
                          INSTANCE) " tank/ja/templates\n"
                                    "/sbin/zfs create -o canmount=off -o " MARKED(
                                        INSTANCE) " tank/ja/jails\n"
                                                  "/sbin/zfs create -o canmount=off -o " MARKED(
                                                      INSTANCE) " -o mountpoint=none tank/ja/deleted\n"
                                                                "# mount the pool and all trees in it\n" HOST
                                                                "zfs-mount --below tank/ja\n"
                                                                "# make the pool's directories\n" HOST
                                                                "mkdir --mode 0700 /var/db/jailadmin/pool/templates\n" HOST
                                                                "mkdir --mode 0700 /var/db/jailadmin/pool/jails\n");
    int code;
    JA_UNUSED ja_autofree char *refused = script_of(plan_pool, "tank/ja", &code);
    assert_int_equal(code, JA_E_EXISTS);
}

static void a_template_is_sealed_by_a_snapshot(void **unused)
{
    (void)unused;
    check(plan_template, NULL,
          "# make the template's directory\n" HOST "mkdir --mode 0700 /var/db/jailadmin/pool/templates/base\n"
          "# make the dataset that holds its versions\n"
          "/sbin/zfs create -o canmount=off -o " MARKED(
              INSTANCE) " tank/ja/templates/base\n"
                        "# make an empty dataset for the template\n"
                        "/sbin/zfs create -o canmount=noauto -o " MARKED(
                            VERSION) " tank/ja/templates/base/1\n"
                                     "# mount it\n" HOST "zfs-mount tank/ja/templates/base/1\n"
                                     "# seal the version: read-only from now on\n" HOST
                                     "zfs-unmount tank/ja/templates/base/1\n"
                                     "/sbin/zfs snapshot tank/ja/templates/base/1@sealed\n"
                                     "/sbin/zfs set readonly=on tank/ja/templates/base/1\n"
                                     "# mount it again\n" HOST "zfs-mount tank/ja/templates/base/1\n");
}

static void a_jail_is_a_clone_of_it(void **unused)
{
    (void)unused;
    check(plan_create, NULL,
          "# make the jail's dataset, for its spec and log\n"
          "/sbin/zfs create -o canmount=noauto -o " MARKED(
              OBJECT) " tank/ja/jails/web1\n"
                      "# mount it\n" HOST "zfs-mount tank/ja/jails/web1\n"
                      "# make the datasets that hold its trees\n"
                      "/sbin/zfs create -o canmount=off -o " MARKED(
                          OBJECT) " tank/ja/jails/web1/root\n"
                                  "# clone the template base@1\n"
                                  "/sbin/zfs clone -o canmount=noauto -o " MARKED(
                                      OBJECT) " -o refquota=67108864 tank/ja/templates/base/1@sealed "
                                              "tank/ja/jails/web1/root/default\n"
                                              "# mount the jail's trees\n" HOST
                                              "zfs-mount --below tank/ja/jails/web1\n");
    int code;
    JA_UNUSED ja_autofree char *refused = script_of(plan_create, "tank/ja/jails/web1", &code);
    assert_int_equal(code, JA_E_EXISTS);
}

static void a_clone_of_a_jail_has_a_snapshot_of_its_own(void **unused)
{
    (void)unused;
    int code;
    ja_autofree char *script = script_of(plan_clone, NULL, &code);
    assert_int_equal(code, 0);
    assert_non_null(strstr(script, "/sbin/zfs snapshot tank/ja/jails/old/root/default@clone-" OBJECT "\n"));
    assert_non_null(
        strstr(script, " tank/ja/jails/old/root/default@clone-" OBJECT " tank/ja/jails/web1/root/default\n"));
}

static void a_deleted_jail_waits_for_its_clones(void **unused)
{
    (void)unused;
    check(plan_delete, "tank/ja/jails/web1",
          "# move the jail's trees out of the way\n" HOST "zfs-rename tank/ja/jails/web1 tank/ja/deleted/" OBJECT
          " '" INSTANCE " " OBJECT "'\n"
          "# destroy the jail's trees, or let them wait for their last clone\n" HOST
          "zfs-destroy --deleted tank/ja/deleted tank/ja/deleted/" OBJECT " '" INSTANCE " " OBJECT "'\n");
    int code;
    web1.uuid = (char *)VERSION;
    JA_UNUSED ja_autofree char *foreign = script_of(plan_delete, "tank/ja/jails/web1", &code);
    assert_int_equal(code, JA_E_CONFLICT);
    web1.uuid = (char *)OBJECT;
}

static void linux_keeps_a_shifted_copy_where_it_must(void **unused)
{
    (void)unused;
    int code;
    site.os = JA_OS_LINUX;
    site.idmap = false;
    site.shared_base = 0x6f000000;
    ja_autofree char *template = script_of(plan_template, NULL, &code), *jail = script_of(plan_create, NULL, &code);
    assert_non_null(strstr(template, HOST "shift-ids --from 0 --to 1862270976 --count 65536 "
                                          "/var/db/jailadmin/pool/templates/base/1.shifted\n"));
    assert_non_null(strstr(jail, " tank/ja/templates/base/1/shifted@sealed tank/ja/jails/web1/root/default\n"));
    web1.privileged = true;
    ja_autofree char *privileged = script_of(plan_create, NULL, &code);
    assert_non_null(strstr(privileged, " tank/ja/templates/base/1@sealed tank/ja/jails/web1/root/default\n"));
    web1.privileged = false;
    site.os = JA_OS_FREEBSD;
    site.idmap = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_told_apart),
        cmocka_unit_test(a_mark_counts_where_it_is_local),
        cmocka_unit_test(used_space_is_read),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(a_pool_is_made_of_datasets),
        cmocka_unit_test(a_template_is_sealed_by_a_snapshot),
        cmocka_unit_test(a_jail_is_a_clone_of_it),
        cmocka_unit_test(a_clone_of_a_jail_has_a_snapshot_of_its_own),
        cmocka_unit_test(a_deleted_jail_waits_for_its_clones),
        cmocka_unit_test(linux_keeps_a_shifted_copy_where_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
