#include "adapters/household/household.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD                                                                                                 \
    "{\"format\":\"household-extract-1\",\"office\":{\"code\":\"A99510001H\",\"name\":\"戶政\"},"          \
    "\"no\":\"HH-1\",\"issued\":\"2026-11-21\",\"person\":{\"name\":\"陳沙箱\",\"identifiers\":["         \
    "{\"system\":\"http://www.moi.gov.tw\",\"value\":\"E190150007\"}],\"birth_date\":\"1950-02-01\"%s}"
#define DIED ",\"died_on\":\"2026-11-20\""

static err
read_extract(arena *mem, const char *died, const char *relatives, struct reading *rd, struct issues *issues)
{
    struct tree *t = arena_make(mem, struct tree);
    view text = arena_printf(mem, HEAD "%s%s}", died, relatives[0] ? ",\"relatives\":" : "", relatives);
    issues_init(issues, mem, 100);
    cr_assert_eq(tree_read_json(text, NULL, mem, t, NULL), E_OK, "%.*s", VIEW_ARG(text));
    return household_interpret(t, mem, issues, rd, NULL);
}

/* One letter for each relative: P parent, C child, S spouse, G grandparent, K grandchild, B sibling; lower case: has died. */
static const char *
relatives_of(const char *letters, arena *mem)
{
    static const char *const words[] = {['P'] = "parent",      ['C'] = "child",      ['S'] = "spouse",
                                        ['G'] = "grandparent", ['K'] = "grandchild", ['B'] = "sibling"};
    view list = V("");
    for (size_t i = 0; letters[i]; i++) {
        char c = letters[i];
        bool dead = c >= 'a';
        list = arena_printf(mem,
                            "%.*s%s{\"relation\":\"%s\",\"name\":\"N%zu\",\"identifiers\":[{\"system\":"
                            "\"http://www.moi.gov.tw\",\"value\":\"A12345678%zu\"}]%s}",
                            VIEW_ARG(list), i ? "," : "", words[(int)(dead ? c - 32 : c)], i, i,
                            dead ? DIED : "");
    }
    return list.n ? arena_printf(mem, "[%.*s]", VIEW_ARG(list)).p : "";
}

Test(household, the_first_order_that_lives_inherits_in_equal_shares)
{
    static const struct {
        const char *family;
        size_t n;
        int64_t order;
        const char *share;
    } rows[] = {
        {"SCC", 3, 1, "1/3"}, {"sCCpp", 2, 1, "1/2"}, {"PpB", 1, 1, "1/1"}, {"ppGB", 1, 2, "1/1"},
        {"KKB", 2, 3, "1/2"}, {"B", 1, 4, "1/1"},     {"BBC", 1, 1, "1/1"}, {"scpgkb", 0, 0, ""},
        {"", 0, 0, ""},       {"cKS", 1, 1, "1/1"}, /* nobody steps into a dead child's place */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(arena_free) arena *mem = arena_new(1 << 20);
        struct reading rd;
        struct issues issues;
        size_t n = 0;
        cr_assert_eq(read_extract(mem, DIED, relatives_of(rows[i].family, mem), &rd, &issues), E_OK);
        cr_assert_eq(issues.errors, 0, "%s", rows[i].family);
        for (const struct case_role *r = rd.facts->roles; r; r = r->next, n++) {
            cr_assert(view_eq(r->role.v, V("heir")) && r->order.v == rows[i].order, "%s", rows[i].family);
            cr_assert(view_eq(r->share.v, view_of(rows[i].share)), "%s", rows[i].family);
        }
        cr_assert_eq(n, rows[i].n, "%s", rows[i].family);
        size_t people = 0;
        for (const struct case_party *p = rd.facts->parties; p; p = p->next)
            people += p->person != NULL;
        cr_assert_eq(people, n + 1, "%s: nobody else becomes a party", rows[i].family);
    }
}

Test(household, of_the_living_nobody_is_heir)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    struct reading rd;
    struct issues issues;
    cr_assert_eq(read_extract(mem, "", relatives_of("SCC", mem), &rd, &issues), E_OK);
    cr_assert_null(rd.facts->roles);
    cr_assert(rd.kind == KIND_HOUSEHOLD && view_eq(rd.author, V("A99510001H")) && rd.unique_identity);
    cr_assert(rd.refs && rd.refs->kind == REF_CERTIFICATE_NO && view_eq(rd.refs->value, V("HH-1")));
    cr_assert(rd.persons && rd.persons->is_subject && !rd.persons->next);
}

Test(household, an_heir_without_a_number_is_refused)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    struct reading rd;
    struct issues issues;
    cr_assert_eq(read_extract(mem, DIED, "[{\"relation\":\"spouse\",\"name\":\"N\"}]", &rd, &issues), E_OK);
    cr_assert_eq(issues.first->code, E_REQUIRED);
    cr_assert_eq(read_extract(mem, DIED, "[{\"relation\":\"cousin\",\"name\":\"N\"}]", &rd, &issues), E_OK);
    cr_assert_gt(issues.errors, 0);
    cr_assert_eq(read_extract(mem, DIED,
                              "[{\"relation\":\"spouse\",\"name\":\"N\",\"died_on\":\"yesterday\"}]", &rd,
                              &issues),
                 E_OK);
    cr_assert_gt(issues.errors, 0);
}

Test(household, heirs_are_found_by_the_dead_persons_number)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    struct reading rd;
    struct issues issues;
    struct household_heir *heirs;
    bool about;
    const struct person_key dead = {.text = V("moi|E190150007")}, other = {.text = V("moi|A100000001")};
    cr_assert_eq(read_extract(mem, DIED, relatives_of("SC", mem), &rd, &issues), E_OK);
    cr_assert_eq(household_heirs(rd.facts, &dead, mem, &heirs, &about), E_OK);
    cr_assert(about && heirs && heirs->next && !heirs->next->next);
    cr_assert_eq(household_heirs(rd.facts, &other, mem, &heirs, &about), E_OK);
    cr_assert(!about && !heirs);
    cr_assert_eq(household_note_differs(mem, rd.facts), E_OK);
    cr_assert(view_eq(rd.facts->findings->code.v, V("heirs-differ")));
}
