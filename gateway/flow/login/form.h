/* Fields of application/x-www-form-urlencoded.  Any thread. */
#ifndef FLOW_LOGIN_FORM_H
#define FLOW_LOGIN_FORM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Decoded; the empty view when it is absent. */
view form_field(view form, const char *name, arena *mem);
/* E_OAUTH_REQUEST when a name stands twice: another reader could take the other one. */
err form_once(view form, struct fault *f) MUST_USE;
/* Percent-encodes all but unreserved characters (RFC 3986 2.3). */
void form_add_escaped(struct buf *out, view text);

#endif
