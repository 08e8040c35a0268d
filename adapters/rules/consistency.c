#include "adapters/rules/consistency.h"

#include "adapters/case_walk.h"
#include "base/text.h"

#define FINDINGS_PER_RULE 64
#define DAY_US INT64_C(86400000000)

struct check {
    struct claim_case *c;
    arena *mem;
    const struct consistency_row *rule;
    size_t n;
    err failed;
};

#define CONSISTENCY(number, code, severity, compares, en, zh)                                                \
    static void consistent_##number(struct check *k);
#include "adapters/rules/consistency.def"
#undef CONSISTENCY

static const struct consistency_row rules[] = {
#define CONSISTENCY(number, code, severity, compares, en, zh) {number, code, #severity, compares, {en, zh}},
#include "adapters/rules/consistency.def"
#undef CONSISTENCY
};

static void (*const checks[])(struct check *k) = {
#define CONSISTENCY(number, code, severity, compares, en, zh) consistent_##number,
#include "adapters/rules/consistency.def"
#undef CONSISTENCY
};

size_t
consistency_rules(const struct consistency_row **ret)
{
    *ret = rules;
    return COUNT_OF(rules);
}

/* -- findings -- */

/* One of the two places. */
struct said {
    view id; /* of the element; empty: of the case itself */
    view rest;
    view value;
    struct source src;
};

static const struct case_document *
document_at(const struct claim_case *c, uint16_t index)
{
    const struct case_document *d = c->documents;
    for (uint16_t i = 0; d && i < index; i++)
        d = d->next;
    return d;
}

static bool
add_evidence(struct check *k, struct case_finding *f, view pointer, struct source src)
{
    struct source own = source_gateway(HOW_COMPUTED);
    struct case_finding_evidence *e = case_add_finding_evidence(k->mem, f);
    const struct case_document *d = src.document == CASE_NO_DOCUMENT ? NULL : document_at(k->c, src.document);
    if (!e || !pointer.p)
        return false;
    leaf_set_text(&e->pointer, pointer, own);
    if (!d)
        return true;
    leaf_set_int(&e->offset, src.from, own);
    leaf_set_int(&e->length, src.length, own);
    return case_ref(k->mem, &e->document, d->id, own);
}

/* The pointer of a finding is where the second source stands: what differs from what was expected. */
static void
tell_at(struct check *k, view expected_at, const struct said *expected, view found_at,
        const struct said *found)
{
    struct source own = source_gateway(HOW_COMPUTED);
    if (k->failed || k->n >= FINDINGS_PER_RULE)
        return;
    struct case_finding *f = case_add_findings(k->mem, k->c);
    struct case_finding_rule *rule = f ? case_make_finding_rule(k->mem, f) : NULL;
    view id = arena_printf(k->mem, "consistency-%02d", k->rule->number);
    bool ok = rule && id.p && found_at.p && add_evidence(k, f, found_at, found->src) &&
              (!expected || add_evidence(k, f, expected_at, expected->src));
    if (!ok) {
        k->failed = E_TOO_LARGE;
        return;
    }
    leaf_set_text(&f->code, view_of(k->rule->code), own);
    leaf_set_text(&f->severity, view_of(k->rule->severity), own);
    leaf_set_text(&f->pointer, found_at, own);
    if (expected && expected->value.n)
        leaf_set_text(&f->expected, expected->value, own);
    if (found->value.n)
        leaf_set_text(&f->found, found->value, own);
    leaf_set_text(&rule->id, id, own);
    leaf_set_text(&rule->version, V(CONSISTENCY_VERSION), own);
    leaf_set_text(&f->text.en, view_of(k->rule->text[LANG_EN]), own);
    leaf_set_text(&f->text.zh, view_of(k->rule->text[LANG_ZH]), own);
    k->n++;
}

static view
pointer_of(struct check *k, const struct said *s)
{
    return s ? case_pointer(k->c, s->id, s->rest, k->mem) : VIEW_NONE;
}

static void
tell(struct check *k, const struct said *expected, const struct said *found)
{
    tell_at(k, pointer_of(k, expected), expected, pointer_of(k, found), found);
}

