/*
 * driver.c: runs a target. With libFuzzer (meson -Dfuzz=enabled) as a fuzzer, which also writes down its seeds and its dictionary:
 *
 *     fuzz_NAME --seeds DIRECTORY     DIRECTORY/seeds/..., DIRECTORY/dictionary
 *
 * and without it as a test: every seed, each also cut off and damaged in many places, and whatever was ever found (found/NAME/).
 */
#include "fuzz.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = 1 << 20, DAMAGES = 48 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void nothing(JA_UNUSED const char *parser, JA_UNUSED const void *bytes, JA_UNUSED size_t length)
{
}

static void no_word(JA_UNUSED const char *word)
{
}

/* What becomes of seeds and words. */
static void (*take_seed)(const char *parser, const void *bytes, size_t length) = nothing;
static void (*take_word)(const char *word) = no_word;

/* ---- for targets ---- */

void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
    abort();
}

bool fuzz_printable(const char *text)
{
    return !text || ja_str_printable(text, strlen(text), false);
}

bool fuzz_accepted(int code, const struct ja_error *err)
{
    if (code >= 0) {
        must(code == 0);
        return true;
    }
    must(err->code == code);
    must(err->what[0]);
    must(fuzz_printable(err->what));
    must(fuzz_printable(err->object));
    must(fuzz_printable(err->hint));
    return false;
}

bool fuzz_untouched(const void *memory, size_t size)
{
    const unsigned char *bytes = memory;
    while (size && bytes[size - 1] == FUZZ_UNTOUCHED)
        size--;
    return size == 0;
}

char *fuzz_line(char **rest)
{
    return strsep(rest, "\n");
}

/* ---- a directory ---- */

static char directory[128];

static void remove_directory(void)
{
    ja_tree_remove(directory, NULL);
}

const char *fuzz_directory(void)
{
    const char *const places[] = {getenv("FUZZ_DIRECTORY"), "/dev/shm", "/var/tmp", "/tmp"};
    for (size_t i = 0; !directory[0] && i < JA_COUNT(places); i++) {
        if (!places[i])
            continue;
        snprintf(directory, sizeof directory, "%s/jailadmin-fuzz-%ld", places[i], (long)getpid());
        if (mkdir(directory, 0700) < 0)
            directory[0] = '\0';
        else
            atexit(remove_directory);
    }
    if (!directory[0])
        return NULL;
    DIR *dir = opendir(directory);
    bool empty = true;
    for (const struct dirent *entry; dir && empty && (entry = readdir(dir)) != NULL;)
        empty = entry->d_name[0] == '.' && (!entry->d_name[1] || strcmp(entry->d_name, "..") == 0);
    if (dir)
        closedir(dir);
    if (!empty) {
        must(ja_tree_remove(directory, NULL) == 0);
        must(mkdir(directory, 0700) == 0);
    }
    return directory;
}

/* ---- seeds ---- */

void fuzz_seed_bytes(const char *parser, const void *bytes, size_t length)
{
    take_seed(parser, bytes, length);
}

void fuzz_seed(const char *parser, const char *text)
{
    take_seed(parser, text, strlen(text));
}

void fuzz_word(const char *word)
{
    take_word(word);
}

static void words_of(const struct ja_noun *noun, int depth)
{
    for (size_t i = 0; i < noun->field_count; i++) {
        const struct ja_field *field = &noun->fields[i];
        take_word(field->name);
        for (size_t k = 0; field->values && field->values[k]; k++)
            take_word(field->values[k]);
        if (field->def && *field->def)
            take_word(field->def);
        if (field->noun && depth > 0)
            words_of(field->noun, depth - 1);
    }
}

void fuzz_words(const struct ja_noun *noun)
{
    words_of(noun, 3);
}

static void seed_file(const char *parser, const char *path)
{
    ja_autofree char *text = NULL;
    size_t length;
    struct ja_error err = JA_ERROR_INIT;
    if (ja_file_read(path, FILE_MOST, &text, &length, &err) < 0)
        fuzz_fail(path, 0, err.what);
    take_seed(parser, text, length);
}

