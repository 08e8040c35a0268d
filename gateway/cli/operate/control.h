/* Operators' commands beside a running gateway: a Unix socket in the store's folder, one line of JSON in, one out.  Only the same user may connect (SO_PEERCRED), and the
 * changes themselves carry operators' signatures.  There is one writer process, so a command that changes the registry goes through here when the gateway runs. */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "flow/gateway.h"

struct control;
err control_start(struct gateway *g, struct control **ret, struct fault *f) MUST_USE;
void control_stop(struct control *c);

/* One verb, here or in the running gateway. verb: "propose", "approve" (text = JWS), "case" (text = id), "cases", "check" (text = id), "check-page" (text = id before or ""), …. ret_json: the answer. */
err control_do(struct gateway *g, view verb, view text, arena *mem, view *ret_json, struct fault *f) MUST_USE;
/* Renews time-stamps (duty/time.h): hash empty for what ends soon, else its name. */
err control_renew(struct gateway *g, view hash, view *ret_json, struct fault *f) MUST_USE;
/* Asks the gateway that runs on this store; *ret_running false when none does. */
err control_ask(const struct config *c, view verb, view text, arena *mem, view *ret_json, bool *ret_running,
                struct fault *f) MUST_USE;

#endif
