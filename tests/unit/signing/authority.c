#include "signing/trust/authority.h"
#include "base/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Written out a second time on purpose: an edit of the table must be meant. */
static const char *const allowed[] = {
    "accident-part gca agency",
    "application moica person",
    "household-extract gca agency",
    "certificate hca hospital",
    "certificate hca professional",
    "claim-bundle hca hospital",
    "decision moeaca company",
    "decision twca company",
    "inquest gca agency",
    "permission moica person",
    "other hca hospital",
    "other hca professional",
    "receipt hca hospital",
    "report hca hospital",
    "report hca professional",
    "motor-filing moica person",
    "motor-repair moeaca company",
    "motor-approval moeaca company",
    "motor-approval twca company",
    "cali-answer moeaca company",
    "cali-answer twca company",
    "cali-denial moeaca company",
    "cali-denial twca company",
    "motor-settlement moica person",
    "motor-settlement moeaca company",
    "motor-settlement twca company",
    "motor-recourse moeaca company",
    "motor-recourse twca company",
    "representation gca agency",
    "representation moica person",
    "representation moeaca company",
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
                    err e =
                        authority_check(NULL, &s, (enum document_kind)kind, author, listed, (instant){0}, &f);
                    cr_assert(e == expected((enum document_kind)kind, s.use, s.subject, same, listed),
                              "kind %d use %d subject %d flags %d: %s", kind, use, subject, flags,
                              err_info(e)->code);
                    cr_assert(f.code == e);
                    cells++;
                    good += e == E_OK;
                }
    cr_assert(cells == (size_t)(KIND_COUNT + 1) * (USE_COUNT + 1) * (SUBJECT_COUNT + 1) * 4);
    /* 23 rows of organisations pass with 2 of 4 flags, 3 of professionals with 2, 5 of persons with all. */
    cr_assert(good == 23 * 2 + 3 * 2 + 5 * 4, "%zu", good);
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
        cr_expect(authority_check(NULL, &s, KIND_RECEIPT, view_of(c->author), true, (instant){0}, NULL) ==
                      c->outcome,
                  "%s / %s", c->signer, c->author);
        s.organisation = VIEW_NONE;
        cr_expect(authority_check(NULL, &s, KIND_RECEIPT, VIEW_NONE, true, (instant){0}, NULL) ==
                  E_SIGNER_WRONG_ORG);
    }
}

/* The confusions that the rule is made for (each is a cell of the matrix, named for the reader). */
Test(authority, confusions)
{
    struct signer doctor = {.use = USE_HCA, .subject = SUBJECT_PROFESSIONAL};
    struct signer hospital = {.use = USE_HCA, .subject = SUBJECT_HOSPITAL, .organisation = V("9901010016")};
    struct signer police = {.use = USE_GCA, .subject = SUBJECT_AGENCY, .organisation = V("A99010001K")};
    struct signer tls = {.use = USE_PRIVATE, .subject = SUBJECT_HOSPITAL, .organisation = V("9901010016")};
    cr_expect(authority_check(NULL, &doctor, KIND_RECEIPT, V("9901010016"), true, (instant){0}, NULL) ==
              E_SIGNER_WRONG_KIND);
    cr_expect(authority_check(NULL, &hospital, KIND_ACCIDENT_PART, V("9901010016"), true, (instant){0},
                              NULL) == E_SIGNER_WRONG_KIND);
    cr_expect(authority_check(NULL, &hospital, KIND_PERMISSION, V("9901010016"), true, (instant){0}, NULL) ==
              E_SIGNER_WRONG_KIND);
    cr_expect(authority_check(NULL, &police, KIND_CERTIFICATE, V("A99010001K"), true, (instant){0}, NULL) ==
              E_SIGNER_WRONG_KIND);
    cr_expect(authority_check(NULL, &tls, KIND_CERTIFICATE, V("9901010016"), true, (instant){0}, NULL) ==
              E_SIGNER_WRONG_KIND);
}

