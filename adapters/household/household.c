#include "adapters/household/household.h"

#include "adapters/layout.h"
#include "adapters/numbers.h"
#include "adapters/rules/motor.h"
#include "base/place.h"
#include "base/text.h"

/* -- the form -- */

enum extract_shape {
#define SHAPE(o) SHAPE_##o,
#define END(o)
#define ROW(...)
#include "adapters/household/extract.def"
    SHAPE_COUNT
};

enum extract_words {
#define WORDS(list, words) EXTRACT_WORDS_##list,
#include "adapters/household/extract.def"
#undef WORDS
    EXTRACT_WORDS_COUNT
};

#define NEED_R NEED_ALWAYS
#define NEED_O NEED_NEVER
#define SHAPE(o) static const struct layout_field fields_##o[] = {
#define END(o)                                                                                               \
    }                                                                                                        \
    ;
#define ROW(m, kind, need, arg, least, most, text)                                                           \
    {V_INIT(#m), LAYOUT_##kind, NEED_##need, arg, least, most, text},
#include "adapters/household/extract.def"

static const struct layout_shape shapes[] = {
#define SHAPE(o) [SHAPE_##o] = {#o, fields_##o, COUNT_OF(fields_##o)},
#define END(o)
#define ROW(...)
#include "adapters/household/extract.def"
};

static const char *const word_lists[] = {
#define WORDS(list, words) words,
#include "adapters/household/extract.def"
#undef WORDS
};

static const struct layout layout = {.name = "household-extract-1",
                                     .shapes = shapes,
                                     .n_shapes = SHAPE_COUNT,
                                     .words = word_lists,
                                     .code = SHAPE_COUNT};

/* One extract on its way. */
struct extract {
    const struct tree *t;
    const struct node *root;
    arena *mem;
    struct issues *issues;
    struct reading *rd;
    struct claim_case *c;
    view dead; /* local id of whom it is about */
};

static const struct node *
member(const struct extract *x, const struct node *owner, const char *name)
{
    return node_member(x->t, owner, view_of(name));
}

static void
copy(const struct extract *x, struct leaf_text *leaf, const struct node *n)
{
    if (n)
        leaf_set_text(leaf, node_text(x->t, n), source_of_node(n, HOW_COPIED));
}

static void
word(struct leaf_text *leaf, view text, const struct node *n)
{
    leaf_set_text(leaf, text, source_of_node(n, HOW_MAPPED));
}

/* -- people -- */

static const struct {
    const char *system, *type;
    bool is_checked;
} types[] = {{"http://www.moi.gov.tw", "NNTWN", true},
             {"http://www.immigration.gov.tw", "PRC", true},
             {"http://www.boca.gov.tw", "PPN", false},
             {"http://hl7.org/fhir/sid/passport-TWN", "PPN", false}};

static err
add_identifier(struct extract *x, struct case_person *person, const struct node *n, view party)
{
    const struct node *system = member(x, n, "system"), *value = member(x, n, "value");
    struct case_identifier *id = case_add_person_identifiers(x->mem, person);
    struct person_key *key = arena_make(x->mem, struct person_key);
    view type = V("other"), check = V("unchecked");
    if (!id || !key)
        return E_TOO_LARGE;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!view_eq(node_text(x->t, system), view_of(types[i].system)))
            continue;
        type = view_of(types[i].type);
        if (types[i].is_checked)
            check = number_national_id_ok(node_text(x->t, value)) ? V("ok") : V("bad");
    }
    copy(x, &id->system, system);
    word(&id->type, type, n);
    copy(x, &id->value, value);
    leaf_set_text(&id->check, check, source_of_node(value, HOW_COMPUTED));
    *key =
        (struct person_key){.text = person_key_text(node_text(x->t, system), node_text(x->t, value), x->mem),
                            .party = party,
                            .is_subject = view_eq(party, x->dead) || !x->dead.n,
                            .next = x->rd->persons};
    if (key->text.n)
        x->rd->persons = key;
    return E_OK;
}

