#include "cli/bench/bench.h"

#include "base/text.h"
#include "cli/sample/sample.h"
#include "cli/sample/sign.h"
#include "flow/person/consent_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKER_CASE "V#CASE####"
#define MARKER_DOCUMENT "N#DOC#####"
#define MARKER_SIZE 10
#define WANTED_BYTES ((size_t)9500)
#define FURTHER 4

/* -- a document of the wanted size -- */

static const struct {
    const char *code, *text;
} further[FURTHER] = {{"I10", "本態性高血壓"},
                      {"E11.9", "第二型糖尿病，未伴有併發症"},
                      {"E78.5", "高血脂症"},
                      {"K21.9", "胃食道逆流，未伴有食道炎"}};

static const char *const notes[] = {"第一日：空腹，靜脈輸液，體溫三十七度八，右下腹壓痛，安排手術。",
                                    "術後第一日：傷口乾淨，疼痛指數三分，開始少量飲水。",
                                    "術後第二日：排氣順利，改清流質飲食，可下床活動。",
                                    "術後第三日：傷口無紅腫滲液，改軟質飲食，抗生素改口服。",
                                    "術後第四日：生命徵象穩定，衛教傷口照護，同意出院。",
                                    "出院後一週門診拆線，如有發燒或傷口滲液請立即返診。"};

/* The entry of a resource type, from its brace to the comma behind it. */
static view
entry_of(view body, const char *type)
{
    char words[64];
    int n = snprintf(words, sizeof words, "\"resource\":{\"resourceType\":\"%s\"", type);
    size_t inside = view_find(body, view_make(words, (size_t)n));
    size_t from = inside;
    while (from > 0 && !(body.p[from] == '{' && view_starts(view_sub(body, from, body.n), V("{\"fullUrl\""))))
        from--;
    view rest = view_sub(body, inside, body.n);
    size_t next = view_find(rest, V("},{\"fullUrl\""));
    size_t length = inside - from + next + 1;
    return inside < body.n && next < rest.n ? view_make(body.p + from, length) : VIEW_NONE;
}

/* The entry once more: another address, code and text. */
static void
add_condition(struct buf *out, view entry, size_t k)
{
    size_t urn = view_find(entry, V("urn:uuid:")) + 9 + 32; /* its last four digits */
    view rest = view_sub(entry, urn + 4, entry.n);
    size_t code = view_find(rest, V("\"code\":{\"coding\"")), end = view_find(rest, V("},\"subject\""));
    buf_add(out, entry.p, urn);
    buf_printf(out, "b00%zu", k);
    buf_add(out, rest.p, code);
    buf_printf(out,
               "\"code\":{\"coding\":[{\"system\":\"https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/"
               "icd-10-cm-2023-tw\",\"code\":\"%s\"}],\"text\":\"%s\"",
               further[k].code, further[k].text);
    view tail = view_sub(rest, end, rest.n);
    size_t note = view_find(tail, V(",\"note\""));
    buf_add(out, tail.p, note);
    BUF_LIT(out, "}},");
}

static void
add_references(struct buf *out, view entry)
{
    size_t urn = view_find(entry, V("urn:uuid:"));
    for (size_t k = 0; k < FURTHER; k++)
        buf_printf(out, "{\"reference\":\"%.*sb00%zu\"},", 41, entry.p + urn, k);
}

/* Further diagnoses, and so many lines of the course that the size is reached. */
static err
grow(view body, arena *mem, view *ret)
{
    view entry = entry_of(body, "Condition");
    size_t section = view_find(body, V("\"section\":[{\"title\":\"內容\",\"entry\":[")) +
                     strlen("\"section\":[{\"title\":\"內容\",\"entry\":[");
    if (!entry.p || section >= body.n)
        return E_INTERNAL;
    size_t at = (size_t)(entry.p - body.p), note = view_find(entry, V("\"note\":[")) + 8;
    struct buf out, lines;
    buf_init(&out, 1u << 16);
    buf_init(&lines, 1u << 16);
    buf_add(&out, body.p, section);
    add_references(&out, entry);
    buf_add(&out, body.p + section, at - section);
    for (size_t k = 0; k < FURTHER; k++)
        add_condition(&out, entry, k);
    size_t rest = body.n - at;
    for (size_t k = 0; out.n + rest + lines.n + 60 < WANTED_BYTES; k++)
        buf_printf(&lines, "{\"text\":\"%s\"},", notes[k % COUNT_OF(notes)]);
    buf_add(&out, entry.p, note);
    buf_add_view(&out, buf_view(&lines));
    buf_add(&out, entry.p + note, rest - note);
    *ret = out.failed || lines.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    buf_done(&lines);
    return ret->p ? E_OK : E_TOO_LARGE;
}

