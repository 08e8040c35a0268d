#include "base/text.h"

#include <criterion/criterion.h>

#define GOOD ((size_t)-1)

Test(text, checks_utf8)
{
    const struct {
        view text;
        size_t bad; /* GOOD or the offset */
        size_t length;
    } CASES[] = {
        {V(""), GOOD, 0},
        {V("plain ASCII of more than a word"), GOOD, 31},
        {V("\xC2\x80\xDF\xBF"), GOOD, 2},
        {V("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"), GOOD, 4},
        {V("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), GOOD, 2},
        {V("a\0b"), GOOD, 3},
        {V("\xC0\x80"), 0, 2}, /* overlong */
        {V("\xC1\xBF"), 0, 2},
        {V("\xE0\x9F\xBF"), 0, 3},
        {V("\xF0\x8F\xBF\xBF"), 0, 4},
        {V("\xED\xA0\x80"), 0, 3}, /* surrogates */
        {V("\xED\xBF\xBF"), 0, 3},
        {V("\xF4\x90\x80\x80"), 0, 4}, /* above U+10FFFF */
        {V("\xF5\x80\x80\x80"), 0, 4},
        {V("a\x80"), 1, 2},             /* lone continuation */
        {V("12345678\xE8\xBB"), 8, 10}, /* cut */
        {V("1234567\xE8\xBB\x8A\xFF"), 10, 9},
        {V("\xE8\xBB\x8A\xE7\xA6"), 3, 3},
        {V("\xA4\xA4\xA4\xE5"), 0, 4}, /* Big5 */
        {V("\xF0\x9F\x98"), 0, 3},
        {V("\xFE"), 0, 1},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        size_t at = GOOD;
        cr_assert_eq(text_is_utf8(CASES[i].text, &at), CASES[i].bad == GOOD, "case %zu", i);
        cr_assert_eq(at, CASES[i].bad, "case %zu at %zu", i, at);
        cr_assert_eq(text_length(CASES[i].text), CASES[i].length, "case %zu length %zu", i,
                     text_length(CASES[i].text));
    }
    cr_assert_not(text_is_utf8(V("\xFF"), NULL));
}

static size_t
encode(uint32_t scalar, char out[4])
{
    if (scalar < 0x80) {
        out[0] = (char)scalar;
        return 1;
    }
    if (scalar < 0x800) {
        out[0] = (char)(0xC0 | scalar >> 6);
        out[1] = (char)(0x80 | (scalar & 63));
        return 2;
    }
    if (scalar < 0x10000) {
        out[0] = (char)(0xE0 | scalar >> 12);
        out[1] = (char)(0x80 | (scalar >> 6 & 63));
        out[2] = (char)(0x80 | (scalar & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | scalar >> 18);
    out[1] = (char)(0x80 | (scalar >> 12 & 63));
    out[2] = (char)(0x80 | (scalar >> 6 & 63));
    out[3] = (char)(0x80 | (scalar & 63));
    return 4;
}

Test(text, reads_every_scalar_and_no_surrogate)
{
    char bytes[4];
    for (uint32_t scalar = 0; scalar < 0x110000 + 100; scalar++) {
        view v = {bytes, encode(scalar, bytes)};
        bool valid = scalar < 0x110000 && (scalar < 0xD800 || scalar > 0xDFFF);
        size_t at = 0;
        uint32_t read = text_next_scalar(v, &at);
        if (text_is_utf8(v, NULL) != valid || read != (valid ? scalar : 0xFFFD) || at != (valid ? v.n : 1))
            cr_assert_fail("U+%04X read as U+%04X, moved %zu", scalar, read, at);
    }
}

Test(text, finds_han)
{
    const struct {
        view text;
        bool has;
    } CASES[] = {
        {V("\xE8\xBB\x8A\xE7\xA6\x8D"), true},
        {V("abc \xE4\xB8\x80"), true}, /* 4E00 */
        {V("\xE9\xBF\xBF"), true},     /* 9FFF */
        {V("\xE3\x90\x80"), true},     /* 3400 */
        {V("\xEF\xA4\x80"), true},     /* F900 */
        {V("\xF0\xA0\x80\x80"), true}, /* 20000 */
        {V("\xF0\xB1\x8D\x90"), true}, /* 31350 */
        {V("\xF0\xAF\xA0\x80"), true}, /* 2F800 */
        {V("\xE3\x80\x87"), true},     /* 3007 */
        {V(""), false},
        {V("Motor claim 2026"), false},
        {V("\xE3\x81\x82\xE3\x82\xA2"), false}, /* kana */
        {V("\xEA\xB0\x80"), false},             /* hangul */
        {V("\xE3\x80\x82\xEF\xBC\x8C"), false}, /* CJK punctuation */
        {V("\xE3\x84\x85"), false},             /* bopomofo */
        {V("\xE4\xB7\x80"), false},             /* 4DC0, hexagram */
        {V("\xE8\xBB"), false},                 /* cut */
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        cr_assert_eq(text_has_han(CASES[i].text), CASES[i].has, "case %zu", i);
}

Test(text, decodes_base64_strictly)
{
    const struct {
        view text;
        bool is_std, is_url;
        view bytes;
    } CASES[] = {
        {V(""), true, true, V("")},
        {V("Zg=="), true, false, V("f")},
        {V("Zg"), false, true, V("f")},
        {V("Zm8="), true, false, V("fo")},
        {V("Zm8"), false, true, V("fo")},
        {V("Zm9v"), true, true, V("foo")},
        {V("+//+AA=="), true, false, V("\xFB\xFF\xFE\x00")},
        {V("-__-AA"), false, true, V("\xFB\xFF\xFE\x00")},
        {V("Zh=="), false, false, V("")}, /* stray bits */
        {V("Zh"), false, false, V("")},
        {V("Zm9="), false, false, V("")},
        {V("Z"), false, false, V("")},
        {V("Z==="), false, false, V("")},
        {V("="), false, false, V("")},
        {V("===="), false, false, V("")},
        {V("Zg="), false, false, V("")},
        {V("Zg==Zg=="), false, false, V("")},
        {V("Zm9v "), false, false, V("")},
        {V("Zm9v\n"), false, false, V("")},
        {V("Zm\n9v"), false, false, V("")},
        {V("Zm9\0"), false, false, V("")},
        {V("Zm9\xC3"), false, false, V("")},
        {V("Zm9v===="), false, false, V("")},
    };
    AUTO(arena_free) arena *mem = arena_new(4096);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        view bytes = V("untouched");
        err e = text_base64_decode(CASES[i].text, mem, &bytes);
        cr_assert_eq(e, CASES[i].is_std ? E_OK : E_SYNTAX, "std %zu", i);
        cr_assert(view_eq(bytes, CASES[i].is_std ? CASES[i].bytes : V("untouched")), "std %zu", i);
        bytes = V("untouched");
        e = text_base64url_decode(CASES[i].text, mem, &bytes);
        cr_assert_eq(e, CASES[i].is_url ? E_OK : E_SYNTAX, "url %zu", i);
        cr_assert(view_eq(bytes, CASES[i].is_url ? CASES[i].bytes : V("untouched")), "url %zu", i);
    }
}

Test(text, base64_and_hex_come_back)
{
    AUTO(arena_free) arena *mem = arena_new(1024 * 1024);
    char bytes[257];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 151 + 3);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        view v = {bytes, n}, back = VIEW_NONE;
        cr_assert_eq(text_base64_decode(text_base64(mem, v), mem, &back), E_OK);
        cr_assert(view_eq(v, back), "std %zu", n);
        cr_assert_eq(text_base64url_decode(text_base64url(mem, v), mem, &back), E_OK);
        cr_assert(view_eq(v, back), "url %zu", n);
        cr_assert_eq(text_hex_decode(text_hex(mem, v), mem, &back), E_OK);
        cr_assert(view_eq(v, back), "hex %zu", n);
    }
}

Test(text, decodes_hex_of_both_cases_and_nothing_else)
{
    AUTO(arena_free) arena *mem = arena_new(4096);
    view bytes = VIEW_NONE;
    cr_assert_eq(text_hex_decode(V("00fFAb"), mem, &bytes), E_OK);
    cr_assert(view_eq(bytes, V("\x00\xFF\xAB")));
    static const char *const BAD[] = {"0", "0g", "0x00", " 00", "00 ", "/0", "0:", "@0", "0`", "G0"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        cr_assert_eq(text_hex_decode(view_of(BAD[i]), mem, &bytes), E_SYNTAX, "%s", BAD[i]);
}

Test(text, says_too_large_when_the_arena_is_full)
{
    AUTO(arena_free) arena *mem = arena_new(16);
    view bytes = VIEW_NONE;
    view long_text = V("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB");
    cr_assert_eq(text_base64_decode(long_text, mem, &bytes), E_TOO_LARGE);
    cr_assert_eq(text_hex_decode(V("00112233445566778899aabbccddeeff"), mem, &bytes), E_TOO_LARGE);
    cr_assert_null(bytes.p);
    cr_assert_null(text_base64(mem, long_text).p);
    cr_assert_null(text_hex(mem, long_text).p);
}

Test(text, reads_numbers)
{
    const struct {
        const char *text;
        bool is_i64, is_u64;
        int64_t i64;
        uint64_t u64;
    } CASES[] = {
        {"0", true, true, 0, 0},
        {"007", true, true, 7, 7},
        {"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
        {"9223372036854775808", false, true, 0, (uint64_t)INT64_MAX + 1},
        {"18446744073709551615", false, true, 0, UINT64_MAX},
        {"18446744073709551616", false, false, 0, 0},
        {"99999999999999999999", false, false, 0, 0},
        {"-1", true, false, -1, 0},
        {"-0", true, false, 0, 0},
        {"-9223372036854775808", true, false, INT64_MIN, 0},
        {"-9223372036854775809", false, false, 0, 0},
        {"", false, false, 0, 0},
        {"-", false, false, 0, 0},
        {"--1", false, false, 0, 0},
        {"+1", false, false, 0, 0},
        {" 1", false, false, 0, 0},
        {"1 ", false, false, 0, 0},
        {"1.0", false, false, 0, 0},
        {"0x10", false, false, 0, 0},
        {"\xEF\xBC\x91", false, false, 0, 0}, /* full-width one */
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t a = 77;
        uint64_t b = 77;
        cr_assert_eq(text_to_i64(view_of(CASES[i].text), &a), CASES[i].is_i64 ? E_OK : E_SYNTAX, "%s",
                     CASES[i].text);
        cr_assert_eq(a, CASES[i].is_i64 ? CASES[i].i64 : 77, "%s", CASES[i].text);
        cr_assert_eq(text_to_u64(view_of(CASES[i].text), &b), CASES[i].is_u64 ? E_OK : E_SYNTAX, "%s",
                     CASES[i].text);
        cr_assert_eq(b, CASES[i].is_u64 ? CASES[i].u64 : 77, "%s", CASES[i].text);
    }
    cr_assert(text_is_digits(V("0123456789")));
    cr_assert_not(text_is_digits(VIEW_NONE));
    cr_assert_not(text_is_digits(V("12a")));
}

Test(text, a_word_of_a_list)
{
    cr_assert(text_is_one_of(V("b"), "a|b|c"));
    cr_assert(text_is_one_of(V("c"), "a|b|c"));
    cr_assert_not(text_is_one_of(V("d"), "a|b|c"));
    cr_assert_not(text_is_one_of(V(""), "a|b|c"));
    cr_assert_not(text_is_one_of(V("a|b"), "a|b|c"));
    cr_assert_not(text_is_one_of(V("a"), "ab"));
}
