#include "flow/view/joint.h"

#include "adapters/rules/case_advice.h"
#include "adapters/rules/motor.h"
#include "base/json.h"
#include "base/text.h"
#include "flow/view/projection_inside.h"

static int64_t
whole(const struct leaf_decimal *d)
{
    char text[24];
    int64_t n = 0;
    view printed = d->set ? decimal_print(d->v, text) : VIEW_NONE;
    return d->set && text_to_i64(view_cut(&printed, '.', NULL), &n) == E_OK ? n : 0;
}

/* How many answer jointly, and what counts of the victim's receipts: what the insurer's own view advises. */
static err
advise(struct look *l, partner_id insurer, uid claim, size_t *ret_insurers, int64_t *ret_eligible)
{
    TRY(look_open(l, insurer, (claim_id){claim}));
    TRY(look_fold(l));
    struct case_claim *own = l->c.folded->claims;
    const struct case_party *victim = l->c.folded->parties;
    while (victim && !view_eq(victim->id, l->subject))
        victim = victim->next;
    TRY(motor_advise(l->c.folded, own, victim, l->mem));
    *ret_insurers = 1;
    for (const struct case_item *i = own->cali ? own->cali->joint_with : NULL; i; i = i->next)
        *ret_insurers += 1;
    *ret_eligible = 0;
    for (const struct case_cali_item *i = own->cali ? own->cali->items : NULL; i; i = i->next)
        *ret_eligible += whole(&i->eligible.amount);
    return E_OK;
}

static bool
is_share(int64_t amount, int64_t eligible, size_t insurers)
{
    for (size_t i = 0; i < insurers; i++)
        if (amount == motor_share(eligible, insurers, i))
            return true;
    return false;
}

err
joint_check(struct gateway *g, const struct joint_decision *d, arena *mem, struct fault *f)
{
    static const char *const pays[] = {"approved", "partially_approved", "paid"};
    AUTO(reader_done) struct reader *r = NULL;
    view reason = json_text(d->said, "reason"), text = json_text(json_member(d->said, "amount"), "amount");
    int64_t amount = 0, eligible;
    size_t insurers;
    bool is_payment = false;
    for (size_t i = 0; i < COUNT_OF(pays); i++)
        is_payment = is_payment || view_eq(d->event, view_of(pays[i]));
    if (!is_payment || !view_eq(d->claim->line, V("cali")) || !text.n ||
        text_to_i64(view_cut(&text, '.', NULL), &amount) != E_OK)
        return E_OK;
    TRY(store_reader(g->store, &r));
    struct look l = {.g = g, .r = r, .mem = mem, .f = f, .now = d->at};
    TRY(advise(&l, d->insurer, d->claim->id, &insurers, &eligible));
    bool says_share = view_starts(reason, V("CALI-36"));
    if (insurers < 2 || !(says_share || (!reason.n && eligible > 0 && is_share(amount, eligible, insurers))))
        return E_OK;
    return fault_set(f, E_JOINT_SHARE, "/amount", "the whole of what counts, or another reason",
                     "this insurer's share");
}
