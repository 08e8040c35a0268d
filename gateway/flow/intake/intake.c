#include "flow/intake/intake.h"

#include "adapters/case_codec.h"
#include "adapters/claimlink/claimlink.h"
#include "adapters/hospital/hospital.h"
#include "adapters/household/household.h"
#include "adapters/police/police.h"
#include "base/metrics.h"
#include "base/text.h"
#include "flow/case/permission.h"
#include "flow/evidence/seal.h"
#include "flow/evidence/sureness.h"
#include "flow/lookup/lookup.h"
#include "flow/motor/motor.h"
#include "signing/jose/bundle_signature.h"
#include "signing/trust/authority.h"
#include "signing/xml/xmldsig.h"

/* Windows of packs are days in Taiwan. */
#define TAIPEI_MINUTES 480

static err
interpret_bundle(struct passage *p, const struct tree *t)
{
    struct bundle bundle;
    const struct partner *sender = registry_partner(p->registry, p->s->sender);
    date today = date_of_instant(p->s->received, TAIPEI_MINUTES);
    const struct validate_options options = {
        .today = (uint32_t)today.year * 10000u + today.month * 100u + today.day,
        .strict = p->s->strict || (sender && view_eq(partner_option(sender, "strict"), V("on")))};
    TRY(bundle_index(t, p->mem, &bundle, p->issues));
    TRY(fhir_validate(p->g->profiles, &bundle, &options, p->issues));
    if (!options.strict)
        hospital_excuse(&bundle, p->issues);
    if (p->issues->errors)
        return issues_fault(p->issues, p->f);
    return hospital_interpret(&bundle, p->mem, p->issues, &p->reading, p->f);
}

static err
interpret_accident(struct passage *p, const struct tree *t)
{
    return police_interpret(t, p->mem, p->issues, &p->reading, p->f);
}

static err
read_json(enum fhir_media media, view bytes, arena *mem, struct tree *ret, struct fault *f)
{
    (void)media;
    return tree_read_json(bytes, NULL, mem, ret, f);
}

static err
interpret_cover(struct passage *p, const struct tree *t)
{
    struct cover_exchange *x = p->s->cover;
    return cover_interpret(t, &x->question, p->mem, &p->reading, &x->answer, p->f);
}

static err
interpret_household(struct passage *p, const struct tree *t)
{
    return household_interpret(t, p->mem, p->issues, &p->reading, p->f);
}

static const struct intake_row rows[] = {
    [INTAKE_BUNDLE] = {"bundle", fhir_read, fhir_read_signed, interpret_bundle, false},
    [INTAKE_ACCIDENT] = {"accident-record", police_read, police_read_signed, interpret_accident, true},
    [INTAKE_MOTOR] = {"motor-filing", claimlink_read, NULL, motor_interpret, false},
    [INTAKE_COVER] = {"cover-answer", read_json, NULL, interpret_cover, false},
    [INTAKE_HOUSEHOLD] = {"household-extract", read_json, NULL, interpret_household, false},
};

const struct intake_row *
intake_info(enum intake i)
{
    return &rows[i];
}

#define SIGNATURES_OF_ONE 4

/* Those in headers, then those in the document itself. */
static size_t
find_signatures(const struct passage *p, struct signature_in ret[SIGNATURES_OF_ONE])
{
    const struct submission *s = p->s;
    size_t n = 0;
    if (s->cms_header.p)
        ret[n++] = (struct signature_in){SIG_CMS, s->cms_header, s->key_id_header};
    if (s->jws_header.p)
        ret[n++] = (struct signature_in){SIG_JWS, s->jws_header, VIEW_NONE};
    if (s->media == FHIR_XML && xmldsig_present(s->body))
        ret[n++] = (struct signature_in){SIG_XMLDSIG, VIEW_NONE, VIEW_NONE};
    if (p->tree.n > 0 && bundle_signature_present(&p->tree))
        ret[n++] = (struct signature_in){SIG_BUNDLE, VIEW_NONE, VIEW_NONE};
    return n;
}

#define RULES_OF_ONE 4

/* The partner's option must_hold, subjects by comma ("hospital"): which of several signatures have to hold. */
static size_t
find_rules(const struct passage *p, struct hold_rule ret[RULES_OF_ONE])
{
    const struct partner *sender = registry_partner(p->registry, p->s->sender);
    view words = sender ? partner_option(sender, "must_hold") : VIEW_NONE;
    size_t n = 0;
    while (words.n > 0 && n < RULES_OF_ONE) {
        view word = view_trim(view_cut(&words, ',', NULL));
        for (int kind = 0; kind < SUBJECT_COUNT && n < RULES_OF_ONE; kind++)
            if (view_eq(word, view_of(subject_word((enum subject_kind)kind))))
                ret[n++] = (struct hold_rule){USE_COUNT, (enum subject_kind)kind};
    }
    return n;
}

