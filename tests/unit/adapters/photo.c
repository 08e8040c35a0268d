/* The copy of a photo that others get: what goes out, what stays, and files that are no pictures. */
#include <criterion/criterion.h>

#include "adapters/claimlink/photo.h"
#include "base/buf.h"

#define CEILING ((size_t)16 << 20)
#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void
segment(struct buf *b, uint8_t marker, view body)
{
    const uint8_t head[] = {0xFF, marker, (uint8_t)((body.n + 2) >> 8), (uint8_t)(body.n + 2)};
    buf_add(b, head, sizeof head);
    buf_add_view(b, body);
}

static void
exif(struct buf *b, bool little, uint8_t orientation)
{
    static const uint8_t tail[] = {'G', 'P', 'S', ' ', '2', '5', '.', '0', '3'};
    const uint8_t motorola[] = {'E', 'x',  'i',  'f', 0, 0, 'M', 'M',         0, 42,  0,   0,   0, 8,    0,
                                2,   0x01, 0x0F, 0,   2, 0, 0,   0,           4, 'C', 'A', 'M', 0, 0x01, 0x12,
                                0,   3,    0,    0,   0, 1, 0,   orientation, 0, 0,   0,   0,   0, 0};
    const uint8_t intel[] = {'E',  'x',  'i', 'f', 0, 0, 'I', 'I', 42,          0, 8, 0, 0, 0, 1, 0,
                             0x12, 0x01, 3,   0,   1, 0, 0,   0,   orientation, 0, 0, 0, 0, 0, 0, 0};
    struct buf body AUTO_DONE(buf_done);
    buf_init(&body, 4096);
    if (little)
        buf_add(&body, intel, sizeof intel);
    else
        buf_add(&body, motorola, sizeof motorola);
    buf_add(&body, tail, sizeof tail);
    segment(b, 0xE1, buf_view(&body));
}

static const uint8_t scan[] = {1, 2, 0xFF, 0x00, 3, 0xFF, 0xD0, 4, 0xFF, 0x00, 0xFF, 0xD7, 5};

/* Two scans with a table and a comment between, as a progressive picture has them. */
static void
picture(struct buf *b)
{
    segment(b, 0xDB, V("quantisation"));
    segment(b, 0xC2, V("frame"));
    segment(b, 0xDA, V("one"));
    buf_add(b, scan, sizeof scan);
    segment(b, 0xC4, V("table"));
    segment(b, 0xDA, V("two"));
    buf_add(b, scan, sizeof scan);
    buf_add(b, BYTES(0xFF, 0xD9));
}

static void
jpeg(struct buf *b, bool little, uint8_t orientation)
{
    buf_init(b, CEILING);
    buf_add(b, BYTES(0xFF, 0xD8));
    segment(b, 0xE0, V("JFIF\0\1\2\0\0\1\0\1\1\1RGB"));
    exif(b, little, orientation);
    segment(b, 0xE1, V("http://ns.adobe.com/xap/1.0/\0<xmp>secret</xmp>"));
    segment(b, 0xE2, V("MPF\0secret"));
    segment(b, 0xE2, V("ICC_PROFILE\0\1\1profile"));
    segment(b, 0xED, V("Photoshop 3.0\0secret"));
    segment(b, 0xEE, V("Adobe\0d\0\0\0\0\1"));
    segment(b, 0xFE, V("secret"));
    buf_add(b, BYTES(0xFF, 0xFF)); /* fill */
    b->n--;
    picture(b);
    buf_add_view(b, V("secret film behind the picture"));
}

/* The same without what has to go. */
static void
jpeg_clean(struct buf *b, uint8_t orientation)
{
    buf_init(b, CEILING);
    buf_add(b, BYTES(0xFF, 0xD8));
    segment(b, 0xE0, V("JFIF\0\1\2\0\0\1\0\1\0\0"));
    if (orientation)
        buf_add(b, BYTES(0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01,
                         0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0));
    segment(b, 0xE2, V("ICC_PROFILE\0\1\1profile"));
    segment(b, 0xEE, V("Adobe\0d\0\0\0\0\1"));
    picture(b);
}

static void
expect_copy(view in, view want, bool left)
{
    AUTO(arena_free) arena *mem = arena_new(CEILING);
    view out;
    bool was_left;
    cr_assert(photo_copy(in, mem, &out, &was_left));
    cr_expect(view_eq(out, want), "%zu bytes, want %zu", out.n, want.n);
    cr_expect_eq(was_left, left);
}

