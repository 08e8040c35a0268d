#include "http/guard.h"

#include "base/text.h"

#include <criterion/criterion.h>

struct line {
    const char *name;
    const char *value;
};

static err
judge(const char *method, const char *target, const char *version, const struct line *lines, struct guard *g,
      struct fault *f)
{
    fault_init(f);
    guard_init(g, VIEW_NONE, f);
    guard_line(g, view_of(method), view_of(target), strlen(target), view_of(version));
    for (const struct line *l = lines; l->name; l++)
        guard_header(g, view_of(l->name), view_of(l->value));
    return guard_end(g, 0);
}

static const struct {
    const char *label;
    const char *method, *target, *version;
    struct line lines[5];
    err want;
} cases[] = {
    {"plain", "GET", "/v1/claims/x", "HTTP/1.1", {{"Host", "a"}}, E_OK},
    {"port", "GET", "/", "HTTP/1.1", {{"Host", "a.example:8443"}}, E_OK},
    {"v6", "GET", "/", "HTTP/1.1", {{"Host", "[::1]:8443"}}, E_OK},
    {"length", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Content-Length", "12"}}, E_OK},
    {"zero length", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Content-Length", "0"}}, E_OK},
    {"trailing space", "POST", "/", "HTTP/1.1", {{"Host", "a "}, {"Content-Length", " 12 "}}, E_OK},
    {"chunked", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Transfer-Encoding", "Chunked"}}, E_OK},
    {"expect", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Expect", "100-Continue"}}, E_OK},
    {"unknown twice", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"X-A", "1"}, {"X-A", "2"}}, E_OK},
    {"language twice",
     "GET",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Accept-Language", "zh"}, {"Accept-Language", "en"}},
     E_OK},
    {"absolute form", "GET", "http://a/x", "HTTP/1.1", {{"Host", "A"}}, E_OK},
    {"absolute form, no path", "GET", "https://a", "HTTP/1.1", {{"Host", "a"}}, E_OK},
    {"options *", "OPTIONS", "*", "HTTP/1.1", {{"Host", "a"}}, E_OK},
    {"high bytes in a value", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"User-Agent", "\xe4\xb8\xad"}}, E_OK},
    {"no host", "GET", "/", "HTTP/1.1", {{NULL, NULL}}, E_WIRE},
    {"empty host", "GET", "/", "HTTP/1.1", {{"Host", ""}}, E_WIRE},
    {"host with slash", "GET", "/", "HTTP/1.1", {{"Host", "a/b"}}, E_WIRE},
    {"host with user", "GET", "/", "HTTP/1.1", {{"Host", "u@a"}}, E_WIRE},
    {"two hosts", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"host", "b"}}, E_WIRE},
    {"same host twice", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"Host", "a"}}, E_WIRE},
    {"absolute with other host", "GET", "http://b/x", "HTTP/1.1", {{"Host", "a"}}, E_WIRE},
    {"absolute without host", "GET", "http:///x", "HTTP/1.1", {{"Host", "a"}}, E_WIRE},
    {"other scheme", "GET", "ftp://a/x", "HTTP/1.1", {{"Host", "a"}}, E_WIRE},
    {"authority form", "GET", "a:80", "HTTP/1.1", {{"Host", "a"}}, E_WIRE},
    {"* with GET", "GET", "*", "HTTP/1.1", {{"Host", "a"}}, E_WIRE},
    {"1.0", "GET", "/", "HTTP/1.0", {{"Host", "a"}}, E_WIRE},
    {"1.9", "GET", "/", "HTTP/1.9", {{"Host", "a"}}, E_WIRE},
    {"2.0", "GET", "/", "HTTP/2.0", {{"Host", "a"}}, E_WIRE},
    {"lower version", "GET", "/", "http/1.1", {{"Host", "a"}}, E_WIRE},
    {"lower method", "get", "/", "HTTP/1.1", {{"Host", "a"}}, E_METHOD_UNKNOWN},
    {"TRACE", "TRACE", "/", "HTTP/1.1", {{"Host", "a"}}, E_METHOD_UNKNOWN},
    {"CONNECT", "CONNECT", "/", "HTTP/1.1", {{"Host", "a"}}, E_METHOD_UNKNOWN},
    {"both lengths",
     "POST",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
     E_WIRE},
    {"two lengths",
     "POST",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Content-Length", "3"}, {"Content-Length", "4"}},
     E_WIRE},
    {"same length twice",
     "POST",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Content-Length", "3"}, {"content-length", "3"}},
     E_WIRE},
    {"length list", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Content-Length", "3, 3"}}, E_WIRE},
    {"negative", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Content-Length", "-3"}}, E_WIRE},
    {"plus", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Content-Length", "+3"}}, E_WIRE},
    {"hex", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Content-Length", "0x3"}}, E_WIRE},
    {"20 digits",
     "POST",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Content-Length", "00000000000000000003"}},
     E_WIRE},
    {"empty length", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Content-Length", ""}}, E_WIRE},
    {"blank length", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Content-Length", "  "}}, E_WIRE},
    {"blank length and another",
     "POST",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Content-Length", " "}, {"Content-Length", "3"}},
     E_WIRE},
    {"blank coding",
     "POST",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Transfer-Encoding", " "}, {"Content-Length", "3"}},
     E_WIRE},
    {"xchunked", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Transfer-Encoding", "xchunked"}}, E_WIRE},
    {"chunked, identity",
     "POST",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Transfer-Encoding", "chunked, identity"}},
     E_WIRE},
    {"gzip, chunked",
     "POST",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}},
     E_WIRE},
    {"chunked twice",
     "POST",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
     E_WIRE},
    {"vertical tab", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Transfer-Encoding", "\vchunked"}}, E_WIRE},
    {"space before colon", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"A ", "1"}}, E_WIRE},
    {"name with slash", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"A/b", "1"}}, E_WIRE},
    {"name with high byte", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"A\xc3", "1"}}, E_WIRE},
    {"empty name", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"", "1"}}, E_WIRE},
    {"CR in a value", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"A", "b\rc"}}, E_WIRE},
    {"LF in a value", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"A", "b\nc"}}, E_WIRE},
    {"DEL in a value", "GET", "/", "HTTP/1.1", {{"Host", "a"}, {"A", "b\x7f"}}, E_WIRE},
    {"other expectation", "POST", "/", "HTTP/1.1", {{"Host", "a"}, {"Expect", "200-ok"}}, E_WIRE},
    {"authorization twice",
     "GET",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Authorization", "x"}, {"Authorization", "y"}},
     E_WIRE},
    {"signature twice",
     "GET",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"X-JWS-Signature", "x"}, {"x-jws-signature", "x"}},
     E_WIRE},
    {"digest twice",
     "GET",
     "/",
     "HTTP/1.1",
     {{"Host", "a"}, {"Content-Digest", "x"}, {"Content-Digest", "x"}},
     E_WIRE},
};

