/* Figures of compulsory motor insurance by the accident's date (adapters/cali.def).  Advice only: nothing
 * here decides a claim, and a stated amount is never replaced by a capped one.  Constant data, any thread. */
#ifndef ADAPTERS_CALI_H
#define ADAPTERS_CALI_H

#include "base/instant.h"
#include "base/view.h"

#include <stdbool.h>

enum cali_unit { CALI_UNIT_day, CALI_UNIT_each, CALI_UNIT_accident };

struct cali_cap {
    const char *category; /* word of cali_category */
    int64_t per_unit;     /* NT$; 0: none */
    enum cali_unit unit;
    int64_t most_units; /* 0: no limit */
    int64_t whole;      /* NT$ per accident; 0: none */
    int32_t from;       /* YYYYMMDD */
};

enum cali_limit {
#define CALI_LIMIT(id, amount, from) CALI_LIMIT_##id,
#include "adapters/cali.def"
#undef CALI_LIMIT
    CALI_LIMIT_COUNT
};

/* NULL when the category has no cap on that day, or the day lies before all rules. */
const struct cali_cap *cali_cap_of(view category, date on);
/* NT$; 0 when there is no rule for the day. */
int64_t cali_limit_of(enum cali_limit limit, date on);
int64_t cali_grade_amount(int64_t grade, date on);
/* Last grade of a scale; 0: the scale has no end of its own (a policy's). */
int64_t cali_last_grade(view scale);
/* Does a hospital of this level (word of issuer_level) reach the least one?  "unknown" reaches none. */
bool cali_level_reaches(view level, view least);
/* Word of the least hospital level that may certify by this scale, NULL when the table asks for none. */
const char *cali_disability_level(view scale, date on);

#endif
