/* What has been learned about revocation since the trust list was read: lists by issuer and OCSP answers by
 * certificate, already verified.  One book per process; it outlives trust lists, which come and go by reload.
 *
 * An answer older than the one that is held is refused: a replayed one must not bring back a good status.
 * Behind one lock; any thread.  Only the signing room includes this (trust.h has the doors). */
#ifndef SIGNING_REVOCATION_BOOK_H
#define SIGNING_REVOCATION_BOOK_H

#include "signing/pki/crl.h"

struct revocation_book;

struct revocation_book *revocation_book_new(void);
void revocation_book_free(struct revocation_book *b);
DEFINE_AUTO(struct revocation_book *, revocation_book_free)

/* Copies the response.  E_REVOCATION_ANSWER when a newer one is held. */
err revocation_book_put_status(struct revocation_book *b, const digest *fingerprint,
                               const struct revocation_answer *a, view response, struct fault *f) MUST_USE;
/* Takes the list, also on failure.  Another list of the same issuer and scope goes. */
err revocation_book_put_list(struct revocation_book *b, struct crl *take_list, struct fault *f) MUST_USE;
bool revocation_book_status(struct revocation_book *b, const digest *fingerprint,
                            struct revocation_answer *ret, digest *ret_id);
/* Calls fn for each list while the book is locked for reading. */
void revocation_book_lists(struct revocation_book *b, void (*fn)(void *self, const struct crl *c),
                           void *self);
/* The stored response about a certificate, copied; the empty view when there is none. */
view revocation_book_response(struct revocation_book *b, const digest *fingerprint, arena *mem);
/* Changes whenever something was learned that may concern this certificate. */
uint64_t revocation_book_epoch(struct revocation_book *b, const digest *fingerprint);

#endif
