#include "signing/verdict.h"

#include "signing/cms_message.h"
#include "signing/jws.h"
#include "signing/trust.h"
#include "signing/xmldsig.h"

#include "base/text.h"

/* Work on one signature: the request, the verdict that is being made and the row of it. */
struct work {
    const struct verify_request *rq;
    struct verdict *verdict;
    const struct signature_in *in;
};

/* These mean that no verdict could be made; everything else is one. */
static bool
is_failure(err e)
{
    return e == E_TOO_LARGE || e == E_INTERNAL;
}

static err
open_row(const struct work *w, struct signature_out **ret)
{
    if (w->verdict->n == SIGNATURES_MAX)
        return E_TOO_LARGE;
    struct signature_out *row = &w->verdict->out[w->verdict->n++];
    row->format = w->in->format;
    row->signer.use = USE_COUNT;
    row->signer.subject = SUBJECT_UNKNOWN;
    row->level = LEVEL_REFUSED;
    fault_init(&row->fault);
    *ret = row;
    return E_OK;
}

/* Writes the outcome into the row; only what is no verdict goes up. */
static err
close_row(struct signature_out *row, err e)
{
    if (is_failure(e))
        return e;
    row->code = e;
    if (e != E_OK)
        row->level = LEVEL_REFUSED;
    return E_OK;
}

static err
join(const view *parts, size_t n, arena *mem, view *ret)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += parts[i].n;
    *ret = VIEW_NONE;
    if (total == 0)
        return E_OK;
    char *p = arena_alloc(mem, total);
    if (!p)
        return E_TOO_LARGE;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0)
            memcpy(p + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    *ret = view_make(p, total);
    return E_OK;
}

static err
keep_certificates(struct signature_out *row, view leaf, const view *rest, size_t n_rest, arena *mem)
{
    row->certificate_der = leaf;
    if (leaf.n > 0)
        row->signer.fingerprint = sha256(leaf);
    return join(rest, n_rest, mem, &row->chain_der);
}

static bool
is_zero(const digest *d)
{
    static const digest zero;
    return memcmp(d, &zero, sizeof zero) == 0;
}

static void
fill_partner(const struct work *w, struct signer *s)
{
    const struct key_source *keys = w->rq->keys;
    if (s->registered_partner.n == 0 && keys && keys->partner_of_certificate && !is_zero(&s->fingerprint))
        s->registered_partner = keys->partner_of_certificate(keys->self, &s->fingerprint);
}

/* The signer by his certificate, and the key to verify with. */
static err
judge_certificate(const struct work *w, struct signature_out *row, const view *rest, size_t n_rest,
                  void **ret_pkey)
{
    if (!w->rq->trust)
        return fault_set(&row->fault, E_CHAIN, "certificate", "a chain to a listed root", "no trust list");
    enum evidence_level level;
    TRY(trust_judge_copy(w->rq->trust, row->certificate_der, rest, n_rest, w->rq->now, w->rq->mem,
                         &row->signer, &level, ret_pkey, &row->fault));
    row->level = level;
    fill_partner(w, &row->signer);
    return E_OK;
}

/* The signer by the registry: the first of the names that it knows. */
static err
judge_known_key(const struct work *w, struct signature_out *row, view kid, struct known_key *ret)
{
    const struct key_source *keys = w->rq->keys;
    const view names[] = {kid, w->in->key_hint};
    for (size_t i = 0; keys && keys->by_kid && i < COUNT_OF(names); i++) {
        struct known_key known = {0};
        if (names[i].n == 0 || !keys->by_kid(keys->self, names[i], &known))
            continue;
        instant now = w->rq->now;
        if ((known.signer.not_before.us != 0 && now.us < known.signer.not_before.us) ||
            (known.signer.not_after.us != 0 && now.us > known.signer.not_after.us))
            return fault_set(&row->fault, E_CERT_TIME, "registered key", "a key that is valid now",
                             "another time");
        row->signer = known.signer;
        row->level = LEVEL_REGISTERED_KEY;
        fill_partner(w, &row->signer);
        *ret = known;
        return E_OK;
    }
    return fault_set(&row->fault, E_SIGNER_UNKNOWN, "signature", "a certificate or a registered key id",
                     kid.n > 0 ? "an unknown key id" : "neither");
}

static err
check_cms_signer(const struct work *w, const struct cms_info *info, size_t i, struct signature_out *row)
{
    const struct cms_signer *s = &info->signer;
    void *pkey = NULL;
    row->alg = s->alg;
    row->claimed_at = s->claimed_at;
    TRY(keep_certificates(row, s->certificate_der, s->rest_der, s->n_rest, w->rq->mem));
    TRY(cms_check_digest(info, i, w->rq->body, &w->verdict->body_digest, &row->fault));
    if (s->certificate_der.n > 0) {
        TRY(judge_certificate(w, row, s->rest_der, s->n_rest, &pkey));
        TRY(cms_check_certificate_id(info, i, s->certificate_der, &row->fault));
    } else {
        struct known_key known;
        TRY(judge_known_key(w, row, VIEW_NONE, &known));
        if (!jose_alg_same(known.alg, s->alg))
            return fault_set(&row->fault, E_ALGORITHM, "signerInfos.signatureAlgorithm",
                             "the registered algorithm", "another");
        pkey = known.pkey;
    }
    return cms_check_signature(info, i, w->rq->body, pkey, &row->fault);
}

