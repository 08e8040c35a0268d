#include "adapters/rules/motor.h"

static const struct motor_rule_row rules[MOTOR_RULES] = {
#define MOTOR_RULE(id, number, article, since, en, zh) [MOTOR_RULE_##id] = {number, article, since, {en, zh}},
#include "adapters/rules/motor.def"
#undef MOTOR_RULE
};

static const struct {
    const char *word;
    bool fund;
} covers[MOTOR_COVERS] = {
#define MOTOR_COVER(id, word, fund) [MOTOR_COVER_##id] = {word, fund},
#include "adapters/rules/motor.def"
#undef MOTOR_COVER
};

static const struct {
    const char *word;
    int order;
} heir_rows[MOTOR_HEIR_KINDS] = {
#define MOTOR_HEIR(id, word, order) [MOTOR_HEIR_##id] = {word, order},
#include "adapters/rules/motor.def"
#undef MOTOR_HEIR
};

static const struct {
    const char *kind, *line;
    enum motor_rule rule;
    int years;
} recourses[] = {
#define MOTOR_RECOURSE(kind, line, rule, years) {#kind, #line, MOTOR_RULE_##rule, years},
#include "adapters/rules/motor.def"
#undef MOTOR_RECOURSE
};

static const struct {
    const char *line;
    enum motor_rule rule;
} barred[] = {
#define MOTOR_BARRED(line, rule) {#line, MOTOR_RULE_##rule},
#include "adapters/rules/motor.def"
#undef MOTOR_BARRED
};

const struct motor_rule_row *
motor_rule_row(enum motor_rule r)
{
    return r > MOTOR_NO_RULE && r < MOTOR_RULES ? &rules[r] : NULL;
}

enum motor_cover
motor_cover_of(view word)
{
    int i = 0;
    while (i < MOTOR_COVERS && !view_eq(word, view_of(covers[i].word)))
        i++;
    return (enum motor_cover)i;
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
not_below_zero(int64_t n)
{
    return n > 0 ? n : 0;
}

/* ---- who claims from whom ---- */

static enum motor_rule
rule_of(const struct motor_person *p, size_t n)
{
    if (p->place == MOTOR_OUTSIDE)
        return MOTOR_RULE_OUTSIDER;
    if (p->place == MOTOR_PASSENGER)
        return MOTOR_RULE_PASSENGER;
    return n == 1 ? MOTOR_RULE_SINGLE_DRIVER : n == 2 ? MOTOR_RULE_TWO_DRIVER : MOTOR_RULE_MANY_DRIVER;
}

static const char *
kind_of(const struct motor_person *p, size_t n)
{
    return p->place == MOTOR_OUTSIDE ? "outsider" : n == 1 ? "single" : n == 2 ? "two" : "many";
}

err
motor_who_answers(const enum motor_cover *vehicles, size_t n, const struct motor_person *p,
                  struct motor_targets *ret, struct fault *f)
{
    struct motor_targets t = {.kind = kind_of(p, n), .rule = rule_of(p, n), .ground = MOTOR_COVERS};
    size_t answering = 0;
    if (n == 0 || n > MOTOR_VEHICLES_MAX || (p->place != MOTOR_OUTSIDE && p->vehicle >= n))
        return fault_set(f, E_PARAMETER, "vehicles", "1 to 16, the person's own among them",
                         "another number");
    if (p->by_intent_or_crime) {
        t.rule = MOTOR_RULE_EXCLUDED;
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (p->place == MOTOR_DRIVER && i == p->vehicle)
            continue;
        if (!covers[vehicles[i]].fund) {
            t.vehicles[t.n++] = i;
            continue;
        }
        if (!t.fund)
            t.ground = vehicles[i];
        t.fund = true;
    }
    answering = t.n + t.fund;
    t.joint = answering > 1;
    *ret = t;
    return E_OK;
}

int64_t
motor_share(int64_t amount, size_t n, size_t i)
{
    int64_t count = (int64_t)n;
    return amount / count + ((int64_t)i < amount % count);
}

/* ---- what counts ---- */

int64_t
motor_item_eligible(view category, int64_t stated, int64_t units, date on, enum motor_rule *ret_rule)
{
    const struct cali_cap *cap = cali_cap_of(category, on);
    int64_t most = stated;
    *ret_rule = MOTOR_NO_RULE;
    if (!cap)
        return stated;
    units = units > 0 ? units : 1;
    if (cap->most_units)
        units = least(units, cap->most_units);
    if (cap->per_unit)
        most = least(most, cap->per_unit * units);
    if (cap->whole)
        most = least(most, cap->whole);
    if (most < stated)
        *ret_rule = MOTOR_RULE_ITEM_CAP;
    return most;
}

#define GRADES 15

/* Ranges of 給付標準 4: two or more grades from 1 to `lowest` lift the highest by `up`; the strictest range that holds counts. */
static const struct {
    int64_t lowest;
    int up;
    enum motor_rule rule;
} lifts[] = {{5, 3, MOTOR_RULE_GRADE_UP_3}, {8, 2, MOTOR_RULE_GRADE_UP_2}, {14, 1, MOTOR_RULE_GRADE_UP_1}};

static size_t
lift_of(const int64_t *grades, size_t n)
{
    for (size_t i = 0; i < COUNT_OF(lifts); i++) {
        size_t in_range = 0;
        for (size_t k = 0; k < n; k++)
            in_range += grades[k] <= lifts[i].lowest;
        if (in_range >= 2)
            return i;
    }
    return COUNT_OF(lifts);
}

err
motor_disability(const int64_t *grades, size_t n, date on, struct motor_combined *ret, struct fault *f)
{
    struct motor_combined c = {.grade = GRADES};
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (grades[i] < 1 || grades[i] > GRADES)
            return fault_set(f, E_OUT_OF_RANGE, "grades", "1 to 15", "another");
        c.grade = least(c.grade, grades[i]);
        sum += cali_grade_amount(grades[i], on);
    }
    if (n == 0)
        return fault_set(f, E_OUT_OF_RANGE, "grades", "at least one", "none");
    size_t lift = lift_of(grades, n);
    c.rule = n == 1 ? MOTOR_RULE_GRADE : MOTOR_RULE_GRADE_HIGHEST;
    if (lift < COUNT_OF(lifts)) {
        c.grade = c.grade > lifts[lift].up ? c.grade - lifts[lift].up : 1;
        c.rule = lifts[lift].rule;
    }
    c.amount = cali_grade_amount(c.grade, on);
    if (c.amount > sum) {
        c.amount = sum;
        c.rule = MOTOR_RULE_GRADE_SUM;
    }
    *ret = c;
    return E_OK;
}

