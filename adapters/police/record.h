/* The form of an accident record as data: shapes with their members (record.def), for the check, the XML reader and writer and the schema files.
 *
 * Constant data; any thread. */
#ifndef ADAPTERS_POLICE_RECORD_H
#define ADAPTERS_POLICE_RECORD_H

#include "adapters/layout.h"

#define RECORD_NAME "accident-record-1"
#define RECORD_NAMESPACE "https://claimgate.tw/accident-record/1"
#define RECORD_ROOT "accident_record"

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

const struct layout *record_layout(void);
/* Does an agency of this kind write this part? */
bool record_may_write(view agency_kind, view part);
#endif
