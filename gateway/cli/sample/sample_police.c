#include "adapters/police/police.h"
#include "adapters/police/sample.h"
#include "base/deterministic.h"
#include "base/id.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/sample/sign.h"
#include "signing/xml/xmldsig.h"

#include <stdio.h>
#include <string.h>

#define PATH_SIZE 4352
#define TABLE_MEMORY ((size_t)4 << 30)
#define RECORD_MEMORY (256u << 20)

struct work {
    struct args *a;
    const char *pki, *out;
    arena *mem; /* of the record at hand */
    struct fault f;
    size_t written, accidents, files;
    size_t jws, cms, xmldsig;
    size_t refused, findings; /* by our own adapter */
};

/* -- signing and writing -- */

static err
write_file(struct work *w, const char *suffix, view bytes)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%06zu.%s", w->out, w->written + 1, suffix);
    return file_write(path, bytes, false, &w->f);
}

static err
write_attachment(struct work *w, const struct police_sample_file *file)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s.bin", w->out, file->sha256);
    w->files++;
    return file_write(path, file->bytes, false, &w->f);
}

/* What the gateway will say of the record: a sample that it would refuse is a mistake. */
static err
judge(struct work *w, enum fhir_media media, view bytes)
{
    struct tree t;
    struct issues issues;
    struct reading rd;
    issues_init(&issues, w->mem, 1000);
    TRY(police_read(media, bytes, w->mem, &t, &w->f));
    TRY(police_interpret(&t, w->mem, &issues, &rd, &w->f));
    for (const struct issue *i = issues.first; i; i = i->next)
        w->findings += i->code == E_UNMAPPED;
    w->refused += issues.errors > 0;
    return E_OK;
}

static err
sign_detached(struct work *w, const struct police_sample *s, bool cms)
{
    char key[PATH_SIZE], certificate[PATH_SIZE], chain[PATH_SIZE];
    view text;
    (void)snprintf(key, sizeof key, "%s/%s.key", w->pki, s->agency->signer);
    (void)snprintf(certificate, sizeof certificate, "%s/%s.crt", w->pki, s->agency->signer);
    (void)snprintf(chain, sizeof chain, "%s/%s.chain.pem", w->pki, s->agency->signer);
    if (cms)
        TRY(sign_cms(key, certificate, s->json, "sha256", w->mem, &text, &w->f));
    else
        TRY(sign_jws(key, certificate, chain, NULL, s->json, true, clock_now(), w->mem, &text, &w->f));
    view header = arena_printf(w->mem, "%s: %.*s\n", cms ? "AUTH" : "X-JWS-Signature", VIEW_ARG(text));
    TRY(judge(w, FHIR_JSON, s->json));
    TRY(write_file(w, "json", s->json));
    return header.p ? write_file(w, "headers", header) : E_TOO_LARGE;
}

static err
sign_xml(struct work *w, const struct police_sample *s)
{
    char key[PATH_SIZE], certificate[PATH_SIZE];
    view xml, text;
    (void)snprintf(key, sizeof key, "%s/%s.key", w->pki, s->agency->signer);
    (void)snprintf(certificate, sizeof certificate, "%s/%s.crt", w->pki, s->agency->signer);
    TRY(police_sample_xml(s->json, w->mem, &xml, &w->f));
    TRY(xmldsig_sign(xml, key, certificate, w->mem, &text, &w->f));
    TRY(judge(w, FHIR_XML, text));
    TRY(write_file(w, "xml", text));
    return write_file(w, "headers", V(""));
}

/* JWS, CMS and XML in turn. */
static err
write_record(struct work *w, const struct police_sample *s)
{
    switch (w->written % 3) {
    case 0:
        TRY(sign_detached(w, s, false));
        w->jws++;
        break;
    case 1:
        TRY(sign_detached(w, s, true));
        w->cms++;
        break;
    default:
        TRY(sign_xml(w, s));
        w->xmldsig++;
        break;
    }
    w->written++;
    for (size_t i = 0; i < s->n_files; i++)
        TRY(write_attachment(w, &s->files[i]));
    return E_OK;
}

/* -- open data -- */

static err
write_open_data(struct work *w, const struct open_data *d, struct open_tally *tally)
{
    for (size_t i = 0; i < d->n; i++) {
        struct police_sample s;
        open_tally_add(tally, &d->accidents[i]);
        TRY(police_sample_open_data(&d->accidents[i], i + 1, &police_sample_agencies[0], w->mem, &s, &w->f));
        TRY(write_record(w, &s));
        w->accidents++;
        arena_reset(w->mem);
    }
    return E_OK;
}

static double
share(uint64_t resolved, uint64_t values)
{
    return values ? 100.0 * (double)resolved / (double)values : 100.0;
}

