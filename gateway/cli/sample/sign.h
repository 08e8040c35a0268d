/* Signing for commands: a detached or embedded JWS with x5c, a detached CMS in base64. */
#ifndef CLI_SIGN_H
#define CLI_SIGN_H

#include "cli/command.h"
#include "signing/jose/jws.h"

/* certificate_file NULL: a bare key (kid only).  chain_file may be NULL.  when INSTANT_NONE: no sigT. */
err sign_jws(const char *key_file, const char *certificate_file, const char *chain_file, const char *typ,
             view body, bool detach, instant when, arena *mem, view *ret, struct fault *f) MUST_USE;
err sign_cms(const char *key_file, const char *certificate_file, view body, const char *digest_name,
             arena *mem, view *ret, struct fault *f) MUST_USE;

#define CO_SIGNERS_MAX 3

/* PEM files of who signs an application, and of who signs with him. */
struct application_signers {
    const char *key, *certificate;
    const char *co_keys[CO_SIGNERS_MAX], *co_certificates[CO_SIGNERS_MAX];
    size_t n_co;
};
/* text: {"id","common":{…},"insurers":[…]}; the result is the body of POST /v1/applications (adapters/person/application.h). */
err application_sign(const struct application_signers *by, view text, arena *mem, view *ret, struct fault *f)
    MUST_USE;

#endif
