#include "adapters/hospital/inside.h"

#include "adapters/numbers.h"

/* -- persons -- */

static const char *
identifier_type(view system)
{
    if (view_eq(system, V("http://www.moi.gov.tw")))
        return "NNTWN";
    if (view_eq(system, V("http://www.immigration.gov.tw")))
        return "PRC";
    if (view_eq(system, V("http://hl7.org/fhir/sid/passport-TWN")) ||
        view_eq(system, V("http://www.boca.gov.tw")))
        return "PPN";
    return "MR";
}

static void
add_identifier(struct chart *ch, struct case_party *p, const struct node *id)
{
    const struct tree *t = ch->t;
    const struct node *value = node_member(t, id, V("value"));
    view system = node_text_at(t, id, "system");
    if (!value || !node_text(t, value).n)
        return;
    struct case_identifier *out = case_add_person_identifiers(ch->mem, p->person);
    if (!out) {
        ch->failed = true;
        return;
    }
    const char *type = identifier_type(system);
    chart_text(ch, &out->system, node_member(t, id, V("system")));
    chart_text(ch, &out->value, value);
    chart_word(&out->type, type, id);
    bool national = strcmp(type, "NNTWN") == 0 || strcmp(type, "PRC") == 0;
    bool good = !national || number_national_id_ok(node_text(t, value));
    chart_word(&out->check, !national ? "unchecked" : good ? "ok" : "bad", value);
    if (!good)
        chart_note(ch, ISSUE_WARNING, E_CHECKSUM, value, "a number with its check digit", "one that fails");
    view key = person_key_text(system, node_text(t, value), ch->mem);
    struct person_key *k = key.p ? arena_make(ch->mem, struct person_key) : NULL;
    if (k) {
        *k = (struct person_key){.text = key, .party = p->id, .is_subject = true, .next = ch->rd->persons};
        ch->rd->persons = k;
    }
}

static void
add_name(struct chart *ch, struct case_party *p, const struct node *name)
{
    const struct tree *t = ch->t;
    const struct node *text = node_member(t, name, V("text"));
    const struct node *family = node_member(t, name, V("family"));
    if (!text && !family)
        return;
    struct case_person_name *out = case_add_person_names(ch->mem, p->person);
    if (!out) {
        ch->failed = true;
        return;
    }
    if (text) {
        chart_text(ch, &out->text, text);
    } else {
        view given = node_text_at(t, name, "given");
        view whole = arena_printf(ch->mem, "%.*s%.*s", VIEW_ARG(node_text(t, family)), VIEW_ARG(given));
        leaf_set_text(&out->text, whole, from_node(name, HOW_MAPPED));
    }
    chart_text(ch, &out->use, node_member(t, name, V("use")));
}

static err
read_patient(struct chart *ch, const struct node *patient)
{
    const struct tree *t = ch->t;
    struct case_party *p = case_add_parties(ch->mem, ch->c);
    if (!p || !case_make_party_person(ch->mem, p))
        return E_TOO_LARGE;
    chart_word(&p->kind, "person", patient);
    ch->patient = p->id;
    for (NODE_EACH(name, t, node_member(t, patient, V("name"))))
        add_name(ch, p, name);
    for (NODE_EACH(id, t, node_member(t, patient, V("identifier"))))
        add_identifier(ch, p, id);
    chart_date(ch, &p->person->birth_date, node_member(t, patient, V("birthDate")));
    chart_text(ch, &p->person->sex, node_member(t, patient, V("gender")));
    for (NODE_EACH(address, t, node_member(t, patient, V("address")))) {
        const struct node *text = node_member(t, address, V("text"));
        struct case_address *out = text ? case_add_person_addresses(ch->mem, p->person) : NULL;
        if (out)
            chart_text(ch, &out->text, text);
    }
    for (NODE_EACH(telecom, t, node_member(t, patient, V("telecom")))) {
        struct case_telecom *out =
            node_member(t, telecom, V("value")) ? case_add_person_telecom(ch->mem, p->person) : NULL;
        if (!out)
            continue;
        chart_text(ch, &out->system, node_member(t, telecom, V("system")));
        chart_text(ch, &out->value, node_member(t, telecom, V("value")));
        chart_text(ch, &out->use, node_member(t, telecom, V("use")));
    }
    struct case_role *role = case_add_roles(ch->mem, ch->c);
    if (!role)
        return E_TOO_LARGE;
    chart_ref(ch, &role->party, p->id, patient);
    chart_word(&role->role, "patient", patient);
    return E_OK;
}

