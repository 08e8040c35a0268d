/* Status lists: one bit or a few per credential, compressed, signed by the issuer.
 *
 * Two formats that differ in everything: the Token Status List (draft-ietf-oauth-status-list; typ statuslist+jwt, 1, 2, 4 or
 * 8 bits, zlib, entry 0 in the least significant bits) and W3C's StatusList2021 as the Taiwan wallet signs it
 * (typ JWT, one bit, gzip in standard base64, entry 0 in the most significant bit; one list for revocation, one
 * for suspension).  A list read with the other's bit order answers for somebody else, so the order belongs to the list.
 *
 * A list lives in the arena it was read into.  Fetching and caching are the caller's.  Any thread. */
#ifndef SIGNING_STATUS_LIST_H
#define SIGNING_STATUS_LIST_H

#include "signing/jose/jws.h"

#define STATUS_LIST_BYTES_MAX ((size_t)16 << 20) /* unpacked */
#define STATUS_TOKEN_MAX ((size_t)10 << 20)

enum status_order { STATUS_LSB_FIRST, STATUS_MSB_FIRST };

struct status_list {
    view bytes;
    unsigned bits; /* 1, 2, 4, 8 */
    enum status_order order;
};

enum { STATUS_VALID, STATUS_INVALID, STATUS_SUSPENDED };

/* zlib, 1 to 8 bits, entry 0 lowest. E_STATUS_LIST. */
err status_list_unpack(view packed, unsigned bits, arena *mem, struct status_list *ret, struct fault *f)
    MUST_USE;
/* gzip, one bit, entry 0 highest. E_STATUS_LIST. */
err status_list2021_unpack(view packed, arena *mem, struct status_list *ret, struct fault *f) MUST_USE;
/* E_STATUS_INDEX beyond the list's end. */
err status_list_get(const struct status_list *l, uint64_t index, unsigned *ret, struct fault *f) MUST_USE;
/* What an entry means: E_OK, E_CREDENTIAL_REVOKED, E_CREDENTIAL_SUSPENDED, E_STATUS_VALUE. */
err status_judge(unsigned value, struct fault *f) MUST_USE;

struct status_signer {
    view uri; /* where the list was fetched from: the credential's own reference */
    void *pkey;
    enum jose_alg alg;
    instant now;
};

struct status_token {
    struct status_list list;
    instant expires; /* INSTANT_NONE when it does not say */
    int64_t ttl;     /* seconds, -1 when it does not say */
};

/* A statuslist+jwt. E_CREDENTIAL_TYP, E_ALGORITHM, E_SIGNATURE_MISMATCH, E_STATUS_SUBJECT (sub is not the uri),
 * E_CREDENTIAL_TIME, E_STATUS_LIST. */
err status_token_read(view compact, const struct status_signer *s, arena *mem, struct status_token *ret,
                      struct fault *f) MUST_USE;
/* The same of a StatusList2021Credential as a JWT; purpose "revocation" or "suspension". E_STATUS_SUBJECT also when the
 * list is of the other purpose. */
err status_list2021_read(view compact, const struct status_signer *s, view purpose, arena *mem,
                         struct status_token *ret, struct fault *f) MUST_USE;

#endif
