/* A case: one event, its people, facts, documents, claims (SCHEMA 3.2), and the facts of one document,
 * which have the same shape.
 *
 * All structs come from adapters/case.def: a record o is `struct case_o`, its members have the table's
 * names.  Every leaf carries its value and its source (which bytes of which document, and how the value
 * was had).  An absent leaf is zero: text with v.p == NULL, the others with set == false.  Everything lives
 * in an arena; views borrow from what they were made of (the document's bytes or the arena), which must
 * outlive the case.  One thread while it is written, any thread afterwards.
 *
 * Making one: case_make_<owner>_<member>(mem, owner) gives the optional record, new or the one that is
 * there; case_add_<owner>_<member>(mem, owner) appends to a list and gives the element its local id ("p1",
 * "exp2l3").  For members of the case itself the owner's name is left out: case_add_parties(mem, c).  NULL
 * when the arena is full (E_TOO_LARGE).  References are leaf_text "#id" (case_ref).  Lists are walked with
 * for (struct case_party *p = c->parties; p; p = p->next). */
#ifndef ADAPTERS_CASE_H
#define ADAPTERS_CASE_H

#include "base/arena.h"
#include "base/decimal.h"
#include "base/instant.h"
#include "base/json_tree.h"
#include "base/view.h"

#include <stdint.h>

enum source_how { HOW_NONE, HOW_COPIED, HOW_PARSED, HOW_MAPPED, HOW_COMPUTED, HOW_ASSERTED };

/* The gateway itself: no document stands behind the value. */
#define CASE_NO_DOCUMENT 0xFFFFu

/* 12 bytes (DECISIONS "Structure").  In the facts of one document, document is 0; in a folded case it is
 * the index in documents[].  Pointer and XPath are rendered from the range on demand.  how HOW_NONE: no
 * source is known. */
struct source {
    uint32_t from, length;
    uint16_t document;
    uint8_t how;
    uint8_t flags; /* 0 */
};

struct leaf_text {
    view v;
    struct source src;
};

struct leaf_decimal {
    decimal v;
    bool set;
    struct source src;
};

struct leaf_int {
    int64_t v;
    bool set;
    struct source src;
};

struct leaf_bool {
    bool v;
    bool set;
    struct source src;
};

/* raw: as written when that differs from the ISO form (a ROC date), else empty. */
struct leaf_date {
    date v;
    bool set;
    view raw;
    struct source src;
};

enum time_precision { TIME_INSTANT, TIME_DAY, TIME_MONTH, TIME_YEAR };

/* A point in time as stated: the offset is kept, because hospital days are counted on the calendar as
 * stated (DOMAIN D22).  A day without a time (precision TIME_DAY) is midnight at the offset. */
struct leaf_time {
    instant v;
    int16_t offset; /* minutes */
    uint8_t precision;
    bool set;
    struct source src;
};

/* Member of a list of texts or references. */
struct case_item {
    struct case_item *next;
    struct leaf_text text;
};

enum case_class {
    CLASS_inherit,
    CLASS_special,
    CLASS_personal,
    CLASS_business,
    CLASS_technical,
    CLASS_public,
    CLASS_COUNT
};

enum case_group {
#define GROUP(group) GROUP_##group,
#include "adapters/case_rows.h"
    GROUP_COUNT
};

enum case_words {
    WORDS_none,
#define WORDS(list, words) WORDS_##list,
#include "adapters/case_rows.h"
    WORDS_COUNT
};

enum case_record {
#define VALUE(o) RECORD_##o,
#define OBJECT(o) RECORD_##o,
#define ELEMENT(o) RECORD_##o,
#define ROOT() RECORD_case,
#include "adapters/case_rows.h"
    RECORD_COUNT
};

/* -- the structs -- */
#define VALUE(o)                                                                                             \
    struct case_##o {                                                                                        \
        struct case_##o *next;
#define OBJECT(o)                                                                                            \
    struct case_##o {                                                                                        \
        struct case_##o *next;                                                                               \
        view scope; /* id of the element that it belongs to */
#define ELEMENT(o)                                                                                           \
    struct case_##o {                                                                                        \
        struct case_##o *next;                                                                               \
        view id;
#define ROOT()                                                                                               \
    struct claim_case {                                                                                      \
        struct claim_case *next; /* NULL: the head has the shape of the others' */                           \
        view scope;              /* empty */                                                                 \
        arena *mem;                                                                                          \
        const struct case_origin *origin; /* what it was folded from; NULL for facts and decoded cases */
#define END(o)                                                                                               \
    }                                                                                                        \
    ;
#define ROOT_END()                                                                                           \
    }                                                                                                        \
    ;
