#include "signing/verdict.h"

#include "signing/cms/cms_message.h"
#include "signing/jose/bundle_signature.h"
#include "signing/jose/jws_json.h"
#include "signing/trust/trust.h"
#include "signing/xml/xmldsig.h"

#include "base/text.h"

/* Work on one signature of the request. */
struct work {
    const struct verify_request *rq;
    struct verdict *verdict;
    const struct signature_in *in;
};

/* One row of the verdict while it is made: each check has its own fault, the first that counts becomes the row's. */
struct row {
    const struct work *w;
    struct signature_out *out;
    struct fault fault[CHECK_COUNT];
};

/* These mean that no verdict could be made; everything else is one. */
static bool
is_failure(err e)
{
    return e == E_TOO_LARGE || e == E_INTERNAL;
}

static err
row_open(const struct work *w, struct row *ret)
{
    if (w->verdict->n == SIGNATURES_MAX)
        return E_TOO_LARGE;
    ret->w = w;
    ret->out = &w->verdict->out[w->verdict->n++];
    ret->out->format = w->in->format;
    ret->out->signer.use = USE_COUNT;
    ret->out->signer.subject = SUBJECT_UNKNOWN;
    ret->out->level = LEVEL_REFUSED;
    fault_init(&ret->out->fault);
    for (int c = 0; c < CHECK_COUNT; c++)
        fault_init(&ret->fault[c]);
    return E_OK;
}

/* Writes the answer to a check; a failure goes up, so does whether the check went well. */
static err
row_note(struct row *r, enum check_kind c, err e)
{
    if (!is_failure(e))
        r->out->check[c] = (struct check_out){true, e};
    return e;
}

static bool
time_counts(const struct row *r)
{
    return r->w->rq->strict_time || r->out->format == SIG_BUNDLE;
}

