/* Who may sign what, from the MAY_SIGN rows of signing.def.  What has no row is refused. */
#include "signing/verify.h"

static const struct may_sign {
    enum document_kind kind;
    enum trust_use use;
    enum subject_kind subject;
} may_sign[] = {
#define MAY_SIGN(kind, use, subject) {KIND_##kind, USE_##use, SUBJECT_##subject},
#include "signing/signing.def"
#undef MAY_SIGN
};

static bool
has_row(enum document_kind kind, enum trust_use use, enum subject_kind subject)
{
    for (size_t i = 0; i < COUNT_OF(may_sign); i++)
        if (may_sign[i].kind == kind && may_sign[i].use == use && may_sign[i].subject == subject)
            return true;
    return false;
}

static err
refuse_kind(const struct signer *s, enum document_kind kind, struct fault *f)
{
    return fault_setf(f, E_SIGNER_WRONG_KIND, "a certificate that the authority table allows", "another kind",
                      "signer: %s/%s for %s", trust_use_word(s->use), subject_word(s->subject),
                      document_kind_word(kind));
}

err
authority_check(const struct signer *s, enum document_kind kind, view author, bool listed, struct fault *f)
{
    if (!has_row(kind, s->use, s->subject))
        return refuse_kind(s, kind, f);
    switch (s->subject) {
    case SUBJECT_PERSON:
        /* A person stands for himself: whose application it is, the caller compares with the party. */
        return E_OK;
    case SUBJECT_PROFESSIONAL:
        if (!listed)
            return fault_set(f, E_PROFESSIONAL_NOT_LISTED, "signer", "a licence on the author's signed list",
                             "licence not listed");
        return E_OK;
    case SUBJECT_HOSPITAL:
    case SUBJECT_AGENCY:
    case SUBJECT_COMPANY:
        break;
    default:
        return refuse_kind(s, kind, f);
    }
    if (author.n == 0 || s->organisation.n == 0 || !view_eq(author, s->organisation))
        return fault_set(f, E_SIGNER_WRONG_ORG, "signer.organisation", "the author's organisation code",
                         s->organisation.n == 0 ? "no organisation in the certificate"
                                                : "another organisation");
    return E_OK;
}