static void
print_table(const struct open_data *d, const struct open_tally *t)
{
    uint64_t values, resolved;
    printf("%8s %8s %7s  column\n", "values", "known", "share");
    for (int c = 0; c < OPEN_COUNT; c++)
        printf("%8llu %8llu %6.2f%%  %s%s\n", (unsigned long long)t->values[c],
               (unsigned long long)t->resolved[c], share(t->resolved[c], t->values[c]),
               open_column_of((enum open_column)c)->name,
               open_column_of((enum open_column)c)->kind == OPEN_IS_PLAIN ? " (no code)" : "");
    open_tally_sum(t, &values, &resolved);
    printf("%8llu %8llu %6.2f%%  of the columns with values of the form; the rest is kept and marked\n",
           (unsigned long long)values, (unsigned long long)resolved, share(resolved, values));
    printf("%zu rows, %zu accidents, %zu lines that are no row, %zu rows that describe their accident "
           "otherwise than its first\n",
           d->rows, d->n, d->skipped, d->differing);
}

static void
print_columns_json(const struct open_data *d, const struct open_tally *t, struct buf *b)
{
    uint64_t values, resolved;
    open_tally_sum(t, &values, &resolved);
    buf_printf(
        b, "\"rows\":%zu,\"skipped\":%zu,\"differing\":%zu,\"values\":%llu,\"resolved\":%llu,\"columns\":[",
        d->rows, d->skipped, d->differing, (unsigned long long)values, (unsigned long long)resolved);
    for (int c = 0; c < OPEN_COUNT; c++) {
        const struct open_column_row *row = open_column_of((enum open_column)c);
        buf_printf(b, "%s{\"column\":", c ? "," : "");
        buf_add_json(b, view_of(row->name));
        buf_printf(b, ",\"coded\":%s,\"values\":%llu,\"resolved\":%llu}",
                   row->kind == OPEN_IS_PLAIN ? "false" : "true", (unsigned long long)t->values[c],
                   (unsigned long long)t->resolved[c]);
    }
    BUF_LIT(b, "],");
}

/* -- made-up accidents -- */

static err
write_synthetic(struct work *w, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        struct police_sample s[POLICE_SAMPLE_PARTS_MAX];
        size_t papers;
        TRY(police_sample_synthetic(seed, i, w->mem, s, &papers, &w->f));
        for (size_t k = 0; k < papers; k++)
            TRY(write_record(w, &s[k]));
        w->accidents++;
        arena_reset(w->mem);
    }
    return E_OK;
}

/* -- the command -- */

static void
print_json(const struct work *w, const struct open_data *d, const struct open_tally *t)
{
    struct buf b AUTO_DONE(buf_done);
    buf_init(&b, 1u << 20);
    BUF_LIT(&b, "{");
    if (d)
        print_columns_json(d, t, &b);
    buf_printf(&b,
               "\"accidents\":%zu,\"records\":%zu,\"refused\":%zu,\"unmapped\":%zu,\"files\":%zu,\"jws\":%zu,"
               "\"cms\":%zu,\"xmldsig\":%zu}",
               w->accidents, w->written, w->refused, w->findings, w->files, w->jws, w->cms, w->xmldsig);
    printf("%.*s\n", VIEW_ARG(buf_view(&b)));
}

static void
print_sum(const struct work *w)
{
    printf("Wrote %zu signed records of %zu accidents (%zu JWS, %zu CMS, %zu XML-DSig) and %zu files to %s\n",
           w->written, w->accidents, w->jws, w->cms, w->xmldsig, w->files, w->out);
    printf("Our own check: %zu refused, %zu values kept without a code\n", w->refused, w->findings);
}

static err
run(struct work *w, const char *csv_file, size_t n, uint64_t seed)
{
    struct open_tally tally = {0};
    struct open_data d = {0};
    AUTO(arena_free) arena *table = arena_new(TABLE_MEMORY);
    TRY(folder_make(w->out, &w->f));
    if (csv_file) {
        view csv;
        TRY(file_read(csv_file, table, &csv, &w->f));
        TRY(open_data_read(csv, table, &d, &w->f));
        TRY(write_open_data(w, &d, &tally));
    }
    TRY(write_synthetic(w, n, seed));
    if (w->a->json)
        print_json(w, csv_file ? &d : NULL, &tally);
    else if (!w->a->quiet && csv_file)
        print_table(&d, &tally);
    if (!w->a->json && !w->a->quiet)
        print_sum(w);
    return E_OK;
}

int
run_sample_police(struct args *a)
{
    const char *csv = args_value(a, "from-open-data"), *fixed = args_value(a, "deterministic");
    struct work w = {.a = a, .pki = args_value(a, "pki"), .out = args_value(a, "out")};
    long n = args_number(a, "synthetic", 0);
    uint64_t seed;
    fault_init(&w.f);
    if (!w.pki || !w.out || (!csv && n <= 0) || n < 0 || n > 1000000)
        return command_usage(a, "needs --from-open-data CSV or --synthetic N, --pki DIR and --out DIR");
    random_bytes(&seed, sizeof seed);
    if (fixed) {
        if (text_to_u64(view_of(fixed), &seed) != E_OK)
            return command_usage(a, "needs a number behind --deterministic");
        deterministic_start(seed);
    }
    w.mem = arena_new(RECORD_MEMORY);
    err e = run(&w, csv, (size_t)n, seed);
    arena_free(w.mem);
    if (e != E_OK)
        return command_fail(a, e, &w.f);
    return w.refused ? EXIT_INVALID : EXIT_OK;
}
