#include "adapters/police/codes.h"

#define ERA_BOTH (ERA_OLD | ERA_NEW)

const struct police_code_row police_code_rows[] = {
#define CODE(column, era, major, minor, code) {COLUMN_##column, ERA_##era, major, minor, code},
#include "adapters/police/codes.def"
#undef CODE
};
const size_t police_code_rows_count = COUNT_OF(police_code_rows);

static const char *const column_words[] = {
#define COLUMN(id) #id,
#include "adapters/police/codes.def"
#undef COLUMN
};

const char *
police_column_word(enum police_column c)
{
    return c < COLUMN_COUNT ? column_words[c] : "";
}

const char *
police_era_word(enum police_era e)
{
    return e == ERA_NEW ? "2022" : "old";
}

enum police_era
police_era_of(view word)
{
    if (view_eq(word, V("2022")))
        return ERA_NEW;
    return view_eq(word, V("old")) ? ERA_OLD : (enum police_era)0;
}

/* First row whose column is not below c: the rows stand in the order of the columns. */
static size_t
lower_bound(unsigned c)
{
    size_t from = 0, to = police_code_rows_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (police_code_rows[middle].column < c)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

size_t
police_column_rows(enum police_column c, size_t *ret_n)
{
    size_t from = lower_bound(c);
    *ret_n = lower_bound((unsigned)c + 1) - from;
    return from;
}

static view
without_zeros(view code)
{
    while (code.n > 1 && code.p[0] == '0') {
        code.p++;
        code.n--;
    }
    return code;
}

static bool
states(view stated, const char *row)
{
    return stated.n == 0 || view_eq(stated, view_of(row));
}

const struct police_code_row *
police_code_find(enum police_column c, enum police_era era, view major, view minor, view code)
{
    const struct police_code_row *found = NULL;
    size_t n, from = police_column_rows(c, &n);
    if (minor.n == 0 && code.n == 0)
        return NULL;
    for (size_t i = from; i < from + n; i++) {
        const struct police_code_row *row = &police_code_rows[i];
        if (!(row->eras & era) || !states(major, row->major) || !states(minor, row->minor))
            continue;
        if (code.n && !view_eq(without_zeros(code), without_zeros(view_of(row->code))))
            continue;
        if (found && !view_eq(view_of(found->code), view_of(row->code)))
            return NULL; /* a name that two codes bear */
        if (!found)
            found = row;
    }
    return found;
}

bool
police_class_known(enum police_column c, enum police_era era, view major)
{
    size_t n, from = police_column_rows(c, &n);
    for (size_t i = from; i < from + n; i++)
        if ((police_code_rows[i].eras & era) && view_eq(major, view_of(police_code_rows[i].major)))
            return true;
    return false;
}