static void
find_places(struct bench_template *t, const char *marker, bool of_case)
{
    for (size_t at = 0; t->n_places < COUNT_OF(t->places);) {
        size_t found = view_find(view_sub(t->body, at, t->body.n), view_of(marker));
        if (at + found >= t->body.n)
            return;
        t->places[t->n_places].at = at + found;
        t->places[t->n_places++].of_case = of_case;
        at += found + MARKER_SIZE;
    }
}

static err
make_template(uint64_t seed, size_t k, arena *mem, struct bench_template *ret)
{
    struct sample_stay stay;
    view body;
    TRY(sample_stay_make(seed + k, SAMPLE_SURGERY, mem, &stay));
    stay.person = &sample_people[k];
    stay.hospital = &sample_hospitals[0];
    stay.category = "certificate-b";
    stay.visit_no = MARKER_CASE;
    stay.certificate_no = MARKER_DOCUMENT;
    TRY(sample_certificate(&stay, MARKER_DOCUMENT, mem, &body));
    *ret = (struct bench_template){.person = stay.person->key};
    TRY(grow(body, mem, &ret->body));
    find_places(ret, MARKER_CASE, true);
    find_places(ret, MARKER_DOCUMENT, false);
    return ret->n_places >= 2 ? E_OK : E_INTERNAL;
}

/* -- the set -- */

static size_t
case_of(const struct bench_documents *d, size_t i)
{
    return i % d->n_cases;
}

static void
number_of(const struct bench_documents *d, char letter, size_t n, char out[MARKER_SIZE + 1])
{
    snprintf(out, MARKER_SIZE + 1, "%c%03u%06u", letter, (unsigned)(d->seed % 1000), (unsigned)(n % 1000000));
}

void
bench_document(const struct bench_documents *d, size_t i, struct buf *out)
{
    const struct bench_template *t = &d->templates[case_of(d, i) % BENCH_TEMPLATES];
    char of_case[MARKER_SIZE + 1], own[MARKER_SIZE + 1];
    size_t from = out->n;
    number_of(d, 'V', case_of(d, i), of_case);
    number_of(d, 'N', i, own);
    buf_add_view(out, t->body);
    for (size_t k = 0; k < t->n_places && !out->failed; k++)
        memcpy(out->p + from + t->places[k].at, t->places[k].of_case ? of_case : own, MARKER_SIZE);
}

digest
bench_documents_digest(const struct bench_documents *d, size_t n)
{
    AUTO(sha256_free) struct sha256 *h = sha256_new();
    struct buf body;
    buf_init(&body, 1u << 16);
    for (size_t i = 0; i < n; i++) {
        buf_clear(&body);
        bench_document(d, i, &body);
        sha256_add(h, buf_view(&body));
    }
    buf_done(&body);
    return sha256_end(h);
}

static err
sign_one(struct bench_documents *d, const struct key *key, view members, size_t i, struct buf *body,
         arena *scratch)
{
    view jws;
    buf_clear(body);
    arena_reset(scratch);
    bench_document(d, i, body);
    TRY(jws_sign(key, members, buf_view(body), true, scratch, &jws));
    size_t dot = view_find(jws, V(".."));
    if (jws.n != dot + 2 + BENCH_SIGNATURE || !view_eq(view_sub(jws, 0, dot), d->protected_part))
        return E_SIGNATURE_FORM;
    memcpy(d->signatures[i], jws.p + dot + 2, BENCH_SIGNATURE);
    return E_OK;
}

/* The protected header with the certificate, taken over from one signature by the common way. */
static err
read_header(const char *pki, view body, arena *mem, view *ret_protected, view *ret_members, struct fault *f)
{
    const struct sample_document one = {.body = body, .signer = sample_hospitals[0].doctor};
    view header, json;
    TRY(sample_sign(pki, &one, mem, &header, f));
    size_t from = view_find(header, V(": ")) + 2;
    *ret_protected = view_sub(header, from, view_find(header, V("..")) - from);
    TRY(text_base64url_decode(*ret_protected, mem, &json));
    size_t x5c = view_find(json, V("\"x5c\""));
    if (x5c >= json.n)
        return E_SIGNATURE_FORM;
    *ret_members = view_sub(json, x5c, json.n - x5c - 1);
    return E_OK;
}