static const char *
verification_labels(const struct signature_out *sig)
{
    static const char *const labels[][2] = {
        [SIG_CMS] = {"cms,ok", "cms,refused"},
        [SIG_JWS] = {"jws,ok", "jws,refused"},
        [SIG_XMLDSIG] = {"xmldsig,ok", "xmldsig,refused"},
        [SIG_BUNDLE] = {"bundle-signature,ok", "bundle-signature,refused"},
    };
    return labels[sig->format][sig->code != E_OK];
}

static err
verify(struct passage *p, const struct intake_row *row)
{
    struct signature_in signatures[SIGNATURES_OF_ONE];
    struct hold_rule rules[RULES_OF_ONE];
    struct key_source keys = registry_key_source(p->registry);
    struct verify_request rq = {
        .body = p->s->body,
        .body_digest = &p->s->body_digest,
        .tree = p->tree.n > 0 ? &p->tree : NULL,
        .read_signed = row->read_signed,
        .signatures = signatures,
        .n_signatures = find_signatures(p, signatures),
        .must_hold = rules,
        .n_must_hold = find_rules(p, rules),
        .trust = p->trust,
        .keys = &keys,
        .now = p->s->received,
        .mem = p->mem,
    };
    TRY(verify_document(&rq, &p->verdict));
    err code = verdict_code(p->verdict);
    for (size_t i = 0; i < verdict_signatures(p->verdict); i++) {
        const struct signature_out *sig = verdict_signature(p->verdict, i);
        metric_add(METRIC_VERIFICATIONS, verification_labels(sig), 1);
        if (code != E_OK && sig->code == code && p->f && p->f->code == E_OK)
            *p->f = sig->fault;
    }
    if (code == E_SIGNATURE_MISSING)
        return fault_set(p->f, code, "signature", "AUTH, X-JWS-Signature or a signature in the XML", "none");
    if (code != E_OK)
        return fault_set(p->f, code, "signature", "a signature that holds", "another outcome");
    return E_OK;
}

/* The facts as they are stored: our own JSON with the sources. */
err
passage_print_facts(struct passage *p)
{
    struct buf out;
    buf_init(&out, 16u << 20);
    (void)buf_reserve(&out, p->s->body.n);
    err e = case_encode(p->reading.facts, NULL, true, &out);
    if (e == E_OK && out.failed)
        e = E_TOO_LARGE;
    if (e == E_OK) {
        p->facts_text = arena_dup(p->mem, buf_view(&out));
        e = p->facts_text.p ? E_OK : E_TOO_LARGE;
    }
    buf_done(&out);
    return e;
}

err
passage_judge(struct passage *p)
{
    const struct intake_row *row = intake_info(p->s->intake);
    if (view_starts(p->s->body, V("\xEF\xBB\xBF"))) {
        err e = fault_set(p->f, E_BOM, "", "text without a byte order mark", "EF BB BF");
        fault_range(p->f, 0, 3);
        return e;
    }
    /* A signature that holds the document has nothing to read before it is verified. */
    if (p->s->media != FHIR_XML || !xmldsig_is_enveloping(p->s->body))
        TRY(row->read(p->s->media, p->s->body, p->mem, &p->tree, p->f));
    TRY(verify(p, row));
    TRY(row->interpret(p, verdict_tree(p->verdict)));
    if (p->issues->errors)
        return issues_fault(p->issues, p->f);
    TRY(passage_authority(p));
    TRY(passage_disability(p));
    TRY(sureness_floor(p));
    TRY(verdict_print(p->verdict, p->mem, &p->verdict_text));
    p->verdict_digest = sha256(p->verdict_text);
    p->body_blind = BLIND(p->g->seal, "body", digest_view(&p->s->body_digest));
    char signer[ID_TEXT_SIZE];
    p->identity_blind = BLIND(p->g->seal, "identity", partner_id_print(p->signer->id, signer),
                              p->reading.identifier_system, p->reading.identifier_value);
    TRY(join_of_reading(p->g->seal, &p->reading, row->by_accident, &p->join, p->f));
    if (p->motor)
        TRY(motor_join(p));
    if (p->s->cover)
        TRY(join_add(&p->join, p->s->cover->key, "lookup", true));
    return passage_print_facts(p);
}

/* -- authority -- */

static const char *const author_kinds[] = {"hospital", "clinic",   "police", "prosecutor", "board",
                                           "insurer",  "register", "shop",   "household"};

static const struct partner *
find_author(const struct registry *r, view code)
{
    for (size_t i = 0; i < COUNT_OF(author_kinds); i++) {
        const struct partner *p = registry_by_code(r, view_of(author_kinds[i]), code);
        if (p)
            return p;
    }
    return NULL;
}

