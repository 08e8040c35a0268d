#include "signing/verify.h"

#include <criterion/criterion.h>

/* The public words are part of verdicts and of the API: they never change. */
Test(words, are_the_published_ones)
{
    cr_expect_str_eq(trust_use_word(USE_HCA), "hca");
    cr_expect_str_eq(trust_use_word(USE_TSA), "tsa");
    cr_expect_str_eq(subject_word(SUBJECT_PROFESSIONAL), "professional");
    cr_expect_str_eq(document_kind_word(KIND_ACCIDENT_PART), "accident-part");
    cr_expect_str_eq(jose_alg_word(ALG_ED25519), "Ed25519");
    cr_expect_str_eq(jose_alg_word(ALG_EDDSA), "EdDSA");
    cr_expect_str_eq(sig_format_word(SIG_XMLDSIG), "xmldsig");
    cr_expect_str_eq(evidence_level_word(LEVEL_CACHED_WITHIN_GRACE), "cached-within-grace");
    cr_expect_str_eq(evidence_level_word(LEVEL_REGISTERED_KEY), "registered-key");
}

Test(words, every_value_has_one)
{
    for (int i = 0; i < USE_COUNT; i++)
        cr_expect(trust_use_word((enum trust_use)i)[0]);
    for (int i = 0; i < SUBJECT_COUNT; i++)
        cr_expect(subject_word((enum subject_kind)i)[0]);
    for (int i = 0; i < ALG_COUNT; i++)
        cr_expect(jose_alg_word((enum jose_alg)i)[0]);
    for (int i = LEVEL_REFUSED; i <= LEVEL_REGISTERED_KEY; i++)
        cr_expect(evidence_level_word((enum evidence_level)i)[0]);
}

Test(words, kinds_go_both_ways)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        enum document_kind k = (enum document_kind)i;
        cr_expect(document_kind_of(view_of(document_kind_word(k))) == k);
    }
    cr_expect(document_kind_of(V("")) == KIND_COUNT);
    cr_expect(document_kind_of(V("Certificate")) == KIND_COUNT);
    cr_expect(document_kind_of(V("certificat")) == KIND_COUNT);
}

Test(words, what_is_outside_has_the_empty_word)
{
    cr_expect_str_eq(trust_use_word(USE_COUNT), "");
    cr_expect_str_eq(subject_word(SUBJECT_COUNT), "");
    cr_expect_str_eq(document_kind_word(KIND_COUNT), "");
    cr_expect_str_eq(jose_alg_word(ALG_COUNT), "");
}
