/* libmicrohttpd turned into a request and a reply.  Before a handler runs, the wire guard has refused
 * ambiguous framing, the route is found in routes.def, the caller is authenticated and has the route's scope,
 * media type and length fit the route's row, and the whole body stands in one buffer within the global byte
 * budget.  These bytes are never altered.
 *
 * A request belongs to one thread from first byte to last and owns an arena.  Handlers do no outbound network
 * I/O.  Errors become problem+json (plain surface) or OperationOutcome (FHIR surface) from the fault and the
 * issues, in the language of Accept-Language. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/id.h"
#include "base/issue.h"

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_PATCH,
    METHOD_OPTIONS,
    METHOD_COUNT
};
/* SURFACE_PAGE: for a person's browser, its errors are pages. */
enum surface { SURFACE_FHIR, SURFACE_PLAIN, SURFACE_AUTH, SURFACE_PAGE, SURFACE_OPS };
/* What a route accepts as body. */
enum media { MEDIA_NONE = 0, MEDIA_JSON = 1, MEDIA_XML = 2, MEDIA_FORM = 4, MEDIA_ANY = 8 };
enum route_flag {
    ROUTE_OPEN = 1,       /* no credentials */
    ROUTE_IDEMPOTENT = 2, /* Idempotency-Key required (API A.7) */
    ROUTE_IF_MATCH = 4,   /* If-Match required */
    ROUTE_TRACK = 8,      /* a person's token in X-Track-Token, alone or beside a client's credentials */
    ROUTE_PARTIAL = 16, /* when the connection breaks within the body, the handler still gets what has come */
    ROUTE_PERSON = 32,  /* also by the token of a person who logged in here */
    ROUTE_STEP_UP = 64, /* such a token counts here only when the login is fresh (STEP_UP_AGE) */
};
#define STEP_UP_AGE SPAN_SECONDS(300)

enum route_id {
#define ROUTE(id, method, path, surface, media, ceiling, flags, scope) ROUTE_##id,
#include "http/routes.def"
#undef ROUTE
    ROUTE_COUNT
};

struct route {
    enum route_id id;
    const char *name; /* operationId: id in camelCase is checked against openapi */
    enum method method;
    const char *path; /* "/v1/claims/{id}"; one {…} per segment, also "{id}:verb" */
    enum surface surface;
    unsigned media;
    size_t ceiling; /* of the body */
    unsigned flags;
    const char *scope; /* needed scope, "" = any authenticated caller */
};
const struct route *route_info(enum route_id id);

/* Who asks.  Filled by auth_ops. */
struct caller {
    partner_id partner;
    view partner_kind; /* "hospital", "insurer", … (registry word) */
    view partner_code;
    view client; /* client id text */
    view scopes; /* space separated */
    bool
        is_track; /* a person by track token or code; partner: the app that showed it, none when nobody logged in */
    bool track_steps; /* steps and dates only */
    case_id track_case;
    digest track_person;
    view track_role;
    digest peer_certificate; /* SHA-256 of the TLS client certificate, zero when none */
    bool is_person;          /* by a person's token; partner: the app that holds it */
    digest person;           /* blind */
    uid session;
    case_id only_case; /* none: all of the person's */
    instant authenticated_at;
};

#define PARAMS_MAX 4
struct request {
    const struct route *route;
    arena *mem;
    view params[PARAMS_MAX]; /* in the path's order, percent-decoded */
    view query;              /* raw, behind '?' */
    view path;               /* raw, before '?' */
    view method;
    view body;
    view media_type;    /* lower case, without parameters */
    digest body_digest; /* SHA-256, when there is a body */
    bool is_partial;    /* ROUTE_PARTIAL: the body ended too early, and nobody waits for the reply */
    struct caller caller;
    request_id id;
    view trace_parent;
    enum lang lang;
    instant received;
    int64_t begun_us;     /* monotonic, when its first bytes were seen */
    struct fault fault;   /* a handler sets it through its callees */
    struct issues issues; /* all that was found in a document */
    void *connection;     /* of the http room */
};

struct reply_header {
    const char *name;
    view value;
    struct reply_header *next;
};

struct reply {
    int status;
    const char *media; /* constant */
    view body;
    struct reply_header *headers;
};

