/* room: signing
 *
 * Bundle.signature: reading it, and the canonical form that it is over.  The form is read again by the same reader and gives
 * itself; it holds nothing that is left out. */
#include "signing/jose/bundle_signature.h"
#include "base/digest.h"
#include "base/jcs.h"
#include "signing/jose/jws.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_octets(view octets, arena *mem)
{
    struct tree again;
    struct buf out;
    assert(tree_read_json(octets, NULL, mem, &again, NULL) == E_OK);
    assert(!node_member(&again, tree_root(&again), V("signature")));
    buf_init(&out, 1 << 20);
    assert(jcs_write(&again, tree_root(&again), NULL, 0, &out) == E_OK && view_eq(buf_view(&out), octets));
    buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *mem = arena_new(8u << 20);
    struct tree t;
    struct bundle_signature s;
    struct jws_parts parts;
    view octets;
    if (size < 65536 && tree_read_json(view_make(data, size), NULL, mem, &t, NULL) == E_OK &&
        bundle_signature_read(&t, mem, &s, NULL) == E_OK) {
        assert(bundle_signature_present(&t));
        if (jws_split(s.jws, mem, &parts, NULL) == E_OK)
            (void)!bundle_signature_commitments(&t, &s, parts.protected_b64, mem, NULL);
        if (bundle_signature_octets(&t, &s, mem, &octets, NULL) == E_OK)
            check_octets(octets, mem);
        (void)!bundle_signature_names(&s, s.jws);
    }
    arena_free(mem);
    return 0;
}