/* e: how the work on the row ended; only what is no verdict goes up. */
static err
row_close(struct row *r, err e)
{
    if (is_failure(e))
        return e;
    struct signature_out *out = r->out;
    for (int c = 0; c < CHECK_COUNT && out->code == E_OK; c++) {
        if (!out->check[c].asked || out->check[c].code == E_OK || (c == CHECK_TIME && !time_counts(r)))
            continue;
        out->code = out->check[c].code;
        out->fault = r->fault[c];
    }
    if (out->code != E_OK)
        out->level = LEVEL_REFUSED;
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
keep_certificates(struct row *r, view leaf, const view *rest, size_t n_rest)
{
    r->out->certificate_der = leaf;
    if (leaf.n > 0)
        r->out->signer.fingerprint = sha256(leaf);
    return join(rest, n_rest, r->w->rq->mem, &r->out->chain_der);
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

static err
trust_ask(struct row *r, const view *rest, size_t n_rest, void **ret_pkey)
{
    const struct verify_request *rq = r->w->rq;
    struct fault *f = &r->fault[CHECK_CHAIN];
    if (!rq->trust)
        return fault_set(f, E_CHAIN, "certificate", "a chain to a listed root", "no trust list");
    return trust_judge_copy(rq->trust, r->out->certificate_der, rest, n_rest, rq->now, rq->mem,
                            &r->out->signer, &r->out->level, &r->out->revocation, ret_pkey, f);
}

/* What the certificate says of itself and its key, so that the other checks can be told of a signer who is not trusted. */
static err
certificate_ask(struct row *r, void **ret_pkey)
{
    arena *mem = r->w->rq->mem;
    struct signer said = {.use = USE_COUNT};
    view der = r->out->certificate_der;
    if (certificate_read(der, mem, &said, NULL, NULL) == E_OK) {
        r->out->signer.not_before = said.not_before;
        r->out->signer.not_after = said.not_after;
    }
    TRY(row_note(r, CHECK_SIGNATURE, pkey_of_certificate(der, ret_pkey, &r->fault[CHECK_SIGNATURE])));
    return arena_defer(mem, pkey_free, *ret_pkey) ? E_OK : E_TOO_LARGE;
}

/* The signer by his certificate, and the key to verify with: also where the chain does not hold, so that the sender learns
 * whether his signature does. */
static err
judge_certificate(struct row *r, const view *rest, size_t n_rest, void **ret_pkey)
{
    err e = row_note(r, CHECK_CHAIN, trust_ask(r, rest, n_rest, ret_pkey));
    if (is_failure(e))
        return e;
    if (e != E_OK)
        return certificate_ask(r, ret_pkey);
    fill_partner(r->w, &r->out->signer);
    return E_OK;
}

static err
known_key_ask(struct row *r, view kid, struct known_key *ret)
{
    const struct work *w = r->w;
    const struct key_source *keys = w->rq->keys;
    struct fault *f = &r->fault[CHECK_CHAIN];
    const view names[] = {kid, w->in->key_hint};
    for (size_t i = 0; keys && keys->by_kid && i < COUNT_OF(names); i++) {
        struct known_key known = {0};
        if (names[i].n == 0 || !keys->by_kid(keys->self, names[i], &known))
            continue;
        instant now = w->rq->now;
        if ((known.signer.not_before.us != 0 && now.us < known.signer.not_before.us) ||
            (known.signer.not_after.us != 0 && now.us > known.signer.not_after.us))
            return fault_set(f, E_CERT_TIME, "registered key", "a key that is valid now", "another time");
        *ret = known;
        return E_OK;
    }
    return fault_set(f, E_SIGNER_UNKNOWN, "signature", "a certificate or a registered key id",
                     kid.n > 0 ? "an unknown key id" : "neither");
}

/* The signer by the registry: the first of the names that it knows. */
static err
judge_known_key(struct row *r, view kid, struct known_key *ret)
{
    TRY(row_note(r, CHECK_CHAIN, known_key_ask(r, kid, ret)));
    r->out->signer = ret->signer;
    r->out->level = LEVEL_REGISTERED_KEY;
    fill_partner(r->w, &r->out->signer);
    return E_OK;
}

/* The signer's own time, where he gave one. */
static void
judge_time(struct row *r)
{
    const struct signer *s = &r->out->signer;
    int64_t at = r->out->claimed_at.us, latest = instant_add(r->w->rq->now, SIGNER_CLOCK_SKEW).us;
    if (at == INSTANT_NONE.us)
        return;
    const char *found = at > latest                                      ? "a time in the future"
                        : s->not_before.us != 0 && at < s->not_before.us ? "a time before the certificate"
                        : s->not_after.us != 0 && at > s->not_after.us   ? "a time after the certificate"
                                                                         : NULL;
    err e = found ? fault_set(&r->fault[CHECK_TIME], E_TIME_INVALID, "signing time",
                              "a time within the certificate's validity, and not in the future", found)
                  : E_OK;
    r->out->check[CHECK_TIME] = (struct check_out){true, e};
}

/* ---- CMS ---- */

static err
cms_key(struct row *r, const struct cms_info *info, size_t i, void **ret_pkey)
{
    const struct cms_signer *s = &info->signer;
    struct fault *f = &r->fault[CHECK_SIGNATURE];
    if (s->certificate_der.n > 0) {
        TRY(judge_certificate(r, s->rest_der, s->n_rest, ret_pkey));
        return row_note(r, CHECK_SIGNATURE, cms_check_certificate_id(info, i, s->certificate_der, f));
    }
    struct known_key known;
    TRY(judge_known_key(r, VIEW_NONE, &known));
    *ret_pkey = known.pkey;
    return jose_alg_same(known.alg, s->alg)
               ? E_OK
               : row_note(r, CHECK_SIGNATURE,
                          fault_set(f, E_ALGORITHM, "signerInfos.signatureAlgorithm",
                                    "the registered algorithm", "another"));
}

/* body_sha256 is the body's digest, or NULL when another part is what was signed. */
static err
check_cms_signer(struct row *r, const struct cms_info *info, size_t i, view body, const digest *body_sha256)
{
    struct fault *f = &r->fault[CHECK_SIGNATURE];
    void *pkey = NULL;
    r->out->alg = info->signer.alg;
    r->out->claimed_at = info->signer.claimed_at;
    TRY(keep_certificates(r, info->signer.certificate_der, info->signer.rest_der, info->signer.n_rest));
    TRY(row_note(r, CHECK_SIGNATURE, cms_check_digest(info, i, body, body_sha256, f)));
    TRY(cms_key(r, info, i, &pkey));
    TRY(row_note(r, CHECK_SIGNATURE, cms_check_signature(info, i, body, pkey, f)));
    judge_time(r);
    return E_OK;
}

static err
cms_message_read(const struct work *w, view *ret_der, struct cms_message *m, struct fault *f)
{
    arena *mem = w->rq->mem;
    if (!w->in->value.p) {
        *ret_der = w->rq->body;
        return cms_read_enveloping(w->rq->body, mem, m, f);
    }
    err e = text_base64_decode(w->in->value, mem, ret_der);
    if (e != E_OK && !is_failure(e))
        return fault_set(f, E_SIGNATURE_FORM, "AUTH", "strict base64 on one line", "another form");
    return e == E_OK ? cms_read(*ret_der, mem, m, f) : e;
}

/* What was signed is what is read, and nothing else; a signer who is not trusted chooses nothing. */
static err
read_signed(struct row *r, view octets)
{
    const struct verify_request *rq = r->w->rq;
    struct verdict *v = r->w->verdict;
    if (!rq->read_signed)
        return E_INTERNAL;
    if (v->tree == &v->signed_tree || r->out->check[CHECK_CHAIN].code != E_OK)
        return E_OK; /* another signer of the same message has been there */
    TRY(row_note(
        r, CHECK_SIGNATURE,
        rq->read_signed(rq->read_self, octets, rq->mem, &v->signed_tree, &r->fault[CHECK_SIGNATURE])));
    v->tree = &v->signed_tree;
    return E_OK;
}

static err
check_enveloped_signer(struct row *r, const struct cms_message *m, size_t i)
{
    TRY(check_cms_signer(r, &m->info[i], i, m->content, NULL));
    return read_signed(r, m->content);
}

/* What came with the message about its signers' certificates: judged as if it had been fetched, so that a paper whose responder nobody reaches is sure. */
static err
learn_proofs(const struct work *w, const struct cms_message *m)
{
    const struct verify_request *rq = w->rq;
    const instant now = instant_add(rq->now, SIGNER_CLOCK_SKEW);
    for (size_t k = 0; rq->trust && k < m->proofs.n; k++) {
        const struct cms_proof *p = &m->proofs.of[k];
        struct revocation_news news;
        struct revocation_answer answer;
        view response = VIEW_NONE;
        err e = p->kind == PROOF_LIST ? trust_learn_list(rq->trust, p->der, now, rq->mem, &news, NULL)
                                      : cms_proof_response(p, rq->mem, &response);
        for (size_t i = 0; e == E_OK && response.n > 0 && i < m->n; i++) {
            const struct cms_signer *s = &m->info[i].signer;
            if (s->certificate_der.n > 0 &&
                trust_learn_status(rq->trust, s->certificate_der, s->rest_der, s->n_rest, response, VIEW_NONE,
                                   now, &answer, NULL) == E_OK)
                break;
        }
        if (e == E_TOO_LARGE)
            return e;
    }
    return E_OK;
}

static err
verify_cms(const struct work *w)
{
    struct cms_message m = {.n = 0};
    struct row r;
    view der = VIEW_NONE;
    struct fault f;
    fault_init(&f);
    err e = cms_message_read(w, &der, &m, &f);
    if (e != E_OK) {
        TRY(row_open(w, &r));
        r.fault[CHECK_SIGNATURE] = f;
        r.out->value_der = w->in->value.p ? der : VIEW_NONE;
        return row_close(&r, row_note(&r, CHECK_SIGNATURE, e));
    }
    TRY(learn_proofs(w, &m));
    for (size_t i = 0; i < m.n; i++) {
        TRY(row_open(w, &r));
        r.out->value_der = w->in->value.p ? der : VIEW_NONE;
        e = w->in->value.p ? check_cms_signer(&r, &m.info[i], i, w->rq->body, &w->verdict->body_digest)
                           : check_enveloped_signer(&r, &m, i);
        TRY(row_close(&r, e));
    }
    return E_OK;
}

/* ---- JWS ---- */

/* payload: what is outside of the JWS, or VIEW_NONE when it is inside. */
static err
check_jws_parts(struct row *r, const struct jws_parts *parts, view payload)
{
    const struct jws_header *h = &parts->header;
    struct fault *f = &r->fault[CHECK_SIGNATURE];
    arena *mem = r->w->rq->mem;
    void *pkey = NULL;
    enum jose_alg alg = h->alg;
    r->out->alg = h->alg;
    r->out->claimed_at = h->signed_at;
    if (h->x5c_leaf.n > 0) {
        TRY(keep_certificates(r, h->x5c_leaf, h->x5c_rest, h->n_rest));
        TRY(judge_certificate(r, h->x5c_rest, h->n_rest, &pkey));
        if (!pkey_fits(pkey, h->alg))
            return row_note(
                r, CHECK_SIGNATURE,
                fault_set(f, E_ALGORITHM, "JWS.alg", "an algorithm of the certificate's key", "another"));
    } else {
        struct known_key known;
        TRY(judge_known_key(r, h->kid, &known));
        pkey = known.pkey;
        alg = known.alg;
    }
    TRY(row_note(r, CHECK_SIGNATURE, jws_verify(parts, payload, alg, pkey, mem, f)));
    judge_time(r);
    return E_OK;
}

static err
check_detached(struct row *r, const struct jws_parts *parts)
{
    if (parts->payload_b64.n > 0)
        return row_note(r, CHECK_SIGNATURE,
                        fault_set(&r->fault[CHECK_SIGNATURE], E_SIGNATURE_PROFILE, "X-JWS-Signature",
                                  "a detached JWS", "one that holds its payload"));
    return check_jws_parts(r, parts, r->w->rq->body);
}

static err
verify_jws_list(const struct work *w, const struct jws_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct row r;
        TRY(row_open(w, &r));
        r.out->value_der = w->in->value;
        r.fault[CHECK_SIGNATURE] = list->entry[i].fault;
        err e = row_note(&r, CHECK_SIGNATURE, list->entry[i].code);
        TRY(row_close(&r, e == E_OK ? check_detached(&r, &list->entry[i].parts) : e));
    }
    return E_OK;
}

static err
verify_jws_json(const struct work *w, struct row *r)
{
    struct jws_list *list = arena_make(w->rq->mem, struct jws_list);
    if (!list)
        return E_TOO_LARGE;
    err e = jws_json_split(w->in->value, w->rq->mem, list, &r->fault[CHECK_SIGNATURE]);
    if (e != E_OK)
        return row_close(r, row_note(r, CHECK_SIGNATURE, e));
    w->verdict->n--; /* the row was for what could not be read */
    return verify_jws_list(w, list);
}

static err
verify_jws(const struct work *w)
{
    struct row r;
    struct jws_parts parts;
    TRY(row_open(w, &r));
    r.out->value_der = w->in->value;
    if (jws_is_json(w->in->value))
        return verify_jws_json(w, &r);
    err e =
        row_note(&r, CHECK_SIGNATURE, jws_split(w->in->value, w->rq->mem, &parts, &r.fault[CHECK_SIGNATURE]));
    return row_close(&r, e == E_OK ? check_detached(&r, &parts) : e);
}

/* ---- Bundle.signature ---- */

/* A payload inside has to be the canonical form of this very document: a JWS holds no digest that would say so. */
static err
check_payload(const struct jws_parts *parts, view octets, arena *mem, struct fault *f)
{
    view inside;
    TRY(jws_payload(parts, mem, &inside, f));
    return view_eq(inside, octets) ? E_OK
                                   : fault_set(f, E_SIGNATURE_MISMATCH, "Bundle.signature.data",
                                               "the canonical form of this Bundle", "other content");
}

/* Signature.who is in the certificate: in subjectAltName, or as the organisation that the GPKI profile states by attribute; of a
 * bare key the registry knows the organisation. */
static void
judge_who(struct row *r, const struct bundle_signature *s)
{
    const struct signer *signer = &r->out->signer;
    bool organisation = signer->subject != SUBJECT_PERSON && signer->organisation.n > 0 &&
                        view_eq(signer->organisation, s->who_value);
    bool named =
        organisation || (r->out->certificate_der.n > 0 && bundle_signature_names(s, r->out->certificate_der));
    err e = named ? E_OK
                  : fault_set(&r->fault[CHECK_AUTHORITY], E_SIGNER_WHO, "Bundle.signature.who",
                              "an identifier or reference that the certificate holds", "another or none");
    r->out->check[CHECK_AUTHORITY] = (struct check_out){true, e};
}

static err
check_bundle(struct row *r)
{
    const struct verify_request *rq = r->w->rq;
    struct fault *f = &r->fault[CHECK_SIGNATURE];
    struct bundle_signature s;
    struct jws_parts parts;
    view octets;
    TRY(row_note(r, CHECK_SIGNATURE, bundle_signature_read(rq->tree, rq->mem, &s, f)));
    r->out->value_der = s.jws;
    TRY(row_note(r, CHECK_SIGNATURE, jws_split(s.jws, rq->mem, &parts, f)));
    TRY(row_note(r, CHECK_SIGNATURE, bundle_signature_octets(rq->tree, &s, rq->mem, &octets, f)));
    bool inside = parts.payload_b64.n > 0;
    TRY(check_jws_parts(r, &parts, inside ? VIEW_NONE : octets));
    judge_who(r, &s);
    if (inside)
        TRY(row_note(r, CHECK_SIGNATURE, check_payload(&parts, octets, rq->mem, f)));
    return row_note(r, CHECK_SIGNATURE,
                    bundle_signature_commitments(rq->tree, &s, parts.protected_b64, rq->mem, f));
}

static err
verify_bundle(const struct work *w)
{
    struct row r;
    TRY(row_open(w, &r));
    return row_close(&r, w->rq->tree ? check_bundle(&r) : E_INTERNAL);
}

/* ---- XML-DSig ---- */

/* What is used is what was signed: the tree is read from the digested octets, not from the message. */
static err
check_xmldsig(struct row *r)
{
    struct xmldsig_result x = {0};
    void *pkey = NULL;
    struct fault *f = &r->fault[CHECK_SIGNATURE];
    const struct verify_request *rq = r->w->rq;
    if (r->w->verdict->tree == &r->w->verdict->signed_tree)
        return row_note(r, CHECK_SIGNATURE,
                        fault_set(f, E_SIGNATURE_PROFILE, "Signature", "one XML signature", "another"));
    TRY(row_note(r, CHECK_SIGNATURE, xmldsig_verify(rq->body, rq->mem, &x, f)));
    r->out->alg = x.alg;
    TRY(keep_certificates(r, x.certificate_der, x.rest_der, x.n_rest));
    if (x.certificate_der.n == 0)
        return row_note(
            r, CHECK_CHAIN,
            fault_set(&r->fault[CHECK_CHAIN], E_SIGNER_UNKNOWN, "KeyInfo", "an X509Certificate", "none"));
    TRY(judge_certificate(r, x.rest_der, x.n_rest, &pkey));
    return read_signed(r, x.payload);
}

static err
verify_xmldsig(const struct work *w)
{
    struct row r;
    TRY(row_open(w, &r));
    return row_close(&r, check_xmldsig(&r));
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
    case SIG_BUNDLE:
        return verify_bundle(w);
    }
    return E_INTERNAL;
}

