#include "flow/case/original.h"

#include "adapters/rules/relay.h"
#include "base/json.h"
#include "base/text.h"
#include "flow/case/case_frame.h"
#include "flow/case/claim.h"
#include "flow/evidence/seal.h"

/* Days of the rule are days in Taiwan. */
#define TAIPEI_MINUTES 480

view
original_role(view detail, arena *mem)
{
    json_t *json = NULL;
    if (!detail.n || json_load(detail, mem, &json, NULL) != E_OK)
        return VIEW_NONE;
    return json_text(json_member(json, "detail"), "relay_role");
}

digest
original_about(const struct seal *s, uid application)
{
    return BLIND(s, "task-original", uid_view(&application));
}

struct wait {
    const struct relay_rule *rule;
    view role;
    instant due;
    bool is; /* the papers are not there yet */
};

/* A claim that is forwarded, and whether the first insurer has the papers. */
static err
look(struct gateway *g, struct reader *r, const struct row_claim *claim, arena *mem, struct wait *ret)
{
    struct row_task *task = NULL;
    view words, detail;
    *ret = (struct wait){.is = false};
    if (!relay_has_line(claim->line) || uid_is_none(claim->application))
        return E_OK;
    TRY(claim_benefits(g, r, claim, mem, &words, &detail));
    ret->role = original_role(detail, mem);
    if (!ret->role.n)
        return E_OK;
    digest about = original_about(g->seal, claim->application);
    TRY(query_task_about(r, ARGS(val_digest(&about)), mem, &task));
    if (!task || view_eq(task->state, V("answered")))
        return E_OK;
    ret->rule = relay_rule_on(date_of_instant(task->at, TAIPEI_MINUTES));
    ret->is = ret->rule != NULL;
    if (ret->is)
        ret->due = instant_add(task->at, SPAN_DAYS(ret->rule->days));
    return E_OK;
}

/* NT$ of {"amount":{"amount":"…"}}; -1 when none is said. */
static int64_t
amount_of(const json_t *said)
{
    view text = json_text(json_member(said, "amount"), "amount");
    int64_t n;
    return text.n && text_to_i64(view_cut(&text, '.', NULL), &n) == E_OK ? n : -1;
}

static err
decided_amount(struct gateway *g, struct reader *r, const struct row_claim *claim, const json_t *said,
               arena *mem, int64_t *ret)
{
    const struct row_decision *row;
    json_t *last = NULL;
    *ret = amount_of(said);
    if (*ret < 0)
        TRY(claim_last_decision(g, r, claim->id, mem, &row, &last));
    if (*ret < 0 && last)
        *ret = amount_of(last);
    return E_OK;
}

err
original_check(struct gateway *g, struct reader *r, const struct row_claim *claim, view event,
               const json_t *said, arena *mem, struct fault *f)
{
    static const char *const pays[] = {"paying", "paid", "offset"};
    struct wait w;
    int64_t amount;
    bool is_payment = false;
    for (size_t i = 0; i < COUNT_OF(pays); i++)
        is_payment = is_payment || view_eq(event, view_of(pays[i]));
    if (!is_payment)
        return E_OK;
    TRY(look(g, r, claim, mem, &w));
    if (!w.is)
        return E_OK;
    TRY(decided_amount(g, r, claim, said, mem, &amount));
    return amount > w.rule->above ? fault_set(f, E_ORIGINAL_AWAITED, "/state",
                                              "the original papers at the first insurer", "not there yet")
                                  : E_OK;
}

err
original_print(struct gateway *g, struct reader *r, const struct row_claim *claim, instant now, arena *mem,
               struct buf *out)
{
    struct wait w;
    int64_t amount;
    char due[32];
    if (!claim_is_decided(claim))
        return E_OK;
    TRY(look(g, r, claim, mem, &w));
    if (!w.is)
        return E_OK;
    TRY(decided_amount(g, r, claim, NULL, mem, &amount));
    if (amount <= w.rule->above)
        return E_OK;
    bool is_first = view_eq(w.role, V("first"));
    buf_printf(out,
               ",\"waiting_for\":{\"party\":\"%s\",\"reason\":\"original_papers\",\"rule\":\"%s\","
               "\"due\":\"%.*s\",\"overdue\":%s}",
               is_first ? "person" : "first_insurer", w.rule->number, VIEW_ARG(instant_print(w.due, due)),
               w.due.us < now.us ? "true" : "false");
    return out->failed ? E_TOO_LARGE : E_OK;
}
