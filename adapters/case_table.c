#include "adapters/case.h"

/* One array of fields per record, then the table of records.  The macros are only abbreviations of the
 * columns of struct case_field. */
#define ROW_(owner, m, k, cls, grp, list, rec, need, text)                                                   \
    {#m,           sizeof #m - 1, FIELD_##k,   CLASS_##cls, GROUP_##grp, offsetof(owner, m),                 \
     WORDS_##list, rec,           NEED_##need, text},
#define NEED_R true
#define NEED_O false

#define VALUE(o) static const struct case_field fields_##o[] = {
#define OBJECT(o) VALUE(o)
#define ELEMENT(o) VALUE(o)
#define ROOT() VALUE(case)
#define END(o)                                                                                               \
    }                                                                                                        \
    ;
#define ROOT_END() END(case)
#define TEXT(o, m, need, cls, grp) ROW_(struct case_##o, m, TEXT, cls, grp, none, 0, need, NULL)
#define WORD(o, m, need, cls, grp, list) ROW_(struct case_##o, m, WORD, cls, grp, list, 0, need, NULL)
#define POINTER(o, m, need, cls, grp) ROW_(struct case_##o, m, POINTER, cls, grp, none, 0, need, NULL)
#define REF(o, m, need, targets) ROW_(struct case_##o, m, REF, technical, follow, none, 0, need, targets)
#define BOOL(o, m, need, cls, grp) ROW_(struct case_##o, m, BOOL, cls, grp, none, 0, need, NULL)
#define INT(o, m, need, cls, grp) ROW_(struct case_##o, m, INT, cls, grp, none, 0, need, NULL)
#define DECIMAL(o, m, need, cls, grp) ROW_(struct case_##o, m, DECIMAL, cls, grp, none, 0, need, NULL)
#define DATE(o, m, need, cls, grp) ROW_(struct case_##o, m, DATE, cls, grp, none, 0, need, NULL)
#define TIME(o, m, need, cls, grp) ROW_(struct case_##o, m, TIME, cls, grp, none, 0, need, NULL)
#define TEXTS(o, m, need, cls, grp) ROW_(struct case_##o, m, TEXTS, cls, grp, none, 0, need, NULL)
#define REFS(o, m, need, targets) ROW_(struct case_##o, m, REFS, technical, follow, none, 0, need, targets)
#define PUT(o, m, need, cls, grp, t) ROW_(struct case_##o, m, PUT, cls, grp, none, RECORD_##t, need, NULL)
#define PUTS(o, m, need, cls, grp, t) ROW_(struct case_##o, m, PUTS, cls, grp, none, RECORD_##t, need, NULL)
#define ONE(o, m, need, t) ROW_(struct case_##o, m, ONE, inherit, inherit, none, RECORD_##t, need, NULL)
#define LIST(o, m, need, t, prefix)                                                                          \
    ROW_(struct case_##o, m, LIST, inherit, inherit, none, RECORD_##t, need, prefix)
#define ROOT_ONE(m, need, t) ROW_(struct claim_case, m, ONE, inherit, inherit, none, RECORD_##t, need, NULL)
#define ROOT_LIST(m, need, t, prefix)                                                                        \
    ROW_(struct claim_case, m, LIST, inherit, inherit, none, RECORD_##t, need, prefix)
#include "adapters/case_rows.h"

static const struct case_row rows[] = {
#define RECORD_ROW_(o, kind, type) [RECORD_##o] = {#o, kind, sizeof(type), fields_##o, COUNT_OF(fields_##o)},
#define VALUE(o) RECORD_ROW_(o, FORM_VALUE, struct case_##o)
#define OBJECT(o) RECORD_ROW_(o, FORM_OBJECT, struct case_##o)
#define ELEMENT(o) RECORD_ROW_(o, FORM_ELEMENT, struct case_##o)
#define ROOT() RECORD_ROW_(case, FORM_ROOT, struct claim_case)
#include "adapters/case_rows.h"
};

_Static_assert(RECORD_COUNT < 256, "struct case_field keeps the record in one byte");
_Static_assert(WORDS_COUNT < 256, "struct case_field keeps the word list in one byte");
/* GROUP_inherit and GROUP_follow stand in no mask, so that 64 bits do for the rest. */
_Static_assert(GROUP_COUNT <= 64, "a group is a bit of struct case_filter");
_Static_assert(sizeof(struct source) == 12, "the stored form of a source");

static const char *const group_words[] = {
#define GROUP(group) #group,
#include "adapters/case_rows.h"
};

static const char *const class_words[] = {"inherit",  "special",   "personal",
                                          "business", "technical", "public"};

static const char *const word_lists[] = {
    "",
#define WORDS(list, words) words,
#include "adapters/case_rows.h"
};

const struct case_row *
case_row_of(enum case_record record)
{
    return &rows[record];
}

const char *
case_group_word(enum case_group group)
{
    return group_words[group];
}

enum case_group
case_group_of(view word)
{
    for (unsigned g = 0; g < GROUP_COUNT; g++)
        if (view_eq(view_of(group_words[g]), word))
            return (enum case_group)g;
    return GROUP_COUNT;
}

const char *case_class_word(enum case_class class)
{
    return class_words[class];
}

const char *
case_words_text(enum case_words list)
{
    return word_lists[list];
}

bool
case_word_known(enum case_words list, view word)
{
    const char *p = word_lists[list];
    if (word.n == 0)
        return false;
    while (*p) {
        const char *end = strchr(p, '|');
        size_t n = end ? (size_t)(end - p) : strlen(p);
        if (n == word.n && memcmp(p, word.p, n) == 0)
            return true;
        if (!end)
            return false;
        p = end + 1;
    }
    return false;
}
