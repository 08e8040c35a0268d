/* What the gateway works by, each as an entry of the log when it changes: the program (and with it the tables of states, projections, views, codes and consent texts that
 * are compiled in), the FHIR profiles, the trust list and the settings.  The registry has its own leaves (registry_change.h).  So nobody can alter a rule for an hour
 * without a trace. */
#ifndef FLOW_STANDING_H
#define FLOW_STANDING_H

#include "flow/gateway.h"

/* Compares with what was noted last; one unit and one leaf for each that differs.  At start and after a reload. */
err standing_note(struct gateway *g, struct fault *f) MUST_USE;

#endif
