/* Zip archives byte for byte (APPNOTE 4.3): what a library would refuse to write is written here. */
#ifndef TESTS_ADAPTERS_ZIP_KIT_H
#define TESTS_ADAPTERS_ZIP_KIT_H

#include "base/arena.h"
#include "base/buf.h"

#include <criterion/criterion.h>

struct kit_file {
    const char *name;
    view bytes;
    /* What is stated beside the truth; 0 states the truth. */
    uint32_t size, crc;
    uint16_t method, flags;
    uint16_t unix_mode;
};

static inline uint32_t
kit_crc(view bytes)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < bytes.n; i++) {
        c ^= (uint8_t)bytes.p[i];
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
    }
    return ~c;
}

static inline void
kit_le(struct buf *b, uint32_t n, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_add_byte(b, (char)(n >> 8 * i));
}

/* The fields that both headers share, from "version needed" to the length of the extra field. */
static inline void
kit_shared(struct buf *b, const struct kit_file *f)
{
    kit_le(b, 20, 2);
    kit_le(b, f->flags | 0x800u, 2);
    kit_le(b, f->method, 2);
    kit_le(b, 0x5c490000, 4);
    kit_le(b, f->crc ? f->crc : kit_crc(f->bytes), 4);
    kit_le(b, (uint32_t)f->bytes.n, 4);
    kit_le(b, f->size ? f->size : (uint32_t)f->bytes.n, 4);
    kit_le(b, (uint32_t)strlen(f->name), 2);
    kit_le(b, 0, 2);
}

static inline view
kit_zip(arena *mem, const struct kit_file *files, size_t n)
{
    struct buf out AUTO_DONE(buf_done), central AUTO_DONE(buf_done);
    buf_init(&out, 32u << 20);
    buf_init(&central, 1u << 20);
    for (size_t i = 0; i < n; i++) {
        const struct kit_file *f = &files[i];
        uint32_t at = (uint32_t)out.n;
        kit_le(&out, 0x04034b50, 4);
        kit_shared(&out, f);
        buf_add(&out, f->name, strlen(f->name));
        buf_add_view(&out, f->bytes);
        kit_le(&central, 0x02014b50, 4);
        kit_le(&central, 20 | 3 << 8, 2);
        kit_shared(&central, f);
        kit_le(&central, 0, 4);
        kit_le(&central, 0, 2);
        kit_le(&central, (uint32_t)f->unix_mode << 16, 4);
        kit_le(&central, at, 4);
        buf_add(&central, f->name, strlen(f->name));
    }
    uint32_t at = (uint32_t)out.n;
    buf_add_view(&out, buf_view(&central));
    kit_le(&out, 0x06054b50, 4);
    kit_le(&out, 0, 4);
    kit_le(&out, (uint32_t)n, 2);
    kit_le(&out, (uint32_t)n, 2);
    kit_le(&out, (uint32_t)central.n, 4);
    kit_le(&out, at, 4);
    kit_le(&out, 0, 2);
    cr_assert(!out.failed && !central.failed);
    return arena_dup(mem, buf_view(&out));
}

#endif
