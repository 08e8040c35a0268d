#include "flow/evidence/stamps.h"
#include "flow/person/application_inside.h"

#include "flow/evidence/seal.h"
#include "flow/evidence/sureness.h"
#include "flow/person/consent_text.h"
#include "signing/jose/jwe.h"

/* -- who signed -- */

/* One compact JWS over the embedded payload, judged like any other signature. */
static err
judge_signature(struct filing *w, view compact, struct signed_by *ret)
{
    struct jws_parts parts;
    view payload;
    TRY(jws_split(compact, w->mem, &parts, w->f));
    TRY(jws_payload(&parts, w->mem, &payload, w->f));
    if (w->payload.p && !view_eq(w->payload, payload))
        return fault_set(w->f, E_SIGNATURE_MISMATCH, "/co_signatures",
                         "the same payload as the first signature", "another");
    w->payload = payload;
    view detached =
        arena_printf(w->mem, "%.*s..%.*s", VIEW_ARG(parts.protected_b64), VIEW_ARG(parts.signature_b64));
    const struct signature_in in = {SIG_JWS, detached, VIEW_NONE};
    struct tree *tree = arena_make(w->mem, struct tree);
    if (!tree || !detached.p)
        return E_TOO_LARGE;
    TRY(tree_read_json(payload, NULL, w->mem, tree, w->f));
    struct key_source keys = registry_key_source(w->registry);
    const struct verify_request rq = {.body = payload,
                                      .tree = tree,
                                      .signatures = &in,
                                      .n_signatures = 1,
                                      .trust = w->trust,
                                      .keys = &keys,
                                      .now = w->in->received,
                                      .mem = w->mem};
    TRY(verify_document(&rq, &ret->verdict));
    err code = verdict_code(ret->verdict);
    const struct signature_out *sig =
        verdict_signatures(ret->verdict) ? verdict_signature(ret->verdict, 0) : NULL;
    if (code != E_OK) {
        if (sig && w->f && w->f->code == E_OK)
            *w->f = sig->fault;
        return fault_set(w->f, code, "/signature", "a signature that holds", "another outcome");
    }
    ret->signer = &sig->signer;
    return E_OK;
}

/* The certificate shows the last characters of the person's number (MOICA); the application must name that person. */
static bool
is_signed_by(const struct signer *s, const struct applied_person *p)
{
    if (s->subject != SUBJECT_PERSON || s->organisation.n < 4)
        return false;
    for (const struct person_key *k = p->keys; k; k = k->next)
        if (view_ends(k->text, s->organisation))
            return true;
    return false;
}

/* Whole years on the day of signing; a person born on 29 February is a year older on 1 March. */
static int
age_on(date born, instant when)
{
    date today = date_of_instant(when, 480);
    int age = today.year - born.year;
    return age - (today.month < born.month || (today.month == born.month && today.day < born.day));
}

enum capacity { CAPACITY_FULL, CAPACITY_LIMITED, CAPACITY_NONE };

/* Civil Code 12, 13: full from 18, limited from 7 to 17, none below 7. */
static enum capacity
capacity_of(const struct applied_person *p, instant when)
{
    if (!p->birth_date.n)
        return CAPACITY_FULL;
    int age = age_on(p->born, when);
    return age >= 18 ? CAPACITY_FULL : age >= 7 ? CAPACITY_LIMITED : CAPACITY_NONE;
}

static bool
signed_by_role(const struct filing *w, const char *role)
{
    for (const struct applied_person *p = w->a.people; p; p = p->next) {
        if (!view_eq(p->role, view_of(role)))
            continue;
        for (size_t i = 0; i < w->n_signed; i++)
            if (is_signed_by(w->signed_by[i].signer, p))
                return true;
    }
    return false;
}

/* An app's signed assertion: weaker evidence, and only where the registration allows it. */
static bool
is_app(const struct filing *w, const struct signer *s)
{
    partner_id id;
    const struct partner *p =
        partner_id_parse(s->registered_partner, &id) == E_OK ? registry_partner(w->registry, id) : NULL;
    return p && view_eq(p->row->kind, V("app")) && view_eq(partner_option(p, "asserts"), V("yes"));
}

