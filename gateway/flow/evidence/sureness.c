#include "flow/evidence/sureness.h"

#include "base/log.h"
#include "base/text.h"
#include "flow/evidence/seal.h"
#include "signing/trust/revocation_policy.h"

/* -- what a paper needs -- */

/* The largest sum that the paper asks for, in whole dollars; 0 when it names none. */
static int64_t
amount_of(const struct claim_case *facts)
{
    int64_t most = 0;
    for (const struct case_expense *e = facts ? facts->expenses : NULL; e; e = e->next) {
        if (!e->totals)
            continue;
        decimal d = e->totals->payable.stated.amount.v;
        int64_t whole = d.units;
        for (int i = 0; i < d.scale; i++)
            whole /= 10;
        most = whole > most ? whole : most;
    }
    return most;
}

static digest
issued_blind(struct gateway *g, view issuer, view serial)
{
    return BLIND(g->seal, "issued", issuer, serial);
}

/* Has this certificate signed nothing here before the cool-down's length ago? */
static err
is_new(struct passage *p, const struct signature_out *sig, span cool_down, bool *ret)
{
    view issuer, serial;
    struct row_signer *first = NULL;
    *ret = false;
    if (!certificate_issued(sig->certificate_der, &issuer, &serial))
        return E_OK;
    digest issued = issued_blind(p->g, issuer, serial);
    if (!p->reader)
        TRY(store_reader(p->g->store, &p->reader));
    TRY(query_signers_of(p->reader, ARGS(val_digest(&issued), val_int(1)), p->mem, &first));
    *ret = !first || instant_since(p->s->received, first->at).us < cool_down.us;
    return E_OK;
}

err
sureness_floor(struct passage *p)
{
    const struct revocation_policy *policy = trust_policy(p->trust);
    bool any_new = false;
    for (size_t i = 0; policy->cool_down.us > 0 && i < verdict_signatures(p->verdict) && !any_new; i++)
        TRY(is_new(p, verdict_signature(p->verdict, i), policy->cool_down, &any_new));
    if (!policy->accept_pending && verdict_level(p->verdict) == LEVEL_PENDING)
        return fault_set(p->f, E_REVOCATION_ANSWER, "signature", "a signer whose status is known", "none");
    p->floor = revocation_policy_floor(policy, p->reading.kind, amount_of(p->reading.facts), any_new);
    return E_OK;
}

/* -- what is kept -- */

static void
print_base64_list(struct buf *out, const char *name, const struct verdict *v, bool chains)
{
    buf_printf(out, "\"%s\":[", name);
    for (size_t i = 0; i < verdict_signatures(v); i++) {
        const struct signature_out *sig = verdict_signature(v, i);
        buf_add_view(out, i ? V(",\"") : V("\""));
        buf_add_base64(out, chains ? sig->chain_der : sig->certificate_der);
        BUF_LIT(out, "\"");
    }
    BUF_LIT(out, "]");
}

/* An OCSP response is kept whole; a list is large and shared, so its digest names a row of answers. */
static void
print_revocation(const struct trust *t, const struct signature_out *sig, arena *mem, struct buf *out)
{
    const struct revocation_used *used = &sig->revocation;
    buf_printf(out, "{\"source\":\"%s\",\"id\":\"", revocation_source_word(used->source));
    buf_add_hex(out, digest_view(&used->id));
    BUF_LIT(out, "\"");
    view response =
        used->source == REVOCATION_OCSP ? trust_response(t, &sig->signer.fingerprint, mem) : VIEW_NONE;
    if (response.n > 0) {
        BUF_LIT(out, ",\"response\":\"");
        buf_add_base64(out, response);
        BUF_LIT(out, "\"");
    }
    BUF_LIT(out, "}");
}

void
sureness_print_certificates(const struct trust *t, const struct verdict *v, arena *mem, struct buf *out)
{
    print_base64_list(out, "certificates", v, false);
    BUF_LIT(out, ",");
    print_base64_list(out, "chains", v, true);
    BUF_LIT(out, ",\"revocation\":[");
    for (size_t i = 0; i < verdict_signatures(v); i++) {
        if (i > 0)
            BUF_LIT(out, ",");
        print_revocation(t, verdict_signature(v, i), mem, out);
    }
    BUF_LIT(out, "]");
}

