#include "adapters/person/application.h"

#include "adapters/rules/relay.h"
#include "base/text.h"
#include "signing/jose/jws.h"

/* Reading one application. */
struct reader_state {
    const struct tree *t;
    arena *mem;
    struct fault *f;
    struct application *a;
    view digest_of[ITEMS_MAX]; /* listed digests */
    size_t n_digests;
};

static err
bad(struct reader_state *s, const char *where, const char *expected)
{
    return fault_set(s->f, E_SCHEMA, where, expected, "another form");
}

static err
only_members(struct reader_state *s, const struct tree *t, const struct node *object,
             const char *const *names, const char *where)
{
    return person_members(t, object, names, where, s->f);
}

static view
text_of(const struct tree *t, const struct node *object, const char *name)
{
    return person_text(t, object, name);
}

/* -- the signed list -- */

static err
open_payload(struct reader_state *s, view stated, view *ret)
{
    struct jws_parts parts;
    if (!s->a->signature.n)
        return text_base64url_decode(stated, s->mem, ret) == E_OK ? E_OK : bad(s, "/payload", "base64url");
    TRY(jws_split(s->a->signature, s->mem, &parts, s->f));
    if (!view_eq(parts.header.typ, V("claimgate-application+jwt")))
        return fault_set(s->f, E_SIGNATURE_FORM, "/signature", "typ claimgate-application+jwt",
                         "another typ");
    return jws_payload(&parts, s->mem, ret, s->f);
}

static err
read_payload(struct reader_state *s, view stated)
{
    struct tree *t = arena_make(s->mem, struct tree);
    if (!t)
        return E_TOO_LARGE;
    TRY(open_payload(s, stated, &s->a->payload));
    TRY(tree_read_json(s->a->payload, NULL, s->mem, t, s->f));
    static const char *const names[] = {"v", "id", "iat", "items", NULL};
    TRY(only_members(s, t, tree_root(t), names, "/signature/payload"));
    const struct node *items = node_member(t, tree_root(t), V("items"));
    s->a->id = text_of(t, tree_root(t), "id");
    if (!s->a->id.n || s->a->id.n > 128 || !view_eq(node_text_at(t, tree_root(t), "v"), V("1")))
        return bad(s, "/signature/payload/id", "v 1 and an id of at most 128 characters");
    if (!items || items->kind != NODE_ARRAY || node_count(items) % 8 || node_count(items) == 0 ||
        node_count(items) > ITEMS_MAX)
        return bad(s, "/signature/payload/items", "a list padded to a multiple of 8, at most 64");
    s->a->digests = node_raw(t, items);
    for (NODE_EACH(item, t, items))
        s->digest_of[s->n_digests++] = node_text(t, item);
    return E_OK;
}

static err
item_index(struct reader_state *s, view item, size_t number, int64_t *ret)
{
    digest d = sha256(item);
    view text = text_base64url(s->mem, digest_view(&d));
    for (size_t i = 0; i < s->n_digests; i++) {
        if (view_eq(s->digest_of[i], text)) {
            *ret = (int64_t)i;
            return E_OK;
        }
    }
    return fault_setf(s->f, E_ITEM_DIGEST, "an item of the signed list", "one that is not listed",
                      "/items/%zu", number);
}

/* -- common facts -- */

static err
read_person(struct reader_state *s, const struct tree *t, const struct node *n, const char *role,
            const char *where)
{
    struct applied_person **end = &s->a->people;
    while (*end)
        end = &(*end)->next;
    return person_read(t, n, role, where, s->mem, end, s->f);
}

static err
read_refs(struct reader_state *s, const struct tree *t, const struct node *list)
{
    for (NODE_EACH(n, t, list)) {
        static const char *const names[] = {"author", "kind", "value", NULL};
        TRY(only_members(s, t, n, names, "/common/references"));
        struct doc_ref *ref = arena_make(s->mem, struct doc_ref);
        if (!ref)
            return E_TOO_LARGE;
        *ref = (struct doc_ref){ref_kind_of(text_of(t, n, "kind")), text_of(t, n, "author"),
                                text_of(t, n, "value"), s->a->refs};
        if (ref->kind == REF_KIND_COUNT || !ref->author.n || !ref->value.n)
            return bad(s, "/common/references", "author, kind and value");
        s->a->refs = ref;
    }
    return E_OK;
}

