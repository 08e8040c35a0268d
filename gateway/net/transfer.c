#include "net/transfer.h"

#include "base/text.h"
#include "net/egress.h"

#include <stdlib.h>
#include <unistd.h>

#define HEADERS_MAX ((size_t)64 * 1024)
#define KEEP_BODY ((size_t)64 * 1024)
#define DEFAULT_REPLY ((size_t)64 * 1024)
#define DEFAULT_CONNECT_MS 5000
#define DEFAULT_LIMIT_MS 20000
#define SLOW_BYTES 16L /* a second, over SLOW_SECONDS */
#define SLOW_SECONDS 15L
#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"

/* The last gate: what is checked here is what is connected to. */
static curl_socket_t
open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = user;
    struct fault f;
    fault_init(&f);
    if (purpose != CURLSOCKTYPE_IPCXN || net_check_address(t->policy, &address->addr, &f) != E_OK) {
        t->is_refused = true;
        t->fault = f;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
take_body(char *bytes, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    size_t all = size * n; /* size is 1 */
    size_t room = t->body.ceiling - t->body.n;
    buf_add(&t->body, bytes, all < room ? all : room);
    if (all <= room)
        return all;
    t->is_cut = true;
    return 0; /* ends the transfer: an endless body is not read on */
}

static void
take_max_age(struct transfer *t, view value)
{
    bool more = true;
    while (more) {
        view directive = view_trim(view_cut(&value, ',', &more));
        int64_t seconds = 0;
        if (view_eq_nocase(directive, V("no-store")) || view_eq_nocase(directive, V("no-cache"))) {
            t->max_age = 0;
            return;
        }
        view name = view_cut(&directive, '=', NULL);
        if (view_eq_nocase(name, V("max-age")) && text_to_i64(directive, &seconds) == E_OK && seconds >= 0)
            t->max_age = seconds;
    }
}

static size_t
take_header(char *bytes, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    size_t all = size * n;
    view value = view_make(bytes, all);
    t->header_bytes += all;
    if (t->header_bytes > HEADERS_MAX)
        return 0;
    view name = view_cut(&value, ':', NULL);
    value = view_trim(value);
    if (view_eq_nocase(name, V("cache-control")))
        take_max_age(t, value);
    if (view_eq_nocase(name, V("content-type"))) {
        t->media_n = value.n < MEDIA_SIZE ? value.n : MEDIA_SIZE - 1;
        memcpy(t->media, value.p, t->media_n);
    }
    return all;
}

err
transfer_new(struct transfer **ret)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (!t)
        abort(); /* a size of ours */
    t->easy = curl_easy_init();
    if (!t->easy) {
        free(t);
        return E_INTERNAL;
    }
    buf_init(&t->body, 0);
    *ret = t;
    return E_OK;
}

void
transfer_clear(struct transfer *t)
{
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    /* Forgets the pinned keys too; open connections live in the multi handle. */
    curl_easy_reset(t->easy);
    if (t->body.room > KEEP_BODY)
        buf_done(&t->body);
    else
        buf_clear(&t->body);
}

void
transfer_free(struct transfer *t)
{
    if (!t)
        return;
    curl_slist_free_all(t->headers);
    curl_easy_cleanup(t->easy);
    buf_done(&t->body);
    free(t);
}

static bool
add_line(struct transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);
    if (!longer)
        return false;
    t->headers = longer;
    return true;
}

static bool
has_control(view value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c < 0x20 || c == 0x7f)
            return true;
    }
    return false;
}

static err
add_headers(struct transfer *t, const struct net_request *rq, struct fault *f)
{
    struct buf line AUTO_DONE(buf_done);
    buf_init(&line, HEADERS_MAX);
    for (size_t i = 0; i < rq->n_headers; i++) {
        if (has_control(rq->headers[i].value))
            return fault_set(f, E_EGRESS, rq->headers[i].name, "a header value without control bytes",
                             "one with");
        buf_clear(&line);
        /* "Name;" is curl's way to send a header without value. */
        buf_printf(&line, rq->headers[i].value.n > 0 ? "%s: %.*s" : "%s;%.*s", rq->headers[i].name,
                   VIEW_ARG(rq->headers[i].value));
        if (line.failed || !add_line(t, line.p))
            return E_TOO_LARGE;
    }
    /* No wait for 100 Continue, and no media type that we did not say. */
    if (!add_line(t, "Expect:") || (rq->body.n > 0 && !add_line(t, "Accept:")))
        return E_INTERNAL;
    return E_OK;
}

static long
milliseconds(span s, long fallback)
{
    return s.us > 0 ? (long)(s.us / 1000 > 0 ? s.us / 1000 : 1) : fallback;
}

static struct curl_blob
blob_of(view v)
{
    return (struct curl_blob){(void *)(uintptr_t)v.p, v.n, CURL_BLOB_COPY};
}

/* Setting an option fails only without memory or for options that libcurl was built without; both must not
 * pass. */
struct setter {
    CURL *easy;
    bool failed;
};
#define SET(s, option, value) ((s)->failed |= curl_easy_setopt((s)->easy, (option), (value)) != CURLE_OK)

