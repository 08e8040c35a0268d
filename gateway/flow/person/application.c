#include "flow/evidence/stamps.h"
#include "flow/person/application_inside.h"

#include "flow/evidence/seal.h"
#include "flow/evidence/sureness.h"
#include "flow/person/consent_text.h"
#include "flow/task/task.h"
#include "signing/jose/jwe.h"
#include "signing/trust/authority.h"

/* -- who signed -- */

/* A person's certificate signs by the rules of who may sign what; an app's word counts by its partner's option (is_app). */
static err
check_authority(struct filing *w, const struct signer *s)
{
    if (s->subject != SUBJECT_PERSON)
        return E_OK;
    return authority_check(trust_authority(w->trust), s,
                           w->permissions_only ? KIND_PERMISSION : KIND_APPLICATION, VIEW_NONE, false,
                           w->in->received, w->f);
}

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
    return check_authority(w, ret->signer);
}

/* Nobody grants to himself: the organisation that signed or sends is not among the recipients (an app may be neither). */
static err
check_insurer(struct filing *w, const struct applied_insurer *i)
{
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
    return E_OK;
}

const struct partner *
filing_recipient(const struct filing *w, const struct applied_insurer *i)
{
    if (i->is_mandate)
        return i->at_holder ? task_holder(w->registry, i->recipient)
                            : registry_by_code(w->registry, V(""), i->recipient);
    const struct partner *p = registry_by_code(w->registry, V("insurer"), i->recipient);
    return p ? p : registry_by_code(w->registry, V("fund"), i->recipient);
}

/* Whoever may ask on the person's behalf, the app too: but only by the person's own hand. */
static err
check_mandate(struct filing *w, const struct applied_insurer *i)
{
    const struct partner *to = filing_recipient(w, i);
    if (i->at_holder && (!to || !partner_is_active(to)))
        return fault_setf(w->f, E_RECORD_HOLDER, "a registered agency or institution", "an unknown code",
                          "/items/%lld/holder", (long long)i->index);
    if (!to || !partner_is_active(to))
        return fault_setf(w->f, E_RECIPIENT, "a registered organisation", "an unknown code",
                          "/items/%lld/attorney", (long long)i->index);
    return w->level != EVIDENCE_ASSERTED ? E_OK
                                         : fault_set(w->f, E_PERMISSION_EVIDENCE, "/signature",
                                                     "the person's own for a mandate", "an app's word");
}

/* What a wallet bound is the text that the item names. */
static err
check_presented_text(struct filing *w, const struct applied_insurer *i)
{
    view name = arena_printf(w->mem, "%.*s/%.*s/%.*s", VIEW_ARG(i->text_id), VIEW_ARG(i->text_version),
                             VIEW_ARG(i->text_lang));
    for (size_t k = 0; k < w->n_presented; k++)
        if (!view_eq(w->presented[k].text, name))
            return fault_setf(w->f, E_PERMISSION_TEXT, "the text that the presentation bound", "another",
                              "/items/%lld/permission/text", (long long)i->index);
    return consent_text_check(i->text_id, i->text_version, i->text_lang, i->text_sha256, w->f);
}

/* A contract is between the owner and the own insurer, of vehicle matters: no medical paper rests on it, nor another line. */
static err
check_contract(struct filing *w, const struct applied_insurer *i)
{
    if (!consent_text_is_contract(i->text_id))
        return E_OK;
    if (i->is_mandate || (!view_eq(i->line, V("own_damage")) && !view_eq(i->line, V("theft"))))
        return fault_setf(w->f, E_PERMISSION_FORM, "a claim of own damage or theft", "another",
                          "/items/%lld/permission/text", (long long)i->index);
    for (view kinds = i->document_kinds; kinds.n;)
        if (document_is_special(document_kind_of(view_cut(&kinds, ' ', NULL))))
            return fault_setf(w->f, E_PERMISSION_FORM, "papers of vehicle and damage", "a medical one",
                              "/items/%lld/permission/document_kinds", (long long)i->index);
    return E_OK;
}

