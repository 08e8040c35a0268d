/* Units: guards, changes, conflicts, numbers without gaps, all or nothing. */
#include "help.h"

HELP_SUITE(units);

static struct unit
new_unit(void)
{
    struct unit u;
    unit_init(&u, h.mem);
    return u;
}

static struct row_case *
add_case(struct unit *u, unsigned n)
{
    struct row_case *row = unit_add_case(u);
    row->id = help_uid(n);
    row->version = 1;
    row->state = V("open");
    return row;
}

static struct row_event *
add_event(struct unit *u, unsigned recipient, unsigned id)
{
    struct row_event *row = unit_add_event(u);
    row->recipient = help_uid(recipient);
    row->id = help_uid(id);
    row->type = V("claim.created");
    return row;
}

static struct row_case *
get_case(unsigned n)
{
    uid id = help_uid(n);
    return help_query(&h, QUERY_case_row, ARGS(val_uid(&id)));
}

static struct row_permission *
put_permission(unsigned n, int64_t from, int64_t to, int64_t uses)
{
    struct unit u = new_unit();
    struct row_permission *row = unit_add_permission(&u);
    row->id = help_uid(n);
    row->case_id = help_uid(1);
    row->valid_from.us = from;
    row->valid_to.us = to;
    row->uses_left = uses;
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    return row;
}

static struct row_permission *
get_permission(unsigned n)
{
    uid id = help_uid(n);
    return help_query(&h, QUERY_permission, ARGS(val_uid(&id)));
}

static void
put_delivery(unsigned n, unsigned permission, view state)
{
    struct unit u = new_unit();
    struct row_delivery *row = unit_add_delivery(&u);
    row->id = help_uid(n);
    row->permission = help_uid(permission);
    row->case_id = help_uid(1);
    row->state = state;
    row->next_at.us = 5;
    struct row_event *event = add_event(&u, 77, n);
    event->delivery = row->id;
    event->webhook = !view_eq(state, V("available"));
    cr_assert_eq(store_commit(h.store, &u), E_OK);
}

static struct row_delivery *
get_delivery(unsigned n)
{
    uid id = help_uid(n);
    return help_query(&h, QUERY_delivery, ARGS(val_uid(&id)));
}

/* A unit with one guard and one case; the outcome says whether the guard held. */
static err
try_guard(enum guard g, const struct value *args, size_t n, unsigned new_case)
{
    struct unit u = new_unit();
    unit_guard(&u, g, args, n);
    add_case(&u, new_case);
    err e = store_commit(h.store, &u);
    cr_expect_eq(u.failed_guard, e == E_OK ? -1 : (int)g);
    cr_expect_eq(get_case(new_case) != NULL, e == E_OK);
    return e;
}

static int64_t
change_now(enum change c, const struct value *args, size_t n)
{
    struct unit u = new_unit();
    struct unit_change *change = unit_change(&u, c, args, n);
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    return change->affected;
}

Test(units, guard_case_version)
{
    struct unit u = new_unit();
    add_case(&u, 1);
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    uid id = help_uid(1), other = help_uid(9);
    cr_expect_eq(try_guard(GUARD_case_version, ARGS(val_uid(&id), val_int(1)), 2), E_OK);
    cr_expect_eq(try_guard(GUARD_case_version, ARGS(val_uid(&id), val_int(2)), 3), E_STALE);
    cr_expect_eq(try_guard(GUARD_case_version, ARGS(val_uid(&other), val_int(1)), 4), E_STALE);
}

Test(units, guard_claim_version)
{
    struct unit u = new_unit();
    struct row_claim *claim = unit_add_claim(&u);
    claim->id = help_uid(1);
    claim->version = 7;
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    uid id = help_uid(1);
    cr_expect_eq(try_guard(GUARD_claim_version, ARGS(val_uid(&id), val_int(7)), 2), E_OK);
    cr_expect_eq(try_guard(GUARD_claim_version, ARGS(val_uid(&id), val_int(6)), 3), E_VERSION_CONFLICT);
}

