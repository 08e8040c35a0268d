/* FHIR R4 as a language: bytes to an element tree, references inside a Bundle, validation against
 * profiles, trees back to bytes.  No network, no store, no keys, no claims.
 *
 * JSON and XML fill the same struct tree (base/json_tree.h), shaped as FHIR JSON: objects with
 * resourceType, arrays for repeating elements, `_name` objects for extensions of primitives, div as
 * string.  From XML every element whose cardinality may exceed one becomes an array; ranges point into the
 * XML bytes.
 *
 * A struct profile_set is immutable after loading and may be used by all threads; it is swapped by
 * pointer. */
#ifndef FHIR_FHIR_H
#define FHIR_FHIR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/embed.h"
#include "base/issue.h"
#include "base/json_tree.h"

enum fhir_media { FHIR_JSON, FHIR_XML };

/* Syntax only.  XML: no DOCTYPE, no entities but the five, no network; UTF-8 only; at most 10 MiB, a tree of
 * at most 64 levels.  E_XML_SYNTAX, E_XML_DOCTYPE, E_XML_DEPTH, E_UTF8, E_TOO_LARGE; E_RESOURCE_TYPE for
 * another namespace; what a tree cannot hold: E_ELEMENT_UNKNOWN (other attributes, text, foreign elements),
 * E_ELEMENT_ORDER (an element that comes again after others), E_TYPE, E_CARDINALITY.  JSON: the errors of
 * tree_read_json. */
err fhir_read(enum fhir_media media, view bytes, arena *mem, struct tree *ret, struct fault *f) MUST_USE;
/* For verify_request.read_signed: self is unused. */
err fhir_read_signed(void *self, view octets, arena *mem, struct tree *ret, struct fault *f) MUST_USE;
/* Writing what we mint; never a signed document.  XML: E_XML_CHARACTER for a text that XML cannot carry, E_TYPE and
 * E_ELEMENT_UNKNOWN for what is no FHIR. */
err fhir_write_xml(const struct tree *t, const struct node *resource, struct buf *out) MUST_USE;
err fhir_write_json(const struct tree *t, const struct node *resource, struct buf *out) MUST_USE;

/* -- references -- */
struct bundle_entry {
    const struct node *entry, *resource;
    view full_url;
    view type, id; /* of the resource */
};
struct bundle {
    const struct tree *tree;
    struct bundle_entry *entries; /* in the Bundle's order */
    uint32_t n;
    uint32_t n_search, n_request, n_response; /* entries that have these members */
    void *index;                              /* of the fhir room */
};
/* Linear in the entries; a duplicate fullUrl, contained id, or type and id is an issue.  E_RESOURCE_TYPE
 * when the root is no Bundle, E_TOO_LARGE. */
err bundle_index(const struct tree *t, arena *mem, struct bundle *ret, struct issues *issues) MUST_USE;
/* Resolves Reference.reference (fullUrl, urn:uuid, relative Type/id, #contained of from's resource) seen
 * from a resource; NULL when it leads nowhere. */
const struct node *bundle_resolve(const struct bundle *b, const struct node *from_resource, view reference);
const struct node *bundle_first(const struct bundle *b, view type);

/* -- profiles -- */
struct profile_set;
/* Base R4 is always there; files: StructureDefinition, ValueSet and CodeSystem (JSON), compiled now; packs: files
 * that profile_pack made (package.h), mapped. */
struct profile_sources {
    const struct embedded *files;
    size_t n;
    bool lenient; /* files that cannot be compiled are left out instead of stopping everything */
    const char *const *packs;
    size_t n_packs;
};
/* E_CONFIG with the file's name in the fault. */
err profiles_open(const struct profile_sources *from, struct profile_set **ret, struct fault *f) MUST_USE;
/* Of files alone. */
err profiles_load(const struct embedded *files, size_t n, struct profile_set **ret, struct fault *f) MUST_USE;
void profiles_free(struct profile_set *p);
DEFINE_AUTO(struct profile_set *, profiles_free)
bool profiles_know(const struct profile_set *p, view canonical);
/* Canonical URLs, sorted, for the CapabilityStatement. */
size_t profiles_list(const struct profile_set *p, view *urls, size_t room);

/* What is loaded, base R4 first. */
struct pack_facts {
    view name, version;
    uint32_t valid_from, valid_until; /* 20260701; 0: open */
    size_t bytes;
    uint32_t profiles, value_sets, code_systems;
};
/* Their number; room of them in out. */
size_t profiles_packs(const struct profile_set *p, struct pack_facts *out, size_t room);

/* A code of a loaded system: a row for each time that it is in force (one with nothing in it where nothing more is known); their
 * number, 0: no such code, or no such system. */
struct code_facts {
    view display;
    uint32_t from, until; /* 20260701; 0: open */
};
size_t codes_look(const struct profile_set *p, view system, view code, struct code_facts *out, size_t room);

/* The profiles in the binary (fhir/profiles). */
extern const struct embedded fhir_profiles[];
extern const size_t fhir_profiles_count;

struct validate_options {
    /* Canonical that the root must satisfy whatever meta.profile says; empty = meta.profile alone. */
    view demand;
    /* Unknown extension, unknown profile, reference to the outside are errors instead of findings; rules that
     * are not judged are told (docs/fhir.md, "Severity"). */
    bool strict;
    /* Checked as the standard asks instead of as a submission (fhir/severities.def): a document may point to what the
     * receiver has, but for what its Composition names. */
    bool check;
    /* Weighed as HL7's validator weighs it unless told otherwise, to compare verdicts. */
    bool by_hl7;
    /* Strings that hold what looks like an HTML tag are refused. */
    bool no_markup;
    /* Best practice (dom-6 and its like) is told as information. */
    bool advice;
    /* 20260701: packs whose window does not hold the day are not asked, and what the next window would refuse is
     * told.  0: windows do not matter. */
    uint32_t today;
};
/* Judges the resource and all that it holds by base R4, by meta.profile (each resource of a Bundle by its
 * own) and by demand; a Bundle of type document by the rules of documents too.  Findings go to issues;
 * returns E_OK even when there are errors (issues->errors tells), another err only when it could not
 * judge: E_PROFILE_UNKNOWN when demand is not loaded, E_TOO_LARGE when the issues' arena is full.  Scratch
 * comes from the issues' arena.  p may be NULL: then base R4 alone. */
err fhir_validate(const struct profile_set *p, const struct bundle *b, const struct validate_options *o,
                  struct issues *issues) MUST_USE;
/* For a single resource that is not in a Bundle. */
err fhir_validate_resource(const struct profile_set *p, const struct tree *t, const struct node *resource,
                           const struct validate_options *o, arena *mem, struct issues *issues) MUST_USE;

#endif
