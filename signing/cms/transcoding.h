/* Why does a digest not fit?  The forms into which signing components are known to turn text before they sign
 * it.  Any thread; inside the signing room. */
#ifndef SIGNING_TRANSCODING_H
#define SIGNING_TRANSCODING_H

#include "base/attr.h"
#include "base/view.h"

#include <openssl/evp.h>

/* What was digested: the prefix as it is, then a form of the body, as it is or in base64url. */
struct transcoded {
    view body;
    const EVP_MD *md;
    view prefix;
    bool base64url;
};

/* Which other form of the body fits: fits is asked with the digest of each.  NULL when none does. */
const char *transcoding_find(const struct transcoded *what, bool (*fits)(void *self, view hash), void *self);

#endif