/* An outcome that was read before a join wrote the claim back into the case that had gone. */
Test(units, guard_claim_in_case_tells_a_join)
{
    struct unit u = new_unit();
    struct row_claim *claim = unit_add_claim(&u);
    uid id = help_uid(1), younger = help_uid(2), older = help_uid(3);
    claim->id = id;
    claim->case_id = younger;
    claim->version = 7;
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    cr_expect_eq(try_guard(GUARD_claim_in_case, ARGS(val_uid(&id), val_uid(&younger)), 2), E_OK);
    change_now(CHANGE_claims_move, ARGS(val_uid(&younger), val_uid(&older)));
    cr_expect_eq(try_guard(GUARD_claim_in_case, ARGS(val_uid(&id), val_uid(&younger)), 3), E_STALE);
}

Test(units, guard_permission_usable)
{
    put_permission(1, 100, 200, -1);
    put_permission(2, 100, 0, 1);
    put_permission(3, 100, 0, 0);
    put_permission(4, 100, 0, -1);
    uid one = help_uid(1), two = help_uid(2), three = help_uid(3), four = help_uid(4);
    cr_expect_eq(try_guard(GUARD_permission_usable, ARGS(val_uid(&one), val_int(99)), 11),
                 E_PERMISSION_NEEDED);
    cr_expect_eq(try_guard(GUARD_permission_usable, ARGS(val_uid(&one), val_int(100)), 12), E_OK);
    cr_expect_eq(try_guard(GUARD_permission_usable, ARGS(val_uid(&one), val_int(199)), 13), E_OK);
    cr_expect_eq(try_guard(GUARD_permission_usable, ARGS(val_uid(&one), val_int(200)), 14),
                 E_PERMISSION_NEEDED);
    cr_expect_eq(try_guard(GUARD_permission_usable, ARGS(val_uid(&two), val_int(300)), 15), E_OK);
    cr_expect_eq(try_guard(GUARD_permission_usable, ARGS(val_uid(&three), val_int(300)), 16), E_OK);
    cr_expect_eq(try_guard(GUARD_permission_unspent, ARGS(val_uid(&three)), 19), E_USED_UP);
    cr_expect_eq(try_guard(GUARD_permission_unspent, ARGS(val_uid(&two)), 20), E_OK);
    cr_expect_eq(try_guard(GUARD_permission_unspent, ARGS(val_uid(&one)), 21), E_OK, "not counted");
    cr_expect_eq(try_guard(GUARD_permission_usable, ARGS(val_uid(&four), val_int(300)), 17), E_OK);
    change_now(CHANGE_permission_withdraw, ARGS(val_uid(&four), val_int(300)));
    cr_expect_eq(try_guard(GUARD_permission_usable, ARGS(val_uid(&four), val_int(300)), 18),
                 E_PERMISSION_NEEDED);
}

Test(units, guard_delivery_state)
{
    put_delivery(1, 1, V("queued"));
    uid id = help_uid(1);
    cr_expect_eq(try_guard(GUARD_delivery_state, ARGS(val_uid(&id), val_text(V("queued"))), 2), E_OK);
    cr_expect_eq(try_guard(GUARD_delivery_state, ARGS(val_uid(&id), val_text(V("sending"))), 3), E_STALE);
}

Test(units, guard_change_state)
{
    struct unit u = new_unit();
    struct row_change *change = unit_add_change(&u);
    change->id = help_uid(1);
    change->state = V("proposed");
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    uid id = help_uid(1);
    cr_expect_eq(try_guard(GUARD_change_state, ARGS(val_uid(&id), val_text(V("proposed"))), 2), E_OK);
    cr_expect_eq(try_guard(GUARD_change_state, ARGS(val_uid(&id), val_text(V("approved"))), 3),
                 E_CHANGE_STATE);
}

Test(units, guard_key_unused)
{
    digest key = help_digest(1);
    cr_expect_eq(try_guard(GUARD_key_unused, ARGS(val_digest(&key)), 1), E_OK);
    struct unit u = new_unit();
    struct row_case_key *row = unit_add_case_key(&u);
    row->blind = key;
    row->case_id = help_uid(1);
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    cr_expect_eq(try_guard(GUARD_key_unused, ARGS(val_digest(&key)), 2), E_STALE);
}

Test(units, guards_are_checked_in_order_and_see_the_units_before)
{
    uid id = help_uid(1);
    struct unit u = new_unit();
    unit_guard(&u, GUARD_case_version, ARGS(val_uid(&id), val_int(1)));
    unit_guard(&u, GUARD_claim_version, ARGS(val_uid(&id), val_int(1)));
    cr_expect_eq(store_commit(h.store, &u), E_STALE);
    cr_expect_eq(u.failed_guard, GUARD_case_version);
    struct unit first = new_unit();
    add_case(&first, 1);
    cr_assert_eq(store_commit(h.store, &first), E_OK);
    cr_expect_eq(store_commit(h.store, &u), E_VERSION_CONFLICT);
    cr_expect_eq(u.failed_guard, GUARD_claim_version);
}

