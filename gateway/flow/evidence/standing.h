/* What the gateway works by, each as an entry of the log when it changes: the program (and with it the tables of states, projections, views, codes and consent texts that
 * are compiled in), the FHIR profiles, the trust list, the rules on revocation and authority, the keys that sign, the TLS certificate and the settings.  The registry has its own leaves (registry_change.h).  So nobody can alter a rule for an hour
 * without a trace. */
#ifndef FLOW_STANDING_H
#define FLOW_STANDING_H

#include "flow/gateway.h"

/* Compares with what was noted last; one unit and one leaf for each that differs.  only: that kind; NULL: all but "tls", which is noted by whoever brought it into force. */
err standing_note(struct gateway *g, const char *only, struct fault *f) MUST_USE;

#endif
