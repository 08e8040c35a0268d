#include "base/view.h"

int
view_cmp(view a, view b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order != 0)
        return order < 0 ? -1 : 1;
    return (a.n > b.n) - (a.n < b.n);
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool
view_eq_nocase(view a, view b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

size_t
view_find_byte(view text, char c)
{
    const char *at = text.n ? memchr(text.p, c, text.n) : NULL;
    return at ? (size_t)(at - text.p) : text.n;
}

size_t
view_find(view text, view part)
{
    if (part.n == 0)
        return 0;
    const char *at = text.n >= part.n ? memmem(text.p, text.n, part.p, part.n) : NULL;
    return at ? (size_t)(at - text.p) : text.n;
}

view
view_cut(view *rest, char sep, bool *ret_found)
{
    view whole = *rest;
    size_t at = view_find_byte(whole, sep);
    bool found = at < whole.n;
    if (ret_found)
        *ret_found = found;
    *rest = found ? (view){whole.p + at + 1, whole.n - at - 1} : VIEW_NONE;
    return (view){whole.p, at};
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

view
view_trim(view text)
{
    while (text.n && is_space(text.p[0])) {
        text.p++;
        text.n--;
    }
    while (text.n && is_space(text.p[text.n - 1]))
        text.n--;
    return text;
}
