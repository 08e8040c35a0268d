/* JOSE: examples of the specifications and SMART Health Cards, whose JWS part alone is judged. */
#include "conformance/judge.h"

#include "base/text.h"
#include "signing/jose/jws_json.h"

#include <dirent.h>

#define KEYS_MAX 64

/* Keys of a case; a key that is not taken here leaves its code, for when none is left. */
struct ring {
    struct jws_key key[KEYS_MAX];
    size_t n;
    err refused;
};

static void
ring_done(struct ring *ring)
{
    for (size_t i = 0; i < ring->n; i++)
        pkey_free(ring->key[i].pkey);
}

/* The examples print whole key pairs; the gateway's reader takes public ones only. */
static json_t *
public_part(const json_t *jwk, arena *mem)
{
    static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth"};
    json_t *copy = json_deep_copy(jwk);
    for (size_t i = 0; copy && i < COUNT_OF(members); i++)
        json_object_del(copy, members[i]);
    return copy && arena_defer(mem, json_decref_fn, copy) ? copy : NULL;
}

static void
ring_add(struct ring *ring, const json_t *jwk, arena *mem)
{
    const json_t *set = json_is_array(jwk) ? jwk : json_member(jwk, "keys");
    size_t i;
    json_t *one;
    json_array_foreach(set, i, one) ring_add(ring, one, mem);
    if (set || ring->n == KEYS_MAX)
        return;
    struct jws_key *k = &ring->key[ring->n];
    err e = jwk_read(public_part(jwk, mem), &k->pkey, &k->alg, &k->kid, mem, NULL);
    if (e == E_OK && !json_member(jwk, "alg"))
        k->alg = ALG_NONE;
    if (e == E_OK)
        ring->n++;
    else if (ring->refused == E_OK)
        ring->refused = e;
}

/* Compact, flattened or general: the first byte says. */
static err
verify_text(const struct ring *ring, view text, view payload, arena *mem, struct fault *f)
{
    struct jws_list *list = arena_make(mem, struct jws_list);
    bool held[SIGNATURES_MAX];
    if (!list)
        return E_TOO_LARGE;
    if (jws_is_json(text)) {
        TRY(jws_json_split(text, mem, list, f));
    } else {
        TRY(jws_split(text, mem, &list->entry[0].parts, f));
        list->n = 1;
    }
    if (list->n > 0 && list->entry[0].parts.payload_b64.n > 0)
        payload = VIEW_NONE; /* embedded */
    err e = jws_json_verify(list, payload, ring->key, ring->n, mem, held, f);
    return e == E_SIGNER_UNKNOWN && ring->refused != E_OK ? ring->refused : e;
}

/* ---- RFC 7520, 7797: one file with key, payload and each form ---- */

static err
judge_example(struct conformance_run *r, const json_t *one, struct fault *f)
{
    static const char *const forms[] = {"compact", "json", "json_flat"};
    view text, id = judge_id(one);
    json_t *whole;
    TRY(conformance_file(r, judge_file(one, 0), &text, f));
    TRY(json_load(text, r->mem, &whole, f));
    const json_t *input = json_member(whole, "input"), *output = json_member(whole, "output");
    if (!json_member(input, "payload")) {
        conformance_case(r, id, CONFORMANCE_SKIPPED, "encryption, not a signature");
        return E_OK;
    }
    struct ring ring AUTO_DONE(ring_done) = {.n = 0};
    ring_add(&ring, json_member(input, "key"), r->mem);
    err e = E_OK;
    struct fault why;
    fault_init(&why);
    for (size_t i = 0; i < COUNT_OF(forms) && e == E_OK; i++) {
        const json_t *form = json_member(output, forms[i]);
        if (!form)
            continue;
        view jws = json_is_string(form) ? json_text(output, forms[i]) : json_dump_arena(form, r->mem);
        e = verify_text(&ring, jws, json_text(input, "payload"), r->mem, &why);
    }
    judge_case(r, id, view_eq(json_text(one, "expect"), V("accept")), e, &why);
    return E_OK;
}

err
conformance_jose_cookbook(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_example, f);
}

/* ---- RFC 7515, 7520 as files: .jwk, .jwkset, .payl beside the JWS ---- */

static err
ring_add_file(struct ring *ring, struct conformance_run *r, view file, struct fault *f)
{
    view text;
    json_t *jwk;
    TRY(conformance_file(r, file, &text, f));
    TRY(json_load(text, r->mem, &jwk, f));
    ring_add(ring, jwk, r->mem);
    return E_OK;
}

static bool
is_key_file(view name)
{
    return view_ends(name, V(".jwk")) || view_ends(name, V(".jwkset"));
}