#define TEXT(o, m, need, class, group) struct leaf_text m;
#define WORD(o, m, need, class, group, list) struct leaf_text m;
#define POINTER(o, m, need, class, group) struct leaf_text m;
#define REF(o, m, need, targets) struct leaf_text m;
#define BOOL(o, m, need, class, group) struct leaf_bool m;
#define INT(o, m, need, class, group) struct leaf_int m;
#define DECIMAL(o, m, need, class, group) struct leaf_decimal m;
#define DATE(o, m, need, class, group) struct leaf_date m;
#define TIME(o, m, need, class, group) struct leaf_time m;
#define CASE_LIST(type, m)                                                                                   \
    type *m, *m##_last;                                                                                      \
    uint32_t m##_n;
#define TEXTS(o, m, need, class, group) CASE_LIST(struct case_item, m)
#define REFS(o, m, need, targets) CASE_LIST(struct case_item, m)
#define PUT(o, m, need, class, group, t) struct case_##t m;
#define PUTS(o, m, need, class, group, t) CASE_LIST(struct case_##t, m)
#define ONE(o, m, need, t) struct case_##t *m;
#define LIST(o, m, need, t, prefix) CASE_LIST(struct case_##t, m)
#define ROOT_ONE(m, need, t) struct case_##t *m;
#define ROOT_LIST(m, need, t, prefix) CASE_LIST(struct case_##t, m)
struct case_origin;
#include "adapters/case_rows.h"

/* First two members of every element, object and value in a list (values have no id). */
struct case_head {
    struct case_head *next;
    view id;
};

/* -- making -- */
struct claim_case *case_new(arena *mem) MUST_USE;

/* Behind the functions below. slot: address of the list's first member. */
void *case_append(arena *mem, void *slot, size_t size, view scope, const char *prefix) MUST_USE;
void *case_append_value(arena *mem, void *slot, size_t size) MUST_USE;
void *case_make(arena *mem, void *slot, size_t size, view scope) MUST_USE;
/* scope + prefix + n; {NULL,0} when the arena is full. */
view case_make_id(arena *mem, view scope, const char *prefix, uint32_t n);

#define CASE_SCOPE(owner) (((const struct case_head *)(const void *)(owner))->id)
#define ADD_(name, owner_type, m, t)                                                                         \
    static inline UNUSED MUST_USE struct case_##t *name(arena *mem, owner_type *owner)
