/* What a list of scopes grants: every pair by its meaning, none by accident. */
#include "base/scope.h"

#include "base/attr.h"

#include <criterion/criterion.h>

static const struct {
    const char *granted, *needed;
    bool grants;
} pairs[] = {
    {"system/Bundle.c", "system/Bundle.c", true},
    {"system/Bundle.cruds", "system/Bundle.c", true},
    {"system/Bundle.cruds", "system/Bundle.rs", true},
    {"system/Bundle.write", "system/Bundle.c", true},
    {"system/Bundle.read", "system/Bundle.r", true},
    {"system/Bundle.*", "system/Bundle.c", true},
    {"system/*.cruds", "system/Bundle.c", true},
    {"system/*.read", "system/Bundle.r", true},
    {"claims:read system/Bundle.r", "system/Bundle.r", true},
    {"system/Bundle.cruds", "system/Bundle.read", true},
    {"anything", "", true},
    {"", "", true},
    {"", "system/Bundle.c", false},
    {"system/Bundle.r", "system/Bundle.c", false},
    {"system/Bundle.read", "system/Bundle.c", false},
    {"system/Bundle.create", "system/Bundle.r", false}, /* letters of a word are no rights */
    {"system/Claim.c", "system/Bundle.c", false},
    {"user/Bundle.c", "system/Bundle.c", false},
    {"system/Bundle", "system/Bundle.c", false},
    {"system/Bundle.c", "system/*.c", false},
    {"claims:*", "claims:read", false},
    {"claims:readx", "claims:read", false},
    {"claims:read", "claims:write", false},
    {"system/Bundle.c", "system/Bundle.", false},
};

Test(scope, a_list_grants_by_meaning)
{
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        cr_expect_eq(scopes_grant(view_of(pairs[i].granted), view_of(pairs[i].needed)), pairs[i].grants,
                     "\"%s\" for \"%s\"", pairs[i].granted, pairs[i].needed);
}
