/* room: signing */
/* Any bytes as a detached CMS signature over the body below.  What is taken apart must point into its own
 * bytes and be inside its bounds; what verifies must verify again after OpenSSL has read and written it, and
 * must not verify over another body. */
#include "signing/cms/cms_message.h"

#include "base/digest.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <stdlib.h>

#define FUZZ_BODY "{\"resourceType\":\"Bundle\",\"text\":\"claimgate\"}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static void
must_be_inside(view part, view whole)
{
    must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

/* Only for DER: a message in BER points into its re-encoded copy. */
static void
check_parts(const struct cms_message *m, view whole)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct cms_info *info = &m->info[i];
        const view parts[] = {info->attributes, info->message_digest,         info->certificate_id,
                              info->signature,  info->signer.certificate_der, info->signer.issuer_serial};
        for (size_t k = 0; k < COUNT_OF(parts); k++)
            must_be_inside(parts[k], whole);
        for (size_t k = 0; k < info->signer.n_rest; k++)
            must_be_inside(info->signer.rest_der[k], whole);
    }
}

static void
check_message(const struct cms_message *m)
{
    must(m->n > 0 && m->n <= SIGNATURES_MAX);
    for (size_t i = 0; i < m->n; i++) {
        const struct cms_info *info = &m->info[i];
        must(info->signer.n_rest <= COUNT_OF(info->signer.rest_der));
        must((info->weak_nid != 0) == (info->signer.alg == ALG_NONE));
        must((info->attributes.n > 0) == (info->message_digest.n > 0));
    }
}

static view
written_again(view der, arena *mem)
{
    const unsigned char *p = (const unsigned char *)der.p;
    CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    unsigned char *out = NULL;
    int n = c ? i2d_CMS_ContentInfo(c, &out) : 0;
    view again = n > 0 ? arena_dup(mem, view_make(out, (size_t)n)) : VIEW_NONE;
    OPENSSL_free(out);
    CMS_ContentInfo_free(c);
    ERR_clear_error();
    return again;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    view der = view_make(data, size);
    struct cms_message m;
    struct cms_signer signer[SIGNATURES_MAX], other[SIGNATURES_MAX];
    size_t n = 0, n_other = 0;
    struct fault f;
    fault_init(&f);
    digest_start();
    arena *mem = arena_new(1 << 20);
    err e = cms_read(der, mem, &m, &f);
    must((e == E_OK) == (f.code == E_OK));
    if (e == E_OK) {
        check_message(&m);
        if (m.info[0].signature.p >= der.p && m.info[0].signature.p < der.p + der.n)
            check_parts(&m, der);
    }
    if (e == E_OK && cms_verify_detached(der, V(FUZZ_BODY), NULL, NULL, mem, signer, &n, NULL) == E_OK) {
        must(n == m.n);
        must(cms_verify_detached(der, V(FUZZ_BODY " "), NULL, NULL, mem, other, &n_other, NULL) != E_OK);
        view again = written_again(der, mem);
        if (again.n > 0)
            must(cms_verify_detached(again, V(FUZZ_BODY), NULL, NULL, mem, other, &n_other, NULL) == E_OK &&
                 n_other == n);
    }
    arena_free(mem);
    return 0;
}
