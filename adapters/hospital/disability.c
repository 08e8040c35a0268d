/* What a disability certificate certifies: one Observation for each item, its scale as method, its grade as value, the day on which the condition is fixed as time.
 * A certificate that is judged by two scales (compulsory cover, an injury policy) has items of both. */
#include "adapters/cali.h"
#include "adapters/hospital/inside.h"

static struct case_disability *
find(const struct claim_case *c, view scale, date fixed_on)
{
    struct case_disability *d = c->disability;
    while (d && !(view_eq(d->scale.v, scale) && date_days(d->fixed_on.v) == date_days(fixed_on)))
        d = d->next;
    return d;
}

/* Items of one scale that are fixed on one day stand together.  The level is the registry's to say (flow/intake). */
static struct case_disability *
of_scale(struct chart *ch, const struct node *scale, const struct node *observation)
{
    struct leaf_date fixed = {.set = false};
    chart_date(ch, &fixed, node_member(ch->t, observation, V("effectiveDateTime")));
    if (!fixed.set) {
        chart_note(ch, ISSUE_ERROR, E_REQUIRED, observation, "the day on which the condition is fixed",
                   "none");
        return NULL;
    }
    struct case_disability *d = find(ch->c, node_text(ch->t, scale), fixed.v);
    if (d)
        return d;
    d = case_add_disability(ch->mem, ch->c);
    if (!d) {
        ch->failed = true;
        return NULL;
    }
    chart_ref(ch, &d->patient, ch->patient, observation);
    chart_text(ch, &d->scale, scale);
    d->fixed_on = fixed;
    chart_word(&d->issuer_level, "unknown", observation);
    chart_ref(ch, &d->certificate, ch->c->certificates->id, observation);
    return d;
}

/* A grade of the scale, or an error at its place; 0. */
static int64_t
grade_of(struct chart *ch, view scale, const struct node *value, const struct node *place)
{
    int64_t last = cali_last_grade(scale);
    decimal grade;
    if (value && decimal_parse(node_text(ch->t, value), &grade) == E_OK && decimal_is_whole(grade) &&
        grade.units >= 1 && (!last || grade.units <= last))
        return grade.units;
    chart_note(ch, ISSUE_ERROR, value ? E_OUT_OF_RANGE : E_REQUIRED, value ? value : place,
               "a grade of the scale", value ? "another number" : "none");
    return 0;
}

static void
read_prior(struct chart *ch, struct case_disability *d, const struct node *observation)
{
    for (NODE_EACH(component, ch->t, node_member(ch->t, observation, V("component")))) {
        const struct node *value = node_member(ch->t, component, V("valueInteger"));
        if (!view_eq(
                concept_code(ch->t, node_member(ch->t, component, V("code")), SYSTEM_DISABILITY_ITEM, NULL),
                V("prior-grade")))
            continue;
        int64_t grade = grade_of(ch, d->scale.v, value, component);
        if (grade)
            leaf_set_int(&d->prior_grade, grade, from_node(value, HOW_COPIED));
    }
}

/* Before the end of the treatment nobody can say what stays. */
static void
check_fixed(struct chart *ch, const struct case_disability *d, const struct node *observation)
{
    bool early = false;
    for (const struct case_encounter *e = ch->c->encounters; e; e = e->next)
        early =
            early || (e->period.end.set && date_days(d->fixed_on.v) < date_days(leaf_day(&e->period.end)));
    if (early)
        chart_note(ch, ISSUE_ERROR, E_NOT_FIXED, node_member(ch->t, observation, V("effectiveDateTime")),
                   "a day on or after the discharge", "an earlier one");
}

static err
read_item(struct chart *ch, const struct node *scale, const struct node *observation)
{
    const struct node *code = node_member(ch->t, observation, V("code")),
                      *value = node_member(ch->t, observation, V("valueInteger"));
    struct case_disability *d = of_scale(ch, scale, observation);
    if (!d)
        return ch->failed ? E_TOO_LARGE : E_OK;
    struct case_disability_item *item = case_add_disability_items(ch->mem, d);
    if (!item)
        return E_TOO_LARGE;
    chart_text(ch, &item->code, node_at(ch->t, code, "coding[0].code"));
    chart_text(ch, &item->text, node_member(ch->t, code, V("text")));
    int64_t grade = grade_of(ch, d->scale.v, value, observation);
    if (grade)
        leaf_set_int(&item->grade, grade, from_node(value, HOW_COPIED));
    read_prior(ch, d, observation);
    check_fixed(ch, d, observation);
    return E_OK;
}

err
chart_disability(struct chart *ch)
{
    for (uint32_t i = 0; i < ch->b->n; i++) {
        const struct node *observation = ch->b->entries[i].resource, *scale = NULL;
        if (!view_eq(ch->b->entries[i].type, V("Observation")))
            continue;
        (void)concept_code(ch->t, node_member(ch->t, observation, V("method")), SYSTEM_DISABILITY_SCALE,
                           &scale);
        if (scale)
            TRY(read_item(ch, scale, observation));
    }
    return E_OK;
}