Test(authority, the_fault_names_the_cell_and_no_person)
{
    struct signer s = {.use = USE_GCA,
                       .subject = SUBJECT_AGENCY,
                       .organisation = V("A99010001K"),
                       .licence = V("9900000011110001")};
    struct fault f;
    fault_init(&f);
    cr_assert(authority_check(NULL, &s, KIND_RECEIPT, V("A99010001K"), false, (instant){0}, &f) ==
              E_SIGNER_WRONG_KIND);
    cr_expect_str_eq(f.where, "signer: gca/agency for receipt");
    cr_expect(strstr(f.found, "9900000011110001") == NULL);
}

/* -- rules from a file -- */

static err
load(const char *text, struct authority_rules **ret, struct fault *f)
{
    char path[] = "/tmp/claimgate-authority-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    json_start();
    fault_init(f);
    err e = authority_rules_load(path, ret, f);
    unlink(path);
    return e;
}

/* What no file may allow, written out a second time too. */
static bool
is_lawful(enum document_kind kind, enum trust_use use, enum subject_kind subject)
{
    switch (kind) {
    case KIND_ACCIDENT_PART:
    case KIND_INQUEST:
    case KIND_HOUSEHOLD:
        return use == USE_GCA && subject == SUBJECT_AGENCY;
    case KIND_APPLICATION:
    case KIND_PERMISSION:
        return subject == SUBJECT_PERSON;
    case KIND_REPRESENTATION:
        return (use == USE_GCA && subject == SUBJECT_AGENCY) || subject == SUBJECT_PERSON ||
               subject == SUBJECT_COMPANY;
    case KIND_DECISION:
    case KIND_CALI_ANSWER:
    case KIND_CALI_DENIAL:
        return subject == SUBJECT_COMPANY;
    case KIND_RECEIPT:
        return use == USE_HCA && subject == SUBJECT_HOSPITAL;
    case KIND_CERTIFICATE:
        return use == USE_HCA && (subject == SUBJECT_HOSPITAL || subject == SUBJECT_PROFESSIONAL);
    default:
        return true;
    }
}

/* A file of one rule opens its one cell and shuts all others, or is refused as unlawful. */
Test(authority, every_cell_of_a_file)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int use = 0; use < USE_COUNT; use++)
            for (int subject = 0; subject <= SUBJECT_PERSON; subject++) {
                AUTO(authority_rules_unref) struct authority_rules *rules = NULL;
                char text[200];
                struct fault f;
                snprintf(text, sizeof text,
                         "{\"rules\":[{\"kind\":\"%s\",\"use\":\"%s\",\"subject\":\"%s\"}]}",
                         document_kind_word((enum document_kind)kind), trust_use_word((enum trust_use)use),
                         subject_word((enum subject_kind)subject));
                err e = load(text, &rules, &f);
                bool lawful = use != USE_TSA && is_lawful((enum document_kind)kind, (enum trust_use)use,
                                                          (enum subject_kind)subject);
                cr_assert(e == (lawful ? E_OK : E_CONFIG), "%s: %s", text, f.where);
                for (int other = 0; e == E_OK && other < KIND_COUNT * USE_COUNT * SUBJECT_COUNT; other++) {
                    struct signer s = {.use = (enum trust_use)(other / KIND_COUNT % USE_COUNT),
                                       .subject = (enum subject_kind)(other / KIND_COUNT / USE_COUNT),
                                       .organisation = V("9901010016")};
                    bool same = other % KIND_COUNT == kind && (int)s.use == use && (int)s.subject == subject;
                    err said = authority_check(rules, &s, (enum document_kind)(other % KIND_COUNT),
                                               s.organisation, true, (instant){1}, NULL);
                    cr_assert(said == (same ? E_OK : E_SIGNER_WRONG_KIND), "%s: cell %d", text, other);
                }
            }
}

