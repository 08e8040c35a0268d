/* Parties of the form: persons with their numbers, vehicles, roles, and the line that each has in the accident.  The open data name nobody: then there is a
 * line and no person.  Nothing is concluded about fault, least of all from the order. */
#include "adapters/police/inside.h"

#include "adapters/numbers.h"
#include "base/digest.h"
#include "base/text.h"

/* -- persons -- */

static const struct {
    const char *system, *type;
} identifier_types[] = {
    {"http://www.moi.gov.tw", "NNTWN"},
    {"http://www.immigration.gov.tw", "PRC"},
    {"http://www.boca.gov.tw", "PPN"},
    {"http://hl7.org/fhir/sid/passport-TWN", "PPN"},
};

static const char *
type_of_system(view system)
{
    for (size_t i = 0; i < COUNT_OF(identifier_types); i++)
        if (view_eq(system, view_of(identifier_types[i].system)))
            return identifier_types[i].type;
    return view_starts(system, V("http://hl7.org/fhir/sid/passport-")) ? "PPN" : "other";
}

static err
add_key(struct form *x, const struct node *n, view party)
{
    view text = person_key_text(form_value(x, n, "system"), form_value(x, n, "value"), x->mem);
    if (!text.n)
        return E_OK;
    struct person_key *key = arena_make(x->mem, struct person_key);
    if (!key)
        return E_TOO_LARGE;
    *key = (struct person_key){.text = text, .party = party, .is_subject = true, .next = x->rd->persons};
    x->rd->persons = key;
    return E_OK;
}

static err
read_identifier(struct form *x, struct case_person *person, const struct node *n, view party)
{
    const struct node *value = form_member(x, n, "value");
    const char *type = type_of_system(form_value(x, n, "system"));
    bool checked = strcmp(type, "NNTWN") == 0 || strcmp(type, "PRC") == 0;
    bool good = checked && number_national_id_ok(node_text(x->t, value));
    struct case_identifier *id = case_add_person_identifiers(x->mem, person);
    if (!id)
        return E_TOO_LARGE;
    form_text(x, &id->system, form_member(x, n, "system"));
    form_word(&id->type, type, n);
    form_text(x, &id->value, value);
    leaf_set_text(&id->check,
                  good      ? V("ok")
                  : checked ? V("bad")
                            : V("unchecked"),
                  source_of_node(value, HOW_COMPUTED));
    if (checked && !good)
        form_issue(x, ISSUE_WARNING, E_CHECKSUM, value, "a number with its check digit", "one that fails");
    return add_key(x, n, party);
}

/* The papers of one accident name the same person without always giving the number.  Number on the form and name together make it out within the accident;
 * as a digest, so that it tells neither.  A corrected slip that changes the order makes no two persons one. */
static err
add_form_identifier(struct form *x, struct case_person *person, const struct form_party *p)
{
    const view parts[] = {x->handler,
                          V("|"),
                          x->accident_no,
                          V("|"),
                          form_value(x, p->node, "seq"),
                          V("|"),
                          form_value(x, p->node, "name")};
    digest d = sha256_parts(parts, COUNT_OF(parts));
    view hex = text_hex(x->mem, view_make(d.b, 16));
    struct case_identifier *id = case_add_person_identifiers(x->mem, person);
    if (!id || !hex.p)
        return E_TOO_LARGE;
    struct source src = source_of_node(p->node, HOW_COMPUTED);
    leaf_set_text(&id->system, V(POLICE_PARTY_SYSTEM), src);
    leaf_set_text(&id->type, V("other"), src);
    leaf_set_text(&id->value, hex, src);
    leaf_set_text(&id->check, V("unchecked"), src);
    return E_OK;
}

/* "male", "female", "none" for a thing or an animal, "unknown" for one who fled; as written when the table has it not. */
static view
sex_of(struct form *x, const struct node *n)
{
    static const char *const words[] = {"", "male", "female", "none", "unknown"};
    struct case_police_code code = {0};
    form_code(x, &code, COLUMN_sex, n);
    if (!code.resolved.v)
        return code.minor.v.n ? code.minor.v : code.code.v;
    return view_of(words[code.code.v.p[code.code.v.n - 1] - '0']);
}

