/* ES256 verification for keys that sign often.
 *
 * Of the point multiplication that a verification is, one half has the curve's own generator, for which OpenSSL holds a table; the other half has the
 * signer's key and is five times as dear.  For a key that has been used BUSY times the same table is made of its own point (150 KB, some tens of
 * milliseconds once), and both halves cost the same: 25 µs where EVP_PKEY_verify takes 60.  Everything here works on public values, so nothing needs to
 * be constant in time.  FIPS 186-5 section 6.4.2 is the whole of the algorithm; the arithmetic is OpenSSL's (points) and GMP's (numbers).
 *
 * A key is known by its point, whatever EVP_PKEY holds it.  Known keys are shared by all threads and counted; tables are bounded (TABLES of them), and
 * one that nobody holds gives way to another.  Any thread; a scratch belongs to one. */
#ifndef SIGNING_P256_H
#define SIGNING_P256_H

#include "base/attr.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

struct p256_key;
struct p256_scratch;

struct p256_scratch *p256_scratch_new(void);
void p256_scratch_free(struct p256_scratch *s);

/* A reference; NULL when the key is none of P-256 or when too many are held. */
struct p256_key *p256_key_hold(EVP_PKEY *pkey);
/* May be NULL. */
void p256_key_release(struct p256_key *k);

/* Counts a use, and makes the table when it is time for it.  False: there is none, verify otherwise. */
bool p256_key_is_busy(struct p256_key *k);
/* signature is r‖s; only for a busy key. */
bool p256_verify(const struct p256_key *k, struct p256_scratch *s, const uint8_t hash[32],
                 const uint8_t signature[64]) MUST_USE;

#endif