static err
read_common(struct reader_state *s, const struct tree *t, const struct node *n, view item)
{
    static const char *const names[] = {
        "person", "representatives", "policyholder", "references", "event", "channel", "note", "heirs", NULL};
    if (s->a->common_item.p)
        return bad(s, "/items", "one item of common facts");
    TRY(only_members(s, t, n, names, "/common"));
    s->a->common_item = item;
    TRY(read_person(s, t, node_member(t, n, V("person")), "subject", "/common/person"));
    for (NODE_EACH(r, t, node_member(t, n, V("representatives"))))
        TRY(read_person(s, t, r, "representative", "/common/representatives"));
    for (NODE_EACH(heir, t, node_member(t, n, V("heirs")))) {
        s->a->is_of_dead = true;
        TRY(read_person(s, t, heir, "heir", "/common/heirs"));
    }
    const struct node *holder = node_member(t, n, V("policyholder"));
    if (holder)
        TRY(read_person(s, t, holder, "policyholder", "/common/policyholder"));
    s->a->event_kind = node_text_at(t, n, "event.kind");
    s->a->occurred = node_text_at(t, n, "event.occurred");
    return read_refs(s, t, node_member(t, n, V("references")));
}

/* -- one insurer -- */

static err
words_of(struct reader_state *s, const struct tree *t, const struct node *list, view *ret)
{
    struct buf out;
    buf_init(&out, 4096);
    for (NODE_EACH(n, t, list)) {
        /* an object's kind, or a plain word */
        view word = n->kind == NODE_OBJECT ? text_of(t, n, "kind") : node_text(t, n);
        if (out.n)
            BUF_LIT(&out, " ");
        buf_add_view(&out, word);
    }
    *ret = out.failed || !out.n ? VIEW_NONE : arena_dup(s->mem, buf_view(&out));
    buf_done(&out);
    return ret->p ? E_OK : bad(s, "/insurer", "a list of at least one word");
}

static bool
is_word_of(view word, const char *const *words)
{
    for (; *words; words++)
        if (view_eq(word, view_of(*words)))
            return true;
    return false;
}

static err
check_purpose(struct reader_state *s, view purpose)
{
    static const char *const served[] = {"claim", "recourse", "dispute", "audit", "reinsurance", NULL};
    return is_word_of(purpose, served) ? E_OK
                                       : fault_set(s->f, E_PURPOSE, "/insurer/permission/purpose",
                                                   "a purpose that is served", "another");
}

static err
check_kinds(struct reader_state *s, view kinds)
{
    while (kinds.n)
        if (document_kind_of(view_cut(&kinds, ' ', NULL)) == KIND_COUNT)
            return fault_set(s->f, E_PERMISSION_FORM, "/insurer/permission/document_kinds",
                             "kinds of documents", "an unknown word");
    return E_OK;
}

static err
read_times(struct reader_state *s, const struct tree *t, const struct node *p, struct applied_insurer *ret)
{
    view from = text_of(t, p, "from"), to = text_of(t, p, "to");
    if (instant_parse(from, &ret->from, NULL) != E_OK)
        return bad(s, "/insurer/permission/from", "an RFC 3339 time");
    if (to.n && instant_parse(to, &ret->to, NULL) != E_OK)
        return bad(s, "/insurer/permission/to", "an RFC 3339 time");
    const struct node *uses = node_member(t, p, V("uses"));
    ret->uses = -1;
    if (uses && (text_to_i64(node_text(t, uses), &ret->uses) != E_OK || ret->uses < 1))
        return bad(s, "/insurer/permission/uses", "a count from 1");
    return E_OK;
}

static err
read_permission(struct reader_state *s, const struct tree *t, const struct node *p,
                struct applied_insurer *ret)
{
    static const char *const names[] = {"purpose", "document_kinds", "from",   "to",
                                        "uses",    "text",           "notice", NULL};
    TRY(only_members(s, t, p, names, "/insurer/permission"));
    ret->purpose = text_of(t, p, "purpose");
    TRY(check_purpose(s, ret->purpose));
    TRY(words_of(s, t, node_member(t, p, V("document_kinds")), &ret->document_kinds));
    TRY(check_kinds(s, ret->document_kinds));
    TRY(read_times(s, t, p, ret));
    const struct node *text = node_member(t, p, V("text"));
    ret->text_id = text_of(t, text, "id");
    ret->text_version = text_of(t, text, "version");
    ret->text_lang = text_of(t, text, "lang");
    ret->text_sha256 = text_of(t, text, "sha256");
    if (!ret->text_id.n || !ret->text_version.n || ret->text_sha256.n != 64)
        return fault_set(s->f, E_PERMISSION_FORM, "/insurer/permission/text",
                         "id, version, lang and sha256 of the text shown", "less");
    return E_OK;
}

