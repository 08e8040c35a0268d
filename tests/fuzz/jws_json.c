/* room: signing
 *
 * JWS in JSON form.  A signature that can be used has an algorithm of the table, a signature and the payload of the whole; b64 is
 * one for all; without keys none holds. */
#include "signing/jose/jws_json.h"
#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *mem = arena_new(4u << 20);
    struct jws_list *list = arena_make(mem, struct jws_list);
    bool held[SIGNATURES_MAX];
    int b64 = -1;
    if (list && size < 65536 && jws_json_split(view_make(data, size), mem, list, NULL) == E_OK) {
        assert(list->n > 0 && list->n <= SIGNATURES_MAX);
        for (size_t i = 0; i < list->n; i++) {
            const struct jws_entry *e = &list->entry[i];
            if (e->code != E_OK)
                continue;
            assert(e->parts.header.alg > ALG_NONE && e->parts.header.alg < ALG_COUNT &&
                   e->parts.signature_b64.n > 0);
            assert(b64 < 0 || b64 == e->parts.header.b64);
            b64 = e->parts.header.b64;
        }
        assert(jws_json_verify(list, V("{}"), NULL, 0, mem, held, NULL) != E_OK);
    }
    arena_free(mem);
    return 0;
}
