/* The path and the query of a request target, percent-decoded once and never again.
 *
 * A segment is decoded after the cut at '/', so that an encoded slash cannot become a separator; what decodes
 * to a slash, a backslash, NUL, a control byte, "." or ".." is refused, since a proxy in front may have read
 * it otherwise. Pure; results live in the arena or are views of raw.  One thread per arena. */
#ifndef HTTP_PATH_H
#define HTTP_PATH_H

#include "base/arena.h"
#include "base/err.h"

#define PATH_SEGMENTS_MAX 10

struct path {
    view segments[PATH_SEGMENTS_MAX];
    size_t n; /* PATH_SEGMENTS_MAX + 1 when there are more */
};

/* raw begins with '/'.  E_WIRE for bytes outside RFC 3986 pchar, %00, %2F, %5C, control bytes, "." and "..",
 * bad UTF-8.  Segments without a percent sign stay views of raw. */
err path_split(view raw, arena *mem, struct path *ret, struct fault *f) MUST_USE;
/* Percent-decoding of a query value ('+' is a space); {NULL,0} when it is malformed or mem is full. */
view query_decode(view raw, arena *mem);

#endif
