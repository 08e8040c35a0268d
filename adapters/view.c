#include "adapters/view_eval.h"

#include "adapters/case_codec.h"
#include "adapters/rules/case_advice.h"

#include "base/text.h"

/* -- the table -- */

static const struct {
    const char *word;
    bool own_documents, masked;
} views[] = {
#define VIEW(view, own_documents, masked) {#view, own_documents, masked},
#include "adapters/views.def"
#undef VIEW
};

static const uint8_t table[VIEW_COUNT][GROUP_COUNT] = {
#define SEE(view, group, predicate) [VIEW_##view][GROUP_##group] = PREDICATE_##predicate,
#include "adapters/views.def"
#undef SEE
};

static const char *const predicate_words[] = {
    "NONE",
#define PREDICATE(name) #name,
#include "adapters/views.def"
#undef PREDICATE
};

const char *
view_kind_word(enum view_kind kind)
{
    return views[kind].word;
}

enum view_kind
view_kind_of(view word)
{
    for (unsigned i = 0; i < VIEW_COUNT; i++)
        if (view_eq(view_of(views[i].word), word))
            return (enum view_kind)i;
    return VIEW_COUNT;
}

bool
view_is_masked(enum view_kind kind)
{
    return views[kind].masked;
}

bool
view_is_own_documents(enum view_kind kind)
{
    return views[kind].own_documents;
}

enum view_predicate
view_predicate_of(enum view_kind kind, enum case_group group)
{
    return (enum view_predicate)table[kind][group];
}

const char *
view_predicate_word(enum view_predicate predicate)
{
    return predicate_words[predicate];
}

static bool
is(const struct leaf_text *leaf, const char *word)
{
    return view_eq(leaf->v, view_of(word));
}

enum view_kind
view_kind_for_claim(const struct claim_case *c, const struct case_claim *claim)
{
    const struct case_party *recipient = case_party_of(c, claim->recipient.v);
    bool to_fund = recipient && recipient->organisation && is(&recipient->organisation->kind, "fund");
    if (to_fund || is(&claim->line, "fund"))
        return VIEW_fund;
    if (is(&claim->line, "nhi"))
        return VIEW_nhia;
    if (is(&claim->line, "cali"))
        return VIEW_cali_insurer;
    if (is(&claim->line, "own_damage") || is(&claim->line, "theft"))
        return VIEW_own_damage_insurer;
    if (is(&claim->line, "liability_injury") || is(&claim->line, "liability_property") ||
        is(&claim->line, "passenger") || is(&claim->line, "driver_injury"))
        return VIEW_liability_insurer;
    for (const struct case_benefit *b = claim->benefits; b; b = b->next)
        if (is(&b->kind, "reimbursement_inpatient") || is(&b->kind, "reimbursement_outpatient_surgery") ||
            is(&b->kind, "injury_medical"))
            return VIEW_reimbursement_insurer;
    return VIEW_fixed_benefit_insurer;
}

/* -- marking what stays -- */

static bool
mark(struct view_eval *v, struct graph_map *map, const void *key)
{
    return map_put(v->mem, map, key, (void *)(uintptr_t)key);
}

/* Said by the gateway itself or by a document that the recipient may see. */
static bool
source_may(const struct view_eval *v, const struct source *s)
{
    if (s->document == CASE_NO_DOCUMENT)
        return true;
    return s->document < v->n_documents ? v->documents_may[s->document] : v->request->all_documents;
}

static err
show(struct view_eval *v, const struct case_place *at)
{
    if (!mark(v, &v->visible, at->leaf))
        return E_TOO_LARGE;
    for (size_t i = 0; i < at->depth; i++)
        if (at->steps[i].field->kind == FIELD_LIST && !mark(v, &v->kept, at->steps[i].at))
            return E_TOO_LARGE;
    return E_OK;
}

static err
judge_leaf(struct view_eval *v, const struct case_place *at)
{
    enum view_predicate predicate = view_predicate_of(v->request->view, at->group);
    if (predicate == PREDICATE_NONE || !source_may(v, at->src) || !view_may(v, predicate, at))
        return E_OK;
    return show(v, at);
}

static enum case_record
section_of(const struct case_place *at)
{
    return (enum case_record)at->steps[0].record;
}

