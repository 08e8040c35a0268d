/* Every cell (view × group) of adapters/views.def: neighbours that differ in one withheld leaf give the
 * same bytes, neighbours that differ in a leaf that is shown do not.  The neighbours are made from the
 * table: a case with every member filled, twice (the subject's side and a stranger's). */
#include "case_kit.h"

#define CEILING (512u << 20)

static const view kinds[] = {{"certificate", 11}, {"accident-part", 13}};

struct bench {
    arena *mem;  /* the case */
    arena *work; /* one projection */
    struct claim_case *c;
    enum view_kind view;
    struct view_request request;
    const struct case_party *person, *stranger, *org, *other;
    const struct case_party *viewer; /* the recipient */
};

static bool
is_personal_view(enum view_kind v)
{
    return v == VIEW_insured || v == VIEW_app;
}

static bool
is_third_person_view(enum view_kind v)
{
    return v == VIEW_policyholder || v == VIEW_beneficiary;
}

static void
set_word(struct leaf_text *leaf, const char *word)
{
    leaf->v = view_of(word);
}

static void
refer(struct bench *b, struct leaf_text *leaf, const struct case_party *party)
{
    struct source src = leaf->src;
    cr_assert(case_ref(b->mem, leaf, party->id, src));
}

static struct leaf_text *
only(struct case_item *list)
{
    cr_assert_not_null(list);
    return &list->text;
}

/* Parties: subject, stranger, an organisation, another organisation, and a third person where the recipient
 * is one. */
static void
make_parties(struct bench *b)
{
    struct case_party *own = b->c->parties, *stranger = b->c->parties->next;
    own->organisation = stranger->organisation = NULL;
    struct kit k = {.mem = b->mem, .c = b->c, .document = 0, .serial = 500000};
    struct case_party *org = case_add_parties(b->mem, b->c), *other = case_add_parties(b->mem, b->c);
    kit_fill(&k, RECORD_party, org);
    k.document = 1;
    kit_fill(&k, RECORD_party, other);
    org->representatives = other->representatives = own->representatives = stranger->representatives = NULL;
    org->person = other->person = NULL;
    set_word(&org->kind, "organisation");
    set_word(&other->kind, "organisation");
    b->person = own;
    b->stranger = stranger;
    b->org = b->viewer = org;
    b->other = other;
    if (is_personal_view(b->view))
        b->viewer = own;
    if (!is_third_person_view(b->view))
        return;
    struct case_party *third = case_add_parties(b->mem, b->c);
    k.document = 0;
    kit_fill(&k, RECORD_party, third);
    third->representatives = NULL;
    third->organisation = NULL;
    b->viewer = third;
}

/* References that name an organisation or the payee: the kit has linked all parties to the persons. */
static void
link_parties(struct bench *b, int side)
{
    const struct case_party *to = side ? b->other : b->viewer, *person = side ? b->stranger : b->person;
    const struct case_party *org = side ? b->other : b->org;
#define AT(list) (side ? b->c->list->next : b->c->list)
    refer(b, &AT(encounters)->facility, org);
    refer(b, &AT(expenses)->issuer, b->view == VIEW_shop ? to : org);
    refer(b, &AT(claims)->recipient, org);
    refer(b, &AT(claims)->payments->payee, to);
    refer(b, &AT(coverages)->insurer, org);
    refer(b, &AT(recourse)->claimant, to);
    refer(b, &AT(recourse)->against, b->other);
    refer(b, only(AT(permissions)->to), to);
    refer(b, &AT(deliveries)->to, to);
    refer(b, &AT(repairs)->shop, to);
    refer(b, &AT(repairs)->approvals->insurer, to);
    refer(b, &AT(meta->references)->owner, b->view == VIEW_insured ? person : to);
    refer(b, &AT(roles)->party, person);
    if (b->view == VIEW_police) /* it sees no claim */
        cr_assert(case_ref(b->mem, &AT(roles)->of, AT(vehicles)->id, AT(roles)->of.src));
    if (b->view == VIEW_beneficiary)
        refer(b, &AT(claims)->claimant, to);
    if (b->view == VIEW_policyholder) {
        refer(b, &AT(coverages)->policyholder, to);
        refer(b, &AT(vehicles)->owner, to);
    }
#undef AT
}

