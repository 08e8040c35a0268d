#include "signing/jose/sd_jwt.h"

#include "base/buf.h"
#include "base/text.h"
#include "signing/jose/jose.h"

#include <stdlib.h>

static err
malformed(struct fault *f, const char *where, const char *expected, const char *found)
{
    return fault_set(f, E_SD_JWT_FORM, where, expected, found);
}

/* ---- taking apart ---- */

/* {"protected","payload","signature","header":{"disclosures":[…],"kb_jwt"}} (RFC 9901 8) in compact form, which is
 * what sd_hash covers too. */
static err
compact_of_json(view text, arena *mem, view *ret, struct fault *f)
{
    json_t *whole = NULL;
    TRY(json_load(text, mem, &whole, f));
    const json_t *header = json_member(whole, "header"), *list = json_member(header, "disclosures");
    if (!json_is_object(whole) || (list && !json_is_array(list)))
        return malformed(f, "SD-JWT", "the flattened JSON form", "another form");
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, SD_JWT_SIZE_MAX);
    buf_printf(&out, "%.*s.%.*s.%.*s~", VIEW_ARG(json_text(whole, "protected")),
               VIEW_ARG(json_text(whole, "payload")), VIEW_ARG(json_text(whole, "signature")));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));
        if (!one || !one[0])
            return malformed(f, "header.disclosures", "texts", "something else");
        buf_printf(&out, "%s~", one);
    }
    buf_add_view(&out, json_text(header, "kb_jwt"));
    view compact = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    if (!compact.p)
        return E_TOO_LARGE;
    *ret = compact;
    return E_OK;
}

static err
too_many(struct fault *f, const char *what)
{
    return fault_set(f, E_TOO_LARGE, "SD-JWT", what, "more");
}

err
sd_jwt_split(view text, arena *mem, struct sd_jwt *ret, struct fault *f)
{
    struct sd_jwt s = {0};
    view payload, rest;
    bool tilde = false;
    if (text.n > SD_JWT_SIZE_MAX)
        return too_many(f, "at most 64 KiB");
    if (view_starts(text, V("{")))
        TRY(compact_of_json(text, mem, &text, f));
    rest = text;
    view jwt = view_cut(&rest, '~', &tilde);
    if (!tilde)
        return malformed(f, "SD-JWT", "a tilde behind the issuer's JWT", "none");
    for (;;) {
        view part = view_cut(&rest, '~', &tilde);
        if (!tilde) {
            s.key_binding = part;
            break;
        }
        if (!part.n)
            return malformed(f, "SD-JWT", "a disclosure between two tildes", "nothing");
        if (s.n_disclosures == SD_JWT_DISCLOSURES_MAX)
            return too_many(f, "at most 200 disclosures");
        s.disclosures[s.n_disclosures++] = part;
    }
    s.presented = view_sub(text, 0, text.n - s.key_binding.n);
    TRY(jws_split(jwt, mem, &s.jwt, f));
    TRY(jws_payload(&s.jwt, mem, &payload, f));
    TRY(json_load(payload, mem, &s.unchecked, f));
    if (!json_is_object(s.unchecked))
        return malformed(f, "issuer's payload", "a JSON object", "something else");
    *ret = s;
    return E_OK;
}

/* ---- digests ---- */

static const struct {
    const char *name;
    enum jose_md md;
} hashes[] = {{"sha-256", JOSE_MD_SHA256}, {"sha-384", JOSE_MD_SHA384}, {"sha-512", JOSE_MD_SHA512}};

/* At the top (RFC 9901 4.1.1); the Taiwan wallet writes it beside the digests of credentialSubject. */
static const json_t *
sd_alg_of(const json_t *payload)
{
    const json_t *said = json_member(payload, "_sd_alg");
    return said ? said : json_member(json_member(json_member(payload, "vc"), "credentialSubject"), "_sd_alg");
}

static err
hash_of(const json_t *payload, enum jose_md *ret, struct fault *f)
{
    const json_t *said = sd_alg_of(payload);
    const char *name = said ? json_string_value(said) : "sha-256";
    for (size_t i = 0; name && i < COUNT_OF(hashes); i++)
        if (strcmp(name, hashes[i].name) == 0) {
            *ret = hashes[i].md;
            return E_OK;
        }
    return fault_set(f, E_SD_ALG, "_sd_alg", "sha-256, sha-384 or sha-512", "another hash");
}

static view
digest_text(enum jose_md md, view bytes, arena *mem)
{
    uint8_t hash[JOSE_HASH_MAX];
    jose_hash_start(md);
    jose_hash_add(bytes);
    size_t n = jose_hash_end(hash);
    return text_base64url(mem, view_make(hash, n));
}

