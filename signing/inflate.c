#include "signing/inflate.h"

#include "base/buf.h"

#include <zlib.h>

#define STEP 65536

static err
run(z_stream *z, size_t most, struct buf *out, struct fault *f)
{
    uint8_t step[STEP];
    for (;;) {
        z->next_out = step;
        z->avail_out = sizeof step;
        int code = inflate(z, Z_NO_FLUSH);
        size_t n = sizeof step - z->avail_out;
        if (out->n + n > most)
            return fault_set(f, E_TOO_LARGE, "compressed bytes", "less when unpacked", "more");
        buf_add(out, step, n);
        if (code == Z_STREAM_END)
            return z->avail_in == 0 ? E_OK
                                    : fault_set(f, E_COMPRESSION, "compressed bytes",
                                                "nothing behind the stream", "further bytes");
        /* No progress with room left: the input ended too early. */
        if (code != Z_OK || (n == 0 && z->avail_in == 0))
            return fault_set(f, E_COMPRESSION, "compressed bytes", "a whole stream of this form",
                             "another form, or damage");
    }
}

err
inflate_bytes(view packed, enum inflate_form form, size_t most, arena *mem, view *ret, struct fault *f)
{
    z_stream z = {0};
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, most + 1);
    if (packed.n == 0 || packed.n > UINT32_MAX)
        return fault_set(f, E_COMPRESSION, "compressed bytes", "a stream", "nothing, or too much");
    if (inflateInit2(&z, form == INFLATE_GZIP ? MAX_WBITS + 16 : MAX_WBITS) != Z_OK)
        return E_INTERNAL;
    z.next_in = (z_const Bytef *)(const void *)packed.p;
    z.avail_in = (uInt)packed.n;
    err e = run(&z, most, &out, f);
    inflateEnd(&z);
    TRY(e);
    if (out.failed)
        return E_TOO_LARGE;
    view bytes = arena_dup(mem, out.n ? buf_view(&out) : V(""));
    if (!bytes.p)
        return E_TOO_LARGE;
    *ret = bytes;
    return E_OK;
}
