#include "adapters/police/record.h"

#include "adapters/police/codes.h"
#include "base/text.h"

#define NEED_R NEED_ALWAYS
#define NEED_P NEED_UNLESS_INQUEST
#define NEED_O NEED_OPTIONAL

#define SHAPE(o) static const struct record_field fields_##o[] = {
#define END(o)                                                                                               \
    }                                                                                                        \
    ;
#define ROW(m, kind, need, arg, min, max, text) {V_INIT(#m), MEMBER_##kind, NEED_##need, arg, min, max, text},
#include "adapters/police/record.def"

static const struct record_shape_row shapes[] = {
#define SHAPE(o) [SHAPE_##o] = {#o, fields_##o, COUNT_OF(fields_##o)},
#define END(o)
#define ROW(...)
#include "adapters/police/record.def"
};

static const char *const word_lists[] = {
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

static const struct record_form_row forms[] = {
#define FORM(id, set, least, most, what) {#id, set, least, most, what},
#include "adapters/police/record.def"
#undef FORM
};

const struct record_shape_row *
record_shape_of(enum record_shape s)
{
    return &shapes[s];
}

const struct record_field *
record_field_of(enum record_shape s, view name)
{
    if (s >= SHAPE_COUNT)
        return NULL;
    for (size_t i = 0; i < shapes[s].n; i++)
        if (view_eq(shapes[s].fields[i].name, name))
            return &shapes[s].fields[i];
    return NULL;
}

const char *
record_words_of(enum record_words w)
{
    return word_lists[w];
}

static bool
is_in(const char *list, view word)
{
    view rest = view_of(list);
    bool more = true;
    while (more)
        if (view_eq(view_cut(&rest, '|', &more), word))
            return true;
    return false;
}

bool
record_word_known(enum record_words w, view word)
{
    return is_in(word_lists[w], word);
}

bool
record_may_write(view agency_kind, view part)
{
    for (size_t i = 0; i < COUNT_OF(writers); i++)
        if (view_eq(agency_kind, view_of(writers[i].agency_kind)))
            return is_in(writers[i].parts, part);
    return false;
}

const struct record_form_row *
record_form_of(enum record_form f)
{
    return &forms[f];
}

static bool
set_has(const char *set, char c)
{
    for (; *set; set++) {
        if (set[1] == '-' && set[2]) {
            if (c >= set[0] && c <= set[2])
                return true;
            set += 2;
        } else if (c == *set) {
            return true;
        }
    }
    return false;
}

bool
record_form_fits(enum record_form f, view text)
{
    const struct record_form_row *row = &forms[f];
    size_t n = text_length(text);
    if (n < row->least || n > row->most)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (*row->set ? !set_has(row->set, text.p[i]) : c == 0x7F || (c < 0x20 && c != '\n' && c != '\t'))
            return false;
    }
    return true;
}

enum record_shape
record_field_shape(const struct record_field *f)
{
    if (f->kind == MEMBER_CODE || f->kind == MEMBER_CODES)
        return SHAPE_code;
    return f->kind == MEMBER_ONE || f->kind == MEMBER_LIST ? (enum record_shape)f->arg : SHAPE_NONE;
}

bool
record_field_is_list(const struct record_field *f)
{
    return f->kind == MEMBER_TEXTS || f->kind == MEMBER_CODES || f->kind == MEMBER_LIST;
}
