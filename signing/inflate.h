/* Compressed bytes from outside, unpacked under a ceiling (RFC 1950, RFC 1952).
 *
 * The ceiling is on what comes out: deflate packs 1,032 to 1 at best, so what goes in bounds nothing.  One stream
 * that ends with the input; a second member or trailing bytes are refused, since another reader might take them for
 * something.  Any thread. */
#ifndef SIGNING_INFLATE_H
#define SIGNING_INFLATE_H

#include "base/arena.h"
#include "base/err.h"

enum inflate_form { INFLATE_ZLIB, INFLATE_GZIP };

/* E_COMPRESSION (no such stream, damaged, something behind it), E_TOO_LARGE (more than `most` bytes). */
err inflate_bytes(view packed, enum inflate_form form, size_t most, arena *mem, view *ret, struct fault *f)
    MUST_USE;

#endif
