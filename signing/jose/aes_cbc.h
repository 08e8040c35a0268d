/* AES-256 in CBC mode, alone (PKCS #7 padding, no integrity: only for what a signature covers) and with HMAC-SHA-512 as
 * JOSE's A256CBC-HS512 (RFC 7518 5.2.5).  For formats of others that ask for it; what we seal ourselves goes through
 * box.h.  Any thread. */
#ifndef SIGNING_AES_CBC_H
#define SIGNING_AES_CBC_H

#include "base/arena.h"
#include "base/err.h"

#define AES_CBC_KEY 32
#define AES_CBC_IV 16
#define CBC_HMAC_KEY 64
#define CBC_HMAC_TAG 32

/* E_SIGNATURE_MISMATCH when it does not open: whether by length, key or padding is not said. */
err aes_cbc_open(view key, view iv, view text, arena *mem, view *ret_plain) MUST_USE;
err aes_cbc_seal(view key, view iv, view plain, arena *mem, view *ret_text) MUST_USE;

/* The tag is compared, in constant time, before anything is decrypted. E_SIGNATURE_MISMATCH. */
err cbc_hmac_open(view key, view iv, view aad, view text, view tag, arena *mem, view *ret_plain) MUST_USE;
err cbc_hmac_seal(view key, view iv, view aad, view plain, arena *mem, view *ret_text, view *ret_tag)
    MUST_USE;

#endif
