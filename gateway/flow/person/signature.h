/* A compact JWS by a person, judged like any signature: one signature over its embedded payload, chain, time, revocation.  One request's thread and arena. */
#ifndef FLOW_PERSON_SIGNATURE_H
#define FLOW_PERSON_SIGNATURE_H

#include "flow/gateway.h"
#include "signing/verify.h"

/* The verdict's outcome when the signature does not hold. */
err signature_judge(struct gateway *g, view compact, instant now, arena *mem, struct verdict **ret,
                    view *ret_payload, struct fault *f) MUST_USE;

#endif
