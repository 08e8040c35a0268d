#include "http/guard.h"

#include "base/text.h"

static const struct known_row {
    const char *name;
    uint8_t length;
    bool single;
} known_rows[KNOWN_HEADER_COUNT] = {
#define HEADER(id, name, single) [HEADER_##id] = {name, sizeof(name) - 1, single},
#include "http/headers.def"
#undef HEADER
};

static const view method_names[METHOD_COUNT] = {
    [METHOD_GET] = {"GET", 3},         [METHOD_HEAD] = {"HEAD", 4},     [METHOD_POST] = {"POST", 4},
    [METHOD_PUT] = {"PUT", 3},         [METHOD_DELETE] = {"DELETE", 6}, [METHOD_PATCH] = {"PATCH", 5},
    [METHOD_OPTIONS] = {"OPTIONS", 7},
};

view
guard_header_name(enum known_header header)
{
    return (view){known_rows[header].name, known_rows[header].length};
}

const char *
method_name(enum method m)
{
    return method_names[m].p;
}

err
method_parse(view text, enum method *ret)
{
    for (int m = 0; m < METHOD_COUNT; m++) {
        if (view_eq(text, method_names[m])) {
            *ret = (enum method)m;
            return E_OK;
        }
    }
    return E_METHOD_UNKNOWN;
}

static bool
is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 9110 5.6.2 */
static bool
is_tchar(unsigned char c)
{
    return is_alnum(c) || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool
guard_is_token(view text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_tchar((unsigned char)text.p[i]))
            return false;
    }
    return text.n > 0;
}

static bool
has_control(view value)
{
    /* To the end in any case: without a way out the compiler takes many bytes at a time. */
    unsigned char found = 0;
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        found |= (unsigned char)((c < 0x20) & (c != '\t')) | (unsigned char)(c == 0x7f);
    }
    return found;
}

static void
refuse(struct guard *g, err e, const char *where, const char *expected, const char *found)
{
    if (g->refused != E_OK)
        return;
    g->refused = fault_set(g->fault, e, where, expected, found);
}

void
guard_init(struct guard *g, view proxy_name, struct fault *fault)
{
    *g = (struct guard){.proxy_name = proxy_name, .fault = fault};
}

/* http://host/path is allowed (RFC 9112 3.2.2); guard_end compares the host with Host (AB-H 11). */
static view
cut_absolute(struct guard *g, view target)
{
    size_t colon = view_find(target, V("://"));
    view scheme = view_sub(target, 0, colon);
    if (colon == target.n || !(view_eq_nocase(scheme, V("http")) || view_eq_nocase(scheme, V("https")))) {
        refuse(g, E_WIRE, "request target", "a path that begins with /", "another form");
        return VIEW_NONE;
    }
    view rest = view_sub(target, colon + 3, target.n);
    size_t slash = view_find_byte(rest, '/');
    g->authority = view_sub(rest, 0, slash);
    if (g->authority.n == 0)
        refuse(g, E_WIRE, "request target", "a host after the scheme", "none");
    return slash < rest.n ? view_sub(rest, slash, rest.n) : V("/");
}

void
guard_line(struct guard *g, view method, view target, size_t target_bytes, view version)
{
    if (method_parse(method, &g->method) != E_OK)
        refuse(g, E_METHOD_UNKNOWN, "method", "GET, HEAD, POST, PUT, DELETE, PATCH or OPTIONS",
               "another word");
    if (!view_eq(version, V("HTTP/1.1")))
        refuse(g, E_WIRE, "HTTP version", "HTTP/1.1", "another version");
    if (target_bytes > GUARD_TARGET_BYTES_MAX || target.n > GUARD_PATH_BYTES_MAX)
        refuse(g, E_URI_TOO_LONG, "request target",
               "a path of at most 2048 and a target of at most 8192 bytes", "more");
    if (view_eq(target, V("*"))) {
        g->is_asterisk = true;
        if (g->method != METHOD_OPTIONS)
            refuse(g, E_WIRE, "request target", "a path that begins with /", "*");
        return;
    }
    g->path = target.n > 0 && target.p[0] == '/' ? target : cut_absolute(g, target);
}

void
guard_layout(struct guard *g, view method, view target, size_t target_bytes, view version)
{
    g->line_start = method.p;
    g->cursor = version.p + version.n;
    bool is_whole = target.p == method.p + method.n + 1 && version.p == target.p + target_bytes + 1;
    if (!is_whole)
        refuse(g, E_WIRE, "request line", "method, target and version with one space between",
               "other bytes between");
}

