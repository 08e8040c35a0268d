/* Motor filings (車險理賠匯流): what the owner of a vehicle, the repair shop and the insurers write about one accident, each signing its own papers.
 *
 * A filing is a number and the papers that bear it.  The owner begins (part filing: accident, vehicle, damage, photos, which insurers get it, which shop goes on);
 * the shop sends estimate versions, supplements, the invoice; insurers answer with approvals by line, payments, recourse; owner or insurer record a settlement.  One
 * shape for all (paper.def), one kind of document for who may see it.
 *
 * claimlink_interpret turns a verified paper into facts of the case and says what flow needs to admit it.  Sums are recomputed beside what was stated.  No network, no
 * store, no keys; memory from the arena, one thread. */
#ifndef ADAPTERS_CLAIMLINK_CLAIMLINK_H
#define ADAPTERS_CLAIMLINK_CLAIMLINK_H

#include "adapters/adapter.h"
#include "adapters/claimlink/paper.h"
#include "base/digest.h"

#define MOTOR_FILING_SYSTEM "https://claimgate.tw/motor-filing"
#define MOTOR_PHOTOS_MAX 64

struct motor_photo {
    view sha256, media;
    struct case_photo *fact; /* photo_id is flow's to set: it knows the stored copy */
    view vehicle;            /* local id */
    digest picture;          /* blind of the copy; zero where there is none (flow) */
    bool is_noted;           /* that it stands in another case too (flow) */
};

/* An insurer that the owner names: it gets the filing for this line. */
struct motor_claim {
    view insurer, line, policy_no;
    struct motor_claim *next;
};

struct motor_paper {
    enum motor_part part;
    enum motor_author author;
    view author_code; /* 統一編號; empty for the owner */
    view filing;
    int64_t revision;
    view plate, order_no, line; /* where the part has them */
    int64_t version, supplement;
    view shop; /* filing: who goes on; payment: who is paid */
    struct motor_claim *claims;
    view birth_date; /* of the owner, part filing */
    const view *line_numbers;
    size_t n_line_numbers;
    decimal amount; /* approval: payable; payment, invoice: total; recourse: asked */
    decimal paid;   /* recourse */
    view recourse_kind, against;
    struct motor_photo photos[MOTOR_PHOTOS_MAX];
    size_t n_photos;
};

/* JSON only: E_MEDIA_TYPE for XML. */
err claimlink_read(enum fhir_media media, view bytes, arena *mem, struct tree *ret, struct fault *f) MUST_USE;
/* Errors of form go to issues; then facts and paper hold nothing. */
err claimlink_interpret(const struct tree *t, arena *mem, struct issues *issues, struct reading *ret,
                        struct motor_paper *ret_paper, struct fault *f) MUST_USE;

/* The filing that the facts of a paper belong to; empty when they are of no motor filing. */
view motor_filing_of(const struct claim_case *facts);
/* The finding that the same picture stands in another case: what, by which rule, and nothing of the other case. */
err motor_note_reused(arena *mem, struct claim_case *facts, const struct motor_photo *photo) MUST_USE;
/* Plate without hyphens and in capitals, as it is compared and looked up. */
view motor_plate_key(view plate, arena *mem);

#endif
