/*
 * sim.c: the table of a simulated host, and its machine.
 */
#include "sim.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MOST = 2048 };

/* ---- the table ---- */

static char *keep(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        abort();
    return copy;
}

size_t sim_from(const struct ja_sim *sim, const char *key)
{
    size_t low = 0, high = sim->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(sim->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool sim_starts(const struct ja_sim *sim, size_t i, const char *prefix)
{
    return i < sim->count && strncmp(sim->entries[i].key, prefix, strlen(prefix)) == 0;
}

static bool is_at(const struct ja_sim *sim, size_t i, const char *key)
{
    return i < sim->count && strcmp(sim->entries[i].key, key) == 0;
}

#define FORMAT(key, format)                                                                                            \
    char key[KEY_MOST];                                                                                                \
    do {                                                                                                               \
        va_list args_;                                                                                                 \
        va_start(args_, format);                                                                                       \
        vsnprintf(key, sizeof key, format, args_);                                                                     \
        va_end(args_);                                                                                                 \
    } while (0)

const char *sim_get(const struct ja_sim *sim, const char *format, ...)
{
    FORMAT(key, format);
    size_t i = sim_from(sim, key);
    return is_at(sim, i, key) ? sim->entries[i].value : NULL;
}

static void put(struct ja_sim *sim, const char *key, const char *value)
{
    size_t i = sim_from(sim, key);
    char *copy = keep(value);
    if (is_at(sim, i, key)) {
        free(sim->entries[i].value);
        sim->entries[i].value = copy;
        return;
    }
    if (sim->count == sim->size) {
        sim->size = sim->size ? sim->size * 2 : 64;
        sim->entries = realloc(sim->entries, sim->size * sizeof *sim->entries);
        if (!sim->entries)
            abort();
    }
    memmove(sim->entries + i + 1, sim->entries + i, (sim->count - i) * sizeof *sim->entries);
    sim->entries[i] = (struct ja_sim_entry){.key = keep(key), .value = copy};
    sim->count++;
}

void sim_put(struct ja_sim *sim, const char *value, const char *format, ...)
{
    FORMAT(key, format);
    put(sim, key, value);
}

static void drop_at(struct ja_sim *sim, size_t i)
{
    free(sim->entries[i].key);
    free(sim->entries[i].value);
    sim->count--;
    memmove(sim->entries + i, sim->entries + i + 1, (sim->count - i) * sizeof *sim->entries);
}

bool sim_drop(struct ja_sim *sim, const char *format, ...)
{
    FORMAT(key, format);
    size_t i = sim_from(sim, key);
    if (!is_at(sim, i, key))
        return false;
    drop_at(sim, i);
    return true;
}

void sim_drop_all(struct ja_sim *sim, const char *format, ...)
{
    FORMAT(key, format);
    for (size_t i = sim_from(sim, key); sim_starts(sim, i, key);)
        drop_at(sim, i);
}

int sim_fail(struct ja_error *err, const char *format, ...)
{
    char what[400];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return ja_error_set(err, JA_E_FAILED, "simulated host", "%s", what);
}

void sim_trouble(struct ja_sim *sim, const char *format, ...)
{
    va_list args;
    if (sim->trouble[0])
        return;
    va_start(args, format);
    vsnprintf(sim->trouble, sizeof sim->trouble, format, args);
    va_end(args);
}

const char *sim_say(struct ja_sim *sim, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(sim->text, sizeof sim->text, format, args);
    va_end(args);
    return sim->text;
}

const char *sim_option(char *const *argv, int argc, const char *option)
{
    for (int i = 0; i + 1 < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    return NULL;
}

/* ---- the machine ---- */

static bool matches(const struct ja_sim_command *command, char *const *argv, int argc)
{
    const char *slash = strrchr(argv[0], '/');
    for (int i = 0; i < (int)JA_COUNT(command->words) && command->words[i]; i++)
        if (i >= argc || strcmp(command->words[i], i == 0 && slash ? slash + 1 : argv[i]) != 0)
            return false;
    return true;
}

static ja_sim_command_fn *find(const struct ja_sim *sim, char *const *argv, int argc)
{
    for (const struct ja_sim_command *const *table = sim->system->commands; *table; table++)
        for (const struct ja_sim_command *command = *table; command->words[0]; command++)
            if (matches(command, argv, argc))
                return command->run;
    return NULL;
}

int sim_run(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    /* Our own verbs lose the program, so that they begin with "host". */
    if (argc > 2 && strcmp(argv[1], "host") == 0)
        argv++, argc--;
    ja_sim_command_fn *command = find(sim, argv, argc);
    if (command)
        return command(sim, cmd, argv, argc, err);
    struct ja_str text = {0};
    for (int i = 0; i < argc; i++)
        ja_str_addf(&text, "%s%s", i ? " " : "", argv[i]);
    sim_trouble(sim, "the model knows no command: %s", text.text ? text.text : "");
    ja_str_fini(&text);
    return sim_fail(err, "%s", sim->trouble);
}

static int run_command(struct ja_machine *machine, const struct ja_cmd *cmd, int64_t timeout_ms, const char *mark,
                       struct ja_str *output, struct ja_error *err)
{
    struct ja_sim *sim = (struct ja_sim *)machine;
    char *const *argv = cmd->argv.items;
    int argc = (int)cmd->argv.count;
    const char *colon = mark ? strrchr(mark, ':') : NULL;
    (void)timeout_ms, (void)output;
    sim->tearing = !sim->torn && colon && sim->tear >= 0 && strtol(colon + 1, NULL, 10) == sim->tear;
    sim->torn = sim->torn || sim->tearing;
    int rc = sim_run(sim, cmd, argv, argc, err);
    if (rc == 0 && sim->tearing)
        rc = sim_fail(err, "the command was cut off");
    sim->tearing = false;
    if (rc < 0 && err)
        snprintf(err->command, sizeof err->command, "%s", argv[0]);
    return rc;
}

static int run(struct ja_machine *machine, const struct ja_cmd *cmd, int64_t timeout_ms, const char *mark,
               struct ja_str *output, struct ja_error *err)
{
    long left = ja_alloc_fail_after(-1); /* the model's own allocations do not fail */
    int rc = run_command(machine, cmd, timeout_ms, mark, output, err);
    ja_alloc_fail_after(left);
    return rc;
}

bool sim_common_fact(struct ja_sim *sim, enum ja_fact_kind kind, const char *name, const char **ret_value)
{
    *ret_value = NULL;
    if (kind != JA_FACT_TOOL)
        return sim_file_fact(sim, kind, name, ret_value);
    for (size_t i = 0; sim->system->tools[i]; i++)
        if (strcmp(sim->system->tools[i], name) == 0) {
            snprintf(sim->text, sizeof sim->text, "/usr/sbin/%s", name);
            *ret_value = sim->text;
        }
    return true;
}

static int read_facts(void *context, struct ja_facts *facts, struct ja_error *err)
{
    struct ja_sim *sim = context;
    bool more = false;
    for (size_t i = 0; i < facts->count; i++) {
        const struct ja_fact *fact = &facts->items[i];
        const char *value = NULL;
        if (fact->known)
            continue;
        long left = ja_alloc_fail_after(-1);
        bool known = sim->system->fact(sim, fact->kind, fact->name, &value) ||
                     (!sim->system->read && sim_common_fact(sim, fact->kind, fact->name, &value));
        ja_alloc_fail_after(left);
        if (!known && !sim->system->read)
            return sim_fail(err, "the model knows no fact %s %s", ja_fact_kind_name(fact->kind), fact->name);
        more = more || !known;
        if (known && ja_facts_set(facts, fact->kind, fact->name, value) < 0)
            return ja_error_nomem(err);
    }
    return more ? sim->system->read(sim, facts, err) : 0;
}

static void sync_all(struct ja_machine *machine, const char *dir)
{
    (void)dir;
    sim_synced((struct ja_sim *)machine);
}

void ja_sim_init(struct ja_sim *sim, const struct ja_sim_system *system, const char *state)
{
    *sim = (struct ja_sim){.machine = {.run = run, .facts = {.read = read_facts, .context = sim}, .sync = sync_all},
                           .system = system,
                           .tear = -1};
    snprintf(sim->machine.boot_id, sizeof sim->machine.boot_id, "boot-0");
    sim_make(sim, system->run, "dir");
    sim_make(sim, state, "dir");
    system->boot(sim);
}

static void empty(struct ja_sim *sim)
{
    while (sim->count)
        drop_at(sim, sim->count - 1);
    free(sim->entries);
    sim->entries = NULL;
    sim->size = 0;
}

void ja_sim_fini(struct ja_sim *sim)
{
    empty(sim);
}

void ja_sim_reboot(struct ja_sim *sim)
{
    for (size_t i; (i = sim_from(sim, "mount!")) > 0 && sim_starts(sim, i - 1, "mount ");) { /* the deepest first */
        char path[KEY_MOST];
        snprintf(path, sizeof path, "%s", sim->entries[i - 1].key + strlen("mount "));
        if (sim_umount(sim, path, NULL) < 0)
            abort();
    }
    sim_drop_all(sim, "bind ");
    sim_drop_all(sim, "ro-bind ");
    sim->system->shut(sim);
    sim->system->boot(sim);
    snprintf(sim->machine.boot_id, sizeof sim->machine.boot_id, "boot-%u", ++sim->boots);
}

void ja_sim_copy(struct ja_sim *ret_copy, const struct ja_sim *sim)
{
    *ret_copy = *sim;
    ret_copy->machine.facts.context = ret_copy;
    ret_copy->entries = NULL;
    ret_copy->count = ret_copy->size = 0;
    for (size_t i = 0; i < sim->count; i++)
        put(ret_copy, sim->entries[i].key, sim->entries[i].value);
}

void ja_sim_save(const struct ja_sim *sim, const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file)
        abort();
    fwrite(sim->trouble, 1, sizeof sim->trouble, file);
    for (size_t i = 0; i < sim->count; i++) {
        fwrite(sim->entries[i].key, 1, strlen(sim->entries[i].key) + 1, file);
        fwrite(sim->entries[i].value, 1, strlen(sim->entries[i].value) + 1, file);
    }
    if (fclose(file) != 0)
        abort();
}

void ja_sim_load(struct ja_sim *sim, const char *path)
{
    static char bytes[4 << 20];
    FILE *file = fopen(path, "re");
    if (!file)
        abort();
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    empty(sim);
    memcpy(sim->trouble, bytes, sizeof sim->trouble);
    for (const char *at = bytes + sizeof sim->trouble; at < bytes + length;) {
        const char *value = at + strlen(at) + 1;
        put(sim, at, value);
        at = value + strlen(value) + 1;
    }
}

void ja_sim_print(const struct ja_sim *sim, struct ja_str *str)
{
    for (size_t i = 0; i < sim->count; i++) {
        ja_str_addf(str, "%s = ", sim->entries[i].key);
        for (const char *c = sim->entries[i].value; *c; c++)
            ja_str_addn(str, *c == '\n' ? "|" : c, 1);
        ja_str_add(str, "\n");
    }
}

/* ---- what is chance ---- */

static size_t hex_run(const char *at)
{
    size_t n = 0;
    while (isxdigit((unsigned char)at[n]))
        n++;
    return n;
}

/* The length of a uuid, MAC, time, or value made of one at `at`, 0: none; and the word for it. */
static size_t chance(const char *at, const char **ret_word)
{
    static const size_t groups[] = {8, 4, 4, 4, 12};
    size_t length = 0, i;
    int end = 0;
    for (i = 0; i < JA_COUNT(groups) && hex_run(at + length) == groups[i]; i++) {
        length += groups[i];
        if (i + 1 < JA_COUNT(groups) && at[length++] != '-')
            break;
    }
    *ret_word = "UUID";
    if (i == JA_COUNT(groups))
        return length;
    for (i = 0; i < 6 && hex_run(at + i * 3) == 2 && (i == 5 || at[i * 3 + 2] == ':'); i++)
        ;
    *ret_word = "MAC";
    if (i == 6 && at[17] != ':')
        return 17;
    *ret_word = "TIME";
    sscanf(at, "%*4[0-9]-%*2[0-9]-%*2[0-9]T%*2[0-9]:%*2[0-9]:%*[0-9.]Z%n", &end);
    if (end)
        return (size_t)end;
    *ret_word = "LINKLOCAL";
    if (strncmp(at, "fe80::", 6) == 0)
        return strspn(at, "0123456789abcdef:");
    if (strncmp(at, "0xfe80", 6) == 0)
        return 2 + hex_run(at + 2);
    return 0;
}

char *ja_sim_normal(const char *text)
{
    struct ja_str normal = {0};
    bool inside = false; /* a word of which the beginning was no chance */
    while (*text) {
        const char *word = NULL;
        size_t length = inside ? 0 : chance(text, &word);
        if (length)
            ja_str_add(&normal, word);
        else
            ja_str_addn(&normal, text, length = 1);
        text += length;
        inside = isalnum((unsigned char)text[-1]) != 0;
    }
    char *taken = ja_str_take(&normal);
    if (!taken)
        abort();
    return taken;
}
