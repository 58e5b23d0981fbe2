/*
 * test_clock.c: times are written as RFC 3339 says, identifiers are well formed, processes are told apart.
 */
#include "base/clock.h"
#include "scratch.h"

#include <signal.h>
#include <time.h>

static void times_are_utc_with_milliseconds(void **state)
{
    (void)state;
    char text[JA_TIME_TEXT];
    ja_clock_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    ja_clock_format(1732405704123, text);
    assert_string_equal(text, "2024-11-23T23:48:24.123Z");
    ja_clock_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
}

static void days_are_those_of_the_calendar(void **state)
{
    (void)state;
    for (int64_t day = ja_clock_days(1583, 1, 1); day < ja_clock_days(2820, 1, 1); day++) {
        time_t seconds = (time_t)(day * 86400);
        struct tm tm;
        int year, month, of_month;
        ja_clock_date(day, &year, &month, &of_month);
        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(year == tm.tm_year + 1900 && month == tm.tm_mon + 1 && of_month == tm.tm_mday);
        assert_int_equal(ja_clock_days(year, month, of_month), day);
    }
}

static void times_are_read_as_they_are_written(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 1732405704123, -1, 951782400000, 4107542400000, 1709164800999};
    static const char *const bad[] = {"",
                                      "2026-11-26",
                                      "2026-11-26T10:00:00Z",
                                      "2026-13-26T10:00:00.000Z",
                                      "2026-11-26T10:00:00.000Zx",
                                      "2026-11-26T24:00:00.000Z",
                                      "2026-11-26T10:00:2.000Z",
                                      "2026-11-26T10:00:+2.000Z",
                                      "2026-02-30T10:00:00.000Z"};
    int64_t ms;
    for (size_t i = 0; i < JA_COUNT(times); i++) {
        char text[JA_TIME_TEXT];
        ja_clock_format(times[i], text);
        assert_int_equal(ja_clock_parse(text, &ms), 0);
        assert_int_equal(ms, times[i]);
    }
    for (size_t i = 0; i < JA_COUNT(bad); i++)
        assert_int_equal(ja_clock_parse(bad[i], &ms), -1);
}

static void the_monotonic_clock_only_goes_forward(void **state)
{
    (void)state;
    int64_t before = ja_clock_monotonic_us();
    usleep(2000);
    assert_true(ja_clock_monotonic_us() - before >= 2000);
    assert_true(ja_clock_monotonic_ms() * 1000 >= before);
    assert_true(ja_clock_wall_ms() > 1700000000000);
}

static void identifiers_are_random_uuids_of_version_4(void **state)
{
    (void)state;
    char a[JA_UUID_TEXT], b[JA_UUID_TEXT];
    assert_int_equal(ja_uuid_new(a), 0);
    assert_int_equal(ja_uuid_new(b), 0);
    assert_true(ja_uuid_valid(a));
    assert_string_not_equal(a, b);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
}

static void what_is_not_a_uuid_is_refused(void **state)
{
    (void)state;
    assert_true(ja_uuid_valid("82bfcdcc-59f1-4df3-81c5-dd9eee08b405"));
    assert_false(ja_uuid_valid(""));
    assert_false(ja_uuid_valid("82bfcdcc-59f1-4df3-81c5-dd9eee08b40"));
    assert_false(ja_uuid_valid("82bfcdcc-59f1-4df3-81c5-dd9eee08b4055"));
    assert_false(ja_uuid_valid("82BFCDCC-59f1-4df3-81c5-dd9eee08b405"));
    assert_false(ja_uuid_valid("82bfcdcc/59f1-4df3-81c5-dd9eee08b405"));
    assert_false(ja_uuid_valid("82bfcdcc-59f1-4df3-81c5-dd9eee08b40/"));
}

static void the_boot_id_stays_the_same_until_the_next_boot(void **state)
{
    (void)state;
    char a[64], b[64], small[4];
    assert_int_equal(ja_boot_id(a, sizeof a, NULL), 0);
    assert_int_equal(ja_boot_id(b, sizeof b, NULL), 0);
    assert_true(strlen(a) > 8);
    assert_string_equal(a, b);
    assert_int_equal(ja_boot_id(small, sizeof small, NULL), JA_E_FAILED);
}

static void a_process_has_one_start_until_it_ends(void **state)
{
    (void)state;
    uint64_t a, b;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    assert_int_equal(ja_process_start(pid, &a), 0);
    assert_int_equal(ja_process_start(pid, &b), 0);
    assert_true(a == b);
    assert_int_equal(ja_process_start(getpid(), &b), 0);
    assert_true(b <= a);
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    /* A zombie still has its number. */
    assert_int_equal(ja_process_start(pid, &a), JA_E_NOTFOUND);
    assert_int_equal(child_status(pid), 1000 + SIGKILL);
    assert_int_equal(ja_process_start(pid, &a), JA_E_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_those_of_the_calendar),
        cmocka_unit_test(times_are_utc_with_milliseconds),
        cmocka_unit_test(times_are_read_as_they_are_written),
        cmocka_unit_test(the_monotonic_clock_only_goes_forward),
        cmocka_unit_test(identifiers_are_random_uuids_of_version_4),
        cmocka_unit_test(what_is_not_a_uuid_is_refused),
        cmocka_unit_test(the_boot_id_stays_the_same_until_the_next_boot),
        cmocka_unit_test(a_process_has_one_start_until_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
