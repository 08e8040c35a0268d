/* Rules of compulsory motor insurance: the vectors of the regulation's text, the amounts of scenarios 4, 5 and 8, and random accidents. */
#include "adapters/rules/motor.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const date day = {.year = 2026, .month = 6, .day = 1, .precision = DATE_DAY};
static const date before_all = {.year = 2010, .month = 1, .day = 1, .precision = DATE_DAY};

/* ---- disability ---- */

static int64_t
combined(const int64_t *grades, size_t n, enum motor_rule *ret_rule)
{
    struct motor_combined c = {0};
    cr_assert_eq(motor_disability(grades, n, day, &c, NULL), E_OK);
    cr_expect(c.grade >= 1 && c.grade <= 15 && c.amount <= cali_grade_amount(c.grade, day));
    *ret_rule = c.rule;
    return c.amount;
}

Test(motor_rules, disabilities_combine_as_the_standard_says)
{
    static const struct {
        int64_t grades[3];
        size_t n;
        int64_t amount;
        enum motor_rule rule;
    } rows[] = {
        {{7, 9}, 2, 900000, MOTOR_RULE_GRADE_UP_1},
        {{7, 8}, 2, 1070000, MOTOR_RULE_GRADE_UP_2},
        {{5, 5}, 2, 1670000, MOTOR_RULE_GRADE_UP_3},
        {{2, 4}, 2, 2000000, MOTOR_RULE_GRADE_UP_3},
        {{10, 14}, 2, 440000, MOTOR_RULE_GRADE_SUM},
        {{14, 14}, 2, 100000, MOTOR_RULE_GRADE_UP_1},
        {{9, 15}, 2, 470000, MOTOR_RULE_GRADE_HIGHEST},
        {{15, 15}, 2, 50000, MOTOR_RULE_GRADE_HIGHEST},
        {{6}, 1, 900000, MOTOR_RULE_GRADE},
        {{1, 1}, 2, 2000000, MOTOR_RULE_GRADE_UP_3},
        {{9, 7, 15}, 3, 900000, MOTOR_RULE_GRADE_UP_1},
        {{13, 8, 8}, 3, 900000, MOTOR_RULE_GRADE_UP_2},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum motor_rule rule = MOTOR_NO_RULE;
        int64_t amount = combined(rows[i].grades, rows[i].n, &rule);
        cr_expect_eq(amount, rows[i].amount, "(%lld, %lld): %lld", (long long)rows[i].grades[0],
                     (long long)rows[i].grades[1], (long long)amount);
        cr_expect_eq(rule, rows[i].rule, "row %zu: %s", i, motor_rule_row(rule)->number);
    }
}

/* All pairs: the order does not matter, it is never less than the worse one nor more than both. */
Test(motor_rules, every_pair_lies_between_the_worse_and_the_sum)
{
    for (int64_t a = 1; a <= 15; a++)
        for (int64_t b = 1; b <= 15; b++) {
            const int64_t ab[] = {a, b}, ba[] = {b, a};
            enum motor_rule rule;
            int64_t both = combined(ab, 2, &rule), worse = cali_grade_amount(a < b ? a : b, day);
            cr_expect(both == combined(ba, 2, &rule) && both >= worse);
            cr_expect(both <= cali_grade_amount(a, day) + cali_grade_amount(b, day) && both <= 2000000);
        }
}

Test(motor_rules, grades_outside_of_the_scale_are_refused)
{
    static const int64_t none[] = {0}, sixteen[] = {7, 16};
    int64_t amount;
    struct motor_combined c;
    cr_expect_eq(motor_disability(none, 1, day, &c, NULL), E_OUT_OF_RANGE);
    cr_expect_eq(motor_disability(sixteen, 2, day, &c, NULL), E_OUT_OF_RANGE);
    cr_expect_eq(motor_disability(none, 0, day, &c, NULL), E_OUT_OF_RANGE);
    cr_expect(motor_aggravation(9, 7, day, &amount, NULL) == E_OK && amount == 260000);
    cr_expect_eq(motor_aggravation(7, 9, day, &amount, NULL), E_OUT_OF_RANGE);
    cr_expect_eq(motor_aggravation(7, 7, day, &amount, NULL), E_OUT_OF_RANGE);
}

