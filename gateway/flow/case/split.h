/* The undo of a wrong join.  When two cases are found to be one, the older id survives and what the younger one held is remembered; an operator's signed word gives it
 * back.  What came after the join stays with the older case, and so does the paper that joined them; numbers that only the younger case had find only it
 * again.  Every insurer of either case is told ("case.split", no content). */
#ifndef FLOW_SPLIT_H
#define FLOW_SPLIT_H

#include "flow/gateway.h"

/* What the younger case holds now, for the row that the join writes. */
err split_remember(struct reader *r, uid younger, uid older, arena *mem, view *ret) MUST_USE;

/* jws: compact, embedded payload {"split":"case-…"} by an enrolled operator; the case is the one that leads to another.  One operator, at once: it only tightens.
 * ret_json: {"case","from","documents","claims"}.  E_OPERATOR, E_NOT_FOUND when it was not joined. */
err case_split(struct gateway *g, view jws, arena *mem, view *ret_json, struct fault *f) MUST_USE;

#endif
