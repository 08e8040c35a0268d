/* What the person signs: applications (who may get what, for which claim) and permissions, and their withdrawal.
 *
 * Recipients come from here, never from a list inside a hospital's document (DOMAIN D4).  The evidence must be the person's own: a certificate's signature gives
 * `presumption`, an app's signed assertion `asserted` (lower); hospital, insurer or anybody named as recipient cannot consent (THREATS S1).  Limited capacity needs
 * the person and a representative, none the representative alone (SCHEMA invariant 17). */
#ifndef FLOW_APPLICATION_H
#define FLOW_APPLICATION_H

#include "base/issue.h"
#include "flow/gateway.h"

struct application_in {
    view body;
    digest body_digest;
    partner_id sender;
    view client;
    instant received;
    bool by_person; /* sent with the token of a person who logged in: he must be in it */
    digest person;
};

struct application_out {
    bool created;
    doc_id document; /* as it is stored, when created */
    view
        json; /* {"submission","application","case","claims":[{…}],"permissions":[…],"track_code","receipt","outcome"} */
};

err application_accept(struct gateway *g, const struct application_in *in, arena *mem,
                       struct application_out *ret, struct fault *f) MUST_USE;

/* POST /v1/permissions: the same container for a case that exists, found by its references; adds permissions to claims that wait. */
err permission_accept(struct gateway *g, const struct application_in *in, arena *mem,
                      struct application_out *ret, struct fault *f) MUST_USE;

/* Withdrawal, signed by who gave it: {"signature":"a.b.c"} whose payload is {"withdraw":"perm-…","iat":…}, or by a presentation, or {} by the person who
 * logged in (person: blind, else NULL). No send begins after its commit; the answer lists the sends begun
 * before. ret_json: {"permission","withdrawn_at","sends_begun":[…],"receipt"} */
err permission_withdraw(struct gateway *g, perm_id id, view body, partner_id sender, const digest *person,
                        instant now, arena *mem, view *ret_json, struct fault *f) MUST_USE;

#endif
