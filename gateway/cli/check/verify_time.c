#include "cli/check/verify.h"

#include "base/json.h"
#include "base/text.h"
#include "signing/time/evidence_record.h"
#include "signing/trust/trust.h"

#include <stdio.h>

#define ANCHORS_MAX 16

/* The stamped bytes are a head of this log, and the one that the entry was proved to stand below. */
static err
check_head(const struct key_list *keys, const struct log_head *proved, view text, struct fault *f)
{
    struct log_head stamped;
    view rest = text, origin = view_cut(&rest, '\n', NULL);
    TRY(verify_head(keys, text, origin, &stamped, f));
    if (stamped.n != proved->n || !digest_eq(&stamped.root, &proved->root))
        return fault_set(f, E_TIME_STAMP, "head",
                         "the head of the proof of inclusion (ask for it with the same tree_size)",
                         "another head");
    return E_OK;
}

static err
check_record(const struct args *a, view head, view der, arena *mem, struct record_proof *ret, struct fault *f)
{
    AUTO(trust_unref) struct trust *t = NULL;
    view anchors[ANCHORS_MAX];
    struct evidence_record *record = arena_make(mem, struct evidence_record);
    struct record_question q = {.object = head, .anchors = anchors, .policy = args_value(a, "policy")};
    if (!record)
        return E_TOO_LARGE;
    TRY(verify_at(a, &q.now, f));
    TRY(trust_load(args_value(a, "trust"), args_flag(a, "sandbox"), &t, f));
    q.n_anchors = trust_anchors(t, USE_TSA, mem, anchors, ANCHORS_MAX);
    TRY(evidence_record_read(der, record, f));
    return evidence_record_verify(record, &q, mem, ret, f);
}

void
verify_time(struct report *r, const struct key_list *keys, const struct log_head *head, view time_json,
            arena *mem)
{
    json_t *json = NULL;
    view der = VIEW_NONE;
    struct record_proof proof = {.stamps = 0};
    struct fault f;
    char first[32], until[32];
    fault_init(&f);
    err e = json_load(time_json, mem, &json, &f);
    if (e == E_OK && json_object_get(json, "time")) /* a whole answer of /v1/receipts/{id} */
        json = json_object_get(json, "time");
    if (e == E_OK && view_eq(json_text(json, "state"), V("pending"))) {
        report_note(r, STEP_TIME, "no time-stamp yet: ask again later", "尚無時戳，請稍後再查");
        return;
    }
    if (e == E_OK && !args_value(r->a, "trust")) {
        report_note(r, STEP_TIME, "give --trust with the roots of time-stamp authorities",
                    "請以 --trust 提供時戳機構之根憑證");
        return;
    }
    view text = json_text(json, "head");
    if (e == E_OK)
        e = check_head(keys, head, text, &f);
    if (e == E_OK && text_base64_decode(json_text(json, "record"), mem, &der) != E_OK)
        e = fault_set(&f, E_TIME_STAMP, "record", "base64 of an evidence record", "another text");
    if (e == E_OK)
        e = check_record(r->a, text, der, mem, &proof, &f);
    view at = instant_print(proof.at, first), end = instant_print(proof.until, until);
    (void)report_check(r, STEP_TIME, e, &f, "%.*s, %zu/%zu, %.*s", VIEW_ARG(at), proof.stamps, proof.chains,
                       VIEW_ARG(end));
}
