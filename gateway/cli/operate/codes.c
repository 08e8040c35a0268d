#include "base/instant.h"
#include "cli/command.h"
#include "fhir/fhir.h"
#include "fhir/package.h"

#include <stdio.h>

/* Lists of codes: a table (CSV) becomes a code system in a pack, with what its codes are called and when they are in force. */

#define PACK_BYTES_MAX ((size_t)512 << 20)
#define FIELD_BYTES_MAX ((size_t)65536)

/* ---- the table ---- */

enum column { COLUMN_CODE, COLUMN_DISPLAY, COLUMN_FROM, COLUMN_UNTIL, COLUMNS };

struct table {
    const char *file;
    arena *mem;
    view rest;
    size_t line;         /* of the row that is read */
    int places[COLUMNS]; /* -1: not asked for */
    size_t codes, empty; /* rows with a code, rows without */
};

/* The next field of a row (RFC 4180); *ret_last: the row ends behind it. */
static view
quoted_field(struct table *t, bool *ret_last)
{
    struct buf out;
    size_t end = 1;
    view text = t->rest;
    buf_init(&out, FIELD_BYTES_MAX);
    for (; end < text.n; end++) {
        if (text.p[end] == '"' && !(end + 1 < text.n && text.p[end + 1] == '"'))
            break;
        end += text.p[end] == '"';
        t->line += text.p[end] == '\n';
        buf_add_byte(&out, text.p[end]);
    }
    view field = arena_dup(t->mem, out.n ? buf_view(&out) : V(""));
    buf_done(&out);
    end += end < text.n;
    *ret_last = end >= text.n || text.p[end] != ',';
    bool crlf = end + 1 < text.n && text.p[end] == '\r' && text.p[end + 1] == '\n';
    t->rest = view_sub(text, end + (crlf ? 2 : 1), text.n);
    return field;
}

static view
next_field(struct table *t, bool *ret_last)
{
    view text = t->rest;
    size_t end = 0;
    if (view_starts(text, V("\"")))
        return quoted_field(t, ret_last);
    while (end < text.n && text.p[end] != ',' && text.p[end] != '\n' && text.p[end] != '\r')
        end++;
    *ret_last = end >= text.n || text.p[end] != ',';
    bool crlf = end + 1 < text.n && text.p[end] == '\r' && text.p[end + 1] == '\n';
    t->rest = view_sub(text, end + (crlf ? 2 : 1), text.n);
    return view_trim(view_sub(text, 0, end));
}

/* The columns by their headings; without a heading for the codes they stand in the first. */
static err
read_head(const struct args *a, struct table *t, struct fault *f)
{
    static const char *const options[COLUMNS] = {"column", "display", "from", "until"};
    bool last = false;
    if (view_starts(t->rest, V("\xEF\xBB\xBF")))
        t->rest = view_sub(t->rest, 3, t->rest.n);
    for (int i = 0; i < COLUMNS; i++)
        t->places[i] = -1;
    for (int at = 0; !last && t->rest.n > 0; at++) {
        view heading = next_field(t, &last);
        for (int i = 0; i < COLUMNS; i++)
            if (args_value(a, options[i]) && view_eq(heading, view_of(args_value(a, options[i]))))
                t->places[i] = at;
    }
    if (!args_value(a, options[COLUMN_CODE]))
        t->places[COLUMN_CODE] = 0;
    for (int i = 0; i < COLUMNS; i++)
        if (t->places[i] < 0 && args_value(a, options[i]))
            return fault_setf(f, E_NOT_FOUND, "a column with the heading of this option", "none", "--%s",
                              options[i]);
    t->line++;
    return E_OK;
}

/* "2026-07-01", "2026/07/01", "20260701", or of the Republic: "1150701", "115/07/01", "115-07-01".  Empty, and what lies beyond
 * every calendar ("9991231"), is open. */
