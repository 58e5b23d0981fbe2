/*
 * clock.c: time, random identifiers, and what tells one boot, or one process, from another.
 */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include "base/file.h"
#include <fcntl.h>
#endif
#ifdef __FreeBSD__
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/user.h>

enum { CLOCK_TRIES = 10 };
#endif

static int64_t now_us(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t ja_clock_monotonic_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

int64_t ja_clock_monotonic_ms(void)
{
    return now_us(CLOCK_MONOTONIC) / 1000;
}

static int64_t shift_ms;

void ja_clock_shift(int64_t ms)
{
    shift_ms = ms;
}

int64_t ja_clock_wall_ms(void)
{
    return now_us(CLOCK_REALTIME) / 1000 + shift_ms;
}

/* Years begin in March here, so that the day that some of them have more is their last one. */
int64_t ja_clock_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void ja_clock_date(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t since = days + 719468, era = (since >= 0 ? since : since - 146096) / 146097, of_era = since - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(year + era * 400 + (*ret_month <= 2));
}

/* A number over the zeros that end there, of which there are enough. */
static void put_digits(char *last, int number)
{
    for (; number > 0 && *last == '0'; number /= 10)
        *last-- = (char)('0' + number % 10);
}

void ja_clock_format(int64_t wall_ms, char ret_text[JA_TIME_TEXT])
{
    enum { DAY_MS = 24 * 3600 * 1000 };
    int64_t days = wall_ms / DAY_MS - (wall_ms % DAY_MS < 0);
    int of_day = (int)(wall_ms - days * DAY_MS), year, month, day;
    ja_clock_date(days, &year, &month, &day);
    static const char shape[] = "0000-00-00T00:00:00.000Z";
    _Static_assert(sizeof shape <= JA_TIME_TEXT, "a time has room");
    /* A list writes a thousand. (gmtime_r(3) would read the file of the host's time zone.) */
    memcpy(ret_text, shape, sizeof shape);
    put_digits(ret_text + 3, year);
    put_digits(ret_text + 6, month);
    put_digits(ret_text + 9, day);
    put_digits(ret_text + 12, of_day / 3600000);
    put_digits(ret_text + 15, of_day / 60000 % 60);
    put_digits(ret_text + 18, of_day / 1000 % 60);
    put_digits(ret_text + 22, of_day % 1000);
}

int ja_clock_parse(const char *text, int64_t *ret_wall_ms)
{
    int year, month, day, hour, minute, second, ms, end = 0;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour, &minute, &second, &ms, &end) != 7 ||
        !end || text[end] || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 59 || ms < 0)
        return -1;
    int64_t wall_ms = (((ja_clock_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms;
    /* scanf takes blanks, signs and fewer digits, and no month has 31 days always. */
    char again[JA_TIME_TEXT];
    ja_clock_format(wall_ms, again);
    if (strcmp(again, text) != 0)
        return -1;
    *ret_wall_ms = wall_ms;
    return 0;
}

static void format_uuid(const unsigned char b[16], char ret_uuid[JA_UUID_TEXT])
{
    snprintf(ret_uuid, JA_UUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

int ja_uuid_new(char ret_uuid[JA_UUID_TEXT])
{
    unsigned char bytes[16];
    if (getentropy(bytes, sizeof bytes) != 0)
        return JA_E_FAILED;
    /* RFC 9562, section 5.4: version 4, variant 10. */
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    format_uuid(bytes, ret_uuid);
    return 0;
}

bool ja_uuid_valid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(text) != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        bool fits = shape[i] == '-' ? text[i] == '-' : strchr("0123456789abcdef", text[i]) != NULL;
        if (!fits)
            return false;
    }
    return true;
}

bool ja_process_lives(pid_t pid, uint64_t start)
{
    uint64_t now;
    return ja_process_start(pid, &now) == 0 && now == start;
}

bool ja_process_await(pid_t pid, uint64_t start, int64_t deadline_ms, int pause_ms)
{
    const struct timespec pause = {.tv_nsec = pause_ms * 1000000L};
    while (ja_process_lives(pid, start)) {
        if (ja_clock_monotonic_ms() >= deadline_ms)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

#ifdef __linux__

int ja_boot_id(char *ret_id, size_t size, struct ja_error *err)
{
    ja_autofree char *text = NULL;
    int r = ja_file_read("/proc/sys/kernel/random/boot_id", 256, &text, NULL, err);
    if (r < 0)
        return r;
    text[strcspn(text, "\n")] = '\0';
    if ((size_t)snprintf(ret_id, size, "%s", text) >= size)
        return ja_error_set(err, JA_E_FAILED, "boot id", "it does not fit into %zu bytes", size);
    return 0;
}

int ja_process_start(pid_t pid, uint64_t *ret_start)
{
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    /* The kernel gives it as a whole to one read. The process may end between open and read (ESRCH): the same as not there. */
    ja_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (n < 0)
        return errno == ENOMEM ? JA_E_NOMEM : JA_E_NOTFOUND;
    text[n] = '\0';
    /* proc_pid_stat(5). The name, field 2, may hold anything, even ") R": fields are counted from the last
     * ")". */
    const char *field = strrchr(text, ')');
    char state = '\0';
    for (int number = 3; field && number <= 22; number++) {
        field = strchr(field + 1, ' ');
        if (field && number == 3)
            state = field[1];
    }
    if (!field || field[1] < '0' || field[1] > '9')
        return JA_E_FAILED;
    if (state == 'Z' || state == 'X')
        return JA_E_NOTFOUND;
    *ret_start = strtoull(field + 1, NULL, 10);
    return 0;
}

#endif
#ifdef __FreeBSD__

/*
 * When a process began, in microseconds since the boot. The kernel tells the calendar's time, which it makes of that and of
 * the time of boot: both move when somebody sets the clock, their difference does not.
 */
static int began_after_boot(pid_t pid, uint64_t *ret_start)
{
    int mib[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
    struct kinfo_proc process;
    struct timeval before, after;
    for (int tries = 0; tries < CLOCK_TRIES; tries++) {
        size_t length = sizeof before;
        if (sysctlbyname("kern.boottime", &before, &length, NULL, 0) != 0)
            return JA_E_FAILED;
        length = sizeof process;
        if (sysctl(mib, JA_COUNT(mib), &process, &length, NULL, 0) != 0)
            return errno == ENOMEM ? JA_E_NOMEM : JA_E_NOTFOUND;
        if (length < sizeof process || process.ki_stat == SZOMB)
            return JA_E_NOTFOUND;
        length = sizeof after;
        if (sysctlbyname("kern.boottime", &after, &length, NULL, 0) != 0)
            return JA_E_FAILED;
        if (before.tv_sec != after.tv_sec || before.tv_usec != after.tv_usec)
            continue; /* it was set just now */
        *ret_start = (uint64_t)((int64_t)(process.ki_start.tv_sec - after.tv_sec) * 1000000 +
                                (int64_t)(process.ki_start.tv_usec - after.tv_usec));
        return 0;
    }
    return JA_E_FAILED;
}

int ja_boot_id(char *ret_id, size_t size, struct ja_error *err)
{
    /* 14.0 and later have a random one. What older ones have is the time of boot, which moves when the clock is set; the moment
     * after it when init began does not, and no two boots are alike to the microsecond. */
    unsigned char bytes[16];
    char text[JA_UUID_TEXT];
    uint64_t start;
    size_t length = sizeof bytes;
    if (sysctlbyname("kern.boot_id", bytes, &length, NULL, 0) == 0 && length == sizeof bytes) {
        format_uuid(bytes, text);
    } else {
        if (began_after_boot(1, &start) < 0)
            return ja_error_sys(err, errno, "boot id", "cannot find out when init began");
        snprintf(text, sizeof text, "%llu-%lx", (unsigned long long)start, (unsigned long)gethostid());
    }
    if ((size_t)snprintf(ret_id, size, "%s", text) >= size)
        return ja_error_set(err, JA_E_FAILED, "boot id", "it does not fit into %zu bytes", size);
    return 0;
}

int ja_process_start(pid_t pid, uint64_t *ret_start)
{
    return began_after_boot(pid, ret_start);
}

#endif
