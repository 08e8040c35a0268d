#include "base/buf.h"
#include "base/encode.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(buf, memory_of_the_caller_is_never_left)
{
    char text[16];
    struct buf b;
    buf_init_over(&b, text, sizeof text);
    buf_add(&b, "0123456789", 10);
    buf_printf(&b, "%05d", 42);
    cr_expect(!b.failed);
    cr_expect_str_eq(text, "012345678900042");
    buf_printf(&b, "%d", 1);
    cr_expect(b.failed);
    cr_expect_str_eq(text, "012345678900042", "what did not fit leaves no trace");
    cr_expect_eq(b.p, text);
}

Test(buf, printed_text_that_does_not_fit_leaves_no_trace)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, 20);
    buf_printf(&b, "%s", "a");
    for (int i = 0; i < 6; i++)
        buf_printf(&b, "%s", "bcd");
    cr_expect(!b.failed);
    buf_printf(&b, "%s", "long enough to pass the ceiling");
    cr_expect(b.failed);
    cr_expect_str_eq(b.p, "abcdbcdbcdbcdbcdbcd");
}

Test(buf, every_control_byte_is_escaped_in_json)
{
    for (unsigned c = 1; c < 256; c++) {
        char in = (char)c, want[16];
        static const char short_ones[] = "\"\"\\\\\bb\tt\nn\ff\rr";
        AUTO_DONE(buf_done) struct buf b;
        buf_init(&b, 64);
        buf_add_json(&b, view_make(&in, 1));
        const char *found = NULL;
        for (const char *p = short_ones; *p; p += 2)
            found = *p == in ? p + 1 : found;
        if (found)
            snprintf(want, sizeof want, "\"\\%c\"", *found);
        else
            snprintf(want, sizeof want, c < 0x20 ? "\"\\u%04x\"" : "\"%c\"", c);
        cr_expect_str_eq(b.p, want, "byte %u", c);
    }
}

Test(buf, grows_to_its_ceiling_and_not_beyond)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        buf_add_byte(&b, (char)('a' + i % 26));
    cr_assert_not(b.failed);
    cr_assert_eq(b.n, 1000);
    cr_assert_eq(b.p[1000], '\0');
    buf_add_byte(&b, 'x');
    cr_assert(b.failed);
    cr_assert_eq(b.n, 1000);
}

Test(buf, stays_failed_until_cleared)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, 4);
    BUF_LIT(&b, "12345");
    cr_assert(b.failed);
    BUF_LIT(&b, "1");
    cr_assert(b.failed && b.n == 0);
    cr_assert_not(buf_reserve(&b, 1));
    buf_clear(&b);
    BUF_LIT(&b, "1234");
    cr_assert(!b.failed && view_eq(buf_view(&b), V("1234")));
    cr_assert_eq(b.p[4], '\0');
}

Test(buf, reserve_only_looks)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, 100);
    cr_assert_not(buf_reserve(&b, 101));
    cr_assert_not(buf_reserve(&b, SIZE_MAX));
    cr_assert_not(b.failed);
    cr_assert(buf_reserve(&b, 100));
    size_t room = b.room;
    for (int i = 0; i < 10; i++)
        BUF_LIT(&b, "0123456789");
    cr_assert_eq(b.room, room);
    cr_assert_not(buf_reserve(&b, 1));
    cr_assert(buf_reserve(&b, 0));
}

Test(buf, takes_empty_and_absent_views)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, 0);
    buf_add_view(&b, VIEW_NONE);
    buf_add(&b, NULL, 0);
    buf_printf(&b, "%s", "");
    cr_assert(!b.failed && b.n == 0);
    buf_add_hex(&b, VIEW_NONE);
    buf_add_base64(&b, VIEW_NONE);
    cr_assert(!b.failed && b.n == 0);
}

Test(buf, prints_over_the_edge_of_its_room)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, 400);
    for (int i = 0; i < 40; i++)
        buf_printf(&b, "%09d|", i);
    cr_assert_eq(b.n, 400);
    cr_assert_eq(strlen(b.p), 400);
    cr_assert(view_ends(buf_view(&b), V("000000039|")));
    buf_printf(&b, "%d", 1);
    cr_assert(b.failed);
}

