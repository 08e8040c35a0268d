#include "signing/verify.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* Written out a second time on purpose: an edit of the table must be meant. */
static const char *const allowed[] = {
    "accident-part gca agency",     "application moica person",  "certificate hca hospital",
    "certificate hca professional", "claim-bundle hca hospital", "decision moeaca company",
    "decision twca company",        "inquest gca agency",        "permission moica person",
    "other hca hospital",           "other hca professional",    "receipt hca hospital",
    "report hca hospital",          "report hca professional",
};

static bool
is_allowed(enum document_kind kind, enum trust_use use, enum subject_kind subject)
{
    char cell[80];
    snprintf(cell, sizeof cell, "%s %s %s", document_kind_word(kind), trust_use_word(use),
             subject_word(subject));
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        if (strcmp(cell, allowed[i]) == 0)
            return true;
    return false;
}

/* What must come out for a cell, by the rules of the header. */
static err
expected(enum document_kind kind, enum trust_use use, enum subject_kind subject, bool same_org, bool listed)
{
    if (!is_allowed(kind, use, subject))
        return E_SIGNER_WRONG_KIND;
    if (subject == SUBJECT_PERSON)
        return E_OK;
    if (subject == SUBJECT_PROFESSIONAL)
        return listed ? E_OK : E_PROFESSIONAL_NOT_LISTED;
    return same_org ? E_OK : E_SIGNER_WRONG_ORG;
}

/* kind × use × subject × (author is the signer's organisation?) × (listed?), with one cell beyond each enum.
 */
Test(authority, every_cell)
{
    size_t cells = 0, good = 0;
    for (int kind = 0; kind <= KIND_COUNT; kind++)
        for (int use = 0; use <= USE_COUNT; use++)
            for (int subject = 0; subject <= SUBJECT_COUNT; subject++)
                for (int flags = 0; flags < 4; flags++) {
                    struct signer s = {.use = (enum trust_use)use,
                                       .subject = (enum subject_kind)subject,
                                       .organisation = V("9901010016")};
                    bool same = flags & 1, listed = flags & 2;
                    view author = same ? V("9901010016") : V("9901020021");
                    struct fault f;
                    fault_init(&f);
                    err e = authority_check(&s, (enum document_kind)kind, author, listed, &f);
                    cr_assert(e == expected((enum document_kind)kind, s.use, s.subject, same, listed),
                              "kind %d use %d subject %d flags %d: %s", kind, use, subject, flags,
                              err_info(e)->code);
                    cr_assert(f.code == e);
                    cells++;
                    good += e == E_OK;
                }
    cr_assert(cells == (size_t)(KIND_COUNT + 1) * (USE_COUNT + 1) * (SUBJECT_COUNT + 1) * 4);
    /* 9 rows of organisations pass with 2 of 4 flags, 3 of professionals with 2, 2 of persons with all. */
    cr_assert(good == 9 * 2 + 3 * 2 + 2 * 4, "%zu", good);
}

static const struct organisation_case {
    const char *signer, *author;
    err outcome;
} organisation_cases[] = {
    {"9901010016", "9901010016", E_OK},
    {"9901010016", "9901020021", E_SIGNER_WRONG_ORG},
    {"9901010016", "990101001", E_SIGNER_WRONG_ORG},
    {"9901010016", "99010100166", E_SIGNER_WRONG_ORG},
    {"9901010016", "", E_SIGNER_WRONG_ORG},
    {"", "9901010016", E_SIGNER_WRONG_ORG},
    {"", "", E_SIGNER_WRONG_ORG}, /* two absences are not an agreement */
};

Test(authority, organisations_must_be_stated_and_equal)
{
    for (size_t i = 0; i < COUNT_OF(organisation_cases); i++) {
        const struct organisation_case *c = &organisation_cases[i];
        struct signer s = {.use = USE_HCA, .subject = SUBJECT_HOSPITAL, .organisation = view_of(c->signer)};
        cr_expect(authority_check(&s, KIND_RECEIPT, view_of(c->author), true, NULL) == c->outcome, "%s / %s",
                  c->signer, c->author);
        s.organisation = VIEW_NONE;
        cr_expect(authority_check(&s, KIND_RECEIPT, VIEW_NONE, true, NULL) == E_SIGNER_WRONG_ORG);
    }
}

/* The confusions that the rule is made for (each is a cell of the matrix, named for the reader). */
Test(authority, confusions)
{
    struct signer doctor = {.use = USE_HCA, .subject = SUBJECT_PROFESSIONAL};
    struct signer hospital = {.use = USE_HCA, .subject = SUBJECT_HOSPITAL, .organisation = V("9901010016")};
    struct signer police = {.use = USE_GCA, .subject = SUBJECT_AGENCY, .organisation = V("A99010001K")};
    struct signer tls = {.use = USE_PRIVATE, .subject = SUBJECT_HOSPITAL, .organisation = V("9901010016")};
    cr_expect(authority_check(&doctor, KIND_RECEIPT, V("9901010016"), true, NULL) == E_SIGNER_WRONG_KIND);
    cr_expect(authority_check(&hospital, KIND_ACCIDENT_PART, V("9901010016"), true, NULL) ==
              E_SIGNER_WRONG_KIND);
    cr_expect(authority_check(&hospital, KIND_PERMISSION, V("9901010016"), true, NULL) ==
              E_SIGNER_WRONG_KIND);
    cr_expect(authority_check(&police, KIND_CERTIFICATE, V("A99010001K"), true, NULL) == E_SIGNER_WRONG_KIND);
    cr_expect(authority_check(&tls, KIND_CERTIFICATE, V("9901010016"), true, NULL) == E_SIGNER_WRONG_KIND);
}

Test(authority, the_fault_names_the_cell_and_no_person)
{
    struct signer s = {.use = USE_GCA,
                       .subject = SUBJECT_AGENCY,
                       .organisation = V("A99010001K"),
                       .licence = V("9900000011110001")};
    struct fault f;
    fault_init(&f);
    cr_assert(authority_check(&s, KIND_RECEIPT, V("A99010001K"), false, &f) == E_SIGNER_WRONG_KIND);
    cr_expect_str_eq(f.where, "signer: gca/agency for receipt");
    cr_expect(strstr(f.found, "9900000011110001") == NULL);
}
