/* The texts that a person may be shown and sign.  Constant, any thread. */
#ifndef FLOW_CONSENT_TEXT_H
#define FLOW_CONSENT_TEXT_H

#include "base/digest.h"
#include "base/err.h"

struct consent_text {
    const char *id, *version, *lang;
    view text;
};
extern const struct consent_text consent_texts[];
extern const size_t consent_texts_count;

/* Does the text make a contract (kind `contract`), and no consent? */
bool consent_text_is_contract(view id);
/* E_PERMISSION_TEXT when the named version is not in force or its hash (64 hex digits) is another. */
err consent_text_check(view id, view version, view lang, view sha256_hex, struct fault *f) MUST_USE;

#endif
