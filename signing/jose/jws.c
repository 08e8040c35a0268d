/* JWS compact form: reading, verifying, signing (RFC 7515, RFC 7797). */
#include "signing/cms/transcoding.h"
#include "signing/jose/jose.h"

#include "base/buf.h"
#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>

#define PROTECTED_MAX 16384
#define HEADER_NODES_MAX 512
#define CERTIFICATES_MAX (1 + (int)COUNT_OF(((struct jws_header *)0)->x5c_rest))

static err
malformed(struct fault *f, const char *where, const char *expected, const char *found)
{
    return fault_set(f, E_SIGNATURE_FORM, where, expected, found);
}

/* ---- the protected header ---- */

struct reading {
    const struct tree *tree;
    const struct node *root;
    arena *mem;
    struct fault *f;
};

static err
string_get(const struct reading *r, const char *name, view *ret)
{
    const struct node *n = node_member(r->tree, r->root, view_of(name));
    if (!n)
        return E_OK;
    if (n->kind != NODE_STRING)
        return malformed(r->f, name, "a string", "something else");
    *ret = node_text(r->tree, n);
    return E_OK;
}

static err
alg_get(const struct reading *r, struct jws_header *h)
{
    view name = VIEW_NONE;
    TRY(string_get(r, "alg", &name));
    h->alg = jose_alg_of(name);
    if (h->alg == ALG_NONE)
        return fault_set(r->f, E_ALGORITHM, "alg", "an algorithm of the list",
                         name.n ? "another one" : "nothing");
    return E_OK;
}

/* RFC 7515 4.1.11: not empty, known names, each in the header, none twice. */
static err
crit_get(const struct reading *r, bool *ret_b64_named)
{
    const struct node *crit = node_member(r->tree, r->root, V("crit"));
    if (!crit)
        return E_OK;
    if (crit->kind != NODE_ARRAY || node_count(crit) == 0)
        return malformed(r->f, "crit", "an array that is not empty", "something else");
    for (NODE_EACH(name, r->tree, crit)) {
        if (name->kind != NODE_STRING)
            return malformed(r->f, "crit", "names", "something else");
        if (!view_eq(node_text(r->tree, name), V("b64")))
            return fault_set(r->f, E_JWS_CRIT, "crit", "b64", "another name");
        if (*ret_b64_named || !node_member(r->tree, r->root, V("b64")))
            return malformed(r->f, "crit", "each name once and in the header",
                             "a name twice or not in the header");
        *ret_b64_named = true;
    }
    return E_OK;
}

static err
b64_get(const struct reading *r, struct jws_header *h)
{
    bool named = false;
    TRY(crit_get(r, &named));
    const struct node *b64 = node_member(r->tree, r->root, V("b64"));
    h->b64 = true;
    if (!b64)
        return E_OK;
    if (b64->kind != NODE_TRUE && b64->kind != NODE_FALSE)
        return malformed(r->f, "b64", "true or false", "something else");
    h->b64 = b64->kind == NODE_TRUE;
    if (!h->b64 && !named)
        return malformed(r->f, "crit", "b64, since b64 is false (RFC 7797 6)", "nothing");
    return E_OK;
}

static err
x5c_get(const struct reading *r, struct jws_header *h)
{
    const struct node *list = node_member(r->tree, r->root, V("x5c"));
    if (!list)
        return E_OK;
    if (list->kind != NODE_ARRAY || node_count(list) == 0 || node_count(list) > (uint32_t)CERTIFICATES_MAX)
        return malformed(r->f, "x5c", "an array of 1 to 5 certificates", "something else");
    for (NODE_EACH(item, r->tree, list)) {
        view der = VIEW_NONE;
        if (item->kind != NODE_STRING || text_base64_decode(node_text(r->tree, item), r->mem, &der) != E_OK ||
            !der.n)
            return malformed(r->f, "x5c", "base64 with padding, not base64url", "something else");
        if (!h->x5c_leaf.n)
            h->x5c_leaf = der;
        else
            h->x5c_rest[h->n_rest++] = der;
    }
    return E_OK;
}

static err
seconds_get(const struct reading *r, const char *name, const struct node *n, instant *ret)
{
    int64_t seconds = 0;
    view number = node_text(r->tree, n);
    if (n->kind != NODE_NUMBER || text_to_i64(view_cut(&number, '.', NULL), &seconds) != E_OK ||
        seconds < 0 || seconds > INT64_C(253402300799))
        return malformed(r->f, name, "seconds since 1970", "something else");
    *ret = instant_of_unix(seconds);
    return E_OK;
}

/* sigT as ETSI's profiles have it (RFC 3339 text) or as HL7's publisher writes it (seconds), else iat (seconds; a
 * fraction is dropped). */
