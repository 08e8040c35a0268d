#include "flow/view/feed.h"

#include "base/json_tree.h"
#include "flow/case/claim.h"

/* One FHIR Claim per insurer, minted from what the insurer's own view shows; never from the hospital's resources (DOMAIN D4). */
struct minting {
    const struct tree *t;
    const struct node *claim, *body;
    struct buf *out;
};

static void
put_text(struct minting *m, const char *name, view v)
{
    buf_printf(m->out, "\"%s\":", name);
    buf_add_json(m->out, v);
}

static const struct node *
first_person(const struct minting *m)
{
    for (NODE_EACH(p, m->t, node_member(m->t, m->body, V("parties"))))
        if (node_member(m->t, p, V("person")))
            return node_member(m->t, p, V("person"));
    return NULL;
}

static void
put_patient(struct minting *m)
{
    const struct node *person = first_person(m);
    BUF_LIT(m->out, "\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\"");
    size_t n = 0;
    for (NODE_EACH(id, m->t, node_member(m->t, person, V("identifiers")))) {
        buf_add_view(m->out, n++ ? V(",{") : V(",\"identifier\":[{"));
        put_text(m, "system", node_text_at(m->t, id, "system"));
        BUF_LIT(m->out, ",");
        put_text(m, "value", node_text_at(m->t, id, "value"));
        BUF_LIT(m->out, "}");
    }
    if (n)
        BUF_LIT(m->out, "]");
    view name = node_text_at(m->t, person, "names[0].text"),
         birth = node_text_at(m->t, person, "birth_date.value");
    if (name.n) {
        BUF_LIT(m->out, ",\"name\":[{");
        put_text(m, "text", name);
        BUF_LIT(m->out, "}]");
    }
    if (birth.n) {
        BUF_LIT(m->out, ",");
        put_text(m, "birthDate", birth);
    }
    BUF_LIT(m->out, "}]");
}

static size_t
put_diagnoses(struct minting *m)
{
    size_t n = 0;
    for (NODE_EACH(d, m->t, node_member(m->t, m->body, V("diagnoses")))) {
        n++;
        buf_printf(m->out, "%s{\"sequence\":%zu,\"diagnosisCodeableConcept\":{",
                   n == 1 ? ",\"diagnosis\":[" : ",", n);
        put_text(m, "text", node_text_at(m->t, d, "text_zh"));
        BUF_LIT(m->out, "}}");
    }
    if (n)
        BUF_LIT(m->out, "]");
    return n;
}

#define EXT_UNSIGNED "https://claimgate.tw/fhir/StructureDefinition/unsigned"

/* evidence: of the expense; what nobody signed says so at each of its lines. */
static void
put_item(struct minting *m, const struct node *line, view evidence, size_t n)
{
    view amount = node_text_at(m->t, line, "amount.amount"),
         category = node_text_at(m->t, line, "category.nhi_list");
    buf_add_view(m->out, n == 1 ? V(",\"item\":[{") : V(",{"));
    if (view_eq(evidence, V("asserted")))
        BUF_LIT(m->out, "\"extension\":[{\"url\":\"" EXT_UNSIGNED "\",\"valueBoolean\":true}],");
    buf_printf(m->out, "\"sequence\":%zu,\"category\":{", n);
    put_text(m, "text", category.n ? category : V("other_non_medical"));
    BUF_LIT(m->out, "},\"productOrService\":{");
    put_text(m, "text", node_text_at(m->t, line, "text_zh"));
    BUF_LIT(m->out, "}");
    if (amount.n)
        buf_printf(m->out, ",\"net\":{\"value\":%.*s,\"currency\":\"TWD\"}", VIEW_ARG(amount));
    BUF_LIT(m->out, "}");
}

static void
put_items(struct minting *m)
{
    size_t n = 0;
    for (NODE_EACH(e, m->t, node_member(m->t, m->body, V("expenses"))))
        for (NODE_EACH(line, m->t, node_member(m->t, e, V("lines"))))
            put_item(m, line, node_text_at(m->t, e, "evidence"), ++n);
    if (n)
        BUF_LIT(m->out, "]");
    view payable = node_text_at(m->t, m->body, "expenses[0].totals.payable.stated.amount");
    if (payable.n)
        buf_printf(m->out, ",\"total\":{\"value\":%.*s,\"currency\":\"TWD\"}", VIEW_ARG(payable));
}

static void
mint(struct minting *m)
{
    view state = node_text_at(m->t, m->claim, "state");
    BUF_LIT(m->out, "{\"resourceType\":\"Claim\",");
    put_text(m, "id", node_text_at(m->t, m->claim, "id"));
    BUF_LIT(m->out, ",");
    put_patient(m);
    buf_printf(m->out,
               ",\"status\":\"%s\",\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
               "claim-type\",\"code\":\"institutional\"}]},\"use\":\"claim\","
               "\"patient\":{\"reference\":\"#p\"},",
               view_eq(state, V("withdrawn")) ? "cancelled" : "active");
    put_text(m, "created", view_sub(node_text_at(m->t, m->claim, "since"), 0, 10));
    BUF_LIT(m->out, ",\"insurer\":{\"identifier\":{\"system\":\"https://gcis.nat.gov.tw\",");
    put_text(m, "value", node_text_at(m->t, m->claim, "recipient.code"));
    BUF_LIT(m->out, "}},\"provider\":{");
    view provider = VIEW_NONE;
    for (NODE_EACH(p, m->t, node_member(m->t, m->body, V("parties"))))
        if (!provider.n && view_eq(node_text_at(m->t, p, "organisation.kind"), V("hospital")))
            provider = node_text_at(m->t, p, "organisation.name");
    put_text(m, "display", provider.n ? provider : V("-"));
    BUF_LIT(m->out, "},\"priority\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
                    "processpriority\",\"code\":\"normal\"}]}");
    put_diagnoses(m);
    BUF_LIT(m->out, ",\"insurance\":[{\"sequence\":1,\"focal\":true,\"coverage\":{\"display\":");
    buf_add_json(m->out, node_text_at(m->t, m->claim, "line"));
    BUF_LIT(m->out, "}}]");
    put_items(m);
    BUF_LIT(m->out, "}");
}

err
claim_fetch_fhir(struct gateway *g, partner_id who, claim_id id, instant now, arena *mem, view *ret_json,
                 struct fault *f)
{
    view json, etag;
    struct tree t;
    struct buf out;
    TRY(claim_fetch(g, who, id, LANG_EN, now, mem, &json, &etag, f));
    TRY(tree_read_json(json, &(struct tree_limits){.bytes = 128u << 20}, mem, &t, f));
    buf_init(&out, 64u << 20);
    struct minting m = {&t, node_member(&t, tree_root(&t), V("claim")),
                        node_member(&t, tree_root(&t), V("case")), &out};
    mint(&m);
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    buf_done(&out);
    return ret_json->p ? E_OK : E_TOO_LARGE;
}