/* A case that names no key means the one in the folder that has the header's id. */
static err
ring_add_folder(struct ring *ring, struct conformance_run *r, struct fault *f)
{
    DIR *dir = opendir(arena_printf(r->mem, "%s/%s", r->root, r->path).p);
    err e = dir ? E_OK : fault_set(f, E_NOT_FOUND, r->path, "a folder", "none");
    for (struct dirent *d = dir ? readdir(dir) : NULL; d && e == E_OK; d = readdir(dir))
        if (is_key_file(view_of(d->d_name)))
            e = ring_add_file(ring, r, view_of(d->d_name), f);
    if (dir)
        closedir(dir);
    return e;
}

static err
judge_rfc(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view text, payload = VIEW_NONE;
    struct ring ring AUTO_DONE(ring_done) = {.n = 0};
    size_t i;
    json_t *key;
    TRY(conformance_file(r, judge_file(one, 0), &text, f));
    json_array_foreach(json_member(one, "keys"), i, key)
    {
        view name = view_make(json_string_value(key), json_string_length(key));
        if (is_key_file(name))
            TRY(ring_add_file(&ring, r, name, f));
        else
            TRY(conformance_file(r, name, &payload, f));
    }
    if (ring.n == 0 && ring.refused == E_OK)
        TRY(ring_add_folder(&ring, r, f));
    struct fault why;
    fault_init(&why);
    err e = verify_text(&ring, text, payload, r->mem, &why);
    judge_case(r, judge_id(one), view_eq(json_text(one, "expect"), V("accept")), e, &why);
    return E_OK;
}

err
conformance_rfc7515(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_rfc, f);
}

/* ---- SMART Health Cards ---- The set tells of the first JWS of a card whether its signature holds. */

static err
verify_card(struct conformance_run *r, const struct ring *ring, view kind, view text, struct fault *f)
{
    if (view_eq(kind, V("jws")))
        return verify_text(ring, text, VIEW_NONE, r->mem, f);
    json_t *card;
    TRY(json_load(text, r->mem, &card, f));
    const json_t *jws = json_array_get(json_member(card, "verifiableCredential"), 0);
    if (!json_is_string(jws))
        return fault_set(f, E_SIGNATURE_MISSING, "verifiableCredential", "JWS", "none");
    return verify_text(ring, view_make(json_string_value(jws), json_string_length(jws)), VIEW_NONE, r->mem,
                       f);
}

/* All keys of a set have to be taken. */
static err
read_keys(struct conformance_run *r, view text, bool *ret_certificates, struct fault *f)
{
    json_t *set, *one;
    size_t i;
    TRY(json_load(text, r->mem, &set, f));
    json_array_foreach(json_member(set, "keys"), i, one)
    {
        void *pkey = NULL;
        enum jose_alg alg;
        view kid;
        *ret_certificates |= json_member(one, "x5c") != NULL;
        TRY(jwk_read(one, &pkey, &alg, &kid, r->mem, f));
        pkey_free(pkey);
    }
    return E_OK;
}

static void
judge_keys(struct conformance_run *r, const json_t *one, view text)
{
    bool certificates = false;
    struct fault why;
    fault_init(&why);
    err e = read_keys(r, text, &certificates, &why);
    if (certificates)
        conformance_case(r, judge_id(one), CONFORMANCE_SKIPPED, "rules for a certificate inside a JWK");
    else
        judge_case(r, judge_id(one), view_eq(json_text(one, "expect"), V("accept")), e, &why);
}

/* Rules of the card over a good signature are not ours. */
static err
judge_card(struct conformance_run *r, const json_t *one, struct fault *f)
{
    view text, id = judge_id(one), kind = json_text(one, "kind");
    const json_t *ok = json_member(one, "signature_ok");
    if (!view_eq(kind, V("jwks")) && !json_is_boolean(ok)) {
        conformance_case(r, id, CONFORMANCE_SKIPPED, "no signature in it (%.*s)", VIEW_ARG(kind));
        return E_OK;
    }
    TRY(conformance_file(r, judge_file(one, 0), &text, f));
    if (view_eq(kind, V("jwks"))) {
        judge_keys(r, one, text);
        return E_OK;
    }
    struct ring ring AUTO_DONE(ring_done) = {.n = 0};
    TRY(ring_add_file(&ring, r, V("issuer-jwks.json"), f));
    struct fault why;
    fault_init(&why);
    err e = verify_card(r, &ring, kind, text, &why);
    bool strict = e != E_OK && view_eq(json_text(one, "expect"), V("reject"));
    judge_case(r, id, json_is_true(ok) && !strict, e, &why);
    return E_OK;
}

err
conformance_health_cards(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge_card, f);
}
