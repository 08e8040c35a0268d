#include "signing/cms/der.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct {
    const char *name;
    view bytes;
    bool ok;
} elements[] = {
    {"empty sequence", {"\x30\x00", 2}, true},
    {"short form", {"\x04\x01\x61", 3}, true},
    {"nothing", {"", 0}, false},
    {"tag alone", {"\x30", 1}, false},
    {"value missing", {"\x04\x02\x61", 3}, false},
    {"indefinite", {"\x30\x80\x00\x00", 4}, false},
    {"long form for a short length", {"\x04\x81\x01\x61", 4}, false},
    {"leading zero in the length", {"\x04\x82\x00\x81", 4}, false},
    {"length octets missing", {"\x04\x84\x01", 3}, false},
    {"five length octets", {"\x04\x85\x01\x01\x01\x01\x01", 7}, false},
    {"length of 4 GiB", {"\x04\x84\xff\xff\xff\xff", 6}, false},
    {"tag of two bytes", {"\x1f\x81\x01\x00", 4}, false},
};

Test(der, elements)
{
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        char *own = malloc(elements[i].bytes.n + 1);
        memcpy(own, elements[i].bytes.p, elements[i].bytes.n);
        view rest = view_make(own, elements[i].bytes.n);
        struct der_item item;
        cr_expect(der_next(&rest, &item) == elements[i].ok, "%s", elements[i].name);
        cr_expect(elements[i].ok ? rest.n == 0 : rest.n == elements[i].bytes.n, "%s", elements[i].name);
        free(own);
    }
}

Test(der, long_form)
{
    char bytes[3 + 200] = "\x04\x81\xc8";
    view rest = view_make(bytes, sizeof bytes);
    struct der_item item;
    cr_assert(der_take(&rest, DER_OCTETS, &item) && item.value.n == 200 && item.whole.n == 203 &&
              rest.n == 0);
}

Test(der, take_leaves_other_tags)
{
    view rest = {"\x04\x00\x05\x00", 4};
    struct der_item item;
    cr_assert(!der_take(&rest, DER_NULL, &item) && rest.n == 4);
    der_take_if(&rest, DER_NULL, &item);
    cr_assert(item.whole.n == 0 && rest.n == 4);
    der_take_if(&rest, DER_OCTETS, &item);
    cr_assert(item.whole.n == 2 && rest.n == 2);
    cr_assert(!der_only((view){"\x04\x00\x05\x00", 4}, DER_OCTETS, &item));
}

Test(der, small_integers)
{
    static const struct {
        view bytes;
        bool ok;
        uint32_t value;
    } cases[] = {
        {{"\x00", 1}, true, 0},
        {{"\x7f", 1}, true, 127},
        {{"\x00\x80", 2}, true, 128},
        {{"\x01\x00", 2}, true, 256},
        {{"\x80", 1}, false, 0},
        {{"\x00\x7f", 2}, false, 0},
        {{"\x00\x80\x00\x00\x00", 5}, false, 0},
        {{"", 0}, false, 0},
        {{"\x7f\xff\xff\xff", 4}, true, 0x7fffffff},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t value = 0;
        cr_expect(der_small(cases[i].bytes, &value) == cases[i].ok, "%zu", i);
        cr_expect(value == cases[i].value, "%zu", i);
    }
}

static const struct {
    uint8_t tag;
    const char *text;
    const char *expected; /* NULL: refused */
} times[] = {
    {DER_UTC_TIME, "261121120000Z", "2026-11-21T12:00:00.000Z"},
    {DER_UTC_TIME, "491231235959Z", "2049-12-31T23:59:59.000Z"},
    {DER_UTC_TIME, "500101000000Z", "1950-01-01T00:00:00.000Z"},
    {DER_UTC_TIME, "240229000000Z", "2024-02-29T00:00:00.000Z"},
    {DER_GENERALIZED_TIME, "20510301010203Z", "2051-03-01T01:02:03.000Z"},
    {DER_UTC_TIME, "230229000000Z", NULL},
    {DER_UTC_TIME, "261301000000Z", NULL},
    {DER_UTC_TIME, "260001000000Z", NULL},
    {DER_UTC_TIME, "260100000000Z", NULL},
    {DER_UTC_TIME, "260431000000Z", NULL},
    {DER_UTC_TIME, "260101240000Z", NULL},
    {DER_UTC_TIME, "260101006000Z", NULL},
    {DER_UTC_TIME, "260101000060Z", NULL},
    {DER_UTC_TIME, "2601010000Z", NULL},
    {DER_UTC_TIME, "260101000000+0800", NULL},
    {DER_UTC_TIME, "26010100000aZ", NULL},
    {DER_GENERALIZED_TIME, "20260101000000.5Z", NULL},
    {DER_GENERALIZED_TIME, "00000101000000Z", NULL},
    {DER_OCTETS, "260101000000Z", NULL},
};

Test(der, times)
{
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct der_item item = {.tag = times[i].tag, .value = view_of(times[i].text)};
        instant t;
        bool ok = der_time(&item, &t);
        cr_expect(ok == (times[i].expected != NULL), "%s", times[i].text);
        char text[32];
        if (ok && times[i].expected)
            cr_expect(view_eq(instant_print(t, text), view_of(times[i].expected)), "%s", times[i].text);
    }
}
