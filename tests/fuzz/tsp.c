/* room: signing */
/* Any bytes as a time-stamp response: anchor, response.  What holds has a token that holds by itself and says
 * the same time. */
#include "signing/time/tsp.h"
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    view rest = view_make(data, size);
    view anchor = part_take(&rest);
    digest_start();
    arena *mem = arena_new(4 << 20);
    struct tsp_question q = {.data = V("a head of the log"), .anchors = &anchor, .n_anchors = 1};
    struct tsp_token t = {0}, again = {0};
    struct fault f;
    fault_init(&f);
    err e = tsp_answer(rest, &q, mem, &t, &f);
    must((e == E_OK) == (f.code == E_OK) && e != E_INTERNAL);
    if (e == E_OK)
        must(tsp_token_verify(t.token, &q, mem, &again, NULL) == E_OK && again.at.us == t.at.us);
    arena_free(mem);
    return 0;
}
