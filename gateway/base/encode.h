/* Bytes to hex and base64 (RFC 4648), into room that the caller has measured with the matching _length.
 * buf.h and text.h both stand on it.  Nothing is terminated and nothing can fail.  Any thread. */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/view.h"

#include <stdint.h>

enum base64_kind { BASE64_STD, BASE64_URL };

/* SIZE_MAX when the length cannot be said in a size_t. */
size_t encode_hex_length(size_t n);
size_t encode_base64_length(size_t n, enum base64_kind kind);
void encode_hex(view bytes, char *out);
void encode_base64(view bytes, enum base64_kind kind, char *out);

#endif
