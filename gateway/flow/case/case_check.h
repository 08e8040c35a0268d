/* The invariants of cases (adapters/invariants.def) over what is stored, for operators and audits.  Each case is folded and looked at; nothing is
 * written and nothing is decided.  Never on the way of a request: a round over all cases is an audit.  Any thread. */
#ifndef FLOW_CASE_CHECK_H
#define FLOW_CASE_CHECK_H

#include "flow/gateway.h"

#define CASE_CHECK_PAGE 200

/* One case: {"case","findings":[{"code","severity","rule","pointer","expected","found","text":{"zh","en"}}]}.  E_NOT_FOUND. */
err case_check_one(struct gateway *g, case_id id, arena *mem, view *ret_json, struct fault *f) MUST_USE;
/* A page of CASE_CHECK_PAGE cases, newest first, older than `before` ("": from the newest):
 * {"checked":n,"next":"case-…","data":[those that have findings]}; no next: that was the last.  A case that cannot be read is
 * {"case","error"} among them: one bad case hides no other. */
err case_check_page(struct gateway *g, view before, arena *mem, view *ret_json, struct fault *f) MUST_USE;

#endif
