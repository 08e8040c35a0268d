#include "base/encode.h"

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

void
encode_base64(view bytes, enum base64_kind kind, char *out)
{
    const char *alphabet = ALPHABET[kind];
    const uint8_t *p = (const uint8_t *)bytes.p;
    size_t n = bytes.n;
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