static err
add_person(struct extract *x, const struct node *n, view *ret_id)
{
    const struct node *name = member(x, n, "name"), *born = member(x, n, "birth_date"),
                      *died = member(x, n, "died_on");
    struct case_party *party = case_add_parties(x->mem, x->c);
    struct case_person *person = party ? case_make_party_person(x->mem, party) : NULL;
    struct case_person_name *text = person ? case_add_person_names(x->mem, person) : NULL;
    date day;
    if (!text)
        return E_TOO_LARGE;
    word(&party->kind, V("person"), n);
    copy(x, &text->text, name);
    word(&text->script, text_has_han(node_text(x->t, name)) ? V("Hant") : V("Latn"), name);
    for (NODE_EACH(id, x->t, member(x, n, "identifiers")))
        TRY(add_identifier(x, person, id, party->id));
    if (born && date_parse(node_text(x->t, born), &day) == E_OK)
        leaf_set_date(&person->birth_date, day, VIEW_NONE, source_of_node(born, HOW_PARSED));
    if (died && leaf_parse_time(&person->deceased_at, node_text(x->t, died),
                                source_of_node(died, HOW_PARSED)) != E_OK)
        return E_INTERNAL; /* the check has parsed it */
    *ret_id = party->id;
    return E_OK;
}

static err
add_office(struct extract *x)
{
    const struct node *office = member(x, x->root, "office");
    struct case_party *p = case_add_parties(x->mem, x->c);
    struct case_organisation *o = p ? case_make_party_organisation(x->mem, p) : NULL;
    struct case_organisation_identifier *id = o ? case_add_organisation_identifiers(x->mem, o) : NULL;
    if (!id)
        return E_TOO_LARGE;
    word(&p->kind, V("organisation"), office);
    copy(x, &o->name, member(x, office, "name"));
    word(&o->kind, V("household_office"), office);
    word(&id->type, V("agency_oid"), office);
    copy(x, &id->value, member(x, office, "code"));
    return E_OK;
}

/* -- who inherits -- */

static int
order_of(const struct extract *x, const struct node *relative)
{
    return motor_heir_order(motor_heir_of(node_text(x->t, member(x, relative, "relation"))));
}

/* The first order of which somebody lives, and how many of it do. */
static int
first_order(const struct extract *x, size_t *ret_n)
{
    int first = 0;
    *ret_n = 0;
    for (NODE_EACH(r, x->t, member(x, x->root, "relatives"))) {
        int order = order_of(x, r);
        if (member(x, r, "died_on") || (first && order > first))
            continue;
        *ret_n = order == first ? *ret_n + 1 : 1;
        first = order;
    }
    return first;
}

static err
add_heir(struct extract *x, const struct node *relative, int order, size_t n)
{
    const struct node *relation = member(x, relative, "relation");
    struct case_role *role = case_add_roles(x->mem, x->c);
    view id;
    if (!role)
        return E_TOO_LARGE;
    TRY(add_person(x, relative, &id));
    if (!case_ref(x->mem, &role->party, id, source_of_node(relative, HOW_MAPPED)) ||
        !case_ref(x->mem, &role->of, x->dead, source_of_node(relative, HOW_MAPPED)))
        return E_TOO_LARGE;
    word(&role->role, V("heir"), relative);
    copy(x, &role->relation, relation);
    leaf_set_int(&role->order, order, source_of_node(relation, HOW_COMPUTED));
    leaf_set_text(&role->share, arena_printf(x->mem, "1/%zu", n), source_of_node(relation, HOW_COMPUTED));
    return role->share.v.p ? E_OK : E_TOO_LARGE;
}

static err
add_heirs(struct extract *x)
{
    size_t n;
    int first = first_order(x, &n);
    for (NODE_EACH(r, x->t, member(x, x->root, "relatives"))) {
        if (member(x, r, "died_on") || order_of(x, r) != first)
            continue;
        if (!member(x, r, "identifiers"))
            issue_at(x->issues, ISSUE_ERROR, E_REQUIRED, x->t, r, V("a number of who inherits"), V("none"));
        TRY(add_heir(x, r, first, n));
    }
    return E_OK;
}

/* -- the whole -- */

