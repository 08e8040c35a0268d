#include "http/path.h"

#include "base/text.h"

/* RFC 3986 3.3, without the percent sign. */
static bool
is_pchar(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != 0 && strchr("-._~!$&'()*+,;=:@", c) != NULL;
}

static int
hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of the escape at raw[at] ('%'), -1 when it is none. */
static int
escaped_byte(view raw, size_t at)
{
    if (raw.n - at < 3)
        return -1;
    int high = hex_digit((unsigned char)raw.p[at + 1]);
    int low = hex_digit((unsigned char)raw.p[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool
is_forbidden_byte(int c)
{
    return c < 0x20 || c == 0x7f || c == '/' || c == '\\';
}

static err
decode_segment(view raw, arena *mem, view *ret, struct fault *f)
{
    char *out = NULL;
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        int c = (unsigned char)raw.p[i];
        if (c != '%' && !is_pchar((unsigned char)c))
            return fault_set(f, E_WIRE, "path",
                             "letters, digits and -._~!$&'()*+,;=:@ and percent-encoded bytes",
                             "another byte");
        if (c == '%' && !out) {
            out = arena_alloc(mem, raw.n + 1);
            if (!out)
                return E_TOO_LARGE;
            memcpy(out, raw.p, i);
            n = i;
        }
        if (c == '%') {
            c = escaped_byte(raw, i);
            if (is_forbidden_byte(c))
                return fault_set(f, E_WIRE, "path", "escapes of printable bytes other than / and \\",
                                 "another escape");
            i += 2;
        }
        if (out)
            out[n++] = (char)c;
    }
    *ret = out ? (view){out, n} : raw;
    return E_OK;
}

static err
check_segment(view segment, struct fault *f)
{
    if (view_eq(segment, V(".")) || view_eq(segment, V("..")))
        return fault_set(f, E_WIRE, "path", "no segment . or ..", "such a segment");
    if (!text_is_utf8(segment, NULL))
        return fault_set(f, E_WIRE, "path", "UTF-8", "other bytes");
    return E_OK;
}

err
path_split(view raw, arena *mem, struct path *ret, struct fault *f)
{
    if (raw.n == 0 || raw.p[0] != '/')
        return fault_set(f, E_WIRE, "path", "a path that begins with /", "another form");
    struct path path = {.n = 0};
    view rest = view_sub(raw, 1, raw.n);
    bool more = true;
    while (more) {
        view segment = VIEW_NONE;
        TRY(decode_segment(view_cut(&rest, '/', &more), mem, &segment, f));
        TRY(check_segment(segment, f));
        if (path.n < PATH_SEGMENTS_MAX)
            path.segments[path.n] = segment;
        if (path.n <= PATH_SEGMENTS_MAX)
            path.n++;
    }
    *ret = path;
    return E_OK;
}

view
query_decode(view raw, arena *mem)
{
    char *out = arena_alloc(mem, raw.n + 1);
    if (!out)
        return VIEW_NONE;
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        int c = (unsigned char)raw.p[i];
        if (c == '+')
            c = ' ';
        if (c == '%') {
            c = escaped_byte(raw, i);
            i += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return VIEW_NONE;
        out[n++] = (char)c;
    }
    return text_is_utf8((view){out, n}, NULL) ? (view){out, n} : VIEW_NONE;
}
