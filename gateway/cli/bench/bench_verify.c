/* `claimgate bench verify`: each format of signature beside what OpenSSL takes for its hash and its public-key operation.
 *
 * Raw and ours take turns in short slices on one thread and are measured by its CPU time, so that a share holds on a busy
 * machine too.  Keys, certificates and documents are a fresh sandbox's; the signer is a known one, as in service. */
#include "cli/bench/bench.h"

#include "base/text.h"
#include "signing/cms/cms.h"
#include "signing/jose/jws.h"
#include "signing/sandbox/pki_sandbox.h"
#include "signing/trust/trust.h"
#include "signing/xml/xmldsig.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BODY_BYTES 4096
#define SLICE_US 20000
#define ROUND 16
#define SCRATCH ((size_t)1 << 20)

/* One row: how it is signed, what raw hashes and verifies, and what we do. */
struct subject {
    const char *name, *party;
    enum sig_format format;
    bool document;    /* the whole verdict; else the JWS alone */
    view body, input; /* input: the bytes whose hash the signature is over */
    struct signature_in in;
    struct tree tree;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *raw;
    uint8_t raw_signature[1024];
    size_t raw_n;
    double ours_us, raw_us; /* of one */
};

struct bench_verify {
    arena *mem, *scratch;
    const char *pki;
    struct trust *trust;
    EVP_MD *sha256;
    struct fault *f;
};

static int64_t
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static const char *
file_of(const struct bench_verify *b, const struct subject *s, const char *ending)
{
    return arena_printf(b->mem, "%s/%s%s", b->pki, s->party, ending).p;
}

/* ---- raw ---- */

static err
raw_prepare(const struct bench_verify *b, struct subject *s)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    FILE *in = fopen(file_of(b, s, ".key"), "r");
    s->pkey = in ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;
    if (in)
        fclose(in);
    s->raw = s->pkey ? EVP_PKEY_CTX_new(s->pkey, NULL) : NULL;
    s->raw_n = sizeof s->raw_signature;
    bool good = s->raw && EVP_Digest(s->input.p, s->input.n, hash, &n, b->sha256, NULL) == 1 &&
                EVP_PKEY_sign_init(s->raw) == 1 && EVP_PKEY_CTX_set_signature_md(s->raw, b->sha256) == 1 &&
                EVP_PKEY_sign(s->raw, s->raw_signature, &s->raw_n, hash, n) == 1 &&
                EVP_PKEY_verify_init(s->raw) == 1 && EVP_PKEY_CTX_set_signature_md(s->raw, b->sha256) == 1;
    return good ? E_OK : fault_set(b->f, E_INTERNAL, s->name, "a key that signs", "none");
}

static bool
raw_once(const struct bench_verify *b, struct subject *s)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    return EVP_Digest(s->input.p, s->input.n, hash, &n, b->sha256, NULL) == 1 &&
           EVP_PKEY_verify(s->raw, s->raw_signature, s->raw_n, hash, n) == 1;
}

/* ---- ours ---- */

static err
read_record(void *self, view octets, arena *mem, struct tree *ret, struct fault *f)
{
    (void)self, (void)octets; /* reading XML into a tree is no part of this measurement */
    return tree_read_json(V("{}"), NULL, mem, ret, f);
}

static bool
jws_once(const struct bench_verify *b, const struct subject *s)
{
    struct jws_parts parts;
    return jws_split(s->in.value, b->scratch, &parts, NULL) == E_OK &&
           jws_verify(&parts, s->body, parts.header.alg, s->pkey, b->scratch, NULL) == E_OK;
}

static bool
document_once(const struct bench_verify *b, const struct subject *s)
{
    struct verdict *v = NULL;
    const struct verify_request rq = {.body = s->body,
                                      .tree = &s->tree,
                                      .read_signed = read_record,
                                      .signatures = &s->in,
                                      .n_signatures = 1,
                                      .trust = b->trust,
                                      .now = clock_now(),
                                      .mem = b->scratch};
    return verify_document(&rq, &v) == E_OK && verdict_code(v) == E_OK;
}

static bool
ours_once(const struct bench_verify *b, struct subject *s)
{
    bool good = s->document ? document_once(b, s) : jws_once(b, s);
    arena_reset(b->scratch);
    return good;
}

/* ---- signing ---- */

