/* PEM blocks of vector files, as the bytes they stand for.  Text between blocks is passed over. */
#ifndef CONFORMANCE_PEM_H
#define CONFORMANCE_PEM_H

#include "base/arena.h"
#include "base/json.h"

/* Takes the next block off *rest; false when there is none (or one that is no base64). */
bool pem_next(view *rest, arena *mem, view *ret_label, view *ret_der);
/* All blocks with that label, at most max; the number found. */
size_t pem_all(view text, const char *label, arena *mem, view *ret, size_t max);
/* Base64 over several lines without the frame. */
bool pem_body(view text, arena *mem, view *ret_der);
/* The nth text of an array; empty when it is none. */
view text_at(const json_t *array, size_t i);

#endif
