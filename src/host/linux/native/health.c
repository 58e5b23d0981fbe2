/*
 * health.c: what doctor asks programs for: their versions, and the errors that the devices of a btrfs have counted.
 */
#include "host/linux/native/native.h"
#include "run/spawn.h"

#include <string.h>

#define PROGRAM_MS 5000

/* The first line that a program prints, of what is printable. A program that does not know the option says so instead: then
 * it has no version for us. */
static int first_line(char *const *argv, struct ja_str *line, struct ja_error *err)
{
    struct ja_spawn spawn = {.argv = argv, .timeout_ms = PROGRAM_MS};
    struct ja_spawn_result result;
    int rc = ja_spawn_run(&spawn, &result, err);
    if (rc < 0)
        return rc;
    const char *text = result.output.text ? result.output.text : "";
    bool said = result.status == 0 && *text;
    if (said)
        ja_str_add_shown(line, text, strcspn(text, "\n"), false);
    ja_str_fini(&result.output);
    return said;
}

int ja_linux_probe_version(const char *program, struct ja_str *line, struct ja_error *err)
{
    const char *slash = strrchr(program, '/');
    bool ip = slash && strcmp(slash, "/ip") == 0;
    char *const argv[] = {(char *)program, (char *)(ip ? "-V" : "--version"), NULL};
    return first_line(argv, line, err);
}

/* "[/dev/loop0].write_io_errs   0" */
static void add_errors(const char *text, struct ja_str *lines)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        size_t end = length;
        while (end && text[end - 1] >= '0' && text[end - 1] <= '9')
            end--;
        if (strtoull(text + end, NULL, 10) > 0) {
            ja_str_add_shown(lines, text, length, false);
            ja_str_add(lines, "\n");
        }
        text += length + (text[length] == '\n');
    }
}

int ja_linux_probe_health(const char *path, struct ja_str *lines, struct ja_error *err)
{
    static const char *const places[] = {"/usr/bin/btrfs", "/usr/sbin/btrfs", "/bin/btrfs", "/sbin/btrfs"};
    for (size_t i = 0; i < JA_COUNT(places); i++) {
        char *const argv[] = {(char *)places[i], (char *)"device", (char *)"stats", (char *)path, NULL};
        struct ja_spawn spawn = {.argv = argv, .timeout_ms = PROGRAM_MS};
        struct ja_spawn_result result;
        int rc = ja_spawn_run(&spawn, &result, NULL);
        if (rc == JA_E_NOTFOUND)
            continue;
        if (rc < 0)
            return ja_spawn_run(&spawn, &result, err);
        bool said = result.status == 0;
        if (said)
            add_errors(result.output.text ? result.output.text : "", lines);
        ja_str_fini(&result.output);
        return said;
    }
    return 0;
}
