/* room: adapters
 * What the decoder accepts, the encoder writes so that it is accepted again and stays the same; every projection of it
 * can be made or is refused, and none holds sources. */
#include "adapters/case_codec.h"
#include "adapters/invariants.h"
#include "adapters/view.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
project_all(const struct claim_case *c, arena *mem)
{
    for (unsigned v = 0; v < VIEW_COUNT; v++) {
        struct view_request r = {.view = (enum view_kind)v, .all_documents = true, .unlocked = true};
        if (c->claims)
            r.claim = c->claims->id;
        struct buf out AUTO_DONE(buf_done);
        buf_init(&out, 1 << 20);
        struct fault f;
        fault_init(&f);
        if (view_project(c, &r, mem, &out, &f) == E_OK &&
            view_find(buf_view(&out), V("\"sources\":\"")) < out.n)
            abort();
    }
}

static struct claim_case *
decode(view text, arena *mem)
{
    struct tree *t = arena_make(mem, struct tree);
    struct claim_case *c = NULL;
    struct fault f;
    fault_init(&f);
    if (!t || tree_read_json(text, NULL, mem, t, &f) != E_OK)
        return NULL;
    return case_decode(t, tree_root(t), mem, &c, &f) == E_OK ? c : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    arena *mem AUTO(arena_free) = arena_new(16 << 20);
    struct claim_case *c = decode(view_make(data, n), mem);
    if (!c)
        return 0;
    struct buf once AUTO_DONE(buf_done), twice AUTO_DONE(buf_done);
    buf_init(&once, 4 << 20);
    buf_init(&twice, 4 << 20);
    if (case_encode(c, NULL, true, &once) != E_OK)
        return 0;
    struct claim_case *again = decode(buf_view(&once), mem);
    if (!again || case_encode(again, NULL, true, &twice) != E_OK ||
        !view_eq(buf_view(&once), buf_view(&twice)))
        abort();
    project_all(c, mem);
    if (case_check(c, mem, NULL) != E_OK && arena_used(mem) < (8 << 20))
        abort();
    return 0;
}
