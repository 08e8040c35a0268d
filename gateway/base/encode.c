#include "base/encode.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const char HEX[] = "0123456789abcdef";
static const char ALPHABET[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t
encode_hex_length(size_t n)
{
    return n > SIZE_MAX / 2 ? SIZE_MAX : n * 2;
}

size_t
encode_base64_length(size_t n, enum base64_kind kind)
{
    if (n > SIZE_MAX / 4 * 3 - 3)
        return SIZE_MAX;
    size_t rest = n % 3;
    size_t tail = rest == 0 ? 0 : kind == BASE64_STD ? 4 : rest + 1;
    return n / 3 * 4 + tail;
}

void
encode_hex(view bytes, char *out)
{
    for (size_t i = 0; i < bytes.n; i++) {
        uint8_t byte = (uint8_t)bytes.p[i];
        *out++ = HEX[byte >> 4];
        *out++ = HEX[byte & 15];
    }
}

#if defined(__x86_64__)
/* Twelve bytes into sixteen letters at a time.  Bytes are laid out so that each 32-bit lane holds its three, two multiplications move the four groups of six
 * bits to the low end of a byte each, and a table by range of letters says what is added to a group to make it a letter.  Gives how many bytes were taken:
 * a load takes sixteen, so the last few are left. */
__attribute__((target("ssse3"))) static size_t
encode_by_sixteen(const uint8_t *p, size_t n, enum base64_kind kind, char *out)
{
    const __m128i spread = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
    const char plus = (char)(ALPHABET[kind][62] - 62), slash = (char)(ALPHABET[kind][63] - 63);
    const __m128i shift = _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                                        '0' - 52, '0' - 52, '0' - 52, '0' - 52, plus, slash, 'A', 0, 0);
    size_t at = 0;
    for (; n - at >= 16; at += 12, out += 16) {
        __m128i in = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + at)), spread);
        __m128i odd =
            _mm_mulhi_epu16(_mm_and_si128(in, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
        __m128i even =
            _mm_mullo_epi16(_mm_and_si128(in, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
        __m128i six = _mm_or_si128(odd, even);
        /* 0: small letters; 1 to 10: digits; 11, 12: the last two; 13: capitals */
        __m128i range = _mm_subs_epu8(six, _mm_set1_epi8(51));
        __m128i capital = _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), six), _mm_set1_epi8(13));
        __m128i letters = _mm_add_epi8(_mm_shuffle_epi8(shift, _mm_or_si128(range, capital)), six);
        _mm_storeu_si128((__m128i *)(void *)out, letters);
    }
    return at;
}

static size_t
encode_wide(const uint8_t *p, size_t n, enum base64_kind kind, char *out)
{
    return n >= 16 && __builtin_cpu_supports("ssse3") ? encode_by_sixteen(p, n, kind, out) : 0;
}
#else
static size_t
encode_wide(const uint8_t *p, size_t n, enum base64_kind kind, char *out)
{
    (void)p;
    (void)n;
    (void)kind;
    (void)out;
    return 0;
}
#endif

void
encode_base64(view bytes, enum base64_kind kind, char *out)
{
    const char *alphabet = ALPHABET[kind];
    if (bytes.n == 0)
        return;
    size_t wide = encode_wide((const uint8_t *)bytes.p, bytes.n, kind, out);
    const uint8_t *p = (const uint8_t *)bytes.p + wide;
    size_t n = bytes.n - wide;
    out += wide / 3 * 4;
    for (; n >= 3; n -= 3, p += 3) {
        uint32_t three = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        *out++ = alphabet[three >> 18];
        *out++ = alphabet[three >> 12 & 63];
        *out++ = alphabet[three >> 6 & 63];
        *out++ = alphabet[three & 63];
    }
    if (n == 0)
        return;
    uint32_t last = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
    *out++ = alphabet[last >> 18];
    *out++ = alphabet[last >> 12 & 63];
    if (n == 2)
        *out++ = alphabet[last >> 6 & 63];
    if (kind == BASE64_URL)
        return;
    if (n == 1)
        *out++ = '=';
    *out++ = '=';
}
