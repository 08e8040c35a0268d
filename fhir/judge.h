/* One validation: what the walk over the structure (validate_walk.c), the rules of documents
 * (validate_document.c) and the rules of profiles (validate_profile.c) share.  Lives on the stack of
 * fhir_validate, scratch in the issues' arena, one thread.  Inside this room only. */
#ifndef FHIR_JUDGE_H
#define FHIR_JUDGE_H

#include "fhir/bundle_index.h"
#include "fhir/pack_set.h"
#include "fhir/shape.h"

#define CORE_URL "http://hl7.org/fhir/StructureDefinition/"

/* A node that must satisfy a profile. */
struct job {
    const struct node *node;
    const struct node *resource; /* that holds it */
    struct pack_item profile;
};

/* An element and a rule that stands on it. */
struct work {
    const struct node *node;      /* NULL: only _name is there */
    const struct node *companion; /* _name of a primitive value */
    const struct node *resource;
    const struct pack *pack; /* of the rule */
    const struct pack_rule *rule;
};

struct judge {
    const struct profile_set *set;
    const struct pack *base;    /* NULL: base R4 is judged by its shapes alone */
    const struct pack *context; /* of the profile that the root follows; NULL: none */
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
    struct {
        view url;
        struct pack_item item;
    } systems[64]; /* code systems that were asked for last */
    bool trial;    /* findings are counted, not told */
    uint32_t trial_errors;
    uint64_t steps; /* that FHIRPath may still take */
    arena *scratch; /* of FHIRPath; made when it is needed */
    bool full;      /* the arena had no room: nothing can be judged any more */
};

void judge_say(struct judge *j, enum issue_severity severity, err code, const struct node *n, view expected,
               view found);
/* A text for judge_say; empty when nothing more would be kept of it. */
view judge_print(struct judge *j, const char *format, ...) PRINTF_LIKE(2, 3);
/* Rows of severities.def. */
enum judge_weight {
#define SEVERITY(what, submitted, checked, strict, by_hl7) WEIGHT_##what,
#include "fhir/severities.def"
#undef SEVERITY
};
enum issue_severity judge_severity(const struct judge *j, enum judge_weight what);
/* Judged as the standard asks, not as a submission. */
static inline bool
judge_is_check(const struct judge *j)
{
    return j->options->check || j->options->by_hl7;
}
/* True the first time for (what, text). */
bool judge_first(struct judge *j, uint64_t what, view text);
/* node must satisfy profile; once for each pair. */
void judge_add_job(struct judge *j, const struct node *node, const struct node *resource,
                   struct pack_item profile);
/* What a message may show of a code or a system. */
view judge_code(struct judge *j, view system, view code);

/* A canonical that the document names. */
static inline struct pack_item
judge_find(const struct judge *j, enum pack_kind kind, view canonical)
{
    return packs_find(j->set, j->context, kind, canonical, j->options->today);
}

/* Base R4: names, types, cardinality, values, references, extensions; finds the jobs on the way. */
void walk_structure(struct judge *j, const struct node *root);
/* Type document: identifier, timestamp, Composition first, a fullUrl for each entry. */
void judge_document(struct judge *j, const struct node *root);
/* A narrative's form; true when it has links to places of its resource, which judge_anchors follows when the resource ends. */
bool judge_narrative(struct judge *j, const struct node *div);
void judge_anchors(struct judge *j, const struct node *resource);
/* What a StructureDefinition, SearchParameter or OperationDefinition says must be able to hold. */
void judge_definition(struct judge *j, const struct node *resource, uint16_t shape);
void judge_operation(struct judge *j, const struct node *resource);
/* Relations of Bundle.link that may stand once. */
void judge_links(struct judge *j, const struct node *bundle);
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
/* A Coding whose system is loaded and has no such code. */
void judge_coding(struct judge *j, const struct node *coding);
/* The jobs that wait: after each entry of the Bundle, while it is in the processor's cache, and at the end. */
void judge_jobs(struct judge *j);
/* One of the profiles that stand for this type must hold; a target without profile asks for nothing. */
void judge_one_of(struct judge *j, const struct node *at, const struct node *node,
                  const struct node *resource, const struct pack *pack, struct pack_span links,
                  uint16_t shape);
/* A reference must lead to one of the types; span of numbers: links. */
void judge_targets(struct judge *j, const struct node *reference, const struct node *resource,
                   const struct pack *pack, struct pack_span targets);
void judge_binding(struct judge *j, const struct node *value, const struct pack *pack, uint32_t link,
                   uint16_t base_codes, bool required);
/* The constraints of a span of numbers, on an element or (node NULL) on what has extensions alone. */
struct spot {
    const struct node *node, *companion, *resource;
    uint16_t shape;
};
void judge_constraints(struct judge *j, const struct spot *at, const struct pack *pack,
                       struct pack_span numbers);
/* Whether a FHIRPath expression over the resource leads to the element (its value, or what stands beside it). */
bool judge_leads_to(struct judge *j, const struct pack *pack, struct pack_span program,
                    const struct node *resource, const struct node *element);
/* Whether a node would satisfy a profile, by a trial; inside a trial always. */
bool judge_conforms(struct judge *j, const struct node *node, const struct node *resource,
                    struct pack_item profile);

/* Lists of a document that are looked through again and again (codings of a referenced resource, profiles
 * that it names) count up to this length. */
#define LIST_LOOKED_AT 1000
/* Slices of one list that a pack may have. */
#define SLICES_MOST 128

/* -- validate_match.c -- */
bool constant_holds(const struct tree *t, const struct node *n, const struct pack *pack, uint32_t constant);
bool slice_holds(const struct judge *j, const struct pack *pack, const struct pack_slice *s,
                 const struct node *item, const struct node *companion, const struct node *resource);
bool names_profile(const struct judge *j, const struct node *resource, struct pack_item p);
/* set NULL or not loaded: base_codes alone. */
enum code_answer codes_answer(const struct pack_item *set, uint16_t base_codes, view system, bool has_system,
                              view code);
/* The best answer over a code, Coding, CodeableConcept, Quantity or string.  A concept of text alone is
 * CODE_OUT; *ret_system and *ret_code (empty then) are one that is not in the set. */
enum code_answer value_answer(const struct tree *t, const struct pack_item *set, uint16_t base_codes,
                              const struct node *n, view *ret_system, view *ret_code);

#endif
