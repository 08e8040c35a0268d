#include "cli/command.h"
#include "fhir/fhir.h"
#include "fhir/package.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* Packs: made from packages and from lists of codes, kept with their source in one folder. */

#define PACK_BYTES_MAX ((size_t)512 << 20)
#define FILES_MOST 256

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Files of the folder with this ending, by name. */
static size_t
list_folder(const struct args *a, const char *dir, const char *ending, const char **out)
{
    size_t n = 0;
    DIR *d = dir ? opendir(dir) : NULL;
    for (struct dirent *one; d && n < FILES_MOST && (one = readdir(d));)
        if (view_ends(view_of(one->d_name), view_of(ending)))
            out[n++] = arena_printf(a->mem, "%s/%s", dir, one->d_name).p;
    if (d)
        closedir(d);
    if (n > 0)
        qsort(out, n, sizeof *out, by_name);
    return n;
}

/* "2027-01-01" → 20270101; 0 when there is none, UINT32_MAX when it is no day. */
static uint32_t
day_of(const char *text)
{
    uint32_t n = 0;
    if (!text)
        return 0;
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return UINT32_MAX;
    for (int i = 0; i < 10; i++) {
        if (i == 4 || i == 7)
            continue;
        if (text[i] < '0' || text[i] > '9')
            return UINT32_MAX;
        n = n * 10 + (uint32_t)(text[i] - '0');
    }
    return n;
}

static const char *
path_in(const struct args *a, const char *dir, view name, view version, const char *ending)
{
    return arena_printf(a->mem, "%s/%.*s-%.*s%s", dir, VIEW_ARG(name), VIEW_ARG(version), ending).p;
}

/* The package beside its pack: parents of later packages, and what a new program version compiles again. */
static err
keep_source(const struct args *a, const char *from, const char *to, struct fault *f)
{
    view bytes;
    if (strcmp(from, to) == 0)
        return E_OK;
    TRY(file_read(from, a->mem, &bytes, f));
    return file_write(to, bytes, false, f);
}

static void
say_added(const struct args *a, const struct package_facts *facts, const char *path, size_t bytes)
{
    if (a->json)
        printf("{\"name\":\"%.*s\",\"version\":\"%.*s\",\"file\":\"%s\",\"bytes\":%zu,\"left_out\":%u}\n",
               VIEW_ARG(facts->name), VIEW_ARG(facts->version), path, bytes, facts->left_out);
    else
        printf("%.*s %.*s: %s, %zu bytes\n", VIEW_ARG(facts->name), VIEW_ARG(facts->version), path, bytes);
    if (facts->left_out > 0)
        fprintf(
            stderr,
            "%u definitions could not be compiled and were left out; the first: %s: expected %s, found %s\n",
            facts->left_out, facts->first_left_out.where, facts->first_left_out.expected,
            facts->first_left_out.found);
}

static err
add_package(struct args *a, const char *file, const char *dir, struct fault *f)
{
    const char *all[FILES_MOST + 1], *beside[FILES_MOST + 1];
    struct package_facts *facts = arena_make_array(a->mem, FILES_MOST + 1, struct package_facts), made;
    size_t n = list_folder(a, dir, ".tgz", all);
    struct buf pack;
    if (!facts)
        return fault_set(f, E_TOO_LARGE, file, "", "");
    all[n] = file;
    for (size_t i = 0; i <= n; i++)
        TRY(package_look(all[i], a->mem, &facts[i], f));
    const struct package_request rq = {.file = file,
                                       .beside = beside,
                                       .n_beside = package_beside(all, facts, n + 1, n, beside),
                                       .valid_from = day_of(args_value(a, "from")),
                                       .valid_until = day_of(args_value(a, "until"))};
    buf_init(&pack, PACK_BYTES_MAX);
    err e = package_compile(&rq, a->mem, &pack, &made, f);
    const char *path = e == E_OK ? path_in(a, dir, made.name, made.version, ".pack") : NULL;
    if (e == E_OK)
        e = file_write(path, buf_view(&pack), false, f);
    if (e == E_OK)
        e = keep_source(a, file, path_in(a, dir, made.name, made.version, ".tgz"), f);
    if (e == E_OK)
        say_added(a, &made, path, pack.n);
    buf_done(&pack);
    return e;
}

int
run_profile_add(struct args *a)
{
    struct fault f;
    const char *dir = args_value(a, "dir");
    fault_init(&f);
    if (a->n_positional == 0 || !dir)
        return command_usage(a, "a package and --dir are needed");
    if (day_of(args_value(a, "from")) == UINT32_MAX || day_of(args_value(a, "until")) == UINT32_MAX)
        return command_usage(a, "--from and --until are days: 2027-01-01");
    err e = folder_make(dir, &f);
    for (int i = 0; e == E_OK && i < a->n_positional; i++)
        e = add_package(a, a->positional[i], dir, &f);
    return e == E_OK ? EXIT_OK : command_fail(a, e, &f);
}

