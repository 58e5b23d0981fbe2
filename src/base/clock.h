/*
 * clock.h: time, the boot id, random identifiers.
 */
#ifndef JA_CLOCK_H
#define JA_CLOCK_H

#include "base/base.h"

#define JA_TIME_TEXT 32 /* "2026-11-23T23:48:24.123Z" and a zero */
#define JA_UUID_TEXT 37

/* Now in milliseconds: monotonic (since some point), and of the calendar (since 1970, UTC). */
int64_t ja_clock_monotonic_ms(void);
int64_t ja_clock_monotonic_us(void);
int64_t ja_clock_wall_ms(void);
/* Sets the calendar's time forward or back from now on, for this process. For tests. */
void ja_clock_shift(int64_t ms);
/* RFC 3339 in UTC with milliseconds. */
void ja_clock_format(int64_t wall_ms, char ret_text[JA_TIME_TEXT]);
/* The inverse of it. 0, or -1 for another text. */
int ja_clock_parse(const char *text, int64_t *ret_wall_ms);
/* A day of the calendar as days since 1970-01-01, and the other way round. */
int64_t ja_clock_days(int year, int month, int day);
void ja_clock_date(int64_t days, int *ret_year, int *ret_month, int *ret_day);
/* A random UUID, version 4, from the kernel. 0 or negative. */
int ja_uuid_new(char ret_uuid[JA_UUID_TEXT]);
/* Written as ja_uuid_new does it, in small letters: one identity has one spelling. */
bool ja_uuid_valid(const char *text);
/* An identifier that differs after every boot of this machine: Linux's boot_id; on FreeBSD kern.boot_id, or
 * before 14.0 when init began after the boot, and hostid. */
int ja_boot_id(char *ret_id, size_t size, struct ja_error *err);
/* When a process began, in clock ticks since boot (Linux) or microseconds (FreeBSD): tells a process from a later one
 * with the same number. JA_E_NOTFOUND when there is none (a zombie counts as none). */
int ja_process_start(pid_t pid, uint64_t *ret_start);
/* Whether the process that began then is still there. */
bool ja_process_lives(pid_t pid, uint64_t start);
/* Waits until it has ended, up to a time of ja_clock_monotonic_ms, and looks every `pause_ms`. False: it is still there. */
bool ja_process_await(pid_t pid, uint64_t start, int64_t deadline_ms, int pause_ms);

#endif
