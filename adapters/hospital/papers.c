#include "adapters/hospital/inside.h"

/* -- the certificate -- */

static const struct {
    const char *kind; /* of SYSTEM_DOCUMENT_KIND */
    const char *word; /* of the case */
} certificate_kinds[] = {
    {"certificate-a", "diagnosis_a"},         {"certificate-b", "diagnosis_b"},
    {"certificate-disability", "disability"}, {"certificate-death", "death"},
    {"certificate-birth", "birth"},           {"certificate-catastrophic", "catastrophic_illness"},
};

static err
add_advice(struct chart *ch, struct case_certificate *c, const struct node *extension)
{
    const struct tree *t = ch->t;
    static const char *const kinds[] = {
        "rest", "nursing_inpatient", "nursing_home", "device", "rehab", "follow_up", NULL};
    const struct node *kind = NULL;
    view word = extension_url_value(t, extension, "kind", &kind);
    if (!list_has_word(kinds, word))
        return E_OK;
    struct case_advice *a = case_add_certificate_advice(ch->mem, c);
    if (!a)
        return E_TOO_LARGE;
    leaf_set_text(&a->kind, word, from_node(kind, HOW_COPIED));
    const struct node *value = NULL;
    if (extension_url_value(t, extension, "from", &value).n)
        chart_date(ch, &a->from, value);
    if (extension_url_value(t, extension, "to", &value).n)
        chart_date(ch, &a->to, value);
    if (extension_url_value(t, extension, "reason", &value).n)
        chart_text(ch, &a->reason, value);
    return E_OK;
}

/* The certified text: the sections' narrative is for reading, the section titled text carries the words. */
static void
read_text(struct chart *ch, struct case_certificate *c)
{
    const struct tree *t = ch->t;
    const struct node *note = NULL;
    for (uint32_t i = 0; i < ch->b->n && !note; i++)
        if (view_eq(ch->b->entries[i].type, V("Condition")))
            note = node_at(t, ch->b->entries[i].resource, "note[0].text");
    if (!note)
        note = node_member(t, ch->composition, V("title"));
    chart_text(ch, &c->text_zh, note);
    if (!c->text_zh.v.n)
        leaf_set_text(&c->text_zh, V("-"), from_node(ch->composition, HOW_ASSERTED));
}

static err
add_signer(struct chart *ch, struct case_certificate *c)
{
    struct case_certificate_signer *s = case_add_certificate_signers(ch->mem, c);
    if (!s)
        return E_TOO_LARGE;
    const struct node *attester = node_at(ch->t, ch->composition, "attester[0]");
    const struct node *when = node_member(ch->t, attester, V("time"));
    chart_ref(ch, &s->party, ch->facility, ch->composition);
    if (ch->rd->n_licences)
        leaf_set_text(&s->licence_no, ch->rd->licences[0],
                      from_node(attester ? attester : ch->composition, HOW_MAPPED));
    chart_word(&s->certificate, ch->rd->n_licences ? "professional" : "institution", ch->composition);
    chart_time(ch, &s->signed_at, when ? when : node_member(ch->t, ch->composition, V("date")));
    return E_OK;
}

static void
check_order(struct chart *ch, const struct case_certificate *c, const struct node *at)
{
    bool early = false;
    for (const struct case_encounter *e = ch->c->encounters; e && c->issued.set; e = e->next)
        early =
            early || (e->period.start.set && date_days(c->issued.v) < date_days(leaf_day(&e->period.start)));
    if (early)
        chart_note(ch, ISSUE_WARNING, E_DATE_ORDER, at, "a date on or after the stay's first day",
                   "an earlier one");
}

