/* Inside of the claimlink adapter: the work on one paper, shared by its files.  One thread, memory from the arena. */
#ifndef ADAPTERS_CLAIMLINK_INSIDE_H
#define ADAPTERS_CLAIMLINK_INSIDE_H

#include "adapters/claimlink/claimlink.h"

#define MOTOR_ORDER_SYSTEM "https://claimgate.tw/repair-order"

struct work {
    const struct tree *t;
    const struct node *root;
    arena *mem;
    struct issues *issues;
    struct fault *f;
    struct reading *rd;
    struct motor_paper *paper;
    struct claim_case *c;
    struct case_vehicle *vehicle; /* the paper's; NULL when it has none */
    bool failed;                  /* the arena is full */
};

/* -- leaves.c -- */
const struct node *work_member(const struct work *w, const struct node *owner, const char *name);
view work_value(const struct work *w, const struct node *owner, const char *name);
int64_t work_int(const struct work *w, const struct node *owner, const char *name, int64_t otherwise);
bool work_amount(const struct work *w, const struct node *n, decimal *ret);
void work_text(const struct work *w, struct leaf_text *leaf, const struct node *n);
void work_word(struct leaf_text *leaf, const char *word, const struct node *n);
void work_ref(struct work *w, struct leaf_text *leaf, view id, const struct node *n);
void work_count(const struct work *w, struct leaf_int *leaf, const struct node *n);
void work_bool(struct leaf_bool *leaf, const struct node *n);
void work_decimal(const struct work *w, struct leaf_decimal *leaf, const struct node *n);
void work_money(const struct work *w, struct case_money *m, const struct node *n);
void work_date(const struct work *w, struct leaf_date *leaf, const struct node *n);
void work_time(struct work *w, struct leaf_time *leaf, const struct node *n);
/* What was stated beside what it comes to; a finding E_SUM when they differ. */
void work_stated(struct work *w, struct case_stated_money *m, const struct node *stated, decimal recomputed);
void work_issue(struct work *w, enum issue_severity severity, err code, const struct node *n,
                const char *expected, const char *found);

/* -- people.c -- */
/* A person with names and numbers; adds keys to the reading.  Local id. */
err work_person(struct work *w, const struct node *n, bool is_subject, view *ret_id) MUST_USE;
/* An organisation by its 統一編號; the same party for the same code. */
err work_organisation(struct work *w, const struct node *code, const char *kind, view *ret_id) MUST_USE;
err work_role(struct work *w, view party, const char *word, view of, const struct node *n) MUST_USE;

/* -- the parts -- */
err work_filing(struct work *w) MUST_USE;     /* filing.c */
err work_damage(struct work *w) MUST_USE;     /* filing.c: damage and photos of the paper's vehicle */
err work_repair(struct work *w) MUST_USE;     /* repair.c: estimate, supplement, invoice, delivery */
err work_approval(struct work *w) MUST_USE;   /* repair.c */
err work_payment(struct work *w) MUST_USE;    /* money.c */
err work_settlement(struct work *w) MUST_USE; /* money.c */
err work_recourse(struct work *w) MUST_USE;   /* money.c */

#endif
