#include "flow/login/form.h"

#define FIELDS_MAX 64

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static view
decode(view text, arena *mem)
{
    char *out = arena_alloc(mem, text.n + 1);
    size_t n = 0;
    if (!out)
        return VIEW_NONE;
    for (size_t i = 0; i < text.n; i++) {
        int high = text.p[i] == '%' && i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.p[i + 2]) : -1;
        out[n++] = low >= 0 ? (char)(high * 16 + low) : text.p[i] == '+' ? ' ' : text.p[i];
        i += low >= 0 ? 2 : 0;
    }
    return view_make(out, n);
}

view
form_field(view form, const char *name, arena *mem)
{
    while (form.n) {
        view pair = view_cut(&form, '&', NULL);
        view key = view_cut(&pair, '=', NULL);
        if (view_eq(key, view_of(name)))
            return decode(pair, mem);
    }
    return VIEW_NONE;
}

err
form_once(view form, struct fault *f)
{
    view names[FIELDS_MAX];
    size_t n = 0;
    while (form.n) {
        view pair = view_cut(&form, '&', NULL), name = view_cut(&pair, '=', NULL);
        for (size_t i = 0; i < n; i++)
            if (view_eq(names[i], name))
                return fault_set(f, E_OAUTH_REQUEST, "", "each parameter once", "one that stands twice");
        if (n == FIELDS_MAX)
            return fault_set(f, E_OAUTH_REQUEST, "", "at most 64 parameters", "more");
        names[n++] = name;
    }
    return E_OK;
}

void
form_add_escaped(struct buf *out, view text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c != '\0' && strchr("-._~", c) != NULL);
        if (plain) {
            buf_add_byte(out, c);
            continue;
        }
        buf_add_byte(out, '%');
        buf_add_byte(out, digits[(unsigned char)c >> 4]);
        buf_add_byte(out, digits[(unsigned char)c & 15]);
    }
}
