/* Who may sign what, as data: document kind × trust use × kind of subject × organisation, within dates.  What has no row is refused.
 *
 * The built-in table is MAY_SIGN of signing.def.  An operator's file takes its place as a whole:
 *
 *   {"rules": [{"kind": "inquest", "use": "gca", "subject": "agency", "organisations": ["A9911*"], "from": "2026-01-01T00:00:00Z"}, …]}
 *
 * organisations: codes of the certificate's attribute, or their beginnings with a star behind; absent: whatever organisation is the author.
 * No file can allow what MUST_SIGN of signing.def rules out (a police record by a hospital, a permission by anybody but the person).
 *
 * Immutable and counted; any thread. */
#ifndef SIGNING_AUTHORITY_H
#define SIGNING_AUTHORITY_H

#include "signing/verify.h"

#define AUTHORITY_RULES_MAX 512

struct authority_rules;

/* file "" gives the built-in table.  E_FILE, E_CONFIG and the errors of JSON. */
err authority_rules_load(const char *file, struct authority_rules **ret, struct fault *f) MUST_USE;
struct authority_rules *authority_rules_ref(struct authority_rules *a);
void authority_rules_unref(struct authority_rules *a);
DEFINE_AUTO(struct authority_rules *, authority_rules_unref)

/* May this signer sign this kind of document for this author organisation at that time?  rules NULL: the built-in table.  E_OK, E_SIGNER_WRONG_KIND, E_SIGNER_WRONG_ORG
 * (organisation attribute ≠ author, or not among those of the rule), E_PROFESSIONAL_NOT_LISTED (a professional certificate holds no organisation; listed says whether the
 * author's signed list holds the licence, or another signature of the author institution stands on the same document). */
err authority_check(const struct authority_rules *rules, const struct signer *s, enum document_kind kind,
                    view author, bool listed, instant at, struct fault *f) MUST_USE;

#endif
