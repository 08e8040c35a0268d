/* What a recipient fetches: the feed of events, its claims with their view of the case, original documents, the answer to "where does my claim stand".
 *
 * Permission is asked again at every fetch; an event whose permission ended is a tombstone with the same number, so that numbers have no gaps.  Nobody sees
 * another's claim: E_NOT_FOUND, never a "forbidden". */
#ifndef FLOW_FEED_H
#define FLOW_FEED_H

#include "base/buf.h"
#include "flow/gateway.h"

/* {"data":[{"id","type","sequence","time","claim","case_version","href"}|{"type":"tombstone",…}],"has_more":…,"next_cursor":"…"} cursor: decimal number of the last event seen,
 * sealed to the partner; empty = from the consumer's committed position (name) or the start. */
err feed_list(struct gateway *g, partner_id who, view cursor, view consumer, int limit, instant now,
              arena *mem, view *ret_json, struct fault *f) MUST_USE;
/* {"cursor":"…"}: stores the position; what lies before it counts as delivered. */
err feed_commit(struct gateway *g, partner_id who, view consumer, view cursor, instant now, arena *mem,
                view *ret_json, struct fault *f) MUST_USE;

/* One claim of the recipient: {"claim":{…},"case":<projection body>,"documents":[…],"attestation":"<jws>"} */
err claim_fetch(struct gateway *g, partner_id who, claim_id id, enum lang lang, instant now, arena *mem,
                view *ret_json, view *ret_etag, struct fault *f) MUST_USE;
/* The same claim as a FHIR Claim, minted from the insurer's own view. */
err claim_fetch_fhir(struct gateway *g, partner_id who, claim_id id, instant now, arena *mem, view *ret_json,
                     struct fault *f) MUST_USE;
/* {"data":[claims…],"has_more","next_cursor"}; body: {"state":…?,"cursor":…?,"limit":…?} */
err claim_search(struct gateway *g, partner_id who, view body, enum lang lang, arena *mem, view *ret_json,
                 struct fault *f) MUST_USE;
err claim_timeline(struct gateway *g, partner_id who, claim_id id, enum lang lang, arena *mem, view *ret_json,
                   struct fault *f) MUST_USE;

/* The original bytes with their signature, only where the recipient's view covers the whole document. */
struct original {
    view bytes, media; /* "application/fhir+json" … */
    view cms_header, key_id_header, jws_header;
};
err document_fetch(struct gateway *g, partner_id who, claim_id claim, doc_id document, instant now,
                   arena *mem, struct original *ret, struct fault *f) MUST_USE;
/* The author's or sender's own document. */
err document_fetch_own(struct gateway *g, partner_id who, doc_id document, arena *mem, struct original *ret,
                       struct fault *f) MUST_USE;

/* -- the person -- */
struct person_caller {
    case_id in_case;
    digest person;
    view role;       /* "subject", "representative", "policyholder" */
    bool steps_only; /* a session by code and birth date, without login */
};
err track_session(struct gateway *g, view code, view birth_date, instant now, arena *mem, view *ret_json,
                  struct fault *f) MUST_USE;
/* Header value → who.  A session token shows steps and dates.  A code shows everything, but only to the app through which the person applied, logged in as itself; to
 * nobody and to any other it is E_LOGIN. */
err track_caller(struct gateway *g, partner_id by, view token, instant now, arena *mem,
                 struct person_caller *ret, struct fault *f) MUST_USE;
/* A person who logged in: which of the cases in which he has a role (named, or the only one). E_NOT_FOUND, E_PARAMETER. */
err track_person(struct gateway *g, const digest *person, case_id only, view named, instant now, arena *mem,
                 struct person_caller *ret, struct fault *f) MUST_USE;
/* The original of a medical paper in one of these cases, where all claims are the subject's; for him and who represents him. E_NOT_FOUND. */
err track_document(struct gateway *g, const digest *person, case_id only, doc_id document, instant now,
                   arena *mem, struct original *ret, struct fault *f) MUST_USE;
err track_view(struct gateway *g, const struct person_caller *who, enum lang lang, instant now, arena *mem,
               view *ret_json, struct fault *f) MUST_USE;
/* {"data":[{id, kind, recipient, purpose, document_kinds, level, from, to?, withdrawn_at?, basis, text?|article?, uses_left?, used:[…]}]} */
err track_permissions(struct gateway *g, const struct person_caller *who, enum lang lang, arena *mem,
                      view *ret_json, struct fault *f) MUST_USE;

/* -- inside -- */
/* The bytes of a stored document and how it was signed. */
err original_open(struct gateway *g, struct reader *r, const struct row_document *row, arena *mem,
                  struct original *ret) MUST_USE;
/* Reads a claim that `who` is the recipient (or agent) of. */
err feed_own_claim(struct reader *r, partner_id who, claim_id id, arena *mem, struct row_claim **ret,
                   struct fault *f) MUST_USE;
view feed_cursor_print(struct gateway *g, partner_id who, int64_t seq, arena *mem);
err feed_cursor_read(struct gateway *g, partner_id who, view cursor, arena *mem, int64_t *ret,
                     struct fault *f) MUST_USE;

#endif
