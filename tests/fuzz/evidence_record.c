/* room: signing */
/* Any bytes as an evidence record: anchor, object, record.  What is read prints to the same bytes again when it was printed by us; what holds holds
 * again and says the same times, in order. */
#include "signing/time/evidence_record.h"
#include "base/digest.h"
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct evidence_record r, again;
    view rest = view_make(data, size);
    view anchor = part_take(&rest), object = part_take(&rest), printed = VIEW_NONE;
    digest_start();
    arena *mem = arena_new(16 << 20);
    const struct record_question q = {
        .object = object, .anchors = &anchor, .n_anchors = 1, .now = {INT64_C(1800000000000000)}};
    struct record_proof p, twice;
    struct fault f;
    fault_init(&f);
    if (evidence_record_read(rest, &r, &f) == E_OK) {
        must(r.n > 0 && r.stamps[0].begins_chain);
        must(evidence_record_print(&r, mem, &printed) == E_OK);
        must(evidence_record_read(printed, &again, NULL) == E_OK && again.n == r.n);
        err e = evidence_record_verify(&r, &q, mem, &p, &f);
        must((e == E_OK) == (f.code == E_OK));
        if (e == E_OK)
            must(evidence_record_verify(&again, &q, mem, &twice, NULL) == E_OK && twice.at.us == p.at.us &&
                 p.at.us <= p.latest.us && p.latest.us <= q.now.us);
    } else {
        must(f.code == E_TIME_STAMP);
    }
    arena_free(mem);
    return 0;
}
