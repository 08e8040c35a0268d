/* Who drove claims compulsory insurance from the other vehicles, never from his own (強保法 13, 理賠辦法 14): an application that a police record in the same case
 * contradicts is refused.  Where the record comes later, the claim's projection has the finding own-cali (adapters/rules/case_advice.h).  One thread. */
#ifndef FLOW_OWN_CALI_H
#define FLOW_OWN_CALI_H

#include "flow/person/application_inside.h"

/* documents: of the cases that the application joins.  E_OWN_CALI with the item's place. */
err own_cali_check(const struct filing *w, struct reader *r, const struct row_document *documents) MUST_USE;

#endif
