/* Wycheproof: signatures over messages by algorithm and key, and compact JWS by key or key set. */
#include "conformance/judge.h"

#include "base/text.h"
#include "signing/jose/jws.h"

#include <dirent.h>
#include <stdlib.h>

#define FILES_MAX 128
#define KEYS_MAX 16

struct group {
    struct conformance_run *r;
    const char *file;
    const json_t *json;
};

static view
case_id(const struct group *g, const json_t *test)
{
    return arena_printf(g->r->mem, "%s#%lld", g->file, (long long)json_int(test, "tcId", 0));
}

static void
judge_test(const struct group *g, const json_t *test, err e, const struct fault *f)
{
    view result = json_text(test, "result");
    if (view_eq(result, V("acceptable")))
        judge_either(g->r, case_id(g, test));
    else
        judge_case(g->r, case_id(g, test), view_eq(result, V("valid")), e, f);
}

/* ---- message and signature ---- */

/* The JOSE name of what a group tests: family by type, digest by sha, PSS with MGF1 over the same digest and a salt as
 * long as it.  A curve that does not exist here is refused with its key. */
static enum jose_alg
alg_of_group(const json_t *g)
{
    static const struct {
        const char *type, *sha, *alg;
        int64_t salt;
    } rows[] = {
        {"Ecdsa", "SHA-256", "ES256", -1},       {"Ecdsa", "SHA-384", "ES384", -1},
        {"RsassaPkcs1", "SHA-256", "RS256", -1}, {"RsassaPkcs1", "SHA-384", "RS384", -1},
        {"RsassaPkcs1", "SHA-512", "RS512", -1}, {"RsassaPss", "SHA-256", "PS256", 32},
        {"RsassaPss", "SHA-384", "PS384", 48},   {"RsassaPss", "SHA-512", "PS512", 64},
    };
    view type = json_text(g, "type"), sha = json_text(g, "sha");
    if (view_starts(type, V("Eddsa")))
        return jose_alg_of(V("Ed25519"));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!view_starts(type, view_of(rows[i].type)) || !view_eq(sha, view_of(rows[i].sha)))
            continue;
        if (rows[i].salt >= 0 &&
            (!view_eq(json_text(g, "mgfSha"), sha) || json_int(g, "sLen", -1) != rows[i].salt))
            continue;
        return jose_alg_of(view_of(rows[i].alg));
    }
    return ALG_NONE;
}

static err
verify_message(const json_t *test, void *pkey, enum jose_alg alg, bool der, arena *mem)
{
    view message, signature;
    TRY(text_hex_decode(json_text(test, "msg"), mem, &message));
    TRY(text_hex_decode(json_text(test, "sig"), mem, &signature));
    return der ? pkey_verify_der(pkey, alg, message, signature) : pkey_verify(pkey, alg, message, signature);
}

static err
judge_messages(const struct group *g, struct fault *f)
{
    view der;
    void *pkey = NULL;
    struct fault why;
    fault_init(&why);
    err key = text_hex_decode(json_text(g->json, "publicKeyDer"), g->r->mem, &der);
    if (key != E_OK)
        return fault_set(f, key, g->file, "publicKeyDer in hexadecimal", "something else");
    key = pkey_read(der, &pkey, &why);
    bool in_der = view_eq(json_text(g->json, "type"), V("EcdsaVerify"));
    enum jose_alg alg = alg_of_group(g->json);
    size_t i;
    json_t *test;
    json_array_foreach(json_member(g->json, "tests"), i, test)
    {
        err e = key != E_OK       ? key
                : alg == ALG_NONE ? E_ALGORITHM
                                  : verify_message(test, pkey, alg, in_der, g->r->mem);
        judge_test(g, test, e, &why);
    }
    pkey_free(pkey);
    return E_OK;
}

/* ---- JWS ---- */

struct known {
    void *pkey[KEYS_MAX];
    enum jose_alg alg[KEYS_MAX];
    view kid[KEYS_MAX];
    size_t n;
    err refused; /* why the first key that was not taken was not */
    struct fault why;
};

static void
known_add(struct known *k, const json_t *jwk, arena *mem)
{
    if (k->n == KEYS_MAX)
        return;
    err e = jwk_read(jwk, &k->pkey[k->n], &k->alg[k->n], &k->kid[k->n], mem, &k->why);
    if (e == E_OK)
        k->n++;
    else if (k->refused == E_OK)
        k->refused = e;
}

static void
known_read(struct known *k, const json_t *group, arena *mem)
{
    const json_t *key = json_member(group, "public");
    if (!key)
        key = json_member(group, "private"); /* a symmetric one */
    const json_t *set = json_member(key, "keys");
    size_t i;
    json_t *one;
    if (!set)
        known_add(k, key, mem);
    json_array_foreach(set, i, one) known_add(k, one, mem);
}

/* The key that the header names, or the only one. */
static err
verify_compact(const struct known *k, view compact, arena *mem, struct fault *f)
{
    struct jws_parts parts;
    TRY(jws_split(compact, mem, &parts, f));
    if (k->n == 0)
        return k->refused;
    for (size_t i = 0; i < k->n; i++)
        if (k->n == 1 || view_eq(parts.header.kid, k->kid[i]))
            return jws_verify(&parts, VIEW_NONE, k->alg[i], k->pkey[i], mem, f);
    return E_SIGNER_UNKNOWN;
}

static void
judge_jws(const struct group *g)
{
    struct known known = {.n = 0};
    fault_init(&known.why);
    known_read(&known, g->json, g->r->mem);
    size_t i;
    json_t *test;
    json_array_foreach(json_member(g->json, "tests"), i, test)
    {
        const json_t *jws = json_member(test, "jws");
        struct fault f;
        fault_init(&f);
        if (!jws)
            conformance_case(g->r, case_id(g, test), CONFORMANCE_SKIPPED, "encryption, not a signature");
        else if (json_is_string(jws))
            judge_test(g, test, verify_compact(&known, json_text(test, "jws"), g->r->mem, &f), &f);
        else /* an object where the compact form belongs */
            judge_test(g, test, verify_compact(&known, json_dump_arena(jws, g->r->mem), g->r->mem, &f), &f);
    }
    for (size_t k = 0; k < known.n; k++)
        pkey_free(known.pkey[k]);
}

/* ---- files ---- */

static err
judge_file_of(struct conformance_run *r, const char *file, struct fault *f)
{
    view text;
    json_t *whole, *one;
    size_t i;
    TRY(conformance_file(r, view_of(file), &text, f));
    TRY(json_load(text, r->mem, &whole, f));
    json_array_foreach(json_member(whole, "testGroups"), i, one)
    {
        struct group g = {r, file, one};
        if (view_starts(json_text(one, "type"), V("JsonWeb")))
            judge_jws(&g);
        else
            TRY(judge_messages(&g, f));
    }
    return E_OK;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The set has no list of its own: every *_test.json is a part. */
err
conformance_wycheproof(struct conformance_run *r, struct fault *f)
{
    const char *names[FILES_MAX];
    size_t n = 0;
    DIR *dir = opendir(arena_printf(r->mem, "%s/%s", r->root, r->path).p);
    if (!dir)
        return fault_set(f, E_NOT_FOUND, r->path, "a folder", "none");
    for (struct dirent *d = readdir(dir); d && n < FILES_MAX; d = readdir(dir))
        if (view_ends(view_of(d->d_name), V("_test.json")))
            names[n++] = arena_cstr(r->mem, view_of(d->d_name));
    closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++)
        TRY(judge_file_of(r, names[i], f));
    return E_OK;
}
