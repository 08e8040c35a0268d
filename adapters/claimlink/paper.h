/* The form of a motor filing's papers as data (paper.def), for the check and for openapi/motor-filing.schema.json.
 *
 * Constant data; any thread. */
#ifndef ADAPTERS_CLAIMLINK_PAPER_H
#define ADAPTERS_CLAIMLINK_PAPER_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/view.h"
#include "signing/verify.h"

enum paper_kind {
    PAPER_TEXT,
    PAPER_WORD,
    PAPER_INT,
    PAPER_INTS,
    PAPER_DECIMAL,
    PAPER_AMOUNT,
    PAPER_BOOL,
    PAPER_DATE,
    PAPER_TIME,
    PAPER_ONE,
    PAPER_LIST,
};

enum paper_shape {
#define SHAPE(o) SHAPE_##o,
#define END(o)
#define ROW(...)
#include "adapters/claimlink/paper_rows.h"
    SHAPE_COUNT,
    SHAPE_NONE = SHAPE_COUNT
};

enum paper_words {
#define WORDS(list, words) PAPER_WORDS_##list,
#include "adapters/claimlink/paper.def"
#undef WORDS
    PAPER_WORDS_COUNT
};

enum motor_part {
#define PART(id, owner, shop, insurer) PART_##id,
#include "adapters/claimlink/paper.def"
#undef PART
    PART_COUNT
};

enum motor_author { AUTHOR_OWNER, AUTHOR_SHOP, AUTHOR_INSURER, AUTHOR_COUNT };

struct paper_field {
    view name;
    uint8_t kind;
    bool required;
    uint8_t arg;         /* word list or shape */
    int32_t least, most; /* characters, values or items */
    const char *text;
};

struct paper_shape_row {
    const char *name;
    const struct paper_field *fields;
    size_t n;
};

const struct paper_shape_row *paper_shape_of(enum paper_shape s);
/* NULL when the shape has no such member. */
const struct paper_field *paper_field_of(enum paper_shape s, view name);
/* "a|b|c" */
const char *paper_words_of(enum paper_words w);
bool paper_word_known(enum paper_words w, view word);
/* Shape of a member that is an object, or of its items; SHAPE_NONE for plain values. */
enum paper_shape paper_field_shape(const struct paper_field *f);

const char *motor_part_word(enum motor_part p);
/* PART_COUNT when unknown. */
enum motor_part motor_part_of(view word);
enum paper_shape motor_part_shape(enum motor_part p);
/* AUTHOR_COUNT when unknown. */
enum motor_author motor_author_of(view word);
/* KIND_COUNT: such an author writes no such paper. */
enum document_kind motor_part_kind(enum motor_part p, enum motor_author a);

/* openapi/motor-filing.schema.json */
void paper_print_schema(struct buf *out);

#endif