err
motor_aggravation(int64_t before, int64_t after, date on, int64_t *ret_amount, struct fault *f)
{
    if (after < 1 || before > GRADES || after >= before)
        return fault_set(f, E_OUT_OF_RANGE, "grades", "a lower number than before, 1 to 15", "another");
    *ret_amount = cali_grade_amount(after, on) - cali_grade_amount(before, on);
    return E_OK;
}

struct motor_heads
motor_fit(const struct motor_heads *paid, const struct motor_heads *asked, date on, enum motor_rule *ret_rule)
{
    struct motor_heads fit = *asked;
    int64_t medical = cali_limit_of(CALI_LIMIT_medical, on), death = cali_limit_of(CALI_LIMIT_death, on);
    int64_t left =
        not_below_zero(cali_limit_of(CALI_LIMIT_total, on) - paid->medical - paid->disability - paid->death);
    int64_t *const heads[] = {&fit.death, &fit.disability, &fit.medical};
    *ret_rule = MOTOR_NO_RULE;
    fit.medical = least(fit.medical, not_below_zero(medical - paid->medical));
    if (fit.medical < asked->medical)
        *ret_rule = MOTOR_RULE_MEDICAL_CAP;
    fit.death = least(fit.death, not_below_zero(death - paid->disability - paid->death));
    fit.disability =
        least(fit.disability, not_below_zero(death - paid->disability - paid->death - fit.death));
    if (fit.death < asked->death || fit.disability < asked->disability)
        *ret_rule = MOTOR_RULE_DEATH;
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        if (*heads[i] > left)
            *ret_rule = MOTOR_RULE_TOTAL;
        *heads[i] = least(*heads[i], left);
        left -= *heads[i];
    }
    return fit;
}

int64_t
motor_nhi_headroom(int64_t medical_paid, int64_t nhi_asked, bool taken_before, bool from_fund, date on)
{
    if (taken_before || from_fund)
        return 0;
    return least(nhi_asked, not_below_zero(cali_limit_of(CALI_LIMIT_medical, on) - medical_paid));
}

int64_t
motor_fund_pays(int64_t eligible, int64_t other_side_paid)
{
    return not_below_zero(eligible - other_side_paid);
}

/* ---- heirs ---- */

enum motor_heir
motor_heir_of(view word)
{
    int i = 0;
    while (i < MOTOR_HEIR_KINDS && !view_eq(word, view_of(heir_rows[i].word)))
        i++;
    return (enum motor_heir)i;
}

int
motor_heir_order(enum motor_heir h)
{
    return heir_rows[h].order;
}

size_t
motor_heirs(const enum motor_heir *heirs, size_t n, int64_t amount, int64_t *shares)
{
    int first = 0;
    size_t sharing = 0, given = 0;
    for (size_t i = 0; i < n; i++)
        if (!first || heir_rows[heirs[i]].order < first)
            first = heir_rows[heirs[i]].order;
    for (size_t i = 0; i < n; i++)
        sharing += heir_rows[heirs[i]].order == first;
    for (size_t i = 0; i < n; i++)
        shares[i] = heir_rows[heirs[i]].order == first ? motor_share(amount, sharing, given++) : 0;
    return sharing;
}

int64_t
motor_interim_death(int64_t paid_before, date on)
{
    return not_below_zero(cali_limit_of(CALI_LIMIT_death, on) / 2 - paid_before);
}

int64_t
motor_interim_grade(int64_t agreed_grade, int64_t paid_before, date on)
{
    return not_below_zero(cali_grade_amount(agreed_grade, on) - paid_before);
}

/* ---- recourse ---- */

err
motor_recourse(view line, view kind, enum motor_rule *ret_rule, struct fault *f)
{
    *ret_rule = MOTOR_RULE_BARRED_OTHER;
    for (size_t i = 0; i < COUNT_OF(barred); i++)
        if (view_eq(line, view_of(barred[i].line)))
            *ret_rule = barred[i].rule;
    for (size_t i = 0; *ret_rule == MOTOR_RULE_BARRED_OTHER && i < COUNT_OF(recourses); i++)
        if (view_eq(kind, view_of(recourses[i].kind)) && view_eq(line, view_of(recourses[i].line))) {
            *ret_rule = recourses[i].rule;
            return E_OK;
        }
    return fault_set(f, E_RECOURSE, "recourse/kind", "a recourse that the line has", rules[*ret_rule].number);
}

bool
motor_recourse_lapses(view kind, date paid, date *ret)
{
    for (size_t i = 0; i < COUNT_OF(recourses); i++)
        if (view_eq(kind, view_of(recourses[i].kind)) && recourses[i].years) {
            date d = paid;
            d.year = (int16_t)(d.year + recourses[i].years);
            if (d.month == 2 && d.day == 29)
                d.day = 28; /* two years on there is none */
            *ret = d;
            return true;
        }
    return false;
}
