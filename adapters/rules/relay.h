/* Claims that a first insurer takes in and others get forwarded: when payment waits for the original papers.  Dated data (relay.def), advice with its number; constant, any thread. */
#ifndef ADAPTERS_RULES_RELAY_H
#define ADAPTERS_RULES_RELAY_H

#include "base/instant.h"
#include "base/view.h"

#include <stdbool.h>

struct relay_rule {
    const char *number;
    int32_t since;       /* YYYYMMDD */
    int64_t above;       /* NT$: more than this waits */
    int days;            /* for the papers to arrive */
    const char *text[2]; /* by enum lang */
};
/* In force on a day; NULL before all rules. */
const struct relay_rule *relay_rule_on(date on);
/* May a claim of this line be forwarded? */
bool relay_has_line(view line);

#endif
