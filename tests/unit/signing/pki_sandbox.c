#include "sandbox.h"

#include <time.h>

#include "base/deterministic.h"
#include "base/text.h"
#include "signing/pki/certificate.h"

Test(pki_sandbox, every_party_has_its_files)
{
    static const char *const endings[] = {".crt", ".key", ".chain.pem"};
    for (size_t i = 0; i < sandbox_parties_count; i++)
        for (size_t k = 0; k < 3; k++) {
            char name[80];
            struct stat st;
            snprintf(name, sizeof name, "%s%s", sandbox_parties[i].name, endings[k]);
            cr_assert(stat(in_sandbox(name), &st) == 0, "%s", name);
            if (k == 1)
                cr_assert((st.st_mode & 0777) == 0400, "%s has mode %o", name, st.st_mode & 0777);
        }
}

Test(pki_sandbox, operators_have_bare_keys)
{
    struct stat st;
    cr_assert(stat(in_sandbox("op1.key"), &st) == 0 && stat(in_sandbox("op2.key"), &st) == 0);
    cr_assert(stat(in_sandbox("op1.crt"), &st) != 0);
}

Test(pki_sandbox, certificates_say_what_the_table_says)
{
    AUTO(arena_free) arena *mem = test_arena();
    for (size_t i = 0; i < sandbox_parties_count; i++) {
        const struct sandbox_party *p = &sandbox_parties[i];
        view der = certificate_der(p->name, mem);
        struct signer s;
        cr_assert(certificate_read(der, mem, &s, NULL, NULL) == E_OK);
        cr_expect(s.subject == p->subject, "%s", p->name);
        cr_expect(view_eq(s.organisation, view_of(p->organisation)), "%s: %.*s", p->name,
                  VIEW_ARG(s.organisation));
        cr_expect(view_eq(s.licence, view_of(p->licence)), "%s", p->name);
        bool is_organisation = p->organisation[0] && p->subject != SUBJECT_PERSON;
        cr_expect(view_eq(s.common_name, is_organisation ? view_of(p->common_name) : V("")), "%s: %.*s",
                  p->name, VIEW_ARG(s.common_name));
    }
}

static unsigned
digit_sum(unsigned n)
{
    return n / 10 + n % 10;
}

Test(pki_sandbox, numbers_pass_their_own_checks_and_begin_with_99)
{
    static const unsigned hospital_weights[] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 1};
    static const unsigned company_weights[] = {1, 2, 1, 2, 1, 2, 4, 1};
    for (size_t i = 0; i < sandbox_parties_count; i++) {
        const struct sandbox_party *p = &sandbox_parties[i];
        unsigned sum = 0;
        if (p->subject == SUBJECT_HOSPITAL) {
            cr_assert(strlen(p->organisation) == 10);
            for (size_t k = 0; k < 10; k++)
                sum += (unsigned)(p->organisation[k] - '0') * hospital_weights[k];
            cr_expect(sum % 10 == 0, "%s", p->name);
        } else if (p->subject == SUBJECT_COMPANY) {
            cr_assert(strlen(p->organisation) == 8);
            for (size_t k = 0; k < 8; k++)
                sum += digit_sum((unsigned)(p->organisation[k] - '0') * company_weights[k]);
            cr_expect(sum % 10 == 0, "%s", p->name);
        }
        if (p->organisation[0] && p->subject != SUBJECT_PERSON)
            cr_expect(strstr(p->organisation, "99") <= p->organisation + 1, "%s", p->name);
    }
}

Test(pki_sandbox, index_lists_every_certificate)
{
    view index = read_whole(in_sandbox("index.json"));
    for (size_t i = 0; i < sandbox_parties_count; i++) {
        char name[80];
        snprintf(name, sizeof name, "{\"name\": \"%s\",", sandbox_parties[i].name);
        cr_expect(view_find(index, view_of(name)) < index.n, "%s", sandbox_parties[i].name);
    }
    free((void *)index.p);
}

Test(pki_sandbox, a_folder_in_use_is_left_alone)
{
    struct fault f;
    fault_init(&f);
    digest_start();
    cr_assert(pki_sandbox_make(sandbox_dir(), &f) == E_FILE);
    cr_assert(strstr(f.where, "root.key") != NULL, "%s", f.where);
}

static X509 *
certificate_in(const char *dir, const char *name)
{
    char path[1024];
    STACK_OF(X509) *list = NULL;
    snprintf(path, sizeof path, "%s/%s.crt", dir, name);
    cr_assert(certificates_read_pem(path, &list, NULL) == E_OK, "%s", path);
    X509 *x = sk_X509_shift(list);
    certificate_stack_free(list);
    return x;
}

Test(pki_sandbox, serials_and_times_follow_the_seed)
{
    char dir[2][64] = {"/tmp/claimgate-sandbox-XXXXXX", "/tmp/claimgate-sandbox-XXXXXX"};
    struct fault f;
    fault_init(&f);
    for (int i = 0; i < 2; i++) {
        deterministic_start(7);
        cr_assert(mkdtemp(dir[i]) && pki_sandbox_make(dir[i], &f) == E_OK, "%s", f.where);
    }
    for (size_t i = 0; i < sandbox_parties_count; i++) {
        X509 *a = certificate_in(dir[0], sandbox_parties[i].name),
             *b = certificate_in(dir[1], sandbox_parties[i].name);
        cr_expect(ASN1_INTEGER_cmp(X509_get_serialNumber(a), X509_get_serialNumber(b)) == 0, "%s",
                  sandbox_parties[i].name);
        cr_expect(ASN1_TIME_compare(X509_get0_notAfter(a), X509_get0_notAfter(b)) == 0);
        cr_expect(ASN1_TIME_compare(X509_get0_notBefore(a), X509_get0_notBefore(b)) == 0);
        cr_expect(EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) != 1, "keys are always new");
        X509_free(a);
        X509_free(b);
    }
    folder_remove(dir[0]);
    folder_remove(dir[1]);
}

Test(pki_sandbox, is_made_within_three_seconds_of_work)
{
    char dir[] = "/tmp/claimgate-sandbox-XXXXXX";
    struct fault f;
    fault_init(&f);
    digest_start();
    cr_assert(mkdtemp(dir));
    clock_t before = clock();
    cr_assert(pki_sandbox_make(dir, &f) == E_OK, "%s", f.where);
    double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    folder_remove(dir);
    cr_assert(seconds < 3.0, "%f", seconds);
}