static view
time_text(struct check *k, const struct leaf_time *t)
{
    char text[32];
    date day = date_of_instant(t->v, t->offset);
    return arena_dup(k->mem,
                     t->precision == TIME_INSTANT ? instant_print(t->v, text) : date_print(day, text));
}

static view
number_text(struct check *k, int64_t n)
{
    return arena_printf(k->mem, "%lld", (long long)n);
}

/* Codings have no ids: they are named by index. */
static view
coding_at(struct check *k, const struct case_coding *list, const struct case_coding *c)
{
    int i = 0;
    for (; list && list != c; list = list->next)
        i++;
    return arena_printf(k->mem, "codings/%d/code", i);
}

/* -- who and what -- */

static bool
refers_to(const struct leaf_text *reference, view id)
{
    return id.n && reference->v.n == id.n + 1 && memcmp(reference->v.p + 1, id.p, id.n) == 0;
}

static bool
same_reference(const struct leaf_text *a, const struct leaf_text *b)
{
    return a->v.n && view_eq(a->v, b->v);
}

static const struct case_encounter *
encounter_of(const struct claim_case *c, const struct leaf_text *reference)
{
    for (const struct case_encounter *e = c->encounters; e; e = e->next)
        if (refers_to(reference, e->id))
            return e;
    return NULL;
}

static bool
is_of_party(const struct claim_case *c, const struct case_diagnosis *d, const struct case_accident_party *p)
{
    const struct case_encounter *e = encounter_of(c, &d->encounter);
    return same_reference(&d->patient, &p->party) || (e && same_reference(&e->patient, &p->party));
}

/* ICD-10-CM chapter XIX: S and T. */
static const struct case_coding *
injury_code(const struct case_diagnosis *d)
{
    for (const struct case_coding *c = d->codings; c; c = c->next)
        if (c->code.v.n >= 3 && (c->code.v.p[0] == 'S' || c->code.v.p[0] == 'T'))
            return c;
    return NULL;
}

static bool
is_code(const struct case_police_code *c, const char *words)
{
    view rest = view_of(words);
    while (c->resolved.v && rest.n)
        if (view_eq(view_cut(&rest, ' ', NULL), c->code.v))
            return true;
    return false;
}

/* A code of the form as it was stated: by its name or its number. */
static struct said
form_says(struct check *k, const struct case_accident_party *p, const char *member,
          const struct case_police_code *c)
{
    bool by_name =
        c->minor.v.n && c->minor.src.document != CASE_NO_DOCUMENT && c->minor.src.how != HOW_COMPUTED;
    view rest = arena_printf(k->mem, "%s/%s", member, by_name ? "minor" : "code");
    return (struct said){p->id, rest, c->minor.v.n ? c->minor.v : c->code.v,
                         by_name ? c->minor.src : c->code.src};
}

/* -- police against hospital -- */

static void
consistent_1(struct check *k)
{
    const struct case_accident *a = k->c->accident;
    if (!a || !a->occurred.set)
        return;
    const struct said accident = {VIEW_NONE, V("accident/occurred"), time_text(k, &a->occurred),
                                  a->occurred.src};
    for (const struct case_diagnosis *d = k->c->diagnoses; d; d = d->next) {
        const struct case_encounter *e = injury_code(d) ? encounter_of(k->c, &d->encounter) : NULL;
        bool is_party = false;
        for (const struct case_accident_party *p = a->parties; p && e; p = p->next)
            is_party = is_party || is_of_party(k->c, d, p);
        if (!is_party || !e->period.start.set)
            continue;
        const struct leaf_time *start = &e->period.start;
        bool before = start->precision == TIME_INSTANT
                          ? start->v.us < a->occurred.v.us
                          : date_days(date_of_instant(start->v, start->offset)) <
                                date_days(date_of_instant(a->occurred.v, a->occurred.offset));
        const struct said visit = {e->id, V("period/start"), time_text(k, start), start->src};
        if (before)
            tell(k, &accident, &visit);
    }
}

