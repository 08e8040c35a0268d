/* Profiles in the form that validation walks: a tree of rules per StructureDefinition.
 *
 * A differential is compiled alone and its parent judged beside it; a snapshot stands alone.  Everything
 * lives in the set's arena and is immutable after profiles_load, any thread.  Inside this room only; the
 * public face is fhir.h. */
#ifndef FHIR_PROFILE_H
#define FHIR_PROFILE_H

#include "fhir/fhir.h"
#include "fhir/hash.h"
#include "fhir/predicate.h"
#include "fhir/shape.h"
#include "fhir/value_set.h"

#define MANY UINT32_MAX
/* A pattern or fixed value nests no deeper, so that comparing it may be a bounded recursion over our own
 * constants. */
#define CONSTANT_DEPTH_MAX 8
#define SLICES_MAX 128
#define MATCH_STEPS_MAX 8
#define CORE_PREFIX "http://hl7.org/fhir/StructureDefinition/"

struct profile;

/* A constant of the profile: fixed[x] or pattern[x]. */
struct constant {
    const struct tree *tree; /* of the profile */
    const struct node *node; /* NULL: none */
    bool exact;              /* fixed */
};

/* A profile by its canonical URL. */
struct target {
    view canonical;
    const struct profile *profile; /* NULL: a type of the base, or not loaded */
    uint16_t shape;                /* SHAPE_NONE: not loaded, nobody knows */
};

/* One of the types that an element may have. */
struct type_rule {
    uint16_t shape;
    struct target *profiles; /* it must satisfy one of them, if there are any and all are loaded */
    uint32_t n_profiles;
    bool open;              /* one of the profiles is not loaded */
    struct target *targets; /* of a reference */
    uint32_t n_targets;
};

enum step_kind { STEP_MEMBER, STEP_CHOICE, STEP_EXTENSION, STEP_RESOLVE };

struct match_step {
    uint8_t kind; /* enum step_kind */
    view name;    /* of the member or choice; the extension's url */
};

enum match_kind {
    MATCH_CONSTANT, /* something there fits the constant */
    MATCH_TEXT,     /* something there is this text */
    MATCH_CODES,    /* a code there is in the set */
    MATCH_EXISTS,
    MATCH_ABSENT,
    MATCH_TYPES, /* a resource of one of the types */
};

/* One discriminator of one slice. */
struct matcher {
    uint8_t kind; /* enum match_kind */
    struct match_step steps[MATCH_STEPS_MAX];
    uint32_t n_steps;
    struct constant constant;
    view text;
    const struct value_set *set;
    uint16_t base_codes;
    struct target *types;
    uint32_t n_types;
    bool by_profile; /* MATCH_TYPES: the resource names the profile, or no other slice has its type */
    struct matcher *next;
};

struct rule;

struct slice {
    view name;
    struct rule *rule;
    struct matcher *matchers;
    bool unclear; /* a discriminator that is not understood: never matched, never counted */
    struct slice *next;
};

struct discriminator {
    view type, path;
    struct discriminator *next;
};

struct rule_predicate {
    const struct predicate *predicate;
    bool warning;
    struct rule_predicate *next;
};

/* A constraint that nobody here can judge. */
struct unknown_key {
    view key;
    struct unknown_key *next;
};

struct rule {
    view id;   /* Patient.identifier:nhi.system */
    view name; /* of the member; of a choice without [x] */
    bool choice;
    bool primitive;
    bool min_given; /* the base demands it already, so that the structure walk says so */
    uint32_t min, max, max_length;
    uint16_t shape; /* type of what the rule stands on; SHAPE_NONE: several or unknown */
    uint16_t parent_shape;
    const struct shape_row
        *row;                /* the element or choice in the base, NULL at the root and under unknown types */
    struct type_rule *types; /* NULL: as in the base */
    uint32_t n_types;
    struct constant constant;
    bool required_binding, extensible_binding;
    view binding;
    const struct value_set *set; /* NULL: not loaded */
    uint16_t base_codes;
    struct rule_predicate *predicates;
    struct rule *children, *last_child, *next;
    struct slice *slices, *last_slice;
    uint32_t n_slices;
    struct discriminator *discriminators;
    bool closed;
    const struct rule
        *inherited; /* the same element in a parent, with more slices; they count where the list is closed */
    bool kept;      /* it, or a rule below it, asks for something */
    bool is_slice;  /* the rule of a slice, no child of its parent */
    bool aside;     /* no rule for anything in a document */
    struct rule *parent;
    struct rule *next_in_profile;
};

/* Where an extension may stand. */
struct context {
    view type, expression;
    struct context *next;
};

struct profile {
    view url, version, file;
    uint16_t shape;
    view base_canonical;
    const struct profile *parent; /* NULL: a type of the base, or not loaded */
    const struct profile
        *base;  /* the parent when it must be judged too: a snapshot holds its rules already */
    bool whole; /* compiled from a snapshot */
    const struct tree *tree;
    struct rule *root, *last_rule;
    struct unknown_key *unknown_keys;
    struct context *contexts;
};

struct profile_set {
    arena *mem;
    struct profile *profiles;
    uint32_t n_profiles;
    struct value_set *sets;
    uint32_t n_sets;
    struct code_system *systems;
    uint32_t n_systems;
    /* canonical URL, and URL|version, → number; without a version the newest */
    struct hash_table profile_urls, set_urls, system_urls;
};

/* NULL when it is not loaded.  canonical may carry |version. */
const struct profile *profile_find(const struct profile_set *p, view canonical);
const struct value_set *profile_find_set(const struct profile_set *p, view canonical);
const struct code_system *profile_find_system(const struct profile_set *p, view canonical);

/* Steps of loading, each for all profiles before the next: own rules; what points from one profile to
 * another; discriminators. */
err profile_compile(struct profile *p, arena *mem, struct fault *f) MUST_USE;
err profile_link(struct profile *p, const struct profile_set *set, struct fault *f) MUST_USE;
err profile_link_slices(struct profile *p, arena *mem, struct fault *f) MUST_USE;

/* The rule with this element id in the profile or its parents. */
const struct rule *profile_rule(const struct profile *p, view id);
/* A fault that names the profile's file and the element. */
err profile_fault(const struct profile *p, view element, struct fault *f, const char *expected,
                  const char *found);
const struct rule *rule_child(const struct rule *r, view name);

#endif
