#include "adapters/claimlink/inside.h"

#include "base/place.h"
#include "base/text.h"

const struct node *
work_member(const struct work *w, const struct node *owner, const char *name)
{
    return node_member(w->t, owner, view_of(name));
}

view
work_value(const struct work *w, const struct node *owner, const char *name)
{
    return node_text(w->t, work_member(w, owner, name));
}

int64_t
work_int(const struct work *w, const struct node *owner, const char *name, int64_t otherwise)
{
    int64_t n;
    return text_to_i64(work_value(w, owner, name), &n) == E_OK ? n : otherwise;
}

bool
work_amount(const struct work *w, const struct node *n, decimal *ret)
{
    return n && decimal_parse(node_text(w->t, n), ret) == E_OK;
}

void
work_text(const struct work *w, struct leaf_text *leaf, const struct node *n)
{
    view v = node_text(w->t, n);
    if (v.n)
        leaf_set_text(leaf, v, source_of_node(n, HOW_COPIED));
}

void
work_word(struct leaf_text *leaf, const char *word, const struct node *n)
{
    leaf_set_text(leaf, view_of(word), source_of_node(n, HOW_MAPPED));
}

void
work_ref(struct work *w, struct leaf_text *leaf, view id, const struct node *n)
{
    if (id.n && !case_ref(w->mem, leaf, id, source_of_node(n, HOW_MAPPED)))
        w->failed = true;
}

void
work_count(const struct work *w, struct leaf_int *leaf, const struct node *n)
{
    int64_t v;
    if (n && text_to_i64(node_text(w->t, n), &v) == E_OK)
        leaf_set_int(leaf, v, source_of_node(n, HOW_COPIED));
}

void
work_bool(struct leaf_bool *leaf, const struct node *n)
{
    if (n)
        leaf_set_bool(leaf, node_is_true(n), source_of_node(n, HOW_COPIED));
}

void
work_decimal(const struct work *w, struct leaf_decimal *leaf, const struct node *n)
{
    decimal d;
    if (work_amount(w, n, &d))
        leaf_set_decimal(leaf, d, source_of_node(n, HOW_COPIED));
}

void
work_money(const struct work *w, struct case_money *m, const struct node *n)
{
    decimal d;
    if (work_amount(w, n, &d))
        case_set_money(m, d, VIEW_NONE, source_of_node(n, HOW_COPIED));
}

void
work_date(const struct work *w, struct leaf_date *leaf, const struct node *n)
{
    date d;
    if (n && date_parse(node_text(w->t, n), &d) == E_OK)
        leaf_set_date(leaf, d, VIEW_NONE, source_of_node(n, HOW_PARSED));
}

void
work_time(struct work *w, struct leaf_time *leaf, const struct node *n)
{
    if (n && leaf_parse_time(leaf, node_text(w->t, n), source_of_node(n, HOW_PARSED)) == E_OK &&
        leaf->offset != 480)
        work_issue(w, ISSUE_WARNING, E_OFFSET, n, "+08:00", "another offset");
}

void
work_stated(struct work *w, struct case_stated_money *m, const struct node *stated, decimal recomputed)
{
    decimal said;
    work_money(w, &m->stated, stated);
    case_set_money(&m->recomputed, recomputed, VIEW_NONE, source_of_node(stated, HOW_COMPUTED));
    if (!work_amount(w, stated, &said))
        return;
    bool agrees = decimal_cmp(said, recomputed) == 0;
    leaf_set_bool(&m->agrees, agrees, source_of_node(stated, HOW_COMPUTED));
    if (!agrees)
        work_issue(w, ISSUE_WARNING, E_SUM, stated, "what its parts come to", "another amount");
}

void
work_issue(struct work *w, enum issue_severity severity, err code, const struct node *n, const char *expected,
           const char *found)
{
    issue_at(w->issues, severity, code, w->t, n, view_of(expected), view_of(found));
}
