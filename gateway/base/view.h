/* A view is a borrowed run of bytes: pointer and length, passed by value.  It owns nothing and need not
 * end in NUL.  The empty view {NULL, 0} means absent where a header says so.  Any thread. */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct view {
    const char *p;
    size_t n;
} view;

#define V(literal) ((view){"" literal, sizeof(literal) - 1})
#define VIEW_NONE ((view){NULL, 0})
/* For static tables, where C wants a constant: {V_INIT("a"), V_INIT("b")} */
#define V_INIT(literal)                                                                                      \
    {                                                                                                        \
        "" literal, sizeof(literal) - 1                                                                      \
    }
/* For printf: "%.*s", VIEW_ARG(v) */
#define VIEW_ARG(v) (int)(v).n, (v).p ? (v).p : ""

static inline view
view_of(const char *text)
{
    return (view){text, text ? strlen(text) : 0};
}

static inline view
view_make(const void *p, size_t n)
{
    return (view){p, n};
}

static inline bool
view_eq(view a, view b)
{
    /* Most that differ do so in the first byte. */
    return a.n == b.n && (a.n == 0 || (a.p[0] == b.p[0] && memcmp(a.p, b.p, a.n) == 0));
}

static inline bool
view_starts(view text, view prefix)
{
    return text.n >= prefix.n && (prefix.n == 0 || memcmp(text.p, prefix.p, prefix.n) == 0);
}

static inline bool
view_ends(view text, view suffix)
{
    return text.n >= suffix.n &&
           (suffix.n == 0 || memcmp(text.p + text.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* from beyond the end gives the empty view; length is clipped. */
static inline view
view_sub(view text, size_t from, size_t length)
{
    if (from >= text.n)
        return VIEW_NONE;
    size_t rest = text.n - from;
    return (view){text.p + from, length < rest ? length : rest};
}

/* Byte order, shorter first on a tie: for sorted tables. */
int view_cmp(view a, view b);
/* ASCII only. */
bool view_eq_nocase(view a, view b);
/* Position of the first byte c, or text.n. */
size_t view_find_byte(view text, char c);
/* Position of the first occurrence, or text.n. */
size_t view_find(view text, view part);
/* Cuts *rest at the first sep: returns what stands before it, leaves what stands after it in *rest and
 * says in *ret_found whether sep was there, so that "a" and "a/" stay different.  ret_found may be NULL. */
view view_cut(view *rest, char sep, bool *ret_found);
/* Without ASCII white space at both ends. */
view view_trim(view text);

#endif
