#include "flow/person/representation.h"

#include "flow/case/permission.h"

#include <criterion/criterion.h>

#define NOW ((instant){1000000})
#define LATER ((instant){2000000})

static const digest anna = {{1}}, bert = {{2}};

static struct row_representation
row(const char *kind, const char *acts)
{
    return (struct row_representation){
        .holder = anna, .kind = view_of(kind), .acts = view_of(acts), .valid_from = {1}};
}

Test(representation, stands_for_its_holder_act_and_time)
{
    struct row_representation r = row("attorney", "apply read");
    cr_assert_eq(representation_standing(&r, &anna, SERVES_FULL, V("apply"), NOW), STANDING_PROVEN);
    cr_assert_eq(representation_standing(&r, &bert, SERVES_FULL, V("apply"), NOW), STANDING_NONE);
    cr_assert_eq(representation_standing(&r, &anna, SERVES_FULL, V("account"), NOW), STANDING_ACT);
    cr_assert_eq(representation_standing(&r, &anna, SERVES_WARD, V("apply"), NOW), STANDING_NONE,
                 "a mandate is no guardianship");
    r.valid_to = NOW;
    cr_assert_eq(representation_standing(&r, &anna, SERVES_FULL, V("apply"), NOW), STANDING_EXPIRED);
    r.ended_at = NOW;
    cr_assert_eq(representation_standing(&r, &anna, SERVES_FULL, V("apply"), NOW), STANDING_NONE,
                 "what was taken back is not merely out of time");
    r = row("attorney", "apply");
    r.valid_from = LATER;
    cr_assert_eq(representation_standing(&r, &anna, SERVES_FULL, V("apply"), NOW), STANDING_NONE, "not yet");
}

Test(representation, the_best_row_counts)
{
    struct row_representation old = row("parent", "apply"), renewed = row("parent", "apply");
    old.valid_to = NOW;
    old.next = &renewed;
    cr_assert_eq(representation_standing(&old, &anna, SERVES_MINOR, V("apply"), NOW), STANDING_PROVEN);
}

Test(representation, under_guardianship_the_guardian_alone)
{
    struct row_representation mandate = row("attorney", "apply read"), ruling = row("guardian", "apply read");
    ruling.holder = bert;
    mandate.next = &ruling;
    cr_assert_eq(representation_condition(&mandate, V("apply"), NOW), SERVES_WARD);
    cr_assert(representation_may(&mandate, &bert, V("read"), NOW));
    cr_assert_not(representation_may(&mandate, &anna, V("read"), NOW), "the mandate lapsed with the ruling");
    ruling.ended_at = NOW;
    cr_assert(representation_may(&mandate, &anna, V("read"), NOW), "and counts when it is lifted");
}

Test(representation, an_assistant_does_nothing_alone)
{
    struct row_representation r = row("assistant", "apply");
    cr_assert_eq(representation_condition(&r, V("apply"), NOW), SERVES_ASSISTED);
    cr_assert_eq(representation_condition(&r, V("permit"), NOW), 0, "an act that the ruling does not name");
    cr_assert_not(representation_may(&r, &anna, V("apply"), NOW));
}

Test(representation, acts_beyond_the_kind_do_not_fit)
{
    const struct representation_rule *care = representation_rule_of(V("caregiver"));
    cr_assert(representation_acts_fit(care, V("apply read")));
    cr_assert(representation_acts_fit(care, V("")));
    cr_assert_not(representation_acts_fit(care, V("apply account")));
    cr_assert_not(representation_acts_fit(representation_rule_of(V("parent")), V("marry")));
    cr_assert_null(representation_rule_of(V("friend")));
}

/* Every kind's acts unless said are acts that it may carry, and acts of the table. */
Test(representation, the_table_agrees_with_itself)
{
    static const char *const acts[] = {
#define ACT(id, word) word,
#include "flow/person/representation.def"
#undef ACT
    };
    static const char *const kinds[] = {
#define REPRESENTATION(id, word, serves, issuer, most, unless, article, zh, en) word,
#include "flow/person/representation.def"
#undef REPRESENTATION
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct representation_rule *rule = representation_rule_of(view_of(kinds[i]));
        cr_assert(representation_acts_fit(rule, rule->unless), "%s", kinds[i]);
        for (view rest = rule->most; rest.n;) {
            view word = view_cut(&rest, ' ', NULL);
            bool known = false;
            for (size_t k = 0; k < COUNT_OF(acts); k++)
                known = known || view_eq(word, view_of(acts[k]));
            cr_assert(known, "%s", kinds[i]);
        }
    }
}

Test(representation, several_act_together_when_the_paper_says_so)
{
    struct row_representation r = row("guardian", "apply");
    cr_assert_not(representation_is_joint(&r, &anna, NOW));
    r.joint = 1;
    cr_assert(representation_is_joint(&r, &anna, NOW));
    r.ended_at = NOW;
    cr_assert_not(representation_is_joint(&r, &anna, NOW));
}

Test(permission, one_that_waits_for_a_proof_releases_nothing)
{
    struct row_permission p = {.kind = V("consent"),
                               .level = V("presumption"),
                               .purpose = V("claim"),
                               .kinds = V("certificate accident-part"),
                               .valid_from = {1},
                               .uses_left = -1};
    cr_assert(permission_stands(&p, p.recipient, V("claim"), KIND_CERTIFICATE, NOW));
    p.waits = V("representation");
    cr_assert_not(permission_stands(&p, p.recipient, V("claim"), KIND_CERTIFICATE, NOW));
    cr_assert_not(permission_stands(&p, p.recipient, V("claim"), KIND_ACCIDENT_PART, NOW));
    p.kind = V("mandate");
    cr_assert_null(permission_mandate(&p, p.recipient, KIND_CERTIFICATE, NOW));
}
