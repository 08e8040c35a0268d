/* Inside of the police adapter: the work on one record, shared by its files.  One thread, memory from the arena. */
#ifndef ADAPTERS_POLICE_INSIDE_H
#define ADAPTERS_POLICE_INSIDE_H

#include "adapters/police/codes.h"
#include "adapters/police/police.h"
#include "adapters/police/record.h"

#define POLICE_PARTY_SYSTEM "https://claimgate.tw/accident-party"
#define POLICE_KIND_SYSTEM "https://claimgate.tw/police/party-kind"

#define POLICE_PARTIES_MAX 256

/* One party of the form with what was made of it. */
struct form_party {
    int64_t seq;
    const struct node *node;
    view person;  /* local id, empty when the form names nobody */
    view line;    /* local id of the accident's party; empty in an inquest */
    view vehicle; /* local id */
};

struct form {
    const struct tree *t;
    const struct node *root;
    arena *mem;
    struct issues *issues;
    struct fault *f;
    struct reading *rd;
    struct claim_case *c;
    enum police_era era;
    const struct node *inquest; /* NULL when the record is none */
    view part, oid, handler, accident_no;
    view agency; /* local id of the writing agency's party */
    struct form_party *parties;
    size_t n_parties;
    bool failed; /* the arena is full */
};

/* -- leaves.c -- */
const struct node *form_member(const struct form *x, const struct node *owner, const char *name);
view form_value(const struct form *x, const struct node *owner, const char *name);
bool form_int(const struct form *x, const struct node *n, int64_t *ret);
void form_text(struct form *x, struct leaf_text *leaf, const struct node *n);
void form_word(struct leaf_text *leaf, const char *word, const struct node *n);
void form_ref(struct form *x, struct leaf_text *leaf, view id, const struct node *n);
void form_count(struct form *x, struct leaf_int *leaf, const struct node *n);
void form_decimal(struct form *x, struct leaf_decimal *leaf, const struct node *n);
void form_date(struct form *x, struct leaf_date *leaf, const struct node *n);
void form_time(struct form *x, struct leaf_time *leaf, const struct node *n);
/* Copies what is stated and adds what the table knows; a value that it does not know is kept, marked and noted. */
void form_code(struct form *x, struct case_police_code *out, enum police_column column, const struct node *n);
/* An issue at the place of n. */
void form_issue(struct form *x, enum issue_severity severity, err code, const struct node *n,
                const char *expected, const char *found);
/* NULL when no party has this number. */
struct form_party *form_party_of(struct form *x, int64_t seq);

/* -- parts of the interpretation -- */
err form_rules(struct form *x) MUST_USE;    /* rules.c: what the table cannot say */
err form_parties(struct form *x) MUST_USE;  /* parties.c: persons, vehicles, roles, lines of the accident */
err form_opinions(struct form *x) MUST_USE; /* opinions.c */
err form_inquest(struct form *x) MUST_USE;  /* opinions.c */

/* xml.c */
err police_read_xml(view bytes, arena *mem, struct tree *ret, struct fault *f) MUST_USE;

#endif
