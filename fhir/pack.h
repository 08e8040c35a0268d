/* A pack: one FHIR package, compiled into the form that validation walks.
 *
 * A pack is one run of bytes without pointers: a head, then the arrays of pack_sections.def.  Things name each
 * other by their number in an array, texts by offset and length in the section of texts, where each stands once.
 * So a pack is mapped and used as it is, costs no private memory, and several processes share it.  What points to
 * another package (a canonical URL) is a link; links are resolved when packs are loaded (pack_set.h).
 *
 * A pack fits one table of base shapes (shape.h), since rules name its rows by number: the head holds the table's
 * fingerprint, and a pack of another program version is refused and made anew from its package.
 *
 * Immutable, any thread.  Inside this room only. */
#ifndef FHIR_PACK_H
#define FHIR_PACK_H

#include "base/err.h"
#include "base/json_tree.h"
#include "base/view.h"

#define PACK_FORMAT 4u
#define PACK_NONE UINT32_MAX

struct pack_text {
    uint32_t at, n;
};
/* Neighbours in an array. */
struct pack_span {
    uint32_t from, n;
};

/* Which things have canonical URLs; each kind has an index. */
enum pack_kind { PACK_IS_PROFILE, PACK_IS_SET, PACK_IS_SYSTEM, PACK_KINDS };

/* A canonical URL that something here names. */
struct pack_link {
    struct pack_text url, version; /* version empty: any */
    uint32_t kind;                 /* enum pack_kind */
    uint32_t shape;                /* a type of the base; SHAPE_NONE when it is none */
};

enum pack_profile_flag {
    PACK_PARTIAL = 1, /* a differential whose parent was not at hand: the base link is judged too */
};
struct pack_profile {
    struct pack_text url, version;
    uint32_t base; /* link */
    uint32_t root; /* rule */
    uint16_t shape;
    uint16_t flags; /* enum pack_profile_flag */
    struct pack_span contexts;
};
struct pack_context {
    struct pack_text type, expression;
    struct pack_span program; /* of type fhirpath */
};

enum pack_rule_flag {
    RULE_CHOICE = 1,
    RULE_PRIMITIVE = 2,
    RULE_MIN_GIVEN = 4, /* the base demands it already, so that the structure walk says so */
    RULE_REQUIRED = 8,  /* the binding's strength */
    RULE_EXTENSIBLE = 16,
    RULE_CLOSED = 32, /* slicing rules */
    RULE_OPEN_AT_END = 64,
    RULE_ORDERED = 128,
    RULE_SLICED = 256, /* has slices or is closed */
    RULE_PARTS = 512,  /* the parts of a complex extension, all of them, where it is defined */
};
/* An element that a profile says something about. */
struct pack_rule {
    struct pack_text name; /* of the member; of a choice without [x] */
    uint32_t min, max, min_length, max_length;
    uint16_t shape;        /* SHAPE_NONE: several or unknown */
    uint16_t parent_shape; /* of the element above */
    uint16_t row;          /* of the base, 0 when there is none */
    uint16_t flags;        /* enum pack_rule_flag */
    uint16_t base_codes;   /* row of r4_codes.def, 0 when there is none */
    uint16_t n_types;
    uint32_t types; /* first */
    struct pack_span children, slices, constraints /* numbers */;
    uint32_t binding;  /* link */
    uint32_t constant; /* fixed or pattern */
    uint32_t min_value, max_value;
};
/* One of the types that an element may have. */
struct pack_type {
    uint32_t shape;
    struct pack_span profiles, targets; /* numbers: links */
};
struct pack_slice {
    struct pack_text name;
    uint32_t rule;
    uint16_t unclear; /* a discriminator that is not understood: never matched, never counted */
    uint16_t within;  /* of a slice of a slice: number of the outer one in the list, plus 1 */
    struct pack_span matchers;
};
enum pack_step_kind { STEP_MEMBER, STEP_CHOICE, STEP_EXTENSION, STEP_RESOLVE };
struct pack_step {
    struct pack_text name; /* of the member or choice; the extension's url */
    uint32_t kind;         /* enum pack_step_kind */
};
enum pack_match {
    MATCH_CONSTANT, /* something there fits the constant */
    MATCH_TEXT,     /* something there is this text */
    MATCH_CODES,    /* a code there is in the set */
    MATCH_EXISTS,
    MATCH_ABSENT,
    MATCH_TYPES,   /* a resource of one of the types */
    MATCH_OPTIONS, /* an option of a choice with one of the types */
};
/* One discriminator of one slice. */
struct pack_matcher {
    uint16_t kind;       /* enum pack_match */
    uint16_t by_profile; /* MATCH_TYPES: the resource names the profile, or no other slice has its type */
    uint16_t base_codes;
    uint16_t unused;
    struct pack_span steps;
    uint32_t constant;
    uint32_t set; /* link */
    struct pack_text text;
    struct pack_span types; /* numbers: links */
};
enum pack_constraint_flag {
    CONSTRAINT_WARNING = 1,
    CONSTRAINT_BEST_PRACTICE = 2, /* advice: never more than information */
    CONSTRAINT_NARRATIVE = 4,     /* weighed by severities.def, NARRATIVE_SOURCE */
};
struct pack_constraint {
    struct pack_text key, expression, human;
    uint32_t native; /* row of predicates.def + 1; 0 when it is not judged in C */
    uint32_t flags;
    struct pack_span program; /* FHIRPath, compiled; empty when it could not be */
};
/* A value of the profile as a tree of its own. */
struct pack_constant {
    struct pack_text source, pool;
    struct pack_span nodes;
    uint32_t exact; /* fixed; else a pattern */
    uint32_t unused;
};