static bool
check_layout(struct guard *g, view name, view value)
{
    if (!g->cursor)
        return true;
    /* Compared as numbers: a folded line is a copy elsewhere in the library's pool. */
    bool follows = (uintptr_t)name.p == (uintptr_t)g->cursor + 2;
    g->cursor = value.p + value.n;
    return follows;
}

static void
keep_known(struct guard *g, enum known_header id, view value)
{
    if (g->known[id].p && known_rows[id].single)
        refuse(g, E_WIRE, known_rows[id].name, "the header once", "the header twice");
    if (!g->known[id].p)
        g->known[id] = value;
}

void
guard_header(struct guard *g, view name, view value)
{
    g->n++;
    g->bytes += name.n + value.n + 4;
    if (!check_layout(g, name, value))
        refuse(g, E_WIRE, "headers", "lines that end in CR LF, without folding and NUL",
               "another line end, a fold or NUL");
    if (!guard_is_token(name)) {
        refuse(g, E_WIRE, "header name", "letters, digits and !#$%&'*+-.^_`|~", "other bytes");
        return;
    }
    if (has_control(value))
        refuse(g, E_WIRE, "header value", "no control bytes", "a control byte");
    if (g->n > GUARD_HEADERS_MAX || name.n + value.n > GUARD_HEADER_BYTES_MAX ||
        g->bytes > GUARD_HEADERS_BYTES_MAX)
        refuse(g, E_HEADERS_TOO_LARGE, "headers", "at most 100 headers, 16 KiB each, 32 KiB together",
               "more");
    value = view_trim(value);
    if (!value.p)
        value = V(""); /* an empty value is there all the same, and counts as one of two */
    if (g->proxy_name.n > 0 && view_eq_nocase(name, g->proxy_name)) {
        if (g->proxy_value.p)
            refuse(g, E_WIRE, "client certificate header", "the header once", "the header twice");
        g->proxy_value = value;
        return;
    }
    for (int id = 0; id < KNOWN_HEADER_COUNT; id++) {
        if (known_rows[id].length == name.n &&
            view_eq_nocase(name, guard_header_name((enum known_header)id))) {
            keep_known(g, (enum known_header)id, value);
            return;
        }
    }
}

static void
check_host(struct guard *g)
{
    view host = g->known[HEADER_HOST];
    if (!host.p) {
        refuse(g, E_WIRE, "host", "one Host header", "none");
        return;
    }
    bool is_plain = host.n > 0 && host.n <= 255;
    for (size_t i = 0; i < host.n && is_plain; i++)
        is_plain = is_alnum((unsigned char)host.p[i]) || strchr("-._~[]:%", host.p[i]) != NULL;
    if (!is_plain)
        refuse(g, E_WIRE, "host", "a host name or address, with or without port", "another form");
    if (g->authority.n > 0 && !view_eq_nocase(g->authority, host))
        refuse(g, E_WIRE, "host", "the host of the request target", "another host");
}

static void
check_length(struct guard *g)
{
    view length = g->known[HEADER_CONTENT_LENGTH];
    view coding = g->known[HEADER_TRANSFER_ENCODING];
    if (length.p && coding.p)
        refuse(g, E_WIRE, "transfer-encoding", "Content-Length or Transfer-Encoding", "both");
    if (coding.p && !view_eq_nocase(coding, V("chunked")))
        refuse(g, E_WIRE, "transfer-encoding", "chunked", "another coding");
    g->is_chunked = coding.p != NULL;
    if (!length.p)
        return;
    /* text_to_u64 would take 20 digits that fit; no body has more than 15. */
    if (length.n > 15 || !text_is_digits(length) || text_to_u64(length, &g->length) != E_OK)
        refuse(g, E_WIRE, "content-length", "decimal digits", "another form");
    g->has_length = true;
}

err
guard_end(struct guard *g, size_t header_bytes)
{
    if (g->cursor && header_bytes > 0 && (uintptr_t)g->line_start + header_bytes != (uintptr_t)g->cursor + 4)
        refuse(g, E_WIRE, "headers", "lines that end in CR LF, without folding and NUL",
               "another line end, a fold or NUL");
    check_host(g);
    check_length(g);
    view expect = g->known[HEADER_EXPECT];
    if (expect.p && !view_eq_nocase(expect, V("100-continue")))
        refuse(g, E_WIRE, "expect", "100-continue", "another expectation");
    g->expects_continue = expect.p != NULL;
    if (g->known[HEADER_JWS_SIGNATURE].n > GUARD_JWS_BYTES_MAX)
        refuse(g, E_HEADERS_TOO_LARGE, "x-jws-signature", "at most 12288 bytes", "more");
    return g->refused;
}
