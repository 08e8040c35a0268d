/* Projections: what one recipient may see of a case (SCHEMA 3.3, THREATS S4, S5).
 *
 * adapters/views.def is the table; view_project applies it.  What comes out is the body alone: ids, times
 * and commitments of the delivery stand in the envelope, which the caller makes.  The body does not tell
 * what was withheld: elements are numbered anew among those that stay, references to others are cut,
 * sources are never in it, findings and conflicts only when what they point at is shown.  Two cases that
 * differ only in withheld content give the same bytes.
 *
 * A folded case is folded anew from the documents that the recipient may see (kinds of the permission;
 * medical papers of the subject only; its own documents where the view says so), so that a value's being
 * stated by a withheld paper too has no effect.  A case without origin (decoded, or the facts of one
 * document) is filtered leaf by leaf by its documents[]. No permission is judged here: whoever calls has
 * one and says what it covers.  Any thread; memory from the arena. */
#ifndef ADAPTERS_VIEW_H
#define ADAPTERS_VIEW_H

#include "adapters/case.h"
#include "base/buf.h"

enum view_kind {
#define VIEW(view, own_documents, masked) VIEW_##view,
#include "adapters/views.def"
#undef VIEW
    VIEW_COUNT
};

enum view_predicate {
    PREDICATE_NONE, /* not shown */
#define PREDICATE(name) PREDICATE_##name,
#include "adapters/views.def"
#undef PREDICATE
    PREDICATE_COUNT
};

struct view_request {
    enum view_kind view;
    view claim;   /* local id of the claim that is delivered; empty: none */
    view subject; /* local id of the person it is about; empty: taken from the claim (for_, else claimant) */
    view recipient; /* local id of the recipient's party; empty: it is none */
    view sender;    /* what documents[].sender says for the recipient; for own-document views */
    /* Words that the permission covers; application, permission and decision always are. */
    const view *document_kinds;
    size_t n_document_kinds;
    bool all_documents; /* statute or the person himself: no limit of kinds */
    bool reports_asked; /* a Task asked for reports and has its own consent */
    bool unlocked;      /* the person has stepped up */
};

const char *view_kind_word(enum view_kind kind);
/* VIEW_COUNT when unknown. */
enum view_kind view_kind_of(view word);
/* The view that fits a claim: the fund by recipient, motor lines by line, the others by their benefits. */
enum view_kind view_kind_for_claim(const struct claim_case *c, const struct case_claim *claim);
bool view_is_masked(enum view_kind kind);
bool view_is_own_documents(enum view_kind kind);
/* PREDICATE_NONE: the group is not in the view. */
enum view_predicate view_predicate_of(enum view_kind kind, enum case_group group);
const char *view_predicate_word(enum view_predicate predicate);

/* Appends the JSON object to out.  E_NOT_FOUND when claim, subject or recipient name nothing; E_TOO_LARGE. */
err view_project(const struct claim_case *whole, const struct view_request *request, arena *mem,
                 struct buf *out, struct fault *f) MUST_USE;

#endif
