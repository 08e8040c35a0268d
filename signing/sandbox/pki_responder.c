#include "signing/sandbox/pki_responder.h"

#include "base/json.h"
#include "signing/sandbox/pki_answer.h"
#include "signing/sandbox/pki_sandbox.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define REVOKED_MAX 64
#define REPLAYS_MAX 256
#define LIFE SPAN_SECONDS(7200)

enum mode {
    MODE_OK,
    MODE_DOWN,
    MODE_SLOW,
    MODE_WRONG_SIGNER,
    MODE_REPLAYED,
    MODE_WRONG_NONCE, /* the last three: of the time-stamp authority */
    MODE_WRONG_IMPRINT,
    MODE_WRONG_POLICY,
    MODE_COUNT
};
static const char *const mode_words[MODE_COUNT] = {
    "ok", "down", "slow", "wrong-signer", "replayed", "wrong-nonce", "wrong-imprint", "wrong-policy"};

/* Whoever answers here: a CA's responder and list, and the time-stamp authority. */
static const struct {
    const char *name, *responder;
} authorities[] = {{"hca", "hca-ocsp"},     {"gca", "gca-ocsp"},
                   {"moica", "moica-ocsp"}, {"moeaca", "moeaca-ocsp"},
                   {"tsa", "tsa"},          {"root", "root"}}; /* of the CAs themselves */
#define AUTHORITIES COUNT_OF(authorities)

struct identity {
    X509 *x;
    EVP_PKEY *pkey;
};

struct authority {
    struct identity ca, responder;
    enum mode mode;
    long number; /* of the next list */
    struct pki_revoked revoked[REVOKED_MAX];
    size_t n_revoked;
};

/* The first answer that was given to a request, for the mood that repeats it. */
struct replay {
    digest asked;
    char *answer;
    size_t n;
};

struct pki_responder {
    pthread_mutex_t lock;
    char dir[1024];
    struct authority of[AUTHORITIES];
    struct replay replays[REPLAYS_MAX];
    size_t n_replays;
    span offset, life;
};

static FILE *
open_file(const char *dir, const char *name, const char *ending)
{
    char path[1200];
    int n = snprintf(path, sizeof path, "%s/%s%s", dir, name, ending);
    return n > 0 && (size_t)n < sizeof path ? fopen(path, "r") : NULL;
}

static err
read_identity(const char *dir, const char *name, struct identity *ret, struct fault *f)
{
    FILE *in = open_file(dir, name, ".crt");
    ret->x = in ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;
    if (in)
        fclose(in);
    in = open_file(dir, name, ".key");
    ret->pkey = in ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;
    if (in)
        fclose(in);
    ERR_clear_error();
    if (!ret->x || !ret->pkey)
        return fault_setf(f, E_FILE, "a certificate and its key of the sandbox", "none", "%s/%s", dir, name);
    return E_OK;
}

static void
identity_done(struct identity *i)
{
    X509_free(i->x);
    EVP_PKEY_free(i->pkey);
}

void
pki_responder_close(struct pki_responder *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < AUTHORITIES; i++) {
        identity_done(&r->of[i].ca);
        identity_done(&r->of[i].responder);
        for (size_t k = 0; k < r->of[i].n_revoked; k++)
            ASN1_INTEGER_free((ASN1_INTEGER *)r->of[i].revoked[k].serial);
    }
    for (size_t i = 0; i < r->n_replays; i++)
        free(r->replays[i].answer);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

err
pki_responder_open(const char *dir, struct pki_responder **ret, struct fault *f)
{
    struct pki_responder *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    pthread_mutex_init(&r->lock, NULL);
    r->life = LIFE;
    int length = snprintf(r->dir, sizeof r->dir, "%s", dir);
    err e = length > 0 && (size_t)length < sizeof r->dir
                ? E_OK
                : fault_set(f, E_FILE, "dir", "a path below 1 KiB", "");
    for (size_t i = 0; i < AUTHORITIES && e == E_OK; i++) {
        bool is_tsa = strcmp(authorities[i].name, "tsa") == 0;
        e = read_identity(dir, is_tsa ? "tsaca" : authorities[i].name, &r->of[i].ca, f);
        if (e == E_OK)
            e = read_identity(dir, authorities[i].responder, &r->of[i].responder, f);
        r->of[i].number = 2; /* the list that pki_sandbox_make wrote is the first */
    }
    if (e != E_OK) {
        pki_responder_close(r);
        return e;
    }
    *ret = r;
    return E_OK;
}

/* -- orders -- */

static struct authority *
authority_of(struct pki_responder *r, view name)
{
    for (size_t i = 0; i < AUTHORITIES; i++)
        if (view_eq(name, view_of(authorities[i].name)))
            return &r->of[i];
    return NULL;
}

