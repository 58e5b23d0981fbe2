/*
 * table.c: tables for people, which scripts can read too: the same columns on a terminal and in a pipe,
 * without decoration there.
 */
#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

#define GAP 2          /* spaces between columns */
#define COLUMN_LEAST 8 /* a column is not cut below this many characters */

void ja_table_init(struct ja_table *table, ...)
{
    *table = (struct ja_table){0};
    va_list args;
    va_start(args, table);
    for (const char *header; (header = va_arg(args, const char *));)
        if (ja_strv_add(&table->headers, header) < 0)
            table->failed = true;
    va_end(args);
}

void ja_table_part(struct ja_table *table, const char *text, size_t length)
{
    ja_str_add_shown(&table->cells, text, length, false);
}

void ja_table_end(struct ja_table *table)
{
    if (table->cells.length == table->start)
        ja_str_add(&table->cells, "-"); /* so that every line has the same number of words */
    ja_str_addn(&table->cells, "", 1);
    table->start = table->cells.length;
    table->count++;
}

void ja_table_cell(struct ja_table *table, const char *text)
{
    if (text)
        ja_table_part(table, text, strlen(text));
    ja_table_end(table);
}

void ja_table_cellf(struct ja_table *table, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ja_table_cell(table, text);
}

void ja_table_cells_joined(struct ja_table *table, const struct ja_strv *strv)
{
    for (size_t i = 0; i < strv->count; i++) {
        ja_table_part(table, ",", i ? 1 : 0);
        ja_table_part(table, strv->items[i], strlen(strv->items[i]));
    }
    ja_table_end(table);
}

/* Columns that a text takes: its characters, since cells are valid UTF-8 without controls. */
static size_t text_width(const char *text, size_t *ret_bytes)
{
    size_t bytes = strlen(text), width = 0;
    for (size_t i = 0; i < bytes; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    *ret_bytes = bytes;
    return width;
}

static bool aligned_right(const char *header)
{
    return *header == '>';
}

/* Numbers, and what would be of no use when it is cut. */
static bool stays_whole(const char *header)
{
    return *header == '>' || *header == '=';
}

static const char *header_text(const char *header)
{
    return header + stays_whole(header);
}

static size_t *measure(const struct ja_table *table)
{
    size_t columns = table->headers.count, bytes;
    size_t *widths = ja_calloc(columns, sizeof *widths);
    for (size_t c = 0; widths && c < columns; c++)
        widths[c] = text_width(header_text(table->headers.items[c]), &bytes);
    const char *cell = table->cells.text;
    for (size_t i = 0; widths && i < table->count; i++, cell += bytes + 1) {
        size_t width = text_width(cell, &bytes);
        if (width > widths[i % columns])
            widths[i % columns] = width;
    }
    return widths;
}

/* Takes from the widest columns until a line fits. The first one, which names things, and those marked stay whole. */
static void fit(const struct ja_table *table, size_t *widths, size_t width)
{
    size_t columns = table->headers.count, sum = (columns - 1) * GAP;
    for (size_t c = 0; c < columns; c++)
        sum += widths[c];
    while (sum > width) {
        size_t widest = 0;
        for (size_t c = 1; c < columns; c++)
            if (!stays_whole(table->headers.items[c]) && widths[c] > COLUMN_LEAST &&
                (!widest || widths[c] > widths[widest]))
                widest = c;
        if (!widest)
            return;
        widths[widest]--;
        sum--;
    }
}

/* The first characters of a text that is too long, and dots. */
static void add_cut(struct ja_str *line, const char *text, size_t width)
{
    const char *end = text;
    for (size_t n = 0; n < width - 3; n++)
        for (end++; ((unsigned char)*end & 0xc0) == 0x80;)
            end++;
    ja_str_addn(line, text, (size_t)(end - text));
    ja_str_add(line, "...");
}

static void add_spaces(struct ja_str *line, size_t count)
{
    static const char spaces[] = "                                ";
    for (size_t n; count > 0; count -= n) {
        n = count < sizeof spaces - 1 ? count : sizeof spaces - 1;
        ja_str_addn(line, spaces, n);
    }
}

/* One cell; nothing stands after the last one of a line. Returns its bytes. */
static size_t add_cell(struct ja_str *line, const char *text, size_t width, bool right, bool last)
{
    size_t bytes, length = text_width(text, &bytes);
    size_t fill = length < width ? width - length : 0;
    if (right)
        add_spaces(line, fill);
    if (length > width)
        add_cut(line, text, width);
    else
        ja_str_addn(line, text, bytes);
    if (!last)
        add_spaces(line, right ? GAP : fill + GAP);
    return bytes;
}

static void add_rows(const struct ja_table *table, const size_t *widths, bool bold, struct ja_str *out)
{
    size_t columns = table->headers.count;
    ja_str_add(out, bold ? "\033[1m" : "");
    for (size_t c = 0; c < columns; c++) {
        const char *header = table->headers.items[c];
        add_cell(out, header_text(header), widths[c], aligned_right(header), c + 1 == columns);
    }
    ja_str_add(out, bold ? "\033[0m\n" : "\n");
    const char *cell = table->cells.text;
    for (size_t i = 0; i < table->count / columns * columns; i++) {
        size_t c = i % columns;
        bool last = c + 1 == columns;
        cell += add_cell(out, cell, widths[c], aligned_right(table->headers.items[c]), last) + 1;
        if (last)
            ja_str_addn(out, "\n", 1);
    }
}

int ja_table_print(struct ja_cli *cli, struct ja_table *table, struct ja_error *err)
{
    ja_autofree size_t *widths = table->failed || table->cells.failed || !table->headers.count ? NULL : measure(table);
    ja_autostr struct ja_str out = {0};
    if (widths && cli->out_terminal)
        fit(table, widths, cli->width);
    if (widths)
        add_rows(table, widths, cli->out_colour, &out);
    bool failed = !widths || out.failed;
    if (!failed)
        fputs(out.text, cli->out);
    ja_table_fini(table);
    return failed ? ja_error_nomem(err) : 0;
}

void ja_table_fini(struct ja_table *table)
{
    ja_strv_fini(&table->headers);
    ja_str_fini(&table->cells);
    *table = (struct ja_table){0};
}
