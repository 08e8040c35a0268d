#include "adapters/cali.h"

static const struct cali_cap caps[] = {
#define CALI_CAP(category, per_unit, unit, most, whole, from)                                                \
    {#category, per_unit, CALI_UNIT_##unit, most, whole, from},
#include "adapters/cali.def"
#undef CALI_CAP
};

static const struct {
    enum cali_limit limit;
    int64_t amount;
    int32_t from;
} limits[] = {
#define CALI_LIMIT(id, amount, from) {CALI_LIMIT_##id, amount, from},
#include "adapters/cali.def"
#undef CALI_LIMIT
};

static const struct {
    int64_t grade, amount;
    int32_t from;
} grades[] = {
#define CALI_GRADE(grade, amount, from) {grade, amount, from},
#include "adapters/cali.def"
#undef CALI_GRADE
};

static const struct {
    const char *scale, *level;
    int32_t from;
} levels[] = {
#define CALI_DISABILITY_LEVEL(scale, level, from) {#scale, #level, from},
#include "adapters/cali.def"
#undef CALI_DISABILITY_LEVEL
};

static const struct {
    const char *scale;
    int64_t last;
} scales[] = {
#define CALI_SCALE(scale, last) {#scale, last},
#include "adapters/cali.def"
#undef CALI_SCALE
};

static int32_t
day_number(date on)
{
    return on.year * 10000 + on.month * 100 + on.day;
}

/* In all tables the row with the latest first day that is not after the accident counts. */
const struct cali_cap *
cali_cap_of(view category, date on)
{
    const struct cali_cap *best = NULL;
    for (size_t i = 0; i < COUNT_OF(caps); i++)
        if (view_eq(view_of(caps[i].category), category) && caps[i].from <= day_number(on) &&
            (!best || caps[i].from > best->from))
            best = &caps[i];
    return best;
}

int64_t
cali_limit_of(enum cali_limit limit, date on)
{
    int64_t amount = 0;
    int32_t from = 0;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        if (limits[i].limit != limit || limits[i].from > day_number(on) || limits[i].from < from)
            continue;
        amount = limits[i].amount;
        from = limits[i].from;
    }
    return amount;
}

int64_t
cali_grade_amount(int64_t grade, date on)
{
    int64_t amount = 0;
    int32_t from = 0;
    for (size_t i = 0; i < COUNT_OF(grades); i++) {
        if (grades[i].grade != grade || grades[i].from > day_number(on) || grades[i].from < from)
            continue;
        amount = grades[i].amount;
        from = grades[i].from;
    }
    return amount;
}

int64_t
cali_last_grade(view scale)
{
    for (size_t i = 0; i < COUNT_OF(scales); i++)
        if (view_eq(view_of(scales[i].scale), scale))
            return scales[i].last;
    return 0;
}

static size_t
level_rank(view level)
{
    static const char *const words[] = {"unknown", "clinic", "district", "regional", "medical_centre"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_eq(level, view_of(words[i])))
            return i;
    return 0;
}

bool
cali_level_reaches(view level, view least)
{
    return level_rank(level) >= level_rank(least);
}

const char *
cali_disability_level(view scale, date on)
{
    for (size_t i = 0; i < COUNT_OF(levels); i++)
        if (view_eq(view_of(levels[i].scale), scale) && levels[i].from <= day_number(on))
            return levels[i].level;
    return NULL;
}