static void
consistent_2(struct check *k)
{
    if (!k->c->accident)
        return;
    for (const struct case_accident_party *p = k->c->accident->parties; p; p = p->next)
        for (const struct case_diagnosis *d = k->c->diagnoses; d && is_code(&p->injury_degree, "3");
             d = d->next) {
            const struct case_coding *code = injury_code(d);
            if (!code || !is_of_party(k->c, d, p))
                continue;
            const struct said hospital = {d->id, coding_at(k, d->codings, code), code->code.v,
                                          code->code.src},
                              police = form_says(k, p, "injury_degree", &p->injury_degree);
            tell(k, &police, &hospital);
            break;
        }
}

/* Blocks of ICD-10-CM chapter XIX for the form's 主要傷處; a region may be named by several. */
static const struct {
    const char *code, *blocks;
} regions[] = {{"1", "S0"}, {"2", "S1"},       {"3", "S2"},       {"4", "S3"},
               {"5", "S3"}, {"6", "S2 S3 S1"}, {"7", "S4 S5 S6"}, {"8", "S7 S8 S9"}};

static bool
is_in_region(view code, const char *blocks)
{
    view rest = view_of(blocks);
    while (rest.n)
        if (view_starts(code, view_cut(&rest, ' ', NULL)))
            return true;
    return false;
}

static const char *
blocks_of(const struct case_police_code *c)
{
    for (size_t i = 0; i < COUNT_OF(regions); i++)
        if (is_code(c, regions[i].code))
            return regions[i].blocks;
    return NULL;
}

static void
consistent_3(struct check *k)
{
    for (const struct case_accident_party *p = k->c->accident ? k->c->accident->parties : NULL; p;
         p = p->next) {
        const char *blocks = blocks_of(&p->main_injury);
        const struct case_diagnosis *first = NULL;
        bool same = false;
        for (const struct case_diagnosis *d = k->c->diagnoses; d && blocks; d = d->next) {
            const struct case_coding *code = is_of_party(k->c, d, p) ? injury_code(d) : NULL;
            if (!code || code->code.v.p[0] != 'S')
                continue;
            first = first ? first : d;
            same = same || is_in_region(code->code.v, blocks);
        }
        if (!first || same)
            continue;
        const struct case_coding *code = injury_code(first);
        const struct said hospital = {first->id, coding_at(k, first->codings, code), code->code.v,
                                      code->code.src},
                          police = form_says(k, p, "main_injury", &p->main_injury);
        tell(k, &police, &hospital);
    }
}

static const struct case_party *
person_of(const struct claim_case *c, const struct leaf_text *reference)
{
    for (const struct case_party *p = c->parties; p; p = p->next)
        if (p->person && refers_to(reference, p->id))
            return p;
    return NULL;
}

static int64_t
age_on(date born, date day)
{
    return day.year - born.year - (day.month < born.month || (day.month == born.month && day.day < born.day));
}

static void
consistent_4(struct check *k)
{
    const struct case_accident *a = k->c->accident;
    for (const struct case_accident_party *p = a && a->occurred.set ? a->parties : NULL; p; p = p->next) {
        const struct case_party *who = person_of(k->c, &p->party);
        if (!who)
            continue;
        const struct case_person *person = who->person;
        if (p->sex.v.n && person->sex.v.n && !view_eq(p->sex.v, person->sex.v)) {
            const struct said other = {who->id, V("person/sex"), person->sex.v, person->sex.src},
                              form = {p->id, V("sex"), p->sex.v, p->sex.src};
            tell(k, &other, &form);
        }
        if (!p->age.set || !person->birth_date.set || person->birth_date.v.precision != DATE_DAY)
            continue;
        int64_t age = age_on(person->birth_date.v, date_of_instant(a->occurred.v, a->occurred.offset));
        const struct said born = {who->id, V("person/birth_date"), number_text(k, age),
                                  person->birth_date.src},
                          form = {p->id, V("age"), number_text(k, p->age.v), p->age.src};
        if (age < p->age.v - 1 || age > p->age.v + 1)
            tell(k, &born, &form);
    }
}

/* -- alcohol and licence -- */

/* LOINC of ethanol in serum, plasma, blood. */
static bool
is_ethanol(const struct case_coded *code)
{
    static const char *const codes[] = {"5640-8", "5643-2", "5639-0", "56478-1"};
    for (const struct case_coding *c = code->codings; c; c = c->next)
        for (size_t i = 0; i < COUNT_OF(codes); i++)
            if (view_eq(c->code.v, view_of(codes[i])))
                return true;
    return false;
}

