#include "adapters/hospital/inside.h"

/* What a document is: its Composition.type under our own code system, or iClaim's form code, or nothing that we file (a document without claim). */
static const struct {
    const char *prefix;
    enum document_kind kind;
} kinds[] = {
    {"certificate-death", KIND_CERTIFICATE},
    {"certificate", KIND_CERTIFICATE},
    {"receipt", KIND_RECEIPT},
    {"report", KIND_REPORT},
};

/* Of one attachment inside a document. */
#define INLINE_MAX (64u << 10)

static bool
names_iclaim(const struct chart *ch, const struct node *resource)
{
    for (NODE_EACH(profile, ch->t, node_at(ch->t, resource, "meta.profile")))
        if (view_starts(node_text(ch->t, profile), V(ICLAIM)))
            return true;
    return false;
}

static err
find_kind(struct chart *ch)
{
    const struct tree *t = ch->t;
    view word = concept_code(t, node_member(t, ch->composition, V("type")), SYSTEM_DOCUMENT_KIND, NULL);
    ch->rd->kind = KIND_OTHER;
    for (size_t i = 0; i < COUNT_OF(kinds) && word.n; i++) {
        if (!view_starts(word, view_of(kinds[i].prefix)))
            continue;
        ch->rd->kind = kinds[i].kind;
        break;
    }
    if (word.n && ch->rd->kind == KIND_OTHER)
        return fault_set(ch->f, E_DOCUMENT_KIND, "Bundle.entry[0].resource.type",
                         "certificate-…, receipt or report", "another code");
    ch->is_iclaim =
        ch->rd->kind == KIND_OTHER && (names_iclaim(ch, tree_root(t)) || names_iclaim(ch, ch->composition));
    for (uint32_t i = 0; i < ch->b->n && ch->rd->kind == KIND_OTHER && !ch->is_iclaim; i++)
        ch->is_iclaim = names_iclaim(ch, ch->b->entries[i].resource);
    if (ch->is_iclaim)
        ch->rd->kind = KIND_CLAIM_BUNDLE;
    ch->rd->unique_identity =
        ch->rd->kind == KIND_CERTIFICATE || ch->rd->kind == KIND_RECEIPT || ch->rd->kind == KIND_REPORT;
    ch->rd->profile = ch->is_iclaim ? V("iclaim") : node_text_at(t, tree_root(t), "meta.profile[0]");
    return E_OK;
}

static err
read_identity(struct chart *ch)
{
    const struct tree *t = ch->t;
    const struct node *root = tree_root(t);
    struct reading *rd = ch->rd;
    rd->identifier_system = node_text_at(t, root, "identifier.system");
    rd->identifier_value = node_text_at(t, root, "identifier.value");
    if (!rd->identifier_value.n)
        return fault_set(ch->f, E_REQUIRED, "Bundle.identifier.value", "an identifier", "none");
    if (!rd->identifier_system.n)
        rd->identifier_system = V("");
    rd->work_system = node_text_at(t, ch->composition, "identifier.system");
    rd->work_value = node_text_at(t, ch->composition, "identifier.value");
    if (!rd->work_system.p)
        rd->work_system = V("");
    for (NODE_EACH(relates, t, node_member(t, ch->composition, V("relatesTo")))) {
        if (!view_eq(node_text_at(t, relates, "code"), V("replaces")))
            continue;
        rd->replaces_system = node_text_at(t, relates, "targetIdentifier.system");
        rd->replaces_value = node_text_at(t, relates, "targetIdentifier.value");
    }
    rd->withdraws = view_eq(node_text_at(t, ch->composition, "status"), V("entered-in-error"));
    return E_OK;
}

/* Large files come apart, by digest (DECISIONS "Attachments"): base64Binary stands in Attachment.data and Binary.data. */
static void
check_inline(struct chart *ch)
{
    for (uint32_t i = 0; i < ch->t->n; i++) {
        const struct node *n = &ch->t->nodes[i];
        if (n->kind == NODE_STRING && n->text_length > INLINE_MAX / 3 * 4 + 4 &&
            view_eq(node_name(ch->t, n), V("data")))
            chart_note(ch, ISSUE_ERROR, E_INLINE_TOO_LARGE, n, "at most 64 KiB", "more");
    }
}

static err
read_parts(struct chart *ch)
{
    check_inline(ch);
    TRY(chart_people(ch));
    if (ch->is_iclaim) /* there the Bundle's identifier is the case number (DOMAIN D5) */
        chart_add_ref(ch, REF_CASE_NO, ch->rd->identifier_value);
    TRY(chart_stay(ch));
    TRY(chart_invoices(ch));
    if (ch->is_iclaim)
        TRY(chart_iclaim_claim(ch));
    TRY(chart_reports(ch));
    if (ch->rd->kind == KIND_CERTIFICATE || ch->is_iclaim)
        TRY(chart_certificate(ch));
    return E_OK;
}

err
hospital_interpret(const struct bundle *b, arena *mem, struct issues *issues, struct reading *ret,
                   struct fault *f)
{
    struct reading rd = {.facts = case_new(mem)};
    struct chart ch = {.b = b, .t = b->tree, .mem = mem, .issues = issues, .f = f, .rd = &rd, .c = rd.facts};
    if (!rd.facts)
        return E_TOO_LARGE;
    ch.composition = b->n && view_eq(b->entries[0].type, V("Composition")) ? b->entries[0].resource : NULL;
    if (!ch.composition)
        return fault_set(f, E_RESOURCE_TYPE, "Bundle.entry[0].resource", "Composition", "another resource");
    TRY(find_kind(&ch));
    TRY(read_identity(&ch));
    TRY(read_parts(&ch));
    *ret = rd;
    return E_OK;
}
