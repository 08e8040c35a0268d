/* The inside of view.h: one evaluation of a view over one case.  One thread. */
#ifndef ADAPTERS_VIEW_EVAL_H
#define ADAPTERS_VIEW_EVAL_H

#include "adapters/case_graph.h"
#include "adapters/view.h"

struct view_memo {
    const void *element;
    bool may;
};

struct view_eval {
    arena *mem;
    const struct claim_case *c;
    struct graph_source refs; /* ids of c */
    const struct view_request *request;
    const struct case_claim *claim;     /* NULL: none */
    const struct case_party *subject;   /* NULL: none */
    const struct case_party *recipient; /* NULL: none */
    struct graph_map visible;           /* leaf → itself */
    struct graph_map kept;              /* element → itself */
    struct graph_map
        referenced; /* organisations that something shown refers to; signers of certificates that are shown */
    bool *documents_may; /* by index: facts of this document may be shown */
    size_t n_documents;
    struct view_memo memo[PREDICATE_COUNT];
};

/* Does the view's rule let the leaf at this place pass?  POINTER is judged in view.c. */
bool view_may(struct view_eval *v, enum view_predicate predicate, const struct case_place *at);
/* The element that a reference names, NULL when none. */
const void *view_target(const struct view_eval *v, const struct leaf_text *reference);
/* Facts of the document may be shown under this request. */
bool view_document_may(const struct view_eval *v, const struct case_document *d);

#endif