Test(guard, table)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct guard g;
        struct fault f;
        err e = judge(cases[i].method, cases[i].target, cases[i].version, cases[i].lines, &g, &f);
        cr_expect_eq(e, cases[i].want, "%s: %s", cases[i].label, err_info(e)->code);
        cr_expect_eq(f.code, cases[i].want, "%s: fault %s", cases[i].label, err_info(f.code)->code);
    }
}

Test(guard, what_is_kept)
{
    struct guard g;
    struct fault f;
    const struct line lines[] = {
        {"HOST", "a"}, {"content-length", "  77\t"}, {"Expect", "100-continue"}, {NULL, NULL}};
    cr_assert_eq(judge("POST", "http://a/b/c", "HTTP/1.1", lines, &g, &f), E_OK);
    cr_expect_eq(g.length, 77);
    cr_expect(g.has_length && g.expects_continue && !g.is_chunked);
    cr_expect(view_eq(g.path, V("/b/c")));
    cr_expect_eq(g.method, METHOD_POST);
}

static void
send_headers(struct guard *g, struct fault *f, size_t n, size_t bytes)
{
    static char value[40000];
    memset(value, 'x', sizeof value);
    fault_init(f);
    guard_init(g, VIEW_NONE, f);
    guard_line(g, V("GET"), V("/"), 1, V("HTTP/1.1"));
    guard_header(g, V("Host"), V("a"));
    for (size_t i = 0; i < n; i++)
        guard_header(g, V("X-Filler"), view_make(value, bytes));
}

