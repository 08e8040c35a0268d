/* SHA-2 and HMAC over OpenSSL EVP, with the algorithm fetched once.  Failure of the library aborts:
 * these calls have no input that could make them fail.  Any thread; a struct sha256 belongs to one
 * thread. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/attr.h"
#include "base/view.h"

#include <stdint.h>

typedef struct digest {
    uint8_t b[32];
} digest;

/* Once, in main, before threads. */
void digest_start(void);

digest sha256(view bytes);
/* Several parts, as if one. */
digest sha256_parts(const view *parts, size_t n);
digest hmac_sha256(view key, view bytes);
digest hmac_sha256_parts(view key, const view *parts, size_t n);
/* All zero: not set. */
bool digest_is_none(const digest *d);
/* Constant time. */
bool digest_eq(const digest *a, const digest *b);
bool bytes_eq_secret(view a, view b);

struct sha256; /* streaming */
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *s, view bytes);
/* Also makes s ready for the next message. */
digest sha256_end(struct sha256 *s);
void sha256_free(struct sha256 *s);
DEFINE_AUTO(struct sha256 *, sha256_free)

static inline view
digest_view(const digest *d)
{
    return (view){(const char *)d->b, sizeof d->b};
}

#endif