static err
time_get(const struct reading *r, struct jws_header *h)
{
    const struct node *sig_t = node_member(r->tree, r->root, V("sigT")),
                      *iat = node_member(r->tree, r->root, V("iat"));
    view text = VIEW_NONE;
    if (sig_t && sig_t->kind == NODE_NUMBER)
        return seconds_get(r, "sigT", sig_t, &h->signed_at);
    TRY(string_get(r, "sigT", &text));
    if (text.n)
        return instant_parse(text, &h->signed_at, NULL) == E_OK
                   ? E_OK
                   : malformed(r->f, "sigT", "a time as RFC 3339 has it", "something else");
    return iat ? seconds_get(r, "iat", iat, &h->signed_at) : E_OK;
}

static err
header_read(view protected_b64, arena *mem, struct jws_header *ret, struct fault *f)
{
    view json;
    if (protected_b64.n > PROTECTED_MAX)
        return malformed(f, "protected header", "at most 16 KiB", "more");
    if (text_base64url_decode(protected_b64, mem, &json) != E_OK)
        return malformed(f, "protected header", "base64url without padding", "something else");
    struct tree tree;
    struct fault inner;
    fault_init(&inner);
    const struct tree_limits limits = {PROTECTED_MAX, HEADER_NODES_MAX};
    err e = tree_read_json(json, &limits, mem, &tree, &inner);
    if (e != E_OK)
        return malformed(f, "protected header", "JSON", err_info(e)->code);
    struct reading r = {&tree, tree_root(&tree), mem, f};
    if (r.root->kind != NODE_OBJECT)
        return malformed(f, "protected header", "a JSON object", "something else");
    struct jws_header h = {.signed_at = INSTANT_NONE};
    TRY(alg_get(&r, &h));
    TRY(b64_get(&r, &h));
    TRY(string_get(&r, "kid", &h.kid));
    TRY(string_get(&r, "typ", &h.typ));
    TRY(x5c_get(&r, &h));
    TRY(time_get(&r, &h));
    *ret = h;
    return E_OK;
}

/* ---- headers seen before ---- A client sends the same header with every document; what it says depends
 * on its bytes alone, so each thread keeps the last few as read.  Headers that failed are not kept. */

enum { SEEN = 4, SEEN_BYTES_MAX = 8192, HEADER_VIEWS = 7 };

struct seen {
    char *block; /* the header's text, then what the views point to */
    size_t text_n, block_n;
    struct jws_header header;
};

static pthread_key_t seen_key;
static pthread_once_t seen_once = PTHREAD_ONCE_INIT;
static __thread struct seen *seen_here;
static __thread unsigned seen_next;

static void
seen_free(void *self)
{
    struct seen *s = self;
    for (int i = 0; i < SEEN; i++)
        free(s[i].block);
    free(s);
}

static void
seen_key_make(void)
{
    if (pthread_key_create(&seen_key, seen_free) != 0)
        abort();
}

static void
header_views(struct jws_header *h, view *out[HEADER_VIEWS])
{
    view *all[HEADER_VIEWS] = {&h->kid,         &h->typ,         &h->x5c_leaf,   &h->x5c_rest[0],
                               &h->x5c_rest[1], &h->x5c_rest[2], &h->x5c_rest[3]};
    memcpy(out, all, sizeof all);
}

static bool
seen_find(view text, arena *mem, struct jws_header *ret)
{
    for (int i = 0; seen_here && i < SEEN; i++) {
        struct seen *s = &seen_here[i];
        if (!s->block || s->text_n != text.n || memcmp(s->block, text.p, text.n) != 0)
            continue;
        /* The copy lives as long as the request; the kept one may go at any time. */
        view copy = arena_dup(mem, view_make(s->block + s->text_n, s->block_n - s->text_n));
        if (!copy.p)
            return false;
        struct jws_header h = s->header;
        view *views[HEADER_VIEWS];
        header_views(&h, views);
        for (int v = 0; v < HEADER_VIEWS; v++)
            if (views[v]->p)
                views[v]->p = copy.p + (views[v]->p - (s->block + s->text_n));
        *ret = h;
        return true;
    }
    return false;
}

