/* Narrative.div as FHIR allows it (txt-1, txt-2): one div in the XHTML namespace, well-formed, formatting
 * elements only, no scripts or handlers, not empty, no link to a URN (the two last are said only when all else is
 * well).  One pass, no copies.  Pure function, any thread.
 * Inside this room only. */
#ifndef FHIR_XHTML_H
#define FHIR_XHTML_H

#include "base/view.h"

/* NULL when all is well, else what is expected: a constant. */
const char *xhtml_fault(view div);

#endif