static err
check_evidence(struct filing *w)
{
    const struct applied_person *subject = application_subject(&w->a);
    bool by_subject = signed_by_role(w, "subject"), by_representative = signed_by_role(w, "representative");
    enum capacity capacity = capacity_of(subject, w->in->received);
    w->level = "presumption";
    if (capacity == CAPACITY_LIMITED && by_subject != by_representative)
        return fault_set(w->f, E_PERMISSION_JOINT, "/co_signatures", "the person and a representative",
                         "one of the two");
    if (capacity == CAPACITY_NONE ? by_representative : by_subject)
        return E_OK;
    for (size_t i = 0; i < w->n_signed; i++) {
        const struct signer *s = w->signed_by[i].signer;
        if (s->subject != SUBJECT_PERSON && !is_app(w, s))
            return fault_set(w->f, E_PERMISSION_EVIDENCE, "/signature", "a signature of the person",
                             "one of an organisation");
    }
    if (capacity == CAPACITY_FULL && is_app(w, w->signed_by[0].signer)) {
        w->level = "asserted";
        return E_OK;
    }
    return fault_set(w->f, E_PERMISSION_EVIDENCE, "/signature", "a signature of the person named",
                     "another person's");
}

/* Nobody grants to himself: the organisation that signed or sends is not among the recipients (an app may be neither). */
static err
check_recipients(struct filing *w)
{
    for (struct applied_insurer *i = w->a.insurers; i; i = i->next) {
        const struct partner *to = registry_by_code(w->registry, V("insurer"), i->recipient);
        if (!to)
            to = registry_by_code(w->registry, V("fund"), i->recipient);
        if (!to || !partner_is_active(to))
            return fault_setf(w->f, E_RECIPIENT, "a registered insurer or fund", "an unknown code",
                              "/items/%lld/recipient", (long long)i->index);
        if (uid_eq(to->id.u, w->in->sender.u))
            return fault_setf(w->f, E_PERMISSION_SELF, "another sender than the recipient", "the same",
                              "/items/%lld/recipient", (long long)i->index);
        if (i->payee_jwe.n && jwe_check_form(i->payee_jwe, w->mem, NULL) != E_OK)
            return fault_setf(w->f, E_PAYEE, "a compact JWE, ECDH-ES with A256GCM", "another form",
                              "/items/%lld/payee/jwe", (long long)i->index);
        TRY(consent_text_check(i->text_id, i->text_version, i->text_lang, i->text_sha256, w->f));
    }
    return E_OK;
}

static err
check_sender(struct filing *w)
{
    w->sender = registry_partner(w->registry, w->in->sender);
    if (!w->sender || !partner_is_active(w->sender))
        return fault_set(w->f, E_SUSPENDED, "", "an active partner", "another status");
    return E_OK;
}

err
filing_judge(struct filing *w)
{
    struct tree *t = arena_make(w->mem, struct tree);
    if (!t)
        return E_TOO_LARGE;
    TRY(check_sender(w));
    TRY(tree_read_json(w->in->body, NULL, w->mem, t, w->f));
    TRY(application_read(t, w->mem, &w->a, w->f));
    TRY(judge_signature(w, w->a.signature, &w->signed_by[w->n_signed]));
    w->n_signed++;
    for (size_t i = 0; i < w->a.n_co_signatures; i++) {
        TRY(judge_signature(w, w->a.co_signatures[i], &w->signed_by[w->n_signed]));
        w->n_signed++;
    }
    TRY(check_evidence(w));
    TRY(check_recipients(w));
    TRY(verdict_print(w->signed_by[0].verdict, w->mem, &w->verdict_text));
    w->verdict_digest = sha256(w->verdict_text);
    w->body_blind = BLIND(w->g->seal, "body", digest_view(&w->in->body_digest));
    const struct applied_person *subject = application_subject(&w->a);
    w->subject_blind = blind_person(w->g->seal, subject->keys->text);
    return E_OK;
}

void
filing_done(struct filing *w)
{
    registry_unref(w->registry);
    trust_unref(w->trust);
}

#define REBUILDS 8

static err
accept(struct gateway *g, const struct application_in *in, bool permissions_only, arena *mem,
       struct application_out *ret, struct fault *f)
{
    AUTO_DONE(filing_done)
    struct filing w = {.g = g,
                       .in = in,
                       .mem = mem,
                       .f = f,
                       .permissions_only = permissions_only,
                       .registry = gateway_registry(g),
                       .trust = gateway_trust(g)};
    TRY(filing_judge(&w));
    TRY(stamps_in_time(g, in->received, f));
    err e = E_STALE;
    for (int i = 0; i < REBUILDS && e == E_STALE; i++)
        e = filing_store(&w, ret);
    if (e != E_OK)
        return fault_set(f, e, "", "", "");
    sureness_tell(g, w.signed_by[0].verdict);
    if (g->wake_relay)
        g->wake_relay(g->relay);
    return E_OK;
}

err
application_accept(struct gateway *g, const struct application_in *in, arena *mem,
                   struct application_out *ret, struct fault *f)
{
    return accept(g, in, false, mem, ret, f);
}

err
permission_accept(struct gateway *g, const struct application_in *in, arena *mem, struct application_out *ret,
                  struct fault *f)
{
    return accept(g, in, true, mem, ret, f);
}