/* ---- scenario 4 ---- */

Test(motor_rules, scenario_4_counts_65320_and_leaves_134680)
{
    static const struct {
        const char *category;
        int64_t stated, units, eligible;
    } items[] = {{"copay", 3400, 0, 3400},      {"room_difference", 8000, 4, 6000},
                 {"meals", 800, 4, 720},        {"denture", 36000, 2, 20000},
                 {"nursing", 24000, 10, 12000}, {"device", 26000, 0, 20000},
                 {"transport", 3200, 0, 3200}};
    int64_t sum = 0;
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        enum motor_rule rule;
        int64_t got =
            motor_item_eligible(view_of(items[i].category), items[i].stated, items[i].units, day, &rule);
        cr_expect_eq(got, items[i].eligible, "%s: %lld", items[i].category, (long long)got);
        cr_expect_eq(rule, got < items[i].stated ? MOTOR_RULE_ITEM_CAP : MOTOR_NO_RULE);
        sum += got;
    }
    cr_expect_eq(sum, 65320);
    cr_expect_eq(motor_nhi_headroom(sum, 180000, false, false, day), 134680);
    cr_expect_eq(motor_nhi_headroom(sum, 100000, false, false, day), 100000);
    cr_expect_eq(motor_nhi_headroom(sum, 180000, true, false, day), 0, "once");
    cr_expect_eq(motor_nhi_headroom(sum, 180000, false, true, day), 0, "not from the fund");
    cr_expect_eq(motor_nhi_headroom(250000, 180000, false, false, day), 0);
}

Test(motor_rules, caps_have_most_units_and_a_first_day)
{
    enum motor_rule rule;
    cr_expect_eq(motor_item_eligible(V("nursing"), 60000, 50, day, &rule), 36000, "thirty days");
    cr_expect_eq(motor_item_eligible(V("denture"), 90000, 9, day, &rule), 50000);
    cr_expect_eq(motor_item_eligible(V("eye"), 50000, 1, day, &rule), 10000);
    cr_expect_eq(motor_item_eligible(V("limb"), 120000, 2, day, &rule), 100000);
    cr_expect_eq(motor_item_eligible(V("first_aid"), 98765, 0, day, &rule), 98765, "as stated");
    cr_expect_eq(motor_item_eligible(V("nursing"), 60000, 50, before_all, &rule), 60000,
                 "no rule for that day");
}

/* ---- scenarios 5 and 8 ---- */

Test(motor_rules, heirs_take_by_order_in_equal_shares)
{
    static const enum motor_heir family[] = {MOTOR_HEIR_SIBLING, MOTOR_HEIR_SPOUSE, MOTOR_HEIR_CHILD,
                                             MOTOR_HEIR_CHILD};
    int64_t shares[4];
    cr_expect_eq(motor_heirs(family, 4, 2000000, shares), 3);
    cr_expect(shares[0] == 0 && shares[1] == 666667 && shares[2] == 666667 && shares[3] == 666666);
    cr_expect(motor_heirs(family, 1, 2000000, shares) == 1 && shares[0] == 2000000,
              "a sibling alone takes all");
    cr_expect_eq(motor_heirs(family, 0, 2000000, shares), 0);
    cr_expect(motor_heir_of(V("grandchild")) == MOTOR_HEIR_GRANDCHILD &&
              motor_heir_of(V("cousin")) == MOTOR_HEIR_KINDS);
    cr_expect(motor_heir_order(MOTOR_HEIR_GRANDPARENT) == 2 && motor_heir_order(MOTOR_HEIR_GRANDCHILD) == 3);
    cr_expect_eq(motor_interim_death(0, day), 1000000);
    cr_expect_eq(motor_interim_death(400000, day), 600000);
    cr_expect_eq(motor_interim_grade(9, 0, day), 470000);
}

