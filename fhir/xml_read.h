/* FHIR XML in two steps: libxml2's SAX events become a flat list of elements with byte ranges
 * (xml_read.c), and the list becomes the tree that FHIR JSON would have given (xml_tree.c), with the help
 * of the shape table: which elements repeat, which are primitive.
 *
 * The list lives in the arena of the request and borrows the source.  One thread.  Inside this room only. */
#ifndef FHIR_XML_READ_H
#define FHIR_XML_READ_H

#include "base/json_tree.h"

struct xml_value {
    uint32_t at, length; /* in the source or the pool */
    bool present, pooled;
};

struct xml_element {
    uint32_t from, to; /* the whole element in the source */
    uint32_t name;     /* its local name in the source */
    uint16_t name_length;
    bool is_div;                 /* XHTML: value is the outer XML */
    uint32_t parent, last, next; /* 0: none (the root is nobody's child) */
    uint32_t children;
    struct xml_value value, id, url;
};

/* Texts that don't stand in the source as they are. */
struct xml_pool {
    arena *mem;
    char *p;
    size_t n, room;
};

struct xml_list {
    view source;
    struct xml_element *elements; /* document order; the first is the root */
    uint32_t n, room;
    struct xml_pool pool;
};

/* Appends; false when the arena is full. */
bool xml_pool_add(struct xml_pool *pool, view text, uint32_t *ret_at) MUST_USE;

static inline view
xml_name(const struct xml_list *list, const struct xml_element *e)
{
    return (view){list->source.p + e->name, e->name_length};
}

static inline view
xml_text(const struct xml_list *list, const struct xml_value *v)
{
    return (view){(v->pooled ? list->pool.p : list->source.p) + v->at, v->length};
}

err xml_read_list(view bytes, arena *mem, struct xml_list *ret, struct fault *f) MUST_USE;
err xml_list_to_tree(struct xml_list *list, arena *mem, struct tree *ret, struct fault *f) MUST_USE;
/* E_ELEMENT_UNKNOWN and the like: sets the fault at an element with its path of names. */
err xml_fault(const struct xml_list *list, uint32_t element, struct fault *f, err e, const char *expected,
              const char *found);

#endif