Test(units, change_case_touch_and_merge)
{
    struct unit u = new_unit();
    add_case(&u, 1);
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    uid one = help_uid(1), two = help_uid(2);
    cr_expect_eq(change_now(CHANGE_case_touch, ARGS(val_uid(&one), val_int(50))), 1);
    cr_expect_eq(change_now(CHANGE_case_touch, ARGS(val_uid(&two), val_int(50))), 0);
    cr_expect_eq(get_case(1)->version, 2);
    cr_expect_eq(get_case(1)->updated_at.us, 50);
    cr_expect_eq(change_now(CHANGE_case_merge, ARGS(val_uid(&one), val_uid(&two), val_int(60))), 1);
    struct row_case *merged = get_case(1);
    cr_expect(uid_eq(merged->merged_into, two) && view_eq(merged->state, V("merged")));
    cr_expect_eq(merged->version, 3);
}

Test(units, change_moves_everything_of_a_case)
{
    struct unit u = new_unit();
    uid one = help_uid(1), two = help_uid(2);
    for (unsigned i = 0; i < 3; i++) {
        /* the first key and document stand in both cases */
        for (unsigned in_case = 1; in_case <= (i == 0 ? 2 : 1); in_case++) {
            struct row_case_key *key = unit_add_case_key(&u);
            key->blind = help_digest(i);
            key->case_id = help_uid(in_case);
            key->kind = V("person");
            struct row_case_document *link = unit_add_case_document(&u);
            link->case_id = help_uid(in_case);
            link->document = help_uid(100 + i);
            link->facts_version = 4;
        }
    }
    struct row_claim *claim = unit_add_claim(&u);
    claim->id = help_uid(5);
    claim->case_id = one;
    struct row_permission *permission = unit_add_permission(&u);
    permission->id = help_uid(6);
    permission->case_id = one;
    struct row_timeline *line = unit_add_timeline(&u);
    line->id = help_uid(7);
    line->case_id = one;
    struct row_delivery *delivery = unit_add_delivery(&u);
    delivery->id = help_uid(8);
    delivery->case_id = one;
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    static const enum change moves[] = {CHANGE_case_keys_move, CHANGE_case_documents_move,
                                        CHANGE_claims_move,    CHANGE_permissions_move,
                                        CHANGE_timeline_move,  CHANGE_deliveries_move};
    static const int64_t affected[] = {3, 3, 1, 1, 1, 1};
    for (size_t i = 0; i < COUNT_OF(moves); i++)
        cr_expect_eq(change_now(moves[i], ARGS(val_uid(&one), val_uid(&two))), affected[i], "%zu", i);
    static const enum query of_case[] = {QUERY_case_keys_of,     QUERY_case_links_of,
                                         QUERY_claims_of_case,   QUERY_permissions_of_case,
                                         QUERY_timeline_of_case, QUERY_deliveries_of_case};
    static const enum row_kind kinds[] = {ROW_case_key,   ROW_case_document, ROW_claim,
                                          ROW_permission, ROW_timeline,      ROW_delivery};
    for (size_t i = 0; i < COUNT_OF(of_case); i++) {
        cr_expect_null(help_query(&h, of_case[i], ARGS(val_uid(&one))), "%zu", i);
        void *rows = help_query(&h, of_case[i], ARGS(val_uid(&two)));
        cr_expect_eq(help_count(kinds[i], rows), (size_t)affected[i], "%zu", i);
    }
    struct row_case_document *link = help_query(&h, QUERY_case_links_of, ARGS(val_uid(&two)));
    cr_expect_eq(link->facts_version, 4);
}

Test(units, change_document)
{
    struct unit u = new_unit();
    struct row_document *d = unit_add_document(&u);
    d->id = help_uid(1);
    d->state = V("current");
    d->level = 1;
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    uid id = help_uid(1);
    cr_expect_eq(change_now(CHANGE_document_state, ARGS(val_uid(&id), val_text(V("replaced")))), 1);
    cr_expect_eq(change_now(CHANGE_document_level, ARGS(val_uid(&id), val_int(3))), 1);
    d = help_query(&h, QUERY_document, ARGS(val_uid(&id)));
    cr_expect(view_eq(d->state, V("replaced")) && d->level == 3);
}

