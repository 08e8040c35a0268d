/* Parties of a paper: persons with their numbers, organisations by their 統一編號. */
#include "adapters/claimlink/inside.h"

#include "adapters/numbers.h"
#include "base/text.h"

static const struct {
    const char *system, *type;
    bool checked;
} types[] = {
    {"http://www.moi.gov.tw", "NNTWN", true},
    {"http://www.immigration.gov.tw", "PRC", true},
    {"http://www.boca.gov.tw", "PPN", false},
};

static err
add_key(struct work *w, const struct node *n, view party, bool is_subject)
{
    view text = person_key_text(work_value(w, n, "system"), work_value(w, n, "value"), w->mem);
    if (!text.n)
        return E_OK;
    struct person_key *key = arena_make(w->mem, struct person_key);
    if (!key)
        return E_TOO_LARGE;
    *key =
        (struct person_key){.text = text, .party = party, .is_subject = is_subject, .next = w->rd->persons};
    w->rd->persons = key;
    return E_OK;
}

static err
add_identifier(struct work *w, struct case_person *person, const struct node *n)
{
    struct case_identifier *id = case_add_person_identifiers(w->mem, person);
    const struct node *value = work_member(w, n, "value");
    view system = work_value(w, n, "system");
    const char *type = view_starts(system, V("http://hl7.org/fhir/sid/passport-")) ? "PPN" : "other";
    const char *check = "unchecked";
    if (!id)
        return E_TOO_LARGE;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!view_eq(system, view_of(types[i].system)))
            continue;
        type = types[i].type;
        if (types[i].checked)
            check = number_national_id_ok(node_text(w->t, value)) ? "ok" : "bad";
    }
    work_text(w, &id->system, work_member(w, n, "system"));
    work_word(&id->type, type, n);
    work_text(w, &id->value, value);
    leaf_set_text(&id->check, view_of(check), source_of_node(value, HOW_COMPUTED));
    if (strcmp(check, "bad") == 0)
        work_issue(w, ISSUE_WARNING, E_CHECKSUM, value, "a number with its check digit", "one that fails");
    return E_OK;
}

static err
add_contact(struct work *w, struct case_person *person, const struct node *n)
{
    const struct node *phone = work_member(w, n, "phone"), *address = work_member(w, n, "address");
    struct case_telecom *t = phone ? case_add_person_telecom(w->mem, person) : NULL;
    struct case_address *a = address ? case_add_person_addresses(w->mem, person) : NULL;
    if ((phone && !t) || (address && !a))
        return E_TOO_LARGE;
    if (t) {
        work_word(&t->system, "phone", phone);
        work_text(w, &t->value, phone);
    }
    if (a)
        work_text(w, &a->text, address);
    return E_OK;
}

err
work_person(struct work *w, const struct node *n, bool is_subject, view *ret_id)
{
    const struct node *name = work_member(w, n, "name");
    struct case_party *party = case_add_parties(w->mem, w->c);
    struct case_person *person = party ? case_make_party_person(w->mem, party) : NULL;
    struct case_person_name *text = person ? case_add_person_names(w->mem, person) : NULL;
    if (!text)
        return E_TOO_LARGE;
    work_word(&party->kind, "person", n);
    work_text(w, &text->text, name);
    work_word(&text->script, text_has_han(node_text(w->t, name)) ? "Hant" : "Latn", name);
    for (NODE_EACH(id, w->t, work_member(w, n, "identifiers"))) {
        TRY(add_identifier(w, person, id));
        TRY(add_key(w, id, party->id, is_subject));
    }
    work_date(w, &person->birth_date, work_member(w, n, "birth_date"));
    *ret_id = party->id;
    return add_contact(w, person, n);
}

err
work_organisation(struct work *w, const struct node *code, const char *kind, view *ret_id)
{
    view ubn = node_text(w->t, code);
    for (const struct case_party *p = w->c->parties; p; p = p->next)
        if (p->organisation && view_eq(p->organisation->identifiers->value.v, ubn)) {
            *ret_id = p->id;
            return E_OK;
        }
    struct case_party *p = case_add_parties(w->mem, w->c);
    struct case_organisation *o = p ? case_make_party_organisation(w->mem, p) : NULL;
    struct case_organisation_identifier *id = o ? case_add_organisation_identifiers(w->mem, o) : NULL;
    if (!id)
        return E_TOO_LARGE;
    work_word(&p->kind, "organisation", code); /* its name is the registry's to say */
    work_word(&o->kind, kind, code);
    work_word(&id->type, strcmp(kind, "fund") == 0 ? "fund" : "ubn", code);
    work_text(w, &id->value, code);
    if (!number_ubn_ok(ubn))
        work_issue(w, ISSUE_WARNING, E_CHECKSUM, code, "a 統一編號 with its check digit", "one that fails");
    *ret_id = p->id;
    return E_OK;
}

err
work_role(struct work *w, view party, const char *word, view of, const struct node *n)
{
    struct case_role *role = case_add_roles(w->mem, w->c);
    if (!role)
        return E_TOO_LARGE;
    work_ref(w, &role->party, party, n);
    work_word(&role->role, word, n);
    work_ref(w, &role->of, of, n);
    return E_OK;
}
