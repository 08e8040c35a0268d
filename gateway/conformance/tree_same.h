/* Whether two trees hold the same document: members in any order, texts as they are.  One thread. */
#ifndef CONFORMANCE_TREE_SAME_H
#define CONFORMANCE_TREE_SAME_H

#include "base/json_tree.h"

struct same_rules {
    const char *const *skip; /* names of members that are not looked at, NULL behind the last; may be NULL */
    bool numbers_by_value;   /* 12.50 is 12.5; else numbers are compared as they are written */
};

/* NULL when they are the same, else the node of a where they part. */
const struct node *trees_part(const struct tree *a, const struct tree *b, const struct same_rules *rules);

#endif
