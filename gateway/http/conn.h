/* The inside of the http room: a server, its connections and what one of them carries at a time.
 *
 * A struct connection is a slot of the server's table.  It is taken when libmicrohttpd accepts a connection
 * and given back when that is closed; arena and buffers stay with the slot, so that a request costs no
 * allocation of ours.  From the first byte of a request to its last reply byte a slot belongs to its
 * connection's thread. */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "http/body.h"
#include "http/guard.h"
#include "http/http.h"
#include "http/router.h"
#include "http/tls.h"

#include <microhttpd.h>
#include <pthread.h>

#define REQUEST_TEXT_MAX 64
#define KEEP_ROOM 65536 /* a buffer up to this size stays with the slot */
#define DISCARD_MAX                                                                                          \
    65536 /* a refused body up to this size is read and dropped, so that the refusal arrives */
#define OVERFLOW_MAX (1024 * 1024) /* the same for chunks beyond the ceiling */
#define SERVER_SPARE_SLOTS 16      /* connections that are being closed while new ones come */

enum stage {
    STAGE_HEAD,    /* the head is not judged yet */
    STAGE_BODY,    /* the body comes in */
    STAGE_DISCARD, /* refused; what comes in is dropped */
    STAGE_DONE,    /* the reply is queued */
};

enum peer_state { PEER_UNKNOWN, PEER_NONE, PEER_GOOD };

/* Verdict over the TLS client certificate, good for one certificate set and a minute. */
struct peer {
    enum peer_state state;
    const struct tls_set *judged_by; /* compared, never followed */
    int64_t judged_us;
    view der;
    digest fingerprint;
};

struct connection {
    struct http_server *server;
    struct connection *next_free;
    struct MHD_Connection *mhd;
    struct tls_set *tls; /* reference: the set of the handshake */
    gnutls_session_t session;
    struct peer peer;
    arena *mem;
    struct buf body, out;

    enum stage stage;
    bool is_begun, is_answered, has_body, must_close, is_overflown;
    enum method method;
    size_t target_bytes;
    size_t dropped;
    int64_t reserved; /* of the body budget */
    int retry_after;  /* seconds; 0 = the code's own */
    unsigned allowed; /* methods of the path */
    err outcome;
    char request_text[REQUEST_TEXT_MAX + 1]; /* X-Request-Id of the answer */
    struct media_type media;
    struct guard guard;
    struct reply reply;
    struct request rq;
};

struct http_server {
    arena *mem; /* holds this struct and the slots */
    struct MHD_Daemon *daemon;
    struct http_options options; /* pointers inside belong to the caller and outlive the server */
    char socket_path[108];       /* of a Unix listener, else "" */
    bool is_unix;
    int port;
    struct tls_current tls;
    bool has_tls;
    bool has_layout_rule; /* from 1.0 on the library itself refuses what guard_layout finds */
    struct budget budget;
    _Atomic bool draining;
    struct connection *slots;
    size_t n_slots;
    pthread_mutex_t lock; /* free list and in_flight */
    pthread_cond_t idle;
    struct connection *free;
    size_t in_flight;
    /* operations listener */
    const struct ops_page *pages;
    size_t n_pages;
    void *pages_self;
};

/* listen.c: a listening socket for "address:port", "[v6]:port" or "unix:/path"; E_CONFIG. */
err listen_open(const char *where, struct http_server *s, int *ret_fd, struct fault *f) MUST_USE;
void listen_forget(struct http_server *s);

/* server.c */
struct http_server *server_make(const struct http_options *o, size_t n_slots);
void server_free(struct http_server *s);
struct MHD_Daemon *server_start_ops(struct http_server *s, int fd, MHD_AccessHandlerCallback serve,
                                    unsigned connections);

/* conn.c */
void connection_notify(void *cls, struct MHD_Connection *mhd, void **slot,
                       enum MHD_ConnectionNotificationCode code);
void *connection_begin(void *cls, const char *target, struct MHD_Connection *mhd);
void connection_completed(void *cls, struct MHD_Connection *mhd, void **request,
                          enum MHD_RequestTerminationCode code);

/* serve.c */
enum MHD_Result serve_request(void *cls, struct MHD_Connection *mhd, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_n, void **request);

/* What came of a body whose connection broke goes to the handler of a ROUTE_PARTIAL route. */
void serve_partial(struct connection *c);

/* admit.c: everything that is decided on the head. */
err admit_request(struct connection *c) MUST_USE;
/* Passes e on; what the caller's own request is to blame for is told to the application. */
err body_refused(struct connection *c, err e, int64_t bytes) MUST_USE;

/* peer.c: certificate of the other end, from TLS or from the proxy. */
err peer_find(struct connection *c, view *ret_der, struct fault *f) MUST_USE;

/* request.c */
void request_read_head(struct connection *c);

/* send.c: queues c->reply. */
enum MHD_Result send_reply(struct connection *c);

/* observe.c */
void observe_start(void);
void observe_refusal(const struct connection *c, err e);
void observe_reply(const struct connection *c);

#endif
