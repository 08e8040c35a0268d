/* room: signing
 *
 * Receipts and checkpoints.  The private half of the key is not kept anywhere, so whatever verifies must
 * say what the corpus' own say. */
#include "signing/log/receipt.h"
#include "signing/log/merkle.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char jwk_text[] =
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"H4fl_eOhTb41Q-nY3woiaxbXds1sD454ZmhRF9bi8v"
    "I\",\"y\":\"kXLcufDBeNd3o7Yl9JPGZFUt38d3xVGzgaq7Yna2VS4\",\"kid\":\"qz_oky1xoXlncvOw"
    "NzafkezGhUEaBjGgIt4CXxh14to\",\"alg\":\"ES256\",\"use\":\"sig\"}";

static void *
key_of(void)
{
    arena *mem AUTO(arena_free) = arena_new(1 << 20);
    json_t *jwk;
    void *pkey = NULL;
    enum jose_alg alg;
    view kid;
    digest_start();
    if (json_load(view_of(jwk_text), mem, &jwk, NULL) != E_OK ||
        jwk_read(jwk, &pkey, &alg, &kid, mem, NULL) != E_OK)
        abort();
    return pkey;
}

static void
check_receipt(view text, void *pkey, arena *mem)
{
    struct receipt r;
    digest document = sha256(V("document"));
    if (receipt_check(text, pkey, mem, &r, NULL) != E_OK)
        return;
    if (!digest_eq(&r.document, &document) || !view_eq(r.log_id, V("gateway.example/log")))
        abort();
}

static void
check_checkpoint(view text, void *pkey)
{
    uint64_t n = 0;
    digest got, root = sha256(V("root"));
    if (checkpoint_check(text, V("gateway.example/log"), pkey, &n, &got, NULL) != E_OK)
        return;
    if (n != 20852163 || !digest_eq(&got, &root))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *pkey;
    if (!pkey)
        pkey = key_of();
    arena *mem AUTO(arena_free) = arena_new(4 << 20);
    view text = view_make(data, size);
    check_receipt(text, pkey, mem);
    check_checkpoint(text, pkey);
    return 0;
}
