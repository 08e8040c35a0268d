/* Rules about stays, dates, disability and certificates: 7, 8, 12, 16. */
#include "adapters/cali.h"
#include "adapters/invariants_kit.h"

static int32_t
day_of(const struct leaf_time *t)
{
    return date_days(leaf_day(t));
}

/* Before, by the instant where both have one, else by the day. */
static bool
is_before(const struct leaf_time *a, const struct leaf_time *b)
{
    if (!a->set || !b->set)
        return false;
    if (a->precision == TIME_INSTANT && b->precision == TIME_INSTANT)
        return a->v.us < b->v.us;
    return day_of(a) < day_of(b);
}

static view
day_text(struct check *k, const struct leaf_time *t)
{
    char text[TIME_TEXT_SIZE];
    return arena_dup(k->mem, leaf_print_time(t, text));
}

static view
date_text(struct check *k, date d)
{
    char text[24];
    return arena_dup(k->mem, date_print(d, text));
}

/* -- 7: segments of a stay -- */

static void
check_inside(struct check *k, const struct case_encounter *e, const struct case_segment *s)
{
    if (is_before(&s->from, &e->period.start))
        found_at(k, s->id, "from", day_text(k, &e->period.start), day_text(k, &s->from));
    if (is_before(&e->period.end, &s->to))
        found_at(k, s->id, "to", day_text(k, &e->period.end), day_text(k, &s->to));
    if (is_before(&s->to, &s->from))
        found_at(k, s->id, "to", V("an end after the beginning"), day_text(k, &s->to));
}

/* A change of ward in the middle of a day belongs to both days; more is an overlap. */
static bool
overlap(const struct case_segment *a, const struct case_segment *b)
{
    return a->from.set && a->to.set && b->from.set && b->to.set && is_before(&a->from, &b->to) &&
           is_before(&b->from, &a->to);
}

static void
check_days(struct check *k, const struct case_encounter *e)
{
    int64_t sum = 0;
    bool all = e->segments != NULL;
    for (const struct case_segment *s = e->segments; s; s = s->next) {
        all = all && s->days.set;
        sum += s->days.v;
    }
    if (e->days.stated.set && all && sum != e->days.stated.v)
        found_at(k, e->id, "days/stated", arena_printf(k->mem, "%lld", (long long)sum),
                 arena_printf(k->mem, "%lld", (long long)e->days.stated.v));
    if (e->days.counted.set && e->days.stated.set && e->days.counted.v != e->days.stated.v)
        found_at(k, e->id, "days/stated", arena_printf(k->mem, "%lld", (long long)e->days.counted.v),
                 arena_printf(k->mem, "%lld", (long long)e->days.stated.v));
    if (e->days.counted.set && !e->days.rule.v.n)
        found_at(k, e->id, "days", V("the rule for the first and last day"), V("none"));
}

static void
check_overlap(struct check *k, const struct case_segment *s)
{
    for (const struct case_segment *t = s->next; t; t = t->next)
        if (overlap(s, t))
            found_at(k, t->id, "from", V("no overlap"), V("overlap"));
}

void
invariant_7(struct check *k)
{
    for (const struct case_encounter *e = k->c->encounters; e; e = e->next) {
        for (const struct case_segment *s = e->segments; s; s = s->next) {
            check_inside(k, e, s);
            check_overlap(k, s);
        }
        check_days(k, e);
    }
}

/* -- 8: order of dates -- */

/* The days that an expense covers: its period, else its encounters. */
static bool
covered(const struct claim_case *c, const struct case_expense *e, int32_t *ret_first, int32_t *ret_last)
{
    bool any = false;
    if (!e->covers)
        return false;
    if (e->covers->period.start.set && e->covers->period.end.set) {
        *ret_first = day_of(&e->covers->period.start);
        *ret_last = day_of(&e->covers->period.end);
        return true;
    }
    for (const struct case_encounter *n = c->encounters; n; n = n->next) {
        if (!any_refers_to(e->covers->encounters, n->id) || !n->period.start.set || !n->period.end.set)
            continue;
        int32_t first = day_of(&n->period.start), last = day_of(&n->period.end);
        *ret_first = !any || first < *ret_first ? first : *ret_first;
        *ret_last = !any || last > *ret_last ? last : *ret_last;
        any = true;
    }
    return any;
}

