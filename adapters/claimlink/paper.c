#include "adapters/claimlink/paper.h"

#define NEED_R NEED_ALWAYS
#define NEED_O NEED_NEVER

#define SHAPE(o) static const struct layout_field fields_##o[] = {
#define END(o)                                                                                               \
    }                                                                                                        \
    ;
#define ROW(m, kind, need, arg, least, most, text)                                                           \
    {V_INIT(#m), LAYOUT_##kind, NEED_##need, arg, least, most, text},
#include "adapters/claimlink/paper_rows.h"

static const struct layout_shape shapes[] = {
#define SHAPE(o) [SHAPE_##o] = {#o, fields_##o, COUNT_OF(fields_##o)},
#define END(o)
#define ROW(...)
#include "adapters/claimlink/paper_rows.h"
};

static const char *const word_lists[] = {
#define WORDS(list, words) words,
#include "adapters/claimlink/paper.def"
#undef WORDS
};

static const struct {
    const char *word;
    enum paper_shape shape;
    enum document_kind kinds[AUTHOR_COUNT];
} parts[] = {
#define PART(id, owner, shop, insurer) {#id, SHAPE_##id, {KIND_##owner, KIND_##shop, KIND_##insurer}},
#include "adapters/claimlink/paper.def"
#undef PART
};

static const char *const authors[] = {"owner", "shop", "insurer"};

const struct layout *
paper_layout(void)
{
    static const struct layout paper = {.name = "motor-filing-1",
                                        .shapes = shapes,
                                        .n_shapes = SHAPE_COUNT,
                                        .words = word_lists,
                                        .code = SHAPE_NONE};
    return &paper;
}

const char *
motor_part_word(enum motor_part p)
{
    return parts[p].word;
}

enum motor_part
motor_part_of(view word)
{
    int i = 0;
    while (i < PART_COUNT && !view_eq(word, view_of(parts[i].word)))
        i++;
    return (enum motor_part)i;
}

enum paper_shape
motor_part_shape(enum motor_part p)
{
    return parts[p].shape;
}

enum motor_author
motor_author_of(view word)
{
    int i = 0;
    while (i < AUTHOR_COUNT && !view_eq(word, view_of(authors[i])))
        i++;
    return (enum motor_author)i;
}

enum document_kind
motor_part_kind(enum motor_part p, enum motor_author a)
{
    return parts[p].kinds[a];
}