static const char *
expense_kind(enum view_kind v)
{
    switch (v) {
    case VIEW_liability_insurer:
    case VIEW_own_damage_insurer:
        return "repair_invoice";
    case VIEW_beneficiary:
        return "funeral";
    default:
        return "medical_receipt";
    }
}

/* Something that each view shows of the subject's side, for findings and conflicts to point at. */
static const char *
pointed(enum view_kind v, int side)
{
    switch (v) {
    case VIEW_liability_insurer:
    case VIEW_own_damage_insurer:
    case VIEW_nhia:
    case VIEW_shop:
    case VIEW_police:
        return side ? "/encounters/enc2/class" : "/vehicles/v1/plate";
    case VIEW_beneficiary:
        return side ? "/encounters/enc2/class" : "/accident/class";
    default:
        return side ? "/encounters/enc2/class" : "/encounters/enc1/period/start";
    }
}

/* What predicates look at: the subject's side meets them, the stranger's does not. */
static void
choose(struct bench *b, int side)
{
#define AT(list) (side ? b->c->list->next : b->c->list)
    set_word(&AT(expenses)->kind, side ? "medical_receipt" : expense_kind(b->view));
    set_word(&AT(expenses)->lines->payer, b->view == VIEW_nhia ? "nhi" : "self");
    set_word(&AT(diagnoses)->codings->code, side ? "E11.9" : "S72.0");
    set_word(&AT(claims)->payments->purpose, b->view == VIEW_hospital ? "offset_hospital"
                                             : b->view == VIEW_shop   ? "direct_shop"
                                                                      : "benefit");
    set_word(&AT(disability)->scale, "policy"); /* of the claims' line, life */
    set_word(&AT(roles)->role, side ? "patient" : "driver");
    set_word(&AT(documents)->kind, "certificate");
    set_word(&AT(documents)->sender, side ? "another" : "viewer");
    set_word(&AT(conflicts)->pointer, pointed(b->view, side));
    set_word(&AT(findings)->pointer, pointed(b->view, side));
    set_word(&AT(findings)->evidence->pointer, pointed(b->view, side));
    struct case_claim *claim = AT(claims);
    set_word(&claim->benefits->kind, "critical_illness");
    claim->benefits->facts = NULL;
    static const char *const more[] = {"injury_disability", "death", "care"};
    for (size_t i = 0; i < COUNT_OF(more); i++)
        leaf_set_text(&case_add_claim_benefits(b->mem, claim)->kind, view_of(more[i]),
                      source_gateway(HOW_ASSERTED));
#undef AT
}

/* The viewer's own role. */
static void
add_viewer_role(struct bench *b)
{
    struct case_role *r = case_add_roles(b->mem, b->c);
    struct source src = {.document = 0, .how = HOW_COPIED};
    leaf_set_text(&r->role, V("heir"), src);
    leaf_set_text(&r->share, V("1/2"), src);
    cr_assert(case_ref(b->mem, &r->party, b->viewer->id, src));
}

static void
bench_init(struct bench *b, enum view_kind v)
{
    *b = (struct bench){.mem = arena_new(CEILING), .work = arena_new(CEILING), .view = v};
    b->c = kit_case(b->mem, 2);
    struct kit k = {.mem = b->mem, .c = b->c};
    kit_link(&k);
    make_parties(b);
    for (int side = 0; side < 2; side++) {
        link_parties(b, side);
        choose(b, side);
    }
    if (v == VIEW_beneficiary)
        add_viewer_role(b);
    b->request = (struct view_request){
        .view = v,
        .claim = V("cl1"),
        .subject = V("p1"),
        .recipient = b->viewer->id,
        .sender = V("viewer"),
        .document_kinds = kinds,
        .n_document_kinds = COUNT_OF(kinds),
        .reports_asked = true,
        .unlocked = true,
    };
}

