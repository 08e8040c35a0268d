/* JWS in JSON form, flattened and general (RFC 7515 7.2, RFC 7797 4).
 *
 * Each signature becomes the same struct jws_parts that a compact JWS gives, so that there is one verifier.  What a
 * signature means comes from its protected header alone: alg must stand there, a name may not stand in both headers,
 * and of the unprotected header only kid is read, as a hint.  Any thread. */
#ifndef SIGNING_JWS_JSON_H
#define SIGNING_JWS_JSON_H

#include "signing/jose/jws.h"

struct jws_entry {
    err code; /* E_OK, or why this signature cannot be used; parts are valid only with E_OK */
    struct fault fault;
    struct jws_parts parts;
};

struct jws_list {
    struct jws_entry entry[SIGNATURES_MAX];
    size_t n;
};

/* A key that may have signed: its pinned algorithm (ALG_NONE: any that fits the key) and, where it has one, its id. */
struct jws_key {
    view kid;
    enum jose_alg alg;
    void *pkey;
};

/* Whether the text is JSON rather than compact: its first byte is a brace. */
bool jws_is_json(view text);
/* E_SIGNATURE_FORM for a text that is neither form, E_TOO_LARGE; what is wrong with one signature stands in its entry. */
err jws_json_split(view json, arena *mem, struct jws_list *ret, struct fault *f) MUST_USE;
/* One must hold: a signature by a key that is known (same id, or the only ones that fit where either has none) has to
 * verify, one by a key or algorithm that is not known here is passed over.  Writes for each entry whether it held.
 * When none held: the code of the first signature that failed. */
err jws_json_verify(const struct jws_list *list, view payload, const struct jws_key *keys, size_t n_keys,
                    arena *mem, bool ret_held[SIGNATURES_MAX], struct fault *f) MUST_USE;

#endif
