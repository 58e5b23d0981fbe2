/*
 * fuzz.h: what the fuzzing targets share. A target is one file: a table of parsers that belong together, and what to begin with. The
 * first byte of an input chooses the parser ('a' is the first one), the rest is its text.
 *
 * A parser is looked at for more than crashes: what it accepts prints and reads back as the same; what it refuses is told in plain
 * words, and nothing is left behind. `must` says so.
 */
#ifndef JA_FUZZ_H
#define JA_FUZZ_H

#include "model/field.h"

#include <stdio.h>
#include <string.h>

struct fuzz_parser {
    const char *name;
    /* Zero-terminated (there may be further zeros in it), to be changed at will. */
    void (*run)(char *text, size_t length);
};

/* What a target defines: its parsers, the last one without a name, and its seeds. */
extern const struct fuzz_parser fuzz_parsers[];
void fuzz_seeds(void);

/* For fuzz_seeds. A text of a parser, by its name; a file below test/ as such, or all files of a directory there; words that make sense
 * in the middle of a text: every name in a noun's table. */
void fuzz_seed(const char *parser, const char *text);
void fuzz_seed_bytes(const char *parser, const void *bytes, size_t length);
void fuzz_seed_file(const char *parser, const char *path);
void fuzz_word(const char *word);
void fuzz_words(const struct ja_noun *noun);

/* Ends the program with what was to be true. */
#define must(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
void fuzz_fail(const char *file, int line, const char *what) __attribute__((noreturn));

/* No control characters, nor what is no UTF-8; NULL is fine. */
bool fuzz_printable(const char *text);
/* A result of 0, or a code with its error, in plain words. True: it was accepted. */
bool fuzz_accepted(int code, const struct ja_error *err);

/* An error that nothing is in, and memory for a result, with a pattern that only a success may change. */
#define FUZZ_UNTOUCHED 0xa5
bool fuzz_untouched(const void *memory, size_t size);
#define fuzz_fill(variable) memset(&(variable), FUZZ_UNTOUCHED, sizeof(variable))

/* Cuts the next line off: its text, or NULL. */
char *fuzz_line(char **rest);

/* A directory for files that a parser reads, empty, and the same at each call; NULL: there is no room for one. */
const char *fuzz_directory(void);

#endif
