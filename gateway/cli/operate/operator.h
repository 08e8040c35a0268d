/* Operators' signatures over changes of the registry. */
#ifndef CLI_OPERATOR_H
#define CLI_OPERATOR_H

#include "base/arena.h"
#include "base/err.h"

/* Compact JWS over text with the operator's PEM key; kid is the key's thumbprint. */
err operator_sign(const char *key_file, view text, arena *mem, view *ret_jws, struct fault *f) MUST_USE;
/* {"approve":…,"digest":…} from what `change` shows. */
err operator_approval(view change_id_text, view shown_json, arena *mem, view *ret, struct fault *f) MUST_USE;

#endif
