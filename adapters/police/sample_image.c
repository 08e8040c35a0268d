/* Pictures for samples: a crossing seen from above with vehicles, as a PNG of few colours.  The pixels are stored, not compressed, so that a large picture is
 * a large file (ISO/IEC 15948; RFC 1950, RFC 1951 stored blocks). */
#include "adapters/police/sample.h"

#define BLOCK_MAX 65535u

enum colour { GRASS, ASPHALT, LINE, CAR, MOTORCYCLE, COLOURS };
static const uint8_t palette[COLOURS][3] = {
    {96, 128, 88}, {80, 80, 84}, {232, 232, 224}, {168, 48, 40}, {40, 72, 152}};

struct picture {
    uint8_t *rows; /* one filter byte and the pixels of a row, row after row */
    uint32_t width, height;
};

static void
fill(const struct picture *p, uint32_t x0, uint32_t y0, uint32_t w, uint32_t h, enum colour c)
{
    for (uint32_t y = y0; y < y0 + h && y < p->height; y++)
        for (uint32_t x = x0; x < x0 + w && x < p->width; x++)
            p->rows[(size_t)y * (p->width + 1) + 1 + x] = (uint8_t)c;
}

static void
paint(const struct picture *p, struct dice *d)
{
    uint32_t w = p->width, h = p->height, road = h / 4;
    fill(p, 0, 0, w, h, GRASS);
    fill(p, 0, h / 2 - road / 2, w, road, ASPHALT);
    fill(p, w / 2 - road / 2, 0, road, h, ASPHALT);
    for (uint32_t x = 0; x < w; x += road / 2 + 1)
        fill(p, x, h / 2, road / 4, 1 + h / 200, LINE);
    fill(p, dice_throw(d, w / 2), h / 2 + dice_throw(d, road / 4 + 1), road / 2, road / 5 + 1, CAR);
    fill(p, w / 2 + dice_throw(d, road / 4 + 1), dice_throw(d, h / 2), road / 8 + 1, road / 3, MOTORCYCLE);
}

static void
add_u32(struct buf *b, uint32_t n)
{
    const uint8_t bytes[] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    buf_add(b, bytes, sizeof bytes);
}

static uint32_t
crc_of(view bytes)
{
    uint32_t table[256], crc = 0xFFFFFFFF;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
    for (size_t i = 0; i < bytes.n; i++)
        crc = table[(crc ^ (uint8_t)bytes.p[i]) & 0xFF] ^ (crc >> 8);
    return crc ^ 0xFFFFFFFF;
}

static uint32_t
adler_of(const uint8_t *p, size_t n)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < n; i++) {
        a = (a + p[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

/* length, type and data, CRC over type and data: the data stand in the buffer from `from` on, behind room for the length. */
static size_t
begin_chunk(struct buf *b, const char type[4])
{
    size_t from = b->n;
    add_u32(b, 0);
    buf_add(b, type, 4);
    return from;
}

static void
end_chunk(struct buf *b, size_t from)
{
    if (b->failed)
        return;
    uint32_t n = (uint32_t)(b->n - from - 8);
    const uint8_t length[] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    memcpy(b->p + from, length, sizeof length);
    add_u32(b, crc_of(view_sub(buf_view(b), from + 4, (size_t)n + 4)));
}

static void
add_stored(struct buf *b, const uint8_t *p, size_t n)
{
    buf_add(b, "\x78\x01", 2);
    for (size_t at = 0; at < n; at += BLOCK_MAX) {
        size_t part = n - at < BLOCK_MAX ? n - at : BLOCK_MAX;
        const uint8_t head[] = {at + part == n, (uint8_t)part, (uint8_t)(part >> 8), (uint8_t)~part,
                                (uint8_t)(~part >> 8)};
        buf_add(b, head, sizeof head);
        buf_add(b, p + at, part);
    }
    add_u32(b, adler_of(p, n));
}

err
police_sample_image(struct dice *d, uint32_t width, uint32_t height, arena *mem, view *ret)
{
    struct picture p = {.width = width, .height = height};
    size_t n = (size_t)height * (width + 1), chunk;
    p.rows = arena_alloc(mem, n);
    if (!p.rows)
        return E_TOO_LARGE;
    paint(&p, d);
    struct buf b AUTO_DONE(buf_done);
    buf_init(&b, n + n / 1000 + 4096);
    buf_add(&b, "\x89PNG\r\n\x1A\n", 8);
    chunk = begin_chunk(&b, "IHDR");
    add_u32(&b, width);
    add_u32(&b, height);
    buf_add(&b, "\x08\x03\0\0\0", 5); /* 8 bits, palette */
    end_chunk(&b, chunk);
    chunk = begin_chunk(&b, "PLTE");
    buf_add(&b, palette, sizeof palette);
    end_chunk(&b, chunk);
    chunk = begin_chunk(&b, "IDAT");
    add_stored(&b, p.rows, n);
    end_chunk(&b, chunk);
    end_chunk(&b, begin_chunk(&b, "IEND"));
    view out = b.failed ? VIEW_NONE : arena_dup(mem, buf_view(&b));
    if (!out.p)
        return E_TOO_LARGE;
    *ret = out;
    return E_OK;
}