/* -- organisations -- */

static view
organisation_code(const struct tree *t, const struct node *organisation, const struct node **ret_node)
{
    for (NODE_EACH(id, t, node_member(t, organisation, V("identifier")))) {
        view system = node_text_at(t, id, "system");
        if (!view_eq(system, V(SYSTEM_HOSPITAL_CODE)) && !view_eq(system, V(SYSTEM_HOSPITAL_CODE_PAS)) &&
            !view_eq(system, V(SYSTEM_UBN)))
            continue;
        if (ret_node)
            *ret_node = node_member(t, id, V("value"));
        return node_text_at(t, id, "value");
    }
    return VIEW_NONE;
}

static bool
is_company(const struct tree *t, const struct node *organisation)
{
    return view_eq(node_text_at(t, organisation, "identifier[0].system"), V(SYSTEM_UBN));
}

static err
add_organisation(struct chart *ch, const struct node *organisation, view *ret_id)
{
    const struct tree *t = ch->t;
    const struct node *value = NULL;
    view code = organisation_code(t, organisation, &value);
    struct case_party *p = case_add_parties(ch->mem, ch->c);
    struct case_organisation *o = p ? case_make_party_organisation(ch->mem, p) : NULL;
    struct case_organisation_identifier *id = o ? case_add_organisation_identifiers(ch->mem, o) : NULL;
    if (!id)
        return E_TOO_LARGE;
    bool company = is_company(t, organisation);
    chart_word(&p->kind, "organisation", organisation);
    chart_text(ch, &o->name, node_member(t, organisation, V("name")));
    if (!o->name.v.n)
        leaf_set_text(&o->name, code.n ? code : V("-"), from_node(organisation, HOW_MAPPED));
    /* Clinics have codes that begin with 35, 37 or 38 behind the area; the registry says it for certain. */
    chart_word(&o->kind,
               company                                  ? "insurer"
               : view_eq(view_sub(code, 2, 2), V("35")) ? "clinic"
                                                        : "hospital",
               organisation);
    chart_word(&id->type, company ? "ubn" : "hospital_code", organisation);
    leaf_set_text(&id->value, code.n ? code : V("-"), from_node(value ? value : organisation, HOW_COPIED));
    if (!company && code.n && !number_hospital_code_ok(code))
        chart_note(ch, ISSUE_WARNING, E_CHECKSUM, value, "a code with its check digit", "one that fails");
    *ret_id = p->id;
    return E_OK;
}

static err
add_hint(struct chart *ch, const struct node *organisation)
{
    struct insurer_hint *h = arena_make(ch->mem, struct insurer_hint);
    if (!h)
        return E_TOO_LARGE;
    *h = (struct insurer_hint){organisation_code(ch->t, organisation, NULL), V("health"), ch->rd->hints};
    if (h->code.n)
        ch->rd->hints = h;
    return E_OK;
}

static err
read_coverage(struct chart *ch, const struct node *coverage)
{
    const struct tree *t = ch->t;
    chart_note(ch, ISSUE_INFO, E_CONSENT_HINT, coverage, "recipients in the person's application",
               "a coverage inside the document");
    for (NODE_EACH(payor, t, node_member(t, coverage, V("payor")))) {
        const struct node *organisation = chart_resolve(ch, coverage, payor);
        view insurer = VIEW_NONE;
        if (!organisation || !view_eq(node_text_at(t, organisation, "resourceType"), V("Organization")))
            continue;
        TRY(add_hint(ch, organisation));
        TRY(add_organisation(ch, organisation, &insurer));
        struct case_coverage *out = case_add_coverages(ch->mem, ch->c);
        if (!out)
            return E_TOO_LARGE;
        chart_ref(ch, &out->insurer, insurer, payor);
        chart_word(&out->line, "health", coverage);
        chart_ref(ch, &out->insured, ch->patient, coverage);
        chart_word(&out->contract_regime, "unknown", coverage);
        chart_word(&out->source, "hospital", coverage);
    }
    return E_OK;
}

