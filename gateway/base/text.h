/* Text forms: UTF-8 check, hex, base64 (strict), numbers from text.  Pure functions, any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/view.h"

#include <stdint.h>

/* True when text is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, ≤ U+10FFFF); else the
 * offset of the first bad byte in *ret_at (may be NULL). */
bool text_is_utf8(view text, size_t *ret_at);
/* Decodes one scalar at text[*at], moves *at; 0xFFFD on bad input (moves one byte). */
uint32_t text_next_scalar(view text, size_t *at);
/* True when XML 1.0 can carry each of its characters (2.2: no control characters but tab and line ends, no U+FFFE
 * and U+FFFF). */
bool text_is_xml(view text);
/* Number of scalars. */
size_t text_length(view text);
/* True when at least one CJK ideograph is there (all extension blocks). */
bool text_has_han(view text);

/* Strict: alphabet only, right length, no stray bits; std wants padding, url forbids it.  White space is
 * refused. */
err text_base64_decode(view text, arena *mem, view *ret_bytes) MUST_USE;
err text_base64url_decode(view text, arena *mem, view *ret_bytes) MUST_USE;
view text_base64(arena *mem, view bytes);
view text_base64url(arena *mem, view bytes);
/* Lower case. */
view text_hex(arena *mem, view bytes);
err text_hex_decode(view text, arena *mem, view *ret_bytes) MUST_USE;

/* Whole text must be decimal digits (sign only for i64); E_SYNTAX else, also on overflow. */
err text_to_i64(view text, int64_t *ret) MUST_USE;
err text_to_u64(view text, uint64_t *ret) MUST_USE;
bool text_is_digits(view text);

/* Is it one of the words of "a|b|c"? */
bool text_is_one_of(view text, const char *words);

#endif