static bool
is_late(enum case_record section)
{
    return section == RECORD_party || section == RECORD_role || section == RECORD_conflict ||
           section == RECORD_finding;
}

static err
pass_facts(void *self, const struct case_place *at)
{
    return is_late(section_of(at)) || at->group == GROUP_follow ? E_OK
                                                                : judge_leaf((struct view_eval *)self, at);
}

/* References in an object go when the object's own group may be seen here, whether or not its other
 * members are present. */
static err
pass_objects(void *self, const struct case_place *at, enum case_record record, void *record_at)
{
    struct view_eval *v = (struct view_eval *)self;
    const struct case_row *row = case_row_of(record);
    if (row->form != FORM_OBJECT)
        return E_OK;
    struct case_place object = *at;
    for (unsigned i = 0; i < row->n; i++) {
        object.group = (enum case_group)row->fields[i].group;
        if (object.group == GROUP_inherit || object.group == GROUP_follow)
            continue;
        enum view_predicate predicate = view_predicate_of(v->request->view, object.group);
        if (predicate != PREDICATE_NONE && view_may(v, predicate, &object))
            return mark(v, &v->kept, record_at) ? E_OK : E_TOO_LARGE;
    }
    return E_OK;
}

/* The innermost record around the leaf is one that stays. */
static bool
owner_kept(const struct view_eval *v, const struct case_place *at)
{
    for (size_t i = at->depth - 1; i > 0; i--) {
        const struct case_step *step = &at->steps[i - 1];
        if (step->field->kind == FIELD_ONE && !map_get(&v->kept, step->at))
            return false;
        if (step->field->kind == FIELD_LIST)
            return map_get(&v->kept, step->at) != NULL;
    }
    return true; /* of event or accident themselves */
}

static bool
is_reference(const struct case_place *at)
{
    return at->field->kind == FIELD_REF || at->field->kind == FIELD_REFS;
}

/* Organisations that something shown refers to, and who signed a certificate that is shown. */
static err
pass_referenced(void *self, const struct case_place *at)
{
    struct view_eval *v = (struct view_eval *)self;
    if (!is_reference(at) || is_late(section_of(at)) || !source_may(v, at->src) || !owner_kept(v, at))
        return E_OK;
    const struct leaf_text *leaf = (const struct leaf_text *)at->leaf;
    const struct case_party *p = case_party_of(v->c, leaf->v);
    bool signs = at->depth >= 2 && at->steps[at->depth - 2].record == RECORD_certificate_signer;
    if (!p || (!p->organisation && !signs))
        return E_OK;
    return mark(v, &v->referenced, p) ? E_OK : E_TOO_LARGE;
}

static err
pass_parties(void *self, const struct case_place *at)
{
    bool mine = section_of(at) == RECORD_party && at->group != GROUP_follow;
    return mine ? judge_leaf((struct view_eval *)self, at) : E_OK;
}

static bool
stays(const struct view_eval *v, const struct leaf_text *reference)
{
    const void *target = view_target(v, reference);
    return target && map_get(&v->kept, target);
}

/* A role says nothing without its party and without what it is a role in. */
static err
pass_roles(void *self, const struct case_place *at)
{
    struct view_eval *v = (struct view_eval *)self;
    if (section_of(at) != RECORD_role || at->group == GROUP_follow)
        return E_OK;
    const struct case_role *role = (const struct case_role *)at->steps[0].at;
    if (!stays(v, &role->party) || (role->of.v.n && !stays(v, &role->of)))
        return E_OK;
    return judge_leaf(v, at);
}

static bool
any_visible(const struct view_eval *v, enum case_record record, const void *at)
{
    const struct case_row *row = case_row_of(record);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        const void *member = case_member(at, f);
        if (map_get(&v->visible, member))
            return true;
        if (f->kind == FIELD_PUT && any_visible(v, (enum case_record)f->record, member))
            return true;
    }
    return false;
}

static bool
pointed_visible(const struct view_eval *v, view pointer)
{
    struct case_place target;
    if (pointer.n == 0 || !case_place_of_pointer(v->c, pointer, &target))
        return false;
    if (target.leaf)
        return map_get(&v->visible, target.leaf) != NULL;
    const struct case_step *last = &target.steps[target.depth - 1];
    if (last->field->kind == FIELD_LIST)
        return map_get(&v->kept, last->at) != NULL;
    return any_visible(v, (enum case_record)last->record, last->at);
}