static err
read_day(view text, date *ret, bool *ret_open)
{
    char digits[12];
    size_t n = 0;
    *ret_open = text.n == 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '-' || text.p[i] == '/')
            continue;
        if (text.p[i] < '0' || text.p[i] > '9' || n == 8)
            return E_VALUE;
        digits[n++] = text.p[i];
    }
    if (*ret_open)
        return E_OK;
    if (n < 6)
        return E_VALUE;
    view day = {digits, n};
    *ret_open = view_starts(day, n == 8 ? V("9999") : V("999"));
    if (*ret_open)
        return E_OK;
    if (n < 8)
        return date_parse_roc(day, ret);
    char iso[16];
    snprintf(iso, sizeof iso, "%.4s-%.2s-%.2s", digits, digits + 4, digits + 6);
    return date_parse(view_of(iso), ret);
}

static err
add_day(const struct table *t, view text, const char *property, bool *any, struct buf *out, struct fault *f)
{
    date d;
    bool open;
    if (read_day(text, &d, &open) != E_OK)
        return fault_setf(f, E_VALUE, "a day: 2026-07-01, 20260701, 1150701 or empty", "another text",
                          "%s:%zu", t->file, t->line);
    if (open)
        return E_OK;
    buf_printf(out, "%s{\"code\":\"%s\",\"valueDateTime\":\"%04d-%02u-%02u\"}", *any ? "," : "", property,
               (int)d.year, (unsigned)d.month, (unsigned)d.day);
    *any = true;
    return E_OK;
}

static err
add_row(struct table *t, const view *fields, struct buf *out, struct fault *f)
{
    bool any = false;
    if (fields[COLUMN_CODE].n == 0) {
        t->empty++;
        return E_OK;
    }
    BUF_LIT(out, "{\"code\":");
    buf_add_json(out, fields[COLUMN_CODE]);
    if (fields[COLUMN_DISPLAY].n > 0) {
        BUF_LIT(out, ",\"display\":");
        buf_add_json(out, fields[COLUMN_DISPLAY]);
    }
    BUF_LIT(out, ",\"property\":[");
    TRY(add_day(t, fields[COLUMN_FROM], "effectiveDate", &any, out, f));
    TRY(add_day(t, fields[COLUMN_UNTIL], "retirementDate", &any, out, f));
    BUF_LIT(out, "]},");
    t->codes++;
    return E_OK;
}

static err
add_rows(struct table *t, struct buf *out, struct fault *f)
{
    while (t->rest.n > 0) {
        view fields[COLUMNS] = {VIEW_NONE, VIEW_NONE, VIEW_NONE, VIEW_NONE};
        bool last = false;
        t->line++;
        for (int at = 0; !last; at++) {
            view field = next_field(t, &last);
            for (int i = 0; i < COLUMNS; i++)
                if (t->places[i] == at)
                    fields[i] = field;
        }
        TRY(add_row(t, fields, out, f));
    }
    return t->codes > 0 ? E_OK : fault_setf(f, E_NOT_FOUND, "a row with a code", "none", "%s", t->file);
}

/* ---- commands ---- */

struct list {
    const char *system, *version, *dir;
    struct table table;
};

static err
make_pack(struct list *l, const struct args *a, view name, struct buf *pack, struct fault *f)
{
    struct buf json;
    const struct package_name named = {name, view_of(l->version)};
    buf_init(&json, PACK_BYTES_MAX);
    BUF_LIT(&json, "{\"resourceType\":\"CodeSystem\",\"content\":\"complete\",\"url\":");
    buf_add_json(&json, view_of(l->system));
    BUF_LIT(&json, ",\"version\":");
    buf_add_json(&json, named.version);
    BUF_LIT(&json, ",\"concept\":[");
    err e = read_head(a, &l->table, f);
    if (e == E_OK)
        e = add_rows(&l->table, &json, f);
    json.n -= l->table.codes > 0;
    BUF_LIT(&json, "]}");
    if (e == E_OK)
        e = json.failed ? E_TOO_LARGE : package_compile_one(&named, buf_view(&json), pack, f);
    buf_done(&json);
    return e;
}

