/* What lets a document leave: the rules over one permission row (permission.def).
 *
 * consent, mandate, statute and contract are one union; which documents each kind releases is its row's.  Pure functions, any thread. */
#ifndef FLOW_CASE_PERMISSION_H
#define FLOW_CASE_PERMISSION_H

#include "signing/verify.h"
#include "store/store.h"

enum permission_kind {
#define PERMISSION(id, word, releases) PERMISSION_##id,
#include "flow/case/permission.def"
#undef PERMISSION
    PERMISSION_COUNT
};
const char *permission_kind_word(enum permission_kind k);
/* PERMISSION_COUNT when unknown. */
enum permission_kind permission_kind_of(view word);

enum consent_evidence {
#define EVIDENCE(id, word, releases) EVIDENCE_##id,
#include "flow/case/permission.def"
#undef EVIDENCE
    EVIDENCE_COUNT
};
const char *consent_evidence_word(enum consent_evidence e);
/* EVIDENCE_COUNT when unknown. */
enum consent_evidence consent_evidence_of(view word);

/* An article that needs no consent. */
struct statute {
    const char *word, *article, *line;
    view lines, kinds; /* words, space separated */
    const char *text[2];
};
/* NULL when unknown. */
const struct statute *statute_of(view word);

/* Is the word one of a list of words with spaces between? */
bool words_have(view list, view word);
/* Medical papers: nothing but the person's own evidence, or an article that names them, releases these (THREATS S1). */
bool document_is_special(enum document_kind kind);

/* True when the permission stands for this recipient, kind and moment, whatever its uses. */
bool permission_stands(const struct row_permission *p, uid recipient, view purpose, enum document_kind kind,
                       instant now);
/* The same with a use left. */
bool permission_covers(const struct row_permission *p, uid recipient, view purpose, enum document_kind kind,
                       instant now);
/* The best covering permission of the list, NULL when none. */
const struct row_permission *permission_for(const struct row_permission *list, uid recipient, view purpose,
                                            enum document_kind kind, instant now);
/* The mandate by which an organisation may ask for documents of this kind on the person's behalf; NULL when there is none. */
const struct row_permission *permission_mandate(const struct row_permission *list, uid attorney,
                                                enum document_kind kind, instant now);
/* Has the person asked for this claim?  A notice by law opens none. */
bool permission_is_consent(const struct row_permission *p);

#endif
