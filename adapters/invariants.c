#include "adapters/invariants_kit.h"

#include "base/text.h"

#define FINDINGS_PER_RULE 64

static const struct case_rule rules[] = {
#define RULE(number, code, severity, en, zh) {number, code, #severity, {en, zh}},
#include "adapters/invariants.def"
#undef RULE
};

static void (*const checks[])(struct check *k) = {
#define RULE(number, code, severity, en, zh) invariant_##number,
#include "adapters/invariants.def"
#undef RULE
};

size_t
case_rules(const struct case_rule **ret)
{
    *ret = rules;
    return COUNT_OF(rules);
}

/* -- findings -- */

static view
rule_id(const struct check *k)
{
    return arena_printf(k->mem, "case-%02d", k->rule->number);
}

void
found(struct check *k, view pointer, view expected, view found_text)
{
    if (k->failed || k->n >= FINDINGS_PER_RULE)
        return;
    struct source src = source_gateway(HOW_COMPUTED);
    struct case_finding *f = case_add_findings(k->mem, k->c);
    struct case_finding_rule *rule = f ? case_make_finding_rule(k->mem, f) : NULL;
    view id = rule_id(k);
    if (!rule || !id.p || !pointer.p) {
        k->failed = E_TOO_LARGE;
        return;
    }
    leaf_set_text(&f->code, view_of(k->rule->code), src);
    leaf_set_text(&f->severity, view_of(k->rule->severity), src);
    leaf_set_text(&f->pointer, pointer, src);
    if (expected.n)
        leaf_set_text(&f->expected, expected, src);
    if (found_text.n)
        leaf_set_text(&f->found, found_text, src);
    leaf_set_text(&rule->id, id, src);
    leaf_set_text(&rule->version, V(INVARIANTS_VERSION), src);
    leaf_set_text(&f->text.en, view_of(k->rule->text[LANG_EN]), src);
    leaf_set_text(&f->text.zh, view_of(k->rule->text[LANG_ZH]), src);
    k->n++;
}

void
found_at(struct check *k, view id, const char *rest, view expected, view found_text)
{
    if (k->n < FINDINGS_PER_RULE)
        found(k, case_pointer(k->c, id, view_of(rest), k->mem), expected, found_text);
}

view
amount_text(struct check *k, decimal d)
{
    char text[24];
    return arena_dup(k->mem, decimal_print(d, text));
}

/* -- questions that several rules ask -- */

bool
any_refers_to(const struct case_item *list, view id)
{
    for (const struct case_item *i = list; i; i = i->next)
        if (refers_to(&i->text, id))
            return true;
    return false;
}

bool
one_of(const struct leaf_text *leaf, const char *words)
{
    return leaf->v.n && text_is_one_of(leaf->v, words);
}

bool
has_role(const struct claim_case *c, const struct leaf_text *party, const char *words)
{
    for (const struct case_role *r = c->roles; r; r = r->next)
        if (same_reference(&r->party, party) && one_of(&r->role, words))
            return true;
    return false;
}

bool
accident_day(const struct claim_case *c, date *ret)
{
    const struct leaf_time *when = c->accident && c->accident->occurred.set ? &c->accident->occurred
                                   : c->event                               ? &c->event->occurred.from
                                                                            : NULL;
    if (!when || !when->set)
        return false;
    *ret = leaf_day(when);
    return true;
}

/* -- running -- */

static err
run(struct claim_case *c, size_t index, arena *mem, size_t *n)
{
    struct check k = {.c = c, .mem = mem, .rule = &rules[index]};
    checks[index](&k);
    *n += k.n;
    return k.failed;
}

err
case_check_rule(struct claim_case *c, int number, arena *mem, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].number == number)
            TRY(run(c, i, mem, &n));
    if (ret_n)
        *ret_n = n;
    return E_OK;
}

err
case_check(struct claim_case *c, arena *mem, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        TRY(run(c, i, mem, &n));
    if (ret_n)
        *ret_n = n;
    return E_OK;
}
