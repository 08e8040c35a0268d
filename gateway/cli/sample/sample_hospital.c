#include "cli/sample/sample.h"

#include "base/deterministic.h"
#include "base/text.h"
#include "cli/sample/sign.h"

#include <stdio.h>
#include <string.h>

#define PATH_SIZE 4352

err
sample_sign(const char *pki, const struct sample_document *d, arena *mem, view *ret_header, struct fault *f)
{
    char key[PATH_SIZE], certificate[PATH_SIZE], chain[PATH_SIZE];
    view text;
    snprintf(key, sizeof key, "%s/%s.key", pki, d->signer);
    snprintf(certificate, sizeof certificate, "%s/%s.crt", pki, d->signer);
    snprintf(chain, sizeof chain, "%s/%s.chain.pem", pki, d->signer);
    if (d->cms)
        TRY(sign_cms(key, certificate, d->body, "sha256", mem, &text, f));
    else
        TRY(sign_jws(key, certificate, chain, NULL, d->body, true, clock_now(), mem, &text, f));
    *ret_header = arena_printf(mem, "%s: %.*s\n", d->cms ? "AUTH" : "X-JWS-Signature", VIEW_ARG(text));
    return ret_header->p ? E_OK : E_TOO_LARGE;
}

/* "1..50" or "7" */
static err
read_range(const char *text, uint64_t *ret_from, uint64_t *ret_to)
{
    view v = view_of(text);
    size_t dots = view_find(v, V(".."));
    TRY(text_to_u64(view_sub(v, 0, dots), ret_from));
    *ret_to = *ret_from;
    return dots < v.n ? text_to_u64(view_sub(v, dots + 2, v.n), ret_to) : E_OK;
}

#define GRADES_MAX 8

/* "cali15:7,cali15:9,injury11:6" */
static err
read_grades(const char *text, struct sample_grade ret[GRADES_MAX], size_t *ret_n)
{
    view list = view_of(text);
    size_t n = 0;
    while (list.n) {
        view item = view_cut(&list, ',', NULL);
        int64_t grade;
        if (n == GRADES_MAX)
            return E_TOO_LARGE;
        ret[n].scale = view_cut(&item, ':', NULL);
        TRY(text_to_i64(item, &grade));
        if (grade < 0 || grade > 99)
            return E_OUT_OF_RANGE;
        ret[n++].grade = (int)grade;
    }
    *ret_n = n;
    return E_OK;
}

/* A disability certificate of the stay, where the command asks for one. */
static err
add_disability(struct args *a, const struct sample_stay *stay, struct sample_document *documents, size_t *n,
               arena *mem)
{
    struct sample_grade grades[GRADES_MAX];
    size_t n_grades = 0;
    if (!args_value(a, "grades"))
        return E_OK;
    TRY(read_grades(args_value(a, "grades"), grades, &n_grades));
    struct sample_document *d = &documents[*n];
    *d = (struct sample_document){.name = "disability", .signer = stay->hospital->doctor};
    *n += 1;
    return sample_disability(stay, grades, n_grades, args_value(a, "fixed-on"), "1", mem, &d->body);
}

static err
write_set(struct args *a, uint64_t seed, arena *mem, size_t *ret_written, struct fault *f)
{
    const char *pki = args_value(a, "pki"), *out = args_value(a, "out");
    struct sample_stay stay;
    struct sample_document documents[SAMPLE_DOCUMENTS_MAX];
    size_t n;
    TRY(sample_stay_make(seed, SAMPLE_KIND_COUNT, mem, &stay));
    TRY(sample_documents(&stay, mem, documents, &n));
    TRY(add_disability(a, &stay, documents, &n, mem));
    for (size_t i = 0; i < n; i++) {
        char path[PATH_SIZE];
        view header;
        TRY(sample_sign(pki, &documents[i], mem, &header, f));
        snprintf(path, sizeof path, "%s/%03llu-%zu-%s.%s", out, (unsigned long long)seed, i + 1,
                 documents[i].name, documents[i].is_xml ? "xml" : "json");
        TRY(file_write(path, documents[i].body, false, f));
        snprintf(path, sizeof path, "%s/%03llu-%zu-%s.headers", out, (unsigned long long)seed, i + 1,
                 documents[i].name);
        TRY(file_write(path, header, false, f));
    }
    *ret_written += n;
    return E_OK;
}

int
run_sample_hospital(struct args *a)
{
    const char *seed = args_value(a, "seed"), *pki = args_value(a, "pki"), *out = args_value(a, "out"),
               *fixed = args_value(a, "deterministic");
    struct fault f;
    uint64_t from, to, start;
    size_t written = 0;
    fault_init(&f);
    if (!seed || !pki || !out || read_range(seed, &from, &to) != E_OK || to < from || to - from > 100000)
        return command_usage(a, "needs --seed N or N..M, --pki DIR and --out DIR");
    if (fixed && text_to_u64(view_of(fixed), &start) == E_OK)
        deterministic_start(start);
    err e = folder_make(out, &f);
    for (uint64_t s = from; s <= to && e == E_OK; s++) {
        arena *mem = arena_new(64u << 20);
        e = write_set(a, s, mem, &written, &f);
        arena_free(mem);
    }
    if (e != E_OK)
        return command_fail(a, e, &f);
    printf("Wrote %zu signed documents to %s\n", written, out);
    return EXIT_OK;
}
