/* Revocation lists from files.  A list is taken only when one of the listed CAs signed it; indirect and
 * partial lists and lists with unknown critical extensions are refused at load, so that "not on the list"
 * always means something.  Immutable after reading, any thread.  Only the signing room includes this.  (RFC
 * 5280 section 5.) */
#ifndef SIGNING_CRL_H
#define SIGNING_CRL_H

#include "base/instant.h"
#include "signing/pki/certificate.h"
#include "signing/pki/revocation.h"

struct crl;

/* DER or PEM.  The issuer is looked for among the CAs.  E_REVOCATION_ANSWER, E_WEAK_DIGEST. */
err crl_read(view bytes, STACK_OF(X509) * cas, struct crl **ret, struct fault *f) MUST_USE;
/* The issuer is looked for among the CAs.  E_FILE, E_CONFIG. */
err crl_read_file(const char *file, STACK_OF(X509) * cas, struct crl **ret, struct fault *f) MUST_USE;
void crl_free(struct crl *c);
DEFINE_AUTO(struct crl *, crl_free)

/* Is it a list of x's issuer?  Then an entry for x counts, whatever part of the certificates the list is for.
 */
bool crl_knows(const struct crl *c, const X509 *x);
/* Does it speak for certificates like x, so that no entry means not revoked: same issuer, the list's scope
 * and distribution point. */
bool crl_covers(const struct crl *c, X509 *x);
/* SHA-256 of the list's own bytes. */
const digest *crl_id(const struct crl *c);
instant crl_this_update(const struct crl *c);
/* INSTANT_NONE when not stated. */
instant crl_next_update(const struct crl *c);
/* Two lists of one issuer for the same part of its certificates. */
bool crl_same_scope(const struct crl *a, const struct crl *b);
bool crl_is_newer(const struct crl *a, const struct crl *than);
/* Each entry: the issuer's name and the serial number as they stand in a certificate, and what is said. */
void crl_each(const struct crl *c,
              void (*fn)(void *self, view issuer, view serial, const struct revocation_answer *a),
              void *self);
/* Asked only when it knows x: its entry for x, or GOOD when there is none (which says something only when the
 * list covers x).  A list that has grown old still knows what it knew. */
void crl_say(const struct crl *c, X509 *x, struct revocation_answer *ret);

#endif