static err
read_telecom(struct form *x, struct case_person *person, const struct node *phone)
{
    struct case_telecom *telecom = phone ? case_add_person_telecom(x->mem, person) : NULL;
    if (!phone)
        return E_OK;
    if (!telecom)
        return E_TOO_LARGE;
    form_word(&telecom->system, "phone", phone);
    form_text(x, &telecom->value, phone);
    return E_OK;
}

static err
read_person(struct form *x, struct form_party *p, view sex)
{
    const struct node *name = form_member(x, p->node, "name"),
                      *numbers = form_member(x, p->node, "identifiers");
    if (!name && !numbers)
        return E_OK;
    struct case_party *party = case_add_parties(x->mem, x->c);
    struct case_person *person = party ? case_make_party_person(x->mem, party) : NULL;
    struct case_person_name *n = person ? case_add_person_names(x->mem, person) : NULL;
    if (!n)
        return E_TOO_LARGE;
    p->person = party->id;
    form_word(&party->kind, "person", p->node);
    if (name) {
        form_text(x, &n->text, name);
        form_word(&n->script, text_has_han(node_text(x->t, name)) ? "Hant" : "Latn", name);
        TRY(add_form_identifier(x, person, p));
    } else {
        leaf_set_text(&n->text, V("-"), source_of_node(numbers, HOW_ASSERTED));
    }
    for (NODE_EACH(id, x->t, numbers))
        TRY(read_identifier(x, person, id, party->id));
    form_date(x, &person->birth_date, form_member(x, p->node, "birth_date"));
    if (view_eq(sex, V("male")) || view_eq(sex, V("female")))
        leaf_set_text(&person->sex, sex, source_of_node(form_member(x, p->node, "sex"), HOW_MAPPED));
    return read_telecom(x, person, form_member(x, p->node, "phone"));
}

/* -- vehicles -- */

static bool
is_vehicle_kind(const struct case_police_code *kind)
{
    return kind->resolved.v && kind->code.v.n && kind->code.v.p[0] >= 'A' && kind->code.v.p[0] <= 'G';
}

static err
set_kind(struct form *x, struct case_vehicle *v, const struct case_police_code *kind, const struct node *at)
{
    if (kind->resolved.v) {
        struct case_coding *coding = case_add_coded_codings(x->mem, &v->kind);
        if (!coding)
            return E_TOO_LARGE;
        leaf_set_text(&coding->system, V(POLICE_KIND_SYSTEM), source_of_node(at, HOW_MAPPED));
        coding->code = kind->code;
        coding->display = kind->minor;
        coding->era = kind->era;
    }
    if (kind->minor.v.n)
        v->kind.text = kind->minor;
    else if (!kind->resolved.v)
        leaf_set_text(&v->kind.text, V("-"), source_of_node(at, HOW_ASSERTED));
    return E_OK;
}

/* 汽車, 機車, 微型電動二輪車 (強制汽車責任保險法 5, 5-1). */
static void
set_cali_class(struct case_vehicle *v, const struct case_police_code *kind, const struct node *at)
{
    char c = is_vehicle_kind(kind) ? kind->code.v.p[0] : 0;
    if (c == 'C')
        form_word(&v->cali_class, "機", at);
    else if (c == 'A' || c == 'B' || c == 'D' || c == 'E')
        form_word(&v->cali_class, "汽", at);
    else if (view_eq(kind->code.v, V("F03")) && kind->resolved.v)
        form_word(&v->cali_class, "微電", at);
}

static err
insurer_party(struct form *x, const struct node *ubn, view *ret_id)
{
    view code = node_text(x->t, ubn);
    for (const struct case_party *p = x->c->parties; p; p = p->next) {
        if (p->organisation && p->organisation->identifiers &&
            view_eq(p->organisation->identifiers->value.v, code)) {
            *ret_id = p->id;
            return E_OK;
        }
    }
    struct case_party *p = case_add_parties(x->mem, x->c);
    struct case_organisation *o = p ? case_make_party_organisation(x->mem, p) : NULL;
    struct case_organisation_identifier *id = o ? case_add_organisation_identifiers(x->mem, o) : NULL;
    if (!id)
        return E_TOO_LARGE;
    form_word(&p->kind, "organisation", ubn); /* its name is the registry's to say */
    form_word(&o->kind, "insurer", ubn);
    form_word(&id->type, "ubn", ubn);
    form_text(x, &id->value, ubn);
    if (!number_ubn_ok(code))
        form_issue(x, ISSUE_WARNING, E_CHECKSUM, ubn, "a 統一編號 with its check digit", "one that fails");
    *ret_id = p->id;
    return E_OK;
}