/* A finding over two places tells of both. */
static bool
evidence_visible(const struct view_eval *v, enum case_record section, const void *element)
{
    const struct case_finding_evidence *e =
        section == RECORD_finding ? ((const struct case_finding *)element)->evidence : NULL;
    for (; e; e = e->next)
        if (!pointed_visible(v, e->pointer.v))
            return false;
    return true;
}

static err
pass_pointers(void *self, const struct case_place *at)
{
    struct view_eval *v = (struct view_eval *)self;
    enum case_record section = section_of(at);
    if (at->group == GROUP_follow || (section != RECORD_conflict && section != RECORD_finding))
        return E_OK;
    if (view_predicate_of(v->request->view, at->group) == PREDICATE_NONE || !source_may(v, at->src))
        return E_OK;
    const void *element = at->steps[0].at;
    view pointer = section == RECORD_conflict ? ((const struct case_conflict *)element)->pointer.v
                                              : ((const struct case_finding *)element)->pointer.v;
    return pointed_visible(v, pointer) && evidence_visible(v, section, element) ? show(v, at) : E_OK;
}

/* Last: members that go with their element. */
static err
pass_follow(void *self, const struct case_place *at)
{
    struct view_eval *v = (struct view_eval *)self;
    if (at->group != GROUP_follow || !source_may(v, at->src) || !owner_kept(v, at))
        return E_OK;
    return mark(v, &v->visible, at->leaf) ? E_OK : E_TOO_LARGE;
}

static err
evaluate(struct view_eval *v)
{
    static err (*const passes[])(void *, const struct case_place *) = {
        pass_facts, pass_referenced, pass_parties, pass_roles, pass_pointers, pass_follow,
    };
    for (size_t i = 0; i < COUNT_OF(passes); i++) {
        struct case_visitor visitor = {.leaf = passes[i], .enter = i == 0 ? pass_objects : NULL, .self = v};
        TRY(case_walk(v->c, &visitor));
    }
    return E_OK;
}

/* -- masks -- */

/* 王○明: first and last character; the length is not told. */
static view
mask_name(view text, arena *mem)
{
    size_t at = 0, n = text_length(text);
    if (n == 0)
        return text;
    (void)text_next_scalar(text, &at);
    view first = view_sub(text, 0, at);
    if (n < 3)
        return arena_printf(mem, "%.*s○", VIEW_ARG(first));
    size_t last = at;
    for (size_t i = 2; i < n; i++)
        (void)text_next_scalar(text, &last);
    view end = view_sub(text, last, text.n);
    return arena_printf(mem, "%.*s○%.*s", VIEW_ARG(first), VIEW_ARG(end));
}

static view
mask_number(view text, arena *mem)
{
    if (text.n < 6)
        return V("****");
    view first = view_sub(text, 0, 2), end = view_sub(text, text.n - 2, 2);
    return arena_printf(mem, "%.*s****%.*s", VIEW_ARG(first), VIEW_ARG(end));
}

static err
mask_person(struct case_person *p, arena *mem)
{
    for (struct case_person_name *n = p->names; n; n = n->next) {
        n->script = n->use = (struct leaf_text){0};
        if (!n->text.v.p)
            continue;
        n->text.v = mask_name(n->text.v, mem);
        if (!n->text.v.p)
            return E_TOO_LARGE;
    }
    for (struct case_identifier *i = p->identifiers; i; i = i->next) {
        i->system = i->check = (struct leaf_text){0};
        if (!i->value.v.p)
            continue;
        i->value.v = mask_number(i->value.v, mem);
        if (!i->value.v.p)
            return E_TOO_LARGE;
    }
    p->birth_date = (struct leaf_date){0};
    p->sex = p->nationality = (struct leaf_text){0};
    p->deceased_at = (struct leaf_time){0};
    p->occupation = (struct case_coded){0};
    return E_OK;
}

static err
mask_parties(struct claim_case *c, arena *mem)
{
    for (struct case_party *p = c->parties; p; p = p->next)
        if (p->person)
            TRY(mask_person(p->person, mem));
    return E_OK;
}

/* -- the projection -- */

