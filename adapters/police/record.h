/* The form of an accident record as data: shapes with their members (record.def), for the check, the XML reader and writer and the schema files.
 *
 * Constant data; any thread. */
#ifndef ADAPTERS_POLICE_RECORD_H
#define ADAPTERS_POLICE_RECORD_H

#include "base/attr.h"
#include "base/view.h"

#include <stdint.h>

#define RECORD_NAMESPACE "https://claimgate.tw/accident-record/1"
#define RECORD_ROOT "accident_record"

enum record_kind {
    MEMBER_TEXT,
    MEMBER_TEXTS,
    MEMBER_WORD,
    MEMBER_INT,
    MEMBER_DECIMAL,
    MEMBER_BOOL,
    MEMBER_DATE,
    MEMBER_TIME,
    MEMBER_CODE,
    MEMBER_CODES,
    MEMBER_ONE,
    MEMBER_LIST,
};

enum record_need { NEED_OPTIONAL, NEED_UNLESS_INQUEST, NEED_ALWAYS };

enum record_shape {
#define SHAPE(o) SHAPE_##o,
#define END(o)
#define ROW(...)
#include "adapters/police/record.def"
    SHAPE_COUNT,
    SHAPE_NONE = SHAPE_COUNT
};

enum record_words {
#define WORDS(list, words) RECORD_WORDS_##list,
#include "adapters/police/record.def"
#undef WORDS
    RECORD_WORDS_COUNT
};

enum record_form {
#define FORM(id, set, least, most, what) FORM_##id,
#include "adapters/police/record.def"
#undef FORM
    FORM_COUNT
};

struct record_field {
    view name;
    uint8_t kind, need;
    uint8_t arg; /* form, word list, column or shape */
    int32_t min, max;
    const char *text;
};

struct record_shape_row {
    const char *name;
    const struct record_field *fields;
    size_t n;
};

struct record_form_row {
    const char *name, *set;
    uint32_t least, most;
    const char *what;
};

const struct record_shape_row *record_shape_of(enum record_shape s);
/* NULL when the shape has no such member; SHAPE_NONE has none. */
const struct record_field *record_field_of(enum record_shape s, view name);
const char *record_words_of(enum record_words w);
bool record_word_known(enum record_words w, view word);
/* Does an agency of this kind write this part? */
bool record_may_write(view agency_kind, view part);
const struct record_form_row *record_form_of(enum record_form f);
bool record_form_fits(enum record_form f, view text);
/* Shape of the object that is a member of this kind, or its items: SHAPE_NONE for plain values. */
enum record_shape record_field_shape(const struct record_field *f);
bool record_field_is_list(const struct record_field *f);

#endif