static err
sign_all(const char *pki, struct bench_documents *d, arena *mem, struct fault *f)
{
    char path[BENCH_PATH];
    AUTO(key_free) struct key *key = NULL;
    AUTO(arena_free) arena *scratch = arena_new((size_t)4 << 20);
    struct buf body;
    view members;
    snprintf(path, sizeof path, "%s/%s.key", pki, sample_hospitals[0].doctor);
    TRY(key_load_pem(path, &key, f));
    TRY(read_header(pki, d->templates[0].body, mem, &d->protected_part, &members, f));
    buf_init(&body, 1u << 16);
    err e = E_OK;
    for (size_t i = 0; i < d->n && e == E_OK; i++)
        e = sign_one(d, key, members, i, &body, scratch);
    buf_done(&body);
    return e;
}

err
bench_documents_make(const char *pki, uint64_t seed, size_t n, arena *mem, struct bench_documents *ret,
                     struct fault *f)
{
    struct bench_documents d = {.seed = seed, .n_cases = n / BENCH_DOCUMENTS_PER_CASE};
    d.n = d.n_cases * BENCH_DOCUMENTS_PER_CASE;
    for (size_t k = 0; k < BENCH_TEMPLATES; k++) {
        TRY(make_template(seed, k, mem, &d.templates[k]));
        d.bytes += d.templates[k].body.n / BENCH_TEMPLATES;
    }
    d.signatures = calloc(d.n, sizeof *d.signatures);
    if (!d.signatures)
        abort();
    err e = sign_all(pki, &d, mem, f);
    if (e != E_OK) {
        bench_documents_done(&d);
        return fault_set(f, e, pki, "a sandbox PKI to sign with", "a failure");
    }
    *ret = d;
    return E_OK;
}

void
bench_documents_done(struct bench_documents *d)
{
    free(d->signatures);
    d->signatures = NULL;
}

/* -- applications -- */

static const char *const insurers[] = {"99000116", "99000220", "99000333"};

static void
add_insurer(struct buf *out, const char *code, const char *text_sha256)
{
    const struct consent_text *text = &consent_texts[0];
    buf_printf(out,
               "{\"recipient\":\"%s\",\"line\":\"health\",\"coverage\":{\"policy_no\":\"POL-%s\"},"
               "\"benefits\":[{\"kind\":\"reimbursement_inpatient\"}],"
               "\"permission\":{\"purpose\":\"claim\",\"document_kinds\":[\"certificate\",\"receipt\"],"
               "\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2036-01-01T00:00:00Z\","
               "\"text\":{\"id\":\"%s\",\"version\":\"%s\",\"lang\":\"%s\",\"sha256\":\"%s\"}}}",
               code, code, text->id, text->version, text->lang, text_sha256);
}

err
bench_application(const char *pki, const struct bench_documents *d, size_t of_case, arena *mem, view *ret,
                  struct fault *f)
{
    const struct sample_person *p = &sample_people[of_case % BENCH_TEMPLATES];
    char key[BENCH_PATH], certificate[BENCH_PATH], visit[MARKER_SIZE + 1];
    const digest text = sha256(consent_texts[0].text);
    const char *hash = arena_cstr(mem, text_hex(mem, digest_view(&text)));
    struct buf out;
    number_of(d, 'V', of_case, visit);
    snprintf(key, sizeof key, "%s/%s.key", pki, p->key);
    snprintf(certificate, sizeof certificate, "%s/%s.crt", pki, p->key);
    buf_init(&out, 1u << 16);
    buf_printf(&out,
               "{\"id\":\"urn:claimgate:bench:%llu:%zu\",\"common\":{\"person\":{\"identifiers\":[{"
               "\"system\":\"%s\",\"value\":\"%s\"}],\"name\":\"%s\",\"birth_date\":\"%s\"},"
               "\"references\":[{\"author\":\"%s\",\"kind\":\"visit_no\",\"value\":\"%s\"}]},\"insurers\":[",
               (unsigned long long)d->seed, of_case, p->id_system, p->id, p->name, p->birth,
               sample_hospitals[0].code, visit);
    for (size_t i = 0; i < COUNT_OF(insurers); i++) {
        buf_add_view(&out, i ? V(",") : V(""));
        add_insurer(&out, insurers[i], hash);
    }
    BUF_LIT(&out, "]}");
    const struct application_signers by = {.key = key, .certificate = certificate};
    err e = out.failed ? E_TOO_LARGE : application_sign(&by, buf_view(&out), mem, ret, f);
    buf_done(&out);
    return e;
}
