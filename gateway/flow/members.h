/* Members of a small JSON request: unknown ones and wrong types are refused, not ignored, as openapi/gateway.yaml promises (additionalProperties: false).  A member
 * that is ignored may be one that the caller counts on.  Any thread. */
#ifndef FLOW_MEMBERS_H
#define FLOW_MEMBERS_H

#include "base/err.h"
#include "base/json.h"

/* known: NULL-ended words "s:name" (string), "i:name" (integer), "a:name" (array), "o:name" (object).  E_SCHEMA with the pointer of a known member; an unknown member's name is
 * not repeated, it may hold anything. */
err members_only(const json_t *json, const char *const *known, struct fault *f) MUST_USE;

#endif
