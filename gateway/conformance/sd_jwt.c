/* sig/sd-jwt: presentations made by others' generators, and what becomes of them when anything is altered.
 *
 * The set has positives only; its README asks for negatives by mutation: a character of each segment flipped, each disclosure
 * doubled, left out where the holder signed over it, the holder's part cut off, another nonce, another audience. */
#include "conformance/conformance.h"

#include "base/buf.h"
#include "signing/jose/sd_jwt.h"

/* What a case says once, before its presentation is altered. */
struct subject {
    view presentation;
    void *pkey;
    enum jose_alg alg;
    instant now;
    bool is_bound;
    view nonce, audience;
};

static err
verify(struct conformance_run *r, const struct subject *c, view text, json_t **ret_claims, struct fault *f)
{
    struct sd_jwt *s = arena_make(r->mem, struct sd_jwt);
    json_t *ignored = NULL;
    const struct sd_jwt_policy policy = {
        .pkey = c->pkey, .alg = c->alg, .now = c->now, .skew = SPAN_SECONDS(60)};
    const struct sd_binding binding = {c->nonce, c->audience, c->now, SPAN_SECONDS(120)};
    if (!s)
        return E_TOO_LARGE;
    TRY(sd_jwt_split(text, r->mem, s, f));
    TRY(sd_jwt_verify(s, &policy, r->mem, ret_claims, f));
    return c->is_bound ? sd_jwt_check_binding(s, *ret_claims, &binding, r->mem, &ignored, f) : E_OK;
}

/* ---- one case as published ---- */

static err
first_file(struct conformance_run *r, const json_t *one, const char *ending, view *ret, struct fault *f)
{
    const json_t *files = json_member(one, "files");
    *ret = VIEW_NONE;
    for (size_t i = 0; i < json_array_size(files); i++) {
        view name = view_of(json_string_value(json_array_get(files, i)));
        if (view_ends(name, view_of(ending)))
            return conformance_file(r, name, ret, f);
    }
    return E_OK;
}

static err
key_get(struct conformance_run *r, const json_t *one, struct subject *c, struct fault *f)
{
    view text, kid;
    json_t *keys = NULL;
    TRY(first_file(r, one, "keys.json", &text, f));
    if (!text.p)
        TRY(first_file(r, one, ".key.json", &text, f));
    TRY(json_load(text, r->mem, &keys, f));
    const json_t *listed = json_array_get(json_member(keys, "issuer_keys"), 0);
    TRY(jwk_read(listed ? listed : keys, &c->pkey, &c->alg, &kid, r->mem, f));
    return arena_defer(r->mem, pkey_free, c->pkey) ? E_OK : E_TOO_LARGE;
}

/* What the verifier asked for, and when: the clock stands where it stood when the presentation was made. */
static err
request_get(struct conformance_run *r, const json_t *one, struct subject *c, struct fault *f)
{
    view text;
    json_t *payload = NULL;
    TRY(first_file(r, one, "kb_jwt_payload.json", &text, f));
    if (text.p) {
        TRY(json_load(text, r->mem, &payload, f));
        c->nonce = json_text(payload, "nonce");
        c->audience = json_text(payload, "aud");
    } else {
        struct sd_jwt *s = arena_make(r->mem, struct sd_jwt);
        if (!s || sd_jwt_split(c->presentation, r->mem, s, NULL) != E_OK)
            return E_OK;
        payload = s->unchecked;
    }
    c->now = instant_of_unix(json_int(payload, "iat", 0));
    return E_OK;
}

/* Some of the files are a JSON text inside of a JSON text. */
static err
presentation_get(struct conformance_run *r, const json_t *one, struct subject *c, struct fault *f)
{
    json_t *inner = NULL;
    TRY(conformance_file(r, json_text(one, "presentation"), &c->presentation, f));
    c->presentation = view_trim(c->presentation);
    if (!view_starts(c->presentation, V("\"")))
        return E_OK;
    TRY(json_load(c->presentation, r->mem, &inner, f));
    c->presentation = view_make(json_string_value(inner), json_string_length(inner));
    return E_OK;
}

static err
subject_get(struct conformance_run *r, const json_t *one, struct subject *ret, struct fault *f)
{
    struct subject c = {.is_bound = json_bool(one, "key_binding", false)};
    TRY(presentation_get(r, one, &c, f));
    TRY(key_get(r, one, &c, f));
    TRY(request_get(r, one, &c, f));
    *ret = c;
    return E_OK;
}

