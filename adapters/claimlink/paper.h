/* The form of a motor filing's papers as data (paper.def), for the check and for openapi/motor-filing.schema.json.
 *
 * Constant data; any thread. */
#ifndef ADAPTERS_CLAIMLINK_PAPER_H
#define ADAPTERS_CLAIMLINK_PAPER_H

#include "adapters/layout.h"
#include "signing/verify.h"

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

const struct layout *paper_layout(void);

const char *motor_part_word(enum motor_part p);
/* PART_COUNT when unknown. */
enum motor_part motor_part_of(view word);
enum paper_shape motor_part_shape(enum motor_part p);
/* AUTHOR_COUNT when unknown. */
enum motor_author motor_author_of(view word);
/* KIND_COUNT: such an author writes no such paper. */
enum document_kind motor_part_kind(enum motor_part p, enum motor_author a);

#endif