static void
print_pack(const struct args *a, const struct pack_facts *p)
{
    if (a->json)
        printf("{\"name\":\"%.*s\",\"version\":\"%.*s\",\"valid_from\":%u,\"valid_until\":%u,\"bytes\":%zu,"
               "\"profiles\":%u,\"value_sets\":%u,\"code_systems\":%u}\n",
               VIEW_ARG(p->name), VIEW_ARG(p->version), p->valid_from, p->valid_until, p->bytes, p->profiles,
               p->value_sets, p->code_systems);
    else
        printf("%-40.*s %-12.*s %9zu bytes %5u profiles %5u value sets %5u code systems  %08u..%08u\n",
               VIEW_ARG(p->name), VIEW_ARG(p->version), p->bytes, p->profiles, p->value_sets, p->code_systems,
               p->valid_from, p->valid_until);
}

int
run_profile_list(struct args *a)
{
    const char *files[FILES_MOST];
    struct pack_facts facts[FILES_MOST + 2];
    struct fault f;
    fault_init(&f);
    AUTO(profiles_free) struct profile_set *set = NULL;
    struct profile_sources from = {.files = fhir_profiles, .n = fhir_profiles_count, .packs = files};
    from.n_packs = list_folder(a, args_value(a, "dir"), ".pack", files);
    err e = profiles_open(&from, &set, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    size_t n = profiles_packs(set, facts, COUNT_OF(facts));
    for (size_t i = 0; i < n; i++)
        print_pack(a, &facts[i]);
    return EXIT_OK;
}

/* ---- lists of codes ---- */

/* The next field of a line of CSV (RFC 4180); *rest is what follows it, *ret_last whether the line ends there. */
static view
next_field(view *rest, arena *mem, bool *ret_last)
{
    view text = *rest;
    size_t end = 0;
    if (view_starts(text, V("\""))) {
        struct buf out;
        buf_init(&out, 65536);
        for (end = 1; end < text.n; end++) {
            if (text.p[end] == '"' && !(end + 1 < text.n && text.p[end + 1] == '"'))
                break;
            end += text.p[end] == '"';
            buf_add_byte(&out, text.p[end]);
        }
        view field = arena_dup(mem, out.n ? buf_view(&out) : V(""));
        buf_done(&out);
        end += end < text.n;
        *ret_last = end >= text.n || text.p[end] != ',';
        *rest = view_sub(text, end + 1, text.n);
        return field;
    }
    while (end < text.n && text.p[end] != ',' && text.p[end] != '\n' && text.p[end] != '\r')
        end++;
    *ret_last = end >= text.n || text.p[end] != ',';
    bool crlf = end + 1 < text.n && text.p[end] == '\r' && text.p[end + 1] == '\n';
    *rest = view_sub(text, end + (crlf ? 2 : 1), text.n);
    return view_trim(view_sub(text, 0, end));
}

/* Which column has the heading; 0 when none is asked for. */
static int
column_of(view *rest, const char *heading, arena *mem)
{
    int wanted = heading ? -1 : 0;
    bool last = false;
    for (int i = 0; !last && rest->n > 0; i++) {
        view field = next_field(rest, mem, &last);
        if (i == 0 && view_starts(field, V("\xEF\xBB\xBF")))
            field = view_sub(field, 3, field.n);
        if (heading && view_eq(field, view_of(heading)))
            wanted = i;
    }
    return wanted;
}

static size_t
add_codes(view rest, int column, arena *mem, struct buf *out)
{
    size_t n = 0;
    while (rest.n > 0) {
        bool last = false;
        for (int i = 0; !last; i++) {
            view field = next_field(&rest, mem, &last);
            if (i != column || field.n == 0)
                continue;
            BUF_LIT(out, "{\"code\":");
            buf_add_json(out, field);
            BUF_LIT(out, "},");
            n++;
        }
    }
    return n;
}

int
run_codes_add(struct args *a)
{
    const char *dir = args_value(a, "dir"), *system = args_value(a, "system"),
               *version = args_value(a, "version");
    struct fault f;
    struct buf json, pack;
    view csv;
    fault_init(&f);
    if (a->n_positional != 1 || !dir || !system)
        return command_usage(a, "a CSV file, --system and --dir are needed");
    err e = file_read(a->positional[0], a->mem, &csv, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    int column = column_of(&csv, args_value(a, "column"), a->mem);
    if (column < 0)
        return command_usage(a, "no column has this heading");
    buf_init(&json, PACK_BYTES_MAX);
    buf_init(&pack, PACK_BYTES_MAX);
    BUF_LIT(&json, "{\"resourceType\":\"CodeSystem\",\"content\":\"complete\",\"url\":");
    buf_add_json(&json, view_of(system));
    BUF_LIT(&json, ",\"version\":");
    buf_add_json(&json, view_of(version ? version : "1"));
    BUF_LIT(&json, ",\"concept\":[");
    size_t n = add_codes(csv, column, a->mem, &json);
    json.n -= n > 0;
    BUF_LIT(&json, "]}");
    view name = arena_printf(a->mem, "codes-%08x", (unsigned)package_hash(view_of(system)));
    const struct package_name named = {name, view_of(version ? version : "1")};
    e = json.failed ? E_TOO_LARGE : package_compile_one(&named, buf_view(&json), &pack, &f);
    const char *path = path_in(a, dir, named.name, named.version, ".pack");
    if (e == E_OK)
        e = folder_make(dir, &f);
    if (e == E_OK)
        e = file_write(path, buf_view(&pack), false, &f);
    if (e == E_OK)
        printf("%s: %zu codes, %s, %zu bytes\n", system, n, path, pack.n);
    buf_done(&json);
    buf_done(&pack);
    return e == E_OK ? EXIT_OK : command_fail(a, e, &f);
}
