/* How sure the gateway is of a paper, now and later: what a paper needs, what is kept to judge it anew, and the
 * second judgement when more is known about a signer's certificate (a level that rises, a paper that is recalled).
 *
 * The second judgement is made for the time of the receipt, which is our trusted time: a revocation that counts
 * from later leaves the paper as it is (DOMAIN D24).  Any thread. */
#ifndef FLOW_SURENESS_H
#define FLOW_SURENESS_H

#include "flow/intake/intake.h"

/* Fills p->floor from the policy: kind, amount, new signer (THREATS S13).  E_REVOCATION_ANSWER where the policy takes no
 * paper whose signer's status is not known. */
err sureness_floor(struct passage *p) MUST_USE;

/* "certificates":[…],"chains":[…],"revocation":[…]: members of the evidence that a verdict row keeps. */
void sureness_print_certificates(const struct trust *t, const struct verdict *v, arena *mem, struct buf *out);
/* A row per certificate that signed, so that its papers are found when it is revoked. */
err sureness_add_signers(struct gateway *g, struct unit *u, const struct verdict *v, uid document, instant at)
    MUST_USE;

/* After the commit of a paper: whoever watches over certificates learns of those that signed, and a paper whose
 * signer was asked about while it was on its way into the store is judged anew: who acted on that answer could not
 * see it yet. */
void sureness_tell(struct gateway *g, const struct trust *t, const struct verdict *v, uid document);

/* A certificate that signed a paper, as it was kept. */
struct kept_certificate {
    view leaf, rest[8];
    size_t n_rest;
};
/* The certificates of a paper, at most max; *ret_n is 0 where none was kept (bare keys). */
err sureness_certificates(struct gateway *g, struct reader *r, const struct row_document *d, arena *mem,
                          struct kept_certificate *ret, size_t max, size_t *ret_n) MUST_USE;

enum second_judgement { SURENESS_SAME, SURENESS_RAISED, SURENESS_RECALLED };
/* One paper anew by what is known now: raises its level and releases what was held, or recalls it with notices to
 * all who had it; one unit, one leaf. */
err sureness_rejudge(struct gateway *g, uid document, instant now, enum second_judgement *ret,
                     struct fault *f) MUST_USE;
/* All papers that are not sure yet, in pages; ret: how many changed. */
err sureness_rejudge_unsure(struct gateway *g, instant now, size_t *ret, struct fault *f) MUST_USE;
/* The papers of a certificate (issuer and serial number as in the certificate): all, or those that are not sure. */
err sureness_rejudge_signer(struct gateway *g, view issuer, view serial, bool all, instant now, size_t *ret,
                            struct fault *f) MUST_USE;

#endif
