#include "adapters/police/inside.h"

#include "base/place.h"
#include "base/text.h"

const struct node *
form_member(const struct form *x, const struct node *owner, const char *name)
{
    return node_member(x->t, owner, view_of(name));
}

view
form_value(const struct form *x, const struct node *owner, const char *name)
{
    return node_text(x->t, form_member(x, owner, name));
}

bool
form_int(const struct form *x, const struct node *n, int64_t *ret)
{
    return n && text_to_i64(node_text(x->t, n), ret) == E_OK;
}

void
form_text(struct form *x, struct leaf_text *leaf, const struct node *n)
{
    view v = node_text(x->t, n);
    if (v.n)
        leaf_set_text(leaf, v, source_of_node(n, HOW_COPIED));
}

void
form_word(struct leaf_text *leaf, const char *word, const struct node *n)
{
    leaf_set_text(leaf, view_of(word), source_of_node(n, HOW_MAPPED));
}

void
form_ref(struct form *x, struct leaf_text *leaf, view id, const struct node *n)
{
    if (id.n && !case_ref(x->mem, leaf, id, source_of_node(n, HOW_MAPPED)))
        x->failed = true;
}

void
form_count(struct form *x, struct leaf_int *leaf, const struct node *n)
{
    int64_t v;
    if (form_int(x, n, &v))
        leaf_set_int(leaf, v, source_of_node(n, HOW_COPIED));
}

void
form_decimal(struct form *x, struct leaf_decimal *leaf, const struct node *n)
{
    decimal d;
    if (n && decimal_parse(node_text(x->t, n), &d) == E_OK)
        leaf_set_decimal(leaf, d, source_of_node(n, HOW_COPIED));
}

void
form_date(struct form *x, struct leaf_date *leaf, const struct node *n)
{
    date d;
    if (n && date_parse(node_text(x->t, n), &d) == E_OK)
        leaf_set_date(leaf, d, VIEW_NONE, source_of_node(n, HOW_PARSED));
}

void
form_time(struct form *x, struct leaf_time *leaf, const struct node *n)
{
    if (n && leaf_parse_time(leaf, node_text(x->t, n), source_of_node(n, HOW_PARSED)) == E_OK &&
        leaf->offset != 480)
        form_issue(x, ISSUE_WARNING, E_OFFSET, n, "+08:00", "another offset");
}

static void
set_or_map(struct form *x, struct leaf_text *leaf, const struct node *stated, const char *known,
           const struct node *n)
{
    if (stated)
        form_text(x, leaf, stated);
    else if (*known)
        leaf_set_text(leaf, view_of(known), source_of_node(n, HOW_MAPPED));
}

void
form_code(struct form *x, struct case_police_code *out, enum police_column column, const struct node *n)
{
    const struct node *major = form_member(x, n, "major"), *minor = form_member(x, n, "minor");
    const struct node *code = form_member(x, n, "code");
    if (!major && !minor && !code)
        return;
    const struct police_code_row *row = police_code_find(column, x->era, node_text(x->t, major),
                                                         node_text(x->t, minor), node_text(x->t, code));
    set_or_map(x, &out->major, major, row ? row->major : "", n);
    set_or_map(x, &out->minor, minor, row ? row->minor : "", n);
    set_or_map(x, &out->code, code, row ? row->code : "", n);
    form_word(&out->era, police_era_word(x->era), n);
    leaf_set_bool(&out->resolved, row != NULL, source_of_node(n, HOW_MAPPED));
    if (row)
        return;
    view expected = arena_printf(x->mem, "a value of the table %s of the form (%s)",
                                 police_column_word(column), police_era_word(x->era));
    form_issue(x, ISSUE_INFO, E_UNMAPPED, n, expected.p ? expected.p : "", "another one; kept");
}

void
form_issue(struct form *x, enum issue_severity severity, err code, const struct node *n, const char *expected,
           const char *found)
{
    issue_at(x->issues, severity, code, x->t, n, view_of(expected), view_of(found));
}

struct form_party *
form_party_of(struct form *x, int64_t seq)
{
    for (size_t i = 0; i < x->n_parties; i++)
        if (x->parties[i].seq == seq)
            return &x->parties[i];
    return NULL;
}