static err
verify_cms(const struct work *w)
{
    struct cms_message m = {.n = 0};
    struct signature_out *row;
    view der = VIEW_NONE;
    struct fault f;
    fault_init(&f);
    err e = text_base64_decode(w->in->value, w->rq->mem, &der);
    if (e != E_OK && !is_failure(e))
        e = fault_set(&f, E_SIGNATURE_FORM, "AUTH", "strict base64 on one line", "another form");
    if (e == E_OK)
        e = cms_read(der, w->rq->mem, &m, &f);
    if (e != E_OK) {
        TRY(open_row(w, &row));
        row->fault = f;
        row->value_der = der;
        return close_row(row, e);
    }
    for (size_t i = 0; i < m.n; i++) {
        TRY(open_row(w, &row));
        row->value_der = der;
        TRY(close_row(row, check_cms_signer(w, &m.info[i], i, row)));
    }
    return E_OK;
}

static err
check_jws(const struct work *w, struct signature_out *row)
{
    struct jws_parts parts;
    arena *mem = w->rq->mem;
    row->value_der = w->in->value;
    TRY(jws_split(w->in->value, mem, &parts, &row->fault));
    const struct jws_header *h = &parts.header;
    row->alg = h->alg;
    row->claimed_at = h->signed_at;
    if (parts.payload_b64.n > 0)
        return fault_set(&row->fault, E_SIGNATURE_PROFILE, "X-JWS-Signature", "a detached JWS",
                         "one that holds its payload");
    if (h->x5c_leaf.n > 0) {
        void *pkey = NULL;
        TRY(keep_certificates(row, h->x5c_leaf, h->x5c_rest, h->n_rest, mem));
        TRY(judge_certificate(w, row, h->x5c_rest, h->n_rest, &pkey));
        if (!pkey_fits(pkey, h->alg))
            return fault_set(&row->fault, E_ALGORITHM, "X-JWS-Signature.alg",
                             "an algorithm of the certificate's key", "another");
        return jws_verify(&parts, w->rq->body, h->alg, pkey, mem, &row->fault);
    }
    struct known_key known;
    TRY(judge_known_key(w, row, h->kid, &known));
    return jws_verify(&parts, w->rq->body, known.alg, known.pkey, mem, &row->fault);
}

static err
verify_jws(const struct work *w)
{
    struct signature_out *row;
    TRY(open_row(w, &row));
    return close_row(row, check_jws(w, row));
}

/* What is used is what was signed: the tree is read from the digested octets, not from the message. */
static err
check_xmldsig(const struct work *w, struct signature_out *row)
{
    struct xmldsig_result x = {0};
    void *pkey = NULL;
    const struct verify_request *rq = w->rq;
    if (w->verdict->tree == &w->verdict->signed_tree)
        return fault_set(&row->fault, E_SIGNATURE_PROFILE, "Signature", "one XML signature", "another");
    TRY(xmldsig_verify(rq->body, rq->mem, &x, &row->fault));
    row->alg = x.alg;
    TRY(keep_certificates(row, x.certificate_der, x.rest_der, x.n_rest, rq->mem));
    if (x.certificate_der.n == 0)
        return fault_set(&row->fault, E_SIGNER_UNKNOWN, "KeyInfo", "an X509Certificate", "none");
    TRY(judge_certificate(w, row, x.rest_der, x.n_rest, &pkey));
    if (!rq->read_signed)
        return E_INTERNAL;
    TRY(rq->read_signed(rq->read_self, x.payload, rq->mem, &w->verdict->signed_tree, &row->fault));
    w->verdict->tree = &w->verdict->signed_tree;
    return E_OK;
}

static err
verify_xmldsig(const struct work *w)
{
    struct signature_out *row;
    TRY(open_row(w, &row));
    return close_row(row, check_xmldsig(w, row));
}

static err
verify_one(const struct work *w)
{
    switch (w->in->format) {
    case SIG_CMS:
        return verify_cms(w);
    case SIG_JWS:
        return verify_jws(w);
    case SIG_XMLDSIG:
        return verify_xmldsig(w);
    }
    return E_INTERNAL;
}

/* All must hold; of the good ones the strongest counts. */
static void
conclude(struct verdict *v)
{
    v->code = v->n == 0 ? E_SIGNATURE_MISSING : E_OK;
    v->level = LEVEL_REFUSED;
    for (size_t i = 0; i < v->n; i++) {
        if (v->code == E_OK)
            v->code = v->out[i].code;
        if (v->out[i].level > v->level)
            v->level = v->out[i].level;
    }
    if (v->code != E_OK)
        v->level = LEVEL_REFUSED;
}

err
verify_document(const struct verify_request *rq, struct verdict **ret)
{
    struct verdict *v = arena_make(rq->mem, struct verdict);
    if (!v || rq->n_signatures > SIGNATURES_MAX)
        return E_TOO_LARGE;
    v->body = rq->body;
    v->body_digest = sha256(rq->body);
    v->judged_at = rq->now;
    v->tree = rq->tree;
    for (size_t i = 0; i < rq->n_signatures; i++) {
        struct work w = {.rq = rq, .verdict = v, .in = &rq->signatures[i]};
        TRY(verify_one(&w));
    }
    conclude(v);
    *ret = v;
    return E_OK;
}
