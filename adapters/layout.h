/* The layout of an outside form as data: shapes of objects with their members.  A form is a table in a .def file
 * (police/record.def, claimlink/paper.def); this holds a document against it.
 *
 * Layouts are constant data; any thread. */
#ifndef ADAPTERS_LAYOUT_H
#define ADAPTERS_LAYOUT_H

#include "adapters/case.h"
#include "base/issue.h"
#include "base/json_tree.h"

enum layout_kind {
    LAYOUT_TEXT,
    LAYOUT_TEXTS,
    LAYOUT_WORD,
    LAYOUT_INT,
    LAYOUT_INTS,
    LAYOUT_NUMBER, /* a decimal that JSON writes as a number */
    LAYOUT_AMOUNT, /* a decimal that JSON writes as a text: not below 0, at most four places */
    LAYOUT_BOOL,
    LAYOUT_DATE,
    LAYOUT_TIME, /* with offset */
    LAYOUT_CODE, /* an object that has at least one of its members */
    LAYOUT_CODES,
    LAYOUT_ONE,
    LAYOUT_LIST,
};

/* Whether a member is required: of no document, of all but those that ask for less, of all. */
enum layout_need { NEED_NEVER, NEED_MOSTLY, NEED_ALWAYS };

struct layout_field {
    view name;
    uint8_t kind, need;
    uint8_t arg;         /* form of text, list of words, shape; of a code what the form's owner wants */
    int32_t least, most; /* characters, values or items */
    const char *text;    /* what it is, for people */
};

struct layout_shape {
    const char *name;
    const struct layout_field *fields;
    size_t n;
};

/* A form of text.  set: ASCII characters and ranges, a hyphen last; "" = any but controls. */
struct layout_text {
    const char *name, *set;
    uint32_t least, most; /* characters */
    const char *what;
};

struct layout {
    const char *name; /* as documents call it: "motor-filing-1" */
    const struct layout_shape *shapes;
    size_t n_shapes;
    const char *const *words;        /* "a|b|c" by list */
    const struct layout_text *texts; /* by field.arg; NULL: any text of least to most characters */
    size_t code;                     /* shape of a code; n_shapes where there are none */
};

/* NULL when the shape has no such member; n_shapes has none. */
const struct layout_field *layout_field_of(const struct layout *l, size_t shape, view name);
/* Of the object that is a member of this kind, or of its items; n_shapes for plain values. */
size_t layout_shape_of(const struct layout *l, const struct layout_field *f);
bool layout_is_list(const struct layout_field *f);

struct layout_document {
    const struct layout *layout;
    const struct tree *tree;
    arena *mem;
    struct issues *issues;
    struct claim_case *facts; /* what the form does not know is kept in its `unmapped` */
    enum layout_need asks;    /* NEED_MOSTLY, or NEED_ALWAYS of one that asks for less */
};

/* From the root, an object of that shape, in document order.  What is not in form becomes an issue ISSUE_ERROR, an unknown member a finding
 * E_UNMAPPED.  E_TOO_LARGE: the arena is full. */
err layout_check(const struct layout_document *d, size_t root) MUST_USE;

#endif
