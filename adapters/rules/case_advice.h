/* Motor rules applied to a case: what of its papers a compulsory insurer or the fund is asked for.
 *
 * Fills claims[].cali of one claim from the folded case: who answers (from the accident's parties and vehicles), each category of its victim's receipts with what counts of
 * it, what is left for the health insurance; and of the victim's grades on the compulsory scale what they make together (disability[].combined).  Advice: stated amounts stay beside, nothing is decided; what was paid before (claims[].cali.paid_before) counts; a claim that has a rule already keeps its section.  A vehicle of which
 * nobody says that it is not insured counts as insured; one that fled without a plate as unidentified.  One thread, memory from the case's arena. */
#ifndef ADAPTERS_RULES_CASE_ADVICE_H
#define ADAPTERS_RULES_CASE_ADVICE_H

#include "adapters/case.h"

/* A line of which these rules speak. */
bool motor_advises(const struct case_claim *claim);
/* victim: a party of the case.  E_TOO_LARGE.  Without an accident or the victim in it, nothing is filled. */
err motor_advise(struct claim_case *c, struct case_claim *claim, const struct case_party *victim, arena *mem)
    MUST_USE;

#endif
