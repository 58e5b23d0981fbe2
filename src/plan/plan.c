/*
 * plan.c: building plans. Failures are remembered in the plan, so that planners read as lists of steps.
 */
#include "plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Swallows what is added after memory ran out. Its contents are dropped at once by forget_spare. */
static struct ja_step spare;

static void cmd_fini(struct ja_cmd *cmd)
{
    ja_strv_fini(&cmd->argv);
    free(cmd->input);
    *cmd = (struct ja_cmd){0};
}

static void step_fini(struct ja_step *step)
{
    free(step->why);
    cmd_fini(&step->run);
    cmd_fini(&step->undo);
    free(step->guard.name);
    free(step->guard.mark);
    *step = (struct ja_step){0};
}

int ja_plan_init(struct ja_plan *plan, const char *verb, const char *kind, const char *name)
{
    *plan = (struct ja_plan){.verb = ja_strdup(verb), .kind = ja_strdup(kind), .name = ja_strdup(name)};
    if (plan->verb && plan->kind && plan->name)
        return 0;
    return ja_error_nomem(&plan->err);
}

void ja_plan_fini(struct ja_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        step_fini(plan->steps[i]);
        free(plan->steps[i]);
    }
    free(plan->steps);
    free(plan->verb);
    free(plan->kind);
    free(plan->name);
    ja_strv_fini(&plan->notes);
    *plan = (struct ja_plan){0};
}

static void out_of_memory(struct ja_plan *plan)
{
    if (plan->err.code == 0)
        ja_error_nomem(&plan->err);
}

/* vprintf into new memory; NULL, with the plan failed, when memory is out. */
static char *__attribute__((format(printf, 2, 0))) format_text(struct ja_plan *plan, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = n < 0 ? NULL : ja_malloc((size_t)n + 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, format, args);
    else
        out_of_memory(plan);
    return text;
}

struct ja_step *ja_plan_step(struct ja_plan *plan, const char *why, ...)
{
    step_fini(&spare);
    va_list args;
    va_start(args, why);
    char *text = format_text(plan, why, args);
    va_end(args);
    struct ja_step *step = text ? ja_calloc(1, sizeof *step) : NULL;
    struct ja_step **steps = step ? ja_realloc(plan->steps, (plan->count + 1) * sizeof *steps) : NULL;
    if (!steps) {
        free(step);
        free(text);
        out_of_memory(plan);
        return &spare;
    }
    plan->steps = steps;
    steps[plan->count++] = step;
    step->why = text;
    return step;
}

static void add_words(struct ja_plan *plan, struct ja_strv *argv, va_list args)
{
    for (const char *word; (word = va_arg(args, const char *)) != NULL;)
        if (ja_strv_add(argv, word) < 0)
            out_of_memory(plan);
}

void ja_step_run(struct ja_plan *plan, struct ja_step *step, ...)
{
    va_list args;
    va_start(args, step);
    add_words(plan, &step->run.argv, args);
    va_end(args);
}

void ja_step_undo(struct ja_plan *plan, struct ja_step *step, ...)
{
    va_list args;
    va_start(args, step);
    add_words(plan, &step->undo.argv, args);
    va_end(args);
}

static void __attribute__((format(printf, 3, 0)))
add_word(struct ja_plan *plan, struct ja_strv *argv, const char *format, va_list args)
{
    ja_autofree char *word = format_text(plan, format, args);
    if (word && ja_strv_add(argv, word) < 0)
        out_of_memory(plan);
}

void ja_step_runf(struct ja_plan *plan, struct ja_step *step, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_word(plan, &step->run.argv, format, args);
    va_end(args);
}

void ja_step_undof(struct ja_plan *plan, struct ja_step *step, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_word(plan, &step->undo.argv, format, args);
    va_end(args);
}

static void __attribute__((format(printf, 3, 0)))
add_input(struct ja_plan *plan, struct ja_cmd *cmd, const char *format, va_list args)
{
    ja_autofree char *text = format_text(plan, format, args);
    if (!text)
        return;
    size_t old = cmd->input ? strlen(cmd->input) : 0;
    char *input = ja_realloc(cmd->input, old + strlen(text) + 1);
    if (!input) {
        out_of_memory(plan);
        return;
    }
    strcpy(input + old, text);
    cmd->input = input;
}

