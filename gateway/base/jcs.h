/* RFC 8785 canonical JSON of a tree.  Only for what we mint and for partners' profiles that demand it: a
 * signed document is stored and verified as bytes (JCS would turn FHIR's 12.50 into 12.5).  Any thread. */
#ifndef BASE_JCS_H
#define BASE_JCS_H

#include "base/buf.h"
#include "base/json_tree.h"

/* Writes the node.  Members of n itself, not of what is inside, whose name stands in skip (n_skip views) are
 * left out (CDex: id, meta, signature).  E_TOO_LARGE when out is full, E_OUT_OF_RANGE for a number that a
 * double cannot hold. */
err jcs_write(const struct tree *t, const struct node *n, const view *skip, size_t n_skip, struct buf *out)
    MUST_USE;
/* ECMAScript text of a double (finite). */
view jcs_number(double value, char out[40]);
/* Whether the canonical text of a number says the same value as the text: a double holds some 17 digits, and
 * what is behind them a signature over the canonical form would not cover. */
bool jcs_is_exact(view text);
/* The double nearest to a number as written; false when it is no number, not finite or longer than 4096
 * characters. */
bool jcs_double(view text, double *ret);

#endif
