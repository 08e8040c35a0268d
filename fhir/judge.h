/* One validation: what the walk over the structure (validate_walk.c), the rules of documents
 * (validate_document.c) and the rules of profiles (validate_profile.c) share.  Lives on the stack of
 * fhir_validate, scratch in the issues' arena, one thread.  Inside this room only. */
#ifndef FHIR_JUDGE_H
#define FHIR_JUDGE_H

#include "fhir/bundle_index.h"
#include "fhir/place.h"
#include "fhir/profile.h"

/* A node that must satisfy a profile. */
struct job {
    const struct node *node;
    const struct node *resource; /* that holds it */
    const struct profile *profile;
};

/* An element and a rule that stands on it. */
struct work {
    const struct node *node;      /* NULL: only _name is there */
    const struct node *companion; /* _name of a primitive value */
    const struct node *resource;
    const struct rule *rule;
};

struct judge {
    const struct profile_set *set;
    const struct bundle *bundle;
    const struct tree *tree;
    const struct validate_options *options;
    struct issues *issues;
    arena *mem;
    bool is_bundle, is_document;
    struct hash_table told;        /* what is said once per document */
    struct hash_table element_ids; /* (resource, id) */
    struct hash_table referred;    /* contained resources that something refers to */
    struct hash_table known_jobs;  /* (node, profile) */
    struct job *jobs;
    uint32_t n_jobs, jobs_room;
    struct work *work; /* a stack */
    uint32_t n_work, work_room;
    bool trial; /* findings are counted, not told */
    uint32_t trial_errors;
    bool full; /* the arena had no room: nothing can be judged any more */
};

void judge_say(struct judge *j, enum issue_severity severity, err code, const struct node *n, view expected,
               view found);
/* A text for judge_say; empty when nothing more would be kept of it. */
view judge_print(struct judge *j, const char *format, ...) PRINTF_LIKE(2, 3);
/* True the first time for (what, text). */
bool judge_first(struct judge *j, uint64_t what, view text);
/* node must satisfy profile; once for each pair. */
void judge_add_job(struct judge *j, const struct node *node, const struct node *resource,
                   const struct profile *profile);
/* What a message may show of a code or a system. */
view judge_code(struct judge *j, view system, view code);

/* Base R4: names, types, cardinality, values, references, extensions; finds the jobs on the way. */
void walk_structure(struct judge *j, const struct node *root);
/* Type document: identifier, timestamp, Composition first, a fullUrl for each entry. */
void judge_document(struct judge *j, const struct node *root);
void judge_full_url(struct judge *j, const struct node *entry);
void judge_reference(struct judge *j, const struct node *reference, const struct node *resource,
                     bool in_bundle);
/* What an extension stands in. */
struct owner {
    const struct node *node;
    uint16_t shape;              /* SHAPE_Element beside a primitive value */
    const struct shape_row *row; /* by which the owner is reached, NULL for a resource */
    const struct node *resource;
};
void judge_extension(struct judge *j, const struct node *extension, const struct owner *owner);
void judge_concept(struct judge *j, const struct node *value, uint16_t codes);
void judge_jobs(struct judge *j);

/* Lists of a document that are looked through again and again (codings of a referenced resource, profiles
 * that it names) count up to this length. */
#define LIST_LOOKED_AT 1000

/* -- validate_match.c -- */
bool constant_holds(const struct tree *t, const struct node *n, struct constant c);
bool slice_holds(const struct judge *j, const struct slice *s, const struct node *item,
                 const struct node *resource);
bool names_profile(const struct judge *j, const struct node *resource, const struct profile *p);
enum code_answer codes_answer(const struct value_set *set, uint16_t base_codes, view system, bool has_system,
                              view code);
/* The best answer over a code, Coding, CodeableConcept, Quantity or string.  A concept of text alone is
 * CODE_OUT; *ret_system and *ret_code (empty then) are one that is not in the set. */
enum code_answer value_answer(const struct tree *t, const struct value_set *set, uint16_t base_codes,
                              const struct node *n, view *ret_system, view *ret_code);

#endif
