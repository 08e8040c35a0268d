/* jansson's values through one wrapper, for configuration, JOSE headers, JWKS, tokens and what we mint on
 * the plain JSON surface.  The text is read by json_tree.h, so that both kinds of document obey one grammar
 * (duplicate names refused, depth ≤ 64, UTF-8, no NUL), and jansson's own parser is not used.  Numbers with
 * a point or an exponent become doubles: signed documents and money stay with json_tree.h.  Values with
 * request lifetime are put on the arena.  One thread per value. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#include <jansson.h>

/* Once, in main, before threads: seeds jansson's hash from the kernel, so that colliding names cannot be
 * prepared. Members keep the order of insertion whatever the seed. */
void json_start(void);
void json_decref_fn(void *json);
void json_free(json_t *json);
DEFINE_AUTO(json_t *, json_free)

/* Any value; it is deferred on mem.  The errors of tree_read_json with position; E_OUT_OF_RANGE for an
 * integer beyond int64_t or a number beyond a double. */
err json_load(view text, arena *mem, json_t **ret, struct fault *f) MUST_USE;
/* Compact, member order as inserted, doubles in their shortest form.  E_TOO_LARGE when out is full, E_JSON_DEPTH
 * for a value deeper than 64. */
err json_dump(const json_t *json, struct buf *out) MUST_USE;
/* Into the arena; {NULL,0} on failure. */
view json_dump_arena(const json_t *json, arena *mem);

/* Typed getters; absent or of another type → the empty view, fallback, NULL. */
view json_text(const json_t *object, const char *name);
int64_t json_int(const json_t *object, const char *name, int64_t fallback);
bool json_bool(const json_t *object, const char *name, bool fallback);
const json_t *json_member(const json_t *object, const char *name);
/* NULL when text is no UTF-8. */
json_t *json_text_new(view text);

#endif
