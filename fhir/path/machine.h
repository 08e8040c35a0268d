/* The machine that runs a program: a stack of collections over one stack of values, and frames of open loops.
 *
 * Collection i holds the values from marks[i] up to marks[i + 1]; the last one up to n.  Small evaluations live in the
 * machine itself, larger ones move to the arena.  One evaluation, one thread.  Functions return false after they
 * have set the outcome (machine_fail …).  Inside this folder only. */
#ifndef FHIR_PATH_MACHINE_H
#define FHIR_PATH_MACHINE_H

#include "fhir/fhirpath.h"
#include "fhir/path/code.h"
#include "fhir/path/moment.h"
#include "fhir/path/unit.h"
#include "fhir/shape.h"

#define VALUES_INLINE 96
#define MARKS_INLINE 32
#define FRAMES_INLINE 6
#define SCRATCH_INLINE 512

struct frame {
    uint8_t kind; /* enum loop_kind; LOOP_KINDS for a SCOPE */
    bool has_this, has_total;
    bool inside_loop; /* of a scope: index and total are those of the loop around it */
    uint32_t body, exit;
    uint32_t from, to; /* the input, in values */
    uint32_t index, kept;
    uint32_t outer_floor;
    struct fhirpath_value this, total;
    struct set *seen; /* of a repeat */
};

struct machine {
    const struct fhirpath_focus *focus;
    const struct tree *tree;
    struct code code;
    uint32_t pc;
    uint64_t *steps, own_steps;
    bool keep; /* results outlive the machine: everything goes to the arena */
    err outcome;
    struct fault *fault;
    struct fhirpath_value *values;
    uint32_t n, room;
    uint32_t *marks;
    uint32_t n_marks, marks_room;
    uint32_t floor; /* collections that belong to what is around the innermost frame */
    struct frame *frames;
    uint32_t n_frames, frames_room;
    size_t scratch_used;
    struct fhirpath_value values_inline[VALUES_INLINE];
    uint32_t marks_inline[MARKS_INLINE];
    struct frame frames_inline[FRAMES_INLINE];
    _Alignas(16) char scratch[SCRATCH_INLINE];
};

struct items {
    uint32_t from, to;
};

static inline struct fhirpath_value
system_value(enum fhirpath_kind kind)
{
    return (struct fhirpath_value){.kind = (uint8_t)kind, .is_system = true, .node = FHIRPATH_NO_NODE};
}

/* -- outcomes: all return false -- */
bool machine_fail(struct machine *m, const char *expected, const char *found);
bool machine_full(struct machine *m);

/* -- stack (stack.c) -- */
/* Counts steps; false when there are none left. */
bool machine_step(struct machine *m, uint64_t n);
/* Scratch of the evaluation, 16-aligned; NULL (outcome set) when the arena is full. */
void *machine_alloc(struct machine *m, size_t n);
/* A stack of the machine, copied to a block twice as large; NULL (outcome set) when the arena is full. */
void *machine_grow(struct machine *m, const void *old, uint32_t *room, size_t size);
bool machine_push(struct machine *m, struct fhirpath_value v);
/* Begins a new, empty collection. */
bool machine_mark(struct machine *m);
/* depth 0: the top one. */
struct items machine_operand(const struct machine *m, uint32_t depth);
/* The top `taken` collections are replaced by the values from `from` to the end of the stack, or by one value, by a
 * truth, or by nothing. */
bool machine_give(struct machine *m, uint32_t taken, uint32_t from);
bool machine_give_value(struct machine *m, uint32_t taken, struct fhirpath_value v);
bool machine_give_truth(struct machine *m, uint32_t taken, bool truth);
bool machine_give_integer(struct machine *m, uint32_t taken, int64_t n);
bool machine_give_text(struct machine *m, uint32_t taken, view text);
bool machine_give_nothing(struct machine *m, uint32_t taken);
bool machine_give_number(struct machine *m, uint32_t taken, struct number n);
bool machine_give_moment(struct machine *m, uint32_t taken, enum fhirpath_kind kind,
                         const struct moment *moment);