err
sureness_add_signers(struct gateway *g, struct unit *u, const struct verdict *v, uid document, instant at)
{
    for (size_t i = 0; i < verdict_signatures(v); i++) {
        view issuer, serial;
        if (!certificate_issued(verdict_signature(v, i)->certificate_der, &issuer, &serial))
            continue;
        digest issued = issued_blind(g, issuer, serial);
        bool seen = false;
        for (const struct row_signer *row = u->rows[ROW_signer]; row; row = row->next)
            seen = seen || digest_eq(&row->issued, &issued);
        if (seen)
            continue;
        struct row_signer *row = unit_add_signer(u);
        if (!row)
            return E_TOO_LARGE;
        row->issued = issued;
        row->document = document;
        row->at = at;
    }
    return E_OK;
}

static bool
has_news(const struct trust *t, const struct verdict *v)
{
    bool news = false;
    for (size_t i = 0; i < verdict_signatures(v) && !news; i++) {
        const struct signature_out *sig = verdict_signature(v, i);
        news = sig->code == E_OK && sig->certificate_der.n > 0 &&
               trust_has_news(t, &sig->signer.fingerprint, &sig->revocation);
    }
    return news;
}

void
sureness_tell(struct gateway *g, const struct trust *t, const struct verdict *v, uid document)
{
    enum second_judgement said;
    for (size_t i = 0; g->seen_signer && i < verdict_signatures(v); i++) {
        const struct signature_out *sig = verdict_signature(v, i);
        if (sig->code == E_OK && sig->certificate_der.n > 0)
            g->seen_signer(g->duty, sig->signer.use, sig->certificate_der, sig->chain_der);
    }
    if (!has_news(t, v))
        return;
    err e = sureness_rejudge(g, document, clock_now(), &said, NULL);
    if (e != E_OK)
        log_event(LOG_INTERNAL, F_CODE("code", e));
}

static err
read_certificate(const json_t *json, size_t i, arena *mem, struct kept_certificate *ret)
{
    view chain = VIEW_NONE;
    const json_t *leaf = json_array_get(json_member(json, "certificates"), i);
    const json_t *rest = json_array_get(json_member(json, "chains"), i);
    *ret = (struct kept_certificate){.n_rest = 0};
    TRY(text_base64_decode(view_make(json_string_value(leaf), json_string_length(leaf)), mem, &ret->leaf));
    if (rest)
        TRY(text_base64_decode(view_make(json_string_value(rest), json_string_length(rest)), mem, &chain));
    ret->n_rest = certificates_split(chain, ret->rest, COUNT_OF(ret->rest));
    return E_OK;
}

err
sureness_certificates(struct gateway *g, struct reader *r, const struct row_document *d, arena *mem,
                      struct kept_certificate *ret, size_t max, size_t *ret_n)
{
    struct row_verdict *first = NULL;
    struct data_key key;
    view sealed, text = VIEW_NONE;
    json_t *json = NULL;
    *ret_n = 0;
    TRY(query_verdicts_of(r, ARGS(val_uid(&d->id)), mem, &first));
    if (!first || !first->evidence_at.length)
        return E_OK;
    TRY(store_body(g->store, &first->evidence_at, mem, &sealed));
    TRY(seal_load_key(g->seal, r, d->key, mem, &key));
    err e = seal_unbox(&key, V("evidence"), first->id, sealed, mem, &text);
    data_key_forget(&key);
    TRY(e);
    TRY(json_load(text, mem, &json, NULL));
    size_t n = json_array_size(json_member(json, "certificates"));
    for (size_t i = 0; i < n && *ret_n < max; i++) {
        TRY(read_certificate(json, i, mem, &ret[*ret_n]));
        *ret_n += ret[*ret_n].leaf.n > 0;
    }
    return E_OK;
}
