/* Narrative.div as FHIR allows it (txt-1, txt-2): one div in the XHTML namespace, well-formed, formatting
 * elements only, no scripts or handlers, not empty, no link to a URN (the two last are said only when all else is
 * well).  One pass, no copies.  Pure function, any thread.
 * Inside this room only. */
#ifndef FHIR_XHTML_H
#define FHIR_XHTML_H

#include "base/view.h"

/* What a caller wants to know of a narrative beside its faults. */
struct xhtml_look {
    view language;       /* in: the language of the section that is looked for; empty: of any */
    bool has_section;    /* an element right below the root has this language */
    bool unsourced;      /* a text stands in no element whose class names its source */
    bool has_local_link; /* a link begins with # */
    /* Each id and name, and each local link without its #; may be NULL. */
    void (*mark)(void *self, bool link, view name);
    void *self;
};

/* NULL when all is well, else what is expected: a constant.  look may be NULL; it is whole when there is no fault. */
const char *xhtml_fault(view div, struct xhtml_look *look);

#endif