static bool
is_above_zero(view text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= '1' && text.p[i] <= '9')
            return true;
    return false;
}

static const struct case_result *
alcohol_found(const struct claim_case *c, const struct leaf_text *person, const struct case_report **ret)
{
    for (const struct case_report *r = c->reports; r; r = r->next)
        for (const struct case_result *x = same_reference(&r->patient, person) ? r->results : NULL; x;
             x = x->next)
            if (is_ethanol(&x->code) && is_above_zero(x->value.v)) {
                *ret = r;
                return x;
            }
    return NULL;
}

static void
consistent_5(struct check *k)
{
    for (const struct case_accident_party *p = k->c->accident ? k->c->accident->parties : NULL; p;
         p = p->next) {
        const struct case_report *report = NULL;
        const struct case_result *found =
            p->alcohol && is_code(&p->alcohol->code, "1 2") ? alcohol_found(k->c, &p->party, &report) : NULL;
        if (!found)
            continue;
        const struct said police = form_says(k, p, "alcohol/code", &p->alcohol->code),
                          laboratory = {found->id, V("value"), found->value.v, found->value.src};
        tell(k, &police, &laboratory);
    }
}

/* 0.15 mg/L of breath: codes 4 to 8 of both editions. */
static void
consistent_6(struct check *k)
{
    for (const struct case_accident_party *p = k->c->accident ? k->c->accident->parties : NULL; p;
         p = p->next) {
        if (!p->alcohol || !is_code(&p->alcohol->code, "4 5 6 7 8"))
            continue;
        const struct said police = form_says(k, p, "alcohol/code", &p->alcohol->code);
        tell(k, NULL, &police);
    }
}

static void
consistent_7(struct check *k)
{
    for (const struct case_accident_party *p = k->c->accident ? k->c->accident->parties : NULL; p;
         p = p->next) {
        if (!p->licence || !is_code(&p->licence->status, "2 3 4 5 6"))
            continue;
        const struct said police = form_says(k, p, "licence/status", &p->licence->status);
        tell(k, NULL, &police);
    }
}

/* -- receipts against the stay -- */

static int64_t
day_of(const struct leaf_time *t)
{
    return date_days(date_of_instant(t->v, t->offset));
}

/* The stay that a receipt names, when it names one alone. */
static const struct case_encounter *
stay_of(const struct claim_case *c, const struct case_expense *e)
{
    const struct case_item *list = e->covers ? e->covers->encounters : NULL;
    return list && !list->next ? encounter_of(c, &list->text) : NULL;
}

static void
consistent_8(struct check *k)
{
    for (const struct case_expense *e = k->c->expenses; e; e = e->next) {
        const struct case_encounter *stay = stay_of(k->c, e);
        if (!stay || !stay->period.start.set || !stay->period.end.set)
            continue;
        const struct leaf_time *from = &e->covers->period.start, *to = &e->covers->period.end;
        const struct said begin = {stay->id, V("period/start"), time_text(k, &stay->period.start),
                                   stay->period.start.src},
                          end = {stay->id, V("period/end"), time_text(k, &stay->period.end),
                                 stay->period.end.src},
                          first = {e->id, V("covers/period/start"), time_text(k, from), from->src},
                          last = {e->id, V("covers/period/end"), time_text(k, to), to->src};
        if (from->set && day_of(from) < day_of(&stay->period.start))
            tell(k, &begin, &first);
        if (to->set && day_of(to) > day_of(&stay->period.end))
            tell(k, &end, &last);
    }
}

static bool
is_daily(const struct case_expense_line *l)
{
    return l->category &&
           (view_eq(l->category->nhi_list.v, V("ward")) ||
            view_eq(l->category->cali.v, V("room_difference")) || view_eq(l->category->cali.v, V("meals")));
}

