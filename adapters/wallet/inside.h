/* What the files of the wallet adapter share. */
#ifndef ADAPTERS_WALLET_INSIDE_H
#define ADAPTERS_WALLET_INSIDE_H

#include "adapters/wallet/wallet.h"

#define WALLET_SKEW SPAN_SECONDS(30)
#define WALLET_BINDING_WINDOW SPAN_SECONDS(120)

static inline void
wallet_passed(struct wallet_result *r, enum wallet_check c)
{
    r->checks |= 1u << c;
}

/* Check 1: the request waits for an answer. */
err wallet_check_waiting(const struct wallet_request *rq, instant now, struct fault *f) MUST_USE;
/* Check 7: the key for a token of this issuer, by its header.  jku and x5u are compared, never followed. */
err wallet_issuer_key(const struct wallet_issuers *all, view id, const struct jws_parts *jwt, arena *mem,
                      const struct wallet_issuer **ret_issuer, const struct wallet_key **ret_key,
                      struct fault *f) MUST_USE;
/* Checks 14, 23, 24: type, claims asked for, person.  subject: where the claims stand. */
err wallet_check_type(const struct wallet_issuer *i, const struct wallet_request *rq, bool is_of_type,
                      struct fault *f) MUST_USE;
err wallet_claims_take(const struct wallet_request *rq, const json_t *subject, arena *mem,
                       struct wallet_result *ret, struct fault *f) MUST_USE;
/* Checks 4 to 13 passed together. */
void wallet_passed_sd_jwt(struct wallet_result *r);
bool wallet_host_is_pinned(const struct wallet_issuer *i, view url);
bool wallet_has_text(const json_t *array, view text);

/* did_key.c: did:key of a P-256 key as the Taiwan wallet writes it: base58btc of 0xD1D603 and the canonical JWK. E_HOLDER_KEY. */
err did_key_read(view did, arena *mem, void **ret_pkey, enum jose_alg *ret_alg, struct fault *f) MUST_USE;

#endif