static err
read_all(struct extract *x)
{
    const struct node *office = member(x, x->root, "office"), *no = member(x, x->root, "no");
    struct reading *rd = x->rd;
    struct doc_ref *ref = arena_make(x->mem, struct doc_ref);
    if (!ref)
        return E_TOO_LARGE;
    rd->author = node_text(x->t, member(x, office, "code"));
    rd->unique_identity = true;
    rd->identifier_system = V(HOUSEHOLD_SYSTEM);
    rd->identifier_value = node_text(x->t, no);
    *ref = (struct doc_ref){.kind = REF_CERTIFICATE_NO, .author = rd->author, .value = rd->identifier_value};
    rd->refs = ref;
    TRY(add_office(x));
    TRY(add_person(x, member(x, x->root, "person"), &x->dead));
    return member(x, member(x, x->root, "person"), "died_on") ? add_heirs(x) : E_OK;
}

err
household_interpret(const struct tree *t, arena *mem, struct issues *issues, struct reading *ret,
                    struct fault *f)
{
    struct reading rd = {.kind = KIND_HOUSEHOLD, .profile = V("household-extract-1"), .facts = case_new(mem)};
    struct extract x = {.t = t, .root = tree_root(t), .mem = mem, .issues = issues, .rd = &rd, .c = rd.facts};
    const struct layout_document d = {&layout, t, mem, issues, rd.facts, NEED_MOSTLY};
    size_t errors = issues->errors;
    if (!rd.facts)
        return E_TOO_LARGE;
    if (x.root->kind != NODE_OBJECT)
        return fault_set(f, E_DOCUMENT_KIND, "", "an object", "another value");
    TRY(layout_check(&d, SHAPE_extract));
    if (issues->errors == errors)
        TRY(read_all(&x));
    *ret = rd;
    return E_OK;
}

/* -- against who applied -- */

static err
keys_of(const struct case_party *p, arena *mem, struct person_key **ret)
{
    *ret = NULL;
    for (const struct case_identifier *id = p && p->person ? p->person->identifiers : NULL; id;
         id = id->next) {
        struct person_key *key = arena_make(mem, struct person_key);
        if (!key)
            return E_TOO_LARGE;
        *key = (struct person_key){.text = person_key_text(id->system.v, id->value.v, mem), .next = *ret};
        if (key->text.n)
            *ret = key;
    }
    return E_OK;
}

static bool
share_a_key(const struct person_key *a, const struct person_key *b)
{
    for (; a; a = a->next)
        for (const struct person_key *k = b; k; k = k->next)
            if (view_eq(a->text, k->text))
                return true;
    return false;
}

err
household_heirs(const struct claim_case *facts, const struct person_key *dead, arena *mem,
                struct household_heir **ret, bool *ret_about)
{
    *ret = NULL;
    *ret_about = false;
    for (const struct case_role *role = facts->roles; role; role = role->next) {
        struct person_key *keys;
        if (!view_eq(role->role.v, V("heir")))
            continue;
        TRY(keys_of(case_party_of(facts, role->of.v), mem, &keys));
        if (!share_a_key(keys, dead))
            continue;
        struct household_heir *heir = arena_make(mem, struct household_heir);
        if (!heir)
            return E_TOO_LARGE;
        TRY(keys_of(case_party_of(facts, role->party.v), mem, &heir->keys));
        heir->next = *ret;
        *ret = heir;
        *ret_about = true;
    }
    return E_OK;
}

err
household_note_differs(arena *mem, struct claim_case *facts)
{
    const struct err_row *row = err_info(E_HEIRS_DIFFER);
    struct source own = source_gateway(HOW_COMPUTED);
    struct case_finding *f = case_add_findings(mem, facts);
    struct case_finding_rule *rule = f ? case_make_finding_rule(mem, f) : NULL;
    view place =
        facts->roles ? arena_printf(mem, "/roles/%.*s/role", VIEW_ARG(facts->roles->id)) : V("/roles");
    if (!rule || !place.p)
        return E_TOO_LARGE;
    leaf_set_text(&f->code, view_of(row->code), own);
    leaf_set_text(&f->severity, V("hold"), own);
    leaf_set_text(&f->pointer, place, own);
    leaf_set_text(&rule->id, V("heirs-proven"), own);
    leaf_set_text(&rule->version, V("1"), own);
    leaf_set_text(&f->text.zh, view_of(row->text[LANG_ZH]), own);
    leaf_set_text(&f->text.en, view_of(row->text[LANG_EN]), own);
    return E_OK;
}