void ja_step_input(struct ja_plan *plan, struct ja_step *step, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_input(plan, &step->run, format, args);
    va_end(args);
}

void ja_step_undo_input(struct ja_plan *plan, struct ja_step *step, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_input(plan, &step->undo, format, args);
    va_end(args);
}

bool ja_plan_makes(const struct ja_plan *plan, const char *last_word)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct ja_strv *argv = &plan->steps[i]->run.argv;
        if (argv->count && strcmp(argv->items[argv->count - 1], last_word) == 0)
            return true;
    }
    return false;
}

static void guard_fill(struct ja_plan *plan, struct ja_guard *guard, enum ja_fact_kind kind, const char *name,
                       const char *mark)
{
    free(guard->name);
    free(guard->mark);
    *guard = (struct ja_guard){.set = true, .kind = kind, .name = ja_strdup(name)};
    if (mark)
        guard->mark = ja_strdup(mark);
    if (!guard->name || (mark && !guard->mark))
        out_of_memory(plan);
}

void ja_step_guard(struct ja_plan *plan, struct ja_step *step, enum ja_fact_kind kind, const char *name,
                   const char *mark)
{
    guard_fill(plan, &step->guard, kind, name, mark);
}

void ja_plan_note(struct ja_plan *plan, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_word(plan, &plan->notes, format, args);
    va_end(args);
}

int ja_plan_fail(struct ja_plan *plan, int code, const char *object, const char *format, ...)
{
    if (plan->err.code)
        return plan->err.code;
    char what[sizeof plan->err.what];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return ja_error_set(&plan->err, code, object, "%s", what);
}

int ja_plan_hint(struct ja_plan *plan, const char *format, ...)
{
    char hint[sizeof plan->err.hint];
    va_list args;
    va_start(args, format);
    vsnprintf(hint, sizeof hint, format, args);
    va_end(args);
    if (!plan->err.hint[0])
        memcpy(plan->err.hint, hint, sizeof hint);
    return plan->err.code;
}

const char *ja_plan_tool(struct ja_plan *plan, struct ja_facts *facts, const char *program)
{
    static const struct {
        const char *program, *package;
    } packages[] = {
        {"btrfs", "btrfs-progs"},
        {"mkfs.btrfs", "btrfs-progs"},
        {"ip", "iproute2"},
        {"tc", "iproute2"},
        {"nft", "nftables"},
        {"crun", "crun"},
        {"zfs", "zfsutils-linux"},
        {"zpool", "zfsutils-linux"},
        {"dnsmasq", "dnsmasq-base"},
        {"nsenter", "util-linux"},
        {"mount", "mount"},
        {"umount", "mount"},
        {"catatonit", "catatonit"},
        {"busybox", "busybox-static"},
        {"debootstrap", "debootstrap"},
        {"mmdebstrap", "mmdebstrap"},
        {"pkg-static", "pkg"},
    };
    size_t missing = facts->missing;
    const char *path = ja_fact(facts, JA_FACT_TOOL, program);
    if (path)
        return path;
    if (facts->missing == missing && plan->err.code == 0) {
        ja_plan_fail(plan, JA_E_UNSUPPORTED, NULL, "the program %s was not found", program);
        for (size_t i = 0; i < JA_COUNT(packages); i++)
            if (strcmp(packages[i].program, program) == 0)
                ja_plan_hint(plan, "install the package %s", packages[i].package);
    }
    return program;
}

int ja_plan_check(const struct ja_plan *plan, struct ja_error *err)
{
    if (plan->err.code) {
        if (err)
            *err = plan->err;
        return plan->err.code;
    }
    size_t commits = 0;
    for (size_t i = 0; i < plan->count; i++) {
        commits += (plan->steps[i]->flags & JA_STEP_COMMIT) != 0;
        if (plan->steps[i]->run.argv.count == 0)
            return ja_error_set(err, JA_E_FAILED, NULL, "a plan has a step without a command: %s", plan->steps[i]->why);
    }
    if (plan->count && commits != 1)
        return ja_error_set(err, JA_E_FAILED, NULL, "the plan of %s has %zu commit steps", plan->verb, commits);
    return 0;
}

