/* room: signing */
/* Any bytes as a revocation list: issuer, leaf, list (DER or PEM).  An error has its cause, an answer that
 * counts is fresh. */
#include "parts.h"
#include "signing/pki/revocation.h"

#include "base/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    view rest = view_make(data, size);
    view issuer = part_take(&rest), leaf = part_take(&rest);
    struct revocation_answer a = {.status = REVOCATION_UNKNOWN};
    struct fault f;
    fault_init(&f);
    digest_start();
    instant at = instant_of_unix(1795284000);
    err e = crl_answer(rest, leaf, issuer, at, SPAN_DAYS(7), &a, &f);
    must((e == E_OK) == (f.code == E_OK) && e != E_INTERNAL);
    if (e == E_OK) {
        must(a.source == REVOCATION_CRL && a.status != REVOCATION_UNKNOWN);
        must(revocation_is_fresh(&a, at, SPAN_DAYS(7)));
        (void)revocation_counts_from(&a);
    }
    return 0;
}
