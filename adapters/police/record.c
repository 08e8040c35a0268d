#include "adapters/police/record.h"

#include "adapters/police/codes.h"
#include "base/text.h"

#define NEED_R NEED_ALWAYS
#define NEED_P NEED_MOSTLY
#define NEED_O NEED_NEVER

#define SHAPE(o) static const struct layout_field fields_##o[] = {
#define END(o)                                                                                               \
    }                                                                                                        \
    ;
#define ROW(m, kind, need, arg, least, most, text)                                                           \
    {V_INIT(#m), LAYOUT_##kind, NEED_##need, arg, least, most, text},
#include "adapters/police/record.def"

static const struct layout_shape shapes[] = {
#define SHAPE(o) [SHAPE_##o] = {#o, fields_##o, COUNT_OF(fields_##o)},
#define END(o)
#define ROW(...)
#include "adapters/police/record.def"
};

static const char *const words[] = {
#define WORDS(list, words) words,
#include "adapters/police/record.def"
#undef WORDS
};

static const struct {
    const char *agency_kind, *parts;
} writers[] = {
#define WRITES(kind, parts) {kind, parts},
#include "adapters/police/record.def"
#undef WRITES
};

static const struct layout_text texts[] = {
#define FORM(id, set, least, most, what) {#id, set, least, most, what},
#include "adapters/police/record.def"
#undef FORM
};

const struct layout *
record_layout(void)
{
    static const struct layout record = {.name = RECORD_NAME,
                                         .shapes = shapes,
                                         .n_shapes = SHAPE_COUNT,
                                         .words = words,
                                         .texts = texts,
                                         .code = SHAPE_code};
    return &record;
}

bool
record_may_write(view agency_kind, view part)
{
    for (size_t i = 0; i < COUNT_OF(writers); i++)
        if (view_eq(agency_kind, view_of(writers[i].agency_kind)))
            return text_is_one_of(part, writers[i].parts);
    return false;
}
