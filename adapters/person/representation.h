/* Proof of a representation: a paper of a court, a household office, the person or a company that says who acts for whom, in what, until when.
 *
 *   {"signature":"a.b.c"}: compact JWS, typ claimgate-representation+jwt, over
 *   {"v":1,"id":"urn:uuid:…","kind":"guardian","no":"115年度監宣字第12號","issued":"2026-01-10","from"?:date,"to"?:date,
 *    "issuer"?:{"code","name"?},"person":{…},"holders":[{…,"relation"?}],"acts"?:["apply",…],"joint"?:true}
 *
 * Dates are Taiwan's days, both ends included.  `holders` empty: the court or office says that nobody represents any more.  The adapter checks form; what a kind
 * may do and who may issue it is flow's table (flow/person/representation.def).  Memory from the arena, one thread. */
#ifndef ADAPTERS_PERSON_REPRESENTATION_H
#define ADAPTERS_PERSON_REPRESENTATION_H

#include "adapters/person/application.h"

#define HOLDERS_MAX 16

struct representation_paper {
    view signature; /* compact JWS */
    view payload;   /* what was signed */
    view id, kind, no;
    view issuer; /* code of the court, office or company; empty: the person himself */
    instant issued, from,
        to; /* first moment of the day; `to`: first moment after the last day, INSTANT_NONE: open */
    struct applied_person *person; /* represented; NULL when it is a company */
    view company;                  /* 統一編號, empty when a person is represented */
    struct applied_person *holders;
    size_t n_holders;
    view acts; /* words, space separated; empty: not said */
    bool joint;
};

/* E_SCHEMA, E_SIGNATURE_FORM … with the place. */
err representation_read(const struct tree *t, arena *mem, struct representation_paper *ret, struct fault *f)
    MUST_USE;

#endif