Test(motor_rules, scenario_8_death_takes_in_the_disability_and_all_stay_below_the_ceiling)
{
    const struct motor_heads paid = {.medical = 200000, .disability = 900000}, died = {.death = 2000000};
    const struct motor_heads more = {.medical = 1, .disability = 440000, .death = 0};
    enum motor_rule rule;
    struct motor_heads fit = motor_fit(&paid, &died, day, &rule);
    cr_expect(fit.death == 1100000 && rule == MOTOR_RULE_DEATH);
    fit = motor_fit(&paid, &more, day, &rule);
    cr_expect(fit.medical == 0 && fit.disability == 440000 && rule == MOTOR_RULE_MEDICAL_CAP);
    const struct motor_heads all = {.medical = 200000, .death = 2000000};
    fit = motor_fit(&all, &more, day, &rule);
    cr_expect(fit.medical == 0 && fit.disability == 0 && fit.death == 0);
}

/* ---- who answers ---- */

#define INS MOTOR_COVER_INSURED

static struct motor_targets
answers(const enum motor_cover *vehicles, size_t n, enum motor_place place, size_t own)
{
    struct motor_targets t;
    const struct motor_person p = {.place = place, .vehicle = own};
    cr_assert_eq(motor_who_answers(vehicles, n, &p, &t, NULL), E_OK);
    return t;
}

Test(motor_rules, two_many_outsider_single)
{
    static const enum motor_cover two[] = {INS, INS}, three[] = {INS, INS, INS},
                                  mixed[] = {INS, MOTOR_COVER_UNINSURED}, gone[] = {MOTOR_COVER_UNIDENTIFIED};
    struct motor_targets t = answers(two, 2, MOTOR_DRIVER, 1);
    cr_expect(t.n == 1 && t.vehicles[0] == 0 && !t.joint && !strcmp(t.kind, "two"),
              "the other one's insurer");
    t = answers(two, 2, MOTOR_PASSENGER, 1);
    cr_expect(t.n == 2 && t.joint && t.rule == MOTOR_RULE_PASSENGER, "both, jointly");
    t = answers(three, 3, MOTOR_DRIVER, 1);
    cr_expect(t.n == 2 && t.vehicles[0] == 0 && t.vehicles[1] == 2 && t.joint && !strcmp(t.kind, "many"));
    t = answers(two, 1, MOTOR_DRIVER, 0);
    cr_expect(t.n == 0 && !t.fund && t.rule == MOTOR_RULE_SINGLE_DRIVER, "nobody");
    t = answers(two, 1, MOTOR_PASSENGER, 0);
    cr_expect(t.n == 1 && !t.joint);
    t = answers(mixed, 2, MOTOR_OUTSIDE, 0);
    cr_expect(t.n == 1 && t.fund && t.joint && t.ground == MOTOR_COVER_UNINSURED,
              "scenario 5: insurer and fund");
    t = answers(gone, 1, MOTOR_OUTSIDE, 0);
    cr_expect(t.n == 0 && t.fund && !t.joint && t.ground == MOTOR_COVER_UNIDENTIFIED,
              "scenario 6: hit and run");
    const struct motor_person culprit = {.place = MOTOR_OUTSIDE, .by_intent_or_crime = true};
    cr_expect(motor_who_answers(mixed, 2, &culprit, &t, NULL) == E_OK && t.n == 0 && !t.fund &&
              t.rule == MOTOR_RULE_EXCLUDED);
    const struct motor_person nowhere = {.place = MOTOR_DRIVER, .vehicle = 2};
    cr_expect_eq(motor_who_answers(mixed, 2, &nowhere, &t, NULL), E_PARAMETER);
    cr_expect_eq(motor_who_answers(mixed, 0, &culprit, &t, NULL), E_PARAMETER);
    cr_expect_eq(motor_cover_of(V("exempt")), MOTOR_COVER_EXEMPT);
}

Test(motor_rules, fund_deducts_and_shares_sum_up)
{
    cr_expect(motor_fund_pays(65320, 20000) == 45320 && motor_fund_pays(100, 200) == 0);
    for (size_t n = 1; n < 6; n++) {
        int64_t sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += motor_share(100001, n, i);
        cr_expect_eq(sum, 100001);
    }
}

/* ---- recourse ---- */

