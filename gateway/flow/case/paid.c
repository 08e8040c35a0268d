#include "flow/case/paid.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/case/case_frame.h"
#include "flow/case/claim.h"

enum head { HEAD_MEDICAL, HEAD_DISABILITY, HEAD_DEATH, HEAD_COUNT };

static const char *const heads[HEAD_COUNT] = {"cali_medical", "cali_disability", "cali_death"};
static const char *const in_advance[HEAD_COUNT] = {NULL, "disability_grade", "death_half"};

struct paid {
    struct gateway *g;
    struct reader *r;
    arena *mem;
    struct case_claim *claim;
    int64_t sum[HEAD_COUNT];
};

static enum head
head_of(view word)
{
    enum head h = HEAD_MEDICAL;
    while (h < HEAD_COUNT && !view_eq(word, view_of(heads[h])))
        h++;
    return h;
}

/* NT$; -1 when none is said. */
static int64_t
amount_of(const json_t *said)
{
    view text = json_text(json_member(said, "amount"), "amount");
    int64_t n;
    return text.n && text_to_i64(view_cut(&text, '.', NULL), &n) == E_OK ? n : -1;
}

static err
add_interim(struct paid *p, enum head h, int64_t amount, instant at)
{
    struct source own = source_gateway(HOW_COMPUTED);
    struct case_claim_cali *cali = case_make_claim_cali(p->mem, p->claim);
    struct case_interim *i = cali ? case_add_claim_cali_interim(p->mem, cali) : NULL;
    if (!i)
        return E_TOO_LARGE;
    leaf_set_text(&i->kind, view_of(in_advance[h]), own);
    case_set_money(&i->amount, (decimal){amount, 0}, V("TWD"), own);
    leaf_set_time(&i->at, at, 0, own);
    return E_OK;
}

/* Decisions of one claim in their order: what is paid is what was decided before, where the payment says nothing else. */
static err
add_claim(struct paid *p, const struct row_claim *row, bool is_own)
{
    struct row_decision *list = NULL;
    view benefits, detail;
    int64_t decided = -1;
    TRY(claim_benefits(p->g, p->r, row, p->mem, &benefits, &detail));
    enum head h = head_of(benefits);
    TRY(query_decisions_of(p->r, ARGS(val_uid(&row->id)), p->mem, &list));
    for (; list; list = list->next) {
        json_t *said = NULL;
        if (!view_eq(list->kind, V("decision")))
            continue;
        TRY(claim_decision_open(p->g, p->r, list, p->mem, &said));
        view outcome = json_text(said, "outcome"), benefit = json_text(said, "benefit");
        h = benefit.n ? head_of(benefit) : h;
        decided = amount_of(said) >= 0 ? amount_of(said) : decided;
        if (h == HEAD_COUNT || decided < 0)
            continue;
        if (view_eq(outcome, V("paid")))
            p->sum[h] += decided;
        if (is_own && in_advance[h] && view_eq(outcome, V("interim_approved")))
            TRY(add_interim(p, h, decided, list->at));
    }
    return E_OK;
}

static err
put_before(struct paid *p)
{
    if (!p->sum[HEAD_MEDICAL] && !p->sum[HEAD_DISABILITY] && !p->sum[HEAD_DEATH])
        return E_OK;
    struct case_claim_cali *cali = case_make_claim_cali(p->mem, p->claim);
    struct case_paid_before *before = cali ? case_make_claim_cali_paid_before(p->mem, cali) : NULL;
    if (!before)
        return E_TOO_LARGE;
    struct case_money *const to[HEAD_COUNT] = {&before->medical, &before->disability, &before->death};
    for (enum head h = HEAD_MEDICAL; h < HEAD_COUNT; h++)
        if (p->sum[h])
            case_set_money(to[h], (decimal){p->sum[h], 0}, V("TWD"), source_gateway(HOW_COMPUTED));
    return E_OK;
}

err
paid_add(struct gateway *g, struct reader *r, const struct row_claim *own, const struct row_claim *all,
         struct case_claim *claim, arena *mem)
{
    struct paid p = {.g = g, .r = r, .mem = mem, .claim = claim};
    if (!view_eq(own->line, V("cali")) && !view_eq(own->line, V("fund")))
        return E_OK;
    for (; all; all = all->next)
        if ((view_eq(all->line, V("cali")) || view_eq(all->line, V("fund"))) &&
            digest_eq(&all->claimant, &own->claimant))
            TRY(add_claim(&p, all, uid_eq(all->id, own->id)));
    return put_before(&p);
}