Test(units, change_permission_uses_and_withdrawal)
{
    put_permission(1, 1, 0, 1);
    put_permission(2, 1, 0, -1);
    uid one = help_uid(1), two = help_uid(2);
    cr_expect_eq(change_now(CHANGE_permission_use, ARGS(val_uid(&one))), 1);
    cr_expect_eq(change_now(CHANGE_permission_use, ARGS(val_uid(&one))), 0);
    cr_expect_eq(get_permission(1)->uses_left, 0);
    cr_expect_eq(change_now(CHANGE_permission_give_back, ARGS(val_uid(&one))), 1);
    cr_expect_eq(get_permission(1)->uses_left, 1);
    cr_expect_eq(change_now(CHANGE_permission_use, ARGS(val_uid(&two))), 0);
    cr_expect_eq(change_now(CHANGE_permission_give_back, ARGS(val_uid(&two))), 0);
    cr_expect_eq(get_permission(2)->uses_left, -1);
    cr_expect_eq(change_now(CHANGE_permission_withdraw, ARGS(val_uid(&one), val_int(40))), 1);
    cr_expect_eq(change_now(CHANGE_permission_withdraw, ARGS(val_uid(&one), val_int(50))), 0);
    cr_expect_eq(get_permission(1)->withdrawn_at.us, 40);
}

Test(units, withdrawal_stops_deliveries_and_leaves_tombstones)
{
    put_delivery(1, 9, V("queued"));
    put_delivery(2, 9, V("retrying"));
    put_delivery(3, 9, V("sending"));
    put_delivery(4, 8, V("queued"));
    put_delivery(5, 9, V("available"));
    uid permission = help_uid(9), recipient = help_uid(77);
    struct unit u = new_unit();
    struct unit_change *stop = unit_change(&u, CHANGE_deliveries_stop, ARGS(val_uid(&permission)));
    struct unit_change *tombstones = unit_change(&u, CHANGE_events_tombstone, ARGS(val_uid(&permission)));
    cr_assert_eq(store_commit_now(h.store, &u), E_OK);
    cr_expect_eq(stop->affected, 2);
    cr_expect_eq(tombstones->affected, 2);
    cr_expect(view_eq(get_delivery(1)->state, V("blocked")) && get_delivery(1)->next_at.us == 0);
    cr_expect(view_eq(get_delivery(2)->state, V("blocked")));
    cr_expect(view_eq(get_delivery(3)->state, V("sending")) && view_eq(get_delivery(4)->state, V("queued")));
    cr_expect(view_eq(get_delivery(5)->state, V("available")), "the feed asks for its permission itself");
    struct row_event *e =
        help_query(&h, QUERY_events_after, ARGS(val_uid(&recipient), val_int(0), val_int(100)));
    for (int64_t seq = 1; seq <= 5; seq++, e = e->next) {
        cr_assert(e);
        cr_expect_eq(e->seq, seq);
        cr_expect_eq(e->tombstone, seq <= 2);
    }
    cr_expect_null(e);
    struct row_delivery *due = help_query(&h, QUERY_deliveries_due, ARGS(val_int(10), val_int(10)));
    cr_expect_eq(help_count(ROW_delivery, due), 3);
}

Test(units, change_delivery_states)
{
    put_delivery(1, 9, V("queued"));
    uid id = help_uid(1);
    change_now(CHANGE_delivery_begin, ARGS(val_uid(&id), val_int(10), val_int(20)));
    struct row_delivery *d = get_delivery(1);
    cr_expect(view_eq(d->state, V("sending")) && d->begun_at.us == 10 && d->next_at.us == 20 &&
              d->attempts == 1);
    change_now(CHANGE_delivery_retry, ARGS(val_uid(&id), val_int(30), val_text(V("timeout"))));
    d = get_delivery(1);
    cr_expect(view_eq(d->state, V("retrying")) && d->next_at.us == 30 && view_eq(d->reason, V("timeout")));
    change_now(CHANGE_delivery_done,
               ARGS(val_uid(&id), val_text(V("delivered")), val_int(40), val_text(VIEW_NONE)));
    d = get_delivery(1);
    cr_expect(view_eq(d->state, V("delivered")) && d->done_at.us == 40 && d->next_at.us == 0 && !d->reason.p);
}