static void
seen_add(view text, struct jws_header h)
{
    view *views[HEADER_VIEWS];
    header_views(&h, views);
    size_t n = text.n;
    for (int v = 0; v < HEADER_VIEWS; v++)
        n += views[v]->n;
    if (n > SEEN_BYTES_MAX)
        return;
    if (!seen_here) {
        pthread_once(&seen_once, seen_key_make);
        seen_here = calloc(SEEN, sizeof *seen_here);
        if (!seen_here || pthread_setspecific(seen_key, seen_here) != 0)
            abort();
    }
    char *block = malloc(n);
    if (!block)
        abort();
    memcpy(block, text.p, text.n);
    size_t at = text.n;
    for (int v = 0; v < HEADER_VIEWS; v++) {
        if (views[v]->n)
            memcpy(block + at, views[v]->p, views[v]->n);
        *views[v] = view_make(views[v]->p ? block + at : NULL, views[v]->n);
        at += views[v]->n;
    }
    struct seen *slot = &seen_here[seen_next];
    seen_next = (seen_next + 1) % SEEN;
    free(slot->block);
    *slot = (struct seen){block, text.n, n, h};
}

err
jws_header_read(view protected_b64, arena *mem, struct jws_header *ret, struct fault *f)
{
    if (seen_find(protected_b64, mem, ret))
        return E_OK;
    struct jws_header h;
    TRY(header_read(protected_b64, mem, &h, f));
    seen_add(protected_b64, h);
    *ret = h;
    return E_OK;
}

/* ---- compact form ---- */

/* RFC 7797 5.2: an unencoded payload inside a compact JWS holds visible ASCII and spaces only (a dot has
 * been cut at already). */
static bool
is_plain(view payload)
{
    for (size_t i = 0; i < payload.n; i++)
        if (payload.p[i] < 0x20 || payload.p[i] > 0x7e)
            return false;
    return true;
}

err
jws_split(view compact, arena *mem, struct jws_parts *ret, struct fault *f)
{
    static const char expected[] = "three parts with a dot between";
    bool first = false, second = false;
    view rest = compact;
    struct jws_parts parts = {0};
    parts.protected_b64 = view_cut(&rest, '.', &first);
    parts.payload_b64 = view_cut(&rest, '.', &second);
    parts.signature_b64 = rest;
    if (!first || !second || view_find_byte(rest, '.') != rest.n)
        return malformed(f, "JWS", expected, "another number of dots");
    if (!parts.protected_b64.n || !parts.signature_b64.n)
        return malformed(f, "JWS", expected, "an empty header or signature");
    TRY(jws_header_read(parts.protected_b64, mem, &parts.header, f));
    if (!parts.header.b64 && !is_plain(parts.payload_b64))
        return malformed(f, "JWS payload", "visible ASCII", "another character");
    *ret = parts;
    return E_OK;
}

/* Ed25519 wants the signing input in one piece. */
static err
verify_whole(const struct jws_parts *parts, view payload, bool encode, enum jose_alg alg, EVP_PKEY *pkey,
             view signature, arena *mem)
{
    view text = encode ? text_base64url(mem, payload) : payload;
    if (encode && payload.n && !text.p)
        return E_TOO_LARGE;
    size_t n = parts->protected_b64.n + 1 + text.n;
    char *input = arena_alloc(mem, n);
    if (!input)
        return E_TOO_LARGE;
    memcpy(input, parts->protected_b64.p, parts->protected_b64.n);
    input[parts->protected_b64.n] = '.';
    if (text.n)
        memcpy(input + n - text.n, text.p, text.n);
    return jose_verify_message(pkey, alg, view_make(input, n), signature);
}

static err
verify_hashed(const struct jws_parts *parts, view payload, bool encode, enum jose_alg alg, EVP_PKEY *pkey,
              view signature)
{
    uint8_t hash[JOSE_HASH_MAX];
    jose_hash_start(jose_row_of(alg)->md);
    jose_hash_add(parts->protected_b64);
    jose_hash_add(V("."));
    if (encode)
        jose_hash_add_base64url(payload);
    else
        jose_hash_add(payload);
    size_t n = jose_hash_end(hash);
    return jose_verify_hash(pkey, alg, view_make(hash, n), signature);
}

struct transcoded_check {
    EVP_PKEY *pkey;
    enum jose_alg alg;
    view signature;
};

static bool
fits_signature(void *self, view hash)
{
    const struct transcoded_check *c = self;
    return jose_verify_hash(c->pkey, c->alg, hash, c->signature) == E_OK;
}

/* The form of a detached payload that was signed instead of the bytes that came, NULL when none is known. */
static const char *
find_transcoding(const struct jws_parts *parts, view payload, enum jose_alg alg, EVP_PKEY *pkey,
                 view signature, arena *mem)
{
    struct transcoded_check c = {pkey, alg, signature};
    const struct transcoded what = {.body = payload,
                                    .md = jose_md_of(jose_row_of(alg)->md),
                                    .prefix = arena_printf(mem, "%.*s.", VIEW_ARG(parts->protected_b64)),
                                    .base64url = parts->header.b64};
    return what.md && what.prefix.p ? transcoding_find(&what, fits_signature, &c) : NULL;
}