Test(motor_rules, recourse_only_where_the_line_allows)
{
    static const char *const lines[] = {"life",
                                        "health",
                                        "injury",
                                        "cali",
                                        "fund",
                                        "own_damage",
                                        "theft",
                                        "liability_injury",
                                        "liability_property",
                                        "passenger",
                                        "driver_injury",
                                        "nhi"};
    static const char *const kinds[] = {"cali_29",  "cali_33",       "fund_42", "fund_reclaim_40iv",
                                        "share_36", "own_damage_53", "nhi_95i", "nhi_95ii"};
    static const char *const allowed[] = {"cali cali_29",
                                          "cali cali_33",
                                          "cali share_36",
                                          "fund fund_42",
                                          "fund fund_reclaim_40iv",
                                          "own_damage own_damage_53",
                                          "theft own_damage_53",
                                          "nhi nhi_95i",
                                          "nhi nhi_95ii"};
    size_t good = 0;
    for (size_t l = 0; l < COUNT_OF(lines); l++)
        for (size_t k = 0; k < COUNT_OF(kinds); k++) {
            char pair[64];
            bool may = false;
            enum motor_rule rule = MOTOR_NO_RULE;
            snprintf(pair, sizeof pair, "%s %s", lines[l], kinds[k]);
            for (size_t i = 0; i < COUNT_OF(allowed); i++)
                may |= strcmp(pair, allowed[i]) == 0;
            err e = motor_recourse(view_of(lines[l]), view_of(kinds[k]), &rule, NULL);
            cr_expect_eq(e, may ? E_OK : E_RECOURSE, "%s", pair);
            cr_expect_neq(rule, MOTOR_NO_RULE);
            good += e == E_OK;
        }
    cr_expect_eq(good, COUNT_OF(allowed));
    enum motor_rule rule;
    cr_expect(motor_recourse(V("life"), V("own_damage_53"), &rule, NULL) == E_RECOURSE &&
              rule == MOTOR_RULE_BARRED_LIFE);
    cr_expect(motor_recourse(V("health"), V("x"), &rule, NULL) == E_RECOURSE &&
              rule == MOTOR_RULE_BARRED_HEALTH);
    cr_expect(motor_recourse(V("injury"), V("x"), &rule, NULL) == E_RECOURSE &&
              rule == MOTOR_RULE_BARRED_INJURY);
}

Test(motor_rules, recourse_lapses_two_years_after_payment_where_the_law_says_so)
{
    date until;
    const date leap = {.year = 2028, .month = 2, .day = 29, .precision = DATE_DAY};
    cr_expect(motor_recourse_lapses(V("cali_29"), day, &until) && until.year == 2028 && until.month == 6);
    cr_expect(motor_recourse_lapses(V("fund_42"), leap, &until) && until.year == 2030 && until.day == 28);
    cr_expect_not(motor_recourse_lapses(V("own_damage_53"), day, &until));
}

/* ---- random accidents ---- */

static uint64_t
dice(uint64_t *state, uint64_t sides)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % sides;
}

static void
check_targets(uint64_t *s, const enum motor_cover *vehicles, size_t n)
{
    const struct motor_person p = {(enum motor_place)dice(s, 3), dice(s, n), dice(s, 20) == 0};
    struct motor_targets t;
    size_t uncovered = 0, insured = 0;
    cr_assert_eq(motor_who_answers(vehicles, n, &p, &t, NULL), E_OK);
    for (size_t i = 0; i < t.n; i++) {
        cr_assert_lt(t.vehicles[i], n);
        cr_assert_eq(vehicles[t.vehicles[i]], INS, "only insurers of insured vehicles answer");
        cr_assert(p.place != MOTOR_DRIVER || t.vehicles[i] != p.vehicle, "never the own vehicle's insurer");
    }
    for (size_t i = 0; i < n; i++) {
        bool own = p.place == MOTOR_DRIVER && i == p.vehicle;
        uncovered += !own && vehicles[i] != INS;
        insured += !own && vehicles[i] == INS;
    }
    cr_assert_eq(t.n, p.by_intent_or_crime ? 0 : insured);
    cr_assert_eq(t.fund, !p.by_intent_or_crime && uncovered > 0);
    cr_assert_eq(t.joint, t.n + t.fund > 1);
    cr_assert(motor_rule_row(t.rule));
}