static view
body_make(arena *mem, bool xml)
{
    char *text = arena_alloc(mem, BODY_BYTES + 1);
    size_t n = 0;
    if (!text)
        return VIEW_NONE;
    n += (size_t)snprintf(
        text, BODY_BYTES,
        xml ? "<record xmlns=\"urn:claimgate:bench\"><text>"
            : "{\"resourceType\":\"Bundle\",\"type\":\"document\",\"total\":12.50,\"text\":\"");
    while (n < BODY_BYTES - 32) {
        text[n] = (char)('a' + n % 26);
        n++;
    }
    n += (size_t)snprintf(text + n, 32, xml ? "</text></record>" : "\"}");
    return view_make(text, n);
}

static err
jws_sign_with(const struct bench_verify *b, const struct subject *s, view payload, view *ret)
{
    AUTO(key_free) struct key *k = NULL;
    FILE *in = fopen(file_of(b, s, ".crt"), "r");
    X509 *x = in ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL;
    int n = x ? i2d_X509(x, &der) : 0;
    view certificate = n > 0 ? text_base64(b->mem, view_make(der, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(der);
    X509_free(x);
    if (in)
        fclose(in);
    TRY(key_load_pem(file_of(b, s, ".key"), &k, b->f));
    view members = arena_printf(b->mem, "\"iat\":%lld,\"x5c\":[\"%.*s\"]",
                                (long long)instant_unix(clock_now()), VIEW_ARG(certificate));
    return jws_sign(k, members, payload, true, b->mem, ret);
}

/* The signing input, which raw hashes. */
static view
jws_input(const struct bench_verify *b, view compact, view payload)
{
    view protected = view_cut(&compact, '.', NULL), text = text_base64url(b->mem, payload);
    return arena_printf(b->mem, "%.*s.%.*s", VIEW_ARG(protected), VIEW_ARG(text));
}

static err
bundle_sign(const struct bench_verify *b, struct subject *s)
{
    view compact;
    /* The body without signature, in canonical order. */
    view canonical = arena_printf(
        b->mem, "{\"resourceType\":\"Bundle\",\"text\":%.*s,\"total\":12.5,\"type\":\"document\"}",
        VIEW_ARG(node_raw(&s->tree, node_at(&s->tree, tree_root(&s->tree), "text"))));
    TRY(jws_sign_with(b, s, canonical, &compact));
    view data = text_base64(b->mem, compact);
    s->input = jws_input(b, compact, canonical);
    s->body = arena_printf(
        b->mem, "%.*s,\"signature\":{\"who\":{\"identifier\":{\"value\":\"9901010016\"}},\"data\":\"%.*s\"}}",
        (int)s->body.n - 1, s->body.p, VIEW_ARG(data));
    return tree_read_json(s->body, NULL, b->mem, &s->tree, b->f);
}

static err
subject_sign(const struct bench_verify *b, struct subject *s)
{
    view der;
    s->body = s->input = body_make(b->mem, s->format == SIG_XMLDSIG);
    s->in.format = s->format;
    if (s->format != SIG_XMLDSIG)
        TRY(tree_read_json(s->body, NULL, b->mem, &s->tree, b->f));
    switch (s->format) {
    case SIG_JWS:
        TRY(jws_sign_with(b, s, s->body, &s->in.value));
        s->input = jws_input(b, s->in.value, s->body);
        return E_OK;
    case SIG_CMS:
        TRY(cms_sign_detached(s->body, file_of(b, s, ".key"), file_of(b, s, ".crt"), false, "sha256", b->mem,
                              &der, b->f));
        s->in.value = text_base64(b->mem, der);
        return E_OK;
    case SIG_XMLDSIG:
        return xmldsig_sign(s->body, file_of(b, s, ".key"), file_of(b, s, ".crt"), b->mem, &s->body, b->f);
    case SIG_BUNDLE:
        return bundle_sign(b, s);
    }
    return E_INTERNAL;
}

/* ---- measuring ---- */

/* CPU time of one slice, and how many it held. */
static bool
slice(const struct bench_verify *b, struct subject *s,
      bool (*once)(const struct bench_verify *, struct subject *), int64_t *us, int64_t *n)
{
    int64_t from = cpu_us(), now = from;
    bool good = true;
    for (; good && now - from < SLICE_US; now = cpu_us())
        for (int i = 0; i < ROUND && good; i++, (*n)++)
            good = once(b, s);
    *us += now - from;
    return good;
}

static err
subject_measure(const struct bench_verify *b, struct subject *s, long seconds)
{
    int64_t ours_us = 0, raw_us = 0, ours_n = 0, raw_n = 0;
    TRY(subject_sign(b, s));
    TRY(raw_prepare(b, s));
    bool good = ours_once(b, s); /* makes the signer a known one */
    while (good && ours_us < seconds * 1000000)
        good = slice(b, s, raw_once, &raw_us, &raw_n) && slice(b, s, ours_once, &ours_us, &ours_n);
    EVP_PKEY_CTX_free(s->raw);
    EVP_PKEY_free(s->pkey);
    if (!good)
        return fault_set(b->f, E_SIGNATURE_MISMATCH, s->name, "a signature that holds", "another");
    s->ours_us = (double)ours_us / (double)ours_n;
    s->raw_us = (double)raw_us / (double)raw_n;
    return E_OK;
}

static void
print_row(const struct args *a, const struct subject *s)
{
    double share = 100 * s->raw_us / s->ours_us;
    if (a->json)
        printf("{\"format\":\"%s\",\"scope\":\"%s\",\"per_second\":%.0f,\"raw_per_second\":%.0f,\"share_"
               "percent\":%.1f,"
               "\"ours_us\":%.2f,\"raw_us\":%.2f,\"body_bytes\":%zu}\n",
               s->name, s->document ? "document" : "signature", 1e6 / s->ours_us, 1e6 / s->raw_us, share,
               s->ours_us, s->raw_us, s->body.n);
    else
        printf("%-24s %-10s %10.0f %10.0f %8.1f %10.2f %10.2f\n", s->name,
               s->document ? "document" : "signature", 1e6 / s->ours_us, 1e6 / s->raw_us, share, s->ours_us,
               s->raw_us);
    fflush(stdout);
}

static err
measure_all(const struct args *a, struct bench_verify *b, long seconds)
{
    struct subject subjects[] = {
        {.name = "jws-es256", .party = "k1", .format = SIG_JWS},
        {.name = "jws-rs256", .party = "h1", .format = SIG_JWS},
        {.name = "jws-es256", .party = "k1", .format = SIG_JWS, .document = true},
        {.name = "jws-rs256", .party = "h1", .format = SIG_JWS, .document = true},
        {.name = "cms-es256", .party = "k1", .format = SIG_CMS, .document = true},
        {.name = "cms-rs256", .party = "h1", .format = SIG_CMS, .document = true},
        {.name = "bundle-signature-rs256", .party = "h1", .format = SIG_BUNDLE, .document = true},
        {.name = "xmldsig-es256", .party = "k1", .format = SIG_XMLDSIG, .document = true},
        {.name = "xmldsig-rs256", .party = "h1", .format = SIG_XMLDSIG, .document = true},
    };
    TRY(pki_sandbox_make(b->pki, b->f));
    TRY(trust_load(arena_printf(b->mem, "%s/trust.json", b->pki).p, true, &b->trust, b->f));
    if (!a->json)
        printf("%-24s %-10s %10s %10s %8s %10s %10s\n", "format", "scope", "per s", "raw per s", "share %",
               "µs", "raw µs");
    const char *only = args_value(a, "format");
    err e = E_OK;
    for (size_t i = 0; i < COUNT_OF(subjects) && e == E_OK; i++) {
        if (only && strcmp(only, subjects[i].name) != 0)
            continue;
        e = subject_measure(b, &subjects[i], seconds);
        if (e == E_OK)
            print_row(a, &subjects[i]);
    }
    trust_unref(b->trust);
    return e;
}

int
run_bench_verify(struct args *a)
{
    char dir[BENCH_PATH];
    struct fault f;
    long seconds = args_number(a, "seconds", 1);
    fault_init(&f);
    if (seconds < 1 || seconds > 60)
        return command_usage(a, "--seconds is 1 to 60");
    err e = bench_folder(dir, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    digest_start();
    AUTO(arena_free) arena *scratch = arena_new(SCRATCH);
    struct bench_verify b = {.mem = a->mem, .scratch = scratch, .pki = dir, .f = &f};
    b.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    e = measure_all(a, &b, seconds);
    EVP_MD_free(b.sha256);
    bench_remove(dir);
    return e == E_OK ? EXIT_OK : command_fail(a, e, &f);
}