static instant
now_of(const struct pki_responder *r)
{
    return instant_add(clock_now(), r->offset);
}

static err
order_mode(struct pki_responder *r, const json_t *order, struct fault *f)
{
    view of = json_text(order, "of");
    struct authority *one = of.n ? authority_of(r, of) : NULL;
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        if (!view_eq(json_text(order, "mode"), view_of(mode_words[mode])))
            continue;
        if (of.n && !one)
            return fault_set(f, E_PARAMETER, "/of", "hca, gca, moica, moeaca or tsa", "another name");
        for (size_t i = 0; i < AUTHORITIES; i++)
            if (!one || one == &r->of[i])
                r->of[i].mode = (enum mode)mode;
        return E_OK;
    }
    return fault_set(f, E_PARAMETER, "/mode", "a mode of pki_responder.h", "another word");
}

static err
order_revoke(struct pki_responder *r, const json_t *order, arena *mem, struct fault *f)
{
    char *name = arena_cstr(mem, json_text(order, "revoke"));
    struct identity who = {NULL, NULL};
    if (!name)
        return E_TOO_LARGE;
    err e = read_identity(r->dir, name, &who, f);
    for (size_t i = 0; i < AUTHORITIES && e == E_OK; i++) {
        struct authority *a = &r->of[i];
        if (X509_check_issued(a->ca.x, who.x) != X509_V_OK || a->n_revoked == REVOKED_MAX)
            continue;
        instant now = now_of(r);
        bool doubted = json_object_get(order, "invalid_seconds") != NULL;
        a->revoked[a->n_revoked++] = (struct pki_revoked){
            .serial = ASN1_INTEGER_dup(X509_get0_serialNumber(who.x)),
            .at = instant_add(now, SPAN_SECONDS(json_int(order, "seconds", 0))),
            .invalid_from = doubted ? instant_add(now, SPAN_SECONDS(json_int(order, "invalid_seconds", 0)))
                                    : INSTANT_NONE,
            .reason = (int)json_int(order, "reason", 0),
        };
    }
    identity_done(&who);
    return e;
}

static err
order_tsa(struct pki_responder *r, const json_t *order, arena *mem, struct fault *f)
{
    struct identity fresh = {NULL, NULL};
    struct authority *tsa = authority_of(r, V("tsa"));
    char *name = arena_cstr(mem, json_text(order, "tsa"));
    if (!name || !tsa)
        return E_TOO_LARGE;
    err e = read_identity(r->dir, name, &fresh, f);
    identity_done(e == E_OK ? &tsa->responder : &fresh);
    if (e == E_OK)
        tsa->responder = fresh;
    return e;
}

err
pki_responder_order(struct pki_responder *r, view text, arena *mem, struct fault *f)
{
    json_t *order;
    TRY(json_load(text, mem, &order, f));
    pthread_mutex_lock(&r->lock);
    err e = E_OK;
    if (json_object_get(order, "mode"))
        e = order_mode(r, order, f);
    else if (json_object_get(order, "revoke"))
        e = order_revoke(r, order, mem, f);
    else if (json_object_get(order, "tsa"))
        e = order_tsa(r, order, mem, f);
    else if (json_object_get(order, "clock"))
        r->offset.us += SPAN_SECONDS(json_int(order, "clock", 0)).us;
    else if (json_object_get(order, "life"))
        r->life = SPAN_SECONDS(json_int(order, "life", 7200));
    else
        e = fault_set(f, E_PARAMETER, "/", "mode, revoke, tsa, clock or life", "another order");
    pthread_mutex_unlock(&r->lock);
    return e;
}

/* -- answers -- */

static const struct pki_revoked *
find_revoked(void *self, const ASN1_INTEGER *serial)
{
    const struct authority *a = self;
    for (size_t i = 0; i < a->n_revoked; i++)
        if (ASN1_INTEGER_cmp(a->revoked[i].serial, serial) == 0)
            return &a->revoked[i];
    return NULL;
}

static err
answer_status(struct pki_responder *r, struct authority *a, view request, arena *mem, view *ret)
{
    instant now = now_of(r);
    const struct identity *signer = &a->responder;
    if (a->mode == MODE_WRONG_SIGNER)
        signer = a == &r->of[0] ? &r->of[1].responder : &r->of[0].responder;
    struct pki_status s = {.issuer = a->ca.x,
                           .signer = signer->x,
                           .signer_key = signer->pkey,
                           .produced_at = instant_add(now, SPAN_SECONDS(-1)),
                           .this_update = instant_add(now, SPAN_SECONDS(-1)),
                           .next_update = instant_add(now, r->life),
                           .find = find_revoked,
                           .self = a};
    return pki_answer_status(request, &s, mem, ret);
}