static void
set_guards(struct setter *s, const struct net_policy *p, struct transfer *t)
{
    SET(s, CURLOPT_PROTOCOLS_STR, p->allow_private || p->allow_plain ? "https,http" : "https");
    SET(s, CURLOPT_FOLLOWLOCATION, 0L);
    SET(s, CURLOPT_PROXY, "");
    SET(s, CURLOPT_NOPROXY, "*");
    SET(s, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(s, CURLOPT_NOSIGNAL, 1L);
    SET(s, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(s, CURLOPT_OPENSOCKETDATA, t);
    SET(s, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(s, CURLOPT_USERAGENT, "claimgate/" CLAIMGATE_VERSION);
}

static void
set_tls(struct setter *s, const struct net_request *rq)
{
    SET(s, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(s, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(s, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* With the default path libcurl parses the whole bundle anew for every connection. */
    SET(s, CURLOPT_CAPATH, NULL);
    if (rq->ca_pem.n > 0) {
        struct curl_blob ca = blob_of(rq->ca_pem);
        SET(s, CURLOPT_CAINFO, NULL);
        SET(s, CURLOPT_CAINFO_BLOB, &ca);
    } else
        SET(s, CURLOPT_CAINFO, SYSTEM_CAS);
    if (rq->cert_pem.n == 0)
        return;
    struct curl_blob certificate = blob_of(rq->cert_pem), key = blob_of(rq->key_pem);
    SET(s, CURLOPT_SSLCERTTYPE, "PEM");
    SET(s, CURLOPT_SSLCERT_BLOB, &certificate);
    SET(s, CURLOPT_SSLKEYTYPE, "PEM");
    SET(s, CURLOPT_SSLKEY_BLOB, &key);
}

static void
set_request(struct setter *s, const struct net_request *rq, struct transfer *t)
{
    SET(s, CURLOPT_URL, t->url);
    if (view_eq(view_of(rq->method), V("HEAD")))
        SET(s, CURLOPT_NOBODY, 1L);
    else if (rq->body.n > 0 || view_eq(view_of(rq->method), V("POST"))) {
        SET(s, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.n);
        SET(s, CURLOPT_POSTFIELDS, rq->body.n > 0 ? rq->body.p : "");
    }
    SET(s, CURLOPT_CUSTOMREQUEST, rq->method);
    SET(s, CURLOPT_HTTPHEADER, t->headers);
    SET(s, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(rq->connect_limit, DEFAULT_CONNECT_MS));
    SET(s, CURLOPT_TIMEOUT_MS, milliseconds(rq->limit, DEFAULT_LIMIT_MS));
    SET(s, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
    SET(s, CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
    SET(s, CURLOPT_WRITEFUNCTION, take_body);
    SET(s, CURLOPT_WRITEDATA, t);
    SET(s, CURLOPT_HEADERFUNCTION, take_header);
    SET(s, CURLOPT_HEADERDATA, t);
    SET(s, CURLOPT_PRIVATE, t);
}

static void
reset(struct transfer *t, const struct net_policy *p, const struct net_request *rq)
{
    t->policy = p;
    t->body.ceiling = rq->reply_max > 0 ? rq->reply_max : DEFAULT_REPLY;
    t->header_bytes = 0;
    t->media_n = 0;
    t->max_age = -1;
    t->cut_reply = rq->cut_reply;
    t->is_cut = t->is_refused = false;
    fault_init(&t->fault);
    memcpy(t->url, rq->url.p, rq->url.n);
    t->url[rq->url.n] = '\0';
}

err
transfer_prepare(struct transfer *t, const struct net_policy *p, const struct net_request *rq,
                 struct fault *f)
{
    struct target target;
    TRY(egress_read_url(p, rq->url, &target, f));
    reset(t, p, rq);
    TRY(add_headers(t, rq, f));
    struct setter s = {t->easy, false};
    set_guards(&s, p, t);
    set_tls(&s, rq);
    set_request(&s, rq, t);
    return s.failed ? fault_set(f, E_INTERNAL, "curl", "options that are understood", "one that is not")
                    : E_OK;
}

static const char *
step_of(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "a name that does not resolve";
    case CURLE_COULDNT_CONNECT:
        return "no connection";
    case CURLE_OPERATION_TIMEDOUT:
        return "a time-out";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "a server certificate that does not verify";
    case CURLE_SSL_CONNECT_ERROR:
        return "no TLS handshake";
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return "a client certificate or CA that cannot be used";
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return "a connection that broke";
    default:
        return "no HTTP reply";
    }
}

static err
judge(struct transfer *t, CURLcode code, struct fault *f)
{
    if (t->is_refused) {
        if (f && f->code == E_OK)
            *f = t->fault;
        return E_EGRESS;
    }
    if (code == CURLE_OK || (t->is_cut && t->cut_reply))
        return E_OK;
    if (t->is_cut || t->header_bytes > HEADERS_MAX)
        return fault_set(f, E_TOO_LARGE, "reply", "a reply within its ceiling", "a longer one");
    return fault_set(f, E_NETWORK, "url", "an answer", step_of(code));
}

err
transfer_finish(struct transfer *t, CURLcode code, struct net_reply *ret, struct fault *f)
{
    long status = 0, sent = 0;
    curl_off_t took = 0, wait = 0;
    struct net_reply reply = {.retry_after = -1, .max_age = -1};
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &took);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &wait);
    reply.was_sent = sent > 0;
    reply.took = (span){took};
    err e = judge(t, code, f);
    if (e == E_OK) {
        reply.status = (int)status;
        reply.body = buf_view(&t->body);
        reply.media_type = (view){t->media, t->media_n};
        reply.retry_after = wait > 0 ? wait : -1;
        reply.max_age = t->max_age;
        reply.is_cut = t->is_cut;
    }
    *ret = reply;
    return e;
}
