/* FHIRPath (http://hl7.org/fhirpath/N1, with what R4's invariants and its reference implementation add):
 * text to a program once, programs over element trees any number of times.
 *
 * A program is a run of bytes without pointers: it may lie in a file that is mapped into memory, at any
 * address, and is checked by fhirpath_check before it is trusted.  Programs are immutable; any thread may run
 * them.
 *
 * An evaluation has two bounds: steps (each instruction and each element that it touches) and the arena of
 * its focus. Passing either is an outcome (E_FHIRPATH_LIMIT, E_TOO_LARGE).  Nothing recurses. */
#ifndef FHIR_FHIRPATH_H
#define FHIR_FHIRPATH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_tree.h"

#include <stdint.h>

/* Longest expression, and how deep its brackets, calls and operators may nest. */
#define FHIRPATH_TEXT_MOST ((size_t)64 << 10)
#define FHIRPATH_NESTING_MOST 256

/* ret_program lies in mem.  E_FHIRPATH_SYNTAX with the place in the text as the fault's range (also for a function
 * that is not known, or called with too few or too many arguments), E_TOO_LARGE. */
err fhirpath_compile(view text, arena *mem, view *ret_program, struct fault *f) MUST_USE;

/* Whether bytes from outside are a program that is safe to run: E_FHIRPATH_SYNTAX when they are not, or when they
 * were made by another version of the compiler. */
err fhirpath_check(view program) MUST_USE;

/* -- values -- */

enum fhirpath_kind {
    FHIRPATH_NODE, /* an element of the tree: node, companion, shape */
    FHIRPATH_BOOLEAN,
    FHIRPATH_INTEGER,
    FHIRPATH_DECIMAL,
    FHIRPATH_STRING,
    FHIRPATH_DATE,
    FHIRPATH_DATETIME,
    FHIRPATH_TIME,
    FHIRPATH_QUANTITY,
    FHIRPATH_TYPE, /* what type() gives: text is its name, is_system its name space */
};

#define FHIRPATH_NO_NODE UINT32_MAX

/* 24 bytes.  Pointers lead into the tree's source and pool, the program or the arena of the evaluation. */
struct fhirpath_value {
    uint8_t kind; /* enum fhirpath_kind */
    bool is_system;
    uint16_t shape; /* FHIR type of a node (fhir/shape.h), SHAPE_NONE when not known */
    uint32_t node;  /* index in the tree; FHIRPATH_NO_NODE for a primitive that has extensions only */
    union {
        uint32_t companion; /* of a node: index of the object _name, or FHIRPATH_NO_NODE */
        bool truth;
        int64_t integer;
        view text;
        const struct number *decimal;
        const struct moment *moment;
        const struct quantity *quantity;
    };
};

struct fhirpath_values {
    const struct fhirpath_value *items;
    uint32_t n;
};

/* -- evaluation -- */

/* What only the caller knows.  Every member may be NULL. */
struct fhirpath_doors {
    /* A reference (its text) seen from the resource that holds it; NULL when it leads nowhere. */
    const struct node *(*resolve)(void *self, const struct node *from_resource, view reference);
    /* False for *ret_known when the value set or profile is not loaded: the expression then has no value. */
    bool (*member_of)(void *self, const struct fhirpath_value *value, view value_set, bool *ret_known);
    bool (*conforms_to)(void *self, const struct fhirpath_value *value, view profile, bool *ret_known);
};

struct fhirpath_focus {
    const struct tree *tree;
    /* $this and %context.  node may be NULL beside a companion: a primitive value that has extensions only. */
    const struct node *node;
    const struct node *companion;     /* _name of a primitive value, else NULL */
    uint16_t shape;                   /* type of node (enum shape); of a resource SHAPE_NONE is enough */
    const struct node *resource;      /* %resource */
    const struct node *root_resource; /* %rootResource: the one that contains it; NULL → resource */
    const struct fhirpath_doors *doors;
    void *self;
    /* Scratch and results.  An evaluation of a common invariant takes nothing of it; the caller may reset it when
     * he has done with the results. */
    arena *mem;
    /* Steps that may still be taken: a caller shares one number among all evaluations of a document. NULL →
     * FHIRPATH_STEPS for this one. */
    uint64_t *steps;
    /* A name that the type does not have is E_FHIRPATH_FAILED instead of empty. */
    bool strict;
};

#define FHIRPATH_STEPS UINT64_C(20000000)

/* E_FHIRPATH_FAILED when the expression has no meaning for this focus (several items where one is asked, operands of
 * types that do not go together), E_FHIRPATH_LIMIT when it takes too many steps, E_TOO_LARGE when mem is full. */
err fhirpath_eval(view program, const struct fhirpath_focus *focus, struct fhirpath_values *ret,
                  struct fault *f) MUST_USE;
/* The result as an invariant: true for a single true and for anything that is no boolean; false for empty. */
err fhirpath_holds(view program, const struct fhirpath_focus *focus, bool *ret, struct fault *f) MUST_USE;

/* "System.Integer", "FHIR.code", "FHIR.Patient". */
view fhirpath_type_name(const struct fhirpath_focus *focus, const struct fhirpath_value *v, arena *mem);
/* Text of a value as toString() would give it, the empty view for complex elements. */
view fhirpath_text(const struct fhirpath_focus *focus, const struct fhirpath_value *v, arena *mem);

/* Names of all functions, for the list that a command prints: NULL behind the last. */
const char *fhirpath_function_name(uint32_t i);
/* The functions that a program calls, once each, by their number in that list: calls fn for each. */
void fhirpath_functions_of(view program, void (*fn)(void *self, uint32_t function), void *self);

#endif
