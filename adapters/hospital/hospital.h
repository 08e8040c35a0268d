/* Hospitals: signed FHIR document Bundles to facts of a case.  Our own profile (fhir/profiles: certificate, receipt as Invoice, report) and iClaim as it is (leniently, with
 * findings: DOMAIN D4, D5, D6, D22).  See adapter.h for what an adapter may do. */
#ifndef ADAPTERS_HOSPITAL_H
#define ADAPTERS_HOSPITAL_H

#include "adapters/adapter.h"

/* Lenient reading: in a document that is not of our own profiles, an error of form at an element that nothing
 * here reads becomes a finding; code, place, expected and found stay (reads.def is the rule). */
void hospital_excuse(const struct bundle *b, struct issues *issues);
/* Does a fact of the case rest on this node, on something in it, or on what it stands in? */
bool hospital_reads(const struct tree *t, const struct node *n);
/* The bundle is indexed and validated already, and has no error. */
err hospital_interpret(const struct bundle *b, arena *mem, struct issues *issues, struct reading *ret,
                       struct fault *f) MUST_USE;

#endif
