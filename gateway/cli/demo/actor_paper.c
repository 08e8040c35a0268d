#include "cli/demo/actor.h"

#include "cli/sample/sign.h"

static const char *
signer_at(const struct actor *a, size_t i)
{
    return json_string_value(json_array_get(json_member(a->step, "sign"), i));
}

/* -- kinds of papers -- */

static err
plain(struct actor *a, struct paper *ret, struct fault *f)
{
    (void)f;
    ret->media = "application/json";
    ret->body = json_dump_arena(json_member(a->step, "body"), a->p.mem);
    return ret->body.p ? E_OK : E_TOO_LARGE;
}

static err
application(struct actor *a, struct paper *ret, struct fault *f)
{
    struct application_signers by = {.n_co = 0};
    const char *stem;
    TRY(plain(a, ret, f));
    TRY(party_pem(&a->p, signer_at(a, 0), "key", &by.key));
    TRY(party_pem(&a->p, signer_at(a, 0), "crt", &by.certificate));
    for (; by.n_co < CO_SIGNERS_MAX && (stem = signer_at(a, by.n_co + 1)); by.n_co++) {
        TRY(party_pem(&a->p, stem, "key", &by.co_keys[by.n_co]));
        TRY(party_pem(&a->p, stem, "crt", &by.co_certificates[by.n_co]));
    }
    return application_sign(&by, ret->body, a->p.mem, &ret->body, f);
}

static err
hospital(struct actor *a, struct paper *ret, struct fault *f)
{
    ret->media = "application/fhir+json";
    return actor_hospital_paper(json_member(a->step, "body"), json_text(a->step, "as"), a->p.mem, &ret->body,
                                f);
}

static const struct kind {
    const char *as;
    err (*make)(struct actor *a, struct paper *ret, struct fault *f);
    bool inside; /* the signatures are in the body */
} kinds[] = {
    {"", plain, false},           {"application", application, true}, {"certificate", hospital, false},
    {"receipt", hospital, false}, {"report", hospital, false},        {"disability", hospital, false},
};

err
actor_paper(struct actor *a, struct paper *ret, struct fault *f)
{
    view as = json_text(a->step, "as");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!view_eq(view_of(kinds[i].as), as))
            continue;
        TRY(kinds[i].make(a, ret, f));
        if (kinds[i].inside || !signer_at(a, 0))
            return E_OK;
        ret->headers[ret->n_headers].name = "X-JWS-Signature";
        return party_sign(&a->p, signer_at(a, 0), ret->body, true, &ret->headers[ret->n_headers++].value, f);
    }
    return fault_set(f, E_USAGE, "/as", "a kind of paper", "another word");
}
