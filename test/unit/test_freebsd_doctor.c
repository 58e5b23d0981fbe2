/*
 * test_freebsd_doctor.c: what doctor says of a FreeBSD host's packet filters, and what a network's start warns of.
 */
#include "host/freebsd/rules.h"
#include "host/host.h"
#include "plan/finding.h"

#include "scratch.h"

static struct ja_findings findings;
static struct ja_facts facts;
static struct ja_plan plan;

/* A host whose ipfw has these rules, the last one of them that of the kernel. */
static struct ja_planning host_with(const char *rules, const char *last)
{
    static const struct ja_site site = {.tag = "7f",
                                        .os = JA_OS_FREEBSD,
                                        .set = 17,
                                        .rule_base = 20000,
                                        .nat_base = 20000,
                                        .unit_base = 10000,
                                        .storage = JA_STORAGE_ZFS};
    ja_facts_fini(&facts);
    ja_findings_fini(&findings);
    ja_plan_fini(&plan);
    ja_plan_init(&plan, "look", "host", "");
    assert_int_equal(ja_facts_set(&facts, JA_FACT_MODULE, "ipfw", ""), 0);
    assert_int_equal(ja_facts_set(&facts, JA_FACT_IPFW, "rules", rules), 0);
    assert_int_equal(ja_facts_set(&facts, JA_FACT_IPFW, "rule 65535", last), 0);
    return (struct ja_planning){.plan = &plan, .facts = &facts, .site = &site, .host = &ja_host_freebsd};
}

/* Whether doctor finds something of that level with these words. */
static bool finds(const char *rules, const char *last, enum ja_level level, const char *words)
{
    struct ja_planning p = host_with(rules, last);
    ja_freebsd_rules_examine(&p, &findings);
    for (size_t i = 0; i < findings.count; i++)
        if (findings.items[i].level == level && strstr(findings.items[i].what, words))
            return true;
    return false;
}

/* Whether making a network warns of an ipfw that denies. */
static bool warns(const char *rules, const char *last)
{
    struct ja_network network = {.name = (char[]){"default"}};
    struct ja_planning p = host_with(rules, last);
    ja_freebsd_rules_up(&p, &network, true);
    for (size_t i = 0; i < plan.notes.count; i++)
        if (strstr(plan.notes.items[i], "denies by default"))
            return true;
    return false;
}

#define DENY "set 31 deny ip from any to any"
#define OURS "20060 set 17 deny ip from any to table(ja7fnatted) in not recv ja7f* not recv lo0\n"

static void an_ipfw_that_denies_is_told_of(void **state)
{
    (void)state;
    assert_true(finds(OURS "65535 " DENY "\n", DENY, JA_LEVEL_WARN, "denies by default"));
    assert_true(warns(OURS "65535 " DENY "\n", DENY));
    /* What accepts after all was denied accepts nothing. */
    assert_true(
        warns("64000 set 0 deny ip from any to any\n65000 set 0 allow ip from any to any\n65535 " DENY "\n", DENY));
    /* Ours are no rules of the host. */
    assert_true(warns("20900 set 17 allow ip from any to any\n65535 " DENY "\n", DENY));
}

static void not_where_the_hosts_own_rule_accepts(void **state)
{
    static const char rules[] =
        "100 set 0 deny ip from any to 127.0.0.0/8\n" OURS "65000 set 0 allow ip from any to any\n65535 " DENY "\n";
    (void)state;
    assert_false(finds(rules, DENY, JA_LEVEL_WARN, "denies by default"));
    assert_true(finds(rules, DENY, JA_LEVEL_OK, "rule 65000 of the host accepts the rest"));
    assert_false(warns(rules, DENY));
    assert_false(warns("65535 set 31 allow ip from any to any\n", "set 31 allow ip from any to any"));
}

static void a_rule_that_accepts_all_before_ours_is_bad(void **state)
{
    (void)state;
    assert_true(finds("100 set 0 allow ip from any to any\n65535 " DENY "\n", DENY, JA_LEVEL_BAD, "rule 100"));
}

static int end(void **state)
{
    (void)state;
    ja_facts_fini(&facts);
    ja_findings_fini(&findings);
    ja_plan_fini(&plan);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipfw_that_denies_is_told_of),
        cmocka_unit_test(not_where_the_hosts_own_rule_accepts),
        cmocka_unit_test(a_rule_that_accepts_all_before_ours_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