static void
expect(void (*add)(struct buf *, view), view in, view out)
{
    AUTO_DONE(buf_done) struct buf b;
    buf_init(&b, 1000);
    add(&b, in);
    cr_assert(!b.failed && view_eq(buf_view(&b), out), "%.*s instead of %.*s", VIEW_ARG(buf_view(&b)),
              VIEW_ARG(out));
}

Test(buf, escapes_json_as_rfc_8785)
{
    const struct {
        view in, out;
    } CASES[] = {
        {VIEW_NONE, V("\"\"")},
        {V("a\"b\\c/"), V("\"a\\\"b\\\\c/\"")},
        {V("\b\t\n\f\r"), V("\"\\b\\t\\n\\f\\r\"")},
        {V("\0\x01\x1F"), V("\"\\u0000\\u0001\\u001f\"")},
        {V("\x7F\xE2\x80\xA8 \xF0\xA0\x80\x80"), V("\"\x7F\xE2\x80\xA8 \xF0\xA0\x80\x80\"")},
        {V("\n\n"), V("\"\\n\\n\"")},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        expect(buf_add_json, CASES[i].in, CASES[i].out);
}

Test(buf, escapes_xml_for_text_and_attributes)
{
    const struct {
        view in, out;
    } CASES[] = {
        {VIEW_NONE, V("")},
        {V("<a b=\"c\" d='e'>&"), V("&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;")},
        {V("]]>\t\r\n"), V("]]&gt;&#9;&#13;&#10;")},
        {V("\x01\0x"), V("\xEF\xBF\xBD\xEF\xBF\xBDx")},
        {V("\xEF\xBF\xBE|\xEF\xBF\xBF|\xEF\xBF\xBD|\xEF\xBF"),
         V("\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF")},
        {V("\xE8\xBB\x8A\xE7\xA6\x8D"), V("\xE8\xBB\x8A\xE7\xA6\x8D")},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        expect(buf_add_xml, CASES[i].in, CASES[i].out);
}

/* RFC 4648, section 10. */
Test(buf, encodes_rfc_4648_vectors)
{
    const struct {
        view in, std, url, hex;
    } CASES[] = {
        {V(""), V(""), V(""), V("")},
        {V("f"), V("Zg=="), V("Zg"), V("66")},
        {V("fo"), V("Zm8="), V("Zm8"), V("666f")},
        {V("foo"), V("Zm9v"), V("Zm9v"), V("666f6f")},
        {V("foob"), V("Zm9vYg=="), V("Zm9vYg"), V("666f6f62")},
        {V("fooba"), V("Zm9vYmE="), V("Zm9vYmE"), V("666f6f6261")},
        {V("foobar"), V("Zm9vYmFy"), V("Zm9vYmFy"), V("666f6f626172")},
        {V("\xFB\xFF\xFE\x00"), V("+//+AA=="), V("-__-AA"), V("fbfffe00")},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        expect(buf_add_base64, CASES[i].in, CASES[i].std);
        expect(buf_add_base64url, CASES[i].in, CASES[i].url);
        expect(buf_add_hex, CASES[i].in, CASES[i].hex);
    }
}

/* Every letter stands in every place, wherever the wide step ends. */
Test(buf, base64_letters_by_wide_and_by_single_steps)
{
    static const char *const last[] = {"+/", "-_"};
    uint8_t bytes[48 + 64];
    char out[2 * sizeof bytes], letter[65];
    for (int kind = 0; kind < 2; kind++) {
        for (unsigned i = 0; i < 64; i++)
            letter[i] = i < 26   ? (char)('A' + i)
                        : i < 52 ? (char)('a' + i - 26)
                        : i < 62 ? (char)('0' + i - 52)
                                 : last[kind][i - 62];
        for (size_t n = 0; n < sizeof bytes; n++) {
            memset(bytes, 0, sizeof bytes);
            /* six bits of group g are (g * 5 + n) mod 64 */
            for (size_t bit = 0; bit < n * 8; bit++) {
                size_t g = bit / 6, six = (g * 5 + n) % 64;
                bytes[bit / 8] |= (uint8_t)((six >> (5 - bit % 6) & 1) << (7 - bit % 8));
            }
            encode_base64(view_make(bytes, n), (enum base64_kind)kind, out);
            for (size_t g = 0; g < n * 8 / 6; g++)
                cr_assert_eq(out[g], letter[(g * 5 + n) % 64], "%zu bytes, letter %zu", n, g);
        }
    }
}
