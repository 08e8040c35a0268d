#include "base/buf.h"

#include "base/encode.h"
#include "base/format.h"

#include <stdarg.h>
#include <stdlib.h>

#define LEAST_ROOM 256u

void
buf_init(struct buf *b, size_t ceiling)
{
    *b = (struct buf){.ceiling = ceiling};
}

void
buf_init_over(struct buf *b, char *p, size_t room)
{
    *b = (struct buf){.p = p, .room = room, .ceiling = room - 1};
}

void
buf_done(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.ceiling = b->ceiling};
}

void
buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

/* One byte more than the ceiling says is had for the NUL. */
static bool
grow(struct buf *b, size_t least)
{
    if (least == SIZE_MAX)
        return false;
    size_t room = b->room > SIZE_MAX / 2 ? SIZE_MAX : b->room * 2;
    if (room < LEAST_ROOM)
        room = LEAST_ROOM;
    if (room > b->ceiling && b->ceiling < SIZE_MAX)
        room = b->ceiling + 1;
    if (room < least + 1)
        room = least + 1;
    char *p = realloc(b->p, room);
    if (!p)
        return false;
    b->p = p;
    b->room = room;
    return true;
}

bool
buf_reserve(struct buf *b, size_t n)
{
    if (b->failed || n > b->ceiling || b->n > b->ceiling - n)
        return false;
    return b->n + n < b->room || grow(b, b->n + n);
}

/* The end of the bytes with room for n more, or NULL and a buf that has failed. */
static char *
extend(struct buf *b, size_t n)
{
    if (!buf_reserve(b, n)) {
        b->failed = true;
        return NULL;
    }
    char *end = b->p + b->n;
    b->n += n;
    end[n] = '\0';
    return end;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    char *end = extend(b, n);
    if (end)
        memcpy(end, p, n);
}

void
buf_add_view(struct buf *b, view v)
{
    buf_add(b, v.p, v.n);
}

void
buf_add_byte(struct buf *b, char c)
{
    char *end = extend(b, 1);
    if (end)
        *end = c;
}

void
buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    /* Mostly there is room; what was written too much is written again behind a larger one. */
    size_t room = b->failed ? 0 : b->room - b->n;
    va_start(args, format);
    int n = format_print(room ? b->p + b->n : NULL, room, format, args);
    va_end(args);
    if (n < 0)
        b->failed = true;
    char *end = n > 0 ? extend(b, (size_t)n) : NULL;
    if (!end && room)
        b->p[b->n] = '\0';
    if (!end || (size_t)n < room)
        return;
    va_start(args, format);
    format_print(end, (size_t)n + 1, format, args);
    va_end(args);
}

/* What stands after the backslash, 'u' for a byte without a short escape, 0 when none is needed. */
static const char JSON_ESCAPES[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u',         'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

/* Some byte of eight is a control character, a quote or a backslash: the high bit of each byte by SWAR, exact for the
 * lowest that has it. */
static bool
needs_escape(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
    return (((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high;
}

static size_t
plain_until(view v, size_t at)
{
    while (v.n - at >= 8 && !needs_escape(v.p + at))
        at += 8;
    while (at < v.n && !JSON_ESCAPES[(unsigned char)v.p[at]])
        at++;
    return at;
}

void
buf_add_json(struct buf *b, view v)
{
    buf_add_byte(b, '"');
    for (size_t from = 0; from < v.n;) {
        size_t end = plain_until(v, from);
        buf_add(b, v.p + from, end - from);
        from = end;
        /* Escapes stand together: a text that is JSON itself is full of quotes. */
        for (; from < v.n && JSON_ESCAPES[(unsigned char)v.p[from]]; from++) {
            char escape = JSON_ESCAPES[(unsigned char)v.p[from]];
            if (escape == 'u')
                buf_printf(b, "\\u%04x", (unsigned)(unsigned char)v.p[from]);
            else
                buf_add(b, (char[2]){'\\', escape}, 2);
        }
    }
    buf_add_byte(b, '"');
}

/* White space but the blank becomes a reference, for attribute-value and line-end normalisation would
 * lose it. XML 1.0 has no other control characters at all: they become U+FFFD. */
static const char *
xml_escape(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return (unsigned char)c < 0x20 ? "\xEF\xBF\xBD" : NULL;
    }
}

/* U+FFFE and U+FFFF are no XML characters either. */
static bool
is_xml_noncharacter(view v, size_t at)
{
    return v.n - at >= 3 && (unsigned char)v.p[at] == 0xEF && (unsigned char)v.p[at + 1] == 0xBF &&
           (unsigned char)v.p[at + 2] >= 0xBE;
}

void
buf_add_xml(struct buf *b, view v)
{
    size_t from = 0;
    for (size_t i = 0; i < v.n; i++) {
        bool three = is_xml_noncharacter(v, i);
        const char *escape = three ? "\xEF\xBF\xBD" : xml_escape(v.p[i]);
        if (!escape)
            continue;
        buf_add(b, v.p + from, i - from);
        buf_add(b, escape, strlen(escape));
        i += three ? 2 : 0;
        from = i + 1;
    }
    if (v.n > from)
        buf_add(b, v.p + from, v.n - from);
}

void
buf_add_hex(struct buf *b, view bytes)
{
    char *end = extend(b, encode_hex_length(bytes.n));
    if (end)
        encode_hex(bytes, end);
}

static void
add_base64(struct buf *b, view bytes, enum base64_kind kind)
{
    char *end = extend(b, encode_base64_length(bytes.n, kind));
    if (end)
        encode_base64(bytes, kind, end);
}

void
buf_add_base64(struct buf *b, view bytes)
{
    add_base64(b, bytes, BASE64_STD);
}

void
buf_add_base64url(struct buf *b, view bytes)
{
    add_base64(b, bytes, BASE64_URL);
}
