#include "adapters/hospital/inside.h"

#include "base/place.h"

void
chart_text(const struct chart *ch, struct leaf_text *leaf, const struct node *n)
{
    view v = n && n->kind == NODE_STRING ? node_text(ch->t, n) : VIEW_NONE;
    if (v.n)
        leaf_set_text(leaf, v, from_node(n, HOW_COPIED));
}

void
chart_word(struct leaf_text *leaf, const char *word, const struct node *n)
{
    leaf_set_text(leaf, view_of(word), from_node(n, HOW_MAPPED));
}

void
chart_ref(struct chart *ch, struct leaf_text *leaf, view id, const struct node *n)
{
    if (id.n && !case_ref(ch->mem, leaf, id, from_node(n, HOW_MAPPED)))
        ch->failed = true;
}

void
chart_own(struct chart *ch, struct leaf_text *leaf)
{
    leaf_set_text(leaf, CASE_OWN_DOCUMENT, from_node(tree_root(ch->t), HOW_COMPUTED));
}

void
chart_coding(const struct chart *ch, struct case_coding *out, const struct node *coding)
{
    const struct tree *t = ch->t;
    chart_text(ch, &out->system, node_member(t, coding, V("system")));
    chart_text(ch, &out->version, node_member(t, coding, V("version")));
    chart_text(ch, &out->code, node_member(t, coding, V("code")));
    chart_text(ch, &out->display, node_member(t, coding, V("display")));
}

void
chart_coded(struct chart *ch, struct case_coded *out, const struct node *concept)
{
    const struct tree *t = ch->t;
    for (NODE_EACH(coding, t, node_member(t, concept, V("coding")))) {
        if (!node_member(t, coding, V("code")))
            continue;
        struct case_coding *c = case_append_value(ch->mem, &out->codings, sizeof *c);
        if (!c) {
            ch->failed = true;
            return;
        }
        chart_coding(ch, c, coding);
    }
    chart_text(ch, &out->text, node_member(t, concept, V("text")));
}

void
chart_time(struct chart *ch, struct leaf_time *leaf, const struct node *n)
{
    if (!n)
        return;
    if (leaf_parse_time(leaf, node_text(ch->t, n), from_node(n, HOW_PARSED)) != E_OK)
        chart_note(ch, ISSUE_WARNING, E_VALUE, n, "a date or dateTime", "another form");
    else if (leaf->precision == TIME_INSTANT && leaf->offset != 480)
        chart_note(ch, ISSUE_WARNING, E_OFFSET, n, "+08:00", "another offset");
}

void
chart_date(struct chart *ch, struct leaf_date *leaf, const struct node *n)
{
    view text = n ? node_text(ch->t, n) : VIEW_NONE;
    date d;
    if (!text.n)
        return;
    /* A dateTime is taken by its day as stated. */
    if (date_parse(view_sub(text, 0, 10), &d) == E_OK)
        leaf_set_date(leaf, d, VIEW_NONE, from_node(n, HOW_PARSED));
    else
        chart_note(ch, ISSUE_WARNING, E_VALUE, n, "YYYY-MM-DD", "another form");
}

bool
chart_money(struct chart *ch, struct case_money *m, const struct node *amount)
{
    const struct tree *t = ch->t;
    const struct node *value = node_member(t, amount, V("value"));
    view currency = node_text_at(t, amount, "currency");
    decimal d;
    if (!value || decimal_parse(node_text(t, value), &d) != E_OK)
        return false;
    case_set_money(m, d, currency, from_node(value, HOW_COPIED));
    if (!currency.n)
        chart_note(ch, ISSUE_INFO, E_UNIT_UNKNOWN, amount, "a currency", "none; TWD assumed");
    return true;
}

view
concept_code(const struct tree *t, const struct node *concept, const char *system,
             const struct node **ret_coding)
{
    for (NODE_EACH(coding, t, node_member(t, concept, V("coding")))) {
        if (!view_eq(node_text_at(t, coding, "system"), view_of(system)))
            continue;
        if (ret_coding)
            *ret_coding = node_member(t, coding, V("code"));
        return node_text_at(t, coding, "code");
    }
    return VIEW_NONE;
}

void
chart_note(struct chart *ch, enum issue_severity severity, err code, const struct node *n,
           const char *expected, const char *found)
{
    issue_at(ch->issues, severity, code, ch->t, n, view_of(expected), view_of(found));
}

const struct node *
chart_resolve(const struct chart *ch, const struct node *from_resource, const struct node *reference)
{
    view text = node_text_at(ch->t, reference, "reference");
    return text.n ? bundle_resolve(ch->b, from_resource, text) : NULL;
}

view
extension_url_value(const struct tree *t, const struct node *owner, const char *url,
                    const struct node **ret_value)
{
    for (NODE_EACH(extension, t, node_member(t, owner, V("extension")))) {
        if (!view_eq(node_text_at(t, extension, "url"), view_of(url)))
            continue;
        for (NODE_EACH(member, t, extension)) {
            if (!view_starts(node_name(t, member), V("value")))
                continue;
            if (ret_value)
                *ret_value = member;
            return node_text(t, member);
        }
    }
    return VIEW_NONE;
}

bool
list_has_word(const char *const *words, view word)
{
    for (; *words; words++)
        if (view_eq(word, view_of(*words)))
            return true;
    return false;
}

void
chart_add_ref(struct chart *ch, enum ref_kind kind, view value)
{
    value = view_trim(value);
    struct doc_ref *ref = value.n ? arena_make(ch->mem, struct doc_ref) : NULL;
    if (!ref)
        return;
    *ref = (struct doc_ref){kind, ch->rd->author, value, ch->rd->refs};
    ch->rd->refs = ref;
}