Test(units, change_decide_attachment_track)
{
    struct unit u = new_unit();
    struct row_change *change = unit_add_change(&u);
    change->id = help_uid(1);
    struct row_attachment *attachment = unit_add_attachment(&u);
    attachment->id = help_digest(2);
    attachment->partner = help_uid(3);
    struct row_track *track = unit_add_track(&u);
    track->id = help_digest(4);
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    uid one = help_uid(1), partner = help_uid(3), other = help_uid(5), document = help_uid(6);
    digest attachment_id = help_digest(2), track_id = help_digest(4);
    change_now(CHANGE_change_decide, ARGS(val_uid(&one), val_text(V("approved")), val_blob(V("jws")),
                                          val_text(V("op-2")), val_int(9)));
    change = help_query(&h, QUERY_change, ARGS(val_uid(&one)));
    cr_expect(view_eq(change->state, V("approved")) && view_eq(change->approval, V("jws")) &&
              view_eq(change->approver, V("op-2")) && change->effective_at.us == 9);
    cr_expect_eq(help_count(ROW_change, help_query(&h, QUERY_changes_due, ARGS(val_int(9)))), 1);
    cr_expect_eq(help_count(ROW_change, help_query(&h, QUERY_changes_due, ARGS(val_int(8)))), 0);
    cr_expect_eq(change_now(CHANGE_attachment_claim,
                            ARGS(val_digest(&attachment_id), val_uid(&other), val_uid(&document))),
                 0);
    cr_expect_eq(change_now(CHANGE_attachment_claim,
                            ARGS(val_digest(&attachment_id), val_uid(&partner), val_uid(&document))),
                 1);
    cr_expect_eq(help_count(ROW_attachment, help_query(&h, QUERY_attachments_of, ARGS(val_uid(&document)))),
                 1);
    change_now(CHANGE_track_try, ARGS(val_digest(&track_id)));
    change_now(CHANGE_track_try, ARGS(val_digest(&track_id)));
    track = help_query(&h, QUERY_track, ARGS(val_digest(&track_id)));
    cr_expect_eq(track->tries, 2);
}

Test(units, what_has_expired_is_deleted)
{
    struct unit u = new_unit();
    for (unsigned i = 1; i <= 4; i++) {
        struct row_idempotency *key = unit_add_idempotency(&u);
        key->id = help_digest(i);
        key->at.us = i;
        struct row_nonce *nonce = unit_add_nonce(&u);
        nonce->id = help_digest(i);
        nonce->expires.us = i;
        struct row_refusal *refusal = unit_add_refusal(&u);
        refusal->id = help_uid(i);
        refusal->at.us = i;
    }
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    cr_expect_eq(change_now(CHANGE_idempotency_expire, ARGS(val_int(3))), 2);
    cr_expect_eq(change_now(CHANGE_nonces_expire, ARGS(val_int(2))), 1);
    cr_expect_eq(change_now(CHANGE_refusals_expire, ARGS(val_int(4))), 3);
    digest gone = help_digest(2), kept = help_digest(3);
    cr_expect_null(help_query(&h, QUERY_idempotency, ARGS(val_digest(&gone))));
    cr_expect(help_query(&h, QUERY_idempotency, ARGS(val_digest(&kept))));
    cr_expect_eq(help_count(ROW_refusal, help_query(&h, QUERY_refusals, ARGS(val_int(10)))), 1);
}

Test(units, the_same_document_is_stale_and_leaves_nothing)
{
    for (unsigned i = 1; i <= 2; i++) {
        struct unit u = new_unit();
        add_case(&u, i);
        struct row_document *d = unit_add_document(&u);
        d->id = help_uid(i);
        d->body = help_digest(1);
        unit_body(&u, V("sealed bytes"), &d->body_at);
        add_event(&u, 50, i);
        unit_add_leaf(&u)->hash = help_digest(i);
        cr_expect_eq(store_commit(h.store, &u), i == 1 ? E_OK : E_STALE);
    }
    cr_expect(get_case(1) && !get_case(2));
    cr_expect_eq(store_log_length(h.store), 1);
    uid recipient = help_uid(50);
    struct row_event *e =
        help_query(&h, QUERY_events_after, ARGS(val_uid(&recipient), val_int(0), val_int(9)));
    cr_expect_eq(help_count(ROW_event, e), 1);
    cr_expect(store_is_ready(h.store));
}