/* Header of the request, {NULL,0} when absent. Each name at most once for those that matter (guard). */
view request_header(const struct request *rq, const char *name);
/* Query parameter, percent-decoded into the arena; {NULL,0} when absent. */
view request_query(struct request *rq, const char *name);
/* E_PARAMETER when the query has a name that is not in the NULL-ended list. */
err request_query_only(struct request *rq, const char *const *names) MUST_USE;
/* Idempotency-Key without quotes; its form is checked before the handler runs. */
view request_idempotency_key(const struct request *rq);
/* Copies; a header that cannot be had (arena full) is left out. */
void reply_header(struct request *rq, struct reply *rp, const char *name, view value);
void reply_json(struct reply *rp, int status, view body);
/* Turns e, rq->fault and rq->issues into the surface's error form: OperationOutcome (FHIR), RFC 6749 with the
 * members of problem+json (authorisation), RFC 9457 problem+json (all else).  Headers that stand in rp stay.
 * The body is good until the next reply_error of the request. */
void reply_error(struct request *rq, struct reply *rp, err e);
/* rq->issues as items of OperationOutcome.issue, as reply_error writes them: for what was accepted with findings. */
void reply_findings(const struct request *rq, struct buf *out);
/* The issues as an OperationOutcome of its own, which says ok when there are none. */
void reply_outcome(const struct request *rq, struct buf *out);

/* One function per route, in route order; api_handlers[] is made in gateway/api/handlers.c.  Returns E_OK
 * with the reply filled, or an err that reply_error turns into the answer. */
typedef err (*handler)(void *app, struct request *rq, struct reply *rp);

/* Answered by flow (registry, tokens). */
struct auth_ops {
    void *self;
    /* authorization: value of the header, empty when absent; certificate: DER of the TLS peer (already
     * checked for possession by TLS), empty when none. */
    err (*authenticate)(void *self, const struct request *rq, view authorization, view certificate_der,
                        struct caller *ret, struct fault *f);
    err (*authenticate_track)(void *self, const struct request *rq, view token, struct caller *ret,
                              struct fault *f);
    /* Quota of the partner and route class: E_OK or E_QUOTA with seconds to wait. */
    err (*admit)(void *self, const struct caller *c, const struct route *r, int *ret_wait);
    /* A body of a known caller was refused before the handler could see it (media type, size, digest); code, place
     * and bytes that were announced or came.  May be NULL. */
    void (*refused)(void *self, const struct request *rq, err e, int64_t bytes);
    /* A fresh nonce for DPoP-Nonce; empty when memory is out.  May be NULL. */
    view (*nonce)(void *self, arena *mem);
};

/* handlers, app, auth and proxy_cert_header are borrowed until http_stop returns; the rest only by
 * http_start. */
struct http_options {
    const char *listen;                             /* "address:port" (port 0 = any), "unix:/path" */
    const char *tls_cert, *tls_key, *tls_client_ca; /* NULL or "" = none */
    const char *proxy_cert_header;                  /* believed only on a Unix socket */
    int connections;
    int64_t body_budget;
    size_t arena_ceiling;    /* per request, beyond the body */
    const handler *handlers; /* [ROUTE_COUNT] */
    void *app;
    const struct auth_ops *auth;
};

struct http_server;
err http_start(const struct http_options *o, struct http_server **ret, struct fault *f) MUST_USE;
/* Version of libmicrohttpd that runs.  Below 1.0.10 main warns when the listener is reachable from outside: a
 * proxy must stand in front. */
const char *http_library_version(void);
/* Port that was bound (for port 0). */
int http_port(const struct http_server *s);
/* Submissions answer 503 draining from now on; then no new connections. */
void http_drain(struct http_server *s);
/* Waits for requests in flight, at most limit; then frees. */
void http_stop(struct http_server *s, span limit);
/* The byte budget of all bodies together, for a reload. */
void http_set_body_budget(struct http_server *s, int64_t bytes);
/* Certificates, swapped without dropping a connection. */
err http_reload_tls(struct http_server *s, const char *cert, const char *key, const char *client_ca,
                    struct fault *f) MUST_USE;

/* The operations listener: GET only, no authentication, never public. */
struct ops_page {
    const char *path;
    int (*print)(void *self, struct buf *out); /* returns the status */
    const char *media;
};
err ops_start(const char *listen, const struct ops_page *pages, size_t n, void *self,
              struct http_server **ret, struct fault *f) MUST_USE;

#endif