static err
check_recipients(struct filing *w)
{
    for (struct applied_insurer *i = w->a.insurers; i; i = i->next) {
        TRY(check_contract(w, i));
        TRY(i->is_mandate ? check_mandate(w, i) : check_insurer(w, i));
        TRY(check_presented_text(w, i));
    }
    return E_OK;
}

/* Who logged in files for himself, or as a representative that the application names. */
static err
check_login(const struct filing *w)
{
    if (!w->in->by_person)
        return E_OK;
    for (const struct applied_person *p = w->a.people; p; p = p->next)
        for (const struct person_key *k = p->keys; k; k = k->next) {
            digest blind = blind_person(w->g->seal, k->text);
            if (digest_eq(&blind, &w->in->person))
                return E_OK;
        }
    return fault_set(w->f, E_PERSON_OTHER, "/items/common", "the person who logged in", "others");
}

static err
check_sender(struct filing *w)
{
    w->sender = registry_partner(w->registry, w->in->sender);
    if (!w->sender || !partner_is_active(w->sender))
        return fault_set(w->f, E_SUSPENDED, "", "an active partner", "another status");
    return E_OK;
}

static err
read_evidence(struct filing *w)
{
    w->payload = w->a.payload;
    if (w->a.signature.n)
        TRY(judge_signature(w, w->a.signature, &w->signed_by[w->n_signed++]));
    for (size_t i = 0; i < w->a.n_co_signatures; i++)
        TRY(judge_signature(w, w->a.co_signatures[i], &w->signed_by[w->n_signed++]));
    for (size_t i = 0; i < w->a.n_presentations; i++)
        TRY(presented_open(w->g, w->in->sender, w->a.presentations[i], w->payload, w->in->received, w->mem,
                           &w->presented[w->n_presented++], w->f));
    return E_OK;
}

/* Presentations have been verified when they came, by the issuers' status lists. */
static err
print_verdict(struct filing *w)
{
    if (w->n_signed) {
        w->paper_level = (int64_t)verdict_level(w->signed_by[0].verdict);
        return verdict_print(w->signed_by[0].verdict, w->mem, &w->verdict_text);
    }
    view second = w->n_presented > 1 ? w->presented[1].about : V("");
    w->paper_level = LEVEL_VERIFIED_CRL;
    w->verdict_text =
        arena_printf(w->mem, "{\"code\":\"ok\",\"level\":\"%s\",\"presentations\":[%.*s%s%.*s]}",
                     evidence_level_word(LEVEL_VERIFIED_CRL), VIEW_ARG(w->presented[0].about),
                     w->n_presented > 1 ? "," : "", VIEW_ARG(second));
    return w->verdict_text.p ? E_OK : E_TOO_LARGE;
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
    TRY(check_login(w));
    TRY(read_evidence(w));
    TRY(filing_weigh(w));
    TRY(check_recipients(w));
    TRY(print_verdict(w));
    w->verdict_digest = sha256(w->verdict_text);
    const struct applied_person *subject = application_subject(&w->a);
    w->subject_blind = blind_person(w->g->seal, subject->keys->text);
    return E_OK;
}

void
filing_done(struct filing *w)
{
    for (size_t i = 0; i < w->n_presented; i++)
        presented_done(&w->presented[i]);
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
    w.body_blind = BLIND(g->seal, "body", digest_view(&in->body_digest));
    err e = filing_judge(&w);
    if (e == E_PRESENTATION_USED || e == E_PRESENTATION_EXPIRED)
        return filing_again(&w, ret) == E_OK ? E_OK : e; /* it is spent by this very filing */
    TRY(e);
    TRY(stamps_in_time(g, in->received, f));
    e = E_STALE;
    for (int i = 0; i < REBUILDS && e == E_STALE; i++)
        e = filing_store(&w, ret);
    if (e != E_OK)
        return fault_set(f, e, "", "", "");
    for (size_t i = 0; i < w.n_signed && ret->created; i++)
        sureness_tell(g, w.trust, w.signed_by[i].verdict, ret->document.u);
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
