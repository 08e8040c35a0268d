/* room: adapters */
/* Any bytes as a photo: a copy is never longer than the file and an orientation, is a picture of the same kind, and its own copy is itself: nothing that goes out is left in
 * it.  The same for the papers of a motor filing: what is admitted has facts that can be stored. */
#include "adapters/claimlink/photo.h"

#include "adapters/case_codec.h"
#include "adapters/claimlink/ledger.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static void
check_copy(view bytes, arena *mem)
{
    view copy, again;
    bool left, left_again;
    if (!photo_copy(bytes, mem, &copy, &left))
        return;
    must(copy.n <= bytes.n + 36 && (left || view_eq(copy, bytes)));
    must(view_eq(photo_media(copy), photo_media(bytes)));
    must(photo_copy(copy, mem, &again, &left_again) && view_eq(again, copy));
}

static void
check_paper(view bytes, arena *mem)
{
    struct tree *t = arena_make(mem, struct tree);
    struct issues issues;
    struct reading rd;
    struct motor_paper paper;
    struct ledger ledger;
    struct buf out;
    issues_init(&issues, mem, 20);
    if (!t || claimlink_read(FHIR_JSON, bytes, mem, t, NULL) != E_OK ||
        claimlink_interpret(t, mem, &issues, &rd, &paper, NULL) != E_OK || issues.errors)
        return;
    must(rd.kind != KIND_COUNT && rd.identifier_value.n > 0);
    buf_init(&out, 16u << 20);
    must(case_encode(rd.facts, NULL, true, &out) == E_OK && !out.failed);
    buf_done(&out);
    ledger_init(&ledger, mem);
    if (ledger_admit(&ledger, &paper, &issues, NULL) == E_OK)
        must(ledger_add(&ledger, rd.facts) == E_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_free) arena *mem = arena_new(64 << 20);
    const view bytes = view_make(data, size);
    check_copy(bytes, mem);
    check_paper(bytes, mem);
    return 0;
}