err
chart_certificate(struct chart *ch)
{
    const struct tree *t = ch->t;
    const struct node *type = node_member(t, ch->composition, V("type")), *code = NULL;
    view kind = concept_code(t, type, SYSTEM_DOCUMENT_KIND, &code);
    struct case_certificate *c = case_add_certificates(ch->mem, ch->c);
    if (!c)
        return E_TOO_LARGE;
    const char *word = "diagnosis_b";
    for (size_t i = 0; i < COUNT_OF(certificate_kinds); i++)
        if (view_eq(kind, view_of(certificate_kinds[i].kind)))
            word = certificate_kinds[i].word;
    chart_own(ch, &c->document);
    chart_ref(ch, &c->patient, ch->patient, ch->composition);
    chart_ref(ch, &c->issuer, ch->facility, ch->composition);
    for (const struct case_encounter *e = ch->c->encounters; e; e = e->next) {
        struct case_item *item = case_add_certificate_encounters(ch->mem, c);
        if (item)
            chart_ref(ch, &item->text, e->id, ch->composition);
    }
    chart_word(&c->kind, word, code ? code : type);
    const struct node *number = node_at(t, ch->composition, "identifier.value");
    if (ch->is_iclaim) {
        const struct node *condition = bundle_first(ch->b, V("Condition"));
        number = node_at(t, condition, "identifier[0].value");
    }
    chart_text(ch, &c->no, number);
    if (!c->no.v.n)
        leaf_set_text(&c->no, V("-"), from_node(ch->composition, HOW_ASSERTED));
    else
        chart_add_ref(ch, REF_CERTIFICATE_NO, c->no.v);
    const struct node *dated = node_member(t, ch->composition, V("date"));
    chart_date(ch, &c->issued, dated);
    check_order(ch, c, dated);
    read_text(ch, c);
    const struct node *language = node_member(t, ch->composition, V("language"));
    chart_text(ch, &c->language, language);
    if (!c->language.v.n)
        leaf_set_text(&c->language, V("zh-TW"), from_node(ch->composition, HOW_ASSERTED));
    for (NODE_EACH(extension, t, node_member(t, ch->composition, V("extension"))))
        if (view_eq(node_text_at(t, extension, "url"), V(EXT_ADVICE)))
            TRY(add_advice(ch, c, extension));
    TRY(add_signer(ch, c));
    TRY(chart_disability(ch));
    return ch->failed ? E_TOO_LARGE : E_OK;
}

/* -- reports -- */

static const char *
report_kind(const struct tree *t, const struct node *report)
{
    view code = node_text_at(t, report, "category[0].coding[0].code");
    if (view_eq(code, V("PAT")) || view_eq(code, V("SP")))
        return "pathology";
    if (view_eq(code, V("RAD")) || view_eq(code, V("CT")) || view_eq(code, V("NMR")) ||
        view_eq(code, V("CUS")))
        return "imaging";
    return view_eq(code, V("GE")) ? "genetic" : "lab";
}

static err
add_result(struct chart *ch, struct case_report *r, const struct node *observation)
{
    const struct tree *t = ch->t;
    struct case_result *out = case_add_report_results(ch->mem, r);
    if (!out)
        return E_TOO_LARGE;
    chart_coded(ch, &out->code, node_member(t, observation, V("code")));
    const struct node *value = node_at(t, observation, "valueQuantity.value");
    if (!value)
        value = node_member(t, observation, V("valueString"));
    if (!value)
        value = node_at(t, observation, "valueCodeableConcept.text");
    view text = value ? node_text(t, value) : VIEW_NONE;
    leaf_set_text(&out->value, text.n ? text : V("-"), from_node(value ? value : observation, HOW_COPIED));
    chart_text(ch, &out->range, node_at(t, observation, "referenceRange[0].text"));
    chart_text(ch, &out->flag, node_at(t, observation, "interpretation[0].coding[0].code"));
    return E_OK;
}

static err
read_report(struct chart *ch, const struct node *report)
{
    const struct tree *t = ch->t;
    struct case_report *r = case_add_reports(ch->mem, ch->c);
    if (!r)
        return E_TOO_LARGE;
    chart_ref(ch, &r->patient, ch->patient, report);
    chart_ref(ch, &r->encounter, ch->encounter, report);
    chart_word(&r->kind, report_kind(t, report), report);
    for (NODE_EACH(coding, t, node_at(t, report, "code.coding"))) {
        struct case_coding *c =
            node_member(t, coding, V("code")) ? case_add_report_codings(ch->mem, r) : NULL;
        if (c)
            chart_coding(ch, c, coding);
    }
    for (NODE_EACH(concept, t, node_member(t, report, V("conclusionCode"))))
        for (NODE_EACH(coding, t, node_member(t, concept, V("coding")))) {
            struct case_coding *c =
                node_member(t, coding, V("code")) ? case_add_report_codings(ch->mem, r) : NULL;
            if (c)
                chart_coding(ch, c, coding);
        }
    const struct node *issued = node_member(t, report, V("issued"));
    chart_time(ch, &r->reported, issued ? issued : node_member(t, report, V("effectiveDateTime")));
    if (!r->reported.set)
        chart_time(ch, &r->reported, node_member(t, ch->composition, V("date")));
    chart_text(ch, &r->conclusion, node_member(t, report, V("conclusion")));
    for (NODE_EACH(reference, t, node_member(t, report, V("result")))) {
        const struct node *observation = chart_resolve(ch, report, reference);
        if (observation && view_eq(node_text_at(t, observation, "resourceType"), V("Observation")))
            TRY(add_result(ch, r, observation));
    }
    return E_OK;
}

err
chart_reports(struct chart *ch)
{
    for (uint32_t i = 0; i < ch->b->n; i++)
        if (view_eq(ch->b->entries[i].type, V("DiagnosticReport")))
            TRY(read_report(ch, ch->b->entries[i].resource));
    return ch->failed ? E_TOO_LARGE : E_OK;
}
