/*
 * keep.c: which snapshots the schedules of a jail want, and which they keep no longer. Pure: the time is an argument.
 *
 * Time is cut into hours, days, weeks and months of UTC. A schedule wants a snapshot when it has none of the present period, so
 * that a run that is late, or comes twice, does the right thing. What it keeps is counted and not dated: a clock that jumps
 * forward removes at most what one more snapshot pushes out, and one that jumps back leaves what is of the future alone.
 */
#include "base/clock.h"
#include "plan/planning.h"

#include <stdio.h>
#include <string.h>

enum { HOURLY, DAILY, WEEKLY, MONTHLY, SCHEDULES };
static const char *const names[SCHEDULES] = {"hourly", "daily", "weekly", "monthly"};

static int64_t kept_of(const struct ja_keep *keep, int schedule)
{
    const int64_t counts[SCHEDULES] = {keep->hourly, keep->daily, keep->weekly, keep->monthly};
    return counts[schedule];
}

/* The number of the hour, day, week or month in which a time lies. */
static int64_t period_of(int schedule, int64_t ms)
{
    int64_t hours = ms / 3600000, days = hours / 24;
    int year, month, day;
    if (schedule == HOURLY)
        return hours;
    if (schedule == DAILY)
        return days;
    if (schedule == WEEKLY)
        return (days + 3) / 7; /* 1970-01-01 was a Thursday */
    ja_clock_date(days, &year, &month, &day);
    return (int64_t)year * 12 + month;
}

/* When a snapshot of this schedule was taken. False: it is of none, or of another, or nobody can say. */
static bool taken_for(const struct ja_snapshot *taken, int schedule, int64_t *ret_ms)
{
    return !taken->foreign && taken->created && ja_strv_has(&taken->schedules, names[schedule]) &&
           ja_clock_parse(taken->created, ret_ms) == 0;
}

int ja_keep_due(const struct ja_keep *keep, const struct ja_list *snapshots, int64_t now_ms,
                struct ja_strv *ret_schedules)
{
    for (int schedule = 0; schedule < SCHEDULES; schedule++) {
        bool due = kept_of(keep, schedule) > 0;
        int64_t ms;
        for (size_t i = 0; due && i < snapshots->count; i++)
            due = !taken_for(snapshots->items[i], schedule, &ms) ||
                  period_of(schedule, ms) != period_of(schedule, now_ms);
        if (due && ja_strv_add(ret_schedules, names[schedule]) < 0)
            return -1;
    }
    return 0;
}

/* Whether it is one of the newest of its schedule, or of the future. */
static bool is_kept(const struct ja_keep *keep, const struct ja_list *snapshots, const struct ja_snapshot *taken,
                    int schedule, int64_t now_ms)
{
    int64_t own, ms, newer = 0;
    if (!taken_for(taken, schedule, &own))
        return false;
    if (own > now_ms)
        return true;
    for (size_t i = 0; i < snapshots->count; i++)
        if (taken_for(snapshots->items[i], schedule, &ms) && ms > own && ms <= now_ms)
            newer++;
    return newer < kept_of(keep, schedule);
}

int ja_keep_old(const struct ja_keep *keep, const struct ja_list *snapshots, int64_t now_ms, struct ja_strv *ret_names)
{
    for (size_t i = 0; i < snapshots->count; i++) {
        const struct ja_snapshot *taken = snapshots->items[i];
        bool scheduled = false, kept = false;
        int64_t ms;
        for (int schedule = 0; schedule < SCHEDULES; schedule++) {
            /* A schedule that is switched off removes nothing. */
            bool counts = kept_of(keep, schedule) > 0 && taken_for(taken, schedule, &ms);
            scheduled = scheduled || counts;
            kept = kept || (counts && is_kept(keep, snapshots, taken, schedule, now_ms));
        }
        if (scheduled && !kept && ja_strv_add(ret_names, taken->name) < 0)
            return -1;
    }
    return 0;
}

static bool is_taken(const struct ja_list *taken, const char *name)
{
    for (size_t i = 0; i < taken->count; i++)
        if (strcmp(((const struct ja_snapshot *)taken->items[i])->name, name) == 0)
            return true;
    return false;
}

void ja_snapshot_name(int64_t now_ms, const struct ja_list *taken, const char *suffix, char name[JA_SNAPSHOT_NAME])
{
    char now[JA_TIME_TEXT], text[32];
    int second = (int)(now_ms / 1000 % 60);
    ja_clock_format(now_ms, now);
    snprintf(text, sizeof text, "%.10s-%.2s%.2s", now, now + 11, now + 14);
    snprintf(name, JA_SNAPSHOT_NAME, "%s%s", text, suffix);
    if (is_taken(taken, name))
        snprintf(name, JA_SNAPSHOT_NAME, "%s%02d%s", text, second, suffix);
    /* Of one second. */
    for (int n = 2; n < 1000 && is_taken(taken, name); n++)
        snprintf(name, JA_SNAPSHOT_NAME, "%s%02d-%d%s", text, second, n, suffix);
}
