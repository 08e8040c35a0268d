#include "flow/case/claim.h"

#include <criterion/criterion.h>

static const char *const events[] = {
#define MOVE(from, event, to) #event,
#include "flow/case/states.def"
#undef MOVE
};

Test(claim_state, every_state_has_its_words)
{
    for (int s = 0; s < STATE_COUNT; s++) {
        const struct state_row *row = claim_state_info((enum claim_state)s);
        cr_assert(row->word && row->acting && row->public_word[LANG_EN] && row->sentence[LANG_ZH]);
        cr_assert_eq((int)claim_state_of(view_of(row->word)), s, "%s is not its own word", row->word);
    }
    cr_assert_eq((int)claim_state_of(V("no_such_state")), (int)STATE_COUNT);
}

Test(claim_state, the_matrix_allows_what_the_table_lists_and_nothing_else)
{
    for (int s = 0; s < STATE_COUNT; s++) {
        for (size_t e = 0; e < COUNT_OF(events); e++) {
            int listed = STATE_COUNT;
#define MOVE(from, event, to)                                                                                \
    if (s == (int)STATE_##from && strcmp(events[e], #event) == 0)                                            \
        listed = STATE_##to;
#include "flow/case/states.def"
#undef MOVE
            cr_assert_eq((int)claim_next((enum claim_state)s, view_of(events[e])), listed,
                         "state %d event %s", s, events[e]);
        }
    }
}

Test(claim_state, an_end_cannot_be_left_but_by_reopening)
{
    cr_assert_eq(claim_next(STATE_CLOSED, V("paid")), STATE_COUNT);
    cr_assert_eq(claim_next(STATE_CLOSED, V("reopened")), STATE_REOPENED);
    cr_assert_eq(claim_next(STATE_WITHDRAWN, V("permit")), STATE_COUNT);
}

Test(claim_state, a_move_writes_the_claim_and_its_timeline)
{
    arena *mem = arena_new(1u << 20);
    struct unit u;
    unit_init(&u, mem);
    struct row_claim claim = {.id = uid_new(), .case_id = uid_new(), .state = V("received"), .version = 4};
    cr_assert_eq(claim_move(&u, &claim, V("permit"), "person", (uid){{0}}, (uid){{0}}, clock_now(), NULL),
                 E_OK);
    const struct row_claim *row = u.rows[ROW_claim];
    const struct row_timeline *entry = u.rows[ROW_timeline];
    cr_assert(row && entry);
    cr_assert_eq(row->version, 5);
    cr_assert_eq(row->op, ROW_PUT);
    cr_assert(view_eq(row->state, V("permitted")));
    cr_assert(view_eq(entry->state, V("permitted")));
    arena_free(mem);
}

Test(claim_state, an_illegal_move_is_refused_with_the_legal_ones)
{
    arena *mem = arena_new(1u << 20);
    struct unit u;
    struct fault f;
    unit_init(&u, mem);
    fault_init(&f);
    struct row_claim claim = {.state = V("received"), .version = 1};
    cr_assert_eq(claim_move(&u, &claim, V("paid"), "insurer", (uid){{0}}, (uid){{0}}, clock_now(), &f),
                 E_STATE);
    cr_assert(strstr(f.expected, "permit"));
    cr_assert_null(u.rows[ROW_claim]);
    cr_assert_eq(claim.version, 1);
    arena_free(mem);
}
