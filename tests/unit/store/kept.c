/* Answers that are kept until their table is written: never older than the last answered commit. */
#include "help.h"
#include "store/inside.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

static struct help h;
static uid partner;

static void
begin(void)
{
    cr_assert(help_begin(&h), "%s", h.fault.found);
    partner = help_uid(1);
}

static void
end(void)
{
    help_end(&h);
}

TestSuite(kept, .init = begin, .fini = end);

static err
put_endpoint(unsigned id, const char *state, arena *mem)
{
    struct unit u;
    unit_init(&u, mem);
    struct row_endpoint *row = unit_add_endpoint(&u);
    *row = (struct row_endpoint){
        .id = help_uid(id), .partner = partner, .url = V(""), .state = view_of(state), .op = ROW_PUT};
    return store_commit(h.store, &u);
}

static struct row_endpoint *
endpoints(void)
{
    return help_query(&h, QUERY_endpoints_of, ARGS(val_uid(&partner)));
}

Test(kept, an_answer_is_the_same_from_memory)
{
    cr_expect_null(endpoints());
    cr_expect_null(endpoints());
    cr_assert_eq(put_endpoint(2, "active", h.mem), E_OK);
    cr_assert_eq(put_endpoint(3, "disabled", h.mem), E_OK);
    struct row_endpoint *read = endpoints(), *kept = endpoints();
    cr_assert_eq(help_count(ROW_endpoint, read), 2);
    cr_assert_eq(help_count(ROW_endpoint, kept), 2);
    for (; read; read = read->next, kept = kept->next) {
        cr_expect_neq(read, kept);
        cr_expect_null(help_row_differs(ROW_endpoint, read, kept));
    }
    cr_expect_not_null(endpoints()->url.p, "empty stays different from absent");
    cr_expect_null(endpoints()->reason.p);
}

Test(kept, a_commit_is_seen_by_who_asks_after_it)
{
    for (unsigned i = 0; i < 20; i++) {
        const char *state = i % 2 ? "active" : "disabled";
        cr_assert_eq(put_endpoint(2, state, h.mem), E_OK);
        cr_expect(view_eq(endpoints()->state, view_of(state)), "round %u", i);
        cr_expect(view_eq(endpoints()->state, view_of(state)), "round %u", i);
    }
}

Test(kept, other_questions_have_other_answers)
{
    cr_assert_eq(put_endpoint(2, "active", h.mem), E_OK);
    cr_expect_not_null(endpoints());
    partner = help_uid(9);
    cr_expect_null(endpoints());
    uid none = {{0}};
    cr_expect_null(help_query(&h, QUERY_endpoints_of, ARGS(val_uid(&none))));
}

/* Only an answer whose snapshot began before the write is thrown away; one that is put in late must not stay. */
Test(kept, an_answer_from_an_old_snapshot_does_not_stay)
{
    struct reader *old = NULL;
    uid nobody = help_uid(77);
    struct row_partner *first = NULL;
    struct row_endpoint *list = NULL;
    cr_assert_eq(store_reader(h.store, &old), E_OK);
    cr_assert_eq(query_partners(old, NO_ARGS, h.mem, &first), E_OK); /* its snapshot begins */
    cr_assert_eq(put_endpoint(2, "active", h.mem), E_OK);
    cr_assert_eq(query_endpoints_of(old, ARGS(val_uid(&partner)), h.mem, &list), E_OK);
    cr_expect_null(list, "the old snapshot has none");
    reader_done(old);
    cr_expect_not_null(endpoints());
    cr_expect_null(help_query(&h, QUERY_endpoints_of, ARGS(val_uid(&nobody))));
}

Test(kept, a_change_touches_the_tables_that_its_text_names)
{
    struct kept_marks before, after;
    struct unit u;
    uid id = help_uid(1);
    instant now = {1};
    kept_mark(h.store->kept, &before);
    unit_init(&u, h.mem);
    unit_change(&u, CHANGE_case_touch, ARGS(val_uid(&id), val_time(now)));
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    kept_mark(h.store->kept, &after);
    cr_expect_eq(after.written[ROW_case], before.written[ROW_case] + 1);
    cr_expect_eq(after.written[ROW_endpoint], before.written[ROW_endpoint]);
}

static atomic_int state_number;

static void *
write_states(void *nothing)
{
    AUTO(arena_free) arena *mem = arena_new(1 << 20);
    char text[16];
    for (int i = 1; i <= 300; i++) {
        snprintf(text, sizeof text, "%d", i);
        if (put_endpoint(2, text, mem) != E_OK)
            abort();
        atomic_store(&state_number, i);
        arena_reset(mem);
    }
    return nothing;
}

static int
number_now(void)
{
    int n = 0;
    const struct row_endpoint *e = endpoints();
    for (size_t i = 0; e && i < e->state.n; i++)
        n = n * 10 + e->state.p[i] - '0';
    return n;
}

Test(kept, readers_never_fall_behind_an_answered_commit)
{
    pthread_t writer;
    cr_assert_eq(pthread_create(&writer, NULL, write_states, NULL), 0);
    for (int least = 0; least < 300;) {
        least = atomic_load(&state_number);
        cr_assert_geq(number_now(), least);
        arena_reset(h.mem);
    }
    pthread_join(writer, NULL);
}