/* The author: custodian, else the first author that is an organisation, else the encounter's provider (DECISIONS "Author"). */
static const struct node *
find_author(const struct chart *ch)
{
    const struct tree *t = ch->t;
    const struct node *found =
        chart_resolve(ch, ch->composition, node_member(t, ch->composition, V("custodian")));
    if (found)
        return found;
    for (NODE_EACH(author, t, node_member(t, ch->composition, V("author")))) {
        const struct node *n = chart_resolve(ch, ch->composition, author);
        if (n && view_eq(node_text_at(t, n, "resourceType"), V("Organization")))
            return n;
        const struct node *of = n ? chart_resolve(ch, n, node_member(t, n, V("organization"))) : NULL;
        if (of)
            return of;
    }
    for (uint32_t i = 0; i < ch->b->n; i++)
        if (view_eq(ch->b->entries[i].type, V("Organization")) && !is_company(t, ch->b->entries[i].resource))
            return ch->b->entries[i].resource;
    return NULL;
}

static err
read_author(struct chart *ch)
{
    const struct node *author = find_author(ch);
    if (!author)
        return fault_set(ch->f, E_REQUIRED, "Bundle.entry[0].resource.custodian", "the author's Organization",
                         "none");
    ch->rd->author = organisation_code(ch->t, author, NULL);
    if (!ch->rd->author.n)
        return fault_set(ch->f, E_REQUIRED, "Organization.identifier", "the author's 醫事機構代碼", "none");
    TRY(add_organisation(ch, author, &ch->facility));
    /* Every hospital code in the document is the author's: a document of two institutions is two documents. */
    for (uint32_t i = 0; i < ch->b->n; i++) {
        const struct node *o = ch->b->entries[i].resource;
        if (!view_eq(ch->b->entries[i].type, V("Organization")) || is_company(ch->t, o))
            continue;
        view code = organisation_code(ch->t, o, NULL);
        if (code.n && !view_eq(code, ch->rd->author))
            chart_note(ch, ISSUE_ERROR, E_SIGNER_WRONG_ORG, o, "the author's code everywhere",
                       "another institution's code");
    }
    return E_OK;
}

static void
read_licences(struct chart *ch)
{
    const struct tree *t = ch->t;
    for (uint32_t i = 0; i < ch->b->n && ch->rd->n_licences < COUNT_OF(ch->rd->licences); i++) {
        const struct node *practitioner = ch->b->entries[i].resource;
        if (!view_eq(ch->b->entries[i].type, V("Practitioner")))
            continue;
        for (NODE_EACH(id, t, node_member(t, practitioner, V("identifier"))))
            if (view_eq(node_text_at(t, id, "type.coding[0].code"), V("MD")) &&
                ch->rd->n_licences < COUNT_OF(ch->rd->licences))
                ch->rd->licences[ch->rd->n_licences++] = node_text_at(t, id, "value");
    }
}

err
chart_people(struct chart *ch)
{
    const struct node *patient =
        chart_resolve(ch, ch->composition, node_member(ch->t, ch->composition, V("subject")));
    if (!patient || !view_eq(node_text_at(ch->t, patient, "resourceType"), V("Patient")))
        patient = bundle_first(ch->b, V("Patient"));
    TRY(read_author(ch));
    if (patient)
        TRY(read_patient(ch, patient));
    read_licences(ch);
    for (uint32_t i = 0; i < ch->b->n; i++)
        if (view_eq(ch->b->entries[i].type, V("Coverage")))
            TRY(read_coverage(ch, ch->b->entries[i].resource));
    return ch->failed ? E_TOO_LARGE : E_OK;
}