void fuzz_seed_file(const char *parser, const char *path)
{
    char full[1024];
    snprintf(full, sizeof full, FUZZ_TEST "/%s", path);
    DIR *dir = opendir(full);
    if (!dir)
        seed_file(parser, full);
    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        char file[1024];
        struct stat st;
        if (snprintf(file, sizeof file, "%s/%s", full, entry->d_name) < (int)sizeof file && stat(file, &st) == 0 &&
            S_ISREG(st.st_mode))
            seed_file(parser, file);
    }
    if (dir)
        closedir(dir);
}

/* ---- one input ---- */

static size_t parser_count(void)
{
    size_t count = 0;
    while (fuzz_parsers[count].name)
        count++;
    return count;
}

static void run(size_t parser, const void *bytes, size_t length)
{
    /* Memory of its own, so that reading past the end is seen. */
    char *text = malloc(length + 1);
    must(text);
    if (length)
        memcpy(text, bytes, length);
    text[length] = '\0';
    fuzz_parsers[parser].run(text, length);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size)
        run((size_t)(uint8_t)(data[0] - 'a') % parser_count(), data + 1, size - 1);
    return 0;
}

static size_t parser_of(const char *name)
{
    for (size_t i = 0; fuzz_parsers[i].name; i++)
        if (strcmp(fuzz_parsers[i].name, name) == 0)
            return i;
    fuzz_fail(__FILE__, __LINE__, name);
}

#ifdef FUZZ_LIBFUZZER

static const char *seeds_in;
static FILE *dictionary;

static void write_seed(const char *parser, const void *bytes, size_t length)
{
    static unsigned number;
    char path[1024];
    snprintf(path, sizeof path, "%s/seeds/%s-%u", seeds_in, parser, number++);
    FILE *file = fopen(path, "w");
    must(file);
    fputc((int)('a' + parser_of(parser)), file);
    fwrite(bytes, 1, length, file);
    must(fclose(file) == 0);
}

static void write_word(const char *word)
{
    if (!*word)
        return;
    fputc('"', dictionary);
    for (; *word; word++) {
        if (*word == '"' || *word == '\\' || (unsigned char)*word < ' ' || (unsigned char)*word > '~')
            fprintf(dictionary, "\\x%02x", (unsigned char)*word);
        else
            fputc(*word, dictionary);
    }
    fputs("\"\n", dictionary);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    ja_json_init();
    if (*argc != 3 || strcmp((*argv)[1], "--seeds") != 0)
        return 0;
    char path[1024];
    seeds_in = (*argv)[2];
    snprintf(path, sizeof path, "%s/seeds", seeds_in);
    must(ja_dir_make(path, 0755, NULL) == 0);
    snprintf(path, sizeof path, "%s/dictionary", seeds_in);
    dictionary = fopen(path, "w");
    must(dictionary);
    take_seed = write_seed;
    take_word = write_word;
    fuzz_seeds();
    must(fclose(dictionary) == 0);
    exit(0);
}

#else

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static size_t below(size_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return n ? (size_t)(random_state % n) : 0;
}

static unsigned long long runs;

static void try_seed(const char *parser, const void *bytes, size_t length)
{
    size_t number = parser_of(parser);
    unsigned char *copy = malloc(length + 1);
    must(copy);
    run(number, bytes, length);
    for (size_t i = 0; length && i < DAMAGES; i++) {
        memcpy(copy, bytes, length);
        run(number, copy, below(length)); /* cut off */
        for (size_t k = below(4) + 1; k > 0; k--)
            copy[below(length)] = (unsigned char)(below(3) ? (char)below(256) : "\n\t ,.=:/-0\"{}[]\\"[below(17)]);
        run(number, copy, length);
        runs += 2;
    }
    runs++;
    free(copy);
}

static void try_found(const char *path)
{
    DIR *dir = opendir(path);
    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        char file[1024];
        ja_autofree char *text = NULL;
        size_t length;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        must(ja_file_read(file, FILE_MOST, &text, &length, NULL) == 0);
        printf("%s\n", entry->d_name);
        fflush(stdout);
        LLVMFuzzerTestOneInput((const uint8_t *)text, length);
        runs++;
    }
    if (dir)
        closedir(dir);
}

int main(void)
{
    ja_json_init();
    take_seed = try_seed;
    try_found(FUZZ_TEST "/fuzz/found/" FUZZ_NAME);
    fuzz_seeds();
    printf("%llu inputs\n", runs);
    return 0;
}

#endif
