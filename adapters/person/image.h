/* A paper that nobody signed, as a picture: a receipt of a taxi or a carer, a photo of the scene.  The person's app says what it shows; the picture itself is an attachment.
 *
 *   {"case":"case-…","person":{"identifiers":[{"system","value"}],"name"?,"birth_date"?},"kind":"receipt|scene|vehicle|injury|other","sha256":"…",
 *    "receipt":{"kind":"transport|nursing|device|funeral|other","no"?,"issued":"YYYY-MM-DD","lines":[{"text","category"?,"units"?,"amount"}],"total"?}}
 *
 * All of it is an assertion (`evidence`: asserted) of who sent it; sums are recomputed beside what was stated, as everywhere.  One thread, memory from the arena. */
#ifndef ADAPTERS_PERSON_IMAGE_H
#define ADAPTERS_PERSON_IMAGE_H

#include "adapters/adapter.h"

struct image_paper {
    view in_case;              /* as written */
    view sha256;               /* of the picture, lower-case hex */
    struct person_key *person; /* whom it is for */
    struct case_image *image;  /* in the facts: the handle and the kind of file are flow's to say */
    struct claim_case *facts;
};

/* E_SCHEMA with the place. */
err image_read(const struct tree *t, arena *mem, struct image_paper *ret, struct fault *f) MUST_USE;

#endif
