/* The three forms in which an error leaves the gateway: OperationOutcome, RFC 9457 problem+json, RFC 6749
 * error object.  Internal to the http room; same thread as the request. */
#ifndef HTTP_ERROR_BODY_H
#define HTTP_ERROR_BODY_H

#include "http/http.h"

#define ERROR_BODY_MAX (1024 * 1024)

/* Appends the body and returns its media type (a constant). */
const char *error_body(const struct request *rq, err e, enum surface surface, struct buf *out);

#endif