/* ---- putting the claims together ---- */

struct disclosure {
    view digest;
    json_t *array; /* [salt, name, value] or [salt, value] */
    bool is_used;
};

/* Every digest takes 43 bytes and more of a text of 64 KiB. */
#define DIGESTS_MAX 2048

struct walk {
    arena *mem;
    struct fault *f;
    struct disclosure *list;
    size_t n;
    view *seen; /* every digest that stands anywhere, decoys too */
    size_t n_seen;
    bool is_credential;
};

static err
disclosures_read(const struct sd_jwt *s, enum jose_md md, struct walk *w)
{
    w->n = s->n_disclosures;
    w->list = arena_make_array(w->mem, w->n + 1, struct disclosure);
    w->seen = arena_make_array(w->mem, DIGESTS_MAX, view);
    if (!w->list || !w->seen)
        return E_TOO_LARGE;
    for (size_t i = 0; i < w->n; i++) {
        struct disclosure *d = &w->list[i];
        view json;
        size_t n;
        if (text_base64url_decode(s->disclosures[i], w->mem, &json) != E_OK ||
            json_load(json, w->mem, &d->array, NULL) != E_OK || !json_is_array(d->array))
            return fault_setf(w->f, E_SD_DISCLOSURE, "a JSON array in base64url", "something else",
                              "disclosures[%zu]", i);
        n = json_array_size(d->array);
        if ((n != 2 && n != 3) || !json_is_string(json_array_get(d->array, 0)))
            return fault_setf(w->f, E_SD_DISCLOSURE, "salt, name and value, or salt and value",
                              "another number or type", "disclosures[%zu]", i);
        d->digest = digest_text(md, s->disclosures[i], w->mem);
        if (!d->digest.p)
            return E_TOO_LARGE;
    }
    return E_OK;
}

/* Notes a digest and finds the disclosure for it, NULL for a decoy or what was not shown. */
static err
digest_use(struct walk *w, const json_t *value, struct disclosure **ret)
{
    if (!json_is_string(value))
        return malformed(w->f, "_sd", "digests as text", "something else");
    view text = view_make(json_string_value(value), json_string_length(value));
    if (w->n_seen == DIGESTS_MAX)
        return too_many(w->f, "at most 2048 digests");
    /* A copy: the value goes with the digests that are taken out. */
    w->seen[w->n_seen] = text = arena_dup(w->mem, text);
    if (!w->seen[w->n_seen++].p)
        return E_TOO_LARGE;
    *ret = NULL;
    for (size_t i = 0; i < w->n; i++) {
        if (!view_eq(w->list[i].digest, text))
            continue;
        if (w->list[i].is_used)
            return fault_setf(w->f, E_SD_DIGEST_TWICE, "each digest once", "one twice", "disclosures[%zu]",
                              i);
        w->list[i].is_used = true;
        *ret = &w->list[i];
        return E_OK; /* the first only: the same disclosure sent twice is one too many, walk_end says */
    }
    return E_OK;
}

static bool
is_reserved(const char *name)
{
    static const char *const never[] = {"iss", "nbf", "exp", "cnf", "vct", "status"};
    for (size_t i = 0; i < COUNT_OF(never); i++)
        if (strcmp(name, never[i]) == 0)
            return true;
    return false;
}

static err
member_add(struct walk *w, json_t *object, const struct disclosure *d, bool is_root)
{
    const char *name = json_string_value(json_array_get(d->array, 1));
    if (json_array_size(d->array) != 3 || !name)
        return fault_set(w->f, E_SD_DISCLOSURE, "_sd", "salt, name and value", "another disclosure");
    if (strcmp(name, "_sd") == 0 || strcmp(name, "...") == 0)
        return fault_set(w->f, E_SD_NAME, "disclosure", "a name other than _sd and ...", "one of these");
    if (json_object_get(object, name))
        return fault_set(w->f, E_SD_NAME, "disclosure", "a name that is not there yet", "one that is");
    if (is_root && w->is_credential && is_reserved(name))
        return fault_set(w->f, E_SD_NAME, "disclosure", "no iss, nbf, exp, cnf, vct, status", "one of these");
    return json_object_set(object, name, json_array_get(d->array, 2)) == 0 ? E_OK : E_INTERNAL;
}

static err walk_value(struct walk *w, json_t *value, unsigned depth);

