/* The rules over rows (representation.def). */
#include "flow/person/representation.h"

#include "flow/case/permission.h"

static const struct representation_rule rules[] = {
#define REPRESENTATION(id, word, serves, issuer, most, unless, article, zh, en)                              \
    {word, serves, ISSUER_##issuer, V_INIT(most), V_INIT(unless), article, {en, zh}},
#include "flow/person/representation.def"
#undef REPRESENTATION
};

const struct representation_rule *
representation_rule_of(view kind)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (view_eq(kind, view_of(rules[i].word)))
            return &rules[i];
    return NULL;
}

bool
representation_acts_fit(const struct representation_rule *rule, view acts)
{
    while (acts.n)
        if (!words_have(rule->most, view_cut(&acts, ' ', NULL)))
            return false;
    return true;
}

static bool
is_in_force(const struct row_representation *row, instant now)
{
    return !row->ended_at.us && row->valid_from.us <= now.us &&
           (!row->valid_to.us || row->valid_to.us > now.us);
}

/* Ended by its day and by nothing else: the same paper anew would do. */
static bool
is_expired(const struct row_representation *row, instant now)
{
    return !row->ended_at.us && row->valid_to.us && row->valid_to.us <= now.us;
}

static unsigned
serves_of(const struct row_representation *row)
{
    const struct representation_rule *rule = representation_rule_of(row->kind);
    return rule ? rule->serves : 0;
}

enum standing
representation_standing(const struct row_representation *list, const digest *holder, unsigned serves,
                        view act, instant now)
{
    enum standing best = STANDING_NONE;
    for (; list; list = list->next) {
        if (!digest_eq(&list->holder, holder) || !(serves_of(list) & serves))
            continue;
        enum standing is = is_expired(list, now)         ? STANDING_EXPIRED
                           : !is_in_force(list, now)     ? STANDING_NONE
                           : words_have(list->acts, act) ? STANDING_PROVEN
                                                         : STANDING_ACT;
        best = is > best ? is : best;
    }
    return best;
}

unsigned
representation_condition(const struct row_representation *list, view act, instant now)
{
    unsigned is = 0;
    for (; list; list = list->next) {
        if (!is_in_force(list, now))
            continue;
        if (view_eq(list->kind, V("guardian")))
            is |= SERVES_WARD;
        if (view_eq(list->kind, V("assistant")) && words_have(list->acts, act))
            is |= SERVES_ASSISTED;
    }
    return is & SERVES_WARD ? SERVES_WARD : is;
}

bool
representation_may(const struct row_representation *list, const digest *holder, view act, instant now)
{
    unsigned serves = representation_condition(list, act, now) & SERVES_WARD
                          ? SERVES_WARD
                          : SERVES_MINOR | SERVES_FULL | SERVES_DEAD;
    return representation_standing(list, holder, serves, act, now) == STANDING_PROVEN;
}

bool
representation_is_joint(const struct row_representation *list, const digest *holder, instant now)
{
    for (; list; list = list->next)
        if (digest_eq(&list->holder, holder) && is_in_force(list, now) && list->joint)
            return true;
    return false;
}

err
representation_allows(struct reader *r, const digest *person, const digest *holder, const char *act,
                      instant now, arena *mem, bool *ret)
{
    struct row_representation *list = NULL;
    TRY(query_representations_of(r, ARGS(val_digest(person)), mem, &list));
    *ret = representation_may(list, holder, view_of(act), now);
    return E_OK;
}

err
representation_reads(struct reader *r, uid in_case, const digest *holder, instant now, arena *mem, bool *ret)
{
    struct row_permission *list = NULL;
    *ret = false;
    TRY(query_permissions_of_case(r, ARGS(val_uid(&in_case)), mem, &list));
    for (; list && !*ret; list = list->next)
        TRY(representation_allows(r, &list->subject, holder, "read", now, mem, ret));
    return E_OK;
}
