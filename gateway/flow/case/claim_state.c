#include "flow/case/claim.h"

static const struct state_row states[] = {
#define STATE(id, word, acting, en, zh, sentence_zh, sentence_en)                                            \
    [STATE_##id] = {word, acting, {en, zh}, {sentence_en, sentence_zh}},
#include "flow/case/states.def"
#undef STATE
};

struct move {
    enum claim_state from;
    view event;
    enum claim_state to;
};

static const struct move moves[] = {
#define MOVE(from, event, to) {STATE_##from, {#event, sizeof #event - 1}, STATE_##to},
#include "flow/case/states.def"
#undef MOVE
};

const struct state_row *
claim_state_info(enum claim_state s)
{
    return &states[s < STATE_COUNT ? s : STATE_RECEIVED];
}

enum claim_state
claim_state_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (view_eq(word, view_of(states[i].word)))
            return (enum claim_state)i;
    return STATE_COUNT;
}

enum claim_state
claim_next(enum claim_state from, view event)
{
    for (size_t i = 0; i < COUNT_OF(moves); i++)
        if (moves[i].from == from && view_eq(moves[i].event, event))
            return moves[i].to;
    return STATE_COUNT;
}

view
claim_events(enum claim_state from, arena *mem)
{
    struct buf out;
    buf_init(&out, 1024);
    for (size_t i = 0; i < COUNT_OF(moves); i++) {
        if (moves[i].from != from)
            continue;
        if (out.n)
            BUF_LIT(&out, ", ");
        buf_add_view(&out, moves[i].event);
    }
    view text = arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return text.p ? text : V("none");
}

bool
claim_is_decided(const struct row_claim *claim)
{
    static const enum claim_state decided[] = {
        STATE_GUARANTEED, STATE_INTERIM_APPROVED, STATE_APPROVED, STATE_PARTIALLY_APPROVED, STATE_PAYING,
        STATE_PAID,       STATE_OFFSET,           STATE_CLOSED};
    enum claim_state state = claim_state_of(claim->state);
    for (size_t i = 0; i < COUNT_OF(decided); i++)
        if (decided[i] == state)
            return true;
    return false;
}

err
timeline_add(struct unit *u, uid in_case, uid claim, const char *actor, uid by, const char *event, view state,
             uid document, instant at)
{
    struct row_timeline *row = unit_add_timeline(u);
    if (!row)
        return E_TOO_LARGE;
    row->id = uid_new();
    row->case_id = in_case;
    row->claim = claim;
    row->at = at;
    row->actor = view_of(actor);
    row->partner = by;
    row->event = view_of(event);
    row->state = state;
    row->document = document;
    return E_OK;
}

/* The row that the unit writes for a claim, NULL when it writes none. */
static struct row_claim *
claim_in_unit(const struct unit *u, uid claim)
{
    struct row_claim *row = u->rows[ROW_claim];
    while (row && !uid_eq(row->id, claim))
        row = row->next;
    return row;
}

void
claim_put_detail(struct unit *u, uid claim, view sealed)
{
    struct row_claim *row = claim_in_unit(u, claim);
    if (row)
        unit_body(u, sealed, &row->detail_at);
}

err
claim_touch(struct unit *u, struct row_claim *claim)
{
    struct row_claim *row = claim_in_unit(u, claim->id);
    claim->version += 1;
    if (!row && !(row = unit_add_claim(u)))
        return E_TOO_LARGE;
    struct row_claim *chained = row->next;
    *row = *claim;
    row->next = chained;
    row->op = ROW_PUT;
    return E_OK;
}

err
claim_move(struct unit *u, struct row_claim *claim, view event, const char *actor, uid by, uid document,
           instant at, struct fault *f)
{
    enum claim_state from = claim_state_of(claim->state);
    enum claim_state to = from == STATE_COUNT ? STATE_COUNT : claim_next(from, event);
    if (to == STATE_COUNT) {
        char found[160];
        struct buf text;
        buf_init(&text, sizeof found);
        buf_printf(&text, "%.*s from %.*s", VIEW_ARG(event), VIEW_ARG(claim->state));
        size_t n = text.n < sizeof found - 1 ? text.n : sizeof found - 1;
        memcpy(found, text.p ? text.p : "", n);
        found[n] = '\0';
        buf_done(&text);
        view allowed = from == STATE_COUNT ? V("none") : claim_events(from, u->mem);
        char expected[160];
        n = allowed.n < sizeof expected - 1 ? allowed.n : sizeof expected - 1;
        memcpy(expected, allowed.p, n);
        expected[n] = '\0';
        return fault_set(f, E_STATE, "/state", expected, found);
    }
    claim->state = view_of(states[to].word);
    claim->acting = view_of(states[to].acting);
    claim->since = at;
    TRY(claim_touch(u, claim));
    return timeline_add(u, claim->case_id, claim->id, actor, by, "claim-moved", claim->state, document, at);
}
