/* What operators say and ask: through the gateway that runs on the store, else offline under the lock file. */
#ifndef CLI_OPERATOR_H
#define CLI_OPERATOR_H

#include "cli/command.h"

/* Compact JWS over text with the operator's PEM key; kid is the key's thumbprint. */
err operator_sign(const char *key_file, view text, arena *mem, view *ret_jws, struct fault *f) MUST_USE;
/* {"approve":…,"digest":…} from what `change` shows. */
err operator_approval(view change_id_text, view shown_json, arena *mem, view *ret, struct fault *f) MUST_USE;

/* One verb of control.h. */
err operator_ask(const struct args *a, view verb, view text, arena *mem, view *ret_json, struct fault *f)
    MUST_USE;

#endif