static err
answer_list(struct pki_responder *r, struct authority *a, arena *mem, view *ret)
{
    instant now = now_of(r);
    const struct authority *signer = a;
    if (a->mode == MODE_WRONG_SIGNER)
        signer = a == &r->of[0] ? &r->of[1] : &r->of[0];
    struct pki_list order = {.issuer = a->ca.x,
                             .issuer_key = signer->ca.pkey,
                             .number = a->number++,
                             .this_update = instant_add(now, SPAN_SECONDS(-1)),
                             .next_update = instant_add(now, r->life),
                             .revoked = a->revoked,
                             .n_revoked = a->n_revoked};
    X509_CRL *list = pki_issue_crl(&order);
    unsigned char *der = NULL;
    int n = list ? i2d_X509_CRL(list, &der) : -1;
    view copy = n > 0 ? arena_dup(mem, view_make(der, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(der);
    X509_CRL_free(list);
    *ret = copy;
    return copy.p ? E_OK : E_INTERNAL;
}

static err
answer_time(struct pki_responder *r, struct authority *a, view request, arena *mem, view *ret)
{
    const struct identity *signer = a->mode == MODE_WRONG_SIGNER ? &r->of[0].responder : &a->responder;
    struct pki_clock c = {.signer = signer->x,
                          .signer_key = signer->pkey,
                          .issuer = a->ca.x,
                          .at = now_of(r),
                          .lie = a->mode == MODE_WRONG_NONCE     ? PKI_OTHER_NONCE
                                 : a->mode == MODE_WRONG_IMPRINT ? PKI_OTHER_IMPRINT
                                 : a->mode == MODE_WRONG_POLICY  ? PKI_OTHER_POLICY
                                                                 : PKI_TRUTH};
    return pki_answer_time(request, &c, mem, ret);
}

static struct replay *
find_replay(struct pki_responder *r, const digest *asked)
{
    for (size_t i = 0; i < r->n_replays; i++)
        if (digest_eq(&r->replays[i].asked, asked))
            return &r->replays[i];
    return NULL;
}

static void
keep_replay(struct pki_responder *r, const digest *asked, view answer)
{
    if (r->n_replays == REPLAYS_MAX || find_replay(r, asked))
        return;
    char *copy = malloc(answer.n + 1);
    if (!copy)
        abort();
    memcpy(copy, answer.p, answer.n);
    r->replays[r->n_replays++] = (struct replay){*asked, copy, answer.n};
}

/* What a repeated answer is known by: the path, and of a status request the serial number (its nonce differs). */
static err
name_of_request(view path, view body, bool is_status, arena *mem, digest *ret)
{
    view parts[] = {path, V("")};
    if (is_status)
        TRY(pki_asked_serial(body, mem, &parts[1]));
    *ret = sha256_parts(parts, 2);
    return E_OK;
}

static err
answer_locked(struct pki_responder *r, view path, view body, arena *mem, enum pki_mood *ret_mood,
              view *ret_media, view *ret_body)
{
    bool is_status = view_starts(path, V("/ocsp/")), is_list = view_starts(path, V("/crl/"));
    view rest = is_status ? view_sub(path, 6, path.n) : is_list ? view_sub(path, 5, path.n) : V("tsa");
    struct authority *a = authority_of(r, view_cut(&rest, '.', NULL));
    digest asked;
    if (!a || (!is_status && !is_list && !view_eq(path, V("/tsa"))))
        return E_NOT_FOUND;
    *ret_mood = a->mode == MODE_DOWN ? PKI_DOWN : a->mode == MODE_SLOW ? PKI_SLOW : PKI_ANSWERS;
    if (*ret_mood != PKI_ANSWERS)
        return E_OK;
    *ret_media = is_status ? V("application/ocsp-response")
                 : is_list ? V("application/pkix-crl")
                           : V("application/timestamp-reply");
    TRY(name_of_request(path, body, is_status, mem, &asked));
    const struct replay *old = a->mode == MODE_REPLAYED ? find_replay(r, &asked) : NULL;
    if (old) {
        *ret_body = arena_dup(mem, view_make(old->answer, old->n));
        return ret_body->p ? E_OK : E_TOO_LARGE;
    }
    TRY(is_status ? answer_status(r, a, body, mem, ret_body)
        : is_list ? answer_list(r, a, mem, ret_body)
                  : answer_time(r, a, body, mem, ret_body));
    keep_replay(r, &asked, *ret_body);
    return E_OK;
}

err
pki_responder_answer(struct pki_responder *r, view path, view body, arena *mem, enum pki_mood *ret_mood,
                     view *ret_media, view *ret_body)
{
    pthread_mutex_lock(&r->lock);
    err e = answer_locked(r, path, body, mem, ret_mood, ret_media, ret_body);
    pthread_mutex_unlock(&r->lock);
    return e;
}