static void
check_expense(struct check *k, const struct case_expense *e)
{
    int32_t first = 0, last = 0;
    if (!covered(k->c, e, &first, &last))
        return;
    bool is_final = !leaf_is(&e->status, "provisional");
    if (is_final && e->issued.set && date_days(e->issued.v) < last)
        found_at(k, e->id, "issued", date_text(k, date_of_days(last)), date_text(k, e->issued.v));
    for (const struct case_expense_line *l = e->lines; l; l = l->next) {
        if (!l->date.set || (date_days(l->date.v) >= first && date_days(l->date.v) <= last))
            continue;
        found_at(k, l->id, "date", V("a day that the receipt covers"), date_text(k, l->date.v));
    }
}

static void
check_decisions(struct check *k, const struct case_claim *claim)
{
    for (const struct case_decision *d = claim->decision; d; d = d->next)
        for (const struct case_clock *c = claim->clocks; c; c = c->next)
            if (d->at.set && c->starts_on.set && day_of(&d->at) < date_days(c->starts_on.v))
                found_at(k, d->id, "at", date_text(k, c->starts_on.v), day_text(k, &d->at));
}

void
invariant_8(struct check *k)
{
    date when;
    for (const struct case_expense *e = k->c->expenses; e; e = e->next)
        check_expense(k, e);
    if (accident_day(k->c, &when))
        for (const struct case_disability *d = k->c->disability; d; d = d->next)
            if (d->fixed_on.set && date_days(d->fixed_on.v) < date_days(when))
                found_at(k, d->id, "fixed_on", date_text(k, when), date_text(k, d->fixed_on.v));
    for (const struct case_claim *claim = k->c->claims; claim; claim = claim->next)
        check_decisions(k, claim);
}

/* -- 12: grades -- */

static void
check_grade(struct check *k, const struct leaf_int *grade, const struct leaf_text *scale, view id,
            const char *where)
{
    int64_t last = cali_last_grade(scale->v);
    if (grade->set && (grade->v < 1 || (last && grade->v > last)))
        found_at(k, id, where, scale->v, arena_printf(k->mem, "%lld", (long long)grade->v));
}

void
invariant_12(struct check *k)
{
    for (const struct case_disability *d = k->c->disability; d; d = d->next) {
        for (const struct case_disability_item *i = d->items; i; i = i->next)
            check_grade(k, &i->grade, &d->scale, i->id, "grade");
        check_grade(k, &d->prior_grade, &d->scale, d->id, "prior_grade");
        if (!d->combined)
            continue;
        check_grade(k, &d->combined->grade, &d->scale, d->id, "combined/grade");
        if (!d->combined->rule.v.n)
            found_at(k, d->id, "combined", V("the rule of the combination"), V("none"));
    }
}

/* -- 16: who issued -- */

static void
check_inquest(struct check *k, const struct case_certificate *c)
{
    const struct case_party *issuer = case_party_of(k->c, c->issuer.v);
    bool is_prosecutor = issuer && issuer->organisation && leaf_is(&issuer->organisation->kind, "prosecutor");
    if (!is_prosecutor)
        found_at(k, c->id, "issuer", V("prosecutor"),
                 issuer && issuer->organisation ? issuer->organisation->kind.v : V("unknown"));
}

void
invariant_16(struct check *k)
{
    date when;
    for (const struct case_certificate *c = k->c->certificates; c; c = c->next)
        if (leaf_is(&c->kind, "inquest"))
            check_inquest(k, c);
    if (!accident_day(k->c, &when))
        return;
    for (const struct case_disability *d = k->c->disability; d; d = d->next) {
        const char *least = cali_disability_level(d->scale.v, when);
        if (least && !cali_level_reaches(d->issuer_level.v, view_of(least)))
            found_at(k, d->id, "issuer_level", view_of(least), d->issuer_level.v);
    }
}