Test(photo, a_jpeg_keeps_the_picture_and_how_it_is_turned)
{
    for (unsigned orientation = 0; orientation <= 9; orientation++)
        for (int little = 0; little < 2; little++) {
            struct buf in AUTO_DONE(buf_done), want AUTO_DONE(buf_done);
            jpeg(&in, little, (uint8_t)orientation);
            jpeg_clean(&want, orientation >= 2 && orientation <= 8 ? (uint8_t)orientation : 0);
            expect_copy(buf_view(&in), buf_view(&want), true);
            cr_expect_eq(view_find(buf_view(&want), V("secret")), want.n);
        }
}

Test(photo, a_copy_of_a_clean_picture_is_the_picture)
{
    struct buf in AUTO_DONE(buf_done);
    jpeg_clean(&in, 0);
    expect_copy(buf_view(&in), buf_view(&in), false);
}

static void
chunk(struct buf *b, const char *type, view body)
{
    const uint8_t length[] = {0, 0, (uint8_t)(body.n >> 8), (uint8_t)body.n}, crc[] = {1, 2, 3, 4};
    buf_add(b, length, 4);
    buf_add(b, type, 4);
    buf_add_view(b, body);
    buf_add(b, crc, 4);
}

static void
png(struct buf *b, bool clean)
{
    buf_init(b, CEILING);
    buf_add_view(b, V("\x89PNG\r\n\x1A\n"));
    chunk(b, "IHDR", V("1234567890123"));
    chunk(b, "gAMA", V("1234"));
    if (!clean) {
        chunk(b, "tEXt", V("Author\0secret"));
        chunk(b, "iTXt", V("secret"));
        chunk(b, "zTXt", V("secret"));
        chunk(b, "eXIf", V("MM\0*secret"));
        chunk(b, "tIME", V("secret!"));
        chunk(b, "prVt", V("secret"));
    }
    chunk(b, "IDAT", V("picture"));
    chunk(b, "IEND", V(""));
    if (!clean)
        buf_add_view(b, V("secret"));
}

Test(photo, a_png_keeps_the_picture)
{
    struct buf in AUTO_DONE(buf_done), want AUTO_DONE(buf_done);
    png(&in, false);
    png(&want, true);
    expect_copy(buf_view(&in), buf_view(&want), true);
    expect_copy(buf_view(&want), buf_view(&want), false);
}

/* Cut anywhere, no copy is made of half a picture, and nothing is read beyond the end. */
Test(photo, no_beginning_of_a_picture_is_one)
{
    struct buf files[2] = {0};
    jpeg_clean(&files[0], 6);
    png(&files[1], true);
    for (int f = 0; f < 2; f++) {
        for (size_t n = 0; n < files[f].n; n++) {
            AUTO(arena_free) arena *mem = arena_new(CEILING);
            char *cut = arena_alloc(mem, n + 1);
            view out;
            bool left;
            memcpy(cut, files[f].p, n);
            cr_expect(!photo_copy(view_make(cut, n), mem, &out, &left), "file %d cut at %zu", f, n);
        }
        buf_done(&files[f]);
    }
}

/* One bit changed anywhere: a copy that is not longer than the file and the orientation, or none. */
Test(photo, no_changed_bit_leads_beyond_the_file)
{
    struct buf in AUTO_DONE(buf_done);
    jpeg(&in, false, 6);
    for (size_t bit = 0; bit < in.n * 8; bit++) {
        AUTO(arena_free) arena *mem = arena_new(CEILING);
        view out;
        bool left;
        in.p[bit / 8] = (char)(in.p[bit / 8] ^ 1 << bit % 8);
        if (photo_copy(buf_view(&in), mem, &out, &left))
            cr_expect(out.n <= in.n + 36, "bit %zu", bit);
        in.p[bit / 8] = (char)(in.p[bit / 8] ^ 1 << bit % 8);
    }
}

Test(photo, other_files_have_no_copy)
{
    static const char *const files[] = {
        "", "GIF89a", "%PDF-1.7", "\xFF\xD8", "\xFF\xD8\xFF\xD9", "\x89PNG\r\n\x1A\n", "RIFF....WEBP"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        AUTO(arena_free) arena *mem = arena_new(CEILING);
        view out;
        bool left;
        cr_expect(!photo_copy(view_of(files[i]), mem, &out, &left), "%zu", i);
    }
}
