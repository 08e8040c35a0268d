/* Quantities and their units: calendar words, and units of UCUM (https://ucum.org) made of the usual atoms, metric
 * prefixes, exponents, '.' and '/'.  What is not understood is comparable with the same text only.
 * Values, no memory, any thread. */
#ifndef FHIR_PATH_UNIT_H
#define FHIR_PATH_UNIT_H

#include "fhir/path/number.h"

struct quantity {
    struct number value;
    view unit;     /* "1" when it has none */
    bool calendar; /* a word (day), not a code */
};

/* *ret_order as number_compare; false when the two can't be compared. */
bool quantity_compare(const struct quantity *a, const struct quantity *b, int *ret_order);
/* b in the unit of a; false when that can't be done. */
bool quantity_convert(const struct quantity *b, view unit, bool calendar, struct number *ret);
/* The unit of a product or a quotient, written to out; false when it gets too long. */
#define UNIT_TEXT 128
bool unit_join(view a, view b, bool divide, char out[UNIT_TEXT], view *ret);

#endif
