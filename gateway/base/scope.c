#include "base/scope.h"

#include "base/attr.h"

/* Rights of SMART v1 in the letters of v2. */
static view
rights_of(view word)
{
    static const struct {
        view word, rights;
    } words[] = {
        {V_INIT("read"), V_INIT("rs")}, {V_INIT("write"), V_INIT("cud")}, {V_INIT("*"), V_INIT("cruds")}};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_eq(word, words[i].word))
            return words[i].rights;
    return word;
}

/* system/Bundle.cruds grants system/Bundle.c, and so do system/Bundle.write (v1). */
static bool
grants(view granted, view needed)
{
    bool has_rights = false, needs_rights = false;
    if (view_eq(granted, needed))
        return true;
    view type = view_cut(&granted, '.', &has_rights), needed_type = view_cut(&needed, '.', &needs_rights);
    if (!view_starts(needed_type, V("system/")) || !has_rights || !needs_rights)
        return false;
    if (!view_eq(type, needed_type) && !view_eq(type, V("system/*")))
        return false;
    view rights = rights_of(granted), wanted = rights_of(needed);
    for (size_t i = 0; i < rights.n; i++)
        if (view_find_byte(V("cruds"), rights.p[i]) == 5)
            return false;
    for (size_t i = 0; i < wanted.n; i++)
        if (view_find_byte(rights, wanted.p[i]) == rights.n)
            return false;
    return wanted.n > 0;
}

bool
scopes_grant(view granted, view needed)
{
    if (!needed.n)
        return true;
    while (granted.n) {
        view one = view_cut(&granted, ' ', NULL);
        if (one.n && grants(one, needed))
            return true;
    }
    return false;
}
