/* What is said about the causes (初步分析研判表, 鑑定, 覆議), and the prosecutor's inquest. */
#include "adapters/police/inside.h"

static const char *
opinion_level(view part)
{
    return view_eq(part, V("analysis"))    ? "preliminary"
           : view_eq(part, V("appraisal")) ? "appraisal"
                                           : "reappraisal";
}

static err
read_finding(struct form *x, struct case_opinion *opinion, const struct node *n)
{
    int64_t seq = 0;
    const struct node *party = form_member(x, n, "party");
    struct form_party *p = form_int(x, party, &seq) ? form_party_of(x, seq) : NULL;
    struct case_opinion_finding *finding = p ? case_add_opinion_findings(x->mem, opinion) : NULL;
    if (!finding)
        return E_TOO_LARGE;
    form_ref(x, &finding->party, p->person.n ? p->person : p->line, party);
    form_text(x, &finding->degree, form_member(x, n, "degree"));
    form_decimal(x, &finding->percent, form_member(x, n, "percent"));
    for (NODE_EACH(rule, x->t, form_member(x, n, "rule_cited"))) {
        struct case_item *item = case_add_opinion_finding_rule_cited(x->mem, finding);
        if (!item)
            return E_TOO_LARGE;
        form_text(x, &item->text, rule);
    }
    return E_OK;
}

static err
read_opinion(struct form *x, const struct node *n)
{
    const struct node *body = form_member(x, n, "body"), *binding = form_member(x, n, "binding");
    struct case_opinion *o = case_add_accident_opinions(x->mem, x->c->accident);
    if (!o)
        return E_TOO_LARGE;
    form_word(&o->level, opinion_level(x->part), form_member(x, x->root, "part"));
    form_text(x, &o->body, body ? body : form_member(x, form_member(x, x->root, "agency"), "name"));
    form_date(x, &o->requested_at, form_member(x, n, "requested_at"));
    form_date(x, &o->issued, form_member(x, n, "issued"));
    leaf_set_text(&o->document, CASE_OWN_DOCUMENT, source_of_node(n, HOW_COMPUTED));
    if (binding)
        leaf_set_bool(&o->binding, node_is_true(binding), source_of_node(binding, HOW_COPIED));
    form_text(x, &o->dissent, form_member(x, n, "dissent"));
    for (NODE_EACH(finding, x->t, form_member(x, n, "findings")))
        TRY(read_finding(x, o, finding));
    return E_OK;
}

err
form_opinions(struct form *x)
{
    if (!x->c->accident)
        return E_OK;
    for (NODE_EACH(n, x->t, form_member(x, x->root, "opinions")))
        TRY(read_opinion(x, n));
    return E_OK;
}

/* -- inquest -- */

static err
read_certificate(struct form *x, view person, view *ret_id)
{
    const struct node *n = x->inquest;
    struct case_certificate *c = case_add_certificates(x->mem, x->c);
    struct case_certificate_signer *signer = c ? case_add_certificate_signers(x->mem, c) : NULL;
    if (!signer)
        return E_TOO_LARGE;
    leaf_set_text(&c->document, CASE_OWN_DOCUMENT, source_of_node(n, HOW_COMPUTED));
    form_ref(x, &c->patient, person, form_member(x, n, "deceased"));
    form_ref(x, &c->issuer, x->agency, n);
    form_word(&c->kind, "inquest", n);
    form_text(x, &c->no, form_member(x, n, "certificate_no"));
    form_date(x, &c->issued, form_member(x, n, "issued"));
    form_text(x, &c->text_zh, form_member(x, n, "text_zh"));
    form_word(&c->language, "zh-TW", n);
    form_ref(x, &signer->party, x->agency, n);
    form_word(&signer->certificate, "institution", n);
    if (leaf_parse_time(&signer->signed_at, form_value(x, n, "issued"),
                        source_of_node(form_member(x, n, "issued"), HOW_COMPUTED)) != E_OK)
        return E_INTERNAL; /* the check has parsed it */
    *ret_id = c->id;
    return E_OK;
}

/* Hours between accident and death decide between A1 and A2, and the 30 days of the statistics. */
static const char *
within(const struct leaf_time *died, const struct leaf_time *occurred)
{
    int64_t us = died->v.us - occurred->v.us;
    return us <= SPAN_DAYS(1).us ? "24h" : us <= SPAN_DAYS(30).us ? "30d" : "later";
}

err
form_inquest(struct form *x)
{
    const struct node *n = x->inquest;
    int64_t seq = 0;
    if (!n)
        return E_OK;
    struct form_party *p = form_int(x, form_member(x, n, "deceased"), &seq) ? form_party_of(x, seq) : NULL;
    struct case_party *person = p && p->person.n ? case_party_of(x->c, p->person) : NULL;
    if (!person) {
        form_issue(x, ISSUE_ERROR, E_REQUIRED, form_member(x, n, "deceased"), "a party with a name", "none");
        return E_OK;
    }
    view certificate = VIEW_NONE;
    TRY(read_certificate(x, person->id, &certificate));
    struct case_death *d = case_add_death(x->mem, x->c);
    if (!d)
        return E_TOO_LARGE;
    form_ref(x, &d->person, person->id, n);
    form_time(x, &d->at, form_member(x, n, "died_at"));
    form_text(x, &d->place, form_member(x, n, "place"));
    form_text(x, &d->manner, form_member(x, n, "manner"));
    form_ref(x, &d->certificate, certificate, n);
    form_word(&d->within, within(&d->at, &x->c->event->occurred.from), n);
    d->within.src.how = HOW_COMPUTED;
    form_time(x, &person->person->deceased_at, form_member(x, n, "died_at"));
    for (NODE_EACH(cause, x->t, form_member(x, n, "causes"))) {
        struct case_coded *coded = case_add_death_causes(x->mem, d);
        if (!coded)
            return E_TOO_LARGE;
        form_text(x, &coded->text, cause);
    }
    return E_OK;
}
