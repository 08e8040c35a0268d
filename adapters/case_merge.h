/* The inside of case_fold: one source after the other is merged into the case that is being built.  One
 * thread, memory from the arena. */
#ifndef ADAPTERS_CASE_MERGE_H
#define ADAPTERS_CASE_MERGE_H

#include "adapters/case_graph.h"

/* The same person or organisation in several sources. */
struct join_node {
    const struct case_party *party;
    size_t parent;
    void *copy; /* of the set: kept at its root */
};

struct joins {
    struct join_node *nodes;
    size_t n;
    struct graph_map of; /* party in a source → node index + 1 */
};

/* Finds which parties of all sources are the same. */
err joins_make(const struct graph_source *sources, size_t n, arena *mem, struct joins *ret) MUST_USE;
struct join_node *joins_root(const struct joins *j, const void *party);

struct clash_value {
    view text;
    struct source src;
    struct clash_value *next;
};

/* Different values for one member. */
struct clash {
    const void *at; /* the leaf or value in the built case */
    struct clash_value *first, *last;
    struct clash *next;
};

struct merge {
    struct graph g;
    struct joins joins;
    struct graph_map
        touched; /* element of the built case → number of the source that made or met it last, + 1 */
    uintptr_t turn;
    struct clash *clashes, *last_clash;
};

/* Merges one source: all sections, in the order in which they refer to each other. */
err merge_source(struct merge *m, const struct graph_source *s) MUST_USE;

/* -- comparing (case_same.c) -- */
/* A record of the source against one of the built case; references are followed. */
bool merge_same(const struct merge *m, const struct graph_source *s, enum case_record record, const void *src,
                const void *dst);
bool merge_same_reference(const struct merge *m, const struct graph_source *s, const struct leaf_text *src,
                          const struct leaf_text *dst);
/* Records that meet by key. */
bool merge_has_key(enum case_record record);
bool merge_same_key(const struct merge *m, const struct graph_source *s, enum case_record record,
                    const void *src, const void *dst);
bool case_value_empty(enum case_record record, const void *at);

#endif
