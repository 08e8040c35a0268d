/* What a request may bring as body: media type against the route's row, length against its ceiling, the byte
 * budget of the whole process, and Content-Digest.  All but the digest is decided on the head, before any
 * body byte is read.
 *
 * Pure functions over views; the budget is an atomic that any thread may use. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "base/digest.h"
#include "base/err.h"
#include "http/guard.h"
#include "http/http.h"

#include <stdatomic.h>

#define MEDIA_TEXT_SIZE 96

struct media_type {
    char text[MEDIA_TEXT_SIZE]; /* type/subtype in lower case */
    size_t n;
    unsigned bit;       /* enum media; MEDIA_ANY when it is none that the gateway reads */
    bool is_utf8;       /* no charset or UTF-8 */
    bool is_other_fhir; /* fhirVersion other than 4.0 */
};

/* E_MEDIA_TYPE when it is no media type (RFC 9110 8.3.1). */
err media_parse(view content_type, struct media_type *ret) MUST_USE;
/* Content-Encoding, Content-Type and length against the row, on the head alone.  has_body tells whether body
 * bytes follow. */
err body_check_head(const struct guard *g, const struct route *route, struct media_type *media,
                    bool *ret_has_body, struct fault *f) MUST_USE;
/* E_CONTENT_DIGEST when the value is malformed or its sha-256 differs; other algorithms are left alone (RFC
 * 9530). */
err body_check_digest(view content_digest, const digest *body, struct fault *f) MUST_USE;

struct budget {
    _Atomic int64_t used;
    _Atomic int64_t ceiling;
};

/* False when the ceiling would be passed. */
bool budget_take(struct budget *b, int64_t n) MUST_USE;
void budget_give(struct budget *b, int64_t n);

#endif
