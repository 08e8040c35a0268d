/* Definitions on their way into a pack: the files of one package and those it depends on, read as trees, and each
 * profile as a tree of rules.
 *
 * A snapshot stands alone.  A differential is laid over the elements of its parents, so that every profile is whole
 * before it is written; where the parent is not at hand it stays partial, and what the loaded packs know of the
 * parent is judged beside it.
 *
 * One thread, memory of one arena that goes when the pack is written.  Inside this room only. */
#ifndef FHIR_PROFILE_H
#define FHIR_PROFILE_H

#include "fhir/fhir.h"
#include "fhir/hash.h"
#include "fhir/pack_build.h"
#include "fhir/shape.h"

#define MANY UINT32_MAX
/* A pattern or fixed value nests no deeper, so that comparing it may be a bounded recursion over our own
 * constants. */
#define CONSTANT_DEPTH_MAX 8
#define SLICES_MAX 128
#define MATCH_STEPS_MAX 8
/* Longest line of parents. */
#define PARENTS_MAX 16
#define CORE_PREFIX "http://hl7.org/fhir/StructureDefinition/"

/* ---- what was read ---- */

struct source_file {
    view path;
    const struct tree *tree;
    const struct node *root; /* of the resource; bundles of definitions hold many */
    view type, url, version;
    bool aside;            /* of a package that this one depends on: looked up, not written */
    struct profile *draft; /* of a profile, once somebody asked for it */
};

struct guide {
    const struct tree *tree;
    const struct node *root;
    struct guide *next;
};

struct sources {
    arena *mem;
    struct source_file *files;
    uint32_t n, room;
    struct guide *guides; /* ImplementationGuides of the package itself */
    /* URL, and URL|version, of StructureDefinition, ValueSet and CodeSystem → number; without a version the newest */
    struct hash_table canonicals[PACK_KINDS];
    /* A definition that cannot be compiled stops everything (strict), or is left out and counted. */
    bool lenient;
    bool words; /* what codes are called is kept */
    uint32_t left_out;
    struct fault first_left_out;
    struct fault *f;
};

/* Reads the definitions of a file: one resource or a Bundle of them, JSON or XML.  Others are passed over. */
err sources_add(struct sources *s, view path, view bytes, bool aside) MUST_USE;
struct source_file *sources_find(const struct sources *s, enum pack_kind kind, view canonical);

/* ---- rules ---- */

/* A constant of the profile: fixed[x] or pattern[x]. */
struct constant {
    const struct tree *tree; /* of the profile */
    const struct node *node; /* NULL: none */
    bool exact;              /* fixed */
};

/* One of the types that an element may have. */
struct type_rule {
    uint16_t shape;
    view *profiles, *targets; /* canonicals */
    uint32_t n_profiles, n_targets;
};

/* One discriminator of one slice. */
struct matcher {
    uint8_t kind; /* enum pack_match */
    struct {
        uint8_t kind; /* enum pack_step_kind */
        view name;
    } steps[MATCH_STEPS_MAX];
    uint32_t n_steps;
    struct constant constant;
    view text, set;
    uint16_t base_codes;
    view *types;
    uint32_t n_types;
    bool by_profile;
    struct matcher *next;
};

struct rule;

struct slice {
    view name;
    struct rule *rule;
    struct matcher *matchers;
    bool unclear;
    struct slice *within; /* a slice of a slice: the outer one, which must hold too */
    struct slice *next;
};

struct discriminator {
    view type, path;
    struct discriminator *next;
};

struct rule_constraint {
    const struct tree *tree;
    const struct node *node;
    struct rule_constraint *next;
};

struct rule {
    view id;   /* Patient.identifier:nhi.system */
    view name; /* of the member; of a choice without [x] */
    bool choice;
    bool primitive;
    bool min_given;
    uint32_t min, max, min_length, max_length;
    uint16_t shape;
    uint16_t parent_shape;
    const struct shape_row *row;
    struct type_rule *types; /* NULL: as in the base */
    uint32_t n_types;
    struct constant constant, min_value, max_value;
    bool required_binding, extensible_binding;
    view binding;
    struct rule_constraint *constraints;
    struct rule *children, *last_child, *next;
    struct slice *slices, *last_slice;
    uint32_t n_slices;
    struct discriminator *discriminators;
    bool closed, open_at_end, ordered;
    bool kept;     /* it, or a rule below it, asks for something */
    bool is_slice; /* the rule of a slice, no child of its parent */
    bool aside;    /* no rule for anything in a document */
    struct rule *parent;
    struct rule *next_in_profile;
    uint32_t number; /* in the pack */
};

struct profile {
    const struct source_file *file;
    uint16_t shape;
    bool partial;
    struct rule *root, *last_rule;
    struct rule **rules; /* all, by number in the order of the pack */
    uint32_t n_rules;
};

/* Own rules over those of the parents; made once for each file.  Then, for what is written, the discriminators of
 * its slices, which may look into other profiles. */
err profile_draft(const struct sources *s, const struct source_file *file, struct profile **ret,
                  struct fault *f) MUST_USE;
err profile_link_slices(const struct sources *s, struct profile *p, struct fault *f) MUST_USE;
err profile_fault(const struct source_file *file, view element, struct fault *f, const char *expected,
                  const char *found);
/* The child rule of a name (without [x]). */
const struct rule *rule_child(const struct rule *r, view name);
/* The rule of a slice of a list; NULL when there is none of this name. */
const struct rule *rule_slice(const struct rule *list, view name);
/* A slice that asks for nothing yet.  E_TOO_LARGE. */
err rule_add_slice(struct profile *p, arena *mem, struct rule *list, view name, view id) MUST_USE;
/* Of the rule of a slice, as its id has it. */
view rule_slice_name(const struct rule *slice);

/* ---- writing ---- */

/* base: whose rules a profile need not say again; NULL where there is none. */
err profile_write(struct profile *p, const struct pack *base, struct pack_build *b) MUST_USE;
/* What a type or resource of the base says of its elements beyond their shape. */
void base_write(const struct source_file *file, struct pack_build *b);
/* Empty rows for every type, before the first base_write. */
void base_write_start(struct pack_build *b);
/* Compiles a FHIRPath expression; empty when it is none. */
struct pack_span program_write(view expression, struct pack_build *b);
/* The constraint of an ElementDefinition; each stands once.  Its number. */
uint32_t constraint_write(const struct tree *t, const struct node *constraint, struct pack_build *b);
/* An extension of an ElementDefinition that asks something of its Narrative: it is written as a constraint. */
bool constraint_is_narrative(const struct tree *t, const struct node *extension);
/* Whether the base says the same. */
bool constraint_is_of_base(const struct tree *t, const struct node *constraint, const struct pack *base);
err set_write(const struct sources *s, const struct source_file *file, struct pack_build *b) MUST_USE;
err system_write(const struct sources *s, const struct source_file *file, struct pack_build *b) MUST_USE;
/* A concept of a CodeSystem, at any depth. */
bool concept_is(const struct tree *t, const struct node *n);

/* All that was read and does not stand aside; base as above. */
err sources_compile(struct sources *s, const struct pack *base, const struct pack_label *label,
                    struct buf *out) MUST_USE;

#endif
