/* Motor filings on their way in and out: what the pipeline of signed documents (intake/) needs beyond the adapter claimlink, and who sees what of a filing.
 *
 * A paper of a filing is a document like any other: verified, interpreted, joined, committed in one unit with its leaf, receipt, events and deliveries.  Here is what only
 * such papers have: an owner who signs for himself, admission by the filing's ledger under the case's version, claims and permissions that the owner's filing opens, the
 * recourse that one insurer takes against another, and the shop as a recipient without a claim.  Any thread; memory from the request's arena. */
#ifndef FLOW_MOTOR_H
#define FLOW_MOTOR_H

#include "adapters/claimlink/ledger.h"
#include "flow/intake/intake.h"
#include "flow/view/feed.h"

/* -- inside of the pipeline -- */
err motor_interpret(struct passage *p, const struct tree *t) MUST_USE;
/* The organisation that wrote the paper, as registered; NULL when unknown. */
const struct partner *motor_author(const struct passage *p);
/* A person signs for himself, through an app or a shop's terminal: never through who is to receive it. */
err motor_owner_authority(struct passage *p) MUST_USE;
/* The filing's number, by which its papers meet. */
err motor_join(struct passage *p) MUST_USE;
/* May this author add this paper to this filing now?  E_NOT_FOUND for who has no part in it; E_FILING_USED, E_REPAIR_*, E_ESTIMATE_VERSION. */
err motor_admit(struct passage *p, struct reader *r, struct joined *found) MUST_USE;

struct motor_unit {
    struct passage *p;
    struct reader *r;
    struct unit *u;
    const struct data_key *key; /* of the document */
    case_id in_case;
    int64_t case_version;
    doc_id document;
    struct acceptance *a; /* deliveries are counted, extra is printed */
};
/* Claims, permissions, deliveries to the shop, the code for the owner. */
err motor_store(struct motor_unit *m) MUST_USE;

/* Papers of two sides, an insurer's approval or recourse: nobody else's matter (plan.h, projection.c). */
bool motor_is_two_sided(enum document_kind kind);
/* The owner in a filing's first paper, by the first of his numbers that names a person; none when it names nobody. */
digest motor_owner_of(const struct gateway *g, const struct claim_case *filed, arena *mem);
/* Several owners' filings meet in one accident's case.  Does a paper reach this claim?  Papers of other kinds: yes.  Those of a filing: only the claims of its owner, whose
 * recipient wrote it, has its owner's permission that stands for it, or, of two sides, was given a permission by it. */
bool motor_reaches(const struct row_document *d, const struct row_claim *c,
                   const struct row_permission *permissions, instant now);
/* The same for a permission that this very unit makes for the claim. */
bool motor_reaches_new(const struct row_document *d, const struct row_claim *c);

/* Photos of a paper on their way in: the handle of each stored copy, its blind among the case's keys (motor_photo.c). */
err motor_photos(struct passage *p) MUST_USE;
/* Pictures that stand in another case become findings of this paper; the insurers of the other case are told that theirs stands elsewhere too, and nothing more. */
err motor_photos_elsewhere(struct passage *p, struct reader *r, uid in_case) MUST_USE;
err motor_tell_elsewhere(struct motor_unit *m) MUST_USE;

/* -- views -- */

struct loaded_case; /* flow/case/case.h */
/* The number of the filing that a paper of the case belongs to; empty when it is of none. */
view motor_number_of(const struct loaded_case *c, uid paper);

/* {"case","version","view","filing"?,"repairs":[…],"claims":[…],"content":{…}} for the shop (its order), the owner (person set: his own side), his app without
 * a code (titles and states), an insurer (its claims' places).  E_NOT_FOUND for all others. */
err motor_fetch(struct gateway *g, partner_id who, const struct person_caller *person, case_id id,
                enum lang lang, instant now, arena *mem, view *ret_json, view *ret_etag, struct fault *f)
    MUST_USE;

/* The insurer's own answer as a file of one of adapters/insurer/format.def: {"format","media","charset","content":base64,"findings":[…]}. */
err motor_format(struct gateway *g, partner_id who, claim_id id, view format, enum lang lang, instant now,
                 arena *mem, view *ret_json, struct fault *f) MUST_USE;

/* The copy of a picture that the view of this claim names, for its insurer.  E_NOT_FOUND. */
struct motor_picture;
err claim_photo_fetch(struct gateway *g, partner_id who, claim_id id, photo_id photo, instant now, arena *mem,
                      struct motor_picture *ret, struct fault *f) MUST_USE;
/* The copy of a photo for whoever's view of the filing names it; with original the file as it was sent, for the partner that sent it.  E_NOT_FOUND. */
struct motor_picture {
    view bytes, media;
};
err motor_photo_fetch(struct gateway *g, partner_id who, const struct person_caller *person, case_id id,
                      photo_id photo, bool original, instant now, arena *mem, struct motor_picture *ret,
                      struct fault *f) MUST_USE;

#endif
