/* Heirs who apply against heirs whom the household office names: whichever paper comes first, the other is held against it.
 *
 * An application of other people than the extract's heirs is refused (heirs-differ); an extract that names others than those who have applied is accepted, and says so as a finding
 * (hold: a person decides).  Heirs are the same people where a number of theirs is.  One thread; memory from the request's arena. */
#ifndef FLOW_PERSON_HEIRS_H
#define FLOW_PERSON_HEIRS_H

#include "store/store.h"

struct filing;  /* application_inside.h */
struct passage; /* flow/intake/intake.h */
struct joined;  /* flow/case/join.h */

/* documents: of the case that the application joins.  E_HEIRS_DIFFER. */
err heirs_check_application(const struct filing *w, struct reader *r, const struct row_document *documents)
    MUST_USE;
/* An extract on its way into a case: applications that are there.  May add a finding to its facts. */
err heirs_check_extract(struct passage *p, struct reader *r, const struct joined *found) MUST_USE;

#endif