/* Claims of one victim come one after another, from any insurer, in any order. */
static void
check_ceilings(uint64_t *s)
{
    struct motor_heads paid = {0};
    for (uint64_t claims = 1 + dice(s, 6); claims; claims--) {
        const struct motor_heads asked = {.medical = (int64_t)dice(s, 300001),
                                          .disability = (int64_t)dice(s, 3) *
                                                        cali_grade_amount((int64_t)dice(s, 15) + 1, day),
                                          .death = dice(s, 4) == 0 ? 2000000 : 0};
        enum motor_rule rule;
        struct motor_heads fit = motor_fit(&paid, &asked, day, &rule);
        cr_assert(fit.medical >= 0 && fit.disability >= 0 && fit.death >= 0);
        cr_assert(fit.medical <= asked.medical && fit.disability <= asked.disability &&
                  fit.death <= asked.death);
        bool cut =
            fit.medical < asked.medical || fit.disability < asked.disability || fit.death < asked.death;
        cr_assert_eq(cut, rule != MOTOR_NO_RULE, "whoever cuts says by which rule");
        paid.medical += fit.medical;
        paid.disability += fit.disability;
        paid.death += fit.death;
        cr_assert_leq(paid.medical, 200000);
        cr_assert_leq(paid.disability + paid.death, 2000000);
        cr_assert_leq(paid.medical + paid.disability + paid.death, 2200000);
        cr_assert_leq(paid.medical +
                          motor_nhi_headroom(paid.medical, (int64_t)dice(s, 500000), false, false, day),
                      200000);
    }
}

static void
check_heirs(uint64_t *s)
{
    enum motor_heir heirs[12];
    int64_t shares[12], sum = 0, amount = (int64_t)dice(s, 2000001), low = INT64_MAX, high = 0;
    size_t n = dice(s, 12) + 1;
    int first = 5;
    for (size_t i = 0; i < n; i++) {
        heirs[i] = (enum motor_heir)dice(s, MOTOR_HEIR_KINDS);
        first = motor_heir_order(heirs[i]) < first ? motor_heir_order(heirs[i]) : first;
    }
    size_t sharing = motor_heirs(heirs, n, amount, shares), counted = 0;
    for (size_t i = 0; i < n; i++) {
        bool in = motor_heir_order(heirs[i]) == first;
        cr_assert(in || shares[i] == 0);
        counted += in;
        sum += shares[i];
        if (in && shares[i] < low)
            low = shares[i];
        if (in && shares[i] > high)
            high = shares[i];
    }
    cr_assert(sharing == counted && sum == amount && high - low <= 1);
}

Test(motor_rules, twenty_thousand_random_accidents)
{
    uint64_t state = 20260601;
    for (int i = 0; i < 20000; i++) {
        enum motor_cover vehicles[MOTOR_VEHICLES_MAX];
        size_t n = dice(&state, MOTOR_VEHICLES_MAX) + 1;
        for (size_t v = 0; v < n; v++)
            vehicles[v] = dice(&state, 3) ? INS : (enum motor_cover)dice(&state, MOTOR_COVERS);
        check_targets(&state, vehicles, n);
        check_ceilings(&state);
        check_heirs(&state);
    }
}

Test(motor_rules, every_rule_names_its_article_and_says_it_in_two_languages)
{
    for (int r = MOTOR_NO_RULE + 1; r < MOTOR_RULES; r++) {
        const struct motor_rule_row *row = motor_rule_row((enum motor_rule)r);
        cr_expect(row->number[0] && row->text[0][0] && row->text[1][0] && row->since > 20000101);
        for (int other = 1; other < r; other++)
            cr_expect_str_neq(row->number, motor_rule_row((enum motor_rule)other)->number);
    }
    cr_expect_null(motor_rule_row(MOTOR_NO_RULE));
    cr_expect_null(motor_rule_row(MOTOR_RULES));
}