static const char *const lines[] = {"life",
                                    "health",
                                    "injury",
                                    "cali",
                                    "fund",
                                    "own_damage",
                                    "theft",
                                    "liability_injury",
                                    "liability_property",
                                    "passenger",
                                    "driver_injury",
                                    NULL};

/* The item's object as canonical text for storing: everything but the payee, whose account is for the paying insurer alone. */
static err
print_detail(struct reader_state *s, const struct tree *t, const struct node *n, view *ret)
{
    struct buf out;
    buf_init(&out, 65536);
    BUF_LIT(&out, "{");
    for (NODE_EACH(child, t, n)) {
        if (view_eq(node_name(t, child), V("payee")))
            continue;
        if (out.n > 1)
            BUF_LIT(&out, ",");
        buf_add_json(&out, node_name(t, child));
        BUF_LIT(&out, ":");
        buf_add_view(&out, node_raw(t, child));
    }
    BUF_LIT(&out, "}");
    *ret = out.failed ? VIEW_NONE : arena_dup(s->mem, buf_view(&out));
    buf_done(&out);
    return ret->p ? E_OK : E_TOO_LARGE;
}

static void
add_applied(struct reader_state *s, struct applied_insurer *i)
{
    struct applied_insurer **end = &s->a->insurers;
    while (*end)
        end = &(*end)->next;
    *end = i;
}

/* 委託書: {"attorney":"code","permission":{…}} to who asks for the person; or {"holder":"code","person":{…},"permission":{…}} to who keeps the records.  The holder is
 * shown this item alone, so who gives it is said in it, and must be who applies (checked when all items are read). */
static err
read_mandate(struct reader_state *s, const struct tree *t, const struct node *n, view item, int64_t index)
{
    static const char *const names[] = {"attorney", "holder", "person", "permission", NULL};
    TRY(only_members(s, t, n, names, "/mandate"));
    struct applied_insurer *i = arena_make(s->mem, struct applied_insurer);
    if (!i)
        return E_TOO_LARGE;
    i->is_mandate = true;
    i->item = item;
    i->index = index;
    view attorney = text_of(t, n, "attorney"), holder = text_of(t, n, "holder");
    i->recipient = holder.n ? holder : attorney;
    i->at_holder = holder.n > 0;
    if ((attorney.n > 0) == i->at_holder)
        return bad(s, "/mandate/attorney", "the code of an organisation: attorney or holder");
    if (i->at_holder)
        TRY(read_person(s, t, node_member(t, n, V("person")), "mandator", "/mandate/person"));
    TRY(read_permission(s, t, node_member(t, n, V("permission")), i));
    TRY(print_detail(s, t, n, &i->detail));
    add_applied(s, i);
    return E_OK;
}

static const char *const relay_roles[] = {"first", "forwarded", NULL};

/* What is forwarded has one first insurer, who gets the original papers. */
static err
check_relay(struct reader_state *s)
{
    size_t first = 0, all = 0;
    for (const struct applied_insurer *i = s->a->insurers; i; i = i->next) {
        first += view_eq(i->relay_role, V("first"));
        all += i->relay_role.n > 0;
    }
    return all == 0 || first == 1 ? E_OK : bad(s, "/insurer/relay_role", "exactly one first insurer");
}

static err
read_insurer(struct reader_state *s, const struct tree *t, const struct node *n, view item, int64_t index)
{
    static const char *const names[] = {"recipient",  "through", "line", "coverage",   "benefits",
                                        "permission", "payee",   "fund", "relay_role", NULL};
    TRY(only_members(s, t, n, names, "/insurer"));
    struct applied_insurer *i = arena_make(s->mem, struct applied_insurer);
    if (!i)
        return E_TOO_LARGE;
    i->item = item;
    i->index = index;
    i->recipient = text_of(t, n, "recipient");
    i->through = text_of(t, n, "through");
    i->line = text_of(t, n, "line");
    i->policy_no = node_text_at(t, n, "coverage.policy_no");
    if (!i->recipient.n || !is_word_of(i->line, lines))
        return bad(s, "/insurer/line", "recipient and a known line");
    i->relay_role = text_of(t, n, "relay_role");
    if (i->relay_role.n && (!is_word_of(i->relay_role, relay_roles) || !relay_has_line(i->line)))
        return bad(s, "/insurer/relay_role", "first or forwarded, in life, health or injury insurance");
    TRY(words_of(s, t, node_member(t, n, V("benefits")), &i->benefits));
    TRY(read_permission(s, t, node_member(t, n, V("permission")), i));
    const struct node *payee = node_member(t, n, V("payee"));
    i->payee_jwe = text_of(t, payee, "jwe");
    if (payee && !i->payee_jwe.n)
        i->payee_plain = node_raw(t, payee);
    TRY(print_detail(s, t, n, &i->detail));
    add_applied(s, i);
    return E_OK;
}