static err
walk_object(struct walk *w, json_t *object, unsigned depth)
{
    const json_t *digests = json_object_get(object, "_sd");
    const char *name;
    json_t *value;
    if (digests && !json_is_array(digests))
        return malformed(w->f, "_sd", "an array", "something else");
    for (size_t i = 0; i < json_array_size(digests); i++) {
        struct disclosure *d = NULL;
        TRY(digest_use(w, json_array_get(digests, i), &d));
        if (d)
            TRY(member_add(w, object, d, depth == 0));
    }
    json_object_del(object, "_sd");
    if (json_object_get(object, "..."))
        return malformed(w->f, "...", "the only member of an array's item", "another place");
    json_object_foreach(object, name, value) TRY(walk_value(w, value, depth + 1));
    return E_OK;
}

static const json_t *
item_digest(const json_t *item)
{
    return json_is_object(item) && json_object_size(item) == 1 ? json_object_get(item, "...") : NULL;
}

static err
walk_array(struct walk *w, json_t *array, unsigned depth)
{
    for (size_t i = 0; i < json_array_size(array);) {
        const json_t *hidden = item_digest(json_array_get(array, i));
        if (hidden) {
            struct disclosure *d = NULL;
            TRY(digest_use(w, hidden, &d));
            if (!d) {
                json_array_remove(array, i);
                continue;
            }
            if (json_array_size(d->array) != 2)
                return fault_set(w->f, E_SD_DISCLOSURE, "...", "salt and value", "another disclosure");
            if (json_array_set(array, i, json_array_get(d->array, 1)) != 0)
                return E_INTERNAL;
        }
        TRY(walk_value(w, json_array_get(array, i), depth + 1));
        i++;
    }
    return E_OK;
}

/* Recursive, SD_JWT_DEPTH_MAX deep at most: a walk that changes the tree it walks is plain this way. */
static err
walk_value(struct walk *w, json_t *value, unsigned depth)
{
    if (depth > SD_JWT_DEPTH_MAX)
        return too_many(w->f, "at most 10 levels");
    if (json_is_object(value))
        return walk_object(w, value, depth);
    return json_is_array(value) ? walk_array(w, value, depth) : E_OK;
}

static int
by_bytes(const void *a, const void *b)
{
    return view_cmp(*(const view *)a, *(const view *)b);
}

static err
walk_end(struct walk *w)
{
    qsort(w->seen, w->n_seen, sizeof *w->seen, by_bytes);
    for (size_t i = 1; i < w->n_seen; i++)
        if (view_eq(w->seen[i - 1], w->seen[i]))
            return fault_set(w->f, E_SD_DIGEST_TWICE, "_sd", "each digest once", "one twice");
    for (size_t i = 0; i < w->n; i++)
        if (!w->list[i].is_used)
            return fault_setf(w->f, E_SD_UNREFERENCED, "a disclosure whose digest was signed", "another",
                              "disclosures[%zu]", i);
    return E_OK;
}

/* ---- checks ---- */

static err
type_check(view typ, const char *const *types, struct fault *f)
{
    if (!types)
        return E_OK;
    for (size_t i = 0; types[i]; i++)
        if (view_eq(typ, view_of(types[i])))
            return E_OK;
    return fault_set(f, E_CREDENTIAL_TYP, "typ", types[0], typ.n ? "another type" : "nothing");
}

/* NumericDate in whole seconds, as every profile here writes it. false when the member is there and is none. */
static bool
seconds_get(const json_t *payload, const char *name, bool *ret_there, instant *ret)
{
    int64_t seconds = json_int(payload, name, -1);
    *ret_there = json_member(payload, name) != NULL;
    if (*ret_there && (seconds < 0 || seconds > INT64_C(253402300799)))
        return false;
    *ret = instant_of_unix(seconds);
    return true;
}

err
jwt_check_times(const json_t *payload, instant now, span skew, bool needs_exp, struct fault *f)
{
    static const char *const begins[] = {"nbf", "iat"};
    bool there;
    instant t;
    if (!seconds_get(payload, "exp", &there, &t) || (needs_exp && !there))
        return fault_set(f, E_CREDENTIAL_TIME, "exp", "seconds since 1970", "something else");
    if (there && now.us >= instant_add(t, skew).us)
        return fault_set(f, E_CREDENTIAL_TIME, "exp", "a time to come", "one that has passed");
    for (size_t i = 0; i < COUNT_OF(begins); i++) {
        if (!seconds_get(payload, begins[i], &there, &t))
            return fault_set(f, E_CREDENTIAL_TIME, begins[i], "seconds since 1970", "something else");
        if (there && t.us > instant_add(now, skew).us)
            return fault_set(f, E_CREDENTIAL_TIME, begins[i], "a time that has come", "one to come");
    }
    return E_OK;
}

