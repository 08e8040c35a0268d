/* room: signing */
/* Any bytes as an OCSP response to a question: issuer, leaf, response.  An error has its cause, an answer that
 * counts is fresh, and the same bytes say the same again. */
#include "parts.h"
#include "signing/pki/revocation.h"

#include "base/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    view rest = view_make(data, size);
    view issuer = part_take(&rest), leaf = part_take(&rest);
    struct ocsp_question q = {.leaf = leaf, .issuer = issuer, .max_age = SPAN_DAYS(7)};
    struct revocation_answer a = {.status = REVOCATION_UNKNOWN}, again = a;
    struct fault f;
    fault_init(&f);
    digest_start();
    /* The corpus was made at this time; what is fresh then must be reachable. */
    q.at = instant_of_unix(1795284000);
    err e = ocsp_answer(rest, &q, &a, &f);
    must((e == E_OK) == (f.code == E_OK) && e != E_INTERNAL);
    must(ocsp_answer(rest, &q, &again, NULL) == e);
    if (e == E_OK && leaf.n > 0)
        must(a.source == REVOCATION_OCSP && revocation_is_fresh(&a, q.at, q.max_age) &&
             again.status == a.status);
    return 0;
}