#define TEXTS(o, m, need, class, group)                                                                      \
    ADD_(case_add_##o##_##m, struct case_##o, m, item)                                                       \
    {                                                                                                        \
        return (struct case_item *)case_append_value(mem, (void *)&owner->m, sizeof(struct case_item));      \
    }
#define REFS(o, m, need, targets) TEXTS(o, m, need, technical, follow)
#define PUTS(o, m, need, class, group, t)                                                                    \
    ADD_(case_add_##o##_##m, struct case_##o, m, t)                                                          \
    {                                                                                                        \
        return (struct case_##t *)case_append_value(mem, (void *)&owner->m, sizeof(struct case_##t));        \
    }
#define LIST(o, m, need, t, prefix)                                                                          \
    ADD_(case_add_##o##_##m, struct case_##o, m, t)                                                          \
    {                                                                                                        \
        return (struct case_##t *)case_append(mem, (void *)&owner->m, sizeof(struct case_##t),               \
                                              CASE_SCOPE(owner), prefix);                                    \
    }
#define ROOT_LIST(m, need, t, prefix)                                                                        \
    ADD_(case_add_##m, struct claim_case, m, t)                                                              \
    {                                                                                                        \
        return (struct case_##t *)case_append(mem, (void *)&owner->m, sizeof(struct case_##t),               \
                                              CASE_SCOPE(owner), prefix);                                    \
    }
#define ONE(o, m, need, t)                                                                                   \
    ADD_(case_make_##o##_##m, struct case_##o, m, t)                                                         \
    {                                                                                                        \
        return (struct case_##t *)case_make(mem, (void *)&owner->m, sizeof(struct case_##t),                 \
                                            CASE_SCOPE(owner));                                              \
    }
#define ROOT_ONE(m, need, t)                                                                                 \
    ADD_(case_make_##m, struct claim_case, m, t)                                                             \
    {                                                                                                        \
        return (struct case_##t *)case_make(mem, (void *)&owner->m, sizeof(struct case_##t),                 \
                                            CASE_SCOPE(owner));                                              \
    }
#include "adapters/case_rows.h"
#undef ADD_

/* -- leaves -- */
static inline struct source
source_of(size_t from, size_t length, enum source_how how)
{
    return (struct source){.from = (uint32_t)from, .length = (uint32_t)length, .how = (uint8_t)how};
}

/* The bytes of a value in the document. */
static inline struct source
source_of_node(const struct node *n, enum source_how how)
{
    return n ? source_of(n->from, n->length, how) : source_of(0, 0, how);
}

/* Set by the gateway's own rows, not by a document. */
static inline struct source
source_gateway(enum source_how how)
{
    return (struct source){.document = CASE_NO_DOCUMENT, .how = (uint8_t)how};
}

static inline void
leaf_set_text(struct leaf_text *leaf, view v, struct source src)
{
    *leaf = (struct leaf_text){v, src};
}

static inline void
leaf_set_decimal(struct leaf_decimal *leaf, decimal v, struct source src)
{
    *leaf = (struct leaf_decimal){v, true, src};
}

static inline void
leaf_set_int(struct leaf_int *leaf, int64_t v, struct source src)
{
    *leaf = (struct leaf_int){v, true, src};
}

static inline void
leaf_set_bool(struct leaf_bool *leaf, bool v, struct source src)
{
    *leaf = (struct leaf_bool){v, true, src};
}

static inline void
leaf_set_date(struct leaf_date *leaf, date v, view raw, struct source src)
{
    *leaf = (struct leaf_date){v, true, raw, src};
}

static inline void
leaf_set_time(struct leaf_time *leaf, instant v, int offset_minutes, struct source src)
{
    *leaf = (struct leaf_time){v, (int16_t)offset_minutes, TIME_INSTANT, true, src};
}

/* TWD unless the document says otherwise: currency empty means TWD. */
void case_set_money(struct case_money *m, decimal amount, view currency, struct source src);
/* A FHIR dateTime or date (YYYY, YYYY-MM, YYYY-MM-DD, RFC 3339). E_SYNTAX. */
err leaf_parse_time(struct leaf_time *leaf, view text, struct source src) MUST_USE;
/* The calendar day at the offset as stated. */
date leaf_day(const struct leaf_time *leaf);
/* Sets leaf to "#id"; false when the arena is full. */
bool case_ref(arena *mem, struct leaf_text *leaf, view id, struct source src) MUST_USE;

/* Elements of the root lists by local id, with or without '#'; NULL when absent. */
struct case_party *case_party_of(const struct claim_case *c, view id);
struct case_encounter *case_encounter_of(const struct claim_case *c, view id);
struct case_expense *case_expense_of(const struct claim_case *c, view id);
struct case_vehicle *case_vehicle_of(const struct claim_case *c, view id);
struct case_claim *case_claim_of(const struct claim_case *c, view id);
struct case_document *case_document_of(const struct claim_case *c, view id);
/* An element of any list, also nested, with its record; NULL when absent. */
void *case_element_of(const struct claim_case *c, view id, enum case_record *ret_record);

/* In the facts of one document, "#d1" is the document itself; it need not stand in documents[]. */
#define CASE_OWN_DOCUMENT V("#d1")

/* -- the table -- */
enum case_kind {
    FIELD_TEXT,
    FIELD_WORD,
    FIELD_POINTER,
    FIELD_REF,
    FIELD_BOOL,
    FIELD_INT,
    FIELD_DECIMAL,
    FIELD_DATE,
    FIELD_TIME,
    FIELD_TEXTS,
    FIELD_REFS,
    FIELD_PUT,
    FIELD_PUTS,
    FIELD_ONE,
    FIELD_LIST,
};

struct case_field {
    const char *name; /* member; case_field_name gives the JSON name */
    uint8_t name_n;
    uint8_t kind;  /* enum case_kind */
    uint8_t class; /* enum case_class */
    uint8_t group; /* enum case_group */
    uint16_t offset;
    uint8_t words;  /* enum case_words */
    uint8_t record; /* enum case_record of PUT, PUTS, ONE, LIST */
    bool required;
    const char *targets; /* REF, REFS: root lists; LIST: id prefix */
};

enum case_form { FORM_VALUE, FORM_OBJECT, FORM_ELEMENT, FORM_ROOT };

struct case_row {
    const char *name;
    enum case_form form;
    uint16_t size;
    const struct case_field *fields;
    uint16_t n;
};

const struct case_row *case_row_of(enum case_record record);
const char *case_group_word(enum case_group group);
/* GROUP_COUNT when unknown. */
enum case_group case_group_of(view word);
const char *case_class_word(enum case_class class);
/* "a|b|c" */
const char *case_words_text(enum case_words list);
bool case_word_known(enum case_words list, view word);

/* As a list in memory: CASE_LIST in the structs. */
struct case_list {
    void *first, *last;
    uint32_t n;
};
/* The longest JSON name; a unit test looks. */
#define CASE_NAME_MAX 60

static inline view
case_field_name(const struct case_field *f)
{
    return (view){f->name, (size_t)f->name_n - (f->name[f->name_n - 1] == '_')};
}

#endif