static err
verify_fault(err e, enum jose_alg alg, struct fault *f)
{
    if (e == E_ALGORITHM)
        return fault_set(f, e, "JWS", jose_row_of(alg)->name, "a key of another kind or size");
    if (e == E_SIGNATURE_FORM)
        return fault_set(f, e, "JWS signature",
                         "the length that the key gives; r and s of ECDSA as fixed-length numbers, not DER",
                         "another length");
    if (e == E_SIGNATURE_MISMATCH)
        return fault_set(f, e, "JWS signature", "a signature over these bytes by this key", "another one");
    return e;
}

err
jws_verify(const struct jws_parts *parts, view payload, enum jose_alg alg, void *pkey, arena *mem,
           struct fault *f)
{
    if (!jose_alg_same(parts->header.alg, alg)) {
        const struct jose_row *pin = jose_row_of(alg), *said = jose_row_of(parts->header.alg);
        return fault_set(f, E_ALGORITHM, "alg", pin ? pin->name : "an algorithm of the list",
                         said ? said->name : "nothing");
    }
    if (payload.p && parts->payload_b64.n)
        return malformed(f, "JWS payload", "none: the payload is the document", "an embedded payload");
    view signature;
    if (text_base64url_decode(parts->signature_b64, mem, &signature) != E_OK)
        return malformed(f, "JWS signature", "base64url without padding", "something else");
    /* An embedded payload stands in the signing input as it came, in both forms. */
    bool is_detached = payload.p, encode = payload.p && parts->header.b64;
    if (!payload.p)
        payload = parts->payload_b64;
    err e = jose_row_of(alg)->md == JOSE_MD_NONE
                ? verify_whole(parts, payload, encode, alg, pkey, signature, mem)
                : verify_hashed(parts, payload, encode, alg, pkey, signature);
    const char *other = e == E_SIGNATURE_MISMATCH && is_detached
                            ? find_transcoding(parts, payload, alg, pkey, signature, mem)
                            : NULL;
    if (other)
        return fault_set(f, E_SIGNED_TRANSCODED, "JWS signature", "a signature over the bytes as sent",
                         other);
    return verify_fault(e, alg, f);
}

err
jws_payload(const struct jws_parts *parts, arena *mem, view *ret, struct fault *f)
{
    if (!parts->header.b64) {
        *ret = parts->payload_b64;
        return E_OK;
    }
    if (text_base64url_decode(parts->payload_b64, mem, ret) != E_OK)
        return malformed(f, "JWS payload", "base64url without padding", "something else");
    return E_OK;
}

/* ---- signing ---- */

/* {"alg":…,"kid":…,members} in base64url. */
static void
protected_print(const struct key *k, view members, struct buf *out)
{
    struct buf json AUTO_DONE(buf_done);
    buf_init(&json, PROTECTED_MAX);
    buf_printf(&json, "{\"alg\":\"%s\",\"kid\":", jose_row_of(k->alg)->name);
    buf_add_json(&json, k->kid);
    if (members.n) {
        BUF_LIT(&json, ",");
        buf_add_view(&json, members);
    }
    BUF_LIT(&json, "}");
    if (json.failed)
        out->failed = true;
    else
        buf_add_base64url(out, buf_view(&json));
}

err
jws_sign(const struct key *k, view header_members, view payload, bool detach, arena *mem, view *ret_compact)
{
    if (!jose_row_of(k->alg))
        return E_ALGORITHM;
    struct buf text AUTO_DONE(buf_done);
    buf_init(&text, PROTECTED_MAX + 2 * payload.n + 2 * JOSE_SIGNATURE_MAX);
    protected_print(k, header_members, &text);
    if (text.failed)
        return E_TOO_LARGE;
    /* Our own header goes through the same reader, so that what we sign can be verified. */
    struct jws_header h;
    size_t protected_n = text.n;
    TRY(jws_header_read(buf_view(&text), mem, &h, NULL));
    if (!h.b64 && !detach && (!is_plain(payload) || view_find_byte(payload, '.') != payload.n))
        return E_SIGNATURE_FORM;
    BUF_LIT(&text, ".");
    if (h.b64)
        buf_add_base64url(&text, payload);
    else
        buf_add_view(&text, payload);
    if (text.failed)
        return E_TOO_LARGE;
    view signature;
    TRY(key_sign(k, buf_view(&text), mem, &signature));
    if (detach)
        text.n = protected_n + 1;
    BUF_LIT(&text, ".");
    buf_add_base64url(&text, signature);
    view compact = text.failed ? VIEW_NONE : arena_dup(mem, buf_view(&text));
    if (!compact.p)
        return E_TOO_LARGE;
    *ret_compact = compact;
    return E_OK;
}