enum pack_set_flag {
    SET_UNCLEAR = 1, /* has a filter or another part that nobody evaluated */
};
struct pack_set {
    struct pack_text url, version;
    uint32_t flags;
    struct pack_span includes;
};
enum pack_include_flag { INCLUDE_EXCLUDES = 1, INCLUDE_WHOLE = 2, INCLUDE_SET = 4 };
/* Codes of one system: those listed (sorted), the whole system, or what another set holds. */
struct pack_include {
    struct pack_text system;
    uint32_t flags;
    uint32_t link;          /* of the system or set */
    struct pack_span codes; /* sorted by bytes */
};
/* Of a code in a system; beside it, by the same number in the system's span. */
struct pack_word {
    struct pack_text display;
    uint32_t from, until; /* 20260701; 0: open */
};
struct pack_system {
    struct pack_text url, version;
    uint32_t words;    /* the first code's; PACK_NONE: nothing is known but the codes */
    uint32_t complete; /* what is not listed is no code of it */
    uint32_t any_case;
    struct pack_span codes;
};
/* What the base says of an element beyond its shape; only the base pack has these, by number of row. */
struct pack_row {
    struct pack_span constraints; /* numbers */
    uint32_t binding;             /* link */
    uint32_t flags;               /* RULE_REQUIRED, RULE_EXTENSIBLE */
    struct pack_span targets;     /* numbers: links */
    uint32_t profile;             /* link: that the type must satisfy; PACK_NONE */
    uint32_t says;                /* 1: any of these; most rows say nothing more */
};
/* ImplementationGuide.global: what the guide asks of every resource of a type. */
struct pack_global {
    uint32_t shape;
    uint32_t profile; /* link */
};
struct pack_dependency {
    struct pack_text name, version;
};

enum pack_section {
#define SECTION(NAME, field, type) PACK_##NAME,
#include "fhir/pack_sections.def"
#undef SECTION
    PACK_SECTIONS
};

struct pack_head {
    char magic[8];
    uint32_t format, shapes; /* PACK_FORMAT; fingerprint of the table of shapes */
    uint64_t size;           /* of all */
    uint8_t sha256[32];      /* of what follows the head */
    struct pack_text name, version, date;
    uint32_t valid_from, valid_until; /* 20260701; 0: open */
    struct pack_span index[PACK_KINDS];
    struct {
        uint64_t at;
        uint64_t n;
    } sections[PACK_SECTIONS];
};

/* Where a link leads: item of a kind in a pack; pack NULL: nowhere. */
struct pack_item {
    const struct pack *pack;
    uint32_t n;
};

struct pack {
    const struct pack_head *head;
    view bytes;
    const struct pack_item *link_to; /* by number of link; filled in when the set is linked */
    uint32_t first_profile;          /* number of the first one in the whole set */
#define SECTION(NAME, field, type)                                                                           \
    const type *field;                                                                                       \
    uint32_t n_##field;
#include "fhir/pack_sections.def"
#undef SECTION
};

/* bytes must outlive the pack and be 8-byte aligned.  E_CONFIG with place name: no pack, another format, another
 * table of shapes, or (with check) a wrong hash. */
err pack_open(view bytes, bool check, const char *name, struct pack *ret, struct fault *f) MUST_USE;
/* Number of the newest item with this URL (with this version when one is given); PACK_NONE.  hash is pack_hash(url). */
uint32_t pack_find(const struct pack *p, enum pack_kind kind, uint32_t hash, view url, view version);
view pack_version_of(const struct pack *p, enum pack_kind kind, uint32_t n);
/* Hash of a URL in the index. */
uint32_t pack_hash(view url);
/* Whether version a is newer than b: numbers between dots count as numbers. */
bool pack_is_newer(view a, view b);
/* The table of shapes of this program. */
uint32_t pack_shapes_fingerprint(void);

static inline view
pack_view(const struct pack *p, struct pack_text t)
{
    return (view){p->text + t.at, t.n};
}
static inline const struct pack_item *
pack_link_to(const struct pack *p, uint32_t link)
{
    return link == PACK_NONE ? NULL : &p->link_to[link];
}
/* for (PACK_EACH(i, span)) : i runs over the numbers of a span */
#define PACK_EACH(i, span)                                                                                   \
    uint32_t i = (span).from, i##_end = (span).from + (span).n;                                              \
    i < i##_end;                                                                                             \
    i++

/* A constant as a tree; the tree borrows from the pack. */
struct tree pack_tree(const struct pack *p, uint32_t constant);

#endif