static void
bench_done(struct bench *b)
{
    arena_free(b->work);
    arena_free(b->mem);
}

/* In b->work, until the next call. */
static view
project(struct bench *b)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 8 << 20);
    struct fault f;
    fault_init(&f);
    arena_reset(b->work);
    err e = view_project(b->c, &b->request, b->work, &out, &f);
    cr_assert_eq(e, E_OK, "%s: %s", view_kind_word(b->view), f.expected);
    return arena_dup(b->work, buf_view(&out));
}

/* -- leaves of the case -- */

struct leaf_at {
    struct case_place at;
    int side;
};

struct leaves {
    struct leaf_at *all;
    size_t n, room;
    arena *mem;
};

static err
collect(void *self, const struct case_place *at)
{
    struct leaves *l = self;
    cr_assert_lt(l->n, l->room);
    /* Parties stand in turns, see make_parties; the third role is the viewer's. */
    bool by_two = at->steps[0].record == RECORD_party || at->steps[0].record == RECORD_role;
    l->all[l->n++] = (struct leaf_at){*at, by_two ? (int)(at->steps[0].index % 2) : kit_side(at)};
    return E_OK;
}

static struct leaves
leaves_of(struct bench *b)
{
    struct leaves l = {.room = 8192, .mem = b->mem};
    l.all = arena_make_array(b->mem, l.room, struct leaf_at);
    struct case_visitor v = {.leaf = collect, .self = &l};
    cr_assert_eq(case_walk(b->c, &v), E_OK);
    return l;
}

static const struct {
    const char *record, *member;
} selectors[] = {
#define SELECTS(record, member) {#record, #member},
#include "adapters/views.def"
#undef SELECTS
};

/* References, followers, and what predicates look at, decide what is shown: they are not content that a cell
 * withholds. */
static bool
selects(const struct leaf_at *l)
{
    const struct case_place *at = &l->at;
    if (at->group == GROUP_follow || at->field->kind == FIELD_POINTER)
        return true;
    const char *record =
        at->depth > 1 ? case_row_of((enum case_record)at->steps[at->depth - 2].record)->name : "case";
    for (size_t i = 0; i < COUNT_OF(selectors); i++)
        if (strcmp(selectors[i].record, record) == 0 && strcmp(selectors[i].member, at->field->name) == 0)
            return true;
    /* Codes of diagnoses decide what is an injury. */
    bool coding = strcmp(record, "coding") == 0 && strcmp(at->field->name, "code") == 0;
    return coding && at->steps[0].record == RECORD_diagnosis;
}

/* Another value of the same kind. */
static void
change(const struct case_place *at, bool away)
{
    enum case_kind kind = at->field->kind == FIELD_TEXTS ? FIELD_TEXT : (enum case_kind)at->field->kind;
    void *leaf = (void *)(uintptr_t)at->leaf;
    if (away) {
        memset(leaf, 0, case_leaf_size(kind));
        return;
    }
    switch (kind) {
    case FIELD_BOOL:
        ((struct leaf_bool *)leaf)->v ^= 1;
        return;
    case FIELD_INT:
        ((struct leaf_int *)leaf)->v += 1000003;
        return;
    case FIELD_DECIMAL:
        ((struct leaf_decimal *)leaf)->v.units += 1000003;
        return;
    case FIELD_DATE:
        ((struct leaf_date *)leaf)->v.year -= 40;
        return;
    case FIELD_TIME:
        ((struct leaf_time *)leaf)->v.us += INT64_C(86400000000) * 1000;
        return;
    case FIELD_WORD: {
        struct leaf_text *word = leaf;
        for (int64_t i = 0; i < 2; i++) {
            view next = kit_word((enum case_words)at->field->words, i);
            if (view_eq(next, word->v))
                continue;
            word->v = next;
            return;
        }
        return;
    }
    default:
        ((struct leaf_text *)leaf)->v = V("另一個值 another value");
    }
}

