/* The adapter's doors: reading the syntax, and what a paper says. */
#include "adapters/claimlink/inside.h"

#include "base/text.h"

err
claimlink_read(enum fhir_media media, view bytes, arena *mem, struct tree *ret, struct fault *f)
{
    if (media == FHIR_XML)
        return fault_set(f, E_MEDIA_TYPE, "Content-Type", "application/json", "XML");
    return tree_read_json(bytes, NULL, mem, ret, f);
}

view
motor_plate_key(view plate, arena *mem)
{
    char *out = arena_alloc(mem, plate.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < plate.n; i++) {
        char c = plate.p[i];
        if (c != '-' && c != ' ')
            out[n++] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    return out ? view_make(out, n) : VIEW_NONE;
}

view
motor_filing_of(const struct claim_case *facts)
{
    const struct case_reference *r = facts && facts->meta ? facts->meta->references : NULL;
    for (; r; r = r->next)
        if (view_eq(r->system.v, V(MOTOR_FILING_SYSTEM)))
            return r->value.v;
    return VIEW_NONE;
}

err
motor_note_reused(arena *mem, struct claim_case *facts, const struct motor_photo *photo)
{
    const struct err_row *row = err_info(E_PHOTO_REUSED);
    struct source ours = source_gateway(HOW_COMPUTED);
    struct case_finding *f = case_add_findings(mem, facts);
    struct case_finding_rule *rule = f ? case_make_finding_rule(mem, f) : NULL;
    view place =
        arena_printf(mem, "/vehicles/%.*s/photos/%.*s", VIEW_ARG(photo->vehicle), VIEW_ARG(photo->fact->id));
    if (!rule || !place.p)
        return E_TOO_LARGE;
    leaf_set_text(&f->code, view_of(row->code), ours);
    leaf_set_text(&f->severity, V("hold"), ours);
    leaf_set_text(&f->pointer, place, ours);
    leaf_set_text(&rule->id, V("same-picture"), ours);
    leaf_set_text(&rule->version, V("1"), ours);
    leaf_set_text(&f->text.zh, view_of(row->text[LANG_ZH]), ours);
    leaf_set_text(&f->text.en, view_of(row->text[LANG_EN]), ours);
    return E_OK;
}

/* -- identity -- */

/* What makes two papers of a filing the same one, in its versions. */
static view
paper_name(const struct work *w)
{
    const struct motor_paper *p = w->paper;
    const char *part = motor_part_word(p->part);
    switch (p->part) {
    case PART_estimate:
        return arena_printf(w->mem, "%s/%.*s/%lld", part, VIEW_ARG(p->order_no), (long long)p->version);
    case PART_supplement:
        return arena_printf(w->mem, "%s/%.*s/%lld.%lld", part, VIEW_ARG(p->order_no), (long long)p->version,
                            (long long)p->supplement);
    case PART_approval:
        return arena_printf(w->mem, "%s/%.*s/%.*s/%.*s/%lld.%lld", part, VIEW_ARG(p->shop),
                            VIEW_ARG(p->order_no), VIEW_ARG(p->line), (long long)p->version,
                            (long long)p->supplement);
    case PART_invoice:
    case PART_delivery:
        return arena_printf(w->mem, "%s/%.*s", part, VIEW_ARG(p->order_no));
    case PART_recourse:
        return arena_printf(w->mem, "%s/%.*s/%.*s/%.*s", part, VIEW_ARG(work_value(w, w->root, "kind")),
                            VIEW_ARG(p->plate), VIEW_ARG(work_value(w, w->root, "against")));
    case PART_filing:
        return view_of(part);
    default:
        return arena_printf(w->mem, "%s/%.*s", part, VIEW_ARG(work_value(w, w->root, "no")));
    }
}

static err
read_identity(struct work *w)
{
    struct reading *rd = w->rd;
    int64_t revision = w->paper->revision;
    view name = paper_name(w);
    view work = arena_printf(w->mem, "%.*s/%.*s", VIEW_ARG(w->paper->filing), VIEW_ARG(name));
    rd->unique_identity = true;
    rd->identifier_system = rd->work_system = V(MOTOR_FILING_SYSTEM);
    rd->work_value = work;
    rd->identifier_value = arena_printf(w->mem, "%.*s/%lld", VIEW_ARG(work), (long long)revision);
    if (revision > 1) {
        rd->replaces_system = V(MOTOR_FILING_SYSTEM);
        rd->replaces_value = arena_printf(w->mem, "%.*s/%lld", VIEW_ARG(work), (long long)revision - 1);
    }
    return work.p && rd->identifier_value.p && (revision == 1 || rd->replaces_value.p) ? E_OK : E_TOO_LARGE;
}

/* -- head -- */

static err
read_author(struct work *w)
{
    const struct node *author = work_member(w, w->root, "author"), *code = work_member(w, author, "code");
    struct motor_paper *p = w->paper;
    p->author = motor_author_of(work_value(w, author, "kind"));
    p->author_code = node_text(w->t, code);
    w->rd->author = p->author_code;
    w->rd->kind = motor_part_kind(p->part, p->author);
    w->rd->profile = V("motor-filing-1");
    if (w->rd->kind == KIND_COUNT)
        work_issue(w, ISSUE_ERROR, E_SIGNER_WRONG_KIND, author, "an author that writes this part", "another");
    if ((p->author == AUTHOR_OWNER) == (code != NULL))
        work_issue(w, ISSUE_ERROR, E_REQUIRED, author, "a code for shop and insurer, none for the owner",
                   "another");
    return E_OK;
}

static err
read_head(struct work *w)
{
    struct motor_paper *p = w->paper;
    p->filing = work_value(w, w->root, "filing");
    p->revision = work_int(w, w->root, "revision", 1);
    p->plate = p->part == PART_filing ? work_value(w, work_member(w, w->root, "vehicle"), "plate")
                                      : work_value(w, w->root, "plate");
    p->order_no = work_value(w, w->root, "order_no");
    p->line = work_value(w, w->root, "line");
    p->version = work_int(w, w->root, "version", 0);
    p->supplement = work_int(w, w->root, "supplement", 0);
    p->shop = p->part == PART_approval ? work_value(w, w->root, "shop") : VIEW_NONE;
    TRY(read_author(w));
    return read_identity(w);
}

static err
add_facts_head(struct work *w)
{
    const struct node *filing = work_member(w, w->root, "filing");
    struct case_meta *meta = case_make_meta(w->mem, w->c);
    struct case_reference *ref = meta ? case_add_meta_references(w->mem, meta) : NULL;
    if (!ref)
        return E_TOO_LARGE;
    work_word(&ref->kind, "case_no", filing);
    leaf_set_text(&ref->system, V(MOTOR_FILING_SYSTEM), source_of_node(filing, HOW_MAPPED));
    work_text(w, &ref->value, filing);
    if (!w->paper->plate.n)
        return E_OK;
    const struct node *owner = w->paper->part == PART_filing ? work_member(w, w->root, "vehicle") : w->root;
    w->vehicle = case_add_vehicles(w->mem, w->c);
    if (!w->vehicle)
        return E_TOO_LARGE;
    work_text(w, &w->vehicle->plate, work_member(w, owner, "plate"));
    return E_OK;
}

/* -- parts -- */

static err (*const readers[PART_COUNT])(struct work *w) = {
    [PART_filing] = work_filing,     [PART_damage] = work_damage,     [PART_estimate] = work_repair,
    [PART_supplement] = work_repair, [PART_approval] = work_approval, [PART_invoice] = work_repair,
    [PART_delivery] = work_repair,   [PART_payment] = work_payment,   [PART_settlement] = work_settlement,
    [PART_recourse] = work_recourse,
};

err
claimlink_interpret(const struct tree *t, arena *mem, struct issues *issues, struct reading *ret,
                    struct motor_paper *ret_paper, struct fault *f)
{
    struct reading rd = {.kind = KIND_MOTOR_FILING};
    struct motor_paper paper = {.part = PART_COUNT};
    struct work w = {.t = t, .root = tree_root(t), .mem = mem, .issues = issues, .f = f, .rd = &rd};
    size_t errors = issues->errors;
    if (w.root->kind != NODE_OBJECT)
        return fault_set(f, E_DOCUMENT_KIND, "", "an object", "another value");
    w.paper = &paper;
    rd.facts = w.c = case_new(mem);
    if (!w.c)
        return E_TOO_LARGE;
    paper.part = motor_part_of(work_value(&w, w.root, "part"));
    if (paper.part == PART_COUNT)
        return fault_set(f, E_DOCUMENT_KIND, "part", paper_layout()->words[PAPER_WORDS_part], "another word");
    const struct layout_document d = {
        .layout = paper_layout(), .tree = t, .mem = mem, .issues = issues, .facts = w.c, .asks = NEED_ALWAYS};
    TRY(layout_check(&d, motor_part_shape(paper.part)));
    if (issues->errors == errors)
        TRY(read_head(&w));
    if (issues->errors == errors) {
        TRY(add_facts_head(&w));
        TRY(readers[paper.part](&w));
    }
    if (w.failed)
        return fault_set(f, E_TOO_LARGE, "", "a paper that fits the request's memory", "more");
    *ret = rd;
    *ret_paper = paper;
    return E_OK;
}