/* Hospital days are counted with the first and the last; a line in days alone is judged. */
static void
consistent_9(struct check *k)
{
    for (const struct case_expense *e = k->c->expenses; e; e = e->next) {
        const struct case_encounter *stay = stay_of(k->c, e);
        if (!stay || !stay->period.start.set || !stay->period.end.set)
            continue;
        int64_t days = day_of(&stay->period.end) - day_of(&stay->period.start) + 1, charged;
        for (const struct case_expense_line *l = e->lines; l; l = l->next) {
            const struct leaf_decimal *qty = &l->qty.value;
            bool in_days = view_eq(l->qty.unit.v, V("d")) || view_eq(l->qty.unit.v, V("日")) ||
                           view_eq(l->qty.unit.v, V("天"));
            char text[24];
            if (!is_daily(l) || !in_days || !qty->set ||
                text_to_i64(decimal_print(qty->v, text), &charged) != E_OK || charged <= days)
                continue;
            const struct said had = {stay->id, V("period/end"), number_text(k, days), stay->period.end.src},
                              line = {l->id, V("qty/value"), number_text(k, charged), qty->src};
            tell(k, &had, &line);
        }
    }
}

/* -- certificate against pathology -- */

enum malignancy { NOT_SAID, INVASIVE, IN_SITU };

/* ICD-10: C00 to C96 malignant, D00 to D09 in situ. */
static enum malignancy
malignancy_of(view code)
{
    if (code.n < 3)
        return NOT_SAID;
    return code.p[0] == 'C' ? INVASIVE : code.p[0] == 'D' && code.p[1] == '0' ? IN_SITU : NOT_SAID;
}

static const struct case_coding *
coded_malignancy(const struct case_coding *list, enum malignancy *ret)
{
    for (; list; list = list->next) {
        bool is_loinc = view_find(list->system.v, V("loinc")) < list->system.v.n;
        *ret = is_loinc ? NOT_SAID : malignancy_of(list->code.v);
        if (*ret != NOT_SAID)
            return list;
    }
    return NULL;
}

static bool
is_same_patient(const struct claim_case *c, const struct case_diagnosis *d, const struct case_report *r)
{
    const struct case_encounter *e = encounter_of(c, &d->encounter);
    return same_reference(&d->patient, &r->patient) || (e && same_reference(&e->patient, &r->patient));
}

static void
consistent_10(struct check *k)
{
    for (const struct case_report *r = k->c->reports; r; r = r->next) {
        enum malignancy pathology = NOT_SAID, certified;
        const struct case_coding *in_report = coded_malignancy(r->codings, &pathology);
        for (const struct case_diagnosis *d = in_report ? k->c->diagnoses : NULL; d; d = d->next) {
            const struct case_coding *named = coded_malignancy(d->codings, &certified);
            if (!named || certified == pathology ||
                named->code.src.document == in_report->code.src.document || !is_same_patient(k->c, d, r))
                continue;
            const struct said certificate = {d->id, coding_at(k, d->codings, named), named->code.v,
                                             named->code.src},
                              report = {r->id, coding_at(k, r->codings, in_report), in_report->code.v,
                                        in_report->code.src};
            tell(k, &certificate, &report);
        }
    }
}

/* -- what the fold saw -- */

/* A conflict that the fold kept: its first two values, of different documents. */
static void
from_conflicts(struct check *k, const char *const *places, size_t n)
{
    for (const struct case_conflict *c = k->c->conflicts; c; c = c->next) {
        bool named = false;
        for (size_t i = 0; i < n; i++)
            named = named || view_starts(c->pointer.v, view_of(places[i]));
        const struct case_conflict_value *a = named ? c->values : NULL, *b = a ? a->next : NULL;
        if (!b)
            continue;
        const struct said first = {.value = a->value.v, .src = a->value.src},
                          second = {.value = b->value.v, .src = b->value.src};
        tell_at(k, c->pointer.v, &first, c->pointer.v, &second);
    }
}

static void
consistent_11(struct check *k)
{
    static const char *const places[] = {"/event/occurred", "/accident/occurred"};
    from_conflicts(k, places, COUNT_OF(places));
}

static void
consistent_12(struct check *k)
{
    static const char *const places[] = {"/event/place", "/accident/place"};
    from_conflicts(k, places, COUNT_OF(places));
}

/* -- running -- */

err
consistency_check(struct claim_case *c, arena *mem, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct check k = {.c = c, .mem = mem, .rule = &rules[i]};
        checks[i](&k);
        TRY(k.failed);
        n += k.n;
    }
    if (ret_n)
        *ret_n = n;
    return E_OK;
}
