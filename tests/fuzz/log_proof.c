/* room: signing
 *
 * What others hand over about a log: proofs as JSON, requests to a witness, cosigned heads.  Whatever is read prints and reads again as the same. */
#include "signing/log/proof.h"
#include "signing/log/witness.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_proof(view text, arena *mem)
{
    struct log_proof a, b;
    view printed;
    if (proof_read(text, mem, &a, NULL) != E_OK)
        return;
    if (proof_print(&a, mem, &printed) != E_OK || proof_read(printed, mem, &b, NULL) != E_OK)
        abort();
    if (a.first != b.first || a.size != b.size || a.n != b.n ||
        memcmp(a.path, b.path, a.n * sizeof *a.path) != 0)
        abort();
    digest root = sha256(V("no such root"));
    if (merkle_check_inclusion(&a.leaf, a.first, a.size, a.path, a.n, &root) == E_OK)
        abort();
}

static void
check_request(view text, arena *mem)
{
    struct witness_request a, b;
    view printed;
    size_t good;
    instant last;
    if (witness_request_read(text, mem, &a, NULL) != E_OK)
        return;
    if (witness_request_print(&a, mem, &printed) != E_OK ||
        witness_request_read(printed, mem, &b, NULL) != E_OK)
        abort();
    if (a.old != b.old || a.n != b.n || !view_eq(a.checkpoint, b.checkpoint))
        abort();
    if (cosignatures_count(a.checkpoint, NULL, 0, &good, &last, NULL) == E_OK && good != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *mem AUTO(arena_free) = arena_new(4 << 20);
    digest_start();
    check_proof(view_make(data, size), mem);
    check_request(view_make(data, size), mem);
    return 0;
}
