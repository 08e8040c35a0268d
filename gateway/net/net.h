/* Outbound HTTP: one blocking fetch, and a pool that one thread drives for many deliveries at a time.
 *
 * Nothing leaves without passing the egress policy: https to public addresses on port 443 (or listed ports),
 * no credentials in the URL, no redirects, no proxy.  The check sits where the socket is made, on the address
 * that is connected to, so that a name which resolves otherwise between check and connect gains nothing (AB-W
 * 85 to 90). allow_private (sandbox mode) opens http, private and loopback addresses and all ports;
 * link-local, multicast and reserved ranges stay shut.  A server is trusted by the CAs that the request pins,
 * else by the system's bundle.
 *
 * net_start is called once in main before threads, net_stop at the end.  net_fetch may be called by any
 * thread.  A pool belongs to the thread that polls it; only net_pool_wakeup may be called by others.  Views
 * in a request are borrowed: for net_fetch until it returns, for a pool until the callback was called.
 *
 * Errors: E_EGRESS (address, scheme, port, form of the URL), E_NETWORK (resolving, connecting, TLS, time-out,
 * cut off), E_TOO_LARGE (reply longer than reply_max, unless cut_reply), E_INTERNAL.  A reply of any status
 * is E_OK: the caller judges the status.  Faults name the step, never a body, a header or the query of the
 * URL. */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/instant.h"

struct sockaddr;

/* A network in CIDR form; IPv4 as ::ffff:a.b.c.d with bits + 96. */
struct net_range {
    uint8_t address[16];
    uint8_t bits;
};

/* "10.0.0.0/8", "fd00::/8", "192.0.2.1"; E_SYNTAX. */
err net_range_parse(view text, struct net_range *ret) MUST_USE;

/* Where calls may go.  Immutable while in use. */
struct net_policy {
    bool allow_private;    /* sandbox only */
    bool allow_plain;      /* http too: for answers that carry their own signature (RFC 6960, RFC 5280) */
    const uint16_t *ports; /* besides 443 */
    size_t n_ports;
    const struct net_range *own; /* networks of the operator, never to be called, private or not */
    size_t n_own;
};

struct net_header {
    const char *name; /* constant */
    view value;
};

struct net_request {
    const char *method; /* "GET", "POST", "PUT", "OPTIONS", … */
    view url;
    const struct net_header *headers;
    size_t n_headers;
    view body;              /* empty = none */
    view ca_pem;            /* pinned CAs, PEM; empty = system's bundle */
    view cert_pem, key_pem; /* client certificate; empty = none */
    span connect_limit;     /* 0 = 5 s, covers resolving, connecting, TLS */
    span limit;             /* all of it; 0 = 20 s */
    size_t reply_max;       /* bytes of the body; 0 = 64 KiB */
    bool cut_reply;         /* a longer body is cut and is no error: the rest is not read */
};

struct net_reply {
    int status; /* 0 when there was none */
    view body;
    view media_type;     /* Content-Type as sent, cut at 127 bytes */
    int64_t retry_after; /* seconds from Retry-After (number or date); -1 = none */
    int64_t max_age;     /* seconds from Cache-Control max-age; -1 = none, 0 for no-store and no-cache */
    bool is_cut;         /* body is not whole */
    bool was_sent;       /* at least one byte of the request left, also when an error came later */
    span took;
};

err net_start(void) MUST_USE;
void net_stop(void);

/* May this URL be called?  Form, scheme, port, and literal addresses; nothing is resolved. */
err net_check_url(const struct net_policy *p, view url, struct fault *f) MUST_USE;
/* The same, and every address that the name resolves to now (blocks as long as the resolver takes).  For the
 * time when an endpoint is registered; each later call is checked by itself. */
err net_check_target(const struct net_policy *p, view url, struct fault *f) MUST_USE;
/* E_EGRESS unless the address may be connected to. */
err net_check_address(const struct net_policy *p, const struct sockaddr *address, struct fault *f) MUST_USE;

/* One call, blocking.  ret's views live in mem.  *ret is filled on errors of the network too (status 0,
 * was_sent). */
err net_fetch(const struct net_policy *p, const struct net_request *rq, arena *mem, struct net_reply *ret,
              struct fault *f) MUST_USE;

struct net_pool;

/* Called by net_pool_poll (or net_pool_free: E_NETWORK) on the pool's thread, once per request that
 * net_pool_add took. reply is never NULL; its views die with the call.  May add further requests. */
typedef void (*net_done)(void *user, err e, const struct net_reply *reply, const struct fault *f);

struct net_pool_options {
    struct net_policy policy; /* what it points to outlives the pool */
    int connections;          /* kept open at one time; 0 = 64 */
    int per_host;             /* at one time to one host; 0 = 4 */
};

err net_pool_new(const struct net_pool_options *o, struct net_pool **ret) MUST_USE;
/* Ends what is under way with E_NETWORK. */
void net_pool_free(struct net_pool *pool);
DEFINE_AUTO(struct net_pool *, net_pool_free)
/* Takes the request or refuses at once (E_EGRESS; then done is not called). */
err net_pool_add(struct net_pool *pool, const struct net_request *rq, net_done done, void *user,
                 struct fault *f) MUST_USE;
/* Moves all transfers on and waits at most longest for something to happen; calls done for what ended.
 * Returns how many are under way. */
size_t net_pool_poll(struct net_pool *pool, span longest);
/* Ends a wait of net_pool_poll. */
void net_pool_wakeup(struct net_pool *pool);

#endif