static err
find_parties(struct view_eval *v, struct fault *f)
{
    const struct view_request *r = v->request;
    v->claim = r->claim.n ? case_claim_of(v->c, r->claim) : NULL;
    v->recipient = r->recipient.n ? case_party_of(v->c, r->recipient) : NULL;
    view subject = r->subject;
    if (!subject.n && v->claim)
        subject = case_party_of(v->c, v->claim->for_.v) ? v->claim->for_.v : v->claim->claimant.v;
    v->subject = subject.n ? case_party_of(v->c, subject) : NULL;
    if (r->claim.n && !v->claim)
        return fault_set(f, E_NOT_FOUND, "/claims", "a claim of the case", "another id");
    if ((r->recipient.n && !v->recipient) || (r->subject.n && !v->subject))
        return fault_set(f, E_NOT_FOUND, "/parties", "a party of the case", "another id");
    return E_OK;
}

static err
find_documents(struct view_eval *v)
{
    v->n_documents = v->c->documents_n;
    v->documents_may = arena_make_array(v->mem, v->n_documents + 1, bool);
    if (!v->documents_may)
        return E_TOO_LARGE;
    size_t i = 0;
    for (const struct case_document *d = v->c->documents; d; d = d->next)
        v->documents_may[i++] = view_document_may(v, d);
    return E_OK;
}

/* The same element after folding anew: both are copies of one that the frame or a document's facts hold. */
static const void *
after(const struct graph_map *before, const struct graph_map *now, const void *element)
{
    for (size_t i = 0; element && i < before->room; i++) {
        const struct graph_slot *slot = &before->slots[i];
        const void *copy = slot->key && slot->value == element ? map_get(now, slot->key) : NULL;
        if (copy)
            return copy;
    }
    return NULL;
}

static bool
part_may(const struct view_eval *v, const struct case_part *part)
{
    size_t i = 0;
    for (const struct case_document *d = v->c->documents; d; d = d->next, i++)
        if (view_eq(d->document_id.v, part->document_id))
            return v->documents_may[i];
    return false;
}

/* From the papers that the recipient may see, as if there were no others. */
static err
fold_anew(struct view_eval *v, arena *mem, struct fault *f)
{
    const struct case_origin *before = v->c->origin;
    struct case_part *parts = arena_make_array(mem, before->n + 1, struct case_part);
    if (!parts)
        return E_TOO_LARGE;
    size_t n = 0;
    for (size_t i = 0; i < before->n; i++)
        if (part_may(v, &before->parts[i]))
            parts[n++] = before->parts[i];
    if (n == before->n && !motor_advises(v->claim))
        return E_OK;
    struct claim_case *c;
    TRY(case_fold(before->frame, parts, n, mem, &c, f));
    const struct graph_map *now = &c->origin->map;
    v->claim = (const struct case_claim *)after(&before->map, now, v->claim);
    v->subject = (const struct case_party *)after(&before->map, now, v->subject);
    v->recipient = (const struct case_party *)after(&before->map, now, v->recipient);
    v->c = c;
    for (struct case_claim *own = c->claims; own; own = own->next)
        if (own == v->claim)
            TRY(motor_advise(c, own, v->subject, mem));
    return graph_source_init(&v->refs, c, mem);
}

static err
copy_shown(const struct view_eval *v, arena *mem, struct claim_case **ret)
{
    struct graph g = {.mem = mem, .out = case_new(mem), .visible = &v->visible, .kept = &v->kept};
    if (!g.out)
        return E_TOO_LARGE;
    TRY(graph_copy(&g, &v->refs, RECORD_case, v->c, g.out));
    graph_settle(&g);
    TRY(graph_finish(&g));
    *ret = g.out;
    return E_OK;
}

err
view_project(const struct claim_case *whole, const struct view_request *request, arena *mem, struct buf *out,
             struct fault *f)
{
    struct view_eval v = {.mem = mem, .c = whole, .request = request};
    TRY(graph_source_init(&v.refs, whole, mem));
    TRY(find_parties(&v, f));
    TRY(find_documents(&v));
    if (whole->origin)
        TRY(fold_anew(&v, mem, f));
    TRY(evaluate(&v));
    struct claim_case *shown;
    TRY(copy_shown(&v, mem, &shown));
    if (view_is_masked(request->view))
        TRY(mask_parties(shown, mem));
    return case_encode(shown, NULL, false, out);
}
