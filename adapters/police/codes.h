/* The police's code tables: which number of the form a label stands for, and the other way (codes.def).
 *
 * A key is (column, class, name, era): names alone are not unique (DOMAIN D17).  Nothing is guessed: a class that contradicts the table leaves the value
 * unresolved.  Constant data; any thread. */
#ifndef ADAPTERS_POLICE_CODES_H
#define ADAPTERS_POLICE_CODES_H

#include "base/attr.h"
#include "base/view.h"

#include <stdint.h>

enum police_column {
#define COLUMN(id) COLUMN_##id,
#include "adapters/police/codes.def"
#undef COLUMN
    COLUMN_COUNT
};

enum police_era { ERA_OLD = 1, ERA_NEW = 2 };

struct police_code_row {
    uint8_t column; /* enum police_column */
    uint8_t eras;   /* enum police_era, or'ed */
    const char *major, *minor, *code;
};

extern const struct police_code_row police_code_rows[];
extern const size_t police_code_rows_count;

const char *police_column_word(enum police_column c);
/* "old", "2022" */
const char *police_era_word(enum police_era e);
/* 0 when unknown. */
enum police_era police_era_of(view word);

/* What a sender stated; absent parts are empty.  A code alone, a name alone (when all that bear it in this column and era have one code) or class and name
 * are enough; what is stated must agree.  Leading zeros of a code do not count.  NULL when it is not resolved.  The row is the canonical one of its code
 * unless a name was stated. */
const struct police_code_row *police_code_find(enum police_column c, enum police_era era, view major,
                                               view minor, view code);
/* Is there such a class in the column. */
bool police_class_known(enum police_column c, enum police_era era, view major);
/* Rows of a column: first index, count in *ret_n. */
size_t police_column_rows(enum police_column c, size_t *ret_n);

#endif