/* True when the changed neighbour is told apart. */
static bool
differs(struct bench *b, const struct case_place *at, view base, bool away)
{
    char saved[64];
    enum case_kind kind = at->field->kind == FIELD_TEXTS ? FIELD_TEXT : (enum case_kind)at->field->kind;
    size_t n = case_leaf_size(kind);
    cr_assert_leq(n, sizeof saved);
    memcpy(saved, at->leaf, n);
    change(at, away);
    bool other = !view_eq(project(b), base);
    memcpy((void *)(uintptr_t)at->leaf, saved, n);
    return other;
}

/* Does the view's rule keep the stranger's side out?  Rules about the event or all sides do not. */
static bool
is_one_sided(enum view_predicate p, const struct case_place *at)
{
    bool side_line = false;
    for (size_t i = 0; i < at->depth; i++)
        side_line = side_line || at->steps[i].record == RECORD_accident_party ||
                    at->steps[i].record == RECORD_opinion_finding ||
                    at->steps[i].record == RECORD_record_request;
    if (p == PREDICATE_OWN_SIDE)
        return side_line;
    return p != PREDICATE_ALL;
}

static view
name_of(struct bench *b, const struct case_place *at)
{
    return case_place_pointer(at, b->mem);
}

/* One view: all its cells. */
static void
check_view(enum view_kind v)
{
    struct bench b;
    bench_init(&b, v);
    arena *keep AUTO(arena_free) = arena_new(CEILING);
    view base = arena_dup(keep, project(&b));
    struct leaves all = leaves_of(&b);
    bool shown[GROUP_COUNT] = {false};
    size_t withheld = 0;

    for (size_t i = 0; i < all.n; i++) {
        const struct leaf_at *l = &all.all[i];
        enum view_predicate p = view_predicate_of(v, l->at.group);
        if (selects(l))
            continue;
        bool must_equal = p == PREDICATE_NONE || (l->side && is_one_sided(p, &l->at));
        if (!must_equal && shown[l->at.group])
            continue;
        for (int away = 0; away <= must_equal; away++) {
            bool told = differs(&b, &l->at, base, away);
            cr_assert_not(must_equal && told, "%s tells %.*s (group %s, %s)", view_kind_word(v),
                          VIEW_ARG(name_of(&b, &l->at)), case_group_word(l->at.group),
                          away ? "absent" : "changed");
            if (!must_equal && told)
                shown[l->at.group] = true;
        }
        withheld += must_equal;
    }
    for (unsigned g = 0; g < GROUP_COUNT; g++)
        if (view_predicate_of(v, (enum case_group)g) != PREDICATE_NONE)
            cr_assert(shown[g], "%s never shows %s", view_kind_word(v), case_group_word((enum case_group)g));
    cr_assert_gt(withheld, 500);
    bench_done(&b);
}