bool machine_give_quantity(struct machine *m, uint32_t taken, const struct quantity *q);
struct fhirpath_value machine_this(const struct machine *m, bool *ret_there);

/* -- what a value is (node.c) -- */
struct fhirpath_value value_of_node(const struct machine *m, const struct node *n,
                                    const struct node *companion, uint16_t shape);
/* The kind that a node has as a value of System: FHIRPATH_NODE for a complex one, or one without a value. */
enum fhirpath_kind value_system_kind(const struct machine *m, const struct fhirpath_value *v);
bool value_is_primitive(const struct fhirpath_value *v);
view value_node_text(const struct machine *m, const struct fhirpath_value *v);
bool push_member(struct machine *m, const struct fhirpath_value *v, view name);
bool push_children(struct machine *m, const struct fhirpath_value *v);
/* False in *ret when it is not of this type; fails for a type that is not known. */
bool value_is(struct machine *m, const struct fhirpath_value *v, view type, bool exact, bool *ret);
bool run_member(struct machine *m, view name, bool foreign);
bool run_root(struct machine *m, view name);
bool run_type(struct machine *m, view type, bool filter);

/* -- values as others need them (convert.c) -- */
bool value_truth(const struct machine *m, const struct fhirpath_value *v, bool *ret);
bool value_integer(const struct machine *m, const struct fhirpath_value *v, int64_t *ret);
bool value_number(const struct machine *m, const struct fhirpath_value *v, struct number *ret);
bool value_moment(const struct machine *m, const struct fhirpath_value *v, struct moment *ret);
bool value_quantity(const struct machine *m, const struct fhirpath_value *v, struct quantity *ret);
/* Text of any primitive value; the empty view (NULL) when it has none or scratch is full. */
view value_text(struct machine *m, const struct fhirpath_value *v);
bool parse_quantity(view text, struct quantity *ret);

enum got { GOT_NOTHING, GOT_ONE, GOT_FAULT };
/* A collection as one value; several are a fault. */
enum got one_value(struct machine *m, struct items s, struct fhirpath_value *ret);
enum got one_text(struct machine *m, struct items s, view *ret);
enum got one_integer(struct machine *m, struct items s, int64_t *ret);
enum got one_number(struct machine *m, struct items s, struct number *ret);

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_EMPTY, TRUTH_FAULT };
/* A collection as a condition: a single value that is no boolean counts as true. */
enum truth one_truth(struct machine *m, struct items s);

/* -- equality and sets (compare.c) -- */
enum truth values_equal(struct machine *m, const struct fhirpath_value *a, const struct fhirpath_value *b);
bool run_compare(struct machine *m, enum code_op op);
bool run_equal(struct machine *m, enum code_op op);
/* -1, 0, 1 into *ret_order; TRUTH_EMPTY when it is not known, TRUTH_FAULT when they do not go together. */
enum truth values_order(struct machine *m, const struct fhirpath_value *a, const struct fhirpath_value *b,
                        int *ret_order);

/* A set of values by equality (set.c). */
struct set;
struct set *set_new(struct machine *m, uint32_t room);
/* *ret_new: it was not in the set and is now. */
bool set_add(struct machine *m, struct set *s, const struct fhirpath_value *v, bool *ret_new);
bool set_has(struct machine *m, struct set *s, const struct fhirpath_value *v, bool *ret);
/* Takes values that stand twice out of values from `from` to the end of the stack. */
bool set_distinct(struct machine *m, uint32_t from);

/* -- arithmetic (math.c) -- */
bool run_arithmetic(struct machine *m, enum code_op op);
bool run_sign(struct machine *m, bool negative);
bool run_join_text(struct machine *m);

/* The functions: receiver and arguments are the top n_args + 1 collections. */
#define F(name, least, most, form, detail, run) bool run(struct machine *m, uint32_t n_args);
#include "fhir/path/functions.def"
#undef F

#endif