Test(authority, a_rule_for_some_organisations_and_some_time)
{
    AUTO(authority_rules_unref) struct authority_rules *rules = NULL;
    struct fault f;
    static const char text[] = "{\"rules\":[{\"kind\":\"inquest\",\"use\":\"gca\",\"subject\":\"agency\","
                               "\"organisations\":[\"A9911*\",\"A12\"],"
                               "\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"2027-01-01T00:00:00Z\"},"
                               "{\"kind\":\"certificate\",\"use\":\"hca\",\"subject\":\"professional\","
                               "\"organisations\":[\"99*\"]}]}";
    cr_assert(load(text, &rules, &f) == E_OK, "%s %s", f.where, f.expected);
    static const struct {
        const char *organisation, *at;
        err code;
    } cases[] = {
        {"A99110001J", "2026-06-01T00:00:00Z", E_OK},
        {"A12", "2026-01-01T00:00:00Z", E_OK},
        {"A123", "2026-06-01T00:00:00Z", E_SIGNER_WRONG_ORG},
        {"A99010001K", "2026-06-01T00:00:00Z", E_SIGNER_WRONG_ORG},
        {"", "2026-06-01T00:00:00Z", E_SIGNER_WRONG_ORG},
        {"A99110001J", "2025-12-31T23:59:59Z", E_SIGNER_WRONG_KIND},
        {"A99110001J", "2027-01-01T00:00:00Z", E_SIGNER_WRONG_KIND},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct signer s = {
            .use = USE_GCA, .subject = SUBJECT_AGENCY, .organisation = view_of(cases[i].organisation)};
        instant at;
        cr_assert(instant_parse(view_of(cases[i].at), &at, NULL) == E_OK);
        cr_expect(authority_check(rules, &s, KIND_INQUEST, s.organisation, false, at, NULL) == cases[i].code,
                  "case %zu", i);
    }
    /* A professional's certificate names no organisation: the author is whom the rule names. */
    struct signer doctor = {.use = USE_HCA, .subject = SUBJECT_PROFESSIONAL};
    cr_expect(authority_check(rules, &doctor, KIND_CERTIFICATE, V("9901010016"), true, (instant){1}, NULL) ==
              E_OK);
    cr_expect(authority_check(rules, &doctor, KIND_CERTIFICATE, V("8801010016"), true, (instant){1}, NULL) ==
              E_SIGNER_WRONG_ORG);
    cr_expect(authority_check(rules, &doctor, KIND_CERTIFICATE, V("9901010016"), false, (instant){1}, NULL) ==
              E_PROFESSIONAL_NOT_LISTED);
}

Test(authority, bad_files_are_refused_with_their_place)
{
    static const struct {
        const char *text, *place;
    } cases[] = {
        {"{\"rules\":[]}", ""},
        {"{\"rules\":{}}", ""},
        {"{\"rules\":[{\"kind\":\"receipt\",\"use\":\"hca\",\"subject\":\"hospital\"}],\"more\":1}", ""},
        {"{\"rules\":[{\"kind\":\"x\",\"use\":\"hca\",\"subject\":\"hospital\"}]}", "rules[0].kind"},
        {"{\"rules\":[{\"kind\":\"receipt\",\"use\":\"x\",\"subject\":\"hospital\"}]}", "rules[0].use"},
        {"{\"rules\":[{\"kind\":\"receipt\",\"use\":\"hca\",\"subject\":\"unknown\"}]}", "rules[0].subject"},
        {"{\"rules\":[{\"kind\":\"receipt\",\"use\":\"hca\",\"subject\":\"hospital\",\"who\":1}]}",
         "rules[0].who"},
        {"{\"rules\":[{\"kind\":\"receipt\",\"use\":\"hca\",\"subject\":\"hospital\",\"organisations\":[]}]}",
         "rules[0].organisations"},
        {"{\"rules\":[{\"kind\":\"receipt\",\"use\":\"hca\",\"subject\":\"hospital\",\"organisations\":[\"9*"
         "9\"]}]}",
         "rules[0].organisations"},
        {"{\"rules\":[{\"kind\":\"receipt\",\"use\":\"hca\",\"subject\":\"hospital\",\"from\":\"soon\"}]}",
         "rules[0].from"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct authority_rules *rules = NULL;
        struct fault f;
        cr_expect(load(cases[i].text, &rules, &f) == E_CONFIG && strstr(f.where, cases[i].place), "%zu: %s",
                  i, f.where);
        cr_expect(rules == NULL);
    }
    struct authority_rules *none = NULL;
    cr_expect(authority_rules_load("/nowhere/rules.json", &none, NULL) == E_FILE);
}
