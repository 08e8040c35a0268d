/* Byte scanners of the JSON reader: runs of white space, runs of plain string bytes, one UTF-8 sequence.
 *
 * They own nothing, never read at or beyond end, and say nothing about faults: the caller looks at the byte
 * they stop at.  Sixteen bytes a step with SSE2, which every x86-64 has, else eight with plain words.  Any
 * thread. Rules: RFC 8259 section 2 (white space) and 7 (strings), RFC 3629 section 4 (UTF-8). */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline bool
scan_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool
scan_is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Printable ASCII that may stand in a string as it is. */
static inline bool
scan_is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* First byte that is no white space, or end. */
static inline const char *
scan_space_run(const char *p, const char *end)
{
#ifdef __SSE2__
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i blank =
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
        __m128i other =
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\r')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\t')));
        unsigned solid = (unsigned)_mm_movemask_epi8(_mm_or_si128(blank, other)) ^ 0xFFFFU;
        if (solid != 0)
            return p + __builtin_ctz(solid);
        p += 16;
    }
#endif
    while (p < end && scan_is_space(*p))
        p++;
    return p;
}

/* The same; compact documents have no space in most places, so that case is tested first. */
static inline const char *
scan_space(const char *p, const char *end)
{
    if (p < end && (unsigned char)*p > ' ')
        return p;
    return scan_space_run(p, end);
}

/* First byte that is a quote, a backslash, a control character or outside ASCII, or end. */
static inline const char *
scan_plain(const char *p, const char *end)
{
#ifdef __SSE2__
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* The compare is signed: bytes from 0x80 are negative, so one test finds them and the control
         * characters. */
        __m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
        __m128i mark =
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        unsigned stop = (unsigned)_mm_movemask_epi8(_mm_or_si128(odd, mark));
        if (stop != 0)
            return p + __builtin_ctz(stop);
        p += 16;
    }
#else
    const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    while (end - p >= 8) {
        uint64_t w, quote, slash;
        memcpy(&w, p, 8);
        quote = w ^ (ones * '"');
        slash = w ^ (ones * '\\');
        /* x - ones borrows into the top bit of a byte that is zero (or below 0x20 for the first term). */
        if (((w | (w - ones * 0x20) | (quote - ones) | (slash - ones)) & tops) != 0)
            break;
        p += 8;
    }
#endif
    while (p < end && scan_is_plain(*p))
        p++;
    return p;
}

/* Length of the well-formed UTF-8 sequence at p, whose first byte is 0x80 or more; 0 when it is malformed. */
static inline unsigned
scan_utf8(const char *p, const char *end)
{
    const unsigned char *b = (const unsigned char *)p;
    size_t left = (size_t)(end - p);

    if ((b[0] & 0xF0) == 0xE0) { /* first, because Chinese text is made of these */
        bool follows = left >= 3 && (b[1] & 0xC0) == 0x80 && (b[2] & 0xC0) == 0x80;
        bool overlong = follows && b[0] == 0xE0 && b[1] < 0xA0;
        bool surrogate = follows && b[0] == 0xED && b[1] >= 0xA0;
        return follows && !overlong && !surrogate ? 3 : 0;
    }
    if (b[0] >= 0xC2 && b[0] <= 0xDF)
        return left >= 2 && (b[1] & 0xC0) == 0x80 ? 2 : 0;
    if (b[0] < 0xF0 || b[0] > 0xF4 || left < 4)
        return 0;
    if ((b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] >= 0x90))
        return 0;
    return (b[1] & 0xC0) == 0x80 && (b[2] & 0xC0) == 0x80 && (b[3] & 0xC0) == 0x80 ? 4 : 0;
}

#endif
