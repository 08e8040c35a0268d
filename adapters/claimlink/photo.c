#include "adapters/claimlink/photo.h"

#include "base/buf.h"

#include <string.h>

#define JPEG_START V("\xFF\xD8\xFF")
#define PNG_START V("\x89PNG\r\n\x1A\n")

enum {
    JPEG_SOI = 0xD8,
    JPEG_EOI = 0xD9,
    JPEG_SOS = 0xDA,
    JPEG_APP0 = 0xE0,
    JPEG_APP1 = 0xE1,
    JPEG_APP2 = 0xE2,
    JPEG_APP14 = 0xEE,
    JPEG_APP15 = 0xEF,
    JPEG_COM = 0xFE
};

/* What is walked and what is written; never longer than the input and one segment of orientation. */
struct copy {
    const uint8_t *p;
    size_t n, at;
    struct buf out;
    unsigned orientation; /* 2 to 8; 0 = upright or unknown */
    bool left;            /* something was left out */
};

view
photo_media(view bytes)
{
    if (view_starts(bytes, JPEG_START))
        return V("image/jpeg");
    return view_starts(bytes, PNG_START) ? V("image/png") : V("");
}

static uint32_t
big(const uint8_t *p, size_t bytes)
{
    uint32_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

/* -- orientation -- */

struct tiff {
    const uint8_t *p;
    size_t n;
    bool is_little;
};

static uint32_t
tiff_number(const struct tiff *t, size_t at, size_t bytes)
{
    if (at + bytes > t->n)
        return 0;
    uint32_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v |= (uint32_t)t->p[at + i] << 8 * (t->is_little ? i : bytes - 1 - i);
    return v;
}

/* Tag 0x0112 of the first directory (EXIF 2.32, 4.6.4): how the picture is to be turned. */
static unsigned
orientation_of(view exif)
{
    struct tiff t = {(const uint8_t *)exif.p + 6, exif.n < 6 ? 0 : exif.n - 6, false};
    if (t.n < 14)
        return 0;
    t.is_little = t.p[0] == 'I';
    size_t directory = tiff_number(&t, 4, 4), entries = tiff_number(&t, directory, 2);
    for (size_t i = 0; i < entries && i < 512; i++) {
        size_t entry = directory + 2 + 12 * i;
        if (tiff_number(&t, entry, 2) != 0x0112)
            continue;
        uint32_t v = tiff_number(&t, entry, 4) == 0 ? 0 : tiff_number(&t, entry + 8, 2);
        return v >= 2 && v <= 8 ? v : 0;
    }
    return 0;
}

/* An EXIF segment that says nothing else. */
static void
write_orientation(struct copy *c)
{
    uint8_t segment[36] = {0xFF, JPEG_APP1, 0, 34, 'E', 'x', 'i', 'f', 0,    0,    'M', 'M',
                           0,    42,        0, 0,  0,   8,   0,   1,   0x01, 0x12, 0,   3,
                           0,    0,         0, 1,  0,   0,   0,   0,   0,    0,    0,   0};
    if (!c->orientation)
        return;
    segment[29] = (uint8_t)c->orientation;
    buf_add(&c->out, segment, sizeof segment);
    c->orientation = 0;
}

/* -- JPEG -- */

static bool
begins(const struct copy *c, size_t at, size_t n, view word)
{
    return n >= word.n && memcmp(c->p + at, word.p, word.n) == 0;
}

/* JFIF without its thumbnail: the first 16 bytes, sizes zero. */
static void
write_jfif(struct copy *c, size_t at, size_t n)
{
    static const uint8_t head[] = {0xFF, JPEG_APP0, 0, 16}, none[] = {0, 0};
    if (n < 14)
        return;
    buf_add(&c->out, head, sizeof head);
    buf_add(&c->out, c->p + at, 12);
    buf_add(&c->out, none, sizeof none);
    c->left = c->left || n > 14;
}

/* A segment of an application (APPn) or a comment; at, n: behind its length. */
static void
take_note(struct copy *c, unsigned marker, size_t at, size_t n)
{
    bool is_profile = marker == JPEG_APP2 && begins(c, at, n, V("ICC_PROFILE\0"));
    bool is_colour = marker == JPEG_APP14 && begins(c, at, n, V("Adobe"));
    if (marker == JPEG_APP0 && begins(c, at, n, V("JFIF\0"))) {
        write_jfif(c, at, n);
        return;
    }
    if (is_profile || is_colour) {
        buf_add(&c->out, c->p + at - 4, n + 4);
        return;
    }
    c->left = true;
    if (marker == JPEG_APP1 && begins(c, at, n, V("Exif\0\0"))) {
        c->orientation = orientation_of(view_make(c->p + at, n));
        write_orientation(c);
    }
}

/* Entropy-coded data up to the next marker that is neither a stuffed byte nor a restart. */
static bool
take_scan(struct copy *c)
{
    size_t from = c->at;
    while (c->at + 1 < c->n) {
        const uint8_t *ff = memchr(c->p + c->at, 0xFF, c->n - c->at - 1);
        if (!ff)
            return false;
        size_t at = (size_t)(ff - c->p);
        uint8_t next = ff[1];
        if (next != 0 && !(next >= 0xD0 && next <= 0xD7)) {
            buf_add(&c->out, c->p + from, at - from);
            c->at = at;
            return true;
        }
        c->at = at + 2;
    }
    return false;
}

/* One segment with its length; false when the file ends in it. */
static bool
take_segment(struct copy *c, unsigned marker)
{
    if (c->at + 4 > c->n)
        return false;
    size_t length = big(c->p + c->at + 2, 2), from = c->at;
    if (length < 2 || c->at + 2 + length > c->n)
        return false;
    c->at += 2 + length;
    if ((marker >= JPEG_APP0 && marker <= JPEG_APP15) || marker == JPEG_COM) {
        take_note(c, marker, from + 4, length - 2);
        return true;
    }
    buf_add(&c->out, c->p + from, 2 + length);
    return marker != JPEG_SOS || take_scan(c);
}

static bool
copy_jpeg(struct copy *c)
{
    bool has_scan = false;
    buf_add(&c->out, c->p, 2);
    c->at = 2;
    while (c->at + 2 <= c->n) {
        if (c->p[c->at] != 0xFF)
            return false;
        unsigned marker = c->p[c->at + 1];
        if (marker == 0xFF) { /* a fill byte */
            c->at++;
            continue;
        }
        if (marker == JPEG_EOI) {
            buf_add(&c->out, c->p + c->at, 2);
            c->left = c->left || c->at + 2 < c->n;
            return has_scan;
        }
        if (marker <= 1 || (marker >= 0xD0 && marker <= JPEG_SOI))
            return false;
        has_scan = has_scan || marker == JPEG_SOS;
        if (!take_segment(c, marker))
            return false;
    }
    return false;
}

/* -- PNG -- */

static bool
png_needs(const uint8_t *type)
{
    static const char kept[][5] = {"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA",
                                   "cHRM", "sRGB", "iCCP", "sBIT", "bKGD", "pHYs"};
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if (memcmp(type, kept[i], 4) == 0)
            return true;
    return false;
}

static bool
copy_png(struct copy *c)
{
    buf_add(&c->out, c->p, 8);
    for (c->at = 8; c->at + 12 <= c->n;) {
        uint32_t length = big(c->p + c->at, 4);
        const uint8_t *type = c->p + c->at + 4;
        bool is_first = c->at == 8, is_end = memcmp(type, "IEND", 4) == 0;
        if (length > c->n - c->at - 12 || is_first != (memcmp(type, "IHDR", 4) == 0))
            return false;
        bool is_needed = png_needs(type);
        if (!is_needed && !(type[0] & 0x20))
            return false; /* critical, and not known: not a picture that others can be shown */
        if (is_needed)
            buf_add(&c->out, c->p + c->at, 12 + (size_t)length);
        c->left = c->left || !is_needed;
        c->at += 12 + (size_t)length;
        if (is_end) {
            c->left = c->left || c->at < c->n;
            return true;
        }
    }
    return false;
}

bool
photo_copy(view bytes, arena *mem, view *ret, bool *ret_left)
{
    struct copy c = {.p = (const uint8_t *)bytes.p, .n = bytes.n};
    view media = photo_media(bytes);
    char *room = media.n ? arena_room(mem, bytes.n + 64) : NULL;
    if (!room)
        return false;
    buf_init_over(&c.out, room, bytes.n + 64);
    bool good = view_eq(media, V("image/png")) ? copy_png(&c) : copy_jpeg(&c);
    if (!good || c.out.failed)
        return false;
    *ret = buf_view(&c.out);
    *ret_left = c.left;
    return true;
}
