/* A wallet's presentation as a signature: what the holder signed binds the text that was shown and the very bytes that are filed.
 *
 * Only a verified presentation of the same partner counts, once, for 30 minutes; one whose nonce or transaction data bound no text (the ministry's verifier
 * module never does) is identity and no consent (DOMAIN D14).  Inside of flow/person; one request's thread and arena. */
#ifndef FLOW_PERSON_PRESENTED_H
#define FLOW_PERSON_PRESENTED_H

#include "flow/person/exchange_row.h"

struct presented {
    struct exchange x;
    view person;   /* key text of the person in the credential ("moi|…") */
    view text;     /* "id/version/language" of the text that was bound */
    view about;    /* JSON without any claim: profile, issuer, holder, checks, time */
    view evidence; /* what the holder signed, as received */
};

/* id: "exc-…"; payload: what was to be bound.  E_PERMISSION_EVIDENCE (identity only, another payload), E_PRESENTATION_STATE, E_PRESENTATION_USED,
 * E_PRESENTATION_EXPIRED, E_NOT_FOUND. */
err presented_open(struct gateway *g, partner_id who, view id, view payload, instant now, arena *mem,
                   struct presented *ret, struct fault *f) MUST_USE;
/* Spends it in the caller's unit. */
err presented_spend(struct unit *u, struct presented *p) MUST_USE;
void presented_done(struct presented *p);

/* What the holder signs where a payload stands beside the text: hex SHA-256 of "text hash.payload hash", both lower-case hex. */
view presented_binding(view text_hash, view payload_hash, arena *mem);

#endif