/* ---- the whole ---- */

static bool
is_met(const struct hold_rule *rule, const struct verdict *v)
{
    for (size_t i = 0; i < v->n; i++) {
        const struct signature_out *s = &v->out[i];
        if (s->code == E_OK && (rule->use == USE_COUNT || rule->use == s->signer.use) &&
            (rule->subject == SUBJECT_COUNT || rule->subject == s->signer.subject))
            return true;
    }
    return false;
}

/* A signature that fails over the bytes is never passed over. */
static bool
must_hold(const struct verify_request *rq, const struct verdict *v, const struct signature_out *s)
{
    if (rq->n_must_hold == 0 || !s->check[CHECK_SIGNATURE].asked || s->check[CHECK_SIGNATURE].code != E_OK)
        return true;
    for (size_t i = 0; i < rq->n_must_hold; i++)
        if (!is_met(&rq->must_hold[i], v))
            return true;
    return false;
}

/* Of the good ones the strongest counts. */
static void
conclude(const struct verify_request *rq, struct verdict *v)
{
    v->code = v->n == 0 ? E_SIGNATURE_MISSING : E_OK;
    v->level = LEVEL_REFUSED;
    for (size_t i = 0; i < v->n; i++) {
        const struct signature_out *s = &v->out[i];
        if (v->code == E_OK && s->code != E_OK && must_hold(rq, v, s))
            v->code = s->code;
        if (s->level > v->level)
            v->level = s->level;
    }
    for (size_t i = 0; i < rq->n_must_hold && v->code == E_OK; i++)
        if (!is_met(&rq->must_hold[i], v))
            v->code = E_SIGNATURE_MISSING;
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
    v->body_digest = rq->body_digest ? *rq->body_digest : sha256(rq->body);
    v->judged_at = rq->now;
    v->tree = rq->tree;
    for (size_t i = 0; i < rq->n_signatures; i++) {
        struct work w = {.rq = rq, .verdict = v, .in = &rq->signatures[i]};
        TRY(verify_one(&w));
    }
    conclude(rq, v);
    *ret = v;
    return E_OK;
}
