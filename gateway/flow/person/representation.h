/* Who acts for whom: proofs of representation as checked papers, what they allow, and until when (representation.def).
 *
 * A paper of a court, a household office, or the represented one himself becomes one row for each holder.  Whoever acts for another is asked for a row that stands at
 * that moment.  Without one: for a minor the claim opens and waits, since the law itself names the parents and only the paper is missing (a Task tells the
 * applicant); else it is refused.  A row whose time is over makes any filing wait, and tells the applicant and the insurers of the claims that it carried.  Acts done
 * while it stood stay (Civil Code 103): what ends with it is the next act, reading too.
 *
 * Pure functions: any thread.  Others: any thread; memory from the arena. */
#ifndef FLOW_PERSON_REPRESENTATION_H
#define FLOW_PERSON_REPRESENTATION_H

#include "adapters/person/representation.h"
#include "flow/person/application.h"
#include "store/store.h"

enum representation_kind {
#define REPRESENTATION(id, word, serves, issuer, most, unless, article, zh, en) REPRESENTATION_##id,
#include "flow/person/representation.def"
#undef REPRESENTATION
    REPRESENTATION_KINDS
};
enum representation_issuer { ISSUER_COURT, ISSUER_HOUSEHOLD, ISSUER_SELF };
#define SERVES_MINOR 1u
#define SERVES_WARD 2u
#define SERVES_ASSISTED 4u
#define SERVES_FULL 8u
#define SERVES_DEAD 16u
struct representation_rule {
    const char *word;
    unsigned serves;
    enum representation_issuer issuer;
    view most, unless;
    const char *article, *label[2];
};
/* NULL when unknown. */
const struct representation_rule *representation_rule_of(view kind);
/* Every word of the list is an act that this kind may carry. */
bool representation_acts_fit(const struct representation_rule *rule, view acts);

/* -- over the rows of one represented person -- */

enum standing { STANDING_NONE, STANDING_ACT /* not this act */, STANDING_EXPIRED, STANDING_PROVEN };
/* The best of the holder's rows that serve. */
enum standing representation_standing(const struct row_representation *list, const digest *holder,
                                      unsigned serves, view act, instant now);
/* What the rows say of the represented one: SERVES_WARD, SERVES_ASSISTED (for this act), 0 for neither. */
unsigned representation_condition(const struct row_representation *list, view act, instant now);
/* May the holder do this for the person now, whoever he is: under guardianship the guardian alone, an assistant nothing alone. */
bool representation_may(const struct row_representation *list, const digest *holder, view act, instant now);
/* Is he one of several holders who act together only?  A row of a paper whose other holders stand too. */
bool representation_is_joint(const struct row_representation *list, const digest *holder, instant now);

/* The same, asked of the store. */
err representation_allows(struct reader *r, const digest *person, const digest *holder, const char *act,
                          instant now, arena *mem, bool *ret) MUST_USE;
/* May he read this case, as a representative of one whose permissions or claims it holds? */
err representation_reads(struct reader *r, uid in_case, const digest *holder, instant now, arena *mem,
                         bool *ret) MUST_USE;

/* -- papers -- */

/* POST /v1/representations; {"document","representations":[{"id","kind","acts","from","to"?}],"outcome","receipt"}.  E_REPRESENTATION_ISSUER, E_REPRESENTATION_ACT,
 * E_REPRESENTATION_OLDER, E_PERMISSION_EVIDENCE, E_PERSON_OTHER, E_STATUS_UNAVAILABLE. */
err representation_accept(struct gateway *g, const struct application_in *in, arena *mem,
                          struct application_out *ret, struct fault *f) MUST_USE;
/* The represented one takes it back, or the holder gives it up. E_NOT_FOUND, E_REPRESENTATION_BY_LAW, E_WITHDRAWN. */
err representation_end(struct gateway *g, const digest *person, view id, instant now, arena *mem,
                       struct fault *f) MUST_USE;
/* "representations":[…]: of and by this person; with the words of the law in one language. */
err representation_print(struct gateway *g, struct reader *r, const digest *person, enum lang lang,
                         arena *mem, struct buf *out) MUST_USE;

/* -- what follows from them -- */

/* A Task to the partner that filed: a proof is missing or expired. */
err representation_ask(struct gateway *g, struct unit *u, uid owner, uid in_case, uid application,
                       const char *why, instant now) MUST_USE;
/* What waited for a proof about this person goes out now. */
err representation_release(struct gateway *g, const digest *person, instant now, struct fault *f) MUST_USE;
/* Tells of those whose time is over (duty); all: also releases what a process that ended in between left waiting. */
err representation_step(struct gateway *g, bool all, instant now, struct fault *f) MUST_USE;

#endif
