#include "flow/login/dpop.h"

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "signing/jose/jws.h"

#include <pthread.h>

#define PROOF_MAX 4096
#define SKEW_S 60
#define NONCE_LIFE_S 300
#define SEEN_MAX 131072 /* proofs within the window */
#define PROBE 64

struct seen {
    digest id;
    int64_t until_us; /* 0: free */
};

struct dpop {
    arena *mem;
    uint8_t key[32];
    pthread_mutex_t lock;
    struct seen *seen;
};

struct dpop *
dpop_new(void)
{
    arena *mem = arena_new(SEEN_MAX * sizeof(struct seen) + 65536);
    struct dpop *d = arena_make(mem, struct dpop);
    struct seen *seen = arena_make_array(mem, SEEN_MAX, struct seen);
    if (!d || !seen) {
        arena_free(mem);
        return NULL;
    }
    d->mem = mem;
    d->seen = seen;
    random_bytes(d->key, sizeof d->key);
    pthread_mutex_init(&d->lock, NULL);
    return d;
}

void
dpop_free(struct dpop *d)
{
    if (!d)
        return;
    pthread_mutex_destroy(&d->lock);
    arena_free(d->mem);
}

/* -- nonces: the second they were given in, and its HMAC -- */

struct nonce {
    int64_t second;
    uint8_t mac[16];
};

static struct nonce
nonce_of(const struct dpop *d, int64_t second)
{
    struct nonce n = {.second = second};
    digest mac = hmac_sha256(view_make(d->key, sizeof d->key), view_make(&n.second, sizeof n.second));
    memcpy(n.mac, mac.b, sizeof n.mac);
    return n;
}

view
dpop_nonce(struct dpop *d, instant now, arena *mem)
{
    struct nonce n = nonce_of(d, instant_unix(now));
    return text_base64url(mem, view_make(&n, sizeof n));
}

static bool
is_fresh(const struct dpop *d, view text, instant now, arena *mem)
{
    struct nonce n, want;
    view raw;
    int64_t second = instant_unix(now);
    if (text.n > 64 || text_base64url_decode(text, mem, &raw) != E_OK || raw.n != sizeof n)
        return false;
    memcpy(&n, raw.p, sizeof n);
    want = nonce_of(d, n.second);
    return bytes_eq_secret(view_make(want.mac, sizeof want.mac), view_make(n.mac, sizeof n.mac)) &&
           n.second <= second && second - n.second <= NONCE_LIFE_S;
}

/* -- once -- */

static err
remember(struct dpop *d, const digest *id, instant now)
{
    int64_t until = now.us + (NONCE_LIFE_S + 2 * SKEW_S) * 1000000LL;
    struct seen *room = NULL;
    err e = E_OK;
    uint32_t at;
    memcpy(&at, id->b, sizeof at);
    pthread_mutex_lock(&d->lock);
    for (uint32_t i = 0; i < PROBE && e == E_OK; i++) {
        struct seen *s = &d->seen[(at + i) % SEEN_MAX];
        bool is_live = s->until_us > now.us;
        if (is_live && digest_eq(&s->id, id))
            e = E_DPOP;
        if (!is_live && !room)
            room = s;
    }
    if (e == E_OK && room)
        *room = (struct seen){*id, until};
    else if (e == E_OK)
        e = E_BUSY;
    pthread_mutex_unlock(&d->lock);
    return e;
}

/* -- the proof -- */

static err
bad(struct fault *f, const char *where, const char *expected)
{
    return fault_set(f, E_DPOP, where, expected, "another form or value");
}

/* The key stands in the header; it is nobody's until the token says whose. */
static err
check_header(const struct jws_parts *parts, arena *mem, digest *ret_key, struct fault *f)
{
    view text, thumbprint, kid, raw;
    json_t *header = NULL;
    void *pkey = NULL;
    enum jose_alg fallback;
    if (!view_eq(parts->header.typ, V("dpop+jwt")))
        return bad(f, "DPoP/typ", "dpop+jwt");
    if (text_base64url_decode(parts->protected_b64, mem, &text) != E_OK ||
        json_load(text, mem, &header, NULL) != E_OK)
        return bad(f, "DPoP", "a header as JSON");
    if (jwk_read(json_member(header, "jwk"), &pkey, &fallback, &kid, mem, NULL) != E_OK)
        return bad(f, "DPoP/jwk", "a public key without private members");
    if (!arena_defer(mem, pkey_free, pkey))
        return E_TOO_LARGE;
    if (!pkey_fits(pkey, parts->header.alg) ||
        jws_verify(parts, VIEW_NONE, parts->header.alg, pkey, mem, NULL) != E_OK)
        return bad(f, "DPoP", "a signature by the key of its header");
    TRY(jwk_thumbprint(pkey, mem, &thumbprint));
    if (text_base64url_decode(thumbprint, mem, &raw) != E_OK || raw.n != sizeof ret_key->b)
        return E_INTERNAL;
    memcpy(ret_key->b, raw.p, sizeof ret_key->b);
    return E_OK;
}

static err
check_claims(struct dpop *d, const struct proof *p, const json_t *claims, const view *token, instant now,
             arena *mem, struct fault *f)
{
    int64_t iat = json_int(claims, "iat", 0), second = instant_unix(now);
    view htu = json_text(claims, "htu"), jti = json_text(claims, "jti");
    htu = view_sub(htu, 0, view_find_byte(htu, '?'));
    htu = view_sub(htu, 0, view_find_byte(htu, '#'));
    if (!view_eq(json_text(claims, "htm"), p->method))
        return bad(f, "DPoP/htm", "the method of this request");
    if (!view_eq(htu, p->url))
        return bad(f, "DPoP/htu", "the address of this request");
    if (jti.n < 8 || jti.n > 256)
        return bad(f, "DPoP/jti", "8 to 256 characters");
    if (token) {
        digest hash = sha256(*token);
        if (!view_eq(json_text(claims, "ath"), text_base64url(mem, digest_view(&hash))))
            return bad(f, "DPoP/ath", "the hash of the access token");
    }
    if (!is_fresh(d, json_text(claims, "nonce"), now, mem))
        return fault_set(f, E_DPOP_NONCE, "DPoP/nonce", "a nonce given within the last 300 s",
                         "another or none");
    if (iat > second + SKEW_S || iat < second - NONCE_LIFE_S - SKEW_S)
        return bad(f, "DPoP/iat", "a time of now");
    return E_OK;
}

err
dpop_check(struct dpop *d, const struct proof *p, const view *token, instant now, arena *mem, digest *ret_key,
           struct fault *f)
{
    struct jws_parts parts;
    json_t *claims = NULL;
    view payload;
    if (!p->dpop.n || p->dpop.n > PROOF_MAX || jws_split(p->dpop, mem, &parts, NULL) != E_OK)
        return bad(f, "DPoP", "one compact JWS");
    TRY(check_header(&parts, mem, ret_key, f));
    if (jws_payload(&parts, mem, &payload, NULL) != E_OK || json_load(payload, mem, &claims, NULL) != E_OK)
        return bad(f, "DPoP", "claims as a JSON object");
    TRY(check_claims(d, p, claims, token, now, mem, f));
    view seen[] = {digest_view(ret_key), json_text(claims, "jti")};
    digest id = sha256_parts(seen, COUNT_OF(seen));
    err e = remember(d, &id, now);
    return e == E_DPOP ? bad(f, "DPoP/jti", "one not used before") : e;
}
