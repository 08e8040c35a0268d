/* Hospitals: signed FHIR document Bundles to facts of a case.  Our own profile (fhir/profiles: certificate, receipt as Invoice, report) and iClaim as it is (leniently, with
 * findings: DOMAIN D4, D5, D6, D22).  See adapter.h for what an adapter may do. */
#ifndef ADAPTERS_HOSPITAL_H
#define ADAPTERS_HOSPITAL_H

#include "adapters/adapter.h"

/* The bundle is indexed and validated already. */
err hospital_interpret(const struct bundle *b, arena *mem, struct issues *issues, struct reading *ret,
                       struct fault *f) MUST_USE;

#endif
