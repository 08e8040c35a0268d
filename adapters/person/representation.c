#include "adapters/person/representation.h"

#include "base/buf.h"
#include "signing/jose/jws.h"

#define TAIPEI_MINUTES 480

struct paper_state {
    arena *mem;
    struct fault *f;
    const struct tree *t; /* of the payload */
    struct representation_paper *p;
};

static err
bad(struct paper_state *s, const char *where, const char *expected)
{
    return fault_set(s->f, E_SCHEMA, where, expected, "another form");
}

static instant
day_begin(int64_t days)
{
    return (instant){(days * 1440 - TAIPEI_MINUTES) * 60 * 1000000};
}

static err
read_day(struct paper_state *s, const struct node *root, const char *name, int after, instant *ret)
{
    view text = person_text(s->t, root, name);
    date day;
    if (!text.n)
        return E_OK;
    if (date_parse(text, &day) != E_OK || day.precision != DATE_DAY)
        return bad(s, name, "a day, YYYY-MM-DD");
    *ret = day_begin((int64_t)date_days(day) + after);
    return E_OK;
}

static err
read_represented(struct paper_state *s, const struct node *root)
{
    static const char *const names[] = {"code", "name", NULL};
    const struct node *company = node_member(s->t, root, V("company"));
    const struct node *person = node_member(s->t, root, V("person"));
    if ((company != NULL) == (person != NULL))
        return bad(s, "/signature/payload/person", "a person or a company");
    if (person)
        return person_read(s->t, person, "subject", "/signature/payload/person", s->mem, &s->p->person, s->f);
    TRY(person_members(s->t, company, names, "/signature/payload/company", s->f));
    s->p->company = person_text(s->t, company, "code");
    return s->p->company.n == 8 ? E_OK : bad(s, "/signature/payload/company/code", "the code of a company");
}

static err
read_holders(struct paper_state *s, const struct node *root)
{
    const struct node *list = node_member(s->t, root, V("holders"));
    struct applied_person **end = &s->p->holders;
    if (!list || list->kind != NODE_ARRAY || node_count(list) > HOLDERS_MAX)
        return bad(s, "/signature/payload/holders", "a list of at most 16 persons");
    for (NODE_EACH(n, s->t, list)) {
        TRY(person_read(s->t, n, "representative", "/signature/payload/holders", s->mem, end, s->f));
        end = &(*end)->next;
        s->p->n_holders++;
    }
    return E_OK;
}

static err
read_acts(struct paper_state *s, const struct node *root)
{
    const struct node *list = node_member(s->t, root, V("acts"));
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1024);
    for (NODE_EACH(n, s->t, list)) {
        if (n->kind != NODE_STRING)
            return bad(s, "/signature/payload/acts", "a list of words");
        if (out.n)
            BUF_LIT(&out, " ");
        buf_add_view(&out, node_text(s->t, n));
    }
    s->p->acts = out.n ? arena_dup(s->mem, buf_view(&out)) : V("");
    return s->p->acts.p ? E_OK : E_TOO_LARGE;
}

static err
read_days(struct paper_state *s, const struct node *root)
{
    struct representation_paper *p = s->p;
    TRY(read_day(s, root, "issued", 0, &p->issued));
    p->from = p->issued;
    TRY(read_day(s, root, "from", 0, &p->from));
    TRY(read_day(s, root, "to", 1, &p->to));
    if (!p->issued.us)
        return bad(s, "/signature/payload/issued", "the day of the paper");
    return !p->to.us || p->to.us > p->from.us ? E_OK
                                              : bad(s, "/signature/payload/to", "a day not before its first");
}

static err
read_payload(struct paper_state *s)
{
    static const char *const names[] = {"v",      "id",      "kind",    "no",   "issued", "from",   "to",
                                        "issuer", "company", "holders", "acts", "joint",  "person", NULL};
    static const char *const of_issuer[] = {"code", "name", NULL};
    const struct node *root = tree_root(s->t), *issuer = node_member(s->t, root, V("issuer"));
    struct representation_paper *p = s->p;
    TRY(person_members(s->t, root, names, "/signature/payload", s->f));
    p->id = person_text(s->t, root, "id");
    p->kind = person_text(s->t, root, "kind");
    p->no = person_text(s->t, root, "no");
    if (!p->id.n || p->id.n > 128 || p->no.n > 128 || !view_eq(node_text_at(s->t, root, "v"), V("1")))
        return bad(s, "/signature/payload/id", "v 1 and an id of at most 128 characters");
    if (issuer)
        TRY(person_members(s->t, issuer, of_issuer, "/signature/payload/issuer", s->f));
    p->issuer = issuer ? person_text(s->t, issuer, "code") : V("");
    p->joint = view_eq(node_text_at(s->t, root, "joint"), V("true"));
    TRY(read_days(s, root));
    TRY(read_represented(s, root));
    TRY(read_holders(s, root));
    return read_acts(s, root);
}

err
representation_read(const struct tree *t, arena *mem, struct representation_paper *ret, struct fault *f)
{
    static const char *const names[] = {"signature", NULL};
    struct jws_parts parts;
    struct tree *inner = arena_make(mem, struct tree);
    if (!inner)
        return E_TOO_LARGE;
    struct paper_state s = {.mem = mem, .f = f, .t = inner, .p = ret};
    *ret = (struct representation_paper){.joint = false};
    TRY(person_members(t, tree_root(t), names, "", f));
    ret->signature = person_text(t, tree_root(t), "signature");
    if (!ret->signature.n)
        return fault_set(f, E_SIGNATURE_MISSING, "/signature", "a compact JWS", "none");
    TRY(jws_split(ret->signature, mem, &parts, f));
    if (!view_eq(parts.header.typ, V("claimgate-representation+jwt")))
        return fault_set(f, E_SIGNATURE_FORM, "/signature", "typ claimgate-representation+jwt",
                         "another typ");
    TRY(jws_payload(&parts, mem, &ret->payload, f));
    TRY(tree_read_json(ret->payload, NULL, mem, inner, f));
    return read_payload(&s);
}