static bool cmd_equal(const struct ja_cmd *a, const struct ja_cmd *b)
{
    return ja_strv_equal(&a->argv, &b->argv) && ja_str_equal(a->input, b->input);
}

bool ja_plan_equal(const struct ja_plan *a, const struct ja_plan *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct ja_step *x = a->steps[i], *y = b->steps[i];
        if (x->flags != y->flags || !cmd_equal(&x->run, &y->run) || !cmd_equal(&x->undo, &y->undo))
            return false;
    }
    return true;
}

/* A word for the end of a here document that no line of the text equals. */
static void here_word(const char *text, char word[32])
{
    for (unsigned n = 0;; n++) {
        snprintf(word, 32, n ? "END%u" : "END", n);
        size_t length = strlen(word);
        bool clash = false;
        for (const char *line = text; line && !clash; line = strchr(line, '\n')) {
            line += *line == '\n';
            clash = strncmp(line, word, length) == 0 && (line[length] == '\n' || line[length] == '\0');
        }
        if (!clash)
            return;
    }
}

static void print_cmd(const struct ja_cmd *cmd, struct ja_str *str)
{
    for (size_t i = 0; i < cmd->argv.count; i++) {
        if (i)
            ja_str_add(str, " ");
        ja_str_add_quoted(str, cmd->argv.items[i]);
    }
    if (!cmd->input) {
        ja_str_add(str, "\n");
        return;
    }
    char word[32];
    here_word(cmd->input, word);
    ja_str_addf(str, " <<'%s'\n%s", word, cmd->input);
    size_t length = strlen(cmd->input);
    if (length && cmd->input[length - 1] != '\n')
        ja_str_add(str, "\n");
    ja_str_addf(str, "%s\n", word);
}

void ja_plan_print(const struct ja_plan *plan, struct ja_str *str)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct ja_step *step = plan->steps[i];
        if (i == 0 || strcmp(step->why, plan->steps[i - 1]->why) != 0)
            ja_str_addf(str, "# %s\n", step->why);
        print_cmd(&step->run, str);
    }
}

/* Sets a member and remembers when memory ran out: half a plan in the journal would undo only half. */
static void set(json_t *object, const char *key, json_t *value, bool *failed)
{
    /* Takes the value, also when there is no object. */
    if (json_object_set_new(object, key, value) < 0)
        *failed = true;
}

static json_t *strings_to_json(const struct ja_strv *strv, bool *failed)
{
    json_t *array = json_array();
    for (size_t i = 0; i < strv->count; i++)
        if (!array || json_array_append_new(array, json_string(strv->items[i])) < 0)
            *failed = true;
    return array;
}

static json_t *cmd_to_json(const struct ja_cmd *cmd, bool *failed)
{
    json_t *json = json_object();
    set(json, "argv", strings_to_json(&cmd->argv, failed), failed);
    if (cmd->input)
        set(json, "input", json_string(cmd->input), failed);
    return json;
}

static json_t *guard_to_json(const struct ja_guard *guard, bool *failed)
{
    json_t *json = json_object();
    set(json, "kind", json_string(ja_fact_kind_name(guard->kind)), failed);
    set(json, "name", json_string(guard->name), failed);
    if (guard->mark)
        set(json, "mark", json_string(guard->mark), failed);
    return json;
}

static const struct {
    unsigned flag;
    const char *name;
} flag_names[] = {{JA_STEP_PERSISTENT, "persistent"},
                  {JA_STEP_COMMIT, "commit"},
                  {JA_STEP_IGNORE, "ignore"},
                  {JA_STEP_STORE, "store"},
                  {JA_STEP_ONCE, "once"},
                  {JA_STEP_BESIDE, "beside"},
                  {JA_STEP_JOIN, "join"},
                  {JA_STEP_POOL, "pool"}};