/* What the officer saw at the scene: the certificate says insured; whether it is in force only the insurer can tell. */
static err
read_cali(struct form *x, struct case_vehicle *v, const struct node *vehicle)
{
    const struct node *ubn = form_member(x, vehicle, "insurer_ubn"),
                      *number = form_member(x, vehicle, "cali_certificate_no");
    if (!ubn && !number)
        return E_OK;
    struct case_vehicle_cali *cali = case_make_vehicle_cali(x->mem, v);
    if (!cali)
        return E_TOO_LARGE;
    form_word(&cali->status, "insured", ubn ? ubn : number);
    form_word(&cali->source, "certificate", ubn ? ubn : number);
    form_text(x, &cali->certificate_no, number);
    form_time(x, &cali->checked_at, form_member(x, x->root, "occurred"));
    cali->checked_at.src.how = HOW_COMPUTED;
    if (ubn) {
        view id = VIEW_NONE;
        TRY(insurer_party(x, ubn, &id));
        form_ref(x, &cali->insurer, id, ubn);
    }
    return E_OK;
}

/* The slip describes the vehicles; in other papers only a plate makes out which one is meant. */
static err
read_vehicle(struct form *x, struct form_party *p, const struct case_police_code *kind)
{
    const struct node *vehicle = form_member(x, p->node, "vehicle"), *at = form_member(x, p->node, "kind");
    const struct node *plate = form_member(x, vehicle, "plate");
    bool described = view_eq(x->part, V("slip")) && (vehicle || is_vehicle_kind(kind));
    if (!plate && !described)
        return E_OK;
    struct case_vehicle *v = case_add_vehicles(x->mem, x->c);
    if (!v)
        return E_TOO_LARGE;
    p->vehicle = v->id;
    form_text(x, &v->plate, plate);
    TRY(set_kind(x, v, kind, at ? at : p->node));
    set_cali_class(v, kind, at);
    form_text(x, &v->make, form_member(x, vehicle, "make"));
    form_text(x, &v->model, form_member(x, vehicle, "model"));
    return read_cali(x, v, vehicle);
}

/* -- the party's line in the accident -- */

static err
read_licence(struct form *x, struct case_accident_party *line, const struct node *n)
{
    struct case_licence *licence = n ? case_make_accident_party_licence(x->mem, line) : NULL;
    if (!n)
        return E_OK;
    if (!licence)
        return E_TOO_LARGE;
    form_code(x, &licence->status, COLUMN_licence_status, form_member(x, n, "status"));
    form_code(x, &licence->class, COLUMN_licence_class, form_member(x, n, "class"));
    return E_OK;
}

static err
read_alcohol(struct form *x, struct case_accident_party *line, const struct node *n)
{
    struct case_alcohol *alcohol = n ? case_make_accident_party_alcohol(x->mem, line) : NULL;
    if (!n)
        return E_OK;
    if (!alcohol)
        return E_TOO_LARGE;
    form_code(x, &alcohol->code, COLUMN_alcohol, form_member(x, n, "code"));
    form_decimal(x, &alcohol->value, form_member(x, n, "value"));
    form_text(x, &alcohol->method, form_member(x, n, "method"));
    return E_OK;
}

