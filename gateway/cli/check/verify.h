/* Checks of receipts, heads and proofs that several commands share.  All need only public keys. */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "cli/check/keys.h"
#include "cli/check/report.h"
#include "signing/log/proof.h"
#include "signing/log/receipt.h"

struct log_head {
    uint64_t n;
    digest root;
    view text;
};

/* Signed by one of the keys, under this origin. */
err verify_head(const struct key_list *keys, view text, view origin, struct log_head *ret, struct fault *f)
    MUST_USE;
err verify_receipt_text(const struct key_list *keys, view jws, arena *mem, struct receipt *ret,
                        struct fault *f) MUST_USE;
/* Reports head signature and inclusion of the receipt's leaf. */
err verify_inclusion(struct report *r, const struct key_list *keys, const struct receipt *receipt,
                     view proof_json, arena *mem, struct log_head *ret);
/* --at, else now. */
err verify_at(const struct args *a, instant *ret, struct fault *f) MUST_USE;
/* A proof of time as a receipt's `time` has it, of an entry that was proved to stand below `head`.  Open without --trust. */
void verify_time(struct report *r, const struct key_list *keys, const struct log_head *head, view time_json,
                 arena *mem);
/* Files of the log in dir against their head: STEP_TILES. */
void verify_tiles(struct report *r, const char *dir, const struct log_head *head);
/* --witnesses and --quorum, when given. */
void verify_witnesses(struct report *r, const struct log_head *head, arena *mem);

#endif