static void
say_added(const struct args *a, const struct list *l, const char *path, size_t bytes)
{
    if (a->json)
        printf("{\"system\":\"%s\",\"version\":\"%s\",\"codes\":%zu,\"rows_without_code\":%zu,\"file\":\"%"
               "s\",\"bytes\":%zu}\n",
               l->system, l->version, l->table.codes, l->table.empty, path, bytes);
    else
        printf("%s: %zu codes, %s, %zu bytes\n", l->system, l->table.codes, path, bytes);
}

int
run_codes_add(struct args *a)
{
    const char *version = args_value(a, "version");
    struct list l = {
        .system = args_value(a, "system"), .version = version ? version : "1", .dir = args_value(a, "dir")};
    struct fault f;
    struct buf pack;
    fault_init(&f);
    if (a->n_positional != 1 || !l.dir || !l.system)
        return command_usage(a, "a CSV file, --system and --dir are needed");
    l.table = (struct table){.file = a->positional[0], .mem = a->mem};
    err e = file_read(l.table.file, a->mem, &l.table.rest, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    buf_init(&pack, PACK_BYTES_MAX);
    view name = arena_printf(a->mem, "codes-%08x", (unsigned)package_hash(view_of(l.system)));
    e = make_pack(&l, a, name, &pack, &f);
    const char *path = arena_printf(a->mem, "%s/%.*s-%s.pack", l.dir, VIEW_ARG(name), l.version).p;
    if (e == E_OK && strchr(l.version, '/'))
        e = fault_set(&f, E_CONFIG, "--version", "a text that can name a file", "another");
    if (e == E_OK)
        e = folder_make(l.dir, &f);
    if (e == E_OK)
        e = file_write(path, buf_view(&pack), false, &f);
    if (e == E_OK)
        say_added(a, &l, path, pack.n);
    buf_done(&pack);
    return e == E_OK ? EXIT_OK : command_fail(a, e, &f);
}

#define WINDOWS_MOST 64

static void
print_code(const struct args *a, const char *code, const struct code_facts *facts, size_t n)
{
    if (a->json && n == 0)
        printf("{\"code\":\"%s\",\"known\":false}\n", code);
    else if (n == 0)
        printf("%s  not in the list\n", code);
    for (size_t i = 0; i < n; i++) {
        if (a->json)
            printf("{\"code\":\"%s\",\"known\":true,\"display\":\"%.*s\",\"valid_from\":%u,\"valid_until\":%"
                   "u}\n",
                   code, VIEW_ARG(facts[i].display), facts[i].from, facts[i].until);
        else
            printf("%s  %.*s  %08u..%08u\n", code, VIEW_ARG(facts[i].display), facts[i].from, facts[i].until);
    }
}

int
run_codes_show(struct args *a)
{
    const char *dir = args_value(a, "dir"), *system = args_value(a, "system");
    const struct profile_sources own = {.files = fhir_profiles, .n = fhir_profiles_count};
    struct fault f;
    bool all = true;
    fault_init(&f);
    if (a->n_positional == 0 || !system)
        return command_usage(a, "codes and --system are needed");
    AUTO(profiles_free) struct profile_set *set = NULL;
    err e = packs_open_folder(dir ? dir : "", &own, &set, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    for (int i = 0; i < a->n_positional; i++) {
        struct code_facts facts[WINDOWS_MOST];
        size_t n = codes_look(set, view_of(system), view_of(a->positional[i]), facts, WINDOWS_MOST);
        print_code(a, a->positional[i], facts, n < WINDOWS_MOST ? n : WINDOWS_MOST);
        all &= n > 0;
    }
    return all ? EXIT_OK : EXIT_INVALID;
}
