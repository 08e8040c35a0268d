#include "adapters/hospital/inside.h"

#include "base/text.h"

/* -- encounter -- */

static const char *
encounter_class(view code)
{
    static const struct {
        const char *code, *word;
    } rows[] = {{"AMB", "AMB"},   {"EMER", "EMER"}, {"IMP", "IMP"},     {"ACUTE", "IMP"},
                {"NONAC", "IMP"}, {"SS", "DAY"},    {"OBSENC", "EMER"}, {"HH", "HOME"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (view_eq(code, view_of(rows[i].code)))
            return rows[i].word;
    return "AMB";
}

/* NHI identity: our extension's word; iClaim's medical identity says "pay" for self-pay. */
static void
read_nhi_identity(struct chart *ch, struct case_encounter *e, const struct node *encounter)
{
    const struct tree *t = ch->t;
    const struct node *value = NULL;
    view word = extension_url_value(t, encounter, EXT_NHI_IDENTITY, &value);
    const char *said = view_eq(word, V("yes")) ? "yes" : view_eq(word, V("no")) ? "no" : "unknown";
    for (NODE_EACH(extension, t, node_member(t, encounter, V("extension")))) {
        if (view_find(node_text_at(t, extension, "url"), V("cathay-medicalidentity")) ==
            node_text_at(t, extension, "url").n)
            continue;
        value = extension;
        said = view_eq(node_text_at(t, extension, "valueCodeableConcept.coding[0].code"), V("pay")) ? "no"
                                                                                                    : "yes";
    }
    chart_word(&e->nhi_identity, said, value ? value : encounter);
}

static const char *const segment_kinds[] = {
    "general", "icu",      "burn",        "isolation", "emergency_observation",
    "hospice", "day_ward", "psychiatric", NULL};

static err
add_segment(struct chart *ch, struct case_encounter *e, const struct node *location)
{
    const struct tree *t = ch->t;
    const struct node *value = NULL;
    view kind = extension_url_value(t, location, EXT_SEGMENT, &value);
    if (!kind.n)
        return E_OK;
    if (!list_has_word(segment_kinds, kind)) {
        chart_note(ch, ISSUE_WARNING, E_CODE_UNKNOWN, value, "a kind of ward", "another word");
        return E_OK;
    }
    struct case_segment *s = case_add_encounter_segments(ch->mem, e);
    if (!s)
        return E_TOO_LARGE;
    leaf_set_text(&s->kind, kind, from_node(value, HOW_COPIED));
    chart_time(ch, &s->from, node_at(t, location, "period.start"));
    chart_time(ch, &s->to, node_at(t, location, "period.end"));
    if (s->from.set && s->to.set) /* first and last day both count (SCHEMA 3.4) */
        leaf_set_int(&s->days, date_days(leaf_day(&s->to)) - date_days(leaf_day(&s->from)) + 1,
                     from_node(location, HOW_COMPUTED));
    return E_OK;
}

static void
read_days(struct chart *ch, struct case_encounter *e, const struct node *encounter)
{
    const struct tree *t = ch->t;
    const struct node *length = node_at(t, encounter, "length.value");
    decimal d;
    if (length && decimal_parse(node_text(t, length), &d) == E_OK && decimal_is_whole(d))
        leaf_set_int(&e->days.stated, d.units, from_node(length, HOW_PARSED));
    if (!e->period.start.set || !e->period.end.set || !view_eq(e->class.v, V("IMP")))
        return;
    int64_t counted = date_days(leaf_day(&e->period.end)) - date_days(leaf_day(&e->period.start)) + 1;
    leaf_set_int(&e->days.counted, counted, from_node(encounter, HOW_COMPUTED));
    leaf_set_text(&e->days.rule, V("first-and-last-day"), from_node(encounter, HOW_COMPUTED));
    if (e->days.stated.set && e->days.stated.v != counted)
        chart_note(ch, ISSUE_WARNING, E_SUM, length, "the days of the period, first and last counted",
                   "another number");
}

static err
read_encounter(struct chart *ch, const struct node *encounter)
{
    const struct tree *t = ch->t;
    struct case_encounter *e = case_add_encounters(ch->mem, ch->c);
    if (!e)
        return E_TOO_LARGE;
    if (!ch->encounter.n)
        ch->encounter = e->id;
    chart_ref(ch, &e->patient, ch->patient, encounter);
    chart_ref(ch, &e->facility, ch->facility, encounter);
    const struct node *number = node_at(t, encounter, "identifier[0].value");
    if (number) {
        chart_text(ch, &e->visit_no, number);
        chart_add_ref(ch, REF_VISIT_NO, node_text(t, number));
    } else {
        leaf_set_text(&e->visit_no, V("-"), from_node(encounter, HOW_ASSERTED));
    }
    chart_word(&e->class, encounter_class(node_text_at(t, encounter, "class.code")),
               node_member(t, encounter, V("class")));
    chart_time(ch, &e->period.start, node_at(t, encounter, "period.start"));
    chart_time(ch, &e->period.end, node_at(t, encounter, "period.end"));
    const struct node *service = node_member(t, encounter, V("serviceType"));
    struct case_coded *department = service ? case_add_encounter_departments(ch->mem, e) : NULL;
    if (department)
        chart_coded(ch, department, service);
    read_nhi_identity(ch, e, encounter);
    for (NODE_EACH(location, t, node_member(t, encounter, V("location"))))
        TRY(add_segment(ch, e, location));
    read_days(ch, e, encounter);
    return E_OK;
}

/* -- diagnoses -- */

static err
read_condition(struct chart *ch, const struct node *condition)
{
    const struct tree *t = ch->t;
    struct case_diagnosis *d = case_add_diagnoses(ch->mem, ch->c);
    const struct node *code = node_member(t, condition, V("code"));
    if (!d)
        return E_TOO_LARGE;
    chart_ref(ch, &d->encounter, ch->encounter, condition);
    chart_ref(ch, &d->patient, ch->patient, condition);
    for (NODE_EACH(coding, t, node_member(t, code, V("coding")))) {
        struct case_coding *c =
            node_member(t, coding, V("code")) ? case_add_diagnosis_codings(ch->mem, d) : NULL;
        if (c)
            chart_coding(ch, c, coding);
    }
    const struct node *text = node_member(t, code, V("text"));
    if (!text)
        text = node_at(t, code, "coding[0].display");
    chart_text(ch, &d->text_zh, text);
    if (!d->text_zh.v.n)
        leaf_set_text(&d->text_zh, V("-"), from_node(condition, HOW_ASSERTED));
    if (!text_has_han(d->text_zh.v))
        chart_note(ch, ch->is_iclaim ? ISSUE_WARNING : ISSUE_ERROR, E_LANGUAGE, text ? text : condition,
                   "Chinese text", "none");
    chart_text(ch, &d->verification, node_at(t, condition, "verificationStatus.coding[0].code"));
    const struct node *onset = node_member(t, condition, V("onsetDateTime"));
    chart_time(ch, &d->onset, onset);
    view category = node_text_at(t, condition, "category[0].coding[0].code");
    chart_word(&d->rank,
               view_eq(category, V("secondary"))      ? "secondary"
               : view_eq(category, V("complication")) ? "complication"
                                                      : "principal",
               node_member(t, condition, V("category")));
    return E_OK;
}

/* -- procedures -- */

static err
read_procedure(struct chart *ch, const struct node *procedure)
{
    const struct tree *t = ch->t;
    const struct node *code = node_member(t, procedure, V("code")), *coding = NULL;
    struct case_procedure *p = case_add_procedures(ch->mem, ch->c);
    if (!p)
        return E_TOO_LARGE;
    chart_ref(ch, &p->encounter, ch->encounter, procedure);
    for (NODE_EACH(c, t, node_member(t, code, V("coding")))) {
        view system = node_text_at(t, c, "system");
        if (view_find(system, V("icd-10-pcs")) < system.n) {
            chart_coding(ch, &p->icd10pcs, c);
        } else if (view_find(system, V("medical-service-payment")) < system.n) {
            struct case_nhi_fee *fee = case_make_procedure_nhi_fee(ch->mem, p);
            if (fee)
                chart_text(ch, &fee->code, node_member(t, c, V("code")));
        } else {
            coding = c;
        }
    }
    struct case_coding *local = coding ? case_add_procedure_local(ch->mem, p) : NULL;
    if (local)
        chart_coding(ch, local, coding);
    const struct node *text = node_member(t, code, V("text"));
    chart_text(ch, &p->text_zh, text ? text : node_at(t, code, "coding[0].display"));
    if (!p->text_zh.v.n)
        leaf_set_text(&p->text_zh, V("-"), from_node(procedure, HOW_ASSERTED));
    const struct node *performed = node_member(t, procedure, V("performedDateTime"));
    chart_time(ch, &p->performed, performed ? performed : node_at(t, procedure, "performedPeriod.start"));
    leaf_set_int(&p->count, 1, from_node(procedure, HOW_COMPUTED));
    return E_OK;
}

static err
read_event(struct chart *ch)
{
    const struct case_diagnosis *d = ch->c->diagnoses;
    if (!d) /* a receipt says nothing of the event */
        return E_OK;
    struct case_event *event = case_make_event(ch->mem, ch->c);
    if (!event)
        return E_TOO_LARGE;
    bool injury = false;
    for (; d; d = d->next)
        for (const struct case_coding *c = d->codings; c; c = c->next)
            injury = injury ||
                     (c->code.v.n && c->code.v.p[0] >= 'S' && c->code.v.p[0] <= 'Y' && c->code.v.p[0] != 'U');
    leaf_set_text(&event->kind, injury ? V("injury") : V("illness"),
                  from_node(tree_root(ch->t), HOW_COMPUTED));
    return E_OK;
}

err
chart_stay(struct chart *ch)
{
    for (uint32_t i = 0; i < ch->b->n; i++)
        if (view_eq(ch->b->entries[i].type, V("Encounter")))
            TRY(read_encounter(ch, ch->b->entries[i].resource));
    for (uint32_t i = 0; i < ch->b->n; i++) {
        if (view_eq(ch->b->entries[i].type, V("Condition")))
            TRY(read_condition(ch, ch->b->entries[i].resource));
        if (view_eq(ch->b->entries[i].type, V("Procedure")))
            TRY(read_procedure(ch, ch->b->entries[i].resource));
    }
    TRY(read_event(ch));
    return ch->failed ? E_TOO_LARGE : E_OK;
}