static err
judge_published(struct conformance_run *r, const json_t *one, const struct subject *c, bool *ret_good,
                struct fault *f)
{
    view id = json_text(one, "id"), text;
    json_t *claims = NULL, *expected = NULL;
    struct fault why;
    fault_init(&why);
    err e = verify(r, c, c->presentation, &claims, &why);
    *ret_good = e == E_OK;
    if (e != E_OK) {
        /* RFC 7515 4.1.4: kid is a string. */
        bool by_rule = e == E_SIGNATURE_FORM && strcmp(why.where, "kid") == 0;
        conformance_case(r, id, by_rule ? CONFORMANCE_POLICY_REJECT : CONFORMANCE_WRONG_REJECT, "%s at %s",
                         err_info(e)->code, why.where);
        return E_OK;
    }
    TRY(first_file(r, one, "verified_contents.json", &text, f));
    if (text.p)
        TRY(json_load(text, r->mem, &expected, f));
    conformance_case(r, id,
                     !expected || json_equal(expected, claims) ? CONFORMANCE_AGREE : CONFORMANCE_WRONG_VALUE,
                     "other claims than %s", "verified_contents.json");
    return E_OK;
}

/* ---- altered ---- */

static void
judge_altered(struct conformance_run *r, const struct subject *c, view id, const char *how, view text)
{
    json_t *claims = NULL;
    err e = text.p ? verify(r, c, text, &claims, NULL) : E_INTERNAL;
    conformance_case(r, id, e == E_OK ? CONFORMANCE_WRONG_ACCEPT : CONFORMANCE_AGREE, "%s: accepted", how);
}

/* Segments are what stands between dots and tildes; their middle character becomes another of the alphabet. */
static void
judge_flips(struct conformance_run *r, const struct subject *c, view id)
{
    size_t from = 0;
    for (size_t i = 0; i <= c->presentation.n; i++) {
        char at = i < c->presentation.n ? c->presentation.p[i] : '~';
        if (at != '.' && at != '~')
            continue;
        if (i > from) {
            char *copy = arena_cstr(r->mem, c->presentation);
            size_t middle = from + (i - from) / 2;
            if (copy)
                copy[middle] = copy[middle] == 'A' ? 'B' : 'A';
            judge_altered(r, c, id, "a character flipped",
                          copy ? view_make(copy, c->presentation.n) : VIEW_NONE);
        }
        from = i + 1;
    }
}

static view
rebuilt(struct conformance_run *r, const struct sd_jwt *s, size_t left_out, size_t doubled)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, (size_t)2 * SD_JWT_SIZE_MAX);
    buf_printf(&out, "%.*s.%.*s.%.*s~", VIEW_ARG(s->jwt.protected_b64), VIEW_ARG(s->jwt.payload_b64),
               VIEW_ARG(s->jwt.signature_b64));
    for (size_t i = 0; i < s->n_disclosures; i++)
        for (size_t k = i == left_out ? 1 : 0; k < (i == doubled ? 2u : 1u); k++)
            buf_printf(&out, "%.*s~", VIEW_ARG(s->disclosures[i]));
    buf_add_view(&out, s->key_binding);
    return out.failed ? VIEW_NONE : arena_dup(r->mem, buf_view(&out));
}

static void
judge_holder(struct conformance_run *r, const struct subject *c, const struct sd_jwt *s, view id)
{
    struct subject other = *c;
    other.nonce = arena_printf(r->mem, "%.*s1", VIEW_ARG(c->nonce));
    judge_altered(r, &other, id, "another nonce", c->presentation);
    other = *c;
    other.audience = arena_printf(r->mem, "%.*s/other", VIEW_ARG(c->audience));
    judge_altered(r, &other, id, "another audience", c->presentation);
    other = *c;
    other.now = instant_add(c->now, SPAN_SECONDS(121));
    judge_altered(r, &other, id, "an hour that has passed", c->presentation);
    judge_altered(r, c, id, "without the holder's part", s->presented);
    for (size_t i = 0; i < s->n_disclosures; i++)
        judge_altered(r, c, id, "a disclosure left out", rebuilt(r, s, i, SIZE_MAX));
}

static err
judge(struct conformance_run *r, const json_t *one, struct fault *f)
{
    struct subject c;
    bool good = false;
    view id = json_text(one, "id");
    struct sd_jwt *s = arena_make(r->mem, struct sd_jwt);
    TRY(subject_get(r, one, &c, f));
    TRY(judge_published(r, one, &c, &good, f));
    if (!good || !s)
        return E_OK;
    TRY(sd_jwt_split(c.presentation, r->mem, s, f));
    if (view_starts(c.presentation, V("{")))
        c.presentation = rebuilt(r, s, SIZE_MAX, SIZE_MAX); /* the same in compact form */
    judge_flips(r, &c, id);
    for (size_t i = 0; i < s->n_disclosures; i++)
        judge_altered(r, &c, id, "a disclosure twice", rebuilt(r, s, SIZE_MAX, i));
    if (c.is_bound)
        judge_holder(r, &c, s, id);
    return E_OK;
}

err
conformance_sd_jwt(struct conformance_run *r, struct fault *f)
{
    return conformance_each(r, judge, f);
}
