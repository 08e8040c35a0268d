/* room: signing */
/* Any bytes as a certificate, DER or PEM.  What is read has one encoding and one fingerprint, texts that can
 * be shown, and gives the same facts when its DER is read again. */
#include "signing/pki/certificate.h"
#include "signing/trust/trust.h"

#include "base/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static void
must_be_shown(view text)
{
    must(text_is_utf8(text, NULL));
    for (size_t i = 0; i < text.n; i++)
        must((unsigned char)text.p[i] >= 0x20 && text.p[i] != 0x7f);
}

static void
check(const struct signer *s, view der, arena *mem)
{
    struct signer again;
    view same;
    must_be_shown(s->organisation);
    must_be_shown(s->licence);
    must_be_shown(s->common_name);
    digest fingerprint = sha256(der);
    must(digest_eq(&fingerprint, &s->fingerprint));
    must(certificate_read(der, mem, &again, &same, NULL) == E_OK && view_eq(same, der));
    must(digest_eq(&again.spki, &s->spki) && again.subject == s->subject);
    must(view_eq(again.organisation, s->organisation) && view_eq(again.licence, s->licence));
    must(s->subject < SUBJECT_COUNT);
    must(s->common_name.n == 0 || s->licence.n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct signer s;
    struct fault f;
    view der;
    fault_init(&f);
    digest_start();
    arena *mem = arena_new(1 << 20);
    err e = certificate_read(view_make(data, size), mem, &s, &der, &f);
    must((e == E_OK) == (f.code == E_OK));
    if (e == E_OK)
        check(&s, der, mem);
    arena_free(mem);
    return 0;
}