Test(guard, sizes)
{
    struct guard g;
    struct fault f;
    send_headers(&g, &f, 99, 10);
    cr_expect_eq(guard_end(&g, 0), E_OK);
    send_headers(&g, &f, 100, 10);
    cr_expect_eq(guard_end(&g, 0), E_HEADERS_TOO_LARGE);
    send_headers(&g, &f, 2, 16000);
    cr_expect_eq(guard_end(&g, 0), E_OK);
    send_headers(&g, &f, 3, 16000);
    cr_expect_eq(guard_end(&g, 0), E_HEADERS_TOO_LARGE, "32 KiB together");
    send_headers(&g, &f, 1, 16384);
    cr_expect_eq(guard_end(&g, 0), E_HEADERS_TOO_LARGE, "16 KiB each");
}

Test(guard, jws_and_target)
{
    static char text[20000];
    struct guard g;
    struct fault f;
    memset(text, 'a', sizeof text);
    send_headers(&g, &f, 0, 0);
    guard_header(&g, V("X-JWS-Signature"), view_make(text, 12288));
    cr_expect_eq(guard_end(&g, 0), E_OK);
    send_headers(&g, &f, 0, 0);
    guard_header(&g, V("X-JWS-Signature"), view_make(text, 12289));
    cr_expect_eq(guard_end(&g, 0), E_HEADERS_TOO_LARGE);
    text[0] = '/';
    fault_init(&f);
    guard_init(&g, VIEW_NONE, &f);
    guard_line(&g, V("GET"), view_make(text, 2049), 2049, V("HTTP/1.1"));
    cr_expect_eq(g.refused, E_URI_TOO_LONG);
    guard_init(&g, VIEW_NONE, &f);
    guard_line(&g, V("GET"), V("/"), 8193, V("HTTP/1.1"));
    cr_expect_eq(g.refused, E_URI_TOO_LONG, "the query counts");
}

Test(guard, first_refusal_stays)
{
    struct guard g;
    struct fault f;
    const struct line lines[] = {{"A ", "1"}, {"X-Request-Id", "abcdefgh"}, {NULL, NULL}};
    cr_expect_eq(judge("get", "/", "HTTP/1.0", lines, &g, &f), E_METHOD_UNKNOWN);
    cr_expect(view_eq(g.known[HEADER_REQUEST_ID], V("abcdefgh")), "the rest is still read");
}

/* The peer's bytes as the library leaves them: each CR LF wiped. */
static err
judge_layout(const char *bytes, size_t n, const size_t *marks)
{
    struct guard g;
    struct fault f;
    fault_init(&f);
    guard_init(&g, VIEW_NONE, &f);
    view method = view_make(bytes, 3), target = view_make(bytes + 4, 2), version = view_make(bytes + 7, 8);
    guard_line(&g, method, target, 2, version);
    guard_layout(&g, method, target, 2, version);
    for (const size_t *m = marks; m[1] > 0; m += 4)
        guard_header(&g, view_make(bytes + m[0], m[1]), view_make(bytes + m[2], m[3]));
    return guard_end(&g, n);
}

Test(guard, layout)
{
    static const char good[] = "GET\0/a\0HTTP/1.1\0\0Host: x\0\0A: b\0\0\0";
    static const size_t good_marks[] = {17, 4, 23, 1, 26, 1, 29, 1, 0, 0};
    cr_expect_eq(judge_layout(good, sizeof good, good_marks), E_OK);
    static const char bare_lf[] = "GET\0/a\0HTTP/1.1\0\0Host: x\0A: b\0\0\0";
    static const size_t bare_marks[] = {17, 4, 23, 1, 25, 1, 28, 1, 0, 0};
    cr_expect_eq(judge_layout(bare_lf, sizeof bare_lf, bare_marks), E_WIRE);
    static const char cut_value[] = "GET\0/a\0HTTP/1.1\0\0Host: x\0y\0\0A: b\0\0\0";
    static const size_t cut_marks[] = {17, 4, 23, 1, 28, 1, 31, 1, 0, 0};
    cr_expect_eq(judge_layout(cut_value, sizeof cut_value, cut_marks), E_WIRE);
    static const char cut_last[] = "GET\0/a\0HTTP/1.1\0\0Host: x\0\0A: b\0c\0\0\0";
    cr_expect_eq(judge_layout(cut_last, sizeof cut_last, good_marks), E_WIRE);
}

Test(guard, methods)
{
    for (int i = 0; i < METHOD_COUNT; i++) {
        enum method m = METHOD_COUNT;
        cr_assert_eq(method_parse(view_of(method_name((enum method)i)), &m), E_OK);
        cr_expect_eq((int)m, i);
    }
}