static json_t *step_to_json(const struct ja_step *step, bool *failed)
{
    json_t *json = json_object();
    set(json, "why", json_string(step->why), failed);
    set(json, "run", cmd_to_json(&step->run, failed), failed);
    if (step->undo.argv.count)
        set(json, "undo", cmd_to_json(&step->undo, failed), failed);
    if (step->guard.set)
        set(json, "guard", guard_to_json(&step->guard, failed), failed);
    for (size_t i = 0; i < JA_COUNT(flag_names); i++)
        if (step->flags & flag_names[i].flag)
            set(json, flag_names[i].name, json_true(), failed);
    if (step->timeout_ms)
        set(json, "timeout_ms", json_integer(step->timeout_ms), failed);
    return json;
}

json_t *ja_plan_to_json(const struct ja_plan *plan)
{
    bool failed = false;
    json_t *json = json_object(), *steps = json_array();
    set(json, "verb", json_string(plan->verb), &failed);
    set(json, "kind", json_string(plan->kind), &failed);
    set(json, "name", json_string(plan->name), &failed);
    for (size_t i = 0; i < plan->count; i++)
        if (!steps || json_array_append_new(steps, step_to_json(plan->steps[i], &failed)) < 0)
            failed = true;
    set(json, "steps", steps, &failed);
    if (plan->notes.count)
        set(json, "notes", strings_to_json(&plan->notes, &failed), &failed);
    if (!failed)
        return json;
    json_decref(json);
    return NULL;
}

/* Reads one command; false when it is not well formed or memory ran out (then plan->err is set). */
static bool cmd_from_json(struct ja_plan *plan, const json_t *json, struct ja_cmd *ret_cmd)
{
    size_t i;
    json_t *word;
    json_array_foreach(json_object_get(json, "argv"), i, word)
    {
        if (!json_is_string(word))
            return false;
        if (ja_strv_add(&ret_cmd->argv, json_string_value(word)) < 0)
            out_of_memory(plan);
    }
    const char *input = json_string_value(json_object_get(json, "input"));
    if (input && !(ret_cmd->input = ja_strdup(input)))
        out_of_memory(plan);
    return ret_cmd->argv.count > 0;
}

static bool step_from_json(struct ja_plan *plan, const json_t *json)
{
    const char *why = json_string_value(json_object_get(json, "why"));
    struct ja_step *step = ja_plan_step(plan, "%s", why ? why : "");
    json_t *undo = json_object_get(json, "undo"), *guard = json_object_get(json, "guard");
    if (!cmd_from_json(plan, json_object_get(json, "run"), &step->run))
        return false;
    if (undo && !cmd_from_json(plan, undo, &step->undo))
        return false;
    if (guard) {
        const char *kind_name = json_string_value(json_object_get(guard, "kind"));
        const char *name = json_string_value(json_object_get(guard, "name"));
        int kind = kind_name ? ja_fact_kind_parse(kind_name) : -1;
        if (kind < 0 || !name)
            return false;
        ja_step_guard(plan, step, (enum ja_fact_kind)kind, name, json_string_value(json_object_get(guard, "mark")));
    }
    for (size_t i = 0; i < JA_COUNT(flag_names); i++)
        if (json_is_true(json_object_get(json, flag_names[i].name)))
            step->flags |= flag_names[i].flag;
    step->timeout_ms = json_integer_value(json_object_get(json, "timeout_ms"));
    return true;
}

int ja_plan_from_json(const json_t *json, struct ja_plan *ret_plan, struct ja_error *err)
{
    const char *verb = json_string_value(json_object_get(json, "verb"));
    const char *kind = json_string_value(json_object_get(json, "kind"));
    const char *name = json_string_value(json_object_get(json, "name"));
    if (!verb || !kind || !name)
        return ja_error_set(err, JA_E_CORRUPT, "journal", "a plan without verb, kind or name");
    struct ja_plan plan;
    ja_plan_init(&plan, verb, kind, name);
    size_t i;
    json_t *step;
    bool good = true;
    json_array_foreach(json_object_get(json, "steps"), i, step) good = good && step_from_json(&plan, step);
    int rc = !good ? ja_error_set(err, JA_E_CORRUPT, "journal", "a step that is not well formed") : 0;
    if (rc == 0)
        rc = ja_plan_check(&plan, err);
    if (rc < 0)
        ja_plan_fini(&plan);
    else
        *ret_plan = plan;
    return rc;
}
