/* Compulsory motor insurance and recourse: who may claim from whom, what counts, what is left.
 *
 * Advice, with the number and day of the rule it rests on; never a decision, and never a change of what was stated.  Rules follow the
 * accident's date (強保法 27 III).  The text stands in motor.def, the figures in adapters/cali.def.  Amounts are whole NT$, not negative.
 * Pure functions over plain values, any thread. */
#ifndef ADAPTERS_RULES_MOTOR_H
#define ADAPTERS_RULES_MOTOR_H

#include "adapters/cali.h"
#include "base/err.h"

#include <stdbool.h>

enum motor_rule {
    MOTOR_NO_RULE,
#define MOTOR_RULE(id, number, article, since, en, zh) MOTOR_RULE_##id,
#include "adapters/rules/motor.def"
#undef MOTOR_RULE
    MOTOR_RULES
};

struct motor_rule_row {
    const char *number, *article;
    int32_t since;       /* YYYYMMDD */
    const char *text[2]; /* by enum lang */
};
/* NULL for MOTOR_NO_RULE and what is outside. */
const struct motor_rule_row *motor_rule_row(enum motor_rule r);

enum motor_cover {
#define MOTOR_COVER(id, word, fund) MOTOR_COVER_##id,
#include "adapters/rules/motor.def"
#undef MOTOR_COVER
    MOTOR_COVERS
};
/* MOTOR_COVERS when unknown. */
enum motor_cover motor_cover_of(view word);

/* ---- who claims from whom ---- */

#define MOTOR_VEHICLES_MAX 16

enum motor_place { MOTOR_DRIVER, MOTOR_PASSENGER, MOTOR_OUTSIDE };

struct motor_person {
    enum motor_place place;
    size_t vehicle;          /* his own; not for MOTOR_OUTSIDE */
    bool by_intent_or_crime; /* caused it so */
};

struct motor_targets {
    const char *kind; /* two, many, outsider, single: words of cali_rule */
    size_t
        vehicles[MOTOR_VEHICLES_MAX]; /* whose insurers answer, by index; joint when more than one answers */
    size_t n;
    bool fund;               /* the fund answers too, in place of a vehicle without cover */
    enum motor_cover ground; /* of the first such vehicle */
    bool joint;              /* each of them owes the whole (CALI-22-1) */
    enum motor_rule rule;
};
/* E_PARAMETER: no vehicle, too many, or a person in a vehicle that is not there. */
err motor_who_answers(const enum motor_cover *vehicles, size_t n, const struct motor_person *p,
                      struct motor_targets *ret, struct fault *f) MUST_USE;

/* What insurer i of n bears afterwards; the parts sum to the amount. */
int64_t motor_share(int64_t amount, size_t n, size_t i);

/* ---- what counts ---- */

/* Of one stated item; units are days, teeth, pieces (0: none stated, then one). */
int64_t motor_item_eligible(view category, int64_t stated, int64_t units, date on, enum motor_rule *ret_rule);

/* Grades 1 to 15 of one accident, in any order.  E_OUT_OF_RANGE. */
struct motor_combined {
    int64_t grade; /* that they count as together */
    int64_t amount;
    enum motor_rule rule;
};
err motor_disability(const int64_t *grades, size_t n, date on, struct motor_combined *ret, struct fault *f)
    MUST_USE;
/* A disability of grade `before` became `after` (a lower number). E_OUT_OF_RANGE. */
err motor_aggravation(int64_t before, int64_t after, date on, int64_t *ret_amount, struct fault *f) MUST_USE;

/* Of one victim and accident, over all claims of the case. */
struct motor_heads {
    int64_t medical, disability, death;
};
/* What of a further claim still fits under the ceilings, beside what was paid before (all insurers and the fund together).  A death
 * takes in the disability that was paid.  *ret_rule: the rule that cut last, MOTOR_NO_RULE when nothing was cut. */
struct motor_heads motor_fit(const struct motor_heads *paid, const struct motor_heads *asked, date on,
                             enum motor_rule *ret_rule);

/* What the health insurance may take: what the victim left of the medical ceiling, once; nothing from the fund. */
int64_t motor_nhi_headroom(int64_t medical_paid, int64_t nhi_asked, bool taken_before, bool from_fund,
                           date on);

/* The fund's compensation after what the other side paid. */
int64_t motor_fund_pays(int64_t eligible, int64_t other_side_paid);

/* ---- heirs ---- */

enum motor_heir {
#define MOTOR_HEIR(id, word, order) MOTOR_HEIR_##id,
#include "adapters/rules/motor.def"
#undef MOTOR_HEIR
    MOTOR_HEIR_KINDS
};
/* MOTOR_HEIR_KINDS when unknown. */
enum motor_heir motor_heir_of(view word);
/* 1 to 4 */
int motor_heir_order(enum motor_heir h);
/* shares[i] for each living heir; 0 for who is behind.  The odd dollars go to the first.  Returns how many share; 0: nobody
 * is there, MOTOR_RULE_FUNERAL. */
size_t motor_heirs(const enum motor_heir *heirs, size_t n, int64_t amount, int64_t *shares);

/* In advance: half of a death benefit, or the agreed grade's amount, less what was paid in advance before. */
int64_t motor_interim_death(int64_t paid_before, date on);
int64_t motor_interim_grade(int64_t agreed_grade, int64_t paid_before, date on);

/* ---- recourse ---- */

/* May this line take this recourse?  E_OK or E_RECOURSE, with the rule. */
err motor_recourse(view line, view kind, enum motor_rule *ret_rule, struct fault *f) MUST_USE;
/* Day from which it has lapsed; false where the rule names none. */
bool motor_recourse_lapses(view kind, date paid, date *ret);

#endif