static bool
is_listed(struct passage *p, view licence)
{
    struct row_listing *list = NULL;
    digest blind = BLIND(p->g->seal, "licence", licence);
    /* The snapshot stays for the unit that comes next. */
    if ((!p->reader && store_reader(p->g->store, &p->reader) != E_OK) ||
        query_listings_of(p->reader, ARGS(val_uid(&p->author->id.u), val_digest(&blind)), p->mem, &list) !=
            E_OK)
        return false;
    for (; list; list = list->next)
        if (list->valid_from.us <= p->s->received.us &&
            (!list->valid_to.us || list->valid_to.us > p->s->received.us))
            return true;
    return false;
}

static err
check_signature(struct passage *p, const struct signature_out *sig, bool institution_too)
{
    bool listed = institution_too;
    bool is_professional = sig->signer.subject == SUBJECT_PROFESSIONAL;
    if (is_professional && !listed)
        listed = is_listed(p, sig->signer.licence);
    TRY(authority_check(trust_authority(p->trust), &sig->signer, p->reading.kind, p->reading.author, listed,
                        p->s->received, p->f));
    if (is_professional)
        return E_OK;
    /* Bound by attribute and registry: the certificate must stand in the author's row too (DOMAIN D11). */
    char id[ID_TEXT_SIZE];
    if (!view_eq(sig->signer.registered_partner, partner_id_print(p->author->id, id)))
        return fault_set(p->f, E_SIGNER_UNKNOWN, "signature", "a certificate registered for the author",
                         "one that is not");
    return E_OK;
}

/* One that was passed over (must_hold) signs for nobody. */
static err
check_authority(struct passage *p, size_t i, bool institution)
{
    const struct signature_out *sig = verdict_signature(p->verdict, i);
    if (sig->code != E_OK)
        return E_OK;
    err e = check_signature(p, sig, institution);
    verdict_note_authority(p->verdict, i, e);
    return e;
}

/* What an agency says of itself, against its kind in the registry: an inquest is a prosecutor's (THREATS S18). */
static const struct {
    const char *registered, *said;
} agency_kinds[] = {
    {"police", "police"},    {"police", "military_police"}, {"prosecutor", "prosecutor"},
    {"prosecutor", "court"}, {"board", "appraisal_board"},
};

/* A board gives the opinions that the registry lists for it, and no others: 鑑定 and 覆議 are given by different bodies (車輛行車事故鑑定及覆議作業辦法). */
static err
check_opinion(const struct passage *p, view part)
{
    bool is_opinion = view_eq(part, V("appraisal")) || view_eq(part, V("reappraisal"));
    view list = partner_option(p->author, "opinions");
    return !is_opinion || words_have(list, part)
               ? E_OK
               : fault_set(p->f, E_AGENCY, "part", "an opinion that the registry lets this board give",
                           "another");
}

static err
check_agency_kind(const struct passage *p)
{
    const struct tree *t = verdict_tree(p->verdict);
    const struct node *kind = node_at(t, tree_root(t), "agency.kind");
    view said = kind ? node_text(t, kind) : V("police");
    for (size_t i = 0; i < COUNT_OF(agency_kinds); i++)
        if (view_eq(p->author->row->kind, view_of(agency_kinds[i].registered)) &&
            view_eq(said, view_of(agency_kinds[i].said)))
            return check_opinion(p, node_text_at(t, tree_root(t), "part"));
    return fault_set(p->f, E_AGENCY, "agency.kind", "the agency's kind in the registry", "another kind");
}

err
passage_authority(struct passage *p)
{
    if (p->motor && p->motor->author == AUTHOR_OWNER)
        return motor_owner_authority(p);
    p->author = p->motor ? motor_author(p) : find_author(p->registry, p->reading.author);
    if (!p->author || !partner_is_active(p->author))
        return fault_set(p->f, E_SIGNER_UNKNOWN, "Composition.custodian", "an organisation of the registry",
                         "an unknown or suspended one");
    if (p->s->intake == INTAKE_ACCIDENT)
        TRY(check_agency_kind(p));
    /* Police and prosecutors hold certificates of the same authority and keep no register of households. */
    if (p->s->intake == INTAKE_HOUSEHOLD && !view_eq(p->author->row->kind, V("household")))
        return fault_set(p->f, E_AGENCY, "office.code", "a household office of the registry", "another kind");
    p->signer = p->author;
    bool institution = false;
    for (size_t i = 0; i < verdict_signatures(p->verdict); i++) {
        const struct signature_out *sig = verdict_signature(p->verdict, i);
        institution |= sig->code == E_OK && sig->signer.subject == SUBJECT_HOSPITAL &&
                       view_eq(sig->signer.organisation, p->reading.author);
    }
    for (size_t i = 0; i < verdict_signatures(p->verdict); i++)
        TRY(check_authority(p, i, institution));
    p->sender = registry_partner(p->registry, p->s->sender);
    if (!p->sender || !partner_is_active(p->sender))
        return fault_set(p->f, E_SUSPENDED, "", "an active partner", "another status");
    if (p->sender != p->author && !partner_acts_for(p->sender, p->author))
        return fault_set(p->f, E_SENDER, "Composition.custodian", "the author itself or its submitting agent",
                         "another organisation");
    return E_OK;
}