static err
read_codes(struct form *x, struct case_accident_party *line, const struct node *n)
{
#define PARTY_CODE(m, column) form_code(x, &line->m, COLUMN_##column, form_member(x, n, #m))
    PARTY_CODE(injury_degree, injury_degree);
    PARTY_CODE(main_injury, main_injury);
    PARTY_CODE(gear, gear);
    PARTY_CODE(device_use, device_use);
    PARTY_CODE(action, action);
    PARTY_CODE(impact_first, impact);
    PARTY_CODE(cause_own, cause);
    PARTY_CODE(hit_and_run, hit_and_run);
    PARTY_CODE(trip_purpose, trip_purpose);
    PARTY_CODE(vehicle_use, vehicle_use);
#undef PARTY_CODE
    for (NODE_EACH(other, x->t, form_member(x, n, "impact_other"))) {
        struct case_police_code *code = case_add_accident_party_impact_other(x->mem, line);
        if (!code)
            return E_TOO_LARGE;
        form_code(x, code, COLUMN_impact, other);
    }
    TRY(read_licence(x, line, form_member(x, n, "licence")));
    return read_alcohol(x, line, form_member(x, n, "alcohol"));
}

static err
read_party(struct form *x, struct form_party *p)
{
    const struct node *n = p->node, *sex = form_member(x, n, "sex");
    view sex_word = sex ? sex_of(x, sex) : VIEW_NONE;
    TRY(read_person(x, p, sex_word));
    if (!x->c->accident)
        return E_OK;
    struct case_accident_party *line = case_add_accident_parties(x->mem, x->c->accident);
    if (!line)
        return E_TOO_LARGE;
    p->line = line->id;
    form_count(x, &line->seq, form_member(x, n, "seq"));
    form_ref(x, &line->party, p->person, n);
    form_code(x, &line->kind, COLUMN_party_kind, form_member(x, n, "kind"));
    if (sex_word.n)
        leaf_set_text(&line->sex, sex_word, source_of_node(sex, HOW_MAPPED));
    form_count(x, &line->age, form_member(x, n, "age"));
    TRY(read_codes(x, line, n));
    TRY(read_vehicle(x, p, &line->kind));
    form_ref(x, &line->vehicle, p->vehicle, n);
    return E_OK;
}

/* -- roles -- */

static err
add_role(struct form *x, view person, const char *word, view vehicle, const struct node *n)
{
    struct case_role *role = case_add_roles(x->mem, x->c);
    if (!role)
        return E_TOO_LARGE;
    form_ref(x, &role->party, person, n);
    form_word(&role->role, word, n);
    form_ref(x, &role->of, vehicle, n);
    return E_OK;
}

static const char *
role_of_kind(const struct case_police_code *kind)
{
    if (is_vehicle_kind(kind))
        return kind->code.v.p[0] == 'C' || kind->code.v.p[0] == 'F' ? "rider" : "driver";
    if (!kind->resolved.v)
        return NULL;
    return view_eq(kind->code.v, V("H01"))   ? "pedestrian"
           : view_eq(kind->code.v, V("H02")) ? "passenger"
                                             : NULL;
}

/* Dead or injured (codes 1, 2, 5). */
static bool
is_victim(const struct case_police_code *degree)
{
    return degree->resolved.v && degree->code.v.n == 1 && strchr("125", degree->code.v.p[0]);
}

static err
read_roles(struct form *x, const struct form_party *p, struct case_accident_party *line)
{
    int64_t seq;
    const struct node *ride = form_member(x, p->node, "rides_with");
    struct form_party *host = form_int(x, ride, &seq) ? form_party_of(x, seq) : NULL;
    view vehicle = host ? host->vehicle : p->vehicle;
    if (host)
        form_ref(x, &line->vehicle, vehicle, ride);
    const char *word = role_of_kind(&line->kind);
    if (p->person.n && word)
        TRY(add_role(x, p->person, word, vehicle, p->node));
    if (p->person.n && is_victim(&line->injury_degree))
        TRY(add_role(x, p->person, "victim", VIEW_NONE, p->node));
    return E_OK;
}

err
form_parties(struct form *x)
{
    for (size_t i = 0; i < x->n_parties; i++)
        TRY(read_party(x, &x->parties[i]));
    struct case_accident_party *line = x->c->accident ? x->c->accident->parties : NULL;
    for (size_t i = 0; line && i < x->n_parties; i++, line = line->next)
        TRY(read_roles(x, &x->parties[i], line));
    return E_OK;
}
