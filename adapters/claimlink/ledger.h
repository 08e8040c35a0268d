/* The ledger of a filing's repairs: which version of the estimate is in force, what insurers took over of it, what was invoiced and paid.
 *
 * Made from the facts of the filing's papers (current ones, in the order of receipt); says whether a further paper follows on them.  Versions are optimistic: an
 * estimate is the next version, a supplement the next of the present version, an approval names the version and supplement that it answers; whatever comes late, twice or
 * out of order is refused with the code of its cause.  Amounts are compared and noted, never corrected.  Pure; one thread; memory from the arena. */
#ifndef ADAPTERS_CLAIMLINK_LEDGER_H
#define ADAPTERS_CLAIMLINK_LEDGER_H

#include "adapters/claimlink/claimlink.h"

struct order_expense {
    const struct case_expense *expense;
    decimal total;
    struct order_expense *next;
};

struct order_approval {
    const struct case_approval *approval;
    decimal amount, payable;
    struct order_approval *next;
};

struct order_payment {
    view insurer, line;
    decimal amount;
    struct order_payment *next;
};

/* One shop, one vehicle. */
struct repair_order {
    view shop, plate; /* 統一編號; plate as first written */
    view plate_key, order_no;
    int64_t version, supplement; /* in force; 0 = none */
    struct order_expense *estimates, *supplements;
    const struct case_expense *invoice;
    decimal invoiced;
    struct order_approval *approvals; /* of the version in force */
    struct order_payment *payments;
    bool is_delivered;
    struct repair_order *next;
};

/* What an insurer paid on a line for a vehicle, to whomever, and what it asks back of another. */
struct ledger_sum {
    view insurer, line, plate_key;
    view against, kind; /* of a recourse */
    decimal amount;
    struct ledger_sum *next;
};

struct ledger {
    arena *mem;
    struct ledger_sum *paid, *asked;
    struct repair_order *orders;
};

void ledger_init(struct ledger *l, arena *mem);
/* Facts of other papers are passed over.  E_TOO_LARGE. */
err ledger_add(struct ledger *l, const struct claim_case *facts) MUST_USE;
const struct repair_order *ledger_order(const struct ledger *l, view shop, view plate);
/* Does the paper follow?  E_REPAIR_*, E_ESTIMATE_VERSION; differing amounts become findings. */
err ledger_admit(const struct ledger *l, const struct motor_paper *p, struct issues *issues, struct fault *f)
    MUST_USE;

/* "assigned", "estimated", "approved" (estimate and all supplements of the version in force), "invoiced", "paid", "delivered" */
const char *order_state(const struct repair_order *o);
/* One order as a JSON object: versions, approvals, invoice, payments, what is open. */
void order_print(const struct repair_order *o, struct buf *out);

#endif
