#include "base/text.h"

#include "base/encode.h"

/* Length of the well-formed sequence at p, 0 when there is none (RFC 3629, table of section 4). */
static size_t
sequence_length(const uint8_t *p, size_t n)
{
    uint8_t first = p[0];
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (n < length)
        return 0;
    /* The second byte excludes overlong forms, surrogates and what lies above U+10FFFF. */
    uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    return length;
}

bool
text_is_utf8(view text, size_t *ret_at)
{
    const uint8_t *p = (const uint8_t *)text.p;
    size_t at = 0;
    while (at < text.n) {
        uint64_t word;
        if (text.n - at >= sizeof word) {
            memcpy(&word, p + at, sizeof word);
            if (!(word & 0x8080808080808080u)) {
                at += sizeof word;
                continue;
            }
        }
        size_t length = sequence_length(p + at, text.n - at);
        if (length == 0) {
            if (ret_at)
                *ret_at = at;
            return false;
        }
        at += length;
    }
    return true;
}

uint32_t
text_next_scalar(view text, size_t *at)
{
    if (*at >= text.n)
        return 0xFFFD;
    const uint8_t *p = (const uint8_t *)text.p + *at;
    size_t length = sequence_length(p, text.n - *at);
    *at += length ? length : 1;
    switch (length) {
    case 1:
        return p[0];
    case 2:
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3:
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    case 4:
        return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 |
               (p[3] & 0x3F);
    default:
        return 0xFFFD;
    }
}

bool
text_is_xml(view text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return false;
        if (c == 0xEF && text.n - i >= 3 && (unsigned char)text.p[i + 1] == 0xBF &&
            (unsigned char)text.p[i + 2] >= 0xBE)
            return false;
    }
    return true;
}

size_t
text_length(view text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.n; count++)
        (void)text_next_scalar(text, &at);
    return count;
}

/* Whole blocks (Unicode 17), so that characters which a later Unicode adds to them count too. */
static const struct {
    uint32_t first, last;
} HAN[] = {
    {0x3007, 0x3007},   /* ideographic zero */
    {0x3400, 0x4DBF},   /* extension A */
    {0x4E00, 0x9FFF},   /* unified ideographs */
    {0xF900, 0xFAFF},   /* compatibility ideographs */
    {0x20000, 0x2A6DF}, /* B */
    {0x2A700, 0x2EE5F}, /* C, D, E, F, I */
    {0x2F800, 0x2FA1F}, /* compatibility supplement */
    {0x30000, 0x3347F}, /* G, H, J */
};

static bool
is_han(uint32_t scalar)
{
    for (size_t i = 0; i < COUNT_OF(HAN); i++) {
        if (scalar >= HAN[i].first && scalar <= HAN[i].last)
            return true;
    }
    return false;
}

bool
text_has_han(view text)
{
    for (size_t at = 0; at < text.n;) {
        if (is_han(text_next_scalar(text, &at)))
            return true;
    }
    return false;
}

/* 0..63, or -1. */
static int
base64_value(char c, enum base64_kind kind)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (kind == BASE64_STD ? '+' : '-'))
        return 62;
    return c == (kind == BASE64_STD ? '/' : '_') ? 63 : -1;
}

/* Symbols without padding, SIZE_MAX when the length is none that an encoder makes. */
static size_t
base64_symbols(view text, enum base64_kind kind)
{
    size_t n = text.n;
    if (kind == BASE64_STD) {
        if (n % 4 != 0)
            return SIZE_MAX;
        if (n && text.p[n - 1] == '=')
            n--;
        if (n && n < text.n && text.p[n - 1] == '=')
            n--;
    }
    return n % 4 == 1 ? SIZE_MAX : n;
}

static err
base64_decode(view text, enum base64_kind kind, arena *mem, view *ret_bytes)
{
    size_t n = base64_symbols(text, kind);
    if (n == SIZE_MAX)
        return E_SYNTAX;
    char *bytes = arena_alloc(mem, n / 4 * 3 + 3);
    if (!bytes)
        return E_TOO_LARGE;
    size_t length = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < n; i++) {
        int value = base64_value(text.p[i], kind);
        if (value < 0)
            return E_SYNTAX;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[length++] = (char)(uint8_t)(bits >> held);
        }
    }
    /* Bits that no byte took must be zero, else two texts would mean the same bytes. */
    if (bits & ((1u << held) - 1))
        return E_SYNTAX;
    *ret_bytes = (view){bytes, length};
    return E_OK;
}

err
text_base64_decode(view text, arena *mem, view *ret_bytes)
{
    return base64_decode(text, BASE64_STD, mem, ret_bytes);
}

err
text_base64url_decode(view text, arena *mem, view *ret_bytes)
{
    return base64_decode(text, BASE64_URL, mem, ret_bytes);
}

/* Room for n characters and the NUL. */
static char *
alloc_text(arena *mem, size_t n)
{
    return n == SIZE_MAX ? NULL : arena_alloc(mem, n + 1);
}

static view
base64(arena *mem, view bytes, enum base64_kind kind)
{
    size_t n = encode_base64_length(bytes.n, kind);
    char *out = alloc_text(mem, n);
    if (!out)
        return VIEW_NONE;
    encode_base64(bytes, kind, out);
    return (view){out, n};
}

view
text_base64(arena *mem, view bytes)
{
    return base64(mem, bytes, BASE64_STD);
}

view
text_base64url(arena *mem, view bytes)
{
    return base64(mem, bytes, BASE64_URL);
}

view
text_hex(arena *mem, view bytes)
{
    size_t n = encode_hex_length(bytes.n);
    char *out = alloc_text(mem, n);
    if (!out)
        return VIEW_NONE;
    encode_hex(bytes, out);
    return (view){out, n};
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

err
text_hex_decode(view text, arena *mem, view *ret_bytes)
{
    if (text.n % 2 != 0)
        return E_SYNTAX;
    char *bytes = arena_alloc(mem, text.n / 2 + 1);
    if (!bytes)
        return E_TOO_LARGE;
    for (size_t i = 0; i < text.n; i += 2) {
        int high = hex_value(text.p[i]), low = hex_value(text.p[i + 1]);
        if (high < 0 || low < 0)
            return E_SYNTAX;
        bytes[i / 2] = (char)(uint8_t)(high << 4 | low);
    }
    *ret_bytes = (view){bytes, text.n / 2};
    return E_OK;
}

bool
text_is_digits(view text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    }
    return text.n > 0;
}

err
text_to_u64(view text, uint64_t *ret)
{
    if (!text_is_digits(text))
        return E_SYNTAX;
    uint64_t value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.p[i] - '0'), &value))
            return E_SYNTAX;
    }
    *ret = value;
    return E_OK;
}

err
text_to_i64(view text, int64_t *ret)
{
    bool minus = text.n && text.p[0] == '-';
    uint64_t size;
    TRY(text_to_u64(minus ? view_sub(text, 1, text.n) : text, &size));
    if (size > (uint64_t)INT64_MAX + (minus ? 1 : 0))
        return E_SYNTAX;
    *ret = minus ? (int64_t)(0 - size) : (int64_t)size;
    return E_OK;
}

bool
text_is_one_of(view text, const char *words)
{
    view rest = view_of(words);
    bool more = true;
    while (more)
        if (view_eq(view_cut(&rest, '|', &more), text))
            return true;
    return false;
}