Test(units, numbers_have_no_gap_when_units_fail)
{
    struct unit first = new_unit();
    add_case(&first, 1);
    cr_assert_eq(store_commit(h.store, &first), E_OK);
    int64_t next[3] = {1, 1, 1};
    int64_t leaf = 0;
    for (unsigned i = 0; i < 60; i++) {
        struct unit u = new_unit();
        bool fails = i % 3 == 1;
        add_case(&u, fails ? 1 : 100 + i);
        struct row_event *a = add_event(&u, 10 + i % 3, i * 2);
        struct row_event *b = add_event(&u, 10 + i % 2, i * 2 + 1);
        struct row_leaf *l = unit_add_leaf(&u);
        l->hash = help_digest(i);
        cr_expect_eq(store_commit(h.store, &u), fails ? E_STALE : E_OK);
        if (fails)
            continue;
        cr_expect_eq(a->seq, next[i % 3]++);
        cr_expect_eq(b->seq, next[i % 2]++);
        cr_expect_eq(l->seq, leaf++);
    }
    cr_expect_eq(store_log_length(h.store), (uint64_t)leaf);
    for (unsigned r = 0; r < 3; r++) {
        uid recipient = help_uid(10 + r);
        int64_t seq = 1;
        struct row_event *e =
            help_query(&h, QUERY_events_after, ARGS(val_uid(&recipient), val_int(0), val_int(1000)));
        for (; e; e = e->next)
            cr_expect_eq(e->seq, seq++);
        cr_expect_eq(seq, next[r]);
    }
}

Test(units, leaves_in_order_with_their_hashes)
{
    for (unsigned i = 0; i < 5; i++) {
        struct unit u = new_unit();
        for (unsigned k = 0; k < 2; k++) {
            struct row_leaf *l = unit_add_leaf(&u);
            l->hash = help_digest(i * 2 + k);
            l->ref = help_uid(i + 1);
        }
        cr_assert_eq(store_commit(h.store, &u), E_OK);
    }
    cr_expect_eq(store_log_length(h.store), 10);
    struct reader *r AUTO(reader_done) = NULL;
    cr_assert_eq(store_reader(h.store, &r), E_OK);
    digest hashes[10];
    size_t n;
    cr_assert_eq(store_leaf_hashes(r, 3, 4, hashes, &n), E_OK);
    cr_expect_eq(n, 4);
    for (unsigned i = 0; i < n; i++) {
        digest d = help_digest(3 + i);
        cr_expect(digest_eq(&hashes[i], &d));
    }
    cr_assert_eq(store_leaf_hashes(r, 8, 10, hashes, &n), E_OK);
    cr_expect_eq(n, 2);
    uid ref = help_uid(3);
    struct row_leaf *l = NULL;
    cr_assert_eq(query_leaf_of(r, ARGS(val_uid(&ref)), h.mem, &l), E_OK);
    cr_expect_eq(l->seq, 4);
}

Test(units, pages_of_a_recipients_claims)
{
    struct unit u = new_unit();
    for (unsigned i = 1; i <= 5; i++) {
        struct row_claim *c = unit_add_claim(&u);
        c->id = help_uid(i);
        c->recipient = help_uid(i == 3 ? 41 : 40);
    }
    cr_assert_eq(store_commit(h.store, &u), E_OK);
    uid recipient = help_uid(40), after = {{0}};
    unsigned seen[4] = {1, 2, 4, 5};
    for (unsigned page = 0; page < 2; page++) {
        struct row_claim *c =
            help_query(&h, QUERY_claims_of_recipient, ARGS(val_uid(&recipient), val_uid(&after), val_int(2)));
        cr_assert_eq(help_count(ROW_claim, c), 2);
        cr_expect(uid_eq(c->id, help_uid(seen[page * 2])) &&
                  uid_eq(c->next->id, help_uid(seen[page * 2 + 1])));
        after = c->next->id;
    }
}

Test(units, a_full_arena_is_said_before_anything_is_written)
{
    arena *small = arena_new(4096);
    struct unit u;
    unit_init(&u, small);
    while (!u.failed)
        unit_add_case(&u);
    cr_expect_eq(store_commit(h.store, &u), E_TOO_LARGE);
    arena_free(small);
}

Test(units, a_unit_of_nothing_is_fine)
{
    struct unit u = new_unit();
    cr_expect_eq(store_commit(h.store, &u), E_OK);
}
