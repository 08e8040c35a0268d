#include "signing/verify.h"

static const char *const use_words[USE_COUNT] = {
#define TRUST_USE(id, word) [USE_##id] = (word),
#include "signing/signing.def"
#undef TRUST_USE
};

static const char *const subject_words[SUBJECT_COUNT] = {
#define SUBJECT(id, word, oid, attribute) [SUBJECT_##id] = (word),
#include "signing/signing.def"
#undef SUBJECT
};

static const char *const kind_words[KIND_COUNT] = {
#define DOCUMENT_KIND(id, word) [KIND_##id] = (word),
#include "signing/signing.def"
#undef DOCUMENT_KIND
};

static const char *const alg_words[ALG_COUNT] = {
    [ALG_NONE] = "none",
#define ALGORITHM(id, name, key, md, bits) [ALG_##id] = (name),
#include "signing/signing.def"
#undef ALGORITHM
};

static const char *const level_words[] = {
    [LEVEL_REFUSED] = "refused",
    [LEVEL_PENDING] = "pending",
    [LEVEL_CACHED_WITHIN_GRACE] = "cached-within-grace",
    [LEVEL_VERIFIED_CRL] = "verified-crl",
    [LEVEL_VERIFIED_OCSP] = "verified-ocsp",
    [LEVEL_REGISTERED_KEY] = "registered-key",
};

static const char *const format_words[] = {
    [SIG_CMS] = "cms",
    [SIG_JWS] = "jws",
    [SIG_XMLDSIG] = "xmldsig",
    [SIG_BUNDLE] = "bundle-signature",
};

static const char *const check_words[CHECK_COUNT] = {
    [CHECK_SIGNATURE] = "signature",
    [CHECK_CHAIN] = "chain",
    [CHECK_TIME] = "time",
    [CHECK_AUTHORITY] = "authority",
};

/* "" for a value that stands in no table, so that a printer never gets NULL. */
static const char *
word_at(const char *const *words, size_t n, size_t i)
{
    return i < n && words[i] ? words[i] : "";
}

const char *
trust_use_word(enum trust_use u)
{
    return word_at(use_words, COUNT_OF(use_words), (size_t)u);
}

const char *
subject_word(enum subject_kind s)
{
    return word_at(subject_words, COUNT_OF(subject_words), (size_t)s);
}

const char *
document_kind_word(enum document_kind k)
{
    return word_at(kind_words, COUNT_OF(kind_words), (size_t)k);
}

enum document_kind
document_kind_of(view word)
{
    for (size_t i = 0; i < COUNT_OF(kind_words); i++)
        if (view_eq(word, view_of(kind_words[i])))
            return (enum document_kind)i;
    return KIND_COUNT;
}

const char *
jose_alg_word(enum jose_alg a)
{
    return word_at(alg_words, COUNT_OF(alg_words), (size_t)a);
}

const char *
sig_format_word(enum sig_format f)
{
    return word_at(format_words, COUNT_OF(format_words), (size_t)f);
}

const char *
check_word(enum check_kind c)
{
    return word_at(check_words, COUNT_OF(check_words), (size_t)c);
}

const char *
evidence_level_word(enum evidence_level l)
{
    if (l == LEVEL_UNSIGNED)
        return "unsigned";
    return word_at(level_words, COUNT_OF(level_words), (size_t)l);
}
