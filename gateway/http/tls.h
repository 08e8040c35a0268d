/* Certificates of the listener, as one immutable set that is swapped whole: server chain and key, and the CAs
 * that may issue client certificates.  libmicrohttpd asks for a client certificate but verifies nothing, so
 * the verdict is made here.
 *
 * Each connection holds a reference to the set it shook hands with; a reload gives new connections the new
 * set and makes open ones verify their peer again with the new CAs.  tls_current_* may be called by any
 * thread. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "base/arena.h"
#include "base/err.h"

#include <gnutls/gnutls.h>
#include <pthread.h>

/* TLS 1.2 and 1.3 only, at least 128 bits; checked by tests (AB-T 20). */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls_set;

struct tls_current {
    pthread_mutex_t lock;
    struct tls_set *set;
};

/* E_CONFIG or E_FILE with the setting's name.  client_ca may be NULL or empty. */
err tls_set_new(const char *cert, const char *key, const char *client_ca, struct tls_set **ret,
                struct fault *f) MUST_USE;
void tls_set_unref(struct tls_set *set);
DEFINE_AUTO(struct tls_set *, tls_set_unref)

void tls_current_init(struct tls_current *current);
void tls_current_done(struct tls_current *current);
/* Swaps and drops the old one. */
void tls_current_put(struct tls_current *current, struct tls_set *take_set);
/* A new reference; NULL without TLS. */
struct tls_set *tls_current_get(struct tls_current *current);

bool tls_set_has_client_ca(const struct tls_set *set);
/* Before the handshake: this set's chain, key and CA names for the session. */
err tls_set_apply(struct tls_set *set, gnutls_session_t session) MUST_USE;
/* Verdict over the chain that the peer presented.  E_OK with an empty view when there is none; E_CLIENT_CERT
 * when a certificate is there that the set's CAs do not vouch for now.  The view lives as long as the
 * session. */
err tls_set_verify(const struct tls_set *set, gnutls_session_t session, view *ret_der, struct fault *f)
    MUST_USE;

#endif
