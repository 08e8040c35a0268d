/* Sealing bytes with a symmetric key: AES-256-GCM boxes and AES-256 key wrap with OpenSSL, algorithms fetched once.
 *
 * A box is nonce(12) ‖ ciphertext ‖ tag(16) with a random nonce; the additional data binds it to its place.  Key wrap is RFC 3394 (a wrapped 32-byte key is 40
 * bytes).  Any thread. */
#ifndef SIGNING_BOX_H
#define SIGNING_BOX_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

#define BOX_OVERHEAD 28
#define WRAPPED_KEY_SIZE 40

/* E_TOO_LARGE when the arena is full. */
err box_seal(const uint8_t key[32], view aad, view plain, arena *mem, view *ret) MUST_USE;
/* E_STORE_CORRUPT when the tag does not fit. */
err box_open(const uint8_t key[32], view aad, view box, arena *mem, view *ret) MUST_USE;
void key_wrap(const uint8_t kek[32], const uint8_t key[32], uint8_t ret[WRAPPED_KEY_SIZE]);
/* E_STORE_CORRUPT when the check value does not fit. */
err key_unwrap(const uint8_t kek[32], view wrapped, uint8_t ret[32]) MUST_USE;
/* Forgets secret bytes so that the compiler cannot drop it. */
void box_forget(void *secret, size_t n);

#endif
