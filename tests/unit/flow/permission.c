#include "flow/case/permission.h"

#include <criterion/criterion.h>

#define NOW ((instant){1000000})

static struct row_permission
good(void)
{
    struct row_permission p = {.kind = V("consent"),
                               .level = V("presumption"),
                               .purpose = V("claim"),
                               .kinds = V("certificate receipt"),
                               .valid_from = {1},
                               .uses_left = -1};
    p.recipient.b[0] = 7;
    return p;
}

static uid
recipient(uint8_t n)
{
    uid u = {{n}};
    return u;
}

Test(permission, covers_its_recipient_purpose_and_kinds)
{
    struct row_permission p = good();
    cr_assert(permission_covers(&p, recipient(7), V("claim"), KIND_CERTIFICATE, NOW));
    cr_assert(permission_covers(&p, recipient(7), V("claim"), KIND_RECEIPT, NOW));
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_REPORT, NOW));
    cr_assert_not(permission_covers(&p, recipient(8), V("claim"), KIND_RECEIPT, NOW),
                  "consent for another insurer");
    cr_assert_not(permission_covers(&p, recipient(7), V("recourse"), KIND_RECEIPT, NOW), "another purpose");
}

Test(permission, ends_with_time_withdrawal_and_use)
{
    struct row_permission p = good();
    p.valid_from = (instant){NOW.us + 1};
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_RECEIPT, NOW));
    p = good();
    p.valid_to = NOW;
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_RECEIPT, NOW));
    p = good();
    p.withdrawn_at = NOW;
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_RECEIPT, NOW));
    p = good();
    p.uses_left = 0;
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_RECEIPT, NOW));
    p.uses_left = 1;
    cr_assert(permission_covers(&p, recipient(7), V("claim"), KIND_RECEIPT, NOW));
}

Test(permission, an_asserted_consent_releases_no_medical_paper)
{
    struct row_permission p = good();
    p.kinds = V("certificate receipt accident-part");
    p.level = V("asserted");
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_CERTIFICATE, NOW));
    cr_assert(permission_covers(&p, recipient(7), V("claim"), KIND_ACCIDENT_PART, NOW));
}

Test(permission, no_kind_releases_more_than_its_row)
{
    struct row_permission p = good();
    p.kinds = V("certificate accident-part");
    p.kind = V("mandate");
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_ACCIDENT_PART, NOW),
                  "a mandate asks, it releases nothing");
    p.kind = V("contract");
    cr_assert(permission_covers(&p, recipient(7), V("claim"), KIND_ACCIDENT_PART, NOW));
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_CERTIFICATE, NOW),
                  "a contract releases no medical paper");
    p.kind = V("statute");
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_ACCIDENT_PART, NOW), "no article");
    p.basis = V("cali-14-3");
    cr_assert(permission_covers(&p, recipient(7), V("claim"), KIND_ACCIDENT_PART, NOW));
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_CERTIFICATE, NOW),
                  "the article names accident papers only");
    p.kind = V("something-else");
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_ACCIDENT_PART, NOW));
}

Test(permission, a_consent_without_a_level_releases_nothing)
{
    struct row_permission p = good();
    p.level = V("plain");
    cr_assert(permission_covers(&p, recipient(7), V("claim"), KIND_CERTIFICATE, NOW));
    p.level = V("");
    cr_assert_not(permission_covers(&p, recipient(7), V("claim"), KIND_CERTIFICATE, NOW));
}