static err
read_item(struct reader_state *s, view item, size_t number)
{
    view text;
    int64_t index = -1;
    struct tree *t = arena_make(s->mem, struct tree);
    if (!t)
        return E_TOO_LARGE;
    TRY(item_index(s, item, number, &index));
    if (text_base64url_decode(item, s->mem, &text) != E_OK)
        return bad(s, "/items", "base64url");
    TRY(tree_read_json(text, NULL, s->mem, t, s->f));
    const struct node *root = tree_root(t);
    view salt = node_text(t, node_item(t, root, 0)), kind = node_text(t, node_item(t, root, 1));
    if (root->kind != NODE_ARRAY || node_count(root) != 3 || salt.n < 16)
        return bad(s, "/items", "[salt of at least 16 characters, kind, object]");
    const struct node *object = node_item(t, root, 2);
    if (view_eq(kind, V("common")))
        return read_common(s, t, object, item);
    if (view_eq(kind, V("insurer")))
        return read_insurer(s, t, object, item, index);
    if (view_eq(kind, V("mandate")))
        return read_mandate(s, t, object, item, index);
    return bad(s, "/items", "common, insurer or mandate");
}

static bool
has_key(const struct applied_person *p, view key)
{
    for (const struct person_key *k = p->keys; k; k = k->next)
        if (view_eq(k->text, key))
            return true;
    return false;
}

/* Nobody gives another's mandate; who gives it is no further person of the application. */
static err
check_mandators(struct reader_state *s)
{
    const struct applied_person *subject = application_subject(s->a);
    struct applied_person **at = &s->a->people;
    while (*at) {
        if (!view_eq((*at)->role, V("mandator"))) {
            at = &(*at)->next;
            continue;
        }
        if (!subject || !has_key(subject, (*at)->keys->text))
            return bad(s, "/mandate/person", "the person that applies");
        *at = (*at)->next;
    }
    return E_OK;
}

/* Signatures, presentations, or both over one payload. */
static err
read_evidence(struct reader_state *s, const struct node *root)
{
    struct application *a = s->a;
    a->signature = text_of(s->t, root, "signature");
    for (NODE_EACH(n, s->t, node_member(s->t, root, V("co_signatures")))) {
        if (a->n_co_signatures == CO_SIGNATURES_MAX)
            return bad(s, "/co_signatures", "at most 4");
        a->co_signatures[a->n_co_signatures++] = node_text(s->t, n);
    }
    for (NODE_EACH(p, s->t, node_member(s->t, root, V("presentations")))) {
        if (a->n_presentations == PRESENTATIONS_MAX)
            return bad(s, "/presentations", "at most 2");
        a->presentations[a->n_presentations++] = node_text(s->t, p);
    }
    return a->signature.n || a->n_presentations ? E_OK
                                                : fault_set(s->f, E_SIGNATURE_MISSING, "/signature",
                                                            "a compact JWS, or presentations", "none");
}

err
application_read(const struct tree *t, arena *mem, struct application *ret, struct fault *f)
{
    struct application *a = arena_make(mem, struct application);
    if (!a)
        return E_TOO_LARGE;
    struct reader_state s = {.t = t, .mem = mem, .f = f, .a = a};
    static const char *const names[] = {"signature", "co_signatures", "items",
                                        "payload",   "presentations", NULL};
    const struct node *root = tree_root(t);
    TRY(only_members(&s, t, root, names, ""));
    TRY(read_evidence(&s, root));
    TRY(read_payload(&s, text_of(t, root, "payload")));
    size_t number = 0;
    for (NODE_EACH(n, t, node_member(t, root, V("items"))))
        TRY(read_item(&s, node_text(t, n), number++));
    if (!a->common_item.p || !a->insurers)
        return bad(&s, "/items", "one item of common facts and at least one of an insurer or a mandate");
    TRY(check_mandators(&s));
    TRY(check_relay(&s));
    *ret = *a;
    return E_OK;
}

const struct applied_person *
application_subject(const struct application *a)
{
    const struct applied_person *p = a->people;
    while (p && !view_eq(p->role, V("subject")))
        p = p->next;
    return p;
}