#define VIEW(view, own_documents, masked)                                                                    \
    Test(case_view, cells_of_##view)                                                                         \
    {                                                                                                        \
        check_view(VIEW_##view);                                                                             \
    }
#include "adapters/views.def"
#undef VIEW

/* -- elements -- */

/* Removes the stranger's side whole: lists have one element, the parties of that side are gone. */
static void
drop_stranger(struct bench *b)
{
    const struct case_row *row = case_row_of(RECORD_case);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        if (f->kind != FIELD_LIST || strcmp(f->name, "parties") == 0)
            continue;
        struct case_list *list = (struct case_list *)(void *)((char *)b->c + f->offset);
        ((struct case_head *)list->first)->next = NULL;
        list->last = list->first;
        list->n = 1;
    }
    b->c->accident->parties->next = NULL;
    b->c->accident->opinions->next = NULL;
    b->c->accident->record_requests->next = NULL;
    b->c->meta->references->next = NULL;
    struct case_party *own = b->c->parties, *org = own->next->next, *third = org->next->next;
    own->next = org;
    org->next = third;
    b->c->parties_last = third ? third : org;
    b->c->parties_n = third ? 3 : 2;
}

/* The stranger's elements before the subject's: ids and order must not tell. */
static void
swap_sides(struct bench *b)
{
    const struct case_row *row = case_row_of(RECORD_case);
    for (unsigned i = 0; i < row->n; i++) {
        const struct case_field *f = &row->fields[i];
        if (f->kind != FIELD_LIST || strcmp(f->name, "documents") == 0)
            continue;
        struct case_list *list = (struct case_list *)(void *)((char *)b->c + f->offset);
        struct case_head *first = list->first, *second = first->next;
        first->next = second->next;
        second->next = first;
        list->first = second;
        if (list->last == second)
            list->last = first;
    }
}

static const enum view_kind one_person[] = {VIEW_reimbursement_insurer,
                                            VIEW_fixed_benefit_insurer,
                                            VIEW_shop,
                                            VIEW_policyholder,
                                            VIEW_app,
                                            VIEW_reinsurer};

/* Whether there is another person in the case, and how many facts he has, cannot be told. */
Test(case_view, a_stranger_leaves_no_trace)
{
    for (size_t i = 0; i < COUNT_OF(one_person); i++) {
        struct bench both, swapped, alone;
        bench_init(&both, one_person[i]);
        bench_init(&swapped, one_person[i]);
        bench_init(&alone, one_person[i]);
        swap_sides(&swapped);
        drop_stranger(&alone);
        view a = project(&both), s = project(&swapped), c = project(&alone);
        cr_assert(view_eq(a, c), "%s: %.*s\n\n%.*s", view_kind_word(one_person[i]), VIEW_ARG(a), VIEW_ARG(c));
        cr_assert(view_eq(a, s), "%s", view_kind_word(one_person[i]));
        cr_assert_gt(a.n, 100);
        bench_done(&both);
        bench_done(&swapped);
        bench_done(&alone);
    }
}

Test(case_view, nobody_sees_account_or_digest)
{
    for (unsigned v = 0; v < VIEW_COUNT; v++) {
        struct bench b;
        bench_init(&b, (enum view_kind)v);
        b.request.all_documents = true;
        view text = project(&b);
        static const view never[] = {
            {"\"token\"", 7},          {"\"masked\"", 8},       {"\"sha256\"", 8},
            {"\"sources\"", 9},        {"\"document_id\"", 13}, {"\"unmapped\"", 10},
            {"\"receipt_pools\"", 15}, {"\"verdicts\"", 10},    {"\"created_at\"", 12}};
        for (size_t i = 0; i < COUNT_OF(never); i++) {
            bool granted =
                view_eq(never[i], V("\"sha256\"")) && view_find(text, V("\"permissions\"")) < text.n;
            cr_assert(granted || view_find(text, never[i]) == text.n, "%s: %.*s",
                      view_kind_word((enum view_kind)v), VIEW_ARG(never[i]));
        }
        bench_done(&b);
    }
}

/* Every reference of a projection leads to something in it. */
static err
resolves(void *self, const struct case_place *at)
{
    const struct claim_case *c = self;
    if (at->field->kind != FIELD_REF && at->field->kind != FIELD_REFS)
        return E_OK;
    enum case_record record;
    view reference = ((const struct leaf_text *)at->leaf)->v;
    return case_element_of(c, reference, &record) ? E_OK : E_REFERENCE;
}

Test(case_view, references_stay_inside)
{
    for (unsigned v = 0; v < VIEW_COUNT; v++) {
        struct bench b;
        bench_init(&b, (enum view_kind)v);
        struct claim_case *shown = kit_decode(project(&b), b.mem);
        struct case_visitor visitor = {.leaf = resolves, .self = shown};
        cr_assert_eq(case_walk(shown, &visitor), E_OK, "%s", view_kind_word((enum view_kind)v));
        bench_done(&b);
    }
}

/* -- single rules -- */

Test(case_view, permission_without_receipts_shows_none)
{
    struct bench b;
    bench_init(&b, VIEW_reimbursement_insurer);
    view receipt[] = {V("receipt")};
    b.request.document_kinds = receipt;
    b.request.n_document_kinds = 1;
    view text = project(&b);
    cr_assert_eq(view_find(text, V("\"expenses\"")), text.n); /* they are said by a certificate here */
    cr_assert_eq(view_find(text, V("\"diagnoses\"")), text.n);
    bench_done(&b);
}

Test(case_view, reports_need_a_task)
{
    struct bench b;
    bench_init(&b, VIEW_reimbursement_insurer);
    view with = arena_dup(b.mem, project(&b));
    cr_assert_lt(view_find(with, V("\"reports\"")), with.n);
    b.request.reports_asked = false;
    view without = project(&b);
    cr_assert_eq(view_find(without, V("\"reports\"")), without.n);
    bench_done(&b);
}

Test(case_view, medical_content_needs_a_step_up)
{
    struct bench b;
    bench_init(&b, VIEW_insured);
    b.request.unlocked = false;
    view text = project(&b);
    cr_assert_eq(view_find(text, V("\"diagnoses\"")), text.n);
    cr_assert_lt(view_find(text, V("\"expenses\"")), text.n);
    bench_done(&b);
}

Test(case_view, only_heirs_see_the_cause_of_death)
{
    struct bench b;
    bench_init(&b, VIEW_beneficiary);
    for (struct case_role *r = b.c->roles; r; r = r->next)
        if (view_eq(r->role.v, V("heir")))
            set_word(&r->role, "contact");
    view text = project(&b);
    cr_assert_eq(view_find(text, V("\"manner\"")), text.n);
    cr_assert_eq(view_find(text, V("\"encounters\"")), text.n);
    bench_done(&b);
}

Test(case_view, fixed_benefit_sees_what_it_needs)
{
    struct bench b;
    bench_init(&b, VIEW_fixed_benefit_insurer);
    b.c->claims->benefits->next = NULL;
    set_word(&b.c->claims->benefits->kind, "daily_hospital");
    view text = project(&b);
    cr_assert_lt(view_find(text, V("\"diagnoses\"")), text.n);
    cr_assert_lt(view_find(text, V("\"segments\"")), text.n);
    cr_assert_eq(view_find(text, V("\"reports\"")), text.n);
    cr_assert_eq(view_find(text, V("\"cancer\"")), text.n);
    cr_assert_eq(view_find(text, V("\"conclusion\"")), text.n);
    cr_assert_eq(view_find(text, V("\"lines\"")), text.n);
    bench_done(&b);
}

/* A certificate may be judged by several scales: each insurer sees the one by which it pays. */
Test(case_view, each_line_sees_its_own_scale)
{
    static const struct {
        enum view_kind view;
        const char *line, *scale;
        bool shown;
    } rows[] = {
        {VIEW_cali_insurer, "cali", "cali15", true},
        {VIEW_cali_insurer, "cali", "injury11", false},
        {VIEW_cali_insurer, "cali", "policy", false},
        {VIEW_fund, "fund", "cali15", true},
        {VIEW_fund, "fund", "injury11", false},
        {VIEW_fixed_benefit_insurer, "injury", "injury11", true},
        {VIEW_fixed_benefit_insurer, "injury", "policy", true},
        {VIEW_fixed_benefit_insurer, "injury", "cali15", false},
        {VIEW_reimbursement_insurer, "injury", "cali15", false},
        {VIEW_reimbursement_insurer, "health", "cali15", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bench b;
        bench_init(&b, rows[i].view);
        set_word(&b.c->claims->line, rows[i].line);
        set_word(&b.c->disability->scale, rows[i].scale);
        view body = project(&b);
        cr_expect_eq(view_find(body, V("\"fixed_on\":")) < body.n, rows[i].shown, "%s on %s: %s",
                     rows[i].line, rows[i].scale, rows[i].shown ? "shown" : "withheld");
        bench_done(&b);
    }
}

/* Whatever kinds of paper an application names for them, a repair is none of a health insurer's. */
Test(case_view, a_health_insurer_sees_no_repair)
{
    static const enum view_kind health[] = {VIEW_reimbursement_insurer, VIEW_fixed_benefit_insurer};
    static const char *const vehicle[] = {"repair_estimate", "repair_invoice", "tow"};
    for (size_t i = 0; i < COUNT_OF(health) * COUNT_OF(vehicle); i++) {
        struct bench b;
        bench_init(&b, health[i % COUNT_OF(health)]);
        view text = project(&b);
        cr_assert_lt(view_find(text, V("\"expenses\"")), text.n);
        set_word(&b.c->expenses->kind, vehicle[i / COUNT_OF(health)]);
        text = project(&b);
        cr_assert_eq(view_find(text, V("\"expenses\"")), text.n, "%s shows a %s",
                     view_kind_word(health[i % COUNT_OF(health)]), vehicle[i / COUNT_OF(health)]);
        bench_done(&b);
    }
}

Test(case_view, the_shop_can_ring_the_owner_up_and_not_call_on_him)
{
    struct bench b;
    bench_init(&b, VIEW_shop);
    view text = project(&b);
    cr_assert_lt(view_find(text, V("\"telecom\"")), text.n);
    cr_assert_eq(view_find(text, V("\"addresses\"")), text.n);
    cr_assert_eq(view_find(text, V("\"names\"")), text.n);
    bench_done(&b);
}

Test(case_view, nhi_lines_stay_with_nhi)
{
    struct bench b;
    bench_init(&b, VIEW_reimbursement_insurer);
    set_word(&b.c->expenses->lines->payer, "nhi");
    view text = project(&b);
    cr_assert_eq(view_find(text, V("\"lines\"")), text.n);
    cr_assert_lt(view_find(text, V("\"totals\"")), text.n);
    bench_done(&b);
}

Test(case_view, masks_do_not_tell_the_middle)
{
    struct bench b;
    bench_init(&b, VIEW_app);
    struct case_person *person = b.c->parties->person;
    person->names->text.v = V("王小明");
    person->identifiers->value.v = V("A123456789");
    view one = arena_dup(b.mem, project(&b));
    cr_assert_lt(view_find(one, V("王○明")), one.n);
    cr_assert_lt(view_find(one, V("A1****89")), one.n);
    person->names->text.v = V("王大中明");
    person->identifiers->value.v = V("A198765489");
    cr_assert(view_eq(one, project(&b)));
    bench_done(&b);
}

Test(case_view, unknown_ids_are_refused)
{
    struct bench b;
    bench_init(&b, VIEW_insured);
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 1 << 20);
    struct fault f;
    fault_init(&f);
    b.request.claim = V("cl9");
    cr_assert_eq(view_project(b.c, &b.request, b.work, &out, &f), E_NOT_FOUND);
    b.request.claim = V("cl1");
    b.request.subject = V("p99");
    fault_init(&f);
    cr_assert_eq(view_project(b.c, &b.request, b.work, &out, &f), E_NOT_FOUND);
    bench_done(&b);
}

static const struct {
    const char *line, *benefit;
    enum view_kind view;
} fits[] = {
    {"health", "reimbursement_inpatient", VIEW_reimbursement_insurer},
    {"health", "daily_hospital", VIEW_fixed_benefit_insurer},
    {"injury", "injury_medical", VIEW_reimbursement_insurer},
    {"life", "death", VIEW_fixed_benefit_insurer},
    {"cali", "cali_medical", VIEW_cali_insurer},
    {"fund", "cali_medical", VIEW_fund},
    {"liability_injury", "property", VIEW_liability_insurer},
    {"own_damage", "vehicle_repair", VIEW_own_damage_insurer},
};

Test(case_view, claims_find_their_view)
{
    for (size_t i = 0; i < COUNT_OF(fits); i++) {
        arena *mem AUTO(arena_free) = arena_new(1 << 20);
        struct claim_case *c = case_new(mem);
        struct case_claim *claim = case_add_claims(mem, c);
        leaf_set_text(&claim->line, view_of(fits[i].line), source_gateway(HOW_ASSERTED));
        leaf_set_text(&case_add_claim_benefits(mem, claim)->kind, view_of(fits[i].benefit),
                      source_gateway(HOW_ASSERTED));
        cr_assert_eq(view_kind_for_claim(c, claim), fits[i].view, "%s", fits[i].line);
    }
}