static void
sd_alg_drop(json_t *payload)
{
    json_t *vc = json_object_get(payload, "vc");
    json_object_del(payload, "_sd_alg");
    json_object_del(json_object_get(vc, "credentialSubject"), "_sd_alg");
}

err
sd_jwt_verify(const struct sd_jwt *s, const struct sd_jwt_policy *p, arena *mem, json_t **ret_claims,
              struct fault *f)
{
    struct walk w = {.mem = mem, .f = f, .is_credential = p->is_credential};
    enum jose_md md = JOSE_MD_NONE;
    view payload;
    json_t *claims = NULL;
    TRY(type_check(s->jwt.header.typ, p->types, f));
    TRY(jws_verify(&s->jwt, VIEW_NONE, p->alg, p->pkey, mem, f));
    TRY(hash_of(s->unchecked, &md, f));
    TRY(disclosures_read(s, md, &w));
    TRY(jws_payload(&s->jwt, mem, &payload, f));
    TRY(json_load(payload, mem, &claims, f)); /* a copy of its own: the walk changes it */
    TRY(walk_value(&w, claims, 0));
    TRY(walk_end(&w));
    TRY(jwt_check_times(claims, p->now, p->skew, p->needs_exp, f));
    sd_alg_drop(claims);
    *ret_claims = claims;
    return E_OK;
}

/* ---- the holder's part ---- */

err
sd_jwt_holder_key(const json_t *claims, arena *mem, void **ret_pkey, enum jose_alg *ret_alg, struct fault *f)
{
    const json_t *jwk = json_member(json_member(claims, "cnf"), "jwk");
    void *pkey = NULL;
    enum jose_alg alg = ALG_NONE;
    view kid;
    if (!jwk || jwk_read(jwk, &pkey, &alg, &kid, mem, NULL) != E_OK)
        return fault_set(f, E_HOLDER_KEY, "cnf.jwk", "the holder's public key", jwk ? "another" : "nothing");
    if (!arena_defer(mem, pkey_free, pkey))
        return E_TOO_LARGE;
    *ret_pkey = pkey;
    *ret_alg = alg;
    return E_OK;
}

static err
binding_values(const struct sd_jwt *s, const json_t *payload, const struct sd_binding *b, arena *mem,
               struct fault *f)
{
    bool there;
    instant made;
    enum jose_md md = JOSE_MD_NONE;
    if (!seconds_get(payload, "iat", &there, &made) || !there || made.us < b->now.us - b->window.us ||
        made.us > b->now.us + b->window.us)
        return fault_set(f, E_PRESENTATION_TIME, "iat", "a time of now", "another");
    if (!b->nonce.n || !bytes_eq_secret(json_text(payload, "nonce"), b->nonce))
        return fault_set(f, E_PRESENTATION_NONCE, "nonce", "the request's", "another");
    if (!b->audience.n || !view_eq(json_text(payload, "aud"), b->audience))
        return fault_set(f, E_PRESENTATION_AUDIENCE, "aud", "our whole client id", "another");
    TRY(hash_of(s->unchecked, &md, f));
    if (!view_eq(json_text(payload, "sd_hash"), digest_text(md, s->presented, mem)))
        return fault_set(f, E_PRESENTATION_DIGEST, "sd_hash", "the digest of what is presented", "another");
    return E_OK;
}

err
sd_jwt_check_binding(const struct sd_jwt *s, const json_t *claims, const struct sd_binding *b, arena *mem,
                     json_t **ret_payload, struct fault *f)
{
    static const char *const types[] = {"kb+jwt", NULL};
    struct jws_parts jwt;
    void *pkey = NULL;
    enum jose_alg alg = ALG_NONE;
    view text;
    json_t *payload = NULL;
    if (!s->key_binding.n)
        return fault_set(f, E_KEY_BINDING_MISSING, "SD-JWT", "the holder's key-binding JWT", "none");
    TRY(jws_split(s->key_binding, mem, &jwt, f));
    TRY(type_check(jwt.header.typ, types, f));
    TRY(sd_jwt_holder_key(claims, mem, &pkey, &alg, f));
    TRY(jws_verify(&jwt, VIEW_NONE, alg, pkey, mem, f));
    TRY(jws_payload(&jwt, mem, &text, f));
    TRY(json_load(text, mem, &payload, f));
    TRY(binding_values(s, payload, b, mem, f));
    *ret_payload = payload;
    return E_OK;
}
