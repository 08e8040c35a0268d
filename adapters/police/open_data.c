#include "adapters/police/open_data.h"

#include "base/decimal.h"
#include "base/instant.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS_MAX 2000000u

static const struct open_column_row columns[] = {
#define OPEN(id, name) {name, OPEN_IS_PLAIN, PLACE_NONE, "", COLUMN_COUNT},
#define OPEN_CODE(id, name, place, member, column)                                                           \
    {name, OPEN_IS_CODE, PLACE_##place, member, COLUMN_##column},
#define OPEN_MAJOR(id, name, column) {name, OPEN_IS_MAJOR, PLACE_NONE, "", COLUMN_##column},
#define OPEN_MINOR(id, name, place, member, column)                                                          \
    {name, OPEN_IS_MINOR, PLACE_##place, member, COLUMN_##column},
#include "adapters/police/open_data.def"
};

const struct open_column_row *
open_column_of(enum open_column c)
{
    return &columns[c];
}

/* -- CSV -- */

struct csv {
    view text;
    size_t at;
    uint32_t line;
    arena *mem;
};

enum csv_end { CSV_MORE, CSV_ROW_ENDS, CSV_BROKEN, CSV_FULL };

static enum csv_end
end_of_field(struct csv *c)
{
    if (c->at >= c->text.n)
        return CSV_ROW_ENDS;
    char ch = c->text.p[c->at++];
    if (ch == ',')
        return CSV_MORE;
    if (ch == '\r' && c->at < c->text.n && c->text.p[c->at] == '\n')
        c->at++;
    c->line++;
    return ch == '\n' || ch == '\r' ? CSV_ROW_ENDS : CSV_BROKEN;
}

/* A field in quotes, in which two quotes are one. */
static enum csv_end
read_quoted(struct csv *c, view *ret)
{
    size_t from = ++c->at, doubled = 0;
    while (c->at < c->text.n) {
        char ch = c->text.p[c->at];
        if (ch == '\n')
            c->line++;
        if (ch == '"' && c->at + 1 < c->text.n && c->text.p[c->at + 1] == '"') {
            doubled++;
            c->at += 2;
            continue;
        }
        if (ch == '"')
            break;
        c->at++;
    }
    if (c->at >= c->text.n)
        return CSV_BROKEN;
    *ret = view_sub(c->text, from, c->at - from);
    c->at++;
    if (doubled == 0)
        return end_of_field(c);
    char *p = arena_alloc(c->mem, ret->n);
    size_t n = 0;
    if (!p)
        return CSV_FULL;
    for (size_t i = 0; i < ret->n; i++) {
        p[n++] = ret->p[i];
        i += ret->p[i] == '"';
    }
    *ret = view_make(p, n);
    return end_of_field(c);
}

static enum csv_end
read_field(struct csv *c, view *ret)
{
    if (c->at < c->text.n && c->text.p[c->at] == '"')
        return read_quoted(c, ret);
    size_t from = c->at;
    while (c->at < c->text.n && c->text.p[c->at] != ',' && c->text.p[c->at] != '\n' &&
           c->text.p[c->at] != '\r')
        c->at++;
    *ret = view_sub(c->text, from, c->at - from);
    return end_of_field(c);
}

/* -- rows -- */

#define FIELDS_MAX 128

struct table {
    struct csv csv;
    int16_t column_of[FIELDS_MAX]; /* field → enum open_column, -1: another one */
    struct open_row *rows;
    size_t n, room, skipped;
    struct fault *f;
};

static err
broken(struct table *t, uint32_t line, const char *expected, const char *found)
{
    err e = fault_set(t->f, E_SYNTAX, "csv", expected, found);
    if (t->f && t->f->code == E_SYNTAX)
        t->f->line = line;
    return e;
}

static err
csv_error(struct table *t, enum csv_end end, uint32_t line)
{
    if (end == CSV_FULL)
        return fault_set(t->f, E_TOO_LARGE, "csv", "a table that fits the memory", "a larger one");
    return broken(t, line, "quoted fields that end with a quote and a comma", "another form");
}

static err
read_header(struct table *t)
{
    bool known[OPEN_COUNT] = {false};
    enum csv_end end = CSV_MORE;
    for (size_t i = 0; end == CSV_MORE; i++) {
        view name = VIEW_NONE;
        end = read_field(&t->csv, &name);
        if (end >= CSV_BROKEN)
            return csv_error(t, end, 1);
        if (i >= FIELDS_MAX)
            return broken(t, 1, "at most 128 columns", "more");
        t->column_of[i] = -1;
        for (int c = 0; c < OPEN_COUNT; c++) {
            if (!view_eq(view_trim(name), view_of(columns[c].name)))
                continue;
            t->column_of[i] = (int16_t)c;
            known[c] = true;
        }
    }
    for (int c = 0; c < OPEN_COUNT; c++)
        if (!known[c])
            return broken(t, 1, columns[c].name, "no column with this name");
    return E_OK;
}

static bool
is_row(const struct open_row *r)
{
    return r->fields[OPEN_DATE].n == 8 && text_is_digits(r->fields[OPEN_DATE]) && r->fields[OPEN_PLACE].n > 0;
}

static err
read_row(struct table *t)
{
    struct open_row *row = &t->rows[t->n];
    enum csv_end end = CSV_MORE;
    *row = (struct open_row){.line = t->csv.line};
    for (size_t i = 0; end == CSV_MORE; i++) {
        view field = VIEW_NONE;
        end = read_field(&t->csv, &field);
        if (end >= CSV_BROKEN)
            return csv_error(t, end, row->line);
        if (i >= FIELDS_MAX || t->column_of[i] < 0)
            continue;
        /* Blanks belong to a free text; around a label or number they are padding. */
        int c = t->column_of[i];
        row->fields[c] = c == OPEN_PLACE || c == OPEN_AGENCY ? field : view_trim(field);
    }
    if (is_row(row))
        t->n++;
    else
        t->skipped++;
    return E_OK;
}

static size_t
count_lines(view text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n' || (text.p[i] == '\r' && (i + 1 == text.n || text.p[i + 1] != '\n'));
    return n;
}

static err
read_rows(struct table *t)
{
    TRY(read_header(t));
    size_t most = count_lines(t->csv.text);
    if (most > ROWS_MAX)
        return fault_set(t->f, E_TOO_LARGE, "csv", "at most 2,000,000 lines", "more");
    t->rows = arena_make_array(t->csv.mem, most, struct open_row);
    if (!t->rows)
        return fault_set(t->f, E_TOO_LARGE, "csv", "a table that fits the memory", "a larger one");
    while (t->csv.at < t->csv.text.n)
        TRY(read_row(t));
    return E_OK;
}

/* -- accidents -- */

static const enum open_column key_columns[] = {OPEN_DATE,  OPEN_TIME, OPEN_AGENCY,
                                               OPEN_PLACE, OPEN_LON,  OPEN_LAT};

static int
compare_keys(const struct open_row *a, const struct open_row *b)
{
    for (size_t i = 0; i < COUNT_OF(key_columns); i++) {
        int c = view_cmp(a->fields[key_columns[i]], b->fields[key_columns[i]]);
        if (c != 0)
            return c;
    }
    return 0;
}

static int64_t
seq_of(const struct open_row *r)
{
    int64_t n;
    return text_to_i64(r->fields[OPEN_SEQ], &n) == E_OK ? n : INT64_MAX;
}

static int
compare_rows(const void *x, const void *y)
{
    const struct open_row *a = x, *b = y;
    int c = compare_keys(a, b);
    if (c != 0)
        return c;
    if (seq_of(a) != seq_of(b))
        return seq_of(a) < seq_of(b) ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static uint32_t
first_line(const struct open_accident *a)
{
    uint32_t line = UINT32_MAX;
    for (size_t i = 0; i < a->n; i++)
        line = a->rows[i].line < line ? a->rows[i].line : line;
    return line;
}

static int
compare_accidents(const void *x, const void *y)
{
    uint32_t a = first_line(x), b = first_line(y);
    return a < b ? -1 : a > b;
}

static bool
is_of_party(enum open_column c)
{
    return c >= OPEN_SEQ && c <= OPEN_HIT_AND_RUN;
}

static size_t
count_differing(const struct open_accident *a)
{
    size_t n = 0;
    for (size_t i = 1; i < a->n; i++) {
        bool differs = false;
        for (int c = 0; c < OPEN_COUNT; c++)
            differs = differs || (!is_of_party((enum open_column)c) &&
                                  !view_eq(a->rows[i].fields[c], a->rows[0].fields[c]));
        n += differs;
    }
    return n;
}

static err
group_rows(struct table *t, struct open_data *ret)
{
    qsort(t->rows, t->n, sizeof *t->rows, compare_rows);
    ret->accidents = arena_make_array(t->csv.mem, t->n + 1, struct open_accident);
    if (!ret->accidents)
        return fault_set(t->f, E_TOO_LARGE, "csv", "a table that fits the memory", "a larger one");
    for (size_t i = 0; i < t->n; i++) {
        if (i == 0 || compare_keys(&t->rows[i - 1], &t->rows[i]) != 0)
            ret->accidents[ret->n++].rows = &t->rows[i];
        ret->accidents[ret->n - 1].n++;
    }
    qsort(ret->accidents, ret->n, sizeof *ret->accidents, compare_accidents);
    for (size_t i = 0; i < ret->n; i++)
        ret->differing += count_differing(&ret->accidents[i]);
    return E_OK;
}

err
open_data_read(view csv, arena *mem, struct open_data *ret, struct fault *f)
{
    struct open_data data = {0};
    size_t bad;
    struct table *t = arena_make(mem, struct table);
    if (!t)
        return fault_set(f, E_TOO_LARGE, "csv", "", "");
    if (!text_is_utf8(csv, &bad)) {
        (void)fault_set(f, E_UTF8, "csv", "UTF-8", "another encoding");
        fault_range(f, bad, 1);
        return E_UTF8;
    }
    *t = (struct table){.csv = {.text = csv, .line = 1, .mem = mem}, .f = f};
    for (int i = 0; i < FIELDS_MAX; i++)
        t->column_of[i] = -1;
    if (view_starts(csv, V("\xEF\xBB\xBF")))
        t->csv.at = 3;
    TRY(read_rows(t));
    TRY(group_rows(t, &data));
    data.rows = t->n;
    data.skipped = t->skipped;
    *ret = data;
    return E_OK;
}

/* -- era and tally -- */

/* Class and name of a value; an OPEN_IS_MINOR column has its class in the column before it. */
static bool
is_resolved(const struct open_row *r, enum open_column c, enum police_era era)
{
    view major = columns[c].kind == OPEN_IS_MINOR ? r->fields[c - 1] : VIEW_NONE;
    return police_code_find(columns[c].column, era, major, r->fields[c], VIEW_NONE) != NULL;
}

static size_t
count_resolved(const struct open_accident *a, enum police_era era)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        for (int c = 0; c < OPEN_COUNT; c++)
            if (columns[c].kind == OPEN_IS_CODE || columns[c].kind == OPEN_IS_MINOR)
                n += is_resolved(&a->rows[i], (enum open_column)c, era);
    return n;
}

enum police_era
open_accident_era(const struct open_accident *a)
{
    size_t old = count_resolved(a, ERA_OLD), new = count_resolved(a, ERA_NEW);
    if (old != new)
        return old > new ? ERA_OLD : ERA_NEW;
    return view_cmp(a->rows[0].fields[OPEN_DATE], V("20230701")) < 0 ? ERA_OLD : ERA_NEW;
}

static bool
is_number(view text)
{
    decimal d;
    return decimal_parse(text, &d) == E_OK;
}

static bool
is_plain_good(const struct open_row *r, enum open_column c)
{
    char time[32];
    int64_t dead, injured;
    switch (c) {
    case OPEN_DATE:
    case OPEN_TIME:
        return open_time(r, time);
    case OPEN_CASUALTIES:
        return open_casualties(r, &dead, &injured);
    case OPEN_CLASS:
        return view_eq(r->fields[c], V("A1")) || view_eq(r->fields[c], V("A2")) ||
               view_eq(r->fields[c], V("A3"));
    case OPEN_AGENCY:
    case OPEN_PLACE:
        return true;
    default:
        return is_number(r->fields[c]);
    }
}

void
open_tally_add(struct open_tally *t, const struct open_accident *a)
{
    enum police_era era = open_accident_era(a);
    for (size_t i = 0; i < a->n; i++) {
        const struct open_row *r = &a->rows[i];
        for (int k = 0; k < OPEN_COUNT; k++) {
            enum open_column c = (enum open_column)k;
            if (r->fields[c].n == 0)
                continue;
            t->values[c]++;
            /* A class is understood when the value is of which it is the class. */
            t->resolved[c] += columns[c].kind == OPEN_IS_PLAIN ? is_plain_good(r, c)
                              : columns[c].kind == OPEN_IS_MAJOR
                                  ? is_resolved(r, (enum open_column)(c + 1), era)
                                  : is_resolved(r, c, era);
        }
    }
}

void
open_tally_sum(const struct open_tally *t, uint64_t *ret_values, uint64_t *ret_resolved)
{
    *ret_values = *ret_resolved = 0;
    for (int c = 0; c < OPEN_COUNT; c++) {
        if (columns[c].kind == OPEN_IS_PLAIN)
            continue;
        *ret_values += t->values[c];
        *ret_resolved += t->resolved[c];
    }
}

/* -- plain columns -- */

bool
open_time(const struct open_row *r, char out[32])
{
    view d = r->fields[OPEN_DATE], t = r->fields[OPEN_TIME];
    instant unused;
    if (d.n != 8 || t.n != 6 || !text_is_digits(d) || !text_is_digits(t))
        return false;
    int n = snprintf(out, 32, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s+08:00", d.p, d.p + 4, d.p + 6, t.p, t.p + 2,
                     t.p + 4);
    return instant_parse(view_make(out, (size_t)n), &unused, NULL) == E_OK;
}

bool
open_casualties(const struct open_row *r, int64_t *ret_dead, int64_t *ret_injured)
{
    bool two = false;
    view injured = r->fields[OPEN_CASUALTIES], dead = view_cut(&injured, ';', &two);
    if (!two || !view_starts(dead, V("死亡")) || !view_starts(injured, V("受傷")))
        return false;
    size_t skip = V("死亡").n;
    return text_to_i64(view_sub(dead, skip, dead.n), ret_dead) == E_OK &&
           text_to_i64(view_sub(injured, skip, injured.n), ret_injured) == E_OK;
}

/* The place begins with a county of three characters, then a town of two to four that ends in one of these. */
static bool
is_town_end(view c)
{
    return view_eq(c, V("區")) || view_eq(c, V("鄉")) || view_eq(c, V("鎮")) || view_eq(c, V("市"));
}

void
open_county_town(view place, view *ret_county, view *ret_town)
{
    const size_t c = 3; /* bytes of a character of these names */
    *ret_county = *ret_town = VIEW_NONE;
    view end = view_sub(place, 2 * c, c);
    if (!view_eq(end, V("市")) && !view_eq(end, V("縣")))
        return;
    *ret_county = view_sub(place, 0, 3 * c);
    view rest = view_sub(place, 3 * c, place.n);
    for (size_t n = 2; n <= 4 && n * c <= rest.n; n++) {
        if (!is_town_end(view_sub(rest, (n - 1) * c, c)))
            continue;
        /* 平鎮區, 左鎮區, 前鎮區, 新市區: their second character is an ending too. */
        bool longer =
            n == 2 && !view_eq(view_sub(rest, c, c), V("區")) && view_eq(view_sub(rest, 2 * c, c), V("區"));
        *ret_town = view_sub(rest, 0, (longer ? n + 1 : n) * c);
        return;
    }
}
