/* The way of a signed document in: read, verify, validate, normalise, join, commit, answer.  One pipeline for hospital bundles and police
 * records; what differs is a row of intake.def.
 *
 * Refusals store nothing but an audit row.  The same bytes again are answered with the original receipt.  A race between equal submissions is resolved by the
 * writer: the loser reads again (at most 8 times). */
#ifndef FLOW_ACCEPT_H
#define FLOW_ACCEPT_H

#include "adapters/adapter.h"
#include "flow/gateway.h"

enum intake { INTAKE_BUNDLE, INTAKE_ACCIDENT, INTAKE_MOTOR, INTAKE_COVER, INTAKE_HOUSEHOLD, INTAKE_COUNT };

struct cover_exchange; /* flow/lookup/lookup.h */

struct submission {
    enum intake intake;
    view body;
    enum fhir_media media;
    digest body_digest;
    view cms_header, key_id_header, jws_header; /* AUTH, KeyId, X-JWS-Signature; empty when absent */
    partner_id sender;
    view client;
    view reference; /* the sender's own reference (header X-Sender-Reference), empty when none */
    struct cover_exchange *cover; /* INTAKE_COVER: the question, and where the answer goes; NULL otherwise */
    claim_id recourse_of;         /* INTAKE_MOTOR by a claim's route: that claim; none otherwise */
    bool dry_run;
    bool strict;
    instant received;
};

struct acceptance {
    bool created; /* 201, else 200 for a duplicate */
    submission_id id;
    doc_id document;
    case_id in_case;
    const char *
        outcome; /* "accepted", "accepted-with-findings", "waiting-permission", "waiting-verification", "duplicate" */
    view receipt;
    view verdict;      /* JSON */
    view extra;        /* further members of a plain answer, with the comma before; empty: none */
    size_t deliveries; /* rows made by this unit */
    bool due;          /* one of them is to be sent now, not fetched */
};

err accept_document(struct gateway *g, const struct submission *s, arena *mem, struct issues *issues,
                    struct acceptance *ret, struct fault *f) MUST_USE;
/* Audit row of an authenticated refusal; never fails the request.  The second form: of a document. */
struct refused_request {
    const char *route;
    partner_id sender;
    view client;
    instant at;
    err code;
    view place;
    int64_t bytes;
};
void refusal_note(struct gateway *g, const struct refused_request *r);
void accept_refused(struct gateway *g, const struct submission *s, const char *route, const struct fault *f);

/* After a time-out: by the sender's own reference or the document's digest. JSON list of {submission, document, received_at, receipt}. */
err accept_lookup(struct gateway *g, partner_id sender, view reference, const digest *body, arena *mem,
                  view *ret_json, struct fault *f) MUST_USE;
/* The sender's or author's own documents under an identifier, as a searchset Bundle without their content. */
err accept_find(struct gateway *g, partner_id who, view system, view value, arena *mem, view *ret_json,
                struct fault *f) MUST_USE;

#endif
