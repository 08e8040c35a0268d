#include "http/conn.h"

#include "base/instant.h"
#include "base/text.h"

#define PEER_GOOD_FOR_US 60000000 /* a certificate may expire while its connection stays */

/* haproxy verified it and hands it over as base64 DER; only a Unix socket proves that haproxy speaks (AB-T
 * 28). */
static err
peer_of_proxy(struct connection *c, view *ret_der, struct fault *f)
{
    view text = c->guard.proxy_value;
    *ret_der = VIEW_NONE;
    if (!c->server->is_unix || text.n == 0)
        return E_OK;
    if (text_base64_decode(text, c->mem, ret_der) != E_OK || ret_der->n < 64)
        return fault_set(f, E_CLIENT_CERT, "client certificate header", "base64 of a DER certificate",
                         "another form");
    c->peer.fingerprint = sha256(*ret_der);
    return E_OK;
}

static bool
is_judged(const struct peer *peer, const struct tls_set *set, int64_t now_us)
{
    return peer->state != PEER_UNKNOWN && peer->judged_by == set &&
           now_us - peer->judged_us < PEER_GOOD_FOR_US;
}

static err
judge(struct connection *c, const struct tls_set *set, struct fault *f)
{
    struct peer *peer = &c->peer;
    int64_t now_us = clock_monotonic_us();
    if (is_judged(peer, set, now_us))
        return E_OK;
    peer->state = PEER_UNKNOWN;
    view der = VIEW_NONE;
    TRY(tls_set_verify(set, c->session, &der, f));
    if (der.p && peer->der.p != der.p)
        peer->fingerprint = sha256(der);
    peer->der = der;
    peer->state = der.p ? PEER_GOOD : PEER_NONE;
    peer->judged_by = set;
    peer->judged_us = now_us;
    return E_OK;
}

err
peer_find(struct connection *c, view *ret_der, struct fault *f)
{
    if (!c->session)
        return peer_of_proxy(c, ret_der, f);
    struct tls_set *set AUTO(tls_set_unref) = tls_current_get(&c->server->tls);
    if (!set)
        return E_INTERNAL;
    TRY(judge(c, set, f));
    *ret_der = c->peer.state == PEER_GOOD ? c->peer.der : VIEW_NONE;
    return E_OK;
}
